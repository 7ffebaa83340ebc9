"""Corpora, splits and scores."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from extractor import Extractor
from extractor.errors import CorpusError
from extractor.fields import Identifier, Money, Verbatim
from extractor.schema import Schema
from extractor.testing import CannedEngine
from training import corpus, report
from training.corpus import LabelledDocument
from training.evaluate import evaluate
from training.score import Counts, ScoreCard, compare, table
from training.split import select, split, validation_from_train


class Row(BaseModel):
    name: Verbatim | None = None
    price: Money | None = None


class Bill(BaseModel):
    number: Identifier | None = None
    total: Money | None = None
    rows: list[Row] = []
    parties: list[Verbatim] = []


class Sold(BaseModel):
    number: Identifier | None = None
    seller_name: Verbatim | None = None


def written(folder: Path, *rows: Any) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / "labels.jsonl").write_text("\n".join(lines))
    return folder


def test_both_forms_of_a_corpus_are_read(tmp_path: Path) -> None:
    lines, stems = tmp_path / "lines", tmp_path / "stems"
    lines.mkdir()
    stems.mkdir()
    (stems / "a.txt").write_text("Bill 1")
    (stems / "a.json").write_text('{"number": "1"}')
    written(lines, {"text": "Bill 1", "fields": {"number": "1"}, "unverified": ["total"]})

    (by_line,) = corpus.read(lines).documents
    (by_stem,) = corpus.read(stems).documents

    assert by_line.document().text == by_stem.document().text == "Bill 1"
    assert by_line.fields == by_stem.fields == {"number": "1"}
    assert by_line.unverified == {"total"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no labelled document"),
        (["{nope"], "line 1: is no JSON"),
        ([{"document": "none.pdf", "fields": {}}], "none.pdf does not exist"),
        ([{"document": "../x.pdf", "fields": {}}], "outside the corpus"),
        ([{"text": "a"}], "no object `fields`"),
        ([{"text": "a", "fields": {}, "split": "some"}], "split 'some'"),
        ([{"text": "a", "fields": {}, "unverified": "total"}], "no list of field paths"),
        ([{"text": "a", "fields": {}, "unverified": [{}]}], "no list of field paths"),
        ([{"document": 5, "fields": {}}], "is no path"),
        ([{"document": "a\0.pdf", "fields": {}}], "is no path"),
    ],
)
def test_a_corpus_that_cannot_be_used_says_why(
    rows: list[Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(CorpusError, match=message):
        corpus.read(written(tmp_path, *rows))


def test_labels_are_utf_8_with_or_without_a_mark(tmp_path: Path) -> None:
    line = json.dumps({"text": "a", "fields": {"name": "Müller"}}, ensure_ascii=False)
    labels = tmp_path / "labels.jsonl"

    labels.write_text(line, encoding="utf-8-sig")
    assert corpus.read(tmp_path).documents[0].fields == {"name": "Müller"}
    labels.write_text(line, encoding="latin-1")
    with pytest.raises(CorpusError, match="is not UTF-8"):
        corpus.read(tmp_path)


def test_a_group_keeps_its_split_when_others_come() -> None:
    documents = [LabelledDocument(str(i), None, f"{i}", {}, group=str(i)) for i in range(60)]
    before = {document.id for document in split(documents[:50]).test}
    after = {document.id for document in split(documents).test}

    assert len(before & after) >= 8, "of ten"


def test_what_is_left_out_of_a_corpus_is_listed(tmp_path: Path) -> None:
    good = {"text": "a", "id": "1", "fields": {}}
    found = corpus.read(written(tmp_path, good, {**good, "text": "b"}, {"fields": {}}))

    assert len(found.documents) == 1
    assert [problem.document for problem in found.problems] == ["labels.jsonl:3", "1"]


labelled = st.lists(
    st.builds(
        lambda number, group, text: (group, text),
        st.integers(),
        st.integers(0, 8),
        st.integers(0, 30),
    ),
    min_size=4,
    max_size=60,
)


@given(labelled, st.integers(0, 3))
def test_no_document_and_no_group_is_in_two_splits(drawn: list[tuple[int, int]], seed: int) -> None:
    documents = [
        LabelledDocument(str(i), None, f"text {text}", {}, group=str(group))
        for i, (group, text) in enumerate(drawn)
    ]

    parts = split(documents, seed=seed)
    kept, held = validation_from_train(parts.train, minimum=2, seed=seed)

    seen = [
        ({d.given_text for d in part}, {d.group for d in part}) for part in (kept, held, parts.test)
    ]
    for i, (texts, groups) in enumerate(seen):
        for other_texts, other_groups in seen[i + 1 :]:
            assert not texts & other_texts
            assert not groups & other_groups
    assert len(kept) + len(held) + len(parts.test) == len(documents)


@pytest.mark.parametrize("seed", range(5))
def test_what_calibrates_is_of_many_senders(seed: int) -> None:
    sizes = [40, 40, 40, *[2] * 30]
    documents = [
        LabelledDocument(f"{group}/{i}", None, f"text {group} {i}", {}, group=str(group))
        for group, size in enumerate(sizes)
        for i in range(size)
    ]

    kept, held = validation_from_train(documents, seed=seed, spread=True)

    assert len(held) == 28
    assert len({one.group for one in held}) == 14
    assert not {one.group for one in held} & {one.group for one in kept}


@pytest.mark.parametrize("sizes", [[25] * 4 + [2] * 6, [19] * 6 + [3] * 4])
def test_small_groups_do_not_keep_the_large_ones_from_calibrating(sizes: list[int]) -> None:
    documents = [
        LabelledDocument(f"{group}/{i}", None, f"text {group} {i}", {}, group=str(group))
        for group, size in enumerate(sizes)
        for i in range(size)
    ]

    assert all(len(validation_from_train(documents, seed=seed, spread=True)[1]) >= 20
               for seed in (1, 2, 3))  # fmt: skip


def test_large_groups_calibrate_where_there_are_no_others() -> None:
    documents = [
        LabelledDocument(f"{group}/{i}", None, f"text {group} {i}", {}, group=str(group))
        for group in range(6)
        for i in range(20)
    ]

    _, held = validation_from_train(documents, spread=True)

    assert len(held) == 20


def test_a_group_in_two_named_splits_is_refused() -> None:
    documents = [
        LabelledDocument("a", None, "a", {}, split="train", group="x"),
        LabelledDocument("b", None, "b", {}, split="dev", group="x"),
    ]

    with pytest.raises(CorpusError, match="group is in the splits train and test"):
        split(documents)


def test_each_outcome_is_counted_once() -> None:
    schema = Schema.of(Bill)
    cases = [("1", "1"), ("1", "2"), (None, "1"), ("1", None), (None, None)]

    counts = [compare(schema, {"number": a}, {"number": b}).scalars["number"] for a, b in cases]

    assert counts == [
        Counts(correct=1, exact=1), Counts(wrong=1), Counts(missed=1), Counts(invented=1),
        Counts(absent=1),
    ]  # fmt: skip
    total = sum(counts, Counts())
    assert (total.precision, total.recall, total.f1) == (1 / 3, 1 / 3, 1 / 3)
    assert total.invention_rate == 0.5


def test_values_are_compared_by_their_type_and_unverified_ones_not_at_all() -> None:
    schema = Schema.of(Bill)

    card = compare(
        schema,
        {"number": "a 1", "total": Decimal("5")},
        {"number": "A-1", "total": Decimal("5.00")},
        frozenset({"number"}),
    )

    assert card.scalars == {"total": Counts(correct=1, exact=1)}


def test_rows_are_matched_and_a_row_is_right_if_all_of_it_is() -> None:
    schema = Schema.of(Bill)
    pen, ink = {"name": "pen", "price": Decimal(1)}, {"name": "ink", "price": Decimal(2)}
    wrong = {"name": "ink", "price": Decimal(9)}

    card = compare(schema, {"rows": [wrong, pen]}, {"rows": [pen, ink]})

    assert card.lists["rows"] == Counts(correct=1, wrong=1, exact=1)
    assert card.inner["rows[].name"].correct == 2
    known = compare(schema, {"rows": [wrong]}, {"rows": [ink]}, frozenset({"rows[0].price"}))
    assert known.lists["rows"].correct == 1


def test_a_row_that_is_not_verified_is_neither_missed_nor_invented() -> None:
    schema = Schema.of(Bill)
    pen, ink = {"name": "pen", "price": Decimal(1)}, {"name": "ink", "price": Decimal(2)}
    unknown = frozenset({"rows[1]"})

    both = compare(schema, {"rows": [pen, ink]}, {"rows": [pen, {}]}, unknown)
    one = compare(schema, {"rows": [pen]}, {"rows": [pen, {}]}, unknown)
    three = compare(schema, {"rows": [ink, pen, ink]}, {"rows": [pen, {}]}, unknown)

    assert both.lists["rows"] == one.lists["rows"] == Counts(correct=1, exact=1)
    assert three.lists["rows"] == Counts(correct=1, exact=1, invented=1)
    assert three.inner["rows[].name"] == Counts(correct=1, exact=1, invented=1)


def test_values_of_a_row_that_is_not_there_are_invented() -> None:
    row = {"name": "ink", "price": None}

    card = compare(Schema.of(Bill), {"rows": [row]}, {"rows": []})

    assert card.inner["rows[].name"] == Counts(invented=1)
    assert card.inner["rows[].price"] == Counts(absent=1)


def test_what_lies_in_something_unverified_is_not_scored() -> None:
    class Shop(BaseModel):
        name: Verbatim | None = None
        owners: list[Verbatim] = []

    class Sale(BaseModel):
        shop: Shop | None = None

    schema = Schema.of(Sale)
    given, wanted = {"shop": {"name": "A", "owners": []}}, {"shop": {"name": "B", "owners": []}}

    assert compare(schema, given, wanted, frozenset({"shop"})).scalars == {}
    assert compare(schema, given, wanted).scalars == {
        "shop.name": Counts(wrong=1),
        "shop.owners": Counts(absent=1),
    }


def test_dev_and_test_are_apart_where_labels_name_both() -> None:
    def documents(*splits: str) -> list[LabelledDocument]:
        return [
            LabelledDocument(str(i), None, f"Bill {i}", {"number": str(i)}, split=part)
            for i, part in enumerate(splits)
        ]

    both, one = documents("train", "dev", "test"), documents("train", "dev")

    assert [d.id for d in select(both, "dev")] == ["1"]
    assert [d.id for d in select(both, "test")] == ["2"]
    assert [d.id for d in select(one, "test")] == ["1"]


def test_labels_as_printed_are_read_as_their_document_prints_values(tmp_path: Path) -> None:
    text = "Rechnung 7\nMüller GmbH, Hauptstraße 5, 10115 Berlin\nSumme 1.234 EUR\nMwSt. 19 %"
    label = {"id": "1", "text": text, "fields": {"number": "7", "total": "1.234 EUR"}}
    documents = corpus.read(written(tmp_path, label)).documents
    reader = Extractor(Bill, engine=CannedEngine({"number": "7", "total": "1.234"}))

    assert evaluate(reader, documents, reader.schema).card.scalars["total"].correct == 1


def test_mistakes_inside_a_value_are_told(tmp_path: Path) -> None:
    class Shop(BaseModel):
        name: Verbatim | None = None

    class Sale(BaseModel):
        shop: Shop | None = None

    label = {"id": "1", "text": "Mill, Ost", "fields": {"shop": {"name": "Ost"}}}
    documents = corpus.read(written(tmp_path, label)).documents
    reader = Extractor(Sale, engine=CannedEngine({"shop": {"name": "Mill"}}))

    [scored] = evaluate(reader, documents, reader.schema).documents

    assert scored.mistakes == {"shop.name": ("Mill", "Ost")}


def test_the_order_of_single_values_in_a_list_does_not_count() -> None:
    card = compare(Schema.of(Bill), {"parties": ["B Ltd", "A"]}, {"parties": ["A", "b ltd."]})

    assert card.lists["parties"].f1 == 1


def test_evaluation_goes_through_the_public_path(tmp_path: Path) -> None:
    rows = [
        {"id": "1", "text": "Bill A1", "group": "x", "fields": {"number": "A1", "total": None}},
        {"id": "2", "text": "Bill B2", "group": "y", "fields": {"number": "B2"}},
        {"id": "3", "text": " ", "fields": {"number": "C3"}},
        {"id": "4", "text": "D", "fields": {"total": "many"}},
    ]
    documents = corpus.read(written(tmp_path, *rows)).documents
    reader = Extractor(Bill, engine=CannedEngine({"number": "A1"}))

    result = evaluate(reader, documents, reader.schema)

    number = result.card.scalars["number"]
    assert (number.correct, number.wrong + number.missed) == (1, 2)
    assert [name for name, _ in result.unscored] == ["4"]
    assert 0 <= result.interval[0] <= result.interval[1] <= 1
    assert "number" in table(None, result.card, ("", "F1"))
    report.write(tmp_path / "report.json", result, result)
    page = (tmp_path / "report.html").read_text()
    assert "<svg" in page and "http" not in page.replace("http-equiv", "")
    assert json.loads((tmp_path / "report.json").read_text())["macro_f1"] == result.macro_f1


def test_documents_of_one_sender_are_drawn_together(tmp_path: Path) -> None:
    documents = [
        LabelledDocument(str(i), None, f"Bill {i}", {"number": "1", "seller_name": "ACME"})
        for i in range(9)
    ]
    reader = Extractor(Sold, engine=CannedEngine(lambda text: {"number": text.split()[1]}))

    result = evaluate(reader, documents, reader.schema)

    assert result.interval == (result.macro_f1, result.macro_f1), "one group, drawn again and again"


def test_reports_escape_what_documents_say(tmp_path: Path) -> None:
    document = LabelledDocument("<b>", None, "Bill 1", {"number": "<script>1"})
    reader = Extractor(Bill, engine=CannedEngine({"number": "1"}))

    page = report.to_html(evaluate(reader, [document], reader.schema))

    assert "<script" not in page and "&lt;script&gt;1" in page


def test_cards_add_up() -> None:
    one = ScoreCard({"a": Counts(correct=1)})

    assert (one + one).scalars["a"].correct == 2
    assert ScoreCard().macro_f1 == 0
