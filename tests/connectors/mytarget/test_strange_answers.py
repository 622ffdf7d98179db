"""Answers that nobody has documented: every call ends with a result or with an error of ours, whatever comes."""

import asyncio
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import adnet
from adnet import AdDraft, Audience, CampaignDraft, Update
from adnet.errors import AdnetError, ApiError, ConnectError, DecodeError, IncompleteBodyError
from adnet.models import AudienceDraft
from adnet.testing import FakeClock, ScriptTransport, answer

from .samples_kit import GIVEN, known_state

KEYS = (
    "items", "id", "count", "name", "status", "rows", "date", "base", "shows", "spent", "vk", "goals", "error",
    "code", "message", "fields", "content", "textblocks", "urls", "targetings", "account", "balance", "currency",
    "sources", "users", "params", "object_type", "object_id", "sharing_key", "counter_id", "banners", "user",
)  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers(-5, 10**12) | st.floats(allow_nan=False) | st.text(max_size=5)
)
JSON = st.recursive(
    LEAVES | st.sampled_from(["7", "2026-01-01", "1.5", "active", "segment"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)
AUDIENCE = Audience(audience_id="5", kind="segment", name="S")
LIST = AudienceDraft(kind="users_list", name="L", extra={"type": "emails", "file": b"a@x.test"})
SEGMENT = AudienceDraft(kind="segment", name="S", extra={"relations": [{}]})


async def every(rows) -> list:
    return [row async for row in rows]


CALLS = {
    "account": lambda account: account.get_account(),
    "campaigns": lambda account: every(account.list_campaigns()),
    "campaign": lambda account: account.get_campaign("7"),
    "ads": lambda account: every(account.list_ads()),
    "ad": lambda account: account.get_ad("7"),
    "stats": lambda account: every(account.list_stats(since=date(2026, 1, 1), until=date(2026, 1, 3), ids=["7"])),
    "ad stats": lambda account: every(account.list_stats(since=date(2026, 1, 1), until=date(2026, 1, 3), level="ad")),
    "create": lambda account: account.create_campaigns([CampaignDraft(name="A", extra={"package_id": 1})]),
    "create ad": lambda account: account.create_ads([AdDraft(campaign_id="7", title="T", url="https://x/")]),
    "update": lambda account: account.update_campaigns([Update("7", {"targeting": {"age": {"expand": True}}})]),
    "update ad": lambda account: account.update_ads([Update("7", {"text": "T", "url": "https://x/"})]),
    "mass": lambda account: account.update_campaigns([Update(i, {"status": "paused"}) for i in ("7", "8")]),
    "delete": lambda account: account.delete_campaigns(["7"]),
    "audiences": lambda account: every(account.list_audiences()),
    "segment": lambda account: account.create_audiences([SEGMENT]),
    "shares": lambda account: every(account.list_shares()),
    "share": lambda account: account.share_audiences([AUDIENCE]),
    "activate": lambda account: account.activate_share("k"),
    "fast": lambda account: account.native.statistics.fast("campaigns", ["7"]),
    "goals": lambda account: account.native.statistics.goals(
        "campaigns", ["7"], date_from=date(2026, 1, 1), date_to=date(2026, 1, 1)
    ),
    "totals": lambda account: every(
        account.native.statistics.totals("campaigns", date_from=date(2026, 1, 1), date_to=date(2026, 1, 1))
    ),
    "remoderate": lambda account: account.native.banners.remoderate(["7"]),
    "count": lambda account: account.native.agency_clients.count(),
    "urls": lambda account: account.native.urls.get(["7", "8"]),
}  # fmt: skip


async def call(name, reply) -> None:
    """Make one call that is answered by *reply* however often it asks, fifty times at most."""
    asked = []

    def answered(request):
        asked.append(request)
        return reply if len(asked) < 50 else answer(404)

    with known_state() as state:
        clock = FakeClock()
        account = adnet.connect(
            "mytarget", transport=ScriptTransport(answered), clock=clock, state=state, **GIVEN
        )
        async with account:
            with suppress(AdnetError):
                await CALLS[name](account)


@pytest.mark.parametrize("name", CALLS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(JSON, st.sampled_from([200, 200, 200, 200, 204, 400, 401, 409, 429, 500]))
def test_no_answer_makes_a_call_fall_over(name, body, status):
    """Never a KeyError, never a TypeError."""
    asyncio.run(call(name, answer(status, body)))


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502</html>",
        b'{"items":[{"id":1,"name":"\xff"}]}',
        b'{"items":[{"id":1,"name":"\\ud800"}]}',
    ],
)
async def test_no_bytes_make_a_call_fall_over(name, body):
    """No body, no JSON, no UTF-8, half a character."""
    await call(name, answer(200, body=body))


async def test_a_text_that_is_none_is_told_at_once():
    """Not when somebody looks into the object."""
    reply = answer(200, body=b'{"items":[{"id":1,"name":"\xff"}],"count":1}')
    with known_state() as state:
        account = adnet.connect(
            "mytarget", transport=ScriptTransport([reply]), state=state, clock=FakeClock(), **GIVEN
        )
        async with account:
            with pytest.raises(DecodeError):
                await every(account.list_campaigns())


# ---------------------------------------------------------------------- changes that may have been made


async def outcomes_of(script, change):
    """Return what is told of a change that *script* answers."""
    with known_state() as state:
        account = adnet.connect(
            "mytarget", transport=ScriptTransport(script), state=state, clock=FakeClock(), **GIVEN
        )
        async with account:
            return [outcome.status for outcome in await change(account)]


def cut_then(then):
    """Give a script: the first reply is lost on its way, then *then* happens."""
    sent = []

    def reply(_request):
        sent.append(1)
        if len(sent) == 1:
            raise IncompleteBodyError("cut off")
        return then()

    return reply


def down():
    """Have no server."""
    raise ConnectError("refused")


def updates(number):
    """Give a call that resumes campaigns."""
    wanted = [Update(str(i), {"status": "active"}) for i in range(1, number + 1)]
    return lambda account: account.update_campaigns(wanted)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    "script",
    [
        lambda: lambda _: answer(200, body=b"OK"),
        lambda: lambda _: answer(504, body=b"<html>"),
        lambda: cut_then(down),
        lambda: cut_then(lambda: answer(429)),
    ],
    ids=["no JSON", "gateway", "lost, then down", "lost, then too many"],
)
async def test_a_change_that_may_have_been_made_is_not_told_as_failed(script, number):
    """Who resumes a campaign and reads "failed" does not look after what it spends."""
    assert await outcomes_of(script(), updates(number)) == ["unknown"] * number


