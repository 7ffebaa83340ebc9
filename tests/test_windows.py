"""Windows cover the text, and their answers become one record."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model

from extractor import Extractor
from extractor.batch import run
from extractor.candidates import value_key
from extractor.document import Document, Page
from extractor.fields import FieldType, Money, MoneyType, Verbatim, VerbatimType
from extractor.rules import Chance, Listed
from extractor.schema import AnySchema, Schema
from extractor.testing import CannedEngine
from extractor.windows import Answer, Other, Window, WindowConfig, cut, merge


def words(text: str) -> int:
    return len(text.split())


@given(
    st.lists(st.text("ab \n", max_size=30), max_size=40).map("\n".join),
    st.integers(2, 20),
)
def test_windows_cover_the_text_and_move_forward(text: str, size: int) -> None:
    document = Document.from_text(text)

    windows = cut(document, WindowConfig(size, size // 2), words)

    assert windows[0].start == 0
    assert windows[-1].end == len(document.text)
    for before, after in zip(windows, windows[1:], strict=False):
        assert before.start < after.start <= before.end < after.end


def test_a_short_text_is_one_window() -> None:
    assert cut(Document.from_text("one\ntwo\n"), WindowConfig(), words) == [Window(0, 8)]


def test_a_line_longer_than_a_window_is_cut_at_a_space() -> None:
    text = " ".join(["word"] * 100)

    windows = cut(Document.from_text(text), WindowConfig(10, 0), words)

    assert "".join(text[w.start : w.end] for w in windows) == text
    assert all(words(text[w.start : w.end]) <= 10 for w in windows)


def test_neighbours_share_whole_lines() -> None:
    text = "".join(f"line {number}\n" for number in range(20))

    first, second, *_ = cut(Document.from_text(text), WindowConfig(10, 4), words)

    assert text[second.start : first.end] == "line 3\nline 4\n"


def paged(*pages: str) -> Document:
    return Document.join(
        "paged",
        [(Page(n, 0.0, 0.0, (), 0, len(text)), text) for n, text in enumerate(pages, start=1)],
        "",
    )


def test_a_window_ends_with_a_page_that_ends_in_its_last_quarter() -> None:
    document = paged("a b c d\ne f g h\n", "i j\n\nk l\nm n\n")

    first, *_ = cut(document, WindowConfig(10, 0), words)

    assert "a b c d\ne f g h\n\n" == document.text[first.start : first.end]


def test_a_window_ends_with_a_paragraph_where_no_page_ends() -> None:
    document = Document.from_text("a b c d\n\ne f g h\n\ni j\nk l\n")

    first, *_ = cut(document, WindowConfig(10, 0), words)

    assert "a b c d\n\ne f g h\n\n" == document.text[first.start : first.end]


def test_an_end_far_from_the_budget_is_no_reason_to_stop() -> None:
    document = Document.from_text("a b\n\nc d e f\ng h i j\nk l\n")

    first, *_ = cut(document, WindowConfig(10, 0), words)

    assert "a b\n\nc d e f\ng h i j\n" == document.text[first.start : first.end]


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

    merged = merge(schema(total=str), [unsure, sure])

    assert ({"total": "b"}, {"total": 1}) == (merged.printed, merged.source)
    assert {"total": (Other("a", None, 0.4, 1),)} == merged.others


def test_what_others_believe_of_a_value_weighs_its_votes() -> None:
    text = "a\nb\n"
    answers = [
        answer(Window(0, 2), text, 0.4, total="a"),
        answer(Window(2, 4), text, 0.8, total="b"),
    ]
    known = {"a": 0.9, "b": 0.1}

    merged = merge(schema(total=str), answers, lambda path, value: known[value])

    assert (merged.printed, merged.source) == ({"total": "a"}, {"total": 0})
    assert merge(schema(total=str), answers, lambda path, value: 0.0).printed == {"total": "a"}


def test_windows_that_say_the_same_outvote_a_surer_one() -> None:
    text = "1.250,00\n99,00\n1250,00\n"
    first = answer(Window(0, 9), text, 0.5, total="1.250,00")
    sure = answer(Window(9, 15), text, 0.8, total="99,00")
    last = answer(Window(15, 23), text, 0.4, total="1250,00")

    merged = merge(schema(total=Money), [first, sure, last])

    assert ("1.250,00", 0) == (merged.printed["total"], merged.source["total"])
    assert (Other(Decimal("99.00"), "99,00", 0.8, 1),) == merged.others["total"]


def test_a_value_that_its_window_does_not_show_counts_half() -> None:
    text = "made here\nlaw of Texas\n"
    invented = answer(Window(0, 10), text, 0.9, law="Texas")
    seen = answer(Window(0, 23), text, 0.5, law="law of Texas")

    assert "law of Texas" == merge(schema(law=str), [invented, seen]).printed["law"]


def test_of_equal_votes_the_first_in_the_document_wins() -> None:
    text = "a\nb\n"
    first = answer(Window(0, 2), text, 0.5, total="a")
    second = answer(Window(2, 4), text, 0.5, total="b")

    assert "a" == merge(schema(total=str), [first, second]).printed["total"]


def test_parts_of_an_object_that_differ_are_shown_and_equal_ones_not() -> None:
    class Deal(BaseModel):
        seller: Verbatim | None = None
        total: Money | None = None

    text = "ACME 1.00\nacme 2.00\n"
    first = answer(Window(0, 10), text, 0.6, deal={"seller": "ACME", "total": "1.00"})
    second = answer(Window(10, 20), text, 0.5, deal={"seller": "acme", "total": "2.00"})

    merged = merge(schema(deal=Deal), [first, second])

    assert {"deal.total": (Other(Decimal("2.00"), "2.00", 0.5, 1),)} == merged.others


def test_rows_without_words_are_kept_where_windows_do_not_meet() -> None:
    class Count(BaseModel):
        n: int | None = None

    text = "1\n2\n3\n1\n"
    first = answer(Window(0, 2), text, rows=[{"n": 1}])
    last = answer(Window(6, 8), text, rows=[{"n": 1}])

    assert [{"n": 1}] * 2 == merge(schema(rows=list[Count]), [first, last]).printed["rows"]


def test_null_has_no_say_where_another_window_found_something() -> None:
    nothing = answer(Window(0, 2), "a\nb\n", 1.0, total=None)
    something = answer(Window(2, 4), "a\nb\n", 0.3, total="b")

    assert merge(schema(total=str), [nothing, something]).printed == {"total": "b"}


def test_an_object_of_nulls_and_constants_has_no_say_against_one_with_a_value() -> None:
    real = {"kind": "party", "name": "ACME"}
    something = answer(Window(0, 2), "a\nb\n", 0.5, seller=real)
    nothing = answer(Window(2, 4), "a\nb\n", 0.9, seller={"kind": "party", "name": None})

    assert merge(schema(seller=Party), [something, nothing]).printed == {"seller": real}
    assert merge(schema(seller=Party), [nothing, something]).printed == {"seller": real}


def test_rows_of_nulls_are_not_joined() -> None:
    first = answer(Window(0, 2), "a\nb\n", rows=[{"n": "a"}, {"n": None}])
    second = answer(Window(2, 4), "a\nb\n", rows=[{"n": None}])

    assert merge(schema(rows=list[Row]), [first, second]).printed == {"rows": [{"n": "a"}]}
    assert merge(schema(rows=list[Row]), [second, second]).printed == {"rows": []}


def test_a_tuple_comes_whole_from_one_window() -> None:
    unsure = answer(Window(0, 2), "1\n2\n", 0.4, span=["1", "2"])
    sure = answer(Window(2, 4), "1\n2\n", 0.8, span=["3", "4"])

    assert merge(schema(span=tuple[Money, Money]), [unsure, sure]).printed == {"span": ["3", "4"]}


def test_a_single_answer_stays_as_it_is() -> None:
    only = answer(Window(0, 2), "a\n", rows=[{"n": None}, {"n": "a"}])

    assert merge(schema(rows=list[Row]), [only]).printed == only.printed


def test_rows_in_the_overlap_are_counted_once_and_equal_rows_elsewhere_twice() -> None:
    text = "pen 1\nink 2\nink 2\ncap 3\n"
    first = answer(Window(0, 18), text, rows=[{"n": "pen"}, {"n": "ink"}, {"n": "ink"}])
    second = answer(Window(12, 24), text, rows=[{"n": "ink"}, {"n": "cap"}])

    merged = merge(schema(rows=list[Row]), [first, second])

    assert [row["n"] for row in merged.printed["rows"]] == ["pen", "ink", "ink", "cap"]


def test_a_party_that_every_window_names_is_one_party() -> None:
    text = "ACME Ltd\nand Miller\nacme ltd\nSmith\n"
    first = answer(Window(0, 20), text, parties=["ACME Ltd", "Miller"])
    second = answer(Window(20, 35), text, parties=["acme ltd", "Smith"])

    merged = merge(schema(parties=list[Verbatim]), [first, second])

    assert merged.printed["parties"] == ["ACME Ltd", "Miller", "Smith"]


def listed(window: Window, text: str, whole: float, **parties: float) -> Answer:
    """A window's list of parties, with the probability of each and of the whole list."""
    names = [name.replace("_", " ") for name in parties]
    likely = {f"parties[{place}]": value for place, value in enumerate(parties.values())}
    return Answer({"parties": names}, {"parties": whole, **likely}, window, text)


