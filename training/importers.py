"""Labels of other tools to a corpus, and back: what each tool calls a label, and how it is written.

Every format is read into marks, `(path, value)` such as `("line_items[0].quantity", "3")`, and a
note of ours, which tools carry along: what a tool has no place for survives a round trip in it.
Names that the schema does not have, and values that are none, are told, not guessed.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from extractor.errors import CorpusError, LabelError
from extractor.fields import Locale, bare
from extractor.schema import AnySchema, ListNode, Node, ObjectNode
from training.corpus import LabelledDocument, Problem

NOTE = "fieldwright"
Mark = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """One document as a tool labels it.

    :param file: name of the document's file as the tool knows it, empty if it has none.
    :param text: that the marks are of, None if the tool keeps none.
    :param marks: label names and values; of equal names in a list each begins a row.
    :param note: ours: `labelled` and `unverified` paths, `values`, `split`, `group`.
    """

    id: str
    file: str
    text: str | None
    marks: tuple[Mark, ...]
    note: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Imported:
    """What came out of another tool's labels.

    :param unknown: label names that the schema does not have, and how often each came.
    :param unlabelled: fields of the schema that no document labels; they are unverified.
    """

    documents: list[LabelledDocument]
    problems: list[Problem]
    unknown: Counter[str]
    unlabelled: tuple[str, ...]


def read(
    form: str, path: str | Path, schema: AnySchema, *, documents: str | Path | None = None
) -> Imported:
    """Read another tool's labels.

    :param form: one of `FORMATS`.
    :param path: the exported file, or the folder for donut and sroie.
    :param documents: folder of the documents; default: where the labels lie.
    :raises CorpusError: if the labels cannot be read, or no document is labelled.
    """
    path = Path(path)
    if form not in _READERS:
        raise CorpusError(f"no format {form!r}", hint=f"known: {', '.join(FORMATS)}")
    if not path.exists():
        raise CorpusError(f"{path}: no such file or folder", hint="give the exported labels")
    problems: list[Problem] = []
    try:
        items = list(_READERS[form](path, problems))
    except (ValueError, LookupError, TypeError, AttributeError, OSError) as error:
        raise CorpusError(
            f"{path}: cannot be read as {form} ({type(error).__name__})",
            hint="check --from, and that the file is as the tool exported it",
        ) from error
    folder = Path(documents) if documents else path if path.is_dir() else path.parent
    assembly = _Assembly(schema, folder, problems)
    labelled = [found for item in items if (found := assembly.label(item)) is not None]
    if not labelled:
        raise CorpusError(
            f"{path}: no labelled document"
            + (f"; first problem: {problems[0].message}" if problems else ""),
            hint="name the folder of the documents with --documents",
        )
    return Imported(
        [assembly.complete(document) for document in labelled],
        problems,
        assembly.unknown,
        tuple(name for name in schema.field_names if name not in assembly.labelled),
    )


class _Assembly:
    """Marks to labels of one schema."""

    def __init__(self, schema: AnySchema, folder: Path, problems: list[Problem]) -> None:
        self.schema, self.folder, self.problems = schema, folder, problems
        self.unknown: Counter[str] = Counter()
        self.labelled: set[str] = set()
        self._noted: dict[str, set[str]] = {}

    def label(self, item: Item) -> LabelledDocument | None:
        path = _find(self.folder, item.file) if item.file else None
        if path is None and not (item.text or "").strip():
            name = item.file or "no file named"
            message = f"neither its text nor its file is there: {name}"
            self.problems.append(Problem(item.id, message))
            return None
        raw: dict[str, Any] = {}
        for name, value in _with_values(item):
            if not _put(self.schema.root, raw, name, value):
                self.unknown[re.sub(r"\[\d+\]", "[]", name)] += 1
        self.unknown.update(_unknown_keys(self.schema.root, raw, ""))
        known = dict(self._checked(item, raw))
        self.labelled |= set(known) | set(item.note.get("labelled", ()))
        if "labelled" in item.note:
            self._noted[item.id] = set(item.note["labelled"])
        refused = set(raw) - set(known)
        return LabelledDocument(
            id=item.id,
            path=path,
            given_text=None if path else item.text,
            fields=known,
            unverified=frozenset({*item.note.get("unverified", ()), *refused}),
            split=item.note.get("split"),
            group=item.note.get("group"),
        )

    def _checked(self, item: Item, raw: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield the fields that are values of their type; canonical where the text is known."""
        locale = Locale.of(item.text) if item.text else None
        for name, value in raw.items():
            try:
                read = self.schema.normalise({name: value}, locale)
            except LabelError as error:
                self.problems.append(Problem(item.id, error.message))
                continue
            canonical = json.loads(self.schema.dump(read))[name]
            yield name, canonical if locale else _filled(self.schema, name, value)

    def complete(self, document: LabelledDocument) -> LabelledDocument:
        """Return a label with every field: null if it could have been labelled, or unverified."""
        known = self._noted.get(document.id, self.labelled)
        absent = [name for name in self.schema.field_names if name not in document.fields]
        nulls = {name: None for name in absent if name in known and name not in document.unverified}
        fields = {**document.fields, **nulls}
        return replace(
            document,
            fields={name: fields[name] for name in self.schema.field_names if name in fields},
            unverified=document.unverified | (set(absent) - set(nulls)),
        )


