"""An invoice: who bills whom, when, how much, and for what."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, Field, model_validator

from extractor.fields import Currency, Iban, Identifier, IsoDate, Money, Quantity, VatId, Verbatim
from extractor.usual import usually


class LineItem(BaseModel):
    """One billed position."""

    description: Verbatim | None = None
    quantity: Quantity | None = None
    unit_price: Money | None = None
    line_total: Money | None = None

    @usually
    def line_total_is_quantity_times_unit_price(self) -> bool | None:
        """Five cents may be rounded away; discounts and prices per hundred are right as well."""
        if self.quantity is None or self.unit_price is None or self.line_total is None:
            return None
        return abs(self.quantity * self.unit_price - self.line_total) <= Decimal("0.05")


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

    @model_validator(mode="after")
    def totals_add_up(self) -> Invoice:
        """Reject totals that do not add up; five cents may be rounded away."""
        if self.net_total is None or self.tax_total is None or self.gross_total is None:
            return self
        if abs(self.net_total + self.tax_total - self.gross_total) > Decimal("0.05"):
            raise ValueError("net_total and tax_total do not add up to gross_total")
        return self

    @model_validator(mode="after")
    def due_after_issue(self) -> Invoice:
        """Reject a date to pay by that lies before the date of issue."""
        if self.issue_date and self.due_date and self.due_date < self.issue_date:
            raise ValueError("due_date lies before issue_date")
        return self
