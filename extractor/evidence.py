"""Where a value stands in its document, or nowhere, and says so.

The same search finds the print of a labelled value for training and the evidence of an extracted
one, so a model is never taught a print that serving could not show.
"""

from __future__ import annotations

import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import SequenceMatcher
from enum import Enum
from functools import lru_cache
from heapq import nsmallest
from itertools import groupby
from typing import Any, Literal
from uuid import UUID

from pydantic.networks import _BaseUrl

from extractor.document import Bbox, Document
from extractor.fields import FieldType, IsoDateType, Locale, NumberType, Span, bare

Status = Literal["verified", "ambiguous", "fuzzy", "not_found", "not_present", "reference"]
PRINTED: tuple[Status, ...] = ("verified", "ambiguous")
"""Of values that the document prints as they are."""
_FUZZY = 0.85
_NEAREST = 8


@dataclass(frozen=True, slots=True)
class Box:
    """A box around the words of one line.

    :param bbox: in points from the top left of the page as it is shown.
    :param bbox_relative: the same in shares of the page's width and height, 0..1.
    """

    page: int
    bbox: Bbox
    bbox_relative: Bbox


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a value was seen.

    :param status: `verified` at one place; `ambiguous` at several, the likeliest is given;
        `fuzzy` in nearly the same spelling; `not_found`; `not_present` for a null value;
        `reference` for one that known parties beside the document gave, with its place if the
        document has it too.
    :param start: offset in `Document.text`; `end` is exclusive.
    :param bbox: around the first line of it, in points from the top left; None without boxes.
    :param bbox_relative: the same in shares of the page's width and height, 0..1.
    :param boxes: one for each line of it, the first included; lines may be on several pages.
    :param not_visible: a part of it stands only in text that no person sees on the page, such as
        white print; a visible place, if there is one, is preferred and counts alone.
    """

    status: Status
    page: int | None = None
    start: int | None = None
    end: int | None = None
    bbox: Bbox | None = None
    text: str | None = None
    bbox_relative: Bbox | None = None
    boxes: tuple[Box, ...] = ()
    not_visible: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value to locate.

    :param path: in the record, such as `line_items[0].quantity`.
    :param printed: as the answer copied it; places with this very print are preferred.
    :param near: offset at or after which the value is expected, such as its window's beginning.
    """

    path: str
    type: FieldType
    value: Any
    printed: str | None = None
    near: int = 0


def locate_all(
    document: Document, wanted: Iterable[Wanted], *, locale: Locale
) -> dict[str, Evidence]:
    """Return where each value stands, by path.

    A value that is nowhere in sight is looked for in what else is in the document.

    The values of a row stand together: the one with the fewest places says where the row is, at
    or after the row before, and of the places of the others the nearest is given. Two values get
    one place only if there is no other: a total that is also a row's stands below the row.
    """
    seen = document.in_sight()
    asked = [(one, *_places(document, seen, one, locale)) for one in wanted]
    groups = groupby(asked, key=lambda one: _row(one[0].path))
    rows = [(row.rpartition("[")[0], list(members)) for row, members in groups if row]
    found: dict[str, Evidence] = {}
    claimed: set[Span] = set()
    ends: dict[str, int] = {}
    for name, row in rows:
        anchor = _anchor(row, ends.get(name, 0))
        ends[name] = max(ends.get(name, 0), anchor or 0)
        own: set[Span] = set()
        for one, source, spans in row:
            found[one.path] = _evidence(source, seen, one, spans, own, anchor)
        claimed |= own
    for one, source, spans in asked:
        if one.path not in found:
            found[one.path] = _evidence(source, seen, one, spans, claimed)
    return {one.path: found[one.path] for one, _, _ in asked}


def locate(
    document: Document,
    kind: FieldType,
    value: Any,
    *,
    locale: Locale,
    printed: str | None = None,
    near: int | None = None,
) -> Evidence:
    """Return where a single value stands.

    :param printed: as the answer copied it; places with this very print are preferred.
    :param near: offset at or after which the value is expected.
    """
    one = Wanted("", kind, value, printed, near or 0)
    seen = document.in_sight()
    source, spans = _places(document, seen, one, locale)
    return _evidence(source, seen, one, spans, set())


def _row(path: str) -> str:
    """Return the path of the row that a leaf is in, such as `line_items[0]`; empty if in none."""
    head, dot, _ = path.rpartition("].")
    return f"{head}]" if dot else ""


