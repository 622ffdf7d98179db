"""A myTarget sandbox in a thread of its own, a configuration that leads to it, and a browser in front of it."""

import asyncio
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import attrs

from adnet.config import load, open_state
from adnet.opening import connect
from adnet.sandbox.mytarget import MytargetSandbox, VkadsSandbox
from adnet.state import StoredToken, TokenStore
from cli.kit import configure

OWNER, BUYER = 70001, 70002


class Market:
    """An imitation of myTarget, or of VK Ads."""

    def __init__(self, *, vk: bool = False, **knobs: Any) -> None:
        small = {"campaigns": 12, "banners": 36, "limits": "none"}
        self.sandbox = (VkadsSandbox if vk else MytargetSandbox)(**{**small, **knobs})
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self.sandbox.start())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self.sandbox.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def account(self, name: str = "shop", grant: str = "authorization_code", **more: str) -> str:
        """Return a section of a configuration."""
        keys = {
            "network": self.sandbox.network,
            "base_url": self.sandbox.base_url,
            **self.sandbox.credentials,
            "grant": grant,
            **more,
        }
        lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        return "\n".join([f"[accounts.{name}]", *lines, ""])

    def configure(self, *sections: str) -> None:
        """Write a configuration; of one account that logs in with a code where none is given."""
        configure(*(sections or (self.account(),)))

    @property
    def report(self) -> dict[str, Any]:
        """What the server saw of its clients."""
        return self.sandbox.report()

    def consent(self, url: str) -> str:
        """Go to the page of consent, and return where it sends the browser back to."""
        return visit(url, follow=False)


@attrs.define
class Browser:
    """Opens pages as the user's browser would; *before* is visited on the way, and *opened* remembers all."""

    before: Callable[[str], None] | None = None
    opened: list[str] = attrs.field(factory=list)
    works: bool = True

    def __call__(self, url: str) -> bool:
        self.opened.append(url)
        if self.works:
            if self.before:
                self.before(url)
            visit(url)
        return self.works


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def visit(url: str, *, follow: bool = True) -> str:
    """Return the page at *url*; where it does not *follow*, the address that it is sent to."""
    opener = urllib.request.build_opener(*([] if follow else [_Stay()]))
    try:
        with opener.open(url, timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return str(error.headers.get("Location") or f"{error.code} {error.read().decode()}")


def stored(name: str = "shop") -> StoredToken | None:
    """Return the token of an account, from the state beside the configuration in the working folder."""
    with _token_store(name) as (tokens, key):
        return tokens.load(key)


def keep(token: StoredToken, name: str = "shop") -> None:
    """Store a token for an account, as if the network had given it."""
    with _token_store(name) as (tokens, key):
        tokens.save(key, token)


@contextmanager
def _token_store(name: str) -> Iterator[tuple[TokenStore, str]]:
    config = load(only=[name])
    found = config.accounts[name]
    with open_state(config) as state:
        made = connect(found.network, base_url=found.base_url, state=state, name=name, **found.credentials())
        yield state.tokens, made.account_id
