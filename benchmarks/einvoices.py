"""E-invoices of a labelled corpus, read by their XML, against the labels.

    python -m benchmarks.einvoices CORPUS

Documents without an e-invoice are left out, and so is what a label names as unverified. Lists are
compared row by row, in order; a row more or less counts as wrong.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

from extractor.pipeline import Extraction, Extractor
from extractor.schema import AnySchema, Schema, resolve
from extractor.testing import CannedEngine
from training import corpus
from training.pairs import known_fields, unknown


def compared(
    labelled: corpus.LabelledDocument, extraction: Extraction[Any], schema: AnySchema
) -> list[tuple[str, str, bool, Any, Any]]:
    """Return (pattern, path, whether equal, labelled, read) of each verified value."""
    locale = labelled.document().locale
    wanted = schema.normalise(known_fields(labelled, schema), locale)
    skipped = unknown(labelled, schema)
    read = {leaf.path: leaf.value for leaf in schema.leaves(extraction.values)}
    found = []
    for leaf in schema.leaves(wanted):
        if leaf.path in skipped:
            continue
        value = read.get(leaf.path)
        both = value is not None and leaf.value is not None
        equal = leaf.type.same(value, leaf.value) if both else value is None and leaf.value is None
        found.append((leaf.pattern, leaf.path, equal, leaf.value, value))
    for name, rows in wanted.items():
        if isinstance(rows, list):
            others = extraction.values.get(name) or []
            found.append((f"{name}: rows", name, len(rows) == len(others), len(rows), len(others)))
    return found


def main() -> None:
    """Print the table and every difference."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("corpus", type=Path)
    given = parser.parse_args()
    schema = Schema.of(resolve("invoice"))
    extractor = Extractor(schema, engine=CannedEngine({}))
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    differences, codes, seconds_s = [], Counter[str](), []
    by_model = 0
    for labelled in corpus.read(given.corpus).documents:
        if labelled.path is None or labelled.document().einvoice is None:
            continue
        started_s = time.perf_counter()
        extraction = extractor.extract(labelled.path)
        seconds_s.append(time.perf_counter() - started_s)
        codes.update(warning.code for warning in extraction.warnings)
        if extraction.source != "einvoice":
            by_model += 1
        for pattern, path, equal, wanted, read in compared(labelled, extraction, schema):
            if extraction.fields.get(path) and extraction.fields[path].probability is not None:
                continue
            total[pattern] += 1
            right[pattern] += equal
            if not equal:
                differences.append((labelled.id, path, wanted, read))
    print(f"{platform.processor() or platform.machine()}, {len(seconds_s)} e-invoices, "
          f"{by_model} with fields left to a model, "
          f"median {1000 * statistics.median(seconds_s):.0f} ms\n")  # fmt: skip
    print("| field | equal | of |\n|---|---|---|")
    for pattern in total:
        print(f"| {pattern} | {right[pattern]} | {total[pattern]} |")
    print(f"| all | {right.total()} | {total.total()} |\n")
    for name, path, wanted, read in differences:
        print(f"differs: {name}: {path}: label {wanted!r}, e-invoice {read!r}")
    print(f"warnings: {dict(codes)}")


if __name__ == "__main__":
    main()