@pytest.mark.parametrize("script", [lambda _: answer(400, {"error": {"code": "x"}}), lambda _: answer(403)])
async def test_a_change_that_was_refused_is_told_as_failed(script):
    """Nothing is to be looked after."""
    assert await outcomes_of(script, updates(1)) == ["failed"]


@pytest.mark.parametrize("number", [1, 2])
async def test_a_change_that_never_left_is_told_as_failed(number):
    """However often it was tried: where there is no network nothing has to be looked after."""
    assert await outcomes_of(lambda _: down(), updates(number)) == ["failed"] * number


@pytest.mark.parametrize("reply", [answer(504, body=b"<html>"), answer(200, {})])
async def test_an_audience_that_may_have_been_made_is_not_told_as_failed(reply):
    """Who makes it again has two."""
    assert await outcomes_of(lambda _: reply, lambda account: account.create_audiences([SEGMENT])) == [
        "unknown"
    ]


@pytest.mark.parametrize("reply", [lambda: answer(429), lambda: answer(400)])
async def test_an_audience_that_was_refused_is_told_as_failed(reply):
    """However often: what creates is sent again only if the network has not executed it."""
    assert await outcomes_of(lambda _: reply(), lambda account: account.create_audiences([SEGMENT])) == [
        "failed"
    ]


