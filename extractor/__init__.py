"""Read documents into validated records with a small specialist model.

`extract(document, Schema)` is the short way; `Extractor` loads the model once for many documents.
Importing this package loads neither torch nor transformers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from extractor.errors import ExtractorError
    from extractor.pipeline import Extraction, Extractor, extract

__all__ = ["Extraction", "Extractor", "ExtractorError", "extract"]
__version__ = "0.1.0"

_HOME = {
    "Extraction": "extractor.pipeline",
    "Extractor": "extractor.pipeline",
    "ExtractorError": "extractor.errors",
    "extract": "extractor.pipeline",
}


def __getattr__(name: str) -> Any:  # the type of an attribute depends on its name
    if name in _HOME:
        from importlib import import_module

        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
