"""Fields that business documents mostly do not show, so that asking for them teaches null.

A model that has only been asked for what invoices print fills whatever it is asked for. Each entry
is asked for in two ways: of documents that print it, under one of its labels, and, more often, of
documents that do not. So neither a strange name nor a known one tells whether there is a value:
only the page does.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from training.synthetic import countries

if TYPE_CHECKING:
    from training.synthetic.layouts import Sheet


@dataclass(frozen=True, slots=True)
class Other:
    """A field, and how documents call it.

    :param kind: the field type that reads it.
    :param note: for the prompt.
    :param labels: how documents print it, English and German in turn; none stands in a document
        that is asked for it in vain.
    """

    name: str
    kind: str
    note: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """A labelled place of a document that is none of its concepts.

    :param value: as printed; None where the place is empty.
    """

    kind: str
    value: str | None
    note: str = ""


_TABLE = """
project_number|identifier|number of the project|Project No.|Projekt-Nr.|Project ID|Projektnummer
project_name|text|title of the project|Project name|Projekt|Project|Bauvorhaben
cost_center|identifier|cost centre to book on|Cost Center|Kostenstelle|Cost centre|KSt.
policy_number|identifier|of the insurance policy|Policy Number|Versicherungsnummer|Policy ID
claim_number|identifier|of the claim that was reported|Claim No.|Schadennummer|Claim ID
claim_date|date|when the damage happened|Date of loss|Schadentag|Loss date|Schadendatum
vehicle_id|identifier|chassis number of the vehicle|VIN|Fahrgestell-Nr.|Chassis No.|FIN
mileage|quantity|reading of the odometer|Mileage|Kilometerstand|Odometer|km-Stand
first_registration|date|of the vehicle|First registered|Erstzulassung|First registration
meter_number|identifier|of the meter that was read|Meter No.|Zählernummer|Meter ID|Zähler-Nr.
meter_reading|quantity|what the meter shows|Meter reading|Zählerstand|Reading
tariff|text|tariff or plan|Tariff|Tarif|Rate plan|Tarifbezeichnung
warranty_until|date|end of the guarantee|Warranty until|Garantie bis|Guarantee ends
inspection_date|date|when it was inspected|Inspection date|Prüfdatum|Inspected on|Geprüft am
next_inspection|date|when it is due for inspection again|Next inspection|Nächste Prüfung
valid_from|date|first day of validity|Valid from|Gültig ab|Effective from
arrival_date|date|when the guest arrives|Arrival|Anreise|Check-in|Ankunft
departure_date|date|when the guest leaves|Departure|Abreise|Check-out
room_number|identifier|of the hotel room|Room|Zimmer|Room No.|Zimmernummer
guest_name|text|who stayed|Guest|Gast|Guest name|Name des Gastes
booking_reference|identifier|reference of the booking|Booking ref.|Buchungsnummer|Reservation
start_of_employment|date|first day of work|Employed since|Eintrittsdatum|Start of employment
employee_number|identifier|of the employee|Employee No.|Personalnummer|Staff ID|Pers.-Nr.
job_title|text|position of the employee|Job title|Tätigkeit|Position held|Funktion
gross_salary|money|monthly pay before deductions|Gross salary|Bruttogehalt|Gross pay
student_name|text|who attends the course|Student|Teilnehmer|Student name|Schüler
landlord_name|text|who lets the flat|Landlord|Vermieter|Lessor|Name des Vermieters
tenant_name|text|who rents the flat|Tenant|Mieter|Lessee|Name des Mieters
monthly_rent|money|rent for one month|Monthly rent|Monatsmiete|Rent per month|Kaltmiete
security_deposit|money|kept as security for the flat|Security deposit|Kaution|Mietkaution
loan_amount|money|sum that is lent|Loan amount|Darlehensbetrag|Principal|Kreditbetrag
interest_rate|percent|yearly interest|Interest rate|Zinssatz|Interest p.a.|Sollzins
file_reference|identifier|reference of the case file|File ref.|Aktenzeichen|Our file|Az.
notary_name|text|who certified it|Notary|Notar|Notary public|Notariat
serial_number|identifier|of the device|S/N|Seriennummer|Device No.|Geräte-Nr.
batch_number|identifier|batch or lot|Batch No.|Charge|Lot|Chargennummer|Batch
container_number|identifier|of the freight container|Container No.|Container|Container-Nr.
tracking_number|identifier|to follow the parcel|Tracking No.|Sendungsnummer|Tracking
port_of_loading|text|where the cargo was loaded|Port of loading|Ladehafen|Loaded at
country_of_origin|text|where the goods were made|Country of origin|Ursprungsland|Made in
customs_tariff_number|identifier|for the customs|HS code|Zolltarifnummer|Commodity code
gross_weight|quantity|of the consignment|Gross weight|Bruttogewicht|Weight|Gewicht|Poids|Peso
package_count|quantity|number of parcels|Packages|Anzahl Packstücke|Parcels|Kolli|Colis|Bultos|Colli
incoterms|text|who bears which cost of transport|Incoterms|Lieferbedingung|Delivery terms
driver_name|text|who drove|Driver|Fahrer|Driver name|Name des Fahrers
technician_name|text|who did the work|Technician|Techniker|Engineer|Monteur
approved_by|text|who released it|Approved by|Freigegeben von|Released by|Genehmigt durch
member_number|identifier|of the member|Member No.|Mitgliedsnummer|Membership ID
donation_amount|money|sum that was donated|Donation|Spendenbetrag|Amount donated|Spende
commission|money|paid to the agent|Commission|Provision|Agent's fee|Vermittlungsgebühr
doctor_name|text|who treats|Physician|Behandelnder Arzt|Doctor|Arzt
diagnosis_code|identifier|code of the diagnosis|Diagnosis|Diagnose|ICD|ICD-10
case_number|identifier|of the treatment|Case No.|Fallnummer|Case ID|Fall-Nr.
parcel_number|identifier|of the piece of land|Land parcel|Flurstück|Plot No.|Flst.
appraisal_value|money|what it was valued at|Appraised value|Schätzwert|Valuation|Verkehrswert
event_name|text|what took place|Event|Veranstaltung|Name of event|Seminar
event_date|date|when it took place|Event date|Veranstaltungsdatum|Date of event
seat_number|identifier|seat in the hall or train|Seat|Sitzplatz|Seat No.|Platz
ticket_number|identifier|of the ticket|Ticket No.|Ticketnummer|Ticket|Ticket-Nr.
sample_number|identifier|of the specimen|Sample No.|Probennummer|Specimen|Proben-Nr.
laboratory|text|who analysed the sample|Laboratory|Labor|Lab|Untersucht von
terminal_id|identifier|of the card terminal|Terminal ID|Terminal-ID|Terminal|TID
authorisation_code|identifier|of the card payment|Auth. code|Genehmigungs-Nr.|Approval code
table_number|identifier|table of the guests|Table|Tisch|Table No.|Tisch-Nr.
grant_number|identifier|of the grant that pays|Grant No.|Förderkennzeichen|Award ID
termination_date|date|when it ends|Termination date|Vertragsende|Ends on|Kündigung zum
hearing_date|date|of the hearing|Hearing on|Verhandlungstermin|Date of hearing|Termin
policy_holder|text|who took out the insurance|Policyholder|Versicherungsnehmer|Insured
excess|money|what the insured pays|Excess|Selbstbehalt|Deductible|Selbstbeteiligung
consignee_code|identifier|code of the receiver|Consignee code|Empfängercode|Receiver ID
quality_grade|text|grade of the goods|Grade|Güteklasse|Quality|Qualität
"""


def _rows(table: str) -> tuple[Other, ...]:
    found = []
    for line in table.strip().split("\n"):
        name, kind, note, *labels = line.split("|")
        found.append(Other(name, kind, note, tuple(labels)))
    return tuple(found)


OTHERS = _rows(_TABLE)


def absent(text: str, but: Iterable[str] = ()) -> list[Other]:
    """Return the fields of which a text prints no label.

    :param but: names that are asked for already.
    """
    plain, known = f" {' '.join(text.casefold().split())} ", set(but)
    return [
        other
        for other in OTHERS
        if other.name not in known
        and not any(_stands(label.casefold(), plain) for label in other.labels)
    ]


def _stands(label: str, plain: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(label.rstrip('.'))}(?!\w)", plain) is not None


def field_name(label: str) -> str:
    """Return a label as the name that a user's class may give it; empty where none can be made.

    >>> field_name("Prüf-Ziffer")
    'pruef_ziffer'
    """
    for mark, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("ł", "l")):
        label = label.lower().replace(mark, plain)
    ascii_only = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
    name = "_".join(re.findall("[a-z0-9]+", ascii_only))
    return name if len(name) > 2 and not name[0].isdigit() else ""


def print_some(sheet: Sheet, count: int) -> list[tuple[str, str]]:
    """Return labels and values of some fields, and note them as printed."""
    found = []
    for other in sheet.rng.sample(OTHERS, count):
        german = sheet.language == "de"
        label = other.labels[1 if german else 0]
        if len(other.labels) > 2 and sheet.chance(0.4):
            label = other.labels[3 if german and len(other.labels) > 3 else 2]
        value = _value(sheet, other.kind)
        sheet.box(other.name, other.kind, value, other.note)
        found.append((label, value))
    return found


def _value(sheet: Sheet, kind: str) -> str:
    rng = sheet.rng
    if kind == "date":
        return sheet.date(sheet.deal.issue_date + datetime.timedelta(rng.randint(-900, 500)))
    if kind == "money":
        return sheet.number(Decimal(rng.randint(500, 900_000)) / 100)
    if kind == "quantity":
        return str(rng.choice((rng.randint(1, 60), rng.randint(100, 240_000))))
    if kind == "percent":
        return f"{sheet.number(Decimal(rng.randint(10, 1200)) / 100)}"
    if kind == "identifier":
        patterns = ("9999", "999999", "A-99999", "AA 9999", "99/9999", "AAA999999", "9999-99-A")
        return countries.fill(rng, rng.choice(patterns))
    country = sheet.deal.country
    return rng.choice(
        (
            countries.person(rng, sheet.language),
            countries.person(rng, sheet.language),
            countries.place(rng, country),
            countries.company(rng, country),
        )
    )
