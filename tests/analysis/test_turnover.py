"""What landed statistics say of an application's customers."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import attrs
import pytest

from adnet.analysis import open_tables
from adnet.analysis.certification import RULES, Quarter, financial
from adnet.clock import SystemClock
from adnet.models import StatRow
from adnet.money import Money
from adnet.sinks import open_sink
from analysis.kit import account

QUARTER = Quarter.until_day(date(2026, 9, 15))
ENDS = (datetime(2026, 6, 14, 21, tzinfo=UTC), datetime(2026, 9, 14, 21, tzinfo=UTC))
"""Its first instant and its end, in Moscow."""


def test_three_months_end_on_the_days_of_the_month():
    """Short months end early."""
    assert [month.isoformat() for month in Quarter.until_day(date(2026, 5, 31)).ends] == [
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
        "2026-05-31",
    ]
    assert Quarter.from_day(date(2026, 6, 15)) == QUARTER
    assert (QUARTER.days, str(QUARTER)) == (92, "2026-06-15 to 2026-09-14")


def months(spend: str, *, currency: str = "RUB") -> list:
    """Return a campaign's spend on a day of each month."""
    days = (date(2026, 6, 15), date(2026, 7, 15), date(2026, 9, 14))
    row = {
        "level": "campaign",
        "object_id": "1",
        "currency": currency,
        "spend": Money(Decimal(spend), currency),
    }
    return [StatRow(date=day, **row) for day in days]


async def turned_over(land, spends, *, whole=True, **options):
    """Land accounts' monthly spends, as pulls of all three months if *whole*, and return the findings by rule."""
    for name, spend in spends.items():
        await land(months(spend), network="mytarget", name=name)
        if whole:
            await pulled(land, *ENDS, account=name)
    with open_tables(land.uri) as tables:
        found = financial(tables, network="mytarget", quarter=QUARTER, **options)
    return {finding.rule.partition(".")[2]: finding for finding in found}


async def pulled(
    land,
    since: datetime,
    until: datetime,
    account: str = "shop",
    outcome: str = "landed",
    started_at: datetime | None = None,
) -> None:
    """Record a pull of statistics."""
    async with open_sink(land.uri, clock=SystemClock()) as sink:
        row = {"network": "mytarget", "account": account, "table": "stats", "outcome": outcome}
        times = {"since": since, "until": until, "started_at": started_at or until}
        await sink.record([{**row, **times, "pull_id": f"{since} {account}"}])


def test_without_landed_statistics_finances_are_unknown():
    """The evidence says what is needed."""
    findings = financial(None, network="mytarget", quarter=QUARTER)
    assert [rule for rule in RULES if rule.startswith("financial.")] == [f.rule for f in findings]
    assert {("unknown", None, True)} == {(f.verdict, f.figure, "--from" in f.evidence) for f in findings}


async def test_twenty_customers_of_a_good_size_pass(land):
    """Every rule at its edge or above."""
    spends = {f"c{n}": "100000.01" if n < 10 else "66666.63" for n in range(20)}
    found = await turned_over(land, spends)
    assert {"pass"} == {finding.verdict for finding in found.values()}
    assert found["turnover"].figure == "4,999,999.20 RUB"
    assert found["customers"].figure == "10 of 20 customers"
    assert found["active_clients"].figure == "20, 20, 20"


async def test_what_is_just_the_threshold_is_not_above_it(land):
    """More than four millions, more than 300 thousand; a quarter is not more than a quarter."""
    for name in ("a", "b", "c", "d"):
        (row, *_) = months("100000")
        await land([attrs.evolve(row, date=date(2026, 8, 1))], network="mytarget", name=name)
    found = await turned_over(land, dict.fromkeys(("a", "b", "c", "d"), "300000"))
    assert (found["turnover"].verdict, found["turnover"].figure) == ("fail", "4,000,000.00 RUB")
    assert (found["share"].verdict, found["share"].figure) == ("pass", "25.0% by d")


async def test_twenty_clients_are_active_in_each_month_or_not_at_all(land):
    """One of them rested in the last."""
    await land(months("1")[:2], network="mytarget", name="rested")
    found = await turned_over(land, {f"c{n}": "1" for n in range(19)})
    assert (found["active_clients"].verdict, found["active_clients"].figure) == ("fail", "20, 20, 19")


async def test_a_customer_of_just_300_thousand_does_not_qualify(land):
    """It has to exceed them."""
    found = await turned_over(land, {"a": "100000", "b": "100000.01"})
    assert found["customers"].figure == "1 of 2 customers"


async def test_a_few_customers_fail(land):
    """One of them makes almost all of it."""
    found = await turned_over(land, {"big": "100000", "small": "1"})
    assert {"fail"} == {finding.verdict for finding in found.values()}
    assert (found["share"].figure, found["active_clients"].figure) == ("100.0% by big", "2, 2, 2")


async def test_clients_of_one_agency_are_one_customer(land):
    """Though each of them is an active client."""
    found = await turned_over(land, {"a": "1", "b": "1", "c": "1"}, customers={"a": "agency", "b": "agency"})
    assert (found["share"].figure, found["active_clients"].figure) == ("66.7% by agency", "3, 3, 3")
    assert found["customers"].figure == "0 of 2 customers"


