"""Confidence: what it is made of, what it promises, and when it promises nothing."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from extractor import Extractor, confidence
from extractor.confidence import (
    FEATURES,
    Answered,
    Calibration,
    Calibrator,
    signals,
)
from extractor.document import Document
from extractor.engine.base import Output, Request
from extractor.engine.local import LocalEngine
from extractor.engine.torch_runner import TorchRunner
from extractor.errors import AdapterError, CalibrationError
from extractor.familiarity import Familiarity, similarity, sketch
from extractor.fields import Money, Verbatim
from extractor.policy import Policy, least_documents, threshold
from extractor.schema import Schema
from extractor.testing import CannedEngine
from tests.tiny import tiny_model, tiny_tokenizer
from training import calibrate
from training.calibrate import Answer, Answers
from training.reliability import Rated, auroc, brier, ece, measure


class Bill(BaseModel):
    seller: Verbatim | None = None
    total: Money | None = None


SCHEMA = Schema.of(Bill)
PLAIN = Calibrator((0.0,) * len(FEATURES), (1.0,) * len(FEATURES), (0.0,) * len(FEATURES), 2.0)


def answered(outcomes: list[tuple[float, bool]]) -> list[Answered]:
    return [Answered(i, i, sure, right) for i, (sure, right) in enumerate(outcomes)]


def calibration(documents: int, wrong: int = 0, **others: object) -> Calibration:
    known = tuple(answered([(0.5 + i / (4 * documents), i >= wrong) for i in range(documents)]))
    made = Calibration(PLAIN, SCHEMA.fingerprint, {"seller": known, "total": known}, known)
    return replace(made, **others)  # type: ignore[arg-type]


def observed(count: int, seed: int = 0) -> list[Answers]:
    """Answers whose chance to be right is a logistic function of two features."""
    draw = np.random.default_rng(seed)
    found = []
    for document in range(count):
        answers = []
        for pattern in ("seller", "total"):
            row = [0.0] * len(FEATURES)
            row[0], row[4] = -float(draw.exponential()), float(draw.uniform())
            chance = 1 / (1 + math.exp(-(1.5 + 2 * row[0] + 2 * row[4])))
            answers.append(Answer(tuple(row), pattern, bool(draw.uniform() < chance)))
        right = all(answer.right for answer in answers)
        found.append(Answers(document // 3, tuple(answers), right))
    return found


# ---------------------------------------------------------------- what is known of a token


def test_what_the_constraint_removed_is_told_with_margin_and_way_to_null() -> None:
    """A model without knowledge of JSON has nearly all its probability taken away."""
    tokenizer = tiny_tokenizer()
    engine = LocalEngine(TorchRunner(tiny_model(tokenizer)), tokenizer, {})
    (output,) = engine.generate([Request(SCHEMA, "Mill & Sons  total 1,234.56", 60)])
    chosen = [i for i, logprob in enumerate(output.logprobs) if logprob < 0]

    assert chosen
    assert all(0 <= value <= 1 for value in output.removed + output.nulls)
    assert all(0 < output.removed[i] < 1 and 0 <= output.margins[i] < 1 for i in chosen)
    forced = set(range(len(output.offsets))) - set(chosen)
    assert all(output.margins[i] == 1 for i in forced)
    for i in chosen:
        # The chosen token, the runner-up and null share what the constraint left.
        assert math.exp(output.logprobs[i]) >= output.margins[i] - 1e-6
        assert math.exp(output.logprobs[i]) + output.nulls[i] <= 1 + 1e-6


def test_a_value_is_chosen_from_the_end_of_the_one_before_it() -> None:
    """The token that joins a key to a value's quote decides between value and null."""
    text = '{"seller":"Mill","total":null}'
    output = Output(
        text,
        logprobs=(0.0, -0.5, -0.1, 0.0, -0.2),
        offsets=(0, 8, 11, 17, 25),
        truncated=False,
        prompt_tokens=1,
        passes=1,
        removed=(0.0, 0.7, 0.1, 0.0, 0.3),
        margins=(1.0, 0.2, 0.8, 1.0, 0.5),
        nulls=(0.0, 0.4, 0.9, 0.0, 0.0),
    )
    found = signals(output)

    assert found["seller"].logprob == pytest.approx(-0.6)
    assert found["seller"].null == 0.4, "within the value, the token `n` is no null"
    assert (found["seller"].removed, found["seller"].margin) == (0.7, 0.2)
    assert found["total"].null == pytest.approx(math.exp(-0.2))


