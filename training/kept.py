"""Answers of a model that are kept, so that a second method with its weights asks nothing twice.

What is compared are methods, so the second one's time still counts what the answers took at first.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extractor.engine.base import Engine, Output, Request

Asked = tuple[str, str, int]
"""Fingerprint of the schema, text and most tokens of a request."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer and what it took: seconds, and processor seconds of all threads."""

    output: Output
    seconds_s: float
    cpu_s: float


class KeepingEngine:
    """Asks an engine only what was not asked before.

    :param kept: answers of the same weights in the same number format; new ones are added.

    `spared_s` and `spared_cpu_s` are what the answers had taken that were not asked for again.
    """

    def __init__(self, engine: Engine, kept: dict[Asked, Kept]) -> None:
        self._engine, self._kept = engine, kept
        self.spared_s = self.spared_cpu_s = 0.0

    @property
    def identity(self) -> dict[str, str]:
        """That of the engine: its answers are the same."""
        return self._engine.identity

    @property
    def context_tokens(self) -> int:
        """Longest prompt plus answer, in tokens."""
        return self._engine.context_tokens

    def count_tokens(self, text: str) -> int:
        """Length of a piece of document text in tokens."""
        return self._engine.count_tokens(text)

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        """Answer each request; see `Engine.generate`."""
        return [self._answer(request) for request in requests]

    def score(self, request: Request, answers: Sequence[str]) -> list[Output | None]:
        """Return the probabilities of given answers; see `Engine.score`."""
        return self._engine.score(request, answers)

    def _answer(self, request: Request) -> Output:
        asked = (request.schema.fingerprint, request.text, request.max_new_tokens)
        if asked in self._kept:
            known = self._kept[asked]
            self.spared_s += known.seconds_s
            self.spared_cpu_s += known.cpu_s
            return known.output
        started_s, cpu_s = time.perf_counter(), time.process_time()
        (output,) = self._engine.generate([request])
        self._kept[asked] = Kept(
            output, time.perf_counter() - started_s, time.process_time() - cpu_s
        )
        return output
