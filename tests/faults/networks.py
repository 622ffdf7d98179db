"""Imitations of three networks for the command line: in a thread of their own, behind proxies, configured."""

import asyncio
import os
import threading
from pathlib import Path
from typing import Any, Self

from adnet.sandbox import load
from adnet.testing.faults import FaultProxy


def secrets_of(server: Any) -> dict[str, str]:
    """Return every credential that a sandbox lets in or has given out."""
    found = {
        f"{server.network} {name}": value
        for name, value in server.credentials.items()
        if name in {"token", "client_secret"}
    }
    if hasattr(server, "password"):
        found[f"{server.network} password"] = server.password
    for number, token in enumerate(getattr(server, "_tokens", ())):
        found[f"{server.network} issued {number}"] = token
    if hasattr(server, "world"):
        for number, token in enumerate(server.world.tokens.tokens):
            found[f"access token {number}"] = token.access
            found[f"refresh token {number}"] = token.refresh
    return found


class Networks:
    """Three imitations behind proxies, in a thread of their own, and a configuration that leads to them."""

    def __init__(self) -> None:
        seed = os.getpid()  # so that these secrets are nobody else's
        self.servers = {
            "partner": load("targetcircle")(seed=seed, per_day=6, page_size=100),
            "native": load("adskeeper")(seed=seed, campaigns=6, days=25),
            "shop": load("mytarget")(seed=seed, campaigns=6, banners=6, limits="none"),
        }
        self.proxies: dict[str, FaultProxy] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        for name, server in self.servers.items():
            self.run(server.start())
            self.proxies[name] = FaultProxy(server.origin)
            self.run(self.proxies[name].start())
        return self

    def __exit__(self, *_: object) -> None:
        for name, server in self.servers.items():
            self.run(self.proxies[name].close())
            self.run(server.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Any) -> Any:
        """Run a coroutine in the servers' thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def call(self, function: Any) -> None:
        """Call a function in the servers' thread."""

        async def called() -> None:
            function()

        self.run(called())

    def secrets(self) -> dict[str, str]:
        """Return every secret of every network."""
        return {name: value for server in self.servers.values() for name, value in secrets_of(server).items()}

    def configure(self, folder: Path) -> dict[str, str]:
        """Write the configuration; return the environment that it names."""
        native, shop = self.servers["native"], self.servers["shop"]
        (folder / "secret").write_text(shop.credentials["client_secret"], encoding="utf-8")
        url = {name: proxy.url(self.servers[name].base_url) for name, proxy in self.proxies.items()}
        (folder / "adnet.toml").write_text(
            f"""
            [state]
            url = "sqlite:state.db"
            key = {{ env = "STATE_KEY" }}
            [accounts.partner]
            network = "targetcircle"
            base_url = "{url["partner"]}"
            token = {{ env = "TC_TOKEN" }}
            currency = "EUR"
            limits = {{ api = "1000/s" }}
            [accounts.native]
            network = "adskeeper"
            base_url = "{url["native"]}"
            email = "{native.email}"
            password = {{ env = "AK_PASSWORD" }}
            limits = {{ api = "1000/s" }}
            [accounts.shop]
            network = "mytarget"
            base_url = "{url["shop"]}"
            client_id = "{shop.credentials["client_id"]}"
            client_secret = {{ file = "secret" }}
            """,
            encoding="utf-8",
        )
        return {
            "STATE_KEY": "a key that nobody guesses, of this state",
            "TC_TOKEN": self.servers["partner"].credentials["token"],
            "AK_PASSWORD": native.password,
        }
