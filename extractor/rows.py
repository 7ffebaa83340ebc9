"""What usually holds of a row chooses between readings of it.

A row of a table is a line of numbers, and a model that knows the description well may still take
the tax of the row for its total, or the number beside it for its quantity. Where a row's class says
what usually holds of its values (`extractor.usual`) and a row breaks it, other numbers on the row's
own lines are tried in one cell, and the likeliest row of those that hold is taken, if the model
finds it likely enough. A number from elsewhere that no number of the row can stand for is null.
Rows that right records break as well, for a discount or a price per hundred, stay as they are: what
makes them hold hardly ever stands beside them.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from extractor.answer import rescored
from extractor.document import Document
from extractor.evidence import Wanted, locate_all
from extractor.fields import FieldType, Locale
from extractor.schema import AnySchema, FieldWarning, LeafNode, ListNode, ObjectNode, clean
from extractor.spans import beginning, spans
from extractor.usual import has_checks

if TYPE_CHECKING:
    from extractor.engine.base import Engine, Output, Request

_NEAR = 3  # lines that a first row may begin above, and a last one end below
_TRIES = 40  # other rows of an answer that the model is asked about
_LEAST = -8.0  # log of how much less likely than the first row another one may be
_SURE = ("verified", "ambiguous")


def as_usual(engine: Engine, request: Request, output: Output) -> tuple[Output, list[FieldWarning]]:
    """Return the answer with rows read so that what usually holds of them does.

    :param request: what `output` answers; about the whole document.
    :returns: the answer as it was, and nothing, where all rows hold or no other reading does.
    """
    if output.truncated or not any(_tables(request.schema, json.loads(output.text))):
        return output, []
    reading = _Reading(request, output.text)
    others = list(reading.others())[-_TRIES:]
    if not others:
        return output, []
    chosen = _likeliest(engine, request, output.text, others)
    text = reading.text(chosen)
    better = rescored(engine, request, text, output) if chosen else None
    if better is None:
        return output, []
    message = "another value was likelier, but then what usually holds of the row did not"
    return better, [
        FieldWarning(f"{other.row}.{other.key}", "chosen_by_check", message) for other in chosen
    ]


@dataclass(frozen=True, slots=True)
class _Other:
    """Another value for one cell of a row, and the answer with it."""

    row: str
    key: str
    printed: str | None
    text: str


def _likeliest(
    engine: Engine, request: Request, text: str, others: Sequence[_Other]
) -> list[_Other]:
    """Return for each row the other reading that the model finds likeliest, if likely enough."""
    ends = dict(spans(text))
    # From the last row to the first: what comes before a row is shared with what was read before.
    last = max(ends[other.row][1] for other in others)
    asked = [beginning(text, last)]
    asked += [beginning(other.text, dict(spans(other.text))[other.row][1]) for other in others]
    base, *scored = engine.score(request, asked)
    if base is None:
        return []
    best: dict[str, tuple[float, _Other]] = {}
    for other, one in zip(others, scored, strict=True):
        if one is None:
            continue
        cut = len(beginning(text, ends[other.row][1]))
        before = sum(p for p, at in zip(base.logprobs, base.offsets, strict=True) if at < cut)
        gain = sum(one.logprobs) - before
        if gain >= _LEAST and (other.row not in best or gain > best[other.row][0]):
            best[other.row] = gain, other
    return [other for _, other in best.values()]


class _Reading:
    """An answer, and the lines of the text on which its rows stand."""

    def __init__(self, request: Request, text: str) -> None:
        self.schema: AnySchema = request.schema
        self.answer = json.loads(text)
        self.locale = Locale.of(request.text)
        self.values = self.schema.load(text, self.locale).values
        self._page = "\n".join(map(clean, request.text.split("\n")))
        self._lines = self._page.split("\n")
        self._starts = [0, *(i + 1 for i, c in enumerate(self._page) if c == "\n")]
        leaves = [leaf for leaf in self.schema.leaves(self.values) if "[" in leaf.path]
        wanted = [Wanted(leaf.path, leaf.type, leaf.value) for leaf in leaves]
        placed = locate_all(Document.from_text(self._page), wanted, locale=self.locale)
        self._cells = {
            path: bisect_right(self._starts, found.start) - 1
            for path, found in placed.items()
            if found.status in _SURE and found.start is not None
        }

    def others(self) -> Iterator[_Other]:
        """Yield other readings of rows that break what usually holds; the last rows come first."""
        broken = {one.field for one in self.schema.unusual(self.values)}
        for name, node in _tables(self.schema, self.answer):
            lines = self._lines_of(name)
            for index in sorted(lines, reverse=True):
                if f"{name}[{index}]" in broken:
                    yield from self._others(name, index, node, lines[index])

    def text(self, others: Sequence[_Other]) -> str:
        """Return the answer with other values in some cells."""
        answer = {**self.answer}
        for other in others:
            name, index = _place(other.row)
            rows = list(answer[name])
            rows[index] = {**rows[index], other.key: other.printed}
            answer[name] = rows
        return self.schema.target(answer)

    def _others(
        self, name: str, index: int, node: ObjectNode, lines: Sequence[int]
    ) -> Iterator[_Other]:
        row, values = f"{name}[{index}]", self.values[name][index]
        for key, child in node.keys:
            if not isinstance(child, LeafNode) or values.get(key) is None:
                continue
            if not child.type.copied or not child.type.typed:
                continue
            found = [
                (printed, value)
                for printed, value in self._candidates(child.type, lines)
                if not child.type.same(value, values[key]) and self._holds(name, index, key, value)
            ]
            if not found and self._cells.get(f"{row}.{key}", -1) not in lines:
                found = [(None, None)] if self._holds(name, index, key, None) else []
            for printed, _ in found:
                other = _Other(row, key, printed, "")
                yield _Other(row, key, printed, self.text([other]))

    def _holds(self, name: str, index: int, key: str, value: Any) -> bool:
        """Return whether a row holds with another value in one of its cells."""
        rows = [{}] * index + [{**self.values[name][index], key: value}]
        broken = {one.field for one in self.schema.unusual({name: rows})}
        return f"{name}[{index}]" not in broken

    def _candidates(
        self, kind: FieldType, lines: Sequence[int]
    ) -> Iterator[tuple[str | None, Any]]:
        """Yield distinct values of a kind on some lines, as printed and read."""
        seen: list[Any] = []
        text = "\n".join(self._lines[line] for line in lines)
        for start, end in sorted(kind.find(text), key=lambda span: (span[0], -span[1])):
            printed = " ".join(text[start:end].split())
            try:
                value = kind.parse(printed, self.locale).value
            except ValueError:
                continue
            if not any(kind.same(value, other) for other in seen):
                seen.append(value)
                yield printed, value

    def _lines_of(self, name: str) -> dict[int, list[int]]:
        """Return the lines of each row that stands somewhere: where most of it does, and near."""
        cells: dict[int, list[int]] = {}
        for path, line in self._cells.items():
            if path.startswith(f"{name}["):
                cells.setdefault(_place(path.split("].")[0] + "]")[1], []).append(line)
        most = {
            index: max(at, key=lambda line: (at.count(line), -line)) for index, at in cells.items()
        }
        taken = sorted(most.values())
        found = {}
        for index, at in cells.items():
            first = most[index]
            above = max((line for line in taken if line < first), default=first - _NEAR)
            below = min((line for line in taken if line > first), default=first + _NEAR)
            found[index] = sorted({first, *(line for line in at if above < line < below)})
        return found


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


def _place(row: str) -> tuple[str, int]:
    found = re.fullmatch(r"(.+)\[(\d+)\]", row)
    assert found is not None
    return found[1], int(found[2])
