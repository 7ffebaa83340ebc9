"""From how a value was chosen and where it stands to one calibrated number.

What is known of each value (`Signals`, its evidence, the warnings about it) becomes a row of
`FEATURES`; a logistic regression that `training.calibrate` fitted on answers to held-out documents
turns the row into `confidence`, the probability that the value, or the null, is right. The answers
stay beside the regression, so that `extractor.policy` can find a threshold for any precision that
is asked for later.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import exp, log, log1p
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractor.errors import AdapterError
from extractor.evidence import Evidence
from extractor.familiarity import Familiarity
from extractor.fields import (
    CodeType,
    DurationType,
    FieldType,
    IdentifierType,
    IsoDateType,
    NumberType,
    VerbatimType,
)
from extractor.schema import FieldWarning, Leaf
from extractor.spans import spans

if TYPE_CHECKING:
    from extractor.engine.base import Output

FORMAT = 2
FILE = "confidence.json"
CONDITIONS = {
    "engine": "number format",
    "runtime": "runtime of the model",
    "windows": "window and overlap of",
    "windows_read": "windows read",
    "class": "class",
    "rules": "rules",
}
"""What moves the probabilities of answers beside the model: keys of `Extractor.identity`."""
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Signals:
    """How the model came to a value; probabilities under the constraint unless said otherwise.

    :param logprob: natural logarithm of the probability of all its tokens together.
    :param least: probability of its unlikeliest token, 0..1.
    :param removed: the most of the model's own probability that the constraint took away before
        one of its tokens, 0..1.
    :param margin: the least by which one of its tokens led the runner-up, 0..1.
    :param null: probability of null where the value began; of a null its own, 0..1.
    :param choices: how many of its tokens were chosen, not forced.
    :param windows: how many windows of the document gave an answer.
    :param agreement: share of the windows with something to say that say the same, 0..1.
    :param rules: how probable rules learned from labels find it, 0..1; None where there are none.
    """

    logprob: float
    least: float
    removed: float
    margin: float
    null: float
    choices: int
    windows: int = 1
    agreement: float = 1.0
    rules: float | None = None


def signals(output: Output) -> dict[str, Signals]:
    """Return the signals of each path of an answer.

    The tokens of a value are those from the end of the value before it on: with a token `":"` in
    the vocabulary it is at the key's end that a value is preferred to null.
    """
    count = len(output.offsets)
    columns = [
        [default] * count if len(column) != count else list(column)
        for column, default in (
            (output.removed, 0.0),
            (output.margins, 1.0),
            (output.nulls, 0.0),
        )
    ]
    places = spans(output.text)
    ends = sorted(end for _, (_, end) in places)
    found: dict[str, Signals] = {}
    for path, (start, end) in places:
        before = max((e for e in ends if e <= start), default=0)
        inside = [i for i in range(count) if before <= output.offsets[i] < end]
        found[path] = _signals_of(output, start, end, inside, columns)
    return found


def _signals_of(
    output: Output, start: int, end: int, inside: Sequence[int], columns: Sequence[Sequence[float]]
) -> Signals:
    removed, margins, nulls = columns
    logprobs = [output.logprobs[i] for i in inside]
    logprob = sum(logprobs)
    null = max((nulls[i] for i in inside if output.offsets[i] <= start), default=0.0)
    return Signals(
        logprob=logprob,
        least=exp(min(logprobs, default=0.0)),
        removed=max((removed[i] for i in inside), default=0.0),
        margin=min((margins[i] for i in inside), default=1.0),
        null=exp(logprob) if output.text[start:end] == "null" else null,
        choices=sum(value < 0 for value in logprobs),
    )


_EVIDENCE = ("verified", "ambiguous", "fuzzy", "not_found")
_KINDS = ("text", "identifier", "number", "date", "code", "choice")
_BASE = ("logprob", "doubt", "least", "removed", "margin", "null")
FEATURES = (
    *(f"value:{name}" for name in _BASE),
    *(f"null:{name}" for name in _BASE),
    "is_null",
    "choices",
    *(f"evidence:{name}" for name in _EVIDENCE),
    "not_visible",
    "several_windows",
    "agreement",
    "rules:any",
    "rules:logit",
    "warned",
    "in_row",
    *(f"kind:{name}" for name in _KINDS),
)
"""Names of the columns of a row; those of values and of nulls are told apart, for a likely null and
a likely value are not equally right."""


def features(leaf: Leaf, known: Signals, evidence: Evidence, warned: bool) -> tuple[float, ...]:
    """Return one row of `FEATURES`.

    :param warned: something is to be said about the value, such as a wrong check digit.
    """
    empty = leaf.value is None
    base = (
        max(known.logprob, log(_LEAST)),
        log(max(1.0 - exp(known.logprob), 1e-4)),
        max(log(max(known.least, _LEAST)), log(_LEAST)),
        log(max(known.removed, 1e-4)),
        known.margin,
        log(max(known.null, 1e-4)),
    )
    nothing = (0.0,) * len(base)
    kind = _kind(leaf.type)
    return (
        *(nothing if empty else base),
        *(base if empty else nothing),
        float(empty),
        log1p(known.choices),
        *(float(evidence.status == name) for name in _EVIDENCE),
        float(evidence.not_visible),
        float(known.windows > 1),
        known.agreement,
        float(known.rules is not None),
        0.0 if known.rules is None else _logit(known.rules),
        float(warned),
        float("[]" in leaf.pattern),
        *(float(kind == name) for name in _KINDS),
    )


def _logit(probability: float) -> float:
    bounded = min(max(probability, 1e-4), 1 - 1e-4)
    return log(bounded / (1 - bounded))


def is_warned(path: str, warnings: Iterable[FieldWarning]) -> bool:
    """Return whether a warning is about a value or about what it lies in.

    A check that failed says something of the class and nothing of the value.
    """
    return any(
        warning.field
        and warning.code != "check_failed"
        and (f"{path}.".startswith((f"{warning.field}.", f"{warning.field}[")))
        for warning in warnings
    )


def _kind(kind: FieldType) -> str:
    if isinstance(kind, CodeType):
        return "code"
    if isinstance(kind, IsoDateType | DurationType):
        return "date"
    if isinstance(kind, NumberType):
        return "number"
    if isinstance(kind, IdentifierType):
        return "identifier"
    return "text" if isinstance(kind, VerbatimType) else "choice"


@dataclass(frozen=True, slots=True)
class Calibrator:
    """A logistic regression over `FEATURES`, and a monotone correction of what it says.

    :param means: of the features where it was fitted, subtracted first. Shape: [features].
    :param scales: then divided by. Shape: [features].
    :param weights: shape [features].
    :param fields: intercept added for each field, by pattern such as `line_items[].quantity`.
    :param knots: (regression's probability, corrected one), both growing; empty for no correction.
    """

    means: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    fields: dict[str, float] = field(default_factory=dict)
    knots: tuple[tuple[float, float], ...] = ()

    def confidence(self, row: Sequence[float], pattern: str) -> float:
        """Return the probability that an answer is right, 0..1.

        :param row: its `features`.
        :param pattern: of its field; one that the calibrator does not know gets no intercept.
        """
        score = self.intercept + self.fields.get(pattern, 0.0)
        for value, mean, scale, weight in zip(
            row, self.means, self.scales, self.weights, strict=True
        ):
            score += weight * (value - mean) / scale
        return corrected(_sigmoid(score), self.knots)


def corrected(probability: float, knots: Sequence[tuple[float, float]]) -> float:
    """Return a probability moved by linear interpolation between knots.

    Beyond the last knot it rises by no more than a thousandth of what is missing to 1: nothing is
    taken for certain, and the surest answers stay in their order.
    """
    if not knots:
        return probability
    before = max((knot for knot in knots if knot[0] <= probability), default=(0.0, 0.0))
    end = knots[-1][1]
    last = (1.0, end + 0.001 * (1 - end))
    after = min((knot for knot in knots if knot[0] > probability), default=last)
    if after[0] == before[0]:
        return before[1]
    part = (probability - before[0]) / (after[0] - before[0])
    return before[1] + part * (after[1] - before[1])


def _sigmoid(score: float) -> float:
    return 1 / (1 + exp(-score)) if score > -700 else 0.0


@dataclass(frozen=True, slots=True)
class Answered:
    """A held-out document's answer to one field, or to all: the unit that thresholds count.

    :param document: a number, not a name; so is `group`.
    :param confidence: of a regression that was fitted without the document's group.
    """

    document: int
    group: int
    confidence: float
    right: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """What an adapter knows of its own reliability; holds no text of any document.

    Of words that several senders share it holds hashes, by which one can ask for a word.

    :param schema: fingerprint of the schema whose answers it was fitted on.
    :param fields: held-out answers by field pattern, one a document.
    :param documents: held-out documents with the product of their fields' confidences.
    :param familiarity: which documents look like the labelled ones.
    :param conditions: under which the answers were given, see `CONDITIONS`.
    :param fitted_on: SHA-256 of the documents that were answered.
    """

    calibrator: Calibrator
    schema: str
    fields: dict[str, tuple[Answered, ...]]
    documents: tuple[Answered, ...]
    familiarity: Familiarity | None = None
    conditions: dict[str, str] = field(default_factory=dict)
    fitted_on: frozenset[str] = frozenset()

    def differences(self, identity: Mapping[str, str]) -> tuple[str, ...]:
        """Return what differs from the conditions that the answers were given under, in words.

        Of another schema the class is not compared: its fields have no calibration of their own.

        :param identity: of the extractor that answers now.
        """
        here = conditions(identity)
        found = []
        for name, was in self.conditions.items():
            now = here.get(name, "unknown")
            if name == "class" and identity.get("schema") == self.schema and now != was:
                found.append("another state of the class: its validators, defaults or notes differ")
            elif name != "class" and now != was:
                found.append(f"{CONDITIONS.get(name, name)} {was}, here {now}")
        return tuple(found)

    def confidence(self, row: Sequence[float], pattern: str, schema: str) -> float:
        """Return an answer's confidence, 0..1; fields of another schema get no intercept.

        :param schema: fingerprint of the schema that is asked for.
        """
        return self.calibrator.confidence(row, pattern if schema == self.schema else "")

    def dump(self) -> str:
        """Return it as JSON."""
        content = {
            "format": FORMAT,
            "features": list(FEATURES),
            "calibrator": asdict(self.calibrator),
            "schema": self.schema,
            "fields": {name: _columns(answers) for name, answers in self.fields.items()},
            "documents": _columns(self.documents),
            "familiarity": None if self.familiarity is None else self.familiarity.to_json(),
            "conditions": self.conditions,
            "fitted_on": sorted(self.fitted_on),
        }
        return json.dumps(content, ensure_ascii=False)


def conditions(identity: Mapping[str, str]) -> dict[str, str]:
    """Return what of an extractor's identity moves the probabilities of its answers."""
    return {name: identity.get(name, "unknown") for name in CONDITIONS}


def read(file: Path) -> Calibration:
    """Read what `Calibration.dump` wrote.

    :raises AdapterError: if the file is none, or was written for other features.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        known = content["calibrator"]
        if content["format"] != FORMAT or tuple(content["features"]) != FEATURES:
            raise AdapterError(
                f"{file}: made by another version",
                hint="run `extractor calibrate` again; the adapter itself stays as it is",
            )
        stored = content["familiarity"]
        return Calibration(
            Calibrator(
                tuple(known["means"]),
                tuple(known["scales"]),
                tuple(known["weights"]),
                known["intercept"],
                known["fields"],
                tuple((a, b) for a, b in known["knots"]),
            ),
            content["schema"],
            {name: _answers(columns) for name, columns in content["fields"].items()},
            _answers(content["documents"]),
            None if stored is None else Familiarity.from_json(stored),
            {name: str(content["conditions"][name]) for name in content["conditions"]},
            frozenset(content["fitted_on"]),
        )
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise AdapterError(
            f"{file}: no calibration", hint="run `extractor calibrate` again"
        ) from error


def _columns(answers: Sequence[Answered]) -> dict[str, list[Any]]:
    return {
        "document": [one.document for one in answers],
        "group": [one.group for one in answers],
        "confidence": [round(one.confidence, 6) for one in answers],
        "right": [int(one.right) for one in answers],
    }


def _answers(columns: Mapping[str, Sequence[Any]]) -> tuple[Answered, ...]:
    names = ("document", "group", "confidence", "right")
    rows = zip(*(columns[name] for name in names), strict=True)
    return tuple(Answered(d, g, float(c), bool(r)) for d, g, c, r in rows)


def of_document(confidences: Mapping[str, Sequence[float]]) -> float:
    """Return one number for a document: the product of each field's least confidence, 0..1."""
    total = 0.0
    for values in confidences.values():
        total += log(max(min(values), _LEAST)) if values else 0.0
    return exp(total)
