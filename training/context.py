"""What stands around the values of each field: which windows of a long document to read first.

Passages that show a value are the relevant ones of relevance feedback, all others of the same
windows the rest; a stem's weight is that of Robertson and Sparck Jones (1976), a log-odds ratio.
The words of the values themselves are left out, and so is what fewer than three groups of
documents share: a name in a few invoices must not travel with the adapter.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import log

from extractor.evidence import occurrences
from extractor.fields import Locale, bare
from extractor.retrieval import Context, FieldContext, Passage, Promise, passages, stems
from extractor.schema import AnySchema, Leaf
from extractor.windows import Window
from training.corpus import LabelledDocument
from training.pairs import Pair
from training.split import group_name, groups

MOST_WORDS = 40
"""Words kept of each field."""
ENOUGH = 20
"""Values that a floor is drawn from; of fewer, none is, and no window is left unread for it."""
LOST = 0.02
"""Share of the values of training that stand in no window above the floor."""
_GROUPS = 3


def learn(
    pairs: Sequence[Pair], schema: AnySchema, labelled: Sequence[LabelledDocument]
) -> Context:
    """Learn from all windows of labelled documents.

    :param pairs: as `training.pairs.build` makes them, those without values included.
    :param schema: of which theirs are parts.
    :param labelled: the documents of the pairs; they tell which are of one group.
    """
    group_of = _groups(labelled, schema)
    by_document: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_document[pair.document].append(pair)
    documents = [_Document.of(parts, group_of[name]) for name, parts in by_document.items()]
    # A floor from the very words that were learned of a document would lie too high for others.
    halves = [documents[0::2], documents[1::2]]
    reached: defaultdict[str, list[float]] = defaultdict(list)
    for others, half in zip(halves, reversed(halves), strict=True):
        learned = Context({name: FieldContext(_words(others, name)) for name in schema.field_names})
        for document in half:
            for name, promise in document.reached(schema, learned):
                reached[name].append(promise)
    return Context(
        {
            name: FieldContext(_words(documents, name), _floor(reached[name]))
            for name in schema.field_names
        }
    )


def _groups(labelled: Sequence[LabelledDocument], schema: AnySchema) -> dict[str, int | None]:
    """Return the group of each document, by id, as documents are split.

    Where some documents tell their group, one that does not may be of any of these: it has none.
    """
    found: dict[str, int | None] = {
        one.id: n for n, group in enumerate(groups(labelled, schema)) for one in group
    }
    nameless = [one.id for one in labelled if group_name(one, schema) is None]
    if len(nameless) < len(labelled):
        found |= dict.fromkeys(nameless)
    return found


def _floor(reached: Sequence[float]) -> float | None:
    return sorted(reached)[int(LOST * len(reached))] if len(reached) >= ENOUGH else None


@dataclass(frozen=True, slots=True)
class _Document:
    """The windows of one document, one behind the other.

    :param shown: by field and value, the window and the place of each time it is shown.
    :param known: by field, the windows that were asked for it.
    """

    group: int | None
    text: str
    windows: list[Window]
    shown: dict[str, dict[str, list[tuple[int, int, int]]]]
    known: dict[str, list[int]]
    passages: list[list[Passage]] = field(default_factory=list)

    @classmethod
    def of(cls, pairs: Sequence[Pair], group: int | None) -> _Document:
        windows: list[Window] = []
        shown: dict[str, dict[str, list[tuple[int, int, int]]]] = {}
        known: dict[str, list[int]] = {}
        at = 0
        for index, pair in enumerate(pairs):
            windows.append(Window(at, at + len(pair.text)))
            for name in pair.schema.field_names:
                known.setdefault(name, []).append(index)
            for leaf, start, end in _places(pair):
                value = shown.setdefault(_top(leaf), {}).setdefault(_key(leaf), [])
                value.append((index, at + start, at + end))
            at += len(pair.text) + 1
        text = "\n".join(pair.text for pair in pairs)
        split = [passages(text, window) for window in windows]
        return cls(group, text, windows, shown, known, split)

    def reached(self, schema: AnySchema, context: Context) -> Iterator[tuple[str, float]]:
        """Yield, for each value of each field, the most that a window with it promises."""
        promise = Promise(self.text, schema, self.windows, context)
        for name, values in self.shown.items():
            for places in values.values():
                yield name, max(promise.of[name][index] for index, _, _ in places)

    def counts(self, name: str) -> tuple[list[frozenset[str]], list[frozenset[str]]]:
        """Return the stems of the passages with a value of a field, without its own, and others."""
        places = [place for places in self.shown.get(name, {}).values() for place in places]
        own = {stem for _, a, b in places for stem, _ in stems(self.text[a:b])}
        near: list[frozenset[str]] = []
        far: list[frozenset[str]] = []
        for index in self.known.get(name, ()):
            for passage in self.passages[index]:
                holds = any(a < passage.end and passage.start < b for _, a, b in places)
                (near if holds else far).append(passage.stems - own)
        return near, far


def _places(pair: Pair) -> Iterator[tuple[Leaf, int, int]]:
    """Yield every place of every value of a window's target."""
    locale = Locale.of(pair.text)
    for leaf in pair.schema.leaves(pair.schema.load(pair.target, locale).values):
        if leaf.value is not None:
            for start, end in occurrences(pair.text, leaf.type, leaf.value, locale):
                yield leaf, start, end


def _top(leaf: Leaf) -> str:
    return leaf.pattern.split(".")[0].split("[")[0]


def _key(leaf: Leaf) -> str:
    """Tell the values of lists apart: each may stand in a window of its own."""
    return (
        bare(json.dumps(leaf.type.to_json(leaf.value), default=str)) if "[]" in leaf.pattern else ""
    )


def _words(documents: Sequence[_Document], name: str) -> Mapping[str, float]:
    """Return the stems that tell most of where a field's values stand, with their weights."""
    near: Counter[str] = Counter()
    far: Counter[str] = Counter()
    holders: defaultdict[str, set[int]] = defaultdict(set)
    relevant = others = 0
    for document in documents:
        with_value, without = document.counts(name)
        relevant, others = relevant + len(with_value), others + len(without)
        near.update(stem for part in with_value for stem in part)
        far.update(stem for part in without for stem in part)
        if document.group is not None:
            for stem in {stem for part in with_value for stem in part}:
                holders[stem].add(document.group)
    weights = {
        stem: log((count + 0.5) / (relevant - count + 0.5))
        - log((far[stem] + 0.5) / (others - far[stem] + 0.5))
        for stem, count in near.items()
        if len(holders[stem]) >= _GROUPS
    }
    telling = sorted(
        (stem for stem in weights if weights[stem] > 0),
        key=lambda stem: (-near[stem] * weights[stem], stem),
    )
    return {stem: round(weights[stem], 3) for stem in telling[:MOST_WORDS]}
