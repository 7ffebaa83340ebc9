"""Pictures of pages -> words, inside the worker process for OCR, one page at a time.

RapidOCR runs the models that its package holds (PP-OCR): one finds lines of print, one tells which
are upside down, one reads them. What decides about quality here: how large the picture is, which
way up the page is, how far it leans, and where in a line each word stands.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from statistics import median
from typing import Any, Protocol

from extractor.document.clean import clean_text
from extractor.document.layout import Placed, set_out
from extractor.errors import DocumentError

# A4 at 200 dots per inch has 3.9 million.
_PIXELS = 4_000_000
_DPI = 200.0
# Small print is enlarged until the shorter side has so many pixels; the detector wants that.
_SHORT_SIDE = 736
_A4_PT = 842.0
_BELIEVABLE_DPI = (60.0, 1300.0)
_LEAST_SCORE = 0.5
# Of the page's longer side; pictures are read as large characters at times.
_TALLEST = 0.2
# A lean below a third of a degree moves the end of a line by less than its height.
_LEAN = math.radians(0.3)
# Boxes of lines of print reach a little into the space between lines.
_MARGIN = 0.12

# Of 256 shades; fainter than that is an empty sheet.
_CONTRAST = 16

Point = tuple[float, float]
Corners = tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class _Strip:
    """Where a line of print stands.

    :param crop: its pixels; RapidOCR turns tall ones to the left.
    :param corners: from its upper left as it is read, in pixels of the page.
    :param turn: quarter turns to the left that would set it upright.
    """

    crop: Any  # an array of height x width x 3 bytes
    corners: Corners
    turn: int

    def righted(self) -> _Strip:
        """Return it as if it stood the other way up."""
        corners = _corners(self.corners[2:] + self.corners[:2])
        return _Strip(self.crop, corners, (self.turn + 2) % 4)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of print that was read.

    :param corners: from its upper left as it is read, in pixels of the page.
    :param is_level: it runs from left to right on the upright page.
    :param places: where each character that is no space begins and ends, 0..1 of the line's length.
    :param confidences: of each character, spaces included.
    """

    text: str
    score: float
    corners: Corners
    is_level: bool
    places: tuple[tuple[float, float], ...]
    confidences: tuple[float, ...]


class Pages(Protocol):
    """A file as pictures of pages."""

    count: int

    def read(self, number: int) -> dict[str, Any]:
        """Return a page's words; see `_content`.

        :param number: from 1.
        :raises DocumentError: if it cannot be drawn, or is too big.
        """
        ...


class PdfPages:
    """The pages of a PDF, drawn by pdfium, if need be after a repair.

    :raises DocumentError: if pdfium cannot open it.
    """

    def __init__(self, data: bytes, password: str | None = None) -> None:
        import pypdfium2
        import pypdfium2.raw as raw

        from extractor.document.pdf import locked, repaired

        try:
            self._document = pypdfium2.PdfDocument(data, password=password)
        except pypdfium2.PdfiumError as error:
            if getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD:
                raise locked(password) from error
            rebuilt = repaired(data, password)
            if rebuilt is None:
                raise _damaged("the file is too damaged to be drawn") from error
            self._document = pypdfium2.PdfDocument(rebuilt)
        self.count = len(self._document)

    def read(self, number: int) -> dict[str, Any]:
        """Return a page's words; see `_content`."""
        import pypdfium2

        try:
            page = self._document[number - 1]
            width_pt, height_pt = page.get_size()
            # This only bounds what is drawn; enlarging what is small is `_sized`'s work.
            scale = min(_DPI / 72, math.sqrt(_PIXELS / max(1.0, width_pt * height_pt)))
            image = page.render(scale=scale, rev_byteorder=True).to_pil()
        except pypdfium2.PdfiumError as error:
            raise _damaged(f"page {number} cannot be drawn") from error
        return _content(image, width_pt, height_pt)