def _filled(schema: AnySchema, name: str, value: Any) -> Any:
    """Return a value as given, its objects with every key."""
    return json.loads(schema.only([name]).target({name: value}))[name]


def _with_values(item: Item) -> Iterator[Mark]:
    """Yield the marks; where our note knows what a print stands for, with that value."""
    noted = dict(item.note.get("values", {}))
    for name, value in item.marks:
        printed, canonical = noted.pop(name, (None, None))
        yield name, canonical if printed == value and printed is not None else value
    for name, (printed, canonical) in noted.items():
        if printed is None:  # a value without a place on the page
            yield name, canonical


def _put(node: Node, into: Any, name: str, value: Any) -> bool:
    """Put a value at a path such as `items[0].price`, `items[].price` or `items.price`."""
    parts = re.findall(r"[^.\[\]]+|\[\d*\]", name)
    return bool(parts) and _put_at(node, into, parts, value)


def _put_at(node: Node, into: Any, parts: Sequence[str], value: Any) -> bool:
    if isinstance(node, ObjectNode) and parts:
        child = _child(node, parts[0])
        if child is None or not isinstance(into, dict):
            return False
        key, below = child
        rest = parts[1:]
        one_of_many = isinstance(below, ListNode) and value is not None
        if not rest and (isinstance(value, list) or not one_of_many):
            into[key] = value
            return True
        return _put_at(below, into.setdefault(key, _empty(below)), rest, value)
    if isinstance(node, ListNode) and isinstance(into, list):
        bracket = parts[0] if parts and parts[0].startswith("[") else ""
        index = int(bracket[1:-1]) if bracket.strip("[]") else None
        rest = parts[1:] if bracket else parts
        return _put_in_row(node, into, index, rest, value)
    return False


def _put_in_row(
    node: ListNode, into: list[Any], index: int | None, rest: Sequence[str], value: Any
) -> bool:
    item = node.item
    if not rest:
        into.append(value)
        return True
    if not isinstance(item, ObjectNode):
        return False
    child = _child(item, rest[0])
    if child is None or (index is not None and index > 10_000):
        return False
    if index is None:
        # A second value of one name is the next row's.
        index = len(into) - 1 if into and child[0] not in into[-1] else len(into)
    while len(into) <= index:
        into.append({})
    return _put_at(item, into[index], rest, value)


def _unknown_keys(node: Node, value: Any, path: str) -> Iterator[str]:
    """Yield the names inside a value that the schema does not have."""
    if isinstance(node, ObjectNode) and isinstance(value, Mapping):
        nodes = dict(node.keys)
        for key, item in value.items():
            where = f"{path}.{key}" if path else str(key)
            if key in nodes:
                yield from _unknown_keys(nodes[key], item, where)
            else:
                yield where
    elif isinstance(node, ListNode) and isinstance(value, list):
        for item in value:
            yield from _unknown_keys(node.item, item, f"{path}[]")


