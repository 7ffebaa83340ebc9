"""The places of a document that could be a field's value, and what can be said of each.

Typed values are found by their type. A text is a piece of a line, what precedes a bracket or comma
in it, what follows a colon, a run of capitalised words, some whole lines one after the other, or a
value that other labels have. What
is said of a candidate are strings such as `left:total`; they name no document and no value.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from extractor.document import Document
from extractor.fields import (
    Choice,
    FieldType,
    IsoDateType,
    Locale,
    NumberType,
    PlainType,
    Span,
)

Kind = Literal["typed", "piece", "head", "tail", "lines", "names", "seen"]
# The first kind that finds a place names it.
TEXT_KINDS: tuple[Kind, ...] = ("piece", "head", "tail", "lines", "names", "seen")

_PIECE = re.compile(r"\S+(?: \S+)*")
_WORD = re.compile(r"\w+|[^\w\s]")
# Capitalised words, with the small words that names hold between them; may wrap to the next line.
_NAMES = re.compile(
    r"[A-ZÀ-ÖØ-Þ][\w.&'’-]*(?:,?\s(?:(?:of|and|the|for|de|du|la|und|der|von|van|di|e|y|&)\s)?"
    r"(?:[A-ZÀ-ÖØ-Þ&][\w.&'’-]*)){0,9}"
)
_NO_LETTER = re.compile(r"[\W_]+")
_MOST_LINES = 5
_MOST_PIECE = 160
_NEAR = 200  # characters of a line that count as beside
_EDGE = " ,;:*#|=\"'“”"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that could be the value.

    :param kind: how it was found, see `Kind`.
    :param key: the same for places of one value; letters and digits without case.
    """

    start: int
    end: int
    value: Any
    kind: str
    key: str


def finder(kind: FieldType) -> FieldType | None:
    """Return the type that finds such values by their looks; None for text and for choices."""
    if kind.typed:
        return kind
    if isinstance(kind, PlainType) and not isinstance(kind.form, Choice):
        python = kind.python_type
        if python in (int, float, Decimal):
            return NumberType()
        if python is date:
            return IsoDateType()
    return None


def is_text(kind: FieldType) -> bool:
    """Return whether values are words of the document, with no looks of their own."""
    if isinstance(kind, PlainType):
        return kind.python_type is str and not isinstance(kind.form, Choice)
    return kind.copied and not kind.typed


def key_of(value: Any) -> str:
    """Return letters and digits without case: faster than `bare`, and near enough to group by."""
    return _NO_LETTER.sub("", str(value).casefold())


def value_key(kind: FieldType, value: Any) -> str:
    """Return the same for equal values of a type, whatever they are printed like."""
    value = kind.key(value)
    if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        return format(Decimal(str(value)).normalize(), "f")
    return key_of(value)


