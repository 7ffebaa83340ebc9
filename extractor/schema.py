"""What a Pydantic class asks for, as a tree of fields, and the one JSON form of its records.

From the tree come the prompt's field list, the constraint of decoding, the training target and
the way back from an answer to values. Decoding is laxer than the class: every key is there and,
except for constants, may be null; what the class then forbids is reported, not guessed.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import importlib
import importlib.util
import itertools
import json
import math
import re
import string
import sys
import types
import typing
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

import annotated_types
from pydantic import AliasChoices, BaseModel, BeforeValidator, EmailStr, RootModel, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.networks import _BaseUrl
from pydantic.types import Strict
from pydantic_core import SchemaError as PydanticSchemaError

from extractor import usual
from extractor.errors import LabelError, SchemaError
from extractor.fields import Choice, Emission, FieldType, JsonSchema, Locale, PlainType, Rx

T = TypeVar("T", bound=BaseModel)
ENTRY_POINTS = "fieldwright.schemas"
MAX_DEPTH = 3
MAX_ITEMS = 50
MAX_KEYS = 20
MAX_LENGTH = 200
# Models that refer to each other multiply; a prompt that lists more fields fits no model.
MAX_NODES = 2000


@dataclass(frozen=True, slots=True)
class LeafNode:
    """One value; null is always possible."""

    type: FieldType


@dataclass(frozen=True, slots=True)
class ConstNode:
    """A value that the class fixes, such as a discriminator; never null.

    :param value: as it stands in JSON.
    :param member: as the class has it, which may be a member of an enum.
    """

    value: str | int | bool
    member: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class ObjectNode:
    """A nested model.

    :param keys: JSON keys (aliases applied) and their nodes, in the order of the class.
    :param attributes: Python attribute of each key.
    :param nullable: keys that the class allows to be null.
    :param defaulted: keys that the class does not require.
    """

    keys: tuple[tuple[str, Node], ...]
    notes: tuple[tuple[str, str], ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    # Tuples, not sets: the fingerprint must be the same in every process.
    nullable: tuple[str, ...] = ()
    defaulted: tuple[str, ...] = ()
    model: type[BaseModel] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list; for sets `unique` is true and order does not count.

    :param container: what the class holds: list, tuple, set or frozenset.
    :param null_items: whether the class allows null among the items.
    :param capped: whether `max_items` is ours, so that rows may be missing from a full list.
    """

    item: Node
    min_items: int = 0
    max_items: int = MAX_ITEMS
    unique: bool = False
    container: type = field(default=list, repr=False)
    null_items: bool = field(default=False, repr=False)
    capped: bool = field(default=False, repr=False)


@dataclass(frozen=True, slots=True)
class TupleNode:
    """A list of fixed length, each place with its own type."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapNode:
    """An object with free keys."""

    value: Node
    key_pattern: str = r"[A-Za-z0-9 _.-]{1,60}"
    max_items: int = MAX_KEYS


@dataclass(frozen=True, slots=True)
class UnionNode:
    """One of several forms."""

    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class NullNode:
    """Null only: where recursion is cut."""


Node = LeafNode | ConstNode | ObjectNode | ListNode | TupleNode | MapNode | UnionNode | NullNode


@dataclass(frozen=True, slots=True)
class FieldWarning:
    """Something to look at.

    :param field: path, such as `line_items[0].quantity`; empty for the whole record.
    :param code: `ambiguous`, `wrong` (as it is printed), `unreadable`, `limit_reached`,
        `rejected`, `unusual`, `check_failed`, `chosen_by_check`, `row_outside`, `not_visible`,
        `conflict`, `reference` (taken from known parties), `reference_differs`,
        `reference_unsure` or, of the whole record, `unread_pages`, `hidden_text`, `chat_text`,
        `windows_unread`, `unseen_layout` and `reference_ambiguous`.
    """

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """An answer, read.

    :param values: by JSON key; sets are ordered and without duplicates.
    :param printed: the print of copied values, by their path in `values`.
    :param warnings: what was odd.
    :param moved: the path in the answer of each leaf that stands elsewhere in `values`.
    """

    values: dict[str, Any]
    printed: dict[str, str]
    warnings: list[FieldWarning]
    moved: dict[str, str]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value with its place in the record; `pattern` has `[]` for every index."""

    path: str
    pattern: str
    type: FieldType
    value: Any


