"""Lengths of time as documents print them: `two (2) years`, `24 Monate`, `eighteen months`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import cache

# Forms of each unit; a language's last letters are told apart by the word that they end.
_UNITS = {
    "day": "days day tage tagen tag jours jour días dia dias día giorni giorno dagen dag dagar "
    "dage dni dzień dnů dní den dny",
    "week": "weeks week wochen woche semaines semaine semanas semana settimane settimana weken "
    "veckor vecka uger uge tygodni tygodnie tydzień týdnů týdny týden",
    "month": "months month monate monaten monats monat mois meses mes mesi mese mês maanden maand "
    "månader månad måneder måned miesięcy miesiące miesiąc měsíců měsíce měsíc",
    "year": "years year yrs yr jahre jahren jahres jahr années année ans an años año anos ano anni "
    "anno jaren jaar år lat lata rok roku roky let",
}
_IN_OTHERS = {"month": ("year", 12), "day": ("week", 7)}
_ENGLISH = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_GERMAN = (
    "ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn "
    "sechzehn siebzehn achtzehn neunzehn"
).split()
_GERMAN_TENS = "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split()
# What contracts and terms of payment say in other languages; digits serve for the rest.
_OTHERS = {
    1: "einem eines einer eine einen un une uno una um uma een één en ett jeden jednoho",
    2: "deux dos due dois duas twee två to dwa dwóch dva dvou zweier",
    3: "trois tres tre três drie trzy trzech tři tří dreier",
    4: "quatre cuatro quattro quatro vier fyra fire cztery čtyři",
    5: "cinq cinco cinque vijf fem pięć pět",
    6: "six seis sei zes sex seks sześć šest",
    7: "sept siete sette sete zeven sju syv",
    8: "huit ocho otto oito acht åtta otte",
    9: "neuf nueve nove negen nio ni",
    10: "dix diez dieci dez tien tio ti dziesięć deset",
    12: "douze doce dodici doze twaalf tolv dwanaście dvanáct",
    15: "quinze quince quindici vijftien femton femten",
    18: "dix-huit dieciocho diciotto dezoito achttien arton atten",
    20: "vingt veinte venti vinte twintig tjugo tyve",
    24: "vingt-quatre veinticuatro ventiquattro vierentwintig",
    30: "trente treinta trenta trinta dertig trettio tredive",
    36: "trente-six trentasei zesendertig",
    48: "quarante-huit quarantotto achtenveertig",
    60: "soixante sesenta sessanta zestig sextio",
    90: "quatre-vingt-dix noventa novanta negentig nittio",
}


@cache
def _numbers() -> dict[str, int]:
    """Return numbers by their words, in lower case without accents; the first meaning counts."""
    found = {word: number for number, word in enumerate(_ENGLISH, 1)}
    found |= {word: number for number, word in enumerate(_GERMAN, 1)}
    for place, (ten, zehn) in enumerate(zip(_TENS, _GERMAN_TENS, strict=True), 2):
        found |= {ten: 10 * place, zehn: 10 * place}
        for unit in range(1, 10):
            found[f"{ten}-{_ENGLISH[unit - 1]}"] = 10 * place + unit
            found[f"{_GERMAN[unit - 1]}und{zehn}"] = 10 * place + unit
    for number, words in _OTHERS.items():
        for word in words.split():
            found.setdefault(word, number)
    return {_plain(word): number for word, number in found.items()}


@cache
def _first_words() -> frozenset[str]:
    """Return the words that a number in words may begin with, in lower case."""
    spelled = [*_ENGLISH, *_TENS, *_GERMAN, *_numbers()]
    spelled += [word for words in _OTHERS.values() for word in words.split()]
    spelled += [f"{unit}und{ten}" for unit in _GERMAN for ten in _GERMAN_TENS]
    return frozenset(word.split("-")[0] for word in spelled)


@cache
def _unit_names() -> dict[str, str]:
    """Return units by their words, in lower case without accents."""
    return {_plain(word): unit for unit, words in _UNITS.items() for word in words.split()}


def _plain(word: str) -> str:
    """Return a word in lower case without accents."""
    spread = unicodedata.normalize("NFKD", word.casefold())
    return "".join(mark for mark in spread if not unicodedata.combining(mark))


_UNIT = "|".join(
    sorted({re.escape(word) for words in _UNITS.values() for word in words.split()}, key=len)[::-1]
)
_DIGITS = r"\d{1,4}(?:[.,]\d{1,2})?"
_WORD = r"[^\W\d_]+(?:[-\u2010\u2011 ][^\W\d_]+)?"
_HYPHEN = r"\s?[-\u2010\u2011]?\s?"
# `two (2) years`, `2 years`, `2 (two) years`, `(2) years`, `two-year`, `18 consecutive months`.
_DURATION = re.compile(
    rf"(?:(?P<first>{_DIGITS}|{_WORD}){_HYPHEN})?"
    rf"(?:\(\s?(?P<second>{_DIGITS}|{_WORD})\s?\){_HYPHEN})?"
    r"(?:(?:full|calendar|consecutive|business|working|whole)\s)?"
    rf"(?<![^\W\d_])(?P<unit>{_UNIT})",
    re.IGNORECASE,
)
_UNITS_IN_TEXT = re.compile(rf"(?<![^\W\d_])(?:{_UNIT})(?!\w)", re.IGNORECASE)
_BEGINNING = re.compile(r"(?<![\w.,/])(?:[\d(]|[^\W\d_]+)")
_LONGEST = 60  # characters before the unit


def find(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each length of time."""
    words = _first_words()
    for match in _UNITS_IN_TEXT.finditer(text):
        for at in _BEGINNING.finditer(text, max(0, match.start() - _LONGEST), match.start()):
            if at[0].isalpha() and at[0].casefold() not in words:
                continue
            if _read(text[at.start() : match.end()]) is not None:
                yield at.start(), match.end()
                break


