"""Audiences and their sharing: users lists, segments, counters, and the keys that open them to others.

Source: myTarget help "Provide the segment to an advertiser" (documented): access is private (named users) or public
(whoever has the key), free or at a fixed price per thousand impressions; only end advertisers can activate a key;
when a key goes, campaigns of others that use its sources stop, and their owners are told by mail.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from adnet.connectors.mytarget import codec
from adnet.connectors.mytarget.change_sets import attempt, failed
from adnet.connectors.mytarget.changes import amount
from adnet.connectors.mytarget.errors import invalid
from adnet.connectors.mytarget.multipart import Upload
from adnet.connectors.mytarget.native import MyTargetNative
from adnet.connectors.mytarget.writing import WIDTH
from adnet.errors import AdnetError
from adnet.models import Audience, AudienceDraft, Batch, ModelBatch, Outcome, Raw, Share
from adnet.models.audience import AudienceKind
from adnet.operations.paginate import in_order

KINDS: Final[tuple[AudienceKind, ...]] = ("users_list", "segment", "counter")
PAYMENTS: Final = ("free", "fixed_cpm")
STOPS: Final = "campaigns of others that use what it opened stop, and their owners are told by mail"
_LIST_EXTRA: Final = frozenset({"type", "file", "filename", "base"})


class Audiences:
    """Audiences of one account, and what it shares.

    Args:
        native: The network's own client.
        currency: Tells the account's currency.
    """

    def __init__(self, native: MyTargetNative, currency: Callable[[], Awaitable[str | None]]) -> None:
        self._native = native
        self._currency = currency

    # ------------------------------------------------------------------ reading

    async def read(self, *, kind: str | None) -> AsyncIterator[Batch]:
        """Yield audiences, own ones and those opened by a key."""
        if kind is not None and kind not in KINDS:
            raise invalid(
                f"there is no kind {kind!r} of audiences; there are {', '.join(KINDS)}", kind="unknown"
            )
        if kind in {None, "users_list"}:
            yield ModelBatch([users_list(row) for row in await self._native.users_lists.list()])
        if kind in {None, "segment"}:
            async for page in self._native.segments.list():
                yield ModelBatch([segment(row) for row in page])
        if kind in {None, "counter"}:
            yield ModelBatch([counter(row) for row in await self._native.counters.list()])

    async def shares(self) -> AsyncIterator[Share]:
        """Yield our keys, with the names of what they open."""
        rows = await self._native.sharing_keys.list()
        if not rows:
            return
        names = {(a.kind, a.audience_id): a async for batch in self.read(kind=None) for a in batch.models()}
        currency = await self._currency()
        for row in rows:
            yield share(row, names, currency)

    # ------------------------------------------------------------------ creating

    async def create(self, drafts: Sequence[AudienceDraft]) -> list[Outcome]:
        """Create audiences; one outcome for each, in order."""

        async def one(draft: AudienceDraft) -> Outcome:
            try:
                return await self._make(draft)
            except AdnetError as error:
                return failed(None, error)

        return [outcome async for outcome in in_order(drafts, one, width=WIDTH)]

    async def _make(self, draft: AudienceDraft) -> Outcome:
        extra = dict(draft.extra)
        if draft.kind == "segment":
            made = await self._native.segments.create(segment_body(draft))
            return Outcome(id=codec.object_id(made), status="done")
        if draft.kind == "counter":
            made = await self._native.counters.create({"name": draft.name, **extra})
            return Outcome(id=codec.object_id(made, "counter_id"), status="done", notes=_counter_notes(made))
        if draft.kind != "users_list":
            raise invalid(f"there is no kind {draft.kind!r} of audiences", kind="unknown")
        base = extra.get("base", 0)
        if not isinstance(base, int):
            raise invalid("base is 0, N to add to list N, or -N to take away from it", base="not a number")
        made = await self._native.users_lists.create(
            name=draft.name, kind=str(extra.get("type")), upload=upload(draft), base=base
        )
        return Outcome(id=codec.object_id(made), status="done", notes=_list_notes(made))

    # ------------------------------------------------------------------ sharing

    async def share(
        self, audiences: Sequence[Audience], *, users: Sequence[str], payment: str, price: Any, notify: bool
    ) -> Share:
        """Make a key for *audiences*; no users means that anyone with the key can use it.

        Raises:
            InvalidRequestError: The rules of sharing forbid it; most are told before anything is sent.
        """
        currency = await self._currency() if price is not None else None
        body = share_body(audiences, users, payment, price, notify=notify, currency=currency)
        made = await self._native.sharing_keys.create(body)
        names = {(audience.kind, audience.audience_id): audience for audience in audiences}
        return share(made, names, await self._currency())

    async def activate(self, key: str, audiences: Sequence[Audience] | None) -> list[Audience]:
        """Add a key's audiences to this account, all of them or those named, and return them."""
        sources = None if audiences is None else [source(audience) for audience in audiences]
        answer = await self._native.sharing_keys.activate(key, sources)
        return [opened(row) for row in codec.objects(answer, "sources")]

    async def consequences(self, keys: Sequence[str]) -> list[str]:
        """Return what removing *keys* would stop, a sentence for each, to be shown before it is done."""
        known = {found.key: found async for found in self.shares()}
        return [_consequence(key, known.get(key)) for key in keys]

    async def revoke(self, keys: Sequence[str]) -> list[Outcome]:
        """Remove keys; one outcome for each, in order."""

        async def one(key: str) -> Outcome:
            outcome = await attempt(self._native.sharing_keys.delete(key), key)
            return Outcome(id=key, status="done", notes=(STOPS,)) if outcome.ok else outcome

        return [outcome async for outcome in in_order(keys, one, width=WIDTH)]


