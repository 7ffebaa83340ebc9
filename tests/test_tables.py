"""A row that stands below the totals is none of the table."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import BaseModel

from extractor import Extractor
from extractor.fields import Money, Verbatim
from extractor.testing import CannedEngine


class Line(BaseModel):
    what: Verbatim | None = None
    price: Money | None = None


class Bill(BaseModel):
    total: Money | None = None
    deposit: Money | None = None
    lines: list[Line] = []


TABLE = """Quill Harbour Ltd
Rope  10.00
Sail  90.00
{more}
"""


def answered(text: str, *rows: tuple[str, str], total: str | None = "100.00") -> tuple[list, list]:
    """Return the rows and the warnings of a bill for which the engine gives these rows."""
    answer = {"total": total, "deposit": None, "lines": [{"what": a, "price": b} for a, b in rows]}
    extraction = Extractor(Bill, engine=CannedEngine(answer)).extract(text)
    assert extraction.record is not None
    count = len(extraction.record.lines)
    told = {path.split(".")[0] for path in extraction.fields if path.startswith("lines")}
    assert told == {f"lines[{index}]" for index in range(count)}
    return extraction.values["lines"], [(one.field, one.code) for one in extraction.warnings]


ROPE, SAIL, NOTE = ("Rope", "10.00"), ("Sail", "90.00"), ("Note", "0.01")


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


def test_warnings_about_the_row_go_with_it() -> None:
    odd = ("Note", "soon")

    _, kept = answered(TABLE.format(more="Note  soon\nTotal  100.00"), ROPE, SAIL, odd)
    _, left = answered(TABLE.format(more="Total  100.00\nNote  soon"), ROPE, SAIL, odd)

    assert kept == [("lines[2].price", "unreadable")]
    assert left == [("lines", "row_outside")]
