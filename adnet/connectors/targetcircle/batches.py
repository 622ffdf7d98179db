"""Batches of report rows: one codec for the rows an application iterates and the columns a sink takes.

Identity. The network gives a transaction no id that is known to be unique: one click may convert twice under
one ``trackingId``. So the id is derived from what never changes in a row, and rows that agree in all of that
are numbered within their second. Windows are never split below one second, so a second's rows always come
together; they are numbered by content and not by order, so that the order of a report does not matter.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final

from adnet.connectors.targetcircle.codec import (
    aware,
    currency_code,
    labels,
    text,
    trade,
    transaction_status,
)
from adnet.connectors.targetcircle.rows import ClickRow, TradeRow, TransactionRow
from adnet.errors import SchemaError
from adnet.models import Click, Columns, ModelBatch, Raw, Transaction
from adnet.models.countries import iso2
from adnet.money import Money

_CHUNK_KEYS: Final = 100_000


class Occurrences:
    """Numbers rows that agree in all that never changes, over one report.

    Remembers every key of a report, up to a bound; a larger report has to come in order of time, since only
    then can keys be forgotten without the risk of giving one number twice.
    """

    def __init__(self, bound: int = _CHUNK_KEYS) -> None:
        self._bound = bound
        self._counts: dict[str, int] = {}
        self._rising = self._falling = True
        self._last = ""
        self._pruned = False

    def number(self, keys: Sequence[str], content: Callable[[int], str]) -> list[int]:
        """Return each row's number among the rows with the same key, from 0.

        Args:
            keys: Each begins with the row's instant, in a form that sorts.
            content: Gives the content of the row at an index, to tell rows apart that share a key.

        Raises:
            SchemaError: The report is above the bound and its rows are in no order.
        """
        self._watch_order(keys)
        counts = self._counts
        places: dict[str, list[int]] = {}
        for index, key in enumerate(keys):
            places.setdefault(key, []).append(index)
        numbers = [0] * len(keys)
        for key, group in places.items():
            start = counts.get(key, 0)
            if len(group) > 1:
                group.sort(key=lambda index: (content(index), index))
            for offset, index in enumerate(group, start):
                numbers[index] = offset
            counts[key] = start + len(group)
        self._prune()
        return numbers

    def _watch_order(self, keys: Sequence[str]) -> None:
        last = self._last
        for key in keys:
            moment = key[:_MOMENT]
            if moment != last:
                if moment < last:
                    self._rising = False
                elif last:
                    self._falling = False
                last = moment
        self._last = last
        if self._pruned and not (self._rising or self._falling):
            raise SchemaError(
                f"the report has more than {self._bound} rows in no order of time, so that rows which agree"
                " cannot be told apart; ask for a shorter period"
            )

    def _prune(self) -> None:
        if len(self._counts) > self._bound and (self._rising or self._falling):
            self._counts = {key: n for key, n in self._counts.items() if key.startswith(self._last)}
            self._pruned = True


_SEPARATOR: Final = "\x1f"
_MOMENT: Final = len("2015-12-29T22:37:58.000000+00:00")


def _key(moment: datetime, *parts: str | int | None) -> str:
    """Return what never changes in a row as one text, its instant first. Stored ids depend on this form."""
    stamp = aware(moment).isoformat(timespec="microseconds")
    return _SEPARATOR.join((stamp, *["" if part is None else str(part) for part in parts]))


def _transaction_key(row: TransactionRow) -> str:
    if row.tracking_id is not None and row.tracking_id != "":
        return _key(row.saved, row.tracking_id, row.kind, row.product_group)
    described = (row.offer_name, row.slug, row.media_name, row.ad_link_name, row.country)
    return _key(row.saved, "", row.kind, row.product_group, *described, *labels(row.reference))


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
)


def transaction_ids(rows: Sequence[TransactionRow], seen: Occurrences) -> list[str]:
    """Return the derived ids of a report's next rows."""
    keys = list(map(_transaction_key, rows))
    return _digests(keys, seen.number(keys, lambda index: repr(_CONTENT(rows[index]))))


