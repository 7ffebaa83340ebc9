"""Which documents each method learns from and is measured on.

All methods have the same documents: those of unseen groups. Where the labels name documents that
are held out, these are the one fold; else whole groups are dealt into folds. Documents that the
labels name `test` are left alone where there are others, so that they stay a test.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from extractor.errors import CorpusError
from extractor.schema import AnySchema
from training.corpus import LabelledDocument
from training.methods.known import Known, read_known
from training.split import folds, groups, in_lots

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Fold:
    """Documents to learn from, and documents of other groups to be measured on; ids.

    :param held: in the order in which they are read, drawn at random: a part of them is a fair one.
    :param half: a half of the training groups, for what chooses between methods.
    :param other_half: the rest of them; its answers choose, and are never reported.
    """

    train: tuple[str, ...]
    held: tuple[str, ...]
    half: tuple[str, ...]
    other_half: tuple[str, ...]


@dataclass(frozen=True)
class Study:
    """A corpus, read and dealt.

    :param unreadable: (id, reason) of documents that are left out.
    :param groups: ids of the documents of each group.
    :param names: of the splits that were used.
    """

    schema: AnySchema
    known: Mapping[str, Known]
    unreadable: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, ...], ...]
    folds: tuple[Fold, ...]
    names: str
    seed: int

    @property
    def held(self) -> list[str]:
        """Ids of all documents that methods are measured on."""
        return [name for fold in self.folds for name in fold.held]

    def held_groups(self) -> list[tuple[str, ...]]:
        """Return the groups of the documents that methods are measured on."""
        held = set(self.held)
        cut = (tuple(name for name in group if name in held) for group in self.groups)
        return [group for group in cut if group]

    def of(self, ids: Iterable[str]) -> list[Known]:
        """Return documents by id."""
        return [self.known[name] for name in ids]

    def share(self, fold: Fold, part: float) -> tuple[str, ...]:
        """Return the documents of so many training groups; smaller shares lie in larger ones."""
        if part >= 1:
            return fold.train
        return _first_groups(self, fold.train, part)

    def fingerprint(self) -> str:
        """Change with the documents, their labels and the schema."""
        parts = [
            [item.id, item.document.sha256, str(sorted(item.labelled.fields.items()))]
            for item in self.known.values()
        ]
        text = json.dumps([self.schema.fingerprint, self.seed, parts, len(self.folds)])
        return hashlib.sha256(text.encode()).hexdigest()


def study(
    documents: Sequence[LabelledDocument],
    schema: AnySchema,
    *,
    count: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Study:
    """Read a corpus and deal it.

    :param count: of the folds; None takes the documents that the labels hold out, else 5.
    :raises CorpusError: if nothing is left to learn from or to measure on.
    """
    if any(item.split == "dev" or item.split in (None, "train") for item in documents):
        documents = [item for item in documents if item.split != "test"] or documents
    dealt = groups(documents, schema)
    names = {item.id: f"{index}" for index, group in enumerate(dealt) for item in group}
    known, unreadable = read_known(documents, schema, names, progress)
    usable = [item.labelled for item in known]
    parts, used = _parts(usable, schema, count, seed)
    if len(parts) < 1 or not all(train and held for train, held in parts):
        raise CorpusError(
            f"{len(usable)} usable documents of {len(dealt)} groups: nothing to hold out",
            hint="label documents of at least two senders",
        )
    lots = [[item.id for item in group] for group in in_lots(dealt, schema, seed)]
    by_id = {item.id: item for item in known}
    groups_ = tuple(tuple(name for name in lot if name in by_id) for lot in lots)
    empty = Study(schema, by_id, tuple(unreadable), groups_, (), used, seed)
    return Study(
        schema, by_id, tuple(unreadable), groups_,
        tuple(_fold(empty, train, held) for train, held in parts), used, seed,
    )  # fmt: skip


def _parts(
    usable: Sequence[LabelledDocument], schema: AnySchema, count: int | None, seed: int
) -> tuple[list[tuple[list[str], list[str]]], str]:
    held = [item.id for item in usable if item.split in ("dev", "test")]
    if count is None and held:
        rest = [item.id for item in usable if item.id not in set(held)]
        return [(rest, held)], "the documents that the labels hold out"
    parts = folds(usable, count or 5, schema=schema, seed=seed)
    ids = [[item.id for item in part] for part in parts]
    whole = [([name for other in ids if other is not part for name in other], part) for part in ids]
    return whole, f"{len(parts)} folds of whole groups"


def _fold(study: Study, train: Sequence[str], held: Sequence[str]) -> Fold:
    def drawn(name: str) -> str:
        return hashlib.sha256(f"{study.seed}/{name}".encode()).hexdigest()

    half = _first_groups(study, train, 0.5)
    rest = sorted(set(train) - set(half), key=drawn)
    return Fold(tuple(train), tuple(sorted(held, key=drawn)), half, tuple(rest))


def _first_groups(study: Study, ids: Sequence[str], part: float) -> tuple[str, ...]:
    wanted = set(ids)
    taken: list[str] = []
    for group in study.groups:
        if len(taken) >= part * len(ids):
            break
        taken += [name for name in group if name in wanted]
    return tuple(taken)
