"""Pages with the boxes of the values drawn on them, for a person to look over.

Green: found at one place. Amber: at several, this is the likeliest. Blue: in nearly this spelling.
Red: only in text that no person sees. Values without a place are named below the first page.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import struct
import subprocess
import sys
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractor.document import Limits
from extractor.errors import DocumentError, MissingExtra, OutputError
from extractor.evidence import Box, Evidence
from extractor.pipeline import Extraction

if TYPE_CHECKING:
    from extractor.document.drawing import Mark, Note

_COLOURS = {
    "verified": "#0a7d28",
    "ambiguous": "#b36b00",
    "fuzzy": "#1f4fd8",
    "reference": "#7a1fd8",
}
_RED = "#d01010"
_GREY = "#606060"
_LEGEND = {
    "verified": "found at one place",
    "ambiguous": "at several places, the likeliest",
    "fuzzy": "in nearly this spelling",
    "reference": "from known parties, not from the document",
}
_LONGEST_NAME = 80


def draw(
    source: str | os.PathLike[str] | bytes,
    extraction: Extraction[Any],
    output: str | os.PathLike[str],
    *,
    password: str | None = None,
    limits: Limits | None = None,
) -> None:
    """Write a PDF of page pictures with a document's values marked.

    :param source: the PDF or image that was extracted, or its bytes.
    :param output: file to write; one that is there is replaced.
    :param password: of an encrypted PDF.
    :raises DocumentError: if the document has no pages to draw.
    :raises OutputError: if the file cannot be written.
    :raises MissingExtra: without Pillow.
    """
    found = {path: one.evidence for path, one in extraction.fields.items()}
    _draw(source, found, Path(output), password, limits or Limits())


def draw_line(
    source: str | os.PathLike[str] | bytes,
    line: Mapping[str, Any],
    folder: Path,
    *,
    password: str | None = None,
) -> Path | None:
    """Write the overlay of a batch's line into a folder.

    The name is the document's with a part of the line's key: it is safe, unique, and changes with
    the record, so an overlay that is there already is kept.

    :returns: the file; None if the document gave no record or has no pages to draw.
    :raises OutputError: if the file cannot be written.
    """
    if line["status"] == "failed":
        return None
    output = folder / f"{_safe_stem(line['input'])}-{line['key'][:12]}.pdf"
    if not output.exists():
        found = {path: _evidence(one["evidence"]) for path, one in line["fields"].items()}
        try:
            _draw(source, found, output, password, Limits())
        except DocumentError:
            return None
    return output


def check(folder: Path) -> None:
    """Make the folder of the overlays, before any work.

    :raises OutputError: if it cannot be made.
    :raises MissingExtra: without Pillow.
    """
    if importlib.util.find_spec("PIL") is None:
        raise MissingExtra(
            "drawing overlays needs Pillow", hint='run: pip install "fieldwright[overlay]"'
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from error


def _draw(
    source: str | os.PathLike[str] | bytes,
    found: Mapping[str, Evidence],
    output: Path,
    password: str | None,
    limits: Limits,
) -> None:
    check(output.parent)
    marks = [mark for path, evidence in found.items() for mark in _marks(path, evidence)]
    try:
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
    except OSError as error:
        raise DocumentError(
            f"{output.stem}: the document cannot be read again ({error.strerror})",
            hint="keep the documents in place while their overlays are drawn",
            category="missing",
        ) from error
    pdf = _drawn(data, {"marks": marks, "notes": _notes(found), "password": password}, limits)
    part = output.with_name(f".{output.name}.part")
    try:
        part.write_bytes(pdf)
        part.replace(output)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise _cannot_write(output, error) from error


def _drawn(data: bytes, request: dict[str, Any], limits: Limits) -> bytes:
    """Draw in a process of its own: rendering runs more of an untrusted file than reading does.

    :raises DocumentError: if nothing comes of it within the limits.
    """
    code = (
        "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
        "from extractor.document.drawing import main; main(int(sys.argv[2]))"
    )
    paths = json.dumps([os.path.abspath(path or os.curdir) for path in sys.path])
    body = json.dumps(request).encode()
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", code, paths, str(limits.memory_bytes)],
            input=struct.pack(">I", len(body)) + body + data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=limits.seconds_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pdf = b""
    else:
        pdf = done.stdout if done.returncode == 0 else b""
    if not pdf.startswith(b"%PDF-"):
        raise DocumentError(
            "no page can be drawn",
            hint="give a PDF or an image; open the file in a viewer to see what is wrong with it",
            category="unsupported",
        )
    return pdf


def _marks(path: str, evidence: Evidence) -> list[Mark]:
    colour = _RED if evidence.not_visible else _COLOURS.get(evidence.status, _RED)
    # Rows are told by their number; the list's name would cover the table.
    label = path[path.index("[") :] if "[" in path and "]." in path else path
    return [
        {
            "page": box.page,
            "bbox": box.bbox_relative,
            "label": label if first else "",
            "colour": colour,
        }
        for first, box in zip([True, *[False] * len(evidence.boxes)], evidence.boxes, strict=False)
    ]


def _notes(found: Mapping[str, Evidence]) -> list[Note]:
    """Return the legend of what is marked, and the values that have no place on the page."""
    seen = {"not_visible" if one.not_visible else one.status for one in found.values()}
    notes: list[Note] = [
        {"text": f"{status}: {_LEGEND[status]}", "colour": colour}
        for status, colour in _COLOURS.items()
        if status in seen
    ]
    if "not_visible" in seen:
        notes.append({"text": "not_visible: in text that no person sees", "colour": _RED})
    for path, one in found.items():
        if one.status == "not_found":
            notes.append({"text": f"not_found: {path}", "colour": _RED})
        elif one.status == "not_present" and "[" not in path:
            notes.append({"text": f"not_present: {path}", "colour": _GREY})
    return notes


def _evidence(plain: Mapping[str, Any]) -> Evidence:
    """Return evidence from its JSON."""
    boxes = tuple(
        Box(box["page"], tuple(box["bbox"]), tuple(box["bbox_relative"])) for box in plain["boxes"]
    )
    return Evidence(plain["status"], boxes=boxes, not_visible=plain["not_visible"])


def _safe_stem(file: str) -> str:
    """Return a document's name as one that every file system and shell takes."""
    stem = os.path.splitext(os.path.basename(file))[0]
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_]+", "-", plain).strip("-")[:_LONGEST_NAME] or "document"


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path}: cannot be written ({error.strerror})",
        hint="check the folder, its permissions and the room on the disk",
    )
