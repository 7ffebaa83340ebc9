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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from extractor.candidates import TEXT_KINDS, Candidate, Sheet, finder, is_text, key_of
from extractor.document import Document
from extractor.errors import MissingExtra
from extractor.fields import FieldType, Locale
from extractor.pipeline import Source
from extractor.rules import (
    FieldRules,
    Rules,
    candidates,
    clues_of,
    leaf_type,
    pattern,
    read,
    single_fields,
)
from extractor.schema import AnySchema, LeafNode, ListNode
from training.methods.known import Answer, Known, as_document, assembled, at, is_known

try:
    import numpy as np
    import numpy.typing as npt
except ImportError as error:
    raise MissingExtra(
        f"learned rules need {error.name}", hint='run: pip install "fieldwright[model]"'
    ) from error

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_FOLDS = 5
# By which scores may be multiplied: rules may be too sure of new groups, or not sure enough.
_SHARPNESS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0)
_LEAST_UNSEEN = 0.01
_HALF = 20  # groups
_LEAST_WEIGHT = 0.01  # of a clue; smaller ones change no answer
# Clues that hold words of documents, which those of one sender must not be.
_OF_WORDS = frozenset({"left", "left1", "left2", "right", "right1", "above", "above-first", "below",
                       "first", "last", "has"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class InduceConfig:
    """How rules are learned.

    :param least: so many groups of training documents must show a word or a value, or it is not
        learned: what only one seller prints is no rule, and nobody else's business.
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


class Induced:
    """Answers by rules alone; made by `induce` or `load`."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules

    def extract(self, source: Source, *, name: str | None = None) -> Answer:
        """Choose a place for each field. :raises DocumentError: if the source gives no text."""
        document = as_document(source, name)
        return self.answer(document, document.locale)

    def answer(self, document: Document, locale: Locale) -> Answer:
        """Choose a place for each field of a document that was read."""
        sheet = Sheet(document, locale)
        schema = self.rules.schema
        found: dict[str, Any] = {}
        confidence: dict[str, float] = {}
        for path, node in single_fields(schema):
            if path not in self.rules.fields:
                continue
            if isinstance(node, ListNode):
                items = self.rules.listed(sheet, path).chosen
                value: Any = [item.value for item in items]
                probability = min((item.probability for item in items), default=1.0)
            else:
                best = self.rules.chances(sheet, path)[0]
                value, probability = best.value, best.probability
            if value not in (None, []):
                found[path], confidence[path] = value, probability
        return Answer(assembled(schema, found), confidence=confidence)

    def save(self, path: Path) -> None:
        """Write the rules as JSON; the words in it are of the training documents."""
        path.write_text(self.rules.dump(), encoding="utf-8")


def load(path: Path, schema: AnySchema) -> Induced:
    """Read what `Induced.save` wrote.

    :raises AdapterError: if it is none, or of another schema.
    """
    return Induced(read(path, schema))


def induce(
    schema: AnySchema, known: Sequence[Known], config: InduceConfig | None = None
) -> Induced:
    """Learn rules from labelled documents.

    :param known: training documents and nothing else.
    """
    config = config or InduceConfig()
    return Induced(Rules(schema, _induce(schema, _sheets(known), config)))


def measured(
    schema: AnySchema,
    known: Sequence[Known],
    config: InduceConfig | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Rules:
    """Learn rules, and from groups left out in turn how far their probabilities can be believed.

    :param known: training documents and nothing else. Of fewer than two groups nothing is learned.
    :param progress: called with (rounds done, rounds in all).
    """
    config = config or InduceConfig()
    told = progress or (lambda done, of: None)
    cases = _sheets(known)
    folds = _dealt(known)
    held: dict[str, list[_Held]] = defaultdict(list)
    for number, part in enumerate(folds):
        told(number, len(folds) + 1)
        _hold_out(schema, cases, part, config, held)
    told(len(folds), len(folds) + 1)
    fields = _induce(schema, cases, config) if folds else {}
    told(len(folds) + 1, len(folds) + 1)
    believed = {path: _believed(rule, held.get(path, [])) for path, rule in fields.items()}
    return Rules(schema, believed)


def _dealt(known: Sequence[Known]) -> list[frozenset[str]]:
    """Return groups in folds of about equally many; none where there is only one group."""
    sizes = [group for group, _ in Counter(item.group for item in known).most_common()]
    count = min(_FOLDS, len(sizes))
    return [frozenset(sizes[part::count]) for part in range(count)] if count > 1 else []


Cases = Sequence[tuple[Known, Sheet]]


def _sheets(known: Sequence[Known]) -> Cases:
    return [(item, Sheet(item.document, item.locale)) for item in known]


def _induce(schema: AnySchema, known: Cases, config: InduceConfig) -> dict[str, FieldRules]:
    fields: dict[str, FieldRules] = {}
    for path, node in single_fields(schema):
        cases = [(item, sheet) for item, sheet in known if is_known(item, path)]
        rule = _learn(path, node, cases, config)
        if rule is not None:
            fields[path] = rule
    return fields


@dataclass(frozen=True, slots=True)
class _Held:
    """What rules said of a document of a group that they were not learned from.

    :param margins: score of each answer less that of the best one; of the items of a list less
        that of "none of them". Shape: [answers].
    :param right: indices of the right answer, or items; none where it is no candidate.
    :param several: whether each may be right by itself.
    """

    group: str
    margins: Floats
    right: tuple[int, ...]
    several: bool = False


def _hold_out(
    schema: AnySchema,
    known: Cases,
    part: frozenset[str],
    config: InduceConfig,
    held: dict[str, list[_Held]],
) -> None:
    """Add what rules say of the groups of a part that they were not learned from, by field."""
    rules = Rules(
        schema, _induce(schema, [case for case in known if case[0].group not in part], config)
    )
    for item, sheet in known:
        if item.group in part:
            for path in rules.fields:
                if is_known(item, path):
                    held[path].append(_against(rules, path, item, sheet))


def _against(rules: Rules, path: str, item: Known, sheet: Sheet) -> _Held:
    """Compare what rules say of a document with its label."""
    kind, wanted = rules.types[path], _values(at(item.values, path))
    found, scores = rules.places(sheet, path)
    if path not in rules.single:
        best: dict[str, tuple[Candidate, float]] = {}
        for candidate, score in zip(found, scores, strict=True):
            if candidate.key and score > best.get(candidate.key, (None, -np.inf))[1]:
                best[candidate.key] = candidate, score
        above = np.array([score for _, score in best.values()]) - rules.fields[path].none
        items = (candidate for candidate, _ in best.values())
        right = tuple(i for i, candidate in enumerate(items) if _is(kind, candidate, wanted))
        return _Held(item.group, above, right, several=True)
    margins = np.array([*scores, rules.fields[path].none])
    right = tuple(i for i, c in enumerate(found) if _is(kind, c, wanted))
    return _Held(item.group, margins - margins.max(), right if wanted else (len(found),))


def _believed(rule: FieldRules, held: Sequence[_Held]) -> FieldRules:
    """Return a field's rules with the sharpness that makes the labels left out likeliest.

    Each group counts once, however many documents it has, and few groups prove little: the
    sharpness shrinks as they get fewer, by half at `_HALF` groups.
    """
    inside = [one for one in held if one.right or (one.several and len(one.margins))]
    unseen = max(_LEAST_UNSEEN, (1 + len(held) - len(inside)) / (2 + len(held)))
    if rule.constant is not None or not inside:
        return replace(rule, unseen=unseen)
    sizes = Counter(one.group for one in inside)
    losses = [
        sum(_loss(one, sharpness) / sizes[one.group] for one in inside) for sharpness in _SHARPNESS
    ]
    shrunk = len(sizes) / (len(sizes) + _HALF)
    sharpness = round(_SHARPNESS[int(np.argmin(losses))] * shrunk, 4)
    return replace(rule, sharpness=sharpness, unseen=unseen)


def _loss(held: _Held, sharpness: float) -> float:
    if held.several:
        signs = np.ones(len(held.margins))
        signs[list(held.right)] = -1
        return float(np.logaddexp(0, sharpness * signs * held.margins).sum())
    shares = np.exp(sharpness * held.margins)
    return -float(np.log(shares[list(held.right)].sum() / shares.sum() + 1e-9))


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
    kind = leaf_type(node)
    labels = [at(item.values, path) for item, _ in cases]
    if not any(label not in (None, []) for label in labels):
        return None
    if finder(kind) is None and not is_text(kind):
        return None if isinstance(node, ListNode) else _majority(kind, labels)
    groups = [item.group for item, _ in cases]
    seen = _frequent(labels, groups, config.least) if is_text(kind) else ()
    kinds = _useful_kinds(kind, cases, labels, pattern(seen)) if is_text(kind) else frozenset()
    if is_text(kind) and not kinds:
        return None
    table = _tabulate(kind, kinds, pattern(seen), cases, labels, config)
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


def _frequent(
    labels: Sequence[Any], groups: Sequence[str], least: int, most: int = 300
) -> tuple[str, ...]:
    """Return the values that labels of enough groups have: those of one sender stay with it."""
    shown = {
        (group, " ".join(str(value).lower().split()))
        for label, group in zip(labels, groups, strict=True)
        for value in _values(label)
    }
    counts = Counter(value for _, value in shown)
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
        found = candidates(sheet, kind, kinds, seen)
        right = [i for i, c in enumerate(found) if _is(kind, c, values)]
        if values and not right:
            continue  # a value that cannot be found teaches nothing about where values stand
        held = set(right)
        wrong = [i for i in range(len(found)) if i not in held]
        kept = wrong
        if len(wrong) > config.negatives:
            kept = sorted(draw.choice(wrong, config.negatives, replace=False).tolist())
        offset = float(np.log(len(wrong) / len(kept))) if kept else 0.0
        chosen = [*right, *kept]
        table.rows += clues_of(sheet, found, chosen)
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
    of_effect = {
        name: round(weight, 4)
        for name, weight in zip(names, weights[:-1].tolist(), strict=True)
        if abs(weight) >= _LEAST_WEIGHT
    }
    return of_effect, round(float(weights[-1]), 4)


def _clues(table: _Table, least: int) -> list[str]:
    """Return the clues that enough groups show; of few groups fewer are enough for looks."""
    shown = {
        (table.group[number], clue)
        for number, row in zip(table.document, table.rows, strict=True)
        for clue in row
    }
    holders = Counter(clue for _, clue in shown)
    enough = min(least, max(1, len(set(table.group)) // 5))
    return sorted(
        clue
        for clue, count in holders.items()
        if count >= (least if clue.split(":")[0].split("&")[0] in _OF_WORDS else enough)
    )


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