def _places(
    document: Document, seen: Document, one: Wanted, locale: Locale
) -> tuple[Document, list[Span]]:
    """Return the places of a value, such with its print if there are any, and where they are.

    That is the document in sight, or the whole document for what stands elsewhere only.

    :param seen: the document in sight.
    """
    if one.value is None:
        return document, []
    source = seen
    spans = occurrences(source.text, one.type, one.value, locale)
    if not spans and source is not document:
        source = document
        spans = occurrences(source.text, one.type, one.value, locale)
    hidden = source.hidden()
    if hidden:
        spans = [span for span in spans if not _meets(hidden, span)] or spans
    if one.printed is not None and len(spans) > 1:
        same = [s for s in spans if " ".join(source.text[s[0] : s[1]].split()) == one.printed]
        spans = same or spans
    return source, spans


def _anchor(asked: Sequence[tuple[Wanted, Document, list[Span]]], end: int) -> int | None:
    """Return where a row stands that comes after some offset; None if none of it is found."""
    ahead = [
        [span for span in spans if span[0] >= max(end, one.near)] or spans
        for one, _, spans in asked
    ]
    # Of two that are found equally often, the longer print is the surer one.
    best = min(
        filter(None, ahead), key=lambda spans: (len(spans), spans[0][0] - spans[0][1]), default=None
    )
    return None if best is None else min(best)[0]


def _evidence(
    document: Document,
    seen: Document,
    one: Wanted,
    spans: Sequence[Span],
    claimed: set[Span],
    anchor: int | None = None,
) -> Evidence:
    """Return the evidence of a value.

    :param document: that its places are in; the whole one where there are none.
    :param seen: the document in sight.
    :param spans: its places.
    :param claimed: places of other values, avoided if there are others; the new one is added.
    :param anchor: where its row stands.
    """
    if one.value is None:
        return Evidence("not_present")
    if spans:
        after = [span for span in spans if span[0] >= one.near] or list(spans)
        if anchor is None:
            place = next((span for span in after if span not in claimed), after[0])
        else:
            place = _nearest(document.text, after, claimed, anchor)
        claimed.add(place)
        return _at(document, "verified" if len(spans) == 1 else "ambiguous", *place)
    words = _searched(one.type, one.value)
    if isinstance(words, str):
        for source in (document,) if seen is document else (seen, document):
            nearly = _nearly(source.text, words)
            if nearly is not None:
                return _at(source, "fuzzy", *nearly)
    return Evidence("not_found")


def _nearest(text: str, spans: Sequence[Span], claimed: set[Span], anchor: int) -> Span:
    """Return the place that is nearest to a row: on its line, or the next, and not yet claimed."""

    def distance(span: Span) -> tuple[bool, bool, int, int]:
        first, last = sorted((span[0], anchor))
        lines = text.count("\n", first, last)
        return lines > 1, span in claimed, lines, last - first

    # Lines are counted for a few only: a `1` may stand at thousands of places.
    return min(nsmallest(_NEAREST, spans, key=lambda span: abs(span[0] - anchor)), key=distance)


def occurrences(text: str, kind: FieldType, value: Any, locale: Locale) -> list[Span]:
    """Return every span that stands for a value, in order.

    Typed values are found by their type and compared after parsing; text is found without case,
    spaces, punctuation and line breaks, places with the very same letters first.
    """
    value = _searched(kind, value)
    finder = _finder(kind, value)
    if finder is not None:
        candidates = _candidates_in(text, locale).of(finder)
        return _longest([span for span, parsed in candidates if kind.same(parsed, value)])
    return _text_spans(text, value) if isinstance(value, str) else []


def _searched(kind: FieldType, value: Any) -> Any:
    """Return the value as a document would show it."""
    if isinstance(value, Enum):
        return value.value
    return kind.to_json(value) if isinstance(value, UUID | _BaseUrl) else value


def _finder(kind: FieldType, value: Any) -> FieldType | None:
    """Return the type whose candidates can be such a value; None for text."""
    if kind.typed:
        return kind
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        return NumberType()
    if isinstance(value, date):
        return IsoDateType()
    return None


class _Candidates:
    """A text's candidates with their values, by type; every field of a type asks for the same."""

    def __init__(self, text: str, locale: Locale) -> None:
        self._text = text
        self._locale = locale
        self._found: dict[FieldType, list[tuple[Span, Any]]] = {}

    def of(self, kind: FieldType) -> list[tuple[Span, Any]]:
        if kind not in self._found:
            self._found[kind] = list(self._read(kind))
        return self._found[kind]

    def _read(self, kind: FieldType) -> Iterator[tuple[Span, Any]]:
        for start, end in kind.find(self._text):
            try:
                yield (start, end), kind.parse(self._text[start:end], self._locale).value
            except ValueError:
                continue


# Documents are searched one after the other; what is kept of earlier ones is memory for nothing.
_KEPT = 2


@lru_cache(maxsize=_KEPT)
def _candidates_in(text: str, locale: Locale) -> _Candidates:
    return _Candidates(text, locale)


