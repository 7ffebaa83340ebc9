"""Hostile files through the whole path of a batch: one line each, right category, right text.

    python -m benchmarks.hostile CORPUS

CORPUS has `documents/` and `expected.jsonl` with `file`, `category` (accepted ones; `readable` for
a record), `contains` and `absent` (strings of the text, white space made one), `form` (values that
the text must have), `password`, and `stage_as`, a name to copy the file to. The model is left out:
a canned engine answers. Exits 1 if a file fails its line.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from extractor import Extractor, batch, document
from extractor.document import Document, Limits, isolation
from extractor.errors import DocumentError
from extractor.fields import Identifier
from extractor.pipeline import Extraction
from extractor.testing import CannedEngine

LIMITS = Limits(seconds_s=30, memory_bytes=2 * 1024**3)
_MARK = "FIELDWRIGHT_BENCHMARK"


class Anything(BaseModel):
    number: Identifier | None = None


class Recorder:
    """An extractor that keeps the text of each document and the time that reading took."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._extractor = Extractor(Anything, engine=CannedEngine({}))
        self.schema, self.identity = self._extractor.schema, self._extractor.identity
        self.texts: dict[str, str] = {}
        self.seconds_s: dict[str, float] = {}

    def read(
        self, source: Any, *, name: str | None = None, password: str | None = None
    ) -> Document:
        started_s = time.perf_counter()
        try:
            read = document.read(source, limits=self._limits, name=name, password=password)
        finally:
            self.seconds_s[Path(source).name] = time.perf_counter() - started_s
        self.texts[Path(source).name] = read.text
        return read

    def extract(self, source: Any) -> Extraction[Anything]:
        return self._extractor.extract(source)


def wrong(case: dict[str, Any], answer: str, text: str) -> list[str]:
    """Return what an answer has against what is expected of its file."""
    accepted = case["category"] if isinstance(case["category"], list) else [case["category"]]
    found = [] if answer in accepted else [f"{answer}, not {' or '.join(accepted)}"]
    text = " ".join(text.split())
    if answer == "readable":
        wanted = [*case["contains"], *case.get("form", {}).values()]
        found += [f"lacks {part!r}" for part in wanted if " ".join(part.split()) not in text]
    return found + [f"has {part!r}" for part in case.get("absent", []) if part in text]


def opened(path: Path, password: str) -> str:
    """Return how a file answers that is given its password."""
    try:
        return "" if len(document.read(path, password=password).text) > 20 else "no text"
    except DocumentError as error:
        return str(error)


def left_processes(mark: str) -> list[int]:
    """Return the processes, this one apart, that inherited a mark in their environment."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            marked = f"{_MARK}={mark}".encode() in (place / "environ").read_bytes()
            ended = (place / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            continue
        if marked and not ended and int(place.name) != os.getpid():
            found.append(int(place.name))
    return found


def main() -> None:
    """Print a table and what is wrong."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("corpus", type=Path)
    given = parser.parse_args()
    corpus = given.corpus
    mark = os.environ[_MARK] = uuid.uuid4().hex
    cases = [json.loads(line) for line in (corpus / "expected.jsonl").read_text().splitlines()]
    recorder = Recorder(LIMITS)
    with tempfile.TemporaryDirectory() as folder:
        inbox = Path(folder, "inbox")
        inbox.mkdir()
        for case in cases:
            shutil.copy(
                corpus / "documents" / case["file"], inbox / case.get("stage_as", case["file"])
            )
        output = Path(folder, "records.jsonl")
        summary = batch.run(batch.inputs([inbox]), recorder, output)
        lines = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
        locked = {
            case["file"]: message
            for case in cases
            if "password" in case and (message := opened(inbox / case["file"], case["password"]))
        }
    isolation.worker.stop()
    isolation.ocr_worker.stop()
    by_name = {os.path.basename(line["input"]): line for line in lines}
    failures: dict[str, list[str]] = {}
    categories: dict[str, int] = {}
    for case in cases:
        name = case.get("stage_as", case["file"])
        line = by_name.get(name)
        answer = "missing line"
        if line is not None:
            answer = line["error"]["category"] if line["error"] else "readable"
        categories[answer] = categories.get(answer, 0) + 1
        if found := wrong(case, answer, recorder.texts.get(name, "")):
            failures[case["file"]] = found
    right = len(cases) - len(failures)
    slowest = max(recorder.seconds_s, key=lambda name: recorder.seconds_s[name])
    print("| what | figure |\n|---|---|")
    print(f"| files, lines | {len(cases)}, {len(lines)} |")
    print(f"| as expected | {right} ({right / len(cases):.1%}) |")
    for category, count in sorted(categories.items()):
        print(f"| {category} | {count} |")
    print(f"| failed lines, as the batch counts them | {summary.failed} |")
    print(f"| encrypted files that their password does not open | {len(locked)} |")
    print(f"| processes left | {len(left_processes(mark))} |")
    print(f"| seconds, slowest | {recorder.seconds_s[slowest]:.1f} ({slowest!r}) |")
    print(f"| seconds, all | {sum(recorder.seconds_s.values()):.1f} |\n")
    for name, found in failures.items():
        print(f"- {name!r}: {'; '.join(found)}")
    for name, message in locked.items():
        print(f"- {name!r} with its password: {message}")
    sys.exit(bool(failures or locked or len(lines) != len(cases)))


if __name__ == "__main__":
    main()
