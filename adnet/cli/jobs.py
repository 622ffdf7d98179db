"""``adnet jobs``: the report jobs in the journal.

An unfinished job is taken up by the next ``adnet pull`` of its period by itself; these commands are for looking,
for going on without waiting for the nightly run, and for giving up.
"""

import asyncio
import shlex
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import attrs
import click

from adnet.cli._call import Call, Group, run
from adnet.cli._exits import DONE, code_of_some, sentence
from adnet.cli.output import Table
from adnet.client import Account
from adnet.config import Config, find_default, load, open_accounts, open_state
from adnet.errors import AdnetError, ConfigurationError
from adnet.models import ReportJob
from adnet.periods import ONE_DAY
from adnet.state import State

_COLUMNS: Final = ("job", "account", "report", "since", "until", "state", "asked", "changed", "error")
_SHORT: Final = 12
"""Digits of a job's id that are shown; any beginning that is unique will do to name it."""
_MOST: Final = 10**9
"""Jobs that a list can be asked for; the journal counts no further than to 64 bits."""


@click.group(cls=Group)
def command() -> None:
    """List, resume or cancel report jobs: reports that were asked for, and how far they are."""


@command.command("list")
@click.option("--unfinished", is_flag=True, help="Only those that are not done, failed or cancelled.")
@click.option(
    "--limit", type=click.IntRange(1, _MOST), default=200, show_default=True, help="The latest so many."
)
@click.pass_obj
def list_jobs(call: Call, /, unfinished: bool, limit: int) -> int:
    """List report jobs, the latest change first."""
    with open_state(_config(call)) as state:
        jobs = state.jobs.unfinished()[::-1][:limit] if unfinished else state.jobs.all(limit)
    call.out.result({"jobs": list(map(_data, jobs))}, Table(_COLUMNS, list(map(_row, jobs))))
    return DONE


@command.command("cancel", short_help="Give up each JOB.")
@click.argument("jobs", nargs=-1, metavar="JOB...")
@click.option("--all", "everything", is_flag=True, help="All that are unfinished.")
@click.pass_obj
def cancel(call: Call, /, jobs: tuple[str, ...], everything: bool) -> int:
    """Give up each JOB: it is not polled any more, and the next pull asks for a new report."""
    if bool(jobs) == everything:  # with both, somebody would give up more than was named
        raise click.UsageError("name the jobs to cancel, or say --all", click.get_current_context())
    with open_state(_config(call)) as state:
        ids = [job.job_id for job in state.jobs.unfinished()] if everything else _named(state, jobs)
        rows = [{"job": job_id, "cancelled": state.jobs.cancel(job_id)} for job_id in ids]
    table = Table(
        ("job", "outcome"), [(r["job"], "cancelled" if r["cancelled"] else "had ended") for r in rows]
    )
    call.out.result({"jobs": rows}, table)
    return DONE


@command.command("resume", short_help="Wait until each unfinished JOB (all by default) is ready.")
@click.argument("jobs", nargs=-1, metavar="[JOB]...")
@click.pass_obj
def resume(call: Call, /, jobs: tuple[str, ...]) -> int:
    """Wait until each unfinished JOB (all by default) is ready at its network.

    Nothing lands here: what is printed in the end are the pulls that read the reports and land them.
    """
    config = load(call.config, only=())
    with open_state(config) as state:
        ids = set(_named(state, jobs))
        wanted = [job for job in state.jobs.unfinished() if not jobs or job.job_id in ids]
    names = [name for name in dict.fromkeys(job.account for job in wanted) if name in config.names]
    results = run(
        _resume_all(load(call.config, only=names), wanted),
        go_on="the reports go on at their networks; run it again to wait for them",
    )
    pulls = _pulls(call.config, [result.job for result in results if result.error is None])
    rows = [(*_row(r.job)[:6], sentence(r.error) if r.error else None) for r in results]
    data = [{**_data(r.job), "error": sentence(r.error) if r.error else None} for r in results]
    call.out.result({"jobs": data, "pulls": pulls}, Table((*_COLUMNS[:6], "error"), rows))
    if pulls:
        call.out.note("nothing has landed yet: run the pull again that asked for them, or these:")
    for line in pulls:
        call.out.note(f"  {line}")
    errors = [result.error for result in results if result.error]
    return code_of_some(errors, landed=len(errors) < len(results))


