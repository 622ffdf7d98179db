"""What did an affiliate network pay us, by status? Rows are read as they come; nothing is stored.

Run it against an imitation network:

    adnet sandbox serve targetcircle --write-config adnet.toml &
    python examples/01_first_report.py targetcircle
"""

import asyncio
import sys
from collections import Counter
from datetime import date

import adnet

SINCE, UNTIL = date(2026, 10, 1), date(2026, 10, 8)  # up to, but without, the 8th


async def main(name: str) -> None:
    number: Counter[tuple[str, str]] = Counter()
    total: dict[tuple[str, str], adnet.Money] = {}
    async with adnet.open(only=[name]) as accounts:
        async for transaction in accounts[name].list_transactions(since=SINCE, until=UNTIL):
            if (commission := transaction.commission) is not None:
                key = transaction.status, commission.currency
                number[key] += 1
                total[key] = total[key] + commission if key in total else commission
    for (status, currency), commission in sorted(total.items()):
        print(f"{status:10} {number[status, currency]:6} {commission}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