def click_keys(rows: Sequence[ClickRow], seen: Occurrences) -> list[str]:
    """Return the derived keys of a report's next clicks; the IP address takes no part in them."""
    keys = [
        _key(row.clicked, row.slug, row.offer_name, row.media_name, row.country, *labels(row.reference))
        for row in rows
    ]
    return _digests(keys, seen.number(keys, lambda index: rows[index].ip or ""))


def _digests(keys: Sequence[str], numbers: Sequence[int]) -> list[str]:
    return [
        hashlib.blake2b(f"{key}{_SEPARATOR}{number}".encode(), digest_size=16).hexdigest()
        for key, number in zip(keys, numbers, strict=True)
    ]


class TransactionBatch:
    """Transactions of one report, in its order."""

    __slots__ = ("_ids", "_raws", "_rows")

    def __init__(self, rows: list[TransactionRow], raws: list[bytes], ids: list[str]) -> None:
        self._rows, self._raws, self._ids = rows, raws, ids

    def __len__(self) -> int:
        return len(self._rows)

    def tables(self) -> tuple[str, ...]:
        """Return the tables that these rows feed."""
        return ("transactions",)

    def models(self) -> list[Transaction]:
        """Return the rows, in order."""
        return list(map(_transaction, self._rows, self._raws, self._ids))

    def columns(self, table: str, *, raw: bool = True) -> Columns:  # noqa: ARG002
        """Return the rows as columns of ``transactions``."""
        rows = self._rows
        count = len(rows)
        return {
            "transaction_id": self._ids,
            "tracking_id": [text(row.tracking_id) for row in rows],
            "status": [transaction_status(row.status) for row in rows],
            "status_raw": [row.status for row in rows],
            "kind": [row.kind for row in rows],
            "product_group": [row.product_group for row in rows],
            "occurred_at": [aware(row.saved) for row in rows],
            "offer_id": [None] * count,
            "offer_name": [row.offer_name for row in rows],
            "source_name": [row.media_name for row in rows],
            "amount": [row.amount for row in rows],
            "commission": [row.commission for row in rows],
            "currency": [currency_code(row.currency) for row in rows],
            "country": [iso2(row.country) for row in rows],
            "sub_ids": [labels(row.reference) for row in rows],
            "raw": [r.decode() for r in self._raws] if raw else [None] * count,
        }


def _transaction(row: TransactionRow, raw: bytes, transaction_id: str) -> Transaction:
    currency = currency_code(row.currency)
    return Transaction(
        transaction_id=transaction_id,
        tracking_id=text(row.tracking_id),
        status=transaction_status(row.status),
        status_raw=row.status,
        kind=row.kind,
        product_group=row.product_group,
        occurred_at=aware(row.saved),
        offer_name=row.offer_name,
        source_name=row.media_name,
        amount=Money(row.amount, currency) if row.amount is not None and currency else None,
        commission=Money(row.commission, currency) if row.commission is not None and currency else None,
        currency=currency,
        country=iso2(row.country),
        sub_ids=tuple(labels(row.reference)),
        raw=Raw(raw),
    )


def click_batch(
    rows: list[ClickRow], raws: list[bytes], keys: list[str], hashes: list[str | None]
) -> ModelBatch:
    """Return clicks of one report, in its order; *raws* are without the IP address already."""
    return ModelBatch(
        Click(
            click_key=key,
            occurred_at=aware(row.clicked),
            offer_name=row.offer_name,
            source_name=row.media_name,
            country=iso2(row.country),
            ip_hash=ip_hash,
            sub_ids=tuple(labels(row.reference)),
            raw=Raw(raw),
        )
        for row, raw, key, ip_hash in zip(rows, raws, keys, hashes, strict=True)
    )


def trade_batch(rows: list[TradeRow], raws: list[bytes]) -> ModelBatch:
    """Return trades of one report, in its order."""
    return ModelBatch(trade(row, raw) for row, raw in zip(rows, raws, strict=True))
