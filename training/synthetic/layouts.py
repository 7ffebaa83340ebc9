"""Sets a trade as the text of a page: which blocks, in which order, with which wordings.

Whatever is set passes through `Sheet.say`, which notes the value as printed. So a concept that no
block printed is a true null, and no list of labels has to be kept in step with the layouts.
"""

from __future__ import annotations

import datetime
import textwrap
from decimal import Decimal
from random import Random
from typing import Any

from training.synthetic import countries, others, words
from training.synthetic.deals import Deal, Item, Party, cents

_ATTENTION = {
    "en": ("Attn: ", "Attn. ", "FAO "),
    "de": ("z. Hd. ", "Herrn ", "Frau ", "z.Hd. "),
    "fr": ("À l'att. de ", "M. ", "Mme "),
    "pt": ("A/C ", "Att. "),
    "nl": ("T.a.v. ",),
}
_INCLUDED = {
    "de": "inkl.",
    "en": "incl.",
    "fr": "dont",
    "pt": "incl.",
    "es": "incl.",
    "it": "di cui",
    "nl": "incl.",
}
_UNTAXED = {
    "de": (
        "Kein Ausweis von Umsatzsteuer, da Kleinunternehmer gemäß § 19 UStG",
        "Umsatzsteuerfrei nach § 4 UStG",
        "Steuerschuldnerschaft des Leistungsempfängers",
    ),
    "en": (
        "Reverse charge",
        "All prices include tax.",
        "No VAT is charged on this supply.",
        "VAT exempt",
    ),
    "fr": ("TVA non applicable, art. 293 B du CGI", "Autoliquidation"),
    "pt": ("IVA - regime de isenção", "Isento de imposto"),
    "it": ("Operazione esente da IVA",),
}
_NUMBERED = ("order_number", "customer_number", "delivery_note_number", "contract_number")


class Sheet:
    """A page being set: its lines, and each concept's value as printed so far."""

    def __init__(self, rng: Random, deal: Deal, *, size: float) -> None:
        self.rng = rng
        self.deal = deal
        self.size = size
        self.language = deal.country.language if rng.random() < 0.93 else "en"
        self.lines: list[str] = []
        self.printed: dict[str, Any] = {}
        self.kinds: dict[str, str] = {}
        self._number_style = rng.choice(deal.country.numbers)
        if rng.random() < 0.06:
            self._number_style = rng.choice(("1,234.50", "1.234,50", "1234.50", "1 234,50"))
        self._date_style = rng.choice(deal.country.dates)
        if rng.random() < 0.07:
            self._date_style = rng.choice(("Y-m-d", "d.m.Y", "d/m/Y", "d-b-Y", "Ymd"))
        self.symbol = rng.choice(deal.country.symbols)
        before = deal.country.language == "en" or deal.country.code in ("BR", "MX", "CH", "NL")
        self._symbol_mode = rng.choices(
            ("before", "after", "totals before", "totals after", "head", "none"),
            (50, 6, 16, 4, 18, 6) if before else (7, 45, 3, 20, 18, 7),
        )[0]
        self._gap = rng.choice(("", " ")) if self.symbol in "$£€₹" else " "
        if not before and "after" in self._symbol_mode:
            self._gap = " " if len(self.symbol) > 1 or rng.random() < 0.85 else ""
        self._colon = rng.choices(
            (":", " :", ":  ", "", "  ", ": "),
            (16, 5 if deal.country.language == "fr" else 1, 14, 10, 16, 40),
        )[0]
        self._places = 2
        self._labels: dict[str, str] = {}
        self._noted: set[str] = set()
        self.unclear: set[str] = set()
        self.boxes: dict[str, others.Box | None] = {}
        self.account: tuple[str, str, str] | None = None
        self._smudged = rng.random() < 0.05
        self._capitals = rng.choices((0, 1, 2), (78, 16, 6))[0]

    # What every block is made of.

    def say(self, concept: str, text: str) -> str:
        """Notes that `text` is printed for the concept, and returns it. The first print counts."""
        self.printed.setdefault(concept, text)
        return text

    def box(self, name: str, kind: str, value: str, note: str = "") -> None:
        """Notes a labelled place that is none of the concepts; two of one name are unclear."""
        shown = value if value not in ("", "-") else None
        self.boxes[name] = None if name in self.boxes else others.Box(kind, shown, note)

    def chance(self, probability: float) -> bool:
        """True with the probability."""
        return self.rng.random() < probability

    def label(self, concept: str) -> str:
        """The wording of a concept's label, the same one throughout a document."""
        if concept not in self._labels:
            table = words.LABELS[self.language]
            if concept == "seller_vat_id" and self.language == self.deal.country.language:
                text = self.rng.choice(self.deal.country.id_labels)
            else:
                used = set(self._labels.values())
                free = [label for label in table[concept] if label not in used]
                text = self.rng.choice(free or table[concept])
            if self.language != "en" and text and self.chance(0.04):
                text = f"{text} / {self.rng.choice(words.LABELS['en'][concept])}"
            if self._capitals == 1:
                text = text.upper()
            elif self._capitals == 2:
                text = text[:1].upper() + text[1:].lower()
            self._labels[concept] = text
        return self._labels[concept]

    def pair(self, concept: str, value: str, label: str | None = None) -> str:
        """`label: value` in the document's own style of colon."""
        text = self.label(concept) if label is None else label
        if not text:
            return value
        colon = self._colon if self._colon != "" else " "
        if text.endswith(("#", "N°", "Nº")) and self.chance(0.7):
            colon = " "
        if colon == ":" and self.chance(0.9):
            colon = ": "
        return (
            f"{text}{colon}{value}"
            if colon.endswith(" ") or colon == ":"
            else f"{text}{colon} {value}"
        )

    def number(self, value: Decimal, places: int = 2) -> str:
        """A number in the document's style, without currency."""
        sign, value = ("-", -value) if value < 0 else ("", value)
        text = f"{value:.{places}f}"
        whole, _, rest = text.partition(".")
        style = self._number_style
        mark = "," if style[-3] == "," else "."
        group = style[1] if not style[1].isdigit() else ""
        if style == "1,23,456.50":
            whole = _indian(whole)
        elif group:
            whole = f"{int(whole):,}".replace(",", group)
        return sign + (f"{whole}{mark}{rest}" if places else whole)

    def date(self, value: datetime.date) -> str:
        """A date in the document's style."""
        months = words.MONTHS[self.language]
        month = months[value.month - 1]
        style = self._date_style
        if style == "d B Y" and self.language == "de":
            style = "d. B Y"
        day = (
            f"{value.day:02d}"
            if style.strip() not in ("d B Y", "B d, Y", "d. B Y") or self.chance(0.4)
            else str(value.day)
        )
        out = {
            "d": day,
            "m": f"{value.month:02d}",
            "Y": str(value.year),
            "y": f"{value.year % 100:02d}",
            "B": month,
            "b": month[:3],
        }
        parts = style.split(" ")
        return " ".join(
            part if part in ("de", "r.") else "".join(out.get(mark, mark) for mark in part)
            for part in parts
        )

    def money(self, concept: str | None, value: Decimal, *, total: bool = True) -> str:
        """An amount with the currency where the document prints it; the number is what is noted."""
        number = self.number(value)
        if concept:
            self.say(concept, number)
        mode = self._symbol_mode
        if mode in ("head", "none") or (mode.startswith("totals") and not total):
            return number
        self.say("currency", self.symbol)
        if mode.endswith("before"):
            gap = self._gap if self.symbol in "$£€₹" else " "
            return f"{self.symbol}{gap}{number}"
        return f"{number}{self._gap}{self.symbol}"

    def rate(self, value: Decimal, *, note: bool) -> str:
        """A tax rate with its percent sign."""
        plain = f"{value.normalize():f}"
        if self._number_style[-3] == ",":
            plain = plain.replace(".", ",")
        if note:
            self.say("tax_rate", plain)
        return f"{plain}{self.rng.choice(('%', '%', ' %'))}"

    def put(self, *lines: str) -> None:
        """Adds lines; blanks at their ends and more than two in a row are never set."""
        self.lines += [line.strip() for line in lines]

    def noise(self, probability: float) -> None:
        """Adds sentences without values, as many as the document's size asks for."""
        if not self.chance(probability * self.size):
            return
        pool = [text for text in words.NOISE[self.language] if text not in self._noted]
        if not pool:
            return
        several = self.rng.randint(1, min(len(pool), 6)) if self.size > 0.9 else 1
        sentences = self.rng.sample(pool, several)
        self._noted.update(sentences)
        if self._smudged:
            sentences = [_smudge(self.rng, sentence) for sentence in sentences]
        if several > 1 and self.chance(0.5):
            width = self.rng.randint(50, 110)
            self.put(*textwrap.wrap(" ".join(sentences), width))
        else:
            self.put(*sentences)


