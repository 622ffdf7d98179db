"""``adnet sources``: where a campaign is shown, and at what share of its price."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import click

from adnet.cli._call import Call, Group, run
from adnet.cli._changing import GO_ON, express, shown
from adnet.cli._objects import opened
from adnet.cli._outcomes import Done, line_of, tell
from adnet.client import Account
from adnet.models import BatchResult, Outcome, PlannedRequest, Update
from adnet.money import exact

F = TypeVar("F", bound=Callable[..., Any])


@click.group(cls=Group)
def command() -> None:
    """Block, allow or bid on the sources of a campaign.

    Sources are named as the statistics of level `source` name them, e.g. `5600014` or `5600014/12` for a
    sub-source.
    """


def _of_campaign(metavar: str) -> Callable[[F], F]:
    """Return what adds the arguments and options of all three commands."""

    def add(function: F) -> F:
        dry = click.option(
            "--dry-run", is_flag=True, help="Print the exact requests; send none that changes anything."
        )
        named = click.argument("words", nargs=-1, required=True, metavar=metavar)
        return click.argument("account")(click.argument("campaign")(named(dry(function))))

    return add


@command.command("block")
@_of_campaign("SOURCE...")
@click.pass_obj
def block(call: Call, /, account: str, campaign: str, words: tuple[str, ...], dry_run: bool) -> int:
    """Stop showing CAMPAIGN on each SOURCE."""
    ids = list(dict.fromkeys(words))
    return _change(call, account, "block", campaign, ids, ids, dry_run=dry_run)


@command.command("allow")
@_of_campaign("SOURCE...")
@click.pass_obj
def allow(call: Call, /, account: str, campaign: str, words: tuple[str, ...], dry_run: bool) -> int:
    """Show CAMPAIGN on each SOURCE again."""
    ids = list(dict.fromkeys(words))
    return _change(call, account, "allow", campaign, ids, ids, dry_run=dry_run)


@command.command("bid")
@_of_campaign("SOURCE=FACTOR...")
@click.pass_obj
def bid(call: Call, /, account: str, campaign: str, words: tuple[str, ...], dry_run: bool) -> int:
    """Multiply the price of CAMPAIGN on each SOURCE by FACTOR, e.g. 5600014=0.8."""
    factors = dict(map(_factor, words))
    return _change(call, account, "bid", campaign, list(factors), factors, dry_run=dry_run)


def _factor(word: str) -> tuple[str, Decimal]:
    source, _, text = word.rpartition("=")
    try:
        factor = exact(text)
    except ValueError:
        factor = Decimal(0)
    if not source or factor <= 0:
        raise click.UsageError(f"{word!r} is no SOURCE=FACTOR, e.g. 5600014=0.8", click.get_current_context())
    return source, factor


def _change(
    call: Call,
    name: str,
    verb: str,
    campaign: str,
    ids: Sequence[str],
    given: Sequence[str] | Mapping[str, Decimal],
    *,
    dry_run: bool,
) -> int:
    async def work() -> Done:
        async with opened(call, name) as account:
            if dry_run:
                return await _shown(account, verb, campaign, ids, given)
            send: Callable[..., Awaitable[BatchResult]] = getattr(account, f"{verb}_sources")
            return Done(lines=list(map(line_of, ids, await send(campaign, given))))

    return tell(call, run(work(), go_on=GO_ON))


async def _shown(
    account: Account,
    verb: str,
    campaign: str,
    ids: Sequence[str],
    given: Sequence[str] | Mapping[str, Decimal],
) -> Done:
    """Return the requests, and which sources would be refused."""

    async def show(wanted: Sequence[Update]) -> Sequence[PlannedRequest]:
        names = [update.id for update in wanted]
        part = {name: given[name] for name in names} if isinstance(given, Mapping) else names
        return await express(account, "sources", verb, [(campaign, part)])

    requests, refused = await shown([Update(number, {verb: True}) for number in ids], show)
    planned = Outcome(status="done")
    lines = [line_of(number, refused.get(number, planned), planned=True) for number in ids]
    return Done(lines=lines, requests=requests)
