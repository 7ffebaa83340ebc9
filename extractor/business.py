"""What business documents state, by whatever name a user's class calls it.

One table of names serves two ends: the terms of an e-invoice (EN 16931) fill the fields of a
schema, and training knows which of its synthetic values a field asks for.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from extractor.document.einvoice import EInvoice
from extractor.fields import FieldType, Locale, PlainType
from extractor.schema import AnySchema, FieldWarning, LeafNode, ListNode, Node, ObjectNode

# Names that users give, and the concept that each stands for.
ALIASES = {
    "company": "seller_name",
    "seller": "seller_name",
    "vendor": "seller_name",
    "vendor_name": "seller_name",
    "supplier": "seller_name",
    "supplier_name": "seller_name",
    "merchant": "seller_name",
    "issuer": "seller_name",
    "shop": "seller_name",
    "address": "seller_address",
    "vendor_address": "seller_address",
    "customer": "buyer_name",
    "customer_name": "buyer_name",
    "client_name": "buyer_name",
    "buyer": "buyer_name",
    "recipient": "buyer_name",
    "bill_to": "buyer_name",
    "customer_address": "buyer_address",
    "ship_to": "ship_to_name",
    "date": "issue_date",
    "invoice_date": "issue_date",
    "document_date": "issue_date",
    "date_of_issue": "issue_date",
    "payment_due": "due_date",
    "due_on": "due_date",
    "pay_by": "due_date",
    "service_date": "delivery_date",
    "shipped_on": "delivery_date",
    "total": "gross_total",
    "total_amount": "gross_total",
    "grand_total": "gross_total",
    "total_gross": "gross_total",
    "total_with_tax": "gross_total",
    "subtotal": "net_total",
    "net_amount": "net_total",
    "total_net": "net_total",
    "vat_rate": "tax_rate",
    "balance_due": "amount_due",
    "shipping": "shipping_total",
    "discount": "discount_total",
    "vat_total": "tax_total",
    "tax_amount": "tax_total",
    "vat": "tax_total",
    "tax": "tax_total",
    "vat_id": "seller_vat_id",
    "tax_id": "seller_vat_id",
    "vendor_vat_id": "seller_vat_id",
    "vendor_tax_id": "seller_vat_id",
    "customer_vat_id": "buyer_vat_id",
    "seller_tax_id": "seller_vat_id",
    "buyer_tax_id": "buyer_vat_id",
    "seller_iban": "iban",
    "seller_bic": "bic",
    "invoice_id": "invoice_number",
    "invoice_no": "invoice_number",
    "document_number": "invoice_number",
    "number": "invoice_number",
    "po_number": "order_number",
    "purchase_order": "order_number",
    "customer_id": "customer_number",
    "account_number": "customer_number",
    "delivery_note": "delivery_note_number",
    "email": "seller_email",
    "phone": "seller_phone",
    "bank_account": "iban",
    "swift": "bic",
    "bank": "bank_name",
    "terms": "payment_terms",
    "contact": "contact_name",
}


def concept_of(name: str) -> str:
    """Return the concept behind a field's name; a name that is not known is its own."""
    return ALIASES.get(name, name)


# Concept: what kind of value it is, and the business terms that state it, the better ones first.
_TERMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "invoice_number": ("identifier", ("BT-1",)),
    "issue_date": ("date", ("BT-2",)),
    "currency": ("currency", ("BT-5",)),
    "due_date": ("date", ("BT-9",)),
    "contract_number": ("identifier", ("BT-12",)),
    "order_number": ("identifier", ("BT-13",)),
    "delivery_note_number": ("identifier", ("BT-16",)),
    "payment_terms": ("text", ("BT-20",)),
    "seller_name": ("text", ("BT-27",)),
    "seller_vat_id": ("code", ("BT-31", "BT-32")),
    "contact_name": ("text", ("BT-41",)),
    "seller_phone": ("text", ("BT-42",)),
    "seller_email": ("text", ("BT-43",)),
    "buyer_name": ("text", ("BT-44",)),
    "customer_number": ("identifier", ("BT-46",)),
    "buyer_vat_id": ("code", ("BT-48",)),
    "ship_to_name": ("text", ("BT-70",)),
    "delivery_date": ("date", ("BT-72",)),
    "iban": ("code", ("BT-84",)),
    "bic": ("identifier", ("BT-86",)),
    "discount_total": ("amount", ("BT-107",)),
    "net_total": ("amount", ("BT-109",)),
    "tax_total": ("amount", ("BT-110",)),
    "gross_total": ("amount", ("BT-112",)),
    "amount_due": ("amount", ("BT-115",)),
    "tax_rate": ("rate", ("BT-119",)),
}
_LISTS = ("line_items", "items", "lines", "positions", "invoice_lines", "products", "articles")
_LINE_TERMS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("position", "line_number", "line_id", "pos"), ("identifier", "BT-126")),
    **dict.fromkeys(("description", "name", "item", "product", "title"), ("text", "BT-153")),
    **dict.fromkeys(("quantity", "qty"), ("quantity", "BT-129")),
    **dict.fromkeys(("unit_price", "price", "price_per_unit"), ("amount", "BT-146")),
    **dict.fromkeys(
        ("line_total", "total", "amount", "net_amount", "total_price", "line_amount"),
        ("amount", "BT-131"),
    ),
    **dict.fromkeys(("tax_rate", "vat_rate"), ("rate", "BT-152")),
    **dict.fromkeys(
        ("article_number", "item_number", "product_code", "sku", "item_code"),
        ("identifier", "BT-155"),
    ),
}
_PARTIES = {
    **dict.fromkeys(("seller", "vendor", "supplier", "issuer", "merchant"), "seller"),
    **dict.fromkeys(("buyer", "customer", "client", "recipient", "bill_to"), "buyer"),
}
_TEXTS = {"text", "identifier"}
_TYPES = {
    "text": _TEXTS,
    "identifier": _TEXTS,
    "code": {*_TEXTS, "vat_id", "iban"},
    "currency": {*_TEXTS, "currency"},
    "amount": {"number", "money"},
    "rate": {"number", "percent"},
    "quantity": {"number", "quantity"},
    "date": {"date"},
}
_PLAIN: dict[str, set[type]] = {
    **{kind: {Decimal, float, int} for kind in ("amount", "rate", "quantity")},
    "date": {date},
}
# Canonical strings are what an e-invoice gives, whatever the page prints.
_CANONICAL = Locale(decimal=".", day_first=True)
_LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Filled:
    """A schema as far as an e-invoice fills it.

    :param values: of the covered top-level fields, null where the e-invoice states none.
    :param rest: the other top-level fields.
    :param unstated: paths inside covered fields for which there is no business term.
    :param warnings: values that do not read as their field's type, or whose check digits are wrong.
    """

    values: dict[str, Any]
    rest: tuple[str, ...]
    unstated: tuple[str, ...]
    warnings: tuple[FieldWarning, ...]


