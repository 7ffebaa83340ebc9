"""Small e-invoices, made in the test: XML in each syntax, and a PDF that shows and embeds one."""

from __future__ import annotations

import io
from collections.abc import Sequence

from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen.canvas import Canvas

RSM = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
RAM = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
UDT = "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"
PRINTED = (
    "Muster Werke GmbH",
    "Invoice R-2024-17",
    "Date 17.05.2024",
    "Bill to Kunde AG",
    "VAT DE123456789",
    "Widget, blue 3 33,50 100,50 EUR",
    "Net 100,50 Tax 19,10 Total 119,60",
    "IBAN DE02 1203 0000 0000 2020 51",
)


def cii(
    *,
    number: str = "R-2024-17",
    gross: str = "119.60",
    profile: str = "urn:cen.eu:en16931:2017",
    head: str = "",
    lines: bool = True,
) -> bytes:
    """A Factur-X invoice; `head` goes before the root."""
    line = """<ram:IncludedSupplyChainTradeLineItem>
 <ram:AssociatedDocumentLineDocument><ram:LineID>1</ram:LineID></ram:AssociatedDocumentLineDocument>
 <ram:SpecifiedTradeProduct><ram:Name>Widget, blue</ram:Name></ram:SpecifiedTradeProduct>
 <ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice>
  <ram:ChargeAmount>33.50</ram:ChargeAmount></ram:NetPriceProductTradePrice>
 </ram:SpecifiedLineTradeAgreement>
 <ram:SpecifiedLineTradeDelivery><ram:BilledQuantity unitCode="C62">3.0000</ram:BilledQuantity>
 </ram:SpecifiedLineTradeDelivery>
 <ram:SpecifiedLineTradeSettlement><ram:SpecifiedTradeSettlementLineMonetarySummation>
  <ram:LineTotalAmount>100.50</ram:LineTotalAmount>
 </ram:SpecifiedTradeSettlementLineMonetarySummation></ram:SpecifiedLineTradeSettlement>
</ram:IncludedSupplyChainTradeLineItem>"""
    return f"""<?xml version="1.0" encoding="UTF-8"?>{head}
<rsm:CrossIndustryInvoice xmlns:rsm="{RSM}" xmlns:ram="{RAM}" xmlns:udt="{UDT}">
<rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter>
 <ram:ID>{profile}</ram:ID></ram:GuidelineSpecifiedDocumentContextParameter>
</rsm:ExchangedDocumentContext>
<rsm:ExchangedDocument><ram:ID>{number}</ram:ID><ram:TypeCode>380</ram:TypeCode>
 <ram:IssueDateTime><udt:DateTimeString format="102">20240517</udt:DateTimeString>
 </ram:IssueDateTime></rsm:ExchangedDocument>
<rsm:SupplyChainTradeTransaction>{line if lines else ""}
<ram:ApplicableHeaderTradeAgreement>
 <ram:SellerTradeParty><ram:Name>Muster Werke GmbH</ram:Name><ram:SpecifiedTaxRegistration>
  <ram:ID schemeID="FC">12/345/678</ram:ID></ram:SpecifiedTaxRegistration>
  <ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">DE123456789</ram:ID>
  </ram:SpecifiedTaxRegistration></ram:SellerTradeParty>
 <ram:BuyerTradeParty><ram:Name>Kunde AG</ram:Name></ram:BuyerTradeParty>
</ram:ApplicableHeaderTradeAgreement>
<ram:ApplicableHeaderTradeDelivery/>
<ram:ApplicableHeaderTradeSettlement>
 <ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>
 <ram:SpecifiedTradeSettlementPaymentMeans><ram:PayeePartyCreditorFinancialAccount>
  <ram:IBANID>DE02120300000000202051</ram:IBANID></ram:PayeePartyCreditorFinancialAccount>
 </ram:SpecifiedTradeSettlementPaymentMeans>
 <ram:SpecifiedTradeSettlementHeaderMonetarySummation>
  <ram:TaxBasisTotalAmount>100.50</ram:TaxBasisTotalAmount>
  <ram:TaxTotalAmount currencyID="CHF">18.00</ram:TaxTotalAmount>
  <ram:TaxTotalAmount currencyID="EUR">19.10</ram:TaxTotalAmount>
  <ram:GrandTotalAmount>{gross}</ram:GrandTotalAmount>
 </ram:SpecifiedTradeSettlementHeaderMonetarySummation>
</ram:ApplicableHeaderTradeSettlement>
</rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>""".encode()


