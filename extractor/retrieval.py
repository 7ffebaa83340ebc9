"""Which windows of a long document are read, and in which order.

A window's promise for a field is that of its best passage: the words of the field's name and note,
and the context words that training found near labelled values, weighed as BM25 weighs them. A
passage that holds nothing of a field's type promises nothing, and the constraint would allow
nothing but null there.

Documents of a few windows are read whole. Of others each round reads the best window of each
field that is still wanted:

* a single value is wanted until a window gives it with a probability of at least `SURE`;
* a list is wanted to the end, since its rows may stand anywhere;
* no field is wanted of a window that promises it less than nearly all windows with its values did
  in training (`FieldContext.floor`); without enough training every window that may hold it counts.

So nothing is left unread on a guess about words alone: only what training, or the field's type,
gives a reason for.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any

from extractor.business import ALIASES, concept_of
from extractor.fields import FieldType
from extractor.schema import AnySchema, LeafNode, ListNode, MapNode, Node, ObjectNode
from extractor.windows import Answer, Window

MANY = 4
"""Documents of up to so many windows are read whole."""
SURE = 0.9
"""A value that a window gives with this probability is not looked for in others."""
PASSAGE = 40
"""Words of a passage; the next one begins in its middle."""
_STEM = 6
# What a passage without any telling word promises, if it can hold a value.
_EVEN = 0.01
_WORD = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class FieldContext:
    """What training found around the values of one field.

    :param words: stems that stand near its values more often than elsewhere, with their log-odds.
    :param floor: promise that nearly all windows with its values reach; None if too few were seen.
    """

    words: Mapping[str, float]
    floor: float | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What training found around the values of each field; kept with the adapter as JSON."""

    fields: Mapping[str, FieldContext] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """Return JSON values that `of_json` reads."""
        return {
            name: {"floor": known.floor, "words": dict(known.words)}
            for name, known in self.fields.items()
        }

    @classmethod
    def of_json(cls, content: Mapping[str, Any]) -> Context:
        """Read what `json` wrote. :raises ValueError: if it is something else."""
        try:
            return cls(
                {
                    str(name): FieldContext(
                        {str(word): float(weight) for word, weight in one["words"].items()},
                        None if one["floor"] is None else float(one["floor"]),
                    )
                    for name, one in content.items()
                }
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("no context words") from error


def stems(text: str) -> list[tuple[str, int]]:
    """Return the first letters of each word, case folded, and where it starts.

    Six letters bring together `governed` and `governing` in any language that inflects at the end.
    """
    return [(match[0].casefold()[:_STEM], match.start()) for match in _WORD.finditer(text)]


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of words: offsets into the text, and its distinct stems."""

    start: int
    end: int
    stems: frozenset[str]


def passages(text: str, window: Window) -> list[Passage]:
    """Return the overlapping passages of a window; together they cover it."""
    found = stems(text[window.start : window.end])
    places = [window.start, *(window.start + at for _, at in found[1:])]
    made = []
    for first in range(0, max(1, len(found) - PASSAGE // 2), PASSAGE // 2):
        after = first + PASSAGE
        end = places[after] if after < len(found) else window.end
        part = frozenset(stem for stem, _ in found[first:after])
        made.append(Passage(places[first], end, part))
    return made


class Promise:
    """What each window of a document promises for each field of a schema.

    :param windows: of `text`, in order.
    :param context: what training found; None if nothing.
    """

    def __init__(
        self,
        text: str,
        schema: AnySchema,
        windows: Sequence[Window],
        context: Context | None = None,
    ) -> None:
        self._text = text
        self._context = context or Context()
        self._passages = [passages(text, window) for window in windows]
        self._rarity = _rarity([passage for window in self._passages for passage in window])
        self._starts: dict[FieldType, list[int]] = {}
        notes = dict(schema.root.notes)
        self.of = {
            name: self._of(name, node, notes.get(name, "")) for name, node in schema.root.keys
        }
        """By field: of each window, at least 0; 0 if it can hold no value. Shape: [windows]."""

    def worth(self, name: str) -> list[int]:
        """Return the windows that are worth reading for a field, the best first."""
        known = self._context.fields.get(name)
        least = 0.0 if known is None or known.floor is None else known.floor
        of = self.of[name]
        may = [index for index in range(len(of)) if of[index] > 0 and of[index] >= least]
        return sorted(may, key=lambda index: -of[index])

    def ranking(self) -> list[int]:
        """Return all windows, first the one that promises most for any field."""
        most = {name: max(of, default=0.0) or 1.0 for name, of in self.of.items()}
        return sorted(
            range(len(self._passages)),
            key=lambda index: -max(of[index] / most[name] for name, of in self.of.items()),
        )

    def _of(self, name: str, node: Node, note: str) -> list[float]:
        weights = self._weights(name, node, note)
        kinds = _telling(node)
        return [
            max(
                (
                    _EVEN + sum(weights.get(stem, 0.0) for stem in passage.stems)
                    for passage in window
                    if not kinds or any(self._holds(kind, passage) for kind in kinds)
                ),
                default=0.0,
            )
            for window in self._passages
        ]

    def _weights(self, name: str, node: Node, note: str) -> dict[str, float]:
        """Return what each stem counts: learned ones by their log-odds, others if they are rare."""
        described = {stem for text in _described(name, node, note) for stem, _ in stems(text)}
        known = self._context.fields.get(name)
        rare = {stem: self._rarity.get(stem, 0.0) for stem in described}
        return {**rare, **known.words} if known is not None else rare

    def _holds(self, kind: FieldType, passage: Passage) -> bool:
        """Return whether something that can be of a type begins in a passage."""
        if kind not in self._starts:
            self._starts[kind] = sorted(start for start, _ in kind.find(self._text))
        starts = self._starts[kind]
        first = bisect_left(starts, passage.start)
        return first < len(starts) and starts[first] < passage.end


def read(
    promise: Promise, schema: AnySchema, ask: Callable[[list[int]], Sequence[Answer]]
) -> list[int]:
    """Ask the promising windows, round by round, until nothing is left to gain.

    :param ask: gives the answers of some windows, in their order.
    :returns: the windows that were asked, in the order of the document; at least one.
    """
    wanted = {name: promise.worth(name) for name in schema.field_names}
    nodes = dict(schema.root.keys)
    asked: set[int] = set()
    coming = [] if any(wanted.values()) else promise.ranking()[:1]
    while True:
        for name, order in wanted.items():
            wanted[name] = [index for index in order if index not in asked]
        coming = coming or sorted({order[0] for order in wanted.values() if order})
        if not coming:
            return sorted(asked)
        for answer in ask(coming):
            for name in [name for name in wanted if _settles(nodes[name], name, answer)]:
                del wanted[name]
        asked.update(coming)
        coming = []


def _settles(node: Node, name: str, answer: Answer) -> bool:
    """Return whether an answer gives a field for good; a list never is, nor is half an object."""
    sure = answer.probability.get(name, 0.0) >= SURE
    return sure and _is_full(node, answer.printed.get(name))


def _is_full(node: Node, value: Any) -> bool:
    if isinstance(node, ListNode | MapNode):
        return False
    if isinstance(node, ObjectNode):
        return isinstance(value, Mapping) and all(
            _is_full(child, value.get(key)) for key, child in node.keys
        )
    return value is not None


def _rarity(found: Sequence[Passage]) -> dict[str, float]:
    """Return the inverse document frequency of each stem, passages being the documents."""
    counts = Counter(stem for passage in found for stem in passage.stems)
    return {
        stem: log(1 + (len(found) - count + 0.5) / (count + 0.5)) for stem, count in counts.items()
    }


def _described(name: str, node: Node, note: str) -> Iterator[str]:
    """Yield what a schema says of a field and its parts: names, other names, notes."""
    others = [other for other, concept in ALIASES.items() if concept == concept_of(name)]
    for known in (name, concept_of(name), *others):
        yield _CAMEL.sub(" ", known).replace("_", " ")
    yield note
    if isinstance(node, ListNode):
        yield from _described("", node.item, "")
    elif isinstance(node, ObjectNode):
        notes = dict(node.notes)
        for key, child in node.keys:
            yield from _described(key, child, notes.get(key, ""))


def _telling(node: Node) -> set[FieldType]:
    """Return the types of which a passage must hold a candidate; empty if it may hold none.

    All parts of an object must be of such types, or it might be told by a part that is not. Of
    rows one is enough: hardly a table of prices has rows without any.
    """
    parts = set(_leaf_types(node))
    typed = {kind for kind in parts if kind is not None and kind.copied and kind.typed}
    rows = isinstance(node, ListNode) and isinstance(node.item, ObjectNode)
    return typed if rows or len(typed) == len(parts) else set()


def _leaf_types(node: Node) -> Iterator[FieldType | None]:
    """Yield the types of a node's parts, None for a part that may be of several."""
    if isinstance(node, LeafNode):
        yield node.type
    elif isinstance(node, ListNode):
        yield from _leaf_types(node.item)
    elif isinstance(node, ObjectNode):
        for _, child in node.keys:
            yield from _leaf_types(child)
    else:
        yield None
