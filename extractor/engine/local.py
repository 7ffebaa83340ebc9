"""The engine that runs a model and its adapter on this machine's processor.

One sequence at a time: on a processor the passes are limited by memory traffic and batches change
the rounding of sums, so a document would depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from extractor import base_model, fields
from extractor.base_model import BaseModel
from extractor.engine.base import Output, Request, Runner
from extractor.engine.choice import RUNTIMES, Format
from extractor.engine.constraint import Constraint
from extractor.engine.decode import Score, columns, decode, score, to_null_of, token_offsets
from extractor.engine.draft import Drafter
from extractor.errors import BaseModelError
from extractor.profile import Stopwatch
from extractor.prompt import constant, encode, render
from extractor.schema import AnySchema

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_KEPT = 4


@dataclass(slots=True)
class _Open:
    """The prompt that was asked last, and what a runner holds of it and of an answer.

    :param schema: fingerprint.
    :param read: tokens of the answer that was scored last, all in the state.
    :param scores: of them.
    """

    schema: str
    prompt: list[int]
    state: Any
    read: list[int] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)


class LocalEngine:
    """A loaded model, ready to answer.

    :param runner: holds the weights.
    :param identity: hashes of what the answers depend on.
    :param drafts: guess tokens and let the model check several in one pass.
    """

    def __init__(
        self,
        runner: Runner,
        tokenizer: PreTrainedTokenizerFast,
        identity: dict[str, str],
        *,
        drafts: bool = True,
    ) -> None:
        self.runner = runner
        self.tokenizer = tokenizer
        self.drafts = drafts
        self._identity = identity
        self._constraints: dict[str, Constraint] = {}
        self._prefixes: dict[str, Any] = {}
        self._open: _Open | None = None

    @classmethod
    def load(
        cls,
        base: BaseModel,
        adapter: Path | None = None,
        *,
        kind: Format = "fp32",
        threads: int | None = None,
        schema: AnySchema | None = None,
    ) -> LocalEngine:
        """Load a base model with or without an adapter.

        :param adapter: folder with LoRA weights, already checked against `base`.
        :param kind: number format of the weights while answering, see `extractor.engine.choice`.
        :param threads: of the processor; None leaves them as they are.
        :param schema: whose constraint is built meanwhile.
        """
        if kind == "fp32":
            # Here and not above: torch alone takes seconds.
            from extractor.engine.torch_runner import TorchRunner

            runner: Runner = TorchRunner.load(base, adapter, threads)
            tokenizer, constraints = _prepare(base, schema)
        else:
            from extractor.engine import openvino_runner

            make = openvino_runner.prepare(base, adapter, kind, threads)
            with ThreadPoolExecutor(1) as beside:
                making = beside.submit(make)
                tokenizer, constraints = _prepare(base, schema)
                runner = making.result()
        identity = {"base": base.sha256, "engine": kind, "runtime": RUNTIMES[kind]}
        engine = cls(runner, tokenizer, identity)
        engine._constraints |= constraints
        return engine

    @property
    def identity(self) -> dict[str, str]:
        """Hash of the base weights and the number format."""
        return dict(self._identity)

    @property
    def context_tokens(self) -> int:
        """Longest prompt plus answer that the model was made for, in tokens."""
        return self.runner.context_tokens

    def count_tokens(self, text: str) -> int:
        """Length of a piece of document text in tokens."""
        return len(encode(text, self.tokenizer))

    def constraint(self, schema: AnySchema) -> Constraint:
        """Return the constraint of a schema, built at its first use."""
        if schema.fingerprint not in self._constraints:
            self._constraints[schema.fingerprint] = Constraint(schema, self.tokenizer)
            if len(self._constraints) > _KEPT:
                self._constraints.pop(next(iter(self._constraints)))
        return self._constraints[schema.fingerprint]

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        """Answer each request; see `Engine.generate`.

        :raises BaseModelError: if a prompt leaves no room for an answer in the model's context.
        """
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Output:
        watch = Stopwatch()
        with watch.stage("prompt"):
            prompt = render(request.schema, request.text, self.tokenizer)
        room = self.context_tokens - len(prompt)
        if room < 1:
            raise BaseModelError(
                f"a prompt of {len(prompt)} tokens fills the context of {self.context_tokens}",
                hint="use smaller windows, fewer fields, or a base model with a longer context",
            )
        with watch.stage("constraint"):
            matcher = self.constraint(request.schema).start(request.text)
        with watch.stage("draft"):
            drafter = Drafter(request.text) if self.drafts else None
        with watch.stage("prefill"):
            state = self._begin(request.schema)
        self._open = _Open(request.schema.fingerprint, prompt, state)
        limit = min(request.max_new_tokens, room)
        return decode(
            self.runner,
            self.tokenizer,
            prompt,
            matcher,
            request.schema,
            limit,
            drafter,
            state,
            watch,
        )

    def score(self, request: Request, answers: Sequence[str]) -> list[Output | None]:
        """Return the probabilities of given answers; see `Engine.score`.

        What an answer shares with the one that was scored before is read once, and nothing of the
        prompt that was asked last.
        """
        constraint, at = self.constraint(request.schema), self._opened(request)
        found: list[Output | None] = []
        for answer in answers:
            tokens = encode(answer, self.tokenizer)
            if not constraint.start(request.text).accepts(tokens) == len(tokens) > 0:
                found.append(None)
                continue
            pairs = zip(at.read, tokens, strict=False)
            shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
            self._open = None  # what is interrupted in between leaves a state that nobody knows
            logits = self._behind(at, shared, tokens[shared:])
            matcher = constraint.start(request.text)
            for token in tokens[:shared]:
                matcher.consume(token)
            at.scores = at.scores[:shared] + score(logits, tokens[shared:], matcher)
            at.read, self._open = tokens, at
            offsets, text = token_offsets(tokens, matcher)
            found.append(
                Output(
                    text=text,
                    **columns(at.scores),
                    offsets=offsets,
                    truncated=False,
                    prompt_tokens=len(at.prompt),
                    passes=1,
                )
            )
        return found

    def _opened(self, request: Request) -> _Open:
        """Return where a request's prompt is open, opened anew if another was asked since."""
        prompt = render(request.schema, request.text, self.tokenizer)
        at, schema = self._open, request.schema.fingerprint
        if at is None or (at.schema, at.prompt) != (schema, prompt):
            at = self._open = _Open(schema, prompt, self._begin(request.schema))
        return at

    def _behind(self, at: _Open, shared: int, rest: list[int]) -> npt.NDArray[np.float32]:
        """Return the logits from behind the shared tokens of an answer on; they read the rest.

        The token before them is read again for it: logits of a whole answer are too large to keep.

        :param shared: how many of the tokens read last stay.
        :returns: shape [rest + 1, vocabulary].
        """
        tokens = [*at.prompt, *at.read[:shared], *rest]
        held = self.runner.length(at.state)
        kept = min(held, len(tokens) - len(rest) - 1)
        if kept < held:
            self.runner.drop(at.state, held - kept)
        return self.runner.run(at.state, tokens[kept:], len(rest) + 1)

    def _begin(self, schema: AnySchema) -> Any:
        """Return a state of its own behind the fields, which are read once for all documents."""
        if schema.fingerprint not in self._prefixes:
            before, _ = constant(schema, self.tokenizer)
            self._prefixes[schema.fingerprint] = self.runner.begin(before)
            if len(self._prefixes) > _KEPT:
                self._prefixes.pop(next(iter(self._prefixes)))
        return self.runner.copy(self._prefixes[schema.fingerprint])


def _prepare(
    base: BaseModel, schema: AnySchema | None
) -> tuple[PreTrainedTokenizerFast, dict[str, Constraint]]:
    """Return the tokenizer, and the constraint of a schema with what its values are found by."""
    tokenizer = base_model.load_tokenizer(base)
    if schema is None:
        return tokenizer, {}
    constraint = Constraint(schema, tokenizer)
    to_null_of(constraint.start(""))
    fields.prepare()
    return tokenizer, {schema.fingerprint: constraint}
