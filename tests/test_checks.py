"""The class's checks choose between readings, and what choosing costs an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import BaseModel, field_validator, model_validator

from extractor import Extractor, base_model
from extractor.engine.base import Output, Request
from extractor.engine.decode import score
from extractor.engine.local import LocalEngine
from extractor.fields import Identifier, IsoDate, Money, Verbatim
from extractor.prompt import encode, render
from extractor.schema import Schema
from extractor.testing import CannedEngine
from tests.tiny import tiny_base

TEXT = "Mill & Sons\n2024-05-17\nNet 100.00\nTax 20.00\nTotal 120.00\nPaid before 30.00\nOpen 90.00"


class Totals(BaseModel):
    net: Money | None = None
    tax: Money | None = None
    gross: Money | None = None

    @model_validator(mode="after")
    def add_up(self) -> Totals:
        if self.net and self.tax and self.gross and self.net + self.tax != self.gross:
            raise ValueError(f"{self.net} and {self.tax} are not {self.gross}")
        return self


class Bill(Totals):
    seller: Verbatim | None = None
    issued: IsoDate | None = None


class Weighing(CannedEngine):
    """Finds an answer as likely as a weight of it says, and counts how many it was asked for."""

    def __init__(self, answer: Mapping[str, Any], weights: Mapping[str, float]) -> None:
        super().__init__(answer)
        self.weights = weights
        self.scored: list[str] = []

    def score(self, request: Request, answers: Sequence[str]) -> list[Output | None]:
        self.scored += answers
        return [
            Output(text, (sum(w for part, w in self.weights.items() if part in text),), (0,),
                   False, 0, 0)
            for text in answers
        ]  # fmt: skip


def test_the_likeliest_reading_that_adds_up_is_taken() -> None:
    answer = {"seller": "Mill & Sons", "net": "100.00", "tax": "20.00", "gross": "90.00"}
    likely = {'"gross":"120.00"': -1.0, '"net":"30.00"': -3.0}
    found = Extractor(Bill, engine=Weighing(answer, likely)).extract(TEXT)

    assert found.record is not None
    assert found.record.gross == Decimal("120.00")
    assert found.record.seller == "Mill & Sons"
    assert found.fields["gross"].printed == "120.00"
    assert [(w.field, w.code) for w in found.warnings] == [("gross", "chosen_by_check")]


def test_several_values_change_together_where_one_is_not_enough() -> None:
    answer = {"net": "120.00", "tax": "100.00", "gross": "20.00"}
    unlikely = {f'"gross":"{amount}"': -5.0 for amount in ("30.00", "90.00", "100.00")}
    found = Extractor(Bill, engine=Weighing(answer, unlikely)).extract(TEXT)

    assert {k: str(found.values[k]) for k in ("net", "tax", "gross")} in (
        {"net": "100.00", "tax": "20.00", "gross": "120.00"},
        {"net": "20.00", "tax": "100.00", "gross": "120.00"},
    )
    assert not [w for w in found.warnings if w.code == "rejected"]


def test_an_answer_stays_where_another_is_far_less_likely() -> None:
    answer = {"net": "100.00", "tax": "20.00", "gross": "90.00"}
    found = Extractor(
        Bill, engine=Weighing(answer, {'"gross":"120.00"': -50.0, '"tax":"30.00"': -50.0})
    ).extract("Net 100.00\nTax 20.00\nTotal 120.00\nOpen 90.00")

    assert found.values["gross"] == Decimal("90.00")
    assert [w.code for w in found.warnings] == ["rejected"]


def test_an_answer_stays_where_no_reading_adds_up() -> None:
    answer = {"net": "100.00", "tax": "20.00", "gross": "90.00"}
    engine = Weighing(answer, {})
    found = Extractor(Bill, engine=engine).extract("Net 100.00\nTax 20.00\nOpen 90.00")

    assert found.values["gross"] == Decimal("90.00")
    assert engine.scored == []


@pytest.mark.parametrize(
    "answer",
    [
        {"net": "100.00", "tax": "20.00", "gross": "120.00"},
        {"net": "100.00", "tax": None, "gross": "90.00"},
    ],
)
def test_what_the_class_accepts_is_not_touched(answer: dict[str, Any]) -> None:
    engine = Weighing(answer, {})
    found = Extractor(Bill, engine=engine).extract(TEXT)

    assert engine.scored == []
    assert found.warnings == ()


def test_checks_of_one_field_and_of_nested_classes_choose_too() -> None:
    class Parcel(BaseModel):
        weight: Money | None = None

        @field_validator("weight")
        @classmethod
        def light(cls, value: Decimal | None) -> Decimal | None:
            if value is not None and value > 50:
                raise ValueError("too heavy")
            return value

    class Order(BaseModel):
        parcel: Parcel | None = None
        totals: Totals | None = None

    answer = {
        "parcel": {"weight": "120.00"},
        "totals": {"net": "100.00", "tax": "20.00", "gross": "30.00"},
    }
    found = Extractor(
        Order, engine=Weighing(answer, {'"weight":"30.00"': 1.0, '"gross":"120.00"': 1.0})
    ).extract(TEXT)

    assert str(found.values["parcel"]["weight"]) == "30.00"
    assert str(found.values["totals"]["gross"]) == "120.00"
    assert {w.field for w in found.warnings} == {"parcel.weight", "totals.gross"}


def test_two_exchanged_values_are_found_on_a_page_of_many_amounts() -> None:
    amounts = "\n".join(f"item  {1000 + 7 * i}.10" for i in range(150))
    answer = {"net": "120.00", "tax": "20.00", "gross": "100.00"}
    engine = Weighing(answer, {'"net":"100.00","tax":"20.00"': 1.0})
    found = Extractor(Bill, engine=engine).extract(f"{amounts}\n{TEXT}")

    assert {k: str(found.values[k]) for k in ("net", "tax", "gross")} == {
        "net": "100.00",
        "tax": "20.00",
        "gross": "120.00",
    }


def test_a_required_field_that_a_check_is_not_about_stays() -> None:
    class Numbered(Totals):
        number: Identifier

    answer = {"number": "R-1", "net": "100.00", "tax": "20.00", "gross": "90.00"}
    engine = Weighing(answer, {})
    found = Extractor(Numbered, engine=engine).extract(f"R-1\nR-2\nR-3\n{TEXT}")

    assert found.values["number"] == "R-1"
    assert str(found.values["gross"]) == "120.00"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> LocalEngine:
    base = tiny_base(tmp_path_factory.mktemp("base"))
    return LocalEngine.load(base_model.find(str(base)), kind="fp32")


def whole_pass(engine: LocalEngine, request: Request, answer: str) -> float:
    """Log probability of an answer by one pass over all of it, mask by mask."""
    prompt = render(request.schema, request.text, engine.tokenizer)
    tokens = encode(answer, engine.tokenizer)
    with torch.inference_mode():
        logits = engine.runner.model(input_ids=torch.tensor([[*prompt, *tokens]])).logits[0]
    matcher = engine.constraint(request.schema).start(request.text)
    total = 0.0
    for place, token in enumerate(tokens):
        mask = torch.from_numpy(matcher.allowed())
        if token not in matcher.forced()[:1]:
            masked = logits[len(prompt) + place - 1, : len(mask)].masked_fill(~mask, -torch.inf)
            total += float(torch.log_softmax(masked, -1)[token])
        matcher.consume(token)
    return total


def test_given_answers_are_as_likely_as_one_pass_over_each_says(engine: LocalEngine) -> None:
    schema = Schema.of(Bill)
    request = Request(schema, TEXT, 400)
    (answer,) = engine.generate([request])
    others = [schema.target({"gross": amount, "tax": "20.00"}) for amount in ("90.00", "120.00")]
    refused = others[0].replace('"net":', '"nat":')

    asked = [*others, refused, others[1][:-1], others[0]]
    scored = engine.score(request, asked)

    assert scored[2] is None
    for text, found in zip(asked, scored, strict=True):
        if found is not None:
            assert found.text == text
            expected = whole_pass(engine, request, text)
            assert sum(found.logprobs) == pytest.approx(expected, abs=1e-3)
    assert engine.generate([request]) == [answer]


def test_scoring_that_was_interrupted_leaves_nothing_behind(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = Schema.of(Bill)
    request = Request(schema, TEXT, 400)
    one, other = (schema.target({"gross": amount}) for amount in ("90.00", "120.00"))
    engine.score(request, [one])
    run = engine.runner.run

    def interrupted(*given: Any) -> Any:
        run(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(engine.runner, "run", interrupted)
        engine.score(request, [other])

    for text in (one, other):
        (found,) = engine.score(request, [text])
        assert found is not None
        assert sum(found.logprobs) == pytest.approx(whole_pass(engine, request, text), abs=1e-3)


def test_a_token_that_the_mask_leaves_out_has_a_probability_all_the_same(
    engine: LocalEngine,
) -> None:
    schema = Schema.of(Bill)
    tokens = encode(schema.target({"gross": "120.00"}), engine.tokenizer)
    logits = np.zeros((len(tokens), 512), np.float32)
    logits[np.arange(len(tokens)), tokens] = 5.0
    matcher: Any = engine.constraint(schema).start(TEXT)

    class Narrow:
        """Allows anything but what comes next, as a mask does where a longer token is meant."""

        place = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(matcher, name)

        def forced(self) -> list[int]:
            return []

        def allowed(self) -> Any:
            mask = matcher.allowed()
            mask[tokens[self.place]] = False
            mask[7] = True
            return mask

        def consume(self, token: int) -> None:
            self.place += 1
            matcher.consume(token)

    narrow: Any = Narrow()
    scores = score(logits, tokens, narrow)

    assert len(scores) == len(tokens)
    assert all(-0.1 < one.logprob <= 0.0 and 0.9 < one.margin <= 1.0 for one in scores)
