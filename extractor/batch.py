"""A folder of documents to one line per document, however the run ends.

The journal is the result in the making: a JSONL file to which each finished document is appended
and synced, so a killed run loses the document it was reading and no other. Each line carries a key
over the file's bytes and everything else its record depends on; a later run takes over the lines
whose keys still hold and reads the rest. When all are done the output is written anew, in the
order of the inputs, and replaces the old one in a single step. `records.jsonl` and `records.xlsx`
share a journal, `.records.journal`, so a second format costs no second reading.

A mail or an archive is opened, and each document in it is an input of its own, named
`mail.eml/invoice.pdf`; nothing of it is written anywhere.
The next documents are read while the model answers the present one.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

from extractor import document as documents
from extractor import export
from extractor.document import Document
from extractor.errors import DocumentError, ExtractorError, OutputError
from extractor.export import as_text
from extractor.overlay import draw_line
from extractor.pipeline import Extraction
from extractor.profile import Profile, Stopwatch
from extractor.schema import AnySchema

SUFFIXES = documents.SUFFIXES
Line = dict[str, Any]
_TRIES = 3
_AHEAD = 2
T = TypeVar("T")
R = TypeVar("R")
Progress = Callable[[int, int], None]
"""Called with (files done, files in all)."""


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

    def read(
        self, source: Any, *, name: str | None = None, password: str | None = None
    ) -> Document:
        """Return the document that `extract` takes; called from a thread beside `extract`."""
        ...

    def extract(self, source: Any) -> Extraction[Any]:
        """Read one document."""
        ...


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """What a run did.

    :param read: documents read in this run, failures included.
    :param kept: documents whose line of an earlier run still holds.
    :param failed: documents, of both, that gave no record.
    :param drawn: documents, of both, that have an overlay.
    :param profile: what the time was spent on.
    :param accepted: documents, of both, that may go through unseen at the target precision.
    """

    read: int
    kept: int
    failed: int
    drawn: int = 0
    profile: Profile = field(default_factory=Profile)
    accepted: int = 0


def inputs(paths: Sequence[str | os.PathLike[str]], *, recursive: bool = False) -> list[str]:
    """Return the files to read: files as given, of folders those with a known suffix, sorted.

    A file that is named twice, by whatever path, is one input. A path that does not exist, and a
    folder that may not be looked into, is an input, which then fails and says so.
    """
    found: dict[str, str] = {}
    for path in map(str, paths):
        for file in sorted(_files(path, recursive)) if os.path.isdir(path) else [path]:
            # Of a link only the folder is resolved: the link and its target are two names.
            place = os.path.join(os.path.realpath(os.path.dirname(file)), os.path.basename(file))
            found.setdefault(place, file)
    return list(found.values())


def left_out(paths: Sequence[str | os.PathLike[str]], *, recursive: bool = False) -> Counter[str]:
    """Count by suffix the files of folders that `inputs` takes for no documents; hidden ones aside.

    :param recursive: count in folders within them too.
    """
    found: Counter[str] = Counter()
    for folder in filter(os.path.isdir, map(str, paths)):
        for _, folders, files in os.walk(folder, followlinks=False):
            for name in files:
                if not name.lower().endswith(SUFFIXES) and not name.startswith("."):
                    found[os.path.splitext(name)[1].lower()] += 1
            folders[:] = [f for f in folders if not f.lower().endswith(".pdf")] * recursive
    return found


def _files(folder: str, recursive: bool) -> Iterator[str]:
    closed: list[str] = []
    for place, folders, files in os.walk(
        folder, followlinks=False, onerror=lambda error: closed.append(error.filename)
    ):
        # A folder that is named like a document is one input, which fails and says so.
        for name in [*files, *(name for name in folders if name.lower().endswith(".pdf"))]:
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield os.path.join(place, name)
        folders[:] = sorted(f for f in folders if not f.lower().endswith(".pdf")) * recursive
    yield from closed


def run(
    files: Sequence[str],
    extractor: Reader,
    output: str | os.PathLike[str],
    *,
    password: str | None = None,
    overlay: Path | None = None,
    progress: Progress | None = None,
) -> BatchSummary:
    """Read files into an output, resuming where an earlier run stood.

    :param output: ends in .jsonl, .csv, .xlsx or .parquet.
    :param password: for those that are encrypted; it is written nowhere. With one, files that
        were found encrypted in an earlier run are read again.
    :param overlay: folder for a PDF of each document with its values marked; see `overlay`.
    :raises OutputError: if the output cannot be written; an older one is then as it was.
    """
    target = Path(output)
    export.check(target)
    with _journal(target) as journal:
        places = _lines_that_hold(journal)
        done: list[_Place] = []
        holds = {
            key
            for key, place in places.items()
            if not place.may_be_over and not (place.encrypted and password is not None)
        }
        drawn = 0
        tally = _Tally()
        reading = _Reading(extractor, password, holds)
        for ready in reading.ahead(_opened(files), tally):
            if progress is not None:
                progress(ready.item.index, len(files))
            if ready.key in holds:
                place = places[ready.key]
            else:
                line = _line_of(ready, reading, tally)
                with tally.watch.stage("write"):
                    place = _append(journal, line, target)
            done.append(place)
            if overlay is not None:
                line = _Lines(journal, [place])[0]
                with tally.watch.stage("write"):
                    drawn += (
                        draw_line(ready.item.source, line, overlay, password=password) is not None
                    )
        if progress is not None:
            progress(len(files), len(files))
        lines = _Lines(journal, done)
        with tally.watch.stage("write"):
            _write(target, lines, extractor.schema)
            if len(places) + tally.documents > len(done):
                # What the journal holds of changed or vanished documents is of no more use.
                _compact(target, lines)
    return BatchSummary(
        read=tally.documents,
        kept=len(done) - tally.documents,
        failed=sum(place.failed for place in done),
        drawn=drawn,
        profile=tally.profile(),
        accepted=sum(place.accepted for place in done),
    )


def stream(
    files: Sequence[str],
    extractor: Reader,
    out: IO[str],
    *,
    password: str | None = None,
    overlay: Path | None = None,
    progress: Progress | None = None,
) -> BatchSummary:
    """Read files and write each line as soon as it is there; nothing is kept between runs.

    :param password: for those that are encrypted.
    :param overlay: as for `run`.
    :raises OutputError: if a line cannot be written.
    :raises BrokenPipeError: if the reader of a pipe has enough.
    """
    failed = drawn = accepted = 0
    tally = _Tally()
    reading = _Reading(extractor, password)
    for ready in reading.ahead(_opened(files), tally):
        if progress is not None:
            progress(ready.item.index, len(files))
        line = _line_of(ready, reading, tally)
        failed += line["status"] == "failed"
        accepted += line["decision"] == "accept"
        if overlay is not None:
            with tally.watch.stage("write"):
                drawn += draw_line(ready.item.source, line, overlay, password=password) is not None
        try:
            with tally.watch.stage("write"):
                out.write(as_text(line) + "\n")
                out.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _cannot_write(Path("stdout"), error) from error
    if progress is not None:
        progress(len(files), len(files))
    return BatchSummary(
        read=tally.documents,
        kept=0,
        failed=failed,
        drawn=drawn,
        profile=tally.profile(),
        accepted=accepted,
    )


@dataclass(frozen=True, slots=True)
class _Input:
    """What becomes one line: a file, or a document in one, whose bytes are then at hand.

    :param name: path of the file, and of the document in it.
    :param index: of the file among those of the run.
    """

    name: str
    index: int
    member: documents.Member | None = None

    def key(self, identity: dict[str, str]) -> str:
        """Identify the input, its content and all that its record depends on."""
        total = hashlib.sha256(os.fsencode(self.name) + b"\0")
        total.update(json.dumps(identity, sort_keys=True).encode())
        if self.member is not None:
            error = self.member.error
            total.update(b"member")
            total.update(hashlib.sha256(self.member.data or str(error).encode()).digest())
            return total.hexdigest()
        try:
            if stat.S_ISREG(os.stat(self.name).st_mode):
                with open(self.name, "rb") as content:
                    total.update(hashlib.file_digest(content, "sha256").digest())
        except OSError as error:
            total.update(f"unreadable {error.errno}".encode())
        return total.hexdigest()

    @property
    def source(self) -> str | bytes:
        """The file's path, or the document's bytes."""
        return self.name if self.member is None else self.member.data or b""

    def read(self, extractor: Reader, password: str | None) -> Document:
        """Read it. :raises ExtractorError: if it is no document."""
        if self.member is None:
            return extractor.read(Path(self.name), password=password)
        if self.member.data is None:
            raise self.member.error or AssertionError(self.name)
        # Not the numbered name: its end tells what the document is.
        name = os.path.basename(self.member.name)
        return extractor.read(self.member.data, name=name, password=password)


def _opened(files: Sequence[str]) -> Iterator[_Input]:
    """Yield the inputs: each file, or the documents in it."""
    for index, file in enumerate(files):
        if not documents.is_container(file):
            yield _Input(file, index)
            continue
        names: Counter[str] = Counter()
        for member in documents.expand(file, name=file):
            # Two files of one name in an archive are two inputs.
            names[member.name] += 1
            twice = f" ({names[member.name]})" if names[member.name] > 1 else ""
            yield _Input(member.name + twice, index, member)


@dataclass(frozen=True, slots=True)
class _Ready:
    """An input that the model can be asked about.

    :param key: of its content before it was read.
    :param document: or the error that reading it ended in; None where its line still holds.
    :param seconds_s: that it took.
    """

    item: _Input
    key: str
    document: Document | Exception | None
    seconds_s: float


@dataclass(slots=True)
class _Tally:
    """Adds up what the documents of a run took."""

    watch: Stopwatch = field(default_factory=Stopwatch)
    started_s: float = field(default_factory=time.perf_counter)
    documents: int = 0
    reading_s: float = 0.0
    usage: dict[str, int] = field(default_factory=dict)

    def count(self, extraction: Extraction[Any]) -> None:
        self.watch.add(extraction.timings_s)
        for name, more in extraction.usage.items():
            self.usage[name] = self.usage.get(name, 0) + more

    def profile(self) -> Profile:
        total_s = time.perf_counter() - self.started_s
        return Profile(
            documents=self.documents,
            total_s=total_s,
            seconds_s=self.watch.all(total_s),
            ahead_s=max(0.0, self.reading_s - self.watch.seconds_s.get("read", 0.0)),
            usage=self.usage,
        )


@dataclass(frozen=True, slots=True)
class _Reading:
    """How the files of a run are read.

    :param holds: keys of inputs that need not be read.
    """

    extractor: Reader
    password: str | None = None
    holds: Container[str] = ()

    def ahead(self, items: Iterable[_Input], tally: _Tally) -> Iterator[_Ready]:
        """Yield the inputs in order, the next ones read while the caller works on one."""
        coming = _ahead(items, self.prepare)
        while True:
            with tally.watch.stage("read"):
                ready = next(coming, None)
            if ready is None:
                return
            tally.reading_s += ready.seconds_s
            yield ready

    def prepare(self, item: _Input) -> _Ready:
        started_s = time.perf_counter()
        key = self.key(item)
        document: Document | Exception | None = None
        if key not in self.holds:
            try:
                document = item.read(self.extractor, self.password)
            except Exception as error:  # told in the document's line, when its turn comes
                document = error
        return _Ready(item, key, document, time.perf_counter() - started_s)

    def key(self, item: _Input) -> str:
        return item.key(self.extractor.identity)


def _ahead(items: Iterable[T], prepare: Callable[[T], R]) -> Iterator[R]:
    """Yield what is made of each item, in order, up to two of them made beside the caller's work.

    However many items there are, no more than these are held.
    """
    thread = ThreadPoolExecutor(1, "reading")
    coming: deque[Future[R]] = deque()
    try:
        for item in items:
            coming.append(thread.submit(prepare, item))
            if len(coming) > _AHEAD:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
    finally:
        # Whoever stops early does not wait for documents that nobody wants any more.
        thread.shutdown(wait=False, cancel_futures=True)


def _line_of(ready: _Ready, reading: _Reading, tally: _Tally) -> Line:
    """Return one input's line; whatever goes wrong with the document is in its `error`."""
    tally.documents += 1
    for attempt in range(_TRIES):
        if attempt:
            with tally.watch.stage("read"):
                ready = replace(reading, holds=()).prepare(ready.item)
        line = _answer(ready, reading.extractor, tally)
        if reading.key(ready.item) == ready.key:
            return {**line, "key": ready.key}
    # A key that no content has, so that the next run reads the file again.
    line = _failure(
        ready.item.name,
        "changing",
        "the file changed while it was read",
        "run again when it is complete",
    )
    return {**line, "key": ""}


