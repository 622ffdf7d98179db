"""
The side door of the Adskeeper imitation: all rows, past paging, limits and faults.

Words are the network's own; money is text with all its digits, in the
account's currency.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from adnet.sandbox._adskeeper_call import Call
from adnet.sandbox._adskeeper_clicks import accepted_clicks
from adnet.sandbox._adskeeper_shapes import (
    campaign_shape,
    client_shape,
    conversion_list,
    geo_shape,
    teaser_shape,
)
from adnet.sandbox._adskeeper_stats import Totals, each_day, units
from adnet.sandbox._adskeeper_values import CONVERSION_STAGES

__all__ = ["TRUTHS"]

Rows = Iterator[dict[str, Any]]
Truth = Callable[[Call, date, date], Rows]


def _clients(call: Call, _since: date, _until: date) -> Rows:
    yield client_shape(call)


def _campaigns(call: Call, _since: date, _until: date) -> Rows:
    for campaign in call.account.campaigns.values():
        yield campaign_shape(call, campaign)


def _teasers(call: Call, _since: date, _until: date) -> Rows:
    for teaser in call.account.teasers.values():
        yield teaser_shape(call, teaser)


def _targetings(call: Call, _since: date, _until: date) -> Rows:
    for campaign in call.account.campaigns.values():
        yield {
            "campaignId": campaign.id,
            "geo": geo_shape(call, campaign.geo_wanted)["countries"],
            "browsers": campaign.browsers,
            "operatingsystems": campaign.systems,
            "browserslanguage": campaign.languages,
            "phonePriceRange": campaign.prices,
        }


def _conversions(call: Call, _since: date, _until: date) -> Rows:
    for campaign in call.account.campaigns.values():
        for row in conversion_list(call, campaign):
            yield {"campaignId": campaign.id, **row}


def _stats(call: Call, since: date, until: date) -> Rows:
    for campaign, day in _campaign_days(call, since, until):
        totals = call.book.total(campaign, day, day)
        if totals is not None:
            revenue = str(units(call.book.revenue(campaign, totals)))
            yield {
                "date": str(day),
                "campaignId": campaign,
                "imps": totals.shows,
                **_figures(totals),
                "revenue": revenue,
            }


def _teaser_stats(call: Call, since: date, until: date) -> Rows:
    for campaign, day in _campaign_days(call, since, until):
        for teaser, totals in call.book.sums(campaign, day, day, lambda cell: cell.teaser).items():
            yield {
                "date": str(day),
                "teaserId": teaser,
                "campaignId": campaign,
                "shows": totals.shows,
                **_figures(totals),
            }


def _widget_stats(call: Call, since: date, until: date) -> Rows:
    """Yield a row per widget (sourceId is None: the total) and one per source within it."""
    for campaign, day in _campaign_days(call, since, until):
        keys = {"date": str(day), "campaignId": campaign}
        for uid, totals in call.book.sums(campaign, day, day, lambda cell: cell.uid).items():
            yield {**keys, "uid": uid, "sourceId": None, **_figures(totals)}
        parts = call.book.sums(campaign, day, day, lambda cell: (cell.uid, cell.source))
        for (uid, source), totals in parts.items():
            yield {**keys, "uid": uid, "sourceId": source, **_figures(totals)}


def _clicks(call: Call, since: date, until: date) -> Rows:
    for campaign, day in _campaign_days(call, since, until):
        for click in accepted_clicks(call.book, campaign, day):
            yield {"date": str(day), "campaignId": campaign, **click}


def _campaign_days(call: Call, since: date, until: date) -> Iterator[tuple[int, date]]:
    for day in each_day(since, until):
        for campaign in call.book.profiles:
            yield campaign, day


def _figures(totals: Totals) -> dict[str, Any]:
    figures: dict[str, Any] = {"clicks": totals.clicks, "spent": str(units(totals.spent))}
    return figures | {stage: totals.stage(stage) for stage in CONVERSION_STAGES}


TRUTHS: Mapping[str, Truth] = {
    "campaigns": _campaigns,
    "clicks": _clicks,
    "clients": _clients,
    "conversions": _conversions,
    "stats": _stats,
    "targetings": _targetings,
    "teaser_stats": _teaser_stats,
    "teasers": _teasers,
    "widget_stats": _widget_stats,
}
"""Resource -> its rows from a first to a last day, both included (days matter for figures only)."""
