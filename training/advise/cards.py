"""Scores by document: what is compared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from training.advise.config import AdviseConfig
from training.compare import within
from training.score import Counts, ScoreCard

Cards = Mapping[str, Sequence[ScoreCard]]
"""Score cards of one method by document; several of one document differ in the seed of tuning."""


def summed(cards: Cards, ids: Iterable[str]) -> ScoreCard:
    """Return the sum over documents; those without a card are passed over."""
    return sum((card for name in sorted(ids) for card in cards.get(name, ())), ScoreCard())


def only(card: ScoreCard, top: str) -> ScoreCard:
    """Return the part of a card that is of one top-level field."""

    def part(counts: Mapping[str, Counts]) -> dict[str, Counts]:
        return {
            name: found
            for name, found in counts.items()
            if name.replace("[", ".").split(".")[0] == top
        }

    return ScoreCard(part(card.scalars), part(card.lists), part(card.inner))


def top_f1(card: ScoreCard, top: str) -> float:
    """Return the F1 over all values of one top-level field, rows of lists as one value each."""
    own = only(card, top)
    return sum([*own.scalars.values(), *own.lists.values()], Counts()).f1


def is_enough(ids: Collection[str], groups: Iterable[Sequence[str]], config: AdviseConfig) -> bool:
    """Return whether documents are enough, and of enough groups, to decide anything on."""
    return len(ids) >= config.least_held and len(within(groups, ids)) >= config.least_groups
