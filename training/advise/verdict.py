"""From figures to advice in plain words.

The interval of a difference decides, not the difference. The order is that of cost: faults in the
labels first, then whether there is enough to compare on, then the methods. Rules and the untuned
adapter together need no training, so they are advised also where it is open what tuning adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from extractor.schema import AnySchema
from training.advise.cards import summed
from training.advise.config import AdviseConfig
from training.advise.findings import Findings
from training.advise.labels import LabelCheck
from training.advise.run import NEAREST, TOGETHER, TUNED, Trials
from training.advise.study import Study
from training.compare import Interval, needed
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
_AGAIN = "run it again with a larger --budget: it goes on where it stopped"
# Verdicts under which tuning is not shown to be worth it.
_OPEN: frozenset[Name] = frozenset(
    ["RULES OR PROMPT ARE ENOUGH", "NOT ENOUGH TEST DATA", "UNDECIDED"]
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do.

    :param reasons: sentences, the first one decides.
    :param next: what else to do, commands first.
    :param documents_needed: labelled, held out, for an interval that decides; None if it does.
    """

    name: Name
    reasons: tuple[str, ...]
    next: tuple[str, ...] = ()
    documents_needed: int | None = None


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
    without = f", without {len(study.shared)} of senders that training has" if study.shared else ""
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
                f"{held} documents of {groups} groups are held out{without}, at least "
                f"{config.least_held} of {config.least_groups} are needed to tell methods apart",
            ),
            ("hold out more documents, or use --folds 5, which measures on all of them",),
            documents_needed=config.least_held,
        )
    return None


def _half_width(documents: int) -> float:
    """Return half the 95 % interval of a share of one half: the most that it can be."""
    return float(1.96 * np.sqrt(0.25 / max(1, documents)))


def decide(findings: Findings, labels: LabelCheck, trials: Trials) -> Verdict:
    """Return what to do, from what was measured."""
    further = tuple(_further(findings, labels, trials))
    verdict = _by_methods(findings, trials, further)
    return replace(verdict, next=(*_commands(verdict.name, findings, trials.config), *verdict.next))


def combined(findings: Findings, schema: AnySchema) -> Mapping[str, str]:
    """Return the method of each field, where methods are to be combined."""
    if _routed(findings) is not None:
        return findings.router
    return dict.fromkeys(schema.field_names, TOGETHER)


def _routed(findings: Findings) -> Interval | None:
    """Return what methods chosen by field gain, None if that is not shown to be anything."""
    gain = findings.router_gain
    return gain if gain is not None and gain.low > 0 else None


def _by_methods(findings: Findings, trials: Trials, further: tuple[str, ...]) -> Verdict:
    gain = _routed(findings)
    if gain is not None:
        reason = _chosen(findings, gain)
        return Verdict("COMBINE", (reason, *_by_field(findings)), further)
    if findings.difference is None:
        verdict = _without_tuning(findings, trials.config, further)
    else:
        verdict = _with_tuning(findings, findings.difference, trials, further)
    return _together(verdict, findings, trials.config)


def _together(verdict: Verdict, findings: Findings, config: AdviseConfig) -> Verdict:
    """Return COMBINE where rules and the untuned adapter together beat each alone.

    Or where they read best without training and no training is needed, unless what either reads
    alone is shown to be within the margin.
    """
    gain = findings.together_gain
    if findings.best != TOGETHER or gain is None or verdict.name not in _OPEN:
        return verdict
    needless = verdict.name == "RULES OR PROMPT ARE ENOUGH"
    if gain.high < config.margin or not (gain.low > 0 or needless):
        return verdict
    reason = (
        f"rules and the untuned adapter together change macro F1 by {gain.value:+.3f} (95 % "
        f"interval {gain.low:+.3f} to {gain.high:+.3f}) over {findings.best_alone}, the best alone"
    )
    return replace(verdict, name="COMBINE", reasons=(reason, *verdict.reasons))


def _commands(verdict: Name, findings: Findings, config: AdviseConfig) -> list[str]:
    """Return what to run for what is advised, of all fields or of some."""
    base = "" if config.base_model is None else f" --base-model {config.base_model}"
    train = f"extractor train --schema S --corpus DIR --output DIR{base}"
    fields = {
        advice: "".join(f", {item.field}" for item in findings.fields if item.advice == advice)
        for advice in ("together", "tuning")
    }
    routed = () if _routed(findings) is None else findings.router.values()
    said = []
    if TOGETHER in findings.compared and (verdict == "COMBINE" or fields["together"]):
        said.append(
            f"rules and the untuned adapter together{fields['together']}: {train} --epochs 0; "
            "it learns rules in seconds and trains nothing"
        )
    if verdict == "FINE-TUNE" or fields["tuning"] or TUNED in routed:
        said.append(f"tuned, with rules as well{fields['tuning']}: {train}")
    if routed:
        said.append("by field: router.json, which training.methods.routed reads")
    return said


