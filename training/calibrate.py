"""What makes a confidence of an answer, fitted on answers to documents that were not learned.

One logistic regression for all fields, L2-regularised, with an intercept for each field that is
drawn to zero, so that a field with ten answers moves a little and one with a thousand moves freely.
Where there are answers enough, a monotone correction (pool adjacent violators) follows. What is
kept to find thresholds with are confidences of regressions that had not seen the answer's group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from extractor import adapter as adapters
from extractor import confidence
from extractor.confidence import FEATURES, Answered, Calibration, Calibrator
from extractor.document import Document
from extractor.errors import (
    BaseModelError,
    CalibrationError,
    DocumentError,
    LabelError,
)
from extractor.familiarity import Familiarity, Sketch, sketch
from extractor.pipeline import Extractor
from extractor.schema import AnySchema
from training import weigh
from training.corpus import LabelledDocument
from training.pairs import known_fields, unknown
from training.reliability import Rated, Reliability, measure
from training.score import compare, judge
from training.split import groups

Floats = npt.NDArray[np.float64]
_FOLDS = 5
_LEAST_DOCUMENTS = 10
_LEAST_GROUPS = 4
_RIDGE = 3.0
_FIELD_RIDGE = 5.0
# Steps that few senders leave are a matter of chance: fitted on 200 answers or on ten senders, the
# correction made confidences in answers to other senders worse.
_ISOTONIC = 1000
_ISOTONIC_GROUPS = 50
_BLOCK = 25
_ROWS = 3.0  # answers of one table's column count together as much as so many single values


class Reader(Protocol):
    """What is calibrated: an `Extractor`."""

    @property
    def identity(self) -> dict[str, str]:
        """What its answers depend on."""
        ...

    def extract(self, source: Any, *, name: str | None = None) -> Any:  # an Extraction
        """Read one document."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """One value or null that a model gave, and whether it is right.

    :param row: its `FEATURES`.
    :param pattern: of its field, such as `line_items[].quantity`.
    """

    row: tuple[float, ...]
    pattern: str
    right: bool


@dataclass(frozen=True, slots=True)
class Answers:
    """A model's answers to one document.

    :param group: a number; documents of one group have the same.
    :param right: every known value and null of it is right, and no row is missing.
    :param sha256: of the document.
    """

    group: int
    answers: tuple[Answer, ...]
    right: bool
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What came of a calibration.

    :param reliability: of confidences in answers of groups that they were not fitted on.
    :param left_out: documents that were not used, by reason.
    """

    calibration: Calibration
    reliability: Reliability | None
    documents: int
    left_out: dict[str, int]


def calibrate(
    reader: Reader,
    documents: Sequence[LabelledDocument],
    schema: AnySchema,
    adapter: str | Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    seed: int = 0,
) -> Calibrated:
    """Fit what makes confidences, and write it into the adapter's folder.

    How much the adapter's rules count beside its model is fitted before.

    :param reader: answers with the adapter.
    :param documents: labelled ones; those that the adapter was trained on or chosen with, and
        those of the same groups, are left out.
    :param progress: called with (documents done, documents in all).
    :param seed: of the folds.
    :raises CalibrationError: if too few documents or groups are left.
    """
    held, left_out = held_out(documents, schema, adapters.seen(adapter))
    if not held:
        raise CalibrationError(
            f"none of {len(documents)} documents can calibrate: each is of a group that the "
            "adapter was trained on",
            hint="give labelled documents of other senders, or train with --calibration",
        )
    if isinstance(reader, Extractor):
        weigh.settle(reader, Path(adapter), held, schema, progress)
    observed, unread = observe(reader, held, schema, progress=progress)
    if unread:
        left_out["not readable, or their label does not fit the schema"] = unread
    made = keep(adapter, observed, documents, reader.identity, schema, seed=seed)
    return replace(made, left_out=left_out)