class Schema(Generic[T]):
    """A Pydantic class as the rest of this package sees it; made by `Schema.of`."""

    def __init__(self, model: type[T], root: ObjectNode) -> None:
        self.model = model
        self.root = root
        self.name = model.__name__
        self.field_names = tuple(name for name, _ in root.keys)
        described = json.dumps([self.lines(), repr(root)])
        self.fingerprint = hashlib.sha256(described.encode()).hexdigest()

    @classmethod
    def of(cls, model: type[T]) -> Schema[T]:
        """Return the schema of a class.

        :raises SchemaError: with the field's name, if a type cannot be decoded.
        """
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise SchemaError(
                f"{model!r} is no Pydantic model",
                hint="give a class derived from pydantic.BaseModel",
            )
        schema: Schema[T] = _schema_of(model)
        return schema

    def only(self, names: Collection[str]) -> Schema[T]:
        """Return the schema of some top-level fields, in the order of the class.

        It serves for asking, not for building records: the class's other fields are gone.
        """
        unknown = set(names) - set(self.field_names)
        if unknown or not names:
            raise SchemaError(
                f"{self.name} has no field {', '.join(sorted(unknown)) or '(none named)'}",
                hint=f"fields: {', '.join(self.field_names)}",
            )
        keys = tuple(pair for pair in self.root.keys if pair[0] in names)
        notes = tuple(pair for pair in self.root.notes if pair[0] in names)
        return Schema(self.model, dataclasses.replace(self.root, keys=keys, notes=notes))

    def lines(self) -> list[str]:
        """Return the field list of the prompt: `name: type | note`, children indented."""
        return _lines(self.root, "")

    def skeleton(self) -> str:
        """Return the canonical JSON with every value null."""
        return _json({key: _null(node) for key, node in self.root.keys})

    def target(self, printed: Mapping[str, Any]) -> str:
        """Return canonical JSON of values as printed; keys that are not given are null."""
        return _json(_ordered(self.root, printed))

    def load(self, text: str, locale: Locale) -> Loaded:
        """Read an answer: parse the JSON, normalise each copied value by `locale`.

        A value that cannot be read, such as the 31st of February or a list where an object
        belongs, is null with a warning; so is every value if the text is no JSON object.
        """
        loaded = Loaded({}, {}, [], {})
        try:
            raw = json.loads(text, parse_float=_Fraction)
        except ValueError:
            raw = None
        if not isinstance(raw, Mapping):
            loaded.warnings.append(FieldWarning("", "unreadable", "the answer is no JSON object"))
            raw = {}
        loaded.values.update(_load(self.root, raw, "", locale, loaded))
        return loaded

    def record(
        self, values: Mapping[str, Any]
    ) -> tuple[T | None, tuple[str, ...], list[FieldWarning]]:
        """Build the class's record.

        :returns: the record, or None if the class forbids null where nothing was found; the paths
            that are missing; what the class's own validators reject. A rejected record is built
            all the same, without validation, since the values are what the document shows; it is
            None too if the class cannot even be built so.
        """
        missing: list[str] = []
        pruned = _prune(self.root, values, "", missing)
        if missing:
            return None, tuple(missing), []
        record, warnings = self._validate(pruned)
        if record is not None:
            return record, (), []
        try:
            record = _construct(self.root, pruned)  # the root's model is T
        except Exception as error:  # model_post_init and default factories are the user's code too
            message = f"the record cannot be built: {type(error).__name__}: {error}"
            warnings.append(FieldWarning("", "rejected", message))
        return record, (), warnings

    def rejections(self, values: Mapping[str, Any]) -> list[FieldWarning] | None:
        """Return what the class's own validators reject; None where a required value is missing."""
        missing: list[str] = []
        pruned = _prune(self.root, values, "", missing)
        return None if missing else self._validate(pruned)[1]

    def unusual(self, values: Mapping[str, Any], *, rows: bool = True) -> list[FieldWarning]:
        """Return what values break of what the class and those in it say `usually` holds.

        :param rows: whether what stands in lists, tuples and free keys is looked at as well.
        :returns: `unusual`, and `check_failed` for a method that raises or a class that cannot be
            built for it.
        """
        return list(_unusual(self.root, values, "", rows))

    def unusual_row(self, name: str, row: Any) -> list[FieldWarning]:
        """Return the same of one item of a top-level list; paths begin at the item."""
        node = dict(self.root.keys)[name]
        return list(_unusual(node.item, row, "", True)) if isinstance(node, ListNode) else []

    def _validate(self, pruned: Mapping[str, Any]) -> tuple[T | None, list[FieldWarning]]:
        try:
            return self.model.model_validate(pruned), []
        except ValidationError as error:
            return None, [
                FieldWarning(_path(item["loc"]), "rejected", item["msg"])
                for item in error.errors(include_url=False, include_context=False)
            ]
        except Exception as error:  # validators are the user's code and may raise anything
            message = f"a validator raised {type(error).__name__}: {error}"
            return None, [FieldWarning("", "rejected", message)]

    def dump(self, record: BaseModel | Mapping[str, Any]) -> str:
        """Return the one canonical JSON of a record, or of values by JSON key."""
        return _json(_dump(self.root, record))

    def parse_dump(self, text: str) -> dict[str, Any]:
        """Return the values of what `dump` wrote: `parse_dump(dump(r)) == values(r)`."""
        values: dict[str, Any] = _parse(self.root, json.loads(text, parse_float=_Fraction), "")
        return values

    def values(self, record: BaseModel) -> dict[str, Any]:
        """Return a record's values by JSON key."""
        return self.parse_dump(self.dump(record))

    def normalise(self, label: Mapping[str, Any], locale: Locale | None = None) -> dict[str, Any]:
        """Return the values of a label: canonical forms, or values as printed.

        Keys that the label lacks, and keys that the schema lacks, are left out.

        :raises LabelError: with the field, if a value is neither.
        """
        nodes = dict(self.root.keys)
        if not isinstance(label, Mapping):
            raise LabelError(
                f"label of {self.name}: expected an object, found {type(label).__name__}",
                hint="write the fields as a JSON object",
            )
        return {
            key: _parse(nodes[key], value, key, locale or Locale())
            for key, value in label.items()
            if key in nodes
        }

    def models(self) -> list[type[BaseModel]]:
        """Return the class and every class in it, each once."""
        return list(dict.fromkeys([self.model, *_models(self.root)]))

    def leaves(self, values: Mapping[str, Any]) -> Iterator[Leaf]:
        """Yield every leaf of some values in schema order; empty lists and null rows have none."""
        for key, node in self.root.keys:
            if key in values:
                yield from _leaves(node, values[key], key, key)


AnySchema = Schema[Any]


@lru_cache(maxsize=256)
def _schema_of(model: type[BaseModel]) -> AnySchema:
    root = _object(model, model.__name__, _Above())
    if not root.keys:
        raise SchemaError(f"{model.__name__} has no fields", hint="add a field to it")
    return Schema(model, root)


@dataclass(frozen=True, slots=True)
class _Above:
    """What a node stands in.

    :param types: the models and aliases around it, which tell recursion.
    :param nodes: counts the nodes of the whole tree.
    """

    types: tuple[Any, ...] = ()
    nodes: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def within(self, kind: Any) -> _Above:
        return _Above((*self.types, kind), self.nodes)

    def ends(self, kind: Any) -> bool:
        return self.types.count(kind) >= MAX_DEPTH


def _object(model: type[BaseModel], path: str, above: _Above) -> ObjectNode:
    if above.ends(model):
        return ObjectNode(())
    _check_model(model, path)
    keys, notes, attributes = [], [], []
    nullable: list[str] = []
    defaulted: list[str] = []
    for name, info in model.model_fields.items():
        key = _key(name, info, path)
        where = f"{path}.{name}"
        metadata = tuple(_spread(info.metadata))
        node = _node(info.annotation, metadata, where, above.within(model))
        keys.append((key, node))
        attributes.append((key, name))
        if info.description:
            notes.append((key, " ".join(info.description.split())))
        if _allows_null(info.annotation):
            nullable.append(key)
        if not info.is_required():
            defaulted.append(key)
    return ObjectNode(
        tuple(keys),
        tuple(notes),
        tuple(attributes),
        tuple(nullable),
        tuple(defaulted),
        model,
    )


def _check_model(model: type[BaseModel], path: str) -> None:
    if issubclass(model, RootModel):
        raise _refusal(path, f"{model.__name__}, a RootModel,", "use a model with a named field")
    try:
        model.model_rebuild()
    except NameError as error:
        raise SchemaError(
            f"{path}: an annotation of {model.__name__} names what does not exist: {error.name}",
            hint="define or import it before the class is used",
            field=path,
        ) from error


