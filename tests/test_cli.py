"""The command line as a stranger uses it: data on stdout, the rest on stderr, stable exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

import extractor
from tests.test_document import encrypted
from tests.tiny import tiny_base

MAIN = "from extractor.cli import main; main()"
# The same with the engine that `extractor.testing` gives, for what does not hang on a model.
CANNED = """
import os
import time
from extractor import cli, pipeline
from extractor.testing import CannedEngine

def answer(text):
    if text.split()[1] == os.environ.get("STALLS_AT"):
        time.sleep(60)
    return {"company": text.split()[0]}

class Extractor(pipeline.Extractor):
    def __init__(self, schema, *, adapter, base_model, engine, threads, **others):
        super().__init__(schema, engine=CannedEngine(answer), **others)

pipeline.Extractor = Extractor
cli.main()
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}


def run(
    *arguments: object, cwd: Path | None = None, code: str = MAIN
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=ENVIRONMENT,
        check=False,
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "a.txt").write_text("Invoice A-1\nTotal 12.50 EUR")
    return folder


@pytest.mark.parametrize(
    "command",
    [["lint"], ["pairs"], ["train"], ["advise"], ["evaluate"], ["extract"], ["schemas", "list"],
     ["schemas", "show"], ["schemas", "copy"]],
    ids=" ".join,
)  # fmt: skip
def test_the_help_of_each_command_ends_with_an_example(command: list[str]) -> None:
    result = run(*command, "--help")

    assert result.returncode == 0
    assert f"Example: extractor {' '.join(command)}" in " ".join(result.stdout.split())


def test_records_go_to_stdout_and_the_rest_to_stderr(inbox: Path) -> None:
    result = run("extract", inbox, "--schema", "receipt", code=CANNED)

    assert result.returncode == 0
    (line,) = result.stdout.splitlines()
    assert json.loads(line)["input"].endswith("a.txt")
    assert "1 documents, 0 failed" in result.stderr
    assert "together" not in result.stderr


def test_files_that_are_no_documents_are_told_and_not_read(inbox: Path) -> None:
    for name in ("photo.raw", "setup.exe", "other.exe", ".hidden"):
        (inbox / name).write_bytes(b"MZ")

    result = run("extract", inbox, "--schema", "receipt", code=CANNED)

    assert result.returncode == 0
    assert "left out: 3 files that are no documents by their names (.exe, .raw)" in result.stderr
    assert not any("exe" in line for line in result.stdout.splitlines())


def test_where_the_time_went_is_said_when_asked_for(inbox: Path) -> None:
    result = run("extract", inbox, "--schema", "receipt", "--profile", code=CANNED)

    assert len(result.stdout.splitlines()) == 1
    titles = [line.split("  ")[0] for line in result.stderr.splitlines()]
    stages = ["reading", "prompt", "constraint", "prefill", "decode", "mask", "drafts",
              "evidence", "writing", "the rest", "together"]  # fmt: skip
    assert [title for title in titles if title in stages] == stages


def test_overlays_are_drawn_beside_the_records(inbox: Path, tmp_path: Path) -> None:
    canvas = Canvas(str(inbox / "b.pdf"))
    canvas.drawString(50, 500, "Invoice A-1")
    canvas.save()
    folder = tmp_path / "overlays"

    result = run("extract", inbox, "--schema", "receipt", "--overlay", folder, code=CANNED)

    assert result.returncode == 0
    assert "1 overlays in" in result.stderr
    assert [path.name[:2] for path in folder.iterdir()] == ["b-"]


def test_scans_are_left_alone_where_ocr_is_switched_off(inbox: Path) -> None:
    Image.new("RGB", (90, 90), "white").save(inbox / "b.png")

    result = run("extract", inbox, "--schema", "receipt", "--ocr", "never", code=CANNED)
    wrong = run("extract", inbox, "--schema", "receipt", "--ocr", "sometimes", code=CANNED)

    _, line = map(json.loads, result.stdout.splitlines())
    assert result.returncode == 1
    assert line["error"]["category"] == "no_text" and "--ocr auto" in line["error"]["hint"]
    assert wrong.returncode == 2 and "'auto', 'never', 'always'" in wrong.stderr


