"""The offers report: one answer, cut at a limit and without pages, so it is narrowed until nothing is cut."""

from collections.abc import AsyncIterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

from adnet.connectors.targetcircle import codec, routes
from adnet.connectors.targetcircle.filters import check_statuses
from adnet.connectors.targetcircle.limits import REPORT_LIMIT
from adnet.connectors.targetcircle.native import TargetCircleNative, read_rows
from adnet.connectors.targetcircle.rows import InventoryRow, OfferRow
from adnet.errors import InvalidRequestError, TruncatedReportError, UnsupportedError
from adnet.models import Batch, ModelBatch, Offer
from adnet.transport.session import Session

FILTERS: Final = {
    "offer_id": "offerId",
    "offer": "offerName",
    "source": "adInventory",
    "status": "status",
    "provider": "provider",
    "category": "category",
    "advertiser": "advertiser",
    "vertical": "vertical",
    "country": "country",
    "start_from": "startDateFrom",
    "start_to": "startDateTo",
    "end_from": "endDateFrom",
    "end_to": "endDateTo",
}
DAYS: Final = frozenset({"startDateFrom", "startDateTo", "endDateFrom", "endDateTo"})
STATUS_WORDS: Final = {"active": "accepted"}
_FIRST: Final = date(2000, 1, 1)
_LAST: Final = date(2100, 1, 1)


async def list_all_offers(
    native: TargetCircleNative, session: Session, filters: Mapping[str, Any]
) -> AsyncIterator[Batch]:
    """Yield every offer; see ``TargetCircle.list_offers``."""
    if unknown := filters.keys() - FILTERS.keys():
        raise UnsupportedError(
            f"targetcircle cannot filter offers by {min(unknown)!r}; it can by {', '.join(FILTERS)}",
            network=session.network,
            account=session.account,
        )
    words = {FILTERS[name]: _words(name, value) for name, value in filters.items() if value is not None}
    check_statuses("offers", words.get("status", ()))
    if not all(words.values()):
        return  # a filter that names nothing would not be sent at all
    for name in words.keys() & DAYS:
        if len(words[name]) > 1:
            raise InvalidRequestError(f"{name} is one day, not several", fields={name: "must be one day"})
        words[name] = [_day(name, words[name][0]).isoformat()]
    statuses = _strange(words)
    # Of all filters that are no days this one alone is not said to take several values.
    for offer_id in dict.fromkeys(words.pop("offerId", [None])):
        async for batch in _list(native, session, {**words, "offerId": [offer_id]} if offer_id else words):
            yield batch if statuses is None else _with_status(batch, statuses)


def _strange(words: dict[str, Any]) -> frozenset[str] | None:
    """Take the statuses out of *words*, and return them, where the network has no word for one; else None."""
    if codec.STATUS.keys() >= set(words.get("status", ())):
        return None
    return frozenset(words.pop("status"))


def _with_status(batch: Batch, statuses: frozenset[str]) -> Batch:
    return ModelBatch(
        offer
        for offer in batch.models()
        if offer.status in statuses or (offer.status_raw or "").casefold() in statuses
    )


async def _list(
    native: TargetCircleNative, session: Session, words: Mapping[str, Any]
) -> AsyncIterator[Batch]:
    inventories = await native.list_offers(**words)
    if not _cut(inventories):
        yield ModelBatch(_offers(inventories, session))
        return
    seen: dict[tuple[str, str], Offer] = {}
    async for part in _by_start(native, session, words):
        seen.update({(offer.offer_id, offer.source_id): offer for offer in part})
    missed = [o for o in _offers(inventories, session) if (o.offer_id, o.source_id) not in seen]
    if missed:
        # Narrowing by start date cannot find offers that have none, so there may be more of them.
        raise _truncated(session)
    yield ModelBatch(seen.values())


async def _by_start(
    native: TargetCircleNative, session: Session, words: Mapping[str, Any]
) -> AsyncIterator[list[Offer]]:
    """Yield offers by halves of a span of start dates, down to one day; the user's own bounds are kept.

    An end that the user left open stays so: where a date had to be given, somebody gave one of long ago.
    """
    spans = [(_bound(words, "startDateFrom", _FIRST), _bound(words, "startDateTo", _LAST))]
    while spans:
        first, last = spans.pop()
        ends = {"startDateFrom": (first, _FIRST), "startDateTo": (last, _LAST)}
        bounds = {name: day.isoformat() for name, (day, far) in ends.items() if day != far or name in words}
        inventories = await native.list_offers(**{**words, **bounds})
        if not _cut(inventories):
            yield _offers(inventories, session)
        elif first >= last:
            raise _truncated(session)
        else:
            middle = first + (last - first) // 2
            spans += [(middle + timedelta(days=1), last), (first, middle)]


def _bound(words: Mapping[str, Any], name: str, otherwise: date) -> date:
    """Return the day that the user gave for a start date, or *otherwise*."""
    given = words.get(name)
    return date.fromisoformat(given[0]) if given else otherwise


def _day(name: str, word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError as error:
        raise InvalidRequestError(f"{name} is no day: {error}", fields={name: str(error)}) from None


def _cut(inventories: list[InventoryRow]) -> bool:
    # Whether the limit counts inventories, offers or each inventory's offers is not documented: all are compared.
    offers = [len(inventory.offers or ()) for inventory in inventories]
    return REPORT_LIMIT in {len(inventories), sum(offers), *offers}


def _offers(inventories: list[InventoryRow], session: Session) -> list[Offer]:
    found = []
    for inventory in inventories:
        body = b"[" + b",".join(map(bytes, inventory.offers or ())) + b"]"
        with session.reading(routes.OFFERS):
            rows = read_rows(body, OfferRow, session)
        for row, raw in rows:
            source = codec.text(inventory.name)
            found.append(codec.offer(row, source_id=str(inventory.id), source_name=source, raw=raw))
    return found


def _words(name: str, value: Any) -> Any:
    values = [value] if value != "" and isinstance(value, str | int | date) else list(value)
    words = [str(value) for value in values]
    if name != "status":
        return words
    return [STATUS_WORDS.get(word.casefold(), word.casefold()) for word in words]


def _truncated(session: Session) -> TruncatedReportError:
    return TruncatedReportError(
        f"the network gives at most {REPORT_LIMIT} offers at once, and these cannot be narrowed further; filter"
        " them by source, status or advertiser",
        network=session.network,
        account=session.account,
    )
