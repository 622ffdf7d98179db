"""``adnet networks``: what each connector can serve, derived from its class."""

from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import click

from adnet import registry
from adnet.cli._call import Call, Command
from adnet.cli._exits import DONE
from adnet.cli.output import Table
from adnet.errors import ConfigurationError
from adnet.interface import Capabilities, Connector, Support
from adnet.pull.run import tables_of

_WORDS: Final = {Support.NATIVE: "yes", Support.EMULATED: "emulated", Support.NONE: "-"}


@click.command(cls=Command)
@click.argument("networks", nargs=-1, metavar="[NETWORK]...")
@click.option("--markdown", is_flag=True, help="Write the support table as Markdown.")
@click.pass_obj
def command(call: Call, networks: tuple[str, ...], markdown: bool) -> int:
    """Show what each installed connector can serve; with NETWORK, its keys and limits too."""
    found = [found for found in registry.discover() if not networks or found.network in networks]
    for network in networks:
        if network not in registry.names():
            registry.load(network)  # raises, naming near ones
    call.out.problems(broken.problem for broken in found if broken.problem)
    loaded = [one.connector for one in found if one.connector is not None]
    if networks and not loaded:
        raise ConfigurationError("no connector of that name can be used")
    data = [_described(one.network, one.source, one.problem, one.connector) for one in found]
    details = [block for connector in loaded for block in _details(connector)] if networks else []
    tables = [support_table(loaded), depth_table(loaded), *details]
    call.out.result({"networks": data}, *([markdown_table(loaded)] if markdown else tables))
    return DONE


def support_table(connectors: Sequence[type[Connector]]) -> Table:
    """Return what each connector can serve, a row for each operation."""
    able = [connector.capabilities() for connector in connectors]
    operations = list(able[0]) if able else []
    rows = [[name, *(_WORDS[one[name]] for one in able)] for name in operations]
    return Table(("operation", *(connector.network for connector in connectors)), rows)


_DEPTHS: Final[dict[str, Callable[[Capabilities], Sequence[str]]]] = {
    "report kinds": lambda able: sorted(able.report_kinds),
    "levels of statistics": lambda able: able.levels,
    "tables of a pull": tables_of,
}


def depth_table(connectors: Sequence[type[Connector]]) -> Table:
    """Return how deep each connector's data goes, a row for each network."""
    rows = [
        (connector.network, *(depth(connector.capabilities()) for depth in _DEPTHS.values()))
        for connector in connectors
    ]
    return Table(("network", *_DEPTHS), rows)


def markdown_table(connectors: Sequence[type[Connector]]) -> str:
    """Return both tables as one in Markdown, as it stands in the README; neighbours that are alike share a row."""
    titles = [connector.title or connector.network for connector in connectors]
    lines = [["", *titles], [":--", *(":-:" for _ in titles)]]
    for words, rows in groupby(support_table(connectors).rows, key=itemgetter(slice(1, None))):
        names = " ".join(f"`{name}`" for name, *_ in rows)
        lines.append([names, *("" if word == "-" else word for word in words)])
    for label, depth in _DEPTHS.items():
        lines.append([label, *(", ".join(depth(connector.capabilities())) for connector in connectors)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _described(
    network: str, source: str, problem: str | None, connector: type[Connector] | None
) -> dict[str, Any]:
    data: dict[str, Any] = {"network": network, "source": source, "problem": problem}
    if connector is None:
        return data
    able: Capabilities = connector.capabilities()
    return {
        **data,
        "title": connector.title,
        "operations": {name: support.value for name, support in able.items()},
        "report_kinds": sorted(able.report_kinds),
        "levels": list(able.levels),
        "tables": list(tables_of(able)),
        "keys": [
            {"name": o.name, "required": o.required, "secret": o.secret, "default": o.default, "help": o.help}
            for o in connector.options
        ],
        "limits": [
            {"name": fact.name, "value": str(fact.value), "unit": fact.unit, "source": fact.source}
            for fact in connector.limit_facts
        ],
    }


def _details(connector: type[Connector]) -> list[Table]:
    keys = [
        (o.name, "required" if o.required else o.default, "secret" if o.secret else "", o.help)
        for o in connector.options
    ]
    facts = [(fact.name, fact.value, fact.unit, fact.source) for fact in connector.limit_facts]
    return [
        Table(("key", "default", "", "what it is"), keys, title=f"{connector.network}: keys of an account"),
        Table(("limit", "value", "unit", "source"), facts, title=f"{connector.network}: limits"),
    ]
