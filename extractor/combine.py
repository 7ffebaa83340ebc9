"""The model and the rules learned from labels choose a value together.

The model reads what a page means; rules have counted where the labels of this corpus stand. Their
mistakes have little in common, so where rules find another value likelier than the model's answer,
the two are weighed: the product of the probability that the model gives a value under the
constraint and the one that rules give it (a product of experts: Hinton 2002, "Training products of
experts by minimizing contrastive divergence"). Rules' probabilities were corrected on groups of
documents that they were not learned from, so poor rules hardly count. Rules speak for a value and
never for null: that no known word stands beside it says little of a layout that they have not seen.
Single values only: rows of tables and lists are the model's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from math import inf, log
from typing import TYPE_CHECKING, Any

from extractor.answer import at, changed, rescored
from extractor.candidates import Sheet
from extractor.document import Document
from extractor.fields import FieldType, Locale
from extractor.rules import Chance, Rules, within
from extractor.spans import spans

if TYPE_CHECKING:
    from extractor.engine.base import Engine, Output, Request
    from extractor.windows import Window

_RIVALS = 3  # of one field
_LEAST = 0.02  # probability by rules that makes a value worth asking the model about


class Combination:
    """Rules, and what they say of one document.

    :param locale: of the whole document.
    """

    def __init__(self, rules: Rules, document: Document, locale: Locale) -> None:
        self._rules = rules
        self._sheet = Sheet(document, locale)
        self._chances: dict[str, list[Chance]] = {}

    def choose(self, engine: Engine, request: Request, output: Output, window: Window) -> Output:
        """Return the answer that model and rules find likeliest together.

        :param output: the model's answer to `request`.
        :param window: that was asked about.
        """
        chosen = output.text
        values = request.schema.load(output.text, self._sheet.locale).values
        for path in self._weighed():
            chances = within(self._said(path), (window.start, window.end))
            rivals = self._rivals(path, chances, at(values, tuple(path.split("."))))
            if rivals:
                chosen = self._better(engine, request, chosen, path, rivals)
        if chosen == output.text:
            return output
        return rescored(engine, request, chosen, output) or output

    def probability(self, path: str, value: Any) -> float | None:
        """Return how probable rules find a value, or null; None where they say nothing of it."""
        if path not in self._rules.fields or self._rules.fields[path].sharpness is None:
            return None
        return self._of(path, self._said(path), value)

    def _weighed(self) -> Iterator[str]:
        """Yield the paths of single values whose rules can be weighed, in the schema's order."""
        for path in self._rules.single:
            rule = self._rules.fields.get(path)
            if rule is not None and rule.sharpness is not None and rule.constant is None:
                yield path

    def _said(self, path: str) -> list[Chance]:
        """Return what rules say of the whole document."""
        if path not in self._chances:
            self._chances[path] = self._rules.chances(self._sheet, path)
        return self._chances[path]

    def _of(self, path: str, chances: Sequence[Chance], value: Any) -> float:
        kind, unseen = self._rules.types[path], self._rules.fields[path].unseen
        for chance in chances:
            if _same(kind, chance.value, value):
                return max(chance.probability * (1 - unseen), _floor(unseen))
        return unseen

    def _rivals(
        self, path: str, chances: Sequence[Chance], value: Any
    ) -> list[tuple[Chance, float]]:
        """Return values that rules find likelier than the model's, and by how much (logarithm)."""
        kind, here = self._rules.types[path], self._of(path, chances, value)
        unseen = self._rules.fields[path].unseen
        found = []
        for chance in chances:
            there = chance.probability * (1 - unseen)
            likelier = there > max(here, _LEAST) and chance.value is not None
            if likelier and not _same(kind, chance.value, value):
                found.append((chance, log(there / here)))
        return found[:_RIVALS]

    def _better(
        self,
        engine: Engine,
        request: Request,
        text: str,
        path: str,
        rivals: Sequence[tuple[Chance, float]],
    ) -> str:
        answer, keys = json.loads(text), tuple(path.split("."))
        if not isinstance(at(answer, keys[:-1]), Mapping):
            return text
        kind = self._rules.types[path]
        texts = [text] + [
            request.schema.target(changed(answer, keys, _given(kind, chance)))
            for chance, _ in rivals
        ]
        ends = [_end(one, path) for one in texts]
        beginnings = [one[:end] for one, end in zip(texts, ends, strict=True)]
        scored = engine.score(request, beginnings)
        gains = [0.0, *(gain for _, gain in rivals)]
        sums = [
            -inf if one is None else sum(one.logprobs) + gain
            for one, gain in zip(scored, gains, strict=True)
        ]
        if sums[0] == -inf:  # nothing to weigh the others against
            return text
        return texts[max(range(len(texts)), key=sums.__getitem__)]


def _given(kind: FieldType, chance: Chance) -> Any:
    """Return a value as an answer holds it: as printed, or in canonical form."""
    return chance.printed if kind.copied or chance.value is None else kind.to_json(chance.value)


def _floor(unseen: float) -> float:
    """Return the least probability of a candidate: rules are never that sure of a "no"."""
    return unseen / 10


def _same(kind: FieldType, one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return kind.same(one, other)


def _end(text: str, path: str) -> int:
    return next(end for where, (_, end) in spans(text) if where == path)
