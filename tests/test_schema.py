"""What a class asks for, and the one JSON form of its records."""

from __future__ import annotations

import enum
import math
import os
import re
import subprocess
import sys
import typing
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import pytest
from annotated_types import Interval, Len
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from pydantic import (
    AnyUrl,
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    TypeAdapter,
    ValidationError,
    conint,
    conlist,
    constr,
    create_model,
    model_validator,
)
from typing_extensions import TypeAliasType

from extractor.engine.constraint import Constraint
from extractor.errors import LabelError, SchemaError
from extractor.fields import (
    CurrencyType,
    IbanType,
    Identifier,
    IdentifierType,
    IsoDate,
    IsoDateType,
    Locale,
    Money,
    MoneyType,
    VatIdType,
    Verbatim,
    VerbatimType,
)
from extractor.prompt import encode
from extractor.schema import EMAIL, MAX_ITEMS, URL, AnySchema, LeafNode, Schema, resolve
from tests.schemas20 import SCHEMAS, Aliased, Bill, Discriminated, Sets, Tree
from tests.tiny import tiny_tokenizer

NAMES = [model.__name__ for model in SCHEMAS]
UNTYPED = {"Copied", "Bill", "Address", "Nested", "Listed", "Either", "Maps", "Deep", "Single",
           "Aliased", "Unicode", "Times", "Bounded"}  # fmt: skip


@pytest.mark.parametrize("model", [m for m in SCHEMAS if m.__name__ not in UNTYPED])
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_dumped_is_read_back(model: type[BaseModel], data: st.DataObject) -> None:
    schema = Schema.of(model)
    try:
        record = data.draw(st.from_type(model))
        text = schema.dump(record)
    except ValueError:  # infinity and NaN are no decimals, and have no JSON
        reject()

    values = schema.parse_dump(text)

    assert schema.dump(values) == text
    assert schema.dump(schema.values(record)) == text


def test_the_fingerprint_is_the_same_in_every_process() -> None:
    code = (
        "from extractor.schema import Schema; from tests.schemas20 import SCHEMAS;"
        "print(*[Schema.of(m).fingerprint for m in SCHEMAS])"
    )
    root = str(Path(__file__).parents[1])
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": root, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(found) == 1


def test_the_fingerprint_changes_with_name_type_and_note() -> None:
    def of(kind: Any, **settings: Any) -> str:
        class Some(BaseModel):
            a: kind = Field(None, **settings)

        return Schema.of(Some).fingerprint

    assert len({of(Money | None), of(IsoDate | None), of(Money | None, description="x")}) == 3


@pytest.mark.parametrize("kind", [Any, bytes, object, complex, list[Any], dict[int, str]])
def test_what_cannot_be_decoded_is_refused_with_the_field(kind: Any) -> None:
    class Odd(BaseModel):
        fine: str
        odd: kind

    with pytest.raises(SchemaError, match=r"Odd\.odd"):
        Schema.of(Odd)


def test_a_look_around_pattern_is_refused() -> None:
    class Odd(BaseModel):
        model_config = ConfigDict(regex_engine="python-re")
        code: str = Field(pattern="^(?=A)[A-Z]+$")

    with pytest.raises(SchemaError, match=r"Odd\.code: a pattern with look-around"):
        Schema.of(Odd)


def test_null_where_the_class_forbids_it_is_missing() -> None:
    schema = Schema.of(Bill)
    loaded = schema.load(
        '{"number":null,"rows":[{"what":null,"count":null,"price":null}],"notes":null}', Locale()
    )

    record, missing, _ = schema.record(loaded.values)

    assert record is None
    assert missing == ("number",)


def test_a_default_stands_in_for_null() -> None:
    schema = Schema.of(Bill)

    record, missing, _ = schema.record({"number": "7", "rows": [], "notes": None})

    assert record == Bill(number="7", rows=[])
    assert not missing


def test_aliases_are_the_keys_of_the_json() -> None:
    schema = Schema.of(Aliased)
    values = schema.load('{"Invoice No.":"A","the \\"total\\"":"1,50"}', Locale(decimal=",")).values

    record, _, warnings = schema.record(values)

    assert record is not None and not warnings
    assert (record.number, record.total) == ("A", Decimal("1.50"))


