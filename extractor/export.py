"""Lines of a batch as files that other programs open: JSONL, CSV, XLSX, Parquet.

A record's lists of models become a table of their own, with the input and the row's number. What a
document says never becomes a formula.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from extractor.errors import MissingExtra, OutputError
from extractor.fields import IsoDateType, NumberType
from extractor.schema import AnySchema, LeafNode, ListNode, Node, ObjectNode

SUFFIXES = (".jsonl", ".csv", ".xlsx", ".parquet")
Cell = str | int | float | bool | date | Decimal | None


def check(path: Path) -> None:
    """Refuse, before any work, an output that could not be written in the end.

    :raises OutputError: if the suffix is unknown or the path is a folder.
    :raises MissingExtra: if the format needs a package that is not installed.
    """
    if path.suffix not in SUFFIXES:
        raise OutputError(
            f"{path}: unknown format {path.suffix or '(no suffix)'}",
            hint=f"name an output that ends in {', '.join(SUFFIXES)}, or - for stdout",
        )
    if path.is_dir():
        raise OutputError(f"{path}: is a folder", hint="name a file")
    if path.suffix == ".parquet":
        _pyarrow()


def write(path: Path, lines: Sequence[Mapping[str, Any]], schema: AnySchema) -> list[Path]:
    """Write lines in the format of the suffix.

    :returns: the files written; tables of lists stand beside the first, except in XLSX.
    """
    if path.suffix == ".jsonl":
        path.write_text("".join(as_text(line) + "\n" for line in lines), encoding="utf-8")
        return [path]
    sheets = tables(lines, schema)
    if path.suffix == ".xlsx":
        _write_xlsx(path, sheets)
        return [path]
    written: list[Path] = []
    for index, (name, rows) in enumerate(sheets.items()):
        part = path if index == 0 else path.with_name(f"{path.stem}.{name}{path.suffix}")
        (_write_csv if path.suffix == ".csv" else _write_parquet)(part, rows)
        written.append(part)
    return written


def as_text(line: Mapping[str, Any]) -> str:
    """Return a line as JSON, valid UTF-8 whatever the document held."""
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def tables(
    lines: Sequence[Mapping[str, Any]], schema: AnySchema
) -> dict[str, list[dict[str, Cell]]]:
    """Return the records as flat tables: `records`, and one for each list of models."""
    lists = [
        (name, node.item)
        for name, node in schema.root.keys
        if isinstance(node, ListNode) and isinstance(node.item, ObjectNode)
    ]
    found: dict[str, list[dict[str, Cell]]] = {"records": [], **{name: [] for name, _ in lists}}
    listed = {name for name, _ in lists}
    for line in lines:
        values = line["values"] or {}
        row: dict[str, Cell] = {"input": line["input"], **_lead(line)}
        for name, node in schema.root.keys:
            if name not in listed:
                row.update(_flat(node, values.get(name), name))
        found["records"].append(row)
        for name, item in lists:
            for number, entry in enumerate(values.get(name) or [], start=1):
                cells = _flat(item, entry, "")
                found[name].append({"input": line["input"], "row": number, **cells})
    return found


def _lead(line: Mapping[str, Any]) -> dict[str, Cell]:
    error = line["error"]
    return {
        "status": line["status"],
        "missing": ", ".join(line["missing"]) or None,
        "warnings": "; ".join(f"{w['field']}: {w['message']}" for w in line["warnings"]) or None,
        "error": None if error is None else f"{error['message']} ({error['hint']})",
    }


def _flat(node: Node, value: Any, name: str) -> dict[str, Cell]:
    """Return the columns of one value: nested models as `outer.inner`, other nesting as JSON."""
    if isinstance(node, ObjectNode):
        cells: dict[str, Cell] = {}
        for key, child in node.keys:
            inner = value.get(key) if isinstance(value, Mapping) else None
            cells.update(_flat(child, inner, f"{name}.{key}" if name else key))
        return cells
    if value is None:
        return {name: None}
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return {name: "; ".join(value)}
    if isinstance(value, dict | list):
        return {name: json.dumps(value, ensure_ascii=False)}
    if isinstance(node, LeafNode) and isinstance(node.type, NumberType):
        return {name: Decimal(str(value))}
    if isinstance(node, LeafNode) and isinstance(node.type, IsoDateType):
        return {name: date.fromisoformat(str(value))}
    return {name: value}


def _columns(rows: Sequence[Mapping[str, Cell]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row)) or ["input"]


def safe(value: Cell) -> Cell:
    """Return a cell that no spreadsheet takes for a formula: text is led by an apostrophe."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def _write_csv(path: Path, rows: Sequence[Mapping[str, Cell]]) -> None:
    # The byte order mark makes spreadsheets read the file as UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="", errors="backslashreplace") as stream:
        writer = csv.DictWriter(stream, _columns(rows))
        writer.writeheader()
        writer.writerows({name: safe(value) for name, value in row.items()} for row in rows)


def _write_xlsx(path: Path, sheets: Mapping[str, Sequence[Mapping[str, Cell]]]) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(_sheet_name(name))
        columns = _columns(rows)
        sheet.append(columns)
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        for number, row in enumerate(rows, start=2):
            for place, column in enumerate(columns, start=1):
                _fill(sheet.cell(number, place), row.get(column))
        for place, column in enumerate(columns, start=1):
            widest = max([len(column), *(len(str(row.get(column) or "")) for row in rows)])
            sheet.column_dimensions[get_column_letter(place)].width = min(60, widest + 2)
        sheet.freeze_panes = "B2"
        sheet.auto_filter.ref = sheet.dimensions
    book.save(path)


def _fill(cell: Any, value: Cell) -> None:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if isinstance(value, str):
        cell.value = ILLEGAL_CHARACTERS_RE.sub("", value).encode("utf-8", "ignore").decode()[:32767]
        # Set after the value: openpyxl takes text that begins with = for a formula.
        cell.data_type = "s"
    elif value is not None:
        cell.value = value
        if isinstance(value, Decimal) and value.as_tuple().exponent == -2:
            cell.number_format = "#,##0.00"


def _sheet_name(name: str) -> str:
    return "".join("_" if character in "[]:*?/\\" else character for character in name)[:31]


def _write_parquet(path: Path, rows: Sequence[Mapping[str, Cell]]) -> None:
    arrow = _pyarrow()
    from pyarrow import parquet

    columns = {name: [_plain(row.get(name)) for row in rows] for name in _columns(rows)}
    parquet.write_table(arrow.table(columns), path)


def _plain(value: Cell) -> Cell:
    # Decimals of one column differ in scale; their text loses nothing.
    return format(value, "f") if isinstance(value, Decimal) else value


def _pyarrow() -> Any:  # a module that may be missing
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtra(
            "writing Parquet needs pyarrow", hint='run: pip install "fieldwright[parquet]"'
        ) from error
    return pyarrow
