"""
Operations 3 to 6 and 36 of the Adskeeper imitation: statistics.

Units as observed: spent is in the account's currency everywhere, a teaser's
cpc in cents, ctr in percent. A parent widget is the total of its sources, its
own traffic standing there as source "0".

Source: Adskeeper advertiser API document; arithmetic on its teaser sample;
field reports of several open-source clients.
"""

from collections.abc import Callable, Collection
from datetime import date, timedelta
from typing import Any

from adnet.sandbox._adskeeper_call import Call, Refusal, day, interval, refuse
from adnet.sandbox._adskeeper_clicks import accepted_clicks
from adnet.sandbox._adskeeper_state import Campaign
from adnet.sandbox._adskeeper_stats import Cell, Totals, money, ratio
from adnet.sandbox._adskeeper_values import (
    BROWSERS,
    CONVERSION_STAGES,
    COUNTRIES,
    OPERATING_SYSTEMS,
)

__all__ = ["campaigns_stat", "click_report", "quality_analysis", "teaser_stat", "video_stat"]

NO_DATA = "THERE_NO_DATA_IN_CHOSEN_PERIOD"
ALL_WIDGETS = "uid"
"""As the last segment of the path it means every widget; two clients in the field call just that."""
CELL_FILTERS: tuple[tuple[str, str, Collection[str], str], ...] = (
    ("browser", "browser", BROWSERS, "ERROR_INVALID_BROWSER_TARGETING"),
    ("os", "system", OPERATING_SYSTEMS, "ERROR_INVALID_OS_TARGETING"),
    ("country", "country", COUNTRIES, "ERROR_INVALID_COUNTRY_TARGETING"),
)
"""Parameter, field of a cell, known values, refusal of others."""


def quality_analysis(call: Call) -> dict[str, Any]:
    """Operation 3: one campaign by widget and sub-source."""
    campaign = call.campaign(deleted=True)
    since, until = interval(call, default_days=90, all_since=call.book.first_day)
    tests = _cell_tests(call)
    uids = _wanted_widgets(call, campaign)
    call.served.append(3)
    last = min(until, call.today)
    sums = call.book.sums(campaign.id, since, last, lambda cell: (cell.uid, cell.source), *tests)
    rows = {uid: _widget_row(call, campaign, uid, sums) for uid in sorted({uid for uid, _ in sums})}
    chosen = {uid: row for uid, row in rows.items() if not uids or uid in uids}
    return {str(campaign.id): {f"{since}_{until}": call.dialect.mapping(chosen)}}


def _wanted_widgets(call: Call, campaign: Campaign) -> set[str]:
    named = call.path.get("uid") or call.params.text("uid")
    uids = {part.strip() for part in named.split(",") if part.strip()} - {ALL_WIDGETS}
    missing = sorted(uids - set(call.account.widgets))
    if missing:
        code = "[WIDGETS_WITH_THESE_IDS_DO_NOT_EXIST]"
        raise Refusal({"id": campaign.id, "errors": code, "data": missing})
    return uids


def _cell_tests(call: Call) -> list[Callable[[Cell], bool]]:
    tests = []
    for name, field, known, code in CELL_FILTERS:
        value = call.params.text(name)
        wanted = value.upper() if name == "country" else value
        if wanted and wanted not in known:
            raise refuse(code)
        if wanted:
            tests.append(_is(field, wanted))
    return tests


def _is(field: str, wanted: str) -> Callable[[Cell], bool]:
    return lambda cell: getattr(cell, field) == wanted


def _widget_row(
    call: Call, campaign: Campaign, uid: str, sums: dict[tuple[str, str], Totals]
) -> dict[str, Any]:
    parts = {source: totals for (widget, source), totals in sums.items() if widget == uid}
    whole = Totals()
    for totals in parts.values():
        whole.merge(totals)
    factors = campaign.quality
    own = factors.get(uid, 1)
    sources = {
        source: _place_row(totals, float(factors.get(f"{uid}s{source}", own)))
        for source, totals in sorted(parts.items())
    }
    # A widget that has no sub-sources shows no sources at all.
    split = sources if call.account.widgets[uid] else {}
    return {**_place_row(whole, float(own)), "sources": call.dialect.mapping(split)}


def _place_row(totals: Totals, factor: float) -> dict[str, Any]:
    # What did not happen is absent, not zero: conversions, and spent where nothing was clicked.
    row: dict[str, Any] = {"clicks": totals.clicks}
    if totals.clicks:
        row["spent"] = money(totals.spent)
    row["cpc"] = f"{totals.avcpc:.6f}"
    row["qualityFactor"] = int(factor) if factor.is_integer() else factor
    for stage in CONVERSION_STAGES:
        if totals.stage(stage):
            row[stage] = totals.stage(stage)
            row[f"{stage}Cost"] = totals.cost_per(stage)
    return row


