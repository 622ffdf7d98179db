"""Credentials: a token, or a login that is made once for all who wait."""

import asyncio

import pytest

import adnet
from adnet.errors import (
    AccessDeniedError,
    ApiError,
    AuthenticationError,
    ConfigurationError,
    CredentialsError,
    NotFoundError,
    RequestTimeoutError,
    SchemaError,
    TokenExpiredError,
)
from adnet.money import Money
from adnet.sandbox.adskeeper import AdskeeperSandbox
from adnet.state import State, StoredToken
from adnet.testing.fakes import FakeClock, ScriptTransport, answer
from adnet.transport.deadline import deadline
from tests.connectors.adskeeper.kit import (
    GIVEN,
    NOW,
    SINCE,
    UNTIL,
    WIDE,
    home,
    known_state,
    rows,
    scripted,
)

LOGIN = "/v1/auth/token"
BUDGET = {"limitType": "budget_limits", "dailyLimit": "9"}


def logins(sandbox):
    return [request for request in sandbox.log if request.path == LOGIN]


def by_login(sandbox, **options):
    given = {
        "email": sandbox.email,
        "password": sandbox.password,
        "limits": WIDE,
        "clock": FakeClock(NOW, grace_s=0.02),
    }
    return adnet.connect("adskeeper", base_url=sandbox.base_url, **(given | options))


def small():
    return AdskeeperSandbox(campaigns=20, days=5, now=lambda: NOW)


@pytest.mark.parametrize(
    "given",
    [{}, {"token": "t" * 32}, {"client_id": "1"}, {"email": "a@b.example"}, {"password": "secret"}],
)
def test_half_of_the_credentials_are_refused(given):
    """Either pair has to be complete, before anything is sent."""
    with pytest.raises(CredentialsError):
        adnet.connect("adskeeper", **given)


@pytest.mark.parametrize("option", ["paging", "split_daily_limit", "list_literals", "wallet_divisor"])
def test_a_dialect_is_checked(option):
    """An option of the dialect takes only what it can mean."""
    with pytest.raises(ConfigurationError, match=option):
        adnet.connect("adskeeper", **GIVEN, **{option: "perhaps"})


async def test_the_token_travels_in_the_header_only():
    """No request has the token in its address."""
    async with home() as it:
        await it.account.get_account()
        sent = it.sandbox.log
        assert {request.headers["authorization"] for request in sent} == {
            f"Bearer {it.sandbox.credentials['token']}"
        }
        assert not any("token" in dict(request.query) for request in sent)


async def test_a_number_in_the_configuration_is_an_id():
    """A client id may come as a number out of a file."""
    account = adnet.connect("adskeeper", client_id=123, token="t" * 32)
    assert account.connector._core.client_id == "123"
    await account.close()


async def test_a_dead_token_says_so_once():
    """A token that nobody can replace is an AuthenticationError after one request."""
    async with home() as it:
        it.sandbox.revoke_tokens()
        before = len(it.sandbox.log)
        with pytest.raises(AuthenticationError) as caught:
            await it.account.get_account()
        assert not caught.value.temporary
        assert len(it.sandbox.log) == before + 1


async def test_another_clients_id_is_denied():
    """The number of the dashboard is another one and yields 403."""
    async with small() as sandbox:
        given = {**sandbox.credentials, "client_id": "1"}
        account = adnet.connect("adskeeper", base_url=sandbox.base_url, **given)
        with pytest.raises(AccessDeniedError):
            await account.get_account()
        await account.close()


async def test_the_login_tells_the_client_id():
    """With email and password the id is learned, and remembered with the token for the next process."""
    async with small() as sandbox:
        with State.open(None) as state:
            async with by_login(sandbox, state=state) as account:
                assert (await account.get_account()).account_id == sandbox.credentials["client_id"]
            async with by_login(sandbox, state=state) as account:
                assert (await account.get_account()).account_id == sandbox.credentials["client_id"]
        assert len(logins(sandbox)) == 1


