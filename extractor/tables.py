"""Rows that stand outside of their table.

Below a table and its totals come notes, bank accounts and whatever else a page may say, and a model
easily takes one line too many for a row. Where a single amount of the record, such as a total,
stands between the last row and those before it, and none stands below, the table had ended.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from extractor.answer import rescored
from extractor.document import Document
from extractor.evidence import PRINTED, Wanted, locate_all, occurrences
from extractor.fields import Locale, MoneyType
from extractor.schema import AnySchema, FieldWarning, Leaf, ListNode, ObjectNode

if TYPE_CHECKING:
    from extractor.engine.base import Engine, Output, Request


def within_tables(
    engine: Engine, request: Request, output: Output
) -> tuple[Output, list[FieldWarning]]:
    """Return an answer without last rows that stand outside of their table.

    :param request: what `output` answers; about the whole document.
    :returns: the answer as it was, and nothing, where all rows stand in their table, or where the
        class wants the row.
    """
    told: list[FieldWarning] = []
    if output.truncated:
        return output, told
    for name, amount in _outside(request, output.text).items():
        answer = json.loads(output.text)
        *rows, last = answer[name]
        text = request.schema.target({**answer, name: rows})
        if _is_rejected(request, text, output.text):
            continue
        shorter = rescored(engine, request, text, output)
        if shorter is not None:
            output = shorter
            row = ", ".join(str(value) for value in last.values() if value is not None)
            message = f"a last row was left out, since {amount} stands above it: {row}"
            told.append(FieldWarning(name, "row_outside", message))
    return output, told


def _is_rejected(request: Request, text: str, before: str) -> bool:
    """Return whether the class rejects something of an answer that it did not reject before."""
    locale = Locale.of(request.text)
    now, then = (
        request.schema.rejections(request.schema.load(one, locale).values) or []
        for one in (text, before)
    )
    return not {one.field for one in now} <= {one.field for one in then}


def _outside(request: Request, text: str) -> dict[str, str]:
    """Return lists whose last row stands outside of the table, each with the amount above it."""
    answer = json.loads(text)
    names = set(_tables(request.schema, answer))
    if not names:
        return {}
    locale = Locale.of(request.text)
    leaves = list(request.schema.leaves(request.schema.load(text, locale).values))
    page = _Page(request.text, leaves, locale)
    found = {}
    for name in names:
        rows = page.rows(name)
        if len(rows) == len(answer[name]):  # else the last of them is not the answer's last
            found[name] = page.end(rows)
    return {name: path for name, path in found.items() if path is not None}


def _tables(schema: AnySchema, answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lists of an answer of which a last row may be left out."""
    for name, node in schema.root.keys:
        rows = answer.get(name)
        if (
            isinstance(node, ListNode)
            and isinstance(node.item, ObjectNode)
            and not node.unique  # sets have no last row
            and isinstance(rows, list)
            and len(rows) > max(1, node.min_items)
            and all(isinstance(row, Mapping) for row in rows)
        ):
            yield name


class _Page:
    """On which lines of a text the values of an answer stand."""

    def __init__(self, text: str, leaves: Sequence[Leaf], locale: Locale) -> None:
        self._leaves = leaves
        self._starts = [0, *(i + 1 for i, character in enumerate(text) if character == "\n")]
        wanted = [Wanted(leaf.path, leaf.type, leaf.value) for leaf in leaves]
        placed = locate_all(Document.from_text(text), wanted, locale=locale)
        self._cells = {
            leaf.path: (found.start, found.end)
            for leaf in leaves
            if "[" in leaf.path and leaf.value is not None
            for found in [placed[leaf.path]]
            if found.status in PRINTED and found.start is not None and found.end is not None
        }
        taken = set(self._cells.values())
        self._single = {
            leaf.path: [
                place
                for place in occurrences(text, leaf.type, leaf.value, locale)
                if place not in taken
            ]
            for leaf in leaves
            if "[" not in leaf.path
            and isinstance(leaf.value, int | float | Decimal)
            and not isinstance(leaf.value, bool)
        }
        self._money = {leaf.path for leaf in leaves if isinstance(leaf.type, MoneyType)}
        self._value = {leaf.path: leaf.value for leaf in leaves}

    def rows(self, name: str) -> list[dict[str, int]]:
        """Return for each row the lines on which its cells stand, by path."""
        cell = re.compile(rf"{re.escape(name)}\[(\d+)\]\..+")
        rows: dict[int, dict[str, int]] = {}
        for leaf in self._leaves:
            found = cell.fullmatch(leaf.path)
            if found is not None:
                row = rows.setdefault(int(found[1]), {})
                if leaf.path in self._cells:
                    row[leaf.path] = self._line(self._cells[leaf.path][0])
        return list(rows.values())

    def end(self, rows: Sequence[Mapping[str, int]]) -> str | None:
        """Return an amount between the last row and those before it, if no number stands below."""
        *before, last = rows
        known = [_most(row.values()) for row in before if row]
        if not known or not last:
            return None
        above, below = max(known), _most(last.values())
        singles = {
            path: {self._line(start) for start, _ in places}
            for path, places in self._single.items()
        }
        if any(line >= below for lines in singles.values() for line in lines):
            return None
        cells = {line for row in rows for line in row.values()}
        values = [self._value[path] for path in last]
        for path, lines in singles.items():
            free = lines - cells
            own = self._value[path] in values  # it is of the row as well as above it
            if path in self._money and free and min(free) > above and not own:
                return path
        return None

    def _line(self, offset: int) -> int:
        return bisect_right(self._starts, offset)


def _most(lines: Iterable[int]) -> int:
    """Return the line on which most cells of a row stand; of equally many the last."""
    counts = Counter(lines)
    return max(counts, key=lambda line: (counts[line], line))
