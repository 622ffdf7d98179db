"""``adnet bids``: bid management. Reads statistics, shows which bids would move and why, and moves them if told so."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import attrs
import click

from adnet.cli._call import Call, Command, run
from adnet.cli._changing import GO_ON, LIMITS, Manner, carry_out
from adnet.cli._fields import money
from adnet.cli._objects import ADS, CAMPAIGNS, Choice, Kind, chosen, opened, tidy
from adnet.cli._outcomes import Done, Line, tell
from adnet.cli._params import DayType, NumberType
from adnet.client import Account
from adnet.errors import ConfigurationError
from adnet.models import Ad, Campaign, StatRow
from adnet.models.stats import ratio
from adnet.models.words import Level
from adnet.money import Money
from adnet.operations.bidding import BidDecision, TargetCpa, bid_plan, decide_bids

_KINDS: Final[dict[Level, Kind]] = {"campaign": CAMPAIGNS, "ad": ADS}
_DAYS: Final = timedelta(days=14)
_RUNNING: Final = ("active", "limited")
_DEFAULTS: Final = attrs.fields(TargetCpa)


@click.command(cls=Command)
@click.argument("account")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--target", metavar="AMOUNT", required=True, help="What a conversion may cost.")
@click.option("--lowest", metavar="AMOUNT", required=True, help="No bid goes below.")
@click.option("--highest", metavar="AMOUNT", required=True, help="No bid goes above.")
@click.option("--daily-budget", metavar="AMOUNT", help="What all together may spend a day.")
@click.option(
    "--level", type=click.Choice(list(_KINDS)), default="campaign", show_default=True, help="Whose bids."
)
@click.option("--since", type=DayType(), help="First day that is looked at; default: 14 days before --until.")
@click.option("--until", type=DayType(), help="First day that is not; default: today, which is not over yet.")
@click.option(
    "--step",
    type=NumberType(),
    default=str(_DEFAULTS.step.default),
    show_default=True,
    help="The largest share by which a bid moves at once.",
)
@click.option(
    "--tick", type=NumberType(), default="0.01", show_default=True, help="Bids are whole multiples of it."
)
@click.option(
    "--least-clicks",
    type=click.IntRange(1),
    default=_DEFAULTS.least_clicks.default,
    show_default=True,
    help="Fewer clicks tell nothing.",
)
@click.option(
    "--share",
    type=NumberType(),
    default=str(LIMITS.bid_share),
    show_default=True,
    help="Moving all bids together by more has to be forced.",
)
@click.option("--apply", "apply_", is_flag=True, help="Move the bids; they are only shown otherwise.")
@click.option("--force", is_flag=True, help="Move them even if they move a lot.")
@click.pass_obj
def command(
    call: Call,
    /,
    account: str,
    ids: tuple[str, ...],
    apply_: bool,
    force: bool,
    share: Decimal,
    **options: Any,
) -> int:
    """Move bids of ACCOUNT towards a target CPA, within bounds, steps and a budget.

    Of each campaign (or ad) that runs and has a bid, or of each ID, the statistics of days that are over tell what a
    click was worth. A few clicks tell little, so the CPA that a bid is judged by leans towards that of all of them
    together. Amounts are in the account's currency.

    Exit code 0: shown, or all bids are as planned; 2: the plan moves too much, and nothing was sent.
    """
    manner = Manner(dry_run=not apply_, force=force, limits=attrs.evolve(LIMITS, bid_share=share))
    return tell(call, run(_manage(call, account, ids, manner, **options), go_on=GO_ON))


async def _manage(
    call: Call,
    name: str,
    ids: Sequence[str],
    manner: Manner,
    *,
    level: Level,
    since: date | None,
    until: date | None,
    **aims: Any,
) -> Done:
    kind = _KINDS[level]
    async with opened(call, name) as account:
        found = await chosen(
            account, kind, Choice(ids=tuple(dict.fromkeys(ids)), status=() if ids else _RUNNING)
        )
        things = [one.thing for one in found if one.thing is not None]
        strategy = await _strategy(account, things, **aims)
        rows = await _rows(account, level, [one.id for one in found if one.thing is not None], since, until)
        decisions = {one.id: one for one in decide_bids(strategy, things, rows)}
        plan = bid_plan(decisions.values(), things, network=account.network, account=account.name)
        done = await carry_out(account, kind, plan, found, manner)
    return attrs.evolve(done, lines=[_explained(line, decisions.get(line.id)) for line in done.lines])


async def _strategy(account: Account, things: Sequence[Campaign | Ad], **aims: Any) -> TargetCpa:
    currency = next((thing.bid.currency for thing in things if thing.bid is not None), None)
    if currency is None:
        currency = (await account.get_account()).currency
    for name in ("target", "lowest", "highest", "daily_budget"):
        if aims[name] is not None:
            aims[name] = _amount(name, aims[name], currency)
    return TargetCpa(**aims)


def _amount(option: str, text: str, currency: str | None) -> Money:
    try:
        if (amount := money(text, currency)) is not None:
            return amount
    except ConfigurationError:
        raise
    except ValueError as error:
        raise click.UsageError(f"{text!r}: {error}", click.get_current_context(silent=True)) from None
    raise click.UsageError(f"{option} is an amount like 50 or 12.50", click.get_current_context(silent=True))


async def _rows(
    account: Account, level: Level, ids: Sequence[str], since: date | None, until: date | None
) -> list[StatRow]:
    """Return the statistics of *ids*; of days that are over, unless others are asked for."""
    until = until or account.clock.now().astimezone(account.connector.time_zone).date()
    if since is None and until - date.min < _DAYS:
        raise ConfigurationError(f"until {until} leaves no {_DAYS.days} days before it; name --since")
    period = {"since": since or until - _DAYS, "until": until}
    return [row async for row in account.list_stats(**period, level=level, ids=ids)] if ids else []


def _explained(line: Line, decision: BidDecision | None) -> Line:
    """Return *line* with what the strategy saw."""
    if decision is None:
        return line
    return attrs.evolve(line, notes=(f"{decision.reason} ({_seen(decision)})", *line.notes))


def _seen(decision: BidDecision) -> str:
    """Return the figures of an object, and the cost of a conversion that it is judged by where that is another one."""
    told = [f"{decision.clicks} clicks", f"{decision.conversions} conversions"]
    if decision.cpa is not None and decision.before is not None:
        costs = {"CPA": ratio(decision.spend, decision.conversions), "judged as": decision.cpa}
        shown = {word: tidy(round(cost, 2)) for word, cost in costs.items() if cost is not None}
        if shown.get("CPA") == shown["judged as"]:
            del shown["judged as"]
        told += [f"{word} {amount} {decision.before.currency}" for word, amount in shown.items()]
    return ", ".join(told)
