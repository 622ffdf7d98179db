"""The network's own client: one part per resource, one method per documented operation.

Everything here speaks the network's own words and returns its own objects, as read-only mappings without secrets.
"""

from typing import Any

from adnet.connectors.mytarget import routes
from adnet.connectors.mytarget.api import Api
from adnet.connectors.mytarget.native.accounts import Billing, Clients, User
from adnet.connectors.mytarget.native.audiences import Counters, Segments, SharingKeys, UsersLists
from adnet.connectors.mytarget.native.library import Content, Dictionaries, Packages, Urls
from adnet.connectors.mytarget.native.objects import Banners, Objects
from adnet.connectors.mytarget.native.statistics import Statistics

__all__ = ["MyTargetNative"]


class MyTargetNative:
    """The API of one account on myTarget or VK Ads."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.campaigns = Objects(api, routes.CAMPAIGNS)
        """Campaigns; VK Ads calls them ad groups."""
        self.ad_plans = Objects(api, routes.AD_PLANS) if api.profile.plans else None
        """What VK Ads has above its ad groups; None on myTarget."""
        self.banners = Banners(api, routes.BANNERS)
        self.packages = Packages(api)
        self.urls = Urls(api)
        self.content = Content(api)
        self.dictionaries = Dictionaries(api)
        self.statistics = Statistics(api)
        self.users_lists = UsersLists(api)
        self.segments = Segments(api)
        self.counters = Counters(api)
        self.sharing_keys = SharingKeys(api)
        self.agency_clients = Clients(api, routes.AGENCY_CLIENTS)
        self.manager_clients = Clients(api, routes.MANAGER_CLIENTS)
        self.billing = Billing(api)
        self.user = User(api)

    async def throttling(self) -> Any:
        """Return the limits and what remains of them: resource, version, operation, seconds."""
        return await self._api.call(routes.THROTTLING)

    def __repr__(self) -> str:
        return f"MyTargetNative({self._api.profile.network})"
