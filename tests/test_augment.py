"""What is added to and changed in training documents: targets stay true to their texts."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from extractor.evidence import occurrences
from extractor.fields import Identifier, IsoDate, Locale, Money, Verbatim
from extractor.schema import AnySchema, LeafNode, Schema
from extractor.windows import WindowConfig
from schemas.invoice import Invoice
from training import corpus
from training.augment import AugmentConfig, Curriculum
from training.pairs import Pair, build, extended
from training.synthetic.others import OTHERS, absent

SAMPLES = Path(__file__).parent.parent / "samples"
QUIET = AugmentConfig(synthetic=0, subset=0, swap=0, remove=0, drop_lines=0, decoys=0)


@pytest.fixture(scope="module")
def schema() -> AnySchema:
    return Schema.of(Invoice)


@pytest.fixture(scope="module")
def pairs(schema: AnySchema) -> list[Pair]:
    documents = corpus.read(SAMPLES).documents[:24]
    built = build(documents, schema, WindowConfig(), lambda text: len(text) // 3)
    assert len(built.pairs) >= 24
    return built.pairs


def test_without_changes_every_pair_comes_as_it_is(schema: AnySchema, pairs: list[Pair]) -> None:
    shown = Curriculum(schema, pairs, QUIET, 1, 0).pairs()
    assert {pair.target for pair in shown} <= {pair.target for pair in pairs}
    assert {pair.document for pair in shown} == {pair.document for pair in pairs}


def test_the_order_is_a_function_of_the_seed(schema: AnySchema, pairs: list[Pair]) -> None:
    def shown(seed: int) -> list[tuple[str, str]]:
        config = AugmentConfig(synthetic=20)
        return [(p.text, p.target) for p in Curriculum(schema, pairs, config, 2, seed).pairs()]

    assert shown(7) == shown(7)
    assert shown(7) != shown(8)


@pytest.mark.parametrize("seed", range(3))
def test_every_target_stands_in_its_text(schema: AnySchema, pairs: list[Pair], seed: int) -> None:
    shown = Curriculum(schema, pairs, AugmentConfig(synthetic=30), 2, seed).pairs()
    for pair in shown:
        flat = " ".join(pair.text.split())
        printed = json.loads(pair.target)
        for value in printed.values():
            if isinstance(value, str):
                assert " ".join(value.split()) in flat


def test_a_value_taken_out_is_null_and_nowhere_left(schema: AnySchema, pairs: list[Pair]) -> None:
    config = AugmentConfig(synthetic=0, subset=0, swap=0, remove=1, drop_lines=0, decoys=0)
    before = {pair.document: pair for pair in pairs}
    taken: set[str] = set()
    for pair in Curriculum(schema, pairs, config, 2, 0).pairs():
        original = before[pair.document]
        was, now = json.loads(original.target), json.loads(pair.target)
        changed = [name for name in was if was[name] != now[name]]
        assert len(changed) <= 2
        for name in changed:
            node = dict(schema.root.keys)[name]
            assert isinstance(node, LeafNode)
            assert now[name] is None
            locale = Locale.of(original.text)
            value = node.type.parse(was[name], locale).value
            assert not occurrences(pair.text, node.type, value, locale)
            taken.add(name)
    assert len(taken) >= 4


def test_a_value_that_another_field_holds_too_is_not_taken_out(schema: AnySchema) -> None:
    asked = schema.only(["net_total", "gross_total"])
    target = asked.target({"net_total": "50.00", "gross_total": "50.00"})
    pair = Pair("one", asked, "Subtotal 50.00\nTotal 50.00", target)
    config = AugmentConfig(synthetic=0, subset=0, swap=0, remove=1, drop_lines=0, decoys=0)
    for seed in range(20):
        (shown,) = Curriculum(asked, [pair], config, 1, seed).pairs()
        assert shown == pair


def test_large_groups_are_shown_less_often_each(schema: AnySchema, pairs: list[Pair]) -> None:
    many = [replace(pair, group="many") for pair in pairs[:20]]
    few = [replace(pair, group="few") for pair in pairs[20:22]]
    shown = Curriculum(schema, [*many, *few], QUIET, 4, 0).pairs()
    per_many = sum(pair.group == "many" for pair in shown) / len(many)
    per_few = sum(pair.group == "few" for pair in shown) / len(few)
    assert per_few > 1.5 * per_many


def without(asked: AnySchema, text: str, printed: dict[str, str], name: str) -> list[Pair]:
    """Return what taking values out makes of a text where only `name` may go."""
    pair = Pair("one", asked, text, asked.target(printed))
    config = AugmentConfig(synthetic=0, subset=0, swap=0, remove=1, drop_lines=0, decoys=0)
    shown = [Curriculum(asked, [pair], config, 1, seed).pairs()[0] for seed in range(20)]
    return [p for p in shown if json.loads(p.target)[name] is None]


def test_lines_beside_those_of_a_value_stay(schema: AnySchema) -> None:
    asked = schema.only(["currency", "gross_total"])
    text = "Price EUR  Amount EUR\nCoffee beans dark roast\nSum 10.00"
    for pair in without(asked, text, {"currency": "EUR", "gross_total": "10.00"}, "currency"):
        assert "Coffee beans dark roast" in pair.text
        assert "EUR" not in pair.text


def test_a_value_inside_a_longer_number_does_not_count_as_standing_there(
    schema: AnySchema,
) -> None:
    asked = schema.only(["net_total", "tax_total", "gross_total"])
    printed = {"net_total": "20.00", "tax_total": "20.00", "gross_total": "120.00"}
    text = "Net 20.00\nTax 20.00\nSum 120.00"
    assert not without(asked, text, printed, "net_total")
    assert not without(asked, text, printed, "tax_total")
    assert without(asked, text, printed, "gross_total")


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_shares_that_are_none_are_refused(share: float) -> None:
    with pytest.raises(ValueError, match="remove must be between 0 and 1"):
        AugmentConfig(remove=share)


def test_a_drawn_request_asks_in_the_order_of_the_schema(
    schema: AnySchema, pairs: list[Pair]
) -> None:
    config = AugmentConfig(synthetic=0, subset=1, swap=0, remove=0, drop_lines=0, decoys=0)
    order = {name: index for index, name in enumerate(schema.field_names)}
    for pair in Curriculum(schema, random.Random(0).sample(pairs, 8), config, 1, 0).pairs():
        places = [order[name] for name in json.loads(pair.target)]
        assert places == sorted(places)
        assert 2 <= len(places) < len(order)


def test_of_long_texts_more_lines_without_values_are_left_out(schema: AnySchema) -> None:
    asked = schema.only(["invoice_number", "gross_total"])
    target = asked.target({"invoice_number": "A-17", "gross_total": "12.50"})
    terms = [f"general terms number {n} apply" for n in range(200)]
    pair = Pair("d", asked, "\n".join(["Invoice A-17", *terms, "Sum 12.50"]), target)
    config = AugmentConfig(synthetic=0, subset=0, swap=0, remove=0, decoys=0)
    shown = [Curriculum(asked, [pair], config, 1, seed).pairs()[0] for seed in range(20)]

    lengths = [len(pair.text.split("\n")) for pair in shown]
    assert any(length == 202 for length in lengths)
    assert any(length < 110 for length in lengths)
    assert all("Invoice A-17" in pair.text and "Sum 12.50" in pair.text for pair in shown)


def test_fields_are_asked_for_that_a_synthetic_document_lacks(schema: AnySchema) -> None:
    config = AugmentConfig(synthetic=60, subset=0, decoys=1)
    plain = replace(config, decoys=0)
    known = {other.name: other for other in OTHERS}
    found: Counter[bool] = Counter()

    for pair in Curriculum(schema, [], config, 1, seed=3).pairs():
        printed = json.loads(pair.target)
        flat = " ".join(pair.text.split())
        assert list(printed) == list(pair.schema.field_names)
        for name in printed.keys() & known.keys():
            found[printed[name] is None] += 1
            if printed[name] is None:
                assert name in {other.name for other in absent(pair.text)}
            else:
                assert printed[name] in flat
    usual = [json.loads(pair.target) for pair in Curriculum(schema, [], plain, 1, seed=3).pairs()]

    assert found[True] > 3 * found[False] > 0
    assert all(not known.keys() & printed.keys() for printed in usual)


def test_no_field_of_the_schema_is_asked_for_in_vain() -> None:
    class Lease(BaseModel):
        tenant_name: Verbatim | None = None
        monthly_rent: Money | None = None
        issue_date: IsoDate | None = None

    config = AugmentConfig(synthetic=80, decoys=1)
    shown = Curriculum(Schema.of(Lease), [], config, 1, seed=1).pairs()

    asked = [item for pair in shown for item in json.loads(pair.target).items()]
    assert {name for name, _ in asked} - set(Lease.model_fields)
    assert not {("tenant_name", None), ("monthly_rent", None)} & {
        (name, value) for name, value in asked if not isinstance(value, list | dict)
    }


def test_labelled_documents_are_asked_for_nothing_beyond_their_labels(
    schema: AnySchema, pairs: list[Pair]
) -> None:
    config = AugmentConfig(synthetic=0, decoys=1)

    for pair in Curriculum(schema, pairs, config, 1, seed=0).pairs():
        assert set(pair.schema.field_names) <= set(schema.field_names)


@pytest.mark.parametrize("seed", range(6))
def test_further_fields_leave_values_notes_and_unknown_ones_as_they_are(seed: int) -> None:
    class Bill(BaseModel):
        number: Identifier | None = Field(None, description="of the bill")
        total: Money | None = None

    class More(BaseModel):
        seat: Identifier | None = Field(None, description="in the hall")
        guest: Verbatim | None = None

    target = '{"number":"A-7","total":null}'
    pair = Pair("one", Schema.of(Bill), "Bill A-7 for Ann", target, ((24, 28),))
    assert target[24:28] == "null"

    more = extended(pair, Schema.of(More), {"seat": None, "guest": "Ann"}, random.Random(seed))

    assert json.loads(more.target) == {"number": "A-7", "total": None, "seat": None, "guest": "Ann"}
    ((start, end),) = more.unlabelled
    assert more.target[:start].endswith('"total":') and more.target[start:end] == "null"
    lines = more.schema.lines()
    assert {"number: identifier | of the bill", "seat: identifier | in the hall"} <= set(lines)
    own = [name for name in more.schema.field_names if name in Bill.model_fields]
    assert own == ["number", "total"]
