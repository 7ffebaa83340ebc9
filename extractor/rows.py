"""What usually holds of a row chooses between readings of it.

A row of a table is a line of numbers, and a model that knows the description well may still take
the tax of the row for its total, or the number beside it for its quantity. Where the class of a
table's rows says what usually holds of their values (`extractor.usual`) and a row breaks it, other
numbers on the row's own lines are tried in one cell, and the likeliest row of those that hold is
taken, if the model finds it likely enough. Right rows may break it as well, for a discount or a
price per hundred: the model is surer of them, and they stay. No value is ever given up for null.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import inf
from typing import TYPE_CHECKING, Any

from extractor.answer import rescored
from extractor.document import Document
from extractor.evidence import PRINTED, Wanted, locate_all
from extractor.fields import FieldType, Locale
from extractor.schema import AnySchema, FieldWarning, LeafNode, ListNode, ObjectNode, clean
from extractor.spans import beginning, spans
from extractor.usual import has_checks

if TYPE_CHECKING:
    from extractor.engine.base import Engine, Output, Request

_NEAR = 2  # lines that a first row may begin above the line of most of it, and a last one end below
_OTHERS = 6  # other values of one cell
_TRIES = 40  # other rows of an answer that the model is asked about
_LEAST = -6.0  # log of how much less likely than the first row another one may be


def as_usual(engine: Engine, request: Request, output: Output) -> tuple[Output, list[FieldWarning]]:
    """Return the answer with rows read so that what usually holds of them does.

    A model writes rows after the pattern of those before them, so the first are mended first.

    :param request: what `output` answers.
    :returns: the answer as it was, and nothing, where all rows hold or no other reading does.
    """
    if output.truncated or not any(_tables(request.schema, json.loads(output.text))):
        return output, []
    reading = _Reading(request, output.text)
    told: list[FieldWarning] = []
    left = _TRIES
    for row in reading.broken():
        others = list(islice(reading.others(row), left))
        left -= len(others)
        likely = _likely(engine, request, reading.text, row, others) if others else []
        other = next(filter(reading.take, likely), None)
        if other is not None:
            message = f"{other.instead} was likelier, but {row.why}"
            told.append(FieldWarning(f"{row.path}.{other.key}", "chosen_by_check", message))
    better = rescored(engine, request, reading.text, output) if told else None
    return (output, []) if better is None else (better, told)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that breaks what usually holds.

    :param lines: of the page, on which it stands.
    :param why: what does not hold.
    """

    name: str
    index: int
    node: ObjectNode
    lines: Sequence[int]
    why: str

    @property
    def path(self) -> str:
        return f"{self.name}[{self.index}]"


@dataclass(frozen=True, slots=True)
class _Other:
    """Another value for one cell of a row.

    :param text: the answer with it.
    :param instead: what it stands in the place of, as printed.
    """

    key: str
    text: str
    instead: str


def _likely(
    engine: Engine, request: Request, text: str, row: _Row, others: Sequence[_Other]
) -> list[_Other]:
    """Return the readings of a row that the model finds likely enough, the likeliest first."""
    texts = (text, *(other.text for other in others))
    asked = [beginning(one, dict(spans(one))[row.path][1]) for one in texts]
    first, *sums = (
        -inf if one is None else sum(one.logprobs) for one in engine.score(request, asked)
    )
    ranked = sorted(zip(sums, others, strict=True), key=lambda pair: -pair[0])
    return [other for likely, other in ranked if likely >= first + _LEAST > -inf]


