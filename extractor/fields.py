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
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import GetCoreSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema

Span = tuple[int, int]

# ---------------------------------------------------------------- locale


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


_TELLING = re.compile(
    r"(?<![\d.,])\d{1,3}(?:(?P<group>[., '’])\d{3})*(?P<point>[.,])\d{2}(?![\d.,]*\d)"
)


def _decimal_separator(text: str) -> Literal[".", ",", ""]:
    votes = Counter(match["point"] for match in _TELLING.finditer(text))
    if votes["."] == votes[","]:
        return ""
    return "." if votes["."] > votes[","] else ","


def _day_first(text: str, language: str) -> bool | None:
    for match in _NUMERIC_DATE.finditer(text):
        first, second = int(match["a"]), int(match["b"])
        if (first > 12) != (second > 12) and max(first, second) <= 31:
            return first > 12
    if not language:
        return None
    if language != "en":
        return True
    british = re.search(r"£|GBP|\bVAT\b|\bGST\b|Ltd\b|\bABN\b|SDN", text)
    american = re.search(r"\b[A-Z]{2} \d{5}\b|USD|US\$|\bInc\b", text)
    return None if bool(british) == bool(american) else bool(british)


# ---------------------------------------------------------------- what decoding may emit


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
    """A value read from print; `ambiguous` if the print can be read in another way too."""

    value: Any
    ambiguous: bool = False


# ---------------------------------------------------------------- strategies


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

    def to_json(self, value: Any) -> Any:
        """Return the canonical JSON form."""
        return value

    def from_json(self, value: Any) -> Any:
        """Read the canonical JSON form. :raises ValueError: if it is another form."""
        if not isinstance(value, str):
            raise ValueError(f"expected a string, found {type(value).__name__}")
        return value

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
# inside an identifier, a date or another number.
_NUMBER = re.compile(
    r"(?<![\d.,'’/_\-])(?<![A-Za-z]\d)(?<!\d:)"
    r"(?P<sign>[-–−+]\s?)?"
    r"(?P<digits>(?:\d{1,2}(?:,\d{2}){1,4},\d{3}(?:\.\d{1,4})?"  # lakh and crore
    r"|\d{1,3}(?:(?P<group>[.,'’])\d{3})(?:(?P=group)\d{3}){0,4}(?:[.,]\d{1,6})?"
    r"|\d{1,12}(?:[.,]\d{1,8})?|[.,]\d{1,4}))"
    r"(?![\d’/_]|[.,'’\-:]\d)"
)
_GROUPED = re.compile(
    r"(?<![\d.,'’/_\-])(?P<sign>[-–−+]\s?)?(?P<digits>\d{1,3}(?: \d{3}){1,4}(?:[.,]\d{1,6})?)"
    r"(?![\d’/_]|[.,'’\-:]\d)"
)


def parse_number(printed: str, locale: Locale) -> Parsed:
    """Read a printed number.

    With one separator before three digits, such as 1.250, the document's decimal separator
    decides; where it has none the number is ambiguous and read as thousands.

    :raises ValueError: if it is no number.
    """
    text = unicodedata.normalize("NFKC", printed).strip()
    negative = text.startswith(("-", "–", "−", "(")) or text.endswith("-")
    digits = re.sub(r"[^\d.,]", "", text)
    digits = digits.rstrip(".,")
    points = [character for character in digits if character in ".,"]
    ambiguous = False
    if len(set(points)) == 2:
        decimal = points[-1]
        if points.count(decimal) > 1:
            raise ValueError(f"not a number: {len(printed)} characters")
    elif len(points) == 1:
        whole, tail = re.split("[.,]", digits)
        decimal = points[0]
        if len(tail) == 3 and 1 <= len(whole) <= 3 and whole != "0":
            ambiguous = not locale.decimal
            decimal = decimal if decimal == locale.decimal else ""
    else:
        decimal = ""
    whole_number = "".join(
        "." if character == decimal else "" if character in ".," else character
        for character in digits
    )
    try:
        value = Decimal(whole_number)
    except InvalidOperation as error:
        raise ValueError(f"not a number: {len(printed)} characters") from error
    return Parsed(-value if negative else value, ambiguous)


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
                    spans[(match.start(), match.end())] = None
                    spans[match.span("digits")] = None
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


# ---------------------------------------------------------------- dates

