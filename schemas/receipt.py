"""A shop receipt."""

from __future__ import annotations

from pydantic import BaseModel, Field

from extractor.fields import IsoDate, Money, Verbatim


class Receipt(BaseModel):
    """What a till prints."""

    company: Verbatim | None = Field(None, description="name of the shop or its owner")
    date: IsoDate | None = Field(None, description="date of the receipt")
    address: Verbatim | None = Field(None, description="address of the shop")
    total: Money | None = Field(None, description="what was paid, after rounding")
