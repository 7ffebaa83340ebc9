"""Runs Llama weights as int8 with OpenVINO: two to three times the speed of fp32 on any processor.

The graph is built from the weights themselves, so nothing has to be exported or traced: matrices
as int8 with a scale for every 32 numbers, everything else fp32. The runtime keeps keys and values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from extractor.base_model import BaseModel
from extractor.errors import BaseModelError, MissingExtra

_GROUP = 32
Weights = dict[str, npt.NDArray[np.float32]]


@dataclass(slots=True)
class OpenVinoState:
    """What has been read. The runtime holds one sequence, so only the latest state can go on.

    :param visible: which of the runtime's entries count; dropped tokens stay there, unseen.
    """

    visible: list[bool] = field(default_factory=list)
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Architecture:
    """What the graph must know of a Llama model beside its weights.

    :param width: of a head.
    :param theta: base of the rotary frequencies.
    :param tied: the head is the embedding.
    """

    layers: int
    heads: int
    key_heads: int
    width: int
    epsilon: float
    theta: float
    tied: bool
    context_tokens: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Architecture:
        """Read transformers' `config.json`; what it leaves out has that library's defaults.

        :raises BaseModelError: if the graph built here is not that of the model.
        """
        rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
        odd = [
            config.get("model_type") != "llama",
            config.get("hidden_act", "silu") != "silu",
            bool(config.get("attention_bias") or config.get("mlp_bias")),
            rope.get("rope_type", "default") != "default",
        ]
        if any(odd):
            raise BaseModelError(
                f"int8 runs plain Llama models, this one is {config.get('model_type')} "
                "or has parts of its own",
                hint="use --engine fp32 or bf16",
            )
        heads = int(config["num_attention_heads"])
        return cls(
            layers=int(config["num_hidden_layers"]),
            heads=heads,
            key_heads=int(config.get("num_key_value_heads") or heads),
            width=int(config.get("head_dim") or config["hidden_size"] // heads),
            epsilon=float(config.get("rms_norm_eps", 1e-6)),
            theta=float(rope.get("rope_theta") or config.get("rope_theta") or 10_000),
            tied=bool(config.get("tie_word_embeddings", False)),
            context_tokens=int(config.get("max_position_embeddings", 2048)),
        )


class OpenVinoRunner:
    """A `Runner` over int8 weights of the Llama architecture.

    :param weights: by transformers' names, an adapter already merged in.
    :param threads: of the processor; None leaves the choice to the runtime.
    :raises MissingExtra: if OpenVINO is not installed.
    """

    def __init__(
        self, weights: Weights, architecture: Architecture, threads: int | None = None
    ) -> None:
        openvino = _openvino()
        self._context_tokens = architecture.context_tokens
        options: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            # Sums stay fp32 whatever the processor prefers, so that machines agree.
            "INFERENCE_PRECISION_HINT": "f32",
            "KV_CACHE_PRECISION": "f32",
        }
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        model = _Graph(weights, architecture).model()
        compiled = openvino.Core().compile_model(model, "CPU", options)
        self._request = compiled.create_infer_request()

    @classmethod
    def load(cls, base: BaseModel, adapter: Path | None, threads: int | None) -> OpenVinoRunner:
        """Load a base model, with an adapter merged into it in fp32; without torch, so at once.

        :raises BaseModelError: for another architecture, or weights that cannot be read.
        """
        from safetensors import SafetensorError

        _openvino()
        try:
            config = json.loads((base.folder / "config.json").read_text(encoding="utf-8"))
            architecture = Architecture.of(config)
            weights = read_weights(base.folder)
            if adapter is not None:
                add_adapter(weights, adapter)
            return cls(weights, architecture, threads)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise BaseModelError(
                f"base model {base.name}: the weights in {base.folder} cannot be loaded: "
                f"{str(error)[:200]}",
                hint="fetch or copy the model again, it may be incomplete; or use --engine fp32",
            ) from error

    @property
    def context_tokens(self) -> int:
        """Longest sequence that the model was made for."""
        return self._context_tokens

    def begin(self, tokens: list[int] | None = None) -> OpenVinoState:
        """Forget the last sequence and begin another."""
        self._request.reset_state()
        state = OpenVinoState()
        if tokens:
            self.run(state, tokens, 1)
        return state

    @property
    def copies(self) -> bool:
        """Copying the runtime's keys and values takes longer than reading the tokens again."""
        return False

    def copy(self, state: OpenVinoState) -> OpenVinoState:
        """Refuse, see `copies`."""
        raise NotImplementedError("the runtime holds one sequence")

    def length(self, state: OpenVinoState) -> int:
        """Return how many tokens a state holds."""
        return state.tokens

    def run(self, state: OpenVinoState, tokens: list[int], keep: int) -> npt.NDArray[np.float32]:
        """Read tokens; return the logits behind the last `keep` of them."""
        count, held = len(tokens), len(state.visible)
        mask = np.full((1, 1, count, held + count), -np.inf, np.float32)
        mask[..., :held][..., state.visible] = 0.0
        mask[0, 0, :, held:][np.tril_indices(count)] = 0.0
        answer = self._request.infer(
            {
                "tokens": np.array([tokens], np.int64),
                "positions": np.arange(state.tokens, state.tokens + count, dtype=np.int64)[None],
                "mask": mask,
                "sequence": np.zeros(1, np.int32),
                "kept": np.arange(count - keep, count, dtype=np.int64),
            }
        )
        state.visible += [True] * count
        state.tokens += count
        logits: npt.NDArray[np.float32] = answer[0][0].copy()
        return logits

    def drop(self, state: OpenVinoState, count: int) -> None:
        """Forget the last tokens: no later token sees them."""
        left = count
        for index in reversed(range(len(state.visible))):
            if not left:
                break
            left -= state.visible[index]
            state.visible[index] = False
        state.tokens -= count


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

    with safe_open(file, framework="numpy") as stored:
        kinds = {stored.get_slice(name).get_dtype() for name in stored.keys()}  # noqa: SIM118
        if kinds <= {"F16", "F32", "F64"}:
            return {name: stored.get_tensor(name).astype(np.float32) for name in stored.keys()}  # noqa: SIM118
    from safetensors.torch import load_file

    return {name: tensor.float().numpy() for name, tensor in load_file(file).items()}


