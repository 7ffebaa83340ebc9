"""Who bills whom for what in the sample invoices, and how the seller's country prints it.

Names and addresses are Faker's; VAT ids and IBANs have right check digits and belong to nobody by
intention.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from random import Random
from typing import Any

from babel.dates import format_date
from faker import Faker
from stdnum.eu import vat as eu_vat
from stdnum.gb import vat as gb_vat

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Country:
    """How one country prints its invoices.

    :param locale: of Faker and Babel.
    :param group: thousands separator.
    :param point: decimal separator.
    :param marks: ways to show the currency; `#` stands for the number.
    :param dates: Babel patterns.
    :param rates: tax rates in percent.
    :param vat: shape of a VAT id, `9` a digit and `A` a letter; empty if invoices show none.
    :param iban: shape of an IBAN after its check digits; empty if the country has none.
    """

    code: str
    locale: str
    currency: str
    group: str
    point: str
    marks: tuple[str, ...]
    dates: tuple[str, ...]
    rates: tuple[str, ...]
    vat: str
    iban: str

    @property
    def language(self) -> str:
        """ISO 639-1."""
        return self.locale[:2]


COUNTRIES = {
    country.code: country
    for country in (
        Country("DE", "de_DE", "EUR", ".", ",", ("# €", "# EUR"),
                ("dd.MM.yyyy", "d. MMMM yyyy"), ("19", "7"), "DE999999999", "9" * 18),
        Country("AT", "de_AT", "EUR", ".", ",", ("€ #", "EUR #"),
                ("dd.MM.yyyy", "d.M.yyyy"), ("20", "10"), "ATU99999999", "9" * 16),
        Country("CH", "de_CH", "CHF", "'", ".", ("CHF #", "# CHF"),
                ("dd.MM.yyyy", "d. MMMM yyyy"), ("8.1",), "", "9" * 17),
        Country("GB", "en_GB", "GBP", ",", ".", ("£#", "GBP #"),
                ("d MMMM yyyy", "dd/MM/yyyy", "dd MMM yyyy"), ("20",), "GB999999999",
                "AAAA" + "9" * 14),
        Country("IE", "en_IE", "EUR", ",", ".", ("€#", "EUR #"),
                ("d MMMM yyyy", "dd/MM/yyyy"), ("23", "13.5"), "IE9999999A", "AAAA" + "9" * 14),
        Country("US", "en_US", "USD", ",", ".", ("$#", "USD #"),
                ("MMMM d, yyyy", "MM/dd/yyyy"), ("8.25", "6"), "", ""),
        Country("FR", "fr_FR", "EUR", " ", ",", ("# €", "# EUR"),
                ("dd/MM/yyyy", "d MMMM yyyy"), ("20", "5,5"), "FR99999999999", "9" * 23),
        Country("BE", "fr_BE", "EUR", ".", ",", ("# €", "EUR #"),
                ("dd/MM/yyyy", "d MMMM yyyy"), ("21", "6"), "BE0999999999", "9" * 12),
        Country("ES", "es_ES", "EUR", ".", ",", ("# €", "# EUR"),
                ("dd/MM/yyyy", "d 'de' MMMM 'de' yyyy"), ("21", "10"), "ESB99999999", "9" * 20),
        Country("MX", "es_MX", "MXN", ",", ".", ("$# MXN", "MXN #"),
                ("dd/MM/yyyy", "d 'de' MMMM 'de' yyyy"), ("16",), "", ""),
    )
}  # fmt: skip

# Wordings by language; a seller keeps to one of each.
WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "title": ("INVOICE", "Invoice", "TAX INVOICE", "Bill"),
        "invoice_number": ("Invoice No.", "Invoice number", "Invoice #", "Bill no.", "Number"),
        "issue_date": ("Invoice date", "Date", "Date of issue", "Issued"),
        "due_date": ("Due date", "Payment due", "Pay by", "Due"),
        "delivery_date": ("Delivery date", "Date of supply", "Delivered"),
        "order": ("Order no.", "PO number", "Your order", "Your ref."),
        "customer": ("Customer no.", "Account", "Client ID"),
        "buyer": ("Bill to", "Billed to", "To", "Customer", "Invoice for"),
        "seller": ("From", "Seller", "Supplier", "Issued by"),
        "vat_id": ("VAT No.", "VAT ID", "VAT Reg. No.", "VAT number"),
        "description": ("Description", "Item", "Service", "Details"),
        "quantity": ("Qty", "Quantity", "Units"),
        "unit_price": ("Unit price", "Price", "Rate", "Each"),
        "line_total": ("Amount", "Line total", "Total", "Net"),
        "net": ("Subtotal", "Net total", "Total excl. VAT", "Net amount"),
        "tax": ("VAT", "Tax"),
        "gross": ("Total", "Total due", "Invoice total", "Amount due", "Grand total"),
        "pay_by": ("Please pay by {}.", "Payment is due on {}.", "Kindly settle by {}."),
        "pay_days": ("Payment within {} days.", "Terms: {} days net."),
        "no_tax": ("Not registered for tax.", "No tax is charged on this invoice."),
        "hello": ("Dear customer, for our services we charge as follows.",
                  "Thank you for your order. We invoice you for:"),
        "thanks": ("Thank you for your business.", "Questions? Please call us."),
        "bank": ("Bank", "Bank details", "Payment to"),
        "page": ("Page 1 of 1",),
    },
    "de": {
        "title": ("RECHNUNG", "Rechnung", "Faktura"),
        "invoice_number": ("Rechnungsnummer", "Rechnung Nr.", "Rechnungs-Nr.", "Beleg-Nr."),
        "issue_date": ("Rechnungsdatum", "Datum", "Ausstellungsdatum"),
        "due_date": ("Fällig am", "Zahlbar bis", "Fälligkeit"),
        "delivery_date": ("Lieferdatum", "Leistungsdatum", "Geliefert am"),
        "order": ("Bestellnummer", "Ihre Bestellung", "Auftrags-Nr."),
        "customer": ("Kundennummer", "Kunden-Nr.", "Kd.-Nr."),
        "buyer": ("Rechnung an", "Empfänger", "Kunde", "Rechnungsempfänger"),
        "seller": ("Von", "Lieferant", "Rechnungssteller"),
        "vat_id": ("USt-IdNr.", "USt-ID", "Ust.-ID-Nr."),
        "description": ("Bezeichnung", "Beschreibung", "Leistung", "Artikel"),
        "quantity": ("Menge", "Anzahl", "Stück"),
        "unit_price": ("Einzelpreis", "Preis", "E-Preis"),
        "line_total": ("Betrag", "Gesamtpreis", "Summe", "G-Preis"),
        "net": ("Zwischensumme", "Nettobetrag", "Summe netto", "Warenwert"),
        "tax": ("MwSt.", "USt.", "Umsatzsteuer"),
        "gross": ("Gesamtbetrag", "Rechnungsbetrag", "Summe brutto", "Zu zahlen", "Endbetrag"),
        "pay_by": ("Bitte überweisen Sie bis zum {}.", "Zahlbar bis {} ohne Abzug."),
        "pay_days": ("Zahlbar innerhalb von {} Tagen.", "Zahlungsziel {} Tage netto."),
        "no_tax": ("Gemäß § 19 UStG wird keine Umsatzsteuer berechnet.",
                   "Kein Ausweis von Umsatzsteuer (Kleinunternehmer)."),
        "hello": ("Sehr geehrte Damen und Herren, wir berechnen Ihnen wie folgt:",
                  "Vielen Dank für Ihren Auftrag. Wir stellen in Rechnung:"),
        "thanks": ("Vielen Dank für Ihren Einkauf.", "Mit freundlichen Grüßen"),
        "bank": ("Bank", "Bankverbindung", "Konto"),
        "page": ("Seite 1 von 1",),
    },
    "fr": {
        "title": ("FACTURE", "Facture", "Note d'honoraires"),
        "invoice_number": ("Facture n°", "Numéro de facture", "N° de facture", "N° de pièce"),
        "issue_date": ("Date de facture", "Date", "Date d'émission", "Émise le"),
        "due_date": ("Échéance", "Date d'échéance", "À régler avant le"),
        "delivery_date": ("Date de livraison", "Livré le", "Date de prestation"),
        "order": ("Commande n°", "Votre commande", "Réf. commande"),
        "customer": ("N° client", "Code client", "Compte client"),
        "buyer": ("Facturé à", "Client", "Destinataire", "Adressée à"),
        "seller": ("Émetteur", "Vendeur", "De"),
        "vat_id": ("N° TVA", "TVA intracom.", "N° de TVA"),
        "description": ("Désignation", "Description", "Prestation", "Article"),
        "quantity": ("Qté", "Quantité", "Nombre"),
        "unit_price": ("Prix unitaire", "P.U. HT", "Prix"),
        "line_total": ("Montant", "Total HT", "Montant HT"),
        "net": ("Total HT", "Montant HT", "Sous-total", "Total hors taxes"),
        "tax": ("TVA", "Montant TVA"),
        "gross": ("Total TTC", "Net à payer", "Montant TTC", "Total à régler"),
        "pay_by": ("À payer avant le {}.", "Règlement au plus tard le {}."),
        "pay_days": ("Paiement à {} jours.", "Règlement sous {} jours."),
        "no_tax": ("TVA non applicable, art. 293 B du CGI.", "Exonéré de TVA."),
        "hello": ("Madame, Monsieur, veuillez trouver le détail de nos prestations :",
                  "Nous vous remercions de votre commande et facturons :"),
        "thanks": ("Merci de votre confiance.", "Avec nos meilleures salutations"),
        "bank": ("Banque", "Coordonnées bancaires", "Virement à"),
        "page": ("Page 1 sur 1",),
    },
    "es": {
        "title": ("FACTURA", "Factura", "Factura de venta"),
        "invoice_number": ("Factura n.º", "Número de factura", "N.º de factura", "Número"),
        "issue_date": ("Fecha de factura", "Fecha", "Fecha de emisión", "Emitida el"),
        "due_date": ("Vencimiento", "Fecha de vencimiento", "Pagar antes del"),
        "delivery_date": ("Fecha de entrega", "Entregado el", "Fecha del servicio"),
        "order": ("Pedido n.º", "Su pedido", "Ref. de pedido"),
        "customer": ("N.º de cliente", "Código de cliente", "Cuenta"),
        "buyer": ("Facturar a", "Cliente", "Destinatario", "Para"),
        "seller": ("Emisor", "Proveedor", "De"),
        "vat_id": ("NIF-IVA", "N.º IVA", "IVA intracom."),
        "description": ("Concepto", "Descripción", "Servicio", "Artículo"),
        "quantity": ("Cant.", "Cantidad", "Unidades"),
        "unit_price": ("Precio unitario", "Precio", "P. unit."),
        "line_total": ("Importe", "Total", "Importe neto"),
        "net": ("Base imponible", "Subtotal", "Total neto", "Suma"),
        "tax": ("IVA", "Cuota IVA"),
        "gross": ("Total factura", "Total a pagar", "Importe total", "TOTAL"),
        "pay_by": ("Pagar antes del {}.", "El pago vence el {}."),
        "pay_days": ("Pago a {} días.", "Pago en un plazo de {} días."),
        "no_tax": ("Operación exenta de IVA.", "Exento según el art. 20 de la Ley del IVA."),
        "hello": ("Estimado cliente: le facturamos los siguientes servicios:",
                  "Gracias por su pedido. Le facturamos lo siguiente:"),
        "thanks": ("Gracias por su confianza.", "Reciba un cordial saludo"),
        "bank": ("Banco", "Datos bancarios", "Transferencia a"),
        "page": ("Página 1 de 1",),
    },
}  # fmt: skip

GOODS: dict[str, tuple[str, ...]] = {
    "en": ("Website maintenance", "Office chair Model 4", "Copy paper A4, 500 sheets",
           "Consulting, half day", "Translation of user manual", "Oak shelf 80 cm",
           "Carpet cleaning", "Replacement filter F7", "Annual support plan", "LED lamp 9 W",
           "Garden maintenance", "Coffee beans 1 kg", "Delivery and assembly", "Logo design",
           "Brake pads, front", "Network cable 10 m", "Photo shoot", "Hotel room, per night",
           "Cordless drill", "Accounting services", "Toner cartridge black", "Steel screws M6"),
    "de": ("Wartung Heizungsanlage", "Bürostuhl Modell 4", "Kopierpapier A4, 500 Blatt",
           "Beratung, halber Tag", "Übersetzung Handbuch", "Regal Eiche 80 cm",
           "Teppichreinigung", "Ersatzfilter F7", "Jahreslizenz Software", "LED-Lampe 9 W",
           "Gartenpflege", "Kaffeebohnen 1 kg", "Lieferung und Montage", "Gestaltung Logo",
           "Bremsbeläge vorn", "Netzwerkkabel 10 m", "Fotoarbeiten", "Übernachtung",
           "Akkuschrauber", "Lohnbuchhaltung", "Tonerkartusche schwarz", "Stahlschrauben M6"),
    "fr": ("Maintenance du site web", "Chaise de bureau modèle 4", "Papier A4, 500 feuilles",
           "Conseil, demi-journée", "Traduction du manuel", "Étagère chêne 80 cm",
           "Nettoyage de tapis", "Filtre de rechange F7", "Licence annuelle", "Lampe LED 9 W",
           "Entretien du jardin", "Café en grains 1 kg", "Livraison et montage",
           "Création de logo", "Plaquettes de frein", "Câble réseau 10 m", "Séance photo",
           "Nuit d'hôtel", "Perceuse sans fil", "Tenue comptable", "Cartouche noire",
           "Vis acier M6"),
    "es": ("Mantenimiento web", "Silla de oficina modelo 4", "Papel A4, 500 hojas",
           "Asesoría, media jornada", "Traducción del manual", "Estante de roble 80 cm",
           "Limpieza de alfombras", "Filtro de recambio F7", "Licencia anual",
           "Lámpara LED 9 W", "Cuidado del jardín", "Café en grano 1 kg", "Entrega y montaje",
           "Diseño de logotipo", "Pastillas de freno", "Cable de red 10 m", "Sesión de fotos",
           "Noche de hotel", "Taladro sin cable", "Servicios contables", "Cartucho negro",
           "Tornillos de acero M6"),
}  # fmt: skip

# How sellers number their invoices; `9` a digit, `YY` and `YYYY` the year of issue.
NUMBERS = ("RE-YYYY-999", "INV-99999", "YYYY/9999", "FYY-9999", "9999999", "A9999", "YY-99999",
           "R999-YY", "99/YYYY", "B 99999")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Party:
    """A seller or a buyer."""

    name: str
    street: str
    city: str
    vat_id: str | None
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class Item:
    """A billed position."""

    description: str
    quantity: Decimal
    unit_price: Decimal

    @property
    def total(self) -> Decimal:
        """Quantity times price, in cents."""
        return (self.quantity * self.unit_price).quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Seller:
    """A seller with its habits, which all its invoices share."""

    country: Country
    party: Party
    words: dict[str, str]
    mark: str
    date_pattern: str
    number_pattern: str
    rate: str | None
    iban: str | None
    bic: str
    bank: str
    iban_grouped: bool
    vat_spaced: bool
    marks_in_rows: bool
    font: str
    colour: str
    habits: int = 0


@dataclass(frozen=True, slots=True)
class Bill:
    """One invoice, with everything that its page shows."""

    seller: Seller
    buyer: Party
    number: str
    issued: date
    due: date | None
    days: int
    delivered: date | None
    order: str | None
    customer: str | None
    items: tuple[Item, ...]
    shows_quantities: bool = True

    @property
    def language(self) -> str:
        """ISO 639-1."""
        return self.seller.country.language

    @property
    def net(self) -> Decimal:
        """Sum of the lines."""
        return sum((item.total for item in self.items), Decimal(0))

    @property
    def tax(self) -> Decimal:
        """Tax on the sum, 0 without one."""
        rate = Decimal((self.seller.rate or "0").replace(",", "."))
        return (self.net * rate / 100).quantize(CENT, ROUND_HALF_UP)

    def word(self, key: str) -> str:
        """Return the seller's wording of a label."""
        return self.seller.words[key]

    def amount(self, value: Decimal, *, marked: bool = True) -> str:
        """Print an amount, with the currency if `marked`."""
        whole, cents = f"{value:,.2f}".split(".")
        country = self.seller.country
        printed = whole.replace(",", country.group) + country.point + cents
        return self.seller.mark.replace("#", printed) if marked else printed

    def count(self, value: Decimal) -> str:
        """Print a quantity."""
        return format(value.normalize(), "f").replace(".", self.seller.country.point)

    def day(self, value: date) -> str:
        """Print a date."""
        return format_date(value, self.seller.date_pattern, locale=self.seller.country.locale)

    def row(self, item: Item) -> dict[str, str]:
        """Print the cells of an item, by label key."""
        marked = self.seller.marks_in_rows
        return {
            "description": item.description,
            "quantity": self.count(item.quantity),
            "unit_price": self.amount(item.unit_price, marked=marked),
            "line_total": self.amount(item.total, marked=marked),
        }

    def facts(self) -> list[tuple[str, str]]:
        """Return label and print of number, dates and references, in the seller's order."""
        known = [
            ("invoice_number", self.number),
            ("issue_date", self.day(self.issued)),
            ("customer", self.customer),
            ("order", self.order),
            ("delivery_date", self.delivered and self.day(self.delivered)),
            ("due_date", self.due and self.day(self.due)),
        ]
        turn = self.seller.habits % 3
        ordered = (known, known[2:4] + known[:2] + known[4:], [known[1], known[0], *known[2:]])
        return [(self.word(key), str(value)) for key, value in ordered[turn] if value]

    def totals(self) -> list[tuple[str, str]]:
        """Return label and print of net, tax and gross; of the one total where no tax is shown."""
        gross = (self.word("gross"), self.amount(self.net + self.tax))
        if self.seller.rate is None:
            return [gross]
        rate = f"{self.seller.rate} %" if self.language != "en" else f"{self.seller.rate}%"
        return [
            (self.word("net"), self.amount(self.net)),
            (f"{self.word('tax')} {rate}", self.amount(self.tax)),
            gross,
        ]

    def bank(self) -> list[str]:
        """Return the lines that say where to pay, none if the seller shows no account."""
        iban = self.seller.iban
        if iban is None:
            return []
        grouped = " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))
        shown = grouped if self.seller.iban_grouped else iban
        return [f"{self.word('bank')}: {self.seller.bank}", f"IBAN: {shown}",
                f"BIC: {self.seller.bic}"]  # fmt: skip

    def vat_line(self) -> str | None:
        """Return the line with the seller's VAT id, if it has one."""
        return self._vat(self.seller.party.vat_id, spaced=self.seller.vat_spaced)

    def buyer_lines(self) -> list[str]:
        """Return name, address and VAT id of the buyer."""
        vat = self._vat(self.buyer.vat_id, spaced=False)
        return [self.buyer.name, self.buyer.street, self.buyer.city, *([vat] if vat else [])]

    def terms(self) -> list[str]:
        """Return the sentences on payment and tax."""
        key, value = ("pay_by", self.day(self.due)) if self.due else ("pay_days", str(self.days))
        exempt = self.seller.rate is None and self.seller.habits % 2 == 0
        return [self.word(key).format(value), *([self.word("no_tax")] if exempt else [])]

    def fields(self) -> dict[str, Any]:
        """Return the label: canonical values, null for what the page does not show."""
        seller = self.seller
        taxed = seller.rate is not None
        return {
            "invoice_number": self.number,
            "issue_date": self.issued.isoformat(),
            "due_date": self.due and self.due.isoformat(),
            "seller_name": seller.party.name,
            "seller_vat_id": seller.party.vat_id,
            "buyer_name": self.buyer.name,
            "currency": seller.country.currency,
            "net_total": str(self.net) if taxed else None,
            "tax_total": str(self.tax) if taxed else None,
            "gross_total": str(self.net + self.tax),
            "iban": seller.iban,
            "line_items": [self._item_fields(item) for item in self.items],
        }

    def _item_fields(self, item: Item) -> dict[str, str | None]:
        counted = self.shows_quantities
        return {
            "description": item.description,
            "quantity": format(item.quantity.normalize(), "f") if counted else None,
            "unit_price": str(item.unit_price) if counted else None,
            "line_total": str(item.total),
        }

    def _vat(self, vat_id: str | None, *, spaced: bool) -> str | None:
        if vat_id is None:
            return None
        shown = f"{vat_id[:2]} {vat_id[2:5]} {vat_id[5:8]} {vat_id[8:]}" if spaced else vat_id
        return f"{self.word('vat_id')}: {shown.strip()}"


