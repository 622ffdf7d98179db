"""Campaigns and ads alike, as the command line chooses and shows them."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import attrs
import click

from adnet.cli._call import Call
from adnet.cli._exits import is_refusal
from adnet.cli._fields import AD_FIELDS, CAMPAIGN_FIELDS, Reader
from adnet.cli.output import Table
from adnet.client import Account
from adnet.config import load, open_accounts
from adnet.errors import AdnetError, NotFoundError, UnsupportedError
from adnet.models import Ad, Campaign
from adnet.money import Money
from adnet.operations.paginate import in_order

_WIDTH: Final = 20


@attrs.frozen(kw_only=True)
class Kind:
    """What the commands for campaigns and those for ads differ in."""

    name: str
    """``campaigns`` or ``ads``; also what the network's operations are called by."""
    one: str
    """For one of them."""
    key: str
    fields: Mapping[str, Reader]
    """Field that can be set -> what reads its value."""
    columns: tuple[str, ...]
    """What a list shows, as far as anything in it has a value."""


CAMPAIGNS: Final = Kind(
    name="campaigns",
    one="campaign",
    key="campaign_id",
    fields=CAMPAIGN_FIELDS,
    columns=(
        "campaign_id",
        "name",
        "status",
        "daily_budget",
        "total_budget",
        "daily_clicks",
        "total_clicks",
        "bid",
        "currency",
        "starts_on",
        "ends_on",
    ),
)
ADS: Final = Kind(
    name="ads",
    one="ad",
    key="ad_id",
    fields=AD_FIELDS,
    columns=("ad_id", "campaign_id", "title", "kind", "status", "bid", "currency", "url"),
)


@attrs.frozen(kw_only=True)
class Choice:
    """Which objects of an account are meant."""

    ids: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    """Of ads: those of these campaigns."""
    everything: bool = False

    def check(self, kind: Kind) -> None:
        """Refuse a choice that names nothing: a change of everything has to be said.

        Raises:
            UsageError: It names nothing.
        """
        if not (self.ids or self.status or self.campaigns or self.everything):
            context = click.get_current_context(silent=True)
            raise click.UsageError(f"name the {kind.name}, choose them with --status, or say --all", context)


@attrs.frozen
class Found:
    """One object that was chosen, or why it could not be read."""

    id: str
    thing: Campaign | Ad | None = None
    error: AdnetError | None = None


@contextlib.asynccontextmanager
async def opened(call: Call, name: str) -> AsyncIterator[Account]:
    """Open one account of the configuration."""
    async with open_accounts(load(call.config, only=(name,))) as accounts:
        yield accounts[name]


async def chosen(account: Account, kind: Kind, choice: Choice, *, complete: bool = False) -> list[Found]:
    """Return the objects that are meant, in the order in which they were named, or in the network's.

    Args:
        account: Whose.
        kind: Campaigns or ads.
        choice: Which.
        complete: Whether nested settings are needed, too, which lists may not tell.

    Raises:
        UnsupportedError: The network has none.
        AuthenticationError: The credentials were refused.
    """
    if not choice.ids:
        listed = await _listed(account, kind, choice)
        ids = [id_of(thing, kind) for thing in listed]
        found = await _each(account, kind, ids) if complete else list(map(Found, ids, listed))
        return found + await _without(account, choice.campaigns, listed)
    if complete or kind is ADS:
        found = await _each(account, kind, choice.ids)
    else:
        rows = account.list_campaigns(ids=choice.ids)
        things = {id_of(thing, kind): thing async for thing in rows}
        found = [_or_missing(number, things.get(number), account, kind) for number in choice.ids]
    return [one for one in found if _is_meant(one, choice)]


def _or_missing(number: str, thing: Campaign | Ad | None, account: Account, kind: Kind) -> Found:
    if thing is not None:
        return Found(number, thing)
    missing = NotFoundError(f"there is no {kind.one} {number}", network=account.network, account=account.name)
    return Found(number, error=missing)


async def _listed(account: Account, kind: Kind, choice: Choice) -> list[Any]:
    status = choice.status or None
    if kind is ADS:
        return [ad async for ad in account.list_ads(campaign_ids=choice.campaigns or None, status=status)]
    return [campaign async for campaign in account.list_campaigns(status=status)]


async def _without(account: Account, campaigns: Sequence[str], ads: Sequence[Ad]) -> list[Found]:
    """Return those of *campaigns* that have none of *ads* since they are not there: a slip must not read as done."""
    full = {ad.campaign_id for ad in ads}
    empty = [number for number in dict.fromkeys(campaigns) if number not in full]
    if not empty or not account.capabilities.supports("list_campaigns"):
        return []
    there = {campaign.campaign_id async for campaign in account.list_campaigns(ids=empty)}
    return [_or_missing(number, None, account, CAMPAIGNS) for number in empty if number not in there]


async def _each(account: Account, kind: Kind, ids: Sequence[str]) -> list[Found]:
    """Return objects with all their settings, read one by one; only refused credentials end it."""

    async def one(number: str) -> Found:
        try:
            thing = await (account.get_ad(number) if kind is ADS else account.get_campaign(number))
        except AdnetError as error:
            if is_refusal(error) or isinstance(error, UnsupportedError):
                raise
            return Found(number, error=error)
        # As the network names it, which also takes a nought before the number.
        return Found(id_of(thing, kind), thing)

    return [found async for found in in_order(ids, one, width=_WIDTH)]


def _is_meant(found: Found, choice: Choice) -> bool:
    """Whether an object that was named is also of the status and campaign asked for; one that is not there is told."""
    thing = found.thing
    if thing is None:
        return True
    of_campaign = not choice.campaigns or thing.campaign_id in choice.campaigns
    return of_campaign and (not choice.status or thing.status in choice.status)


def id_of(thing: Campaign | Ad, kind: Kind) -> str:
    """Return an object's id."""
    return str(getattr(thing, kind.key))


def title_of(thing: Campaign | Ad | None) -> str | None:
    """Return what people call an object."""
    return getattr(thing, "name", None) or getattr(thing, "title", None)


def data_of(thing: Campaign | Ad) -> dict[str, Any]:
    """Return an object as JSON values, without what the network sent; amounts are of its ``currency``."""
    fields = (field.name for field in attrs.fields(type(thing)) if field.name != "raw")
    data = {name: getattr(thing, name) for name in fields}
    amounts = [value for value in data.values() if isinstance(value, Money)]
    data["currency"] = data["currency"] or next((amount.currency for amount in amounts), None)
    return {name: shown_value(value) for name, value in data.items()}


def shown_value(value: Any) -> Any:
    """Return a value of a model as tables and JSON show it; amounts with two decimals at least."""
    return tidy(value.amount) if isinstance(value, Money) else value


def listing(things: Sequence[Campaign | Ad], kind: Kind) -> Table:
    """Return a table of objects; columns in which nothing stands are left out."""
    columns = [name for name in kind.columns if any(getattr(thing, name) is not None for thing in things)]
    names = columns or list(kind.columns)
    return Table(names, [[shown_value(getattr(thing, name)) for name in names] for thing in things])


def tidy(amount: Decimal) -> Decimal:
    """Return *amount* without idle zeros, but with two decimals at least."""
    return amount.normalize() + Decimal("0.00")
