"""``adnet sandbox serve``: the imitation networks, for rehearsals and for tests in any language."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adnet.cli._call import Call, Group, InterruptedRunError, run
from adnet.cli._exits import DONE
from adnet.cli._sandboxes import SMALL, config_text, known_faults, serving, write_config
from adnet.sandbox import SANDBOXES

if TYPE_CHECKING:
    from adnet.sandbox.base import Sandbox


@click.group(cls=Group)
def command() -> None:
    """Serve imitation networks on this machine: seeded data, real protocols, faults on demand."""


class _Fault(click.ParamType):  # type: ignore[type-arg]
    """``NAME=RATE`` with a rate from 0 to 1."""

    name = "NAME=RATE"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float]:
        name, equals, text = value.partition("=")
        try:
            rate = float(text)
        except ValueError:
            rate = -1.0
        if not (name and equals and 0 <= rate <= 1):
            self.fail(f"{value!r} must be NAME=RATE with a rate from 0 to 1, e.g. 429=0.05", param, ctx)
        return name, rate


class _Word(click.Choice):  # type: ignore[type-arg]
    """A network; or one more fault, since several may stand behind one ``--fault`` and no network has a ``=``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the network's slug, or the fault and its rate."""
        return _Fault().convert(value, param, ctx) if "=" in value else super().convert(value, param, ctx)


@command.command("serve")
@click.argument("words", nargs=-1, metavar="[NETWORK]...", type=_Word(sorted(SANDBOXES)))
@click.option("--seed", type=int, default=7, show_default=True, help="Decides every row, secret and strike.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    type=_Fault(),
    metavar="NAME=RATE...",
    help="Faults, each with the share of requests it strikes; repeatable.",
)
@click.option(
    "--small", is_flag=True, help="As few campaigns as `adnet demo` has, which are pulled in seconds."
)
@click.option(
    "--write-config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a configuration for these imitations, with their credentials.",
)
@click.pass_obj
def serve(
    call: Call,
    words: tuple[str | tuple[str, float], ...],
    seed: int,
    faults: tuple[tuple[str, float], ...],
    small: bool,
    config_file: Path | None,
) -> int:
    """Serve each NETWORK (all by default) until Ctrl-C.

    The first line of output is JSON: network -> base URL. Truth is told at /__sandbox/truth/RESOURCE, past any API.
    """
    chosen = tuple(dict.fromkeys(word for word in words if isinstance(word, str))) or tuple(SANDBOXES)
    rates = dict((*faults, *(word for word in words if not isinstance(word, str))))
    _check_faults(chosen, list(rates))
    try:
        imitations = serving(chosen, seed=seed, faults=rates, knobs=SMALL if small else {})
        run(_serve(call, imitations, config_file))
    except InterruptedRunError:
        call.out.note("stopped")
    return DONE


def _check_faults(networks: Sequence[str], names: Sequence[str]) -> None:
    known = known_faults(networks)
    for name in names:
        if not any(name in faults for faults in known.values()):
            every = ", ".join(sorted(frozenset().union(*known.values())))
            raise click.UsageError(f"no fault {name!r} at {', '.join(networks)}; there are {every}")


async def _serve(
    call: Call, imitations: AbstractAsyncContextManager[Sequence["Sandbox"]], config_file: Path | None
) -> None:
    async with imitations as sandboxes:
        if config_file is not None:
            write_config(config_file, config_text(sandboxes))
        call.out.line(json.dumps({sandbox.network: sandbox.base_url for sandbox in sandboxes}))
        if config_file is not None:
            call.out.note(f"wrote {config_file}; try: adnet --config {config_file} check")
        call.out.note("serving until Ctrl-C")
        await asyncio.Event().wait()