@cache
def _faker(locale: str) -> Faker:
    return Faker(locale)


def invent_seller(country: Country, rng: Random) -> Seller:
    """Invent a seller and its habits."""
    taxed = rng.random() < 0.86
    iban = _iban(country, rng) if country.iban and rng.random() < 0.78 else None
    with_vat = taxed and rng.random() < 0.9
    return Seller(
        country=country,
        party=_party(country, rng, company=rng.random() < 0.9, with_vat=with_vat),
        words=_words(country, rng),
        mark=rng.choice(country.marks),
        date_pattern=rng.choice(country.dates),
        number_pattern=rng.choice(NUMBERS),
        rate=rng.choice(country.rates) if taxed else None,
        iban=iban,
        bic="".join(rng.choices("ABCDEFGHKLMNPRSTUVWXYZ", k=4)) + country.code + "2X",
        bank=rng.choice(("Nordbank", "Unibanco", "Credit Union", "Volksbank", "Banque du Lac")),
        iban_grouped=rng.random() < 0.7,
        vat_spaced=country.code in ("FR", "GB", "DE") and rng.random() < 0.25,
        marks_in_rows=rng.random() < 0.35,
        font=rng.choice(("Helvetica", "Helvetica", "Times")),
        colour=rng.choice(("#1f3a5f", "#7a1f1f", "#215732", "#333333", "#6b3fa0", "#b35c00")),
        habits=rng.randrange(6),
    )


