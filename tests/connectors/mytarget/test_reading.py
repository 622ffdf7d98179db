"""Lists and single objects over HTTP: whole, deleted ones too, and in as few requests as the API allows."""

import asyncio

import attrs
import msgspec
import pytest

from adnet.errors import InvalidRequestError, NotFoundError, SchemaError
from adnet.testing import answer

from .kit import bench, connector


async def every(rows) -> list:
    return [row async for row in rows]


def ids(rows, name="id") -> list[str]:
    return sorted(str(row[name]) for row in rows)


async def test_every_campaign_is_listed_deleted_ones_too():
    """In pages of 50."""
    async with bench(campaigns=120, banners=0) as test:
        found = await every(test.account().list_campaigns())
        assert sorted(row.campaign_id for row in found) == ids(test.sandbox.truth("campaigns"))
        assert {"active", "paused", "deleted"} == {row.status for row in found}
        assert test.report()["objects_per_request"]["campaigns.list"] == {"20": 1, "50": 2}


@pytest.mark.parametrize("status", [["active"], ["paused", "deleted"], ["limited"], ["unknown"]])
async def test_campaigns_by_status(status):
    """The network filters; a status that it does not have takes no request."""
    words = {"active": "active", "blocked": "paused", "deleted": "deleted"}
    async with bench() as test:
        found = await every(test.account().list_campaigns(status=status))
        wanted = [row for row in test.sandbox.truth("campaigns") if words[row["status"]] in status]
        assert sorted(row.campaign_id for row in found) == ids(wanted)
        if status == ["limited"]:
            assert test.report()["requests"] == 0


@pytest.mark.parametrize("status", [["active"], ["pending"], ["rejected", "paused"]])
async def test_ads_by_status(status):
    """Moderation decides first, so that not all of it can be left to the network."""
    async with bench() as test:
        found = await every(test.account().list_ads(status=status))
        everything = await every(test.account().list_ads())
        assert {row.status for row in found} == set(status)
        assert [row.ad_id for row in found] == [row.ad_id for row in everything if row.status in status]


async def test_ads_of_some_campaigns():
    """Many campaigns in one request."""
    async with bench() as test:
        parents = sorted({row["campaign_id"] for row in test.sandbox.truth("banners")})[:40]
        found = await every(test.account().list_ads(campaign_ids=parents))
        wanted = [row for row in test.sandbox.truth("banners") if row["campaign_id"] in parents]
        assert sorted(row.ad_id for row in found) == ids(wanted)


@pytest.mark.parametrize("kind", ["campaigns", "banners"])
async def test_single_reads_of_one_moment_are_one_request(kind):
    """Fifty at a time; each caller gets its own object."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        wanted = [str(row["id"]) for row in test.sandbox.truth(kind)[:60]]
        get = account.get_campaign if kind == "campaigns" else account.get_ad
        found = await asyncio.gather(*(get(number) for number in wanted))
        assert [getattr(row, "campaign_id" if kind == "campaigns" else "ad_id") for row in found] == wanted
        assert test.report()["objects_per_request"] == {f"{kind}.list": {"10": 1, "50": 1}}


async def test_a_lone_read_asks_for_the_object_itself():
    """Complete, with everything that a list has."""
    async with bench() as test:
        account = test.account()
        listed = (await every(account.list_campaigns(ids=["8800001"])))[0]
        assert await account.get_campaign("8800001") == listed
        assert test.report()["objects_per_request"]["campaigns.get"] == {"1": 1}


async def test_what_is_not_there_is_told_to_whom_it_concerns():
    """Its neighbours in the same request get theirs."""
    async with bench() as test:
        account = test.account()
        asked = ("8800001", "999", "abc", "8800002")
        found = await asyncio.gather(*(account.get_campaign(i) for i in asked), return_exceptions=True)
        assert [type(row) is NotFoundError for row in found] == [False, True, True, False]


async def test_an_agency_client_sees_its_own_only():
    """The token is the client's."""
    async with bench() as test:
        account = test.account(grant="agency_client_credentials", agency_client_id="80001")
        found = await every(account.list_campaigns())
        assert sorted(row.campaign_id for row in found) == ids(test.sandbox.truth("campaigns@80001"))


@pytest.mark.parametrize(("name", "place", "pages"), [("other", "", 0), ("issues", "offset=50", 1)])
async def test_a_refused_field_that_cannot_be_left_out_is_told(name, place, pages):
    """It was not asked for, or rows have been given already, which would come twice."""
    async with bench() as test:
        account, given = test.account(), []
        inner = connector(account).session._transport._inner
        send = inner.send

        async def refusing(request, *, timeout_s):
            if request.route.operation == "campaigns.list" and place in request.url:
                return answer(400, {"error": {"code": "bad_value", "message": f"Unknown fields: {name}"}})
            return await send(request, timeout_s=timeout_s)

        async def take() -> None:
            async for row in account.list_campaigns():
                given.append(row.campaign_id)  # noqa: PERF401 - what came before the error counts

        inner.send = refusing
        with pytest.raises(InvalidRequestError):
            await take()
        assert len(given) == len(set(given)) == pages * 50


async def test_a_field_that_a_host_does_not_have_is_left_out_from_then_on():
    """One unknown field would fail every list."""
    async with bench() as test:
        account = test.account()
        inner = connector(account).session._transport._inner
        send, refused = inner.send, []

        async def without_issues(request, *, timeout_s):
            if "issues" in request.url and request.route.operation == "campaigns.list":
                refused.append(request)
                leaf = {"code": "unknown_resource_fields", "message": "Unknown fields: issues"}
                fields = {"fields": leaf}
                return answer(400, {"error": {"code": "validation_failed", "message": "m", "fields": fields}})
            return await send(request, timeout_s=timeout_s)

        inner.send = without_issues
        for _ in range(2):
            assert len(await every(account.list_campaigns())) == 60
        assert len(refused) == 1


