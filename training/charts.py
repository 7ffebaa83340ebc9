"""Pages and plots that need nothing but themselves: HTML with inline SVG, no script, no font.

Colours differ in lightness too, so that a print in grey can be read. All that comes from documents
or labels is escaped here or by `text`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

NOW, WAS, GRID, INK = "#2563a8", "#b9c3cf", "#d9dfe6", "#1b2733"
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1b2733; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .3rem .6rem; text-align: left;
  vertical-align: top; border-bottom: 1px solid #e3e8ee; } td.n, th.n { text-align: right;
  font-variant-numeric: tabular-nums; }
.big { font-size: 2.4rem; font-weight: 600; } .dim { color: #55636f; }
img { max-width: 100%; border: 1px solid #d9dfe6; } figure { margin: 1rem 0; }
svg { max-width: 760px; display: block; } svg text { fill: #1b2733; font-size: 12px; }
"""


def page(title: str, body: str) -> str:
    """Return a page; `title` is escaped, `body` is taken as it is."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(title)}</h1>{body}</body></html>"
    )


def section(title: str, body: str) -> str:
    """Return a heading and what follows; nothing for an empty body."""
    return f"<h2>{escape(title)}</h2>{body}" if body else ""


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table, numbers to the right; every cell is escaped."""
    lines = [f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows]
    if not lines:
        return ""
    first = "".join(f"<th>{escape(title)}</th>" for title in head)
    return f"<table><tr>{first}</tr>{''.join(lines)}</table>"


def items(lines: Iterable[str]) -> str:
    """Return a list of texts; nothing if there are none."""
    found = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{found}</ul>" if found else ""


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f'<td class="n">{value:.3f}</td>'
    if isinstance(value, int):
        return f'<td class="n">{value}</td>'
    return f"<td>{escape('' if value is None else str(value))}</td>"


@dataclass(frozen=True, slots=True)
class Bar:
    """A value of 0..1 with a name.

    :param was: the value before; None without.
    :param low: of the interval, as `high`; None without.
    """

    name: str
    value: float
    was: float | None = None
    low: float | None = None
    high: float | None = None


def bars(rows: Sequence[Bar], label: str) -> str:
    """Return horizontal bars; a thin light one below shows what was before."""
    if not rows:
        return ""
    parts: list[str] = []
    for index, row in enumerate(rows):
        y, end = 26 * index, 200 + 480 * row.value
        parts.append(
            f'<text x="190" y="{y + 15}" text-anchor="end">{escape(row.name[:30])}</text>'
            f'<rect x="200" y="{y + 3}" width="{480 * row.value:.1f}" height="12" fill="{NOW}"/>'
        )
        if row.was is not None:
            parts.append(
                f'<rect x="200" y="{y + 16}" width="{480 * row.was:.1f}" height="5" fill="{WAS}"/>'
            )
        if row.low is not None and row.high is not None:
            left, right = 200 + 480 * row.low, 200 + 480 * row.high
            parts.append(
                f'<path d="M{left:.1f} {y + 9} H{right:.1f} M{left:.1f} {y + 5} V{y + 13} '
                f'M{right:.1f} {y + 5} V{y + 13}" stroke="{INK}" fill="none"/>'
            )
            end = max(end, right)
        parts.append(f'<text x="{end + 6:.1f}" y="{y + 14}">{row.value:.3f}</text>')
    return _svg(760, 26 * len(rows) + 4, label, parts)


def curve(points: Sequence[tuple[float, float]], x: str, y: str) -> str:
    """Return a line through points; the vertical axis goes from 0 to 1."""
    if len(points) < 2:
        return ""
    most = max(point[0] for point in points) or 1.0
    places = [(60 + 560 * a / most, 190 - 170 * min(1.0, max(0.0, b))) for a, b in points]
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
    parts = [
        _frame(x, y),
        f'<polyline points="{line}" fill="none" stroke="{NOW}" stroke-width="2"/>',
    ]
    if len(points) <= 8:
        for (a, b), (value_x, value_y) in zip(places, points, strict=True):
            parts.append(
                f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" fill="{NOW}"/>'
                f'<text x="{a:.1f}" y="{b - 8:.1f}" text-anchor="middle">{value_y:.3f}</text>'
                f'<text x="{a:.1f}" y="205" text-anchor="middle">{value_x:g}</text>'
            )
    return _svg(700, 226, f"{y} by {x}", parts)


def reliability(bins: Sequence[tuple[float, float, int]]) -> str:
    """Return a reliability diagram: on the line, a probability is what it says.

    :param bins: mean probability, share of right values, and number of values of each bin.
    """
    if not bins:
        return ""
    most = max(count for _, _, count in bins) or 1
    parts = [
        _frame("probability", "share that is right"),
        f'<path d="M60 190 L620 20" stroke="{WAS}" stroke-dasharray="5 4"/>',
    ]
    for probability, right, count in bins:
        x, y = 60 + 560 * probability, 190 - 170 * right
        size = 3 + 9 * (count / most) ** 0.5
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}" fill="{NOW}" fill-opacity=".75">'
            f"<title>{count} values</title></circle>"
        )
    return _svg(700, 226, "reliability diagram", parts)


def image(data: bytes, caption: str) -> str:
    """Return a PNG as a part of the page."""
    import base64

    source = base64.b64encode(data).decode("ascii")
    return (
        f'<figure><img alt="{escape(caption, quote=True)}" src="data:image/png;base64,{source}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _frame(x: str, y: str) -> str:
    """Return axes from 0 to 1 upwards, with the names of both."""
    lines = "".join(
        f'<path d="M60 {190 - 170 * share:.0f} H620" stroke="{GRID}"/>'
        f'<text x="54" y="{194 - 170 * share:.0f}" text-anchor="end">{share:g}</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    return (
        f'{lines}<text x="340" y="222" text-anchor="middle">{escape(x)}</text>'
        f'<text x="66" y="12">{escape(y)}</text>'
    )


def _svg(width: int, height: int, label: str, parts: Iterable[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="100%" role="img" '
        f'aria-label="{escape(label, quote=True)}">{"".join(parts)}</svg>'
    )
