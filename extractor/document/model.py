"""What a document is to the rest of the package: text, and where its words stand.

Coordinates are PDF points (1/72 inch) from the top left of the page as it is shown:
`bbox = (x0, top, x1, bottom)`. Pages are numbered from 1.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

from extractor.document.clean import clean_text
from extractor.document.einvoice import EInvoice

if TYPE_CHECKING:
    from extractor.fields import Locale

_NOTHING = 5  # words in sight that a page number or a stamp may be
# What chat models set around the turns of a conversation: ChatML and its kin, DeepSeek, Llama 2,
# Gemma. On a page it can only be meant for a model.
_CHAT_MARKS = re.compile(
    r"<[ ]?[|｜][ ]?\w[\w▁ ]{0,40}[|｜][ ]?>|\[/INST\]|<</?SYS>>|<(?:start|end)_of_turn>"
)

Bbox = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Word:
    """A word: `document.text[start:end] == text`.

    :param visible: False if no person sees it on the page: white, covered, off the page, tiny.
    :param confidence: of OCR in it, 0..1; None if it comes from a text layer.
    """

    text: str
    bbox: Bbox
    start: int
    end: int
    visible: bool = True
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page; `start` and `end` are the offsets of its text in `Document.text`.

    A document that never had pages is one page of width and height 0.
    """

    number: int
    width_pt: float
    height_pt: float
    words: tuple[Word, ...]
    start: int
    end: int

    def relative(self, bbox: Bbox) -> Bbox:
        """Return a box in shares of the page's width and height, 0..1; beyond the page is cut."""
        x0, top, x1, bottom = bbox
        width, height = max(self.width_pt, 1e-9), max(self.height_pt, 1e-9)
        shares = (x0 / width, top / height, x1 / width, bottom / height)
        cut = tuple(round(min(1.0, max(0.0, share)), 5) for share in shares)
        return cut[0], cut[1], cut[2], cut[3]