def _key(name: str, info: FieldInfo, path: str) -> str:
    alias = info.validation_alias or info.alias
    if isinstance(alias, AliasChoices):
        alias = next((choice for choice in alias.choices if isinstance(choice, str)), alias)
    if alias is None:
        return name
    if isinstance(alias, str):
        return alias
    raise SchemaError(
        f"{path}.{name}: an AliasPath has no single key", hint="use a plain alias", field=name
    )


def _node(annotation: Any, metadata: tuple[Any, ...], path: str, above: _Above) -> Node:
    """Return the node of a type; `metadata` is what stands in Annotated around it."""
    if next(above.nodes) > MAX_NODES:
        raise SchemaError(
            f"{path}: the schema has more than {MAX_NODES} fields up to here, "
            "a nested model counted wherever it is used",
            hint="leave out references between models that refer to each other",
            field=path,
        )
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    alias = _aliased(annotation)
    if alias is not None:
        if above.ends(annotation):
            return NullNode()
        return _node(alias, metadata, path, above.within(annotation))
    if origin is Annotated:
        return _node(args[0], (*_spread(args[1:]), *metadata), path, above)
    marker = next((item for item in metadata if isinstance(item, FieldType)), None)
    if origin in (typing.Union, types.UnionType):
        options = [option for option in args if option is not type(None)]
        if len(options) == 1:
            node = _node(options[0], metadata, path, above)
            # Only what is never null is a constant; an optional one is a choice of one.
            return (
                LeafNode(_choice(Literal[node.member], (node.member,), path))
                if (isinstance(node, ConstNode))
                else node
            )
        return UnionNode(tuple(_node(option, (), path, above) for option in options))
    if marker is not None:
        return LeafNode(marker)
    if origin is Literal:
        return _literal(args, path)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return LeafNode(_choice(annotation, tuple(annotation), path))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        node = _object(annotation, path, above)
        return node if node.keys or not annotation.model_fields else NullNode()
    if (origin or annotation) in _CONTAINERS and not args:
        name = getattr(annotation, "__name__", str(annotation))
        raise _refusal(
            path,
            f"a {name} without the type of its items",
            "write them, as in list[str] or dict[str, str]",
        )
    if origin is tuple and not (len(args) == 2 and args[1] is Ellipsis):
        return TupleNode(tuple(_node(item, (), path, above) for item in args))
    if origin in _LISTS:
        item = _node(args[0], (), f"{path}[]", above)
        least, most = _lengths(metadata, MAX_ITEMS)
        capped = _lengths(metadata, MAX_ITEMS + 1)[1] > MAX_ITEMS
        container = origin if origin in (tuple, set, frozenset) else list
        unique = origin in (set, frozenset)
        return ListNode(item, least, most, unique, container, _allows_null(args[0]), capped)
    if origin in (dict, typing.cast(Any, Mapping)):
        if args[0] is not str:
            raise _refusal(path, "a dict whose keys are not str", "use dict[str, ...]")
        return MapNode(
            _node(args[1], (), f"{path}.*", above), max_items=_lengths(metadata, MAX_KEYS)[1]
        )
    return LeafNode(_plain(annotation, metadata, path))


_LISTS: tuple[Any, ...] = (list, set, frozenset, tuple, Sequence, Collection)
_CONTAINERS: tuple[Any, ...] = (*_LISTS, dict, Mapping)


def _aliased(annotation: Any) -> Any:
    """Return what `type X = ...` or NewType stands for; None for any other type."""
    return getattr(annotation, "__value__", getattr(annotation, "__supertype__", None))


def _spread(metadata: Sequence[Any]) -> Iterator[Any]:
    """Yield what stands in Annotated, groups such as `Interval` and `Field(...)` as their parts."""
    for item in metadata:
        if isinstance(item, FieldInfo):
            yield from _spread(item.metadata)
        elif isinstance(item, annotated_types.GroupedMetadata):
            yield from _spread(tuple(item))
        else:
            yield item


def _literal(members: Sequence[Any], path: str) -> Node:
    values = tuple(member for member in members if member is not None)
    choice = _choice(Literal[values], values, path)
    if len(members) == 1:
        member = members[0]
        return ConstNode(member.value if isinstance(member, enum.Enum) else member, member)
    return LeafNode(choice)


def _allows_null(annotation: Any) -> bool:
    if annotation is type(None):
        return True
    alias = _aliased(annotation)
    if alias is not None:
        return _allows_null(alias)
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _allows_null(args[0])
    if origin is Literal:
        return None in args
    return origin in (typing.Union, types.UnionType) and any(map(_allows_null, args))


def _refusal(path: str, what: str, hint: str) -> SchemaError:
    return SchemaError(f"{path}: {what} cannot be decoded", hint=hint, field=path)


def _choice(annotation: Any, members: Sequence[Any], path: str) -> PlainType:
    values = tuple(m.value if isinstance(m, enum.Enum) else m for m in members)
    if not values or not all(isinstance(value, str | int | float | bool) for value in values):
        raise _refusal(path, "a choice of other than text and numbers", "use strings")
    shown = ", ".join(str(value) for value in values[:12])
    if typing.get_origin(annotation) is Literal:
        annotation = Annotated[annotation, BeforeValidator(_member_of(members))]
    return PlainType(f"one of {shown}", Choice(values), annotation)


def _member_of(members: Sequence[Any]) -> Callable[[Any], Any]:
    """Return what turns JSON into the enum member of a Literal, which takes the member only."""
    enums = [member for member in members if isinstance(member, enum.Enum)]

    def member_of(raw: Any) -> Any:
        same = (m for m in enums if m.value == raw and type(m.value) is type(raw))
        return next(same, raw)

    return member_of


def _lengths(metadata: Sequence[Any], most: int) -> tuple[int, int]:
    least, limit = 0, most
    for item in metadata:
        if isinstance(item, annotated_types.MinLen):
            least = max(least, item.min_length)
        if isinstance(item, annotated_types.MaxLen):
            limit = min(limit, item.max_length)
    return least, max(limit, least)


def _plain(annotation: Any, metadata: tuple[Any, ...], path: str) -> PlainType:
    """Return the type of a plain Python value with its constraints."""
    if not isinstance(annotation, type) or annotation in (bytes, object):
        raise _refusal(
            path, getattr(annotation, "__name__", str(annotation)), "give the field a concrete type"
        )
    try:
        return _plain_type(annotation, metadata, path)
    except (PydanticSchemaError, PydanticSchemaGenerationError, PydanticUserError) as error:
        raise SchemaError(
            f"{path}: {annotation.__name__} with these constraints cannot be decoded: "
            f"{' '.join(str(error).split())[:200]}",
            hint="correct the constraint, or check it in a validator",
            field=path,
        ) from error


