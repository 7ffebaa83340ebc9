"""Documents: what one is, and how a file becomes one.

All but plain UTF-8 is read in a worker process with limits (see `extractor.document.isolation`); a
file that crashes it costs that file only. OCR has a process of its own. Importing this package
loads no PDF library.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from typing import Any, BinaryIO, Literal

from extractor.document import isolation
from extractor.document.einvoice import EInvoice, from_plain
from extractor.document.kinds import SUFFIXES, Kind, foreign, kind_of
from extractor.document.limits import Limits
from extractor.document.model import Bbox, Document, Page, Word
from extractor.errors import DocumentError, MissingExtra

__all__ = [
    "SUFFIXES",
    "Bbox",
    "Document",
    "EInvoice",
    "Limits",
    "Member",
    "Ocr",
    "Page",
    "Word",
    "check_ocr",
    "expand",
    "identity",
    "is_container",
    "read",
]

Ocr = Literal["auto", "never", "always"]
"""Which pages go through OCR: those without a text layer, none, or all."""

# Of the way in which files become text. An adapter learned from one way serves no other as well, so
# each change of a document's text needs a new number.
VERSION = "3"
# How deep containers are opened in containers: a mail in an archive is, an archive in it is not.
_DEPTH = 2
_READERS = {
    "ocr": ("rapidocr", "onnxruntime"),
    "formats": ("selectolax", "python-docx", "charset-normalizer"),
}


@dataclass(frozen=True, slots=True)
class Member:
    """A document in a container.

    :param name: of the container and of the file in it, such as `mail.eml/invoice.pdf`.
    :param data: its bytes, None if there is an error.
    """

    name: str
    data: bytes | None
    error: DocumentError | None = None


def read(
    source: str | os.PathLike[str] | bytes | BinaryIO,
    *,
    limits: Limits | None = None,
    name: str | None = None,
    password: str | None = None,
    ocr: Ocr = "auto",
) -> Document:
    """Read a file into a document.

    A PDF without readable text that holds an e-invoice is a document too, without text.

    :param source: a path, the bytes of a file, or a file object opened for reading bytes. A mail
        or an archive is read if it holds one document.
    :param name: what to call it; a path names itself.
    :param password: opens an encrypted PDF, as its user or its owner.
    :param ocr: `auto` reads pages without a text layer by OCR if it is installed, `always` all
        pages, `never` none.
    :raises DocumentError: with a category, a sentence and a hint, if it gives no text.
    :raises MissingExtra: if OCR must be used and is not installed.
    """
    limits = limits or Limits()
    check_ocr(ocr)
    data, name = _load(source, name, limits)
    return _read(_Asked(data, name, limits, password, ocr))


def check_ocr(ocr: Ocr) -> None:
    """Refuse a mode of OCR that does not exist or cannot be had.

    :raises ValueError: if there is no such mode.
    :raises MissingExtra: if OCR must be used and is not installed.
    """
    if ocr not in ("auto", "never", "always"):
        raise ValueError(f"ocr must be auto, never or always, was: {ocr}")
    if ocr == "always" and not _installed("ocr"):
        raise MissingExtra("OCR is not installed", hint='pip install "fieldwright[ocr]"')


def identity(ocr: Ocr) -> dict[str, str]:
    """Return what the text of a document depends on beside its bytes, as strings."""
    found = {extra: _installed(extra) for extra in _READERS}
    return {
        "reading": VERSION,
        "ocr": f"{ocr} {found['ocr']}".strip() if ocr != "never" else ocr,
        "formats": found["formats"],
    }


@cache
def _installed(extra: str) -> str:
    """Return the names and versions of an extra's packages; empty if one is missing."""
    try:
        return " ".join(f"{name} {version(name)}" for name in _READERS[extra])
    except PackageNotFoundError:
        return ""