def installed() -> bool:
    """Return whether OpenVINO is there."""
    from importlib.util import find_spec

    return find_spec("openvino") is not None


def _openvino() -> Any:
    try:
        import openvino
    except ImportError as error:
        raise MissingExtra(
            "the int8 engine needs openvino", hint='run: pip install "fieldwright[model]"'
        ) from error
    return openvino


class _Graph:
    """Writes the forward pass of a Llama model as an OpenVINO graph.

    Shapes: tokens and positions [1, n], mask [1, 1, n, held + n] added to the attention scores,
    sequence [1] (zero; the runtime recognises its own cache by it), kept [k]; logits [1, k, v].
    """

    def __init__(self, weights: Weights, architecture: Architecture) -> None:
        from openvino import opset15

        self.op: Any = opset15
        self.weights, self.architecture = weights, architecture
        self.heads, self.key_heads = architecture.heads, architecture.key_heads
        self.width = architecture.width
        self.sinks: list[Any] = []

    def model(self) -> Any:
        """Return the whole graph."""
        import openvino

        op = self.op
        inputs = {
            "tokens": op.parameter([1, -1], np.int64),
            "positions": op.parameter([1, -1], np.int64),
            "mask": op.parameter([1, 1, -1, -1], np.float32),
            "sequence": op.parameter([1], np.int32),
            "kept": op.parameter([-1], np.int64),
        }
        for name, node in inputs.items():
            node.output(0).set_names({name})
        embedding = self._matrix("model.embed_tokens.weight")
        hidden = op.gather(embedding, inputs["tokens"], self._ints(0))
        turns = self._turns(inputs["positions"])
        for layer in range(self.architecture.layers):
            name = f"model.layers.{layer}"
            normed = self._norm(hidden, f"{name}.input_layernorm.weight")
            attended = self._attention(normed, name, layer, turns, inputs)
            hidden = op.add(hidden, attended)
            normed = self._norm(hidden, f"{name}.post_attention_layernorm.weight")
            gate = op.swish(self._product(normed, f"{name}.mlp.gate_proj.weight"))
            up = self._product(normed, f"{name}.mlp.up_proj.weight")
            hidden = op.add(
                hidden, self._product(op.multiply(gate, up), f"{name}.mlp.down_proj.weight")
            )
        hidden = op.gather(hidden, inputs["kept"], self._ints(1))
        hidden = self._norm(hidden, "model.norm.weight")
        head = embedding if self.architecture.tied else self._matrix("lm_head.weight")
        logits = op.matmul(hidden, head, False, True)
        return openvino.Model([op.result(logits)], self.sinks, list(inputs.values()), "llama")

    def _attention(
        self, hidden: Any, name: str, layer: int, turns: tuple[Any, Any], inputs: dict[str, Any]
    ) -> Any:
        op = self.op
        query, key, value = (
            self._split(self._product(hidden, f"{name}.self_attn.{part}_proj.weight"), heads)
            for part, heads in (("q", self.heads), ("k", self.key_heads), ("v", self.key_heads))
        )
        key = self._kept(self._turned(key, turns), f"key.{layer}", inputs["sequence"])
        value = self._kept(value, f"value.{layer}", inputs["sequence"])
        answer = op.scaled_dot_product_attention(
            self._turned(query, turns), self._shared(key), self._shared(value), inputs["mask"]
        )
        answer = op.transpose(answer, self._ints([0, 2, 1, 3]))
        joined = op.reshape(answer, self._ints([0, 0, self.heads * self.width]), True)
        return self._product(joined, f"{name}.self_attn.o_proj.weight")

    def _kept(self, new: Any, name: str, sequence: Any) -> Any:
        """Return new keys or values behind those that the runtime has kept, and keep all."""
        import openvino
        from openvino.op.util import Variable, VariableInfo

        info = VariableInfo()
        info.data_shape = openvino.PartialShape([1, self.key_heads, -1, self.width])
        info.data_type = openvino.Type.f32
        info.variable_id = name
        variable = Variable(info)
        nothing = self.op.constant(np.zeros((1, self.key_heads, 0, self.width), np.float32))
        held = self.op.gather(self.op.read_value(nothing, variable), sequence, self._ints(0))
        both = self.op.concat([held, new], 2)
        self.sinks.append(self.op.assign(both, variable))
        return both

    def _shared(self, part: Any) -> Any:
        """Return the keys or values of each head; several heads share them."""
        op, each = self.op, self.heads // self.key_heads
        shape = self._ints([1, 1, each, 1, 1])
        wide = op.broadcast(
            op.unsqueeze(part, self._ints([2])), shape, broadcast_spec="BIDIRECTIONAL"
        )
        return op.reshape(wide, self._ints([0, self.heads, -1, self.width]), True)

    def _split(self, hidden: Any, heads: int) -> Any:
        shaped = self.op.reshape(hidden, self._ints([0, 0, heads, self.width]), True)
        return self.op.transpose(shaped, self._ints([0, 2, 1, 3]))

    def _turns(self, positions: Any) -> tuple[Any, Any]:
        """Return cosine and sine of each position's rotary angles. Shape: [1, 1, n, width]."""
        op = self.op
        powers = np.arange(0, self.width, 2, dtype=np.float64) / self.width
        frequencies = (1.0 / self.architecture.theta**powers).astype(np.float32)
        places = op.unsqueeze(op.convert(positions, "f32"), self._ints([2]))
        angles = op.multiply(places, op.constant(frequencies[None, None]))
        angles = op.unsqueeze(op.concat([angles, angles], 2), self._ints([1]))
        return op.cos(angles), op.sin(angles)

    def _turned(self, part: Any, turns: tuple[Any, Any]) -> Any:
        op, half = self.op, self.width // 2
        first, second = (
            op.slice(part, *map(self._ints, ([start], [start + half], [1], [3])))
            for start in (0, half)
        )
        swapped = op.concat([op.negative(second), first], 3)
        return op.add(op.multiply(part, turns[0]), op.multiply(swapped, turns[1]))

    def _norm(self, hidden: Any, name: str) -> Any:
        op = self.op
        square = op.reduce_mean(op.multiply(hidden, hidden), self._ints([-1]), True)
        epsilon = op.constant(np.float32(self.architecture.epsilon))
        scaled = op.divide(hidden, op.sqrt(op.add(square, epsilon)))
        return op.multiply(scaled, op.constant(self.weights[name][None, None]))

    def _product(self, hidden: Any, name: str) -> Any:
        return self.op.matmul(hidden, self._matrix(name), False, True)

    def _matrix(self, name: str) -> Any:
        """Return a matrix as int8 and a scale for each group of a row, or for each row."""
        matrix = self.weights[name]
        rows, columns = matrix.shape
        groups = matrix.reshape(rows, -1, _GROUP if columns % _GROUP == 0 else columns)
        scale = np.abs(groups).max(axis=2, keepdims=True) / 127
        scale[scale == 0] = 1
        whole = np.rint(groups / scale).astype(np.int8)
        wide = self.op.multiply(
            self.op.convert(self.op.constant(whole), "f32"),
            self.op.constant(scale.astype(np.float32)),
        )
        return self.op.reshape(wide, self._ints([rows, columns]), False)

    def _ints(self, values: int | list[int]) -> Any:
        return self.op.constant(np.array(values, np.int64))
