"""Adskeeper: an advertiser network of campaigns and teasers. MGID is the same API on another host."""

from adnet.connectors.adskeeper.connector import Adskeeper

__all__ = ["Adskeeper"]