async def test_other_networks_and_other_currencies_do_not_count(land):
    """Rubles are asked for, and no rate is applied."""
    await land(months("9000000"), network="adskeeper", name="elsewhere")
    await land(months("9000000", currency="USD"), network="mytarget", name="abroad")
    found = await turned_over(land, {"shop": "1"})
    assert found["turnover"].figure == "3.00 RUB"
    assert found["turnover"].evidence.endswith("in another currency than RUB: 1 account")


async def test_what_is_spent_in_another_currency_is_not_known_in_rubles(land):
    """It may be a great deal, and most of it; who spent it was active all the same."""
    await land(months("9000000", currency="USD"), network="mytarget", name="abroad")
    found = await turned_over(land, {"shop": "1"})
    verdicts = {rule: finding.verdict for rule, finding in found.items()}
    assert verdicts == {
        "turnover": "unknown",
        "customers": "unknown",
        "share": "unknown",
        "active_clients": "fail",
    }
    assert found["active_clients"].figure == "2, 2, 2"


async def test_what_has_not_landed_is_no_failure(land):
    """Sums over some of the days can only be too small; a share cannot be told at all."""
    await pulled(land, datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 9, 14, tzinfo=UTC))
    found = await turned_over(land, {"shop": "2000000"}, whole=False)
    assert tuple(found[rule].verdict for rule in ("turnover", "customers", "share")) == (
        "pass",
        "unknown",
        "unknown",
    )
    assert "of 92 days landed" in found["turnover"].evidence


async def test_days_that_landed_in_pieces_count_once(land):
    """As nightly pulls do, with a look-back."""
    moscow = timedelta(hours=3)
    for first, last in ((date(2026, 6, 1), date(2026, 8, 1)), (date(2026, 7, 20), date(2026, 9, 15))):
        since, until = (datetime(d.year, d.month, d.day, tzinfo=UTC) - moscow for d in (first, last))
        await pulled(land, since, until)
    found = await turned_over(land, {"shop": "1"}, whole=False)
    assert (found["share"].verdict, "92 of 92 days landed" in found["share"].evidence) == ("fail", True)


@pytest.mark.parametrize(("outcome", "known"), [("landed", "92 of 92"), ("failed", "1 of 92")])
async def test_a_day_counts_when_it_has_landed_of_every_account(land, outcome, known):
    """One account that was pulled says nothing of another that was not; one of another year is not missed."""
    first, last, end = (
        datetime(2026, month, day, 21, tzinfo=UTC) for month, day in ((6, 14), (9, 13), (9, 14))
    )
    await pulled(land, first, end)
    await pulled(land, first, last, "other", outcome)
    await pulled(land, last, end, "other")
    await pulled(land, datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC), "gone")
    found = await turned_over(land, {"shop": "1", "other": "1"}, whole=False)
    assert f"{known} days landed" in found["share"].evidence
    assert found["share"].verdict == ("fail" if outcome == "landed" else "unknown")


@pytest.mark.parametrize(("year", "outcome"), [(2026, "partial"), (2026, "failed"), (2025, "landed")])
async def test_pulls_that_brought_no_day_prove_nothing(land, year, outcome):
    """Of no day is it known that everything landed, so that nothing has failed, and no share is told."""
    since, until = datetime(year, 6, 1, tzinfo=UTC), datetime(year, 10, 1, tzinfo=UTC)
    await pulled(land, since, until, outcome=outcome)
    found = await turned_over(land, {f"c{n}": "1" for n in range(5)}, whole=False)
    assert {finding.verdict for finding in found.values()} == {"unknown"}
    assert "0 of 92 days landed" in found["share"].evidence


async def test_where_no_pull_left_a_word_nothing_is_known_to_be_whole(land):
    """A folder with something else in it, or without `pulls`, proves no turnover to be too small."""
    found = await turned_over(land, {"shop": "2000000"}, whole=False)
    assert {rule: finding.verdict for rule, finding in found.items()} == {
        "turnover": "pass",
        "customers": "unknown",
        "share": "unknown",
        "active_clients": "unknown",
    }
    assert "0 of 92 days landed" in found["share"].evidence


@pytest.mark.parametrize(("hour", "known"), [(20, "91 of 92"), (21, "92 of 92")])
async def test_a_day_that_was_not_over_has_not_landed(land, hour, known):
    """A pull may ask for days to come, and for one that goes on: of these it brings nothing, or a part."""
    first, last = ENDS[0], datetime(2027, 1, 1, tzinfo=UTC)
    await pulled(land, first, last, started_at=datetime(2026, 9, 14, hour, tzinfo=UTC))
    found = await turned_over(land, {"shop": "1"}, whole=False)
    assert f"{known} days landed" in found["share"].evidence
    assert found["turnover"].verdict == ("fail" if hour == 21 else "unknown")


async def test_an_account_that_was_never_pulled_may_have_turned_over_anything(land):
    """It is in the configuration, and nobody has asked what it spent."""
    await pulled(land, datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC))
    found = await turned_over(land, {"shop": "2000000"}, whole=False, accounts=("shop", "boots"))
    verdicts = {rule: finding.verdict for rule, finding in found.items()}
    assert verdicts == {
        "turnover": "pass",
        "customers": "unknown",
        "share": "unknown",
        "active_clients": "unknown",
    }
    assert "0 of 92 days landed, none of boots" in found["share"].evidence


async def test_an_account_without_spend_has_no_turnover(land):
    """Nothing has a share of nothing."""
    await land([account(currency="RUB")], network="mytarget", name="shop")
    found = await turned_over(land, {})
    assert (found["share"].verdict, found["active_clients"].figure) == ("unknown", "0, 0, 0")
