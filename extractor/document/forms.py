"""What a page shows beside its own content: values of form fields, typed notes, stamps.

Their appearances are drawn into the page, so that their words come with the others. Where a field
has a value and no appearance, which viewers then make up, its words are placed in its rectangle.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from typing import Any

import pypdfium2.raw as raw

from extractor.document.clean import clean_text
from extractor.document.layout import Placed

Values = list[tuple[str, tuple[float, float, float, float]]]
"""Text of fields and notes with the rectangle of each: left, bottom, right, top in user space."""

_SHOWN = {raw.FPDF_ANNOT_WIDGET, raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_STAMP}
_UNSEEN = raw.FPDF_ANNOT_FLAG_HIDDEN | raw.FPDF_ANNOT_FLAG_NOVIEW
_WRITTEN = {
    raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX
}  # fmt: skip
_PASSWORD_FIELD = 1 << 13  # ISO 32000-2, table 230: bit 14
# Of a rectangle: what is taller holds several lines, or one at its top.
_LINE_PT = 14.0


def drawn(document: Any, index: int) -> tuple[Any, Values]:
    """Return a page with its annotations drawn into it, and the values that they hold.

    :param document: of pypdfium2, with its forms initialised.
    """
    page = document[index]
    values, shown = _annotations(page)
    if shown:
        raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY)
        page.close()
        page = document[index]
    return page, values


def words(values: Values, seen: Sequence[Placed], turn: Any) -> Iterator[Placed]:
    """Yield the words of the values in whose rectangle nothing is printed.

    :param seen: the words of the page.
    :param turn: maps a rectangle of user space to the page as it is shown.
    """
    for text, rectangle in values:
        x0, top, x1, bottom = turn(*rectangle)
        if not any(
            x0 <= (word[1] + word[3]) / 2 <= x1 and top <= (word[2] + word[4]) / 2 <= bottom
            for word in seen
        ):
            yield from _laid_out(text, x0, top, x1, bottom)


def _annotations(page: Any) -> tuple[Values, bool]:
    values: Values = []
    shown = False
    for index in range(raw.FPDFPage_GetAnnotCount(page)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            if (
                raw.FPDFAnnot_GetSubtype(annotation) not in _SHOWN
                or raw.FPDFAnnot_GetFlags(annotation) & _UNSEEN
            ):
                continue
            shown = True
            text = clean_text(_text(page, annotation))
            box = raw.FS_RECTF()
            if text.strip() and raw.FPDFAnnot_GetRect(annotation, box):
                low, high = sorted((box.bottom, box.top))
                values.append((text, (box.left, low, box.right, high)))
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
    return values, shown


def _text(page: Any, annotation: Any) -> str:
    if raw.FPDFAnnot_GetSubtype(annotation) == raw.FPDF_ANNOT_FREETEXT:
        return _string(raw.FPDFAnnot_GetStringValue, annotation, b"Contents")
    form = page.formenv
    if not form or raw.FPDFAnnot_GetFormFieldType(form, annotation) not in _WRITTEN:
        return ""
    if raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD_FIELD:
        return ""
    return _string(raw.FPDFAnnot_GetFormFieldValue, form, annotation)


def _string(function: Any, *arguments: Any) -> str:
    """Call a function of pdfium that fills a buffer with UTF-16, length in bytes first."""
    size = function(*arguments, None, 0)
    buffer = ctypes.create_string_buffer(max(size, 2))
    function(*arguments, ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), size)
    return buffer.raw[: max(size, 2)].decode("utf-16-le", "ignore").rstrip("\0")


def _laid_out(text: str, x0: float, top: float, x1: float, bottom: float) -> Iterator[Placed]:
    rows = [row for row in text.split("\n") if row.strip()]
    height = min(_LINE_PT, (bottom - top) / len(rows))
    # One line stands in the middle of its field, several begin at the top.
    y = (top + bottom - height) / 2 if len(rows) == 1 and bottom - top < 2 * _LINE_PT else top
    for row in rows:
        width = min(height / 2, (x1 - x0) / len(row))
        at = 0
        for word in row.split():
            at = row.index(word, at)
            yield (word, x0 + at * width, y, x0 + (at + len(word)) * width, y + height)
            at += len(word)
        y += height
