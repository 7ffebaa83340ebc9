"""What a table of known parties does for identifiers, and what a wrong one does not.

    python -m benchmarks.reference CORPUS --schema invoice --output build/reference
        [--columns seller_name,seller_vat_id,iban] [--adapter DIR] [--split dev] [--documents N]
        [--engine auto] [--threads N]

Documents are read once. The table has one row for each seller of the corpus, made from its labels.
A second table is wrong: every row keeps its name and first identifier, and has the other columns of
another row. Counted are fields that are right without and with a table, values that a wrong row
filled in, and values that were read and are no more what was read: there must be none.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from extractor import reference
from extractor.errors import DocumentError
from extractor.pipeline import Extractor
from extractor.reference import Reference
from extractor.schema import AnySchema, FieldWarning, Schema, resolve
from training import corpus
from training.corpus import LabelledDocument
from training.pairs import known_fields, unknown
from training.score import judge
from training.split import select

Row = dict[str, str]


def parties(
    documents: Sequence[LabelledDocument], schema: AnySchema, columns: Sequence[str]
) -> list[Row]:
    """Return one row for each first column's value; the first document that states a value wins."""
    rows: dict[str, Row] = {}
    for labelled in documents:
        known = known_fields(labelled, schema)
        missing = unknown(labelled, schema)
        stated = {c: str(known[c]) for c in columns if known.get(c) and c not in missing}
        if columns[0] in stated:
            row = rows.setdefault(stated[columns[0]], {})
            row.update({c: v for c, v in stated.items() if c not in row})
    return list(rows.values())


def mixed_up(rows: Sequence[Row], columns: Sequence[str]) -> list[Row]:
    """Return rows whose name and first other value stay and whose rest is that of the next row."""
    turned = []
    for row, other in zip(rows, [*rows[1:], *rows[:1]], strict=True):
        own = [c for c in columns if c in row][:2]
        turned.append({**other, **{c: row[c] for c in own}})
    return turned


def table(file: Path, rows: Sequence[Row], columns: Sequence[str], schema: AnySchema) -> Reference:
    """Write a CSV and read it as `--reference` does."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)
    return reference.read(file, schema)


def measure(
    reader: Extractor[Any],
    documents: Sequence[LabelledDocument],
    schema: AnySchema,
    tables: dict[str, Reference],
    columns: Sequence[str],
) -> dict[str, Any]:
    """Return, for no table and each of the given ones, what became of the columns' fields."""
    found: dict[str, Any] = {
        name: {
            "right": dict.fromkeys(columns, 0), "filled": 0, "filled_wrong": 0, "differs": 0,
            "overwritten": 0, "untold": 0,
        }
        for name in ("none", *tables)
    }  # fmt: skip
    labelled_fields = dict.fromkeys(columns, 0)
    unread = 0
    for done, labelled in enumerate(documents):
        print(f"\r{done}/{len(documents)} documents", end="", flush=True)
        try:
            document = labelled.document()
        except DocumentError:
            unread += 1
            continue
        values = reader.extract(document, name=labelled.id).values
        wanted = schema.normalise(known_fields(labelled, schema), document.locale)
        missing = unknown(labelled, schema)
        for column in columns:
            labelled_fields[column] += wanted.get(column) is not None and column not in missing
        for name in found:
            after = dict(values)
            warnings: list[FieldWarning] = []
            filled: dict[str, Any] = {}
            if name in tables:
                filled, warnings = tables[name].fill(document, values)
                after |= filled
                told = {one.field for one in warnings if one.code == "reference"}
                found[name]["filled"] += len(filled)
                found[name]["untold"] += len(set(filled) - told)
                found[name]["overwritten"] += sum(values.get(key) is not None for key in filled)
                found[name]["differs"] += any(w.code == "reference_differs" for w in warnings)
            good = judge(schema, after, wanted, missing)
            for column in columns:
                right = wanted.get(column) is not None and bool(good.get(column))
                found[name]["right"][column] += right
                if column in filled and not good.get(column, True):
                    found[name]["filled_wrong"] += 1
    print()
    return {
        "documents": len(documents) - unread,
        "unread": unread,
        "labelled": labelled_fields,
        **found,
    }


def main() -> None:
    """Read the documents, measure, and print the figures."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("corpus")
    parser.add_argument("--schema", default="invoice")
    parser.add_argument("--adapter", help="folder; default: the one that is shipped")
    parser.add_argument("--columns", default="seller_name,seller_vat_id,iban", help="name first")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--documents", type=int)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    schema: AnySchema = Schema.of(resolve(options.schema))
    labelled = corpus.read(options.corpus).documents
    documents = list(select(labelled, options.split, schema=schema))[: options.documents]
    columns = options.columns.split(",")
    rows = parties(labelled, schema, columns)
    tables = {
        "right table": table(options.output / "parties.csv", rows, columns, schema),
        "wrong table": table(
            options.output / "mixed-up.csv", mixed_up(rows, columns), columns, schema
        ),
    }
    reader: Extractor[Any] = Extractor(
        schema, adapter=options.adapter, engine=options.engine, threads=options.threads,
        einvoice="never",
    )  # fmt: skip
    figures = measure(reader, documents, schema, tables, columns)
    (options.output / "figures.json").write_text(json.dumps(figures, indent=2))
    print(json.dumps({"parties": len(rows), "columns": columns, **figures}, indent=2))


if __name__ == "__main__":
    main()