async def test_a_refused_token_is_renewed_once_for_all():
    """Fifty calls that meet a dead token make one login, and all succeed."""
    clock = FakeClock(NOW, grace_s=0.02)
    async with small() as sandbox, by_login(sandbox, clock=clock) as account:
        clock.advance(60)
        sandbox.revoke_tokens()
        sandbox.max_in_flight = 100
        found = await asyncio.gather(*(account.native.client.get() for _ in range(50)))
        assert len(found) == 50
        assert len(logins(sandbox)) == 2


async def test_a_token_that_runs_out_is_renewed():
    """The lifetime of a token is not documented, so a 401 is what ends it."""
    clock = FakeClock(NOW, grace_s=0.02)
    sandbox = AdskeeperSandbox(campaigns=20, days=5, now=clock.now, token_lifetime_s=600)
    async with sandbox, by_login(sandbox, clock=clock) as account:
        clock.advance(601)
        assert await account.get_account()
        assert len(logins(sandbox)) == 2


async def test_a_fresh_token_that_is_refused_ends_it():
    """A network that gives tokens it does not take is not asked for ever."""
    replies = [
        answer(200, {"token": "a" * 32, "refreshToken": "b" * 32, "idAuth": 123}),
        answer(401, {"errors": "The token is not valid"}),
    ]
    clock = FakeClock(NOW)
    async with scripted(clock=clock) as (account, wire):
        wire._make = lambda request: replies[0] if request.url.endswith("token") else replies[1]
        del account
    given = {"email": "a@b.example", "password": "sesame-1234"}
    account = adnet.connect("adskeeper", transport=wire, clock=clock, **given)
    with pytest.raises(TokenExpiredError) as caught:
        await account.open()
    assert not caught.value.temporary
    assert "a" * 32 not in f"{caught.value!r}{caught.value}"
    await account.close()


async def test_a_login_of_another_process_replaces_our_fresh_one():
    """Two that start together log in twice; where that ends the first's token, the second's is in the state."""
    clock, good, logins = FakeClock(NOW), "a" * 32, []
    client = {"id": "123", "timezone": "UTC", "wallet": {"balance": 1250, "currency": "usd"}}

    def wire(request):
        if request.url.endswith("token"):
            logins.append(clock.monotonic())
            return answer(200, {"token": good, "refreshToken": "r" * 32, "idAuth": 123})
        known = request.headers["Authorization"] == f"Bearer {good}"
        return answer(200, client) if known else answer(401, {"errors": "The token is not valid"})

    given = {"email": "a@b.example", "password": "sesame-1234", "clock": clock}
    with State.open(None) as state:
        async with adnet.connect(
            "adskeeper", transport=ScriptTransport(wire), state=state, **given
        ) as account:
            clock.advance(1)
            good = "b" * 32
            state.tokens.save(account.account_id, StoredToken(access_token=good, issued_at=clock.now()))
            assert (await account.get_account()).account_id == "123"
    assert logins == [0.0]


@pytest.mark.parametrize("known", [{}, {"client_id": "123"}])
async def test_a_login_is_waited_for_until_the_deadline_of_who_waits(known):
    """It goes on for those who have more time."""
    clock = FakeClock(NOW)
    client = {"id": "123", "timezone": "UTC", "wallet": {"balance": 1250, "currency": "usd"}}

    async def wire(request):
        if not request.url.endswith("token"):
            return answer(200, client)
        await clock.sleep(20)
        return answer(200, {"token": "a" * 32, "refreshToken": "b" * 32, "idAuth": 123})

    given = {"email": "a@b.example", "password": "sesame-1234", "clock": clock, **known}
    account = adnet.connect("adskeeper", transport=ScriptTransport(wire), **given)
    with deadline(clock, 5), pytest.raises(RequestTimeoutError, match="nothing was sent"):
        await account.get_account()
    assert clock.monotonic() == 5.0
    assert (await account.get_account()).account_id == "123"
    assert clock.monotonic() == 20.0
    await account.close()


