"""The model and the rules learned from labels choose a value together.

The model reads what a page means; rules have counted where the labels of this corpus stand. Their
mistakes have little in common, so where rules find another value likelier than the model's answer,
the two are weighed: the product of the probability that the model gives a value under the
constraint and the one that rules give it, to the power of their weight (a product of experts:
Hinton 2002, "Training products of experts by minimizing contrastive divergence"). The weight, and
how far the model's nulls are to be believed, are fitted on documents that neither has learned
(`training.weigh`). Rules' probabilities were corrected on groups of documents that they were not
learned from, so poor rules hardly count. Rules speak for a value and never for null: that no known
word stands beside it says little of a layout that they have not seen. On a list of single values of
a long document they vote like a window; rows of tables are the model's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, log
from typing import TYPE_CHECKING, Any

from extractor.answer import at, changed, rescored
from extractor.candidates import Sheet
from extractor.document import Document
from extractor.fields import FieldType, Locale
from extractor.rules import Chance, Listed, Rules, Trust, within
from extractor.spans import beginning, spans

if TYPE_CHECKING:
    from extractor.engine.base import Engine, Output, Request
    from extractor.windows import Window

_RIVALS = 3  # of one field
_LEAST = 0.02  # probability by rules that makes a value worth asking the model about


@dataclass(frozen=True, slots=True)
class Weighing:
    """What model and rules say of the values that one field of an answer may have.

    :param values: normalised, the model's own first.
    :param texts: the answer with each of them.
    :param logprobs: by the model; -inf where the constraint refuses it. Shape: [values].
    :param gains: logarithm of how much likelier than the model's own rules find each.
    """

    path: str
    values: tuple[Any, ...]
    texts: tuple[str, ...]
    logprobs: tuple[float, ...]
    gains: tuple[float, ...]

    def sums(self, trust: Trust) -> list[float]:
        """Return how likely both find each value, as logarithms. Shape: [values]."""
        more = trust.against_null.get(self.path, 0.0) if self.values[0] is None else 0.0
        return [
            logprob + trust.weight * gain + (0.0 if value is None else more)
            for value, logprob, gain in zip(self.values, self.logprobs, self.gains, strict=True)
        ]

    def best(self, trust: Trust) -> int:
        """Return which value both find likeliest; the model's own where it has no probability."""
        if self.logprobs[0] == -inf:
            return 0
        sums = self.sums(trust)
        return max(range(len(sums)), key=sums.__getitem__)


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
        for path, value, rivals in self._doubted(request, output, window):
            weighing = self._weighing(engine, request, chosen, path, value, rivals)
            if weighing is not None:
                chosen = weighing.texts[weighing.best(self._rules.trust)]
        if chosen == output.text:
            return output
        return rescored(engine, request, chosen, output) or output

    def weighings(
        self, engine: Engine, request: Request, output: Output, window: Window
    ) -> list[Weighing]:
        """Return what `choose` weighs, each by itself."""
        found = (
            self._weighing(engine, request, output.text, path, value, rivals)
            for path, value, rivals in self._doubted(request, output, window)
        )
        return [one for one in found if one is not None]

    def _doubted(
        self, request: Request, output: Output, window: Window
    ) -> Iterator[tuple[str, Any, list[tuple[Chance, float]]]]:
        """Yield the fields where rules know better, with the model's value and what they say."""
        values = request.schema.load(output.text, self._sheet.locale).values
        for path in self._weighed():
            value = at(values, tuple(path.split(".")))
            rivals = self._rivals(path, within(self._said(path), (window.start, window.end)), value)
            if rivals:
                yield path, value, rivals

    def probability(self, path: str, value: Any) -> float | None:
        """Return how probable rules find a value, or null; None where they say nothing of it."""
        if path not in self._rules.fields or self._rules.fields[path].sharpness is None:
            return None
        return self._of(path, self._said(path), value)

    def believed(self, path: str, value: Any) -> float:
        """Return by what windows' votes for a value are multiplied; 1 where rules say nothing."""
        if path not in self._weighed():
            return 1.0
        probability = self._of(path, self._said(path), value)
        return float(probability**self._rules.trust.weight)

    def listed(self, path: str) -> Listed | None:
        """Return what rules say of a list of single values; None for what is not weighed."""
        rule = self._rules.fields.get(path)
        if path in self._rules.single or rule is None or rule.sharpness is None:
            return None
        return self._rules.listed(self._sheet, path)

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
            if same(kind, chance.value, value):
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
            if likelier and not same(kind, chance.value, value):
                found.append((chance, log(there / here)))
        return found[:_RIVALS]

    def _weighing(
        self,
        engine: Engine,
        request: Request,
        text: str,
        path: str,
        value: Any,
        rivals: Sequence[tuple[Chance, float]],
    ) -> Weighing | None:
        """Ask the model about rivals; None where the answer has no place for them."""
        answer, keys = json.loads(text), tuple(path.split("."))
        if not isinstance(at(answer, keys[:-1]), Mapping):
            return None
        kind = self._rules.types[path]
        texts = [text] + [
            request.schema.target(changed(answer, keys, _given(kind, chance)))
            for chance, _ in rivals
        ]
        beginnings = [beginning(one, _end(one, path)) for one in texts]
        scored = engine.score(request, beginnings)
        return Weighing(
            path,
            (value, *(chance.value for chance, _ in rivals)),
            tuple(texts),
            tuple(-inf if one is None else sum(one.logprobs) for one in scored),
            (0.0, *(gain for _, gain in rivals)),
        )


def _given(kind: FieldType, chance: Chance) -> Any:
    """Return a value as an answer holds it: as printed, or in canonical form."""
    return chance.printed if kind.copied or chance.value is None else kind.to_json(chance.value)


def _floor(unseen: float) -> float:
    """Return the least probability of a candidate: rules are never that sure of a "no"."""
    return unseen / 10


def same(kind: FieldType, one: Any, other: Any) -> bool:
    """Return whether two values of a type, or two nulls, are equal."""
    if one is None or other is None:
        return one is other
    return kind.same(one, other)


def _end(text: str, path: str) -> int:
    return next(end for where, (_, end) in spans(text) if where == path)
