"""The plot of `benchmarks.speed`, as an SVG that needs no package to be made."""

from __future__ import annotations

from html import escape
from typing import Any

_WIDTH = 760
_LABEL = 290
_BAR = 26
_COLOURS = {"plain": "#9aa0a6", "llama_cpp": "#c58b3f", "llama_cpp_mask": "#c58b3f"}


def draw(results: dict[str, Any], titles: dict[str, str]) -> str:
    """Return a plot: documents a minute as bars, below them seconds by length of text."""
    speeds = {
        name: row["documents_per_minute"]
        for name, row in results["engines"].items()
        if row.get("documents_per_minute")
    }
    bars, height = _bars(speeds, titles)
    curve, bottom = _curve(results["lengths"], height + 40)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {bottom}" '
        'font-family="sans-serif" font-size="13" fill="#202124">'
        f'<rect width="{_WIDTH}" height="{bottom}" fill="#ffffff"/>{bars}{curve}</svg>\n'
    )


def _bars(speeds: dict[str, float], titles: dict[str, str]) -> tuple[str, int]:
    most = max(speeds.values(), default=1.0)
    parts = [_text(10, 24, "Documents a minute", weight="bold")]
    top = 40
    for name, speed in speeds.items():
        width = (_WIDTH - _LABEL - 70) * speed / most
        parts += [
            _text(_LABEL - 8, top + 15, titles[name], anchor="end"),
            f'<rect x="{_LABEL}" y="{top}" width="{width:.1f}" height="{_BAR - 6}" '
            f'fill="{_COLOURS.get(name, "#3367d6")}"/>',
            _text(_LABEL + width + 6, top + 15, f"{speed:.1f}"),
        ]
        top += _BAR
    return "".join(parts), top


def _curve(lengths: list[dict[str, Any]], top: int) -> tuple[str, int]:
    if not lengths:
        return "", top
    left, height = 60, 170
    width = _WIDTH - left - 60
    furthest = max(item["text_tokens"] for item in lengths)
    longest = max(item["seconds_s"] for item in lengths)
    base = top + 20 + height
    places = [
        (
            left + width * item["text_tokens"] / furthest,
            base - height * item["seconds_s"] / longest,
            item,
        )
        for item in lengths
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
    parts = [
        _text(10, top, "Seconds a document, by tokens of its text", weight="bold"),
        f'<path d="M{left} {top + 20} V{base} H{left + width}" fill="none" stroke="#9aa0a6"/>',
        f'<polyline points="{line}" fill="none" stroke="#3367d6" stroke-width="2"/>',
    ]
    for x, y, item in places:
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#3367d6"/>',
            _text(x, y - 9, f"{item['seconds_s']:.1f} s", anchor="middle"),
            _text(x, base + 18, str(item["text_tokens"]), anchor="middle"),
        ]
    return "".join(parts), base + 34


def _text(x: float, y: float, text: str, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">'
        f"{escape(text)}</text>"
    )