async def test_a_page_that_is_smaller_than_asked_for_loses_nothing():
    """The network may clamp; the first page's size decides about the others."""
    async with bench() as test:
        account = test.account()
        inner = connector(account).session._transport._inner
        send = inner.send

        async def clamped(request, *, timeout_s):
            import attrs

            url = request.url.replace("limit=50", "limit=7")
            return await send(attrs.evolve(request, url=url), timeout_s=timeout_s)

        inner.send = clamped
        found = await every(account.list_campaigns())
        assert sorted(row.campaign_id for row in found) == ids(test.sandbox.truth("campaigns"))


async def test_a_list_without_a_count_is_read_to_its_end():
    """Version 1 and some resources tell none."""
    async with bench() as test:
        account = test.account()
        inner = connector(account).session._transport._inner
        send = inner.send

        async def uncounted(request, *, timeout_s):
            import attrs

            reply = await send(request, timeout_s=timeout_s)
            return attrs.evolve(reply, body=reply.body.replace(b'"count":60,', b""))

        inner.send = uncounted
        assert len(await every(account.list_campaigns())) == 60


async def test_what_no_list_needs_fails_none():
    """Its rows and their number count; how the network repeats the question does not."""
    async with bench() as test:
        account = test.account()
        inner = connector(account).session._transport._inner
        send = inner.send

        async def worded(request, *, timeout_s):
            reply = await send(request, timeout_s=timeout_s)
            body = reply.body.replace(b'"offset":0', b'"offset":"0"').replace(b'"limit":50', b'"limit":"50"')
            return attrs.evolve(reply, body=body)

        inner.send = worded
        assert len(await every(account.list_campaigns())) == 60


def turned(account, turn) -> None:
    """Let *turn* change each page of campaigns on its way: it is given the URL and the answer's objects."""
    inner = connector(account).session._transport._inner
    send = inner.send

    async def changed(request, *, timeout_s):
        reply = await send(request, timeout_s=timeout_s)
        if request.route.operation != "campaigns.list":
            return reply
        body = msgspec.json.decode(reply.body)
        body["items"] = turn(request.url, body["items"])
        return attrs.evolve(reply, body=msgspec.json.encode(body))

    inner.send = changed


@pytest.mark.parametrize(
    "turn",
    [
        lambda url, items: [] if "offset=50" in url else items,
        lambda url, items: items[:-1] if "offset=50" in url else items,
        lambda url, items: items[:-1],
        lambda url, items: [],
    ],
    ids=["an empty page", "a short page", "each page short", "nothing at all"],
)
async def test_a_list_that_comes_short_of_its_count_is_told(turn):
    """Rows are missing then, which no one would see."""
    async with bench() as test:
        account = test.account()
        turned(account, turn)
        with pytest.raises(SchemaError, match="of 60"):
            await every(account.list_campaigns())


async def test_a_list_that_shifts_between_its_pages_is_told():
    """One object comes twice, and another is on no page: as many rows as the count says, and one is missing."""
    async with bench() as test:
        account = test.account()
        before = []

        def shifted(url, items):
            if "offset=50" not in url:
                before.extend(items)
                return items
            return [before[-1], *items[:-1]]

        turned(account, shifted)
        with pytest.raises(SchemaError, match="59 of 60"):
            await every(account.list_campaigns())


async def test_what_comes_again_on_the_next_page_is_told_once():
    """The last page had room for what a new object moved on: nothing is missing, and no budget counts twice."""
    async with bench() as test:
        account = test.account()
        before = []

        def shifted(url, items):
            if "offset=50" not in url:
                before.extend(items)
                return items
            return [before[-1], *items]

        turned(account, shifted)
        found = await every(account.list_campaigns())
        assert ids([row.raw for row in found]) == ids(test.sandbox.truth("campaigns"))


async def test_a_word_that_nobody_knows_is_found_by_its_status():
    """No filter of the network's names what it calls them."""
    async with bench() as test:
        account = test.account()

        def archived(url, items):
            assert "_status" not in url
            return [row | {"status": "archived"} if row["id"] == 8800007 else row for row in items]

        turned(account, archived)
        (found,) = await every(account.list_campaigns(status=["unknown"]))
        assert (found.campaign_id, found.status_raw) == ("8800007", "archived")


async def test_objects_that_show_no_id_are_counted_like_any_others():
    """Who asks for their names only gets no ids."""
    async with bench() as test:
        account = test.account()
        turned(account, lambda url, items: [{"name": "N"} for _ in items])
        pages = [page async for page in account.native.campaigns.list(fields=["name"])]
        assert sum(map(len, pages)) == 60


async def test_a_list_that_repeats_its_page_is_told():
    """A server that does not heed the offset shows the same objects again and again."""
    async with bench() as test:
        account = test.account()
        first = {}
        turned(account, lambda url, items: first.setdefault("page", items))
        with pytest.raises(SchemaError, match="repeats another"):
            await every(account.list_campaigns())


async def test_the_currency_is_asked_for_once_in_the_life_of_a_state():
    """Every amount needs it."""
    async with bench() as test:
        for _ in range(3):
            await every(test.account().list_campaigns())
        asked = [line for line in test.state.ledger.entries() if line.operation == "user.get"]
        assert len(asked) == 1
