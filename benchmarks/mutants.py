"""Damaged PDFs through the whole path of a batch: one line each, no error without a type.

    python -m benchmarks.mutants CORPUS... --count 10000 --seed 0

Each mutant is a PDF of the corpora with a few bytes flipped, a part cut out, a part of another one
spliced in, or a part repeated. The same seed gives the same mutants. Exits 1 if a line is missing
or an error has no type, and keeps the mutants that did it in the folder of `--keep`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

from benchmarks.hostile import Recorder
from extractor import batch
from extractor.document import Limits, isolation

_AT_ONCE = 50


def flip(data: bytes, other: bytes, draw: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice((1, 4, 32, 256))):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def cut(data: bytes, other: bytes, draw: Random) -> bytes:
    start, end = _span(data, draw)
    return data[:start] if draw.random() < 0.5 else data[:start] + data[end:]


def splice(data: bytes, other: bytes, draw: Random) -> bytes:
    start, end = _span(data, draw)
    first, last = _span(other, draw)
    return data[:start] + other[first:last] + data[end:]


def repeat(data: bytes, other: bytes, draw: Random) -> bytes:
    start, end = _span(data, draw)
    times = min(draw.choice((1, 2, 10, 1000)), 1 + 5_000_000 // max(1, end - start))
    return data[:end] + data[start:end] * times + data[end:]


MUTATIONS: dict[str, Callable[[bytes, bytes, Random], bytes]] = {
    "flip": flip, "cut": cut, "splice": splice, "repeat": repeat,
}  # fmt: skip


class Mutants:
    """Mutants of some files, the same for the same seed."""

    def __init__(self, files: Sequence[bytes], seed: int) -> None:
        self._files, self._seed = files, seed

    def take(self, count: int) -> Iterator[tuple[str, bytes]]:
        """Yield (kind of mutation, bytes)."""
        kinds = list(MUTATIONS)
        for number in range(count):
            draw = Random(f"{self._seed} {number}")
            kind = kinds[number % len(kinds)]
            data, other = draw.choice(self._files), draw.choice(self._files)
            yield kind, MUTATIONS[kind](data, other, draw)


def _span(data: bytes, draw: Random) -> tuple[int, int]:
    start = draw.randrange(len(data))
    return start, min(len(data), start + 1 + int(draw.expovariate(1 / 2000)))


def main() -> None:
    """Print a table and the mutants that fail."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=10.0, help="limit of one file")
    parser.add_argument("--keep", type=Path, help="folder for the mutants that fail")
    asked = parser.parse_args()
    paths = sorted(path for corpus in asked.corpora for path in corpus.rglob("*.pdf"))
    files = [data for path in paths if path.is_file() and (data := path.read_bytes())]
    mutants = Mutants(files, asked.seed).take(asked.count)
    recorder = Recorder(Limits(seconds_s=asked.seconds))
    found: Counter[tuple[str, str]] = Counter()
    failures: list[str] = []
    started_s = time.perf_counter()
    for first in range(0, asked.count, _AT_ONCE):
        with tempfile.TemporaryDirectory() as folder:
            kinds: dict[str, str] = {}
            for number in range(first, min(first + _AT_ONCE, asked.count)):
                kind, data = next(mutants)
                path = Path(folder, f"{number:06}.pdf")
                path.write_bytes(data)
                kinds[str(path)] = kind
            output = Path(folder, "records.jsonl")
            batch.run(list(kinds), recorder, output)
            lines = {}
            for line in map(json.loads, output.read_text("utf-8").splitlines()):
                lines[line["input"]] = line["error"]["category"] if line["error"] else "readable"
            for name, kind in kinds.items():
                answer = lines.get(name, "missing line")
                found[kind, answer] += 1
                if answer in ("missing line", "internal"):
                    failures.append(f"{Path(name).name}: {answer}")
                    if asked.keep is not None:
                        asked.keep.mkdir(parents=True, exist_ok=True)
                        (asked.keep / Path(name).name).write_bytes(Path(name).read_bytes())
    isolation.worker.stop()
    seconds_s = time.perf_counter() - started_s
    answers = sorted({answer for _, answer in found})
    print(f"{asked.count} mutants of {len(files)} files, seed {asked.seed}\n")
    print(f"| mutation | {' | '.join(answers)} |\n|---|{'---|' * len(answers)}")
    for kind in MUTATIONS:
        print(f"| {kind} | {' | '.join(str(found[kind, answer]) for answer in answers)} |")
    slowest_s = max(recorder.seconds_s.values(), default=0.0)
    print(f"\n{seconds_s:.0f} s in all, slowest {slowest_s:.1f} s, {len(failures)} failures")
    for failure in failures:
        print(f"- {failure}")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
