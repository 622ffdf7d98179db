"""``adnet demo``: everything at once, from imitation networks to a database that can be asked."""

import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import attrs
import click

from adnet.cli._call import Call, Command, run
from adnet.cli._exits import code_of_some
from adnet.cli._landed import landed_table, problems, result_data
from adnet.cli._progress import watching
from adnet.cli._sandboxes import SMALL, config_text, connectable, serving, write_config
from adnet.cli.output import Table
from adnet.clock import SystemClock
from adnet.config import open_accounts
from adnet.errors import ConfigurationError
from adnet.pull import PullResult, pull

SEED: Final = 7

QUESTIONS: Final[Mapping[str, str]] = {
    "What did the best offers bring?": """
        SELECT network, offer_name AS offer, count(*) AS transactions, sum(commission) AS commission, currency
        FROM transactions WHERE status <> 'declined'
        GROUP BY ALL ORDER BY commission DESC NULLS LAST LIMIT 5""",
    "How far have the transactions come?": """
        SELECT network, status, count(*) AS transactions, sum(commission) AS commission, currency
        FROM transactions GROUP BY ALL ORDER BY network, transactions DESC""",
    "What was spent, and what came of it?": """
        SELECT network, sum(impressions) AS impressions, sum(clicks) AS clicks, sum(conversions) AS conversions,
               sum(spend) AS spend, currency
        FROM stats WHERE level = 'campaign' GROUP BY ALL ORDER BY network""",
    "What was restated since it first landed?": """
        SELECT network, count(*) AS restated FROM transactions_history GROUP BY ALL ORDER BY network""",
}
"""What is asked of the database in the end; questions without an answer are left out."""
PAID: Final = "Which campaigns paid?"
"""The question that this is all about; sales are joined to campaigns by their sub ids."""


@attrs.frozen
class Demo:
    """Where the demonstration keeps its things, and what it pulls."""

    folder: Path
    since: date
    until: date

    @property
    def config(self) -> Path:
        """The configuration that leads to the imitations."""
        return self.folder / "adnet.toml"

    @property
    def database(self) -> Path:
        """What everything lands in."""
        return self.folder / "ads.duckdb"


@click.command(cls=Command)
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where everything is kept; default: a new temporary folder.",
)
@click.pass_obj
def command(call: Call, /, folder: Path | None) -> int:
    """Pull every table of every network from imitations on this machine, and show what landed and what it says."""
    _require_duckdb()
    made = (folder or Path(tempfile.mkdtemp(prefix="adnet-demo-"))).absolute()
    demo = Demo(made, *last_month(SystemClock().now().date()))
    call.out.note(f"demonstration in {demo.folder}")
    result = run(_demonstrate(call, demo), go_on="run it again with the same --dir to go on")
    answers = [*ask(demo.database), *paid(demo.database)]
    data = {
        "folder": demo.folder,
        "config": demo.config,
        "database": demo.database,
        "since": demo.since,
        "until": demo.until,
        "pull": result_data(result, profile=False),
        "answers": [_answer_data(answer) for answer in answers],
        "go_on": list(commands(demo)),
    }
    call.out.result(
        data, landed_table(result.tables), *answers, "Go on with:\n  " + "\n  ".join(commands(demo))
    )
    call.out.problems(problems(result))
    return code_of_some(result.errors, landed=result.landed)


def _answer_data(answer: Table) -> dict[str, Any]:
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    return {"question": answer.title, "rows": rows}


def _require_duckdb() -> None:
    if any(find_spec(library) is None for library in ("duckdb", "pyarrow")):
        raise ConfigurationError('the demonstration needs DuckDB: pip install "adnet[duckdb]"')


def last_month(today: date) -> tuple[date, date]:
    """Return the first day of the month before *today*'s, and of *today*'s."""
    until = today.replace(day=1)
    return (until - timedelta(days=1)).replace(day=1), until


async def _demonstrate(call: Call, demo: Demo) -> PullResult:
    networks = connectable()
    async with serving(networks, seed=SEED, faults={}, knobs=SMALL) as sandboxes:
        write_config(demo.config, config_text(sandboxes))
        call.out.note(f"pulling {demo.since} to {demo.until} from imitations of {', '.join(networks)}")
        async with open_accounts(demo.config) as accounts:
            with watching(call.out, len(accounts)) as tell:
                return await pull(
                    accounts,
                    since=demo.since,
                    until=demo.until,
                    to=f"duckdb:{demo.database}",
                    on_progress=tell,
                )


def ask(database: Path) -> list[Table]:
    """Return the answers to those QUESTIONS that the database can answer."""
    import duckdb

    with duckdb.connect(str(database), read_only=True) as connection:
        answers = []
        for question, sql in QUESTIONS.items():
            found = connection.execute(sql)
            columns: Sequence[str] = [column[0] for column in found.description]
            if rows := found.fetchall():
                answers.append(Table(columns, rows, title=question))
        return answers


def paid(database: Path) -> Iterator[Table]:
    """Yield the campaigns whose sales brought most, if any did: what ``adnet report profit`` begins with."""
    from adnet.analysis.profit import profit
    from adnet.analysis.tables import open_tables

    with open_tables(f"duckdb:{database}") as tables:
        best = [row for row in profit(tables) if row.campaign_id is not None and row.earned][:5]
    if best:
        rows = [
            [one.network, one.campaign_name, one.spend, one.earned, one.profit, one.currency] for one in best
        ]
        yield Table(["network", "campaign", "spend", "earned", "profit", "currency"], rows, title=PAID)


def program() -> str:
    """Return what to type for ``adnet`` here: its name, or its path where a shell would not find this one."""
    mine = Path(sys.executable).with_name("adnet")
    if (found := shutil.which("adnet")) and mine.exists() and mine.samefile(found):
        return "adnet"
    here = Path.cwd()
    shown = mine.relative_to(here) if mine.is_relative_to(here) else mine
    return shlex.quote(str(shown)) if mine.exists() else f"{shlex.quote(sys.executable)} -m adnet"


def commands(demo: Demo) -> Iterator[str]:
    """Yield what may be typed next."""
    config, database = shlex.quote(str(demo.config)), shlex.quote(str(demo.database))
    me = program()
    yield f"{me} sandbox serve --small --seed {SEED} --write-config {config}    # in another terminal; then:"
    yield f"{me} check --config {config}"
    yield (
        f"{me} pull --config {config} --since {demo.since} --until {demo.until} --to duckdb:{database}"
        "    # changes nothing that has landed"
    )
    yield f"{me} report profit --from duckdb:{database} --html profit.html"
    yield f"{me} jobs list --config {config}"
    yield f"duckdb {database} 'FROM pulls'    # or any other program that reads DuckDB files"
