"""How fast documents are read: the product, plain Outlines + transformers, and llama.cpp.

    python -m benchmarks.speed CORPUS [--adapter FOLDER] [--documents N] [--quick]

All contestants read the same documents with the same weights, prompt, windows and threads, turn by
turn, one at a time, each in a process of its own. Prints a table for the docs; writes
`benchmarks/results/speed.json` and `speed.svg`. Documents are added as long as `--minutes` allow.

The clock of a document runs from its text to its record: reading the PDF is left out, because a
folder run does it meanwhile. `plain` is Outlines' generator with its own llguidance processor over
transformers' unmodified `generate`, with the product's constraint. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from benchmarks import chart
from benchmarks.contestants import HELD_TOKENS, PASS_TOKENS, PRODUCT, Settings
from extractor.schema import AnySchema, Schema, resolve
from training import corpus
from training.parity import Reading, against
from training.split import select as select_split

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PACKAGES = ("fieldwright", "torch", "transformers", "outlines", "llguidance", "openvino",
            "llama-cpp-python")  # fmt: skip
TITLES = {
    "plain": "Outlines + transformers, fp32",
    "fp32_tricks_off": "fieldwright fp32, a pass for each token",
    "bf16_tricks_off": "fieldwright bf16, a pass for each token",
    "int8_tricks_off": "fieldwright int8, a pass for each token",
    "fp32": "fieldwright fp32",
    "bf16": "fieldwright bf16",
    "int8": "fieldwright int8",
    "llama_cpp": "llama.cpp Q8_0, own grammar",
    "llama_cpp_mask": "llama.cpp Q8_0, llguidance mask",
}
LENGTHS = (1, 2, 4, 8)
_WAIT_S = 900.0
# Threads of the one before may spin a little after their last product.
_PAUSE_S = 0.3
_SHARE_FOR_DOCUMENTS = 0.65


@dataclass(frozen=True, slots=True)
class Options:
    """What a run measures.

    :param documents: most documents.
    :param minutes: about what all may take.
    """

    corpus: Path
    settings: Settings
    documents: int
    minutes: float
    seed: int
    quick: bool
    output: Path


@dataclass(slots=True)
class Measured:
    """What one contestant did.

    :param first_s: from the start of its process to its first record, that document included.
    :param answers: by document, in the order of reading.
    """

    first_s: float | None = None
    answers: list[dict[str, Any]] = field(default_factory=list)
    peak_bytes: int | None = None
    probe: dict[str, Any] | None = None
    error: str | None = None

    @property
    def seconds_s(self) -> float:
        return float(sum(answer["seconds_s"] for answer in self.answers))

    def mean(self, name: str) -> float:
        """Return a count of `usage` for each document."""
        total = sum(answer["usage"].get(name, 0) for answer in self.answers)
        return float(total / len(self.answers))

    def row(self) -> dict[str, Any]:
        """Return its figures for the results."""
        if not self.answers:
            return {"error": self.error}
        passes, tokens = self.mean("passes"), self.mean("output_tokens")
        return {
            "documents_per_minute": 60 * len(self.answers) / self.seconds_s,
            "seconds_to_first_record": self.first_s,
            # The same document again, warm, is what the start is not.
            "start_s": None
            if self.first_s is None
            else max(0.0, self.first_s - self.answers[0]["seconds_s"]),
            "passes_per_document": passes,
            "tokens_per_document": tokens,
            "prompt_tokens_per_document": self.mean("prompt_tokens"),
            "tokens_per_pass": tokens / passes if passes else None,
            "truncated": sum(answer["status"] == "truncated" for answer in self.answers),
            "mask_share": _mask_share(self.answers),
            "stages_s": _stages(self.answers),
            "peak_bytes": self.peak_bytes,
            **(self.probe or {}),
            "error": self.error,
        }


class Failed(Exception):
    """A contestant that gave no answer; the message says why."""


class Process:
    """A contestant's process, asked over pipes."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.started_s = time.perf_counter()
        self.log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.contestants", name, json.dumps(asdict(settings))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            cwd=ROOT,
        )

    def ask(self, what: str, **arguments: Any) -> dict[str, Any]:
        """Return its answer. :raises Failed: if there is none."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({"do": what, **arguments}).encode() + b"\n")
            self.process.stdin.flush()
        except OSError as error:
            raise Failed(self._last_words()) from error
        ready, _, _ = select.select([self.process.stdout], [], [], _WAIT_S)
        if not ready:
            self.process.kill()
            raise Failed(f"no answer in {_WAIT_S:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            raise Failed(self._last_words())
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Failed(str(answer["error"]))
        return answer

    def _last_words(self) -> str:
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else f"exit code {self.process.poll()}"

    def stop(self) -> None:
        """End the process."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.log.close()


