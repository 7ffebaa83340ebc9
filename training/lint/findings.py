"""What a finding is, how grave each code is, and which findings a user has accepted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from extractor.errors import CorpusError, OutputError

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
_BASELINE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Rule:
    """What one code stands for; `docs/lint.md` says more.

    :param hint: what to do about it, one sentence.
    """

    severity: Severity
    hint: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a corpus to look at before training.

    :param document: id of the document, empty for the corpus as a whole.
    :param field: path of the field, empty for the document as a whole.
    :param seen: what the label or the text has; may hold private values.
    """

    code: str
    severity: Severity
    document: str
    field: str
    seen: str
    hint: str

    @property
    def fingerprint(self) -> str:
        """What a baseline knows a finding by: it changes with what was seen in a document.

        Findings on the corpus count something, so theirs does not hang on what was seen.
        """
        seen = self.seen if self.document else ""
        text = json.dumps([self.code, self.document, self.field, seen])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def line(self) -> str:
        """Return the finding on one line."""
        where = " ".join(part for part in (self.document, self.field) if part)
        return f"{self.severity} {self.code} {where or '(corpus)'}: {self.seen}; {self.hint}"

    def json(self) -> dict[str, str]:
        """Return the finding as JSON."""
        return {
            "code": self.code,
            "severity": self.severity,
            "document": self.document,
            "field": self.field,
            "seen": self.seen,
            "hint": self.hint,
        }


_DECIDE = "look at the document and correct whichever is wrong"
RULES: Mapping[str, Rule] = {
    # the label by itself
    "label-left-out": Rule("error", "correct the row; training does without it"),
    "label-invalid": Rule("error", "write the canonical form (ISO date, decimal string) or the "
                          "value as printed"),
    "label-rejected": Rule("error", "correct the label, or the class if it forbids what is right"),
    "check-failed": Rule("info", "correct the labels, or loosen the class's check if the document "
                         "is right"),
    "field-unknown": Rule("warning", "rename the field in the labels, or add it to the schema"),
    "placeholder": Rule("warning", "write null for what a document does not show"),
    "list-too-long": Rule("info", "allow more items in the schema, or accept that the rest is "
                          "not learned"),
    "list-repeats": Rule("warning", "name each item once, also where the text repeats it"),
    "undecodable": Rule("error", "no answer can ever be this value: change the label or the "
                        "field's type"),
    "target-long": Rule("info", "ask for fewer fields or rows; what lies behind the budget is not "
                        "learned"),
    # the text
    "no-text": Rule("error", "run OCR over the document, or take it out"),
    "text-garbled": Rule("warning", "extract the text again, by OCR if the font has no code table"),
    "text-sparse": Rule("warning", "check whether the page is a scan that needs OCR"),
    "pages-unread": Rule("warning", "run OCR over the pages that hold an image only"),
    # the label against the text
    "value-missing": Rule("error", _DECIDE),
    "value-nearly": Rule("warning", f"one of the two is misspelled: {_DECIDE}"),
    "value-sign": Rule("warning", "label the sign that the document prints"),
    "value-day-month": Rule("warning", "check which of the numbers is the day"),
    "value-scattered": Rule("info", "the words do not stand together, so they cannot be copied; "
                            "training leaves the value out"),
    "value-rewritten": Rule("info", "label the print, as the model can only copy; scoring counts "
                            "the printed form wrong"),
    "value-derived": Rule("info", "the value is written and not copied; check that it follows "
                          "from the text"),
    "value-ambiguous": Rule("info", "any of the places may be taken for evidence; label more of "
                            "the value if it has more"),
    "null-but-printed": Rule("warning", "label the value, or accept it if it belongs to another "
                             "party"),
    "null-in-group": Rule("info", "check that this document really lacks what its group shows"),
    "null-rare": Rule("info", "check that this document really lacks what nearly all others show"),
    "cue-disagrees": Rule("warning", f"elsewhere the words before it name this field: {_DECIDE}"),
    "cue-unlabelled": Rule("warning", "elsewhere the words before it name this field: label it, or "
                           "accept that it is something else"),
    # fields against each other
    "sum-total": Rule("warning", _DECIDE),
    "sum-lines": Rule("warning", "look for a missing, doubled or misread row"),
    "row-product": Rule("info", "check quantity and price; a discount explains it too"),
    "date-order": Rule("warning", "check which date is which, and day against month"),
    "currency-sign": Rule("warning", _DECIDE),
    "iban-checksum": Rule("warning", "a digit is wrong or missing"),
    "vat-checksum": Rule("warning", "a digit is wrong or missing"),
    "same-value": Rule("warning", "one value stands in two fields that should differ"),
    # values across documents
    "spelling-varies": Rule("warning", "write one entity in one way, unless they are two"),
    "spelling-punctuation": Rule("info", "exact match will count one of them wrong; scoring "
                                 "without case and punctuation will not"),
    "names-per-id": Rule("warning", "one number belongs to one party: correct the name or the "
                         "number"),
    "ids-per-name": Rule("warning", "one party has one such number: correct the name or the "
                         "number"),
    "parties-exchanged": Rule("warning", "check who bills whom"),
    "shared-id": Rule("info", "a number of many parties is made up or a placeholder; the model "
                      "will learn it by heart"),
    "names-per-group": Rule("info", "label the same party in all documents of the group"),
    "format-mixed": Rule("info", "choose one format; values are compared as parsed, but texts "
                         "are not"),
    "null-mixed": Rule("warning", "choose null for what a document does not show, and 0 only "
                       "where it prints 0"),
    "outlier-year": Rule("warning", "check the year"),
    "outlier-magnitude": Rule("warning", "check the decimal separator"),
    "outlier-pattern": Rule("warning", "check whether another number was labelled"),
    "list-first-only": Rule("warning", "label every item, not only the first"),
    # the corpus
    "duplicate": Rule("warning", "keep one of them"),
    "duplicate-conflict": Rule("error", _DECIDE),
    "duplicate-across-splits": Rule("error", "move both to one split, or the test measures memory"),
    "near-duplicate": Rule("info", "they teach little more than one of them"),
    "group-across-splits": Rule("error", "move the whole group to one split, or the test measures "
                                "memory"),
    "template-across-splits": Rule("warning", "the test has layouts that training has seen; name "
                                   "them one group"),
    "few-documents": Rule("warning", "label more documents before believing any figure"),
    "few-values": Rule("warning", "label more documents that have the field, or take it out of "
                       "the schema"),
    "few-groups": Rule("warning", "label documents of more senders; layouts are learned by "
                       "sender"),
    "constant": Rule("warning", "a fixed value needs no model, and the model will answer it "
                     "everywhere"),
    "no-negatives": Rule("info", "label documents without the value, or the model never learns "
                         "to answer null"),
    "drift": Rule("warning", "the test differs from training: choose documents of both kinds for "
                  "both"),
}  # fmt: skip


