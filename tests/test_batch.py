"""A folder run: every input one line, whatever happens to the run."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import BaseModel

from extractor import Extractor, batch, export
from extractor.errors import OutputError
from extractor.fields import Identifier, Money
from extractor.testing import CannedEngine


class Bill(BaseModel):
    number: Identifier | None = None
    total: Money | None = None


def first_words(text: str) -> dict[str, str]:
    words = text.split()
    return {"number": words[1], "total": words[3]}


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.txt").write_text(f"Bill B{number}\nTotal {number}.50 EUR")
    return folder


@pytest.fixture
def extractor() -> Extractor[Bill]:
    return Extractor(Bill, engine=CannedEngine(first_words))


def lines(path: Path) -> list[batch.Line]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_input_is_one_line_in_order(
    inbox: Path, extractor: Extractor[Bill], tmp_path: Path
) -> None:
    output = tmp_path / "records.jsonl"

    summary = batch.run(batch.inputs([inbox]), extractor, output)

    assert (summary.read, summary.kept, summary.failed) == (6, 0, 0)
    assert [line["record"]["number"] for line in lines(output)] == [f"B{n}" for n in range(6)]
    field = lines(output)[3]["fields"]["total"]
    assert (field["value"], field["printed"]) == ("3.50", "3.50")
    evidence = field["evidence"]
    assert (evidence["status"], evidence["page"], evidence["text"]) == ("verified", 1, "3.50")


def test_a_second_run_adds_nothing_and_a_changed_file_is_read_again(
    inbox: Path, extractor: Extractor[Bill], tmp_path: Path
) -> None:
    output = tmp_path / "records.jsonl"
    batch.run(batch.inputs([inbox]), extractor, output)
    before = output.read_bytes()

    again = batch.run(batch.inputs([inbox]), extractor, output)
    assert (again.read, again.kept) == (0, 6)
    assert output.read_bytes() == before

    (inbox / "2.txt").write_text("Bill NEW\nTotal 9.00 EUR")
    changed = batch.run(batch.inputs([inbox]), extractor, output)
    assert (changed.read, changed.kept) == (1, 5)
    assert [line["record"]["number"] for line in lines(output)][2] == "NEW"
    assert len(lines(output)) == 6


def test_a_second_format_is_written_without_reading_again(
    inbox: Path, extractor: Extractor[Bill], tmp_path: Path
) -> None:
    batch.run(batch.inputs([inbox]), extractor, tmp_path / "records.jsonl")

    summary = batch.run(batch.inputs([inbox]), extractor, tmp_path / "records.xlsx")

    assert (summary.read, summary.kept) == (0, 6)


def test_another_extractor_reads_everything_again(
    inbox: Path, extractor: Extractor[Bill], tmp_path: Path
) -> None:
    output = tmp_path / "records.jsonl"
    batch.run(batch.inputs([inbox]), extractor, output)

    other = Extractor(Bill, engine=CannedEngine({"number": "1"}))

    assert batch.run(batch.inputs([inbox]), other, output).read == 6


def test_what_cannot_be_read_is_a_failed_line_and_the_rest_is_done(
    inbox: Path, extractor: Extractor[Bill], tmp_path: Path
) -> None:
    (inbox / "a.pdf").write_bytes(b"%PDF-1.7 nothing")
    (inbox / "b.pdf").write_bytes(b"MZ\x00\x01")
    (inbox / "c.pdf").mkdir()
    (inbox / "d.txt").write_text(" \n ")
    os.mkfifo(inbox / "e.pdf")
    (inbox / "f.txt").symlink_to(inbox / "nowhere")
    output = tmp_path / "records.jsonl"

    summary = batch.run(batch.inputs([inbox]), extractor, output)

    found = {os.path.basename(line["input"]): line for line in lines(output)}
    categories = {n: line["error"]["category"] for n, line in found.items() if line["error"]}
    assert summary.failed == 6
    assert categories == {
        "a.pdf": "broken", "b.pdf": "not_a_pdf", "c.pdf": "unsupported",
        "d.txt": "no_text", "e.pdf": "unsupported", "f.txt": "missing",
    }  # fmt: skip
    assert all(found[name]["error"]["hint"] for name in categories)


def test_a_name_that_is_not_utf_8_becomes_valid_json(
    extractor: Extractor[Bill], tmp_path: Path
) -> None:
    name = os.fsdecode(os.path.join(os.fsencode(tmp_path), b"b\xff\n.txt"))
    Path(name).write_text("Bill 1\nTotal 2.00")

    batch.run([name], extractor, tmp_path / "records.jsonl")

    assert lines(tmp_path / "records.jsonl")[0]["input"].endswith("b\\xff\n.txt")


SLOW = """
import sys, time
sys.path[:0] = {path!r}
from tests.test_batch import Bill, first_words
from extractor import Extractor, batch
from extractor.testing import CannedEngine

