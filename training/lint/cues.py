"""Labels that disagree with the words before a value, which name the same field elsewhere.

What documents print before a value, such as `Total:`, is counted over the corpus. Words behind
which the labelled value stands nearly always are a cue; each document is judged by the others.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from extractor.fields import CurrencyType, FieldType
from extractor.schema import LeafNode
from training.lint.findings import Finding, Severity, finding
from training.lint.view import Case, LintConfig, View

_WORDS = 3
_REACH = 80  # characters before a value
_LEAST = 5  # other documents that have the words
_MANY = 20  # so many make a cue worth a warning
_RELIABLE = 0.95
_FAIR = 0.5  # a label behind words that are right so often elsewhere is not doubted
_CURRENCY = CurrencyType()
_TOKEN = re.compile(r"[^\W\d_]+|\d[\d.,]*")


@dataclass(frozen=True, slots=True)
class _Behind:
    """What one document prints behind some words, and whether the label is all of it."""

    printed: str
    labelled: bool


def disagreeing(view: View, config: LintConfig) -> Iterator[Finding]:
    """Values elsewhere than where their cues point, and nulls where a cue has a value."""
    for name, node in view.schema.root.keys:
        if not isinstance(node, LeafNode) or not node.type.typed:
            continue
        if isinstance(node.type, CurrencyType):
            continue
        behind = {
            case.id: _behind(case, node.type, case.values[name])
            for case in view.cases
            if case.text and name in case.values
        }
        hits: dict[str, int] = defaultdict(int)
        seen: dict[str, int] = defaultdict(int)
        for cues in behind.values():
            for cue, found in cues.items():
                seen[cue] += 1
                hits[cue] += found.labelled
        for case in view.cases:
            if case.id in behind:
                yield from _judged(case, name, behind[case.id], hits, seen)


def _judged(
    case: Case,
    name: str,
    behind: Mapping[str, _Behind],
    hits: Mapping[str, int],
    seen: Mapping[str, int],
) -> Iterator[Finding]:
    # How often the words are right in the other documents.
    right = {
        cue: (hits[cue] - found.labelled) / (seen[cue] - 1)
        for cue, found in behind.items()
        if seen[cue] - 1 >= _LEAST
    }
    reliable = [cue for cue, share in right.items() if share >= _RELIABLE]
    if not reliable or any(behind[cue].labelled and right[cue] >= _FAIR for cue in right):
        return
    cue = max(reliable, key=lambda cue: (seen[cue], len(cue)))
    severity: Severity | None = None if seen[cue] > _MANY else "info"
    where = f"behind {cue!r} stands {behind[cue].printed!r}"
    leaf = case.leaf(name)
    if case.values[name] is None:
        yield finding("cue-unlabelled", case.id, name, f"null, {where}", severity=severity)
    elif leaf is not None:
        seen_here = f"label {leaf.shown!r}, {where}"
        yield finding("cue-disagrees", case.id, name, seen_here, severity=severity)


def _behind(case: Case, kind: FieldType, value: Any) -> dict[str, _Behind]:
    """Return what stands behind all runs of up to three words in a document."""
    by_start: dict[int, list[int]] = defaultdict(list)
    for start, end in kind.find(case.text):
        # A run of words may be an identifier, but what names it is none.
        if any(character.isdigit() for character in case.text[start:end].split()[0]):
            by_start[start].append(end)
    found: dict[str, _Behind] = {}
    for start, ends in by_start.items():
        same = any(_is(case, kind, start, end, value) for end in ends)
        printed = " ".join(case.text[start : max(ends)].split())
        for cue in _cues(case.text, start):
            # `date` is no cue where it stands before two dates; `due date` is.
            if cue not in found or (found[cue].labelled and not same):
                found[cue] = _Behind(printed, same)
    return found


def _is(case: Case, kind: FieldType, start: int, end: int, value: Any) -> bool:
    if value is None:
        return False
    try:
        return kind.same(kind.parse(case.text[start:end], case.locale).value, value)
    except (ValueError, ArithmeticError):
        return False


def _cues(text: str, start: int) -> Iterator[str]:
    """Yield the last one to three words of a line before a place; `^` where the line begins."""
    first = max(text.rfind("\n", 0, start) + 1, start - _REACH)
    words = _words(text[first:start])
    if not words or words[-1] == "#":
        return  # a number before it makes it a cell of a table
    words = ("^", *words)
    for count in range(1, _WORDS + 1):
        if len(words) >= count and words[-count:] != ("^",):
            yield " ".join(words[-count:])


@lru_cache(maxsize=4096)
def _words(line: str) -> tuple[str, ...]:
    """Return the words of a line's beginning, numbers as `#`, without currencies."""
    return tuple(
        "#" if token[0].isdigit() else token.casefold()
        for token in _TOKEN.findall(line)
        if not _is_currency(token)
    )


@lru_cache(maxsize=4096)
def _is_currency(word: str) -> bool:
    return bool(_CURRENCY.find(word))
