"""Recall of `lint`: faults of fifteen kinds planted in a copy of a corpus, and what it says before.

    python -m benchmarks.lint [--corpus samples] [--schema invoice] [--each 4] [--seed 0]

A fault counts as found if its document has a finding that the clean corpus did not have, either of
severity error or warning, or of any; every code counts, not only the one made for the kind. New
findings on documents without a planted fault are false alarms. Texts are read once.
"""

from __future__ import annotations

import argparse
import copy
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from extractor.schema import AnySchema, Schema, resolve
from training import corpus
from training.corpus import Corpus, LabelledDocument
from training.lint import Finding, LintConfig, lint

Fields = dict[str, Any]
# Change fields in place; the other document gives values. False: this document cannot have it.
Plant = Callable[[Fields, Fields, random.Random], bool]


def another_value(name: str) -> Plant:
    def plant(fields: Fields, other: Fields, draw: random.Random) -> bool:
        if not fields.get(name) or not other.get(name) or fields[name] == other[name]:
            return False
        fields[name] = other[name]
        return True

    return plant


def exchanged(first: str, second: str) -> Plant:
    def plant(fields: Fields, other: Fields, draw: random.Random) -> bool:
        a, b = fields.get(first), fields.get(second)
        if not a or not b or a == b:
            return False
        fields[first], fields[second] = b, a
        return True

    return plant


def left_out(name: str) -> Plant:
    def plant(fields: Fields, other: Fields, draw: random.Random) -> bool:
        known = bool(fields.get(name))
        fields[name] = None
        return known

    return plant


def word(name: str, value: str) -> Plant:
    def plant(fields: Fields, other: Fields, draw: random.Random) -> bool:
        fields[name] = value
        return True

    return plant


def misspelled(fields: Fields, other: Fields, draw: random.Random) -> bool:
    name = fields.get("seller_name") or ""
    places = [i for i, letter in enumerate(name) if letter.isalpha()]
    if len(places) < 10:
        return False
    at = draw.choice(places[1:])
    fields["seller_name"] = name[:at] + ("x" if name[at] != "x" else "z") + name[at + 1 :]
    return True


def digit(name: str) -> Plant:
    def plant(fields: Fields, other: Fields, draw: random.Random) -> bool:
        value = fields.get(name) or ""
        places = [i for i, character in enumerate(value) if character.isdigit()]
        if len(places) < 3:
            return False
        at = draw.choice(places)
        fields[name] = f"{value[:at]}{(int(value[at]) + draw.randint(1, 9)) % 10}{value[at + 1 :]}"
        return True

    return plant


def magnitude(fields: Fields, other: Fields, draw: random.Random) -> bool:
    value = str(fields.get("gross_total") or "")
    if "." not in value or float(value) == 0:
        return False
    fields["gross_total"] = value.replace(".", "")
    return True


def century(fields: Fields, other: Fields, draw: random.Random) -> bool:
    value = fields.get("issue_date") or ""
    fields["issue_date"] = f"19{value[2:]}"
    return value[:2] == "20" and value[5:] != "02-29"


def row_lost(fields: Fields, other: Fields, draw: random.Random) -> bool:
    rows = fields.get("line_items") or []
    if len(rows) < 2:
        return False
    rows.pop(draw.randrange(len(rows)))
    return True


def row_doubled(fields: Fields, other: Fields, draw: random.Random) -> bool:
    rows = fields.get("line_items") or []
    if not rows:
        return False
    rows.append(dict(draw.choice(rows)))
    return True


def other_label(fields: Fields, other: Fields, draw: random.Random) -> bool:
    fields.clear()
    fields.update(copy.deepcopy(other))
    return True


