"""E-invoices: the XML is the record, hostile XML is not read, and differences are told."""

from __future__ import annotations

import http.server
import json
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from extractor import batch, business, document
from extractor.document.einvoice import MAX_DEPTH, EInvoice
from extractor.errors import DocumentError
from extractor.fields import Identifier, IsoDate, Money, Percent, Quantity, VatId, Verbatim
from extractor.pipeline import Extraction, Extractor
from extractor.schema import Schema
from extractor.testing import CannedEngine
from schemas.contract import Contract
from schemas.invoice import Invoice
from tests.einvoices import PRINTED, cii, pdf, ubl, zugferd_1

EXPECTED = {
    "invoice_number": "R-2024-17",
    "issue_date": "2024-05-17",
    "due_date": None,
    "seller_name": "Muster Werke GmbH",
    "seller_vat_id": "DE123456789",
    "buyer_name": "Kunde AG",
    "currency": "EUR",
    "net_total": "100.50",
    "tax_total": "19.10",
    "gross_total": "119.60",
    "iban": "DE02120300000000202051",
    "line_items": [
        {
            "description": "Widget, blue",
            "quantity": "3",
            "unit_price": "33.50",
            "line_total": "100.50",
        }
    ],
}


class Refusing(CannedEngine):
    """An engine that must not be asked."""

    def __init__(self) -> None:
        super().__init__({})

    def generate(self, requests: Any) -> Any:
        raise AssertionError("the model was asked")


def read(data: bytes, name: str = "bill.pdf", **options: Any) -> Extraction[Invoice]:
    return Extractor(Invoice, engine=Refusing(), **options).extract(data, name=name)


def plain(extraction: Extraction[Any]) -> Any:
    values = json.loads(extraction.schema.dump(extraction.values))
    for row in values.get("line_items") or []:
        row["quantity"] = format(Decimal(row["quantity"]).normalize(), "f")
    return values


def codes(extraction: Extraction[Any]) -> list[tuple[str, str]]:
    return [(warning.code, warning.field) for warning in extraction.warnings]


@pytest.mark.parametrize("xml", [cii(), zugferd_1(), ubl()], ids=["cii", "zugferd-1", "ubl"])
def test_the_xml_in_a_pdf_is_the_record_and_no_model_runs(xml: bytes) -> None:
    extraction = read(pdf(xml))

    assert EXPECTED == plain(extraction)
    assert "einvoice" == extraction.source
    assert 0 == extraction.usage["windows"]
    assert "complete" == extraction.status
    assert [] == codes(extraction)


@pytest.mark.parametrize("xml", [cii(), zugferd_1(), ubl(), ubl("CreditNote")])
def test_an_xml_file_is_a_document(xml: bytes) -> None:
    extraction = read(xml, "bill.xml")

    assert EXPECTED == plain(extraction)
    assert "einvoice" == extraction.source


def test_values_are_located_on_the_page() -> None:
    fields = read(pdf(cii())).fields

    assert "119,60" == fields["gross_total"].printed
    evidence = fields["line_items[0].description"].evidence
    assert ("verified", 1) == (evidence.status, evidence.page)
    assert evidence.bbox is not None


def test_a_value_that_the_page_does_not_show_is_told() -> None:
    extraction = read(pdf(cii(gross="9119.60")))

    assert Decimal("9119.60") == extraction.values["gross_total"]
    assert [("einvoice_differs", "gross_total"), ("rejected", "")] == codes(extraction)


def test_a_page_without_text_gives_the_record_of_its_xml() -> None:
    extraction = read(pdf(cii(), printed=()))

    assert EXPECTED == plain(extraction)
    assert [("unread_pages", "")] == codes(extraction)


def test_a_page_without_text_is_no_text_for_other_fields() -> None:
    with pytest.raises(DocumentError) as caught:
        Extractor(Contract, engine=Refusing()).extract(pdf(cii(), printed=()))

    assert "no_text" == caught.value.category