class _Reading:
    """An answer that changes as its rows are read again.

    :param text: the answer as it stands.
    """

    def __init__(self, request: Request, text: str) -> None:
        self.schema: AnySchema = request.schema
        self.text = text
        self._locale = Locale.of(request.text)
        self._values = self.schema.load(text, self._locale).values
        self._against = self._said_against(self._values)
        self._page = "\n".join(map(clean, request.text.split("\n")))

    def broken(self) -> list[_Row]:
        """Return the rows that break what usually holds and stand somewhere on the page."""
        tables = list(_tables(self.schema, self._values))
        why = {
            (name, index): told[0].message
            for name, _ in tables
            for index, row in enumerate(self._values[name])
            if (told := self.schema.unusual_row(name, row))
            and all(one.code == "unusual" for one in told)
        }
        cells = self._cells() if why else {}
        return [
            _Row(name, index, node, lines, why[name, index])
            for name, node in tables
            for index, lines in sorted(_lines(name, cells).items())
            if (name, index) in why
        ]

    def others(self, row: _Row) -> Iterator[_Other]:
        """Yield other readings of a row that hold."""
        printed = json.loads(self.text)[row.name][row.index]
        values, places = self._values[row.name][row.index], dict(spans(self.text))
        for key, kind in _numbers(row.node, values):
            fitting = (
                other
                for other, value in self._candidates(kind, row.lines)
                if not kind.same(value, values[key])
                and not self.schema.unusual_row(row.name, {**values, key: value})
            )
            start, end = places[f"{row.path}.{key}"]
            for other in islice(fitting, _OTHERS):
                cell = json.dumps(other, ensure_ascii=False)
                text = self.text[:start] + cell + self.text[end:]
                yield _Other(key, text, str(printed[key]))

    def take(self, other: _Other) -> bool:
        """Change the answer, unless the class has something against it then that it had not."""
        values = self.schema.load(other.text, self._locale).values
        against = self._said_against(values)
        if not against <= self._against:
            return False
        self.text, self._values, self._against = other.text, values, against
        return True

    def _said_against(self, values: Mapping[str, Any]) -> set[tuple[str, str]]:
        """Return which fields the class rejects, and what of the record is not as usual."""
        rejected = {(one.field, one.code) for one in self.schema.rejections(values) or ()}
        unusual = self.schema.unusual(values, rows=False)
        return rejected | {(one.field, one.message) for one in unusual if one.code == "unusual"}

    def _cells(self) -> dict[str, int]:
        """Return on which line each value of a list stands."""
        starts = [0, *(i + 1 for i, c in enumerate(self._page) if c == "\n")]
        leaves = [leaf for leaf in self.schema.leaves(self._values) if "[" in leaf.path]
        wanted = [Wanted(leaf.path, leaf.type, leaf.value) for leaf in leaves]
        placed = locate_all(Document.from_text(self._page), wanted, locale=self._locale)
        return {
            path: bisect_right(starts, found.start) - 1
            for path, found in placed.items()
            if found.status in PRINTED and found.start is not None
        }

    def _candidates(self, kind: FieldType, lines: Sequence[int]) -> Iterator[tuple[str, Any]]:
        """Yield distinct prints of a kind on some lines, and what they read as."""
        page = self._page.split("\n")
        text = "\n".join(page[line] for line in lines)
        for printed in dict.fromkeys(" ".join(text[a:b].split()) for a, b in kind.find(text)):
            try:
                yield printed, kind.parse(printed, self._locale).value
            except ValueError:
                continue


def _numbers(node: ObjectNode, values: Mapping[str, Any]) -> Iterator[tuple[str, FieldType]]:
    """Yield the values of a row that are found by their looks, with their types."""
    for key, child in node.keys:
        if values.get(key) is None or not isinstance(child, LeafNode):
            continue
        if child.type.copied and child.type.typed:
            yield key, child.type


def _tables(schema: AnySchema, answer: Mapping[str, Any]) -> Iterator[tuple[str, ObjectNode]]:
    """Yield the lists of an answer whose rows are of a class that says what usually holds."""
    for name, node in schema.root.keys:
        if (
            isinstance(node, ListNode)
            and isinstance(node.item, ObjectNode)
            and not node.unique  # sets have an order of their own
            and has_checks(node.item.model)
            and answer.get(name)
        ):
            yield name, node.item


def _lines(name: str, cells: Mapping[str, int]) -> dict[int, list[int]]:
    """Return the lines of each row that stands somewhere: where most of it does, and near.

    :param cells: the line of each value.
    """
    rows: dict[int, list[int]] = {}
    for path, line in cells.items():
        row, inside, _ = path.partition("].")
        if inside and row.startswith(f"{name}["):
            rows.setdefault(_place(f"{row}]")[1], []).append(line)
    most = {index: max(at, key=lambda line: (at.count(line), -line)) for index, at in rows.items()}
    found = {}
    for index, at in rows.items():
        first = most[index]
        above = max((line for line in most.values() if line < first), default=first - _NEAR - 1)
        below = min((line for line in most.values() if line > first), default=first + _NEAR + 1)
        found[index] = sorted({first, *(line for line in at if above < line < below)})
    return found


def _place(row: str) -> tuple[str, int]:
    found = re.fullmatch(r"(.+)\[(\d+)\]", row)
    assert found is not None
    return found[1], int(found[2])
