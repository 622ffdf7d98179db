"""The command line called in this process, and a Target Circle account on a loopback server beside it."""

import asyncio
import json
import threading
import time
from pathlib import Path
from typing import Any, Self

import attrs
import duckdb

from adnet.cli import main
from adnet.sandbox.targetcircle import TargetCircleSandbox

PERIOD = ("--since", "2026-10-01", "--until", "2026-10-02")
"""One day, of about forty transactions and four hundred clicks."""


@attrs.frozen
class Ran:
    """What one call of the command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)

    @property
    def line(self) -> str:
        """What it said on standard error, which must be one line."""
        assert self.err.count("\n") == 1, self.err
        return self.err.rstrip("\n")


class Adnet:
    """The command line, in this process; call it with its words."""

    def __init__(self, capsys: Any) -> None:
        self._capsys = capsys

    def __call__(self, *words: object) -> Ran:
        self._capsys.readouterr()
        code = main([str(word) for word in words])
        out, err = self._capsys.readouterr()
        return Ran(code, out, err)


class Partner:
    """A Target Circle sandbox in a thread of its own."""

    def __init__(self, **knobs: Any) -> None:
        self.sandbox = TargetCircleSandbox(**{"page_size": 100, **knobs})
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

    def wait_for(self, method: str, path: str, *, after: int) -> None:
        """Wait until a request has arrived beyond the first *after* ones."""
        deadline = time.monotonic() + 60
        while not any((entry.method, entry.path) == (method, path) for entry in self.sandbox.log[after:]):
            assert time.monotonic() < deadline, f"no {method} {path} in a minute"
            time.sleep(0.01)

    def account(self, name: str = "partner", **changes: str | None) -> str:
        """Return a section of a configuration; *changes* replace keys, None leaves one out."""
        keys: dict[str, str | None] = {
            "network": "targetcircle",
            "base_url": self.sandbox.base_url,
            **self.sandbox.credentials,
            "currency": "EUR",
            **changes,
        }
        lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items() if value is not None]
        return "\n".join([f"[accounts.{name}]", *lines, 'limits = { api = "1000/s", reports = 8 }', ""])


def configure(*sections: str, path: str = "adnet.toml") -> Path:
    """Write a configuration into the working folder, its state beside it."""
    file = Path(path)
    file.write_text("\n".join(['[state]\nurl = "sqlite:state.db"\n', *sections]), encoding="utf-8")
    file.chmod(0o600)
    return file


def landed(query: str, path: str = "ads.duckdb") -> list[tuple[Any, ...]]:
    """Return what a DuckDB file in the working folder answers."""
    with duckdb.connect(path, read_only=True) as connection:
        return connection.execute(query).fetchall()