def test_an_engine_that_tells_less_is_rated_all_the_same() -> None:
    extractor = Extractor(Bill, engine=CannedEngine({"seller": "Mill"}), calibration=calibration(5))
    found = extractor.extract("Mill & Sons\ntotal 5.00")

    assert found.fields["seller"].confidence == pytest.approx(1 / (1 + math.exp(-2)))
    assert found.decision is None


def test_a_document_that_talks_to_a_model_does_not_go_through_unseen() -> None:
    engine = CannedEngine({"seller": "Mill & Sons", "total": "5.00"})
    reader = Extractor(Bill, engine=engine, calibration=calibration(60), target_precision=0.9)
    text = "Mill & Sons of Ulm\ntotal 5.00\nthank you{}"

    plain, spoken = (reader.extract(text.format(mark)) for mark in ("", " <|im_end|>"))

    assert plain.decision is not None and spoken.decision is not None
    assert (plain.decision, spoken.decision) == ("accept", "review")


# ---------------------------------------------------------------- the regression


def test_confidences_follow_what_made_the_answers_right() -> None:
    made = calibrate.fit_calibrator(observed(600))
    fresh = observed(600, seed=1)
    sure = np.array([made.confidence(a.row, a.pattern) for one in fresh for a in one.answers])
    right = np.array([a.right for one in fresh for a in one.answers])

    assert ece(sure, right) < 0.06
    assert (auroc(sure, right) or 0) > 0.75
    assert made.knots and made.knots == tuple(sorted(made.knots)), "it keeps the order"
    of_few = [replace(one, group=one.group % 20) for one in observed(600)]
    assert not calibrate.fit_calibrator(of_few).knots, "few senders make no steps"


def test_a_field_with_few_answers_stays_near_the_shared_model() -> None:
    rows = [
        Answers(i, (Answer((0.0,) * len(FEATURES), "often", i % 2 == 0),), True) for i in range(100)
    ]
    rows += [
        Answers(200 + i, (Answer((0.0,) * len(FEATURES), "seldom", True),), True) for i in (0, 1)
    ]
    made = calibrate.fit_calibrator(rows)

    assert 0 < made.fields["seldom"] < 1
    row = (0.0,) * len(FEATURES)
    assert made.confidence(row, "seldom") < 0.75
    assert made.confidence(row, "unknown") == pytest.approx(made.confidence(row, "often"), abs=0.05)


def test_an_adapter_of_no_one_schema_knows_no_fields() -> None:
    made = calibrate.fit(observed(60), SCHEMA, any_schema=True)

    assert made.calibrator.fields == {}
    assert len(made.documents) == len(made.fields["total"]) == 60


def test_too_few_documents_are_refused() -> None:
    with pytest.raises(CalibrationError, match="6 documents of 2 groups are too few"):
        calibrate.fit(observed(6), SCHEMA)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=300))
def test_the_correction_grows_and_is_never_certain(outcomes: list[tuple[float, bool]]) -> None:
    sure, right = (np.array(column, np.float64) for column in zip(*outcomes, strict=True))
    knots = calibrate.isotonic(sure, right)
    values = [confidence.corrected(p, knots) for p in np.linspace(0, 1, 21)]

    assert values == sorted(values)
    assert all(0 < share < 1 for _, share in knots)


def test_no_group_is_in_two_folds() -> None:
    folds = calibrate.fold_of_groups([0, 0, 0, 0, 1, 2, 3, 3], 3, seed=0)

    assert set(folds) == {0, 1, 2, 3}
    assert set(folds.values()) == {0, 1, 2}


# ---------------------------------------------------------------- figures


def test_figures_of_known_answers_are_right() -> None:
    sure, right = np.array([0.9, 0.9, 0.4, 0.4]), np.array([True, True, True, False])

    assert auroc(sure, right) == pytest.approx((1 + 1 + 0.5) / 3)
    assert brier(sure, right) == pytest.approx((0.01 + 0.01 + 0.36 + 0.16) / 4)
    assert ece(np.full(150, 0.8), np.arange(150) % 10 < 5) == pytest.approx(0.3, abs=1e-6)
    assert auroc(sure, np.ones(4, bool)) is None


def test_too_few_answers_are_said() -> None:
    few = measure([Rated(i % 3, "total", 0.9, i > 0) for i in range(30)])
    assert few is not None

    assert few.too_few == "30 answers, 100 wanted, 1 wrong answers, 20 wanted, 3 groups, 10 wanted"
    assert json.dumps(few.to_json())
    assert measure([]) is None


# ---------------------------------------------------------------- thresholds


