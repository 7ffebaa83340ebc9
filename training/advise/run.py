"""Which methods are tried, in which order, within the time that is given.

First what costs seconds: rules and copies, on all folds. Then the model that is there already,
whose first documents tell how fast this machine reads, and the same together with rules: the
model's answers are known then, so only what rules doubt is asked. Then tuning: on all training
groups of the first fold, which decides most; on half of them, which gives the answers that the
router is chosen by; on a quarter, for the learning curve; then other seeds, and other folds. What a
run costs is measured before it starts, and what does not fit is left out and named.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from extractor import base_model
from extractor.errors import ExtractorError
from training.advise.config import AdviseConfig
from training.advise.journal import Journal
from training.advise.study import Fold, Progress, Study
from training.evaluate import Reader
from training.methods import Nearest, Nothing
from training.methods.induced import Induced, induce, measured
from training.methods.known import Known
from training.methods.written import Written

if TYPE_CHECKING:
    from training.advise.models import Models

log = logging.getLogger(__name__)

NOTHING, NEAREST, RULES, WRITTEN = "nothing", "nearest document", "induced rules", "your rules"
SHIPPED, BARE, TUNED, ROUTED = "shipped adapter", "base model", "tuned", "by field"
TOGETHER = "untuned with rules"
FLOORS = (NOTHING, NEAREST)  # what a corpus gives away for free; never a recommendation
SHARES = (100, 50, 25)
HELD, INNER, RANDOM = "held", "inner", "random"
_INNER = 40


def piece(method: str, fold: int, part: str, share: int = 100, seed: int = 0) -> str:
    """Return the name of a piece of the run, as the journal has it."""
    what = f"{method} {share} % seed {seed}" if method == TUNED else method
    return f"{what}/fold {fold}/{part}"


class Clock:
    """What is left of the budget; seconds of earlier runs in the same folder do not count."""

    def __init__(self, budget_s: float | None) -> None:
        self._started_s = time.monotonic()
        self._budget_s = budget_s

    @property
    def spent_s(self) -> float:
        """Since the run began."""
        return time.monotonic() - self._started_s

    @property
    def left_s(self) -> float:
        """Until the budget ends; infinite without one."""
        return float("inf") if self._budget_s is None else self._budget_s - self.spent_s

    def may_go_on(self) -> bool:
        """Return whether there is time."""
        return self.left_s > 0


@dataclass(slots=True)
class Trials:
    """What was tried.

    :param omitted: what was not, by the reason.
    :param read: how many of a fold's held-out documents each model is given, by fold; all models
        are given the same ones.
    :param reading_s: seconds that a document takes the model, measured; None before.
    :param training_s: seconds of each tuned run, by piece.
    """

    study: Study
    journal: Journal
    config: AdviseConfig
    clock: Clock
    folder: Path
    progress: Progress
    omitted: dict[str, list[str]] = field(default_factory=dict)
    read: dict[int, int] = field(default_factory=dict)
    reading_s: float | None = None
    training_s: dict[str, float] = field(default_factory=dict)
    rules: Induced | None = None

    def leave_out(self, what: str, why: str) -> None:
        """Remember that something was not tried."""
        self.omitted.setdefault(why, []).append(what)

    @property
    def left_out(self) -> tuple[str, ...]:
        """What was not tried, with the reason, those of one reason together."""
        lines = []
        for why, what in self.omitted.items():
            more = f" and {len(what) - 3} more" if len(what) > 3 else ""
            lines.append(f"{', '.join(what[:3])}{more}: {why}")
        return tuple(lines)

    def tuned_share(self, part: str = HELD) -> int | None:
        """Return the largest share of the groups of which an adapter was tuned and read all."""
        for share in SHARES:
            if any(self._is_read(TUNED, 0, part, share, seed) for seed in self.config.seeds):
                return share
        return None

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of all methods that may have been tried, without what is made of them."""
        return (*cheap_methods(self.config), BARE, SHIPPED, TOGETHER, TUNED)

    def pieces(
        self,
        name: str,
        part: str = HELD,
        share: int | None = None,
        folds: Iterable[int] | None = None,
    ) -> list[str]:
        """Return the pieces of a method that were read to the end.

        :param share: of tuned ones; None for the largest that was read.
        :param folds: numbers; None for all.
        """
        folds = range(len(self.study.folds)) if folds is None else folds
        share = share or (self.tuned_share(part) or 100 if name == TUNED else 100)
        seeds = self.config.seeds if name == TUNED else (0,)
        return [
            piece(name, number, part, share, seed)
            for number in folds
            for seed in seeds
            if self._is_read(name, number, part, share, seed)
        ]

    def _is_read(self, name: str, number: int, part: str, share: int, seed: int) -> bool:
        read = self.journal.readings.get(piece(name, number, part, share, seed), {})
        return bool(read) and set(self._given(name, number, part)) <= set(read)

    def _given(self, name: str, number: int, part: str) -> tuple[str, ...]:
        """Return the documents that a method is to read."""
        fold = self.study.folds[number]
        if part == INNER:
            return inner(fold)
        if name in cheap_methods(self.config):
            return fold.held
        return fold.held[: self.read.get(number, self._read_before(number))]

    def _read_before(self, number: int) -> int:
        """Return how many held-out documents of a fold models were given in earlier runs."""
        place = f"/fold {number}/{HELD}"
        return max(
            (
                len(read)
                for name, read in self.journal.readings.items()
                if name.endswith(place) and name.startswith((BARE, SHIPPED, TOGETHER, TUNED))
            ),
            default=0,
        )

    def show(self, title: str) -> Callable[[int, int], None]:
        """Return a progress callback with a title."""
        return lambda done, total: self.progress(title, done, total)