def _smudge(rng: Random, sentence: str) -> str:
    """What a poor scan makes of words that hold no value."""
    swaps = {"l": "1", "o": "0", "e": "c", "m": "rn", "i": "j"}
    return "".join(swaps.get(mark, mark) if rng.random() < 0.15 else mark for mark in sentence)


def _indian(whole: str) -> str:
    head, tail = whole[:-3], whole[-3:]
    parts: list[str] = []
    while len(head) > 2:
        parts.insert(0, head[-2:])
        head = head[:-2]
    if head:
        parts.insert(0, head)
    return ",".join([*parts, tail])


def beside(left: list[str], right: list[str], down: int = 0) -> list[str]:
    """Two blocks side by side, the right one `down` lines lower."""
    right = [""] * down + right
    height = max(len(left), len(right))
    rows = zip(
        left + [""] * (height - len(left)), right + [""] * (height - len(right)), strict=True
    )
    return [f"{one}  {two}" if one and two else one or two for one, two in rows]


# Blocks.


def compose(sheet: Sheet) -> None:
    """Sets the whole document."""
    rng = sheet.rng
    plan = rng.choices(
        ("classic", "letter", "columns", "grid", "form", "receipt", "continuation"),
        (28, 18, 17, 9, 15, 8, 5),
    )[0]
    sheet.kinds["plan"] = plan
    if plan in ("receipt", "form"):
        (_receipt if plan == "receipt" else _form)(sheet)
        return
    if plan == "grid":
        _grid_head(sheet)
    elif plan == "columns":
        _columns_head(sheet)
    elif plan == "letter":
        _letter_head(sheet)
    elif plan == "classic":
        _classic_head(sheet)
    else:
        _running_head(sheet)
    for _ in range(2):
        sheet.noise(0.4)
    ending = rng.choices(("whole", "first page", "no items"), (89, 7, 4))[0]
    sheet.kinds["ending"] = ending
    if ending == "no items":
        sheet.printed["line_items"] = []
    else:
        items(sheet)
    if ending == "first page":
        # The totals are on a page that is not here.
        sheet.noise(0.5)
    else:
        totals(sheet)
        payment(sheet)
        for _ in range(4):
            sheet.noise(0.6)
    footer(sheet)


def seller_block(sheet: Sheet, *, name: bool = True, contact: float = 0.5) -> list[str]:
    """Name, address and contact of the seller."""
    deal, rng = sheet.deal, sheet.rng
    lines = [sheet.say("seller_name", deal.seller.name)] if name else []
    if sheet.chance(0.85):
        lines += address(sheet, "seller_address", deal.seller)
    if sheet.chance(contact):
        more = [
            sheet.pair("seller_phone", sheet.say("seller_phone", deal.seller.phone))
            if sheet.chance(0.7)
            else "",
            sheet.pair("seller_email", sheet.say("seller_email", deal.seller.email))
            if sheet.chance(0.6)
            else "",
            f"www.{deal.seller.email.split('@')[1]}" if sheet.chance(0.35) else "",
        ]
        more = [line for line in more if line]
        lines += [", ".join(more)] if sheet.chance(0.15) and more else more
    if "vat" in sheet.kinds and sheet.chance(0.5):
        lines.append(seller_tax(sheet))
    if sheet.chance(0.08):
        lines.insert(
            rng.randint(0, 1),
            rng.choice(
                (
                    "Logo",
                    "LOGO",
                    "Your trusted partner",
                    "since 1987",
                    "Qualität aus Tradition",
                    deal.seller.name.split()[0].upper(),
                )
            ),
        )
    return lines


