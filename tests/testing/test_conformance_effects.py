"""What comes of a call at the network: connectors that send something else than was meant fail a standard test."""

from types import SimpleNamespace

import attrs
import pytest

from adnet import registry
from adnet.connectors.adskeeper import Adskeeper
from adnet.connectors.mytarget import MyTarget
from adnet.connectors.targetcircle import TargetCircle
from adnet.errors import AdnetError
from adnet.models import ModelBatch, Outcome
from adnet.money import Money
from adnet.testing import Harness, SandboxHarness
from adnet.testing.conformance.sources import campaigns

from .test_conformance_police import played

BIDS = "test_a_bid_is_the_factor_that_was_told"
BLOCKS = "test_what_is_blocked_is_not_shown_until_it_is_allowed"
PLANS = "test_a_plan_of_sources_changes_nothing"
LINKS = "test_a_link_leads_where_it_was_asked_to"
MADE = "test_audiences_are_made_as_drafted"
LOST_AUDIENCE = "test_an_audience_whose_reply_was_lost_is_not_doubled"
AIMS = "test_a_campaign_aims_at_the_audience_that_it_names"
SHARES = "test_a_share_opens_what_it_names_on_its_terms"
LOST_SHARE = "test_a_share_whose_reply_was_lost_is_not_doubled"
CLOSES = "test_a_share_that_is_revoked_is_closed_alone"
OPENS = "test_activating_opens_what_is_named"
PLANS_TO_CLOSE = "test_a_plan_to_revoke_changes_nothing"
REVOKES = "test_a_revoked_binding_lets_nobody_in"


class TenfoldBids(Adskeeper):
    """Bids ten times as much."""

    async def bid_sources(self, campaign_id, factors):
        return await super().bid_sources(campaign_id, {source: 10 * f for source, f in factors.items()})


class Compounding(Adskeeper):
    """Multiplies a factor with the one that it has sent before."""

    def __init__(self, services, *, base_url, options):
        super().__init__(services, base_url=base_url, options=options)
        self.sent = {}

    async def bid_sources(self, campaign_id, factors):
        self.sent |= {source: factor * self.sent.get(source, 1) for source, factor in factors.items()}
        return await super().bid_sources(campaign_id, {source: self.sent[source] for source in factors})


class WholeWidgets(Adskeeper):
    """Bids on all sub-sources where one was named."""

    async def bid_sources(self, campaign_id, factors):
        whole = {f"{source.split('/')[0]}/*": factor for source, factor in factors.items()}
        assert all(outcome.ok for outcome in await super().bid_sources(campaign_id, whole))
        return [Outcome(id=source, status="done") for source in factors]


class Elsewhere(Adskeeper):
    """Does what was asked for, and the same to the next campaign."""

    async def bid_sources(self, campaign_id, factors):
        await super().bid_sources(str(int(campaign_id) + 1), factors)
        return await super().bid_sources(campaign_id, factors)

    async def block_sources(self, campaign_id, ids):
        await super().block_sources(str(int(campaign_id) + 1), ids)
        return await super().block_sources(campaign_id, ids)


class Silent(Adskeeper):
    """Says that it is done, and does the first alone."""

    async def block_sources(self, campaign_id, ids):
        (outcome,) = await super().block_sources(campaign_id, ids[:1])
        return [attrs.evolve(outcome, id=source) for source in ids]

    async def bid_sources(self, campaign_id, factors):
        first = dict(list(factors.items())[:1])
        (outcome,) = await super().bid_sources(campaign_id, first)
        return [attrs.evolve(outcome, id=source) for source in factors]


class Blockhead(Adskeeper):
    """Blocks the whole widget where a sub-source was named."""

    async def block_sources(self, campaign_id, ids):
        outcomes = await super().block_sources(campaign_id, [source.split("/")[0] for source in ids])
        return [attrs.evolve(out, id=source) for out, source in zip(outcomes, ids, strict=True)]


