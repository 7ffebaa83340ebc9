"""Documents: what one is, and how a file becomes one.

PDFs are read in a worker process with limits on time and memory (see `extractor.document.worker`);
a file that crashes it costs that file only. Importing this package loads no PDF library.
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
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from extractor.document.model import Bbox, Document, Page, Word
from extractor.errors import DocumentError

__all__ = ["Bbox", "Document", "Limits", "Page", "Word", "read"]

# Of the way in which files become text. An adapter learned from one way serves no other as well, so
# each change of a document's text needs a new number.
VERSION = "1"
_TEXT = (".txt", ".md", ".text")
_PDF = b"%PDF-"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost.

    :param seconds_s: of reading, wall clock.
    :param memory_bytes: address space of the worker process.
    :param pages: of one PDF.
    :param characters: of text.
    :param file_bytes: of the file.
    """

    seconds_s: float = 30.0
    memory_bytes: int = 2 * 1024**3
    pages: int = 1000
    characters: int = 2_000_000
    file_bytes: int = 100 * 1024**2

    def __post_init__(self) -> None:
        """Refuse limits that let nothing through."""
        for name in ("seconds_s", "memory_bytes", "pages", "characters", "file_bytes"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, was: {getattr(self, name)}")
        if self.memory_bytes < 256 * 1024**2:
            raise ValueError("memory_bytes must be at least 256 MiB: the reader itself needs that")


def read(
    source: str | os.PathLike[str] | bytes | BinaryIO,
    *,
    limits: Limits | None = None,
    name: str | None = None,
) -> Document:
    """Read a file into a document.

    :param source: a path, the bytes of a file, or a file object opened for reading bytes.
    :param name: what to call it; a path names itself.
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
        return _read_pdf(data, name, limits)
    return _read_text(data, name, limits)


def _is_pdf(data: bytes, name: str) -> bool:
    """Tell a PDF, before which readers allow other bytes, from a text that speaks of PDFs."""
    if name.lower().endswith(_TEXT):
        return data.startswith(_PDF)
    return _PDF in data[:1024]


def _file_bytes(path: str, limits: Limits) -> bytes:
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
        return stream.read(limits.file_bytes + 1)


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


def _read_pdf(data: bytes, name: str, limits: Limits) -> Document:
    answer = _worker.ask(data, limits)
    if "error" in answer:
        category, message, hint = answer["error"]
        raise DocumentError(f"{name}: {message}", hint=hint, category=category)
    content = answer["content"]
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


class _Worker:
    """One reading process, kept from file to file and replaced when it dies."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._started_for: tuple[int, int] | None = None

    def ask(self, data: bytes, limits: Limits) -> dict[str, Any]:
        with self._lock:
            process = self._running(limits.memory_bytes)
            try:
                return _exchange(process, data, limits)
            except TimeoutError:
                self.stop()
                return {
                    "error": ["too_big", f"reading it takes more than {limits.seconds_s:g} s",
                              "split the document, or raise the limit of seconds"]
                }  # fmt: skip
            except (OSError, EOFError, ValueError):
                self.stop()
                return {
                    "error": ["broken", "the file crashes the PDF reader or exceeds its memory",
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


def _exchange(process: subprocess.Popen[bytes], data: bytes, limits: Limits) -> dict[str, Any]:
    """Send one file and wait for the answer.

    :raises TimeoutError: after `limits.seconds_s`.
    :raises EOFError: if the worker died.
    """
    assert process.stdin is not None and process.stdout is not None
    deadline_s = time.monotonic() + limits.seconds_s
    request = {"size": len(data), "pages": limits.pages, "characters": limits.characters}
    body = json.dumps(request).encode()
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
atexit.register(_worker.stop)
