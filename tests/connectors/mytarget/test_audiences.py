"""Audiences and their sharing over HTTP: made, listed, opened, activated, closed."""

import msgspec
import pytest

from adnet import Audience, Removal
from adnet.connectors.mytarget.audiences import counter
from adnet.errors import (
    AccessDeniedError,
    ConfigurationError,
    ConflictError,
    InvalidRequestError,
    JobTimeoutError,
    NotFoundError,
    SchemaError,
)
from adnet.models import AudienceDraft, Raw
from adnet.money import Money
from adnet.testing import answer

from .kit import bench, connector

PHONES = b"".join(b"+7900%07d\n" % n for n in range(2600))


async def audiences(account, **options) -> dict[tuple[str, str], Audience]:
    return {(row.kind, row.audience_id): row async for row in account.list_audiences(**options)}


def users_list(content=PHONES, **extra) -> AudienceDraft:
    return AudienceDraft(kind="users_list", name="CRM", extra={"type": "phones", "file": content, **extra})


async def test_lists_segments_and_counters_are_audiences():
    """Each by its own id; a counter by its counter_id."""
    async with bench() as test:
        found = await audiences(test.account())
        truth = {
            (row["kind"], str(row["counter_id"] if row["kind"] == "counter" else row["id"])): row["name"]
            for row in test.sandbox.truth("audiences")
        }
        assert {key: row.name for key, row in found.items()} == truth
        assert [row.size for row in found.values() if row.kind == "users_list"] == [2500]


def test_a_counter_is_as_usable_as_the_network_says():
    """Whoever attached it may have it active while its owner has not approved it."""
    row = Raw({"counter_id": 7, "name": "Shop", "status": "active", "system_status": "blocked"})
    assert counter(row).status == "blocked"


@pytest.mark.parametrize("kind", ["users_list", "segment", "counter"])
async def test_audiences_of_one_kind(kind):
    """Only that resource is asked."""
    async with bench() as test:
        found = await audiences(test.account(), kind=kind)
        assert {row.kind for row in found.values()} == {kind}


@pytest.mark.parametrize("shown", ["whole", "paged"])
@pytest.mark.parametrize("count", [19, 20, 50, 60, 110])
async def test_lists_without_a_count_are_read_to_their_end(shown, count):
    """Whether limit and offset count there too is told nowhere: twenty by default would be all that comes."""
    async with bench(uncounted_lists=shown) as test:
        account = test.account()
        there = len(test.sandbox.truth("counters"))
        new = {"url": "https://new.example.test", "email": "a@example.test", "password": "pw-12345"}
        drafts = [
            AudienceDraft(kind="counter", name=f"C{number}", extra=new) for number in range(count - there)
        ]
        assert (await account.create_audiences(drafts)).ok
        truth = {str(row["counter_id"]) for row in test.sandbox.truth("counters")}
        found = [row.audience_id async for row in account.list_audiences(kind="counter")]
        assert (len(found), set(found)) == (count, truth)


async def test_an_unknown_kind_is_refused():
    """Before anything is sent."""
    async with bench() as test:
        with pytest.raises(InvalidRequestError, match="no kind"):
            await audiences(test.account(), kind="crowd")