def _longest(spans: list[Span]) -> list[Span]:
    """Drop spans inside others: `-5` and `5`, or a code and a part of it."""
    kept: list[Span] = []
    # By start, longer ones first: what lies inside another span then comes after it.
    for span in sorted(set(spans), key=lambda span: (span[0], -span[1])):
        if not kept or span[1] > kept[-1][1]:
            kept.append(span)
    return kept


@lru_cache(maxsize=_KEPT)
def _folded(text: str) -> tuple[str, array[int]]:
    """Return the letters and digits of a text, case folded, and the cluster each came from."""
    characters: list[str] = []
    places = array("I")
    for start, end in _clusters(text):
        folded = bare(text[start:end])
        characters.append(folded)
        places.extend([start] * len(folded))
    return "".join(characters), places


def _clusters(text: str) -> Iterator[Span]:
    """Yield each character with the marks on it: folded apart, they would not be composed."""
    start = 0
    while start < len(text):
        end = _cluster_end(text, start)
        yield start, end
        start = end


def _cluster_end(text: str, start: int) -> int:
    end = start + 1
    while end < len(text) and text[end] >= "\u0300" and _joins(text[end]):
        end += 1
    return end


def _joins(character: str) -> bool:
    """Return whether normalisation composes a character with the one before it."""
    return (
        unicodedata.category(character).startswith("M")
        or character in "\uff9e\uff9f"  # voiced marks of half-width katakana
        or "\u1160" <= character <= "\u11ff"  # vowels and finals of Hangul syllables
    )


def _text_spans(text: str, value: str) -> list[Span]:
    wanted = bare(value)
    if not wanted:
        return []
    folded, places = _folded(text)
    spans: list[Span] = []
    at = folded.find(wanted)
    while at >= 0:
        start, end = places[at], _cluster_end(text, places[at + len(wanted) - 1])
        if _whole_words(text, start, end):
            spans.append(_with_punctuation(text, start, end, value))
        at = folded.find(wanted, at + 1)
    exact = [span for span in spans if " ".join(text[span[0] : span[1]].split()) == value]
    others = set(spans).difference(exact)
    return exact + [span for span in spans if span in others]


def _whole_words(text: str, start: int, end: int) -> bool:
    before = start == 0 or not (text[start - 1].isalnum() and text[start].isalnum())
    after = end == len(text) or not (text[end - 1].isalnum() and text[end].isalnum())
    return before and after


def _with_punctuation(text: str, start: int, end: int, value: str) -> Span:
    """Take in punctuation at the edges that belongs to the value: `GmbH & Co.`, `(M)`."""
    lead = len(value) - len(value.lstrip("([{\"'“„<*#"))
    while lead and start > 0 and text[start - 1] == value[lead - 1]:
        start, lead = start - 1, lead - 1
    tail = next((i for i in range(len(value), 0, -1) if value[i - 1].isalnum()), len(value))
    while tail < len(value) and end < len(text) and text[end] == value[tail]:
        end, tail = end + 1, tail + 1
    return start, end


def _nearly(text: str, value: str) -> Span | None:
    """Return the span that is spelled nearly alike, around the longest piece both share."""
    wanted = bare(value)
    if len(wanted) < 6:
        return None
    folded, places = _folded(text)
    best: tuple[float, int] = (_FUZZY, -1)
    # Pieces of a value survive a misspelling; each place of a piece gives a stretch to compare.
    size = max(3, len(wanted) // 4)
    tried: set[int] = set()
    for offset in range(0, len(wanted) - size + 1, size):
        at = folded.find(wanted[offset : offset + size])
        while at >= 0 and len(tried) < 200:
            first = max(0, at - offset)
            if first not in tried:
                tried.add(first)
                stretch = folded[first : first + len(wanted)]
                ratio = SequenceMatcher(None, wanted, stretch, autojunk=False).ratio()
                best = max(best, (ratio, first))
            at = folded.find(wanted[offset : offset + size], at + 1)
    if best[1] < 0:
        return None
    last = min(best[1] + len(wanted), len(places)) - 1
    return places[best[1]], _cluster_end(text, places[last])


def _meets(spans: list[Span], span: Span) -> bool:
    """Return whether one of some spans, in order and apart, shares a character with a span."""
    first = bisect_right(spans, span[0], key=lambda other: other[1])
    return first < len(spans) and spans[first][0] < span[1]


def _at(document: Document, status: Status, start: int, end: int) -> Evidence:
    pages = {page.number: page for page in document.pages}
    boxes = tuple(
        Box(number, bbox, pages[number].relative(bbox))
        for number, bbox in document.boxes(start, end)
    )
    return Evidence(
        status=status,
        page=document.page_at(start),
        start=start,
        end=end,
        bbox=boxes[0].bbox if boxes else None,
        text=" ".join(document.text[start:end].split()),
        bbox_relative=boxes[0].bbox_relative if boxes else None,
        boxes=boxes,
        not_visible=_meets(document.hidden(), (start, end)),
    )
