"""What a model sees beside the labelled documents as they are, and in which order.

A few dozen sellers teach a model their layouts by heart. Six things work against that:

* synthetic business documents, so that the task is learned, and kept, on many layouts;
* requests for some of the fields, so that it reads the request instead of reciting an order;
* values of one kind exchanged between documents, so that a name cannot be known by heart;
* values taken out of documents, so that "not there" is learned on layouts that mostly have them;
* lines without any value left out, so that no fixed distance can be counted on;
* fields that a document does not have, so that what is asked for is not taken to be there.

Of long documents most windows hold none of the values; only some of those are shown, or a model
would learn little but null.

Serving knows nothing of this: an augmented pair is rendered like any other.
"""

from __future__ import annotations

import json
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from pydantic import Field, create_model

from extractor import fields as vocabulary
from extractor.business import ALIASES, concept_of
from extractor.evidence import occurrences
from extractor.fields import Locale
from extractor.schema import AnySchema, LeafNode, ListNode, Node, ObjectNode, Schema
from training import synthetic
from training.pairs import Pair, extended, subset
from training.synthetic import CONCEPTS, SyntheticDocument, others
from training.synthetic.others import Box
from training.synthetic.words import LABELS

_ENOUGH = 1500  # characters; of a longer text more lines are left out
_TYPES: dict[str, Any] = {  # an Annotated alias has no common static type
    "money": vocabulary.Money,
    "date": vocabulary.IsoDate,
    "identifier": vocabulary.Identifier,
    "text": vocabulary.Verbatim,
    "vat_id": vocabulary.VatId,
    "iban": vocabulary.Iban,
    "currency": vocabulary.Currency,
    "quantity": vocabulary.Quantity,
    "percent": vocabulary.Percent,
}


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """How much is added and changed.

    :param synthetic: number of synthetic documents; None takes 600, or 120 in a run that starts
        from an adapter, where at least half of the schema's fields are ones that synthetic
        documents hold, else none.
    :param subset: share of examples that ask for some of the fields only.
    :param swap: share of labelled examples in which names and numbers are exchanged.
    :param remove: share of labelled examples out of which one or two values are taken.
    :param drop_lines: share of lines without values that are left out, in half of the examples;
        of long texts more, so that most of them are trained on in half of the time. 0 leaves
        none out.
    :param decoys: share of synthetic examples that also ask for a few fields that the document does
        not have, and for some that it has beyond the usual ones. What a labelled document shows
        beyond its labels nobody knows, so none is asked for that.
    :param negatives: most windows that hold none of the values, for each window of the same
        document that holds one, or for the document where none does; each epoch draws others. In
        use the windows that promise a value are read first, so a third of all that training shows
        is nearer to use than the four fifths of a contract.
    :param max_target_tokens: of a target; what a long list has behind them is not learned.
    """

    synthetic: int | None = None
    subset: float = 0.3
    swap: float = 0.5
    remove: float = 0.35
    drop_lines: float = 0.15
    decoys: float = 0.2
    negatives: float = 0.5
    max_target_tokens: int = 256

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        for name in ("subset", "swap", "remove", "drop_lines", "decoys"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must be between 0 and 1 (inclusive), was: {value}")
        if self.negatives < 0:
            raise ValueError(f"negatives must be at least 0, was: {self.negatives}")
        if self.synthetic is not None and self.synthetic < 0:
            raise ValueError(f"synthetic must be at least 0, was: {self.synthetic}")
        if self.max_target_tokens < 16:
            raise ValueError(
                f"max_target_tokens must be at least 16, was: {self.max_target_tokens}"
            )


class Curriculum:
    """The examples of a run, in order; a function of its arguments alone.

    :param pairs: the corpus's pairs, unchanged.
    :param epochs: how often each of them comes.
    :param rehearse: the synthetic documents were learned before, so that a fifth of them is enough
        to keep them from being forgotten.
    """

    def __init__(
        self,
        schema: AnySchema,
        pairs: Sequence[Pair],
        config: AugmentConfig,
        epochs: int,
        seed: int,
        *,
        rehearse: bool = False,
    ) -> None:
        self.schema, self.config, self.seed = schema, config, seed
        self._usual = 120 if rehearse else 600
        self._pairs, self._epochs = list(pairs), epochs
        self._pool = _printed_texts(pairs)

    def pairs(self) -> list[Pair]:
        """Return all examples of the run; synthetic ones stand mostly before the others."""
        draw = random.Random(self.seed)
        placed: list[tuple[float, int, Pair]] = []
        for document in self._synthetic():
            pair = (self.ask if draw.random() < 0.7 else self.ask_any)(document, draw)
            placed.append((0.8 * draw.random(), len(placed), pair))
        for pair, repeats in zip(self._pairs, self._repeats(draw), strict=True):
            for repeat in range(repeats):
                # Each repeat has its own stretch, so no document comes twice in a row.
                place = (repeat + draw.random()) / repeats
                placed.append((place**0.7, len(placed), self._vary(pair, draw)))
        return [pair for _, _, pair in sorted(placed, key=lambda item: item[:2])]

    def _repeats(self, draw: random.Random) -> list[int]:
        """Return how often each pair comes: less often in a large group, more in a small one.

        Forty documents of one template teach little more than ten; what will be met in use is
        rather like the template that stands there once. Windows without values share the places
        that `negatives` leaves to their document, by lot.
        """
        sizes = Counter(pair.group for pair in self._pairs)
        mean = len(self._pairs) / max(1, len(sizes))
        shares = negative_shares(self._pairs, self.config.negatives)
        repeats = []
        for pair, share in zip(self._pairs, shares, strict=True):
            wanted = self._epochs * min(3.0, max(2 / 3, (mean / sizes[pair.group]) ** 0.5))
            repeats.append(round(wanted) if share == 1 else int(share * wanted + draw.random()))
        return repeats

    def _synthetic(self) -> Iterator[SyntheticDocument]:
        count = self.config.synthetic
        if count is None:
            known = len(concepts(self.schema))
            count = self._usual if 2 * known >= len(self.schema.field_names) else 0
        yield from synthetic.documents(count, seed=self.seed)

    def ask(self, document: SyntheticDocument, draw: random.Random) -> Pair:
        """Ask a synthetic document for the schema's fields, or some of them."""
        known = {
            name: concept
            for name, concept in concepts(self.schema).items()
            if concept not in document.unclear
        }
        if not known:
            return self.ask_any(document, draw)
        schema = self.schema.only(list(known))
        nodes = dict(schema.root.keys)
        printed = {
            name: _shape(nodes[name], document.printed[concept]) for name, concept in known.items()
        }
        pair = Pair("synthetic", schema, document.text, schema.target(printed))
        return self._with_more(self._request(pair, draw), document.boxes, draw)

    def ask_any(self, document: SyntheticDocument, draw: random.Random) -> Pair:
        """Ask a synthetic document for fields drawn at random."""
        schema, printed = _drawn_schema(document, draw)
        pair = Pair("synthetic", schema, document.text, schema.target(printed))
        return self._with_more(pair, document.boxes, draw)

    def _with_more(self, pair: Pair, boxes: Mapping[str, Box], draw: random.Random) -> Pair:
        """Ask for further fields: some of a document's other boxes, and some that it lacks."""
        if draw.random() >= self.config.decoys:
            return pair
        known = pair.schema.field_names
        shown = [name for name in boxes if name not in known]
        asked = {
            name: boxes[name] for name in draw.sample(shown, min(len(shown), draw.randint(0, 4)))
        }
        lacking = others.absent(pair.text, {*known, *boxes, *self.schema.field_names})
        most = min(len(lacking), draw.choice((1, 2, 2, 3, 5, 10)))
        for other in draw.sample(lacking, most):
            asked[other.name] = Box(other.kind, None, other.note)
        if not asked:
            return pair
        fields: dict[str, Any] = {}
        for name in draw.sample(list(asked), len(asked)):
            note = asked[name].note if draw.random() < 0.7 else ""
            fields[name] = (_TYPES[asked[name].kind] | None, Field(None, description=note or None))
        more = Schema.of(create_model("More", **fields))
        printed = {name: _shape(node, asked[name].value) for name, node in more.root.keys}
        return extended(pair, more, printed, draw)

    def _vary(self, pair: Pair, draw: random.Random) -> Pair:
        if draw.random() < self.config.swap:
            pair = self._swapped(pair, draw)
        if draw.random() < self.config.remove:
            pair = _without_values(pair, draw)
        if self.config.drop_lines and draw.random() < 0.5:
            beyond = min(0.6, 1 - _ENOUGH / max(1, len(pair.text)))
            pair = _without_lines(pair, max(self.config.drop_lines, beyond), draw)
        return self._request(pair, draw)

    def _request(self, pair: Pair, draw: random.Random) -> Pair:
        names = pair.schema.field_names
        if len(names) < 3 or draw.random() >= self.config.subset:
            return pair
        return subset(pair, draw.sample(names, draw.randint(2, len(names) - 1)))

    def _swapped(self, pair: Pair, draw: random.Random) -> Pair:
        """Exchange names and numbers for those of other documents, in text and target alike."""
        printed = json.loads(pair.target)
        text, changed = pair.text, False
        for name, node in pair.schema.root.keys:
            value = printed[name]
            if not (isinstance(node, LeafNode) and isinstance(value, str) and name in self._pool):
                continue
            other = draw.choice(self._pool[name])
            if draw.random() < 0.5 or other in text or len(value) < 3:
                continue
            replaced = text.replace(value, other)
            if replaced != text:
                text, printed[name], changed = replaced, other, True
        if not changed or pair.unlabelled:
            return pair
        swapped = replace(pair, text=text, target=pair.schema.target(printed))
        return swapped if _is_true(swapped) else pair


def negative_shares(pairs: Sequence[Pair], negatives: float) -> list[float]:
    """Return the share of the epochs in which each pair is shown: 1 for those that hold a value.

    :param negatives: see `AugmentConfig`.
    """
    empty = [pair.empty for pair in pairs]
    without = Counter(pair.document for pair, none in zip(pairs, empty, strict=True) if none)
    holding = Counter(pair.document for pair, none in zip(pairs, empty, strict=True) if not none)
    shares = {
        name: min(1.0, negatives * max(1, holding[name]) / count) for name, count in without.items()
    }
    return [shares[pair.document] if none else 1.0 for pair, none in zip(pairs, empty, strict=True)]


def concepts(schema: AnySchema) -> dict[str, str]:
    """Return which synthetic value stands for which top-level field of a schema."""
    found: dict[str, str] = {}
    for name, node in schema.root.keys:
        concept = concept_of(name)
        if concept not in CONCEPTS:
            continue
        if isinstance(node, LeafNode) and node.type.name == CONCEPTS[concept][0]:
            found[name] = concept
        elif isinstance(node, ListNode) and isinstance(node.item, ObjectNode):
            known = set(_ROW)
            if concept == "line_items" and {key for key, _ in node.item.keys} <= known:
                found[name] = concept
    return found


_PARTIES = ("seller", "buyer", "vendor", "supplier", "customer")
_LISTS = ("line_items", "items", "lines", "positions")
_ROW = {
    "description": vocabulary.Verbatim,
    "quantity": vocabulary.Quantity,
    "unit_price": vocabulary.Money,
    "line_total": vocabulary.Money,
    "article_number": vocabulary.Identifier,
}


def _drawn_schema(
    document: SyntheticDocument, draw: random.Random
) -> tuple[AnySchema, dict[str, Any]]:
    """Return a schema of some concepts, under one of their names and notes, and their prints.

    Names differ from user to user, so no concept may be known by one name only; a part of the
    schemas keeps what belongs to one party in an object of its own.
    """
    scalars = [
        name
        for name, (kind, _) in CONCEPTS.items()
        if kind in _TYPES and name not in document.unclear
    ]
    nested = draw.random() < 0.15
    fields: dict[str, Any] = {}
    printed: dict[str, Any] = {}
    parties: dict[str, dict[str, Any]] = {}
    shown: dict[str, dict[str, Any]] = {}
    for concept in draw.sample(scalars, draw.randint(5, min(14, len(scalars)))):
        kind, notes = CONCEPTS[concept]
        name = concept if draw.random() < 0.6 else draw.choice(_names(concept))
        note = draw.choice([*notes, ""]) or None
        if draw.random() < 0.1 and concept in LABELS[document.language]:
            # A class in the language of its documents; "Nr." alone would not say which number.
            own = others.field_name(draw.choice(LABELS[document.language][concept]))
            name, note = own or name, note or draw.choice(notes)
        if name in fields:
            name = concept
        definition = (_TYPES[kind] | None, Field(None, description=note))
        party, _, part = name.partition("_")
        if nested and party in _PARTIES and part:
            parties.setdefault(party, {})[part] = definition
            shown.setdefault(party, {})[part] = document.printed[concept]
        else:
            fields[name], printed[name] = definition, document.printed[concept]
    for party, parts in parties.items():
        fields[party] = (create_model(party.title(), **parts) | None, None)
        known = any(value is not None for value in shown[party].values())
        printed[party] = shown[party] if known else None
    if draw.random() < 0.25 and "line_items" not in document.unclear:
        keys = draw.sample(list(_ROW), draw.randint(2, len(_ROW)))
        rows: dict[str, Any] = {key: (_ROW[key] | None, None) for key in _ROW if key in keys}
        name = draw.choice(_LISTS)
        row: Any = create_model("Row", **rows)  # a class made here has no static type
        fields[name] = (list[row], Field(default_factory=list))
        printed[name] = document.printed["line_items"]
    schema = Schema.of(create_model("Drawn", **fields))
    return schema, {name: _shape(node, printed[name]) for name, node in schema.root.keys}


def _names(concept: str) -> list[str]:
    """Return the names that a concept may have in a user's class, its own first."""
    return [concept, *(name for name, meant in ALIASES.items() if meant == concept)]


def _shape(node: Node, value: Any) -> Any:
    """Keep the keys of rows that the schema asks for, and of typed values what their type finds."""
    if isinstance(node, ListNode):
        return [_shape(node.item, row) for row in value or []][: node.max_items]
    if isinstance(node, ObjectNode):
        return value and {key: _shape(child, value.get(key)) for key, child in node.keys}
    if isinstance(node, LeafNode) and node.type.typed and value is not None:
        # "19 %" and "14.11.2024 r." hold a value and its unit; decoding emits the value.
        spans = node.type.find(value)
        start, end = max(spans, key=lambda span: span[1] - span[0], default=(0, len(value)))
        return value[start:end]
    return value


def _printed_texts(pairs: Sequence[Pair]) -> dict[str, list[str]]:
    """Return the distinct printed values of free-text and identifier fields over a corpus."""
    pool: dict[str, set[str]] = {}
    for pair in pairs:
        printed = json.loads(pair.target)
        for name, node in pair.schema.root.keys:
            if not isinstance(node, LeafNode) or node.type.name not in ("text", "identifier"):
                continue
            if node.type.copied and isinstance(printed[name], str):
                pool.setdefault(name, set()).add(printed[name])
    return {name: sorted(values) for name, values in pool.items() if len(values) > 4}


def _without_values(pair: Pair, draw: random.Random) -> Pair:
    """Take one or two typed values out of the text, everywhere; their targets become null.

    Half of the time what stands beside a value stays, as on a form whose box was left empty.
    """
    if pair.unlabelled:
        return pair
    locale = Locale.of(pair.text)
    printed = json.loads(pair.target)
    present = [
        (name, node.type)
        for name, node in pair.schema.root.keys
        if isinstance(node, LeafNode) and node.type.typed and isinstance(printed[name], str)
    ]
    for name, kind in draw.sample(present, min(len(present), draw.randint(1, 2))):
        kept = {**json.loads(pair.target), name: None}
        value = kind.parse(printed[name], locale).value
        spans = occurrences(pair.text, kind, value, locale)
        shorter = replace(
            pair,
            text=_cut(pair.text, spans, _words(kept), whole_lines=draw.random() < 0.5),
            target=pair.schema.target(kept),
        )
        if _is_true(shorter):
            pair = shorter
    return pair


def _cut(text: str, spans: Sequence[tuple[int, int]], kept: set[str], *, whole_lines: bool) -> str:
    """Return a text without some spans, or without their lines where these hold nothing kept."""
    lines = text.split("\n")
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    gone: dict[int, list[tuple[int, int]]] = {}
    for start, end in spans:
        for number in range(bisect_right(starts, start) - 1, bisect_right(starts, end - 1)):
            first, last = start - starts[number], end - starts[number]
            gone.setdefault(number, []).append((max(0, first), min(len(lines[number]), last)))
    shown: list[str] = []
    for number, line in enumerate(lines):
        for start, end in sorted(gone.get(number, ()), reverse=True):
            line = line[:start] + line[end:]
        if not (whole_lines and number in gone and not kept & set(line.split())):
            shown.append(line)
    return "\n".join(shown)


def _without_lines(pair: Pair, share: float, draw: random.Random) -> Pair:
    """Leave out lines that hold no part of any value."""
    words = _words(json.loads(pair.target))
    kept = [
        line
        for line in pair.text.split("\n")
        if draw.random() >= share or words & set(line.split())
    ]
    shorter = replace(pair, text="\n".join(kept))
    return shorter if _is_true(shorter) else pair


def _words(printed: Any) -> set[str]:
    return {word for value in _strings(printed) for word in value.split()}


def _is_true(pair: Pair) -> bool:
    """Say whether every copied value of a target still stands in the text, by its own type."""
    locale = Locale.of(pair.text)
    flat = " ".join(pair.text.split())
    for leaf in pair.schema.leaves(json.loads(pair.target)):
        if not leaf.type.copied or leaf.value is None:
            continue
        if not leaf.type.typed:
            if str(leaf.value) not in flat:
                return False
            continue
        value = leaf.type.parse(leaf.value, locale).value
        if not occurrences(pair.text, leaf.type, value, locale):
            return False
    return True


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
