"""Campaigns, ads, statistics and clicks of the sandbox, against what it really holds."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from zoneinfo import ZoneInfo

import pytest

from adnet.connectors.adskeeper.codec import CAMPAIGN_STATUS, TEASER_STATUS
from adnet.connectors.adskeeper.values import CAMPAIGN_STATUSES, TEASER_STATUSES
from adnet.errors import ApiError, AuthenticationError, DecodeError, NotFoundError, UnsupportedError
from adnet.money import Money
from adnet.testing.fakes import FakeClock, answer
from tests.connectors.adskeeper.kit import NOW, SINCE, UNTIL, home, rows, scripted, total

OLD = {
    "pagination": "offset",
    "status_object": False,
    "stat_keys": "buy",
    "stat_wrapped": False,
    "empty_map": "map",
}
NEW = {"pagination": "page1", "status_object": True, "stat_keys": "buying", "validation_status": 400}
DIALECTS = pytest.mark.parametrize(
    "dialect", [OLD, NEW, {"unknown_status": 200}], ids=["old", "new", "all 200"]
)


@DIALECTS
async def test_campaigns_are_what_the_network_holds(dialect):
    """Names, limits, days and marks of all campaigns, whatever shape they come in."""
    async with home(**dialect) as it:
        found = {campaign.campaign_id: campaign for campaign in await rows(it.account.list_campaigns())}
        held = it.sandbox.account.campaigns
        assert found.keys() == {str(number) for number in held}
        for number, row in held.items():
            campaign = found[str(number)]
            budget = row.limits.daily if row.limits.type == "budget_limits" else None
            assert campaign.name == row.name
            assert (campaign.daily_budget.amount if campaign.daily_budget else None) == budget
            assert campaign.daily_clicks == (row.limits.daily if row.limits.type == "clicks_limits" else None)
            assert (campaign.starts_on, campaign.ends_on) == (row.start, row.end)
            assert campaign.tracking == row.utm
            assert campaign.status == CAMPAIGN_STATUS.get(row.status, "unknown")
            assert campaign.targeting["widgetsFilterUid"]["widgets"] == row.widgets


@DIALECTS
async def test_ads_are_what_the_network_holds(dialect):
    """Titles, addresses, prices and statuses of all current ads."""
    async with home(**dialect) as it:
        found = {ad.ad_id: ad for ad in await rows(it.account.list_ads())}
        held = {str(k): row for k, row in it.sandbox.account.teasers.items() if row.listed}
        assert found.keys() == held.keys()
        for number, row in held.items():
            ad = found[number]
            assert (ad.title, ad.text or "", ad.url, ad.image_url) == (
                row.title,
                row.text,
                row.url,
                row.image,
            )
            assert ad.bid == Money(row.price / 100, "USD")
            assert ad.campaign_id == str(row.campaign)
            assert ad.status_raw == it.sandbox.account.teaser_status(row)
            assert ad.status == TEASER_STATUS[ad.status_raw]


def test_every_documented_status_has_our_word():
    """Ids that the document leaves out are unknown, all others are mapped."""
    assert CAMPAIGN_STATUS.keys() == CAMPAIGN_STATUSES.keys()
    assert TEASER_STATUS.keys() == TEASER_STATUSES.keys()


async def test_filters_choose():
    """Ids and statuses leave exactly what they name; few ids are asked for one by one."""
    async with home() as it:
        every = await rows(it.account.list_campaigns())
        some = [campaign.campaign_id for campaign in every[:3]]
        assert [c.campaign_id for c in await rows(it.account.list_campaigns(ids=[*some, "7"]))] == some
        many = [campaign.campaign_id for campaign in every[:30]]
        assert [c.campaign_id for c in await rows(it.account.list_campaigns(ids=many))] == many
        paused = await rows(it.account.list_campaigns(status="paused"))
        assert paused == [campaign for campaign in every if campaign.status == "paused"]
        ads = await rows(it.account.list_ads(campaign_ids=some))
        assert {ad.campaign_id for ad in ads} <= set(some)
        assert ads == await rows(it.account.list_ads(campaign_ids=some, status=[a.status for a in ads]))


async def test_a_campaign_is_read_complete():
    """One campaign comes with geo and phone prices, which the list does not tell."""
    async with home() as it:
        row = it.campaign(lambda row: row.geo and row.prices)
        campaign = await it.account.get_campaign(row.id)
        assert campaign.targeting["phonePriceRange"] == row.prices
        cities = {number for chosen in row.geo.values() for number in chosen}
        assert {int(city) for city in campaign.targeting["geo"]["cities"]} == cities
        with pytest.raises(NotFoundError):
            await it.account.get_campaign("7")


async def test_old_ads_are_found_by_their_ids():
    """The list holds only current ads; older ones answer by themselves, deleted ones do not."""
    async with home() as it:
        old = it.teaser(lambda row: not row.listed)
        assert (await it.account.get_ad(str(old.id))).title == old.title
        del it.sandbox.account.teasers[old.id]
        with pytest.raises(NotFoundError):
            await it.account.get_ad(str(old.id))


async def test_the_account_tells_currency_zone_and_balance():
    """The wallet is in cents unless the account says otherwise."""
    async with home(currency="EUR", timezone="Asia/Tokyo") as it:
        account = await it.account.get_account()
        assert (account.currency, account.time_zone) == ("EUR", "Asia/Tokyo")
        assert account.balance == Money.from_minor(it.sandbox.account.balance_cents, "EUR")
    async with home(options={"wallet_divisor": "1"}) as it:
        assert (await it.account.get_account()).balance.amount == it.sandbox.account.balance_cents


# ---------------------------------------------------------------------- statistics


@DIALECTS
async def test_levels_add_up_to_the_truth(dialect):
    """Campaigns, ads and sources are the same spend, clicks and conversions, no click counted twice."""
    async with home(**dialect) as it:
        truth = it.sandbox.truth("stats", SINCE, UNTIL)
        spent = sum(Decimal(row["spent"]) for row in truth)
        clicks = sum(row["clicks"] for row in truth)
        bought = sum(row["buy"] for row in truth)
        for level in ("campaign", "ad", "source"):
            found = await rows(it.account.list_stats(since=SINCE, until=UNTIL, level=level))
            assert total(found, "spend") == spent, level
            assert sum(row.clicks for row in found) == clicks, level
            assert sum(row.conversions or 0 for row in found) == bought, level
            keys = [(row.date, row.level, row.object_id) for row in found]
            assert len(keys) == len(set(keys))


async def test_campaign_days_are_exact():
    """A row per day and campaign with impressions, spend and revenue; days without anything are no rows."""
    async with home() as it:
        found = await rows(it.account.list_stats(since=SINCE, until=UNTIL))
        truth = it.sandbox.truth("stats", SINCE, UNTIL)
        expected = {
            (row["date"], str(row["campaignId"])): (
                row["imps"], row["clicks"], Decimal(row["spent"]), Decimal(row["revenue"]) or None,
            )
            for row in truth
        }  # fmt: skip
        assert expected == {
            (row.date.isoformat(), row.object_id): (
                row.impressions, row.clicks, row.spend.amount,
                row.revenue.amount if row.revenue and row.revenue.amount else None,
            )
            for row in found
        }  # fmt: skip
        assert {row.currency for row in found} == {"USD"}


async def test_a_day_takes_one_request():
    """The network totals its periods, so each day is asked for by itself, and only the days needed."""
    async with home() as it:
        await rows(it.account.list_stats(since=SINCE, until=UNTIL))
        asked = [dict(request.query) for request in it.sent("GET", "/campaigns-stat")]
        assert [(row["startDate"], row["endDate"]) for row in asked] == [
            (str(day), str(day)) for day in (SINCE, SINCE + timedelta(days=1), SINCE + timedelta(days=2))
        ]


async def test_days_that_have_not_begun_are_not_asked_for():
    """A period that reaches into the future asks for today, and for one day of grace."""
    async with home() as it:
        today = NOW.astimezone(ZoneInfo("America/Los_Angeles")).date()
        await rows(it.account.list_stats(since=today, until=today + timedelta(days=30)))
        assert len(it.sent("GET", "/campaigns-stat")) == 2


async def test_sources_are_asked_for_where_there_was_spend():
    """Campaigns that spent nothing on a day are not asked about their widgets, nor about clicks."""
    async with home() as it:
        day = (SINCE, SINCE + timedelta(days=1))
        busy = {str(row["campaignId"]) for row in it.sandbox.truth("stats", *day) if row["clicks"]}
        await rows(it.account.list_stats(since=day[0], until=day[1], level="source"))
        asked = Counter(r.path.split("/")[4] for r in it.sent("GET", "/quality-analysis"))
        assert asked == Counter(busy)
        await rows(it.account.list_clicks(since=day[0], until=day[1]))
        assert Counter(r.path.split("/")[4] for r in it.sent("GET", "/statistics")) == Counter(busy)


async def test_sources_of_late_conversions_are_rows():
    """A sale counts on the day on which it came, though the campaign had no click any more."""
    stat = {"campaigns-stat": {"510": {"campaignId": 510, "imps": 0, "clicks": 0, "spent": 0, "buying": 2}}}
    places = {"510": {"2026-09-01_2026-09-01": {"77": {"clicks": 0, "spent": "0", "buy": 2}}}}
    async with scripted(stat, places) as (account, _):
        day = {"since": SINCE, "until": SINCE + timedelta(days=1)}
        (row,) = await rows(account.list_stats(**day, level="source"))
        assert (row.object_id, row.conversions) == ("510:77", 2)


async def test_a_widget_and_its_sub_sources_are_rows_of_their_own():
    """A widget's row is its own traffic, its sub-sources stand beside it, and all of it is the widget's total."""
    async with home() as it:
        found = await rows(it.account.list_stats(since=SINCE, until=UNTIL, level="source"))
        parts: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in found:
            campaign, _, place = row.object_id.partition(":")
            assert campaign == row.campaign_id
            parts[row.date.isoformat(), f"{campaign}:{place.partition('/')[0]}"] += row.spend.amount
        totals = {
            (row["date"], f"{row['campaignId']}:{row['uid']}"): Decimal(row["spent"])
            for row in it.sandbox.truth("widget_stats", SINCE, UNTIL)
            if row["sourceId"] is None and row["clicks"]
        }
        assert parts == totals
        assert any("/" in row.object_id for row in found)
        assert {row.impressions for row in found} == {None}


async def test_ids_choose_objects_of_the_level():
    """Ids are campaigns, ads, and of sources the campaigns."""
    async with home() as it:
        every = await rows(it.account.list_stats(since=SINCE, until=UNTIL, level="ad"))
        ad, campaign = every[0].object_id, every[0].campaign_id
        chosen = await rows(it.account.list_stats(since=SINCE, until=UNTIL, level="ad", ids=[ad, "7"]))
        assert chosen == [row for row in every if row.object_id == ad]
        for level in ("campaign", "source"):
            every = await rows(it.account.list_stats(since=SINCE, until=UNTIL, level=level))
            chosen = await rows(it.account.list_stats(since=SINCE, until=UNTIL, level=level, ids=[campaign]))
            assert chosen == [row for row in every if row.campaign_id == campaign]


async def test_many_ads_are_looked_up_together():
    """For more than a few ids all ads are listed once, and those that are listed no more are asked for singly."""
    async with home() as it:
        ids = [str(number) for number in it.sandbox.account.teasers][:40]
        every = await rows(it.account.list_stats(since=SINCE, until=UNTIL, level="ad"))
        chosen = await rows(it.account.list_stats(since=SINCE, until=UNTIL, level="ad", ids=ids))
        key = attrgetter("object_id", "date")
        assert sorted(chosen, key=key) == sorted((row for row in every if row.object_id in ids), key=key)


async def test_an_ad_in_the_bin_keeps_its_days():
    """Who names an ad gets its figures, also where the ad itself is told no more."""
    day = {"date": "2026-09-01", "clicks": 1, "shows": 9, "spent": "0.5"}
    async with scripted(answer(404), {"teaser-stat": {"2026-09-01": day}}) as (account, _):
        (row,) = await rows(account.list_stats(since=SINCE, until=UNTIL, level="ad", ids=["9"]))
        assert (row.object_id, row.campaign_id, row.spend) == ("9", None, Money("0.5", "USD"))


async def test_a_time_without_data_is_empty():
    """The network's refusal for want of data is an empty result at every level."""
    async with home() as it:
        for level in ("campaign", "ad", "source"):
            long_ago = {"since": date(2001, 1, 1), "until": date(2001, 1, 3)}
            assert await rows(it.account.list_stats(**long_ago, level=level)) == []


