"""A row that stands below the totals is none of the table."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, Field, model_validator

from extractor import Extractor
from extractor.fields import Money, Percent, Verbatim
from extractor.testing import CannedEngine


class Line(BaseModel):
    what: Verbatim | None = None
    price: Money | None = None


class Bill(BaseModel):
    total: Money | None = None
    deposit: Money | None = None
    rate: Percent | None = None
    weight: float | None = None
    discounts: list[Money] = []
    lines: list[Line] = []


TABLE = """Quill Harbour Ltd
Rope  10.00
Sail  90.00
{more}
"""


def answered(
    text: str, *rows: tuple[str, str], total: str | None = "100.00", **others: Any
) -> tuple[list[Any], list[tuple[str, str]]]:
    """Return the rows and the warnings of a bill for which the engine gives these values."""
    answer = {"total": total, "lines": [{"what": a, "price": b} for a, b in rows], **others}
    extraction = Extractor(Bill, engine=CannedEngine(answer)).extract(text)
    assert extraction.record is not None
    count = len(extraction.record.lines)
    told = {path.split(".")[0] for path in extraction.fields if path.startswith("lines")}
    assert told == {f"lines[{index}]" for index in range(count)}
    return extraction.values["lines"], [(one.field, one.code) for one in extraction.warnings]


ROPE, SAIL, NOTE = ("Rope", "10.00"), ("Sail", "90.00"), ("Note", "0.01")
NOTE_ROW = {"what": "Note", "price": "0.01"}


def test_a_last_row_below_a_total_is_left_out_and_told() -> None:
    text = TABLE.format(more="Total  100.00\nNote  0.01")

    rows, warnings = answered(text, ROPE, SAIL, NOTE)

    assert [row["what"] for row in rows] == ["Rope", "Sail"]
    assert warnings == [("lines", "row_outside")]


@pytest.mark.parametrize(
    ("more", "rows", "total"),
    [
        ("Note  0.01\nTotal  100.00", (ROPE, SAIL, NOTE), "100.00"),  # above the total
        ("Total  100.00\nNote  0.01\nPaint  7.00", (ROPE, SAIL, NOTE, ("Paint", "7.00")), "100.00"),
        ("Total  100.00\nNote  0.01", (NOTE,), "100.00"),  # the only row
        ("Total  100.00\nNote  0.01", (ROPE, SAIL, NOTE), None),  # nobody says what ends the table
        ("Anchor  7.00\nTotal  7.00", (ROPE, SAIL, ("Anchor", "7.00")), "7.00"),
    ],
)
def test_what_may_be_a_row_stays(
    more: str, rows: tuple[tuple[str, str], ...], total: str | None
) -> None:
    found, warnings = answered(TABLE.format(more=more), *rows, total=total)

    assert [(row["what"], row["price"]) for row in found] == [(a, Decimal(b)) for a, b in rows]
    assert "row_outside" not in {code for _, code in warnings}


@pytest.mark.parametrize(
    ("page", "others"),
    [
        ("Rope  10.00\nVAT 19 %\nSail  90.00\nVAT 19 %\nTotal  100.00", {"rate": "19"}),
        ("Rope  10.00\nCarried forward  100.00\nSail  90.00\nTotal  100.00", {}),
        ("Rope  10.00\nof it sold  40.00\nSail  90.00\nDeposit  40.00", {"deposit": "40.00"}),
        ("Rope  10.00\nDiscount  2.50\nSail  90.00\nTotal  85.00", {"discounts": ["2.50"]}),
        ("Rope  10.00\nPaid  8.00\nSail  90.00\nTotal  100.00", {"deposit": "8.00"}),
        ("Rope  10.00\nPaid  8.00\nSail  90.00    Total  100.00", {"deposit": "8.00"}),
        ("Rope  10.00\nPaid  8.00\nSail  90.00\nSum  7.5", {"deposit": "8.00", "weight": 7.5}),
        ("Rope  10.00\nTo come  90.00\nSail  90.00\nTo come  0", {"deposit": "90.00"}),
    ],
)
def test_what_stands_between_rows_does_not_end_a_table(page: str, others: dict[str, Any]) -> None:
    rows, _ = answered(page, ROPE, SAIL, **others)

    assert [row["what"] for row in rows] == ["Rope", "Sail"]


class Checked(Bill):
    lines: list[Line] = Field(default=[], min_length=2)

    @model_validator(mode="after")
    def lines_sum_up(self) -> Checked:
        if self.total != sum(line.price or 0 for line in self.lines):
            raise ValueError("lines do not sum up")
        return self


def test_the_class_checks_what_is_left() -> None:
    page = "Rope  10.00\nSail  90.00\nTotal  100.00\nDeposit for crates  20.00\nWith it  120.00"
    crates = {"what": "Deposit for crates", "price": "20.00"}
    lines = [{"what": "Rope", "price": "10.00"}, {"what": "Sail", "price": "90.00"}]
    engine = CannedEngine({"total": "100.00", "lines": [*lines, crates]})

    extraction = Extractor(Checked, engine=engine).extract(page)

    assert extraction.status == "complete"
    assert extraction.record is not None
    assert (extraction.record.total, len(extraction.record.lines)) == (Decimal("100.00"), 2)
    assert [one.code for one in extraction.warnings] == ["row_outside"]
    assert "Deposit for crates, 20.00" in extraction.warnings[0].message


def test_a_row_that_the_class_wants_stays() -> None:
    page = "Due  100.00\nRope  10.00\nSail  80.00\nSubtotal  90.00\nFreight  10.00"
    rows = [("Rope", "10.00"), ("Sail", "80.00"), ("Freight", "10.00")]
    lines = [{"what": what, "price": price} for what, price in rows]
    answer = {"total": "100.00", "deposit": "90.00", "lines": lines}

    kept = Extractor(Checked, engine=CannedEngine(answer)).extract(page)
    free = Extractor(Bill, engine=CannedEngine(answer)).extract(page)

    assert (kept.status, len(kept.values["lines"]), kept.warnings) == ("complete", 3, ())
    assert [one.code for one in free.warnings] == ["row_outside"]


def test_sets_and_odd_answers_have_no_last_row() -> None:
    class Frozen(BaseModel, frozen=True):
        what: Verbatim | None = None

    class Odd(BaseModel):
        total: Money | None = None
        lines: set[Frozen] = set()

    page = "Rope\nSail\nTotal  100.00\nZebra"
    lines = [{"what": what} for what in ("Zebra", "Rope", "Sail")]

    found = Extractor(Odd, engine=CannedEngine({"total": "100.00", "lines": lines})).extract(page)

    assert {row["what"] for row in found.values["lines"]} == {"Zebra", "Rope", "Sail"}


def test_a_list_keeps_as_many_rows_as_the_class_wants() -> None:
    answer = {"total": "10.00", "lines": [{"what": "Rope", "price": "10.00"}, NOTE_ROW]}

    kept = Extractor(Checked, engine=CannedEngine(answer)).extract(
        "Rope  10.00 each\nTotal  10.10\nNote  0.01"
    )

    assert len(kept.values["lines"]) == 2


def test_warnings_about_the_row_go_with_it() -> None:
    odd = ("Note", "soon")

    _, kept = answered(TABLE.format(more="Note  soon\nTotal  100.00"), ROPE, SAIL, odd)
    _, left = answered(TABLE.format(more="Total  100.00\nNote  soon"), ROPE, SAIL, odd)

    assert kept == [("lines[2].price", "unreadable")]
    assert left == [("lines", "row_outside")]
