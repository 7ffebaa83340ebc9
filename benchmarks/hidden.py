"""Whether the text that no person sees is flagged in the files of a hostile corpus.

    python -m benchmarks.hidden CORPUS

`CORPUS/expected.jsonl` names, for each of `CORPUS/documents`, strings of its text layer that are
`hidden`, and strings that are `contains`: readable and seen. Prints a line for each such file.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from extractor import document
from extractor.document import Document
from extractor.errors import DocumentError
from extractor.evidence import locate
from extractor.fields import Locale, VerbatimType


def flagged(read: Document, text: str) -> str:
    """Return whether a string is flagged as not visible, or that it is not in the text."""
    evidence = locate(read, VerbatimType(), text, locale=Locale())
    return "not found" if evidence.start is None else str(evidence.not_visible)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("corpus", type=Path)
    given = parser.parse_args()
    folder = given.corpus
    totals = {"hidden": [0, 0], "contains": [0, 0]}
    print("| file | string | hidden | flagged |\n|---|---|---|---|")
    for line in (folder / "expected.jsonl").read_text(encoding="utf-8").splitlines():
        expected = json.loads(line)
        try:
            read = document.read(folder / "documents" / expected["file"])
        except DocumentError:
            continue
        for kind, total in totals.items():
            for text in expected.get(kind) or []:
                answer = flagged(read, text)
                total[0] += answer == "True"
                total[1] += answer != "not found"
                if kind == "hidden" or answer == "True":
                    print(f"| {expected['file']} | {text} | {kind == 'hidden'} | {answer} |")
    for kind, (count, found) in totals.items():
        print(f"\n{kind}: {count} of {found} strings flagged")


if __name__ == "__main__":
    main()