def fill(schema: AnySchema, invoice: EInvoice) -> Filled | None:
    """Return what an e-invoice says of a schema's fields, by their names and types.

    :returns: None if it covers less than half of the fields, so that another kind of document is
        asked for, or one in which equal names mean something else.
    """
    values: dict[str, Any] = {}
    unstated: list[str] = []
    warnings: list[FieldWarning] = []
    for name, node in schema.root.keys:
        field = _Field(name, invoice)
        value = field.read(node)
        if field.known and (invoice.states_all or value is not None):
            values[name] = value
            unstated += field.unstated
            warnings += field.warnings
    if len(values) < _LEAST_SHARE * len(schema.field_names):
        return None
    rest = tuple(name for name in schema.field_names if name not in values)
    return Filled(values, rest, tuple(unstated), tuple(warnings))


class _Field:
    """One top-level field and what an e-invoice says of it.

    After `read`, `known` tells whether there is a business term for it or for a part of it.
    """

    def __init__(self, name: str, invoice: EInvoice) -> None:
        self.name, self.invoice = name, invoice
        self.known = False
        self.unstated: list[str] = []
        self.warnings: list[FieldWarning] = []

    def read(self, node: Node) -> Any:
        """Return the field's value, null where nothing is stated."""
        if isinstance(node, LeafNode):
            return self._term(self.name, concept_of(self.name), node.type)
        if isinstance(node, ObjectNode):
            return self._object(node)
        if isinstance(node, ListNode) and isinstance(node.item, ObjectNode):
            return self._rows(node.item) if self.name in _LISTS else None
        return None

    def _term(self, path: str, concept: str, kind: FieldType) -> Any:
        wanted, terms = _TERMS.get(concept, ("", ()))
        if not terms or not _compatible(kind, wanted):
            self.unstated.append(path)
            return None
        self.known = True
        stated = (self.invoice.terms[term] for term in terms if term in self.invoice.terms)
        return self._value(path, kind, next(stated, None))

    def _object(self, node: ObjectNode) -> dict[str, Any] | None:
        """Return the values of an object such as `seller: {name, vat_id}`."""
        party = _PARTIES.get(self.name)
        values: dict[str, Any] = {}
        for key, child in node.keys:
            path = f"{self.name}.{key}"
            values[key] = None
            # Only a party gives its parts their meaning: the VAT id of a payer is not the seller's.
            if isinstance(child, LeafNode) and (party or key in _TERMS):
                concept = concept_of(f"{party}_{key}") if party else key
                values[key] = self._term(path, concept, child.type)
            else:
                self.unstated.append(path)
        return values if any(value is not None for value in values.values()) else None

    def _rows(self, row: ObjectNode) -> list[dict[str, Any]] | None:
        """Return the invoice lines; without one, the profile leaves out what the page has."""
        leaves = {key: child.type for key, child in row.keys if isinstance(child, LeafNode)}
        terms = {
            key: _LINE_TERMS[key][1]
            for key, kind in leaves.items()
            if key in _LINE_TERMS and _compatible(kind, _LINE_TERMS[key][0])
        }
        if "description" in terms and list(terms.values()).count("BT-153") > 1:
            terms["description"] = "BT-154"
        lines = self.invoice.lines
        self.known = bool(lines) and bool({"BT-153", "BT-131"} & set(terms.values()))
        if not self.known:
            return None
        self.unstated += [f"{self.name}[].{key}" for key, _ in row.keys if key not in terms]
        return [
            {
                key: self._value(f"{self.name}[{index}].{key}", leaves[key], line.get(terms[key]))
                if key in terms
                else None
                for key, _ in row.keys
            }
            for index, line in enumerate(lines)
        ]

    def _value(self, path: str, kind: FieldType, text: str | None) -> Any:
        if text is None:
            return None
        try:
            value = kind.from_label(text, _CANONICAL)
        except ValueError:
            message = f"what the e-invoice states does not read as {kind.name}"
            self.warnings.append(FieldWarning(path, "unreadable", message))
            return None
        if kind.copied:
            with suppress(ValueError):  # a canonical form that nobody prints
                if wrong := kind.parse(text, _CANONICAL).wrong:
                    self.warnings.append(FieldWarning(path, "wrong", wrong))
        return value


def _compatible(kind: FieldType, wanted: str) -> bool:
    if isinstance(kind, PlainType):
        return kind.python_type in _PLAIN.get(wanted, {str})
    return kind.name in _TYPES[wanted]
