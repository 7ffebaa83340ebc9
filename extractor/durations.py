"""Lengths of time as documents print them: `two (2) years`, `24 Monate`, `eighteen months`.

A number in words and its unit are of one language, or `an` and `six` would be found in any text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import NamedTuple

# Day, week, month and year by language. Behind digits a unit may be of any language, but for those
# of `_WEAK`, which are also words of other languages.
_UNITS = {
    "en": ("days day", "weeks week", "months month", "years year yrs yr"),
    "de": ("tage tagen tag", "wochen woche", "monate monaten monats monat", "jahre jahren jahr"),
    "fr": ("jours jour", "semaines semaine", "mois", "années année ans an"),
    "es": ("días dias día dia", "semanas semana", "meses mes", "años año anos"),
    "pt": ("dias dia", "semanas semana", "meses mês mes", "anos ano"),
    "it": ("giorni giorno", "settimane settimana", "mesi mese", "anni anno"),
    "nl": ("dagen dag", "weken week", "maanden maand", "jaren jaar"),
    "sv": ("dagar dag", "veckor vecka", "månader månad", "år"),
    "da": ("dage dag", "uger uge", "måneder måned", "år"),
    "pl": ("dni dzień", "tygodni tygodnie tydzień", "miesięcy miesiące miesiąc", "lata lat rok"),
    "cs": ("dnů dní dny den", "týdnů týdny týden", "měsíců měsíce měsíc", "roky roku let rok"),
}
_NAMES = ("day", "week", "month", "year")
_WEAK = frozenset("an ano dag den dia dni lat let mes rok uge vecka".split())
_IN_OTHERS = {"month": ("year", 12), "day": ("week", 7)}
# Numbers by language: from 1 on, then tens from 20 on. Some lists end early; digits serve then.
_COUNTED = {
    "en": "one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen",
    "de": "ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn "
    "fünfzehn sechzehn siebzehn achtzehn neunzehn",
    "fr": "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze "
    "seize",
    "es": "un dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
    "dieciséis diecisiete dieciocho diecinueve veinte veintiún veintidós veintitrés veinticuatro "
    "veinticinco veintiséis veintisiete veintiocho veintinueve",
    "pt": "um dois três quatro cinco seis sete oito nove dez onze doze treze quatorze quinze "
    "dezesseis dezessete dezoito dezenove",
    "it": "un due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici "
    "quindici sedici diciassette diciotto diciannove",
    "nl": "een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien "
    "zestien zeventien achttien negentien",
    "sv": "ett två tre fyra fem sex sju åtta nio tio elva tolv",
    "da": "en to tre fire fem seks syv otte ni ti elleve tolv",
    "pl": "jeden dwa trzy cztery pięć sześć siedem osiem dziewięć dziesięć",
    "cs": "jeden dva tři čtyři pět šest sedm osm devět deset",
}
_TENS = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "fr": "vingt trente quarante cinquante soixante",
    "es": "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    "pt": "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa",
    "it": "venti trenta quaranta cinquanta sessanta settanta ottanta novanta",
    "nl": "twintig dertig veertig vijftig zestig zeventig tachtig negentig",
}
_FORMS = {
    "de": {"eine": 1, "einem": 1, "einen": 1, "einer": 1, "eines": 1, "zweier": 2, "dreier": 3},
    "fr": {"une": 1, "vingts": 20},
    "es": {"una": 1, "uno": 1},
    "pt": {"uma": 1, "duas": 2, "catorze": 14},
    "it": {"uno": 1, "una": 1},
    "sv": {"en": 1, "arton": 18},
    "da": {"et": 1, "atten": 18},
}
_GLUED = {"de": "und", "nl": "en"}  # between a unit and a ten that are one word
_HUNDREDS = {"en": "hundred", "fr": "cent", "es": "cien", "pt": "cem", "it": "cento"}
_JOINERS = {"en": "and", "fr": "et", "es": "y", "pt": "e"}
_CLOSE = r"(?:[^\S\n]*(?:\n|[-\u2010\u2011])?[^\S\n]*)"  # at most one end of a line


class _Length(NamedTuple):
    """A length of time in a text; `doubtful` where words and digits disagree."""

    start: int
    end: int
    number: Decimal
    unit: str
    doubtful: bool


def _plain(word: str) -> str:
    """Return a word in lower case without accents."""
    spread = unicodedata.normalize("NFKD", word.casefold())
    return "".join(mark for mark in spread if not unicodedata.combining(mark))


@cache
def _numbers() -> dict[str, dict[str, int]]:
    """Return the numbers of each language by their words, in lower case without accents."""
    found: dict[str, dict[str, int]] = {}
    for language, words in _COUNTED.items():
        small = words.split()
        tens = _TENS.get(language, "").split()
        table = {word: number for number, word in enumerate(small, 1)}
        table |= {ten: 10 * place for place, ten in enumerate(tens, 2)}
        if language in _GLUED:
            table |= {
                f"{small[unit - 1]}{_GLUED[language]}{ten}": 10 * place + unit
                for place, ten in enumerate(tens, 2)
                for unit in range(1, 10)
            }
        if language == "it":  # venti and otto are ventotto
            table |= {
                f"{ten[:-1] if unit in (1, 8) else ten}{small[unit - 1]}": 10 * place + unit
                for place, ten in enumerate(tens, 2)
                for unit in range(1, 10)
            }
        if language in _HUNDREDS:
            table[_HUNDREDS[language]] = 100
        table |= _FORMS.get(language, {})
        found[language] = {_plain(word): number for word, number in table.items()}
    return found


@cache
def _units() -> dict[str, tuple[str, frozenset[str]]]:
    """Return for each word its unit and the languages that it is of."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for language, rows in _UNITS.items():
        for name, words in zip(_NAMES, rows, strict=True):
            for word in map(_plain, words.split()):
                found[word] = name, found.get(word, (name, frozenset()))[1] | {language}
    return found