class Contrary(Adskeeper):
    """Allows what was to be blocked."""

    async def block_sources(self, campaign_id, ids):
        return await super().allow_sources(campaign_id, ids)


class Unforgiving(Adskeeper):
    """Keeps blocked what was to be allowed again."""

    async def allow_sources(self, campaign_id, ids):
        return await super().block_sources(campaign_id, ids)


class Jumbled(Adskeeper):
    """Tells outcomes sorted by source."""

    async def block_sources(self, campaign_id, ids):
        return sorted(await super().block_sources(campaign_id, ids), key=lambda outcome: outcome.id)

    async def bid_sources(self, campaign_id, factors):
        return sorted(await super().bid_sources(campaign_id, factors), key=lambda outcome: outcome.id)


class Impatient(Adskeeper):
    """Sends what it should only show."""

    async def express(self, kind, verb, items):
        planned = await super().express(kind, verb, items)
        if kind == "sources":
            for campaign_id, named in items:
                await getattr(self, f"{verb}_sources")(campaign_id, named)
        return planned


class Asking(TargetCircle):
    """Asks for links other than those that it was asked for."""

    def ask(self, wanted):
        """Return what to ask for in place of *wanted*."""
        raise NotImplementedError

    def list_links(self, *, offer_id, source_id, deeplink=None, sub_ids=None, **filters):
        asked = {"offer_id": offer_id, "source_id": source_id, "deeplink": deeplink, "sub_ids": sub_ids}
        return super().list_links(**{**asked, **self.ask(asked)}, **filters)


class Unlabelled(Asking):
    """Drops sub-ids."""

    def ask(self, wanted):
        return {"sub_ids": None}


class Homeward(Asking):
    """Leads to the shop's front page."""

    def ask(self, wanted):
        return {"deeplink": None}


class Labelling(Asking):
    """Puts a label of its own on every link."""

    def ask(self, wanted):
        return {"sub_ids": {**(wanted["sub_ids"] or {}), "ref5": "adnet"}}


class Escaping(Asking):
    """Escapes what is escaped once more."""

    def ask(self, wanted):
        return {"sub_ids": {k: v.replace("&", "%26") for k, v in (wanted["sub_ids"] or {}).items()}}


class Misled(TargetCircle):
    """Gives the links of whatever it was asked for first."""

    first = None

    def list_links(self, *, offer_id, source_id, deeplink=None, sub_ids=None, **filters):
        self.first = self.first or (offer_id, source_id)
        offer_id, source_id = self.first
        return super().list_links(
            offer_id=offer_id, source_id=source_id, deeplink=deeplink, sub_ids=sub_ids, **filters
        )


class Twofold(MyTarget):
    """Makes everything twice."""

    async def create_audiences(self, drafts):
        await super().create_audiences(drafts)
        return await super().create_audiences(drafts)

    async def share_audiences(self, audiences, *, users, payment, price, notify):
        given = {"users": users, "payment": payment, "price": price, "notify": notify}
        await super().share_audiences(audiences, **given)
        return await super().share_audiences(audiences, **given)


class Drafting(MyTarget):
    """Makes audiences other than those that were drafted."""

    def change(self, draft):
        """Return another draft in place of *draft*."""
        raise NotImplementedError

    async def create_audiences(self, drafts):
        return await super().create_audiences([self.change(draft) for draft in drafts])


class Replacing(Drafting):
    """Sends another number in place of the last of a file."""

    def change(self, draft):
        if draft.kind != "users_list":
            return draft
        other = b"79990000000\n"
        cut = draft.extra["file"][: -len(other)] + other
        return attrs.evolve(draft, extra={**draft.extra, "file": cut})


class Inviting(Drafting):
    """Takes in whom a segment leaves out."""

    def change(self, draft):
        if draft.kind != "segment":
            return draft
        relations = [
            {**part, "params": {**part["params"], "type": "positive"}} for part in draft.extra["relations"]
        ]
        return attrs.evolve(draft, extra={**draft.extra, "relations": relations})


class Nameless(Drafting):
    """Gives names of its own."""

    def change(self, draft):
        return attrs.evolve(draft, name="adnet")


