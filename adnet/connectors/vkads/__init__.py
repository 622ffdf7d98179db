"""VK Ads: myTarget's API with another host and other words."""

from typing import ClassVar

from adnet.connectors.mytarget import MyTarget
from adnet.connectors.mytarget.profile import VKADS, Profile

__all__ = ["VkAds"]


class VkAds(MyTarget):
    """One account on VK Ads: its ad groups are our campaigns."""

    network = VKADS.network
    title = VKADS.title
    profile: ClassVar[Profile] = VKADS
    days_at_once = VKADS.stat_days