def click_report(call: Call) -> dict[str, Any]:
    """Operation 4: the clicks of one campaign on one day, each accepted one by itself."""
    campaign = call.campaign(deleted=True)
    if call.params.text("type") != "byClicksDetailed":
        raise refuse("ERROR_NOT_VALID_TYPE")
    asked = day(call.params.text("date"))
    if asked is None:
        raise refuse("ERROR_NOT_VALID_DATE")
    call.served.append(4)
    totals = call.book.total(campaign.id, asked, min(asked, call.today)) or Totals()
    summary = {
        "numberOfClicks": totals.clicks + totals.rejected,
        "numberOfAcceptedClicks": totals.clicks,
        "fundsEarned": money(totals.spent),
        "numberOfRejectedClicks": totals.rejected,
        "numberOfShows": totals.shows,
    }
    clicks = accepted_clicks(call.book, campaign.id, asked) if totals.clicks else []
    return {"id": campaign.id, "statistics": {"summary": summary, "acceptedClicks": clicks}}


def campaigns_stat(call: Call) -> dict[str, Any]:
    """Operation 5: every campaign with traffic, one total for the whole period."""
    rows, period = _campaign_rows(call, _campaign_row)
    call.served.append(5)
    return {"dateInterval": period, "campaigns-stat": rows} if call.dialect.stat_wrapped else rows


def video_stat(call: Call) -> dict[str, Any]:
    """Operation 6: the video campaigns among them, in words of their own."""
    kinds = {number: campaign.type for number, campaign in call.account.campaigns.items()}
    rows, period = _campaign_rows(call, _video_row, lambda campaign: kinds.get(campaign) == "video")
    call.served.append(6)
    wrapped = {"dateInterval": period, "campaigns-video-stat": rows}
    return wrapped if call.dialect.stat_wrapped else rows


def _campaign_rows(
    call: Call,
    write: Callable[[Call, int, Totals], dict[str, Any]],
    test: Callable[[int], bool] = lambda _: True,
) -> tuple[dict[str, Any], str]:
    since, until = interval(call, default_days=90, all_since=call.book.first_day)
    rows = {}
    for number in call.book.profiles:
        totals = call.book.total(number, since, min(until, call.today)) if test(number) else None
        if totals is not None:
            rows[str(number)] = write(call, number, totals)
    if not rows:
        raise refuse(NO_DATA)
    return rows, f"{since} - {until}"


def _campaign_row(call: Call, number: int, totals: Totals) -> dict[str, Any]:
    observed = call.dialect.stat_keys == "buying"
    row: dict[str, Any] = {
        "campaignId" if observed else "campaign_id": number,
        "imps": totals.shows,
        "clicks": totals.clicks,
        "spent": money(totals.spent),
        "avcpc": totals.avcpc,
    }
    values = call.book.profiles[number].values
    for stage in CONVERSION_STAGES:
        if stage in values:
            name = "buying" if observed and stage == "buy" else stage
            row[name] = totals.stage(stage)
            row[f"{name}Cost"] = totals.cost_per(stage)
    if values:
        revenue = call.book.revenue(number, totals)
        row["convertionCost"] = money(revenue)
        row["revenue"] = money(revenue)
        row["epc"] = ratio(revenue, totals.clicks * 10_000)
        row["profit"] = money(revenue - totals.spent)
    return row


def _video_row(_call: Call, number: int, totals: Totals) -> dict[str, Any]:
    complete = totals.shows // 3
    return {
        "campaignId": number,
        "impressions": totals.shows,
        "viewability": ratio(7, 10),
        "first_quartile": totals.shows * 3 // 4,
        "midpoint": totals.shows // 2,
        "third_quartile": totals.shows * 2 // 5,
        "complete": complete,
        "completion_rate": ratio(complete * 100, totals.shows),
        "clicks": totals.clicks,
        "ctr": totals.ctr,
        "spent": money(totals.spent),
        "cpm": ratio(totals.spent * 1_000, totals.shows * 10_000),
    }


def teaser_stat(call: Call) -> dict[str, Any]:
    """
    Operation 36: one teaser day by day.

    A teaser that never had traffic is refused for want of data, one that
    merely rested in this period has an empty map: both forms were observed.
    """
    teaser = call.teaser()
    since, until = interval(call, default_days=30, all_since=call.today - timedelta(days=89))
    if not call.book.lifetime(teaser.home, teaser.id, call.today).shows:
        raise refuse(NO_DATA)
    call.served.append(36)
    days = _teaser_days(call, teaser.home, teaser.id, since, min(until, call.today))
    return {
        "dateInterval": f"{since} - {until}",
        "timezone": call.account.timezone,
        "currency": call.account.currency.lower(),
        "status": call.account.teaser_status(teaser),
        "teaser-stat": call.dialect.mapping(days),
    }


def _teaser_days(call: Call, campaign: int, teaser: int, since: date, until: date) -> dict[str, Any]:
    uid = call.params.text("uid")
    rows = {}
    for date_, totals in call.book.by_day(
        campaign,
        since,
        until,
        lambda cell: cell.teaser == teaser and uid in {"", cell.uid},
    ):
        rows[str(date_)] = {"date": str(date_), **_teaser_row(totals)}
    return rows


def _teaser_row(totals: Totals) -> dict[str, Any]:
    return {
        "clicks": totals.clicks,
        "shows": totals.shows,
        "ctr": totals.ctr,
        "spent": money(totals.spent),
        "cpc": totals.cpc,
        **{stage: totals.stage(stage) for stage in reversed(CONVERSION_STAGES)},
        **{f"{stage}Cost": totals.cost_per(stage) for stage in reversed(CONVERSION_STAGES)},
    }
