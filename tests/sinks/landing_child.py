"""A process that lands in rounds, to be killed while it does; see `test_kills.py`.

    python landing_child.py URI FIRST_ROUND [--accounts N] [--die N] [--fsize BYTES] [--hold]

It writes ``open`` once the sink is open, then the number of each round that it has committed.
"""

import argparse
import asyncio
import os
import resource
import sys

from sink_kit import START, transactions

from adnet.errors import SinkError
from adnet.models.tables import Columns
from adnet.sinks import open_sink

ROUNDS = 4
STEPS = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "open"}


def rows_of(round_: int) -> Columns:
    """Return what the network says in a round: more rows each time, and every fifth restated."""
    columns = transactions(2_000 + 500 * round_)
    for place in range(len(columns["status"])):
        columns["status"][place] = status_of(place, round_)
    return columns


def status_of(place: int, round_: int) -> str:
    """Return the status of one row in one round."""
    last = max((n for n in range(1, round_ + 1) if place % 5 == n), default=0)
    return f"s{last}"


def restatements(rounds: int) -> int:
    """Return how many rows go to the history in *rounds*, when each is landed once."""
    return sum(
        status_of(place, n) != status_of(place, n - 1)
        for n in range(1, rounds)
        for place in range(1_500 + 500 * n)
    )


def die_at(step: int) -> None:
    """Leave without a word at the *step*-th change of the file system."""
    left = step

    def watch(event: str, args: tuple[object, ...]) -> None:
        nonlocal left
        if event in STEPS and not (event == "open" and "r" in str(args[1] or "")):
            left -= 1
            if left == 0:
                os._exit(9)

    sys.addaudithook(watch)


async def land(uri: str, first: int, *, accounts: int, hold: bool, die: int) -> None:
    async with open_sink(uri) as sink:
        sys.stdout.write("open\n")
        sys.stdout.flush()
        if hold:
            sys.stdin.read()
        for number in range(first, ROUNDS):
            if die and number == ROUNDS - 1:
                die_at(die)
            names = ["acc", *(f"acc{other}" for other in range(1, accounts))]
            landings = [sink.landing(network="net", account=name, fetched_at=START) for name in names]
            columns = rows_of(number)
            for start in range(0, len(columns["raw"]), 700):
                piece = {name: values[start : start + 700] for name, values in columns.items()}
                for landing in landings:
                    await landing.write("transactions", piece)
            await asyncio.gather(*(landing.commit() for landing in landings))
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("uri")
    parser.add_argument("first", type=int)
    parser.add_argument("--accounts", type=int, default=1)
    parser.add_argument("--die", type=int, default=0)
    parser.add_argument("--fsize", type=int)
    parser.add_argument("--hold", action="store_true")
    given = parser.parse_args()
    if given.fsize:
        resource.setrlimit(resource.RLIMIT_FSIZE, (given.fsize, given.fsize))
    try:
        asyncio.run(land(given.uri, given.first, accounts=given.accounts, hold=given.hold, die=given.die))
    except SinkError as error:
        sys.stdout.write(f"SinkError: {error}\n")


if __name__ == "__main__":
    main()