def seller_tax(sheet: Sheet) -> str:
    """The seller's tax number with its label."""
    return sheet.pair("seller_vat_id", sheet.say("seller_vat_id", sheet.deal.seller.tax_number))


def address(sheet: Sheet, concept: str, party: Party) -> list[str]:
    """An address, over several lines or in one."""
    if sheet.chance(0.28):
        return [sheet.say(concept, ", ".join(party.address))]
    sheet.say(concept, " ".join(party.address))
    return list(party.address)


def buyer_block(sheet: Sheet, *, labelled: float = 0.75) -> list[str]:
    """The buyer with or without a label, number, tax number and person."""
    deal = sheet.deal
    if "no buyer" in sheet.kinds:
        return []
    lines = []
    name = sheet.say("buyer_name", deal.buyer.name)
    if sheet.chance(labelled):
        label = sheet.label("buyer")
        if sheet.chance(0.2):
            lines.append(sheet.pair("buyer", name))
        else:
            lines += [label + sheet.rng.choice(("", "", ":")), name]
    else:
        lines.append(name)
    if sheet.chance(0.2):
        lines.append(
            sheet.rng.choice(("", "c/o ", *_ATTENTION.get(sheet.language, ("Attn: ",))))
            + deal.buyer.contact
        )
    if sheet.chance(0.88):
        lines += address(sheet, "buyer_address", deal.buyer)
    if sheet.chance(0.1):
        lines.append(deal.buyer.email)
    if sheet.chance(0.1):
        lines.append(deal.buyer.phone)
    if sheet.chance(0.24):
        lines.append(sheet.pair("buyer_vat_id", sheet.say("buyer_vat_id", deal.buyer.tax_number)))
    return lines


def ship_to_block(sheet: Sheet) -> list[str]:
    """A place of delivery: a decoy beside the buyer."""
    party = sheet.deal.ship_to if sheet.chance(0.6) else sheet.deal.buyer
    if party is sheet.deal.buyer and "no buyer" in sheet.kinds:
        party = sheet.deal.ship_to
    lines = [
        sheet.label("ship_to") + sheet.rng.choice(("", ":")),
        sheet.say("ship_to_name", party.name),
    ]
    if sheet.chance(0.8):
        lines += party.address
    return lines


def metadata(sheet: Sheet) -> list[tuple[str, str, str]]:
    """Concept, label and value of what identifies the document, in a random order."""
    deal = sheet.deal
    found: list[tuple[str, str, str]] = []
    if "invoice_number" not in sheet.printed:
        found.append(
            (
                "invoice_number",
                sheet.label("invoice_number"),
                sheet.say("invoice_number", deal.numbers["invoice_number"]),
            )
        )
    if "issue_date" not in sheet.printed and sheet.chance(0.94):
        found.append(
            (
                "issue_date",
                sheet.label("issue_date"),
                sheet.say("issue_date", sheet.date(deal.issue_date)),
            )
        )
    more: list[tuple[str, str, str]] = []
    if "due" in sheet.kinds and sheet.kinds["due"] == "field":
        more.append(
            ("due_date", sheet.label("due_date"), sheet.say("due_date", sheet.date(deal.due_date)))
        )
    if sheet.chance(0.3 * sheet.size):
        more.append(
            (
                "delivery_date",
                sheet.label("delivery_date"),
                sheet.say("delivery_date", sheet.date(deal.delivery_date)),
            )
        )
    for concept in _NUMBERED:
        if sheet.chance(
            {"order_number": 0.34, "customer_number": 0.34}.get(concept, 0.12) * sheet.size
        ):
            more.append((concept, sheet.label(concept), sheet.say(concept, deal.numbers[concept])))
    if sheet.chance(0.16 * sheet.size):
        more.append(
            (
                "contact_name",
                sheet.label("contact_name"),
                sheet.say("contact_name", deal.seller.contact),
            )
        )
    if sheet.chance(0.12):
        more.append(
            (
                "payment_terms",
                sheet.label("payment_terms"),
                sheet.say("payment_terms", _terms(sheet)),
            )
        )
    # Where there is no date to pay by, another date is taken for it unless such pages are learned.
    if sheet.chance(0.3 if "due_date" in sheet.printed else 0.45):
        more += [("", *box) for box in other_dates(sheet, sheet.rng.randint(1, 2))]
    if sheet.chance(0.5):
        more += [("", *box) for box in others.print_some(sheet, sheet.rng.randint(1, 3))]
    if sheet.kinds["currency"] == "field" and sheet.chance(0.5):
        more.append(
            ("currency", sheet.label("currency"), sheet.say("currency", deal.country.currency))
        )
    if sheet.chance(0.3):
        sheet.rng.shuffle(more)
    found += more
    if sheet.chance(0.15):
        sheet.rng.shuffle(found)
    return found


def other_dates(sheet: Sheet, count: int) -> list[tuple[str, str]]:
    """Labels and values of dates that no concept asks for."""
    days = (sheet.rng.randint(-60, 45) for _ in range(count))
    labels = sheet.rng.sample(words.OTHER_DATES[sheet.language], count)
    day = datetime.timedelta(days=1)
    found = [
        (label, sheet.date(sheet.deal.issue_date + number * day))
        for label, number in zip(labels, days, strict=True)
    ]
    for label, value in found:
        sheet.box(others.field_name(label), "date", value)
    return found


def other_boxes(sheet: Sheet, count: int) -> list[tuple[str, str]]:
    """Labels and values of boxes that no concept asks for; many are empty."""
    rng, deal = sheet.rng, sheet.deal
    found = []
    for label in rng.sample(words.OTHER_BOXES[sheet.language], count):
        number = countries.fill(rng, "9" * rng.randint(1, 12), letters=False)
        place = countries.place(rng, deal.country)
        value = rng.choice(("-", "", number, number, place, rng.choice("ABCSNX0123")))
        sheet.box(others.field_name(label), "text" if value == place else "identifier", value)
        found.append((label, value))
    return found


