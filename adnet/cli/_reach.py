"""Whether a network can be reached from here; no credential is sent."""

import asyncio
import os
import ssl
from typing import Final, Literal
from urllib.parse import urlsplit

import attrs

from adnet.transport.base import in_words

Verdict = Literal["ok", "warn", "fail"]
_TIMEOUT_S: Final = 5.0
_PROXIES: Final = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
"""How environments name a proxy for other programs."""


@attrs.frozen
class Way:
    """How an account's network is reached: many accounts share one."""

    url: str
    """Where the network is; empty where its connector does not tell."""
    proxy: str | None = None
    """Where the proxy is that requests go through."""

    @property
    def key(self) -> str:
        """What in the configuration says where to connect."""
        return "proxy" if self.proxy else "base_url"


@attrs.frozen
class Reached:
    """What came of it."""

    verdict: Verdict
    detail: str
    remedy: str = ""


async def reach(way: Way) -> Reached:
    """Open a connection, with a verified certificate where the URL wants one, and close it again.

    Where there is a proxy, that is as far as it goes: what lies behind it is asked for with the account's password.
    """
    if not way.url:
        return Reached("warn", "its connector does not tell where the network is", "try `adnet check`")
    parts = urlsplit(way.proxy or way.url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    where = f"{'the proxy ' if way.proxy else ''}{parts.hostname}:{port}"
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            _, writer = await asyncio.open_connection(
                parts.hostname, port, ssl=ssl.create_default_context() if secure else None
            )
    except UnicodeError:  # it could not even be asked for
        return Reached("fail", f"{where}: this is no name of a host", f"check {way.key}")
    except OSError as error:
        return Reached("fail", f"{where}: {_why(error)}", _remedy(way, error))
    writer.close()
    return Reached(
        "ok", f"{where}; `adnet check` tells whether it lets requests through" if way.proxy else where
    )


def _remedy(way: Way, error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"check {way.key}, and this machine's clock and certificates"
    if not way.proxy and (named := next(filter(os.environ.get, _PROXIES), None)):
        return (
            f"{named} of the environment is not used: if there is no other way, write"
            f' proxy = {{ env = "{named}" }} in the section of the account'
        )
    return f"check {way.key}, the network and its firewall"


def _why(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {_TIMEOUT_S:.0f} s"
    if isinstance(error, ssl.SSLError):
        return (
            f"no certificate that can be trusted ({getattr(error, 'reason', None) or type(error).__name__})"
        )
    return in_words(error)