def finding(
    code: str,
    document: str,
    field: str,
    seen: str,
    *,
    severity: Severity | None = None,
    hint: str | None = None,
) -> Finding:
    """Return a finding, as grave and with the hint that its code has by default."""
    rule = RULES[code]
    flat = " ".join(seen.split())
    return Finding(code, severity or rule.severity, document, field, flat, hint or rule.hint)


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by severity, then document, the corpus as a whole first."""

    def place(item: Finding) -> tuple[int, str, str, str, str]:
        grave = SEVERITIES.index(item.severity)
        return grave, item.document, item.field, item.code, item.seen

    return tuple(sorted(set(findings), key=place))


def read_baseline(file: Path) -> frozenset[str]:
    """Return the fingerprints of accepted findings.

    :raises CorpusError: if the file is missing or no baseline.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        accepted = content["accepted"]
        return frozenset(str(entry["fingerprint"]) for entry in accepted)
    except FileNotFoundError as error:
        raise CorpusError(
            f"baseline {file}: no such file", hint="make it with --write-baseline"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise CorpusError(
            f"baseline {file}: is none", hint="make it again with --write-baseline"
        ) from error


def write_baseline(file: Path, findings: Iterable[Finding]) -> None:
    """Write findings as accepted; what was seen is kept as a hash, so that no value leaks.

    :raises OutputError: if the file cannot be written.
    """
    accepted = [
        {
            "code": item.code,
            "document": item.document,
            "field": item.field,
            "fingerprint": item.fingerprint,
        }
        for item in ordered(findings)
    ]
    text = json.dumps({"version": _BASELINE_VERSION, "accepted": accepted}, indent=1)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{file}: cannot be written ({error.strerror})", hint="name another file"
        ) from error