def set_metadata(sheet: Sheet, *, narrow: bool = False) -> list[str]:
    """The identifying values in one of several styles."""
    found = metadata(sheet)
    style = sheet.rng.choices(
        ("pairs", "stacked", "table", "running", "labels then values"),
        (70, 10, 0 if narrow else 14, 0 if narrow else 6, 2),
    )[0]
    sheet.kinds["metadata"] = style
    if style == "pairs" or not found:
        return [sheet.pair(concept, value, label) for concept, label, value in found]
    if style == "stacked":
        return [line for _, label, value in found for line in (label, value)]
    if style == "labels then values":
        return [label for _, label, _ in found] + [value for _, _, value in found]
    if style == "running":
        mark = sheet.rng.choice(("  ", " | ", "  ·  ", ", ", " - "))
        return [
            mark.join(
                sheet.pair(concept, value, label)
                for concept, label, value in found[start : start + 3]
            )
            for start in range(0, len(found), 3)
        ]
    width = sheet.rng.randint(2, 5)
    lines = []
    for start in range(0, len(found), width):
        row = found[start : start + width]
        lines += ["  ".join(label for _, label, _ in row), "  ".join(value for _, _, value in row)]
    return lines


def title(sheet: Sheet) -> list[str]:
    """The word for the document, at times with its number and date."""
    word = sheet.rng.choice(words.TITLES[sheet.language])
    number = sheet.deal.numbers["invoice_number"]
    form = sheet.rng.random()
    if "invoice_number" in sheet.printed or form < 0.62:
        return [word] if form < 0.58 else []
    mark = sheet.rng.choice((" ", " ", " # ", " #", " Nr. ", " No. ", " N° ", ": ", " nº "))
    line = word + mark + sheet.say("invoice_number", number)
    if form > 0.9 and "issue_date" not in sheet.printed:
        of = {
            "en": ("of", "dated"),
            "de": ("vom",),
            "fr": ("du",),
            "es": ("de",),
            "pt": ("de",),
            "it": ("del",),
            "nl": ("van",),
        }.get(sheet.language, ("/",))
        line += f" {sheet.rng.choice(of)} " + sheet.say(
            "issue_date", sheet.date(sheet.deal.issue_date)
        )
    return [line]


def dateline(sheet: Sheet) -> list[str]:
    """A date without label, as in a letter."""
    town = countries.place(sheet.rng, sheet.deal.country)
    mark = {
        "de": (", ", ", den "),
        "fr": (", le ", " le "),
        "es": (", a ", ", "),
        "pt": (", ",),
    }.get(sheet.language, (", ",))
    return [
        town + sheet.rng.choice(mark) + sheet.say("issue_date", sheet.date(sheet.deal.issue_date))
    ]


def _classic_head(sheet: Sheet) -> None:
    rng = sheet.rng
    footer_only = sheet.chance(0.12)
    seller = [] if footer_only else seller_block(sheet)
    head = title(sheet)
    if sheet.chance(0.3) and seller:
        sheet.put(
            *beside(seller, head, rng.randint(0, 2)) if sheet.chance(0.5) else beside(head, seller)
        )
    elif sheet.chance(0.7):
        sheet.put(*seller, *head)
    else:
        sheet.put(*head, *seller)
    _space(sheet)
    buyer = buyer_block(sheet)
    if sheet.chance(0.2):
        ship = ship_to_block(sheet)
        buyer = beside(buyer, ship) if sheet.chance(0.7) else buyer + ship
        meta = set_metadata(sheet)
        sheet.put(*(buyer + meta if sheet.chance(0.5) else meta + buyer))
    elif sheet.chance(0.55):
        meta = set_metadata(sheet, narrow=True)
        sheet.put(
            *(beside(buyer, meta, rng.randint(0, 2)) if sheet.chance(0.75) else beside(meta, buyer))
        )
    else:
        meta = set_metadata(sheet)
        sheet.put(*(buyer + meta if sheet.chance(0.6) else meta + buyer))
    _space(sheet)


def _letter_head(sheet: Sheet) -> None:
    deal = sheet.deal
    form = sheet.rng.random()
    if form < 0.65:
        mark = sheet.rng.choice((" - ", " · ", ", ", " | ", " • "))
        name = sheet.say("seller_name", deal.seller.name)
        place = sheet.say("seller_address", mark.join(deal.seller.address))
        sender = [name + mark + place]
    elif form < 0.85:
        sender = seller_block(sheet)
    else:
        sender = []
    buyer = buyer_block(sheet, labelled=0.15)
    dated = dateline(sheet) if sheet.chance(0.35) else []
    if sheet.chance(0.45):
        meta = set_metadata(sheet, narrow=True)
        sheet.put(*sender, *beside(buyer, meta, sheet.rng.randint(0, 2)), *dated, *title(sheet))
    elif sheet.chance(0.5):
        sheet.put(*sender, *buyer, *dated, *title(sheet), *set_metadata(sheet))
    else:
        sheet.put(*sender, *buyer, *set_metadata(sheet), *dated, *title(sheet))
    _space(sheet)
    if sheet.chance(0.5):
        sheet.noise(1.0)


def _columns_head(sheet: Sheet) -> None:
    if sheet.chance(0.75):
        sheet.put(*title(sheet))
    first = set_metadata(sheet) if sheet.chance(0.4) else []
    sheet.put(*first)
    labelled = sheet.label("seller") + sheet.rng.choice(("", ":"))
    seller = [labelled, *seller_block(sheet)]
    if "vat" in sheet.kinds and "seller_vat_id" not in sheet.printed and sheet.chance(0.6):
        seller.append(seller_tax(sheet))
    buyer = buyer_block(sheet, labelled=1.0)
    sheet.put(
        *(
            beside(seller, buyer)
            if sheet.chance(0.8)
            else beside(buyer, seller)
            if sheet.chance(0.4)
            else seller + buyer
        )
    )
    if not first:
        sheet.put(*set_metadata(sheet))
    if sheet.chance(0.15):
        sheet.put(*ship_to_block(sheet))
    _space(sheet)


