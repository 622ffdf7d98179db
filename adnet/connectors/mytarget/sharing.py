"""Sharing: the keys that open audiences to other users of the network.

Source: myTarget help "Provide the segment to an advertiser" (documented): access is private (named users) or public
(whoever has the key), free or at a fixed price per thousand impressions; only end advertisers can activate a key;
when a key goes, campaigns of others that use its sources stop, and their owners are told by mail. Whether prices are in
units of the currency or in hundredths is open: the network's documents say rubles here and kopecks there.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import attrs

from adnet.connectors.mytarget import codec, routes
from adnet.connectors.mytarget.audiences import KINDS, Audiences
from adnet.connectors.mytarget.change_sets import removal
from adnet.connectors.mytarget.changes import amount
from adnet.connectors.mytarget.errors import invalid
from adnet.connectors.mytarget.native import MyTargetNative
from adnet.connectors.mytarget.writing import WIDTH
from adnet.errors import NotFoundError, SchemaError
from adnet.models import Audience, Outcome, PlannedRequest, Raw, Share
from adnet.money import Money
from adnet.operations.paginate import in_order

PAYMENTS: Final = ("free", "fixed_cpm")
PRICE_UNITS: Final = ("unknown", "units", "minor")
"""How a key's price is written: in units of the currency or in hundredths; unknown until the user says it."""
STOPS: Final = "campaigns of others that use what it opened stop, and their owners are told by mail"


@attrs.frozen(kw_only=True)
class Prices:
    """How the prices of keys are written; they are per thousand impressions."""

    unit: str = "unknown"
    """One of PRICE_UNITS."""
    currency: str | None = None

    def sent(self, price: Any) -> str | None:
        """Return a price as it is sent.

        Raises:
            InvalidRequestError: Its unit is not known, or it is no amount in the account's currency.
        """
        if self.unit == "unknown":
            raise invalid(
                "its documents say rubles here and kopecks there: set sharing_price_unit to 'units' or to 'minor'",
                price="its unit is not known",
            )
        text = amount("price", price, self.currency)
        return format(Decimal(text).scaleb(2), "f") if text and self.unit == "minor" else text

    def told(self, row: Mapping[str, Any]) -> Money | None:
        """Return the price that the network tells; None where its unit is not known."""
        found = None if self.unit == "unknown" else codec.money(row, "price", self.currency)
        if found is not None and self.unit == "minor":
            return Money.from_minor(found.amount, found.currency)
        return found


class Sharing:
    """What one account shares, and what it takes of others.

    Args:
        native: The network's own client.
        audiences: Tells the names of what keys open.
        currency: Tells the account's currency.
        planned: Shows a request without sending it.
        price_unit: One of PRICE_UNITS.
    """

    def __init__(
        self,
        native: MyTargetNative,
        audiences: Audiences,
        currency: Callable[[], Awaitable[str | None]],
        planned: Callable[..., PlannedRequest],
        *,
        price_unit: str,
    ) -> None:
        self._native = native
        self._audiences = audiences
        self._currency = currency
        self._planned = planned
        self._unit = price_unit

    async def shares(self) -> AsyncIterator[Share]:
        """Yield our keys, with the names of what they open."""
        rows = await self._native.sharing_keys.list()
        if not rows:
            return
        names = {
            (a.kind, a.audience_id): a
            async for batch in self._audiences.read(kind=None)
            for a in batch.models()
        }
        prices = Prices(unit=self._unit, currency=await self._currency())
        for row in rows:
            yield share(row, names, prices)

    async def share(
        self, audiences: Sequence[Audience], *, users: Sequence[str], payment: str, price: Any, notify: bool
    ) -> Share:
        """Make a key for *audiences*; no users means that anyone with the key can use it.

        Raises:
            InvalidRequestError: The rules of sharing forbid it; most are told before anything is sent.
        """
        # All that could fail comes before the key: it opens what it opens, and is told once.
        currency = await self._currency() if price is not None else None
        prices = Prices(unit=self._unit, currency=currency)
        body = share_body(audiences, users, payment, price, notify=notify, prices=prices)
        made = await self._native.sharing_keys.create(body)
        names = {(audience.kind, audience.audience_id): audience for audience in audiences}
        try:  # some answers hold the key and its address only
            return attrs.evolve(share(Raw({**body, **made}), names, prices), raw=made)
        except SchemaError:
            asked = Raw({**body, **{name: made.get(name) for name in ("sharing_key", "sharing_url")}})
            return attrs.evolve(share(asked, names, prices), raw=made)

    async def activate(self, key: str, audiences: Sequence[Audience] | None) -> list[Audience]:
        """Add a key's audiences to this account, all of them or those named, and return them."""
        if audiences is not None and not audiences:
            raise invalid(
                "there is nothing to activate; None means all that the key opens", audiences="required"
            )
        sources = None if audiences is None else [source(audience) for audience in audiences]
        answer = await self._native.sharing_keys.activate(key, sources)
        return [opened(row) for row in codec.objects(answer, "sources")]

    async def express_revoke(self, keys: Sequence[str]) -> list[PlannedRequest]:
        """Return the requests that would remove *keys*; each one's note says what that would stop.

        Raises:
            NotFoundError: There is no such key.
        """
        known = {found.key: found async for found in self.shares()}
        notes = {key: _consequence(key, known) for key in keys}
        return [
            self._planned(routes.DELETE_KEY, path={"key": key}, ids=[key], note=note)
            for key, note in notes.items()
        ]

    async def revoke(self, keys: Sequence[str]) -> list[Outcome]:
        """Remove keys; one outcome for each, in order."""

        async def one(key: str) -> Outcome:
            outcome = await removal(self._native.sharing_keys.delete(key), key)
            return attrs.evolve(outcome, notes=(STOPS, *outcome.notes)) if outcome.ok else outcome

        found = {outcome.id: outcome async for outcome in in_order(dict.fromkeys(keys), one, width=WIDTH)}
        return [found[key] for key in keys]


