"""Make the sample invoices: `python -m samples.make_samples`.

Writes `documents/*.pdf` and `labels.jsonl`, a labelled corpus, and `inbox/*.pdf`, invoices without
labels. No seller is in two splits. The layouts of `dev` and of the inbox are in no other split, nor
are those of `validation`. The same seed gives the same bytes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

from samples.bills import COUNTRIES, Bill, invent_bill, invent_seller
from samples.layouts import HELD_OUT, TRAIN, UNCOUNTED, VALIDATION, Layout

SEED = 2071
Split = Literal["train", "validation", "dev", "inbox"]
# Split, its layouts, sellers per layout, invoices per seller.
_PLAN: tuple[tuple[Split, tuple[Layout, ...], int, int], ...] = (
    ("train", TRAIN, 4, 2),
    ("validation", VALIDATION, 6, 1),
    ("dev", HELD_OUT, 8, 1),
    ("inbox", HELD_OUT, 4, 1),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """An invoice, how it is set, and what it is for."""

    split: Split
    layout: Layout
    bill: Bill

    def row(self, document: str) -> dict[str, object]:
        """Return the line of `labels.jsonl`."""
        return {
            "document": document,
            "language": self.bill.language,
            "split": self.split,
            "group": self.bill.seller.party.name,
            "layout": self.layout.__name__,
            "fields": self.bill.fields(),
            "unverified": [],
        }


def samples(seed: int = SEED) -> Iterator[Sample]:
    """Return all samples; every layout is used by sellers of several countries."""
    rng = Random(seed)
    names: set[str] = set()
    turn = 0
    for split, layouts, sellers, invoices in _PLAN:
        for layout in layouts:
            for _ in range(sellers):
                country = list(COUNTRIES.values())[turn % len(COUNTRIES)]
                # Ten countries and an even number of sellers would pair layout and country.
                turn += 1 if turn % 7 else 2
                seller = invent_seller(country, rng)
                while seller.party.name in names:
                    seller = invent_seller(country, rng)
                names.add(seller.party.name)
                for _ in range(invoices):
                    counted = layout not in UNCOUNTED
                    yield Sample(split, layout, invent_bill(seller, rng, shows_quantities=counted))


def write(folder: Path, seed: int = SEED) -> int:
    """Write all samples below a folder and return how many there are."""
    for name in ("documents", "inbox"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for old in (folder / name).glob("*.pdf"):
            old.unlink()
    counts: dict[str, int] = {}
    rows: list[dict[str, object]] = []
    for sample in samples(seed):
        inbox = sample.split == "inbox"
        stem = "invoice" if inbox else sample.layout.__name__.replace("_", "-")
        counts[stem] = counts.get(stem, 0) + 1
        document = f"{'inbox' if inbox else 'documents'}/{stem}-{counts[stem]:03d}.pdf"
        (folder / document).write_bytes(sample.layout(sample.bill))
        if not inbox:
            rows.append(sample.row(document))
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    (folder / "labels.jsonl").write_text("".join(lines), encoding="utf-8")
    return sum(counts.values())


if __name__ == "__main__":
    written = write(Path(__file__).parent)
    sys.stderr.write(f"{written} sample invoices below {Path(__file__).parent}\n")
