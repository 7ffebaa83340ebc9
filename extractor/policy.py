"""What may go through without being looked at, so that a wanted share of it is right.

A threshold is tested, not estimated. Documents are taken from the surest down; the error rate
among the first k of them is tested against the target by the exact binomial test (Clopper and
Pearson 1934) at 95 %, k growing in an order that is fixed before any answer is looked at. Testing
stops at the first k that fails, so no correction for having tried several is due (fixed-sequence
testing: Angelopoulos et al., Learn then Test, arXiv:2110.01052, section 3.2; for selective
prediction see Geifman and El-Yaniv, arXiv:1705.08500). One document gives one answer per field:
rows of a table are alike, and so are the fields of a document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, exp, inf, lgamma, log, log1p
from typing import Literal

from extractor.confidence import Answered, Calibration, of_document
from extractor.errors import CalibrationError

Decision = Literal["accept", "review"]
_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which confidence on answers are right as often as was asked for, if from any.

    :param value: accept at or above it; None if no threshold passes the test.
    :param documents: that were looked at.
    :param accepted: share of them at or above the threshold.
    :param needed: about how many documents would do, at the error rate that was seen; None where
        more of them would not help, for the surest are wrong too often.
    """

    value: float | None
    documents: int
    accepted: float
    needed: int | None


def threshold(answers: Sequence[Answered], target: float) -> Threshold:
    """Return the lowest confidence for which a precision holds with 95 % probability.

    So it is for each field, and for whole documents, by itself; of many fields at once some miss.

    The documents are taken for independent draws of those to come: the same senders, as often.

    :param answers: one a document.
    :param target: wanted share of right answers among the accepted ones, between 0 and 1.
    """
    ranked = sorted(answers, key=lambda one: -one.confidence)
    count, error = len(ranked), 1 - target
    first = least_documents(target)
    # A later start leaves room for the odd mistake among the surest; it depends on no answer.
    start, step = max(first, ceil(count / 3)), max(1, count // 20)
    passed = 0
    for tried in [*range(start, count, step), count] if count >= first else []:
        # Documents of one confidence are accepted together.
        while tried < count and ranked[tried].confidence == ranked[tried - 1].confidence:
            tried += 1
        wrong = sum(not one.right for one in ranked[:tried])
        if at_most(wrong, tried, error) > _LEVEL:
            break
        passed = tried
    if passed:
        return Threshold(ranked[passed - 1].confidence, count, passed / count, count)
    return Threshold(None, count, 0.0, _needed(ranked, target))


def least_documents(target: float) -> int:
    """Return how many documents without a single mistake prove a precision at 95 %."""
    return ceil(log(_LEVEL) / log(target))


def _needed(ranked: Sequence[Answered], target: float) -> int | None:
    """Return about how many documents would do if the surer half erred as often as here."""
    half = ranked[: ceil(len(ranked) / 2)]
    wrong = sum(not one.right for one in half)
    rate = wrong / len(half) if half else 0.0
    if rate >= 1 - target:
        return None
    tried = least_documents(target)
    while tried < 1_000_000 and at_most(round(rate * tried), tried, 1 - target) > _LEVEL:
        tried = ceil(tried * 1.1)
    return max(tried if not wrong else 2 * tried, len(ranked) + 1)


def at_most(wrong: int, tried: int, error: float) -> float:
    """Return the probability of at most so many errors in so many independent tries."""
    total = 0.0
    for k in range(wrong + 1):
        ways = lgamma(tried + 1) - lgamma(k + 1) - lgamma(tried - k + 1)
        total += exp(ways + k * log(error) + (tried - k) * log1p(-error))
    return min(1.0, total)


@dataclass(frozen=True, slots=True)
class Policy:
    """What is accepted without being looked at.

    :param target: share of accepted answers that are to be right.
    :param fields: threshold of each field, by pattern.
    :param document: threshold of whole documents.
    """

    target: float
    fields: dict[str, Threshold]
    document: Threshold

    @classmethod
    def of(cls, calibration: Calibration | None, schema: str, target: float) -> Policy:
        """Find the thresholds for a target precision.

        :param schema: fingerprint of the schema that is asked for.
        :raises ValueError: if the target is not between 0.5 (inclusive) and 1 (exclusive).
        :raises CalibrationError: if there are no held-out answers to this schema, or too few of
            them for any field.
        """
        if not 0.5 <= target < 1:
            raise ValueError(
                f"target_precision must be between 0.5 (inclusive) and 1 (exclusive), was: {target}"
            )
        if calibration is None or calibration.schema != schema:
            what = "no calibration" if calibration is None else "a calibration for another schema"
            raise CalibrationError(
                f"no precision can be promised: the adapter has {what}",
                hint="run `extractor calibrate` with labelled documents of your own",
            )
        fields = {name: threshold(known, target) for name, known in calibration.fields.items()}
        policy = cls(target, fields, threshold(calibration.documents, target))
        if all(one.value is None for one in (*fields.values(), policy.document)):
            count, needed = policy.document.documents, least_documents(target)
            raise CalibrationError(
                f"a precision of {target:g} is not attainable with {count} documents, for no field",
                hint=f"at least {needed} held-out documents are needed, more where some of their "
                "answers are wrong; label more or lower the target",
            )
        return policy

    def lines(self) -> list[str]:
        """Return for each field, and for whole documents, what is accepted or what is missing."""
        found = [("whole document", self.document), *self.fields.items()]
        return [f"{name}: {_told(one)}" for name, one in found]

    def decide(
        self, confidences: Mapping[str, Sequence[float]], *, whole: bool, familiar: bool
    ) -> tuple[Decision, dict[str, Decision]]:
        """Return the decisions on a document and on its fields by pattern.

        :param confidences: of all answers to a field, by pattern; a row's field is accepted in all
            rows or in none.
        :param whole: the document was read to its end, gave a record that its class accepts, and
            each of its values has a confidence.
        :param familiar: it looks like the labelled ones; if not, nothing is accepted.
        """
        fields: dict[str, Decision] = {
            name: _decision(familiar, self.fields.get(name), min(values, default=0.0))
            for name, values in confidences.items()
        }
        # A field that no held-out document told of was in none of the documents counted here.
        whole = whole and confidences.keys() <= self.fields.keys()
        return _decision(familiar and whole, self.document, of_document(confidences)), fields


def _decision(allowed: bool, found: Threshold | None, confidence: float) -> Decision:
    least = inf if found is None or found.value is None else found.value
    return "accept" if allowed and confidence >= least else "review"


def _told(found: Threshold) -> str:
    if found.value is not None:
        return (
            f"accepted from confidence {found.value:.4f} on, "
            f"{found.accepted:.0%} of {found.documents} held-out documents"
        )
    if found.needed is None:
        return (
            f"not attainable with {found.documents} documents: its surest answers are wrong too "
            "often, train on more first"
        )
    return f"not attainable with {found.documents} documents, about {found.needed} needed"
