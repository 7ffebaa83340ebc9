"""Whether confidences mean what they say, promises hold, and what is not there stays null.

    python -m benchmarks.confidence CORPUS --schema invoice --output build/confidence
        [--adapter DIR] [--split dev] [--documents N] [--resamplings 200] [--decoys] [--resume]

1. Calibration: ECE, AUROC and Brier of confidences that were fitted on other groups, beside those
   of the model's own probability.
2. Promises: so many times the groups are dealt anew; thresholds for a target come from one part,
   and the precision of what they accept is counted in the rest. A promise is broken where it is
   below the target, and refuted where chance alone would not bring it so low (binomial, 5 %).
3. Decoys: ten fields that no document has are asked for too; counted are invented values, and true
   ones that were right before and are no more.

Answers are kept in the output folder as they come; with --resume those that are there, of the same
documents, labels, adapter and options, are not asked for again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, create_model

from extractor import adapter as adapters
from extractor import base_model, confidence, document, prompt
from extractor.adapter import Adapter
from extractor.confidence import FEATURES, Answered, Calibration
from extractor.engine.choice import Format, choose
from extractor.engine.local import LocalEngine
from extractor.errors import CalibrationError, DocumentError
from extractor.fields import Identifier, IsoDate, Money, Verbatim
from extractor.pipeline import Extractor
from extractor.policy import at_most, threshold
from extractor.schema import AnySchema, Schema, resolve
from training import calibrate, corpus
from training.calibrate import Answer, Answers
from training.corpus import LabelledDocument
from training.pairs import known_fields, unknown
from training.reliability import Rated, measure
from training.score import judge
from training.split import groups, select

TARGETS = (0.95, 0.99)
CALIBRATING = 0.6
DECOYS: dict[str, tuple[Any, str]] = {
    "vessel_name": (Verbatim, "name of the ship"),
    "passport_number": (Identifier, "of the traveller"),
    "flight_number": (Identifier, "of the flight taken"),
    "licence_plate": (Identifier, "of the rented car"),
    "patient_name": (Verbatim, "who was treated"),
    "graduation_date": (IsoDate, "when the degree was awarded"),
    "lease_start": (IsoDate, "first day of the lease"),
    "insured_sum": (Money, "most that the insurance pays"),
    "court_name": (Verbatim, "court that decided the case"),
    "blood_type": (Verbatim, "of the donor"),
}


def with_decoys(schema: AnySchema) -> AnySchema:
    """Return a schema that asks for ten more fields, behind its own."""
    fields: dict[str, Any] = {
        name: (kind | None, Field(None, description=note))
        for name, (kind, note) in DECOYS.items()
        if name not in schema.field_names
    }
    return Schema.of(create_model(schema.name, __base__=schema.model, **fields))


def to_json(one: Answers) -> dict[str, Any]:
    return {
        "right": one.right,
        "answers": [[answer.pattern, answer.right, *answer.row] for answer in one.answers],
    }


def from_json(content: dict[str, Any], group: int) -> Answers:
    answers = [Answer(tuple(row), name, right) for name, right, *row in content["answers"]]
    return Answers(group, tuple(answers), content["right"])


class Kept:
    """Lines of JSON, one a document, behind one that says what they come from.

    A run that is cut off keeps what it has; a line that was cut in two is asked for again.
    """

    def __init__(self, file: Path, run: dict[str, Any], *, resume: bool) -> None:
        self.file = file
        known = _lines(file) if resume else []
        if known and known[0] != run:
            raise SystemExit(f"{file}: made with other options or versions; run without --resume")
        self.rows = {row.pop("key"): row for row in known[1:]}
        lines = [run, *({"key": key, **row} for key, row in self.rows.items())]
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def of(self, labelled: LabelledDocument, asked: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return a document's line, asked for if it is not there."""
        known = [labelled.sha256(), labelled.fields, sorted(labelled.unverified)]
        key = hashlib.sha256(json.dumps(known).encode()).hexdigest()
        if key not in self.rows:
            self.rows[key] = asked()
            with self.file.open("a") as stream:
                stream.write(json.dumps({"key": key, **self.rows[key]}) + "\n")
        return self.rows[key]


