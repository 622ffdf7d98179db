"""Every fault, in every kind of operation, of every connector: the right rows or the right error, in time.

A cell is one fault in one operation of one connector. It strikes once, or, where once can be overcome, it stays. In
the proxy "executed" faults let the server do its work before they spoil the answer, so that a write which is repeated
shows.
"""

import asyncio
import os
from collections.abc import Iterable
from functools import cache
from random import Random
from typing import Any

import attrs
import pytest

from adnet.errors import (
    AdnetError,
    AuthenticationError,
    ConnectError,
    IncompleteBodyError,
    OriginError,
    PayloadError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    TooLargeError,
    TransportError,
)
from adnet.sandbox import load
from adnet.testing.faults import FAULTS

from .tally import tally
from .world import NETWORKS, Network, Operation, World, busy, tasks, world

HARMLESS = {"wrong-type", "duplicate", "skew"}
"""Faults that hurt nobody."""

PASSING: dict[str, type[AdnetError]] = {
    "refused": ConnectError,
    "reset": TransportError,
    "reset-body": TransportError,
    "slow-headers": RequestTimeoutError,
    "slow-body": RequestTimeoutError,
    "half": IncompleteBodyError,
    "cut-gzip": IncompleteBodyError,
    "html-502": ServerError,
    "408": ServerError,
    "429": RateLimitError,
    "429-seconds": RateLimitError,
    "429-date": RateLimitError,
    "429-skewed": RateLimitError,
    "500": ServerError,
    "503": ServerError,
}
"""Faults that are overcome when they strike once, and what rises when they stay; all of it temporary."""

FINAL: dict[str, tuple[type[AdnetError], bool]] = {
    "429-week": (RateLimitError, True),
    "401": (AuthenticationError, False),
    "redirect": (OriginError, False),
    "empty-200": (PayloadError, False),
    "bad-json": (PayloadError, False),
    "huge-announced": (TooLargeError, False),
    "huge-streamed": (TooLargeError, False),
    "gzip-bomb": (TooLargeError, False),
}
"""Faults that rise at once, and whether what rises is temporary."""

UNREAD = {("targetcircle", "report", "bad-json")}
"""Cells in which the fault is in what nobody reads: a report's place is in a header."""

MANY = 1000
LIMIT_S = 10.0
"""Of the machine, for one cell; fifty times as long for the account."""


@attrs.frozen
class Cell:
    """One fault in one operation of one connector."""

    network: str
    operation: str
    fault: str
    lasting: bool
    seed: int = 7
    """Decides what the server has."""

    def __str__(self) -> str:
        return f"{self.network}-{self.operation}-{self.fault}-{'lasting' if self.lasting else 'once'}"

    def parts(self) -> tuple[Network, Operation]:
        """Return network and operation."""
        known = NETWORKS[self.network]
        network = attrs.evolve(known, knobs={**known.knobs, "seed": self.seed})
        operation = next(operation for operation in known.operations if operation.name == self.operation)
        if "email" in operation.options:
            server = load(self.network)(seed=self.seed)
            login = {"email": server.email, "password": server.password}
            operation = attrs.evolve(operation, options={**operation.options, **login})
        return network, operation


def cells(*, writes: bool, networks: Iterable[str]) -> list[Cell]:
    """Return the cells of the matrix."""
    return [
        Cell(name, operation.name, fault, lasting)
        for name in networks
        for operation in NETWORKS[name].operations
        if writes is not operation.idempotent
        for fault in FAULTS
        for lasting in ((False, True) if fault in PASSING else (False,))
    ]


OURS = ("targetcircle", "adskeeper", "mytarget")
"""The others stand behind the same code, with another vocabulary; ``make soak`` has them all."""

CELLS = int(os.environ.get("ADNET_SOAK_CELLS", "100"))
"""Of one round of ``make soak``."""
SEED = int(os.environ.get("ADNET_SEED", "20"))


def drawn(number: int) -> list[Cell]:
    """Return so many cells of all connectors, each over a server of its own seed."""
    chance = Random(SEED)
    known = [cell for writes in (False, True) for cell in cells(writes=writes, networks=NETWORKS)]
    return [
        attrs.evolve(cell, seed=chance.randint(1, 10**6))
        for cell in chance.sample(known, min(number, len(known)))
    ]


def strike(cell: Cell, there: World) -> None:
    """Let the fault of *cell* strike what its operation is about to send."""
    _, operation = cell.parts()
    there.transport.hurried = cell.fault.startswith("slow") * (MANY if cell.lasting else 1)
    everything = cell.fault == "refused" and operation.first
    there.proxy.strike(
        cell.fault,
        where=None if everything else lambda asked: operation.where(asked.method, asked.target),
        times=None if cell.lasting else 1,
    )


@cache
def right_answer(network: str, operation: str, seed: int) -> Any:
    """Return what the operation gives where nothing goes wrong."""

    async def ask() -> Any:
        made, chosen = Cell(network, operation, "", lasting=False, seed=seed).parts()
        async with world(made, chosen) as there:
            return await chosen.call(there.account)

    return asyncio.run(ask())


async def outcome(there: World, operation: Operation) -> Any:
    """Return what the operation gives or raises; anything but our errors fails the test."""
    async with asyncio.timeout(LIMIT_S):
        try:
            return await operation.call(there.account)
        except AdnetError as error:
            return error


