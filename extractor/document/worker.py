"""The process that opens untrusted files: some abort a reader, hang it or fill the memory.

Requests and answers are length-prefixed JSON, so nothing that a document says is ever executed.
A request holds `id`, `size`, `task`, `limits`, `seconds_s`, `answer_bytes` and what the task needs,
and is followed by the bytes of the file; the answer has the same id. Passwords come this way too:
the arguments and the environment of a process can be seen by others.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import struct
import sys
from typing import Any, BinaryIO

from extractor.document.limits import Limits
from extractor.document.readers import read
from extractor.errors import DocumentError

# The parent ends a late worker; this is for a parent that is gone.
_GRACE_S = 2.0


def main(memory_bytes: int) -> None:
    """Answer requests on stdin until it is closed."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # What a reader prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    requests = sys.stdin.buffer
    while (request := receive(requests)) is not None:
        limits = Limits(**request["limits"])
        signal.setitimer(signal.ITIMER_REAL, request["seconds_s"] + _GRACE_S)
        data = requests.read(request["size"])
        answer = _answer(data, limits, request)
        # The models of OCR alone fill a third of what it may have.
        share = 2 if request["task"] == "ocr" else 1
        worn = _held_bytes() > share * memory_bytes // 3
        send(answers, {**answer, "id": request["id"], "worn": worn}, request["answer_bytes"])
        signal.setitimer(signal.ITIMER_REAL, 0)


def _held_bytes() -> int:
    """Return the memory that stays in use after a file, which must not add up from file to file.

    `ru_maxrss` would not do: it begins with the size of the process that started this one.
    """
    try:
        with open("/proc/self/statm", "rb") as sizes:
            return int(sizes.read().split()[1]) * resource.getpagesize()
    except OSError:  # no Linux
        return 0


def _answer(data: bytes, limits: Limits, request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"content": read(data, limits, request)}
    except DocumentError as error:
        return {"error": [error.category, error.message, error.hint]}
    except MemoryError:
        return {
            "error": ["too_big", "reading it takes more memory than the limit",
                      "split the document, or raise the limit of memory"]
        }  # fmt: skip
    except Exception as error:  # readers raise anything on hostile files; the parent types it
        return {
            "error": ["broken", f"the file cannot be read ({type(error).__name__})",
                      "ask for the file again, or open and save it in a PDF viewer"]
        }  # fmt: skip


def send(stream: BinaryIO, message: dict[str, Any], most_bytes: int) -> None:
    """Write one message: four bytes of length, big endian, then JSON.

    What is longer than the parent takes becomes an error.
    """
    body = json.dumps(message).encode()
    if len(body) > most_bytes:
        error = ["too_big", "its words are more than the limit of characters allows for",
                 "split the document, or raise the limit of characters"]  # fmt: skip
        body = json.dumps({"error": error, "id": message["id"], "worn": True}).encode()
    stream.write(struct.pack(">I", len(body)) + body)
    stream.flush()


def receive(stream: BinaryIO) -> dict[str, Any] | None:
    """Read one message; None at the end of the stream."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    message: dict[str, Any] = json.loads(stream.read(struct.unpack(">I", head)[0]))
    return message