def _grid_head(sheet: Sheet) -> None:
    deal, rng = sheet.deal, sheet.rng
    if sheet.chance(0.6):
        sheet.put(*title(sheet))
    boxes: list[tuple[str, str]] = []
    label = sheet.label
    party = (
        (label("seller"), sheet.say("seller_name", deal.seller.name)),
        (
            sheet.label("seller_vat_id"),
            sheet.say("seller_vat_id", deal.seller.tax_number) if "vat" in sheet.kinds else "-",
        ),
        (
            rng.choice(("ADDRESS", "ENDEREÇO", "Anschrift", "Adresse")),
            sheet.say("seller_address", ", ".join(deal.seller.address)),
        ),
    )
    boxes += party
    boxes += [(text, value) for _, text, value in metadata(sheet)]
    boxes += other_boxes(sheet, rng.choice((0, 0, 2, 4)))
    if "no buyer" not in sheet.kinds:
        boxes.append((label("buyer"), sheet.say("buyer_name", deal.buyer.name)))
        if sheet.chance(0.6):
            boxes.append((label("buyer_vat_id"), sheet.say("buyer_vat_id", deal.buyer.tax_number)))
        if sheet.chance(0.6):
            boxes.append(
                (
                    rng.choice(("ADDRESS", "ENDEREÇO", "Anschrift", "Adresse")),
                    sheet.say("buyer_address", ", ".join(deal.buyer.address)),
                )
            )
    if sheet.chance(0.5):
        sheet.rng.shuffle(boxes)
    while boxes:
        row, boxes = boxes[: (width := rng.randint(1, 4))], boxes[width:]
        upper = sheet.chance(0.6)
        sheet.put(
            "  ".join(text.upper() if upper else text for text, _ in row),
            "  ".join(value for _, value in row if value),
        )
    _space(sheet)


def _form(sheet: Sheet) -> None:
    """A form as authorities print them: sections of boxes, a label over each value or none."""
    deal, rng = sheet.deal, sheet.rng
    width = rng.randint(2, 4)
    if sheet.chance(0.8):
        sheet.put(*title(sheet))
    head = [(text, value) for _, text, value in metadata(sheet)]
    if sheet.chance(0.4):
        empty = [c for c in ("due_date", "order_number") if c not in sheet.printed]
        head += [(sheet.label(concept), "-") for concept in empty]
    head += other_boxes(sheet, rng.randint(0, 4))
    rng.shuffle(head)
    sections = [("", head)]
    taxed = "vat" in sheet.kinds
    number = sheet.say("seller_vat_id", deal.seller.tax_number) if taxed else "-"
    parties = [("seller", deal.seller, number)]
    if "no buyer" not in sheet.kinds:
        shown = sheet.chance(0.8)
        number = sheet.say("buyer_vat_id", deal.buyer.tax_number) if shown else "-"
        parties.append(("buyer", deal.buyer, number))
    names = {key: rng.choice(wordings) for key, wordings in words.PARTY[sheet.language].items()}
    more = {key: sheet.chance(0.5) for key in ("city", "phone", "email")}
    tax_first = sheet.chance(0.5)
    for role, party, number in parties:
        boxes = [(names["name"], sheet.say(f"{role}_name", party.name))]
        boxes.insert(0 if tax_first else 1, (sheet.label("seller_vat_id"), number))
        whole = ", ".join(party.address[:-1] if more["city"] else party.address)
        boxes.append((names["address"], whole))
        if more["city"]:
            boxes.append((names["city"], party.address[-1]))
            sheet.unclear.add(f"{role}_address")
        else:
            sheet.say(f"{role}_address", whole)
        for key in ("phone", "email"):
            if more[key]:
                value = getattr(party, key) if sheet.chance(0.7) else "-"
                if role == "seller" and value != "-":
                    sheet.say(f"seller_{key}", value)
                boxes.append((sheet.label(f"seller_{key}") or key, value))
        for box in other_boxes(sheet, rng.choice((0, 0, 1, 3))):
            boxes.insert(rng.randint(0, len(boxes)), box)
        sections.append((sheet.label(role), boxes))
    if sheet.chance(0.3):
        sections.append(sections.pop(0))
    for name, boxes in sections:
        if name:
            sheet.put(name.upper() if sheet.chance(0.5) else name)
        _put_boxes(sheet, boxes, width)
    if sheet.chance(0.5):
        items(sheet)
    else:
        sheet.put(rng.choice(words.COLUMNS[sheet.language]["description"]))
        sheet.put(*(item.description for item in deal.items))
        sheet.unclear.add("line_items")
    totals(sheet)
    payment(sheet)
    sheet.noise(0.8)
    footer(sheet)


def _put_boxes(sheet: Sheet, boxes: list[tuple[str, str]], width: int) -> None:
    """Rows of boxes, their labels in one line and their values in the next."""
    while boxes:
        count = min(len(boxes), sheet.rng.randint(1, width))
        row, boxes = boxes[:count], boxes[count:]
        # An empty box leaves no mark in a text; its label stands there all the same.
        values = "  ".join(value for _, value in row if value)
        sheet.put("  ".join(label for label, _ in row), *([values] if values else []))


def _running_head(sheet: Sheet) -> None:
    """A later page: little of the head is repeated, and the values it lacks are null."""
    parts = []
    if sheet.chance(0.6):
        parts.append(sheet.say("seller_name", sheet.deal.seller.name))
    if sheet.chance(0.6):
        parts.append(
            sheet.pair(
                "invoice_number", sheet.say("invoice_number", sheet.deal.numbers["invoice_number"])
            )
        )
    if sheet.chance(0.3):
        parts.append(
            sheet.pair("issue_date", sheet.say("issue_date", sheet.date(sheet.deal.issue_date)))
        )
    if sheet.chance(0.6):
        parts.append(_page_number(sheet))
    sheet.put(*(["  ".join(parts)] if sheet.chance(0.5) else parts))


def _receipt(sheet: Sheet) -> None:
    deal = sheet.deal
    sheet.put(*seller_block(sheet, contact=0.7))
    if "vat" in sheet.kinds and "seller_vat_id" not in sheet.printed:
        sheet.put(seller_tax(sheet))
    sheet.put(*title(sheet))
    if sheet.chance(0.7):
        sheet.put(*set_metadata(sheet))
    else:
        sheet.put(
            sheet.say("issue_date", sheet.date(deal.issue_date))
            + f" {sheet.rng.randint(8, 21)}:{sheet.rng.randint(10, 59)}"
        )
    if sheet.chance(0.3):
        sheet.put(*buyer_block(sheet))
    items(sheet)
    totals(sheet)
    if sheet.chance(0.5):
        sheet.unclear.add("payment_terms")
        sheet.put(
            sheet.rng.choice(
                (
                    "VISA **** 4242",
                    "CASH",
                    "Bar",
                    "Maestro",
                    "EC-Karte",
                    "Card payment",
                    "Contactless",
                    "Carte bancaire",
                )
            )
        )
    sheet.noise(1.0)


