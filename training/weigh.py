"""How much rules count beside the model, fitted on documents that neither has learned.

Where the two disagree about a value, the probability that both together give the right one is made
as large as it can be, by one weight for all fields, and for each field by how much likelier a value
is against the model's null than the two say. Groups count alike for each of these, and all are
drawn to where probabilities are simply multiplied: a handful of disagreements moves them little.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from math import exp, inf, log
from pathlib import Path
from typing import Any

from extractor import adapter as adapters
from extractor.answer import at
from extractor.combine import Combination, Weighing, same
from extractor.document import Document
from extractor.engine.base import Engine, Output, Request
from extractor.errors import BaseModelError, DocumentError, LabelError
from extractor.evidence import occurrences
from extractor.fields import FieldType
from extractor.pipeline import Extractor
from extractor.profile import Stopwatch
from extractor.rules import Rules, Trust
from extractor.schema import AnySchema
from extractor.windows import Window, cut
from training.corpus import LabelledDocument
from training.kept import KeepingEngine
from training.pairs import known_fields, unknown
from training.score import is_within
from training.split import groups

_WEIGHTS = tuple(2 ** (step / 4) for step in range(-12, 13))
_AGAINST_NULL = tuple(step / 2 for step in range(-8, 25))
_PRIOR = 1.0  # how many groups' disagreements a doubled or halved weight must be worth
# Standard deviation of what is added against null, before anything was seen: so that two groups of
# one mind, not one, overrule a null that model and rules find twenty times likelier.
_SPREAD = 2.0

Doubt = tuple[int, Weighing, int]
"""Group, what was weighed, and which of its values, null among them, is right."""


def settle(
    reader: Extractor[Any],
    adapter: Path,
    documents: Sequence[LabelledDocument],
    schema: AnySchema,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Fit how much an adapter's rules count, and keep it with the adapter and its reader.

    :param reader: of the adapter; from then on it asks nothing twice.
    :param documents: that the adapter has not learned.
    """
    if reader.rules is None:
        return
    reader.engine = KeepingEngine(reader.engine, {})
    trust = fit(doubts(reader, reader.rules, documents, schema, progress))
    adapters.add_trust(adapter, trust)
    reader.rules = reader.rules.trusted(trust)


def doubts(
    reader: Extractor[Any],
    rules: Rules,
    documents: Sequence[LabelledDocument],
    schema: AnySchema,
    progress: Callable[[int, int], None] | None = None,
) -> list[Doubt]:
    """Return where model and rules disagree about labelled documents and one of them is right.

    A null that the label confirms counts like a value: rules must not fill what is not there. In a
    window that does not show the labelled value null is right, as it was in training.

    :param reader: its engine is asked.
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


class _Doubting(Combination):
    """Keeps what would be weighed, and leaves the model's answers as they are."""

    def __init__(self, rules: Rules, document: Document) -> None:
        super().__init__(rules, document, document.locale)
        self.found: list[tuple[Window, Weighing]] = []

    def choose(self, engine: Engine, request: Request, output: Output, window: Window) -> Output:
        weighings = self.weighings(engine, request, output, window)
        self.found += [(window, weighing) for weighing in weighings]
        return output


def _of_document(
    reader: Extractor[Any], rules: Rules, labelled: LabelledDocument, schema: AnySchema
) -> list[tuple[Weighing, int]]:
    document = labelled.document().in_sight()
    wanted = schema.normalise(known_fields(labelled, schema), document.locale)
    windows = cut(document, reader.windows, reader.engine.count_tokens)
    doubting = _Doubting(rules, document)
    reader.ask(document, schema, windows, doubting, Stopwatch())
    missing = unknown(labelled, schema)
    found = []
    for window, weighing in doubting.found:
        keys = tuple(weighing.path.split("."))
        if is_within(weighing.path, missing) or keys[0] not in wanted:
            continue  # the label does not say whether there is a value
        kind, label = rules.types[weighing.path], at(wanted, keys)
        if len(windows) > 1 and _is_elsewhere(document, kind, label, window):
            label = None
        right = [i for i, value in enumerate(weighing.values) if same(kind, value, label)]
        if right and weighing.logprobs[0] > -inf:
            found.append((weighing, right[0]))
    return found


def _is_elsewhere(document: Document, kind: FieldType, value: Any, window: Window) -> bool:
    """Return whether a value stands in a document, but not in one window of it."""
    if value is None:
        return False
    places = occurrences(document.text, kind, value, document.locale)
    return bool(places) and not any(map(window.holds, places))


def fit(found: Sequence[Doubt]) -> Trust:
    """Return the trust under which the right values are likeliest; the plain one without doubts."""
    nulls: dict[str, list[Doubt]] = defaultdict(list)
    for doubt in found:
        if doubt[1].values[0] is None:
            nulls[doubt[1].path].append(doubt)

    def likelihood(doubts: Sequence[Doubt], trust: Trust, sizes: Mapping[int, int]) -> float:
        return sum(
            _log_of_right(weighing.sums(trust), right) / sizes[group]
            for group, weighing, right in doubts
        )

    def against(path: str, weight: float) -> float:
        """Return what added against the nulls of a field makes its labels likeliest."""
        sizes = Counter(group for group, _, _ in nulls[path])

        def posterior(more: float) -> float:
            told = likelihood(nulls[path], Trust(weight, {path: more}), sizes)
            return told - (more / _SPREAD) ** 2 / 2

        return max(_AGAINST_NULL, key=lambda more: (posterior(more), -abs(more)))

    def fitted(weight: float) -> tuple[float, Trust]:
        """Return the likelihood under a weight, and what against null goes best with it."""
        trust = Trust(weight, {path: against(path, weight) for path in sorted(nulls)})
        # Over all fields, so that a group has one say in the weight, however many fields it doubts.
        told = likelihood(found, trust, Counter(group for group, _, _ in found))
        return told - _PRIOR * log(weight, 2) ** 2 / 2, trust

    ranked = [fitted(weight) for weight in _WEIGHTS]
    return max(ranked, key=lambda one: (one[0], -abs(log(one[1].weight))))[1]


def _log_of_right(sums: Sequence[float], right: int) -> float:
    if sums[right] == -inf:
        return 0.0  # the constraint refuses it under any trust
    top = max(sums)
    return sums[right] - top - log(sum(exp(one - top) for one in sums))
