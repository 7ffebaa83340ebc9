"""How each country names its firms and people, writes its addresses, numbers and dates, and
numbers its taxpayers and accounts.

Companies and persons are composed from lists, so no real party is copied and no package of fake
names is needed. VAT numbers and IBANs carry valid check digits where the scheme is well known.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Country:
    """What differs from country to country.

    :param numbers: styles of printed amounts, `1,234.50` and the like, more likely ones repeated.
    :param dates: strftime-like patterns with `B` month name and `b` its first three letters.
    :param symbols: how the currency may be printed.
    :param ids: patterns of VAT id or national tax number; `9` a digit, `A` a letter.
    :param iban: length of the national part of an IBAN, or 0 where there is none.
    """

    code: str
    language: str
    name: str
    currency: str
    symbols: tuple[str, ...]
    numbers: tuple[str, ...]
    dates: tuple[str, ...]
    taxes: tuple[str, ...]
    ids: tuple[str, ...]
    id_labels: tuple[str, ...]
    iban: int
    zip: str
    phone: tuple[str, ...]
    forms: tuple[str, ...]
    cities: tuple[str, ...]
    streets: tuple[str, ...]


def _country(code: str, language: str, name: str, *rest: str) -> Country:
    (
        currency,
        symbols,
        numbers,
        dates,
        taxes,
        ids,
        id_labels,
        iban,
        zip_code,
        phone,
        forms,
        cities,
        streets,
    ) = rest
    marks, numerals, calendars, rates, patterns, titles = (
        tuple(text.split("|")) for text in (symbols, numbers, dates, taxes, ids, id_labels)
    )
    return Country(
        code,
        language,
        name,
        currency,
        marks,
        numerals,
        calendars,
        rates,
        patterns,
        titles,
        int(iban),
        zip_code,
        tuple(phone.split("|")),
        tuple(forms.split("|")),
        tuple(cities.split("|")),
        tuple(streets.split("|")),
    )


_EN_D = "d B Y|B d, Y|d b Y|Y-m-d|d/m/Y|b d, Y|d-b-Y|d.m.Y"
_US_D = "m/d/Y|B d, Y|b d, Y|Y-m-d|m/d/y|m-d-Y|b-d-Y|B d Y"
_DE_D = "d.m.Y|d.m.Y|d.m.Y|d. B Y|d.m.y|Y-m-d|d/m/Y"
_FR_D = "d/m/Y|d/m/Y|d B Y|d.m.Y|Y-m-d|d/m/y|d-m-Y"

COUNTRIES: tuple[Country, ...] = (
    _country(
        "US",
        "en",
        "United States|USA",
        "USD",
        "$|$|$|USD|US$",
        "1,234.50|1,234.50|1234.50",
        _US_D,
        "0|8.25|6|7|9.5|10|8|7.5",
        "99-9999999",
        "Tax ID|EIN|Federal Tax ID|FEIN|Tax Reg. No.",
        "0",
        "99999",
        "(999) 555-9999|999-555-9999|+1 999 555 9999|999.555.9999",
        "Inc.|LLC|Corp.|, Inc.|Co.|Company|Corporation|, LLC|L.P.|Group",
        "Austin, TX|Portland, OR|Denver, CO|Springfield, IL|New York, NY|Seattle, WA|Boise, ID|"
        "Tampa, FL|San Jose, CA|Madison, WI|Redmond, WA",
        "Main St|Oak Avenue|Maple Drive|Industrial Pkwy|5th Avenue|Market Street|Lakeview Rd|"
        "Elm St.|Broadway|Sunset Blvd",
    ),
    _country(
        "GB",
        "en",
        "United Kingdom|UK|England",
        "GBP",
        "£|£|£|GBP",
        "1,234.50|1,234.50|1234.50",
        _EN_D,
        "20|20|0|5",
        "GB999999999|GB 999 9999 99|999 9999 99",
        "VAT No.|VAT Reg. No.|VAT Registration Number|VAT Number|VAT|VAT Reg No",
        "18",
        "AA9 9AA",
        "020 7946 0999|01632 960999|+44 20 7946 0999|0117 496 0999",
        "Ltd|Limited|PLC|Ltd.|LLP|& Sons Ltd|(UK) Ltd|Holdings plc",
        "London|Bristol|Leeds|Manchester|York|Cardiff|Edinburgh|Bath|Reading|Norwich",
        "High Street|Station Road|Church Lane|Mill Road|Victoria Street|King Street|Park Row|"
        "The Green|Queensway",
    ),
    _country(
        "IN",
        "en",
        "India",
        "INR",
        "₹|Rs.|INR|Rs",
        "1,23,456.50|1,234.50|1234.50",
        "d/m/Y|d-m-Y|d-b-Y|d B Y|d.m.Y",
        "18|18|12|5|28",
        "99AAAAA9999A9Z9",
        "GSTIN|GSTIN/UIN|GST No.|GST Reg. No.",
        "0",
        "999999",
        "+91 98999 99999|080 2999 9999|+91-99-29999999",
        "Pvt. Ltd.|Private Limited|Enterprises|& Co.|Traders|Industries Ltd.|Solutions Pvt Ltd",
        "Bengaluru, Karnataka|Mumbai, Maharashtra|Pune|Chennai|New Delhi|Hyderabad|"
        "Ahmedabad, Gujarat",
        "M.G. Road|Nehru Nagar|Link Road|Brigade Road|Sector 18|Industrial Area|Station Road",
    ),
    _country(
        "AU",
        "en",
        "Australia",
        "AUD",
        "$|$|AUD|A$",
        "1,234.50|1234.50",
        _EN_D,
        "10|10|10|0",
        "99 999 999 999|99999999999",
        "ABN|A.B.N.|ABN No.",
        "0",
        "9999",
        "(02) 9999 9999|0499 999 999|+61 3 9999 9999",
        "Pty Ltd|Pty. Ltd.|Pty Limited|Trust|& Co Pty Ltd",
        "Sydney NSW|Perth WA|Brisbane QLD|Hobart TAS|Geelong VIC",
        "George Street|Beach Road|Collins St|Harbour Esplanade|Wattle Grove",
    ),
    _country(
        "CA",
        "en",
        "Canada",
        "CAD",
        "$|CAD|C$|CA$",
        "1,234.50|1234.50",
        "Y-m-d|B d, Y|m/d/Y|d/m/Y|b d, Y",
        "13|5|15|12",
        "999999999 RT0001|999999999RT0001",
        "GST/HST No.|GST No.|HST #|Business No.",
        "0",
        "A9A 9A9",
        "(416) 555-9999|604-555-9999",
        "Inc.|Ltd.|Corp.|Limited|Enterprises Ltd.",
        "Toronto, ON|Vancouver, BC|Halifax, NS|Calgary, AB|Ottawa, ON",
        "Queen Street W|Granville St|Yonge Street|Elgin St.|Dundas Avenue",
    ),
    _country(
        "IE",
        "en",
        "Ireland",
        "EUR",
        "€|€|EUR",
        "1,234.50|1234.50",
        _EN_D,
        "23|23|13.5|0",
        "IE9999999A|IE 9999999AA",
        "VAT No.|VAT Reg. No.|VAT Number",
        "18",
        "A99 AA99",
        "01 999 9999|+353 1 999 9999",
        "Ltd|Limited|DAC|Teo",
        "Dublin 2|Cork|Galway|Limerick",
        "Grafton Street|Patrick Street|Quay Road|Abbey Street",
    ),
    _country(
        "DE",
        "de",
        "Deutschland|Germany",
        "EUR",
        "€|€|€|EUR|Euro",
        "1.234,50|1.234,50|1.234,50|1234,50|1 234,50",
        _DE_D,
        "19|19|19|7|0",
        "DE999999999|DE 999 999 999|DE999999999|999/999/99999|99/999/99999",
        "USt-IdNr.|USt-ID|USt.-Id.-Nr.|Umsatzsteuer-ID|Ust-IdNr",
        "18",
        "99999",
        "030 9999999|+49 89 999999-0|0711/999999|(040) 99 99 99|0171 9999999|+49 (0)221 99999",
        "GmbH|GmbH|GmbH & Co. KG|AG|e.K.|UG (haftungsbeschränkt)|OHG|KG|e.V.|GbR|mbH|SE|gGmbH|eG",
        "Berlin|München|Hamburg|Köln|Stuttgart|Leipzig|Bremen|Nürnberg|Kassel|Ulm|Bad Homburg|"
        "Weimar",
        "Hauptstraße|Bahnhofstr.|Gartenweg|Industriestr.|Am Markt|Schillerstraße|Lindenallee|"
        "Mühlweg|Kirchplatz|Ringstr.|Goethestraße",
    ),
    _country(
        "AT",
        "de",
        "Österreich|Austria",
        "EUR",
        "€|EUR",
        "1.234,50|1.234,50|1 234,50",
        _DE_D,
        "20|20|10|0",
        "ATU99999999|ATU 99999999",
        "UID|UID-Nr.|UID-Nummer|ATU-Nr.",
        "16",
        "9999",
        "+43 1 9999999|0662 999999|0316/99 99 99",
        "GmbH|Ges.m.b.H.|e.U.|KG|AG|OG",
        "Wien|Graz|Linz|Salzburg|Innsbruck",
        "Mariahilfer Straße|Hauptplatz|Wienerstraße|Dorfstraße|Kaiserallee",
    ),
    _country(
        "CH",
        "de",
        "Schweiz|Switzerland",
        "CHF",
        "CHF|CHF|Fr.|SFr.",
        "1'234.50|1'234.50|1’234.50|1234.50|1 234.50",
        _DE_D,
        "8.1|8.1|7.7|2.6|0",
        "CHE-999.999.999|CHE-999.999.999 MWST|CHE 999 999 999",
        "MWST-Nr.|UID|MWST Nr.|UID-Nr.|UID-MWST-Nr.",
        "17",
        "9999",
        "+41 44 999 99 99|044 999 99 99|031 999 99 99",
        "AG|GmbH|Sàrl|SA|& Partner AG|Genossenschaft",
        "Zürich|Bern|Basel|Luzern|Winterthur|St. Gallen",
        "Bahnhofstrasse|Seestrasse|Dorfstrasse|Kirchgasse|Langstrasse",
    ),
    _country(
        "FR",
        "fr",
        "France",
        "EUR",
        "€|€|EUR|euros",
        "1 234,50|1 234,50|1234,50|1.234,50|1 234.50",
        _FR_D,
        "20|20|20|10|5.5|0",
        "FR99999999999|FR 99 999999999|FR 99 999 999 999|FR99 999 999 999",
        "N° TVA|TVA intracommunautaire|N° TVA intracom.|TVA|Identifiant TVA",
        "23",
        "99999",
        "01 99 99 99 99|+33 1 99 99 99 99|04.99.99.99.99|0699999999",
        "SARL|SAS|SA|EURL|SASU|SCI|S.A.R.L.|& Fils|et Associés|SCOP",
        "Paris|Lyon|Nantes|Lille|Rennes|Dijon|Bordeaux|Annecy|Toulouse",
        "rue de la Paix|avenue Foch|place du Marché|rue des Lilas|boulevard Voltaire|"
        "chemin du Moulin|impasse des Roses|rue Victor Hugo",
    ),
    _country(
        "BE",
        "fr",
        "Belgique|Belgium",
        "EUR",
        "€|EUR",
        "1.234,50|1 234,50|1234,50",
        _FR_D,
        "21|21|6|12",
        "BE0999999999|BE 0999.999.999|BE0999.999.999",
        "TVA|N° TVA|N° d'entreprise|TVA BE",
        "12",
        "9999",
        "+32 2 999 99 99|04 999 99 99",
        "SPRL|SRL|SA|ASBL|S.P.R.L.|SComm",
        "Bruxelles|Liège|Namur|Mons|Charleroi",
        "rue Neuve|avenue Louise|chaussée de Mons|place Royale|rue du Pont",
    ),
    _country(
        "LU",
        "fr",
        "Luxembourg",
        "EUR",
        "€|EUR",
        "1.234,50|1 234,50",
        _FR_D,
        "17|17|14|8",
        "LU99999999|LU 999 999 99",
        "N° TVA|TVA|Matricule TVA",
        "16",
        "L-9999",
        "+352 99 99 99|99 99 99-1",
        "S.à r.l.|S.A.|SARL-S|SCA",
        "Luxembourg|Esch-sur-Alzette|Diekirch",
        "route d'Esch|avenue de la Liberté|rue du Fossé",
    ),
    _country(
        "BR",
        "pt",
        "Brasil",
        "BRL",
        "R$|R$|R$|BRL",
        "1.234,50|1.234,50|1234,50",
        "d/m/Y|d/m/Y|d/m/y|d-m-Y|d de B de Y|Y-m-d",
        "5|2|18|12|0",
        "99.999.999/0001-99|99.999.999/0001-99|99999999000199",
        "CNPJ|CNPJ|CNPJ/CPF|C.N.P.J.",
        "0",
        "99999-999",
        "(11) 9999-9999|(21) 99999-9999|+55 31 9999-9999",
        "Ltda|LTDA|Ltda.|S.A.|ME|EIRELI|S/A|Comércio Ltda - ME",
        "São Paulo - SP|Rio de Janeiro - RJ|Curitiba - PR|Recife - PE|Belo Horizonte - MG|"
        "Porto Alegre - RS|Campinas/SP",
        "Rua das Flores|Avenida Paulista|Rua do Comércio|Av. Brasil|Travessa da Paz|"
        "Rua Sete de Setembro|Alameda Santos",
    ),
    _country(
        "PT",
        "pt",
        "Portugal",
        "EUR",
        "€|€|EUR",
        "1.234,50|1 234,50|1234,50",
        "d/m/Y|d-m-Y|Y-m-d|d de B de Y|d.m.Y",
        "23|23|13|6",
        "999999999|PT999999999|PT 999 999 999",
        "NIF|Contribuinte n.º|NIPC|N.º contribuinte",
        "21",
        "9999-999",
        "21 999 99 99|+351 22 999 9999|919 999 999",
        "Lda|Lda.|, Lda.|S.A.|Unipessoal Lda|, S.A.",
        "Lisboa|Porto|Coimbra|Braga|Faro|Évora",
        "Rua Augusta|Av. da Liberdade|Largo do Carmo|Rua do Ouro|Praça da República",
    ),
    _country(
        "ES",
        "es",
        "España|Spain",
        "EUR",
        "€|€|EUR|euros",
        "1.234,50|1.234,50|1234,50|1 234,50",
        "d/m/Y|d-m-Y|d de B de Y|d/m/y|Y-m-d|d.m.Y",
        "21|21|10|4",
        "A99999999|B-99999999|ESB99999999|99999999A",
        "CIF|NIF|NIF/CIF|N.I.F.|C.I.F.",
        "20",
        "99999",
        "91 999 99 99|+34 93 999 9999|699 999 999",
        "S.L.|SL|S.A.|S.L.U.|, S.L.|C.B.|S. Coop.",
        "Madrid|Sevilla|Valencia|Bilbao|Zaragoza|Granada",
        "Calle Mayor|Avda. de la Constitución|Plaza Nueva|C/ Alcalá|Paseo del Prado|Gran Vía",
    ),
    _country(
        "MX",
        "es",
        "México",
        "MXN",
        "$|MXN|MXN|$",
        "1,234.50|1,234.50|1234.50",
        "d/m/Y|Y-m-d|d de B de Y|d/b/Y",
        "16|16|8",
        "AAA999999AA9|AAAA999999AA9",
        "RFC|R.F.C.",
        "0",
        "99999",
        "55 9999 9999|+52 33 9999 9999",
        "S.A. de C.V.|S. de R.L.|SA de CV|S.C.",
        "Ciudad de México|Puebla|Guadalajara|Mérida",
        "Av. Reforma|Calle Juárez|Av. Insurgentes Sur|Calzada del Valle",
    ),
    _country(
        "IT",
        "it",
        "Italia|Italy",
        "EUR",
        "€|€|EUR",
        "1.234,50|1.234,50|1234,50",
        "d/m/Y|d-m-Y|d.m.Y|d B Y|d/m/y|Y-m-d",
        "22|22|10|4",
        "99999999999|IT99999999999|IT 99999999999",
        "P.IVA|Partita IVA|P. IVA|Part. IVA|P.I.",
        "23",
        "99999",
        "02 999999|+39 06 9999999|333 9999999",
        "S.r.l.|Srl|S.p.A.|SpA|S.n.c.|s.a.s.|& Figli|di Rossi & C. snc",
        "Milano (MI)|Roma|Torino (TO)|Bologna|Verona (VR)|Napoli (NA)|Firenze",
        "Via Roma|Corso Garibaldi|Piazza Dante|Viale Europa|Via dei Mille|Via Manzoni",
    ),
    _country(
        "NL",
        "nl",
        "Nederland|Netherlands",
        "EUR",
        "€|€|EUR",
        "1.234,50|1.234,50|1234,50|1 234,50",
        "d-m-Y|d-m-Y|d B Y|d/m/Y|d-m-y|Y-m-d",
        "21|21|9|0",
        "NL999999999B99|NL999999999B01|NL 999.999.999.B01",
        "Btw-nummer|BTW nr.|Btw-id|BTW",
        "14",
        "9999 AA",
        "020-9999999|+31 30 999 9999|06-99999999",
        "B.V.|BV|V.O.F.|N.V.|Groep B.V.|Stichting",
        "Amsterdam|Utrecht|Rotterdam|Zwolle|Groningen|Breda",
        "Kerkstraat|Dorpsweg|Keizersgracht|Stationsplein|Molenlaan|Nieuwe Haven",
    ),
    _country(
        "CZ",
        "cs",
        "Česká republika|Czech Republic",
        "CZK",
        "Kč|Kč|CZK",
        "1 234,50|1 234,50|1.234,50|1234,50",
        "d.m.Y|d. m. Y|d.m.Y|d. B Y|Y-m-d|d/m/Y",
        "21|21|12|15|0",
        "CZ99999999|CZ9999999999",
        "DIČ|DIČ",
        "20",
        "999 99",
        "+420 999 999 999|777 999 999",
        "s.r.o.|a.s.|, s.r.o.|spol. s r.o.|v.o.s.|k.s.",
        "Praha 4|Brno|Ostrava|Plzeň|Olomouc|Liberec",
        "Hlavní|Národní|Masarykova|Nádražní|Lipová|Školní",
    ),
    _country(
        "PL",
        "pl",
        "Polska|Poland",
        "PLN",
        "zł|zł|PLN",
        "1 234,50|1 234,50|1.234,50|1234,50|1234.50",
        "d.m.Y|Y-m-d|d-m-Y|d B Y|d/m/Y",
        "23|23|8|5|0",
        "999-999-99-99|9999999999|PL9999999999",
        "NIP|NIP",
        "24",
        "99-999",
        "+48 99 999 99 99|601 999 999|(22) 999 99 99",
        "Sp. z o.o.|S.A.|sp.j.|Spółka z o.o.|Sp. k.|s.c.",
        "Warszawa|Kraków|Gdańsk|Łódź|Poznań|Wrocław",
        "ul. Długa|ul. Polna|al. Jerozolimskie|ul. Szkolna|ul. Leśna|ul. Ogrodowa",
    ),
    _country(
        "SE",
        "sv",
        "Sverige|Sweden",
        "SEK",
        "kr|SEK|kr",
        "1 234,50|1 234,50|1234,50|1.234,50",
        "Y-m-d|Y-m-d|d B Y|d/m/Y|ymd",
        "25|25|12|6",
        "SE999999999901|SE 999999-9999 01",
        "Momsreg.nr|VAT-nr|Momsreg.nr.|VAT nr",
        "20",
        "999 99",
        "08-999 99 99|+46 31 99 99 99",
        "AB|AB|Handelsbolag|HB|Ekonomisk förening",
        "Stockholm|Göteborg|Malmö|Uppsala|Lund",
        "Storgatan|Kungsgatan|Skolvägen|Hamngatan|Björkvägen",
    ),
    _country(
        "DK",
        "da",
        "Danmark|Denmark",
        "DKK",
        "kr.|DKK|kr",
        "1.234,50|1.234,50|1234,50",
        "d.m.Y|d-m-Y|d. B Y|d/m/Y|Y-m-d",
        "25|25|0",
        "DK99999999|99999999|99 99 99 99",
        "CVR-nr.|CVR|SE-nr.|Momsnr.",
        "14",
        "9999",
        "+45 99 99 99 99|99 99 99 99",
        "ApS|A/S|I/S|IVS|& Søn ApS",
        "København|Aarhus|Odense|Aalborg|Vejle",
        "Hovedgaden|Strandvejen|Nørregade|Skovvej|Algade",
    ),
    _country(
        "SK",
        "sk",
        "Slovensko|Slovakia",
        "EUR",
        "€|EUR|€",
        "1 234,50|1.234,50|1234,50",
        "d.m.Y|d. m. Y|d.m.Y|Y-m-d",
        "20|23|10",
        "SK9999999999",
        "IČ DPH|IČ DPH",
        "20",
        "999 99",
        "+421 2 9999 9999|0905 999 999",
        "s.r.o.|a.s.|, s. r. o.|spol. s r.o.",
        "Bratislava|Košice|Žilina|Nitra|Trnava",
        "Hlavná|Obchodná|Štúrova|Dlhá|Záhradnícka",
    ),
    _country(
        "RO",
        "ro",
        "România|Romania",
        "RON",
        "lei|RON|Lei",
        "1.234,50|1.234,50|1234.50|1234,50",
        "d.m.Y|d/m/Y|d-m-Y|d B Y|Y-m-d",
        "19|19|9|5",
        "RO99999999|RO 9999999|99999999",
        "CIF|C.I.F.|CUI",
        "20",
        "999999",
        "021 999 9999|+40 799 999 999",
        "S.R.L.|SRL|S.A.|P.F.A.|S.C.S.",
        "București|Cluj-Napoca|Iași|Timișoara|Brașov",
        "Str. Mihai Viteazu|Bd. Unirii|Calea Victoriei|Str. Florilor",
    ),
)

_SURNAMES = {
    "en": (
        "Smith|Carter|Hughes|Patel|O'Brien|Walker|Bennett|Murphy|Clarke|Foster|Nguyen|Singh|Ward|"
        "Price|Dalton|Whitaker|Ahmed|Lloyd|Reyes|Kim|Jefferson|Holloway|Stone|Abbott"
    ),
    "de": (
        "Müller|Schmidt|Wagner|Becker|Hofmann|Krüger|Lindner|Vogel|Brandt|Köhler|Fuchs|Yılmaz|"
        "Schäfer|Neumann|von Berg|Zimmermann|Huber|Maier|Lang|Schuster|Reuter|Voß"
    ),
    "fr": (
        "Martin|Dubois|Lefèvre|Moreau|Girard|Roux|Fontaine|Chevalier|Mercier|Benali|Perrin|"
        "Lambert|Le Goff|Renard|Marchand|Gauthier|Barbier|Petit"
    ),
    "pt": (
        "Silva|Santos|Oliveira|Souza|Pereira|Costa|Almeida|Ferreira|Ribeiro|Carvalho|Gomes|Lopes|"
        "Barbosa|da Rocha|Teixeira|Moura"
    ),
    "es": "García|Martínez|López|Sánchez|Pérez|Romero|Navarro|Torres|Ruiz|Castillo|Ortega|Delgado",
    "it": "Rossi|Bianchi|Ferrari|Esposito|Romano|Colombo|Ricci|Marino|Greco|Conti|De Luca",
    "nl": "de Vries|Jansen|van Dijk|Bakker|Visser|Smit|Meijer|Mulder|van den Berg|Bos|Kuipers",
    "cs": "Novák|Svoboda|Dvořák|Černý|Procházka|Kučera|Veselý|Horák|Němec",
    "pl": "Nowak|Kowalski|Wiśniewski|Wójcik|Kamiński|Lewandowski|Zieliński|Szymański",
    "sv": "Andersson|Johansson|Lindqvist|Nilsson|Bergström|Ekman|Sandberg",
    "da": "Jensen|Nielsen|Hansen|Pedersen|Møller|Kjær|Holm",
    "sk": "Horváth|Kováč|Varga|Tóth|Baláž|Molnár|Hudák",
    "ro": "Popescu|Ionescu|Dumitru|Stan|Munteanu|Radu|Matei",
}
_FIRST_NAMES = {
    "en": (
        "James|Emily|Oliver|Sarah|Priya|David|Grace|Liam|Aisha|Robert|Chloe|Mark|Hannah|Wei|"
        "Roosevelt|Joan"
    ),
    "de": "Anna|Thomas|Sabine|Jürgen|Lena|Markus|Ayşe|Stefan|Petra|Jonas|Katrin|Uwe|Tim|Heike",
    "fr": "Camille|Julien|Sophie|Pierre|Léa|Nicolas|Amélie|Karim|Hélène|Luc|Marie-Claire|Yves",
    "pt": "João|Maria|Ana|Pedro|Carla|Rafael|Beatriz|Tiago|Luiza|Renato|Cláudia",
    "es": "Carmen|Javier|Lucía|Antonio|Elena|Pablo|Marta|Diego",
    "it": "Giulia|Marco|Francesca|Luca|Paola|Andrea|Chiara|Matteo",
    "nl": "Sanne|Pieter|Anouk|Bram|Lotte|Jeroen|Femke|Kees",
    "cs": "Jan|Petra|Tomáš|Eva|Martin|Lucie",
    "pl": "Anna|Piotr|Katarzyna|Tomasz|Magdalena|Krzysztof",
    "sv": "Erik|Anna|Lars|Karin|Sven|Elin",
    "da": "Mette|Lars|Søren|Camilla|Anders",
    "sk": "Ján|Zuzana|Peter|Mária|Marek",
    "ro": "Andrei|Ioana|Mihai|Elena|Radu",
}
_TRADES = {
    "en": (
        "Marketing|Software|Logistics|Plumbing|Catering|Consulting|Office Supplies|Electrical|"
        "Design Studio|Farm Supplies|Motors|Timber|Analytics|Bakery|Print|Security Systems|"
        "Landscaping|Dental Supply|Event Services|Trading|Medical|Data Systems|Hardware|Textiles"
    ),
    "de": (
        "Elektrotechnik|Bau|Logistik|Sanitär|Software|Werbeagentur|Großhandel|Maschinenbau|"
        "Gartenbau|Druckerei|Möbel|IT-Service|Dachdeckerei|Lebensmittel|Metallbau|Bürobedarf|"
        "Hausverwaltung|Consulting|Autohaus|Verlag|Energie|Feinkost|Gebäudereinigung|Spedition"
    ),
    "fr": (
        "Menuiserie|Conseil|Transports|Informatique|Imprimerie|Plomberie|Électricité|Boulangerie|"
        "Vins|Bâtiment|Nettoyage|Paysages|Énergie|Mobilier|Communication|Traiteur|Équipements|"
        "Maçonnerie"
    ),
    "pt": (
        "Comércio|Transportes|Tecnologia|Construções|Alimentos|Consultoria|Móveis|Serviços|"
        "Informática|Distribuidora|Engenharia|Papelaria|Confecções|Materiais Elétricos|Turismo"
    ),
    "es": (
        "Construcciones|Transportes|Informática|Muebles|Consultores|Distribuciones|Instalaciones|"
        "Hostelería|Gráficas|Alimentación|Talleres"
    ),
    "it": (
        "Costruzioni|Trasporti|Informatica|Arredamenti|Consulenze|Impianti|Tipografia|Alimentari|"
        "Officina|Tessuti"
    ),
    "nl": (
        "Bouw|Transport|Software|Advies|Techniek|Bloemen|Drukkerij|Installatie|Meubelen|"
        "Groothandel|Schilderwerken"
    ),
    "cs": "Stavby|Doprava|Software|Servis|Elektro|Tiskárna|Obchod|Služby|Reality",
    "pl": "Budowa|Transport|Usługi|Elektro|Handel|Meble|Drukarnia|Serwis",
    "sv": "Bygg|Transport|El|Konsult|Möbler|Data|Städ|Måleri",
    "da": "Byg|Transport|El|Rådgivning|Møbler|Data|Tømrer",
    "sk": "Stavby|Doprava|Servis|Elektro|Obchod|Nábytok",
    "ro": "Construcții|Transport|Servicii|Electro|Comerț|Mobilă",
}
_BRANDS = [
    "Nova",
    "Vertex",
    "Lumen",
    "Orbit",
    "Kestrel",
    "Bluewave",
    "Zenith",
    "Arbor",
    "Pixel",
    "Quanta",
    "Sol",
    "Cirrus",
    "Helio",
    "Tavano",
    "Norda",
    "Alpen",
    "Rivo",
    "Mondo",
    "Acuma",
    "Delta",
    "Ferro",
    "Savia",
    "Komet",
    "Terra",
    "Vantix",
    "Omnia",
    "Polar",
    "Ruby",
    "Sable",
    "Axion",
    "Brio",
    "Caleo",
    "Dunex",
    "Evero",
]
_TAILS = [
    "soft",
    "tech",
    "works",
    "line",
    "com",
    "plan",
    "med",
    "lab",
    "hub",
    "gen",
    "tron",
    "data",
    "fit",
    "pro",
    "ware",
    "tec",
]
_CHARITIES = {
    "en": (
        "Friends of {c} Library|{c} Animal Rescue|The {s} Foundation|University of {c}|"
        "City of {c}|St. {f}'s Primary School|{c} Community Centre"
    ),
    "de": (
        "Förderverein {s}|Stadt {c}|Universität {c}|Kinderhilfe {c} e.V.|Gemeinde {c}|"
        "{s}-Stiftung|Finanzamt {c}|Landkreis {c}"
    ),
    "fr": "Mairie de {c}|Association {s}|Lycée {s}|Communauté de communes de {c}|Fondation {s}",
    "pt": "Prefeitura Municipal de {c}|Associação {s}|Universidade de {c}|Instituto {s}",
    "es": "Ayuntamiento de {c}|Fundación {s}|Colegio {s}",
    "it": "Comune di {c}|Fondazione {s}|Istituto {s}",
    "nl": "Gemeente {c}|Stichting {s}",
    "cs": "Město {c}|Základní škola {c}",
    "pl": "Gmina {c}|Fundacja {s}",
    "sv": "{c} kommun|Stiftelsen {s}",
    "da": "{c} Kommune|Fonden {s}",
    "sk": "Mesto {c}|Nadácia {s}",
    "ro": "Primăria {c}|Fundația {s}",
}
_BANKS = {
    "en": (
        "Barrow Bank|First National Bank|Lloyds & West|Union Commercial Bank|Northern Trust Bank|"
        "Harbour Savings Bank"
    ),
    "de": (
        "Sparkasse {c}|Volksbank {c}|Deutsche Handelsbank|Stadtbank AG|Raiffeisenbank {c}|"
        "{c}er Bank|Commerzkasse"
    ),
    "fr": "Crédit Régional|Banque {s}|Société de Crédit|Caisse de {c}|Banque Populaire de {c}",
    "pt": "Banco do Comércio|Banco {s}|Caixa de {c}|Banco Atlântico",
    "es": "Banco {s}|Caja de {c}|Banco Ibérico",
    "it": "Banca di {c}|Credito {s}|Banca Popolare di {c}",
    "nl": "Handelsbank|Bank {c}|Spaarbank",
    "cs": "Česká banka|Komerční banka|Spořitelna {c}",
    "pl": "Bank Handlowy {c}|Bank Spółdzielczy",
    "sv": "Sparbanken {c}|Nordbanken",
    "da": "Handelsbanken {c}|Sparekassen",
    "sk": "Slovenská banka|Tatrabanka",
    "ro": "Banca {c}|Banca Comercială",
}
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


def fill(rng: Random, pattern: str, *, letters: bool = True) -> str:
    """Replaces each `9` by a digit and, where `letters`, each `A` by a capital letter.

    The first digit of the pattern is never 0.
    """
    out = []
    first = True
    for mark in pattern:
        if mark == "9":
            out.append(str(rng.randint(1, 9)) if first else str(rng.randint(0, 9)))
            first = False
        else:
            out.append(rng.choice(_LETTERS) if mark == "A" and letters else mark)
    return "".join(out)


def tax_number(rng: Random, country: Country) -> str:
    """A VAT id or national tax number, with its check digits where they are simple."""
    pattern = rng.choice(country.ids)
    if country.code == "GB":
        pattern = pattern.replace("GB", "gb").replace("A", "9").replace("gb", "GB")
    # Letters of the prefix are not marks: protect them by filling only what follows.
    prefix = pattern[:2] if pattern[:2] == country.code or pattern[:3] in ("ATU", "CHE") else ""
    if pattern[:3] in ("ATU", "CHE"):
        prefix = pattern[:3]
    body = fill(rng, pattern[len(prefix) :])
    digits = [mark for mark in body if mark.isdigit()]
    checked = _with_check_digits(country.code, "".join(digits))
    replacement = iter(checked)
    return prefix + "".join(next(replacement) if mark.isdigit() else mark for mark in body)


def _with_check_digits(code: str, digits: str) -> str:
    """`digits` with its check digits corrected; unchanged where the country has no rule here."""
    numbers = [int(mark) for mark in digits]
    if code == "DE" and len(digits) == 9:
        product = 10
        for number in numbers[:8]:
            total = (number + product) % 10 or 10
            product = 2 * total % 11
        return digits[:8] + str((11 - product) % 10)
    if code == "FR" and len(digits) == 11:
        siren = _luhn(digits[2:10])
        return f"{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"
    if code == "IT" and len(digits) == 11:
        return _luhn(digits[:10])
    if code == "BE" and len(digits) == 10:
        return digits[:8] + f"{97 - int(digits[:8]) % 97:02d}"
    if code == "BR" and len(digits) == 14:
        first = _mod11(digits[:12], (5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2))
        second = _mod11(digits[:12] + first, (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2))
        return digits[:12] + first + second
    if code == "PL" and len(digits) == 10:
        check = sum(a * b for a, b in zip(numbers, (6, 5, 7, 2, 3, 4, 5, 6, 7), strict=False)) % 11
        return digits[:9] + str(check % 10)
    if code == "PT" and len(digits) == 9:
        return digits[:8] + _mod11(digits[:8], (9, 8, 7, 6, 5, 4, 3, 2))
    return digits


def _luhn(digits: str) -> str:
    total = 0
    for place, mark in enumerate(reversed(digits)):
        number = int(mark) * (2 if place % 2 == 0 else 1)
        total += number - 9 if number > 9 else number
    return digits + str(-total % 10)


def _mod11(digits: str, weights: tuple[int, ...]) -> str:
    rest = sum(int(mark) * weight for mark, weight in zip(digits, weights, strict=True)) % 11
    return str(0 if rest < 2 else 11 - rest)


def iban(rng: Random, country: Country) -> str:
    """A valid IBAN (ISO 13616, check digits by mod 97), with or without groups of four."""
    code = "DE" if not country.iban else country.code
    length = country.iban or 18
    national = "".join(str(rng.randint(0, 9)) for _ in range(length))
    if code in ("GB", "NL", "IE", "RO"):
        national = "".join(rng.choice(_LETTERS) for _ in range(4)) + national[4:]
    if code == "IT":
        national = rng.choice(_LETTERS) + national[1:]
    number = "".join(str(int(mark, 36)) for mark in national + code + "00")
    plain = f"{code}{98 - int(number) % 97:02d}{national}"
    if rng.random() < 0.7:
        return " ".join(plain[place : place + 4] for place in range(0, len(plain), 4))
    return plain


def bic(rng: Random, country: Country) -> str:
    """A BIC of 8 or 11 characters."""
    code = country.code if country.iban else "DE"
    return (
        "".join(rng.choice(_LETTERS) for _ in range(4))
        + code
        + rng.choice(("33", "2X", "FF", "PP", "21", "22"))
        + rng.choice(("", "XXX", "", "XXX", "600"))
    )


def person(rng: Random, language: str) -> str:
    """A first name and a surname, at times with initials or a salutation's title."""
    first = rng.choice(_FIRST_NAMES[language].split("|"))
    last = rng.choice(_SURNAMES[language].split("|"))
    form = rng.random()
    if form < 0.08:
        return f"{first[0]}. {last}"
    if form < 0.12:
        return f"Dr. {first} {last}"
    return f"{first} {last}"


