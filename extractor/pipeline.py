"""One document to one validated record: the path that everything else in the project serves.

read -> cut into windows -> prompt -> generate under the constraint -> load -> merge
-> locate on the page -> probability -> the schema's own checks -> confidence -> Extraction

Where an adapter has rules learned from its labels, model and rules choose together. Where the
class's checks reject an answer, they choose among the likeliest others that they accept.

Where the file holds an e-invoice, its XML is the record; the model is asked for what no business
term states, or for nothing.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
import os
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, Literal, TypeVar

from pydantic import BaseModel as Model
from pydantic.errors import PydanticUserError

from extractor import business, confidence, retrieval
from extractor import document as documents
from extractor import einvoice as einvoices
from extractor import reference as references
from extractor.checks import reconsider
from extractor.combine import Combination
from extractor.confidence import Calibration, Signals
from extractor.document import Document, Ocr
from extractor.errors import AdapterMismatch, CalibrationError, DocumentError
from extractor.evidence import Evidence, Wanted, locate_all
from extractor.policy import Decision, Policy
from extractor.profile import Stopwatch
from extractor.reference import Reference
from extractor.rows import as_usual
from extractor.rules import Rules
from extractor.schema import AnySchema, FieldWarning, Leaf, Loaded, Schema
from extractor.spans import spans
from extractor.tables import within_tables
from extractor.windows import Answer, Merged, Other, Window, WindowConfig, cut, merge

if TYPE_CHECKING:
    from extractor.adapter import Adapter
    from extractor.base_model import BaseModel
    from extractor.engine.base import Engine, Output
    from extractor.engine.choice import Format
    from extractor.retrieval import Context

logger = logging.getLogger(__name__)

T = TypeVar("T", bound=Model)
Source = str | os.PathLike[str] | bytes | BinaryIO | Document
Status = Literal["complete", "incomplete", "truncated"]
Origin = Literal["model", "einvoice", "einvoice+model"]
UseEInvoice = Literal["auto", "never"]
_AGAINST = ("reference_differs", "chat_text", "row_outside")
"""Warnings that keep a document from going through unseen."""
_NOT_OURS = {*sys.stdlib_module_names, "pydantic"}
"""Modules whose classes are the same wherever a schema's class is."""


@dataclass(frozen=True, slots=True)
class FieldResult:
    """One value of a record.

    :param value: normalised value, None if the document does not show it.
    :param printed: as the document prints it, None where the value is not a copy.
    :param evidence: where it stands.
    :param probability: of the value under the constraint, 0..1, uncalibrated; None if unknown.
    :param others: what other windows of a long document say instead, the likeliest first; a
        warning `conflict` tells of them.
    :param confidence: how probably the value, or the null, is right, 0..1; None where no model
        gave it, or the adapter was not calibrated, or not as it is served.
    :param decision: `accept` or `review`; None where no precision was asked for.
    :param signals: what the confidence was made of, beside the evidence and the warnings.
    """

    value: Any
    printed: str | None
    evidence: Evidence
    probability: float | None
    others: tuple[Other, ...] = ()
    confidence: float | None = None
    decision: Decision | None = None
    signals: Signals | None = None


@dataclass(frozen=True, slots=True)
class Extraction(Generic[T]):
    """What was read from one document.

    :param status: `complete`; `incomplete` if the class forbids null where nothing was found, then
        `record` is None; `truncated` if an answer reached the token limit.
    :param values: normalised values by JSON key, None where nothing was found.
    :param missing: paths that the class requires and the document does not show.
    :param fields: by path, such as `line_items[0].quantity`.
    :param usage: `windows`, `windows_read`, `prompt_tokens`, `output_tokens`, `passes`.
    :param timings_s: seconds by stage of `extractor.profile`; together all that it took.
    :param source: who gave the values: `model`; `einvoice`, the XML in the file, and no model ran;
        or `einvoice+model`, where the model was asked for fields that no business term states.
    :param decision: on the document as a whole: `accept` if every value and every null may go
        through unseen, else `review`; None where no precision was asked for.
    """

    schema: Schema[T]
    status: Status
    record: T | None
    values: dict[str, Any]
    missing: tuple[str, ...]
    fields: dict[str, FieldResult]
    warnings: tuple[FieldWarning, ...]
    usage: dict[str, int]
    timings_s: dict[str, float] = field(default_factory=dict)
    source: Origin = "model"
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """The answer to one window of a document.

    :param mended: which of its rows were read again, see `extractor.rows`.
    """

    window: Window
    output: Output
    mended: Sequence[FieldWarning] = ()