def _read(printed: str) -> tuple[Decimal, str, bool] | None:
    """Return number, unit, and whether words and digits disagree; None for no length of time."""
    match = _DURATION.fullmatch(printed)
    unit = _unit_names().get(_plain(match["unit"])) if match else None
    if match is None or unit is None:
        return None
    given = [match[name] for name in ("first", "second") if match[name]]
    values = [_number(part) for part in given]
    known = [value for value in values if value is not None]
    if not given or len(known) < len(given) or known[-1] == 0:
        return None
    digits = [value for part, value in zip(given, known, strict=True) if part[0].isdigit()]
    return (digits or known)[0], unit, len(set(known)) > 1


def _number(part: str) -> Decimal | None:
    if part[0].isdigit():
        try:
            return Decimal(part.replace(",", "."))
        except InvalidOperation:
            return None
    number = _numbers().get("-".join(re.split(r"[-\u2010\u2011\s]+", _plain(part))))
    return None if number is None else Decimal(number)


def parse(printed: str) -> tuple[str, bool]:
    """Return a length of time as `2 years`, and whether its words and digits disagree.

    :raises ValueError: if it is none.
    """
    found = _read(" ".join(printed.split()))
    if found is None:
        raise ValueError(f"no length of time: {len(printed)} characters")
    number, unit, doubtful = found
    return canonical(number, unit), doubtful


def canonical(number: Decimal, unit: str) -> str:
    """Return the form that records hold: `1 year`, `18 months`.

    >>> canonical(Decimal("2.0"), "year")
    '2 years'
    """
    text = f"{number.normalize():f}"
    return f"{text} {unit}" if number == 1 else f"{text} {unit}s"


def read_canonical(text: str) -> tuple[Decimal, str]:
    """Return number and unit. :raises ValueError: for another form than `canonical` gives."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) (day|week|month|year)s?", text)
    if match is None:
        raise ValueError("not a number of days, weeks, months or years")
    return Decimal(match[1]), match[2]


def same(a: str, b: str) -> bool:
    """Compare as lengths of time: 12 months are a year, 7 days a week; others equal none."""
    try:
        one, other = read_canonical(a), read_canonical(b)
    except ValueError:
        return False
    return _in_small(*one) == _in_small(*other)


def _in_small(number: Decimal, unit: str) -> tuple[Decimal, str]:
    for small, (large, count) in _IN_OTHERS.items():
        if unit == large:
            return number * count, small
    return number, unit