def answer(text):
    time.sleep(0.05)
    return first_words(text)

engine = CannedEngine(answer)
batch.run(batch.inputs([sys.argv[1]]), Extractor(Bill, engine=engine), sys.argv[2])
"""


def test_a_killed_run_goes_on_and_ends_like_an_uninterrupted_one(
    inbox: Path, extractor: Extractor[Bill], tmp_path: Path
) -> None:
    script = tmp_path / "run.py"
    script.write_text(SLOW.format(path=[str(Path(__file__).parents[1])]))
    output = tmp_path / "killed" / "records.jsonl"
    journal = output.with_name(".records.journal")
    for wanted in (1, 3):
        # Another seed of hashes in each process, as for a user: no key may hang on it.
        environment = {**os.environ, "PYTHONHASHSEED": str(wanted)}
        run = subprocess.Popen([sys.executable, script, inbox, output], env=environment)
        while not journal.exists() or journal.read_bytes().count(b"\n") < wanted:
            time.sleep(0.005)
        run.send_signal(signal.SIGKILL)
        run.wait()
    with journal.open("ab") as torn:
        torn.write(b'{"key": "half a li')

    subprocess.run([sys.executable, script, inbox, output], check=True)
    whole = tmp_path / "whole.jsonl"
    batch.run(batch.inputs([inbox]), extractor, whole)

    assert output.read_bytes() == whole.read_bytes()
    assert sorted(p.name for p in output.parent.iterdir()) == [journal.name, output.name]


def test_two_runs_do_not_write_one_output(
    inbox: Path, extractor: Extractor[Bill], tmp_path: Path
) -> None:
    output = tmp_path / "records.jsonl"

    def second(done: int, total: int) -> None:
        with pytest.raises(OutputError, match="another run is writing it"):
            batch.run([], extractor, output)

    batch.run(batch.inputs([inbox])[:1], extractor, output, progress=second)


def test_a_full_disk_is_named_and_the_old_output_stays(
    inbox: Path,
    extractor: Extractor[Bill],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output = tmp_path / "records.jsonl"
    output.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OutputError, match="the disk is full"):
        patch.setattr(os, "fsync", full)
        batch.run(batch.inputs([inbox]), extractor, output)

    assert output.read_text() == "old"
    assert batch.run(batch.inputs([inbox]), extractor, output).failed == 0


def test_a_run_out_of_room_goes_on_when_there_is_room_again(
    inbox: Path, extractor: Extractor[Bill], tmp_path: Path
) -> None:
    script = tmp_path / "run.py"
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))\n"
    script.write_text(limit + SLOW.format(path=[str(Path(__file__).parents[1])]))
    output = tmp_path / "small" / "records.jsonl"

    stopped = subprocess.run(
        [sys.executable, "-B", script, inbox, output], capture_output=True, text=True
    )
    assert "OutputError" in stopped.stderr
    assert "File too large" in stopped.stderr
    assert not output.exists()

    summary = batch.run(batch.inputs([inbox]), extractor, output)
    assert (len(lines(output)), summary.failed) == (6, 0)
    assert summary.kept >= 1


def test_a_journal_that_is_no_file_is_refused(
    inbox: Path, extractor: Extractor[Bill], tmp_path: Path
) -> None:
    """Reading /dev/full would never end."""
    (tmp_path / ".records.journal").symlink_to("/dev/full")

    with pytest.raises(OutputError, match="is not a file"):
        batch.run(batch.inputs([inbox]), extractor, tmp_path / "records.jsonl")


@pytest.mark.parametrize("damage", [b"[]\n", b"null\n", b"{}\n", b"\xff\n", b"\0" * 100])
def test_a_journal_with_a_foreign_line_is_used_up_to_it(
    damage: bytes, inbox: Path, extractor: Extractor[Bill], tmp_path: Path
) -> None:
    output = tmp_path / "records.jsonl"
    batch.run(batch.inputs([inbox]), extractor, output)
    whole = output.read_bytes()
    journal = tmp_path / ".records.journal"
    kept = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*kept[:2], damage, *kept[2:]]))

    summary = batch.run(batch.inputs([inbox]), extractor, output)

    assert (summary.kept, summary.read) == (2, 4)
    assert output.read_bytes() == whole


def test_a_failure_of_the_run_is_tried_again_and_one_of_the_document_is_not(
    inbox: Path, tmp_path: Path
) -> None:
    (inbox / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    broken = [True]

    def answer(text: str) -> dict[str, str]:
        if broken and "B3" in text:
            raise MemoryError
        return first_words(text)

    extractor = Extractor(Bill, engine=CannedEngine(answer))
    output = tmp_path / "records.jsonl"
    assert batch.run(batch.inputs([inbox]), extractor, output).failed == 2
    broken.clear()

    summary = batch.run(batch.inputs([inbox]), extractor, output)

    assert (summary.read, summary.kept, summary.failed) == (1, 6, 1)
    assert len(lines(tmp_path / ".records.journal")) == 7


def test_a_file_that_changes_while_it_is_read_is_never_recorded_half_and_half(
    inbox: Path, tmp_path: Path
) -> None:
    changes = [9, 8]

    def answer(text: str) -> dict[str, str]:
        if changes and "B3" in text:
            (inbox / "3.txt").write_text(f"Bill B3\nTotal {changes.pop()}.00 EUR")
        return first_words(text)

    output = tmp_path / "records.jsonl"
    batch.run(batch.inputs([inbox]), Extractor(Bill, engine=CannedEngine(answer)), output)
    assert lines(output)[3]["record"] == {"number": "B3", "total": "9.00"}

    changes[:] = range(10, 20)
    (inbox / "3.txt").write_text("Bill B3\nTotal 1.00 EUR")
    batch.run(batch.inputs([inbox]), Extractor(Bill, engine=CannedEngine(answer)), output)
    assert lines(output)[3]["error"]["message"] == "the file changed while it was read"


def test_a_file_named_twice_is_one_input(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(inbox)

    found = batch.inputs(["1.txt", "./1.txt", inbox, "../inbox/2.txt", "gone.txt"])

    assert found == ["1.txt", *(str(inbox / f"{n}.txt") for n in (0, 2, 3, 4, 5)), "gone.txt"]


def test_folders_in_folders_are_read_when_asked_for(inbox: Path) -> None:
    (inbox / "deep").mkdir()
    (inbox / "deep" / "z.txt").write_text("Bill Z")

    assert len(batch.inputs([inbox])) == 6
    assert str(inbox / "deep" / "z.txt") in batch.inputs([inbox], recursive=True)


class Basket(BaseModel):
    number: Identifier | None = None
    lines: list[Bill] = []


def test_the_record_of_a_line_is_one_that_the_class_takes(tmp_path: Path) -> None:
    """`values` says null for a list that was not found, `record` what the class made of it."""
    (tmp_path / "a.txt").write_text("Bill 1")
    extractor = Extractor(Basket, engine=CannedEngine({"number": "1"}))

    batch.run([str(tmp_path / "a.txt")], extractor, tmp_path / "records.jsonl")

    (line,) = lines(tmp_path / "records.jsonl")
    assert Basket.model_validate(line["record"]) == Basket(number="1", lines=[])
    assert line["values"] == {"number": "1", "lines": None}


def test_a_line_is_one_line_for_every_reader(tmp_path: Path) -> None:
    line = {"input": "a\u2028b\x85c\nd\ud800"}

    text = export.as_text(line)

    assert [text] == text.splitlines()
    assert json.loads(text.encode()) == line
