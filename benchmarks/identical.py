"""Whether the fp32 engine gives the answers of plain Outlines + transformers, to the byte.

    python -m benchmarks.identical CORPUS --schema receipt --documents 100
        [--split dev] [--adapter DIR] [--threads N] [--max-new-tokens 256]

Each window of each document is answered twice with the same weights and constraint: token by token
by Outlines' generator (greedy), and by the product with all that saves passes. Speed is not
measured here, so the machine may be busy.
"""

from __future__ import annotations

import argparse
from itertools import islice

from benchmarks.contestants import PlainOutlines, Settings
from extractor.engine.base import Request
from extractor.engine.local import LocalEngine
from extractor.errors import DocumentError
from extractor.schema import Schema, resolve
from extractor.windows import cut
from training import corpus
from training.split import select


def main() -> None:
    """Compare, and print what differs."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("corpus")
    parser.add_argument("--schema", required=True)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--documents", type=int, default=100)
    parser.add_argument("--adapter", help="folder; default: the one that is shipped")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--max-new-tokens", type=int, default=256)
    options = parser.parse_args()
    settings = Settings(options.schema, options.adapter, options.threads, options.max_new_tokens)
    base, folder = settings.weights()
    schema = Schema.of(resolve(options.schema))
    plain = PlainOutlines(settings)
    ours = LocalEngine.load(base, folder, threads=options.threads, schema=schema)
    windows = settings.windows()
    assert windows is not None, "the base model alone has no windows of its own"
    held = select(corpus.read(options.corpus).documents, options.split, schema=schema)
    answers, different = 0, []
    for number, labelled in enumerate(islice(held, options.documents), start=1):
        try:
            document = labelled.document().in_sight()
        except DocumentError:
            continue
        for window in cut(document, windows, ours.count_tokens):
            text = document.shown(window.start, window.end)
            request = Request(schema, text, options.max_new_tokens)
            (one,), (other,) = plain.generate([request]), ours.generate([request])
            answers += 1
            if one.text != other.text:
                different.append(labelled.id)
        print(f"\r{number} documents, {answers} answers", end="", flush=True)
    print(f"\n{answers - len(different)} of {answers} answers are the same to the byte")
    for name in different:
        print(f"  differs: {name}")


if __name__ == "__main__":
    main()
