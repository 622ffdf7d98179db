"""Adskeeper behind the common facets; MGID is the same under another name."""

from typing import ClassVar

from adnet.connectors.adskeeper.auth import OPTIONS
from adnet.connectors.adskeeper.limits import FACTS
from adnet.connectors.adskeeper.reading import AdskeeperReads
from adnet.connectors.adskeeper.writing import AdskeeperWrites


class Adskeeper(AdskeeperReads, AdskeeperWrites):
    """One client on Adskeeper."""

    network = "adskeeper"
    title = "Adskeeper"
    options = OPTIONS
    limit_facts = FACTS
    default_base_url: ClassVar[str] = "https://api.adskeeper.co.uk/v1"
