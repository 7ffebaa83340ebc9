"""The command line: parse, call one library function, print.

Data goes to stdout, everything else to stderr. Exit codes: 0 done, 1 some documents failed,
2 wrong use, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from extractor import __version__
from extractor.errors import ExtractorError

if TYPE_CHECKING:
    from extractor.batch import BatchSummary, Progress, Reader
    from training.tune import Estimate


def _example(command: str) -> str:
    # After \b the help keeps the lines as they are.
    return f"\b\nExample: extractor {command}"


app = typer.Typer(
    help="Read documents into validated records with a small specialist model.\n\n"
    "Exit codes: 0 done, 1 some documents failed, 2 wrong use, 130 interrupted.",
    epilog=_example("extract inbox --schema invoice --output records.xlsx"),
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
schemas_app = typer.Typer(
    help="List, show and copy the ready-made schemas.", epilog=_example("schemas list")
)
app.add_typer(schemas_app, name="schemas")
labels_app = typer.Typer(
    help="Make, import and export labelled corpora.",
    epilog=_example("labels from-einvoices inbox --schema invoice --output labelled"),
)
app.add_typer(labels_app, name="labels")

SchemaOption = Annotated[
    str,
    typer.Option(
        "--schema",
        help="A ready-made name, package.module:Class, file.py:Class, or a JSON Schema file.",
    ),
]
CorpusOption = Annotated[Path, typer.Option("--corpus", help="Folder of labelled documents.")]
AdapterOption = Annotated[
    Path | None,
    typer.Option("--adapter", help="Folder made by train; without it the one that is shipped."),
]
BaseOption = Annotated[
    str | None,
    typer.Option("--base-model", help="Hub name or local folder; default: the embedded model."),
]
EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        help="fp32, bf16 (processors with AMX), int8, or auto: the fastest that train found to "
        "lose at most 1 of 100 values.",
    ),
]
PasswordOption = Annotated[
    str | None,
    typer.Option(
        "--password",
        help="Opens encrypted PDFs. Other users of this machine may see it; --password-file is "
        "safer.",
    ),
]
PasswordFileOption = Annotated[
    Path | None, typer.Option("--password-file", help="File that holds the password, one line.")
]
OcrOption = Annotated[
    Literal["auto", "never", "always"],
    typer.Option("--ocr", help="Pages to read by OCR: those without a text layer, none, or all."),
]
EInvoiceOption = Annotated[
    Literal["auto", "never"],
    typer.Option(
        "--einvoice",
        help="auto: the XML in e-invoices is the record, where it states the fields; never: the "
        "pages are read as those of any document.",
    ),
]
AllWindowsOption = Annotated[
    bool,
    typer.Option(
        "--all-windows",
        help="Read long documents to the end; else only what promises a field still wanted.",
    ),
]
ThreadsOption = Annotated[int | None, typer.Option("--threads", min=1, help="Processor threads.")]


def main() -> None:
    """Run the command line; turns errors of this package into a line, a hint and a code."""
    try:
        # Outside standalone mode the code of typer.Exit is returned, not raised.
        code = int(app(standalone_mode=False) or 0)
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except ExtractorError as error:
        code = _wrong(error.message, error.hint)
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        code = _wrong(what, "check the path, its permissions and the room on the disk")
    except Exception as error:
        # Typer's errors of usage have no public base class, but they all know this.
        if not hasattr(error, "format_message"):
            raise
        code = _wrong(error.format_message(), "add --help to the command to see how it is used")
    if code == 130:
        _say(
            "interrupted; to go on where it stopped run the same command again, "
            "for train with --resume"
        )
    sys.exit(code)


def _wrong(message: str, hint: str) -> int:
    _say(f"error: {message}")
    if hint:
        _say(f"hint: {hint}")
    return 2


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
    _need_command(context)


@schemas_app.callback(invoke_without_command=True)
def _schemas(context: typer.Context) -> None:
    _need_command(context)


@labels_app.callback(invoke_without_command=True)
def _labels(context: typer.Context) -> None:
    _need_command(context)


def _need_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(2)


# ---------------------------------------------------------------- schemas


@schemas_app.command("list", epilog=_example("schemas list"))
def schemas_list() -> None:
    """List the ready-made schemas."""
    from extractor import schema

    for name, place in sorted(schema.names().items()):
        typer.echo(f"{name}\t{place}")


@schemas_app.command("show", epilog=_example("schemas show invoice"))
def schemas_show(name: Annotated[str, typer.Argument(help="As for --schema.")]) -> None:
    """Show the fields that a schema asks for, as the model is shown them."""
    typer.echo("\n".join(_schema(name).lines()))


@schemas_app.command("copy", epilog=_example("schemas copy invoice --output my_invoice.py"))
def schemas_copy(
    name: Annotated[str, typer.Argument(help="A ready-made name.")],
    output: Annotated[
        Path | None, typer.Option("--output", help="File to write; default: NAME.py here.")
    ] = None,
) -> None:
    """Copy a ready-made schema to a file of your own, to change it."""
    import inspect

    from extractor import schema
    from extractor.errors import OutputError, SchemaError

    known = schema.names()
    if name not in known:
        raise SchemaError(
            f"no ready-made schema {name!r}", hint=f"known: {', '.join(sorted(known))}"
        )
    model = schema.resolve(name)
    target = output or Path(f"{name}.py")
    source = Path(inspect.getfile(model)).read_text(encoding="utf-8")
    try:
        with target.open("x", encoding="utf-8") as stream:
            stream.write(source)
    except OSError as error:
        raise OutputError(
            f"{target}: cannot be written ({error.strerror})", hint="name another file"
        ) from error
    _say(f"wrote {target}; use it with --schema {target}:{model.__name__}")


# ---------------------------------------------------------------- labels

LabelFormat = Literal[
    "label-studio", "label-studio-min", "doccano", "donut", "sroie", "csv", "xlsx"
]


@labels_app.command(
    "from-einvoices",
    epilog=_example("labels from-einvoices inbox --schema invoice --output labelled"),
)
def labels_from_einvoices(
    folder: Annotated[Path, typer.Argument(help="Folder of PDFs, looked through to the bottom.")],
    schema: SchemaOption,
    output: Annotated[Path, typer.Option("--output", help="Corpus folder to make.")],
) -> None:
    """Make a labelled corpus of e-invoices; values that the page does not show are unverified."""
    asked = _schema(schema)
    from training import einvoices

    with _progress("e-invoices") as progress:
        made = einvoices.collect(folder, asked, output, progress=progress)
    for problem in made.problems:
        _left_out(problem.document, problem.message)
    typer.echo("field\tkept\tunverified")
    for pattern in sorted(made.kept | made.unverified):
        typer.echo(f"{pattern}\t{made.kept[pattern]}\t{made.unverified[pattern]}")
    _say(f"{len(made.documents)} labelled documents in {output}")


@labels_app.command(
    "import",
    epilog=_example("labels import --from doccano all.jsonl --schema invoice --output labelled"),
)
def labels_import(
    path: Annotated[Path, typer.Argument(help="What the tool exported: a file or a folder.")],
    form: Annotated[LabelFormat, typer.Option("--from", help="Format of the labels.")],
    schema: SchemaOption,
    output: Annotated[Path, typer.Option("--output", help="Corpus folder to make.")],
    documents: Annotated[
        Path | None,
        typer.Option("--documents", help="Folder of the documents; default: beside the labels."),
    ] = None,
) -> None:
    """Make a labelled corpus of another tool's labels; says what it could not use."""
    asked = _schema(schema)
    from training import corpus, importers

    found = importers.read(form, path, asked, documents=documents)
    corpus.write(found.documents, output)
    for problem in found.problems:
        _left_out(problem.document, problem.message)
    for name, count in sorted(found.unknown.items()):
        _left_out(name, f"{count} labels of this name, which the schema does not have")
    for name in found.unlabelled:
        _say(f"unverified: {name}: no document labels it")
    _say(f"{len(found.documents)} labelled documents in {output}")


