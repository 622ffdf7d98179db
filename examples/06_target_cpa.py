"""Move the bids of ads towards what a conversion may cost. Shown first; sent with --apply only.

python examples/06_target_cpa.py adskeeper 0.50
python examples/06_target_cpa.py adskeeper 0.50 --apply

What moves all bids together by more than a fifth is refused.
"""

import asyncio
import sys
from datetime import date
from decimal import Decimal

import adnet

SINCE, UNTIL = date(2026, 10, 1), date(2026, 10, 15)
LIMITS = adnet.PlanLimits(bid_share=Decimal("0.2"))


async def main(name: str, worth: str, *, apply: bool) -> None:
    async with adnet.open(only=[name]) as accounts:
        account = accounts[name]
        ads = [ad async for ad in account.list_ads(status="active") if ad.bid]
        rows = [row async for row in account.list_stats(since=SINCE, until=UNTIL, level="ad")]
        if not ads:
            print("no active ad has a bid")
            return
        currency = ads[0].bid.currency
        aim = adnet.TargetCpa(
            target=adnet.Money(worth, currency),
            lowest=adnet.Money("0.01", currency),
            highest=adnet.Money(worth, currency),  # no click is worth more than a conversion
        )
        for one in adnet.decide_bids(aim, ads, rows):
            if one.moves:
                print(f"{one.id}: {one.before} -> {one.after}, {one.reason}")
        if apply:
            plan = adnet.plan_bids(aim, ads, rows, network=account.network, account=name)
            result = await account.apply(plan, limits=LIMITS)
            print(f"{len(result) - len(result.failed)} of {len(result)} bids moved")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], apply="--apply" in sys.argv))
