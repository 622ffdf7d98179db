"""The proxy that an account's requests go through, where its user names one.

Only what the user wrote counts: proxies that the environment names are for other programs. Requests go through it in a
tunnel (``CONNECT``), encrypted from here to the network: it sees the network's host, and nothing of what is said.
"""

import re
from base64 import b64encode
from typing import Final, NoReturn, Self
from urllib.parse import SplitResult, unquote, urlsplit

import attrs

from adnet.errors import ConfigurationError
from adnet.transport.wire import is_loopback

_PORTS: Final = {"http": 80, "https": 443}
_HOST: Final = re.compile(r"[\w.-]+|[0-9a-f:.]+")


@attrs.frozen(kw_only=True)
class Proxy:
    """An HTTP proxy; user and password stand apart from its address, which may be shown."""

    url: str
    """Scheme, host and port."""
    user: str | None = attrs.field(default=None, repr=False)
    password: str = attrs.field(default="", repr=False)

    @classmethod
    def checked(cls, url: str, account: str) -> Self:
        """Return the proxy that *account* names: ``http://HOST:PORT``, or ``http://USER:PASSWORD@HOST:PORT``.

        A proxy that is spoken to with TLS itself begins with ``https://``. Signs that mean something in a URL are
        escapes in USER and PASSWORD, e.g. ``%40`` for ``@``.

        Raises:
            ConfigurationError: It is none of these; what was given is not shown, as it may hold a password.
        """
        try:
            parts = urlsplit(url)
            usual, port = _PORTS[parts.scheme], parts.port
        except (ValueError, KeyError):
            _refuse(url, account)
        host, user = parts.hostname or "", unquote(parts.username or "")
        if not _HOST.fullmatch(host) or _has_more(parts) or ":" in user:
            _refuse(url, account)
        return cls(
            url=f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port or usual}",
            user=user or None,
            password=unquote(parts.password or ""),
        )

    def headers(self) -> dict[str, str]:
        """Return what the proxy is told beside the network's host."""
        if self.user is None:
            return {}
        pair = b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"Proxy-Authorization": f"Basic {pair}"}

    @property
    def address(self) -> str:
        """Its host and port, as they are shown."""
        return urlsplit(self.url).netloc

    @staticmethod
    def serves(url: str) -> bool:
        """Whether requests to *url* go through a proxy.

        What is for this machine does not: it may be plain http, which others could read on the way, and the proxy would
        bring it to its own machine.
        """
        return not is_loopback(urlsplit(url).hostname or "")


def _has_more(parts: SplitResult) -> bool:
    return parts.path not in {"", "/"} or bool(parts.query or parts.fragment)


def _refuse(url: str, account: str) -> NoReturn:
    if url.lower().startswith("socks"):
        raise ConfigurationError(
            f"account {account!r}: proxy is a SOCKS proxy, which adnet cannot use: name an HTTP proxy"
        )
    raise ConfigurationError(
        f"account {account!r}: proxy must be http://HOST:PORT or http://USER:PASSWORD@HOST:PORT; a sign such as @ or /"
        " in the password is written as an escape (%40, %2F)"
    )
