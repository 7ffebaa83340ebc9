"""Checks that need many documents: spellings, formats, outliers, duplicates, splits, numbers."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from difflib import SequenceMatcher
from statistics import median
from typing import Any, Literal

from extractor.fields import (
    CodeType,
    CurrencyType,
    IbanType,
    IdentifierType,
    IsoDateType,
    NumberType,
    VatIdType,
    VerbatimType,
    bare,
)
from extractor.schema import LeafNode, ListNode
from training.lint.findings import Finding, Severity, finding
from training.lint.view import Case, LintConfig, Value, View
from training.split import similar

Labelled = Sequence[tuple[Case, Value]]

# ---------------------------------------------------------------- spellings

_ALIKE = 0.9
_LONGEST_NAME = 160
# Distinct spellings are compared with each other, so their number is bounded.
_MOST_NAMES = 600


def spellings(view: View, config: LintConfig) -> Iterator[Finding]:
    """Texts that are nearly, or but for case and punctuation, one."""
    for pattern, found in view.by_pattern.items():
        if "[]." in pattern or not isinstance(found[0][1].type, VerbatimType):
            continue
        by_bare: dict[str, Counter[str]] = defaultdict(Counter)
        first: dict[str, tuple[str, bool]] = {}
        for case, leaf in found:
            shown = leaf.shown
            if len(shown) <= _LONGEST_NAME and bare(shown):
                by_bare[bare(shown)][shown] += 1
                first.setdefault(shown, (case.id, bool(leaf.places)))
        for forms in by_bare.values():
            (usual, most), *others = forms.most_common()
            for other, count in others:
                seen = f"{other!r} ({count}) beside {usual!r} ({most})"
                yield finding("spelling-punctuation", first[other][0], pattern, seen)
        yield from _misspelled(pattern, by_bare, first)


def _misspelled(
    pattern: str, by_bare: Mapping[str, Counter[str]], first: Mapping[str, tuple[str, bool]]
) -> Iterator[Finding]:
    ranked = sorted(by_bare, key=lambda key: -sum(by_bare[key].values()))[:_MOST_NAMES]
    for index, key in enumerate(ranked):
        for usual in ranked[:index]:
            kind = _likeness(usual, key)
            if kind:
                rare, often = by_bare[key], by_bare[usual]
                seen = (
                    f"{rare.most_common(1)[0][0]!r} ({rare.total()}) beside "
                    f"{often.most_common(1)[0][0]!r} ({often.total()})"
                )
                document, printed = first[rare.most_common(1)[0][0]]
                if kind == "legal form":
                    hint = "they differ in the legal form only: one party or two?"
                    yield finding(
                        "spelling-varies", document, pattern, seen, severity="info", hint=hint
                    )
                else:
                    # Two names that each document prints so may well be two.
                    doubt: Severity | None = "info" if printed and often.total() < 3 else None
                    yield finding("spelling-varies", document, pattern, seen, severity=doubt)
                break


def _likeness(a: str, b: str) -> Literal["letters", "legal form", ""]:
    """Say in what two folded names that may be one differ; names with other digits are two."""
    if min(len(a), len(b)) < 5 or re.sub(r"\D", "", a) != re.sub(r"\D", "", b):
        return ""
    stems = _LEGAL.sub("", a), _LEGAL.sub("", b)
    if stems[0] == stems[1] and len(stems[0]) >= 5:
        return "legal form"
    # A common ending such as `pharmaceuticalsinc` must not make two names alike.
    first, second = stems if min(map(len, stems)) >= 5 else (a, b)
    if abs(len(first) - len(second)) > 0.2 * max(len(first), len(second)):
        return ""
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    least = _ALIKE if len(first) >= 10 else 0.85
    alike = (
        matcher.real_quick_ratio() >= least
        and matcher.quick_ratio() >= least
        and matcher.ratio() >= least
    )
    return "letters" if alike else ""


_LEGAL = re.compile(
    r"(?:gmbhcokg|gmbh|ag|kg|ohg|gbr|ltd|limited|inc|incorporated|llc|corp|corporation|company|co"
    r"|plc|pte|pteltd|sarl|sas|sa|srl|spa|bv|nv|ab|oy|as|sdnbhd|bhd|ptyltd)+$"
)

_IDS = ("seller_vat_id", "iban")


def entities(view: View, config: LintConfig) -> Iterator[Finding]:
    """One number with two names, one name with two numbers, one group with several names."""
    name = view.by_concept.get("seller_name")
    if name is None:
        return
    for concept in _IDS:
        number = view.by_concept.get(concept)
        if number is not None:
            yield from _minority(view, number, name, "names-per-id")
        # A party has several accounts, but one VAT id.
        if number is not None and concept == "seller_vat_id":
            yield from _minority(view, name, number, "ids-per-name")
    by_group: dict[str, Counter[str]] = defaultdict(Counter)
    spelled: dict[tuple[str, str], tuple[str, str]] = {}
    for case in view.cases:
        value = case.values.get(name)
        if case.labelled.group is not None and value:
            key = bare(str(value))
            by_group[case.labelled.group][key] += 1
            spelled.setdefault((case.labelled.group, key), (case.id, str(value)))
    for group, names in by_group.items():
        (usual, most), *others = names.most_common()
        # A group of many names is a template and no sender.
        if 0 < len(others) <= 3 and most >= 3:
            for other, count in others:
                document, value = spelled[group, other]
                seen = f"{value!r} ({count}) beside {spelled[group, usual][1]!r} ({most})"
                yield finding("names-per-group", document, name, seen)


def exchanged_parties(view: View, config: LintConfig) -> Iterator[Finding]:
    """Buyers that sell elsewhere, billed by sellers that do not."""
    seller, buyer = view.by_concept.get("seller_name"), view.by_concept.get("buyer_name")
    if seller is None or buyer is None:
        return
    sales = Counter(bare(str(case.values[seller])) for case in view.cases
                    if case.values.get(seller))  # fmt: skip
    for case in view.cases:
        if case.values.get(seller) and case.values.get(buyer):
            a, b = bare(str(case.values[seller])), bare(str(case.values[buyer]))
            if sales[a] == 1 and sales[b] > 1:
                seen = f"buyer {case.values[buyer]!r} is the seller of {sales[b]} documents"
                yield finding("parties-exchanged", case.id, buyer, seen)


def _minority(view: View, key: str, field: str, code: str) -> Iterator[Finding]:
    """Yield where documents that agree in `key` have another value of `field` than most."""
    found: dict[str, dict[str, list[tuple[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for case in view.cases:
        a, b = case.values.get(key), case.values.get(field)
        if a and b:
            found[bare(str(a))][bare(str(b))].append((case.id, str(b)))
    for values in found.values():
        usual, *others = sorted(values.values(), key=len, reverse=True)
        if len(others) > 2 and code == "names-per-id":
            seen = f"{len(values)} names have the {key} of {usual[0][0]}"
            yield finding("shared-id", "", key, seen)
            continue
        for documents in others:
            # Where it is not clear which is usual, one finding tells of the two.
            clear = 3 * len(documents) <= len(usual)
            for document, value in documents if clear else documents[:1]:
                seen = f"{value!r} beside {usual[0][1]!r} of {len(usual)} documents, same {key}"
                yield finding(code, document, field, seen, severity=None if clear else "info")


# ---------------------------------------------------------------- formats

_RARE_FORMAT = 0.25


def formats(view: View, config: LintConfig) -> Iterator[Finding]:
    """Labels of one field that are written in several ways."""
    for pattern, found in view.by_pattern.items():
        shapes: dict[str, list[tuple[str, Any]]] = defaultdict(list)
        for case, leaf in found:
            shape = _form(leaf)
            if shape:
                shapes[shape].append((case.id, leaf.raw))
        ranked = sorted(shapes.items(), key=lambda item: -len(item[1]))
        for shape, items in ranked[1:]:
            usual, most = ranked[0]
            seen = (
                f"{shape} ({len(items)}, such as {items[0][1]!r}) beside {usual} "
                f"({len(most)}, such as {most[0][1]!r})"
            )
            yield finding("format-mixed", items[0][0], pattern, seen)


def _form(leaf: Value) -> str:
    """Return how a label writes its value; empty where its type leaves no choice."""
    if leaf.raw is None or isinstance(leaf.raw, bool):
        return ""
    if not isinstance(leaf.raw, str):
        return f"a JSON {type(leaf.raw).__name__}" if isinstance(leaf.type, NumberType) else ""
    if isinstance(leaf.type, IsoDateType):
        return re.sub(r"[^\W\d_]+", "month name", re.sub(r"\d", "9", leaf.raw))
    if isinstance(leaf.type, NumberType):
        sign = "".join(re.findall(r"[^\d\s.,'()+\-–−]+", leaf.raw))
        points = "".join(dict.fromkeys(re.findall(r"[.,](?=\d{1,2}(?!\d))", leaf.raw)))
        groups = bool(re.search(r"\d[.,' ]\d{3}(?!\d)", leaf.raw))
        point = {"": "", ".": "point", ",": "comma"}.get(points, "both")
        # 12 and 12.50 are no two formats: what has no cents says nothing of the separator.
        parts = [f"with {sign!r}"] if sign else []
        parts += ["decimal comma"] if point == "comma" else []
        parts += ["grouped thousands"] if groups and (point or leaf.raw.count(",")) else []
        return ", ".join(parts) or "plain number"
    if isinstance(leaf.type, CurrencyType):
        return "ISO code" if re.fullmatch("[A-Z]{3}", leaf.raw) else "sign or word"
    if isinstance(leaf.type, CodeType):
        return "with spaces" if re.search(r"\s", leaf.raw) else "without spaces"
    return ""


def nulls(view: View, config: LintConfig) -> Iterator[Finding]:
    """Fields of which nothing is written as null here, blank, 0 or a word there."""
    for name in view.schema.field_names:
        counts: Counter[str] = Counter()
        for case in view.cases:
            if name in case.labelled.fields and name not in case.labelled.unverified:
                kind = _emptiness(case, name)
                counts[kind] += kind != ""
        del counts[""]
        several = [f"{kind} {count}" for kind, count in counts.most_common()]
        if len(several) > 1:
            yield finding("null-mixed", "", name, ", ".join(several))


def _emptiness(case: Case, name: str) -> str:
    raw = case.labelled.fields[name]
    if raw is None:
        return "null"
    if isinstance(raw, str) and not raw.strip():
        return "blank"
    if isinstance(raw, str) and (not bare(raw) or bare(raw) in ("na", "none", "null", "nil")):
        return f"{raw!r}"
    leaf = case.leaf(name)
    if leaf is not None and isinstance(leaf.value, Decimal) and leaf.value == 0:
        return "" if leaf.places else "0 that is not printed"
    return ""


# ---------------------------------------------------------------- outliers

_FEW = 8  # values that a spread can be told from
_YEARS_AWAY = 5
_MADS = 6.0
_LEAST_DECADES = 2.5
_LEAST_GAP = 1.5  # decades to the next value
_USUAL_PATTERN = 0.8


def outliers(view: View, config: LintConfig) -> Iterator[Finding]:
    """Years, magnitudes and patterns that are far from those of the other documents."""
    for pattern, found in view.by_pattern.items():
        kind = found[0][1].type
        if isinstance(kind, IsoDateType):
            yield from _years(pattern, found)
        elif isinstance(kind, NumberType) and "[]" not in pattern:
            yield from _magnitudes(pattern, found)
        elif isinstance(kind, IdentifierType | VatIdType | IbanType) and "[]" not in pattern:
            yield from _patterns(pattern, found)


def _years(pattern: str, found: Labelled) -> Iterator[Finding]:
    dated = [(case, leaf) for case, leaf in found if isinstance(leaf.value, date)]
    if len(dated) < _FEW:
        return
    years = [leaf.value.year for _, leaf in dated]
    for case, leaf in dated:
        year = leaf.value.year
        near = sum(abs(year - other) <= _YEARS_AWAY for other in years) - 1
        if near <= 0.01 * len(years) or year > date.today().year + 30:
            seen = f"{leaf.shown}, no other document is within {_YEARS_AWAY} years"
            yield finding("outlier-year", case.id, leaf.path, seen)


def _magnitudes(pattern: str, found: Labelled) -> Iterator[Finding]:
    sized = [
        (case, leaf, math.log10(abs(float(leaf.value))))
        for case, leaf in found
        if isinstance(leaf.value, Decimal) and leaf.value
    ]
    if len(sized) < _FEW:
        return
    middle = median(size for _, _, size in sized)
    spread = median(abs(size - middle) for _, _, size in sized)
    for case, leaf, size in sized:
        if abs(size - middle) > max(_LEAST_DECADES, _MADS * spread) or not any(
            abs(size - other) < _LEAST_GAP for item, _, other in sized if item is not case
        ):
            seen = f"{leaf.shown}, the median is {10**middle:.2f}"
            yield finding("outlier-magnitude", case.id, leaf.path, seen)


def _patterns(pattern: str, found: Labelled) -> Iterator[Finding]:
    """Compare within a group: each sender numbers in its own way."""
    by_group: dict[str, list[tuple[Case, Value]]] = defaultdict(list)
    for case, leaf in found:
        if case.group is not None:
            by_group[case.group].append((case, leaf))
    for members in by_group.values():
        shapes = Counter(_shape(leaf.shown) for _, leaf in members)
        usual, count = shapes.most_common(1)[0]
        if len(members) < 5 or count < _USUAL_PATTERN * len(members):
            continue
        for case, leaf in members:
            if _shape(leaf.shown) != usual:
                seen = f"{leaf.shown!r}, {count} of {len(members)} in its group look like {usual!r}"
                yield finding("outlier-pattern", case.id, leaf.path, seen)


def _shape(code: str) -> str:
    """Return letters as A and runs of digits as 9: numbers grow a digit longer with time."""
    return re.sub(r"\d+", "9", re.sub(r"[^\W\d_]", "A", code.upper()))


def group_nulls(view: View, config: LintConfig) -> Iterator[Finding]:
    """Null in one document of a group of which all others have the field."""
    by_group: dict[str, list[Case]] = defaultdict(list)
    for case in view.cases:
        if case.group is not None:
            by_group[case.group].append(case)
    for members in by_group.values():
        for name in view.schema.field_names:
            known = [case for case in members if name in case.values]
            empty = [case for case in known if case.values[name] in (None, [], {})]
            if len(known) >= 5 and 0 < len(empty) <= max(1, 0.1 * len(known)):
                for case in empty:
                    seen = f"null, {len(known) - len(empty)} of {len(known)} in its group have it"
                    yield finding("null-in-group", case.id, name, seen)


_RARE_NULL = 0.02


def rare_nulls(view: View, config: LintConfig) -> Iterator[Finding]:
    """Null, or an empty list, in one or two documents of a hundred."""
    for name in view.schema.field_names:
        known = [case for case in view.cases if name in case.values]
        empty = [case for case in known if case.values[name] in (None, [], {})]
        if 0 < len(empty) <= _RARE_NULL * len(known):
            for case in empty:
                seen = f"null, {len(known) - len(empty)} of {len(known)} documents have it"
                yield finding("null-rare", case.id, name, seen)


def first_only(view: View, config: LintConfig) -> Iterator[Finding]:
    """Lists of one item where the text has another item that labels elsewhere name."""
    for name, node in view.schema.root.keys:
        if not (isinstance(node, ListNode) and isinstance(node.item, LeafNode)):
            continue
        if not node.item.type.copied:
            continue
        lists = [case for case in view.cases if case.values.get(name)]
        if sum(len(case.values[name]) > 1 for case in lists) < max(3, len(lists) / 2):
            continue
        known = Counter(bare(leaf.shown) for _, leaf in view.by_pattern.get(f"{name}[]", ()))
        for case in lists:
            if len(case.values[name]) > 1:
                continue
            own = bare(str(case.values[name][0]))
            text = bare(case.text)
            other = next(
                (item for item, count in known.most_common()
                 if count > 1 and len(item) >= 6 and item not in own and own not in item
                 and item in text), None
            )  # fmt: skip
            if other is not None:
                seen = f"only {case.values[name][0]!r}, the text has {other!r} too"
                yield finding("list-first-only", case.id, name, seen)


# ---------------------------------------------------------------- duplicates and splits


def duplicates(view: View, config: LintConfig) -> Iterator[Finding]:
    """Documents that are the same, or nearly, and what their labels or splits make of it."""
    read = [case for case in view.cases if case.text]
    split_at: dict[tuple[str, str], list[Finding]] = {}
    for first, second, likeness in similar([case.text for case in read], config.template):
        a, b = read[first], read[second]
        same = bare(a.text) == bare(b.text)
        disagreeing = [
            name
            for name in view.schema.field_names
            if name in a.values and name in b.values and _differ(view, name, a, b)
        ]
        if same:
            yield finding("duplicate", b.id, "", f"the text of {a.id}")
        if same or likeness >= config.near_duplicate:
            for name in disagreeing:
                if same or _interchangeable(a, b, name):
                    seen = f"{b.values[name]!s}, label of {a.id}: {a.values[name]!s}"
                    yield finding("duplicate-conflict", b.id, name, _cut(seen))
            if not same:
                yield finding("near-duplicate", b.id, "", f"{likeness:.0%} of {a.id}")
        if a.part != b.part:
            if same or likeness >= config.near_duplicate:
                seen = f"{likeness:.0%} of {a.id}, which is in {a.part}"
                yield finding("duplicate-across-splits", b.id, "", seen)
            elif a.group is None or a.group != b.group:
                seen = f"{likeness:.0%} of {a.id}, which is in {a.part}"
                split_at.setdefault((a.id, b.id), []).append(
                    finding("template-across-splits", b.id, "", seen)
                )
    told: set[str] = set()
    for (_, document), found in split_at.items():
        if document not in told:
            told.add(document)
            yield from found


def _differ(view: View, name: str, a: Case, b: Case) -> bool:
    left, right = a.values[name], b.values[name]
    node = dict(view.schema.root.keys)[name]
    if isinstance(node, LeafNode) and left is not None and right is not None:
        return not node.type.same(left, right)
    return bool(left != right)


def _interchangeable(a: Case, b: Case, name: str) -> bool:
    """Say whether two nearly equal documents each print the other's value of a text field."""
    left, right = a.leaf(name), b.leaf(name)
    if left is None or right is None or not isinstance(left.type, VerbatimType):
        return False
    return not left.places or not right.places or (
        bare(right.shown) in bare(a.text) and bare(left.shown) in bare(b.text)
    )  # fmt: skip


