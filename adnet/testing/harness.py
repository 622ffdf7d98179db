"""What the conformance kit has to be given: a server to point at, and a side door into it.

A connector's author writes a :class:`Harness` of five methods. For networks with a sandbox of ours, or any
server built on :class:`adnet.sandbox.base.Sandbox`, :class:`SandboxHarness` has them all.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import Any, ClassVar, Final

import attrs

import adnet
from adnet.client import Account
from adnet.clock import SystemClock
from adnet.models.words import Level
from adnet.sandbox.base import LoggedRequest, Sandbox
from adnet.sandbox.faults import Faults

Row = dict[str, Any]

HOMES: Final = {
    "adskeeper": "adnet.testing.conformance.networks.adskeeper",
    "mgid": "adnet.testing.conformance.networks.adskeeper",
    "mytarget": "adnet.testing.conformance.networks.mytarget",
    "targetcircle": "adnet.testing.conformance.networks.targetcircle",
    "vkads": "adnet.testing.conformance.networks.mytarget",
}
"""Network -> the module whose FACTS say what a SandboxHarness must know of it."""

_TAKEN: Final = frozenset({"changes", "drafts", "guest", "knobs", "period", "strange"})

START: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""The first instant of every test of the kit, so that no test depends on the day on which it runs."""

_STILL_S: Final = 0.4
"""Who has not read the time for longer was kept from it."""


class FastClock:
    """A clock that runs faster than the machine's: for waits that have to pass while a real server answers.

    The order of things is that of real time; a second of it lasts ``1 / speed`` seconds. When the machine stands still,
    it does, too: a pause of a second would else be over before a token that is asked for could come.
    """

    def __init__(self, speed: float = 50.0, start: datetime = START) -> None:
        self._clock = SystemClock()
        self.speed = speed
        """May be changed at any time."""
        self._start = start
        self._read_at = self._clock.monotonic()
        self._seconds = 0.0

    def now(self) -> datetime:
        """Return the present instant of this clock, aware, in UTC."""
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return the seconds of this clock since it was made."""
        now = self._clock.monotonic()
        self._seconds += min(now - self._read_at, _STILL_S) * self.speed
        self._read_at = now
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        """Wait *seconds* of this clock."""
        until = self.monotonic() + seconds
        await self._clock.sleep(0)
        while (left := until - self.monotonic()) > 1e-6:  # less is rounding
            await self._clock.sleep(min(left / self.speed, _STILL_S / 2))

    def __repr__(self) -> str:
        return f"FastClock({self.now().isoformat()})"


@attrs.frozen
class Change:
    """A new value for one field of an object, and what it may touch at the server."""

    value: Any
    """In our words."""
    touches: tuple[str, ...]
    """Keys of ``peek`` that the change may alter; all others have to stay as they are."""


class Harness(ABC):
    """Gives one connector a server, and the kit a side door past the connector under test."""

    network: ClassVar[str]
    """The connector's slug."""
    period: ClassVar[tuple[date, date]] = (date(2026, 1, 14), date(2026, 1, 16))
    """Days, *until* exclusive, in which every dated table has rows."""
    strange: ClassVar[Mapping[str, str]] = {}
    """Regular expression -> replacement, for bodies of answers: turns the network's words for statuses and kinds
    into words that nobody knows. What it turns them into should contain ``zzz``."""
    drafts: ClassVar[Mapping[str, Any]] = {}
    """What the server accepts, as functions of a number. For connectors that write: ``campaigns`` -> returns a draft;
    ``ads`` -> the same of a number and a campaign's id; ``audiences`` -> a draft; ``aimed`` -> a campaign's draft, of
    a number and the id of an audience (made of ``audiences`` with that number) that it aims at. For those that make
    links or shares: ``links``, ``shares`` -> all keywords of ``list_links``, of ``share_audiences``."""
    changes: ClassVar[Mapping[str, Mapping[str, Change]]] = {}
    """``campaigns`` and ``ads`` -> field -> a change that the server accepts for an object made from such a draft."""
    guest: ClassVar[Mapping[str, Any]] = {}
    """For connectors that share: options of ``account`` for another user of the server, who may activate shares."""

    credentials: Mapping[str, Any]
    """What the server lets in, as keywords of ``adnet.connect``; known from the start."""
    requests: Sequence[LoggedRequest]
    """All requests that have reached the server so far, refused ones included; grows."""

    @abstractmethod
    async def account(self, **options: Any) -> Account:
        """Return a new account that talks to the server; starts the server if need be.

        Args:
            options: Go to ``adnet.connect`` and win over what the harness gives.
        """

    @abstractmethod
    def truth(
        self, table: str, since: date | None = None, until: date | None = None, level: Level | None = None
    ) -> list[Row]:
        """Return what the server holds, as rows of *table*: the right answer to a list.

        Made past the connector under test and past its codec. A row may leave out columns that cannot be known
        from outside; all rows of a table have the same columns. ``raw`` is the network's own object, where it is
        given.
        """

    @abstractmethod
    def peek(self, kind: str, object_id: str) -> Mapping[str, Any] | None:
        """Return one of the ``campaigns`` or ``ads`` as the server holds it, in its own words; None if it is gone."""

    def held(self, what: str, of: str = "") -> list[Row] | None:  # noqa: ARG002
        """Return all that the server now holds of *what*, in our words; None if that cannot be looked at.

        Made past the connector under test, like ``truth``. Where it gives None, which is what it does unless it is
        overridden, the tests of the effect are skipped and say so. *what* and its rows are

        - ``sources`` of a campaign's id: ``source_id``, ``factor`` (a Decimal; 0 where the campaign is not shown, 1
          where nothing was said), one for each source that there is; those that contain others come last
        - ``links`` of a click URL: ``offer_id``, ``source_id``, ``deeplink`` (or None), ``sub_ids`` of a click on it
        - ``audiences``: ``audience_id``, ``kind``, ``name``, and the keys of the drafts' ``extra``
        - ``aims`` of a campaign's id: ``audience_id``, one for each audience that it aims at
        - ``shares``: ``key``, ``audiences`` (pairs of kind and id, sorted), ``users`` (sorted), ``payment``, ``price``
          (Money or None), ``notify`` (whether the users were told)
        - ``opened`` by a key: ``kind``, ``audience_id``, one for each audience that a user of the key has activated
        - ``tokens``: anything, one for each token that lets this account in
        """
        return None

    @abstractmethod
    def fault(self, *names: str) -> None:
        """Strike the next requests, one after another; without names, strike no further ones.

        Names are ``408``, ``429``, ``500``, ``502``, ``503``, ``badjson``, ``half``, ``reset``, ``slow``; for
        connectors that queue reports also ``failed`` and ``evicted``; for those that write also ``lost-reply``.

        Raises:
            LookupError: The server has no such fault.
        """

    @abstractmethod
    async def close(self) -> None:
        """Stop the server."""


