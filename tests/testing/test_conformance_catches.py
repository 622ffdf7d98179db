"""What a third party may get wrong without noticing: each of these connectors fails a standard test."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import attrs
import pytest

from adnet import registry
from adnet.connectors.adskeeper import Adskeeper
from adnet.connectors.targetcircle import TargetCircle
from adnet.connectors.targetcircle.routes import OFFERS
from adnet.errors import AdnetError
from adnet.models import ModelBatch
from adnet.money import Money
from adnet.periods import ONE_DAY, Period
from adnet.testing import SandboxHarness
from adnet.testing.conformance._tools import Listing
from adnet.transport.ceilings import Ceilings

from .test_conformance_police import played

TRANSACTIONS, TRADES = Listing("transactions"), Listing("trades")
HOUR_EAST = timezone(timedelta(hours=1))


class Changing(TargetCircle):
    """Gives transactions that are not what they should be."""

    def change(self, row):
        """Return another row in place of *row*."""
        raise NotImplementedError

    async def list_transactions(self, period, *, currency=None, **filters):
        async for batch in super().list_transactions(period, currency=currency, **filters):
            yield ModelBatch(self.change(row) for row in batch.models())


class Local(Changing):
    """Tells instants in the network's own zone."""

    def change(self, row):
        return attrs.evolve(row, occurred_at=row.occurred_at.astimezone(HOUR_EAST))


class Floating(Changing):
    """Keeps amounts as floats."""

    def change(self, row):
        return attrs.evolve(row, commission=float(row.commission.amount))


class Numbered(Changing):
    """Keeps ids as numbers."""

    def change(self, row):
        return attrs.evolve(row, offer_id=17)


class Mixed(Changing):
    """Has amounts in another currency than it says."""

    def change(self, row):
        return attrs.evolve(row, commission=Money(row.commission.amount, "JPY"))


class Careless(TargetCircle):
    """Takes filters and a currency, and heeds neither."""

    def list_transactions(self, period, *, currency=None, **filters):
        return super().list_transactions(period)


class Daily(TargetCircle):
    """Asks for whole days."""

    def list_transactions(self, period, *, currency=None, **filters):
        since, until = (
            datetime.combine(moment.date(), datetime.min.time(), UTC)
            for moment in (period.since, period.until)
        )
        whole = Period(since, until if until == period.until else until + ONE_DAY)
        return super().list_transactions(whole, currency=currency, **filters)


class Blind(TargetCircle):
    """Takes a failure for the end."""

    async def list_trades(self, **filters):
        try:
            async for batch in super().list_trades(**filters):
                yield batch
        except AdnetError:
            return


class Stubborn(TargetCircle):
    """Tries again by itself what the session has tried often enough."""

    async def list_offers(self, **filters):
        for left in (2, 1, 0):
            try:
                found = [batch async for batch in super().list_offers(**filters)]
                break
            except AdnetError:
                if not left:
                    raise
        for batch in found:
            yield batch


class Unbucketed(TargetCircle):
    """Sends what no limit counts."""

    async def list_offers(self, **filters):
        await self.session.send(self.session.build(attrs.evolve(OFFERS, buckets=())))
        async for batch in super().list_offers(**filters):
            yield batch


class Boundless(TargetCircle):
    """Has ceilings of its own."""

    def __init__(self, services, *, base_url, options):
        super().__init__(attrs.evolve(services, ceilings=Ceilings()), base_url=base_url, options=options)


class Idle(TargetCircle):
    """Lists campaigns, and does not say so."""

    async def list_campaigns(self, *, ids=None, status=None):
        yield ModelBatch(())


class Unclosed(TargetCircle):
    """Keeps its connections until it is closed once more."""

    closed = False

    async def close(self):
        if self.closed:
            await super().close()
        self.closed = True