# ---------------------------------------------------------------------- rows to models


def opened(row: Mapping[str, Any]) -> Audience:
    """Return a source that a key has opened."""
    params = codec.section(row, "params")
    size = params.get("entries_count")
    return Audience(
        audience_id=codec.object_id(row, "object_id"),
        kind=codec.text(row, "object_type") or "",  # type: ignore[arg-type]
        name=codec.text(params, "name") or "",
        size=size if isinstance(size, int) else None,
        raw=Raw(row),
    )


def share(row: Raw, known: Mapping[tuple[Any, str], Audience], prices: Prices) -> Share:
    """Return a key; the network's free keys have a price of zero."""
    payment = "fixed_cpm" if row.get("payment_type") == "fixed_cpm" else "free"
    named = (codec.text(user, "username") for user in codec.objects(row, "users"))
    users = tuple(user for user in named if user)
    price = prices.told(row) if payment == "fixed_cpm" else None
    return Share(
        key=codec.object_id(row, "sharing_key"),
        url=codec.text(row, "sharing_url"),
        kind="private" if row.get("type", "private" if users else None) == "private" else "public",
        payment=payment,  # type: ignore[arg-type]
        price=price,
        users=users,
        audiences=tuple(_known(opened(item), known) for item in codec.objects(row, "sources")),
        raw=row,
    )


def _known(audience: Audience, known: Mapping[tuple[Any, str], Audience]) -> Audience:
    return known.get((audience.kind, audience.audience_id), audience)


# ---------------------------------------------------------------------- bodies and notes


def share_body(
    audiences: Sequence[Audience],
    users: Sequence[str],
    payment: str,
    price: Any,
    *,
    notify: bool,
    prices: Prices,
) -> dict[str, Any]:
    """Return a key to create.

    Raises:
        InvalidRequestError: Nothing is shared, a price without a price model or in an unknown unit, a mail to nobody.
    """
    if not audiences:
        raise invalid("there is nothing to share", audiences="required")
    if payment not in PAYMENTS:
        raise invalid(f"payment is one of {', '.join(PAYMENTS)}, not {payment!r}", payment="unknown")
    if (payment == "fixed_cpm") != (price is not None):
        raise invalid("a price goes with payment='fixed_cpm', and only with that", price="price and payment")
    if notify and not users:
        raise invalid("only a key for named users is sent by mail", notify="needs users")
    body: dict[str, Any] = {"sources": [source(audience) for audience in audiences], "payment_type": payment}
    if users:
        body["users"] = [{"username": user} for user in users]
        body["send_email"] = notify
    if price is not None:
        body["price"] = prices.sent(price)
    return body


def source(audience: Audience) -> dict[str, Any]:
    """Return how a key names an audience."""
    if audience.kind not in KINDS or not audience.audience_id.isdecimal():
        raise invalid(f"{audience.kind} {audience.audience_id!r} cannot be shared", audiences="not shareable")
    return {"object_type": audience.kind, "object_id": int(audience.audience_id)}


def _consequence(key: str, known: Mapping[str, Share]) -> str:
    found = known.get(key)
    if found is None:
        raise NotFoundError(f"there is no share {key!r} of this account")
    names = ", ".join(
        f"{audience.kind} {audience.name or audience.audience_id!r}" for audience in found.audiences
    )
    users = ", ".join(found.users)
    if found.kind == "public":
        users = "anyone who has the key" + (f", so far to {users}" if users else "")
    return f"opens {names} to {users or 'nobody'}; {STOPS}"
