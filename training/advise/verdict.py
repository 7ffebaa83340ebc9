"""From figures to advice: what was measured, compared, and said in plain words.

The interval of a difference decides, not the difference. The order is that of cost: faults in the
labels first, then whether there is enough to compare on, then the methods.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np

from training.advise.config import AdviseConfig
from training.advise.labels import LabelCheck
from training.advise.run import (
    HELD,
    INNER,
    NEAREST,
    NOTHING,
    RANDOM,
    ROUTED,
    RULES,
    SHARES,
    TUNED,
    WRITTEN,
    Trials,
    cheap_methods,
    piece,
)
from training.advise.study import Journal, Reading, Study
from training.compare import (
    Curve,
    Floats,
    Interval,
    accepted,
    difference,
    draws,
    learning_curve,
    macro,
    needed,
    sample,
)
from training.score import Counts, ScoreCard
from training.split import group_name

Name = Literal[
    "FIX LABELS FIRST",
    "LABEL MORE",
    "NOT ENOUGH TEST DATA",
    "FINE-TUNE",
    "RULES OR PROMPT ARE ENOUGH",
    "COMBINE",
    "UNDECIDED",
]
FieldAdvice = Literal["rules", "untuned", "tuning", "undecided"]
_AGAIN = "run it again with a larger --budget: it goes on where it stopped"
_WIDTH = 0.1  # of the interval that a test should have


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do.

    :param reasons: sentences, the first one decides.
    :param next: what else to do.
    :param documents_needed: labelled, held out, for an interval that decides; None if it does.
    """

    name: Name
    reasons: tuple[str, ...]
    next: tuple[str, ...] = ()
    documents_needed: int | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """How one method reads.

    :param documents: that it read.
    :param f1: macro, normalised, with interval.
    :param exact_f1: where a value counts only if it is the same to the letter.
    :param whole: share of documents without a mistake in a single value.
    :param seconds_s: (median, 95 % quantile) for a document, without reading the file.
    :param cost_per_1000: of processor time, at the given price; None without a price.
    :param straight_through: share of a field's values that may go through unseen, by field; None
        without a target precision, and for a method that tells no confidence.
    :param pretended_f1: what a random split would have shown; None where that was not tried.
    """

    name: str
    documents: int
    f1: Interval
    exact_f1: float
    whole: float
    card: ScoreCard
    seconds_s: tuple[float, float]
    cpu_s: float
    cost_per_1000: float | None
    peak_mb: float
    straight_through: Mapping[str, float] | None
    pretended_f1: float | None = None


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """What is best for one field.

    :param cheap: the best method that needs no training, and its F1.
    :param tuned: F1 of the tuned adapter; None if it was not measured.
    :param gain: of tuning over that, with interval.
    """

    field: str
    advice: FieldAdvice
    cheap: str
    cheap_f1: float
    tuned: float | None
    gain: Interval | None
    reason: str


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was measured.

    :param router: method by field, chosen on inner documents; empty if nothing could be chosen.
    :param difference: of the best method with training to the best without.
    :param tuned_share: of the training groups, in percent, that "tuned" was trained on: all, or
        what the budget allowed.
    """

    methods: tuple[Method, ...] = ()
    fields: tuple[FieldChoice, ...] = ()
    router: Mapping[str, str] = field(default_factory=dict)
    difference: Interval | None = None
    router_gain: Interval | None = None
    curve: Curve | None = None
    compared_on: int = 0
    tuned_share: int | None = None

    def method(self, name: str) -> Method | None:
        """Return a method by name."""
        return next((item for item in self.methods if item.name == name), None)


# ---------------------------------------------------------------- before any method


def first_check(labels: LabelCheck, study: Study, config: AdviseConfig) -> Verdict | None:
    """Return the verdict that needs no method, None if there is none."""
    if labels.wrong:
        return Verdict(
            "FIX LABELS FIRST",
            (labels.wrong, "whatever is measured on wrong labels measures the labels"),
            ("run extractor lint, which names each of them",),
        )
    documents, held = len(study.known), len(study.held)
    groups = len(study.held_groups())
    if documents < config.least_documents:
        return Verdict(
            "LABEL MORE",
            (
                f"{documents} documents are labelled: below {config.least_documents} neither "
                "tuning nor a comparison can be relied on",
                f"a share measured on {held} documents is known to {_half_width(held):.0%} at best",
            ),
            (f"label {config.least_documents - documents} more, of as many senders as you can",),
            documents_needed=config.least_documents,
        )
    if held < config.least_held or groups < config.least_groups:
        return Verdict(
            "NOT ENOUGH TEST DATA",
            (
                f"{held} documents of {groups} groups are held out, at least {config.least_held} "
                f"of {config.least_groups} are needed to tell methods apart",
            ),
            ("hold out more documents, or use --folds 5, which measures on all of them",),
            documents_needed=config.least_held,
        )
    return None


def _half_width(documents: int) -> float:
    """Return half the 95 % interval of a share of one half: the most that it can be."""
    return float(1.96 * np.sqrt(0.25 / max(1, documents)))


# ---------------------------------------------------------------- figures


def measure(trials: Trials) -> Findings:
    """Score and compare what the journal holds."""
    study, config = trials.study, trials.config
    cards = _cards(trials)
    tuned = cards.get(TUNED)
    common = set(tuned) if tuned else set.intersection(*(set(c) for c in cards.values()))
    router = _router(trials)
    if len(set(router.values())) > 1:
        cards[ROUTED] = _routed(cards, router)
    groups = study.held_groups()
    weights = draws(len(groups))
    # Without a tuned one to be paired with, each method is told by all that it read.
    rows = {name: _summed(cards[name], common if tuned else set(cards[name])) for name in cards}
    singles = [name for name in cards if name not in (TUNED, ROUTED)]
    best = max(singles, key=lambda name: rows[name].macro_f1)
    findings = Findings(
        methods=tuple(_method(trials, name, cards[name], groups, weights) for name in cards),
        fields=tuple(_choices(rows, cards, groups, config)),
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


def _cards(trials: Trials) -> dict[str, dict[str, list[ScoreCard]]]:
    """Return each method's cards by held-out document, those of all folds and seeds together."""
    found: dict[str, dict[str, list[ScoreCard]]] = {}
    for name in _all_methods(trials):
        cards = trials.journal.cards(*_pieces(trials, name))
        if cards:
            found[name] = cards
    return found