def invent_bill(seller: Seller, rng: Random, *, shows_quantities: bool = True) -> Bill:
    """Invent an invoice of a seller."""
    country = seller.country
    issued = date(2024, 1, 2) + timedelta(days=rng.randrange(900))
    days = rng.choice((7, 14, 14, 21, 30, 30))
    goods = rng.sample(GOODS[country.language], rng.choice((1, 2, 2, 3, 3, 4)))
    return Bill(
        seller=seller,
        buyer=_party(country, rng, company=rng.random() < 0.65, with_vat=rng.random() < 0.3),
        number=_number(seller.number_pattern, issued, rng),
        issued=issued,
        due=issued + timedelta(days=days) if rng.random() < 0.68 else None,
        days=days,
        delivered=issued - timedelta(days=rng.randrange(2, 12)) if rng.random() < 0.4 else None,
        order=f"{rng.choice(('PO', 'B', 'W'))}{rng.randrange(1000, 99999)}"
        if rng.random() < 0.5
        else None,
        customer=str(rng.randrange(10_000, 99_999)) if rng.random() < 0.5 else None,
        items=tuple(_item(name, rng) for name in goods),
        shows_quantities=shows_quantities,
    )


def _words(country: Country, rng: Random) -> dict[str, str]:
    words = {key: rng.choice(options) for key, options in WORDS[country.language].items()}
    if country.code == "US":
        words |= {"title": "INVOICE", "tax": "Sales tax", "net": "Subtotal"}
    if country.code == "AT":
        words["vat_id"] = "UID-Nr."
    return words


