"""Documents longer than the context: where they are cut, and how the answers become one record.

Windows are whole lines, with an overlap, so that a value is not cut in two. Only a line that is
longer than a whole window is cut inside, at a space where it has one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from extractor.fields import Locale
from extractor.schema import (
    AnySchema,
    ConstNode,
    LeafNode,
    ListNode,
    MapNode,
    Node,
    NullNode,
    ObjectNode,
    TupleNode,
)


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a document's text: offsets into `Document.text`, end exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class WindowConfig:
    """How documents are cut.

    :param window_tokens: most tokens of document text in one prompt. 1,600 holds seven of eight
        real invoices whole, and memory and time per token still grow slowly there.
    :param overlap_tokens: tokens of whole lines that two neighbours share.
    """

    window_tokens: int = 1600
    overlap_tokens: int = 160

    def __post_init__(self) -> None:
        """Refuse windows that could not move forward."""
        if not 0 <= self.overlap_tokens <= self.window_tokens // 2:
            raise ValueError(
                "overlap_tokens must be between 0 and half of window_tokens "
                f"({self.window_tokens // 2}), was: {self.overlap_tokens}"
            )


def cut(text: str, config: WindowConfig, count: Callable[[str], int]) -> list[Window]:
    """Cut a text into windows of whole lines.

    :param count: length of a piece of text in tokens.
    :returns: windows in order; together they cover the text, and each begins after its neighbour.
    """
    lines = _lines(text, config, count)
    windows: list[Window] = []
    first = 0
    while first < len(lines):
        last, used = first, 0
        while last < len(lines) and (
            last == first or used + lines[last][2] <= config.window_tokens
        ):
            used += lines[last][2]
            last += 1
        windows.append(Window(lines[first][0], lines[last - 1][1]))
        if last == len(lines):
            break
        back, shared = last, 0
        while back - 1 > first and shared + lines[back - 1][2] <= config.overlap_tokens:
            back -= 1
            shared += lines[back][2]
        first = back
    return windows or [Window(0, 0)]


def _lines(
    text: str, config: WindowConfig, count: Callable[[str], int]
) -> list[tuple[int, int, int]]:
    """Return (start, end, tokens) of each line, its newline included."""
    lines: list[tuple[int, int, int]] = []
    start = 0
    for line in text.splitlines(keepends=True):
        lines.extend(_pieces(line, start, config.window_tokens, count))
        start += len(line)
    return lines


def _pieces(
    line: str, start: int, most: int, count: Callable[[str], int]
) -> list[tuple[int, int, int]]:
    tokens = count(line)
    if tokens <= most or len(line) < 2:
        return [(start, start + len(line), tokens)]
    middle = len(line) // 2
    space = line.rfind(" ", 1, middle)
    at = space + 1 if space > 0 else middle
    return [
        *_pieces(line[:at], start, most, count),
        *_pieces(line[at:], start + at, most, count),
    ]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one window said.

    :param printed: the parsed JSON of the window's answer.
    :param probability: of the answer by path, 0..1; top-level fields decide between windows.
    :param window: where the window lies.
    :param text: the whole document's text.
    """

    printed: Mapping[str, Any]
    probability: Mapping[str, float]
    window: Window
    text: str


def merge(schema: AnySchema, answers: Sequence[Answer]) -> tuple[dict[str, Any], dict[str, int]]:
    """Make one answer of the windows' answers; a single answer stays as it is.

    A single value comes from the window that was surest of it; a window that says nothing but null
    has no say where another found something. Rows of lists are joined in document order, without
    rows of nulls only, and rows that stand in the overlap of two windows are counted once. In lists
    of single values a window adds only those that no window before it gave: a party is named on
    every page of a contract. Tuples, whose places have their own meaning, are single values.

    :returns: the printed values, and for each field the index of the window it came from.
    """
    if len(answers) == 1:
        return dict(answers[0].printed), dict.fromkeys(answers[0].printed, 0)
    merged: dict[str, Any] = {}
    source: dict[str, int] = {}
    for name, node in schema.root.keys:
        said = [answer.printed.get(name) for answer in answers]
        found = [i for i, value in enumerate(said) if _is_found(node, value)]
        if isinstance(node, ListNode) and any(isinstance(value, list) for value in said):
            lists = found or [i for i, value in enumerate(said) if isinstance(value, list)]
            join = _join_values if isinstance(node.item, LeafNode) else _join_rows
            merged[name] = join(name, node, [answers[i] for i in lists])
            source[name] = lists[0]
            continue
        # Without any find, a value of a wrong form is kept so that reading it can say so.
        odd = [i for i, value in enumerate(said) if value not in (None, [])]
        best = max(
            found or odd[:1] or [0],
            key=lambda i: (answers[i].probability.get(name, 0.0), -i),
        )
        merged[name], source[name] = said[best], best
    return merged, source


def _is_found(node: Node, value: Any) -> bool:
    """Return whether a leaf of a value is not null; a constant, which the class fixes, is none."""
    if isinstance(node, ConstNode | NullNode):
        return False
    if isinstance(node, LeafNode):
        return value is not None and not isinstance(value, Mapping | list)
    if isinstance(node, ObjectNode):
        return isinstance(value, Mapping) and any(
            _is_found(child, value.get(key)) for key, child in node.keys
        )
    if isinstance(node, ListNode):
        return isinstance(value, list) and any(_is_found(node.item, item) for item in value)
    if isinstance(node, TupleNode):
        return isinstance(value, list) and any(map(_is_found, node.items, value))
    if isinstance(node, MapNode):
        return isinstance(value, Mapping) and any(
            _is_found(node.value, item) for item in value.values()
        )
    return any(_is_found(option, value) for option in node.options)


def _rows(name: str, node: ListNode, answer: Answer) -> list[Any]:
    return [
        row
        for row in answer.printed[name]
        if _is_found(node.item, row) or (row is None and node.null_items)
    ]


def _join_values(name: str, node: ListNode, answers: Sequence[Answer]) -> list[Any]:
    assert isinstance(node.item, LeafNode)
    kind, locale = node.item.type, Locale.of(answers[0].text)

    def read(printed: Any) -> Any:
        try:
            return kind.parse(printed, locale).value
        except ValueError:
            return printed

    values: list[Any] = []
    known: list[Any] = []
    for answer in answers:
        new = [
            value
            for value in _rows(name, node, answer)
            if not any(kind.same(read(value), other) for other in known)
        ]
        values += new
        known += map(read, new)
    return values


def _join_rows(name: str, node: ListNode, answers: Sequence[Answer]) -> list[Any]:
    rows = _rows(name, node, answers[0])
    for before, after in pairwise(answers):
        new = _rows(name, node, after)
        shared = before.text[after.window.start : before.window.end]
        # The longest run of rows that ends the one list and begins the other, as far as the rows
        # can stand in the shared lines; equal rows elsewhere are two rows of the document.
        for length in range(min(len(rows), len(new)), 0, -1):
            if rows[-length:] == new[:length] and _stand_in(new[:length], shared):
                new = new[length:]
                break
        rows.extend(new)
    return rows


def _stand_in(rows: Sequence[Any], text: str) -> bool:
    flat = " ".join(text.split())
    return all(leaf in flat for row in rows for leaf in _strings(row))


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [leaf for item in value.values() for leaf in _strings(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _strings(item)]
    return []
