"""Which reader opens which kind of file; it runs in the worker process only."""

from __future__ import annotations

from typing import Any

from extractor.document.pdf import read_pdf
from extractor.errors import DocumentError


def read(data: bytes, request: dict[str, Any]) -> dict[str, Any]:
    """Return what a request asks of a file, as plain JSON data.

    Readers are imported when they are first needed: OCR takes seconds and a gigabyte.

    :param request: `task` names the reader, the rest are its limits.
    :raises DocumentError: if the file does not give it.
    """
    match request["task"]:
        case "pdf":
            return read_pdf(data, request["pages"], request["characters"])
        case "text" | "html" | "docx":
            return {"text": _text(data, request)}
        case "members":
            from extractor.document.containers import MemberLimits, read_members

            limits = MemberLimits(request["members"], request["file_bytes"])
            return read_members(data, request["kind"], request["first"], limits)
        case "count" | "ocr":
            from extractor.document import ocr

            pages: ocr.Pages
            if request["kind"] == "pdf":
                pages = ocr.PdfPages(data, request.get("password"))
            else:
                pages = ocr.ImagePages(data, request["image_pixels"])
            return (
                {"count": pages.count}
                if request["task"] == "count"
                else pages.read(request["page"])
            )
        case task:
            raise ValueError(f"no such task: {task}")


def _text(data: bytes, request: dict[str, Any]) -> str:
    from extractor.document import office

    if request["task"] == "docx":
        text = office.read_docx(data, request["inflated_bytes"])
    else:
        text = office.read_html(data) if request["task"] == "html" else office.read_text(data)
    if len(text) > request["characters"]:
        raise DocumentError(
            f"more than {request['characters']} characters",
            hint="split the document, or raise the limit of characters",
            category="too_big",
        )
    return text
