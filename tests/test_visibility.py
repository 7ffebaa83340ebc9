"""Words that no person sees are told, and no others."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from pydantic import BaseModel
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from extractor import Extractor
from extractor.document import Document, read
from extractor.evidence import Wanted, locate, locate_all
from extractor.familiarity import sketch
from extractor.fields import (
    Iban,
    Identifier,
    IsoDate,
    Locale,
    Money,
    MoneyType,
    VatId,
    Verbatim,
    VerbatimType,
)
from extractor.schema import Schema
from extractor.testing import CannedEngine
from extractor.windows import WindowConfig, cut
from training.corpus import LabelledDocument
from training.pairs import build

Draw = Callable[[Canvas], Any]  # what a canvas's methods return is of no use
X, Y = 60, 400


def page(*draw: Draw, rotate: int = 0) -> Document:
    """Read a page that shows `Total 8.50` and whatever is drawn."""
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(600, 600))
    canvas.setPageRotation(rotate)
    for step in draw:
        canvas.saveState()
        step(canvas)
        canvas.restoreState()
    canvas.drawString(60, 500, "Total 8.50")
    canvas.save()
    return read(stream.getvalue())


def unseen(document: Document) -> list[str]:
    return [word.text for one in document.pages for word in one.words if not word.visible]


def text(
    words: str = "False 1.00", *, x: float = X, y: float = Y, size: float = 12, mode: int = 0,
    colour: tuple[float, float, float] = (0, 0, 0), opacity: float = 1,
) -> Draw:  # fmt: skip
    def draw(canvas: Canvas) -> None:
        canvas.setFillAlpha(opacity)
        canvas.setFillColorRGB(*colour)
        line = canvas.beginText(x, y)
        line.setFont("Helvetica", size)
        line.setTextRenderMode(mode)
        line.textOut(words)
        canvas.drawText(line)

    return draw


def rectangle(colour: tuple[float, float, float], x: float = 40, y: float = 390) -> Draw:
    def draw(canvas: Canvas) -> None:
        canvas.setFillColorRGB(*colour)
        canvas.rect(x, y, 300, 30, stroke=0, fill=1)

    return draw


def clipped(canvas: Canvas) -> None:
    path = canvas.beginPath()
    path.rect(0, 0, 10, 10)
    canvas.clipPath(path, stroke=0)
    text()(canvas)


def picture(
    words: str = "", ground: str = "white", box: tuple[int, int, int, int] = (0, 0, 600, 600)
) -> Draw:
    """Draw an image over a part of the page; words stand where `text` puts them."""

    def draw(canvas: Canvas) -> None:
        x, y, width, height = box
        image = Image.new("RGB", (2 * width, 2 * height), ground)
        place = (2 * (X - x), 2 * (y + height - Y - 10))
        ImageDraw.Draw(image).text(place, words, fill="black", font_size=24)
        canvas.drawImage(ImageReader(image), x, y, width, height)

    return draw


GREY = (0.5, 0.5, 0.5)
WHITE = (1, 1, 1)
HIDDEN = {
    "white on white": (text(colour=WHITE),),
    "nearly white": (text(colour=(0.99, 1, 0.99)),),
    "grey on the same grey": (rectangle(GREY), text(colour=GREY)),
    "never painted": (text(mode=3),),
    "only a clipping path": (text(mode=7),),
    "without opacity": (text(opacity=0),),
    "tiny": (text(size=1),),
    "off the page": (text(x=-300),),
    "below the page": (text(y=-50),),
    "clipped": (clipped,),
    "beneath a box": (text(), rectangle(GREY)),
    "beneath a picture": (text(), picture(ground="gray", box=(40, 390, 200, 30))),
    "white on a white picture": (picture(box=(40, 390, 200, 30)), text(colour=WHITE)),
    "unpainted on an empty picture": (picture(), text(mode=3)),
    "white beneath other words": (
        text("Wholly 1.0000 different", colour=WHITE),
        text("Other words of a line"),
    ),
    "unpainted beneath other words": (
        text("Wholly 1.0000 different", mode=3),
        text("Other words of a line"),
    ),
    "white close above a line": (
        text("Wholly 1.00", colour=WHITE, size=8),
        text("Other words of a line", y=Y - 8.4, size=9),
    ),
    "unpainted close below a line": (
        text("Wholly 1.00", mode=3, size=8),
        text("Other words of a line", y=Y + 8, size=9),
    ),
    "beneath a box with other words on it": (
        text("Wholly 1.0000 different"),
        rectangle(WHITE),
        text("Other words of a line"),
    ),
}
SEEN = {
    "light grey": (text(colour=(0.8, 0.8, 0.8)),),
    "white on dark": (rectangle((0, 0, 0.4)), text(colour=WHITE)),
    "white on a dark picture": (picture(ground="navy"), text(colour=WHITE)),
    "red on green of one brightness": (rectangle((0, 0.5, 0)), text(colour=(0.98, 0, 0))),
    "small": (text(size=4),),
    "outlined": (text(mode=1),),
    "on a picture": (picture(), text()),
    "layer of a scan": (picture("False 1.00"), text(mode=3)),
    "layer beneath a scan": (text(), picture("False 1.00")),
    "printed twice to look bold": (text(), text(x=X + 0.3)),
    "marks": (text("- . – ... 1"),),
    "watermark above": (text(), text("COPY", size=60, colour=(0.9, 0.8, 0.8), opacity=0.5)),
}


@pytest.mark.parametrize("rotate", [0, 90])
@pytest.mark.parametrize("way", HIDDEN)
def test_words_hidden_in_any_way_are_told(way: str, rotate: int) -> None:
    words = unseen(page(*HIDDEN[way], rotate=rotate))

    assert any("1.00" in word for word in words)
    assert not {"Total", "8.50", "Other", "line"}.intersection(words)


@pytest.mark.parametrize("way", SEEN)
def test_words_that_a_person_sees_are_not_told(way: str) -> None:
    assert unseen(page(*SEEN[way])) == []


def test_hidden_words_stay_in_the_text() -> None:
    assert "False 1.00" in page(text(colour=WHITE)).text


def shown(document: Document) -> str:
    seen = document.in_sight()
    return seen.shown(0, len(seen.text))


@pytest.mark.parametrize(
    ("hidden", "at"),
    [("False 1.00", (X, Y)), ("a line above", (X, 550)), (" ".join(["word"] * 90), (X, 300))],
)
def test_what_no_person_sees_is_not_shown_to_a_model(hidden: str, at: tuple[float, float]) -> None:
    seen = (text("Invoice 17 of"), text("Miller and Sons", y=380))
    document = page(*seen, text(hidden, x=at[0], y=at[1] - 70, colour=WHITE))

    assert shown(document) == page(*seen).text
    assert len(document.in_sight().text) == len(document.text)


def test_words_that_stay_close_up_around_those_that_go() -> None:
    seen = text("From Miller and Sons of Ash", y=300)
    document = page(seen, text("12"), text("xx", x=X + 16, colour=WHITE), text("pieces", x=X + 32))

    assert "12 xx pieces" in document.text
    assert "12 pieces\n" in shown(document)


def test_a_window_that_shows_nothing_is_none() -> None:
    document = page(text("Invoice 17 of Miller"), text("word " * 40, y=300, colour=WHITE))

    windows = cut(document, WindowConfig(30, 0), lambda piece: len(piece.split()))

    seen = document.in_sight()
    assert all(seen.shown(one.start, one.end).strip() for one in windows)
    assert "".join(seen.shown(one.start, one.end) for one in windows) == shown(document)


def test_pages_made_for_machines_are_read_all_the_same() -> None:
    lines = [text(f"Line {n} of a layer", y=380 - 20 * n, colour=WHITE) for n in range(9)]
    document = page(*lines)

    extraction = Extractor(Bill, engine=CannedEngine({})).extract(document)

    assert shown(document) == document.text
    assert [one.code for one in extraction.warnings] == ["hidden_text"]
    assert "read all the same" in extraction.warnings[0].message


def test_hidden_words_decide_nothing_about_what_is_seen() -> None:
    plain = (text("Date 03/04/2024"), text("Quill Harbour Ltd of Ash", y=380))
    document = page(*plain, text("12/25/2023 12/26/2023", y=200, colour=WHITE))
    engine = CannedEngine({"day": "03/04/2024", "seller": "Quill Harbour Ltd"})

    class Dated(BaseModel):
        day: IsoDate | None = None
        seller: Verbatim | None = None

    found, usual = (
        Extractor(Dated, engine=engine).extract(one) for one in (document, page(*plain))
    )

    assert found.values == usual.values
    assert [one.code for one in found.warnings] == [
        "hidden_text",
        *[o.code for o in usual.warnings],
    ]


def test_hidden_words_are_no_part_of_what_is_looked_at_however_many() -> None:
    seen = (text("Dated 12/25/2023 and 03/04/2024"), text("Sum 1,234.00 and 12.50", y=380))
    many = [text("x " * 400, x=5, y=590 - n, size=1, colour=WHITE) for n in range(60)]
    document, plain = page(*many, *seen), page(*seen)

    assert len(document.text) > 20_000
    assert document.locale == plain.locale == Locale("en", ".", False)
    assert sketch(document) == sketch(plain) != ()


def test_hidden_words_do_not_decide_where_a_document_is_cut() -> None:
    seen = [text(f"Line {n} of the visible text", x=200, y=570 - 20 * n) for n in range(20)]
    between = [text("word " * 30, y=562 - 40 * n, size=2, colour=WHITE) for n in range(10)]
    config = WindowConfig(40, 0)

    def shown(document: Document) -> list[str]:
        windows = cut(document, config, lambda piece: len(piece.split()))
        source = document.in_sight()
        return [source.shown(one.start, one.end).strip() for one in windows]

    assert len(shown(page(*seen))) > 2
    assert shown(page(*seen, *between)) == shown(page(*seen))


def test_a_hidden_identifier_fills_nothing_from_known_parties(tmp_path: Path) -> None:
    table = tmp_path / "vendors.csv"
    table.write_text("seller_vat_id,iban\nDE136695976,DE89370400440532013000\n")

    class Paid(BaseModel):
        seller_vat_id: VatId | None = None
        iban: Iban | None = None

    reader = Extractor(Paid, engine=CannedEngine({}), reference=table)
    seen = text("Bill 17 for two boxes", y=300)
    hidden = reader.extract(page(seen, text("USt-IdNr. DE136695976", colour=WHITE)))
    shown = reader.extract(page(seen, text("USt-IdNr. DE136695976")))

    assert hidden.values == {"seller_vat_id": None, "iban": None}
    assert shown.values["iban"] == "DE89370400440532013000"


def test_a_hidden_word_inside_a_name_spoils_no_evidence() -> None:
    seen = text("Bill 17 for two boxes", y=300)
    document = page(
        seen, text("Quill"), text("xx", x=X + 30, colour=WHITE), text("Harbour Ltd", x=X + 46)
    )

    found = locate(document, VerbatimType(), "Quill Harbour Ltd", locale=Locale())

    assert (found.status, found.not_visible, found.text) == ("verified", False, "Quill Harbour Ltd")


def test_training_asks_for_what_it_shows(tmp_path: Path) -> None:
    """A value that stands hidden too is trained as a person sees it; one that only does is not."""
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(600, 600))
    for step in (
        text("2024-03-04 1,000.50 AB-7", y=560, colour=WHITE),
        text("Dated March 4 2024 by Miller", y=500),
        text("Total 1000.50 of the order", y=480),
    ):
        canvas.saveState()
        step(canvas)
        canvas.restoreState()
    canvas.save()
    (tmp_path / "one.pdf").write_bytes(stream.getvalue())

    class Order(BaseModel):
        day: IsoDate | None = None
        total: Money | None = None
        number: Identifier | None = None

    schema = Schema.of(Order)
    fields = {"day": "2024-03-04", "total": "1000.50", "number": "AB-7"}
    labelled = LabelledDocument("one", tmp_path / "one.pdf", None, fields)
    built = build([labelled], schema, WindowConfig(), len)
    asked: list[str] = []

    def answer(shown: str) -> dict[str, Any]:
        asked.append(shown)
        return {}

    Extractor(Order, engine=CannedEngine(answer)).extract(tmp_path / "one.pdf")

    (pair,) = built.pairs
    assert json.loads(pair.target) == {"day": "March 4 2024", "total": "1000.50"}
    assert [problem.field for problem in built.problems] == ["number"]
    assert asked == [pair.text]


def test_a_visible_place_is_preferred_and_counts_alone() -> None:
    document = page(text("Total 8.50", colour=WHITE, y=550))

    total = locate(document, MoneyType(), Decimal("8.50"), locale=Locale())

    assert (total.status, total.not_visible) == ("verified", False)
    assert total.bbox is not None and total.bbox[1] > 80


def test_a_value_with_a_hidden_part_is_flagged() -> None:
    document = page(text("12"), text("3.00", x=X + 13.4, colour=WHITE))

    assert locate(document, MoneyType(), Decimal("123.00"), locale=Locale()).not_visible


class Bill(BaseModel):
    total: Money | None = None
    note: Verbatim | None = None


def test_an_extraction_warns_of_values_that_are_not_visible() -> None:
    engine = CannedEngine({"total": "1.00", "note": "Total"})

    extraction = Extractor(Bill, engine=engine).extract(page(text(colour=WHITE)))

    assert [(one.field, one.code) for one in extraction.warnings] == [
        ("", "hidden_text"), ("total", "not_visible"),
    ]  # fmt: skip
    assert extraction.fields["total"].evidence.not_visible
    assert not extraction.fields["note"].evidence.not_visible


def test_each_line_of_a_value_has_a_box_in_points_and_in_shares_of_the_page() -> None:
    document = page(text("Miller and Sons"), text("Holding Ltd", y=Y - 15))

    found = locate(document, VerbatimType(), "Miller and Sons Holding Ltd", locale=Locale())

    assert len(found.boxes) == 2
    assert (found.bbox, found.bbox_relative) == (found.boxes[0].bbox, found.boxes[0].bbox_relative)
    for box in found.boxes:
        shares = [side / 600 for side in box.bbox]
        assert box.bbox_relative == pytest.approx(shares, abs=1e-4)


def test_boxes_go_by_the_page_that_is_shown_where_its_size_is_inherited() -> None:
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(400, 600))
    canvas.drawString(60, 500, "Total 8.50")
    canvas.save()
    writer = PdfWriter(PdfReader(stream))
    pages: Any = writer.root_object["/Pages"].get_object()
    pages[NameObject("/MediaBox")] = writer.pages[0].pop("/MediaBox")
    changed = io.BytesIO()
    writer.write(changed)

    (word, _) = read(changed.getvalue()).pages[0].words

    assert word.bbox[3] == pytest.approx(100, abs=5)


def test_values_of_a_row_are_located_together() -> None:
    document = Document.from_text("Ref 2\nPen  2  5.00  10.00\nInk  2  7.00  14.00\nTotal 24.00")
    money, name = MoneyType(), VerbatimType()
    wanted = [
        Wanted(f"rows[{index}].{field}", kind, value)
        for index, (item, price) in enumerate([("Pen", "5.00"), ("Ink", "7.00")])
        for field, kind, value in [
            ("name", name, item), ("count", money, Decimal(2)), ("price", money, Decimal(price)),
        ]
    ]  # fmt: skip

    found = locate_all(document, wanted, locale=Locale())

    counts = [found[f"rows[{index}].count"].start for index in (0, 1)]
    assert counts == [document.text.index("2  5.00"), document.text.index("2  7.00")]


def test_a_total_that_is_also_the_amount_of_the_only_row_stands_below_it() -> None:
    document = Document.from_text("Pen  1  5.00\nTotal 5.00")
    wanted = [
        Wanted("total", MoneyType(), Decimal("5.00")),
        Wanted("rows[0].name", VerbatimType(), "Pen"),
        Wanted("rows[0].amount", MoneyType(), Decimal("5.00")),
    ]

    found = locate_all(document, wanted, locale=Locale())

    assert list(found) == [one.path for one in wanted]
    assert found["total"].start == document.text.rindex("5.00")
    assert found["rows[0].amount"].start == document.text.index("5.00")
