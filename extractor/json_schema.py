"""A JSON Schema file as a Pydantic class, for users who have one and no Python.

The part of JSON Schema that describes records: objects, arrays, strings with formats, numbers,
enums, null and local `$ref`. What else a file asks for is refused by name, never ignored.
"""

from __future__ import annotations

import json
import keyword
import re
import types
import typing
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Union
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic_core import SchemaError as PydanticSchemaError

from extractor.errors import SchemaError
from extractor.fields import PlainType, Rx
from extractor.schema import EMAIL, URL

_FORMATS: dict[str, Any] = {
    "date": date, "date-time": datetime, "time": time, "duration": timedelta, "uuid": UUID,
    # Text for the class: Pydantic's own type of an address needs another package.
    "email": Annotated[str, PlainType("email", Rx(EMAIL), str)],
    "uri": Annotated[str, PlainType("url", Rx(URL), str)],
}  # fmt: skip
# OpenAPI's sizes of numbers and its hint to hide input change nothing in what is read.
_SILENT_FORMATS = {"int32", "int64", "float", "double", "password"}
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


def _is_size(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _are_choices(value: Any) -> bool:
    choices = [one for one in value if one is not None] if isinstance(value, list) else []
    return bool(choices) and all(map(_is_scalar, choices))


# What each keyword holds: a test of it, and how a message names it.
_FORMS: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(
        ("minLength", "maxLength", "minItems", "maxItems"), (_is_size, "a whole number from 0")
    ),
    **dict.fromkeys(
        ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        (_is_number, "a number"),
    ),
    **dict.fromkeys(("pattern", "format", "description"), (_is_text, "a string")),
    **dict.fromkeys(("properties", "$defs", "definitions"), (_is_object, "an object")),
    "required": (_are_texts, "a list of property names, in the object that has the properties"),
    "type": (
        lambda value: _is_text(value) or _are_texts(value),
        "the name of a type, or a list of some",
    ),
    "enum": (_are_choices, "a list of strings and numbers"),
    "const": (_is_scalar, "a string or number"),
    "anyOf": (lambda value: isinstance(value, list), "a list of schemas"),
    "oneOf": (lambda value: isinstance(value, list), "a list of schemas"),
    "uniqueItems": (lambda value: isinstance(value, bool), "true or false"),
    "additionalProperties": (
        lambda value: isinstance(value, bool | dict),
        "true, false or a schema",
    ),
}


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
            path = f"{name}.{key}"
            child = self._resolved(child, path)
            kind = self.type(child, path, depth)
            safe = key.isidentifier() and not keyword.iskeyword(key) and not key.startswith("_")
            settings: dict[str, Any] = {"description": child.get("description")}
            if not safe or hasattr(BaseModel, key):
                settings["alias"] = key
                key = f"field_{index}"
            # A default would hide that a required value was not found.
            default = ... if settings.get("alias", key) in required else child.get("default")
            if default is None:
                kind = Union[kind, None]  # noqa: UP007
            elif default is not ...:
                default = _default(kind, default, path)
            definitions[key] = (kind, Field(default, **settings))
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
            unique = node.get("uniqueItems") and _hashable(item)
            many: Any = set[item] if unique else list[item]  # type: ignore[valid-type]
            return _bounded(many, node, ("minItems", "maxItems"), path)
        form = node.get("format")
        if kind == "string" and form in _FORMATS:
            return _FORMATS[form]
        if form is not None and form not in _SILENT_FORMATS:
            known = ", ".join(_FORMATS)
            raise _refused(
                path,
                f"format {form!r} with type {kind}",
                f"remove it; for strings there is {known}",
            )
        if kind == "string":
            return _bounded(str, node, ("minLength", "maxLength", "pattern"), path)
        numbers: dict[Any, Any] = {"integer": int, "number": float, "boolean": bool}
        if kind in numbers:
            bounds = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
            return _bounded(numbers[kind], node, bounds, path)
        raise _refused(path, f"type {kind!r}", "give the property a type of JSON Schema")

    def _resolved(self, node: Any, path: str) -> dict[str, Any]:
        beside: dict[str, Any] = {}
        for _ in range(16):
            if not isinstance(node, dict):
                raise _refused(path, "a schema that is no object", "write an object")
            reference = node.get("$ref")
            if reference is None:
                return {**node, **beside}
            beside = {key: node[key] for key in ("description", "default") if key in node} | beside
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
        for word, (fits, form) in _FORMS.items():
            if word in node and not fits(node[word]):
                found = json.dumps(node[word], ensure_ascii=False)[:60]
                raise SchemaError(
                    f"{path}: {word} is {found}", hint=f"it must be {form}", field=path
                )


def _bounded(kind: Any, node: dict[str, Any], keywords: tuple[str, ...], path: str) -> Any:
    bounds = {_BOUNDS[word]: node[word] for word in keywords if word in node}
    if not bounds:
        return kind
    bounded = Annotated[kind, Field(**bounds)]
    try:
        TypeAdapter(bounded)
    except (PydanticSchemaError, PydanticUserError) as error:
        shown = ", ".join(f"{word} {node[word]!r}" for word in keywords if word in node)
        raise _refused(
            path, shown, "correct it; a pattern may not look ahead or behind, nor refer back"
        ) from error
    return bounded


def _default(kind: Any, value: Any, path: str) -> Any:
    """Return a default in the Python form of its type: Pydantic does not check defaults."""
    try:
        return TypeAdapter(kind).validate_json(json.dumps(value))
    except ValidationError as error:
        raise SchemaError(
            f"{path}: its default does not fit its type", hint="correct the default", field=path
        ) from error


def _hashable(kind: Any) -> bool:
    """Return whether values of a type can stand in a set; objects, lists and maps cannot."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        return _hashable(args[0])
    if origin in (Union, types.UnionType):
        return all(map(_hashable, args))
    if origin is Literal:
        return True
    return origin is None and not issubclass(kind, BaseModel)


def _refused(path: str, what: str, hint: str) -> SchemaError:
    return SchemaError(f"{path}: {what} is not supported", hint=hint, field=path)
