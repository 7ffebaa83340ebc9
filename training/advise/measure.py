"""From the journal to figures: methods scored and compared on held-out documents.

A method counts only where it read all held-out documents that it was given: what it had read when
the time ended may be the easier ones, and methods are ranked on documents that all of them read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from extractor.confidence import Answered
from extractor.policy import threshold
from training.advise.cards import Cards, is_enough, summed
from training.advise.choices import choices
from training.advise.config import AdviseConfig
from training.advise.findings import Findings, Method
from training.advise.journal import Reading
from training.advise.routing import route
from training.advise.run import (
    FLOORS,
    HELD,
    RANDOM,
    ROUTED,
    SHARES,
    TOGETHER,
    TUNED,
    Trials,
    cheap_methods,
    piece,
)
from training.compare import (
    Curve,
    Interval,
    difference,
    draws,
    estimate,
    learning_curve,
    sample,
    within,
)
from training.score import Counts, ScoreCard


def measure(trials: Trials) -> Findings:
    """Score and compare what the journal holds."""
    config, groups = trials.config, trials.study.held_groups()
    cards: dict[str, Cards] = {**_cards(trials)}
    router, cards_by_field = route(trials)
    compared = _compared(trials, cards, groups)
    common = set.intersection(*(set(cards[name]) for name in compared))
    on = within(groups, common)
    f1 = {name: estimate(cards[name], on).value for name in compared}
    untuned = [name for name in compared if name not in (*FLOORS, TUNED)]
    best = max(untuned, key=lambda name: f1[name])
    alone = max((name for name in untuned if name != TOGETHER), key=lambda name: f1[name])
    ranked = {name: cards[name] for name in compared}
    if cards_by_field:
        cards[ROUTED] = cards_by_field
    return Findings(
        methods=tuple(_method(trials, name, cards[name], groups) for name in cards),
        fields=tuple(choices(ranked, on, config)),
        best=best,
        best_alone=alone,
        compared=tuple(compared),
        router=router,
        difference=_over(TUNED, best, ranked, on, config),
        together_gain=_over(TOGETHER, alone, ranked, on, config),
        router_gain=_gain(trials, cards, compared, on),
        curve=_curve(trials, groups),
        compared_on=len(common),
        compared_groups=len(on),
        tuned_share=trials.tuned_share(),
    )


def _compared(
    trials: Trials, cards: Mapping[str, Cards], groups: Sequence[Sequence[str]]
) -> list[str]:
    """Return the methods that read enough; where none did, those without a model, which read all.

    What a method read beyond the others does not rank it, and one that read little would leave
    little to rank the others on.
    """
    config = trials.config
    enough = [name for name in cards if is_enough(cards[name], groups, config)]
    for name in cards if enough else ():
        if name not in enough:
            trials.leave_out(
                f"comparison with {name}",
                f"it read {len(cards[name])} documents of {len(within(groups, cards[name]))} "
                f"groups, at least {config.least_held} of {config.least_groups} are needed",
            )
    return enough or [name for name in cards if name in cheap_methods(config)]


def _over(
    name: str,
    other: str,
    cards: Mapping[str, Cards],
    groups: Sequence[Sequence[str]],
    config: AdviseConfig,
) -> Interval | None:
    """Return what a method gains over another one; None if it was not measured on enough.

    :param cards: of the methods that are compared, each with the documents of `groups`.
    """
    ids = {one for group in groups for one in group}
    if name not in cards or not is_enough(ids, groups, config):
        return None
    return difference(cards[name], cards[other], groups)


def _cards(trials: Trials) -> dict[str, dict[str, list[ScoreCard]]]:
    """Return each method's cards by held-out document, those of all folds and seeds together."""
    found = {name: trials.journal.cards(*trials.pieces(name)) for name in trials.methods}
    return {name: cards for name, cards in found.items() if cards}


def _gain(
    trials: Trials,
    cards: Mapping[str, Cards],
    compared: Sequence[str],
    groups: Sequence[Sequence[str]],
) -> Interval | None:
    """Return what methods joined by field gain over the best single one; None if none can tell."""
    if ROUTED not in cards:
        return None
    on = within(groups, cards[ROUTED])
    ids = {name for group in on for name in group}
    if not is_enough(ids, on, trials.config):
        return None
    singles = [name for name in compared if name not in FLOORS]
    top = max(singles, key=lambda name: estimate(cards[name], on).value)
    return difference(cards[ROUTED], cards[top], on)


