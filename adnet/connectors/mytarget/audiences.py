"""Audiences: users lists, segments and counters, own ones and those that a key opened."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from adnet.connectors.mytarget import codec
from adnet.connectors.mytarget.change_sets import failed
from adnet.connectors.mytarget.errors import invalid
from adnet.connectors.mytarget.multipart import Upload
from adnet.connectors.mytarget.native import MyTargetNative
from adnet.connectors.mytarget.writing import WIDTH
from adnet.errors import AdnetError
from adnet.models import Audience, AudienceDraft, Batch, ModelBatch, Outcome, Raw
from adnet.models.audience import AudienceKind
from adnet.operations.paginate import in_order

KINDS: Final[tuple[AudienceKind, ...]] = ("users_list", "segment", "counter")
_LIST_EXTRA: Final = frozenset({"type", "file", "filename", "base"})


class Audiences:
    """Audiences of one account.

    Args:
        native: The network's own client.
    """

    def __init__(self, native: MyTargetNative) -> None:
        self._native = native

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
    if isinstance(content, Path) and not _readable(content):
        raise invalid(f"there is no file {str(content)!r} that can be read", file="not readable")
    name = draft.extra.get("filename") or (content.name if isinstance(content, Path) else "ids.txt")
    return Upload(content=content, filename=str(name), mime_type="text/plain")


def _readable(path: Path) -> bool:
    """Whether it can be sent: to be told before anything is."""
    try:
        return os.access(path, os.R_OK) and not path.is_dir()
    except ValueError:  # half a character, a zero byte
        return False


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
