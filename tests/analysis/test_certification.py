"""What the ledger and the installation prove of the certification's rules."""

from datetime import UTC, date, datetime, timedelta

import attrs
import pytest

from adnet.analysis.certification import (
    RULES,
    Application,
    Client,
    functional,
    technical,
)
from adnet.connectors.mytarget import MyTarget
from adnet.connectors.targetcircle import TargetCircle
from adnet.state import LedgerEntry

NOON = datetime(2026, 9, 15, 9, tzinfo=UTC)
"""Noon in Moscow."""
DAY = timedelta(days=1)


def line(operation: str, after_s: float = 0.0, **details) -> LedgerEntry:
    """Return a line some seconds after noon."""
    at = NOON + timedelta(seconds=after_s)
    known = {"account": "shop", "network": "mytarget", "status": 200, "objects": 1}
    return LedgerEntry(at=at, operation=operation, **known | details)


def token(event: str, after_s: float = 0.0, **details) -> LedgerEntry:
    """Return the line of a token event."""
    return line(event.removesuffix(" refused"), after_s, event=event, **details)


def statistics(first: date, days: int, *ids: str, after_s: float = 0.0, **details) -> LedgerEntry:
    """Return the line of a request for the statistics of objects."""
    known = {"period_days": days, "first_day": first, "ids": ids, "objects": len(ids), "request_key": "base"}
    return line("statistics.days", after_s, **known | details)


def judged(rule: str, *entries: LedgerEntry, grant: str = "authorization_code", **options):
    """Return the finding on one technical rule."""
    return next(f for f in technical(entries, grant=grant, **options) if f.rule == f"technical.{rule}")


# ---------------------------------------------------------------------- technical


def test_without_lines_nothing_technical_is_known():
    """No evidence is no proof."""
    findings = technical([], grant="client_credentials")
    assert [rule for rule in RULES if rule.startswith("technical.")] == [f.rule for f in findings]
    assert {("unknown", None)} == {(f.verdict, f.figure) for f in findings}


def test_grants_are_counted_by_type():
    """As the ledger tells them, not as they are configured now."""
    found = judged(
        "grants", token("token.issue", grant="agency_client_credentials"), grant="client_credentials"
    )
    assert (found.verdict, found.figure) == ("pass", "agency_client_credentials")
    assert found.evidence == "1 ledger line of tokens issued"


def test_a_token_of_the_applications_owner_is_no_clients():
    """Client credentials open nobody else's account."""
    assert judged("grants", token("token.issue", grant="client_credentials")).figure == (
        "client_credentials (own account)"
    )


def test_a_grant_that_the_rule_does_not_name_fails():
    """Whatever it was."""
    assert judged("grants", token("token.issue", grant="password")).verdict == "fail"


def test_an_account_that_was_bound_long_ago_is_known_by_its_configuration():
    """It only refreshes, as it should."""
    found = judged("grants", token("token.refresh"))
    assert (found.verdict, found.figure) == ("pass", "authorization_code")
    assert "configuration" in found.evidence


def test_grants_are_not_known_of_an_account_that_never_had_a_token():
    """Calls that were refused show nothing but wrong credentials."""
    refused = attrs.evolve(token("token.refresh"), event=None, status=401)
    found = judged("grants", refused)
    assert (found.verdict, found.figure) == ("unknown", None)


def test_a_token_is_issued_once_and_refreshed_once_a_day():
    """A month of normal work."""
    month = [token("token.refresh", number * 84_600) for number in range(1, 31)]
    found = judged("tokens", token("token.issue"), *month)
    assert (found.verdict, found.figure) == ("pass", "1 issued, 30 refreshed, at most 2 within 24 hours")


def test_a_second_token_without_need_fails():
    """It takes one of five slots."""
    found = judged("tokens", token("token.issue"), token("token.issue", 60))
    assert (found.verdict, "1 issued without need" in found.figure) == ("fail", True)


