"""A JSON Schema file serves as a schema."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import SchemaError
from extractor.schema import Schema, resolve


def written(folder: Path, **content: Any) -> str:
    file = folder / "delivery.json"
    file.write_text(json.dumps({"title": "Delivery", "type": "object", **content}))
    return str(file)


def test_a_json_schema_file_becomes_a_class(tmp_path: Path) -> None:
    name = written(
        tmp_path,
        required=["number"],
        properties={
            "number": {"type": "string", "description": "of the note"},
            "sent on": {"type": "string", "format": "date"},
            "state": {"enum": ["open", "done", None]},
            "weight": {"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}]},
            "rows": {"type": "array", "items": {"$ref": "#/$defs/row"}},
        },
        **{"$defs": {"row": {"type": "object", "properties": {"count": {"type": "integer"}}}}},
    )

    schema = Schema.of(resolve(name))

    assert schema.lines() == [
        "number: text | of the note",
        "sent on: date as YYYY-MM-DD",
        "state: one of open, done",
        "weight: number",
        "rows: list",
        "  count: whole number",
    ]
    values = schema.normalise({"number": "7", "sent on": "2024-05-17", "rows": [{"count": 3}]})
    record, missing, warnings = schema.record({**dict.fromkeys(schema.field_names), **values})
    assert record is not None
    assert not missing and not warnings
    assert json.loads(schema.dump(record))["sent on"] == "2024-05-17"


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"a": {"type": "string", "contentEncoding": "base64"}}, "keyword contentEncoding"),
        ({"a": {"$ref": "https://example.org/x"}}, "only references into the file"),
        ({"a": {"type": "anything"}}, "type 'anything'"),
    ],
)
def test_what_is_not_supported_is_named(
    tmp_path: Path, properties: dict[str, Any], message: str
) -> None:
    with pytest.raises(SchemaError, match=message):
        resolve(written(tmp_path, properties=properties))


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"type": "string", "pattern": "^(?=A)[A-Z]+$"}, r"Delivery\.a: pattern"),
        ({"type": "string", "minLength": "3"}, r'Delivery\.a: minLength is "3"'),
        ({"type": "object", "properties": []}, r"Delivery\.a: properties is \[\]"),
        ({"type": "string", "required": True}, r"Delivery\.a: required is true"),
        ({"type": "number", "exclusiveMinimum": True}, r"Delivery\.a: exclusiveMinimum is true"),
        ({"type": {}}, r"Delivery\.a: type is \{\}"),
        ({"enum": [{}]}, r"Delivery\.a: enum is"),
        ({"type": "string", "format": "ipv4"}, r"Delivery\.a: format 'ipv4'"),
        ({"type": "integer", "format": "unix-time"}, r"Delivery\.a: format 'unix-time'"),
        ({"type": "integer", "default": "x"}, r"Delivery\.a: its default"),
    ],
)
def test_a_keyword_of_another_form_is_told_with_the_field(
    tmp_path: Path, node: dict[str, Any], message: str
) -> None:
    with pytest.raises(SchemaError, match=message) as caught:
        resolve(written(tmp_path, properties={"a": node}))

    assert caught.value.hint


def test_an_address_is_asked_for_as_one(tmp_path: Path) -> None:
    schema = Schema.of(
        resolve(
            written(
                tmp_path,
                properties={
                    "mail": {"type": "string", "format": "email"},
                    "site": {"type": "string", "format": "uri"},
                    "size": {"type": "integer", "format": "int32"},
                },
            )
        )
    )

    assert schema.lines() == ["mail: email", "site: url", "size: whole number"]


def test_a_default_stands_in_unless_the_value_is_required(tmp_path: Path) -> None:
    text = {"type": "string", "format": "date", "default": "2024-05-17"}
    schema = Schema.of(
        resolve(written(tmp_path, properties={"sent": text, "due": text}, required=["due"]))
    )

    record, missing, _ = schema.record({"sent": None, "due": None})
    assert (record, missing) == (None, ("due",))

    record, _, _ = schema.record({"sent": None, "due": date(2024, 6, 1)})
    assert record is not None
    assert json.loads(schema.dump(record)) == {"sent": "2024-05-17", "due": "2024-06-01"}


def test_a_default_beside_a_reference_counts(tmp_path: Path) -> None:
    name = written(
        tmp_path,
        properties={"count": {"$ref": "#/$defs/count", "default": 1, "description": "of boxes"}},
        **{"$defs": {"count": {"type": "integer"}}},
    )
    schema = Schema.of(resolve(name))

    record, _, _ = schema.record({"count": None})

    assert schema.lines() == ["count: whole number | of boxes"]
    assert record is not None and schema.dump(record) == '{"count":1}'


def test_unique_objects_are_a_list(tmp_path: Path) -> None:
    """Objects cannot stand in a set."""
    row = {"type": "object", "properties": {"count": {"type": "integer"}}}
    rows = {"type": "array", "uniqueItems": True, "items": row}
    schema = Schema.of(resolve(written(tmp_path, properties={"rows": rows})))

    record, _, warnings = schema.record({"rows": [{"count": 3}]})

    assert record is not None and not warnings
    assert schema.dump(record) == '{"rows":[{"count":3}]}'
