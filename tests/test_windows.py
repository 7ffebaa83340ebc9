"""Windows cover the text, and their answers become one record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.windows import Answer, Window, WindowConfig, cut, merge


def words(text: str) -> int:
    return len(text.split())


@given(
    st.lists(st.text("ab \n", max_size=30), max_size=40).map("\n".join),
    st.integers(2, 20),
)
def test_windows_cover_the_text_and_move_forward(text: str, size: int) -> None:
    windows = cut(text, WindowConfig(size, size // 4), words)

    assert windows[0].start == 0
    assert windows[-1].end == len(text)
    for before, after in zip(windows, windows[1:], strict=False):
        assert before.start < after.start <= before.end < after.end


def test_a_short_text_is_one_window() -> None:
    assert cut("one\ntwo\n", WindowConfig(), words) == [Window(0, 8)]


def test_a_line_longer_than_a_window_is_cut_at_a_space() -> None:
    text = " ".join(["word"] * 100)

    windows = cut(text, WindowConfig(10, 0), words)

    assert "".join(text[w.start : w.end] for w in windows) == text
    assert all(words(text[w.start : w.end]) <= 10 for w in windows)


def test_neighbours_share_whole_lines() -> None:
    text = "".join(f"line {number}\n" for number in range(20))

    first, second, *_ = cut(text, WindowConfig(10, 4), words)

    assert text[second.start : first.end] == "line 3\nline 4\n"


def test_overlap_of_more_than_half_a_window_is_refused() -> None:
    with pytest.raises(ValueError, match="overlap_tokens must be between"):
        WindowConfig(10, 6)


def answer(window: Window, text: str, probability: float = 0.9, **printed: object) -> Answer:
    return Answer(printed, dict.fromkeys(printed, probability), window, text)


def test_the_surer_window_decides_a_single_value() -> None:
    text = "a\nb\n"
    unsure = answer(Window(0, 2), text, 0.4, total="a")
    sure = answer(Window(2, 4), text, 0.8, total="b")

    assert merge([unsure, sure]) == ({"total": "b"}, {"total": 1})


def test_null_has_no_say_where_another_window_found_something() -> None:
    nothing = answer(Window(0, 2), "a\nb\n", 1.0, total=None)
    something = answer(Window(2, 4), "a\nb\n", 0.3, total="b")

    assert merge([nothing, something])[0] == {"total": "b"}


def test_rows_in_the_overlap_are_counted_once_and_equal_rows_elsewhere_twice() -> None:
    text = "pen 1\nink 2\nink 2\ncap 3\n"
    first = answer(Window(0, 18), text, rows=[{"n": "pen"}, {"n": "ink"}, {"n": "ink"}])
    second = answer(Window(12, 24), text, rows=[{"n": "ink"}, {"n": "cap"}])

    merged, _ = merge([first, second])

    assert [row["n"] for row in merged["rows"]] == ["pen", "ink", "ink", "cap"]