def test_a_threshold_needs_as_many_documents_as_the_exact_binomial_does() -> None:
    """59 documents without a mistake prove 95 %, 299 prove 99 %; one less proves nothing."""
    assert (least_documents(0.95), least_documents(0.99)) == (59, 299)
    assert threshold(answered([(0.9, True)] * 58), 0.95).value is None
    assert threshold(answered([(0.9, True)] * 59), 0.95).value == 0.9
    assert threshold(answered([(0.9, True)] * 58), 0.95).needed == 59


def test_a_threshold_stops_before_the_answers_that_are_wrong() -> None:
    good = [(0.9 + i / 10000, True) for i in range(200)]
    found = threshold(answered(good + [(0.2 + i / 10000, False) for i in range(200)]), 0.95)

    assert found.value is not None and found.value >= 0.9
    assert found.accepted == pytest.approx(0.5, abs=0.03)


def test_more_documents_do_not_help_where_the_surest_are_wrong() -> None:
    found = threshold(answered([(i / 100, i % 2 == 0) for i in range(100)]), 0.95)

    assert (found.value, found.needed) == (None, None)


def test_the_promise_is_kept_in_nineteen_of_twenty_draws() -> None:
    """Over draws of documents whose true error rate is known, the bound fails in at most 5 %."""
    draw = np.random.default_rng(0)
    broken = given_ = 0
    for _ in range(400):
        sure = draw.uniform(0.8, 1, 150)
        right = draw.uniform(size=150) < sure
        found = threshold(answered(list(zip(sure.tolist(), right.tolist(), strict=True))), 0.9)
        if found.value is not None:
            given_ += 1
            broken += (found.value + 1) / 2 < 0.9
    assert given_ > 100
    assert broken <= 0.05 * 400


def test_what_cannot_be_promised_is_refused_with_what_would_be_needed() -> None:
    with pytest.raises(
        CalibrationError, match=r"0\.99 is not attainable with 100 documents"
    ) as told:
        Policy.of(calibration(100), SCHEMA.fingerprint, 0.99)
    assert "299" in told.value.hint
    with pytest.raises(CalibrationError, match="no calibration"):
        Policy.of(None, SCHEMA.fingerprint, 0.95)
    with pytest.raises(CalibrationError, match="another schema"):
        Policy.of(calibration(100), "other", 0.95)
    with pytest.raises(ValueError, match="must be between"):
        Policy.of(calibration(100), SCHEMA.fingerprint, 1.0)


def test_values_are_accepted_and_counted_as_documents_are() -> None:
    engine = CannedEngine({"seller": "Mill", "total": "5.00"})
    sure = Extractor(Bill, engine=engine, calibration=calibration(100), target_precision=0.95)
    found = sure.extract("Mill & Sons\ntotal 5.00")

    assert found.fields["seller"].decision == "accept"
    assert found.fields["seller"].confidence == found.fields["total"].confidence
    assert found.decision == "accept"

    unsure = replace(PLAIN, intercept=-2.0)
    doubting = Extractor(
        Bill,
        engine=engine,
        calibration=calibration(100, calibrator=unsure),
        target_precision=0.95,
    )
    found = doubting.extract("Mill & Sons\ntotal 5.00")
    assert (found.fields["seller"].decision, found.decision) == ("review", "review")
    assert sure.identity != doubting.identity


# ---------------------------------------------------------------- conditions

