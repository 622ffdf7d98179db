"""``list``, ``set``, ``pause``, ``resume`` and ``delete``: the same commands for campaigns and for ads."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import click

from adnet.cli._call import Call, Group, run
from adnet.cli._changing import GO_ON, Manner, asking, change, delete
from adnet.cli._exits import code_of_some, sentence
from adnet.cli._fields import Assignment, check_assignments, split_words
from adnet.cli._objects import ADS, Choice, Kind, chosen, data_of, listing, opened
from adnet.cli._outcomes import Done, tell
from adnet.client import Account
from adnet.errors import AdnetError
from adnet.models import Ad, Campaign
from adnet.models.words import Status

F = TypeVar("F", bound=Callable[..., Any])

_STATUSES = click.Choice(Status.__args__)  # type: ignore[attr-defined]


def group_of(kind: Kind) -> click.Group:
    """Return the commands for one kind of object."""

    @click.group(cls=Group, help=f"List, change, pause, resume or delete {kind.name} of an account.")
    def command() -> None:
        pass

    for add in (_add_list, _add_set, _add_pause_and_resume, _add_delete):
        add(command, kind)
    return command


def _choosing(kind: Kind, *, changes: bool) -> Callable[[F], F]:
    """Return what adds the options that choose objects."""
    options = [
        click.option("--status", multiple=True, type=_STATUSES, help=f"Only {kind.name} of this; repeatable.")
    ]
    if kind is ADS:
        options.append(
            click.option("--campaign", "campaigns", multiple=True, metavar="ID", help="Only ads of this.")
        )
    if changes:
        options.append(
            click.option("--all", "everything", is_flag=True, help=f"All {kind.name} of the account.")
        )
    return _all_of(options)


def _changing(function: F) -> F:
    """Add the options that say how a change is made."""
    dry = click.option(
        "--dry-run", is_flag=True, help="Print the exact requests; send none that changes anything."
    )
    force = click.option(
        "--force", is_flag=True, help="Do it even if it moves budgets, bids or many objects a lot."
    )
    return dry(force(function))


def _all_of(options: Sequence[Callable[[F], F]]) -> Callable[[F], F]:
    def add(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def _choice(ids: Sequence[str], options: dict[str, Any]) -> Choice:
    return Choice(
        ids=tuple(dict.fromkeys(ids)),
        status=options.pop("status"),
        campaigns=options.pop("campaigns", ()),
        everything=options.pop("everything", False),
    )


def _add_list(group: click.Group, kind: Kind) -> None:
    @group.command("list", help=f"List {kind.name}: those with an ID given, else all of the account.")
    @click.argument("account")
    @click.argument("ids", nargs=-1, metavar="[ID]...")
    @_choosing(kind, changes=False)
    @click.pass_obj
    def list_(call: Call, /, account: str, ids: tuple[str, ...], **options: Any) -> int:
        things, errors = run(_list(call, account, kind, _choice(ids, options)))
        call.out.result({kind.name: [data_of(thing) for thing in things]}, listing(things, kind))
        call.out.problems(map(sentence, errors))
        return code_of_some(errors, landed=bool(things))


async def _list(
    call: Call, name: str, kind: Kind, choice: Choice
) -> tuple[list[Campaign | Ad], list[AdnetError]]:
    async with opened(call, name) as account:
        found = await chosen(account, kind, choice)
    return [one.thing for one in found if one.thing is not None], [one.error for one in found if one.error]


def _add_set(group: click.Group, kind: Kind) -> None:
    @group.command(
        "set",
        short_help=f"Set fields of {kind.name}; what differs is sent, nothing else.",
        help=f"""Set fields of {kind.name}: each FIELD=VALUE, of {", ".join(kind.fields)}.

        Amounts are in the account's currency, days like 2026-01-31, `none` takes a limit away; keys below a
        nested field are named with points and take JSON, e.g. 'targeting.geo.regions=[188]'. What differs from
        the present value is sent, nothing else.""",
    )
    @click.argument("account")
    @click.argument("words", nargs=-1, metavar="[ID]... FIELD=VALUE...")
    @_choosing(kind, changes=True)
    @_changing
    @click.pass_obj
    def set_(call: Call, /, account: str, words: tuple[str, ...], **options: Any) -> int:
        ids, pairs = split_words(words)
        choice = _choice(ids, options)
        check_assignments(pairs, kind.fields)
        return _change(call, account, kind, choice, pairs, Manner(**options))


def _add_pause_and_resume(group: click.Group, kind: Kind) -> None:
    for verb, status, what in (("pause", "paused", "Pause"), ("resume", "active", "Resume")):
        pair = Assignment(("status",), status)

        @group.command(verb, help=f"{what} {kind.name}; those that are so already are left alone.")
        @click.argument("account")
        @click.argument("ids", nargs=-1, metavar="[ID]...")
        @_choosing(kind, changes=True)
        @_changing
        @click.pass_obj
        def switch(
            call: Call, /, account: str, ids: tuple[str, ...], pair: Assignment = pair, **options: Any
        ) -> int:
            choice = _choice(ids, options)
            return _change(call, account, kind, choice, [pair], Manner(**options))


def _change(
    call: Call, name: str, kind: Kind, choice: Choice, pairs: Sequence[Assignment], manner: Manner
) -> int:
    choice.check(kind)

    async def work(account: Account) -> Done:
        return await change(account, kind, choice, pairs, manner)

    return tell(call, run(_in_account(call, name, work), go_on=GO_ON))


def _add_delete(group: click.Group, kind: Kind) -> None:
    @group.command("delete", help=f"Delete {kind.name}; asks first.")
    @click.argument("account")
    @click.argument("ids", nargs=-1, metavar="[ID]...")
    @_choosing(kind, changes=True)
    @_changing
    @click.option("--yes", is_flag=True, help="Do not ask.")
    @click.pass_obj
    def delete_(call: Call, /, account: str, ids: tuple[str, ...], **options: Any) -> int:
        choice = _choice(ids, options)
        choice.check(kind)
        manner = Manner(**options)

        async def work(opened_account: Account) -> Done:
            return await delete(opened_account, kind, choice, manner, asking(call, manner))

        return tell(call, run(_in_account(call, account, work), go_on=GO_ON))


async def _in_account(call: Call, name: str, work: Callable[[Account], Coroutine[Any, Any, Done]]) -> Done:
    async with opened(call, name) as account:
        return await work(account)
