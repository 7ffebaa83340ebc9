"""Lines of a batch as files that other programs open: JSONL, CSV, XLSX, Parquet.

A record's lists of models become tables of their own, with the input and the row's number. What a
document says never becomes a formula.
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from extractor.errors import MissingExtra, OutputError
from extractor.fields import IsoDateType, NumberType, PlainType
from extractor.schema import AnySchema, ConstNode, LeafNode, ListNode, Node, ObjectNode

SUFFIXES = (".jsonl", ".csv", ".xlsx", ".parquet")
Cell = str | int | float | bool | date | time | Decimal | None
Keys = tuple[str, ...]

# Spreadsheets take text that begins so for a formula; the last four are the full-width forms.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Control characters, line ends of Unicode, and what turns the direction of text.
_STEERING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_NEW_CELL = re.compile(f'([;\t]"*)(?=[{re.escape("".join(_FORMULA))}])')
_XLSX_ROWS = 1_048_576
_XLSX_TEXT = 32_767
# A spreadsheet keeps numbers as doubles: what has more digits would be changed, so it stays text.
_XLSX_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns.

    :param name: `records`, or the path of the list whose entries are the rows.
    :param columns: name, and the type of the cells as far as the schema says it.
    :param rows: cells in the order of the columns.
    """

    name: str
    columns: dict[str, type | None]
    rows: list[list[Cell]]


def check(path: Path) -> None:
    """Refuse, before any work, an output that could not be written in the end.

    :raises OutputError: if the suffix is unknown, or nothing can be written at this place.
    :raises MissingExtra: if the format needs a package that is not installed.
    """
    if path.suffix not in SUFFIXES:
        raise OutputError(
            f"{path}: unknown format {path.suffix or '(no suffix)'}",
            hint=f"name an output that ends in {', '.join(SUFFIXES)}, or - for stdout",
        )
    check_place(path)
    if path.suffix == ".parquet":
        _pyarrow()


