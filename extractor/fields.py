"""The vocabulary of field types: what a value looks like in print, and what it then is.

A *copied* value is decoded as the document prints it, so it can only be a span of the document;
typed code turns the print into the value, by the document's own locale. All other values are
decoded in their canonical JSON form.

    class Invoice(BaseModel):
        number: Identifier | None = None
        total: Money | None = None
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import GetCoreSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema

from extractor import durations

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Locale:
    """How a document writes numbers and dates, as far as it shows.

    :param language: ISO 639-1, empty if unknown.
    :param decimal: the decimal separator, empty if no number tells.
    :param day_first: whether 03/04/2024 is in April; None if nothing tells.
    """

    language: str = ""
    decimal: Literal[".", ",", ""] = ""
    day_first: bool | None = None

    @classmethod
    def of(cls, text: str) -> Locale:
        """Infer the locale from the document's own unambiguous numbers, dates and words."""
        sample = text[:20_000]
        language = _language(sample)
        return cls(language, _decimal_separator(sample), _day_first(sample, language))


_STOPWORDS = {
    "en": "the of and to for invoice date total amount from due number bill payment please tax",
    "de": "der die das und für rechnung datum betrag gesamt mwst vom bis zahlung bitte nummer ust",
    "fr": "le la les des et pour facture montant tva du date total au net payer règlement",
    "es": "el la los de y para factura fecha importe iva total del cliente pago número",
    "pt": "o os de e para fatura nota data valor total do da cliente número fiscal",
    "it": "il di e per fattura data importo iva totale del cliente pagamento numero",
    "nl": "de het een en van factuur datum bedrag btw totaal voor klant betaling nummer",
    "cs": "a na za faktura datum dph celkem odběratel dodavatel částka úhradě ks",
    "sk": "a na za faktúra dátum dph spolu odberateľ dodávateľ suma úhradu",
    "pl": "i na do faktura data vat razem nabywca sprzedawca kwota zapłaty nr",
    "sv": "och att för faktura datum belopp moms summa kund betalning nummer",
    "da": "og til for faktura dato beløb moms total kunde betaling nummer",
    "nb": "og til for faktura dato beløp mva sum kunde betaling nummer",
    "fi": "ja lasku päivämäärä summa yhteensä alv asiakas eräpäivä numero",
    "hu": "és a az számla dátum összeg áfa összesen vevő fizetendő",
    "ro": "și de la factura data suma tva total client furnizor plată",
}
_WORDS = re.compile(r"[^\W\d_]+")


def _language(text: str) -> str:
    words = Counter(word.lower() for word in _WORDS.findall(text))
    votes = {
        language: sum(min(words[stop], 5) for stop in stops.split())
        for language, stops in _STOPWORDS.items()
    }
    best = max(votes, key=lambda language: votes[language])
    return best if votes[best] >= 2 else ""


# No-break, narrow no-break, thin and figure space: what typesetting puts between thousands.
_BLANKS = "\u00a0\u202f\u2009\u2007"
_TELLING = re.compile(
    rf"(?<![\d.,])(?P<whole>\d{{1,3}}(?:[., '’{_BLANKS}]\d{{3}}){{0,4}}|\d{{1,9}})"
    r"(?P<point>[.,])\d{2}(?![\d%]|[.,:]\d)"
)


def _decimal_separator(text: str) -> Literal[".", ",", ""]:
    votes: Counter[str] = Counter()
    for match in _TELLING.finditer(text):
        # 1.234,56 leaves no doubt; 10.09 may be a date or a time of day.
        certain = not match["whole"].isdigit() and match["point"] not in match["whole"]
        votes[match["point"]] += 5 if certain else 1
    if votes["."] == votes[","]:
        return ""
    return "." if votes["."] > votes[","] else ","


# What English documents of each custom hold; each sign found counts once.
_BRITISH = [
    re.compile(sign)
    for sign in (
        r"£|GBP|€|₹|\bA\$",
        r"\bVAT\b|\bGST(?:IN)?\b",
        r"Ltd\b|\bPty\b|\bS(?:DN|dn)\b|\bABN\b",
    )
]
_AMERICAN = [
    re.compile(sign)
    for sign in (
        r"\b[A-Z]{2},? \d{5}(?:-\d{4})?\b",
        r"USD|US\$",
        r"\bInc\b|\bLLC\b",
        r"(?i)\bsales tax\b",
    )
]


