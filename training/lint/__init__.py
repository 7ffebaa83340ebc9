"""What is wrong with a corpus, or with what can be learned from it, before anything is trained.

A check is a function from the corpus, read once, to findings; each kind of finding has a code that
`docs/lint.md` explains. Checks need neither a model nor a tokenizer, but for what a decoder can
emit; that check, and any other for which a package is missing, is named in `LintReport.skipped`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from extractor.schema import AnySchema
from training.corpus import Corpus
from training.lint import across, cues, labels, rules
from training.lint.findings import (
    RULES,
    SEVERITIES,
    Finding,
    Rule,
    Severity,
    ordered,
    read_baseline,
    write_baseline,
)
from training.lint.view import LintConfig, View, view

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

__all__ = [
    "RULES",
    "SEVERITIES",
    "Finding",
    "LintConfig",
    "LintReport",
    "Rule",
    "Severity",
    "lint",
    "read_baseline",
    "write_baseline",
]

Check = Callable[[View, LintConfig], Iterator[Finding]]

# In the order of a reading; what answers of a trained model say of the labels can join them here.
CHECKS: tuple[Check, ...] = (
    labels.left_out,
    labels.unknown_fields,
    labels.invalid,
    labels.placeholders,
    labels.long_lists,
    labels.repeated_items,
    labels.texts,
    labels.evidence,
    labels.currency_signs,
    labels.unlabelled_ibans,
    cues.disagreeing,
    rules.totals,
    rules.lines,
    rules.products,
    rules.dates,
    rules.check_digits,
    rules.same_values,
    across.spellings,
    across.entities,
    across.exchanged_parties,
    across.formats,
    across.nulls,
    across.outliers,
    across.group_nulls,
    across.rare_nulls,
    across.first_only,
    across.duplicates,
    across.groups_across,
    across.amounts_of_data,
    across.drift,
)


@dataclass(frozen=True, slots=True)
class LintReport:
    """What was found.

    :param findings: by severity, then document.
    :param accepted: those that the baseline holds.
    :param stale: how many of the baseline's findings were not found again.
    :param skipped: checks that were not run, and why.
    """

    findings: tuple[Finding, ...]
    accepted: tuple[Finding, ...]
    stale: int
    skipped: tuple[str, ...]
    documents: int

    def fails(self, severity: Severity = "error") -> bool:
        """Return whether a finding is as grave as that, or graver."""
        grave = SEVERITIES[: SEVERITIES.index(severity) + 1]
        return any(item.severity in grave for item in self.findings)

    def table(self) -> str:
        """Return how often each code was found, the gravest first."""
        counts = Counter((item.code, item.severity) for item in self.findings)
        ranked = sorted(counts, key=lambda key: (SEVERITIES.index(key[1]), -counts[key], key[0]))
        width = max((len(code) for code, _ in ranked), default=0)
        rows = [f"{code:<{width}}  {grave:<7} {counts[code, grave]:>6}" for code, grave in ranked]
        totals = Counter(item.severity for item in self.findings)
        total = ", ".join(f"{totals[grave]} {grave}" for grave in SEVERITIES)
        kept = f"; {len(self.accepted)} accepted before" if self.accepted else ""
        return "\n".join([*rows, f"{self.documents} documents: {total}{kept}"])


def lint(
    corpus: Corpus,
    schema: AnySchema,
    config: LintConfig | None = None,
    *,
    baseline: frozenset[str] = frozenset(),
    tokenizer: PreTrainedTokenizerFast | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LintReport:
    """Look for faults in a labelled corpus.

    :param baseline: fingerprints of accepted findings, see `read_baseline`.
    :param tokenizer: of the base model; without it nothing is said of what can be decoded.
    :param progress: called with the documents read and all.
    """
    config = config or LintConfig()
    seen = view(corpus, schema, config, progress)
    found = [item for check in CHECKS for item in check(seen, config)]
    skipped: list[str] = []
    if tokenizer is None:
        skipped.append("undecodable, target-long: no tokenizer was given")
    else:
        from training.lint import decoding  # imports what runs models

        found += decoding.targets(seen, config, tokenizer)
    if rules.eu_vat() is None:
        skipped.append("vat-checksum: python-stdnum is not installed")
    kept = ordered(found)
    known = {item.fingerprint for item in kept}
    return LintReport(
        tuple(item for item in kept if item.fingerprint not in baseline),
        tuple(item for item in kept if item.fingerprint in baseline),
        len(baseline - known),
        tuple(skipped),
        len(corpus.documents),
    )
