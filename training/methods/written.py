"""Rules that the user writes: a TOML file with a table for each field.

    [total]
    anchor = "(?i)total( due)?"     # must match what stands left of the value, or above it
    value = "money"                 # a field type's name; without it the field's own
    where = "left"                  # where the anchor stands: left (default), above, or either
    take = "last"                   # first (default), last or largest of the places that fit

    [number]
    anchor = "Invoice no"
    pattern = "[A-Z]{2}-[0-9]+"     # or: words that match as a whole

Patterns are run by the Rust engine that comes with Pydantic: its time is linear in the text, so no
pattern can hang a run. It has no look-around and no back-references, and says so.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic_core import SchemaError as PatternError
from pydantic_core import SchemaValidator, core_schema

from extractor import fields
from extractor.candidates import Candidate, Sheet, finder, key_of
from extractor.errors import CorpusError
from extractor.fields import FieldType
from extractor.pipeline import Source
from extractor.rules import leaf_type, single_fields
from extractor.schema import AnySchema, ListNode
from training.methods.known import Answer, as_document, assembled

Where = Literal["left", "above", "either"]
Take = Literal["first", "last", "largest"]
_KEYS = ("anchor", "value", "pattern", "where", "take")
_MOST_PATTERN = 300
_MOST_WORDS = 6
_NEAR = 200  # characters
_TYPES: dict[str, FieldType] = {
    "identifier": fields.IdentifierType(),
    "money": fields.MoneyType(),
    "quantity": fields.QuantityType(),
    "percent": fields.PercentType(),
    "date": fields.IsoDateType(),
    "duration": fields.DurationType(),
    "currency": fields.CurrencyType(),
    "vat_id": fields.VatIdType(),
    "iban": fields.IbanType(),
}


class Pattern:
    """A regular expression whose time is linear in the text.

    :raises ValueError: if it is none, is too long, or needs look-around or back-references.
    """

    def __init__(self, pattern: str) -> None:
        if len(pattern) > _MOST_PATTERN:
            raise ValueError(f"has {len(pattern)} characters, at most {_MOST_PATTERN} are allowed")
        try:
            self._validator = SchemaValidator(
                core_schema.str_schema(pattern=pattern, regex_engine="rust-regex")
            )
        except PatternError as error:
            raise ValueError(f"is no pattern that can be run in linear time: {error}") from error

    def found_in(self, text: str) -> bool:
        """Return whether it matches somewhere in a text."""
        return self._validator.isinstance_python(text)


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """One field's rule; see the module for what each part means."""

    anchor: Pattern | None
    find: FieldType | None
    pattern: Pattern | None
    where: Where = "left"
    take: Take = "first"


class Written:
    """Answers by the rules of a file; fields without a rule are null.

    :raises CorpusError: if the file is missing or wrong; the message names field and key.
    """

    def __init__(self, schema: AnySchema, file: str | Path) -> None:
        self._schema = schema
        self._types = {path: leaf_type(node) for path, node in single_fields(schema)}
        self.rules = _read(Path(file), self._types)

    def extract(self, source: Source, *, name: str | None = None) -> Answer:
        """Apply the rules. :raises DocumentError: if the source gives no text."""
        document = as_document(source, name)
        sheet = Sheet(document, document.locale)
        nodes = dict(single_fields(self._schema))
        found: dict[str, Any] = {}
        for path, rule in self.rules.items():
            value = self._value(sheet, path, rule)
            if value is not None:
                found[path] = [value] if isinstance(nodes[path], ListNode) else value
        return Answer(assembled(self._schema, found))

    def _value(self, sheet: Sheet, path: str, rule: WrittenRule) -> Any:
        kind = self._types[path]
        places = [place for place in _places(sheet, kind, rule) if _anchored(sheet, place, rule)]
        if not places:
            return None
        if rule.take == "largest":
            sized = [p for p in places if isinstance(p.value, int | float | Decimal | date)]
            return max(sized, key=lambda place: place.value).value if sized else None
        return places[0 if rule.take == "first" else -1].value


def _places(sheet: Sheet, kind: FieldType, rule: WrittenRule) -> Iterator[Candidate]:
    """Yield the places whose looks fit, in order, with values of the field's own type."""
    if rule.pattern is None:
        find = rule.find or finder(kind)
        found = sheet.typed(find, find) if find else sheet.texts(frozenset(["piece", "tail"]), None)
    else:
        found = list(_matching(sheet, rule.pattern))
    for place in sorted(found, key=lambda place: (place.start, -place.end)):
        try:
            value = kind.from_label(sheet.text[place.start : place.end], sheet.locale)
        except ValueError:  # words that fit the rule but are no value of the field
            continue
        yield Candidate(place.start, place.end, value, place.kind, place.key)


