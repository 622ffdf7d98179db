"""Sources: those that are named are blocked, allowed and bid on, at exactly the factor; all others stay as they are."""

from decimal import Decimal
from typing import Any

from adnet.client import Account
from adnet.interface import Capabilities
from adnet.testing.conformance._policy import standard
from adnet.testing.conformance._tools import held
from adnet.testing.conformance.identity import secrets_of
from adnet.testing.conformance.writes import made
from adnet.testing.harness import Harness

Factors = dict[str, Decimal]


def _managed(capabilities: Capabilities) -> bool:
    return capabilities.supports("bid_sources")


def _planned(capabilities: Capabilities) -> bool:
    return _managed(capabilities) and capabilities.supports("plan")


class Sources:
    """What a campaign pays on its sources, and whether it is shown there, as the network holds it."""

    @standard(when=_managed)
    async def test_a_bid_is_the_factor_that_was_told(self, harness: Harness) -> None:
        """A campaign's price on a source is multiplied by the factor, to the digit, and a second factor replaces it.

        If this fails, look at: percents and hundredths, and factors that a network multiplies with those before.
        """
        account = await harness.account()
        campaign, other = await campaigns(account, harness)
        expected, untouched = factors(harness, campaign), factors(harness, other)
        one, two = _shown(expected)
        for wanted in ({two: Decimal("1.5"), one: Decimal("0.75")}, {one: Decimal("1.25")}):
            result = await account.bid_sources(campaign, wanted)
            assert result.ok, result
            assert tuple(wanted) == result.ids
            expected |= wanted
            assert expected == factors(harness, campaign)
        assert untouched == factors(harness, other), "of another campaign"

    @standard(when=_managed)
    async def test_what_is_blocked_is_not_shown_until_it_is_allowed(self, harness: Harness) -> None:
        """Sources that are blocked, and no others, show the campaign no more; those that are allowed again do.

        If this fails, look at: lists that an edit replaces as a whole, and lists to keep to taken for lists to avoid.
        """
        account = await harness.account()
        campaign, other = await campaigns(account, harness)
        before, untouched = factors(harness, campaign), factors(harness, other)
        one, two = _shown(before)
        blocked = {**before, one: Decimal(0), two: Decimal(0)}
        for verb, named, expected in (
            ("block", [two, one], blocked),
            ("block", [one], blocked),
            ("allow", [one], {**blocked, one: before[one]}),
        ):
            result = await getattr(account, f"{verb}_sources")(campaign, named)
            assert result.ok, result
            assert tuple(named) == result.ids
            assert expected == factors(harness, campaign), f"{verb} {named}"
        assert untouched == factors(harness, other), "of another campaign"

    @standard(when=_planned)
    async def test_a_plan_of_sources_changes_nothing(self, harness: Harness) -> None:
        """What blocking, allowing and bidding would send is shown without a credential, and is not sent.

        If this fails, look at: ``express`` of the Connector class.
        """
        account = await harness.account()
        campaign, _ = await campaigns(account, harness)
        one, two = _shown(factors(harness, campaign))
        assert (await account.block_sources(campaign, [two])).ok
        before = factors(harness, campaign)
        connector: Any = account.connector  # the facade plans no changes of sources
        given: dict[str, Any] = {"block": [one], "allow": [two], "bid": {one: Decimal("1.5")}}
        for verb, named in given.items():
            requests = await connector.express("sources", verb, [(campaign, named)])
            assert requests, verb
            assert before == factors(harness, campaign), verb
            assert [name for name, secret in secrets_of(harness).items() if secret in repr(requests)] == []


async def campaigns(account: Account, harness: Harness) -> tuple[str, str]:
    """Return the ids of two campaigns: new ones where the connector can make them, else the first two of the truth."""
    if account.capabilities.supports("create_campaigns"):
        return await made(account, harness, "campaigns", 1), await made(account, harness, "campaigns", 2)
    one, two = [str(row["campaign_id"]) for row in harness.truth("campaigns")[:2]]
    return one, two


def factors(harness: Harness, campaign: str) -> Factors:
    """Return what a campaign's price on each source is multiplied by; 0 where it is not shown."""
    return {row["source_id"]: row["factor"] for row in held(harness, "sources", campaign)}


def _shown(found: Factors) -> tuple[str, str]:
    shown = [source for source, factor in found.items() if factor]
    assert len(shown) > 2, "the side door tells no three sources that the campaign is shown on"
    return shown[0], shown[1]
