"""Scans, images, web pages, Word files, mails and archives become documents, or typed errors."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import docx
import numpy
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydantic import BaseModel
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from extractor import Extractor, batch
from extractor import document as documents
from extractor.document import Limits, expand, read
from extractor.errors import DocumentError, MissingExtra
from extractor.fields import Money
from extractor.testing import CannedEngine

LINES = ["Bakery Ostermann Ltd", "Invoice 20417", "Date 16 May 2024", "Total 1,234.50"]


def picture(lines: list[str] = LINES, scale: int = 3) -> Image.Image:
    """Draw lines on a sheet of 200 by 150 points; scale is pixels a point."""
    image = Image.new("RGB", (200 * scale, 150 * scale), "white")
    pen = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        place = (20 * scale, (20 + 30 * number) * scale)
        pen.text(place, line, "black", ImageFont.load_default(12 * scale))
    return image


def image_bytes(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def scan(*pages: Image.Image | str) -> bytes:
    """Make a PDF; a page is a picture that fills it, or a line of text."""
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(200, 150), invariant=1)
    for page in pages:
        if isinstance(page, str):
            canvas.drawString(20, 100, page)
        else:
            canvas.drawImage(ImageReader(page), 0, 0, 200, 150)
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


def category(data: bytes, name: str = "file", **options: Any) -> str:
    with pytest.raises(DocumentError) as caught:
        read(data, name=name, **options)
    assert caught.value.hint
    return caught.value.category


# ---------------------------------------------------------------- OCR


def test_a_scanned_page_is_read_with_boxes_in_points_and_confidence() -> None:
    document = read(scan(picture()))
    (page,) = document.pages

    assert document.text.splitlines() == LINES
    assert document.unread_pages == ()
    assert [document.text[w.start : w.end] for w in page.words] == [w.text for w in page.words]
    assert all(0.5 < (word.confidence or 0) <= 1 for word in page.words)
    (total,) = [word for word in page.words if word.text == "1,234.50"]
    # Drawn at 12 points, 110 from the top; "Total " stands before it.
    assert total.bbox == pytest.approx((51, 110, 99, 123), abs=5)


def test_words_of_a_text_layer_have_no_confidence_and_are_not_touched_by_auto() -> None:
    data = scan("Total 99.00")
    with_ocr, without = read(data), read(data, ocr="never")

    assert with_ocr == without
    assert {word.confidence for word in with_ocr.pages[0].words} == {None}


def test_only_the_pages_without_text_are_read_by_ocr() -> None:
    data = scan("Page one", picture(["Total 99.00"]), Image.new("RGB", (60, 45), "white"))

    document = read(data)
    never = read(data, ocr="never")

    assert document.text == "Page one\n\nTotal 99.00\n\n"
    assert document.unread_pages == () and never.unread_pages == (2, 3)
    assert document.page_at(document.text.index("Total")) == 2
    ((number, _),) = document.boxes(document.text.index("99"), len(document.text))
    assert number == 2


@pytest.mark.slow
def test_always_reads_the_picture_of_a_page_that_has_text() -> None:
    document = read(scan("Total 99.00"), ocr="always")

    assert document.text == "Total 99.00\n"
    assert document.pages[0].words[0].confidence is not None


@pytest.mark.slow
@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_that_lies_on_its_side_is_read_and_boxes_lie_where_it_shows_them(turn: int) -> None:
    turned = picture().rotate(turn, expand=True)
    document = read(image_bytes(turned, "PNG", dpi=(216, 216)))
    (page,) = document.pages

    assert document.text.splitlines() == LINES
    sides = [turned.width / 3, turned.height / 3]
    assert [page.width_pt, page.height_pt] == pytest.approx(sides, abs=0.01)
    (x0, top, x1, bottom) = page.words[0].bbox
    # "Bakery", whose left upper corner is at (20, 20) before the turn to the left.
    corner = {90: (x0, bottom), 180: (x1, bottom), 270: (x1, top)}[turn]
    expected = {90: (20, 180), 180: (180, 130), 270: (130, 20)}[turn]
    assert corner == pytest.approx(expected, abs=6)


@pytest.mark.slow
def test_a_page_that_leans_keeps_its_rows() -> None:
    sheet = Image.new("RGB", (1200, 700), "white")
    pen = ImageDraw.Draw(sheet)
    for row, (item, price) in enumerate([("Pens", "2.50"), ("Paper", "4.75"), ("Ink", "9.30")]):
        pen.text(
            (100, 200 + 60 * row), f"{item} for the office", "black", ImageFont.load_default(36)
        )
        pen.text((900, 200 + 60 * row), price, "black", ImageFont.load_default(36))
    leaning = sheet.rotate(-2.5, Image.Resampling.BICUBIC, fillcolor="white")

    lines = read(image_bytes(leaning, "PNG")).text.splitlines()

    assert lines == [
        "Pens for the office  2.50",
        "Paper for the office  4.75",
        "Ink for the office  9.30",
    ]


def test_each_frame_of_a_tiff_is_a_page() -> None:
    first, second = picture(["First page"]), picture(["Second page"])
    data = image_bytes(first, "TIFF", save_all=True, append_images=[second], dpi=(216, 216))

    document = read(data)

    assert document.text == "First page\n\nSecond page\n"
    assert [(p.number, p.width_pt, p.height_pt) for p in document.pages] == [
        (1, pytest.approx(200, abs=0.01), pytest.approx(150, abs=0.01)),
        (2, pytest.approx(200, abs=0.01), pytest.approx(150, abs=0.01)),
    ]


@pytest.mark.slow
def test_a_photo_is_read_the_way_up_that_its_camera_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned to the right
    data = image_bytes(picture().rotate(90, expand=True), "JPEG", exif=exif)

    (page,) = read(data).pages

    assert page.words[0].text == "Bakery"
    assert page.width_pt > page.height_pt
    assert page.words[0].bbox[1] < page.height_pt / 4


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["L", "1", "RGBA", "P", "CMYK", "I;16"])
def test_pictures_of_all_kinds_of_colour_are_read(mode: str) -> None:
    image = picture(["Total 99.00"])
    if mode == "I;16":
        image = Image.fromarray(numpy.asarray(image.convert("L")).astype("u2") * 257)
    elif mode == "RGBA":
        # Black print on nothing: without paper it would be black on black.
        alpha = image.convert("L").point(lambda shade: 255 - shade)
        image = Image.new("RGBA", image.size, (0, 0, 0, 0))
        image.putalpha(alpha)
    else:
        image = image.convert(mode)
    kind = "TIFF" if mode == "CMYK" else "PNG"

    assert read(image_bytes(image, kind)).text == "Total 99.00\n"


def bomb(width: int, height: int) -> bytes:
    """Make a PNG of some hundred bytes that says how large it is and holds nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (
        chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 999)) + chunk(b"IEND", b"")
    )
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize("size", [(50_000, 50_000), (12_000, 12_000)])
def test_an_image_that_would_fill_the_memory_is_too_big(size: tuple[int, int]) -> None:
    assert category(bomb(*size)) == "too_big"


