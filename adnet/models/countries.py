"""English country names to ISO 3166-1 alpha-2 codes. Names that networks use beside the standard's are aliases."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

_NAMES: Final = """
AD Andorra;AE United Arab Emirates|UAE|Emirates;AF Afghanistan;AG Antigua and Barbuda;AI Anguilla;AL Albania
AM Armenia;AO Angola;AQ Antarctica;AR Argentina;AS American Samoa;AT Austria;AU Australia;AW Aruba
AX Åland Islands|Aland;AZ Azerbaijan;BA Bosnia and Herzegovina|Bosnia|Bosnia-Herzegovina;BB Barbados;BD Bangladesh
BE Belgium;BF Burkina Faso;BG Bulgaria;BH Bahrain;BI Burundi;BJ Benin;BL Saint Barthélemy;BM Bermuda
BN Brunei Darussalam|Brunei;BO Bolivia, Plurinational State of|Bolivia|Bolivia (Plurinational State of)
BQ Bonaire, Sint Eustatius and Saba|Bonaire, Saint Eustatius and Saba|Caribbean Netherlands
BR Brazil;BS Bahamas|The Bahamas;BT Bhutan
BV Bouvet Island;BW Botswana;BY Belarus;BZ Belize;CA Canada;CC Cocos (Keeling) Islands|Cocos Islands
CD Congo, The Democratic Republic of the|Democratic Republic of the Congo|DR Congo|Congo (Kinshasa)|Congo-Kinshasa
CF Central African Republic;CG Congo|Republic of the Congo|Congo Republic|Congo (Brazzaville)|Congo-Brazzaville
CH Switzerland
CI Côte d'Ivoire|Ivory Coast;CK Cook Islands;CL Chile;CM Cameroon;CN China|People's Republic of China;CO Colombia
CR Costa Rica;CU Cuba;CV Cabo Verde|Cape Verde;CW Curaçao;CX Christmas Island;CY Cyprus
CZ Czechia|Czech Republic;DE Germany;DJ Djibouti;DK Denmark;DM Dominica;DO Dominican Republic;DZ Algeria
EC Ecuador;EE Estonia;EG Egypt;EH Western Sahara;ER Eritrea;ES Spain;ET Ethiopia;FI Finland;FJ Fiji
FK Falkland Islands (Malvinas)|Falkland Islands
FM Micronesia, Federated States of|Federated States of Micronesia|Micronesia;FO Faroe Islands
FR France;GA Gabon;GB United Kingdom|Great Britain|UK|England|United Kingdom of Great Britain and Northern Ireland
GD Grenada;GE Georgia;GF French Guiana;GG Guernsey;GH Ghana;GI Gibraltar;GL Greenland;GM Gambia|The Gambia
GN Guinea;GP Guadeloupe;GQ Equatorial Guinea;GR Greece;GS South Georgia and the South Sandwich Islands
GT Guatemala;GU Guam;GW Guinea-Bissau;GY Guyana;HK Hong Kong|Hong Kong SAR China
HM Heard Island and McDonald Islands|Heard and McDonald Islands;HN Honduras;HR Croatia;HT Haiti;HU Hungary
ID Indonesia;IE Ireland;IL Israel;IM Isle of Man;IN India;IO British Indian Ocean Territory;IQ Iraq
IR Iran, Islamic Republic of|Iran|Iran (Islamic Republic of);IS Iceland;IT Italy;JE Jersey;JM Jamaica;JO Jordan
JP Japan;KE Kenya;KG Kyrgyzstan;KH Cambodia;KI Kiribati;KM Comoros;KN Saint Kitts and Nevis
KP Korea, Democratic People's Republic of|Democratic People's Republic of Korea|North Korea
KR Korea, Republic of|South Korea|Korea|Republic of Korea|Korea (Republic of);KW Kuwait;KY Cayman Islands
KZ Kazakhstan;LA Lao People's Democratic Republic|Laos;LB Lebanon;LC Saint Lucia;LI Liechtenstein;LK Sri Lanka
LR Liberia;LS Lesotho;LT Lithuania;LU Luxembourg;LV Latvia;LY Libya|Libyan Arab Jamahiriya;MA Morocco;MC Monaco
MD Moldova, Republic of|Moldova|Republic of Moldova;ME Montenegro;MF Saint Martin (French part)|Saint Martin
MG Madagascar;MH Marshall Islands
MK North Macedonia|Macedonia|Republic of North Macedonia|FYROM|Macedonia, the Former Yugoslav Republic of|\
Former Yugoslav Republic of Macedonia;ML Mali
MM Myanmar|Burma|Myanmar (Burma);MN Mongolia;MO Macao|Macau|Macao SAR China|Macau SAR China;MP Northern Mariana Islands
MQ Martinique;MR Mauritania;MS Montserrat;MT Malta;MU Mauritius;MV Maldives;MW Malawi;MX Mexico;MY Malaysia
MZ Mozambique;NA Namibia
NC New Caledonia;NE Niger;NF Norfolk Island;NG Nigeria;NI Nicaragua;NL Netherlands|Netherlands, Kingdom of the|Holland
NO Norway;NP Nepal;NR Nauru;NU Niue;NZ New Zealand;OM Oman;PA Panama;PE Peru;PF French Polynesia
PG Papua New Guinea;PH Philippines|The Philippines;PK Pakistan;PL Poland;PM Saint Pierre and Miquelon
PN Pitcairn|Pitcairn Islands;PR Puerto Rico
PS Palestine, State of|State of Palestine|Palestine|Palestinian Territories|Palestinian Territory|\
Palestinian Territory, Occupied;PT Portugal;PW Palau
PY Paraguay;QA Qatar;RE Réunion;RO Romania;RS Serbia;RU Russian Federation|Russia;RW Rwanda;SA Saudi Arabia
SB Solomon Islands;SC Seychelles;SD Sudan;SE Sweden;SG Singapore
SH Saint Helena, Ascension and Tristan da Cunha|Saint Helena;SI Slovenia;SJ Svalbard and Jan Mayen
SK Slovakia|Slovak Republic;SL Sierra Leone;SM San Marino;SN Senegal;SO Somalia;SR Suriname;SS South Sudan
ST Sao Tome and Principe;SV El Salvador;SX Sint Maarten (Dutch part)|Sint Maarten;SY Syrian Arab Republic|Syria
SZ Eswatini|Swaziland;TC Turks and Caicos Islands;TD Chad;TF French Southern Territories;TG Togo;TH Thailand
TJ Tajikistan;TK Tokelau;TL Timor-Leste|East Timor;TM Turkmenistan;TN Tunisia;TO Tonga;TR Türkiye|Turkey
TT Trinidad and Tobago;TV Tuvalu;TW Taiwan, Province of China|Taiwan
TZ Tanzania, United Republic of|Tanzania|United Republic of Tanzania;UA Ukraine;UG Uganda
UM United States Minor Outlying Islands|US Minor Outlying Islands|US Outlying Islands
US United States|United States of America|USA|US;UY Uruguay;UZ Uzbekistan
VA Holy See (Vatican City State)|Vatican City|Vatican|Holy See;VC Saint Vincent and the Grenadines
VE Venezuela, Bolivarian Republic of|Venezuela|Venezuela (Bolivarian Republic of)
VG Virgin Islands, British|British Virgin Islands
VI Virgin Islands, U.S.|US Virgin Islands|United States Virgin Islands;VN Viet Nam|Vietnam;VU Vanuatu
WF Wallis and Futuna;WS Samoa;YE Yemen;YT Mayotte;ZA South Africa;ZM Zambia;ZW Zimbabwe;XK Kosovo
"""


def _plain(name: str) -> str:
    """Return *name* without accents, case, punctuation and articles, and with "saint" in full, for comparing."""
    text = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z]+", text.replace("&", " and ").replace("'", "").replace(".", ""))
    return " ".join("saint" if word == "st" else word for word in words if word != "the")


def _table() -> dict[str, str]:
    table: dict[str, str] = {}
    for entry in re.split(r"[;\n]", _NAMES.strip()):
        code, _, names = entry.partition(" ")
        for name in names.split("|"):
            table[_plain(name)] = code
    return table


_CODES: Final = _table()
_KNOWN: Final = frozenset(_CODES.values())


@lru_cache(maxsize=4096)
def iso2(name: str | None) -> str | None:
    """Return the alpha-2 code of a country given by name or code, or None where it is no known country.

    "Rest of World" is no country and gives None; so does an empty name.
    """
    text = (name or "").strip()
    if len(text) == 2 and text.upper() in _KNOWN:
        return text.upper()
    return _CODES.get(_plain(text))