def _space(sheet: Sheet) -> None:
    if sheet.chance(0.25):
        sheet.put("")


def items(sheet: Sheet) -> None:
    """The lines of the trade."""
    style = sheet.rng.choices(
        ("table", "above", "below", "cells", "sentence", "list"), (62, 11, 12, 4, 4, 7)
    )[0]
    if len(sheet.deal.items) > 3 and style == "sentence":
        style = "table"
    sheet.kinds["items"] = style
    shown: list[dict[str, str | None]] = []
    if style == "sentence":
        for item in sheet.deal.items:
            amount = sheet.money(None, item.total)
            link = {"en": "for", "de": "für", "fr": "pour", "pt": "por", "es": "por"}.get(
                sheet.language, "-"
            )
            sheet.put(
                f"{item.description} {link} {amount}"
                if sheet.chance(0.6)
                else f"{item.description}  {amount}"
            )
            shown.append(_row(item, sheet, {"description", "line_total"}))
        sheet.printed["line_items"] = shown
        return
    if style == "list":
        for item in sheet.deal.items:
            quantity = _quantity(sheet, item)
            sheet.put(
                f"{quantity} x {item.description}"
                + (
                    f" @ {sheet.money(None, item.price, total=False)}"
                    if (priced := sheet.chance(0.5))
                    else ""
                )
                + f"  {sheet.money(None, item.total, total=False)}"
            )
            keys = {"description", "quantity", "line_total"} | ({"unit_price"} if priced else set())
            shown.append(_row(item, sheet, keys, quantity))
        sheet.printed["line_items"] = shown
        return
    columns = _columns(sheet)
    if sheet.chance(0.9):
        names = words.COLUMNS[sheet.language]
        heads = {column: sheet.rng.choice(names[column]) for column in columns}
        row = "  ".join(text.upper() if sheet.chance(0.05) else text for text in heads.values())
        sheet.put(row.upper() if sheet.chance(0.15) else row)
    unit_glued = "unit" not in columns and sheet.chance(0.2)
    detailed = 0.35 if style == "below" else 0.05 if sheet.chance(0.3) else 0.0
    for place, item in enumerate(sheet.deal.items):
        quantity = _quantity(sheet, item)
        cells = {column: _cell(sheet, column, item, place, quantity) for column in columns}
        if unit_glued:
            cells["quantity"] = f"{quantity} {item.unit}"
        shown.append(
            _row(item, sheet, set(columns) | ({"unit"} if unit_glued else set()), quantity)
        )
        _set_row(sheet, style, cells, item, detailed)
        if len(sheet.deal.items) > 10 and place == 8 and sheet.chance(0.4):
            sheet.put(_page_number(sheet), "")
    sheet.printed["line_items"] = shown
    if "tax_rate" in columns:
        sheet.say("tax_rate", _item_rate(sheet, sheet.deal.items[0]).rstrip("% "))


def _set_row(sheet: Sheet, style: str, cells: dict[str, str], item: Item, detailed: float) -> None:
    texts = list(cells.values())
    if style == "above":
        rest = [value for column, value in cells.items() if column != "description"]
        sheet.put(cells["description"], "  ".join(rest))
    elif style == "cells":
        sheet.put(*texts)
    elif (
        style == "table"
        and len(item.description) > 18
        and " " in item.description[6:-6]
        and sheet.chance(0.12)
        and next(iter(cells)) == "description"
    ):
        # The text wraps and its numbers stand on its last line, so the description stays whole.
        cut = item.description.index(" ", 6)
        sheet.put(item.description[:cut], "  ".join([item.description[cut + 1 :], *texts[1:]]))
    else:
        sheet.put("  ".join(text for text in texts if text))
    if sheet.chance(detailed):
        sheet.put(item.detail)


def _columns(sheet: Sheet) -> list[str]:
    deal = sheet.deal
    columns = ["description", "quantity", "unit_price", "line_total"]
    if sheet.chance(0.08):
        columns.remove("unit_price")
    elif sheet.chance(0.08):
        columns.remove("quantity")
    if sheet.chance(0.16):
        columns = [column for column in columns if column not in ("quantity",)]
        columns.insert(0 if sheet.chance(0.5) else 1, "quantity")
    if any(item.discount for item in deal.items):
        columns.insert(-1, "discount")
    if deal.taxed and (sheet.chance(0.24) or (len(deal.taxes) > 1 and sheet.chance(0.7))):
        columns.insert(sheet.rng.choice((-1, -1, len(columns))), "tax_rate")
    if "quantity" in columns and sheet.chance(0.2):
        columns.insert(columns.index("quantity") + 1, "unit")
    if sheet.chance(0.22):
        columns.insert(sheet.rng.choice((0, 0, 1)), "article_number")
    if sheet.chance(0.3):
        columns.insert(0, "position")
    return columns


def _quantity(sheet: Sheet, item: Item) -> str:
    if (
        item.quantity == item.quantity.to_integral_value()
        and sheet.kinds.setdefault(
            "quantities", sheet.rng.choice(("whole", "whole", "whole", "places"))
        )
        == "whole"
    ):
        return f"{item.quantity:.0f}"
    return sheet.number(item.quantity, 2)


def _cell(sheet: Sheet, column: str, item: Item, place: int, quantity: str) -> str:
    if column == "position":
        return f"{place + 1}{sheet.kinds.setdefault('positions', sheet.rng.choice(('', '', '.')))}"
    if column == "quantity":
        return quantity
    if column == "unit_price":
        return sheet.money(None, item.price, total=False)
    if column == "line_total":
        return sheet.money(None, item.total, total=False)
    if column == "tax_rate":
        return _item_rate(sheet, item)
    if column == "discount":
        return (
            f"{item.discount}%"
            if item.discount
            else sheet.kinds.setdefault("no discount", sheet.rng.choice(("-", "0%", "0", "")))
        )
    return str(getattr(item, column))


def _item_rate(sheet: Sheet, item: Item) -> str:
    text = f"{item.tax_rate.normalize():f}"
    if sheet._number_style[-3] == ",":
        text = text.replace(".", ",")
    return text + sheet.kinds.setdefault("percent", sheet.rng.choice(("%", "%", " %", "")))