# ---------------------------------------------------------------------- clicks


async def test_clicks_are_complete_and_told_apart():
    """As many clicks as the network accepted, each with a key of its own, costs adding up to the spend."""
    async with home() as it:
        found = await rows(it.account.list_clicks(since=SINCE, until=UNTIL))
        truth = it.sandbox.truth("clicks", SINCE, UNTIL)
        assert len(found) == len(truth) == len({click.click_key for click in found})
        assert total(found, "cost") == sum(Decimal(row["price"]) for row in truth)
        assert Counter(click.ad_id for click in found) == Counter(str(row["teaserId"]) for row in truth)
        assert Counter(click.country for click in found) == Counter(row["country"] for row in truth)


async def test_click_keys_stay_however_the_period_is_split():
    """Days and parts of days give the same keys as the whole."""
    async with home() as it:
        whole = {
            click.click_key: click for click in await rows(it.account.list_clicks(since=SINCE, until=UNTIL))
        }
        middle = datetime(2026, 9, 2, 15, 30, tzinfo=UTC)
        parts = await rows(it.account.list_clicks(since=SINCE, until=middle))
        parts += await rows(it.account.list_clicks(since=middle, until=UNTIL))
        assert {click.click_key: click for click in parts} == whole
        assert len(parts) == len(whole)


