"""Changes from the command line: read first, compare, count, then send exactly what differs, or only show it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from adnet import registry
from adnet.cli._call import Call, confirm
from adnet.cli._fields import Assignment, assigned
from adnet.cli._objects import Choice, Found, Kind, chosen, title_of
from adnet.cli._outcomes import Done, Line, line_of
from adnet.client import Account
from adnet.errors import AdnetError, UnsupportedError
from adnet.interface import WritesAds
from adnet.models import Outcome, Plan, PlannedRequest, Update
from adnet.operations.diff import diff
from adnet.operations.plan import PlanLimits, check_plan, count_plan

GO_ON: Final = "what was sent before that may have been done; list the objects to see"
LIMITS: Final = PlanLimits(deleted=20)
PLANNED: Final = Outcome(status="done")
"""Of what would be sent, as far as can be told."""
_DELETED: Final = "deleted"
"""Stands for a deletion among updates; no object has such a field."""
_NESTED: Final = frozenset({"targeting", "tracking", "extra"})


@attrs.frozen(kw_only=True)
class Manner:
    """How a change is made."""

    dry_run: bool = False
    force: bool = False
    """Whether a plan that moves much is meant."""
    yes: bool = False
    """Whether nobody has to be asked."""
    limits: PlanLimits = LIMITS


async def change(
    account: Account, kind: Kind, choice: Choice, pairs: Sequence[Assignment], manner: Manner
) -> Done:
    """Set fields of objects, those that differ only.

    Raises:
        UnsafePlanError: The change moves too much and is not forced; nothing was sent.
    """
    complete = any(pair.field in _NESTED for pair in pairs)
    found = _standing(await chosen(account, kind, choice, complete=complete), choice)
    updates = await _updates(account, kind, found, pairs)
    things = [one.thing for one in found if one.thing is not None]
    plan = Plan(
        network=account.network,
        account=account.name,
        updates=tuple(updates.values()),
        counts=count_plan(updates.values(), things, paid_extra=account.connector.paid_extra),
    )
    return await carry_out(account, kind, plan, found, manner)


async def carry_out(account: Account, kind: Kind, plan: Plan, found: Sequence[Found], manner: Manner) -> Done:
    """Make the updates of *plan*, or show them, and return a line for each object that was *found*.

    Raises:
        UnsafePlanError: It moves too much and is not forced; nothing was sent.
    """

    async def send(wanted: Sequence[Update]) -> Iterable[Outcome]:
        return await getattr(account, f"update_{kind.name}")(wanted)  # type: ignore[no-any-return]

    async def show(wanted: Sequence[Update]) -> Sequence[PlannedRequest]:
        return (await account.plan(wanted, kind=kind.name)).requests

    updates = {one.id: Update(one.id) for one in found if one.thing is not None}
    updates |= {update.id: update for update in plan.updates}
    return await _carry_out(plan, found, updates, manner, send=send, show=show)


async def delete(
    account: Account, kind: Kind, choice: Choice, manner: Manner, ask: Callable[[str], None]
) -> Done:
    """Delete objects that are there, once *ask* has returned.

    Raises:
        UnsafePlanError: These are too many, and not forced; nothing was sent.
    """
    found = _standing(await chosen(account, kind, choice), choice)
    there = {one.id: Update(one.id, {_DELETED: True}, kind.name) for one in found if one.thing is not None}
    plan = Plan(network=account.network, account=account.name, counts=count_plan([], [], deleted=list(there)))

    async def send(wanted: Sequence[Update]) -> Iterable[Outcome]:
        going = [one for one in found if one.thing is not None]
        names = ", ".join(title_of(one.thing) or one.id for one in going[:5])
        more = f" and {len(wanted) - 5} more" if len(wanted) > 5 else ""
        what = kind.one if len(wanted) == 1 else kind.name
        ask(f"delete {len(wanted)} {what} of {account.name} ({names}{more})?")
        return await getattr(account, f"delete_{kind.name}")([update.id for update in wanted])  # type: ignore[no-any-return]

    async def show(wanted: Sequence[Update]) -> Sequence[PlannedRequest]:
        ids = [update.id for update in wanted]
        return await express(account, kind.name, "delete", ids)

    return await _carry_out(plan, found, there, manner, send=send, show=show)


def _standing(found: Sequence[Found], choice: Choice) -> list[Found]:
    """Leave out what is deleted unless it was asked for: at some networks a change of its status brings it back."""
    if choice.ids or _DELETED in choice.status:
        return list(found)
    return [one for one in found if one.thing is None or one.thing.status != _DELETED]


async def express(account: Account, what: str, verb: str, items: Sequence[Any]) -> Sequence[PlannedRequest]:
    """Return the requests of a change that is no update, without sending them.

    Raises:
        UnsupportedError: The network has no such change, or cannot show it.
    """
    for operation in (f"{verb}_{what}", "plan"):
        if not account.capabilities.supports(operation):
            able = registry.supporting(operation)
            raise UnsupportedError(
                f"{account.network} cannot serve {operation}; {', '.join(able) or 'none'} can",
                account=account.name,
                instead=able,
            )
    await account.open()
    return await account.connector.express(what, verb, items)  # type: ignore[attr-defined, no-any-return]


async def _updates(
    account: Account, kind: Kind, found: Sequence[Found], pairs: Sequence[Assignment]
) -> dict[str, Update]:
    """Return an update for each object that is there; those that change nothing are empty."""
    updates = {}
    currency: str | None = None
    asked = False
    held = account.connector.held_words if isinstance(account.connector, WritesAds) else frozenset()
    pauses = any((pair.field, pair.text) == ("status", "paused") for pair in pairs)
    for one in found:
        if one.thing is None:
            continue
        own = one.thing.currency
        if own is None and not asked:
            currency, asked = (await account.get_account()).currency, True
        update = diff(one.thing, assigned(one.thing, pairs, kind.fields, own or currency))
        if pauses and one.thing.status_raw in held:
            update = attrs.evolve(update, fields={**update.fields, "status": "paused"})
        updates[one.id] = update
    return updates


async def _carry_out(
    plan: Plan,
    found: Sequence[Found],
    updates: Mapping[str, Update],
    manner: Manner,
    *,
    send: Callable[[Sequence[Update]], Awaitable[Iterable[Outcome]]],
    show: Callable[[Sequence[Update]], Awaitable[Sequence[PlannedRequest]]],
) -> Done:
    """Send what differs, or show it, and return a line for each object in order."""
    wanted = [update for update in updates.values() if update]
    unsafe = _unsafe(plan, manner.limits)
    if not manner.dry_run:
        check_plan(plan, manner.limits, force=manner.force)
        outcomes = list(await send(wanted)) if wanted else []
        came = {update.id: outcome for update, outcome in zip(wanted, outcomes, strict=True)}
        lines = [_line(one, updates.get(one.id), came.get(one.id)) for one in found]
        return Done(lines=lines, counts=plan.counts)
    requests, refused = await shown(wanted, show)
    would = refused | dict.fromkeys(touched(updates.keys() - refused.keys(), requests), PLANNED)
    lines = [_line(one, updates.get(one.id), would.get(one.id), planned=True) for one in found]
    return Done(lines=lines, counts=plan.counts, requests=requests, unsafe=unsafe)


def _unsafe(plan: Plan, limits: PlanLimits) -> str:
    try:
        check_plan(plan, limits)
    except AdnetError as error:
        return error.message
    return ""


async def shown(
    wanted: Sequence[Update], show: Callable[[Sequence[Update]], Awaitable[Sequence[PlannedRequest]]]
) -> tuple[list[PlannedRequest], dict[str, Outcome]]:
    """Return the requests of all together; where that is refused, of those that are not, and the refusals by id."""
    if not wanted:
        return [], {}
    try:
        return list(await show(wanted)), {}
    except AdnetError as error:
        if len(wanted) == 1:
            return [], {wanted[0].id: Outcome(status="failed", error=error)}
    refused: dict[str, Outcome] = {}
    for update in wanted:
        refused |= (await shown([update], show))[1]
    good = [update for update in wanted if update.id not in refused]
    return list(await show(good)) if good else [], refused


def touched(ids: Iterable[str], requests: Sequence[PlannedRequest]) -> set[str]:
    """Return those of *ids* that the requests change, as far as they tell what they change."""
    if not all(request.ids for request in requests):
        return set(ids)
    return set(ids) & {number for request in requests for number in request.ids}


def _line(one: Found, update: Update | None, outcome: Outcome | None, *, planned: bool = False) -> Line:
    thing = one.thing
    if thing is None or update is None:
        return Line(id=one.id, outcome="failed", error=one.error)
    if not update or outcome is None:
        return Line(id=one.id, name=title_of(thing), outcome="unchanged")
    fields = {name: value for name, value in update.fields.items() if name != _DELETED}
    changes = {name: (getattr(thing, name, None), value) for name, value in fields.items()}
    return line_of(one.id, outcome, name=title_of(thing), changes=changes, planned=planned)


def asking(call: Call, manner: Manner) -> Callable[[str], None]:
    """Return what asks before something is deleted, and raises unless the answer is yes."""

    def ask(question: str) -> None:
        if not manner.yes:
            confirm(call, question, "nothing was deleted; say --yes to delete without being asked")

    return ask
