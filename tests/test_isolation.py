"""A file that brings its reader down costs that file only."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.mutants import MUTATIONS, Mutants
from extractor.document import Limits, read
from extractor.document.isolation import Worker
from extractor.errors import DocumentError
from tests.faulty_worker import FAULTS
from tests.test_document import TABLE, pdf

SAMPLES = Path(__file__).parents[1] / "samples"


def processes() -> set[int]:
    """Return the processes that run the faulty worker, or were forked from it."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if b"tests.faulty_worker\0" in (place / "cmdline").read_bytes():
                found.add(int(place.name))
        except OSError:
            continue
    return found


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker("tests.faulty_worker")
    yield worker
    worker.stop()


CATEGORIES = {
    b"sleep": "too_big", b"spin": "too_big", b"ignore_term": "too_big", b"allocate": "too_big",
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_a_typed_error_and_the_next_document_is_right(
    worker: Worker, fault: bytes
) -> None:
    good = pdf(TABLE)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    # Those that end by themselves have the time to, on a busy machine as well.
    limits = Limits(seconds_s=2 if fault in CATEGORIES else 60)
    started_s = time.monotonic()
    with pytest.raises(DocumentError) as caught:
        worker.read(fault, limits)
    assert time.monotonic() - started_s < limits.seconds_s + 2
    assert caught.value.category == CATEGORIES.get(fault, "broken")
    assert caught.value.hint

    assert "Blue pen" in worker.read(good, Limits())["text"]
    assert len(processes()) == 1
    after_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after_kib - before_kib < 100 * 1024


def test_a_reader_that_crashes_is_left_out_and_the_others_are_asked(worker: Worker) -> None:
    content = worker.read(pdf(TABLE).replace(b"%PDF-1.3", b"%PDF-1.0"), Limits())

    assert "Blue pen" in content["text"]
    assert content["pages"][0][4] == []  # the one with boxes is the one that crashed


def test_a_worker_that_is_killed_between_two_files_is_replaced(worker: Worker) -> None:
    worker.read(pdf(TABLE), Limits())
    for process in processes():
        os.kill(process, signal.SIGKILL)

    assert "Blue pen" in worker.read(pdf(TABLE), Limits())["text"]


def test_a_worker_ends_soon_after_its_parent() -> None:
    script = (
        "from extractor.document.isolation import Worker, Limits; "
        "Worker('tests.faulty_worker').read(b'spin', Limits(seconds_s=1))"
    )
    before = processes()
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=SAMPLES.parent)
    deadline_s = time.monotonic() + 20
    while not processes() - before and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert processes() - before
    parent.kill()
    parent.wait()

    while processes() - before and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert not processes() - before


def test_a_password_is_in_no_argument_and_no_environment(worker: Worker) -> None:
    worker.read(pdf(TABLE), Limits(), "correct horse")

    for process in processes():
        for kind in ("cmdline", "environ"):
            assert b"correct horse" not in Path(f"/proc/{process}/{kind}").read_bytes()


def stream(data: bytes, about: bytes = b"") -> bytes:
    packed = zlib.compress(data, 9)
    return (
        b"%%PDF-1.4\n1 0 obj\n<</Filter/FlateDecode/Length %d%s>>\nstream\n" % (len(packed), about)
        + packed
        + b"\nendstream\nendobj\n"
    )


def test_streams_that_inflate_beyond_the_limit_are_refused_at_once() -> None:
    bomb = stream(b" " * 50_000_000)
    picture = stream(b" " * 50_000_000, b"/Subtype /Image")
    limits = Limits(inflated_bytes=40_000_000)

    twice = stream(zlib.compress(b" " * 50_000_000, 9))

    for data in (bomb, twice):
        with pytest.raises(DocumentError) as caught:
            read(data, limits=limits)
        assert caught.value.category == "too_big"
        assert "inflated" in caught.value.hint
    with pytest.raises(DocumentError) as caught:
        read(picture, limits=limits)
    assert caught.value.category == "broken"  # what it is without the stream


def samples() -> list[bytes]:
    return [path.read_bytes() for path in sorted(SAMPLES.rglob("*.pdf"))[:8]]


@pytest.mark.parametrize(
    "count", [60, pytest.param(400, marks=pytest.mark.slow)], ids=["some", "many"]
)
def test_mutants_are_read_or_give_typed_errors(count: int) -> None:
    good = samples()[0]
    text = read(good).text
    found: dict[str, int] = {}
    for kind, data in Mutants(samples(), seed=count).take(count):
        try:
            read(data, limits=Limits(seconds_s=10), name="mutant.pdf")
        except DocumentError as error:
            assert error.hint, kind
            found[error.category] = found.get(error.category, 0) + 1
        else:
            found["readable"] = found.get("readable", 0) + 1

    assert sum(found.values()) == count
    assert found["readable"] > count // 4
    assert read(good).text == text


def test_the_same_seed_gives_the_same_mutants() -> None:
    first = list(Mutants(samples(), seed=3).take(20))

    assert first == list(Mutants(samples(), seed=3).take(20))
    assert first != list(Mutants(samples(), seed=4).take(20))
    assert {kind for kind, _ in first} == set(MUTATIONS)


def test_importing_the_package_loads_no_reader() -> None:
    code = (
        "import extractor.document, sys; "
        "sys.exit(bool({'pypdf', 'pypdfium2', 'pikepdf'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=SAMPLES.parent).returncode == 0
