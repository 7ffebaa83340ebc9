"""A corpus read once, as all checks look at it: text, values, and where each value stands."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from extractor.document import Document
from extractor.errors import DocumentError, LabelError
from extractor.evidence import Evidence, locate, occurrences
from extractor.fields import Choice, FieldType, Locale
from extractor.schema import AnySchema, Leaf
from training.augment import concepts
from training.corpus import Corpus, LabelledDocument
from training.pairs import known_fields, unknown
from training.score import is_within
from training.split import group_name

Part = Literal["train", "held-out"]


@dataclass(frozen=True, slots=True)
class LintConfig:
    """What counts as suspicious.

    :param include_unverified: whether values that the labels name unverified are looked at too.
    :param few_documents: a corpus with fewer is said to be small.
    :param few_values: so many documents must have a value for a field to be learned.
    :param few_groups: of so many groups, such as sellers, must the values of a field be.
    :param constant_share: a field of which one value has this share is constant.
    :param near_duplicate: share of common five-word shingles (Jaccard), 0 to 1.
    :param template: the same, for two documents to be of one template.
    :param many_places: a value that stands at so many places is ambiguous.
    :param tolerance: in units of the currency, by which sums may differ: rounding of rows.
    :param max_target_tokens: what a target has behind them is not learned, see `AugmentConfig`.
    :param max_new_tokens: longest answer of `extract`.
    """

    include_unverified: bool = False
    few_documents: int = 20
    few_values: int = 10
    few_groups: int = 5
    constant_share: float = 0.98
    near_duplicate: float = 0.85
    template: float = 0.5
    many_places: int = 10
    tolerance: float = 0.05
    max_target_tokens: int = 256
    max_new_tokens: int = 2048

    def __post_init__(self) -> None:
        """Refuse shares that are none and limits below nothing."""
        for name in ("constant_share", "near_duplicate", "template"):
            value = getattr(self, name)
            if not 0 < value <= 1:
                raise ValueError(f"{name} must be above 0 and at most 1, was: {value}")
        for name in ("few_documents", "few_values", "few_groups", "many_places", "tolerance"):
            value = getattr(self, name)
            if value < 0:
                raise ValueError(f"{name} must be at least 0, was: {value}")


@dataclass(frozen=True, slots=True)
class Value:
    """One labelled value and its evidence.

    :param path: such as `line_items[2].quantity`; `pattern` has `[]` for every index.
    :param raw: as the label has it; None where the order of the label is not kept.
    :param evidence: None where a value is chosen and not read, such as true or false.
    :param places: start and end of each place in the text.
    """

    path: str
    pattern: str
    type: FieldType
    value: Any
    raw: Any
    evidence: Evidence | None
    places: tuple[tuple[int, int], ...]

    @property
    def shown(self) -> str:
        """The value as canonical JSON has it, for a person."""
        return str(self.type.to_json(self.value))


@dataclass(frozen=True, slots=True)
class Case:
    """A labelled document as the checks see it.

    :param document: None if it gave no text; `unreadable` then says why.
    :param values: normalised known fields by name; those that do not fit are in `broken`.
    :param broken: field path and message of each value that is none of its type.
    :param part: None where the labels name no split.
    """

    labelled: LabelledDocument
    document: Document | None
    unreadable: str
    locale: Locale
    values: Mapping[str, Any]
    broken: tuple[tuple[str, str], ...]
    leaves: tuple[Value, ...]
    group: str | None
    part: Part | None

    @property
    def id(self) -> str:
        """The document's id."""
        return self.labelled.id

    @property
    def text(self) -> str:
        """The document's text, empty if it has none."""
        return "" if self.document is None else self.document.text

    def leaf(self, path: str) -> Value | None:
        """Return the value at a path, or None."""
        return next((leaf for leaf in self.leaves if leaf.path == path), None)


@dataclass(frozen=True)
class View:
    """All documents of a corpus, read."""

    corpus: Corpus
    schema: AnySchema
    cases: tuple[Case, ...]
    concepts: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def by_concept(self) -> Mapping[str, str]:
        """Field by business concept, such as `total` by `gross_total`; the first one counts."""
        found: dict[str, str] = {}
        for name, concept in self.concepts.items():
            found.setdefault(concept, name)
        return found

    @cached_property
    def by_pattern(self) -> Mapping[str, list[tuple[Case, Value]]]:
        """Every labelled value by its pattern."""
        found: dict[str, list[tuple[Case, Value]]] = defaultdict(list)
        for case in self.cases:
            for leaf in case.leaves:
                found[leaf.pattern].append((case, leaf))
        return found

    def training(self) -> Iterator[Case]:
        """Yield what is trained on: all, where no split is named."""
        return (case for case in self.cases if case.part != "held-out")


def view(
    corpus: Corpus,
    schema: AnySchema,
    config: LintConfig,
    progress: Callable[[int, int], None] | None = None,
) -> View:
    """Read every document of a corpus, each once.

    :param progress: called with the documents done and all.
    """
    named = any(labelled.split for labelled in corpus.documents)
    cases: list[Case] = []
    for labelled in corpus.documents:
        if progress is not None:
            progress(len(cases), len(corpus.documents))
        held = labelled.split in ("dev", "test", "validation")
        part: Part | None = ("held-out" if held else "train") if named else None
        cases.append(_case(labelled, schema, config, part))
    if progress is not None:
        progress(len(cases), len(corpus.documents))
    return View(corpus, schema, tuple(cases), concepts(schema))


def _case(
    labelled: LabelledDocument, schema: AnySchema, config: LintConfig, part: Part | None
) -> Case:
    document: Document | None = None
    unreadable = ""
    try:
        document = labelled.document().in_sight()
    except DocumentError as error:
        unreadable = f"{error.category}: {error.message}"
    locale = document.locale if document else Locale()
    asked: Mapping[str, Any] = known_fields(labelled, schema)
    skipped = unknown(labelled, schema)
    if config.include_unverified:
        asked = {key: labelled.fields[key] for key in schema.field_names if key in labelled.fields}
        skipped = frozenset()
    values: dict[str, Any] = {}
    broken: list[tuple[str, str]] = []
    for name, raw in asked.items():
        try:
            values.update(schema.normalise({name: raw}, locale))
        except LabelError as error:
            broken.append((error.field or name, error.message))
    leaves = tuple(
        _value(leaf, asked, document, locale)
        for leaf in schema.leaves(values)
        if leaf.value is not None and not is_within(leaf.path, skipped)
    )
    return Case(
        labelled, document, unreadable, locale, values, tuple(broken), leaves,
        group_name(labelled, schema), part,
    )  # fmt: skip


def _value(
    leaf: Leaf, label: Mapping[str, Any], document: Document | None, locale: Locale
) -> Value:
    raw = _at(label, leaf.path)
    chosen = isinstance(leaf.type.emission(), Choice) and not leaf.type.copied
    if document is None or chosen or isinstance(leaf.value, bool):
        return Value(leaf.path, leaf.pattern, leaf.type, leaf.value, raw, None, ())
    places = occurrences(document.text, leaf.type, leaf.value, locale)
    evidence = locate(document, leaf.type, leaf.value, locale=locale)
    return Value(leaf.path, leaf.pattern, leaf.type, leaf.value, raw, evidence, tuple(places))


def _at(label: Mapping[str, Any], path: str) -> Any:
    """Return what a label has at a path; None where it goes another way."""
    found: Any = label
    for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        if index and isinstance(found, list) and int(index) < len(found):
            found = found[int(index)]
        elif key and isinstance(found, Mapping):
            found = found.get(key)
        else:
            return None
    return found
