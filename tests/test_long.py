"""Documents of many windows: what training shows of them, and which windows are read."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from extractor.fields import IsoDate, Money
from extractor.schema import Schema
from extractor.windows import WindowConfig
from training import corpus, pairs
from training.augment import AugmentConfig, Curriculum

FILLER = "The parties agree on what follows here.\n" * 12
SMALL = WindowConfig(90, 0)
QUIET = AugmentConfig(synthetic=0, subset=0, swap=0, remove=0, drop_lines=0)


def words(text: str) -> int:
    return len(text.split())


class Deal(BaseModel):
    effective_date: IsoDate | None = None
    price: Money | None = None
    span: tuple[Money, Money] | None = None
    term: str | None = None
    kind: Literal["sale", "lease"] | None = None


def built(folder: Path, text: str, **fields: Any) -> list[pairs.Pair]:
    label = {"id": "deal", "text": text, "split": "train", "fields": fields}
    (folder / "labels.jsonl").write_text(json.dumps(label))
    made = pairs.build(corpus.read(folder).documents, Schema.of(Deal), SMALL, words)
    return made.pairs


def test_targets_hold_only_what_their_window_shows(tmp_path: Path) -> None:
    text = f"made on 3 May 2021 for 2 years\n{FILLER}price: 1,250.00\n{FILLER}from 5.00 to 7.00\n"

    made = built(
        tmp_path,
        text,
        effective_date="2021-05-03",
        price="1250.00",
        span=["5.00", "7.00"],
        term="2 years",
    )

    shown = {name: [json.loads(pair.target)[name] for pair in made] for name in ("price", "span")}
    assert [None, "1,250.00", None] == shown["price"]
    assert [None, None, ["5.00", "7.00"]] == shown["span"]
    assert ["2 years", None, None] == [json.loads(pair.target)["term"] for pair in made]


def test_what_no_window_shows_is_not_learned_from_any_but_a_judgement_from_all(
    tmp_path: Path,
) -> None:
    made = built(tmp_path, f"for two years\n{FILLER}{FILLER}", term="2 years", kind="sale")

    assert [{"kind": "sale"}] * len(made) == [json.loads(pair.target) for pair in made]
    assert len(made) > 1


@pytest.mark.parametrize(("negatives", "expected"), [(0, 0), (1, 20), (2, 40), (99, 200)])
def test_windows_without_values_share_the_places_that_they_are_left(
    tmp_path: Path, negatives: float, expected: int
) -> None:
    made = built(tmp_path, f"price: 5.00\n{FILLER * 10}", price="5.00")
    assert 10 <= len(made) <= 12
    holding, epochs = made[0], 20
    config = AugmentConfig(
        synthetic=0, subset=0, swap=0, remove=0, drop_lines=0, negatives=negatives
    )

    shown = Curriculum(Schema.of(Deal), made, config, epochs, seed=3).pairs()

    counts = Counter(pair.text for pair in shown)
    empty = len(shown) - counts[holding.text]
    assert epochs == counts[holding.text]
    assert abs(empty - min(expected, epochs * (len(made) - 1))) <= len(made) / 2
    assert shown == Curriculum(Schema.of(Deal), made, config, epochs, seed=3).pairs()


def test_a_document_without_any_value_is_not_left_out(tmp_path: Path) -> None:
    made = built(tmp_path, FILLER * 10, price=None)

    assert all(pair.empty for pair in made)
    assert Curriculum(Schema.of(Deal), made, QUIET, 4, seed=0).pairs()


def test_a_share_of_negatives_below_0_is_refused() -> None:
    with pytest.raises(ValueError, match="negatives must be at least 0"):
        AugmentConfig(negatives=-1)
