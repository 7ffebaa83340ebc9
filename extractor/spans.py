"""Where each value stands in an answer's canonical JSON."""

from __future__ import annotations

import json


def spans(text: str) -> list[tuple[str, tuple[int, int]]]:
    """Return the span of each path in canonical JSON: values, rows, whole lists, and the whole.

    :returns: (path, (start, end)) in characters, end exclusive; the whole has the path "".
    """
    return _spans(text, 0, "")[1]


def _spans(text: str, at: int, path: str) -> tuple[int, list[tuple[str, tuple[int, int]]]]:
    """Return where the value at `at` ends in canonical JSON, and the span of each path in it."""
    start, found = at, []
    if text[at] in "{[" and text[at + 1] not in "}]":
        index = 0
        while text[at] in "{[,":
            at += 1
            inner = f"{path}[{index}]"
            if text[start] == "{":
                key, colon = json.JSONDecoder().raw_decode(text, at)
                at, inner = colon + 1, f"{path}.{key}" if path else key
            at, below = _spans(text, at, inner)
            found += below
            index += 1
        at += 1
    else:
        _, at = json.JSONDecoder().raw_decode(text, at)
    return at, [*found, (path, (start, at))]
