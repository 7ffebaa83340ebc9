"""Rows that stand outside of their table.

Below a table and its totals come notes, bank accounts and whatever else a page may say, and a model
easily takes one line too many for a row. Where a single amount of the record, such as a total,
stands between the last row and the one before it, the table had ended.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from extractor.evidence import Evidence
from extractor.fields import NumberType
from extractor.schema import Leaf

_CELL = re.compile(r"([^.\[]+)\[(\d+)\]\..+")
_SURE = ("verified", "ambiguous")


def stray(leaves: Sequence[Leaf], evidence: Mapping[str, Evidence], text: str) -> dict[str, str]:
    """Return lists whose last row stands outside of the table, with the amount that ends it.

    :param leaves: of a record; `evidence` is theirs, by path.
    :param text: of the document.
    :returns: path of the amount, by name of the list.
    """
    breaks = [index for index, character in enumerate(text) if character == "\n"]
    rows: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    amounts: dict[str, int] = {}
    for leaf in leaves:
        found, cell = evidence[leaf.path], _CELL.fullmatch(leaf.path)
        lines = []
        if leaf.value is not None and found.start is not None and found.status in _SURE:
            lines.append(bisect_right(breaks, found.start))
        if cell is not None:
            rows[cell[1]][int(cell[2])] += lines
        elif lines and isinstance(leaf.type, NumberType):
            amounts[leaf.path] = lines[0]
    ended = {name: _end(lines, amounts) for name, lines in rows.items()}
    return {name: path for name, path in ended.items() if path is not None}


def _end(rows: Mapping[int, Sequence[int]], amounts: Mapping[str, int]) -> str | None:
    """Return the amount that stands between the last row and those before it.

    :param rows: the lines on which the cells of each row stand.
    :param amounts: the line of each amount.
    """
    *before, last = [rows[number] for number in sorted(rows)]
    known = [_line(lines) for lines in before if lines]
    if not known or not last:
        return None
    cells = {line for lines in rows.values() for line in lines}
    between = (
        path
        for path, line in amounts.items()
        if max(known) < line < _line(last) and line not in cells
    )
    return next(between, None)


def _line(cells: Sequence[int]) -> int:
    """Return the line on which most cells of a row stand; of equally many the last."""
    counts = Counter(cells)
    return max(counts, key=lambda line: (counts[line], line))
