"""Adskeeper's own client: the 41 documented operations, grouped by resource, with the forms of the wire hidden.

``native.client``, ``.campaigns``, ``.statistics``, ``.targetings``, ``.conversions``, ``.teasers``,
``.dictionaries``. Words and units are the network's; rows are typed and keep the network's object in ``raw``. Writes
hold the documented rules before they are sent and return :class:`Saved`.
Source: Adskeeper advertiser API document; ``OPERATIONS`` in ``routes`` lists what serves which operation.
"""

from adnet.connectors.adskeeper.core import Core, Saved
from adnet.connectors.adskeeper.native.account import ClientGroup, DictionaryGroup
from adnet.connectors.adskeeper.native.campaigns import CampaignGroup
from adnet.connectors.adskeeper.native.conversions import ConversionGroup
from adnet.connectors.adskeeper.native.statistics import StatisticsGroup
from adnet.connectors.adskeeper.native.targetings import TargetingGroup
from adnet.connectors.adskeeper.native.teasers import TeaserGroup
from adnet.connectors.adskeeper.paging import Pager

__all__ = ["AdskeeperNative", "Saved"]


class AdskeeperNative:
    """The documented operations of one client."""

    def __init__(self, core: Core, pager: Pager) -> None:
        self.client = ClientGroup(core)
        self.campaigns = CampaignGroup(core, pager)
        self.statistics = StatisticsGroup(core)
        self.targetings = TargetingGroup(core)
        self.conversions = ConversionGroup(core)
        self.teasers = TeaserGroup(core, pager)
        self.dictionaries = DictionaryGroup(core)
