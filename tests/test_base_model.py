"""A base model is what its weights are, not what it is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from extractor import base_model
from extractor.errors import BaseModelError
from tests.tiny import tiny_base


@pytest.fixture
def embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that holds the embedded model as if it had been converted; the package is gone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(base_model, "_gguf_file", lambda: None)
    folder = tiny_base(tmp_path / "fieldwright" / f"{base_model.EMBEDDED}-1")
    base_model._write_hash(folder)
    return folder


def test_a_local_folder_is_a_base_model(tmp_path: Path) -> None:
    folder = tiny_base(tmp_path / "base")

    base = base_model.find(str(folder))
    model, tokenizer = base_model.load(base, torch.float32)

    assert len(base.sha256) == 64
    assert model.config.vocab_size >= len(tokenizer)


def test_other_weights_are_another_base_model(tmp_path: Path) -> None:
    first = base_model.find(str(tiny_base(tmp_path / "first", seed=1)))
    second = base_model.find(str(tiny_base(tmp_path / "second", seed=2)))

    assert first.sha256 != second.sha256


def test_a_folder_without_weights_says_so(tmp_path: Path) -> None:
    with pytest.raises(BaseModelError, match=r"no \*\.safetensors file"):
        base_model.find(str(tmp_path))


def test_weights_that_are_no_model_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"nothing")

    with pytest.raises(BaseModelError, match="holds no causal language model"):
        base_model.load(base_model.find(str(tmp_path)), torch.float32)


def test_a_model_that_came_only_half_is_refused(tmp_path: Path) -> None:
    folder = tiny_base(tmp_path / "base")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])

    with pytest.raises(BaseModelError, match="cannot be loaded"):
        base_model.load(base_model.find(str(folder)), torch.float32)


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    folder = tiny_base(tmp_path / "base")
    config = folder / "config.json"
    settings = json.loads(config.read_text())
    config.write_text(json.dumps({**settings, "intermediate_size": 96}))

    with pytest.raises(BaseModelError, match="cannot be loaded"):
        base_model.load(base_model.find(str(folder)), torch.float32)


@pytest.mark.parametrize("damage", ["", "[[", "null", "[]"])
def test_a_damaged_stamp_counts_as_absent(embedded: Path, damage: str) -> None:
    (embedded / "verified.json").write_text(damage)

    assert base_model.find().folder == embedded
    assert len(json.loads((embedded / "verified.json").read_text())) == 1
    assert [file.name for file in embedded.glob(".*")] == []


@pytest.mark.parametrize("damage", ["", "[[", "[]", "{}"])
def test_a_damaged_hash_says_what_to_delete(embedded: Path, damage: str) -> None:
    (embedded / "sha256.json").write_text(damage)

    with pytest.raises(BaseModelError, match=r"sha256\.json cannot be read") as caught:
        base_model.find()
    assert "delete the folder" in caught.value.hint


def test_a_cache_that_takes_no_stamp_serves_all_the_same(embedded: Path) -> None:
    # A folder in its place, since root may write into folders that are closed to others.
    (embedded / "verified.json").mkdir()

    assert base_model.find().folder == embedded
    assert [file.name for file in embedded.glob(".*")] == []


def test_a_cache_that_takes_no_model_is_a_typed_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "model.gguf").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(base_model, "_gguf_file", lambda: tmp_path / "model.gguf")

    with pytest.raises(BaseModelError, match="cannot be converted") as caught:
        base_model.find()
    assert "XDG_CACHE_HOME" in caught.value.hint