def _matching(sheet: Sheet, pattern: Pattern) -> Iterator[Candidate]:
    """Yield the longest runs of words that match as a whole."""
    for start, end in sheet.lines:
        words = [
            (start + m.start(), start + m.end()) for m in re.finditer(r"\S+", sheet.text[start:end])
        ]
        at = 0
        while at < len(words):
            run = next(
                (n for n in range(min(_MOST_WORDS, len(words) - at), 0, -1)
                 if pattern.found_in(sheet.text[words[at][0] : words[at + n - 1][1]])),
                0,
            )  # fmt: skip
            if run:
                span = words[at][0], words[at + run - 1][1]
                text = sheet.text[slice(*span)]
                yield Candidate(*span, text, "typed", key_of(text))
            at += max(1, run)


def _anchored(sheet: Sheet, place: Candidate, rule: WrittenRule) -> bool:
    if rule.anchor is None:
        return True
    index = sheet.line_of(place.start)
    left = sheet.text[sheet.lines[index][0] : place.start][-_NEAR:]
    if rule.where != "above" and rule.anchor.found_in(left):
        return True
    above = sheet.text[slice(*sheet.lines[index - 1])][:_NEAR] if index else ""
    return rule.where != "left" and rule.anchor.found_in(above)


# ---------------------------------------------------------------- the file


def _read(file: Path, types: Mapping[str, FieldType]) -> dict[str, WrittenRule]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CorpusError(f"rules {file}: {error.strerror}", hint="check the path") from error
    except ValueError as error:  # no UTF-8, or no TOML
        raise CorpusError(
            f"rules {file}: is no TOML: {error}", hint="write a table for each field: [total]"
        ) from error
    rules: dict[str, WrittenRule] = {}
    for path, table in _tables(content, "", types):
        if path not in types:
            raise CorpusError(
                f"rules {file}: the schema has no field {path!r} that rules can fill",
                hint=f"fields: {', '.join(types)}",
            )
        try:
            rules[path] = _rule(table)
        except ValueError as error:
            raise CorpusError(
                f"rules {file}, field {path}: {error}",
                hint="a rule has anchor, value or pattern, where, and take",
            ) from error
    return rules


def _tables(
    content: Mapping[str, Any], prefix: str, types: Mapping[str, FieldType]
) -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        path = f"{prefix}{key}"
        inside = isinstance(value, Mapping) and any(known.startswith(f"{path}.") for known in types)
        if inside:
            yield from _tables(value, f"{path}.", types)
        else:
            yield path, value


def _rule(table: Any) -> WrittenRule:
    if not isinstance(table, Mapping):
        raise ValueError(f"expected a table, found {table!r}")
    for key, value in table.items():
        if key not in _KEYS or not isinstance(value, str):
            raise ValueError(f"{key} = {value!r}: expected a text for one of {', '.join(_KEYS)}")
    if "value" in table and "pattern" in table:
        raise ValueError("value and pattern: give one of them")
    anchor, pattern, value = table.get("anchor"), table.get("pattern"), table.get("value")
    if anchor is None and pattern is None and value is None:
        raise ValueError("neither anchor, nor pattern, nor value")
    if value is not None and value not in _TYPES:
        raise ValueError(f"value {value!r}, expected one of {', '.join(_TYPES)}")
    where = _one_of("where", table.get("where", "left"), get_args(Where))
    take = _one_of("take", table.get("take", "first"), get_args(Take))
    return WrittenRule(
        anchor=None if anchor is None else _named("anchor", anchor),
        find=None if value is None else _TYPES[value],
        pattern=None if pattern is None else _named("pattern", rf"^(?:{pattern})$"),
        where=where,
        take=take,
    )


def _named(key: str, pattern: str) -> Pattern:
    try:
        return Pattern(pattern)
    except ValueError as error:
        raise ValueError(f"{key} {error}") from error


def _one_of(key: str, value: str, known: tuple[Any, ...]) -> Any:  # a member of a Literal
    if value not in known:
        raise ValueError(f"{key} {value!r}, expected one of {', '.join(known)}")
    return value
