"""The bundle that training leaves behind, and what must agree before it is used.

    adapters/invoice/
        manifest.json               format, base model, schema, versions, windows, file hashes
        adapter_model.safetensors   LoRA weights, as peft writes them
        adapter_config.json         LoRA shape, as peft writes it
        context.json                words around the values of each field, see `extractor.retrieval`
        rules.json                  rules learned from the labels, see `extractor.rules`
        confidence.json             what makes a confidence of an answer, once calibrated
        training.json               what was trained, on how much, with what result
        report.json, report.html    scores on held-out documents, once evaluated

An adapter answers well only for the base weights, the fields, the prompt and the reading of files
that it was trained with, so each of them is compared and a difference is named instead of served.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from extractor import confidence, document, prompt
from extractor import rules as learned
from extractor.base_model import BaseModel
from extractor.confidence import Calibration
from extractor.errors import AdapterError, AdapterMismatch
from extractor.retrieval import Context
from extractor.rules import Rules, Trust
from extractor.schema import AnySchema
from extractor.windows import WindowConfig

FORMAT = 1
SHIPPED = "shipped"
"""Stands for the adapter that comes with the package, where a folder could be named."""
MANIFEST = "manifest.json"
CONTEXT = "context.json"
_WEIGHTS = ("adapter_config.json", "adapter_model.safetensors")
_OPTIONAL = (CONTEXT, learned.FILE, confidence.FILE)
_HASHED = (*_WEIGHTS, *_OPTIONAL)


@dataclass(frozen=True, slots=True)
class Parity:
    """How a number format's records compare with those of fp32.

    :param values: labelled ones, nulls included, over all documents.
    :param right: how many of them the format reads as labelled.
    :param reference: how many of them fp32 does.
    :param flips: document and path of each value that differs from that of fp32.
    """

    documents: int
    values: int
    right: int
    reference: int
    flips: tuple[tuple[str, str], ...]

    @property
    def loss(self) -> float:
        """Share of the values that are right in fp32 only, less those right in the format only.

        1 if nothing was compared.
        """
        return (self.reference - self.right) / self.values if self.values else 1.0


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter folder whose files are whole.

    :param base_sha256: weights that it was trained on.
    :param schema_fingerprint: see `Schema.fingerprint`; None for an adapter of no one schema.
    :param schema_lines: the fields as the prompt lists them, to say what differs.
    :param parity: by number format, as far as measured.
    :param context: which windows of long documents to read first; None if it was not learned.
    :param calibrated: whether it knows how reliable it is, see `calibration`.
    :param ruled: whether rules were learned beside the weights, see `rules`.
    :param trust: how much they count beside the model.
    """

    folder: Path
    base_name: str
    base_sha256: str
    schema_name: str
    schema_fingerprint: str | None
    schema_lines: tuple[str, ...]
    prompt_version: str
    reading_version: str
    windows: WindowConfig
    parity: dict[str, Parity]
    sha256: str
    context: Context | None = None
    calibrated: bool = False
    ruled: bool = False
    trust: Trust = field(default_factory=Trust)

    def rules(self, schema: AnySchema) -> Rules | None:
        """Return the rules that were learned from the labels; None if there are none.

        :raises AdapterError: if another version wrote them, or for another schema.
        """
        if not self.ruled:
            return None
        return learned.read(self.folder / learned.FILE, schema).trusted(self.trust)

    def calibration(self) -> Calibration | None:
        """Return what it knows of its reliability; None if it was not calibrated.

        :raises AdapterError: if another version wrote it.
        """
        return confidence.read(self.folder / confidence.FILE) if self.calibrated else None

    def loss(self, kind: str) -> float | None:
        """Return the share of values that a number format loses; None if not measured."""
        return self.parity[kind].loss if kind in self.parity else None

    def check(self, schema: AnySchema, base: BaseModel) -> None:
        """Refuse a schema, base model, prompt or reading that the adapter was not made for.

        :raises AdapterMismatch: names each thing that differs.
        """
        for what, made_for, here in (
            ("prompt", self.prompt_version, prompt.VERSION),
            ("reading", self.reading_version, document.VERSION),
        ):
            if made_for != here:
                raise AdapterMismatch(
                    f"adapter {self.folder}: made for {what} version {made_for}, "
                    f"this version has {here}",
                    hint="train the adapter again with this version",
                )
        if self.base_sha256 != base.sha256:
            raise AdapterMismatch(
                f"adapter {self.folder}: made for base model {self.base_name} "
                f"({self.base_sha256[:12]}), found {base.name} ({base.sha256[:12]})",
                hint="use the base model it was trained on, or train again on this one",
            )
        if self.schema_fingerprint not in (None, schema.fingerprint):
            raise AdapterMismatch(
                f"adapter {self.folder}: made for schema {self.schema_name}, "
                f"not for {schema.name}: {_difference(self.schema_lines, tuple(schema.lines()))}",
                hint="use the schema it was trained with, or train again with this one",
            )


