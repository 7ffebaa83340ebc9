"""The engine that runs transformers and a LoRA adapter on this machine's processor.

One sequence at a time: on a processor the passes are limited by memory traffic and batches change
the rounding of sums, so a document would depend on its neighbours. The adapter is merged in fp32,
before the weights are narrowed; served weights then differ from base plus adapter by rounding only.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from extractor import base_model
from extractor.base_model import BaseModel
from extractor.engine.base import Output, Request
from extractor.engine.constraint import Constraint
from extractor.engine.decode import begin, decode
from extractor.engine.draft import Drafter
from extractor.errors import BaseModelError
from extractor.prompt import constant, encode, render
from extractor.schema import AnySchema

if TYPE_CHECKING:
    from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerFast

_KEPT = 4


class LocalEngine:
    """A loaded model, ready to answer.

    :param model: a causal language model in evaluation mode.
    :param identity: hashes of what the answers depend on.
    :param drafts: guess tokens and let the model check several in one pass.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerFast,
        identity: dict[str, str],
        *,
        drafts: bool = True,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.drafts = drafts
        self._identity = identity
        self._constraints: dict[str, Constraint] = {}
        self._prefixes: dict[str, DynamicCache] = {}

    @classmethod
    def load(
        cls,
        base: BaseModel,
        adapter: Path | None = None,
        *,
        dtype: torch.dtype | None = None,
        threads: int | None = None,
    ) -> LocalEngine:
        """Load a base model with or without an adapter.

        :param adapter: folder with LoRA weights, already checked against `base`.
        :param dtype: of the weights while answering; None takes `best_dtype()`.
        :param threads: of torch; None leaves them as they are.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        dtype = dtype or best_dtype()
        plain, tokenizer = base_model.load(base, torch.float32)
        model: Any = plain  # what peft and `to` return is not annotated
        if adapter is not None:
            from peft import PeftModel

            with warnings.catch_warnings():
                # peft asks for an attribute that transformers has renamed.
                warnings.simplefilter("ignore", FutureWarning)
                model = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
        model = model.to(dtype)
        model.eval()
        return cls(model, tokenizer, {"base": base.sha256, "dtype": str(dtype)})

    @property
    def identity(self) -> dict[str, str]:
        """Hash of the base weights and the number format."""
        return dict(self._identity)

    @property
    def context_tokens(self) -> int:
        """Longest prompt plus answer that the model was made for, in tokens."""
        return int(self.model.config.max_position_embeddings)

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
        prompt = render(request.schema, request.text, self.tokenizer)
        room = self.context_tokens - len(prompt)
        if room < 1:
            raise BaseModelError(
                f"a prompt of {len(prompt)} tokens fills the context of {self.context_tokens}",
                hint="use smaller windows, fewer fields, or a base model with a longer context",
            )
        matcher = self.constraint(request.schema).start(request.text)
        limit = min(request.max_new_tokens, room)
        return decode(
            self.model,
            self.tokenizer,
            prompt,
            matcher,
            request.schema,
            limit,
            Drafter(request.text) if self.drafts else None,
            self._read(request.schema),
        )

    def _read(self, schema: AnySchema) -> DynamicCache:
        """Return what the model keeps of the fields, which stand before every document."""
        if schema.fingerprint not in self._prefixes:
            before, _ = constant(schema, self.tokenizer)
            self._prefixes[schema.fingerprint] = begin(self.model, before)
            if len(self._prefixes) > _KEPT:
                self._prefixes.pop(next(iter(self._prefixes)))
        return self._prefixes[schema.fingerprint]


def best_dtype() -> torch.dtype:
    """Return bf16 where the processor multiplies it natively, else fp32.

    Without the instructions bf16 is emulated, and slower than fp32.
    """
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if native else torch.float32