def test_a_discriminator_is_a_constant() -> None:
    schema = Schema.of(Discriminated)
    values = schema.load('{"paid":{"kind":"cash","amount":2.50}}', Locale()).values

    record, _, _ = schema.record(values)

    assert record is not None
    assert schema.dump(record) == '{"paid":{"kind":"cash","amount":"2.50"}}'


def test_sets_are_written_in_one_order() -> None:
    schema = Schema.of(Sets)

    assert schema.dump(Sets(tags={"b", "a"}, numbers=frozenset({3, 1}))) == schema.dump(
        Sets(tags={"a", "b"}, numbers=frozenset({1, 3}))
    )


def test_recursion_ends_at_a_stated_depth() -> None:
    assert "children: list" in "\n".join(Schema.of(Tree).lines())


def test_a_value_that_cannot_be_read_is_null_with_a_warning() -> None:
    class Dated(BaseModel):
        on: IsoDate | None = None

    loaded = Schema.of(Dated).load('{"on":"31.02.2024"}', Locale())

    assert loaded.values == {"on": None}
    assert [(w.field, w.code) for w in loaded.warnings] == [("on", "unreadable")]


def test_an_ambiguous_date_is_flagged() -> None:
    class Dated(BaseModel):
        on: IsoDate | None = None

    loaded = Schema.of(Dated).load('{"on":"03/04/2024"}', Locale())

    assert loaded.values == {"on": date(2024, 4, 3)}
    assert [w.code for w in loaded.warnings] == ["ambiguous"]


def test_labels_may_be_canonical_or_as_printed() -> None:
    class Label(BaseModel):
        total: Money | None = None
        on: IsoDate | None = None
        number: Identifier | None = None

    schema = Schema.of(Label)

    assert schema.normalise({"total": "RM 1,007.50", "on": "05 MAR 2018", "unknown": 1}) == {
        "total": Decimal("1007.50"),
        "on": date(2018, 3, 5),
    }
    with pytest.raises(LabelError, match="on: expected date"):
        schema.normalise({"on": "soon"})


def test_a_file_of_ones_own_is_loaded_by_path(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("from pydantic import BaseModel\n\nclass Mine(BaseModel):\n    a: int\n")

    assert Schema.of(resolve(f"{file}:Mine")).field_names == ("a",)
    with pytest.raises(SchemaError, match="classes there: Mine"):
        resolve(f"{file}:Other")
    with pytest.raises(SchemaError, match="cannot be imported"):
        resolve("no_such_module:Thing")


class Everyday(BaseModel):
    paid: Literal["yes"] | None = None
    amount: Decimal | None = None
    capped: Annotated[int, Field(ge=1, le=5)] | None = None
    span: timedelta | None = None
    code: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None


@pytest.mark.parametrize(
    "values",
    [{}, {"paid": "yes"}, {"amount": "12.50"}, {"capped": 5}, {"span": "PT2H"}, {"code": "AB"}],
)
def test_what_is_dumped_can_be_decoded(values: dict[str, Any]) -> None:
    schema = Schema.of(Everyday)
    tokens = encode(schema.dump(Everyday.model_validate(values)), tiny_tokenizer())

    assert Constraint(schema, tiny_tokenizer()).start(None).accepts(tokens) == len(tokens)


@pytest.mark.parametrize("values", [{"capped": 6}, {"code": "ABC"}])
def test_constraints_inside_an_optional_type_hold_in_decoding(values: dict[str, Any]) -> None:
    schema = Schema.of(Everyday)
    tokens = encode(schema.target(values), tiny_tokenizer())

    assert Constraint(schema, tiny_tokenizer()).start(None).accepts(tokens) < len(tokens)


@pytest.mark.parametrize("name", ["invoice", "receipt", "contract"])
@settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_any_record_of_a_ready_made_schema_is_read_back(name: str, data: st.DataObject) -> None:
    schema = Schema.of(resolve(f"schemas.{name}:{name.title()}"))
    drawn = data.draw(st.fixed_dictionaries({
        key: PRINTABLE[type(node.type)] for key, node in schema.root.keys
        if isinstance(node, LeafNode) and type(node.type) in PRINTABLE
    }))  # fmt: skip
    try:
        record = schema.model.model_validate(drawn)
    except ValidationError:  # few drawn totals add up
        record = schema.model.model_validate(drawn | {"net_total": None, "due_date": None})
    values = schema.values(record)

    built, missing, warnings = schema.record(values)

    assert (built, missing, warnings) == (record, (), [])
    assert schema.parse_dump(schema.dump(record)) == values


TEXT = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
PRINTABLE: dict[type, Any] = {
    MoneyType: st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=2),
    IsoDateType: st.none() | st.dates(),
    IdentifierType: st.none() | TEXT,
    VerbatimType: st.none() | TEXT,
    VatIdType: st.none() | TEXT,
    IbanType: st.none() | TEXT,
    CurrencyType: st.none() | TEXT,
}


