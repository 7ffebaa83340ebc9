"""Labels in and out: e-invoices as labels, other tools' formats, and the same labels back."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from pydantic import BaseModel

from extractor import cli
from extractor.errors import CorpusError, OutputError
from extractor.fields import Currency, Identifier, IsoDate, Money, Quantity, Verbatim
from extractor.schema import Schema
from schemas.invoice import Invoice
from schemas.receipt import Receipt
from tests.einvoices import PRINTED, cii, pdf
from training import corpus, einvoices, exporters, importers

INVOICE = Schema.of(Invoice)


class Party(BaseModel):
    name: Verbatim | None = None
    phone: str | None = None


class Row(BaseModel):
    description: Verbatim | None = None
    quantity: Quantity | None = None
    amount: Money | None = None


class Order(BaseModel):
    number: Identifier | None = None
    ordered_on: IsoDate | None = None
    currency: Currency | None = None
    express: bool | None = None
    seller: Party | None = None
    tags: list[str] = []
    rows: list[Row] = []


ORDER = Schema.of(Order)
TEXT = """=Mill & Sons GmbH   Rechnung
Order A-17 of 03.04.2024
Widget   3   1.250,00
Bolt   10   -2,50
Sum 1.247,50 €
"""
LABEL = {
    "number": "A-17",
    "ordered_on": "2024-04-03",
    "currency": "EUR",
    "express": True,
    "seller": {"name": "=Mill & Sons GmbH", "phone": "'t 12"},
    "tags": ["new; urgent", "b"],
    "rows": [
        {"description": "Widget", "quantity": "3", "amount": "1250.00"},
        {"description": "Bolt", "quantity": None, "amount": "-2.50"},
        {"description": None, "quantity": "10", "amount": None},
    ],
}


def labelled_folder(folder: Path, *rows: dict[str, Any]) -> tuple[corpus.LabelledDocument, ...]:
    folder.mkdir()
    (folder / "bill.pdf").write_bytes(pdf(None))
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / corpus.LABELS).write_text(text, encoding="utf-8")
    read = corpus.read(folder)
    assert () == read.problems
    return read.documents


def same(schema: Any, label: corpus.LabelledDocument) -> tuple[Any, ...]:
    """What a label says: the canonical values, what is not known, and where it belongs."""
    known = {k: v for k, v in label.fields.items() if k not in label.unverified}
    canonical = json.loads(schema.dump(schema.normalise(known)))
    absent = {name for name in schema.field_names if name not in known}
    stated = {name: canonical[name] or None for name in known}  # no list is an empty one
    return label.id, stated, label.unverified | absent, label.split, label.group


# ---------------------------------------------------------------- round trips


@pytest.mark.parametrize("form", importers.FORMATS)
def test_an_export_imports_as_the_same_labels(form: str, tmp_path: Path) -> None:
    documents = labelled_folder(
        tmp_path / "corpus",
        {"id": "one", "text": TEXT, "fields": LABEL, "unverified": ["rows[1].quantity"],
         "split": "train", "group": "mill"},
        {"id": "two", "text": "Order B-18\nnothing else", "fields": {"number": "B-18",
         "ordered_on": None, "express": None, "rows": []}, "unverified": ["express"]},
        {"id": "three", "document": "bill.pdf", "fields": {
            "number": "R-2024-17", "ordered_on": "2024-05-17", "currency": "EUR",
            "seller": {"name": "MUSTER Werke GmbH", "phone": None}, "tags": None}},
    )  # fmt: skip
    out = tmp_path / "out"

    assert [] == exporters.write(form, documents, ORDER, out)
    file = next(
        (out / name for name in ("labels.json", "labels.jsonl", "labels.csv", "labels.xlsx")
         if (out / name).exists()),
        out,
    )  # fmt: skip
    imported = importers.read(form, file, ORDER)
    again = tmp_path / "again"
    corpus.write(imported.documents, again)
    read = corpus.read(again)

    assert ([], {}) == (imported.problems, dict(imported.unknown))
    assert () == read.problems
    assert [same(ORDER, document) for document in documents] == [
        same(ORDER, document) for document in read.documents
    ]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_tables_hold_no_live_formula(form: str, tmp_path: Path) -> None:
    documents = labelled_folder(tmp_path / "corpus", {"id": "=1+1", "text": TEXT, "fields": LABEL})
    exporters.write(form, documents, ORDER, tmp_path / "out")

    if form == "csv":
        with (tmp_path / "out/labels.csv").open(encoding="utf-8-sig", newline="") as stream:
            cells = [cell for row in csv.reader(stream) for cell in row]
        assert [] == [cell for cell in cells if cell[:1] in ("=", "+", "@")]
    else:
        sheet = load_workbook(tmp_path / "out/labels.xlsx").worksheets[0]
        assert {"s"} == {cell.data_type for row in sheet for cell in row if cell.value}


def test_an_export_never_writes_into_a_folder_that_is_used(tmp_path: Path) -> None:
    documents = labelled_folder(tmp_path / "corpus", {"id": "a", "text": TEXT, "fields": LABEL})

    with pytest.raises(OutputError):
        exporters.write("csv", documents, ORDER, tmp_path / "corpus")


# ---------------------------------------------------------------- as the tools write


def write_json(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def span(text: str, name: str, **more: Any) -> dict[str, Any]:
    start = TEXT.index(text)
    value = {"start": start, "end": start + len(text), "text": text, "labels": [name]}
    return {"from_name": "label", "to_name": "text", "type": "labels", "value": value, **more}


def test_label_studio_spans_boxes_choices_and_typed_text(tmp_path: Path) -> None:
    box = {"x": 1, "y": 2, "width": 3, "height": 4}
    result = [
        # Drawn in another order than that of the text, which tells the rows.
        span("Bolt", "rows.description"), span("-2,50", "rows.amount"),
        span("Widget", "rows.description"), span("1.250,00", "rows.amount"),
        span("A-17", "Number"), span("Sum", "colour"), span("Order", "tags"), span("of", "tags"),
        {"id": "b1", "type": "rectanglelabels", "from_name": "box", "to_name": "image",
         "value": {**box, "rectanglelabels": ["ordered_on"]}},
        {"id": "b1", "type": "textarea", "from_name": "transcription", "to_name": "image",
         "value": {**box, "text": ["03.04.2024"]}},
        {"id": "b2", "type": "rectanglelabels", "from_name": "box", "to_name": "image",
         "value": {**box, "rectanglelabels": ["seller.name"]}},
        {"id": "c1", "type": "choices", "from_name": "currency", "to_name": "text",
         "value": {"choices": ["EUR"]}},
    ]  # fmt: skip
    tasks = [
        {"id": 7, "data": {"text": TEXT}, "annotations": [
            {"was_cancelled": True, "result": []}, {"result": result}]},
        {"id": 8, "data": {"text": TEXT}, "annotations": []},
    ]  # fmt: skip
    found = importers.read("label-studio", write_json(tmp_path / "x.json", tasks), ORDER)

    [document] = found.documents
    assert {
        "number": "A-17", "ordered_on": "2024-04-03", "currency": "EUR", "tags": ["Order", "of"],
        "rows": [{"description": "Widget", "quantity": None, "amount": "1250.00"},
                 {"description": "Bolt", "quantity": None, "amount": "-2.50"}],
    } == document.fields  # fmt: skip
    assert {"express", "seller"} == document.unverified
    assert ("express", "seller") == found.unlabelled
    assert {"colour": 1} == dict(found.unknown)
    assert [("7", "a region seller.name without a text is left out"), ("8", "no annotation")] == [
        (problem.document, problem.message) for problem in found.problems
    ]


def test_label_studio_min(tmp_path: Path) -> None:
    rows = [
        {"id": 3, "text": TEXT, "annotator": 1, "lead_time": 2.5, "currency": "EUR",
         "label": [{"start": 0, "end": 4, "text": "A-17", "labels": ["number"]}]},
        {"id": 4, "text": TEXT, "label": [], "shade": "blue"},
    ]  # fmt: skip
    found = importers.read("label-studio-min", write_json(tmp_path / "x.json", rows), ORDER)

    assert ["A-17", None] == [document.fields["number"] for document in found.documents]
    assert ["EUR", None] == [document.fields["currency"] for document in found.documents]
    assert {"shade": 1} == dict(found.unknown)


def test_doccano_spans_and_entities(tmp_path: Path) -> None:
    at = TEXT.index("A-17")
    date = TEXT.index("03.04.2024")
    path = tmp_path / "all.jsonl"
    path.write_text(
        json.dumps({"id": 1, "text": TEXT, "label": [[at, at + 4, "NUMBER"]]}) + "\n"
        + json.dumps({"id": 2, "text": TEXT, "relations": [], "entities": [
            {"id": 5, "label": "ordered_on", "start_offset": date, "end_offset": date + 10}]})
    )  # fmt: skip
    found = importers.read("doccano", path, ORDER)

    assert ["A-17", None] == [document.fields["number"] for document in found.documents]
    assert [None, "2024-04-03"] == [document.fields["ordered_on"] for document in found.documents]


def test_donut_and_what_its_parse_names_beyond_the_schema(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf(None))
    parse = {"number": "A1", "seller": {"name": "Mill", "fax": "1"}, "rows": [{"cnt": "1"}]}
    rows = [
        {"file_name": "a.pdf", "ground_truth": json.dumps({"gt_parse": parse})},
        {"file_name": "gone.pdf", "ground_truth": json.dumps({"gt_parse": parse})},
    ]
    text = "\n".join(map(json.dumps, rows))
    (tmp_path / "metadata.jsonl").write_text(text)
    found = importers.read("donut", tmp_path, ORDER)

    assert ["a.pdf"] == [document.id for document in found.documents]
    assert {"name": "Mill", "phone": None} == found.documents[0].fields["seller"]
    assert {"seller.fax": 1, "rows[].cnt": 1} == dict(found.unknown)
    assert ["neither its text nor its file is there: gone.pdf"] == [
        problem.message for problem in found.problems
    ]


def test_sroie_boxes_become_lines(tmp_path: Path) -> None:
    for folder in ("box", "key"):
        (tmp_path / folder).mkdir()
    (tmp_path / "box/000.txt").write_text(
        "10,50,90,50,90,70,10,70,TOTAL, RM:\n10,10,90,10,90,30,10,30,BOOK SHOP\n"
        "200,52,240,52,240,71,200,71,9.00\n"
    )
    write_json(tmp_path / "key/000.json", {"company": "BOOK SHOP", "total": "9.00"})
    [document] = importers.read("sroie", tmp_path, Schema.of(Receipt)).documents

    assert "BOOK SHOP\nTOTAL, RM:  9.00" == document.given_text
    assert ("BOOK SHOP", "9.00") == (document.fields["company"], document.fields["total"])


def test_a_table_of_a_spreadsheet_with_a_second_sheet(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf(None))
    book = Workbook()
    head = book.active
    head.append(["file", "number", "ordered_on", "seller.name", "colour"])
    head.append(["a.pdf", 17, "03.04.2024", None, "blue"])
    rows = book.create_sheet("rows")
    rows.append(["file", "description", "amount"])
    rows.append(["a.pdf", "Widget", 12.5])
    rows.append(["a.pdf", "Bolt", "no amount"])
    rows.append(["b.pdf", "Nut", 1])
    book.save(tmp_path / "labels.xlsx")
    found = importers.read("xlsx", tmp_path / "labels.xlsx", ORDER)

    [document] = found.documents
    assert ("17", None) == (document.fields["number"], document.fields["seller"])
    assert "rows" in document.unverified, "a row that cannot be read leaves the list unknown"
    assert {"colour": 1} == dict(found.unknown)
    assert {"a.pdf", "b.pdf"} == {problem.document for problem in found.problems}


@pytest.mark.parametrize("form", importers.FORMATS)
def test_a_file_of_another_form_is_told(form: str, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("]")

    with pytest.raises(CorpusError, match=r"x\.txt"):
        importers.read(form, tmp_path / "x.txt", ORDER)


def test_a_document_outside_the_folder_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/labels.csv").write_text("file,number\n../secret.txt,1\n")

    with pytest.raises(CorpusError, match="no labelled document"):
        importers.read("csv", tmp_path / "in/labels.csv", ORDER)


# ---------------------------------------------------------------- e-invoices as labels


def test_e_invoices_become_labels_of_what_their_page_shows(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    (inbox / "more").mkdir(parents=True)
    (inbox / "a.pdf").write_bytes(pdf(cii()))
    (inbox / "more/a.pdf").write_bytes(pdf(cii(number="OTHER-9", gross="120.00")))
    (inbox / "again.pdf").write_bytes((inbox / "a.pdf").read_bytes())
    (inbox / "plain.pdf").write_bytes(pdf(None))
    (inbox / "hostile.pdf").write_bytes(pdf(cii(head="<!DOCTYPE r>")))
    (inbox / "scan.pdf").write_bytes(pdf(cii(), printed=()))
    harvest = einvoices.collect(inbox, INVOICE, tmp_path / "corpus")
    read = corpus.read(tmp_path / "corpus")

    assert () == read.problems
    first, second = read.documents
    assert [PRINTED[0], "2024-05-17", "119.60"] == [
        first.fields[name] for name in ("seller_name", "issue_date", "gross_total")
    ]
    assert Decimal(3) == Decimal(first.fields["line_items"][0]["quantity"])
    assert {"due_date"} == first.unverified, "the XML leaves it out, the page may show one"
    assert {"due_date", "invoice_number", "gross_total"} == second.unverified
    assert second.fields["gross_total"] is None
    assert (2, 0) == (harvest.kept["seller_name"], harvest.unverified["seller_name"])
    assert (1, 1) == (harvest.kept["gross_total"], harvest.unverified["gross_total"])
    assert ["again.pdf", "hostile.pdf", "plain.pdf", "scan.pdf"] == sorted(
        problem.document for problem in harvest.problems
    )


def test_a_folder_without_e_invoices_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf(None))

    with pytest.raises(CorpusError, match="none of 1 PDFs"):
        einvoices.collect(tmp_path, INVOICE, tmp_path / "corpus")


def test_the_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox/a.pdf").write_bytes(pdf(cii()))
    (tmp_path / "c.csv").write_text("file,invoice_number,colour\ninbox/a.pdf,R-2024-17,blue\n")
    monkeypatch.chdir(tmp_path)

    def run(line: str) -> tuple[Any, str, str]:
        monkeypatch.setattr("sys.argv", ["extractor", *line.split()])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return caught.value.code, *capsys.readouterr()

    code, out, _ = run("labels from-einvoices inbox --schema invoice --output made")
    assert (0, True) == (code, "gross_total\t1\t0" in out)
    code, _, err = run("labels export --to csv made --schema invoice --output table")
    assert (0, True) == (code, "1 documents in table" in err)
    code, _, err = run("labels import --from csv table/labels.csv --schema invoice --output again")
    assert (0, True) == (code, "1 labelled documents in again" in err)
    code, _, err = run("labels import --from csv c.csv --schema invoice --output c")
    assert (0, True) == (code, "left out: colour: 1 labels" in err)
    code, _, err = run("labels import --from word c.csv --schema invoice --output d")
    assert 2 == code
