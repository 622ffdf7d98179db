"""``adnet check`` and ``adnet limits``: the state of accounts."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

from cli.kit import configure
from cli.market_kit import Market


def reading(adnet):
    """Return what ``adnet limits`` tells of reading campaigns."""
    return [row for row in adnet("limits", "--json").json["limits"] if row["limit"] == "CAMPAIGN/all/READ"]


class TestCheck:
    def test_good(self, adnet, partner):
        """Accounts whose credentials are good are told so, in the order of the file."""
        configure(partner.account("b"), partner.account("a"))
        ran = adnet("check", "--json")
        assert ran.code == 0
        assert [(a["account"], a["verdict"]) for a in ran.json["accounts"]] == [("b", "ok"), ("a", "ok")]

    def test_one_call_each(self, adnet, partner):
        """An account costs one request."""
        configure(partner.account())
        before = len(partner.sandbox.log)
        adnet("check")
        assert len(partner.sandbox.log) - before == 1

    def test_some_refused(self, adnet, partner):
        """Good and refused ones together make 4, and one line for each refusal."""
        configure(partner.account("good"), partner.account("bad", token="wrong-token-wrong"))
        ran = adnet("check")
        assert ran.code == 4
        assert ran.line.startswith("adnet: bad ")
        assert "bad      targetcircle  refused" in ran.out

    def test_all_refused(self, adnet, partner):
        """Only refusals make 3."""
        configure(partner.account(token="wrong-token-wrong"))
        assert adnet("check").code == 3

    def test_chosen(self, adnet, partner, monkeypatch):
        """Only the accounts that are named are looked at; one without its secret fails by itself."""
        monkeypatch.delenv("NOT_HERE", raising=False)
        other = '[accounts.other]\nnetwork = "targetcircle"\ntoken = { env = "NOT_HERE" }\n'
        configure(partner.account(), other)
        assert adnet("check", "partner").code == 0
        told = "adnet: token of account 'other': the environment variable NOT_HERE is not set; set it"
        ran = adnet("check", "--json")
        assert (ran.code, ran.line) == (4, told)
        assert [(row["account"], row["verdict"]) for row in ran.json["accounts"]] == [
            ("partner", "ok"),
            ("other", "failed"),
        ]
        ran = adnet("check", "other")
        assert (ran.code, ran.line) == (2, told)

    def test_address_that_is_none(self, adnet, partner):
        """An address that cannot be read fails its account, and no other one."""
        configure(partner.account("typo", base_url="https://[::1"), partner.account("good"))
        ran = adnet("check", "--json")
        assert (ran.code, [row["verdict"] for row in ran.json["accounts"]]) == (4, ["failed", "ok"])
        assert ran.line == "adnet: typo: base_url 'https://[::1' is not a URL; check its host and port"


class TestLimits:
    def test_what_is_left(self, adnet, partner):
        """Each window and each bound of requests in flight has a row with its source."""
        configure(partner.account())
        rows = adnet("limits", "--json").json["limits"]
        told = {(row["limit"], row["allowed"], row["left"], row["source"]) for row in rows}
        assert ("api", "1000 per second", 1000, "set by the user") in told
        assert ("reports", "8 in flight", None, "set by the user") in told

    def test_account_that_cannot_be_opened(self, adnet, partner, monkeypatch):
        """One without its secret fails by itself; the limits of the others are shown."""
        monkeypatch.delenv("NOT_HERE", raising=False)
        configure('[accounts.other]\nnetwork = "mgid"\ntoken = { env = "NOT_HERE" }\n', partner.account())
        told = "token of account 'other': the environment variable NOT_HERE is not set; set it"
        ran = adnet("limits", "--json")
        assert (ran.code, ran.line) == (4, f"adnet: {told}")
        assert {row["account"] for row in ran.json["limits"]} == {"partner"}
        assert ran.json["failures"] == [{"account": "other", "error": told}]
        ran = adnet("limits", "other")
        assert (ran.code, ran.line) == (2, f"adnet: {told}")

    def test_only_what_the_user_set_is_said_to_be_the_users(self, adnet, partner):
        """A limit of requests a second leaves that of requests in flight to whoever set it, and the other way round."""
        told = {}
        for limit in ("1000/s", "7"):
            configure(partner.account().replace("1000/s", limit))
            told |= {
                row["allowed"]: row["source"]
                for row in adnet("limits", "--json").json["limits"]
                if row["limit"] == "api"
            }
        users = [allowed for allowed, source in told.items() if source == "set by the user"]
        assert list(told) == ["1000 per second", "8 in flight", "4 per second", "7 in flight"]
        assert users == ["1000 per second", "7 in flight"]

    def test_nothing_is_sent(self, adnet, partner):
        """Looking costs no request."""
        configure(partner.account())
        before = len(partner.sandbox.log)
        ran = adnet("limits")
        assert (0, before) == (ran.code, len(partner.sandbox.log))
        assert "1000 per second" in ran.out

    def test_what_others_used(self, adnet, partner):
        """Processes on one state share their limits, so what the last command used counts."""
        slow = partner.account().replace("1000/s", "50/h")
        configure(slow)
        adnet("check")
        (hour,) = [row for row in adnet("limits", "--json").json["limits"] if row["left"] is not None]
        assert (hour["allowed"], hour["left"]) == ("50 per hour", 49)
        left = datetime.fromisoformat(hour["resets_at"]) - datetime.now(UTC)
        assert timedelta(minutes=55) < left < timedelta(minutes=65)

    def test_limits_that_only_the_network_tells(self, adnet, home):
        """What the last command learnt of them counts, and what has been used since; nothing is sent."""
        with Market(limits={"CAMPAIGN": {"all": {"READ": {3600: 50, 86400: 500}}}}) as market:
            market.configure(market.account(grant="client_credentials"))
            assert reading(adnet) == []
            adnet("campaigns", "list", "shop")
            before = market.report["requests"]
            rows = reading(adnet)
            assert before == market.report["requests"]
        assert [(row["allowed"], row["left"]) for row in rows] == [("50 per hour", 49), ("500 per day", 499)]
        assert all(datetime.fromisoformat(row["resets_at"]) > datetime.now(UTC) for row in rows)

    def test_limits_that_were_told_long_ago(self, adnet, home):
        """The limits are shown still; of what is left only our own count is believed."""
        with Market(limits={"CAMPAIGN": {"all": {"READ": {86400: 500}}}}) as market:
            market.configure(market.account(grant="client_credentials"))
            adnet("campaigns", "list", "shop")
            with closing(sqlite3.connect(home / "state.db")) as state, state:
                old = "'1' || substr(value, instr(value, ' '))"
                state.execute(f"UPDATE facts SET value = {old} WHERE name = 'throttling'")
            (day,) = reading(adnet)
        assert (day["allowed"], day["used"], day["left"]) == ("500 per day", 1, 499)
