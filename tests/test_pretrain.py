"""The adapter that every training run starts from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import BaseModel
from safetensors import safe_open

from extractor import Extractor, adapter, base_model, document, prompt
from extractor.fields import IsoDate, Money, Verbatim
from tests.tiny import tiny_base
from training import pretrain
from training.tune import TuneConfig, tune


class Ticket(BaseModel):
    shop: Verbatim | None = None
    bought_on: IsoDate | None = None
    paid: Money | None = None


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def start(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("start")
    pretrain.pretrain(6, folder, TuneConfig(base_model=str(base), start=None, checkpoints=1))
    return folder


def test_a_start_serves_a_schema_that_it_never_saw(start: Path, base: Path) -> None:
    extractor = Extractor(Ticket, adapter=start, base_model=str(base), max_new_tokens=60)

    assert set(extractor.extract("Bakery Ost\n30.11.2022\nTotal 7,20").values) == {
        "shop", "bought_on", "paid",
    }  # fmt: skip


def test_training_goes_on_from_a_start_and_keeps_some_synthetic_documents(
    start: Path, base: Path, tmp_path: Path
) -> None:
    line = {
        "text": "Bakery Ost\n30.11.2022\nTotal 7,20",
        "id": "one",
        "split": "train",
        "fields": {"seller_name": "Bakery Ost", "issue_date": "2022-11-30", "gross_total": "7.20"},
    }
    (tmp_path / "labels.jsonl").write_text(json.dumps(line))
    settings = {"base_model": str(base), "epochs": 1, "validation": 0.0, "parity": 0}

    class Slip(BaseModel):
        seller_name: Verbatim | None = None
        issue_date: IsoDate | None = None
        gross_total: Money | None = None

    begun = tune(tmp_path, Slip, tmp_path / "a", TuneConfig(start=str(start), **settings))

    assert 121 == begun.estimate.examples


def test_a_start_is_half_the_size_and_reads_the_same_text_under_the_same_prompt(
    start: Path,
) -> None:
    found = adapter.read(start)

    with safe_open(start / "adapter_model.safetensors", "numpy") as weights:
        kinds = {weights.get_slice(name).get_dtype() for name in weights.keys()}  # noqa: SIM118
    assert {"F16"} == kinds
    assert (prompt.VERSION, document.VERSION) == (found.prompt_version, found.reading_version)
    assert found.schema_fingerprint is None


def test_requests_differ_in_fields_and_names_and_are_the_same_for_a_seed() -> None:
    asked = pretrain.pairs(60, 3)

    assert [p.target for p in asked] == [p.target for p in pretrain.pairs(60, 3)]
    assert len({p.schema.field_names for p in asked}) > 25
    names = {name for pair in asked for name in pair.schema.field_names}
    assert {"invoice_number", "company"} < names
    assert names & {"vendor", "supplier", "bill_to", "balance_due", "seller", "buyer"}


def test_the_shipped_adapter_is_whole_and_made_for_the_embedded_model() -> None:
    folder = adapter.shipped(base_model.find())

    assert folder is not None
    assert {"manifest.json", "adapter_model.safetensors", "adapter_config.json"} <= {
        file.name for file in folder.iterdir()
    }
    shipped = adapter.read(folder)
    assert (prompt.VERSION, document.VERSION) == (shipped.prompt_version, shipped.reading_version)


def test_another_base_model_has_no_shipped_adapter(base: Path) -> None:
    assert adapter.shipped(base_model.find(str(base))) is None