def _with_tuning(
    findings: Findings, d: Interval, trials: Trials, further: tuple[str, ...]
) -> Verdict:
    """Return the verdict where tuning was measured on enough documents.

    :param d: what it changes; the interval decides, each end by itself.
    """
    margin, curve = trials.config.margin, findings.curve
    share, by_field = findings.tuned_share or 100, _by_field(findings)
    said = _said(findings, d, share)
    if d.low > 0:
        ruled = [f.field for f in findings.fields if f.advice in ("rules", "untuned", "together")]
        note = (f"not needed for {', '.join(ruled)}",) if ruled else ()
        return Verdict("FINE-TUNE", (said, *note, *by_field), further)
    if share < 100 and d.high + (curve.gain.high if curve else 1.0) >= margin:
        why = "all groups did not fit into the budget, and may turn that around"
        return Verdict("UNDECIDED", (said, why, *by_field), (_AGAIN, *further))
    if curve is not None and curve.gain.low > max(margin, -d.value):
        more = (
            f"the learning curve still rises: {curve.gain.value:+.3f} macro F1 "
            f"({curve.gain.low:+.3f} to {curve.gain.high:+.3f}) is expected of twice the documents"
        )
        return Verdict("LABEL MORE", (said, more, *by_field), further)
    if d.high < margin:
        return Verdict("RULES OR PROMPT ARE ENOUGH", (said, *by_field), further)
    return _undecided(findings, d, trials, said, further)


def _said(findings: Findings, d: Interval, share: int) -> str:
    on = "" if share == 100 else f" on {share} % of the groups"
    return (
        f"tuning{on} changes macro F1 by {d.value:+.3f}, 95 % interval {d.low:+.3f} to "
        f"{d.high:+.3f} by groups, against {findings.best}; measured on {findings.compared_on} "
        f"documents of {findings.compared_groups} groups"
    )


def _undecided(
    findings: Findings, d: Interval, trials: Trials, said: str, further: tuple[str, ...]
) -> Verdict:
    """Return the verdict on an interval that holds an answer for tuning and one against it."""
    why = f"{said}: the interval holds both an answer for and one against tuning"
    held, by_field = len(trials.study.held), _by_field(findings)
    if findings.compared_on < held:
        some = f"the budget let {findings.compared_on} of {held} held-out documents be compared"
        return Verdict("UNDECIDED", (why, some, *by_field), (_AGAIN, *further))
    # So narrow it must be to lie above zero, or below the margin, around the same difference.
    wanted = 2 * max(d.value, trials.config.margin - d.value)
    n = max(needed(findings.compared_on, d.width, wanted), findings.compared_on + 1)
    return Verdict(
        "NOT ENOUGH TEST DATA",
        (why, f"about {n} held-out documents would decide a difference of that size", *by_field),
        further,
        documents_needed=n,
    )


def _without_tuning(findings: Findings, config: AdviseConfig, further: tuple[str, ...]) -> Verdict:
    best = findings.method(findings.best)
    assert best is not None, "the best method is one of them"
    # Rows of tables do not count in the macro F1, and no rule fills them.
    rows = [name for name in best.card.lists if best.card.lists[name].labelled]
    weak = [f.field for f in findings.fields if f.field in rows and f.advice == "undecided"]
    # No tuning gains more than what is missing.
    if 1 - best.f1.low < config.margin and not weak:
        reason = f"{best.name} reads {best.f1.value:.3f}: tuning could gain little"
        return Verdict("RULES OR PROMPT ARE ENOUGH", (reason, *_by_field(findings)), further)
    return Verdict(
        "UNDECIDED",
        (
            f"the best without training is {best.name}: {best.f1.value:.3f} macro F1 "
            f"({best.f1.low:.3f} to {best.f1.high:.3f}); tuning was not measured on enough "
            "documents, see what was left out",
            *_by_field(findings),
        ),
        (_AGAIN, *further),
    )


def _chosen(findings: Findings, gain: Interval) -> str:
    parts = ", ".join(f"{name}: {method}" for name, method in findings.router.items())
    return (
        f"methods chosen by field gain {gain.value:+.3f} macro F1 (95 % interval {gain.low:+.3f} "
        f"to {gain.high:+.3f}) over the best single one; {parts}"
    )


def _by_field(findings: Findings) -> list[str]:
    words = {
        "rules": "rules are enough",
        "untuned": "the untuned model is enough",
        "together": "rules and the untuned model together are enough",
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
    compared = [m for m in findings.methods if m.name in findings.compared]
    best = max(compared, key=lambda method: method.f1.value).name
    found = trials.journal.cards(*trials.pieces(best))
    mistakes: list[tuple[int, str]] = []
    for group in trials.study.held_groups():
        labelled = trials.study.known[group[0]].labelled
        total = summed(found, group)
        wrong = sum(c.wrong + c.missed + c.invented for c in total.scalars.values())
        name = group_name(labelled, trials.study.schema)
        if name is not None and wrong:
            mistakes.append((wrong, name))
    return [name for _, name in sorted(mistakes, reverse=True)[:most]]
