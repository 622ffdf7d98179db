"""Offers, links and ads: direct answers, which the network cuts at a thousand without a word."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adnet.errors import (
    AdnetError,
    DecodeError,
    InvalidRequestError,
    NotFoundError,
    SchemaError,
    TruncatedReportError,
    UnsupportedError,
)
from adnet.testing import answer

from .kit import JSON, TOKEN, Reports, connect


def offer(number, start="2016-04-12", **fields):
    """Return an offer as the offers report prints it."""
    return {
        "id": number,
        "name": f"Offer {number}",
        "status": "accepted",
        "startDate": start,
        "endDate": "2017-04-23",
        "advertiser": "King.com Limited",
        "catergory": "Games",
        "targetedCountries": ["NO", "DE"],
        "currency": "USD",
        "highestPayout": 1.95,
        "pricings": [{"countries": ["NO"], "commissionType": "Fixed", "payout": 0.32, "currency": "USD"}],
        **fields,
    }


class Offers:
    """Answers the offers report: at most so many offers, by start date."""

    def __init__(self, offers, cap=1000):
        self.offers, self.cap, self.asked = offers, cap, []

    def __call__(self, request):
        query = request.query
        self.asked.append(query)
        found = [one for one in self.offers if self._dated(one, query)][: self.cap]
        return answer(200, {"token": "x", "data": [{"id": 122, "name": "zedge.net", "offers": found}]})

    def _dated(self, one, query):
        if not {"startDateFrom", "startDateTo"} & query.keys():
            return True
        first, last = query.get("startDateFrom", ""), query.get("startDateTo", "9999-12-31")
        return one["startDate"] is not None and first <= one["startDate"] <= last


async def offers_of(script, **filters):
    """Return what ``list_offers`` gives, and the wire."""
    account, wire = connect(script)
    async with account:
        return [one async for one in account.list_offers(**filters)], wire


@pytest.mark.parametrize(
    ("body", "count"),
    [({"data": None}, 0), ({}, 0), ({"data": [{"id": 1, "name": "a", "offers": None}]}, 0),
     ({"data": [{"id": 1, "name": "a"}, {"id": 2, "name": "b", "offers": [offer(5)]}]}, 1)],
)  # fmt: skip
async def test_null_is_no_offer(body, count):
    """An inventory without offers, or an account without inventories, hides no other."""
    found, _ = await offers_of([answer(200, body)])
    assert count == len(found)


async def test_an_inventory_at_the_limit_is_narrowed():
    """Should each inventory's list be cut by itself, it is noticed whatever the others have."""
    full, rest = [offer(n, f"2015-{n % 12 + 1:02}-01") for n in range(1100)], [offer(7000)]

    def cut(request):
        first, last = request.query.get("startDateFrom", ""), request.query.get("startDateTo", "9999-12-31")
        lists = [[one for one in part if first <= one["startDate"] <= last][:1000] for part in (full, rest)]
        return answer(
            200, {"data": [{"id": n, "name": str(n), "offers": one} for n, one in enumerate(lists)]}
        )

    found, _ = await offers_of(cut)
    assert len({(one.source_id, one.offer_id) for one in found}) == len(found) == 1101


def spread(count):
    """Return offers over three years of start dates."""
    return [offer(n, f"20{15 + n % 3}-{n % 12 + 1:02}-{n % 28 + 1:02}") for n in range(count)]


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2600])
async def test_offers_beyond_the_limit_are_all_found(count):
    """Where as many come as the limit allows, start dates are halved until nothing is cut."""
    found, wire = await offers_of(Offers(spread(count)))
    assert sorted(map(str, range(count))) == sorted(one.offer_id for one in found)
    assert (count < 1000) is (len(wire.sent) == 1)


@pytest.mark.parametrize("start", ["0001-01-01", "1970-01-01", "1999-12-31", "2100-01-02", "9999-12-31"])
async def test_an_offer_that_starts_long_ago_or_never_is_found(start):
    """Such dates stand where somebody had to give one; narrowing leaves no time out that was not left out."""
    found, _ = await offers_of(Offers([*spread(1200), offer(7000, start)]))
    assert len(found) == 1201
    assert "7000" in {one.offer_id for one in found}


@pytest.mark.parametrize("bound", [{"start_to": "1999-01-01"}, {"start_from": "2100-06-01"}])
async def test_offers_of_a_time_that_nobody_halves_are_told(bound):
    """Halving begins between 2000 and 2100; a thousand offers of another time are not looked for without end."""
    rows = [offer(n, day) for n in range(1000) for day in ("1990-01-01", "2200-01-01")]
    with pytest.raises(TruncatedReportError):
        await offers_of(Offers(rows), **bound)