@pytest.mark.parametrize(
    "why",
    [
        token("token.revoke"),
        token("token.refresh refused", status=401),
        line("campaigns.list", status=401),
    ],
    ids=["unbound", "refresh refused", "call refused"],
)
def test_a_second_token_is_excused_when_the_first_was_of_no_use(why):
    """The user granted access anew."""
    issue = token("token.issue", grant="authorization_code")
    assert judged("tokens", issue, why, issue).verdict == "pass"


@pytest.mark.parametrize("shown", [line("user.get"), token("token.refresh")], ids=["call", "refresh"])
def test_a_token_that_was_there_before_the_first_line_counts(shown):
    """That an account is looked at from some day on makes no further token its first one."""
    found = judged("tokens", shown, token("token.issue", 60))
    assert (found.verdict, "1 issued without need" in found.figure) == ("fail", True)
    excused = judged("tokens", shown, token("token.revoke"), line("user.get"), token("token.issue", 60))
    assert excused.verdict == "pass"


def test_a_token_that_could_be_refreshed_after_all_excuses_no_second_one():
    """Whatever was refused before that."""
    issue = token("token.issue", grant="authorization_code")
    refused = (token("token.refresh refused", status=401), line("user.get", status=401))
    assert judged("tokens", issue, *refused, token("token.refresh"), issue).verdict == "fail"


def test_calls_before_a_login_are_no_token():
    """Neither those that were refused nor the look at what a code is for."""
    before = (
        line("user.get", status=401),
        token("token.code_info"),
        token("token.issue refused", status=400),
    )
    assert judged("tokens", *before, token("token.issue", 60)).verdict == "pass"


@pytest.mark.parametrize("status", [429, 502, None])
def test_a_failing_endpoint_excuses_no_second_token(status):
    """The first one is as good as before."""
    refused = token("token.refresh refused", status=status)
    assert judged("tokens", token("token.issue"), refused, token("token.issue")).verdict == "fail"


def test_an_expired_token_of_an_own_account_has_to_be_refreshed():
    """A 401 is no reason to take another slot where no user is needed."""
    issue = token("token.issue", grant="client_credentials")
    assert judged("tokens", issue, line("user.get", status=401), issue).verdict == "fail"


def test_refreshing_at_every_turn_fails():
    """Once a day is normal."""
    assert judged("tokens", *(token("token.refresh", hour * 3600) for hour in range(4))).verdict == "fail"


def test_tokens_that_live_three_seconds_are_refreshed_more_often():
    """What is normal depends on what the network gives."""
    often = [token("token.refresh", second * 3.0) for second in range(100)]
    assert judged("tokens", *often, lifetime=timedelta(seconds=3)).verdict == "pass"


def test_requests_within_the_limits_pass():
    """None was refused."""
    found = judged("limits", *(line("campaigns.list", n, headroom="4 of 5 in 1 s") for n in range(7)))
    assert (found.verdict, found.figure) == ("pass", "0 answered 429, 0 without headroom, of 7")
    assert found.evidence == "7 ledger lines of requests"


def test_a_429_fails():
    """One is enough."""
    found = judged("limits", line("campaigns.list"), line("campaigns.list", status=429))
    assert (found.verdict, found.figure.startswith("1 answered 429")) == ("fail", True)


def test_a_call_into_a_window_that_is_used_up_fails():
    """The answer before had told it."""
    spent = {"headroom": "0 of 1800 in 3600 s"}
    found = judged("limits", line("banners.list", **spent), line("banners.get", 60, **spent))
    assert (found.verdict, "1 without headroom" in found.figure) == ("fail", True)


@pytest.mark.parametrize(
    ("operation", "after_s", "headroom"),
    [
        ("banners.list", 3600, "0 of 1800 in 3600 s"),
        ("campaigns.list", 60, "0 of 1800 in 3600 s"),
        ("banners.list", 0.5, "1 of 1800 in 3600 s"),
    ],
    ids=["next hour", "other bucket", "was under way"],
)
def test_the_last_call_of_a_window_is_allowed(operation, after_s, headroom):
    """What follows it in time may be another window, another bucket, or have left before."""
    first = line("banners.list", headroom="0 of 1800 in 3600 s")
    assert judged("limits", first, line(operation, after_s, headroom=headroom)).verdict == "pass"


