"""Words with boxes become lines that a reader would read."""

from __future__ import annotations

from extractor.document.layout import Placed, lines


def row(text: str, top: float, x: float = 10, height: float = 10) -> list[Placed]:
    """Set words side by side, six points a letter."""
    placed: list[Placed] = []
    for word in text.split():
        placed.append((word, x, top, x + 6 * len(word), top + height))
        x += 6 * len(word) + 6
    return placed


def texts(words: list[Placed]) -> list[str]:
    return [" ".join(word[0] for word in line) for line in lines(words)]


def test_lines_set_so_closely_that_they_overlap_are_not_mixed() -> None:
    words = row("received from Acme the goods below", 100) + row("recipient Miller of York", 106)
    assert texts(words) == ["received from Acme the goods below", "recipient Miller of York"]


def test_cells_of_a_row_that_are_set_a_little_apart_stay_together() -> None:
    assert texts(row("Pen", 100) + row("12", 105, x=200) + row("2.50", 102, x=300)) == [
        "Pen 12 2.50"
    ]


def test_bold_print_made_of_two_impressions_is_read_once() -> None:
    assert texts(row("Total due", 100) + row("Total due", 100.3, x=10.4)) == ["Total due"]
