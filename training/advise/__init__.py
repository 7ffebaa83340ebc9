"""Should you fine-tune at all? Methods compared on a user's own documents, and what follows.

Labels first, since faults in them spoil all that follows; then whether there is enough to compare
on; then methods, the cheap ones first, within a budget of time; then a verdict in plain words.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from extractor.batch import shown
from extractor.errors import MissingExtra, OutputError
from extractor.schema import AnySchema, Schema

try:
    import numpy as _  # noqa: F401
except ImportError as error:
    raise MissingExtra(
        f"advice needs {error.name}", hint='run: pip install "fieldwright[model]"'
    ) from error
from training import corpus as corpora
from training.advise import labels as labelling
from training.advise.config import AdviseConfig, seconds
from training.advise.findings import Findings, to_json
from training.advise.journal import Journal
from training.advise.labels import LabelCheck
from training.advise.measure import measure
from training.advise.run import Clock, Trials, try_cheap, try_models
from training.advise.study import Progress, Study, study
from training.advise.verdict import Verdict, combined, decide, first_check
from training.lint import lint
from training.methods import routed
from training.methods.written import Written

__all__ = ["Advice", "AdviseConfig", "Verdict", "advise", "seconds"]


@dataclass(frozen=True, slots=True)
class Advice:
    """What was found out.

    :param split: how documents were held out.
    :param shared: held-out documents that were left out, for training has documents of their
        senders.
    :param left_out: what was not tried, and why.
    :param files: what was written, by what it is.
    """

    verdict: Verdict
    labels: LabelCheck
    findings: Findings
    split: str
    documents: int
    held: int
    groups: int
    shared: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]
    left_out: tuple[str, ...]
    clues: Mapping[str, tuple[str, ...]]
    training_s: Mapping[str, float]
    seconds_s: float
    files: Mapping[str, Path]

    def json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "verdict": asdict(self.verdict),
            "labels": self.labels.json(),
            **to_json(self.findings),
            "split": self.split,
            "documents": self.documents,
            "held_out": self.held,
            "held_out_groups": self.groups,
            "senders_shared_with_training": list(self.shared),
            "unreadable": [list(item) for item in self.unreadable],
            "left_out": list(self.left_out),
            "clues": {name: list(clues) for name, clues in self.clues.items()},
            "training_s": dict(self.training_s),
            "seconds_s": round(self.seconds_s, 1),
        }


def advise(
    corpus: str | Path,
    schema: type[Any] | AnySchema,
    output: str | Path,
    config: AdviseConfig | None = None,
    *,
    progress: Progress | None = None,
) -> Advice:
    """Compare methods on a labelled folder and say what to do.

    :param corpus: folder of labelled documents, see `training.corpus`.
    :param output: folder of the advice: `advice.json` and `advice.html`, what was read so far, the
        learned rules and, where methods should be combined, the router's configuration. A run in a
        folder of the same run goes on where that stopped.
    :param progress: called with (what is done, done, total).
    :raises CorpusError: if the folder is no corpus, or the user's rules are none.
    :raises OutputError: if the output folder is of another run, or cannot be written.
    """
    config, output = config or AdviseConfig(), Path(output)
    progress = progress or (lambda stage, done, total: None)
    schema = schema if isinstance(schema, Schema) else Schema.of(schema)
    clock = Clock(config.budget_s)
    if config.rules is not None:
        Written(schema, config.rules)  # a wrong rule is told before anything is read
    labelled = corpora.read(corpus)
    dealt = study(
        labelled.documents, schema, count=config.folds, seed=config.seed,
        progress=lambda done, total: progress("reading", done, total),
    )  # fmt: skip
    trials = _begun(dealt, config, clock, output, progress)
    checked = labelling.check(list(dealt.known.values()), schema)
    if not checked.wrong:
        checked = _linted(checked, replace(labelled, documents=_kept(labelled, dealt)), schema)
    verdict = first_check(checked, dealt, config)
    findings = Findings()
    if verdict is None:
        try_cheap(trials)
        try_models(trials)
        findings = measure(trials)
        verdict = decide(findings, checked, trials)
    elif verdict.name != "FIX LABELS FIRST":
        try_cheap(trials)
        findings = measure(trials)
        trials.leave_out("all models", "see the verdict")
    return _written(trials, verdict, checked, findings, labelled)


def _begun(
    dealt: Study, config: AdviseConfig, clock: Clock, output: Path, progress: Progress
) -> Trials:
    journal = Journal(output, _fingerprint(dealt, config))
    trials = Trials(dealt, journal, config, clock, output, progress)
    if dealt.shared:
        trials.leave_out(
            f"{len(dealt.shared)} documents that the labels hold out",
            "training documents are of the same senders, so they are not unseen",
        )
    return trials


def _kept(labelled: corpora.Corpus, dealt: Study) -> tuple[corpora.LabelledDocument, ...]:
    return tuple(item for item in labelled.documents if item.id in dealt.known)


def _fingerprint(dealt: Study, config: AdviseConfig) -> str:
    """Change with all that changes an answer; a budget does not, nor do prices and thresholds."""
    rules = "" if config.rules is None else config.rules.read_text(encoding="utf-8")
    known = [
        dealt.fingerprint(), config.base_model, config.epochs, config.synthetic, config.engine,
        config.max_new_tokens, config.seed, config.folds, rules,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()


def _linted(check: LabelCheck, corpus: corpora.Corpus, schema: AnySchema) -> LabelCheck:
    """Add the errors that `lint` finds in single documents."""
    report = lint(corpus, schema)
    errors = [item for item in report.findings if item.severity == "error" and item.document]
    # A value that no text shows is counted by field already, and may be right.
    faults = {(item.document, item.code) for item in errors if item.code != "value-missing"}
    counts = Counter(code for _, code in faults)
    return replace(
        check,
        faults=dict(counts.most_common()),
        faulty=len({document for document, _ in faults}) / max(1, check.documents),
    )


def _written(
    trials: Trials,
    verdict: Verdict,
    checked: LabelCheck,
    findings: Findings,
    labelled: corpora.Corpus,
) -> Advice:
    dealt, folder = trials.study, trials.folder
    files = {"advice": folder / "advice.json", "page": folder / "advice.html"}
    if trials.rules is not None:
        files["rules"] = folder / "rules.json"
    if verdict.name == "COMBINE":
        files["router"] = folder / "router.json"
    clues = {} if trials.rules is None else trials.rules.rules.fields
    problems = [(item.document, item.message) for item in labelled.problems]
    advice = Advice(
        verdict=verdict,
        labels=checked,
        findings=findings,
        split=dealt.names,
        documents=len(dealt.known),
        held=len(dealt.held),
        groups=len(dealt.held_groups()),
        shared=dealt.shared,
        unreadable=(*dealt.unreadable, *problems),
        left_out=trials.left_out,
        clues={name: tuple(rule.clues()) for name, rule in clues.items()},
        training_s=dict(trials.training_s),
        seconds_s=trials.clock.spent_s,
        files=files,
    )
    _save(advice, trials)
    return advice


def _save(advice: Advice, trials: Trials) -> None:
    from training.advise.page import to_html

    files = advice.files
    try:
        text = json.dumps(advice.json(), indent=1, ensure_ascii=False, default=str)
        # Names of files that are not UTF-8 stand in ids as lone surrogates, which JSON can escape.
        files["advice"].write_bytes(text.encode("utf-8", "backslashreplace"))
        files["page"].write_text(shown(to_html(advice)), encoding="utf-8")
        if trials.rules is not None:
            trials.rules.save(files["rules"])
    except OSError as error:
        raise OutputError(
            f"{trials.folder}: cannot be written ({error.strerror})", hint="name another folder"
        ) from error
    if "router" in files:
        schema = trials.study.schema
        routed.write(files["router"], schema, combined(advice.findings, schema))
