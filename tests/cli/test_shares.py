"""``adnet shares``: what removing a key stops is told before it is done."""

import asyncio
import io
import sys

import pytest

from adnet.config import open_accounts


@pytest.fixture
def key(market) -> str:
    """Return a key that opens the first users list to a buyer."""

    async def share() -> str:
        async with open_accounts(only=["own"]) as accounts:
            audience = await anext(accounts["own"].list_audiences(kind="users_list"))
            made = await accounts["own"].share_audiences([audience], users=["buyer@example.test"])
            return made.key

    return asyncio.run(share())


def keys(adnet) -> list[str]:
    """Return the keys that are there."""
    return [share["key"] for share in adnet("shares", "list", "own", "--json").json["shares"]]


def test_keys_are_listed_with_what_they_open(adnet, key):
    """And for whom."""
    (row,) = adnet("shares", "list", "own", "--json").json["shares"]
    assert (row["key"], row["kind"], row["payment"], row["price"]) == (key, "private", "free", None)
    assert (row["users"], [one["kind"] for one in row["audiences"]]) == (
        ["buyer@example.test"],
        ["users_list"],
    )
    table = adnet("shares", "list", "own")
    assert (key in table.out, f"users_list {row['audiences'][0]['name']}" in table.out) == (True, True)


def test_a_dry_run_tells_what_would_stop(adnet, key):
    """With the exact request; the key stays."""
    ran = adnet("shares", "revoke", "own", key, "--dry-run")
    assert ran.code == 0
    assert "DELETE http://127.0.0.1" in ran.out
    assert "to buyer@example.test; campaigns of others that use what it opened stop" in ran.out
    assert (ran.err.strip(), keys(adnet)) == ("nothing was sent", [key])


@pytest.mark.parametrize(("answer", "code", "left"), [("yes\n", 0, 0), ("no\n", 2, 1), ("", 2, 1)])
def test_it_is_told_and_asked_before_a_key_goes(adnet, key, monkeypatch, answer, code, left):
    """Anything but a yes removes nothing."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    ran = adnet("shares", "revoke", "own", key)
    told, asked = ran.err.splitlines()[:2]
    assert (ran.code, len(keys(adnet))) == (code, left)
    assert told.startswith(f"{key}: opens users_list ")
    assert asked == "remove 1 key of own? [y/N]"


def test_without_a_question_it_is_told_all_the_same(adnet, key):
    """A key that is not there is an outcome of its own."""
    ran = adnet("shares", "revoke", "own", key, "nosuchkey", "--yes", "--json")
    assert (ran.code, [row["outcome"] for row in ran.json["outcomes"]]) == (4, ["done", "failed"])
    assert ran.err.startswith(f"{key}: opens users_list ")
    assert "there is no share 'nosuchkey'" in ran.err
    assert keys(adnet) == []


def test_no_key_that_is_there_asks_nothing(adnet, market):
    """There is nothing to do."""
    ran = adnet("shares", "revoke", "own", "nosuchkey")
    assert (ran.code, "[y/N]" in ran.err) == (5, False)


def test_a_network_without_shares_is_named(adnet, partner):
    """And those that have them."""
    from cli.kit import configure

    configure(partner.account())
    ran = adnet("shares", "list", "partner")
    assert (ran.code, "mytarget, vkads can" in ran.line) == (2, True)
