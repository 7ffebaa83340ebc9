"""What training tells of itself, and reports that need nothing but themselves."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel

from extractor.errors import TrainingError
from extractor.fields import Identifier, Verbatim
from extractor.pipeline import Extractor
from extractor.schema import Schema, resolve
from extractor.testing import CannedEngine
from tests.tiny import tiny_base
from training import charts, corpus, further, pictures, report
from training.augment import AugmentConfig
from training.corpus import LabelledDocument
from training.course import pretence
from training.evaluate import evaluate
from training.further import Part
from training.tune import TuneConfig, TuneResult, tune

SAMPLES = Path(__file__).parents[1] / "samples"


class Bill(BaseModel):
    number: Identifier | None = None
    seller_name: Verbatim | None = None


def bills(count: int, split: str, start: int = 0) -> list[LabelledDocument]:
    return [
        LabelledDocument(
            f"{split}-{i}", None, f"Mill {i} Ltd\nBill A{i}",
            {"number": f"A{i}", "seller_name": f"Mill {i} Ltd"}, split=split, group=f"{i}",
        )
        for i in range(start, start + count)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> TuneResult:
    folder = tmp_path_factory.mktemp("course")
    corpus.write([*bills(8, "train"), *bills(2, "validation", 20)], folder / "c")
    config = TuneConfig(
        base_model=str(tiny_base(folder / "base")), epochs=2, checkpoints=1, parity=0, threads=1,
        augment=AugmentConfig(synthetic=0), learning_curve=True, price_per_hour=0.5,
    )  # fmt: skip
    return tune(folder / "c", Bill, folder / "adapter", config)


def test_training_tells_cost_gap_curve_and_worst_documents(result: TuneResult) -> None:
    course = result.course

    assert course.cpu_s > 0
    assert course.cost == pytest.approx(0.5 * course.seconds_s / 3600)
    assert course.gap == pytest.approx(course.train_loss - course.validation_loss)  # type: ignore[operator]
    assert [size for size, _ in course.curve] == [2, 4, 8]
    losses = [loss for _, loss in course.worst]
    assert {name for name, _ in course.worst} == {f"train-{i}" for i in range(8)}
    assert losses == sorted(losses, reverse=True) and losses[-1] > 0


def test_the_course_is_kept_with_the_adapter(result: TuneResult) -> None:
    kept = json.loads((result.output / "training.json").read_text())["course"]
    page = (result.output / "report.html").read_text()

    assert kept["curve"] == [list(point) for point in result.course.curve]
    assert kept["pretence"] is not None
    assert "Learning curve" in page and "<svg" in page and "http" not in page
    assert not list(result.output.glob("share-*"))
    assert 0 < result.course.further_s < result.course.seconds_s


def test_a_learning_curve_needs_validation_documents(tmp_path: Path) -> None:
    corpus.write(bills(4, "train"), tmp_path / "c")
    config = TuneConfig(base_model=str(tiny_base(tmp_path / "base")), learning_curve=True)

    with pytest.raises(TrainingError, match="needs validation documents"):
        tune(tmp_path / "c", Bill, tmp_path / "a", config)


def test_points_of_a_learning_curve_are_taken_over_while_nothing_changed(tmp_path: Path) -> None:
    train, validation = bills(8, "train"), bills(2, "validation", 20)
    settings = TuneConfig(
        base_model=str(tiny_base(tmp_path / "base")), epochs=1, checkpoints=1, threads=1,
        augment=AugmentConfig(synthetic=0), resume=True,
    )  # fmt: skip

    def points(documents: list[LabelledDocument]) -> tuple[list[Part], set[str]]:
        stages: set[str] = set()
        made = further.shares(
            documents, validation, Schema.of(Bill), tmp_path / "out", settings,
            lambda stage, done, total: stages.add(stage),
        )  # fmt: skip
        return made, stages

    first, _ = points(train)
    again, stages = points(train)
    other, trained = points([replace(one, given_text=f"{one.given_text}.") for one in train])

    assert (first, set()) == (again, stages)
    assert "training" in trained and other != first


def test_what_cannot_be_learned_is_told_once_though_losses_are_compared(tmp_path: Path) -> None:
    """The name is longer than any answer, in a document that trains and in one that validates."""
    long = {"number": "A1", "seller_name": "x" * 700}
    documents = [
        replace(one, fields=long, given_text=f"Bill A1\n{'x' * 700}", group=one.id)
        for one in (*bills(1, "train"), *bills(1, "validation", 1))
    ]
    documents = [replace(one, given_text=f"{one.given_text}\n{one.id}") for one in documents]
    corpus.write([*documents, *bills(3, "train", 5)], tmp_path / "c")
    config = TuneConfig(
        base_model=str(tiny_base(tmp_path / "base")), epochs=1, checkpoints=1, parity=0, threads=1,
        augment=AugmentConfig(synthetic=0),
    )  # fmt: skip
    made = tune(tmp_path / "c", Bill, tmp_path / "adapter", config)

    assert made.course.gap is not None
    assert [one.document for one in made.problems if "cannot emit" in one.message] == ["train-0"]


def test_a_random_split_gives_away_what_senders_repeat() -> None:
    """Each of ten senders has four documents that differ in a number alone."""
    draw = random.Random(0)
    documents = [
        LabelledDocument(
            f"{i}", None, f"Mill {i % 10} Ltd\nRoad {i % 10}\nBill {draw.random()}",
            {"seller_name": f"Mill {i % 10} Ltd"},
        )
        for i in range(40)
    ]  # fmt: skip

    found = pretence(documents, Schema.of(Bill))

    assert found is not None
    assert found.random > 0.9 and found.unseen == 0
    assert pretence(documents[:1], Schema.of(Bill)) is None


def test_the_worst_documents_are_shown_with_marks() -> None:
    schema = Schema.of(resolve("invoice")).only(["invoice_number", "gross_total"])
    documents = list(corpus.read(SAMPLES).documents[:7])
    reader = Extractor(schema, engine=CannedEngine({"invoice_number": "1"}))

    found = evaluate(reader, documents, schema)
    shown = pictures.of_worst(found, documents, schema)
    page = report.to_html(found, extras=report.Extras(pictures=shown))

    assert len(shown) == 5
    assert all(data.startswith(b"\x89PNG") and len(data) < 200_000 for data in shown.values())
    assert page.count("data:image/png;base64,") == 5 and "http" not in page


def test_a_mistake_inside_a_value_is_marked_too(tmp_path: Path) -> None:
    class Shop(BaseModel):
        name: Verbatim | None = None
        town: Verbatim | None = None

    class Sale(BaseModel):
        shop: Shop | None = None

    path = corpus.read(SAMPLES).documents[0].path
    labelled = LabelledDocument("a", path, None, {"shop": {"name": "Noack", "town": None}})
    reader = Extractor(Sale, engine=CannedEngine({"shop": None}))
    found = evaluate(reader, [labelled], reader.schema)

    assert list(found.documents[0].mistakes) == ["shop.name"]
    assert set(pictures.of_worst(found, [labelled], reader.schema)) == {"a"}


def test_plots_are_drawn_of_what_is_known_only() -> None:
    reader = Extractor(Bill, engine=CannedEngine({"number": "A9"}))
    found = evaluate(reader, bills(3, "test"), reader.schema)

    bare = report.to_html(found)
    full = report.to_html(
        found,
        found,
        report.Extras(
            reliability=[(0.2, 0.1, 5), (0.9, 0.8, 20)],
            risk_coverage=[(0.5, 0.0), (1.0, 0.2)],
            curve=[(25, 0.5), (100, 0.8)],
        ),
    )

    titles = ("Probabilities", "Risk by coverage", "Learning curve")
    assert not any(title in bare for title in titles)
    assert all(title in full for title in titles)


def test_values_taken_for_others_are_counted_and_escaped() -> None:
    documents = [replace(item, fields={"number": "<b>7"}) for item in bills(3, "test")]
    reader = Extractor(Bill, engine=CannedEngine(lambda text: {"number": text.split()[-1]}))
    documents = [replace(item, given_text="Bill A1") for item in documents]

    page = report.to_html(evaluate(reader, documents, reader.schema))

    row = '<td>number</td><td>A1</td><td>&lt;b&gt;7</td><td class="n">3</td>'
    assert row in page and "<b>7" not in page


def test_charts_escape_their_names() -> None:
    assert "<i>" not in charts.bars([charts.Bar("<i>", 0.5)], "<i>")
    assert "<i>" not in charts.table(("<i>",), [("<i>",)])
    assert (
        charts.table(("a",), []) == charts.bars([], "a") == charts.curve([(1, 1)], "x", "y") == ""
    )
