"""What tells the brands of one API apart, as data.

myTarget and VK Ads share paths, OAuth, errors and limits; VK Ads calls a campaign an ad group and puts an ad plan
on top. The ids are the same. Source: myTarget help and VK Ads API documentation (documented).
"""

from collections.abc import Mapping
from typing import Final

import attrs


@attrs.frozen(kw_only=True)
class Profile:
    """One brand."""

    network: str
    title: str
    base_url: str
    """Production, where the user names no other host."""
    campaigns: str
    """Path segment and statistics object of what we call campaigns."""
    campaign_field: str
    """A banner's word for the campaign it belongs to."""
    plans: bool
    """Whether there are ad plans above campaigns."""
    stat_days: int
    """Days of one statistics request at most, both ends included."""
    stat_history: int | None = None
    """How many days before today daily statistics go back; nothing is told of earlier ones. None: not documented.
    Source: VK Ads help, statistics (documented: no older than 366 days)."""
    user_version: str
    faststat_version: str
    authorize_path: str
    authorize_query: Mapping[str, str] = attrs.field(factory=dict)
    """What the browser's page needs beside the OAuth parameters."""
    sends_redirect: bool = False
    """Whether the redirect address is sent; else the registered one is used."""
    update_verb: str = "patch"
    """Verb of partial updates to try first: ``patch`` (a 405 or 501 switches the host to POST) or ``post``."""


MYTARGET: Final = Profile(
    network="mytarget",
    title="myTarget",
    base_url="https://target.my.com",
    campaigns="campaigns",
    campaign_field="campaign_id",
    plans=False,
    stat_days=92,
    user_version="v2",
    faststat_version="v2",
    authorize_path="/oauth2/authorize",
)

VKADS: Final = Profile(
    network="vkads",
    title="VK Ads",
    base_url="https://ads.vk.com",
    campaigns="ad_groups",
    campaign_field="ad_group_id",
    plans=True,
    stat_days=366,
    stat_history=366,
    user_version="v3",
    faststat_version="v3",
    authorize_path="/hq/settings/access",
    authorize_query={"action": "oauth2"},
    sends_redirect=True,
)