def _day_first(text: str, language: str) -> bool | None:
    votes = 0
    for match in _NUMERIC_DATE.finditer(text):
        first, second = int(match["a"]), int(match["b"])
        # 20-09-10 may begin with its year.
        whole = len(match["y"]) == 4 or match["sep"].strip() == "/"
        if whole and (first > 12) != (second > 12) and max(first, second) <= 31:
            votes += 1 if first > 12 else -1
    if votes:
        return votes > 0
    if not language:
        return None
    if language != "en":
        return True
    british = sum(sign.search(text) is not None for sign in _BRITISH)
    american = sum(sign.search(text) is not None for sign in _AMERICAN)
    return None if british == american else british > american


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these JSON scalars."""

    values: tuple[str | int | float | bool | None, ...]


@dataclass(frozen=True, slots=True)
class Rx:
    """Content that matches a regular expression; inside quotation marks if `quoted`."""

    pattern: str
    quoted: bool = True


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """A leaf that a JSON Schema fragment describes."""

    schema: str

    @classmethod
    def of(cls, **keywords: Any) -> JsonSchema:
        """Make one from keywords; kept as text so that it can be hashed."""
        return cls(json.dumps(keywords))


Emission = Choice | Rx | JsonSchema


@dataclass(frozen=True, slots=True)
class Parsed:
    """A value read from print.

    :param ambiguous: the print can be read in another way too.
    :param wrong: what is wrong with the value as it is printed, such as check digits.
    """

    value: Any
    ambiguous: bool = False
    wrong: str | None = None


class FieldType:
    """How one leaf is printed, decoded, parsed, compared and written.

    `name` is what the prompt prints. `copied` values are spans of the document; of those, `typed`
    ones can be found by their looks.
    """

    name: str = "text"
    copied: bool = False
    typed: bool = False

    def emission(self) -> Emission:
        """Return what decoding may emit where no document limits it."""
        raise NotImplementedError

    def parse(self, printed: Any, locale: Locale) -> Parsed:
        """Read a decoded value. :raises ValueError: if it is none of this type."""
        return Parsed(printed)

    def find(self, text: str) -> list[Span]:
        """Return the spans of a text that could be such a value; they may overlap."""
        return []

    def same(self, a: Any, b: Any) -> bool:
        """Return whether two values are equal once what does not count is left out."""
        return bool(a == b)

    def key(self, value: Any) -> Any:
        """Return what equal values share; values that are near may share it too."""
        return value

    def to_json(self, value: Any) -> Any:
        """Return the canonical JSON form."""
        return value

    def from_json(self, value: Any) -> Any:
        """Read the canonical JSON form. :raises ValueError: if it is another form."""
        if not isinstance(value, str):
            raise ValueError(f"expected a string, found {type(value).__name__}")
        return value

    def from_label(self, value: Any, locale: Locale) -> Any:
        """Read a label: the canonical form, else the value as printed.

        :raises ValueError: if it is neither.
        """
        try:
            return self.from_json(value)
        except ValueError:
            if not isinstance(value, str):
                raise
            return self.parse(value, locale).value

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let Pydantic treat the annotated type as if the marker were not there."""
        return handler(source)

    def __eq__(self, other: object) -> bool:
        """Compare by class and settings."""
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        """Hash by class."""
        return hash(type(self))

    def __repr__(self) -> str:
        """Show class and settings."""
        settings = ", ".join(f"{k}={v!r}" for k, v in vars(self).items())
        return f"{type(self).__name__}({settings})"


def bare(value: str) -> str:
    """Return letters and digits only, case folded: what counts when names are compared."""
    folded = unicodedata.normalize("NFKC", value).casefold()
    return "".join(character for character in folded if character.isalnum())


class VerbatimType(FieldType):
    """Words of the document, compared without case, spaces and punctuation.

    :param max_length: in characters.
    """

    name = "text"
    copied = True

    def __init__(self, max_length: int = 160) -> None:
        self.max_length = max_length

    def emission(self) -> Emission:
        """Return a bounded string."""
        return JsonSchema.of(type="string", minLength=1, maxLength=self.max_length)

    def parse(self, printed: Any, locale: Locale) -> Parsed:
        """Return the words, white space collapsed."""
        value = " ".join(str(printed).split())
        if not value:
            raise ValueError("empty text")
        return Parsed(value)

    def same(self, a: Any, b: Any) -> bool:
        """Compare letters and digits only."""
        return bare(str(a)) == bare(str(b)) if bare(str(a)) else str(a) == str(b)


_TOKEN = re.compile(r"\S+")
_EDGE = ".,;:!?()[]{}<>\"'“”„*#|=№°º"


class IdentifierType(FieldType):
    """A number or code that names something: has a digit, compared without punctuation."""

    name = "identifier"
    copied = True
    typed = True
    _MOST_WORDS = 3

    def emission(self) -> Emission:
        """Return a string of up to 60 characters."""
        return JsonSchema.of(type="string", minLength=1, maxLength=60)

    def parse(self, printed: Any, locale: Locale) -> Parsed:
        """Return the identifier, white space collapsed."""
        value = " ".join(str(printed).split())
        if not bare(value):
            raise ValueError("no letter or digit")
        return Parsed(value)

    def find(self, text: str) -> list[Span]:
        """Return words with a digit, what follows a label sign in them, and runs of such words."""
        spans: dict[Span, None] = {}
        run: list[Span] = []
        for match in _TOKEN.finditer(text):
            start, end = _trim(text, match.start(), match.end(), _EDGE)
            if end <= start or end - start > 60:
                run = []
                continue
            word = text[start:end]
            if run and text[run[-1][1] : start] != " ":
                run = []
            run = [*run[-(self._MOST_WORDS - 1) :], (start, end)]
            for first in run:
                if _has_digit(text[first[0] : end]):
                    spans[(first[0], end)] = None
            for sign in (":", "#", "№", "°", "º"):
                at = word.rfind(sign)
                if at >= 0 and _has_digit(word[at + 1 :]):
                    spans[(start + at + 1, end)] = None
        return list(spans)

    def same(self, a: Any, b: Any) -> bool:
        """Compare letters and digits only."""
        return bare(str(a)) == bare(str(b))


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)


