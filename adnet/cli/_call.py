"""What all commands share: the options before and after the verb, and how a command runs."""

import asyncio
import contextlib
import gc
import signal
import sys
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, Final, TypeVar

import attrs
import click

from adnet import open_files
from adnet.cli.output import Output
from adnet.errors import ConfigurationError
from adnet.hints import hint

T = TypeVar("T")

_STOPS: Final = (signal.SIGINT, signal.SIGTERM)
_NEW_OBJECTS: Final = 20_000


@attrs.define
class Call:
    """One call of the command line, as far as all commands are alike."""

    config: str | None = None
    """File named with ``--config``; None looks for it."""
    debug: bool = False
    """Whether errors show where they come from."""
    out: Output = attrs.field(factory=Output)


class InterruptedRunError(KeyboardInterrupt):
    """A signal stopped the work, and it had time to put things in order. The message says how to go on."""


def _note(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Keep an option that was given; where it stood does not matter, the last one counts."""
    call = ctx.ensure_object(Call)
    if value == "":  # as of an unset variable: what stands elsewhere may be somebody else's accounts
        raise click.BadParameter("it is empty; name a file", ctx, param)
    if not value:
        return
    match param.name:
        case "config":
            call.config = value
        case "debug":
            call.debug = True
        case "json":
            call.out.json = True
        case "verbose":
            call.out.log()


def _options() -> list[click.Parameter]:
    """Return fresh options that every command takes."""
    kept: dict[str, Any] = {"expose_value": False, "callback": _note, "is_eager": True}
    return [
        click.Option(
            ["--config"],
            metavar="FILE",
            help="Configuration; default: $ADNET_CONFIG, ./adnet.toml, …",
            **kept,
        ),
        click.Option(["--json"], is_flag=True, help="Write results as JSON.", **kept),
        click.Option(["-v", "--verbose"], is_flag=True, help="Log what is sent, without secrets.", **kept),
        click.Option(["--debug"], is_flag=True, help="Show where an error comes from.", **kept),
    ]


class Command(click.Command):
    """A command that takes the shared options, too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_options())


class Group(click.Group):
    """A group of commands that takes the shared options, too."""

    command_class = Command
    group_class = type

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_options())

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first word names, or tell the nearest one."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            what = f"there is no command {name!r}"
            raise click.UsageError(f"{what}; {hint(name, self.list_commands(ctx))}", ctx)
        return super().resolve_command(ctx, args)


def confirm(call: Call, question: str, otherwise: str) -> None:
    """Ask a question on the terminal.

    Args:
        call: Whose standard error shows it.
        question: Without its mark for yes or no.
        otherwise: What is told unless the answer is yes.

    Raises:
        ConfigurationError: It is not.
    """
    with _waiting_for_keys():  # already while it is asked: a signal may come with the question
        call.out.note(f"{question} [y/N]")
        answer = typed().strip().lower()
    if answer not in {"y", "yes"}:
        raise ConfigurationError(otherwise)


def typed() -> str:
    """Return the next line of standard input; nothing where it has ended, or was closed by whoever started us."""
    return "" if sys.stdin is None else sys.stdin.readline()


@contextlib.contextmanager
def _waiting_for_keys() -> Iterator[None]:
    """Let a signal end a wait for the keyboard at once; an event loop would hear of it only afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wakes = signal.set_wakeup_fd(-1)  # a loop's, if one is running: it shall not hear of it a second time
    try:
        with _heard_as_before():
            for number in _STOPS:
                signal.signal(number, signal.default_int_handler)
            yield
    finally:
        signal.set_wakeup_fd(wakes)


@contextlib.contextmanager
def _heard_as_before() -> Iterator[None]:
    """Let signals do afterwards what they did before; an event loop leaves them as Python found them."""
    before = [(number, signal.getsignal(number)) for number in _STOPS]
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in before:
                signal.signal(number, handler)


def run(work: Coroutine[Any, Any, T], *, go_on: str = "") -> T:
    """Run *work* to its end and return what it returns.

    SIGINT and SIGTERM cancel it, so that it leaves everything in order; a second one stops it where it is, and a
    third one ends the process.

    Args:
        work: What to do.
        go_on: How to go on after an interruption.

    Raises:
        InterruptedRunError: A signal came.
    """
    came: list[int] = []
    with open_files.raised(), _seldom_collecting(), _heard_as_before():
        try:
            return asyncio.run(_stoppable(work, came))
        except BaseException as error:
            # Whatever rises while the work is being put in order is not why it ended.
            if came:
                raise InterruptedRunError(go_on) from error
            raise


@contextlib.contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Let Python look for cycles of objects more seldom than after 700 new ones.

    A thousand accounts that wait are 200,000 objects that stay, and rows make no cycles: looking through them took a
    tenth of the CPU and more. It is for a whole process to say, so that the command does and the library does not.
    """
    before = gc.get_threshold()
    gc.set_threshold(_NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


async def _stoppable(work: Coroutine[Any, Any, T], came: list[int]) -> T:
    with _signals(came):
        return await work


@contextlib.contextmanager
def _signals(came: list[int]) -> Iterator[None]:
    """Cancel the present task at a signal, and note in *came* which signals came."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    taken: list[signal.Signals] = []

    def stop(number: int) -> None:
        came.append(number)
        if len(came) == 1:
            task.cancel()
        if len(came) != 2:  # those that came in one go with the second were heard already
            return
        for each in taken:
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
        raise KeyboardInterrupt

    for number in _STOPS:
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(number, stop, number)
            taken.append(number)
    try:
        yield
    finally:
        for number in taken:
            loop.remove_signal_handler(number)
