"""Which documents each method learns from and is measured on, and the journal of what was read.

All methods have the same documents: those of unseen groups. Where the labels name documents that
are held out, these are the one fold; else whole groups are dealt into folds. Documents that the
labels name `test` are left alone where there are others, so that they stay a test.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor.errors import CorpusError, OutputError
from extractor.schema import AnySchema
from training.corpus import LabelledDocument
from training.evaluate import Reader, Scored, score
from training.methods.known import Known, read_known
from training.score import ScoreCard, card_of
from training.split import folds, groups, in_lots

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Fold:
    """Documents to learn from, and documents of other groups to be measured on; ids.

    :param held: in the order in which they are read, drawn at random: a part of them is a fair one.
    :param half: a half of the training groups, for what chooses between methods.
    :param other_half: the rest of them; its answers choose, and are never reported.
    """

    train: tuple[str, ...]
    held: tuple[str, ...]
    half: tuple[str, ...]
    other_half: tuple[str, ...]


@dataclass(frozen=True)
class Study:
    """A corpus, read and dealt.

    :param unreadable: (id, reason) of documents that are left out.
    :param groups: ids of the documents of each group.
    :param names: of the splits that were used.
    """

    schema: AnySchema
    known: Mapping[str, Known]
    unreadable: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, ...], ...]
    folds: tuple[Fold, ...]
    names: str
    seed: int

    @property
    def held(self) -> list[str]:
        """Ids of all documents that methods are measured on."""
        return [name for fold in self.folds for name in fold.held]

    def held_groups(self) -> list[tuple[str, ...]]:
        """Return the groups of the documents that methods are measured on."""
        held = set(self.held)
        cut = (tuple(name for name in group if name in held) for group in self.groups)
        return [group for group in cut if group]

    def of(self, ids: Iterable[str]) -> list[Known]:
        """Return documents by id."""
        return [self.known[name] for name in ids]

    def share(self, fold: Fold, part: float) -> tuple[str, ...]:
        """Return the documents of so many training groups; smaller shares lie in larger ones."""
        if part >= 1:
            return fold.train
        return _first_groups(self, fold.train, part)

    def fingerprint(self) -> str:
        """Change with the documents, their labels and the schema."""
        parts = [
            [item.id, item.document.sha256, str(sorted(item.labelled.fields.items()))]
            for item in self.known.values()
        ]
        text = json.dumps([self.schema.fingerprint, self.seed, parts, len(self.folds)])
        return hashlib.sha256(text.encode()).hexdigest()


def study(
    documents: Sequence[LabelledDocument],
    schema: AnySchema,
    *,
    count: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Study:
    """Read a corpus and deal it.

    :param count: of the folds; None takes the documents that the labels hold out, else 5.
    :raises CorpusError: if nothing is left to learn from or to measure on.
    """
    if any(item.split == "dev" or item.split in (None, "train") for item in documents):
        documents = [item for item in documents if item.split != "test"] or documents
    dealt = groups(documents, schema)
    names = {item.id: f"{index}" for index, group in enumerate(dealt) for item in group}
    known, unreadable = read_known(documents, schema, names, progress)
    usable = [item.labelled for item in known]
    parts, used = _parts(usable, schema, count, seed)
    if len(parts) < 1 or not all(train and held for train, held in parts):
        raise CorpusError(
            f"{len(usable)} usable documents of {len(dealt)} groups: nothing to hold out",
            hint="label documents of at least two senders",
        )
    lots = [[item.id for item in group] for group in in_lots(dealt, schema, seed)]
    by_id = {item.id: item for item in known}
    groups_ = tuple(tuple(name for name in lot if name in by_id) for lot in lots)
    empty = Study(schema, by_id, tuple(unreadable), groups_, (), used, seed)
    return Study(
        schema, by_id, tuple(unreadable), groups_,
        tuple(_fold(empty, train, held) for train, held in parts), used, seed,
    )  # fmt: skip


def _parts(
    usable: Sequence[LabelledDocument], schema: AnySchema, count: int | None, seed: int
) -> tuple[list[tuple[list[str], list[str]]], str]:
    held = [item.id for item in usable if item.split in ("dev", "test")]
    if count is None and held:
        rest = [item.id for item in usable if item.id not in set(held)]
        return [(rest, held)], "the documents that the labels hold out"
    parts = folds(usable, count or 5, schema=schema, seed=seed)
    ids = [[item.id for item in part] for part in parts]
    whole = [([name for other in ids if other is not part for name in other], part) for part in ids]
    return whole, f"{len(parts)} folds of whole groups"


def _fold(study: Study, train: Sequence[str], held: Sequence[str]) -> Fold:
    def drawn(name: str) -> str:
        return hashlib.sha256(f"{study.seed}/{name}".encode()).hexdigest()

    half = _first_groups(study, train, 0.5)
    rest = sorted(set(train) - set(half), key=drawn)
    return Fold(tuple(train), tuple(sorted(held, key=drawn)), half, tuple(rest))


def _first_groups(study: Study, ids: Sequence[str], part: float) -> tuple[str, ...]:
    wanted = set(ids)
    taken: list[str] = []
    for group in study.groups:
        if len(taken) >= part * len(ids):
            break
        taken += [name for name in group if name in wanted]
    return tuple(taken)


# ---------------------------------------------------------------- journal


@dataclass(frozen=True, slots=True)
class Reading:
    """One document as one method read it.

    :param piece: method and documents learned from, such as `rules/fold 1`.
    :param cpu_s: processor time of all threads, without the reading of the file.
    :param confidence: by path.
    :param peak_mb: memory of the process so far, at its highest.
    """

    piece: str
    document: str
    card: ScoreCard
    seconds_s: float
    cpu_s: float
    status: str
    confidence: Mapping[str, float]
    peak_mb: float


class Journal:
    """What was read so far, kept in a file, so that a run goes on where it stopped.

    :raises OutputError: if the folder holds a run on other documents, or cannot be written.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self._file = folder / "answers.jsonl"
        self.readings: dict[str, dict[str, Reading]] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._begin(folder / "run.json", fingerprint)
        except OSError as error:
            raise OutputError(
                f"{folder}: cannot be written ({error.strerror})", hint="name another folder"
            ) from error
        for line in self._lines():
            self._keep(_reading(json.loads(line)))

    def _begin(self, run: Path, fingerprint: str) -> None:
        if run.exists() and json.loads(run.read_text()).get("fingerprint") != fingerprint:
            raise OutputError(
                f"{run.parent}: holds a run with other documents, labels, schema or settings",
                hint="name another --output, or remove the folder",
            )
        run.write_text(json.dumps({"fingerprint": fingerprint}))

    def _lines(self) -> list[str]:
        if not self._file.exists():
            return []
        text = self._file.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:  # a run that was killed while it wrote
            self._file.write_text(whole, encoding="utf-8")
        return whole.splitlines()

    def _keep(self, reading: Reading) -> None:
        self.readings.setdefault(reading.piece, {})[reading.document] = reading

    def read(
        self,
        piece: str,
        reader: Callable[[], Reader],
        items: Sequence[Known],
        schema: AnySchema,
        may_go_on: Callable[[], bool] = lambda: True,
        progress: Callable[[int, int], None] | None = None,
    ) -> bool:
        """Let documents be read that were not before.

        :param reader: called if there is one left to read.
        :param may_go_on: asked before each document.
        :returns: whether all are read.
        """
        done = self.readings.get(piece, {})
        left = [item for item in items if item.id not in done]
        if not left:
            return True
        if not may_go_on():
            return False
        method = _Keeping(reader())
        with self._file.open("a", encoding="utf-8") as stream:
            for index, item in enumerate(left):
                if progress is not None:
                    progress(len(items) - len(left) + index, len(items))
                if index and not may_go_on():
                    return False
                reading = _read(piece, method, item, schema)
                stream.write(json.dumps(_json(reading)) + "\n")
                stream.flush()
                self._keep(reading)
        return True

    def cards(self, *pieces: str) -> dict[str, list[ScoreCard]]:
        """Return the cards of each document that one of the pieces read."""
        found: dict[str, list[ScoreCard]] = {}
        for piece in pieces:
            for name, reading in self.readings.get(piece, {}).items():
                found.setdefault(name, []).append(reading.card)
        return found


