"""Which method answers which field, and how well they read together."""

from __future__ import annotations

from collections.abc import Mapping

from training.advise.cards import Cards, only, summed, top_f1
from training.advise.run import INNER, NEAREST, NOTHING, RULES, TUNED, WRITTEN, Trials
from training.score import ScoreCard


def choose(trials: Trials) -> dict[str, str]:
    """Choose the method of each field on inner documents; of equals the one without training.

    Methods are compared on the documents that all of them read.
    """
    journal = trials.journal
    inner: dict[str, dict[str, list[ScoreCard]]] = {}
    for name in trials.methods:
        cards = journal.cards(*trials.pieces(name, INNER))
        if cards and (name != TUNED or journal.cards(*trials.pieces(TUNED))):
            inner[name] = cards
    for name in (NOTHING, NEAREST):  # measures of a corpus, nothing to serve with
        inner.pop(name, None)
    if len(inner) < 2:
        return {}
    common = set.intersection(*(set(cards) for cards in inner.values()))
    totals = {name: summed(cards, common) for name, cards in inner.items()}
    order = [name for name in (RULES, WRITTEN) if name in totals]
    order += [name for name in totals if name not in order]
    return {
        top: max(order, key=lambda name: top_f1(totals[name], top))
        for top in trials.study.schema.field_names
    }


def routed(cards: Mapping[str, Cards], router: Mapping[str, str]) -> dict[str, list[ScoreCard]]:
    """Return the cards that the router's answers have: each field's from its method."""
    used = set(router.values())
    common = set.intersection(*(set(cards[name]) for name in used))
    return {
        document: [
            # The first seed's card: counts of several would outweigh those of other methods.
            sum((only(cards[name][document][0], top) for top, name in router.items()),
                ScoreCard())
        ]
        for document in common
    }  # fmt: skip
