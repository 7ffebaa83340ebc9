"""Guesses how an answer goes on, from the document, so that several tokens share one pass.

A guess costs nearly nothing: the model reads it in the pass that is due anyway, and what it would
have written differently is thrown away. Guesses never change an answer, only how fast it comes.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

_GAP = re.compile(r"\s{2,}")
_STRING = r'"((?:[^"\\]|\\.)*)'
_OPEN = re.compile(rf'"([^"\\]*)":(?:{_STRING})?$')
_WHOLE = re.compile(rf'"([^"\\]*)":{_STRING}"')
# Longer than any value that pays to be guessed, so that a guess costs the same late in an answer.
_TAIL = 400
_LINES_AHEAD = 6
_WAYS = 6


@dataclass(frozen=True, slots=True)
class _Cell:
    """A run of words between wide gaps.

    :param start: in the document's words joined by single spaces, in characters; so is `end`.
    :param line: of the text, counted without empty ones.
    :param column: place in its line.
    """

    start: int
    end: int
    line: int
    column: int


class Drafter:
    """Follows one answer and guesses its next characters.

    :param text: the window that the answer's values are copied from.
    """

    def __init__(self, text: str) -> None:
        rows = [_GAP.split(line.strip()) for line in text.split("\n") if line.strip()]
        self._cells: list[_Cell] = []
        self._lines: list[list[_Cell]] = []
        words: list[str] = []
        at = 0
        for line, row in enumerate(rows):
            cells = []
            for column, printed in enumerate(row):
                run = " ".join(printed.split())
                cells.append(_Cell(at, at + len(run), line, column))
                words.append(run)
                at += len(run) + 1
            self._lines.append(cells)
            self._cells.extend(cells)
        self._flat = " ".join(words)
        self._starts = [cell.start for cell in self._cells]
        self._read = 0
        self._at = 0
        self._last: dict[str, _Cell] = {}

    def propose(self, answer: str) -> Iterator[str]:
        """Yield how an answer may go on, likelier ways first: the rest of a value, or a next row.

        :param answer: canonical JSON so far; each call continues the answer of the call before.
        """
        self._follow(answer)
        tail = answer[-_TAIL:]
        if tail.endswith("}"):
            yield ","  # rows are followed by rows more often than not
        unfinished = _OPEN.search(tail)
        if unfinished is None:
            return
        key, escaped = unfinished.groups()
        if not escaped:
            for cell in self._next(key):
                quote = '"' if escaped is None else ""
                yield f'{quote}{_escaped(self._flat[cell.start : cell.end])}"'
            yield "["
            return
        try:
            value = json.loads(f'"{escaped}"')
        except ValueError:
            return  # in the middle of an escape
        for place in islice(self._places(value), _WAYS):
            end = place + len(value)
            yield _escaped(self._flat[end : max(end, self._cell(end - 1).end)]) + '"'

    def _follow(self, answer: str) -> None:
        """Note where the values stand that were completed since the last call."""
        for match in _WHOLE.finditer(answer, self._read):
            self._read = match.end()
            try:
                value = json.loads(f'"{match[2]}"')
            except ValueError:
                continue
            place = next(self._places(value), None) if value else None
            if place is not None:
                self._at = place + len(value)
                self._last[match[1]] = self._cell(place)

    def _places(self, value: str) -> Iterator[int]:
        """Yield where a value stands: after the one before it rather than anywhere."""
        for first, last in ((self._at, len(self._flat)), (0, self._at + len(value) - 1)):
            place = self._flat.find(value, first, last)
            while place >= 0:
                inside = place > 0 and self._flat[place - 1].isalnum() and value[0].isalnum()
                if not inside:
                    yield place
                place = self._flat.find(value, place + 1, last)

    def _index(self, place: int) -> int:
        return max(0, bisect_right(self._starts, place) - 1)

    def _cell(self, place: int) -> _Cell:
        return self._cells[self._index(place)]

    def _next(self, key: str) -> Iterable[_Cell]:
        """Return cells that may hold the next value of a key.

        In a table it is the cell below the last one; else one that follows the last value.
        """
        index = self._index(self._at - 1) if self._at else -1
        above = self._last.get(key)
        if above is None:
            return self._cells[index + 1 : index + 1 + _WAYS]
        here = self._cells[index]
        width = len(self._lines[above.line])
        first = here.line if here.line > above.line else above.line + 1
        ahead = self._lines[first : first + _LINES_AHEAD]
        below = [line[above.column] for line in ahead if len(line) == width]
        return below or self._cells[index + 1 : index + 1 + _WAYS]


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]
