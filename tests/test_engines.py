"""Number formats: int8 and bf16 against fp32, which of them is chosen, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from pydantic import BaseModel
from safetensors.torch import save_file
from transformers import GPT2Config, LlamaConfig, LlamaForCausalLM, PretrainedConfig

from extractor import Extractor, base_model
from extractor.adapter import Adapter, Parity
from extractor.engine.base import Request, Runner
from extractor.engine.choice import Format, available, choose, multiplies_bf16
from extractor.engine.llama_graph import Architecture, Kind
from extractor.engine.local import LocalEngine
from extractor.engine.openvino_runner import OpenVinoRunner, add_adapter, prepare, read_weights
from extractor.engine.torch_runner import TorchRunner
from extractor.errors import BaseModelError, ExtractorError
from extractor.fields import Identifier, Money, Verbatim
from extractor.schema import Schema
from extractor.windows import WindowConfig
from tests.tiny import tiny_base, tiny_model, tiny_tokenizer
from training.parity import Reading, against


class Bill(BaseModel):
    number: Identifier | None = None
    seller: Verbatim | None = None
    total: Money | None = None


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=512,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=400,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config).eval()


def runner_of(kind: Kind, model: LlamaForCausalLM) -> OpenVinoRunner:
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    return OpenVinoRunner(weights, Architecture.of(model.config.to_dict()), kind, threads=1)


def int8(model: LlamaForCausalLM) -> OpenVinoRunner:
    return runner_of("int8", model)


def bf16(model: LlamaForCausalLM) -> OpenVinoRunner:
    return runner_of("bf16", model)


def rounded(model: LlamaForCausalLM) -> LlamaForCausalLM:
    """Return the model with its matrices rounded as int8 rounds them, in groups of 32."""
    twin = LlamaForCausalLM(model.config).eval()
    state = {}
    for name, tensor in model.state_dict().items():
        if tensor.dim() == 2:
            groups = tensor.view(tensor.shape[0], -1, 32)
            scale = groups.abs().amax(2, keepdim=True) / 127
            tensor = ((groups / scale).round() * scale).view(tensor.shape)
        state[name] = tensor
    twin.load_state_dict(state)
    return twin


@pytest.mark.parametrize("kind", ["int8", "bf16"])
@pytest.mark.parametrize("length", [1, 90, 390])
def test_the_graph_is_the_model(kind: Kind, length: int, model: LlamaForCausalLM) -> None:
    tokens = np.random.default_rng(0).integers(0, 512, length).tolist()
    keep = min(5, length)
    wanted = TorchRunner(rounded(model) if kind == "int8" else model)
    runner = runner_of(kind, model)

    exact = wanted.run(wanted.begin(), tokens, keep)
    given = runner.run(runner.begin(), tokens, keep)

    assert given.shape == exact.shape == (keep, 512)
    # The products' inputs are rounded too, by the runtime.
    assert np.abs(given - exact).max() < 0.05 * np.abs(exact).max()


def test_logits_of_every_piece_of_a_long_text_are_kept(model: LlamaForCausalLM) -> None:
    tokens = np.random.default_rng(2).integers(0, 512, 390).tolist()
    wanted, runner = TorchRunner(rounded(model)), int8(model)

    exact = wanted.run(wanted.begin(), tokens, 390)
    given = runner.run(runner.begin(), tokens, 390)
    some = runner.run(runner.begin(), tokens, 200)

    assert np.abs(given - exact).max() < 0.05 * np.abs(exact).max()
    assert (some == given[-200:]).all()


@pytest.mark.parametrize("make", [TorchRunner, int8, bf16], ids=["torch", "int8", "bf16"])
def test_reading_in_pieces_and_dropping_changes_nothing(make: Any, model: LlamaForCausalLM) -> None:
    runner: Runner = make(model)
    tokens = np.random.default_rng(1).integers(0, 512, 60).tolist()
    whole = runner.run(runner.begin(), tokens, 1)

    state = runner.begin(tokens[:20])
    runner.run(state, [*tokens[20:30], 7, 8, 9], 4)
    runner.drop(state, 3)
    assert runner.length(state) == 30
    runner.run(state, [*tokens[30:40], 1, 2], 1)
    runner.drop(state, 2)
    pieces = runner.run(state, tokens[40:], 1)

    assert np.abs(pieces - whole).max() < 0.03 * np.abs(whole).max()
    kept = runner.begin(tokens[:20])
    copied = runner.run(runner.copy(kept), tokens[20:], 1)
    again = runner.run(kept, tokens[20:], 1)
    assert np.abs(copied - whole).max() < 0.03 * np.abs(whole).max()
    assert (copied == again).all(), "what was read behind a copy changes nothing"


def test_int8_answers_under_the_same_constraint() -> None:
    tokenizer = tiny_tokenizer()
    schema = Schema.of(Bill)
    text = "Mill & Sons  Invoice A-1\nTotal  1,250.00 EUR"
    runner = int8(tiny_model(tokenizer))

    for drafts in (True, False):
        engine = LocalEngine(runner, tokenizer, {}, drafts=drafts)
        outputs = engine.generate([Request(schema, text, 200), Request(schema, text, 200)])
        assert outputs[0] == outputs[1], "one document leaves nothing behind for the next"
        assert set(Extractor(Bill, engine=engine).extract(text).values) == set(schema.field_names)


@pytest.mark.parametrize(
    "config",
    [
        GPT2Config(),
        LlamaConfig(attention_bias=True),
        LlamaConfig(rope_parameters={"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0}),
        LlamaConfig(hidden_act="gelu"),
    ],
)
def test_other_architectures_are_refused(config: PretrainedConfig) -> None:
    with pytest.raises(BaseModelError, match="plain Llama"):
        Architecture.of(config.to_dict())


def test_an_adapter_is_merged_as_peft_merges_it(tmp_path: Path) -> None:
    base = tiny_base(tmp_path / "base")
    plain, _ = base_model.load(base_model.find(str(base)), torch.float32)
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    tuned = get_peft_model(plain, config)
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    tuned.save_pretrained(str(tmp_path / "adapter"))
    weights = read_weights(base)
    before = weights["model.layers.0.mlp.up_proj.weight"].copy()

    add_adapter(weights, tmp_path / "adapter")

    merged = tuned.merge_and_unload().state_dict()
    assert np.abs(weights["model.layers.0.mlp.up_proj.weight"] - before).max() > 0.01
    for name, weight in weights.items():
        np.testing.assert_allclose(weight, merged[name].numpy(), atol=1e-6)


def test_weights_in_bf16_are_read_too(tmp_path: Path) -> None:
    tensor = torch.randn(3, 4).to(torch.bfloat16)
    save_file({"a": tensor}, tmp_path / "model.safetensors")

    assert (read_weights(tmp_path)["a"] == tensor.float().numpy()).all()
    with pytest.raises(BaseModelError, match=r"no \*\.safetensors"):
        read_weights(tmp_path / "empty")


@pytest.mark.parametrize("kinds", [("float32",) * 3, ("float16", "float32", "float64")])
def test_weights_of_any_width_and_shape_are_read(tmp_path: Path, kinds: tuple[str, ...]) -> None:
    shapes: tuple[tuple[int, ...], ...] = ((3, 5), (), (0, 4))
    tensors = {
        f"odd name {n}": torch.randn(shape).to(getattr(torch, kind))
        for n, (shape, kind) in enumerate(zip(shapes, kinds, strict=True))
    }
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})

    found = read_weights(tmp_path)

    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert (found[name].dtype, found[name].shape) == (np.float32, tuple(tensor.shape))
        assert (found[name] == tensor.float().numpy()).all()


@pytest.mark.parametrize("damage", ["cut", "shape", "missing"])
def test_damaged_weights_are_a_typed_error(tmp_path: Path, damage: str) -> None:
    folder = tiny_base(tmp_path)
    found = base_model.find(str(folder))
    weights, config = folder / "model.safetensors", folder / "config.json"
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif damage == "shape":
        settings = json.loads(config.read_text())
        config.write_text(json.dumps({**settings, "num_hidden_layers": 99}))
    else:
        weights.unlink()

    with pytest.raises(BaseModelError):
        prepare(found, None, "int8", None)()


def test_int8_needs_no_torch(tmp_path: Path) -> None:
    base = tiny_base(tmp_path)
    code = f"""
