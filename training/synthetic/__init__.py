"""Made-up business documents with values as printed, for a start that knows more layouts than a
corpus of a few dozen sellers can show.

The text is set directly as layout text, without a PDF: words of one visual line joined by one
space, two spaces at a gap between columns. Nothing of it comes from a real document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from training.synthetic.deals import invent
from training.synthetic.layouts import Sheet, compose, decide
from training.synthetic.others import Box
from training.synthetic.strays import stray

__all__ = ["CONCEPTS", "Box", "SyntheticDocument", "documents"]

_STRAY = 0.2  # share of documents with a line that would talk to a model

# Concept: the field type that reads it, and notes of which one may stand in a prompt.
CONCEPTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "invoice_number": (
        "identifier",
        (
            "number of this invoice",
            "document number, not order or customer number",
            "invoice or bill number",
        ),
    ),
    "issue_date": ("date", ("date of issue, not due date", "invoice date", "date of the document")),
    "due_date": (
        "date",
        ("payment due date, only if printed as a date", "pay by", "last day to pay"),
    ),
    "delivery_date": (
        "date",
        ("date of delivery or service", "date of supply, not of issue", "delivered on"),
    ),
    "order_number": (
        "identifier",
        ("purchase order number", "buyer's order reference", "order number, not invoice number"),
    ),
    "customer_number": (
        "identifier",
        ("buyer's account number at the seller", "customer id", "customer number"),
    ),
    "delivery_note_number": (
        "identifier",
        ("delivery note", "number of the despatch note", "packing slip number"),
    ),
    "contract_number": (
        "identifier",
        ("contract or agreement reference", "contract number", "number of the agreement"),
    ),
    "seller_name": (
        "text",
        ("who issued the invoice", "supplier's name, not the buyer", "company that is paid"),
    ),
    "seller_address": (
        "text",
        ("seller's postal address", "address of the supplier, without name", "where the seller is"),
    ),
    "seller_vat_id": (
        "vat_id",
        (
            "seller's VAT id or tax number, not the buyer's",
            "VAT id of the supplier",
            "tax number of the seller",
        ),
    ),
    "seller_email": ("text", ("seller's e-mail address", "e-mail of the supplier")),
    "seller_phone": ("text", ("seller's telephone number", "phone of the supplier")),
    "buyer_name": (
        "text",
        ("who is billed", "customer's name, not the seller", "recipient of the invoice"),
    ),
    "buyer_address": (
        "text",
        ("buyer's postal address", "billing address, without name", "address of the customer"),
    ),
    "buyer_vat_id": (
        "vat_id",
        (
            "buyer's VAT id or tax number",
            "VAT id of the customer, not the seller's",
            "customer's tax number",
        ),
    ),
    "ship_to_name": (
        "text",
        ("name in the delivery address", "who receives the goods", "ship-to party"),
    ),
    "currency": ("currency", ("currency of the amounts", "currency code or symbol", "currency")),
    "net_total": ("money", ("total before tax", "net amount, without VAT", "taxable amount")),
    "tax_total": ("money", ("total tax", "sum of VAT", "tax amount, not the rate")),
    "tax_rate": (
        "percent",
        ("the one tax rate", "VAT rate in percent", "tax rate, not the amount"),
    ),
    "gross_total": (
        "money",
        ("invoice total including tax", "grand total, before payments made", "total with VAT"),
    ),
    "amount_paid": ("money", ("already paid", "prepaid amount", "deposit received")),
    "amount_due": ("money", ("still to pay", "balance due", "open amount after payments")),
    "discount_total": (
        "money",
        ("discount on the whole document", "total discount", "sum of allowances"),
    ),
    "shipping_total": ("money", ("shipping or freight charge", "delivery cost", "postage")),
    "iban": ("iban", ("account to pay to", "seller's IBAN", "IBAN")),
    "bic": ("text", ("BIC or SWIFT code", "SWIFT code of the bank", "BIC")),
    "bank_name": ("text", ("seller's bank", "name of the bank", "bank")),
    "payment_terms": (
        "text",
        ("terms of payment as printed", "when and how to pay", "payment condition"),
    ),
    "contact_name": (
        "text",
        ("seller's contact person", "who handles the order", "contact at the supplier"),
    ),
    "line_items": ("list", ("one entry per invoiced line", "goods and services", "invoice lines")),
}


@dataclass(frozen=True)
class SyntheticDocument:
    """A document that never was.

    :param text: layout text.
    :param language: language of its labels.
    :param printed: every concept's value as printed (white space runs are one space), None where
        the document does not show it; `line_items` is a list of such mappings, None if unclear.
    :param kinds: what was chosen for the layout, to count by.
    :param unclear: concepts whose value is printed in pieces (an address beside another column)
        or more than one value would be right; None in `printed`, and not to be asked for.
    :param boxes: labelled places that are none of the concepts, by a name that a class may give
        them.
    """

    text: str
    language: str
    printed: dict[str, Any]
    kinds: dict[str, str] = field(default_factory=dict)
    unclear: frozenset[str] = frozenset()
    boxes: dict[str, Box] = field(default_factory=dict)


def documents(count: int, seed: int, max_characters: int = 2600) -> Iterator[SyntheticDocument]:
    """Makes documents, the same ones for the same arguments.

    :param count: how many.
    :param seed: of the source of chance.
    :param max_characters: no text is longer.
    """
    rng = Random(seed)
    made = 0
    while made < count:
        size = rng.choice((0.3, 0.8, 1.1, 1.4, 1.7, 1.7))
        sheet = Sheet(rng, invent(rng, rng.choice((3, 8, 24, 24))), size=size)
        decide(sheet)
        compose(sheet)
        document = _finish(sheet)
        if len(document.text) <= max_characters:
            made += 1
            yield document


def _finish(sheet: Sheet) -> SyntheticDocument:
    lines = list(sheet.lines)
    if sheet.chance(_STRAY):
        # Not among the lines: it would cut addresses and rows in two.
        lines.insert(0 if sheet.chance(0.15) else len(lines), stray(sheet.rng))
    text = re.sub(r" {3,}", "  ", "\n".join(lines))
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in text.split("\n"))).strip()
    flat = " ".join(text.split())
    printed: dict[str, Any] = {}
    unclear = set(sheet.unclear)
    for concept in CONCEPTS:
        value = sheet.printed.get(concept)
        if isinstance(value, str):
            value = " ".join(value.split())
            if value not in flat:
                unclear.add(concept)
                value = None
        printed[concept] = value
    if len(sheet.deal.taxes) > 1:
        unclear.add("tax_rate")
    for concept in ("tax_rate", "tax_total", "payment_terms"):
        # A real value printed elsewhere settles the doubt, except for one rate among several.
        if concept != "tax_rate" and printed[concept] is not None:
            unclear.discard(concept)
    printed.update(dict.fromkeys(unclear))
    boxes = {
        name: box
        for name, box in sheet.boxes.items()
        if name and box is not None and (box.value is None or box.value in flat)
    }
    return SyntheticDocument(text, sheet.language, printed, sheet.kinds, frozenset(unclear), boxes)
