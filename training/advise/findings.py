"""What was measured: the figures that a verdict rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from training.compare import Curve, Interval
from training.score import ScoreCard

FieldAdvice = Literal["rules", "untuned", "together", "tuning", "undecided"]
"""What reads a field well enough; `together` is the untuned adapter with rules."""


@dataclass(frozen=True, slots=True)
class Method:
    """How one method reads.

    :param documents: that it read.
    :param f1: macro, normalised, with interval.
    :param exact_f1: where a value counts only if it is the same to the letter.
    :param whole: share of documents without a mistake in a single value.
    :param seconds_s: (median, 95 % quantile) for a document, without reading the file.
    :param cpu_s: processor time of all threads for a document.
    :param cost_per_1000: of processor time, at the given price of the whole machine; None without.
    :param added_mb: memory that it took at its highest beyond what the process held before; None
        where the system does not tell.
    :param straight_through: share of a field's values that may go through unseen, by field; None
        without a target precision, and for a method that tells no confidence.
    :param pretended_f1: what a random split would have shown; None where that was not tried.
    """

    name: str
    documents: int
    f1: Interval
    exact_f1: float
    whole: float
    card: ScoreCard
    seconds_s: tuple[float, float]
    cpu_s: float
    cost_per_1000: float | None
    added_mb: float | None
    straight_through: Mapping[str, float] | None
    pretended_f1: float | None = None


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """What is best for one field.

    :param cheap: the best method that needs no training, and its F1.
    :param tuned: F1 of the tuned adapter; None if it was not measured.
    :param gain: of tuning over that, with interval.
    """

    field: str
    advice: FieldAdvice
    cheap: str
    cheap_f1: float
    tuned: float | None
    gain: Interval | None
    reason: str


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was measured.

    :param best: the best method without training; never a floor.
    :param best_alone: the best of these but for the untuned adapter with rules.
    :param together_gain: of the untuned adapter with rules over `best_alone`; None if too few
        documents tell.
    :param compared: methods that read enough documents to be ranked, all on the same ones.
    :param router: method by field, chosen on inner documents; empty if nothing could be chosen.
    :param difference: of tuning to the best method without; None if too few documents tell.
    :param router_gain: of methods joined by field over the best single one, each fold joined as its
        own inner documents have it.
    :param compared_on: documents that all of them read, of so many groups.
    :param tuned_share: of the training groups, in percent, that "tuned" was trained on: all, or
        what the budget allowed.
    """

    methods: tuple[Method, ...] = ()
    fields: tuple[FieldChoice, ...] = ()
    best: str = ""
    best_alone: str = ""
    compared: tuple[str, ...] = ()
    router: Mapping[str, str] = field(default_factory=dict)
    difference: Interval | None = None
    router_gain: Interval | None = None
    together_gain: Interval | None = None
    curve: Curve | None = None
    compared_on: int = 0
    compared_groups: int = 0
    tuned_share: int | None = None

    def method(self, name: str) -> Method | None:
        """Return a method by name."""
        return next((item for item in self.methods if item.name == name), None)


def to_json(findings: Findings) -> dict[str, Any]:
    """Return the figures as JSON."""
    return {
        "methods": [
            {**asdict(method), "card": method.card.to_json()} for method in findings.methods
        ],
        "fields": [asdict(item) for item in findings.fields],
        "router": dict(findings.router),
        "difference": _json(findings.difference),
        "router_gain": _json(findings.router_gain),
        "together_gain": _json(findings.together_gain),
        "curve": _json(findings.curve),
        "best_without_training": findings.best,
        "best_alone": findings.best_alone,
        "compared": list(findings.compared),
        "compared_on": findings.compared_on,
        "compared_groups": findings.compared_groups,
    }


def _json(found: Interval | Curve | None) -> Any:
    return None if found is None else found.json()