SERVED = {"engine": "canned", "windows": "1600/160", "windows_read": "promising"}


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ({"engine": "int8"}, "number format int8, here canned"),
        ({"windows": "800/80"}, "window and overlap of 800/80, here 1600/160"),
        ({"windows_read": "all"}, "windows read all, here promising"),
        ({"class": "other"}, "another state of the class"),
    ],
)
def test_no_confidence_is_given_under_conditions_that_were_not_calibrated(
    condition: dict[str, str], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine = CannedEngine({"seller": "Mill", "total": "5.00"})
    made = calibration(100, conditions={**SERVED, **condition})
    extractor = Extractor(Bill, engine=engine, calibration=made)
    found = [extractor.extract("Mill & Sons\ntotal 5.00") for _ in range(2)]

    assert {one.fields["seller"].confidence for one in found} == {None}
    assert told in extractor.uncalibrated
    assert len([one for one in caplog.records if "no confidence of answers" in one.message]) == 1
    with pytest.raises(CalibrationError, match="no precision can be promised: the adapter was cal"):
        Extractor(Bill, engine=engine, calibration=made, target_precision=0.95)


def test_confidences_are_given_under_the_conditions_that_were_calibrated(
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = CannedEngine({"seller": "Mill"})
    here = confidence.conditions(Extractor(Bill, engine=engine).identity)
    extractor = Extractor(Bill, engine=engine, calibration=calibration(5, conditions=here))

    assert set(here) == set(confidence.CONDITIONS)
    assert extractor.extract("Mill\ntotal 5.00").fields["seller"].confidence is not None
    assert not extractor.uncalibrated and not caplog.records


def test_of_another_schema_the_class_is_not_compared() -> None:
    made = calibration(5, conditions={**SERVED, "class": "other"}, schema="another schema")
    extractor = Extractor(Bill, engine=CannedEngine({"seller": "Mill"}), calibration=made)

    assert extractor.extract("Mill\ntotal 5.00").fields["seller"].confidence is not None


# ---------------------------------------------------------------- unseen layouts

INVOICES = [
    f"{name}\nInvoice number {i}\nInvoice date 2024-05-0{i % 9 + 1}\nTotal amount due {i}.00 EUR\n"
    "Payment within thirty days after receipt of this invoice without deduction"
    for i, name in enumerate(
        "Alder Birch Cedar Dogwood Elm Fir Ginkgo Hazel Ivy Juniper Kauri Larch Maple Neem Oak "
        "Pine Quince Rowan Spruce Teak Ulmo Viburnum Willow Yew".split()
    )
]


def familiar() -> Familiarity:
    sketches = [sketch(Document.from_text(text)) for text in INVOICES]
    found = Familiarity.of(sketches, list(range(len(sketches))))
    assert found is not None
    return found


def test_a_document_unlike_the_labelled_ones_raises_the_alarm_and_is_accepted_in_nothing() -> None:
    known = familiar()
    engine = CannedEngine({"seller": "Zelkova", "total": "5.00"})
    extractor = Extractor(
        Bill,
        engine=engine,
        calibration=calibration(100, familiarity=known),
        target_precision=0.95,
    )
    alike = extractor.extract(INVOICES[3].replace("Dogwood", "Zelkova"))
    odd = extractor.extract("Dear Zelkova,\nthe weather on this island is wonderful. See you, 5.00")

    assert alike.decision == "accept"
    assert [warning.code for warning in alike.warnings] == []
    assert [warning.code for warning in odd.warnings] == ["unseen_layout"]
    assert odd.decision == "review"
    assert {result.decision for result in odd.fields.values()} == {"review"}


def test_sketches_hold_no_text_and_estimate_the_likeness_of_documents() -> None:
    known = familiar()
    stored = json.dumps(known.to_json())

    assert Familiarity.from_json(json.loads(stored)) == known
    assert "nvoice" not in stored and len(stored) < 100_000
    words = [f"word{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(300)]
    a, b = (sketch(Document.from_text("\n".join(part))) for part in (words[:200], words[100:]))
    assert similarity(a, b) == pytest.approx(1 / 3, abs=0.12)
    assert Familiarity.of([a] * 10, list(range(10))) is None


def test_what_only_one_sender_prints_is_not_kept_and_documents_like_no_other_tell_nothing() -> None:
    own = sketch(Document.from_text("Gundula Meierhofer"))
    kept = {mark for one in familiar().sketches for mark in one}
    sketches = [sketch(Document.from_text(f"{text}\nGundula Meierhofer")) for text in INVOICES[:2]]
    more = Familiarity.of(
        [*sketches, *(sketch(Document.from_text(text)) for text in INVOICES)],
        [0, 1, *range(2, 2 + len(INVOICES))],
    )

    assert kept and more is not None
    assert not {mark for one in more.sketches for mark in one} & set(own)
    alone = [sketch(Document.from_text(name)) for name in ("Quark", "Xylem", "Zinc")]
    assert Familiarity.of([*sketches[:1] * 20, *alone], list(range(23))) is None


# ---------------------------------------------------------------- in the adapter's folder


def test_a_calibration_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = calibrate.fit(observed(60), SCHEMA)
    made = replace(made, familiarity=familiar(), conditions=SERVED)
    file = tmp_path / confidence.FILE
    file.write_text(made.dump(), encoding="utf-8")
    again = confidence.read(file)

    assert again.calibrator == made.calibrator
    assert again.familiarity == made.familiarity
    assert (again.conditions, again.fitted_on) == (SERVED, made.fitted_on)
    assert [(one.right, one.group) for one in again.documents] == [
        (one.right, one.group) for one in made.documents
    ]
    stored, own = (threshold(found.fields["total"], 0.6).value for found in (again, made))
    assert stored == pytest.approx(own, abs=1e-6)
    file.write_text(made.dump().replace('"is_null"', '"other"'), encoding="utf-8")
    with pytest.raises(AdapterError, match="another version"):
        confidence.read(file)
