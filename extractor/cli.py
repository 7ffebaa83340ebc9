"""The command line: parse, call one library function, print.

Data goes to stdout, everything else to stderr. Exit codes: 0 done, 1 some documents failed,
2 wrong use, 130 interrupted.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from extractor import __version__
from extractor.errors import ExtractorError

if TYPE_CHECKING:
    from training.tune import Estimate

app = typer.Typer(
    help="Read documents into validated records with a small specialist model.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
schemas_app = typer.Typer(help="List, show and copy the ready-made schemas.", no_args_is_help=True)
app.add_typer(schemas_app, name="schemas")

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
    typer.Option("--adapter", help="Folder made by train; without it the base model answers."),
]
BaseOption = Annotated[
    str | None,
    typer.Option("--base-model", help="Hub name or local folder; default: the embedded model."),
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
        _say(f"error: {error.message}")
        _say(f"hint: {error.hint}")
        code = 2
    except ValueError as error:  # configuration classes refuse bad values before anything runs
        _say(f"error: {error}")
        code = 2
    except BrokenPipeError:
        # Whoever read stdout has enough; closing it here keeps Python from complaining at exit.
        sys.stderr.close()
        code = 0
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        _say(f"error: {error.format_message()}")
        _say("hint: add --help to the command to see how it is used")
        code = 2
    if code == 130:
        _say("interrupted; run the same command again to go on where it stopped")
    sys.exit(code)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


# ---------------------------------------------------------------- schemas


@schemas_app.command("list")
def schemas_list() -> None:
    """List the ready-made schemas.

    Example: extractor schemas list
    """
    from extractor import schema

    for name, place in sorted(schema.names().items()):
        typer.echo(f"{name}\t{place}")


@schemas_app.command("show")
def schemas_show(name: Annotated[str, typer.Argument(help="As for --schema.")]) -> None:
    """Show the fields that a schema asks for, as the model is shown them.

    Example: extractor schemas show invoice
    """
    typer.echo("\n".join(_schema(name).lines()))


@schemas_app.command("copy")
def schemas_copy(
    name: Annotated[str, typer.Argument(help="A ready-made name.")],
    output: Annotated[
        Path | None, typer.Option("--output", help="File to write; default: NAME.py here.")
    ] = None,
) -> None:
    """Copy a ready-made schema to a file of your own, to change it.

    Example: extractor schemas copy invoice --output my_invoice.py
    """
    import inspect

    from extractor import schema
    from extractor.errors import OutputError

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


# ---------------------------------------------------------------- corpus


@app.command()
def pairs(
    schema: SchemaOption,
    corpus: CorpusOption,
    output: Annotated[Path, typer.Option("--output", help="JSON lines to write.")],
    base_model: BaseOption = None,
) -> None:
    """Write the training pairs of a corpus to a file that a person can read.

    Example: extractor pairs --schema invoice --corpus labelled --output pairs.jsonl
    """
    asked = _schema(schema)
    from extractor import base_model as bases
    from extractor.prompt import encode
    from extractor.windows import WindowConfig
    from training import corpus as corpora
    from training import pairs as pairing

    labelled = corpora.read(corpus)
    tokenizer = bases.load_tokenizer(bases.find(base_model))
    built = pairing.PairSet()
    with _progress("pairs") as progress:
        for index, document in enumerate(labelled.documents):
            progress(index, len(labelled.documents))
            part = pairing.build(
                [document], asked, WindowConfig(), lambda text: len(encode(text, tokenizer))
            )
            built.pairs += part.pairs
            built.problems += part.problems
    pairing.write(built.pairs, output)
    for problem in labelled.problems:
        _say(f"left out: {problem.document}: {problem.message}")
    for skipped in built.problems:
        _say(f"left out: {skipped.document}: {skipped.field}: {skipped.message}")
    _say(f"{len(built.pairs)} pairs of {len(labelled.documents)} documents in {output}")


@app.command()
def train(
    schema: SchemaOption,
    corpus: CorpusOption,
    output: Annotated[Path, typer.Option("--output", help="Adapter folder to make.")],
    base_model: BaseOption = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the labelled documents.")] = None,
    synthetic: Annotated[
        int | None, typer.Option(min=0, help="Synthetic documents to start with.")
    ] = None,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 8e-4,
    rank: Annotated[int, typer.Option(min=1, help="LoRA rank.")] = 16,
    validation: Annotated[
        float, typer.Option(help="Share kept to choose the checkpoint; 0 for none.")
    ] = 0.15,
    checkpoints: Annotated[int, typer.Option(min=1, help="How often weights are kept.")] = 3,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    threads: ThreadsOption = None,
    resume: Annotated[bool, typer.Option(help="Continue a run that was cut off.")] = False,
) -> None:
    """Train an adapter on a labelled corpus; says how long it takes before it starts.

    Example: extractor train --schema invoice --corpus labelled --output adapters/invoice
    """
    asked = _schema(schema)
    from training.augment import AugmentConfig
    from training.tune import TuneConfig, tune

    config = TuneConfig(
        base_model=base_model,
        epochs=epochs,
        learning_rate=learning_rate,
        rank=rank,
        validation=validation,
        checkpoints=checkpoints,
        seed=seed,
        threads=threads,
        resume=resume,
        augment=AugmentConfig(synthetic=synthetic),
    )
    with _stages() as progress:
        result = tune(corpus, asked, output, config, progress=progress, announce=_announce)
    for problem in result.problems:
        _say(f"left out: {problem.document}: {problem.field}: {problem.message}")
    if result.validation_f1 is not None:
        _say(f"macro F1 {result.validation_f1:.3f} on the validation documents")
    _say(f"adapter in {result.output}, {result.seconds_s / 60:.1f} minutes")


def _announce(estimate: Estimate) -> None:
    _say(
        f"training on {estimate.examples} examples ({estimate.tokens} tokens) from "
        f"{estimate.documents} documents; {estimate.validation_documents} documents choose the "
        f"checkpoint; about {max(1, round(estimate.seconds_s / 60))} minutes"
    )


@app.command()
def evaluate(
    schema: SchemaOption,
    corpus: CorpusOption,
    output: Annotated[Path, typer.Option("--output", help="report.json to write.")],
    adapter: AdapterOption = None,
    base_model: BaseOption = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Score the base model without adapter too.")
    ] = False,
    split: Annotated[
        str, typer.Option(help="test (held out; dev counts as test), validation, train or all.")
    ] = "test",
    seed: Annotated[int, typer.Option(help="Of the split, as for train.")] = 0,
    threads: ThreadsOption = None,
) -> None:
    """Score an adapter on the held-out documents of a corpus; writes JSON and HTML.

    Example: extractor evaluate --schema invoice --corpus labelled --adapter adapters/invoice \
