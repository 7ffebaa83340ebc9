"""An e-invoice beside the page that it came with: where its values stand, and where both differ.

The XML is the record. People read the page, so each value is looked for there all the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from extractor.business import Filled
from extractor.document import Document
from extractor.evidence import Evidence, Wanted, locate_all, occurrences
from extractor.fields import Locale, NumberType, bare
from extractor.schema import FieldWarning, Leaf


def place(
    document: Document, leaves: Iterable[Leaf], locale: Locale
) -> list[tuple[Leaf, Evidence]]:
    """Return leaves of an e-invoice's values, each with its evidence."""
    asked = list(leaves)
    wanted = [Wanted(leaf.path, leaf.type, leaf.value) for leaf in asked]
    found = locate_all(document, wanted, locale=locale)
    return [(leaf, found[leaf.path]) for leaf in asked]


def warnings(
    document: Document, filled: Filled, placed: Iterable[tuple[Leaf, Evidence]]
) -> list[FieldWarning]:
    """Return what to look at: values that the page does not show, fields without a term."""
    message = "this is not taken from e-invoices"
    found = [FieldWarning(path, "not_in_einvoice", message) for path in filled.unstated]
    if _is_page(document):
        message = "the e-invoice states this value, the page does not show it"
        found += [
            FieldWarning(leaf.path, "einvoice_differs", message)
            for leaf, evidence in placed
            if evidence.status == "not_found" and not _shown(document, leaf)
        ]
    return [*filled.warnings, *found]


def _is_page(document: Document) -> bool:
    """Say whether all that people see has been read: no scan, and not the XML file itself."""
    drawn = any(page.width_pt > 0 for page in document.pages)
    return drawn and not document.unread_pages


def _shown(document: Document, leaf: Leaf) -> bool:
    """Say whether a value is there in a way that gives no single span.

    Credit notes are printed with and without a sign, and long names wrap beside other columns.
    """
    if isinstance(leaf.type, NumberType):
        return bool(occurrences(document.text, leaf.type, -leaf.value, document.locale))
    if not isinstance(leaf.value, str) or (leaf.type.typed and leaf.type.name != "identifier"):
        return False
    words = {bare(word) for word in document.text.split()}
    return all(bare(word) in words for word in leaf.value.split() if bare(word))
