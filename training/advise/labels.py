"""Whether the labels are of their documents at all: the first thing to know, and the cheapest.

Of right labels most values stand in their own document and few in another one. Where that is not
so, everything that follows would measure the labels' faults.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from extractor.evidence import occurrences
from extractor.fields import Choice, FieldType
from extractor.schema import AnySchema
from training.methods.known import Known

_Value = tuple[str, FieldType, Any]  # pattern, type, normalised value
_FEW = 0.34
_SUSPECTS = 40  # and 6 % of a large corpus: more than the share that counts as wrong


@dataclass(frozen=True, slots=True)
class LabelCheck:
    """What was found.

    :param values: labelled values that a text could show.
    :param found: share of them that stand in their own document's text.
    :param by_chance: share that stand in a document of another group, drawn for each. Values that
        the label of that one has too tell nothing, and are left out of both.
    :param foreign: ids of documents whose label fits another document and not this one.
    :param not_in_text: share of values that no text shows, by field.
    :param faults: documents with errors that `lint` finds, by code; empty if it was not run.
    :param faulty: share of the documents with such an error.
    """

    documents: int
    values: int
    found: float
    by_chance: float
    foreign: tuple[str, ...]
    not_in_text: Mapping[str, float]
    faults: Mapping[str, int]
    faulty: float

    @property
    def wrong(self) -> str:
        """Why the labels come first, as a sentence; empty if they do not."""
        if self.values and self.found - self.by_chance < 0.2:
            return (
                f"{self.found:.0%} of the labelled values stand in their own document, "
                f"{self.by_chance:.0%} in another one that was drawn at random: the labels do not "
                "belong to their documents"
            )
        if len(self.foreign) >= max(2, 0.05 * self.documents):
            return (
                f"the labels of {len(self.foreign)} of {self.documents} documents fit another "
                f"document and not their own, such as {', '.join(self.foreign[:3])}"
            )
        if self.faulty > 0.2:
            common = ", ".join(f"{code} in {n}" for code, n in list(self.faults.items())[:3])
            return f"{self.faulty:.0%} of the documents have errors in their labels: {common}"
        return ""

    def json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {**asdict(self), "wrong": self.wrong}


def check(items: Sequence[Known], schema: AnySchema) -> LabelCheck:
    """Look for labelled values in their own and in other documents."""
    values = [_values(item, schema) for item in items]
    own = [
        [_shows(item, kind, value) for _, kind, value in row]
        for item, row in zip(items, values, strict=True)
    ]
    total = sum(map(len, own))
    telling = _against_others(items, values, own)
    missing: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for row, hits in zip(values, own, strict=True):
        for (pattern, _, _), hit in zip(row, hits, strict=True):
            held[pattern] += 1
            missing[pattern] += not hit
    return LabelCheck(
        documents=len(items),
        values=total,
        found=sum(here for here, _ in telling) / len(telling) if telling else 1.0,
        by_chance=sum(there for _, there in telling) / len(telling) if telling else 0.0,
        foreign=tuple(_foreign(items, values, own)),
        not_in_text={name: missing[name] / held[name] for name in held if missing[name]},
        faults={},
        faulty=0.0,
    )


def _against_others(
    items: Sequence[Known], values: Sequence[Sequence[_Value]], own: Sequence[Sequence[bool]]
) -> list[tuple[bool, bool]]:
    """Return for each value whether its document shows it, and whether another one does.

    The neighbour in the file will not do: rows are often sorted by seller or date, and it may
    rightly show the same values.
    """
    draw = random.Random(0)
    shown: list[tuple[bool, bool]] = []
    for index, item in enumerate(items):
        others = [i for i, one in enumerate(items) if one.group != item.group]
        if others:
            other = draw.choice(others)
            shown += [
                (hit, _shows(items[other], value[1], value[2]))
                for value, hit in zip(values[index], own[index], strict=True)
                if not _has(values[other], value)
            ]
    return shown


def _has(row: Sequence[_Value], value: _Value) -> bool:
    name, kind, wanted = value
    return any(name == theirs and kind.same(wanted, held) for theirs, _, held in row)


def _values(item: Known, schema: AnySchema) -> list[_Value]:
    return [
        (leaf.pattern, leaf.type, leaf.value)
        for leaf in schema.leaves(item.values)
        if leaf.value is not None
        and not isinstance(leaf.value, bool)
        and (leaf.type.copied or not isinstance(leaf.type.emission(), Choice))
    ]


def _shows(item: Known, kind: FieldType, value: Any) -> bool:
    return bool(occurrences(item.document.text, kind, value, item.locale))


def _foreign(
    items: Sequence[Known],
    values: Sequence[Sequence[_Value]],
    own: Sequence[Sequence[bool]],
) -> list[str]:
    """Return documents that show little of their label, where another document shows most of it.

    What the other one's label has too is no sign of a mix-up: senders print their name, their
    number and their currency on each of their documents.
    """
    suspects = [
        index for index, hits in enumerate(own) if len(hits) > 1 and sum(hits) <= _FEW * len(hits)
    ][: max(_SUSPECTS, round(0.06 * len(items)))]
    found: set[int] = set()
    # The outer loop: what is found in a text is kept for one text at a time.
    for item, theirs in zip(items, values, strict=True):
        for index in suspects:
            if items[index].id != item.id and index not in found:
                telling = [value for value in values[index] if not _has(theirs, value)]
                hits = sum(_shows(item, kind, value) for _, kind, value in telling)
                if hits > sum(own[index]) and hits >= max(2, (1 - _FEW) * len(telling)):
                    found.add(index)
    return [items[index].id for index in suspects if index in found]
