"""Pause the campaigns that pay more for a conversion than it is worth. Shown first; sent with --apply only.

python examples/05_pause_losers.py adskeeper 1.50
python examples/05_pause_losers.py adskeeper 1.50 --apply

What a conversion is worth is told in the account's currency.
"""

import asyncio
import sys
from collections import defaultdict
from datetime import date
from decimal import Decimal

import adnet

SINCE, UNTIL = date(2026, 10, 1), date(2026, 10, 15)


async def losers(account: adnet.Account, worth: Decimal) -> list[str]:
    """Return the ids of campaigns whose conversions cost more than *worth*."""
    spend: dict[str, Decimal] = defaultdict(Decimal)
    conversions: dict[str, int] = defaultdict(int)
    async for row in account.list_stats(since=SINCE, until=UNTIL):
        spend[row.object_id] += row.spend.amount if row.spend else Decimal(0)
        if row.conversions is not None:
            conversions[row.object_id] += row.conversions
    # A campaign of which the network tells no conversions may have any number of them.
    return [campaign for campaign, number in conversions.items() if spend[campaign] > worth * max(1, number)]


async def main(name: str, worth: Decimal, *, apply: bool) -> None:
    async with adnet.open(only=[name]) as accounts:
        account = accounts[name]
        # Only what runs: at some networks a change of its status brings a deleted campaign back.
        running = account.list_campaigns(ids=await losers(account, worth), status=["active", "limited"])
        updates = [adnet.Update(campaign.campaign_id, {"status": "paused"}) async for campaign in running]
        for request in (await account.plan(updates)).requests:
            print(request.method, request.url, request.body or "")
        if apply:
            result = await account.update_campaigns(updates)
            print(f"{len(result) - len(result.failed)} of {len(result)} paused")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Decimal(sys.argv[2]), apply="--apply" in sys.argv))