@pytest.mark.parametrize("row", [{"name": "B"}, {"id": None}, {"id": "x", "name": "B"}])
async def test_what_was_made_is_told_where_the_rest_cannot_be_looked_for(row):
    """Objects without a number tell nothing of a create whose answer was lost, nor take they the others' outcomes."""
    made = iter([answer(200, {"id": 5}), answer(500)])

    def reply(request):
        return next(made) if request.route.operation == "campaigns.create" else answer(200, {"items": [row]})

    drafts = [CampaignDraft(name=name, extra={"package_id": 1}) for name in "AB"]
    assert await outcomes_of(reply, lambda account: account.create_campaigns(drafts)) == ["done", "unknown"]


REFUSED = {"error": {"code": "validation_failed", "message": "Validation failed"}}
SAYS_NO = [
    answer(200, REFUSED),
    answer(200, {"error": "limit_exceeded"}),
    answer(207, {"successful": [{"id": 1}], "failed": [{"id": 2}]}),
]


@pytest.mark.parametrize(
    "body",
    [
        {"successful": [{"id": 1}], "failed": [{"id": 2}]},
        [{"id": 1}, {"id": 2, "error": {"code": "campaign_deleted", "message": "Campaign is deleted"}}],
        {"items": [{"id": 1}, {"id": 2, "error": {"code": "campaign_deleted"}}]},
    ],
    ids=["parts", "list", "items"],
)
async def test_a_mass_action_that_was_done_in_part_is_not_told_as_done(body):
    """All or nothing is what the network documents, with no body: which of them were changed is not known."""
    assert await outcomes_of(lambda _: answer(200, body), updates(2)) == ["unknown"] * 2


@pytest.mark.parametrize(
    "body", [None, {}, [], [{"id": 1}, {"id": 2}], {"items": [{"id": 1, "error": None}]}]
)
async def test_a_mass_action_that_names_no_failure_is_done(body):
    """With a body, too, which the network does not document."""
    assert await outcomes_of(lambda _: answer(200, body), updates(2)) == ["done"] * 2


CHANGES = {
    "update": updates(1),
    "mass action": updates(2),
    "delete": lambda account: account.delete_campaigns(["1"]),
    "delete many": lambda account: account.delete_campaigns(["1", "2"]),
    "revoke": lambda account: account.revoke_shares(["k"]),
    "create": lambda account: account.create_campaigns([CampaignDraft(name="A", extra={"package_id": 1})]),
    "segment": lambda account: account.create_audiences([SEGMENT]),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("reply", SAYS_NO, ids=["object", "word", "parts"])
async def test_a_refusal_with_a_good_status_is_not_told_as_done(name, reply):
    """Who pauses a campaign and reads "done" goes home while it spends; nor is it known that nothing was done."""
    assert set(await outcomes_of(lambda _: reply, CHANGES[name])) == {"unknown"}


@pytest.mark.parametrize("reply", SAYS_NO, ids=["object", "word", "parts"])
async def test_a_key_that_is_refused_with_a_good_status_has_opened_nothing(reply):
    """No audiences, and no error, would look like a key of nothing."""
    with pytest.raises(ApiError):
        await outcomes_of(lambda _: reply, lambda account: account.activate_share("k"))


@pytest.mark.parametrize("error", [None, [], {}, [{"line_number": 1, "error_code": "invalid_email"}]])
async def test_an_object_that_tells_of_its_errors_is_an_object(error):
    """An uploaded list is there, and says which of its lines were left out."""
    made = answer(200, {"id": 5, "error": error})
    assert await outcomes_of(lambda _: made, lambda account: account.create_audiences([LIST])) == ["done"]
