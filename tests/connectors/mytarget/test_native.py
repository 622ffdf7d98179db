"""The rest of the network's own client: library, clients of agencies and managers, money, the account."""

from decimal import Decimal

import pytest

from adnet import AdDraft
from adnet.connectors.mytarget.multipart import Upload, multipart
from adnet.connectors.mytarget.routes import ROUTES
from adnet.errors import IncompleteBodyError, InvalidRequestError, LostReplyError, UnsupportedError

from .kit import bench, connector

PICTURE = Upload(content=b"\x89PNG" + bytes(100), filename="a.png", mime_type="image/png")


async def every(pages) -> list:
    return [row async for page in pages for row in page]


async def test_packages_and_their_options():
    """Options only come when they are named."""
    async with bench() as test:
        packages = test.account().native.packages
        assert "options" not in (await packages.list())[0]
        assert "options" in (await packages.list(fields=["id", "options"]))[0]
        assert [row["id"] for row in await packages.list(id=811)] == [811]


async def test_several_urls_are_read_in_one_request():
    """By ids joined in the path."""
    async with bench() as test:
        urls = test.account().native.urls
        made = [await urls.create(f"https://x.example.test/{n}") for n in range(3)]
        rows = await urls.get(made)
        assert [row["url"] for row in rows] == [f"https://x.example.test/{n}" for n in range(3)]
        assert (await urls.get(made[:1]))[0]["url_types"] == ["external"]
        assert str((await urls.find("https://x.example.test/1"))["id"]) == made[1]


async def test_content_is_uploaded():
    """With its size in pixels; a name without an extension is refused before."""
    async with bench() as test:
        content = test.account().native.content
        made = await content.upload("static", PICTURE, width=600, height=500)
        assert (made["variants"]["original"]["width"], made["variants"]["original"]["height"]) == (600, 500)
        with pytest.raises(InvalidRequestError, match="extension"):
            await content.upload("static", Upload(content=b"x", filename="a"))
        with pytest.raises(InvalidRequestError) as caught:
            await content.upload("video", PICTURE)
        assert set(caught.value.fields) == {"file"}


async def test_what_was_uploaded_can_be_in_an_ad():
    """In the role that it is named in; an address of an image is refused with the way to do it."""
    async with bench() as test:
        account, campaign = test.account(), str(test.first("campaigns", status="active")["id"])
        made = await account.native.content.upload("static", PICTURE, width=600, height=600)
        content = {"image_600x600": {"id": made["id"]}}
        common = {"campaign_id": campaign, "title": "T", "url": "https://new.example.test/"}
        good, bad = (
            AdDraft(**common, extra={"content": content}),
            AdDraft(**common, image_url="https://a.test/a.jpg"),
        )
        result = await account.create_ads([good, bad])
        assert [outcome.status for outcome in result] == ["done", "failed"]
        assert test.first("banners", id=int(result[0].id))["content"]["image_600x600"]["id"] == made["id"]
        assert "native.content.upload, and name it in extra={'content'" in result[1].error.message


async def test_dictionaries_speak_the_language_that_is_asked_for():
    """English by default."""
    async with bench() as test:
        dictionaries = test.account().native.dictionaries
        names = [
            (await dictionaries.get("regions", language=word, query={"_id__in": "188"}))["items"][0]["name"]
            for word in (None, "ru")
        ]
        assert names == ["Russia", "Россия"]
        with pytest.raises(InvalidRequestError, match="no dictionary"):
            await dictionaries.get("../user")


async def test_banned_banners_are_looked_at_again():
    """Those that may be."""
    async with bench() as test:
        banned = str(test.first("banners", moderation_status="banned", status="active")["id"])
        allowed = str(test.first("banners", moderation_status="allowed")["id"])
        found = await test.account().native.banners.remoderate([banned, allowed])
        assert found == {banned: True, allowed: False}


