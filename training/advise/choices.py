"""What is best for each field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from training.advise.cards import Cards, counts_of
from training.advise.config import AdviseConfig
from training.advise.findings import FieldAdvice, FieldChoice
from training.advise.run import NEAREST, NOTHING, ROUTED, RULES, TUNED, WRITTEN
from training.compare import difference
from training.score import ScoreCard


def choices(
    rows: Mapping[str, ScoreCard],
    cards: Mapping[str, Cards],
    groups: Sequence[Sequence[str]],
    config: AdviseConfig,
) -> list[FieldChoice]:
    """Return what is best for each field that some label has a value of."""
    cheap = [name for name in rows if name not in (TUNED, ROUTED, NOTHING)]
    if TUNED not in rows:
        # What the budget let read a few documents only is not set against what read all.
        most = max(len(cards[name]) for name in cheap)
        cheap = [name for name in cheap if 2 * len(cards[name]) > most]
    fields = [
        name
        for name, counts in {**rows[NOTHING].scalars, **rows[NOTHING].lists}.items()
        if counts.labelled
    ]
    return [_choice(name, cheap, rows, cards, groups, config) for name in fields]


def _choice(
    name: str,
    cheap: Sequence[str],
    rows: Mapping[str, ScoreCard],
    cards: Mapping[str, Cards],
    groups: Sequence[Sequence[str]],
    config: AdviseConfig,
) -> FieldChoice:
    f1 = {method: counts_of(rows[method], name).f1 for method in cheap}
    best = max(cheap, key=lambda method: f1[method])
    kind: FieldAdvice = "rules" if best in (RULES, WRITTEN, NEAREST) else "untuned"
    if TUNED not in rows:
        sure = f1[best] >= 0.95 and len(cards[best]) >= config.least_held
        read = f"{best} reads {f1[best]:.3f}" if f1[best] else "nothing without training reads it"
        reason = f"{read}; tuning was not measured"
        return FieldChoice(name, kind if sure else "undecided", best, f1[best], None, None, reason)
    tuned = counts_of(rows[TUNED], name).f1
    gain = difference(cards[TUNED], cards[best], groups, name)
    interval = f"{gain.value:+.3f} (95 % interval {gain.low:+.3f} to {gain.high:+.3f})"
    if gain.low > 0:
        return FieldChoice(
            name, "tuning", best, f1[best], tuned, gain, f"tuning gains {interval} over {best}"
        )
    if gain.value < config.margin or gain.high < config.margin:
        reason = f"{best} reads {f1[best]:.3f}, tuning changes that by {interval}"
        return FieldChoice(name, kind, best, f1[best], tuned, gain, reason)
    reason = f"tuning gains {interval} over {best}: too few documents to tell"
    return FieldChoice(name, "undecided", best, f1[best], tuned, gain, reason)