def measure(options: Options) -> dict[str, Any]:
    """Return everything that is measured, ready for JSON."""
    began_s, load = time.monotonic(), os.getloadavg()[0]
    documents = _documents(options)
    _say(f"{len(documents)} documents at most, seed {options.seed}")
    _warm_cache()
    machine = Process("machine", options.settings)
    processes: dict[str, Process] = {}
    try:
        limits = _or_none(machine, "limits")
        names, default = _contestants(options.settings)
        found = {name: Measured() for name in names}
        for name in names:
            _start(name, options, documents[0], processes, found[name])
        done = _take_turns(processes, found, documents, options, began_s)
        for name, process in processes.items():
            found[name].peak_bytes = (_or_none(process, "memory") or {}).get("peak_bytes")
        for name in (name for name in names if name in PRODUCT and name in processes):
            repeats = 2 if options.quick else 7
            found[name].probe = _or_none(processes[name], "passes", repeats=repeats)
        lengths = _lengths(processes.get(default), documents[0], options)
        training = None
        if not options.quick:
            _say("training speed")
            training = _or_none(machine, "training", corpus=str(options.corpus), documents=24)
    finally:
        for process in (machine, *processes.values()):
            process.stop()
    results = _results(options, documents[:done], found, default, limits, lengths, training)
    results["machine"]["load_before"] = load
    return results


def _documents(options: Options) -> list[Any]:
    """Draw documents that no adapter was trained on, with rows where labels have any."""
    schema: AnySchema = Schema.of(resolve(options.settings.schema))
    labelled = corpus.read(options.corpus).documents
    held = [
        item
        for item in select_split(labelled, "dev", schema=schema, seed=options.seed)
        if item.path
    ]
    rows = [item for item in held if any(isinstance(v, list) and v for v in item.fields.values())]
    drawn = rows or held
    random.Random(options.seed).shuffle(drawn)
    return drawn[: options.documents]