def _trim(text: str, start: int, end: int, characters: str) -> Span:
    while start < end and text[start] in characters:
        start += 1
    while end > start and text[end - 1] in characters:
        end -= 1
    return start, end


# A number begins after white space, a currency sign, a letter code such as EUR, or a bracket; not
# inside an identifier, a date or another number. A point may stand before it (kr.250, dot leaders)
# unless a digit stands before the point.
_BEFORE = r"(?<![\d'’/_\-–−])(?<!\d[.,:])"
_AFTER = r"(?![\d’_]|[.,'’\-:/]\d)"
_SIGN = r"(?P<sign>[-–−+]\s?)?"
_NUMBER = re.compile(
    _BEFORE + _SIGN + r"(?P<digits>(?:\d{1,2}(?:,\d{2}){1,4},\d{3}(?:\.\d{1,4})?"  # lakh and crore
    r"|\d{1,3}(?:(?P<group>[.,'’])\d{3})(?:(?P=group)\d{3}){0,4}(?:[.,]\d{1,6})?"
    r"|\d{1,12}(?:[.,]\d{1,8})?|(?<![.,\w])[.,]\d{1,4}))" + _AFTER
)
_GROUPED = re.compile(
    _BEFORE
    + _SIGN
    + rf"(?P<digits>\d{{1,3}}(?P<group>[ {_BLANKS}])\d{{3}}(?:(?P=group)\d{{3}}){{0,3}}"
    r"(?:[.,]\d{1,6})?)" + _AFTER
)
_DIGITS = re.compile(rf"[.,]?\d(?:[\d.,'’\s{_BLANKS}]*\d)?")
_GROUPS = re.compile(r"\d{1,3}(?:\D\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}")


def parse_number(printed: str, locale: Locale) -> Parsed:
    """Read a printed number; letters and signs around it, such as a currency, do not count.

    With one separator before three digits, such as 1.250, the document's decimal separator
    decides; where it has none the number is ambiguous and read as thousands.

    :raises ValueError: if it is no number, or more than one.
    """
    text = unicodedata.normalize("NFKC", printed).strip()
    found = list(_DIGITS.finditer(text[:80]))
    if len(found) != 1 or len(text) > 80:
        raise ValueError(f"not a number: {len(printed)} characters")
    digits, before, after = found[0][0], text[: found[0].start()], text[found[0].end() :]
    decimal, ambiguous = _decimal_point(digits, locale)
    whole, _, tail = digits.rpartition(decimal) if decimal else (digits, "", "")
    if not (whole.isdigit() or whole == "" or _GROUPS.fullmatch(whole)) or not (whole + tail):
        raise ValueError(f"not a number: {len(printed)} characters")
    value = Decimal(f"{re.sub(r'[^0-9]', '', _ascii(whole)) or '0'}.{_ascii(tail) or '0'}")
    if not tail:
        value = value.to_integral_value()
    return Parsed(-value if _negative(before, after) else value, ambiguous)


def _decimal_point(digits: str, locale: Locale) -> tuple[str, bool]:
    """Return the decimal separator of a number, empty if none, and whether that is in doubt."""
    points = [character for character in digits if character in ".,"]
    if not points or (len(points) > 1 and len(set(points)) == 1):
        return "", False
    decimal = points[-1]
    whole, _, tail = digits.partition(decimal)
    if len(points) == 1 and len(tail) == 3 and re.fullmatch(r"[1-9]\d{0,2}", whole):
        # Without any hint the likelier reading, thousands, is taken.
        return decimal if decimal == locale.decimal else "", not locale.decimal
    return decimal, False


def _negative(before: str, after: str) -> bool:
    # In `15,-` and `500/-` the stroke stands for the cents.
    behind = after.strip()
    return (
        any(sign in before for sign in "-–−")
        or (before.strip().startswith("(") and behind.endswith(")"))
        or (behind.startswith(("-", "–", "−")) and not after.startswith((",", ".", "/")))
    )


def _ascii(digits: str) -> str:
    return "".join(str(unicodedata.decimal(digit, "")) for digit in digits)