def _item(name: str, rng: Random) -> Item:
    quantity = Decimal(rng.choice(("1", "1", "2", "3", "4", "5", "10", "12", "25", "1.5", "7.5")))
    cents = rng.choice((0, 0, 50, 90, 95, rng.randrange(100)))
    price = Decimal(rng.choice((rng.randrange(3, 60), rng.randrange(40, 900)))) + cents * CENT
    return Item(name, quantity, price.quantize(CENT))


def _party(country: Country, rng: Random, *, company: bool, with_vat: bool) -> Party:
    fake = _faker(country.locale)
    fake.seed_instance(rng.randrange(2**32))
    name = fake.company() if company else fake.name()
    while " " not in name.strip():
        name = fake.company()
    place = f"{fake.postcode()} {fake.city()}"
    if country.code == "US":
        place = f"{fake.city()}, {fake.state_abbr()} {fake.postcode()}"
    if country.code in ("GB", "IE"):
        place = f"{fake.city()} {fake.postcode()}"
    return Party(
        name=" ".join(name.split()),
        street=" ".join(fake.street_address().split()),
        city=" ".join(place.split()),
        vat_id=_vat_id(country, rng) if with_vat else None,
        phone=f"+{rng.randrange(30, 60)} {rng.randrange(100, 999)} {rng.randrange(10**5, 10**6)}",
        email=fake.ascii_company_email(),
    )


