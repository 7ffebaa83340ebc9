"""Train, validation and test, so that no document and no group is in two of them.

A random split lies: the seller of a test document would be in training, and copying its label from
there looks like reading. Splits that the labels name are kept; `dev` and `test` are held out.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from extractor.errors import CorpusError, DocumentError
from extractor.schema import AnySchema
from training.corpus import LabelledDocument

_GROUP_FIELDS = ("seller_name", "seller", "vendor", "vendor_name", "supplier", "supplier_name",
                 "company", "merchant", "sender", "issuer")  # fmt: skip
_SHINGLE = 5
_SIMILAR = 0.5


@dataclass(frozen=True, slots=True)
class Splits:
    """Documents by what they are for; `test` is never trained on nor chosen by."""

    train: tuple[LabelledDocument, ...]
    validation: tuple[LabelledDocument, ...]
    test: tuple[LabelledDocument, ...]


def split(
    documents: Sequence[LabelledDocument],
    *,
    schema: AnySchema | None = None,
    seed: int = 0,
    test_share: float = 0.2,
) -> Splits:
    """Split labelled documents.

    Where a label names a split, all that name none are for training. Else whole groups are dealt:
    by the given group, by a field that names the sender, or by near-duplicate text.

    :param test_share: share of the documents held out where no label names a split.
    :raises CorpusError: if a document or a group is in two of the splits that the labels name.
    """
    if any(document.split for document in documents):
        parts: dict[str, list[LabelledDocument]] = defaultdict(list)
        for document in documents:
            part = {"dev": "test", None: "train"}.get(document.split, document.split)
            parts[str(part)].append(document)
        _check_disjoint(parts)
        return Splits(tuple(parts["train"]), tuple(parts["validation"]), tuple(parts["test"]))
    train, test = _deal(documents, max(1, round(test_share * len(documents))), schema, seed)
    return Splits(tuple(train), (), tuple(test))


def validation_from_train(
    documents: Sequence[LabelledDocument],
    *,
    fraction: float = 0.15,
    minimum: int = 20,
    seed: int = 0,
    schema: AnySchema | None = None,
    spread: bool = False,
) -> tuple[list[LabelledDocument], list[LabelledDocument]]:
    """Take whole groups out of training documents, to choose checkpoints or to calibrate with.

    :param spread: take groups that are no more than a quarter of what is wanted before larger
        ones: what few senders show says little of others, however many documents they sent.
    :returns: what stays for training, and at least `minimum` documents of validation; all and
        nothing if the groups do not allow that without taking more than a third.
    """
    wanted = max(minimum, round(fraction * len(documents)))
    if 3 * wanted > len(documents):
        return list(documents), []
    # Small groups alone may be too few, and leave no room for a large one.
    for small_first in (True, False) if spread else (False,):
        kept, held = _deal(documents, wanted, schema, seed, spread=small_first)
        if minimum <= len(held) and 3 * len(held) <= len(documents):
            return kept, held
    return list(documents), []


def with_validation(
    train: Sequence[LabelledDocument],
    given: Sequence[LabelledDocument],
    fraction: float,
    schema: AnySchema | None,
    seed: int,
) -> tuple[list[LabelledDocument], list[LabelledDocument]]:
    """Return documents to train on, and those that choose the checkpoint.

    Fewer than 20 validation documents choose checkpoints like a coin, so documents of a split
    that says `validation` are used as they are, others only if the groups allow 20 of them.

    :param given: of that split.
    :param fraction: of `train`, to take out where none are given; 0 trains on all.
    """
    if fraction == 0:
        return [*train, *given], []
    if given:
        return list(train), list(given)
    return validation_from_train(train, fraction=fraction, minimum=20, seed=seed, schema=schema)


def select(
    documents: Sequence[LabelledDocument],
    name: str,
    *,
    schema: AnySchema | None = None,
    seed: int = 0,
) -> tuple[LabelledDocument, ...]:
    """Return the documents of one split, or `all`.

    Where labels name only one of `dev` and `test`, both names stand for it.

    :raises CorpusError: if there is no such split, or nothing in it.
    """
    if name == "all":
        return tuple(documents)
    parts = split(documents, schema=schema, seed=seed)
    held = {
        part: tuple(document for document in parts.test if document.split == part) or parts.test
        for part in ("dev", "test")
    }
    known = {"train": parts.train, "validation": parts.validation, **held}
    if not known.get(name):
        sizes = ", ".join(f"{part} {len(found)}" for part, found in known.items())
        raise CorpusError(
            f"no documents in the split {name!r}", hint=f"documents by split: {sizes}; or use all"
        )
    return known[name]


def folds(
    documents: Sequence[LabelledDocument],
    count: int,
    *,
    schema: AnySchema | None = None,
    seed: int = 0,
) -> list[list[LabelledDocument]]:
    """Deal whole groups into parts of about one size, to hold out one after the other.

    :returns: at most `count` parts that are not empty, fewer where there are fewer groups.
    """
    parts: list[list[LabelledDocument]] = [[] for _ in range(count)]
    for group in in_lots(groups(documents, schema), schema, seed):
        min(parts, key=len).extend(group)
    return [part for part in parts if part]


def in_lots(
    dealt: Sequence[Sequence[LabelledDocument]], schema: AnySchema | None, seed: int
) -> list[Sequence[LabelledDocument]]:
    """Return groups in an order drawn by hash: it is kept when others come to the corpus."""
    return sorted(dealt, key=lambda group: _lot(group, schema, seed))


def groups(
    documents: Sequence[LabelledDocument], schema: AnySchema | None = None
) -> list[list[LabelledDocument]]:
    """Return the documents by group; documents with equal text are always in one group."""
    names = [group_name(document, schema) for document in documents]
    joined = _Joined(len(documents))
    if all(name is None for name in names):
        _join_similar(documents, joined)
    first: dict[str, int] = {}
    for index, document in enumerate(documents):
        keys = [f"text:{document.sha256()}"]
        if names[index] is not None:
            keys.append(f"group:{names[index]}")
        for key in keys:
            joined.join(first.setdefault(key, index), index)
    found: dict[int, list[LabelledDocument]] = defaultdict(list)
    for index, document in enumerate(documents):
        found[joined.root(index)].append(document)
    return list(found.values())


def group_name(document: LabelledDocument, schema: AnySchema | None = None) -> str | None:
    """Return the group that a label gives or, from the field that names the sender, implies."""
    if document.group is not None:
        return document.group
    for name in _GROUP_FIELDS:
        value = document.fields.get(name)
        if isinstance(value, str) and (schema is None or name in schema.field_names):
            return "".join(character for character in value.casefold() if character.isalnum())
    return None


def similar(texts: Sequence[str], least: float = _SIMILAR) -> Iterator[tuple[int, int, float]]:
    """Yield pairs of texts, as their indices, that share so many five-word shingles.

    :param least: the Jaccard index from which on two texts are similar, above 0 and at most 1.
    :returns: the earlier index, the later one, and their Jaccard index.
    """
    shingles: list[frozenset[int]] = []
    for text in texts:
        words = re.findall(r"\w+", text.lower())
        runs = zip(*(words[i:] for i in range(_SHINGLE)), strict=False)
        shingles.append(frozenset(hash(run) for run in runs))
    holders: dict[int, list[int]] = defaultdict(list)
    for index, own in enumerate(shingles):
        shared: dict[int, int] = defaultdict(int)
        for shingle in own:
            for other in holders[shingle]:
                shared[other] += 1
            holders[shingle].append(index)
        for other, count in shared.items():
            union = len(own) + len(shingles[other]) - count
            if count >= least * union:
                yield other, index, count / union


def _deal(
    documents: Sequence[LabelledDocument],
    wanted: int,
    schema: AnySchema | None,
    seed: int,
    *,
    spread: bool = False,
) -> tuple[list[LabelledDocument], list[LabelledDocument]]:
    """Take whole groups at random until `wanted` documents are held, passing over larger ones.

    :param spread: see `validation_from_train`.
    """
    dealt = in_lots(groups(documents, schema), schema, seed)
    if spread:
        dealt = sorted(dealt, key=lambda group: 4 * len(group) > wanted)
    held: list[LabelledDocument] = []
    for group in dealt:
        if len(held) < wanted and len(held) + len(group) <= max(wanted * 1.5, wanted + 2):
            held.extend(group)
    chosen = {document.id for document in held}
    return [document for document in documents if document.id not in chosen], held


def _lot(group: Sequence[LabelledDocument], schema: AnySchema | None, seed: int) -> str:
    names = [name for document in group if (name := group_name(document, schema))]
    key = min(names) if names else min(document.sha256() for document in group)
    return hashlib.sha256(f"{seed}/{key}".encode()).hexdigest()


def _check_disjoint(parts: dict[str, list[LabelledDocument]]) -> None:
    seen: dict[str, str] = {}
    for part, documents in parts.items():
        for document in documents:
            for key in [document.sha256()] + (
                [f"group {document.group}"] if document.group else []
            ):
                other = seen.setdefault(key, part)
                if other != part:
                    raise CorpusError(
                        f"{document.id}: its {'group' if key.startswith('group') else 'content'} "
                        f"is in the splits {other} and {part}",
                        hint="put all documents of a group into one split",
                    )


def _join_similar(documents: Sequence[LabelledDocument], joined: _Joined) -> None:
    """Join documents that share at least half of their shingles; those without text stay alone."""
    texts: list[str] = []
    for document in documents:
        try:
            texts.append(document.document().in_sight().text)
        except DocumentError:
            texts.append("")
    for first, second, _ in similar(texts):
        joined.join(first, second)


class _Joined:
    """Disjoint sets of indices."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def root(self, index: int) -> int:
        while self._parent[index] != index:
            self._parent[index] = self._parent[self._parent[index]]
            index = self._parent[index]
        return index

    def join(self, a: int, b: int) -> None:
        self._parent[self.root(b)] = self.root(a)
