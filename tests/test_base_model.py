"""A base model is what its weights are, not what it is called."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from extractor import base_model
from extractor.errors import BaseModelError
from tests.tiny import tiny_base


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
