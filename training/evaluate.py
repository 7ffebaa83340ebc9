"""Scores on labelled documents, through the same path that users take."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from extractor.document import Document
from extractor.errors import BaseModelError, DocumentError, LabelError
from extractor.schema import AnySchema
from training.compare import draws, sample
from training.corpus import LabelledDocument
from training.pairs import known_fields, unknown
from training.reliability import Rated, Reliability, measure
from training.score import ScoreCard, compare, judge
from training.split import groups


class Reader(Protocol):
    """What is evaluated: `Extractor`, or anything that answers like it."""

    def extract(self, source: Any, *, name: str | None = None) -> Any:  # an Extraction
        """Read one document."""
        ...


@dataclass(frozen=True, slots=True)
class Scored:
    """One document's result.

    :param status: of the extraction, or `failed`.
    :param mistakes: by field path, what was given and what was wanted. Document content: it is
        written to the report on the user's machine and nowhere else.
    :param rated: its answers with the confidence in each; none without a calibration.
    """

    id: str
    group: str | None
    status: str
    card: ScoreCard
    seconds_s: float
    mistakes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    rated: tuple[Rated, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Scores of a run.

    :param interval: 95 % interval of macro F1, by bootstrap over groups; documents of one group
        are alike, so they are drawn together.
    :param unscored: documents whose label could not be used, with the reason.
    :param reliability: how far confidences can be believed; None without any.
    :param fitted: documents that `reliability` leaves out, for the calibration was fitted on them
        or on others of their groups.
    """

    card: ScoreCard
    documents: tuple[Scored, ...]
    interval: tuple[float, float]
    unscored: tuple[tuple[str, str], ...]
    reliability: Reliability | None = None
    fitted: int = 0

    @property
    def macro_f1(self) -> float:
        """Mean F1 over single-value fields."""
        return self.card.macro_f1


def evaluate(
    reader: Reader,
    documents: Sequence[LabelledDocument],
    schema: AnySchema,
    *,
    progress: Callable[[int, int], None] | None = None,
    seed: int = 0,
) -> Report:
    """Read labelled documents and score the records.

    A document that cannot be read counts as if every labelled value in it had been missed.

    :param progress: called with (documents done, documents in all).
    :param seed: of the bootstrap.
    """
    dealt = groups(documents, schema)
    group_of = {one.id: number for number, group in enumerate(dealt) for one in group}
    scored: list[Scored] = []
    unscored: list[tuple[str, str]] = []
    for index, labelled in enumerate(documents):
        if progress is not None:
            progress(index, len(documents))
        document = _readable(labelled)
        locale = document.locale if document is not None else None
        try:
            wanted = schema.normalise(known_fields(labelled, schema), locale)
        except LabelError as error:
            unscored.append((labelled.id, error.message))
            continue
        unverified = unknown(labelled, schema)
        scored.append(
            score(reader, labelled, document, wanted, unverified, schema, group_of[labelled.id])
        )
    if progress is not None:
        progress(len(documents), len(documents))
    card = sum((item.card for item in scored), ScoreCard())
    interval = _interval(scored, dealt, seed)
    known = _fitted_on(reader, dealt)
    fresh = [one for item in scored if item.id not in known for one in item.rated]
    reliability = measure(fresh, seed=seed)
    return Report(card, tuple(scored), interval, tuple(unscored), reliability, len(known))


def _fitted_on(reader: Reader, dealt: Sequence[Sequence[LabelledDocument]]) -> set[str]:
    """Return the documents that say nothing of a reader's calibration: whole groups, by id."""
    calibration = getattr(reader, "calibration", None)  # a baseline has none
    if calibration is None or getattr(reader, "uncalibrated", None):
        return set()
    return {
        document.id
        for group in dealt
        if any(one.sha256() in calibration.fitted_on for one in group)
        for document in group
    }


def _readable(labelled: LabelledDocument) -> Document | None:
    """Return the document, or None for one that the report will name as failed."""
    try:
        return labelled.document()
    except DocumentError:
        return None


def score(
    reader: Reader,
    labelled: LabelledDocument,
    document: Document | None,
    wanted: Mapping[str, Any],
    unverified: frozenset[str],
    schema: AnySchema,
    group: int = 0,
) -> Scored:
    """Let one document be read, and compare the record with its label.

    :param document: None for one that could not be opened: every labelled value counts as missed.
    :param wanted: values of the label, normalised.
    :param unverified: paths that are not scored.
    :param group: number of the document's group.
    """
    started_s = time.perf_counter()
    rated: tuple[Rated, ...] = ()
    values: Mapping[str, Any] = {}
    status = "failed"
    if document is not None:
        try:
            extraction = reader.extract(document, name=labelled.id)
            values, status = extraction.values, extraction.status
            rated = _rated(extraction, wanted, schema, unverified, group)
        except (DocumentError, BaseModelError):
            # The report names the document as failed; its values all count as missed.
            pass
    card = compare(schema, values, wanted, unverified)
    return Scored(
        id=labelled.id,
        group=labelled.group,
        status=status,
        card=card,
        seconds_s=time.perf_counter() - started_s,
        mistakes={
            path: (_at(values, path), _at(wanted, path))
            for path, counts in {**card.scalars, **card.lists}.items()
            if counts.wrong or counts.missed or counts.invented
        },
        rated=rated,
    )


def _rated(
    extraction: Any,  # an Extraction
    wanted: Mapping[str, Any],
    schema: AnySchema,
    unverified: frozenset[str],
    group: int,
) -> tuple[Rated, ...]:
    sure = {
        path: result.confidence
        # A baseline, such as rules, gives values alone.
        for path, result in getattr(extraction, "fields", {}).items()
        if result.confidence is not None
    }
    if not sure:
        return ()
    right = judge(schema, extraction.values, wanted, unverified)
    return tuple(
        Rated(group, leaf.pattern, sure[leaf.path], right[leaf.path])
        for leaf in schema.leaves(extraction.values)
        if leaf.path in sure and leaf.path in right
    )


def _at(values: Any, path: str) -> Any:
    """Return the value at a path of keys; None where one of them is not there."""
    for key in path.split("."):
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def _interval(
    scored: Sequence[Scored], dealt: Sequence[Sequence[LabelledDocument]], seed: int
) -> tuple[float, float]:
    cards = {item.id: [item.card] for item in scored}
    read = [[one.id for one in group if one.id in cards] for group in dealt]
    read = [group for group in read if group]
    if not read:
        return (0.0, 0.0)
    values = sample(cards, read).f1(draws(len(read), seed))
    low, high = np.quantile(values, [0.025, 0.975])
    return (float(low), float(high))
