"""A proxy that misbehaves on purpose: between a client and a server, one named fault at a time, by a schedule.

```python
async with TargetCircleSandbox() as server, FaultProxy(server.origin) as proxy:
    account = adnet.connect("targetcircle", base_url=proxy.url(server.base_url), token=…)
    proxy.strike("reset-body", where=lambda asked: "page=2" in asked.target)
```

What strikes which request follows from the script, the strikes and the seed alone, by the order in which requests
arrive; :attr:`FaultProxy.log` tells what happened, and a script made of it makes it happen again.
"""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import attrs

from adnet.testing._fault_acts import ACTS, Exchange, FaultSettings
from adnet.testing._fault_schedule import Schedule, Where
from adnet.testing._fault_wire import Answered, Asked, read_answered, read_asked

__all__ = ["FAULTS", "Answered", "Asked", "FaultProxy", "FaultSettings", "Passed", "Schedule"]

FAULTS: Final[Mapping[str, str]] = {name: sentence for name, (sentence, _) in ACTS.items()}
"""Every fault and what it does. "Executed" means that the server behind the proxy has served the request."""

HOST: Final = "127.0.0.1"
_HEAD_BYTES: Final = 256 * 1024


@attrs.frozen(kw_only=True)
class Passed:
    """One request that reached the proxy."""

    number: int
    """From 0, in the order of arrival."""
    asked: Asked
    fault: str | None
    executed: bool
    """Whether the server behind has got it."""