def _empty(node: Node) -> Any:
    return [] if isinstance(node, ListNode) else {}


def _child(node: ObjectNode, name: str) -> tuple[str, Node] | None:
    """Return the field that a label names; case and separators do not count."""
    exact = [(key, child) for key, child in node.keys if key == name]
    alike = [(key, child) for key, child in node.keys if bare(key) == bare(name)]
    return exact[0] if exact else alike[0] if len(alike) == 1 else None


_UPLOAD = re.compile(r"^[0-9a-f]{8}-")  # Label Studio puts it before the names of uploads


def _find(folder: Path, name: str) -> Path | None:
    """Return the file behind a name or URL, if it lies in the folder."""
    url = urlsplit(name)
    name = parse_qs(url.query).get("d", [unquote(url.path)])[0]
    last = Path(name.replace("\\", "/")).name
    for place in (name.lstrip("/"), last, _UPLOAD.sub("", last)):
        for under in ("", "documents", "img", "images"):
            path = folder / under / place
            if place and path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                return path
    return None


# ---------------------------------------------------------------- reading


def _json_rows(path: Path) -> list[Any]:
    content = json.loads(path.read_text(encoding="utf-8-sig"))
    return content if isinstance(content, list) else [content]


def _json_lines(path: Path) -> Iterator[Any]:
    for line in path.read_text(encoding="utf-8-sig").split("\n"):
        if line.strip():
            yield json.loads(line)


def _first(row: Mapping[str, Any], keys: Iterable[str]) -> str:
    return next((str(row[key]) for key in keys if isinstance(row.get(key), str | int)), "")


_FILE_KEYS = (
    "document",
    "pdf",
    "file",
    "file_name",
    "filename",
    "image",
    "ocr",
    "input",
    "file_upload",
)


def _label_studio(path: Path, problems: list[Problem]) -> Iterator[Item]:
    for number, task in enumerate(_json_rows(path), start=1):
        data = task["data"]
        done = [a for a in task.get("annotations", ()) if not a.get("was_cancelled")]
        id = str(data.get("id") or task.get("id", number))
        if len(done) != 1:
            what = "no annotation" if not done else f"{len(done)} annotations, the last counts"
            problems.append(Problem(id, what))
        if not done:
            continue
        file = _first(data, _FILE_KEYS) or _first(task, ("file_upload",))
        text = data.get("text")
        marks = tuple(_regions(done[-1]["result"], id, problems))
        yield Item(id, file, text, marks, data.get(NOTE, {}))


def _regions(result: Sequence[Any], id: str, problems: list[Problem]) -> Iterator[Mark]:
    """Yield the marks of an annotation; a box and the text typed for it share their id."""
    typed: dict[str, str] = {}
    for region in result:
        if region.get("type") == "textarea" and region.get("id"):
            typed[region["id"]] = " ".join(_listed(region["value"].get("text")))
    boxed = set()
    spans: list[tuple[float, Mark]] = []
    for region in result:
        value = region.get("value", {})
        names = value.get(region.get("type", ""), value.get("labels"))
        if region.get("type") in ("labels", "rectanglelabels", "hypertextlabels", "polygonlabels"):
            boxed.add(region.get("id"))
            text = value.get("text") or typed.get(region.get("id", ""))
            for name in _listed(names):
                if text:
                    spans.append((float(value.get("start") or 0), (name, text)))
                else:
                    problems.append(Problem(id, f"a region {name} without a text is left out"))
    # Spans come in the order in which they were drawn; rows are told by that of the text.
    yield from (mark for _, mark in sorted(spans, key=lambda span: span[0]))
    for region in result:
        value, name = region.get("value", {}), region.get("from_name", "")
        if region.get("type") == "textarea" and region.get("id") not in boxed:
            yield name, " ".join(_listed(value.get("text")))
        elif region.get("type") in ("choices", "number", "datetime", "taxonomy", "rating"):
            found = value.get(region["type"])
            yield name, found[0] if isinstance(found, list) and found else found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


