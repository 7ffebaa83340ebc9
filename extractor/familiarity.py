"""Whether a document looks like the labelled ones: what a calibration promises holds for such only.

Looked at are the words of letters only, such as `invoice`, `due`, `total`, each by itself and with
the next one on its line, which says something of the layout, too. They are hashed; a document's
sketch is its smallest hashes, from which the Jaccard index of two documents is estimated (bottom-k
sketches: Broder 1997; Cohen and Kaplan 2007). Only what documents of three groups share is kept, as
names and addresses are shared by none. How near the nearest labelled document of *another* group is
says what is usual for a new sender; a document below nearly all of these is unseen.
"""

from __future__ import annotations

import base64
import hashlib
import re
import struct
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from extractor.document import Document

Sketch = tuple[int, ...]
_SIZE = 128
_MOST = 256
_ALARMS = 0.05
_GROUPS = 3  # that must share a word
_WORD = re.compile(r"[^\W\d_]{3,}")
_LONGEST = 20_000


def sketch(document: Document) -> Sketch:
    """Return the smallest hashes of a document's words, at most 128, in order."""
    seen = document.in_sight()
    hashes = {_hash(mark) for mark in _marks(seen.shown(0, len(seen.text))[:_LONGEST])}
    return tuple(sorted(hashes)[:_SIZE])


def _marks(text: str) -> Iterable[str]:
    for line in text.casefold().split("\n"):
        words = _WORD.findall(line)
        yield from words
        yield from map(" ".join, pairwise(words))


def _hash(mark: str) -> int:
    return int.from_bytes(hashlib.blake2b(mark.encode(), digest_size=4).digest(), "big")


def similarity(a: Sketch, b: Sketch) -> float:
    """Return the estimated Jaccard index of two documents, 0..1; 0 where one has no words."""
    if not a or not b:
        return 0.0
    both = set(a) & set(b)
    least = sorted({*a, *b})[:_SIZE]
    return sum(value in both for value in least) / len(least)


def _only(one: Sketch, marks: set[int]) -> Sketch:
    return tuple(mark for mark in one if mark in marks)


def _dealt(groups: Sequence[int]) -> list[int]:
    """Return the documents in rounds: one of each group, then another of each that has more."""
    seen: dict[int, int] = defaultdict(int)
    order = []
    for index, group in enumerate(groups):
        order.append((seen[group], index))
        seen[group] += 1
    return [index for _, index in sorted(order)]


@dataclass(frozen=True, slots=True)
class Familiarity:
    """Sketches of labelled documents, and how near one of them must be.

    :param sketches: hashes that documents of several groups have, of each document kept.
    :param least: similarity to the nearest sketch below which a document is unseen, 0..1.
    """

    sketches: tuple[Sketch, ...]
    least: float

    @classmethod
    def of(cls, sketches: Sequence[Sketch], groups: Sequence[int]) -> Familiarity | None:
        """Keep labelled documents' sketches, at most 256, all groups alike.

        :param groups: of each; a document is compared with those of other groups.
        :returns: None with fewer than 20 groups, or where one document in twenty is like no other:
            what is usual cannot be told from these.
        """
        if len(set(groups)) < 20:
            return None
        groups_of: dict[int, set[int]] = defaultdict(set)
        for one, group in zip(sketches, groups, strict=True):
            for mark in one:
                groups_of[mark].add(group)
        shared = {mark for mark, having in groups_of.items() if len(having) >= _GROUPS}
        kept = [(_only(sketches[i], shared), groups[i]) for i in _dealt(groups)[:_MOST]]
        nearest = sorted(
            max((similarity(own, other) for other, g in kept if g != group), default=0.0)
            for own, group in ((_only(s, shared), g) for s, g in zip(sketches, groups, strict=True))
        )
        least = nearest[int(_ALARMS * len(nearest))]
        return cls(tuple(one for one, _ in kept), least) if least > 0 else None

    def knows(self, document: Document) -> bool:
        """Return whether a document is near enough to a labelled one."""
        own = _only(sketch(document), set().union(*self.sketches))
        return any(similarity(own, other) >= self.least for other in self.sketches)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        packed = [
            base64.b64encode(struct.pack(f">{len(one)}I", *one)).decode() for one in self.sketches
        ]
        return {"least": self.least, "sketches": packed}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Familiarity:
        """Return what `to_json` gave."""
        raw = [base64.b64decode(one) for one in content["sketches"]]
        sketches = tuple(struct.unpack(f">{len(one) // 4}I", one) for one in raw)
        return cls(sketches, float(content["least"]))
