"""What one file may cost, before it is an error rather than a document."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost.

    :param seconds_s: of reading, wall clock.
    :param memory_bytes: address space of the worker process.
    :param pages: of one PDF.
    :param characters: of text.
    :param file_bytes: of the file.
    :param inflated_bytes: of the file's compressed parts together, images apart.
    """

    seconds_s: float = 30.0
    memory_bytes: int = 2 * 1024**3
    pages: int = 1000
    characters: int = 2_000_000
    file_bytes: int = 100 * 1024**2
    inflated_bytes: int = 256 * 1024**2

    def __post_init__(self) -> None:
        """Refuse limits that let nothing through."""
        for field in fields(self):
            if getattr(self, field.name) <= 0:
                raise ValueError(f"{field.name} must be above 0, was: {getattr(self, field.name)}")
        if self.memory_bytes < 256 * 1024**2:
            raise ValueError("memory_bytes must be at least 256 MiB: the reader itself needs that")

    @property
    def answer_bytes(self) -> int:
        """Of what a worker may say about one file: words of four letters with their boxes."""
        return 1024**2 + 32 * self.characters