@dataclass(frozen=True, slots=True)
class Document:
    """A document that has been read.

    :param text: words of one line joined by a space, or by two where a column ends; a newline
        after each line, an empty line between pages. No control and no private-use characters.
    :param sha256: hash of the file's bytes, or of the text's if it never was a file.
    :param unread_pages: numbers of the pages that show something, such as a scan, but gave no
        text, and of those that could not be read.
    :param einvoice: the XML of an e-invoice in the file, or the file itself.
    :param einvoice_problem: why an e-invoice that is attached could not be read.
    :param unseen: start and end of each run of words, or line, that `in_sight` left out.
    """

    name: str
    text: str
    pages: tuple[Page, ...]
    sha256: str
    unread_pages: tuple[int, ...] = ()
    einvoice: EInvoice | None = field(default=None, compare=False)
    einvoice_problem: str = ""
    unseen: tuple[tuple[int, int], ...] = ()

    @classmethod
    def from_text(cls, text: str, name: str = "text") -> Document:
        """Make a document of one page without boxes."""
        sha256 = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        text = clean_text(text)
        return cls(name, text, (Page(1, 0.0, 0.0, (), 0, len(text)),), sha256)

    @classmethod
    def join(cls, name: str, pages: Sequence[tuple[Page, str]], sha256: str) -> Document:
        """Make a document of pages whose offsets count from the start of their own text."""
        parts: list[str] = []
        placed: list[Page] = []
        at = 0
        for page, text in pages:
            if parts:
                parts.append("\n")
                at += 1
            words = tuple(replace(w, start=w.start + at, end=w.end + at) for w in page.words)
            placed.append(replace(page, words=words, start=at, end=at + len(text)))
            parts.append(text)
            at += len(text)
        return cls(name, "".join(parts), tuple(placed), sha256)

    def alone(self, page: Page) -> tuple[Page, str]:
        """Return a page whose offsets count from the start of its own text, and that text."""
        at = page.start
        words = tuple(replace(w, start=w.start - at, end=w.end - at) for w in page.words)
        text = self.text[page.start : page.end]
        return replace(page, words=words, start=0, end=len(text)), text

    def page_at(self, offset: int) -> int:
        """Return the number of the page that holds a character."""
        starts = [page.start for page in self.pages]
        return self.pages[max(0, bisect_right(starts, offset) - 1)].number

    def boxes(self, start: int, end: int) -> list[tuple[int, Bbox]]:
        """Return (page number, bbox) of each line of `text[start:end]`; empty without words."""
        found: list[tuple[int, Word]] = []
        for page in self.pages:
            if page.start < end and start < page.end:
                first = bisect_right(page.words, start, key=lambda word: word.end)
                for word in page.words[first:]:
                    if word.start >= end:
                        break
                    found.append((page.number, word))
        # Words of one line stand between two newlines of the text.
        lines = groupby(found, key=lambda item: (item[0], self.text.count("\n", 0, item[1].start)))
        return [(key[0], _around([word for _, word in words])) for key, words in lines]

    def hidden(self) -> list[tuple[int, int]]:
        """Return (start, end) of each word that no person sees on its page, in order."""
        return [(w.start, w.end) for page in self.pages for w in page.words if not w.visible]

    def chat_lines(self) -> list[tuple[int, int]]:
        """Return (start, end) of each line on which a person sees marks of a talk with a model.

        Of such a talk only the lines that are marked. Marks that no person sees are left out by
        themselves, for they must not take with them what stands beside them; where hidden words are
        read all the same, so are hidden marks found.
        """
        found: list[tuple[int, int]] = []
        text = self.text
        if _CHAT_MARKS.search(text):
            seen = _blanked(text, self.hidden())
            text = seen if len(seen.split()) >= _NOTHING else text
        for mark in _CHAT_MARKS.finditer(text):
            start, end = text.rfind("\n", 0, mark.start()) + 1, text.find("\n", mark.end())
            if not found or start >= found[-1][1]:
                found.append((start, len(text) if end < 0 else end))
        return found

    @property
    def locale(self) -> Locale:
        """How the document writes numbers and dates, as far as a person sees."""
        from extractor.fields import Locale  # not for the worker that only reads files

        seen = self.in_sight()
        # As it is shown: blanks in place of what is hidden could fill all that is looked at.
        return Locale.of(seen.shown(0, len(seen.text)))

    def in_sight(self) -> Document:
        """Return the document with spaces for what is not meant for a person; offsets stay.

        Whoever sends a document can write on it what only programs read: words that no person
        sees, and lines in the form of a conversation with a model (`chat_lines`). That is no part
        of it. Where next to nothing else is there, such as on pages that were made to be read by
        machines, the document is returned as it is.
        """
        if self.unseen:
            return self
        left_out: list[tuple[int, int]] = []
        blanked = self.text
        # One after the other: marks must not uncover what is hidden.
        for parts in (self.hidden(), self.chat_lines()):
            without = _blanked(blanked, parts)
            if parts and len(without.split()) >= _NOTHING:
                blanked, left_out = without, sorted([*left_out, *parts])
        if not left_out:
            return self
        runs = [left_out[0]]
        for start, end in left_out[1:]:
            if self.text[runs[-1][1] : start].strip(" "):
                runs.append((start, end))
            else:
                runs[-1] = (runs[-1][0], max(end, runs[-1][1]))
        pages = tuple(
            replace(page, words=tuple(w for w in page.words if blanked[w.start : w.end].strip()))
            for page in self.pages
        )
        return replace(self, text=blanked, pages=pages, unseen=tuple(runs))

    def shown(self, start: int, end: int) -> str:
        """Return a stretch of a document in sight, closed up where words were left out.

        This is what a model is shown, in training and in use.
        """
        text, parts, at = self.text, [], start
        for first, last in self.unseen[bisect_right(self.unseen, start, key=lambda run: run[1]) :]:
            if first >= end:
                break
            before, behind = max(first, start), min(last, end)
            while before > at and text[before - 1] == " ":
                before -= 1
            while behind < end and text[behind] == " ":
                behind += 1
            begins = before == start or text[before - 1] == "\n"
            ends = behind == end or text[behind] == "\n"
            if begins and ends:  # nothing is left of the line
                behind = min(end, behind + 1)
            widest = max(first - before, behind - last)
            parts += [text[at:before], "" if begins or ends else " " * min(2, widest)]
            at = behind
        return "".join((*parts, text[at:end]))


def _blanked(text: str, parts: Sequence[tuple[int, int]]) -> str:
    characters = list(text)
    for start, end in parts:
        characters[start:end] = " " * (end - start)
    return "".join(characters)


def _around(words: Sequence[Word]) -> Bbox:
    boxes = [word.bbox for word in words]
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )
