"""A folder of documents to one line per document, however the run ends.

The journal is the result in the making: a JSONL file to which each finished document is appended
and synced, so a killed run loses the document it was reading and no other. Each line carries a key
over the file's bytes and everything else its record depends on; a later run takes over the lines
whose keys still hold and reads the rest. When all are done the output is written anew, in the
order of the inputs, and replaces the old one in a single step.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from extractor import export
from extractor.errors import DocumentError, ExtractorError, OutputError
from extractor.export import as_text
from extractor.pipeline import Extraction
from extractor.schema import AnySchema

SUFFIXES = (".pdf", ".txt", ".md", ".text")
Line = dict[str, Any]
Progress = Callable[[int, int], None]
"""Called with (inputs done, inputs in all)."""


class Reader(Protocol):
    """What the batch needs of an extractor."""

    @property
    def schema(self) -> AnySchema:
        """The schema of the records."""
        ...

    @property
    def identity(self) -> dict[str, str]:
        """Everything but the document that a record depends on."""
        ...

    def extract(self, source: Any, *, name: str | None = None) -> Extraction[Any]:
        """Read one document."""
        ...


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """What a run did.

    :param read: documents read in this run, failures included.
    :param kept: documents whose line of an earlier run still holds.
    :param failed: documents, of both, that gave no record.
    """

    read: int
    kept: int
    failed: int


def inputs(paths: Sequence[str | os.PathLike[str]], *, recursive: bool = False) -> list[str]:
    """Return the files to read: files as given, of folders those with a known suffix, sorted.

    A path that does not exist is an input, which then fails and says so.
    """
    found: dict[str, None] = {}
    for path in map(str, paths):
        if os.path.isdir(path):
            for file in sorted(_files(path, recursive)):
                found[file] = None
        else:
            found[path] = None
    return list(found)


def _files(folder: str, recursive: bool) -> Iterator[str]:
    for place, folders, files in os.walk(folder, followlinks=False):
        # A folder that is named like a document is one input, which fails and says so.
        for name in [*files, *(name for name in folders if name.lower().endswith(".pdf"))]:
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield os.path.join(place, name)
        folders[:] = sorted(f for f in folders if not f.lower().endswith(".pdf")) * recursive


def run(
    files: Sequence[str],
    extractor: Reader,
    output: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
) -> BatchSummary:
    """Read files into an output, resuming where an earlier run stood.

    :param output: ends in .jsonl, .csv, .xlsx or .parquet.
    :raises OutputError: if the output cannot be written; an older one is then as it was.
    """
    target = Path(output)
    export.check(target)
    with _journal(target) as journal:
        lines = _lines_that_hold(journal)
        done: list[Line] = []
        read = failed = 0
        for index, file in enumerate(files):
            if progress is not None:
                progress(index, len(files))
            key = _key(file, extractor.identity)
            line = lines.get(key)
            if line is None:
                line = {**line_of(file, extractor), "key": key}
                _append(journal, line, target)
                read += 1
            failed += line["status"] == "failed"
            done.append(line)
        if progress is not None:
            progress(len(files), len(files))
        _write(target, done, extractor.schema)
        if len(lines) + read > len(done):
            # What the journal holds of changed or vanished documents is of no more use.
            _rewrite(journal, done, target)
    return BatchSummary(read=read, kept=len(files) - read, failed=failed)


def stream(files: Sequence[str], extractor: Reader, out: IO[str]) -> BatchSummary:
    """Read files and write each line as soon as it is there; nothing is kept between runs."""
    failed = 0
    for file in files:
        line = {**line_of(file, extractor), "key": _key(file, extractor.identity)}
        failed += line["status"] == "failed"
        out.write(as_text(line) + "\n")
        out.flush()
    return BatchSummary(read=len(files), kept=0, failed=failed)


def line_of(file: str, extractor: Reader) -> Line:
    """Return one input's line; whatever goes wrong with the document is in its `error`."""
    try:
        return {"input": shown(file), **_fields(extractor.extract(Path(file)), extractor.schema)}
    except ExtractorError as error:
        category = error.category if isinstance(error, DocumentError) else "internal"
        return _failure(file, category, error.message, error.hint)
    except Exception as error:  # one document must not cost the others their line
        message = f"{type(error).__name__} while reading the document"
        return _failure(file, "internal", message, "please report this, with the file if you may")