class ImagePages:
    """The frames of an image; only a TIFF has several.

    :param most_pixels: of one frame, before it is unpacked.
    :raises DocumentError: if it is damaged or too big.
    """

    def __init__(self, data: bytes, most_pixels: int) -> None:
        from PIL import Image

        self._most_pixels = most_pixels
        Image.MAX_IMAGE_PIXELS = most_pixels
        with self._named():
            self._image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "TIFF"))
            self.count = int(getattr(self._image, "n_frames", 1))

    def read(self, number: int) -> dict[str, Any]:
        """Return a frame's words; see `_content`."""
        from PIL import Image, ImageOps

        with self._named():
            self._image.seek(number - 1)
            width, height = self._image.size
            if width * height > self._most_pixels:
                raise Image.DecompressionBombError
            width_pt, height_pt = _page_size(self._image)
            # A JPEG is unpacked no larger than it is needed.
            self._image.draft("RGB", _bounded(width, height))
            upright = ImageOps.exif_transpose(self._image)
        if (upright.width > upright.height) != (width > height):
            width_pt, height_pt = height_pt, width_pt
        return _content(upright, width_pt, height_pt)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Turn what Pillow raises on hostile images into errors of documents."""
        from PIL import Image

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                yield
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise DocumentError(
                f"an image of more than {self._most_pixels} pixels",
                hint="save it smaller, or raise the limit of image pixels",
                category="too_big",
            ) from error
        except (OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError,
                OverflowError, struct.error, zlib.error) as error:  # fmt: skip
            raise _damaged("the image is damaged") from error


def _damaged(message: str) -> DocumentError:
    return DocumentError(
        message,
        hint="ask for the file again, or open and save it in a viewer",
        category="broken",
    )


def _page_size(image: Any) -> tuple[float, float]:
    """Return width and height in points; a picture that says nothing is as long as an A4 page."""
    dpi = image.info.get("dpi", (0, 0))[0]
    if _BELIEVABLE_DPI[0] < dpi < _BELIEVABLE_DPI[1] and dpi != 72:
        scale = 72 / float(dpi)
    else:
        scale = _A4_PT / max(image.width, image.height)
    return image.width * scale, image.height * scale


def _content(image: Any, width_pt: float, height_pt: float) -> dict[str, Any]:
    """Return the words of a picture as plain JSON data.

    :returns: `{"width": ..., "height": ..., "blank": ..., "text": ..., "words": [[text, box, start,
        end, confidence]...]}`, sizes and boxes in points, confidence 0..1.
    """
    image = _sized(image)
    darkest, lightest = image.convert("L").getextrema()
    blank = lightest - darkest < _CONTRAST
    turn, lines = (0, []) if blank else _upright(image)
    to_page = _from_turned(image.width, image.height, turn)
    x_pt, y_pt = width_pt / image.width, height_pt / image.height
    lean = _lean(lines)
    placed: dict[Placed, tuple[list[float], float]] = {}
    for line in lines:
        for text, confidence, corners in _words(line):
            on_page = [to_page(corner) for corner in corners]
            box = _around([(x * x_pt, y * y_pt) for x, y in on_page])
            placed[_level(text, corners, lean)] = [round(v, 2) for v in box], round(confidence, 3)
    text, set_words = set_out(list(placed))
    return {
        "width": width_pt,
        "height": height_pt,
        "blank": blank,
        "text": text,
        "words": [[word[0], placed[word][0], start, end, placed[word][1]]
                  for word, start, end in set_words],
    }  # fmt: skip


# ---------------------------------------------------------------- pictures


def _bounded(width: int, height: int) -> tuple[int, int]:
    scale = min(1.0, math.sqrt(_PIXELS / (width * height)))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _sized(image: Any) -> Any:
    """Return an RGB picture on white that is large enough to read and no larger than that."""
    from PIL import Image

    size = _bounded(image.width, image.height)
    if min(size) < _SHORT_SIDE:
        enlarged = _SHORT_SIDE / min(size)
        scale = min(enlarged, math.sqrt(_PIXELS / (size[0] * size[1])))
        if scale > 1:
            size = round(size[0] * scale), round(size[1] * scale)
    if image.mode in ("I;16", "I;16B", "I", "F"):
        image = image.convert("F").point(lambda value: value / 256).convert("L")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    return image.convert("RGB").resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _upright(image: Any) -> tuple[int, list[_Line]]:
    """Return how many quarter turns to the left set a page upright, and its lines then."""
    from PIL import Image

    strips = _strips(image)
    weights = [0.0] * 4
    for strip in strips:
        weights[strip.turn] += _length(strip.corners[0], strip.corners[1])
    turn = max(range(4), key=weights.__getitem__)
    if turn == 0 or weights[turn] * 2 <= sum(weights):
        return 0, _lines(strips, max(image.size))
    how = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
    return turn, _lines(_strips(image.transpose(how[turn - 1])), max(image.size))


def _from_turned(width: int, height: int, turn: int) -> Callable[[Point], Point]:
    """Return the map from a page turned to the left to the page as it is."""
    maps: tuple[Callable[[Point], Point], ...] = (
        lambda p: p,
        lambda p: (width - p[1], p[0]),
        lambda p: (width - p[0], height - p[1]),
        lambda p: (p[1], height - p[0]),
    )
    return maps[turn]


# ---------------------------------------------------------------- lines


def _strips(image: Any) -> list[_Strip]:
    """Return where print stands on a picture, in any order."""
    import numpy
    from rapidocr.main import RapidOCRError

    engine = _engine()
    # Its models were trained on the order of colours that OpenCV has.
    pixels = numpy.ascontiguousarray(numpy.asarray(image)[:, :, ::-1])
    try:
        crops, found = engine.detect_and_crop(pixels, {})
        _, told = engine.cls_and_rotate(crops)
    except RapidOCRError:  # nothing printed on it
        return []
    strips: list[_Strip] = []
    for crop, box, (label, certainty) in zip(crops, found.boxes, told.cls_res, strict=True):
        corners = [(float(x), float(y)) for x, y in box]
        upside_down = "180" in label and certainty > engine.cfg.Cls.cls_thresh
        turn = _turn(corners) + (2 if upside_down else 0)
        strips.append(_Strip(crop, _corners(corners[turn:] + corners[:turn]), turn))
    return strips


def _lines(strips: Sequence[_Strip], page_side: int) -> list[_Line]:
    """Read the strips of an upright page."""
    from rapidocr.main import RapidOCRError

    # On such a page a line that seems to stand on its head is a short one that was taken wrongly;
    # print along the margin may run either way.
    strips = [strip.righted() if strip.turn == 2 else strip for strip in strips]
    crops = [strip.crop[::-1, ::-1] if strip.turn == 3 else strip.crop for strip in strips]
    try:
        read = _engine().recognize_txt(crops) if crops else None
    except RapidOCRError:
        read = None
    if read is None:
        return []
    lines: list[_Line] = []
    rows = zip(strips, read.txts, read.scores, read.word_results, strict=True)
    for strip, text, score, info in rows:
        height = _length(strip.corners[0], strip.corners[3])
        if score < _LEAST_SCORE or not text.strip() or height > _TALLEST * page_side:
            continue
        columns = [column for word in info.word_cols for column in word]
        lines.append(
            _Line(
                text=text,
                score=float(score),
                corners=strip.corners,
                is_level=strip.turn == 0,
                places=_places(text, columns, float(info.line_txt_len)),
                confidences=tuple(map(float, info.confs)),
            )
        )
    return lines


def _turn(corners: Sequence[Point]) -> int:
    """Return by how many quarters RapidOCR turns a line to the left before it reads it."""
    width, height = _length(corners[0], corners[1]), _length(corners[0], corners[3])
    return 1 if height >= 1.5 * width else 0


@cache
def _engine() -> Any:
    import cv2
    from rapidocr import RapidOCR

    cv2.setNumThreads(1)
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.return_word_box": True,
            "Global.use_vertical_padding": False,
            # Pictures come in the right size already.
            "Det.limit_type": "max",
            "Det.limit_side_len": 100_000,
            # One thread: a batch shares the machine with the model that reads the text.
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _corners(points: Sequence[Point]) -> Corners:
    first, second, third, fourth = points
    return first, second, third, fourth


def _places(text: str, columns: Sequence[int], length: float) -> tuple[tuple[float, float], ...]:
    """Return where each character but spaces stands on its line, 0..1.

    :param columns: of the recogniser's output at which each of them was read.
    :param length: of the line, in columns.
    """
    solid = [index for index, character in enumerate(text) if not character.isspace()]
    if len(columns) != len(solid) or length <= 0:
        return tuple((index / len(text), (index + 1) / len(text)) for index in solid)
    centres = [min(1.0, (column + 0.5) / length) for column in columns]
    half = 0.5 / max(len(text), 1)
    if len(centres) > 1:
        half = median(b - a for a, b in pairwise(centres)) / 2
    return tuple((max(0.0, centre - half), min(1.0, centre + half)) for centre in centres)


def _words(line: _Line) -> Iterator[tuple[str, float, Corners]]:
    """Yield the words of a line with their confidence and corners."""
    at = solid = 0
    for part in line.text.split():
        at = line.text.index(part, at)
        places = line.places[solid : solid + len(part)]
        confidences = line.confidences[at : at + len(part)]
        at, solid = at + len(part), solid + len(part)
        text = clean_text(part).replace("\n", "").replace(" ", "")
        if text and places:
            score = sum(confidences) / len(confidences) if confidences else line.score
            yield text, score, _part(line.corners, places[0][0], places[-1][1])


def _part(corners: Corners, start: float, end: float) -> Corners:
    upper_left, upper_right, lower_right, lower_left = corners
    return (
        _between(upper_left, upper_right, start),
        _between(upper_left, upper_right, end),
        _between(lower_left, lower_right, end),
        _between(lower_left, lower_right, start),
    )


def _between(start: Point, end: Point, share: float) -> Point:
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _lean(lines: Sequence[_Line]) -> float:
    """Return by how much lines of print fall to the right, as a slope; 0 for a straight page."""
    long = sorted(lines, key=lambda line: _length(*line.corners[:2]))[-15:]
    slopes = [
        (line.corners[1][1] - line.corners[0][1]) / (line.corners[1][0] - line.corners[0][0])
        for line in long
        if line.is_level and line.corners[1][0] - line.corners[0][0] > 50
    ]
    slope = median(slopes) if len(slopes) >= 3 else 0.0
    return slope if abs(slope) > _LEAN else 0.0


def _level(text: str, corners: Iterable[Point], lean: float) -> Placed:
    """Return a word as it would stand on a page that does not lean."""
    corners = list(corners)
    x0, top, x1, bottom = _around([(x, y - lean * x) for x, y in corners])
    margin = _MARGIN * (bottom - top)
    return text, x0, top + margin, x1, bottom - margin


def _around(points: Sequence[Point]) -> tuple[float, float, float, float]:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def _length(start: Point, end: Point) -> float:
    return math.hypot(end[0] - start[0], end[1] - start[1])
