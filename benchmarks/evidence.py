"""How many labelled values are found on their page, with a box, and seen there.

    python -m benchmarks.evidence CORPUS [--schema invoice] [--list]

Every verified label of the corpus is located as an extracted value is. A value that is flagged as
not visible, though a person labelled it, is a false alarm, unless the print is really hidden.
`--list` names the values without a box and the flagged ones, by document and path.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from extractor.document import Document
from extractor.errors import DocumentError, LabelError
from extractor.evidence import Evidence, Wanted, locate_all
from extractor.schema import AnySchema, Schema, resolve
from training import corpus
from training.corpus import LabelledDocument
from training.pairs import known_fields

FAR_PT = 40.0
STATUSES = ("verified", "ambiguous", "fuzzy", "not_found")


def located(
    labelled: LabelledDocument, document: Document, schema: AnySchema
) -> Iterator[tuple[str, Evidence]]:
    """Yield path and evidence of each labelled value that the document shows."""
    locale = document.locale
    values = schema.normalise(known_fields(labelled, schema), locale)
    wanted = [
        Wanted(leaf.path, leaf.type, leaf.value)
        for leaf in schema.leaves(values)
        if leaf.value is not None and leaf.path not in labelled.unverified
    ]
    yield from locate_all(document, wanted, locale=locale).items()


def apart(found: list[tuple[str, Evidence]]) -> tuple[int, int]:
    """Return how many rows have values, and how many of these have one that stands far off."""
    tops: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for path, evidence in found:
        if "]." in path and evidence.boxes:
            box = evidence.boxes[0]
            tops[path.rpartition(".")[0]].append((box.page, box.bbox[1]))
    far = [
        rows for rows in tops.values()
        if rows[0][0] != rows[-1][0] or max(rows)[1] - min(rows)[1] > FAR_PT
    ]  # fmt: skip
    return len(tops), len(far)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus")
    parser.add_argument("--schema", default="invoice")
    parser.add_argument("--list", action="store_true", dest="listed")
    arguments = parser.parse_args()
    schema: AnySchema = Schema.of(resolve(arguments.schema))
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    unread = rows = far = 0
    notes: list[str] = []
    for labelled in corpus.read(arguments.corpus).documents:
        try:
            found = list(located(labelled, labelled.document(), schema))
        except (DocumentError, LabelError) as error:
            unread += 1
            notes.append(f"{labelled.id}: {error.message}")
            continue
        some, odd = apart(found)
        rows, far = rows + some, far + odd
        for path, evidence in found:
            for name in (re.sub(r"\[\d+\]", "", path), "all"):
                counts[name][evidence.status] += 1
                counts[name]["box"] += bool(evidence.boxes)
                counts[name]["not_visible"] += evidence.not_visible
            if evidence.not_visible or not evidence.boxes:
                flag = "not_visible" if evidence.not_visible else evidence.status
                notes.append(f"{labelled.id}: {path}: {flag}")
    _print(counts, [*schema.field_names, "all"])
    print(f"\n{unread} documents not read")
    print(f"{far} of {rows} rows have values more than {FAR_PT:g} pt apart")
    if arguments.listed:
        print("\n".join(notes))


def _print(counts: dict[str, Counter[str]], order: list[str]) -> None:
    heads = ("field", "values", *STATUSES, "with a box", "not visible")
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for name in sorted(counts, key=lambda name: order.index(name.split(".")[0])):
        one = counts[name]
        total = sum(one[status] for status in STATUSES)
        shares = [f"{one[key] / total:.1%}" for key in (*STATUSES, "box")]
        print(f"| {name} | {total} | {' | '.join(shares)} | {one['not_visible']} |")


if __name__ == "__main__":
    main()
