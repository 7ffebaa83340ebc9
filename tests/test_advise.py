"""Advice: which method reads a corpus best, by how much, and whether that can be told at all."""

from __future__ import annotations

import inspect
import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from peft import LoraConfig, get_peft_model
from pydantic import BaseModel

from extractor import adapter, base_model
from extractor.errors import AdapterError, CorpusError, OutputError
from extractor.fields import Identifier, Verbatim
from extractor.schema import Schema, resolve
from extractor.windows import WindowConfig
from tests.bills import SCHEMA, TOWNS, bill, bills
from tests.tiny import tiny_base, tiny_model, tiny_tokenizer
from training import corpus
from training.advise import AdviseConfig, advise, seconds
from training.advise.config import AdviseConfig as Config
from training.advise.labels import check
from training.advise.study import Study, study
from training.advise.verdict import Name
from training.compare import (
    Interval,
    difference,
    learning_curve,
    needed,
    sample,
)
from training.corpus import LabelledDocument
from training.methods import Nearest, Nothing, induced, routed
from training.methods.induced import Induced, induce
from training.methods.written import Pattern, Written
from training.score import Counts, ScoreCard
from training.split import folds

SAMPLES = Path(__file__).parents[1] / "samples"


def dealt(documents: list[LabelledDocument]) -> Study:
    return study(documents, SCHEMA, count=3)


@pytest.fixture(scope="module")
def learned() -> Induced:
    return induce(SCHEMA, list(dealt(bills(40)).known.values()))


def card_of_method(method: object, documents: list[LabelledDocument]) -> ScoreCard:
    from training.evaluate import evaluate

    return evaluate(method, documents, SCHEMA).card  # type: ignore[arg-type]


# ---------------------------------------------------------------- methods


def test_rules_are_learned_that_read_unseen_senders(learned: Induced) -> None:
    card = card_of_method(learned, bills(20, start=500))

    assert {name: counts.f1 for name, counts in card.scalars.items()} == dict.fromkeys(
        SCHEMA.field_names, 1.0
    )


def test_learned_rules_say_null_where_there_is_no_value(learned: Induced) -> None:
    card = card_of_method(learned, [bill(i) for i in range(600, 610)])

    assert card.scalars["discount"] == Counts(absent=10)


def test_learned_rules_read_the_same_when_saved(learned: Induced, tmp_path: Path) -> None:
    learned.save(tmp_path / "rules.json")
    again = induced.load(tmp_path / "rules.json", SCHEMA)
    text = bill(700, discount=True).given_text or ""

    assert again.extract(text).values == learned.extract(text).values

    class Other(BaseModel):
        number: Identifier | None = None

    with pytest.raises(AdapterError, match="another format or schema"):
        induced.load(tmp_path / "rules.json", Schema.of(Other))


def test_lists_and_nested_values_are_learned_too() -> None:
    class Party(BaseModel):
        name: Verbatim | None = None

    class Deal(BaseModel):
        buyer: Party | None = None
        codes: list[Identifier] = []

    schema = Schema.of(Deal)
    documents = [
        LabelledDocument(
            f"{i}", None, f"Buyer: {TOWNS[i % 10]} Mill {i}x\nCode K-{i}7\nCode K-{i}8\nRef Z-{i}",
            {"buyer": {"name": f"{TOWNS[i % 10]} Mill {i}x"}, "codes": [f"K-{i}7", f"K-{i}8"]},
            group=f"{i}",
        )
        for i in range(20)
    ]  # fmt: skip
    rules = induce(schema, list(study(documents, schema, count=4).known.values()))

    answer = rules.extract("Buyer: Rome Mill 99x\nCode K-997\nCode K-998\nRef Z-99")

    assert answer.values == {"buyer": {"name": "Rome Mill 99x"}, "codes": ["K-997", "K-998"]}


def test_the_nearest_document_is_copied_and_nothing_is_nothing() -> None:
    known = list(dealt(bills(12)).known.values())
    text = bill(5).given_text or ""

    assert Nearest(SCHEMA, known).extract(text).values["number"] == "B-1005"
    assert set(Nothing(SCHEMA).extract(text).values.values()) == {None}