def zugferd_1() -> bytes:
    """The same invoice in ZUGFeRD 1.0, whose elements and namespace have other names."""
    text = cii().decode()
    for new, old in (
        (RSM, "urn:ferd:CrossIndustryDocument:invoice:1p0"),
        ("rsm:CrossIndustryInvoice", "rsm:CrossIndustryDocument"),
        ("rsm:ExchangedDocumentContext", "rsm:SpecifiedExchangedDocumentContext"),
        ("rsm:ExchangedDocument>", "rsm:HeaderExchangedDocument>"),
        ("rsm:SupplyChainTradeTransaction", "rsm:SpecifiedSupplyChainTradeTransaction"),
        ("ApplicableHeaderTrade", "ApplicableSupplyChainTrade"),
        ("SpecifiedLineTrade", "SpecifiedSupplyChainTrade"),
        ("SettlementHeaderMonetary", "SettlementMonetary"),
        ("SettlementLineMonetary", "SettlementMonetary"),
    ):
        text = text.replace(new, old)
    return text.encode()


def ubl(root: str = "Invoice") -> bytes:
    """The same invoice, or a credit note, in UBL."""
    quantity = "InvoicedQuantity" if root == "Invoice" else "CreditedQuantity"
    kind = "urn:oasis:names:specification:ubl:schema:xsd"
    return f"""<{root} xmlns="{kind}:{root}-2" xmlns:cac="{kind}:CommonAggregateComponents-2"
 xmlns:cbc="{kind}:CommonBasicComponents-2">
<cbc:ID>R-2024-17</cbc:ID><cbc:IssueDate>2024-05-17</cbc:IssueDate>
<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
<cac:AccountingSupplierParty><cac:Party>
 <cac:PartyTaxScheme><cbc:CompanyID>12/345/678</cbc:CompanyID>
  <cac:TaxScheme><cbc:ID>FC</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
 <cac:PartyTaxScheme><cbc:CompanyID>DE123456789</cbc:CompanyID>
  <cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
 <cac:PartyLegalEntity><cbc:RegistrationName>Muster Werke GmbH</cbc:RegistrationName>
 </cac:PartyLegalEntity></cac:Party></cac:AccountingSupplierParty>
<cac:AccountingCustomerParty><cac:Party><cac:PartyLegalEntity>
 <cbc:RegistrationName>Kunde AG</cbc:RegistrationName></cac:PartyLegalEntity></cac:Party>
</cac:AccountingCustomerParty>
<cac:PaymentMeans><cac:PayeeFinancialAccount><cbc:ID>DE02120300000000202051</cbc:ID>
</cac:PayeeFinancialAccount></cac:PaymentMeans>
<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">19.10</cbc:TaxAmount></cac:TaxTotal>
<cac:LegalMonetaryTotal><cbc:TaxExclusiveAmount currencyID="EUR">100.50</cbc:TaxExclusiveAmount>
<cbc:TaxInclusiveAmount currencyID="EUR">119.60</cbc:TaxInclusiveAmount></cac:LegalMonetaryTotal>
<cac:{root}Line><cbc:ID>1</cbc:ID><cbc:{quantity} unitCode="C62">3</cbc:{quantity}>
 <cbc:LineExtensionAmount currencyID="EUR">100.50</cbc:LineExtensionAmount>
 <cac:Item><cbc:Name>Widget, blue</cbc:Name></cac:Item>
 <cac:Price><cbc:PriceAmount currencyID="EUR">33.50</cbc:PriceAmount></cac:Price>
</cac:{root}Line></{root}>""".encode()


def pdf(
    attached: bytes | None, printed: Sequence[str] = PRINTED, name: str = "factur-x.xml"
) -> bytes:
    """A PDF of one page with an XML file attached."""
    page = io.BytesIO()
    canvas = Canvas(page)
    for number, line in enumerate(printed):
        canvas.drawString(60, 780 - 20 * number, line)
    if not printed:
        canvas.rect(60, 60, 200, 200, fill=1)
    canvas.showPage()
    canvas.save()
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(page.getvalue())))
    if attached is not None:
        writer.add_attachment(name, attached)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
