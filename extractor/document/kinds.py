"""What a file is: told by its first bytes, then by its name; nothing of it is opened here."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["pdf", "image", "html", "xml", "docx", "mail", "zip", "text", "foreign", "unknown"]
"""`foreign`: a known format that has no reader here. `unknown`: bytes that are no text either."""

TEXT_SUFFIXES = (".txt", ".md", ".text")
_HTML_SUFFIXES = (".html", ".htm", ".xhtml")
_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
SUFFIXES = (
    ".pdf",
    *TEXT_SUFFIXES,
    *_HTML_SUFFIXES,
    ".xml",
    ".docx",
    ".eml",
    ".zip",
    *_IMAGE_SUFFIXES,
)
"""Names that are taken for documents where a folder or a container is read."""

_PDF = b"%PDF-"
_OBJECT = re.compile(rb"\b\d+\s+\d+\s+obj\b")
_IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
# An office file begins with one of these members, an OpenDocument file with its type.
_OFFICE = (b"[Content_Types].xml", b"_rels/", b"word/", b"docProps/", b"xl/", b"ppt/")
_FOREIGN = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Office file or an Outlook message",
    b"{\\rtf": "an RTF file",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\x1f\x8b": "a gzip file",
    b"GIF8": "a GIF image",
    b"BM": "a BMP image",
}
_FOREIGN_SUFFIXES = (".xlsx", ".xls", ".doc", ".odt", ".ods", ".pptx", ".msg", ".rtf", ".heic",
                     ".7z", ".rar", ".webp", ".gif", ".bmp")  # fmt: skip
_HEADER = re.compile(rb"(?:From |[A-Za-z][A-Za-z0-9-]*:)")
# What mail programs write and people do not.
_MAILED = re.compile(rb"^(?:message-id|mime-version|received|return-path):", re.I | re.M)
_FROM = re.compile(rb"^from:", re.I | re.M)
_INVOICE = re.compile(
    rb":CrossIndustry(?:Invoice|Document)\b|ubl:schema:xsd:(?:Invoice|CreditNote)-2"
)
_HEAD_BYTES = 8192


def kind_of(data: bytes, name: str) -> Kind:
    """Tell what a file is.

    :param data: the file, or at least its first 8 kB.
    """
    name = name.lower()
    head = data[:_HEAD_BYTES]
    if head.startswith(_IMAGES):
        return "image"
    if head.startswith(_ZIPS):
        return _kind_of_zip(head, name)
    # Readers allow other bytes before a PDF, but a text may speak of PDFs.
    if head.startswith(_PDF) or (_PDF in head[:1024] and not name.endswith(TEXT_SUFFIXES)):
        return "pdf"
    if name.endswith(".pdf") and _OBJECT.search(data):
        return "pdf"  # its first bytes are lost; readers look for the objects
    if foreign(head, name) is not None:
        return "foreign"
    if name.endswith(TEXT_SUFFIXES):
        return "text" if _is_text(head) else "unknown"
    if name.endswith(".eml") or _is_mail(head):
        return "mail"
    if name.endswith(_HTML_SUFFIXES) or _is_html(head):
        return "html"
    if name.endswith(".xml") or (head.lstrip().startswith(b"<") and _INVOICE.search(head)):
        return "xml"
    return "text" if _is_text(head) and not name.endswith((".pdf", ".docx")) else "unknown"


def foreign(head: bytes, name: str) -> str | None:
    """Say in words what a file without a reader is; None if it is another."""
    if head[4:12] in (b"ftypheic", b"ftypmif1", b"ftypheix", b"ftypavif"):
        return "a HEIC or AVIF image"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "a WebP image"
    for magic, words in _FOREIGN.items():
        # Two bytes are also how a text may begin.
        if head.startswith(magic) and (len(magic) > 2 or not _is_text(head)):
            return words
    suffix = name.lower()[name.rfind(".") :] if "." in name else ""
    if suffix in _FOREIGN_SUFFIXES and not _is_text(head):
        return f"a {suffix} file"
    return None


def _kind_of_zip(head: bytes, name: str) -> Kind:
    if len(head) >= 30:
        first = head[30 : 30 + int.from_bytes(head[26:28], "little")]
        if first.startswith(_OFFICE) and not name.endswith(".zip"):
            return "docx"  # whose reader tells spreadsheets and slides apart
        if first == b"mimetype":
            return "foreign"
    if name.endswith(_FOREIGN_SUFFIXES):
        return "foreign"
    return "docx" if name.endswith(".docx") else "zip"


def _is_text(head: bytes) -> bool:
    """Say whether bytes may be text, of whatever encoding."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)
    return b"\0" not in head and controls * 50 <= len(head)


def _is_mail(head: bytes) -> bool:
    header = head.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0]
    return (
        _HEADER.match(header) is not None
        and _MAILED.search(header) is not None
        and _FROM.search(header) is not None
    )


def _is_html(head: bytes) -> bool:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(b"<?xml"):
        start = start.partition(b"?>")[2].lstrip()
    return start.startswith((b"<!doctype html", b"<html"))
