"""Windows cover the text, and their answers become one record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, create_model

from extractor import Extractor
from extractor.document import Document
from extractor.fields import Money, Verbatim
from extractor.schema import AnySchema, Schema
from extractor.testing import CannedEngine
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


def schema(**types: Any) -> AnySchema:
    fields: dict[str, Any] = {name: (kind | None, None) for name, kind in types.items()}
    return Schema.of(create_model("Asked", **fields))


class Party(BaseModel):
    kind: Literal["party"] = "party"
    name: Verbatim | None = None


class Row(BaseModel):
    n: Verbatim | None = None


def answer(window: Window, text: str, probability: float = 0.9, **printed: object) -> Answer:
    return Answer(printed, dict.fromkeys(printed, probability), window, text)


def test_the_surer_window_decides_a_single_value() -> None:
    text = "a\nb\n"
    unsure = answer(Window(0, 2), text, 0.4, total="a")
    sure = answer(Window(2, 4), text, 0.8, total="b")

    assert merge(schema(total=str), [unsure, sure]) == ({"total": "b"}, {"total": 1})


def test_null_has_no_say_where_another_window_found_something() -> None:
    nothing = answer(Window(0, 2), "a\nb\n", 1.0, total=None)
    something = answer(Window(2, 4), "a\nb\n", 0.3, total="b")

    assert merge(schema(total=str), [nothing, something])[0] == {"total": "b"}


def test_an_object_of_nulls_and_constants_has_no_say_against_one_with_a_value() -> None:
    real = {"kind": "party", "name": "ACME"}
    something = answer(Window(0, 2), "a\nb\n", 0.5, seller=real)
    nothing = answer(Window(2, 4), "a\nb\n", 0.9, seller={"kind": "party", "name": None})

    assert merge(schema(seller=Party), [something, nothing])[0] == {"seller": real}
    assert merge(schema(seller=Party), [nothing, something])[0] == {"seller": real}


def test_rows_of_nulls_are_not_joined() -> None:
    first = answer(Window(0, 2), "a\nb\n", rows=[{"n": "a"}, {"n": None}])
    second = answer(Window(2, 4), "a\nb\n", rows=[{"n": None}])

    assert merge(schema(rows=list[Row]), [first, second])[0] == {"rows": [{"n": "a"}]}
    assert merge(schema(rows=list[Row]), [second, second])[0] == {"rows": []}


def test_a_tuple_comes_whole_from_one_window() -> None:
    unsure = answer(Window(0, 2), "1\n2\n", 0.4, span=["1", "2"])
    sure = answer(Window(2, 4), "1\n2\n", 0.8, span=["3", "4"])

    assert merge(schema(span=tuple[Money, Money]), [unsure, sure])[0] == {"span": ["3", "4"]}


def test_a_single_answer_stays_as_it_is() -> None:
    only = answer(Window(0, 2), "a\n", rows=[{"n": None}, {"n": "a"}])

    assert merge(schema(rows=list[Row]), [only])[0] == only.printed


def test_rows_in_the_overlap_are_counted_once_and_equal_rows_elsewhere_twice() -> None:
    text = "pen 1\nink 2\nink 2\ncap 3\n"
    first = answer(Window(0, 18), text, rows=[{"n": "pen"}, {"n": "ink"}, {"n": "ink"}])
    second = answer(Window(12, 24), text, rows=[{"n": "ink"}, {"n": "cap"}])

    merged, _ = merge(schema(rows=list[Row]), [first, second])

    assert [row["n"] for row in merged["rows"]] == ["pen", "ink", "ink", "cap"]


def test_a_party_that_every_window_names_is_one_party() -> None:
    text = "ACME Ltd\nand Miller\nacme ltd\nSmith\n"
    first = answer(Window(0, 20), text, parties=["ACME Ltd", "Miller"])
    second = answer(Window(20, 35), text, parties=["acme ltd", "Smith"])

    merged, _ = merge(schema(parties=list[Verbatim]), [first, second])

    assert merged["parties"] == ["ACME Ltd", "Miller", "Smith"]


def test_equal_values_of_one_window_are_kept() -> None:
    first = answer(Window(0, 4), "1.00\n2.00\n", sums=["1.00", "1.00"])
    second = answer(Window(4, 10), "1.00\n2.00\n", sums=["1.00", "2.00"])

    assert merge(schema(sums=list[Money]), [first, second])[0]["sums"] == ["1.00", "1.00", "2.00"]


def test_pages_without_text_become_a_warning() -> None:
    class Numbered(BaseModel):
        n: Verbatim | None = None

    document = replace(Document.from_text("a"), unread_pages=(2, 5))
    extraction = Extractor(Numbered, engine=CannedEngine({"n": "a"})).extract(document)

    assert [(w.code, w.message) for w in extraction.warnings] == [
        ("unread_pages", "pages without readable text, such as scans: 2, 5")
    ]
