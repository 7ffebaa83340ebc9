"""Rules learned from labels: how probably each place of a document is the value of a field.

A rule knows what a person would write one about: words to the left, right, above and below, place
on the page, order and size among the other candidates, looks. `training.methods.induced` learns
them; an adapter keeps them as `rules.json`, and `extractor.combine` weighs them with the model.
Reading a page by rules takes some hundredths of a second and needs no model.

What a rule says of documents of its own training is too sure, so each field keeps what answers to
groups that were left out have shown: `sharpness`, by which its scores are multiplied, and `unseen`,
how often the value is none of its candidates.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, inf, isfinite
from pathlib import Path
from typing import Any

from extractor.candidates import Candidate, Sheet, finder, is_text, looks, ranks
from extractor.errors import AdapterError
from extractor.fields import FieldType, Span
from extractor.schema import AnySchema, LeafNode, ListNode, ObjectNode

FILE = "rules.json"
FORMAT = 2


@dataclass(frozen=True, slots=True)
class FieldRules:
    """What was learned for one field.

    :param kinds: of candidates that values of the training documents were, see `candidates.Kind`.
    :param weights: by clue; a candidate's score is the sum over its clues.
    :param none: score of "none of them".
    :param constant: the answer where values are chosen and not read, in canonical JSON form.
    :param seen: values that labels of several groups have, in lower case.
    :param sharpness: scores are multiplied by it before they become probabilities; None if it was
        not measured, and the probabilities are not to be weighed with those of others.
    :param unseen: probability that the right answer is a value that is no candidate, 0..1.
    """

    kinds: frozenset[str]
    weights: Mapping[str, float] = field(default_factory=dict)
    none: float = 0.0
    constant: Any = None
    seen: tuple[str, ...] = ()
    sharpness: float | None = None
    unseen: float = 0.05

    def clues(self, most: int = 6) -> list[str]:
        """Return the clues that speak most for a place, the strongest first."""
        ranked = sorted(self.weights.items(), key=lambda item: -item[1])
        return [clue for clue, weight in ranked[:most] if weight > 0]


@dataclass(frozen=True, slots=True)
class Trust:
    """How much rules count beside a model; fitted on documents that neither has learned.

    :param weight: the logarithms of their probabilities are multiplied by it.
    :param against_null: by path, what is added to the logarithm of the probability of a value where
        the model answers null. A model that has seen a field empty in most windows of its training
        is surer of null than it is right; what it finds likelier among values stays as it is.
    """

    weight: float = 1.0
    against_null: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot be multiplied and added."""
        if not 0 <= self.weight < inf or not all(map(isfinite, self.against_null.values())):
            raise ValueError("a weight must be 0 or more, and both it and what is added finite")


_STEEP = 500  # of an exponent; what is beyond has probability 0 anyway

Places = tuple[list[Candidate], list[float]]
"""Places that could be a field's value, and the score of each."""


@dataclass(frozen=True, slots=True)
class Chance:
    """A value that rules find in a document.

    :param value: normalised; None for "the document has none".
    :param printed: as it stands where it is likeliest, on one line; None for none.
    :param probability: over all its places, 0..1.
    :param places: where it stands.
    """

    value: Any
    printed: str | None
    probability: float
    places: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """What rules say of a list of single values.

    :param chosen: that are likelier than not, each once, in the order of the document.
    :param known: these and all others that they know, each with its probability, by the key that
        equal values share, see `extractor.candidates`.
    """

    chosen: tuple[Chance, ...]
    known: Mapping[str, Chance]


def within(chances: Sequence[Chance], part: Span) -> list[Chance]:
    """Return what a part of a document may have for a value, the likeliest first.

    A value that stands in the part keeps its probability, wherever else it stands; what the part
    does not show is null in it.
    """
    here = [chance for chance in chances if any(_inside(place, part) for place in chance.places)]
    none = Chance(None, None, max(0.0, 1.0 - sum(chance.probability for chance in here)))
    return sorted([none, *here], key=lambda chance: -chance.probability)


def _inside(place: Span, part: Span) -> bool:
    return part[0] <= place[0] and place[1] <= part[1]


