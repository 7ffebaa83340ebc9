"""Rules learned from the labels: which place of a document is the value of a field.

For each field a log-linear model chooses among the candidates and "none of them". It knows of a
candidate only what a person would write a rule about: words to the left, right, above and below,
place on the page, order and size among the other candidates, looks. So it stands for the best that
rules can do on a corpus, without anybody having to write them, and it reads a document in
milliseconds. Conditional log-linear ranking: Denis and Baldridge 2007, "A ranking approach to
pronoun resolution", with "none" as one more candidate.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from extractor.document import Document
from extractor.errors import CorpusError, MissingExtra
from extractor.fields import FieldType, Locale
from extractor.pipeline import Source
from extractor.schema import AnySchema, LeafNode, ListNode
from training.methods.candidates import (
    TEXT_KINDS,
    Candidate,
    Sheet,
    finder,
    is_text,
    key_of,
    looks,
    ranks,
)
from training.methods.known import (
    Answer,
    Known,
    as_document,
    assembled,
    at,
    is_known,
    single_fields,
)

try:
    import numpy as np
    import numpy.typing as npt
except ImportError as error:
    raise MissingExtra(
        f"learned rules need {error.name}", hint='run: pip install "fieldwright[model]"'
    ) from error

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_KINDS = ("piece", "head", "tail", "names", "lines", "seen")
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class InduceConfig:
    """How rules are learned.

    :param least: so many groups of training documents must show a clue, or it is not learned: what
        only one seller prints is no rule.
    :param penalty: of the squared weights (L2), for each training document.
    :param steps: of Adam, each over all documents.
    :param negatives: wrong candidates of a document that are learned from; of more a part is drawn.
    :param seed: of that draw.
    """

    least: int = 3
    penalty: float = 0.002
    steps: int = 120
    negatives: int = 150
    seed: int = 0


@dataclass(frozen=True, slots=True)
class FieldRules:
    """What was learned for one field.

    :param kinds: of candidates that values of the training documents were, see `candidates.Kind`.
    :param weights: by clue; a candidate's score is the sum over its clues.
    :param none: score of "none of them".
    :param constant: the answer where values are chosen and not read, in canonical JSON form.
    :param seen: values that several training labels have, casefolded.
    """

    kinds: frozenset[str]
    weights: Mapping[str, float] = field(default_factory=dict)
    none: float = 0.0
    constant: Any = None
    seen: tuple[str, ...] = ()

    def clues(self, most: int = 6) -> list[str]:
        """Return the clues that speak most for a place, the strongest first."""
        ranked = sorted(self.weights.items(), key=lambda item: -item[1])
        return [clue for clue, weight in ranked[:most] if weight > 0]


class Induced:
    """Rules that were induced; made by `induce` or `load`."""

    def __init__(self, schema: AnySchema, rules: Mapping[str, FieldRules]) -> None:
        self.schema = schema
        self.rules = dict(rules)
        self._patterns = {path: _pattern(rule.seen) for path, rule in self.rules.items()}

    def extract(self, source: Source, *, name: str | None = None) -> Answer:
        """Choose a place for each field. :raises DocumentError: if the source gives no text."""
        document = as_document(source, name)
        return self.answer(document, Locale.of(document.text))

    def answer(self, document: Document, locale: Locale) -> Answer:
        """Choose a place for each field of a document that was read."""
        sheet = Sheet(document, locale)
        found: dict[str, Any] = {}
        confidence: dict[str, float] = {}
        for path, node in single_fields(self.schema):
            if path not in self.rules:
                continue
            value, probability = self._choose(sheet, path, node)
            if value is not None:
                found[path], confidence[path] = value, probability
        return Answer(assembled(self.schema, found), confidence=confidence)

    def _choose(self, sheet: Sheet, path: str, node: LeafNode | ListNode) -> tuple[Any, float]:
        rule, kind = self.rules[path], _type(node)
        if rule.constant is not None:
            return kind.from_json(rule.constant), 1.0
        candidates = _candidates(sheet, kind, rule.kinds, self._patterns[path])
        if not candidates:
            return None, 1.0
        scores = np.array([
            sum(rule.weights.get(clue, 0.0) for clue in clues)
            for clues in _said(sheet, candidates)
        ])  # fmt: skip
        if isinstance(node, ListNode):
            return _several(candidates, scores - rule.none)
        return _one(candidates, scores, rule.none)

    def save(self, path: Path) -> None:
        """Write the rules as JSON; the words in it are of the training documents."""
        rules = {
            name: {
                "kinds": sorted(rule.kinds),
                "none": rule.none,
                "constant": rule.constant,
                "seen": list(rule.seen),
                "weights": {clue: round(weight, 4) for clue, weight in rule.weights.items()},
            }
            for name, rule in self.rules.items()
        }
        content = {"format": _FORMAT, "schema": self.schema.fingerprint, "fields": rules}
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def load(path: Path, schema: AnySchema) -> Induced:
    """Read what `Induced.save` wrote.

    :raises CorpusError: if it is none, or of another schema.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT or content["schema"] != schema.fingerprint:
            raise ValueError("of another format or schema")
        rules = {
            name: FieldRules(
                frozenset(rule["kinds"]), rule["weights"], rule["none"], rule["constant"],
                tuple(rule["seen"]),
            )
            for name, rule in content["fields"].items()
        }  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorpusError(
            f"rules {path}: cannot be used: {error}", hint="make them again with extractor advise"
        ) from error
    return Induced(schema, rules)


