"""How the command line ends: exit codes, and the one line that tells what is wrong."""

import sys
import traceback
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

import click

from adnet.errors import (
    AccessDeniedError,
    AdnetError,
    AuthenticationError,
    BatchError,
    ConfigurationError,
    CredentialsError,
    InvalidRequestError,
    SinkError,
    StateError,
    UnsafePlanError,
    UnsupportedError,
)
from adnet.redact import Scrubber

if TYPE_CHECKING:
    from adnet.cli._call import Call

DONE: Final = 0
BUG: Final = 1
USAGE: Final = 2
CREDENTIALS: Final = 3
PARTLY: Final = 4
NOTHING: Final = 5
INTERRUPTED: Final = 130

_OURS: Final = (ConfigurationError, StateError, SinkError, UnsupportedError, UnsafePlanError)
_CREDENTIALS: Final = (AuthenticationError, AccessDeniedError, CredentialsError)
_REMEDIES: Final[dict[type[AdnetError], str]] = {
    AuthenticationError: "check the account's credentials in the configuration",
    AccessDeniedError: "ask the network to allow this to the account",
    UnsafePlanError: "say --force if that is what you want",
}
_SCRUBBER: Final = Scrubber()


def code_of(error: AdnetError) -> int:
    """Return the exit code of a command that this error ended."""
    if is_ours(error):
        return USAGE
    return CREDENTIALS if is_refusal(error) else NOTHING


def code_of_some(errors: Iterable[AdnetError], *, landed: bool) -> int:
    """Return the exit code of a command on several accounts: what failed, and whether anything came of it."""
    errors = list(errors)
    if not errors:
        return DONE
    if landed:
        return PARTLY
    if all(map(is_ours, errors)):
        return USAGE
    return CREDENTIALS if all(map(is_refusal, errors)) else NOTHING


def is_ours(error: AdnetError) -> bool:
    """Say whether an error rose before any network was asked: what was asked for is of no use."""
    return isinstance(error, _OURS) or (isinstance(error, InvalidRequestError) and error.status is None)


def is_refusal(error: AdnetError) -> bool:
    """Say whether an error is about credentials."""
    return isinstance(error, _CREDENTIALS)


def sentence(error: AdnetError) -> str:
    """Return one line that names the thing, what is to be known of it, and the remedy."""
    text = "; ".join((str(error), *getattr(error, "__notes__", ())))  # scrubbed where it was made
    if "`adnet " in text:  # names its remedy itself
        return text
    for kind, remedy in _REMEDIES.items():
        if isinstance(error, kind):
            return f"{text}; {remedy}"
    return text


def explained(error: BaseException, call: "Call") -> int:
    """Write the one line about *error*, and return the exit code."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if type(error).__name__ == "NoArgsIsHelpError":  # click 8.2 and later
        call.out.note(error.ctx.get_help())  # type: ignore[attr-defined]
        return USAGE
    code, text = _verdict(error)
    if call.debug:
        call.out.note(_SCRUBBER.text("".join(traceback.format_exception(error)).rstrip()))
    if text:
        call.out.problem(text)
    return code


def _verdict(error: BaseException) -> tuple[int, str]:
    if isinstance(error, click.ClickException):
        return USAGE, _usage(error)
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return INTERRUPTED, "; ".join(filter(None, ["interrupted", str(error)]))
    if isinstance(error, AdnetError) and not isinstance(error, BatchError):
        return code_of(error), sentence(error)
    if isinstance(error, BaseExceptionGroup):
        return _of_group(error)
    if isinstance(error, BrokenPipeError):
        return DONE, ""
    if isinstance(error, OSError) and error.strerror:
        return USAGE, f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return BUG, _bug(error)


def _of_group(group: BaseExceptionGroup[BaseException]) -> tuple[int, str]:
    """Return the verdict on the first of several errors; a bug among them comes first."""
    leaves = list(_leaves(group))
    worst = next((leaf for leaf in leaves if not isinstance(leaf, AdnetError)), leaves[0])
    return _verdict(worst)


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _usage(error: click.ClickException) -> str:
    text = " ".join(error.format_message().split()).rstrip(".")
    if not isinstance(error, click.UsageError) or error.ctx is None:
        return text
    see = f"see `{error.ctx.command_path} --help`"
    return f"{text} S{see[1:]}" if text.endswith("?") else f"{text}; {see}"


def _bug(error: BaseException) -> str:
    said = _SCRUBBER.text(" ".join(str(error).split()))[:300]
    python = ".".join(map(str, sys.version_info[:3]))
    return (
        f"this is a bug in {_whose(error)}: {type(error).__name__}: {said}; please report it with what the same"
        f" command prints with --debug (Python {python}, {sys.platform})"
    )


def _whose(error: BaseException) -> str:
    """Return the distribution of the connector in whose code *error* rose; ours if in none."""
    from adnet import registry  # costs the time that only a bug may take

    strangers = registry.strangers()
    packages = [
        str(frame.f_globals.get("__name__")).partition(".")[0]
        for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    return next((strangers[name] for name in reversed(packages) if name in strangers), "adnet")
