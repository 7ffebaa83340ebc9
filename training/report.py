"""Reports: JSON for programs, and one self-contained HTML file for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from extractor.errors import OutputError
from training import charts
from training.charts import Bar
from training.evaluate import Report, Scored
from training.reliability import Reliability
from training.score import Counts, ScoreCard

_WORST = 20


@dataclass(frozen=True, slots=True)
class Extras:
    """What a page shows beside the scores, as far as it is known.

    :param reliability: mean probability, share of right values and number of values of each bin.
    :param risk_coverage: (share of values that go through, share of them that is wrong).
    :param curve: (training documents, macro F1).
    :param pictures: PNG of a page with the values marked, by document id.
    """

    reliability: Sequence[tuple[float, float, int]] | None = None
    risk_coverage: Sequence[tuple[float, float]] | None = None
    curve: Sequence[tuple[int, float]] | None = None
    pictures: Mapping[str, bytes] = field(default_factory=dict)


def to_json(report: Report, before: Report | None = None) -> dict[str, Any]:
    """Return a report as JSON values.

    :param before: the same documents without tuning, if they were read.
    """
    content: dict[str, Any] = {
        "macro_f1": report.macro_f1,
        "macro_f1_interval_95": list(report.interval),
        "scores": report.card.to_json(),
        "documents": [_document(item) for item in report.documents],
        "unscored": [{"document": name, "reason": reason} for name, reason in report.unscored],
    }
    if report.reliability is not None:
        content["reliability"] = report.reliability.to_json()
    if report.fitted:
        content["left_out_of_reliability"] = report.fitted
    if before is not None:
        content["before"] = {"macro_f1": before.macro_f1, "scores": before.card.to_json()}
    return content


def write(
    path: str | Path, report: Report, before: Report | None = None, extras: Extras | None = None
) -> None:
    """Write `report.json` and, beside it, `report.html`.

    :raises OutputError: if a file cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(to_json(report, before), indent=2, ensure_ascii=False, default=str)
        path.write_text(text, encoding="utf-8")
        path.with_suffix(".html").write_text(to_html(report, before, extras), encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"report {path}: cannot be written ({error.strerror})",
            hint="check the folder, its permissions and the space on the disk",
        ) from error


def to_html(report: Report, before: Report | None = None, extras: Extras | None = None) -> str:
    """Return a page that needs nothing but itself; every word of a document is escaped."""
    extras = _with_confidence(extras or Extras(), report.reliability)
    low, high = report.interval
    was = f' <span class="dim">from {before.macro_f1:.3f} before tuning</span>' if before else ""
    curve = [(float(size), f1) for size, f1 in extras.curve or ()]
    body = [
        f'<p><span class="big">{report.macro_f1:.3f}</span> macro F1{was}<br>'
        f'<span class="dim">95 % interval {low:.3f} to {high:.3f}, by groups; '
        f"{len(report.documents)} documents</span></p>",
        charts.section("Fields", _bars(report.card, before) + _table(report.card)),
        charts.section("Confidence", _said(report)),
        charts.section("Probabilities", charts.reliability(extras.reliability or ())),
        charts.section("Risk by coverage", _risk(extras.risk_coverage or ())),
        charts.section("Learning curve", charts.curve(curve, "training documents", "macro F1")),
        charts.section("Values taken for others", _confusion(report)),
        charts.section("Documents with most mistakes", _worst(report)),
        "".join(charts.image(data, name) for name, data in extras.pictures.items()),
        charts.section("Not scored", charts.items(f"{n}: {why}" for n, why in report.unscored)),
    ]
    return charts.page("Extraction report", "".join(body))


def worst(report: Report, most: int = _WORST) -> list[Scored]:
    """Return the documents with most mistakes, and those that failed, the worst first."""
    ranked = sorted(report.documents, key=lambda item: -len(item.mistakes))
    return [item for item in ranked if item.mistakes or item.status == "failed"][:most]


def _with_confidence(extras: Extras, found: Reliability | None) -> Extras:
    """Return what a page shows, the plots of confidences added where nothing else is there."""
    if found is None:
        return extras
    curve = [(share, risk) for share, risk, _, _ in found.risk_coverage]
    return replace(
        extras,
        reliability=extras.reliability or found.bins,
        risk_coverage=extras.risk_coverage or curve,
    )


def _said(report: Report) -> str:
    if report.reliability is None:
        return ""
    known = f"without {report.fitted} documents of groups that the calibration was fitted on"
    return charts.items([*report.reliability.lines(), *([known] if report.fitted else [])])


def _document(item: Scored) -> dict[str, Any]:
    return {
        "document": item.id,
        "status": item.status,
        "seconds_s": round(item.seconds_s, 3),
        "mistakes": {
            name: {"given": given, "wanted": wanted}
            for name, (given, wanted) in item.mistakes.items()
        },
    }


def _fields(card: ScoreCard) -> dict[str, Counts]:
    return {**card.scalars, **card.lists}


def _bars(card: ScoreCard, before: Report | None) -> str:
    old = _fields(before.card) if before else {}
    rows = [
        Bar(name, counts.f1, old[name].f1 if name in old else None)
        for name, counts in _fields(card).items()
    ]
    return charts.bars(rows, "F1 by field; the light bar is what it was before tuning")


def _table(card: ScoreCard) -> str:
    head = ("field", "labels", "F1", "precision", "recall", "wrong", "missed", "invented")
    rows = [
        (name, c.labelled, c.f1, c.precision, c.recall, c.wrong, c.missed,
         f"{c.invented} of {c.invented + c.absent}")
        for name, c in {**_fields(card), **card.inner}.items()
    ]  # fmt: skip
    return charts.table(head, rows)


def _risk(points: Sequence[tuple[float, float]]) -> str:
    return charts.curve(points, "share that goes through", "share of it that is wrong")


def _confusion(report: Report, most: int = 20) -> str:
    """Return which values were given for which, the most frequent first."""
    counts = Counter(
        (name, _short(given), _short(wanted))
        for item in report.documents
        for name, (given, wanted) in item.mistakes.items()
    )
    rows = [(name, given, wanted, n) for (name, given, wanted), n in counts.most_common(most)]
    return charts.table(("field", "given", "wanted", "documents"), rows)


def _worst(report: Report) -> str:
    rows = [
        (item.id, item.status, name, _short(given), _short(wanted))
        for item in worst(report)
        for name, (given, wanted) in (item.mistakes or {"": (None, None)}).items()
    ]
    return charts.table(("document", "status", "field", "given", "wanted"), rows)


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 120 else text[:117] + "..."
