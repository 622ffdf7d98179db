"""``adnet networks``: the support table."""

import attrs

from adnet import registry
from adnet.cli import networks
from adnet.connectors.targetcircle import TargetCircle
from adnet.interface.capabilities import OPERATIONS


def test_every_operation_of_every_network(adnet):
    """The table has a row for each operation and a column for each connector."""
    ran = adnet("networks")
    assert ran.code == 0
    assert [operation for operation in OPERATIONS if f"\n{operation} " not in ran.out] == []
    assert "targetcircle" in ran.out.splitlines()[0]


def test_derived(adnet):
    """What the table says is what the class can do."""
    (described,) = [n for n in adnet("networks", "--json").json["networks"] if n["network"] == "targetcircle"]
    able = TargetCircle.capabilities()
    assert described["operations"] == {name: support.value for name, support in able.items()}
    assert described["tables"] == ["accounts", "ads", "offers", "trades", "payouts", "transactions", "clicks"]


def test_one_network(adnet):
    """Asked for one network, its keys and limits are told, and which of them are secret."""
    out = adnet("networks", "targetcircle").out
    assert "token       required  secret" in out
    assert "rows of a report" in out
    assert "mytarget" not in out


def test_unknown_network(adnet):
    """A name that is none is told with the nearest."""
    ran = adnet("networks", "targetcircl")
    assert ran.code == 2
    assert "did you mean 'targetcircle'?" in ran.err


def test_markdown():
    """Neighbours that are alike share a row, and what a network cannot do is an empty cell."""
    lines = networks.markdown_table([TargetCircle]).splitlines()
    assert lines[:3] == ["|  | Target Circle |", "| :-- | :-: |", "| `get_account` | yes |"]
    assert any(
        line.startswith("| `list_campaigns` `get_campaign` ") and line.endswith("|  |") for line in lines
    )
    assert "| report kinds | clicks, trades, transactions |" in lines


def test_markdown_on_the_command_line(adnet):
    """--markdown writes the table of the README for people; for programs there is one form, the usual one."""
    words = ("networks", "targetcircle", "--markdown")
    assert adnet(*words).out == networks.markdown_table([TargetCircle]) + "\n"
    assert adnet(*words, "--json").json == adnet("networks", "targetcircle", "--json").json


def test_broken_connector(adnet, monkeypatch):
    """A connector that cannot be loaded is told on standard error, and the others are shown."""
    broken = [
        attrs.evolve(found, connector=None, problem="it is broken") if found.network == "mgid" else found
        for found in registry.discover()
    ]
    monkeypatch.setattr(registry, "discover", lambda: iter(broken))
    ran = adnet("networks")
    assert (ran.code, ran.line) == (0, "adnet: it is broken")
    assert "targetcircle" in ran.out
    assert adnet("networks", "mgid").code == 2
