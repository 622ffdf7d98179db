"""Pages, however a network counts them: by rows, by pages, tolerant of zero or not."""

from typing import Any

import pytest

from adnet.clock import SystemClock
from adnet.connectors.adskeeper.paging import Pager
from adnet.errors import InvalidRequestError, SchemaError
from adnet.state import Facts, State
from tests.connectors.adskeeper.kit import home, rows


class Network:
    """A list of so many rows, paged one way or the other; remembers what it was asked."""

    def __init__(
        self,
        count: int,
        *,
        by_page: bool = False,
        zero: bool = False,
        most: int = 10,
        given: int | None = None,
    ) -> None:
        self.asked: list[tuple[int, int]] = []
        self._rows = {str(number): {"id": number} for number in range(count)}
        self._by_page, self._zero, self._most = by_page, zero, most
        self._given = given or most

    async def page(self, place: Any) -> dict[str, dict[str, Any]]:
        limit, start = place["limit"], place["start"]
        self.asked.append((limit, start))
        if limit > self._most:
            raise InvalidRequestError("too large", code=f"ERROR_MAX_LIMIT_PER_PAGE_{self._most}")
        if self._by_page and start < 1 and not self._zero:
            raise InvalidRequestError("from 1", code="ERROR_MIN_PAGE_NUMBER_1")
        limit = min(limit, self._given)
        first = (max(start, 1) - 1) * limit if self._by_page else start
        return dict(list(self._rows.items())[first : first + limit])


@pytest.fixture
def facts():
    state = State.open(None, clock=SystemClock())
    yield state.facts
    state.close()


async def read(
    network: Network, facts: Facts, paging: str = "auto", most: int = 10, kind: str = "campaigns"
) -> list[str]:
    pager = Pager(paging, facts, "account")
    return [number async for page in pager.pages(kind, most, network.page) for number in page]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 35])
@pytest.mark.parametrize(
    "kind",
    [{}, {"by_page": True}, {"by_page": True, "zero": True}],
    ids=["rows", "pages", "pages from 0 too"],
)
async def test_every_row_comes_once(facts, count, kind):
    """However pages are counted, all rows come, each once, and so they do again with what was learned."""
    for _ in range(2):
        found = await read(Network(count, **kind), facts)
        assert found == [str(number) for number in range(count)]


@pytest.mark.parametrize("count", [99, 100, 101, 200, 350])
@pytest.mark.parametrize(
    "kind",
    [{}, {"by_page": True}, {"by_page": True, "zero": True}],
    ids=["rows", "pages", "pages from 0 too"],
)
async def test_a_network_that_gives_less_than_it_was_asked_for_loses_no_row(facts, count, kind):
    """A page that is shorter than asked for ends the list, unless that is as many as the network gives at once."""
    found = await read(Network(count, most=700, given=100, **kind), facts, most=700)
    assert found == [str(number) for number in range(count)]


async def test_what_was_found_out_is_remembered(facts):
    """The second list begins with page 1 and is refused nothing."""
    network = Network(25, by_page=True)
    await read(network, facts)
    assert network.asked[:2] == [(10, 0), (10, 1)]
    network.asked.clear()
    await read(network, facts)
    assert network.asked == [(10, 1), (10, 2), (10, 3)]


async def test_one_list_may_count_pages_and_another_rows(facts):
    """The document says pages of campaigns and the position of a teaser: page 1 would leave out the teaser at 0."""
    await read(Network(25, by_page=True), facts)
    assert await read(Network(5), facts, kind="teasers") == [str(number) for number in range(5)]


async def test_a_network_that_goes_back_to_rows_is_noticed(facts):
    """What was remembered is dropped when page 2 is page 1 moved by a row; no row is lost or doubled."""
    facts.put("account", "paging.campaigns", "page")
    found = await read(Network(25), facts)
    assert sorted(found, key=int) == [str(number) for number in range(25)]
    assert facts.get("account", "paging.campaigns") == "offset"


async def test_the_largest_page_is_read_from_the_refusal(facts):
    """A limit that is too large tells the right one, which is remembered by kind."""
    network = Network(25, most=7)
    assert len(await read(network, facts, most=500)) == 25
    assert network.asked[:2] == [(500, 0), (7, 0)]
    assert Pager("auto", facts, "account").size("campaigns", 500) == 7
    assert Pager("auto", facts, "account").size("teasers", 700) == 700


async def test_a_chosen_paging_is_not_questioned(facts):
    """Where the user says how pages are counted, nothing is found out and nothing remembered."""
    network = Network(25, by_page=True)
    assert len(await read(network, facts, "page")) == 25
    assert network.asked[0] == (10, 1)
    assert facts.get("account", "paging.campaigns") is None
    with pytest.raises(InvalidRequestError):
        await read(Network(25, by_page=True), facts, "offset")


async def test_a_network_that_does_not_page_is_told(facts):
    """One full page again and again may hide rows: that is an error and not an end."""

    async def same(place: Any) -> dict[str, dict[str, Any]]:
        return {str(number): {} for number in range(10)}

    with pytest.raises(SchemaError, match="pages"):
        _ = [page async for page in Pager("auto", facts, "account").pages("campaigns", 10, same)]


@pytest.mark.parametrize("pagination", ["offset", "page1"])
async def test_a_thousand_campaigns_come_once(pagination):
    """Both dialects of the sandbox, with more campaigns than two pages hold."""
    async with home(campaigns=1050, days=1, pagination=pagination, page_max=450) as it:
        found = [campaign.campaign_id for campaign in await rows(it.account.list_campaigns())]
        assert sorted(found) == sorted(str(number) for number in it.sandbox.account.campaigns)
        ads = [ad.ad_id for ad in await rows(it.account.list_ads())]
        listed = [str(row.id) for row in it.sandbox.account.teasers.values() if row.listed]
        assert sorted(ads) == sorted(listed)


async def test_stopping_early_asks_for_no_further_page():
    """A list that is left after its first row has asked for one page."""
    async with home(campaigns=1050, days=1) as it:
        async for _ in it.account.list_campaigns():
            break
        assert len(it.sent("GET", "/campaigns")) == 1
