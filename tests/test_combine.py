"""Model and rules choose together; rules count as much as they have shown on other senders."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from extractor import Extractor, base_model
from extractor.candidates import Sheet
from extractor.document import Document
from extractor.engine.base import Output, Request
from extractor.engine.local import LocalEngine
from extractor.errors import AdapterError, AdapterMismatch
from extractor.fields import Identifier, Locale, MoneyType
from extractor.pipeline import read as read_source
from extractor.rules import Chance, FieldRules, Rules, within
from extractor.rules import read as read_rules
from extractor.schema import Schema
from extractor.testing import CannedEngine
from extractor.windows import WindowConfig
from tests.bills import SCHEMA, TOWNS, Bill, bill
from tests.tiny import tiny_base
from training.corpus import LabelledDocument
from training.methods import read_known
from training.methods.induced import measured


def bill_of(index: int, *, drawn: bool = False) -> LabelledDocument:
    """A bill, whose labelled total is any of its amounts where that is asked for."""
    known = bill(index, discount=index % 3 == 0)
    if not drawn:
        return known
    amounts = re.findall(r"\d+\.\d\d", known.given_text or "")
    return replace(known, fields={"total": random.Random(-index).choice(amounts)})


def _bill(index: int) -> tuple[str, dict[str, Any]]:
    known = bill_of(index)
    return known.given_text or "", dict(known.fields)


def learned(documents: Sequence[LabelledDocument]) -> Rules:
    known, problems = read_known(documents, SCHEMA, {one.id: str(one.group) for one in documents})
    assert not problems
    return measured(SCHEMA, known)


@pytest.fixture(scope="module")
def rules() -> Rules:
    return learned([bill_of(index) for index in range(40)])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base(tmp_path_factory.mktemp("base"))


def document_of(text: str) -> Document:
    return read_source(text)


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


def test_rules_give_what_is_missed_and_take_nothing_away(rules: Rules) -> None:
    _, fields = _bill(501)
    assert fields["discount"] == "5.25"
    assert _bill(502)[1]["discount"] is None

    missed, _ = read(rules, 0.5, discount=None)
    invented, _ = read(rules, 0.5, 502, discount=_bill(502)[1]["total"])

    assert str(missed.values["discount"]) == "5.25"
    assert str(invented.values["discount"]) == _bill(502)[1]["total"]


def test_where_they_agree_the_model_is_asked_nothing_more(rules: Rules) -> None:
    found, engine = read(rules, 0.5)

    assert engine.scored == 0
    assert found.fields["total"].signals.rules > 0.8


def test_each_window_is_weighed_with_what_rules_find_in_it(rules: Rules) -> None:
    text, fields = _bill(501)
    filler = "\n".join(f"clause {n} of the terms" for n in range(60))
    repeated = "\n".join(f"{text}\n{filler}" for _ in range(4))
    extractor = Extractor(
        Bill,
        engine=Preferring({}, 0.5),
        rules=rules,
        windows=WindowConfig(window_tokens=80, overlap_tokens=8),
    )
    found = extractor.extract(f"{text}\n{filler}")

    again = extractor.extract(repeated)

    assert found.usage["windows"] > 2
    for one in (found, again):
        assert {name: str(one.values[name]) for name in ("number", "total")} == {
            name: fields[name] for name in ("number", "total")
        }


def test_a_window_shows_a_value_wherever_else_it_stands() -> None:
    chances = [
        Chance("A17", "A17", 0.9, ((0, 3), (50, 53))),
        Chance(None, None, 0.06),
        Chance("B2", "B2", 0.04, ((90, 92),)),
    ]

    first = within(chances, (0, 20))
    last = within(chances, (60, 100))
    assert [(one.value, round(one.probability, 2)) for one in first] == [("A17", 0.9), (None, 0.1)]
    assert [(one.value, round(one.probability, 2)) for one in last] == [(None, 0.96), ("B2", 0.04)]


def test_equal_numbers_are_one_value_and_others_are_not() -> None:
    text = "Sum 525.00\nPaid -525.00\nRest 525\nOther 15 and 1.5"
    sheet = Sheet(document_of(text), Locale.of(text))
    keys = {c.key for c in sheet.typed(MoneyType(), MoneyType())}

    assert {"525", "-525", "15", "1.5"} <= keys
    assert "525.00" not in keys


def test_values_in_canonical_form_are_corrected_too(base: Path) -> None:
    class Sheets(BaseModel):
        pages: int | None = None
        due: date | None = None

    text = "Pages: 42\nCopies: 7\nDue: 1 March 2024"
    schema = Schema.of(Sheets)
    sure = {
        name: FieldRules(frozenset(), {f"left:{name}": 4.0}, sharpness=20.0, unseen=1e-9)
        for name in ("pages", "due")
    }
    rules = Rules(schema, sure)
    engine = LocalEngine.load(base_model.find(str(base)), kind="fp32")
    found = Extractor(Sheets, engine=engine, rules=rules, max_new_tokens=60).extract(text)

    assert found.values == {"pages": 42, "due": date(2024, 3, 1)}


def test_what_one_sender_prints_stays_with_it() -> None:
    documents = [
        LabelledDocument(
            f"{i}-{n}", None, f"Clinic {TOWNS[i]}itis\nPatient Jane Roe\n{TOWNS[i]}ward\n"
            f"Total: {10 * i + n}.50\nPaid {n}.00",
            {"seller": "Jane Roe" if i == 0 else None, "total": f"{10 * i + n}.50"}, group=f"{i}",
        )
        for i in range(6)
        for n in range(1, 4)
    ]  # fmt: skip
    known, _ = read_known(documents, SCHEMA, {one.id: str(one.group) for one in documents})
    kept = measured(SCHEMA, known).dump().casefold()

    assert "left:total" in kept
    assert "jane roe" not in kept
    assert not any(f"{town.casefold()}ward" in kept for town in TOWNS)


def test_rules_of_another_schema_are_refused(rules: Rules, tmp_path: Path) -> None:
    class Other(BaseModel):
        total: Identifier | None = None

    with pytest.raises(AdapterMismatch, match="learned for schema Bill"):
        Extractor(Other, engine=CannedEngine({}), rules=rules)
    (tmp_path / "rules.json").write_text(rules.dump())
    assert read_rules(tmp_path / "rules.json", SCHEMA).dump() == rules.dump()
    with pytest.raises(AdapterError, match="another format or schema"):
        read_rules(tmp_path / "rules.json", Schema.of(Other))


def test_rules_of_labels_that_follow_none_hardly_count(rules: Rules) -> None:
    drawn = learned([bill_of(index, drawn=True) for index in range(40)])
    assert drawn.fields["total"].sharpness is not None
    goods = next(line for line in _bill(501)[0].split("\n") if line.startswith("Goods"))

    of_none, _ = read(drawn, 2.0, total=goods.split()[-1])
    of_labels, _ = read(rules, 2.0, total=goods.split()[-1])

    assert str(of_none.values["total"]) == goods.split()[-1]
    assert str(of_labels.values["total"]) == _bill(501)[1]["total"]


def test_nothing_is_learned_of_one_sender() -> None:
    documents = [bill_of(index) for index in range(8)]
    known, _ = read_known(documents, SCHEMA, {one.id: "all" for one in documents})

    assert measured(SCHEMA, known).fields == {}


def test_two_extractors_with_other_rules_are_not_the_same(rules: Rules) -> None:
    engine = CannedEngine({})

    with_rules = Extractor(Bill, engine=engine, rules=rules).identity
    assert with_rules != Extractor(Bill, engine=engine).identity
