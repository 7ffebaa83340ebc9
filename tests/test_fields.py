"""How values look in print, in many countries, and what they then are."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.fields import (
    CurrencyType,
    IbanType,
    IdentifierType,
    IsoDateType,
    Locale,
    MoneyType,
    PercentType,
    VatIdType,
    VerbatimType,
    iban_is_valid,
    parse_number,
)

GERMAN = Locale("de", ",", True)
AMERICAN = Locale("en", ".", False)


@pytest.mark.parametrize(
    ("printed", "locale", "value"),
    [
        ("1.234,56", GERMAN, "1234.56"),
        ("1,234.56", AMERICAN, "1234.56"),
        ("1 234,56", Locale("fr", ",", True), "1234.56"),
        ("1'234.50", Locale("de", ".", True), "1234.50"),
        ("1,85,421.00", AMERICAN, "185421.00"),
        ("1.250", GERMAN, "1250"),
        ("1.250", AMERICAN, "1.250"),
        ("0,125", GERMAN, "0.125"),
        ("-5,00", GERMAN, "-5.00"),
        ("(5.00)", AMERICAN, "-5.00"),
        ("12", Locale(), "12"),
        (".5", AMERICAN, "0.5"),
    ],
)
def test_numbers_are_read_by_locale(printed: str, locale: Locale, value: str) -> None:
    assert parse_number(printed, locale).value == Decimal(value)


def test_a_number_with_two_readings_is_flagged_where_the_document_does_not_tell() -> None:
    assert parse_number("1.250", Locale()).ambiguous
    assert not parse_number("1.250", GERMAN).ambiguous


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("2020-09-10", date(2020, 9, 10)),
        ("10.09.2020", date(2020, 9, 10)),
        ("25/12/18", date(2018, 12, 25)),
        ("20180304", date(2018, 3, 4)),
        ("10-Sep-2020", date(2020, 9, 10)),
        ("12. März 2024", date(2024, 3, 12)),
        ("1er février 2023", date(2023, 2, 1)),
        ("5 de março de 2024", date(2024, 3, 5)),
        ("5th day of May 2005", date(2005, 5, 5)),
        ("May 5, 2005", date(2005, 5, 5)),
        ("05 MAR 2018", date(2018, 3, 5)),
        ("1. 2. 2020", date(2020, 2, 1)),
        ("14 stycznia 2024", date(2024, 1, 14)),
        ("3. června 2021", date(2021, 6, 3)),
    ],
)
def test_dates_of_many_countries_are_found_and_read(printed: str, value: date) -> None:
    kind = IsoDateType()
    text = f"Date {printed} Total 9.00"

    assert (5, 5 + len(printed)) in kind.find(text)
    assert kind.parse(printed, GERMAN).value == value


def test_the_locale_decides_an_ambiguous_date() -> None:
    kind = IsoDateType()

    assert kind.parse("03/04/2024", GERMAN).value == date(2024, 4, 3)
    assert kind.parse("03/04/2024", AMERICAN).value == date(2024, 3, 4)
    assert kind.parse("03/04/2024", Locale()).ambiguous


@pytest.mark.parametrize("printed", ["31.02.2024", "2024-13-01", "soon", "", "12.34"])
def test_what_is_no_date_is_refused(printed: str) -> None:
    with pytest.raises(ValueError):
        IsoDateType().parse(printed, GERMAN)


def found(kind: object, text: str) -> list[str]:
    return [text[start:end] for start, end in kind.find(text)]  # type: ignore[attr-defined]


def test_amounts_stand_alone_and_not_inside_codes_or_dates() -> None:
    text = "INV-2024-17 12.03.2024 EUR1.234,50 -7,00 19% 10:30 2 100,00"

    amounts = found(MoneyType(), text)

    assert {"1.234,50", "-7,00", "100,00", "2 100,00", "2"} <= set(amounts)
    assert not {"2024", "17", "12.03", "19", "10", "30"} & set(amounts)
    assert "19" in found(PercentType(), text)


def test_an_iban_is_found_by_its_check_digits_whatever_stands_behind_it() -> None:
    text = "IBAN DE89 3704 0044 0532 0130 00 BIC COBADEFF, wrong DE88 3704 0044 0532 0130 00"

    assert found(IbanType(), text) == ["DE89 3704 0044 0532 0130 00"]
    assert IbanType().parse("DE89 3704 0044 0532 0130 00", GERMAN).value == "DE89370400440532013000"
    assert not iban_is_valid("DE88370400440532013000")


@pytest.mark.parametrize(
    "printed",
    ["DE136695976", "DE 136 695 976", "FR 40 303 265 045", "11.222.333/0001-44",
     "CHE-123.456.789", "12-3456789", "201/113/40209", "ESB12345678", "27AAPFU0939F1ZV"],
)  # fmt: skip
def test_tax_numbers_of_many_countries_are_found(printed: str) -> None:
    assert printed in found(VatIdType(), f"Tax no. {printed}\nPhone 1")


@pytest.mark.parametrize(
    ("printed", "code"),
    [("€", "EUR"), ("US$", "USD"), ("R$", "BRL"), ("Kč", "CZK"), ("zł", "PLN"), ("CHF", "CHF")],
)
def test_currencies_are_found_by_sign_and_code(printed: str, code: str) -> None:
    assert printed in found(CurrencyType(), f"Total 12,50 {printed}")
    assert CurrencyType().parse(printed, GERMAN).value == code


def test_a_crown_goes_by_language() -> None:
    assert CurrencyType().parse("kr", Locale("da")).value == "DKK"
    assert CurrencyType().parse("kr", Locale("sv")).value == "SEK"


def test_identifiers_have_a_digit_and_no_label() -> None:
    identifiers = found(IdentifierType(), "Invoice No:A-17/3, 210111 mit LV")

    assert "A-17/3" in identifiers
    assert "210111" in identifiers


def test_names_are_compared_without_case_spaces_and_punctuation() -> None:
    assert VerbatimType().same("Müller & Co. KG", "MÜLLER & CO KG")
    assert not VerbatimType().same("Müller", "Miller")


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("Rechnung vom 13.05.2024, Betrag 1.234,56 und 7,20 für die Leistung", GERMAN),
        ("Invoice date 05/13/2024 total 1,234.56 and 7.20 for the work", AMERICAN),
        ("12", Locale()),
    ],
)
def test_the_locale_comes_from_the_document_itself(text: str, locale: Locale) -> None:
    assert Locale.of(text) == locale


@given(st.text(max_size=200))
def test_finders_accept_any_text_and_give_spans_that_are_there(text: str) -> None:
    for kind in (MoneyType(), IsoDateType(), VatIdType(), IbanType(), IdentifierType()):
        for start, end in kind.find(text):
            assert 0 <= start < end <= len(text)


@pytest.mark.parametrize("piece", ["1", "1.", "1 ", "A1", "1.234,", "DE89 ", "May 1 ", "a"])
def test_finders_stay_linear_on_one_long_line(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    for kind in (MoneyType(), IsoDateType(), VatIdType(), IbanType(), IdentifierType()):
        kind.find(text)
