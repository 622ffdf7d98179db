"""One process of several on one state: asks for its account over and over, or is killed while it refreshes.

Run as ``python worker.py MODE STATE BASE_URL CLIENT_ID CLIENT_SECRET SECONDS [NAME]``.
"""

import asyncio
import os
import signal
import sys
import time

import adnet
from adnet.state.tokens import TokenStore


def die(*_args: object, **_options: object) -> None:
    """Be killed, as by the machine: nothing runs after this."""
    os.kill(os.getpid(), signal.SIGKILL)


async def main(
    mode: str,
    state: str,
    base_url: str,
    client_id: str,
    client_secret: str,
    seconds: str,
    name: str = "shop",
) -> None:
    """Ask every 30 ms for so many seconds; tell how many answers there were, or that it was refused."""
    account = adnet.connect(
        "mytarget",
        base_url=base_url,
        state=f"sqlite:{state}",
        client_id=client_id,
        client_secret=client_secret,
        name=name,
        configured=("shop", "one", "two"),
    )
    if mode == "killed":
        TokenStore.save = die  # type: ignore[method-assign, assignment]
    answers, end = 0, time.monotonic() + float(seconds)
    async with account:
        while time.monotonic() < end:
            await account.native.user.get()
            answers += 1
            await asyncio.sleep(0.03)
    sys.stdout.write(f"{answers}\n")


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:]))
    except adnet.ConfigurationError as error:
        sys.exit(error.message)