class Rules:
    """Rules of the single values of a schema, by path.

    :param fields: fields that nothing was learned for are not there.
    :param trust: how much they count beside the model. It is not in `rules.json`: an adapter keeps
        it in its manifest, since it belongs to the two of them.

    `types` holds the type of each path that rules can fill, `single` the paths that are no lists,
    in the schema's order.
    """

    def __init__(
        self, schema: AnySchema, fields: Mapping[str, FieldRules], trust: Trust | None = None
    ) -> None:
        self.schema = schema
        self.fields = dict(fields)
        self.trust = trust or Trust()
        nodes = single_fields(schema)
        self.types = {path: leaf_type(node) for path, node in nodes}
        self.single = tuple(path for path, node in nodes if isinstance(node, LeafNode))
        self._patterns = {path: pattern(rule.seen) for path, rule in self.fields.items()}

    def trusted(self, trust: Trust) -> Rules:
        """Return the same rules, counting otherwise beside the model."""
        return Rules(self.schema, self.fields, trust)

    def places(self, sheet: Sheet, path: str) -> Places:
        """Return the places that could be a field's value, and the score of each."""
        rule = self.fields[path]
        found = candidates(sheet, self.types[path], rule.kinds, self._patterns[path])
        weights = rule.weights
        return found, [
            sum(weights.get(clue, 0.0) for clue in clues) for clues in clues_of(sheet, found)
        ]

    def chances(self, sheet: Sheet, path: str) -> list[Chance]:
        """Return what a single value may be, the likeliest first; none is among it."""
        rule = self.fields[path]
        if rule.constant is not None:
            value = self.types[path].from_json(rule.constant)
            return [Chance(value, None, 1.0), Chance(None, None, 0.0)]
        found, scores = self.places(sheet, path)
        top = max([rule.none, *scores])
        shares = [exp((rule.sharpness or 1.0) * (score - top)) for score in (*scores, rule.none)]
        total = sum(shares)
        return _by_value(sheet, found, [share / total for share in shares[:-1]])

    def listed(self, sheet: Sheet, path: str) -> Listed:
        """Return what rules say of a list of single values."""
        found, scores = self.places(sheet, path)
        in_order = sorted(zip(found, scores, strict=True), key=lambda one: (one[0].start, -one[1]))
        best: dict[str, tuple[Candidate, float]] = {}
        chosen: dict[str, Candidate] = {}
        end = -1
        for candidate, score in in_order:
            key = candidate.key
            if not key:
                continue
            if key not in best or score > best[key][1]:
                best[key] = candidate, score
            likely = score > self.fields[path].none and candidate.start >= end
            if likely and key not in chosen:  # of two that overlap the one that begins first
                end = candidate.end
                chosen[key] = candidate
        known = {key: self._item(sheet, path, *one) for key, one in best.items()}
        return Listed(tuple(known[key] for key in chosen), known)

    def _item(self, sheet: Sheet, path: str, candidate: Candidate, score: float) -> Chance:
        rule, place = self.fields[path], (candidate.start, candidate.end)
        printed = " ".join(sheet.text[place[0] : place[1]].split())
        below = min((rule.sharpness or 1.0) * (rule.none - score), _STEEP)
        return Chance(candidate.value, printed, 1 / (1 + exp(below)), (place,))

    def dump(self) -> str:
        """Return the rules as JSON.

        Its words, and the values of labels in it, are those of three groups of documents or more.
        """
        fields = {
            name: {
                "kinds": sorted(rule.kinds),
                "none": rule.none,
                "constant": rule.constant,
                "seen": list(rule.seen),
                "sharpness": rule.sharpness,
                "unseen": rule.unseen,
                "weights": dict(rule.weights),
            }
            for name, rule in self.fields.items()
        }
        content = {
            "format": FORMAT,
            "schema": self.schema.fingerprint,
            "fields": fields,
        }
        return json.dumps(content, ensure_ascii=False, indent=1)