@pytest.mark.parametrize(
    ("rest", "told"), [([], "1 of 3"), ([{"id": 1, "name": "A"}], "one page repeats another")]
)
async def test_a_list_that_is_shorter_than_its_count_is_told(rest, told):
    """What is missing would not be seen."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        inner = connector(account).session._transport._inner

        async def cut(request, *, timeout_s):
            items = rest if "offset=" in request.url else [{"id": 1, "name": "A"}]
            return answer(200, {"count": 3, "items": items})

        inner.send = cut
        with pytest.raises(SchemaError, match=told):
            await audiences(account, kind="users_list")


@pytest.mark.parametrize("how", ["bytes", "path", "stream"])
async def test_a_users_list_is_uploaded(how, tmp_path):
    """From memory, from a file, or as it comes; its status goes on to ready."""
    path = tmp_path / "ids.txt"
    path.write_bytes(PHONES)

    async def stream():
        for start in range(0, len(PHONES), 1000):
            yield PHONES[start : start + 1000]

    async with bench() as test:
        account = test.account()
        content = {"bytes": PHONES, "path": str(path), "stream": stream}[how]
        result = await account.create_audiences([users_list(content)])
        assert result.ok, result[0].error
        made = (await audiences(account))["users_list", result[0].id]
        assert (made.size, made.status == "ready") == (2600, False)
        test.clock.advance(10)
        assert (await audiences(account))["users_list", result[0].id].status == "ready"


async def test_a_list_is_waited_for_until_it_is_ready():
    """Asked for ever more rarely; who cannot wait is told how far it is."""
    async with bench(audience_s=300) as test:
        account = test.account()
        result = await account.create_audiences([users_list()])
        lists = account.native.users_lists
        with pytest.raises(JobTimeoutError, match="after 10 s"):
            await lists.until_ready(result[0].id, timeout_s=10)
        assert (await lists.until_ready(result[0].id))["status"] == "ready"
        asked = [line for line in test.state.ledger.entries() if line.operation == "users_lists.get"]
        assert len(asked) < 16


async def test_a_differential_list_changes_its_base():
    """N adds, -N takes away."""
    async with bench() as test:
        account = test.account()
        base = int((await account.create_audiences([users_list()]))[0].id)
        more = b"".join(b"+7911%07d\n" % n for n in range(30))
        for sign in (base, -base):
            assert (await account.create_audiences([users_list(more, base=sign)])).ok
            test.clock.advance(10)
            size = test.first("users_lists", id=base)["entries_count"]
            assert size == (2630 if sign > 0 else 2600)


async def test_lines_that_are_wrong_are_counted_and_never_quoted():
    """Those left out of a list that was taken, and those that cost it."""
    async with bench() as test:
        result = await test.account().create_audiences([
            users_list(PHONES + b"geheim\n"),
            users_list(b"geheim\n" * 5),
        ])  # fmt: skip
        assert (result[0].status, result[0].notes) == ("done", ("1 lines were left out: invalid_phone",))
        assert set(result[1].error.fields) == {f"file[line {n}]" for n in range(1, 6)}
        assert "geheim" not in repr(result) + str(result[1].error)


async def test_a_segment_is_made_of_relations():
    """One of them is enough, unless the draft says otherwise."""
    async with bench() as test:
        account = test.account()
        source = test.sandbox.truth("users_lists")[0]["id"]
        relation = {
            "object_type": "remarketing_users_list",
            "params": {"source_id": source, "type": "negative"},
        }
        result = await account.create_audiences([
            AudienceDraft(kind="segment", name="S", extra={"relations": [relation]}),
            AudienceDraft(kind="segment", name="S", extra={}),
        ])  # fmt: skip
        assert [outcome.status for outcome in result] == ["done", "failed"]
        assert test.first("segments", id=int(result[0].id))["pass_condition"] == 1
        (made,) = await account.native.segments.relations(result[0].id)
        assert made["params"]["type"] == "negative"


async def test_a_counter_is_made_or_attached():
    """An attached one waits for its owner."""
    async with bench() as test:
        account = test.account()
        others = test.first("counters@70002")["counter_id"]
        new = {"url": "https://new.example.test", "email": "a@example.test", "password": "pw-12345"}
        result = await account.create_audiences([
            AudienceDraft(kind="counter", name="C", extra=new),
            AudienceDraft(kind="counter", name="D", extra={"counter_id": others}),
        ])  # fmt: skip
        assert result.ok
        assert result[1].notes == ("it cannot be used before its owner has approved it",)
        assert ("counter", result[0].id) in await audiences(account)


@pytest.mark.parametrize(
    "extra",
    [{"type": "shoes", "file": PHONES}, {"type": "phones"}, {"type": "phones", "file": PHONES, "bas": 1},
     {"type": "phones", "file": PHONES, "base": "x"}],
)  # fmt: skip
async def test_a_users_list_that_cannot_be_is_refused_before(extra):
    """Nothing is uploaded."""
    async with bench() as test:
        result = await test.account().create_audiences(
            [AudienceDraft(kind="users_list", name="L", extra=extra)]
        )
        assert isinstance(result[0].error, InvalidRequestError)
        assert test.report()["requests"] == 0


# ---------------------------------------------------------------------- sharing


@pytest.mark.parametrize(
    "bad",
    [
        {"file": "/no/such/file.txt"},
        {"file": "/"},
        {"file": "/x\0"},
        {"filename": "half \ud83d.txt"},
    ],
)
async def test_a_list_that_cannot_be_sent_is_told_beside_those_that_were_made(bad):
    """As refused: of what fails on its way nobody knows whether the network has taken it."""
    async with bench() as test:
        result = await test.account().create_audiences([users_list(**bad), users_list(filename="a.txt")])
        assert [outcome.status for outcome in result] == ["failed", "done"]
        assert isinstance(result[0].error, InvalidRequestError)


async def shared(test, account, kinds=("users_list", "segment"), **options):
    """Share some audiences; return the key and what it opens."""
    chosen = [row for row in (await audiences(account)).values() if row.kind in kinds]
    return await account.share_audiences(chosen, **options), chosen


async def test_a_private_key_is_for_those_it_names():
    """They are told by mail if asked for; others are refused."""
    async with bench() as test:
        owner, buyer = test.account(), test.buyer()
        share, chosen = await shared(test, owner, users=["buyer@example.test"], notify=True)
        assert (share.kind, share.payment, share.users) == ("private", "free", ("buyer@example.test",))
        assert share.audiences == tuple(chosen)
        assert [mail["to"] for mail in test.sandbox.truth("emails")] == ["buyer@example.test"]
        opened = await buyer.activate_share(share.key)
        assert {(row.kind, row.audience_id) for row in opened} == {(r.kind, r.audience_id) for r in chosen}
        assert {(row.kind, row.audience_id) for row in chosen} <= (await audiences(buyer)).keys()
        stranger = test.account("stranger", grant="agency_client_credentials", agency_client_id="80001")
        with pytest.raises(AccessDeniedError):
            await stranger.activate_share(share.key)


async def test_a_public_key_is_for_whoever_has_it():
    """And only for the sources that are named when it is activated."""
    async with bench() as test:
        share, chosen = await shared(test, test.account())
        assert (share.kind, share.users) == ("public", ())
        (one,) = await test.buyer().activate_share(share.key, [chosen[0]])
        assert one.audience_id == chosen[0].audience_id


async def test_a_key_that_is_told_alone_is_shared_as_asked_for():
    """Older documents have the network answer with the key and its address only."""
    async with bench() as test:
        account = test.account(sharing_price_unit="units")
        chosen = list((await audiences(account)).values())
        await account.get_account()

        async def bare(request, *, timeout_s):
            return answer(200, {"sharing_key": "k1", "sharing_url": "https://target.my.com/a?key=k1"})

        connector(account).session._transport._inner.send = bare
        price = Money("12.50", "RUB")
        share = await account.share_audiences(
            chosen, users=["b@example.test"], payment="fixed_cpm", price=price
        )
        assert (share.key, share.kind, share.payment, share.price) == ("k1", "private", "fixed_cpm", price)
        assert (share.users, share.audiences) == (("b@example.test",), tuple(chosen))


async def test_a_price_is_per_thousand_impressions():
    """On top of what the user pays."""
    async with bench() as test:
        price = Money("12.50", "RUB")
        account = test.account(sharing_price_unit="units")
        share, _ = await shared(test, account, payment="fixed_cpm", price=price)
        assert (share.payment, share.price) == ("fixed_cpm", price)
        (row,) = test.sandbox.truth("sharing_keys")
        assert row["price"] == "12.5"


async def test_a_free_key_has_no_price():
    """The network tells zero, which is no price that somebody could have asked for."""
    async with bench() as test:
        account = test.account(sharing_price_unit="units")
        share, _ = await shared(test, account)
        assert (share.payment, share.price, share.raw["price"]) == ("free", None, "0")
        assert [row.price async for row in account.list_shares()] == [None]


def answered(account, *replies):
    """Answer what an account asks with *replies*, one after the other; return what it asked."""
    asked, left = [], list(replies)

    async def send(request, *, timeout_s):
        asked.append(request)
        return left.pop(0)

    connector(account).session._transport._inner.send = send
    return asked


@pytest.mark.parametrize(("unit", "sent"), [("units", "12.50"), ("minor", "1250")])
@pytest.mark.parametrize("whole", [False, True])
async def test_the_unit_of_a_price_is_the_users_to_say(unit, sent, whole):
    """The network's documents say rubles here and kopecks there."""
    async with bench() as test:
        account = test.account(sharing_price_unit=unit)
        chosen = list((await audiences(account)).values())
        await account.get_account()
        told = {"price": sent, "payment_type": "fixed_cpm"} if whole else {}
        asked = answered(account, answer(200, {"sharing_key": "k1", **told}))
        price = Money("12.50", "RUB")
        share = await account.share_audiences(
            chosen, users=["b@example.test"], payment="fixed_cpm", price=price
        )
        assert (msgspec.json.decode(asked[0].body)["price"], share.price) == (sent, price)


