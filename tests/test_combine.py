"""Model and rules choose together; rules count as much as they have shown on other senders."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel

from extractor import Extractor
from extractor.engine.base import Output, Request
from extractor.fields import Identifier, IsoDate, Money, Verbatim
from extractor.rules import Rules
from extractor.schema import Schema
from extractor.testing import CannedEngine
from extractor.windows import WindowConfig
from training.corpus import LabelledDocument
from training.methods import read_known
from training.methods.induced import measured

TOWNS = ("Ham", "Oxen", "Lund", "Bern", "Graz", "Brno", "Nice", "Bath", "York", "Kiel")


class Bill(BaseModel):
    number: Identifier | None = None
    seller: Verbatim | None = None
    issued: IsoDate | None = None
    total: Money | None = None
    discount: Money | None = None


SCHEMA = Schema.of(Bill)


def bill(index: int, labels_of: int | None = None) -> LabelledDocument:
    """A bill, with the labels of another one where that is asked for."""
    text, fields = _bill(index)
    _, other = _bill(index if labels_of is None else labels_of)
    return LabelledDocument(
        f"{index}", None, text, other if labels_of else fields, group=f"{index}"
    )


def _bill(index: int) -> tuple[str, dict[str, Any]]:
    draw = random.Random(index)
    name = f"{TOWNS[index % 10]} Trading {index % 97} Ltd"
    total, discount = f"{draw.randint(10, 99)}.50", "5.25" if index % 3 == 0 else None
    day = date(2024, draw.randint(1, 12), draw.randint(1, 28)).isoformat()
    rows = [name, f"{draw.randint(1, 99)} Mill Road", f"Bill no: B-{1000 + index}", f"Date: {day}",
            f"Goods  {draw.randint(100, 999)}.00", *([f"Discount  {discount}"] if discount else []),
            f"Total due: {total}", f"Balance  {draw.randint(1, 9)}.00", "Thank you"]  # fmt: skip
    fields = {"number": f"B-{1000 + index}", "seller": name, "issued": day, "total": total,
              "discount": discount}  # fmt: skip
    return "\n".join(rows), fields


def learned(documents: Sequence[LabelledDocument]) -> Rules:
    known, problems = read_known(documents, SCHEMA, {one.id: str(one.group) for one in documents})
    assert not problems
    return measured(SCHEMA, known)


@pytest.fixture(scope="module")
def rules() -> Rules:
    return learned([bill(index) for index in range(40)])


class Preferring(CannedEngine):
    """Finds its own answer likelier than any other, by as much as it is told."""

    def __init__(self, answer: Mapping[str, Any], by: float) -> None:
        super().__init__(answer)
        self.by, self.scored = by, 0

    def score(self, request: Request, answers: Sequence[str]) -> list[Output | None]:
        own = request.schema.target(self.answer)  # type: ignore[arg-type]
        self.scored += len(answers)
        return [
            Output(text, (0.0 if own.startswith(text) else -self.by,), (0,), False, 0, 0)
            for text in answers
        ]


def read(rules: Rules | None, by: float, index: int = 501, **wrong: Any) -> tuple[Any, Preferring]:
    text, fields = _bill(index)
    engine = Preferring(fields | wrong, by)
    return Extractor(Bill, engine=engine, rules=rules).extract(text), engine


def test_rules_correct_a_model_that_wavers_and_not_one_that_is_sure(rules: Rules) -> None:
    text, fields = _bill(501)
    goods = next(line for line in text.split("\n") if line.startswith("Goods")).split()[-1]

    wavering, _ = read(rules, 0.5, total=goods)
    sure, _ = read(rules, 50.0, total=goods)
    alone, _ = read(None, 0.5, total=goods)

    assert str(wavering.values["total"]) == fields["total"]
    assert wavering.fields["total"].printed == fields["total"]
    assert str(sure.values["total"]) == str(alone.values["total"]) == goods


def test_rules_take_away_what_is_invented_and_give_what_is_missed(rules: Rules) -> None:
    _, fields = _bill(501)
    assert fields["discount"] == "5.25"
    assert _bill(502)[1]["discount"] is None

    missed, _ = read(rules, 0.5, discount=None)
    invented, _ = read(rules, 0.5, 502, discount=_bill(502)[1]["total"])

    assert str(missed.values["discount"]) == "5.25"
    assert invented.values["discount"] is None


def test_where_they_agree_the_model_is_asked_nothing_more(rules: Rules) -> None:
    found, engine = read(rules, 0.5)

    assert engine.scored == 0
    assert found.fields["total"].signals.rules > 0.8


def test_each_window_is_weighed_with_what_rules_find_in_it(rules: Rules) -> None:
    text, fields = _bill(501)
    filler = "\n".join(f"clause {n} of the terms" for n in range(60))
    extractor = Extractor(
        Bill,
        engine=Preferring({}, 0.5),
        rules=rules,
        windows=WindowConfig(window_tokens=80, overlap_tokens=8),
    )
    found = extractor.extract(f"{text}\n{filler}")

    assert found.usage["windows"] > 2
    assert {name: str(found.values[name]) for name in ("number", "total")} == {
        name: fields[name] for name in ("number", "total")
    }


def test_rules_of_shuffled_labels_hardly_count() -> None:
    shuffled = learned([bill(index, labels_of=index + 7) for index in range(1, 41)])
    _, fields = _bill(501)

    for path in shuffled.single:
        found, _ = read(shuffled, 3.0)
        assert str(found.values[path]) == str(fields[path])


def test_nothing_is_learned_of_one_sender() -> None:
    documents = [bill(index) for index in range(8)]
    known, _ = read_known(documents, SCHEMA, {one.id: "all" for one in documents})

    assert measured(SCHEMA, known).fields == {}


def test_two_extractors_with_other_rules_are_not_the_same(rules: Rules) -> None:
    engine = CannedEngine({})

    with_rules = Extractor(Bill, engine=engine, rules=rules).identity
    assert with_rules != Extractor(Bill, engine=engine).identity
