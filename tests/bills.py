"""Bills of made-up senders, with labels: few enough words for rules to be learned in a moment."""

from __future__ import annotations

import random
from datetime import date

from pydantic import BaseModel

from extractor.fields import Identifier, IsoDate, Money, Verbatim
from extractor.schema import Schema
from training.corpus import LabelledDocument


class Bill(BaseModel):
    number: Identifier | None = None
    seller: Verbatim | None = None
    issued: IsoDate | None = None
    total: Money | None = None
    discount: Money | None = None


SCHEMA = Schema.of(Bill)
TOWNS = ("Ham", "Oxen", "Lund", "Bern", "Graz", "Brno", "Nice", "Bath", "York", "Kiel")


def bill(index: int, *, seller: int | None = None, discount: bool = False) -> LabelledDocument:
    """A bill whose total is neither the first nor the largest amount, and may have a discount."""
    draw = random.Random(index)
    name = f"{TOWNS[(seller if seller is not None else index) % 10]} Trading {index % 97} Ltd"
    total, before = f"{draw.randint(10, 99)}.50", f"{draw.randint(100, 999)}.00"
    day = date(2024, draw.randint(1, 12), draw.randint(1, 28)).isoformat()
    rows = [name, f"{draw.randint(1, 99)} Mill Road", f"Bill no: B-{1000 + index}", f"Date: {day}",
            f"Goods  {before}", *(["Discount  5.25"] if discount else []), f"Total due: {total}",
            f"Balance  {draw.randint(1, 9)}.00", "Thank you"]  # fmt: skip
    fields = {"number": f"B-{1000 + index}", "seller": name, "issued": day, "total": total,
              "discount": "5.25" if discount else None}  # fmt: skip
    return LabelledDocument(f"{index}", None, "\n".join(rows), fields, group=f"g{index}")


def bills(count: int, start: int = 0) -> list[LabelledDocument]:
    return [bill(start + i, discount=i % 3 == 0) for i in range(count)]