class Sheet:
    """A document, what no person sees of it aside, as lines and pieces, and its candidates."""

    def __init__(self, document: Document, locale: Locale) -> None:
        self.text = document.in_sight().text
        self.locale = locale
        self._pages = [page.start for page in document.pages]
        self._found: dict[FieldType, list[Candidate]] = {}
        self._by_kind: dict[str, list[Candidate]] = {}
        self._said: dict[tuple[int, int], tuple[str, ...]] = {}

    @cached_property
    def lines(self) -> list[Span]:
        """Start and end of each line that is not empty."""
        return [
            (match.start(), match.end())
            for match in re.finditer(r"[^\n]+", self.text)
            if match[0].strip()
        ]

    @cached_property
    def _starts(self) -> list[int]:
        return [start for start, _ in self.lines]

    @cached_property
    def pieces(self) -> list[list[Span]]:
        """The pieces of each line: what two spaces, the end of a column, part."""
        return [
            [
                (start + match.start(), start + match.end())
                for match in _PIECE.finditer(self.text[start:end])
            ]
            for start, end in self.lines
        ]

    def line_of(self, offset: int) -> int:
        """Return the index of the line that holds a character."""
        return max(0, bisect_right(self._starts, offset) - 1)

    def typed(self, kind: FieldType, find: FieldType) -> list[Candidate]:
        """Return the candidates of a type, in order."""
        if kind not in self._found:
            self._found[kind] = list(self._typed(kind, find))
        return self._found[kind]

    def _typed(self, kind: FieldType, find: FieldType) -> Iterator[Candidate]:
        for start, end in find.find(self.text):
            try:
                value = find.parse(self.text[start:end], self.locale).value
                if find is not kind:
                    value = kind.from_json(find.to_json(value))
            except ValueError:  # not of this type, or refused by a constraint of the class
                continue
            yield Candidate(start, end, value, "typed", value_key(find, value))

    def texts(self, kinds: frozenset[str], seen: re.Pattern[str] | None) -> list[Candidate]:
        """Return the candidates of texts, those of the given kinds; each place once.

        :param seen: finds values that other labels have.
        """
        places: dict[Span, Candidate] = {}
        for kind in TEXT_KINDS:
            if kind in kinds:
                found = self._seen(seen) if kind == "seen" else self._texts(kind)
                for candidate in found:
                    places.setdefault((candidate.start, candidate.end), candidate)
        return list(places.values())

    def _texts(self, kind: str) -> list[Candidate]:
        if kind not in self._by_kind:
            self._by_kind[kind] = list(self._trimmed(kind, self._spans(kind)))
        return self._by_kind[kind]

    def _seen(self, seen: re.Pattern[str] | None) -> Iterator[Candidate]:
        matches = seen.finditer(self.text) if seen is not None else ()
        return self._trimmed("seen", (match.span() for match in matches))

    def _spans(self, kind: str) -> Iterator[Span]:
        if kind == "names":
            yield from (match.span() for match in _NAMES.finditer(self.text))
        for index, pieces in enumerate(self.pieces):
            if kind == "lines":
                yield from self._runs(index)
            for piece in pieces:
                if kind == "piece":
                    yield piece
                elif kind == "head":
                    yield from self._heads(piece)
                elif kind == "tail":
                    yield from self._tails(piece)

    def _trimmed(self, kind: str, spans: Iterable[Span]) -> Iterator[Candidate]:
        for start, end in spans:
            while start < end and self.text[start] in _EDGE:
                start += 1
            while end > start and self.text[end - 1] in _EDGE:
                end -= 1
            if 1 < end - start <= 2 * _MOST_PIECE:
                value = " ".join(self.text[start:end].split())
                yield Candidate(start, end, value, kind, key_of(value))

    def _heads(self, piece: Span) -> Iterator[Span]:
        for match in re.finditer(r"\s*(?: [(\[]|,| [-–] |: )", self.text[piece[0] : piece[1]]):
            if match.start():
                yield piece[0], piece[0] + match.start()

    def _tails(self, piece: Span) -> Iterator[Span]:
        for match in re.finditer(r"[:#]\s*", self.text[piece[0] : piece[1]]):
            if piece[0] + match.end() < piece[1]:
                yield piece[0] + match.end(), piece[1]

    def _runs(self, index: int) -> Iterator[Span]:
        """Yield lines from this one on, as long as each is one short piece."""
        for last in range(index, min(index + _MOST_LINES, len(self.lines))):
            start, end = self.lines[last]
            if len(self.pieces[last]) != 1 or end - start > _MOST_PIECE:
                return
            if last > index:
                yield self.lines[index][0], end

    def said(self, candidate: Candidate) -> tuple[str, ...]:
        """Return what can be said of a place, whatever the field."""
        span = (candidate.start, candidate.end)
        if span not in self._said:
            self._said[span] = tuple(
                dict.fromkeys([*self._around(candidate), *self._position(candidate)])
            )
        return self._said[span]

    def _around(self, candidate: Candidate) -> Iterator[str]:
        index, last = self.line_of(candidate.start), self.line_of(candidate.end - 1)
        left = _words(self.text[self.lines[index][0] : candidate.start][-_NEAR:])[-5:]
        right = _words(self.text[candidate.end : self.lines[last][1]][:_NEAR])[:3]
        yield f"left1:{left[-1] if left else ''}"
        if len(left) > 1:
            yield f"left2:{left[-2]} {left[-1]}"
        yield from (f"left:{word}" for word in left)
        yield f"right1:{right[0] if right else ''}"
        yield from (f"right:{word}" for word in right)
        above = self._above(index, candidate.start)
        yield from (f"above:{word}" for word in above or [""])
        if not left:
            yield from (f"above-first:{word}" for word in above)
        below = self.lines[last + 1] if last + 1 < len(self.lines) else (0, 0)
        yield from (f"below:{word}" for word in _words(self.text[slice(*below)])[:4] or [""])

    def _above(self, index: int, offset: int) -> list[str]:
        """Return the words above: of the same column, where both lines have as many pieces."""
        if index == 0:
            return []
        here, above = self.pieces[index], self.pieces[index - 1]
        if len(here) == len(above):
            column = max(0, bisect_right([start for start, _ in here], offset) - 1)
            return _words(self.text[slice(*above[column])])[:6]
        return _words(self.text[slice(*self.lines[index - 1])])[:6]

    def _position(self, candidate: Candidate) -> Iterator[str]:
        index = self.line_of(candidate.start)
        count = len(self.lines)
        yield f"line:{_step(index)}"
        yield f"from-end:{_step(count - 1 - index)}"
        yield f"height:{10 * index // max(1, count)}"
        page = bisect_right(self._pages, candidate.start)
        yield f"page:{min(page, 3)}" + ("-last" if page == len(self._pages) else "")


