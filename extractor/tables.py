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
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from extractor.answer import rescored
from extractor.document import Document
from extractor.evidence import Evidence, Wanted, locate_all, occurrences
from extractor.fields import Locale, MoneyType
from extractor.schema import AnySchema, FieldWarning, Leaf, ListNode, ObjectNode

if TYPE_CHECKING:
    from extractor.engine.base import Engine, Output, Request

_CELL = re.compile(r"(\w+)\[(\d+)\]\..+")
_SURE = ("verified", "ambiguous")


def within_tables(
    engine: Engine, request: Request, output: Output
) -> tuple[Output, list[FieldWarning]]:
    """Return an answer without last rows that stand outside of their table.

    :param request: what `output` answers; about the whole document.
    :returns: the answer as it was, and nothing, where all rows stand in their table, or where the
        class wants as many.
    """
    told: list[FieldWarning] = []
    if output.truncated:
        return output, told
    for name, amount in _outside(request, output.text).items():
        answer = json.loads(output.text)
        *rows, last = answer[name]
        text = request.schema.target({**answer, name: rows})
        shorter = rescored(engine, request, text, output)
        if shorter is not None:
            output = shorter
            row = ", ".join(str(value) for value in last.values() if value is not None)
            message = f"a last row was left out, since {amount} stands above it: {row}"
            told.append(FieldWarning(name, "row_outside", message))
    return output, told


def _outside(request: Request, text: str) -> dict[str, str]:
    """Return lists whose last row stands outside of the table, each with the amount above it."""
    schema, shown = request.schema, request.text
    answer = json.loads(text)
    names = set(_tables(schema, answer))
    if not names:
        return {}
    locale = Locale.of(shown)
    leaves = list(schema.leaves(schema.load(text, locale).values))
    evidence = _located(shown, leaves, locale)
    starts = [0, *(index + 1 for index, character in enumerate(shown) if character == "\n")]
    rows: dict[str, dict[int, list[int]]] = {name: {} for name in names}
    for leaf in leaves:
        cell, found = _CELL.fullmatch(leaf.path), evidence[leaf.path]
        if cell is not None and cell[1] in names:
            lines = rows[cell[1]].setdefault(int(cell[2]), [])
            if leaf.value is not None and found.start is not None and found.status in _SURE:
                lines.append(bisect_right(starts, found.start))
    amounts = {
        leaf.path: {
            bisect_right(starts, start)
            for start, _ in occurrences(shown, leaf.type, leaf.value, locale)
        }
        for leaf in leaves
        if "[" not in leaf.path and isinstance(leaf.type, MoneyType) and leaf.value is not None
    }
    ended = {
        name: _end(list(lines.values()), amounts)
        for name, lines in rows.items()
        if len(lines) == len(answer[name])  # else the last of them is not the answer's last
    }
    return {name: path for name, path in ended.items() if path is not None}


def _tables(schema: AnySchema, answer: Mapping[str, Any]) -> Iterable[str]:
    """Yield the lists of an answer of which a last row may be left out."""
    for name, node in schema.root.keys:
        if isinstance(node, ListNode) and isinstance(node.item, ObjectNode):
            rows = answer.get(name) or []
            if len(rows) > max(1, node.min_items) and all(isinstance(row, Mapping) for row in rows):
                yield name


def _located(text: str, leaves: Sequence[Leaf], locale: Locale) -> dict[str, Evidence]:
    wanted = [Wanted(leaf.path, leaf.type, leaf.value) for leaf in leaves]
    return locate_all(Document.from_text(text), wanted, locale=locale)


def _end(rows: Sequence[Sequence[int]], amounts: Mapping[str, set[int]]) -> str | None:
    """Return an amount that stands between the last row and those before it, and nowhere else.

    :param rows: the lines on which the cells of each row stand.
    :param amounts: the lines on which each amount stands.
    """
    *before, last = rows
    known = [_line(lines) for lines in before if lines]
    if not known or not last:
        return None
    above, below = max(known), _line(last)
    cells = {line for lines in rows for line in lines}
    free = {path: lines - cells for path, lines in amounts.items()}
    if any(line >= below for lines in free.values() for line in lines):
        return None
    ends = (path for path, lines in free.items() if lines and min(lines) > above)
    return next(ends, None)


def _line(cells: Sequence[int]) -> int:
    """Return the line on which most cells of a row stand; of equally many the last."""
    counts = Counter(cells)
    return max(counts, key=lambda line: (counts[line], line))
