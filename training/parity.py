"""Whether a narrower number format keeps an adapter's records.

Speed must not change what is read unnoticed: the same documents are read in fp32 and in every
format that this machine runs well, and each value that differs is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from extractor.adapter import Parity
from extractor.base_model import BaseModel
from extractor.engine.choice import Format, available
from extractor.engine.local import LocalEngine
from extractor.errors import DocumentError
from extractor.pipeline import Extractor
from extractor.schema import AnySchema
from extractor.windows import WindowConfig
from training.corpus import LabelledDocument

Values = dict[str, dict[str, Any]]


def measure(
    schema: AnySchema,
    base: BaseModel,
    adapter: Path,
    documents: Sequence[LabelledDocument],
    windows: WindowConfig,
    progress: Callable[[int, int], None],
) -> dict[str, Parity]:
    """Compare each narrower format of this machine with fp32.

    :param progress: called with (documents read, documents to read), over all formats.
    """
    kinds: list[Format] = ["fp32", *available()]
    found: dict[str, Values] = {}
    for place, kind in enumerate(kinds):
        reader = Extractor(
            schema, engine=LocalEngine.load(base, adapter, kind=kind), windows=windows
        )
        found[kind] = {}
        for index, document in enumerate(documents):
            progress(place * len(documents) + index, len(kinds) * len(documents))
            try:
                fields = reader.extract(document.document()).fields
            except DocumentError:
                continue  # what no format can read tells nothing about formats
            found[kind][document.id] = {path: result.value for path, result in fields.items()}
    progress(len(kinds) * len(documents), len(kinds) * len(documents))
    return {kind: compare(found["fp32"], found[kind]) for kind in kinds[1:]}


def compare(wanted: Values, given: Values) -> Parity:
    """Compare the values of two readings, by document and path; a missing one is null."""
    values, flips = 0, []
    for name, fields in wanted.items():
        for path in sorted({*fields, *given[name]}):
            values += 1
            if fields.get(path) != given[name].get(path):
                flips.append((name, path))
    return Parity(len(wanted), values, tuple(flips))
