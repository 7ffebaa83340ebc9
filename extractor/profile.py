"""Where the time of a run goes: seconds by stage, measured always because it costs nothing.

The decode loop and the pipeline fill a `Stopwatch` for each document; a folder run adds them up to
a `Profile`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

STAGES: Mapping[str, str] = {
    "read": "reading",
    "prompt": "prompt",
    "constraint": "constraint",
    "prefill": "prefill",
    "decode": "decode",
    "mask": "mask",
    "choose": "choosing",
    "draft": "drafts",
    "check": "checks",
    "evidence": "evidence",
    "write": "writing",
    "rest": "the rest",
}
"""Stages in the order of a document's path, and what people call them.

`prefill` is the pass over the prompt, `decode` the passes after it, `constraint` what is built for
one document, `mask` following it token by token, `choose` taking the likeliest token that it allows
and telling how sure that is, `draft` guessing what comes next, `check` trying other readings where
the class's checks reject the first.
"""


class Stopwatch:
    """Adds up seconds by stage; a stage inside another counts in both, so none is put there."""

    def __init__(self) -> None:
        self.seconds_s: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what happens inside for a stage."""
        started_s = time.perf_counter()
        try:
            yield
        finally:
            self.add({name: time.perf_counter() - started_s})

    def all(self, total_s: float) -> dict[str, float]:
        """Return the seconds of each stage, and as `rest` what is left of `total_s`."""
        named_s = {name: spent_s for name, spent_s in self.seconds_s.items() if name != "rest"}
        return {**named_s, "rest": max(0.0, total_s - sum(named_s.values()))}

    def add(self, seconds_s: Mapping[str, float]) -> None:
        """Add seconds that were measured elsewhere."""
        for name, more_s in seconds_s.items():
            self.seconds_s[name] = self.seconds_s.get(name, 0.0) + more_s


@dataclass(frozen=True, slots=True)
class Profile:
    """What a run spent its time on.

    :param documents: read in this run.
    :param total_s: of the run, loading the model not included.
    :param seconds_s: by stage, see `STAGES`; together `total_s`. `read` is the time that the run
        waited for documents.
    :param ahead_s: of reading documents while the model answered, so beside `total_s`.
    :param usage: `prompt_tokens`, `output_tokens` and `passes`, all documents together.
    """

    documents: int = 0
    total_s: float = 0.0
    seconds_s: Mapping[str, float] = field(default_factory=dict)
    ahead_s: float = 0.0
    usage: Mapping[str, int] = field(default_factory=dict)

    @property
    def tokens_per_pass(self) -> float:
        """Tokens of the answers for each pass of the model; 0 without passes."""
        passes = self.usage.get("passes", 0)
        return self.usage.get("output_tokens", 0) / passes if passes else 0.0

    @property
    def mask_share(self) -> float:
        """Share of writing answers that following the constraint takes, 0..1."""
        stages = ("decode", "mask", "choose", "draft")
        writing_s = sum(self.seconds_s.get(name, 0.0) for name in stages)
        return self.seconds_s.get("mask", 0.0) / writing_s if writing_s else 0.0

    def lines(self) -> list[str]:
        """Return a table for people."""
        rows = [f"{'stage':<12}{'seconds':>10}{'share':>9}"]
        for name, title in STAGES.items():
            spent_s = self.seconds_s.get(name, 0.0)
            share = spent_s / self.total_s if self.total_s else 0.0
            rows.append(f"{title:<12}{spent_s:>10.2f}{share:>9.1%}")
        rows.append(f"{'together':<12}{self.total_s:>10.2f}")
        if self.ahead_s:
            rows.append(f"reading beside the model: {self.ahead_s:.2f} s more")
        rows.append(
            f"{self.documents} documents, {self.usage.get('passes', 0)} passes, "
            f"{self.tokens_per_pass:.1f} tokens per pass"
        )
        return rows