def write(
    folder: Path,
    schema: AnySchema | None,
    base: BaseModel,
    windows: WindowConfig,
    training: dict[str, Any],
    context: Context | None = None,
    rules: Rules | None = None,
) -> None:
    """Complete an adapter folder that already holds the LoRA weights.

    :param schema: None if the adapter was trained on requests for many fields of many names.
    :param training: configuration and course of the run, JSON values.
    :param context: what training found around the values of each field.
    :param rules: what it learned of where the values stand.
    """
    hashed = list(_WEIGHTS)
    if context is not None:
        _write_json(folder / CONTEXT, context.json())
        hashed.append(CONTEXT)
    if rules is not None:
        _write_text(folder / learned.FILE, rules.dump())
        hashed.append(learned.FILE)
    manifest = {
        "format": FORMAT,
        "base_model": {"name": base.name, "sha256": base.sha256},
        "schema": {
            "name": "any" if schema is None else schema.name,
            "fingerprint": None if schema is None else schema.fingerprint,
            "fields": [] if schema is None else list(schema.lines()),
        },
        "prompt_version": prompt.VERSION,
        "reading_version": document.VERSION,
        "windows": asdict(windows),
        "files": {name: _hash(folder / name) for name in hashed},
    }
    for name, content in (("training.json", training), (MANIFEST, manifest)):
        _write_json(folder / name, content)


def add_parity(folder: Path, parity: dict[str, Parity]) -> None:
    """Write into the manifest how number formats compare with fp32."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["parity"] = {kind: asdict(found) for kind, found in parity.items()}
    _write_json(folder / MANIFEST, manifest)


def add_calibration(folder: Path, calibration: Calibration) -> None:
    """Write how reliable an adapter is into its folder, in place of what was known before."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    # Cut off in between, the adapter is one without a calibration and not a damaged one.
    if manifest["files"].pop(confidence.FILE, None) is not None:
        _write_json(folder / MANIFEST, manifest)
    _write_text(folder / confidence.FILE, calibration.dump())
    manifest["files"][confidence.FILE] = _hash(folder / confidence.FILE)
    _write_json(folder / MANIFEST, manifest)


def add_trust(folder: Path, trust: Trust) -> None:
    """Write how much an adapter's rules count beside its model.

    A calibration that was fitted on answers under another trust is no longer used.
    """
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if _trust(manifest) != trust:
        manifest["files"].pop(confidence.FILE, None)
    manifest["rules_weight"] = trust.weight
    manifest["rules_against_null"] = dict(trust.against_null)
    _write_json(folder / MANIFEST, manifest)


