"""Whether a document looks like the labelled ones: what a calibration promises holds for such only.

Looked at are the words of letters only, such as `invoice`, `due`, `total`, each by itself and with
the next one on its line, which says something of the layout, too. They are hashed; a document's
sketch is its smallest hashes, from which the Jaccard index of two documents is estimated (bottom-k
sketches: Broder 1997; Cohen and Kaplan 2007). How near the nearest labelled document of *another*
group is says what is usual for a new sender; a document below nearly all of these is unseen.
"""

from __future__ import annotations

import base64
import hashlib
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from extractor.document import Document

Sketch = tuple[int, ...]
_SIZE = 128
_MOST = 256
_ALARMS = 0.05
_WORD = re.compile(r"[^\W\d_]{3,}")
_LONGEST = 20_000


def sketch(document: Document) -> Sketch:
    """Return the smallest hashes of a document's words, at most 128, in order."""
    hashes = {_hash(mark) for mark in _marks(document.text[:_LONGEST])}
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


@dataclass(frozen=True, slots=True)
class Familiarity:
    """Sketches of labelled documents, and how near one of them must be.

    :param least: similarity to the nearest sketch below which a document is unseen, 0..1.
    """

    sketches: tuple[Sketch, ...]
    least: float

    @classmethod
    def of(cls, sketches: Sequence[Sketch], groups: Sequence[int]) -> Familiarity | None:
        """Keep labelled documents' sketches, at most 256, all groups alike.

        :param groups: of each; a document is compared with those of other groups.
        :returns: None with fewer than 20 groups: what is usual cannot be told from so few.
        """
        if len(set(groups)) < 20:
            return None
        nearest = sorted(
            max(similarity(own, other) for other, g in zip(sketches, groups, strict=True) if g != h)
            for own, h in zip(sketches, groups, strict=True)
        )
        seen: dict[int, int] = {}
        order = []
        for index, group in enumerate(groups):
            seen[group] = seen.get(group, 0) + 1
            order.append((seen[group], index))
        kept = sorted(index for _, index in sorted(order)[:_MOST])
        return cls(tuple(sketches[i] for i in kept), nearest[int(_ALARMS * (len(nearest) + 1))])

    def knows(self, document: Document) -> bool:
        """Return whether a document is near enough to a labelled one."""
        own = sketch(document)
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
