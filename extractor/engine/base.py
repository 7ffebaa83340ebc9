"""The one seam: what a prompt is, what an engine gives back, and the protocol between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from extractor.schema import AnySchema


@dataclass(frozen=True, slots=True)
class Request:
    """One window of one document, to be read for one schema.

    :param schema: the fields asked for.
    :param text: the window's text, exactly as the prompt shows it; copied fields can only be
        answered with spans of it.
    :param max_new_tokens: most tokens of the answer; an answer that would be longer is closed
        without inventing anything and marked truncated.
    """

    schema: AnySchema
    text: str
    max_new_tokens: int = 1024


@dataclass(frozen=True, slots=True)
class Output:
    """What the model answered.

    :param text: canonical JSON that the schema's constraint accepts.
    :param logprobs: natural logarithm of the probability, under the constraint, of each token;
        0.0 for forced tokens. Shape: [tokens].
    :param offsets: where each token's text starts in `text`, in characters. Shape: [tokens].
    :param truncated: the answer was closed at the token limit.
    :param removed: share of the model's own probability that the constraint took away before each
        token was chosen, 0..1; 0.0 for forced tokens. Shape: [tokens], or empty if the engine does
        not tell, as are the next two.
    :param margins: how much likelier each token was, under the constraint, than the runner-up,
        0..1; 1.0 where there was none, below 0 where an answer was given that was not likeliest.
    :param nulls: probability, under the constraint, of the tokens that would have led to null where
        another was chosen, 0..1. It says so of a value's first token only: within a value such
        tokens are text like any other.
    :param prompt_tokens: length of the prompt in tokens.
    :param passes: forward passes of the model, the one over the prompt included.
    :param timings_s: seconds by stage of `extractor.profile`, as far as the engine knows them;
        outputs that differ in nothing else are equal.
    """

    text: str
    logprobs: tuple[float, ...]
    offsets: tuple[int, ...]
    truncated: bool
    prompt_tokens: int
    passes: int
    timings_s: Mapping[str, float] = field(default_factory=dict, compare=False)
    removed: tuple[float, ...] = ()
    margins: tuple[float, ...] = ()
    nulls: tuple[float, ...] = ()

    def probability(self, start: int, end: int) -> float | None:
        """Return the probability of `text[start:end]`, that of its tokens together, 0..1.

        None where no token of the answer starts inside the span.
        """
        from math import exp

        inside = [
            logprob
            for logprob, offset in zip(self.logprobs, self.offsets, strict=True)
            if start <= offset < end
        ]
        return exp(sum(inside)) if inside else None


class Engine(Protocol):
    """Runs a model. Implementations: `extractor.engine.local.LocalEngine`, `extractor.testing`."""

    @property
    def identity(self) -> dict[str, str]:
        """Hashes of everything an answer depends on: base model, adapter, engine version."""
        ...

    @property
    def context_tokens(self) -> int:
        """Longest prompt plus answer, in tokens."""
        ...

    def count_tokens(self, text: str) -> int:
        """Length of a piece of document text in tokens."""
        ...

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        """Answer each request; the answers come in the order of the requests."""
        ...

    def score(self, request: Request, answers: Sequence[str]) -> list[Output | None]:
        """Return what `generate` would tell of answers if the model had given them.

        :param answers: beginnings of canonical JSON, each ending behind a whole value or inside the
            key after it.
        :returns: None for an answer that the constraint refuses.
        """
        ...


class Runner(Protocol):
    """Runs weights over one sequence. Implementations: `TorchRunner`, `OpenVinoRunner`.

    A state is what a runner keeps of the tokens that it has read; only the runner looks into it.
    """

    @property
    def context_tokens(self) -> int:
        """Longest sequence that the model was made for."""
        ...

    def begin(self, tokens: list[int] | None = None) -> Any:
        """Return a fresh state, some tokens already read."""
        ...

    def copy(self, state: Any) -> Any:
        """Return a state that can go on by itself, faster than its tokens are read again."""
        ...

    def length(self, state: Any) -> int:
        """Return how many tokens a state holds."""
        ...

    def run(self, state: Any, tokens: list[int], keep: int) -> npt.NDArray[np.float32]:
        """Read tokens.

        :param keep: of how many tokens at the end logits are wanted.
        :returns: the logits behind each of them. Shape: [keep, columns of the head].
        """
        ...

    def drop(self, state: Any, count: int) -> None:
        """Forget the last tokens that were read."""
        ...
