"""Moderation, URLs, content, packages and dictionaries of the myTarget imitation."""

from datetime import date, timedelta

import pytest
from mytarget_caller import NOW, banner_draft, calling, ids

from adnet.sandbox import _mytarget_library


async def test_moderation_takes_a_while():
    """A new banner is pending, then allowed, or banned for what it says."""
    async with calling(moderation_s=60) as call:
        number = call.first("campaigns", status="active")["id"]
        good = await banner_draft(call)
        bad = {**good, "textblocks": {"title_25": {"text": "Best casino"}}}
        made = [
            (await call.post(f"campaigns/{number}/banners.json", draft)).json["id"] for draft in (good, bad)
        ]

        def states() -> list[str]:
            return [call.first("banners", id=n)["moderation_status"] for n in made]

        assert states() == ["pending", "pending"]
        call.hands.move(60)
        assert states() == ["allowed", "banned"]
        reply = await call.post("banners/remoderate.json", {"banners": [{"id": n} for n in made]})
        assert [item["remoderated"] for item in reply.json["banners"]] == [False, True]
        assert states() == ["allowed", "pending"]


async def test_new_texts_go_before_the_moderators():
    """A new text makes an allowed banner pending, a new name does not."""
    async with calling() as call:
        number = call.first("banners", moderation_status="allowed", status="active")["id"]
        await call.post(f"banners/{number}.json", {"name": "new"})
        assert call.first("banners", id=number)["moderation_status"] == "allowed"
        await call.post(f"banners/{number}.json", {"textblocks": {"title_25": {"text": "new"}}})
        row = call.first("banners", id=number)
        assert (
            row["moderation_status"],
            row["textblocks"],
        ) == ("pending", {"title_25": {"text": "new"}})


async def test_an_active_new_banner_spends_from_its_first_day():
    """Nothing before it was allowed; nothing after it was stopped."""
    async with calling(moderation_s=60, token_lifetime_s=10**7) as call:
        made = (await call.post("campaigns.json", {"name": "a", "package_id": 811})).json
        path = f"campaigns/{made['id']}/banners.json"
        number = (await call.post(path, await banner_draft(call))).json["id"]
        call.hands.move(86400)  # allowed a minute after it was made
        assert (await call.get("user.json")).status == 200
        call.hands.move(9 * 86400)
        await call.post(f"banners/{number}.json", {"status": "blocked"})
        call.hands.move(9 * 86400)
        rows = call.sandbox.truth("banner_stats", date(2026, 8, 1), date(2026, 10, 10))
        days = {row["date"] for row in rows if row["banner_id"] == number}
        assert len(days) > 3
        assert "2026-09-15" <= min(days) <= max(days) <= "2026-09-25"


async def test_a_url_is_checked_before_it_can_be_used():
    """201 with an id, no types until the check, and no banner before that."""
    async with calling(url_check_s=5) as call:
        reply = await call.post("urls.json", {"url": "https://shop.example/p?x=1"})
        number = reply.json["id"]
        assert (
            reply.status,
            (await call.get(f"urls/{number}.json")).json["url_types"],
        ) == (201, [])
        campaign = call.first("campaigns", status="active")["id"]
        draft = {"urls": {"primary": {"id": number}}}
        path = f"campaigns/{campaign}/banners.json"
        assert (await call.post(path, draft)).fields["urls"]["code"] == "url_not_checked"
        call.hands.move(5)
        assert (await call.get(f"urls/{number}.json")).json["url_types"] == ["external"]
        assert (await call.post(path, draft)).status == 200


async def test_urls_are_refused_and_read_in_groups():
    """Unknown schemes and shapes; several ids give items; the old lookup works by URL."""
    async with calling() as call:
        for url, code in (
            ("ftp://x.test", "unknown_scheme"),
            ("https://", "invalid_url"),
            ("https://[::1/", "invalid_url"),
        ):
            assert code == (await call.post("urls.json", {"url": url})).fields["url"]["code"]
        number = (await call.post("urls.json", {"url": "https://a.test"})).json["id"]
        first = call.first("urls")
        assert [first["id"], number] == ids(await call.get(f"urls/{first['id']},{number}.json"))
        found = await call.get("/api/v1/urls/", url=first["url"])
        assert first["id"] == found.json["id"]


