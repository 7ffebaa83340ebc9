"""E-invoices: the XML of EN 16931 and its kin, to values keyed by business term.

Read are UN/CEFACT CII (Factur-X, XRechnung, ZUGFeRD 1 and 2, Order-X) and UBL invoices and credit
notes. The bytes are untrusted: this runs in the worker process; a document type declaration,
without which there are no entities, is refused unread; depth, elements and size have limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from extractor.document.clean import clean_text
from extractor.errors import DocumentError

MAX_BYTES = 20 * 1024**2
MAX_DEPTH = 64
MAX_ELEMENTS = 500_000
_MAX_ATTACHMENTS = 50
# The names that the standards give to the attachment; others are looked at after them.
_NAMES = ("factur-x.xml", "xrechnung.xml", "zugferd-invoice.xml", "order-x.xml", "cii.xml")


@dataclass(frozen=True, slots=True)
class EInvoice:
    """What the XML of an e-invoice says.

    :param syntax: of the XML.
    :param profile: identifier of the specification that it follows (BT-24), empty if not given.
    :param terms: canonical strings (ISO dates, decimal strings, text) by business term, such as
        `BT-1`; terms that are not stated are absent.
    :param lines: the same for each invoice line.
    """

    syntax: Literal["cii", "ubl"]
    profile: str
    terms: Mapping[str, str]
    lines: tuple[Mapping[str, str], ...]

    @property
    def states_all(self) -> bool:
        """Whether what the XML does not state is not part of the invoice.

        The two smallest profiles of Factur-X leave out lines and terms that the page shows, and
        an order has other terms than an invoice.
        """
        profile = self.profile.lower()
        return not any(part in profile for part in (":minimum", ":basicwl", "order-x"))


class NotAnEInvoice(ValueError):
    """XML that is none, or that may not be read; the message says which, without its content."""


def embedded(reader: Any) -> dict[str, Any]:
    """Return the e-invoice among a PDF's attachments as plain JSON data.

    :param reader: a `pypdf.PdfReader`.
    :returns: `{}` if there is none, `{"einvoice": {...}}`, or `{"einvoice_problem": sentence}`
        if there seems to be one but it cannot be read.
    """
    problem = ""
    try:
        for file in _xml_files(reader):
            try:
                return {"einvoice": _plain(parse(_content(file)))}
            except NotAnEInvoice as error:
                # Other XML may be attached too; only what claims to be one is told of.
                if file.name.lower() in _NAMES or error.__cause__ is not None:
                    problem = problem or str(error)
    except Exception as error:  # pypdf raises anything on damaged files; the pages still count
        problem = problem or f"the attachments cannot be read ({type(error).__name__})"
    return {"einvoice_problem": problem} if problem else {}


def read_xml(data: bytes, max_characters: int) -> dict[str, Any]:
    """Return an XML file as `{"text": its values one a line, "einvoice": {...}}`.

    :raises DocumentError: if it is no e-invoice that is understood.
    """
    try:
        root = _tree(data)
        invoice = _invoice(root)
    except NotAnEInvoice as error:
        raise DocumentError(
            str(error),
            hint="of XML, invoices in CII (Factur-X, ZUGFeRD, XRechnung) and UBL are read",
            category="unsupported",
        ) from error
    lines = [
        f"{element.tag}: {text}"
        for element in root.iter()
        if (text := " ".join(clean_text(element.text or "").split()))
    ]
    text = "\n".join(lines) + "\n"
    if len(text) > max_characters:
        raise DocumentError(
            f"more than {max_characters} characters",
            hint="split the document, or raise the limit of characters",
            category="too_big",
        )
    return {"text": text, "einvoice": _plain(invoice)}


def parse(data: bytes) -> EInvoice:
    """Read the XML of an e-invoice.

    :raises NotAnEInvoice: if it is none, is damaged, or is such that it may not be read.
    """
    return _invoice(_tree(data))


def from_plain(content: Mapping[str, Any]) -> EInvoice:
    """Return what `embedded` or `read_xml` gave as `einvoice`."""
    return EInvoice(
        content["syntax"], content["profile"], content["terms"], tuple(content["lines"])
    )


def _plain(invoice: EInvoice) -> dict[str, Any]:
    return {
        "syntax": invoice.syntax,
        "profile": invoice.profile,
        "terms": dict(invoice.terms),
        "lines": [dict(line) for line in invoice.lines],
    }


def _xml_files(reader: Any) -> list[Any]:
    """Return the attached XML files, those with a standard's name first."""
    found: list[Any] = []
    for number, file in enumerate(reader.attachment_list):
        if number >= _MAX_ATTACHMENTS:
            break
        if file.name.lower().endswith(".xml"):
            found.append(file)
    return sorted(found, key=lambda file: file.name.lower() not in _NAMES)


