"""Lists and single objects: what the network holds, all of it, once, and exactly."""

from collections.abc import Collection
from typing import Any, Final

import msgspec

from adnet.errors import InvalidRequestError, NotFoundError, UnsupportedError
from adnet.interface import Capabilities
from adnet.models.tables import TABLES, Columns, ModelBatch
from adnet.models.words import STATUSES, TRANSACTION_STATUSES
from adnet.testing.conformance._policy import standard
from adnet.testing.conformance._tools import (
    MISSING,
    Listing,
    Wire,
    as_rows,
    busy,
    client_tasks,
    collect,
    first,
    getters,
    landed_listings,
    listings,
    rewriting,
    same_rows,
)
from adnet.testing.conformance._types import misfits
from adnet.testing.harness import Harness

_IDS: Final = {"get_campaign": "campaign_id", "get_ad": "ad_id", "get_offer": "slug"}
_WRITES_PAYOUTS: Final = ("offers", "trades")


def _filtered(capabilities: Capabilities) -> list[Listing]:
    return [listing for listing in listings(capabilities) if listing.table in {"campaigns", "ads"}]


def _paying(capabilities: Capabilities) -> list[Listing]:
    return [listing for listing in listings(capabilities) if listing.table in _WRITES_PAYOUTS]


class Lists:
    """Every list that the connector can serve, and every ``get``."""

    @standard(listing=listings)
    async def test_a_list_equals_the_truth(self, harness: Harness, listing: Listing) -> None:
        """A list is what the server holds: the same rows, money and days exact, in the network's words too.

        If this fails, look at: the codec's renames, units and time zones; paging that stops early.
        """
        account = await harness.account()
        found = await collect(listing.of(account, *harness.period))
        expected = harness.truth(listing.table, *harness.period, listing.level)
        if (table := TABLES.get(listing.table)) is not None:
            needed = {"status", table.time} & table.columns.keys()
            assert all(needed <= row.keys() for row in expected[:1]), (
                "the side door tells no status, or no day"
            )
        same_rows(expected, as_rows(found, listing.table))

    @standard(listing=_paying)
    async def test_payouts_equal_the_truth(self, harness: Harness, listing: Listing) -> None:
        """What offers and trades pay is what the server holds, line by line.

        If this fails, look at: the codec's payouts; amounts in per cent or in a currency.
        """
        account = await harness.account()
        parent = listing.table.removesuffix("s")
        expected = [row for row in harness.truth("payouts") if row["parent"] == parent]
        same_rows(expected, as_rows(await collect(listing.of(account)), "payouts"))

    @standard(listing=landed_listings)
    async def test_rows_are_of_their_types(self, harness: Harness, listing: Listing) -> None:
        """Ids are text, amounts Money in the row's currency, instants aware and UTC: not merely equal to that.

        If this fails, look at: the codec; numbers that the network writes without quotes, its time zone.
        """
        account = await harness.account()
        async for row in listing.of(account, *harness.period):
            assert misfits(row, listing.table) == []

    @standard(listing=landed_listings)
    async def test_no_row_comes_twice(self, harness: Harness, listing: Listing) -> None:
        """No two rows of a list have the same key.

        If this fails, look at: paging that repeats a page, and ids derived from too little.
        """
        account = await harness.account()
        rows = as_rows(await collect(listing.of(account, *harness.period)), listing.table)
        keys = [tuple(row[name] for name in TABLES[listing.table].key) for row in rows]
        assert len(keys) == len(set(keys))

    @standard(listing=landed_listings)
    async def test_columns_equal_models(self, harness: Harness, listing: Listing) -> None:
        """What a pull lands as columns is what an application iterates as models.

        If this fails, look at: ``columns`` and ``models`` of the connector's own Batch.
        """
        account = await harness.account()
        await account.open()
        async for batch in listing.batches(account, *harness.period):
            models = ModelBatch(batch.models())
            for table in batch.tables():
                ours, theirs = batch.columns(table, raw=False), models.columns(table, raw=False)
                assert theirs == ours, table
                assert _types(theirs) == _types(ours), table
                assert [None] * len(ours["raw"]) == ours["raw"]
                landed, told = dict(batch.columns(table, raw=True)), dict(models.columns(table, raw=True))
                raws = [list(map(msgspec.json.decode, columns.pop("raw"))) for columns in (landed, told)]
                assert raws[0] == raws[1], f"raw of {table}"
                assert landed == told, f"{table} with raw"

    @standard(when=lambda capabilities: capabilities.supports("list_transactions"))
    async def test_a_currency_is_kept_to(self, harness: Harness) -> None:
        """Transactions that are asked for in another currency come in it, or are refused.

        If this fails, look at: a ``currency`` that is taken, and not sent.
        """
        account, listing = await harness.account(), Listing("transactions")
        told = await first(listing.of(account, *harness.period))
        other = next(code for code in ("USD", "EUR") if told.currency != code)
        try:
            rows = await collect(listing.of(account, *harness.period, currency=other))
        except (UnsupportedError, InvalidRequestError):
            return
        assert {row.currency for row in rows} == {other}

    @standard(listing=_filtered)
    async def test_filters_choose(self, harness: Harness, listing: Listing) -> None:
        """``status`` and ids leave exactly the rows that they name.

        If this fails, look at: filters that the network does not have, or understands otherwise.
        """
        account = await harness.account()
        rows = await collect(listing.of(account))
        status = rows[0].status
        expected = _ids(row for row in rows if row.status == status)
        assert expected == _ids(await collect(listing.of(account, status=status)))
        name = "ids" if listing.table == "campaigns" else "campaign_ids"
        chosen: Any = list(dict.fromkeys(row.campaign_id for row in rows))[:2]
        expected = _ids(row for row in rows if row.campaign_id in chosen)
        assert expected == _ids(await collect(listing.of(account, **{name: chosen})))
        nothing: Any = []
        for of in (name, "status"):
            found = await collect(listing.of(account, **{of: nothing}))
            assert found == [], f"{of}=[] means none, not all"

    @standard(listing=listings)
    async def test_stopping_early_leaves_nothing(self, harness: Harness, listing: Listing) -> None:
        """A list that is left after its first row leaves no task, no request and no waiter behind.

        If this fails, look at: generators inside generators that are not closed with ``aclosing``.
        """
        account = await harness.account()
        before = client_tasks()
        assert await first(listing.of(account, *harness.period)) is not None
        assert set() == client_tasks() - before
        assert busy(account) == {}

    @standard(listing=listings)
    async def test_raw_is_kept_without_secrets(self, harness: Harness, listing: Listing) -> None:
        """Every row keeps the network's own object, read-only, as JSON, and without a secret.

        If this fails, look at: the codec's ``raw=``, and the scrubber for bodies that repeat a token.
        """
        account = await harness.account()
        secrets = [value for value in map(str, harness.credentials.values()) if len(value) > 8]
        async for row in listing.of(account, *harness.period):
            assert row.raw, row
            text = row.raw.json()
            assert dict(row.raw).keys() == msgspec.json.decode(text).keys()
            assert [secret for secret in secrets if secret in text] == []

    @standard(when=lambda capabilities: bool(listings(capabilities)))
    async def test_unknown_words_do_not_raise(self, harness: Harness) -> None:
        """Words that nobody knows become ``unknown`` and stay readable; no row is lost by them.

        If this fails, look at: enumerations in the codec that raise, or that drop what they do not know.
        """
        wire = Wire(rewriting(harness.strange))
        account = await harness.account(transport=wire)
        for listing in listings(account.capabilities):
            rows = await collect(listing.of(account, *harness.period))
            assert len(harness.truth(listing.table, *harness.period, listing.level)) == len(rows)
            assert [row for row in rows if getattr(row, "status", None) not in _known(listing)] == []
            strange = [row for row in rows if "zzz" in (getattr(row, "status_raw", None) or "")]
            assert {"unknown"} >= {row.status for row in strange}
        assert wire.changed > 0, "'strange' of the harness has changed no answer"

    @standard(getter=getters)
    async def test_one_object_equals_its_row(self, harness: Harness, getter: str) -> None:
        """``get`` of something that is listed finds it.

        If this fails, look at: which of the network's ids the list gives.
        """
        account = await harness.account()
        key, listed = _IDS[getter], Listing(getter.removeprefix("get_") + "s")
        if getter == "get_offer" and account.capabilities.supports("list_trades"):
            key, listed = "offer_slug", Listing("trades")
        wanted = getattr(await first(listed.of(account)), key)
        assert wanted == getattr(await getattr(account, getter)(wanted), _IDS[getter])

    @standard(getter=getters)
    async def test_a_missing_id_is_not_found(self, harness: Harness, getter: str) -> None:
        """``get`` of an id that does not exist raises NotFoundError.

        If this fails, look at: networks that answer 200 and an empty object, or a code of their own.
        """
        account = await harness.account()
        error = None
        try:
            await getattr(account, getter)(MISSING)
        except NotFoundError as caught:
            error = caught
        assert error is not None
        assert not error.temporary


def _types(columns: Columns) -> dict[str, list[type]]:
    return {name: [type(value) for value in values] for name, values in columns.items()}


def _ids(rows: Any) -> list[tuple[str, ...]]:
    return sorted((row.campaign_id or "", getattr(row, "ad_id", "")) for row in rows)


def _known(listing: Listing) -> Collection[str | None]:
    if listing.table == "transactions":
        return TRANSACTION_STATUSES
    return {*STATUSES, None} if listing.table != "audiences" else _Anything()


class _Anything(set[Any]):
    def __contains__(self, item: object) -> bool:
        return True
