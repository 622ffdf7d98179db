"""Changes on their way out: as few requests as the API allows, one outcome for each item, in order.

Status and budgets of several objects go out as mass actions, 200 at a time; everything else is a partial update of
one object. A mass action is all or nothing: the items that the network names are told as failed, and the others are
sent again without them.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import attrs

from adnet.connectors.mytarget import changes as words
from adnet.connectors.mytarget import codec
from adnet.connectors.mytarget.api import Api
from adnet.connectors.mytarget.errors import invalid
from adnet.connectors.mytarget.limits import MASS_LIMIT, PAGE_SIZE
from adnet.connectors.mytarget.native import MyTargetNative
from adnet.connectors.mytarget.native.objects import Objects
from adnet.connectors.mytarget.urls import Registered, UrlBook
from adnet.errors import (
    AdnetError,
    ConnectError,
    InvalidRequestError,
    LostReplyError,
    NotFoundError,
    TransportError,
)
from adnet.models import Outcome, PlannedRequest, Update
from adnet.operations.grouping import cut, in_batches
from adnet.operations.paginate import in_order
from adnet.transport.wire import Request, Route

WIDTH: Final = 8
"""Single requests under way at once; the limits decide how fast they go."""
_UNKNOWN: Final = re.compile(r"unknown_\w+")
_NUMBER: Final = re.compile(r"\d+")


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


class Writer:
    """Updates and deletes campaigns and banners.

    Args:
        api: Sends.
        native: The network's own client.
        urls: Registers addresses.
        currency: Tells the account's currency.
    """

    def __init__(
        self,
        api: Api,
        native: MyTargetNative,
        urls: UrlBook,
        currency: Callable[[], Awaitable[str | None]],
    ) -> None:
        self.campaign_field = api.profile.campaign_field
        """A banner's word for the campaign it belongs to."""
        self._api = api
        self._urls = urls
        self._currency = currency
        self.kinds = {
            "campaigns": Kind(name="campaigns", objects=native.campaigns, mass=words.CAMPAIGN_MASS),
            "ads": Kind(name="ads", objects=native.banners, mass=words.BANNER_MASS),
        }

    # ------------------------------------------------------------------ updates

    async def update(self, kind: str, updates: Sequence[Update]) -> list[Outcome]:
        """Send exactly what changes; one outcome for each update, in order."""
        wanted = _by_object(updates)
        prepared = await self.prepare(kind, list(wanted.values()), register=self._urls.register)
        outcomes = await self._send(self.kinds[kind], prepared)
        found = {change.id: outcome for change, outcome in zip(prepared, outcomes, strict=True)}
        return [found[update.id] for update in updates]

    async def prepare(
        self,
        kind: str,
        updates: Sequence[Update],
        *,
        register: Callable[[Sequence[str]], Awaitable[Registered]],
    ) -> list[Change]:
        """Return the changes of *updates* as they would be sent; what has to be known for that is read."""
        currency = await self._currency() if kind == "campaigns" else None
        translated = [_translated(kind, update, currency) for update in updates]
        stored = await self._stored(self.kinds[kind].objects, translated)
        addresses = [c.fields["url"] for c in translated if c.error is None and "url" in c.fields]
        urls = await register(addresses) if addresses else {}
        return [_complete(change, stored, urls) for change in translated]

    async def _stored(self, objects: Objects, changes: Sequence[Change]) -> dict[str, Mapping[str, Any]]:
        """Read what has to be completed, many objects in one request."""
        needed = {change.id: words.sections_to_read(change.fields) for change in changes if not change.error}
        ids = [number for number, sections in needed.items() if sections]
        fields = ["id", *sorted(frozenset[str]().union(*needed.values()))]
        found: dict[str, Mapping[str, Any]] = {}
        for part in cut(ids, PAGE_SIZE):
            async for page in objects.list(fields=fields, id__in=part):
                found.update({codec.object_id(row): row for row in page})
        return found

    async def _send(self, kind: Kind, changes: Sequence[Change]) -> list[Outcome]:
        ready = [change for change in changes if change.error is None and change.fields]
        massed = grouped(kind, ready)
        outcomes = dict(
            zip(
                (change.id for change in massed),
                await in_batches(massed, MASS_LIMIT, lambda batch: self._mass(kind, batch)),
                strict=True,
            )
        )
        singles = [change for change in ready if change.id not in outcomes]

        async def one(change: Change) -> Outcome:
            return await attempt(kind.objects.update(change.id, change.fields), change.id)

        done = [outcome async for outcome in in_order(singles, one, width=WIDTH)]
        outcomes.update({change.id: outcome for change, outcome in zip(singles, done, strict=True)})
        return [outcomes.get(change.id) or _unsent(change) for change in changes]

    async def _mass(self, kind: Kind, changes: Sequence[Change]) -> list[Outcome]:
        """Send one mass action; what it refuses is told, the rest is sent without it."""
        try:
            await kind.objects.mass_action(mass_items(changes))
        except InvalidRequestError as error:
            return await self._without_refused(kind, changes, error)
        except AdnetError as error:
            return [failed(change.id, error) for change in changes]
        return [Outcome(id=change.id, status="done") for change in changes]

    async def _without_refused(
        self, kind: Kind, changes: Sequence[Change], error: InvalidRequestError
    ) -> list[Outcome]:
        blamed = _blamed(error, changes)
        if len(changes) == 1 or len(blamed) == len(changes):
            return [failed(change.id, blamed.get(change.id, error)) for change in changes]
        rest = [change for change in changes if change.id not in blamed]
        if blamed:
            parts: list[Sequence[Change]] = [rest]
        else:  # nobody was named: halves find out who it is
            parts = [rest[: len(rest) // 2], rest[len(rest) // 2 :]]
        outcomes = {
            change.id: failed(change.id, blamed[change.id]) for change in changes if change.id in blamed
        }
        for part in parts:
            found = await self._mass(kind, part)
            outcomes.update({change.id: outcome for change, outcome in zip(part, found, strict=True)})
        return [outcomes[change.id] for change in changes]

    # ------------------------------------------------------------------ deleting

    async def delete(self, kind: str, ids: Sequence[str]) -> list[Outcome]:
        """Delete objects; several go out as one mass action, since deleted is a status here."""
        chosen = self.kinds[kind]
        changes = [
            _numbered(Change(id=number, fields={"status": "deleted"})) for number in dict.fromkeys(ids)
        ]
        good = [change for change in changes if change.error is None]
        if len(good) == 1:
            outcomes = [await attempt(chosen.objects.delete(good[0].id), good[0].id)]
        else:
            outcomes = await in_batches(good, MASS_LIMIT, lambda batch: self._mass(chosen, batch))
        found = {change.id: outcome for change, outcome in zip(good, outcomes, strict=True)}
        found.update({change.id: _unsent(change) for change in changes if change.error is not None})
        return [found[number] for number in ids]

    # ------------------------------------------------------------------ plans

    async def express_update(self, kind: str, updates: Sequence[Update]) -> list[PlannedRequest]:
        """Return the requests that *updates* would take; what has to be known for that is read."""
        chosen = self.kinds[kind]
        changes = await self.prepare(kind, list(_by_object(updates).values()), register=_placeholders)
        for change in changes:
            if change.error is not None:
                raise change.error
        ready = [change for change in changes if change.fields]
        massed = grouped(chosen, ready)
        requests = [
            self.planned(chosen.objects.routes.mass, **chosen.objects.mass(mass_items(batch)))
            for batch in cut(massed, MASS_LIMIT)
        ]
        route = self._api.update_route(chosen.objects.routes.update)
        singles = [change for change in ready if change not in massed]
        requests += [self.planned(route, path={"id": c.id}, json=c.fields) for c in singles]
        return requests

    def express_delete(self, kind: str, ids: Sequence[str]) -> list[PlannedRequest]:
        """Return the requests that deleting *ids* would take."""
        objects = self.kinds[kind].objects
        if len(ids) == 1 and objects.routes.delete is not None:
            return [self.planned(objects.routes.delete, path={"id": ids[0]})]
        items = [{"id": _whole(number), "status": "deleted"} for number in ids]
        return [self.planned(objects.routes.mass, **objects.mass(batch)) for batch in cut(items, MASS_LIMIT)]

    def planned(self, route: Route, *, note: str | None = None, **parts: Any) -> PlannedRequest:
        """Return a request as it would be sent, without credentials."""
        request: Request = self._api.build(route, **parts)
        body = request.body.decode() if isinstance(request.body, bytes) else None
        return PlannedRequest(method=route.method, url=request.url, body=body, note=note)


# ---------------------------------------------------------------------- small things


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


def failed(number: str | None, error: AdnetError) -> Outcome:
    """Return the outcome of an error; a write whose reply was lost may have been executed."""
    lost = isinstance(error, LostReplyError) or (
        isinstance(error, TransportError) and not isinstance(error, ConnectError)
    )
    return Outcome(id=number, status="unknown" if lost else "failed", error=error)


def _unsent(change: Change) -> Outcome:
    if change.error is not None:
        return failed(change.id, change.error)
    return Outcome(id=change.id, status="unchanged")


def _by_object(updates: Sequence[Update]) -> dict[str, Update]:
    """Return one update for each object; of several the later ones count, field by field."""
    found: dict[str, Update] = {}
    for update in updates:
        before = found.get(update.id)
        fields = _joined(before.fields, update.fields) if before else update.fields
        found[update.id] = attrs.evolve(update, fields=fields)
    return found


def _joined(first: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(first)
    for name, value in then.items():
        old = both.get(name)
        nested = isinstance(old, Mapping) and isinstance(value, Mapping)
        both[name] = _joined(old, value) if nested else value  # type: ignore[arg-type]
    return both


def _translated(kind: str, update: Update, currency: str | None) -> Change:
    try:
        _whole(update.id)
        found = (
            words.campaign_changes(update, currency) if kind == "campaigns" else words.banner_changes(update)
        )
    except AdnetError as error:
        return Change(id=update.id, error=error)
    return Change(id=update.id, fields=found)


def _complete(change: Change, stored: Mapping[str, Mapping[str, Any]], urls: Registered) -> Change:
    if change.error is not None or not words.sections_to_read(change.fields):
        return change
    row = stored.get(change.id)
    if row is None:
        return attrs.evolve(change, error=NotFoundError(f"there is no object {change.id}", status=404))
    try:
        fields = words.with_text(change.fields, row)
        if (address := fields.pop("url", None)) is not None:
            fields["urls"] = {**fields.get("urls", {}), "primary": {"id": _registered(urls, address)}}
        return attrs.evolve(change, fields=words.completed(fields, row))
    except AdnetError as error:
        return attrs.evolve(change, error=error)


def _registered(urls: Registered, address: str) -> Any:
    found = urls[address]
    if isinstance(found, AdnetError):
        raise found
    return found


async def _placeholders(addresses: Sequence[str]) -> Registered:
    """Stand in for ids that only registering would tell."""
    return {address: f"<id of {address}>" for address in addresses}  # type: ignore[misc]


def _numbered(change: Change) -> Change:
    try:
        _whole(change.id)
    except AdnetError as error:
        return attrs.evolve(change, error=error)
    return change


def _whole(number: str) -> int:
    if not number.isascii() or not number.isdecimal():
        raise invalid(f"an id of this network is a number, not {number!r}", id="not a number")
    return int(number)


def _blamed(error: InvalidRequestError, changes: Sequence[Change]) -> dict[str, AdnetError]:
    """Return the errors of the objects that the refusal of a mass action names."""
    known = {change.id for change in changes}
    if error.code and _UNKNOWN.fullmatch(error.code):
        gone = known & set(_NUMBER.findall(error.message))
        return {
            number: NotFoundError(f"there is no object {number}", status=error.status, code=error.code)
            for number in gone
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
