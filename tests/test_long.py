"""Documents of many windows: what training shows of them, and which windows are read."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from extractor import Extractor, retrieval
from extractor.document import Document
from extractor.fields import IsoDate, Money, Verbatim
from extractor.schema import AnySchema, Schema
from extractor.testing import CannedEngine
from extractor.windows import Answer, Window, WindowConfig, cut
from training import corpus, pairs
from training.augment import AugmentConfig, Curriculum
from training.context import learn

FILLER = "The parties agree on what follows here.\n" * 12
SMALL = WindowConfig(90, 0)
QUIET = AugmentConfig(synthetic=0, subset=0, swap=0, remove=0, drop_lines=0, decoys=0)


def words(text: str) -> int:
    return len(text.split())


class Deal(BaseModel):
    effective_date: IsoDate | None = None
    price: Money | None = None
    span: tuple[Money, Money] | None = None
    term: str | None = None
    kind: Literal["sale", "lease"] | None = None


def built(folder: Path, text: str, **fields: Any) -> list[pairs.Pair]:
    label = {"id": "deal", "text": text, "split": "train", "fields": fields}
    (folder / "labels.jsonl").write_text(json.dumps(label))
    made = pairs.build(corpus.read(folder).documents, Schema.of(Deal), SMALL, words)
    return made.pairs


def test_targets_hold_only_what_their_window_shows(tmp_path: Path) -> None:
    text = f"made on 3 May 2021 for 2 years\n{FILLER}price: 1,250.00\n{FILLER}from 5.00 to 7.00\n"

    made = built(
        tmp_path,
        text,
        effective_date="2021-05-03",
        price="1250.00",
        span=["5.00", "7.00"],
        term="2 years",
    )

    shown = {name: [json.loads(pair.target)[name] for pair in made] for name in ("price", "span")}
    assert [None, "1,250.00", None] == shown["price"]
    assert [None, None, ["5.00", "7.00"]] == shown["span"]
    assert ["2 years", None, None] == [json.loads(pair.target)["term"] for pair in made]


def test_what_no_window_shows_is_not_learned_from_any_but_a_judgement_from_all(
    tmp_path: Path,
) -> None:
    made = built(tmp_path, f"for two years\n{FILLER}{FILLER}", term="2 years", kind="sale")

    assert [{"kind": "sale"}] * len(made) == [json.loads(pair.target) for pair in made]
    assert len(made) > 1


@pytest.mark.parametrize(("negatives", "expected"), [(0, 0), (1, 20), (2, 40), (99, 200)])
def test_windows_without_values_share_the_places_that_they_are_left(
    tmp_path: Path, negatives: float, expected: int
) -> None:
    made = built(tmp_path, f"price: 5.00\n{FILLER * 10}", price="5.00")
    assert 10 <= len(made) <= 12
    holding, epochs = made[0], 20
    config = AugmentConfig(
        synthetic=0, subset=0, swap=0, remove=0, drop_lines=0, decoys=0, negatives=negatives
    )

    shown = Curriculum(Schema.of(Deal), made, config, epochs, seed=3).pairs()

    counts = Counter(pair.text for pair in shown)
    empty = len(shown) - counts[holding.text]
    assert epochs == counts[holding.text]
    assert abs(empty - min(expected, epochs * (len(made) - 1))) <= len(made) / 2
    assert shown == Curriculum(Schema.of(Deal), made, config, epochs, seed=3).pairs()


def test_a_document_without_any_value_is_not_left_out(tmp_path: Path) -> None:
    made = built(tmp_path, FILLER * 10, price=None)

    assert all(pair.empty for pair in made)
    assert Curriculum(Schema.of(Deal), made, QUIET, 4, seed=0).pairs()


def test_a_share_of_negatives_below_0_is_refused() -> None:
    with pytest.raises(ValueError, match="negatives must be at least 0"):
        AugmentConfig(negatives=-1)


PARTIES = "This agreement is between Acme Ltd and Bolt Inc.\n"
CLAUSE = "It shall be governed by the law of {law} and no other.\n"
CONFIG = WindowConfig(60, 0)


class Contract(BaseModel):
    price: Money | None = None
    law: Verbatim | None = None


def contract(law: str, clauses: int = 12, before: int = 8) -> str:
    """Return a text of about two windows of `CONFIG` for each three clauses."""
    filler = "The receiving side keeps secret what it is told and tells no one of it.\n" * 3
    return PARTIES + filler * before + CLAUSE.format(law=law) + filler * (clauses - before)


def reader(
    asked: list[str], answers: dict[str, dict[str, str]], **settings: Any
) -> Extractor[Contract]:
    """Return an extractor that notes the windows it is asked, and answers those with a word."""

    def answer(text: str) -> dict[str, str]:
        asked.append(text)
        return {k: v for word, values in answers.items() if word in text for k, v in values.items()}

    return Extractor(Contract, engine=CannedEngine(answer), windows=CONFIG, **settings)


def test_the_most_promising_window_is_read_first_and_what_is_left_is_said() -> None:
    asked: list[str] = []

    extraction = reader(asked, {"governed": {"law": "Texas"}}).extract(contract("Texas"))

    assert "Texas" == extraction.values["law"]
    assert ["governed" in part for part in asked] == [True]
    assert 1 == extraction.usage["windows_read"]
    [warning] = [w for w in extraction.warnings if w.code == "windows_unread"]
    windows = extraction.usage["windows"]
    assert warning.message.startswith(f"{windows - 1} of {windows} windows")


def test_everything_is_read_where_a_value_may_still_stand() -> None:
    asked: list[str] = []

    extraction = reader(asked, {}).extract(contract("Texas"))

    assert extraction.usage["windows"] == extraction.usage["windows_read"] == len(asked)
    assert not extraction.warnings


def test_all_windows_reads_everything_in_order_and_is_another_extractor() -> None:
    asked: list[str] = []
    text = contract("Texas")
    extractor = reader(asked, {"governed": {"law": "Texas"}}, all_windows=True)

    extraction = extractor.extract(text)

    assert text == "".join(asked)
    assert extraction.usage["windows"] == extraction.usage["windows_read"] == len(asked)
    assert not extraction.warnings
    assert extractor.identity != reader([], {}).identity


def test_a_document_of_few_windows_is_read_whole() -> None:
    asked: list[str] = []
    text = contract("Texas", clauses=4, before=1)

    reader(asked, {"governed": {"law": "Texas"}}).extract(text)

    assert 1 < len(asked) <= retrieval.MANY
    assert text == "".join(asked)


def test_an_unsure_value_is_looked_for_further() -> None:
    document = Document.from_text(contract("Texas"))
    schema = Schema.of(Contract).only(["law"])
    windows = cut(document, CONFIG, words)
    promise = retrieval.Promise(document.text, schema, windows)

    def asked(probability: float) -> list[int]:
        def ask(indices: list[int]) -> list[Answer]:
            return [
                Answer({"law": "Texas"}, {"law": probability}, windows[i], document.text)
                for i in indices
            ]

        return retrieval.read(promise, schema, ask)

    assert [promise.worth("law")[0]] == asked(retrieval.SURE)
    assert list(range(len(windows))) == asked(retrieval.SURE - 0.01)


def test_a_list_is_looked_for_wherever_its_rows_may_stand() -> None:
    class Row(BaseModel):
        name: Verbatim | None = None
        price: Money | None = None

    class Offer(BaseModel):
        rows: list[Row] = []

    text = contract("Texas") + "pen 1.50\n" + contract("Texas") + "ink 2.50\n"
    engine = CannedEngine(
        lambda part: {
            "rows": [
                {"name": name, "price": price}
                for name, price in (("pen", "1.50"), ("ink", "2.50"))
                if name in part
            ]
        }
    )

    extraction = Extractor(Offer, engine=engine, windows=CONFIG).extract(text)

    assert ["pen", "ink"] == [row["name"] for row in extraction.values["rows"]]
    assert 2 == extraction.usage["windows_read"] < extraction.usage["windows"]


def learned_of(folder: Path, schema: AnySchema) -> retrieval.Context:
    documents = corpus.read(folder).documents
    return learn(pairs.build(documents, schema, CONFIG, words).pairs, schema, documents)


LAWS = ("Texas", "Delaware", "Ohio", "Utah", "Iowa", "Maine", "Nevada", "Oregon")


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> retrieval.Context:
    """Context words of 24 contracts whose clause does not name the field."""
    folder = tmp_path_factory.mktemp("contracts")
    lines = [
        {
            "id": str(number),
            "group": str(number),
            "text": contract(LAWS[number % 8], before=number % 9),
            "fields": {"law": LAWS[number % 8], "price": None},
        }
        for number in range(24)
    ]
    (folder / "labels.jsonl").write_text("\n".join(map(json.dumps, lines)))
    schema = Schema.of(Contract)
    return learned_of(folder, schema)


def test_words_around_values_are_learned_and_the_values_are_not(
    learned: retrieval.Context,
) -> None:
    law = learned.fields["law"]

    assert {"govern", "law"} <= set(law.words)
    assert not {name.casefold()[:6] for name in LAWS} & set(law.words)
    assert "secret" not in law.words
    assert law.floor is not None
    assert retrieval.FieldContext({}, None) == learned.fields["price"]


def test_a_window_below_the_floor_is_not_read_though_the_value_is_missing(
    learned: retrieval.Context,
) -> None:
    asked: list[str] = []
    extractor = reader(asked, {})
    extractor.context = learned

    extractor.extract(contract("Utah"))

    assert ["governed" in part for part in asked] == [True]


def test_words_of_fewer_than_three_groups_do_not_travel_with_the_adapter(tmp_path: Path) -> None:
    text = contract("Texas").replace("no other", "nowhere")
    lines = [
        {"id": str(n), "text": text, "group": f"g{n % 2}", "fields": {"law": "Texas"}}
        for n in range(8)
    ]
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, lines)))
    schema = Schema.of(Contract)

    made = learned_of(tmp_path, schema)

    assert {} == made.fields["law"].words
    assert made.fields["law"].floor is None


class Sold(BaseModel):
    law: Verbatim | None = None
    seller_name: Verbatim | None = None


@pytest.mark.parametrize(
    ("sellers", "travels"),
    [
        ([f"Mill {n}" for n in range(8)], True),
        (["Mill", "Mill", "Mill", "MILL", "Yard", "Yard", "Yard", "Yard"], False),
        (["Mill", "Yard", *[None] * 6], False),  # any of them may be of the two,
    ],
)
def test_documents_of_one_sender_are_one_group_where_labels_name_no_groups(
    tmp_path: Path, sellers: list[str | None], travels: bool
) -> None:
    """A sender's words stay in the corpus however many of its documents say them."""
    lines = [
        {
            "text": f"{seller or 'unsigned'} no {n * 7919}\n{contract('Texas')}",
            "fields": {"law": "Texas", "seller_name": seller},
        }
        for n, seller in enumerate(sellers)
    ]
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, lines)))

    made = learned_of(tmp_path, Schema.of(Sold))

    assert travels == bool(made.fields["law"].words)


def test_documents_of_one_template_are_one_group_where_nothing_tells_their_senders(
    tmp_path: Path,
) -> None:
    lines = [{"text": f"{contract('Texas')}\n{n}", "fields": {"law": "Texas"}} for n in range(8)]
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, lines)))

    assert {} == learned_of(tmp_path, Schema.of(Contract)).fields["law"].words


@given(st.dictionaries(st.text(), st.tuples(st.none() | st.floats(0, 99), st.floats(0, 9))))
def test_context_words_come_back_as_they_were_written(drawn: dict[str, Any]) -> None:
    context = retrieval.Context(
        {
            name: retrieval.FieldContext({"word": weight}, floor)
            for name, (floor, weight) in drawn.items()
        }
    )

    assert context == retrieval.Context.of_json(json.loads(json.dumps(context.json())))


@given(st.text("ab .\n", max_size=400))
def test_passages_cover_their_window(text: str) -> None:
    found = retrieval.passages(text, Window(0, len(text)))

    assert (0, len(text)) == (found[0].start, found[-1].end)
    assert all(after.start <= before.end for before, after in zip(found, found[1:], strict=False))
