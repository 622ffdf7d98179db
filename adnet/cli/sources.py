"""``adnet sources``: where a campaign is shown, and at what share of its price."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeVar

import attrs
import click

from adnet.cli._call import Call, Group, run
from adnet.cli._changing import GO_ON, LIMITS, PLANNED, Manner, express, shown, touched
from adnet.cli._objects import opened
from adnet.cli._outcomes import Done, line_of, tell
from adnet.client import Account
from adnet.errors import UnsafePlanError
from adnet.models import BatchResult, Outcome, PlannedRequest, Update
from adnet.money import exact

F = TypeVar("F", bound=Callable[..., Any])


@click.group(cls=Group)
def command() -> None:
    """Block, allow or bid on the sources of a campaign.

    Sources are named as the statistics of level `source` name them, e.g. `5600014` or `5600014/12` for a
    sub-source.
    """


_MOST: Final = 1 + LIMITS.bid_share
"""Factor above which a bid has to be forced: it raises the price by more than a plan may raise bids."""


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
    return _change(call, account, "block", campaign, list(dict.fromkeys(words)), Manner(dry_run=dry_run))


@command.command("allow")
@_of_campaign("SOURCE...")
@click.pass_obj
def allow(call: Call, /, account: str, campaign: str, words: tuple[str, ...], dry_run: bool) -> int:
    """Show CAMPAIGN on each SOURCE again."""
    return _change(call, account, "allow", campaign, list(dict.fromkeys(words)), Manner(dry_run=dry_run))


@command.command("bid", short_help="Multiply the price of CAMPAIGN on each SOURCE by a factor.")
@_of_campaign("SOURCE=FACTOR...")
@click.option("--force", is_flag=True, help=f"Do it even if a factor is above {_MOST}.")
@click.pass_obj
def bid(call: Call, /, account: str, campaign: str, words: tuple[str, ...], **manner: Any) -> int:
    """Multiply the price of CAMPAIGN on each SOURCE by FACTOR, e.g. 5600014=0.8."""
    return _change(call, account, "bid", campaign, _factors(words), Manner(**manner))


def _factors(words: Sequence[str]) -> dict[str, Decimal]:
    factors: dict[str, Decimal] = {}
    for source, factor in map(_factor, words):
        if factors.setdefault(source, factor) != factor:
            raise click.UsageError(
                f"{source!r} is given two factors, {factors[source]} and {factor}",
                click.get_current_context(),
            )
    return factors


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
    given: Sequence[str] | Mapping[str, Decimal],
    manner: Manner,
) -> int:
    unsafe = _unsafe(given)

    async def work() -> Done:
        async with opened(call, name) as account:
            if manner.dry_run:
                return attrs.evolve(await _shown(account, verb, campaign, given), unsafe=unsafe)
            if unsafe and not manner.force:
                raise UnsafePlanError(f"{unsafe}; nothing was sent", account=name)
            send: Callable[..., Awaitable[BatchResult]] = getattr(account, f"{verb}_sources")
            return Done(lines=list(map(line_of, given, await send(campaign, given))))

    return tell(call, run(work(), go_on=GO_ON))


def _unsafe(given: Sequence[str] | Mapping[str, Decimal]) -> str:
    """Return why this would have to be forced, or nothing."""
    if not isinstance(given, Mapping) or max(given.values()) <= _MOST:
        return ""
    source = max(given, key=given.__getitem__)
    return f"this pays {given[source]} times the price of the campaign on {source} (allowed: {_MOST})"


async def _shown(
    account: Account, verb: str, campaign: str, given: Sequence[str] | Mapping[str, Decimal]
) -> Done:
    """Return the requests, which sources would be refused, and for which nothing would be sent."""

    async def show(wanted: Sequence[Update]) -> Sequence[PlannedRequest]:
        names = [update.id for update in wanted]
        part = {name: given[name] for name in names} if isinstance(given, Mapping) else names
        return await express(account, "sources", verb, [(campaign, part)])

    requests, refused = await shown([Update(number, {verb: True}) for number in given], show)
    would = refused | dict.fromkeys(touched(set(given) - refused.keys(), requests), PLANNED)
    idle = Outcome(status="unchanged")
    lines = [line_of(number, would.get(number, idle), planned=number in would) for number in given]
    return Done(lines=lines, requests=requests)
