"""An invoice: who bills whom, when, how much, and for what."""

from __future__ import annotations

from pydantic import BaseModel, Field

from extractor.fields import Currency, Iban, Identifier, IsoDate, Money, Quantity, VatId, Verbatim


class LineItem(BaseModel):
    """One billed position."""

    description: Verbatim | None = None
    quantity: Quantity | None = None
    unit_price: Money | None = None
    line_total: Money | None = None


class Invoice(BaseModel):
    """An invoice or credit note."""

    invoice_number: Identifier | None = Field(None, description="not order or customer number")
    issue_date: IsoDate | None = Field(None, description="date of issue, not due or delivery date")
    due_date: IsoDate | None = Field(None, description="date to pay by")
    seller_name: Verbatim | None = Field(None, description="who bills")
    seller_vat_id: VatId | None = Field(None, description="VAT or tax number of the seller")
    buyer_name: Verbatim | None = Field(None, description="who is billed")
    currency: Currency | None = None
    net_total: Money | None = Field(None, description="total before tax")
    tax_total: Money | None = Field(None, description="total of taxes")
    gross_total: Money | None = Field(None, description="total with tax")
    iban: Iban | None = Field(None, description="account to pay to")
    line_items: list[LineItem] = Field(default_factory=list)
