"""The command line. One command a file; what all of them share is here and in the modules that start with ``_``.

A command is a line in ``COMMANDS`` and a module of its name whose ``command`` is a click command. Modules are
imported when their command is called, so that ``adnet --help`` stays quick.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Final

import click

from adnet.cli._call import Call, Group
from adnet.cli._exits import explained

COMMANDS: Final[dict[str, str]] = {
    "demo": "Pull every table from imitation networks, and show what landed.",
    "pull": "Land the reports of accounts in a database.",
    "check": "Prove each account's credentials with one cheap call.",
    "networks": "Show what each network can serve.",
    "campaigns": "List, change, pause, resume or delete campaigns.",
    "ads": "List, change, pause, resume or delete ads.",
    "sources": "Block, allow or bid on the sources of a campaign.",
    "bids": "Move bids towards a target CPA; shown first.",
    "shares": "List or remove the keys that open audiences to others.",
    "auth": "Log accounts in and out, and show their tokens.",
    "certify": "Prove the rules of a network's certification, one by one.",
    "jobs": "List, resume or cancel report jobs.",
    "limits": "Show the quotas left, and until when.",
    "report": "Show what the landed rows say: spend, income, profit.",
    "sandbox": "Serve imitation networks.",
    "doctor": "Find out what is wrong with an installation.",
}
"""Name -> help, in the order in which they are shown; the module is ``adnet.cli.<name>``."""


class _Lazy(Group):
    """Knows its commands by name, and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        return import_module(f"{__name__}.{cmd_name}").command  # type: ignore[no-any-return]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _show_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from adnet import __version__

        ctx.find_object(Call).out.result({"version": __version__}, f"adnet {__version__}")  # type: ignore[union-attr]
        ctx.exit()


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
# Not eager: those are, so that --json counts wherever it stands.
@click.option("--version", is_flag=True, expose_value=False, callback=_show_version, help="Show it.")
def root() -> None:
    """Report on ad networks and affiliate networks, and change campaigns, behind one interface.

    Rows and results go to standard output, everything else to standard error. Exit codes: 0 all done, 1 a bug,
    2 usage or configuration, 3 credentials refused, 4 some accounts or tables failed and the others landed,
    5 nothing landed, 130 interrupted (and resumable).
    """


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; errors become one line on standard error."""
    if "_ADNET_COMPLETE" in os.environ:
        root.main(prog_name="adnet")  # click's own shell completion; it ends the process
    call = Call()
    try:
        with (
            _stoppable(),
            root.make_context("adnet", list(sys.argv[1:] if args is None else args), obj=call) as ctx,
        ):
            code = root.invoke(ctx) or 0
        call.out.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the one place where errors become exit codes
        code = explained(error, call)
    finally:
        call.out.end()
    return code


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let SIGTERM interrupt like Ctrl-C, also before and after the event loop runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
