"""Pages of the worst documents, with what was given and what was wanted marked on them."""

from __future__ import annotations

import importlib.util
import io
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from extractor import overlay
from extractor.errors import DocumentError
from extractor.evidence import locate
from extractor.pipeline import Extraction, FieldResult
from extractor.schema import AnySchema
from training.corpus import LabelledDocument
from training.evaluate import Report, Scored
from training.report import worst

_MOST = 5
_WIDTH_PX = 900


def of_worst(
    report: Report, documents: Sequence[LabelledDocument], schema: AnySchema
) -> dict[str, bytes]:
    """Return a PNG by document id; nothing without the packages that draw, nor for texts."""
    if importlib.util.find_spec("PIL") is None:
        return {}
    by_id = {document.id: document for document in documents}
    found: dict[str, bytes] = {}
    for item in worst(report, _MOST):
        labelled = by_id.get(item.id)
        if labelled is not None and labelled.path is not None and labelled.path.suffix == ".pdf":
            picture = _picture(labelled, item, schema)
            if picture:
                found[item.id] = picture
    return found


def _picture(labelled: LabelledDocument, item: Scored, schema: AnySchema) -> bytes:
    """Return the first page that has a mark; nothing if none can be drawn."""
    assert labelled.path is not None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.pdf"
        try:
            overlay.draw(labelled.path, _marked(labelled, item, schema), file)
        except DocumentError:
            return b""
        return _png(file)


def _marked(labelled: LabelledDocument, item: Scored, schema: AnySchema) -> Extraction[Any]:
    """Return the mistakes as an extraction, so that they are drawn as one is."""
    document = labelled.document()
    locale = document.locale
    fields: dict[str, FieldResult] = {}
    for name, pair in item.mistakes.items():
        for title, value in zip(("given", "wanted"), pair, strict=True):
            for leaf in schema.leaves(_nested(name, value)):
                if leaf.value is not None:
                    evidence = locate(document, leaf.type, leaf.value, locale=locale)
                    result = FieldResult(leaf.value, None, evidence, None)
                    fields[f"{leaf.path} {title}"] = result
    return Extraction(schema, "complete", None, {}, (), fields, (), {})


def _nested(path: str, value: Any) -> Mapping[str, Any]:
    for key in reversed(path.split(".")):
        value = {key: value}
    found: Mapping[str, Any] = value
    return found


def _png(file: Path) -> bytes:
    """Return a page that `overlay` drew, and nobody else, as a small PNG."""
    import pypdfium2

    with pypdfium2.PdfDocument(file) as document:
        page = document[0]
        image = page.render(scale=_WIDTH_PX / page.get_width()).to_pil()
    stream = io.BytesIO()
    image.convert("P").save(stream, "PNG", optimize=True)
    return stream.getvalue()
