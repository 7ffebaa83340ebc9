"""Checks of one document: its label by itself, its text, and the label against the text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from difflib import SequenceMatcher, get_close_matches
from typing import Any

from extractor.evidence import occurrences
from extractor.fields import (
    CurrencyType,
    FieldType,
    IbanType,
    Locale,
    NumberType,
    QuantityType,
    VerbatimType,
    bare,
    iban_is_valid,
)
from extractor.schema import LeafNode, ListNode
from training.lint.findings import Finding, finding
from training.lint.view import Case, LintConfig, Value, View

_PLACEHOLDERS = frozenset(
    "na none null nil unknown unbekannt unklar tbd todo missing empty blank leer keine "
    "notavailable notapplicable nichtvorhanden sansobjet xxx".split()
)
_NEAR_PRINT = 0.8
# Words of one value that a column or a line break has torn apart stand within so many characters.
_SCATTER = 600


def left_out(view: View, config: LintConfig) -> Iterator[Finding]:
    """Rows of the label file that could not be used at all."""
    for problem in view.corpus.problems:
        yield finding("label-left-out", problem.document, "", problem.message)


def unknown_fields(view: View, config: LintConfig) -> Iterator[Finding]:
    """Fields of the labels that the schema does not have."""
    counts = Counter(name for case in view.cases for name in case.labelled.fields)
    for name, count in counts.items():
        if name not in view.schema.field_names:
            close = get_close_matches(name, view.schema.field_names, n=1)
            meant = f", close to {close[0]}" if close else ""
            yield finding("field-unknown", "", name, f"in {count} labels, not in the schema{meant}")


def invalid(view: View, config: LintConfig) -> Iterator[Finding]:
    """Values that are none of their field's type, and records that the class refuses."""
    for case in view.cases:
        for path, message in case.broken:
            raw = case.labelled.fields.get(path)
            if isinstance(raw, str) and _placeholder(raw):
                continue
            yield finding("label-invalid", case.id, path, f"{_quoted(raw)}: {message}")
        complete = set(case.values) == set(view.schema.field_names)
        if case.broken or not complete:
            continue
        _, missing, warnings = view.schema.record(case.values)
        for path in missing:
            yield finding("label-rejected", case.id, path, "null, which the class forbids")
        for warning in warnings:
            # A check of several fields may be right as a rule and wrong of one document.
            code = "label-rejected" if warning.field else "check-failed"
            yield finding(code, case.id, warning.field, warning.message)


def placeholders(view: View, config: LintConfig) -> Iterator[Finding]:
    """Words such as `N/A` where null belongs."""
    for case in view.cases:
        for path, raw in _strings(dict(case.labelled.fields), ""):
            name = re.split(r"[.\[]", path)[0]
            if name not in view.schema.field_names or not _placeholder(raw):
                continue
            place = case.leaf(path)
            if place is None or not place.places or not bare(raw):
                yield finding("placeholder", case.id, path, _quoted(raw))


def _placeholder(raw: str) -> bool:
    return raw != "" and (bare(raw) in _PLACEHOLDERS or not bare(raw))


def long_lists(view: View, config: LintConfig) -> Iterator[Finding]:
    """Lists with more items than a model is ever asked for."""
    nodes = dict(view.schema.root.keys)
    for case in view.cases:
        for name, value in case.values.items():
            node = nodes[name]
            if isinstance(node, ListNode) and len(value or ()) > node.max_items:
                seen = f"{len(value)} items, of which the first {node.max_items} are learned"
                yield finding("list-too-long", case.id, name, seen)


def repeated_items(view: View, config: LintConfig) -> Iterator[Finding]:
    """Lists of texts that name one item twice, and rows that are listed more often than printed."""
    nodes = dict(view.schema.root.keys)
    for case in view.cases:
        for name, value in case.values.items():
            node = nodes[name]
            if not isinstance(node, ListNode) or not value:
                continue
            if isinstance(node.item, LeafNode):
                kind = node.item.type
                shown = Counter(bare(str(kind.to_json(item))) for item in value if item is not None)
                for item, count in shown.items():
                    if count > 1:
                        yield finding("list-repeats", case.id, name, f"{count} times: {item!r}")
                continue
            rows = Counter(repr(row) for row in value)
            for index, row in enumerate(value):
                count = rows.pop(repr(row), 0)
                # A quantity stands anywhere, or hidden in a neighbour's column.
                places = [
                    len(leaf.places)
                    for leaf in case.leaves
                    if leaf.path.startswith(f"{name}[{index}].") and leaf.places
                    and not isinstance(leaf.type, QuantityType)
                ]  # fmt: skip
                if count > 1 and places and min(places) < count:
                    seen = f"this row is listed {count} times, printed {min(places)} times"
                    yield finding("list-repeats", case.id, f"{name}[{index}]", seen)


# ---------------------------------------------------------------- the text

_GLYPHS = re.compile(r"\(cid:\d+\)|�|/[Gg]\d{1,3}\b|[\x00-\x08]")
_WORD = re.compile(r"[^\W\d_]{4,}")
_VOWELS = re.compile(r"[aeiouyàáâäåæèéêëìíîïòóôöøùúûüýœ]", re.IGNORECASE)
_FEW_WORDS = 12


