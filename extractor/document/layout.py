"""Words with boxes -> lines of text that keep rows and columns readable.

Words whose vertical extents overlap by more than a quarter make a line, in the order of x, which
is from right to left where most of its letters are Hebrew, Arabic or the like; a gap wider than
one and a half characters is written as two spaces.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

Placed = tuple[str, float, float, float, float]
"""A word before it has an offset: text, x0, top, x1, bottom."""

COLUMN_GAP = 1.5
_TALL = 2.5
_MUCH = 1.7
# Measured on real invoices: cells of one row are often set a little apart; at a half 83 % of the
# rows stay whole, at a quarter 88 %, and neighbouring lines share less than that.
_SHARED = 0.25
# Of the narrower word's width; kerned and italic print overlaps a little.
_COVERED = 0.3
_LOOKED_AT = 200


@dataclass(slots=True)
class _Line:
    top: float
    bottom: float
    words: list[Placed] = field(default_factory=list)


def set_out(
    words: Sequence[Placed], unseen: Set[Placed] = frozenset()
) -> tuple[str, list[tuple[Placed, int, int]]]:
    """Return the text of a page, and each of its words with its start and end in that text.

    The words are those given, but for white space within, which is dropped.

    :param unseen: words that no person sees; the others stand to each other as without them.
    """
    parts: list[str] = []
    placed: list[tuple[Placed, int, int]] = []
    at = 0
    for line in lines(words, unseen):
        for separator, word in zip(separators(line, unseen), line, strict=True):
            text = "".join(word[0].split())
            at += len(separator)
            placed.append((word, at, at + len(text)))
            parts += [separator, text]
            at += len(text)
        parts.append("\n")
        at += 1
    return "".join(parts), placed


def lines(words: Sequence[Placed], unseen: Set[Placed] = frozenset()) -> list[list[Placed]]:
    """Return the words of each line, lines from top to bottom, words in reading order.

    :param unseen: see `set_out`.
    """
    if not words:
        return []
    in_order = sorted(words, key=lambda w: (w[2], w[1]))
    seen = [word for word in in_order if word not in unseen] or in_order
    usual = median(word[4] - word[2] for word in seen)
    open_lines: list[_Line] = []
    tall: list[list[Placed]] = []
    for word in seen:
        height, width = word[4] - word[2], word[3] - word[1]
        if height > _TALL * usual and height > width and len(word[0]) > 1:
            # Text that runs up the margin crosses many lines and belongs to none of them.
            tall.append([word])
            continue
        # Words come by their top, so only the last few lines can still take one.
        near = [line for line in open_lines[-8:] if not _collides(line, word)]
        home = max(near, key=lambda line: _overlap(line, word), default=None)
        if home is None or _overlap(home, word) <= _SHARED:
            home = _Line(word[2], word[4])
            open_lines.append(home)
        home.words.append(word)
    if len(seen) < len(in_order):
        open_lines += _added(open_lines, [word for word in in_order if word in unseen])
    open_lines.sort(key=lambda line: line.top)
    rows = [_distinct(sorted(line.words, key=lambda w: w[1])) for line in open_lines]
    return [_directed(row, unseen) for row in rows] + tall


def _added(known: Sequence[_Line], words: Sequence[Placed]) -> list[_Line]:
    """Put further words on lines that are there, and return the lines that others make."""
    tops = [line.top for line in known]  # from top to bottom, as they were begun
    made: list[_Line] = []
    for word in words:
        place = bisect_right(tops, word[4])
        near = [*known[max(0, place - 8) : place], *made[-8:]]
        free = [line for line in near if not _collides(line, word)]
        home = max(free, key=lambda line: _overlap(line, word), default=None)
        if home is None or _overlap(home, word) <= _SHARED:
            home = _Line(word[2], word[4])
            made.append(home)
        home.words.append(word)
    return made


def _overlap(line: _Line, word: Placed) -> float:
    """Return the share of the lower of the two heights on which they overlap.

    Large print beside several small lines overlaps each of them wholly and belongs to none: where
    the heights differ much, each must hold the other's middle.
    """
    top, bottom = word[2], word[4]
    low, high = sorted((max(0.1, line.bottom - line.top), max(0.1, bottom - top)))
    if high > _MUCH * low:
        middle, own = (line.top + line.bottom) / 2, (top + bottom) / 2
        if not (top <= middle <= bottom and line.top <= own <= line.bottom):
            return 0.0
    return (min(line.bottom, bottom) - max(line.top, top)) / low


def _collides(line: _Line, word: Placed) -> bool:
    """Say whether a word would be printed on one of a line; the same word again is bold print."""
    for other in line.words[-_LOOKED_AT:]:
        if other[0] == word[0]:
            continue
        shared = min(other[3], word[3]) - max(other[1], word[1])
        narrow = min(other[3] - other[1], word[3] - word[1])
        if shared > _COVERED * max(narrow, 0.1):
            return True
    return False


def _distinct(words: list[Placed]) -> list[Placed]:
    """Drop words that are printed twice at one place to look bold."""
    kept: list[Placed] = []
    for word in words:
        if not any(
            word[0] == other[0] and abs(word[1] - other[1]) < 1.5 and abs(word[2] - other[2]) < 1.5
            for other in kept[-3:]
        ):
            kept.append(word)
    return kept


def _directed(row: list[Placed], unseen: Set[Placed]) -> list[Placed]:
    seen = [word for word in row if word not in unseen] or row
    return _from_the_right(row, unseen) if _is_right_to_left(seen) else row


def _is_right_to_left(line: Sequence[Placed]) -> bool:
    if all(word[0].isascii() for word in line):
        return False
    letters = [character for word in line for character in word[0] if character.isalpha()]
    return sum(map(_runs_left, letters)) * 2 > len(letters)


def _runs_left(character: str) -> bool:
    return unicodedata.bidirectional(character) in ("R", "AL")


def _from_the_right(line: Sequence[Placed], unseen: Set[Placed]) -> list[Placed]:
    """Return a line's words from right to left.

    Within a column, words without a letter that runs left, such as the parts of a number or a
    Latin name, follow each other from left to right all the same.
    """
    separated = list(zip(separators(line, unseen), line, strict=True))
    found: list[Placed] = []
    run: list[Placed] = []
    for before, word in reversed(separated):
        if any(map(_runs_left, word[0])):
            found += [*reversed(run), word]
            run = []
            continue
        run.append(word)
        if before != " ":
            found += reversed(run)
            run = []
    return found + run[::-1]


def separators(line: Sequence[Placed], unseen: Set[Placed] = frozenset()) -> list[str]:
    """Return what stands before each word of a line: nothing, a space, or two.

    :param unseen: see `set_out`.
    """
    seen = [word for word in line if word not in unseen] or line
    width = median((word[3] - word[1]) / max(1, len(word[0])) for word in seen)
    places = sorted(range(len(line)), key=lambda index: line[index][1])
    ends = [
        line[after][1] - line[before][3] > COLUMN_GAP * max(width, 1.0)
        for before, after in pairwise(places)
    ]
    # Where reading goes to the left, a run that goes to the right stands between neighbours.
    rank = {index: place for place, index in enumerate(places)}
    found = [""]
    for index in range(1, len(line)):
        first, last = sorted((rank[index - 1], rank[index]))
        found.append("  " if any(ends[first:last]) else " ")
    return found
