"""Pages of a document with boxes and names drawn on them, in a process with limits.

Pictures of the pages, not a copy of the file with annotations: a copy would carry along scripts,
attachments and whatever else an untrusted file holds. `main` is what the process runs: it reads a
request (four bytes of length, big endian, JSON) and the file from stdin, and writes a PDF, or
nothing if there is nothing to draw.
"""

from __future__ import annotations

import io
import json
import math
import os
import resource
import struct
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypedDict

from PIL import Image, ImageDraw, ImageFont, ImageOps, ImageSequence

_SCALE = 2.0  # pixels for a point
_MOST_PIXELS = 6_000_000
_MOST_PAGES = 50
_LABEL_PT = 7
_STRIP_PT = 9
Rectangle = tuple[float, float, float, float]


class Mark(TypedDict):
    """A box on a page.

    :param bbox: in shares of the width and height of the page as it is shown, 0..1.
    :param colour: `#rrggbb`.
    """

    page: int
    bbox: Rectangle
    label: str
    colour: str


class Note(TypedDict):
    """A line below the first page, such as an entry of the legend."""

    text: str
    colour: str


class _Picture(NamedTuple):
    number: int
    image: Image.Image
    scale: float  # pixels for a point


def main(memory_bytes: int) -> None:
    """Draw what stdin asks for on stdout."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What a library prints must not get into the answer.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    (size,) = struct.unpack(">I", sys.stdin.buffer.read(4))
    request = json.loads(sys.stdin.buffer.read(size))
    data = sys.stdin.buffer.read()
    answers.write(draw(data, request["marks"], request["notes"], request["password"]))
    answers.flush()


def draw(
    data: bytes, marks: Sequence[Mark], notes: Sequence[Note], password: str | None = None
) -> bytes:
    """Return a PDF of pictures: the pages that have a mark, or the first; notes below the first.

    :param data: a PDF or an image.
    :returns: nothing if no page can be drawn.
    """
    numbers = sorted({mark["page"] for mark in marks}) or [1]
    left_out = numbers[_MOST_PAGES:]
    if left_out:
        text = f"{len(left_out)} more pages have values, from page {left_out[0]} on"
        notes = [*notes, Note(text=text, colour="#000000")]
    pages: list[Image.Image] = []
    pictures = _pdf_pictures if b"%PDF-" in data[:1024] else _image_pictures
    for picture in pictures(data, numbers[:_MOST_PAGES], password):
        page = _marked(picture, [mark for mark in marks if mark["page"] == picture.number])
        pages.append(page if pages else _with_notes(page, notes, picture.scale))
    if not pages:
        return b""
    stream = io.BytesIO()
    pages[0].save(stream, "PDF", save_all=True, append_images=pages[1:],
                  resolution=72 * _SCALE, quality=85)  # fmt: skip
    return stream.getvalue()


def _pdf_pictures(data: bytes, numbers: Sequence[int], password: str | None) -> Iterator[_Picture]:
    """Yield each page that can be rendered."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data, password=password)
    except pypdfium2.PdfiumError:
        return
    for number in numbers:
        if number > len(document):
            continue
        try:
            page = document[number - 1]
            scale = _scale(page.get_width(), page.get_height())
            yield _Picture(number, page.render(scale=scale).to_pil().convert("RGB"), scale)
        except pypdfium2.PdfiumError:
            continue  # one damaged page does not cost the others


def _image_pictures(
    data: bytes, numbers: Sequence[int], password: str | None
) -> Iterator[_Picture]:
    try:
        frames = ImageSequence.Iterator(Image.open(io.BytesIO(data)))
    except (OSError, ValueError, Image.DecompressionBombError):
        return
    for number, frame in enumerate(frames, start=1):
        if number in numbers:
            image = ImageOps.exif_transpose(frame).convert("RGB")
            # Taken for a sheet of A4, so that labels have the size that they have on one.
            scale = _scale(595, 595 * image.height / image.width)
            size = int(595 * scale), max(1, int(595 * scale * image.height / image.width))
            yield _Picture(number, image.resize(size), scale)