def groups_across(view: View, config: LintConfig) -> Iterator[Finding]:
    """Groups, such as sellers, that are in two splits."""
    parts: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for case in view.cases:
        if case.group is not None and case.part is not None:
            parts[case.group][case.part].append(case.id)
    for group, found in parts.items():
        if len(found) > 1:
            held = found["held-out"]
            seen = f"{group!r}: {len(found['train'])} in train, {len(held)} held out"
            yield finding("group-across-splits", held[0], "", seen)
    seller = view.by_concept.get("seller_name")
    if seller is None or all(case.labelled.group is None for case in view.cases):
        return  # the group is the seller
    by_name: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for case in view.cases:
        if case.part is not None and case.values.get(seller):
            by_name[bare(str(case.values[seller]))][case.part].append(case.id)
    for found in by_name.values():
        if len(found) > 1:
            seen = f"seller of {found['train'][0]}, which is in train"
            yield finding("group-across-splits", found["held-out"][0], seller, seen)


# ---------------------------------------------------------------- numbers


def amounts_of_data(view: View, config: LintConfig) -> Iterator[Finding]:
    """Too few documents, values or groups; constants; fields that are never null."""
    training = list(view.training())
    if len(training) < config.few_documents:
        yield finding("few-documents", "", "", f"{len(training)} for training")
    for name, node in view.schema.root.keys:
        known = [case for case in training if name in case.values]
        held = [case for case in known if case.values[name] not in (None, [], {})]
        # A field without any label tells of nothing else.
        if len(held) < config.few_values:
            yield finding("few-values", "", name, f"{len(held)} of {len(training)} documents")
        groups = {case.group if case.group is not None else case.id for case in held}
        if held and len(groups) < config.few_groups:
            yield finding("few-groups", "", name, f"{len(groups)} groups hold the values")
        if len(held) < config.few_values:
            continue
        if len(held) == len(known):
            yield finding("no-negatives", "", name, f"a value in all {len(known)} documents")
        if isinstance(node, LeafNode):
            yield from _constant(name, held, config)


