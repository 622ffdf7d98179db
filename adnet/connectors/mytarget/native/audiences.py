"""Users lists, segments and their relations, counters and their goals, sharing keys, in the network's own words.

Source: VK Ads "RemarketingUsersList", "RemarketingSegment", "RemarketingCounter", "SharingKeys" (documented);
myTarget help "Provide the segment to an advertiser" (documented).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

import attrs

from adnet.connectors.mytarget import routes
from adnet.connectors.mytarget.api import Api, joined
from adnet.connectors.mytarget.errors import invalid
from adnet.connectors.mytarget.ledger import field_names
from adnet.connectors.mytarget.limits import LIST_BYTES
from adnet.connectors.mytarget.multipart import Upload, multipart
from adnet.connectors.mytarget.native.objects import Filter, Rows, listing
from adnet.errors import JobTimeoutError
from adnet.models import Raw

READY: Final = "ready"
"""Status of a users list that can be used."""
LIST_TYPES: Final = (
    "ok",
    "mm",
    "vk",
    "phones",
    "emails",
    "device_id",
    "android_id",
    "advertising_id",
    "idfa",
    "dmp_id",
    "dmp_top",
    "mac",
    "mparticle",
    "human",
)
"""What the ids of a list are; telephone numbers and addresses may be hashed (MD5)."""


class UsersLists:
    """Lists of people, uploaded as files with one id a line."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def list(self, *, fields: Sequence[str] | None = None, **filters: Filter | None) -> Rows:
        """Return own lists and those opened by a key."""
        return await self._api.all(routes.LIST_USERS_LISTS, uncounted=True, query=listing(fields, filters))

    async def get(self, number: str, *, fields: Sequence[str] | None = None) -> Raw:
        """Return one list. Raises NotFoundError."""
        query = listing(fields, {})
        return await self._api.one(routes.GET_USERS_LIST, path={"id": number}, query=query)

    async def create(self, *, name: str, kind: str, upload: Upload, base: int = 0) -> Raw:
        """Upload a list and return it; its ``status`` goes on to ``ready`` by itself.

        Args:
            name: For people.
            kind: One of LIST_TYPES.
            upload: The file, 2,000 to 5,000,000 lines (25 for a differential list) and 128 MB at most. It is
                streamed and never held whole.
            base: 0 makes a base list; N adds the ids to list N, -N takes them away, for everybody with whom list
                N is shared.

        Raises:
            InvalidRequestError: ``fields`` names the lines that are wrong; never what stands in them.
            AccessDeniedError: The base list is somebody else's.
            LostReplyError: It may have been uploaded.
        """
        if kind not in LIST_TYPES:
            raise invalid(
                f"there is no type {kind!r} of users lists; there are {', '.join(LIST_TYPES)}", type=kind
            )
        if isinstance(upload.content, bytes) and len(upload.content) > LIST_BYTES:
            raise invalid(f"a users list has at most {LIST_BYTES} bytes", file="too large")
        content_type, body = multipart({"name": name, "type": kind, "base": str(base)}, upload)
        request = self._api.build(
            routes.CREATE_USERS_LIST,
            headers={"Content-Type": content_type},
            facts={"fields": ("name", "type", "base", "file")},
        )
        return await self._api.made(attrs.evolve(request, body=body))

    async def until_ready(self, number: str, *, timeout_s: float = 3600.0) -> Raw:
        """Wait until a list can be used, and return it; asked for ever more rarely.

        Raises:
            JobTimeoutError: It was not ready in time; it goes on all the same.
        """
        clock = self._api.clock
        end, pause_s = clock.monotonic() + timeout_s, 1.0
        while (row := await self.get(number)).get("status") != READY:
            if clock.monotonic() + pause_s > end:
                raise JobTimeoutError(f"users list {number} is {row.get('status')!r} after {timeout_s:.0f} s")
            await clock.sleep(pause_s)
            pause_s = min(pause_s * 2, 60.0)
        return row

    async def rename(self, number: str, name: str) -> None:
        """Give a list another name."""
        await self._api.update(routes.UPDATE_USERS_LIST, {"name": name}, path={"id": number})

    async def delete(self, number: str) -> None:
        """Delete an own list, or give back one that was opened by a key. Raises ConflictError while used."""
        await self._api.call(routes.DELETE_USERS_LIST, path={"id": number})

    async def close_for(self, number: str, user_id: str) -> None:
        """Close an own list for one of those who activated it; their campaigns that use it stop."""
        await self._api.call(routes.CLOSE_USERS_LIST, path={"id": number, "user_id": user_id})


