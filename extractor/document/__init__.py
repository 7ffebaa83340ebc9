"""Documents: what one is, and how a file becomes one.

PDFs are read in a worker process with limits (see `extractor.document.isolation`); a file that
crashes it costs that file only. Importing this package loads no PDF library.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from typing import BinaryIO

from extractor.document import isolation
from extractor.document.limits import Limits
from extractor.document.model import Bbox, Document, Page, Word
from extractor.errors import DocumentError

__all__ = ["Bbox", "Document", "Limits", "Page", "Word", "read"]

# Of the way in which files become text. An adapter learned from one way serves no other as well, so
# each change of a document's text needs a new number.
VERSION = "1"
_TEXT = (".txt", ".md", ".text")
_PDF = b"%PDF-"
_OBJECT = re.compile(rb"\b\d+\s+\d+\s+obj\b")


def read(
    source: str | os.PathLike[str] | bytes | BinaryIO,
    *,
    limits: Limits | None = None,
    name: str | None = None,
    password: str | None = None,
) -> Document:
    """Read a file into a document.

    :param source: a path, the bytes of a file, or a file object opened for reading bytes.
    :param name: what to call it; a path names itself.
    :param password: opens an encrypted PDF, as its user or its owner.
    :raises DocumentError: with a category, a sentence and a hint, if it gives no text.
    """
    limits = limits or Limits()
    if isinstance(source, bytes):
        data, name = source, name or "bytes"
    elif isinstance(source, str | os.PathLike):
        name = name or os.path.basename(os.fspath(source))
        data = _file_bytes(os.fspath(source), limits)
    else:
        name = name or os.path.basename(str(getattr(source, "name", "file")))
        data = source.read(limits.file_bytes + 1)
    if len(data) > limits.file_bytes:
        raise DocumentError(
            f"{name}: more than {limits.file_bytes} bytes",
            hint="split the document, or raise the limit of bytes",
            category="too_big",
        )
    if _is_pdf(data, name):
        return _read_pdf(data, name, limits, password)
    return _read_text(data, name, limits)


def _is_pdf(data: bytes, name: str) -> bool:
    """Tell a PDF, before which readers allow other bytes, from a text that speaks of PDFs."""
    if name.lower().endswith(_TEXT):
        return data.startswith(_PDF)
    if name.lower().endswith(".pdf") and _OBJECT.search(data):
        return True  # its first bytes are lost; readers look for the objects
    return _PDF in data[:1024]


def _file_bytes(path: str, limits: Limits) -> bytes:
    try:
        # Opened without blocking: a FIFO without writer would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket
            raise _no_file(path) from error
        raise DocumentError(
            f"{os.path.basename(path)}: cannot be opened ({error.strerror})",
            hint="check the path and the permission to read it",
            category="missing",
        ) from error
    except ValueError as error:
        raise DocumentError(
            f"{os.path.basename(path)!r}: cannot be opened (no path holds such characters)",
            hint="check the path; the text of a document is given with its line ends",
            category="missing",
        ) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _no_file(path)
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read(limits.file_bytes + 1)


def _no_file(path: str) -> DocumentError:
    return DocumentError(
        f"{os.path.basename(path)}: is a folder or a device, not a file",
        hint="give a PDF or text file",
        category="unsupported",
    )


def _read_text(data: bytes, name: str, limits: Limits) -> Document:
    looks_like_pdf = name.lower().endswith(".pdf")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if looks_like_pdf or "\0" in text:
        raise DocumentError(
            f"{name}: is neither a PDF nor UTF-8 text",
            hint="give a PDF or a text file; convert other formats first",
            category="not_a_pdf",
        )
    if len(text) > limits.characters:
        raise DocumentError(
            f"{name}: more than {limits.characters} characters",
            hint="split the document, or raise the limit of characters",
            category="too_big",
        )
    document = Document.from_text(text, name)
    if not any(character.isalnum() for character in document.text):
        raise DocumentError(
            f"{name}: holds no text", hint="check that it is the right file", category="no_text"
        )
    return document


def _read_pdf(data: bytes, name: str, limits: Limits, password: str | None) -> Document:
    try:
        content = isolation.worker.read(data, limits, password)
    except DocumentError as error:
        raise DocumentError(
            f"{name}: {error.message}", hint=error.hint, category=error.category
        ) from error
    pages = tuple(
        Page(
            number,
            width,
            height,
            tuple(
                Word(text, tuple(box), begin, stop, visible=index not in hidden)
                for index, (text, box, begin, stop) in enumerate(words)
            ),
            start,
            end,
        )
        for number, ((width, height, start, end, words), hidden) in enumerate(
            zip(content["pages"], map(set, content["hidden"]), strict=True), start=1
        )
    )
    sha256 = hashlib.sha256(data).hexdigest()
    return Document(name, content["text"], pages, sha256, tuple(content["unread_pages"]))