async def test_offers_of_one_day_that_do_not_fit_are_told():
    """A day cannot be halved: what may be missing is not passed over."""
    with pytest.raises(TruncatedReportError, match="filter them by source"):
        await offers_of(Offers([offer(n) for n in range(1000)]))


async def test_offers_without_a_start_date_are_not_lost_unseen():
    """Narrowing by date cannot find them; that there are some is told."""
    with pytest.raises(TruncatedReportError):
        await offers_of(Offers([offer(n, None) for n in range(7000, 7003)] + spread(1200)))


async def test_narrowing_keeps_to_the_dates_that_were_asked_for():
    """Halving start dates stays inside the user's own bounds."""
    server = Offers(spread(2600))
    found, _ = await offers_of(server, start_from="2016-01-01", start_to="2017-03-31")
    wanted = [one for one in server.offers if "2016-01-01" <= one["startDate"] <= "2017-03-31"]
    assert sorted(str(one["id"]) for one in wanted) == sorted(one.offer_id for one in found)
    assert min(query["startDateFrom"] for query in server.asked) >= "2016-01-01"
    assert max(query["startDateTo"] for query in server.asked) <= "2017-03-31"


@pytest.mark.parametrize(
    ("filters", "sent"),
    [({"status": "active"}, {"status": "accepted"}),
     ({"status": ["active", "pending"]}, {"status": "accepted,pending"}),
     ({"status": "Active"}, {"status": "accepted"}), ({"status": ["REJECTED"]}, {"status": "rejected"}),
     ({"offer_id": 11014}, {"offerId": "11014"}), ({"source": ["a", "b"]}, {"adInventory": "a,b"}),
     ({"advertiser": None}, {})],
)  # fmt: skip
async def test_filters_go_in_the_network_s_words(filters, sent):
    """Plain words are translated, several values joined, None is not sent."""
    server = Offers([])
    await offers_of(server, **filters)
    assert [{"limit": "1000", **sent}] == server.asked


@pytest.mark.parametrize(
    ("status", "names"),
    [
        ("paused", []),
        ("unknown", ["c"]),
        (["unknown", "ACTIVE"], ["a", "c"]),
        ({"paused", "accepted"}, ["a"]),
    ],
)
async def test_a_status_that_the_network_has_no_word_for_is_compared_here(status, names):
    """Sent, nobody knows what it would do with it."""
    told = {"a": "accepted", "b": "pending", "c": "on hold"}
    server = Offers([{**offer(n), "name": name, "status": told[name]} for n, name in enumerate(told)])
    found, _ = await offers_of(server, status=status)
    assert names == [one.name for one in found]
    assert server.asked == [{"limit": "1000"}]


async def test_offers_by_several_ids_are_asked_for_one_by_one():
    """The document joins values of other filters by commas, and says nothing of it beside ``offerId``."""

    def one(request):
        found = [offer(n) for n in range(5) if str(n) == request.query["offerId"]]
        return answer(200, {"data": [{"id": 122, "name": "zedge.net", "offers": found}]})

    found, wire = await offers_of(one, offer_id=[3, 1, 3, 9])
    assert [row.offer_id for row in found] == ["3", "1"]
    assert len(wire.sent) == 3


@pytest.mark.parametrize("name", ["start_from", "start_to", "end_from", "end_to"])
async def test_a_bound_is_one_day(name):
    """Two days for one bound mean nothing, and are refused before any request."""
    server = Offers([])
    with pytest.raises(InvalidRequestError, match="one day"):
        await offers_of(server, **{name: ["2016-01-01", "2017-01-01"]})
    assert server.asked == []


@pytest.mark.parametrize("name", ["start_from", "start_to", "end_from", "end_to"])
async def test_a_bound_is_a_day(name):
    """Nobody knows what the network makes of another word; it may leave it out, and answer with all offers."""
    server = Offers([])
    for word in ("soon", "01.02.2016", datetime(2016, 2, 1, tzinfo=UTC), 2016):
        with pytest.raises(InvalidRequestError, match="is no day"):
            await offers_of(server, **{name: word})
    assert server.asked == []
    for word in ("2016-02-01", "20160201", date(2016, 2, 1)):
        await offers_of(server, **{name: word})
    assert {query[key] for query in server.asked for key in query.keys() - {"limit"}} == {"2016-02-01"}


