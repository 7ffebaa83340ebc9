"""The speed benchmark measures what it says: the same answers, and a table that adds up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pydantic import BaseModel

from benchmarks import chart, speed
from benchmarks.confidence import Kept, observe
from benchmarks.contestants import Contestant, Settings, json_schema, write_gguf
from extractor import Extractor, base_model
from extractor.fields import Identifier
from extractor.schema import Schema
from extractor.testing import CannedEngine
from schemas.invoice import Invoice
from tests.tiny import tiny_base
from training.corpus import LabelledDocument


class Bill(BaseModel):
    number: Identifier | None = None


def bills(count: int) -> list[LabelledDocument]:
    return [
        LabelledDocument(str(i), None, f"Bill A{i}", {"number": f"A{i}"}, group=str(i))
        for i in range(count)
    ]


def test_answers_are_kept_as_they_come_and_asked_for_once(tmp_path: Path) -> None:
    """A run is cut off after three answers, in the middle of writing the third."""
    file, schema, asked = tmp_path / "answers.jsonl", Schema.of(Bill), []
    reader = Extractor(Bill, engine=CannedEngine(lambda text: {"number": text.split()[-1]}))

    def counted() -> Extractor[Bill]:
        asked.append(1)
        return reader

    part = Kept(file, {"adapter": "a"}, resume=False)
    observe(counted, bills(3), schema, part)
    file.write_text(file.read_text()[:-40])
    resumed = observe(counted, bills(4), schema, Kept(file, {"adapter": "a"}, resume=True))
    whole = observe(lambda: reader, bills(4), schema, Kept(file, {}, resume=False))

    assert len(asked) == 3 + 2
    assert [one.answers for one in resumed] == [one.answers for one in whole]
    assert [one.group for one in resumed] == [0, 1, 2, 3]


def test_kept_answers_of_another_adapter_or_label_are_not_taken(tmp_path: Path) -> None:
    file, (labelled,) = tmp_path / "answers.jsonl", bills(1)
    Kept(file, {"adapter": "a"}, resume=False).of(labelled, lambda: {"right": True})
    changed = replace(labelled, fields={"number": None})
    again = Kept(file, {"adapter": "a"}, resume=True)

    assert again.of(labelled, lambda: {"right": False}) == {"right": True}
    assert again.of(changed, lambda: {"right": False}) == {"right": False}
    with pytest.raises(SystemExit, match="other options"):
        Kept(file, {"adapter": "b"}, resume=True)


TEXT = "Shop 7\n03/02/2024\nTOTAL 7.50"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    base = tiny_base(tmp_path_factory.mktemp("base"))
    return Settings("receipt", None, 1, 80, str(base))


def test_without_tricks_the_answer_is_the_same_and_takes_a_pass_for_each_token(
    settings: Settings,
) -> None:
    quick = Contestant("fp32", settings).read(None, TEXT)
    plain = Contestant("fp32_tricks_off", settings).read(None, TEXT)

    assert quick["texts"] == plain["texts"]
    assert plain["usage"]["passes"] == plain["usage"]["output_tokens"]
    assert quick["usage"]["passes"] < plain["usage"]["passes"]


def test_a_document_repeated_is_longer(settings: Settings) -> None:
    contestant = Contestant("fp32", settings)

    once, thrice = (contestant.read(None, TEXT, times)["text_tokens"] for times in (1, 3))

    assert 3 * once <= thrice <= 3 * once + 2


def test_passes_are_timed_by_width(settings: Settings) -> None:
    found = Contestant("fp32", settings).passes(1)

    assert list(found["pass_ms"]) == ["1", "4", "8", "16"]
    assert min(found["pass_ms"].values()) > 0


def test_the_json_schema_of_llama_cpp_asks_for_the_same_keys_in_order() -> None:
    schema = Schema.of(Invoice)

    written = json_schema(schema.root)

    assert written["required"] == list(schema.field_names)
    rows = written["properties"]["line_items"]["anyOf"][0]
    assert "description" in rows["items"]["properties"]


def answer(seconds_s: float, passes: int, text: str = "{}") -> dict[str, Any]:
    return {
        "seconds_s": seconds_s,
        "status": "complete",
        "usage": {"passes": passes, "output_tokens": 60, "prompt_tokens": 500, "windows": 1},
        "timings_s": {"decode": 0.8 * seconds_s, "mask": 0.2 * seconds_s},
        "texts": [text],
        "values": {"total": text},
    }


class Document:
    id = "a.pdf"


def test_the_table_compares_engines_and_names_the_values_that_differ() -> None:
    found = {
        "plain": speed.Measured(30.0, [answer(20.0, 60)], 1_500_000_000),
        "fp32": speed.Measured(9.0, [answer(5.0, 20)], 900_000_000),
        "int8": speed.Measured(4.0, [answer(2.0, 20, "{1}")], 600_000_000),
        "llama_cpp": speed.Measured(error="a.pdf: no answer"),
    }
    found["fp32"].probe = {
        "pass_ms": {"1": 80.0, "4": 90.0, "8": 100.0, "16": 150.0},
        "prefill_tokens_per_s": 300.0,
    }
    limits = {"gflops": {"fp32": 150.0}, "gflop_per_token": 0.25}
    lengths = [
        {"times": n, "text_tokens": 500 * n, "seconds_s": 2.0 * n, "windows": n, "output_tokens": 9}
        for n in (1, 2)
    ]
    options = speed.Options(
        Path("corpus"), Settings("invoice", None, 1, 80), 1, 1.0, 0, False, Path()
    )

    results = speed._results(options, [Document()], found, "int8", limits, lengths, None)
    table = speed.table(results)

    per_minute = results["documents_per_minute"]
    assert (per_minute["plain"], per_minute["product"], per_minute["llama_cpp"]) == (3, 30, None)
    assert results["engines"]["fp32"]["prefill_share_of_limit"] == 0.5
    assert results["engines"]["fp32"]["tokens_per_pass"] == 3
    assert results["engines"]["fp32"]["mask_share"] == pytest.approx(0.2)
    assert results["engines"]["plain"]["start_s"] == 10
    assert results["comparisons"]["fp32 against plain"]["identical"] == 1
    assert results["comparisons"]["int8 against fp32"]["flips"] == [["a.pdf", "total"]]
    assert "| fieldwright int8 | 30.0 | 10.0 | 4.0 | 2.0 | 20 | 3.00 | 600 |" in table
    assert "differs: a.pdf: total" in table
    json.dumps(results)
    ElementTree.fromstring(chart.draw(results, speed.TITLES))


@pytest.mark.slow
def test_the_benchmark_runs_from_corpus_to_results(settings: Settings, tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"{number}.txt").write_text(f"Shop {number}\n0{number + 1}/02/2024\nTOTAL 7.50")
        label = {"company": f"Shop {number}", "date": f"2024-02-0{number + 1}", "total": "7.50"}
        (tmp_path / f"{number}.json").write_text(json.dumps(label))
    given = ["--base-model", str(settings.base_model), "--schema", "receipt", "--quick"]

    speed.main([str(tmp_path), *given, "--threads", "1", "--output", str(tmp_path / "out")])

    results = json.loads((tmp_path / "out" / "speed.json").read_text())
    assert results["documents_per_minute"]["product"] > 0
    for found in results["comparisons"].values():
        assert found["documents"] == 1
    assert results["comparisons"]["fp32, tricks on against off"]["identical"] == 1
    assert results["comparisons"]["fp32 against plain"]["identical"] == 1


@pytest.mark.slow
def test_the_file_for_llama_cpp_holds_the_same_weights(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    base = base_model.find()
    write_gguf(base, None, tmp_path / "merged.gguf")

    loaded = AutoModelForCausalLM.from_pretrained(
        tmp_path, gguf_file="merged.gguf", dtype=torch.float32
    ).state_dict()

    plain, _ = base_model.load(base, torch.float32)
    for name, wanted in plain.state_dict().items():
        assert (loaded[name] - wanted).abs().max() <= 0.01 * wanted.abs().max(), name