class NumberType(FieldType):
    """A printed number, a `Decimal` after parsing."""

    name = "number"
    copied = True
    typed = True

    def emission(self) -> Emission:
        """Return digits with separators and a sign."""
        return Rx(r"-?[0-9][0-9., ]{0,20}")

    def parse(self, printed: Any, locale: Locale) -> Parsed:
        """See `parse_number`."""
        return parse_number(str(printed), locale)

    def find(self, text: str) -> list[Span]:
        """Return every number that stands alone, with and without groups set off by spaces."""
        spans: dict[Span, None] = {}
        for pattern in (_NUMBER, _GROUPED):
            for match in pattern.finditer(text):
                if self._fits(text, match.end()):
                    spans[match.span()] = None
                    spans[match.span("digits")] = None
                    around = _accounting(text, *match.span("digits"))
                    if around is not None:
                        spans[around] = None
        return sorted(spans)

    def _fits(self, text: str, end: int) -> bool:
        return True

    def same(self, a: Any, b: Any) -> bool:
        """Compare as numbers: 3.0000 is 3."""
        return Decimal(str(a)) == Decimal(str(b))

    def to_json(self, value: Any) -> Any:
        """Return a decimal string without exponent."""
        return format(Decimal(str(value)), "f")

    def from_json(self, value: Any) -> Any:
        """Read a decimal string, or a JSON number."""
        try:
            number = Decimal(str(value))
        except InvalidOperation as error:
            raise ValueError("not a decimal string") from error
        if not number.is_finite():
            raise ValueError("not a finite number")
        return number


def _accounting(text: str, start: int, end: int) -> Span | None:
    """Return the span with the brackets of (1.50), or the sign of 1.50-, that make it negative."""
    if text[start - 1 : start] == "(" and text[end : end + 1] == ")":
        return start - 1, end + 1
    if text[end : end + 1] in ("-", "–", "−") and not text[end + 1 : end + 2].isalnum():
        return start, end + 1
    return None


class MoneyType(NumberType):
    """An amount without its currency sign."""

    name = "money"

    def _fits(self, text: str, end: int) -> bool:
        return text[end : end + 1] != "%" and text[end : end + 2] != " %"


class QuantityType(NumberType):
    """A count or measure without its unit."""

    name = "quantity"


class PercentType(NumberType):
    """A percentage without its sign."""

    name = "percent"


_YEAR = r"(?:19|20)\d{2}"
# A stroke may stand before a date, as in 1/2/2024-3/2/2024, but not inside a number.
_START = r"(?<![\d.,/])(?<!(?<!\d\d)\d-)"
_NUMERIC_DATE = re.compile(
    _START + r"(?P<a>\d{1,2})(?P<sep>\s?[-/.]\s?|\s)(?P<b>\d{1,2})(?P=sep)"
    rf"(?P<y>{_YEAR}(?![\d/]|[.,]\d)|\d{{2}}(?![\d/]|[.\-,]\d))"
)
_ISO_DATE = re.compile(
    _START + rf"(?P<y>{_YEAR})(?P<sep>[-/.]\s?)(?P<m>\d{{1,2}})(?P=sep)(?P<d>\d{{1,2}})(?!\d)"
)
_COMPACT_DATE = re.compile(
    rf"(?<![\w.,/\-])(?P<y>{_YEAR})(?P<m>\d{{2}})(?P<d>\d{{2}})(?![\w/]|[.,\-]\d)"
)
_CJK_DATE = re.compile(
    rf"(?<!\d)(?P<y>{_YEAR})\s?[年년]\s?(?P<m>\d{{1,2}})\s?[月월]\s?(?P<d>\d{{1,2}})\s?[日일]"
)
_NAME = r"(?P<name>[^\W\d_]{3,12})"
_DAY_NAME_YEAR = re.compile(
    r"(?<![\w.,/])(?P<d>\d{1,2})(?:st|nd|rd|th|er|º|°|\.)?\s?(?:[-/.]|de |of |day of )?\s?"
    + _NAME
    + r"[.,]?(?:\s?[-/,.]|\s(?:de|del|of|in the year)|\s)?\s?"
    + rf"(?P<y>{_YEAR}|['’]?\d{{2}})(?![\d/]|[.,\-]\d)",
)
_NAME_DAY_YEAR = re.compile(
    r"(?<![^\W\d_])"
    + _NAME
    + r"\.?[\s\-]{1,2}(?P<d>\d{1,2})(?:st|nd|rd|th)?(?:,\s?|\s|-)"
    + rf"(?P<y>{_YEAR}(?!\d)|['’]?\d{{2}}(?![\d:.,/\-]))"
)
_YEAR_NAME_DAY = re.compile(
    rf"(?<![\w.,/\-])(?P<y>{_YEAR})\.?[\s\-/]\s?" + _NAME + r"\.?[\s\-/](?P<d>\d{1,2})(?!\d)"
)
_LANGUAGES = (
    "en de fr es pt it nl cs sk pl sv da nb fi ro hu hr sl et lv lt ca id ms tr ru uk bg el"
).split()


@cache
def _months(language: str = "") -> dict[str, int]:
    """Return the months by name; where languages differ, as on `lip`, the given one decides."""
    from babel.dates import get_month_names

    names: dict[str, int] = {}
    own = [language] if language in _LANGUAGES else []
    for language in (*own, *_LANGUAGES):
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, language).items():
                    key = name.casefold().rstrip(".")
                    if len(key) >= 3:
                        names.setdefault(key, number)
    plain = {_without_accents(name): number for name, number in names.items()}
    extra = {"sept": 9, "maerz": 3, "mrz": 3, "fev": 2, "out": 10, "ago": 8, "set": 9}
    return {**plain, **extra, **names}