class Segments:
    """Audiences made of sources: who is in at least ``pass_condition`` of the relations."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(self, *, fields: Sequence[str] | None = None, **filters: Filter | None) -> AsyncIterator[Rows]:
        """Yield own segments and those opened by a key, a page at a time."""
        return self._api.pages(routes.LIST_SEGMENTS, query=listing(fields, filters))

    async def get(self, number: str, *, fields: Sequence[str] | None = None) -> Raw:
        """Return one segment. Raises NotFoundError."""
        query = listing(fields, {})
        return await self._api.one(routes.GET_SEGMENT, path={"id": number}, query=query)

    async def create(self, body: Mapping[str, Any]) -> Raw:
        """Create a segment from ``name``, ``pass_condition`` and ``relations``."""
        facts = {"fields": field_names(body)}
        return await self._api.one(routes.CREATE_SEGMENT, json=body, facts=facts)

    async def update(self, number: str, changes: Mapping[str, Any]) -> None:
        """Change ``name`` or ``pass_condition``."""
        await self._api.update(routes.UPDATE_SEGMENT, changes, path={"id": number})

    async def delete(self, number: str) -> None:
        """Delete an own segment, or give back a shared one. Raises ConflictError while it is used."""
        await self._api.call(routes.DELETE_SEGMENT, path={"id": number})

    async def relations(self, number: str) -> Rows:
        """Return what a segment is made of."""
        query = {"fields": "id,object_id,object_type,params"}
        return await self._api.all(routes.LIST_RELATIONS, path={"id": number}, query=query)

    async def add_relations(self, number: str, items: Sequence[Mapping[str, Any]]) -> Rows:
        """Add relations, all or none."""
        return await self._api.items(
            routes.ADD_RELATIONS, path={"id": number}, json={"items": list(items)}, objects=len(items)
        )

    async def update_relation(self, number: str, relation_id: str, params: Mapping[str, Any]) -> None:
        """Set a relation's ``params``."""
        path = {"id": number, "relation_id": relation_id}
        await self._api.update(routes.UPDATE_RELATION, {"params": params}, path=path)

    async def delete_relations(self, number: str, ids: Sequence[str]) -> None:
        """Remove relations, all in one request; at least ``pass_condition`` must remain."""
        path = {"id": number, "ids": joined(ids)}
        await self._api.call(routes.DELETE_RELATIONS, path=path, objects=len(ids))


class Counters:
    """Counters of Top.Mail.Ru and their goals. Everything here takes the ``counter_id``, not the row's ``id``."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def list(self, *, fields: Sequence[str] | None = None, **filters: Filter | None) -> Rows:
        """Return own counters and those opened by a key."""
        return await self._api.all(routes.LIST_COUNTERS, uncounted=True, query=listing(fields, filters))

    async def get(self, counter_id: str, *, fields: Sequence[str] | None = None) -> Raw:
        """Return one counter. Raises NotFoundError."""
        query = listing(fields, {})
        return await self._api.one(routes.GET_COUNTER, path={"id": counter_id}, query=query)

    async def create(self, body: Mapping[str, Any]) -> Raw:
        """Make a counter (``name``, ``url``, ``email``, ``password``) or attach one by its ``counter_id``."""
        facts = {"fields": field_names(body)}
        return await self._api.one(routes.CREATE_COUNTER, json=body, facts=facts)

    async def update(self, counter_id: str, changes: Mapping[str, Any]) -> None:
        """Change ``name`` or ``flags``."""
        await self._api.update(routes.UPDATE_COUNTER, changes, path={"id": counter_id})

    async def delete(self, counter_id: str) -> None:
        """Remove an own counter, or give back a shared one. Raises ConflictError while it is used."""
        await self._api.call(routes.DELETE_COUNTER, path={"id": counter_id})

    async def goals(self, counter_id: str) -> Rows:
        """Return a counter's goals."""
        return await self._api.all(routes.LIST_GOALS, uncounted=True, path={"id": counter_id})

    async def create_goal(self, counter_id: str, body: Mapping[str, Any]) -> Raw:
        """Make a goal from ``name``, ``condition`` (uss, rss, jse, hd, ts), ``substr``, ``value``, ``goal_type``."""
        return await self._api.one(routes.CREATE_GOAL, path={"id": counter_id}, json=body)

    async def update_goal(self, counter_id: str, goal_id: str, changes: Mapping[str, Any]) -> None:
        """Change ``value``, ``name`` or ``goal_type``."""
        path = {"id": counter_id, "goal_id": goal_id}
        await self._api.update(routes.UPDATE_GOAL, changes, path=path)

    async def all_goals(self) -> Mapping[str, Any]:
        """Return everything that can be a goal, by type."""
        return await self._api.one(routes.ALL_GOALS)


class SharingKeys:
    """Keys that open sources to other users."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def list(self, *, key: str | None = None) -> Rows:
        """Return own keys with their users, activated or not."""
        return await self._api.all(routes.LIST_KEYS, uncounted=True, query=listing(None, {"key": key}))

    async def create(self, body: Mapping[str, Any]) -> Raw:
        """Make a key from ``sources``, ``users``, ``send_email``, ``payment_type`` and ``price``."""
        objects = len(body.get("sources") or ())
        facts = {"fields": field_names(body)}
        return await self._api.one(routes.CREATE_KEY, json=body, objects=objects, facts=facts)

    async def activate(self, key: str, sources: Sequence[Mapping[str, Any]] | None = None) -> Raw:
        """Add a key's sources to this account; None means all of them."""
        body = None if sources is None else {"sources": list(sources)}
        return await self._api.one(routes.ACTIVATE_KEY, path={"key": key}, json=body)

    async def delete(self, key: str) -> None:
        """Remove a key: campaigns of others that use its sources stop, and their owners are told by mail."""
        await self._api.call(routes.DELETE_KEY, path={"key": key})