async def test_a_login_is_read_behind_a_byte_order_mark():
    """The network writes one at times; an answer that cannot be read would leave the account without a token."""
    token = b'\xef\xbb\xbf{"token": "%s", "refreshToken": "%s", "idAuth": 123}' % (b"a" * 32, b"b" * 32)
    client = {"id": "123", "timezone": "UTC", "wallet": {"balance": 1250, "currency": "usd"}}
    wire = ScriptTransport([answer(200, body=token), answer(200, client), answer(200, client)])
    given = {"email": "a@b.example", "password": "sesame-1234", "clock": FakeClock(NOW)}
    async with adnet.connect("adskeeper", transport=wire, **given) as account:
        assert (await account.get_account()).account_id == "123"


async def test_a_wrong_password_is_refused():
    """The login's refusal is about credentials and holds none."""
    async with small() as sandbox:
        account = by_login(sandbox, password="wrong-password-1")
        with pytest.raises(AuthenticationError) as caught:
            await account.open()
        assert "wrong-password" not in f"{caught.value!r}{caught.value}"
        await account.close()


async def test_a_wrong_password_is_not_tried_again_and_again():
    """By no call, and by no process that shares the state; another password is, and the same one after a while."""
    state, clock = State.open(None, clock=FakeClock(NOW)), FakeClock(NOW, grace_s=0.02)
    async with small() as sandbox:
        wrong = [
            by_login(sandbox, password="wrong-password-1", state=state, clock=clock, name=f"a{number}")
            for number in range(2)
        ]
        for account in (*wrong, *wrong):
            with pytest.raises(AuthenticationError):
                await account.get_account()
        assert len(logins(sandbox)) == 1
        async with by_login(sandbox, state=state, clock=clock, name="right") as right:
            assert await right.get_account()
        assert len(logins(sandbox)) == 2
        state.tokens.delete(wrong[0].account_id)
        clock.advance(400)
        with pytest.raises(AuthenticationError):
            await wrong[0].get_account()
        assert len(logins(sandbox)) == 3
        for account in wrong:
            await account.close()
    state.close()


def logging_in(*replies):
    """Return an account that logs in, on a state that knows it and a token of it, and what answers it."""
    wire = ScriptTransport(replies)
    given = {"email": "a@b.example", "password": "sesame-1234"}
    state = known_state(**dict.fromkeys(GIVEN), **given)
    account = adnet.connect("adskeeper", transport=wire, state=state, clock=FakeClock(NOW), **given)
    state.tokens.save(account.account_id, StoredToken(access_token="t" * 32, issued_at=NOW))
    state.facts.put(account.account_id, "client_id", "123")
    return account


DEAD = answer(401, {"errors": "The token is not valid"})
REFUSED = [
    answer(200, {"errors": ["[INVALID_CREDENTIALS]"]}),
    answer(200, {"errors": "Wrong email or password"}),
    answer(200, body=b"[ERROR_WRONG_PASSWORD]"),
    answer(400, {"errors": ["[ERROR_INVALID_LOGIN_OR_PASSWORD]"]}),
    answer(422, {"errors": {"email": ["This value is not valid."]}}),
    answer(404, {"errors": ["[USER_NOT_FOUND]"]}),
]


@pytest.mark.parametrize("refused", REFUSED)
async def test_a_refused_login_is_about_credentials_whatever_its_words(refused):
    """Its codes are not documented; those of other operations would say that a campaign or a field is wrong."""
    account = logging_in(DEAD, refused)
    with pytest.raises(AuthenticationError):
        await rows(account.list_campaigns(ids=["5"]))
    await account.close()


@pytest.mark.parametrize("gone", [answer(404), answer(404, body=b"Not Found"), answer(405, {})])
async def test_a_login_that_is_not_there_does_not_say_that_a_campaign_is_not(gone):
    """Neither are credentials wrong; what was asked for would be missing without a word."""
    account = logging_in(DEAD, gone)
    with pytest.raises(ApiError) as caught:
        await rows(account.list_campaigns(ids=["5"]))
    assert not isinstance(caught.value, AuthenticationError | NotFoundError)
    assert caught.value.operation == "auth.token"
    await account.close()