class Extractor(Generic[T]):
    """Loads a model once and reads documents into records of one schema.

    :param schema: the Pydantic class of the records.
    :param adapter: folder made by `extractor train`; without one the adapter that comes with the
        package answers, which knows business documents in general, or for a base model that it
        was not made for the base model alone.
    :param base_model: hub name or folder; None takes the embedded model.
    :param engine: runs the model; a name loads the local one: `fp32`, `bf16`, `int8`, or `auto`
        for the fastest that the adapter is known to lose no values in.
    :param max_new_tokens: of one window's answer; what is longer is closed and marked truncated.
    :param threads: of the local engine; None leaves the choice to the runtime.
    :param windows: how long documents are cut; None takes the adapter's, else the default.
    :param all_windows: read every window; else of documents of more than
        `extractor.retrieval.MANY` the most promising ones, and others while a field is wanted.
    :param ocr: `auto` reads pages without a text layer by OCR if it is installed, `always` all
        pages, `never` none.
    :param einvoice: `auto` takes the XML of e-invoices for the record where the schema's fields are
        business terms; `never` reads their pages as those of any document.
    :param target_precision: share of accepted values, and of accepted documents, that are to be
        right, from 0.5 to below 1; None decides nothing. It holds with 95 % probability for
        documents such as the adapter was calibrated on, see `extractor.policy`.
    :param reference: CSV or XLSX of known parties, which fills and checks values; see
        `extractor.reference`.
    :param calibration: makes confidences of answers; None takes the adapter's, if it has one, and
        `none` makes none. Where the number format, the windows or the class are not those of the
        calibration, no confidence is given, and `uncalibrated` says why.
    :param rules: learned from labels, see `extractor.rules`; None takes the adapter's, if it has
        some.
    :raises ReferenceDataError: if the table of known parties cannot be used.
    :raises CalibrationError: if the target cannot be promised for any field, or under these
        conditions.
    :raises SchemaError: if the class cannot be decoded.
    :raises ValueError: if an engine is given together with an adapter or a base model.
    :raises MissingExtra: if `ocr` is `always` and OCR is not installed.
    :raises AdapterMismatch: if the adapter is for another schema, base model, prompt or reading.
    """

    def __init__(
        self,
        schema: type[T] | Schema[T],
        *,
        adapter: str | os.PathLike[str] | None = None,
        base_model: str | None = None,
        engine: Engine | str = "auto",
        max_new_tokens: int = 2048,
        threads: int | None = None,
        windows: WindowConfig | None = None,
        all_windows: bool = False,
        ocr: Ocr = "auto",
        einvoice: UseEInvoice = "auto",
        target_precision: float | None = None,
        reference: str | os.PathLike[str] | None = None,
        calibration: Calibration | Literal["none"] | None = None,
        rules: Rules | None = None,
    ) -> None:
        documents.check_ocr(ocr)
        if einvoice not in ("auto", "never"):
            raise ValueError(f"einvoice must be auto or never, was: {einvoice}")
        if max_new_tokens < 1:
            raise ValueError(f"max_new_tokens must be at least 1, was: {max_new_tokens}")
        self.schema: Schema[T] = schema if isinstance(schema, Schema) else Schema.of(schema)
        self.max_new_tokens = max_new_tokens
        self.ocr: Ocr = ocr
        self.einvoice: UseEInvoice = einvoice
        self.all_windows = all_windows
        self.context: Context | None = None
        self._identity = {"schema": self.schema.fingerprint, "class": _source(self.schema)}
        self.reference: Reference | None = None
        if reference is not None:
            self.reference = references.read(reference, self.schema)
            self._identity["reference"] = self.reference.sha256
        if not isinstance(engine, str) and (adapter is not None or base_model is not None):
            raise ValueError("an engine has its model already: give it, or adapter and base_model")
        if isinstance(calibration, Calibration):
            known = hashlib.sha256(calibration.dump().encode()).hexdigest()
            self._identity["calibration"] = known
        if rules is not None:
            _check_rules(rules, self.schema)
            known = rules.dump() + json.dumps(asdict(rules.trust), sort_keys=True)
            self._identity["rules"] = hashlib.sha256(known.encode()).hexdigest()
        bundle: Adapter | None = None
        if isinstance(engine, str):
            bundle, base = _find(self.schema, adapter, base_model)
        if bundle is not None:
            self._identity["adapter"] = bundle.sha256
            windows, self.context = windows or bundle.windows, bundle.context
            calibration = calibration or bundle.calibration()
            rules = rules or bundle.rules(self.schema)
        self.rules = rules
        self.calibration = None if calibration == "none" else calibration
        self.windows = windows or WindowConfig()
        self.policy: Policy | None = None
        if target_precision is not None:
            # Before the model is loaded: a promise that cannot be kept is told at once.
            self.policy = Policy.of(self.calibration, self.schema.fingerprint, target_precision)
            self._identity["target_precision"] = str(target_precision)
        if isinstance(engine, str):
            kind = _format(bundle, base, engine)
            self.uncalibrated = self._uncalibrated({"engine": kind, "runtime": _runtime(kind)})
            engine = _load(bundle, base, kind, threads, self.schema)
        else:
            self.uncalibrated = self._uncalibrated(engine.identity)
        self.engine = engine

    @property
    def identity(self) -> dict[str, str]:
        """Everything but the document that a record depends on, as strings.

        Two extractors with the same identity give the same record of the same document.
        """
        from extractor import __version__, prompt

        return {
            **self._identity,
            **self.engine.identity,
            **documents.identity(self.ocr),
            "version": __version__,
            "prompt": prompt.VERSION,
            **self._cutting,
            "max_new_tokens": str(self.max_new_tokens),
            "einvoice": self.einvoice,
        }

    @property
    def _cutting(self) -> dict[str, str]:
        return {
            "windows": f"{self.windows.window_tokens}/{self.windows.overlap_tokens}",
            "windows_read": "all" if self.all_windows else "promising",
        }

    def _uncalibrated(self, engine: Mapping[str, str]) -> str:
        """Return why the calibration says nothing of what is read here; empty if it does.

        :param engine: its identity.
        :raises CalibrationError: if a precision is to be promised all the same.
        """
        if self.calibration is None:
            return ""
        differs = self.calibration.differences({**self._identity, **self._cutting, **engine})
        if not differs:
            return ""
        why = f"the adapter was calibrated with {'; '.join(differs)}"
        cure = "read as it was calibrated, or run `extractor calibrate` with these options"
        if self.policy is not None:
            raise CalibrationError(f"no precision can be promised: {why}", hint=cure)
        logger.warning("no confidence of answers: %s (%s)", why, cure)
        return why

    def extract(
        self, source: Source, *, name: str | None = None, password: str | None = None
    ) -> Extraction[T]:
        """Read one document.

        :param source: a path, the bytes of a file, a file object opened for reading bytes, a
            `Document`, or a text: a string that names no file and could not name one, because it
            has several lines. A mail or an archive is read if it holds one document.
        :param name: what to call a document that has no path.
        :param password: opens an encrypted PDF.
        :raises DocumentError: if the document gives no text; `category` says why.
        """
        started_s = time.perf_counter()
        watch = Stopwatch()
        with watch.stage("read"):
            whole = self.read(source, name=name, password=password)
        with watch.stage("prompt"):
            document = whole.in_sight()
            filled = self._filled(document)
            asked = _asked(document, self.schema, filled)
            cuts = cut(document, self.windows, self.engine.count_tokens) if asked else []
            together = self._combination(document, asked)
        said = self.ask(document, asked, cuts, together, watch) if asked else []
        windows = [one.window for one in said]
        for one in said:
            watch.add(one.output.timings_s)
        with watch.stage("check"):
            outputs, chosen = self._reconsider(document, asked, said)
        with watch.stage("evidence"):
            unread = len(cuts) - len(windows)
            read = _Read.of(document, asked, windows, outputs, together)
            extraction = self._assemble(whole, filled, asked, read, chosen, unread)
            extraction = _with_unread(extraction, len(cuts))
        extraction.timings_s.update(watch.all(time.perf_counter() - started_s))
        return extraction

    def read(
        self, source: Source, *, name: str | None = None, password: str | None = None
    ) -> Document:
        """Return the document that `extract` would ask the model about, without asking it.

        :param source: as for `extract`, as are the others; what is returned can be given to it.
        :raises DocumentError: if the document gives no text; `category` says why.
        """
        return read(source, name=name, password=password, ocr=self.ocr)

    def extract_many(
        self, sources: Iterable[Source], *, password: str | None = None
    ) -> Iterator[Extraction[T]]:
        """Read documents one after the other, each as `extract` would.

        A path of a mail or an archive stands for the documents in it.

        :param password: opens those that are encrypted.
        :raises DocumentError: at the document that cannot be read; `extractor.batch` goes on.
        """
        for source in sources:
            if not isinstance(source, str | os.PathLike) or not documents.is_container(source):
                yield self.extract(source, password=password)
                continue
            for member in documents.expand(source):
                if member.data is None:
                    raise member.error or AssertionError(member.name)
                yield self.extract(member.data, name=member.name, password=password)

    def _filled(self, document: Document) -> business.Filled | None:
        """Return what the document's e-invoice says of the schema, None if the page is to say."""
        if self.einvoice == "never" or document.einvoice is None:
            return None
        return business.fill(self.schema, document.einvoice)

    def ask(
        self,
        document: Document,
        asked: AnySchema,
        windows: Sequence[Window],
        together: Combination | None,
        watch: Stopwatch,
    ) -> list[Said]:
        """Return the windows that were read, and their answers; `extract` makes a record of them.

        :param document: as a person sees it, see `Document.in_sight`.
        :param together: has its say as soon as a window is answered: the model's state is still
            there.
        """
        from extractor.engine.base import Request

        said: dict[int, Said] = {}

        def ask(indices: Sequence[int]) -> list[Answer]:
            for i in indices:
                window = windows[i]
                text = document.shown(window.start, window.end)
                request = Request(asked, text, self.max_new_tokens)
                (output,) = self.engine.generate([request])
                with watch.stage("check"):
                    if together is not None and not output.truncated:
                        output = together.choose(self.engine, request, output, window)
                    mended: Sequence[FieldWarning] = ()
                    if asked is self.schema:
                        output, mended = as_usual(self.engine, request, output)
                said[i] = Said(window, output, mended)
            return [_answer(said[i].output, windows[i], document) for i in indices]

        if self.all_windows or len(windows) <= retrieval.MANY:
            ask(range(len(windows)))
        else:
            promise = retrieval.Promise(document.text, asked, windows, self.context)
            retrieval.read(promise, asked, ask)
        return [said[i] for i in sorted(said)]

    def _combination(self, document: Document, asked: AnySchema | None) -> Combination | None:
        """Return what rules say of a document; they are of the whole schema."""
        if self.rules is None or asked is not self.schema:
            return None
        return Combination(self.rules, document, document.locale)

    def _reconsider(
        self, document: Document, asked: AnySchema | None, said: Sequence[Said]
    ) -> tuple[list[Output], list[FieldWarning]]:
        """Leave out rows that are none, and let what the class says choose between readings.

        The answers of windows stay apart; what was mended in one is told of the whole list.
        """
        from extractor.engine.base import Request

        outputs = [one.output for one in said]
        if len(said) != 1:
            lists = [replace(told, field=_top(told.field)) for one in said for told in one.mended]
            return outputs, list(dict.fromkeys(lists))
        if asked is not self.schema:
            return outputs, []
        text = document.shown(said[0].window.start, said[0].window.end)
        request = Request(asked, text, self.max_new_tokens)
        output, left_out = within_tables(self.engine, request, outputs[0])
        output, chosen = reconsider(self.engine, request, output)
        kept = {path for path, _ in spans(output.text)}  # a row that was mended may be left out
        mended = [told for told in said[0].mended if told.field in kept]
        return [output], [*mended, *left_out, *chosen]

    def _assemble(
        self,
        document: Document,
        filled: business.Filled | None,
        asked: AnySchema | None,
        read: _Read,
        chosen: Sequence[FieldWarning],
        unread: int,
    ) -> Extraction[T]:
        """Return what the answers, the e-invoice and the known parties make together.

        :param unread: windows that were not read.
        """
        given = {} if filled is None else filled.values
        values = {name: (read.loaded.values | given).get(name) for name in self.schema.field_names}
        seen = document.in_sight()
        taken, noted = self._from_reference(seen, values)
        values |= taken
        record, missing, rejected = self.schema.record(values)
        leaves = list(self.schema.leaves(values))
        fields = read.fields(document, leaves, given=given.keys(), taken=taken.keys())
        warnings = (
            *_unread(document),
            *_left_out(document),
            *self._about_einvoice(seen, filled, asked, fields),
            *_not_visible(fields),
            *_conflicts(fields),
            *noted,
            *read.loaded.warnings,
            *chosen,
            *rejected,
            *(one for one in self.schema.unusual(values) if _top(one.field) not in given),
        )
        status = read.status(record is not None)
        against = rejected or unread or document.unread_pages
        doubted = any(warning.code in _AGAINST for warning in warnings)
        whole = status == "complete" and not against and not doubted
        # Answers to a part of the fields come of another prompt than those that were calibrated.
        promised = asked is None or asked is self.schema
        rated = self._rated(leaves, fields, warnings) if promised else fields
        decision, decided, unseen = self._decided(document, leaves, rated, whole, promised)
        return Extraction(
            schema=self.schema,
            status=status,
            record=record,
            values=values,
            missing=missing,
            fields=decided,
            warnings=(*warnings, *unseen),
            decision=decision,
            usage=read.usage(),
            source="model" if filled is None else "einvoice+model" if asked else "einvoice",
        )

    def _from_reference(
        self, document: Document, values: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[FieldWarning]]:
        """Return what known parties add to the values, and what is to be said of it."""
        return ({}, []) if self.reference is None else self.reference.fill(document, values)

    def _rated(
        self,
        leaves: Sequence[Leaf],
        fields: Mapping[str, FieldResult],
        warnings: Sequence[FieldWarning],
    ) -> dict[str, FieldResult]:
        """Return the fields with the confidence in what the model answered."""
        if self.calibration is None or self.uncalibrated:
            return dict(fields)
        rated = dict(fields)
        for leaf in leaves:
            result = fields[leaf.path]
            if result.signals is not None:
                warned = confidence.is_warned(leaf.path, warnings)
                row = confidence.features(leaf, result.signals, result.evidence, warned)
                sure = self.calibration.confidence(row, leaf.pattern, self.schema.fingerprint)
                rated[leaf.path] = replace(result, confidence=sure)
        return rated

    def _decided(
        self,
        document: Document,
        leaves: Sequence[Leaf],
        fields: dict[str, FieldResult],
        whole: bool,
        promised: bool,
    ) -> tuple[Decision | None, dict[str, FieldResult], list[FieldWarning]]:
        """Return the decision on the document, the fields with theirs, and a layout's alarm.

        :param whole: nothing is against the document as a whole.
        :param promised: the answers are of the kind that was calibrated.
        """
        if all(result.signals is None for result in fields.values()):
            return None, fields, []  # no model answered
        known = None if self.calibration is None else self.calibration.familiarity
        familiar = known is None or known.knows(document)
        message = "unlike the labelled documents: what was promised for such does not hold for it"
        alarm = [] if familiar else [FieldWarning("", "unseen_layout", message)]
        if self.policy is None:
            return None, fields, alarm
        sure: dict[str, list[float]] = {}
        for leaf in leaves:
            value = fields[leaf.path].confidence
            if value is not None:
                sure.setdefault(leaf.pattern, []).append(value)
        if not sure:
            return None, fields, alarm
        whole = whole and all(fields[leaf.path].confidence is not None for leaf in leaves)
        decision, by_pattern = self.policy.decide(sure, whole=whole, familiar=familiar and promised)
        decided = {
            leaf.path: replace(fields[leaf.path], decision=by_pattern[leaf.pattern])
            for leaf in leaves
            if fields[leaf.path].confidence is not None
        }
        return decision, fields | decided, alarm

    def _about_einvoice(
        self,
        document: Document,
        filled: business.Filled | None,
        asked: AnySchema | None,
        fields: Mapping[str, FieldResult],
    ) -> list[FieldWarning]:
        """Return what is to be said of the document's e-invoice."""
        if filled is None:
            problem = document.einvoice_problem if self.einvoice == "auto" else ""
            message = f"the page was read, not the e-invoice in the file: {problem}"
            return [FieldWarning("", "einvoice_unread", message)] if problem else []
        leaves = self.schema.leaves(filled.values)
        placed = [(leaf, fields[leaf.path].evidence) for leaf in leaves]
        noted = einvoices.warnings(document, filled, placed)
        if asked is None:
            message = "no business term of e-invoices states this, and there is no page to read"
            noted += [FieldWarning(name, "not_in_einvoice", message) for name in filled.rest]
        return noted