@cache
def _languages_of() -> dict[str, frozenset[str]]:
    """Return the languages in which a word is a part of a number."""
    found: dict[str, frozenset[str]] = {}
    for language, table in _numbers().items():
        for word in (*table, *filter(None, [_JOINERS.get(language)])):
            found[word] = found.get(word, frozenset()) | {language}
    return found


_SPELLED = sorted(
    {word for rows in _UNITS.values() for row in rows for word in row.split()}, key=len
)
_UNIT_IN_TEXT = re.compile(
    rf"(?<![^\W\d_])(?:{'|'.join(map(re.escape, reversed(_SPELLED)))})(?!\w)", re.IGNORECASE
)
_PART = r"\d{1,4}(?:[.,]\d{1,2})?|[^\W\d_]+"
# What stands before a unit, from its end backwards: `two (2)`, `18 consecutive`, `2 (two)`.
_BEFORE = re.compile(
    rf"(?:\((?P<inner>[^()\n]{{1,40}})\){_CLOSE})?"
    r"(?:(?:full|calendar|consecutive|business|working|whole)\s)?$",
    re.IGNORECASE,
)
_LAST = re.compile(rf"(?<![\w.,/])(?P<part>{_PART}){_CLOSE}$")
_NO_LENGTH = re.compile(r"(?:[$€£¥₹]|\b[A-Z]{3}|\d[-\u2013]|[-\u2013/.]|\d,)[^\S\n]?$")
_AROUND = 90  # characters before a unit that are looked at