class FaultProxy:
    """Passes requests on to a server, and does to some of them what the schedule says.

    Use it as an async context manager, or ``start`` and ``close``. It listens on 127.0.0.1.

    Args:
        upstream: Origin of the server behind, ``http://127.0.0.1:PORT``.
        rates: See :class:`Schedule`.
        seed: See :class:`Schedule`.
        script: See :class:`Schedule`.
        settings: How long, how late, how much.
    """

    def __init__(
        self,
        upstream: str,
        *,
        rates: Mapping[str, float] | None = None,
        seed: int = 7,
        script: Iterable[str | None] = (),
        settings: FaultSettings | None = None,
    ) -> None:
        parts = urlsplit(upstream)
        if parts.scheme != "http" or not parts.hostname or not parts.port:
            raise ValueError(f"upstream must be http://HOST:PORT, not {upstream!r}")
        self.settings = settings or FaultSettings()
        self.struck: Counter[str] = Counter()
        """How often each fault struck so far."""
        self._upstream = (parts.hostname, parts.port)
        self._schedule = Schedule(rates, seed=seed, script=script)
        self._log: list[Passed] = []
        self._place: socket.socket | None = None
        self._door: socket.socket | None = None
        self._idle: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._accepted: set[socket.socket] = set()
        """Connections whose task has not begun yet."""
        self._opening: asyncio.TimerHandle | None = None
        self._arrived = 0

    # ------------------------------------------------------------------ for tests

    @property
    def origin(self) -> str:
        """Where clients reach it; known once started."""
        if self._place is None:
            raise RuntimeError("the proxy has not been started")
        return f"http://{HOST}:{self._place.getsockname()[1]}"

    def url(self, url: str) -> str:
        """Return a URL of the server behind as clients of the proxy name it."""
        return self.origin + urlsplit(url).path

    @property
    def log(self) -> Sequence[Passed]:
        """Every request so far, in the order in which they were settled."""
        return tuple(self._log)

    @property
    def script(self) -> list[str | None]:
        """What happened, as a script for another proxy."""
        return [passed.fault for passed in sorted(self._log, key=lambda passed: passed.number)]

    def strike(self, *names: str, where: Where | None = None, times: int | None = 1) -> None:
        """Strike the next requests for which *where* holds, fault after fault, each *times*; None is for ever.

        ``refused`` without *where* shuts the door at once. With *where*, a request that is met is cut off first,
        since it has its connection already.
        """
        self._schedule.strike(*names, where=where, times=times)
        if self._schedule.refused():
            self._shut()

    def calm(self) -> None:
        """Strike nothing any more, and open the door."""
        self._schedule.calm()
        self._open()

    async def start(self) -> None:
        """Listen on a port that the system chooses."""
        place = socket.socket()
        # Bound and never listening, it keeps the port while the door is shut: the system refuses connections to it.
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind((HOST, 0))
        self._place = place
        self._listen()

    async def close(self) -> None:
        """Cut what is open and stop listening; may be called twice."""
        if self._opening is not None:
            self._opening.cancel()
        self._stop_listening()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while self._accepted:
            self._accepted.pop().close()
        if self._place is not None:
            self._place.close()
            self._place = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"FaultProxy({self._upstream[0]}:{self._upstream[1]}, {len(self._log)} requests, {dict(self.struck)})"

    # ------------------------------------------------------------------ the door

    def _listen(self) -> None:
        assert self._place is not None
        door = socket.socket()
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(self._place.getsockname())
        door.listen(128)
        door.setblocking(False)
        self._door = door
        asyncio.get_running_loop().add_reader(door, self._accept, door)

    def _accept(self, door: socket.socket) -> None:
        try:
            client, _ = door.accept()
        except OSError:
            return  # it has gone again
        self._accepted.add(client)
        task = asyncio.get_running_loop().create_task(self._talk(client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _stop_listening(self) -> None:
        door, self._door = self._door, None
        if door is not None:
            asyncio.get_running_loop().remove_reader(door)
            door.close()

    def _shut(self) -> None:
        """Refuse connections, and cut those on which nothing is under way."""
        if self._door is None:
            return
        self.struck["refused"] += 1
        self._stop_listening()
        for writer in self._idle:
            writer.transport.abort()
        first = self._schedule.refused()
        if first is None or first.times is not None:
            loop = asyncio.get_running_loop()
            self._opening = loop.call_later(self.settings.shut_s, self._reopen, first is not None)

    def _reopen(self, counted: bool) -> None:
        if counted:
            self._schedule.settle_refused()
        self._open()
        if self._schedule.refused():
            self._shut()

    def _open(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        if self._door is None and self._place is not None:
            self._listen()

    # ------------------------------------------------------------------ connections

    async def _talk(self, client: socket.socket) -> None:
        self._accepted.discard(client)
        reader, writer = await _streams(client)
        try:
            with contextlib.suppress(ConnectionError):
                while await self._once(reader, writer):
                    pass
        finally:
            self._idle.discard(writer)
            writer.close()

    async def _once(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request, and say whether the connection goes on."""
        self._idle.add(writer)
        asked = await read_asked(reader)
        self._idle.discard(writer)
        if asked is None or writer.is_closing():
            return False  # what came on a connection that was cut meanwhile has not arrived
        number, self._arrived = self._arrived, self._arrived + 1
        fault = self._schedule.verdict(asked)
        forward = _Forward(asked, self._upstream)
        exchange = Exchange(
            asked=asked, settings=self.settings, forward=forward, reader=reader, writer=writer
        )
        try:
            if fault is None:
                return await exchange.answer(await forward())
            if fault == "refused":
                self._shut()
            else:
                self.struck[fault] += 1
            return await ACTS[fault][1](exchange)
        finally:
            self._log.append(Passed(number=number, asked=asked, fault=fault, executed=forward.executed))
            if self._schedule.refused():
                self._shut()


class _Forward:
    """Has one request executed by the server behind."""

    def __init__(self, asked: Asked, upstream: tuple[str, int]) -> None:
        self.executed = False
        self._asked = asked
        self._upstream = upstream

    async def __call__(self) -> Answered:
        """Return the server's answer.

        Raises:
            ConnectionError: It gave none.
        """
        host, port = self._upstream
        server = socket.socket()
        server.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(server, self._upstream)
        except BaseException:
            server.close()
            raise
        reader, writer = await _streams(server)
        try:
            writer.write(self._asked.forwarded(f"{host}:{port}"))
            self.executed = True
            return await read_answered(reader, self._asked.method)
        finally:
            writer.close()


async def _streams(sock: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return reader and writer of a connection that is there already."""
    loop = asyncio.get_running_loop()
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    reader = asyncio.StreamReader(limit=_HEAD_BYTES, loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, sock)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
