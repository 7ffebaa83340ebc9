"""The models that are compared; imported late, since it loads what runs models."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractor import adapter as adapters
from extractor import base_model
from extractor.engine.choice import choose
from extractor.engine.local import LocalEngine
from extractor.pipeline import Extractor
from extractor.rules import Rules
from extractor.schema import AnySchema
from training.advise.config import AdviseConfig
from training.augment import AugmentConfig
from training.corpus import LabelledDocument
from training.kept import Asked, KeepingEngine, Kept
from training.tune import Estimate, TuneConfig, tune_on

if TYPE_CHECKING:
    from training.advise.run import Clock


class _Stopped(Exception):
    """The time is up; not an error, and not for users."""


class Models:
    """Readers of one schema, all in one number format, so that they differ in weights alone.

    :raises BaseModelError: if there is no base model.
    """

    def __init__(self, schema: AnySchema, config: AdviseConfig) -> None:
        self._schema, self._config = schema, config
        self._base = base_model.find(config.base_model)
        folder = adapters.shipped(self._base)
        self._shipped = None if folder is None else adapters.read(folder)
        self.engine = choose(config.engine, self._shipped, self._base)
        self._answers: dict[Asked, Kept] = {}  # of the adapter that comes with the package

    def fingerprint(self) -> str:
        """Change with the weights that answers rest on, and with their number format."""
        shipped = None if self._shipped is None else self._shipped.sha256
        return json.dumps([self._base.sha256, shipped, self.engine])

    @property
    def has_shipped(self) -> bool:
        """Whether the adapter that comes with the package is for this base model."""
        return self._shipped is not None

    def shipped(self, rules: Rules | None = None) -> Extractor[Any]:
        """Return the adapter that comes with the package, untuned.

        What was asked without rules is not asked again with them, nor the other way round.

        :param rules: that are weighed with its answers.
        """
        reader = self._extractor(None, rules)
        reader.engine = KeepingEngine(reader.engine, self._answers)
        return reader

    def adapter(self, folder: Path) -> Extractor[Any]:
        """Return a tuned adapter."""
        return self._extractor(folder)

    def bare(self) -> Extractor[Any]:
        """Return the base model without any adapter."""
        engine = LocalEngine.load(self._base, None, kind=self.engine, threads=self._config.threads)
        return Extractor(
            self._schema,
            engine=engine,
            max_new_tokens=self._config.max_new_tokens,
            einvoice="never",
        )

    def _extractor(self, folder: Path | None, rules: Rules | None = None) -> Extractor[Any]:
        return Extractor(
            self._schema,
            adapter=folder,
            base_model=self._config.base_model,
            engine=self.engine,
            max_new_tokens=self._config.max_new_tokens,
            threads=self._config.threads,
            einvoice="never",
            rules=rules,
        )

    def tune(
        self,
        labelled: list[LabelledDocument],
        folder: Path,
        seed: int,
        clock: Clock,
        reserved_s: float,
        progress: Callable[[str, int, int], None],
    ) -> float | str:
        """Train an adapter, or go on where an earlier run stopped.

        A fixed number of steps on all documents, without a choice of checkpoints and of number
        formats, which would cost readings.

        :param reserved_s: to be left of the budget when the training ends.
        :returns: seconds that it took, or why it was not done.
        :raises TrainingError: if the result must not be trusted.
        """
        if (folder / adapters.MANIFEST).is_file():
            training = json.loads((folder / "training.json").read_text(encoding="utf-8"))
            return float(training["estimate"]["seconds_s"])
        config = TuneConfig(
            base_model=self._config.base_model,
            epochs=self._config.epochs,
            validation=0.0,
            parity=0,
            seed=seed,
            threads=self._config.threads,
            resume=(folder / "checkpoint" / "state.safetensors").is_file(),
            augment=AugmentConfig(synthetic=self._config.synthetic),
        )

        def fits(estimate: Estimate) -> None:
            if estimate.seconds_s + reserved_s > clock.left_s and not config.resume:
                raise _Stopped(
                    f"training takes {_minutes(estimate.seconds_s)} and reading "
                    f"{_minutes(reserved_s)}, {_minutes(max(0.0, clock.left_s))} are left"
                )

        def watched(stage: str, done: int, total: int) -> None:
            progress(stage, done, total)
            if not clock.may_go_on():
                raise _Stopped(f"the budget ended at {stage} {done} of {total}; run it again")

        try:
            result = tune_on(
                labelled, [], self._schema, folder, config, progress=watched, announce=fits
            )
        except _Stopped as reason:
            return str(reason)
        return result.seconds_s


def _minutes(seconds_s: float) -> str:
    return f"{seconds_s / 60:.1f} minutes" if seconds_s >= 60 else f"{seconds_s:.0f} seconds"
