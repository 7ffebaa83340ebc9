"""Where values stand in an answer, and where it can be cut to compare them."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from extractor import base_model, prompt
from extractor.fields import Iban, Money, Verbatim
from extractor.schema import Schema
from extractor.spans import beginning, spans


class Line(BaseModel):
    what: Verbatim | None = None
    price: Money | None = None


class Bill(BaseModel):
    seller: Verbatim | None = None
    iban: Iban | None = None
    first: Line | None = None
    notes: list[Verbatim] = []
    lines: list[Line] = []
    total: Money | None = None


SCHEMA = Schema.of(Bill)
VALUES = {
    "seller": 'Mill "The Wheel": Sons',
    "iban": "DE02 1203 0000 0000 2020 51",
    "first": {"what": "Rope", "price": "10.00"},
    "notes": ["paid, thanks", 'said "no":'],
    "lines": [{"what": "Sail", "price": None}, {"what": "Oar", "price": "7"}],
    "total": "17.00",
}
TEXT = SCHEMA.target(VALUES)
LEAVES = [(path, end) for path, (start, end) in spans(TEXT) if TEXT[start] not in "{["]


@pytest.mark.parametrize(("path", "end"), LEAVES)
def test_an_answer_is_cut_where_its_tokens_are(path: str, end: int) -> None:
    tokenizer = base_model.load_tokenizer(base_model.find(None))
    whole = prompt.encode(TEXT, tokenizer)

    cut = beginning(TEXT, end)
    tokens = prompt.encode(cut, tokenizer)

    assert len(cut) >= end
    assert cut == TEXT or len(cut) < len(TEXT)
    assert tokens == whole[: len(tokens)], "a model that writes the answer writes these tokens"


def test_right_behind_a_value_tokens_are_others() -> None:
    """What `beginning` is for: if this fails, the cut may be simpler."""
    tokenizer = base_model.load_tokenizer(base_model.find(None))
    whole = prompt.encode(TEXT, tokenizer)
    odd = [path for path, end in LEAVES
           if (cut := prompt.encode(TEXT[:end], tokenizer)) != whole[: len(cut)]]  # fmt: skip
    assert {"seller", "iban"} <= set(odd)
