"""What OCR loses: characters, labelled values, and with an adapter the fields' F1.

    python -m benchmarks.ocr [--receipts FOLDER] [--invoices FILE] [--adapter FOLDER] [--most N]

FOLDER holds images/, boxes.jsonl (the transcript of each image) and labels.jsonl (with the text);
FILE is a .jsonl of labelled scans. Character error is edits over characters of the transcript,
without case and runs of spaces: as the lines stand, and line by line whatever their order, without
spaces. A value is found as its type compares it. --adapter is one for receipts, and is given both
the text of the labels and the images.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from extractor.document import Document, read
from extractor.evidence import locate
from extractor.pipeline import Extractor
from extractor.schema import AnySchema, Schema, resolve
from training.corpus import LabelledDocument
from training.evaluate import evaluate
from training.pairs import known_fields


@dataclass(frozen=True, slots=True)
class Found:
    """How many labelled values stand in a text: of single strings verbatim, of all as such."""

    strings: int = 0
    verbatim: int = 0
    values: int = 0
    there: int = 0

    def __add__(self, other: Found) -> Found:
        return Found(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


def edits(wanted: Sequence[str], given: Sequence[str]) -> int:
    """Return the edit distance (Levenshtein, 1966)."""
    row = list(range(len(given) + 1))
    for number, left in enumerate(wanted, start=1):
        before, row[0] = row[0], number
        for index, right in enumerate(given, start=1):
            before, row[index] = (
                row[index],
                min(row[index] + 1, row[index - 1] + 1, before + (left != right)),
            )
    return row[-1]


def edits_of_lines(wanted: Iterable[str], given: Iterable[str]) -> int:
    """Return the edits between two bags of lines, each matched to the nearest that is left."""
    missing, extra = Counter(wanted), Counter(given)
    missing, extra = missing - extra, extra - missing
    pairs = sorted(
        (cost, left, right)
        for left, right in product(missing, extra)
        if (cost := edits(left, right)) < max(len(left), len(right))
    )
    total = 0
    for cost, left, right in pairs:
        same = min(missing[left], extra[right])
        total += cost * same
        missing[left] -= same
        extra[right] -= same
    return total + sum(len(line) for line in (missing + extra).elements())


def lines_of(text: str) -> list[str]:
    """Return lines without case and spaces."""
    return [line for each in text.splitlines() if (line := "".join(each.casefold().split()))]


def plain(text: str) -> str:
    """Return a text without case and runs of white space."""
    return " ".join(text.casefold().split())


def found(document: Document, labelled: LabelledDocument, schema: AnySchema) -> Found:
    """Count the labelled values that stand in a document."""
    locale, text = document.locale, plain(document.text)
    total = Found()
    for name, value in labelled.fields.items():
        if isinstance(value, str) and name not in labelled.unverified:
            total += Found(1, plain(value) in text)
    for leaf in schema.leaves(schema.normalise(known_fields(labelled, schema), locale)):
        if leaf.value is None or leaf.path in labelled.unverified:
            continue
        status = locate(document, leaf.type, leaf.value, locale=locale).status
        total += Found(0, 0, 1, status in ("verified", "ambiguous"))
    return total


def rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def labelled_of(row: dict[str, Any], path: Path | None) -> LabelledDocument:
    return LabelledDocument(
        id=str(row.get("id") or row["document"]),
        path=path,
        given_text=row.get("text") if path is None else None,
        fields=row["fields"],
        unverified=frozenset(row.get("unverified") or ()),
        group=row.get("group") or row.get("family"),
    )


def share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.1%})" if whole else "-"


def table(title: str, lines: Sequence[tuple[str, ...]]) -> None:
    print(f"\n| {title} | OCR | given text |\n|---|---|---|")
    for line in lines:
        print(f"| {' | '.join(line)} |", flush=True)


def receipts(folder: Path, most: int | None, adapter: Path | None) -> None:
    """Print the table of images that have a transcript."""
    schema = Schema.of(resolve("receipt"))
    labels = {row["id"]: row for row in rows(folder / "labels.jsonl")}
    boxes = rows(folder / "boxes.jsonl")[:most]
    characters = in_order = solid = any_order = 0
    by_ocr, given = Found(), Found()
    seconds_s: list[float] = []
    documents: list[LabelledDocument] = []
    for row in boxes:
        image = folder / row["image"]
        started_s = time.perf_counter()
        document = read(image)
        seconds_s.append(time.perf_counter() - started_s)
        labelled = labelled_of(labels[row["id"]], image)
        documents.append(labelled)
        wanted = "\n".join(line["text"] for line in row["lines"])
        characters += len(plain(wanted))
        in_order += edits(plain(wanted), plain(document.text))
        solid += sum(map(len, lines_of(wanted)))
        any_order += edits_of_lines(lines_of(wanted), lines_of(document.text))
        by_ocr += found(document, labelled, schema)
        text = Document.from_text(labels[row["id"]]["text"])
        given += found(text, labelled, schema)
    lines = [
        ("character error, lines in order", share(in_order, characters), "0"),
        ("character error, lines in any order, no spaces", share(any_order, solid), "0"),
        ("labels verbatim", *(share(f.verbatim, f.strings) for f in (by_ocr, given))),
        ("values found", *(share(f.there, f.values) for f in (by_ocr, given))),
        ("seconds a page, median and longest, without the first", timing(seconds_s), "-"),
    ]
    if adapter is not None:
        reader: Extractor[Any] = Extractor(schema, adapter=adapter, einvoice="never")
        texts = [replace(labelled_of(labels[d.id], None), id=d.id) for d in documents]
        f1 = [evaluate(reader, part, schema).macro_f1 for part in (documents, texts)]
        lines.append(("macro F1 of the fields", f"{f1[0]:.3f}", f"{f1[1]:.3f}"))
    table(f"{len(boxes)} receipts", lines)


def scans(file: Path, most: int | None) -> None:
    """Print the table of labelled scans, which have no transcript."""
    schema = Schema.of(resolve("invoice"))
    total = Found()
    seconds_s: list[float] = []
    labelled = [labelled_of(row, file.parent / row["document"]) for row in rows(file)[:most]]
    for one in labelled:
        assert one.path is not None
        started_s = time.perf_counter()
        document = read(one.path)
        pages = len(document.pages)
        seconds_s += [(time.perf_counter() - started_s) / pages] * pages
        total += found(document, one, schema)
    table(
        f"{len(labelled)} scanned invoices",
        [
            ("values found", share(total.there, total.values), "-"),
            ("seconds a page, median and longest, without the first", timing(seconds_s), "-"),
        ],
    )


def timing(seconds_s: Sequence[float]) -> str:
    # The first page pays for the start of the process and its models.
    rest = sorted(seconds_s[1:] or seconds_s)
    return f"{rest[len(rest) // 2]:.1f}, {rest[-1]:.1f}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--receipts", type=Path)
    parser.add_argument("--invoices", type=Path)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--most", type=int)
    given = parser.parse_args()
    print(platform.processor() or platform.machine())
    if given.receipts:
        receipts(given.receipts, given.most, given.adapter)
    if given.invoices:
        scans(given.invoices, given.most)


if __name__ == "__main__":
    main()