@labels_app.command(
    "export",
    epilog=_example("labels export --to csv labelled --schema invoice --output table"),
)
def labels_export(
    corpus: Annotated[Path, typer.Argument(help="Folder of labelled documents.")],
    form: Annotated[LabelFormat, typer.Option("--to", help="Format of the labels.")],
    schema: SchemaOption,
    output: Annotated[Path, typer.Option("--output", help="Folder to make.")],
) -> None:
    """Write a corpus as another tool's labels, with copies of the documents."""
    asked = _schema(schema)
    from training import corpus as corpora
    from training import exporters
    from training.pairs import unknown_fields

    labelled = corpora.read(corpus)
    problems = exporters.write(form, labelled.documents, asked, output)
    for name in unknown_fields(labelled.documents, asked):
        _left_out(name, "the labels have this field, the schema does not")
    for problem in [*labelled.problems, *problems]:
        _left_out(problem.document, problem.message)
    _say(f"{len(labelled.documents) - len(problems)} documents in {output}")


# ---------------------------------------------------------------- corpus


@app.command(epilog=_example("pairs --schema invoice --corpus labelled --output pairs.jsonl"))
def pairs(
    schema: SchemaOption,
    corpus: CorpusOption,
    output: Annotated[Path, typer.Option("--output", help="JSON lines to write.")],
    split: Annotated[str, typer.Option(help="train, validation, dev, test or all.")] = "train",
    seed: Annotated[int, typer.Option(help="Of the split, as for train.")] = 0,
    base_model: BaseOption = None,
) -> None:
    """Write the training pairs of a corpus to a file that a person can read."""
    asked = _schema(schema)
    from extractor import base_model as bases
    from extractor import export
    from extractor.prompt import encode
    from extractor.windows import WindowConfig
    from training import corpus as corpora
    from training import pairs as pairing
    from training.split import select

    export.check_place(output)
    labelled = corpora.read(corpus)
    tokenizer = bases.load_tokenizer(bases.find(base_model))
    documents = select(labelled.documents, split, schema=asked, seed=seed)
    built = pairing.PairSet()
    with _progress("pairs") as progress:
        for index, document in enumerate(documents):
            progress(index, len(documents))
            part = pairing.build(
                [document], asked, WindowConfig(), lambda text: len(encode(text, tokenizer))
            )
            built.pairs += part.pairs
            built.problems += part.problems
    output.parent.mkdir(parents=True, exist_ok=True)
    pairing.write(built.pairs, output)
    for name in pairing.unknown_fields(documents, asked):
        _left_out(name, "the labels have this field, the schema does not")
    for problem in labelled.problems:
        _left_out(problem.document, problem.message)
    for skipped in built.problems:
        _left_out(skipped.document, skipped.field, skipped.message)
    negatives = sum(pair.empty for pair in built.pairs)
    _say(
        f"{len(built.pairs)} pairs of {len(documents)} documents in {output}; {negatives} of them "
        "hold none of the values, and train shows only some of these"
    )