def test_a_damaged_image_is_broken_and_a_blank_one_has_no_text() -> None:
    whole = image_bytes(picture(), "PNG")

    assert category(whole[: len(whole) // 2]) == "broken"
    assert category(b"\xff\xd8\xff\xe0 nothing") == "broken"
    assert category(image_bytes(Image.new("L", (90, 90), 255), "PNG")) == "no_text"


@pytest.mark.slow
def test_limits_of_ocr_are_kept_and_the_next_file_is_read() -> None:
    assert category(scan(picture(), picture()), limits=Limits(ocr_pages=1)) == "too_big"
    assert category(scan(picture()), limits=Limits(ocr_seconds_s=0.01)) == "too_big"
    assert "20417" in read(scan(picture())).text


def test_never_says_how_to_allow_ocr_and_does_not_use_it() -> None:
    for data in (scan(picture()), image_bytes(picture(), "PNG")):
        with pytest.raises(DocumentError, match="--ocr auto") as caught:
            read(data, ocr="never")
        assert caught.value.category == "no_text"


def test_without_the_extra_the_hint_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_installed", lambda extra: "")

    for data in (scan(picture()), image_bytes(picture(), "PNG")):
        with pytest.raises(DocumentError, match=r'pip install "fieldwright\[ocr\]"') as caught:
            read(data)
        assert caught.value.category == "no_text"
    assert read(scan("Total 99.00", picture())).unread_pages == (2,)
    with pytest.raises(MissingExtra, match="fieldwright"):
        read(scan(picture()), ocr="always")


def test_a_mode_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="auto, never or always"):
        read(b"text", ocr="sometimes")  # type: ignore[arg-type]


# ---------------------------------------------------------------- HTML, Word, encodings

PAGE = b"""<!DOCTYPE html><html><head><title>t</title><style>p {color: red}</style></head><body>
<script>var secret = 1;</script><h1>Bakery &amp; Sons</h1>
<p>Invoice<b> 204</b>17<br>of 16&nbsp;May</p>
<div style="display: none">unseen</div><p hidden>unseen</p><!-- unseen -->
<table><tr><th>Item</th><th>Sum</th></tr><tr><td>Blue
  pen</td><td><p>5.00</p><p>EUR</p></td></tr></table>
</body></html>"""


def test_html_is_read_as_a_browser_shows_it() -> None:
    document = read(PAGE)

    assert document.text.splitlines() == [
        "Bakery & Sons", "Invoice 20417", "of 16 May", "Item  Sum", "Blue pen  5.00", "EUR",
    ]  # fmt: skip
    assert document.pages[0].words == ()


def test_html_is_decoded_as_it_says() -> None:
    data = '<html><meta charset="iso-8859-1"><p>Müller 5 \x80</p>'.encode("latin-1")

    assert read(data, name="a.html").text == "Müller 5 €"


def test_html_that_is_nested_without_end_is_read() -> None:
    document = read(b"<html>" + b"<div><span>" * 4_000 + b"Total 5.00", name="a.html")

    assert document.text.split() == ["Total", "5.00"]


def word_file() -> bytes:
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "Bakery Ostermann"
    document.add_paragraph("Invoice\t20417")
    table = document.add_table(2, 2)
    for cell, text in zip(table._cells, ["Item", "Sum", "Blue pen\nfine", "5.00"], strict=True):
        cell.text = text
    hidden = document.add_paragraph("Total 5.00 ").add_run("unseen")
    hidden.font.hidden = True
    document.sections[0].footer.paragraphs[0].text = "Thank you"
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def test_a_word_file_is_read_with_its_header_and_rows() -> None:
    assert read(word_file()).text.splitlines() == [
        "Bakery Ostermann", "Invoice  20417", "Item  Sum", "Blue pen  5.00", "fine", "Total 5.00",
        "Thank you",
    ]  # fmt: skip


def archive(*members: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            file.writestr(name, content)
    return stream.getvalue()


def test_other_office_files_and_damaged_ones_are_typed_errors() -> None:
    workbook = archive(("[Content_Types].xml", b"<x/>"), ("xl/workbook.xml", b"<x/>"))
    broken = archive(("[Content_Types].xml", b"<x/>"), ("word/document.xml", b"<w:p"))

    assert category(workbook, "a.xlsx") == "unsupported"
    assert category(broken, "a.docx") == "broken"
    assert category(word_file()[:900], "a.docx") == "broken"
    assert category(word_file(), limits=Limits(inflated_bytes=100)) == "too_big"
    assert category(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "a.doc") == "unsupported"
    assert category(b"{\\rtf1 text}", "a") == "unsupported"


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_texts_in_old_encodings_are_read(encoding: str) -> None:
    text = "Rechnung der Bäckerei Müller & Söhne über 5,00 € für Brötchen und Gebäck\n" * 5

    assert read(text.encode(encoding), name="a.txt").text == text


# ---------------------------------------------------------------- mails and archives


def mail(*files: tuple[str, bytes], text: str = "Please find our invoice.") -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"] = "Ann <ann@example.com>", "Invoice"
    message["Message-ID"] = "<1@example.com>"
    message.set_content(text)
    for name, content in files:
        message.add_attachment(
            content, maintype="application", subtype="octet-stream", filename=name
        )
    return message.as_bytes()


INVOICE = scan("Total 99.00")


def test_the_attachment_of_a_mail_is_the_document_and_not_the_words_around_it() -> None:
    document = read(mail(("invoice.pdf", INVOICE), ("smime.p7s", b"\0\1\2")), name="m.eml")

    assert (document.name, document.text) == ("m.eml/invoice.pdf", "Total 99.00\n")
    assert document.sha256 == read(INVOICE).sha256


def test_a_mail_without_a_readable_attachment_is_a_document_itself() -> None:
    document = read(mail(("smime.p7s", b"\0\1\2"), text="Total 5.00 EUR"))

    assert document.text.splitlines() == [
        "From: Ann <ann@example.com>", "Subject: Invoice", "", "Total 5.00 EUR",
    ]  # fmt: skip


def test_a_mail_that_holds_nothing_says_so() -> None:
    assert category(mail(("smime.p7s", b"\0\1\2"), text=" ")) == "unsupported"


def test_a_picture_that_the_mail_shows_within_its_text_is_no_document() -> None:
    message = EmailMessage()
    message["From"], message["Message-ID"] = "ann@example.com", "<1@example.com>"
    message.set_content('<p>Total 5.00</p><img src="cid:logo">', subtype="html")
    logo = image_bytes(picture(), "PNG")
    message.add_related(logo, maintype="image", subtype="png", cid="<logo>", filename="logo.png")

    assert read(message.as_bytes()).text.splitlines()[-1] == "Total 5.00"


def test_a_container_of_several_documents_says_how_to_read_them() -> None:
    data = archive(("a.txt", b"one"), ("b.txt", b"two"))

    with pytest.raises(DocumentError, match="extract_many") as caught:
        read(data, name="a.zip")
    assert caught.value.category == "unsupported"


def names(data: bytes, name: str, **limits: Any) -> dict[str, str | None]:
    return {
        member.name: None if member.error is None else member.error.category
        for member in expand(data, name=name, limits=Limits(**limits))
    }


def test_containers_are_opened_in_containers_but_not_deeper() -> None:
    inner = archive(("deep.txt", b"text"))
    data = archive(("m.eml", mail(("a.txt", b"text"))), ("i.zip", archive(("n.zip", inner))),
                   ("__MACOSX/._a.pdf", b"x"), ("notes.xyz", b"x"))  # fmt: skip

    assert names(data, "z.zip") == {
        "z.zip/m.eml/a.txt": None,
        "z.zip/i.zip/n.zip": "unsupported",
    }


def test_names_in_an_archive_lead_nowhere() -> None:
    data = archive(("../../etc/a.txt", b"1"), ("/abs/b.txt", b"2"), ("C:\\w\\..\\c.txt", b"3"))

    assert list(names(data, "z.zip")) == ["z.zip/etc/a.txt", "z.zip/abs/b.txt", "z.zip/w/c.txt"]


def test_an_archive_that_unpacks_to_too_much_is_stopped() -> None:
    zeros = bytes(4 * 1024**2)
    data = archive(*((f"{n}.txt", zeros) for n in range(6)))

    assert set(names(data, "z.zip", file_bytes=1024**2).values()) == {"too_big"}
    found = names(data, "z.zip", inflated_bytes=10 * 1024**2)
    assert list(found.values()) == [None, None, "too_big"]
    assert names(data, "z.zip", members=5) == {"z.zip": "too_big"}


def protected(data: bytes) -> bytes:
    """Mark the members of an archive as encrypted, which Python cannot write."""
    changed = bytearray(data)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = changed.find(signature)
        while at >= 0:
            changed[at + offset] |= 1
            at = changed.find(signature, at + 4)
    return bytes(changed)


def test_a_protected_or_damaged_archive_is_a_typed_error() -> None:
    data = archive(("a.pdf", INVOICE))

    assert category(protected(data), "a.zip") == "encrypted"
    assert category(protected(archive(("a.pdf", b"1"), ("b.pdf", b"2"))), "a.zip") == "encrypted"
    assert category(data[:-9], "a.zip") == "broken"
    assert category(archive(("a.bin", b"\0")), "a.zip") == "unsupported"


class Bill(BaseModel):
    total: Money | None = None


def test_a_batch_writes_one_line_for_each_document_in_a_container(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "a.eml").write_bytes(mail(("invoice.pdf", INVOICE), ("copy.pdf", INVOICE)))
    (inbox / "b.zip").write_bytes(archive(("x/a.txt", b"Total 5.00"), ("x/b.pdf", b"%PDF-1.7")))
    (inbox / "c.zip").write_bytes(b"PK\x03\x04")
    extractor = Extractor(Bill, engine=CannedEngine(lambda text: {"total": text.split()[-1]}))
    output = tmp_path / "records.jsonl"

    summary = batch.run(batch.inputs([inbox]), extractor, output)
    again = batch.run(batch.inputs([inbox]), extractor, output)

    lines = [json.loads(line) for line in output.read_text().splitlines()]
    found = {
        line["input"].removeprefix(f"{inbox}/"): (
            line["error"]["category"] if line["error"] else line["record"]["total"]
        )
        for line in lines
    }
    assert found == {
        "a.eml/invoice.pdf": "99.00", "a.eml/copy.pdf": "99.00",
        "b.zip/x/a.txt": "5.00", "b.zip/x/b.pdf": "broken", "c.zip": "broken",
    }  # fmt: skip
    assert (summary.read, summary.kept, summary.failed) == (5, 0, 2)
    assert (again.read, again.kept, again.failed) == (0, 5, 2)
    assert {path.name for path in tmp_path.iterdir()} == {
        "inbox", "records.jsonl", ".records.journal",
    }  # fmt: skip


def test_another_mode_of_ocr_reads_again(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(scan(picture(["Total 99.00"])))
    output = tmp_path / "records.jsonl"
    engine = CannedEngine(lambda text: {"total": text.split()[-1]})

    without = batch.run(
        [str(tmp_path / "a.pdf")], Extractor(Bill, engine=engine, ocr="never"), output
    )
    with_ocr = batch.run([str(tmp_path / "a.pdf")], Extractor(Bill, engine=engine), output)

    assert (without.failed, with_ocr.read, with_ocr.failed) == (1, 1, 0)


def test_extract_many_reads_each_document_of_a_container(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(archive(("a.txt", b"Total 5.00"), ("b.txt", b"Total 6.00")))
    extractor = Extractor(Bill, engine=CannedEngine(lambda text: {"total": text.split()[-1]}))

    totals = [
        e.values["total"] for e in extractor.extract_many([tmp_path / "a.zip", b"Total 7.00"])
    ]

    assert [str(total) for total in totals] == ["5.00", "6.00", "7.00"]
