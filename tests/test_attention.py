"""Attention in blocks is attention: against torch's own, forward and backward."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, MistralConfig

from extractor.engine.attention import attention, suits

MODULE: Any = None  # the interface passes the layer, which is not looked at


def plain(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    queries, keys = query.shape[2], key.shape[2]
    hidden = torch.ones(queries, keys, dtype=torch.bool).triu(keys - queries + 1)
    mask = torch.zeros(queries, keys, dtype=query.dtype).masked_fill(hidden, -math.inf)
    answer = torch.nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, enable_gqa=True
    )
    return answer.transpose(1, 2)


@pytest.mark.parametrize(
    ("queries", "keys", "heads", "key_heads"),
    [(1, 1, 2, 1), (1, 300, 6, 2), (7, 40, 4, 4), (128, 128, 4, 2), (129, 129, 4, 2),
     (300, 300, 9, 3), (300, 450, 2, 1)],
)  # fmt: skip
def test_values_and_gradients_are_those_of_plain_attention(
    queries: int, keys: int, heads: int, key_heads: int
) -> None:
    draw = torch.Generator().manual_seed(queries)
    query = torch.randn(1, heads, queries, 16, generator=draw, requires_grad=True)
    key = torch.randn(1, key_heads, keys, 16, generator=draw, requires_grad=True)
    value = torch.randn(1, key_heads, keys, 16, generator=draw, requires_grad=True)
    wanted = plain(query, key, value)
    slope = torch.randn(wanted.shape, generator=draw)

    answer, weights = attention(MODULE, query, key, value, None)

    assert weights is None
    torch.testing.assert_close(answer, wanted)
    gradients = torch.autograd.grad(answer, (query, key, value), slope)
    torch.testing.assert_close(gradients, torch.autograd.grad(wanted, (query, key, value), slope))


def test_bf16_stays_near_fp32() -> None:
    draw = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(1, 4, 260, 64, generator=draw) for _ in range(3))
    wanted, _ = attention(MODULE, query, key, value, None)

    narrow = [tensor.to(torch.bfloat16) for tensor in (query, key, value)]
    answer, _ = attention(MODULE, *narrow, None)

    assert answer.dtype is torch.bfloat16
    assert (answer - wanted).abs().max() < 0.04


def test_what_it_cannot_do_is_refused() -> None:
    two = torch.zeros(2, 1, 4, 8)
    one = torch.zeros(1, 1, 4, 8)

    with pytest.raises(ValueError, match="one sequence"):
        attention(MODULE, two, two, two, None)
    with pytest.raises(ValueError, match="one sequence"):
        attention(MODULE, one, one, one, torch.zeros(4, 4))


def test_models_with_windows_keep_their_own_attention() -> None:
    assert suits(LlamaConfig())
    assert not suits(MistralConfig(sliding_window=64))
