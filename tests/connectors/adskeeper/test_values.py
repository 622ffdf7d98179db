"""The value tables: as many rows as the document prints, and open to what it does not."""

import pytest

from adnet.connectors.adskeeper import values

SIZES = [
    (values.LANGUAGES, 73),
    (values.CAMPAIGN_STATUSES, 16),
    (values.BROWSERS, 19),
    (values.OPERATING_SYSTEMS, 96),
    (values.CATEGORIES, 119),
    (values.CURRENCIES, 11),
    (values.TEASER_STATUSES, 8),
    (values.PHONE_PRICES, 10),
    (values.CONVERSION_CATEGORIES, 9),
]


@pytest.mark.parametrize(("table", "rows"), SIZES, ids=lambda value: getattr(value, "name", value))
def test_a_table_is_complete(table, rows):
    """Each table has the rows of the document."""
    assert len(table) == rows


def test_devices_are_told_by_their_codes():
    """Of the 96 operating systems 35 are mobile, 35 tablet, 19 desktop and 7 smart TV."""
    devices = [system.device for system in values.OPERATING_SYSTEMS.values()]
    assert {kind: devices.count(kind) for kind in set(devices)} == {
        "mobile": 35,
        "tablet": 35,
        "desktop": 19,
        "smarttv": 7,
    }


def test_codes_are_the_networks_own():
    """Misspelt codes stay misspelt, and labels are plain ASCII."""
    assert values.OPERATING_SYSTEMS["ios70tablet"].label.startswith("iOS 10")
    assert "rocuossmarttv" in values.OPERATING_SYSTEMS
    assert all(system.label.isascii() for system in values.OPERATING_SYSTEMS.values())


def test_a_language_has_an_id_and_a_code():
    """Campaigns are read with the one and created with the other."""
    assert values.LANGUAGES[23] is values.LANGUAGES_BY_CODE["fil"]
    assert values.LANGUAGES[104].code == "or"


def test_names_of_categories_repeat_and_ids_do_not():
    """Automotive is two categories, for campaigns of different types."""
    both = [row for row in values.CATEGORIES.values() if row.name == "Automotive"]
    assert [row.id for row in both] == [100, 208]
    assert both[1].campaign_types == ("content",)


def test_unknown_keys_are_accepted():
    """What a table does not list is an entry with its key and nothing else."""
    assert values.CAMPAIGN_STATUSES.of(17) == values.CampaignStatus(17)
    assert values.OPERATING_SYSTEMS.of("ios26mobile").device == "mobile"
    assert values.LANGUAGES_BY_CODE.of("xx").code == "xx"
    assert values.BROWSERS.unlisted(["chrome", "netscape"]) == ("netscape",)


def test_the_smaller_lists_are_there():
    """Stages, intervals, types and macros are as many as documented."""
    lists = (values.CONVERSION_STAGES, values.DATE_INTERVALS, values.CAMPAIGN_TYPES)
    assert [len(found) for found in lists] == [3, 10, 4]
    assert {"{source}", "{source_id}"} == values.UTM_MACROS - values.UTM_MACROS_ON_PUT
    assert len(values.UTM_MACROS) == 18
    assert len(values.TITLE_MACROS) == 3
