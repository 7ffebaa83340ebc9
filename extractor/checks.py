"""The class's own checks choose between readings.

A page of amounts is easily misread: the subtotal is taken for the total, two of them are exchanged.
A class that says how its values hang together (`net_total + tax_total == gross_total`, a due date
not before the date of issue) knows better than the model. Where it rejects an answer, other values
that the document shows are tried in the fields that the check is about, and the likeliest
combination that it accepts is taken, if the model finds it likely enough. Where there is none, the
answer stays, with the warning that it always had. What the class says `usually` holds of the record
counts like a check; of rows `extractor.rows` sees to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations, islice, product
from math import comb
from typing import TYPE_CHECKING, Any, NamedTuple

from extractor.answer import Path, at, changed, rescored
from extractor.fields import FieldType, Locale
from extractor.schema import AnySchema, FieldWarning, LeafNode, ObjectNode, clean
from extractor.spans import beginning, spans

if TYPE_CHECKING:
    from extractor.engine.base import Engine, Output, Request

_ROUNDS = 4  # checks that may reject one after the other
_CHANGED = 3  # fields at once
_TRIES = 12_000  # combinations given to the class in a round; seconds with many rows
_SCORED = 16  # accepted combinations given to the model
_LEAST = -6.0  # log of how much less likely than the first answer another one may be

Changes = Mapping[Path, tuple[str | None, Any]]
"""Printed and normalised values, by where they go."""


def reconsider(
    engine: Engine, request: Request, output: Output
) -> tuple[Output, list[FieldWarning]]:
    """Return the answer that the class's checks accept, and what was changed for them.

    :param request: what `output` answers.
    :returns: the answer as it was, and nothing, where the checks accept it or no other reading.
    """
    chosen = output
    for _ in range(_ROUNDS):
        better = _Rejected.of(request, chosen)
        found = None if better is None else better.choose(engine)
        if found is None:
            break
        chosen = found
    if chosen is output:
        return output, []
    was, now = (dict(_leaves(request.schema.root, json.loads(o.text))) for o in (output, chosen))
    message = "another value was likelier, but against what the class says of its values"
    moved = [path for path in now if now[path] != was.get(path)]
    return chosen, [FieldWarning(".".join(path), "chosen_by_check", message) for path in moved]


class _Problem(NamedTuple):
    """Something that a class has against an answer; what it rejects comes before what is unusual.

    :param message: without its numbers where it may quote the values that it is about: it is the
        same problem with other values.
    """

    code: str
    field: str
    message: str


class _Rejected:
    """An answer that the class rejects, and what it rejects first."""

    def __init__(
        self, request: Request, output: Output, values: dict[str, Any], locale: Locale
    ) -> None:
        self.request, self.output, self.values, self.locale = request, output, values, locale
        self.schema: AnySchema = request.schema
        self.answer = json.loads(output.text)
        self.problems = self._problems({}) or set()

    @classmethod
    def of(cls, request: Request, output: Output) -> _Rejected | None:
        """Return None for an answer that the class accepts."""
        locale = Locale.of(request.text)
        values = request.schema.load(output.text, locale).values
        rejected = cls(request, output, values, locale)
        return rejected if rejected.problems else None

    def choose(self, engine: Engine) -> Output | None:
        """Return the likeliest answer without one of the problems; None if none is likely."""
        found = (self._without(engine, problem) for problem in sorted(self.problems))
        return next((one for one in found if one is not None), None)

    def _without(self, engine: Engine, problem: _Problem) -> Output | None:
        options = self._options(problem)
        passing = list(
            islice(self._passing(problem, options, _TRIES // len(self.problems)), _SCORED)
        )
        if not passing:
            return None
        texts = [self.output.text, *(self._text(changes) for changes in passing)]
        ends = [max(end for _, end in _places(text, options)) for text in texts]
        beginnings = list(map(beginning, texts, ends))
        scored = engine.score(self.request, beginnings)
        sums = [-float("inf") if one is None else sum(one.logprobs) for one in scored]
        best = max(range(1, len(sums)), key=sums.__getitem__)
        if sums[best] < sums[0] + _LEAST:
            return None
        return rescored(engine, self.request, texts[best], self.output)

    def _options(self, problem: _Problem) -> dict[Path, list[tuple[str, Any]]]:
        """Return the other values that the document shows for each field the problem is about.

        It is about a field if it is gone without the field's value or, where the class requires
        one, with another value. Values that other such fields have come first: two are often
        exchanged.
        """
        found = {}
        for path, kind in _typed(self.schema.root, self.answer):
            others = self._candidates(kind, at(self.values, path))
            without = self._problems({path: (None, None)})
            if without is None:
                gone = any(self._is_solved(problem, {path: other}) for other in others)
            else:
                gone = problem not in without
            if gone:
                found[path] = others
        taken = [at(self.values, path) for path in found]
        return {
            path: sorted(others, key=lambda other: other[1] not in taken)
            for path, others in found.items()
        }

    def _candidates(self, kind: FieldType, present: Any) -> list[tuple[str, Any]]:
        """Return distinct values of a kind as printed and read; the last on the page first."""
        text = "\n".join(map(clean, self.request.text.split("\n")))
        found: list[tuple[str, Any]] = []
        for start, end in sorted(kind.find(text), reverse=True):
            printed = " ".join(text[start:end].split())
            try:
                value = kind.parse(printed, self.locale).value
            except ValueError:
                continue
            known = [other for other in (present, *(v for _, v in found)) if other is not None]
            if not any(kind.same(value, other) for other in known):
                found.append((printed, value))
        return found

    def _passing(
        self,
        problem: _Problem,
        options: Mapping[Path, Sequence[tuple[str, Any]]],
        left: int,
    ) -> Iterator[Changes]:
        """Yield combinations that the class accepts in this respect; few changes come first.

        :param left: how many may be tried.
        """
        sizes = range(1, min(_CHANGED, len(options)) + 1)
        waiting = sum(comb(len(options), size) for size in sizes)
        for size in sizes:
            for paths in combinations(options, size):
                # What one combination of fields leaves of its share goes to those after it.
                tried, share = 0, left // waiting
                for values in islice(product(*(options[path] for path in paths)), share):
                    tried += 1
                    changes = dict(zip(paths, values, strict=True))
                    if self._is_solved(problem, changes):
                        yield changes
                left, waiting = left - tried, waiting - 1

    def _is_solved(self, problem: _Problem, changes: Changes) -> bool:
        left = self._problems(changes)
        if left is None or problem in left:
            return False
        before, after = _rejected(self.problems), _rejected(left)
        if problem.code == "unusual":  # no reason to have something rejected
            return after <= before and len(left) <= len(self.problems)
        return len(after) <= len(before)

    def _problems(self, changes: Changes) -> set[_Problem] | None:
        """Return what the class rejects and what is unusual, rows apart.

        None where the class requires a value that is missing.
        """
        values = self.values
        for path, (_, value) in changes.items():
            values = changed(values, path, value)
        rejected = self.schema.rejections(values)
        if rejected is None:
            return None
        found = {
            _Problem(one.code, one.field, re.sub(r"[\d.,'\s-]+", " ", one.message))
            for one in rejected
        }
        unusual = self.schema.unusual(values, rows=False)
        return found | {
            _Problem(one.code, one.field, one.message) for one in unusual if one.code == "unusual"
        }

    def _text(self, changes: Changes) -> str:
        answer = self.answer
        for path, (printed, _) in changes.items():
            answer = changed(answer, path, printed)
        return self.schema.target(answer)


def _rejected(problems: Collection[_Problem]) -> set[_Problem]:
    return {one for one in problems if one.code != "unusual"}


def _places(text: str, paths: Mapping[Path, Any]) -> list[tuple[int, int]]:
    wanted = {".".join(path) for path in paths}
    return [span for path, span in spans(text) if path in wanted]


def _typed(node: ObjectNode, answer: Any, path: Path = ()) -> Iterator[tuple[Path, FieldType]]:
    """Yield the single values of an answer that are found by their looks; not those of lists."""
    for where, leaf in _nodes(node, path):
        if leaf.type.copied and leaf.type.typed and at(answer, where) is not None:
            yield where, leaf.type


def _leaves(node: ObjectNode, answer: Any) -> Iterator[tuple[Path, Any]]:
    for where, _ in _nodes(node, ()):
        yield where, at(answer, where)


def _nodes(node: ObjectNode, path: Path) -> Iterator[tuple[Path, LeafNode]]:
    for key, child in node.keys:
        if isinstance(child, ObjectNode):
            yield from _nodes(child, (*path, key))
        elif isinstance(child, LeafNode):
            yield (*path, key), child