class Swapping(MyTarget):
    """Tells audiences in another order."""

    async def create_audiences(self, drafts):
        return list(reversed(await super().create_audiences(drafts)))


class Unseeing(MyTarget):
    """Lists no segments."""

    async def list_audiences(self, *, kind=None):
        async for batch in super().list_audiences(kind=kind):
            yield ModelBatch(row for row in batch.models() if row.kind != "segment")


class Persistent(MyTarget):
    """Sends again what was not answered."""

    async def create_audiences(self, drafts):
        outcomes = await super().create_audiences(drafts)
        return outcomes if all(out.ok for out in outcomes) else await super().create_audiences(drafts)

    async def share_audiences(self, audiences, *, users, payment, price, notify):
        given = {"users": users, "payment": payment, "price": price, "notify": notify}
        try:
            return await super().share_audiences(audiences, **given)
        except AdnetError:
            return await super().share_audiences(audiences, **given)


class Aimless(MyTarget):
    """Drops targetings: a campaign for everybody."""

    async def create_campaigns(self, drafts):
        return await super().create_campaigns([attrs.evolve(draft, targeting={}) for draft in drafts])


class Avoiding(MyTarget):
    """Leaves out whom a campaign is for."""

    async def create_campaigns(self, drafts):
        return await super().create_campaigns(
            [attrs.evolve(draft, targeting=_avoiding(draft.targeting)) for draft in drafts]
        )


def _avoiding(targeting):
    return {name: [-number for number in numbers] for name, numbers in targeting.items()}


class Sharing(MyTarget):
    """Shares on other terms than it was told."""

    def terms(self, given):
        """Return what wins over the terms *given*."""
        raise NotImplementedError

    async def share_audiences(self, audiences, *, users, payment, price, notify):
        given = {"users": users, "payment": payment, "price": price, "notify": notify}
        return await super().share_audiences(audiences, **{**given, **self.terms(given)})


class Public(Sharing):
    """Opens to anyone who has the key."""

    def terms(self, given):
        return {"users": [], "notify": False}


class Generous(Sharing):
    """Gives away what has a price."""

    def terms(self, given):
        return {"payment": "free", "price": None}


class Tenfold(Sharing):
    """Takes ten times the price."""

    def terms(self, given):
        return {"price": given["price"] and Money(given["price"].amount * 10, "RUB")}


class Mailing(Sharing):
    """Writes to users whom nobody wanted told."""

    def terms(self, given):
        return {"notify": True}


class Openhanded(MyTarget):
    """Shares every segment and list of the account."""

    async def share_audiences(self, audiences, *, users, payment, price, notify):
        every = [row async for batch in self.list_audiences() for row in batch.models()]
        return await super().share_audiences(every, users=users, payment=payment, price=price, notify=notify)


class Misquoting(MyTarget):
    """Tells another price than it has asked for."""

    async def list_shares(self):
        async for share in super().list_shares():
            yield attrs.evolve(share, price=share.price and Money(share.price.amount / 100, "RUB"))


class Hiding(MyTarget):
    """Says that keys are gone which are not."""

    async def revoke_shares(self, keys):
        known = {share.key async for share in self.list_shares()}
        unknown = iter(await super().revoke_shares([key for key in keys if key not in known]))
        return [Outcome(id=key, status="done") if key in known else next(unknown) for key in keys]


class Sweeping(MyTarget):
    """Removes every key."""

    async def revoke_shares(self, keys):
        found = [share.key async for share in self.list_shares()]
        outcomes = await super().revoke_shares(keys)
        await super().revoke_shares([key for key in found if key not in keys])
        return outcomes


class Greedy(MyTarget):
    """Activates all, whatever is named, and tells what was."""

    async def activate_share(self, key, audiences=None):
        found = await super().activate_share(key)
        return found if audiences is None else list(audiences)


class Idle(MyTarget):
    """Tells what it would activate."""

    async def activate_share(self, key, audiences=None):
        return list(audiences or ())