def test_a_failed_document_makes_the_exit_code_1_and_the_rest_is_done(
    inbox: Path, tmp_path: Path
) -> None:
    (inbox / "b.pdf").write_bytes(b"\xff\xfe nothing")
    output = tmp_path / "records.jsonl"

    result = run("extract", inbox, "--schema", "receipt", "--output", output, code=CANNED)

    assert result.returncode == 1
    assert [json.loads(line)["status"] for line in output.read_text().splitlines()][1] == "failed"


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["extract", "nowhere", "--schema", "invoice"], "nowhere: no such file", "check the path"),
        (["extract", ".", "--schema", "invoyce"], "no ready-made schema 'invoyce'", "contract"),
        (["extract", "empty", "--schema", "invoice"], "empty: no document in it", ".pdf"),
        (["extract", ".", "--schema", "x.py:A"], "no file x.py", "path of the Python file"),
        (["train", "--schema", "invoice", "--corpus", "none", "--output", "a"],
         "corpus none: no such folder", "folder of the labels"),
        (["extract", "a.txt", "--schema", "invoice", "--output", "a.doc"],
         "a.doc: unknown format .doc", ".xlsx"),
        (["extract", "a.txt", "--schema", "invoice", "--adapter", "empty"],
         "no readable manifest.json", "extractor train"),
        (["extract", "a.txt"], "schema", "--help"),
        (["extract", "a.txt", "--schema", "invoice", "--output", "a.txt/b/c.csv"],
         "a.txt is not a folder", "another output"),
        (["pairs", "--schema", "invoice", "--corpus", "empty", "--output", "empty"],
         "empty: is a folder", "name a file"),
        (["evaluate", "--schema", "invoice", "--corpus", "empty", "--output", "report.html"],
         "report.html: a report is JSON", ".json"),
        (["train", "--schema", "invoice", "--corpus", "empty", "--output", "a.txt"],
         "a.txt is not a folder", "another output"),
        (["schemas", "copy", "invoyce"], "no ready-made schema 'invoyce'", "receipt"),
        (["schemas", "copy", "invoice", "--output", "a.txt"], "a.txt: cannot be written", "name"),
        (["train", "--schema", "invoice", "--corpus", "empty", "--output", "a",
          "--learning-rate", "5"], "learning_rate must be between 0 and 1", ""),
        (["advise", "--schema", "invoice", "--corpus", "empty", "--output", "a",
          "--budget", "soon"], "expected a duration such as 60m", ""),
        (["advise", "--schema", "invoice", "--corpus", "empty", "--output", "a",
          "--rules", "none.toml"], "rules none.toml: No such file", "check the path"),
    ],
)  # fmt: skip
def test_wrong_use_is_one_line_a_hint_and_exit_code_2(
    arguments: list[str], message: str, hint: str, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").write_text("Bill 1")

    result = run(*arguments, cwd=tmp_path)

    assert result.returncode == 2, result.stderr
    assert message in result.stderr
    assert hint in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_ctrl_c_is_exit_code_130(inbox: Path, tmp_path: Path) -> None:
    for number in range(120):
        (inbox / f"{number}.txt").write_text(f"Bill {number}\nTotal {number}.00 EUR")
    output = tmp_path / "records.jsonl"
    arguments = ["extract", inbox, "--schema", "receipt", "--output", output]
    process = subprocess.Popen(
        [sys.executable, "-c", CANNED, *map(str, arguments)],
        stderr=subprocess.PIPE,
        text=True,
        env={**ENVIRONMENT, "STALLS_AT": "57"},
        # As in a terminal: a background job of a script inherits that the signal is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    journal = output.with_name(".records.journal")
    while not journal.exists() or journal.stat().st_size == 0:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)

    assert process.returncode == 130
    assert "interrupted" in errors

    assert run(*arguments, code=CANNED).returncode == 0
    assert len(output.read_text().splitlines()) == 121


def test_a_full_disk_behind_stdout_is_told(inbox: Path) -> None:
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-c", CANNED, "extract", inbox, "--schema", "receipt"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )

    assert result.returncode == 2
    assert "error: stdout: the disk is full" in result.stderr
    assert "Traceback" not in result.stderr


def test_who_reads_stdout_may_stop_when_he_has_enough(inbox: Path) -> None:
    for number in range(30):
        (inbox / f"{number}.txt").write_text(f"Bill {number}")
    process = subprocess.Popen(
        [sys.executable, "-c", CANNED, "extract", inbox, "--schema", "receipt"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()

    assert process.wait(timeout=120) == 0
    with process.stderr as stream:
        assert b"Error" not in stream.read()


def test_a_name_cannot_steer_the_terminal_nor_forge_a_line(tmp_path: Path) -> None:
    result = run("extract", "x\x1b[2J\nerror: all is lost", "--schema", "invoice", cwd=tmp_path)

    assert result.returncode == 2
    assert "\x1b" not in result.stderr
    assert (
        result.stderr.splitlines()[0] == "error: x?[2J error: all is lost: no such file or folder"
    )


def test_a_hostile_name_and_file_leave_no_control_character_on_stdout_nor_stderr(
    tmp_path: Path,
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "a\x1b[2J\x9b1m\x07\u202e.pdf").write_bytes(b"%PDF-1.7 \x1b[2J nothing")
    (inbox / "b.txt").write_bytes(b"Corner\x1b[31m \xc2\x9b2J Bakery\x07 12.00")

    result = run("extract", inbox, "--schema", "receipt", code=CANNED)

    assert result.returncode == 1
    assert len(result.stdout.splitlines()) == 2
    assert not set("\x1b\x07\x9b\u202e") & set(result.stdout + result.stderr)


def test_the_password_of_an_encrypted_file_is_given_or_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "locked.pdf").write_bytes(encrypted())
    (tmp_path / "password").write_text("secret\n")
    arguments = ["extract", tmp_path / "locked.pdf", "--schema", "receipt"]

    for given, code in (
        ([], 1),
        (["--password", "secret"], 0),
        (["--password-file", tmp_path / "password"], 0),
        (["--password-file", tmp_path / "none"], 2),
        (["--password", "secret", "--password-file", tmp_path / "password"], 2),
    ):
        result = run(*arguments, *given, code=CANNED)
        assert result.returncode == code, given
        assert not {"secret"} & set((result.stdout + result.stderr).split())
        if code == 1:
            assert json.loads(result.stdout)["error"]["category"] == "encrypted"


def test_without_a_command_the_help_is_shown() -> None:
    result = run()

    assert (result.returncode, result.stdout) == (2, "")
    assert "130 interrupted" in result.stderr
    assert run("--version").stdout.strip() == extractor.__version__


def test_schemas_are_listed_shown_and_copied(tmp_path: Path) -> None:
    listed = run("schemas", "list").stdout
    assert {line.split("\t")[0] for line in listed.splitlines()} == {
        "invoice", "receipt", "contract",
    }  # fmt: skip
    assert "iban: iban | account to pay to" in run("schemas", "show", "invoice").stdout

    copied = run("schemas", "copy", "receipt", "--output", "mine.py", cwd=tmp_path)
    assert copied.returncode == 0
    shown = run("schemas", "show", "mine.py:Receipt", cwd=tmp_path)
    assert shown.stdout == run("schemas", "show", "receipt").stdout
    assert run("schemas", "copy", "receipt", "--output", "mine.py", cwd=tmp_path).returncode == 2


def test_a_corpus_is_trained_evaluated_and_used(base: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number in range(8):
        (corpus / f"{number}.txt").write_text(
            f"Shop {number}\n0{number + 1}/02/2024\nTOTAL {number}.50"
        )
        label = {
            "company": f"Shop {number}",
            "date": f"2024-02-0{number + 1}",
            "total": f"{number}.50",
        }
        (corpus / f"{number}.json").write_text(json.dumps(label))
    common = ["--schema", "receipt", "--corpus", corpus, "--base-model", base]

    written = tmp_path / "pairs.jsonl"
    pairs = run("pairs", *common, "--output", written)
    assert pairs.returncode == 0, pairs.stderr
    assert len(written.read_text().splitlines()) == 6, "held-out documents are no training pairs"
    pairs = run("pairs", *common, "--output", written, "--split", "all")
    assert pairs.returncode == 0, pairs.stderr
    pair = json.loads(written.read_text().splitlines()[0])
    assert pair["target"] == '{"company":"Shop 0","date":"01/02/2024","total":"0.50"}'

    adapter = tmp_path / "adapter"
    trained = run("train", *common, "--output", adapter, "--epochs", 1, "--synthetic", 4)
    assert trained.returncode == 0, trained.stderr
    assert "about 1 minutes" in trained.stderr
    finished = run("train", *common, "--output", adapter, "--resume")
    assert finished.returncode == 2
    assert "this run is finished" in finished.stderr

    report = tmp_path / "report.json"
    scored = run("evaluate", *common, "--adapter", adapter, "--compare", "--output", report)
    assert scored.returncode == 0, scored.stderr
    assert "macro F1, single values" in scored.stdout
    assert "before" in json.loads(report.read_text())
    assert "<svg" in report.with_suffix(".html").read_text()
    # Another deal holds out documents that were trained on: they prove nothing.
    options = ["--adapter", adapter, "--seed", 3, "--output", report]
    other = run("evaluate", *common, *options)
    assert "the adapter was trained on" in other.stderr

    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "new.txt").write_text("Shop 77\n03/02/2024\nTOTAL 7.50")
    output = tmp_path / "records.xlsx"
    options = ["--schema", "receipt", "--adapter", adapter, "--base-model", base]
    used = run("extract", inbox, *options, "--output", output)
    assert used.returncode == 0, used.stderr
    assert output.exists()