def test_a_window_of_a_day_ends_at_midnight_in_moscow():
    """Noon and the next morning are two days; noon and the evening are one."""
    spent = {"headroom": "0 of 100 in 86400 s"}
    evening = judged("limits", line("urls.get", **spent), line("urls.get", 11 * 3600, **spent))
    morning = judged("limits", line("urls.get", **spent), line("urls.get", 13 * 3600, **spent))
    assert (evening.verdict, morning.verdict) == ("fail", "pass")


def test_a_closed_method_is_no_burst():
    """The network says no to the method, not to the pace; it is told all the same."""
    found = judged("limits", line("users_lists.create", status=429, event="no access"))
    assert (found.verdict, "1 call of closed methods" in found.figure) == ("pass", True)


def test_requests_for_many_objects_are_grouped():
    """Lists, statistics and mass actions."""
    lines = [
        line("campaigns.list", objects=50),
        line("banners.mass_action", objects=200),
        line("banners.get"),
    ]
    found = judged("grouping", *lines)
    assert (
        found.verdict,
        found.figure,
    ) == ("pass", "83.7 objects a request; 1 for one alone, 0 of them in bursts")


def test_a_row_of_single_reads_fails():
    """One list request would have done."""
    assert judged("grouping", *(line("campaigns.get", n / 5) for n in range(11))).verdict == "fail"


def test_single_reads_now_and_then_pass():
    """Nobody can group what is asked for at other times."""
    assert judged("grouping", *(line("campaigns.get", n * 5) for n in range(50))).verdict == "pass"


def test_only_what_a_mass_action_takes_could_have_been_grouped():
    """A rename needs the object's own address, a status does not."""
    renamed = [line("campaigns.update", n / 5, fields=("name",)) for n in range(20)]
    paused = [line("campaigns.update", n / 5, fields=("status",)) for n in range(20)]
    assert [judged("grouping", *lines).verdict for lines in (renamed, paused)] == ["unknown", "fail"]


def test_long_statistics_are_asked_for_once_a_day():
    """Other objects, other metrics and other days are other statistics."""
    june = date(2026, 6, 1)
    found = judged(
        "statistics",
        statistics(june, 90, "1", "2"),
        statistics(june, 90, "3"),
        statistics(june, 90, "1", request_key="video"),
        statistics(june + 89 * DAY, 2, "1"),
        statistics(june, 90, "1", after_s=86_400),
        statistics(june, 1, "1"),
    )
    assert (found.verdict, found.figure) == ("pass", "0 repeated, of 5 requests over more than a day")
    assert found.evidence == "6 ledger lines of statistics"


def test_days_that_are_asked_for_again_fail():
    """However the objects and days are cut this time."""
    june = date(2026, 6, 1)
    again = statistics(june + 30 * DAY, 92, "7", "2", after_s=86_399)
    assert judged("statistics", statistics(june, 90, "1", "2"), again).verdict == "fail"


def test_statistics_of_a_whole_life_are_long():
    """Though they name no days."""
    asked = [line("statistics.summary", n, ids=("1",), request_key="base") for n in range(2)]
    assert judged("statistics", *asked).verdict == "fail"


def test_what_was_refused_may_be_asked_for_again():
    """Nothing was read."""
    june = date(2026, 6, 1)
    asked = [
        statistics(june, 9, "1", after_s=n, status=status) for n, status in enumerate((429, 502, None, 200))
    ]
    assert judged("statistics", *asked).verdict == "pass"


def test_updates_of_some_fields_pass():
    """Nested ones count as the field they are in; some of them were held against what had been read."""
    lines = [
        line("campaigns.update", fields=("targetings.sex", "targetings.age", "name"), compared=2),
        line("banners.mass_action", fields=("status",), objects=9),
    ]
    found = judged("changed_fields", *lines)
    assert (found.verdict, found.figure) == ("pass", "4 fields in 2 updates, at most 2 in one")
    assert "2 ledger lines of updates, 2 values held against what had been read before" in found.evidence


def test_updates_that_nobody_could_compare_prove_nothing():
    """Whether the fields had changed is not known then."""
    found = judged("changed_fields", line("campaigns.update", fields=("name",)))
    assert (found.verdict, found.figure) == ("unknown", "1 field in 1 update, at most 1 in one")