def _config(call: Call) -> Config | None:
    """Return the configuration without its accounts; None where there is none and none was named."""
    if call.config is None and find_default() is None:
        return None
    return load(call.config, only=())


def _named(state: State, beginnings: Sequence[str]) -> list[str]:
    """Return the ids of jobs that *beginnings* of ids name.

    Raises:
        ConfigurationError: There is none, or more than one.
    """
    ids = [job.job_id for job in state.jobs.all(100_000)]
    found = []
    for beginning in beginnings:
        matches = [job_id for job_id in ids if beginning and job_id.startswith(beginning)]
        if len(matches) != 1:
            how = "several jobs begin" if matches else "no job begins"
            raise ConfigurationError(f"{how} with {beginning!r}; see `adnet jobs list`")
        found += matches
    return found


def _row(job: ReportJob) -> tuple[Any, ...]:
    period = job.query.period
    return (
        job.job_id[:_SHORT],
        job.account,
        job.query.kind,
        period.since if period else None,
        period.until if period else None,
        job.state,
        job.attempts,
        job.updated_at,
        job.error,
    )


def _data(job: ReportJob) -> dict[str, Any]:
    return {
        "job": job.job_id,
        "account": job.account,
        "network": job.network,
        **job.query.to_dict(),
        "state": job.state,
        "finished": job.finished,
        "report_id": job.report_id,
        "pages": job.pages,
        "rows": job.rows,
        "attempts": job.attempts,
        "created_at": job.created_at,
        "submitted_at": job.submitted_at,
        "ready_at": job.ready_at,
        "updated_at": job.updated_at,
        "error": job.error,
    }


# ------------------------------------------------------------------ resuming


@attrs.frozen
class _Resumed:
    """What came of one job."""

    job: ReportJob
    error: AdnetError | None = None


async def _resume_all(config: Config, jobs: Sequence[ReportJob]) -> list[_Resumed]:
    if not config.accounts:
        return [await _resume(None, job) for job in jobs]
    unopened: dict[str, AdnetError] = {}
    async with open_accounts(config, unopened=unopened) as accounts:
        places = (accounts.get(job.account) or unopened.get(job.account) for job in jobs)
        return list(await asyncio.gather(*map(_resume, places, jobs)))


async def _resume(account: Account | AdnetError | None, job: ReportJob) -> _Resumed:
    if isinstance(account, AdnetError):  # why it could not be opened
        return _Resumed(job, account)
    try:
        return _Resumed(await _ready(account, job))
    except AdnetError as error:
        return _Resumed(job, error.add_context(account=job.account))


async def _ready(account: Account | None, job: ReportJob) -> ReportJob:
    if account is None:
        raise ConfigurationError(
            f"job {job.job_id[:_SHORT]}: its account is not in the configuration; add it"
        )
    runner = getattr(account.connector, "runner", None)
    if account.account_id != job.account_key or runner is None:
        raise ConfigurationError(
            f"job {job.job_id[:_SHORT]}: the account's credentials or base_url are others than when it was asked"
            f" for; give it up with `adnet jobs cancel {job.job_id[:_SHORT]}`"
        )
    await account.open()
    return await runner.ready(job.query)  # type: ignore[no-any-return]


def _pulls(config: str | None, jobs: Iterable[ReportJob]) -> list[str]:
    """Return the commands that land *jobs*: the very periods that were asked for, so that they are found."""
    tables: dict[tuple[str, str, str], list[str]] = {}
    for job in jobs:
        period = job.query.period
        since, until = (period.since, period.until) if period else _any_period(job)
        key = (job.account, f"{since:%Y-%m-%dT%H:%M:%SZ}", f"{until:%Y-%m-%dT%H:%M:%SZ}")
        tables.setdefault(key, []).append(job.query.kind)
    named = ["--config", config] if config else []
    return [
        shlex.join(
            [
                *("adnet", "pull", account, *named, "--since", since, "--until", until),
                *(word for kind in dict.fromkeys(kinds) for word in ("--table", kind)),
                *("--to", "URI"),
            ]
        )
        for (account, since, until), kinds in tables.items()
    ]


def _any_period(job: ReportJob) -> tuple[datetime, datetime]:
    """Return a period for a report that has none: a pull wants one all the same."""
    asked = job.created_at or job.updated_at or datetime(2000, 1, 1, tzinfo=UTC)
    since = asked.replace(hour=0, minute=0, second=0, microsecond=0)
    return since, since + ONE_DAY
