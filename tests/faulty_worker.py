"""A worker whose reader does what the file says: the faults of `test_isolation`."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from typing import Any

from extractor.document import pdf, readers, worker
from extractor.document.limits import Limits


def sleep() -> None:
    time.sleep(1e6)


def spin() -> None:
    while True:
        pass


def ignore_term() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    spin()


def allocate() -> None:
    kept = []
    while True:
        kept.append(bytearray(1 << 24))


def leave() -> None:
    os._exit(0)


def segfault() -> None:
    ctypes.string_at(1)


def recurse() -> None:
    recurse()


def flood() -> None:
    part = b"\0\0\1\0" + b"x" * (1 << 20)
    for _ in range(1 << 10):
        _say(part)


def promise_much() -> None:
    _say(b"\xff\xff\xff\xff{")
    sleep()


def say_half() -> None:
    _say(b"\0\0\1\0{")
    leave()


def talk_nonsense() -> None:
    _say(b"\0\0\0\4nono")
    sleep()


def answer_another() -> None:
    _say(b'\0\0\0\x16{"id":-1,"content":{}}')
    sleep()


def leave_a_child() -> None:
    if os.fork() == 0:
        sleep()  # holds the pipe of the answers open
    leave()


def _say(part: bytes) -> None:
    # The answers go to a copy of the first stdout.
    for descriptor in range(3, 20):
        try:
            if os.path.realpath(f"/proc/self/fd/{descriptor}").startswith("/proc/"):
                os.write(descriptor, part)
        except OSError:
            continue


FAULTS = {
    fault.__name__.encode(): fault
    for fault in (
        sleep, spin, ignore_term, allocate, leave, segfault, recurse, flood, promise_much,
        say_half, talk_nonsense, answer_another, leave_a_child,
    )
}  # fmt: skip


def read_pdf(data: bytes, limits: Limits, password: str | None, readers: Any) -> dict[str, Any]:
    if fault := FAULTS.get(data):
        fault()
    if data.startswith(b"%PDF-1.0") and "pdfium" in readers:
        segfault()
    return pdf.read_pdf(data, limits, password, readers)


def main(memory_bytes: int) -> None:
    readers.read_pdf = read_pdf
    worker.main(memory_bytes)
