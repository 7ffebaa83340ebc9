"""How much rules count beside the model is fitted on what neither of them learned."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from extractor import Extractor
from extractor import adapter as adapters
from extractor.combine import Weighing
from extractor.engine.base import Output, Request
from extractor.errors import AdapterError
from extractor.rules import Rules, Trust
from extractor.testing import CannedEngine
from extractor.windows import WindowConfig
from tests.bills import SCHEMA, Bill, bill
from training.corpus import LabelledDocument
from training.kept import KeepingEngine
from training.methods import read_known
from training.methods.induced import measured
from training.weigh import doubts, fit, settle


def doubt(
    group: int, right: int, model: float = -2.0, rules: float = 1.0
) -> tuple[int, Weighing, int]:
    """A value that rules find `rules` likelier and the model `model` less likely than its own."""
    one = Weighing("total", ("1", "2"), ("{}", "{}"), (0.0, model), (0.0, rules))
    return group, one, right


def test_rules_that_are_right_against_the_model_count_more() -> None:
    assert fit([]) == Trust()
    trusted = fit([doubt(group, right=1) for group in range(30)])
    doubted = fit([doubt(group, right=0, model=-0.5) for group in range(30)])

    assert trusted.weight > 2
    assert doubted.weight < 0.5
    _, one, _ = doubt(0, right=1)
    assert one.best(trusted) == 1
    assert one.best(Trust()) == one.best(doubted) == 0


def against_null(group: int, right: int, path: str = "total") -> tuple[int, Weighing, int]:
    """A value that rules find as likely as the null of which the model is sure."""
    return group, Weighing(path, (None, "1"), ("{}", "{}"), (-0.1, -6.0), (0.0, 0.0)), right


def test_a_null_that_is_often_wrong_is_believed_less_in_its_field_alone() -> None:
    shown = fit([against_null(group, right=1) for group in range(10)])
    told = fit(
        [against_null(group, right=1) for group in range(10)]
        + [against_null(group, right=0, path="date") for group in range(10, 20)]
    )

    assert shown.weight == 1.0, "no weight makes up for a null that rules say nothing against"
    assert against_null(0, 1)[1].best(shown) == 1
    assert against_null(0, 1)[1].best(told) == 1
    assert against_null(0, 1, path="date")[1].best(told) == 0
    assert told.against_null["date"] <= 0


def test_what_fields_share_a_group_does_not_matter() -> None:
    groups = range(3)
    alone = fit([against_null(group, right=1) for group in groups])
    among = fit(
        [against_null(group, right=1) for group in groups]
        + [against_null(g, right=0, path=f"other_{n}") for g in groups for n in range(5)]
    )

    assert against_null(0, 1)[1].best(alone) == 1
    assert among.against_null["total"] == alone.against_null["total"]


def test_one_group_moves_the_weight_no_more_for_its_many_fields() -> None:
    def shared(fields: int) -> float:
        one = Weighing("", (None, "1"), ("{}", "{}"), (0.0, -3.0), (0.0, 2.0))
        return fit([(0, replace(one, path=f"f{n}"), 1) for n in range(fields)]).weight

    assert shared(20) == shared(1)


def test_one_group_does_not_overrule_a_null_and_a_value_is_no_null() -> None:
    once = fit([against_null(7, right=1)] * 50)
    assert against_null(0, 1)[1].best(once) == 0
    sure = Trust(against_null={"total": 9.0})
    assert against_null(0, 1)[1].best(sure) == 1
    assert doubt(0, right=1)[1].best(sure) == 0


def test_a_handful_of_doubts_moves_little_and_groups_count_alike() -> None:
    many = [doubt(group, right=1) for group in range(30)]
    few = many[:2]
    assert 1.0 <= fit(few).weight < fit(many).weight
    one_group = [doubt(7, right=1)] * 500
    assert fit(one_group) == fit([doubt(7, right=1)])


def test_a_value_that_the_constraint_refuses_is_never_chosen() -> None:
    refused = Weighing("total", ("1", "2"), ("{}", "{}"), (0.0, -inf), (0.0, 9.0))
    assert refused.best(Trust(8.0)) == 0
    assert replace(refused, logprobs=(-inf, 0.0)).best(Trust()) == 0
    assert fit([(0, refused, 1)]) == Trust()


class Counting(CannedEngine):
    """Gives one wrong total for every bill, rather surely."""

    asked = 0

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        self.asked += len(requests)
        return super().generate(requests)

    def score(self, request: Request, answers: Sequence[str]) -> list[Output | None]:
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


def test_answers_are_asked_for_once_and_change_with_the_trust(rules: Rules) -> None:
    engine = Counting({"total": None})
    reader = Extractor(Bill, engine=engine, rules=rules)
    reader.engine = KeepingEngine(engine, {})
    others = [bill(index) for index in range(500, 530)]

    found = doubts(reader, rules, others, SCHEMA)
    asked = engine.asked
    again = doubts(reader, rules, others, SCHEMA)

    assert found == again
    assert engine.asked == asked == len(others)
    totals = [right for _, one, right in found if one.path == "total"]
    assert totals, "rules know the totals that the model leaves out"
    assert min(totals) > 0
    trust = fit(found)
    assert trust != Trust()
    before = reader.extract(others[0].document()).values["total"]
    reader.rules = rules.trusted(trust)
    after = reader.extract(others[0].document()).values["total"]
    assert (before, str(after)) == (None, others[0].fields["total"])


def test_a_null_that_the_label_confirms_speaks_against_the_rules(rules: Rules) -> None:
    reader = Extractor(Bill, engine=Counting({"total": None}), rules=rules)
    others = [bill(index) for index in range(500, 530)]
    empty = [replace(one, fields={**one.fields, "total": None}) for one in others]
    unknown = [replace(one, unverified=frozenset({"total"})) for one in others]

    found = doubts(reader, rules, empty, SCHEMA)

    totals = [doubt for doubt in found if doubt[1].path == "total"]
    assert {right for _, _, right in totals} == {0}
    trust = fit(totals)
    assert trust.weight <= 1
    assert trust.against_null["total"] <= 0
    assert not [one for _, one, _ in doubts(reader, rules, unknown, SCHEMA) if one.path == "total"]


def test_a_value_of_another_window_is_not_right_in_this_one(rules: Rules) -> None:
    found = []
    for index in range(500, 530):
        first = (bill(index).given_text or "").split("\nBalance")[0]
        room = len(first.split())
        text = f"{first}\n{'and more ' * (room // 2)}\nBalance  3.75\n"
        other = replace(bill(index), given_text=text, fields={"total": "3.75"})
        windows = WindowConfig(window_tokens=room, overlap_tokens=0)
        reader = Extractor(Bill, engine=Counting({}), rules=rules, windows=windows)
        found += [one for one in doubts(reader, rules, [other], SCHEMA) if one[1].path == "total"]

    assert len(found) > 20, "the first window shows what rules take for the total"
    assert {right for _, _, right in found} == {0}


def test_an_adapter_keeps_how_much_its_rules_count(tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    shutil.copytree(Path(adapters.__file__).parent / "start", folder)
    before = adapters.read(folder)

    trust = Trust(2.5, {"total": 4.0})
    adapters.add_trust(folder, trust)

    after = adapters.read(folder)
    assert (before.trust, after.trust) == (Trust(), trust)
    assert before.sha256 != after.sha256
    manifest = json.loads((folder / "manifest.json").read_text())
    for odd in (
        {"rules_weight": -1.0},
        {"rules_weight": float("nan")},
        {"rules_against_null": {"total": float("inf")}},
        {"rules_against_null": []},
        {"rules_against_null": None},
    ):
        (folder / "manifest.json").write_text(json.dumps({**manifest, **odd}))
        with pytest.raises(AdapterError):
            adapters.read(folder)


def test_what_was_fitted_is_kept_with_the_adapter_and_its_reader(
    rules: Rules, tmp_path: Path
) -> None:
    folder = tmp_path / "adapter"
    shutil.copytree(Path(adapters.__file__).parent / "start", folder)
    reader = Extractor(Bill, engine=Counting({"total": None}), rules=rules)
    others = [bill(index) for index in range(500, 530)]
    told: list[tuple[int, int]] = []

    settle(reader, folder, others, SCHEMA, lambda done, total: told.append((done, total)))

    assert reader.rules is not None
    assert reader.rules.trust == adapters.read(folder).trust != Trust()
    assert reader.rules.fields == rules.fields
    assert told[-1] == (len(others), len(others))
    without = Extractor(Bill, engine=Counting({"total": None}))
    settle(without, tmp_path / "nowhere", others, SCHEMA)
    assert without.rules is None