async def test_a_price_of_which_the_unit_is_not_known_is_refused():
    """A factor of a hundred is nobody's to guess."""
    async with bench() as test:
        price = Money("12.50", "RUB")
        with pytest.raises(InvalidRequestError, match="sharing_price_unit"):
            await shared(test, test.account(), payment="fixed_cpm", price=price)
        assert test.sandbox.truth("sharing_keys") == []
        await shared(test, test.account(sharing_price_unit="minor"), payment="fixed_cpm", price=price)
        (share,) = [share async for share in test.account().list_shares()]
        assert (share.payment, share.price, share.raw["price"]) == ("fixed_cpm", None, "1250")


async def test_a_unit_that_is_none_is_refused():
    """At once, like every setting."""
    async with bench() as test:
        with pytest.raises(ConfigurationError, match="sharing_price_unit"):
            test.account(sharing_price_unit="dollars")


async def test_nothing_is_asked_for_once_a_key_is_made():
    """What fails behind it would lose the key: it opens what it opens, and nobody knows it."""
    async with bench() as test:
        account = test.account()
        chosen = list((await audiences(account)).values())
        await account.get_account()
        test.state.facts.forget(account.account_id, "currency")
        asked = answered(account, answer(200, {"sharing_key": "k1"}))
        share = await account.share_audiences(chosen, users=["b@example.test"], notify=True)
        assert (share.key, len(asked)) == ("k1", 1)


