"""Audiences and shares: exactly those that were asked for are made, aimed at, opened and closed, once."""

from collections.abc import Iterable
from typing import Any

import pytest

from adnet.client import Account
from adnet.errors import AdnetError
from adnet.interface import Capabilities
from adnet.models import Audience, Removal
from adnet.testing.conformance._policy import standard
from adnet.testing.conformance._tools import MISSING, collect, held, warm
from adnet.testing.conformance.identity import secrets_of
from adnet.testing.harness import Harness, Row


def _made(capabilities: Capabilities) -> bool:
    return capabilities.supports("create_audiences") and capabilities.supports("list_audiences")


def _aimed(capabilities: Capabilities) -> bool:
    return _made(capabilities) and capabilities.supports("create_campaigns")


def _shared(capabilities: Capabilities) -> bool:
    return _made(capabilities) and capabilities.supports("share_audiences")


def _planned(capabilities: Capabilities) -> bool:
    return _shared(capabilities) and capabilities.supports("plan")


class Audiences:
    """Audiences, what aims at them, and the keys that open them to others, as the network holds them."""

    @standard(when=_made)
    async def test_audiences_are_made_as_drafted(self, harness: Harness) -> None:
        """Each draft becomes one audience of that kind, name and content, in order; all others stay as they are.

        If this fails, look at: files that are cut or sent twice, and ids of one kind told for another.
        """
        account = await harness.account()
        before = held(harness, "audiences")
        drafts = [harness.drafts["audiences"](number) for number in (1, 2)]
        result = await account.create_audiences(drafts)
        assert result.ok, result
        made = {(row["kind"], row["audience_id"]): row for row in _added(before, held(harness, "audiences"))}
        told = dict(zip(zip([draft.kind for draft in drafts], result.ids, strict=True), drafts, strict=True))
        assert told.keys() == made.keys()
        for named, draft in told.items():
            wanted = {"name": draft.name, **draft.extra}
            assert wanted == {name: made[named].get(name) for name in wanted}
        read: dict[Any, str] = {
            (row.kind, row.audience_id): row.name async for row in account.list_audiences()
        }
        assert {named: draft.name for named, draft in told.items()} == {
            named: read.get(named) for named in told
        }

    @standard(when=_made)
    async def test_an_audience_whose_reply_was_lost_is_not_doubled(self, harness: Harness) -> None:
        """A create whose reply was lost is not sent again: there is one audience, and no lie about it.

        If this fails, look at: ``idempotent`` of the route that creates.
        """
        account = await harness.account()
        await warm(account)
        before = held(harness, "audiences")
        harness.fault("lost-reply")
        (outcome,) = await account.create_audiences([harness.drafts["audiences"](1)])
        harness.fault()
        made = _one_added(before, held(harness, "audiences"))
        assert outcome.status in {"done", "unknown"}, outcome
        assert outcome.status == "unknown" or outcome.id == made["audience_id"]

    @standard(when=_aimed)
    async def test_a_campaign_aims_at_the_audience_that_it_names(self, harness: Harness) -> None:
        """A campaign that is made for an audience aims at that one, and at no other.

        If this fails, look at: targetings that are dropped, and audiences left out instead of taken.
        """
        account = await harness.account()
        held(harness, "audiences")
        made = await audience(account, harness, 1)
        (outcome,) = await account.create_campaigns([harness.drafts["aimed"](1, made.audience_id)])
        assert outcome.ok, outcome
        assert [{"audience_id": made.audience_id}] == held(harness, "aims", str(outcome.id))

    @standard(when=_shared)
    async def test_a_share_opens_what_it_names_on_its_terms(self, harness: Harness) -> None:
        """A share is one key to the audiences named, for the users and at the price named; it is told like that.

        If this fails, look at: keys open to anyone, hundredths for units, and users who are told unasked.
        """
        account = await harness.account()
        for number in (1, 2):
            before = held(harness, "shares")
            opened, _ = [await audience(account, harness, 2 * number + side) for side in (1, 2)]
            asked = harness.drafts["shares"](number)
            share = await account.share_audiences([opened], **asked)
            made = _one_added(before, held(harness, "shares"))
            assert {"audiences": [(opened.kind, opened.audience_id)], **asked} == {
                name: value for name, value in made.items() if name != "key"
            }
            read = {row.key: row for row in await collect(account.list_shares())}
            for told in (share, read[made["key"]]):
                assert made["key"] == told.key
                assert (asked["payment"], asked["price"]) == (told.payment, told.price)
                assert asked["users"] == sorted(told.users)
                assert [(a.kind, a.audience_id) for a in told.audiences] == made["audiences"]

    @standard(when=_shared)
    async def test_a_share_whose_reply_was_lost_is_not_doubled(self, harness: Harness) -> None:
        """A key whose reply was lost is there once, whatever is told about it.

        If this fails, look at: ``idempotent`` of the route that shares.
        """
        account = await harness.account()
        before = held(harness, "shares")
        opened = await audience(account, harness, 1)
        harness.fault("lost-reply")
        told: Any = None
        try:
            told = await account.share_audiences([opened], **harness.drafts["shares"](2))
        except AdnetError as error:
            told = error
        harness.fault()
        made = _one_added(before, held(harness, "shares"))
        assert isinstance(told, AdnetError) or told.key == made["key"]

    @standard(when=_shared)
    async def test_a_share_that_is_revoked_is_closed_alone(self, harness: Harness) -> None:
        """The key that is named is gone, all others stay, and one that was never there is told in its place.

        If this fails, look at: keys that are hidden instead of removed, and the order of outcomes.
        """
        account = await harness.account()
        before = held(harness, "shares")
        opened = await audience(account, harness, 1)
        one, two = [
            await account.share_audiences([opened], **harness.drafts["shares"](number)) for number in (1, 2)
        ]
        result = await account.revoke_shares([MISSING, one.key])
        assert [outcome.status for outcome in result] == ["failed", "done"], result
        assert result.ids == (MISSING, one.key)
        assert [two.key] == [row["key"] for row in _added(before, held(harness, "shares"))]

    @standard(when=_shared)
    async def test_activating_opens_what_is_named(self, harness: Harness) -> None:
        """Another user gets the audiences of a key that are named, all of them if none is, and none once it is gone.

        If this fails, look at: a list of names that is dropped on the way, which the network takes for all.
        """
        if not harness.guest:
            pytest.skip(f"unproved: {type(harness).__name__} names no guest to share with")
        account, guest = await harness.account(), await harness.account(**harness.guest)
        held(harness, "opened", MISSING)
        one, two = [await audience(account, harness, number) for number in (1, 2)]
        free: dict[str, Any] = {"users": [], "payment": "free", "price": None, "notify": False}
        share = await account.share_audiences([one, two], **free)
        assert held(harness, "opened", share.key) == []
        for named, expected in (([one], [one]), (None, [one, two])):
            told = await guest.activate_share(share.key, named)
            assert _names(expected) == _names(told)
            rows = held(harness, "opened", share.key)
            assert _names(expected) == sorted((row["kind"], row["audience_id"]) for row in rows)
        assert (await account.revoke_shares([share.key])).ok
        assert held(harness, "opened", share.key) == []

    @standard(when=_planned)
    async def test_a_plan_to_revoke_changes_nothing(self, harness: Harness) -> None:
        """``plan`` shows what would remove a key, without a credential, and the key stays.

        If this fails, look at: ``express`` of the Connector class.
        """
        account = await harness.account()
        held(harness, "shares")
        opened = await audience(account, harness, 1)
        share = await account.share_audiences([opened], **harness.drafts["shares"](1))
        before = held(harness, "shares")
        plan = await account.plan([Removal(share.key, kind="shares")])
        assert before == held(harness, "shares")
        assert plan.requests
        assert [name for name, secret in secrets_of(harness).items() if secret in repr(plan)] == []


def _names(audiences: Iterable[Audience]) -> list[tuple[str, str]]:
    return sorted((audience.kind, audience.audience_id) for audience in audiences)


async def audience(account: Account, harness: Harness, number: int) -> Audience:
    """Return a new audience as the connector reads it."""
    draft = harness.drafts["audiences"](number)
    (outcome,) = await account.create_audiences([draft])
    assert outcome.ok, outcome
    found = await collect(account.list_audiences(kind=draft.kind))
    made = [row for row in found if row.audience_id == outcome.id]
    assert len(made) == 1, f"{draft.kind} {outcome.id} is listed {len(made)} times"
    return made[0]  # type: ignore[no-any-return]


def _added(before: list[Row], after: list[Row]) -> list[Row]:
    """Return the rows that are new; fail if others have changed or gone."""
    assert [row for row in before if row not in after] == [], "what nobody named"
    return [row for row in after if row not in before]


def _one_added(before: list[Row], after: list[Row]) -> Row:
    made = _added(before, after)
    assert len(made) == 1, made
    return made[0]