def test_an_unchanged_field_fails():
    """The fields are named, with how often."""
    same = {"fields": ("name", "status"), "compared": 2}
    lines = [
        line("campaigns.update", **same, unchanged=names) for names in (("name",), ("name", "status"), ())
    ]
    found = judged("changed_fields", *lines)
    assert (found.verdict, found.figure.partition("; ")[2]) == ("fail", "unchanged: name 2, status 1")


def test_an_update_by_a_verb_that_is_none_is_no_update():
    """It follows by another one."""
    lines = [line("campaigns.update", fields=("name",), status=status) for status in (405, 204)]
    assert judged("changed_fields", *lines).figure == "1 field in 1 update, at most 1 in one"


@pytest.mark.parametrize("fields", [("name", "created"), tuple(f"field{n}" for n in range(13))])
def test_an_update_that_sends_the_whole_object_fails(fields):
    """What only comes back with an object, or far too much at once."""
    found = judged("changed_fields", line("campaigns.update", fields=fields))
    assert (found.verdict, "1 sent whole objects" in found.figure) == ("fail", True)


# ---------------------------------------------------------------------- functional


def application(**parts) -> Application:
    """Return an application on myTarget."""
    known = {
        "capabilities": MyTarget.capabilities(),
        "native": ("statistics.fast", "segments.create"),
        "commands": ("auth",),
        "strategies": ("TargetCpa",),
        "web_analytics": ("MetricaGoals",),
        "clients": [Client(account="shop", key="k1", user_id="7")],
    }
    return Application(**known | parts)


def able(rule: str, used=None, **parts):
    """Return the finding on one functional rule."""
    findings = functional(application(**parts), used)
    return next(finding for finding in findings if finding.rule == f"functional.{rule}")


def test_an_application_of_all_parts_passes():
    """All that a program can see of itself."""
    verdicts = {finding.rule: finding.verdict for finding in functional(application())}
    assert list(verdicts) == [rule for rule in RULES if rule.startswith("functional.")]
    assert [rule for rule, verdict in verdicts.items() if verdict != "pass"] == ["functional.support"]
    assert verdicts["functional.support"] == "unknown"


def test_a_connector_that_cannot_write_fails():
    """Capabilities are derived, so nothing is claimed."""
    found = able("campaigns", capabilities=TargetCircle.capabilities())
    assert (found.verdict, found.figure) == ("fail", "0 of 6 operations")
    assert "missing: create_campaigns" in found.evidence


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        ("statistics", {"native": ("segments.create",)}),
        ("audiences", {"native": ("statistics.fast",)}),
        ("unbinding", {"commands": ()}),
        ("bids", {"strategies": ()}),
        ("post_click", {"web_analytics": ()}),
    ],
)
def test_a_part_that_is_missing_fails_its_rule(rule, parts):
    """And no other."""
    verdicts = {f.rule: f.verdict for f in functional(application(**parts))}
    assert [name for name, verdict in verdicts.items() if verdict == "fail"] == [f"functional.{rule}"]


def test_uses_are_evidence():
    """Counted in the ledger's lines."""
    found = able("unbinding", {"token.revoke": 2, "campaigns.list": 9})
    assert "used in 2 ledger lines" in found.evidence


def test_two_accounts_of_one_client_fail():
    """By what the network told, or by equal credentials."""
    told = [Client(account="a", key="k1", user_id="7"), Client(account="b", key="k2", user_id="7")]
    equal = [Client(account="a", key="k1"), Client(account="b", key="k1")]
    for clients in (told, equal):
        found = able("one_account", clients=clients)
        assert (found.verdict, found.figure) == ("fail", "2 accounts, 1 of one client")
        assert "a and b" in found.evidence


def test_accounts_that_nobody_has_used_yet_are_not_known_apart():
    """Two configurations can lead to one client."""
    clients = [Client(account="a", key="k1", user_id="7"), Client(account="b")]
    found = able("one_account", clients=clients)
    assert (found.verdict, found.evidence.endswith("not told yet: b")) == ("unknown", True)
