"""How much rules count beside the model: one number, fitted on documents that neither has learned.

Where the two disagree about a value, the probability that both together give the right one is made
as large as it can be. Groups count alike, and the number is drawn to 1, at which the probabilities
are simply multiplied: a handful of disagreements moves it little.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from math import exp, inf, log
from pathlib import Path
from typing import Any

from extractor import adapter as adapters
from extractor.answer import at
from extractor.combine import Combination, Weighing, same
from extractor.engine.base import Request
from extractor.errors import BaseModelError, DocumentError, LabelError
from extractor.pipeline import Extractor
from extractor.rules import Rules
from extractor.schema import AnySchema
from extractor.windows import cut
from training.corpus import LabelledDocument
from training.kept import KeepingEngine
from training.pairs import known_fields, unknown
from training.score import is_within
from training.split import groups

_WEIGHTS = tuple(2 ** (step / 4) for step in range(-12, 13))
_PRIOR = 1.0  # how many groups' disagreements a doubled or halved weight must be worth

Doubt = tuple[int, Weighing, int]
"""Group, what was weighed, and which of its values, null among them, is right."""


def settle(
    reader: Extractor[Any],
    adapter: Path,
    documents: Sequence[LabelledDocument],
    schema: AnySchema,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Fit the weight of an adapter's rules and keep it with the adapter and its reader.

    :param reader: of the adapter; from then on it asks nothing twice.
    :param documents: that the adapter has not learned.
    """
    if reader.rules is None:
        return
    reader.engine = KeepingEngine(reader.engine, {})
    weight = fit(doubts(reader, reader.rules, documents, schema, progress))
    adapters.add_weight(adapter, weight)
    reader.rules = reader.rules.weighing(weight)


def doubts(
    reader: Extractor[Any],
    rules: Rules,
    documents: Sequence[LabelledDocument],
    schema: AnySchema,
    progress: Callable[[int, int], None] | None = None,
) -> list[Doubt]:
    """Return where model and rules disagree about labelled documents and one of them is right.

    A null that the label confirms counts like a value: rules must not fill what is not there.

    :param reader: its engine is asked; documents of several windows are left out, since there a
        value is right in the window that it stands in only.
    """
    found: list[Doubt] = []
    done = 0
    for group, members in enumerate(groups(documents, schema)):
        for labelled in members:
            if progress is not None:
                progress(done, len(documents))
            done += 1
            try:
                for weighing, right in _of_document(reader, rules, labelled, schema):
                    found.append((group, weighing, right))
            except (DocumentError, LabelError, BaseModelError):
                continue  # what cannot be read or compared weighs nothing
    if progress is not None:
        progress(done, len(documents))
    return found


def _of_document(
    reader: Extractor[Any], rules: Rules, labelled: LabelledDocument, schema: AnySchema
) -> list[tuple[Weighing, int]]:
    document = labelled.document().in_sight()
    locale = document.locale
    wanted = schema.normalise(known_fields(labelled, schema), locale)
    windows = cut(document, reader.windows, reader.engine.count_tokens)
    if len(windows) != 1:
        return []
    text = document.shown(windows[0].start, windows[0].end)
    request = Request(schema, text, reader.max_new_tokens)
    (output,) = reader.engine.generate([request])
    if output.truncated:
        return []
    missing = unknown(labelled, schema)
    found = []
    for weighing in Combination(rules, document, locale).weighings(
        reader.engine, request, output, windows[0]
    ):
        keys = tuple(weighing.path.split("."))
        if is_within(weighing.path, missing) or keys[0] not in wanted:
            continue  # the label does not say whether there is a value
        label = at(wanted, keys)
        kind = rules.types[weighing.path]
        right = [i for i, value in enumerate(weighing.values) if same(kind, value, label)]
        if right and weighing.logprobs[0] > -inf:
            found.append((weighing, right[0]))
    return found


def fit(found: Sequence[Doubt]) -> float:
    """Return the weight under which the right values are likeliest; 1 without any doubt."""
    by_group: dict[int, list[Doubt]] = defaultdict(list)
    for doubt in found:
        by_group[doubt[0]].append(doubt)

    def likelihood(weight: float) -> float:
        told = (
            sum(_log_of_right(one, right, weight) for _, one, right in members) / len(members)
            for members in by_group.values()
        )
        return sum(told) - _PRIOR * log(weight, 2) ** 2 / 2

    return max(_WEIGHTS, key=lambda weight: (likelihood(weight), -abs(log(weight))))


def _log_of_right(weighing: Weighing, right: int, weight: float) -> float:
    sums = [
        logprob + weight * gain
        for logprob, gain in zip(weighing.logprobs, weighing.gains, strict=True)
    ]
    top = max(sums)
    if sums[right] == -inf:
        return 0.0  # the constraint refuses it at any weight
    return sums[right] - top - log(sum(exp(one - top) for one in sums))