def check_place(path: Path) -> None:
    """Refuse a file that could not be made: a folder, or beneath a file or a closed folder.

    :raises OutputError: with what stands in the way.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder", hint="name a file")
    folder = path.parent
    # Missing folders are made later; what counts is the first one that is there.
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise OutputError(f"{path}: {folder} is not a folder", hint="name another output")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(
            f"{path}: nothing can be written in {folder}",
            hint="check the permissions of the folder, or name another output",
        )


def write(path: Path, lines: Sequence[Mapping[str, Any]], schema: AnySchema) -> list[Path]:
    """Write lines in the format of the suffix.

    :returns: the files written; tables of lists stand beside the first, except in XLSX.
    :raises OutputError: if the format cannot hold so many rows.
    """
    if path.suffix == ".jsonl":
        with path.open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(as_text(line) + "\n" for line in lines)
        return [path]
    found = tables(lines, schema)
    if path.suffix == ".xlsx":
        _write_xlsx(path, found)
        return [path]
    parts = [path, *(path.with_name(name) for name in _part_names(path, found[1:]))]
    for part, table in zip(parts, found, strict=True):
        (_write_csv if path.suffix == ".csv" else _write_parquet)(part, table)
    return parts


def as_text(line: Mapping[str, Any]) -> str:
    """Return a line as JSON: one line for any reader, valid UTF-8 whatever the document held.

    No character that steers a terminal is in it; JSON itself escapes those below the space only.
    """
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    text = _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def tables(lines: Sequence[Mapping[str, Any]], schema: AnySchema) -> list[Table]:
    """Return the records as flat tables: `records` first, then one for each list of models.

    Columns come from the schema, so they are the same for every batch.
    """
    places = list(_places(schema.root))
    fields = [(keys, node) for keys, node in places if _entry(node) is None]
    values = [_typed(line["values"], schema) for line in lines]
    about = [_about(line) for line in lines]
    found = [
        Table(
            "records",
            _named(["input", "status"], fields, ["decision", "confidence", "review", "error"]),
            [
                [*facts[:2], *_row(fields, value, line["values"]), *facts[2:]]
                for facts, value, line in zip(about, values, lines, strict=True)
            ],
        )
    ]
    for keys, node in places:
        if (entry_node := _entry(node)) is not None:
            entries = list(_places(entry_node))
            rows = [
                [line["input"], number, *_row(entries, entry, plain)]
                for value, line in zip(values, lines, strict=True)
                for number, (entry, plain) in enumerate(
                    zip(_at(value, keys) or [], _at(line["values"], keys) or [], strict=True),
                    start=1,
                )
            ]
            found.append(Table(".".join(keys), _named(["input", "row"], entries, []), rows))
    return found


def _typed(values: Mapping[str, Any] | None, schema: AnySchema) -> Mapping[str, Any]:
    return {} if values is None else schema.parse_dump(json.dumps(values))


def _about(line: Mapping[str, Any]) -> list[Cell]:
    """Return the columns about a document, as they are named in `tables`.

    Its confidence is that of its least sure value or null.
    """
    fields = line.get("fields", {}).items()
    sure = [field["confidence"] for _, field in fields if field.get("confidence") is not None]
    unsure = [path for path, field in fields if field.get("decision") == "review"]
    review = [f"missing: {', '.join(line['missing'])}"] if line["missing"] else []
    review += [f"not sure enough: {', '.join(unsure)}"] if unsure else []
    review += [f"{warning['field']}: {warning['message']}" for warning in line["warnings"]]
    error = line["error"]
    return [
        line["input"],
        line["status"],
        line.get("decision"),
        min(sure, default=None),
        "; ".join(review) or None,
        None if error is None else f"{error['message']} ({error['hint']})",
    ]


def _places(node: ObjectNode, keys: Keys = ()) -> Iterator[tuple[Keys, Node]]:
    """Yield what becomes a column or a table, with its keys from the top; models are entered."""
    for key, child in node.keys:
        if isinstance(child, ObjectNode):
            yield from _places(child, (*keys, key))
        else:
            yield (*keys, key), child


def _entry(node: Node) -> ObjectNode | None:
    """Return the model of which a node is a list; such a list is a table of its own."""
    return node.item if isinstance(node, ListNode) and isinstance(node.item, ObjectNode) else None


def _named(
    before: Sequence[str], places: Sequence[tuple[Keys, Node]], after: Sequence[str]
) -> dict[str, type | None]:
    """Return the columns; where a field has the name of one of ours, ours gives way."""
    fields: dict[str, type | None] = {}
    for keys, node in places:
        fields[_free(".".join(keys), fields)] = _type(node)
    ours = {name: _free(name, fields) for name in (*before, *after)}
    return {
        **{ours[name]: int if name == "row" else str for name in before},
        **fields,
        **{ours[name]: float if name == "confidence" else str for name in after},
    }


def _free(name: str, taken: Container[str]) -> str:
    while name in taken:
        name = f"{name}_"
    return name


def _type(node: Node) -> type | None:
    if isinstance(node, ConstNode):
        return type(node.value)
    kind = node.type if isinstance(node, LeafNode) else None
    if isinstance(kind, PlainType):
        return kind.python_type
    if isinstance(kind, NumberType):
        return Decimal
    return date if isinstance(kind, IsoDateType) else None


def _row(places: Sequence[tuple[Keys, Node]], values: Any, plain: Any) -> list[Cell]:
    return [_cell(_at(values, keys), _at(plain, keys)) for keys, _ in places]


def _at(values: Any, keys: Keys) -> Any:
    for key in keys:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def _cell(value: Any, plain: Any) -> Cell:
    """Return one cell.

    :param value: as Python has it; kept where spreadsheets have such a type.
    :param plain: the same in JSON.
    """
    if isinstance(plain, list) and all(isinstance(item, str) for item in plain):
        return "; ".join(plain) or None
    if isinstance(plain, dict | list):
        return json.dumps(plain, ensure_ascii=False)
    if isinstance(value, bool | int | float | Decimal | date | time) and not isinstance(
        value, Enum
    ):
        return value
    return None if plain is None else plain


def safe(value: Cell) -> Cell:
    """Return a cell that no spreadsheet takes for a formula: text is led by an apostrophe.

    Where the separator of lists is a semicolon, spreadsheets cut text at it, or at a tab, whether
    quoted or not, so what follows one is led by an apostrophe too.
    """
    if not isinstance(value, str):
        return value
    value = _NEW_CELL.sub(r"\1'", value)
    return f"'{value}" if value.startswith(_FORMULA) else value


def _part_names(path: Path, parts: Sequence[Table]) -> list[str]:
    """Return file names for the tables of lists: `records.line_items.csv`."""
    found: list[str] = []
    for part in parts:
        stem = path.stem + "." + re.sub(r"[^\w.-]", "_", part.name)
        while f"{stem}{path.suffix}" in found:
            stem += "_"
        found.append(f"{stem}{path.suffix}")
    return found


def _write_csv(path: Path, table: Table) -> None:
    # The byte order mark makes spreadsheets read the file as UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="", errors="backslashreplace") as stream:
        writer = csv.writer(stream)
        writer.writerow([safe(name) for name in table.columns])
        for row in table.rows:
            writer.writerow([_in_csv(safe(cell)) for cell in row])


def _in_csv(value: Cell) -> Cell:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date | time) else value


def _write_xlsx(path: Path, found: Sequence[Table]) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    book.remove(book.active)
    for table in found:
        if len(table.rows) >= _XLSX_ROWS:
            raise OutputError(
                f"{path.name}: {len(table.rows)} rows of {table.name} are more than a sheet holds",
                hint="name an output that ends in .csv or .parquet",
            )
        # Sheets of one name, for which 31 characters count, get a number from openpyxl.
        sheet = book.create_sheet(re.sub(r"[][:*?/\\']", "_", table.name)[:28])
        rows: list[Sequence[Cell]] = [list(table.columns), *table.rows]
        for number, row in enumerate(rows, start=1):
            for place, value in enumerate(row, start=1):
                _fill(sheet.cell(number, place), value)
        for place, cells in enumerate(zip(*rows, strict=True), start=1):
            sheet.cell(1, place).font = Font(bold=True)
            widest = max(len(str(cell)) for cell in cells if cell is not None)
            sheet.column_dimensions[get_column_letter(place)].width = min(60, widest + 2)
        sheet.freeze_panes = "B2"
        sheet.auto_filter.ref = sheet.dimensions
    book.save(path)


def _fill(cell: Any, value: Cell) -> None:  # a cell of openpyxl, which has no types
    if value is None:
        return
    value = _in_xlsx(value)
    if isinstance(value, str):
        cell.value = value
        # Set after the value: openpyxl takes text that begins with = for a formula.
        cell.data_type = "s"
        # Without it, a spreadsheet would take the text for a formula once somebody edits the cell.
        cell.quotePrefix = value.startswith(_FORMULA)
        return
    cell.value = value
    if isinstance(value, Decimal) and value.as_tuple().exponent == -2:
        cell.number_format = "#,##0.00"


def _in_xlsx(value: Cell) -> Cell:
    """Return what a sheet can hold without changing it, otherwise its text."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if isinstance(value, str):
        text = _utf8(ILLEGAL_CHARACTERS_RE.sub("", value))
        return text if len(text) <= _XLSX_TEXT else f"{text[: _XLSX_TEXT - 6]} [cut]"
    if isinstance(value, bool | float) or value is None:
        return value
    if isinstance(value, int | Decimal):
        digits = len(Decimal(value).normalize().as_tuple().digits)
        return value if digits <= _XLSX_DIGITS else format(Decimal(value), "f")
    # Sheets know no time zones, and no days before 1900.
    if getattr(value, "tzinfo", None) is not None or getattr(value, "year", 1900) < 1900:
        return value.isoformat()
    return value


