"""Where each value stands in an answer's canonical JSON."""

from __future__ import annotations

import json
import re

_KEY = re.compile(r'"(?:[^"\\]|\\.)*":')


def spans(text: str) -> list[tuple[str, tuple[int, int]]]:
    """Return the span of each path in canonical JSON: values, rows, whole lists, and the whole.

    :returns: (path, (start, end)) in characters, end exclusive; the whole has the path "".
    """
    return _spans(text, 0, "")[1]


def beginning(text: str, end: int) -> str:
    """Return an answer up to where what it says before `end` can be compared with other answers.

    That is inside of the next key: the token that ends a value begins what follows, so a text that
    was cut right behind the value would have tokens that no model writes, and be found less likely
    than one cut behind a null. A key that ends in a punctuation mark has the same flaw, but has it
    behind every value alike.

    :param end: of a value.
    """
    key = _KEY.search(text, end)
    return text if key is None else text[: key.end() - 2]


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
