"""MGID: the Adskeeper API under another name and host, and nothing else."""

from typing import ClassVar

from adnet.connectors.adskeeper import Adskeeper

__all__ = ["Mgid"]


class Mgid(Adskeeper):
    """One client on MGID."""

    network = "mgid"
    title = "MGID"
    default_base_url: ClassVar[str] = "https://api.mgid.com/v1"
