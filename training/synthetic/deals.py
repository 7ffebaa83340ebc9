"""One trade between two parties, with arithmetic that holds: the facts a document is set from."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from training.synthetic import countries
from training.synthetic.countries import COUNTRIES, Country
from training.synthetic.words import DETAILS, GOODS, UNITS

_CENT = Decimal("0.01")
# English and German are what most corpora of business documents hold.
_WEIGHTS = {
    "US": 14,
    "GB": 10,
    "IN": 5,
    "AU": 4,
    "CA": 4,
    "IE": 2,
    "DE": 18,
    "AT": 4,
    "CH": 4,
    "FR": 12,
    "BE": 2,
    "LU": 1,
    "BR": 9,
    "PT": 4,
    "ES": 5,
    "MX": 2,
    "IT": 4,
    "NL": 4,
    "CZ": 4,
    "PL": 4,
    "SE": 2,
    "DK": 2,
    "SK": 1,
    "RO": 1,
}


@dataclass(frozen=True, slots=True)
class Party:
    """A seller, a buyer or a place of delivery."""

    name: str
    address: tuple[str, ...]
    tax_number: str
    email: str
    phone: str
    contact: str
    country: Country


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a trade; `total` is quantity times price less discount, in cents."""

    description: str
    detail: str
    article_number: str
    quantity: Decimal
    unit: str
    price: Decimal
    discount: Decimal
    tax_rate: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class Deal:
    """Everything that a document may tell. Numbers hold: net + tax = gross, gross - paid = due.

    `taxed` is false where no tax is told of; `inclusive` is true where prices include it.
    """

    country: Country
    seller: Party
    buyer: Party
    ship_to: Party
    numbers: dict[str, str]
    issue_date: datetime.date
    due_date: datetime.date
    delivery_date: datetime.date
    items: tuple[Item, ...]
    taxes: tuple[tuple[Decimal, Decimal, Decimal], ...]
    line_sum: Decimal
    discount: Decimal
    shipping: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    paid: Decimal
    taxed: bool
    inclusive: bool


def cents(value: Decimal) -> Decimal:
    """Rounds half up to two places."""
    return value.quantize(_CENT, ROUND_HALF_UP)


def invent(rng: Random, most_items: int) -> Deal:
    """A random trade.

    :param rng: source of chance.
    :param most_items: upper bound of its lines.
    """
    country = rng.choices(COUNTRIES, [_WEIGHTS[country.code] for country in COUNTRIES])[0]
    issue = datetime.date(2009, 1, 1) + datetime.timedelta(days=rng.randint(0, 6500))
    taxed = rng.random() < 0.82
    rates = [Decimal(rate) for rate in country.taxes] if taxed else [Decimal(0)]
    rate = rng.choice(rates)
    several = len(set(rates)) > 1 and rng.random() < 0.18
    count = min(
        most_items,
        rng.choices((1, 2, 3, 4, 5, 6, 8, 11, 16, 24), (14, 14, 14, 12, 10, 9, 9, 8, 6, 4))[0],
    )
    items = tuple(_item(rng, country, rng.choice(rates) if several else rate) for _ in range(count))
    line_sum = sum((item.total for item in items), Decimal(0))
    discount = (
        cents(line_sum * Decimal(rng.choice((2, 3, 5, 10, 15))) / 100)
        if rng.random() < 0.16 and not several
        else Decimal(0)
    )
    shipping = (
        Decimal(rng.choice(("4.90", "5.99", "12.00", "25.00", "8.50", "49.00")))
        if rng.random() < 0.18 and not several
        else Decimal(0)
    )
    net = line_sum - discount + shipping
    inclusive = taxed and not several and rng.random() < 0.14
    if inclusive:
        net = cents(net / (1 + rate / 100))
    bases = {
        item.tax_rate: sum(
            (other.total for other in items if other.tax_rate == item.tax_rate), Decimal(0)
        )
        for item in items
    }
    if len(bases) == 1:
        bases = {rate: net for rate in bases}
    taxes = tuple((rate, base, cents(base * rate / 100)) for rate, base in sorted(bases.items()))
    tax = sum((part for _, _, part in taxes), Decimal(0))
    if inclusive:
        tax = line_sum - discount + shipping - net
        taxes = ((rate, net, tax),)
    gross = net + tax
    paid = Decimal(0)
    if rng.random() < 0.18:
        paid = (
            gross
            if rng.random() < 0.2
            else cents(gross * Decimal(rng.choice((10, 20, 25, 30, 50))) / 100)
        )
    abroad = rng.choice(COUNTRIES) if rng.random() < 0.12 else country
    return Deal(
        country,
        _party(rng, country),
        _party(rng, abroad),
        _party(rng, abroad),
        _numbers(rng, issue),
        issue,
        issue
        + datetime.timedelta(
            days=rng.choice((7, 8, 10, 14, 14, 15, 20, 21, 30, 30, 30, 45, 60, 90))
        ),
        issue - datetime.timedelta(days=rng.choice((0, 1, 2, 3, 5, 8, 12, 20))),
        items,
        taxes,
        line_sum,
        discount,
        shipping,
        net,
        tax,
        gross,
        paid,
        taxed,
        inclusive,
    )


