"""Documents longer than the context: where they are cut, and how the answers become one record.

Windows are whole lines, with an overlap, so that a value is not cut in two; they end with a page
or a paragraph where one ends in their last quarter. Only a line that is longer than a whole window
is cut inside, at a space where it has one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from extractor.candidates import value_key
from extractor.document import Document
from extractor.evidence import occurrences
from extractor.fields import FieldType, Locale, Span
from extractor.rules import Listed
from extractor.schema import (
    AnySchema,
    ConstNode,
    Leaf,
    LeafNode,
    ListNode,
    MapNode,
    Node,
    NullNode,
    ObjectNode,
    TupleNode,
)

UNGROUNDED = 0.5
"""What the vote of a window counts for a value that does not stand in it, beside 1."""
_RULES = -1
"""Stands for rules among the numbers of windows."""
_LIKELY = 0.5
"""Votes that an item of a list needs: those of windows that show it and leave it out count against
it, so a single window must find it likelier than not."""
# A window may end a quarter early for a page or a paragraph. Less than half, so that the lines
# that two neighbours share never fill a window.
_EARLY = 0.25


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a document's text: offsets into `Document.text`, end exclusive."""

    start: int
    end: int

    def holds(self, place: Span) -> bool:
        """Return whether a place lies wholly in it."""
        return self.start <= place[0] and place[1] <= self.end


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


class _Line(NamedTuple):
    """A line, its newline included, or a piece of one that is longer than a window.

    :param stop: how good a place to end behind it: 2 the end of a page, 1 an empty line, else 0.
    """

    start: int
    end: int
    tokens: int
    stop: int


def cut(document: Document, config: WindowConfig, count: Callable[[str], int]) -> list[Window]:
    """Cut a document into windows of whole lines.

    :param count: length of a piece of text in tokens.
    :returns: windows in order; together they cover the text, but for such in which a person sees
        nothing, and each begins and ends after its neighbour.
    """
    document = document.in_sight()
    lines = _lines(document, config, count)
    windows: list[Window] = []
    first = 0
    while first < len(lines):
        last = _end(lines, first, config)
        windows.append(Window(lines[first].start, lines[last - 1].end))
        if last == len(lines):
            break
        first = _next(lines, first, last, config)
    if document.unseen:
        seen = [one for one in windows if document.text[one.start : one.end].strip()]
        windows = seen or windows[:1]
    return windows or [Window(0, 0)]


def _end(lines: Sequence[_Line], first: int, config: WindowConfig) -> int:
    """Return the line before which a window ends: at its best stop, of equal ones the last."""
    last, used = first, 0
    best, stop = first, 0
    while last < len(lines) and (
        last == first or used + lines[last].tokens <= config.window_tokens
    ):
        used += lines[last].tokens
        last += 1
        if used >= (1 - _EARLY) * config.window_tokens and lines[last - 1].stop >= max(1, stop):
            best, stop = last, lines[last - 1].stop
    return best if stop and last < len(lines) else last


def _next(lines: Sequence[_Line], first: int, last: int, config: WindowConfig) -> int:
    """Return the line at which the next window begins, so that the line after `last` fits in."""
    room = min(config.overlap_tokens, config.window_tokens - lines[last].tokens)
    back, shared = last, 0
    while back - 1 > first and shared + lines[back - 1].tokens <= room:
        back -= 1
        shared += lines[back].tokens
    return back


def _lines(document: Document, config: WindowConfig, count: Callable[[str], int]) -> list[_Line]:
    starts = {page.start for page in document.pages}
    lines: list[_Line] = []
    start = 0
    for line in document.text.splitlines(keepends=True):
        end = start + len(line)
        shown = document.shown(start, end)
        stop = 2 if end in starts else int(shown != "" and not shown.strip())
        pieces = _pieces(document, start, end, config.window_tokens, count)
        lines += [_Line(*piece, stop if piece[1] == end else 0) for piece in pieces]
        start = end
    return lines


