"""Changes: exactly what is named, once, with one outcome for each item in the order of the input."""

import asyncio
from functools import partial
from typing import Any, Final

import attrs
import pytest

from adnet.client import Account
from adnet.errors import BatchError, NotFoundError
from adnet.interface import Capabilities
from adnet.models import Ad, AdDraft, Campaign, CampaignDraft, Update
from adnet.money import Money
from adnet.operations.diff import diff
from adnet.testing.conformance._policy import standard
from adnet.testing.conformance._tools import MISSING, busy, client_tasks, open_account, settled, warm
from adnet.testing.conformance.identity import secrets_of
from adnet.testing.harness import Harness

_KEYS: Final = {"campaigns": "campaign_id", "ads": "ad_id"}
_NAMES: Final = {"campaigns": "name", "ads": "title"}
_TOLD: Final = ("daily_budget", "total_budget", "bid", "starts_on", "ends_on", "campaign_id", "url")


def _written(capabilities: Capabilities) -> list[str]:
    return [kind for kind in _KEYS if capabilities.supports(f"create_{kind}")]


def _planned(capabilities: Capabilities) -> list[str]:
    return _written(capabilities) if capabilities.supports("plan") else []


class Writes:
    """Creating, changing and deleting, as far as the connector can."""

    @standard(kind=_written)
    async def test_what_is_created_is_there_and_paused(self, harness: Harness, kind: str) -> None:
        """Drafts become objects in their order; they are there under their names, and spend nothing.

        If this fails, look at: the order of outcomes, and the network's default status of new objects.
        """
        account = await harness.account()
        drafts = [await draft(account, harness, kind, number) for number in (1, 2)]
        result = await create(account, kind, drafts)
        assert result.ok, result
        for made, wanted in zip(result.ids, drafts, strict=True):
            assert harness.peek(kind, made) is not None
            found = await get(account, kind, made)
            assert getattr(wanted, _NAMES[kind]) == getattr(found, _NAMES[kind])
            assert found.status != "active"
            for field, value in _told(wanted).items():
                assert value == getattr(found, field), field

    @standard(kind=_written)
    async def test_an_update_touches_only_what_it_names(self, harness: Harness, kind: str) -> None:
        """Each field that can be changed changes alone: everything else at the server stays as it was.

        If this fails, look at: networks that take a whole object for a change of a part of it.
        """
        account = await harness.account()
        number = await made(account, harness, kind)
        assert harness.changes[kind], "the harness names no change"
        for field, change in harness.changes[kind].items():
            before = dict(harness.peek(kind, number) or {})
            result = await update(account, kind, [Update(number, {field: change.value})])
            assert result.ok, f"{field}: {result}"
            after = dict(harness.peek(kind, number) or {})
            assert change.value == getattr(await get(account, kind, number), field), field
            touched = {name for name in before | after if before.get(name) != after.get(name)}
            assert touched, field
            assert touched <= set(change.touches), field

    @standard(kind=_written)
    async def test_what_cannot_be_meant_is_refused(self, harness: Harness, kind: str) -> None:
        """A field that there is not, and money in another currency than the account's, fail and change nothing.

        If this fails, look at: fields that are passed over, and amounts whose currency is dropped on the way.
        """
        account = await harness.account()
        number = await made(account, harness, kind)
        before = harness.peek(kind, number)
        amounts = {f: c.value for f, c in harness.changes[kind].items() if isinstance(c.value, Money)}
        wrong: list[dict[str, Any]] = [{name: Money(value.amount, "XTS")} for name, value in amounts.items()]
        for fields in ({"zzz": "1"}, *wrong):
            (outcome,) = await update(account, kind, [Update(number, fields)])
            assert outcome.status == "failed", fields
            assert harness.peek(kind, number) == before, fields

    @standard(kind=_written)
    async def test_a_diff_is_an_update(self, harness: Harness, kind: str) -> None:
        """What was read, evolved and compared is sent, and there and back again is no change.

        If this fails, look at: fields of the model under other names than updates take.
        """
        account = await harness.account()
        number = await made(account, harness, kind)
        old = await get(account, kind, number)
        field, change = next(iter(harness.changes[kind].items()))
        new = attrs.evolve(old, **{field: change.value})
        assert not diff(old, attrs.evolve(new, **{field: getattr(old, field)}))
        assert (await update(account, kind, [diff(old, new)])).ok
        assert change.value == getattr(await get(account, kind, number), field)

    @standard(kind=_written)
    async def test_updating_nothing_sends_nothing(self, harness: Harness, kind: str) -> None:
        """An update without fields is ``unchanged``, and no request leaves.

        If this fails, look at: requests that are made before anybody looked whether there is a change.
        """
        account, wire = await open_account(harness)
        await warm(account)
        sent = len(wire.sent)
        result = await update(account, kind, [Update("1", {}), Update("2", {})])
        assert tuple(outcome.status for outcome in result) == ("unchanged", "unchanged")
        assert result.ids == ("1", "2")
        assert sent == len(wire.sent)

    @standard(kind=_written)
    async def test_outcomes_keep_the_order_of_the_input(self, harness: Harness, kind: str) -> None:
        """One of several that fails is told in its place; the others are done.

        If this fails, look at: batches that are refused as a whole, and outcomes put together by arrival.
        """
        account = await harness.account()
        one, two = [await made(account, harness, kind, number) for number in (1, 2)]
        field, change = next(iter(harness.changes[kind].items()))
        wanted = [two, MISSING, one]
        result = await update(account, kind, [Update(number, {field: change.value}) for number in wanted])
        assert tuple(wanted) == result.ids
        assert [outcome.status for outcome in result] == ["done", "failed", "done"]
        assert isinstance(result[1].error, NotFoundError), repr(result[1].error)
        with pytest.raises(BatchError) as caught:
            result.raise_for_errors()
        assert [error.__notes__ for error in caught.value.exceptions] == [["item 1"]]
        assert change.value == getattr(await get(account, kind, one), field)

    @standard(kind=_written)
    async def test_what_is_deleted_is_gone(self, harness: Harness, kind: str) -> None:
        """A deleted object is gone at the server, and one that was never there is told.

        If this fails, look at: networks that delete only what is stopped.
        """
        account = await harness.account()
        one, two = [await made(account, harness, kind, number) for number in (1, 2)]
        result = await getattr(account, f"delete_{kind}")([one, MISSING])
        assert [outcome.status for outcome in result] == ["done", "failed"], result
        assert harness.peek(kind, one) is None
        assert harness.peek(kind, two) is not None

    @standard(kind=_written)
    async def test_a_lost_reply_is_never_doubled(self, harness: Harness, kind: str) -> None:
        """A create whose reply was lost is looked up, not sent again: there is one object, and it is told.

        If this fails, look at: ``idempotent`` of the route that creates.
        """
        account = await harness.account()
        await warm(account)
        wanted = await draft(account, harness, kind, 1)
        before = count(harness, kind)
        harness.fault("lost-reply")
        (outcome,) = await create(account, kind, [wanted])
        harness.fault()
        assert before + 1 == count(harness, kind)
        assert outcome.status in {"done", "unknown"}, outcome
        assert outcome.status == "unknown" or harness.peek(kind, outcome.id) is not None

    @standard(kind=_written)
    async def test_a_create_that_was_not_answered_is_not_repeated_blindly(
        self, harness: Harness, kind: str
    ) -> None:
        """Where it is not known whether a create was executed, there is one object at most, and no lie.

        If this fails, look at: retries of routes that are not idempotent.
        """
        account = await harness.account()
        await warm(account)
        for number, fault in enumerate(("reset", "500", "half"), 1):
            wanted = await draft(account, harness, kind, number)
            before = count(harness, kind)
            harness.fault(fault)
            (outcome,) = await create(account, kind, [wanted])
            harness.fault()
            there = count(harness, kind) - before
            assert there in {0, 1}, fault
            assert outcome.status != "done" or there == 1, fault
            assert outcome.status != "failed" or there == 0, fault

    @standard(kind=_written)
    async def test_a_cancelled_change_stops(self, harness: Harness, kind: str) -> None:
        """A create and an update that are cancelled while they wait end with that, and leave no task or slot.

        If this fails, look at: tasks that are shielded, and an ``except`` that swallows CancelledError.
        """
        account = await harness.account()
        await warm(account)
        number, wanted = await made(account, harness, kind), await draft(account, harness, kind, 2)
        field, change = next(iter(harness.changes[kind].items()))
        for call in (
            partial(create, account, kind, [wanted]),
            partial(update, account, kind, [Update(number, {field: change.value})]),
        ):
            before = client_tasks()
            harness.fault(*["503"] * 30)  # so that it is still at it
            task = asyncio.ensure_future(call())
            await asyncio.sleep(0.005)
            stopped = task.cancel()
            done, _ = await asyncio.wait([task], timeout=2.0)
            harness.fault()
            assert done, "it goes on"
            assert task.cancelled() or not stopped, "it went on"
            await settled()
            assert client_tasks() - before == set()
            assert busy(account) == {}

    @standard(kind=_written)
    async def test_a_refused_create_is_sent_again(self, harness: Harness, kind: str) -> None:
        """After a 429 nothing was executed: the create is sent again, and there is one object.

        If this fails, look at: what the connector takes for "not executed".
        """
        account = await harness.account()
        await warm(account)
        wanted = await draft(account, harness, kind, 1)
        before = count(harness, kind)
        harness.fault("429")
        result = await create(account, kind, [wanted])
        assert result.ok, result
        assert before + 1 == count(harness, kind)
        assert busy(account) == {}

    @standard(kind=_planned)
    async def test_a_plan_changes_nothing(self, harness: Harness, kind: str) -> None:
        """``plan`` shows the requests of changes and of drafts, without a credential, and sends no write.

        If this fails, look at: ``express`` of the Connector class.
        """
        account = await harness.account()
        number = await made(account, harness, kind)
        field, change = next(iter(harness.changes[kind].items()))
        before, there = harness.peek(kind, number), count(harness, kind)
        wanted = await draft(account, harness, kind, 2)
        plan = await account.plan([Update(number, {field: change.value}), wanted], kind=kind)
        assert (before, there) == (harness.peek(kind, number), count(harness, kind))
        assert len(plan.requests) >= 2
        assert all(request.method in {"POST", "PUT", "PATCH", "DELETE"} for request in plan.requests)
        assert [name for name, secret in secrets_of(harness).items() if secret in repr(plan)] == []


