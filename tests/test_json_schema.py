"""A JSON Schema file serves as a schema."""

from __future__ import annotations

import json
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