_MIN_KEYS = {
    "id", "text", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", NOTE,
    *_FILE_KEYS,
}  # fmt: skip


def _label_studio_min(path: Path, problems: list[Problem]) -> Iterator[Item]:
    for number, row in enumerate(_json_rows(path), start=1):
        spans: list[tuple[int, Mark]] = []
        others: list[Mark] = []
        for key, value in row.items():
            for region in _listed(value) if key not in _MIN_KEYS else ():
                if not isinstance(region, Mapping):
                    others.append((key, region))
                elif region.get("text"):
                    names = region.get("labels") or region.get("rectanglelabels") or [key]
                    spans += [(region.get("start") or 0, (n, region["text"])) for n in names]
                else:
                    id = str(row.get("id", number))
                    problems.append(Problem(id, f"a region of {key} without a text is left out"))
        marks = [mark for _, mark in sorted(spans, key=lambda span: span[0])] + others
        yield Item(
            str(row.get("id", number)), _first(row, _FILE_KEYS), row.get("text"), tuple(marks),
            row.get(NOTE) or {},
        )  # fmt: skip


def _doccano(path: Path, problems: list[Problem]) -> Iterator[Item]:
    for number, row in enumerate(_json_lines(path), start=1):
        text = row.get("text", row.get("data", ""))
        spans = [tuple(span) for span in row.get("label") or row.get("labels") or ()]
        spans += [
            (entity["start_offset"], entity["end_offset"], entity["label"])
            for entity in row.get("entities") or ()
        ]
        marks = tuple((str(name), text[start:end]) for start, end, name in sorted(spans))
        id = str(row.get("id", number))
        yield Item(id, _first(row, _FILE_KEYS), text, marks, row.get(NOTE) or {})


def _donut(path: Path, problems: list[Problem]) -> Iterator[Item]:
    file = path / "metadata.jsonl" if path.is_dir() else path
    for number, row in enumerate(_json_lines(file), start=1):
        truth = row["ground_truth"]
        truth = json.loads(truth) if isinstance(truth, str) else truth
        parses = truth.get("gt_parses") or [truth["gt_parse"]]
        id = str(row.get("id") or row.get("file_name") or number)
        if len(parses) > 1:
            problems.append(Problem(id, f"{len(parses)} parses, the first counts"))
        note = truth.get(NOTE) or {}
        yield Item(id, _first(row, _FILE_KEYS), row.get("text"), tuple(parses[0].items()), note)


def _sroie(path: Path, problems: list[Problem]) -> Iterator[Item]:
    keys = next((path / name for name in ("key", "entities") if (path / name).is_dir()), path)
    notes = path / f"{NOTE}.json"
    noted = json.loads(notes.read_text(encoding="utf-8")) if notes.is_file() else {}
    images = {file.stem: file.name for file in sorted((path / "img").glob("*.*"))}
    for file in sorted([*keys.glob("*.json"), *keys.glob("*.txt")]):
        marks = tuple(json.loads(file.read_text(encoding="utf-8-sig")).items())
        box = path / "box" / f"{file.stem}.txt"
        box = box if box.is_file() else box.with_suffix(".csv")
        text = _boxed_text(box) if box.is_file() else None
        note = noted.get(file.stem, {})
        yield Item(note.get("id", file.stem), images.get(file.stem, ""), text, marks, note)


def _boxed_text(box: Path) -> str:
    """Return the lines of `x1,y1,x2,y2,x3,y3,x4,y4,text` rows, each below the one before."""
    rows = []
    for line in box.read_text(encoding="utf-8-sig", errors="replace").splitlines():
        parts = line.split(",", 8)
        if len(parts) == 9:
            x, y, height = float(parts[0]), float(parts[1]), float(parts[5]) - float(parts[1])
            rows.append((y, height, x, parts[8]))
    lines: list[list[tuple[float, float, float, str]]] = []
    for row in sorted(rows):
        if lines and row[0] - lines[-1][0][0] < 0.5 * max(1.0, lines[-1][0][1]):
            lines[-1].append(row)
        else:
            lines.append([row])
    ordered = (sorted(line, key=lambda row: row[2]) for line in lines)
    return "\n".join("  ".join(row[3] for row in line) for line in ordered)