--output report.json
    """
    asked = _schema(schema)
    from extractor.pipeline import Extractor
    from training import corpus as corpora
    from training import report as reports
    from training.evaluate import Report
    from training.evaluate import evaluate as score
    from training.score import table
    from training.split import select

    documents = select(corpora.read(corpus).documents, split, schema=asked, seed=seed)

    def scored(folder: Path | None, title: str) -> Report:
        reader = Extractor(asked, adapter=folder, base_model=base_model, threads=threads)
        with _progress(title) as progress:
            return score(reader, documents, asked, progress=progress)

    before = scored(None, "base model") if compare and adapter is not None else None
    after = scored(adapter, "adapter" if adapter is not None else "base model")
    reports.write(output, after, before)
    titles = ("before", "after") if before else ("", "F1")
    typer.echo(table(before.card if before else None, after.card, titles))
    low, high = after.interval
    typer.echo(f"95 % interval of macro F1, by groups: {low:.3f} to {high:.3f}")
    for name, reason in after.unscored:
        _say(f"not scored: {name}: {reason}")
    _say(f"report in {output} and {output.with_suffix('.html')}")
    if any(item.status == "failed" for item in after.documents):
        raise typer.Exit(1)


# ---------------------------------------------------------------- extract


@app.command()
def extract(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.", show_default=False)],
    schema: SchemaOption,
    adapter: AdapterOption = None,
    output: Annotated[
        Path, typer.Option("--output", help="A .jsonl, .csv, .xlsx or .parquet file, or -.")
    ] = Path("-"),
    base_model: BaseOption = None,
    recursive: Annotated[bool, typer.Option(help="Look into folders of folders.")] = False,
    max_new_tokens: Annotated[
        int, typer.Option(min=1, help="Longest answer; a longer one is closed and marked.")
    ] = 2048,
    threads: ThreadsOption = None,
) -> None:
    """Read documents into records; run it again to go on where it was stopped.

    Example: extractor extract inbox --schema invoice --adapter adapters/invoice --output out.xlsx
    """
    asked = _schema(schema)
    from extractor import batch, export
    from extractor.errors import DocumentError
    from extractor.pipeline import Extractor

    to_stdout = str(output) == "-"
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
    reader = Extractor(
        asked,
        adapter=adapter,
        base_model=base_model,
        max_new_tokens=max_new_tokens,
        threads=threads,
    )
    if to_stdout:
        summary = batch.stream(files, reader, sys.stdout)
    else:
        with _progress("documents") as progress:
            summary = batch.run(files, reader, output, progress=progress)
    kept = f", {summary.kept} kept from an earlier run" if summary.kept else ""
    _say(f"{len(files)} documents, {summary.failed} failed{kept}")
    if summary.failed:
        raise typer.Exit(1)


# ---------------------------------------------------------------- shell


def _schema(name: str) -> Any:  # Schema of a class known only at run time
    from extractor.schema import Schema, resolve

    return Schema.of(resolve(name))


def _say(text: str) -> None:
    typer.echo(_clean(text), err=True)


def _clean(text: str) -> str:
    """Drop what could steer a terminal: names and messages may come from hostile files."""
    return "".join(
        character if character == "\n" or unicodedata.category(character)[0] != "C" else "?"
        for character in text
    )


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
