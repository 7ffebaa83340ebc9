"""How untrusted files are kept apart: one process opens them, this one only watches it.

The worker is kept from file to file and replaced when it dies, is late, or breaks the protocol: a
length of four bytes, big endian, then JSON. Nothing that it says is believed beyond that. What is
left of it, such as a process that a reader started, is ended with it: they share a process group.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import signal
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from typing import Any, get_args

from extractor.document.limits import Limits
from extractor.document.pdf import READERS
from extractor.errors import Category, DocumentError

# A worker that was ended by its own fault and not from outside.
_CRASHES = {signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE,
            signal.SIGTRAP, signal.SIGSYS}  # fmt: skip
# How long a worker's end may go unseen while another process holds its pipe open.
_POLL_S = 0.1
_TRIES = 3
_HEAD = struct.Struct(">I")


class Worker:
    """One reading process for all files of this process; threads take turns.

    :param patient: for OCR, which has limits of its own.
    :param module: has `main(memory_bytes)`, which answers requests on stdin; see
        `extractor.document.worker`.
    """

    def __init__(self, module: str = "extractor.document.worker", *, patient: bool = False) -> None:
        self._module = module
        self._patient = patient
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._started_for: tuple[int, int] | None = None
        self._asked = 0

    def read(self, data: bytes, limits: Limits, password: str | None = None) -> dict[str, Any]:
        """Have a PDF read.

        A reader that crashes on it is left out and the others are asked.

        :returns: what `extractor.document.pdf.read_pdf` returns.
        :raises DocumentError: if it gives no text, or costs more than its limits.
        """
        request = {"task": "pdf", "password": password}
        return self._ask(data, request, limits, READERS)

    def ask(self, data: bytes, request: dict[str, Any], limits: Limits) -> dict[str, Any]:
        """Have something else done with a file.

        :param request: `task` and what it needs, see `extractor.document.readers`.
        :raises DocumentError: if the file does not give it, or costs more than its limits.
        """
        return self._ask(data, request, limits, ())

    def _ask(
        self, data: bytes, request: dict[str, Any], limits: Limits, readers: tuple[str, ...]
    ) -> dict[str, Any]:
        """Ask, and ask again where the worker was ended from outside, or another reader is left."""
        seconds_s = limits.ocr_seconds_s if self._patient else limits.seconds_s
        with self._lock:
            deadline_s = time.monotonic() + seconds_s
            for _ in range(_TRIES):
                try:
                    asked = {**request, "readers": readers}
                    return self._content(self._exchange(asked, data, limits, deadline_s))
                except TimeoutError:
                    self.stop()
                    raise DocumentError(
                        f"reading it takes more than {seconds_s:g} s",
                        hint="split the document, or raise the limit of seconds",
                        category="too_big",
                    ) from None
                except (OSError, EOFError, ValueError, LookupError, TypeError):
                    if self._crashed():
                        if READERS[0] not in readers:
                            break
                        readers = READERS[1:]
        raise DocumentError(
            "the file crashes its reader or exceeds its memory",
            hint="ask for the file again, or open it and save it anew",
            category="broken",
        )

    def stop(self) -> None:
        """End the worker and whatever it started."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _crashed(self) -> bool:
        """End the worker; say whether it died of its own fault, which takes it a moment."""
        process = self._process
        if process is not None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_POLL_S)
        self.stop()
        return process is not None and -process.returncode in _CRASHES

    def _running(self, memory_bytes: int) -> subprocess.Popen[bytes]:
        key = (os.getpid(), memory_bytes)
        if self._process is not None and self._started_for != key:
            # A fork of this process must not share, nor end, the worker of its parent.
            if self._started_for is not None and self._started_for[0] == os.getpid():
                self.stop()
            self._process = None
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self._process = self._start(memory_bytes)
            self._started_for = key
        return self._process

    def _start(self, memory_bytes: int) -> subprocess.Popen[bytes]:
        # The child finds the package where this process found it, and never in the working folder.
        code = (
            "import sys, json, importlib; sys.path[:] = json.loads(sys.argv[1]); "
            "importlib.import_module(sys.argv[2]).main(int(sys.argv[3]))"
        )
        paths = json.dumps([os.path.abspath(path or os.curdir) for path in sys.path])
        return subprocess.Popen(
            [sys.executable, "-P", "-c", code, paths, self._module, str(memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _content(self, answer: dict[str, Any]) -> dict[str, Any]:
        if answer.get("worn"):
            # Memory that ran out once is in pieces: the next file gets a fresh process.
            self.stop()
        if "error" not in answer:
            content: dict[str, Any] = answer["content"]
            return content
        category, message, hint = map(str, answer["error"])
        if category not in get_args(Category):
            raise ValueError("the worker names an unknown category")
        raise DocumentError(message, hint=hint, category=category)  # type: ignore[arg-type]

    def _exchange(
        self, request: dict[str, Any], data: bytes, limits: Limits, deadline_s: float
    ) -> dict[str, Any]:
        """Send one file and wait for the answer.

        :raises TimeoutError: after the deadline.
        :raises EOFError: if the worker died.
        :raises ValueError: if it says what it must not, or too much.
        """
        seconds_s = max(0.0, deadline_s - time.monotonic())
        most = limits.member_bytes if request["task"] == "members" else limits.answer_bytes
        process = self._running(limits.ocr_memory_bytes if self._patient else limits.memory_bytes)
        assert process.stdin is not None and process.stdout is not None
        self._asked += 1
        head = {"id": self._asked, "size": len(data), "limits": asdict(limits)}
        head |= {"seconds_s": seconds_s, "answer_bytes": most}
        body = json.dumps({**request, **head}).encode()
        outgoing = memoryview(_HEAD.pack(len(body)) + body + data)
        incoming = bytearray()
        os.set_blocking(process.stdin.fileno(), False)
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdin, selectors.EVENT_WRITE)
            selector.register(process.stdout, selectors.EVENT_READ)
            while not _is_whole(incoming, most):
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    raise TimeoutError
                ready = selector.select(min(left_s, _POLL_S))
                if not ready and process.poll() is not None:
                    raise EOFError
                for key, _ in ready:
                    if key.fileobj is process.stdout:
                        if not (part := os.read(process.stdout.fileno(), 1 << 20)):
                            raise EOFError
                        incoming += part
                        continue
                    outgoing = outgoing[os.write(process.stdin.fileno(), outgoing[: 1 << 16]) :]
                    if not outgoing:
                        selector.unregister(process.stdin)
        answer: dict[str, Any] = json.loads(incoming[_HEAD.size :])
        if answer["id"] != self._asked:
            raise ValueError("an answer to another request")
        return answer


def _is_whole(incoming: bytearray, most: int) -> bool:
    if len(incoming) < _HEAD.size:
        return False
    size: int = _HEAD.unpack_from(incoming)[0]
    if size > most or len(incoming) > _HEAD.size + size:
        raise ValueError("more than one answer may have")
    return len(incoming) == _HEAD.size + size


worker = Worker()
"""Of this process; started by the first file that needs it."""
ocr_worker = Worker(patient=True)
"""The same for OCR, which takes seconds to load and a gigabyte."""
atexit.register(worker.stop)
atexit.register(ocr_worker.stop)
