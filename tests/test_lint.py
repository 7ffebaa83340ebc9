"""Lint finds planted faults, is silent on a clean corpus, and serves a pipeline."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from reportlab.pdfgen.canvas import Canvas

from extractor.schema import Schema
from schemas.contract import Contract
from schemas.invoice import Invoice
from tests.test_cli import run
from training import corpus
from training.lint import RULES, LintConfig, LintReport, lint, read_baseline, write_baseline

Row = dict[str, Any]
SELLERS = ("Ardent Brass", "Bluewater Tools", "Cobalt Printing", "Dunmore Textiles", "Elm Bakery",
           "Foxglove Florists")  # fmt: skip
BUYERS = ("Granite Hotels", "Harbour Clinic", "Ivory School", "Juniper Gardens", "Kestrel Museum")
GOODS = ("walnut shelf", "copper kettle", "linen towel", "garden chair", "paper lantern",
         "woollen blanket", "steel ladder")  # fmt: skip
IBANS = ("DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606")


def invoice(number: int) -> Row:
    """Return one of a corpus of invoices that has no fault but its size."""
    seller, buyer = SELLERS[number % 6], BUYERS[number % 5]
    prices = [11 + 3 * number, 42 + 7 * (number % 9)]
    rows = [
        {"description": GOODS[(number + 3 * i) % 7], "quantity": "2", "unit_price": f"{price}.00",
         "line_total": f"{2 * price}.00"}
        for i, price in enumerate(prices)
    ]  # fmt: skip
    net = 2 * sum(prices)
    tax = f"{net * 0.2:.2f}"
    iban = IBANS[number % 3] if number % 4 else None
    code = f"{seller[0]}-{4000 + 37 * number}"
    lines = [
        f"{seller} Ltd",
        f"Invoice number: {code}",
        f"Invoice date: {1 + number % 9} May 2025",
        f"Due date: {11 + number % 9} June 2025",
        f"Bill to: {buyer}",
        f"Note {number * 7919}: thank you for order {number * 104729} of the spring season",
    ]
    money = ("EUR", "USD", "GBP")[number % 3]
    vat = f"GB{301564927 + 1111 * (number % 6)}"
    lines += [f"VAT number: {vat}"]
    lines += [f"{r['description']}  2  {r['unit_price']}  {r['line_total']}" for r in rows]
    lines += [f"Net amount: {net}.00 {money}", f"VAT: {tax}", f"Total: {net * 1.2:.2f} {money}"]
    lines += [f"IBAN: {iban}"] if iban else []
    # Each document has some words of its own, as real ones have.
    letters = str.maketrans("0123456789", "aeioulmnrs")
    lines += [" ".join(str(10**6 + number * k * 7919).translate(letters) for k in range(1, 40))]
    fields = {
        "invoice_number": code, "issue_date": f"2025-05-0{1 + number % 9}",
        "due_date": f"2025-06-{11 + number % 9}", "seller_name": f"{seller} Ltd",
        "seller_vat_id": vat,
        "buyer_name": buyer, "currency": money, "net_total": f"{net}.00", "tax_total": tax,
        "gross_total": f"{net * 1.2:.2f}", "iban": iban, "line_items": rows,
    }  # fmt: skip
    return {"id": f"{number:02}", "document": None, "text": "\n".join(lines), "fields": fields}


def looked(folder: Path, rows: list[Row], schema: Any = Invoice, **config: Any) -> LintReport:
    folder.mkdir(exist_ok=True)
    text = "\n".join(json.dumps(row) for row in rows)
    (folder / "labels.jsonl").write_text(text, encoding="utf-8")
    return lint(corpus.read(folder), Schema.of(schema), LintConfig(**config))


def codes(report: LintReport, document: str = "") -> set[str]:
    return {item.code for item in report.findings if item.document in ("", document)}


CLEAN = [invoice(number) for number in range(30)]


def test_a_clean_corpus_gives_no_error_and_no_warning(tmp_path: Path) -> None:
    report = looked(tmp_path, CLEAN)

    assert [] == [item.line() for item in report.findings if item.severity != "info"]


def put(name: str, value: Any) -> Callable[[Row], None]:
    return lambda row: row["fields"].update({name: value})


def put_row(key: str, value: Any) -> Callable[[Row], None]:
    return lambda row: row["fields"]["line_items"][1].update({key: value})


def exchange(old: str, new: str) -> Callable[[Row], None]:
    return lambda row: row.update(text=row["text"].replace(old, new))


def swap(first: str, second: str) -> Callable[[Row], None]:
    def change(row: Row) -> None:
        fields = row["fields"]
        fields[first], fields[second] = fields[second], fields[first]

    return change


# Document 13: Bluewater Tools Ltd, 14 May... the net total is 242.00.
FAULTS: list[tuple[str, str, Callable[[Row], None]]] = [
    ("label-invalid", "no date", put("issue_date", "the third")),
    ("field-unknown", "a misspelled field", put("invoice_numbr", "1")),
    ("placeholder", "N/A", put("buyer_name", "N/A")),
    ("null-mixed", "blank beside null", put("iban", "")),
    ("list-repeats", "a row twice", lambda row: row["fields"]["line_items"].append(
        row["fields"]["line_items"][0])),
    ("value-missing", "another amount", put("gross_total", "9471.13")),
    ("value-missing", "another buyer", put("buyer_name", "Zirconium Opera House")),
    ("value-nearly", "a misspelled name", put("seller_name", "Bluewatar Tools Ltd")),
    ("value-sign", "a sign too many", put_row("line_total", "-140.00")),
    ("value-scattered", "words apart", put("buyer_name", "Juniper spring Gardens")),
    ("value-rewritten", "Limited for Ltd", put("seller_name", "Bluewater Tools Limited")),
    ("text-garbled", "no code table", exchange("Bill to", "�(cid:12)(cid:13)")),
    ("text-sparse", "few words", lambda row: row.update(text="Invoice 13")),
    ("null-but-printed", "an IBAN left out", put("iban", None)),
    ("cue-unlabelled", "a date left out", put("due_date", None)),
    ("cue-disagrees", "dates exchanged", swap("issue_date", "due_date")),
    ("date-order", "dates exchanged", swap("issue_date", "due_date")),
    ("cue-disagrees", "net for gross", put("gross_total", "268.00")),
    ("sum-total", "net for gross", swap("gross_total", "net_total")),
    ("sum-lines", "a row left out", lambda row: row["fields"]["line_items"].pop()),
    ("row-product", "another quantity", put_row("quantity", "3")),
    ("currency-sign", "another currency", put("currency", "CHF")),
    ("iban-checksum", "digits exchanged", put("iban", "GB29NWBK60161331926891")),
    ("same-value", "the buyer is the seller", put("buyer_name", "Bluewater Tools Ltd")),
    ("parties-exchanged", "seller for buyer", swap("seller_name", "buyer_name")),
    ("spelling-varies", "a letter left out", put("seller_name", "Bluewater Tool Ltd")),
    ("spelling-punctuation", "capitals", put("seller_name", "BLUEWATER TOOLS LTD")),
    ("outlier-year", "digits exchanged", put("issue_date", "2052-05-05")),
    ("outlier-pattern", "another number", put("invoice_number", "1370681")),
    ("format-mixed", "decimal comma", put("tax_total", "48,40 EUR")),
]  # fmt: skip


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    return codes(looked(tmp_path_factory.mktemp("clean"), CLEAN), "13")


@pytest.mark.parametrize(
    ("code", "plant"),
    [(code, plant) for code, _, plant in FAULTS],
    ids=[f"{code}: {what}" for code, what, _ in FAULTS],
)
def test_a_planted_fault_is_found_in_its_document(
    tmp_path: Path, before: set[str], code: str, plant: Callable[[Row], None]
) -> None:
    rows = copy.deepcopy(CLEAN)
    plant(rows[13])

    after = codes(looked(tmp_path, rows), "13")

    assert code not in before
    assert code in after


def test_the_same_text_with_other_labels_is_a_conflict(tmp_path: Path) -> None:
    twin = {**copy.deepcopy(CLEAN[13]), "id": "twin"}
    twin["fields"]["invoice_number"] = "B-4999"

    report = looked(tmp_path, [*CLEAN, twin])

    assert {"duplicate", "duplicate-conflict"} <= codes(report, "twin")
    assert report.fails()


def test_duplicates_and_sellers_in_two_splits_are_errors(tmp_path: Path) -> None:
    rows = [{**row, "split": "train"} for row in CLEAN]
    twin = {**CLEAN[13], "id": "twin", "split": "test"}

    report = looked(tmp_path, [*rows, twin])

    assert {"duplicate-across-splits", "group-across-splits"} <= codes(report, "twin")


def test_a_template_in_two_splits_is_told_from_a_duplicate(tmp_path: Path) -> None:
    words = CLEAN[13]["text"].split("\n")
    other = "\n".join([*words[:-1], " ".join(words[-1].split()[:30]), "seen elsewhere too"])
    rows = [{**row, "split": "train", "group": row["id"]} for row in CLEAN]
    layout = {**CLEAN[13], "id": "like", "group": "like", "text": other, "split": "test"}

    report = looked(tmp_path, [*rows, layout], near_duplicate=0.99)

    assert "template-across-splits" in codes(report, "like")
    assert "duplicate-across-splits" not in codes(report, "like")


def test_held_out_documents_of_another_kind_are_drift(tmp_path: Path) -> None:
    rows = [{**copy.deepcopy(row), "split": "test" if i >= 20 else "train"}
            for i, row in enumerate(CLEAN)]  # fmt: skip
    for row in rows[20:]:
        row["fields"]["due_date"] = None

    report = looked(tmp_path, rows)

    assert ("drift", "due_date") in {(item.code, item.field) for item in report.findings}


def test_few_and_constant_values_are_told(tmp_path: Path) -> None:
    rows = copy.deepcopy(CLEAN[:12])
    for row in rows[4:]:
        row["fields"]["iban"] = None
    for row in rows:
        row["fields"]["due_date"] = "2025-06-11"

    report = looked(tmp_path, rows)

    found = {(item.code, item.field) for item in report.findings}
    assert ("few-documents", "") in found
    assert ("few-values", "iban") in found
    assert ("constant", "due_date") in found
    assert ("no-negatives", "buyer_name") in found


def test_only_the_first_party_is_told_where_others_list_all(tmp_path: Path) -> None:
    rows = [
        {"id": str(i), "document": None, "text": f"Between {SELLERS[i % 6]} and {BUYERS[i % 5]}",
         "fields": {"parties": [SELLERS[i % 6], BUYERS[i % 5]]}}
        for i in range(20)
    ]  # fmt: skip
    rows[7]["fields"] = {"parties": [SELLERS[1]]}

    report = looked(tmp_path, rows, Contract)

    assert "list-first-only" in codes(report, "7")


def test_one_number_with_two_names_is_told(tmp_path: Path) -> None:
    rows = copy.deepcopy(CLEAN)
    rows[13]["fields"]["seller_vat_id"] = rows[12]["fields"]["seller_vat_id"]

    report = looked(tmp_path, rows)

    assert {"names-per-id", "ids-per-name"} <= codes(report, "13")


def test_a_scan_has_no_text(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "scan.pdf"))
    canvas.rect(50, 50, 100, 100, fill=1)
    canvas.save()

    report = looked(tmp_path, [*CLEAN, {"document": "scan.pdf", "fields": {"currency": "EUR"}}])

    assert "no-text" in codes(report, "scan.pdf")


def test_a_row_without_document_is_told(tmp_path: Path) -> None:
    report = looked(tmp_path, [*CLEAN, {"document": "gone.pdf", "fields": {}}])

    assert [("label-left-out", "labels.jsonl:31")] == [
        (item.code, item.document) for item in report.findings if item.severity == "error"
    ]


def test_unverified_values_are_looked_at_on_demand_only(tmp_path: Path) -> None:
    rows = copy.deepcopy(CLEAN)
    put("gross_total", "9471.13")(rows[13])
    rows[13]["unverified"] = ["gross_total"]

    assert "value-missing" not in codes(looked(tmp_path, rows), "13")
    assert "value-missing" in codes(looked(tmp_path, rows, include_unverified=True), "13")


def test_findings_are_ordered_by_severity_and_then_document(tmp_path: Path) -> None:
    rows = copy.deepcopy(CLEAN)
    for number in (21, 4):
        put("gross_total", "9471.13")(rows[number])

    findings = looked(tmp_path, rows).findings

    grave = ("error", "warning", "info")
    keys = [(grave.index(item.severity), item.document) for item in findings]
    assert sorted(keys) == keys
    assert ["04", "21"] == [item.document for item in findings if item.severity == "error"]


def test_each_document_is_read_once_and_progress_counts_them(tmp_path: Path) -> None:
    looked(tmp_path, CLEAN)
    steps: list[tuple[int, int]] = []

    lint(corpus.read(tmp_path), Schema.of(Invoice), progress=lambda *step: steps.append(step))

    assert [(done, 30) for done in range(31)] == steps


def test_a_baseline_hides_what_was_accepted_until_it_changes(tmp_path: Path) -> None:
    rows = copy.deepcopy(CLEAN)
    put("gross_total", "9471.13")(rows[13])
    first = looked(tmp_path, rows)
    write_baseline(tmp_path / "accepted.json", first.findings)
    accepted = read_baseline(tmp_path / "accepted.json")

    same = lint(corpus.read(tmp_path), Schema.of(Invoice), baseline=accepted)
    put("gross_total", "9471.14")(rows[13])
    looked(tmp_path, rows)
    changed = lint(corpus.read(tmp_path), Schema.of(Invoice), baseline=accepted)

    assert ((), first.findings, 0) == (same.findings, same.accepted, same.stale)
    assert "value-missing" in codes(changed, "13")
    assert changed.stale >= 1
    assert "9471" not in (tmp_path / "accepted.json").read_text()


def test_every_code_is_documented_with_its_severity() -> None:
    text = (Path(__file__).parents[1] / "docs" / "lint.md").read_text("utf-8")

    documented = dict(re.findall(r"^\| `([a-z-]+)` \| (\w+) \|", text, re.MULTILINE))

    assert {code: rule.severity for code, rule in RULES.items()} == documented


def test_every_code_is_raised_somewhere() -> None:
    sources = "".join(
        file.read_text("utf-8")
        for file in (Path(__file__).parents[1] / "training" / "lint").glob("*.py")
        if file.name != "findings.py"
    )

    assert [] == [code for code in RULES if f'"{code}"' not in sources]


def test_a_threshold_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="near_duplicate"):
        LintConfig(near_duplicate=1.5)


def test_lint_loads_neither_model_nor_numpy() -> None:
    code = (
        "import sys, training.lint; "
        "print([m for m in ('numpy', 'torch', 'transformers') if m in sys.modules])"
    )
    root = Path(__file__).parents[1]
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )

    assert "[]" == shown.stdout.strip()


def test_the_command_prints_findings_and_ends_with_a_code(tmp_path: Path) -> None:
    rows = copy.deepcopy(CLEAN)
    put("gross_total", "9471.13")(rows[13])
    looked(tmp_path, rows)
    usual = ["lint", "--schema", "invoice", "--corpus", tmp_path]

    failing = run(*usual, "--json")
    accepting = run(*usual, "--write-baseline", tmp_path / "accepted.json")
    passing = run(*usual, "--baseline", tmp_path / "accepted.json")
    wrong = run(*usual, "--fail-on", "nothing")

    assert 1 == failing.returncode, failing.stderr
    lines = [json.loads(line) for line in failing.stdout.splitlines()]
    assert ["code", "severity", "document", "field", "seen", "hint"] == list(lines[0])
    assert ("value-missing", "13", "gross_total") == tuple(
        lines[0][key] for key in ("code", "document", "field")
    )
    assert "value-missing" in failing.stderr
    assert (0, 0, "") == (accepting.returncode, passing.returncode, passing.stdout)
    assert 2 == wrong.returncode