def texts(view: View, config: LintConfig) -> Iterator[Finding]:
    """Documents that give no text, too little, or characters that mean nothing."""
    for case in view.cases:
        if case.document is None:
            yield finding("no-text", case.id, "", case.unreadable)
            continue
        marks = _GLYPHS.findall(case.text)
        if marks:
            seen = f"{len(marks)} unreadable glyphs such as {marks[0]!r}"
            yield finding("text-garbled", case.id, "", seen)
        elif _is_garbage(case.text):
            yield finding("text-garbled", case.id, "", "most words have no vowel")
        words = len(case.text.split())
        if words < _FEW_WORDS:
            yield finding("text-sparse", case.id, "", f"{words} words")
        if case.document.unread_pages:
            pages = ", ".join(map(str, case.document.unread_pages))
            yield finding("pages-unread", case.id, "", f"no text on page {pages}")


def _is_garbage(text: str) -> bool:
    words = [word for word in _WORD.findall(text) if word.isascii()]
    without = sum(_VOWELS.search(word) is None for word in words)
    return len(words) >= _FEW_WORDS and without > len(words) / 2


# ---------------------------------------------------------------- label against text


def evidence(view: View, config: LintConfig) -> Iterator[Finding]:
    """Values that the text does not have, has in another way only, or has all over."""
    for case in view.cases:
        for leaf in case.leaves:
            if leaf.evidence is None or isinstance(leaf.type, CurrencyType):
                continue
            if leaf.evidence.status == "fuzzy":
                yield _near(case, leaf, str(leaf.evidence.text))
            elif leaf.evidence.status == "not_found":
                yield _absent(case, leaf)
            elif len(leaf.places) >= config.many_places and "[" not in leaf.path:
                seen = f"{_quoted(leaf.shown)} stands at {len(leaf.places)} places"
                yield finding("value-ambiguous", case.id, leaf.path, seen)


def _near(case: Case, leaf: Value, printed: str) -> Finding:
    """Return what is known of a value that the text spells nearly so."""
    seen = f"label {_quoted(leaf.shown)}, text {_quoted(printed)}"
    if bare(leaf.shown) == bare(printed):
        return finding("value-scattered", case.id, leaf.path, f"{seen}, within a longer word")
    if not leaf.type.typed and _rewritten(case.text, leaf.shown):
        return finding("value-rewritten", case.id, leaf.path, seen)
    if not leaf.type.typed and _scattered(case.text, leaf.shown):
        seen = f"{_quoted(leaf.shown)}, torn apart in the text"
        return finding("value-scattered", case.id, leaf.path, seen)
    return finding("value-nearly", case.id, leaf.path, seen)


# Forms of one word, written out here and short there; `and` and `&` beside them.
_FORMS = (
    ("inc", "incorporated"),
    ("ltd", "limited"),
    ("corp", "corporation"),
    ("co", "company"),
    ("lp", "limited partnership"),
    ("llc", "limited liability company"),
    ("gmbh", "gesellschaft mit beschränkter haftung"),
)


def _rewritten(text: str, value: str) -> bool:
    """Return whether the text has a name with `&` for `and`, or another form of a legal form."""
    squeezed = bare(text)
    joined = [value, re.sub(r"\b(?:and|und|et|y|e)\b", "&", value, flags=re.IGNORECASE),
              value.replace("&", "and")]  # fmt: skip
    for name in joined:
        if bare(name) != bare(value) and bare(name) in squeezed:
            return True
        for pair in _FORMS:
            for form, other in (pair, pair[::-1]):
                changed = re.sub(rf"(?i)\b{form}\b\.?", other, name)
                if changed != name and bare(changed) in squeezed:
                    return True
    return False


def _absent(case: Case, leaf: Value) -> Finding:
    """Return what is known of a value that the text does not have as such."""
    shown = _quoted(leaf.shown)
    if (
        isinstance(leaf.value, Decimal)
        and leaf.value != 0
        and occurrences(case.text, leaf.type, -leaf.value, case.locale)
    ):
        seen = f"label {shown}, text has it with the other sign"
        return finding("value-sign", case.id, leaf.path, seen)
    if isinstance(leaf.value, date):
        if occurrences(_squeezed(case.text), leaf.type, leaf.value, case.locale):
            seen = f"{shown}, torn apart by spaces or line ends"
            return finding("value-scattered", case.id, leaf.path, seen)
        turned = _day_and_month_turned(leaf.value)
        if turned and occurrences(case.text, leaf.type, turned, case.locale):
            seen = f"label {shown}, text read as {turned.isoformat()}"
            return finding("value-day-month", case.id, leaf.path, seen)
    if isinstance(leaf.value, str) and leaf.type.typed:
        # An identifier of letters only, say, is in the text but no candidate of its type.
        seen = f"{shown} stands in the text, but not as a {leaf.type.name}"
        if occurrences(case.text, VerbatimType(), leaf.value, case.locale):
            return finding("value-scattered", case.id, leaf.path, seen,
                           hint="use a plainer field type, such as Verbatim")  # fmt: skip
    if not leaf.type.copied:
        return finding("value-derived", case.id, leaf.path, f"{shown} is nowhere in the text")
    if not leaf.type.typed:
        if _rewritten(case.text, leaf.shown):
            return finding("value-rewritten", case.id, leaf.path, f"{shown}, in other words")
        if _scattered(case.text, leaf.shown):
            seen = f"{shown}, torn apart in the text"
            return finding("value-scattered", case.id, leaf.path, seen)
    if isinstance(leaf.type, NumberType) and leaf.value == 0:
        return finding("value-missing", case.id, leaf.path, "0, which the text does not print",
                       severity="warning", hint="write null if nothing is printed")  # fmt: skip
    near = _nearest(case, leaf)
    seen = f"{shown} is nowhere in the text" + (f"; nearest {near!r}" if near else "")
    return finding("value-missing", case.id, leaf.path, seen)


