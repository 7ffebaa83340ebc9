"""What usually holds of a row chooses between the numbers of its lines."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, Field, field_validator, model_validator

from extractor import Extractor
from extractor.engine.base import Output, Request
from extractor.fields import Money, Quantity, Verbatim
from extractor.schema import Schema
from extractor.testing import CannedEngine
from extractor.usual import usually
from extractor.windows import WindowConfig


class Line(BaseModel):
    what: Verbatim | None = None
    count: Quantity | None = None
    price: Money | None = None
    amount: Money | None = None

    @usually
    def amount_is_count_times_price(self) -> bool | None:
        if self.count is None or self.price is None or self.amount is None:
            return None
        return self.count * self.price == self.amount


class Bill(BaseModel):
    seller: Verbatim | None = None
    lines: list[Line] = []


TABLE = """Quill Harbour Ltd
What  Count  Price  VAT  Amount
Rope  4  10.00  19  40.00
Sail  3  90.00  19  270.00
Net  310.00
"""
Row = tuple[str | None, str | None, str | None, str | None]
ROPE: Row = ("Rope", "4", "10.00", "40.00")
SAIL: Row = ("Sail", "3", "90.00", "270.00")


class Unlikely(CannedEngine):
    """Finds answers that hold a text less likely by a number of nats."""

    def __init__(self, answer: dict[str, Any], text: str, less: float) -> None:
        super().__init__(answer)
        self.text, self.less = text, less

    def score(self, request: Request, answers: Sequence[str]) -> list[Output | None]:
        return [
            Output(one, (-self.less if self.text in one else 0.0,), (0,), False, 0, 0)
            for one in answers
        ]


def answer(*rows: Row) -> dict[str, Any]:
    keys = ("what", "count", "price", "amount")
    return {"lines": [dict(zip(keys, row, strict=True)) for row in rows]}


def read(engine: CannedEngine, text: str = TABLE) -> tuple[list[Any], list[tuple[str, str]]]:
    """Return the rows that are read, and the warnings."""
    extraction = Extractor(Bill, engine=engine).extract(text)
    rows = [
        tuple(None if value is None else str(value) for value in row.values())
        for row in extraction.values["lines"]
    ]
    return rows, [(one.field, one.code) for one in extraction.warnings]


@pytest.mark.parametrize(
    ("cell", "row"),
    [
        ("amount", ("Sail", "3", "90.00", "19")),
        ("price", ("Sail", "3", "19", "270.00")),
        ("count", ("Sail", "19", "90.00", "270.00")),
    ],
)
def test_a_cell_is_read_again_from_the_rows_own_line(cell: str, row: Row) -> None:
    rows, warnings = read(CannedEngine(answer(ROPE, row)))

    assert rows == [ROPE, SAIL]
    assert warnings == [(f"lines[1].{cell}", "chosen_by_check")]


def test_no_value_is_given_up_for_null() -> None:
    text = "Rope  10.00  10.00\nSail  90.00  90.00\nNet  100.00"
    lines: tuple[Row, ...] = (
        ("Rope", "100.00", "10.00", "10.00"),
        ("Sail", None, "90.00", "90.00"),
    )

    rows, warnings = read(CannedEngine(answer(*lines)), text)

    assert rows == list(lines)
    assert warnings == [("lines[0]", "unusual")]


def test_a_row_that_the_class_rejects_then_stays() -> None:
    class Summed(Bill):
        @model_validator(mode="after")
        def adds_up(self) -> Summed:
            if sum(line.amount or 0 for line in self.lines) != 76:
                raise ValueError("rows do not sum up")
            return self

    text = "Rope  4  10.00  40.00  10%  36.00\nSail  4  10.00  40.00\nNet  76.00"
    rows = (("Rope", "4", "10.00", "36.00"), ("Sail", "4", "10.00", "40.00"))

    extraction = Extractor(Summed, engine=CannedEngine(answer(*rows))).extract(text)

    assert str(extraction.values["lines"][0]["amount"]) == "36.00"
    assert [one.code for one in extraction.warnings] == ["unusual"]


def test_a_row_stays_where_the_record_would_be_unusual_then() -> None:
    class Summed(Bill):
        net: Money | None = None

        @usually
        def net_is_the_sum(self) -> bool | None:
            return (
                None if self.net is None else sum(one.amount or 0 for one in self.lines) == self.net
            )

    text = "Rope  4  10.00  40.00  10%  36.00\nSail  4  10.00  40.00\nNet  76.00"
    rows = (("Rope", "4", "10.00", "36.00"), ("Sail", "4", "10.00", "40.00"))

    extraction = Extractor(Summed, engine=CannedEngine({"net": "76.00"} | answer(*rows))).extract(
        text
    )

    assert str(extraction.values["lines"][0]["amount"]) == "36.00"


def test_the_next_likely_reading_is_taken_where_the_class_rejects_the_likeliest() -> None:
    class Few(Line):
        @model_validator(mode="after")
        def are_few(self) -> Few:
            if self.count is not None and self.count > 10:
                raise ValueError("too many")
            return self

    class Order(BaseModel):
        lines: list[Few] = []

    text = "Rope  4  10.00  20  200.00  40.00"
    engine = Unlikely(answer(("Rope", "4", "10.00", "200.00")), '"40.00"', 2.0)

    extraction = Extractor(Order, engine=engine).extract(f"{text}\n")

    assert str(extraction.values["lines"][0]["count"]) == "4"
    assert str(extraction.values["lines"][0]["amount"]) == "40.00"


def test_rows_of_long_documents_are_read_again_window_by_window() -> None:
    page = [f"Item{i}  2  {i}.00  19  {2 * i}.00" for i in range(30, 70)]

    def rows_of(text: str) -> dict[str, Any]:
        shown = [line.split() for line in text.split("\n") if line.startswith("Item")]
        return answer(*((what, count, price, "19") for what, count, price, _, _ in shown))

    windows = WindowConfig(window_tokens=60, overlap_tokens=10)
    reader = Extractor(Bill, engine=CannedEngine(rows_of), windows=windows)
    extraction = reader.extract("\n".join(page))

    assert extraction.usage["windows"] > 1
    assert [int(row["amount"]) for row in extraction.values["lines"]] == list(range(60, 140, 2))
    assert ("lines", "chosen_by_check") in {(one.field, one.code) for one in extraction.warnings}


def test_a_row_that_is_left_out_is_not_told_as_mended() -> None:
    class Totalled(Bill):
        net: Money | None = None

    note: Row = ("Note", "2", "3.00", "9.00")
    given = {"net": "310.00"} | answer(ROPE, SAIL, note)
    extraction = Extractor(Totalled, engine=CannedEngine(given)).extract(
        f"{TABLE}Note  2  3.00  9.00  6.00"
    )

    assert [row["what"] for row in extraction.values["lines"]] == ["Rope", "Sail"]
    assert [one.code for one in extraction.warnings] == ["row_outside"]


def test_all_tables_of_a_record_are_looked_at() -> None:
    class Two(BaseModel):
        one: list[Line] = []
        two: list[Line] = []

    wrong = ("amount", "19")
    first, *more = [{"what": f"Item{i}", "count": "2", "price": f"{i}.00"} for i in range(2, 16)]
    page = "\n".join(f"Item{i}  2  {i}.00  19  {2 * i}.00" for i in range(2, 16))
    given = {"one": [first | dict([wrong])], "two": [row | dict([wrong]) for row in more]}

    extraction = Extractor(Two, engine=CannedEngine(given)).extract(page)

    amounts = [int(row["amount"]) for row in (*extraction.values["one"], *extraction.values["two"])]
    assert amounts == [2 * i for i in range(2, 16)]
    changed = [one.field for one in extraction.warnings]
    assert changed[:2] == ["one[0].amount", "two[0].amount"]


def test_a_row_that_nothing_on_its_line_makes_hold_stays_and_is_told() -> None:
    text = TABLE.replace("270.00", "250.00")

    rows, warnings = read(CannedEngine(answer(ROPE, ("Sail", "3", "90.00", "250.00"))), text)

    assert rows == [ROPE, ("Sail", "3", "90.00", "250.00")]
    assert warnings == [("lines[1]", "unusual")]


@pytest.mark.parametrize(("less", "amount"), [(3.0, "270.00"), (20.0, "19")])
def test_the_model_has_to_find_the_other_reading_likely_enough(less: float, amount: str) -> None:
    rows, _ = read(Unlikely(answer(ROPE, ("Sail", "3", "90.00", "19")), "270.00", less))

    assert rows == [ROPE, ("Sail", "3", "90.00", amount)]


def test_numbers_of_other_rows_and_of_the_totals_are_not_tried() -> None:
    text = "Rope  4  10.00  19\nSail  3  90.00  19\nSum  40.00\nAll  270.00"

    rows, _ = read(
        CannedEngine(answer(("Rope", "4", "10.00", "19"), ("Sail", "3", "90.00", "19"))), text
    )

    assert rows == [("Rope", "4", "10.00", "19"), ("Sail", "3", "90.00", "19")]


def test_what_usually_holds_of_the_record_itself_chooses_too() -> None:
    class Order(BaseModel):
        count: Quantity | None = None
        price: Money | None = None
        amount: Money | None = None

        @usually
        def amount_is_count_times_price(self) -> bool | None:
            return Line.amount_is_count_times_price(self)  # type: ignore[arg-type]

    engine = CannedEngine({"count": "4", "price": "10.00", "amount": "19"})
    extraction = Extractor(Order, engine=engine).extract(
        "Count  4\nPrice  10.00\nVAT  19\nSum  40.00"
    )

    assert extraction.values["amount"] == Decimal("40.00")


def test_what_is_unusual_is_no_reason_to_be_rejected() -> None:
    class Order(BaseModel):
        count: Quantity | None = None
        price: Money | None = None
        amount: Money | None = None
        due: Money | None = None
        deposit: Money | None = None

        @usually
        def amount_is_count_times_price(self) -> bool | None:
            return Line.amount_is_count_times_price(self)  # type: ignore[arg-type]

        @model_validator(mode="after")
        def due_is_the_amount(self) -> Order:
            if self.due != self.amount:
                raise ValueError("due is not the amount")
            return self

        @field_validator("deposit")
        @classmethod
        def deposits_are_five(cls, value: Decimal | None) -> Decimal | None:
            if value is not None and value != 5:
                raise ValueError("deposits are 5")
            return value

    given = {"count": "4", "price": "10.00", "amount": "36.00", "due": "36.00", "deposit": "4"}
    text = "Count 4\nPrice 10.00\nList 40.00\nAmount 36.00\nDue 36.00\nDeposit 5.00\n"

    extraction = Extractor(Order, engine=CannedEngine(given)).extract(text)

    assert extraction.values["amount"] == extraction.values["due"]
    assert "rejected" not in {one.code for one in extraction.warnings}


def test_checks_whose_names_differ_in_a_number_are_two() -> None:
    class Taxes(BaseModel):
        low: Money | None = None
        high: Money | None = None

        @usually
        def rate_7(self) -> bool | None:
            return None if self.low is None else self.low == 7

        @usually
        def rate_19(self) -> bool | None:
            return None if self.high is None else self.high == 19

    engine = CannedEngine({"low": "1.00", "high": "2.00"})
    extraction = Extractor(Taxes, engine=engine).extract("1.00\n2.00\n7.00\n19.00\n")

    assert [str(value) for value in extraction.values.values()] == ["7.00", "19.00"]


def test_only_a_plain_method_can_be_marked() -> None:
    with pytest.raises(TypeError, match="marks a method"):
        usually(property(lambda self: None))  # type: ignore[type-var]


def test_a_list_that_may_be_null_is_null_to_a_check() -> None:
    class Open(BaseModel):
        lines: list[Line] | None = None

        @usually
        def has_lines(self) -> bool | None:
            return None if self.lines is None else bool(self.lines)

    assert Schema.of(Open).unusual({"lines": None}) == []
    assert [one.code for one in Schema.of(Open).unusual({"lines": []})] == ["unusual"]


def test_an_alias_may_be_the_name_of_another_field() -> None:
    class Swapped(BaseModel):
        total: Money | None = Field(None, alias="net")
        net: Money | None = Field(None, alias="gross")

        @usually
        def total_is_less(self) -> bool | None:
            return None if self.total is None or self.net is None else self.total < self.net

    values = {"net": Decimal(1), "gross": Decimal(2)}

    assert Schema.of(Swapped).unusual(values) == []
    assert [one.code for one in Schema.of(Swapped).unusual(values | {"net": Decimal(3)})] == [
        "unusual"
    ]


def test_a_check_that_raises_is_told_and_changes_nothing() -> None:
    class Rated(BaseModel):
        rate: Quantity | None = None
        lines: list[Line] = []

        @usually
        def rate_is_known(self) -> bool | None:
            return self.rate is None or {"19": True}[str(self.rate)]

    engine = CannedEngine({"rate": "16"} | answer(ROPE))
    extraction = Extractor(Rated, engine=engine).extract(f"VAT rate 16\nnot 19\n{TABLE}")

    assert str(extraction.values["rate"]) == "16"
    assert extraction.record is not None
    (warning,) = extraction.warnings
    assert warning.code == "check_failed"
    assert "KeyError" in warning.message


def test_a_class_that_cannot_be_built_for_a_check_is_told() -> None:
    class Posted(BaseModel):
        net: Money
        tax: Money

        def model_post_init(self, context: Any) -> None:
            self.__dict__["gross"] = self.net + self.tax

        @usually
        def net_is_more(self) -> bool | None:
            return None

    extraction = Extractor(Posted, engine=CannedEngine({"net": "10.00"})).extract("Net 10.00\n")

    assert extraction.missing == ("tax",)
    assert [one.code for one in extraction.warnings] == ["check_failed"]


def test_what_is_missing_is_none_to_a_check_whatever_the_class_requires() -> None:
    class Item(BaseModel):
        price: Money
        count: Quantity = Decimal(1)

    class Strict(BaseModel):
        price: Money
        items: list[Item] = []
        by_name: dict[str, Line] = {}

        @usually
        def prices_are_known(self) -> bool | None:
            return all(item.price is not None and item.count is not None for item in self.items)

    schema = Schema.of(Strict)
    broken = {"count": Decimal(2), "price": Decimal(2), "amount": Decimal(5)}

    assert schema.unusual({"items": None}) == []
    assert (
        schema.unusual({"price": Decimal(1), "items": [{"price": Decimal(1), "count": Decimal(1)}]})
        == []
    )
    assert [one.code for one in schema.unusual({"price": Decimal(1), "items": [{}]})] == ["unusual"]
    assert [one.field for one in schema.unusual({"by_name": {"a": broken}})] == ["by_name.a"]
    assert schema.unusual({"by_name": {"a": broken}}, rows=False) == []


def test_a_subclass_may_take_back_what_usually_holds() -> None:
    class Free(Line):
        def amount_is_count_times_price(self) -> bool | None:
            return None

    values = {"count": Decimal(2), "price": Decimal(2), "amount": Decimal(5)}

    assert [one.field for one in Schema.of(Line).unusual(values)] == [""]
    assert Schema.of(Free).unusual(values) == []