def _fields(extraction: Extraction[Any], schema: AnySchema) -> Line:
    record = extraction.record
    return {
        "status": extraction.status,
        "record": None if record is None else json.loads(schema.dump(extraction.values)),
        "values": json.loads(schema.dump(extraction.values)),
        "missing": list(extraction.missing),
        "fields": {
            path: {
                "printed": result.printed,
                "evidence": asdict(result.evidence),
                "probability": None if result.probability is None else round(result.probability, 6),
            }
            for path, result in extraction.fields.items()
        },
        "warnings": [asdict(warning) for warning in extraction.warnings],
        "usage": extraction.usage,
        "error": None,
    }


def _failure(file: str, category: str, message: str, hint: str) -> Line:
    return {
        "input": shown(file),
        "status": "failed",
        "record": None,
        "values": None,
        "missing": [],
        "fields": {},
        "warnings": [],
        "usage": {},
        "error": {"category": category, "message": message, "hint": hint},
    }


def shown(file: str) -> str:
    """Return a path as valid Unicode; bytes that are not UTF-8 become backslash escapes."""
    return os.fsencode(file).decode("utf-8", "backslashreplace")


def _key(file: str, identity: dict[str, str]) -> str:
    """Identify an input, its content and all that its record depends on."""
    total = hashlib.sha256(os.fsencode(file) + b"\0")
    total.update(json.dumps(identity, sort_keys=True).encode())
    try:
        if stat.S_ISREG(os.stat(file).st_mode):
            with open(file, "rb") as content:
                total.update(hashlib.file_digest(content, "sha256").digest())
    except OSError as error:
        total.update(f"unreadable {error.errno}".encode())
    return total.hexdigest()


# ---------------------------------------------------------------- journal and output


@contextmanager
def _journal(target: Path) -> Iterator[IO[bytes]]:
    """Open the journal beside an output, alone."""
    path = target.with_name(f".{target.name}.journal")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        journal = path.open("a+b")
    except OSError as error:
        raise _cannot_write(target, error) from error
    with journal:
        try:
            fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                f"{target}: another run is writing it", hint="wait for it, or name another output"
            ) from error
        yield journal


def _lines_that_hold(journal: IO[bytes]) -> dict[str, Line]:
    """Read the journal; a last line that a kill cut in two is cut off."""
    journal.seek(0)
    found: dict[str, Line] = {}
    good = 0
    for raw in journal:
        try:
            line = json.loads(raw)
        except ValueError:
            break
        if not raw.endswith(b"\n"):
            break
        good += len(raw)
        found[line["key"]] = line
    journal.truncate(good)
    journal.seek(0, os.SEEK_END)
    return found


def _append(journal: IO[bytes], line: Line, target: Path) -> None:
    try:
        journal.write(as_text(line).encode() + b"\n")
        journal.flush()
        os.fsync(journal.fileno())
    except OSError as error:
        raise _cannot_write(target, error) from error


def _rewrite(journal: IO[bytes], lines: Sequence[Line], target: Path) -> None:
    """Drop outdated lines; rewriting in place is safe because the output is complete by now."""
    text = b"".join(as_text(line).encode() + b"\n" for line in lines)
    try:
        journal.truncate(0)
        journal.write(text)
        journal.flush()
        os.fsync(journal.fileno())
    except OSError as error:
        raise _cannot_write(target, error) from error


def _write(target: Path, lines: Sequence[Line], schema: AnySchema) -> None:
    """Replace the output and the files beside it, each whole or not at all."""
    with _staging(target) as folder:
        try:
            for part in export.write(folder / target.name, lines, schema):
                with part.open("rb") as written:
                    os.fsync(written.fileno())
                part.replace(target.with_name(part.name))
        except OSError as error:
            raise _cannot_write(target, error) from error


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """Give a folder beside the output; what a killed run left in it goes first."""
    folder = target.with_name(f".{target.name}.writing")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir()
    except OSError as error:
        raise _cannot_write(target, error) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _cannot_write(target: Path, error: OSError) -> OutputError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutputError(
            f"{target}: the disk is full", hint="make room and run the same command again"
        )
    return OutputError(
        f"{target}: cannot be written ({error.strerror})",
        hint="check the folder and its permissions, or name another output",
    )