# ---------------------------------------------------------------------- rows to models


def users_list(row: Raw) -> Audience:
    """Return a users list; ``ready`` is when it can be used."""
    size = row.get("entries_count")
    return Audience(
        audience_id=codec.object_id(row),
        kind="users_list",
        name=codec.text(row, "name") or "",
        status=codec.text(row, "status"),
        size=size if isinstance(size, int) else None,
        raw=row,
    )


def segment(row: Raw) -> Audience:
    """Return a segment; it can be used as soon as it is there, and has no status of its own."""
    return Audience(
        audience_id=codec.object_id(row), kind="segment", name=codec.text(row, "name") or "", raw=row
    )


def counter(row: Raw) -> Audience:
    """Return a counter by its ``counter_id``, which is what paths, goals and keys go by."""
    return Audience(
        audience_id=codec.object_id(row, "counter_id"),
        kind="counter",
        name=codec.text(row, "name") or "",
        status=codec.text(row, "system_status") or codec.text(row, "status"),
        raw=row,
    )


def opened(row: Mapping[str, Any]) -> Audience:
    """Return a source that a key has opened."""
    params = codec.section(row, "params")
    size = params.get("entries_count")
    return Audience(
        audience_id=codec.object_id(row, "object_id"),
        kind=row.get("object_type"),  # type: ignore[arg-type]
        name=codec.text(params, "name") or "",
        size=size if isinstance(size, int) else None,
        raw=Raw(row),
    )


def share(row: Raw, known: Mapping[tuple[Any, str], Audience], currency: str | None) -> Share:
    """Return a key. Prices are per thousand impressions; the network's free keys say zero."""
    payment = "fixed_cpm" if row.get("payment_type") == "fixed_cpm" else "free"
    users = (codec.text(user, "username") for user in codec.objects(row, "users"))
    price = codec.money(row, "price", currency) if payment == "fixed_cpm" else None
    return Share(
        key=codec.object_id(row, "sharing_key"),
        url=codec.text(row, "sharing_url"),
        kind="private" if row.get("type") == "private" else "public",
        payment=payment,  # type: ignore[arg-type]
        price=price,
        users=tuple(user for user in users if user),
        audiences=tuple(_known(opened(item), known) for item in codec.objects(row, "sources")),
        raw=row,
    )


