"""Acme's whole test file; what its server's words mean is the one thing that nobody else can know."""

from adnet_acme.server import AcmeServer

from adnet.testing import SandboxHarness, conformance


class Harness(SandboxHarness):
    network, sandbox, strange = "acme", AcmeServer, {r'"status":"\w+"': '"status":"zzz"'}

    def truth(self, table, since=None, until=None, level=None):
        rows, words = self.server.truth(table, since, until), {"on": "active", "off": "paused"}
        if table == "stats":
            told = [{"object_id": r["campaign"], "date": r["day"], "spend": r["cents"] / 100} for r in rows]
        else:
            named = [{"campaign_id": r["id"], "status": words[r["status"]]} for r in rows]
            told = [{**one, "daily_budget": r["cents"] / 100} for one, r in zip(named, rows, strict=True)]
        return [{**one, "raw": r} for one, r in zip(told, rows, strict=True)]


class TestAcme(conformance.suite(Harness)):
    """Acme keeps every promise."""
