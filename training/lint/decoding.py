"""Whether serving could ever give a label as its answer; needs the packages that run models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from extractor.engine.constraint import Constraint
from extractor.prompt import encode
from extractor.windows import WindowConfig
from training import pairs as pairing
from training.lint.findings import Finding, finding
from training.lint.view import LintConfig, View

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def targets(
    view: View, config: LintConfig, tokenizer: PreTrainedTokenizerFast
) -> Iterator[Finding]:
    """Yield what no answer can be, and targets that are longer than what is learned or answered."""
    constraints: dict[str, Constraint] = {}
    lengths: Counter[str] = Counter()
    for case in view.training():
        if case.document is None or case.broken:
            continue
        # The text that was read already: a PDF costs more than all that follows.
        labelled = replace(case.labelled, path=None, given_text=case.text)
        built = pairing.build(
            [labelled], view.schema, WindowConfig(), lambda text: len(encode(text, tokenizer))
        )
        for pair in built.pairs:
            key = pair.schema.fingerprint
            if key not in constraints:
                constraints[key] = Constraint(pair.schema, tokenizer)
            field = pairing.undecodable(pair, constraints[key], tokenizer)
            if field:
                yield finding("undecodable", case.id, field, "the decoder cannot emit this value")
            lengths[case.id] = max(lengths[case.id], len(encode(pair.target, tokenizer)))
    yield from _long(lengths, config)


def _long(lengths: Counter[str], config: LintConfig) -> Iterator[Finding]:
    beyond = [count for count in lengths.values() if count > config.max_target_tokens]
    if beyond:
        seen = (
            f"{len(beyond)} of {len(lengths)} targets have more than {config.max_target_tokens} "
            f"tokens, the longest {max(beyond)}"
        )
        yield finding("target-long", "", "", seen)
    for document, count in lengths.items():
        if count > config.max_new_tokens:
            seen = f"{count} tokens, an answer has at most {config.max_new_tokens}"
            yield finding("target-long", document, "", seen, severity="warning")
