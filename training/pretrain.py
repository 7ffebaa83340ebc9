"""Synthetic documents -> the adapter that ships, and that every training run starts from.

A few dozen senders cannot teach what a date of issue is, or that a field may be absent. That part
is the same for every corpus, so it is learned once, from documents made from scratch, with requests
for many fields under many names; a user's own run then teaches only what is particular.
`extractor/start` holds the result for the embedded base model; docs/training.md has the command.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
from pathlib import Path

from extractor import adapter as adapters
from extractor import base_model
from extractor.schema import Schema, resolve
from training import corpus as corpora
from training import pairs as pairing
from training import parity, synthetic
from training.augment import AugmentConfig, Curriculum
from training.pairs import Pair
from training.tune import Estimate, Run, TuneConfig, TuneResult

logger = logging.getLogger(__name__)

_LONGEST = 2000  # characters; long documents teach little that two shorter ones do not
_READY = {"invoice": 0.4, "receipt": 0.08}  # share of requests; the others are for drawn schemas
_DECOYS = 0.6


def pairs(count: int, seed: int) -> list[Pair]:
    """Return requests to synthetic documents, the same ones for the same arguments."""
    draw = random.Random(seed)
    config = AugmentConfig(synthetic=0, decoys=_DECOYS)
    asked = {
        name: Curriculum(Schema.of(resolve(name)), [], config, epochs=1, seed=seed)
        for name in _READY
    }
    made: list[Pair] = []
    for document in synthetic.documents(count, seed, max_characters=_LONGEST):
        name = draw.choices([*_READY, ""], [*_READY.values(), 1 - sum(_READY.values())])[0]
        made.append(
            asked[name].ask(document, draw) if name else asked["invoice"].ask_any(document, draw)
        )
    return made


def pretrain(count: int, output: Path, config: TuneConfig) -> TuneResult:
    """Train on so many synthetic documents; the weights are kept as fp16, half of their size.

    :param output: the adapter folder to make; it serves any schema.
    :raises TrainingError: if the result must not be trusted.
    """
    base = base_model.find(config.base_model)
    run = Run(None, base, config, output, _log)
    most = config.augment.max_target_tokens
    made = [run.decodable(pair) for pair in pairs(count, config.seed)]
    plan = [pairing.example(pair, run.tokenizer, most) for pair in made if pair is not None]
    result = run.go(plan, [], [], _announce)
    _narrow(output / "adapter_model.safetensors")
    course = json.loads((output / "training.json").read_text(encoding="utf-8"))
    adapters.write(output, None, base, config.windows, course)
    return result


def compare(output: Path, corpus: Path, schema: str, count: int = 10) -> None:
    """Measure on labelled documents which number formats the adapter may be served in."""
    documents = corpora.read(corpus).documents[:count]
    asked = Schema.of(resolve(schema))
    config = TuneConfig()
    found = parity.measure(
        asked, base_model.find(), output, documents, config.windows,
        lambda done, total: _log("comparing", done, total),
    )  # fmt: skip
    adapters.add_parity(output, found)


def _narrow(file: Path) -> None:
    from safetensors.torch import load_file, save_file

    part = file.with_suffix(".part")
    save_file({name: tensor.half() for name, tensor in load_file(file).items()}, part)
    part.chmod(0o644)  # a package is read by others than who installed it
    part.replace(file)


def _announce(estimate: Estimate) -> None:
    logger.info(
        "%d documents, %d tokens, about %.0f minutes",
        estimate.examples,
        estimate.tokens,
        estimate.seconds_s / 60,
    )


def _log(stage: str, done: int, total: int) -> None:
    if done % 20 == 0 or done == total:
        logger.info("%s: %d of %d", stage, done, total)


def main() -> None:
    """Make or continue the shipped adapter; maintainers call this."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--start", help="adapter folder to go on from; take another --seed then")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--learning-rate", type=float, default=8e-4)
    parser.add_argument("--checkpoints", type=int, default=6)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--corpus", type=Path, help="labelled invoices to compare formats on")
    given = parser.parse_args()
    config = TuneConfig(
        start=given.start,
        seed=given.seed,
        learning_rate=given.learning_rate,
        checkpoints=given.checkpoints,
        resume=given.resume,
        batch_size=4,  # few steps are to be had; eight examples would halve them again
    )
    pretrain(given.documents, given.output, config)
    if given.corpus is not None:
        compare(given.output, given.corpus, "invoice")


if __name__ == "__main__":
    main()
