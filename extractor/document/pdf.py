"""Reading one PDF, inside the worker process: pypdf for the structure, pdfium for the words.

pypdf says whether a file is a PDF, encrypted or damaged; pdfium has the better words and boxes and
is twice as fast. Where pdfium finds nothing, pypdf's layout text serves, without boxes. Where that
is nothing either, the file is repaired by qpdf, if it is damaged, and read once more.
"""

from __future__ import annotations

import io
import logging
import math
import re
import zlib
from collections.abc import Callable, Collection, Iterator
from typing import Any

from extractor.document import einvoice
from extractor.document.clean import clean_text
from extractor.document.layout import Placed, set_out
from extractor.document.limits import Limits
from extractor.document.model import Bbox
from extractor.errors import DocumentError

PageWords = tuple[float, float, list[Placed], int, set[Placed]]
"""Size of a page as it is shown, its words as they read, the quarter turns between the two, and
those of the words that no person sees."""

READERS = ("pdfium", "pypdf", "repair")
"""In the order in which they are asked, each where those before it found no text."""

Turn = Callable[[float, float, float, float], tuple[float, float, float, float]]

# What pdfium gives for a hyphen at the end of a line.
_LINE_HYPHEN = 2
# Of a page's characters, to learn how they are turned.
_SAMPLED = 50
_STREAM = re.compile(rb"(?<!end)stream\r?\n")
# Of a stream that was deflated twice, as it stands between the two.
_INNER_BYTES = 16 * 1024**2
_IMAGE = re.compile(rb"/Subtype\s*/Image")


def read_pdf(
    data: bytes,
    limits: Limits,
    password: str | None = None,
    readers: Collection[str] = READERS,
) -> dict[str, Any]:
    """Return text, pages and words of a PDF as plain JSON data.

    :param readers: those that may be asked.
    :returns: `{"text": ..., "pages": [[width, height, start, end, [[text, box, start, end]...]]],
        "hidden": [[index of a word that no person sees...] for each page],
        "unread_pages": [number...]}`, `"repaired": True` if the file had to be, and what
        `einvoice.embedded` finds; without text if there is an e-invoice
    :raises DocumentError: if it gives no text.
    """
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    _check_inflated(data, limits.inflated_bytes)
    content, opened, _ = _read(data, limits, password, readers)
    if content is None and "repair" in readers:
        rebuilt = repaired(data, password)
        if rebuilt is not None:
            content, _, unread = _read(rebuilt, limits, None, readers)
            # qpdf makes a PDF of anything; one with a picture was one.
            opened = opened or bool(unread)
            if content is not None:
                content["unread_pages"] = _without_text(content)
                content["repaired"] = True
    if content is not None:
        return content
    if not opened:
        raise DocumentError(
            "the file begins like a PDF but is too damaged to read",
            hint="ask for the file again, or open and save it in a PDF viewer",
            category="broken",
        )
    raise DocumentError(
        "no page has a text layer",
        hint="the pages are images; run OCR over the file first",
        category="no_text",
    )


def _read(
    data: bytes, limits: Limits, password: str | None, readers: Collection[str]
) -> tuple[dict[str, Any] | None, bool, list[int]]:
    """Return what a PDF holds if that is text, whether any reader opened it, and the numbers of
    the pages that show something else, as far as pdfium can tell.
    """
    count, structure = _structure(data, password)
    if count is not None:
        _check_count(count, limits.pages)
    attached = {} if structure is None else einvoice.embedded(structure)
    pages: list[PageWords] = []
    unread: list[int] = []
    drawn = False
    if "pdfium" in readers:
        pages, unread, drawn = _pdfium_pages(data, limits, password)
    opened = drawn or structure is not None
    if any(page[2] for page in pages):
        content = {**_assemble(pages), "unread_pages": unread, **attached}
        if _readable(content["text"]):
            return content, opened, unread
    if structure is not None and "pypdf" in readers:
        content = {**_pypdf_text(structure, limits.characters), **attached}
        if drawn:  # pdfium tells empty pages from others
            content["unread_pages"] = [n for n in content["unread_pages"] if n in unread]
        if _readable(content["text"]):
            return content, opened, unread
    if "einvoice" in attached:
        empty = {"text": "", "pages": [], "hidden": [], "unread_pages": unread}
        return {**empty, **attached}, opened, unread
    return None, opened, unread