@app.command(epilog=_example("lint --schema invoice --corpus labelled --baseline accepted.json"))
def lint(
    schema: SchemaOption,
    corpus: CorpusOption,
    split: Annotated[str, typer.Option(help="train, validation, dev, test or all.")] = "all",
    json_lines: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
    baseline: Annotated[
        Path | None, typer.Option(help="File of accepted findings, which are not shown.")
    ] = None,
    write_baseline: Annotated[
        Path | None, typer.Option(help="Accept all findings: write them to this file.")
    ] = None,
    fail_on: Annotated[
        str, typer.Option(help="error, warning or info: the least that gives exit code 1.")
    ] = "error",
    include_unverified: Annotated[
        bool, typer.Option("--include-unverified", help="Look at unverified values too.")
    ] = False,
    base_model: BaseOption = None,
) -> None:
    """Look for faults in the labels and documents of a corpus, before anything is trained.

    Exit codes: 0 nothing as grave as --fail-on, 1 findings, 2 wrong use.
    """
    asked = _schema(schema)
    import json
    from dataclasses import replace

    from training import corpus as corpora
    from training import lint as linting
    from training.split import select

    least = next((known for known in linting.SEVERITIES if known == fail_on), None)
    if least is None:
        raise typer.BadParameter(f"--fail-on is one of {', '.join(linting.SEVERITIES)}")
    accepted = linting.read_baseline(baseline) if baseline else frozenset()
    labelled = corpora.read(corpus)
    if split != "all":
        labelled = replace(labelled, documents=select(labelled.documents, split, schema=asked))
    tokenizer, reason = _tokenizer_if_installed(base_model)
    with _progress("documents") as progress:
        report = linting.lint(
            labelled,
            asked,
            linting.LintConfig(include_unverified=include_unverified),
            baseline=accepted,
            tokenizer=tokenizer,
            progress=progress,
        )
    _utf8_stdout()
    for item in report.findings:
        line = json.dumps(item.json(), ensure_ascii=False) if json_lines else _clean(item.line())
        typer.echo(line)
    for what in report.skipped:
        _say(f"not checked: {what}{reason}")
    if report.stale:
        _say(f"{report.stale} accepted findings are gone; write the baseline again")
    for row in report.table().split("\n"):
        _say(row)
    if write_baseline is not None:
        linting.write_baseline(write_baseline, (*report.findings, *report.accepted))
        _say(f"{len(report.findings) + len(report.accepted)} findings accepted in {write_baseline}")
    elif report.fails(least):
        raise typer.Exit(1)