def _constant(name: str, held: Sequence[Case], config: LintConfig) -> Iterator[Finding]:
    values = Counter(bare(leaf.shown) for case in held if (leaf := case.leaf(name)))
    if not values:
        return
    _, most = values.most_common(1)[0]
    if most >= config.constant_share * len(held):
        shown = next(leaf.shown for case in held if (leaf := case.leaf(name)))
        yield finding("constant", "", name, f"{shown!r} in {most} of {len(held)} documents")


_LEAST_SPLIT = 8
_Z = 4.0


def drift(view: View, config: LintConfig) -> Iterator[Finding]:
    """Held-out documents that differ from those of training: language, length, nulls, size."""
    train = [case for case in view.cases if case.part == "train" and case.text]
    held = [case for case in view.cases if case.part == "held-out" and case.text]
    if min(len(train), len(held)) < _LEAST_SPLIT:
        return
    known = {case.locale.language for case in train}
    foreign = Counter(case.locale.language for case in held if case.locale.language not in known)
    if foreign.total():
        seen = ", ".join(f"{language or 'unknown'} {n}" for language, n in foreign.items())
        yield finding("drift", "", "", f"languages that training lacks: {seen}")
    lengths = [median(len(case.text) for case in part) for part in (train, held)]
    if max(lengths) > 2.5 * min(lengths):
        seen = f"median length {lengths[0]:.0f} characters in train, {lengths[1]:.0f} held out"
        yield finding("drift", "", "", seen)
    for name in view.schema.field_names:
        for what, measure in (("null", _is_null), ("not in the text", _is_unfound)):
            yield from _shares(name, what, measure, train, held)


def _is_null(case: Case, name: str) -> bool | None:
    return None if name not in case.values else case.values[name] in (None, [], {})


def _is_unfound(case: Case, name: str) -> bool | None:
    leaf = case.leaf(name)
    return None if leaf is None or leaf.evidence is None else not leaf.places


def _shares(
    name: str,
    what: str,
    measure: Callable[[Case, str], bool | None],
    train: Sequence[Case],
    held: Sequence[Case],
) -> Iterator[Finding]:
    """Compare two shares by the normal approximation of their difference."""
    counts: list[tuple[int, int]] = []
    for part in (train, held):
        told = [value for case in part if (value := measure(case, name)) is not None]
        if len(told) < _LEAST_SPLIT:
            return
        counts.append((sum(told), len(told)))
    (a, n), (b, m) = counts
    pooled = (a + b) / (n + m)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    if error and abs(a / n - b / m) > _Z * error:
        seen = f"{what} in {a} of {n} train labels, {b} of {m} held out"
        yield finding("drift", "", name, seen)


def _cut(text: str) -> str:
    return text if len(text) <= 200 else text[:197] + "..."
