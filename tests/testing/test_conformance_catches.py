"""What a third party may get wrong without noticing: each of these connectors fails a standard test."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import attrs
import pytest

from adnet import registry
from adnet.connectors.adskeeper import Adskeeper
from adnet.connectors.targetcircle import TargetCircle
from adnet.connectors.targetcircle.routes import OFFERS
from adnet.errors import AdnetError, PayloadError
from adnet.models import ModelBatch, Offer, Raw
from adnet.money import Money
from adnet.periods import ONE_DAY, Period
from adnet.redact import keyed_hash
from adnet.testing import SandboxHarness
from adnet.testing.conformance._tools import Listing
from adnet.testing.conformance.lists import Lists
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


class Hostwide(TargetCircle):
    """Is one account for everyone on a host."""

    @property
    def account_key(self):
        return keyed_hash(b"targetcircle account", self.session.base_url)


class Alone(TargetCircle):
    """Has limits that no other process shares."""

    def __init__(self, services, *, base_url, options):
        own = attrs.evolve(services, limiter=lambda buckets, _: services.limiter(buckets, str(id(self))))
        super().__init__(own, base_url=base_url, options=options)


class Unlimited(TargetCircle):
    """Asks for one offer past the limits."""

    async def get_offer(self, slug):
        request = self.session.build(attrs.evolve(OFFERS, buckets=()))
        await self.session.send(request)
        return await super().get_offer(slug)


class Late(Changing):
    """Tells instants in the network's zone as if they were in UTC."""

    def change(self, row):
        return attrs.evolve(row, occurred_at=row.occurred_at + timedelta(hours=3))


class Restful(TargetCircle):
    """Takes what is no list for an empty one: a page of maintenance, for instance."""

    async def list_trades(self, **filters):
        try:
            async for batch in super().list_trades(**filters):
                yield batch
        except PayloadError as error:
            if not (error.excerpt or "").startswith("<"):
                raise


class Short(ModelBatch):
    """Loses a row where it is landed."""

    def columns(self, table, *, raw=True):
        found = super().columns(table, raw=raw)
        return {name: values[1:] for name, values in found.items()} if raw else found


class Lossy(TargetCircle):
    """Has a batch of its own."""

    async def list_trades(self, **filters):
        async for batch in super().list_trades(**filters):
            yield Short(batch.models())


class Telling(TargetCircle):
    """Tells how to ask by hand, where not the first list fails."""

    def __init__(self, services, *, base_url, options):
        super().__init__(services, base_url=base_url, options=options)
        self._hint = lambda: f"curl -H 'Authorization: {options['token']}'"

    async def list_transactions(self, period, *, currency=None, **filters):
        try:
            async for batch in super().list_transactions(period, currency=currency, **filters):
                yield batch
        except AdnetError as error:
            error.add_note(self._hint())
            raise


class Repeating(TargetCircle):
    """Keeps what the network repeats."""

    def __init__(self, services, *, base_url, options):
        super().__init__(services, base_url=base_url, options=options)
        self._repeated = lambda: options["token"]

    async def list_trades(self, **filters):
        token = self._repeated()
        async for batch in super().list_trades(**filters):
            yield ModelBatch(attrs.evolve(row, raw=Raw({**row.raw, "zzz": token})) for row in batch.models())