def surname(rng: Random, language: str) -> str:
    """One surname of the language."""
    return rng.choice(_SURNAMES[language].split("|"))


def place(rng: Random, country: Country) -> str:
    """A town without its state or district."""
    return (
        rng.choice(country.cities)
        .split(",")[0]
        .split(" -")[0]
        .split(" (")[0]
        .split("/")[0]
        .rstrip(" 0123456789")
    )


def bank(rng: Random, country: Country) -> str:
    """The name of a bank."""
    return rng.choice(_BANKS[country.language].split("|")).format(
        c=place(rng, country), s=surname(rng, country.language)
    )


def company(rng: Random, country: Country) -> str:
    """A firm, freelancer, brand or public body of the country."""
    language = country.language
    trade = rng.choice(_TRADES[language].split("|"))
    form = rng.choice(country.forms)
    brand = rng.choice(_BRANDS)
    one, two = surname(rng, language), surname(rng, language)
    kind = rng.random()
    if kind < 0.06:
        return person(rng, language)
    if kind < 0.13:
        pattern = rng.choice(_CHARITIES[language].split("|"))
        return pattern.format(
            c=place(rng, country), s=one, f=rng.choice(("Mary", "John", "Anne", "Paul"))
        )
    stem = rng.choice(
        (
            f"{one} {trade}",
            f"{trade} {one}",
            f"{brand} {trade}",
            f"{brand}{rng.choice(_TAILS)}",
            f"{one} & {two}",
            f"{one} & {two} {trade}",
            f"{place(rng, country)} {trade}",
            brand,
            f"{trade} {place(rng, country)}",
            f"{brand} {rng.choice(_BRANDS)}",
            f"{one}",
            f"{person(rng, language)} {trade}",
            f"{brand}-{trade}",
            f"{one}, {two} & Co",
            f"{rng.choice('ABCDEGHKMRSTVW')}&{rng.choice('BCDFGHKLMPT')} {trade}",
            f"{brand} 24",
            f"{fill(rng, 'AAA')} {trade}",
        )
    )
    if kind < 0.24:
        name = stem
    elif form.startswith(","):
        name = stem + form
    else:
        name = f"{stem} {form}"
    case = rng.random()
    if case < 0.09:
        return name.upper()
    if case < 0.12 and kind < 0.24:
        return name.lower()
    return name