def extract(
    source: Source,
    schema: type[T],
    *,
    adapter: str | os.PathLike[str] | None = None,
    base_model: str | None = None,
    engine: str = "auto",
    all_windows: bool = False,
    ocr: Ocr = "auto",
    einvoice: UseEInvoice = "auto",
    password: str | None = None,
    target_precision: float | None = None,
    reference: str | os.PathLike[str] | None = None,
) -> Extraction[T]:
    """Read one document into a record of `schema`; `Extractor` does the same for many.

    :param source: see `Extractor.extract`, as for `password`; the others are of `Extractor`.
    :raises ExtractorError: see `Extractor` and `Extractor.extract`.
    """
    reader = Extractor(
        schema,
        adapter=adapter,
        base_model=base_model,
        engine=engine,
        all_windows=all_windows,
        ocr=ocr,
        einvoice=einvoice,
        target_precision=target_precision,
        reference=reference,
    )
    return reader.extract(source, password=password)


def read(
    source: Source, *, name: str | None = None, password: str | None = None, ocr: Ocr = "auto"
) -> Document:
    """Return the document behind a path, bytes, file object or text.

    :param password: opens an encrypted PDF.
    :param ocr: see `Extractor`.
    :raises DocumentError: if it gives no text.
    """
    if isinstance(source, Document):
        return source
    if isinstance(source, str) and "\n" in source and not os.path.lexists(source):
        document = Document.from_text(source, name=name or "text")
        if not document.text.strip():
            raise DocumentError(
                f"{document.name}: only white space",
                hint="give the text of a document",
                category="no_text",
            )
        return document
    return documents.read(source, name=name, password=password, ocr=ocr)


