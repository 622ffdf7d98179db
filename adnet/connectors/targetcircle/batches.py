"""Batches of report rows: one codec for the rows an application iterates and the columns a sink takes.

Identity. The network gives a transaction no id that is known to be unique: one click may convert twice under
one ``trackingId``. So the id is derived from what never changes in a row, and rows that agree in all of that
are numbered within their second. Windows are never split below one second, so a second's rows always come
together; they are numbered by content and not by order, so that the order of a report does not matter.
"""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final

from adnet.connectors.targetcircle.codec import (
    RawJson,
    labels,
    stable_stamps,
    text,
    trade,
    transaction_status,
)
from adnet.connectors.targetcircle.occurrences import Occurrences
from adnet.connectors.targetcircle.rows import ClickRow, TradeRow, TransactionRow
from adnet.models import Click, Columns, ModelBatch, Raw, Transaction
from adnet.models.building import build_money, positional
from adnet.models.countries import iso2
from adnet.models.tables import RawColumn
from adnet.money import currency_or_none

_SEPARATOR: Final = "|"
_CONTENT: Final = attrgetter(
    "offer_name",
    "slug",
    "media_name",
    "ad_link_name",
    "reference",
    "country",
    "currency",
    "amount",
    "commission",
    "status",  # last, since it changes most: it decides only between rows that agree in all else
)


def _joined(*parts: object) -> str:
    """Return *parts* as one text from which they could be told apart again."""
    return _SEPARATOR.join([str(part).replace("\\", "\\\\").replace("|", "\\p") for part in parts])


def _first_transaction_id(row: TransactionRow, stamp: str) -> str:
    """Return what never changes in a transaction, as an id with the number 0. Stored ids depend on this form."""
    tracking = row.tracking_id
    if tracking is not None and tracking != "":
        return _joined(stamp, tracking, row.kind, row.product_group, 0)
    described = (row.offer_name, row.slug, row.media_name, row.ad_link_name, row.country)
    return _joined(stamp, "", row.kind, row.product_group, *described, *labels(row.reference), 0)


def _first_click_key(row: ClickRow, stamp: str) -> str:
    """Return what never changes in a click, without its address, as a key with the number 0.

    Stored keys depend on this form.
    """
    return _joined(stamp, row.slug, row.offer_name, row.media_name, row.country, *labels(row.reference), 0)


def transaction_ids(
    rows: Sequence[TransactionRow], moments: Sequence[datetime], seen: Occurrences
) -> list[str]:
    """Return the derived ids of a report's next rows."""
    stamps = stable_stamps([row.saved for row in rows], moments)
    trackings = [row.tracking_id for row in rows]
    firsts = [
        f"{stamp}|{tracking}|{row.kind}|{row.product_group}|0"
        for row, tracking, stamp in zip(rows, trackings, stamps, strict=True)
    ]
    together = "".join(firsts)
    if not all(trackings) or together.count("|") != 4 * len(rows) or "\\" in together:
        firsts = list(map(_first_transaction_id, rows, stamps))
    return _numbered(firsts, seen.number(moments, firsts, lambda index: repr(_CONTENT(rows[index]))))


def click_keys(rows: Sequence[ClickRow], moments: Sequence[datetime], seen: Occurrences) -> list[str]:
    """Return the derived keys of a report's next clicks; the IP address takes no part in them."""
    stamps = stable_stamps([row.clicked for row in rows], moments)
    firsts = list(map(_first_click_key, rows, stamps))
    return _numbered(firsts, seen.number(moments, firsts, lambda index: rows[index].ip or ""))


def _numbered(firsts: list[str], numbers: Sequence[int]) -> list[str]:
    """Return *firsts*, which all have the number 0, with their own; nearly all are the first of their kind."""
    if not any(numbers):
        return firsts
    return [
        f"{first[:-1]}{number}" if number else first for first, number in zip(firsts, numbers, strict=True)
    ]


