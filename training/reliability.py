"""How far a confidence can be believed, measured on answers that are known to be right or wrong.

Intervals are by bootstrap over groups: the answers to one sender's documents are alike, so they are
drawn together, and a few senders give a wide interval however many answers they have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.compare import draws

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
_BINS = 15
_RESAMPLES = 400
_ENOUGH = 100
_ENOUGH_OF_EACH = 20
_ENOUGH_GROUPS = 10


@dataclass(frozen=True, slots=True)
class Rated:
    """One answer with the confidence in it.

    :param group: of its document; answers of one group are drawn together.
    :param field: pattern such as `line_items[].quantity`.
    """

    group: int
    field: str
    confidence: float
    right: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with its 95 % interval; None where it cannot be told."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        """Return the figure and its interval with three decimals."""
        if self.value is None:
            return "-"
        if self.low is None or self.high is None:
            return f"{self.value:.3f}"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far confidences can be believed.

    :param ece: expected calibration error over 15 bins of equal mass, 0..1.
    :param brier: mean squared difference between confidence and outcome, 0..1.
    :param auroc: probability that a right answer has the higher confidence than a wrong one.
    :param bins: (mean confidence, share right, answers) of each bin.
    :param risk_coverage: (share accepted, error rate among them, its low and high end), the surest
        answers first.
    :param too_few: what there is too little of to rely on these figures; empty if nothing.
    """

    answers: int
    wrong: int
    groups: int
    ece: Measured
    brier: Measured
    auroc: Measured
    bins: tuple[tuple[float, float, int], ...]
    risk_coverage: tuple[tuple[float, float, float, float], ...]
    too_few: str

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        figures = {"ece": self.ece, "brier": self.brier, "auroc": self.auroc}
        return {
            "answers": self.answers,
            "wrong": self.wrong,
            "groups": self.groups,
            **{
                name: {"value": one.value, "interval_95": [one.low, one.high]}
                for name, one in figures.items()
            },
            "bins": [list(one) for one in self.bins],
            "risk_coverage": [list(one) for one in self.risk_coverage],
            "too_few": self.too_few,
        }

    def lines(self) -> list[str]:
        """Return what a terminal shows."""
        found = [
            f"confidence of {self.answers} answers, {self.wrong} of them wrong, "
            f"in {self.groups} groups; 95 % intervals by groups",
            f"ECE {self.ece}, Brier {self.brier}, AUROC {self.auroc}",
        ]
        for share, risk, low, high in self.risk_coverage:
            if round(share, 2) in (0.5, 0.8, 0.9, 1.0):
                found.append(f"the surest {share:.0%}: {risk:.3f} wrong ({low:.3f} to {high:.3f})")
        return found + ([f"too few to rely on: {self.too_few}"] if self.too_few else [])


def measure(rated: Sequence[Rated], *, seed: int = 0) -> Reliability | None:
    """Return how far confidences can be believed; None without any.

    :param seed: of the bootstrap.
    """
    if not rated:
        return None
    sure = np.array([one.confidence for one in rated])
    right = np.array([one.right for one in rated])
    drawn = _drawn([one.group for one in rated], seed)
    shares = np.linspace(0.05, 1, 20)
    curves = np.array([_risks(sure[i], right[i], shares) for i in drawn])
    low, high = np.quantile(curves, [0.025, 0.975], axis=0)
    curve = zip(shares, _risks(sure, right, shares), low, high, strict=True)
    return Reliability(
        answers=len(rated),
        wrong=int((~right).sum()),
        groups=len({one.group for one in rated}),
        ece=_measured(ece, sure, right, drawn),
        brier=_measured(brier, sure, right, drawn),
        auroc=_measured(auroc, sure, right, drawn),
        bins=tuple(bins(sure, right)),
        risk_coverage=tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in curve),
        too_few=_too_few(rated),
    )


def bins(sure: Floats, right: Bools, count: int = _BINS) -> list[tuple[float, float, int]]:
    """Return (mean confidence, share right, answers) of bins of equal mass, the least sure first.

    :param sure: confidences. Shape: [answers], as of `right`.
    """
    order = np.argsort(sure, kind="stable")
    parts = [part for part in np.array_split(order, count) if len(part)]
    return [(float(sure[p].mean()), float(right[p].mean()), len(p)) for p in parts]


def ece(sure: Floats, right: Bools) -> float:
    """Return the expected calibration error (Naeini et al. 2015) over bins of equal mass, 0..1."""
    return sum(abs(a - b) * n for a, b, n in bins(sure, right)) / len(sure)


def brier(sure: Floats, right: Bools) -> float:
    """Return the mean squared difference between confidence and outcome, 0..1."""
    return float(((sure - right) ** 2).mean())


def auroc(sure: Floats, right: Bools) -> float | None:
    """Return how often a right answer is surer than a wrong one, ties half; None without both."""
    good, bad = int(right.sum()), int((~right).sum())
    if not good or not bad:
        return None
    _, inverse, counts = np.unique(sure, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[right].sum() - good * (good + 1) / 2) / (good * bad))


def _risks(sure: Floats, right: Bools, shares: Floats) -> Floats:
    """Return the error rate among the surest answers. Shape: that of `shares`."""
    wrong = np.cumsum(~right[np.argsort(-sure, kind="stable")])
    places = np.maximum(1, np.round(shares * len(sure)).astype(int))
    risks: Floats = wrong[places - 1] / places
    return risks


def _drawn(groups: Sequence[int], seed: int) -> list[npt.NDArray[np.intp]]:
    """Return the answers' indices in each bootstrap sample of the groups."""
    names, place = np.unique(np.array(groups), return_inverse=True)
    weights = draws(len(names), seed, _RESAMPLES).astype(np.intp)
    return [np.repeat(np.arange(len(place)), often[place]) for often in weights]


def _measured(
    figure: Callable[[Floats, Bools], float | None],
    sure: Floats,
    right: Bools,
    drawn: Sequence[npt.NDArray[np.intp]],
) -> Measured:
    value = figure(sure, right)
    found = [one for i in drawn if (one := figure(sure[i], right[i])) is not None]
    if value is None or not found:
        return Measured(value)
    low, high = np.quantile(found, [0.025, 0.975])
    return Measured(value, float(low), float(high))


def _too_few(rated: Sequence[Rated]) -> str:
    counts = {
        "answers": (len(rated), _ENOUGH),
        "right answers": (sum(one.right for one in rated), _ENOUGH_OF_EACH),
        "wrong answers": (sum(not one.right for one in rated), _ENOUGH_OF_EACH),
        "groups": (len({one.group for one in rated}), _ENOUGH_GROUPS),
    }
    return ", ".join(
        f"{count} {what}, {least} wanted"
        for what, (count, least) in counts.items()
        if count < least
    )
