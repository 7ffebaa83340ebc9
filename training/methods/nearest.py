"""What a corpus gives away for free: answering nothing, and copying the most similar label."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from extractor.pipeline import Source
from extractor.schema import AnySchema
from training.methods.known import Answer, Known, as_document, assembled

_WORD = re.compile(r"\w+")


class Nothing:
    """Answers null everywhere: the floor, and right wherever documents lack a value."""

    def __init__(self, schema: AnySchema) -> None:
        self._schema = schema

    def extract(self, source: Source, *, name: str | None = None) -> Answer:
        """Answer without a look at the document."""
        return Answer(assembled(self._schema, {}))


class Nearest:
    """Answers with the label of the most similar training document, by cosine of TF-IDF.

    Terms are words and pairs of neighbours. Where sellers of training come again it reads well and
    has understood nothing; how well it does on unseen ones tells what a random split pretends.
    """

    def __init__(self, schema: AnySchema, known: Sequence[Known]) -> None:
        self._schema, self._known = schema, known
        counts = [_terms(item.document.text) for item in known]
        spread = Counter(term for terms in counts for term in terms)
        self._idf = {term: math.log(len(known) / n) for term, n in spread.items()}
        self._holders: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for index, terms in enumerate(counts):
            weights = self._weights(terms)
            for term, weight in weights.items():
                self._holders[term].append((index, weight))

    def extract(self, source: Source, *, name: str | None = None) -> Answer:
        """Copy the values of the nearest label; null where no document shares a term."""
        shared: dict[int, float] = defaultdict(float)
        weights = self._weights(_terms(as_document(source, name).text))
        for term, weight in weights.items():
            for index, other in self._holders.get(term, ()):
                shared[index] += weight * other
        if not shared:
            return Answer(assembled(self._schema, {}))
        nearest, similarity = max(shared.items(), key=lambda item: (item[1], -item[0]))
        values = assembled(self._schema, {}) | dict(self._known[nearest].values)
        confidence = {key: float(similarity) for key, value in values.items() if value is not None}
        return Answer(values, confidence=confidence)

    def _weights(self, terms: Counter[str]) -> dict[str, float]:
        """Return TF-IDF by term, of length 1."""
        found = {
            term: (1 + math.log(count)) * self._idf[term]
            for term, count in terms.items()
            if self._idf.get(term)
        }
        length = math.sqrt(sum(weight**2 for weight in found.values())) or 1.0
        return {term: weight / length for term, weight in found.items()}


def _terms(text: str) -> Counter[str]:
    words = _WORD.findall(text.casefold())
    return Counter([*words, *(f"{a} {b}" for a, b in zip(words, words[1:], strict=False))])
