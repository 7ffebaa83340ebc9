"""Documents: what one is, and how a file becomes one.

All but plain UTF-8 is read in a worker process with limits on time and memory (see
`extractor.document.worker`); a file that crashes it costs that file only. OCR has a process of its
own. Importing this package loads no PDF library.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import selectors
import signal
import stat
import struct
import subprocess
import sys
import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from typing import Any, BinaryIO, Literal

from extractor.document.kinds import SUFFIXES, Kind, foreign, kind_of
from extractor.document.model import Bbox, Document, Page, Word
from extractor.errors import DocumentError, MissingExtra

__all__ = [
    "SUFFIXES",
    "Bbox",
    "Document",
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
VERSION = "1"
# How deep containers are opened in containers: a mail in an archive is, an archive in it is not.
_DEPTH = 2
_READERS = {
    "ocr": ("rapidocr", "onnxruntime"),
    "formats": ("selectolax", "python-docx", "charset-normalizer"),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost.

    :param seconds_s: of reading, wall clock.
    :param memory_bytes: address space of the worker process.
    :param pages: of one PDF.
    :param characters: of text.
    :param file_bytes: of the file.
    :param ocr_seconds_s: of reading one page by OCR.
    :param ocr_memory_bytes: address space of the process for OCR.
    :param ocr_pages: of one file that are read by OCR.
    :param image_pixels: of one image.
    :param members: files in one archive or mail.
    :param inflated_bytes: of the files in a container, or the parts of an office file, together.
    """

    seconds_s: float = 30.0
    memory_bytes: int = 2 * 1024**3
    pages: int = 1000
    characters: int = 2_000_000
    file_bytes: int = 100 * 1024**2
    ocr_seconds_s: float = 120.0
    ocr_memory_bytes: int = 3 * 1024**3
    ocr_pages: int = 100
    image_pixels: int = 100_000_000
    members: int = 1000
    inflated_bytes: int = 512 * 1024**2

    def __post_init__(self) -> None:
        """Refuse limits that let nothing through."""
        for name in (field.name for field in fields(self)):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, was: {getattr(self, name)}")
        if self.memory_bytes < 256 * 1024**2:
            raise ValueError("memory_bytes must be at least 256 MiB: the reader itself needs that")


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
    ocr: Ocr = "auto",
) -> Document:
    """Read a file into a document.

    :param source: a path, the bytes of a file, or a file object opened for reading bytes. A mail
        or an archive is read if it holds one document.
    :param name: what to call it; a path names itself.
    :param ocr: `auto` reads pages without a text layer by OCR if it is installed, `always` all
        pages, `never` none.
    :raises DocumentError: with a category, a sentence and a hint, if it gives no text.
    :raises MissingExtra: if OCR must be used and is not installed.
    """
    limits = limits or Limits()
    check_ocr(ocr)
    data, name = _load(source, name, limits)
    return _read(data, name, limits, ocr)


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
            answer = _ask(
                data, name, limits, task="members", kind=kind_of(data, name), first=first,
                members=limits.members, file_bytes=limits.file_bytes,
            )  # fmt: skip
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


def _read(data: bytes, name: str, limits: Limits, ocr: Ocr) -> Document:
    kind = kind_of(data, name)
    if kind == "pdf":
        return _read_pdf(data, name, limits, ocr)
    if kind == "image":
        return _read_image(data, name, limits, ocr)
    if kind in ("mail", "zip"):
        return _read_only_member(data, name, limits, ocr)
    if kind == "foreign":
        raise DocumentError(
            f"{name}: is {foreign(data, name) or 'of a format'} that has no reader",
            hint="save it as PDF, or as PNG or JPEG if it is an image",
            category="unsupported",
        )
    return _read_text(data, name, kind, limits)


def _file_bytes(path: str, most: int) -> bytes:
    try:
        # Opened without blocking: a FIFO without writer would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
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
        raise DocumentError(
            f"{os.path.basename(path)}: is a folder or a device, not a file",
            hint="give a PDF or text file",
            category="unsupported",
        )
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read(most)


def _read_only_member(data: bytes, name: str, limits: Limits, ocr: Ocr) -> Document:
    members = list(islice(expand(data, limits=limits, name=name), 2))
    first = members[0]
    if first.error is not None and all(member.error is not None for member in members):
        raise first.error
    if len(members) > 1 or first.data is None:
        raise DocumentError(
            f"{name}: holds several documents",
            hint="use `Extractor.extract_many` or the command `extract`, which read each of them",
            category="unsupported",
        )
    return _read(first.data, first.name, limits, ocr)


