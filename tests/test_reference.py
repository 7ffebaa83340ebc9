"""Known parties: what they fill, what they only tell, and what they never touch."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import Workbook
from pydantic import BaseModel

from extractor import Extraction, Extractor
from extractor import reference as references
from extractor.errors import ReferenceDataError
from extractor.fields import Iban, Money, VatId, Verbatim
from extractor.schema import Schema
from extractor.testing import CannedEngine

TABLE = """seller name;Seller-VAT-ID;IBAN;remark
Mill & Sons Ltd;GB 123 4567 82;GB82 WEST 1234 5698 7654 32;x
Müller GmbH;DE136695976;DE89370400440532013000;
Bakery Ost;;AT611904300234573201;
Bakery Ost;DE811569869;;
Copperfield and Partners Ltd;GB999999973;not one;
"""
IBAN = "DE89 3704 0044 0532 0130 00"


class Bill(BaseModel):
    seller_name: Verbatim | None = None
    seller_vat_id: VatId | None = None
    iban: Iban | None = None
    total: Money | None = None


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "vendors.csv"
    file.write_text(TABLE, encoding="utf-8-sig")
    return file


def read(table: Path, text: str, **printed: str) -> Extraction[Bill]:
    return Extractor(Bill, engine=CannedEngine(printed), reference=table).extract(f"{text}\n")


def codes(found: Extraction[Bill]) -> set[tuple[str, str]]:
    return {(warning.field, warning.code) for warning in found.warnings}


def test_what_is_not_found_is_taken_from_the_party_and_marked(table: Path) -> None:
    found = read(table, f"Muller\nIBAN {IBAN}\nTotal 5.00", iban=IBAN, total="5.00")

    assert found.values["seller_vat_id"] == "DE136695976"
    assert found.fields["seller_vat_id"].evidence.status == "reference"
    assert found.fields["seller_vat_id"].evidence.page is None, "the document does not show it"
    assert found.fields["seller_vat_id"].probability is None
    assert codes(found) == {("seller_name", "reference"), ("seller_vat_id", "reference")}
    assert found.record is not None and found.record.seller_name == "Müller GmbH"
    assert found.fields["iban"].evidence.status == "verified"
    assert found.values["total"] is not None


def test_the_identifier_of_another_party_on_the_page_fills_nothing(table: Path) -> None:
    text = "From Unbekannt AG\nTo M\u00fcller GmbH, VAT DE136695976\nTotal 5.00"
    found = read(table, text, seller_name="Unbekannt AG", total="5.00")

    assert found.values["seller_vat_id"] is None
    assert found.values["iban"] is None
    assert codes(found) == set()


def test_a_row_that_differs_fills_nothing(table: Path) -> None:
    other = "GB33BUKB20201555555555"
    text = f"M\u00fcller GmbH\nIBAN {other}"
    found = read(table, text, iban=other, seller_name="M\u00fcller GmbH")

    assert found.values["seller_vat_id"] is None
    assert codes(found) == {("iban", "reference_differs")}


def test_cells_of_several_lines_and_damaged_sheets(tmp_path: Path) -> None:
    wide = tmp_path / "wide.csv"
    wide.write_text('seller_name,iban\n"M\u00fcller\nGmbH",DE89370400440532013000\n', "utf-8")
    rows = references.read(wide, Schema.of(Bill)).rows
    assert rows == ({"seller_name": "M\u00fcller\nGmbH", "iban": "DE89370400440532013000"},)

    whole = tmp_path / "whole.xlsx"
    book = Workbook()
    book.active.append(["seller_name", "iban"])
    book.save(whole)
    broken = tmp_path / "broken.xlsx"
    with ZipFile(whole) as old, ZipFile(broken, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data[: len(data) // 2] if "sheet1" in name else data)
    with pytest.raises(ReferenceDataError, match="cannot be read"):
        references.read(broken, Schema.of(Bill))


def test_what_is_printed_is_kept_and_the_difference_told(table: Path) -> None:
    other = "GB33BUKB20201555555555"
    text = f"Müller GmbH\nVAT DE136695976\nIBAN {other}"
    found = read(table, text, seller_vat_id="DE136695976", iban=other, seller_name="Müller GmbH")

    assert found.values["iban"] == other
    assert found.fields["iban"].evidence.status == "verified"
    assert codes(found) == {("iban", "reference_differs")}


def test_a_printed_identifier_finds_the_party_where_none_was_read(table: Path) -> None:
    found = read(table, f"please pay to {IBAN.replace(' ', '')} soon")

    assert found.values["iban"] == IBAN.replace(" ", "")
    assert found.fields["iban"].evidence.status == "reference"
    assert found.fields["iban"].evidence.text == IBAN.replace(" ", ""), "it stands there too"


@pytest.mark.parametrize(
    ("name", "vat_id"),
    [
        ("Copperfield and Partners Ltd.", "GB999999973"),
        ("Coperfield and Partners Ltd", "GB999999973"),
        ("Copper Works", None),
        ("Mill Ltd", None),
    ],
)
def test_a_name_finds_the_party_if_it_is_nearly_the_same(
    table: Path, name: str, vat_id: str | None
) -> None:
    found = read(table, f"{name}\ntotal 1.00", seller_name=name)

    assert found.values["seller_vat_id"] == vat_id
    assert found.values["seller_name"] == name


def test_rows_that_contradict_each_other_fill_nothing(table: Path) -> None:
    both = read(table, f"DE811569869 {IBAN}", seller_vat_id="DE811569869", iban=IBAN)
    assert codes(both) == {("", "reference_ambiguous")}
    assert both.values["seller_name"] is None
    twins = read(table, "Bakery Ost", seller_name="Bakery Ost")
    assert codes(twins) == {("", "reference_ambiguous")}
    assert twins.values["seller_vat_id"] is None


def test_a_wrong_table_changes_no_printed_value(tmp_path: Path) -> None:
    """Whatever the table says, values that were read stay as they were read."""
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(
        "seller_name,seller_vat_id,iban\nMüller GmbH,GB123456782,AT611904300234573201\n"
    )
    printed = {"seller_name": "Müller GmbH", "seller_vat_id": "DE136695976", "iban": IBAN}
    text = "\n".join(printed.values())
    plain = Extractor(Bill, engine=CannedEngine(printed)).extract(text)
    found = read(wrong, text, **printed)

    assert found.values == plain.values
    assert {name: one.evidence for name, one in found.fields.items()} == {
        name: one.evidence for name, one in plain.fields.items()
    }
    assert codes(found) == {("seller_vat_id", "reference_differs"), ("iban", "reference_differs")}


def vendors(folder: Path, header: str, *rows: str) -> Path:
    file = folder / f"{len(list(folder.iterdir()))}.csv"
    file.write_text("\n".join([header, *rows]), encoding="utf-8")
    return file


def test_nothing_is_filled_where_another_iban_is_printed_and_was_missed(tmp_path: Path) -> None:
    printed = "GB33BUKB20201555555555"
    text = f"Mill Ltd\nIBAN {printed}\nTotal 5.00"
    header = "seller_name,seller_vat_id,iban"
    wrong = vendors(tmp_path, header, "Mill Ltd,GB123456782,AT611904300234573201")
    right = vendors(tmp_path, header, f"Mill Ltd,GB123456782,{printed}")

    found = read(wrong, text, seller_name="Mill Ltd")

    assert (found.values["iban"], found.values["seller_vat_id"]) == (None, None)
    assert codes(found) == {("iban", "reference_differs")}
    assert read(right, text, seller_name="Mill Ltd").values["iban"] == printed


def test_a_tax_number_that_may_be_meant_leaves_its_field_empty(tmp_path: Path) -> None:
    text = "Mill Ltd\nYour VAT DE136695976\nTotal 5.00"
    header = "seller_name,seller_vat_id,iban"
    file = vendors(tmp_path, header, "Mill Ltd,DE811569869,AT611904300234573201")

    found = read(file, text, seller_name="Mill Ltd")

    assert found.values["seller_vat_id"] is None
    assert found.values["iban"] == "AT611904300234573201"
    assert codes(found) == {("seller_vat_id", "reference_unsure"), ("iban", "reference")}


def test_the_beginning_of_an_iban_is_no_tax_number(tmp_path: Path) -> None:
    file = vendors(tmp_path, "seller_name,seller_vat_id", "Mill NV,BE0202239951")
    text = "Mill NV\nIBAN BE68 5390 0754 7034\nTotal 5.00"

    found = read(file, text, seller_name="Mill NV", iban="BE68 5390 0754 7034")

    assert found.values["seller_vat_id"] == "BE0202239951"
    assert codes(found) == {("seller_vat_id", "reference")}


def test_an_identifier_that_was_read_as_another_field_hinders_nothing(table: Path) -> None:
    class Party(BaseModel):
        vat_id: VatId | None = None

    class Both(Bill):
        buyer: Party | None = None

    text = "M\u00fcller GmbH\nTo VAT DE811569869"
    engine = CannedEngine({"seller_name": "M\u00fcller GmbH", "buyer": {"vat_id": "DE811569869"}})

    found = Extractor(Both, engine=engine, reference=table).extract(text)

    assert found.values["seller_vat_id"] == "DE136695976"


def test_a_sheet_is_read_as_a_csv_is(table: Path, tmp_path: Path) -> None:
    book = Workbook()
    for line in TABLE.splitlines():
        book.active.append(line.split(";"))
    book.save(tmp_path / "vendors.xlsx")
    schema = Schema.of(Bill)
    csv, xlsx = (references.read(file, schema) for file in (table, tmp_path / "vendors.xlsx"))

    assert csv.rows == xlsx.rows
    assert len(csv.rows) == 5
    assert csv.rows[1]["iban"] == "DE89370400440532013000"
    assert csv.fields.keys() == {"seller_name", "seller_vat_id", "iban"}


def test_a_table_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    file = tmp_path / "odd.csv"
    for data, message in (
        (b"company,city\nA,B\n", "no column is a field of Bill"),
        (b"", "no column is a field of Bill"),
        (b"seller_name\nM\xfcller\n", "cannot be read"),
    ):
        file.write_bytes(data)
        with pytest.raises(ReferenceDataError, match=message):
            references.read(file, Schema.of(Bill))
    sheet = tmp_path / "odd.xlsx"
    sheet.write_bytes(b"no sheet")
    for missing in (sheet, tmp_path / "none.csv"):
        with pytest.raises(ReferenceDataError, match="cannot be read"):
            references.read(missing, Schema.of(Bill))


def test_another_table_is_another_identity(table: Path) -> None:
    engine = CannedEngine({})
    before = Extractor(Bill, engine=engine, reference=table).identity
    table.write_text(TABLE + "Other;;;\n")

    assert before != Extractor(Bill, engine=engine, reference=table).identity