def read(folder: str | Path) -> Adapter:
    """Read the manifest and compare the files with it.

    :raises AdapterError: if the folder is missing, incomplete or damaged.
    """
    folder = Path(folder)
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise AdapterError(
                f"adapter {folder}: format {manifest['format']}, expected {FORMAT}",
                hint="it was made by another version of this product; train it again",
            )
        files: dict[str, str] = manifest["files"]
        adapter = Adapter(
            folder=folder,
            base_name=manifest["base_model"]["name"],
            base_sha256=manifest["base_model"]["sha256"],
            schema_name=manifest["schema"]["name"],
            schema_fingerprint=manifest["schema"]["fingerprint"],
            schema_lines=tuple(manifest["schema"]["fields"]),
            prompt_version=manifest["prompt_version"],
            reading_version=manifest["reading_version"],
            windows=WindowConfig(**manifest["windows"]),
            parity={
                kind: Parity(**{**found, "flips": tuple(map(tuple, found["flips"]))})
                for kind, found in manifest.get("parity", {}).items()
            },
            sha256=hashlib.sha256(
                json.dumps([files, asdict(_trust(manifest))], sort_keys=True).encode()
            ).hexdigest(),
            calibrated=confidence.FILE in files,
            ruled=learned.FILE in files,
            trust=_trust(manifest),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AdapterError(
            f"adapter {folder}: no readable {MANIFEST}",
            hint="give the folder that `extractor train --output` made",
        ) from error
    # An adapter without context words or calibration is whole; one without weights is not.
    for name, expected in {**dict.fromkeys(_WEIGHTS, ""), **files}.items():
        if name not in _HASHED or not (folder / name).is_file() or _hash(folder / name) != expected:
            raise AdapterError(
                f"adapter {folder}: {name} is missing or was changed",
                hint="copy the whole folder again, or train it again",
            )
    return replace(adapter, context=_context(folder)) if CONTEXT in files else adapter


def _trust(manifest: dict[str, Any]) -> Trust:
    against_null = manifest.get("rules_against_null", {})
    if not isinstance(against_null, dict):
        raise ValueError("rules_against_null is no table")
    return Trust(
        float(manifest.get("rules_weight", 1.0)),
        {str(path): float(more) for path, more in against_null.items()},
    )


def _context(folder: Path) -> Context:
    try:
        return Context.of_json(json.loads((folder / CONTEXT).read_text(encoding="utf-8")))
    except ValueError as error:
        raise AdapterError(
            f"adapter {folder}: {CONTEXT} holds no context words",
            hint="copy the whole folder again, or train it again",
        ) from error


def shipped(base: BaseModel) -> Path | None:
    """Return the folder of the adapter that comes with the package; None for another base model.

    It was trained on made-up business documents and requests for many fields (see
    `training.pretrain`), so it reads such documents untuned, and tuning goes on from it.
    """
    folder = Path(__file__).parent / "start"
    if not (folder / MANIFEST).is_file():
        return None
    return folder if read(folder).base_sha256 == base.sha256 else None


def seen(folder: str | Path) -> frozenset[str]:
    """Return the hashes of the documents that an adapter was trained on or chosen with.

    :raises AdapterError: if the folder does not say.
    """
    file = Path(folder) / "training.json"
    try:
        return frozenset(json.loads(file.read_text(encoding="utf-8"))["seen"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AdapterError(
            f"{file}: does not say which documents were trained on",
            hint="copy the whole folder again, or train it again",
        ) from error


def _difference(ours: tuple[str, ...], theirs: tuple[str, ...]) -> str:
    gone = [line.strip() for line in ours if line not in theirs]
    new = [line.strip() for line in theirs if line not in ours]
    parts = [f"it lacks {new}" if new else "", f"it has {gone}" if gone else ""]
    return " and ".join(part for part in parts if part) or "types or limits of fields differ"


def _write_json(file: Path, content: dict[str, Any]) -> None:
    _write_text(file, json.dumps(content, indent=2, ensure_ascii=False))


def _write_text(file: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = file.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)


def _hash(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