@pytest.mark.parametrize("odd", [{"sources": 5}, {"sources": [{"params": 5}]}, {"users": "x"}])
async def test_a_key_whose_answer_is_odd_is_told_as_asked_for(odd):
    """Its mail is sent, and a second key would be one too many."""
    async with bench() as test:
        account = test.account()
        chosen = list((await audiences(account)).values())
        answered(account, answer(200, {"sharing_key": "k1", **odd}))
        share = await account.share_audiences(chosen, users=["b@example.test"], notify=True)
        assert (share.key, share.users, share.audiences) == ("k1", ("b@example.test",), tuple(chosen))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"payment": "fixed_cpm"}, "price"),
        ({"price": Money(1, "RUB")}, "price"),
        ({"payment": "barter"}, "payment"),
        ({"notify": True}, "notify"),
        ({"payment": "fixed_cpm", "price": Money(1, "EUR")}, "price"),
    ],
)
async def test_what_cannot_be_shared_so_is_refused_before(options, named):
    """By the name that the caller used."""
    async with bench() as test:
        with pytest.raises(InvalidRequestError) as caught:
            await shared(test, test.account(), **options)
        assert set(caught.value.fields) == {named}
        assert test.sandbox.truth("sharing_keys") == []


async def test_what_the_network_refuses_is_told_field_by_field():
    """Not the owner itself, and no source that is not there."""
    async with bench() as test:
        missing = Audience(audience_id="999", kind="segment", name="x")
        with pytest.raises(InvalidRequestError) as caught:
            await test.account().share_audiences([missing], users=["adv@example.test"])
        assert {name.partition("[")[0] for name in caught.value.fields} == {"users", "sources"}


async def test_keys_are_listed_with_the_names_of_what_they_open():
    """The network tells ids only."""
    async with bench() as test:
        owner = test.account()
        assert [row async for row in owner.list_shares()] == []
        share, _ = await shared(test, owner, users=["buyer@example.test"])
        assert [row async for row in owner.list_shares()] == [share]