class _Keeping:
    """Keeps the last answer, for its confidence."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.last: Any = None

    def extract(self, source: Any, *, name: str | None = None) -> Any:
        self.last = self._reader.extract(source, name=name)
        return self.last


def _read(piece: str, method: _Keeping, item: Known, schema: AnySchema) -> Reading:
    method.last = None
    started_s = time.process_time()
    scored: Scored = score(
        method, item.labelled, item.document, item.values, item.unverified, schema
    )
    return Reading(
        piece=piece,
        document=item.id,
        card=scored.card,
        seconds_s=scored.seconds_s,
        cpu_s=time.process_time() - started_s,
        status=scored.status,
        confidence=_confidence(method.last),
        peak_mb=_peak_mb(),
    )


def _confidence(answer: Any) -> dict[str, float]:
    if hasattr(answer, "fields"):
        return {
            path: float(result.probability)
            for path, result in answer.fields.items()
            if result.probability is not None and result.value is not None
        }
    return dict(getattr(answer, "confidence", {}))


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


def _json(reading: Reading) -> dict[str, Any]:
    return {
        "piece": reading.piece,
        "document": reading.document,
        "status": reading.status,
        "seconds_s": round(reading.seconds_s, 5),
        "cpu_s": round(reading.cpu_s, 5),
        "peak_mb": reading.peak_mb,
        "confidence": {path: round(p, 5) for path, p in reading.confidence.items()},
        "card": reading.card.to_json(),
    }


def _reading(line: Mapping[str, Any]) -> Reading:
    return Reading(
        line["piece"], line["document"], card_of(line["card"]), line["seconds_s"], line["cpu_s"],
        line["status"], line["confidence"], line["peak_mb"],
    )  # fmt: skip
