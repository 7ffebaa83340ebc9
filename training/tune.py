"""Labelled corpus -> adapter: which examples, in which order, and the loop that learns them.

The order of examples is a function of the configuration and the seed alone, so a run that was cut
off continues exactly where its last checkpoint stands. The run refuses to end well when weights
did not move, are not finite, or when fewer examples were trained on than planned.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
import shutil
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import cross_entropy

from extractor import adapter as adapters
from extractor import base_model
from extractor.adapter import Parity
from extractor.base_model import BaseModel
from extractor.engine.choice import choose
from extractor.engine.local import LocalEngine
from extractor.engine.torch_runner import TorchRunner, bf16_is_native
from extractor.errors import CalibrationError, TrainingError
from extractor.pipeline import Extractor
from extractor.retrieval import Context
from extractor.rules import Rules
from extractor.schema import AnySchema, Schema
from extractor.windows import WindowConfig
from training import calibrate as calibrating
from training import corpus as corpora
from training import further, weigh
from training import pairs as pairing
from training.augment import AugmentConfig, Curriculum
from training.calibrate import Calibrated
from training.context import learn
from training.corpus import LabelledDocument
from training.course import Course, cost, pretence
from training.course import write as write_course
from training.further import Fold, Part
from training.methods import read_known
from training.methods.induced import measured
from training.pairs import Example, Pair, PairProblem
from training.parity import measure
from training.split import groups, split, validation_from_train, with_validation

if TYPE_CHECKING:
    from accelerate import Accelerator, PartialState

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total): "reading", "rules", "training", "validating", "comparing",
"weighing" and "calibrating"."""

_FREE = 0.1  # weight of the loss among all tokens, beside 1 among those allowed
# On the weights; which documents train is told by the examples.
_OF_NO_EFFECT = (
    "resume", "threads", "learning_curve", "price_per_hour", "calibration", "folds"
)  # fmt: skip
_COMPARED = 40  # documents of each kind, for the loss on training and validation
_WORST = 10
_AT_ONCE = 2  # examples; more would take more memory than they gain time