def _answer(ready: _Ready, extractor: Reader, tally: _Tally) -> Line:
    file = ready.item.name
    try:
        if isinstance(ready.document, Exception):
            raise ready.document
        extraction = extractor.extract(ready.document)
        tally.count(extraction)
        return {"input": shown(file), **_fields(extraction, extractor.schema)}
    except ExtractorError as error:
        category = error.category if isinstance(error, DocumentError) else "internal"
        return _failure(file, category, error.message, error.hint)
    except Exception as error:  # one document must not cost the others their line
        # Names and line numbers only: the text of an exception may quote the document.
        *_, place = traceback.extract_tb(error.__traceback__)
        where = f"{os.path.basename(place.filename)}:{place.lineno}"
        message = f"{type(error).__name__} at {where} while reading the document"
        return _failure(file, "internal", message, "please report this, with the file if you may")


def _fields(extraction: Extraction[Any], schema: AnySchema) -> Line:
    record = extraction.record
    leaves = {leaf.path: leaf for leaf in schema.leaves(extraction.values)}
    return {
        "status": extraction.status,
        "source": extraction.source,
        "decision": extraction.decision,
        "record": None if record is None else json.loads(schema.dump(record)),
        "values": json.loads(schema.dump(extraction.values)),
        "missing": list(extraction.missing),
        "fields": {
            path: {
                "value": None if result.value is None else leaves[path].type.to_json(result.value),
                "printed": result.printed,
                "evidence": asdict(result.evidence),
                "probability": _rounded(result.probability),
                "others": [
                    {
                        "value": other.type.to_json(other.value),
                        "printed": other.printed,
                        "probability": _rounded(other.probability),
                        "windows": other.windows,
                    }
                    for other in result.others
                ],
                "confidence": _rounded(result.confidence),
                "decision": result.decision,
            }
            for path, result in extraction.fields.items()
        },
        "warnings": [asdict(warning) for warning in extraction.warnings],
        "usage": extraction.usage,
        "error": None,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _failure(file: str, category: str, message: str, hint: str) -> Line:
    return {
        "input": shown(file),
        "status": "failed",
        "source": None,
        "decision": None,
        "record": None,
        "values": None,
        "missing": [],
        "fields": {},
        "warnings": [],
        "usage": {},
        "error": {"category": category, "message": shown(message), "hint": hint},
    }


def shown(name: str) -> str:
    """Return a path as valid Unicode; bytes that are not UTF-8 become backslash escapes."""
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half of a pair: no name of a file, but one inside of it
        return name.encode("utf-8", "backslashreplace").decode("utf-8")


@contextmanager
def _journal(target: Path) -> Iterator[int]:
    """Open the journal beside an output, alone, and give its descriptor."""
    path = _journal_path(target)
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise _cannot_write(target, error) from error
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OutputError(f"{path}: is not a file", hint="name another output")
            _lock(descriptor, target)
            # The run that had the lock before may have put a new journal in this one's place.
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _journal_path(target: Path) -> Path:
    # Without the suffix: the same records in a second format are not read a second time.
    return target.with_name(f".{target.stem}.journal")


def _lock(descriptor: int, target: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputError(
            f"{target}: another run is writing it", hint="wait for it, or name another output"
        ) from error
    except OSError as error:
        raise _cannot_write(target, error) from error


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a line stands in the journal; lines stay there, so memory does not grow with them.

    :param start: in bytes, like `length`, its line end included.
    :param may_be_over: it failed, and that lay in the run and not in the document.
    :param encrypted: it failed for want of the right password.
    :param accepted: it may go through unseen.
    """

    start: int
    length: int
    failed: bool
    may_be_over: bool
    encrypted: bool
    accepted: bool

    @classmethod
    def of(cls, line: Line, start: int, length: int) -> _Place:
        category = "" if line["error"] is None else line["error"]["category"]
        failed = line["status"] == "failed"
        accepted = line.get("decision") == "accept"
        internal, encrypted = category == "internal", category == "encrypted"
        return cls(start, length, failed, internal, encrypted, accepted)


class _Lines(Sequence[Line]):
    """Lines of a journal, read when they are asked for."""

    def __init__(self, journal: int, places: Sequence[_Place]) -> None:
        self._journal, self._places = journal, places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return _Lines(self._journal, self._places[index])
        place = self._places[index]
        return json.loads(os.pread(self._journal, place.length, place.start))


def _lines_that_hold(journal: int) -> dict[str, _Place]:
    """Return the journal's lines by key; a last line that a kill cut in two is cut off."""
    found: dict[str, _Place] = {}
    good = 0
    with open(journal, "rb", closefd=False) as content:
        for raw in content:
            try:
                line = json.loads(raw)
                key, place = line["key"], _Place.of(line, good, len(raw))
            except (ValueError, LookupError, TypeError):
                break
            if not raw.endswith(b"\n"):
                break
            found[key] = place
            good += len(raw)
    os.ftruncate(journal, good)
    return found


def _append(journal: int, line: Line, target: Path) -> _Place:
    # Written without a buffer: after a failure nothing is left that closing would write again.
    text = as_text(line).encode() + b"\n"
    try:
        place = _Place.of(line, os.fstat(journal).st_size, len(text))
        while text:
            text = text[os.write(journal, text) :]
        os.fsync(journal)
    except OSError as error:
        raise _cannot_write(target, error) from error
    return place


def _compact(target: Path, lines: Sequence[Line]) -> None:
    """Replace the journal by one that holds these lines and no others."""
    with _staging(target) as folder:
        part = folder / "journal"
        with part.open("wb") as stream:
            stream.writelines(as_text(line).encode() + b"\n" for line in lines)
        _replace(part, _journal_path(target))


def _write(target: Path, lines: Sequence[Line], schema: AnySchema) -> None:
    """Replace the output and the files beside it, each whole or not at all."""
    with _staging(target) as folder:
        for part in export.write(folder / target.name, lines, schema):
            _replace(part, target.with_name(part.name))


def _replace(part: Path, target: Path) -> None:
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(target)


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """Give a folder beside the output; what a killed run left in it goes first."""
    folder = target.with_name(f".{target.name}.writing")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir()
        yield folder
    except OSError as error:
        raise _cannot_write(target, error) from error
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
