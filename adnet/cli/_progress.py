"""The progress of a pull, on a terminal: accounts as a bar, and what the busiest tables are doing."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs

from adnet.cli.output import Output
from adnet.pull import Progress

_LINES: Final = 12
"""Tables shown at once; hundreds may be under way."""
_ORDER: Final = {"reading": 0, "running": 1, "queued": 2, "started": 3}


@attrs.define
class Watch:
    """Where a pull stands, from the news that it tells."""

    accounts: int
    """How many there are in all."""
    rows: int = 0
    """Rows that have landed."""
    under_way: dict[tuple[str, str], tuple[str, int]] = attrs.field(factory=dict)
    """Account and table -> what it does, and rows read so far."""
    begun: set[str] = attrs.field(factory=set)

    def tell(self, news: Progress) -> None:
        """Take in one piece of news."""
        key = (news.account, news.table)
        self.begun.add(news.account)
        if news.state == "ended":
            self.under_way.pop(key, None)
            return
        _, read = self.under_way.get(key, ("", 0))
        if news.state == "landed":
            self.rows += news.rows
        else:
            self.under_way[key] = news.state, read + (news.rows if news.state == "reading" else 0)

    @property
    def done(self) -> int:
        """Accounts of which nothing is under way any more."""
        return len(self.begun - {account for account, _ in self.under_way})

    def busiest(self) -> list[tuple[str, str, str, int]]:
        """Return account, table, state and rows read of what is nearest to its end."""
        lines = [(*key, *value) for key, value in self.under_way.items()]
        return sorted(lines, key=lambda line: (_ORDER.get(line[2], 9), -line[3], line[0], line[1]))[:_LINES]


@contextlib.contextmanager
def watching(
    out: Output, accounts: int, *, beside_rows: bool = False
) -> Iterator[Callable[[Progress], None] | None]:
    """Show the progress of a pull while the block runs; without a terminal nothing is shown.

    Args:
        out: Whose standard error it is.
        accounts: How many there are.
        beside_rows: Whether rows go to standard output; on one terminal with them there is no room for a bar.
    """
    if not out.lively() or (beside_rows and out.styled()):
        yield None
        return
    from rich.console import Console
    from rich.live import Live

    watch = Watch(accounts)
    # Standard output is not the bar's to take: rows may be on their way to it.
    with Live(
        _View(watch, _bar(watch)),
        console=Console(stderr=True),
        refresh_per_second=8,
        transient=True,
        redirect_stdout=False,
    ):
        yield watch.tell


def _bar(watch: Watch) -> Any:
    from rich import progress

    bar = progress.Progress(
        progress.TextColumn("accounts"),
        progress.BarColumn(bar_width=30),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        progress.TextColumn("{task.fields[rows]:,} rows landed"),
        auto_refresh=False,
    )
    bar.add_task("", total=watch.accounts, rows=0)
    return bar


@attrs.frozen
class _View:
    """How a Watch looks; asked at each refresh."""

    watch: Watch
    bar: Any

    def __rich__(self) -> Any:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        self.bar.update(self.bar.task_ids[0], completed=self.watch.done, rows=self.watch.rows)
        busiest = self.watch.busiest()
        lines = Table.grid(padding=(0, 2))
        for account, table, state, rows in busiest:
            lines.add_row(Text(account), Text(table), Text(state), f"{rows:,} rows" if rows else "")
        hidden = len(self.watch.under_way) - len(busiest)
        more = [Text(f"and {hidden:,} more", style="dim")] if hidden else []
        return Group(self.bar, lines, *more)