def induce(
    schema: AnySchema, known: Sequence[Known], config: InduceConfig | None = None
) -> Induced:
    """Learn rules from labelled documents.

    :param known: training documents and nothing else.
    """
    config = config or InduceConfig()
    sheets = [Sheet(item.document, item.locale) for item in known]
    rules: dict[str, FieldRules] = {}
    for path, node in single_fields(schema):
        cases = [
            (item, sheet) for item, sheet in zip(known, sheets, strict=True) if is_known(item, path)
        ]
        rule = _learn(path, node, cases, config)
        if rule is not None:
            rules[path] = rule
    return Induced(schema, rules)


# ---------------------------------------------------------------- candidates of a field


def _type(node: LeafNode | ListNode) -> FieldType:
    leaf = node.item if isinstance(node, ListNode) else node
    assert isinstance(leaf, LeafNode)
    return leaf.type


def _candidates(
    sheet: Sheet, kind: FieldType, kinds: frozenset[str], seen: re.Pattern[str] | None
) -> list[Candidate]:
    find = finder(kind)
    if find is not None:
        return sheet.typed(kind, find)
    return sheet.texts(kinds, seen) if is_text(kind) else []


def _said(
    sheet: Sheet, candidates: Sequence[Candidate], chosen: Iterable[int] | None = None
) -> list[list[str]]:
    """Return the clues of each candidate, or of those whose indices are given."""
    among = ranks(candidates)
    said: list[list[str]] = []
    for index in range(len(candidates)) if chosen is None else chosen:
        candidate = candidates[index]
        own = looks(" ".join(sheet.text[candidate.start : candidate.end].split()), candidate.kind)
        clues = [*sheet.said(candidate), *own, *among[index]]
        # An anchor counts otherwise for the last or the largest amount than for the others.
        strong = [clue for clue in among[index] if clue in ("rank:last", "size:0", "rank:0")]
        words = [clue for clue in clues if clue.startswith("left:")]
        said.append([*clues, *(f"{word}&{clue}" for word in words for clue in strong)])
    return said


def _pattern(seen: Sequence[str]) -> re.Pattern[str] | None:
    if not seen:
        return None
    ranked = sorted(seen, key=lambda value: -len(value))
    words = "|".join(r"\s+".join(map(re.escape, value.split())) for value in ranked)
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)


def _one(candidates: Sequence[Candidate], scores: Floats, none: float) -> tuple[Any, float]:
    """Return the value with the largest probability over all its places, or None."""
    top = max(float(scores.max()), none)
    shares = np.exp(scores - top)
    total = float(shares.sum() + np.exp(none - top))
    by_value: dict[str, float] = defaultdict(float)
    for candidate, share in zip(candidates, shares, strict=True):
        by_value[candidate.key] += float(share) / total
    best = max(by_value, key=lambda value: by_value[value])
    if by_value[best] <= float(np.exp(none - top)) / total:
        return None, 1 - by_value[best]
    places = [i for i, c in enumerate(candidates) if c.key == best]
    return candidates[max(places, key=lambda i: scores[i])].value, by_value[best]