def _plain_type(annotation: type, metadata: tuple[Any, ...], path: str) -> PlainType:
    constraints = tuple(item for item in metadata if _is_constraint(item))
    described: Any = Annotated[(annotation, *constraints)] if constraints else annotation
    if annotation is bool:
        return PlainType("true or false", Choice((True, False)), bool)
    if annotation is int:
        return PlainType("whole number", _integer(constraints), described)
    if annotation is float:
        return PlainType("number", _number(constraints), described)
    if annotation is Decimal:
        return PlainType("number", _decimal(constraints), described)
    if annotation is str:
        return PlainType("text", _string(constraints, path), described)
    if annotation is EmailStr:
        return PlainType("email", Rx(EMAIL), EmailStr)
    if issubclass(annotation, _BaseUrl):
        return PlainType("url", Rx(URL), annotation)
    for known, name, pattern in _FORMS:
        if annotation is known:
            return PlainType(name, Rx(pattern), described)
    raise _refusal(
        path, annotation.__name__, "use a Pydantic model, a plain type, or extractor.fields"
    )


def _is_constraint(item: Any) -> bool:
    # JSON has no dates and no decimals: a strict type would refuse every answer.
    return not isinstance(item, Strict) and (
        isinstance(item, annotated_types.BaseMetadata)
        or hasattr(item, "pattern")
        or hasattr(item, "max_digits")
    )


def _bounds(constraints: Sequence[Any]) -> dict[str, Any]:
    names = {
        annotated_types.Ge: ("ge", "minimum"),
        annotated_types.Gt: ("gt", "exclusiveMinimum"),
        annotated_types.Le: ("le", "maximum"),
        annotated_types.Lt: ("lt", "exclusiveMaximum"),
        annotated_types.MultipleOf: ("multiple_of", "multipleOf"),
    }
    found = {}
    for item in constraints:
        for kind, (attribute, keyword) in names.items():
            if isinstance(item, kind):
                value = getattr(item, attribute)
                if isinstance(value, int) or math.isfinite(value):
                    found[keyword] = int(value) if value == int(value) else float(value)
    return found


def _integer(constraints: Sequence[Any]) -> Emission:
    bounds = _bounds(constraints)
    if not {"minimum", "exclusiveMinimum"} & set(bounds):
        bounds["minimum"] = -(10**15 - 1)
    if not {"maximum", "exclusiveMaximum"} & set(bounds):
        bounds["maximum"] = 10**15 - 1
    return JsonSchema.of(type="integer", **bounds)


def _number(constraints: Sequence[Any]) -> Emission:
    bounds = _bounds(constraints)
    if bounds:
        return JsonSchema.of(type="number", **bounds)
    digits = next((c.max_digits for c in constraints if getattr(c, "max_digits", None)), None)
    places = next(
        (c.decimal_places for c in constraints if getattr(c, "decimal_places", None) is not None),
        None,
    )
    places = min(6 if places is None else places, 6)
    if digits is None:
        whole = 15
    else:
        whole = digits - places
        if whole <= 0:  # the 0 of 0.5 counts as a digit there
            return Rx(rf"-?0\.[0-9]{{1,{max(1, places)}}}", quoted=False)
    tail = rf"(?:\.[0-9]{{1,{places}}})?" if places else ""
    return Rx(rf"-?(?:0|[1-9][0-9]{{0,{whole - 1}}}){tail}", quoted=False)


def _decimal(constraints: Sequence[Any]) -> Emission:
    """Return a decimal as a JSON string, as in canonical JSON: a JSON number may lose digits.

    Of the bounds only the sign limits decoding; the others are checked when the answer is read.
    """
    form = _number([item for item in constraints if not _bounds([item])])
    assert isinstance(form, Rx)
    bounds = _bounds(constraints)
    least = max(bounds.get("minimum", -1), bounds.get("exclusiveMinimum", -1))
    return Rx(form.pattern.removeprefix("-?") if least >= 0 else form.pattern)


def _string(constraints: Sequence[Any], path: str) -> Emission:
    least, most = _lengths(constraints, MAX_LENGTH)
    pattern = next((c.pattern for c in constraints if getattr(c, "pattern", None)), None)
    if pattern is None:
        return JsonSchema.of(type="string", minLength=least, maxLength=most)
    text = pattern if isinstance(pattern, str) else pattern.pattern
    bare_text = text.replace(r"\\", "")  # an escaped backslash escapes nothing
    if re.search(r"\(\?(?:[=!>]|<[=!]|P=)|\\[1-9bB]", bare_text):
        raise _refusal(
            path,
            f"a pattern with look-around, back-reference or word boundary ({text})",
            "write the pattern without them, or check it in a validator",
        )
    return JsonSchema.of(type="string", pattern=text, minLength=least, maxLength=most)


def _letters_but(words: Collection[str], least: int, most: int) -> str:
    """Return a pattern of some number of letters in any case that are none of some words."""
    heads = sorted({word[0] for word in words if word})
    others = "".join(letter for letter in string.ascii_lowercase if letter not in heads)
    fewer = max(least - 1, 0)
    parts = [f"[{others}{others.upper()}][A-Za-z]{{{fewer},{most - 1}}}"]
    for head in heads:
        rest = [word[1:] for word in words if word[:1] == head]
        parts.append(f"[{head}{head.upper()}]{_letters_but(rest, fewer, most - 1)}")
    empty = least == 0 and "" not in words
    return f"(?:{'|'.join(parts)}){'?' if empty else ''}"