@pytest.mark.parametrize("answer", ["", "null", "[]", '{"rows":', '{"rows":{"a":1},"notes":3}'])
def test_an_answer_of_another_form_is_null_with_a_warning(answer: str) -> None:
    loaded = Schema.of(Bill).load(answer, Locale())

    assert loaded.values == {"number": None, "rows": None, "notes": None}
    assert {"unreadable"} == {warning.code for warning in loaded.warnings}


def test_a_string_that_looks_like_a_number_stays_a_string() -> None:
    class Loose(BaseModel):
        value: float | str | None = None

    schema = Schema.of(Loose)

    assert schema.parse_dump('{"value":"3.5"}') == {"value": "3.5"}
    assert schema.parse_dump('{"value":3.5}') == {"value": 3.5}


def test_a_strict_class_gets_its_own_containers() -> None:
    class Strict(BaseModel):
        model_config = ConfigDict(strict=True)
        tags: set[str]
        point: tuple[int, int]
        gaps: list[int | None] = []

    record = Strict(tags={"b", "a"}, point=(1, 2), gaps=[1, None])
    schema = Schema.of(Strict)

    assert schema.record(schema.values(record)) == (record, (), [])


def test_a_rejected_record_is_built_with_typed_values_all_the_way_down() -> None:
    class Row(BaseModel):
        price: Money | None = None

    class Sum(BaseModel):
        rows: list[Row]
        by_name: dict[str, Row]

        @model_validator(mode="after")
        def refuse(self) -> Sum:
            raise ValueError("rows do not add up")

    row = {"price": Decimal("1.50")}
    record, missing, warnings = Schema.of(Sum).record({"rows": [row], "by_name": {"a": row}})

    assert record is not None and not missing
    assert (record.rows[0].price, record.by_name["a"].price) == (Decimal("1.50"), Decimal("1.50"))
    assert [(w.field, w.code) for w in warnings] == [("", "rejected")]


def test_a_schema_is_made_once_and_part_of_it_can_dump() -> None:
    assert Schema.of(Bill) is Schema.of(Bill)
    part = Schema.of(Bill).only(["notes"])

    assert part.dump(Bill(number="7", rows=[], notes=["x"])) == '{"notes":["x"]}'


@pytest.mark.parametrize("pattern", [r"a(?!b)", r"(?<=a)b", r"\bx\b"])
def test_a_pattern_that_looks_around_is_refused(pattern: str) -> None:
    class Odd(BaseModel):
        model_config = ConfigDict(regex_engine="python-re")
        code: Annotated[str, Field(pattern=pattern)] | None = None

    with pytest.raises(SchemaError, match=r"Odd\.code"):
        Schema.of(Odd)


def test_a_root_model_is_refused() -> None:
    class Rows(RootModel[list[int]]):
        pass

    with pytest.raises(SchemaError, match="RootModel"):
        Schema.of(Rows)


@pytest.mark.parametrize("name", ["invoise", ":", "no.such:Thing", "gone.py:Thing", "gone.json"])
def test_a_name_that_leads_nowhere_is_told(name: str) -> None:
    with pytest.raises(SchemaError):
        resolve(name)