def looks(value_text: str, kind: str) -> Iterator[str]:
    """Yield what a candidate looks like by itself."""
    words = _words(value_text)
    yield f"kind:{kind}"
    yield f"words:{_step(len(words))}"
    yield f"shape:{_shape(value_text)[:14]}"
    if kind != "typed":
        yield f"case:{'upper' if value_text.isupper() else 'title' if value_text.istitle() else ''}"
        yield f"digit:{any(c.isdigit() for c in value_text)}"
        yield f"length:{_step(len(value_text) // 5)}"
        yield f"first:{words[0] if words else ''}"
        yield f"last:{words[-1] if words else ''}"
        yield from (f"has:{word}" for word in words[:12])


def ranks(candidates: Sequence[Candidate]) -> list[list[str]]:
    """Return what can be said of each candidate among the others: order, size, repetition."""
    values = [candidate.key for candidate in candidates]
    order = list(dict.fromkeys(values))
    place = {value: index for index, value in enumerate(order)}
    count: dict[str, int] = defaultdict(int)
    for value in values:
        count[value] += 1
    by_size = _by_size(candidates)
    said: list[list[str]] = []
    for index, (candidate, value) in enumerate(zip(candidates, values, strict=True)):
        own = [f"rank:{min(place[value], 4)}", f"times:{min(count[value], 4)}"]
        if place[value] == len(order) - 1:
            own.append("rank:last")
        if index == 0:
            own.append("place:first")
        if index == len(candidates) - 1:
            own.append("place:last")
        if candidate.kind == "typed" and by_size:
            own.append(f"size:{min(by_size[candidate.value], 3)}")
        said.append(own)
    return said


def _by_size(candidates: Sequence[Candidate]) -> dict[Any, int]:
    """Return 0 for the largest value, 1 for the next; empty where values have no size."""
    values = {candidate.value for candidate in candidates if candidate.kind == "typed"}
    if not all(isinstance(value, int | float | Decimal | date) for value in values):
        return {}
    ranked = sorted(values, reverse=True)
    return {value: index for index, value in enumerate(ranked)}


def _words(text: str) -> list[str]:
    """Return words and signs, digits as one 0: numbers are no anchors."""
    return [re.sub(r"\d+", "0", word) for word in _WORD.findall(text.casefold())]


def _shape(text: str) -> str:
    shape = re.sub(r"[^\W\d_]+", "a", re.sub(r"\d", "0", text))
    return re.sub(r"0{5,}", "00000", shape)


def _step(number: int) -> str:
    for most in (0, 1, 2, 3, 4, 6, 9, 14, 24):
        if number <= most:
            return str(most)
    return "more"