async def test_an_offer_is_one_for_each_source():
    """The same offer in two ad inventories is two rows, each with its source."""
    both = [{"id": 1, "name": "a", "offers": [offer(7)]}, {"id": 2, "name": "b", "offers": [offer(7)]}]
    found, _ = await offers_of([answer(200, {"data": both})])
    assert [(o.offer_id, o.source_id, o.source_name) for o in found] == [("7", "1", "a"), ("7", "2", "b")]


@pytest.mark.parametrize("spelling", ["category", "catergory"])
async def test_both_spellings_of_category_are_read(spelling):
    """The document prints ``catergory``; the right word wins where both come."""
    row = offer(1)
    row.pop("catergory")
    (one,), _ = await offers_of(Offers([{**row, spelling: "Camping"}]))
    assert one.category == "Camping"
    (one,), _ = await offers_of(Offers([{**row, "catergory": "x", "category": "Camping"}]))
    assert one.category == "Camping"


async def test_dates_that_are_none_stay_in_raw():
    """A start date that is no day is None; nothing is lost."""
    (one,), _ = await offers_of(Offers([offer(1, "soon")]))
    assert (one.starts_on, one.raw["startDate"]) == (None, "soon")


@pytest.mark.parametrize(
    ("body", "error"),
    [(b'{"data":{}}', SchemaError), (b'{"data":[7]}', SchemaError), (b"<html>", DecodeError), (b"", DecodeError),
     (b'{"data":[{"id":1,"offers":[{}]}]}', SchemaError), (b'{"data":[{"offers":[]}]}', SchemaError)],
)  # fmt: skip
async def test_an_answer_of_another_shape_is_told(body, error):
    """The error names the operation."""
    with pytest.raises(error) as caught:
        await offers_of([answer(200, body=body)])
    assert caught.value.operation == "offers.list"


@given(field=st.sampled_from(sorted(offer(1))), value=JSON)
async def test_any_json_in_an_offer_is_a_row_or_our_error(field, value):
    """Nothing that a server writes into an offer raises anything but an error of ours."""
    body = {"data": [{"id": 1, "name": "n", "offers": [{**offer(1), field: value}]}]}
    try:
        found, _ = await offers_of([answer(200, body)])
    except AdnetError:
        return
    assert [one.offer_id for one in found]


TRADE = {
    "id": 11014,
    "type": "legacy",
    "status": "accepted",
    "adInventory": "Some adInventory",
    "offer": {"name": "AwesomeStuff.no", "href": "/api/offers/691a1d"},
    "category": None,
    "provider": "Target Circle AS",
    "verticals": [""],
    "pricings": [{"id": 1, "commision": 10.0, "commisionType": "Fixed", "offerPricingCountries": ["Norway"]}],
}


async def trades_of(row):
    """Return the trades that one row becomes."""
    account, _ = connect(Reports([row]))
    async with account:
        return [one async for one in account.list_trades()]


@given(field=st.sampled_from(sorted(TRADE)), value=JSON)
async def test_any_json_in_a_trade_is_a_row_or_our_error(field, value):
    """The same for trades."""
    try:
        found = await trades_of({**TRADE, field: value})
    except AdnetError:
        return
    assert [one.trade_id for one in found]


@pytest.mark.parametrize(
    ("href", "slug"),
    [("/api/offers/691a1d", "691a1d"), ("https://tc.example/api/offers/691a1d/", "691a1d"), ("691a1d", "691a1d"),
     ("", None), (None, None)],
)  # fmt: skip
async def test_a_trade_knows_its_offer_by_its_slug(href, slug):
    """The slug is the end of the link; where there is no link there is no slug."""
    (trade,) = await trades_of({**TRADE, "offer": {"name": "n", "href": href}})
    assert slug == trade.offer_slug


async def test_empty_verticals_are_dropped():
    """The document's own sample has one that is an empty text."""
    (trade,) = await trades_of({**TRADE, "verticals": ["", "Travel", None]})
    assert trade.verticals == ("Travel",)


async def test_offer_details_keep_no_secret_and_can_be_dirty():
    """A token in the details reaches no ``raw``; a comma too many is read."""
    body = f'{{"slug":"m0496v","name":"Offer {TOKEN}","token":"abc","targetedCountries":["Germany",],}}'
    account, _ = connect([answer(200, body=body.encode())])
    async with account:
        one = await account.get_offer("m0496v")
    assert {"slug", "name", "targetedCountries"} == set(one.raw)
    assert TOKEN not in f"{one} {one.raw.json()}"
    assert one.countries == ("DE",)