def test_einvoice_never_reads_the_page() -> None:
    extractor = Extractor(
        Invoice, engine=CannedEngine({"invoice_number": "R-2024-17"}), einvoice="never"
    )
    extraction = extractor.extract(pdf(cii()))

    assert "model" == extraction.source
    assert extraction.values["gross_total"] is None
    assert extractor.identity != Extractor(Invoice, engine=extractor.engine).identity


def test_einvoice_takes_no_other_word() -> None:
    with pytest.raises(ValueError, match="auto or never"):
        read(b"", einvoice="sometimes")


def test_the_smallest_profiles_leave_lines_to_the_model() -> None:
    rows = [{"description": "Widget, blue", "line_total": "100,50"}]
    xml = cii(profile="urn:factur-x.eu:1p0:basicwl", lines=False)
    extraction = Extractor(Invoice, engine=CannedEngine({"line_items": rows})).extract(pdf(xml))

    assert "einvoice+model" == extraction.source
    assert Decimal("119.60") == extraction.values["gross_total"]
    assert "Widget, blue" == extraction.values["line_items"][0]["description"]


def test_fields_that_no_term_covers_are_asked_of_the_model() -> None:
    class Letter(BaseModel):
        invoice_no: Identifier | None = None
        date: IsoDate | None = None
        salutation: Verbatim | None = None

    def answer(text: str) -> dict[str, str]:
        return {"salutation": text.split()[0], "invoice_no": "wrong"}

    extraction = Extractor(Letter, engine=CannedEngine(answer)).extract(pdf(cii()))

    assert "einvoice+model" == extraction.source
    assert {"invoice_no": "R-2024-17", "date": "2024-05-17", "salutation": "Muster"} == plain(
        extraction
    )


def test_users_names_nested_objects_and_plain_types_are_known() -> None:
    class Party(BaseModel):
        name: str | None = None
        vat_id: str | None = None
        fax: str | None = None

    class Row(BaseModel):
        product: Verbatim | None = None
        qty: Quantity | None = None
        amount: float | None = None
        colour: str | None = None

    class Bill(BaseModel):
        vendor: Party | None = None
        document_date: IsoDate | None = None
        total: Money | None = None
        items: list[Row] = []

    extraction = Extractor(Bill, engine=Refusing()).extract(pdf(cii()))

    assert extraction.record is not None
    assert extraction.record.vendor == Party(name="Muster Werke GmbH", vat_id="DE123456789")
    assert [Row(product="Widget, blue", qty=Decimal(3), amount=100.5)] == extraction.record.items
    assert [
        ("not_in_einvoice", "vendor.fax"), ("not_in_einvoice", "items[].colour")
    ] == codes(extraction)  # fmt: skip


def test_a_type_that_does_not_fit_is_left_to_the_model() -> None:
    class Odd(BaseModel):
        invoice_number: Identifier | None = None
        issue_date: IsoDate | None = None
        gross_total: IsoDate | None = None
        tax_rate: Percent | None = None

    extraction = Extractor(Odd, engine=CannedEngine({})).extract(pdf(cii()))

    assert "einvoice+model" == extraction.source
    assert extraction.values["gross_total"] is None


def test_another_kind_of_document_is_read_by_the_model() -> None:
    extraction = Extractor(Contract, engine=CannedEngine({})).extract(pdf(cii()))

    assert "model" == extraction.source


