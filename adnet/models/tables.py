"""The tables that land, in every sink alike, and how models become their columns.

A table's rows travel as columns, since every sink's bulk path wants columns. *network*,
*account* and *fetched_at* are the same for a whole batch and are added by the sink.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from operator import attrgetter
from typing import Any, Final, Literal, Protocol, overload, runtime_checkable

import attrs
import msgspec

from adnet.models.account import AccountInfo
from adnet.models.campaign import Ad, Campaign
from adnet.models.offer import Offer, Payout, Trade
from adnet.models.stats import StatRow
from adnet.models.transaction import Click, Transaction

ColumnType = Literal["text", "money", "instant", "date", "int", "texts"]
Columns = Mapping[str, Sequence[Any]]
"""Column name -> values; all have one length."""


@attrs.frozen
class Table:
    """A table's name, key and columns; ``network``, ``account``, ``fetched_at`` and ``raw`` come on top."""

    name: str
    key: tuple[str, ...]
    """Key columns beside network and account."""
    columns: Mapping[str, ColumnType]
    """Key columns and all others, in order."""
    time: str | None = None
    """The column that places a row in a period."""
    history: bool = False
    """Whether restated rows are kept in ``<name>_history``."""

    @property
    def full_key(self) -> tuple[str, ...]:
        """All key columns."""
        return ("network", "account", *self.key)

    @property
    def full_columns(self) -> dict[str, ColumnType]:
        """Every column of the landed table, in order."""
        return {
            "network": "text",
            "account": "text",
            **self.columns,
            "fetched_at": "instant",
            "raw": "text",
        }

    @property
    def compared(self) -> tuple[str, ...]:
        """Columns whose change makes a row a restated one."""
        return tuple(name for name in self.columns if name not in self.key)


def _table(name: str, key: str, rest: str, *, time: str | None = None, history: bool = False) -> Table:
    """Build a Table from words; a type follows its column after a colon, text is the default."""
    columns: dict[str, Any] = {}
    for word in (*key.split(), *rest.split()):
        column, _, kind = word.partition(":")
        columns[column] = kind or "text"
    names = tuple(word.partition(":")[0] for word in key.split())
    return Table(name, names, columns, time=time, history=history)


TABLES: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        _table("accounts", "account_id", "name currency time_zone balance:money"),
        _table(
            "campaigns",
            "campaign_id",
            "name status status_raw daily_budget:money total_budget:money currency starts_on:date"
            " ends_on:date created_at:instant updated_at:instant",
        ),
        _table(
            "ads",
            "ad_id",
            "campaign_id title kind status status_raw url image_url bid:money currency",
        ),
        _table(
            "offers",
            "offer_id source_id",
            "slug name status status_raw advertiser provider vertical category source_name starts_on:date"
            " ends_on:date countries:texts currency highest_payout:money",
        ),
        _table(
            "trades",
            "trade_id",
            "kind status status_raw source_name offer_slug offer_name provider category verticals:texts",
        ),
        _table(
            "payouts",
            "parent parent_id source_id line:int",
            "event engagement kind amount:money currency countries:texts product_group",
        ),
        _table(
            "stats",
            "date:date level object_id",
            "campaign_id impressions:int clicks:int spend:money conversions:int revenue:money currency",
            time="date",
            history=True,
        ),
        _table(
            "transactions",
            "transaction_id",
            "tracking_id status status_raw kind product_group occurred_at:instant offer_id offer_name"
            " source_name amount:money commission:money currency country sub_ids:texts",
            time="occurred_at",
            history=True,
        ),
        _table(
            "clicks",
            "click_key",
            "occurred_at:instant offer_id offer_name campaign_id ad_id source_id country ip_hash"
            " sub_ids:texts cost:money currency",
            time="occurred_at",
        ),
    )
}

PULLS: Final = Table(
    "pulls",
    ("pull_id", "table"),
    {
        "pull_id": "text",
        "table": "text",
        "since": "instant",
        "until": "instant",
        "started_at": "instant",
        "finished_at": "instant",
        "outcome": "text",
        "rows": "int",
        "new_rows": "int",
        "changed_rows": "int",
        "requests": "int",
        "waited_s": "money",
    },
)
"""One row per run, account and table; it has no ``raw`` worth keeping."""

