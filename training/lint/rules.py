"""Fields of one label against each other: sums, order of dates, check digits.

A rule speaks of business concepts. Which field of a schema stands for which is told by its name
and type, so the rules hold for any class that calls its fields by usual names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from extractor.evidence import occurrences
from extractor.fields import IbanType, MoneyType, VatIdType, bare, iban_is_valid
from extractor.schema import ListNode, ObjectNode
from training.lint.findings import Finding, Severity, finding
from training.lint.view import Case, LintConfig, Value, View

# What may stand between net and gross beside the tax; the sign differs from document to document.
_EXTRAS = ("shipping_total", "discount_total")
_MONEY = MoneyType()


def totals(view: View, config: LintConfig) -> Iterator[Finding]:
    """Net and tax that do not make the gross total."""
    names = [view.by_concept.get(concept) for concept in ("net_total", "tax_total", "gross_total")]
    if names[0] is None or names[1] is None or names[2] is None:
        return
    extras = [view.by_concept[concept] for concept in _EXTRAS if concept in view.by_concept]
    for case in view.cases:
        net, tax, gross = (_amount(case, name) for name in names)
        if net is None or tax is None or gross is None:
            continue
        sums = {net + tax}
        for name in extras:
            extra = abs(_amount(case, name) or Decimal(0))
            sums |= {value + sign * extra for value in sums for sign in (1, -1)}
        if all(abs(value - gross) > Decimal(str(config.tolerance)) for value in sums):
            seen = f"{net} + {tax} = {net + tax}, label {gross}"
            yield _explained("sum-total", case, str(names[2]), seen, gross - net - tax)


def lines(view: View, config: LintConfig) -> Iterator[Finding]:
    """Rows whose totals sum up to none of the document's totals."""
    name = view.by_concept.get("line_items")
    if name is None or not _has(view, name, "line_total"):
        return
    known = [
        view.by_concept[concept]
        for concept in ("net_total", "gross_total")
        if concept in view.by_concept
    ]
    for case in view.cases:
        rows = [row for row in case.values.get(name) or () if row is not None]
        totals = [value for key in known if (value := _amount(case, key)) is not None]
        if not rows or not totals or any(row.get("line_total") is None for row in rows):
            continue
        total = sum((row["line_total"] for row in rows), Decimal(0))
        room = Decimal(str(config.tolerance)) + Decimal("0.01") * len(rows)
        if all(abs(total - value) > room for value in (*totals, *_differences(case, view))):
            stated = " and ".join(map(str, totals))
            seen = f"{len(rows)} rows sum to {total}, totals {stated}"
            # A document that prints the sum of its rows has them all.
            amounts = [row["line_total"] for row in rows]
            if len(rows) > 1 and total not in amounts and _is_printed(case, total):
                yield finding("sum-lines", case.id, name, f"{seen}; the text has {total}",
                              severity="info", hint="charges or discounts explain it")  # fmt: skip
            else:
                yield _explained("sum-lines", case, name, seen, totals[0] - total)


def _is_printed(case: Case, amount: Decimal) -> bool:
    return bool(occurrences(case.text, _MONEY, amount, case.locale))


def _explained(code: str, case: Case, field: str, seen: str, missing: Decimal) -> Finding:
    """Return a finding on a sum; it is no more than a note where a charge explains it.

    A charge or discount stands beside its name on a line of its own. A line with three numbers and
    more is rather a row that the label lacks.
    """
    for start, end in (
        *occurrences(case.text, _MONEY, missing, case.locale),
        *occurrences(case.text, _MONEY, -missing, case.locale),
    ):
        first = case.text.rfind("\n", 0, start) + 1
        last = case.text.find("\n", end)
        line = case.text[first : last if last >= 0 else None]
        if len(re.findall(r"(?<![\d.,])\d[\d.,]*", line)) <= 2:
            return finding(code, case.id, field, f"{seen}; a line prints {case.text[start:end]}",
                           severity="info", hint="a charge or discount explains it")  # fmt: skip
    return finding(code, case.id, field, seen)


def _differences(case: Case, view: View) -> Iterator[Decimal]:
    """Yield the net total before discount and shipping, and the gross total without tax."""
    found = {
        concept: abs(_amount(case, view.by_concept[concept]) or Decimal(0))
        for concept in ("net_total", "gross_total", "tax_total", *_EXTRAS)
        if concept in view.by_concept
    }
    net = found.get("net_total")
    if net is not None:
        for concept in _EXTRAS:
            yield from (net + found.get(concept, Decimal(0)), net - found.get(concept, Decimal(0)))
    if "gross_total" in found and found.get("tax_total"):
        yield found["gross_total"] - found["tax_total"]


