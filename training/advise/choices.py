"""What is best for each field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from training.advise.cards import Cards, is_enough, summed
from training.advise.config import AdviseConfig
from training.advise.findings import FieldAdvice, FieldChoice
from training.advise.run import FLOORS, NOTHING, RULES, TOGETHER, TUNED, WRITTEN
from training.compare import Interval, difference, estimate, within

_CHEAP: Mapping[str, FieldAdvice] = {RULES: "rules", WRITTEN: "rules", TOGETHER: "together"}


def choices(
    cards: Mapping[str, Cards], groups: Sequence[Sequence[str]], config: AdviseConfig
) -> list[FieldChoice]:
    """Return what is best for each field that some label has a value of.

    :param cards: of the methods that are compared, each with the documents of `groups`.
    """
    whole = summed(cards[NOTHING], (name for group in groups for name in group))
    counts = {**whole.scalars, **whole.lists}
    return [_choice(name, cards, groups, config) for name in counts if counts[name].labelled]


def _choice(
    name: str,
    cards: Mapping[str, Cards],
    groups: Sequence[Sequence[str]],
    config: AdviseConfig,
) -> FieldChoice:
    f1 = {method: estimate(cards[method], groups, name) for method in cards}
    best = max((m for m in cards if m not in (*FLOORS, TUNED)), key=lambda m: f1[m].value)
    tuned = f1[TUNED].value if TUNED in f1 else None
    gain = difference(cards[TUNED], cards[best], groups, name) if TUNED in f1 else None
    advice, reason = _advised(best, f1, gain, config)
    few = _too_few(name, cards[NOTHING], groups, config)
    if few:
        advice, reason = "undecided", f"{reason}; {few}"
    return FieldChoice(name, advice, best, f1[best].value, tuned, gain, reason)


def _advised(
    best: str, f1: Mapping[str, Interval], gain: Interval | None, config: AdviseConfig
) -> tuple[FieldAdvice, str]:
    """Return the advice for a field and why.

    :param best: method without training.
    :param gain: of tuning over that; None if it was not measured.
    """
    cheap = _CHEAP.get(best, "untuned")
    read = f"{best} reads {f1[best].value:.3f}"
    if best == TOGETHER:
        alone = max((m for m in f1 if m not in (*FLOORS, TUNED, best)), key=lambda m: f1[m].value)
        read = f"{read}, {alone} alone {f1[alone].value:.3f}"
    floor = max((name for name in FLOORS if name in f1), key=lambda name: f1[name].value)
    if f1[floor].value > max(f1[name].value for name in f1 if name not in FLOORS):
        return "undecided", f"{read}, less than {floor} with {f1[floor].value:.3f}"
    if gain is None:
        # No tuning gains more than what is missing.
        sure = 1 - f1[best].low < config.margin
        read = read if f1[best].value else "nothing without training reads it"
        return cheap if sure else "undecided", f"{read}; tuning was not measured"
    interval = f"{gain.value:+.3f} (95 % interval {gain.low:+.3f} to {gain.high:+.3f})"
    if gain.low > 0:
        return "tuning", f"tuning gains {interval} over {best}"
    if gain.high < config.margin:
        return cheap, f"{read}, tuning changes that by {interval}"
    return "undecided", f"tuning gains {interval} over {best}: too few documents to tell"


def _too_few(name: str, cards: Cards, groups: Sequence[Sequence[str]], config: AdviseConfig) -> str:
    """Say how many documents tell of a field, empty if they are enough.

    Nulls count as documents; but an F1 rests on the senders that print a value.
    """
    found = {one: summed(cards, [one]) for group in groups for one in group}
    counts = {one: {**card.scalars, **card.lists}.get(name) for one, card in found.items()}
    known = [one for one, count in counts.items() if count is not None]
    valued = [one for one, count in counts.items() if count is not None and count.labelled]
    senders = len(within(groups, valued))
    if is_enough(known, groups, config) and senders >= config.least_groups:
        return ""
    return (
        f"{len(known)} documents tell of it and {senders} groups have a value, at least "
        f"{config.least_held} and {config.least_groups} are needed"
    )