def _warm_cache() -> None:
    """Read what every contestant loads, so that the first is not the slowest by its place."""
    code = (
        "from contextlib import suppress\n"
        "from importlib import import_module\n"
        "from extractor import base_model\n"
        "for name in 'torch transformers peft outlines llguidance openvino pypdfium2'.split():\n"
        "    with suppress(ImportError):\n"
        "        import_module(name)\n"
        "for file in base_model.find().folder.glob('*.safetensors'):\n"
        "    file.read_bytes()\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True)


def _contestants(settings: Settings) -> tuple[list[str], str]:
    """Return who takes part, and which of them is the product's default."""
    from extractor import adapter as adapters
    from extractor.engine.choice import available, choose

    _, folder = settings.weights()
    default = choose("auto", None if folder is None else adapters.read(folder))
    names = ["plain", "fp32_tricks_off", "fp32", *available()]
    if default != "fp32":
        names.append(f"{default}_tricks_off")
    if find_spec("llama_cpp") is not None:
        names += ["llama_cpp", "llama_cpp_mask"]
    return names, default


def _start(
    name: str, options: Options, document: Any, processes: dict[str, Process], found: Measured
) -> None:
    process = Process(name, options.settings)
    try:
        process.ask("read", path=str(document.path), text=None)
    except Failed as error:
        found.error = str(error)
        process.stop()
        _say(f"{name}: left out: {error}")
        return
    found.first_s = time.perf_counter() - process.started_s
    processes[name] = process
    _say(f"{name}: first record after {found.first_s:.1f} s")
    time.sleep(_PAUSE_S)


def _take_turns(
    processes: dict[str, Process],
    found: dict[str, Measured],
    documents: Sequence[Any],
    options: Options,
    began_s: float,
) -> int:
    """Let each read each document, another one first each time; return how many were read by all.

    A contestant that fails is out, with what it has read until then forgotten: figures of
    different documents cannot be compared.
    """
    for index, document in enumerate(documents):
        round_s = time.monotonic()
        order = list(processes)
        turn = index % max(1, len(order))
        for name in order[turn:] + order[:turn]:
            try:
                answer = processes[name].ask("read", path=str(document.path), text=None)
            except Failed as error:
                found[name] = Measured(error=f"{document.id}: {error}")
                processes.pop(name).stop()
                _say(f"{name}: left out: {error}")
                continue
            found[name].answers.append(answer)
            time.sleep(_PAUSE_S)
        told = ", ".join(f"{n} {found[n].answers[-1]['seconds_s']:.1f} s" for n in processes)
        _say(f"document {index + 1}: {told}")
        spent_s, last_s = time.monotonic() - began_s, time.monotonic() - round_s
        if spent_s + last_s > 60 * options.minutes * _SHARE_FOR_DOCUMENTS:
            return index + 1
    return len(documents)


def _lengths(process: Process | None, document: Any, options: Options) -> list[dict[str, Any]]:
    """Return what a document costs as its text is repeated."""
    found: list[dict[str, Any]] = []
    for times in LENGTHS[:2] if options.quick else LENGTHS:
        answer = process and _or_none(
            process, "read", path=str(document.path), text=None, times=times
        )
        if not answer:
            break
        usage = answer["usage"]
        found.append(
            {
                "times": times,
                "text_tokens": answer["text_tokens"],
                "seconds_s": answer["seconds_s"],
                "windows": usage["windows"],
                "output_tokens": usage["output_tokens"],
            }
        )
        _say(f"length x{times}: {answer['text_tokens']} tokens, {answer['seconds_s']:.1f} s")
    return found


def _or_none(process: Process, what: str, **arguments: Any) -> dict[str, Any] | None:
    try:
        return process.ask(what, **arguments)
    except Failed as error:
        _say(f"{process.name}: {what} not measured: {error}")
        return None


# ---------------------------------------------------------------- results


def _results(
    options: Options,
    documents: Sequence[Any],
    found: dict[str, Measured],
    default: str,
    limits: dict[str, Any] | None,
    lengths: list[dict[str, Any]],
    training: dict[str, Any] | None,
) -> dict[str, Any]:
    rows = {name: measured.row() for name, measured in found.items()}
    for name in rows:
        _add_share_of_limit(name, rows[name], limits)
    speeds = {name: row.get("documents_per_minute") for name, row in rows.items()}
    return {
        "documents_per_minute": {
            "plain": speeds.get("plain"),
            "product": speeds.get(default),
            "llama_cpp": speeds.get("llama_cpp"),
            **{name: speed for name, speed in speeds.items() if name not in ("plain", "llama_cpp")},
        },
        "default_engine": default,
        "engines": rows,
        "comparisons": _comparisons(found, documents),
        "matrix_limit_gflops": (limits or {}).get("gflops"),
        "gflop_per_prompt_token": (limits or {}).get("gflop_per_token"),
        "lengths": lengths,
        "training_tokens_per_s": (training or {}).get("tokens_per_s"),
        "machine": _machine(options.settings.threads),
        "versions": {name: _version(name) for name in PACKAGES},
        "data": {
            "corpus": options.corpus.name,
            "documents": [item.id for item in documents],
            "seed": options.seed,
            "schema": options.settings.schema,
            "adapter": Path(options.settings.adapter).name if options.settings.adapter else None,
            "max_new_tokens": options.settings.max_new_tokens,
        },
    }


def _add_share_of_limit(name: str, row: dict[str, Any], limits: dict[str, Any] | None) -> None:
    limit = ((limits or {}).get("gflops") or {}).get(name)
    if limit and "prefill_tokens_per_s" in row:
        reached = row["prefill_tokens_per_s"] * (limits or {})["gflop_per_token"]
        row["prefill_gflops"], row["prefill_share_of_limit"] = reached, reached / limit


def _comparisons(found: dict[str, Measured], documents: Sequence[Any]) -> dict[str, Any]:
    """Compare answers to the byte, and values; plain and tricks off must be what fp32 says."""
    pairs = {
        "fp32, tricks on against off": ("fp32_tricks_off", "fp32"),
        "fp32 against plain": ("plain", "fp32"),
        "int8 against fp32": ("fp32", "int8"),
        "bf16 against fp32": ("fp32", "bf16"),
        "int8, tricks on against off": ("int8_tricks_off", "int8"),
        "bf16, tricks on against off": ("bf16_tricks_off", "bf16"),
    }
    compared = {}
    for title, (wanted, given) in pairs.items():
        first, second = (found.get(name, Measured()).answers for name in (wanted, given))
        if not first or not second:
            continue
        values = [
            Reading({d.id: answer["values"] for d, answer in zip(documents, part, strict=True)})
            for part in (first, second)
        ]
        compared[title] = {
            "documents": len(first),
            "identical": sum(a["texts"] == b["texts"] for a, b in zip(first, second, strict=True)),
            "values": sum(len(answer["values"]) for answer in first),
            "flips": [list(flip) for flip in against(*values).flips],
        }
    return compared


def _stages(answers: Sequence[dict[str, Any]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for answer in answers:
        for name, spent_s in answer["timings_s"].items():
            total[name] = total.get(name, 0.0) + spent_s
    return total


def _mask_share(answers: Sequence[dict[str, Any]]) -> float | None:
    """Return the share of writing answers that following the constraint takes."""
    from extractor.profile import Profile

    profile = Profile(seconds_s=_stages(answers))
    return profile.mask_share if profile.seconds_s.get("decode") else None


def _machine(threads: int) -> dict[str, Any]:
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8") if os.name == "posix" else ""
    known: dict[str, str] = {}
    for line in info.splitlines():
        name, _, value = line.partition(":")
        known.setdefault(name.strip(), value.strip())
    flags = set(known.get("flags", "").split())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    wanted = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "amx_bf16")
    return {
        "processor": known.get("model name") or platform.processor() or platform.machine(),
        "features": [name for name in wanted if name in flags],
        "cores": len(os.sched_getaffinity(0)),
        "threads": threads,
        "memory_bytes": memory,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def table(results: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    machine, data = results["machine"], results["data"]
    plain = results["documents_per_minute"]["plain"]
    versions = ", ".join(f"{name} {found}" for name, found in results["versions"].items() if found)
    lines = [
        f"{machine['processor']} ({', '.join(machine['features'])}), {machine['cores']} cores, "
        f"{machine['threads']} threads, {machine['memory_bytes'] / 1e9:.0f} GB; {versions}.",
        f"{len(data['documents'])} documents of {data['corpus']}, seed {data['seed']}, schema "
        f"{data['schema']}, adapter {data['adapter'] or 'none given'}, at most "
        f"{data['max_new_tokens']} tokens a window. Default engine: {results['default_engine']}.",
        *_busy(machine.get("load_before", 0.0)),
        "",
        "| engine | documents/min | x plain | s to the first record | of it start "
        "| passes/document | tokens/pass | memory, MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in results["engines"].items():
        if "documents_per_minute" not in row:
            lines.append(f"| {TITLES[name]} | {row.get('error')} | | | | | | |")
            continue
        ratio = row["documents_per_minute"] / plain if plain else None
        cells = [
            TITLES[name],
            f"{row['documents_per_minute']:.1f}",
            _number(ratio, 1),
            _number(row["seconds_to_first_record"], 1),
            _number(row["start_s"], 1),
            f"{row['passes_per_document']:.0f}",
            _number(row["tokens_per_pass"], 2),
            _number(row["peak_bytes"] and row["peak_bytes"] / 1e6, 0),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    if results["documents_per_minute"]["llama_cpp"] is None:
        lines.append("\nllama.cpp: not installed (or failed), not measured.")
    return "\n".join([*lines, *_pass_lines(results), *_other_lines(results)])


def _busy(load: float) -> list[str]:
    """Say so if something else ran: such figures are no good."""
    return [f"The machine was busy when this began, with a load of {load:.1f}."] * (load > 0.7)


def _pass_lines(results: dict[str, Any]) -> list[str]:
    widths = " | ".join(f"{width} tokens, ms" for width in PASS_TOKENS)
    lines = [
        "",
        f"Passes behind {HELD_TOKENS} tokens, and the pass over so many:",
        "",
        f"| engine | {widths} | prefill, tokens/s | GFLOP/s | of the matrix limit | masks |",
        f"|---|{'---|' * (len(PASS_TOKENS) + 4)}",
    ]
    for name, row in results["engines"].items():
        if "pass_ms" in row:
            share = row.get("prefill_share_of_limit")
            cells = [
                TITLES[name],
                *(f"{row['pass_ms'][str(width)]:.0f}" for width in PASS_TOKENS),
                f"{row['prefill_tokens_per_s']:.0f}",
                _number(row.get("prefill_gflops"), 0),
                _percent(share),
                _percent(row["mask_share"]),
            ]
            lines.append(f"| {' | '.join(cells)} |")
    limits = results["matrix_limit_gflops"] or {}
    told = ", ".join(f"{name} {found:.0f}" for name, found in limits.items() if found)
    return [*lines, "", f"Matrix limit of torch here, GFLOP/s: {told or 'not measured'}."]


def _other_lines(results: dict[str, Any]) -> list[str]:
    lines = []
    training = results["training_tokens_per_s"]
    if training:
        lines.append(f"Training: {training:.0f} tokens/s.")
    for title, found in results["comparisons"].items():
        lines.append(
            f"{title}: {found['identical']} of {found['documents']} answers identical to the byte, "
            f"{len(found['flips'])} of {found['values']} values differ."
        )
        lines += [f"  differs: {document}: {path}" for document, path in found["flips"]]
    if results["lengths"]:
        lines += [
            "",
            "| text | tokens | windows | tokens out | s | ms per token of text |",
            "|---|---|---|---|---|---|",
        ]
        for item in results["lengths"]:
            each = 1000 * item["seconds_s"] / item["text_tokens"]
            lines.append(
                f"| x{item['times']} | {item['text_tokens']} | {item['windows']} "
                f"| {item['output_tokens']} | {item['seconds_s']:.1f} | {each:.1f} |"
            )
    return lines


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--adapter", help="folder; default: what the product takes without one")
    parser.add_argument("--base-model", help="hub name or folder; default: the embedded one")
    parser.add_argument("--schema", default="invoice")
    parser.add_argument("--documents", type=int, default=12, help="most documents")
    parser.add_argument("--minutes", type=float, default=15.0, help="about what all may take")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--max-new-tokens", type=int, help="default: 1024; 256 without an adapter")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the results")
    parser.add_argument("--quick", action="store_true", help="one document, no training")
    given = parser.parse_args(arguments)
    settings = Settings(
        given.schema, given.adapter or None, given.threads, given.max_new_tokens or 0,
        given.base_model,
    )  # fmt: skip
    if not settings.max_new_tokens:
        # An untuned model lists rows for ever.
        most = 256 if settings.weights()[1] is None else 1024
        settings = replace(settings, max_new_tokens=most)
    return Options(
        corpus=given.corpus,
        settings=settings,
        documents=1 if given.quick else given.documents,
        minutes=given.minutes,
        seed=given.seed,
        quick=given.quick,
        output=given.output,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the table, write the results and the plot."""
    options = _options(arguments)
    results = measure(options)
    options.output.mkdir(parents=True, exist_ok=True)
    content = json.dumps(results, indent=1) + "\n"
    (options.output / "speed.json").write_text(content, encoding="utf-8")
    (options.output / "speed.svg").write_text(chart.draw(results, TITLES), encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
