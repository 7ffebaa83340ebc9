"""Tables for other programs: typed cells, rows of their own, no live formula."""

from __future__ import annotations

import csv
import json
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import openpyxl
import pyarrow.parquet
import pytest
from pydantic import BaseModel, Field

from extractor import Extractor, batch, export
from extractor.errors import OutputError
from extractor.fields import IsoDate, Money, Verbatim
from extractor.schema import Schema
from extractor.testing import CannedEngine


class Row(BaseModel):
    name: Verbatim | None = None
    price: Money | None = None


class Bill(BaseModel):
    seller: Verbatim | None = None
    issued: IsoDate | None = None
    total: Money | None = None
    rows: list[Row] = []


ANSWER = {
    "seller": "=HYPERLINK(1)",
    "issued": "17.05.2024",
    "total": "1.234,50",
    "rows": [{"name": "@pen", "price": "2,00"}, {"name": "ink", "price": None}],
}


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.pdf"
    good.write_text("=HYPERLINK(1)\n17.05.2024\n1.234,50\n@pen 2,00\nink")
    bad.write_bytes(b"nothing\xff")
    return [str(good), str(bad)]


def run(files: list[str], output: Path) -> Path:
    batch.run(files, Extractor(Bill, engine=CannedEngine(ANSWER)), output)
    return output


def test_xlsx_has_typed_cells_and_a_sheet_of_rows(files: list[str], tmp_path: Path) -> None:
    book = openpyxl.load_workbook(run(files, tmp_path / "records.xlsx"))

    records = list(book["records"].iter_rows(values_only=True))
    place = {name: index for index, name in enumerate(records[0])}
    assert records[1][place["total"]] == 1234.5
    assert records[1][place["issued"]].date() == date(2024, 5, 17)
    assert records[2][place["status"]] == "failed"
    assert "neither a PDF nor text" in records[2][place["error"]]
    assert [row[1:] for row in book["rows"].iter_rows(values_only=True)] == [
        ("row", "name", "price"), (1, "@pen", 2), (2, "ink", None),
    ]  # fmt: skip


def test_nothing_of_a_document_becomes_a_formula(files: list[str], tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(run(files, tmp_path / "records.xlsx"))["records"]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value == "=HYPERLINK(1)"]
    assert [cell.data_type for cell in cells] == ["s"]

    with run(files, tmp_path / "records.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert next(csv.DictReader(stream))["seller"] == "'=HYPERLINK(1)"
    rows = (tmp_path / "records.rows.csv").read_text(encoding="utf-8-sig")
    assert "'@pen" in rows


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"])
def test_text_that_a_spreadsheet_would_run_is_led_by_an_apostrophe(start: str) -> None:
    assert export.safe(f"{start}1") == f"'{start}1"
    assert export.safe(Decimal("-1.5")) == Decimal("-1.5")
    assert export.safe("a=1") == "a=1"


@pytest.mark.parametrize("text", ["a;=1+1", "a\t=1+1", 'a;"=1+1', "a;\t@x", "x;-1"])
def test_text_that_becomes_a_formula_where_it_is_cut_at_semicolons_is_led_too(text: str) -> None:
    cells = re.split("[;\t]", str(export.safe(text)))

    assert not any(cell.lstrip('"').startswith(("=", "+", "-", "@")) for cell in cells)
    assert export.safe("a; b - c") == "a; b - c"


def test_negative_numbers_stay_numbers(tmp_path: Path) -> None:
    schema = Schema.of(Numbers)
    rows = [line({"exact": "-12.50", "count": -3}, schema)]

    export.write(tmp_path / "out.csv", rows, schema)
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["exact"], row["count"]) == ("-12.50", "-3")
    export.write(tmp_path / "out.xlsx", rows, schema)
    cells = list(openpyxl.load_workbook(tmp_path / "out.xlsx")["records"])[1]
    assert [(cell.data_type, cell.value) for cell in cells[2:3]] == [("n", -12.5)]


