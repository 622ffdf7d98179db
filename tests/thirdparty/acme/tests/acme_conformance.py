"""Acme's whole test file; what its server's words mean is the one thing that nobody else can know."""

from adnet_acme.server import AcmeServer

from adnet.testing import SandboxHarness, conformance


class Harness(SandboxHarness):
    network, sandbox, strange = "acme", AcmeServer, {r'"status":"\w+"': '"status":"zzz"'}

    def truth(self, table, since=None, until=None, level=None):
        key, money = ("object_id", "spend") if table == "stats" else ("campaign_id", "daily_budget")
        rows = self.server.truth(table, since, until)
        return [
            {key: row.get("campaign", row.get("id")), money: row["cents"] / 100, "raw": row} for row in rows
        ]


class TestAcme(conformance.suite(Harness)):
    """Acme keeps every promise."""
