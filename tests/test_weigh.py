"""How much rules count beside the model is fitted on what neither of them learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from extractor import Extractor
from extractor.combine import Weighing
from extractor.engine.base import Output, Request
from extractor.rules import Rules
from extractor.rules import read as read_rules
from extractor.testing import CannedEngine
from tests.bills import SCHEMA, Bill, bill
from training.corpus import LabelledDocument
from training.methods import read_known
from training.methods.induced import measured
from training.weigh import Remembering, doubts, fit


def doubt(
    group: int, right: int, model: float = -2.0, rules: float = 1.0
) -> tuple[int, Weighing, int]:
    """A value that rules find `rules` likelier and the model `model` less likely than its own."""
    one = Weighing("total", ("1", "2"), ("{}", "{}"), (0.0, model), (0.0, rules))
    return group, one, right


def test_rules_that_are_right_against_the_model_count_more() -> None:
    assert fit([]) == 1.0
    trusted = fit([doubt(group, right=1) for group in range(30)])
    doubted = fit([doubt(group, right=0, model=-0.5) for group in range(30)])

    assert trusted > 2
    assert doubted < 0.5
    _, one, _ = doubt(0, right=1)
    assert one.best(trusted) == 1
    assert one.best(1.0) == one.best(doubted) == 0


def test_a_handful_of_doubts_moves_little_and_groups_count_alike() -> None:
    many = [doubt(group, right=1) for group in range(30)]
    few = many[:2]
    assert 1.0 <= fit(few) < fit(many)
    one_group = [doubt(7, right=1)] * 500
    assert fit(one_group) == fit([doubt(7, right=1)])


def test_a_value_that_the_constraint_refuses_is_never_chosen() -> None:
    refused = Weighing("total", ("1", "2"), ("{}", "{}"), (0.0, -inf), (0.0, 9.0))
    assert refused.best(8.0) == 0
    assert replace(refused, logprobs=(-inf, 0.0)).best(1.0) == 0
    assert fit([(0, refused, 1)]) == 1.0


class Counting(CannedEngine):
    """Gives one wrong total for every bill, rather surely."""

    asked = 0

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        self.asked += len(requests)
        return super().generate(requests)

    def score(self, request: Request, answers: Sequence[str]) -> list[Output | None]:
        self.asked += len(answers)
        own = request.schema.target(self.answer)  # type: ignore[arg-type]
        return [
            Output(text, (0.0 if own.startswith(text) else -12.0,), (0,), False, 0, 0)
            for text in answers
        ]


@pytest.fixture(scope="module")
def rules() -> Rules:
    known: list[LabelledDocument] = [bill(index) for index in range(40)]
    read, _ = read_known(known, SCHEMA, {one.id: str(one.group) for one in known})
    return measured(SCHEMA, read)


def test_documents_are_asked_about_once_and_read_again_with_the_weight(
    rules: Rules, tmp_path: Path
) -> None:
    engine = Counting({"total": None})
    reader = Extractor(Bill, engine=engine, rules=rules)
    reader.engine = Remembering(engine)
    others = [bill(index) for index in range(500, 530)]

    found = doubts(reader, rules, others, SCHEMA)
    asked = engine.asked
    again = doubts(reader, rules, others, SCHEMA)

    assert found == again
    assert engine.asked == asked
    totals = [right for _, one, right in found if one.path == "total"]
    assert totals, "rules know the totals that the model leaves out"
    assert min(totals) > 0
    weight = fit(found)
    assert weight > 1
    kept = tmp_path / "rules.json"
    kept.write_text(Rules(SCHEMA, rules.fields, weight).dump(), encoding="utf-8")
    assert read_rules(kept, SCHEMA).weight == weight
    before = reader.extract(others[0].document()).values["total"]
    reader.rules = read_rules(kept, SCHEMA)
    after = reader.extract(others[0].document()).values["total"]
    assert (before, str(after)) == (None, others[0].fields["total"])