def is_container(path: str | os.PathLike[str]) -> bool:
    """Say whether a file is a mail or an archive; False if it cannot be opened."""
    try:
        head = _file_bytes(os.fspath(path), 8192)
    except DocumentError:
        return False
    return kind_of(head, os.path.basename(os.fspath(path))) in ("mail", "zip")


def expand(
    source: str | os.PathLike[str] | bytes | BinaryIO,
    *,
    limits: Limits | None = None,
    name: str | None = None,
) -> Iterator[Member]:
    """Yield the documents in a mail or an archive, those of containers in it as well.

    There is always one at least: what cannot be opened, and a container that holds no document,
    is a member with an error.
    """
    limits = limits or Limits()
    if name is None and isinstance(source, str | os.PathLike):
        name = os.path.basename(os.fspath(source))
    try:
        data, name = _load(source, name, limits)
    except DocumentError as error:
        yield Member(name or "container", None, error)
        return
    left_bytes = limits.inflated_bytes
    for member in _members(data, name, limits, 1):
        left_bytes -= len(member.data or b"")
        if left_bytes < 0:
            yield Member(
                member.name,
                None,
                DocumentError(
                    f"{member.name}: the container unpacks to more than "
                    f"{limits.inflated_bytes} bytes",
                    hint="split it, or raise the limit of inflated bytes",
                    category="too_big",
                ),
            )
            return
        yield member


def _members(data: bytes, name: str, limits: Limits, depth: int) -> Iterator[Member]:
    found = False
    first: int | None = 0
    while first is not None:
        try:
            answer = _Asked(data, name, limits).ask(
                "members", kind=kind_of(data, name), first=first
            )
        except DocumentError as error:
            yield Member(name, None, error)
            return
        for inner, content, failure in answer["members"]:
            found = True
            yield from _opened(f"{name}/{inner}", content, failure, limits, depth)
        first = answer["next"]
    if not found:
        nothing = DocumentError(
            f"{name}: holds no document",
            hint=f"documents are {', '.join(SUFFIXES)} files",
            category="unsupported",
        )
        yield Member(name, None, nothing)


def _opened(
    name: str, content: str | None, failure: list[Any] | None, limits: Limits, depth: int
) -> Iterator[Member]:
    if content is None:
        category, message, hint = failure or []
        yield Member(name, None, DocumentError(f"{name}: {message}", hint=hint, category=category))
        return
    data = b64decode(content)
    if kind_of(data, name) not in ("mail", "zip"):
        yield Member(name, data)
    elif depth < _DEPTH:
        yield from _members(data, name, limits, depth + 1)
    else:
        error = DocumentError(
            f"{name}: containers in it are nested deeper than {_DEPTH}",
            hint="unpack it by hand if you trust it",
            category="unsupported",
        )
        yield Member(name, None, error)


def _load(
    source: str | os.PathLike[str] | bytes | BinaryIO, name: str | None, limits: Limits
) -> tuple[bytes, str]:
    """Return the bytes of a source and what to call it."""
    if isinstance(source, bytes):
        data, name = source, name or "bytes"
    elif isinstance(source, str | os.PathLike):
        name = name or os.path.basename(os.fspath(source))
        data = _file_bytes(os.fspath(source), limits.file_bytes + 1)
    else:
        name = name or os.path.basename(str(getattr(source, "name", "file")))
        data = source.read(limits.file_bytes + 1)
    if len(data) > limits.file_bytes:
        raise DocumentError(
            f"{name}: more than {limits.file_bytes} bytes",
            hint="split the document, or raise the limit of bytes",
            category="too_big",
        )
    return data, name


