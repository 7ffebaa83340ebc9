"""A corpus to the label formats of other tools; `training.importers` reads the same back.

Tools that mark spans get the spans that evidence finds. What a tool has no place for, such as
values that stand nowhere and what is unverified, goes into a note that it carries along.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor import einvoice
from extractor.document import Document
from extractor.errors import CorpusError, DocumentError, LabelError, OutputError
from extractor.export import Cell, as_text, safe
from extractor.fields import Locale
from extractor.schema import AnySchema, Leaf, ListNode, ObjectNode
from training.corpus import LabelledDocument, Problem
from training.importers import FORMATS, NOTE

Span = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class _Shown:
    """A labelled document, ready to be written in any format.

    :param file: path of its copy, relative to the export.
    :param fields: canonical labels of the fields that are known.
    :param spans: start, end and path of each value that stands in the text.
    """

    id: str
    file: str
    text: str
    fields: dict[str, Any]
    spans: tuple[Span, ...]
    note: dict[str, Any]
    read: Document


def write(
    form: str, labelled: Sequence[LabelledDocument], schema: AnySchema, output: str | Path
) -> list[Problem]:
    """Write labels, and copies of the documents beside them, into a new folder.

    :param form: one of `training.importers.FORMATS`.
    :returns: documents that could not be read or whose labels do not fit; they are left out.
    :raises OutputError: if the folder is not empty or cannot be written.
    """
    if form not in _WRITERS:
        raise CorpusError(f"no format {form!r}", hint=f"known: {', '.join(FORMATS)}")
    output = Path(output)
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise OutputError(f"{output}: is there already", hint="name a new folder")
    problems: list[Problem] = []
    shown: list[_Shown] = []
    folder = "img" if form == "sroie" else "documents"
    try:
        (output / folder).mkdir(parents=True)
        for number, document in enumerate(labelled, start=1):
            name = f"{folder}/{number:05d}"
            try:
                shown.append(_shown(document, schema, output, name))
            except (DocumentError, LabelError) as error:
                problems.append(Problem(document.id, error.message))
        _WRITERS[form](output, shown, schema)
    except OSError as error:
        raise OutputError(
            f"{output}: cannot be written ({error.strerror})", hint="name another folder"
        ) from error
    return problems


def _shown(labelled: LabelledDocument, schema: AnySchema, output: Path, name: str) -> _Shown:
    document = labelled.document().in_sight()
    locale = document.locale
    known = {key: value for key, value in labelled.fields.items() if key not in labelled.unverified}
    values = schema.normalise(known, locale)
    canonical = json.loads(schema.dump(values))
    spans: list[Span] = []
    noted: dict[str, Any] = {}
    for leaf, evidence in einvoice.place(document, schema.leaves(values), locale):
        if leaf.value is None:
            continue
        plain = leaf.type.to_json(leaf.value)
        if evidence.start is None or evidence.end is None or evidence.status == "fuzzy":
            noted[leaf.path] = [None, plain]
            continue
        spans.append((evidence.start, evidence.end, leaf.path))
        printed = document.text[evidence.start : evidence.end]
        if _reread(leaf, printed, locale) != plain:
            noted[leaf.path] = [printed, plain]
    file = _copy(labelled, output, name)
    note = {
        "labelled": [key for key in schema.field_names if key in values],
        "unverified": sorted(labelled.unverified),
        "values": noted,
        "split": labelled.split,
        "group": labelled.group,
    }
    fields = {key: canonical[key] for key in schema.field_names if key in values}
    return _Shown(labelled.id, file, document.text, fields, tuple(spans), note, document)


def _reread(leaf: Leaf, printed: str, locale: Locale) -> Any:
    """Return what the print would be imported as."""
    try:
        return leaf.type.to_json(leaf.type.from_label(printed, locale))
    except ValueError:
        return None


def _copy(labelled: LabelledDocument, output: Path, name: str) -> str:
    if labelled.path is None:
        file = f"{name}.txt"
        (output / file).write_text(labelled.given_text or "", encoding="utf-8", newline="")
    else:
        file = f"{name}{labelled.path.suffix}"
        shutil.copyfile(labelled.path, output / file)
    return file


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(as_text(row) + "\n" for row in rows), encoding="utf-8", newline="\n")


def _label_studio(output: Path, shown: Sequence[_Shown], schema: AnySchema) -> None:
    _write_json(output / "labels.json", [
        {
            "id": number,
            "data": {"id": item.id, "text": item.text, "document": item.file, NOTE: item.note},
            "annotations": [{"result": [
                {
                    "id": f"{number}-{place}",
                    "from_name": "label",
                    "to_name": "text",
                    "type": "labels",
                    "value": {
                        "start": start, "end": end, "text": item.text[start:end], "labels": [path]
                    },
                }
                for place, (start, end, path) in enumerate(item.spans)
            ]}],
        }
        for number, item in enumerate(shown, start=1)
    ])  # fmt: skip


def _label_studio_min(output: Path, shown: Sequence[_Shown], schema: AnySchema) -> None:
    _write_json(output / "labels.json", [
        {
            "id": item.id,
            "text": item.text,
            "document": item.file,
            NOTE: item.note,
            "label": [
                {"start": start, "end": end, "text": item.text[start:end], "labels": [path]}
                for start, end, path in item.spans
            ],
        }
        for item in shown
    ])  # fmt: skip


def _doccano(output: Path, shown: Sequence[_Shown], schema: AnySchema) -> None:
    _write_lines(output / "labels.jsonl", [
        {
            "id": item.id,
            "text": item.text,
            "label": [list(span) for span in item.spans],
            "document": item.file,
            NOTE: item.note,
        }
        for item in shown
    ])  # fmt: skip


def _donut(output: Path, shown: Sequence[_Shown], schema: AnySchema) -> None:
    rows = []
    for item in shown:
        truth = {"gt_parse": item.fields, NOTE: {**item.note, "values": {}}}
        rows.append({
            "id": item.id,
            "file_name": item.file,
            "ground_truth": json.dumps(truth, ensure_ascii=False),
        })  # fmt: skip
    _write_lines(output / "metadata.jsonl", rows)


def _sroie(output: Path, shown: Sequence[_Shown], schema: AnySchema) -> None:
    for folder in ("box", "key"):
        (output / folder).mkdir()
    notes = {}
    for item in shown:
        stem = Path(item.file).stem
        (output / "box" / f"{stem}.txt").write_text(
            "".join(f"{line}\n" for line in _boxes(item.read)), encoding="utf-8", newline="\n"
        )
        stated = {key: value for key, value in item.fields.items() if value is not None}
        _write_json(output / "key" / f"{stem}.json", stated)
        notes[stem] = {**item.note, "values": {}, "id": item.id}
    _write_json(output / f"{NOTE}.json", notes)


def _boxes(document: Document) -> Iterator[str]:
    """Yield `x1,y1,x2,y2,x3,y3,x4,y4,text` for each line; a text has lines of equal height."""
    at, below = 0, 0.0
    for line in document.text.split("\n"):
        start, at = at, at + len(line) + 1
        if not line.strip():
            continue
        found = document.boxes(start, start + len(line))
        x0, top, x1, bottom = (
            found[0][1] if found else (0, 20 * below, 8 * len(line), 20 * below + 12)
        )
        if found and found[0][0] > 1:
            shift = sum(page.height_pt for page in document.pages[: found[0][0] - 1])
            top, bottom = top + shift, bottom + shift
        below += 1
        corners = (x0, top, x1, top, x1, bottom, x0, bottom)
        yield ",".join([*(str(round(corner)) for corner in corners), line])


Table = list[list[Cell]]


def _tables(shown: Sequence[_Shown], schema: AnySchema) -> dict[str, Table]:
    """Return the first table, and one for each list of objects."""
    lists = {
        key: [name for name, _ in node.item.keys]
        for key, node in schema.root.keys
        if isinstance(node, ListNode) and isinstance(node.item, ObjectNode)
    }
    columns = [path for key, node in schema.root.keys if key not in lists
               for path in _columns(key, node)]  # fmt: skip
    head: Table = [["id", "document", "split", "group", "unverified", *map(_cell, columns)]]
    parts: dict[str, Table] = {
        key: [["id", "row", *map(_cell, keys)]] for key, keys in lists.items()
    }
    for item in shown:
        unknown = [key for key in schema.field_names if key not in item.fields]
        unverified = sorted({*item.note["unverified"], *unknown})
        about = [item.id, item.file, item.note["split"], item.note["group"], ";".join(unverified)]
        head.append([_cell(x) for x in (*about, *(_at(item.fields, path) for path in columns))])
        for key, keys in lists.items():
            for number, row in enumerate(item.fields.get(key) or (), start=1):
                parts[key].append(
                    [_cell(item.id), number, *(_cell(row.get(name)) for name in keys)]
                )
    return {"labels": head, **parts}


def _columns(path: str, node: Any) -> Iterator[str]:
    if isinstance(node, ObjectNode):
        for key, child in node.keys:
            yield from _columns(f"{path}.{key}", child)
    else:
        yield path


def _at(fields: dict[str, Any], path: str) -> Any:
    value: Any = fields
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _cell(value: Any) -> Cell:
    if value is None:
        return None
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    number = value.lstrip("-").replace(".", "", 1).isdecimal()
    # An apostrophe of the document's own gets another, so that importing takes only ours away.
    return value if number else f"'{value}" if value.startswith("'") else safe(value)


def _csv(output: Path, shown: Sequence[_Shown], schema: AnySchema) -> None:
    for name, table in _tables(shown, schema).items():
        path = output / ("labels.csv" if name == "labels" else f"labels.{name}.csv")
        with path.open("w", encoding="utf-8-sig", newline="") as stream:
            csv.writer(stream).writerows(table)


def _xlsx(output: Path, shown: Sequence[_Shown], schema: AnySchema) -> None:
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = Workbook()
    book.remove(book.active)
    for name, table in _tables(shown, schema).items():
        sheet = book.create_sheet(name[:31])
        for number, row in enumerate(table, start=1):
            for place, value in enumerate(row, start=1):
                if value is not None:
                    cell = sheet.cell(number, place)
                    cell.value = ILLEGAL_CHARACTERS_RE.sub("", str(value))
                    cell.data_type = "s"  # openpyxl takes text that begins with = for a formula
    book.save(output / "labels.xlsx")


_WRITERS: dict[str, Callable[[Path, Sequence[_Shown], AnySchema], None]] = {
    "label-studio": _label_studio,
    "label-studio-min": _label_studio_min,
    "doccano": _doccano,
    "donut": _donut,
    "sroie": _sroie,
    "csv": _csv,
    "xlsx": _xlsx,
}
