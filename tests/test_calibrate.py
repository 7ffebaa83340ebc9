"""Calibrating: which documents it may use, and that confidences reach the records."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from extractor import Extractor, adapter
from extractor.errors import CalibrationError
from extractor.fields import Money, Verbatim
from extractor.schema import Schema
from tests.tiny import tiny_base
from training import corpus
from training.augment import AugmentConfig
from training.calibrate import calibrate, held_out
from training.corpus import LabelledDocument
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


def written(folder: Path, first: int, count: int) -> Path:
    """Slips of as many sellers as there are slips."""
    folder.mkdir()
    rows = []
    for i in range(first, first + count):
        seller = f"Shop {i} of {i * 7919 % 97}"
        fields = {"seller": seller, "total": f"{i}.50"}
        rows.append({"text": f"{seller}\ntotal {i}.50", "fields": fields, "group": str(i)})
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
    fresh = written(tmp_path / "fresh", 200, 12)
    common = ["--schema", f"{tmp_path / 'slip.py'}:Slip", "--base-model", base]
    common += ["--adapter", tuned.output, "--threads", 1]

    done = run("calibrate", *common, "--corpus", fresh)
    assert done.returncode == 0, done.stderr
    assert "ECE " in done.stdout
    assert "calibrated on 12 documents" in done.stderr
    (tmp_path / "new.txt").write_text("Shop 9 of 1\ntotal 3.00")
    refused = run("extract", tmp_path / "new.txt", *common, "--target-precision", 0.99)
    assert refused.returncode == 2
    assert "not attainable with 12 documents" in refused.stderr
    assert "at least 299" in refused.stderr
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