def _all_methods(trials: Trials) -> tuple[str, ...]:
    from training.advise.run import BARE, SHIPPED

    return (*cheap_methods(trials.config), BARE, SHIPPED, TUNED)


def _pieces(trials: Trials, name: str, part: str = HELD, share: int | None = None) -> list[str]:
    """Return the pieces of a method; of tuned ones those of the largest share that was read."""
    folds = range(len(trials.study.folds))
    share = share or (trials.tuned_share(part) or 100 if name == TUNED else 100)
    seeds = trials.config.seeds if name == TUNED else (0,)
    return [piece(name, number, part, share, seed) for number in folds for seed in seeds]


def _method(
    trials: Trials,
    name: str,
    cards: Mapping[str, Sequence[ScoreCard]],
    groups: Sequence[Sequence[str]],
    weights: Floats,
) -> Method:
    journal, config = trials.journal, trials.config
    readings = [
        item for part in _pieces(trials, name) for item in journal.readings.get(part, {}).values()
    ]
    total = _summed(cards, set(cards))
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
        pretended_f1=_summed(random, set(random)).macro_f1 if random else None,
    )


def _summed(cards: Mapping[str, Sequence[ScoreCard]], ids: set[str]) -> ScoreCard:
    return sum((card for name in sorted(ids) for card in cards.get(name, ())), ScoreCard())


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


def _router(trials: Trials) -> dict[str, str]:
    """Choose the method of each field on inner documents; of equals the one without training.

    Methods are compared on the documents that all of them read.
    """
    journal = trials.journal
    inner: dict[str, dict[str, list[ScoreCard]]] = {}
    for name in _all_methods(trials):
        cards = journal.cards(*_pieces(trials, name, INNER))
        if cards and (name != TUNED or journal.cards(*_pieces(trials, TUNED))):
            inner[name] = cards
    for name in (NOTHING, NEAREST):  # measures of a corpus, nothing to serve with
        inner.pop(name, None)
    if len(inner) < 2:
        return {}
    common = set.intersection(*(set(cards) for cards in inner.values()))
    totals = {name: _summed(cards, common) for name, cards in inner.items()}
    order = [name for name in (RULES, WRITTEN) if name in totals]
    order += [name for name in totals if name not in order]
    return {
        top: max(order, key=lambda name: _top_f1(totals[name], top))
        for top in trials.study.schema.field_names
    }


def _top_f1(card: ScoreCard, top: str) -> float:
    parts = [counts for name, counts in _top_parts(card, top)]
    return sum(parts, Counts()).f1


def _top_parts(card: ScoreCard, top: str) -> list[tuple[str, Counts]]:
    every = [*card.scalars.items(), *card.lists.items()]
    return [(name, counts) for name, counts in every if name.split(".")[0] == top]