def test_windows_that_show_an_item_and_leave_it_out_speak_against_it() -> None:
    text = "ACME Ltd and Smith\nACME Ltd, the Company\nthe Company of ACME Ltd\n"
    ends = [place + 1 for place, character in enumerate(text) if character == "\n"]
    windows = [Window(start, end) for start, end in zip([0, *ends], ends, strict=False)]
    first = listed(windows[0], text, 0.5, ACME_Ltd=0.9, Smith=0.6)
    second = listed(windows[1], text, 0.4, ACME_Ltd=0.8, the_Company=0.6)
    third = listed(windows[2], text, 0.7, ACME_Ltd=0.8)
    parties = schema(parties=list[Verbatim])

    assert merge(parties, [first, second, third]).printed["parties"] == ["ACME Ltd", "Smith"]
    assert merge(parties, [first, second]).printed["parties"] == [
        "ACME Ltd", "Smith", "the Company",
    ]  # fmt: skip


def test_the_likeliest_item_stays_where_none_is_likelier_than_not() -> None:
    text = "ACME\nSmith\n"
    first = listed(Window(0, 5), text, 0.3, ACME=0.4)
    second = listed(Window(5, 11), text, 0.3, Smith=0.3)
    parties = schema(parties=list[Verbatim])

    assert merge(parties, [first, second]).printed["parties"] == ["ACME"]
    none = Answer({"parties": []}, {"parties": 0.9}, Window(5, 11), text)
    assert merge(parties, [none, none]).printed["parties"] == []