def _fill(shape: str, rng: Random) -> str:
    letters = "ABCDEFGHJKLMNPRSTUVWXYZ"
    return "".join(
        rng.choice("0123456789") if mark == "9" else rng.choice(letters) if mark == "?" else mark
        for mark in shape
    )


def _vat_id(country: Country, rng: Random) -> str | None:
    """Return a VAT id with right check digits, by trial."""
    if not country.vat:
        return None
    shape = country.vat[:2] + country.vat[2:].replace("9A", "9?")
    valid = gb_vat.is_valid if country.code == "GB" else eu_vat.is_valid
    while True:
        found = _fill(shape, rng)
        if valid(found):
            return found


def _iban(country: Country, rng: Random) -> str:
    """Return an IBAN with right check digits (ISO 7064, modulo 97)."""
    account = _fill(country.iban.replace("A", "?"), rng)
    digits = "".join(str(int(mark, 36)) for mark in account + country.code + "00")
    return f"{country.code}{98 - int(digits) % 97:02d}{account}"


def _number(pattern: str, issued: date, rng: Random) -> str:
    shape = pattern.replace("YYYY", "=").replace("YY", "~")
    filled = "".join(rng.choice("123456789") if mark == "9" else mark for mark in shape)
    return filled.replace("=", str(issued.year)).replace("~", f"{issued.year % 100:02d}")
