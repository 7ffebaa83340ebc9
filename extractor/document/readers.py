"""Which reader opens which kind of file; it runs in the worker process only."""

from __future__ import annotations

from typing import Any

from extractor.document.limits import Limits
from extractor.document.pdf import read_pdf
from extractor.errors import DocumentError


def read(data: bytes, limits: Limits, request: dict[str, Any]) -> dict[str, Any]:
    """Return what a request asks of a file, as plain JSON data.

    Readers are imported when they are first needed: OCR takes seconds and a gigabyte.

    :param request: `task` names the reader, the rest is what it needs beside the limits.
    :raises DocumentError: if the file does not give it.
    """
    match request["task"]:
        case "pdf":
            return read_pdf(data, limits, request["password"], tuple(request["readers"]))
        case "xml":
            from extractor.document.einvoice import read_xml

            return read_xml(data, limits.characters)
        case "text" | "html" | "docx":
            return {"text": _text(data, request["task"], limits)}
        case "members":
            from extractor.document.containers import MemberLimits, read_members

            bounds = MemberLimits(limits.members, limits.file_bytes)
            return read_members(data, request["kind"], request["first"], bounds)
        case "count" | "ocr":
            from extractor.document import ocr

            pages: ocr.Pages
            if request["kind"] == "pdf":
                pages = ocr.PdfPages(data, request["password"])
            else:
                pages = ocr.ImagePages(data, limits.image_pixels)
            if request["task"] == "count":
                return {"count": pages.count}
            return pages.read(request["page"])
        case task:
            raise ValueError(f"no such task: {task}")


def _text(data: bytes, task: str, limits: Limits) -> str:
    from extractor.document import office

    if task == "docx":
        text = office.read_docx(data, limits.inflated_bytes)
    else:
        text = office.read_html(data) if task == "html" else office.read_text(data)
    if len(text) > limits.characters:
        raise DocumentError(
            f"more than {limits.characters} characters",
            hint="split the document, or raise the limit of characters",
            category="too_big",
        )
    return text
