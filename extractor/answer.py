"""Values inside an answer: read one, change one, and what the model thinks of the changed whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from extractor.engine.base import Engine, Output, Request

Path = tuple[str, ...]
"""Keys from the top of an answer down to a value."""


def at(values: Any, path: Path) -> Any:
    """Return the value at a path; None where one of the keys is not there."""
    for key in path:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def changed(values: Mapping[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """Return values with one of them changed; what was given stays as it is."""
    key, *rest = path
    inner = changed(values[key], tuple(rest), value) if rest else value
    return {**values, key: inner}


def rescored(engine: Engine, request: Request, text: str, output: Output) -> Output | None:
    """Return another answer to a request with its probabilities, and what the first one has cost.

    :param text: canonical JSON of the other answer.
    :param output: the first answer.
    :returns: None where the constraint does not accept the text.
    """
    (whole,) = engine.score(request, [text])
    if whole is None:
        return None
    return dataclasses.replace(
        whole, truncated=output.truncated, passes=output.passes, timings_s=output.timings_s
    )