def find(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each length of time."""
    return ((length.start, length.end) for length in _lengths(text))


def _lengths(text: str) -> Iterator[_Length]:
    for match in _UNIT_IN_TEXT.finditer(text):
        word = _plain(match[0])
        unit, languages = _units()[word]
        first = max(0, match.start() - _AROUND)
        before = text[first : match.start()]
        found = _before(before, languages, digits=word not in _WEAK)
        if found is None:
            continue
        start, number, doubtful = found
        year = unit == "year" and 1900 <= number <= 2099
        if number > 0 and not year and not _NO_LENGTH.search(before[:start]):
            yield _Length(first + start, match.end(), number, unit, doubtful)


def _before(
    before: str, languages: frozenset[str], *, digits: bool
) -> tuple[int, Decimal, bool] | None:
    """Return where the number that a text ends with begins, the number, and whether it is unsure.

    :param languages: of numbers in words.
    :param digits: whether digits alone will do.
    """
    match = _BEFORE.search(before)
    assert match is not None  # all of it may be empty
    inner = match["inner"]
    bracketed = None if inner is None else _number(inner.strip(), languages)
    if inner is not None and bracketed is None:
        return None
    end = match.start()
    outer = _ending(before[:end], languages)
    if outer is None:
        if bracketed is None or not (digits or not inner.strip()[0].isdigit()):
            return None
        return end, bracketed, False
    start, part = outer
    value = _number(part, languages)
    if value is None:
        return None if bracketed is None else (end, bracketed, False)
    if bracketed is None:
        return (start, value, False) if digits or not part[0].isdigit() else None
    told = bracketed if inner.strip()[0].isdigit() else value
    return start, told, value != bracketed


def _ending(before: str, languages: frozenset[str]) -> tuple[int, str] | None:
    """Return where the number begins that a text ends with, in digits or words, and its print."""
    start = end = len(before.rstrip(" \n-\u2010\u2011"))
    if before.count("\n", end) > 1:
        return None
    known = _languages_of()
    while True:
        match = _LAST.search(before[:start])
        if match is None or before.count("\n", match.end("part"), start) > 1:
            break
        part = match["part"]
        if part[0].isdigit():
            if start == end:
                return match.start("part"), part
            break
        if not known.get(_plain(part), frozenset()) & languages:
            break
        start = match.start("part")
    words = before[start:end].split()
    joiners = {_JOINERS[language] for language in languages & _JOINERS.keys()}
    while words and _plain(words[0]) in joiners:  # "and two years"
        start += len(words[0])
        start += len(before[start:end]) - len(before[start:end].lstrip())
        words = words[1:]
    return (start, before[start:end]) if words else None


def _number(part: str, languages: frozenset[str]) -> Decimal | None:
    """Return a number in digits, or in words of one of some languages; None for no number."""
    if re.fullmatch(r"\d{1,4}(?:[.,]\d{1,2})?", part):
        return Decimal(part.replace(",", "."))
    words = [_plain(word) for word in re.split(r"[\s\-\u2010\u2011]+", part) if word]
    for language in sorted(languages):
        value = _sum(words, _numbers()[language], _JOINERS.get(language))
        if value is not None:
            return Decimal(value)
    return None


def _sum(words: list[str], table: dict[str, int], joiner: str | None) -> int | None:
    """Return what number words make: `one hundred and eighty`, `quatre-vingt-dix`."""
    total, last = 0, 1000
    for word in words:
        if word == joiner and total:
            continue
        value = table.get(word)
        if value is None:
            return None
        if total and value in (20, 100) and value > total and total < 10:
            total, last = total * value, value  # quatre vingts, two hundred
        elif value < last and (last >= 20 or (last == 10 and value > 6)):  # dix-sept
            total, last = total + value, value
        else:
            return None
    return total or None


def parse(printed: str) -> tuple[str, bool]:
    """Return a length of time as `2 years`, and whether its words and digits disagree.

    :raises ValueError: if it is none.
    """
    text = " ".join(printed.split())
    for length in _lengths(text):
        if (length.start, length.end) == (0, len(text)):
            return canonical(length.number, length.unit), length.doubtful
    raise ValueError(f"no length of time: {len(printed)} characters")


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


def in_small_units(text: str) -> str:
    """Return a canonical form in days or months: 12 months are a year, 7 days a week.

    >>> in_small_units("2 years")
    '24 months'

    :raises ValueError: for another form.
    """
    number, unit = read_canonical(text)
    for small, (large, count) in _IN_OTHERS.items():
        if unit == large:
            number, unit = number * count, small
    return canonical(number, unit)