def _without_text(content: dict[str, Any]) -> list[int]:
    """Return the pages of a repaired file that may have lost their text to the damage."""
    return [
        number
        for number, (_, _, start, end, _) in enumerate(content["pages"], start=1)
        if not content["text"][start:end].strip()
    ]


def repaired(data: bytes, password: str | None) -> bytes | None:
    """Return a damaged file as qpdf rebuilds it, decrypted; None if it is whole or lost."""
    import pikepdf

    stream = io.BytesIO()
    try:
        with pikepdf.open(io.BytesIO(data), password=password or "") as pdf:
            damaged = bool(pdf.get_warnings())
            pdf.save(stream)
            damaged = damaged or bool(pdf.get_warnings())
    except (pikepdf.PikepdfError, ValueError, TypeError, RuntimeError):
        return None
    return stream.getvalue() if damaged else None


def _check_inflated(data: bytes, most: int) -> None:
    """Refuse a file whose streams grow beyond measure, before a reader inflates them."""
    left = most
    for match in _STREAM.finditer(data):
        # A picture is never inflated to find text, and may rightly be large.
        about = data[max(0, match.start() - 500) : match.start()].rpartition(b"obj")[2]
        if not _IMAGE.search(about):
            left -= _inflated(data, match.end(), left)
        if left < 0:
            raise DocumentError(
                f"its compressed parts hold more than {most} bytes",
                hint="split the document, or raise the limit of inflated bytes",
                category="too_big",
            )


def _inflated(data: bytes, start: int, most: int, filters: int = 3) -> int:
    """Return to how many bytes the stream at `start` grows, a little more than `most` if more.

    :param filters: how often a stream that was deflated more than once is inflated.
    """
    if not _is_deflated(data[start : start + 2]):
        return 0
    inflater, total = zlib.decompressobj(), 0
    inner: bytearray | None = bytearray()
    for at in range(start, len(data), 1 << 14):
        part = data[at : at + (1 << 14)]
        while part and not inflater.eof and total <= most:
            try:
                grown = inflater.decompress(part, 1 << 16)
            except zlib.error:
                return total
            total += len(grown)
            if inner is not None:
                inner += grown
                if len(inner) > _INNER_BYTES or not _is_deflated(bytes(inner[:2])):
                    inner = None
            part = inflater.unconsumed_tail
        if inflater.eof or total > most:
            break
    if inner and filters > 1:
        total += _inflated(bytes(inner), 0, most - total, filters - 1)
    return total


def _is_deflated(head: bytes) -> bool:
    return len(head) == 2 and head[0] & 0x0F == 8 and int.from_bytes(head, "big") % 31 == 0


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise DocumentError(
            f"{count} pages, limit {most}",
            hint="split the document, or raise the limit of pages",
            category="too_big",
        )


def _check_characters(count: int, most: int) -> None:
    if count > most:
        raise DocumentError(
            f"more than {most} characters",
            hint="split the document, or raise the limit of characters",
            category="too_big",
        )


def _readable(text: str) -> bool:
    return sum(character.isalnum() for character in text) >= 2


def locked(password: str | None) -> DocumentError:
    """Return the error of an encrypted file, whether a password was given or not."""
    if password is None:
        return DocumentError(
            "the file is encrypted and needs a password",
            hint="give its password (--password-file), or save a copy without one and read that",
            category="encrypted",
        )
    return DocumentError(
        "the file is encrypted and the password does not open it",
        hint="ask whoever sent it for the password",
        category="encrypted",
    )