async def generous_limits(network: str, options: Mapping[str, Any]) -> dict[str, str]:
    """Return limits for ``adnet.connect`` that hold nobody up: so many requests a second for every bucket."""
    account = adnet.connect(network, **{**options, "limits": None, "transport": None})
    names = [bucket.name for bucket in account.connector.limiter.state() if bucket.windows]
    await account.close()
    return dict.fromkeys(names, "10000/s")


class SandboxHarness(Harness):
    """A harness for a server built on ``adnet.sandbox.base.Sandbox``.

    For a network of ours the slug is all it needs; for another one also ``sandbox``, and ``truth`` overridden.

    Args:
        knobs: Go to the sandbox and win over ``knobs`` of the class.
    """

    sandbox: ClassVar[type[Sandbox] | None] = None
    """The sandbox class; by default the one that adnet has for the network."""
    knobs: ClassVar[Mapping[str, Any]] = {}
    """Further settings of the sandbox."""

    _facts: ClassVar[Mapping[str, Any]] = {}

    def __init_subclass__(cls, **rest: Any) -> None:
        """Take what is known about one of our own networks, unless the subclass says something else."""
        super().__init_subclass__(**rest)
        home = HOMES.get(cls.__dict__.get("network", ""))
        if home is not None:
            cls._facts = import_module(home).FACTS
            for name in _TAKEN & cls._facts.keys() - cls.__dict__.keys():
                setattr(cls, name, cls._facts[name])

    def __init__(self, **knobs: Any) -> None:
        from adnet.sandbox import load

        self.clock = FastClock()
        made = self.sandbox or load(self.network)
        self.server = made(**{"now": self.clock.now, "slow_s": 0.01, **self.knobs, **knobs})
        self.credentials = {**self.server.account_options, **self.server.credentials}
        self._started = False
        self._accounts: list[Account] = []

    @property
    def requests(self) -> Sequence[LoggedRequest]:  # type: ignore[override]
        """The sandbox's log."""
        return self.server.log

    async def account(self, **options: Any) -> Account:
        """Return a new account; its limits are as wide as a test needs unless *options* has others."""
        if not self._started:
            await self.server.start()
            self._started = True
        given: dict[str, Any] = {
            "base_url": self.server.base_url,
            "clock": self.clock,
            **self.credentials,
            **options,
        }
        if "limits" not in given:
            given["limits"] = await generous_limits(self.network, given)
        account = adnet.connect(self.network, **given)
        self._accounts.append(account)
        return account

    def truth(
        self, table: str, since: date | None = None, until: date | None = None, level: Level | None = None
    ) -> list[Row]:
        """Return the sandbox's rows as rows of *table*; to be overridden for networks that are not ours."""
        rows: list[Row] = self._facts["expected"](self.server, table, since, until, level)
        return rows

    def peek(self, kind: str, object_id: str) -> Mapping[str, Any] | None:
        """Return one object of the sandbox; to be overridden for networks that are not ours."""
        found: Mapping[str, Any] | None = self._facts["found"](self.server, kind, object_id)
        return found

    def held(self, what: str, of: str = "") -> list[Row] | None:
        """Return what the sandbox holds; to be overridden for networks that are not ours."""
        tell = self._facts.get("held", {}).get(what)
        return None if tell is None else tell(self.server, of)

    def fault(self, *names: str) -> None:
        """Strike the sandbox's next requests; see :class:`Harness`."""
        known = self.server.fault_names
        if not names:
            self.server.faults = Faults(seed=self.server.seed, known=known)
        for name in names:
            if name not in known:
                raise LookupError(f"the {self.network} sandbox has no fault {name!r}")
            self.server.faults.once(name)

    async def close(self) -> None:
        """Close every account that was made, and the sandbox."""
        for account in self._accounts:
            await account.close()
        await self.server.close()