def _routed(
    cards: Mapping[str, Mapping[str, Sequence[ScoreCard]]], router: Mapping[str, str]
) -> dict[str, list[ScoreCard]]:
    """Return the cards that the router's answers have: each field's from its method."""
    used = set(router.values())
    common = set.intersection(*(set(cards[name]) for name in used))
    return {
        document: [
            # The first seed's card: counts of several would outweigh those of other methods.
            sum((_only(cards[name][document][0], top) for top, name in router.items()),
                ScoreCard())
        ]
        for document in common
    }  # fmt: skip


def _only(card: ScoreCard, top: str) -> ScoreCard:
    def part(counts: Mapping[str, Counts]) -> dict[str, Counts]:
        return {
            name: found
            for name, found in counts.items()
            if name.replace("[", ".").split(".")[0] == top
        }

    return ScoreCard(part(card.scalars), part(card.lists), part(card.inner))


def _curve(trials: Trials, groups: Sequence[Sequence[str]]) -> Curve | None:
    """Return the learning curve, on documents that adapters of all sizes read."""
    sizes: dict[int, dict[str, list[ScoreCard]]] = {}
    for share in SHARES:
        cards = trials.journal.cards(*_pieces(trials, TUNED, HELD, share))
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


# ---------------------------------------------------------------- by field


def _choices(
    rows: Mapping[str, ScoreCard],
    cards: Mapping[str, Mapping[str, Sequence[ScoreCard]]],
    groups: Sequence[Sequence[str]],
    config: AdviseConfig,
) -> list[FieldChoice]:
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
    cards: Mapping[str, Mapping[str, Sequence[ScoreCard]]],
    groups: Sequence[Sequence[str]],
    config: AdviseConfig,
) -> FieldChoice:
    f1 = {method: _field_f1(rows[method], name) for method in cheap}
    best = max(cheap, key=lambda method: f1[method])
    kind: FieldAdvice = "rules" if best in (RULES, WRITTEN, NEAREST) else "untuned"
    if TUNED not in rows:
        sure = f1[best] >= 0.95 and len(cards[best]) >= config.least_held
        read = f"{best} reads {f1[best]:.3f}" if f1[best] else "nothing without training reads it"
        reason = f"{read}; tuning was not measured"
        return FieldChoice(name, kind if sure else "undecided", best, f1[best], None, None, reason)
    tuned = _field_f1(rows[TUNED], name)
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


def _field_f1(card: ScoreCard, name: str) -> float:
    return {**card.scalars, **card.lists}.get(name, Counts()).f1


# ---------------------------------------------------------------- the verdict


def decide(findings: Findings, labels: LabelCheck, trials: Trials) -> Verdict:
    """Return what to do, from what was measured."""
    config = trials.config
    singles = [m for m in findings.methods if m.name not in (TUNED, ROUTED)]
    best = max(singles, key=lambda method: method.f1.value)
    further = tuple(_further(findings, labels, trials))
    gain = findings.router_gain
    if gain is not None and gain.low > 0 and len(set(findings.router.values())) > 1:
        return Verdict("COMBINE", (_combined(findings, gain), *_by_field(findings)), further)
    if findings.difference is None:
        return _without_tuning(findings, best, further)
    d = findings.difference
    interval = f"{d.value:+.3f}, 95 % interval {d.low:+.3f} to {d.high:+.3f} by groups"
    share = findings.tuned_share or 100
    on = "" if share == 100 else f" on {share} % of the groups"
    said = f"tuning{on} changes macro F1 by {interval} against {best.name} ({best.f1.value:.3f})"
    if d.low > 0:
        ruled = [f.field for f in findings.fields if f.advice in ("rules", "untuned")]
        note = (f"not needed for {', '.join(ruled)}",) if ruled else ()
        return Verdict("FINE-TUNE", (said, *note, *_by_field(findings)), further)
    if share < 100 and d.high + (findings.curve.gain.high if findings.curve else 1.0) > 0:
        why = "all groups did not fit into the budget, and may turn that around"
        return Verdict("UNDECIDED", (said, why, *_by_field(findings)), (_AGAIN, *further))
    curve = findings.curve
    if curve is not None and curve.gain.low > max(config.margin, -d.value):
        more = (
            f"the learning curve still rises: {curve.gain.value:+.3f} macro F1 "
            f"({curve.gain.low:+.3f} to {curve.gain.high:+.3f}) is expected of twice the documents"
        )
        return Verdict("LABEL MORE", (said, more, *_by_field(findings)), further)
    if d.high > config.margin and d.width > config.widest:
        n = needed(findings.compared_on, d.width, _WIDTH)
        return Verdict(
            "NOT ENOUGH TEST DATA",
            (
                f"{said}: the interval holds both an answer for and one against tuning",
                f"about {n} held-out documents would make it {_WIDTH:.2f} wide",
                *_by_field(findings),
            ),
            further,
            documents_needed=n,
        )
    return Verdict("RULES OR PROMPT ARE ENOUGH", (said, *_by_field(findings)), further)


