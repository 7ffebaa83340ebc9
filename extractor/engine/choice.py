"""Which number format an adapter is served in on this machine.

fp32 is what training means; narrower formats are faster and may change a value now and then, for
better or worse. Each adapter says how many values a format lost on labelled documents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, get_args

from extractor.adapter import Adapter
from extractor.base_model import BaseModel
from extractor.errors import ExtractorError

Format = Literal["fp32", "bf16", "int8"]
Asked = Literal["auto", "fp32", "bf16", "int8"]
FORMATS: tuple[Format, ...] = get_args(Format)
RUNTIMES: dict[Format, str] = {"fp32": "torch 1", "bf16": "openvino 2", "int8": "openvino 2"}
"""What runs a format; the number changes where the same weights come to give other logits."""
ACCEPTED = 0.01
"""Share of values that a format may lose and still be chosen without being asked for."""


def choose(
    asked: str,
    adapter: Adapter | None,
    base: BaseModel | None = None,
    *,
    machine: Sequence[Format] | None = None,
) -> Format:
    """Return the format to serve in.

    :param asked: a format, or `auto` for the fastest one that this machine runs well and that
        was found not to lose values of the adapter. Without an adapter there is nothing to keep.
    :param base: that is to be served, if that is known.
    :param machine: formats to choose from, the fastest first; None takes `available(base)`.
    :raises ExtractorError: for an unknown name.
    """
    for name in FORMATS:
        if asked == name:
            return name
    if asked != "auto":
        raise ExtractorError(f"no engine {asked!r}", hint=f"known: auto, {', '.join(FORMATS)}")
    for name in available(base) if machine is None else machine:
        loss = None if adapter is None else adapter.loss(name)
        if (adapter is None and name == "bf16") or (loss is not None and loss <= ACCEPTED):
            return name
    return "fp32"


def available(base: BaseModel | None = None) -> Iterator[Format]:
    """Yield the formats narrower than fp32 that this machine runs well, the fastest first.

    :param base: that is to be served; one of another architecture is served in fp32 alone.
    """
    from extractor.engine import openvino_runner

    if openvino_runner.installed() and (base is None or openvino_runner.runs(base)):
        if multiplies_bf16():
            yield "bf16"
        yield "int8"


def multiplies_bf16(facts: Path = Path("/proc/cpuinfo")) -> bool:
    """Return whether the processor has AMX, which multiplies bf16 seven times as fast as fp32.

    Where the system does not tell as Linux does, the answer is no.
    """
    try:
        lines = facts.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    return any(line.startswith("flags") and "amx_bf16" in line.split() for line in lines)