_D = "[0-9]"
_DATE = (
    rf"(?:(?:19|20){_D}{{2}}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]{_D}|3[01])"
    rf"|(?:0[469]|11)-(?:0[1-9]|[12]{_D}|30)|02-(?:0[1-9]|1{_D}|2[0-8]))"
    rf"|(?:19(?:0[48]|[2468][048]|[13579][26])|20(?:[02468][048]|[13579][26]))-02-29)"
)
_CLOCK = rf"(?:[01]{_D}|2[0-3]):[0-5]{_D}:[0-5]{_D}"
_ZONE = rf"(?:Z|[+-](?:0{_D}|1[0-3]):[0-5]{_D})"
_HOURS, _MINUTES = rf"(?:1?{_D}|2[0-3])H", rf"[1-5]?{_D}M"
_SECONDS = rf"[1-5]?{_D}(?:\.{_D}{{1,6}})?S"
_SPAN = rf"(?:{_HOURS}(?:{_MINUTES})?(?:{_SECONDS})?|{_MINUTES}(?:{_SECONDS})?|{_SECONDS})"
_A = "[A-Za-z0-9]"
# At most 62 characters between two points, and no two hyphens: those stand in encoded names.
_LABELS = rf"{_A}{{1,20}}(?:[.-]?{_A}){{0,21}}"
_DOMAIN = rf"{_LABELS}(?:\.{_LABELS})?"
_LOCAL = "[A-Za-z0-9_%+&'-]"
# What email-validator, and so Pydantic, refuses as the end of an address.
_NO_MAIL = ("arpa", "invalid", "local", "localhost", "onion", "test")
EMAIL = rf"{_LOCAL}{{1,20}}(?:\.?{_LOCAL}){{0,21}}@{_DOMAIN}\.{_letters_but(_NO_MAIL, 2, 24)}"
_PORT = r"[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
_IN_URL = "[A-Za-z0-9_.~!$&'()*+,;=:@%/?-]"
URL = (
    rf"https?://{_DOMAIN}\.[A-Za-z]{{2,24}}(?::(?:{_PORT}))?"
    rf"(?:[/?]{_IN_URL}{{0,200}})?(?:#{_IN_URL}{{0,80}})?"
)
_FORMS: tuple[tuple[type, str, str], ...] = (
    (datetime, "date and time", rf"{_DATE}T{_CLOCK}(?:\.{_D}{{1,6}})?{_ZONE}?"),
    (date, "date as YYYY-MM-DD", _DATE),
    (time, "time as HH:MM:SS", rf"{_CLOCK}(?:\.{_D}{{1,6}})?{_ZONE}?"),
    (
        timedelta,
        "duration as P1DT2H3M4S",
        rf"-?P(?:(?:{_D}{{1,3}}Y)?{_D}{{1,3}}D(?:T{_SPAN})?|{_D}{{1,3}}Y(?:T{_SPAN})?|T{_SPAN})",
    ),
    (UUID, "uuid", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
)


def _lines(node: ObjectNode, indent: str) -> list[str]:
    notes = dict(node.notes)
    lines: list[str] = []
    for key, child in node.keys:
        shown, inner = _shown(child)
        note = f" | {notes[key]}" if key in notes else ""
        lines.append(f"{indent}{key}: {shown}{note}")
        if inner is not None:
            lines.extend(_lines(inner, indent + "  "))
    return lines


def _shown(node: Node) -> tuple[str, ObjectNode | None]:
    """Return how the prompt names a node, and the model whose fields it lists below."""
    if isinstance(node, LeafNode):
        return node.type.name, None
    if isinstance(node, ConstNode):
        return f"always {node.value}", None
    if isinstance(node, ObjectNode):
        return "group", node
    if isinstance(node, ListNode):
        inner, children = _shown(node.item)
        return ("list" if children else f"list of {inner}"), children
    if isinstance(node, TupleNode):
        return "tuple of " + ", ".join(_shown(item)[0] for item in node.items), None
    if isinstance(node, MapNode):
        return f"map to {_shown(node.value)[0]}", None
    if isinstance(node, NullNode):
        return "null", None
    return " or ".join(_union_part(option) for option in node.options), None


def _union_part(node: Node) -> str:
    if isinstance(node, ObjectNode):
        return "{" + ", ".join(f"{key}: {_shown(child)[0]}" for key, child in node.keys) + "}"
    return _shown(node)[0]


def _json(value: Any) -> str:
    return json.dumps(clean(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


# Control characters, DEL and lone surrogates cannot be decoded; they are no part of any value.
_UNCLEAN = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class _Fraction(str):
    """A JSON number with a point, kept as text until its type is known.

    A decimal so loses no digit, and a string that looks like a number stays a string.
    """

    __slots__ = ()


def clean(value: Any) -> Any:
    """Return JSON data whose text holds no control characters and no lone surrogates."""
    if isinstance(value, str):
        return _UNCLEAN.sub(lambda m: " " if m[0] in "\t\n\r" else "", value)
    if isinstance(value, Mapping):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return value


def _null(node: Node) -> Any:
    return node.value if isinstance(node, ConstNode) else None


def _ordered(node: Node, value: Any) -> Any:
    """Put the keys of objects in the tree's order and complete them with null."""
    if isinstance(node, ConstNode):
        return node.value
    if value is None:
        return None
    if isinstance(node, ObjectNode) and isinstance(value, Mapping):
        return {key: _ordered(child, value.get(key)) for key, child in node.keys}
    if isinstance(node, ListNode) and isinstance(value, list | tuple | set | frozenset):
        return [_ordered(node.item, item) for item in value]
    if isinstance(node, TupleNode) and isinstance(value, list | tuple):
        return [_ordered(child, item) for child, item in zip(node.items, value, strict=False)]
    if isinstance(node, MapNode) and isinstance(value, Mapping):
        return {key: _ordered(node.value, item) for key, item in value.items()}
    if isinstance(node, UnionNode):
        option = _option(node, value)
        return value if option is None else _ordered(option, value)
    return value


def _load(node: Node, raw: Any, path: str, locale: Locale, loaded: Loaded) -> Any:
    if raw is None:
        return None
    if isinstance(node, LeafNode):
        return _load_leaf(node.type, raw, path, locale, loaded)
    if _misshapen(node, raw):
        message = "the answer has another form than this field"
        loaded.warnings.append(FieldWarning(path, "unreadable", message))
        return None
    if isinstance(node, ObjectNode):
        return {
            key: _load(child, raw.get(key), _join(path, key), locale, loaded)
            for key, child in node.keys
        }
    if isinstance(node, ListNode):
        return _load_list(node, raw, path, locale, loaded)
    if isinstance(node, TupleNode):
        pairs = zip(node.items, raw, strict=False)
        return [_load(c, v, f"{path}[{i}]", locale, loaded) for i, (c, v) in enumerate(pairs)]
    if isinstance(node, MapNode):
        return {k: _load(node.value, v, _join(path, k), locale, loaded) for k, v in raw.items()}
    if isinstance(node, UnionNode):
        option = _option(node, raw)
        return None if option is None else _load(option, raw, path, locale, loaded)
    return raw


def _load_list(
    node: ListNode, raw: Sequence[Any], path: str, locale: Locale, loaded: Loaded
) -> list[Any]:
    if node.capped and len(raw) == node.max_items:
        message = f"the list ended at the limit of {node.max_items} rows; more may be missing"
        loaded.warnings.append(FieldWarning(path, "limit_reached", message))
    places = _set_order(node.item, raw, locale) if node.unique else range(len(raw))
    items: list[Any] = []
    for index, place in enumerate(places):
        here, there = f"{path}[{index}]", f"{path}[{place}]"
        item = _load(node.item, raw[place], here, locale, loaded)
        if here != there:
            leaves = zip(
                _leaves(node.item, item, here, ""), _leaves(node.item, item, there, ""), strict=True
            )
            loaded.moved.update((new.path, old.path) for new, old in leaves)
        items.append(item)
    return items


def _set_order(item: Node, raw: Sequence[Any], locale: Locale) -> list[int]:
    """Return the places of a set's items without repeated ones, in the order of `dump`."""
    read = [_load(item, value, "", locale, Loaded({}, {}, [], {})) for value in raw]
    # Items that cannot be read are kept, each with its warning.
    kept = [i for i, value in enumerate(read) if value is None or value not in read[:i]]
    return sorted(kept, key=lambda i: _json(_dump(item, read[i])))


def _misshapen(node: Node, raw: Any) -> bool:
    if isinstance(node, ObjectNode | MapNode):
        return not isinstance(raw, Mapping)
    if isinstance(node, TupleNode):
        return not isinstance(raw, list) or len(raw) != len(node.items)
    if isinstance(node, UnionNode):
        return not any(_fits(option, raw) for option in node.options)
    return isinstance(node, ListNode) and not isinstance(raw, list)


def _load_leaf(kind: FieldType, raw: Any, path: str, locale: Locale, loaded: Loaded) -> Any:
    if kind.copied and not isinstance(raw, Mapping | list):
        loaded.printed[path] = str(raw)
    try:
        if kind.copied and isinstance(raw, Mapping | list):
            raise ValueError("not a value")
        parsed = kind.parse(raw, locale)
    except ValueError:
        message = f"the answer does not read as {kind.name}"
        loaded.warnings.append(FieldWarning(path, "unreadable", message))
        return None
    if parsed.wrong:
        loaded.warnings.append(FieldWarning(path, "wrong", parsed.wrong))
    if parsed.ambiguous:
        message = f"this {kind.name} can be read in two ways; the likelier one was taken"
        loaded.warnings.append(FieldWarning(path, "ambiguous", message))
    return parsed.value


def _distinct(items: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for item in items:
        if item not in kept:
            kept.append(item)
    return kept


def _fits(node: Node, raw: Any) -> bool:
    """Return whether JSON data has the form of a node; tells the options of a union apart."""
    if isinstance(node, NullNode):
        return raw is None
    if isinstance(node, ConstNode):
        return bool(raw == node.value) and isinstance(raw, bool) == isinstance(node.value, bool)
    if isinstance(node, ObjectNode):
        nodes = dict(node.keys)
        return (
            isinstance(raw, Mapping)
            and set(raw) <= set(nodes)
            and all(
                _fits(child, raw[key])
                for key, child in node.keys
                if key in raw and (raw[key] is not None or isinstance(child, ConstNode))
            )
            and all(key in raw for key, child in node.keys if isinstance(child, ConstNode))
        )
    if isinstance(node, ListNode | TupleNode):
        return isinstance(raw, list | tuple)
    if isinstance(node, MapNode):
        return isinstance(raw, Mapping)
    if isinstance(node, UnionNode):
        return any(_fits(option, raw) for option in node.options)
    return _fits_leaf(node.type, raw)


def _option(node: UnionNode, raw: Any) -> Node | None:
    """Return the option of a union that JSON data is read as."""
    fitting = [option for option in node.options if _fits(option, raw)]
    whole = (option for option in fitting if _items_fit(option, raw))
    return next(whole, fitting[0] if fitting else None)


def _items_fit(node: Node, raw: Any) -> bool:
    """Return whether what a list or map holds fits too, for data that fits the node itself."""
    if isinstance(node, ListNode):
        pairs = [(node.item, item) for item in raw]
    elif isinstance(node, TupleNode):
        if len(node.items) != len(raw):
            return False
        pairs = list(zip(node.items, raw, strict=True))
    elif isinstance(node, MapNode):
        pairs = [(node.value, item) for item in raw.values()]
    else:
        return True
    return all(
        item is None or (_fits(child, item) and _items_fit(child, item)) for child, item in pairs
    )


def _fits_leaf(kind: FieldType, raw: Any) -> bool:
    if isinstance(raw, Mapping | list):
        return False
    form = kind.emission()
    if isinstance(form, Choice):
        return any(raw == value and type(raw) is type(value) for value in form.values)
    try:
        value = kind.parse(raw, Locale()).value
    except ValueError:
        return False
    if isinstance(raw, bool):
        return False
    if isinstance(value, Decimal):  # a string in canonical JSON, a number in labels
        return True
    if (isinstance(form, Rx) and form.quoted) or '"string"' in getattr(form, "schema", ""):
        return isinstance(raw, str) and not isinstance(raw, _Fraction)
    whole = isinstance(form, JsonSchema) and '"integer"' in form.schema
    return isinstance(raw, int | float) or (isinstance(raw, _Fraction) and not whole)


def _prune(node: Node, value: Any, path: str, missing: list[str]) -> Any:
    """Return the input of the class: null left out where the class has a default instead."""
    if value is None:
        return None
    if isinstance(node, ObjectNode):
        kept: dict[str, Any] = {}
        for key, child in node.keys:
            where = _join(path, key)
            item = value.get(key)
            if item is not None:
                kept[key] = _prune(child, item, where, missing)
            elif key in node.nullable:
                kept[key] = None
            elif isinstance(child, ConstNode):
                kept[key] = child.member
            elif key not in node.defaulted:
                missing.append(where)
        return kept
    if isinstance(node, ListNode):
        return _contained(
            node,
            [
                _prune(node.item, item, f"{path}[{i}]", missing)
                for i, item in enumerate(value)
                if item is not None or node.null_items
            ],
        )
    if isinstance(node, TupleNode):
        for index, item in enumerate(value):
            if item is None:
                missing.append(f"{path}[{index}]")
        pairs = zip(node.items, value, strict=False)
        return tuple(_prune(c, v, f"{path}[{i}]", missing) for i, (c, v) in enumerate(pairs))
    if isinstance(node, MapNode):
        return {
            key: _prune(node.value, item, _join(path, key), missing)
            for key, item in value.items()
            if item is not None
        }
    if isinstance(node, UnionNode):
        option = _chosen(node, value)
        return value if option is None else _prune(option, value, path, missing)
    if isinstance(node, ConstNode) and value == node.value:
        return node.member
    return value


def _matches(node: Node, value: Mapping[str, Any]) -> bool:
    return (
        isinstance(node, ObjectNode)
        and set(value) == {key for key, _ in node.keys}
        and all(
            value[key] == child.value for key, child in node.keys if isinstance(child, ConstNode)
        )
    )


def _construct(node: Node, value: Any) -> Any:
    if isinstance(node, ObjectNode) and isinstance(value, Mapping) and node.model is not None:
        keys = [(key, child) for key, child in node.keys if key in value]
        return _built(node, {key: _construct(child, value[key]) for key, child in keys})
    if isinstance(node, ListNode) and isinstance(value, list | tuple | set | frozenset):
        return _contained(node, [_construct(node.item, item) for item in value])
    if isinstance(node, TupleNode) and isinstance(value, tuple):
        pairs = zip(node.items, value, strict=False)
        return tuple(_construct(child, item) for child, item in pairs)
    if isinstance(node, MapNode) and isinstance(value, Mapping):
        return {key: _construct(node.value, item) for key, item in value.items()}
    if isinstance(node, UnionNode):
        option = next((o for o in node.options if _accepts(o, value)), None)
        return value if option is None else _construct(option, value)
    return value


def _unusual(node: Node, value: Any, path: str, rows: bool) -> Iterator[FieldWarning]:
    """Yield where values break what usually holds, and what that is."""
    if isinstance(node, ObjectNode) and isinstance(value, Mapping):
        if node.model is not None and usual.has_checks(node.model):
            try:
                for what in usual.broken(_bare(node, value)):
                    yield FieldWarning(path, "unusual", f"not as usual: {what}")
            except Exception as error:  # the user's code may raise anything
                message = f"what usually holds was not checked: {type(error).__name__}: {error}"
                yield FieldWarning(path, "check_failed", message)
        for key, child in node.keys:
            yield from _unusual(child, value.get(key), _join(path, key), rows)
    elif isinstance(node, UnionNode) and value is not None:
        option = _chosen(node, value)
        if option is not None:
            yield from _unusual(option, value, path, rows)
    elif rows and isinstance(node, ListNode | TupleNode) and isinstance(value, list | tuple):
        nodes = itertools.repeat(node.item) if isinstance(node, ListNode) else node.items
        for index, (child, item) in enumerate(zip(nodes, value, strict=False)):
            yield from _unusual(child, item, f"{path}[{index}]", rows)
    elif rows and isinstance(node, MapNode) and isinstance(value, Mapping):
        for key, item in value.items():
            yield from _unusual(node.value, item, _join(path, key), rows)


def _bare(node: Node, value: Any) -> Any:
    """Return a value in the class's own objects, None where nothing is, whatever is required."""
    if isinstance(node, ObjectNode) and isinstance(value, Mapping) and node.model is not None:
        return _built(
            node,
            {
                key: None
                if value.get(key) is None and key in node.nullable
                else _bare(child, value.get(key))
                for key, child in node.keys
            },
        )
    if isinstance(node, ConstNode):
        return node.member
    if isinstance(node, ListNode):
        return _contained(node, [_bare(node.item, item) for item in value or ()])
    if value is None:
        return None
    if isinstance(node, TupleNode):
        return tuple(_bare(child, item) for child, item in zip(node.items, value, strict=False))
    if isinstance(node, MapNode):
        return {key: _bare(node.value, item) for key, item in value.items()}
    if isinstance(node, UnionNode):
        option = _chosen(node, value)
        return value if option is None else _bare(option, value)
    return value


def _built(node: ObjectNode, values: Mapping[str, Any]) -> BaseModel:
    """Return an object of a node's class with values by JSON key, without validation."""
    assert node.model is not None
    fields, given = node.model.model_fields, {}
    for key, attribute in node.attributes:
        if key in values:
            info = fields[attribute]
            # A name is asked for last: it may be the alias of another field.
            names = (info.alias, info.validation_alias, attribute)
            given[next(name for name in names if isinstance(name, str))] = values[key]
    return node.model.model_construct(**given)


def _contained(node: ListNode, items: list[Any]) -> Any:
    """Return items in the class's own container, so that strict classes accept them."""
    try:
        return node.container(items)
    except TypeError:  # objects, not built yet, cannot stand in a set
        return items


def _accepts(option: Node, value: Any) -> bool:
    """Return whether pruned input, which lacks the keys of null values, is of an option's form."""
    if isinstance(option, ListNode) and isinstance(value, list | tuple | set | frozenset):
        return all(_accepts(option.item, item) for item in value)
    if not isinstance(option, ObjectNode) or not isinstance(value, Mapping):
        return False
    constants = {key: c.member for key, c in option.keys if isinstance(c, ConstNode)}
    return set(value) <= {key for key, _ in option.keys} and all(
        value.get(key) == constant for key, constant in constants.items()
    )


def _path(location: Sequence[str | int]) -> str:
    path = ""
    for part in location:
        path = f"{path}[{part}]" if isinstance(part, int) else _join(path, str(part))
    return path


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _dump(node: Node, value: Any) -> Any:
    if value is None or isinstance(node, NullNode):
        return None
    if isinstance(node, ConstNode):
        return node.value
    if isinstance(node, LeafNode):
        return clean(node.type.to_json(value))
    if isinstance(node, ObjectNode):
        if isinstance(value, BaseModel):
            attributes = dict(node.attributes)
            found = {key: getattr(value, attributes[key], None) for key, _ in node.keys}
        else:
            found = dict(value)
        return {key: _dump(child, found.get(key)) for key, child in node.keys}
    if isinstance(node, ListNode):
        items = [_dump(node.item, item) for item in value]
        return sorted(_distinct(items), key=lambda item: _json(item)) if node.unique else items
    if isinstance(node, TupleNode):
        return [_dump(child, item) for child, item in zip(node.items, value, strict=False)]
    if isinstance(node, MapNode):
        return {key: _dump(node.value, item) for key, item in value.items()}
    return _dump_union(node, value)


def _dump_union(node: UnionNode, value: Any) -> Any:
    option = _chosen(node, value)
    return value if option is None else _dump(option, value)


def _chosen(node: UnionNode, value: Any) -> Node | None:
    """Return the option of a union that a Python value belongs to."""
    fitting = []
    for option in node.options:
        if not _shaped(option, value):
            continue
        if isinstance(option, ObjectNode):
            return option
        try:
            raw = json.loads(_json(_dump(option, value)), parse_float=_Fraction)
        except (ValueError, TypeError, ArithmeticError):  # a word as an amount
            continue
        if _fits(option, raw) and _items_fit(option, raw):
            return option
        if _fits(option, raw):
            fitting.append(option)
    return next(iter(fitting), None)


def _shaped(node: Node, value: Any) -> bool:
    """Return whether a node can write a Python value: objects, lists and maps each need theirs."""
    many = isinstance(value, list | tuple | set | frozenset)
    if isinstance(node, UnionNode):
        return any(_shaped(option, value) for option in node.options)
    if isinstance(node, NullNode):
        return value is None
    if isinstance(node, ConstNode):
        return value is node.member or (value == node.value and type(value) is type(node.value))
    if isinstance(node, ObjectNode):
        if isinstance(value, BaseModel):
            return type(value) is node.model
        return isinstance(value, Mapping) and _matches(node, value)
    if isinstance(node, ListNode):
        return many and all(item is None or _shaped(node.item, item) for item in value)
    if isinstance(node, TupleNode):
        return (
            isinstance(value, list | tuple)
            and len(value) == len(node.items)
            and all(v is None or _shaped(c, v) for c, v in zip(node.items, value, strict=True))
        )
    if isinstance(node, MapNode):
        return isinstance(value, Mapping) and all(
            item is None or _shaped(node.value, item) for item in value.values()
        )
    return not many and not isinstance(value, Mapping | BaseModel)


def _parse(node: Node, value: Any, path: str, locale: Locale | None = None) -> Any:
    """Read canonical JSON; with a locale, values as printed too."""
    if value is None or isinstance(node, NullNode):
        return None
    if isinstance(node, LeafNode):
        return _parse_leaf(node.type, value, path, locale)
    expected: type | tuple[type, ...] = Mapping if isinstance(node, ObjectNode | MapNode) else list
    if not isinstance(node, ConstNode | UnionNode) and not isinstance(value, expected):
        raise LabelError(
            f"{path}: expected {'an object' if expected is Mapping else 'a list'}, "
            f"found {type(value).__name__}",
            hint="correct the label",
            field=path,
        )
    if isinstance(node, ObjectNode):
        return {k: _parse(c, value.get(k), _join(path, k), locale) for k, c in node.keys}
    if isinstance(node, ListNode):
        items = [_parse(node.item, v, f"{path}[{i}]", locale) for i, v in enumerate(value)]
        return _distinct(items) if node.unique else items
    if isinstance(node, TupleNode):
        pairs = zip(node.items, value, strict=False)
        return [_parse(c, v, f"{path}[{i}]", locale) for i, (c, v) in enumerate(pairs)]
    if isinstance(node, MapNode):
        return {k: _parse(node.value, v, _join(path, k), locale) for k, v in value.items()}
    if isinstance(node, UnionNode):
        option = _option(node, value)
        if option is None:
            raise LabelError(
                f"{path}: fits no form of the union", hint="correct the label", field=path
            )
        return _parse(option, value, path, locale)
    return node.value


def _parse_leaf(kind: FieldType, value: Any, path: str, locale: Locale | None) -> Any:
    if value == "" and locale is not None:
        return None
    try:
        return kind.from_json(value) if locale is None else kind.from_label(value, locale)
    except ValueError as error:
        raise LabelError(
            f"{path}: expected {kind.name}, found a {type(value).__name__} that is none",
            hint="write the value in canonical form (ISO date, decimal string) or as printed",
            field=path,
        ) from error


def _models(node: Node) -> Iterator[type[BaseModel]]:
    if isinstance(node, ObjectNode):
        if node.model is not None:
            yield node.model
        for _, child in node.keys:
            yield from _models(child)
    elif isinstance(node, ListNode):
        yield from _models(node.item)
    elif isinstance(node, MapNode):
        yield from _models(node.value)
    elif isinstance(node, TupleNode | UnionNode):
        for part in node.items if isinstance(node, TupleNode) else node.options:
            yield from _models(part)


def _leaves(node: Node, value: Any, path: str, pattern: str) -> Iterator[Leaf]:
    if isinstance(node, LeafNode):
        yield Leaf(path, pattern, node.type, value)
    elif isinstance(node, UnionNode):
        option = None if value is None else _chosen(node, value)
        if option is None and not isinstance(value, Mapping | list):
            option = next((o for o in node.options if isinstance(o, LeafNode)), None)
        if isinstance(option, ConstNode):
            option = LeafNode(_choice(Literal[option.member], (option.member,), path))
        if option is not None:
            yield from _leaves(option, value, path, pattern)
    elif value is None:
        return
    elif isinstance(node, ObjectNode):
        for key, child in node.keys:
            yield from _leaves(child, value.get(key), _join(path, key), _join(pattern, key))
    elif isinstance(node, ListNode):
        for index, item in enumerate(value):
            yield from _leaves(node.item, item, f"{path}[{index}]", f"{pattern}[]")
    elif isinstance(node, TupleNode):
        for index, (child, item) in enumerate(zip(node.items, value, strict=False)):
            yield from _leaves(child, item, f"{path}[{index}]", f"{pattern}[{index}]")
    elif isinstance(node, MapNode):
        for key, item in value.items():
            yield from _leaves(node.value, item, _join(path, key), f"{pattern}.*")


def names() -> dict[str, str]:
    """Return the ready-made schemas: name and where each is written."""
    return {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}


def resolve(name: str) -> type[BaseModel]:
    """Return the class behind a schema name.

    :param name: a ready-made name, `package.module:Class`, `file.py:Class`, or the path of a JSON
        Schema file.
    :raises SchemaError: lists the names that exist.
    """
    if name.endswith(".json"):
        from extractor.json_schema import model_from_file

        return model_from_file(Path(name))
    if ":" not in name:
        known = names()
        if name not in known:
            raise SchemaError(
                f"no ready-made schema {name!r}",
                hint=f"known: {', '.join(sorted(known))}; or file.py:Class, "
                "package.module:Class, a JSON Schema file",
            )
        name = known[name]
    place, _, attribute = name.rpartition(":")
    module = _module_of_file(Path(place)) if place.endswith(".py") else _module(place)
    model = getattr(module, attribute, None)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        classes = [
            key
            for key, value in vars(module).items()
            if isinstance(value, type) and issubclass(value, BaseModel) and value is not BaseModel
        ]
        raise SchemaError(
            f"{place} has no Pydantic class {attribute!r}",
            hint=f"classes there: {', '.join(classes) or 'none'}",
        )
    return model


def _module(name: str) -> types.ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:  # the user's module may raise anything
        raise SchemaError(
            f"module {name!r} cannot be imported: {type(error).__name__}: {error}",
            hint="give file.py:Class for a class of your own",
        ) from error


def _module_of_file(path: Path) -> types.ModuleType:
    """Load a file as a module of its own; sys.path stays as it is."""
    if not path.is_file():
        raise SchemaError(f"no file {path}", hint="give the path of the Python file, then :Class")
    name = f"_schema_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SchemaError(f"{path} is no Python file", hint="give a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Pydantic looks annotations up there
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the user's file may raise anything
        del sys.modules[name]
        raise SchemaError(
            f"{path} cannot be loaded: {type(error).__name__}: {error}", hint="correct the file"
        ) from error
    return module