def _told(wanted: CampaignDraft | AdDraft) -> dict[str, Any]:
    """Return what a draft says of money, days and places, as far as an object tells it as well."""
    kind = attrs.fields_dict(Ad if isinstance(wanted, AdDraft) else Campaign)
    given = {name: getattr(wanted, name, None) for name in _TOLD if name in kind}
    return {name: value for name, value in given.items() if value is not None}


async def draft(account: Account, harness: Harness, kind: str, number: int) -> Any:
    """Return a draft that the server accepts; one of an ad gets a campaign of its own."""
    if kind == "campaigns":
        return harness.drafts["campaigns"](number)
    (parent,) = await create(account, "campaigns", [harness.drafts["campaigns"](100 + number)])
    assert parent.ok, parent
    return harness.drafts["ads"](number, parent.id)


async def made(account: Account, harness: Harness, kind: str, number: int = 1) -> str:
    """Return the id of a new object."""
    (outcome,) = await create(account, kind, [await draft(account, harness, kind, number)])
    assert outcome.ok, outcome
    return str(outcome.id)


async def create(account: Account, kind: str, drafts: list[CampaignDraft | AdDraft]) -> Any:
    """Create objects of a kind."""
    return await getattr(account, f"create_{kind}")(drafts)


async def update(account: Account, kind: str, updates: list[Update]) -> Any:
    """Change objects of a kind."""
    return await getattr(account, f"update_{kind}")(updates)


async def get(account: Account, kind: str, number: str) -> Any:
    """Return one object."""
    return await getattr(account, f"get_{kind.removesuffix('s')}")(number)


def count(harness: Harness, kind: str) -> int:
    """Return how many objects of a kind the server has."""
    return len(harness.truth(kind))