_MODELS: Final[dict[type, str]] = {
    AccountInfo: "accounts",
    Campaign: "campaigns",
    Ad: "ads",
    Offer: "offers",
    Trade: "trades",
    StatRow: "stats",
    Transaction: "transactions",
    Click: "clicks",
}
_MONEY_AMOUNTS: Final = frozenset({
    "balance", "daily_budget", "total_budget", "bid", "highest_payout", "spend", "revenue", "amount",
    "commission", "cost",
})  # fmt: skip


@runtime_checkable
class Batch(Protocol):
    """Some rows on their way: as models for applications, as columns for sinks."""

    def __len__(self) -> int:
        """How many rows there are."""
        ...

    def models(self) -> Sequence[Any]:
        """Return the rows as models, in order."""
        ...

    def tables(self) -> tuple[str, ...]:
        """Return the names of the tables that these rows feed."""
        ...

    def columns(self, table: str, *, raw: bool = True) -> Columns:
        """Return the rows as columns of *table*; the ``raw`` column is JSON text, or None when not wanted."""
        ...


class RawColumn(Sequence[str]):
    """A ``raw`` column that was cut out of a page: as texts for who looks at it, in one piece for who takes it whole.

    Args:
        rows: Each row's own JSON, which begins and ends with a sign of ASCII as all JSON does.
    """

    __slots__ = ("_rows",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, rows: Sequence[bytes | msgspec.Raw]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> "RawColumn": ...
    def __getitem__(self, index: int | slice) -> "str | RawColumn":
        if isinstance(index, slice):
            return RawColumn(self._rows[index])
        return str(self._rows[index], "utf-8", "replace")

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    def joined(self) -> tuple[bytes, list[int]]:
        """Return all rows in one piece, as they came, and where each begins in it; the end comes last."""
        return b"".join(self._rows), list(accumulate(map(len, self._rows), initial=0))


class ModelBatch:
    """A batch made of models; what a connector without a faster path yields."""

    __slots__ = ("_rows",)

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows = list(rows)

    def __len__(self) -> int:
        return len(self._rows)

    def models(self) -> Sequence[Any]:
        """Return the rows, in order."""
        return self._rows

    def tables(self) -> tuple[str, ...]:
        """Return the names of the tables that these rows feed; offers and trades feed payouts too."""
        names = dict.fromkeys(_MODELS[type(row)] for row in self._rows)
        if {"offers", "trades"} & names.keys():
            names["payouts"] = "payouts"
        return tuple(names)

    def columns(self, table: str, *, raw: bool = True) -> Columns:
        """Return the rows as columns of *table*."""
        if table == "payouts":
            return _payout_columns(self._rows, raw=raw)
        rows = [row for row in self._rows if _MODELS[type(row)] == table]
        columns: dict[str, list[Any]]
        columns = {name: list(map(_reader(table, name), rows)) for name in TABLES[table].columns}
        columns["raw"] = [_raw_text(row) if raw else None for row in rows]
        return columns


def _reader(table: str, name: str) -> Callable[[Any], Any]:
    get = attrgetter(name)
    if TABLES[table].columns[name] == "money" and name in _MONEY_AMOUNTS:
        return lambda row: None if (value := get(row)) is None else getattr(value, "amount", value)
    return get


def _raw_text(row: Any) -> str | None:
    return row.raw.json() if hasattr(row.raw, "json") else None


def _payout_columns(rows: Sequence[Any], *, raw: bool) -> Columns:
    columns: dict[str, list[Any]] = {name: [] for name in (*TABLES["payouts"].columns, "raw")}
    for row in rows:
        parent = _MODELS[type(row)].removesuffix("s")
        parent_id = row.offer_id if parent == "offer" else row.trade_id
        source_id = getattr(row, "source_id", "")
        for line, payout in enumerate(row.payouts):
            _add_payout(columns, (parent, parent_id, source_id, line), payout)
            columns["raw"].append(_raw_text(payout) if raw else None)
    return columns


def _add_payout(columns: Mapping[str, list[Any]], key: tuple[Any, ...], payout: Payout) -> None:
    for name, value in zip(TABLES["payouts"].key, key, strict=True):
        columns[name].append(value)
    for name in TABLES["payouts"].compared:
        columns[name].append(getattr(payout, name))
