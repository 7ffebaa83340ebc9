"""Reports: JSON for programs, and one self-contained HTML file for people."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from extractor.errors import OutputError
from training.evaluate import Report, Scored
from training.score import Counts, ScoreCard

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1b2733; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .3rem .6rem; text-align: left;
  border-bottom: 1px solid #e3e8ee; } td.n, th.n { text-align: right;
  font-variant-numeric: tabular-nums; }
.big { font-size: 2.4rem; font-weight: 600; } .dim { color: #627385; }
"""


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
    if before is not None:
        content["before"] = {"macro_f1": before.macro_f1, "scores": before.card.to_json()}
    return content


def write(path: str | Path, report: Report, before: Report | None = None) -> None:
    """Write `report.json` and, beside it, `report.html`.

    :raises OutputError: if a file cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(to_json(report, before), indent=2, ensure_ascii=False, default=str)
        path.write_text(text, encoding="utf-8")
        path.with_suffix(".html").write_text(to_html(report, before), encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"report {path}: cannot be written ({error.strerror})",
            hint="check the folder, its permissions and the space on the disk",
        ) from error


def to_html(report: Report, before: Report | None = None) -> str:
    """Return a page that needs nothing but itself; every word of a document is escaped."""
    low, high = report.interval
    worst = sorted(report.documents, key=lambda item: -len(item.mistakes))[:20]
    rows = "".join(_row(item) for item in worst if item.mistakes or item.status == "failed")
    unscored = "".join(
        f"<li>{escape(name)}: {escape(reason)}</li>" for name, reason in report.unscored
    )
    was = f' <span class="dim">from {before.macro_f1:.3f} before tuning</span>' if before else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Extraction report</title>'
        f"<style>{_STYLE}</style></head><body><h1>Extraction report</h1>"
        f'<p><span class="big">{report.macro_f1:.3f}</span> macro F1{was}<br>'
        f'<span class="dim">95 % interval {low:.3f} to {high:.3f}, by groups; '
        f"{len(report.documents)} documents</span></p>"
        f"<h2>Fields</h2>{_bars(report.card, before.card if before else None)}"
        f"{_table(report.card)}"
        f"<h2>Documents with most mistakes</h2><table><tr><th>document</th><th>status</th>"
        f"<th>field: given, wanted</th></tr>{rows}</table>"
        + (f"<h2>Not scored</h2><ul>{unscored}</ul>" if unscored else "")
        + "</body></html>"
    )


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


def _bars(card: ScoreCard, before: ScoreCard | None) -> str:
    """Return horizontal bars of F1 by field as SVG; the grey part was there before tuning."""
    fields = _fields(card)
    old = _fields(before) if before else {}
    parts: list[str] = []
    for index, (name, counts) in enumerate(fields.items()):
        y = 26 * index
        was = old[name].f1 if name in old else 0.0
        parts.append(
            f'<text x="190" y="{y + 15}" text-anchor="end" font-size="13">{escape(name)}</text>'
            f'<rect x="200" y="{y + 3}" width="{500 * counts.f1:.1f}" height="16" fill="#3a7bd5"/>'
            f'<rect x="200" y="{y + 15}" width="{500 * was:.1f}" height="4" fill="#9aa7b4"/>'
            f'<text x="{206 + 500 * counts.f1:.1f}" y="{y + 15}" font-size="12">'
            f"{counts.f1:.3f}</text>"
        )
    height = 26 * len(fields) + 4
    return (
        f'<svg viewBox="0 0 760 {height}" width="100%" role="img" '
        f'aria-label="F1 by field">{"".join(parts)}</svg>'
    )


def _table(card: ScoreCard) -> str:
    head = "".join(
        f'<th class="n">{title}</th>'
        for title in ("labels", "F1", "precision", "recall", "wrong", "missed", "invented")
    )
    rows = "".join(
        f"<tr><td>{escape(name)}</td>"
        + "".join(
            f'<td class="n">{value}</td>'
            for value in (
                c.labelled, f"{c.f1:.3f}", f"{c.precision:.3f}", f"{c.recall:.3f}",
                c.wrong, c.missed, f"{c.invented} of {c.invented + c.absent}",
            )
        )
        + "</tr>"
        for name, c in {**_fields(card), **card.inner}.items()
    )  # fmt: skip
    return f"<table><tr><th>field</th>{head}</tr>{rows}</table>"


def _row(item: Scored) -> str:
    mistakes = "<br>".join(
        f"<b>{escape(name)}</b>: {escape(_short(given))}, {escape(_short(wanted))}"
        for name, (given, wanted) in item.mistakes.items()
    )
    return f"<tr><td>{escape(item.id)}</td><td>{escape(item.status)}</td><td>{mistakes}</td></tr>"


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 120 else text[:117] + "..."