def test_text_stays_text_when_somebody_edits_its_cell(files: list[str], tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(run(files, tmp_path / "records.xlsx"))["records"]

    quoted = {cell.value: cell.quotePrefix for row in sheet.iter_rows() for cell in row}
    assert quoted["=HYPERLINK(1)"]
    assert not quoted["complete"]


@pytest.mark.parametrize("suffix", export.SUFFIXES)
def test_lone_surrogates_never_stop_an_export(tmp_path: Path, suffix: str) -> None:
    schema = Schema.of(Bill)
    lone = line(ANSWER, schema)
    lone["values"] = {**lone["values"], "seller": "a\ud800b"}  # type: ignore[dict-item]

    (part, *_) = export.write(tmp_path / f"out{suffix}", [lone], schema)

    if suffix in (".jsonl", ".csv"):
        assert "a\\ud800b" in part.read_text(encoding="utf-8")


class Hostile(BaseModel):
    """A schema that another program may have written: its names go into headers and files."""

    status: Verbatim | None = None
    note: str | None = Field(default=None, alias="=1+1")
    rows: list[Row] = Field(default=[], alias="../rows")


def line(values: dict[str, object], schema: Schema[Any]) -> dict[str, object]:
    text = schema.dump(schema.normalise(values))
    return {
        "input": "a.pdf", "status": "incomplete", "values": json.loads(text), "error": None,
        "missing": ["note"], "warnings": [{"field": "status", "message": "odd", "code": "x"}],
    }  # fmt: skip


def test_names_of_the_schema_are_as_harmless_as_values(tmp_path: Path) -> None:
    schema = Schema.of(Hostile)
    lines = [line({"status": "paid", "../rows": [{"name": "pen"}]}, schema)]

    parts = export.write(tmp_path / "out.csv", lines, schema)
    assert [part.name for part in parts] == ["out.csv", "out..._rows.csv"]
    assert all(part.parent == tmp_path for part in parts)
    with parts[0].open(encoding="utf-8-sig", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert list(row) == [
        "input",
        "status_",
        "status",
        "'=1+1",
        "decision",
        "confidence",
        "review",
        "error",
    ]
    assert (row["status_"], row["status"]) == ("incomplete", "paid")
    assert row["review"] == "missing: note; status: odd"

    export.write(tmp_path / "out.xlsx", lines, schema)
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert book.sheetnames == ["records", ".._rows"]
    assert {cell.data_type for cell in book["records"][1]} == {"s"}


class Numbers(BaseModel):
    exact: Money | None = None
    day: date | None = None
    at: datetime | None = None
    count: int | None = None
    price: Decimal | None = None
    paid: bool | None = None


def test_what_a_sheet_would_change_stays_text(tmp_path: Path) -> None:
    schema = Schema.of(Numbers)
    values = {
        "exact": "12345678901234567.89", "day": "1899-12-31", "at": "2024-05-17T10:00:00+02:00",
        "count": 3, "price": "2.5", "paid": True,
    }  # fmt: skip
    export.write(tmp_path / "out.xlsx", [line(values, schema)], schema)

    row = list(openpyxl.load_workbook(tmp_path / "out.xlsx")["records"].values)[1]
    assert row[2:8] == (
        "12345678901234567.89", "1899-12-31", "2024-05-17T10:00:00+02:00", 3, 2.5, True,
    )  # fmt: skip


def test_columns_are_the_same_for_every_batch(tmp_path: Path) -> None:
    schema = Schema.of(Bill)
    for name, lines in {"none": [], "some": [line(ANSWER, schema)]}.items():
        for part in export.write(tmp_path / f"{name}.csv", lines, schema):
            header = part.read_text(encoding="utf-8-sig").splitlines()[0]
            rows = "rows" in part.name
            assert header == (
                "input,row,name,price" if rows
                else "input,status,seller,issued,total,decision,confidence,review,error"
            )  # fmt: skip


def test_text_longer_than_a_cell_is_cut_and_says_so(tmp_path: Path) -> None:
    schema = Schema.of(Bill)
    long = line(ANSWER, schema) | {"input": "x\x01" * 40_000}
    export.write(tmp_path / "out.xlsx", [long], schema)

    cell = openpyxl.load_workbook(tmp_path / "out.xlsx")["records"]["A2"].value
    assert (len(cell), cell[-6:]) == (32_767, " [cut]")
    assert "\x01" not in cell


def test_parquet_holds_the_same_tables(files: list[str], tmp_path: Path) -> None:
    table = pyarrow.parquet.read_table(run(files, tmp_path / "records.parquet"))

    assert table.column("total").to_pylist() == [Decimal("1234.50"), None]
    assert table.column("issued").to_pylist() == [date(2024, 5, 17), None]
    rows = pyarrow.parquet.read_table(tmp_path / "records.rows.parquet")
    assert rows.column("name").to_pylist() == ["@pen", "ink"]


class Plain(BaseModel):
    count: Annotated[int, Field(ge=0)] | None = None
    share: float | None = None
    price: Annotated[Decimal, Field(max_digits=8, decimal_places=2)] | None = None
    day: date | None = None
    paid: bool | None = None
    level: Literal[1, 2] | None = None
    name: str | None = None
    at: datetime | None = None
    rows: list[int] = []


def test_parquet_columns_have_the_type_of_the_schema_also_where_all_is_null(
    tmp_path: Path,
) -> None:
    schema = Schema.of(Plain)
    full = {"count": 3, "share": 0.5, "price": "2.50", "day": "2024-05-17", "paid": True,
            "level": 2, "name": "x", "at": "2024-05-17T10:00:00", "rows": [1]}  # fmt: skip
    types = []
    for name, values in {"none": {}, "full": full}.items():
        export.write(tmp_path / f"{name}.parquet", [line(values, schema)], schema)
        types.append(pyarrow.parquet.read_schema(tmp_path / f"{name}.parquet"))

    assert types[0].equals(types[1])
    assert [str(kind) for kind in types[0].types][2:-4] == [
        "int64", "double", "decimal128(38, 2)", "date32[day]", "bool", "int64",
        "string", "string", "string",
    ]  # fmt: skip


def test_an_output_that_could_not_be_written_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="unknown format"):
        export.check(tmp_path / "records.doc")
    with pytest.raises(OutputError, match="is a folder"):
        (tmp_path / "x.csv").mkdir()
        export.check(tmp_path / "x.csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is not a folder"):
        export.check(tmp_path / "file" / "deep" / "x.csv")
    export.check(tmp_path / "new" / "folders" / "x.csv")
