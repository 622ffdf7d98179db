"""``adnet shares``: the keys that open an account's audiences to others."""

from collections.abc import Sequence
from typing import Any, Final

import click

from adnet.cli._call import Call, Group, run
from adnet.cli._changing import GO_ON, PLANNED, Manner, asking, shown
from adnet.cli._exits import DONE
from adnet.cli._objects import opened, shown_value
from adnet.cli._outcomes import Done, line_of, tell
from adnet.cli.output import Table
from adnet.models import Audience, Outcome, PlannedRequest, Removal, Share, Update

_KIND: Final = "shares"
_COLUMNS: Final = ("key", "kind", "payment", "price", "users", "audiences")


@click.group(cls=Group)
def command() -> None:
    """List the keys that open audiences to others, or remove them."""


@command.command("list")
@click.argument("account")
@click.pass_obj
def list_(call: Call, /, account: str) -> int:
    """List the keys of ACCOUNT, with whom they are for and what they open."""
    shares = run(_listed(call, account))
    rows = [[_cell(share, column) for column in _COLUMNS] for share in shares]
    call.out.result({_KIND: [_data(share) for share in shares]}, Table(_COLUMNS, rows))
    return DONE


async def _listed(call: Call, name: str) -> list[Share]:
    async with opened(call, name) as account:
        return [share async for share in account.list_shares()]


def _data(share: Share) -> dict[str, Any]:
    """Return a key as JSON values, without what the network sent."""
    audiences = [
        {"kind": one.kind, "audience_id": one.audience_id, "name": one.name} for one in share.audiences
    ]
    currency = share.price.currency if share.price is not None else None
    return {
        "key": share.key,
        "url": share.url,
        "kind": share.kind,
        "payment": share.payment,
        "price": shown_value(share.price),
        "currency": currency,
        "users": list(share.users),
        "audiences": audiences,
    }


def _cell(share: Share, column: str) -> Any:
    value = getattr(share, column)
    if column == "audiences":
        return ", ".join(map(_title, value))
    return ", ".join(value) if column == "users" else shown_value(value)


def _title(audience: Audience) -> str:
    return f"{audience.kind} {audience.name or audience.audience_id}"


@command.command("revoke")
@click.argument("account")
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@click.option(
    "--dry-run", is_flag=True, help="Tell what would stop, and print the exact requests; remove nothing."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def revoke(call: Call, /, account: str, keys: tuple[str, ...], **options: Any) -> int:
    """Remove each KEY of ACCOUNT; tells what that stops, then asks.

    Campaigns of others that use what a key opened stop, and their owners are told by mail.
    """
    manner = Manner(**options)
    return tell(call, run(_revoke(call, account, list(dict.fromkeys(keys)), manner), go_on=GO_ON))


async def _revoke(call: Call, name: str, keys: Sequence[str], manner: Manner) -> Done:
    async with opened(call, name) as account:

        async def show(wanted: Sequence[Update]) -> Sequence[PlannedRequest]:
            return (await account.plan([Removal(update.id, _KIND) for update in wanted])).requests

        requests, outcomes = await shown([Update(key, {_KIND: None}) for key in keys], show)
        there = [key for key in keys if key not in outcomes]
        if manner.dry_run:
            outcomes |= dict.fromkeys(there, PLANNED)
            return Done(lines=_lines(outcomes, keys, planned=True), requests=requests)
        for request in requests:
            call.out.note(f"{', '.join(request.ids)}: {request.note}")
        if there:
            asking(call, manner)(f"remove {len(there)} {'key' if len(there) == 1 else _KIND} of {name}?")
            outcomes |= dict(zip(there, await account.revoke_shares(there), strict=True))
        return Done(lines=_lines(outcomes, keys))


def _lines(outcomes: dict[str, Outcome], keys: Sequence[str], *, planned: bool = False) -> list[Any]:
    return [line_of(key, outcomes[key], planned=planned) for key in keys]
