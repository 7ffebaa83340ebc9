"""The advice as one page for people."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

from training import charts
from training.advise.findings import FieldChoice, Method
from training.charts import Bar
from training.score import Counts

if TYPE_CHECKING:
    from training.advise import Advice


def to_html(advice: Advice) -> str:
    """Return the page; it needs nothing but itself."""
    findings, verdict = advice.findings, advice.verdict
    methods = sorted(findings.methods, key=lambda method: -method.f1.value)
    body = [
        f'<p><span class="big">{escape(verdict.name)}</span><br><span class="dim">'
        f"{advice.documents} documents, {advice.held} of {advice.groups} groups held out: "
        f"{escape(advice.split)}; {advice.seconds_s / 60:.1f} minutes</span></p>",
        charts.items(verdict.reasons),
        charts.section("What else to do", charts.items(verdict.next)),
        charts.section("Methods", _bars(methods) + charts.table(_HEAD, map(_row, methods))),
        charts.section("Fields", charts.table(_FIELD_HEAD, map(_field, findings.fields))),
        charts.section("Fields by method", _by_method(methods)),
        charts.section("Learning curve", _curve(advice)),
        charts.section("Straight through", _straight(methods)),
        charts.section("Clues of the learned rules", _clues(advice)),
        charts.section("Labels", charts.table(("what", "found"), _labels(advice))),
        charts.section("Left out", charts.items(_left_out(advice))),
    ]
    return charts.page("Advice", "".join(body))


_HEAD = ("method", "documents", "macro F1", "to the letter", "whole documents right", "seconds",
         "95 % of them", "CPU s", "cost of 1,000", "MB added", "random split")  # fmt: skip
_FIELD_HEAD = ("field", "advice", "best without training", "F1", "tuned F1", "why")


def _bars(methods: list[Method]) -> str:
    rows = [Bar(m.name, m.f1.value, None, m.f1.low, m.f1.high) for m in methods]
    return charts.bars(rows, "macro F1 by method, with 95 % intervals by groups")


def _row(method: Method) -> tuple[Any, ...]:
    return (
        method.name, method.documents, method.f1.value, method.exact_f1, method.whole,
        method.seconds_s[0], method.seconds_s[1], method.cpu_s, method.cost_per_1000,
        None if method.added_mb is None else round(method.added_mb), method.pretended_f1,
    )  # fmt: skip


def _field(item: FieldChoice) -> tuple[Any, ...]:
    return (item.field, item.advice, item.cheap, item.cheap_f1, item.tuned, item.reason)


def _by_method(methods: list[Method]) -> str:
    head = ("field", "method", "labels", "F1", "wrong", "missed", "invented", "of empty")

    def rows() -> Iterator[tuple[Any, ...]]:
        names = dict.fromkeys(name for m in methods for name in (*m.card.scalars, *m.card.lists))
        for name in names:
            for m in methods:
                c = {**m.card.scalars, **m.card.lists}.get(name, Counts())
                empty = c.invented + c.absent
                yield name, m.name, c.labelled, c.f1, c.wrong, c.missed, c.invented, empty

    return charts.table(head, rows())


def _curve(advice: Advice) -> str:
    curve = advice.findings.curve
    if curve is None:
        return ""
    points = [(float(size), f1) for size, f1 in curve.points]
    gain = curve.gain
    return charts.curve(points, "training documents", "macro F1") + (
        f"<p>Expected of twice the documents: {gain.value:+.3f} macro F1 (95 % interval "
        f"{gain.low:+.3f} to {gain.high:+.3f}); the error falls with n to the power of "
        f"{-curve.exponent:.2f}.</p>"
    )


def _straight(methods: list[Method]) -> str:
    rows = [
        (method.name, field, share)
        for method in methods
        for field, share in (method.straight_through or {}).items()
    ]
    return charts.table(("method", "field", "share of its values"), rows)


def _clues(advice: Advice) -> str:
    rows = [(name, "; ".join(clues)) for name, clues in advice.clues.items()]
    return charts.table(("field", "speak for a place"), rows)


def _labels(advice: Advice) -> Iterator[tuple[str, Any]]:
    labels = advice.labels
    yield "values that a text could show", labels.values
    yield "share that stands in its own document", labels.found
    yield "share that stands in another one by chance", labels.by_chance
    yield "documents whose label fits another one", len(labels.foreign)
    for name, share in labels.not_in_text.items():
        yield f"share of {name} that no text shows", share
    for code, count in labels.faults.items():
        yield f"documents with {code}", count


def _left_out(advice: Advice) -> list[str]:
    return [
        *advice.left_out,
        *(f"document {name}: {reason}" for name, reason in advice.unreadable),
    ]