def test_the_line_of_a_batch_says_who_gave_the_values(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf(cii()))
    (tmp_path / "b.txt").write_text("Invoice 7")
    (tmp_path / "c.xml").write_text("<order/>")
    extractor = Extractor(Invoice, engine=CannedEngine({}))
    batch.run(batch.inputs([tmp_path]), extractor, tmp_path / "out.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]

    assert ["einvoice", "model", None] == [line["source"] for line in lines]
    assert "unsupported" == lines[2]["error"]["category"]


# ---------------------------------------------------------------- hostile XML


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text("SECRET-4711")
    return path


@pytest.fixture
def web() -> Any:
    """An address on this machine, and the requests that reached it."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def bomb() -> str:
    levels = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10))
    return f'<!DOCTYPE lolz [<!ENTITY l0 "lol">{levels}]>'


def hostile(kind: str, secret: Path, url: str) -> bytes:
    entity = {
        "file": f'<!DOCTYPE r [<!ENTITY x SYSTEM "{secret.as_uri()}">]>',
        "web": f'<!DOCTYPE r [<!ENTITY x SYSTEM "{url}/entity">]>',
        "dtd": f'<!DOCTYPE r SYSTEM "{url}/r.dtd">',
        "parameter": f'<!DOCTYPE r [<!ENTITY % p SYSTEM "{url}/p"> %p;]>',
        "bomb": bomb(),
        "quadratic": f'<!DOCTYPE r [<!ENTITY x "{"a" * 100_000}">]>',
        "doctype": "<!DOCTYPE r>",
        "deep": "",
    }[kind]
    number = {"bomb": "&l9;", "quadratic": "&x;" * 10_000}.get(kind, "&x;" if "x" in entity else "")
    if kind in ("dtd", "doctype", "parameter", "deep"):
        number = "R-1"
    if kind == "deep":
        number = "<a>" * 200_000 + "</a>" * 200_000
    return cii(number=number, head=entity)


HOSTILE = ("file", "web", "dtd", "parameter", "bomb", "quadratic", "doctype", "deep")


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_xml_is_not_read_and_the_page_is(kind: str, secret: Path, web: Any) -> None:
    url, asked = web
    extractor = Extractor(Invoice, engine=CannedEngine({"invoice_number": "R-2024-17"}))
    extraction = extractor.extract(pdf(hostile(kind, secret, url)))

    assert "model" == extraction.source
    assert [("einvoice_unread", "")] == codes(extraction)
    assert "R-2024-17" == extraction.values["invoice_number"]
    assert [extraction.values["seller_name"], []] == [None, asked]
    assert "SECRET" not in repr(extraction)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_xml_file_is_refused(kind: str, secret: Path, web: Any) -> None:
    url, asked = web
    with pytest.raises(DocumentError) as caught:
        document.read(hostile(kind, secret, url), name="bill.xml")

    assert "unsupported" == caught.value.category
    assert "SECRET" not in str(caught.value)
    assert [] == asked


def test_xml_that_ends_early_is_told_and_the_page_read() -> None:
    extractor = Extractor(Invoice, engine=CannedEngine({}))
    extraction = extractor.extract(pdf(cii()[:-200]))

    assert [("einvoice_unread", "")] == codes(extraction)


def test_other_attachments_are_no_e_invoice_and_no_matter() -> None:
    extractor = Extractor(Invoice, engine=CannedEngine({}))
    extraction = extractor.extract(pdf(b"<order><id>1</id></order>", name="data.xml"))

    assert "model" == extraction.source
    assert [] == codes(extraction)
    assert MAX_DEPTH >= 32, "real invoices nest about fifteen deep"
    assert PRINTED[0] in document.read(pdf(None)).text


def test_a_field_is_never_filled_from_a_term_of_another_meaning() -> None:
    class Payer(BaseModel):
        vat_id: VatId | None = None
        email: Verbatim | None = None

    class Slip(BaseModel):
        gross_total: Money | None = None
        tax: Percent | None = None
        payer: Payer | None = None
        seller: Payer | None = None

    terms = {"BT-112": "119.00", "BT-110": "19.00", "BT-31": "DE123456788", "BT-43": "a@b.de"}
    filled = business.fill(Schema.of(Slip), EInvoice("cii", "", terms, ()))

    assert filled is not None
    assert filled.values["seller"] == {"vat_id": "DE123456788", "email": "a@b.de"}
    assert {"tax", "payer"} == set(filled.rest)
