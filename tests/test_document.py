"""Files become documents with true offsets and boxes, or typed errors; never a crash."""

from __future__ import annotations

import io
import os
import signal
import time
from pathlib import Path
from typing import Any

import pypdf
import pytest
from reportlab.pdfgen.canvas import Canvas

from extractor import document as documents
from extractor.document import Document, Limits, read
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


def test_limits_that_let_nothing_through_are_refused() -> None:
    with pytest.raises(ValueError, match="seconds_s must be above 0"):
        Limits(seconds_s=0)


def test_a_worker_that_is_killed_is_replaced() -> None:
    assert "Blue pen" in read(pdf(TABLE)).text
    process = documents._worker._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    started_s = time.monotonic()
    assert "Blue pen" in read(pdf(TABLE)).text
    assert time.monotonic() - started_s < 10


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
