"""
Imitations of the networks' servers, for tests, demonstrations and rehearsals.

They stand beside the house: built from the vendors' documents alone, they
import no model, codec or connector, because a server that shares the codec
agrees with its mistakes. They listen on the loopback interface only, and
every row they serve is a pure function of a seed and a day.

Nothing is imported until *load* is called.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adnet.sandbox.base import Sandbox

__all__ = ["SANDBOXES", "load"]

SANDBOXES: dict[str, str] = {
    "adskeeper": "adnet.sandbox.adskeeper:AdskeeperSandbox",
    "mgid": "adnet.sandbox.adskeeper:MgidSandbox",
    "mytarget": "adnet.sandbox.mytarget:MytargetSandbox",
    "targetcircle": "adnet.sandbox.targetcircle:TargetCircleSandbox",
    "vkads": "adnet.sandbox.mytarget:VkadsSandbox",
}
"""Network -> where its imitation lives, as "module:Class"."""


def load(network: str) -> "type[Sandbox]":
    """
    Return the sandbox class of one network, importing it now.

    Raises:
        LookupError: There is no sandbox of that name; the known ones are told.
    """
    try:
        module, _, name = SANDBOXES[network].partition(":")
    except KeyError:
        known = ", ".join(sorted(SANDBOXES))
        raise LookupError(f"no sandbox for {network!r}; there are: {known}") from None
    found: type[Sandbox] = getattr(import_module(module), name)
    return found