async def test_addresses_are_kept_only_hashed():
    """No address reaches a click, its raw or its text; equal addresses have equal hashes."""
    async with home() as it:
        found = await rows(it.account.list_clicks(since=SINCE, until=SINCE + timedelta(days=1)))
        addresses = [row["ip"] for row in it.sandbox.truth("clicks", SINCE, SINCE + timedelta(days=1))]
        told = " ".join(f"{click!r} {click.raw.json()}" for click in found)
        assert not any(f'"{address}"' in told or f"'{address}'" in told for address in addresses)
        assert Counter(Counter(click.ip_hash for click in found).values()) == Counter(
            Counter(addresses).values()
        )


async def test_no_address_stands_in_an_error():
    """An answer that is cut short is quoted elsewhere; this one would quote personal data into a log."""
    stat = {"campaigns-stat": {"510": {"clicks": 1, "spent": 1}}}
    cut = answer(200, body=b'{"id": 510, "statistics": {"acceptedClicks": [{"ip": "192.0.2.7", "time"')
    async with scripted(stat, cut) as (account, _):
        with pytest.raises(DecodeError) as caught:
            await rows(account.list_clicks(since=SINCE, until=SINCE + timedelta(days=1)))
    assert "192.0.2.7" not in f"{caught.value} {caught.value.__dict__}"