class Rash(MyTarget):
    """Revokes what it should only show."""

    async def express(self, kind, verb, items):
        planned = await super().express(kind, verb, items)
        if kind == "shares":
            await self.revoke_shares(items)
        return planned


class Keeping(MyTarget):
    """Forgets its tokens, which live on at the network."""

    async def revoke(self):
        self.tokens.forget("gone")


class Clinging(MyTarget):
    """Keeps tokens that the network has removed, and asks with them."""

    async def revoke(self):
        await self._parts.binding.endpoint.delete()


class Returning(MyTarget):
    """Logs in again by itself."""

    async def revoke(self):
        await super().revoke()
        await self.login()


def of(network):
    """Return the harness of a network."""
    return type("Harness", (SandboxHarness,), {"network": network})


CASES = [
    (TenfoldBids, BIDS),
    (Compounding, BIDS),
    (WholeWidgets, BIDS),
    (Elsewhere, BIDS),
    (Elsewhere, BLOCKS),
    (Silent, BIDS),
    (Silent, BLOCKS),
    (Blockhead, BLOCKS),
    (Contrary, BLOCKS),
    (Unforgiving, BLOCKS),
    (Jumbled, BIDS),
    (Jumbled, BLOCKS),
    (Impatient, PLANS),
    (Unlabelled, LINKS),
    (Homeward, LINKS),
    (Labelling, LINKS),
    (Escaping, LINKS),
    (Misled, LINKS),
    (Twofold, MADE),
    (Replacing, MADE),
    (Inviting, MADE),
    (Nameless, MADE),
    (Swapping, MADE),
    (Unseeing, MADE),
    (Persistent, LOST_AUDIENCE),
    (Aimless, AIMS),
    (Avoiding, AIMS),
    (Twofold, SHARES),
    (Public, SHARES),
    (Generous, SHARES),
    (Tenfold, SHARES),
    (Mailing, SHARES),
    (Openhanded, SHARES),
    (Misquoting, SHARES),
    (Persistent, LOST_SHARE),
    (Hiding, CLOSES),
    (Sweeping, CLOSES),
    (Greedy, OPENS),
    (Idle, OPENS),
    (Rash, PLANS_TO_CLOSE),
    (Keeping, REVOKES),
    (Clinging, REVOKES),
    (Returning, REVOKES),
]


@pytest.mark.parametrize(("connector", "test"), CASES)
async def test_what_the_network_does_not_hold_as_meant_does_not_pass(connector, test, monkeypatch):
    """The standard test that looks at the network from the side fails, whatever the connector tells."""
    monkeypatch.setitem(registry.BUILT_IN, connector.network, f"{__name__}:{connector.__name__}")
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await played(test, None, of(connector.network))


@pytest.mark.parametrize("connector", [Adskeeper, MyTarget, TargetCircle])
async def test_what_cannot_be_looked_at_is_skipped_with_the_reason(connector):
    """A harness without ``held`` costs the proof, which is told, and no failure."""
    blind = type("Blind", (of(connector.network),), {"held": Harness.held})
    tests = {test for wrong, test in CASES if issubclass(wrong, connector)}
    for test in tests:
        with pytest.raises(pytest.skip.Exception, match=r"unproved: `held` of Blind does not tell"):
            await played(test, None, blind)


async def test_without_a_guest_nobody_activates():
    """A harness that knows no other user of the server costs the proof, too."""
    alone = type("Alone", (of("mytarget"),), {"guest": {}})
    with pytest.raises(pytest.skip.Exception, match="Alone names no guest to share with"):
        await played(OPENS, None, alone)


async def test_sources_need_no_new_campaigns():
    """A connector that makes no campaigns is tried on two that are there."""
    account = SimpleNamespace(capabilities=SimpleNamespace(supports=lambda operation: False))
    harness = SimpleNamespace(truth=lambda table: [{"campaign_id": number} for number in (7, 8, 9)])
    assert await campaigns(account, harness) == ("7", "8")
