"""A report in two sittings: ask for it and go away; read it later, in another process.

A report job is a value. Storing its JSON is all it takes to go on; it holds no secret. One that the network has cut
is refused; `account.run_report` asks for as many reports as it takes.

    python examples/04_report_jobs.py targetcircle ask job.json
    python examples/04_report_jobs.py targetcircle read job.json
"""

import asyncio
import sys
from datetime import date
from pathlib import Path

import adnet

DAYS = adnet.Period.of(date(2026, 10, 1), date(2026, 10, 3))


async def ask(name: str) -> adnet.ReportJob:
    async with adnet.open(only=[name]) as accounts:
        return await accounts[name].submit_report(adnet.ReportQuery(kind="clicks", period=DAYS))


async def read(name: str, asked: adnet.ReportJob) -> None:
    async with adnet.open(only=[name]) as accounts:
        async for news in accounts[name].follow_report(asked):
            print(f"{news.query.kind}: {news.state}")
        countries = [click.country async for click in accounts[name].read_report(news)]
        print(f"{len(countries)} clicks from {len(set(countries))} countries")


if __name__ == "__main__":
    _, account, verb, file = sys.argv
    if verb == "ask":
        job = asyncio.run(ask(account))
        Path(file).write_text(job.to_json())
        print(f"{job.query.kind}: {job.state}")
    else:
        asyncio.run(read(account, adnet.ReportJob.from_json(Path(file).read_text())))
