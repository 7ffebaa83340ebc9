"""A JSON Schema file as a Pydantic class, for users who have one and no Python.

The part of JSON Schema that describes records: objects, arrays, strings with formats, numbers,
enums, null and local `$ref`. What else a file asks for is refused by name, never ignored.
"""

from __future__ import annotations

import json
import keyword
import re
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal, Union
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, create_model

from extractor.errors import SchemaError

_FORMATS: dict[str, Any] = {
    "date": date, "date-time": datetime, "time": time, "uuid": UUID,
}  # fmt: skip
_BOUNDS = {
    "minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of", "minLength": "min_length", "maxLength": "max_length",
    "pattern": "pattern", "minItems": "min_length", "maxItems": "max_length",
}  # fmt: skip
_SILENT = {
    "$schema", "$id", "$defs", "definitions", "title", "description", "examples", "default",
    "type", "properties", "required", "items", "enum", "const", "format", "anyOf", "oneOf", "$ref",
    "additionalProperties", "uniqueItems", *_BOUNDS,
}  # fmt: skip


def model_from_file(path: Path) -> type[BaseModel]:
    """Return the class that a JSON Schema file describes.

    :raises SchemaError: if the file is missing, no JSON Schema of an object, or asks for something
        that is not supported; the message names the place.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SchemaError(
            f"{path}: cannot be read as JSON", hint="give the path of a JSON Schema file"
        ) from error
    if not isinstance(content, dict) or content.get("type") != "object":
        raise SchemaError(
            f"{path}: its type is not object", hint="a record is an object with properties"
        )
    name = re.sub(r"\W+", "", str(content.get("title", path.stem)).title()) or "Record"
    return _Builder(content).model(content, name, 0)


class _Builder:
    """Builds the classes of one file."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root

    def model(self, node: dict[str, Any], name: str, depth: int) -> type[BaseModel]:
        self._check(node, name)
        required = set(node.get("required", ()))
        definitions: dict[str, Any] = {}
        for index, (key, child) in enumerate(node.get("properties", {}).items()):
            child = self._resolved(child, key)
            kind = self.type(child, f"{name}.{key}", depth)
            safe = key.isidentifier() and not keyword.iskeyword(key) and not key.startswith("_")
            settings: dict[str, Any] = {"description": child.get("description")}
            if not safe or hasattr(BaseModel, key):
                settings["alias"] = key
                key = f"field_{index}"
            default = ... if settings.get("alias", key) in required else None
            definitions[key] = (kind if default is ... else kind | None, Field(default, **settings))
        config = ConfigDict(populate_by_name=True)
        built: type[BaseModel] = create_model(name, __config__=config, **definitions)
        return built

    def type(self, node: dict[str, Any], path: str, depth: int) -> Any:
        """Return the Python type of a schema node."""
        node = self._resolved(node, path)
        self._check(node, path)
        if depth > 8:
            raise _refused(path, "nesting deeper than 8, or recursion", "flatten the schema")
        if "const" in node:
            return Literal[node["const"]]
        if "enum" in node:
            values = tuple(value for value in node["enum"] if value is not None)
            kind: Any = Literal[values]
            return kind | None if None in node["enum"] else kind
        options = node.get("anyOf") or node.get("oneOf")
        if options:
            return Union[tuple(self.type(option, path, depth) for option in options)]  # noqa: UP007
        return self._typed(node, node.get("type"), path, depth)

    def _typed(self, node: dict[str, Any], kind: Any, path: str, depth: int) -> Any:
        if isinstance(kind, list):
            parts = [self._typed(node, one, path, depth) for one in kind]
            return Union[tuple(parts)]  # noqa: UP007
        if kind == "null":
            return type(None)
        if kind == "object":
            extra = node.get("additionalProperties")
            if isinstance(extra, dict) and not node.get("properties"):
                return dict[str, self.type(extra, f"{path}.*", depth + 1)]  # type: ignore[misc]
            name = "".join(part.title() for part in re.findall(r"\w+", path))
            return self.model(node, name, depth + 1)
        if kind == "array":
            item = self.type(node.get("items", {}), f"{path}[]", depth + 1)
            many: Any = set[item] if node.get("uniqueItems") else list[item]  # type: ignore[valid-type]
            return _bounded(many, node, ("minItems", "maxItems"))
        if kind == "string":
            if node.get("format") in _FORMATS:
                return _FORMATS[node["format"]]
            return _bounded(str, node, ("minLength", "maxLength", "pattern"))
        numbers: dict[Any, Any] = {"integer": int, "number": float, "boolean": bool}
        if kind in numbers:
            bounds = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
            return _bounded(numbers[kind], node, bounds)
        raise _refused(path, f"type {kind!r}", "give the property a type of JSON Schema")

    def _resolved(self, node: Any, path: str) -> dict[str, Any]:
        for _ in range(16):
            if not isinstance(node, dict):
                raise _refused(path, "a schema that is no object", "write an object")
            reference = node.get("$ref")
            if reference is None:
                return node
            if not str(reference).startswith("#/"):
                raise _refused(path, f"$ref {reference}", "only references into the file are read")
            target: Any = self.root
            for part in str(reference)[2:].split("/"):
                target = target.get(part) if isinstance(target, dict) else None
            node = target
        raise _refused(path, "a $ref that leads to itself", "correct the reference")

    def _check(self, node: dict[str, Any], path: str) -> None:
        unknown = sorted(set(node) - _SILENT)
        if unknown:
            raise _refused(path, f"keyword {', '.join(unknown)}", "remove it, or write a class")


def _bounded(kind: Any, node: dict[str, Any], keywords: tuple[str, ...]) -> Any:
    bounds = {_BOUNDS[word]: node[word] for word in keywords if word in node}
    return Annotated[kind, Field(**bounds)] if bounds else kind


def _refused(path: str, what: str, hint: str) -> SchemaError:
    return SchemaError(f"{path}: {what} is not supported", hint=hint, field=path)
