"""How values look in print, in many countries, and what they then are."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal

import pytest
from babel.dates import format_date
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from extractor.fields import (
    CurrencyType,
    DurationType,
    IbanType,
    IdentifierType,
    IsoDateType,
    Locale,
    MoneyType,
    Parsed,
    PercentType,
    PlainType,
    Rx,
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


@pytest.mark.parametrize(
    ("text", "printed", "value"),
    [
        ("for a period of two (2) years from", "two (2) years", "2 years"),
        ("a 2-year term", "2-year", "2 years"),
        ("a one-year term", "one-year", "1 year"),
        ("eighteen months after", "eighteen months", "18 months"),
        ("TWENTY FOUR (24) MONTHS", "TWENTY FOUR (24) MONTHS", "24 months"),
        ("six (6) calendar months", "six (6) calendar months", "6 months"),
        ("2 (two) years", "2 (two) years", "2 years"),
        ("1,5 Jahre", "1,5 Jahre", "1.5 years"),
        ("binnen vierundzwanzig Monaten", "vierundzwanzig Monaten", "24 months"),
        ("pendant deux ans", "deux ans", "2 years"),
        ("treinta días", "treinta días", "30 days"),
        ("treinta y cinco días", "treinta y cinco días", "35 days"),
        ("quatre-vingt-dix jours", "quatre-vingt-dix jours", "90 days"),
        ("soixante-quinze jours", "soixante-quinze jours", "75 days"),
        ("vingt et un jours", "vingt et un jours", "21 days"),
        ("dix-sept ans", "dix-sept ans", "17 years"),
        ("vinte e quatro meses", "vinte e quatro meses", "24 months"),
        ("ventotto mesi", "ventotto mesi", "28 months"),
        ("pět let", "pět let", "5 years"),
        ("thirty-\nfive days", "thirty-\nfive days", "35 days"),
        ("two\nyears", "two\nyears", "2 years"),
        ("one hundred eighty days", "one hundred eighty days", "180 days"),
        (
            "in one hundred and eighty (180) days",
            "one hundred and eighty (180) days",
            "180 days",
        ),
    ],
)
def test_lengths_of_time_are_found_and_read(text: str, printed: str, value: str) -> None:
    found = [text[start:end] for start, end in DurationType().find(text)]

    assert found == [printed]
    assert DurationType().parse(printed, Locale()) == Parsed(value)


@pytest.mark.parametrize(
    "text",
    [
        "the year 2020",
        "some years",
        "months",
        "v1.2 days",
        "0 days",
        "3\n\nAn Event of Default",
        "Section 10 let the parties",
        "No. 4 den Haag",
        "USD 500 year",
        "€ 12 months",
        "1st January 2024 year",
        "10-12 months",
        "fifty sixty days",
        "ten two years",
    ],
)
def test_what_is_no_length_of_time_is_not_found(text: str) -> None:
    assert DurationType().find(text) == []


def test_words_and_digits_that_disagree_are_told_and_digits_count() -> None:
    assert DurationType().parse("two (3) years", Locale()) == Parsed("3 years", ambiguous=True)


def test_twelve_months_are_a_year() -> None:
    assert DurationType().same("12 months", "1 year")
    assert DurationType().same("2 weeks", "14 days")
    assert not DurationType().same("12 months", "12 years")
    assert not DurationType().same("30 days", "1 month")
    assert not DurationType().same("30 days", None)
    assert DurationType().key("12 months") == DurationType().key("1 year")


@pytest.mark.parametrize("label", ["2 years", "2 Jahre", "two (2) years"])
def test_a_label_may_be_canonical_or_as_printed(label: str) -> None:
    assert DurationType().from_label(label, Locale()) == "2 years"


def test_amounts_stand_alone_and_not_inside_codes_or_dates() -> None:
    text = "INV-2024-17 12.03.2024 EUR1.234,50 -7,00 19% 10:30 2 100,00"

    amounts = found(MoneyType(), text)

    assert {"1.234,50", "-7,00", "100,00", "2 100,00", "2"} <= set(amounts)
    assert not {"2024", "17", "12.03", "19", "10", "30"} & set(amounts)
    assert "19" in found(PercentType(), text)


def test_an_iban_is_found_whatever_stands_behind_it_and_wrong_digits_are_said() -> None:
    text = "IBAN DE89 3704 0044 0532 0130 00 BIC COBADEFF, wrong DE88 3704 0044 0532 0130 00 x"
    right, wrong = found(IbanType(), text)

    assert right == "DE89 3704 0044 0532 0130 00"
    assert IbanType().parse(right, GERMAN) == Parsed("DE89370400440532013000")
    assert wrong == "DE88 3704 0044 0532 0130 00"
    assert IbanType().parse(wrong, GERMAN).value == "DE88370400440532013000"
    assert IbanType().parse(wrong, GERMAN).wrong
    assert not iban_is_valid("DE88370400440532013000")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IBAN: DE37 0800 4001 2345 6789 BIC", ["DE37 0800 4001 2345 6789"]),
        ("Account GB99 12 is old", []),
        ("no12 apples and 3456 pears", []),
    ],
)
def test_a_code_of_a_wrong_length_is_an_iban_only_behind_that_word(
    text: str, expected: list[str]
) -> None:
    assert found(IbanType(), text) == expected


def test_a_bare_number_is_a_tax_number_only_beside_a_word_that_says_so() -> None:
    assert found(VatIdType(), "Order 11222333000144") == []
    assert found(VatIdType(), "CNPJ\n11222333000144") == ["11222333000144"]
    assert found(VatIdType(), "Order 4711  DE136695976") == ["DE136695976"]


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
    ("one", "other", "same"),
    [(12.1, Decimal("12.10"), True), (12.1, Decimal("12.11"), False), (3, 3.0, True),
     (True, 1.5, False), ("A-1", "a1", True), ("1", 1, False)],
)  # fmt: skip
def test_plain_values_are_compared_as_they_are_written(
    one: object, other: object, same: bool
) -> None:
    kind = PlainType("number", Rx("[0-9]+"), float)

    assert kind.same(one, other) is same
    assert kind.same(other, one) is same


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("Rechnung vom 13.05.2024, Betrag 1.234,56 und 7,20 für die Leistung", GERMAN),
        ("Invoice date 05/13/2024 total 1,234.56 and 7.20 for the work", AMERICAN),
        ("12", Locale()),
        (
            "Miller, Ltd. Date 9/10/2020 Walnut, WY, 98432 Sales Tax due on total 10.25",
            AMERICAN,
        ),
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


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("1\u00a0234,56", "1234.56"),
        ("1\u202f234\u202f567,8", "1234567.8"),
        ("15,-", "15"),
        ("500/-", "500"),
        ("12.50-", "-12.50"),
        ("-$5.00", "-5.00"),
        ("1.234.567", "1234567"),
        ("R$ 1.234,56", "1234.56"),
    ],
)
def test_numbers_are_read_however_they_are_set(printed: str, value: str) -> None:
    assert parse_number(printed, Locale()).value == Decimal(value)


@pytest.mark.parametrize("printed", ["", "EUR", "10.09.2020", "3 12.50", "1,23,4.00", "A1B2"])
def test_what_is_no_single_number_is_refused(printed: str) -> None:
    with pytest.raises(ValueError):
        parse_number(printed, Locale())


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("Total.....12.50", "12.50"),
        ("kr.1.250,00", "1.250,00"),
        ("Rs.500/-", "500"),
        ("12.50/kg", "12.50"),
        ("CHF 1\u00a0234.50", "1\u00a0234.50"),
        ("(1,234.56)", "(1,234.56)"),
    ],
)
def test_amounts_are_found_beside_signs_and_leaders(text: str, amount: str) -> None:
    assert amount in found(MoneyType(), text)


@given(
    st.decimals(-(10**9), 10**9, places=2, allow_nan=False),
    st.sampled_from(["en_US", "de_DE", "fr_FR", "cs_CZ", "pl_PL", "sv_SE", "de_CH", "en_IN"]),
)
def test_every_amount_is_found_and_read_as_each_country_prints_it(
    amount: Decimal, country: str
) -> None:
    printed = format_decimal(amount, "#,##0.00", locale=country)
    text = f"Total {printed} EUR"

    assert printed in found(MoneyType(), text)
    assert parse_number(printed, Locale.of(text)).value == amount


@given(
    st.dates(date(1970, 1, 1), date(2069, 12, 31)),
    st.sampled_from("en de fr es pt it nl cs sk pl sv da nb fi ro hr sl ru uk bg el".split()),
    st.sampled_from(["long", "medium"]),
)
def test_every_date_is_found_and_read_as_each_language_prints_it(
    day: date, language: str, width: str
) -> None:
    printed = format_date(day, width, locale=language)  # type: ignore[arg-type]
    kind = IsoDateType()
    readings = {
        kind.parse(span, Locale(language, "", True)).value for span in found(kind, f" {printed} ")
    }

    assert day in readings, printed


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("15MAR18", date(2018, 3, 15)),
        ("2024年3月9日", date(2024, 3, 9)),
        ("2024-Mar-04", date(2024, 3, 4)),
        ("July 4, 23", date(2023, 7, 4)),
        ("5 de março de 2024", date(2024, 3, 5)),
        ("2024. március 4", date(2024, 3, 4)),
    ],
)
def test_rarer_forms_of_dates_are_read(printed: str, value: date) -> None:
    assert IsoDateType().parse(printed, Locale()).value == value


def test_a_month_that_two_languages_name_alike_is_that_of_the_document() -> None:
    assert IsoDateType().parse("1. lip 2000", Locale("hr")).value == date(2000, 6, 1)
    assert IsoDateType().parse("1 lip 2000", Locale("pl")).value == date(2000, 7, 1)


def test_a_period_is_two_dates_and_a_time_of_day_is_none() -> None:
    assert found(IsoDateType(), "1/2/2024-3/2/2024") == ["1/2/2024", "3/2/2024"]
    assert found(IsoDateType(), "20/12/2019 8:13PM") == ["20/12/2019"]


def test_with_points_the_day_comes_first_and_with_strokes_the_document_decides() -> None:
    kind = IsoDateType()

    assert kind.parse("03.04.2024", AMERICAN).value == date(2024, 4, 3)
    assert kind.parse("03-04-2024", AMERICAN).value == date(2024, 3, 4)
    assert kind.parse("03-04-2024", Locale()).ambiguous


@pytest.mark.parametrize(
    "printed",
    ["DE89370400440532013000", "DE89\u00a03704 0044 0532 0130 00", "DE89 3704 0044 0532\n0130 00",
     "NL91ABNA0417164300", "NO93 8601 1117 947"],
)  # fmt: skip
def test_ibans_are_found_with_gaps_breaks_and_a_label_glued_on(printed: str) -> None:
    assert found(IbanType(), f"IBAN{printed} BIC X") == [printed]


@pytest.mark.parametrize(
    ("text", "code"),
    [("ABN 51 824 753 556", "51824753556"), ("P.IVA 01234567890", "01234567890"),
     ("DE123456789 ATU12345678", "ATU12345678"), ("CUIT 20-12345678-6", "20123456786"),
     ("Org.nr 556123-4567", "5561234567"), ("NO 123 456 789 MVA", "NO123456789MVA")],
)  # fmt: skip
def test_a_tax_number_is_found_apart_from_its_label_and_its_neighbour(text: str, code: str) -> None:
    kind = VatIdType()

    assert code in [kind.parse(span, Locale()).value for span in found(kind, text)]


def test_a_label_is_brought_into_canonical_form() -> None:
    assert VatIdType().from_label("DE 136 695 976", GERMAN) == "DE136695976"
    assert CurrencyType().from_label("€", GERMAN) == "EUR"
    assert MoneyType().from_label("1.250", GERMAN) == Decimal("1.250"), "canonical form comes first"
    assert MoneyType().from_label("1.250,00", GERMAN) == Decimal("1250")


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece", ["1", "1 ", "123 ", "AA11 ", "DE89 3704 ", "may ", "1/2/20 ", "-"]
)
def test_a_megabyte_on_one_line_takes_seconds(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    started = time.process_time()
    Locale.of(text)
    for kind in (MoneyType(), IsoDateType(), CurrencyType(), VatIdType(), IbanType()):
        kind.find(text)

    assert time.process_time() - started < 20
