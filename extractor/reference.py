"""Known parties beside the documents: who a document is from, and what is known of them.

A table has one row a party and columns named like fields, such as `seller_name`, `seller_vat_id`
and `iban`. A document's row is found by an identifier that it prints, else by a name in nearly the
same spelling. What the document prints always stands: the row fills what was not found, marked as
such, and differences are told. Rows that contradict each other fill nothing, and nothing is filled
where the page prints another identifier that could be meant: a wrong table must not stand in for
what the model has missed.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from extractor.document import Document
from extractor.errors import ReferenceDataError
from extractor.fields import (
    CodeType,
    FieldType,
    IbanType,
    Locale,
    Parsed,
    Span,
    VerbatimType,
    bare,
)
from extractor.schema import AnySchema, FieldWarning, LeafNode

_ALIKE = 0.9
_APART = 0.05
_LOCALE = Locale()


@dataclass(frozen=True, slots=True)
class Reference:
    """A table of known parties, read for one schema.

    :param fields: the schema's fields that are columns of the table, with their types.
    :param rows: by field, the normalised values of a party; what it lacks is left out.
    :param problems: what could not be used, with its place in the file.
    """

    schema: AnySchema
    name: str
    fields: dict[str, FieldType]
    rows: tuple[dict[str, Any], ...]
    problems: tuple[str, ...]
    sha256: str
    index: dict[str, dict[str, list[int]]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Index the identifiers: a table has thousands of rows."""
        for name, _ in self._identifiers():
            of_value = self.index.setdefault(name, defaultdict(list))
            for place, row in enumerate(self.rows):
                if name in row:
                    of_value[bare(str(row[name]))].append(place)

    def find(self, document: Document, values: Mapping[str, Any]) -> tuple[int | None, str]:
        """Return the row of a document's party, and how it was found or why there is none.

        :param values: what was read from the document, by field.
        """
        for how, rows in (
            ("identifier", self._by_value(values)),
            ("identifier", self._by_print(document, values)),
            ("name", self._by_name(values)),
        ):
            if len(rows) == 1:
                return rows.pop(), how
            if rows:
                return None, f"several rows fit its {how}"
        return None, ""

    def _identifiers(self) -> Iterator[tuple[str, FieldType]]:
        """Yield the fields whose values name one party: VAT ids, IBANs."""
        for name, kind in self.fields.items():
            if isinstance(kind, CodeType):
                yield name, kind

    def _by_value(self, values: Mapping[str, Any]) -> set[int]:
        found: set[int] = set()
        for name, _ in self._identifiers():
            if values.get(name) is not None:
                found |= self._rows_of(name, values[name])
        return found

    def _by_print(self, document: Document, values: Mapping[str, Any]) -> set[int]:
        """Return rows of which the document prints an identifier, wherever it stands.

        It may be that of another party on the page, so a name that was read must be the row's.
        """
        found: set[int] = set()
        for name, kind in self._identifiers():
            for value in {parsed.value for _, parsed in _printed(kind, document)}:
                found |= self._rows_of(name, value)
        named = any(
            isinstance(kind, VerbatimType) and values.get(name) is not None
            for name, kind in self.fields.items()
        )
        return found & self._by_name(values) if named else found

    def _rows_of(self, name: str, value: Any) -> set[int]:
        """Return the rows with a value, found by its letters and digits."""
        rows = self.index.get(name, {}).get(bare(str(value)), ())
        return {i for i in rows if _same(self.fields[name], self.rows[i][name], value)}

    def _by_name(self, values: Mapping[str, Any]) -> set[int]:
        """Return the row whose name is nearly that of the document, if no other comes near."""
        likeness: dict[int, float] = defaultdict(float)
        for name, kind in self.fields.items():
            value = values.get(name)
            if not isinstance(kind, VerbatimType) or not isinstance(value, str):
                continue
            matcher = SequenceMatcher(None, "", bare(value), autojunk=False)
            for i, row in enumerate(self.rows):
                if isinstance(row.get(name), str):
                    likeness[i] = max(likeness[i], _likeness(matcher, row[name]))
        best = max(likeness.values(), default=0.0)
        if best < _ALIKE:
            return set()
        return {i for i, one in likeness.items() if one > best - _APART}

    def fill(
        self, document: Document, values: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[FieldWarning]]:
        """Return what the party's row adds to the values read, and what is to be said of it.

        :returns: by field, values where none was read; and the warnings `reference` where the
            row's value was taken, `reference_differs` where the document prints another one, which
            fills nothing, `reference_unsure` where it prints one that may be another party's, which
            fills the other fields, and `reference_ambiguous` where several rows fit.
        """
        place, how = self.find(document, values)
        if place is None:
            message = f"{self.name}: {how}; none was used"
            return {}, [FieldWarning("", "reference_ambiguous", message)] if how else []
        row = f"row {place + 2} of {self.name}, found by its {how}"
        known = self.rows[place]
        read = {name: values[name] for name in known if values.get(name) is not None}
        differs = [name for name, own in read.items() if not self._agrees(name, own, known[name])]
        if differs:
            # Another party, or a forged invoice: neither is to be completed from this row.
            message = f"{row} has another value; what the document prints was kept"
            return {}, [FieldWarning(name, "reference_differs", message) for name in differs]
        unread = [name for name in known if name not in read]
        printed = self._printed_instead(document, values, unread, known)
        wrong = [name for name in printed if _is_checked(self.fields[name])]
        if wrong:
            message = f"{row} has a value, but the document prints another one; none was taken"
            return {}, [FieldWarning(name, "reference_differs", message) for name in wrong]
        unsure = f"{row} has a value, but the document prints one that may be meant; none was taken"
        filled = {name: known[name] for name in unread if name not in printed}
        return filled, [
            *(FieldWarning(name, "reference", f"taken from {row}") for name in filled),
            *(FieldWarning(name, "reference_unsure", unsure) for name in printed),
        ]

    def _printed_instead(
        self,
        document: Document,
        values: Mapping[str, Any],
        unread: Sequence[str],
        known: Mapping[str, Any],
    ) -> list[str]:
        """Return fields for which a document prints an identifier, and not the row's.

        What was read as another field's value, what the row has elsewhere, and what is a part of
        an IBAN is not meant.
        """
        names = [name for name in unread if isinstance(self.fields[name], CodeType)]
        if not names:
            return []
        read = [leaf.value for leaf in self.schema.leaves(values)]
        taken = {bare(str(value)) for value in (*read, *known.values()) if value is not None}
        ibans = [span for span, parsed in _printed(IbanType(), document) if not parsed.wrong]
        found = []
        for name in names:
            kind, own = self.fields[name], bare(str(known[name]))
            printed = [
                (span, parsed, bare(str(parsed.value))) for span, parsed in _printed(kind, document)
            ]
            if any(code == own for _, _, code in printed):
                continue
            if _is_checked(kind):
                others = {code for _, parsed, code in printed if not parsed.wrong}
            else:
                apart = [(span, code) for span, _, code in printed if _alike(code, own)]
                others = {code for span, code in apart if not any(_meet(span, i) for i in ibans)}
            if others - taken:
                found.append(name)
        return found

    def _agrees(self, name: str, own: Any, known: Any) -> bool:
        """Return whether a value is that of the row; a name may be spelled a little otherwise."""
        kind = self.fields[name]
        if kind.same(own, known):
            return True
        if not isinstance(kind, VerbatimType) or not isinstance(own, str):
            return False
        return _likeness(SequenceMatcher(None, "", bare(own), autojunk=False), known) >= _ALIKE