async def test_days_are_the_accounts_own():
    """A day begins at midnight in Tokyo, which is the afternoon before in UTC."""
    clock = FakeClock(NOW, grace_s=0.02)
    async with home(timezone="Asia/Tokyo", options={"clock": clock}) as it:
        found = await rows(it.account.list_clicks(since=date(2026, 9, 2), until=date(2026, 9, 3)))
        assert len(found) == len(it.sandbox.truth("clicks", date(2026, 9, 2), date(2026, 9, 3)))
        assert {click.occurred_at.astimezone(ZoneInfo("Asia/Tokyo")).date() for click in found} == {
            date(2026, 9, 2)
        }


async def test_clicks_of_chosen_campaigns():
    """``campaign_ids`` is the one filter, of one id or several; another is refused before any request."""
    async with home() as it:
        every = await rows(it.account.list_clicks(since=SINCE, until=UNTIL))
        chosen = every[0].campaign_id
        for one in ([chosen], chosen, int(chosen)):
            some = await rows(it.account.list_clicks(since=SINCE, until=UNTIL, campaign_ids=one))
            assert some == [click for click in every if click.campaign_id == chosen]
        with pytest.raises(UnsupportedError, match="country"):
            await rows(it.account.list_clicks(since=SINCE, until=UNTIL, country="US"))