# ---------------------------------------------------------------- text


def _read_text(data: bytes, name: str, kind: Kind, limits: Limits) -> Document:
    sha256: str | None = None
    text: str | None = None
    if kind in ("text", "unknown") and not name.lower().endswith(".pdf"):
        with suppress(UnicodeDecodeError):
            text = data.decode("utf-8-sig")
    if text is None and kind in ("text", "html", "docx"):
        text = _ask(data, name, limits, task=kind, characters=limits.characters,
                    inflated_bytes=limits.inflated_bytes)["text"]  # fmt: skip
        sha256 = hashlib.sha256(data).hexdigest()
    if text is None or ("\0" in text and kind not in ("html", "docx")):
        raise DocumentError(
            f"{name}: is neither a PDF nor text",
            hint="give a PDF, an image or a text file; convert other formats first",
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
    return document if sha256 is None else replace(document, sha256=sha256)


# ---------------------------------------------------------------- pages


def _read_pdf(data: bytes, name: str, limits: Limits, ocr: Ocr) -> Document:
    if ocr == "always":
        return _read_pages(data, name, limits, kind="pdf")
    try:
        document = _read_text_layer(data, name, limits)
    except DocumentError as error:
        if error.category != "no_text":
            raise
        if ocr == "never" or not _installed("ocr"):
            raise _unread(f"{name}: no page has a text layer", ocr) from error
        return _read_pages(data, name, limits, kind="pdf")
    if document.unread_pages and ocr == "auto" and _installed("ocr"):
        return _read_pages(data, name, limits, kind="pdf", known=document)
    return document


def _read_image(data: bytes, name: str, limits: Limits, ocr: Ocr) -> Document:
    if ocr == "never" or not _installed("ocr"):
        raise _unread(f"{name}: is an image", ocr)
    return _read_pages(data, name, limits, kind="image")


def _unread(message: str, ocr: Ocr) -> DocumentError:
    hint = (
        "OCR is switched off: allow it with ocr='auto', or --ocr auto"
        if ocr == "never"
        else 'to read it by OCR: pip install "fieldwright[ocr]"'
    )
    return DocumentError(message, hint=hint, category="no_text")


def _read_text_layer(data: bytes, name: str, limits: Limits) -> Document:
    content = _ask(data, name, limits, task="pdf", pages=limits.pages, characters=limits.characters)
    pages = tuple(
        Page(
            number,
            width,
            height,
            tuple(Word(text, tuple(box), begin, stop) for text, box, begin, stop in words),
            start,
            end,
        )
        for number, (width, height, start, end, words) in enumerate(content["pages"], start=1)
    )
    sha256 = hashlib.sha256(data).hexdigest()
    return Document(name, content["text"], pages, sha256, tuple(content["unread_pages"]))


def _read_pages(
    data: bytes, name: str, limits: Limits, *, kind: Kind, known: Document | None = None
) -> Document:
    """Read pages by OCR; one that cannot be read costs the others nothing.

    :param known: what the text layer gave; only the pages that it lacks are read.
    """
    if known is None:
        count = int(
            _ask(
                data, name, limits, task="count", kind=kind, image_pixels=limits.image_pixels
            )["count"]
        )  # fmt: skip
        if count > min(limits.pages, limits.ocr_pages):
            raise DocumentError(
                f"{name}: {count} pages to be read by OCR, "
                f"limit {min(limits.pages, limits.ocr_pages)}",
                hint="split the document, or raise the limit of OCR pages",
                category="too_big",
            )
        pages = [(Page(number, 0.0, 0.0, (), 0, 0), "") for number in range(1, count + 1)]
        wanted = list(range(1, count + 1))
    else:
        pages = [known.alone(page) for page in known.pages]
        wanted = list(known.unread_pages)
    unread, failure = set(wanted[limits.ocr_pages :]), None
    for number in wanted[: limits.ocr_pages]:
        try:
            pages[number - 1], blank = _read_page(data, name, limits, kind, number)
            if not blank and not _readable(pages[number - 1][1]):
                unread.add(number)
        except DocumentError as error:
            unread.add(number)
            failure = error
    document = Document.join(name, pages, hashlib.sha256(data).hexdigest())
    if not _readable(document.text):
        raise failure or DocumentError(
            f"{name}: OCR finds no text",
            hint="check that the page is not blank, or scan it again with 200 to 300 dpi",
            category="no_text",
        )
    return replace(document, unread_pages=tuple(sorted(unread)))


def _readable(text: str) -> bool:
    return sum(character.isalnum() for character in text) >= 2


def _read_page(
    data: bytes, name: str, limits: Limits, kind: Kind, number: int
) -> tuple[tuple[Page, str], bool]:
    """Return a page with its own text, and whether it is an empty sheet."""
    content = _ask(
        data, name, limits, task="ocr", kind=kind, page=number, image_pixels=limits.image_pixels
    )
    words = tuple(
        Word(text, tuple(box), start, end, confidence=confidence)
        for text, box, start, end, confidence in content["words"]
    )
    text = content["text"]
    page = Page(number, content["width"], content["height"], words, 0, len(text))
    return (page, text), content["blank"]


def _ask(data: bytes, name: str, limits: Limits, *, task: str, **request: Any) -> dict[str, Any]:
    """Have a worker process do a task on a file.

    :raises DocumentError: if it cannot, naming the file.
    """
    if task == "ocr":
        answer = _ocr_worker.ask(
            data, {"task": task, **request}, limits.ocr_seconds_s, limits.ocr_memory_bytes
        )
    else:
        answer = _worker.ask(data, {"task": task, **request}, limits.seconds_s, limits.memory_bytes)
    if "error" in answer:
        category, message, hint = answer["error"]
        raise DocumentError(f"{name}: {message}", hint=hint, category=category)
    content: dict[str, Any] = answer["content"]
    return content


class _Worker:
    """One reading process, kept from file to file and replaced when it dies."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._started_for: tuple[int, int] | None = None

    def ask(
        self, data: bytes, request: dict[str, Any], seconds_s: float, memory_bytes: int
    ) -> dict[str, Any]:
        with self._lock:
            process = self._running(memory_bytes)
            try:
                return _exchange(process, data, request, seconds_s)
            except TimeoutError:
                self.stop()
                return {
                    "error": ["too_big", f"reading it takes more than {seconds_s:g} s",
                              "split the document, or raise the limit of seconds"]
                }  # fmt: skip
            except (OSError, EOFError, ValueError):
                self.stop()
                return {
                    "error": ["broken", "the file crashes its reader or exceeds its memory",
                              "ask for the file again, or open and save it in a PDF viewer"]
                }  # fmt: skip

    def _running(self, memory_bytes: int) -> subprocess.Popen[bytes]:
        # A fork of this process must not share the pipe of its parent's worker.
        key = (os.getpid(), memory_bytes)
        if self._process is not None and self._started_for != key:
            if self._started_for is not None and self._started_for[0] == os.getpid():
                self.stop()
            self._process = None
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self._process = _start(memory_bytes)
            self._started_for = key
        return self._process

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def _start(memory_bytes: int) -> subprocess.Popen[bytes]:
    # The child finds the package where this process found it, and never in the working folder.
    code = (
        "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
        "from extractor.document.worker import main; main(int(sys.argv[2]))"
    )
    paths = json.dumps([os.path.abspath(path or os.curdir) for path in sys.path])
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code, paths, str(memory_bytes)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _exchange(
    process: subprocess.Popen[bytes], data: bytes, request: dict[str, Any], seconds_s: float
) -> dict[str, Any]:
    """Send one file and wait for the answer.

    :raises TimeoutError: after `seconds_s`.
    :raises EOFError: if the worker died.
    """
    assert process.stdin is not None and process.stdout is not None
    deadline_s = time.monotonic() + seconds_s
    body = json.dumps({**request, "size": len(data)}).encode()
    outgoing = memoryview(struct.pack(">I", len(body)) + body + data)
    incoming = bytearray()
    os.set_blocking(process.stdin.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdin, selectors.EVENT_WRITE)
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            for key, _ in selector.select(left_s):
                if key.fileobj is process.stdin:
                    sent = os.write(process.stdin.fileno(), outgoing[: 1 << 16])
                    outgoing = outgoing[sent:]
                    if not outgoing:
                        selector.unregister(process.stdin)
                    continue
                part = os.read(process.stdout.fileno(), 1 << 20)
                if not part:
                    raise EOFError
                incoming += part
            if len(incoming) >= 4:
                (size,) = struct.unpack(">I", incoming[:4])
                if len(incoming) >= 4 + size:
                    answer: dict[str, Any] = json.loads(incoming[4 : 4 + size])
                    return answer


_worker = _Worker()
_ocr_worker = _Worker()
atexit.register(_worker.stop)
atexit.register(_ocr_worker.stop)