# ---------------------------------------------------------------- one method


def _method(trials: Trials, name: str, cards: Cards, groups: Sequence[Sequence[str]]) -> Method:
    journal, config = trials.journal, trials.config
    readings = [
        item for part in trials.pieces(name) for item in journal.readings.get(part, {}).values()
    ]
    total = summed(cards, cards)
    times = [item.seconds_s for item in readings] or [0.0]
    cpu_s = sum(item.cpu_s for item in readings) / max(1, len(readings))
    singles = [card for found in cards.values() for card in found]
    random = journal.cards(piece(name, 0, RANDOM))
    return Method(
        name=name,
        documents=len(cards),
        f1=estimate(cards, groups),
        exact_f1=_exact(total),
        whole=sum(_is_whole(card) for card in singles) / max(1, len(singles)),
        card=total,
        seconds_s=(float(np.median(times)), float(np.quantile(times, 0.95))),
        cpu_s=cpu_s,
        cost_per_1000=_cost(cpu_s, config.price_per_hour),
        added_mb=max((m for item in readings if (m := item.added_mb) is not None), default=None),
        straight_through=_straight_through(trials, name),
        pretended_f1=summed(random, random).macro_f1 if random else None,
    )


def _cost(cpu_s: float, price_per_hour: float | None) -> float | None:
    """Return the price of 1,000 documents on a machine whose processors are all kept busy.

    Not of the seconds that pass: a document that keeps one of eight processors busy leaves seven
    to others, and a second thread is no second machine.
    """
    if price_per_hour is None:
        return None
    return cpu_s * 1000 / 3600 / (os.cpu_count() or 1) * price_per_hour


def _exact(card: ScoreCard) -> float:
    def strict(counts: Counts) -> Counts:
        loose = counts.correct - counts.exact
        return replace(counts, correct=counts.exact, wrong=counts.wrong + loose)

    return ScoreCard(
        {name: strict(counts) for name, counts in card.scalars.items()},
        {name: strict(counts) for name, counts in card.lists.items()},
    ).macro_f1


def _is_whole(card: ScoreCard) -> bool:
    return not any(c.wrong or c.missed or c.invented for c in card.scalars.values())


def _straight_through(trials: Trials, name: str) -> dict[str, float] | None:
    """Return by field the share of given values that may go through unseen.

    One answer a document: those of several seeds are no further documents.
    """
    precision = trials.config.target_precision
    read: dict[str, Reading] = {}
    for part in trials.pieces(name):
        for reading in trials.journal.readings.get(part, {}).values():
            read.setdefault(reading.document, reading)
    if precision is None or not any(item.confidence for item in read.values()):
        return None
    groups = {one: number for number, ids in enumerate(trials.study.groups) for one in ids}
    found: dict[str, list[Answered]] = {}
    for number, (document, item) in enumerate(read.items()):
        for field, sure in item.confidence.items():
            counts = item.card.scalars.get(field)
            if counts is not None:
                right = bool(counts.correct)
                found.setdefault(field, []).append(Answered(number, groups[document], sure, right))
    return {field: threshold(known, precision).accepted for field, known in found.items()}


def _curve(trials: Trials, groups: Sequence[Sequence[str]]) -> Curve | None:
    """Return the learning curve, on documents that adapters of all sizes read."""
    sizes: dict[int, dict[str, list[ScoreCard]]] = {}
    for share in SHARES:
        cards = trials.journal.cards(*trials.pieces(TUNED, HELD, share))
        if cards:
            sizes[len(trials.study.share(trials.study.folds[0], share / 100))] = cards
    if len(sizes) < 2:
        return None
    common = set.intersection(*(set(cards) for cards in sizes.values()))
    if not is_enough(common, groups, trials.config):
        return None
    on = within(groups, common)
    return learning_curve(
        {size: sample(cards, on) for size, cards in sizes.items()}, draws(len(on))
    )
