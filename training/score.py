"""Comparing an extracted record with its label, field by field, by the field's own type.

A value counts as found if it is the same after normalising. A wrong value is both a false and a
missed one; a value where the document has none is invented. What the label does not know is not
scored. Rows of a list are matched to labelled rows so that most are right; a row is right if every
known value in it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from extractor.schema import AnySchema, LeafNode, ListNode, MapNode, Node, ObjectNode


@dataclass(frozen=True, slots=True)
class Counts:
    """How often what happened to one field.

    :param correct: the same value.
    :param wrong: another value than the labelled one.
    :param missed: null where the label has a value.
    :param invented: a value where the label says that there is none.
    :param absent: null where the label says so too.
    :param exact: of `correct`, those equal to the letter.
    """

    correct: int = 0
    wrong: int = 0
    missed: int = 0
    invented: int = 0
    absent: int = 0
    exact: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Add up two counts."""
        return Counts(
            self.correct + other.correct,
            self.wrong + other.wrong,
            self.missed + other.missed,
            self.invented + other.invented,
            self.absent + other.absent,
            self.exact + other.exact,
        )

    @property
    def labelled(self) -> int:
        """How many labels have a value."""
        return self.correct + self.wrong + self.missed

    @property
    def precision(self) -> float:
        """Share of given values that are right; 0 if none is given."""
        return _ratio(self.correct, self.correct + self.wrong + self.invented)

    @property
    def recall(self) -> float:
        """Share of labelled values that are found."""
        return _ratio(self.correct, self.labelled)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        given = self.correct + self.wrong + self.invented
        return _ratio(2 * self.correct, given + self.labelled)

    @property
    def invention_rate(self) -> float | None:
        """Share of invented values where the document has none; None without such places."""
        places = self.invented + self.absent
        return self.invented / places if places else None


@dataclass(frozen=True, slots=True)
class ScoreCard:
    """Counts by field of one document or of many.

    :param scalars: top-level single values, by name.
    :param lists: lists: of models by rows, of single values as sets.
    :param inner: values inside rows, by pattern such as `line_items[].quantity`.
    """

    scalars: dict[str, Counts] = field(default_factory=dict)
    lists: dict[str, Counts] = field(default_factory=dict)
    inner: dict[str, Counts] = field(default_factory=dict)

    def __add__(self, other: ScoreCard) -> ScoreCard:
        """Add up two cards."""
        return ScoreCard(
            _added(self.scalars, other.scalars),
            _added(self.lists, other.lists),
            _added(self.inner, other.inner),
        )

    @property
    def macro_f1(self) -> float:
        """Mean F1 over the single-value fields that some label has; over lists if there are none.

        A field that no label has cannot be found, only invented: see `invention_rate`.
        """
        fields = [counts for counts in self.scalars.values() if counts.labelled]
        fields = fields or [counts for counts in self.lists.values() if counts.labelled]
        return sum(counts.f1 for counts in fields) / len(fields) if fields else 0.0

    @property
    def invention_rate(self) -> float | None:
        """Share of invented values over all single-value fields."""
        return sum(self.scalars.values(), Counts()).invention_rate

    def to_json(self) -> dict[str, Any]:
        """Return counts and ratios as JSON values."""
        parts = {"scalars": self.scalars, "lists": self.lists, "inner": self.inner}
        return {
            "macro_f1": self.macro_f1,
            "invention_rate": self.invention_rate,
            **{
                part: {name: _json_of(counts) for name, counts in fields.items()}
                for part, fields in parts.items()
            },
        }


def card_of(content: Mapping[str, Any]) -> ScoreCard:
    """Return the card that `ScoreCard.to_json` wrote. :raises KeyError: if it is none."""
    names = ("correct", "wrong", "missed", "invented", "absent", "exact")

    def part(name: str) -> dict[str, Counts]:
        return {
            field: Counts(*(int(counts[key]) for key in names))
            for field, counts in content[name].items()
        }

    return ScoreCard(part("scalars"), part("lists"), part("inner"))


def compare(
    schema: AnySchema,
    predicted: Mapping[str, Any],
    labelled: Mapping[str, Any],
    unverified: frozenset[str] = frozenset(),
) -> ScoreCard:
    """Score one document.

    :param predicted: values by JSON key, as `Extraction.values`.
    :param labelled: values of the label, as `Schema.normalise`; a key that is not there is not
        scored.
    :param unverified: paths that are not scored, with all that is in them.
    """
    card = ScoreCard()
    for name, node in schema.root.keys:
        if name not in labelled or name in unverified:
            continue
        if isinstance(node, ListNode) and isinstance(node.item, ObjectNode):
            _rows(card, name, node.item, predicted.get(name), labelled[name], unverified)
        elif isinstance(node, ListNode):
            card.lists[name] = _set(node.item, predicted.get(name) or [], labelled[name] or [])
        elif isinstance(node, ObjectNode):
            for path, child, a, b in _inside(node, predicted.get(name), labelled[name], name):
                if not is_within(path, unverified):
                    card.scalars[path] = _value(child, a, b)
        else:
            card.scalars[name] = _value(node, predicted.get(name), labelled[name])
    return card


