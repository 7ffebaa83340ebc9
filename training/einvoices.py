"""Free labels: e-invoices state what their pages show, as far as that can be checked.

A value is kept only if it is found on the page by its type, as evidence is; what is not found is
null and named in `unverified`, so it is neither trained nor scored.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from extractor import business, einvoice
from extractor import document as documents
from extractor.document import Document
from extractor.errors import CorpusError, DocumentError
from extractor.evidence import PRINTED
from extractor.schema import AnySchema, Leaf, LeafNode
from training.corpus import LabelledDocument, Problem, write


@dataclass(frozen=True, slots=True)
class Harvest:
    """Labels made from e-invoices.

    :param kept: values found on their page, by field pattern such as `line_items[].quantity`.
    :param unverified: values stated and not found, by pattern.
    :param problems: files that gave no label, and why.
    """

    documents: list[LabelledDocument] = field(default_factory=list)
    kept: Counter[str] = field(default_factory=Counter)
    unverified: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)


def collect(
    folder: str | Path,
    schema: AnySchema,
    output: str | Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Harvest:
    """Make a labelled corpus of the e-invoices in a folder, the folders in it included.

    :param output: corpus folder to make; the documents are copied into it.
    :raises CorpusError: if the folder holds no e-invoice, or the output is not empty.
    """
    files = sorted(_pdfs(Path(folder)))
    harvest = Harvest()
    seen: dict[str, str] = {}
    for index, file in enumerate(files):
        if progress is not None:
            progress(index, len(files))
        name = str(file.relative_to(folder))
        try:
            document = documents.read(file)
            labelled = _labelled(file, name, document, schema, seen, harvest)
        except DocumentError as error:
            harvest.problems.append(Problem(name, error.message))
            continue
        except LookupError as error:
            harvest.problems.append(Problem(name, str(error.args[0])))
            continue
        seen[document.sha256] = name
        harvest.documents.append(labelled)
    if progress is not None:
        progress(len(files), len(files))
    if not harvest.documents:
        raise CorpusError(
            f"{folder}: none of {len(files)} PDFs is an e-invoice that states {schema.name} fields",
            hint="give a folder of Factur-X or ZUGFeRD PDFs; other labels: extractor labels import",
        )
    write(harvest.documents, output)
    return harvest


def _pdfs(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise CorpusError(f"{folder}: no such folder", hint="give the folder of the PDFs")
    for place, _, files in os.walk(folder):
        yield from (Path(place, file) for file in files if file.lower().endswith(".pdf"))


def _labelled(
    file: Path,
    name: str,
    document: Document,
    schema: AnySchema,
    seen: Mapping[str, str],
    harvest: Harvest,
) -> LabelledDocument:
    """Return a file's label. :raises LookupError: if it gives none, with the reason."""
    if document.sha256 in seen:
        raise LookupError(f"the same file as {seen[document.sha256]}")
    if document.einvoice is None:
        raise LookupError(document.einvoice_problem or "no e-invoice in it")
    if not document.text.strip():
        raise LookupError("no page has a text layer to find the values on")
    filled = business.fill(schema, document.einvoice)
    if filled is None:
        raise LookupError(f"the e-invoice states less than half of the fields of {schema.name}")
    values, unverified = _checked(document.in_sight(), schema, filled.values, harvest)
    label = json.loads(schema.dump(values))
    return LabelledDocument(
        id=name,
        path=file,
        given_text=None,
        fields={key: label[key] for key in filled.values},
        unverified=frozenset({*unverified, *filled.rest, *_inside(filled.unstated, values)}),
        group=document.einvoice.terms.get("BT-27"),
    )


def _checked(
    document: Document, schema: AnySchema, values: Mapping[str, Any], harvest: Harvest
) -> tuple[dict[str, Any], set[str]]:
    """Return the values that a document in sight shows, and the paths of the others."""
    checked = {name: _copied(value) for name, value in values.items()}
    unverified: set[str] = set()
    locale = document.locale
    for leaf, evidence in einvoice.place(document, schema.leaves(values), locale):
        if leaf.value is None:
            if not _surely_absent(document, leaf):
                unverified.add(leaf.path)
        elif evidence.status in PRINTED:
            harvest.kept[leaf.pattern] += 1
        else:
            harvest.unverified[leaf.pattern] += 1
            unverified.add(leaf.path)
            _clear(checked, leaf.path)
    nodes = dict(schema.root.keys)
    for name, value in checked.items():
        # A list with a row of which nothing was found would teach to leave rows out.
        if isinstance(value, list) and not all(_says_anything(row) for row in value):
            unverified = {path for path in unverified if not path.startswith(f"{name}[")}
            unverified.add(name)
            checked[name] = None
        if value is None and not isinstance(nodes[name], LeafNode):
            unverified.add(name)
    return checked, unverified


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _surely_absent(document: Document, leaf: Leaf) -> bool:
    """Say whether the page cannot show a value that the e-invoice leaves out.

    Publishers leave out what the page has, such as a due date in a sentence; only where nothing
    on the page looks like one is null a label.
    """
    return leaf.type.typed and not leaf.type.find(document.text)


def _clear(values: dict[str, Any], path: str) -> None:
    *above, last = path.replace("[", ".[").split(".")
    at: Any = values
    for key in above:
        at = at[int(key[1:-1])] if key.startswith("[") else at[key]
    at[last] = None


def _says_anything(row: Any) -> bool:
    return isinstance(row, Mapping) and any(value is not None for value in row.values())


def _inside(patterns: Sequence[str], values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths of patterns such as `line_items[].unit`, one for each row."""
    for pattern in patterns:
        name, brackets, key = pattern.partition("[]")
        if not brackets:
            yield pattern
        for index in range(len(values.get(name) or ()) if brackets else 0):
            yield f"{name}[{index}]{key}"