@pytest.mark.parametrize("body", [{}, [], {"token": ""}, {"token": "x" * 32}, {"token": 5, "idAuth": 1}])
async def test_a_login_without_a_token_or_id_is_another_shape(body):
    """What the login must tell is missed by name."""
    async with scripted() as (_, wire):
        wire._make = lambda _: answer(200, body)
    account = adnet.connect("adskeeper", transport=wire, email="a@b.example", password="sesame-1234")
    with pytest.raises(SchemaError, match=r"token|id"):
        await account.open()
    await account.close()


async def test_opening_asks_once_and_remembers():
    """Time zone and currency are learned by one request, and not asked for again on the same state."""
    async with small() as sandbox:
        with State.open(None) as state:
            for _ in range(2):
                given = {
                    **sandbox.credentials,
                    "limits": WIDE,
                    "clock": FakeClock(NOW, grace_s=0.02),
                    "state": state,
                }
                async with adnet.connect("adskeeper", base_url=sandbox.base_url, **given) as account:
                    assert str(account.connector.time_zone) == "America/Los_Angeles"
            assert len(sandbox.log) == 1


async def test_unknown_time_zones_are_utc():
    """What the machine does not know is read as UTC, and the id is still told."""
    with known_state(zone="Mars/Olympus") as state:
        account = adnet.connect("adskeeper", state=state, **GIVEN)
        await account.open()
        assert str(account.connector.time_zone) == "UTC"
        await account.close()


async def test_native_needs_to_know_the_client():
    """Before the login no path can be built, and that is said."""
    account = adnet.connect("adskeeper", email="a@b.example", password="sesame-1234")
    with pytest.raises(ConfigurationError, match="client id"):
        await account.native.client.get()
    await account.close()


async def test_first_calls_at_once_all_know_the_account():
    """Many tasks that use a fresh connector together read amounts in its currency, and ask for it once."""
    async with small() as sandbox:
        given = {**sandbox.credentials, "limits": WIDE, "clock": FakeClock(NOW, grace_s=0.02)}
        account = adnet.connect("adskeeper", base_url=sandbox.base_url, **given)
        numbers = [str(number) for number in sandbox.account.campaigns][:5]
        found = await asyncio.gather(*(account.connector.get_campaign(number) for number in numbers))
        assert {campaign.currency for campaign in found} == {"USD"}
        assert len([request for request in sandbox.log if "/clients/" in request.path[:12]]) == 1
        await account.close()


async def test_opening_that_failed_is_tried_again():
    """After a network that was down the account is asked about again."""
    async with scripted() as (_, wire):
        replies = iter(
            [answer(403), answer(200, {"id": 123, "timezone": "UTC", "wallet": {"currency": "EUR"}})]
        )
        wire._make = lambda _: next(replies)
    account = adnet.connect("adskeeper", transport=wire, clock=FakeClock(NOW), **GIVEN)
    with pytest.raises(AccessDeniedError):
        await account.connector.open()
    await account.connector.open()
    assert account.connector._book.currency == "EUR"
    await account.close()


@pytest.mark.parametrize("wallet", [[], {}, {"balance": 100}, None])
async def test_an_answer_without_wallet_and_zone_does_not_unlearn_them(wallet):
    """An empty map is no news: figures stay in the currency and on the clock that are known."""
    client = {"id": "123", "timezone": None, "wallet": wallet}
    day = {"campaigns-stat": {"5": {"campaignId": 5, "clicks": 3, "spent": 1.5}}}
    async with scripted(client, day, day, day) as (account, _):
        await account.get_account()
        found = await rows(account.list_stats(since=SINCE, until=UNTIL))
        assert {row.spend for row in found} == {Money("1.5", "USD")}
        assert str(account.connector.time_zone) == "America/Los_Angeles"


async def test_what_an_answer_does_tell_is_learned_by_itself():
    """A client who moves, told without a wallet, is on the new clock and keeps the currency that was known."""
    client = {"id": "123", "timezone": "Europe/Berlin", "wallet": []}
    async with scripted(client, {"id": 5, "limitsFilter": BUDGET}) as (account, _):
        await account.get_account()
        assert str(account.connector.time_zone) == "Europe/Berlin"
        (campaign,) = await rows(account.list_campaigns(ids=["5"]))
        assert campaign.daily_budget == Money("9", "USD")
