"""Folder runs that are killed, and folder runs whose disk fails: nothing lost, nothing twice.

    python -m benchmarks.interruptions samples/inbox --kills 100 --seed 0

Kills the whole process group of a run at a random moment, starts it again, and so on until it is
through; then lets the n-th open, write, fsync and rename of the output folder fail, for n = 1, 2,
... until a run meets no failure any more, and files end after n KiB (`size`), which meets writes
through buffers too. After each, the old output must be as it was, and the next run must end with
the records of an uninterrupted one. Exits 1 where that does not hold, or nothing was met.

Documents are read as always, in workers; a canned engine answers, since the model plays no part.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

_RUN = """
import sys
from benchmarks.interruptions import failing, read
if len(sys.argv) > 3:
    failing(sys.argv[2], sys.argv[3], int(sys.argv[4]))
read(sys.argv[1], sys.argv[2])
"""
_CALLS = ("open", "write", "fsync", "rename", "size")
_OLD = b"an older output\n"


def read(inbox: str, output: str) -> None:
    """Run a folder as `extractor extract` does."""
    from extractor import Extractor, batch
    from extractor.schema import resolve
    from extractor.testing import CannedEngine

    def slow(text: str) -> dict[str, str]:
        time.sleep(0.03)
        return {}

    extractor = Extractor(resolve("invoice"), engine=CannedEngine(slow))
    batch.run(batch.inputs([inbox]), extractor, Path(output) / "records.jsonl")


def failing(folder: str, call: str, number: int) -> None:
    """Let the n-th call of a kind that is about the folder fail as on a full disk."""
    import errno

    if call == "size":
        import resource

        # Python ignores the signal that comes with it, so that writes fail.
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * number, 1024 * number))
        return
    left = number

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def watched(event: str, arguments: tuple[object, ...]) -> None:
        inside = arguments and isinstance(arguments[0], str | os.PathLike) and str(
            os.fspath(arguments[0])
        ).startswith(folder)  # fmt: skip
        if inside and event == {"open": "open", "rename": "os.rename"}.get(call):
            count()

    sys.addaudithook(watched)
    if call in ("write", "fsync"):
        plain = getattr(os, call)

        def counted(*arguments: object) -> object:
            if os.readlink(f"/proc/self/fd/{arguments[0]}").startswith(folder):
                count()
            return plain(*arguments)

        setattr(os, call, counted)


def start(inbox: Path, output: Path, *failure: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", _RUN, str(inbox), str(output), *failure],
        start_new_session=True,
        stderr=subprocess.PIPE,
    )


def kill(run: subprocess.Popen[bytes], after_s: float) -> bool:
    """Return whether a run was still under way when its group was killed."""
    try:
        run.wait(after_s)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
        return True


def kills(
    inbox: Path, folder: Path, wanted: bytes, seconds_s: float, count: int, draw: Random
) -> Iterator[str]:
    """Yield what went wrong in so many kills; each run that ends begins a new output.

    :param seconds_s: what an uninterrupted run takes.
    """
    done = 0
    for attempt in range(count + 1):
        output = folder / f"killed-{attempt}"
        output.mkdir()
        while done < count and kill(start(inbox, output), draw.uniform(0, seconds_s)):
            done += 1
        if done == count:
            start(inbox, output).communicate()
        if (output / "records.jsonl").read_bytes() != wanted:
            yield f"kill {done}: the records are not those of an uninterrupted run"
        if done == count:
            return
    yield f"only {done} of {count} runs were killed before they ended"


def failures(inbox: Path, folder: Path, wanted: bytes) -> Iterator[tuple[str, int, str]]:
    """Yield (call, n, what went wrong; empty for nothing) for each call that failed."""
    for call in _CALLS:
        for number in range(1, 1000):
            output = folder / f"{call}-{number}"
            output.mkdir()
            (output / "records.jsonl").write_bytes(_OLD)
            run = start(inbox, output, call, str(number))
            told = run.communicate()[1].decode()
            if run.returncode == 0:
                break
            yield call, number, _wrong(inbox, output, told, wanted)


def _wrong(inbox: Path, output: Path, told: str, wanted: bytes) -> str:
    last = told.strip().splitlines()[-1] if told.strip() else ""
    named = "disk is full" in last or "File too large" in last
    if "OutputError" not in last or not named:
        return f"the error does not name the disk: {last[:100]}"
    if (output / "records.jsonl").read_bytes() != _OLD:
        return "the old output was changed"
    start(inbox, output).communicate()
    if (output / "records.jsonl").read_bytes() != wanted:
        return "the next run does not end like an uninterrupted one"
    return ""


def main() -> int:
    """Interrupt and report."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("inbox", type=Path)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "whole").mkdir()
        started_s = time.perf_counter()
        start(given.inbox, folder / "whole").communicate()
        took_s = time.perf_counter() - started_s
        wanted = (folder / "whole" / "records.jsonl").read_bytes()
        print(f"{len(wanted.splitlines())} lines in an uninterrupted run")
        draw = Random(given.seed)
        wrong = list(kills(given.inbox, folder, wanted, took_s, given.kills, draw))
        print(f"{given.kills} kills: {len(wrong)} wrong")
        failed = list(failures(given.inbox, folder, wanted))
        for call in _CALLS:
            met = [problem for kind, _, problem in failed if kind == call]
            print(f"{call}: {len(met)} failures, {sum(map(bool, met))} wrong")
            if not met:
                wrong.append(f"{call}: no failure was met")
        wrong += [f"{call} {number}: {problem}" for call, number, problem in failed if problem]
        print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