def prepare() -> None:
    """Read the names of months and countries, which the first document would wait for."""
    _months()
    _countries()


def _without_accents(text: str) -> str:
    spread = unicodedata.normalize("NFKD", text)
    return "".join(character for character in spread if not unicodedata.combining(character))


def _year(text: str) -> int:
    digits = text.lstrip("'’")
    year = int(digits)
    if len(digits) == 4:
        return year
    return 2000 + year if year < 70 else 1900 + year


def _read_date(match: re.Match[str], locale: Locale) -> Parsed:
    groups = match.groupdict()
    year = _year(groups["y"])
    if groups.get("name"):
        name = unicodedata.normalize("NFC", groups["name"]).casefold()
        months = _months(locale.language)
        month = months.get(name) or months.get(_without_accents(name))
        if month is None:
            raise ValueError("not a month")
        return Parsed(date(year, month, int(groups["d"])))
    if "m" in groups:
        return Parsed(date(year, int(groups["m"]), int(groups["d"])))
    first, second = int(groups["a"]), int(groups["b"])
    if first > 31:  # 98-09-10
        return Parsed(date(_year(groups["a"]), second, int(groups["y"])))
    # With points the day comes first everywhere; with strokes or spaces the document decides.
    dotted = groups["sep"].strip() == "."
    day_first = first > 12 or (second <= 12 and (dotted or locale.day_first is not False))
    two_ways = max(first, second) <= 12 and first != second
    day, month = (first, second) if day_first else (second, first)
    return Parsed(date(year, month, day), two_ways and not dotted and locale.day_first is None)


_DATES = (
    _ISO_DATE, _NUMERIC_DATE, _COMPACT_DATE, _CJK_DATE, _DAY_NAME_YEAR, _NAME_DAY_YEAR,
    _YEAR_NAME_DAY,
)  # fmt: skip


class IsoDateType(FieldType):
    """A printed date of any order and language, a `date` after parsing."""

    name = "date"
    copied = True
    typed = True

    def emission(self) -> Emission:
        """Return up to 40 characters of a printed date."""
        return JsonSchema.of(type="string", minLength=6, maxLength=40)

    def parse(self, printed: Any, locale: Locale) -> Parsed:
        """Read a date; one that has two readings takes the locale's, and says so."""
        text = " ".join(str(printed).split())
        for pattern in _DATES:
            match = pattern.fullmatch(text)
            if match:
                return _read_date(match, locale)
        raise ValueError(f"not a date: {len(text)} characters")

    def find(self, text: str) -> list[Span]:
        """Return every span that reads as a date of the calendar."""
        spans: dict[Span, None] = {}
        for pattern in _DATES:
            for match in pattern.finditer(text):
                try:
                    _read_date(match, Locale())
                except ValueError:
                    try:
                        _read_date(match, Locale(day_first=False))
                    except ValueError:
                        continue
                spans[match.span()] = None
        return sorted(spans)

    def to_json(self, value: Any) -> Any:
        """Return ISO 8601."""
        return value.isoformat() if isinstance(value, date) else str(value)

    def from_json(self, value: Any) -> Any:
        """Read ISO 8601, as 2024-03-09."""
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
            raise ValueError("not an ISO date")
        return date.fromisoformat(str(value))


class DurationType(FieldType):
    """A printed length of time, such as `two (2) years`; `2 years` after parsing."""

    name = "duration"
    copied = True
    typed = True

    def emission(self) -> Emission:
        """Return up to 60 characters of a printed length of time."""
        return JsonSchema.of(type="string", minLength=3, maxLength=60)

    def parse(self, printed: Any, locale: Locale) -> Parsed:
        """Read a length of time; one whose words and digits disagree has two readings."""
        value, doubtful = durations.parse(str(printed))
        return Parsed(value, doubtful)

    def find(self, text: str) -> list[Span]:
        """Return every length of time: a number in digits, words or both, and a unit."""
        return sorted(set(durations.find(text)))

    def same(self, a: Any, b: Any) -> bool:
        """Compare as lengths of time: 12 months are a year."""
        return bool(self.key(a) == self.key(b))

    def key(self, value: Any) -> Any:
        """Return the length in days or months; what is none is its own key."""
        try:
            return durations.in_small_units(str(value))
        except ValueError:
            return value

    def from_json(self, value: Any) -> Any:
        """Read a number of days, weeks, months or years, as `18 months`."""
        return durations.canonical(*durations.read_canonical(super().from_json(value)))


