"""Whatever lies in a folder is one line each, and what leaves is safe to print and to parse."""

from __future__ import annotations

import json
import os
import resource
import socket
import sys
import unicodedata
from pathlib import Path

import pytest

from extractor import Extractor, batch
from extractor.document import Document
from extractor.testing import CannedEngine
from tests.test_batch import Bill, first_words
from tests.test_document import TABLE, encrypted, pdf


@pytest.fixture
def extractor() -> Extractor[Bill]:
    return Extractor(Bill, engine=CannedEngine({"number": "1"}))


def categories(inbox: Path, extractor: Extractor[Bill], **options: bool) -> dict[str, str]:
    """Run a batch; return the category, or `read`, of each input by its path in the inbox."""
    output = inbox.parent / "records.jsonl"
    summary = batch.run(batch.inputs([inbox], **options), extractor, output)
    lines = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    found = {
        os.path.relpath(line["input"], inbox): (
            line["error"]["category"] if line["error"] else "read"
        )
        for line in lines
    }
    assert len(lines) == len(found) == summary.read + summary.kept
    assert summary.failed == sum(category != "read" for category in found.values())
    return found


def test_odd_inputs_are_one_line_each(tmp_path: Path, extractor: Extractor[Bill]) -> None:
    inbox = tmp_path / "inbox"
    (inbox / "folder.pdf").mkdir(parents=True)
    (inbox / "folder.pdf" / "within.txt").write_text("Bill 1")
    (inbox / "loop.pdf").symlink_to("loop.pdf")
    (inbox / "around").symlink_to(".")
    (inbox / "around.pdf").symlink_to(".")
    os.mkfifo(inbox / "pipe.pdf")
    (inbox / "zero.pdf").symlink_to("/dev/zero")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.relpath(inbox / "socket.pdf"))
    (inbox / "one.pdf").write_bytes(pdf(TABLE))
    (inbox / "two.pdf").write_bytes(pdf(TABLE))
    (inbox / ".hidden.pdf").write_bytes(pdf(TABLE))
    (inbox / "other.doc").write_text("no input")

    found = categories(inbox, extractor, recursive=True)
    listener.close()

    assert found == {
        "folder.pdf": "unsupported", "loop.pdf": "missing", "around.pdf": "unsupported",
        "pipe.pdf": "unsupported", "zero.pdf": "unsupported", "socket.pdf": "unsupported",
        "one.pdf": "read", "two.pdf": "read",
    }  # fmt: skip
    assert batch.left_out([inbox], recursive=True) == {".doc": 1}


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_what_may_not_be_read_is_one_line(tmp_path: Path, extractor: Extractor[Bill]) -> None:
    inbox = tmp_path / "inbox"
    (inbox / "closed").mkdir(parents=True)
    (inbox / "closed.pdf").write_bytes(pdf(TABLE))
    (inbox / "closed.pdf").chmod(0)
    (inbox / "closed").chmod(0)

    found = categories(inbox, extractor, recursive=True)
    (inbox / "closed").chmod(0o700)

    assert found == {"closed": "missing", "closed.pdf": "missing"}


def test_a_file_that_vanishes_after_listing_is_one_line(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for name in "abc":
        (inbox / f"{name}.txt").write_text(f"Bill {name}\nTotal 1.00")

    def answer(text: str) -> dict[str, str]:
        (inbox / "b.txt").unlink(missing_ok=True)
        return first_words(text)

    found = categories(inbox, Extractor(Bill, engine=CannedEngine(answer)))

    assert found == {"a.txt": "read", "b.txt": "missing", "c.txt": "read"}


@pytest.mark.skipif(sys.platform == "darwin", reason="its file names are always UTF-8")
def test_a_name_that_is_not_utf_8_is_one_line(tmp_path: Path, extractor: Extractor[Bill]) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for name in (b"\xff.pdf", b"\xfe\xff\n.pdf"):
        Path(os.fsdecode(os.path.join(os.fsencode(inbox), name))).write_bytes(pdf(TABLE))

    assert categories(inbox, extractor) == {"\\xff.pdf": "read", "\\xfe\\xff\n.pdf": "read"}


@pytest.mark.slow
def test_many_files_need_no_more_memory_than_few(
    tmp_path: Path, extractor: Extractor[Bill]
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for number in range(2000):
        (inbox / f"{number:05}.txt").write_text(f"Bill {number}\nTotal 1.00")
    first = tmp_path / "first"
    first.mkdir()
    for number in range(50):
        (first / f"{number:05}.txt").write_text(f"Bill {number}\nTotal 1.00")
    categories(first, extractor)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    found = categories(inbox, extractor)

    assert list(found.values()) == ["read"] * 2000
    after_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after_kib - before_kib < 20 * 1024


def test_an_encrypted_file_is_read_again_once_there_is_a_password(
    tmp_path: Path, extractor: Extractor[Bill]
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "locked.pdf").write_bytes(encrypted())
    (inbox / "open.pdf").write_bytes(pdf(TABLE))
    files, output = batch.inputs([inbox]), tmp_path / "records.jsonl"
    assert batch.run(files, extractor, output).failed == 1
    assert batch.run(files, extractor, output).read == 0

    wrong = batch.run(files, extractor, output, password="guess")
    assert (wrong.read, wrong.kept, wrong.failed) == (1, 1, 1)
    right = batch.run(files, extractor, output, password="secret")
    assert (right.read, right.kept, right.failed) == (1, 1, 0)
    assert batch.run(files, extractor, output).kept == 2

    for written in (output, tmp_path / ".records.journal"):
        assert b"secret" not in written.read_bytes()


def test_a_line_holds_no_control_character_whatever_the_name_and_the_error_say(
    tmp_path: Path, extractor: Extractor[Bill]
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    name = "a\x1b[31m\x07\x7f\x9b2J\u202e\u2066\u2028\r.pdf"
    (inbox / name).write_bytes(b"%PDF-1.7 nothing")
    output = tmp_path / "records.jsonl"

    batch.run(batch.inputs([inbox]), extractor, output)

    text = output.read_bytes().decode("utf-8")
    assert not [c for c in text[:-1] if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")]
    line = json.loads(text)
    assert os.path.basename(line["input"]) == name
    assert name in line["error"]["message"]


@pytest.mark.parametrize("name", ["\ud800.pdf", "\udcff.pdf", "a\udfff\n"])
def test_names_that_are_no_unicode_are_shown(name: str) -> None:
    """The name of an attachment may hold any half of a pair, a path those of its bytes only."""
    assert batch.shown(name).encode("utf-8")


def test_a_document_gives_valid_utf_8_whatever_it_holds() -> None:
    text = "".join(map(chr, (*range(0x500), *range(0xD7F0, 0xE010), *range(0xFFE0, 0x10010))))

    document = Document.from_text(text)

    document.text.encode("utf-8")
    assert {unicodedata.category(c) for c in document.text if c != "\n"}.isdisjoint(
        {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    )
