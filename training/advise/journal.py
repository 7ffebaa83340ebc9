"""The journal of what was read, so that a run goes on where it stopped."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor.errors import OutputError
from extractor.schema import AnySchema
from training.advise.memory import Memory
from training.evaluate import Reader, Scored, score
from training.kept import KeepingEngine
from training.methods.known import Known
from training.score import ScoreCard, card_of


@dataclass(frozen=True, slots=True)
class Reading:
    """One document as one method read it.

    :param piece: method and documents learned from, such as `rules/fold 1`.
    :param seconds_s: with what answers took that were kept from another method, as is `cpu_s`.
    :param cpu_s: processor time of all threads, without the reading of the file.
    :param confidence: by path.
    :param added_mb: memory of the method so far at its highest, beyond what the process held before
        the method was made; None where the system does not tell.
    """

    piece: str
    document: str
    card: ScoreCard
    seconds_s: float
    cpu_s: float
    status: str
    confidence: Mapping[str, float]
    added_mb: float | None


class Journal:
    """What was read so far, kept in a file, so that a run goes on where it stopped.

    :raises OutputError: if the folder holds a run on other documents, or cannot be written.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self._file, self._run = folder / "answers.jsonl", folder / "run.json"
        self.readings: dict[str, dict[str, Reading]] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._begin("fingerprint", fingerprint)
        except OSError as error:
            raise OutputError(
                f"{folder}: cannot be written ({error.strerror})", hint="name another folder"
            ) from error
        for line in self._lines():
            self._keep(_reading(json.loads(line)))

    def use_models(self, fingerprint: str) -> None:
        """Say with which models the run goes on; only a run with models can know.

        :raises OutputError: if answers of other models are there.
        """
        self._begin("models", fingerprint)

    def _begin(self, what: str, fingerprint: str) -> None:
        known = json.loads(self._run.read_text()) if self._run.exists() else {}
        if known.setdefault(what, fingerprint) != fingerprint:
            other = "documents, labels, schema or settings" if what == "fingerprint" else what
            raise OutputError(
                f"{self._run.parent}: holds a run with other {other}",
                hint="name another --output, or remove the folder",
            )
        self._run.write_text(json.dumps(known))

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
        memory = Memory()
        method = _Keeping(reader())
        with self._file.open("a", encoding="utf-8") as stream:
            for index, item in enumerate(left):
                if progress is not None:
                    progress(len(items) - len(left) + index, len(items))
                if index and not may_go_on():
                    return False
                reading = _read(piece, method, item, schema, memory)
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

    def spared(self) -> tuple[float, float]:
        """Return seconds and processor seconds of the answers so far that were not asked again."""
        engine = getattr(self._reader, "engine", None)  # a method without a model has none
        if not isinstance(engine, KeepingEngine):
            return 0.0, 0.0
        return engine.spared_s, engine.spared_cpu_s


def _read(piece: str, method: _Keeping, item: Known, schema: AnySchema, memory: Memory) -> Reading:
    method.last = None
    before_s, before_cpu_s = method.spared()
    started_s = time.process_time()
    scored: Scored = score(
        method, item.labelled, item.document, item.values, item.unverified, schema
    )
    cpu_s = time.process_time() - started_s
    spared_s, spared_cpu_s = method.spared()
    return Reading(
        piece=piece,
        document=item.id,
        card=scored.card,
        seconds_s=scored.seconds_s + spared_s - before_s,
        cpu_s=cpu_s + spared_cpu_s - before_cpu_s,
        status=scored.status,
        confidence=_confidence(method.last),
        added_mb=memory.added_mb(),
    )


def _confidence(answer: Any) -> dict[str, float]:
    if hasattr(answer, "fields"):
        return {
            path: float(result.probability)
            for path, result in answer.fields.items()
            if result.probability is not None and result.value is not None
        }
    return dict(getattr(answer, "confidence", {}))


def _json(reading: Reading) -> dict[str, Any]:
    return {
        "piece": reading.piece,
        "document": reading.document,
        "status": reading.status,
        "seconds_s": round(reading.seconds_s, 5),
        "cpu_s": round(reading.cpu_s, 5),
        "added_mb": reading.added_mb,
        "confidence": {path: round(p, 5) for path, p in reading.confidence.items()},
        "card": reading.card.to_json(),
    }


def _reading(line: Mapping[str, Any]) -> Reading:
    return Reading(
        line["piece"], line["document"], card_of(line["card"]), line["seconds_s"], line["cpu_s"],
        line["status"], line["confidence"], line["added_mb"],
    )  # fmt: skip
