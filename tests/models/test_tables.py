"""The tables that land, and how models become their columns."""

from datetime import UTC, date, datetime
from decimal import Decimal

import attrs
import pytest

from adnet.models import (
    TABLES,
    AccountInfo,
    Batch,
    Campaign,
    ModelBatch,
    Offer,
    Payout,
    Raw,
    StatRow,
    Trade,
    Transaction,
)
from adnet.models.tables import _MODELS, PULLS, RawColumn
from adnet.money import Money

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STAT = StatRow(date=date(2026, 3, 1), level="campaign", object_id="7", clicks=4, impressions=1000,
               spend=Money("2.50", "EUR"), revenue=Money("5", "EUR"), currency="EUR")  # fmt: skip
SALE = Transaction(transaction_id="t1", occurred_at=NOON, amount=Money("10", "EUR"), sub_ids=("a", "b"),
                   currency="EUR", raw=Raw(b'{"x":1}'))  # fmt: skip


@pytest.mark.parametrize("model", _MODELS, ids=lambda model: model.__name__)
def test_every_column_is_an_attribute_of_its_model(model):
    """What a table lists can be read off its model."""
    names = {field.name for field in attrs.fields(model)}
    assert set(TABLES[_MODELS[model]].columns) <= names


@pytest.mark.parametrize("table", [*TABLES.values(), PULLS], ids=lambda table: table.name)
def test_key_columns_come_first_and_are_not_compared(table):
    """A row is known by its key, and restated in the rest."""
    assert tuple(table.columns)[: len(table.key)] == table.key
    assert table.full_key == ("network", "account", *table.key)
    assert not set(table.compared) & set(table.full_key)
    assert {"raw", "fetched_at"} <= set(table.full_columns) - set(table.compared)


def test_restated_tables_keep_a_history():
    """Numbers are restated for months in statistics and transactions."""
    assert [table.name for table in TABLES.values() if table.history] == ["stats", "transactions"]


def test_a_batch_of_models_gives_columns_of_one_length():
    """Money becomes its amount, texts stay tuples, raw becomes JSON text."""
    batch = ModelBatch([SALE, attrs.evolve(SALE, transaction_id="t2", amount=None, sub_ids=())])
    columns = batch.columns("transactions")
    assert list(columns) == [*TABLES["transactions"].columns, "raw"]
    assert columns["transaction_id"] == ["t1", "t2"]
    assert columns["amount"] == [Decimal(10), None]
    assert columns["sub_ids"] == [("a", "b"), ()]
    assert columns["occurred_at"] == [NOON, NOON]
    assert columns["raw"] == ['{"x":1}', '{"x":1}']


def test_raw_is_left_out_when_it_is_not_wanted():
    """The column stays, empty."""
    assert ModelBatch([SALE]).columns("transactions", raw=False)["raw"] == [None]


def test_a_batch_is_a_batch():
    """The class keeps the protocol."""
    batch = ModelBatch(iter([STAT]))
    assert isinstance(batch, Batch)
    assert (len(batch), batch.models(), batch.tables()) == (1, [STAT], ("stats",))


def test_rows_of_several_tables_are_told_apart():
    """Each table gets its own rows."""
    batch = ModelBatch([STAT, SALE])
    assert batch.tables() == ("stats", "transactions")
    assert batch.columns("stats")["object_id"] == ["7"]


def test_offers_and_trades_bring_their_payouts():
    """One line per payout, with the parent's key."""
    pay = (
        Payout(amount=Decimal("1.5"), currency="EUR", countries=("DE",), raw=Raw(b'{"payout":1.5}')),
        Payout(amount=Decimal(5), kind="percent"),
    )
    batch = ModelBatch(
        [Offer(offer_id="o", source_id="s", name="n", payouts=pay), Trade(trade_id="t", payouts=pay[:1])]
    )
    columns = batch.columns("payouts")
    assert batch.tables() == ("offers", "trades", "payouts")
    keys = list(zip(*(columns[name] for name in TABLES["payouts"].key), strict=True))
    assert keys == [("offer", "o", "s", 0), ("offer", "o", "s", 1), ("trade", "t", "", 0)]
    assert columns["amount"] == [Decimal("1.5"), Decimal(5), Decimal("1.5")]
    assert columns["countries"] == [("DE",), (), ("DE",)]
    assert columns["raw"] == ['{"payout":1.5}', "{}", '{"payout":1.5}']
    assert batch.columns("payouts", raw=False)["raw"] == [None] * 3
    assert {len(values) for values in columns.values()} == {3}


def test_ratios_are_computed():
    """From exact numbers, and None where they mean nothing."""
    assert (STAT.ctr, STAT.cpc, STAT.cpm, STAT.roas) == (
        Decimal("0.004"),
        Decimal("0.625"),
        Decimal("2.5"),
        2,
    )
    empty = attrs.evolve(STAT, clicks=0, impressions=None, spend=None)
    assert (empty.ctr, empty.cpc, empty.cpm, empty.roas) == (None, None, None, None)
    assert attrs.evolve(STAT, spend=Money(0, "EUR")).roas is None


def test_what_cost_nothing_cost_nothing_per_click():
    """None would say that nobody knows, and an average over days would leave the free ones out."""
    free = attrs.evolve(STAT, spend=Money(0, "EUR"))
    assert (free.cpc, free.cpm) == (0, 0)


def test_models_are_frozen():
    """A change is a new value."""
    campaign = Campaign(campaign_id="1", name="a")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        campaign.name = "b"


def test_an_account_lands_with_its_balance():
    """As a number beside its currency."""
    info = AccountInfo(account_id="1", currency="EUR", balance=Money("3.20", "EUR"))
    assert ModelBatch([info]).columns("accounts")["balance"] == [Decimal("3.20")]


def test_a_raw_column_is_a_column_of_texts():
    """Whoever looks sees texts; what is no UTF-8 in them becomes U+FFFD, as in a row's own ``raw``."""
    rows = [b'{"a":1}', '{"é":2}'.encode(), b'{"\xff":3}']
    column, texts = RawColumn(rows), ['{"a":1}', '{"é":2}', '{"\ufffd":3}']
    assert (column, column[1:], column[-1], len(column)) == (texts, texts[1:], texts[2], 3)
    assert column != texts[:2]
    assert column.joined() == (b"".join(rows), [0, 7, 15, 22])
    assert [Raw(row).json() for row in rows] == texts