def judge(
    schema: AnySchema,
    predicted: Mapping[str, Any],
    labelled: Mapping[str, Any],
    unverified: frozenset[str] = frozenset(),
) -> dict[str, bool]:
    """Return for each value and null of a record whether it is right, by its path.

    Rows and items are matched to the labelled ones as in `compare`; in a row that matches none,
    each value is wrong. What the label does not know is left out.

    :param predicted: as for `compare`, as are the others.
    """
    right: dict[str, bool] = {}
    for name, node in schema.root.keys:
        if name not in labelled or name in unverified:
            continue
        given, wanted = predicted.get(name), labelled[name]
        if isinstance(node, ListNode) and isinstance(node.item, ObjectNode):
            right |= _judged_rows(name, node.item, given or [], wanted or [], unverified)
        elif isinstance(node, ListNode):
            left = list(wanted or [])
            for index, value in enumerate(given or []):
                match = next((other for other in left if _same(node.item, value, other)), None)
                right[f"{name}[{index}]"] = match is not None
                if match is not None:
                    left.remove(match)
        elif isinstance(node, ObjectNode):
            for path, child, a, b in _inside(node, given, wanted, name):
                if not is_within(path, unverified):
                    right[path] = _is_right(child, a, b)
        else:
            right[name] = _is_right(node, given, wanted)
    return right


def _is_right(node: Node, predicted: Any, labelled: Any) -> bool:
    counts = _value(node, predicted, labelled)
    return bool(counts.correct or counts.absent)


def _judged_rows(
    name: str,
    node: ObjectNode,
    given: Sequence[Any],
    wanted: Sequence[Any],
    unverified: frozenset[str],
) -> dict[str, bool]:
    rows = dict(enumerate(wanted))
    excused = [j for j in rows if f"{name}[{j}]" in unverified]
    for j in excused:
        del rows[j]
    pairs = {i: j for j, i in _matched(name, node, given, rows, unverified)[0].items()}
    unmatched = [i for i in range(len(given)) if i not in pairs]
    right: dict[str, bool] = {}
    for i, row in enumerate(given):
        if i in unmatched[: len(excused)]:
            continue
        other = rows[pairs[i]] if i in pairs else {}
        for key, child in node.keys:
            place = f"{name}[{pairs[i]}].{key}" if i in pairs else ""
            if not is_within(place, unverified):
                value = _is_right(child, (row or {}).get(key), (other or {}).get(key))
                right[f"{name}[{i}].{key}"] = value and i in pairs
    return right


def table(before: ScoreCard | None, after: ScoreCard, titles: tuple[str, str]) -> str:
    """Return a plain-text table of F1 by field, with the difference if there are two cards."""
    header = f"{'field':<28}{'labels':>7}"
    header += f"{titles[0]:>10}{titles[1]:>10}{'change':>9}" if before else f"{titles[1]:>10}"
    lines = [header + f"{'precision':>11}{'recall':>8}{'invented':>10}"]
    parts = [*after.scalars.items(), *((f"{name} (rows)", c) for name, c in after.lists.items())]
    olds = {} if before is None else {
        **before.scalars, **{f"{name} (rows)": c for name, c in before.lists.items()}
    }  # fmt: skip
    for name, counts in parts:
        line = f"{name[:27]:<28}{counts.labelled:>7}"
        old = olds.get(name)
        if before is not None:
            was = old.f1 if old else 0.0
            line += f"{was:>10.3f}{counts.f1:>10.3f}{counts.f1 - was:>+9.3f}"
        else:
            line += f"{counts.f1:>10.3f}"
        places = counts.invented + counts.absent
        invented = f"{counts.invented}/{places}" if places else "-"
        lines.append(line + f"{counts.precision:>11.3f}{counts.recall:>8.3f}{invented:>10}")
    line = f"{'macro F1, single values':<35}"
    if before is not None:
        change = after.macro_f1 - before.macro_f1
        line += f"{before.macro_f1:>10.3f}{after.macro_f1:>10.3f}{change:>+9.3f}"
    else:
        line += f"{after.macro_f1:>10.3f}"
    return "\n".join([*lines, line])


def is_within(path: str, unverified: frozenset[str]) -> bool:
    """Return whether a path, or one that it lies in, is not to be scored."""
    ends = [index for index, character in enumerate(path) if character in ".["]
    return any(path[:end] in unverified for end in (*ends, len(path)))


def _value(node: Node, predicted: Any, labelled: Any) -> Counts:
    if isinstance(node, ListNode | MapNode):
        # An empty list inside a value says the same as null.
        predicted, labelled = predicted or None, labelled or None
    if labelled is None:
        return Counts(absent=1) if predicted is None else Counts(invented=1)
    if predicted is None:
        return Counts(missed=1)
    if not _same(node, predicted, labelled):
        return Counts(wrong=1)
    return Counts(correct=1, exact=int(predicted == labelled))