def keep(
    adapter: str | Path,
    observed: Sequence[Answers],
    documents: Sequence[LabelledDocument],
    identity: Mapping[str, str],
    schema: AnySchema,
    *,
    seed: int = 0,
) -> Calibrated:
    """Fit a calibration on held-out answers, and write it into the adapter's folder.

    :param documents: all that are labelled: what looks like none of them is unseen.
    :param identity: of the extractor that answered; others are told of conditions that differ.
    :raises CalibrationError: if there are too few documents or groups.
    """
    any_schema = adapters.read(adapter).schema_fingerprint is None
    calibration = fit(observed, schema, any_schema=any_schema, seed=seed)
    calibration = replace(
        calibration,
        familiarity=familiarity(documents, schema),
        conditions=confidence.conditions(identity),
    )
    adapters.add_calibration(Path(adapter), calibration)
    rated = cross_fitted(observed, per_field=not any_schema, seed=seed)
    return Calibrated(calibration, measure(rated, seed=seed), len(observed), {})


def held_out(
    documents: Sequence[LabelledDocument], schema: AnySchema, seen: frozenset[str]
) -> tuple[list[LabelledDocument], dict[str, int]]:
    """Return the documents of groups that an adapter knows nothing of, and how many are left out.

    :param seen: hashes of the documents that it was trained on or chosen with.
    """
    held: list[LabelledDocument] = []
    trained = alike = 0
    for group in groups(documents, schema):
        learned = sum(document.sha256() in seen for document in group)
        trained += learned
        if learned:
            alike += len(group) - learned
        else:
            held += group
    reasons = {"trained on": trained, "of a group that was trained on": alike}
    return held, {why: count for why, count in reasons.items() if count}


def enough(documents: int, dealt: int) -> bool:
    """Return whether so many documents of so many groups can calibrate."""
    return documents >= _LEAST_DOCUMENTS and dealt >= _LEAST_GROUPS


def observe(
    reader: Reader,
    documents: Sequence[LabelledDocument],
    schema: AnySchema,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Answers], int]:
    """Read labelled documents and say of each answer whether it is right.

    :returns: the answers, and the number of documents that could not be used.
    """
    found: list[Answers] = []
    unread = done = 0
    for number, group in enumerate(groups(documents, schema)):
        for labelled in group:
            if progress is not None:
                progress(done, len(documents))
            done += 1
            answers = _answers(reader, labelled, schema, number)
            if answers is None:
                unread += 1
            else:
                found.append(answers)
    if progress is not None:
        progress(done, len(documents))
    return found, unread


def _answers(
    reader: Reader, labelled: LabelledDocument, schema: AnySchema, group: int
) -> Answers | None:
    try:
        document = labelled.document()
        wanted = schema.normalise(known_fields(labelled, schema), document.locale)
        extraction = reader.extract(document, name=labelled.id)
    except (DocumentError, LabelError, BaseModelError):
        return None
    answers = answers_of(extraction, wanted, schema, unknown(labelled, schema), group)
    return replace(answers, sha256=labelled.sha256())


def answers_of(
    extraction: Any,  # an Extraction
    wanted: Mapping[str, Any],
    schema: AnySchema,
    unverified: frozenset[str],
    group: int,
) -> Answers:
    """Return a document's answers, those that the label knows.

    :param wanted: values of the label, as `Schema.normalise`.
    """
    right = judge(schema, extraction.values, wanted, unverified)
    answers = []
    for leaf in schema.leaves(extraction.values):
        result = extraction.fields[leaf.path]
        if leaf.path in right and result.signals is not None:
            warned = confidence.is_warned(leaf.path, extraction.warnings)
            row = confidence.features(leaf, result.signals, result.evidence, warned)
            answers.append(Answer(row, leaf.pattern, right[leaf.path]))
    card = compare(schema, extraction.values, wanted, unverified)
    counts = [*card.scalars.values(), *card.lists.values()]
    whole = not any(one.wrong or one.missed or one.invented for one in counts)
    return Answers(group, tuple(answers), whole and all(one.right for one in answers))


def familiarity(documents: Sequence[LabelledDocument], schema: AnySchema) -> Familiarity | None:
    """Return what the labelled documents look like; None with too few groups."""
    sketches: list[Sketch] = []
    names: list[int] = []
    for number, group in enumerate(groups(documents, schema)):
        for labelled in group:
            document = _readable(labelled)
            if document is not None:
                sketches.append(sketch(document))
                names.append(number)
    return Familiarity.of(sketches, names)


def _readable(labelled: LabelledDocument) -> Document | None:
    try:
        return labelled.document()
    except DocumentError:
        return None  # it was counted where its answers were asked for


