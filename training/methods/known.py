"""What methods without a model learn from, and how they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from extractor.document import Document
from extractor.errors import DocumentError, LabelError
from extractor.fields import Locale
from extractor.pipeline import Source, read
from extractor.schema import AnySchema, ConstNode, ListNode, Node, ObjectNode
from training.corpus import LabelledDocument
from training.pairs import known_fields, unknown


@dataclass(frozen=True, slots=True)
class Known:
    """A labelled document, read once.

    :param values: of the label, normalised, by JSON key; a key that is not known is not there.
    :param unverified: paths that the label does not tell of.
    :param group: documents of one group, such as a seller, are alike; never empty.
    """

    labelled: LabelledDocument
    document: Document
    locale: Locale
    values: Mapping[str, Any]
    unverified: frozenset[str]
    group: str

    @property
    def id(self) -> str:
        """The document's id."""
        return self.labelled.id


@dataclass(frozen=True, slots=True)
class Answer:
    """What a method gives for a document: the part of an `Extraction` that is scored.

    :param values: by JSON key, as `Extraction.values`.
    :param confidence: by path, 0..1, uncalibrated; of values only.
    """

    values: dict[str, Any]
    status: str = "complete"
    confidence: dict[str, float] = field(default_factory=dict)


def read_known(
    documents: Sequence[LabelledDocument],
    schema: AnySchema,
    groups: Mapping[str, str],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Known], list[tuple[str, str]]]:
    """Read documents and their labels.

    :param groups: group by document id.
    :returns: what could be read, and (id, reason) of the rest.
    """
    found: list[Known] = []
    problems: list[tuple[str, str]] = []
    for index, labelled in enumerate(documents):
        if progress is not None:
            progress(index, len(documents))
        try:
            document = labelled.document()
            locale = document.locale
            values = schema.normalise(known_fields(labelled, schema), locale)
        except (DocumentError, LabelError) as error:
            problems.append((labelled.id, error.message))
            continue
        unverified = unknown(labelled, schema)
        group = groups[labelled.id]
        found.append(Known(labelled, document, locale, values, unverified, group))
    if progress is not None:
        progress(len(documents), len(documents))
    return found, problems


def as_document(source: Source, name: str | None) -> Document:
    """Return a source as the document that is read."""
    return read(source, name=name)


def at(values: Any, path: str) -> Any:
    """Return the value at a path of keys; None where one of them is not there."""
    for key in path.split("."):
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def is_known(item: Known, path: str) -> bool:
    """Return whether the label tells of a field, be it that there is no value."""
    top = path.split(".")[0]
    if top not in item.values:
        return False
    ends = [index for index, character in enumerate(path) if character == "."]
    return not any(path[:end] in item.unverified for end in (*ends, len(path)))


def assembled(schema: AnySchema, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by JSON key from values by path; what is not given is null, lists are empty."""
    return {key: _assembled(node, key, found) for key, node in schema.root.keys}


def _assembled(node: Node, path: str, found: Mapping[str, Any]) -> Any:
    if isinstance(node, ObjectNode):
        inner = {key: _assembled(child, f"{path}.{key}", found) for key, child in node.keys}
        held = [
            inner[key]
            for key, child in node.keys
            if not isinstance(child, ConstNode) and inner[key] not in (None, [])
        ]
        return inner if held else None
    if isinstance(node, ConstNode):
        return node.member
    if isinstance(node, ListNode):
        return list(found.get(path) or [])
    return found.get(path)
