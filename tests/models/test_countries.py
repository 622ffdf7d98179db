"""Country names to codes."""

import re

import pytest

from adnet.models.countries import _NAMES, _plain, iso2


@pytest.mark.parametrize(
    ("name", "code"),
    [("Germany", "DE"), ("germany ", "DE"), ("DE", "DE"), ("de", "DE"), ("The Netherlands", "NL"),
     ("Côte d'Ivoire", "CI"), ("Cote d'Ivoire", "CI"), ("UK", "GB"), ("USA", "US"), ("Russia", "RU"),
     ("Turkey", "TR"), ("Türkiye", "TR"), ("Congo (Kinshasa)", "CD"), ("Congo", "CG"), ("Trinidad & Tobago", "TT"),
     ("Bosnia & Herzegovina", "BA"), ("Macedonia, the Former Yugoslav Republic of", "MK"),
     ("South Korea", "KR"), ("Korea, Republic of", "KR"), ("Kosovo", "XK")],
)  # fmt: skip
def test_names_and_codes_give_the_code(name, code):
    """In any case, with or without accents, articles and ampersands."""
    assert iso2(name) == code


@pytest.mark.parametrize(
    ("name", "code"),
    [("Netherlands (Kingdom of the)", "NL"), ("Palestinian Territory, Occupied", "PS"), ("State of Palestine", "PS"),
     ("The former Yugoslav Republic of Macedonia", "MK"), ("Democratic People's Republic of Korea", "KP"),
     ("Federated States of Micronesia", "FM"), ("Bonaire, Saint Eustatius and Saba", "BQ"),
     ("U.S. Virgin Islands", "VI"), ("St. Kitts & Nevis", "KN"), ("St Lucia", "LC"),
     ("St. Vincent & Grenadines", "VC"), ("St. Helena", "SH"), ("Myanmar (Burma)", "MM"), ("Macao SAR China", "MO"),
     ("Palestinian Territories", "PS"), ("Vatican City", "VA"), ("Pitcairn Islands", "PN"),
     ("Heard & McDonald Islands", "HM"), ("U.S. Outlying Islands", "UM"), ("U.S. Minor Outlying Islands", "UM"),
     ("Congo Republic", "CG"), ("Côte d\N{RIGHT SINGLE QUOTATION MARK}Ivoire", "CI"), ("U.K.", "GB"),
     ("Bosnia-Herzegovina", "BA"), ("U.S.A.", "US"), ("Virgin Islands (U.S.)", "VI")],
)  # fmt: skip
def test_names_of_other_lists_give_the_code(name, code):
    """The standard renames countries; CLDR, which libraries print from, and databases of addresses have other words."""
    assert iso2(name) == code


@pytest.mark.parametrize("name", [None, "", " ", "Rest of World", "ZZ", "Atlantis", "1", "é"])
def test_what_is_no_country_gives_none(name):
    """Nothing is guessed."""
    assert iso2(name) is None


def test_every_country_of_the_standard_is_there_once_and_no_name_means_two():
    """ISO 3166-1 has 249 codes; Kosovo's is a user-assigned one."""
    entries = [entry.partition(" ") for entry in re.split(r"[;\n]", _NAMES.strip())]
    codes = [code for code, _, _ in entries]
    assert len(set(codes)) == len(codes) == 250
    assert codes[:-1] == sorted(codes[:-1])
    meanings: dict[str, set[str]] = {}
    for code, _, names in entries:
        for name in names.split("|"):
            meanings.setdefault(_plain(name), set()).add(code)
    assert {name: found for name, found in meanings.items() if len(found) > 1} == {}
    assert all(iso2(name) == next(iter(found)) for name, found in meanings.items())
