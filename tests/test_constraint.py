"""Whatever the weights say, the answer parses and loads; whatever is true can be said."""

from __future__ import annotations

import json
import random
from typing import Annotated

import numpy as np
import pytest
from pydantic import BaseModel, Field

from extractor import Extractor
from extractor.engine.close import close
from extractor.engine.constraint import Constraint, Matcher
from extractor.engine.local import LocalEngine
from extractor.engine.torch_runner import TorchRunner
from extractor.errors import SchemaError
from extractor.fields import Locale, Money, Verbatim
from extractor.prompt import encode
from extractor.schema import Schema
from tests.schemas20 import SCHEMAS, TEXT, Bill, Copied
from tests.tiny import tiny_model, tiny_tokenizer

NAMES = [model.__name__ for model in SCHEMAS]


def sampled(matcher: Matcher, draw: random.Random) -> str:
    """Generate with random logits; structure is drawn as often as text, so that it ends."""
    tokens: list[int] = []
    while not matcher.done:
        allowed = np.flatnonzero(matcher.allowed())
        ending = [t for t in allowed if matcher.token_bytes(int(t))[:1] in (b'"', b"]", b"}", b"n")]
        pool = ending if ending and draw.random() < 0.4 else list(allowed)
        token = int(draw.choice(pool))
        matcher.consume(token)
        tokens.append(token)
        assert len(tokens) < 6000
    return b"".join(matcher.token_bytes(token) for token in tokens).decode()


def check(model: type[BaseModel], text: str | None, draws: int, seed: int = 0) -> None:
    schema = Schema.of(model)
    constraint = Constraint(schema, tiny_tokenizer())
    for number in range(draws):
        answer = sampled(constraint.start(text), random.Random(f"{seed}/{number}"))
        loaded = schema.load(answer, Locale.of(text or ""))
        schema.record(loaded.values)
        unreadable = [w for w in loaded.warnings if w.code == "unreadable"]
        assert text is None or not unreadable, (answer, unreadable)


@pytest.mark.parametrize("model", SCHEMAS, ids=NAMES)
@pytest.mark.parametrize("text", [TEXT, None], ids=["text", "no text"])
def test_random_tokens_under_the_mask_parse_and_load(
    model: type[BaseModel], text: str | None
) -> None:
    check(model, text, draws=4)


@pytest.mark.slow
@pytest.mark.parametrize("model", SCHEMAS, ids=NAMES)
def test_a_thousand_random_answers_parse_and_load(model: type[BaseModel]) -> None:
    check(model, TEXT, draws=50, seed=1)


