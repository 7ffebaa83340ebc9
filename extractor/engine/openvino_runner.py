"""Runs Llama weights with OpenVINO, as bf16 where the processor multiplies it, or as int8 anywhere.

int8 means matrices of whole numbers with a scale for every 32 of them, everything else fp32.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from extractor.base_model import BaseModel, import_torch
from extractor.engine.llama_graph import (
    Architecture,
    Graph,
    Kind,
    Weights,
    rotary,
    state_names,
    state_type,
)
from extractor.errors import BaseModelError, MissingExtra

_WIDTH = 16
"""Passes are filled up to a multiple of so many tokens: the runtime takes longer to prepare for
another shape than to compute a few tokens for nothing."""
_STEP = 256
"""Room for earlier tokens grows by so many; longer prompts are read in pieces of as many, since
each piece then meets only what came before it."""


class OpenVinoState:
    """What has been read: keys and values of each layer, with room for more.

    :param tensors: the runtime's, in the order of `state_names`. Shape: [key heads, room, width].
    """

    def __init__(self, architecture: Architecture, kind: Kind) -> None:
        self._architecture, self._kind = architecture, kind
        self.tensors: list[Any] = []
        self._arrays: list[npt.NDArray[Any]] = []
        self.room = self.tokens = 0
        self.grow(1)

    def grow(self, room: int) -> None:
        """Move into larger memory."""
        import openvino

        before = self._arrays
        shape = [self._architecture.key_heads, room, self._architecture.width]
        kind = state_type(self._kind)
        names = state_names(self._architecture)
        self.tensors = [openvino.Tensor(kind, openvino.Shape(shape)) for _ in names]
        self._arrays = [_numbers(tensor) for tensor in self.tensors]
        for array in self._arrays:
            array[:, self.tokens :] = 0  # hidden numbers are multiplied by 0; a NaN survives that
        self.room = room
        self._put(before, 0, self.tokens)

    def copy(self) -> OpenVinoState:
        """Return the same in memory of its own."""
        twin = OpenVinoState(self._architecture, self._kind)
        twin.grow(self.room)
        twin._put(self._arrays, 0, self.tokens)
        twin.tokens = self.tokens
        return twin

    def add(self, parts: list[npt.NDArray[Any]]) -> None:
        """Put keys and values of new tokens behind the others."""
        count = parts[0].shape[1]
        if self.tokens + count > self.room:
            self.grow(-(-(self.tokens + count) // _STEP) * _STEP)
        self._put(parts, self.tokens, count)
        self.tokens += count

    def _put(self, parts: list[npt.NDArray[Any]], start: int, count: int) -> None:
        for array, part in zip(self._arrays, parts, strict=False):
            array[:, start : start + count] = part[:, :count]


class OpenVinoRunner:
    """A `Runner` over weights of the Llama architecture.

    :param weights: by transformers' names, an adapter already merged in.
    :param kind: number format, of the weights for int8 and of all numbers for bf16.
    :param threads: of the processor; None leaves the choice to the runtime.
    :raises MissingExtra: if OpenVINO is not installed.
    """

    def __init__(
        self, weights: Weights, architecture: Architecture, kind: Kind, threads: int | None = None
    ) -> None:
        openvino = _openvino()
        self._architecture, self._kind = architecture, kind
        options: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            # Sums of int8 stay fp32 whatever the processor prefers, so that machines agree.
            "INFERENCE_PRECISION_HINT": "bf16" if kind == "bf16" else "f32",
        }
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        model = Graph(weights, architecture, kind).model()
        compiled = openvino.Core().compile_model(model, "CPU", options)
        self._request = compiled.create_infer_request()
        self._names = state_names(architecture)
        self._bound: list[Any] | None = None

    @property
    def context_tokens(self) -> int:
        """Longest sequence that the model was made for."""
        return self._architecture.context_tokens

    def begin(self, tokens: list[int] | None = None) -> OpenVinoState:
        """Return a fresh state, some tokens already read."""
        state = OpenVinoState(self._architecture, self._kind)
        if tokens:
            self.run(state, tokens, 1)
        return state

    def copy(self, state: OpenVinoState) -> OpenVinoState:
        """Return a state that can go on by itself."""
        return state.copy()

    def length(self, state: OpenVinoState) -> int:
        """Return how many tokens a state holds."""
        return state.tokens

    def run(self, state: OpenVinoState, tokens: list[int], keep: int) -> npt.NDArray[np.float32]:
        """Read tokens, one at least; return the logits behind the last `keep` of them."""
        first_kept = len(tokens) - keep
        found = []
        for start in range(0, len(tokens), _STEP):
            piece = tokens[start : start + _STEP]
            logits = self._pass(state, piece, max(0, first_kept - start))
            if logits is not None:
                found.append(logits)
        return found[0] if len(found) == 1 else np.concatenate(found)

    def _pass(
        self, state: OpenVinoState, tokens: list[int], first_kept: int
    ) -> npt.NDArray[np.float32] | None:
        """Read one piece; return the logits from a token on, None if it lies behind the piece."""
        count, held = len(tokens), state.tokens
        wanted = max(0, count - first_kept)
        padding = -count % _WIDTH
        self._bind(state)
        past = np.full((1, 1, state.room), -np.inf, np.float32)
        past[..., :held] = 0.0
        new = np.where(np.tri(count + padding, dtype=np.bool_), np.float32(0), np.float32(-np.inf))
        sharing = self._architecture.heads // self._architecture.key_heads
        cosines, sines = rotary(self._architecture, held, count + padding)
        kept = np.full(-(-wanted // _WIDTH) * _WIDTH or 1, count - 1, np.int64)
        kept[:wanted] = np.arange(count - wanted, count)
        self._request.infer(
            {
                "tokens": np.array([tokens + [0] * padding], np.int64),
                "cosines": cosines[None, None],
                "sines": sines[None, None],
                "past": past,
                "new": np.tile(new, (sharing, 1))[None],
                "kept": kept,
            },
            share_inputs=True,
            share_outputs=True,
        )
        outputs = map(self._request.get_output_tensor, range(1, 1 + len(self._names)))
        state.add([_numbers(output)[:, :count] for output in outputs])
        if not wanted:
            return None
        logits: npt.NDArray[np.float32] = self._request.get_output_tensor(0).data[0, :wanted].copy()
        return logits

    def _bind(self, state: OpenVinoState) -> None:
        """Let the graph see a state's memory."""
        if self._bound is not state.tensors:
            for name, tensor in zip(self._names, state.tensors, strict=True):
                self._request.set_tensor(name, tensor)
            self._bound = state.tensors

    def drop(self, state: OpenVinoState, count: int) -> None:
        """Forget the last tokens: others will stand in their place."""
        state.tokens -= count


