"""Labelled document -> prompt and target, with the reading, rendering and JSON of serving.

A target holds each value as the document prints it. A value that stands in another window of the
same document is null here; a value without label, or whose print cannot be found, is never
trained as null: a whole field is left out of the request, a value inside a row is left in the
target but carries no loss.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from extractor.document import Document
from extractor.errors import DocumentError, LabelError
from extractor.evidence import occurrences
from extractor.fields import Choice, FieldType, Locale
from extractor.prompt import encode, render
from extractor.schema import AnySchema, LeafNode, ListNode, Node, ObjectNode, Schema
from extractor.windows import Window, WindowConfig, cut
from training.corpus import LabelledDocument

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt
    from transformers import PreTrainedTokenizerFast

    from extractor.engine.constraint import Constraint

# Stands in a target for a value without label until its place is known. Private-use characters
# are dropped from documents, so no value can be one.
_HOLE = "\ue001"
# Items of a list that count in full; what a longer one has shares their weight.
_FULL_ITEMS = 3


@dataclass(frozen=True, slots=True)
class Pair:
    """One training example, readable.

    :param document: id of the labelled document.
    :param schema: the fields asked for.
    :param text: the window's text.
    :param target: canonical JSON of the values as printed.
    :param unlabelled: character spans of `target` that carry no loss.
    :param group: of the document; documents of large groups are shown less often each.
    """

    document: str
    schema: AnySchema
    text: str
    target: str
    unlabelled: tuple[tuple[int, int], ...] = ()
    group: str | None = None

    @property
    def empty(self) -> bool:
        """Whether the window is known to hold none of the values."""
        leaves = self.schema.leaves(json.loads(self.target))
        return not self.unlabelled and all(leaf.value is None for leaf in leaves)


@dataclass(frozen=True, slots=True)
class PairProblem:
    """A label that could not be made into a target: what, where and why."""

    document: str
    field: str
    message: str


@dataclass(slots=True)
class PairSet:
    """The pairs of a corpus and what was left out of them."""

    pairs: list[Pair] = field(default_factory=list)
    problems: list[PairProblem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Example:
    """A pair in tokens.

    :param input_ids: prompt, target and end of turn. Shape: [tokens].
    :param prompt_tokens: how many of them are the prompt.
    :param weights: how much each token counts; 0.0 where it is not to be learned.
        Shape: [tokens - prompt_tokens].
    :param pair: what it was made from.
    """

    input_ids: tuple[int, ...]
    prompt_tokens: int
    weights: tuple[float, ...]
    pair: Pair


def build(
    documents: Iterable[LabelledDocument],
    schema: AnySchema,
    windows: WindowConfig,
    count: Callable[[str], int],
) -> PairSet:
    """Make the pairs of labelled documents; nothing is left out without a problem that says so.

    :param count: length of a piece of text in tokens, as `Engine.count_tokens`.
    """
    result = PairSet()
    for labelled in documents:
        try:
            document = labelled.document().in_sight()
            values = schema.normalise(known_fields(labelled, schema), document.locale)
        except (DocumentError, LabelError) as error:
            path = getattr(error, "field", None) or ""
            result.problems.append(PairProblem(labelled.id, path, error.message))
            continue
        if not values:
            message = "the label knows none of the schema's fields"
            result.problems.append(PairProblem(labelled.id, "", message))
            continue
        _add(result, labelled, document, values, schema, windows, count)
    return result


def unknown_fields(documents: Iterable[LabelledDocument], schema: AnySchema) -> list[str]:
    """Return the label fields that the schema does not have, such as misspelled ones."""
    names = {name for document in documents for name in document.fields}
    return sorted(names - set(schema.field_names))


def known_fields(labelled: LabelledDocument, schema: AnySchema) -> dict[str, Any]:
    """Return the labels that are of this schema and verified as a whole."""
    return {
        name: labelled.fields[name]
        for name in schema.field_names
        if name in labelled.fields and name not in labelled.unverified
    }


def unknown(labelled: LabelledDocument, schema: AnySchema) -> frozenset[str]:
    """Return the paths that a label does not tell of: unverified, or left out inside a value."""
    return labelled.unverified | {
        path
        for name, value in known_fields(labelled, schema).items()
        for path in _left_out(dict(schema.root.keys)[name], value, name)
    }


def _left_out(node: Node, value: Any, path: str) -> Iterator[str]:
    if isinstance(node, ObjectNode) and isinstance(value, Mapping):
        for key, child in node.keys:
            if key in value:
                yield from _left_out(child, value[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(node, ListNode) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _left_out(node.item, item, f"{path}[{index}]")


def example(
    pair: Pair, tokenizer: PreTrainedTokenizerFast, max_target_tokens: int | None = None
) -> Example:
    """Encode a pair: the prompt exactly as serving does, the target tokenised whole.

    :param max_target_tokens: the target is cut behind so many tokens and then has no end of turn;
        the rows at the end of a long list teach nothing that those at its beginning do not.
    """
    prompt = render(pair.schema, pair.text, tokenizer)
    encoded = tokenizer(
        pair.target,
        add_special_tokens=False,
        split_special_tokens=True,
        return_offsets_mapping=True,
    )
    target: list[int] = encoded["input_ids"]
    weights = [
        min((w for a, b, w in _shares(pair) if start < b and a < end), default=1.0)
        for start, end in encoded["offset_mapping"]
    ]
    # The end of turn is masked by position and never by id: padding may share its id.
    if max_target_tokens is not None and len(target) > max_target_tokens:
        target, weights = target[:max_target_tokens], weights[:max_target_tokens]
        return Example((*prompt, *target), len(prompt), tuple(weights), pair)
    end = int(tokenizer.eos_token_id)
    return Example((*prompt, *target, end), len(prompt), (*weights, 1.0), pair)


def choices(
    item: Example, tokenizer: PreTrainedTokenizerFast, vocabulary: int
) -> npt.NDArray[np.bool_]:
    """Return what serving would let the model choose from at each token of a target.

    From a token on that the constraint refuses, which augmentation can bring about, every token
    counts as allowed.

    :param vocabulary: columns of the model's head; at least the tokenizer's.
    :returns: shape [tokens - prompt_tokens, vocabulary].
    """
    # Here and not above: a corpus can be looked at without the packages that run models.
    import numpy as np

    from extractor.engine.constraint import Constraint

    target = item.input_ids[item.prompt_tokens :]
    matcher = Constraint(item.pair.schema, tokenizer).start(item.pair.text)
    allowed = np.zeros((len(target), vocabulary), np.bool_)
    for index, token in enumerate(target):
        if matcher.done:  # only the end of turn is left; serving stops without it
            allowed[index:, token] = True
            break
        mask = matcher.allowed()
        if not mask[token]:
            allowed[index:] = True
            break
        allowed[index, : len(mask)] = mask
        matcher.consume(token)
    return allowed


def undecodable(pair: Pair, constraint: Constraint, tokenizer: PreTrainedTokenizerFast) -> str:
    """Walk the target through the constraint that will serve it.

    :returns: empty if every token is accepted, else the field at which decoding stops.
    """
    target = encode(pair.target, tokenizer)
    accepted = constraint.start(pair.text).accepts(target)
    if accepted == len(target):
        return ""
    prefix = str(tokenizer.decode(target[: accepted + 1]))
    at = {
        name: prefix.rfind(json.dumps(name, ensure_ascii=False)) for name in pair.schema.field_names
    }
    return max(at, key=lambda name: at[name])


def without(pair: Pair, name: str) -> Pair | None:
    """Return the pair without one top-level field, or None if nothing would be left."""
    names = [known for known in pair.schema.field_names if known != name]
    return subset(pair, names) if names else None


def subset(pair: Pair, names: Sequence[str]) -> Pair:
    """Return the pair that asks for some of the fields only."""
    printed = _with_holes(pair)
    schema = pair.schema.only(names)
    target, unlabelled = _render_target(schema, {n: printed[n] for n in schema.field_names})
    return replace(pair, schema=schema, target=target, unlabelled=unlabelled)


def extended(pair: Pair, more: AnySchema, printed: Mapping[str, Any], draw: random.Random) -> Pair:
    """Return the pair that asks for further fields too: behind its own, or anywhere among them.

    :param printed: their values as the text prints them.
    """
    added, mixed = dict(more.root.keys), {**dict(pair.schema.root.keys), **dict(more.root.keys)}
    order = list(mixed)
    if draw.random() < 0.5:
        for name in added:
            order.remove(name)
            order.insert(draw.randint(0, len(order)), name)
    root = replace(
        pair.schema.root,
        keys=tuple((name, mixed[name]) for name in order),
        notes=(*pair.schema.root.notes, *more.root.notes),
    )
    schema: AnySchema = Schema(pair.schema.model, root)
    target, unlabelled = _render_target(schema, {**_with_holes(pair), **printed})
    return replace(pair, schema=schema, target=target, unlabelled=unlabelled)


def write(pairs: Sequence[Pair], path: Path) -> None:
    """Write pairs as JSON lines that a person can read: document, prompt messages, target."""
    from extractor.prompt import messages

    with path.open("w", encoding="utf-8") as stream:
        for pair in pairs:
            line = {
                "document": pair.document,
                "messages": messages(pair.schema, pair.text),
                "target": pair.target,
                "unlabelled": [pair.target[a:b] for a, b in pair.unlabelled],
            }
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def _add(
    result: PairSet,
    labelled: LabelledDocument,
    document: Document,
    values: Mapping[str, Any],
    schema: AnySchema,
    config: WindowConfig,
    count: Callable[[str], int],
) -> None:
    locale = document.locale
    windows = cut(document, config, count)
    printer = _Printer(document.text, locale, unknown(labelled, schema))
    asked = known_fields(labelled, schema)
    for name, node in schema.root.keys:
        if isinstance(node, ListNode) and len(values.get(name) or ()) > node.max_items:
            message = f"what it lists beyond the first {node.max_items} is not learned"
            result.problems.append(PairProblem(labelled.id, name, message))
    for window in windows:
        printed: dict[str, Any] = {}
        for name, node in schema.root.keys:
            if name not in asked:
                continue
            shown = printer.show(node, values[name], window, name)
            if shown == _HOLE:
                if window == windows[0]:
                    message = "the labelled value is nowhere in the text as it is printed"
                    result.problems.append(PairProblem(labelled.id, name, message))
                continue
            printed[name] = shown
        if printed:
            part = schema.only(list(printed))
            target, unlabelled = _render_target(part, printed)
            text = document.shown(window.start, window.end)
            result.pairs.append(Pair(labelled.id, part, text, target, unlabelled, labelled.group))


class _Printer:
    """Finds how a document prints its labelled values."""

    def __init__(self, text: str, locale: Locale, unverified: frozenset[str]) -> None:
        self.text = text
        self.locale = locale
        self.unverified = unverified

    def show(self, node: Node, value: Any, window: Window, path: str, near: int = 0) -> Any:
        """Return the value as `window` prints it: None if it does not, `_HOLE` if unknown."""
        if path in self.unverified:
            return _HOLE
        if value is None:
            return None
        if isinstance(node, LeafNode):
            return self._leaf(node, value, window, near)
        if isinstance(node, ObjectNode):
            return self._object(node, value, window, path, near)
        if isinstance(node, ListNode):
            return self._list(node, value, window, path)
        return self._whole(node, value, window)

    def _whole(self, node: Node, value: Any, window: Window) -> Any:
        """Return a tuple, map or union in canonical JSON if the window shows a part of it."""
        schema = Schema(BaseModel, ObjectNode((("value", node),)))
        leaves = [leaf for leaf in schema.leaves({"value": value}) if leaf.value is not None]
        spans = [
            span
            for leaf in leaves
            for span in occurrences(self.text, leaf.type, leaf.value, self.locale)
        ]
        if not spans:
            seen = all(self._is_seen(leaf.type, window) for leaf in leaves)
            return _plain(value) if seen else _HOLE
        inside = any(window.start <= start and end <= window.end for start, end in spans)
        return _plain(value) if inside else None

    def _is_seen(self, kind: FieldType, window: Window) -> bool:
        """Return whether a window shows what the text does not print, as far as can be known.

        One that is the whole document does. A choice, such as the kind of a document, is a
        judgement that each window allows; of any other value nothing says which window holds it.
        """
        if kind.copied:
            return False
        return isinstance(kind.emission(), Choice) or window == Window(0, len(self.text))

    def _leaf(self, node: LeafNode, value: Any, window: Window, near: int) -> Any:
        spans = occurrences(self.text, node.type, value, self.locale)
        inside = [span for span in spans if window.start <= span[0] and span[1] <= window.end]
        if not spans:
            return node.type.to_json(value) if self._is_seen(node.type, window) else _HOLE
        if not node.type.copied:
            return node.type.to_json(value) if inside else None
        if not inside:
            return None
        start, end = next((span for span in inside if span[0] >= near), inside[0])
        return " ".join(self.text[start:end].split())

    def _object(
        self, node: ObjectNode, value: Mapping[str, Any], window: Window, path: str, near: int
    ) -> Any:
        shown = {
            key: self.show(child, value.get(key), window, f"{path}.{key}", near)
            for key, child in node.keys
        }
        known = [part for part in shown.values() if part is not None]
        return shown if known or not any(v is not None for v in value.values()) else None

    def _list(self, node: ListNode, value: Any, window: Window, path: str) -> Any:
        shown: list[Any] = []
        after = window.start
        missing = 0
        for index, item in enumerate(value):
            anchor = self._anchor(node.item, item, window, after)
            if anchor is None:  # labelled in another order than printed
                anchor = self._anchor(node.item, item, window, window.start)
            if anchor is None:
                missing += self._anchor(node.item, item, Window(0, len(self.text)), 0) is None
                continue
            line = self.text.rfind("\n", 0, anchor) + 1
            part = self.show(node.item, item, window, f"{path}[{index}]", line)
            if part == _HOLE:
                missing += 1
            elif part is not None:
                shown.append(part)
            after = max(after, anchor + 1)
        # A list of which rows cannot be placed would teach the model to skip rows.
        return _HOLE if missing else shown[: node.max_items]

    def _anchor(self, node: Node, value: Any, window: Window, near: int) -> int | None:
        """Return where a row stands: its rarest findable value at or after `near`."""
        spans: list[list[tuple[int, int]]] = []
        for leaf, part in _leaves(node, value):
            found = [
                span
                for span in occurrences(self.text, leaf.type, part, self.locale)
                if near <= span[0] and span[1] <= window.end
            ]
            if found:
                spans.append(found)
        return min(spans, key=len)[0][0] if spans else None


def _leaves(node: Node, value: Any) -> Iterator[tuple[LeafNode, Any]]:
    if isinstance(node, LeafNode) and value is not None:
        yield node, value
    elif isinstance(node, ObjectNode) and isinstance(value, Mapping):
        for key, child in node.keys:
            yield from _leaves(child, value.get(key))


def _shares(pair: Pair) -> list[tuple[int, int, float]]:
    """Return the character spans of a target that count less than 1, with their weights.

    Values without label count nothing. The items of a long list count as much as three: an
    invoice of twenty rows would otherwise teach rows and little else.
    """
    spans = [(start, end, 0.0) for start, end in pair.unlabelled]
    decoder, place = json.JSONDecoder(), 1
    while place < len(pair.target):
        _, colon = decoder.raw_decode(pair.target, place)
        value, end = decoder.raw_decode(pair.target, colon + 1)
        if isinstance(value, list) and len(value) > _FULL_ITEMS:
            spans.append((colon + 1, end, _FULL_ITEMS / len(value)))
        place = end + 1
    return spans


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str, ensure_ascii=False))


def _render_target(
    schema: AnySchema, printed: Mapping[str, Any]
) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the target, and the spans of the values in it that are not known."""
    pieces = schema.target(printed).split(json.dumps(_HOLE, ensure_ascii=False))
    target, unlabelled = pieces[0], []
    for piece in pieces[1:]:
        unlabelled.append((len(target), len(target) + 4))
        target += "null" + piece
    return target, tuple(unlabelled)


def _with_holes(pair: Pair) -> dict[str, Any]:
    target = pair.target
    for start, end in reversed(pair.unlabelled):
        target = target[:start] + json.dumps(_HOLE, ensure_ascii=False) + target[end:]
    loaded: dict[str, Any] = json.loads(target)
    return loaded


__all__ = [
    "Example",
    "Pair",
    "PairProblem",
    "PairSet",
    "build",
    "choices",
    "example",
    "extended",
    "known_fields",
    "subset",
    "undecodable",
    "unknown",
    "unknown_fields",
    "without",
    "write",
]
