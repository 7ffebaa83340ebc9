"""Which words of a PDF page no person sees.

A text layer can hold what the page does not show: white print, print beneath a box or a picture,
clipped, off the page, too small, on a hidden layer, never painted. Rules about colours and paint
order would be many and each could be got round, so the page is asked: it is rendered with and
without its text, and a word that changes no pixel is not there to be seen. Two small renderings of
an ordinary page take about 3 ms.

The text of a scan is hidden on purpose: it lies unpainted over, or painted beneath, the picture of
the page. It counts as seen where the picture shows something at its place.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as raw

from extractor.document.layout import Placed

Box = tuple[float, float, float, float]

# Print lower than this, in points, is a dust line at any usual zoom.
_TINY_PT = 2.0
# Of 255, in one channel, at 72 dpi, where thin strokes of small print keep a fifth of their
# contrast: what stays below was painted in the colour of its ground.
_CONTRAST = 8
_SCAN_CONTRAST = 24
_SCAN_SHARE = 0.5
_OVERLAP = 0.35
_MOST_PIXELS = 1_000_000
_MOST_IMAGE_PIXELS = 40_000_000
_MOST_OBJECTS = 100_000
_MOST_TURNS = 8
_DEEPEST = 8
_NEARLY_WHITE = 240
_UNPAINTED = (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP)


@dataclass(frozen=True, slots=True)
class Printed:
    """A word, its box on the page as it is shown, and its characters in pdfium's text page,
    `first` to `last` inclusive.
    """

    word: Placed
    box: Box
    first: int
    last: int


@dataclass(slots=True)
class Budget:
    """Seconds that the rendering of a whole document may still take."""

    left_s: float = 8.0


class _NotRendered(Exception):
    """A page that takes too long or too much memory to render; colours must do."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """What one text object paints of a word."""

    word: Placed
    box: Box
    text: int
    whole: bool


@dataclass(frozen=True, slots=True)
class _Image:
    handle: Any  # an object of pdfium, which has no types
    box: Box
    order: int
    pixels: int


@dataclass(frozen=True, slots=True)
class _Page:
    """A page and what is drawn on it; text objects by their address."""

    page: Any  # pdfium's page
    width_pt: float
    height_pt: float
    texts: dict[int, Any]
    order: dict[int, int]
    images: tuple[_Image, ...]
    budget: Budget


def hidden(
    page: Any, text_page: Any, printed: Sequence[Printed], turn: Any, budget: Budget
) -> set[Placed]:
    """Return the words that no person sees on the page.

    :param page: pdfium's page, `text_page` its text.
    :param turn: map from PDF user space to points from the top left of the page as shown.
    :param budget: shared by the pages of a document; less is left afterwards.
    """
    if not printed:
        return set()
    texts: dict[int, Any] = {}
    pieces = [piece for one in printed for piece in _pieces(text_page, one, turn, texts)]
    order, images = _walk(page, turn)
    drawn = _Page(page, page.get_width(), page.get_height(), texts, order, images, budget)
    unseen = {p.word for p in pieces if _is_tiny(p) or _is_off(p.box, drawn)}
    pieces = [piece for piece in pieces if piece.word not in unseen]
    try:
        return unseen | _unseen(drawn, pieces)
    except _NotRendered:
        return unseen | {piece.word for piece in pieces if _looks_hidden(drawn, piece)}


def _pieces(text_page: Any, printed: Printed, turn: Any, texts: dict[int, Any]) -> Iterator[_Piece]:
    """Yield the pieces of a word; most are painted by one text object."""
    owners: dict[int, list[int]] = {}
    for index in range(printed.first, printed.last + 1):
        text = raw.FPDFText_GetTextObject(text_page, index)
        if text:
            address = ctypes.addressof(text.contents)
            texts[address] = text
            owners.setdefault(address, []).append(index)
    if len(owners) <= 1:
        yield _Piece(printed.word, printed.box, next(iter(owners), 0), whole=True)
        return
    box = raw.FS_RECTF()
    for address, indices in owners.items():
        boxes: list[Box] = []
        for index in indices:
            code = raw.FPDFText_GetUnicode(text_page, index)
            if 0 < code < 0x110000 and chr(code).isalnum():
                raw.FPDFText_GetLooseCharBox(text_page, index, box)
                boxes.append(turn(box.left, box.bottom, box.right, box.top))
        if boxes:
            yield _Piece(printed.word, _around(boxes), address, whole=False)


def _around(boxes: Sequence[Box]) -> Box:
    x0, top, x1, bottom = zip(*boxes, strict=True)
    return min(x0), min(top), max(x1), max(bottom)


def _is_tiny(piece: _Piece) -> bool:
    width, height = piece.box[2] - piece.box[0], piece.box[3] - piece.box[1]
    # A single letter may be narrow; of several, in whatever direction, the lower side is the size.
    single = len(piece.word[0]) == 1 or not piece.whole
    return (max(width, height) if single else min(width, height)) < _TINY_PT


def _is_off(box: Box, page: _Page) -> bool:
    """Return whether the middle of a box is off the page."""
    x, y = _middle(box)
    return not (0 <= x <= page.width_pt and 0 <= y <= page.height_pt)


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


# ---------------------------------------------------------------- objects of the page


def _walk(page: Any, turn: Any) -> tuple[dict[int, int], tuple[_Image, ...]]:
    """Return the paint order of all objects by address, and the images."""
    order: dict[int, int] = {}
    images: list[_Image] = []
    top = (raw.FPDFPage_GetObject(page, i) for i in range(raw.FPDFPage_CountObjects(page)))
    stack: list[tuple[Iterator[Any], Any]] = [(iter(top), _plain)]
    while stack and len(order) < _MOST_OBJECTS:
        handle = next(stack[-1][0], None)
        if handle is None:
            stack.pop()
            continue
        if not handle:  # pdfium gives no object for what it could not make sense of
            continue
        place = stack[-1][1]
        order[ctypes.addressof(handle.contents)] = len(order)
        kind = raw.FPDFPageObj_GetType(handle)
        if kind == raw.FPDF_PAGEOBJ_FORM and len(stack) < _DEEPEST:
            count = raw.FPDFFormObj_CountObjects(handle)
            inner = (raw.FPDFFormObj_GetObject(handle, i) for i in _indices(count))
            stack.append((inner, _placing(handle, place)))
        elif kind == raw.FPDF_PAGEOBJ_IMAGE:
            images.append(_image(handle, place, turn, len(order)))
    return order, tuple(images)


def _indices(count: int) -> range:
    return range(max(0, count))  # -1 where pdfium fails


def _plain(x: float, y: float) -> tuple[float, float]:
    return x, y


def _placing(form: Any, outer: Any) -> Any:
    """Return the map from a form's space to the page's."""
    m = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(form, m)
    a, b, c, d, e, f = m.a, m.b, m.c, m.d, m.e, m.f

    def place(x: float, y: float) -> tuple[float, float]:
        x, y = outer(a * x + c * y + e, b * x + d * y + f)
        return x, y

    return place


def _image(handle: Any, place: Any, turn: Any, order: int) -> _Image:
    sides = [ctypes.c_float() for _ in range(4)]
    raw.FPDFPageObj_GetBounds(handle, *sides)
    left, bottom, right, top = (side.value for side in sides)
    corners = [place(x, y) for x in (left, right) for y in (bottom, top)]
    xs, ys = zip(*corners, strict=True)
    width, height = ctypes.c_uint(), ctypes.c_uint()
    raw.FPDFImageObj_GetImagePixelSize(handle, width, height)
    box = turn(min(xs), min(ys), max(xs), max(ys))
    return _Image(handle, box, order, width.value * height.value)


# ---------------------------------------------------------------- what the page shows


def _unseen(page: _Page, pieces: Sequence[_Piece]) -> set[Placed]:
    """Return the words of which a piece is not seen.

    Pictures are costly to decode, so they are drawn only where a word's fate hangs on one.
    """
    if len(page.order) >= _MOST_OBJECTS:
        raise _NotRendered
    with _inactive(image.handle for image in page.images):
        full, empty = _with_and_without_text(page, colours=False)
        seen = {piece for piece in pieces if full.differs(empty, piece)}
        if len(seen) < len(pieces):
            # Red on green may be one grey; colours cost more and are seldom needed.
            full, empty = _with_and_without_text(page, colours=True)
            unseen = [piece for piece in pieces if piece not in seen]
            seen |= {p for p in unseen if full.differs(empty, p) or _is_undrawn(page, p, empty)}
        seen -= _beneath_others(page, full, [piece for piece in pieces if piece in seen])
    doubtful = [piece for piece in pieces if _hangs_on_image(page, piece, piece in seen)]
    if doubtful:
        seen = seen.difference(doubtful) | _seen_with_images(page, doubtful)
    return {piece.word for piece in pieces if piece not in seen}


def _hangs_on_image(page: _Page, piece: _Piece, seen: bool) -> bool:
    order = page.order.get(piece.text, 0)
    return any(
        _holds(image.box, piece.box) and (not seen or image.order > order) for image in page.images
    )


def _seen_with_images(page: _Page, doubtful: Sequence[_Piece]) -> set[_Piece]:
    near = [i for i in page.images if any(_holds(i.box, piece.box) for piece in doubtful)]
    if sum(image.pixels for image in near) > _MOST_IMAGE_PIXELS:
        # Not decoded for this alone; what lies on such a picture is given the benefit of doubt.
        return set(doubtful)
    others = [image for image in page.images if image not in near]
    with _inactive(image.handle for image in others):
        full, empty = _with_and_without_text(page, colours=True)
    return {
        piece
        for piece in doubtful
        if full.differs(empty, piece)
        or (_is_layer(page, piece) and empty.shows_something(piece.box))
    }


def _with_and_without_text(page: _Page, *, colours: bool) -> tuple[_Raster, _Raster]:
    full = _render(page, colours)
    with _inactive(page.texts.values()):
        return full, _render(page, colours)


def _is_layer(page: _Page, piece: _Piece) -> bool:
    """Return whether a piece belongs to the text layer of a scan: unpainted, or beneath it."""
    if _is_unpainted(page, piece):
        return True
    area = page.width_pt * page.height_pt
    order = page.order.get(piece.text, 0)
    return any(
        image.order > order
        and _holds(image.box, piece.box)
        and _area(image.box) > _SCAN_SHARE * area
        for image in page.images
    )


def _beneath_others(page: _Page, full: _Raster, pieces: Sequence[_Piece]) -> set[_Piece]:
    """Return the pieces that only seem to be seen, as other text is painted at their place."""
    crowded, neighbours = _crowded(pieces)
    # Neighbours are taken away in turn: a piece is seen if the page changes without its own text.
    turns: dict[int, int] = {}
    for text, others in neighbours.items():
        taken = {turns.get(other) for other in others}
        turns[text] = next(turn for turn in range(len(taken) + 1) if turn not in taken)
    unseen: set[_Piece] = set()
    for turn in range(min(_MOST_TURNS, max(turns.values(), default=-1) + 1)):
        with _inactive(page.texts[text] for text, own in turns.items() if own == turn):
            without = _render(page, full.colours)
        unseen.update(
            piece
            for piece in crowded
            if turns[piece.text] == turn and not full.differs(without, piece)
        )
    return unseen


def _crowded(pieces: Sequence[_Piece]) -> tuple[list[_Piece], dict[int, set[int]]]:
    """Return the pieces that share their place with another that says something else.

    :returns: the pieces, and the neighbours of each of their text objects.
    """
    found: dict[_Piece, None] = {}
    neighbours: dict[int, set[int]] = {}
    open_pieces: list[_Piece] = []
    for piece in sorted(pieces, key=lambda piece: piece.box[1]):
        x0, top, x1, _ = piece.box
        open_pieces = [other for other in open_pieces if other.box[3] > top]
        for other in open_pieces:
            if other.box[0] >= x1 or other.box[2] <= x0 or piece.word[0] == other.word[0]:
                continue
            least = _OVERLAP * min(_area(piece.box), _area(other.box))
            if other.text == piece.text or not (piece.text and other.text):
                continue
            if _shared(piece.box, other.box) > least:
                found |= {piece: None, other: None}
                neighbours.setdefault(piece.text, set()).add(other.text)
                neighbours.setdefault(other.text, set()).add(piece.text)
        open_pieces.append(piece)
    return list(found), neighbours


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _shared(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)


def _holds(outer: Box, inner: Box) -> bool:
    x, y = _middle(inner)
    return outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3]


def _colour(page: _Page, piece: _Piece) -> tuple[int, ...]:
    """Return the red, green, blue and opacity in which a piece is painted, 0..255."""
    parts = [ctypes.c_uint() for _ in range(4)]
    text = page.texts.get(piece.text)
    if text is not None:
        raw.FPDFPageObj_GetFillColor(text, *parts)
    return tuple(part.value for part in parts)


def _is_unpainted(page: _Page, piece: _Piece) -> bool:
    text = page.texts.get(piece.text)
    return text is not None and raw.FPDFTextObj_GetTextRenderMode(text) in _UNPAINTED


def _is_undrawn(page: _Page, piece: _Piece, ground: _Raster) -> bool:
    """Return whether a piece lacks a font here and, by its paint, would be seen elsewhere.

    A font that is not in the file is replaced by one of this machine, which may have none for
    Chinese, Hebrew or the like, and then draws nothing.
    """
    text = page.texts.get(piece.text)
    if text is None or _has_font(piece.word[0], text) or _is_unpainted(page, piece):
        return False
    *colour, opacity = _colour(page, piece)
    under = ground.colour(piece.box)
    return opacity > 0 and any(
        abs(a - b) > _SCAN_CONTRAST for a, b in zip(colour, under, strict=True)
    )


def _has_font(word: str, text: Any) -> bool:
    if raw.FPDFFont_GetIsEmbedded(raw.FPDFTextObj_GetFont(text)) == 1:
        return True
    try:
        word.encode("cp1252")  # pdfium brings fonts for these letters
    except UnicodeEncodeError:
        return False
    return True


def _looks_hidden(page: _Page, piece: _Piece) -> bool:
    """Judge a piece by its paint alone, where the page could not be rendered."""
    if any(_holds(image.box, piece.box) for image in page.images):
        return False
    *colour, opacity = _colour(page, piece)
    return _is_unpainted(page, piece) or opacity == 0 or min(colour) > _NEARLY_WHITE


# ---------------------------------------------------------------- rendering


@dataclass(frozen=True, slots=True)
class _Raster:
    """A rendered page.

    :param data: four bytes a pixel with colours, one without.
    :param width: of a row in pixels, padding included.
    :param scale: pixels for a point.
    """

    data: bytes
    width: int
    height: int
    scale: float
    colours: bool

    def differs(self, other: _Raster, piece: _Piece) -> bool:
        """Return whether two renderings differ visibly over most of a piece."""
        x0, top, x1, bottom = self._pixels(piece.box)
        if x1 <= x0 or bottom <= top:
            return False
        width, height = x1 - x0, bottom - top
        upright = height > 1.5 * width and len(piece.word[0]) > 2
        if any(character.isalnum() for character in piece.word[0]):
            # Letters have print in the middle of their line; at its edges the next one begins, and
            # its print would speak for a word that has none.
            if upright:
                x0, x1 = _middle_of(x0, x1)
            else:
                top, bottom = _middle_of(top, bottom)
        # Thirds along a word: a corner that looks out from under a cover shows no word.
        parts = [(x0, top, x1, bottom)]
        if width > 1.5 * height:
            parts = [(a, top, b, bottom) for a, b in _thirds(x0, x1)]
        elif upright:
            parts = [(x0, a, x1, b) for a, b in _thirds(top, bottom)]
        return 3 * sum(self._differs(other, *part) for part in parts) >= 2 * len(parts)

    def _differs(self, other: _Raster, x0: int, top: int, x1: int, bottom: int) -> bool:
        depth = _depth(self.colours)
        for y in range(top, bottom):
            begin, end = depth * (y * self.width + x0), depth * (y * self.width + x1)
            ours, theirs = self.data[begin:end], other.data[begin:end]
            if ours != theirs and any(
                abs(a - b) > _CONTRAST for a, b in zip(ours, theirs, strict=True)
            ):
                return True
        return False

    def shows_something(self, box: Box) -> bool:
        """Return whether a box is not all of one colour."""
        x0, top, x1, bottom = self._pixels(box)
        depth = _depth(self.colours)
        rows = [
            self.data[depth * (y * self.width + x0) : depth * (y * self.width + x1) : depth]
            for y in range(top, bottom)
        ]
        first = b"".join(rows)
        return bool(first) and max(first) - min(first) > _SCAN_CONTRAST

    def colour(self, box: Box) -> tuple[int, ...]:
        """Return red, green and blue in the middle of a box; of a rendering with colours."""
        x0, top, x1, bottom = self._pixels(box)
        x, y = min((x0 + x1) // 2, self.width - 1), min((top + bottom) // 2, self.height - 1)
        at = 4 * (y * self.width + x)
        return tuple(self.data[at : at + 3][::-1])

    def _pixels(self, box: Box) -> tuple[int, int, int, int]:
        x0, top, x1, bottom = (side * self.scale for side in box)
        return (
            max(0, int(x0)),
            max(0, int(top)),
            min(self.width, int(x1) + 1),
            min(self.height, int(bottom) + 1),
        )


def _depth(colours: bool) -> int:
    return 4 if colours else 1


def _middle_of(low: int, high: int) -> tuple[int, int]:
    """Return pixels without a fifth at both ends, and without those that are inside in part."""
    edge = 1 + (high - low) // 5
    return (low + edge, high - edge) if high - low >= 7 else (low, high)


def _thirds(low: int, high: int) -> list[tuple[int, int]]:
    if high - low < 9:
        return [(low, high)]
    first, second = low + (high - low) // 3, low + 2 * (high - low) // 3
    return [(low, first), (first, second), (second, high)]


@contextmanager
def _inactive(objects: Iterable[Any]) -> Iterator[None]:
    """Leave objects out of what is rendered meanwhile."""
    left_out = list(objects)
    for one in left_out:
        raw.FPDFPageObj_SetIsActive(one, False)
    try:
        yield
    finally:
        for one in left_out:
            raw.FPDFPageObj_SetIsActive(one, True)


def _render(page: _Page, colours: bool) -> _Raster:
    """Render a page on white.

    :raises _NotRendered: if it is too long for the budget, or has no area.
    """
    area = page.width_pt * page.height_pt
    if area <= 0 or page.budget.left_s <= 0:
        raise _NotRendered
    scale = min(1.0, (_MOST_PIXELS / area) ** 0.5)
    width, height = (max(1, int(side * scale)) for side in (page.width_pt, page.height_pt))
    kind = raw.FPDFBitmap_BGRx if colours else raw.FPDFBitmap_Gray
    bitmap = raw.FPDFBitmap_CreateEx(width, height, kind, None, 0)
    if not bitmap:
        raise _NotRendered
    started_s = time.monotonic()
    deadline_s = started_s + page.budget.left_s / 2
    try:
        raw.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, 0xFFFFFFFF)
        pause = raw.IFSDK_PAUSE(version=1)
        pause.NeedToPauseNow = type(pause.NeedToPauseNow)(lambda _: time.monotonic() > deadline_s)
        flags = raw.FPDF_ANNOT if colours else raw.FPDF_ANNOT | raw.FPDF_GRAYSCALE
        place = (bitmap, page.page, 0, 0, width, height, 0, flags)
        status = raw.FPDF_RenderPageBitmap_Start(*place, pause)
        raw.FPDF_RenderPage_Close(page.page)
        if status != raw.FPDF_RENDER_DONE:
            raise _NotRendered
        stride = raw.FPDFBitmap_GetStride(bitmap)
        data = ctypes.string_at(raw.FPDFBitmap_GetBuffer(bitmap), stride * height)
        return _Raster(data, stride // _depth(colours), height, scale, colours)
    finally:
        raw.FPDFBitmap_Destroy(bitmap)
        page.budget.left_s -= time.monotonic() - started_s