@dataclass(frozen=True, slots=True)
class TuneConfig:
    """How an adapter is trained. Defaults: measured for a 135M model, see docs/training.md.

    :param base_model: hub name or folder; None is the embedded model.
    :param start: adapter folder to go on from, such as the one before new labels came; its schema
        may be another one. `shipped` is the one that comes with the package, where it is for
        this base model and rank; None begins with the base model alone.
    :param epochs: passes over the labelled documents; None is clip(600 / documents, 3, 12), and
        clip(360 / documents, 3, 8) for a run that starts from an adapter. 0 keeps the weights of
        the start: only rules are learned, in seconds.
    :param learning_rate: peak; LoRA at this width wants far more than full tuning does. None is
        8e-4, and half of it for a run that starts from an adapter.
    :param rank: of the LoRA matrices; alpha is twice the rank.
    :param first_layer: the lowest layer of the model whose adapter learns; those below stay as the
        start has them, which needs no backward pass through them. None is a third of the layers
        for a run that starts from an adapter, and 0, all learn, for one that does not.
    :param batch_size: examples per step, over all processes.
    :param seed: of everything that is drawn.
    :param threads: of torch; None leaves them as they are.
    :param validation: share of the labelled documents kept to choose the checkpoint, whole groups
        only; 0 trains a fixed number of steps on all of them.
    :param checkpoints: how often the weights are kept and, with validation, tried out.
    :param parity: number of documents, of the validation documents if there are any, on which
        narrower number formats are compared with fp32; 0 compares none, and serves fp32.
    :param learning_curve: train on 25 and 50 % of the groups first, to tell what more documents
        would bring; takes about as long again.
    :param price_per_hour: of this machine, in any currency, for the report.
    :param calibration: share of the labelled documents kept aside, whole groups only, to fit the
        confidence of answers on; 0, or too few groups, leaves the adapter without.
    :param folds: instead of that, fit it on answers of so many further trainings, each on the
        other groups, and train the adapter on all documents; 0 for none.
    :param resume: continue a run that was cut off in the same output folder.
    """

    base_model: str | None = None
    start: str | None = adapters.SHIPPED
    epochs: int | None = None
    learning_rate: float | None = None
    rank: int = 16
    first_layer: int | None = None
    batch_size: int = 8
    seed: int = 0
    threads: int | None = None
    validation: float = 0.15
    checkpoints: int = 3
    parity: int = 10
    learning_curve: bool = False
    price_per_hour: float | None = None
    calibration: float = 0.15
    folds: int = 0
    resume: bool = False
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    windows: WindowConfig = field(default_factory=WindowConfig)

    def __post_init__(self) -> None:
        """Refuse values that cannot train."""
        checks = {
            "epochs": (self.epochs is None or self.epochs >= 0, "at least 0"),
            "learning_rate": (
                self.learning_rate is None or 0 < self.learning_rate < 1,
                "between 0 and 1 (exclusive)",
            ),
            "rank": (self.rank >= 1, "at least 1"),
            "first_layer": (self.first_layer is None or self.first_layer >= 0, "at least 0"),
            "batch_size": (self.batch_size >= 1, "at least 1"),
            "validation": (0 <= self.validation < 1, "between 0 (inclusive) and 1 (exclusive)"),
            "checkpoints": (self.checkpoints >= 1, "at least 1"),
            "parity": (self.parity >= 0, "at least 0"),
            "price_per_hour": (
                self.price_per_hour is None or self.price_per_hour >= 0,
                "at least 0",
            ),
            "calibration": (0 <= self.calibration < 1, "between 0 (inclusive) and 1 (exclusive)"),
            "folds": (self.folds == 0 or self.folds >= 2, "0 or at least 2"),
            "learning_curve": (
                not (self.learning_curve and self.epochs == 0),
                "off without epochs",
            ),
        }
        for name, (right, expected) in checks.items():
            if not right:
                raise ValueError(f"{name} must be {expected}, was: {getattr(self, name)}")

    def of_effect(self) -> dict[str, Any]:
        """Return the settings that the weights depend on, as JSON values."""
        return {name: value for name, value in asdict(self).items() if name not in _OF_NO_EFFECT}


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will do, known before it starts.

    :param examples: trained on, over all epochs.
    :param tokens: of them.
    :param seconds_s: expected duration, from the speed of the first examples.
    """

    documents: int
    validation_documents: int
    examples: int
    tokens: int
    seconds_s: float


@dataclass(frozen=True, slots=True)
class TuneResult:
    """What came out of a run.

    :param output: the adapter folder.
    :param problems: labels that could not be trained on, each with its reason.
    :param parity: how number formats compare with fp32, by format.
    :param validation_f1: macro F1 of the kept checkpoint on the validation documents; None
        without validation.
    :param course: what the run cost, and how far its figures can be believed.
    :param calibrated: how far its confidences can be believed; None if it has none.
    :param uncalibrated: why it has none.
    """

    output: Path
    estimate: Estimate
    problems: tuple[PairProblem, ...]
    parity: dict[str, Parity]
    losses: tuple[float, ...]
    validation_f1: float | None
    seconds_s: float
    course: Course
    calibrated: Calibrated | None = None
    uncalibrated: str = ""


def tune(
    corpus: str | Path,
    schema: type[Any] | AnySchema,
    output: str | Path,
    config: TuneConfig | None = None,
    *,
    progress: Progress | None = None,
    announce: Callable[[Estimate], None] | None = None,
) -> TuneResult:
    """Train an adapter for a schema on a labelled folder.

    :param corpus: folder of labelled documents, see `training.corpus`.
    :param output: the adapter folder to make.
    :param announce: called once, before training, with what the run will take.
    :raises CorpusError: if the folder is not a corpus, or has nothing to train on.
    :raises TrainingError: if the result must not be trusted.
    """
    config = config or TuneConfig()
    schema = schema if isinstance(schema, Schema) else Schema.of(schema)
    output = Path(output)
    _check_processes(config)
    learned = _learned_before(config, output)
    labelled = corpora.read(corpus)
    parts = split(labelled.documents, schema=schema, seed=config.seed)
    progress = progress or (lambda stage, done, total: None)
    given = list(parts.validation)
    folds: list[Fold] = []
    if config.folds:
        folds = further.folds(parts.train, given, schema, output, config, learned, progress)
    # Without epochs there is no checkpoint to choose.
    share = config.validation if config.epochs != 0 else 0.0
    train, validation = with_validation(parts.train, given, share, schema, config.seed)
    train, aside = _choose_calibration(train, learned, schema, config)
    problems = [PairProblem(item.document, "", item.message) for item in labelled.problems]
    result = tune_on(
        train, validation, schema, output, config,
        problems=problems, progress=progress, announce=announce,
    )  # fmt: skip
    if not _is_main_process():
        return result
    known = [*train, *validation, *aside]
    result = _calibrated(result, folds, aside, known, schema, config, progress)
    result = _with_course(result, [fold.part for fold in folds], config)
    course = replace(result.course, pretence=pretence([*train, *validation], schema))
    result = replace(result, course=course)
    write_course(result)
    return result


def tune_on(
    train: list[LabelledDocument],
    validation: list[LabelledDocument],
    schema: AnySchema,
    output: str | Path,
    config: TuneConfig,
    *,
    problems: Sequence[PairProblem] = (),
    progress: Progress | None = None,
    announce: Callable[[Estimate], None] | None = None,
) -> TuneResult:
    """Train on documents that were chosen already; see `tune`.

    :param validation: documents that choose the checkpoint; may be none.
    :param problems: labels that were left out before, to be told with those that follow.
    :param announce: an exception that it raises ends the run before it trains.
    :raises TrainingError: if the result must not be trusted.
    """
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    base, output = base_model.find(config.base_model), Path(output)
    progress = progress or (lambda stage, done, total: None)
    _check_processes(config)
    smaller: list[Part] = []
    if config.learning_curve:
        smaller = further.shares(train, validation, schema, output, config, progress)
    run = Run(schema, base, config, output, progress)
    run.problems = list(problems)
    plan = run.plan(train, validation)
    result = (
        run.keep(train, validation)
        if config.epochs == 0
        else run.go(plan, train, validation, announce)
    )
    if smaller and result.validation_f1 is not None:
        points = [(part.documents, part.validation_f1 or 0.0) for part in smaller]
        curve = (*points, (len(train), result.validation_f1))
        result = replace(result, course=replace(result.course, curve=curve))
    result = _with_course(result, smaller, config)
    if run.accelerator.is_main_process:
        write_course(result)
    return result


def _with_course(result: TuneResult, parts: Sequence[Part], config: TuneConfig) -> TuneResult:
    """Return the result with what further trainings took."""
    seconds_s, cpu_s = sum(one.seconds_s for one in parts), sum(one.cpu_s for one in parts)
    course = result.course.including(seconds_s, cpu_s, config.price_per_hour)
    return replace(result, course=course, seconds_s=result.seconds_s + seconds_s)


def _processes() -> PartialState:
    """Return which of the processes that train together this one is."""
    from accelerate import PartialState

    return PartialState(cpu=not torch.cuda.is_available())


def _is_main_process() -> bool:
    """Return whether this process writes; of several that train together one does."""
    return bool(_processes().is_main_process)


def _check_processes(config: TuneConfig) -> None:
    """Refuse what one process would do while the others waited for hours.

    :raises TrainingError: for folds or a learning curve in several processes.
    """
    asked = [
        name
        for name, wanted in (("folds", config.folds), ("learning_curve", config.learning_curve))
        if wanted
    ]
    if asked and (count := _processes().num_processes) > 1:
        raise TrainingError(
            f"{' and '.join(asked)}: made for one process, {count} were started",
            hint="train without torchrun, or without these options",
        )


def _learned_before(config: TuneConfig, output: Path) -> frozenset[str]:
    """Return the hashes of the documents that the start adapter learned or was chosen with."""
    start = start_of(config, base_model.find(config.base_model), output)
    return frozenset() if start is None else adapters.seen(start)


def _choose_calibration(
    train: list[LabelledDocument],
    learned: frozenset[str],
    schema: AnySchema,
    config: TuneConfig,
) -> tuple[list[LabelledDocument], list[LabelledDocument]]:
    """Return the documents that train, and those kept aside to calibrate with; may be none.

    :param learned: hashes of what the start adapter knows: answers to it prove nothing.
    """
    if not config.calibration or config.folds:
        return train, []
    fresh, _ = calibrating.held_out(train, schema, learned)
    # Another seed: the groups that the validation passed over for their size have their chance.
    _, aside = validation_from_train(
        fresh, fraction=config.calibration, minimum=20, seed=config.seed + 1, schema=schema,
        spread=True,
    )  # fmt: skip
    names = {one.id for one in aside}
    return [one for one in train if one.id not in names], aside


def reader_of(schema: AnySchema, config: TuneConfig, adapter: Path, engine: str) -> Extractor[Any]:
    """Return what reads with an adapter of this configuration, to calibrate it."""
    return Extractor(
        schema,
        adapter=adapter,
        base_model=config.base_model,
        engine=engine,
        threads=config.threads,
        einvoice="never",
        calibration="none",
    )


def _calibrated(
    result: TuneResult,
    folds: Sequence[Fold],
    aside: list[LabelledDocument],
    known: list[LabelledDocument],
    schema: AnySchema,
    config: TuneConfig,
    progress: Progress,
) -> TuneResult:
    """Keep with the adapter what its answers to documents that it does not know say of it.

    :param folds: their answers count; without any, the documents kept aside are read.
    :param known: all labelled documents.
    """
    if not folds and not aside:
        few = "too few groups to keep 20 documents aside that the start had not learned"
        if config.folds:
            few = "too few groups that the start had not learned"
        wish = config.calibration or config.folds
        return replace(result, uncalibrated=few if wish else "none was asked for")
    try:
        if folds:
            kind = choose("auto", adapters.read(result.output))
            observed, identity = further.answers(folds, schema, config, kind, progress)
        else:
            reader = reader_of(schema, config, result.output, "auto")
            weigh.settle(reader, result.output, aside, schema, partial(progress, "weighing"))
            identity = reader.identity
            stage = partial(progress, "calibrating")
            observed, _ = calibrating.observe(reader, aside, schema, progress=stage)
        made = calibrating.keep(result.output, observed, known, identity, schema, seed=config.seed)
    except CalibrationError as error:
        return replace(result, uncalibrated=error.message)
    return replace(result, calibrated=made)


def start_of(config: TuneConfig, base: BaseModel, output: Path) -> Path | None:
    """Return the adapter folder that a run goes on from; None for fresh weights.

    :raises TrainingError: if it is the output itself, or for another base model or rank.
    """
    if config.start is None:
        return None
    given = config.start != adapters.SHIPPED
    folder = Path(config.start) if given else adapters.shipped(base)
    if folder is None:
        return None
    if folder.resolve() == output.resolve():
        raise TrainingError(
            f"adapter {folder}: is both the start and the output",
            hint="name another --output; the start stays as it is",
        )
    found = adapters.read(folder)
    rank = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))["r"]
    if found.base_sha256 == base.sha256 and rank == config.rank:
        return folder
    if not given:
        return None
    raise TrainingError(
        f"adapter {folder}: made for base model {found.base_name} with rank {rank}, "
        f"this run has {base.name} with rank {config.rank}",
        hint="start from an adapter of the same base model and rank, or from none",
    )


class Run:
    """One training run: model, optimiser and the order of examples.

    :param schema: of the adapter; None makes one that any schema's training can start from.
    :raises TrainingError: if the start cannot be gone on from, or 0 epochs have none.
    """

    def __init__(
        self,
        schema: AnySchema | None,
        base: BaseModel,
        config: TuneConfig,
        output: Path,
        progress: Progress,
    ) -> None:
        from accelerate import Accelerator
        from accelerate.utils import set_seed

        self.schema, self.base, self.config = schema, base, config
        self.output, self.progress = output, progress
        self.start = start_of(config, base, output)
        if config.epochs == 0 and self.start is None:
            raise TrainingError(
                "0 epochs keep the weights of a start, and this run has none",
                hint="name an adapter of this base model with --start, or train for some epochs",
            )
        peak = 8e-4 if self.start is None else 4e-4
        self.learning_rate = config.learning_rate or peak
        self.dtype = torch.bfloat16 if bf16_is_native() else torch.float32
        self.accelerator: Accelerator = Accelerator(
            cpu=not torch.cuda.is_available(),
            mixed_precision="bf16" if self.dtype is torch.bfloat16 else "no",
        )
        # Every process must draw the same initial weights and the same order.
        set_seed(config.seed)
        self.plain, self.tokenizer = base_model.load(base, self.dtype)
        self.engine = LocalEngine(TorchRunner(self.plain), self.tokenizer, {"base": base.sha256})
        self.losses: list[float] = []
        self.problems: list[PairProblem] = []
        self.loss_of: dict[str, float] = {}
        self.context: Context | None = None
        self.rules: Rules | None = None
        self.trained = 0
        self.started_s, self.cpu_started_s = time.perf_counter(), time.process_time()
        self.before_s = self.cpu_before_s = 0.0  # of the runs that this one resumes

    def go(
        self,
        plan: list[Example],
        train: list[LabelledDocument],
        validation: list[LabelledDocument],
        announce: Callable[[Estimate], None] | None,
    ) -> TuneResult:
        """Train on the examples in their order, and leave the adapter behind.

        :param train: the documents that the examples were made of.
        :param validation: the documents that choose the checkpoint; may be none.
        """
        from peft.helpers import disable_input_dtype_casting

        self.content = hashlib.sha256(repr([item.input_ids for item in plan]).encode()).hexdigest()
        self._prepare(len(plan))
        self.workers = self._start_workers()
        # Autocast casts what the adapter's products need; peft would keep an fp32 copy of each.
        with disable_input_dtype_casting(self.model):
            estimate = self._estimate(plan, len(train), len(validation))
            if announce is not None and self.accelerator.is_main_process:
                announce(estimate)
            best = self._train(plan, validation)
            losses = [self._mean_loss(part) for part in (train, validation)] if validation else []
        self.workers.shutdown()
        self._check_learned(plan)
        if self.accelerator.is_main_process:
            self._write(self.output / "best", estimate, best, train, validation)
            shutil.rmtree(self.output / "best")
            shutil.rmtree(self.output / "checkpoint")
        return self._result(estimate, best, losses, train, validation)

    def keep(self, train: list[LabelledDocument], validation: list[LabelledDocument]) -> TuneResult:
        """Leave the start's weights behind, with what the labels teach without training."""
        assert self.start is not None, "0 epochs are refused without one"
        estimate = Estimate(len(train), len(validation), examples=0, tokens=0, seconds_s=0.0)
        # The weights are the start's, and so is what their number formats lose.
        parity = adapters.read(self.start).parity if self.config.parity else {}
        if self.accelerator.is_main_process:
            self.output.mkdir(parents=True, exist_ok=True)
            self._write(self.start, estimate, None, train, validation)
            adapters.add_parity(self.output, parity)
        return self._result(estimate, None, [], train, validation, parity or None)

    def _result(
        self,
        estimate: Estimate,
        best: float | None,
        losses: Sequence[float | None],
        train: list[LabelledDocument],
        validation: list[LabelledDocument],
        parity: dict[str, Parity] | None = None,
    ) -> TuneResult:
        course = self._course(losses, train)
        if parity is None:
            parity = self._parity(validation or train)
        return TuneResult(
            output=self.output,
            estimate=estimate,
            problems=tuple(self.problems),
            parity=parity,
            losses=tuple(self.losses),
            validation_f1=best,
            seconds_s=self._spent()[0],
            course=course,
        )

    def plan(
        self, train: list[LabelledDocument], validation: list[LabelledDocument]
    ) -> list[Example]:
        """Return all examples of the run in their order, and learn what needs no training.

        :param validation: the documents that choose the checkpoint; may be none.
        """
        assert self.schema is not None, "labels are of a schema"
        built = pairing.PairSet(problems=self.problems)
        for name in pairing.unknown_fields(train, self.schema):
            message = "the labels have this field, the schema does not"
            built.problems.append(PairProblem("the corpus", name, message))
        for index, document in enumerate(train):
            self.progress("reading", index, len(train))
            part = pairing.build(
                [document], self.schema, self.config.windows, self.engine.count_tokens
            )
            built.problems.extend(part.problems)
            for pair in part.pairs:
                kept = self.decodable(pair)
                if kept is not None:
                    built.pairs.append(kept)
        self.progress("reading", len(train), len(train))
        if not built.pairs:
            raise TrainingError(
                f"none of the {len(train)} training documents gives a pair",
                hint="run `extractor pairs` to see why each label was left out",
            )
        # Validation chooses among weights, without rules, so rules may learn from it as well.
        self.rules = self._rules([*train, *validation])
        self.context = learn(built.pairs, self.schema, train)
        if self.config.epochs == 0:
            return []
        examples, most_epochs = (600, 12) if self.start is None else (360, 8)
        epochs = self.config.epochs or round(min(most_epochs, max(3, examples / len(train))))
        curriculum = Curriculum(
            self.schema,
            built.pairs,
            self.config.augment,
            epochs,
            self.config.seed,
            rehearse=self.start is not None,
        )
        most = self.config.augment.max_target_tokens
        plan = [pairing.example(pair, self.tokenizer, most) for pair in curriculum.pairs()]
        cut = sum(item.input_ids[-1] != self.tokenizer.eos_token_id for item in plan)
        if cut:
            message = f"{cut} of {len(plan)} examples hold more than {most} tokens of values; " + (
                "the last rows of long lists are not learned from these"
            )
            self.problems.append(PairProblem("the corpus", "", message))
        return plan

    def _rules(self, documents: list[LabelledDocument]) -> Rules | None:
        """Return what the labels alone teach of where values stand; None if that is nothing."""
        assert self.schema is not None, "labels are of a schema"
        dealt = groups(documents, self.schema)
        names = {one.id: f"{number}" for number, group in enumerate(dealt) for one in group}
        known, _ = read_known(documents, self.schema, names)
        rules = measured(
            self.schema, known, progress=lambda done, of: self.progress("rules", done, of)
        )
        return rules if rules.fields else None

    def decodable(self, pair: Pair) -> Pair | None:
        """Drop the fields whose targets the serving constraint refuses, and say so."""
        kept, problems = self._decodable(pair)
        self.problems.extend(problems)
        return kept

    def _decodable(self, pair: Pair) -> tuple[Pair | None, list[PairProblem]]:
        """Return the pair without what the serving constraint refuses, and what that is."""
        kept: Pair | None = pair
        problems: list[PairProblem] = []
        while kept is not None:
            constraint = self.engine.constraint(kept.schema)
            name = pairing.undecodable(kept, constraint, self.tokenizer)
            if not name:
                break
            message = "the constraint cannot emit the labelled value as it is printed"
            problems.append(PairProblem(pair.document, name, message))
            kept = pairing.without(kept, name)
        return kept, problems

    def _prepare(self, examples: int) -> None:
        from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
        from safetensors.torch import load_file

        self.lora = LoraConfig(
            r=self.config.rank,
            lora_alpha=2 * self.config.rank,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )
        with warnings.catch_warnings():
            # peft asks for an attribute that transformers has renamed; nothing follows for users.
            warnings.simplefilter("ignore", FutureWarning)
            model = get_peft_model(self.plain, self.lora)
        if self.start is not None:
            set_peft_model_state_dict(model, load_file(self.start / "adapter_model.safetensors"))
        self._fix_lower_layers(model)
        model.to(self.accelerator.device)
        self.weights = [p for p in model.parameters() if p.requires_grad]
        self.initial = [p.detach().clone() for p in self.weights]
        self.steps = math.ceil(examples / self.config.batch_size)
        self.optimizer = torch.optim.AdamW(
            self.weights, lr=self.learning_rate, betas=(0.9, 0.99), weight_decay=0.0
        )
        self.model: Any = model  # peft's wrapper answers like the model in it
        self.schedule = _schedule(self.learning_rate, self.steps)

    def _fix_lower_layers(self, model: Any) -> None:
        """Keep the adapter of the lower layers as it is.

        :raises TrainingError: if no layer would be left to learn.
        """
        count = int(self.plain.config.num_hidden_layers)
        first = self.config.first_layer
        if first is None:
            first = 0 if self.start is None else count // 3
        if first >= count:
            raise TrainingError(
                f"first_layer is {first}, the base model has {count} layers",
                hint=f"give a first_layer between 0 and {count - 1}",
            )
        for name, parameter in model.named_parameters():
            layer = re.search(r"\.(?:layers|h)\.(\d+)\.", name)
            if layer is not None and int(layer[1]) < first:
                parameter.requires_grad_(False)

    def _start_workers(self) -> ThreadPoolExecutor:
        """Return the threads that examples are trained on, the processor's threads shared out."""
        threads = torch.get_num_threads()
        count = min(_AT_ONCE, threads) if self.accelerator.device.type == "cpu" else 1
        share = max(1, threads // count)
        return ThreadPoolExecutor(
            count, "training", initializer=torch.set_num_threads, initargs=(share,)
        )

    def _estimate(self, plan: Sequence[Example], documents: int, validation: int) -> Estimate:
        """Measure the speed on a few examples of middling length, forward and backward."""
        lengths = sorted(range(len(plan)), key=lambda i: len(plan[i].input_ids))
        probe = [plan[i] for i in lengths[len(plan) // 2 :][: 2 * _AT_ONCE]]
        self._gradients(probe[:_AT_ONCE], 1.0)
        started_s = time.perf_counter()
        self._gradients(probe, 1.0)
        elapsed_s = time.perf_counter() - started_s
        tokens = sum(len(item.input_ids) for item in plan)
        speed = sum(len(item.input_ids) for item in probe) / elapsed_s
        # Reading a document costs about as much as two examples of its size.
        readings = validation * self.config.checkpoints + 3 * min(self.config.parity, documents)
        share = 1 + 2 * readings / max(1, len(plan))
        return Estimate(
            documents=documents,
            validation_documents=validation,
            examples=len(plan),
            tokens=tokens,
            seconds_s=share * tokens / speed / self.accelerator.num_processes,
        )

    def _train(self, plan: list[Example], validation: list[LabelledDocument]) -> float | None:
        first = self._resume() if self.config.resume else 0
        every = max(1, math.ceil(self.steps / self.config.checkpoints))
        best = self._kept_score()
        self.trained = min(first * self.config.batch_size, len(plan))
        self.model.train()
        for step in range(first, self.steps):
            start = step * self.config.batch_size
            self._step(step, plan[start : start + self.config.batch_size])
            self.progress("training", self.trained, len(plan))
            if (step + 1) % every == 0 or step + 1 == self.steps:
                # In this order: a run that is cut off in between validates once more, and keeps
                # the same weights; the other way round it would never validate these.
                best = self._keep_best(validation, best)
                self._checkpoint(step + 1)
        return best

    def _step(self, step: int, batch: Sequence[Example]) -> None:
        """Take one optimiser step; the loss is the mean over the batch's learned tokens."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule(step)
        total = sum(sum(item.weights) for item in batch)
        mine = batch[self.accelerator.process_index :: self.accelerator.num_processes]
        # The loss rides behind the gradients: one exchange between the processes for both.
        parts = self.accelerator.reduce(self._gradients(mine, 1 / total), reduction="sum")
        sizes = [weight.numel() for weight in self.weights]
        *gradients, loss = parts.split([*sizes, 1])
        for weight, gradient in zip(self.weights, gradients, strict=True):
            weight.grad = gradient.view_as(weight)
        norm = torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        value = float(loss)
        if not math.isfinite(value) or not math.isfinite(float(norm)):
            raise TrainingError(
                f"step {step + 1} of {self.steps}: the loss is not finite",
                hint="train again with a smaller --learning-rate",
            )
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.losses.append(value)
        self.trained += len(batch)

    def _gradients(self, items: Sequence[Example], scale: float) -> torch.Tensor:
        """Return the summed gradients of all weights, and behind them the loss.

        A processor's threads share the work of one example badly, so several examples are under
        way at once, the longest first, so that no thread is left with a long one at the end. The
        order of the sum is fixed: a run gives the same weights every time.
        """
        sizes = sum(weight.numel() for weight in self.weights)
        total = torch.zeros(sizes + 1, device=self.accelerator.device)
        longest_first = sorted(items, key=lambda item: -len(item.input_ids))
        parts = self.workers.map(lambda item: self._gradient(item, scale), longest_first)
        for item, part in zip(longest_first, parts, strict=True):
            total += part
            self.loss_of[item.pair.document] = float(part[-1]) / scale / max(1.0, sum(item.weights))
        return total

    def _gradient(self, item: Example, scale: float) -> torch.Tensor:
        """Return one example's gradients and loss. Shape: [weights + 1]."""
        loss = self._loss(item, scale)
        gradients = torch.autograd.grad(loss, self.weights)
        return torch.cat([*(g.reshape(-1) for g in gradients), loss.detach().reshape(1)])

    def _loss(self, item: Example, scale: float) -> torch.Tensor:
        """Return the summed loss of the target's tokens, times `scale`.

        Most of it is the loss among the tokens that serving lets the model choose from: what the
        constraint decides need not be learned, and all of the training goes into the choices that
        are left. A small part is the loss among all tokens, so that the model alone also keeps to
        the format, and what the constraint takes away from it stays worth knowing.

        The head is computed only where a target token follows: on every prompt position its
        49,152 columns would cost more than they teach.
        """
        device = self.accelerator.device
        ids = torch.tensor([item.input_ids], device=device)
        last = len(item.input_ids) - 1
        positions = torch.arange(item.prompt_tokens - 1, last, device=device)
        with self.accelerator.autocast():
            answer = self.model(input_ids=ids, use_cache=False, logits_to_keep=positions)
        logits = answer.logits[0]
        target = ids[0, item.prompt_tokens :]
        refused = torch.from_numpy(~pairing.choices(item, self.tokenizer, logits.shape[-1]))
        chosen = logits.float().masked_fill(refused.to(device), -math.inf)
        losses = cross_entropy(chosen, target, reduction="none")
        losses = losses + _FREE * cross_entropy(logits.float(), target, reduction="none")
        return (losses * torch.tensor(item.weights, device=device)).sum() * scale

    def _mean_loss(self, documents: Sequence[LabelledDocument]) -> float | None:
        """Return the mean loss of a learned token on some documents as they are."""
        assert self.schema is not None, "labels are of a schema"
        chosen = random.Random(self.config.seed).sample(
            list(documents), min(_COMPARED, len(documents))
        )
        built = pairing.build(chosen, self.schema, self.config.windows, self.engine.count_tokens)
        # What is left out of training is told there; this is a measurement only.
        kept = [pair for pair, _ in map(self._decodable, built.pairs) if pair is not None]
        most = self.config.augment.max_target_tokens
        examples = [pairing.example(pair, self.tokenizer, most) for pair in kept]
        weight = sum(sum(item.weights) for item in examples)
        self.model.eval()
        with torch.no_grad():
            loss = sum(float(self._loss(item, 1.0)) for item in examples)
        self.model.train()
        return loss / weight if weight else None

    def _spent(self) -> tuple[float, float]:
        """Return seconds and processor seconds so far, those of resumed runs included."""
        seconds_s = self.before_s + time.perf_counter() - self.started_s
        return seconds_s, self.cpu_before_s + time.process_time() - self.cpu_started_s

    def _course(self, losses: Sequence[float | None], train: Sequence[LabelledDocument]) -> Course:
        seconds_s, cpu_s = self._spent()
        known = {document.id for document in train}
        ranked = sorted(
            ((name, loss) for name, loss in self.loss_of.items() if name in known),
            key=lambda item: -item[1],
        )
        train_loss, validation_loss = losses if losses else (None, None)
        return Course(
            seconds_s=seconds_s,
            cpu_s=cpu_s,
            cost=cost(seconds_s, self.config.price_per_hour),
            train_loss=train_loss,
            validation_loss=validation_loss,
            worst=tuple(ranked[:_WORST]),
            pretence=None,
        )

    def _keep_best(self, validation: list[LabelledDocument], best: float | None) -> float | None:
        """Keep the weights if they read the validation documents better than any before."""
        if not self.accelerator.is_main_process:
            return best
        score = self._validate(validation) if validation else None
        if score is None or best is None or score > best:
            part, kept = self.output / "best.part", self.output / "best"
            shutil.rmtree(part, ignore_errors=True)
            self.model.save_pretrained(str(part))
            (part / "score.json").write_text(json.dumps(score))
            shutil.rmtree(kept, ignore_errors=True)
            part.rename(kept)
            return score
        return best

    def _kept_score(self) -> float | None:
        kept = self.output / "best" / "score.json"
        score = json.loads(kept.read_text()) if self.config.resume and kept.is_file() else None
        return None if score is None else float(score)

    def _validate(self, validation: list[LabelledDocument]) -> float:
        from extractor.pipeline import Extractor
        from training.evaluate import evaluate

        assert self.schema is not None, "labels are of a schema"

        self.model.eval()
        engine = LocalEngine(TorchRunner(self.model), self.tokenizer, {"base": self.base.sha256})
        reader = Extractor(
            self.schema, engine=engine, windows=self.config.windows, einvoice="never"
        )
        with torch.autocast("cpu", dtype=self.dtype, enabled=self.dtype is torch.bfloat16):
            report = evaluate(
                reader,
                validation,
                self.schema,
                progress=lambda done, total: self.progress("validating", done, total),
            )
        self.model.train()
        return float(report.macro_f1)

    def _checkpoint(self, step: int) -> None:
        """Save weights, optimiser and random state after `step` steps; whole or not at all."""
        if not self.accelerator.is_main_process:
            return
        from safetensors.torch import save_file

        tensors: dict[str, torch.Tensor] = {"random": torch.get_rng_state()}
        for index, weight in enumerate(self.weights):
            tensors[f"weight.{index}"] = weight.detach().contiguous()
            state = self.optimizer.state[weight]
            for name in ("exp_avg", "exp_avg_sq"):
                tensors[f"{name}.{index}"] = state[name].contiguous()
        folder = self.output / "checkpoint"
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / "state.part"
        course = {
            "step": str(step),
            "run": self._fingerprint(),
            "losses": json.dumps(self.losses),
            "spent_s": json.dumps(self._spent()),
        }
        save_file(tensors, part, metadata=course)
        part.rename(folder / "state.safetensors")

    def _resume(self) -> int:
        """Load the last checkpoint; returns the number of steps that it holds."""
        from safetensors import safe_open

        file = self.output / "checkpoint" / "state.safetensors"
        if not file.is_file():
            if (self.output / adapters.MANIFEST).is_file():
                raise TrainingError(
                    f"{self.output}: this run is finished, there is nothing to continue",
                    hint="use the adapter as it is, or train without --resume to begin anew",
                )
            return 0
        with safe_open(file, framework="pt") as state:
            metadata = state.metadata()
            if metadata["run"] != self._fingerprint():
                raise TrainingError(
                    f"{file}: a checkpoint of a run with another corpus or configuration",
                    hint="train without --resume, or with the options of the first run",
                )
            step = int(metadata["step"])
            torch.set_rng_state(state.get_tensor("random"))
            for index, weight in enumerate(self.weights):
                weight.data.copy_(state.get_tensor(f"weight.{index}"))
                self.optimizer.state[weight] = {
                    "step": torch.tensor(float(step)),
                    "exp_avg": state.get_tensor(f"exp_avg.{index}"),
                    "exp_avg_sq": state.get_tensor(f"exp_avg_sq.{index}"),
                }
            self.losses = json.loads(metadata["losses"])
            self.before_s, self.cpu_before_s = json.loads(metadata.get("spent_s", "[0, 0]"))
        return step

    def _fingerprint(self) -> str:
        """Identify the run: the same plan of examples, schema, base and configuration."""
        schema = None if self.schema is None else self.schema.fingerprint
        start = None if self.start is None else adapters.read(self.start).sha256
        known = [self.config.of_effect(), self.content, schema, self.base.sha256, start]
        return json.dumps(known)

    def _check_learned(self, plan: Sequence[Example]) -> None:
        """Refuse weights that are not what the run was to make.

        :raises TrainingError: says what is wrong with them.
        """
        if self.trained != len(plan):
            raise TrainingError(
                f"{self.trained} examples were trained on, {len(plan)} were planned",
                hint="train again; if it happens again, report it",
            )
        moved = any(
            not torch.equal(now.detach().cpu(), was.cpu())
            for now, was in zip(self.weights, self.initial, strict=True)
        )
        if not moved or not all(bool(torch.isfinite(w).all()) for w in self.weights):
            raise TrainingError(
                "the adapter's weights did not move" if not moved else "weights are not finite",
                hint="train again with another --learning-rate",
            )

    def _write(
        self,
        weights: Path,
        estimate: Estimate,
        best: float | None,
        train: Sequence[LabelledDocument],
        validation: Sequence[LabelledDocument],
    ) -> None:
        """Write the adapter's folder.

        :param weights: folder that holds the weights, as peft writes them.
        """
        name = "adapter_model.safetensors"
        shutil.copyfile(weights / name, self.output / name)
        lora = json.loads((weights / "adapter_config.json").read_text())
        # peft writes where the base model lies on this machine; adapters travel.
        lora["base_model_name_or_path"] = self.base.name
        (self.output / "adapter_config.json").write_text(json.dumps(lora, indent=2))
        training = {
            "config": asdict(self.config),
            "estimate": asdict(estimate),
            "documents": len(train),
            # What was learned from or chosen with proves nothing about unseen documents.
            "seen": sorted(
                {document.sha256() for document in (*train, *validation)}
                | (adapters.seen(self.start) if self.start is not None else set())
            ),
            "validation_f1": best,
            "losses": self.losses,
            "problems": [asdict(problem) for problem in self.problems],
        }
        adapters.write(
            self.output,
            self.schema,
            self.base,
            self.config.windows,
            training,
            context=self.context,
            rules=self.rules,
        )

    def _parity(self, documents: Sequence[LabelledDocument]) -> dict[str, Parity]:
        """Compare number formats on some of the documents, and keep what comes out."""
        if not (self.accelerator.is_main_process and self.config.parity and documents):
            return {}
        assert self.schema is not None, "labels are of a schema"
        chosen = random.Random(self.config.seed).sample(
            list(documents), min(self.config.parity, len(documents))
        )
        parity = measure(
            self.schema,
            self.base,
            self.output,
            chosen,
            self.config.windows,
            lambda done, total: self.progress("comparing", done, total),
        )
        adapters.add_parity(self.output, parity)
        return parity


def _schedule(peak: float, steps: int) -> Callable[[int], float]:
    """Return the learning rate by step: linear warm-up over 6 %, then a half cosine to 2 %."""
    warm = max(1, round(0.06 * steps))

    def rate(step: int) -> float:
        if step < warm:
            return peak * (step + 1) / warm
        done = (step - warm) / max(1, steps - warm)
        return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))

    return rate