async def test_removing_a_key_stops_what_runs_on_it():
    """What that is can be told before; afterwards the outcome says it."""
    async with bench() as test:
        owner, buyer = test.account(), test.buyer()
        share, chosen = await shared(test, owner, users=["buyer@example.test"])
        await buyer.activate_share(share.key)
        (request,) = (await owner.plan([Removal(share.key, "shares")])).requests
        assert (request.method, request.url.rpartition("/")[2]) == ("DELETE", f"{share.key}.json")
        assert request.note.startswith(f"opens users_list {chosen[0].name!r}, segment {chosen[1].name!r} to ")
        assert "to buyer@example.test; campaigns of others that use what it opened stop" in request.note
        assert [row async for row in owner.list_shares()] == [share]
        result = await owner.revoke_shares([share.key, "nosuchkey"])
        assert [outcome.status for outcome in result] == ["done", "failed"]
        assert isinstance(result[1].error, NotFoundError)
        assert "stop" in result[0].notes[0]
        assert not {(row.kind, row.audience_id) for row in chosen} & (await audiences(buyer)).keys()


async def test_a_key_that_is_named_twice_is_removed_once():
    """The second time it would not be found, which is no failure to tell of a key that is closed."""
    async with bench() as test:
        owner = test.account()
        share, _ = await shared(test, owner)
        result = await owner.revoke_shares([share.key, share.key])
        assert [(outcome.id, outcome.status) for outcome in result] == [(share.key, "done")] * 2


async def test_a_key_of_which_nothing_is_wanted_is_not_activated():
    """Nobody knows what the network makes of an empty list; without any it adds all that the key opens."""
    async with bench() as test:
        owner, buyer = test.account(), test.buyer()
        share, _ = await shared(test, owner)
        with pytest.raises(InvalidRequestError, match="nothing to activate"):
            await buyer.activate_share(share.key, [])


async def test_a_key_that_is_not_there_cannot_be_planned_away():
    """Its removal is no plan."""
    async with bench() as test:
        with pytest.raises(NotFoundError, match="no share 'nosuchkey'"):
            await test.account().plan([Removal("nosuchkey", "shares")])


async def test_what_a_public_key_opens_is_open_to_anyone():
    """So the plan says, also when somebody has used it: to others it stays open."""
    async with bench() as test:
        owner, buyer = test.account(), test.buyer()
        share, _ = await shared(test, owner)
        (request,) = (await owner.plan([Removal(share.key, "shares")])).requests
        assert "to anyone who has the key; campaigns" in request.note
        await buyer.activate_share(share.key)
        (request,) = (await owner.plan([Removal(share.key, "shares")])).requests
        assert "to anyone who has the key, so far to buyer@example.test; campaigns" in request.note


# ---------------------------------------------------------------------- the network's own


async def test_a_list_in_use_cannot_be_deleted():
    """A conflict, and it is still there."""
    async with bench() as test:
        native = test.account().native
        number = str(test.sandbox.truth("users_lists")[0]["id"])
        with pytest.raises(ConflictError):
            await native.users_lists.delete(number)
        await native.users_lists.rename(number, "Other")
        assert (await native.users_lists.get(number))["name"] == "Other"


async def test_relations_are_added_changed_and_removed_together():
    """Several in one request."""
    async with bench() as test:
        native = test.account().native
        number = str(test.sandbox.truth("segments")[0]["id"])
        counter = test.sandbox.truth("counters")[0]["counter_id"]
        params = {"source_id": counter, "goal_id": "", "left": 30, "right": 0}
        relation = {"object_type": "remarketing_counter", "params": params}
        other = {"object_type": "remarketing_counter", "params": {**params, "left": 20}}
        made = await native.segments.add_relations(number, [relation, other])
        await native.segments.update_relation(number, str(made[0]["id"]), {**params, "left": 10})
        assert [row["params"].get("left") for row in await native.segments.relations(number)] == [
            None,
            10,
            20,
        ]
        await native.segments.delete_relations(number, [str(row["id"]) for row in made])
        assert len(await native.segments.relations(number)) == 1


async def test_goals_of_a_counter():
    """Made, changed and listed."""
    async with bench() as test:
        native = test.account().native
        counter = str(test.sandbox.truth("counters")[0]["counter_id"])
        goal = {"name": "Lead", "condition": "uss", "substr": "/thanks", "goal_type": "lead"}
        made = await native.counters.create_goal(counter, goal)
        await native.counters.update_goal(counter, str(made["id"]), {"value": 5})
        assert [row["value"] for row in await native.counters.goals(counter)] == [1490, 5]
        assert len((await native.counters.all_goals())["topmailru"]) == 2