def test_the_users_rules_are_applied(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(
        '[total]\nanchor = "(?i)total due"\nvalue = "money"\n'
        '[number]\npattern = "B-[0-9]+"\n'
        '[discount]\nvalue = "money"\ntake = "largest"\n'
        '[issued]\nanchor = "^B-"\nwhere = "above"\n'
    )

    values = Written(SCHEMA, file).extract("Sum 900.00\nTotal due: 12.50\nB-77\n2024-03-05").values

    assert values == {
        "number": "B-77", "seller": None, "issued": date(2024, 3, 5),
        "total": Decimal("12.50"), "discount": Decimal("900.00"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[total", "is no TOML"),
        ('[sum]\nanchor = "x"', "no field 'sum'"),
        ("[total]\nanchor = 7", "anchor = 7"),
        ('[total]\nanchor = "("', "anchor is no pattern"),
        ('[total]\nanchor = "(?<=a)b"', "linear time"),
        (f'[total]\nanchor = "{"a" * 400}"', "400 characters"),
        ('[total]\nvalue = "mony"', "value 'mony'"),
        ('[total]\nanchor = "a"\ntake = "second"', "take 'second'"),
        ('[total]\nvalue = "money"\npattern = "a"', "give one of them"),
        ("[total]", "neither anchor"),
    ],
)
def test_wrong_rules_are_told_with_their_field(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(content)

    with pytest.raises(CorpusError, match=r"rules\.toml") as caught:
        Written(SCHEMA, tmp_path / "rules.toml")

    assert message in caught.value.message


def test_a_pattern_that_hangs_other_engines_is_harmless() -> None:
    """Python's own engine needs 2 ** 2000 steps for this."""
    assert not Pattern("^(a+)+$").found_in("a" * 2000 + "b")


def test_a_router_takes_each_field_from_its_method(learned: Induced, tmp_path: Path) -> None:
    fields = {"number": "rules", "total": "nothing"}
    routed.write(tmp_path / "router.json", SCHEMA, fields)
    methods = {"rules": learned, "nothing": Nothing(SCHEMA)}

    answer = routed.load(tmp_path / "router.json", SCHEMA, methods).extract(
        bill(9).given_text or ""
    )

    assert (answer.values["number"], answer.values["total"]) == ("B-1009", None)
    with pytest.raises(CorpusError, match="no method rules"):
        routed.load(tmp_path / "router.json", SCHEMA, {"nothing": Nothing(SCHEMA)})


# ---------------------------------------------------------------- comparison


def cards(right: list[bool]) -> dict[str, list[ScoreCard]]:
    return {
        f"{i}": [ScoreCard({"a": Counts(correct=int(ok), wrong=int(not ok))})]
        for i, ok in enumerate(right)
    }


def test_a_method_that_is_always_better_has_an_interval_above_zero() -> None:
    one, other = cards([True] * 30), cards([i % 2 == 0 for i in range(30)])
    groups = [[f"{i}"] for i in range(30)]

    assert difference(one, other, groups).low > 0
    assert difference(one, one, groups) == Interval(0, 0, 0)
    assert difference(one, other, groups, "a").value == pytest.approx(0.5)


def test_documents_of_one_group_are_drawn_together() -> None:
    """Thirty documents of two senders tell less than thirty of thirty."""
    one, other = cards([True] * 30), cards([i < 15 for i in range(30)])
    senders = [[f"{i}" for i in range(15)], [f"{i}" for i in range(15, 30)]]
    single = [[f"{i}"] for i in range(30)]

    assert difference(one, other, senders).width > 2 * difference(one, other, single).width


def test_a_power_law_is_found_again() -> None:
    """Error 0.8 * n ** -0.5, so that doubling takes away 1 - 2 ** -0.5 of it."""

    def read(size: int) -> dict[str, list[ScoreCard]]:
        wrong = round(10_000 * 0.8 * size**-0.5)
        return {"0": [ScoreCard({"a": Counts(correct=10_000 - wrong, wrong=wrong)})]}

    curve = learning_curve({n: sample(read(n), [["0"]]) for n in (25, 50, 100)}, np.ones((50, 1)))

    assert curve is not None
    assert curve.exponent == pytest.approx(0.5, abs=0.01)
    assert curve.gain.value == pytest.approx(0.08 * (1 - 2**-0.5), abs=0.001)


def test_an_interval_of_half_the_width_needs_four_times_the_documents() -> None:
    assert needed(50, 0.2, 0.1) == 200
    assert needed(50, 0.05, 0.1) == 50


def test_folds_hold_every_document_once_and_no_group_twice() -> None:
    documents = [bill(i, seller=i // 3) for i in range(30)]
    documents = [replace(item, group=f"g{i // 3}") for i, item in enumerate(documents)]

    parts = folds(documents, 4, schema=SCHEMA)

    assert sorted(item.id for part in parts for item in part) == sorted(d.id for d in documents)
    assert sum(len({item.group for item in part}) for part in parts) == 10


# ---------------------------------------------------------------- advice


def sample_copy(folder: Path, count: int | None = None, *, shuffled: bool = False) -> Path:
    """Copy labelled sample invoices; shuffled, each has the label of another document."""
    documents = corpus.read(SAMPLES).documents
    documents = documents[:: len(documents) // count][:count] if count else documents
    if shuffled:
        moved = [*documents[7:], *documents[:7]]
        documents = tuple(
            replace(item, fields=other.fields) for item, other in zip(documents, moved, strict=True)
        )
    corpus.write(documents, folder)
    return folder


INVOICE = Schema.of(resolve("invoice")).only(
    ["invoice_number", "issue_date", "seller_name", "gross_total"]
)


def test_twenty_documents_are_too_few(tmp_path: Path) -> None:
    advice = advise(
        sample_copy(tmp_path / "c", 20), INVOICE, tmp_path / "a", AdviseConfig(budget_s=0)
    )

    assert advice.verdict.name == "LABEL MORE"
    assert "20 documents" in advice.verdict.reasons[0]


def test_shuffled_labels_come_first(tmp_path: Path) -> None:
    folder = sample_copy(tmp_path / "c", 40, shuffled=True)

    advice = advise(folder, INVOICE, tmp_path / "a", AdviseConfig(budget_s=0))

    assert advice.verdict.name == "FIX LABELS FIRST"
    assert not (tmp_path / "a" / "rules.json").exists()


def test_some_labels_of_other_documents_are_found() -> None:
    documents = bills(30)
    documents[3:6] = [
        replace(documents[i], fields=documents[j].fields) for i, j in ((3, 4), (4, 5), (5, 3))
    ]
    known = list(dealt(documents).known.values())

    found = check(known, SCHEMA)

    assert set(found.foreign) == {"3", "4", "5"}
    assert check(list(dealt(bills(30)).known.values()), SCHEMA).wrong == ""


def test_too_few_held_out_documents_are_told(tmp_path: Path) -> None:
    documents = [
        replace(item, split="dev" if i < 8 else "train") for i, item in enumerate(bills(70))
    ]
    corpus.write(documents, tmp_path / "c")

    advice = advise(tmp_path / "c", SCHEMA, tmp_path / "a", AdviseConfig(budget_s=0))

    assert advice.verdict.name == "NOT ENOUGH TEST DATA"
    assert advice.verdict.documents_needed == 30


def test_rules_that_read_everything_are_enough(tmp_path: Path) -> None:
    corpus.write(bills(60), tmp_path / "c")
    config = AdviseConfig(budget_s=0, price_per_hour=0.1, target_precision=0.9)

    advice = advise(tmp_path / "c", SCHEMA, tmp_path / "a", config)

    assert advice.verdict.name == "RULES OR PROMPT ARE ENOUGH"
    assert {item.advice for item in advice.findings.fields} == {"rules"}
    rules = advice.findings.method("induced rules")
    nearest = advice.findings.method("nearest document")
    assert rules is not None and nearest is not None
    assert rules.f1.value > 0.99 > 0.5 > nearest.f1.value
    assert rules.straight_through is not None and rules.straight_through["number"] > 0.9
    assert rules.cost_per_1000 is not None and rules.cost_per_1000 > 0
    content = json.loads((tmp_path / "a" / "advice.json").read_text())
    assert content["verdict"]["name"] == advice.verdict.name
    page = (tmp_path / "a" / "advice.html").read_text()
    assert "<svg" in page and "http" not in page and "<script" not in page


def test_a_run_goes_on_where_it_stopped_and_refuses_another_corpus(tmp_path: Path) -> None:
    corpus.write(bills(24), tmp_path / "c")
    config = AdviseConfig(budget_s=0, least_documents=20, least_held=5, least_groups=5)
    first = advise(tmp_path / "c", SCHEMA, tmp_path / "a", config)
    answers = tmp_path / "a" / "answers.jsonl"
    whole = answers.read_text()
    lines = whole.splitlines(keepends=True)
    answers.write_text("".join(lines[:50]) + lines[50][:30])

    again = advise(tmp_path / "c", SCHEMA, tmp_path / "a", config)

    assert again.findings.method("induced rules").f1 == first.findings.method("induced rules").f1  # type: ignore[union-attr]
    kept = answers.read_text().splitlines(keepends=True)
    assert kept[:50] == lines[:50] and len(kept) == len(lines)
    corpus.write(bills(25), tmp_path / "other")
    with pytest.raises(OutputError, match="other documents"):
        advise(tmp_path / "other", SCHEMA, tmp_path / "a", config)


def test_values_of_documents_are_escaped_on_the_page(tmp_path: Path) -> None:
    documents = [replace(item, id=f"<script>{item.id}") for item in bills(20)]
    corpus.write(documents, tmp_path / "c")

    advise(tmp_path / "c", SCHEMA, tmp_path / "a", AdviseConfig(budget_s=0))

    assert "<script" not in (tmp_path / "a" / "advice.html").read_text()


def start(base: Path, folder: Path) -> Path:
    """Write an adapter of a tiny base that knows nothing, as a package might bring one."""
    lora = LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM")
    get_peft_model(tiny_model(tiny_tokenizer()), lora).save_pretrained(str(folder))
    adapter.write(folder, None, base_model.find(str(base)), WindowConfig(), {"seen": []})
    return folder


def test_a_tiny_model_is_tuned_and_compared_within_the_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With random weights rules win, and the page has the learning curve."""
    documents = [
        replace(item, split="dev" if i % 2 else "train") for i, item in enumerate(bills(16))
    ]
    corpus.write(documents, tmp_path / "c")
    base = tiny_base(tmp_path / "base")
    brought = start(base, tmp_path / "start")
    monkeypatch.setattr(adapter, "shipped", lambda base: brought)
    config = AdviseConfig(
        budget_s=None, quick=True, base_model=str(base), epochs=1, synthetic=0, engine="fp32",
        bare_base=True, max_new_tokens=40, threads=1, least_documents=10, least_held=5,
        least_groups=5,
    )  # fmt: skip

    advice = advise(tmp_path / "c", SCHEMA, tmp_path / "a", config)

    read = {method.name: method.documents for method in advice.findings.methods}
    models = ("base model", "shipped adapter", "untuned with rules", "tuned")
    assert dict.fromkeys(models, 8) == {name: read.get(name) for name in models}
    assert "induced rules" in read
    assert advice.findings.difference is not None and advice.findings.difference.high < 0
    assert advice.verdict.name in ("RULES OR PROMPT ARE ENOUGH", "COMBINE")
    assert [size for size, _ in advice.findings.curve.points] == [2, 4, 8]  # type: ignore[union-attr]
    tiny_base(base, seed=1)
    with pytest.raises(OutputError, match="other models"):
        advise(tmp_path / "c", SCHEMA, tmp_path / "a", config)


def test_what_does_not_fit_into_the_budget_is_left_out(tmp_path: Path) -> None:
    documents = [
        replace(item, split="dev" if i % 2 else "train") for i, item in enumerate(bills(16))
    ]
    corpus.write(documents, tmp_path / "c")
    base = tiny_base(tmp_path / "base")
    config = AdviseConfig(
        budget_s=0.01, quick=True, base_model=str(base), epochs=1, synthetic=0, engine="fp32",
        least_documents=10, least_held=5, least_groups=5, threads=1,
    )  # fmt: skip

    advice = advise(tmp_path / "c", SCHEMA, tmp_path / "a", config)

    assert advice.verdict.name in ("UNDECIDED", "RULES OR PROMPT ARE ENOUGH")
    assert any("tuned 100 %" in what and "budget" in what for what in advice.left_out)
    assert advice.findings.method("tuned") is None


def test_budgets_are_read_and_nonsense_is_refused() -> None:
    assert [seconds(text) for text in ("60m", "1.5h", "90s", "90", "0")] == [3600, 5400, 90, 90, 0]
    with pytest.raises(ValueError, match="60m"):
        seconds("soon")
    with pytest.raises(ValueError, match="target_precision"):
        Config(target_precision=1.5)


def test_the_page_on_advice_names_every_option_and_verdict() -> None:
    from extractor import cli

    text = (Path(__file__).parents[1] / "docs" / "advice.md").read_text("utf-8")
    command = next(c for c in cli.app.registered_commands if c.callback is cli.advise)
    assert command.callback is not None
    names = inspect.signature(command.callback).parameters
    options = {f"--{name.replace('_', '-')}" for name in names}

    assert {option for option in options if option not in text} == set()
    assert {name for name in get_args(Name) if name not in text} == set()