def fit(
    observed: Sequence[Answers], schema: AnySchema, *, any_schema: bool = False, seed: int = 0
) -> Calibration:
    """Fit a calibration on held-out answers; it knows no layouts.

    :param any_schema: the adapter answers for other schemas too, so no field gets an intercept.
    :raises CalibrationError: if there are too few documents or groups.
    """
    dealt = {one.group for one in observed}
    if not enough(len(observed), len(dealt)):
        raise CalibrationError(
            f"{len(observed)} documents of {len(dealt)} groups are too few to calibrate with",
            hint=f"at least {_LEAST_DOCUMENTS} documents of {_LEAST_GROUPS} senders are needed "
            "that the adapter was not trained on",
        )
    calibrator = fit_calibrator(observed, per_field=not any_schema, seed=seed)
    fields: dict[str, list[Answered]] = defaultdict(list)
    documents: list[Answered] = []
    confidences = _out_of_fold(observed, per_field=not any_schema, seed=seed)
    for number, (one, sure) in enumerate(zip(observed, confidences, strict=True)):
        by_field: dict[str, list[float]] = defaultdict(list)
        right: dict[str, bool] = {}
        for answer, value in zip(one.answers, sure, strict=True):
            by_field[answer.pattern].append(value)
            right[answer.pattern] = right.get(answer.pattern, True) and answer.right
        for pattern, values in by_field.items():
            answered = Answered(number, one.group, min(values), right[pattern])
            fields[pattern].append(answered)
        whole = Answered(number, one.group, confidence.of_document(by_field), one.right)
        documents.append(whole)
    return Calibration(
        calibrator,
        schema.fingerprint,
        {name: tuple(known) for name, known in fields.items()},
        tuple(documents),
        fitted_on=frozenset(one.sha256 for one in observed),
    )


def cross_fitted(
    observed: Sequence[Answers], *, per_field: bool = True, seed: int = 0
) -> list[Rated]:
    """Return each answer with the confidence of a calibrator that did not know its group."""
    confidences = _out_of_fold(observed, per_field=per_field, seed=seed)
    return [
        Rated(one.group, answer.pattern, value, answer.right)
        for one, sure in zip(observed, confidences, strict=True)
        for answer, value in zip(one.answers, sure, strict=True)
    ]


def _out_of_fold(observed: Sequence[Answers], *, per_field: bool, seed: int) -> list[list[float]]:
    folds = fold_of_groups([one.group for one in observed], _FOLDS, seed)
    made = {
        fold: fit_calibrator(
            [one for one in observed if folds[one.group] != fold], per_field=per_field, seed=seed
        )
        for fold in set(folds.values())
    }
    return [
        [made[folds[one.group]].confidence(answer.row, answer.pattern) for answer in one.answers]
        for one in observed
    ]


def fold_of_groups(names: Sequence[int], count: int, seed: int) -> dict[int, int]:
    """Return a fold for each group, the folds about equally large.

    :param names: the group of each document.
    """
    sizes: dict[int, int] = defaultdict(int)
    for name in names:
        sizes[name] += 1
    order = np.random.default_rng(seed).permutation(sorted(sizes)).tolist()
    loads = [0] * min(count, len(sizes))
    folds: dict[int, int] = {}
    for name in sorted(order, key=lambda name: -sizes[name]):
        fold = loads.index(min(loads))
        folds[name] = fold
        loads[fold] += sizes[name]
    return folds


def fit_calibrator(
    observed: Sequence[Answers], *, per_field: bool = True, seed: int = 0
) -> Calibrator:
    """Fit the regression and, with 1,000 answers and 50 groups, its monotone correction.

    :param per_field: give each field an intercept of its own.
    """
    plain = _regression(observed, per_field)
    wrong = sum(not answer.right for one in observed for answer in one.answers)
    count = sum(len(one.answers) for one in observed)
    dealt = len({one.group for one in observed})
    if count < _ISOTONIC or dealt < _ISOTONIC_GROUPS or min(wrong, count - wrong) < _BLOCK:
        return plain
    # Corrected is what the regression says of groups that it does not know, for there it is used.
    folds = fold_of_groups([one.group for one in observed], _FOLDS, seed)
    sure: list[float] = []
    right: list[bool] = []
    for fold in sorted(set(folds.values())):
        part = _regression([one for one in observed if folds[one.group] != fold], per_field)
        for one in observed:
            if folds[one.group] == fold:
                sure += [part.confidence(a.row, a.pattern) for a in one.answers]
                right += [a.right for a in one.answers]
    knots = isotonic(np.array(sure), np.array(right, np.float64))
    return Calibrator(
        plain.means, plain.scales, plain.weights, plain.intercept, plain.fields, knots
    )