def _row(
    item: Item, sheet: Sheet, columns: set[str], quantity: str | None = None
) -> dict[str, str | None]:
    return {
        "description": item.description,
        "quantity": quantity if "quantity" in columns else None,
        "unit_price": sheet.number(item.price) if "unit_price" in columns else None,
        "line_total": sheet.number(item.total),
        "article_number": item.article_number if "article_number" in columns else None,
        "unit": item.unit if "unit" in columns else None,
        "tax_rate": _item_rate(sheet, item).rstrip("% ") if "tax_rate" in columns else None,
    }


def totals(sheet: Sheet) -> None:
    """From the lines to what is to be paid."""
    deal = sheet.deal
    rows: list[tuple[str, str]] = []
    plain = not deal.discount and not deal.shipping
    taxed = sheet.kinds["tax"] == "shown"
    net_shown = taxed and (sheet.chance(0.93))
    if not plain:
        if sheet.chance(0.8):
            word = {
                "en": "Subtotal",
                "de": "Zwischensumme",
                "fr": "Sous-total",
                "pt": "Subtotal",
                "es": "Subtotal",
                "it": "Subtotale",
                "nl": "Subtotaal",
            }.get(sheet.language, "Subtotal")
            rows.append(
                (
                    sheet.rng.choice(
                        (word, {"de": "Warenwert", "en": "Items total"}.get(sheet.language, word))
                    ),
                    sheet.money(None, deal.line_sum),
                )
            )
        if deal.discount:
            sign = sheet.rng.choice((1, -1))
            rows.append(
                (sheet.label("discount_total"), sheet.money("discount_total", sign * deal.discount))
            )
        if deal.shipping:
            rows.append(
                (sheet.label("shipping_total"), sheet.money("shipping_total", deal.shipping))
            )
    if deal.inclusive:
        rows.append((sheet.label("gross_total"), sheet.money("gross_total", deal.gross)))
        rows += [
            (f"{_INCLUDED.get(sheet.language, 'incl.')} {label}", value)
            for label, value in _tax_rows(sheet)
        ]
        net_shown = net_shown and sheet.chance(0.5)
    if net_shown:
        label = sheet.label("net_total")
        if rows and label == rows[0][0]:
            label = {"en": "Net total", "de": "Summe netto", "fr": "Total HT"}.get(
                sheet.language, label + " 2"
            )
        rows.append((label, sheet.money("net_total", deal.net)))
    if not deal.inclusive:
        rows += _tax_rows(sheet) if taxed else []
        rows.append((sheet.label("gross_total"), sheet.money("gross_total", deal.gross)))
    if deal.paid and sheet.kinds["paid"] == "shown":
        rows.append(
            (
                sheet.label("amount_paid"),
                sheet.money("amount_paid", deal.paid if sheet.chance(0.7) else -deal.paid),
            )
        )
        rows.append((sheet.label("amount_due"), sheet.money("amount_due", deal.gross - deal.paid)))
    elif sheet.chance(0.18):
        rows.append((sheet.label("amount_due"), sheet.money("amount_due", deal.gross)))
    _set_totals(sheet, rows)
    if not taxed and sheet.chance(0.25) and sheet.language in _UNTAXED:
        sheet.put(sheet.rng.choice(_UNTAXED[sheet.language]))
    if sheet.chance(0.06) and sheet.language in ("en", "de"):
        sheet.put(
            {"en": "E-invoice: no manual entry needed", "de": "Betrag dankend erhalten"}[
                sheet.language
            ]
        )
    if sheet.kinds["currency"] == "field" and "currency" not in sheet.printed:
        sheet.put(sheet.pair("currency", sheet.say("currency", deal.country.currency)))


def _tax_rows(sheet: Sheet) -> list[tuple[str, str]]:
    deal = sheet.deal
    label = sheet.label("tax_total")
    if len(deal.taxes) == 1:
        rate, base, _ = deal.taxes[0]
        form = sheet.rng.random()
        if form < 0.55:
            text = sheet.rate(rate, note=True)
            label = sheet.rng.choice(
                (
                    f"{label} {text}",
                    f"{label} ({text})",
                    f"{text} {label}",
                    f"{label} @ {text}",
                    f"{label}  {text}",
                )
            )
        elif form < 0.65:
            text = sheet.rate(rate, note=True)
            link = {"de": "auf", "en": "on", "fr": "sur", "es": "sobre", "pt": "sobre"}.get(
                sheet.language, "/"
            )
            label = f"{label} {text} {link} {sheet.money(None, base)}"
        return [(label, sheet.money("tax_total", deal.tax))]
    rows = []
    for rate, base, tax in deal.taxes:
        text = sheet.rate(rate, note=False)
        if sheet.kinds.setdefault("several rates", sheet.rng.choice(("rows", "bases"))) == "bases":
            rows.append((f"{label} {text}  {sheet.number(base)}", sheet.money(None, tax)))
        else:
            rows.append((f"{label} {text}", sheet.money(None, tax)))
    sheet.unclear.add("tax_total")
    if sheet.chance(0.7):
        sheet.unclear.discard("tax_total")
        total = sheet.rng.choice(
            {
                "en": ("Total VAT", "Total tax"),
                "de": ("Summe MwSt.", "Steuern gesamt"),
                "fr": ("Total TVA",),
                "pt": ("Total IVA",),
            }.get(sheet.language, (f"Total {label}",))
        )
        rows.append((total, sheet.money("tax_total", deal.tax)))
    return rows


def _set_totals(sheet: Sheet, rows: list[tuple[str, str]]) -> None:
    style = sheet.rng.choices(("gap", "colon", "blank", "row", "stacked"), (48, 30, 9, 8, 5))[0]
    if sheet.kinds["plan"] == "form" and sheet.chance(0.85):
        style = "boxes"
    sheet.kinds["totals"] = style
    if style == "boxes":
        others = words.OTHER_AMOUNTS[sheet.language]
        for label in sheet.rng.sample(others, sheet.rng.randint(0, min(3, len(others)))):
            nothing = sheet.rng.choice(("-", sheet.money(None, Decimal(0))))
            rows.insert(sheet.rng.randint(0, len(rows)), (label, nothing))
        _put_boxes(sheet, rows, sheet.rng.randint(2, 5))
        return
    if style == "row" and len(rows) > 1:
        sheet.put("  ".join(label for label, _ in rows), "  ".join(value for _, value in rows))
        return
    for label, value in rows:
        if style == "stacked":
            sheet.put(label, value)
        else:
            mark = {"gap": "  ", "colon": sheet.rng.choice((": ", ":  ")), "blank": " "}.get(
                style, "  "
            )
            sheet.put(f"{label}{mark}{value}")


