"""What a labelled corpus is: a folder of documents, and what each of them says.

Either `labels.jsonl` with one object per line

    {"document": "documents/x.pdf", "fields": {...}, "unverified": [...], "split": "train"}

(or `"text"` in place of a document), or pairs of files with one stem, `x.pdf` and `x.json`. A null
in `fields` says that the document does not show the value. A field that is absent, or named in
`unverified`, is unknown: it is neither trained nor scored.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor import document as documents
from extractor.document import Document
from extractor.errors import CorpusError, DocumentError, OutputError
from extractor.export import as_text

LABELS = "labels.jsonl"
_SUFFIXES = (".pdf", ".txt", ".md")
_SPLITS = ("train", "validation", "dev", "test")
_FORMAT = 'each line: {"document": "documents/x.pdf", "fields": {...}}'


@dataclass(frozen=True, slots=True)
class LabelledDocument:
    """A document and its label.

    :param id: unique in the corpus.
    :param path: the file, or None if `given_text` holds the text.
    :param unverified: paths of values that are not known, such as `line_items[2].unit_price`.
    :param group: documents of one group, such as a seller, must not be in two splits.
    """

    id: str
    path: Path | None
    given_text: str | None
    fields: dict[str, Any]
    unverified: frozenset[str] = frozenset()
    split: str | None = None
    group: str | None = None

    def document(self) -> Document:
        """Read the document. :raises DocumentError: if it gives no text."""
        if self.path is None:
            return Document.from_text(self.given_text or "", self.id)
        document = documents.read(self.path)
        if not document.text.strip():  # an e-invoice whose page is a picture
            raise DocumentError(
                f"{document.name}: no page has a text layer",
                hint='to read it by OCR: pip install "fieldwright[ocr]"',
                category="no_text",
            )
        return document

    def sha256(self) -> str:
        """Return the hash of the file's bytes, or of the text."""
        if self.path is None:
            return hashlib.sha256((self.given_text or "").encode()).hexdigest()
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Problem:
    """A label that was left out, and why."""

    document: str
    message: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """A labelled folder; what could not be used is in `problems`."""

    folder: Path
    documents: tuple[LabelledDocument, ...]
    problems: tuple[Problem, ...]


def read(folder: str | Path) -> Corpus:
    """Read a labelled folder.

    :raises CorpusError: if it is missing, holds no label, or a label file is no JSON.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise CorpusError(f"corpus {folder}: no such folder", hint="give the folder of the labels")
    problems: list[Problem] = []
    rows = _lines(folder) if (folder / LABELS).is_file() else _stems(folder)
    found = [_labelled(folder, place, row, problems) for place, row in rows]
    labelled = _unique([item for item in found if item is not None], problems)
    if not labelled:
        raise CorpusError(
            f"corpus {folder}: no labelled document"
            + (f"; first problem: {problems[0].message}" if problems else ""),
            hint=f"put {LABELS} there ({_FORMAT}), or x.json beside each x.pdf",
        )
    return Corpus(folder, tuple(labelled), tuple(problems))


def write(labelled: Sequence[LabelledDocument], folder: str | Path) -> None:
    """Write a corpus that `read` reads: labels.jsonl, and copies of the files in documents/.

    :raises CorpusError: if the folder holds labels already.
    :raises OutputError: if it cannot be written.
    """
    folder = Path(folder)
    if (folder / LABELS).exists():
        raise CorpusError(f"{folder}: holds labels already", hint="name another folder")
    taken: set[str] = set()
    try:
        (folder / "documents").mkdir(parents=True, exist_ok=True)
        # The labels come last: a folder with labels is whole.
        rows = [_row(document, folder, taken) for document in labelled]
        part = folder / f".{LABELS}"
        with part.open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(as_text(row) + "\n" for row in rows)
        part.replace(folder / LABELS)
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written ({error.strerror})", hint="name another folder"
        ) from error


def _row(labelled: LabelledDocument, folder: Path, taken: set[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"id": labelled.id}
    if labelled.path is None:
        row["text"] = labelled.given_text
    else:
        row["document"] = f"documents/{_free_name(labelled.path, taken)}"
        shutil.copyfile(labelled.path, folder / row["document"])
    row["fields"] = labelled.fields
    row["unverified"] = sorted(labelled.unverified)
    optional = {"split": labelled.split, "group": labelled.group}
    return row | {key: value for key, value in optional.items() if value is not None}


def _free_name(path: Path, taken: set[str]) -> str:
    """Return a file name that no other document has, on systems that ignore case too."""
    name, number = path.name, 1
    while name.casefold() in taken:
        number += 1
        name = f"{path.stem}-{number}{path.suffix}"
    taken.add(name.casefold())
    return name


def _lines(folder: Path) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(_text_of(folder / LABELS).split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{LABELS}:{number}"
        try:
            yield place, json.loads(line)
        except ValueError as error:
            raise CorpusError(
                f"{folder / LABELS}, line {number}: is no JSON", hint=_FORMAT
            ) from error


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{file}: is not UTF-8", hint="save it as UTF-8") from error


def _stems(folder: Path) -> Iterator[tuple[str, Any]]:
    for file in sorted(folder.glob("*.json")):
        try:
            content = json.loads(_text_of(file))
        except ValueError as error:
            raise CorpusError(f"{file}: is no JSON", hint="correct the file") from error
        document = next(
            (path for suffix in _SUFFIXES if (path := file.with_suffix(suffix)).is_file()), None
        )
        wrapped = isinstance(content, dict) and isinstance(content.get("fields"), dict)
        row = dict(content) if wrapped else {"fields": content}
        row["document"] = document.name if document else file.with_suffix(".pdf").name
        yield file.name, row


def _labelled(
    folder: Path, place: str, row: Any, problems: list[Problem]
) -> LabelledDocument | None:
    problem = _problem(folder, row)
    if problem:
        problems.append(Problem(place, problem))
        return None
    name, text = row.get("document"), row.get("text")
    path = None if name is None else folder / name
    fallback = hashlib.sha256(text.encode()).hexdigest()[:12] if isinstance(text, str) else place
    group = row.get("group", row.get("family"))
    return LabelledDocument(
        id=str(row.get("id") or name or fallback),
        path=path,
        given_text=text if path is None else None,
        fields=row["fields"],
        unverified=frozenset(row.get("unverified") or ()),
        split=row.get("split"),
        group=None if group is None else str(group),
    )


def _problem(folder: Path, row: Any) -> str:
    """Return what is wrong with a row, empty if nothing is."""
    if not isinstance(row, Mapping) or not isinstance(row.get("fields"), dict):
        return f"no object `fields`; {_FORMAT}"
    if row.get("split") not in (None, *_SPLITS):
        return f"split {row['split']!r}, expected one of {', '.join(_SPLITS)}"
    unverified = row.get("unverified") or []
    if not isinstance(unverified, list) or not all(isinstance(path, str) for path in unverified):
        return "`unverified` is no list of field paths"
    name = row.get("document")
    if name is None:
        return "" if isinstance(row.get("text"), str) else "neither a document nor a text"
    if not isinstance(name, str) or "\0" in name:
        return "`document` is no path"
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        return f"document {name} is outside the corpus folder"
    return "" if path.is_file() else f"document {name} does not exist"


def _unique(labelled: list[LabelledDocument], problems: list[Problem]) -> list[LabelledDocument]:
    seen: dict[str, LabelledDocument] = {}
    for document in labelled:
        if document.id in seen:
            problems.append(
                Problem(document.id, "the id stands in the labels twice; the first counts")
            )
            continue
        seen[document.id] = document
    return list(seen.values())