def _without_tuning(findings: Findings, best: Method, further: tuple[str, ...]) -> Verdict:
    # Rows of tables do not count in the macro F1, and no rule fills them.
    rows = [name for name in best.card.lists if best.card.lists[name].labelled]
    weak = [f.field for f in findings.fields if f.field in rows and f.advice == "undecided"]
    if best.f1.low >= 0.95 and not weak:
        reason = f"{best.name} reads {best.f1.value:.3f}: tuning could gain little"
        return Verdict("RULES OR PROMPT ARE ENOUGH", (reason, *_by_field(findings)), further)
    return Verdict(
        "UNDECIDED",
        (
            f"the best without training is {best.name}: {best.f1.value:.3f} macro F1 "
            f"({best.f1.low:.3f} to {best.f1.high:.3f}); tuning was not measured, see what was "
            "left out",
            *_by_field(findings),
        ),
        (_AGAIN, *further),
    )


def _combined(findings: Findings, gain: Interval) -> str:
    parts = ", ".join(f"{name}: {method}" for name, method in findings.router.items())
    return (
        f"methods chosen by field gain {gain.value:+.3f} macro F1 (95 % interval {gain.low:+.3f} "
        f"to {gain.high:+.3f}) over the best single one; {parts}"
    )


def _by_field(findings: Findings) -> list[str]:
    words = {
        "rules": "rules are enough",
        "untuned": "the untuned model is enough",
        "tuning": "tune",
        "undecided": "undecided",
    }
    return [f"{item.field}: {words[item.advice]}; {item.reason}" for item in findings.fields]


def _further(findings: Findings, labels: LabelCheck, trials: Trials) -> list[str]:
    said: list[str] = []
    absent = [name for name, share in labels.not_in_text.items() if share > 0.2]
    if absent:
        said.append(
            f"values of {', '.join(absent)} often stand nowhere in the text: no tuning makes a "
            "model copy them; derive them in the class, or look them up in reference data"
        )
    said.append(
        "what changes without the documents, such as master data of vendors or new requirements, "
        "belongs into reference data or the class: a tuned model would have to be trained again"
    )
    weak = sorted(findings.fields, key=lambda item: max(item.cheap_f1, item.tuned or 0.0))[:3]
    weak = [item for item in weak if max(item.cheap_f1, item.tuned or 0.0) < 0.9]
    if weak:
        said.append(f"fields to label more of: {', '.join(item.field for item in weak)}")
    senders = _weak_senders(findings, trials)
    if senders:
        said.append(f"senders to label more of: {', '.join(senders)}")
    for method in findings.methods:
        if method.name == NEAREST and method.pretended_f1 is not None:
            said.append(
                f"a random split would pretend: {NEAREST} {method.pretended_f1:.3f} there, "
                f"{method.f1.value:.3f} on unseen senders"
            )
    return said


def _weak_senders(findings: Findings, trials: Trials, most: int = 5) -> list[str]:
    """Return the groups with most mistakes by the best method, where they have a name."""
    cards = _cards(trials)
    best = max(findings.methods, key=lambda method: method.f1.value).name
    found = cards.get(best) or cards[RULES]
    mistakes: list[tuple[int, str]] = []
    for group in trials.study.held_groups():
        labelled = trials.study.known[group[0]].labelled
        total = _summed(found, set(group))
        wrong = sum(c.wrong + c.missed + c.invented for c in total.scalars.values())
        name = group_name(labelled, trials.study.schema)
        if name is not None and wrong:
            mistakes.append((wrong, name))
    return [name for _, name in sorted(mistakes, reverse=True)[:most]]


def to_json(findings: Findings) -> dict[str, Any]:
    """Return the figures as JSON."""
    return {
        "methods": [
            {**asdict(method), "card": method.card.to_json()} for method in findings.methods
        ],
        "fields": [asdict(item) for item in findings.fields],
        "router": dict(findings.router),
        "difference": None if findings.difference is None else findings.difference.json(),
        "router_gain": None if findings.router_gain is None else findings.router_gain.json(),
        "curve": None if findings.curve is None else findings.curve.json(),
        "compared_on": findings.compared_on,
    }


__all__ = ["Findings", "Journal", "Verdict", "decide", "first_check", "measure", "to_json"]