def read(path: str | os.PathLike[str], schema: AnySchema) -> Reference:
    """Read a CSV or XLSX table of known parties.

    :param schema: its top-level single values are looked for among the columns, without regard to
        case, spaces and dashes in their names.
    :raises ReferenceDataError: if the file cannot be read, or no column is a field.
    """
    file = Path(path)
    try:
        data = file.read_bytes()
        table = list(_xlsx(file) if file.suffix.lower() == ".xlsx" else _csv(data))
    except (OSError, ValueError, KeyError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)[:100]
        raise ReferenceDataError(
            f"reference {file}: cannot be read ({reason})", hint="give a CSV in UTF-8 or an XLSX"
        ) from error
    known = {
        _folded(name): (name, node.type)
        for name, node in schema.root.keys
        if isinstance(node, LeafNode)
    }
    header = [_folded(cell) for cell in table[0]] if table else []
    columns = {place: known[cell] for place, cell in enumerate(header) if cell in known}
    if not columns:
        raise ReferenceDataError(
            f"reference {file}: no column is a field of {schema.name}",
            hint=f"name the columns like fields: {', '.join(name for name, _ in known.values())}",
        )
    problems: list[str] = []
    rows = []
    for number, cells in enumerate(table[1:], start=2):
        row: dict[str, Any] = {}
        for place, (name, kind) in columns.items():
            cell = cells[place].strip() if place < len(cells) else ""
            value = _value(kind, cell)
            if value is not None:
                row[name] = value
            elif cell:
                problems.append(f"row {number}, {name}: is no such value")
        rows.append(row)
    digest = hashlib.sha256(data).hexdigest()
    fields = dict(columns.values())
    return Reference(schema, file.name, fields, tuple(rows), tuple(problems), digest)


def _csv(data: bytes) -> Iterator[list[str]]:
    text = data.decode("utf-8-sig")
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    yield from csv.reader(io.StringIO(text, newline=""), delimiter=separator)


def _xlsx(file: Path) -> Iterator[list[str]]:
    from zipfile import BadZipFile

    from openpyxl import load_workbook

    try:
        book = load_workbook(file, read_only=True, data_only=True)
        try:
            for cells in book.worksheets[0].iter_rows(values_only=True):
                yield ["" if cell is None else str(cell) for cell in cells]
        finally:
            book.close()
    # SyntaxError is what XML parsers raise; the others are what openpyxl does of odd workbooks.
    except (BadZipFile, SyntaxError, AttributeError, IndexError, TypeError) as error:
        raise ValueError("it is no whole XLSX with a sheet") from error


def _folded(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _value(kind: FieldType, cell: str) -> Any:
    """Return a cell's value, None where it is empty or none of this type."""
    if not cell:
        return None
    try:
        return kind.from_label(cell, _LOCALE)
    except ValueError:
        return None


def _printed(kind: FieldType, document: Document) -> Iterator[tuple[Span, Parsed]]:
    locale = document.locale
    for start, end in kind.find(document.text):
        try:
            yield (start, end), kind.parse(document.text[start:end], locale)
        except ValueError:
            continue


def _is_checked(kind: FieldType) -> bool:
    return isinstance(kind, CodeType) and kind.checked


def _alike(code: str, known: str) -> bool:
    """Return whether a code has the form of a known one: its first letters and its length."""
    return known[:2].isalpha() and code.startswith(known[:2]) and len(code) == len(known)


def _meet(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _same(kind: FieldType, known: Any, value: Any) -> bool:
    return known is not None and kind.same(known, value)


def _likeness(matcher: SequenceMatcher[str], name: str) -> float:
    """Return how alike a name is, 0..1; 0 where it cannot be alike enough to count."""
    matcher.set_seq1(bare(name))
    least = _ALIKE - _APART
    if matcher.real_quick_ratio() < least or matcher.quick_ratio() < least:
        return 0.0
    return matcher.ratio()
