"""What is to be sent of each object, which of it fits into one request, and what came of it."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final

import attrs

from adnet.connectors.mytarget import changes as words
from adnet.connectors.mytarget import codec, routes
from adnet.connectors.mytarget.errors import UNKNOWN_OBJECTS, invalid
from adnet.connectors.mytarget.native.objects import Objects
from adnet.connectors.mytarget.urls import Registered
from adnet.errors import (
    AdnetError,
    InvalidRequestError,
    NotFoundError,
)
from adnet.models import Outcome, Update

BEFORE: Final = frozenset(route.operation for route in (routes.THROTTLING, *routes.USER.values()))
"""What is asked before anything else is sent: whose account it is, and what its limits are."""


@attrs.frozen(kw_only=True)
class Change:
    """One object's changes in the network's words, complete; or why they cannot be sent."""

    id: str
    fields: Mapping[str, Any] = attrs.field(factory=dict)
    error: AdnetError | None = None


@attrs.frozen(kw_only=True)
class Kind:
    """How one kind of object is changed."""

    name: str
    objects: Objects
    mass: frozenset[str]


def grouped(kind: Kind, changes: Sequence[Change]) -> list[Change]:
    """Return the changes that go out as mass actions: two at least, of fields that those take."""
    fit = [change for change in changes if change.fields.keys() <= kind.mass]
    return fit if len(fit) > 1 else []


def mass_items(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Return the items of a mass action."""
    return [{"id": int(change.id), **change.fields} for change in changes]


async def attempt(call: Awaitable[None], number: str) -> Outcome:
    """Return what came of one request."""
    try:
        await call
    except AdnetError as error:
        return failed(number, error)
    return Outcome(id=number, status="done")


async def removal(call: Awaitable[None], number: str) -> Outcome:
    """Return what came of one request that deletes; what a repeated one does not find is deleted."""
    outcome = await attempt(call, number)
    if isinstance(outcome.error, NotFoundError) and outcome.error.maybe_executed:
        note = "it was not there any more when the request had to be sent again"
        return Outcome(id=number, status="done", notes=(note,))
    return outcome


def failed(number: str | None, error: AdnetError) -> Outcome:
    """Return the outcome of a request that failed; a change that may have been made all the same is unknown."""
    half_done = error.status is not None and error.status < 300  # an error in an answer that says yes
    maybe = half_done or (error.maybe_executed and not isinstance(error, NotFoundError))
    return Outcome(id=number, status="unknown" if maybe else "failed", error=error)


def unsent(change: Change) -> Outcome:
    """Return the outcome of what was not sent: an error, or nothing that changes."""
    if change.error is not None:
        return refused(change.id, change.error)
    return Outcome(id=change.id, status="unchanged")


def refused(number: str | None, error: AdnetError) -> Outcome:
    """Return the outcome of what was not sent, because of *error*."""
    return Outcome(id=number, status="failed", error=error)


def by_object(updates: Sequence[Update]) -> dict[str, Update]:
    """Return one update for each object; of several the later ones count, field by field."""
    found: dict[str, Update] = {}
    for update in updates:
        before = found.get(update.id)
        fields = joined(before.fields, update.fields) if before else update.fields
        found[update.id] = attrs.evolve(update, fields=fields)
    return found


def joined(first: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
    """Return both changes as one; the later one counts where they meet."""
    both = dict(first)
    for name, value in then.items():
        old = both.get(name)
        nested = isinstance(old, Mapping) and isinstance(value, Mapping)
        both[name] = joined(old, value) if nested else value  # type: ignore[arg-type]
    return both


def translated(kind: str, update: Update, currency: str | None) -> Change:
    """Return an update in the network's words."""
    try:
        whole(update.id)
        found = (
            words.campaign_changes(update, currency) if kind == "campaigns" else words.banner_changes(update)
        )
    except AdnetError as error:
        return Change(id=update.id, error=error)
    return Change(id=update.id, fields=found)


def without_same_link(change: Change, stored: Mapping[str, Mapping[str, Any]]) -> Change:
    """Return *change* without a link that the banner has: registered anew it is another one, and is moderated."""
    try:
        if "url" not in change.fields or change.fields["url"] != codec.link(stored.get(change.id, {})):
            return change
    except AdnetError as error:
        return attrs.evolve(change, error=error)
    return attrs.evolve(change, fields={k: v for k, v in change.fields.items() if k != "url"})


def complete(change: Change, stored: Mapping[str, Mapping[str, Any]], urls: Registered) -> Change:
    """Return *change* as it is sent, completed by what is stored where the network replaces values whole."""
    if change.error is not None or not words.sections_to_read(change.fields):
        return change
    row = stored.get(change.id)
    if row is None:
        return attrs.evolve(change, error=NotFoundError(f"there is no object {change.id}", status=404))
    try:
        fields = words.with_text(change.fields, row)
        if (address := fields.pop("url", None)) is not None:
            fields["urls"] = {**fields.get("urls", {}), "primary": {"id": registered(urls, address)}}
        return attrs.evolve(change, fields=words.completed(fields, row))
    except AdnetError as error:
        return attrs.evolve(change, error=error)


def registered(urls: Registered, address: str) -> Any:
    """Return the id of an address; one that the network refused raises its error."""
    found = urls[address]
    if isinstance(found, AdnetError):
        raise found
    return found


async def placeholders(addresses: Sequence[str]) -> Registered:
    """Stand in for ids that only registering would tell."""
    return {address: f"<id of {address}>" for address in addresses}  # type: ignore[misc]


def numbered(change: Change) -> Change:
    """Return *change*, with an error if its id is none of this network."""
    try:
        whole(change.id)
    except AdnetError as error:
        return attrs.evolve(change, error=error)
    return change


def whole(number: str) -> int:
    """Return an id as a number. Raises InvalidRequestError."""
    if not number.isascii() or not number.isdecimal():
        raise invalid(f"an id of this network is a number, not {number!r}", id="not a number")
    return int(number)


def blamed(error: InvalidRequestError, changes: Sequence[Change]) -> dict[str, AdnetError]:
    """Return the errors of the objects that the refusal of a mass action names."""
    known = {change.id for change in changes}
    if error.code in UNKNOWN_OBJECTS:
        return {
            number: NotFoundError(f"there is no object {number}", status=error.status, code=error.code)
            for number in known & error.fields.keys()
        }
    fields: dict[str, dict[str, str]] = {}
    for path, message in error.fields.items():
        number, _, name = path.partition(".")
        if number in known:
            fields.setdefault(number, {})[name or "id"] = message
    return {
        number: InvalidRequestError(
            "; ".join(f"{name}: {message}" for name, message in named.items()),
            fields=named,
            status=error.status,
            code=error.code,
            network=error.network,
            account=error.account,
            operation=error.operation,
        )
        for number, named in fields.items()
    }
