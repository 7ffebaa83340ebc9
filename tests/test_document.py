"""Files become documents with true offsets and boxes, or typed errors; never a crash."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pypdf
import pytest
from PIL import Image
from pypdf.errors import PyPdfError
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NullObject,
    NumberObject,
    StreamObject,
    TextStringObject,
)
from reportlab.pdfgen.canvas import Canvas

from extractor.document import Document, Limits, read
from extractor.document import pdf as reader
from extractor.document.layout import Placed, lines, separators
from extractor.errors import DocumentError
from extractor.evidence import locate, occurrences
from extractor.fields import Locale, MoneyType, VerbatimType


def pdf(*pages: list[tuple[float, float, str]], rotate: int = 0) -> bytes:
    """Make a PDF; each entry is x and y in points from the bottom left, and a text."""
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(400, 600), invariant=1)
    for page in pages:
        canvas.setPageRotation(rotate)
        for x, y, text in page:
            canvas.drawString(x, y, text)
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


TABLE = [
    (50, 500, "Item"), (200, 500, "Price"), (300, 500, "Sum"),
    (50, 480, "Blue pen"), (200, 480, "2.50"), (300, 480, "5.00"),
]  # fmt: skip


def test_rows_stay_on_one_line_and_columns_are_two_spaces_apart() -> None:
    document = read(pdf(TABLE))

    assert document.text == "Item  Price  Sum\nBlue pen  2.50  5.00\n"


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_words_have_true_offsets_and_boxes_from_the_top_left(rotate: int) -> None:
    document = read(pdf([(50, 300, "Hello world")], rotate=rotate))
    (page,) = document.pages

    assert [document.text[w.start : w.end] for w in page.words] == [w.text for w in page.words]
    for word in page.words:
        x0, top, x1, bottom = word.bbox
        assert 0 <= x0 < x1 <= page.width_pt and 0 <= top < bottom <= page.height_pt
    if rotate == 0:
        assert page.words[0].bbox[0] == pytest.approx(50, abs=1)
        assert page.words[0].bbox[3] == pytest.approx(302, abs=3)


def test_large_print_beside_small_lines_does_not_join_them() -> None:
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(400, 600))
    canvas.setFont("Helvetica", 9)
    canvas.drawString(50, 511, "Due date")
    canvas.drawString(50, 500, "16 May 2024")
    canvas.setFont("Helvetica", 18)
    canvas.drawString(250, 503, "99.00")
    canvas.save()

    lines = read(stream.getvalue()).text.splitlines()

    assert "16 May 2024" in lines
    assert any(line.startswith("Due date") for line in lines)


def line_of(*words: tuple[float, str]) -> str:
    """Lay out words of 6 points a letter at some x, as one line."""
    placed: list[Placed] = [(text, x, 0.0, x + 6 * len(text), 10.0) for x, text in words]
    (line,) = lines(placed)
    return "".join(
        part for pair in zip(separators(line), line, strict=True) for part in (pair[0], pair[1][0])
    )


def test_a_line_of_hebrew_is_read_from_right_to_left() -> None:
    assert line_of((100, "עולם"), (130, "שלום")) == "שלום עולם"
    assert line_of((100, "العالم"), (142, "مرحبا")) == "مرحبا العالم"


def test_numbers_and_names_in_a_line_of_hebrew_keep_their_order() -> None:
    words = (20, "לתשלום"), (100, "12.50"), (136, "EUR"), (160, 'סה"כ')

    assert line_of(*words) == 'סה"כ 12.50 EUR  לתשלום'
    assert line_of((20, "5.00"), (100, "2.50"), (160, "עטים")) == "עטים  2.50  5.00"


def test_a_line_with_a_hebrew_word_is_read_from_left_to_right() -> None:
    assert line_of((20, "Bakery"), (62, "שלום"), (100, "Ltd")) == "Bakery שלום  Ltd"


def test_pages_are_numbered_from_one_and_found_by_offset() -> None:
    document = read(pdf([(50, 500, "first")], [(50, 500, "second")]))

    assert [page.number for page in document.pages] == [1, 2]
    assert document.page_at(document.text.index("second")) == 2
    ((page, box),) = document.boxes(document.text.index("second"), len(document.text))
    assert page == 2 and box[0] == pytest.approx(50, abs=1)


def encrypted() -> bytes:
    writer = pypdf.PdfWriter(io.BytesIO(pdf(TABLE)))
    writer.encrypt("secret")
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "category"),
    [
        (lambda: encrypted(), "encrypted"),
        (lambda: b"%PDF-1.7\nnothing", "broken"),
        (lambda: b"MZ\x90\x00\x03", "not_a_pdf"),
        (lambda: pdf([]), "no_text"),
        (lambda: b"  \n ", "no_text"),
    ],
)
def test_what_gives_no_text_is_a_typed_error(data: Any, category: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read(data(), name="a.pdf" if category == "not_a_pdf" else "a")

    assert caught.value.category == category
    assert caught.value.hint


def test_paths_that_are_no_files_are_typed_errors(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.pdf")
    for name, category in (
        ("none.pdf", "missing"),
        (".", "unsupported"),
        ("fifo.pdf", "unsupported"),
    ):
        with pytest.raises(DocumentError) as caught:
            read(tmp_path / name)
        assert caught.value.category == category


def test_limits_end_a_file_and_not_the_next_one() -> None:
    with pytest.raises(DocumentError) as pages:
        read(pdf(TABLE, TABLE, TABLE), limits=Limits(pages=2))
    with pytest.raises(DocumentError) as characters:
        read(pdf(TABLE), limits=Limits(characters=5))
    with pytest.raises(DocumentError) as seconds:
        read(pdf(*[TABLE * 20] * 60), limits=Limits(seconds_s=0.01))

    assert {e.value.category for e in (pages, characters, seconds)} == {"too_big"}
    assert "Blue pen" in read(pdf(TABLE)).text


def test_pages_beyond_the_limit_are_not_left_out_where_only_pdfium_reads_a_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def damaged(*args: object, **settings: object) -> None:
        raise PyPdfError("damaged")

    monkeypatch.setattr(pypdf, "PdfReader", damaged)

    with pytest.raises(DocumentError) as caught:
        reader.read_pdf(pdf(TABLE, TABLE, TABLE), Limits(pages=2))
    assert caught.value.category == "too_big"


@pytest.mark.parametrize(("opened", "unread"), [(True, [2]), (False, [2, 3])])
def test_pages_without_text_are_told_where_only_pypdf_reads_a_file(
    monkeypatch: pytest.MonkeyPatch, opened: bool, unread: list[int]
) -> None:
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(400, 600))
    canvas.drawString(50, 500, "Total 99.00")
    canvas.showPage()
    picture(canvas)
    canvas.showPage()
    canvas.showPage()  # empty, which pypdf alone cannot tell
    canvas.save()
    # Fonts that pdfium cannot map give no words; a file that it cannot open gives no pages.
    if opened:
        monkeypatch.setattr(reader, "_words", lambda *page: [])
    else:
        monkeypatch.setattr(reader, "_pdfium_pages", lambda *limits: ([], [], False))

    content = reader.read_pdf(stream.getvalue(), Limits())

    assert "Total 99.00" in content["text"]
    assert content["unread_pages"] == unread


def test_limits_that_let_nothing_through_are_refused() -> None:
    with pytest.raises(ValueError, match="seconds_s must be above 0"):
        Limits(seconds_s=0)


def picture(canvas: Canvas) -> None:
    canvas.drawInlineImage(Image.new("RGB", (8, 8), "red"), 50, 50, 300, 300)


def test_pages_that_show_something_but_gave_no_text_are_told() -> None:
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(400, 600))
    canvas.drawString(50, 500, "Total 99.00")
    canvas.showPage()
    picture(canvas)
    canvas.showPage()
    canvas.showPage()  # empty
    picture(canvas)
    canvas.drawString(50, 500, "Page 4")
    canvas.showPage()
    picture(canvas)
    canvas.save()

    document = read(stream.getvalue())

    assert len(document.pages) == 5
    assert document.unread_pages == (2, 5)
    assert read(pdf(TABLE)).unread_pages == ()
    assert Document.from_text("a").unread_pages == ()


def test_a_page_that_cannot_be_read_is_told() -> None:
    writer = pypdf.PdfWriter(io.BytesIO(pdf([(50, 500, "first")], [(50, 500, "second")])))
    pages: Any = writer.root_object["/Pages"]
    pages["/Kids"][1] = NullObject()
    stream = io.BytesIO()
    writer.write(stream)

    document = read(stream.getvalue())

    assert document.text.split() == ["first"]
    assert document.unread_pages == (2,)


def test_a_path_that_no_system_takes_is_a_typed_error() -> None:
    with pytest.raises(DocumentError) as caught:
        read("a\0b.pdf")

    assert caught.value.category == "missing"


def test_a_text_that_speaks_of_pdf_is_a_text() -> None:
    text = b"A file begins with %PDF-1.7 and ends with %%EOF"

    assert read(text, name="a.TXT").text == text.decode()
    with pytest.raises(DocumentError) as caught:
        read(text, name="a.pdf")
    assert caught.value.category == "broken"


def test_control_and_private_use_characters_are_dropped_and_spaces_are_plain() -> None:
    text = "a\x00b\x1b[31m\u00a0c\ue000\ud800 \ufb01n\r\nd"

    assert Document.from_text(text).text == "ab[31m cfin\nd".replace("cfin", "c fin")


def test_evidence_gives_page_span_and_box() -> None:
    document = read(pdf([(50, 500, "Mill & Sons Ltd")], [(50, 500, "Total 99.00")]))
    locale = Locale.of(document.text)

    seller = locate(document, VerbatimType(), "MILL & SONS LTD", locale=locale)
    total = locate(document, MoneyType(), MoneyType().parse("99.00", locale).value, locale=locale)

    assert (seller.status, seller.page, seller.text) == ("verified", 1, "Mill & Sons Ltd")
    assert (total.status, total.page, total.text) == ("verified", 2, "99.00")
    assert total.bbox is not None and total.bbox[0] > 70


def test_evidence_says_when_a_value_is_ambiguous_fuzzy_or_nowhere() -> None:
    document = Document.from_text("Total 5.00 paid 5.00 by Bakery Ostermann")
    locale = Locale.of(document.text)
    five = MoneyType().parse("5.00", locale).value

    assert locate(document, MoneyType(), five, locale=locale).status == "ambiguous"
    assert locate(document, MoneyType(), five + 1, locale=locale).status == "not_found"
    assert locate(document, MoneyType(), None, locale=locale).status == "not_present"
    near = locate(document, VerbatimType(), "Bakery Ostermamn", locale=locale)
    assert (near.status, near.text) == ("fuzzy", "Bakery Ostermann")


def test_a_wrapped_name_is_found_over_the_line_break() -> None:
    text = "Bill to\nMiller and Sons\nHolding Ltd.\nLondon"

    ((start, end),) = occurrences(text, VerbatimType(), "Miller and Sons Holding Ltd.", Locale())

    assert text[start:end] == "Miller and Sons\nHolding Ltd."


def form(
    *,
    flags: int = 4,
    field: dict[str, str | int] | None = None,
    subtype: str = "/Widget",
    appearance: str | None = None,
    rotate: int = 0,
) -> bytes:
    """Make a page that says `Total` and has an annotation right of it, 200 x 20 points."""
    writer = pypdf.PdfWriter(io.BytesIO(pdf([(50, 500, "Total")], rotate=0)))
    page = writer.pages[0]
    annotation = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Annot"),
            NameObject("/Subtype"): NameObject(subtype),
            NameObject("/Rect"): ArrayObject(map(FloatObject, (100, 496, 300, 516))),
            NameObject("/F"): NumberObject(flags),
        }
    )
    for key, value in (field or {}).items():
        if isinstance(value, int):
            annotation[NameObject(key)] = NumberObject(value)
        elif value.startswith("/"):
            annotation[NameObject(key)] = NameObject(value)
        else:
            annotation[NameObject(key)] = TextStringObject(value)
    if appearance is not None:
        drawn = StreamObject()
        drawn.set_data(f"BT /F 12 Tf 2 5 Td ({appearance}) Tj ET".encode())
        font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
        fonts = DictionaryObject(
            {
                NameObject("/F"): DictionaryObject(
                    {NameObject(key): NameObject(value) for key, value in font.items()}
                )
            }
        )
        drawn.update(
            {
                NameObject("/Type"): NameObject("/XObject"),
                NameObject("/Subtype"): NameObject("/Form"),
                NameObject("/BBox"): ArrayObject(map(FloatObject, (0, 0, 200, 20))),
                NameObject("/Resources"): DictionaryObject({NameObject("/Font"): fonts}),
            }
        )
        annotation[NameObject("/AP")] = DictionaryObject(
            {NameObject("/N"): writer._add_object(drawn)}
        )
    reference = writer._add_object(annotation)
    page[NameObject("/Annots")] = ArrayObject([reference])
    page[NameObject("/Rotate")] = NumberObject(rotate)
    if subtype == "/Widget":
        writer.root_object[NameObject("/AcroForm")] = DictionaryObject(
            {NameObject("/Fields"): ArrayObject([reference])}
        )
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


TEXT_FIELD: dict[str, str | int] = {"/FT": "/Tx", "/T": "total", "/V": "1,110.40 EUR"}


@pytest.mark.parametrize("appearance", [None, "", "1,110.40 EUR"])
def test_the_value_of_a_form_field_is_text_where_the_field_is(appearance: str | None) -> None:
    document = read(form(field=TEXT_FIELD, appearance=appearance))

    assert document.text.split() == ["Total", "1,110.40", "EUR"]
    assert document.text.count("\n") == 1
    ((page, box),) = document.boxes(document.text.index("1,110"), len(document.text))
    assert page == 1
    assert 100 <= box[0] < box[2] <= 300 and 84 <= box[1] < box[3] <= 104


def test_what_a_field_shows_is_the_text_and_not_its_value() -> None:
    """Viewers draw the appearance; the value beneath may be a code."""
    assert read(form(field=TEXT_FIELD, appearance="1.110,40")).text == "Total  1.110,40\n"


def test_typed_notes_and_stamps_are_text_and_hidden_ones_are_not() -> None:
    note: dict[str, str | int] = {"/Contents": "paid in full"}

    assert read(form(subtype="/FreeText", field=note)).text == "Total  paid in full\n"
    assert read(form(subtype="/Stamp", appearance="PAID")).text == "Total  PAID\n"
    for flags in (2, 32):
        assert read(form(flags=flags, subtype="/FreeText", field=note)).text == "Total\n"
        assert read(form(flags=flags, field=TEXT_FIELD)).text == "Total\n"
    assert read(form(subtype="/Text", field=note)).text == "Total\n"
    assert "1,110" not in read(form(field={**TEXT_FIELD, "/Ff": 1 << 13})).text  # a password


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_pages_that_are_shown_turned_are_read_upright_with_boxes_as_shown(
    rotate: int, turned: int
) -> None:
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(600, 600))
    canvas.setPageRotation(rotate)
    canvas.translate(300, 300)
    canvas.rotate(turned)
    canvas.translate(-300, -300)
    for x, y, text in TABLE:
        canvas.drawString(x, y, text)
    canvas.save()

    document = read(stream.getvalue())

    assert document.text == "Item  Price  Sum\nBlue pen  2.50  5.00\n"
    # The first word stands at the top left of the page, which goes round with the two turns.
    x0, top, x1, bottom = document.pages[0].words[0].bbox
    corner = {0: (50, 88), 90: (502, 50), 180: (529, 502), 270: (88, 529)}
    at = corner[(rotate - turned) % 360]
    assert (x0, top) == pytest.approx(at, abs=12)
    assert (x1 - x0 > bottom - top) == ((rotate - turned) % 180 == 0)


def test_a_file_that_is_cut_off_is_repaired_and_lost_pages_are_told() -> None:
    writer = pypdf.PdfWriter()
    for _ in range(3):
        writer.append(io.BytesIO(pdf(TABLE)))
    stream = io.BytesIO()
    writer.write(stream)
    whole = stream.getvalue()
    damaged = whole[: len(whole) * 7 // 10]

    document = read(damaged)

    assert document.text.count("Blue pen") == 2
    assert len(document.pages) == 3
    assert document.unread_pages == (3,)
    with pytest.raises(DocumentError) as caught:
        reader.read_pdf(damaged, Limits(), readers=("pdfium", "pypdf"))
    assert caught.value.category == "broken"


def test_a_damaged_scan_has_no_text_and_is_not_broken() -> None:
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(400, 600))
    picture(canvas)
    canvas.save()
    writer = pypdf.PdfWriter(io.BytesIO(stream.getvalue()))
    stream = io.BytesIO()
    writer.write(stream)
    whole = stream.getvalue()

    for data in (whole, whole[: whole.rindex(b"xref\n0")]):
        with pytest.raises(DocumentError) as caught:
            read(data)
        assert caught.value.category == "no_text"


def test_a_password_opens_what_needs_one() -> None:
    with pytest.raises(DocumentError, match="needs a password"):
        read(encrypted())
    with pytest.raises(DocumentError, match="does not open it") as caught:
        read(encrypted(), password="guess")
    assert caught.value.category == "encrypted"
    assert "guess" not in str(caught.value)

    assert "Blue pen" in read(encrypted(), password="secret").text
    assert "Blue pen" in read(pdf(TABLE), password="of no use").text


def test_letters_with_marks_are_one_character() -> None:
    assert Document.from_text("Cafe\u0301 A\u030alesund").text == "Café Ålesund"


def test_a_hyphen_at_the_end_of_a_line_stays() -> None:
    stream = io.BytesIO()
    canvas = Canvas(stream)
    canvas.drawString(50, 700, "Invoice number INV-")
    canvas.drawString(50, 686, "2024-17 of the long trans-")
    canvas.drawString(50, 672, "port service")
    canvas.save()

    lines = read(stream.getvalue()).text.splitlines()

    assert ["Invoice number INV-", "2024-17 of the long trans-", "port service"] == lines


def test_an_encrypted_file_is_encrypted_for_ocr_too() -> None:
    with pytest.raises(DocumentError) as caught:
        read(encrypted(), ocr="always")

    assert "encrypted" == caught.value.category
