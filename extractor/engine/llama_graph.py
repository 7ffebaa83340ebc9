"""The forward pass of a Llama model as an OpenVINO graph, built from the weights themselves.

Nothing has to be exported or traced. What earlier tokens left, their keys and values, comes in and
that of new tokens goes out, so the runtime keeps nothing and a pass costs what its new tokens cost:
with the runtime's own cache, a pass of 16 tokens took twice as long as one of a single token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from extractor.errors import BaseModelError

_GROUP = 32
_END = 2**31 - 1
Kind = Literal["bf16", "int8"]
Weights = dict[str, npt.NDArray[np.float32]]


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
                f"OpenVINO runs plain Llama models, this one is {config.get('model_type')} "
                "or has parts of its own",
                hint="use --engine fp32",
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


class Graph:
    """Writes the graph of one model in one number format.

    Inputs, with n new tokens behind room for h earlier ones:

    | name | shape | |
    |---|---|---|
    | tokens | [1, n] | ids |
    | cosines, sines | [1, 1, n, width] | of the rotary angles, computed outside in full precision |
    | past | [1, 1, h] | added to the scores of earlier tokens: -inf where the room is empty |
    | new | [1, heads of a key head * n, n] | added to the scores of new tokens |
    | kept | [k] | of which new tokens logits are wanted |
    | key.I, value.I | [key heads, h, width] | of layer I |

    Outputs: logits [1, k, vocabulary], then the new keys and values of each layer in turn,
    [key heads, n, width].
    """

    def __init__(self, weights: Weights, architecture: Architecture, kind: Kind) -> None:
        from openvino import opset15

        self.op: Any = opset15
        self.weights, self.architecture, self.kind = weights, architecture, kind
        self.heads, self.key_heads = architecture.heads, architecture.key_heads
        self.width = architecture.width
        self.inputs: dict[str, Any] = {}
        self.outputs: list[Any] = []
        self._constants: dict[str, Any] = {}

    def model(self) -> Any:
        """Return the whole graph, an `openvino.Model`."""
        import openvino

        op = self.op
        self.inputs = {
            "tokens": op.parameter([1, -1], np.int64),
            "cosines": op.parameter([1, 1, -1, self.width], np.float32),
            "sines": op.parameter([1, 1, -1, self.width], np.float32),
            "past": op.parameter([1, 1, -1], np.float32),
            "new": op.parameter([1, -1, -1], np.float32),
            "kept": op.parameter([-1], np.int64),
        }
        for name in state_names(self.architecture):
            shape = [self.key_heads, -1, self.width]
            self.inputs[name] = op.parameter(shape, state_type(self.kind))
        for name, node in self.inputs.items():
            node.output(0).set_names({name})
        embedding = self._matrix("model.embed_tokens.weight")
        hidden = op.gather(embedding, self.inputs["tokens"], self._ints(0))
        for layer in range(self.architecture.layers):
            name = f"model.layers.{layer}"
            normed = self._norm(hidden, f"{name}.input_layernorm.weight")
            hidden = op.add(hidden, self._attention(normed, name, layer))
            normed = self._norm(hidden, f"{name}.post_attention_layernorm.weight")
            gate = op.swish(self._product(normed, f"{name}.mlp.gate_proj.weight"))
            up = self._product(normed, f"{name}.mlp.up_proj.weight")
            hidden = op.add(
                hidden, self._product(op.multiply(gate, up), f"{name}.mlp.down_proj.weight")
            )
        hidden = op.gather(hidden, self.inputs["kept"], self._ints(1))
        hidden = self._norm(hidden, "model.norm.weight")
        head = embedding if self.architecture.tied else self._matrix("lm_head.weight")
        logits = op.result(op.matmul(hidden, head, False, True))
        return openvino.Model([logits, *self.outputs], list(self.inputs.values()), "llama")

    def _attention(self, hidden: Any, name: str, layer: int) -> Any:
        """Attend to earlier and new tokens; their scores meet in one softmax.

        A row is a query of one of the heads that share a key head, so that the keys of a key head
        are read once for all of them.
        """
        op = self.op
        query, key, value = (
            self._split(self._product(hidden, f"{name}.self_attn.{part}_proj.weight"), heads)
            for part, heads in (("q", self.heads), ("k", self.key_heads), ("v", self.key_heads))
        )
        scaled = op.multiply(self._turned(query), self._constant(np.float32(self.width**-0.5)))
        rows = self._ints([self.key_heads, -1, self.width])
        query, key, value = (
            op.reshape(part, rows, False) for part in (scaled, self._turned(key), value)
        )
        kept = state_type(self.kind)
        self.outputs += [op.result(op.convert(part, kept)) for part in (key, value)]
        keys, values = (
            op.convert(self.inputs[f"{part}.{layer}"], "f32") for part in ("key", "value")
        )
        earlier = op.add(op.matmul(query, keys, False, True), self.inputs["past"])
        new = op.add(op.matmul(query, key, False, True), self.inputs["new"])
        weights = op.softmax(op.concat([earlier, new], 2), 2)
        held = op.gather(op.shape_of(self.inputs["past"]), self._ints([2]), self._ints(0))
        answer = op.add(
            op.matmul(self._columns(weights, self._ints([0]), held), values, False, False),
            op.matmul(self._columns(weights, held, self._ints([_END])), value, False, False),
        )
        answer = op.reshape(answer, self._ints([1, self.heads, -1, self.width]), False)
        answer = op.transpose(answer, self._ints([0, 2, 1, 3]))
        joined = op.reshape(answer, self._ints([0, 0, self.heads * self.width]), True)
        return self._product(joined, f"{name}.self_attn.o_proj.weight")

    def _columns(self, part: Any, start: Any, end: Any) -> Any:
        """Return the numbers from `start` to `end` of a part's last axis."""
        axis = self._ints([len(part.get_output_partial_shape(0)) - 1])
        return self.op.slice(part, start, end, self._ints([1]), axis)

    def _split(self, hidden: Any, heads: int) -> Any:
        shaped = self.op.reshape(hidden, self._ints([0, 0, heads, self.width]), True)
        return self.op.transpose(shaped, self._ints([0, 2, 1, 3]))

    def _turned(self, part: Any) -> Any:
        # Written in the form that the runtime knows and runs in one step.
        op, half = self.op, self._ints([self.width // 2])
        first = self._columns(part, self._ints([0]), half)
        second = self._columns(part, half, self._ints([_END]))
        swapped = op.concat([op.multiply(second, self._constant(np.float32(-1))), first], -1)
        return op.add(
            op.multiply(part, self.inputs["cosines"]), op.multiply(swapped, self.inputs["sines"])
        )

    def _norm(self, hidden: Any, name: str) -> Any:
        op = self.op
        square = op.reduce_mean(op.multiply(hidden, hidden), self._ints([-1]), True)
        epsilon = self._constant(np.float32(self.architecture.epsilon))
        scaled = op.divide(hidden, op.sqrt(op.add(square, epsilon)))
        return op.multiply(scaled, op.constant(self.weights[name][None, None]))

    def _product(self, hidden: Any, name: str) -> Any:
        return self.op.matmul(hidden, self._matrix(name), False, True)

    def _matrix(self, name: str) -> Any:
        """Return a matrix, for int8 as whole numbers and a scale for each group of a row."""
        matrix = self.weights[name]
        if self.kind == "bf16":
            return self._shared(matrix)  # the runtime lays out a narrow copy, and keeps this one
        rows, columns = matrix.shape
        groups = matrix.reshape(rows, -1, _GROUP if columns % _GROUP == 0 else columns)
        scale = np.abs(groups).max(axis=2, keepdims=True) / 127
        scale[scale == 0] = 1
        whole = np.rint(groups / scale).astype(np.int8)
        wide = self.op.multiply(
            self.op.convert(self._shared(whole), "f32"), self._shared(scale.astype(np.float32))
        )
        return self.op.reshape(wide, self._ints([rows, columns]), False)

    def _shared(self, numbers: npt.NDArray[Any]) -> Any:
        """Return a constant that is not copied; it keeps the array alive."""
        return self.op.constant(np.ascontiguousarray(numbers), shared_memory=True)

    def _ints(self, values: int | list[int]) -> Any:
        return self._constant(np.array(values, np.int64))

    def _constant(self, numbers: npt.NDArray[Any] | np.generic) -> Any:
        """Return a small constant, the same for the same numbers: each node delays the start."""
        key = f"{numbers.dtype}{numbers.tolist()}"
        if key not in self._constants:
            self._constants[key] = self.op.constant(numbers)
        return self._constants[key]


def state_names(architecture: Architecture) -> list[str]:
    """Return the inputs of keys and values, in the order of the outputs that continue them."""
    return [f"{part}.{layer}" for layer in range(architecture.layers) for part in ("key", "value")]


def state_type(kind: Kind) -> Any:
    """Return the runtime's type of keys and values."""
    import openvino

    return openvino.Type.bf16 if kind == "bf16" else openvino.Type.f32


def rotary(
    architecture: Architecture, start: int, count: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return cosine and sine of the rotary angles from a position on. Shape: [count, width].

    In double precision: angles of far positions that are rounded to bf16 turn by whole radians.
    """
    powers = np.arange(0, architecture.width, 2, dtype=np.float64) / architecture.width
    angles = np.arange(start, start + count)[:, None] / architecture.theta**powers
    angles = np.concatenate([angles, angles], axis=1)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
