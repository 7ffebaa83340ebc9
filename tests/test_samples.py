"""The sample invoices: what their labels say stands on their pages, and nothing leaks."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from extractor import document
from extractor.fields import Locale, VerbatimType
from extractor.schema import Leaf, Schema
from samples import make_samples
from schemas.invoice import Invoice
from training import corpus
from training.split import split

FOLDER = Path(make_samples.__file__).parent
ROWS = [json.loads(line) for line in (FOLDER / "labels.jsonl").read_text("utf-8").splitlines()]
SCHEMA = Schema.of(Invoice)


def stands_in(text: str, leaf: Leaf, locale: Locale) -> bool:
    """Return whether a span of the text is read as the value of the leaf."""
    if isinstance(leaf.type, VerbatimType):
        # A name that wraps beside another column has that column's words between its own.
        return set(str(leaf.value).split()) <= set(text.split())
    for start, end in leaf.type.find(text):
        try:
            parsed = leaf.type.parse(text[start:end], locale)
        except ValueError:
            continue
        if leaf.type.same(parsed.value, leaf.value):
            return True
    return False


@pytest.mark.parametrize("row", ROWS, ids=lambda row: Path(row["document"]).stem)
def test_every_labelled_value_can_be_read_from_the_page(row: dict[str, Any]) -> None:
    text = document.read(FOLDER / row["document"]).text
    locale = Locale.of(text)

    leaves = [leaf for leaf in SCHEMA.leaves(SCHEMA.normalise(row["fields"])) if leaf.value]
    absent = [leaf.path for leaf in leaves if not stands_in(text, leaf, locale)]

    assert len(leaves) >= 6
    assert [] == absent


@pytest.mark.parametrize("row", ROWS, ids=lambda row: Path(row["document"]).stem)
def test_lines_sum_to_the_net_total_and_net_plus_tax_is_the_total(row: dict[str, Any]) -> None:
    fields = row["fields"]
    lines = sum(Decimal(item["line_total"]) for item in fields["line_items"])
    net = Decimal(fields["net_total"] or lines)

    assert lines == net
    assert Decimal(fields["gross_total"]) == net + Decimal(fields["tax_total"] or 0)


def test_the_labels_are_a_corpus_without_problems() -> None:
    read = corpus.read(FOLDER)

    assert () == read.problems
    assert len(ROWS) == len(read.documents) >= 72


def test_no_seller_and_no_held_out_layout_is_in_two_splits() -> None:
    for key in ("group", "layout"):
        splits = defaultdict(set)
        for row in ROWS:
            splits[row[key]].add(row["split"])

        assert {} == {name: found for name, found in splits.items() if len(found) > 1}
    parts = split(corpus.read(FOLDER).documents, schema=SCHEMA)
    assert len(parts.validation) >= 12
    assert len(parts.test) >= 12


def test_no_inbox_seller_is_labelled() -> None:
    sellers = {row["fields"]["seller_name"] for row in ROWS}
    inbox = [sample for sample in make_samples.samples() if sample.split == "inbox"]

    assert 8 == len(inbox) == len(list((FOLDER / "inbox").glob("*.pdf")))
    assert not sellers & {sample.bill.seller.party.name for sample in inbox}


def test_each_split_has_every_language_and_fields_that_are_absent() -> None:
    for name in ("train", "validation", "dev"):
        rows = [row for row in ROWS if row["split"] == name]

        assert {"en", "de", "fr", "es"} == {row["language"] for row in rows}
        for field in ("due_date", "seller_vat_id", "iban", "net_total"):
            present = [row["fields"][field] is not None for row in rows]
            assert any(present), f"{field} in {name}"
            assert not all(present), f"{field} in {name}"


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    make_samples.write(tmp_path)

    for file in sorted(tmp_path.rglob("*.*")):
        assert (FOLDER / file.relative_to(tmp_path)).read_bytes() == file.read_bytes(), file.name
    made = {file.relative_to(tmp_path) for file in tmp_path.rglob("*.pdf")}
    assert made == {file.relative_to(FOLDER) for file in FOLDER.rglob("*.pdf")}


def test_the_samples_are_small() -> None:
    assert sum(file.stat().st_size for file in FOLDER.rglob("*.pdf")) < 2_000_000