@pytest.mark.parametrize("slug", ["../codes", "a/b", "a?b=c", "é", " "])
async def test_a_slug_is_a_path_s_part_and_nothing_else(slug):
    """What stands in a slug cannot lead to another path of the API."""
    account, wire = connect([answer(404)])
    async with account:
        with pytest.raises(NotFoundError):
            await account.get_offer(slug)
    path = wire.sent[0].url.removeprefix("https://tc.example/api/offers/")
    assert "/" not in path
    assert "?" not in path


async def test_a_thousand_links_may_be_cut():
    """As many links as the network gives at most are not passed off as all of them."""
    links = [{"id": str(n), "clickUrl": "https://c.example/x"} for n in range(1000)]
    account, _ = connect([answer(200, {"data": links})])
    async with account:
        with pytest.raises(TruncatedReportError, match="narrow them"):
            [link async for link in account.list_links(offer_id=1, source_id=2)]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"sub_ids": {"ref1": "a", "ref_2": "b"}}, "carries no label 'ref_2'; did you mean 'ref2'"),
        ({"sub_ids": {"campaign": "b"}}, "carries no label 'campaign'; there are idfa, .*, ref5"),
        ({"widht": 300}, "cannot filter links by 'widht'; did you mean 'minWidth'"),
    ],
)
async def test_what_a_link_cannot_carry_is_refused(asked, told):
    """The network would leave it out without a word: conversions would come without their label."""
    account, wire = connect([])
    async with account:
        with pytest.raises(UnsupportedError, match=told):
            [link async for link in account.list_links(offer_id=1, source_id=2, **asked)]
    assert wire.sent == []


async def test_every_documented_label_and_filter_is_sent():
    """As the document words them."""
    labels = {
        name: f"v{n}" for n, name in enumerate(("idfa", "gaid", "waid", "click_id", "source_id", "ref5"))
    }
    account, wire = connect([answer(200, {"data": []})])
    async with account:
        sizes = {f"{end}{what}": 5 for end in ("max", "min") for what in ("Height", "Width", "Size")}
        asked = {"sub_ids": labels, "type": "banner", **sizes}
        assert [link async for link in account.list_links(offer_id=1, source_id=2, **asked)] == []
    sent = wire.sent[0].query
    assert {f"parameters[{name}]": value for name, value in labels.items()}.items() <= sent.items()
    assert {name: str(value) for name, value in {"type": "banner", **sizes}.items()}.items() <= sent.items()


async def test_ads_of_every_offer_that_we_trade():
    """Without ids each offer of a trade is asked once, also when two sources trade it."""
    trades = [{**TRADE, "id": n, "offer": {"href": f"/api/offers/{slug}"}} for n, slug in enumerate("aba")]
    server = Reports(trades)

    def both(request):
        if request.url.endswith("/ads"):
            slug = request.url.split("/")[-2]
            return answer(200, [{"slug": f"ad-{slug}", "type": "TEXT"}])
        return server(request)

    account, _ = connect(both)
    async with account:
        found = [(ad.campaign_id, ad.ad_id) async for ad in account.list_ads()]
        assert [ad async for ad in account.list_ads(campaign_ids=["a"], status="paused")] == []
        assert [ad.ad_id async for ad in account.list_ads(campaign_ids=["b", "a", "b"])] == ["ad-b", "ad-a"]
        assert (await account.get_ad("ad-b")).campaign_id == "b"
    assert found == [("a", "ad-a"), ("b", "ad-b")]


async def test_an_offer_that_is_gone_hides_no_ads_of_others():
    """A trade may outlive its offer: only who names the offer is told that it is not there."""
    trades = [{**TRADE, "id": n, "offer": {"href": f"/api/offers/{slug}"}} for n, slug in enumerate("abc")]
    server = Reports(trades)

    def without_b(request):
        if not request.url.endswith("/ads"):
            return server(request)
        slug = request.url.split("/")[-2]
        return answer(404) if slug == "b" else answer(200, [{"slug": f"ad-{slug}", "type": "TEXT"}])

    account, _ = connect(without_b)
    async with account:
        assert [ad.ad_id async for ad in account.list_ads()] == ["ad-a", "ad-c"]
        with pytest.raises(NotFoundError):
            [ad async for ad in account.list_ads(campaign_ids=["a", "b"])]