def _day_and_month_turned(value: date) -> date | None:
    try:
        return value.replace(month=value.day, day=value.month)
    except ValueError:
        return None


def _squeezed(text: str) -> str:
    """Return a text in which a date's parts stand closer: `28 th day of March , 2005`."""
    flat = " ".join(text.lower().split())
    return re.sub(r" ([,.])", r"\1", re.sub(r"(\d) (st|nd|rd|th)\b", r"\1\2", flat))


def _scattered(text: str, value: str) -> bool:
    """Return whether all words of a value stand close together, with others between."""
    words = [bare(word) for word in value.split() if bare(word)]
    if len(words) < 2:
        return False
    places: dict[str, list[int]] = {word: [] for word in words}
    for match in re.finditer(r"\S+", text):
        for part in {bare(match[0]), *map(bare, re.split(r"[^\w]+", match[0]))}:
            if part in places:
                places[part].append(match.start())
    rarest = min(places.values(), key=len)
    return any(
        all(any(abs(at - start) <= _SCATTER for at in found) for found in places.values())
        for start in rarest
    )


def _nearest(case: Case, leaf: Value) -> str:
    """Return the print of the same type that looks most like a value, if one does."""
    if not leaf.type.typed:
        return ""
    wanted = bare(leaf.shown)
    best, found = _NEAR_PRINT, ""
    for start, end in leaf.type.find(case.text):
        printed = case.text[start:end]
        canonical = _canonical(leaf.type, printed, case.locale)
        likeness = SequenceMatcher(None, wanted, bare(canonical), autojunk=False).ratio()
        if likeness > best:
            best, found = likeness, printed
    return " ".join(found.split())


def _canonical(kind: FieldType, printed: str, locale: Locale) -> str:
    try:
        return str(kind.to_json(kind.parse(printed, locale).value))
    except ValueError:
        return ""


# Signs that several currencies share: the field type reads each as the likeliest.
_SHARED = {
    "$": "USD AUD CAD NZD SGD HKD MXN TWD ARS CLP COP BRL UYU DOP",
    "kr": "SEK NOK DKK ISK CZK",
    "kr.": "SEK NOK DKK ISK",
    "¥": "JPY CNY",
    "£": "GBP EGP",
    "Rs": "INR PKR LKR NPR",
    "Rs.": "INR PKR LKR NPR",
    "Fr.": "CHF XOF XAF",
}


def currency_signs(view: View, config: LintConfig) -> Iterator[Finding]:
    """Currency codes that disagree with all signs and codes that the text has."""
    for case in view.cases:
        for leaf in case.leaves:
            if not isinstance(leaf.type, CurrencyType) or leaf.evidence is None or leaf.places:
                continue
            signs = Counter(case.text[start:end] for start, end in leaf.type.find(case.text))
            if any(leaf.shown in _SHARED.get(sign, "").split() for sign in signs):
                continue
            if signs:
                common = ", ".join(sign for sign, _ in signs.most_common(3))
                seen = f"label {leaf.shown}, text {common}"
                yield finding("currency-sign", case.id, leaf.path, seen)
            else:
                seen = f"{leaf.shown}, no currency in the text"
                yield finding("value-missing", case.id, leaf.path, seen, severity="warning")


def unlabelled_ibans(view: View, config: LintConfig) -> Iterator[Finding]:
    """Null where the text has exactly one account number with right check digits."""
    for name, node in view.schema.root.keys:
        if not (isinstance(node, LeafNode) and isinstance(node.type, IbanType)):
            continue
        for case in view.cases:
            if case.values.get(name, "") is not None:
                continue
            found = {bare(case.text[a:b]).upper() for a, b in node.type.find(case.text)}
            valid = sorted(code for code in found if iban_is_valid(code))
            if len(valid) == 1:
                yield finding("null-but-printed", case.id, name, f"null, text has {valid[0]}")


def _strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, f"{path}[{index}]")


def _quoted(value: Any) -> str:
    text = " ".join(str(value).split())
    return repr(text if len(text) <= 80 else text[:77] + "...")