_SYMBOLS = {
    "€": "EUR", "$": "USD", "US$": "USD", "£": "GBP", "R$": "BRL", "¥": "JPY", "₹": "INR",
    "Rs": "INR", "Rs.": "INR", "Kč": "CZK", "zł": "PLN", "RM": "MYR", "Fr.": "CHF", "SFr.": "CHF",
    "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "NZ$": "NZD", "S$": "SGD", "HK$": "HKD",
    "kr": "SEK", "kr.": "DKK", "Kr": "SEK", "Ft": "HUF", "lei": "RON", "Lei": "RON", "₺": "TRY",
    "₽": "RUB", "₴": "UAH", "₩": "KRW", "₪": "ILS", "฿": "THB", "₱": "PHP", "₦": "NGN", "₫": "VND",
    "Euro": "EUR", "EURO": "EUR", "euros": "EUR", "euro": "EUR", "Euros": "EUR", "EUROS": "EUR",
    "eur": "EUR", "Eur": "EUR", "usd": "USD", "gbp": "GBP", "chf": "CHF", "czk": "CZK",
    "pln": "PLN", "sek": "SEK", "NT$": "TWD", "MX$": "MXN", "RMB": "CNY", "元": "CNY", "円": "JPY",
    "Fr": "CHF", "SFr": "CHF", "KR": "SEK", "Kr.": "DKK", "KČ": "CZK", "ZŁ": "PLN", "zl": "PLN",
    "лв": "BGN", "лв.": "BGN", "руб": "RUB", "руб.": "RUB", "грн": "UAH", "RS.": "INR",
}  # fmt: skip
_CODES = frozenset(
    "EUR USD GBP CHF BRL CZK PLN SEK NOK DKK HUF RON BGN JPY CNY INR MYR SGD AUD CAD NZD HKD MXN "
    "ZAR TRY RUB UAH ILS THB IDR PHP KRW VND AED SAR EGP NGN KES ARS CLP COP PEN TWD PKR "
    "ISK BHD KWD QAR OMR JOD LKR BDT NPR GEL KZT RSD MKD BAM UYU DOP CRC GTQ MAD TND DZD GHS UGX "
    "TZS XOF XAF HRK".split()
)
_BY_LANGUAGE = {"kr": {"sv": "SEK", "da": "DKK", "nb": "NOK", "no": "NOK"}}
_CURRENCY = re.compile(
    "|".join(
        [r"(?<![^\W\d_])(?:" + "|".join(sorted(_CODES)) + r")(?![^\W\d_])"]
        + [
            (r"(?<![^\W\d_])" if symbol[0].isalpha() else "")
            + re.escape(symbol)
            + (r"(?![^\W\d_])" if symbol[-1].isalpha() or symbol[-1] == "." else "")
            for symbol in sorted(_SYMBOLS, key=len, reverse=True)
        ]
    )
)


class CurrencyType(FieldType):
    """A currency's sign or code as printed, its ISO 4217 code after parsing."""

    name = "currency"
    copied = True
    typed = True

    def emission(self) -> Emission:
        """Return a sign or code."""
        return Choice((*sorted(_CODES), *sorted(_SYMBOLS)))

    def parse(self, printed: Any, locale: Locale) -> Parsed:
        """Return the ISO code; `$` is the US dollar, `kr` goes by language."""
        text = str(printed).strip()
        if text.upper() in _CODES:
            return Parsed(text.upper())
        if text not in _SYMBOLS:
            raise ValueError(f"not a currency: {len(text)} characters")
        code = _BY_LANGUAGE.get(text.lower().rstrip("."), {}).get(locale.language)
        return Parsed(code or _SYMBOLS[text], ambiguous=text == "$" and locale.language != "en")

    def from_label(self, value: Any, locale: Locale) -> Any:
        """Return the ISO code of a sign; what is no known currency stays as it is."""
        try:
            return self.parse(self.from_json(value), locale).value
        except ValueError:
            return self.from_json(value)

    def find(self, text: str) -> list[Span]:
        """Return every currency sign and code."""
        return [match.span() for match in _CURRENCY.finditer(text)]


class CodeType(FieldType):
    """A code that is compared and written without spaces and punctuation, in capitals.

    `checked` tells that `parse` knows a wrong one by its check digits.
    """

    copied = True
    typed = True
    checked = False

    def emission(self) -> Emission:
        """Return letters, digits and separators."""
        return Rx(r"[A-Z0-9](?:[ ./-]?[A-Z0-9]){3,33}")

    def parse(self, printed: Any, locale: Locale) -> Parsed:
        """Return the code in its canonical form."""
        value = bare(str(printed)).upper()
        if not value:
            raise ValueError("no letter or digit")
        return Parsed(value)

    def from_label(self, value: Any, locale: Locale) -> Any:
        """Return the canonical form; a label may be written as printed."""
        return CodeType.parse(self, self.from_json(value), locale).value

    def same(self, a: Any, b: Any) -> bool:
        """Compare canonical forms."""
        return bare(str(a)) == bare(str(b))


