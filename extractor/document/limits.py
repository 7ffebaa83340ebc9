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
    :param inflated_bytes: of the file's compressed parts together, images apart, or of the files
        in a container.
    :param ocr_seconds_s: of reading one page by OCR.
    :param ocr_memory_bytes: address space of the process for OCR.
    :param ocr_pages: of one file that are read by OCR.
    :param image_pixels: of one image.
    :param members: files in one archive or mail.
    """

    seconds_s: float = 30.0
    memory_bytes: int = 2 * 1024**3
    pages: int = 1000
    characters: int = 2_000_000
    file_bytes: int = 100 * 1024**2
    inflated_bytes: int = 256 * 1024**2
    ocr_seconds_s: float = 120.0
    ocr_memory_bytes: int = 3 * 1024**3
    ocr_pages: int = 100
    image_pixels: int = 100_000_000
    members: int = 1000

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

    @property
    def member_bytes(self) -> int:
        """Of what it may say about a container: 8 MiB of small files and one more, in base 64."""
        return 1024**2 + 4 * (8 * 1024**2 + self.file_bytes) // 3