def _regression(observed: Sequence[Answers], per_field: bool) -> Calibrator:
    answers = [answer for one in observed for answer in one.answers]
    if not answers:
        zeros = (0.0,) * len(FEATURES)
        return Calibrator(zeros, (1.0,) * len(FEATURES), zeros, 0.0)
    weights = np.array(
        [
            min(1.0, _ROWS / sum(other.pattern == answer.pattern for other in one.answers))
            for one in observed
            for answer in one.answers
        ]
    )
    rows = np.array([answer.row for answer in answers])
    right = np.array([answer.right for answer in answers], np.float64)
    means, scales = rows.mean(axis=0), rows.std(axis=0)
    scales[scales < 1e-6] = 1.0
    names = sorted({answer.pattern for answer in answers}) if per_field else []
    place = {name: index for index, name in enumerate(names)}
    own = np.zeros((len(answers), len(names)))
    for index, answer in enumerate(answers):
        if per_field:
            own[index, place[answer.pattern]] = 1.0
    design = np.hstack([np.ones((len(answers), 1)), (rows - means) / scales, own])
    ridge = np.concatenate(
        [[1e-2], np.full(len(FEATURES), _RIDGE), np.full(len(names), _FIELD_RIDGE)]
    )
    found = logistic(design, right, weights, ridge)
    last = 1 + len(FEATURES)
    return Calibrator(
        means=tuple(map(float, means)),
        scales=tuple(map(float, scales)),
        weights=tuple(map(float, found[1:last])),
        intercept=float(found[0]),
        fields=dict(zip(names, map(float, found[last:]), strict=True)),
    )


def logistic(design: Floats, right: Floats, weights: Floats, ridge: Floats) -> Floats:
    """Return the coefficients of a logistic regression, by Newton's method with damping.

    :param design: shape [answers, coefficients].
    :param right: 0 or 1. Shape: [answers], as of `weights`.
    :param ridge: penalty on each coefficient's square, halved. Shape: [coefficients].
    """
    found = np.zeros(design.shape[1])

    def loss(at: Floats) -> float:
        scores = design @ at
        likelihood = weights * (np.logaddexp(0, scores) - right * scores)
        return float(likelihood.sum() + 0.5 * (ridge * at**2).sum())

    for _ in range(100):
        chance = 1 / (1 + np.exp(-np.clip(design @ found, -500, 500)))
        slope = design.T @ (weights * (chance - right)) + ridge * found
        curvature = (design.T * (weights * chance * (1 - chance))) @ design + np.diag(ridge)
        step = np.linalg.solve(curvature, slope)
        size = 1.0
        while size > 1e-6 and loss(found - size * step) > loss(found):
            size /= 2
        found = found - size * step
        if np.abs(size * step).max() < 1e-8:
            break
    return found


def isotonic(sure: Floats, right: Floats) -> tuple[tuple[float, float], ...]:
    """Return growing knots (confidence, share right) by pooling adjacent violators.

    :param sure: confidences. Shape: [answers], as of `right`, which is 0 or 1.

    Single answers would make steps of 0 and 1, so blocks of 25 are pooled, and no block is taken
    for certain: each counts half a right and half a wrong answer more than it has.
    """
    order = np.argsort(sure, kind="stable")
    blocks: list[tuple[float, float, float]] = []  # sum of confidences, of right ones, answers
    for part in np.array_split(order, max(1, len(order) // _BLOCK)):
        blocks.append((float(sure[part].sum()), float(right[part].sum()), float(len(part))))
        while len(blocks) > 1 and _share(blocks[-2]) >= _share(blocks[-1]):
            last = blocks.pop()
            a, b, c = blocks.pop()
            blocks.append((a + last[0], b + last[1], c + last[2]))
    knots = [(a / n, _share((a, b, n))) for a, b, n in blocks]
    return tuple(knots)


def _share(block: tuple[float, float, float]) -> float:
    return (block[1] + 0.5) / (block[2] + 1)
