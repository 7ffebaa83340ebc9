"""The process that opens untrusted files: some abort a reader, hang it or fill the memory.

Requests and answers are length-prefixed JSON, so nothing that a document says is ever executed.
A request is `{"size": n, "task": ..., limits}` followed by n bytes of the file.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
from typing import Any, BinaryIO

from extractor.document.readers import read
from extractor.errors import DocumentError


def main(memory_bytes: int) -> None:
    """Answer requests on stdin until it is closed."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What a reader prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    requests = sys.stdin.buffer
    while (request := receive(requests)) is not None:
        data = requests.read(request["size"])
        send(answers, _answer(data, request))


def _answer(data: bytes, request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"content": read(data, request)}
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


def send(stream: BinaryIO, message: dict[str, Any]) -> None:
    """Write one message: four bytes of length, big endian, then JSON."""
    body = json.dumps(message).encode()
    stream.write(struct.pack(">I", len(body)) + body)
    stream.flush()


def receive(stream: BinaryIO) -> dict[str, Any] | None:
    """Read one message; None at the end of the stream."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    message: dict[str, Any] = json.loads(stream.read(struct.unpack(">I", head)[0]))
    return message