def _numbers(tensor: Any) -> npt.NDArray[Any]:
    """Return a view of a tensor's memory that numpy can copy; it knows no bf16."""
    numbers: npt.NDArray[Any] = tensor.data
    return numbers if numbers.itemsize == 4 else numbers.view(np.uint16)


def runs(base: BaseModel) -> bool:
    """Return whether a base model is of the architecture that is run here."""
    try:
        Architecture.of(_config(base))
    except (BaseModelError, OSError, ValueError, KeyError, TypeError):
        return False
    return True


def _config(base: BaseModel) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((base.folder / "config.json").read_text(encoding="utf-8"))
    return config


def prepare(
    base: BaseModel, adapter: Path | None, kind: Kind, threads: int | None
) -> Callable[[], OpenVinoRunner]:
    """Read the weights, without torch; return what makes a runner of them.

    The second part is native code that leaves the processor's other core to Python.

    :param adapter: merged into the weights in fp32.
    :raises BaseModelError: for another architecture, or weights that cannot be read; so does what
        is returned.
    :raises MissingExtra: if OpenVINO is not installed.
    """
    _openvino()
    with _told(base):
        architecture = Architecture.of(_config(base))
        weights = read_weights(base.folder)
        if adapter is not None:
            add_adapter(weights, adapter)

    def runner() -> OpenVinoRunner:
        with _told(base):
            made = OpenVinoRunner(weights, architecture, kind, threads)
            made.begin([0])  # the runtime packs the weights in its first pass
            return made

    return runner


@contextmanager
def _told(base: BaseModel) -> Iterator[None]:
    """Turn what goes wrong with a base model's files into an error that names them."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise BaseModelError(
            f"base model {base.name}: the weights in {base.folder} cannot be loaded: "
            f"{str(error)[:200]}",
            hint="fetch or copy the model again, it may be incomplete; or use --engine fp32",
        ) from error


def read_weights(folder: Path) -> Weights:
    """Return all weights of a model's folder as fp32.

    :raises BaseModelError: if there are none.
    """
    weights: Weights = {}
    for file in sorted(folder.glob("*.safetensors")):
        weights.update(_tensors(file))
    if not weights:
        raise BaseModelError(
            f"{folder}: no *.safetensors", hint="fetch or copy the model again, it is incomplete"
        )
    return weights


def add_adapter(weights: Weights, folder: Path) -> None:
    """Add a LoRA adapter, as `training.tune` makes them, to a base model's weights."""
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    scale = config["lora_alpha"] / config["r"]
    parts = _tensors(folder / "adapter_model.safetensors")
    for name, down in parts.items():
        if ".lora_A." in name:
            target = name.removeprefix("base_model.model.").replace(".lora_A.", ".")
            weights[target] = weights[target] + scale * (parts[name.replace("_A.", "_B.")] @ down)


def _tensors(file: Path) -> Weights:
    """Return a file's tensors; numpy knows no bf16, so such a file is read by torch."""
    from safetensors import safe_open

    with safe_open(file, framework="numpy") as stored:  # refuses what lies outside of the file
        names = list(stored.keys())
        kinds = {stored.get_slice(name).get_dtype() for name in names}
        if kinds <= {"F16", "F32", "F64"} and kinds != {"F32"}:
            return {name: stored.get_tensor(name).astype(np.float32) for name in names}
    if kinds == {"F32"}:
        return _plain(file)
    import_torch()
    from safetensors.torch import load_file

    return {name: tensor.float().numpy() for name, tensor in load_file(file).items()}


def _plain(file: Path) -> Weights:
    """Return the tensors of a file of fp32 numbers, twice as fast as its library copies them.

    Layout: https://huggingface.co/docs/safetensors, eight bytes of length, a header, the numbers.
    """
    found: Weights = {}
    with file.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        header: dict[str, Any] = json.loads(stream.read(size))
        header.pop("__metadata__", None)
        for name, facts in header.items():
            first, last = facts["data_offsets"]
            stream.seek(8 + size + first)
            found[name] = np.fromfile(stream, "<f4", (last - first) // 4).reshape(facts["shape"])
    return found


def installed() -> bool:
    """Return whether OpenVINO is there."""
    from importlib.util import find_spec

    return find_spec("openvino") is not None


def _openvino() -> Any:
    try:
        import openvino
    except ImportError as error:
        raise MissingExtra(
            "bf16 and int8 need openvino", hint='run: pip install "fieldwright[model]"'
        ) from error
    return openvino
