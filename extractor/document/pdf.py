"""Reading one PDF, inside the worker process: pypdf for the structure, pdfium for the words.

pypdf says whether a file is a PDF, encrypted or damaged; pdfium has the better words and boxes and
is twice as fast. Where pdfium finds nothing, pypdf's layout text serves, without boxes.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from typing import Any

from extractor.document.clean import clean_text
from extractor.document.layout import Placed, set_out
from extractor.errors import DocumentError

PageWords = tuple[float, float, list[Placed]]


def read_pdf(data: bytes, max_pages: int, max_characters: int) -> dict[str, Any]:
    """Return text, pages and words of a PDF as plain JSON data.

    :returns: `{"text": ..., "pages": [[width, height, start, end, [[text, box, start, end]...]]],
        "unread_pages": [number...]}`
    :raises DocumentError: if it gives no text.
    """
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    count, structure = _structure(data)
    if count is not None:
        _check_count(count, max_pages)
    pages, unread, drawn = _pdfium_pages(data, max_pages, max_characters)
    if not any(words for _, _, words in pages):
        pages = []
    content: dict[str, Any] = {"text": "", "pages": []}
    if pages:
        content = {**_assemble(pages), "unread_pages": unread}
    if not _readable(content["text"]) and structure is not None:
        content = _pypdf_text(structure, max_characters)
        if drawn:  # pdfium tells empty pages from others
            content["unread_pages"] = [n for n in content["unread_pages"] if n in unread]
    if _readable(content["text"]):
        return content
    if structure is None and not drawn:
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


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise DocumentError(
            f"{count} pages, limit {most}",
            hint="split the document, or raise the limit of pages",
            category="too_big",
        )


def _readable(text: str) -> bool:
    return sum(character.isalnum() for character in text) >= 2


def _structure(data: bytes) -> tuple[int | None, Any]:
    """Return page count and pypdf's reader; (None, None) if pypdf cannot make sense of it."""
    import pypdf
    from pypdf.errors import PyPdfError

    try:
        reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise DocumentError(
                "the file is encrypted and needs a password",
                hint="save a copy without password and read that",
                category="encrypted",
            )
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
    data: bytes, max_pages: int, max_characters: int
) -> tuple[list[PageWords], list[int], bool]:
    """Return each page's size and words, which pages show something else than words or could not
    be read, and whether pdfium opened the file at all.
    """
    import pypdfium2
    import pypdfium2.raw as raw

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD:
            raise DocumentError(
                "the file is encrypted and needs a password",
                hint="save a copy without password and read that",
                category="encrypted",
            ) from error
        return [], [], False
    pages: list[PageWords] = []
    unread: list[int] = []
    characters = 0
    _check_count(len(document), max_pages)
    for index in range(len(document)):
        try:
            page = document[index]
            words = list(_words(page))
        except pypdfium2.PdfiumError:
            # One damaged page does not cost the others; it keeps its number.
            pages.append((0.0, 0.0, []))
            unread.append(index + 1)
            continue
        if not words and raw.FPDFPage_CountObjects(page) > 0:
            unread.append(index + 1)
        characters += sum(len(word[0]) for word in words)
        if characters > max_characters:
            raise DocumentError(
                f"more than {max_characters} characters",
                hint="split the document, or raise the limit of characters",
                category="too_big",
            )
        pages.append((page.get_width(), page.get_height(), words))
    return pages, unread, len(document) > 0


def _words(page: Any) -> Iterator[Placed]:
    """Yield the words of a page in pdfium's order, boxes as the page is shown."""
    import pypdfium2.raw as raw

    text_page = page.get_textpage()
    count = text_page.count_chars()
    turn = _turn(page)
    box = raw.FS_RECTF()
    word: list[str] = []
    around: list[float] = []
    for index in range(count):
        code = raw.FPDFText_GetUnicode(text_page, index)
        character = chr(code) if 0 < code < 0x110000 else ""
        if not character or character.isspace() or raw.FPDFText_IsGenerated(text_page, index) == 1:
            if word:
                yield from _word(word, around)
            word = []
            continue
        if not raw.FPDFText_GetLooseCharBox(text_page, index, box):
            continue
        x0, y0, x1, y1 = turn(box.left, box.bottom, box.right, box.top)
        if word and _breaks(around, x0, y0, x1, y1):
            yield from _word(word, around)
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
        word.append(character)
    if word:
        yield from _word(word, around)


def _breaks(around: list[float], x0: float, y0: float, x1: float, y1: float) -> bool:
    """Return whether a character cannot go on with the word: another line, or far away."""
    height = max(0.1, around[3] - around[1])
    shared = min(around[3], y1) - max(around[1], y0)
    if shared < -0.2 * height:
        return x0 > around[2] + height or x1 < around[0] - height
    return x0 - around[2] > 0.6 * height or around[0] - x1 > 0.6 * height


def _word(characters: list[str], around: list[float]) -> Iterator[Placed]:
    # pdfium counts in UTF-16: a character beyond the first plane comes as two halves.
    joined = "".join(characters).encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    text = clean_text(joined).replace("\n", "").strip()
    if text:
        yield (text, around[0], around[1], around[2], around[3])


def _turn(page: Any) -> Any:
    """Return the map from PDF user space to points from the top left of the page as shown."""
    left, bottom, right, top = page.get_cropbox()
    rotation = page.get_rotation()

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
    for width, height, words in pages:
        if parts:
            parts.append("\n")
            at += 1
        start = at
        text, set_words = set_out(words)
        placed = [
            [text[a:b], [round(number, 2) for number in word[1:]], start + a, start + b]
            for word, a, b in set_words
        ]
        parts.append(text)
        at += len(text)
        found.append([width, height, start, at, placed])
    return {"text": "".join(parts), "pages": found}


def _pypdf_text(reader: Any, max_characters: int) -> dict[str, Any]:
    """Return layout text without boxes; a page that fails is empty."""
    parts: list[str] = []
    pages: list[Any] = []
    unread: list[int] = []
    at = 0
    for number, page in enumerate(reader.pages, start=1):
        try:
            text = page.extract_text(extraction_mode="layout")
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
        if at > max_characters:
            raise DocumentError(
                f"more than {max_characters} characters",
                hint="split the document, or raise the limit of characters",
                category="too_big",
            )
    return {"text": "".join(parts), "pages": pages, "unread_pages": unread}
