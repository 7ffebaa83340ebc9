"""Finishing an answer that was cut at the token limit, without inventing anything.

Surgery on the text and no forward pass: the leaf that was being written is dropped, for it may
have been going on (12 may be 1250); it and everything after it becomes null. Lists keep the items
that were complete.
"""

from __future__ import annotations

import json
import re
from typing import Any

from extractor.schema import (
    AnySchema,
    ConstNode,
    ListNode,
    MapNode,
    Node,
    NullNode,
    ObjectNode,
    TupleNode,
    UnionNode,
)

# Private-use characters are dropped from documents, so no value holds one.
_MARK = "\ue002"


class _Cut(Exception):
    """The prefix ends inside the value being read; `value` is what of it can be kept."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class _Lost(Exception):
    """Nothing of the value can be kept: the nearest value around it that may be null is."""


def close(schema: AnySchema, prefix: str) -> tuple[str, bool]:
    """Return canonical JSON that begins as an unfinished answer does, and whether it was cut.

    :param prefix: the beginning of an answer that the schema's constraint accepts.
    :returns: an answer that the constraint accepts, and False if `prefix` was complete already.
    """
    try:
        return _render(schema, _Reader(prefix).value(schema.root)), False
    except _Cut as cut:
        return _render(schema, cut.value or {}), True
    except _Lost:
        return schema.skeleton(), True


def _render(schema: AnySchema, value: Any) -> str:
    """Return canonical JSON with numbers exactly as they were written."""
    return re.sub(f'"{_MARK}([^"]*)"', r"\1", schema.target(value))


class _Reader:
    """Reads canonical JSON along the tree up to where it ends."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.decoder = json.JSONDecoder(parse_float=_Number, parse_int=_Number)

    def value(self, node: Node) -> Any:
        """Read one value. :raises _Cut: with what can be kept, if the text ends inside it."""
        if self.text.startswith("null", self.at):
            self.at += 4
            return None
        if isinstance(node, UnionNode):
            return self._union(node)
        if isinstance(node, ObjectNode):
            return self._object(node)
        if isinstance(node, ListNode):
            return self._list(node)
        if isinstance(node, TupleNode):
            return self._tuple(node)
        if isinstance(node, MapNode):
            return self._map(node)
        return self._leaf(node)

    def _expect(self, character: str) -> bool:
        if self.text.startswith(character, self.at):
            self.at += len(character)
            return True
        return False

    def _leaf(self, node: Node) -> Any:
        try:
            value, end = self.decoder.raw_decode(self.text, self.at)
        except ValueError:
            raise _Cut(None) from None
        # A number at the very end may be going on.
        if end == len(self.text) and isinstance(value, _Number):
            raise _Cut(None)
        self.at = end
        return value

    def _object(self, node: ObjectNode) -> Any:
        if not node.keys and self._expect("{}"):
            return {}
        kept: dict[str, Any] = {}
        for index, (key, child) in enumerate(node.keys):
            opening = ("," if index else "{") + json.dumps(key, ensure_ascii=False) + ":"
            if not self._expect(opening):
                raise _Cut(kept)
            try:
                kept[key] = self.value(child)
            except _Cut as cut:
                if cut.value is not None:
                    kept[key] = cut.value
                raise _Cut(kept) from None
            except _Lost:
                raise _Cut(kept) from None
        if not self._expect("}"):
            raise _Cut(kept)
        return kept

    def _list(self, node: ListNode) -> Any:
        kept: list[Any] = []
        if self._expect("[]"):
            return kept
        while self._expect("," if kept else "["):
            try:
                kept.append(self.value(node.item))
            except _Cut as cut:
                # An object with some of its values is an item; a cut leaf is none.
                if isinstance(cut.value, dict) and any(v is not None for v in cut.value.values()):
                    kept.append(cut.value)
                break
            except _Lost:
                break
            if self._expect("]"):
                return kept
        if len(kept) < node.min_items:
            raise _Lost
        raise _Cut(kept)

    def _tuple(self, node: TupleNode) -> Any:
        kept: list[Any] = []
        try:
            for index, item in enumerate(node.items):
                if not self._expect("," if index else "["):
                    raise _Lost
                kept.append(self.value(item))
        except _Cut:
            raise _Lost from None
        if not self._expect("]"):
            raise _Lost
        return kept

    def _map(self, node: MapNode) -> Any:
        kept: dict[str, Any] = {}
        if self._expect("{}"):
            return kept
        while self._expect("," if kept else "{"):
            try:
                key, end = self.decoder.raw_decode(self.text, self.at)
            except ValueError:
                break
            if not self.text.startswith(":", end):
                break
            self.at = end + 1
            try:
                kept[key] = self.value(node.value)
            except (_Cut, _Lost):
                break
            if self._expect("}"):
                return kept
        raise _Cut(kept)

    def _union(self, node: UnionNode) -> Any:
        """Read the option that fits; a cut one is kept only if no other option could be meant."""
        start = self.at
        cuts: list[Any] = []
        for option in node.options:
            if isinstance(option, NullNode):
                continue
            self.at = start
            try:
                if isinstance(option, ConstNode) and not self._expect(
                    json.dumps(option.value, ensure_ascii=False)
                ):
                    continue
                return option.value if isinstance(option, ConstNode) else self.value(option)
            except _Cut as cut:
                if self.at > start and isinstance(cut.value, dict | list) and cut.value:
                    cuts.append(cut.value)
            except _Lost:
                continue
        if len(cuts) == 1:
            raise _Cut(cuts[0])
        raise _Lost


class _Number(str):
    """A number as it is written, so that not a digit of it changes."""

    __slots__ = ()

    def __new__(cls, text: str) -> _Number:
        """Mark the digits, to take them out of the quotation marks again."""
        return super().__new__(cls, _MARK + text)