def _find(
    schema: Schema[Any], adapter: str | os.PathLike[str] | None, base_model: str | None
) -> tuple[Adapter | None, BaseModel]:
    """Return the adapter that answers, checked, and its base model; loads neither."""
    from extractor import adapter as adapters
    from extractor import base_model as bases

    # Cheap checks come first: a wrong adapter is told before half a gigabyte is loaded.
    bundle = None if adapter is None else adapters.read(os.fspath(adapter))
    base = bases.find(base_model)
    if bundle is None and (folder := adapters.shipped(base)) is not None:
        bundle = adapters.read(folder)
    if bundle is not None:
        bundle.check(schema, base)
    return bundle, base


def _check_rules(rules: Rules, schema: AnySchema) -> None:
    if rules.schema.fingerprint != schema.fingerprint:
        raise AdapterMismatch(
            f"rules: learned for schema {rules.schema.name}, not for {schema.name} as it is here",
            hint="learn them again with this schema",
        )


def _format(bundle: Adapter | None, base: BaseModel, name: str) -> Format:
    """Return the number format that an engine's name stands for here."""
    from extractor import base_model as bases

    bases.check_installed()
    from extractor.engine.choice import choose

    return choose(name, bundle, base)


def _runtime(kind: Format) -> str:
    from extractor.engine.choice import RUNTIMES

    return RUNTIMES[kind]


