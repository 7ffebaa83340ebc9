"""PDF readers side by side: pages per second, and table rows that stay whole on one line; and what
it costs that files are read in a process of their own.

    python -m benchmarks.readers CORPUS

A row is whole if its labelled description begins, and its line total stands, on one line of the
text. All readers run in this process, so only the files of a trusted corpus should be given.
"""

from __future__ import annotations

import argparse
import io
import platform
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pdfplumber
import pypdf
import pypdfium2

from extractor import document
from extractor.document import Limits
from extractor.document.pdf import read_pdf
from extractor.fields import Locale, NumberType, bare
from training import corpus


def pypdf_plain(data: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages]


def pypdf_layout(data: bytes) -> list[str]:
    pages = pypdf.PdfReader(io.BytesIO(data)).pages
    return [page.extract_text(extraction_mode="layout") for page in pages]


def pdfium_plain(data: bytes) -> list[str]:
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(data)]


def plumber(data: bytes) -> list[str]:
    with pdfplumber.open(io.BytesIO(data)) as pdf:
        return [page.extract_text() or "" for page in pdf.pages]


def product(data: bytes) -> list[str]:
    read = document.read(data, name="benchmark")
    return [read.text[page.start : page.end] for page in read.pages]


def product_unguarded(data: bytes) -> list[str]:
    content = read_pdf(data, Limits())
    return [content["text"][start:end] for _, _, start, end, _ in content["pages"]]


ISOLATED, UNGUARDED = "fieldwright (isolated)", "fieldwright, in this process"
READERS: dict[str, Callable[[bytes], list[str]]] = {
    ISOLATED: product,
    UNGUARDED: product_unguarded,
    "pypdf": pypdf_plain,
    "pypdf, layout": pypdf_layout,
    "pypdfium2": pdfium_plain,
    "pdfplumber": plumber,
}


def whole(row: dict[str, Any], lines: list[str], locale: Locale) -> bool:
    """Return whether some line holds the beginning of the description and the total."""
    start, total = bare(row["description"])[:12], row["line_total"]
    kind = NumberType()
    for line in lines:
        if start in bare(line) and any(
            kind.same(abs(kind.parse(line[a:b], locale).value), abs(kind.from_json(total)))
            for a, b in kind.find(line)
        ):
            return True
    return False


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("corpus", type=Path)
    given = parser.parse_args()
    labelled = [d for d in corpus.read(given.corpus).documents if d.path]
    files = [(Path(d.path or "").read_bytes(), d) for d in labelled]
    print(f"{platform.processor() or platform.machine()}, {len(files)} documents\n")
    print("| reader | pages/s | rows whole on one line |\n|---|---|---|")
    # The worker process is started, and libraries are loaded, once and not for each file.
    product(files[0][0])
    product_unguarded(files[0][0])
    for name, reader in READERS.items():
        pages = rows = kept = 0
        seconds_s = 0.0
        for data, one in files:
            started_s = time.perf_counter()
            texts = reader(data)
            seconds_s += time.perf_counter() - started_s
            pages += len(texts)
            text = "\n".join(texts)
            lines = [re.sub(r"\s+", " ", line) for line in text.splitlines()]
            locale = Locale.of(text)
            for row in one.fields.get("line_items") or []:
                if row.get("description") and row.get("line_total"):
                    rows += 1
                    kept += whole(row, lines, locale)
        share = kept / rows if rows else 0.0
        print(f"| {name} | {pages / seconds_s:.1f} | {kept} of {rows} ({share:.1%}) |", flush=True)
    costs_ms = sorted(_cost_ms(data) for data, _ in files)
    median_ms, most_ms = costs_ms[len(files) // 2], costs_ms[len(files) * 9 // 10]
    print(f"\nisolation costs {median_ms:.1f} ms a document (median; 90th centile {most_ms:.1f})")


def _cost_ms(data: bytes) -> float:
    """Return what a document takes longer in a process of its own, the best of three runs."""
    best: dict[str, float] = {}
    for _ in range(3):
        for name in (ISOLATED, UNGUARDED):
            started_s = time.perf_counter()
            READERS[name](data)
            took_s = time.perf_counter() - started_s
            best[name] = min(best.get(name, took_s), took_s)
    return (best[ISOLATED] - best[UNGUARDED]) * 1000


if __name__ == "__main__":
    main()
