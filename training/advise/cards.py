"""Scores by document: what is compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from training.score import Counts, ScoreCard

Cards = Mapping[str, Sequence[ScoreCard]]
"""Score cards of one method by document; several of one document differ in the seed of tuning."""


def summed(cards: Cards, ids: Iterable[str]) -> ScoreCard:
    """Return the sum over documents; those without a card are passed over."""
    return sum((card for name in sorted(ids) for card in cards.get(name, ())), ScoreCard())


def counts_of(card: ScoreCard, name: str) -> Counts:
    """Return the counts of a single value or list; empty ones for another name."""
    return {**card.scalars, **card.lists}.get(name, Counts())


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