def _scale(width_pt: float, height_pt: float) -> float:
    return min(_SCALE, math.sqrt(_MOST_PIXELS / max(1.0, width_pt * height_pt)))


def _marked(picture: _Picture, marks: Sequence[Mark]) -> Image.Image:
    """Draw boxes, then labels where they cover neither print nor each other, if that can be."""
    _, image, scale = picture
    print_ = image.convert("L")
    layer = Image.new("RGBA", image.size, (255, 255, 255, 0))
    pen = ImageDraw.Draw(layer)
    font = ImageFont.load_default(_LABEL_PT * scale)
    boxes = [_grown(mark["bbox"], image.size) for mark in marks]
    for mark, box in zip(marks, boxes, strict=True):
        pen.rectangle(box, fill=f"{mark['colour']}28", outline=mark["colour"], width=2)
    taken = list(boxes)
    for mark, box in zip(marks, boxes, strict=True):
        if not mark["label"]:
            continue
        left, top, right, bottom = pen.textbbox((0, 0), mark["label"], font=font)
        size = (right - left + 4, bottom - top + 4)
        place = _free_place(box, size, print_, taken)
        taken.append(place)
        pen.rectangle(place, fill="#ffffffd8")
        pen.text((place[0] + 2 - left, place[1] + 2 - top), mark["label"], mark["colour"], font)
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


def _grown(bbox: Rectangle, size: tuple[int, int]) -> Rectangle:
    x0, top, x1, bottom = (side * size[index % 2] for index, side in enumerate(bbox))
    return x0 - 2, top - 2, x1 + 2, bottom + 2


def _free_place(
    box: Rectangle, size: tuple[float, float], page: Image.Image, taken: Sequence[Rectangle]
) -> Rectangle:
    """Return where a label stands near its box: where it covers least.

    :param page: in grey, 0..255.
    """
    (x0, top, x1, bottom), (width, height) = box, size
    beside = (top + bottom - height) / 2
    corners = [
        (x, y + step)
        for step in (0.0, 0.4 * height)
        for x, y in (
            (x0, top - height - step),
            (x0, bottom),
            (x1 + 1, beside - step),
            (x0 - width - 1, beside - step),
            (x1 - width, top - height - step),
            (x1 - width, bottom),
            (x1 + 1, bottom),
            (x1 + 1, top - height - step),
        )
    ]

    def covered(place: Rectangle) -> float:
        """Return pixels of boxes and labels, and of print, that a label here would cover."""
        levels = page.crop(place).histogram()
        ground = max(range(256), key=levels.__getitem__)
        ink = sum(count for level, count in enumerate(levels) if abs(level - ground) > 48)
        return sum(_shared(place, other) for other in taken) + 2 * ink

    return min((_inside((x, y, x + width, y + height), page.size) for x, y in corners), key=covered)


def _inside(place: Rectangle, page: tuple[int, int]) -> Rectangle:
    x0, top, x1, bottom = place
    right = min(0.0, page[0] - x1) or max(0.0, -x0)
    down = min(0.0, page[1] - bottom) or max(0.0, -top)
    return x0 + right, top + down, x1 + right, bottom + down


def _shared(one: Rectangle, other: Rectangle) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)


def _with_notes(picture: Image.Image, notes: Sequence[Note], scale: float) -> Image.Image:
    """Return a picture with lines of text below it, each in its colour, in two columns."""
    line = int(_STRIP_PT * scale * 1.5)
    rows = (len(notes) + 1) // 2
    whole = Image.new("RGB", (picture.width, picture.height + rows * line + line // 2), "#ffffff")
    whole.paste(picture, (0, 0))
    pen = ImageDraw.Draw(whole)
    font = ImageFont.load_default(_STRIP_PT * scale)
    pen.line((0, picture.height, picture.width, picture.height), "#808080", 1)
    for index, note in enumerate(notes):
        place = (8 + (index % 2) * picture.width // 2, picture.height + 4 + index // 2 * line)
        pen.text(place, note["text"], note["colour"], font)
    return whole