def _load(
    bundle: Adapter | None, base: BaseModel, kind: Format, threads: int | None, schema: AnySchema
) -> Engine:
    from extractor.engine.local import LocalEngine

    folder = None if bundle is None else bundle.folder
    return LocalEngine.load(base, folder, kind=kind, threads=threads, schema=schema)


def _asked(
    document: Document, schema: AnySchema, filled: business.Filled | None
) -> AnySchema | None:
    """Return the schema of what the model is asked for, None if that is nothing."""
    if document.text.strip():
        return schema if filled is None else schema.only(filled.rest) if filled.rest else None
    if filled is None:
        raise DocumentError(
            f"{document.name}: no page has a text layer",
            hint="the pages are images, and the e-invoice in the file says too little of these "
            "fields; run OCR over the file first",
            category="no_text",
        )
    return None


@dataclass(frozen=True, slots=True)
class _Read:
    """What the model's answers say together.

    :param windows: that were read; `outputs`, `answers` and `signals` are theirs, in this order.
    :param together: what rules say of the document.
    """

    windows: Sequence[Window]
    outputs: Sequence[Output]
    answers: Sequence[Answer]
    signals: Sequence[Mapping[str, Signals]]
    merged: Merged
    loaded: Loaded
    together: Combination | None = None

    @classmethod
    def of(
        cls,
        document: Document,
        asked: AnySchema | None,
        windows: Sequence[Window],
        outputs: Sequence[Output],
        together: Combination | None,
    ) -> _Read:
        answers = [
            _answer(output, window, document)
            for window, output in zip(windows, outputs, strict=True)
        ]
        merged, loaded = Merged({}, {}, {}), Loaded({}, {}, [], {})
        if asked is not None:
            merged = (
                merge(asked, answers, locale=document.locale)
                if together is None
                else merge(asked, answers, together.believed, together.listed, document.locale)
            )
            text = json.dumps(merged.printed, ensure_ascii=False, separators=(",", ":"))
            loaded = asked.load(text, document.locale)
        signals = [confidence.signals(output) for output in outputs]
        return cls(windows, outputs, answers, signals, merged, loaded, together)

    def fields(
        self,
        document: Document,
        leaves: Sequence[Leaf],
        *,
        given: Collection[str],
        taken: Collection[str],
    ) -> dict[str, FieldResult]:
        """Return each value with its place on the page and how the model came to it.

        :param given: names of fields that the e-invoice states.
        :param taken: names of fields that known parties fill.
        """
        answered = {leaf.path: _top(leaf.path) not in {*given, *taken} for leaf in leaves}
        evidence = self._evidence(document, leaves, answered)
        evidence |= {path: replace(evidence[path], status="reference") for path in taken}
        return {
            leaf.path: self._field(leaf, evidence[leaf.path], answered[leaf.path])
            for leaf in leaves
        }

    def _evidence(
        self, document: Document, leaves: Sequence[Leaf], answered: Mapping[str, bool]
    ) -> dict[str, Evidence]:
        """Return where each value stands, looked for first in the window that gave it."""
        wanted = [
            Wanted(
                leaf.path,
                leaf.type,
                leaf.value,
                self.loaded.printed.get(leaf.path),
                near=self.windows[self._place(leaf.path)].start
                if answered[leaf.path] and self.windows
                else 0,
            )
            for leaf in leaves
        ]
        return locate_all(document, wanted, locale=document.locale)

    def _field(self, leaf: Leaf, evidence: Evidence, answered: bool) -> FieldResult:
        path = leaf.path
        by_model = answered and bool(self.windows)
        return FieldResult(
            value=leaf.value,
            printed=self.loaded.printed.get(path) if answered else evidence.text,
            evidence=evidence,
            probability=self._probability(path) if by_model else None,
            others=self.merged.others.get(path, ()),
            signals=self._signals(leaf) if by_model else None,
        )

    def _place(self, path: str) -> int:
        """Return which window a value came from."""
        return self.merged.source.get(_top(path), 0)

    def _as_answered(self, path: str) -> str:
        """Return the path under which the answers tell of a value.

        Rows joined from several windows are told of by their list only.
        """
        top = _top(path)
        moved = self.loaded.moved.get(path, path)
        return moved if len(self.answers) == 1 or moved == top else top

    def _is_unsaid(self, path: str) -> bool:
        """Return whether rules alone gave an item of a list: no answer tells of it."""
        return self.loaded.moved.get(path, path) in self.merged.unsaid

    def _probability(self, path: str) -> float | None:
        if self._is_unsaid(path):
            return None
        return self.answers[self._place(path)].probability.get(self._as_answered(path))

    def _signals(self, leaf: Leaf) -> Signals | None:
        """Return a value's signals, with what rules and the other windows say of it."""
        place, path = self._place(leaf.path), leaf.path
        if self._is_unsaid(path):
            return None
        found = self.signals[place].get(self._as_answered(path))
        if found is not None and self.together is not None:
            found = replace(found, rules=self.together.probability(path, leaf.value))
        return self._with_windows(path, found) if found is not None else None

    def _with_windows(self, path: str, found: Signals) -> Signals:
        """Return signals with the share of the windows that say the same."""
        if len(self.answers) == 1:
            return found
        place, top = self._place(path), _top(path)
        single = self.loaded.moved.get(path, path) == top
        said = [answer.printed.get(top) for answer in self.answers] if single else []
        own = self.answers[place].printed.get(top)
        telling = [value for value in said if value is not None] if own is not None else said
        agreement = sum(value == own for value in telling) / len(telling) if telling else 1.0
        return replace(found, windows=len(self.answers), agreement=agreement)

    def status(self, accepted: bool) -> Status:
        """Return the document's status.

        :param accepted: the class made a record of the values.
        """
        if any(output.truncated for output in self.outputs):
            return "truncated"
        return "complete" if accepted else "incomplete"

    def usage(self) -> dict[str, int]:
        return {
            "windows": len(self.windows),
            "windows_read": len(self.windows),
            "prompt_tokens": sum(output.prompt_tokens for output in self.outputs),
            "output_tokens": sum(len(output.logprobs) for output in self.outputs),
            "passes": sum(output.passes for output in self.outputs),
        }


