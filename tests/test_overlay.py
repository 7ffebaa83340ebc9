"""Pictures of the pages, with the values marked where they stand; nothing else leaves."""

from __future__ import annotations

import io
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image
from pydantic import BaseModel
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject
from reportlab.pdfgen.canvas import Canvas

from extractor import Extractor, batch, overlay
from extractor.errors import DocumentError, OutputError
from extractor.fields import Money, Verbatim
from extractor.testing import CannedEngine


class Bill(BaseModel):
    seller: Verbatim | None = None
    total: Money | None = None
    paid: Money | None = None


def pdf(*lines: str) -> bytes:
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(400, 600))
    for number, line in enumerate(lines):
        canvas.drawString(50, 500 - 40 * number, line)
    canvas.setFillColorRGB(1, 1, 1)
    canvas.drawString(50, 100, "9.99")
    canvas.save()
    return stream.getvalue()


def extractor(**answer: str) -> Extractor[Bill]:
    return Extractor(Bill, engine=CannedEngine({"seller": "Mill Ltd", "total": "8.50", **answer}))


def pictures(path: Path) -> list[Image.Image]:
    """Return the pages at one pixel for a point."""
    return [page.render().to_pil().convert("RGB") for page in pypdfium2.PdfDocument(path)]


def reds(image: Image.Image, box: tuple[int, int, int, int]) -> int:
    data = image.crop(box).tobytes()
    pixels = zip(data[::3], data[1::3], data[2::3], strict=True)
    return sum(r > 150 and g < 130 and b < 130 for r, g, b in pixels)


def test_a_value_is_marked_where_it_stands_and_in_red_where_nobody_sees_it(tmp_path: Path) -> None:
    data = pdf("Mill Ltd", "Total 8.50")
    extraction = extractor(paid="9.99").extract(data)

    overlay.draw(data, extraction, tmp_path / "deep" / "out.pdf")

    (image,) = pictures(tmp_path / "deep" / "out.pdf")
    assert (image.width, image.height > 600) == (400, True)
    assert reds(image, (40, 480, 90, 510)) > 20
    assert reds(image, (40, 80, 110, 160)) == 0


def test_nothing_of_the_file_itself_is_copied(tmp_path: Path) -> None:
    writer = PdfWriter(PdfReader(io.BytesIO(pdf("Mill Ltd", "Total 8.50"))))
    script = {"/S": NameObject("/JavaScript"), "/JS": TextStringObject("app.alert(1)")}
    writer.root_object[NameObject("/OpenAction")] = DictionaryObject(
        {NameObject(key): value for key, value in script.items()}
    )
    writer.add_attachment("virus.exe", b"MZ secret")
    stream = io.BytesIO()
    writer.write(stream)

    overlay.draw(stream.getvalue(), extractor().extract(stream.getvalue()), tmp_path / "out.pdf")

    reader = PdfReader(tmp_path / "out.pdf")
    assert not reader.attachments
    assert not {"/Names", "/OpenAction"} & set(reader.root_object)
    assert "".join(page.extract_text() for page in reader.pages) == ""


def test_only_pages_with_a_value_are_drawn(tmp_path: Path) -> None:
    writer = PdfWriter()
    for content in (pdf("Cover"), pdf("Mill Ltd", "Total 8.50"), pdf("Terms")):
        writer.append(PdfReader(io.BytesIO(content)))
    stream = io.BytesIO()
    writer.write(stream)

    overlay.draw(stream.getvalue(), extractor().extract(stream.getvalue()), tmp_path / "out.pdf")

    assert len(PdfReader(tmp_path / "out.pdf").pages) == 1


def test_a_batch_draws_each_document_once_under_a_safe_name(tmp_path: Path) -> None:
    inbox, folder = tmp_path / "inbox", tmp_path / "overlays"
    inbox.mkdir()
    for name in ("a:b", "ä;rm", "a b", "-rf"):
        (inbox / f"{name}.pdf").write_bytes(pdf("Mill Ltd", f"Total 8.50 {name}"))
    (inbox / "note.txt").write_text("Mill Ltd\nTotal 8.50")
    (inbox / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    files = batch.inputs([inbox])
    output = tmp_path / "records.jsonl"

    first = batch.run(files, extractor(), output, overlay=folder)
    drawn = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    second = batch.run(files, extractor(), output, overlay=folder)

    assert (first.drawn, second.drawn, second.read) == (4, 4, 0)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == drawn
    assert all(set(path.stem) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for path in drawn)
    assert not any(path.name.startswith("-") for path in drawn)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"inbox", "overlays", "records.jsonl", ".records.journal"}


def test_a_text_has_no_pages_to_draw(tmp_path: Path) -> None:
    data = b"Mill Ltd\nTotal 8.50"

    with pytest.raises(DocumentError):
        overlay.draw(data, extractor().extract(data, name="a.txt"), tmp_path / "out.pdf")
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_told_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(OutputError, match="cannot be written"):
        overlay.check(tmp_path / "file" / "overlays")