# ---------------------------------------------------------------- without a model


def try_cheap(trials: Trials) -> None:
    """Let the methods without a model read all held-out documents, and what the router needs."""
    study = trials.study
    for number, fold in enumerate(study.folds):
        _read_cheap(trials, number, HELD, study.of(fold.train), study.of(fold.held))
        _read_cheap(trials, number, INNER, study.of(fold.half), study.of(inner(fold)))
    first = study.folds[0]
    everything = [*first.train, *first.held]
    pretended = sorted(everything, key=lambda name: study.known[name].document.sha256)
    held = pretended[: len(first.held)]
    _read_cheap(trials, 0, RANDOM, study.of(pretended[len(held) :]), study.of(held))
    # Measured, so that they can be weighed with a model: what is written is what a reader takes.
    trials.rules = Induced(
        measured(study.schema, study.of(first.train), progress=trials.show(RULES))
    )


def inner(fold: Fold) -> tuple[str, ...]:
    """Return the documents whose answers choose between methods."""
    return fold.other_half[:_INNER]


def cheap_methods(config: AdviseConfig) -> tuple[str, ...]:
    """Return the names of the methods without a model."""
    return (NOTHING, NEAREST, RULES, *([WRITTEN] if config.rules else []))


def _read_cheap(
    trials: Trials, fold: int, part: str, train: Sequence[Known], held: Sequence[Known]
) -> None:
    schema, rules = trials.study.schema, trials.config.rules
    makers: dict[str, Callable[[], Reader]] = {
        NOTHING: lambda: Nothing(schema),
        NEAREST: lambda: Nearest(schema, train),
        RULES: lambda: induce(schema, train),
    }
    if rules is not None:
        makers[WRITTEN] = lambda: Written(schema, rules)
    for name, make in makers.items():
        trials.journal.read(piece(name, fold, part), make, held, schema, progress=trials.show(name))


# ---------------------------------------------------------------- with a model


def try_models(trials: Trials) -> None:
    """Let models read, in the order of what decides most."""
    if trials.config.budget_s == 0:
        trials.leave_out("all models", "the budget is 0")
        return
    try:
        base_model.import_torch()
        base_model.import_transformers()
        from training.advise.models import Models

        models = Models(trials.study.schema, trials.config)
    except ExtractorError as error:
        trials.leave_out("all models", f"{error.message} ({error.hint})")
        return
    trials.journal.use_models(models.fingerprint())
    if models.has_shipped:
        untuned = SHIPPED
    else:
        why = "the adapter that comes with the package is for another base model"
        for name in (SHIPPED, TOGETHER):
            trials.leave_out(name, why)
        untuned = BARE
    _try_untuned(trials, models, untuned, 0)
    _try_together(trials, models, 0)
    _try_tuned(trials, models, untuned)
    if models.has_shipped and trials.config.bare_base:
        for number in trials.read:
            _try_untuned(trials, models, BARE, number)
    trials.leave_out(
        "few-shot",
        "a request has one text, and copied values may be any span of it: values of an example in "
        "it would be given as the document's",
    )


def _try_untuned(trials: Trials, models: Models, name: str, number: int) -> None:
    fold = trials.study.folds[number]
    make = models.shipped if name == SHIPPED else models.bare
    if number not in trials.read:
        _measure_reading(trials, name, number, fold, make)
    _read(trials, name, number, HELD, fold.held[: trials.read[number]], make)
    _read(trials, name, number, INNER, inner(fold), make)


def _try_together(trials: Trials, models: Models, number: int) -> None:
    """Let the adapter that comes with the package read with rules what it has read alone."""
    if not models.has_shipped:  # then no command makes an adapter without training either
        return
    study, fold = trials.study, trials.study.folds[number]
    held = fold.held[: trials.read[number]]

    def make(train: Sequence[str]) -> Reader:
        known = trials.rules if train == study.folds[0].train else None
        learned = measured(study.schema, study.of(train)) if known is None else known.rules
        return models.shipped(learned)

    _read(trials, TOGETHER, number, HELD, held, lambda: make(fold.train))
    # Inner documents are training documents: rules that choose by them learn from the other half.
    _read(trials, TOGETHER, number, INNER, inner(fold), lambda: make(fold.half))


