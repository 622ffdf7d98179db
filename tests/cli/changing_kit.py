"""A small advertiser account on an imitation network, and the command line to change it with."""

import asyncio
import io
import json
import sys
import threading
from pathlib import Path
from typing import Any, Self

import attrs

from adnet.cli import main
from adnet.sandbox.adskeeper import AdskeeperSandbox

FIRST = 510001
"""Id of the sandbox's first campaign; the next ones are seven apart."""


@attrs.frozen
class Ran:
    """What one call of the command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        assert self.out, self.err
        return json.loads(self.out)


class Shop:
    """A sandbox in a thread of its own, by default Adskeeper's, and ``adnet`` in this one."""

    def __init__(self, folder: Path, capsys: Any, monkeypatch: Any, *, sandbox: Any = None) -> None:
        self.sandbox = sandbox or AdskeeperSandbox(campaigns=30, days=3, max_in_flight=50)
        self.config = folder / "adnet.toml"
        self._capsys, self._monkeypatch = capsys, monkeypatch
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread.start()
        assert self._started.wait(10)
        self.configure(**self.credentials)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _serve(self) -> None:
        self._loop.run_until_complete(self.sandbox.start())
        self._started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self.sandbox.close())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    @property
    def credentials(self) -> dict[str, str]:
        """What the sandbox lets in."""
        return {**self.sandbox.account_options, **self.sandbox.credentials}

    @property
    def secrets(self) -> list[str]:
        """Credentials that may be shown nowhere."""
        names = {"token", "client_secret", "password"}
        return [value for name, value in self.sandbox.credentials.items() if name in names]

    def configure(self, **credentials: str) -> None:
        """Write the configuration of an account called ``shop``."""
        keys = {"network": self.sandbox.network, "base_url": self.sandbox.base_url, **credentials}
        lines = [f"{name} = {json.dumps(value)}" for name, value in keys.items()]
        limits = 'limits = { api = "1000/s" }' if isinstance(self.sandbox, AdskeeperSandbox) else ""
        self.config.write_text(
            "\n".join(['[state]\nurl = "sqlite:state.db"', "[accounts.shop]", *lines, limits])
        )

    def campaign(self, number: int = 0, **settings: Any) -> Any:
        """Return a campaign as the network holds it, with *settings* changed."""
        campaign = self.sandbox.account.campaigns[FIRST + 7 * number]
        for name, value in {"own_status": 6, "blocked": False, "by_sources": False, **settings}.items():
            setattr(campaign, name, value)
        return campaign

    def __call__(self, *words: object, stdin: str | None = "") -> Ran:
        """Run ``adnet`` with *words*."""
        self._capsys.readouterr()
        self._monkeypatch.setattr(sys, "stdin", None if stdin is None else io.StringIO(stdin))
        code = main(["--config", str(self.config), *map(str, words)])
        return Ran(code, *self._capsys.readouterr())

    @property
    def writes(self) -> list[str]:
        """What was sent to change something: method, last part of the path, and body."""
        return [
            f"{request.method} {request.path.rpartition('/')[2]} {request.body.decode()}".strip()
            for request in self.sandbox.log
            if request.method != "GET"
        ]