def _several(candidates: Sequence[Candidate], scores: Floats) -> tuple[Any, float]:
    """Return all values likelier than not, each once, in the order of the document."""
    taken: dict[str, Any] = {}
    chances: list[float] = []
    end = -1
    ranked = sorted(range(len(candidates)), key=lambda i: -scores[i])
    kept = sorted(i for i in ranked if scores[i] > 0)
    for i in kept:
        candidate = candidates[i]
        key = candidate.key
        if key and key not in taken and candidate.start >= end:
            taken[key] = candidate.value
            chances.append(float(1 / (1 + np.exp(-scores[i]))))
            end = candidate.end
    return (list(taken.values()), min(chances)) if taken else (None, 1.0)


# ---------------------------------------------------------------- learning


@dataclass(slots=True)
class _Table:
    """Candidates of all training documents of a field, as one long table.

    :param rows: clues of each candidate.
    :param document: of each candidate.
    :param right: whether it is the labelled value.
    :param offset: added to its score, for wrong candidates that stand for others not drawn.
    :param null: by document, whether the label says that there is none.
    :param group: by document.
    """

    rows: list[list[str]] = field(default_factory=list)
    document: list[int] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    offset: list[float] = field(default_factory=list)
    null: list[bool] = field(default_factory=list)
    group: list[str] = field(default_factory=list)


def _learn(
    path: str,
    node: LeafNode | ListNode,
    cases: Sequence[tuple[Known, Sheet]],
    config: InduceConfig,
) -> FieldRules | None:
    """Return the rules of a field, None where its labels teach nothing."""
    kind = _type(node)
    labels = [at(item.values, path) for item, _ in cases]
    if not any(label not in (None, []) for label in labels):
        return None
    if finder(kind) is None and not is_text(kind):
        return None if isinstance(node, ListNode) else _majority(kind, labels)
    seen = _frequent(labels) if is_text(kind) else ()
    kinds = _useful_kinds(kind, cases, labels, _pattern(seen)) if is_text(kind) else frozenset()
    if is_text(kind) and not kinds:
        return None
    table = _tabulate(kind, kinds, _pattern(seen), cases, labels, config)
    if not any(table.right):
        return None
    weights, none = _fit(table, config, several=isinstance(node, ListNode))
    return FieldRules(kinds, weights, none, seen=seen)


def _majority(kind: FieldType, labels: Sequence[Any]) -> FieldRules | None:
    """Return the commonest value of a choice as a constant; None if that is null."""
    counts = Counter(json.dumps(kind.to_json(v)) if v is not None else "null" for v in labels)
    value = json.loads(counts.most_common(1)[0][0])
    return None if value is None else FieldRules(frozenset(), constant=value)


def _values(label: Any) -> list[Any]:
    if label is None:
        return []
    return list(label) if isinstance(label, list | tuple | set | frozenset) else [label]


def _frequent(labels: Sequence[Any], least: int = 3, most: int = 300) -> tuple[str, ...]:
    counts = Counter(
        " ".join(str(value).casefold().split()) for label in labels for value in set(_values(label))
    )
    return tuple(value for value, n in counts.most_common(most) if n >= least and value)


def _useful_kinds(
    kind: FieldType,
    cases: Sequence[tuple[Known, Sheet]],
    labels: Sequence[Any],
    seen: re.Pattern[str] | None,
) -> frozenset[str]:
    """Return the kinds of candidates that are the label often enough to be worth their number."""
    hits: Counter[str] = Counter()
    wanted = 0
    for (_, sheet), label in zip(cases, labels, strict=True):
        values = _values(label)
        wanted += bool(values)
        for one in TEXT_KINDS:
            found = sheet.texts(frozenset([one]), seen)
            hits[one] += any(_is(kind, c, values) for c in found)
    least = max(1.0, 0.02 * wanted)
    return frozenset(one for one, count in hits.items() if count >= least)


def _is(kind: FieldType, candidate: Candidate, wanted: Sequence[Any]) -> bool:
    if is_text(kind):  # thousands of candidates: the cheap comparison comes first
        wanted = [value for value in wanted if key_of(value) == candidate.key]
    return any(kind.same(candidate.value, value) for value in wanted)