Rows = list[list[str]]


def _csv(path: Path, problems: list[Problem]) -> Iterator[Item]:
    parts = {
        file.name[len(path.stem) + 1 : -len(path.suffix)]: _csv_rows(file)
        for file in sorted(path.parent.glob(f"{path.stem}.*{path.suffix}"))
        if file != path
    }
    return _tables(_csv_rows(path), parts, problems)


def _csv_rows(path: Path) -> Rows:
    text = path.read_text(encoding="utf-8-sig")
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return [[_unescaped(cell) for cell in row] for row in rows]


def _xlsx(path: Path, problems: list[Problem]) -> Iterator[Item]:
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, data_only=True)
    except (InvalidFileException, BadZipFile) as error:
        raise ValueError("no XLSX file") from error
    sheets = {
        sheet.title: [[_cell_text(cell) for cell in row] for row in sheet.values]
        for sheet in book.worksheets
    }
    first = next(iter(sheets))
    return _tables(sheets.pop(first), sheets, problems)


def _cell_text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if hasattr(cell, "isoformat"):
        return str(cell.isoformat()).removesuffix("T00:00:00")
    return _unescaped(str(cell))


_OURS = ("id", "split", "group", "unverified", "row")


def _tables(head: Rows, parts: Mapping[str, Rows], problems: list[Problem]) -> Iterator[Item]:
    """Yield a document a row; rows of a part, named for a list, are its entries."""
    below: dict[str, list[Mark]] = {}
    for name, rows in parts.items():
        counts: Counter[str] = Counter()
        for number, row in enumerate(_named_rows(rows), start=2):
            document = _first(row, ("id", *_FILE_KEYS))
            if not document:
                problems.append(Problem(f"{name}:{number}", "a row that names no document"))
            index = counts[document]
            counts[document] += 1
            below.setdefault(document, []).extend(
                (f"{name}[{index}].{key}", _value(text)) for key, text in _fields(row)
            )
    used = set()
    for number, row in enumerate(_named_rows(head), start=2):
        file, id = _first(row, _FILE_KEYS), row.get("id") or ""
        id = id or file or str(number)
        entries = next((below[key] for key in (id, file) if key in below), [])
        used |= {id, file}
        unverified = [path for path in re.split(r"[;\s]+", row.get("unverified", "")) if path]
        marks = [(key, _value(text)) for key, text in _fields(row)]
        names = [re.split(r"[.\[]", key)[0] for key, _ in marks]
        labelled = [name for name in (*names, *parts) if name not in unverified]
        note = {
            "labelled": labelled,
            "unverified": unverified,
            "split": row.get("split") or None,
            "group": row.get("group") or None,
        }
        stated = [mark for mark in marks if mark[1] is not None]
        yield Item(id, file, None, (*stated, *entries), note)
    for name in sorted(set(below) - used):
        problems.append(Problem(name, "rows of a document that the first table does not have"))


def _named_rows(rows: Rows) -> Iterator[dict[str, str]]:
    names = [name.strip() for name in rows[0]] if rows else []
    for row in rows[1:]:
        if any(cell.strip() for cell in row):
            yield dict(zip(names, row, strict=False))


def _fields(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield from (
        (key, text)
        for key, text in row.items()
        if key and key not in _OURS and key not in _FILE_KEYS
    )


_ESCAPED = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")


def _unescaped(text: str) -> str:
    """Take away the apostrophe that keeps a spreadsheet from seeing a formula."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_ESCAPED) else text


def _value(text: str) -> Any:
    """Return a cell's value: text, or JSON where it is a list or an object."""
    if text[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text if text.strip() else None


_READERS: dict[str, Callable[[Path, list[Problem]], Iterator[Item]]] = {
    "label-studio": _label_studio,
    "label-studio-min": _label_studio_min,
    "doccano": _doccano,
    "donut": _donut,
    "sroie": _sroie,
    "csv": _csv,
    "xlsx": _xlsx,
}
FORMATS = tuple(_READERS)