def _lines(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        return []
    lines = file.read_text().split("\n")
    return [json.loads(line) for line in lines[:-1]]  # behind the last end of line all is torn


def probability(answer: Answer) -> float:
    """Return the model's own probability of an answer."""
    row = dict(zip(FEATURES, answer.row, strict=True))
    return exp(row["null:logprob"] if row["is_null"] else row["value:logprob"])


def promises(observed: Sequence[Answers], target: float, resamplings: int) -> dict[str, Any]:
    """Return how often what a threshold promises is found in documents of other groups."""
    found: dict[str, list[tuple[int, int, int]]] = {"fields": [], "documents": []}
    refused = 0
    for seed in range(resamplings):
        draw = np.random.default_rng(seed)
        names = sorted({one.group for one in observed})
        chosen = set(draw.permutation(names)[: round(CALIBRATING * len(names))].tolist())
        known = [one for one in observed if one.group in chosen]
        rest = [one for one in observed if one.group not in chosen]
        made = calibrate.fit(known, SCHEMA_OF_NONE, seed=seed)
        fresh = applied(made, rest)
        parts = [("fields", made.fields[name], fresh.fields.get(name, ())) for name in made.fields]
        for kind, held, new in [*parts, ("documents", made.documents, fresh.documents)]:
            limit = threshold(held, target).value
            if limit is None:
                refused += kind == "fields"
                continue
            accepted = [one for one in new if one.confidence >= limit]
            wrong = sum(not one.right for one in accepted)
            found[kind].append((len(accepted), wrong, len(new)))
    claims = len(found["fields"]) + refused
    summary = {kind: _summary(rows, target) for kind, rows in found.items()}
    return {"target": target, "field_claims": claims, "not_attainable": refused, **summary}


SCHEMA_OF_NONE = Schema.of(create_model("Any", value=(Verbatim | None, None)))


def applied(made: Calibration, rest: Sequence[Answers]) -> Calibration:
    """Return the answers to other documents as thresholds see them."""
    fields: dict[str, list[Answered]] = {}
    documents = []
    for number, one in enumerate(rest):
        sure: dict[str, list[float]] = {}
        right: dict[str, bool] = {}
        for answer in one.answers:
            value = made.calibrator.confidence(answer.row, answer.pattern)
            sure.setdefault(answer.pattern, []).append(value)
            right[answer.pattern] = right.get(answer.pattern, True) and answer.right
        for name, values in sure.items():
            answered = Answered(number, one.group, min(values), right[name])
            fields.setdefault(name, []).append(answered)
        documents.append(Answered(number, one.group, confidence.of_document(sure), one.right))
    return Calibration(
        made.calibrator,
        made.schema,
        {name: tuple(rows) for name, rows in fields.items()},
        tuple(documents),
    )


def _summary(rows: Sequence[tuple[int, int, int]], target: float) -> dict[str, Any]:
    """Return over all promises how many held, and what they accepted."""
    telling = [(accepted, wrong) for accepted, wrong, _ in rows if accepted]
    kept = sum(wrong <= (1 - target) * accepted for accepted, wrong in telling)
    refuted = sum(_at_least(wrong, accepted, 1 - target) < 0.05 for accepted, wrong in telling)
    given = sum(accepted for accepted, _, _ in rows)
    return {
        "promises": len(rows),
        "held": kept / len(telling) if telling else None,
        "refuted": refuted / len(telling) if telling else None,
        "precision": 1 - sum(wrong for _, wrong in telling) / given if given else None,
        "accepted": given / sum(total for _, _, total in rows) if rows else None,
    }


def _at_least(wrong: int, tried: int, error: float) -> float:
    return 1 - at_most(wrong - 1, tried, error) if wrong else 1.0


def observe(
    reader: Callable[[], Any], documents: Sequence[LabelledDocument], schema: AnySchema, kept: Kept
) -> list[Answers]:
    """Return the answers to each document that can be read.

    :param reader: makes an extractor; it is called where an answer is not kept.
    """
    found = []
    dealt = groups(documents, schema)
    flat = [(number, one) for number, group in enumerate(dealt) for one in group]
    for done, (number, labelled) in enumerate(flat):
        _told(done, len(flat))
        row = kept.of(labelled, partial(_observed, reader, labelled, schema))
        if row:
            found.append(from_json(row, number))
    _told(len(flat), len(flat))
    return found


def _observed(
    reader: Callable[[], Any], labelled: LabelledDocument, schema: AnySchema
) -> dict[str, Any]:
    """Return one document's line; an empty one if it cannot be read."""
    observed, _ = calibrate.observe(reader(), [labelled], schema)
    return to_json(observed[0]) if observed else {}


def decoys(
    readers: tuple[Callable[[], Any], Callable[[], Any]],
    documents: Sequence[LabelledDocument],
    schema: AnySchema,
    kept: Kept,
) -> dict[str, Any]:
    """Return how many decoys were filled, and how many right values were lost for them.

    :param readers: make the extractors for the schema without decoys, and with them.
    """
    rows = [kept.of(one, partial(_with_decoys, readers, one, schema)) for one in documents]
    rows = [row for row in rows if row]
    sums = {name: sum(row[name] for row in rows) for name in ("invented", "right_without", "lost")}
    places = len(DECOYS) * len(rows)
    return {
        "places": places,
        "invented_share": sums["invented"] / places if places else None,
        **sums,
    }


def _with_decoys(
    readers: tuple[Callable[[], Any], Callable[[], Any]],
    labelled: LabelledDocument,
    schema: AnySchema,
) -> dict[str, Any]:
    """Return one document's line; an empty one if it cannot be read."""
    try:
        read = labelled.document()
    except DocumentError:
        return {}
    plain, more = (reader().extract(read, name=labelled.id) for reader in readers)
    wanted = schema.normalise(known_fields(labelled, schema), read.locale)
    before, after = (
        judge(schema, one.values, wanted, unknown(labelled, schema)) for one in (plain, more)
    )
    right = [path for path, good in before.items() if good and plain.fields[path].value is not None]
    return {
        "invented": sum(more.values.get(name) is not None for name in DECOYS),
        "right_without": len(right),
        "lost": sum(not after.get(path, False) for path in right),
    }


@dataclass(frozen=True, slots=True)
class Asked:
    """The model that is asked; it is loaded when an answer is not kept."""

    bundle: Adapter
    options: argparse.Namespace

    @property
    def kind(self) -> Format:
        return choose(self.options.engine, self.bundle)

    def run(self, schema: AnySchema) -> dict[str, Any]:
        """Return what its answers depend on beside the document."""
        return {
            "adapter": self.bundle.sha256,
            "schema": schema.fingerprint,
            "rules": self.bundle.ruled and self.bundle.schema_fingerprint == schema.fingerprint,
            "engine": self.kind,
            "max_new_tokens": self.options.max_new_tokens,
            "features": list(FEATURES),
            "prompt": prompt.VERSION,
            "reading": document.VERSION,
        }

    def reader(self, schema: AnySchema) -> Extractor[Any]:
        # The engine by itself: the adapter is for another schema than the one with decoys, and so
        # are its rules.
        own = self.bundle.schema_fingerprint == schema.fingerprint
        return Extractor(
            schema,
            engine=_engine(self.bundle.folder, self.kind, self.options.threads),
            rules=self.bundle.rules(schema) if own else None,
            windows=self.bundle.windows,
            max_new_tokens=self.options.max_new_tokens,
            einvoice="never",
        )


@cache
def _engine(folder: Path, kind: Format, threads: int | None) -> LocalEngine:
    return LocalEngine.load(base_model.find(None), folder, kind=kind, threads=threads)


def main() -> None:
    """Read what is not yet read, measure, and print the figures."""
    options = _options()
    options.output.mkdir(parents=True, exist_ok=True)
    schema: AnySchema = Schema.of(resolve(options.schema))
    labelled = corpus.read(options.corpus).documents
    documents = list(select(labelled, options.split, schema=schema))[: options.documents]
    folder = Path(options.adapter) if options.adapter else adapters.shipped(base_model.find(None))
    assert folder is not None, "no adapter is shipped for this base model"
    documents, left_out = calibrate.held_out(documents, schema, adapters.seen(folder))
    asked = Asked(adapters.read(folder), options)
    kept = Kept(options.output / "answers.jsonl", asked.run(schema), resume=options.resume)
    observed = observe(lambda: asked.reader(schema), documents, schema, kept)
    figures: dict[str, Any] = {
        "machine": platform.processor() or platform.machine(),
        "documents": len(observed),
        "unread": len(documents) - len(observed),
        "left_out": left_out,
        "whole_documents_right": sum(one.right for one in observed),
        **calibrations(observed),
        **all_promises(observed, options.resamplings),
    }
    if options.decoys:
        more = with_decoys(schema)
        kept = Kept(options.output / "decoys.jsonl", asked.run(more), resume=options.resume)
        readers = (lambda: asked.reader(schema), lambda: asked.reader(more))
        figures["decoys"] = decoys(readers, documents, schema, kept)
        print(f"decoys: {json.dumps(figures['decoys'])}")
    (options.output / "figures.json").write_text(json.dumps(figures, indent=2))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus")
    parser.add_argument("--schema", default="invoice")
    parser.add_argument("--adapter", help="folder; default: the one that is shipped")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--documents", type=int, help="read no more than so many")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--max-new-tokens", type=int, default=2048)
    parser.add_argument("--resamplings", type=int, default=200)
    parser.add_argument("--decoys", action="store_true", help="read all again with ten more fields")
    parser.add_argument("--resume", action="store_true", help="keep the answers that are there")
    return parser.parse_args()


def calibrations(observed: Sequence[Answers]) -> dict[str, Any]:
    """Print and return the figures of fitted confidences, and of the model's own probability."""
    own = [Rated(o.group, a.pattern, probability(a), a.right) for o in observed for a in o.answers]
    figures = {}
    rated = {"fitted confidence": calibrate.cross_fitted(observed), "model's own probability": own}
    for title, known in rated.items():
        found = measure(known)
        assert found is not None, "no answer to measure"
        figures[title] = found.to_json()
        print("\n  ".join([title, *found.lines()]))
    return figures


def all_promises(observed: Sequence[Answers], resamplings: int) -> dict[str, Any]:
    """Print and return how promises are kept, for each target."""
    figures: dict[str, Any] = {}
    for target in TARGETS:
        try:
            figures[f"promise {target}"] = promises(observed, target, resamplings)
        except CalibrationError as error:
            figures[f"promise {target}"] = error.message
        print(f"promise {target}: {json.dumps(figures[f'promise {target}'])}")
    return figures


def _told(done: int, total: int) -> None:
    print(f"\r{done}/{total} documents", end="\n" if done == total else "", flush=True)


if __name__ == "__main__":
    main()
