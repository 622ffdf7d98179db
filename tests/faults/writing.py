"""Everything that changes something at a network, each in one call, for fuzzing what is answered to it."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import cache
from typing import Any

import adnet
from adnet.client import Account
from adnet.models import AudienceDraft, BatchResult, Update
from adnet.money import Money
from adnet.testing.conformance.networks import adskeeper, mytarget

Call = Callable[[Account], Awaitable[Any]]
FACTS = {"adskeeper": adskeeper.FACTS, "mytarget": mytarget.FACTS}


async def _campaign(account: Account) -> str:
    return next(iter([c.campaign_id async for c in account.list_campaigns()]), "1")


async def _ad(account: Account) -> str:
    return next(iter([ad.ad_id async for ad in account.list_ads()]), "1")


def _changing(network: str) -> dict[str, Call]:
    drafts, changes = (FACTS[network][name] for name in ("drafts", "changes"))

    async def create_campaigns(account: Account) -> BatchResult:
        return await account.create_campaigns([drafts["campaigns"](1), drafts["campaigns"](2)])

    async def update_campaigns(account: Account) -> BatchResult:
        fields = {name: change.value for name, change in changes["campaigns"].items()}
        return await account.update_campaigns([Update(await _campaign(account), fields)])

    async def delete_campaigns(account: Account) -> BatchResult:
        return await account.delete_campaigns([await _campaign(account), "999999937"])

    async def create_ads(account: Account) -> BatchResult:
        return await account.create_ads([drafts["ads"](1, await _campaign(account))])

    async def update_ads(account: Account) -> BatchResult:
        fields = {name: change.value for name, change in changes["ads"].items()}
        return await account.update_ads([Update(await _ad(account), {**fields, "status": "paused"})])

    async def delete_ads(account: Account) -> BatchResult:
        return await account.delete_ads([await _ad(account)])

    async def plan(account: Account) -> Any:
        fields = {name: change.value for name, change in changes["campaigns"].items()}
        return await account.plan([Update(await _campaign(account), fields)])

    found = (create_campaigns, update_campaigns, delete_campaigns, create_ads, update_ads, delete_ads, plan)
    return {call.__name__: call for call in found}


async def _block_sources(account: Account) -> BatchResult:
    return await account.block_sources(await _campaign(account), ["5600014", "5600015/3"])


async def _allow_sources(account: Account) -> BatchResult:
    return await account.allow_sources(await _campaign(account), ["5600014"])


async def _bid_sources(account: Account) -> BatchResult:
    return await account.bid_sources(await _campaign(account), {"5600014": Decimal("1.5")})


async def _list_audiences(account: Account) -> Any:
    return [audience async for audience in account.list_audiences()]


async def _list_shares(account: Account) -> Any:
    return [share async for share in account.list_shares()]


async def _create_audiences(account: Account) -> BatchResult:
    lists = [audience.audience_id async for audience in account.list_audiences(kind="users_list")]
    relation = {
        "object_type": "remarketing_users_list",
        "params": {"source_id": next(iter(lists), "1"), "type": "negative"},
    }
    return await account.create_audiences(
        [AudienceDraft(kind="segment", name="Buyers", extra={"relations": [relation]})]
    )


async def _share_audiences(account: Account) -> Any:
    shared = [audience async for audience in account.list_audiences(kind="segment")][:1]
    return await account.share_audiences(shared, payment="fixed_cpm", price=Money("10", "RUB"))


async def _activate_share(account: Account) -> Any:
    share = await _share_audiences(account)
    return await account.activate_share(share.key, share.audiences)


async def _revoke_shares(account: Account) -> BatchResult:
    share = await _share_audiences(account)
    return await account.revoke_shares([share.key])


async def _revoke(account: Account) -> None:
    await account.get_account()
    await account.revoke()


_OTHERS: dict[str, Call] = {
    "block_sources": _block_sources,
    "allow_sources": _allow_sources,
    "bid_sources": _bid_sources,
    "list_audiences": _list_audiences,
    "list_shares": _list_shares,
    "create_audiences": _create_audiences,
    "share_audiences": _share_audiences,
    "activate_share": _activate_share,
    "revoke_shares": _revoke_shares,
    "revoke": _revoke,
}


@cache
def writes(network: str) -> dict[str, Call]:
    """Return everything of a network that changes something, by name, with what can only be looked at beside it."""
    capabilities = adnet.registry.load(network).capabilities()
    if not capabilities.supports("create_campaigns"):
        return {}
    return _changing(network) | {name: call for name, call in _OTHERS.items() if capabilities.supports(name)}