def test_rules_count_like_a_window_that_shows_all() -> None:
    text = "ACME\nSmith\nJones\n"
    first = listed(Window(0, 5), text, 0.6, ACME=0.9)
    second = listed(Window(5, 17), text, 0.6, Jones=0.6)
    known = {"ACME": 0.8, "Smith": 0.95, "Jones": 0.4}
    chances = [
        Chance(name, name, share, ((text.index(name), text.index(name) + len(name)),))
        for name, share in known.items()
    ]
    rules = Listed(
        tuple(chance for chance in chances if chance.probability > 0.5),
        {chance.value.lower(): chance for chance in chances},
    )
    parties = schema(parties=list[Verbatim])

    def said(path: str) -> Listed | None:
        return rules if path == "parties" else None

    alone = merge(parties, [first, second]).printed["parties"]
    helped = merge(parties, [first, second], listed=said).printed["parties"]

    assert alone == ["ACME", "Jones"]
    assert helped == ["ACME"]  # a window that shows Smith and leaves it out counts as much
    quiet = listed(Window(5, 17), text, 0.2, Jones=0.6)
    assert merge(parties, [first, quiet], listed=said).printed["parties"] == ["ACME", "Smith"]


def by_rules(*chances: tuple[Any, str, float], kind: FieldType) -> Callable[[str], Listed]:
    """Say what rules find: value, print and probability of each, in the document's order."""
    made = [Chance(value, printed, share, ((0, 1),)) for value, printed, share in chances]
    chosen = tuple(chance for chance in made if chance.probability > 0.5)
    rules = Listed(chosen, {value_key(kind, chance.value): chance for chance in made})
    return lambda path: rules