class Unstoppable(TargetCircle):
    """Goes on when it is cancelled."""

    async def list_trades(self, **filters):
        try:
            rows = [batch async for batch in super().list_trades(**filters)]
        except asyncio.CancelledError:
            rows = [batch async for batch in super().list_trades(**filters)]
        for batch in rows:
            yield batch


class Everyone(TargetCircle):
    """Is one account, whoever asks."""

    @property
    def account_key(self):
        return "targetcircle"


class Forgetful(TargetCircle):
    """Keeps what belongs to a call on the connector."""

    async def list_trades(self, **filters):
        self.rows = []
        async for batch in super().list_trades(**filters):
            self.rows += batch.models()
        yield ModelBatch(self.rows)


@pytest.mark.parametrize(
    ("connector", "test", "value"),
    [
        (Local, "test_rows_are_of_their_types", TRANSACTIONS),
        (Floating, "test_rows_are_of_their_types", TRANSACTIONS),
        (Numbered, "test_rows_are_of_their_types", TRANSACTIONS),
        (Mixed, "test_rows_are_of_their_types", TRANSACTIONS),
        (Careless, "test_an_unknown_filter_is_refused", TRANSACTIONS),
        (Careless, "test_a_currency_is_kept_to", None),
        (Daily, "test_periods_end_at_their_instant", TRANSACTIONS),
        (Blind, "test_a_list_that_breaks_off_is_told", TRADES),
        (Stubborn, "test_a_list_that_breaks_off_is_told", Listing("offers")),
        (Unbucketed, "test_every_send_is_charged", None),
        (Boundless, "test_ceilings_are_the_users", None),
        (Idle, "test_every_operation_has_its_facet", None),
        (Unclosed, "test_closing_leaves_no_connection", None),
        (Unstoppable, "test_cancelling_leaves_nothing", TRADES),
        (Everyone, "test_equal_credentials_are_one_account", None),
        (Forgetful, "test_fifty_tasks_share_one_account", None),
    ],
)
async def test_what_is_broken_does_not_pass(connector, test, value, monkeypatch):
    """The standard test that holds the promise fails, and not one beside it only."""
    monkeypatch.setitem(registry.BUILT_IN, "targetcircle", f"{__name__}:{connector.__name__}")
    with pytest.raises(AssertionError):
        await played(test, value)


class Writing(SandboxHarness):
    """Of a connector that writes."""

    network = "adskeeper"


class Lax(Adskeeper):
    """Drops the currencies of amounts."""

    async def update_campaigns(self, updates):
        return await super().update_campaigns(
            [_with(u, {k: _bare(v) for k, v in u.fields.items()}) for u in updates]
        )


class Overlooking(Adskeeper):
    """Passes over fields that it does not know."""

    async def update_campaigns(self, updates):
        return await super().update_campaigns(
            [_with(u, {k: v for k, v in u.fields.items() if k != "zzz"}) for u in updates]
        )


def _with(update, fields):
    return attrs.evolve(update, fields=fields)


def _bare(value):
    return value.amount if isinstance(value, Money) else value


@pytest.mark.parametrize("connector", [Lax, Overlooking])
async def test_a_change_that_is_not_what_was_meant_does_not_pass(connector, monkeypatch):
    """Money in another currency, or a field that nobody sends."""
    monkeypatch.setitem(registry.BUILT_IN, "adskeeper", f"{__name__}:{connector.__name__}")
    with pytest.raises(AssertionError):
        await played("test_what_cannot_be_meant_is_refused", "campaigns", Writing)


@pytest.mark.parametrize(
    ("test", "value"),
    [
        ("test_rows_are_of_their_types", TRANSACTIONS),
        ("test_an_unknown_filter_is_refused", TRANSACTIONS),
        ("test_periods_end_at_their_instant", TRANSACTIONS),
        ("test_a_list_that_breaks_off_is_told", TRADES),
        ("test_closing_leaves_no_connection", None),
    ],
)
async def test_what_is_not_broken_passes(test, value):
    """The connector as it is passes each of them."""
    await played(test, value)