def read(path: Path, schema: AnySchema) -> Rules:
    """Read what `Rules.dump` wrote. :raises AdapterError: if it is none, or of another schema."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT or content["schema"] != schema.fingerprint:
            raise ValueError("of another format or schema")
        return Rules(schema, {name: _field(rule) for name, rule in content["fields"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise AdapterError(
            f"rules {path}: cannot be used: {error}", hint="train or advise again to make new ones"
        ) from error


def _field(rule: Mapping[str, Any]) -> FieldRules:
    sharpness = rule["sharpness"]
    return FieldRules(
        kinds=frozenset(map(str, rule["kinds"])),
        weights={str(clue): float(weight) for clue, weight in rule["weights"].items()},
        none=float(rule["none"]),
        constant=rule["constant"],
        seen=tuple(map(str, rule["seen"])),
        sharpness=None if sharpness is None else float(sharpness),
        unseen=float(rule["unseen"]),
    )


def single_fields(schema: AnySchema) -> list[tuple[str, LeafNode | ListNode]]:
    """Return path and node of the values that rules can fill: leaves, and lists of leaves.

    Rows of nested models are left to models: what belongs to one row is no question of an anchor.
    """
    return list(_fields(schema.root, ""))


def _fields(node: ObjectNode, prefix: str) -> Iterator[tuple[str, LeafNode | ListNode]]:
    for key, child in node.keys:
        if isinstance(child, ObjectNode):
            yield from _fields(child, f"{prefix}{key}.")
        elif isinstance(child, LeafNode) or (
            isinstance(child, ListNode) and isinstance(child.item, LeafNode)
        ):
            yield f"{prefix}{key}", child


def leaf_type(node: LeafNode | ListNode) -> FieldType:
    """Return the type of a single value, or of the items of a list."""
    leaf = node.item if isinstance(node, ListNode) else node
    assert isinstance(leaf, LeafNode)
    return leaf.type


def candidates(
    sheet: Sheet, kind: FieldType, kinds: frozenset[str], seen: re.Pattern[str] | None
) -> list[Candidate]:
    """Return the places that could be a value of a type.

    :param kinds: of candidates, for texts.
    :param seen: finds values that other labels have.
    """
    find = finder(kind)
    if find is not None:
        return sheet.typed(kind, find)
    return sheet.texts(kinds, seen) if is_text(kind) else []


def clues_of(
    sheet: Sheet, found: Sequence[Candidate], chosen: Iterable[int] | None = None
) -> Iterator[list[str]]:
    """Yield the clues of each candidate, or of those whose indices are given."""
    among = ranks(found)
    for index in range(len(found)) if chosen is None else chosen:
        candidate = found[index]
        own = looks(" ".join(sheet.text[candidate.start : candidate.end].split()), candidate.kind)
        clues = [*sheet.said(candidate), *own, *among[index]]
        # An anchor counts otherwise for the last or the largest amount than for the others.
        strong = [clue for clue in among[index] if clue in ("rank:last", "size:0", "rank:0")]
        words = [clue for clue in clues if clue.startswith("left:")]
        yield [*clues, *(f"{word}&{clue}" for word in words for clue in strong)]


def pattern(seen: Sequence[str]) -> re.Pattern[str] | None:
    """Return what finds any of the values as whole words; None for no values."""
    if not seen:
        return None
    ranked = sorted(seen, key=lambda value: -len(value))
    words = "|".join(r"\s+".join(map(re.escape, value.split())) for value in ranked)
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)


def _by_value(
    sheet: Sheet, found: Sequence[Candidate], probabilities: Sequence[float]
) -> list[Chance]:
    """Return the values of candidates with the probability over all their places, and none."""
    places: dict[str, list[int]] = defaultdict(list)
    for index, candidate in enumerate(found):
        places[candidate.key].append(index)
    chances = [Chance(None, None, max(0.0, 1.0 - sum(probabilities)))]
    for inside in places.values():
        best = found[max(inside, key=lambda index: probabilities[index])]
        printed = " ".join(sheet.text[best.start : best.end].split())
        spans = tuple((found[i].start, found[i].end) for i in inside)
        chances.append(Chance(best.value, printed, sum(probabilities[i] for i in inside), spans))
    return sorted(chances, key=lambda chance: -chance.probability)
