"""Tables for other programs: typed cells, rows of their own, no live formula."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import openpyxl
import pyarrow.parquet
import pytest
from pydantic import BaseModel

from extractor import Extractor, batch, export
from extractor.errors import OutputError
from extractor.fields import IsoDate, Money, Verbatim
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
    assert "neither a PDF nor UTF-8 text" in records[2][place["error"]]
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


def test_parquet_holds_the_same_tables(files: list[str], tmp_path: Path) -> None:
    table = pyarrow.parquet.read_table(run(files, tmp_path / "records.parquet"))

    assert table.column("total").to_pylist() == ["1234.50", None]
    rows = pyarrow.parquet.read_table(tmp_path / "records.rows.parquet")
    assert rows.column("name").to_pylist() == ["@pen", "ink"]


def test_an_output_that_could_not_be_written_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="unknown format"):
        export.check(tmp_path / "records.doc")
    with pytest.raises(OutputError, match="is a folder"):
        (tmp_path / "x.csv").mkdir()
        export.check(tmp_path / "x.csv")