def _top(path: str) -> str:
    """Return the field of the schema that a path lies in."""
    return path.split(".")[0].split("[")[0]


def _unread(document: Document) -> list[FieldWarning]:
    if not document.unread_pages:
        return []
    pages = ", ".join(map(str, document.unread_pages[:20]))
    more = " and more" if len(document.unread_pages) > 20 else ""
    message = f"pages without readable text, such as scans: {pages}{more}"
    return [FieldWarning("", "unread_pages", message)]


def _not_visible(fields: Mapping[str, FieldResult]) -> list[FieldWarning]:
    message = "stands only in text that no person sees on the page"
    return [
        FieldWarning(path, "not_visible", message)
        for path, result in fields.items()
        if result.evidence.not_visible
    ]


def _left_out(document: Document) -> list[FieldWarning]:
    """Tell of what is not meant for a person, and whether a model was shown it."""
    seen, told = document.in_sight(), []
    for code, what, places in (
        ("hidden_text", "words that no person sees", document.hidden()),
        ("chat_text", "lines with marks of a talk with a language model", document.chat_lines()),
    ):
        if places:
            pages = ", ".join(map(str, sorted({document.page_at(at) for at, _ in places})[:20]))
            shown = any(seen.text[start:end].strip() for start, end in places)
            how = "read all the same, there is next to nothing else" if shown else "left out"
            told.append(FieldWarning("", code, f"{what}: {len(places)}, on page {pages}; {how}"))
    return told