def products(view: View, config: LintConfig) -> Iterator[Finding]:
    """Rows in which quantity times price is not the total."""
    name = view.by_concept.get("line_items")
    if name is None or not all(
        _has(view, name, key) for key in ("quantity", "unit_price", "line_total")
    ):
        return
    for case in view.cases:
        for index, row in enumerate(case.values.get(name) or ()):
            if row is None:
                continue
            quantity, price, total = (row[key] for key in ("quantity", "unit_price", "line_total"))
            if quantity is None or price is None or total is None:
                continue
            # A printed price is rounded, so the difference may grow with the quantity.
            room = Decimal(str(config.tolerance)) + Decimal("0.005") * abs(quantity)
            product, stated = abs(quantity * price), abs(total)
            # Prices are often stated for 10, 100 or 1,000 pieces.
            if all(abs(product / per - stated) > room for per in (1, 10, 100, 1000)):
                seen = f"{quantity} x {price} = {quantity * price}, label {total}"
                yield finding("row-product", case.id, f"{name}[{index}]", seen)


def dates(view: View, config: LintConfig) -> Iterator[Finding]:
    """A due date before the date of issue."""
    issued, due = view.by_concept.get("issue_date"), view.by_concept.get("due_date")
    if issued is None or due is None:
        return
    for case in view.cases:
        first, last = case.values.get(issued), case.values.get(due)
        if isinstance(first, date) and isinstance(last, date) and last < first:
            yield finding("date-order", case.id, due, f"due {last}, issued {first}")


def check_digits(view: View, config: LintConfig) -> Iterator[Finding]:
    """Account and VAT numbers whose check digits do not fit.

    One that the document prints just so is mostly made up, as in samples, or misprinted.
    """
    for case in view.cases:
        for leaf in case.leaves:
            code = _code_of_wrong_digits(leaf)
            if code:
                printed = ", printed so" if leaf.places else ""
                severity: Severity = "info" if leaf.places else "warning"
                seen = f"{leaf.shown}: the check digits do not fit{printed}"
                yield finding(code, case.id, leaf.path, seen, severity=severity)


def _code_of_wrong_digits(leaf: Value) -> str:
    if isinstance(leaf.type, IbanType) and not iban_is_valid(str(leaf.value)):
        return "iban-checksum"
    if isinstance(leaf.type, VatIdType) and _vat_is_wrong(bare(str(leaf.value)).upper()):
        return "vat-checksum"
    return ""


def _vat_is_wrong(code: str) -> bool:
    """Return whether a number is one of the EU kind with wrong digits; without stdnum never."""
    module = eu_vat()
    if module is None or not code[:2].isalpha():
        return False
    member = {"EL": "gr"}.get(code[:2], code[:2].lower())
    if member not in module.MEMBER_STATES:
        return False
    return not module.is_valid(code)


@cache
def eu_vat() -> Any:  # a module of an optional package
    """Return stdnum's module for VAT numbers of the EU, or None if it is not installed."""
    try:
        from stdnum.eu import vat
    except ImportError:
        return None
    return vat


def same_values(view: View, config: LintConfig) -> Iterator[Finding]:
    """Seller and buyer of one name, or an order number that is the invoice number."""
    pairs = (
        ("seller_name", "buyer_name"),
        ("seller_vat_id", "buyer_vat_id"),
        ("invoice_number", "order_number"),
        ("invoice_number", "customer_number"),
    )
    for first, second in pairs:
        a, b = view.by_concept.get(first), view.by_concept.get(second)
        if a is None or b is None:
            continue
        for case in view.cases:
            left, right = case.values.get(a), case.values.get(b)
            if left and right and bare(str(left)) == bare(str(right)):
                yield finding("same-value", case.id, b, f"{left!r} is {a} too")


def _amount(case: Case, name: str | None) -> Decimal | None:
    value = None if name is None else case.values.get(name)
    return value if isinstance(value, Decimal) else None


def _has(view: View, name: str, key: str) -> bool:
    node = dict(view.schema.root.keys)[name]
    return (
        isinstance(node, ListNode)
        and isinstance(node.item, ObjectNode)
        and key in dict(node.item.keys)
    )