@pytest.mark.parametrize(
    ("connector", "test", "value"),
    [
        (Hostwide, "test_other_credentials_are_another_account", None),
        (Alone, "test_processes_on_one_state_share_limits", None),
        (Unlimited, "test_every_send_is_charged", None),
        (Late, "test_rows_are_of_their_period", TRANSACTIONS),
        (Restful, "test_wrong_answers_raise_nothing_else", "page"),
        (Lossy, "test_columns_equal_models", TRADES),
        (Telling, "test_no_error_shows_a_secret", None),
        (Repeating, "test_no_row_shows_a_secret_that_is_told", None),
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
async def test_what_is_broken_does_not_pass(connector, test, value, monkeypatch, tmp_path):
    """The standard test that holds the promise fails, and not one beside it only."""
    monkeypatch.setitem(registry.BUILT_IN, "targetcircle", f"{__name__}:{connector.__name__}")
    fixtures = {"tmp_path": tmp_path} if test.endswith("share_limits") else {}
    with pytest.raises(AssertionError):
        await played(test, value, **fixtures)


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


class Tenfold(Adskeeper):
    """Creates what costs ten times as much."""

    async def create_campaigns(self, drafts):
        return await super().create_campaigns(
            [attrs.evolve(d, daily_budget=Money(d.daily_budget.amount * 10, "USD")) for d in drafts]
        )


class Relentless(Adskeeper):
    """Creates on when it is cancelled."""

    async def create_campaigns(self, drafts):
        task = asyncio.ensure_future(super().create_campaigns(drafts))
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.shield(task)
        return task.result()


class Whole(Adskeeper):
    """Tells statistics of all, whoever is asked for."""

    def list_stats(self, period, *, level="campaign", ids=None):
        return super().list_stats(period, level=level)


class Unnamed(Adskeeper):
    """Takes no ids for all ids."""

    def list_campaigns(self, *, ids=None, status=None):
        return super().list_campaigns(ids=ids or None, status=status or None)


class Levelled(Adskeeper):
    """Tells statistics of ads as if they were of campaigns."""

    async def list_stats(self, period, *, level="campaign", ids=None):
        async for batch in super().list_stats(period, level=level, ids=ids):
            yield ModelBatch(attrs.evolve(row, level="campaign") for row in batch.models())


@pytest.mark.parametrize(
    ("connector", "test", "value"),
    [
        (Tenfold, "test_what_is_created_is_there_and_paused", "campaigns"),
        (Relentless, "test_a_cancelled_change_stops", "campaigns"),
        (Whole, "test_statistics_of_some_are_of_those", Listing("stats", "campaign")),
        (Unnamed, "test_filters_choose", Listing("campaigns")),
        (Levelled, "test_rows_are_of_their_period", Listing("stats", "ad")),
    ],
)
async def test_what_costs_money_does_not_pass(connector, test, value, monkeypatch):
    """Another budget, a campaign after all, and sums over more than was asked for."""
    monkeypatch.setitem(registry.BUILT_IN, "adskeeper", f"{__name__}:{connector.__name__}")
    with pytest.raises(AssertionError):
        await played(test, value, Writing)


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


pytest_plugins = ["pytester"]


def test_no_standard_test_reaches_elsewhere(pytester):
    """A connector that knows only its vendor's host cannot be tried against it, whatever the settings say."""
    pytester.makepyfile(
        "import socket, pytest\n"
        "from adnet.testing import SandboxHarness, conformance\n"
        "from adnet.testing.plugin import NetworkRefusedError\n"
        "class Harness(SandboxHarness):\n    network = 'targetcircle'\n"
        "class TestIt(conformance.suite(Harness)):\n"
        "    async def test_own(self, harness):\n"
        "        with pytest.raises(NetworkRefusedError):\n"
        "            socket.socket().connect(('192.0.2.1', 443))\n"
    )
    done = pytester.runpytest_subprocess("-k", "test_own", "-o", "asyncio_mode=auto")
    done.assert_outcomes(passed=1)


def test_loops_of_a_session_do_no_harm(pytester):
    """Whoever has one loop for all their fixtures and tests can use the suite."""
    pytester.makepyfile(
        "from adnet.testing import SandboxHarness, conformance\n"
        "class Harness(SandboxHarness):\n    network = 'targetcircle'\n"
        "class TestIt(conformance.suite(Harness)):\n    pass\n"
    )
    settings = [f"asyncio_default_{what}_loop_scope=session" for what in ("fixture", "test")]
    done = pytester.runpytest_subprocess("-k", "get_account_proves", "-o", settings[0], "-o", settings[1])
    done.assert_outcomes(passed=1)


async def test_offers_need_no_trades():
    """A network with offers and without trades finds its offers by the slugs of their list."""
    offer = Offer(offer_id="1", source_id="", slug="boots", name="Boots")

    class Account:
        capabilities = SimpleNamespace(supports=lambda operation: operation != "list_trades")

        async def list_offers(self):
            yield offer

        async def get_offer(self, slug):
            return {"boots": offer}[slug]

    async def account():
        return Account()

    found = Lists.test_one_object_equals_its_row(None, SimpleNamespace(account=account), "get_offer")
    await found
