"""Whether one method reads better than another: by the interval of the difference.

Documents of one group, such as a seller, are alike, so groups are drawn together, and the same
groups for both methods: a paired bootstrap clustered by group (Efron and Tibshirani 1993, ch. 8;
Field and Welsh 2007 for clusters).
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.score import Counts, ScoreCard

Floats = npt.NDArray[np.float64]
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """From end to end."""
        return self.high - self.low

    def json(self) -> dict[str, float]:
        """Return it as JSON."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Sample:
    """The scores of one method, ready to be drawn from.

    :param fields: names of the scored fields.
    :param counts: correct, given and labelled values. Shape: [groups, fields, 3].
    :param single: so many fields, the first ones, make the macro F1.
    """

    fields: tuple[str, ...]
    counts: Floats
    single: int

    def f1(self, weights: Floats) -> Floats:
        """Return macro F1 for groups drawn so often; shapes [draws, groups] to [draws].

        As `ScoreCard.macro_f1`: fields that no drawn document has a value of do not count.
        """
        return _macro(self._by_field(weights)[:, : self.single])

    def field_f1(self, field: str, weights: Floats) -> Floats:
        """Return one field's F1; shapes [draws, groups] to [draws]."""
        sums = self._by_field(weights)[:, self.fields.index(field)]
        shares: Floats = 2 * sums[:, 0] / np.maximum(sums[:, 1] + sums[:, 2], 1e-12)
        return shares

    def _by_field(self, weights: Floats) -> Floats:
        sums: Floats = np.tensordot(weights, self.counts, axes=1)
        return sums


def within(groups: Iterable[Sequence[str]], ids: Container[str]) -> list[tuple[str, ...]]:
    """Return the groups cut to some documents; a group of which nothing is left is none."""
    cut = (tuple(name for name in group if name in ids) for group in groups)
    return [group for group in cut if group]


def sample(cards: Mapping[str, Sequence[ScoreCard]], groups: Sequence[Sequence[str]]) -> Sample:
    """Sum up the cards of each group.

    :param cards: by document. Of several of one document, such as by seed, the mean counts, so that
        it weighs as much as a document with one card.
    :param groups: ids of documents; those without a card are passed over.
    """
    read = [name for group in groups for name in group]
    whole = sum((card for name in read for card in cards.get(name, ())), ScoreCard())
    named = whole.scalars if any(c.labelled for c in whole.scalars.values()) else whole.lists
    # Single values come first and make the macro F1; lists follow, to be asked for by name.
    fields = tuple([*named, *(name for name in whole.lists if name not in named)])
    counts = np.zeros((len(groups), len(fields), 3))
    for row, group in zip(counts, groups, strict=True):
        for name in group:
            found = cards.get(name, ())
            row += sum(_triples(card, fields) for card in found) / max(1, len(found))
    return Sample(fields, counts, len(named))


def _triples(card: ScoreCard, fields: Sequence[str]) -> Floats:
    """Return correct, given and labelled values. Shape: [fields, 3]."""
    counts = {**card.lists, **card.scalars}
    return np.array(
        [_triple(counts.get(field, Counts())) for field in fields], dtype=np.float64
    ).reshape(len(fields), 3)


def draws(groups: int, seed: int = 0, resamples: int = RESAMPLES) -> Floats:
    """Return how often each group is drawn. Shape: [resamples, groups]."""
    rng = np.random.default_rng(seed)
    weights: Floats = rng.multinomial(groups, np.full(groups, 1 / groups), resamples).astype(
        np.float64
    )
    return weights


def estimate(
    cards: Mapping[str, Sequence[ScoreCard]],
    groups: Sequence[Sequence[str]],
    field: str | None = None,
) -> Interval:
    """Return F1, macro or of one field, with its interval over the groups that were read."""
    on = within(groups, cards)
    one = sample(cards, on)
    return _interval(_f1(one, np.ones((1, len(on))), field), _f1(one, draws(len(on)), field))


def difference(
    one: Mapping[str, Sequence[ScoreCard]],
    other: Mapping[str, Sequence[ScoreCard]],
    groups: Sequence[Sequence[str]],
    field: str | None = None,
) -> Interval:
    """Return how much better the first is, over all fields or in one, where both have cards."""
    on = within(groups, set(one) & set(other))
    first, second = sample(one, on), sample(other, on)
    whole, weights = np.ones((1, len(on))), draws(len(on))
    return _interval(
        _f1(first, whole, field) - _f1(second, whole, field),
        _f1(first, weights, field) - _f1(second, weights, field),
    )


def _f1(one: Sample, weights: Floats, field: str | None) -> Floats:
    return one.f1(weights) if field is None else one.field_f1(field, weights)


def needed(documents: int, width: float, wanted: float) -> int:
    """Return how many documents make an interval that narrow: its width falls with the root."""
    return math.ceil(documents * (width / wanted) ** 2) if width > wanted else documents


@dataclass(frozen=True, slots=True)
class Curve:
    """What a learning curve says of more documents: error = a * n ** -b, fitted on logarithms.

    :param points: (groups or documents trained on, macro F1).
    :param gain: of macro F1 if the corpus is doubled, with interval.
    """

    points: tuple[tuple[int, float], ...]
    exponent: float
    gain: Interval

    def json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"points": [list(p) for p in self.points], "exponent": self.exponent,
                "gain_if_doubled": self.gain.json()}  # fmt: skip


def learning_curve(samples: Mapping[int, Sample], weights: Floats) -> Curve | None:
    """Fit a power law to the error by size, once for each draw of groups.

    :param samples: by number of training documents, all read on the same documents.
    :returns: None for fewer than two sizes.
    """
    sizes = sorted(samples)
    if len(sizes) < 2:
        return None
    whole = np.ones((1, weights.shape[1]))
    now = np.stack([samples[size].f1(whole) for size in sizes])
    drawn = np.stack([samples[size].f1(weights) for size in sizes])
    gains, _exponents = _gain(sizes, drawn)
    (gain,), (exponent,) = _gain(sizes, now)
    low, high = np.quantile(gains, [0.025, 0.975])
    points = tuple((size, float(value)) for size, value in zip(sizes, now[:, 0], strict=True))
    return Curve(points, float(exponent), Interval(float(gain), float(low), float(high)))


def _gain(sizes: Sequence[int], f1: Floats) -> tuple[Floats, Floats]:
    """Return the gain of doubling and the exponent; shape of `f1`: [sizes, draws]."""
    x = np.log(np.array(sizes, dtype=np.float64))
    x = x - x.mean()
    y = np.log(np.clip(1 - f1, 1e-4, 1.0))
    # More documents do not harm in the long run: a curve that falls is taken as flat.
    exponent: Floats = np.maximum(
        0.0, -(x[:, None] * (y - y.mean(axis=0))).sum(axis=0) / (x**2).sum()
    )
    level = np.exp(y.mean(axis=0) - exponent * x[-1])
    gain: Floats = level * (1 - 2.0**-exponent)
    return gain, exponent


def _macro(sums: Floats) -> Floats:
    correct, given, labelled = sums[..., 0], sums[..., 1], sums[..., 2]
    held = labelled > 0
    f1 = np.where(held, 2 * correct / np.maximum(given + labelled, 1e-12), 0.0)
    means: Floats = f1.sum(axis=-1) / np.maximum(held.sum(axis=-1), 1)
    return means


def _triple(counts: Counts) -> tuple[int, int, int]:
    return (
        counts.correct,
        counts.correct + counts.wrong + counts.invented,
        counts.labelled,
    )


def _interval(whole: Floats, drawn: Floats) -> Interval:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(float(whole[0]), float(low), float(high))