def _known(audience: Audience, known: Mapping[tuple[Any, str], Audience]) -> Audience:
    return known.get((audience.kind, audience.audience_id), audience)


# ---------------------------------------------------------------------- drafts to bodies


def segment_body(draft: AudienceDraft) -> dict[str, Any]:
    """Return a segment to create; by default one relation is enough to be in it."""
    if not draft.extra.get("relations"):
        raise invalid("a segment is made of relations: extra={'relations': […]}", relations="required")
    return {"name": draft.name, "pass_condition": 1, **draft.extra}


def upload(draft: AudienceDraft) -> Upload:
    """Return the file of a users list: a path, bytes, or a function that gives its bytes anew."""
    if unknown := draft.extra.keys() - _LIST_EXTRA:
        raise invalid(
            f"a users list takes {', '.join(sorted(_LIST_EXTRA))}, not {min(unknown)!r}",
            **{min(unknown): "unknown"},
        )
    content = draft.extra.get("file")
    if isinstance(content, str):
        content = Path(content)
    if not isinstance(content, bytes | Path) and not callable(content):
        raise invalid("a users list needs extra={'file': path or bytes, 'type': …}", file="required")
    name = draft.extra.get("filename") or (content.name if isinstance(content, Path) else "ids.txt")
    return Upload(content=content, filename=str(name), mime_type="text/plain")


def share_body(
    audiences: Sequence[Audience],
    users: Sequence[str],
    payment: str,
    price: Any,
    *,
    notify: bool,
    currency: str | None,
) -> dict[str, Any]:
    """Return a key to create.

    Raises:
        InvalidRequestError: Nothing is shared, a price without a price model, a mail to nobody.
    """
    if not audiences:
        raise invalid("there is nothing to share", audiences="required")
    if payment not in PAYMENTS:
        raise invalid(f"payment is one of {', '.join(PAYMENTS)}, not {payment!r}", payment="unknown")
    if (payment == "fixed_cpm") != (price is not None):
        raise invalid("a price goes with payment='fixed_cpm', and only with that", price="price and payment")
    if notify and not users:
        raise invalid("only a key for named users is sent by mail", notify="needs users")
    body: dict[str, Any] = {"sources": [source(audience) for audience in audiences], "payment_type": payment}
    if users:
        body["users"] = [{"username": user} for user in users]
        body["send_email"] = notify
    if price is not None:
        body["price"] = amount("price", price, currency)
    return body


def source(audience: Audience) -> dict[str, Any]:
    """Return how a key names an audience."""
    if audience.kind not in KINDS or not audience.audience_id.isdecimal():
        raise invalid(f"{audience.kind} {audience.audience_id!r} cannot be shared", audiences="not shareable")
    return {"object_type": audience.kind, "object_id": int(audience.audience_id)}


# ---------------------------------------------------------------------- notes


def _list_notes(made: Raw) -> tuple[str, ...]:
    wrong = made.get("error")
    if isinstance(wrong, list) and wrong:
        codes = sorted({str(line.get("error_code")) for line in wrong if isinstance(line, Mapping)})
        return (f"{len(wrong)} lines were left out: {', '.join(codes)}",)
    return ()


def _counter_notes(made: Raw) -> tuple[str, ...]:
    if made.get("system_status") == "blocked":
        return ("it cannot be used before its owner has approved it",)
    return ()


def _consequence(key: str, found: Share | None) -> str:
    if found is None:
        return f"{key}: there is no such key"
    names = ", ".join(
        f"{audience.kind} {audience.name or audience.audience_id}" for audience in found.audiences
    )
    users = ", ".join(found.users) or "nobody yet"
    return f"{key}: opens {names} to {users}; {STOPS}"