def _write_parquet(path: Path, table: Table) -> None:
    arrow = _pyarrow()
    from pyarrow import parquet

    columns = {
        name: _array(arrow, [row[place] for row in table.rows], expected)
        for place, (name, expected) in enumerate(table.columns.items())
    }
    parquet.write_table(arrow.table(columns), path)


def _array(arrow: Any, values: Sequence[Cell], expected: type | None) -> Any:
    """Return a column of the narrowest type that holds all values; mixed ones become text."""
    kinds = {type(value) for value in values if value is not None} or {expected or str}
    try:
        if kinds == {Decimal}:
            places = [-int(v.as_tuple().exponent) for v in values if isinstance(v, Decimal)]
            return arrow.array(values, arrow.decimal128(38, max(2, *places, 2)))
        known = {str: arrow.string(), int: arrow.int64(), float: arrow.float64(),
                 bool: arrow.bool_(), date: arrow.date32()}  # fmt: skip
        if len(kinds) == 1 and (kind := next(iter(kinds))) in known:
            return arrow.array(values, known[kind])
    except (arrow.ArrowInvalid, OverflowError, UnicodeEncodeError):
        pass  # a number beyond the type, or no Unicode: its text loses nothing
    texts = [None if v is None else _utf8(str(_in_csv(v))) for v in values]
    return arrow.array(texts, arrow.string())


def _utf8(text: str) -> str:
    """Return text without lone surrogates: they become backslash escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _pyarrow() -> Any:  # a module that may be missing
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtra(
            "writing Parquet needs pyarrow", hint='run: pip install "fieldwright[parquet]"'
        ) from error
    return pyarrow
