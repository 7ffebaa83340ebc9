"""The trainings beside the main one: folds, to calibrate with, and shares, for a learning curve.

Each is kept with a fingerprint of all that it comes from. A resumed run takes over what still has
the same one, goes on with what was cut off, and trains the rest anew.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractor import adapter as adapters
from extractor import base_model, document, prompt, rules
from extractor.errors import TrainingError
from extractor.schema import AnySchema
from training import calibrate as calibrating
from training.calibrate import Answers
from training.corpus import LabelledDocument
from training.split import groups, in_lots, with_validation

if TYPE_CHECKING:
    from training.tune import Progress, TuneConfig

KEPT = "further.json"
"""In the output folder: what each further training came from and came to, by folder name."""
SHARES = (0.25, 0.5)


@dataclass(frozen=True, slots=True)
class Part:
    """A finished training on a part of the documents.

    :param documents: trained on.
    :param validation_f1: macro F1 on the validation documents; None without any.
    :param seconds_s: that it took, over all its runs; `cpu_s` the same of all threads.
    """

    documents: int
    validation_f1: float | None
    seconds_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Fold:
    """An adapter, and the documents of groups that neither it nor its start learned."""

    folder: Path
    held: list[LabelledDocument]
    part: Part


def folds(
    train: Sequence[LabelledDocument],
    given: Sequence[LabelledDocument],
    schema: AnySchema,
    output: Path,
    config: TuneConfig,
    learned: frozenset[str],
    progress: Progress,
) -> list[Fold]:
    """Train on all groups but those of one fold, for each fold.

    :param given: documents that the labels name for validation.
    :param learned: hashes of what the start adapter learned. These documents, and those of their
        groups, train in every fold: no fold can hold out what its start knows.
    :returns: none where too few groups would be held out to calibrate with.
    """
    fresh, _ = calibrating.held_out(train, schema, learned)
    dealt = groups(fresh, schema)
    if not calibrating.enough(len(fresh), len(dealt)):
        return []
    sizes = [number for number, group in enumerate(dealt) for _ in group]
    fold_of = calibrating.fold_of_groups(sizes, config.folds, config.seed)
    made = []
    for fold in sorted(set(fold_of.values())):
        held = [one for n, group in enumerate(dealt) if fold_of[n] == fold for one in group]
        names = {one.id for one in held}
        learn, choose = with_validation(
            [one for one in train if one.id not in names], given, config.validation, schema,
            config.seed,
        )  # fmt: skip
        folder = output / f"fold-{fold + 1}"
        made.append(Fold(folder, held, _train(learn, choose, schema, folder, config, progress)))
    return made


def answers(
    made: Sequence[Fold], schema: AnySchema, config: TuneConfig, engine: str, progress: Progress
) -> tuple[list[Answers], dict[str, str]]:
    """Return the answers of each fold's adapter to what it holds out, and who answered.

    :param engine: number format that the main adapter is served in: its answers are calibrated.
    """
    from training.tune import reader_of

    found: list[Answers] = []
    identity: dict[str, str] = {}
    for number, fold in enumerate(made):
        reader = reader_of(schema, config, fold.folder, engine)
        identity = reader.identity
        stage = partial(progress, f"fold {number + 1}")
        observed, _ = calibrating.observe(reader, fold.held, schema, progress=stage)
        # Numbers of groups are of one call; those of another fold are other groups.
        first = sum(len(other.held) for other in made[:number])
        found += [replace(one, group=one.group + first) for one in observed]
    return found, identity


def shares(
    train: Sequence[LabelledDocument],
    validation: Sequence[LabelledDocument],
    schema: AnySchema,
    output: Path,
    config: TuneConfig,
    progress: Progress,
) -> list[Part]:
    """Train on 25 and 50 % of the groups, the smaller within the larger; adapters are not kept.

    :raises TrainingError: without validation documents, or if a result must not be trusted.
    """
    if not validation:
        raise TrainingError(
            "a learning curve needs validation documents, and the groups allow none",
            hint="label more documents, or name a split `validation` in the labels",
        )
    lots = in_lots(groups(train, schema), schema, config.seed)
    made = []
    for share in SHARES:
        part: list[LabelledDocument] = []
        for group in lots:
            if len(part) < share * len(train):
                part += group
        folder = output / f"share-{round(100 * share)}"
        made.append(_train(part, validation, schema, folder, config, progress, keep=False))
    return made


def _train(
    train: Sequence[LabelledDocument],
    validation: Sequence[LabelledDocument],
    schema: AnySchema,
    folder: Path,
    config: TuneConfig,
    progress: Progress,
    *,
    keep: bool = True,
) -> Part:
    """Train on a part, or take over what an earlier run made of the very same.

    :param keep: the adapter is still wanted afterwards.
    """
    from training.tune import tune_on

    settings = replace(config, parity=0, learning_curve=False, folds=0)
    run = _fingerprint(train, validation, schema, folder, settings)
    known = _read(folder) if config.resume else {}
    same = known.get("run") == run
    if same and "part" in known and (not keep or (folder / adapters.MANIFEST).is_file()):
        return Part(**known["part"])
    (folder / adapters.MANIFEST).unlink(missing_ok=True)
    if not same:  # what another run left must not be gone on with after the next cut
        for name in ("checkpoint", "best"):
            shutil.rmtree(folder / name, ignore_errors=True)
    _write(folder, {"run": run})
    settings = replace(settings, resume=same)
    result = tune_on(list(train), list(validation), schema, folder, settings, progress=progress)
    course = result.course
    part = Part(len(train), result.validation_f1, course.seconds_s, course.cpu_s)
    _write(folder, {"run": run, "part": asdict(part)})
    if not keep:
        shutil.rmtree(folder)
    return part


def _fingerprint(
    train: Sequence[LabelledDocument],
    validation: Sequence[LabelledDocument],
    schema: AnySchema,
    folder: Path,
    config: TuneConfig,
) -> str:
    """Identify a training by its documents, labels, schema, base, start and configuration."""
    from training.tune import start_of

    base = base_model.find(config.base_model)
    start = start_of(config, base, folder)
    labels = [
        [[one.id, one.sha256(), one.fields, sorted(one.unverified), one.group] for one in part]
        for part in (train, validation)
    ]
    known = [
        labels, schema.fingerprint, base.sha256, config.of_effect(), prompt.VERSION,
        document.VERSION, rules.FORMAT,
        None if start is None else adapters.read(start).sha256,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(known, default=str).encode()).hexdigest()


def _read(folder: Path) -> dict[str, Any]:
    return dict(_all(folder).get(folder.name, {}))


def _write(folder: Path, what: dict[str, Any]) -> None:
    """Write what is known of one training, whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    file = folder.parent / KEPT
    part = file.with_suffix(".part")
    part.write_text(json.dumps({**_all(folder), folder.name: what}, indent=2), encoding="utf-8")
    part.replace(file)


def _all(folder: Path) -> dict[str, Any]:
    file = folder.parent / KEPT
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}