def _terms(sheet: Sheet) -> str:
    days = sheet.rng.choice((7, 10, 14, 15, 30, 30, 45, 60))
    return sheet.rng.choice(words.TERMS_WITHOUT_DATE[sheet.language]).format(days=days)


def payment(sheet: Sheet) -> None:
    """How and until when to pay."""
    deal = sheet.deal
    if sheet.kinds["due"] == "sentence":
        due = sheet.say("due_date", sheet.date(deal.due_date))
        sentence = sheet.rng.choice(words.TERMS_WITH_DATE[sheet.language]).format(due=due)
        sheet.put(sentence)
        sheet.unclear.add("payment_terms")
    elif sheet.chance(0.4) and "payment_terms" not in sheet.printed:
        terms = sheet.say("payment_terms", _terms(sheet))
        sheet.put(sheet.pair("payment_terms", terms) if sheet.chance(0.7) else terms)
    if sheet.kinds["bank"] in ("block", "both"):
        block = bank(sheet)
        sheet.put(
            *(
                [sheet.rng.choice((" | ", "  ", ", ", " - ")).join(block)]
                if sheet.chance(0.3)
                else block
            )
        )


def bank(sheet: Sheet) -> list[str]:
    """The seller's account."""
    deal, rng = sheet.deal, sheet.rng
    if sheet.account is None:
        sheet.account = (
            countries.iban(rng, deal.country),
            countries.bic(rng, deal.country),
            countries.bank(rng, deal.country),
        )
    number, code, name = sheet.account
    lines = []
    if sheet.chance(0.65):
        lines.append(sheet.pair("bank_name", sheet.say("bank_name", name)))
    lines.append(sheet.pair("iban", sheet.say("iban", number)))
    if sheet.chance(0.7):
        lines.append(sheet.pair("bic", sheet.say("bic", code)))
    if sheet.chance(0.15):
        rng.shuffle(lines)
    return lines


def footer(sheet: Sheet) -> None:
    """What stands at the foot: the seller again, the bank, registers, the page."""
    deal, rng = sheet.deal, sheet.rng
    columns: list[list[str]] = []
    name_missing = "seller_name" not in sheet.printed and sheet.kinds["plan"] != "continuation"
    tax_missing = "vat" in sheet.kinds and "seller_vat_id" not in sheet.printed
    if name_missing or sheet.chance(0.3 * sheet.size):
        columns.append(
            [
                sheet.say("seller_name", deal.seller.name),
                *(deal.seller.address if sheet.chance(0.8) else ()),
            ]
        )
        if len(columns[-1]) > 1:
            sheet.say("seller_address", " ".join(deal.seller.address))
    if sheet.chance(0.25 * sheet.size):
        columns.append(
            [
                sheet.pair("seller_phone", sheet.say("seller_phone", deal.seller.phone)),
                sheet.pair("seller_email", sheet.say("seller_email", deal.seller.email)),
            ]
        )
    register = []
    if tax_missing:
        register.append(seller_tax(sheet))
    if sheet.chance(0.2 * sheet.size):
        register.append(
            countries.fill(
                rng,
                rng.choice(
                    {
                        "de": (
                            "Amtsgericht Charlottenburg HRB 99999",
                            "Handelsregister: HRA 9999",
                            "Geschäftsführer: {p}",
                            "GF: {p}",
                        ),
                        "fr": (
                            "RCS Paris 999 999 999",
                            "SARL à capital variable",
                            "Code APE 9999Z",
                            "Gérant : {p}",
                        ),
                        "en": (
                            "Company No. 09999999",
                            "Registered office as above",
                            "Director: {p}",
                            "Reg. No. 9999999",
                        ),
                        "cs": ("IČ: 99999999", "Jednatel: {p}"),
                        "pl": ("REGON 999999999", "KRS 0000999999"),
                        "pt": ("Capital social 9.999", "Insc. Est. 999.999.999"),
                    }.get(sheet.language, ("Reg. 999999",))
                ).format(p=countries.person(rng, deal.country.language)),
                letters=False,
            )
        )
    if register:
        columns.append(register)
    if sheet.kinds["bank"] in ("footer", "both"):
        columns.append(bank(sheet))
    if not columns:
        pass
    elif sheet.chance(0.45) and len(columns) > 1:
        block = columns[0]
        for column in columns[1:]:
            block = beside(block, column)
        sheet.put(*block)
    else:
        mark = rng.choice(("\n", "\n", " | ", "  ", " - ", ", "))
        for column in columns:
            sheet.put(*mark.join(column).split("\n"))
    if sheet.chance(0.3 * sheet.size):
        sheet.put(_page_number(sheet))


def _page_number(sheet: Sheet) -> str:
    last = sheet.rng.randint(1, 3)
    return sheet.rng.choice(words.PAGE[sheet.language]).format(a=sheet.rng.randint(1, last), b=last)


def decide(sheet: Sheet) -> None:
    """Chooses what the document withholds."""
    deal, rng = sheet.deal, sheet.rng
    sheet.kinds["due"] = rng.choices(("none", "field", "sentence"), (44, 42, 14))[0]
    has_iban = deal.country.iban or sheet.chance(0.1)
    sheet.kinds["bank"] = (
        rng.choices(("none", "block", "footer", "both"), (30, 38, 26, 6))[0] if has_iban else "none"
    )
    sheet.kinds["tax"] = "shown" if deal.taxed else "hidden"
    sheet.kinds["paid"] = "shown" if sheet.chance(0.85) else "hidden"
    if sheet.chance(0.74):
        sheet.kinds["vat"] = "shown"
    if sheet.chance(0.06):
        sheet.kinds["no buyer"] = "true"
    bare = sheet._symbol_mode == "head" or sheet.chance(0.1)
    sheet.kinds["currency"] = "field" if bare else "symbol"


__all__ = ["Sheet", "cents", "compose", "decide"]
