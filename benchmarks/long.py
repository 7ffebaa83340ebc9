"""What reading the promising windows of long documents first is worth.

    python -m benchmarks.long --corpus DIR --schema contract --split dev [--adapter DIR]

Without a model: context words are learned on the corpus's train split (or taken from the adapter);
of the documents of the split that have more than `extractor.retrieval.MANY` windows it prints how
often a labelled value stands in the first k windows by promise and by document order, and what a
reader without mistakes would read and lose. With an adapter: F1 and seconds with the promising
windows and with all. State the machine beside the seconds.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from extractor import adapter as adapters
from extractor import base_model as bases
from extractor import retrieval
from extractor.fields import bare
from extractor.pipeline import Extractor
from extractor.prompt import encode
from extractor.retrieval import Context, Promise
from extractor.schema import AnySchema, Schema, resolve
from extractor.windows import Answer, Window, WindowConfig
from training import corpus, pairs
from training.context import learn
from training.corpus import LabelledDocument
from training.evaluate import evaluate
from training.split import select

FIRST = (1, 2, 3, 4)


@dataclass(frozen=True)
class Long:
    """The windows of one document, and the windows that show each labelled value of each field."""

    text: str
    windows: list[Window]
    pairs: list[pairs.Pair]
    holding: dict[str, dict[str, set[int]]]


def collect(
    documents: Sequence[LabelledDocument],
    schema: AnySchema,
    windows: WindowConfig,
    count: Callable[[str], int],
) -> tuple[list[pairs.Pair], list[Long]]:
    made: list[pairs.Pair] = []
    long: list[Long] = []
    for labelled in documents:
        part = pairs.build([labelled], schema, windows, count).pairs
        made += part
        if part:
            long.append(of_pairs(part))
    return made, long


def of_pairs(part: list[pairs.Pair]) -> Long:
    windows, at = [], 0
    holding: dict[str, dict[str, set[int]]] = defaultdict(dict)
    for index, pair in enumerate(part):
        windows.append(Window(at, at + len(pair.text)))
        at += len(pair.text) + 1
        for name, value in json.loads(pair.target).items():
            values = value if isinstance(value, list) else [value] if value is not None else []
            for one in values:
                key = bare(json.dumps(one)) if isinstance(value, list) else ""
                holding[name].setdefault(key, set()).add(index)
    return Long("\n".join(pair.text for pair in part), windows, part, holding)


def recall(
    documents: Sequence[Long], name: str, orders: Sequence[Sequence[int]]
) -> tuple[int, list[int]]:
    """Return the labelled values of a field, and how many stand in the first k windows."""
    values = [
        (order, places)
        for document, order in zip(documents, orders, strict=True)
        for places in document.holding.get(name, {}).values()
    ]
    return len(values), [sum(bool(set(o[:k]) & places) for o, places in values) for k in FIRST]


def perfect(document: Long, schema: AnySchema, context: Context | None) -> list[int]:
    """Return the windows that a reader without mistakes would read."""
    promise = Promise(document.text, schema, document.windows, context)

    def ask(indices: list[int]) -> list[Answer]:
        answers = []
        for index in indices:
            printed = json.loads(document.pairs[index].target)
            sure = dict.fromkeys(printed, 1.0)
            answers.append(Answer(printed, sure, document.windows[index], document.text))
        return answers

    return retrieval.read(promise, schema, ask)


def model_free(documents: Sequence[Long], schema: AnySchema, learned: Context) -> None:
    counts = [len(document.windows) for document in documents]
    print(f"{len(documents)} documents, windows: median {median(counts)}, most {max(counts)}")
    many = [document for document in documents if len(document.windows) > retrieval.MANY]
    if not many:
        print(f"none has more than {retrieval.MANY}: all windows are read")
        return
    share = sum(len(document.windows) for document in many) / sum(counts)
    print(f"{len(many)} of more than {retrieval.MANY} windows hold {share:.0%} of all windows\n")
    heads = " | ".join(f"first {k}" for k in FIRST)
    print(f"| field | values | order | {heads} |\n|---|---|---|" + "---|" * len(FIRST))
    for name in schema.field_names:
        for title, orders in rankings(many, schema, learned, name).items():
            total, hits = recall(many, name, orders)
            cells = " | ".join(f"{hit / max(1, total):.3f}" for hit in hits)
            print(f"| {name} | {total} | {title} | {cells} |")
    print("\n| a reader without mistakes | windows read | values lost |\n|---|---|---|")
    for title, context in (("names and types", None), ("with context words", learned)):
        saved(title, many, schema, context)
    print(f"\nfloors: { {name: known.floor for name, known in learned.fields.items()} }")


def rankings(
    many: Sequence[Long], schema: AnySchema, learned: Context, name: str
) -> dict[str, list[list[int]]]:
    def ranked(context: Context | None) -> list[list[int]]:
        promises = [Promise(d.text, schema, d.windows, context).of[name] for d in many]
        return [sorted(range(len(of)), key=lambda i: -of[i]) for of in promises]

    return {
        "document": [list(range(len(document.windows))) for document in many],
        "names and types": ranked(None),
        "with context words": ranked(learned),
    }


def saved(title: str, many: Sequence[Long], schema: AnySchema, context: Context | None) -> None:
    windows = read = values = lost = 0
    for document in many:
        chosen = set(perfect(document, schema, context))
        windows, read = windows + len(document.windows), read + len(chosen)
        for places in (p for of in document.holding.values() for p in of.values()):
            values, lost = values + 1, lost + (not chosen & places)
    print(f"| {title} | {read} of {windows} ({read / windows:.0%}) | {lost} of {values} |")


def with_model(
    documents: Sequence[LabelledDocument], schema: AnySchema, adapter: str, threads: int | None
) -> None:
    print("\n| windows | macro F1 | F1 by field | seconds |\n|---|---|---|---|")
    for title, all_windows in (("promising", False), ("all", True)):
        reader = Extractor(
            schema, adapter=adapter, threads=threads, all_windows=all_windows, einvoice="never"
        )
        started_s = time.perf_counter()
        report = evaluate(reader, documents, schema)
        cards = {**report.card.scalars, **report.card.lists}
        fields = ", ".join(f"{name} {counts.f1:.3f}" for name, counts in cards.items())
        seconds_s = time.perf_counter() - started_s
        print(f"| {title} | {report.macro_f1:.3f} | {fields} | {seconds_s:.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--schema", required=True)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--adapter")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--window-tokens", type=int, help="of the part without a model")
    arguments = parser.parse_args()
    schema: AnySchema = Schema.of(resolve(arguments.schema))
    labelled = corpus.read(arguments.corpus).documents
    tokenizer = bases.load_tokenizer(bases.find(None))

    def count(text: str) -> int:
        return len(encode(text, tokenizer))

    bundle = adapters.read(arguments.adapter) if arguments.adapter else None
    config = bundle.windows if bundle else WindowConfig()
    held = select(labelled, arguments.split, schema=schema)
    if arguments.window_tokens:
        config = WindowConfig(arguments.window_tokens, arguments.window_tokens // 10)
    learned = bundle.context if bundle else None
    if learned is None:
        known = select(labelled, "train", schema=schema)
        train, _ = collect(known, schema, config, count)
        learned = learn(train, schema, known)
    model_free(collect(held, schema, config, count)[1], schema, learned)
    if arguments.adapter:
        with_model(held, schema, arguments.adapter, arguments.threads)


if __name__ == "__main__":
    main()
