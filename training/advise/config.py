"""What an advice may cost and what it is measured against."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class AdviseConfig:
    """How an advice is found.

    :param budget_s: seconds that it may take; None for as long as everything takes, 0 for what
        needs no model.
    :param quick: one seed for each tuned size in place of three.
    :param target_precision: of values that go through unseen; None says nothing of them.
    :param rules: file of the user's own rules, see `training.methods.written`.
    :param price_per_hour: of the whole machine, in any currency; None tells processor time only.
    :param folds: of whole groups; None takes the documents that the labels hold out, else 5.
    :param base_model: hub name or folder; None is the embedded model.
    :param epochs: of tuning; None as `extractor train`.
    :param synthetic: documents of tuning; None as `extractor train`.
    :param engine: number format that all models are read in; `auto` is that of the adapter that
        comes with the package.
    :param max_new_tokens: longest answer of a model.
    :param least_documents: fewer labelled ones are not compared on.
    :param least_held: so many documents must be compared on, else nothing is decided.
    :param least_groups: of so many groups.
    :param margin: of F1, below which a difference does not matter.
    """

    budget_s: float | None = 3600.0
    quick: bool = False
    target_precision: float | None = None
    rules: Path | None = None
    price_per_hour: float | None = None
    folds: int | None = None
    base_model: str | None = None
    bare_base: bool = False
    epochs: int | None = None
    synthetic: int | None = None
    engine: str = "auto"
    max_new_tokens: int = 1024
    threads: int | None = None
    seed: int = 0
    least_documents: int = 60
    least_held: int = 30
    least_groups: int = 10
    margin: float = 0.02

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        checks = {
            "budget_s": (self.budget_s is None or self.budget_s >= 0, "at least 0"),
            "target_precision": (
                self.target_precision is None or 0 < self.target_precision < 1,
                "between 0 and 1 (exclusive)",
            ),
            "price_per_hour": (
                self.price_per_hour is None or self.price_per_hour >= 0,
                "at least 0",
            ),
            "epochs": (self.epochs is None or self.epochs >= 1, "at least 1"),
            "folds": (self.folds is None or self.folds >= 2, "at least 2"),
            "max_new_tokens": (self.max_new_tokens >= 1, "at least 1"),
        }
        for name, (right, expected) in checks.items():
            if not right:
                raise ValueError(f"{name} must be {expected}, was: {getattr(self, name)}")

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of tuning."""
        return (self.seed,) if self.quick else (self.seed, self.seed + 1, self.seed + 2)


def seconds(text: str) -> float:
    """Read a duration such as `60m`, `1.5h`, `90s` or `90` (seconds).

    :raises ValueError: if it is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if match is None:
        raise ValueError(f"expected a duration such as 60m, 1.5h or 90s, was: {text}")
    return float(match[1]) * _UNITS_S[match[2] or "s"]
