"""How the sample invoices are set: each layout is a function that draws one page.

They differ in structure, not in colour: where seller and buyer stand, whether a label is left of
its value, above it or boxed, how rows are ruled, where totals and bank data go.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from reportlab.lib.colors import HexColor
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from samples.bills import Bill

A4_PT = (595.0, 842.0)
LETTER_PT = (612.0, 792.0)
_FONTS = {
    "Helvetica": ("Helvetica", "Helvetica-Bold"),
    "Times": ("Times-Roman", "Times-Bold"),
    "Courier": ("Courier", "Courier-Bold"),
}
Align = Literal["left", "right", "centre"]
Rules = Literal["none", "head", "lines", "grid", "zebra"]


class Sheet:
    """A page to draw on, measured in points from the top left."""

    def __init__(self, bill: Bill, size: tuple[float, float] | None = None, font: str = "") -> None:
        usual = LETTER_PT if bill.seller.country.code in ("US", "MX") else A4_PT
        self.width, self.height = size or usual
        self.left, self.right = 50.0, self.width - 50
        self.colour = bill.seller.colour
        self._fonts = _FONTS[font or bill.seller.font]
        self._file = io.BytesIO()
        # Without `invariant` a PDF carries the time at which it was made.
        self._canvas = Canvas(self._file, (self.width, self.height), invariant=1, pageCompression=1)
        self._canvas.setTitle("Sample invoice")

    def text(
        self,
        x: float,
        top: float,
        words: str,
        *,
        size: float = 9,
        bold: bool = False,
        align: Align = "left",
        colour: str = "#111111",
    ) -> float:
        """Write one line with its upper edge at `top`; return the upper edge of the next."""
        self._canvas.setFont(self._fonts[bold], size)
        self._canvas.setFillColor(HexColor(colour))
        draw = {
            "left": self._canvas.drawString,
            "right": self._canvas.drawRightString,
            "centre": self._canvas.drawCentredString,
        }[align]
        draw(x, self.height - top - 0.8 * size, words)
        return top + 1.35 * size

    def lines(
        self, x: float, top: float, words: Sequence[str], *, size: float = 9, align: Align = "left"
    ) -> float:
        """Write lines below each other."""
        for line in words:
            top = self.text(x, top, line, size=size, align=align)
        return top

    def wrapped(self, x: float, top: float, words: str, width: float, *, size: float = 9) -> float:
        """Write a paragraph."""
        line = ""
        for word in words.split():
            longer = f"{line} {word}".strip()
            if line and stringWidth(longer, self._fonts[0], size) > width:
                top = self.text(x, top, line, size=size)
                longer = word
            line = longer
        return self.text(x, top, line, size=size)

    def rule(self, x0: float, top: float, x1: float, *, weight: float = 0.6) -> None:
        """Draw a horizontal line."""
        self._canvas.setStrokeColor(HexColor("#555555"))
        self._canvas.setLineWidth(weight)
        self._canvas.line(x0, self.height - top, x1, self.height - top)

    def box(
        self, x0: float, top: float, x1: float, bottom: float, *, fill: str | None = None
    ) -> None:
        """Draw a box, either filled or with a border."""
        self._canvas.setLineWidth(0.6)
        self._canvas.setStrokeColor(HexColor("#555555"))
        if fill:
            self._canvas.setFillColor(HexColor(fill))
        self._canvas.rect(
            x0, self.height - bottom, x1 - x0, bottom - top, stroke=not fill, fill=bool(fill)
        )

    def pairs(
        self, x: float, top: float, facts: Sequence[tuple[str, str]], *, gap: float = 95,
        size: float = 9, align: Align = "left", colon: bool = True,
    ) -> float:  # fmt: skip
        """Write labels with their values on the same line, `gap` to the right."""
        for label, value in facts:
            self.text(x, top, label + (":" if colon else ""), size=size)
            top = self.text(x + gap, top, value, size=size, align=align)
        return top

    def strip(
        self, top: float, facts: Sequence[tuple[str, str]], *, boxed: bool, per_row: int = 4
    ) -> float:
        """Write labels above their values, side by side."""
        for start in range(0, len(facts), per_row):
            row = facts[start : start + per_row]
            step = (self.right - self.left) / (len(row) if boxed else per_row)
            for column, (label, value) in enumerate(row):
                x = self.left + column * step
                if boxed:
                    self.box(x, top, x + step, top + 30)
                self.text(x + 4, top + 4, label, size=7, colour="#444444")
                self.text(x + 4, top + 15, value, size=9, bold=not boxed)
            top += 34
        return top

    def table(
        self, bill: Bill, top: float, keys: Sequence[str], *, rules: Rules, x0: float | None = None,
        numbered: bool = False, size: float = 9,
    ) -> float:  # fmt: skip
        """Write the items; numbers are set flush right."""
        left = self.left if x0 is None else x0
        columns = _columns(left, self.right, keys, numbered)
        step = 1.9 * size
        heads = {key: bill.word(key) for key in keys} | {"position": "#"}
        if rules == "zebra":
            self.box(left, top, self.right, top + step, fill="#dddddd")
        self._row(columns, top + 0.35 * size, heads, size, bold=True)
        if rules in ("head", "lines", "grid"):
            self.rule(left, top + step, self.right)
        for number, item in enumerate(bill.items, start=1):
            top += step
            if rules == "zebra" and number % 2 == 0:
                self.box(left, top, self.right, top + step, fill="#f0f0f0")
            cells = bill.row(item) | {"position": str(number)}
            self._row(columns, top + 0.35 * size, cells, size, bold=False)
            if rules in ("lines", "grid"):
                self.rule(left, top + step, self.right, weight=0.3)
        bottom = top + step
        if rules == "grid":
            self.box(left, bottom - step * (len(bill.items) + 1), self.right, bottom)
        if rules == "head":
            self.rule(left, bottom, self.right)
        return bottom + 6

    def totals(
        self, bill: Bill, top: float, *, x: float, right: float, size: float = 9.5,
        boxed: bool = False,
    ) -> float:  # fmt: skip
        """Write the totals, label left and amount flush right, the last one bold."""
        rows = bill.totals()
        if boxed:
            self.box(x - 6, top - 4, right + 6, top + 1.7 * size * len(rows) + 2)
        for number, (label, amount) in enumerate(rows, start=1):
            bold = number == len(rows)
            self.text(x, top, label, size=size, bold=bold)
            self.text(right, top, amount, size=size, bold=bold, align="right")
            top += 1.7 * size
        return top + 8

    def finish(self) -> bytes:
        """Return the PDF."""
        self._canvas.showPage()
        self._canvas.save()
        return self._file.getvalue()

    def _row(
        self, columns: list[_Column], top: float, cells: dict[str, str], size: float, *, bold: bool
    ) -> None:
        for column in columns:
            self.text(column.x, top, cells[column.key], size=size, bold=bold, align=column.align)


@dataclass(frozen=True, slots=True)
class _Column:
    key: str
    x: float
    align: Align


def _columns(left: float, right: float, keys: Sequence[str], numbered: bool) -> list[_Column]:
    """Place the columns: the description takes what the numbers leave."""
    width = 78.0 if right - left > 300 else 52.0
    columns = [_Column("position", left + 4, "left")] if numbered else []
    x = left + (24 if numbered else 4)
    at = keys.index("description")
    for key in keys[:at]:
        columns.append(_Column(key, x + width - 40, "right"))
        x += width - 30
    columns.append(_Column("description", x, "left"))
    for place, key in enumerate(reversed(keys[at + 1 :])):
        columns.append(_Column(key, right - 4 - place * width, "right"))
    return columns


_ALL = ("description", "quantity", "unit_price", "line_total")
_COUNT_FIRST = ("quantity", "description", "unit_price", "line_total")


def _contact(bill: Bill) -> list[str]:
    party = bill.seller.party
    return [party.phone, party.email]


def _seller_lines(bill: Bill, *, vat: bool = True) -> list[str]:
    party, line = bill.seller.party, bill.vat_line()
    return [party.name, party.street, party.city, *([line] if vat and line else [])]


def _footer(page: Sheet, bill: Bill, *, columns: bool = False) -> None:
    top = page.height - 70
    page.rule(page.left, top - 6, page.right, weight=0.3)
    bank = bill.bank()
    if columns:
        third = (page.right - page.left) / 3
        page.lines(page.left, top, _seller_lines(bill, vat=False), size=7)
        page.lines(page.left + third, top, bank, size=7)
        vat = bill.vat_line()
        page.lines(page.left + 2 * third, top, [*([vat] if vat else []), *_contact(bill)], size=7)
        return
    middle = (page.left + page.right) / 2
    top = page.text(middle, top, "  ·  ".join(_contact(bill)), size=7.5, align="centre")
    if bank:
        page.text(middle, top, "  ·  ".join(bank), size=7.5, align="centre")


def classic(bill: Bill) -> bytes:
    """Seller top left, numbers and dates top right, ruled table, totals right, bank at the foot."""
    page = Sheet(bill)
    page.text(page.left, 45, bill.seller.party.name, size=15, bold=True, colour=page.colour)
    page.lines(page.left, 68, _seller_lines(bill)[1:])
    page.text(page.right, 45, bill.word("title"), size=16, align="right")
    page.pairs(page.right - 195, 75, bill.facts(), gap=195, align="right")
    page.text(page.left, 170, bill.word("buyer"), bold=True)
    page.lines(page.left, 184, bill.buyer_lines())
    top = page.table(bill, 260, _ALL, rules="lines")
    top = page.totals(bill, top + 6, x=page.right - 190, right=page.right - 4)
    page.lines(page.left, top + 12, [*bill.terms(), bill.word("thanks")])
    _footer(page, bill)
    return page.finish()


def letter(bill: Bill) -> bytes:
    """A business letter: sender line over the address, subject, greeting, footer in columns."""
    page = Sheet(bill)
    party = bill.seller.party
    page.text(page.left, 95, f"{party.name} · {party.street} · {party.city}", size=6.5)
    page.lines(page.left, 112, bill.buyer_lines(), size=10)
    facts = [fact for fact in bill.facts() if fact[1] != bill.number]
    page.pairs(page.right - 190, 112, facts, gap=100)
    page.text(page.left, 215, f"{bill.word('invoice_number')} {bill.number}", size=13, bold=True)
    top = page.wrapped(page.left, 245, bill.word("hello"), page.right - page.left, size=10)
    top = page.table(bill, top + 10, _ALL, rules="head", numbered=True)
    top = page.totals(bill, top + 2, x=page.right - 190, right=page.right - 4)
    top = page.lines(page.left, top + 10, bill.terms(), size=10)
    page.lines(page.left, top + 12, [bill.word("thanks"), "", party.name], size=10)
    _footer(page, bill, columns=True)
    return page.finish()


def boxes(bill: Bill) -> bytes:
    """Everything in boxes: labels small above values, full grid, boxed totals."""
    page = Sheet(bill)
    page.text(page.left, 40, bill.word("title"), size=18, bold=True)
    half = (page.left + page.right) / 2
    for x, label, lines in (
        (page.left, bill.word("seller"), [*_seller_lines(bill), bill.seller.party.phone]),
        (half + 5, bill.word("buyer"), bill.buyer_lines()),
    ):
        page.box(x, 72, x + half - page.left - 5, 150)
        page.text(x + 5, 76, label, size=7, colour="#444444")
        page.lines(x + 5, 88, lines)
    top = page.strip(162, bill.facts(), boxed=True)
    top = page.table(bill, top + 10, _ALL, rules="grid", numbered=True)
    top = page.totals(bill, top + 10, x=page.right - 200, right=page.right - 10, boxed=True)
    page.lines(page.left, top, [*bill.terms(), *bill.bank()])
    return page.finish()


def two_columns(bill: Bill) -> bytes:
    """Seller and buyer side by side under a title, label above value, shaded rows."""
    page = Sheet(bill)
    page.text(page.left, 42, bill.word("title"), size=22, bold=True, colour=page.colour)
    half = (page.left + page.right) / 2
    page.text(page.left, 85, bill.word("seller").upper(), size=8, bold=True)
    page.lines(page.left, 98, [*_seller_lines(bill), bill.seller.party.email])
    page.text(half + 10, 85, bill.word("buyer").upper(), size=8, bold=True)
    page.lines(half + 10, 98, bill.buyer_lines())
    top = page.strip(185, bill.facts(), boxed=False, per_row=3)
    top = page.table(bill, top + 8, _COUNT_FIRST, rules="zebra")
    top = page.totals(bill, top + 8, x=half + 10, right=page.right - 4)
    top = page.lines(page.left, top + 8, bill.bank())
    page.lines(page.left, top + 6, bill.terms())
    page.text(page.right, page.height - 40, bill.word("page"), size=7, align="right")
    return page.finish()


def till(bill: Bill) -> bytes:
    """A narrow roll: centred seller, two lines an item, no columns."""
    lines = 34 + 2 * len(bill.items)
    page = Sheet(bill, (250, 13 * lines + 40), font="Courier")
    page.left, page.right = 14, 236
    middle = 125.0
    top = page.text(middle, 16, bill.seller.party.name[:36], size=9, bold=True, align="centre")
    top = page.lines(middle, top, _seller_lines(bill)[1:], size=8, align="centre")
    top = page.text(middle, top + 8, bill.word("title"), size=11, bold=True, align="centre")
    for label, value in bill.facts():
        page.text(page.left, top + 4, f"{label}:", size=8)
        page.text(page.right, top + 4, value, size=8, align="right")
        top += 12
    top = page.text(page.left, top + 10, f"{bill.word('buyer')}:", size=8)
    top = page.lines(page.left, top, bill.buyer_lines(), size=8)
    page.rule(page.left, top + 4, page.right)
    top += 10
    for item in bill.items:
        cells = bill.row(item)
        top = page.text(page.left, top, cells["description"], size=8)
        page.text(page.left + 10, top, f"{cells['quantity']} x {cells['unit_price']}", size=8)
        top = page.text(page.right, top, cells["line_total"], size=8, align="right")
    page.rule(page.left, top + 4, page.right)
    top = page.totals(bill, top + 10, x=page.left, right=page.right, size=8.5)
    page.lines(page.left, top, [*bill.bank(), *bill.terms(), bill.word("thanks")], size=7)
    return page.finish()


def band(bill: Bill) -> bytes:
    """A coloured band with the title, the sum to pay large on top, items without rules."""
    page = Sheet(bill)
    page.box(0, 0, page.width, 64, fill=page.colour)
    page.text(page.left, 22, bill.word("title"), size=20, bold=True, colour="#ffffff")
    page.text(page.right, 26, bill.seller.party.name, size=12, align="right", colour="#ffffff")
    label, amount = bill.totals()[-1]
    page.text(page.left, 84, label, size=8, colour="#666666")
    page.text(page.left, 97, amount, size=18, bold=True)
    page.pairs(page.right - 200, 142, bill.facts(), gap=110, colon=False)
    page.text(page.left, 142, bill.word("buyer"), size=8, colour="#666666")
    page.lines(page.left, 155, bill.buyer_lines())
    top = page.table(bill, 240, _ALL, rules="none")
    top = page.totals(bill, top + 12, x=page.right - 190, right=page.right - 4)
    page.lines(page.left, top + 10, [*bill.terms(), *bill.bank()])
    page.lines(page.left, page.height - 80, [*_seller_lines(bill), *_contact(bill)], size=7.5)
    return page.finish()


def sidebar(bill: Bill) -> bytes:
    """Seller and bank data in a shaded column at the left, everything else beside it."""
    page = Sheet(bill)
    page.box(0, 0, 178, page.height, fill="#eeeeee")
    top = page.wrapped(18, 48, bill.seller.party.name, 150, size=12)
    top = page.lines(18, top + 6, [*_seller_lines(bill)[1:], *_contact(bill)], size=7.5)
    page.lines(18, top + 24, bill.bank(), size=7.5)
    page.left = 198
    page.text(page.left, 46, bill.word("title"), size=20, bold=True, colour=page.colour)
    page.pairs(page.left, 84, bill.facts(), gap=120)
    page.text(page.left, 185, f"{bill.word('buyer')}:", bold=True)
    page.lines(page.left, 199, bill.buyer_lines())
    top = page.table(bill, 275, ("description", "unit_price", "quantity", "line_total"),
                     rules="head", size=8)  # fmt: skip
    top = page.totals(bill, top + 8, x=page.right - 180, right=page.right - 4)
    page.lines(page.left, top + 14, bill.terms())
    return page.finish()


def fees(bill: Bill) -> bytes:
    """A note of fees: lines without quantities, totals below in the same column."""
    page = Sheet(bill)
    top = page.lines(page.left, 48, _seller_lines(bill), size=10)
    page.lines(page.left, top + 24, bill.buyer_lines(), size=10)
    where = bill.seller.party.city
    page.text(page.right, 200, bill.day(bill.issued), size=10, align="right")
    title = f"{bill.word('title')} {bill.number}"
    top = page.text(page.left, 225, title, size=14, bold=True)
    others = [fact for fact in bill.facts() if fact[1] not in (bill.number, bill.day(bill.issued))]
    top = page.pairs(page.left, top + 4, others, gap=120, size=10)
    top = page.wrapped(page.left, top + 12, bill.word("hello"), page.right - page.left, size=10)
    top += 10
    for item in bill.items:
        page.text(page.left + 12, top, item.description, size=10)
        top = page.text(page.right - 40, top, bill.row(item)["line_total"], size=10, align="right")
    page.rule(page.right - 140, top + 2, page.right - 40)
    top = page.totals(bill, top + 8, x=page.left + 12, right=page.right - 40, size=10)
    top = page.lines(page.left, top + 10, bill.terms(), size=10)
    page.lines(page.left, top + 8, bill.bank(), size=10)
    page.text(page.left, page.height - 60, f"{where} · {bill.seller.party.phone}", size=8)
    return page.finish()


def buyer_first(bill: Bill) -> bytes:
    """Buyer top left, title in the middle, the seller only at the foot."""
    page = Sheet(bill)
    page.text(page.left, 50, bill.word("buyer"), size=7.5, colour="#555555")
    page.lines(page.left, 62, bill.buyer_lines(), size=10)
    middle = (page.left + page.right) / 2
    page.text(middle, 150, bill.word("title"), size=16, bold=True, align="centre")
    page.rule(page.left, 175, page.right)
    half = -(-len(bill.facts()) // 2)
    page.pairs(page.left, 184, bill.facts()[:half], gap=110)
    page.pairs(middle + 10, 184, bill.facts()[half:], gap=110)
    top = page.table(bill, 245, _ALL, rules="lines", numbered=True)
    top = page.totals(bill, top + 4, x=page.left + 4, right=page.right - 4)
    page.lines(page.left, top + 8, bill.terms())
    _footer(page, bill, columns=True)
    return page.finish()


def form(bill: Bill) -> bytes:
    """A form: labels flush right before their values, boxes around parts."""
    page = Sheet(bill)
    page.text(page.right, 40, bill.word("title"), size=17, bold=True, align="right")
    page.box(page.left, 66, page.right, 160)
    rows = [
        (bill.word("seller"), bill.seller.party.name),
        ("", f"{bill.seller.party.street}, {bill.seller.party.city}"),
        ("", bill.vat_line() or bill.seller.party.email),
        (bill.word("buyer"), bill.buyer.name),
        ("", ", ".join(bill.buyer_lines()[1:])),
    ]
    top = 74.0
    for label, value in rows:
        page.text(page.left + 105, top, label, size=9, align="right", colour="#444444")
        top = page.text(page.left + 115, top, value, bold=bool(label)) + 3
    top = 172.0
    for label, value in bill.facts():
        page.text(page.left + 105, top, f"{label}:", align="right", colour="#444444")
        top = page.text(page.left + 115, top, value)
    top = page.table(bill, top + 14, _COUNT_FIRST, rules="grid")
    top = page.totals(bill, top + 8, x=page.right - 210, right=page.right - 8, boxed=True)
    page.lines(page.left, top, [*bill.bank(), *bill.terms()])
    return page.finish()


def letterhead_right(bill: Bill) -> bytes:
    """Seller flush right on top, title left, labels above values, totals left."""
    page = Sheet(bill)
    name, *rest = _seller_lines(bill)
    top = page.text(page.right, 44, name, size=13, bold=True, align="right", colour=page.colour)
    page.lines(page.right, top, [*rest, *_contact(bill)], size=8.5, align="right")
    page.text(page.left, 48, bill.word("title"), size=19, bold=True)
    page.text(page.left, 130, f"{bill.word('buyer')}:", size=8)
    page.lines(page.left, 142, bill.buyer_lines())
    top = page.strip(205, bill.facts(), boxed=False, per_row=3)
    page.rule(page.left, top - 2, page.right)
    top = page.table(bill, top + 4, _ALL, rules="head")
    top = page.totals(bill, top + 6, x=page.left + 4, right=page.left + 230)
    page.lines(page.left + 4, top + 4, [*bill.bank(), *bill.terms()])
    return page.finish()


def ledger(bill: Bill) -> bytes:
    """References left and buyer right under a centred title, count before item."""
    page = Sheet(bill)
    middle = (page.left + page.right) / 2
    title = f"{bill.word('title')} · {bill.seller.party.name}"
    page.text(middle, 44, title, size=13, bold=True, align="centre")
    party, vat = bill.seller.party, bill.vat_line()
    about = " · ".join([party.street, party.city, *([vat] if vat else [])])
    page.text(middle, 63, about, size=7.5, align="centre")
    page.pairs(page.left, 100, bill.facts(), gap=110)
    page.box(middle + 30, 94, page.right, 170)
    page.text(middle + 38, 99, bill.word("buyer"), size=8, bold=True)
    page.lines(middle + 38, 112, bill.buyer_lines())
    top = page.table(bill, 200, _COUNT_FIRST, rules="lines", numbered=True)
    top = page.totals(bill, top + 6, x=page.right - 200, right=page.right - 4)
    page.lines(page.left, top + 12, bill.terms())
    _footer(page, bill)
    return page.finish()


def centred(bill: Bill) -> bytes:
    """Centred letterhead, references in one line, totals as the last rows of the table."""
    page = Sheet(bill)
    middle = (page.left + page.right) / 2
    name, *rest = _seller_lines(bill)
    top = page.text(middle, 42, name, size=17, bold=True, align="centre", colour=page.colour)
    top = page.text(middle, top, " | ".join(rest), size=8, align="centre")
    page.rule(page.left, top + 6, page.right, weight=1.2)
    title = f"{bill.word('title')}  {bill.word('invoice_number')} {bill.number}"
    top = page.text(middle, top + 20, title, size=12, bold=True, align="centre")
    others = [f"{label}: {value}" for label, value in bill.facts() if value != bill.number]
    for start in range(0, len(others), 3):
        top = page.text(middle, top + 2, " | ".join(others[start : start + 3]), align="centre")
    top = page.text(page.left, top + 20, bill.word("buyer"), bold=True)
    top = page.lines(page.left, top, bill.buyer_lines())
    top = page.table(bill, top + 20, _ALL, rules="lines")
    for label, amount in bill.totals():
        page.text(page.left + 4, top, label, bold=True)
        top = page.text(page.right - 4, top, amount, bold=True, align="right") + 4
    page.rule(page.left, top, page.right, weight=1.2)
    page.lines(page.left, top + 14, [*bill.terms(), *bill.bank(), bill.word("thanks")])
    return page.finish()


def split(bill: Bill) -> bytes:
    """Buyer left, references boxed right, seller between rules below, totals in the middle."""
    page = Sheet(bill)
    page.text(page.left, 44, bill.word("title"), size=24, bold=True)
    page.text(page.left, 90, bill.word("buyer"), size=8, colour="#777777")
    page.lines(page.left, 102, bill.buyer_lines())
    facts = bill.facts()
    page.box(page.right - 190, 44, page.right, 52 + 27 * len(facts))
    for place, (label, value) in enumerate(facts):
        page.text(page.right - 182, 49 + 27 * place, label, size=7, colour="#777777")
        page.text(page.right - 182, 59 + 27 * place, value, size=10)
    page.rule(page.left, 226, page.right)
    seller = _seller_lines(bill)
    page.text(page.left, 232, f"{bill.word('seller')}: {seller[0]}", bold=True)
    page.text(page.left, 245, ", ".join([*seller[1:], bill.seller.party.phone]), size=8)
    page.rule(page.left, 260, page.right)
    top = page.table(bill, 275, ("description", "unit_price", "quantity", "line_total"),
                     rules="zebra")  # fmt: skip
    middle = (page.left + page.right) / 2
    top = page.totals(bill, top + 12, x=middle - 110, right=middle + 110, boxed=True, size=10)
    page.lines(page.left, top + 10, [*bill.bank(), *bill.terms()])
    return page.finish()


Layout = Callable[[Bill], bytes]

TRAIN: tuple[Layout, ...] = (
    classic, letter, boxes, two_columns, till, band, sidebar, fees, buyer_first, form,
)  # fmt: skip
VALIDATION: tuple[Layout, ...] = (letterhead_right, ledger)
HELD_OUT: tuple[Layout, ...] = (centred, split)
UNCOUNTED: tuple[Layout, ...] = (fees,)
"""Layouts that print neither quantity nor unit price."""
