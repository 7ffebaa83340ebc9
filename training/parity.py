"""Whether a narrower number format reads as well as fp32.

Speed must not cost values unnoticed: the same labelled documents are read in fp32 and in every
format that this machine runs well. Each value that differs is told, and what counts is how many
right ones are lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from extractor.adapter import Parity
from extractor.base_model import BaseModel
from extractor.engine.choice import Format, available
from extractor.engine.local import LocalEngine
from extractor.errors import DocumentError, LabelError
from extractor.pipeline import Extractor
from extractor.schema import AnySchema
from extractor.windows import WindowConfig
from training.corpus import LabelledDocument
from training.pairs import known_fields, unknown
from training.score import Counts, compare


@dataclass(slots=True)
class Reading:
    """What one format read.

    :param values: by document and path.
    :param labelled: labelled values, nulls included; `right` of them were read as labelled.
    """

    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    labelled: int = 0
    right: int = 0


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
    kinds: list[Format] = ["fp32", *available(base)]
    readings: dict[Format, Reading] = {}
    for place, kind in enumerate(kinds):
        engine = LocalEngine.load(base, adapter, kind=kind)
        reader = Extractor(schema, engine=engine, windows=windows, einvoice="never")
        readings[kind] = Reading()
        for index, document in enumerate(documents):
            progress(place * len(documents) + index, len(kinds) * len(documents))
            _read(reader, document, readings[kind])
    progress(len(kinds) * len(documents), len(kinds) * len(documents))
    return {kind: against(readings["fp32"], readings[kind]) for kind in kinds[1:]}


def against(reference: Reading, given: Reading) -> Parity:
    """Compare a format's reading with that of fp32; a value that is missing is null."""
    flips = tuple(
        (name, path)
        for name, wanted in reference.values.items()
        for path in sorted({*wanted, *given.values[name]})
        if wanted.get(path) != given.values[name].get(path)
    )
    return Parity(
        documents=len(reference.values),
        values=reference.labelled,
        right=given.right,
        reference=reference.right,
        flips=flips,
    )


def _read(reader: Extractor[Any], labelled: LabelledDocument, reading: Reading) -> None:
    try:
        document = labelled.document()
        wanted = reader.schema.normalise(known_fields(labelled, reader.schema), document.locale)
        extraction = reader.extract(document)
    except (DocumentError, LabelError):
        return  # what cannot be read or compared tells nothing about formats
    reading.values[labelled.id] = {path: result.value for path, result in extraction.fields.items()}
    card = compare(reader.schema, extraction.values, wanted, unknown(labelled, reader.schema))
    single, inner = sum(card.scalars.values(), Counts()), sum(card.inner.values(), Counts())
    reading.right += single.correct + single.absent + inner.correct + inner.absent
    # What is invented in rows beyond the labelled ones is no labelled value.
    reading.labelled += single.labelled + single.absent + single.invented
    reading.labelled += inner.labelled + inner.absent
