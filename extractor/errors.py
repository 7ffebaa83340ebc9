"""The error tree. Everything this package raises on purpose derives from `ExtractorError`.

    ExtractorError
    ├── SchemaError            a class, or a name of one, that cannot be decoded or found
    ├── DocumentError          a document that gives no text; `category` says why
    ├── CorpusError            a labelled folder that cannot be read as one
    ├── LabelError             one label that does not fit its schema
    ├── BaseModelError         a base model that is missing, unusable or changed
    ├── AdapterError           an adapter folder that is damaged
    │   └── AdapterMismatch    an adapter made for another schema, base model or prompt version
    ├── ReferenceDataError     a table of known parties that cannot be used
    ├── CalibrationError       a confidence or precision that the held-out answers cannot support
    ├── TrainingError          a run that must not be trusted, such as weights that did not move
    ├── OutputError            a result that could not be written
    └── MissingExtra           an optional dependency that is not installed

Each carries a `hint`: the sentence that tells a stranger what to do next.
"""

from __future__ import annotations

from typing import Literal

Category = Literal[
    "no_text", "encrypted", "broken", "not_a_pdf", "too_big", "unsupported", "missing"
]


class ExtractorError(Exception):
    """Base class of all errors of this package.

    :param message: names the offending thing, what was expected and what was found.
    :param hint: what to do next, one sentence.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class SchemaError(ExtractorError):
    """A schema that cannot be decoded, or a schema name that resolves to nothing."""

    def __init__(self, message: str, *, hint: str, field: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.field = field


class DocumentError(ExtractorError):
    """A document that gives no usable text.

    :param category: one of `Category`; stable, meant for programs.
    """

    def __init__(self, message: str, *, hint: str, category: Category) -> None:
        super().__init__(message, hint=hint)
        self.category: Category = category


class CorpusError(ExtractorError):
    """A labelled folder that cannot be read as a corpus."""


class LabelError(ExtractorError):
    """A label that does not fit its schema.

    :param field: path of the field, such as `line_items[2].quantity`, if one is to blame.
    """

    def __init__(self, message: str, *, hint: str, field: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.field = field


class BaseModelError(ExtractorError):
    """A base model that is missing, cannot be loaded, or is not the one expected."""


class AdapterError(ExtractorError):
    """An adapter folder that is incomplete or damaged."""


class AdapterMismatch(AdapterError):
    """An adapter made for another schema, base model or prompt version."""


class TrainingError(ExtractorError):
    """A training run whose result must not be trusted."""


class ReferenceDataError(ExtractorError):
    """A table of known parties that cannot be read, or has no field of the schema."""


class CalibrationError(ExtractorError):
    """A confidence or a precision that the held-out answers at hand cannot support."""


class OutputError(ExtractorError):
    """A result that could not be written; the message names the path and the cause."""


class MissingExtra(ExtractorError):
    """An optional dependency that is not installed; the hint is the command that installs it."""