@dataclass(frozen=True, slots=True)
class _Asked:
    """A file that is to be read, and how."""

    data: bytes
    name: str
    limits: Limits
    password: str | None = None
    ocr: Ocr = "never"

    def ask(self, task: str, **request: Any) -> dict[str, Any]:
        """Have a worker process do a task on the file.

        :raises DocumentError: if it cannot, naming the file.
        """
        try:
            if task == "pdf":
                return isolation.worker.read(self.data, self.limits, self.password)
            worker = isolation.ocr_worker if task == "ocr" else isolation.worker
            request |= {"task": task, "password": self.password}
            return worker.ask(self.data, request, self.limits)
        except DocumentError as error:
            raise DocumentError(
                f"{self.name}: {error.message}", hint=error.hint, category=error.category
            ) from error

    @property
    def sha256(self) -> str:
        """Of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


def _read(asked: _Asked) -> Document:
    data, name = asked.data, asked.name
    kind = kind_of(data, name)
    if kind == "pdf":
        return _read_pdf(asked)
    if kind == "image":
        return _read_image(asked)
    if kind in ("mail", "zip"):
        return _read_only_member(asked)
    if kind == "foreign":
        raise DocumentError(
            f"{name}: is {foreign(data, name) or 'of a format'} that has no reader",
            hint="save it as PDF, or as PNG or JPEG if it is an image",
            category="unsupported",
        )
    if kind == "xml":
        return _read_xml(asked)
    return _read_text(asked, kind)


def _file_bytes(path: str, most: int) -> bytes:
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
        return stream.read(most)


def _no_file(path: str) -> DocumentError:
    return DocumentError(
        f"{os.path.basename(path)}: is a folder or a device, not a file",
        hint="give the path of a document",
        category="unsupported",
    )


def _read_only_member(asked: _Asked) -> Document:
    members = list(islice(expand(asked.data, limits=asked.limits, name=asked.name), 2))
    first = members[0]
    if first.error is not None and all(member.error is not None for member in members):
        raise first.error
    if len(members) > 1 or first.data is None:
        raise DocumentError(
            f"{asked.name}: holds several documents",
            hint="use `Extractor.extract_many` or the command `extract`, which read each of them",
            category="unsupported",
        )
    return _read(replace(asked, data=first.data, name=first.name))


# ---------------------------------------------------------------- text


def _read_text(asked: _Asked, kind: Kind) -> Document:
    name, most = asked.name, asked.limits.characters
    text: str | None = None
    plain = False
    if kind in ("text", "unknown") and not name.lower().endswith(".pdf"):
        with suppress(UnicodeDecodeError):
            text, plain = asked.data.decode("utf-8-sig"), True
    if text is None and kind in ("text", "html", "docx"):
        text = str(asked.ask(kind)["text"])
    if text is None or ("\0" in text and kind not in ("html", "docx")):
        raise DocumentError(
            f"{name}: is neither a PDF nor text",
            hint="give a PDF, an image or a text file; convert other formats first",
            category="not_a_pdf",
        )
    if len(text) > most:
        raise DocumentError(
            f"{name}: more than {most} characters",
            hint="split the document, or raise the limit of characters",
            category="too_big",
        )
    document = Document.from_text(text, name)
    if not any(character.isalnum() for character in document.text):
        raise DocumentError(
            f"{name}: holds no text", hint="check that it is the right file", category="no_text"
        )
    return document if plain else replace(document, sha256=asked.sha256)


def _read_xml(asked: _Asked) -> Document:
    content = asked.ask("xml")
    document = Document.from_text(content["text"], asked.name)
    return replace(document, sha256=asked.sha256, einvoice=from_plain(content["einvoice"]))


# ---------------------------------------------------------------- pages


def _read_pdf(asked: _Asked) -> Document:
    if asked.ocr == "always":
        document = _read_pages(asked, "pdf")
        with suppress(DocumentError):
            document = _with_einvoice(document, _read_text_layer(asked)[0])
        return document
    try:
        document, repaired = _read_text_layer(asked)
    except DocumentError as error:
        if error.category != "no_text":
            raise
        if asked.ocr == "never" or not _installed("ocr"):
            raise _unread(f"{asked.name}: no page has a text layer", asked.ocr) from error
        return _read_pages(asked, "pdf")
    if asked.ocr == "never" or not document.unread_pages or not _installed("ocr"):
        return document
    if _readable(document.text):
        read = _read_pages(asked, "pdf", document, repaired=repaired)
        return _with_einvoice(read, document)
    # The e-invoice says what there is to say; OCR may show where it stands.
    with suppress(DocumentError):
        return _with_einvoice(_read_pages(asked, "pdf"), document)
    return document


def _with_einvoice(document: Document, layer: Document) -> Document:
    return replace(document, einvoice=layer.einvoice, einvoice_problem=layer.einvoice_problem)


def _read_image(asked: _Asked) -> Document:
    if asked.ocr == "never" or not _installed("ocr"):
        raise _unread(f"{asked.name}: is an image", asked.ocr)
    return _read_pages(asked, "image")


def _unread(message: str, ocr: Ocr) -> DocumentError:
    hint = (
        "OCR is switched off: allow it with ocr='auto', or --ocr auto"
        if ocr == "never"
        else 'to read it by OCR: pip install "fieldwright[ocr]"'
    )
    return DocumentError(message, hint=hint, category="no_text")


def _read_text_layer(asked: _Asked) -> tuple[Document, bool]:
    """Return the document that the text layer gives, and whether the file had to be repaired."""
    content = asked.ask("pdf")
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
    plain = content.get("einvoice")
    document = Document(
        asked.name,
        content["text"],
        pages,
        asked.sha256,
        tuple(content["unread_pages"]),
        einvoice=None if plain is None else from_plain(plain),
        einvoice_problem=content.get("einvoice_problem", ""),
    )
    return document, content.get("repaired", False)


def _read_pages(
    asked: _Asked, kind: Kind, known: Document | None = None, *, repaired: bool = False
) -> Document:
    """Read pages by OCR; one that cannot be read costs the others nothing.

    :param known: what the text layer gave; only the pages that it lacks are read.
    :param repaired: an empty page of it may have lost its content to the damage.
    """
    most = asked.limits.ocr_pages
    if known is None:
        count = int(asked.ask("count", kind=kind)["count"])
        if count > min(asked.limits.pages, most):
            raise DocumentError(
                f"{asked.name}: {count} pages to be read by OCR, "
                f"limit {min(asked.limits.pages, most)}",
                hint="split the document, or raise the limit of OCR pages",
                category="too_big",
            )
        pages = [(Page(number, 0.0, 0.0, (), 0, 0), "") for number in range(1, count + 1)]
        wanted = list(range(1, count + 1))
    else:
        pages = [known.alone(page) for page in known.pages]
        wanted = list(known.unread_pages)
    unread, failure = set(wanted[most:]), None
    for number in wanted[:most]:
        try:
            pages[number - 1], blank = _read_page(asked, kind, number)
            if not _readable(pages[number - 1][1]) and (repaired or not blank):
                unread.add(number)
        except DocumentError as error:
            unread.add(number)
            failure = error
    document = Document.join(asked.name, pages, asked.sha256)
    if not _readable(document.text):
        raise failure or DocumentError(
            f"{asked.name}: OCR finds no text",
            hint="check that the page is not blank, or scan it again with 200 to 300 dpi",
            category="no_text",
        )
    return replace(document, unread_pages=tuple(sorted(unread)))


def _readable(text: str) -> bool:
    return sum(character.isalnum() for character in text) >= 2


def _read_page(asked: _Asked, kind: Kind, number: int) -> tuple[tuple[Page, str], bool]:
    """Return a page with its own text, and whether it is an empty sheet."""
    content = asked.ask("ocr", kind=kind, page=number)
    words = tuple(
        Word(text, tuple(box), start, end, confidence=confidence)
        for text, box, start, end, confidence in content["words"]
    )
    text = content["text"]
    page = Page(number, content["width"], content["height"], words, 0, len(text))
    return (page, text), content["blank"]
