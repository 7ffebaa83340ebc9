"""For tests of code that uses this package: an engine that answers without a model."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from extractor.engine.base import Output, Request

Answer = Mapping[str, Any] | Callable[[str], Mapping[str, Any]]


class CannedEngine:
    """Answers every document with values that the test gives, as an engine would print them.

    :param answer: values as printed, by JSON key, or a function from the window's text to them;
        keys that are not given are null.

        extractor = Extractor(Invoice, engine=CannedEngine({"invoice_number": "A-17"}))
    """

    context_tokens = 8192

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    @property
    def identity(self) -> dict[str, str]:
        """What the answers depend on."""
        known = self.answer if isinstance(self.answer, Mapping) else {}
        return {"engine": "canned", "answer": json.dumps(known, sort_keys=True, default=str)}

    def count_tokens(self, text: str) -> int:
        """Count words."""
        return len(text.split())

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        """Answer each request."""
        return [self._answer(request) for request in requests]

    def score(self, request: Request, answers: Sequence[str]) -> list[Output | None]:
        """Find every answer as likely as its first token."""
        return [Output(text, (-0.1,), (1,), False, 0, 0) for text in answers]

    def _answer(self, request: Request) -> Output:
        values = self.answer(request.text) if callable(self.answer) else self.answer
        text = request.schema.target(values)
        return Output(text, (-0.1,), (1,), False, self.count_tokens(request.text), 1)
