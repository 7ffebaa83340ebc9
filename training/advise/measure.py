"""From the journal to figures: methods scored and compared on held-out documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from training.advise.cards import summed
from training.advise.choices import choices
from training.advise.findings import Findings, Method
from training.advise.journal import Reading
from training.advise.routing import choose, routed
from training.advise.run import HELD, RANDOM, ROUTED, SHARES, TUNED, Trials, piece
from training.compare import (
    Curve,
    Floats,
    accepted,
    difference,
    draws,
    learning_curve,
    macro,
    sample,
)
from training.score import Counts, ScoreCard


def measure(trials: Trials) -> Findings:
    """Score and compare what the journal holds."""
    study, config = trials.study, trials.config
    cards = cards_of(trials)
    tuned = cards.get(TUNED)
    common = set(tuned) if tuned else set.intersection(*(set(c) for c in cards.values()))
    router = choose(trials)
    if len(set(router.values())) > 1:
        cards[ROUTED] = routed(cards, router)
    groups = study.held_groups()
    weights = draws(len(groups))
    # Without a tuned one to be paired with, each method is told by all that it read.
    rows = {name: summed(cards[name], common if tuned else set(cards[name])) for name in cards}
    singles = [name for name in cards if name not in (TUNED, ROUTED)]
    best = max(singles, key=lambda name: rows[name].macro_f1)
    findings = Findings(
        methods=tuple(_method(trials, name, cards[name], groups, weights) for name in cards),
        fields=tuple(choices(rows, cards, groups, config)),
        router=router,
        difference=difference(tuned, cards[best], groups) if tuned else None,
        curve=_curve(trials, groups),
        compared_on=len(common),
        tuned_share=trials.tuned_share(),
    )
    if ROUTED in cards:
        top = max([best, *([TUNED] if tuned else [])], key=lambda name: rows[name].macro_f1)
        gain = difference(cards[ROUTED], cards[top], groups)
        findings = replace(findings, router_gain=gain)
    return findings


def cards_of(trials: Trials) -> dict[str, dict[str, list[ScoreCard]]]:
    """Return each method's cards by held-out document, those of all folds and seeds together."""
    found: dict[str, dict[str, list[ScoreCard]]] = {}
    for name in trials.methods:
        cards = trials.journal.cards(*trials.pieces(name))
        if cards:
            found[name] = cards
    return found


def _method(
    trials: Trials,
    name: str,
    cards: Mapping[str, Sequence[ScoreCard]],
    groups: Sequence[Sequence[str]],
    weights: Floats,
) -> Method:
    journal, config = trials.journal, trials.config
    readings = [
        item for part in trials.pieces(name) for item in journal.readings.get(part, {}).values()
    ]
    total = summed(cards, set(cards))
    times = [item.seconds_s for item in readings] or [0.0]
    cpu_s = sum(item.cpu_s for item in readings) / max(1, len(readings))
    price = config.price_per_hour
    singles = [card for found in cards.values() for card in found]
    random = journal.cards(piece(name, 0, RANDOM))
    return Method(
        name=name,
        documents=len(cards),
        f1=macro(sample(cards, groups), weights),
        exact_f1=_exact(total),
        whole=sum(_is_whole(card) for card in singles) / max(1, len(singles)),
        card=total,
        seconds_s=(float(np.median(times)), float(np.quantile(times, 0.95))),
        cpu_s=cpu_s,
        cost_per_1000=None if price is None else cpu_s * 1000 / 3600 * price,
        peak_mb=max((item.peak_mb for item in readings), default=0.0),
        straight_through=_straight_through(readings, config.target_precision),
        pretended_f1=summed(random, set(random)).macro_f1 if random else None,
    )


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


def _straight_through(
    readings: Sequence[Reading], precision: float | None
) -> dict[str, float] | None:
    if precision is None or not any(item.confidence for item in readings):
        return None
    found: dict[str, list[tuple[float, bool]]] = {}
    for item in readings:
        for name, counts in item.card.scalars.items():
            if name in item.confidence:
                found.setdefault(name, []).append((item.confidence[name], bool(counts.correct)))
    return {name: accepted(pairs, precision) for name, pairs in found.items()}


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
    on = [tuple(name for name in group if name in common) for group in groups]
    on = [group for group in on if group]
    if not on:
        return None
    return learning_curve(
        {size: sample(cards, on) for size, cards in sizes.items()}, draws(len(on))
    )
