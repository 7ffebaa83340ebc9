"""Calibrating: which documents it may use, and that confidences reach the records."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel

from extractor import Extractor, adapter
from extractor.errors import CalibrationError
from extractor.fields import Money, Verbatim
from extractor.schema import Schema
from tests.tiny import tiny_base
from training import corpus, further, report
from training.augment import AugmentConfig
from training.calibrate import calibrate, held_out
from training.corpus import LabelledDocument
from training.evaluate import evaluate
from training.score import judge
from training.tune import TuneConfig, TuneResult, tune

SCHEMA = """
from pydantic import BaseModel
from extractor.fields import Money, Verbatim

class Slip(BaseModel):
    seller: Verbatim | None = None
    total: Money | None = None
"""


class Slip(BaseModel):
    seller: Verbatim | None = None
    total: Money | None = None


class Row(BaseModel):
    name: Verbatim | None = None
    price: Money | None = None


class Listed(BaseModel):
    rows: list[Row] = []
    tags: list[Verbatim] = []


def written(folder: Path, first: int, count: int, more: Sequence[int] = (), end: str = "") -> Path:
    """Slips of as many sellers as there are slips."""
    folder.mkdir(exist_ok=True)
    rows = []
    for i in [*range(first, first + count), *more]:
        seller = f"Shop {i} of {i * 7919 % 97}"
        fields = {"seller": seller, "total": f"{i}.50"}
        rows.append({"text": f"{seller}\ntotal {i}.50{end}", "fields": fields, "group": str(i)})
    (folder / "labels.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base(tmp_path_factory.mktemp("base"))


def config(base: Path, **changes: object) -> TuneConfig:
    settings: dict[str, object] = {
        "base_model": str(base),
        "start": None,
        "epochs": 1,
        "threads": 1,
        "validation": 0.0,
        "parity": 0,
        "augment": AugmentConfig(synthetic=0),
    }
    return TuneConfig(**{**settings, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def tuned(base: Path, tmp_path_factory: pytest.TempPathFactory) -> TuneResult:
    folder = tmp_path_factory.mktemp("tuned")
    return tune(written(folder / "corpus", 0, 90), Slip, folder / "adapter", config(base))


def test_training_keeps_whole_groups_aside_and_calibrates_on_them(tuned: TuneResult) -> None:
    assert tuned.calibrated is not None
    assert tuned.calibrated.documents == 20
    assert tuned.estimate.documents == 52, "20 of 72 that are not held out"
    labelled = corpus.read(tuned.output.parent / "corpus").documents
    assert len({one.sha256() for one in labelled} & adapter.seen(tuned.output)) == 52
    assert adapter.read(tuned.output).calibrated


def test_confidences_reach_the_fields_of_a_record(tuned: TuneResult, base: Path) -> None:
    extractor = Extractor(Slip, adapter=tuned.output, base_model=str(base), threads=1)
    found = extractor.extract("Shop 500 of 3\ntotal 7.00")

    assert all(0 < result.confidence < 1 for result in found.fields.values() if result.confidence)
    assert None not in [result.confidence for result in found.fields.values()]


def test_a_damaged_calibration_is_noticed(tuned: TuneResult, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in tuned.output.iterdir():
        if file.is_file():
            (copy / file.name).write_bytes(file.read_bytes())
    known = copy / "confidence.json"
    known.write_text(known.read_text().replace('"intercept": ', '"intercept": 1'))

    with pytest.raises(adapter.AdapterError, match=r"confidence\.json is missing or was changed"):
        adapter.read(copy)


def test_an_adapter_trained_in_folds_learns_from_all_and_is_rated_out_of_fold(
    base: Path, tmp_path: Path
) -> None:
    made = tune(written(tmp_path / "corpus", 0, 30), Slip, tmp_path / "out", config(base, folds=2))

    assert made.calibrated is not None
    assert made.estimate.documents == made.calibrated.documents == 24
    folds = [adapter.seen(tmp_path / "out" / f"fold-{n}") for n in (1, 2)]
    assert not folds[0] & folds[1], "each fold was trained on the other's groups"
    assert made.calibrated.reliability is not None
    assert made.calibrated.reliability.groups == 24


def test_no_calibration_rests_on_what_the_start_had_learned(
    tuned: TuneResult, base: Path, tmp_path: Path
) -> None:
    """The 90 slips of the start come again, among 80 new ones."""
    folder = written(tmp_path / "corpus", 0, 90, range(200, 280))
    made = tune(folder, Slip, tmp_path / "out", config(base, start=str(tuned.output)))
    known = adapter.read(made.output).calibration()

    assert known is not None
    assert len(known.fitted_on) == 20
    assert not known.fitted_on & adapter.seen(tuned.output)
    assert adapter.seen(made.output) > adapter.seen(tuned.output)


def test_folds_hold_out_only_what_the_start_had_not_learned(
    tuned: TuneResult, base: Path, tmp_path: Path
) -> None:
    folder = written(tmp_path / "corpus", 0, 30, range(200, 230))
    settings = config(base, start=str(tuned.output), folds=2)
    made = tune(folder, Slip, tmp_path / "out", settings)
    known = adapter.read(made.output).calibration()

    assert known is not None and known.fitted_on
    assert not known.fitted_on & adapter.seen(tuned.output)


def test_a_corpus_that_the_start_had_learned_cannot_calibrate(
    tuned: TuneResult, base: Path, tmp_path: Path
) -> None:
    settings = config(base, start=str(tuned.output), folds=2)
    known = [one for one in corpus.read(tuned.output.parent / "corpus").documents]
    seen = adapter.seen(tuned.output)
    corpus.write([replace(one, split="train") for one in known if one.sha256() in seen], tmp_path)
    made = tune(tmp_path, Slip, tmp_path / "out", settings)

    assert made.uncalibrated == "too few groups that the start had not learned"
    assert not (made.output / "fold-1").exists()


class Cut(Exception):
    pass


def cut_in_second_fold(folder: Path, corpus: Path, settings: TuneConfig) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if stage == "training" and "fold-2" in (folder / further.KEPT).read_text():
            raise Cut

    with pytest.raises(Cut):
        tune(corpus, Slip, folder, settings, progress=stop)


def test_a_resumed_run_takes_over_finished_folds(base: Path, tmp_path: Path) -> None:
    labelled, output = written(tmp_path / "corpus", 0, 30), tmp_path / "out"
    cut_in_second_fold(output, labelled, config(base, folds=2))
    weights = output / "fold-1" / "adapter_model.safetensors"
    made_at = weights.stat().st_mtime_ns
    made = tune(labelled, Slip, output, config(base, folds=2, resume=True, price_per_hour=1.0))

    assert weights.stat().st_mtime_ns == made_at
    assert made.calibrated is not None and made.calibrated.documents == 24
    parts = [one["part"] for one in json.loads((output / further.KEPT).read_text()).values()]
    assert made.course.further_s == pytest.approx(sum(part["seconds_s"] for part in parts))
    assert made.course.seconds_s > made.course.further_s > 0
    assert made.course.cost == pytest.approx(made.course.seconds_s / 3600)


@pytest.mark.parametrize("changed", ["documents", "labels", "configuration"])
def test_folds_of_another_corpus_or_configuration_are_trained_anew(
    base: Path, tmp_path: Path, changed: str
) -> None:
    labelled, output = written(tmp_path / "corpus", 0, 30), tmp_path / "out"
    cut_in_second_fold(output, labelled, config(base, folds=2))
    made_at = (output / "fold-1" / "adapter_model.safetensors").stat().st_mtime_ns
    settings = config(base, folds=2, resume=True)
    if changed == "documents":
        written(labelled, 0, 30, end=" EUR")
    elif changed == "labels":
        file = labelled / "labels.jsonl"
        file.write_text(file.read_text().replace('"total": ', '"unknown": '))
    else:
        settings = replace(settings, epochs=2)
    tune(labelled, Slip, output, settings)

    assert (output / "fold-1" / "adapter_model.safetensors").stat().st_mtime_ns > made_at
    hashes = {one.sha256() for one in corpus.read(labelled).documents}
    assert adapter.seen(output / "fold-1") <= hashes


@pytest.mark.slow
def test_folds_are_refused_in_several_processes(base: Path, tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(
        "from tests.test_calibrate import Slip\nfrom training.tune import TuneConfig, tune\n"
        f"config = TuneConfig(base_model={str(base)!r}, start=None, folds=2, learning_curve=True)\n"
        f"tune({str(written(tmp_path / 'corpus', 0, 30))!r}, Slip, 'out', config)\n"
    )
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", str(script)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        launch, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path
    )

    assert done.returncode != 0
    assert "folds and learning_curve: made for one process, 2 were started" in done.stderr
    assert not (tmp_path / "out").exists()


def test_evaluation_tells_confidences_without_what_they_were_fitted_on(
    tuned: TuneResult, base: Path, tmp_path: Path
) -> None:
    fitted = adapter.read(tuned.output).calibration().fitted_on  # type: ignore[union-attr]
    known = corpus.read(tuned.output.parent / "corpus").documents
    fresh = corpus.read(written(tmp_path / "fresh", 300, 5)).documents
    documents = [*(one for one in known if one.sha256() in fitted), *fresh]
    extractor = Extractor(Slip, adapter=tuned.output, base_model=str(base), threads=1)
    found = evaluate(extractor, documents, extractor.schema)

    assert len(found.documents) == 25, "values are scored in all"
    assert found.fitted == 20
    assert found.reliability is not None and found.reliability.answers == 10
    assert "without 20 documents" in report.to_html(found)
    assert report.to_json(found)["left_out_of_reliability"] == 20


def test_too_few_groups_leave_the_adapter_without_confidence(base: Path, tmp_path: Path) -> None:
    made = tune(written(tmp_path / "corpus", 0, 10), Slip, tmp_path / "out", config(base))

    assert made.calibrated is None
    assert "too few groups" in made.uncalibrated
    assert not adapter.read(made.output).calibrated


def test_what_was_trained_on_and_its_groups_do_not_calibrate() -> None:
    documents = [
        LabelledDocument(str(i), None, f"text {i}", {}, group=str(i // 2)) for i in range(6)
    ]
    held, left_out = held_out(documents, Schema.of(Slip), frozenset([documents[0].sha256()]))

    assert [one.id for one in held] == ["2", "3", "4", "5"]
    assert left_out == {"trained on": 1, "of a group that was trained on": 1}


def test_calibrating_on_what_was_learned_is_refused(tuned: TuneResult, base: Path) -> None:
    seen = adapter.seen(tuned.output)
    labelled = corpus.read(tuned.output.parent / "corpus").documents
    extractor = Extractor(Slip, adapter=tuned.output, base_model=str(base), threads=1)

    with pytest.raises(CalibrationError, match="none of 52 documents can calibrate"):
        calibrate(
            extractor,
            [one for one in labelled if one.sha256() in seen],
            extractor.schema,
            tuned.output,
        )


def test_an_adapter_is_calibrated_and_a_precision_refused_at_the_command_line(
    tuned: TuneResult, base: Path, tmp_path: Path
) -> None:
    (tmp_path / "slip.py").write_text(SCHEMA)
    fresh = written(tmp_path / "fresh", 200, 15)
    copy = tmp_path / "adapter"
    shutil.copytree(tuned.output, copy)
    common = ["--schema", f"{tmp_path / 'slip.py'}:Slip", "--base-model", base]
    common += ["--adapter", copy, "--threads", 1]

    done = run("calibrate", *common, "--corpus", fresh)
    assert done.returncode == 0, done.stderr
    assert "ECE " in done.stdout
    assert "calibrated on 12 documents" in done.stderr, "3 of 15 are left to evaluate"
    (tmp_path / "new.txt").write_text("Shop 9 of 1\ntotal 3.00")
    refused = run("extract", tmp_path / "new.txt", *common, "--target-precision", 0.99)
    assert refused.returncode == 2
    assert "not attainable with 12 documents" in refused.stderr
    assert "at least 299" in refused.stderr
    scored = run("evaluate", *common, "--corpus", fresh, "--output", tmp_path / "report.json")
    assert scored.returncode == 0, scored.stderr
    assert "calibration was fitted" not in scored.stderr
    both = [*common, "--corpus", fresh, "--output", tmp_path / "report.json", "--split", "all"]
    assert "left out: 12 documents: of the figures" in run("evaluate", *both).stderr
    odd = run("extract", tmp_path / "new.txt", *common, "--target-precision", 2)
    assert odd.returncode == 2
    assert "target_precision must be between" in odd.stderr


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    code = "from extractor.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_value_of_a_record_is_judged_with_its_row_matched() -> None:
    schema = Schema.of(Listed)
    given = {
        "rows": [{"name": "b", "price": "2"}, {"name": "x", "price": None}],
        "tags": ["q", "p"],
    }
    wanted = {
        "rows": [{"name": "a", "price": "1"}, {"name": "b", "price": "3"}],
        "tags": ["p"],
    }
    right = judge(schema, schema.normalise(given), schema.normalise(wanted))

    assert right["rows[0].name"] and not right["rows[0].price"]
    assert not right["rows[1].name"]
    assert (right["tags[0]"], right["tags[1]"]) == (False, True)
    unknown = judge(
        schema,
        schema.normalise(given),
        schema.normalise(wanted),
        frozenset(["rows[1].price", "tags"]),
    )
    assert "rows[0].price" not in unknown and "tags[0]" not in unknown