_GAP = rf"[ .\-{_BLANKS}]"
_VAT = re.compile(
    r"(?<![\w])(?:"
    rf"[A-Z]{{2,3}}{_GAP}?[A-Z]?\d[A-Z0-9]?(?:{_GAP}?[A-Z0-9]{{1,4}}){{1,6}}"  # EU, Swiss UID
    r"|\d{2}[A-Z]{5}\d{4}[A-Z][A-Z0-9]{3}"  # GSTIN
    r"|\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}"  # CNPJ
    r"|\d{8}[A-Z0-9]{10}"  # Chinese credit code
    r"|[A-Z]\d?-?\d{7,13}-?[A-Z0-9]?"  # Spanish NIF, Japanese T number, Singapore
    r"|\d{2,8}(?:[.\-/]\d{1,8}){1,4}"  # national numbers in groups
    rf"|\d{{1,3}}(?:[ .\-/{_BLANKS}]\d{{2,8}}){{1,4}}"
    r"|\d{7,15}(?:[ \-]?[A-Z]{1,3}\d{0,6})?"
    r")(?![\w])"
)
_LABELLED = re.compile(rf"[A-Z]{{2,3}}{_GAP}|[A-Z]{{3}}(?=\d)")
_NOT_A_TAX_NUMBER = re.compile(
    r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|(?:19|20)\d{2}[-/.]\d{1,2}[-/.]\d{1,2}|\d+\.\d{1,2}"
)


# Words beside which a number without a country's letters is one of a tax office or a register.
_TAX_WORDS = re.compile(
    r"(?i)\b(?:vat|tax\w*|tin|f?ein|gst\w*|abn|acn|trn|brn|npwp|pan|u?st\.?\W?id\w*|ust|mwst|uid"
    r"|steuer\w*|umsatzsteuer\w*|st\.?\W?nr|tva|siren|siret|nif|n\.i\.f|cif|iva|p\.?\s?iva"
    r"|partita|cnpj|cpf|contribuinte|fiscal\w*|rfc|ruc|nit|rut|cuit|cuil|btw|kvk|cvr|mva|moms|org\w*"
    r"|alv|y-tunnus|áfa|adó\w*|cui|nip|regon|i[čc]o?|di[čc]|pib|oib|eik|bulstat|inn|инн|ндс|egn"
    r")\b|税|登録|納稅|统一社会|세|ภาษี|ضريب"
)
_LINES_ABOVE = 2
_NEAR = 300  # characters; a line has no bound


class VatIdType(CodeType):
    """A VAT id or national tax number."""

    name = "vat_id"

    def find(self, text: str) -> list[Span]:
        """Return codes with at least six digits that could be a tax number.

        Each is given with and without the letters before it, which are a country or only a label,
        and cut at each space, behind which another word may begin. Bare numbers are given only
        where a word on their line or just above says that they are tax numbers.
        """
        spans: dict[Span, None] = {}
        words = [word.end() for word in _TAX_WORDS.finditer(text)]
        at = 0
        while match := _VAT.search(text, at):
            start, end = match.span()
            label = _LABELLED.match(text, start, end)
            named = _is_named(text, words, start)
            for first in (start, label.end()) if label else (start,):
                if not named and text[first : first + 2] not in _countries():
                    continue
                for cut in _ends_at_spaces(text, first, end):
                    if self._fits(text[first:cut]):
                        spans[(first, cut)] = None
            # What follows the first space may be the next number, taken in by this match.
            blank = text.find(" ", start, end)
            at = end if blank < 0 else blank + 1
        return list(spans)

    def _fits(self, code: str) -> bool:
        digits = sum(character.isdigit() for character in code)
        return 6 <= digits <= 18 and _NOT_A_TAX_NUMBER.fullmatch(code) is None


@cache
def _countries() -> frozenset[str]:
    """Return the letters that VAT ids begin with: ISO 3166, and those of EU law."""
    from babel import Locale as Names

    codes = map(str, Names("en").territories)
    return frozenset(code for code in codes if len(code) == 2 and code.isalpha()) | {"EL", "XI"}


def _is_named(text: str, words: Sequence[int], start: int) -> bool:
    """Say whether one of some words, which end at these places in order, stands close before."""
    index = bisect_right(words, start) - 1
    if index < 0 or start - words[index] > _NEAR:
        return False
    return text.count("\n", words[index], start) <= _LINES_ABOVE


def _ends_at_spaces(text: str, start: int, end: int) -> Iterable[int]:
    yield end
    at = text.rfind(" ", start, end)
    while at > start:
        yield at
        at = text.rfind(" ", start, at)


_IBAN = re.compile(r"(?:(?<![A-Za-z0-9])|(?<=IBAN))[A-Za-z]{2}\d{2}(?=[ \-\s]{0,2}[A-Za-z0-9])")
_NAMED = re.compile(r"IBAN\W{0,8}$")
_IN_FOURS = re.compile(
    r"[A-Z]{2}\d{2}(?:[ \-]?[A-Z0-9]{4}){2,7}(?:[ \-]?\d{1,3}|[A-Z0-9]{1,3})?(?![A-Za-z0-9])"
)
# ISO 13616 registry: length by country.
_IBAN_LENGTHS = {
    entry[:2]: int(entry[2:])
    for entry in (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 "
        "EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 "
        "IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 "
        "NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SE24 SI19 SK24 SM27 TN24 TR26 UA29 VA22 VG24 "
        "XK20"
    ).split()
}