def _measure_reading(
    trials: Trials, name: str, number: int, fold: Fold, make: Callable[[], Reader]
) -> None:
    """Read three documents to know the speed, and choose how many all models read."""
    known = trials.journal.readings.get(piece(name, number, HELD), {})
    if not known:
        _read(trials, name, number, HELD, fold.held[:3], make)
        known = trials.journal.readings.get(piece(name, number, HELD), {})
    if known:
        trials.reading_s = sum(item.seconds_s for item in known.values()) / len(known)
    trials.read[number] = max(len(known), affordable(trials, fold))


def affordable(trials: Trials, fold: Fold) -> int:
    """Return how many held-out documents a model is given: a tenth of the budget each time.

    Fewer than a comparison needs would be read for nothing.
    """
    budget_s = trials.config.budget_s
    if budget_s is None or not trials.reading_s:
        return len(fold.held)
    return max(_deciding(trials, fold), int(0.1 * budget_s / trials.reading_s))


def _deciding(trials: Trials, fold: Fold) -> int:
    """Return how many of the first held-out documents are enough to compare on; all if none are."""
    group_of = {name: group[0] for group in trials.study.groups for name in group}
    groups: set[str] = set()
    for count, name in enumerate(fold.held, start=1):
        groups.add(group_of[name])
        if count >= trials.config.least_held and len(groups) >= trials.config.least_groups:
            return count
    return len(fold.held)


def _read(
    trials: Trials,
    name: str,
    fold: int,
    part: str,
    ids: Sequence[str],
    make: Callable[[], Reader],
    share: int = 100,
    seed: int = 0,
) -> bool:
    what = piece(name, fold, part, share, seed)
    done = trials.journal.read(
        what, make, trials.study.of(ids), trials.study.schema,
        trials.clock.may_go_on, trials.show(name),
    )  # fmt: skip
    if not done:
        read = len(trials.journal.readings.get(what, {}))
        trials.leave_out(what, f"the budget ended after {read} of {len(ids)} documents")
    return done


def _try_tuned(trials: Trials, models: Models, untuned: str) -> None:
    """Tune and read, fold after fold; what is there untuned reads each fold first."""
    study, config = trials.study, trials.config
    refused: list[int] = []
    for number, fold, share, seed in _runs(study, config):
        ids = study.share(fold, share / 100)
        name = piece(TUNED, number, HELD, share, seed)
        if not trials.clock.may_go_on():
            trials.leave_out(name, "the budget ended")
            continue
        if refused and len(ids) >= min(refused):
            trials.leave_out(name, "a run on fewer documents did not fit into the budget")
            continue
        if number not in trials.read:
            _try_untuned(trials, models, untuned, number)
            _try_together(trials, models, number)
        held = fold.held[: trials.read[number]]
        reserved_s = (trials.reading_s or 0.0) * len(held)
        adapter = _tuned(trials, models, study.of(ids), name, seed, reserved_s)
        if adapter is None:
            refused.append(len(ids))
            continue

        def make(folder: Path = adapter) -> Reader:
            return models.adapter(folder)

        _read(trials, TUNED, number, HELD, held, make, share, seed)
        # The larger adapter that has not seen these documents chooses between methods.
        if share == 50 or (share == 25 and trials.tuned_share(INNER) is None):
            _read(trials, TUNED, number, INNER, inner(fold), make, share, seed)


def _runs(study: Study, config: AdviseConfig) -> list[tuple[int, Fold, int, int]]:
    """Return fold, share of the groups and seed of each run, those that decide most first."""
    runs: list[tuple[int, Fold, int, int]] = []
    for number, fold in enumerate(study.folds):
        for seed in config.seeds:
            runs += [(number, fold, share, seed) for share in SHARES]
    return sorted(runs, key=lambda run: (run[3] - config.seed + 2 * run[0], -run[2]))


def _tuned(
    trials: Trials, models: Models, train: Sequence[Known], name: str, seed: int, reserved_s: float
) -> Path | None:
    """Return the adapter, trained now or before; None if that does not fit."""
    folder = trials.folder / "adapters" / name.replace(" ", "-").replace("%", "").replace("/", "_")
    labelled = [item.labelled for item in train]
    started_s = time.monotonic()
    title = name.split("/")[0]

    def show(stage: str, done: int, total: int) -> None:
        trials.progress(f"{title}: {stage}", done, total)

    try:
        done = models.tune(labelled, folder, seed, trials.clock, reserved_s, show)
    except ExtractorError as error:
        trials.leave_out(name, error.message)
        return None
    if isinstance(done, str):
        trials.leave_out(name, done)
        return None
    trials.training_s[name] = done if done > 0 else time.monotonic() - started_s
    return folder