def _same(node: Node, a: Any, b: Any) -> bool:
    return node.type.same(a, b) if isinstance(node, LeafNode) else bool(a == b)


def _inside(node: ObjectNode, a: Any, b: Any, path: str) -> Iterator[tuple[str, Node, Any, Any]]:
    for key, child in node.keys:
        left = a.get(key) if isinstance(a, Mapping) else None
        right = b.get(key) if isinstance(b, Mapping) else None
        if isinstance(child, ObjectNode):
            yield from _inside(child, left, right, f"{path}.{key}")
        else:
            yield f"{path}.{key}", child, left, right


def _set(item: Node, predicted: Sequence[Any], labelled: Sequence[Any]) -> Counts:
    left = list(labelled)
    correct = exact = 0
    for value in predicted:
        match = next((other for other in left if _same(item, value, other)), None)
        if match is not None:
            left.remove(match)
            correct += 1
            exact += int(match == value)
    return _of_items(len(predicted), len(labelled), correct, exact)


def _of_items(predicted: int, labelled: int, correct: int, exact: int) -> Counts:
    """Return counts for items: pairs of leftovers are wrong, the rest missed or invented."""
    wrong = min(predicted, labelled) - correct
    if predicted == labelled == 0:
        return Counts(absent=1)
    return Counts(
        correct=correct,
        wrong=wrong,
        missed=labelled - correct - wrong,
        invented=predicted - correct - wrong,
        exact=exact,
    )


def _rows(
    card: ScoreCard,
    name: str,
    node: ObjectNode,
    predicted: Any,
    labelled: Any,
    unverified: frozenset[str],
) -> None:
    """Match rows: first those that are right, then in order those that share most values.

    Each labelled row that is not verified excuses one given row that matches no other.
    """
    given, wanted = list(predicted or []), dict(enumerate(labelled or []))
    excused = [j for j in wanted if f"{name}[{j}]" in unverified]
    for j in excused:
        del wanted[j]
    pairs, agreement = _matched(name, node, given, wanted, unverified)
    right = sum(agreement[(i, j)][1] for j, i in pairs.items())
    matched = set(pairs.values())
    invented = [row for i, row in enumerate(given) if i not in matched][len(excused) :]
    card.lists[name] = _of_items(len(pairs) + len(invented), len(wanted), right, right)
    rows = [(f"{name}[{j}]", given[pairs[j]] if j in pairs else {}, wanted[j]) for j in wanted]
    rows += [("", row, {}) for row in invented]
    for path, row, other in rows:
        for key, child in node.keys:
            if not is_within(f"{path}.{key}", unverified):
                pattern = f"{name}[].{key}"
                value = _value(child, (row or {}).get(key), (other or {}).get(key))
                card.inner[pattern] = card.inner.get(pattern, Counts()) + value


def _matched(
    name: str,
    node: ObjectNode,
    given: Sequence[Any],
    wanted: Mapping[int, Any],
    unverified: frozenset[str],
) -> tuple[dict[int, int], dict[tuple[int, int], tuple[float, bool]]]:
    """Return the given row for each labelled one, and how far any two agree."""
    agreement = {
        (i, j): _agreement(node, row, other, f"{name}[{j}]", unverified)
        for i, row in enumerate(given)
        for j, other in wanted.items()
    }
    # Best pairs first; of equal ones those nearest in order, since tables are read downwards.
    ranked = sorted(agreement, key=lambda ij: (-agreement[ij][0], abs(ij[0] - ij[1])))
    pairs: dict[int, int] = {}
    for i, j in ranked:
        if i not in pairs.values() and j not in pairs:
            pairs[j] = i
    return pairs, agreement


def _agreement(
    node: ObjectNode, row: Any, other: Any, path: str, unverified: frozenset[str]
) -> tuple[float, bool]:
    """Return the share of known values that are the same, and whether all of them are."""
    same: list[bool] = []
    for key, child in node.keys:
        if is_within(f"{path}.{key}", unverified):
            continue
        counts = _value(child, (row or {}).get(key), (other or {}).get(key))
        same.append(bool(counts.correct or counts.absent))
    return (sum(same) / len(same), all(same)) if same else (0.0, False)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _added(a: Mapping[str, Counts], b: Mapping[str, Counts]) -> dict[str, Counts]:
    return {name: a.get(name, Counts()) + b.get(name, Counts()) for name in {**a, **b}}


def _json_of(counts: Counts) -> dict[str, Any]:
    return {
        "labelled": counts.labelled,
        "correct": counts.correct,
        "exact": counts.exact,
        "wrong": counts.wrong,
        "missed": counts.missed,
        "invented": counts.invented,
        "absent": counts.absent,
        "precision": counts.precision,
        "recall": counts.recall,
        "f1": counts.f1,
        "invention_rate": counts.invention_rate,
    }
