"""Causal attention for one sequence on a processor, in blocks of queries.

Torch's own kernel multiplies every query with every key and then hides half of it; a block of
queries here meets only the keys that it may see, in plain matrix products that use the whole
width of the processor. Two to three times as fast over a page of text, forward and backward.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from transformers import AttentionInterface, PretrainedConfig

NAME = "fieldwright_blocks"
_QUERIES = 128  # in one block; more hide more work, fewer make the products too small


def suits(config: PretrainedConfig) -> bool:
    """Return whether a model's attention is plain causal attention."""
    windowed = getattr(config, "sliding_window", None) is not None
    kinds = set(getattr(config, "layer_types", None) or ()) - {"full_attention"}
    capped = getattr(config, "attn_logit_softcapping", None) is not None
    return not (windowed or kinds or capped)


def attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attend; the interface that transformers gives to such functions.

    :param query: shape [1, heads, queries, width]; its last position sees all keys.
    :param key: like `value`, shape [1, key heads, keys, width], keys >= queries.
    :returns: shape [1, queries, heads, width], and no weights.
    :raises ValueError: for what one unpadded sequence never needs: a batch, a mask, dropout.
    """
    if query.shape[0] != 1 or attention_mask is not None or dropout:
        raise ValueError("attends over one sequence, without mask and dropout")
    if torch.is_autocast_enabled(query.device.type):
        kind = torch.get_autocast_dtype(query.device.type)
        query, key, value = query.to(kind), key.to(kind), value.to(kind)
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    answer = _Blocks.apply(query[0], key[0], value[0], scale)  # type: ignore[no-untyped-call]
    return answer.transpose(0, 1).unsqueeze(0), None


class _Blocks(torch.autograd.Function):
    """Attention of [heads, queries, width] over [key heads, keys, width]."""

    @staticmethod
    def forward(
        context: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
    ) -> torch.Tensor:
        context.save_for_backward(query, key, value)
        context.scale = scale
        grouped = _grouped(query, key)
        answer = torch.empty_like(grouped)
        for start in range(0, query.shape[1], _QUERIES):
            _, seen, weights = _weights(grouped, key, start, scale)
            part = torch.bmm(weights, value[:, :seen])
            _block(answer, start).copy_(part.view_as(_block(answer, start)))
        return answer.view(query.shape)

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> Any:
        query, key, value = context.saved_tensors
        grouped, wanted = _grouped(query, key), _grouped(gradient.contiguous(), key)
        to_query = torch.empty_like(grouped)
        # Sums over many blocks keep more digits than the products.
        to_key = torch.zeros(key.shape, dtype=torch.float32, device=key.device)
        to_value = torch.zeros_like(to_key)
        for start in range(0, query.shape[1], _QUERIES):
            # Weights are computed again: kept, they would cost the square of the length.
            asking, seen, weights = _weights(grouped, key, start, context.scale)
            out = _block(wanted, start).reshape(asking.shape)
            to_value[:, :seen] += torch.bmm(weights.transpose(1, 2), out)
            slope = torch.bmm(out, value[:, :seen].transpose(1, 2))
            slope = torch.ops.aten._softmax_backward_data(slope, weights, -1, weights.dtype)
            slope *= context.scale
            part = torch.bmm(slope, key[:, :seen])
            _block(to_query, start).copy_(part.view_as(_block(to_query, start)))
            to_key[:, :seen] += torch.bmm(slope.transpose(1, 2), asking)
        return to_query.view(query.shape), to_key.to(key.dtype), to_value.to(value.dtype), None


def _grouped(query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
    """Return [heads, queries, width] as [key heads, heads of each, queries, width]."""
    return query.reshape(key.shape[0], -1, *query.shape[1:])


def _block(grouped: torch.Tensor, start: int) -> torch.Tensor:
    return grouped[:, :, start : start + _QUERIES]


def _weights(
    grouped: torch.Tensor, key: torch.Tensor, start: int, scale: float
) -> tuple[torch.Tensor, int, torch.Tensor]:
    """Return a block's queries, how many keys it sees, and its attention weights.

    :returns: shapes [key heads, rows, width] and [key heads, rows, keys seen]; a row is a query
        of one of the heads that share a key head.
    """
    block = _block(grouped, start)
    queries = block.shape[2]
    first = key.shape[1] - grouped.shape[2] + start
    seen = first + queries
    asking = block.reshape(key.shape[0], -1, key.shape[2])
    scores = torch.bmm(asking, key[:, :seen].transpose(1, 2))
    scores *= scale
    if queries > 1:
        later = torch.ones(queries, queries, dtype=torch.bool, device=key.device).triu(1)
        diagonal = scores.view(*block.shape[:3], seen)[..., first:]
        diagonal.masked_fill_(later, -math.inf)
    return asking, seen, torch.softmax(scores, dim=-1)


AttentionInterface.register(NAME, attention)