def _tabulate(
    kind: FieldType,
    kinds: frozenset[str],
    seen: re.Pattern[str] | None,
    cases: Sequence[tuple[Known, Sheet]],
    labels: Sequence[Any],
    config: InduceConfig,
) -> _Table:
    table, draw = _Table(), np.random.default_rng(config.seed)
    for (item, sheet), label in zip(cases, labels, strict=True):
        values = _values(label)
        candidates = _candidates(sheet, kind, kinds, seen)
        right = [i for i, c in enumerate(candidates) if _is(kind, c, values)]
        if values and not right:
            continue  # a value that cannot be found teaches nothing about where values stand
        held = set(right)
        wrong = [i for i in range(len(candidates)) if i not in held]
        kept = wrong
        if len(wrong) > config.negatives:
            kept = sorted(draw.choice(wrong, config.negatives, replace=False).tolist())
        offset = float(np.log(len(wrong) / len(kept))) if kept else 0.0
        chosen = [*right, *kept]
        table.rows += _said(sheet, candidates, chosen)
        table.document += [len(table.null)] * len(chosen)
        table.right += [True] * len(right) + [False] * len(kept)
        table.offset += [0.0] * len(right) + [offset] * len(kept)
        table.null.append(not values)
        table.group.append(item.group)
    return table


def _fit(table: _Table, config: InduceConfig, *, several: bool) -> tuple[dict[str, float], float]:
    """Maximise the likelihood of the labels; Adam over all documents at once.

    :param several: whether each candidate is right or wrong by itself, as the items of a list are;
        else one of a document's candidates is right, or none.
    :returns: weight by clue, and the score of "none".
    """
    names = _clues(table, config.least)
    index = {name: i for i, name in enumerate(names)}
    flat = [[index[clue] for clue in row if clue in index] for row in table.rows]
    sizes: Ints = np.array([len(row) for row in flat], dtype=np.int64)
    columns: Ints = np.array([i for row in flat for i in row], dtype=np.int64)
    owner: Ints = np.repeat(np.arange(len(flat)), sizes)
    document: Ints = np.array(table.document, dtype=np.int64)
    right: Floats = np.array(table.right, dtype=np.float64)
    offset: Floats = np.array(table.offset, dtype=np.float64)
    null: Floats = np.array(table.null, dtype=np.float64)
    share = _shares(table.group)
    weights: Floats = np.zeros(len(names) + 1)
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, config.steps + 1):
        scores = np.bincount(owner, weights[columns], len(flat)) + offset
        if several:
            slope = _slope_of_each(scores, weights[-1], right) * share[document]
            on_none = -float(slope.sum())
        else:
            slope, by_document = _slope_of_one(scores, weights[-1], right, null, document)
            slope, on_none = slope * share[document], float((by_document * share).sum())
        gradient = np.append(np.bincount(columns, slope[owner], len(names)), on_none)
        gradient[:-1] += 2 * config.penalty * weights[:-1]
        first = 0.9 * first + 0.1 * gradient
        second = 0.99 * second + 0.01 * gradient**2
        rate = 0.2 * (1 - step / (config.steps + 1))
        unbiased = first / (1 - 0.9**step), second / (1 - 0.99**step)
        weights -= rate * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)
    return dict(zip(names, weights[:-1].tolist(), strict=True)), float(weights[-1])


def _clues(table: _Table, least: int) -> list[str]:
    """Return the clues that enough groups show; of few groups fewer are enough."""
    shown = {
        (table.group[number], clue)
        for number, row in zip(table.document, table.rows, strict=True)
        for clue in row
    }
    holders = Counter(clue for _, clue in shown)
    enough = min(least, max(1, len(set(table.group)) // 5))
    return sorted(clue for clue, count in holders.items() if count >= enough)


def _slope_of_one(
    scores: Floats, none: float, right: Floats, null: Floats, document: Ints
) -> tuple[Floats, Floats]:
    """Return the loss's slope by score, and by document that by the score of none.

    One of a document's candidates is right, or none. Shapes: scores, right, document
    [candidates]; null [documents].
    """
    top = np.full(len(null), none)
    np.maximum.at(top, document, scores)
    raised = np.exp(scores - top[document])
    raised_none = np.exp(none - top)
    all_of = np.bincount(document, raised, len(null)) + raised_none
    right_of = np.bincount(document, raised * right, len(null)) + raised_none * null
    expected = raised / all_of[document]
    observed = raised * right / right_of[document]
    return expected - observed, raised_none / all_of - raised_none * null / right_of


def _slope_of_each(scores: Floats, none: float, right: Floats) -> Floats:
    """Return the loss's slope by score, every candidate being right or wrong by itself."""
    slope: Floats = 1 / (1 + np.exp(np.clip(none - scores, -30, 30))) - right
    return slope


def _shares(groups: Sequence[str]) -> Floats:
    """Return how much each document counts; together 1. Large groups count by their square root."""
    sizes = Counter(groups)
    shares: Floats = np.array([sizes[group] ** -0.5 for group in groups], dtype=np.float64)
    shares /= shares.sum()
    return shares