import sys
from extractor import Extractor
from schemas.receipt import Receipt
reader = Extractor(Receipt, base_model={str(base)!r}, engine="int8")
print(reader.extract("Mill\\nTotal 5.00").status, "torch" in sys.modules)
"""
    root = Path(__file__).parents[1]
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True
    )

    assert found.stdout.split() == ["complete", "False"]


@pytest.mark.parametrize("kind", ["fp32", "bf16", "int8"])
def test_every_format_is_loaded_by_name(kind: str, tmp_path: Path) -> None:
    base = tiny_base(tmp_path)

    reader = Extractor(Bill, base_model=str(base), engine=kind)

    assert reader.engine.identity["engine"] == kind
    assert reader.extract("Mill\nTotal 5.00").status == "complete"
    assert base_model.find(str(base)).sha256 == reader.engine.identity["base"]


def test_another_architecture_is_served_in_fp32(tmp_path: Path) -> None:
    base = tiny_base(tmp_path)
    assert set(available(base_model.find(str(base)))) >= {"int8"}
    config = base / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "attention_bias": True}))

    found = base_model.find(str(base))

    assert list(available(found)) == []
    assert choose("auto", None, found) == "fp32"


def adapter(**parity: Parity) -> Adapter:
    return Adapter(
        Path(), "base", "0", "Bill", "0", (), "1", "1", WindowConfig(), dict(parity), "0"
    )


def test_the_fastest_format_that_keeps_the_values_is_chosen() -> None:
    flips = (("a", "total"),) * 9
    same, worse = Parity(9, 300, 277, 280, flips), Parity(9, 300, 276, 280, flips)
    machine: list[Format] = ["int8", "bf16"]

    assert choose("auto", adapter(int8=same, bf16=same), machine=machine) == "int8"
    assert choose("auto", adapter(int8=worse, bf16=same), machine=machine) == "bf16"
    assert choose("auto", adapter(int8=worse), machine=machine) == "fp32"
    assert choose("auto", adapter(), machine=machine) == "fp32", (
        "what was not measured is not trusted"
    )
    assert choose("auto", adapter(int8=Parity(0, 0, 0, 0, ())), machine=machine) == "fp32"
    assert choose("auto", None, machine=machine) == "bf16"
    assert choose("auto", adapter(int8=same, bf16=same), machine=[]) == "fp32"
    assert choose("int8", adapter(int8=worse), machine=machine) == "int8", "asked for by name"
    with pytest.raises(ExtractorError, match="no engine 'fast'"):
        choose("fast", None)


def test_bf16_is_for_processors_that_multiply_it(tmp_path: Path) -> None:
    facts = tmp_path / "cpuinfo"
    facts.write_text("processor\t: 0\nflags\t\t: fpu avx512_bf16 amx_bf16 amx_tile\n")
    assert multiplies_bf16(facts)
    facts.write_text("processor\t: 0\nflags\t\t: fpu avx2 avx512_bf16\n")
    assert not multiplies_bf16(facts)
    assert not multiplies_bf16(tmp_path / "a system that tells nothing")


def test_flips_are_told_by_document_and_path_and_weighed_by_the_labels() -> None:
    wanted = Reading({"a": {"total": 1, "seller": None}, "b": {"total": 2}}, labelled=4, right=3)
    given = Reading(
        {"a": {"total": 1, "seller": "x", "rows[0].name": "y"}, "b": {"total": 2}}, 4, 2
    )

    found = against(wanted, given)

    assert found == Parity(2, 4, 2, 3, (("a", "rows[0].name"), ("a", "seller")))
    assert found.loss == 0.25
    assert against(given, wanted).loss == -0.25, "more right values than fp32 are no loss"