_build: Final = positional(Transaction)
_UNPAID: Final = TransactionRow(saved="")


class TransactionBatch:
    """Transactions of one report, in its order; *currency* is that of rows which name none."""

    __slots__ = ("_currency", "_ids", "_moments", "_raws", "_rows")

    def __init__(
        self,
        rows: list[TransactionRow],
        raws: Sequence[RawJson],
        moments: Sequence[datetime],
        ids: list[str],
        currency: str | None = None,
    ) -> None:
        self._rows, self._raws, self._moments, self._ids = rows, raws, moments, ids
        self._currency = currency

    def __len__(self) -> int:
        return len(self._rows)

    def tables(self) -> tuple[str, ...]:
        """Return the tables that these rows feed."""
        return ("transactions",)

    def models(self) -> list[Transaction]:
        """Return the rows, in order."""
        asked = self._currency
        return [
            _build(
                transaction_id,
                tracking if type(tracking := row.tracking_id) is str and tracking else text(tracking),
                transaction_status(row.status),
                row.status,
                row.kind,
                row.product_group,
                moment,
                None,  # whether ``slug`` is the offer's or the ad's is not known: it stays in raw
                row.offer_name,
                row.media_name,
                build_money(amount, currency)
                if (currency := currency_or_none(row.currency or asked))
                and (amount := row.amount) is not None
                else None,
                build_money(amount, currency)
                if currency and (amount := row.commission) is not None
                else None,
                currency,
                iso2(row.country),
                labels(row.reference),
                Raw(raw),
            )
            for row, raw, moment, transaction_id in zip(
                self._rows, self._raws, self._moments, self._ids, strict=True
            )
        ]

    def columns(self, table: str, *, raw: bool = True) -> Columns:  # noqa: ARG002
        """Return the rows as columns of ``transactions``."""
        rows = self._rows
        count = len(rows)
        statuses = [row.status for row in rows]
        currencies = list(map(currency_or_none, [row.currency or self._currency for row in rows]))
        paid = rows
        if None in currencies:  # what nobody can name a currency of is no money
            paid = [row if code else _UNPAID for row, code in zip(rows, currencies, strict=True)]
        return {
            "transaction_id": self._ids,
            "tracking_id": [
                tracking if type(tracking := row.tracking_id) is str and tracking else text(tracking)
                for row in rows
            ],
            "status": list(map(transaction_status, statuses)),
            "status_raw": statuses,
            "kind": [row.kind for row in rows],
            "product_group": [row.product_group for row in rows],
            "occurred_at": list(self._moments),
            "offer_id": [None] * count,
            "offer_name": [row.offer_name for row in rows],
            "source_name": [row.media_name for row in rows],
            "amount": [row.amount for row in paid],
            "commission": [row.commission for row in paid],
            "currency": currencies,
            "country": list(map(iso2, [row.country for row in rows])),
            "sub_ids": [labels(row.reference) for row in rows],
            "raw": RawColumn(self._raws) if raw else [None] * count,
        }


def click_batch(
    rows: list[ClickRow],
    raws: list[bytes],
    moments: Sequence[datetime],
    keys: list[str],
    hashes: list[str | None],
) -> ModelBatch:
    """Return clicks of one report, in its order; *raws* are without the IP address already."""
    return ModelBatch(
        Click(
            click_key=key,
            occurred_at=moment,
            offer_name=row.offer_name,
            source_name=row.media_name,
            country=iso2(row.country),
            ip_hash=ip_hash,
            sub_ids=labels(row.reference),
            raw=Raw(raw),
        )
        for row, raw, moment, key, ip_hash in zip(rows, raws, moments, keys, hashes, strict=True)
    )


def trade_batch(rows: list[TradeRow], raws: list[bytes]) -> ModelBatch:
    """Return trades of one report, in its order."""
    return ModelBatch(trade(row, raw) for row, raw in zip(rows, raws, strict=True))