def _pieces(
    document: Document, start: int, end: int, most: int, count: Callable[[str], int]
) -> list[tuple[int, int, int]]:
    shown = document.shown(start, end)
    tokens = count(shown) if shown else 0  # what no person sees takes no room
    if tokens <= most or end - start < 2:
        return [(start, end, tokens)]
    middle = start + (end - start) // 2
    space = document.text.rfind(" ", start + 1, middle)
    at = space + 1 if space > 0 else middle
    return [
        *_pieces(document, start, at, most, count),
        *_pieces(document, at, end, most, count),
    ]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one window said.

    :param printed: the parsed JSON of the window's answer.
    :param probability: of the answer by path, 0..1; those of top-level fields are their votes.
    :param window: where the window lies.
    :param text: the whole document's text.
    """

    printed: Mapping[str, Any]
    probability: Mapping[str, float]
    window: Window
    text: str


@dataclass(frozen=True, slots=True)
class Other:
    """A value that other windows gave, and that lost.

    :param value: normalised.
    :param printed: as the document prints it, None where the value is not a copy.
    :param probability: of the window that was surest of it, 0..1; None if unknown.
    :param windows: how many say so.
    :param type: of the value; another option of a union may have won.
    """

    value: Any
    printed: str | None
    probability: float | None
    windows: int
    type: FieldType = field(default_factory=FieldType, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Merged:
    """One answer made of the windows' answers.

    :param printed: values as printed, by field.
    :param source: for each field the index of the window that its value came from.
    :param others: by path, what other windows say of single values, the likeliest first.
    :param unsaid: paths of items that no window gave, but rules: no answer tells of them.
    """

    printed: dict[str, Any]
    source: dict[str, int]
    others: dict[str, tuple[Other, ...]]
    unsaid: set[str] = field(default_factory=set)


def merge(
    schema: AnySchema,
    answers: Sequence[Answer],
    believed: Callable[[str, Any], float] | None = None,
    listed: Callable[[str], Listed | None] | None = None,
    locale: Locale | None = None,
) -> Merged:
    """Make one answer of the windows' answers; a single answer stays as it is.

    Windows vote on a single value with their probabilities: those that give the same normalised
    value add theirs up, one whose window does not show its value counts `UNGROUNDED`, and of equal
    votes the first in the document wins. Rules that were learned from labels have read the whole
    document and weigh each vote. A window that says nothing but null has no say where
    another found something. Tuples, whose places have their own meaning, are single values.

    Rows of lists are joined in document order, without rows of nulls only, and rows that stand in
    the overlap of two windows are counted once. Windows vote on each item of a list of single
    values too: a party is named on many pages of a contract, and a page that shows it and does not
    list it speaks against it.

    :param answers: in document order; between them windows may be missing.
    :param believed: what rules, which have read the whole document, say of a value, by path: the
        votes for it are multiplied by that. None leaves them as they are.
    :param listed: what rules say of a list of single values, by path.
    :param locale: of the document; None infers it from the text of the answers.
    """
    if len(answers) == 1:
        return Merged(dict(answers[0].printed), dict.fromkeys(answers[0].printed, 0), {})
    merged = Merged({}, {}, {})
    locale = locale or Locale.of(answers[0].text)
    for name, node in schema.root.keys:
        said = [answer.printed.get(name) for answer in answers]
        found = [i for i, value in enumerate(said) if _is_found(node, value)]
        if isinstance(node, ListNode) and any(isinstance(value, list) for value in said):
            lists = found or [i for i, value in enumerate(said) if isinstance(value, list)]
            if isinstance(node.item, LeafNode):
                voting = [answers[i] for i, value in enumerate(said) if isinstance(value, list)]
                rules = None if listed is None else listed(name)
                values, own = _join_values(name, node, voting, rules, locale)
                merged.printed[name] = values
                merged.unsaid.update(f"{name}[{place}]" for place in own)
            else:
                merged.printed[name] = _join_rows(name, node, [answers[i] for i in lists])
            merged.source[name] = lists[0]
            continue
        # Without any find, a value of a wrong form is kept so that reading it can say so.
        odd = [i for i, value in enumerate(said) if value not in (None, [])]
        best = (found or odd or [0])[0]
        if len(found) > 1:
            best, others = _vote(schema.only([name]), name, answers, found, believed, locale)
            merged.others.update(others)
        merged.printed[name], merged.source[name] = said[best], best
    return merged


@dataclass(frozen=True, slots=True)
class _Voice:
    """What one window says of a single value.

    :param leaves: the value's leaves that are not null, normalised, by path.
    :param weight: of its vote.
    """

    index: int
    leaves: dict[str, Leaf]
    printed: Mapping[str, str]
    probability: float | None
    weight: float

    def agrees(self, other: _Voice) -> bool:
        return self.leaves.keys() == other.leaves.keys() and all(
            _same(leaf, other.leaves[path]) for path, leaf in self.leaves.items()
        )


def _same(a: Leaf, b: Leaf) -> bool:
    """Return whether two values are equal; those of different options of a union are not."""
    return type(a.type) is type(b.type) and a.type.same(a.value, b.value)


def _vote(
    schema: AnySchema,
    name: str,
    answers: Sequence[Answer],
    found: Sequence[int],
    believed: Callable[[str, Any], float] | None,
    locale: Locale,
) -> tuple[int, dict[str, tuple[Other, ...]]]:
    """Return the window whose value wins, and what lost against it, by path."""
    parties: list[list[_Voice]] = []
    for index in found:
        voice = _voice(schema, name, index, answers[index], locale)
        party = next((known for known in parties if known[0].agrees(voice)), None)
        if party is None:
            parties.append([voice])
        else:
            party.append(voice)

    def votes(party: Sequence[_Voice]) -> float:
        total = sum(voice.weight for voice in party)
        if believed is not None and name in party[0].leaves:
            total *= believed(name, party[0].leaves[name].value)
        return total

    # Sorting keeps the order of the document among equals, as `max` does.
    parties.sort(key=votes, reverse=True)
    winner, *losers = parties
    best = max(winner, key=lambda voice: voice.weight)
    return best.index, _others(best, losers)


def _voice(schema: AnySchema, name: str, index: int, answer: Answer, locale: Locale) -> _Voice:
    loaded = schema.load(json.dumps({name: answer.printed[name]}), locale)
    leaves = {leaf.path: leaf for leaf in schema.leaves(loaded.values) if leaf.value is not None}
    shown = sum(_stands(leaf, answer, locale) for leaf in leaves.values()) / max(1, len(leaves))
    probability = answer.probability.get(name)
    weight = (probability or 0.0) * (UNGROUNDED + (1 - UNGROUNDED) * shown)
    return _Voice(index, leaves, loaded.printed, probability, weight)


def _stands(leaf: Leaf, answer: Answer, locale: Locale) -> bool:
    """Return whether a value stands in the window that gave it."""
    places = occurrences(answer.text, leaf.type, leaf.value, locale)
    return any(map(answer.window.holds, places))


def _others(winner: _Voice, losers: Sequence[Sequence[_Voice]]) -> dict[str, tuple[Other, ...]]:
    others: dict[str, tuple[Other, ...]] = {}
    for party in losers:
        voice = max(party, key=lambda voice: voice.weight)
        for path, leaf in voice.leaves.items():
            won = winner.leaves.get(path)
            if won is None or not _same(leaf, won):
                printed = voice.printed.get(path)
                other = Other(leaf.value, printed, voice.probability, len(party), leaf.type)
                others[path] = (*others.get(path, ()), other)
    return others


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


@dataclass(slots=True)
class _Item:
    """An item of a list of single values.

    :param value: normalised; `printed` is how the first window prints it, or all of its places
        there where equal values may be several.
    :param votes: by window, what it counts for the item; `_RULES` stands for rules.
    """

    value: Any
    printed: list[Any]
    votes: dict[int, float]


def _join_values(
    name: str, node: ListNode, answers: Sequence[Answer], rules: Listed | None, locale: Locale
) -> tuple[list[Any], list[int]]:
    """Return the items that the windows together find likelier than not, in document order.

    A window that lists an item speaks for it with the item's probability; one that shows it and
    lists others, or none, speaks against it with the probability of its whole list. So do rules,
    with what an item's probability by them is above or below one half, twice. Where no item is
    likelier than not, the likeliest that a window lists is given.

    :returns: the items as printed, and the indices of those that no window lists.
    """
    assert isinstance(node.item, LeafNode)
    kind = node.item.type
    items = _said_items(name, kind, answers, locale, null_items=node.null_items)
    said = len(items)
    for chance in () if rules is None else rules.chosen:
        printed = chance.printed if kind.copied else kind.to_json(chance.value)
        value = _read_item(kind, printed, locale)
        known = any(_equal(kind, item.value, value) for item in items)
        if not known and not isinstance(value, _Unread):
            items.append(_Item(value, [printed], {}))
    first = []
    for item in items:
        readable = item.value is not None and not isinstance(item.value, _Unread)
        places = occurrences(answers[0].text, kind, item.value, locale) if readable else []
        first.append(min((start for start, _ in places), default=len(answers[0].text)))
        for index, answer in enumerate(answers):
            shows = any(map(answer.window.holds, places))
            if index not in item.votes and shows:
                item.votes[index] = -answer.probability.get(name, 1.0)
            elif index in item.votes and not shows and item.value is not None:
                item.votes[index] *= UNGROUNDED
        known_as = rules.known.get(value_key(kind, item.value)) if rules and readable else None
        if known_as is not None:
            item.votes[_RULES] = 2 * known_as.probability - 1
    votes = [sum(item.votes.values()) for item in items]
    likely = [number for number, total in enumerate(votes) if total >= _LIKELY]
    if said and not likely:
        likely = [max(range(said), key=votes.__getitem__)]
    if any(number >= said for number in likely):
        likely = sorted(likely, key=votes.__getitem__, reverse=True)[: node.max_items]
        likely.sort(key=first.__getitem__)
    values = [(number, printed) for number in likely for printed in items[number].printed]
    own = [place for place, (number, _) in enumerate(values) if number >= said]
    return [printed for _, printed in values], own


class _Unread(str):
    """The print of an item that is no value of its type; equal to the same print only."""


def _read_item(kind: FieldType, printed: Any, locale: Locale) -> Any:
    try:
        return None if printed is None else kind.parse(printed, locale).value
    except ValueError:
        return _Unread(printed)


def _equal(kind: FieldType, value: Any, other: Any) -> bool:
    if value is None or other is None:
        return value is other
    if isinstance(value, _Unread) or isinstance(other, _Unread):
        return type(value) is type(other) and bool(value == other)
    return kind.same(value, other)


def _said_items(
    name: str, kind: FieldType, answers: Sequence[Answer], locale: Locale, *, null_items: bool
) -> list[_Item]:
    """Return what the windows list, each value once, with the votes of those that list it."""
    items: list[_Item] = []
    for index, answer in enumerate(answers):
        for place, printed in enumerate(answer.printed[name]):
            if printed is None and not null_items:
                continue
            value = _read_item(kind, printed, locale)
            item = next((known for known in items if _equal(kind, known.value, value)), None)
            if item is None:
                item = _Item(value, [], {})
                items.append(item)
            # Names are one however often they are listed; of two equal amounts both count.
            if not item.printed or (kind.typed and next(iter(item.votes)) == index):
                item.printed.append(printed)
            vote = answer.probability.get(f"{name}[{place}]", 1.0)
            item.votes[index] = max(vote, item.votes.get(index, 0.0))
    return items


def _join_rows(name: str, node: ListNode, answers: Sequence[Answer]) -> list[Any]:
    rows = _rows(name, node, answers[0])
    for before, after in pairwise(answers):
        new = _rows(name, node, after)
        # Empty where windows between the two were not read, or gave no row.
        shared = before.text[after.window.start : before.window.end]
        # The longest run of rows that ends the one list and begins the other, as far as the rows
        # can stand in the shared lines; equal rows elsewhere are two rows of the document.
        for length in range(min(len(rows), len(new)) if shared else 0, 0, -1):
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
