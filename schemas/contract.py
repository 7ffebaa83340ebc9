"""A contract, such as a non-disclosure agreement."""

from __future__ import annotations

from pydantic import BaseModel, Field

from extractor.fields import Duration, IsoDate, Verbatim


class Contract(BaseModel):
    """Who agreed, from when, for how long, under which law."""

    effective_date: IsoDate | None = Field(None, description="day from which it binds")
    jurisdiction: Verbatim | None = Field(None, description="state or country whose law applies")
    parties: list[Verbatim] = Field(default_factory=list, description="who agrees")
    term: Duration | None = Field(None, description="how long it binds")