KINDS: dict[str, Plant] = {
    "label of another document": other_label,
    "name of another document": another_value("buyer_name"),
    "misspelled name": misspelled,
    "wrong digit in a number": digit("invoice_number"),
    "wrong digit in an amount": digit("gross_total"),
    "decimal point lost": magnitude,
    "year of another century": century,
    "dates exchanged": exchanged("issue_date", "due_date"),
    "net and gross exchanged": exchanged("net_total", "gross_total"),
    "parties exchanged": exchanged("seller_name", "buyer_name"),
    "wrong digit in an IBAN": digit("iban"),
    "wrong currency": word("currency", "ISK"),
    "N/A for null": word("due_date", "N/A"),
    "row left out": row_lost,
    "row twice": row_doubled,
    # Not among the fifteen: what a label leaves out can only be guessed.
    "value left out": left_out("issue_date"),
}


def planted(clean: Corpus, each: int, seed: int) -> tuple[Corpus, dict[str, str]]:
    """Return a copy with faults, and the kind by document id."""
    draw = random.Random(seed)
    left = list(clean.documents)
    draw.shuffle(left)
    changed: dict[str, LabelledDocument] = {}
    kinds: dict[str, str] = {}
    for kind, plant in KINDS.items():
        wanted = each
        for document in list(left):
            if not wanted:
                break
            other = draw.choice([item for item in clean.documents if item is not document])
            fields = copy.deepcopy(document.fields)
            touched = plant(fields, other.fields, draw)
            differing = {n for n in fields if fields[n] != document.fields.get(n)}
            if touched and differing and not differing & document.unverified:
                changed[document.id] = replace(document, fields=fields)
                kinds[document.id] = kind
                left.remove(document)
                wanted -= 1
    documents = tuple(changed.get(item.id, item) for item in clean.documents)
    return replace(clean, documents=documents), kinds


def in_memory(read: Corpus) -> Corpus:
    """Return a corpus of the texts, so that each file is read once for both runs."""
    documents = tuple(
        replace(item, path=None, given_text=item.document().text) for item in read.documents
    )
    return replace(read, documents=documents)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path("samples"))
    parser.add_argument("--schema", default="invoice")
    parser.add_argument("--split", help="only the documents that the labels put there")
    parser.add_argument("--each", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    schema: AnySchema = Schema.of(resolve(chosen.schema))
    read = corpus.read(chosen.corpus)
    kept = tuple(d for d in read.documents if chosen.split in (None, d.split))
    clean = in_memory(replace(read, documents=kept))
    faulty, kinds = planted(clean, chosen.each, chosen.seed)
    before = lint(clean, schema, LintConfig())
    known = {(item.code, item.document, item.field, item.severity) for item in before.findings}
    new: dict[str, list[Finding]] = defaultdict(list)
    for item in lint(faulty, schema, LintConfig()).findings:
        if (item.code, item.document, item.field, item.severity) not in known and item.document:
            new[item.document].append(item)
    print(f"{chosen.corpus}: {len(kept)} documents, seed {chosen.seed}")
    print(before.table())
    print(f"\n{'fault':<28}{'planted':>8}{'found':>7}{'or info':>9}  codes")
    totals: Counter[str] = Counter()
    for kind in KINDS:
        ids = [document for document, planted_kind in kinds.items() if planted_kind == kind]
        grave = sum(any(item.severity != "info" for item in new[i]) for i in ids)
        codes = Counter(item.code for i in ids for item in new[i])
        most = ", ".join(f"{code} {count}" for code, count in codes.most_common(4))
        found = sum(bool(new[i]) for i in ids)
        print(f"{kind:<28}{len(ids):>8}{grave:>7}{found:>9}  {most}")
        if kind != "value left out":
            totals.update(planted=len(ids), grave=grave, found=found)
    share = totals["grave"] / max(1, totals["planted"])
    print(f"{'fifteen kinds':<28}{totals['planted']:>8}{totals['grave']:>7}{totals['found']:>9}"
          f"  recall {share:.3f}")  # fmt: skip
    others = [item for name, items in new.items() if name not in kinds for item in items]
    alarms = [item for item in others if item.severity != "info"]
    print(f"new findings on documents without a fault: {len(alarms)}, with info {len(others)}")
    for item in alarms:
        print("  " + item.line()[:160])


if __name__ == "__main__":
    main()