def _content(file: Any) -> bytes:
    try:
        content = bytes(file.content)
    except Exception as error:  # pypdf's own errors and whatever a damaged stream causes
        raise NotAnEInvoice(f"its XML cannot be unpacked ({type(error).__name__})") from error
    return content


class _Bounded(TreeBuilder):
    """Builds the tree without namespaces, renamed to one vintage of CII, within limits."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._elements = 0

    def start(self, tag: Any, attrs: Any, /) -> Element:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise ValueError("deeper or longer than any invoice")
        local = tag.rpartition("}")[2]
        return super().start(_RENAMED.get(local, local), attrs)

    def end(self, tag: Any, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def _tree(data: bytes) -> Element:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    if len(data) > MAX_BYTES:
        raise NotAnEInvoice(f"its XML has more than {MAX_BYTES} bytes")
    parser = DefusedXMLParser(target=_Bounded(), forbid_dtd=True)
    try:
        parser.feed(data)
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise NotAnEInvoice(
            "its XML declares a document type or entities, which no e-invoice does"
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise NotAnEInvoice(f"its XML is damaged ({type(error).__name__})") from error
    return root


def _invoice(root: Element) -> EInvoice:
    if root.tag in ("CrossIndustryInvoice", "CrossIndustryDocument"):
        return _cii(root)
    if root.tag == "SCRDMCCBDACIOMessageStructure":
        return _order(_cii(root))
    if root.tag in ("Invoice", "CreditNote") and root.find("LegalMonetaryTotal") is not None:
        return _ubl(root)
    raise NotAnEInvoice("the XML is no invoice in CII or UBL")


# ---------------------------------------------------------------- CII

# What ZUGFeRD 1.0 and Order-X call otherwise.
_RENAMED = {
    "SpecifiedExchangedDocumentContext": "ExchangedDocumentContext",
    "HeaderExchangedDocument": "ExchangedDocument",
    "SpecifiedSupplyChainTradeTransaction": "SupplyChainTradeTransaction",
    "ApplicableSupplyChainTradeAgreement": "ApplicableHeaderTradeAgreement",
    "ApplicableSupplyChainTradeDelivery": "ApplicableHeaderTradeDelivery",
    "ApplicableSupplyChainTradeSettlement": "ApplicableHeaderTradeSettlement",
    "SpecifiedSupplyChainTradeAgreement": "SpecifiedLineTradeAgreement",
    "SpecifiedSupplyChainTradeDelivery": "SpecifiedLineTradeDelivery",
    "SpecifiedSupplyChainTradeSettlement": "SpecifiedLineTradeSettlement",
    "SpecifiedTradeSettlementHeaderMonetarySummation": "MonetarySummation",
    "SpecifiedTradeSettlementLineMonetarySummation": "MonetarySummation",
    "SpecifiedTradeSettlementMonetarySummation": "MonetarySummation",
    "ApplicablePercent": "RateApplicablePercent",
    "OrderCurrencyCode": "InvoiceCurrencyCode",
    "RequestedQuantity": "BilledQuantity",
}
_DEAL = "SupplyChainTradeTransaction"
_AGREEMENT = f"{_DEAL}/ApplicableHeaderTradeAgreement"
_DELIVERY = f"{_DEAL}/ApplicableHeaderTradeDelivery"
_SETTLEMENT = f"{_DEAL}/ApplicableHeaderTradeSettlement"
_MEANS = f"{_SETTLEMENT}/SpecifiedTradeSettlementPaymentMeans"
_SUM = f"{_SETTLEMENT}/MonetarySummation"
_CONTACT = f"{_AGREEMENT}/SellerTradeParty/DefinedTradeContact"
Paths = Mapping[str, tuple[str, ...]]
_CII: Paths = {
    "BT-1": ("ExchangedDocument/ID",),
    "BT-2": ("ExchangedDocument/IssueDateTime/DateTimeString",),
    "BT-5": (f"{_SETTLEMENT}/InvoiceCurrencyCode",),
    "BT-9": (f"{_SETTLEMENT}/SpecifiedTradePaymentTerms/DueDateDateTime/DateTimeString",),
    "BT-12": (
        f"{_AGREEMENT}/ContractReferencedDocument/IssuerAssignedID",
        f"{_AGREEMENT}/ContractReferencedDocument/ID",
    ),
    "BT-13": (
        f"{_AGREEMENT}/BuyerOrderReferencedDocument/IssuerAssignedID",
        f"{_AGREEMENT}/BuyerOrderReferencedDocument/ID",
    ),
    "BT-16": (
        f"{_DELIVERY}/DespatchAdviceReferencedDocument/IssuerAssignedID",
        f"{_DELIVERY}/DeliveryNoteReferencedDocument/IssuerAssignedID",
        f"{_DELIVERY}/DeliveryNoteReferencedDocument/ID",
    ),
    "BT-20": (f"{_SETTLEMENT}/SpecifiedTradePaymentTerms/Description",),
    "BT-27": (f"{_AGREEMENT}/SellerTradeParty/Name",),
    "BT-31": (f"{_AGREEMENT}/SellerTradeParty/SpecifiedTaxRegistration/ID[@schemeID='VA']",),
    "BT-32": (f"{_AGREEMENT}/SellerTradeParty/SpecifiedTaxRegistration/ID[@schemeID='FC']",),
    "BT-41": (f"{_CONTACT}/PersonName",),
    "BT-42": (f"{_CONTACT}/TelephoneUniversalCommunication/CompleteNumber",),
    "BT-43": (f"{_CONTACT}/EmailURIUniversalCommunication/URIID",),
    "BT-44": (f"{_AGREEMENT}/BuyerTradeParty/Name",),
    "BT-46": (f"{_AGREEMENT}/BuyerTradeParty/ID",),
    "BT-48": (f"{_AGREEMENT}/BuyerTradeParty/SpecifiedTaxRegistration/ID[@schemeID='VA']",),
    "BT-70": (f"{_DELIVERY}/ShipToTradeParty/Name",),
    "BT-72": (f"{_DELIVERY}/ActualDeliverySupplyChainEvent/OccurrenceDateTime/DateTimeString",),
    "BT-84": (f"{_MEANS}/PayeePartyCreditorFinancialAccount/IBANID",),
    "BT-86": (f"{_MEANS}/PayeeSpecifiedCreditorFinancialInstitution/BICID",),
    "BT-107": (f"{_SUM}/AllowanceTotalAmount",),
    "BT-109": (f"{_SUM}/TaxBasisTotalAmount",),
    "BT-110": (f"{_SUM}/TaxTotalAmount",),
    "BT-112": (f"{_SUM}/GrandTotalAmount",),
    "BT-115": (f"{_SUM}/DuePayableAmount",),
    "BT-119": (f"{_SETTLEMENT}/ApplicableTradeTax/RateApplicablePercent",),
}
_CII_LINE: Paths = {
    "BT-126": ("AssociatedDocumentLineDocument/LineID",),
    "BT-129": ("SpecifiedLineTradeDelivery/BilledQuantity",),
    "BT-131": ("SpecifiedLineTradeSettlement/MonetarySummation/LineTotalAmount",),
    "BT-146": ("SpecifiedLineTradeAgreement/NetPriceProductTradePrice/ChargeAmount",),
    "BT-152": ("SpecifiedLineTradeSettlement/ApplicableTradeTax/RateApplicablePercent",),
    "BT-153": ("SpecifiedTradeProduct/Name",),
    "BT-154": ("SpecifiedTradeProduct/Description",),
    "BT-155": ("SpecifiedTradeProduct/SellerAssignedID",),
}


# Of nested lines these are sums of others, or parts that are not charged by themselves.
_STATUS = "AssociatedDocumentLineDocument/LineStatusReasonCode"
_NO_LINES = ("GROUP", "INFORMATION")


def _cii(root: Element) -> EInvoice:
    profile = _text(
        root.find("ExchangedDocumentContext/GuidelineSpecifiedDocumentContextParameter/ID")
    )
    lines = [
        line
        for line in root.iterfind(f"{_DEAL}/IncludedSupplyChainTradeLineItem")
        if _text(line.find(_STATUS)) not in _NO_LINES
    ]
    return EInvoice("cii", profile, _terms(root, _CII), _lines(lines, _CII_LINE))


def _order(order: EInvoice) -> EInvoice:
    """An order's own number is not an invoice's."""
    terms = dict(order.terms)
    if "BT-1" in terms:
        terms["BT-13"] = terms.pop("BT-1")
    return EInvoice("cii", order.profile or "urn:order-x.eu", terms, order.lines)


# ---------------------------------------------------------------- UBL

_SUPPLIER = "AccountingSupplierParty/Party"
_CUSTOMER = "AccountingCustomerParty/Party"
_ACCOUNT = "PaymentMeans/PayeeFinancialAccount"
_UBL: Paths = {
    "BT-1": ("ID",),
    "BT-2": ("IssueDate",),
    "BT-5": ("DocumentCurrencyCode",),
    "BT-9": ("DueDate", "PaymentMeans/PaymentDueDate"),
    "BT-12": ("ContractDocumentReference/ID",),
    "BT-13": ("OrderReference/ID",),
    "BT-16": ("DespatchDocumentReference/ID",),
    "BT-20": ("PaymentTerms/Note",),
    "BT-27": (f"{_SUPPLIER}/PartyLegalEntity/RegistrationName", f"{_SUPPLIER}/PartyName/Name"),
    "BT-41": (f"{_SUPPLIER}/Contact/Name",),
    "BT-42": (f"{_SUPPLIER}/Contact/Telephone",),
    "BT-43": (f"{_SUPPLIER}/Contact/ElectronicMail",),
    "BT-44": (f"{_CUSTOMER}/PartyLegalEntity/RegistrationName", f"{_CUSTOMER}/PartyName/Name"),
    "BT-46": (f"{_CUSTOMER}/PartyIdentification/ID",),
    "BT-70": ("Delivery/DeliveryParty/PartyName/Name",),
    "BT-72": ("Delivery/ActualDeliveryDate",),
    "BT-84": (f"{_ACCOUNT}/ID",),
    "BT-86": (f"{_ACCOUNT}/FinancialInstitutionBranch/ID",),
    "BT-107": ("LegalMonetaryTotal/AllowanceTotalAmount",),
    "BT-109": ("LegalMonetaryTotal/TaxExclusiveAmount",),
    "BT-110": ("TaxTotal/TaxAmount",),
    "BT-112": ("LegalMonetaryTotal/TaxInclusiveAmount",),
    "BT-115": ("LegalMonetaryTotal/PayableAmount",),
    "BT-119": ("TaxTotal/TaxSubtotal/TaxCategory/Percent",),
}
_UBL_LINE: Paths = {
    "BT-126": ("ID",),
    "BT-129": ("InvoicedQuantity", "CreditedQuantity"),
    "BT-131": ("LineExtensionAmount",),
    "BT-146": ("Price/PriceAmount",),
    "BT-152": ("Item/ClassifiedTaxCategory/Percent",),
    "BT-153": ("Item/Name",),
    "BT-154": ("Item/Description",),
    "BT-155": ("Item/SellersItemIdentification/ID",),
}


def _ubl(root: Element) -> EInvoice:
    terms = {
        **_terms(root, _UBL),
        **_tax_numbers(root, _SUPPLIER, vat="BT-31", other="BT-32"),
        **_tax_numbers(root, _CUSTOMER, vat="BT-48", other=""),
    }
    lines = root.iterfind(f"{root.tag}Line")
    return EInvoice("ubl", _text(root.find("CustomizationID")), terms, _lines(lines, _UBL_LINE))


def _tax_numbers(root: Element, party: str, *, vat: str, other: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for scheme in root.iterfind(f"{party}/PartyTaxScheme"):
        term = vat if _text(scheme.find("TaxScheme/ID")).upper() == "VAT" else other
        number = _text(scheme.find("CompanyID"))
        if term and number:
            found.setdefault(term, number)
    return found


# ---------------------------------------------------------------- both

_DATES = {"BT-2", "BT-9", "BT-72"}
_NUMBERS = {"BT-107", "BT-109", "BT-110", "BT-112", "BT-115", "BT-119"} | {
    "BT-129", "BT-131", "BT-146", "BT-152",
}  # fmt: skip


def _terms(root: Element, paths: Paths) -> dict[str, str]:
    currency = _text(root.find(_CII["BT-5"][0])) or _text(root.find(_UBL["BT-5"][0]))
    found: dict[str, str] = {}
    for term, places in paths.items():
        elements = [element for place in places for element in root.iterfind(place)]
        if term == "BT-110":
            # Beside the total in the invoice's currency one in that of the accounts may stand.
            own = [e for e in elements if e.get("currencyID", currency) == currency]
            elements = own or elements
        values = _values(term, elements)
        if term == "BT-119" and len(set(values)) > 1:
            continue  # of several rates none is the invoice's
        if values:
            found[term] = values[0]
    return found


def _lines(elements: Iterable[Element], paths: Paths) -> tuple[dict[str, str], ...]:
    return tuple(line for element in elements if (line := _terms(element, paths)))


def _values(term: str, elements: Iterable[Element]) -> list[str]:
    read = _date if term in _DATES else _number if term in _NUMBERS else _text
    return [value for element in elements if (value := read(element))]


def _text(element: Element | None) -> str:
    return "" if element is None else " ".join(clean_text(element.text or "").split())


def _date(element: Element) -> str:
    """Return an ISO date: CII writes 20240517, UBL 2024-05-17, both perhaps with a zone."""
    match = re.match(r"(\d{4})-?(\d\d)-?(\d\d)", _text(element))
    if match is None:
        return ""
    try:
        return date(*map(int, match.groups())).isoformat()
    except ValueError:
        return ""


def _number(element: Element) -> str:
    try:
        number = Decimal(_text(element))
    except InvalidOperation:
        return ""
    return format(number, "f") if number.is_finite() and abs(number.adjusted()) < 20 else ""
