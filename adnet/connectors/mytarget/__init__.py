"""myTarget: campaigns, banners, statistics and audiences, within the limits that its API tells."""

from adnet.connectors.mytarget.connector import MyTarget

__all__ = ["MyTarget"]