_NUMERIC_DATE = re.compile(
    r"(?<![\d.,/\-])(?P<a>\d{1,2})(?P<sep>\s?[-/.]\s?|\s)(?P<b>\d{1,2})(?P=sep)"
    r"(?P<y>(?:19|20)\d{2}|\d{2})(?![\d/]|[.\-,]\d)"
)
_ISO_DATE = re.compile(
    r"(?<![\d.,/\-])(?P<y>(?:19|20)\d{2})(?P<sep>[-/.])(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})(?!\d)"
)
_COMPACT_DATE = re.compile(
    r"(?<![\w.,/\-])(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})(?![\w/]|[.,\-]\d)"
)
_NAME = r"(?P<name>[^\W\d_]{3,12})"
_DAY_NAME_YEAR = re.compile(
    r"(?<![\w.,/])(?P<d>\d{1,2})(?:st|nd|rd|th|er|º|°|\.)?\s?(?:[-/]|de |of |day of )?\s?"
    + _NAME
    + r"[.,]?(?:\s?[-/,]|\s(?:de|del|of)|\s)\s?(?P<y>(?:19|20)\d{2}|'?\d{2})(?![\d/]|[.,\-]\d)",
)
_NAME_DAY_YEAR = re.compile(
    r"(?<![^\W\d_])" + _NAME + r"\.?[\s\-]{1,2}(?P<d>\d{1,2})(?:st|nd|rd|th)?(?:,\s?|\s|-)"
    r"(?P<y>(?:19|20)\d{2})(?!\d)"
)
_LANGUAGES = ("en de fr es pt it nl cs sk pl sv da nb fi ro hu hr sl et lv lt ca id ms tr").split()


@cache
def _months() -> dict[str, int]:
    from babel.dates import get_month_names

    names: dict[str, int] = {}
    for language in _LANGUAGES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, language).items():
                    key = name.casefold().rstrip(".")
                    if len(key) >= 3:
                        names.setdefault(key, number)
    names.update({"sept": 9, "märz": 3, "maerz": 3, "mrz": 3, "mär": 3, "fev": 2, "aout": 8})
    return names


def _year(text: str) -> int:
    year = int(text.lstrip("'"))
    if len(text.lstrip("'")) == 4:
        return year
    return 2000 + year if year < 70 else 1900 + year


def _read_date(match: re.Match[str], locale: Locale) -> Parsed:
    groups = match.groupdict()
    year = _year(groups["y"])
    if groups.get("name"):
        month = _months().get(groups["name"].casefold())
        if month is None:
            raise ValueError("not a month")
        return Parsed(date(year, month, int(groups["d"])))
    if "m" in groups:
        return Parsed(date(year, int(groups["m"]), int(groups["d"])))
    first, second = int(groups["a"]), int(groups["b"])
    dotted = groups["sep"].strip() != "/"
    day_first = first > 12 or (second <= 12 and (dotted or locale.day_first is not False))
    ambiguous = (
        not dotted and max(first, second) <= 12 and first != second and locale.day_first is None
    )
    day, month = (first, second) if day_first else (second, first)
    return Parsed(date(year, month, day), ambiguous)


_DATES = (_ISO_DATE, _NUMERIC_DATE, _COMPACT_DATE, _DAY_NAME_YEAR, _NAME_DAY_YEAR)


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


# ---------------------------------------------------------------- codes

_SYMBOLS = {
    "€": "EUR", "$": "USD", "US$": "USD", "£": "GBP", "R$": "BRL", "¥": "JPY", "₹": "INR",
    "Rs": "INR", "Rs.": "INR", "Kč": "CZK", "zł": "PLN", "RM": "MYR", "Fr.": "CHF", "SFr.": "CHF",
    "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "NZ$": "NZD", "S$": "SGD", "HK$": "HKD",
    "kr": "SEK", "kr.": "DKK", "Kr": "SEK", "Ft": "HUF", "lei": "RON", "Lei": "RON", "₺": "TRY",
    "₽": "RUB", "₴": "UAH", "₩": "KRW", "₪": "ILS", "฿": "THB", "₱": "PHP", "₦": "NGN", "₫": "VND",
    "Euro": "EUR", "EURO": "EUR", "euros": "EUR", "euro": "EUR",
}  # fmt: skip
_CODES = frozenset(
    "EUR USD GBP CHF BRL CZK PLN SEK NOK DKK HUF RON BGN JPY CNY INR MYR SGD AUD CAD NZD HKD MXN "
    "ZAR TRY RUB UAH ILS THB IDR PHP KRW VND AED SAR EGP NGN KES ARS CLP COP PEN TWD PKR "
    "ISK".split()
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

    def find(self, text: str) -> list[Span]:
        """Return every currency sign and code."""
        return [match.span() for match in _CURRENCY.finditer(text)]


class CodeType(FieldType):
    """A code that is compared and written without spaces and punctuation, in capitals."""

    copied = True
    typed = True

    def emission(self) -> Emission:
        """Return letters, digits and separators."""
        return Rx(r"[A-Z0-9](?:[ ./-]?[A-Z0-9]){3,33}")

    def parse(self, printed: Any, locale: Locale) -> Parsed:
        """Return the code in its canonical form."""
        value = bare(str(printed)).upper()
        if not value:
            raise ValueError("no letter or digit")
        return Parsed(value)

    def same(self, a: Any, b: Any) -> bool:
        """Compare canonical forms."""
        return bare(str(a)) == bare(str(b))


_VAT = re.compile(
    r"(?<![\w])(?:"
    r"[A-Z]{2,3}[ .\-]?[A-Z]?\d[A-Z0-9]?(?:[ .\-]?[A-Z0-9]{1,4}){1,6}"  # EU, Swiss UID, GSTIN-like
    r"|\d{2}[A-Z]{5}\d{4}[A-Z][A-Z0-9]{3}"  # GSTIN
    r"|\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}"  # CNPJ
    r"|[A-Z]-?\d{7,8}-?[A-Z0-9]?"  # Spanish NIF of persons and companies
    r"|\d{1,3}(?:[ .\-/]\d{2,8}){1,4}"  # national numbers in groups
    r"|\d{7,15}(?: ?[A-Z]{1,3}\d{0,6})?"
    r")(?![\w])"
)


class VatIdType(CodeType):
    """A VAT id or national tax number."""

    name = "vat_id"

    def find(self, text: str) -> list[Span]:
        """Return codes with at least six digits that could be a tax number."""
        spans: dict[Span, None] = {}
        for match in _VAT.finditer(text):
            start, end = match.span()
            for cut in _ends_at_spaces(text, start, end):
                digits = sum(character.isdigit() for character in text[start:cut])
                if 6 <= digits <= 15:
                    spans[(start, cut)] = None
        return list(spans)


def _ends_at_spaces(text: str, start: int, end: int) -> Iterable[int]:
    yield end
    at = text.rfind(" ", start, end)
    while at > start:
        yield at
        at = text.rfind(" ", start, at)


_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}")


