"""Many single calls as few requests: reads of one moment become one list request, writes go out in batches.

A *tick* is one turn of the event loop: whatever asks for an object before the loop turns is asked for together. So
``asyncio.gather(account.get_campaign(1), account.get_campaign(2))`` is one request, and a lone call waits for nobody.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Generic, TypeVar

from adnet.errors import AdnetError
from adnet.models import Outcome, Update
from adnet.operations.changes import by_kind

K = TypeVar("K")
V = TypeVar("V")
I = TypeVar("I")  # noqa: E741 - an item
Waiting = Mapping[K, Sequence["asyncio.Future[V | None]"]]
"""Who waits for each key of one request."""


def cut(items: Sequence[I], maximum: int) -> list[Sequence[I]]:
    """Return *items* in order, in pieces of at most *maximum*."""
    return [items[start : start + maximum] for start in range(0, len(items), maximum)]


class GroupedReads(Generic[K, V]):
    """Reads single objects, those of one tick together.

    Equal keys of one tick are asked for once. A caller that is cancelled leaves the others what they wait for; when
    all have gone, the request is cancelled.

    Args:
        fetch: Returns the objects for at most *maximum* keys; a key that is missing in its answer has no object.
        maximum: Keys of one request.
    """

    def __init__(self, fetch: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], *, maximum: int) -> None:
        self._fetch = fetch
        self._maximum = maximum
        self._waiting: dict[K, list[asyncio.Future[V | None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def get(self, key: K) -> V | None:
        """Return the object of *key*; None when there is none.

        Raises:
            AdnetError: What the request for it and its neighbours raised.
        """
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._start, loop)
        future: asyncio.Future[V | None] = loop.create_future()
        self._waiting.setdefault(key, []).append(future)
        return await future

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting, self._waiting = self._waiting, {}
        waiting = {key: futures for key, futures in waiting.items() if _open({key: futures})}
        for keys in cut(list(waiting), self._maximum):
            group = {key: waiting[key] for key in keys}
            task = loop.create_task(self._serve(group))
            self._tasks.add(task)
            task.add_done_callback(partial(self._ended, group))
            for future in _open(group):
                future.add_done_callback(partial(_gone, task, group))

    async def _serve(self, group: "Waiting[K, V]") -> None:
        found = await self._fetch(list(group))
        for key, futures in group.items():
            for future in futures:
                if not future.done():
                    future.set_result(found.get(key))

    def _ended(self, group: "Waiting[K, V]", task: "asyncio.Task[None]") -> None:
        """Tell all who still wait how the request ended."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        for future in _open(group):
            if error is None:
                future.cancel()
            else:
                # A copy for each: callers write their own context into it.
                future.set_exception(error.copied() if isinstance(error, AdnetError) else error)

    async def close(self) -> None:
        """Cancel requests that are still under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _gone(task: "asyncio.Task[None]", group: "Waiting[K, V]", future: "asyncio.Future[V | None]") -> None:
    """Cancel a request once nobody waits for it."""
    if future.cancelled() and not _open(group):
        task.cancel()


def _open(group: "Waiting[K, V]") -> "list[asyncio.Future[V | None]]":
    return [future for futures in group.values() for future in futures if not future.done()]


async def in_batches(
    items: Sequence[I],
    maximum: int,
    send: Callable[[Sequence[I]], Awaitable[Sequence[Outcome]]],
) -> list[Outcome]:
    """Return one outcome for each item, in their order; *send* is given at most *maximum* of them at once.

    Batches are sent side by side; what one of them raises is the outcome of its own items only.
    """
    batches = cut(items, maximum)

    async def one(batch: Sequence[I]) -> Sequence[Outcome]:
        try:
            return await send(batch)
        except AdnetError as error:
            return [Outcome(status="failed", error=error) for _ in batch]

    results = await asyncio.gather(*(one(batch) for batch in batches))
    return [outcome for outcomes in results for outcome in outcomes]


async def kind_by_kind(
    updates: Sequence[Update], send: Callable[[str, Sequence[Update]], Awaitable[Sequence[Outcome]]]
) -> list[Outcome]:
    """Return one outcome for each update, in their order; *send* is given those of one kind at once.

    What it raises rises where nothing was sent before. Else it is the outcome of all that is left: nobody would learn
    what had been done, and what comes later may rely on what failed.
    """
    outcomes: list[Outcome] = []
    for kind, part in by_kind(updates):
        try:
            outcomes += await send(kind, part)
        except AdnetError as error:
            if not outcomes:
                raise
            left = updates[len(outcomes) :]
            return outcomes + [Outcome(id=one.id, status="failed", error=error) for one in left]
    return outcomes