def _with_unread(extraction: Extraction[T], windows: int) -> Extraction[T]:
    """Say how many of a document's windows were not read."""
    unread = windows - extraction.usage["windows_read"]
    if not unread:
        return extraction
    message = (
        f"{unread} of {windows} windows were not read: they promise no field that is still "
        "wanted; --all-windows (all_windows=True) reads them"
    )
    return replace(
        extraction,
        usage={**extraction.usage, "windows": windows},
        warnings=(FieldWarning("", "windows_unread", message), *extraction.warnings),
    )


def _answer(output: Output, window: Window, document: Document) -> Answer:
    return Answer(json.loads(output.text), _probabilities(output), window, document.text)


def _conflicts(fields: Mapping[str, FieldResult]) -> list[FieldWarning]:
    return [
        FieldWarning(path, "conflict", _conflict(result.others))
        for path, result in fields.items()
        if result.others
    ]


def _conflict(others: Sequence[Other]) -> str:
    windows = sum(other.windows for other in others)
    return (
        f"{windows} {'window says' if windows == 1 else 'windows say'} something else; see `others`"
    )


def _source(schema: AnySchema) -> str:
    """Return a hash of what the records of a class and the classes in it depend on beside fields.

    Defaults and validators change records, and no fingerprint of the fields tells.
    """
    parts = []
    with suppress(PydanticUserError):  # a field of a type that JSON Schema does not know
        described = schema.model.model_json_schema()
        parts.append(json.dumps(described, sort_keys=True, default=str))
    for part in dict.fromkeys(base for one in schema.models() for base in one.__mro__):
        if part.__module__.split(".")[0] not in _NOT_OURS:
            with suppress(OSError, TypeError):  # made at run time, or typed at a prompt
                parts.append(inspect.getsource(part))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _probabilities(output: Output) -> dict[str, float]:
    """Return the probability of the answer at each path: values, rows and whole lists, 0..1.

    What the constraint left no choice about is certain.
    """
    found = {path: output.probability(*span) for path, span in spans(output.text)}
    return {path: 1.0 if value is None else value for path, value in found.items()}