def schema_with(kind: Any) -> AnySchema:
    """Return the schema of a class with one field `a`, which is required."""
    return Schema.of(create_model("Some", a=(kind, ...)))


def can_be_said(schema: AnySchema, value: Any) -> bool:
    tokens = encode(schema.target({"a": value}), tiny_tokenizer())
    return Constraint(schema, tiny_tokenizer()).start(None).accepts(tokens) == len(tokens)


@pytest.mark.parametrize(
    "address", ["a@uni.edu", "a@shop.online", "John+x@a.com", "o'neil@mail.x-y.co.uk", "A@B.MUSEUM"]
)
def test_a_legal_mail_address_can_be_decoded(address: str) -> None:
    assert re.fullmatch(EMAIL, address)


@pytest.mark.parametrize("address", ["a@b.test", "a@b.LOCALHOST", "a..b@c.de", "a@-b.de", "a@b.c"])
def test_what_is_no_mail_address_cannot_be_decoded(address: str) -> None:
    """Names that are reserved are none to Pydantic, so an answer with one would be lost."""
    assert not re.fullmatch(EMAIL, address)


@settings(max_examples=200, suppress_health_check=list(HealthCheck), deadline=None)
@given(address=st.from_regex(EMAIL, fullmatch=True))
def test_pydantic_accepts_every_mail_address_that_can_be_decoded(address: str) -> None:
    checker = pytest.importorskip("email_validator", reason="Pydantic needs it for EmailStr")

    assert checker.validate_email(address, check_deliverability=False)


@pytest.mark.parametrize(
    "url", ["https://a.app/x?y=1", "http://A.example.co.uk:8080/", "https://a.de/x/~y,1#top"]
)
def test_a_legal_url_can_be_decoded(url: str) -> None:
    assert can_be_said(schema_with(AnyUrl), url)


@settings(max_examples=200, suppress_health_check=list(HealthCheck), deadline=None)
@given(url=st.from_regex(URL, fullmatch=True))
def test_pydantic_accepts_every_url_that_can_be_decoded(url: str) -> None:
    assert TypeAdapter(AnyUrl).validate_python(url)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (conint(ge=1, le=5), 5, 6),
        (constr(max_length=3), "abc", "abcd"),
        (constr(pattern="^[a-z]+$"), "abc", "ABC"),
        (conlist(int, max_length=2), [1, 2], [1, 2, 3]),
        (Annotated[int, Interval(ge=1, le=5)], 1, 0),
        (Annotated[str, Len(2, 3)] | None, "ab", "a"),
        (Annotated[list[int], Len(0, 2)], [1], [1, 2, 3]),
    ],
)
def test_grouped_constraints_hold_in_decoding(kind: Any, good: Any, bad: Any) -> None:
    schema = schema_with(kind)

    assert can_be_said(schema, good)
    assert not can_be_said(schema, bad)


class Part(BaseModel):
    size: int
    note: str | None = None


class Method(enum.Enum):
    CARD = "card"
    CASH = "cash"


class ByCard(BaseModel):
    kind: Literal[Method.CARD]
    number: int | None = None


class InCash(BaseModel):
    kind: Literal[Method.CASH]
    number: int | None = None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (list[str] | str, "abc"),
        (list[str] | str, ["a", "b"]),
        (list[int] | int, 5),
        (dict[str, str] | str, "abc"),
        (dict[str, str] | Part, Part(size=1)),
        (list[Part] | list[str], ["a"]),
        (list[Part] | list[str], [Part(size=1)]),
        (list[int] | list[str], ["a"]),
        (tuple[int, int] | list[int], [1, 2, 3]),
        (Part | list[int], [1, 2]),
        (Money | Verbatim, "abc"),
        (Literal["none"] | int, "none"),
    ],
)
def test_a_union_is_written_in_the_form_of_its_value(kind: Any, value: Any) -> None:
    schema = schema_with(kind)
    record = schema.model(a=value)
    values = schema.values(record)

    assert schema.record(values) == (record, (), [])
    assert schema.dump(values) == schema.dump(record)
    assert list(schema.leaves(values))