def _structure(data: bytes, password: str | None) -> tuple[int | None, Any]:
    """Return page count and pypdf's reader; (None, None) if pypdf cannot make sense of it."""
    import pypdf
    from pypdf.errors import PyPdfError

    try:
        reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not (
            reader.decrypt("") or (password is not None and reader.decrypt(password))
        ):
            raise locked(password)
        return len(reader.pages), reader
    except DocumentError:
        raise
    except (PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError,
            RecursionError, OverflowError, NotImplementedError, OSError, AssertionError,
            DeprecationWarning):  # fmt: skip
        return None, None
    except Exception as error:  # pypdf lets foreign exceptions through on damaged files
        if type(error).__name__ in ("DependencyError", "DeprecationError", "error"):
            return None, None
        raise


def _pdfium_pages(
    data: bytes, limits: Limits, password: str | None
) -> tuple[list[PageWords], list[int], bool]:
    """Return each page's size and words, which pages show something else than words or could not
    be read, and whether pdfium opened the file at all.
    """
    import pypdfium2
    import pypdfium2.raw as raw

    from extractor.document import forms
    from extractor.document.visibility import Budget, Printed, hidden

    budget = Budget()
    try:
        document = pypdfium2.PdfDocument(data, password=password)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD:
            raise locked(password) from error
        return [], [], False
    pages: list[PageWords] = []
    unread: list[int] = []
    characters = 0
    _check_count(len(document), limits.pages)
    document.init_forms()
    for index in range(len(document)):
        try:
            page, values = forms.drawn(document, index)
            text_page = page.get_textpage()
            rotation = _reading_rotation(page, text_page)
            turn = _turn(page, rotation)
            found = list(_words(text_page, turn))
        except pypdfium2.PdfiumError:
            # One damaged page does not cost the others; it keeps its number.
            pages.append((0.0, 0.0, [], 0, set()))
            unread.append(index + 1)
            continue
        width, height = page.get_width(), page.get_height()
        turns = (page.get_rotation() - rotation) // 90 % 4
        printed = [
            Printed(word, _shown(word, width, height, turns), first, last)
            for word, first, last in found
        ]
        words = [word for word, _, _ in found]
        words += forms.words(values, words, turn)
        if not words and raw.FPDFPage_CountObjects(page) > 0:
            unread.append(index + 1)
        characters += sum(len(word[0]) for word in words)
        _check_characters(characters, limits.characters)
        unseen = hidden(page, text_page, printed, _turn(page, page.get_rotation()), budget)
        pages.append((width, height, words, turns, unseen))
    return pages, unread, len(document) > 0


