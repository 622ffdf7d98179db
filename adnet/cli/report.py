"""``adnet report``: what the landed rows say, in a terminal, as JSON, or as a page to send round."""

import os
import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from adnet.analysis import Days, open_tables
from adnet.analysis.exports import GoalsFile
from adnet.analysis.page import page, shown
from adnet.analysis.postclick import GoalRow
from adnet.analysis.report import profit_report, spend_report
from adnet.analysis.sections import Column, Report, Section
from adnet.cli._call import Call, Group, run
from adnet.cli._exits import DONE
from adnet.cli._params import CurrencyType, DayType
from adnet.cli.output import Table
from adnet.clock import SystemClock
from adnet.errors import ConfigurationError

F = TypeVar("F", bound=Callable[..., Any])

TOKEN: Final = "METRICA_TOKEN"  # noqa: S105 - the name of a variable
_METRICA: Final = re.compile(r"metrica:(\d+)(?:/(\d+(?:,\d+)*))?")
_MANY: Final = 10


@click.group(cls=Group)
def command() -> None:
    """Show what the landed rows say: spend, and what came of it."""


def _options(*dimensions: str) -> Callable[[F], F]:
    """Return what adds the options of both reports."""
    options = [
        click.option(
            "--from",
            "uri",
            metavar="URI",
            required=True,
            help="Where rows landed, e.g. duckdb:ads.duckdb.",
        ),
        click.option("--since", type=DayType(), help="First day (of each account's own)."),
        click.option("--until", type=DayType(), help="End of the period, exclusive."),
        click.option(
            "--by",
            multiple=True,
            type=click.Choice(dimensions),
            help="What rows are told apart by; repeatable; default: campaign.",
        ),
        click.option(
            "--goals",
            metavar="FILE",
            help=f"Web analytics: a CSV export, or metrica:COUNTER[/GOAL,GOAL] with a token in ${TOKEN}.",
        ),
        click.option("--goals-currency", type=CurrencyType(), help="Currency of the revenue in --goals."),
        click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page, too."),
        click.option(
            "--top", type=click.IntRange(1), default=25, show_default=True, help="Rows of a table here."
        ),
    ]

    def add(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


@command.command("spend", short_help="Show what was bought and what it cost.")
@_options("network", "account", "campaign", "day")
@click.pass_obj
def spend(call: Call, /, **options: Any) -> int:
    """Show what was bought and what it cost, and how much of that was restated later."""
    return _report(call, spend_report, **options)


@command.command("profit", short_help="Show spend beside the income it brought.")
@_options("network", "account", "campaign", "day", "sub-id")
@click.option(
    "--sub-id", "position", type=click.IntRange(1), help="Which sub id names the campaign; default: any."
)
@click.pass_obj
def profit(call: Call, /, **options: Any) -> int:
    """Show spend beside the income it brought, offers, and how income changed after it first landed.

    A sale belongs to the campaign that one of its sub ids leads to: the id of a campaign, the id of an ad, or a label
    (utm_campaign, utm_content, ref1, sub_id, ...) that stands in the links of one campaign's ads only. Currencies are
    never added up.
    """
    return _report(call, profit_report, **options)


def _report(
    call: Call,
    make: Callable[..., Report],
    *,
    uri: str,
    since: date | None,
    until: date | None,
    by: Sequence[str],
    goals: str | None,
    goals_currency: str | None,
    html: Path | None,
    top: int,
    **options: Any,
) -> int:
    days = Days(since, until)
    if html is not None:
        _check_page(html)
    known = None if goals is None else run(_read_goals(goals, days, goals_currency))
    dimensions = [name.replace("-", "_") for name in by] or ["campaign"]
    with open_tables(uri) as tables:
        report = make(tables, days, by=dimensions, goals=known, **options)
    if html is not None:
        _write_page(html, page(report, made_at=SystemClock().now()))
        call.out.note(f"wrote {html}")
    call.out.result(data_of(report), *blocks_of(report, top))
    if any(goal.revenue is not None and goal.currency is None for goal in known or ()):
        call.out.note("the currency of the goals' revenue is not known; name it with --goals-currency")
    if report.is_empty:
        call.out.note("nothing has landed for these days")
    return DONE


def _check_page(path: Path) -> None:
    """Refuse a page that has no place, before the time that a report takes.

    Raises:
        ConfigurationError: It has none.
    """
    if path == Path():
        raise ConfigurationError("--html is empty; name a file")
    if not path.parent.is_dir():
        raise ConfigurationError(
            f"there is no folder {path.parent} for --html; make it, or name another file"
        )


def _write_page(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        what = f"{path} cannot be written: {error.strerror}"
        raise ConfigurationError(f"{what}; name another file with --html") from None


async def _read_goals(source: str, days: Days, currency: str | None) -> Sequence[GoalRow]:
    if not source.startswith("metrica:"):
        return await GoalsFile(path=Path(source), currency=currency).read_goals(days)
    found = _METRICA.fullmatch(source)
    if found is None:
        raise ConfigurationError(
            f"{source!r} is no counter; write metrica:COUNTER or metrica:COUNTER/GOAL,GOAL"
        )
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise ConfigurationError(f"set {TOKEN} to an OAuth token that may read the counter {found[1]}")
    from adnet.analysis.metrica import BASE_URL, open_metrica

    base_url = os.environ.get("METRICA_BASE_URL", BASE_URL)
    wanted = found[2].split(",") if found[2] else []
    async with open_metrica(found[1], token, base_url=base_url, goals=wanted, currency=currency) as metrica:
        return await metrica.read_goals(days)


def data_of(report: Report) -> dict[str, Any]:
    """Return a report as JSON values: amounts and ratios as text, exact or with six decimals."""
    return {
        "report": report.kind,
        "from": report.uri,
        "since": report.days.since,
        "until": report.days.until,
        **{
            section.key: [{c.name: _plain(c, c.of(row)) for c in section.columns} for row in section.rows]
            for section in report.sections
        },
    }


def _plain(column: Column, value: Any) -> Any:
    return _rounded(value, 6) if isinstance(value, Decimal) and column.kind in {"share", "ratio"} else value


def _rounded(value: Decimal, digits: int) -> Decimal:
    """Return *value* with so many decimals, however large it is: `round` gives up beyond 28 digits."""
    return Decimal(f"{value:.{digits}f}")


def blocks_of(report: Report, top: int) -> list[Table | str]:
    """Return a report as tables for people; sections without rows are left out, but the first."""
    sections = [section for section in report.sections if section.rows or section is report.sections[0]]
    return [block for section in sections for block in _blocks(section, top)]


def _blocks(section: Section, top: int) -> list[Table | str]:
    columns = [
        column for column in section.shown if not (column.detail or _goes_without_saying(column, section))
    ]
    digits = {column.name: section.digits(column) for column in columns}
    rows = [[_cell(c, c.of(row), digits[c.name]) for c in columns] for row in section.rows[:top]]
    title = section.title
    if (hidden := len(section.rows) - top) > 0:
        title += f" (the first {top}; {hidden} more with --top, --json or --html)"
    return [Table([_label(column) for column in columns], rows, title=title)]


def _goes_without_saying(column: Column, section: Section) -> bool:
    """Whether all rows are of one network or account, which need not be said in every line."""
    if column.name not in {"network", "account"} or len(section.columns) < _MANY:
        return False
    values = {column.of(row) for row in section.rows}
    told_otherwise = any(other.name == "campaign_id" for other in section.columns)
    return len(values - {None}) < 2 and (None not in values or told_otherwise)


def _label(column: Column) -> str:
    return f"{column.label} %" if column.kind == "share" else column.label


def _cell(column: Column, value: Any, digits: int) -> Any:
    """Return a value as a table shows it: numbers stay numbers, so that they stand to the right."""
    if value is None or column.kind in {"text", "count", "day"}:
        return shown(column, value) if value is None and column.absent else value
    if column.kind == "share":
        return _rounded(value * 100, 2)
    return _rounded(value, digits)
