"""Synthetic documents: values are printed, nulls are true, arithmetic holds."""

from __future__ import annotations

import random
import re
from decimal import Decimal

import pytest

from benchmarks.confidence import DECOYS
from training.synthetic import CONCEPTS, SyntheticDocument, documents
from training.synthetic.others import OTHERS, absent, field_name
from training.synthetic.strays import stray
from training.synthetic.words import LABELS, OTHER_BOXES, OTHER_DATES


@pytest.fixture(scope="module")
def sample() -> list[SyntheticDocument]:
    return list(documents(600, seed=7))


def _flat(text: str) -> str:
    return " ".join(text.split())


def test_the_same_seed_gives_the_same_documents() -> None:
    assert list(documents(20, seed=3)) == list(documents(20, seed=3))
    assert next(documents(1, seed=3)) != next(documents(1, seed=4))


def test_every_concept_is_answered_in_every_document(sample: list[SyntheticDocument]) -> None:
    assert all(list(document.printed) == list(CONCEPTS) for document in sample)


def test_values_stand_in_the_text_as_printed(sample: list[SyntheticDocument]) -> None:
    for document in sample:
        flat = _flat(document.text)
        rows = document.printed["line_items"] or []
        values = [value for name, value in document.printed.items() if name != "line_items"]
        values += [value for row in rows for value in row.values()]

        assert [value for value in values if value is not None and value not in flat] == []


def test_values_are_whole_words(sample: list[SyntheticDocument]) -> None:
    for document in sample:
        for name in ("invoice_number", "issue_date", "seller_name", "buyer_name", "iban"):
            value = document.printed[name]
            if value is not None:
                assert re.search(rf"(?<!\w){re.escape(value)}(?!\w)", _flat(document.text)), value


def test_an_unclear_concept_has_no_value(sample: list[SyntheticDocument]) -> None:
    assert all(document.printed[name] is None for document in sample for name in document.unclear)


def test_an_absent_iban_is_nowhere_in_the_text(sample: list[SyntheticDocument]) -> None:
    shaped = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,}")
    absent = [document for document in sample if document.printed["iban"] is None]

    assert [document.text for document in absent if shaped.search(document.text)] == []


def test_ibans_have_valid_check_digits(sample: list[SyntheticDocument]) -> None:
    for document in sample:
        iban = document.printed["iban"]
        if iban is not None:
            plain = iban.replace(" ", "")
            digits = "".join(str(int(mark, 36)) for mark in plain[4:] + plain[:4])

            assert int(digits) % 97 == 1


def _amount(printed: str) -> Decimal:
    return Decimal(re.sub(r"[^0-9-]", "", printed)) / 100


def test_net_and_tax_add_up_to_gross(sample: list[SyntheticDocument]) -> None:
    for document in sample:
        parts = [document.printed[name] for name in ("net_total", "tax_total", "gross_total")]
        if None not in parts:
            net, tax, gross = map(_amount, parts)

            assert net + tax == gross


def test_what_was_paid_and_what_is_due_add_up_to_gross(sample: list[SyntheticDocument]) -> None:
    for document in sample:
        parts = [document.printed[name] for name in ("amount_paid", "amount_due", "gross_total")]
        if None not in parts:
            paid, due, gross = map(_amount, parts)

            assert abs(paid) + due == gross


def test_text_is_laid_out_as_documents_are(sample: list[SyntheticDocument]) -> None:
    for document in sample:
        assert len(document.text) <= 2600
        assert not re.search(r" {3,}|\n{3,}|^ | $|\t", document.text, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("due_date", 0.35),
        ("iban", 0.45),
        ("seller_vat_id", 0.2),
        ("tax_total", 0.15),
        ("net_total", 0.15),
    ],
)
def test_absent_values_are_common(sample: list[SyntheticDocument], name: str, least: float) -> None:
    absent = sum(document.printed[name] is None for document in sample)

    assert absent / len(sample) >= least


def test_max_characters_is_kept() -> None:
    assert all(len(document.text) <= 700 for document in documents(30, seed=1, max_characters=700))


def test_forms_hold_both_parties_in_boxes(sample: list[SyntheticDocument]) -> None:
    forms = [document for document in sample if document.kinds["plan"] == "form"]

    assert len(forms) > 30
    for document in forms:
        seller = document.printed["seller_name"]
        assert seller is not None and seller in document.text.replace("  ", "\n").split("\n")
    assert {document.kinds["totals"] for document in forms} >= {"boxes"}
    assert any("line_items" in document.unclear for document in forms)
    assert any(document.printed["line_items"] for document in forms)


def test_boxes_hold_what_the_text_shows_or_nothing(sample: list[SyntheticDocument]) -> None:
    boxes = [(document, box) for document in sample for box in document.boxes.values()]
    shown = [(document, box.value) for document, box in boxes if box.value is not None]

    assert 0 < len(shown) < len(boxes)
    assert [value for document, value in shown if value not in _flat(document.text)] == []


def test_a_field_is_absent_where_no_label_of_it_stands() -> None:
    names = {other.name for other in absent("Tarif: Basis\nS/N 4711\nRoomy flat", but=["mileage"])}

    assert not names & {"tariff", "serial_number", "mileage"}
    assert {"room_number", "policy_number"} <= names


def test_no_field_that_is_asked_for_in_vain_has_a_label_of_another_concept() -> None:
    known = {
        label.casefold() for table in LABELS.values() for row in table.values() for label in row
    }

    assert {
        label for other in OTHERS for label in other.labels if label.casefold() in known
    } == set()


@pytest.mark.parametrize(
    ("label", "name"),
    [("Prüf-Ziffer", "pruef_ziffer"), ("Código de verificação", "codigo_de_verificacao"),
     ("N°", ""), ("4. Pos", "")],
)  # fmt: skip
def test_a_label_becomes_a_name_of_a_class(label: str, name: str) -> None:
    assert field_name(label) == name


def test_what_the_benchmark_asks_for_in_vain_was_never_asked_for_in_training() -> None:
    trained = {other.name for other in OTHERS} | {
        field_name(label)
        for table in (OTHER_BOXES, OTHER_DATES)
        for labels in table.values()
        for label in labels
    }

    assert not trained & set(DECOYS)


def test_some_documents_hold_a_line_that_would_talk_to_a_model() -> None:
    count = 300
    lines = [stray(random.Random(seed)) for seed in range(count)]

    assert len(set(lines)) > 0.9 * count
    assert all(line.strip() and "\n" not in line for line in lines)
    talked = [d for d in documents(count, seed=2) if re.search(r"<\|\w+\|>|answer with", d.text)]
    assert 0.02 * count < len(talked) < 0.2 * count
