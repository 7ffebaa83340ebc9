"""Where the time went, and that documents are read while the model answers."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from extractor import Extractor, batch
from extractor.document import Document
from extractor.fields import Identifier, Money
from extractor.pipeline import Extraction
from extractor.profile import STAGES, Profile
from extractor.schema import AnySchema
from extractor.testing import CannedEngine
from tests.tiny import tiny_base


class Bill(BaseModel):
    number: Identifier | None = None
    total: Money | None = None


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.txt").write_text(f"Bill B{number}\nTotal {number}.50 EUR")
    return folder


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Extractor[Bill]:
    base = tiny_base(tmp_path_factory.mktemp("base"))
    return Extractor(Bill, base_model=str(base), engine="fp32")


class Watched:
    """An extractor that notes how many documents were read when each is answered."""

    def __init__(self) -> None:
        self.extractor = Extractor(Bill, engine=CannedEngine({"number": "B0"}))
        self.reads: list[str] = []
        self.ahead: list[int] = []
        self.next_is_read = threading.Event()

    @property
    def schema(self) -> AnySchema:
        return self.extractor.schema

    @property
    def identity(self) -> dict[str, str]:
        return self.extractor.identity

    def read(self, source: Any, *, password: str | None = None) -> Document:
        self.reads.append(source.name)
        if len(self.reads) > 1:
            self.next_is_read.set()
        return self.extractor.read(source, password=password)

    def extract(self, source: Any) -> Extraction[Any]:
        assert self.next_is_read.wait(20), "no other document is read meanwhile"
        self.ahead.append(len(self.reads) - len(self.ahead) - 1)
        return self.extractor.extract(source)


def test_documents_are_read_while_another_is_answered_in_order_and_never_many(
    inbox: Path, tmp_path: Path
) -> None:
    watched = Watched()
    output = tmp_path / "records.jsonl"

    batch.run(batch.inputs([inbox]), watched, output)

    lines = output.read_text().splitlines()
    names = [f"{number}.txt" for number in range(8)]
    assert watched.reads == names
    assert [Path(json.loads(line)["input"]).name for line in lines] == names
    assert 0 <= min(watched.ahead) and max(watched.ahead) <= 3


def test_what_an_earlier_run_did_is_not_read_ahead(inbox: Path, tmp_path: Path) -> None:
    watched = Watched()
    batch.run(batch.inputs([inbox])[:5], watched, tmp_path / "records.jsonl")
    watched.reads.clear()

    summary = batch.run(batch.inputs([inbox]), watched, tmp_path / "records.jsonl")

    assert (summary.read, summary.profile.documents) == (3, 3)
    assert watched.reads == ["5.txt", "6.txt", "7.txt"]


def test_the_stages_of_a_document_add_up(reader: Extractor[Bill]) -> None:
    extraction = reader.extract("Bill B1\nTotal 1.50 EUR")
    spent_s = extraction.timings_s

    assert set(spent_s) <= set(STAGES)
    told = {"read", "prompt", "constraint", "prefill", "decode", "mask", "choose", "draft"}
    assert told <= set(spent_s)
    assert min(spent_s.values()) >= 0
    assert spent_s["rest"] < 0.5 * sum(spent_s.values())


def test_the_stages_of_a_run_add_up_to_it(
    reader: Extractor[Bill], inbox: Path, tmp_path: Path
) -> None:
    profile = batch.run(batch.inputs([inbox]), reader, tmp_path / "records.jsonl").profile

    assert profile.documents == 8
    assert sum(profile.seconds_s.values()) == pytest.approx(profile.total_s)
    assert set(profile.seconds_s) == set(STAGES)
    assert profile.usage["passes"] > 8
    assert profile.tokens_per_pass == profile.usage["output_tokens"] / profile.usage["passes"]


def test_the_table_says_seconds_and_shares() -> None:
    profile = Profile(
        documents=2,
        total_s=10.0,
        seconds_s={"prefill": 2.5, "decode": 6.7, "choose": 0.3, "mask": 0.5},
        ahead_s=1.0,
        usage={"passes": 40, "output_tokens": 100},
    )

    lines = [" ".join(line.split()) for line in profile.lines()]

    assert "prefill 2.50 25.0%" in lines
    assert "reading 0.00 0.0%" in lines
    assert "together 10.00" in lines
    assert "reading beside the model: 1.00 s more" in lines
    assert lines[-1] == "2 documents, 40 passes, 2.5 tokens per pass"
    assert profile.mask_share == pytest.approx(0.5 / 7.5)
