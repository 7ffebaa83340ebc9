"""Which documents each method learns from and is measured on.

All methods have the same documents: those of unseen groups. Where the labels name documents that
are held out, these are the one fold, without those whose sender training documents have too: what
copies a sender's label would seem to read it. Else whole groups are dealt into folds. Documents
that the labels name `test` are left alone where there are others, so that they stay a test.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

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
    :param shared: ids of documents that the labels hold out, but of groups that training documents
        have too; nothing learns from them and nothing is measured on them.
    """

    schema: AnySchema
    known: Mapping[str, Known]
    unreadable: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, ...], ...]
    folds: tuple[Fold, ...]
    names: str
    seed: int
    shared: tuple[str, ...] = ()

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
        """Change with the documents, their labels, the schema, and what is dealt to which fold."""
        parts = [
            [item.id, item.document.sha256, _sha256(item.document.text),
             str(sorted(item.labelled.fields.items())), sorted(item.labelled.unverified)]
            for item in self.known.values()
        ]  # fmt: skip
        folds = [asdict(fold) for fold in self.folds]
        return _sha256(json.dumps([self.schema.fingerprint, self.seed, parts, folds]))


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
    :raises CorpusError: if nothing is left to learn from or to measure on, or if no held-out
        document is of a group that training lacks.
    """
    if any(item.split == "dev" or item.split in (None, "train") for item in documents):
        documents = [item for item in documents if item.split != "test"] or documents
    dealt = groups(documents, schema)
    names = {item.id: f"{index}" for index, group in enumerate(dealt) for item in group}
    known, unreadable = read_known(documents, schema, names, progress)
    usable = [item.labelled for item in known]
    parts, used = _parts(usable, schema, count, seed)
    shared: tuple[str, ...] = ()
    if count is None and len(parts) == 1:
        parts, shared = _unseen(*parts[0], {item.id: item.group for item in known})
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
        tuple(_fold(empty, train, held) for train, held in parts), used, seed, shared,
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


def _unseen(
    train: list[str], held: list[str], group_of: Mapping[str, str]
) -> tuple[list[tuple[list[str], list[str]]], tuple[str, ...]]:
    """Return the fold without held-out documents of groups that training has, and these."""
    known = {group_of[name] for name in train}
    shared = tuple(name for name in held if group_of[name] in known)
    if shared and len(shared) == len(held):
        raise CorpusError(
            f"all {len(held)} documents that the labels hold out are of senders that training "
            "documents have too: none is unseen",
            hint="hold out whole senders, or use --folds 5, which does",
        )
    return [(train, [name for name in held if group_of[name] not in known])], shared


def _fold(study: Study, train: Sequence[str], held: Sequence[str]) -> Fold:
    def drawn(name: str) -> str:
        return _sha256(f"{study.seed}/{name}")

    half = _first_groups(study, train, 0.5)
    rest = sorted(set(train) - set(half), key=drawn)
    return Fold(tuple(train), tuple(sorted(held, key=drawn)), half, tuple(rest))


def _sha256(text: str) -> str:
    # Names of files need not be UTF-8; what is not stands in them as lone surrogates.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _first_groups(study: Study, ids: Sequence[str], part: float) -> tuple[str, ...]:
    wanted = set(ids)
    taken: list[str] = []
    for group in study.groups:
        if len(taken) >= part * len(ids):
            break
        taken += [name for name in group if name in wanted]
    return tuple(taken)
