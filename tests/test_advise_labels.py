"""Labels of corpora whose rows are sorted, or whose senders print much alike."""

from __future__ import annotations

from dataclasses import replace

from pydantic import BaseModel

from extractor.fields import Iban, Identifier, Money, Verbatim
from extractor.schema import Schema
from training.advise.labels import check
from training.advise.study import study
from training.corpus import LabelledDocument


class Slip(BaseModel):
    number: Identifier | None = None
    seller: Verbatim | None = None
    account: Iban | None = None
    fee: Money | None = None


SLIPS = Schema.of(Slip)
ACCOUNTS = ("DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606")


def slip(index: int, seller: int, *, empty: bool = False) -> LabelledDocument:
    """A document that prints all but its number as others of its seller do."""
    fields = {"number": f"S-{1000 + index}", "seller": f"Seller {'ABC'[seller]} Ltd",
              "account": ACCOUNTS[seller], "fee": f"{seller + 4}.25"}  # fmt: skip
    text = "a page that was scanned badly" if empty else "\n".join(fields.values())
    return LabelledDocument(f"{index}", None, f"{text}\n{index}", fields, group=f"s{seller}")


def test_rows_sorted_by_seller_are_not_taken_for_shuffled_labels() -> None:
    documents = [slip(i, i // 20) for i in range(60)]

    found = check(list(study(documents, SLIPS, count=3).known.values()), SLIPS)

    assert "" == found.wrong
    assert (1.0, 0.0) == (found.found, found.by_chance)


def test_what_documents_of_one_seller_print_alike_is_no_chance() -> None:
    """Labels that leave fields out do not make a neighbour of the same seller a stranger."""
    parts = (("number", "seller"), ("account", "fee"))
    documents = [slip(i, i // 20) for i in range(60)]
    documents = [
        replace(item, fields={name: item.fields[name] for name in parts[i % 2]})
        for i, item in enumerate(documents)
    ]

    found = check(list(study(documents, SLIPS, count=3).known.values()), SLIPS)

    assert ("", 0.0) == (found.wrong, found.by_chance)


def test_a_bad_scan_beside_documents_of_its_seller_has_no_foreign_label() -> None:
    documents = [slip(i, i // 20, empty=i % 5 == 0) for i in range(60)]

    found = check(list(study(documents, SLIPS, count=3).known.values()), SLIPS)

    assert () == found.foreign
