"""Methods joined field by field: for each field the one that read it best on inner documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from extractor.errors import CorpusError, OutputError
from extractor.pipeline import Source
from extractor.schema import AnySchema
from training.evaluate import Reader
from training.methods.known import Answer, as_document

_FORMAT = 1


class Router:
    """Answers each top-level field by the method that is named for it.

    :param methods: readers by name.
    :param fields: name of the method by field; fields that are not named are null.
    :raises CorpusError: if a field names a method that is not given.
    """

    def __init__(
        self, schema: AnySchema, methods: Mapping[str, Reader], fields: Mapping[str, str]
    ) -> None:
        unknown = sorted(set(fields.values()) - set(methods))
        if unknown:
            raise CorpusError(
                f"router: no method {', '.join(unknown)}",
                hint=f"methods: {', '.join(methods)}",
            )
        self._schema, self._methods, self.fields = schema, dict(methods), dict(fields)

    def extract(self, source: Source, *, name: str | None = None) -> Answer:
        """Ask every method that is needed. :raises DocumentError: if the source gives no text."""
        document = as_document(source, name)
        answers = {
            method: self._methods[method].extract(document, name=name)
            for method in dict.fromkeys(self.fields.values())
        }
        values: dict[str, Any] = {
            field: answers[self.fields[field]].values.get(field) if field in self.fields else None
            for field in self._schema.field_names
        }
        return Answer(values)


def write(path: Path, schema: AnySchema, fields: Mapping[str, str]) -> None:
    """Write which method answers which field. :raises OutputError: if that cannot be done."""
    content = {"format": _FORMAT, "schema": schema.fingerprint, "fields": dict(fields)}
    try:
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror})", hint="name another folder"
        ) from error


def load(path: Path, schema: AnySchema, methods: Mapping[str, Reader]) -> Router:
    """Read what `write` wrote. :raises CorpusError: if it is none, or of another schema."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT or content["schema"] != schema.fingerprint:
            raise ValueError("of another format or schema")
        fields = {str(field): str(method) for field, method in content["fields"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorpusError(
            f"router {path}: cannot be used: {error}", hint="make it again with extractor advise"
        ) from error
    return Router(schema, methods, fields)