async def test_days_that_nobody_asked_for_are_left_out():
    """A network that answers with more than the period adds nothing to it."""
    figures = {"shows": 5, "clicks": 1, "spent": "0.5"}
    days = {f"2026-{day}": figures for day in ("08-31", "09-01", "09-03", "09-04")}
    async with scripted({"id": 9, "campaignId": 510}, {"teaser-stat": days}) as (account, _):
        found = await rows(account.list_stats(since=SINCE, until=UNTIL, level="ad", ids=["9"]))
    assert [row.date.isoformat() for row in found] == ["2026-09-01", "2026-09-03"]


async def test_a_page_of_a_gateway_does_not_say_that_something_is_not_there():
    """Its rows would be missing without a word; the network tells in its own words what does not exist."""
    page = answer(404, body=b"<html><title>404 Not Found</title></html>")
    stat = {"dateInterval": "x", "campaigns-stat": {"510": {"clicks": 1, "spent": 1}}}
    async with scripted(stat, {"9": {"id": 9, "campaignId": 510}}, page) as (account, _):
        with pytest.raises(ApiError, match="404 Not Found"):
            await rows(account.list_stats(since=SINCE, until=UNTIL, level="ad"))
    async with scripted(page) as (account, _):
        with pytest.raises(ApiError, match="404 Not Found"):
            await rows(account.list_campaigns(ids=["510"]))


async def test_what_vanishes_meanwhile_is_left_out():
    """An ad deleted between the list and its figures is no error; a dropped targeting is none of a campaign."""
    stat = {"dateInterval": "x", "campaigns-stat": {"510": {"clicks": 1, "spent": 1}}}
    gone = {"errors": ["[TEASER_DOES_NOT_EXIST]"]}
    async with scripted(stat, {"9": {"id": 9, "campaignId": 510}}, gone) as (account, _):
        assert await rows(account.list_stats(since=SINCE, until=UNTIL, level="ad")) == []
    geo = {"targets": {"actual": [], "requested": []}}
    async with scripted({"id": 510, "name": "x"}, geo, answer(404)) as (account, _):
        assert "phonePriceRange" not in (await account.get_campaign("510")).targeting
    async with scripted({"id": 510, "name": "x"}, geo, answer(403)) as (account, _):
        assert (await account.get_campaign("510")).name == "x"
    async with scripted({"id": 510, "name": "x"}, geo, answer(401)) as (account, _):
        with pytest.raises(AuthenticationError):
            await account.get_campaign("510")


@pytest.mark.parametrize("code", ["THERE_NO_DATA_IN_CHOSEN_PERIOD", "ERROR_CAMPAIGN_DOES_NOT_EXIST"])
async def test_only_the_want_of_data_is_empty(code):
    """Other refusals of statistics rise."""
    day, refusal = date(2026, 9, 1), {"errors": [f"[{code}]"]}
    calls = (
        lambda native: native.statistics.quality("510", day, day),
        lambda native: native.statistics.clicks("510", day),
        lambda native: native.statistics.campaigns(day, day),
        lambda native: native.statistics.teaser("9", day, day),
    )
    for call in calls:
        async with scripted(refusal) as (account, _):
            if code.startswith("THERE"):
                found = await call(account.native)
                rows_of = getattr(found, "days", getattr(found, "clicks", found))
                assert len(rows_of) == 0
            else:
                with pytest.raises(NotFoundError):
                    await call(account.native)


async def test_mgid_is_the_same_under_another_name():
    """The profile differs in host and name only."""
    async with home(mgid=True) as it:
        assert (it.account.network, it.connector.title) == ("mgid", "MGID")
        assert type(it.connector).default_base_url == "https://api.mgid.com/v1"
        found = await rows(it.account.list_stats(since=SINCE, until=UNTIL))
        assert total(found, "spend") == sum(
            Decimal(r["spent"]) for r in it.sandbox.truth("stats", SINCE, UNTIL)
        )
