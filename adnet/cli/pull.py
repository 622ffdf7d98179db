"""``adnet pull``: the main job."""

from datetime import date, datetime
from typing import Any, Final

import click

from adnet.cli._call import Call, Command, run
from adnet.cli._landed import report
from adnet.cli._progress import watching
from adnet.config import Config, load, open_accounts
from adnet.errors import AdnetError
from adnet.models import TABLES
from adnet.models.words import LEVELS
from adnet.operations.windows import check_order
from adnet.periods import Moment, utc
from adnet.pull import PullResult, pull
from adnet.sinks import STDOUT

GO_ON: Final = "what has landed is safe; run the same command again to go on where it stopped"


class MomentType(click.ParamType):  # type: ignore[type-arg]
    """A day of the account (``2026-01-31``), or an instant with its offset (``2026-01-31T00:00:00Z``)."""

    name = "D"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Moment:
        """Return a date, or an aware datetime in UTC."""
        try:
            if len(value) == len("2026-01-31"):
                return date.fromisoformat(value)
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day; write 2026-01-31 or 2026-01-31T00:00:00Z", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"{value!r} has no offset; end it with Z or +02:00, or write the day alone", param, ctx)
        try:
            return utc(moment)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command(cls=Command)
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@click.option(
    "--since", type=MomentType(), required=True, help="First day of the period (of each account's own)."
)
@click.option("--until", type=MomentType(), required=True, help="End of the period, exclusive.")
@click.option(
    "--to",
    metavar="URI",
    required=True,
    help="duckdb:FILE, parquet:DIR, csv:DIR, jsonl:DIR, or jsonl:- (without `pulls` and history).",
)
@click.option(
    "--table", "tables", multiple=True, type=click.Choice(list(TABLES)), help="Only this; repeatable."
)
@click.option(
    "--level",
    "levels",
    multiple=True,
    type=click.Choice(LEVELS),
    help="Statistics by this; default: campaign.",
)
@click.option(
    "--jobs", type=click.IntRange(1), default=1000, show_default=True, help="Accounts under way at once."
)
@click.option("--no-raw", is_flag=True, help="Leave out the networks' own objects.")
@click.option(
    "--lookback",
    type=click.IntRange(0, 3650),
    default=0,
    metavar="DAYS",
    help="Also ask for these days before --since, which may have been restated.",
)
@click.option("--profile", is_flag=True, help="Show where the time went.")
@click.pass_obj
def command(call: Call, /, accounts: tuple[str, ...], profile: bool, **options: Any) -> int:
    """Land the tables of each ACCOUNT (all by default) for a period.

    It may begin and end at instants (2026-01-31T06:00:00Z); statistics are told by the day, so that each day it
    touches lands whole.

    Running it again for the same period, also after a kill at any moment, changes nothing that has landed and
    takes up the reports that were under way.

    Exit code 0: all landed; 4: some of it; 3 or 5: nothing.
    """
    check_order(options["since"], options["until"])
    config = load(call.config, only=accounts or None)
    result = run(_pull(call, config, **options), go_on=GO_ON)
    return report(call, result, profile=profile)


async def _pull(
    call: Call,
    config: Config,
    *,
    tables: tuple[str, ...],
    levels: tuple[str, ...],
    no_raw: bool,
    lookback: int,
    **options: Any,
) -> PullResult:
    unopened: dict[str, AdnetError] = {}
    async with open_accounts(config, unopened=unopened) as accounts:
        with watching(call.out, len(config.accounts), beside_rows=options["to"] == STDOUT) as tell:
            return await pull(
                accounts,
                tables=tables or None,
                levels=levels or ("campaign",),
                raw=not no_raw,
                lookback_days=lookback,
                on_progress=tell,
                unopened={name: (config.accounts[name].network, why) for name, why in unopened.items()},
                **options,
            )
