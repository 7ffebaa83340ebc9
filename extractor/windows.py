"""Documents longer than the context: where they are cut, and how the answers become one record.

Windows are whole lines, with an overlap, so that a value is not cut in two. Only a line that is
longer than a whole window is cut inside, at a space where it has one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a document's text: offsets into `Document.text`, end exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class WindowConfig:
    """How documents are cut.

    :param window_tokens: most tokens of document text in one prompt. 1,600 holds seven of eight
        real invoices whole, and memory and time per token still grow slowly there.
    :param overlap_tokens: tokens of whole lines that two neighbours share.
    """

    window_tokens: int = 1600
    overlap_tokens: int = 160

    def __post_init__(self) -> None:
        """Refuse windows that could not move forward."""
        if not 0 <= self.overlap_tokens <= self.window_tokens // 2:
            raise ValueError(
                "overlap_tokens must be between 0 and half of window_tokens "
                f"({self.window_tokens // 2}), was: {self.overlap_tokens}"
            )


def cut(text: str, config: WindowConfig, count: Callable[[str], int]) -> list[Window]:
    """Cut a text into windows of whole lines.

    :param count: length of a piece of text in tokens.
    :returns: windows in order; together they cover the text, and each begins after its neighbour.
    """
    lines = _lines(text, config, count)
    windows: list[Window] = []
    first = 0
    while first < len(lines):
        last, used = first, 0
        while last < len(lines) and (
            last == first or used + lines[last][2] <= config.window_tokens
        ):
            used += lines[last][2]
            last += 1
        windows.append(Window(lines[first][0], lines[last - 1][1]))
        if last == len(lines):
            break
        back, shared = last, 0
        while back - 1 > first and shared + lines[back - 1][2] <= config.overlap_tokens:
            back -= 1
            shared += lines[back][2]
        first = back
    return windows or [Window(0, 0)]


def _lines(
    text: str, config: WindowConfig, count: Callable[[str], int]
) -> list[tuple[int, int, int]]:
    """Return (start, end, tokens) of each line, its newline included."""
    lines: list[tuple[int, int, int]] = []
    start = 0
    for line in text.splitlines(keepends=True):
        lines.extend(_pieces(line, start, config.window_tokens, count))
        start += len(line)
    return lines


def _pieces(
    line: str, start: int, most: int, count: Callable[[str], int]
) -> list[tuple[int, int, int]]:
    tokens = count(line)
    if tokens <= most or len(line) < 2:
        return [(start, start + len(line), tokens)]
    middle = len(line) // 2
    space = line.rfind(" ", 1, middle)
    at = space + 1 if space > 0 else middle
    return [
        *_pieces(line[:at], start, most, count),
        *_pieces(line[at:], start + at, most, count),
    ]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one window said.

    :param printed: the parsed JSON of the window's answer.
    :param probability: of the answer by path, 0..1; top-level fields decide between windows.
    :param window: where the window lies.
    :param text: the whole document's text.
    """

    printed: Mapping[str, Any]
    probability: Mapping[str, float]
    window: Window
    text: str


def merge(answers: Sequence[Answer]) -> tuple[dict[str, Any], dict[str, int]]:
    """Make one answer of the windows' answers.

    A single value comes from the window that was surest of it; a window that says null has no say
    where another found something. Rows of lists are joined in document order, and rows that stand
    in the overlap of two windows are counted once.

    :returns: the printed values, and for each field the index of the window it came from.
    """
    merged: dict[str, Any] = {}
    source: dict[str, int] = {}
    for name in answers[0].printed:
        found = [i for i, answer in enumerate(answers) if answer.printed[name] not in (None, [])]
        if not found:
            merged[name], source[name] = answers[0].printed[name], 0
            continue
        if all(isinstance(answers[i].printed[name], list) for i in found):
            merged[name] = _join_rows(name, [answers[i] for i in found])
            source[name] = found[0]
            continue
        best = max(found, key=lambda i: (answers[i].probability.get(name, 0.0), -i))
        merged[name], source[name] = answers[best].printed[name], best
    return merged, source


def _join_rows(name: str, answers: Sequence[Answer]) -> list[Any]:
    rows = list(answers[0].printed[name])
    for before, after in pairwise(answers):
        new = list(after.printed[name])
        shared = before.text[after.window.start : before.window.end]
        # The longest run of rows that ends the one list and begins the other, as far as the rows
        # can stand in the shared lines; equal rows elsewhere are two rows of the document.
        for length in range(min(len(rows), len(new)), 0, -1):
            if rows[-length:] == new[:length] and _stand_in(new[:length], shared):
                new = new[length:]
                break
        rows.extend(new)
    return rows


def _stand_in(rows: Sequence[Any], text: str) -> bool:
    flat = " ".join(text.split())
    return all(leaf in flat for row in rows for leaf in _strings(row))


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [leaf for item in value.values() for leaf in _strings(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _strings(item)]
    return []