def iban_is_valid(compact: str) -> bool:
    """Check an IBAN without spaces: length by country (ISO 13616), modulo 97 of ISO 7064."""
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", compact):
        return False
    if len(compact) != _IBAN_LENGTHS.get(compact[:2], len(compact)):
        return False
    turned = compact[4:] + compact[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


def _end_of(text: str, start: int, length: int) -> int | None:
    """Return where a code of some length ends, if a word ends there; gaps of two at most."""
    count = gap = 0
    for at in range(start, len(text)):
        character = text[at]
        if character.isascii() and character.isalnum():
            count, gap = count + 1, 0
            if count == length:
                return None if text[at + 1 : at + 2].isalnum() else at + 1
        elif gap == 2 or not (character.isspace() or character == "-"):
            return None
        else:
            gap += 1
    return None


class IbanType(CodeType):
    """An IBAN; one whose check digits are wrong is read all the same, and said to be."""

    name = "iban"
    checked = True

    def find(self, text: str) -> list[Span]:
        """Return what has the form of an IBAN.

        Check digits tell it apart from what stands behind it in the same line. Without them it is
        as long as its country's are or, behind the word IBAN, as its line goes on in groups.
        """
        spans: list[Span] = []
        for match in _IBAN.finditer(text):
            start = match.start()
            length = _IBAN_LENGTHS.get(match[0][:2].upper())
            end = length and _end_of(text, start, length)
            if end and match[0].islower() and not iban_is_valid(bare(text[start:end]).upper()):
                continue  # a word
            if not end and _NAMED.search(text, max(0, start - 12), start):
                groups = _IN_FOURS.match(text, start)
                end = groups and groups.end()
            if end and 15 <= len(bare(text[start:end])) <= 34:
                spans.append((start, end))
        return spans

    def parse(self, printed: Any, locale: Locale) -> Parsed:
        """Return the IBAN without spaces."""
        value = super().parse(printed, locale).value
        right = iban_is_valid(value)
        return Parsed(value, wrong=None if right else "the check digits do not fit")


class PlainType(FieldType):
    """A value in canonical JSON form that Pydantic itself parses.

    :param name: what the prompt prints.
    :param form: what decoding may emit.
    :param annotation: the Python type, with its constraints and without validators.
    """

    def __init__(self, name: str, form: Emission, annotation: Any) -> None:
        self.name = name
        self.form = form
        self._annotation = annotation
        self._adapter = TypeAdapter(annotation)

    @property
    def python_type(self) -> type | None:
        """The class of the values, those of an enumeration as JSON; None if there are several."""
        if isinstance(self.form, Choice):
            kinds = {type(value) for value in self.form.values}
            return kinds.pop() if len(kinds) == 1 else None
        annotation = self._annotation
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        return annotation if isinstance(annotation, type) else None

    def emission(self) -> Emission:
        """Return the canonical form."""
        return self.form

    def parse(self, printed: Any, locale: Locale) -> Parsed:
        """Return the Python value. :raises ValueError: if a constraint refuses it."""
        return Parsed(self.from_json(printed))

    def same(self, a: Any, b: Any) -> bool:
        """Compare numbers as numbers, text without case, spaces and punctuation."""
        a, b = _unwrapped(a), _unwrapped(b)
        if isinstance(a, str) and isinstance(b, str):
            return a == b or (bare(a) == bare(b) != "")
        if _is_number(a) and _is_number(b):
            # Through text: the float 12.1 is no exact decimal, but that is what it was read from.
            return Decimal(str(a)) == Decimal(str(b))
        return bool(a == b)

    def to_json(self, value: Any) -> Any:
        """Return what Pydantic writes; a decimal without exponent."""
        if isinstance(value, Decimal):
            return format(value, "f")
        if isinstance(value, float) and not math.isfinite(value):
            return None  # JSON has no such number
        return self._adapter.dump_python(value, mode="json", warnings=False)

    def from_json(self, value: Any) -> Any:
        """Read what `to_json` wrote. :raises ValueError: if it is not of this type."""
        if isinstance(value, bool) and not isinstance(self.form, Choice):
            raise ValueError("expected another type, found true or false")
        return self._adapter.validate_python(value)

    def __eq__(self, other: object) -> bool:
        """Compare what is asked for and what may be emitted."""
        return isinstance(other, PlainType) and (self.name, self.form) == (other.name, other.form)

    def __hash__(self) -> int:
        """Hash what is asked for and what may be emitted."""
        return hash((self.name, self.form))

    def __repr__(self) -> str:
        """Show what is asked for and what may be emitted."""
        return f"PlainType({self.name!r}, {self.form!r})"


def _unwrapped(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


Verbatim = Annotated[str, VerbatimType()]
Identifier = Annotated[str, IdentifierType()]
Money = Annotated[Decimal, MoneyType()]
Quantity = Annotated[Decimal, QuantityType()]
Percent = Annotated[Decimal, PercentType()]
IsoDate = Annotated[date, IsoDateType()]
Duration = Annotated[str, DurationType()]
Currency = Annotated[str, CurrencyType()]
VatId = Annotated[str, VatIdType()]
Iban = Annotated[str, IbanType()]