def _tokenizer_if_installed(base_model: str | None) -> tuple[Any, str]:
    """Return the tokenizer, or None and why there is none; a named base model must have one."""
    from extractor import base_model as bases
    from extractor.errors import MissingExtra

    try:
        return bases.load_tokenizer(bases.find(base_model)), ""
    except MissingExtra as error:
        if base_model is not None:
            raise
        return None, f"; {error.hint}"


@app.command(epilog=_example("train --schema invoice --corpus labelled --output adapters/invoice"))
def train(
    schema: SchemaOption,
    corpus: CorpusOption,
    output: Annotated[Path, typer.Option("--output", help="Adapter folder to make.")],
    base_model: BaseOption = None,
    start: Annotated[
        str,
        typer.Option(
            help="Adapter folder to go on from; shipped for the one that comes with the package, "
            "none for the base model alone."
        ),
    ] = "shipped",
    epochs: Annotated[int | None, typer.Option(help="Passes over the labelled documents.")] = None,
    synthetic: Annotated[
        int | None, typer.Option(min=0, help="Synthetic documents to start with.")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    rank: Annotated[int, typer.Option(min=1, help="LoRA rank.")] = 16,
    validation: Annotated[
        float, typer.Option(help="Share kept to choose the checkpoint; 0 for none.")
    ] = 0.15,
    checkpoints: Annotated[int, typer.Option(min=1, help="How often weights are kept.")] = 3,
    parity: Annotated[
        int, typer.Option(min=0, help="Documents on which number formats are compared; 0: fp32.")
    ] = 10,
    learning_curve: Annotated[
        bool,
        typer.Option(
            "--learning-curve", help="Train on 25 and 50 % of the groups too; about twice the time."
        ),
    ] = False,
    price_per_hour: Annotated[
        float | None, typer.Option(help="Of this machine, in any currency, for the report.")
    ] = None,
    calibration: Annotated[
        float,
        typer.Option(help="Share kept aside to fit the confidence of answers on; 0 for none."),
    ] = 0.15,
    folds: Annotated[
        int,
        typer.Option(
            help="Fit it on the answers of so many further trainings instead, each on the other "
            "groups; takes so many times as long."
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    threads: ThreadsOption = None,
    resume: Annotated[bool, typer.Option(help="Continue a run that was cut off.")] = False,
) -> None:
    """Train an adapter on a labelled corpus; says how long it takes before it starts."""
    asked = _schema(schema)
    from extractor import base_model as bases
    from extractor import export

    export.check_place(output / "manifest.json")
    bases.import_transformers()
    from training.augment import AugmentConfig
    from training.tune import TuneConfig, tune

    with _bad_values_named():
        config = TuneConfig(
            base_model=base_model,
            start=None if start == "none" else start,
            epochs=epochs,
            learning_rate=learning_rate,
            rank=rank,
            validation=validation,
            checkpoints=checkpoints,
            parity=parity,
            learning_curve=learning_curve,
            price_per_hour=price_per_hour,
            calibration=calibration,
            folds=folds,
            seed=seed,
            threads=threads,
            resume=resume,
            augment=AugmentConfig(synthetic=synthetic),
        )
    with _stages() as progress:
        result = tune(corpus, asked, output, config, progress=progress, announce=_announce)
    for problem in result.problems:
        _left_out(problem.document, problem.field, problem.message)
    for kind, found in result.parity.items():
        _say(
            f"{kind}: {found.right} values right in {found.documents} documents, "
            f"{found.reference} in fp32; {len(found.flips)} differ"
        )
        for document, path in found.flips:
            _say(f"  differs: {document}: {path}")
    if result.validation_f1 is not None:
        _say(f"macro F1 {result.validation_f1:.3f} on the validation documents")
    if result.calibrated is None:
        _say(f"no confidence of answers: {result.uncalibrated}")
    elif result.calibrated.reliability is not None:
        for line in result.calibrated.reliability.lines():
            _say(line)
    for line in result.course.lines():
        _say(line)
    _say(f"adapter and report.html in {result.output}, {result.seconds_s / 60:.1f} minutes")


def _announce(estimate: Estimate) -> None:
    _say(
        f"training on {estimate.examples} examples ({estimate.tokens} tokens) from "
        f"{estimate.documents} documents; {estimate.validation_documents} documents choose the "
        f"checkpoint; about {max(1, round(estimate.seconds_s / 60))} minutes"
    )


@app.command(
    epilog=_example("advise --schema invoice --corpus labelled --budget 60m --output advice")
)
def advise(
    schema: SchemaOption,
    corpus: CorpusOption,
    output: Annotated[
        Path, typer.Option("--output", help="Folder of the advice; a run there is gone on with.")
    ],
    budget: Annotated[
        str, typer.Option(help="Time that it may take: 60m, 2h, 0 for no model, none for no limit.")
    ] = "60m",
    quick: Annotated[
        bool, typer.Option("--quick", help="Tune once for each size, not with three seeds.")
    ] = False,
    target_precision: Annotated[
        float | None,
        typer.Option(help="Precision wanted of values that go through unseen, such as 0.99."),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(help="TOML file of your own rules, to be compared too.")
    ] = None,
    price_per_hour: Annotated[
        float | None, typer.Option(help="Of this machine, in any currency.")
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            help="Of whole groups; default: the documents that the labels hold out, or 5."
        ),
    ] = None,
    bare_base: Annotated[
        bool, typer.Option("--bare-base", help="Read with the base model alone, too; slow.")
    ] = False,
    base_model: BaseOption = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the labelled documents.")] = None,
    synthetic: Annotated[
        int | None, typer.Option(min=0, help="Synthetic documents to start with.")
    ] = None,
    engine: EngineOption = "auto",
    max_new_tokens: Annotated[
        int, typer.Option(min=1, help="Longest answer; an untuned model may list rows for ever.")
    ] = 1024,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    threads: ThreadsOption = None,
) -> None:
    """Compare rules, the untuned model and tuning on your documents; say what is worth it."""
    asked = _schema(schema)
    from training import advise as advising

    with _bad_values_named():
        config = advising.AdviseConfig(
            budget_s=None if budget == "none" else advising.seconds(budget),
            quick=quick,
            target_precision=target_precision,
            rules=rules,
            price_per_hour=price_per_hour,
            folds=folds,
            bare_base=bare_base,
            base_model=base_model,
            epochs=epochs,
            synthetic=synthetic,
            engine=engine,
            max_new_tokens=max_new_tokens,
            seed=seed,
            threads=threads,
        )
    with _stages() as progress:
        advice = advising.advise(corpus, asked, output, config, progress=progress)
    _utf8_stdout()
    typer.echo(advice.verdict.name)
    for line in (*advice.verdict.reasons, *advice.verdict.next):
        typer.echo(f"- {_clean(line)}")
    for method in advice.findings.methods:
        typer.echo(
            f"{method.name:<18}{method.f1.value:>7.3f}  ({method.f1.low:.3f} to "
            f"{method.f1.high:.3f})  {method.documents} documents, {method.seconds_s[0]:.2f} s each"
        )
    for what in advice.left_out:
        _say(f"left out: {what}")
    _say(f"advice in {advice.files['page']} and {advice.files['advice']}")


@app.command(
    epilog=_example(
        "evaluate --schema invoice --corpus labelled --adapter adapters/invoice"
        " --output report.json"
    )
)
def evaluate(
    schema: SchemaOption,
    corpus: CorpusOption,
    output: Annotated[Path, typer.Option("--output", help="report.json to write.")],
    adapter: AdapterOption = None,
    base_model: BaseOption = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Score what answers without this adapter too.")
    ] = False,
    split: Annotated[
        str, typer.Option(help="test or dev (held out), validation, train or all.")
    ] = "test",
    seed: Annotated[int, typer.Option(help="Of the split, as for train.")] = 0,
    max_new_tokens: Annotated[
        int, typer.Option(min=1, help="Longest answer; an untuned model may list rows for ever.")
    ] = 2048,
    engine: EngineOption = "auto",
    all_windows: AllWindowsOption = False,
    threads: ThreadsOption = None,
) -> None:
    """Score an adapter on the held-out documents of a corpus; writes JSON and HTML."""
    asked = _schema(schema)
    from extractor import base_model as bases
    from extractor import export
    from extractor.errors import OutputError

    if output.suffix != ".json":
        raise OutputError(
            f"{output}: a report is JSON, with HTML beside it", hint="name a .json file"
        )
    export.check_place(output)
    bases.import_transformers()
    from extractor import adapter as adapters
    from extractor.pipeline import Extractor
    from training import corpus as corpora
    from training import pictures
    from training import report as reports
    from training.evaluate import Report
    from training.evaluate import evaluate as score
    from training.score import table
    from training.split import select

    if compare and adapter is None:
        raise typer.BadParameter("compares an adapter with what answers without it: give --adapter")
    labelled = corpora.read(corpus)
    for problem in labelled.problems:
        _left_out(problem.document, problem.message)
    documents = list(select(labelled.documents, split, schema=asked, seed=seed))
    if adapter is not None and split in ("test", "dev"):
        documents = _unseen(documents, adapter)
    elif adapter is not None:
        seen = adapters.seen(adapter)
        known = sum(document.sha256() in seen for document in documents)
        if known:
            _say(f"{known} of {len(documents)} documents taught or chose the adapter or its rules: "
                 "figures of these say little of others")  # fmt: skip

    def scored(folder: Path | None, title: str) -> Report:
        reader = Extractor(
            asked,
            adapter=folder,
            base_model=base_model,
            engine=engine,
            max_new_tokens=max_new_tokens,
            threads=threads,
            all_windows=all_windows,
            einvoice="never",  # scored is what the model reads
        )
        _say_engine(reader)
        with _progress(title) as progress:
            return score(reader, documents, asked, progress=progress)

    before = scored(None, "untuned") if compare else None
    after = scored(adapter, "untuned" if adapter is None else "adapter")
    extras = reports.Extras(pictures=pictures.of_worst(after, documents, asked))
    reports.write(output, after, before, extras)
    titles = ("before", "after") if before else ("", "F1")
    typer.echo(table(before.card if before else None, after.card, titles))
    low, high = after.interval
    typer.echo(f"95 % interval of macro F1, by groups: {low:.3f} to {high:.3f}")
    for line in after.reliability.lines() if after.reliability else []:
        typer.echo(line)
    if after.fitted:
        why = "the calibration was fitted on them or others of their groups"
        _left_out(f"{after.fitted} documents", f"of the figures of confidence: {why}")
    for name, reason in after.unscored:
        _say(f"not scored: {name}: {reason}")
    _say(f"report in {output} and {output.with_suffix('.html')}")
    if any(item.status == "failed" for item in after.documents):
        raise typer.Exit(1)


def _unseen(documents: Sequence[Any], adapter: Path) -> list[Any]:
    """Leave out what the adapter was trained on or chosen with, and say so."""
    from extractor import adapter as adapters
    from extractor.errors import CorpusError

    seen = adapters.seen(adapter)
    kept = [document for document in documents if document.sha256() not in seen]
    if len(kept) < len(documents):
        _say(f"left out: {len(documents) - len(kept)} documents that the adapter was trained on")
    if not kept:
        raise CorpusError(
            "the adapter was trained on every document of this split",
            hint="use the --seed of the training, or name splits in the labels",
        )
    return kept


@app.command(
    epilog=_example("calibrate --schema invoice --corpus labelled --adapter adapters/invoice")
)
def calibrate(
    schema: SchemaOption,
    corpus: CorpusOption,
    adapter: Annotated[
        Path, typer.Option("--adapter", help="Folder made by train; it is written to.")
    ],
    base_model: BaseOption = None,
    split: Annotated[
        str,
        typer.Option(
            help="train (what the adapter did not learn of it), validation, test, dev or all; "
            "what confidences are fitted on cannot test them."
        ),
    ] = "train",
    seed: Annotated[int, typer.Option(help="Of the split, as for train, and of the folds.")] = 0,
    max_new_tokens: Annotated[
        int, typer.Option(min=1, help="Longest answer; a longer one is closed and marked.")
    ] = 2048,
    engine: EngineOption = "auto",
    all_windows: AllWindowsOption = False,
    threads: ThreadsOption = None,
) -> None:
    """Fit the confidence of an adapter's answers on documents that it was not trained on."""
    asked = _schema(schema)
    from extractor import base_model as bases

    bases.import_transformers()
    from extractor.pipeline import Extractor
    from training import corpus as corpora
    from training.calibrate import calibrate as fit
    from training.split import select

    labelled = corpora.read(corpus)
    for problem in labelled.problems:
        _left_out(problem.document, problem.message)
    documents = list(select(labelled.documents, split, schema=asked, seed=seed))
    reader = Extractor(
        asked,
        adapter=adapter,
        base_model=base_model,
        engine=engine,
        max_new_tokens=max_new_tokens,
        threads=threads,
        all_windows=all_windows,
        einvoice="never",  # what is rated is what the model reads
        calibration="none",  # an older one must not be in the way of its successor
    )
    _say_engine(reader)
    with _progress("documents") as progress:
        made = fit(reader, documents, asked, adapter, progress=progress, seed=seed)
    for why, count in made.left_out.items():
        _left_out(f"{count} documents", why)
    for line in made.reliability.lines() if made.reliability else []:
        typer.echo(line)
    if made.calibration.familiarity is None:
        _say("no alarm for unseen layouts: fewer than 20 groups of labelled documents")
    _say(f"calibrated on {made.documents} documents; it is kept in {adapter}")


@app.command(
    epilog=_example("extract inbox --schema invoice --adapter adapters/invoice --output out.xlsx")
)
def extract(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.", show_default=False)],
    schema: SchemaOption,
    adapter: AdapterOption = None,
    output: Annotated[
        Path, typer.Option("--output", help="A .jsonl, .csv, .xlsx or .parquet file, or -.")
    ] = Path("-"),
    base_model: BaseOption = None,
    recursive: Annotated[bool, typer.Option(help="Look into folders of folders.")] = False,
    overlay: Annotated[
        Path | None,
        typer.Option("--overlay", help="Folder for pictures of the pages with the values marked."),
    ] = None,
    max_new_tokens: Annotated[
        int, typer.Option(min=1, help="Longest answer; a longer one is closed and marked.")
    ] = 2048,
    password: PasswordOption = None,
    password_file: PasswordFileOption = None,
    engine: EngineOption = "auto",
    all_windows: AllWindowsOption = False,
    ocr: OcrOption = "auto",
    einvoice: EInvoiceOption = "auto",
    target_precision: Annotated[
        float | None,
        typer.Option(
            "--target-precision",
            help="Mark as accept what is right so often, such as 0.99, and the rest as review.",
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference",
            help="CSV or XLSX of known parties; columns named like fields, such as seller_name, "
            "seller_vat_id, iban.",
        ),
    ] = None,
    threads: ThreadsOption = None,
    profile: Annotated[
        bool, typer.Option("--profile", help="Say at the end where the time went.")
    ] = False,
) -> None:
    """Read documents into records; run it again to go on where it was stopped."""
    asked = _schema(schema)
    secret = _password(password, password_file)
    from extractor import batch, export
    from extractor import overlay as overlays
    from extractor.errors import DocumentError
    from extractor.pipeline import Extractor

    to_stdout = str(output) == "-"
    if overlay is not None:
        overlays.check(overlay)
    if not to_stdout:
        export.check(output)
    for path in paths:
        if not path.exists() and not path.is_symlink():
            raise DocumentError(
                f"{_clean(str(path))}: no such file or folder",
                hint="check the path",
                category="missing",
            )
    files = batch.inputs(paths, recursive=recursive)
    if not files:
        raise DocumentError(
            f"{', '.join(_clean(str(path)) for path in paths)}: no document in it",
            hint=f"give a folder that holds {', '.join(batch.SUFFIXES)} files, or add --recursive",
            category="missing",
        )
    others = batch.left_out(paths, recursive=recursive)
    if others:
        kinds = ", ".join(_clean(kind) or "no suffix" for kind, _ in others.most_common(5))
        _say(f"left out: {others.total()} files that are no documents by their names ({kinds})")
    with _bad_values_named():
        reader = Extractor(
            asked,
            adapter=adapter,
            base_model=base_model,
            engine=engine,
            max_new_tokens=max_new_tokens,
            all_windows=all_windows,
            ocr=ocr,
            einvoice=einvoice,
            threads=threads,
            target_precision=target_precision,
            reference=reference,
        )
    if reader.reference is not None:
        for problem in reader.reference.problems:
            _left_out(reader.reference.name, problem)
    _say_engine(reader)
    for line in reader.policy.lines() if reader.policy else []:
        _say(line)
    with _progress("documents") as progress:
        if to_stdout:
            summary = _to_stdout(files, reader, secret, overlay, progress)
        else:
            summary = batch.run(
                files, reader, output, password=secret, overlay=overlay, progress=progress
            )
    kept = f", {summary.kept} kept from an earlier run" if summary.kept else ""
    _say(f"{summary.read + summary.kept} documents, {summary.failed} failed{kept}")
    if target_precision is not None:
        _say(f"{summary.accepted} of them accepted whole at a precision of {target_precision:g}")
    if overlay is not None:
        _say(f"{summary.drawn} overlays in {overlay}")
    if profile:
        for row in summary.profile.lines():
            _say(row)
    if summary.failed:
        raise typer.Exit(1)


def _password(given: str | None, file: Path | None) -> str | None:
    if file is None:
        return given
    if given is not None:
        raise typer.BadParameter("give --password or --password-file, not both")
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{file}: is not UTF-8 text") from error


def _to_stdout(
    files: list[str],
    reader: Reader,
    password: str | None,
    overlay: Path | None,
    progress: Progress,
) -> BatchSummary:
    from extractor import batch

    _utf8_stdout()
    try:
        # A bar between the lines of a terminal would tear both.
        return batch.stream(
            files,
            reader,
            sys.stdout,
            password=password,
            overlay=overlay,
            progress=None if sys.stdout.isatty() else progress,
        )
    except BrokenPipeError:
        # Whoever read stdout has enough; what Python flushes at exit must go somewhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from None


# ---------------------------------------------------------------- shell


def _utf8_stdout() -> None:
    if isinstance(sys.stdout, TextIOWrapper):
        # JSON is UTF-8, whatever the terminal's own encoding.
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")


def _schema(name: str) -> Any:  # Schema of a class known only at run time
    from extractor.schema import Schema, resolve

    return Schema.of(resolve(name))


def _say_engine(reader: Any) -> None:
    _say(f"engine: {reader.engine.identity['engine']}")


def _left_out(*what: str) -> None:
    _say(": ".join(["left out", *(part for part in what if part)]))


def _say(text: str) -> None:
    typer.echo(_clean(text), err=True)


def _clean(text: str) -> str:
    """Drop what could steer a terminal or forge a line: names may come from hostile files."""
    return "".join(
        character if unicodedata.category(character)[0] != "C" else "?"
        for character in text.replace("\n", " ")
    )


@contextmanager
def _bad_values_named() -> Iterator[None]:
    """Turn what a config class refuses into an error of usage."""
    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


@contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """Draw one bar on stderr; plain lines at the end of it where stderr is no terminal."""
    with _stages() as show:
        yield lambda done, total: show(title, done, total)


@contextmanager
def _stages() -> Iterator[Callable[[str, int, int], None]]:
    """Draw a bar for each stage that reports, with the time that is left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:>12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(_clean(stage), total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield show