async def test_a_text_that_is_replaced_in_many_is_never_replaced_twice():
    """What replaces "Shop" by "My Shop" would find itself again."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        sent = []

        async def lost(request, *, timeout_s):
            sent.append(request)
            raise IncompleteBodyError("cut")

        connector(account).session._transport._inner.send = lost
        with pytest.raises(LostReplyError):
            await account.native.banners.mass_replace(
                ["1"], field="textblocks", change_from="Shop", change_to="My Shop"
            )
        assert len(sent) == 1


async def test_an_update_of_nothing_sends_nothing():
    """Nor does a mass action of nothing."""
    async with bench() as test:
        campaigns = test.account().native.campaigns
        await campaigns.update("8800001", {})
        await campaigns.mass_action([])
        assert test.sandbox.log == []


async def test_an_agencys_clients():
    """Listed, counted, made, changed and let go."""
    async with bench() as test:
        clients = test.account().native.agency_clients
        assert (len(await every(clients.list())), await clients.count()) == (3, 3)
        made = (await clients.create(client_name="Neu"))["user"]
        await clients.update(str(made["id"]), {"access_type": "readonly"})
        (row,) = await every(clients.list(user__id=made["id"]))
        assert row["access_type"] == "readonly"
        await clients.delete(str(made["id"]))
        assert await clients.count() == 3
        with pytest.raises(InvalidRequestError, match="client_name"):
            await clients.create()


async def test_a_managers_clients():
    """Looked after, but neither made nor let go."""
    async with bench() as test:
        token = test.sandbox.grant(70200)
        manager = test.account("m", grant="authorization_code", refresh_token=token["refresh_token"])
        clients = manager.native.manager_clients
        assert {row["agency"]["id"] for row in await every(clients.list())} == {70100}
        for refused in (clients.create(client_name="x"), clients.delete("80101")):
            with pytest.raises(UnsupportedError):
                await refused


async def test_the_name_of_a_file_writes_no_header():
    """Nor ends its own quotes: a form has as many parts as it has fields and files."""
    kind, body = multipart({"name": 'L"\r\n--x'}, Upload(content=b"1", filename='a"\r\nX-Y: 1\r\n\r\n.txt'))
    written = b"".join([chunk async for chunk in body()])
    boundary = kind.partition("boundary=")[2].encode()
    heads = [part.partition(b"\r\n\r\n")[0] for part in written.split(b"--" + boundary)[1:-1]]
    assert [head.strip().count(b"\r\n") for head in heads] == [0, 1]
    assert b'filename="a%22%0D%0AX-Y: 1%0D%0A%0D%0A.txt"' in heads[1]


async def test_money_between_an_agency_and_its_client():
    """Exact, both ways, and in the list of movements."""
    async with bench() as test:
        billing = test.account().native.billing
        await billing.transfer("to", "80001", Decimal("100.50"))
        back = await billing.transfer("from", "80001", "0.50")
        assert back["client_balance"] == "3100"
        assert len(await every(billing.transactions())) == 2
        sent = len(test.sandbox.log)
        for amount in (0, "-1", 1.5, "many"):
            with pytest.raises(InvalidRequestError):
                await billing.transfer("to", "80001", amount)
        assert len(test.sandbox.log) == sent  # no network has to be trusted with it


async def test_an_amount_to_move_is_written_out():
    """In digits, whatever form it has here."""
    async with bench() as test:
        account, bodies = test.account(), []
        inner = connector(account).session._transport._inner
        send = inner.send

        async def noted(request, *, timeout_s):
            if request.route.operation == "billing.transfer":
                bodies.append(request.body)
            return await send(request, timeout_s=timeout_s)

        inner.send = noted
        await account.native.billing.transfer("to", "80001", Decimal("1E+2"))
        assert bodies == [b'{"amount":"100"}']


async def test_the_account_itself():
    """Its balance, and what of it may be changed."""
    async with bench() as test:
        user = test.account().native.user
        assert (await user.account())["balance"] == "250000"
        await user.update({"language": "ru"})
        assert (await user.get(fields=["language"]))["language"] == "ru"


async def test_what_is_left_of_the_limits():
    """As the network tells it."""
    async with bench(limits={"USER": {"v2": {"READ": {60: 7}}}}) as test:
        native = test.account().native
        await native.user.get()
        assert (await native.throttling())["USER"]["v2"]["READ"] == {
            "remaining": {"60": 6},
            "limits": {"60": 7},
        }


async def test_objects_of_the_network_carry_no_token():
    """Not even when it repeats them."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        token = test.sandbox.truth("tokens")[0]["access_token"]
        made = await account.native.segments.create({
            "name": f"x {token} y",
            "relations": [{"object_type": "segment", "object_id": test.sandbox.truth("segments")[0]["id"]}],
            "pass_condition": 1,
        })  # fmt: skip
        assert (made["name"], token in repr(made)) == ("x *** y", False)


def test_every_route_says_where_it_comes_from_and_what_limits_it():
    """And no two operations share a name and a path."""
    assert all(route.source and route.buckets for route in ROUTES)
    assert len({(route.operation, route.path, route.method) for route in ROUTES}) == len(ROUTES)


def test_what_creates_is_never_sent_twice():
    """A POST is repeated only where it sets absolute values or makes nothing new."""
    repeated = {route.operation for route in ROUTES if route.method == "POST" and route.idempotent}
    assert repeated == {
        "token.refresh", "token.code_info", "token.revoke", "campaigns.mass_action", "banners.mass_action",
        "ad_plans.mass_action", "banners.remoderate", "urls.create", "sharing_keys.activate",
    }  # fmt: skip
