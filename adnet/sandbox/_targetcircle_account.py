"""
What an imitation Target Circle account answers: rows for a report, and the truth.

No HTTP but its refusals lives here. Both ways to a row, by a report and by
the side door, end in the same ledger and the same printing; only a report
filters, orders and cuts.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Literal, TypeVar

from aiohttp import web

from adnet.sandbox import _targetcircle_filters as filters
from adnet.sandbox import _targetcircle_rows as rows
from adnet.sandbox._targetcircle_catalogue import ACCEPTED, Offer, Trade
from adnet.sandbox._targetcircle_data import Click, Ledger, Transaction, status_at
from adnet.sandbox.base import days, encode, random_of

__all__ = ["CURRENCY", "RESOURCES", "Account"]

_T = TypeVar("_T")
_Row = dict[str, Any]

RESOURCES = ("transactions", "clicks", "trades")
"""What there are reports of."""

CURRENCY = "EUR"
"""The currency of the account; reports may ask for another."""


class Account:
    """
    One account's answers.

    Args:
        ledger: What happened in it.
        now: If given, the status of a transaction follows the time it tells.
        typos: Whether the vendor's typing errors are kept.
        order: How the rows of a report are ordered in time.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        now: Callable[[], datetime] | None = None,
        typos: bool = True,
        order: Literal["asc", "desc", "shuffled"] = "asc",
    ) -> None:
        self._ledger = ledger
        self._catalogue = ledger.catalogue
        self._now = now
        self._typos = typos
        self._order = order

    def report(self, resource: str, payload: Mapping[str, Any], limit: int | None) -> list[bytes]:
        """
        Return the encoded rows of a report, at most *limit* of them.

        Raises:
            HTTPBadRequest: A field cannot be read.
        """
        if resource == "trades":
            trades = filters.trades_wanted(payload, self._catalogue)[:limit]
            return [encode(row) for row in self._trades(trades)]
        if resource == "clicks":
            found = filter(
                filters.clicks_wanted(payload, self._catalogue),
                self._ordered(self._ledger.clicks, _clicked, payload),
            )
            return [encode(rows.click_row(click)) for click in itertools.islice(found, limit)]
        return self._transactions(payload, limit)

    def truth(self, resource: str, since: date | None, until: date | None) -> list[_Row]:
        """
        Return all rows of a resource in a half-open period, past every filter.

        Raises:
            LookupError: There is no such resource.
            ValueError: A period is needed and not given.
        """
        trades = list(self._catalogue.trades)
        if resource in {"trades", "offers"}:
            return self._trades(trades) if resource == "trades" else self._grouped(trades)
        if resource not in RESOURCES:
            raise LookupError(resource)
        if since is None or until is None:
            raise ValueError(f"{resource} exist for every day: since and until must be given")
        of_day = self._clicks_of if resource == "clicks" else self._transactions_of
        return [row for day in days(since, until) for row in of_day(day)]

    def offers(self, query: Mapping[str, str], limit: int) -> list[_Row]:
        """Return the ad inventories with the offers wanted, at most *limit* offers in all."""
        found = filters.offers_wanted(query, self._catalogue)
        # The catalogue goes by offer, the report by ad inventory.
        return self._grouped(sorted(found, key=_inventory_id)[:limit])

    def details(self, offer: Offer) -> _Row:
        """Return the details of one offer."""
        return rows.offer_details(offer, self._catalogue)

    def offer(self, key: str) -> Offer:
        """
        Return an offer by slug or number.

        Raises:
            HTTPNotFound: There is none.
        """
        for offer in self._catalogue.offers:
            if key in {offer.slug, str(offer.id)}:
                return offer
        raise web.HTTPNotFound(text="Offer not found")

    def trade(self, offer_key: str, inventory_key: str) -> Trade:
        """
        Return the accepted trade of an offer and an ad inventory, by slugs or numbers.

        Raises:
            HTTPNotFound: There is none.
        """
        offer = self.offer(offer_key)
        for trade in self._catalogue.trades:
            keys = {trade.inventory.slug, str(trade.inventory.id)}
            if trade.offer is offer and trade.status == ACCEPTED and inventory_key in keys:
                return trade
        raise web.HTTPNotFound(text="Ad inventory not found for this offer")

    def _transactions(self, payload: Mapping[str, Any], limit: int | None) -> list[bytes]:
        currency = str(payload["currency"])
        if currency not in rows.RATES:
            raise web.HTTPBadRequest(text=f"Unknown currency {currency}")
        wanted = filters.clicks_wanted(payload, self._catalogue)
        statuses = filters.statuses_of(payload)
        found = (
            row
            for row in self._ordered(self._ledger.transactions, _saved, payload)
            if wanted(row.click) and (statuses is None or self._status(row) in statuses)
        )
        chosen = itertools.islice(found, limit)
        return [encode(rows.transaction_row(row, self._status(row), currency)) for row in chosen]

    def _ordered(
        self,
        of_day: Callable[[date], tuple[_T, ...]],
        moment: Callable[[_T], int],
        payload: Mapping[str, Any],
    ) -> Iterator[_T]:
        period = filters.first_and_last(payload)
        found = filters.in_period(of_day, moment, period, descending=self._order == "desc")
        if self._order != "shuffled":
            return found
        shuffled = list(found)
        random_of("targetcircle", "order", *period).shuffle(shuffled)
        return iter(shuffled)

    def _status(self, row: Transaction) -> str:
        return status_at(row, self._now()) if self._now else row.status

    def _clicks_of(self, day: date) -> list[_Row]:
        return [rows.click_row(click) for click in self._ledger.clicks(day)]

    def _transactions_of(self, day: date) -> list[_Row]:
        found = self._ledger.transactions(day)
        return [rows.transaction_row(row, self._status(row), CURRENCY) for row in found]

    def _trades(self, trades: list[Trade]) -> list[_Row]:
        return [rows.trade_row(trade, typos=self._typos) for trade in trades]

    def _grouped(self, trades: list[Trade]) -> list[_Row]:
        groups = [
            (inventory, [trade for trade in trades if trade.inventory is inventory])
            for inventory in self._catalogue.inventories
        ]
        return [rows.inventory_row(i, group, typos=self._typos) for i, group in groups if group]


def _clicked(click: Click) -> int:
    return click.at


def _saved(row: Transaction) -> int:
    return row.saved


def _inventory_id(trade: Trade) -> int:
    return trade.inventory.id
