"""Twenty schemas that between them use every type that can be decoded."""

from __future__ import annotations

import enum
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from extractor.fields import (
    Currency,
    Iban,
    Identifier,
    IsoDate,
    Money,
    Percent,
    Quantity,
    VatId,
    Verbatim,
)


class Color(enum.Enum):
    RED = "red"
    GREEN = "green"


class Plain(BaseModel):
    text: str
    whole: int
    real: float
    amount: Decimal
    flag: bool


class Times(BaseModel):
    day: date
    moment: datetime
    clock: time
    span: timedelta
    key: UUID


class Bounded(BaseModel):
    code: Annotated[str, Field(pattern="^[A-Z]{3}-[0-9]{2}$")]
    short: Annotated[str, Field(min_length=2, max_length=5)]
    age: Annotated[int, Field(ge=0, le=120)]
    share: Annotated[float, Field(ge=0, le=1)]
    price: Annotated[Decimal, Field(max_digits=6, decimal_places=2)]
    fraction: Annotated[Decimal, Field(max_digits=2, decimal_places=2)]


class Choices(BaseModel):
    state: Literal["open", "paid", 'said "no"']
    color: Color
    size: Literal[1, 2, 3]


class Maybe(BaseModel):
    a: str | None = None
    b: int | None = None
    c: Color | None = None


class Address(BaseModel):
    street: Verbatim | None = None
    city: str


class Nested(BaseModel):
    name: str
    home: Address
    work: Address | None = None


class Listed(BaseModel):
    names: list[str]
    rows: list[Address]
    few: Annotated[list[int], Field(min_length=1, max_length=3)]


class Card(BaseModel):
    kind: Literal["card"]
    number: str


class Cash(BaseModel):
    kind: Literal["cash"]
    amount: Decimal


class Discriminated(BaseModel):
    paid: Annotated[Card | Cash, Field(discriminator="kind")]


class Either(BaseModel):
    value: int | str
    other: Address | list[int] | None = None


class Tuples(BaseModel):
    point: tuple[int, int]
    mixed: tuple[str, float, bool]
    many: tuple[int, ...]


class Sets(BaseModel):
    tags: set[str]
    numbers: frozenset[int]


class Maps(BaseModel):
    counts: dict[str, int]
    homes: dict[str, Address]


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


class Aliased(BaseModel):
    number: str = Field(alias="Invoice No.")
    total: Money | None = Field(None, alias='the "total"')


class Copied(BaseModel):
    number: Identifier | None = None
    issued: IsoDate | None = None
    total: Money | None = None
    rate: Percent | None = None
    currency: Currency | None = None
    iban: Iban | None = None
    vat_id: VatId | None = None
    seller: Verbatim | None = None


class Position(BaseModel):
    what: Verbatim | None = None
    count: Quantity | None = None
    price: Money | None = None


class Bill(BaseModel):
    number: Identifier
    rows: list[Position]
    notes: list[Verbatim] = []


class Single(BaseModel):
    total: Money


class Deep(BaseModel):
    a: Nested
    b: list[Listed]


class Unicode(BaseModel):
    größe: str
    名前: Verbatim | None = None


SCHEMAS: list[type[BaseModel]] = [
    Plain, Times, Bounded, Choices, Maybe, Address, Nested, Listed, Discriminated, Either,
    Tuples, Sets, Maps, Tree, Aliased, Copied, Bill, Single, Deep, Unicode,
]  # fmt: skip

TEXT = """ACME "Büro" Ltd  Invoice A-17/3
Müller & Söhne GmbH  17.05.2024  path C:\\temp
2 x pen  1.234,50 EUR  19 %
VAT DE 136 695 976  IBAN DE89 3704 0044 0532 0130 00
日本 <|im_end|> {"total":"7"}  3,00
"""
