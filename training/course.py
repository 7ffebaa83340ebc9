"""What a training run cost and how far its figures can be believed.

fit       loss on documents that were trained on, against loss on those that chose the weights
cost      seconds, processor time, and a price if one is given
losses    which documents were learned worst: faults in their labels, or layouts of their own
split     what copying the nearest label reads on unseen senders, and on a random split
curve     macro F1 by number of training documents, where it was asked for
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from extractor.errors import OutputError
from extractor.schema import AnySchema
from training import charts
from training.charts import Bar
from training.corpus import LabelledDocument
from training.methods import Nearest, read_known
from training.methods.known import Known
from training.score import ScoreCard, compare
from training.split import folds, groups

if TYPE_CHECKING:
    from training.tune import TuneResult

_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Pretence:
    """What copying the nearest label reads: a measure of how much a split gives away.

    :param unseen: macro F1 where no group is on both sides.
    :param random: macro F1 where documents are dealt at random.
    """

    unseen: float
    random: float


@dataclass(frozen=True, slots=True)
class Course:
    """A run, told to its user.

    :param seconds_s: until the weights were ready, without the comparison of number formats; with
        those of folds and shares, and of earlier runs that this one resumes, up to the checkpoint
        that it began with.
    :param cpu_s: the same of all threads.
    :param cost: at the given price; None without one.
    :param train_loss: mean loss of a value token on documents that were trained on, None if it was
        not measured; `validation_loss` the same on those that chose the checkpoint.
    :param worst: (document, loss) of those that were learned worst, as it was when last trained on.
    :param pretence: None where there are no two groups.
    :param curve: (training documents, macro F1 on the validation documents).
    :param further_s: those of `seconds_s` that folds and shares took.
    """

    seconds_s: float
    cpu_s: float
    cost: float | None
    train_loss: float | None
    validation_loss: float | None
    worst: tuple[tuple[str, float], ...]
    pretence: Pretence | None
    curve: tuple[tuple[int, float], ...] = ()
    further_s: float = 0.0

    def including(self, seconds_s: float, cpu_s: float, price_per_hour: float | None) -> Course:
        """Return it with what further trainings took, at the price of this machine."""
        whole_s = self.seconds_s + seconds_s
        return replace(
            self,
            seconds_s=whole_s,
            cpu_s=self.cpu_s + cpu_s,
            cost=cost(whole_s, price_per_hour),
            further_s=self.further_s + seconds_s,
        )

    @property
    def gap(self) -> float | None:
        """Training minus validation loss; far below 0 means learned by heart."""
        if self.train_loss is None or self.validation_loss is None:
            return None
        return self.train_loss - self.validation_loss

    def json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {**asdict(self), "gap": self.gap}

    def lines(self) -> list[str]:
        """Return it in sentences."""
        paid = "" if self.cost is None else f", cost {self.cost:.2f}"
        said = [f"{self.seconds_s / 60:.1f} minutes, {self.cpu_s / 60:.1f} CPU minutes{paid}"]
        if self.further_s:
            said.append(f"{self.further_s / 60:.1f} of the minutes for folds and learning curve")
        if self.gap is not None:
            said.append(
                f"loss of a value token {self.train_loss:.3f} on training and "
                f"{self.validation_loss:.3f} on validation documents: gap {self.gap:+.3f}"
            )
        if self.pretence is not None:
            said.append(
                f"copying the nearest label reads {self.pretence.unseen:.3f} on unseen senders and "
                f"{self.pretence.random:.3f} on a random split: so much a random split gives away"
            )
        if self.worst:
            names = ", ".join(f"{name} ({loss:.2f})" for name, loss in self.worst[:5])
            said.append(f"learned worst: {names}")
        said += [f"{size} training documents: macro F1 {f1:.3f}" for size, f1 in self.curve]
        return said


def cost(seconds_s: float, price_per_hour: float | None) -> float | None:
    """Return what a machine costs that is paid for while it is held, whatever its cores do."""
    return None if price_per_hour is None else price_per_hour * seconds_s / 3600


def pretence(documents: Sequence[LabelledDocument], schema: AnySchema) -> Pretence | None:
    """Read each document by its nearest other one: of other groups, and of any.

    A second training would show the same of the adapter, and cost as much as the first.
    """
    dealt = groups(documents, schema)
    if len(dealt) < 2:
        return None
    names = {item.id: f"{index}" for index, group in enumerate(dealt) for item in group}
    known, _ = read_known(documents, schema, names)
    whole = folds([item.labelled for item in known], _FOLDS, schema=schema)
    by_group = [{item.id for item in part} for part in whole]
    drawn = sorted(known, key=lambda item: hashlib.sha256(item.id.encode()).hexdigest())
    at_random = [{item.id for item in drawn[i::_FOLDS]} for i in range(_FOLDS)]
    return Pretence(_copied(known, by_group, schema), _copied(known, at_random, schema))


def _copied(known: Sequence[Known], parts: Sequence[set[str]], schema: AnySchema) -> float:
    card = ScoreCard()
    for held in parts:
        train = [item for item in known if item.id not in held]
        if not train:
            continue
        method = Nearest(schema, train)
        for item in known:
            if item.id in held:
                values = method.extract(item.document, name=item.id).values
                card += compare(schema, values, item.values, item.unverified)
    return card.macro_f1


def write(result: TuneResult) -> None:
    """Write `report.html` into the adapter folder, and the figures into its `training.json`.

    :raises OutputError: if a file cannot be written.
    """
    folder = result.output
    file = folder / "training.json"
    try:
        training = json.loads(file.read_text(encoding="utf-8"))
        training["course"] = result.course.json()
        file.write_text(json.dumps(training, indent=2, default=str), encoding="utf-8")
        (folder / "report.html").write_text(to_html(result), encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written ({error.strerror})", hint="check the space on the disk"
        ) from error


def to_html(result: TuneResult) -> str:
    """Return the page of a run; it needs nothing but itself."""
    course = result.course
    size = max(1, len(result.losses) // 200)
    losses = [
        (float(i), sum(result.losses[i : i + size]) / len(result.losses[i : i + size]))
        for i in range(0, len(result.losses), size)
    ]
    most = max((loss for _, loss in losses), default=1.0) or 1.0
    scaled = [(step, loss / most) for step, loss in losses]
    pretended = course.pretence
    split = [] if pretended is None else [
        Bar("nearest, unseen senders", pretended.unseen),
        Bar("nearest, random split", pretended.random),
    ]  # fmt: skip
    problems = [
        ": ".join(part for part in (item.document, item.field, item.message) if part)
        for item in result.problems
    ]
    points = [(float(size), f1) for size, f1 in course.curve]
    f1 = result.validation_f1
    head = "" if f1 is None else f'<p><span class="big">{f1:.3f}</span> macro F1 on validation</p>'
    body = [
        head,
        charts.items(course.lines()),
        charts.section("Loss by step", charts.curve(scaled, "step", f"loss, 1 is {most:.2f}")),
        charts.section("Learning curve", charts.curve(points, "training documents", "macro F1")),
        charts.section("What a random split would pretend", charts.bars(split, "macro F1")),
        charts.section("Learned worst", charts.table(("document", "loss"), course.worst)),
        charts.section("Left out", charts.items(problems)),
    ]
    return charts.page("Training report", "".join(body))