async def test_content_is_uploaded_as_multipart():
    """The answer names the size that `data` told; bad files have their codes."""
    async with calling() as call:
        size = {"width": 600, "height": 500}
        reply = await call.upload("content/static.json", b"\x89PNG\r\n\x00", "a.png", data=size)
        original = reply.json["variants"]["original"]
        assert tuple(original[k] for k in ("width", "height", "size")) == (600, 500, 7)
        wrong = await call.upload("content/static.json", b"x", "a.bmp")
        assert wrong.fields["file"]["code"] == "format_not_supported"
        none = await call.send("POST", "content/video.json", data={"data": "{}"})
        assert none.fields["file"]["code"] == "no_file"


async def test_dictionaries_answer_in_the_clients_language():
    """Regions are English unless Russian is preferred; packages know their prices."""
    async with calling() as call:
        russian = await call.send("GET", "regions.json", headers={"Accept-Language": "ru-RU"})
        assert "Россия" in {item["name"] for item in russian.json["items"]}
        assert "Russia" in {item["name"] for item in (await call.get("regions.json")).json["items"]}
        for header, name in (
            ("ru-RU,ru;q=0.9,en-US;q=0.8", "Россия"),
            ("de,en-US;q=0.8,ru;q=0.5", "Russia"),
            ("de,en;q=0.3,ru;q=0.8", "Россия"),
            ("de,ru;q=much", "Russia"),
            ("fr", "Russia"),
        ):
            headers = {"Accept-Language": header}
            (item,) = (await call.send("GET", "regions.json?_id=188", headers=headers)).json["items"]
            assert item["name"] == name
        packages = (await call.get("packages.json", _id=811, fields="id,max_price_per_unit")).json
        assert packages == {"items": [{"id": 811, "max_price_per_unit": "120"}]}
        for objective, count in (("traffic", 3), ("traf", 0)):
            assert len((await call.get("packages.json", _objective=objective)).json["items"]) == count
        assert (await call.get("currencies.json")).json["items"][0]["budget_limit_step"] == "0.01"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"_id__in": "70,188"}, [188, 70]),
        ({"_parent_id": "-1"}, [1, 2]),
        ({"_parent_id__in": "2,1", "_id": "143"}, [143]),
        ({"_q": "petersb"}, [70]),
        ({"_flags": "geo_tree", "_parent_id": "2"}, [143]),
        ({"_flags__in": "geo_tree,rb_active"}, [188, 70, 77, 39, 143]),
    ],
)
async def test_regions_are_found_by_their_filters(query, found):
    """By id, parent and name; of several flags a region has all."""
    async with calling() as call:
        page = (await call.get("regions.json", fields="id", **query)).json
        assert (page["count"], [item["id"] for item in page["items"]]) == (len(found), found)
        assert (await call.get("regions.json", _name="Russia")).status == 400


async def test_a_later_text_makes_an_earlier_verdict_void():
    """Only the latest question to the moderators is answered."""
    async with calling(moderation_s=60) as call:
        number = call.first("banners", moderation_status="allowed", status="active")["id"]
        path = f"banners/{number}.json"
        await call.post(path, {"textblocks": {"title_25": {"text": "Casino"}}})
        call.hands.move(30)
        await call.post(path, {"textblocks": {"title_25": {"text": "Shoes"}}})
        call.hands.move(30)
        assert call.first("banners", id=number)["moderation_status"] == "pending"
        call.hands.move(30)
        assert call.first("banners", id=number)["moderation_status"] == "allowed"