def check_error(cell: Cell, error: AdnetError) -> None:
    """Fail unless *error* is what the matrix says."""
    kind, temporary = FINAL.get(cell.fault) or (PASSING[cell.fault], True)
    if cell.operation == "token" and cell.network in {"mytarget", "vkads"} and temporary:
        # The request itself was never sent, whatever kept the token from coming.
        kind = ConnectError
    elif cell.operation == "page" and cell.fault == "refused":
        kind = TransportError  # its connections are cut first
    assert isinstance(error, kind), repr(error)
    assert temporary is error.temporary
    assert error.network == cell.network
    assert error.operation
    if isinstance(error, RateLimitError) and cell.fault == "429-week":
        assert error.retry_after_s == 7 * 86_400


async def check(cell: Cell) -> None:
    """Play a cell of an operation that may be repeated."""
    network, operation = cell.parts()
    expected = await asyncio.to_thread(right_answer, cell.network, cell.operation, cell.seed)
    async with world(network, operation) as there:
        before = tasks()
        strike(cell, there)
        found = await outcome(there, operation)
        assert there.proxy.struck[cell.fault] >= 1
        tally("faults tried", there.proxy.struck.total())
        tally("requests served", len(there.server.log))
        if isinstance(found, AdnetError):
            assert cell.fault not in HARMLESS
            assert cell.lasting or cell.fault in FINAL or patient(cell), repr(found)
            check_error(cell, found)
        else:
            assert cell.fault not in FINAL or (cell.network, cell.operation, cell.fault) in UNREAD
            assert not cell.lasting
            assert found == expected
        await quiet(there, before)
        if cell.fault != "429-week" and cell.operation != "token":
            there.proxy.calm()
            there.transport.hurried = 0
            assert await operation.call(there.account) == expected


def patient(cell: Cell) -> bool:
    """Whether a fault that strikes once may be told instead of overcome.

    A refused door refuses all pages that are under way, which may be more than retries are for. A token endpoint
    whose reply was lost is left alone for seconds, since each token it gives may use up one of few.
    """
    return (cell.operation == "page" and cell.fault == "refused") or (
        cell.operation == "token" and cell.network in {"mytarget", "vkads"}
    )


async def quiet(there: World, before: set[Any]) -> None:
    """Fail unless nothing of the account is under way any more."""
    for _ in range(100):
        if not busy(there.account) and not client_tasks() - before:
            return
        await asyncio.sleep(0.001)
    assert busy(there.account) == {}
    assert client_tasks() - before == set()


def client_tasks() -> set[Any]:
    """Return the tasks of this loop without those of the servers in it."""
    names = ("Sandbox", "FaultProxy", "RequestHandler")
    return {task for task in tasks() if not task.get_coro().__qualname__.startswith(names)}


@pytest.mark.parametrize("cell", cells(writes=False, networks=OURS), ids=str)
async def test_a_fault_gives_the_right_rows_or_the_right_error(cell):
    """Rows are complete or told to be missing; the class says what happened, and temporary whether to try again."""
    await check(cell)


@pytest.mark.parametrize("cell", cells(writes=True, networks=OURS), ids=str)
async def test_a_write_is_never_doubled_and_never_lost_from_sight(cell):
    """It is done once, or not at all; what is not known to be undone is never told as failed."""
    await check_write(cell)


async def check_write(cell: Cell) -> None:
    """Play a cell of an operation that must not be repeated."""
    network, operation = cell.parts()
    assert network.made is not None
    async with world(network, operation) as there:
        before, running = network.made(there.server), tasks()
        strike(cell, there)
        await asyncio.sleep(0.005)  # the client learns which of its connections are gone
        found = await outcome(there, operation)
        made = network.made(there.server) - before
        executed = FAULTS[cell.fault].startswith("executed")
        repeated = (
            not executed and cell.fault in PASSING and PASSING[cell.fault] in {ConnectError, RateLimitError}
        )
        assert there.proxy.struck[cell.fault] >= 1
        tally("faults tried", there.proxy.struck.total())
        tally("requests served", len(there.server.log))
        if executed:
            assert (made, found.status) in {(1, "done"), (1, "unknown")}, found
        elif repeated and not cell.lasting:
            assert (made, found.status) == (1, "done"), found
        else:
            assert made == 0
            assert found.status in {"failed", "unknown"}, found
            check_write_error(cell, found.error, repeated=repeated)
        if found.status == "unknown":
            assert not found.error.temporary
        await quiet(there, running)


def check_write_error(cell: Cell, error: AdnetError, *, repeated: bool) -> None:
    """Fail unless the error of a write that was not made is what the matrix says."""
    kind, temporary = FINAL.get(cell.fault) or (PASSING[cell.fault], repeated)
    assert isinstance(error, kind), repr(error)
    assert temporary is error.temporary


@pytest.mark.soak
@pytest.mark.parametrize("cell", drawn(CELLS), ids=lambda cell: f"{cell}-{cell.seed}")
async def test_a_drawn_cell_ends_as_the_matrix_says(cell):
    """Of any connector, over data that no other test has."""
    _, operation = cell.parts()
    await (check if operation.idempotent else check_write)(cell)
    tally("cells of the matrix played", 1)


def test_the_matrix_knows_every_fault():
    """A fault that the proxy learns has to find its row here."""
    assert set(FAULTS) == HARMLESS | set(PASSING) | set(FINAL)