@pytest.mark.parametrize("model", SCHEMAS, ids=NAMES)
def test_an_answer_cut_anywhere_closes_to_one_that_could_have_been_given(
    model: type[BaseModel],
) -> None:
    schema = Schema.of(model)
    constraint = Constraint(schema, tiny_tokenizer())
    answer = sampled(constraint.start(TEXT), random.Random(7))
    step = max(1, len(answer) // 40)
    for end in [*range(0, len(answer), step), len(answer)]:
        closed, cut = close(schema, answer[:end])
        tokens = encode(closed, tiny_tokenizer())
        assert constraint.start(TEXT).accepts(tokens) == len(tokens), (answer[:end], closed)
        json.loads(closed)
        if end == len(answer):
            assert (closed, cut) == (answer, False)


def test_closing_invents_nothing() -> None:
    schema = Schema.of(Bill)
    prefix = '{"number":"A-17/3","rows":[{"what":"pen","count":"2","price":"1.23'

    closed, cut = close(schema, prefix)

    assert cut
    assert json.loads(closed) == {
        "number": "A-17/3",
        "rows": [{"what": "pen", "count": "2", "price": None}],
        "notes": None,
    }


@pytest.mark.parametrize("model", SCHEMAS, ids=NAMES)
def test_a_model_with_random_weights_and_any_token_limit_gives_a_valid_extraction(
    model: type[BaseModel],
) -> None:
    tokenizer = tiny_tokenizer()
    engine = LocalEngine(TorchRunner(tiny_model(tokenizer)), tokenizer, {})
    for limit in (8, 20, 60):
        extraction = Extractor(model, engine=engine, max_new_tokens=limit).extract(TEXT)
        assert extraction.status in ("complete", "incomplete", "truncated")
        assert extraction.record is not None or extraction.missing


def test_copied_values_are_spans_of_the_text() -> None:
    schema = Schema.of(Copied)
    constraint = Constraint(schema, tiny_tokenizer())
    flat = " ".join(TEXT.split())
    for number in range(20):
        answer = json.loads(sampled(constraint.start(TEXT), random.Random(number)))
        assert all(value in flat for value in answer.values() if value is not None)


def test_true_values_are_accepted_and_forced_tokens_are_those_of_the_whole_target() -> None:
    schema = Schema.of(Copied)
    target = schema.target(
        {
            "number": "A-17/3", "issued": "17.05.2024", "total": "1.234,50", "rate": "19",
            "currency": "EUR", "iban": "DE89 3704 0044 0532 0130 00", "vat_id": "DE 136 695 976",
            "seller": 'ACME "Büro" Ltd',
        }
    )  # fmt: skip
    tokens = encode(target, tiny_tokenizer())
    matcher = Constraint(schema, tiny_tokenizer()).start(TEXT)

    assert matcher.accepts(tokens) == len(tokens)
    at = 0
    while at < len(tokens):
        forced = matcher.forced()
        assert forced == tokens[at : at + len(forced)]
        step = forced or [tokens[at]]
        for token in step:
            matcher.consume(token)
        at += len(step)
    assert matcher.done


def could_be_said(model: type[BaseModel], text: str, answer: str) -> bool:
    ids = encode(answer, tiny_tokenizer())
    matcher = Constraint(Schema.of(model), tiny_tokenizer()).start(text)
    return matcher.accepts(ids) == len(ids)


def test_a_typed_value_does_not_reach_over_a_line_end() -> None:
    class Paid(BaseModel):
        total: Money | None

    text = "VAT 21\n150 000,00 in all\nqty 2\n500"
    assert could_be_said(Paid, text, '{"total":"150 000,00"}')
    assert not could_be_said(Paid, text, '{"total":"2 500"}')


def test_lists_and_maps_of_one_can_be_said() -> None:
    class Few(BaseModel):
        tags: Annotated[list[str], Field(max_length=1)]
        codes: Annotated[dict[str, int], Field(max_length=1)]

    assert could_be_said(Few, "", '{"tags":["a"],"codes":{"b":1}}')
    assert not could_be_said(Few, "", '{"tags":["a","b"],"codes":{}}')


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("請求先株式会社東京商事御中", "株式会社東京商事"),
        ("ผู้ขายบริษัทไทยการค้าจำกัด", "บริษัทไทยการค้าจำกัด"),
        ("kaufen bei Müller&Söhne heute", "Müller&Söhne"),
    ],
)
def test_names_can_be_copied_from_scripts_without_spaces(text: str, name: str) -> None:
    class Sold(BaseModel):
        seller: Verbatim | None

    assert could_be_said(Sold, text, f'{{"seller":"{name}"}}')


def test_a_token_that_is_not_allowed_is_refused() -> None:
    matcher = Constraint(Schema.of(Bill), tiny_tokenizer()).start(TEXT)

    with pytest.raises(ValueError, match="is not allowed here"):
        matcher.consume(encode("x", tiny_tokenizer())[0])


def test_a_text_without_candidates_leaves_null_only() -> None:
    answer = sampled(
        Constraint(Schema.of(Copied), tiny_tokenizer()).start("nothing"), random.Random(1)
    )

    assert {k for k, v in json.loads(answer).items() if v is not None} <= {"seller"}


def test_a_pattern_that_cannot_be_compiled_is_named() -> None:
    class Odd(BaseModel):
        code: str

    schema = Schema.of(Odd)
    from extractor.fields import Rx

    leaf = dict(schema.root.keys)["code"]
    leaf.type.form = Rx("(unbalanced")  # type: ignore[union-attr]

    with pytest.raises(SchemaError, match="no constraint can be built"):
        Constraint(schema, tiny_tokenizer()).start(None)