def _reading_rotation(page: Any, text_page: Any) -> int:
    """Return the rotation, clockwise in degrees, under which most of a page's text is upright.

    That is the page's own, unless it is shown sideways or upside down.
    """
    import pypdfium2.raw as raw

    count = text_page.count_chars()
    angles = [
        round(math.degrees(raw.FPDFText_GetCharAngle(text_page, index)))
        for index in range(0, count, max(1, count // _SAMPLED))
        if raw.FPDFText_GetUnicode(text_page, index) > 0x20
    ]
    for rotation in (0, 90, 180, 270):
        near = [angle for angle in angles if (angle + rotation + 5) % 360 <= 10]
        if len(near) * 2 > len(angles):
            return rotation
    own: int = page.get_rotation()
    return own


def _words(text_page: Any, turn: Turn) -> Iterator[tuple[Placed, int, int]]:
    """Yield the words of a page in pdfium's order, each with its first and last character."""
    import pypdfium2.raw as raw

    count = text_page.count_chars()
    box = raw.FS_RECTF()
    word: list[str] = []
    around: list[float] = []
    first = last = 0
    for index in range(count):
        code = raw.FPDFText_GetUnicode(text_page, index)
        character = "-" if code == _LINE_HYPHEN else chr(code) if 0 < code < 0x110000 else ""
        if not character or character.isspace() or raw.FPDFText_IsGenerated(text_page, index) == 1:
            if word:
                yield from _word(word, around, first, last)
            word = []
            continue
        if not raw.FPDFText_GetLooseCharBox(text_page, index, box):
            continue
        x0, y0, x1, y1 = turn(box.left, box.bottom, box.right, box.top)
        if word and _breaks(around, x0, y0, x1, y1):
            yield from _word(word, around, first, last)
            word = []
        if word:
            around = [
                min(around[0], x0),
                min(around[1], y0),
                max(around[2], x1),
                max(around[3], y1),
            ]
        else:
            around = [x0, y0, x1, y1]
            first = index
        word.append(character)
        last = index
    if word:
        yield from _word(word, around, first, last)


def _breaks(around: list[float], x0: float, y0: float, x1: float, y1: float) -> bool:
    """Return whether a character cannot go on with the word: another line, or far away."""
    height = max(0.1, around[3] - around[1])
    shared = min(around[3], y1) - max(around[1], y0)
    if shared < -0.2 * height:
        return x0 > around[2] + height or x1 < around[0] - height
    return x0 - around[2] > 0.6 * height or around[0] - x1 > 0.6 * height


def _word(
    characters: list[str], around: list[float], first: int, last: int
) -> Iterator[tuple[Placed, int, int]]:
    # pdfium counts in UTF-16: a character beyond the first plane comes as two halves.
    joined = "".join(characters).encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    text = clean_text(joined).replace("\n", "").strip()
    if text:
        yield (text, around[0], around[1], around[2], around[3]), first, last


def _turn(page: Any, rotation: int) -> Turn:
    """Return the map from PDF user space to points from the top left of the rotated page."""
    left, bottom, right, top = page.get_bbox()

    def turn(x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
        if rotation == 90:
            return (y0 - bottom, x0 - left, y1 - bottom, x1 - left)
        if rotation == 180:
            return (right - x1, y0 - bottom, right - x0, y1 - bottom)
        if rotation == 270:
            return (top - y1, right - x1, top - y0, right - x0)
        return (x0 - left, top - y1, x1 - left, top - y0)

    return turn


def _assemble(pages: list[PageWords]) -> dict[str, Any]:
    parts: list[str] = []
    at = 0
    found: list[Any] = []
    hidden: list[list[int]] = []
    for width, height, words, turns, unseen in pages:
        if parts:
            parts.append("\n")
            at += 1
        start = at
        text, set_words = set_out(words, unseen)
        placed = [
            [
                text[a:b],
                [round(number, 2) for number in _shown(word, width, height, turns)],
                start + a,
                start + b,
            ]
            for word, a, b in set_words
        ]
        hidden.append([i for i, (word, _, _) in enumerate(set_words) if word in unseen])
        parts.append(text)
        at += len(text)
        found.append([width, height, start, at, placed])
    return {"text": "".join(parts), "pages": found, "hidden": hidden}


def _shown(word: Placed, width: float, height: float, turns: int) -> Bbox:
    """Return the box of a word on the page as it is shown, which has this size."""
    _, x0, top, x1, bottom = word
    if turns == 0:
        return (x0, top, x1, bottom)
    if turns == 1:
        return (width - bottom, x0, width - top, x1)
    if turns == 2:
        return (width - x1, height - bottom, width - x0, height - top)
    return (top, height - x1, bottom, height - x0)


def _pypdf_text(reader: Any, max_characters: int) -> dict[str, Any]:
    """Return layout text without boxes; a page that fails is empty."""
    from pypdf.errors import LimitReachedError

    parts: list[str] = []
    pages: list[Any] = []
    unread: list[int] = []
    at = 0
    for number, page in enumerate(reader.pages, start=1):
        try:
            text = page.extract_text(extraction_mode="layout")
        except (MemoryError, LimitReachedError) as error:
            raise DocumentError(
                f"page {number} takes more memory or work than the limit",
                hint="split the document, or print it to a new PDF",
                category="too_big",
            ) from error
        except Exception:  # a damaged page raises anything; the others still count
            text = ""
        if not text.strip():
            unread.append(number)
        rows = [re.sub(r" {2,}", "  ", line.strip()) for line in clean_text(text).split("\n")]
        text = "".join(f"{row}\n" for row in rows if row) + "\n"
        box = page.mediabox
        pages.append([float(box.width), float(box.height), at, at + len(text), []])
        parts.append(text)
        at += len(text)
        _check_characters(at, max_characters)
    return {
        "text": "".join(parts),
        "pages": pages,
        "hidden": [[] for _ in pages],
        "unread_pages": unread,
    }