def iban_is_valid(compact: str) -> bool:
    """Check an IBAN without spaces: ISO 13616 length by country, and modulo 97 of ISO 7064."""
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", compact):
        return False
    turned = compact[4:] + compact[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


class IbanType(CodeType):
    """An IBAN whose check digits are right."""

    name = "iban"

    def find(self, text: str) -> list[Span]:
        """Return every IBAN; what stands behind it in the same line is told apart by its check."""
        spans: list[Span] = []
        for match in _IBAN.finditer(text):
            start = match.start()
            compact = ""
            for at in range(start, match.end()):
                if text[at] == " ":
                    continue
                compact += text[at]
                whole_word = at + 1 == len(text) or not text[at + 1].isalnum()
                if len(compact) >= 15 and whole_word and iban_is_valid(compact):
                    spans.append((start, at + 1))
                    break
        return spans

    def parse(self, printed: Any, locale: Locale) -> Parsed:
        """Return the IBAN without spaces. :raises ValueError: if its check digits are wrong."""
        parsed = super().parse(printed, locale)
        if not iban_is_valid(parsed.value):
            raise ValueError("IBAN with wrong check digits")
        return parsed


# ---------------------------------------------------------------- plain values


class PlainType(FieldType):
    """A value in canonical JSON form that Pydantic itself parses.

    :param name: what the prompt prints.
    :param form: what decoding may emit.
    :param annotation: the Python type, with its constraints and without validators.
    """

    def __init__(self, name: str, form: Emission, annotation: Any) -> None:
        self.name = name
        self.form = form
        self._adapter = TypeAdapter(annotation)

    def emission(self) -> Emission:
        """Return the canonical form."""
        return self.form

    def parse(self, printed: Any, locale: Locale) -> Parsed:
        """Return the Python value. :raises ValueError: if a constraint refuses it."""
        return Parsed(self.from_json(printed))

    def same(self, a: Any, b: Any) -> bool:
        """Compare numbers as numbers, text without case, spaces and punctuation."""
        if isinstance(a, str) and isinstance(b, str):
            return a == b or (bare(a) == bare(b) != "")
        return bool(a == b)

    def to_json(self, value: Any) -> Any:
        """Return what Pydantic writes; a decimal without exponent."""
        if isinstance(value, Decimal):
            return format(value, "f")
        return self._adapter.dump_python(value, mode="json")

    def from_json(self, value: Any) -> Any:
        """Read what `to_json` wrote. :raises ValueError: if it is not of this type."""
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


Verbatim = Annotated[str, VerbatimType()]
Identifier = Annotated[str, IdentifierType()]
Money = Annotated[Decimal, MoneyType()]
Quantity = Annotated[Decimal, QuantityType()]
Percent = Annotated[Decimal, PercentType()]
IsoDate = Annotated[date, IsoDateType()]
Currency = Annotated[str, CurrencyType()]
VatId = Annotated[str, VatIdType()]
Iban = Annotated[str, IbanType()]