def _item(rng: Random, country: Country, rate: Decimal) -> Item:
    language = country.language if rng.random() < 0.94 else "en"
    description = rng.choice(GOODS[language])
    form = rng.random()
    if form < 0.12:
        description += " " + rng.choice(
            (
                "Pro",
                "XL",
                "Basic",
                "II",
                "Plus",
                f"{rng.randint(10, 999)}",
                f"v{rng.randint(1, 9)}.{rng.randint(0, 9)}",
                "(2x)",
            )
        )
    elif form < 0.22:
        description += rng.choice((" - ", ", ", " / ", " + ")) + rng.choice(GOODS[language])
    elif form < 0.27:
        description = (
            countries.fill(rng, rng.choice(("AAA-999", "AA-AAA 999/99", "AAAA9999-A", "AA9X99 A2")))
            + " "
            + description
        )
    elif form < 0.31:
        description = description.upper()
    quantity = Decimal(
        rng.choices(
            (1, 2, 3, 5, 10, rng.randint(4, 60), rng.randint(60, 2000)), (34, 14, 10, 8, 7, 22, 5)
        )[0]
    )
    if rng.random() < 0.12:
        quantity = Decimal(rng.randint(1, 400)) / Decimal(rng.choice((2, 4, 10)))
    price = rng.choices(
        (
            Decimal(rng.randint(50, 2000)) / 100,
            Decimal(rng.randint(20, 400)),
            Decimal(rng.randint(2000, 99999)) / 100,
            Decimal(rng.randint(4, 60)) * 100,
            Decimal(rng.randint(2, 250)) - _CENT,
        ),
        (24, 26, 24, 12, 14),
    )[0]
    discount = Decimal(rng.choice((5, 10, 20))) if rng.random() < 0.06 else Decimal(0)
    details = DETAILS.get(language, DETAILS["en"])
    return Item(
        description,
        rng.choice(details).format(n=rng.randint(1000, 999999)),
        countries.fill(
            rng,
            rng.choice(
                (
                    "999999",
                    "AA-9999",
                    "AAA-AA-999",
                    "99.999.99",
                    "A9999999",
                    "9999",
                    "9999999999999",
                )
            ),
        ),
        quantity,
        rng.choice(UNITS[country.language]),
        price,
        discount,
        rate,
        cents(quantity * price * (100 - discount) / 100),
    )


def _party(rng: Random, country: Country) -> Party:
    name = countries.company(rng, country)
    word = (
        "".join(mark for mark in name.lower().split()[0] if mark.isascii() and mark.isalnum())
        or "office"
    )
    ending = rng.choice(("com", country.code.lower(), "example", "net", "org"))
    domain = f"{word}{rng.choice(('', '-shop', 'group', '24'))}.{ending}"
    box = rng.choice(("info", "office", "billing", "sales", "hello", "contact", "accounts"))
    return Party(
        name,
        countries.address(rng, country),
        countries.tax_number(rng, country),
        f"{box}@{domain}",
        countries.fill(rng, rng.choice(country.phone)),
        countries.person(rng, country.language),
        country,
    )


def _numbers(rng: Random, issue: datetime.date) -> dict[str, str]:
    year, short = str(issue.year), f"{issue.year % 100:02d}"
    invoice = (
        "9999",
        "99999",
        "999999",
        "99999999",
        "INV-9999",
        "INV-999999",
        "{y}-9999",
        "{y}/999",
        "RE-{y}-9999",
        "R{s}9999",
        "RE9999999",
        "F{y}-999",
        "FB-{y}-9999",
        "FT {y}/999",
        "A99-9999",
        "99",
        "9",
        "INV9999",
        "999/{y}",
        "FV/99/99/{y}",
        "{y}99999",
        "SI-99999",
        "99-9999-A",
        "AA-{y}-9999",
        "INV/{y}/9999",
        "DOC-99999",
        "000.999.999",
        "AAA9999999",
        "{y}-AA-99",
        "9999999999",
        "KR-99.999",
        "G-99999/A",
        "9999-{s}",
        "IN{s}-99999",
    )
    other = (
        "9999",
        "99999",
        "999999",
        "9999999",
        "A-99999",
        "AA9999",
        "99-999",
        "{y}-999",
        "9999999999",
        "99/9999",
        "AAA-9999",
        "P-99999",
    )
    prefixes = {
        "order_number": ("PO-9999", "SO99999", "ORD-99999", "B-{y}-999", "PO 99999"),
        "customer_number": ("C-9999", "K99999", "CUST-999", "D9999", "10999"),
        "delivery_note_number": ("LS-99999", "DN-9999", "L{s}-9999"),
        "contract_number": ("V-99999", "CT-{y}-99", "99.999-A"),
    }
    numbers = {"invoice_number": rng.choice(invoice)}
    for name, own in prefixes.items():
        numbers[name] = rng.choice(other if rng.random() < 0.6 else own)
    return {
        name: countries.fill(rng, pattern.replace("{y}", "§").replace("{s}", "¶"))
        .replace("§", year)
        .replace("¶", short)
        for name, pattern in numbers.items()
    }
