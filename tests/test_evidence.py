"""Values of every type are found where the document prints them."""

from __future__ import annotations

import time
from decimal import Decimal
from enum import Enum
from typing import Any
from unicodedata import normalize
from uuid import UUID

import pytest
from pydantic import AnyUrl, BaseModel

from extractor.document import Document
from extractor.evidence import Evidence, locate, occurrences
from extractor.fields import FieldType, Locale, MoneyType, VerbatimType
from extractor.schema import LeafNode, Schema


class Kind(Enum):
    INVOICE = "invoice"


class Rate(Enum):
    FULL = 19.5


class Plain(BaseModel):
    total: float
    price: Decimal
    count: int
    kind: Kind
    rate: Rate
    key: UUID
    site: AnyUrl


def kind_of(field: str) -> FieldType:
    node = dict(Schema.of(Plain).root.keys)[field]
    assert isinstance(node, LeafNode)
    return node.type


def found(text: str, kind: FieldType, value: Any) -> Evidence:
    return locate(Document.from_text(text), kind, value, locale=Locale.of(text))


@pytest.mark.parametrize(
    ("field", "value", "print_"),
    [
        ("total", 12.1, "12.10"),
        ("price", Decimal("12.1"), "12.10"),
        ("count", 12, "12"),
        ("kind", Kind.INVOICE, "INVOICE"),
        ("rate", Rate.FULL, "19.50"),
        ("key", UUID("12345678-1234-5678-1234-567812345678"),
         "12345678-1234-5678-1234-567812345678"),
        ("site", AnyUrl("https://example.com"), "https://example.com"),
    ],
)  # fmt: skip
def test_a_plain_value_is_found_as_it_is_printed(field: str, value: Any, print_: str) -> None:
    evidence = found(f"here is {print_} at last", kind_of(field), value)

    assert (evidence.status, evidence.text) == ("verified", print_)


def test_a_float_that_is_not_printed_is_not_found() -> None:
    assert found("here is 12.11", kind_of("total"), 12.1).status == "not_found"


@pytest.mark.parametrize(
    "name",
    [
        "Cafe\u0301 Dupre\u0301",
        "\uff76\uff9e\uff8f\uff9e\uff9d \uff8a\uff9f\uff8b\uff9f",
        "\u1112\u1161\u11ab\u1100\u1173\u11af",
    ],
)
def test_a_verbatim_copy_of_composed_characters_is_verified_to_its_last_mark(name: str) -> None:
    evidence = found(f"from {name} to", VerbatimType(), name)

    # Documents are composed when they are read.
    assert (evidence.status, evidence.text) == ("verified", normalize("NFC", name))


def test_marks_of_the_value_do_not_count_where_the_document_is_composed() -> None:
    evidence = found("from Café Dupré to", VerbatimType(), "Cafe\u0301 Dupre\u0301")

    assert (evidence.status, evidence.text) == ("verified", "Café Dupré")


def test_places_with_the_very_same_letters_come_first() -> None:
    text = "ACME Ltd and Acme Ltd"

    spans = occurrences(text, VerbatimType(), "Acme Ltd", Locale())

    assert spans == [(13, 21), (0, 8)]


def test_many_places_take_no_square_of_time() -> None:
    text = "Pen pen " * 20_000
    started_s = time.process_time()

    assert len(occurrences(text, VerbatimType(), "pen", Locale())) == 40_000
    assert time.process_time() - started_s < 5


def test_earlier_documents_are_not_kept_in_memory() -> None:
    import gc
    import tracemalloc

    def search(number: int) -> None:
        text = f"{number} pen 12.50\n" * 500
        occurrences(text, MoneyType(), Decimal("12.50"), Locale())
        occurrences(text, VerbatimType(), "pen", Locale())

    search(0)
    search(1)
    tracemalloc.start()
    try:
        for number in range(2, 5):
            search(number)
        gc.collect()
        three = tracemalloc.get_traced_memory()[0]
        for number in range(5, 9):
            search(number)
        gc.collect()
        seven = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert seven < 1.3 * three
