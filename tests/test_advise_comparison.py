"""What an advice may rest on: the same documents for all, enough of them, of unseen senders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from extractor import Extractor
from extractor.engine.base import Output, Request
from extractor.errors import CorpusError, OutputError
from extractor.fields import Identifier, Money
from extractor.schema import Schema
from extractor.testing import CannedEngine
from training import corpus
from training.advise import AdviseConfig, advise
from training.advise.findings import Findings
from training.advise.journal import Journal
from training.advise.labels import check
from training.advise.measure import measure
from training.advise.routing import route
from training.advise.run import (
    HELD,
    INNER,
    NEAREST,
    NOTHING,
    RULES,
    SHIPPED,
    TOGETHER,
    TUNED,
    Clock,
    Trials,
    inner,
    piece,
)
from training.advise.study import study
from training.advise.verdict import Verdict, combined, decide
from training.compare import estimate, sample
from training.corpus import LabelledDocument
from training.kept import KeepingEngine
from training.methods import Answer, Nothing
from training.methods.induced import measured
from training.score import Counts, ScoreCard


class Note(BaseModel):
    number: Identifier | None = None
    total: Money | None = None


SCHEMA = Schema.of(Note)
FIELDS = frozenset(SCHEMA.field_names)


def note(index: int, group: str | None = None, split: str | None = None) -> LabelledDocument:
    text = f"Note N-{1000 + index} of House {index}\nTotal {index}.50"
    fields = {"number": f"N-{1000 + index}", "total": f"{index}.50"}
    return LabelledDocument(f"{index}", None, text, fields, split=split, group=group or f"g{index}")


def notes(train: int, held: int, *, senders: int = 1000) -> list[LabelledDocument]:
    """Documents to learn from and held-out ones, these of so many senders."""
    return [note(i, split="train") for i in range(train)] + [
        note(i, group=f"h{i % senders}", split="dev") for i in range(train, train + held)
    ]


class Knows:
    """Answers some fields of some documents as their labels do, and null elsewhere."""

    def __init__(
        self, trials: Trials, ids: Iterable[str], fields: Iterable[str], sure: float
    ) -> None:
        self._trials, self._ids, self._fields = trials, set(ids), set(fields)
        self._sure = sure

    def extract(self, source: Any, *, name: str | None = None) -> Answer:
        assert name is not None
        known = self._fields if name in self._ids else set()
        values = self._trials.study.known[name].values
        answer = {key: values[key] if key in known else None for key in SCHEMA.field_names}
        return Answer(answer, confidence=dict.fromkeys(known, self._sure))


def trials_on(
    documents: Sequence[LabelledDocument], folder: Path, *, count: int | None = None, **config: Any
) -> Trials:
    """Trials in which nothing was read but by the floor that answers nothing."""
    dealt = study(documents, SCHEMA, count=count)
    trials = Trials(
        dealt, Journal(folder, "x"), AdviseConfig(**config), Clock(None), folder,
        lambda stage, done, total: None,
    )  # fmt: skip
    for number in range(len(dealt.folds)):
        reads(trials, NOTHING, (), fold=number)
    return trials


def reads(
    trials: Trials,
    method: str,
    right: Iterable[str],
    *,
    given: Sequence[str] | None = None,
    fold: int = 0,
    part: str = HELD,
    fields: Iterable[str] = FIELDS,
    share: int = 100,
    seed: int = 0,
    sure: float = 0.9,
) -> None:
    """Let a method read documents, all that are held out unless said otherwise."""
    ids = trials.study.folds[fold].held if given is None else given
    trials.journal.read(
        piece(method, fold, part, share, seed), lambda: Knows(trials, right, fields, sure),
        trials.study.of(ids), SCHEMA,
    )  # fmt: skip


def judged(trials: Trials) -> tuple[Findings, Verdict]:
    findings = measure(trials)
    labels = check(list(trials.study.known.values()), SCHEMA)
    return findings, decide(findings, labels, trials)


# ---------------------------------------------------------------- enough to decide on


def test_tuning_is_not_recommended_for_a_document_that_was_read_in_time(tmp_path: Path) -> None:
    trials = trials_on(notes(20, 40), tmp_path)
    held = trials.study.folds[0].held
    reads(trials, RULES, held[1:])
    trials.read[0] = len(held)
    reads(trials, TUNED, held, given=held[:1])

    findings, verdict = judged(trials)

    assert (None, None) == (findings.method(TUNED), findings.difference)
    assert "UNDECIDED" == verdict.name


@pytest.mark.parametrize(("given", "senders"), [(12, 1000), (40, 2)])
def test_tuning_is_not_recommended_for_a_few_documents_or_senders(
    given: int, senders: int, tmp_path: Path
) -> None:
    trials = trials_on(notes(20, 40, senders=senders), tmp_path)
    held = trials.study.folds[0].held
    reads(trials, RULES, ())
    trials.read[0] = given
    reads(trials, TUNED, held, given=held[:given])

    findings, verdict = judged(trials)

    assert findings.difference is None
    assert verdict.name not in ("FINE-TUNE", "COMBINE")


def test_tuning_is_recommended_where_enough_documents_tell(tmp_path: Path) -> None:
    trials = trials_on(notes(20, 40), tmp_path)
    held = trials.study.folds[0].held
    reads(trials, RULES, held[:10])
    reads(trials, TUNED, held)

    findings, verdict = judged(trials)

    assert "FINE-TUNE" == verdict.name
    assert (40, 40) == (findings.compared_on, findings.compared_groups)
    assert {"tuning"} == {item.advice for item in findings.fields}


def test_a_field_that_few_senders_print_stays_undecided(tmp_path: Path) -> None:
    documents = notes(20, 40)
    documents[22:] = [replace(d, fields={**d.fields, "total": None}) for d in documents[22:]]
    trials = trials_on(documents, tmp_path)
    reads(trials, RULES, ())
    reads(trials, TUNED, trials.study.folds[0].held)

    findings, _ = judged(trials)

    advice = {item.field: item for item in findings.fields}
    assert ("tuning", "undecided") == (advice["number"].advice, advice["total"].advice)
    assert "40 documents tell of it and 2 groups have a value" in advice["total"].reason


def test_models_are_given_as_many_documents_as_decide(tmp_path: Path) -> None:
    """A slow model is not given twenty where thirty of ten groups are needed."""
    from training.advise.run import affordable

    trials = trials_on(notes(20, 60, senders=12), tmp_path, budget_s=1.0)
    trials.reading_s = 10.0

    count = affordable(trials, trials.study.folds[0])

    assert 30 <= count < 60


# ---------------------------------------------------------------- compared on the same documents


def test_methods_are_ranked_on_documents_that_all_have_read(tmp_path: Path) -> None:
    """A model that was given the easier ones only is no better for it."""
    trials = trials_on(notes(20, 60), tmp_path)
    held = trials.study.folds[0].held
    trials.read[0] = 40
    reads(trials, RULES, held[:39])
    reads(trials, SHIPPED, held[:38], given=held[:40])

    findings, _ = judged(trials)

    assert RULES == findings.best
    assert 40 == findings.compared_on


def test_a_model_that_stopped_early_is_not_ranked(tmp_path: Path) -> None:
    trials = trials_on(notes(20, 60), tmp_path)
    held = trials.study.folds[0].held
    trials.read[0] = 60
    reads(trials, RULES, held[30:])
    reads(trials, SHIPPED, held, given=held[:35])

    findings, _ = judged(trials)

    assert (RULES, 60) == (findings.best, findings.compared_on)


def test_intervals_draw_only_groups_that_were_read() -> None:
    groups = [[f"{i}"] for i in range(60)]
    cards = {f"{i}": [ScoreCard({"a": Counts(correct=i % 2, wrong=1 - i % 2)})] for i in range(12)}

    assert estimate(cards, groups[:12]) == estimate(cards, groups)


def test_a_document_read_by_three_seeds_weighs_as_much_as_one_read_once() -> None:
    right, wrong = ScoreCard({"a": Counts(correct=1)}), ScoreCard({"a": Counts(wrong=1)})

    counts = sample({"0": [right, right, right], "1": [wrong]}, [["0"], ["1"]]).counts

    assert [[1, 1, 1], [0, 1, 1]] == counts[:, 0].tolist()


# ---------------------------------------------------------------- verdicts


def test_a_difference_that_may_matter_is_not_called_none(tmp_path: Path) -> None:
    """Both miss two of forty, but not the same two: tuning may gain more than the margin."""
    trials = trials_on(notes(20, 40), tmp_path)
    held = trials.study.folds[0].held
    reads(trials, RULES, held[2:])
    reads(trials, TUNED, held[:-2])

    findings, verdict = judged(trials)

    assert findings.difference is not None
    assert findings.difference.high > trials.config.margin
    assert "NOT ENOUGH TEST DATA" == verdict.name
    assert verdict.documents_needed is not None and verdict.documents_needed > 40
    assert {"undecided"} == {item.advice for item in findings.fields}


def test_rules_are_enough_where_tuning_gains_less_than_the_margin(tmp_path: Path) -> None:
    trials = trials_on(notes(20, 40), tmp_path)
    held = trials.study.folds[0].held
    reads(trials, RULES, held)
    reads(trials, TUNED, held[:-2])

    findings, verdict = judged(trials)

    assert "RULES OR PROMPT ARE ENOUGH" == verdict.name
    assert {"rules"} == {item.advice for item in findings.fields}


def test_without_tuning_rules_are_enough_only_if_little_is_missing(tmp_path: Path) -> None:
    trials = trials_on(notes(20, 40), tmp_path)
    held = trials.study.folds[0].held
    reads(trials, RULES, held[1:])

    findings, verdict = judged(trials)

    assert "UNDECIDED" == verdict.name
    assert {"undecided"} == {item.advice for item in findings.fields}


def test_copying_the_nearest_label_is_never_the_advice(tmp_path: Path) -> None:
    trials = trials_on(notes(20, 40), tmp_path)
    held = trials.study.folds[0].held
    reads(trials, NEAREST, held)
    reads(trials, RULES, held[:5])

    findings, verdict = judged(trials)

    assert RULES == findings.best and "UNDECIDED" == verdict.name
    assert {(RULES, "undecided")} == {(item.cheap, item.advice) for item in findings.fields}
    assert f"less than {NEAREST} with 1.000" in findings.fields[0].reason


# ---------------------------------------------------------------- rules and the model together

COMMAND = "extractor train --schema S --corpus DIR --output DIR --epochs 0"


def apart(folder: Path, **config: Any) -> Trials:
    """Trials in which rules and the untuned adapter miss a quarter each, and together nothing."""
    trials = trials_on(notes(20, 40), folder, **config)
    held = trials.study.folds[0].held
    trials.read[0] = len(held)
    for name, right in ((RULES, held[10:]), (SHIPPED, held[:30]), (TOGETHER, held)):
        reads(trials, name, right)
    return trials


def test_rules_and_the_model_that_beat_each_alone_are_combined_by_a_command(
    tmp_path: Path,
) -> None:
    findings, verdict = judged(apart(tmp_path))

    assert ("COMBINE", TOGETHER, RULES) == (verdict.name, findings.best, findings.best_alone)
    assert findings.together_gain is not None and findings.together_gain.low > 0
    assert COMMAND in verdict.next[0]
    assert {"together"} == {item.advice for item in findings.fields}
    assert any("number: rules and the untuned model together are enough" in line
               for line in verdict.reasons)  # fmt: skip
    assert f"{RULES} alone 0.8" in findings.fields[0].reason
    assert dict.fromkeys(SCHEMA.field_names, TOGETHER) == combined(findings, SCHEMA)


def test_together_is_advised_where_it_is_open_what_tuning_adds(tmp_path: Path) -> None:
    trials = apart(tmp_path)
    held = trials.study.folds[0].held
    reads(trials, TUNED, held[:-2])

    findings, verdict = judged(trials)

    assert findings.difference is not None and findings.difference.low < 0
    assert "COMBINE" == verdict.name


def test_tuning_that_gains_over_both_together_is_recommended_by_its_own_command(
    tmp_path: Path,
) -> None:
    trials = trials_on(notes(20, 40), tmp_path)
    held = trials.study.folds[0].held
    trials.read[0] = len(held)
    for name, right in ((RULES, held[20:]), (SHIPPED, held[:20]), (TOGETHER, held[10:])):
        reads(trials, name, right)
    reads(trials, TUNED, held)

    findings, verdict = judged(trials)

    assert ("FINE-TUNE", TOGETHER) == (verdict.name, findings.best)
    assert "extractor train --schema S --corpus DIR --output DIR" in verdict.next[0]
    assert not any("--epochs 0" in line for line in verdict.next)


def test_where_rules_alone_read_as_well_nothing_is_combined(tmp_path: Path) -> None:
    trials = trials_on(notes(20, 40), tmp_path)
    held = trials.study.folds[0].held
    trials.read[0] = len(held)
    for name in (RULES, TOGETHER):
        reads(trials, name, held)
    reads(trials, SHIPPED, held[:20])

    findings, verdict = judged(trials)

    assert ("RULES OR PROMPT ARE ENOUGH", RULES) == (verdict.name, findings.best)
    assert {"rules"} == {item.advice for item in findings.fields}
    assert not any("extractor train" in line for line in verdict.next)


def test_commands_name_the_base_model_that_was_compared(tmp_path: Path) -> None:
    _, verdict = judged(apart(tmp_path, base_model="some/base"))

    assert "--base-model some/base --epochs 0" in verdict.next[0]


class Slow(CannedEngine):
    """Takes its time for an answer, finds every other one likelier, and counts what it is asked."""

    def __init__(self) -> None:
        super().__init__({"number": "N-1", "total": None})
        self.asked: list[str] = []

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        self.asked += [request.text for request in requests]
        time.sleep(0.05)
        return super().generate(requests)

    def score(self, request: Request, answers: Sequence[str]) -> list[Output | None]:
        return [Output(text, (-0.1 * (at == 0),), (0,), False, 0, 0)
                for at, text in enumerate(answers)]  # fmt: skip


def test_a_reading_with_rules_asks_no_answer_again_and_counts_its_time(tmp_path: Path) -> None:
    trials = trials_on(notes(20, 10), tmp_path)
    engine, kept = Slow(), {}
    known, held = trials.study.of(trials.study.folds[0].train), trials.study.held
    for name, rules in ((SHIPPED, None), (TOGETHER, measured(SCHEMA, known))):
        trials.journal.read(
            piece(name, 0, HELD),
            lambda rules=rules: Extractor(Note, engine=KeepingEngine(engine, kept), rules=rules),
            trials.study.of(held), SCHEMA,
        )  # fmt: skip

    readings = [trials.journal.readings[piece(name, 0, HELD)] for name in (SHIPPED, TOGETHER)]
    alone, together = (sum((item.card for item in read.values()), ScoreCard()) for read in readings)
    assert sorted(trials.study.known[name].document.text for name in held) == sorted(engine.asked)
    assert min(item.seconds_s for read in readings for item in read.values()) >= 0.05
    assert (0.0, 1.0) == (alone.macro_f1, together.macro_f1)


# ---------------------------------------------------------------- the router


def test_the_router_is_scored_in_each_fold_as_it_was_chosen_there(tmp_path: Path) -> None:
    """The inner documents of a fold are held out in another one: they may not choose for it."""
    trials = trials_on([note(i) for i in range(80)], tmp_path, count=2)
    for number, (rules, shipped) in enumerate([(("number",), ("total",)), ((), FIELDS)]):
        fold = trials.study.folds[number]
        ids = inner(fold)
        for name, fields in ((RULES, rules), (SHIPPED, shipped)):
            reads(trials, name, ids, given=ids, fold=number, part=INNER, fields=fields)
            trials.read[number] = len(fold.held)
            reads(trials, name, fold.held, fold=number, fields=("number",) if name == RULES else ())

    router, cards = route(trials)

    assert {"number": RULES, "total": SHIPPED} == router
    first, second = (
        sum((cards[name][0] for name in fold.held), ScoreCard()) for fold in trials.study.folds
    )
    assert (1.0, 0.0) == (first.scalars["number"].f1, second.scalars["number"].f1)


def test_seeds_are_no_further_documents(tmp_path: Path) -> None:
    """Twenty right answers prove no precision of 0.9; twenty-nine do."""
    trials = trials_on(notes(20, 40), tmp_path, target_precision=0.9)
    held = trials.study.folds[0].held
    trials.read[0] = 20
    for seed in range(3):
        reads(trials, TUNED, held, given=held[:20], seed=seed)
    reads(trials, RULES, held)

    findings, _ = judged(trials)

    tuned, rules = findings.method(TUNED), findings.method(RULES)
    assert tuned is not None and rules is not None
    assert {"number": 0.0, "total": 0.0} == tuned.straight_through
    assert {"number": 1.0, "total": 1.0} == rules.straight_through


# ---------------------------------------------------------------- unseen senders, same set-up


def test_held_out_documents_of_training_senders_are_not_called_unseen() -> None:
    documents = [*notes(20, 10), note(50, group="g3", split="dev")]

    dealt = study(documents, SCHEMA)

    assert ("50",) == dealt.shared
    assert 10 == len(dealt.held) and "50" not in dealt.held


def test_a_split_without_unseen_senders_is_refused() -> None:
    documents = [note(i, group=f"g{i % 5}", split="dev" if i > 20 else "train") for i in range(40)]

    with pytest.raises(CorpusError, match="none is unseen"):
        study(documents, SCHEMA)
    assert 5 == len(study(documents, SCHEMA, count=5).folds)


def test_senders_shared_with_training_are_told(tmp_path: Path) -> None:
    corpus.write([*notes(20, 10), note(50, group="g3", split="dev")], tmp_path / "c")

    advice = advise(tmp_path / "c", SCHEMA, tmp_path / "a", AdviseConfig(budget_s=0))

    assert ("50",) == advice.shared
    assert any("not unseen" in line for line in advice.left_out)


def test_answers_of_another_setup_are_not_taken_over() -> None:
    documents = [note(i) for i in range(20)]
    known = study(documents, SCHEMA, count=4).fingerprint()
    first = documents[0]

    unverified = [replace(first, unverified=frozenset(["total"])), *documents[1:]]
    grouped = [replace(item, group="g1") if item is first else item for item in documents]

    assert known == study(documents, SCHEMA, count=4).fingerprint()
    assert known != study(unverified, SCHEMA, count=4).fingerprint()
    assert known != study(grouped, SCHEMA, count=4).fingerprint()


def test_answers_of_other_weights_are_not_taken_over(tmp_path: Path) -> None:
    Journal(tmp_path, "x").use_models("one base")

    Journal(tmp_path, "x").use_models("one base")
    with pytest.raises(OutputError, match="other models"):
        Journal(tmp_path, "x").use_models("another base")


# ---------------------------------------------------------------- machines


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux alone tells it")
def test_the_memory_of_a_method_is_not_that_of_one_before_it(tmp_path: Path) -> None:
    trials = trials_on(notes(5, 5), tmp_path)
    items = trials.study.of(trials.study.held)

    class Holding(Nothing):
        def __init__(self, count_bytes: int) -> None:
            super().__init__(SCHEMA)
            self.held = b"x" * count_bytes

    for megabytes in (200, 80):
        trials.journal.read(
            f"{megabytes}", lambda held=megabytes * 1_000_000: Holding(held), items, SCHEMA
        )

    first, second = (
        max(item.added_mb or 0.0 for item in trials.journal.readings[name].values())
        for name in ("200", "80")
    )
    assert first > 150 > 100 > second > 60


def test_cost_is_that_of_processor_time(tmp_path: Path) -> None:
    trials = trials_on(notes(5, 5), tmp_path, price_per_hour=3.6)
    reads(trials, RULES, ())

    method = measure(trials).method(RULES)

    assert method is not None
    assert method.cost_per_1000 == pytest.approx(method.cpu_s / (os.cpu_count() or 1))


def test_file_names_need_not_be_utf8(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    documents = [note(i) for i in range(12)]
    for item in [*documents, replace(note(12), given_text="")]:
        stem = os.fsencode(folder) + b"/r\xfc-%d" % int(item.id)
        try:
            Path(os.fsdecode(stem + b".txt")).write_text(item.given_text or "")
        except OSError:
            pytest.skip("this file system takes UTF-8 alone")
        Path(os.fsdecode(stem + b".json")).write_text(json.dumps(item.fields))

    advice = advise(folder, SCHEMA, tmp_path / "a", AdviseConfig(budget_s=0))

    assert (12, ["r\udcfc-12.txt"]) == (advice.documents, [name for name, _ in advice.unreadable])
    content = json.loads((tmp_path / "a" / "advice.json").read_text("utf-8"))
    assert "r\udcfc-12.txt" == content["unreadable"][0][0]
    assert "r\\xfc-12.txt" in (tmp_path / "a" / "advice.html").read_text("utf-8")


@pytest.mark.parametrize("package", ["numpy", "torch"])
def test_a_base_installation_is_told_what_to_install(package: str, tmp_path: Path) -> None:
    corpus.write(notes(40, 40), tmp_path / "c")
    (tmp_path / "note.py").write_text(
        "from pydantic import BaseModel\nfrom extractor.fields import Identifier\n\n\n"
        "class Note(BaseModel):\n    number: Identifier | None = None\n"
    )
    code = f"import sys; sys.modules[{package!r}] = None; from extractor.cli import main; main()"
    arguments = ["--schema", f"{tmp_path}/note.py:Note", "--corpus", str(tmp_path / "c")]

    run = subprocess.run(
        [sys.executable, "-c", code, "advise", *arguments, "--output", str(tmp_path / "a")],
        capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[1],
    )  # fmt: skip

    assert 'pip install "fieldwright[model]"' in run.stderr
    assert "Traceback" not in run.stderr
    assert (package == "torch") == (0 == run.returncode)