def test_a_union_without_a_value_is_one_leaf() -> None:
    assert [leaf.path for leaf in schema_with(list[str] | Money).leaves({"a": None})] == ["a"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Literal[Method.CARD], Method.CARD),
        (Literal[Method.CARD] | None, Method.CARD),
        (Literal[Method.CARD, Method.CASH], Method.CASH),
        (Annotated[ByCard | InCash, Field(discriminator="kind")], InCash(kind=Method.CASH)),
        (Annotated[date, Field(strict=True)], date(2024, 5, 17)),
        (Annotated[Decimal, Field(strict=True)], Decimal("1.50")),
        (Annotated[float, Field(lt=math.inf)], 1.5),
        (Annotated[Decimal, Field(gt=-math.inf)], Decimal("1.50")),
    ],
)
def test_a_value_of_a_rare_type_is_read_back(kind: Any, value: Any) -> None:
    schema = schema_with(kind)
    record = schema.model(a=value)

    loaded = schema.load(schema.dump(record), Locale())

    assert not loaded.warnings
    assert schema.record(loaded.values) == (record, (), [])


def test_null_behind_an_alias_is_no_missing_value() -> None:
    schema = schema_with(TypeAliasType("Note", Optional[str]))  # noqa: UP045

    assert schema.record({"a": None}) == (schema.model(a=None), (), [])


@pytest.mark.parametrize("kind", [typing.List, typing.Dict, typing.Tuple, list, dict])  # noqa: UP006
def test_a_container_of_unknown_items_is_refused(kind: Any) -> None:
    with pytest.raises(SchemaError, match=r"Some\.a: .* without the type of its items"):
        schema_with(kind)


def test_what_is_no_class_is_refused() -> None:
    with pytest.raises(SchemaError, match="no Pydantic model"):
        Schema.of({"type": "object"})  # type: ignore[arg-type]


class East(BaseModel):
    east: East | None = None
    west: West | None = None
    north: North | None = None
    south: South | None = None


class West(East):
    pass


class North(East):
    pass


class South(East):
    pass


def test_models_that_all_refer_to_each_other_are_refused_with_the_field() -> None:
    with pytest.raises(SchemaError, match="more than") as caught:
        Schema.of(East)

    assert caught.value.field is not None and caught.value.field.startswith("East.")


def test_a_class_that_cannot_even_be_built_gives_no_record() -> None:
    class Paid(BaseModel):
        total: Annotated[int, Field(le=5)]

        def model_post_init(self, context: Any) -> None:
            raise RuntimeError("no rate for this day")

    record, missing, warnings = Schema.of(Paid).record({"total": 9})

    assert record is None and not missing
    assert [w.code for w in warnings] == ["rejected", "rejected"]
    assert "no rate for this day" in warnings[-1].message


def test_the_values_leaves_and_prints_of_a_set_agree() -> None:
    schema = schema_with(set[Identifier])

    loaded = schema.load('{"a":["b","a","b","c"]}', Locale())

    assert loaded.values == {"a": ["a", "b", "c"]}
    leaves = {leaf.path: leaf.value for leaf in schema.leaves(loaded.values)}
    assert leaves == loaded.printed == {"a[0]": "a", "a[1]": "b", "a[2]": "c"}
    assert loaded.moved == {"a[0]": "a[1]", "a[1]": "a[0]", "a[2]": "a[3]"}


@pytest.mark.parametrize(
    ("kind", "count", "codes"),
    [
        (list[int], MAX_ITEMS, ["limit_reached"]),
        (list[int], MAX_ITEMS - 1, []),
        (Annotated[list[int], Field(max_length=MAX_ITEMS)], MAX_ITEMS, []),
        (Annotated[list[int], Field(max_length=2)], 2, []),
        (Annotated[list[int], Field(max_length=MAX_ITEMS + 30)], MAX_ITEMS, ["limit_reached"]),
    ],
)
def test_a_list_that_ends_at_our_own_limit_is_flagged(
    kind: Any, count: int, codes: list[str]
) -> None:
    loaded = schema_with(kind).load(f'{{"a":{[7] * count}}}', Locale())

    assert [(w.field, w.code) for w in loaded.warnings] == [("a", code) for code in codes]