def address(rng: Random, country: Country) -> tuple[str, ...]:
    """Street, town and at times further lines of an address."""
    number = (
        str(rng.randint(1, 250))
        if rng.random() < 0.85
        else f"{rng.randint(1, 99)}{rng.choice('abc')}"
    )
    street = rng.choice(country.streets)
    city = rng.choice(country.cities)
    code = fill(rng, country.zip) if country.zip[0] != "L" else "L-" + fill(rng, "9999")
    if country.code in ("US", "GB", "IN", "AU", "CA", "IE", "FR", "LU"):
        first = f"{number} {street}" if rng.random() < 0.8 else f"{number}, {street}"
    elif country.code in ("BR", "PT", "ES", "MX"):
        first = f"{street}, {number}" if rng.random() < 0.7 else f"{street} {number}"
    else:
        first = f"{street} {number}"
    if country.code in ("US", "AU", "CA"):
        town = f"{city} {code}"
    elif country.code in ("GB", "IE"):
        town = f"{city} {code}" if rng.random() < 0.5 else f"{city}, {code}"
    elif country.code == "IN":
        town = f"{city} - {code}"
    elif country.code == "BR":
        town = (
            f"{city} {code}"
            if rng.random() < 0.4
            else f"{city} - CEP {code}"
            if rng.random() < 0.5
            else f"{code} {city}"
        )
    else:
        town = f"{code} {city}"
    lines = [first, town]
    if rng.random() < 0.12:
        lines.insert(
            0,
            rng.choice(
                (
                    "Suite 200",
                    "2nd floor",
                    "Gebäude B",
                    "Bât. C",
                    "Unit 7",
                    "Postfach 1122",
                    "P.O. Box 340",
                    "Sala 12",
                )
            ),
        )
    if rng.random() < 0.25:
        lines.append(rng.choice(country.name.split("|")))
    return tuple(lines)
