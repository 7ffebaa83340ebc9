"""Guesses save passes and change nothing."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from extractor.engine.base import Output, Request
from extractor.engine.draft import Drafter
from extractor.engine.local import LocalEngine
from extractor.engine.torch_runner import TorchRunner
from extractor.schema import Schema
from tests.schemas20 import SCHEMAS, TEXT
from tests.tiny import tiny_model, tiny_tokenizer

NAMES = [model.__name__ for model in SCHEMAS]
TABLE = """Acme Ltd  Invoice A-17
No  Item  Quantity  Price
1  Steel pen  3  2.50
2  Copper wire  10  4.00
Total  47.50"""


def first(text: str, answer: str) -> str:
    return next(iter(Drafter(text).propose(answer)), "")


def test_an_unfinished_value_goes_on_as_in_the_document() -> None:
    assert first(TABLE, '{"item":"Copper') == ' wire"'
    assert first(TABLE, '{"seller":"Acme') == ' Ltd"'


def test_a_value_that_the_document_does_not_hold_is_not_guessed() -> None:
    assert first(TABLE, '{"seller":"Zorro') == ""


def test_a_part_of_a_word_is_no_place_of_a_value() -> None:
    assert first("recopper things  copper wire", '{"item":"copper') == ' wire"'


def test_a_table_is_read_downwards() -> None:
    drafter = Drafter(TABLE)
    answer = '{"rows":[{"item":"Steel pen","price":"2.50"}'
    assert next(iter(drafter.propose(answer))) == ","
    answer += ',{"item":'
    assert next(iter(drafter.propose(answer))) == '"Copper wire"'
    answer += '"Copper wire","price":'
    assert next(iter(drafter.propose(answer))) == '"4.00"'


def test_quotes_and_controls_of_a_document_are_escaped() -> None:
    assert first('he said "no" twice', '{"text":"he') == ' said \\"no\\" twice"'


@pytest.mark.parametrize("text", ["", "\n\n", " ", "\U0001f600", "\\", '"'])
@pytest.mark.parametrize("answer", ["", "{", '{"a":', '{"a":"', '{"a":"x', '{"a":"\\', '{"a":[{}'])
def test_any_text_and_any_answer_will_do(text: str, answer: str) -> None:
    assert all(isinstance(way, str) for way in Drafter(text).propose(answer))


@pytest.mark.parametrize("limit", [1, 7, 40, 300])
@pytest.mark.parametrize("model", SCHEMAS, ids=NAMES)
def test_answers_are_those_of_the_plain_loop(model: type[BaseModel], limit: int) -> None:
    tokenizer = tiny_tokenizer()
    request = Request(Schema.of(model), TEXT, limit)
    outputs: list[Output] = []
    for drafts in (False, True):
        engine = LocalEngine(TorchRunner(tiny_model(tokenizer)), tokenizer, {}, drafts=drafts)
        outputs += engine.generate([request])
    plain, drafted = outputs
    assert drafted.text == plain.text
    assert drafted.offsets == plain.offsets
    assert drafted.truncated == plain.truncated
    assert drafted.logprobs == pytest.approx(plain.logprobs, abs=1e-4)
    for name in ("removed", "margins", "nulls"):
        assert len(getattr(plain, name)) == len(plain.offsets)
        assert getattr(drafted, name) == pytest.approx(getattr(plain, name), abs=1e-4)
    assert drafted.passes <= plain.passes