async def test_a_stopped_banner_can_go_on():
    """Stopped and started on one day loses no day; between days it does."""
    async with calling(token_lifetime_s=10**7) as call:
        row = next(r for r in call.sandbox.truth("banners") if r["delivery"] == "delivering")
        path = f"banners/{row['id']}.json"
        before = call.sandbox.truth("banner_stats")
        for status in ("blocked", "active", "active"):
            await call.post(path, {"status": status})
        assert call.sandbox.truth("banner_stats") == before
        await call.post(path, {"status": "blocked"})
        call.hands.move(30 * 86400 - 1)
        await call.get("user.json")
        await call.post(path, {"status": "active"})
        call.hands.move(20 * 86400)
        rows = call.sandbox.truth("banner_stats", NOW.date() + timedelta(1))
        days = {r["date"] for r in rows if r["banner_id"] == row["id"]}
        assert min(days) >= "2026-10-15"


@pytest.mark.parametrize(("data", "code"), [("{", "invalid_json"), ('{"width":"wide"}', "bad_value")])
async def test_the_size_of_content_must_be_json_of_integers(data, code):
    """Errors of the part `data` have a field of their own."""
    async with calling() as call:
        reply = await call.upload("content/static.json", b"x", "a.png", data=data)
        assert reply.fields["data"]["code"] == code


async def test_content_has_a_greatest_size(monkeypatch):
    """Above it, content_too_large."""
    monkeypatch.setattr(_mytarget_library, "MOST_BYTES", 10)
    async with calling() as call:
        reply = await call.upload("content/video.json", b"x" * 11, "a.mp4")
        assert reply.fields["file"]["code"] == "content_too_large"


async def test_an_html5_archive_has_html_params():
    """Its variants tell the size in another way."""
    async with calling() as call:
        size = {"width": 240, "height": 400}
        reply = await call.upload("content/html5.json", b"PK", "a.zip", data=size)
        assert reply.json["variants"]["original"]["html_params"] == size


async def test_a_body_that_is_no_multipart_is_refused():
    """The header promises parts, and there are none."""
    async with calling() as call:
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        reply = await call.send("POST", "content/static.json", data=b"??", headers=headers)
        assert (reply.status, reply.code) == (400, "bad_value")


@pytest.mark.parametrize(
    "path",
    [
        "targetings_tree.json",
        "pads_trees.json",
        "mobile_operators.json",
        "banner_formats.json",
        "banner_patterns.json",
    ],
)
async def test_small_dictionaries_are_there(path):
    """Each answers an object with something in it."""
    async with calling() as call:
        assert next(iter((await call.get(path)).json.values()))


async def test_the_old_lookup_registers_an_address_and_checks_it_at_once():
    """Once: who asks again, in either way, finds the same."""
    async with calling(url_check_s=60) as call:
        first = (await call.get("/api/v1/urls/", url="https://new.test")).json
        assert (first["url_types"], first["has_bad_landing"]) == (["external"], False)
        assert (await call.get("/api/v1/urls/", url="https://new.test")).json == first
        assert (await call.get(f"urls/{first['id']}.json")).json["url_types"] == ["external"]
        later = (await call.post("urls.json", {"url": "https://later.test"})).json["id"]
        assert (await call.get(f"urls/{later}.json")).json["url_types"] == []
        looked = (await call.get("/api/v1/urls/", url="https://later.test")).json
        assert (looked["id"], looked["url_types"]) == (later, ["external"])


async def test_trees_of_targetings_can_be_chosen():
    """All of them unless named; a member names its children."""
    async with calling() as call:
        trees = (await call.get("targetings_tree.json")).json
        assert set(trees) == {"interests", "interests_soc_dem", "interests_stable", "interests_short"}
        few = (await call.get("targetings_tree.json", targetings="interests,interests_short")).json
        assert few == {name: trees[name] for name in ("interests", "interests_short")}
        assert {"children", "id", "name"} <= set(trees["interests"][0])


async def test_wrong_and_empty_urls_are_refused():
    """In both ways of registering them."""
    async with calling() as call:
        for query, code in (({"url": "ftp://x.test"}, "unknown_scheme"), ({}, "required")):
            reply = await call.get("/api/v1/urls/", **query)
            assert (reply.status, reply.fields["url"]["code"]) == (400, code)
        assert (await call.post("urls.json", {})).fields["url"]["code"] == "required"
        store = (await call.post("urls.json", {"url": "market://x"})).json["id"]
        call.hands.move(5)
        assert (await call.get(f"urls/{store}.json")).json["url_types"] == ["store"]