def test_a_list_that_every_window_finds_empty_is_not_filled_by_unsure_rules() -> None:
    text = "Smith\nSmith\n"
    none = [Answer({"parties": []}, {"parties": 0.99}, Window(a, a + 6), text) for a in (0, 6)]
    rules = by_rules(("Smith", "Smith", 0.52), kind=VerbatimType())

    assert merge(schema(parties=list[Verbatim]), none, listed=rules).printed == {"parties": []}


def test_no_answer_tells_of_what_rules_alone_give() -> None:
    text = "ACME\nJones\nSmith\n"
    windows = [
        listed(Window(0, 5), text, 0.6, ACME=0.9),
        listed(Window(5, 11), text, 0.6, Jones=0.9),
    ]
    rules = by_rules(("Smith", "Smith", 0.9), ("Jones", "Jones", 0.9), kind=VerbatimType())

    merged = merge(schema(parties=list[Verbatim]), windows, listed=rules)

    assert merged.printed["parties"] == ["ACME", "Jones", "Smith"]
    assert merged.unsaid == {"parties[2]"}


def test_rules_keep_to_the_limit_of_a_list_and_to_its_type() -> None:
    text = "1.00\n2.00\n3.00\nsoon\n"
    first = Answer({"sums": ["1.00"]}, {"sums[0]": 0.9}, Window(0, 5), text)
    second = Answer({"sums": ["2.00"]}, {"sums[0]": 0.6}, Window(5, 10), text)
    found = by_rules(
        (Decimal("3.00"), "3.00", 0.99), (Decimal("4.00"), "soon", 0.99), kind=MoneyType()
    )
    sums = Schema.of(create_model("Sums", sums=(Annotated[list[Money], Field(max_length=2)], ...)))

    merged = merge(sums, [first, second], listed=found)

    assert merged.printed["sums"] == ["1.00", "3.00"]
    assert merged.unsaid == {"sums[1]"}


def test_a_name_is_one_item_however_often_a_window_lists_it() -> None:
    text = "ACME ACME ACME\nSmith\n"
    first = answer(Window(0, 15), text, parties=["ACME", "ACME", "ACME"])
    second = answer(Window(15, 21), text, parties=["Smith", "Smith"])

    merged = merge(schema(parties=list[Verbatim]), [first, second])

    assert merged.printed["parties"] == ["ACME", "Smith"]


def test_equal_values_of_one_window_are_kept() -> None:
    first = answer(Window(0, 4), "1.00\n2.00\n", sums=["1.00", "1.00"])
    second = answer(Window(4, 10), "1.00\n2.00\n", sums=["1.00", "2.00"])

    assert merge(schema(sums=list[Money]), [first, second]).printed["sums"] == [
        "1.00",
        "1.00",
        "2.00",
    ]


def test_pages_without_text_become_a_warning() -> None:
    class Numbered(BaseModel):
        n: Verbatim | None = None

    document = replace(Document.from_text("a"), unread_pages=(2, 5))
    extraction = Extractor(Numbered, engine=CannedEngine({"n": "a"})).extract(document)

    assert [(w.code, w.message) for w in extraction.warnings] == [
        ("unread_pages", "pages without readable text, such as scans: 2, 5")
    ]


def test_a_conflict_of_windows_is_a_warning_and_its_values_are_in_the_line(tmp_path: Path) -> None:
    class Bill(BaseModel):
        total: Money | None = None

    (tmp_path / "long.txt").write_text("pay 10.00\n" * 200 + "pay 20.00\n" * 200)
    engine = CannedEngine(lambda text: {"total": text.split()[-1]})
    extractor = Extractor(Bill, engine=engine, windows=WindowConfig(200, 0))
    run([str(tmp_path / "long.txt")], extractor, tmp_path / "out.jsonl")

    line = json.loads((tmp_path / "out.jsonl").read_text())

    other = {"value": "20.00", "printed": "20.00", "probability": 1.0, "windows": 2}
    assert ("10.00", [other]) == (
        line["fields"]["total"]["value"],
        line["fields"]["total"]["others"],
    )
    assert [("total", "conflict")] == [(w["field"], w["code"]) for w in line["warnings"]]
    assert "20.00" not in line["warnings"][0]["message"]
