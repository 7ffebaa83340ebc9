"""Which method answers which field, and how well they read together.

A choice is made on inner documents, which lie in the training part of a fold. With several folds
the inner documents of one are held out in another, so what the choice is worth is measured with a
choice of its own in each fold (nested cross-validation: Varma and Simon 2006).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from training.advise.cards import Cards, only, summed, top_f1
from training.advise.run import FLOORS, HELD, INNER, RULES, WRITTEN, Trials
from training.score import ScoreCard


def route(trials: Trials) -> tuple[dict[str, str], dict[str, list[ScoreCard]]]:
    """Choose a method for each field.

    :returns: the choice, made on the inner documents of all folds where all methods read, and the
        cards of held-out documents as the choices of their own folds have them. Both empty if there
        is nothing to choose between; no cards if one method is the best for all fields.
    """
    by_fold = [_able(trials, number) for number in range(len(trials.study.folds))]
    able = by_fold[0]
    if len(able) < 2:
        return {}, {}
    numbers = [number for number, names in enumerate(by_fold) if set(able) <= set(names)]
    router = _choose(trials, able, numbers)
    if len(set(router.values())) < 2:
        return router, {}
    cards: dict[str, list[ScoreCard]] = {}
    for number in numbers:
        held = {name: _cards(trials, name, HELD, [number]) for name in able}
        cards |= _joined(held, _choose(trials, able, [number]))
    return router, cards


def _able(trials: Trials, number: int) -> list[str]:
    """Return the methods that read inner and held-out documents of a fold, those for free first."""
    found = [
        name
        for name in trials.methods
        # Floors are measures of a corpus, nothing to serve with.
        if name not in FLOORS
        and all(_cards(trials, name, part, [number]) for part in (INNER, HELD))
    ]
    return sorted(found, key=lambda name: name not in (RULES, WRITTEN))


def _cards(
    trials: Trials, name: str, part: str, numbers: Sequence[int]
) -> dict[str, list[ScoreCard]]:
    return trials.journal.cards(*trials.pieces(name, part, folds=numbers))


def _choose(trials: Trials, names: Sequence[str], numbers: Sequence[int]) -> dict[str, str]:
    """Return the best method of each field on inner documents; of equals the first."""
    inner = {name: _cards(trials, name, INNER, numbers) for name in names}
    common = set.intersection(*(set(cards) for cards in inner.values()))
    totals = {name: summed(cards, common) for name, cards in inner.items()}
    return {
        top: max(names, key=lambda name: top_f1(totals[name], top))
        for top in trials.study.schema.field_names
    }


def _joined(cards: Mapping[str, Cards], router: Mapping[str, str]) -> dict[str, list[ScoreCard]]:
    """Return the cards that the router's answers have: each field's from its method."""
    common = set.intersection(*(set(cards[name]) for name in router.values()))
    return {
        document: [
            # The first seed's card: counts of several would outweigh those of other methods.
            sum((only(cards[name][document][0], top) for top, name in router.items()),
                ScoreCard())
        ]
        for document in common
    }  # fmt: skip
