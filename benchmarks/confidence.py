"""Whether confidences mean what they say, promises hold, and what is not there stays null.

    python -m benchmarks.confidence CORPUS --schema invoice --output build/confidence
        [--adapter DIR] [--split dev] [--documents N] [--resamplings 200] [--decoys]

1. Calibration: ECE, AUROC and Brier of confidences that were fitted on other groups, beside those
   of the model's own probability.
2. Promises: so many times the groups are dealt anew; thresholds for a target come from one part,
   and the precision of what they accept is counted in the rest. A promise is broken where it is
   below the target, and refuted where chance alone would not bring it so low (binomial, 5 %).
3. Decoys: ten fields that no document has are asked for too; counted are invented values, and true
   ones that were right before and are no more.

The model is asked once: its answers are kept in the output folder, and read again from there.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, create_model

from extractor import adapter as adapters
from extractor import base_model, confidence
from extractor.confidence import FEATURES, Answered, Calibration
from extractor.engine.choice import choose
from extractor.engine.local import LocalEngine
from extractor.errors import CalibrationError
from extractor.fields import Identifier, IsoDate, Locale, Money, Verbatim
from extractor.pipeline import Extractor
from extractor.policy import at_most, threshold
from extractor.schema import AnySchema, Schema, resolve
from training import calibrate, corpus
from training.calibrate import Answer, Answers
from training.corpus import LabelledDocument
from training.pairs import known_fields, unknown
from training.reliability import Rated, measure
from training.score import judge
from training.split import select

TARGETS = (0.95, 0.99)
CALIBRATING = 0.6
DECOYS: dict[str, tuple[Any, str]] = {
    "vessel_name": (Verbatim, "name of the ship"),
    "passport_number": (Identifier, "of the traveller"),
    "flight_number": (Identifier, "of the flight taken"),
    "licence_plate": (Identifier, "of the rented car"),
    "patient_name": (Verbatim, "who was treated"),
    "date_of_birth": (IsoDate, "of the insured person"),
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


def to_json(observed: Sequence[Answers]) -> list[Any]:
    return [
        {
            "group": one.group,
            "right": one.right,
            "answers": [[answer.pattern, answer.right, *answer.row] for answer in one.answers],
        }
        for one in observed
    ]


def from_json(content: Sequence[Any]) -> list[Answers]:
    return [
        Answers(
            one["group"],
            tuple(Answer(tuple(row), name, right) for name, right, *row in one["answers"]),
            one["right"],
        )
        for one in content
    ]


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


def decoys(
    readers: tuple[Any, Any], documents: Sequence[LabelledDocument], schemas: tuple[Any, Any]
) -> dict[str, Any]:
    """Return how many decoys were filled, and how many right values were lost for them."""
    filled = places = right = lost = 0
    for labelled in documents:
        document = labelled.document()
        locale = Locale.of(document.text)
        plain, more = (reader.extract(document, name=labelled.id) for reader in readers)
        wanted = schemas[0].normalise(known_fields(labelled, schemas[0]), locale)
        before, after = (
            judge(schemas[0], one.values, wanted, unknown(labelled, schemas[0]))
            for one in (plain, more)
        )
        for name in DECOYS:
            places += 1
            filled += more.values.get(name) is not None
        for path, good in before.items():
            if good and plain.fields[path].value is not None:
                right += 1
                lost += not after.get(path, False)
    return {
        "places": places,
        "invented": filled,
        "invented_share": filled / places if places else None,
        "right_without": right,
        "lost_with": lost,
    }


def main() -> None:
    """Read what is not yet read, measure, and print the figures."""
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
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)

    schema = Schema.of(resolve(options.schema))
    labelled = corpus.read(options.corpus).documents
    documents = list(select(labelled, options.split, schema=schema))[: options.documents]
    base = base_model.find(None)
    folder = Path(options.adapter) if options.adapter else adapters.shipped(base)
    assert folder is not None, "no adapter is shipped for this base model"
    documents, left_out = calibrate.held_out(documents, schema, adapters.seen(folder))
    bundle = adapters.read(folder)
    engine: LocalEngine | None = None

    def reader(asked: AnySchema) -> Any:
        # An engine of its own: the adapter is for another schema than the one with decoys.
        nonlocal engine
        if engine is None:
            kind = choose(options.engine, bundle)
            engine = LocalEngine.load(base, folder, kind=kind, threads=options.threads)
        return Extractor(
            asked,
            engine=engine,
            windows=bundle.windows,
            max_new_tokens=options.max_new_tokens,
            einvoice="never",
        )

    kept = options.output / "answers.json"
    if kept.is_file():
        observed = from_json(json.loads(kept.read_text()))
    else:
        observed, _ = calibrate.observe(reader(schema), documents, schema, progress=_told)
        kept.write_text(json.dumps(to_json(observed)))
    rated = calibrate.cross_fitted(observed)
    own = [Rated(o.group, a.pattern, probability(a), a.right) for o in observed for a in o.answers]
    figures: dict[str, Any] = {
        "machine": platform.processor() or platform.machine(),
        "documents": len(observed),
        "left_out": left_out,
        "whole_documents_right": sum(one.right for one in observed),
    }
    for title, known in (("fitted confidence", rated), ("model's own probability", own)):
        found = measure(known)
        assert found is not None
        figures[title] = found.to_json()
        print(title)
        for line in found.lines():
            print(f"  {line}")
    for target in TARGETS:
        try:
            told: Any = promises(observed, target, options.resamplings)
        except CalibrationError as error:
            told = error.message
        figures[f"promise {target}"] = told
        print(f"promise {target}: {json.dumps(told)}")
    known_decoys = options.output / "decoys.json"
    if options.decoys and not known_decoys.is_file():
        asked = with_decoys(schema)
        made = decoys((reader(schema), reader(asked)), documents, (schema, asked))
        known_decoys.write_text(json.dumps(made))
    if known_decoys.is_file():
        figures["decoys"] = json.loads(known_decoys.read_text())
        print(f"decoys: {json.dumps(figures['decoys'])}")
    (options.output / "figures.json").write_text(json.dumps(figures, indent=2))


def _told(done: int, total: int) -> None:
    print(f"\r{done}/{total} documents", end="\n" if done == total else "", flush=True)


if __name__ == "__main__":
    main()
