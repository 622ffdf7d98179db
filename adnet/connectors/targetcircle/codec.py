"""Target Circle's payloads to models and columns. Nothing else knows what their keys mean."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from adnet.connectors.targetcircle.rows import (
    AdRow,
    CodeRow,
    OfferDetails,
    OfferRow,
    PricingRow,
    PricingTexts,
    TradeRow,
    TypedCodeRow,
)
from adnet.errors import SchemaError
from adnet.models import Ad, Link, Offer, Payout, Raw, Trade
from adnet.models.countries import iso2
from adnet.models.words import Status, TransactionStatus
from adnet.money import Money, currency_or_none
from adnet.operations.links import resolve

TRANSACTION_STATUS: Final[dict[str, TransactionStatus]] = {
    "pending": "pending",
    "approved": "approved",
    "approved, invoiced": "approved",
    "approved, paid in": "approved",
    "approved, paid out": "paid",
    "declined": "declined",
    "failed": "declined",
}
"""Source: the network's help centre (documented); ``failed`` is observed."""

STATUS: Final[dict[str, Status]] = {"accepted": "active", "pending": "pending", "rejected": "rejected"}

RawJson = msgspec.Raw | bytes
"""A row's own JSON: a view into its page, or bytes of its own where something had to be taken out."""

_STRING_OR_COMMA: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|,(?=\s*[\]}])', re.DOTALL)


@lru_cache(maxsize=1024)
def transaction_status(raw: str | None) -> TransactionStatus:
    """Return our word for a ``conversionStatus``; unknown ones never raise."""
    parts = (" ".join(part.split()) for part in (raw or "").lower().split(","))
    return TRANSACTION_STATUS.get(", ".join(parts), "unknown")


def status_of(raw: str | None) -> Status:
    """Return our word for an offer's or a trade's status; unknown ones never raise."""
    return STATUS.get((raw or "").strip().lower(), "unknown")


def tidy_json(body: bytes) -> bytes:
    """Drop commas before a closing bracket, which the document's own samples have; strings stay as they are."""
    return _STRING_OR_COMMA.sub(lambda found: b"" if found[0] == b"," else found[0], body)


def moments(stamps: Iterable[str], key: str) -> list[datetime]:
    """Return instants in UTC; one without a zone is read as UTC, as the document prints them all with Z.

    Raises:
        SchemaError: One of them is no instant; *key* is what the network calls it.
    """
    try:
        return [m if m.tzinfo is UTC else _in_utc(m) for m in map(datetime.fromisoformat, stamps)]
    except (ValueError, OverflowError) as error:
        raise SchemaError(f"{key} is no instant: {error}", paths=(f"$[...].{key}",)) from None


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def stable_stamps(stamps: list[str], moments: Sequence[datetime]) -> list[str]:
    """Return instants in the one form that derived ids are made from: the document's own, with Z."""
    together = "".join(stamps)
    count = len(stamps)
    if set(map(len, stamps)) == {20} and together[10::20] == "T" * count and together[19::20] == "Z" * count:
        return stamps  # asked of all at once, since nearly all are
    return [
        stamp
        if len(stamp) == 20 and stamp[10] == "T" and stamp[19] == "Z"
        else moment.isoformat().replace("+00:00", "Z")
        for stamp, moment in zip(stamps, moments, strict=True)
    ]


def labels(reference: Any) -> tuple[str, ...]:
    """Return the publisher's labels in their order; empty ones are dropped."""
    if type(reference) is tuple and len(reference) == 1 and type(reference[0]) is str and reference[0]:
        return reference  # by far the most common
    if isinstance(reference, str):
        reference = (reference,)
    elif isinstance(reference, dict):
        reference = tuple(reference.values())
    return tuple([str(label) for label in reference or () if label])


def text(value: str | int | None) -> str | None:
    """Return an id or word as text; empty is None."""
    return None if value is None or value == "" else str(value)


def day(value: str | None) -> date | None:
    """Return a ``YYYY-MM-DD`` day; what is no day is None, and stays readable in ``raw``."""
    try:
        return date.fromisoformat((value or "")[:10])
    except ValueError:
        return None


def countries(names: Sequence[str | None] | None) -> tuple[str, ...]:
    """Return ISO codes of names or codes.

    "Rest of World" is no country and leaves nothing. A name that is not known stays as it is: leaving it out
    would make a payout for one country one for all of them.
    """
    codes = (iso2(name) or (name or "").strip() for name in names or ())
    return tuple(dict.fromkeys(code for code in codes if code and code.lower() != "rest of world"))


def payouts(rows: Sequence[PricingRow] | None, currency: str | None, raw: bytes) -> tuple[Payout, ...]:
    """Return what is paid, line by line, as *raw* (the offer or trade) has it."""
    lines = msgspec.json.decode(raw, type=PricingTexts).pricings or ()
    return tuple(payout(row, currency, bytes(line)) for row, line in zip(rows or (), lines, strict=True))


def payout(row: PricingRow, currency: str | None, raw: bytes) -> Payout:
    """Return one line of what is paid, whichever of the three vocabularies it came in."""
    amount = next((v for v in (row.payout, row.commission, row.commision) if v is not None), None)
    kind = (row.commission_type or row.commision_type or "").strip().lower()
    share = "percent" in kind or "%" in kind or kind.startswith("rev")
    return Payout(
        event=text(row.transaction_type or row.conversion_type),
        engagement=text(row.engagement_type),
        kind="percent" if share else "fixed",
        amount=amount,
        currency=currency_or_none(row.currency or currency),
        countries=countries(row.countries if row.countries is not None else row.offer_pricing_countries),
        product_group=text(row.product_group),
        raw=Raw(raw),
    )


def offer(row: OfferRow, *, source_id: str, source_name: str | None, raw: bytes) -> Offer:
    """Return an offer as one ad inventory of ours sees it."""
    currency = currency_or_none(row.currency)
    highest = row.highest_payout
    return Offer(
        offer_id=str(row.id),
        source_id=source_id,
        source_name=source_name,
        name=row.name or "",
        status=status_of(row.status),
        status_raw=row.status,
        advertiser=text(row.advertiser),
        provider=text(row.provider),
        vertical=text(row.vertical),
        category=text(row.category) or text(row.catergory),
        starts_on=day(row.start_date),
        ends_on=day(row.end_date),
        countries=countries(row.targeted_countries),
        currency=currency,
        highest_payout=Money(highest, currency) if highest is not None and currency else None,
        payouts=payouts(row.pricings, currency, raw),
        raw=Raw(raw),
    )


def offer_details(row: OfferDetails, raw: bytes) -> Offer:
    """Return an offer by its slug. The network tells neither id nor status nor payouts here."""
    general = row.general
    sources = (general.ad_inventory or []) if general else []
    return Offer(
        offer_id=row.slug,
        slug=row.slug,
        name=row.name or "",
        url=text(row.target_url),
        source_id=str(sources[0].slug or "") if len(sources) == 1 else "",
        source_name=sources[0].name if len(sources) == 1 else None,
        advertiser=text(general.advertiser) if general else None,
        provider=text(general.provider) if general else None,
        vertical=text(general.vertical) if general else None,
        category=(text(general.category) or text(general.catergory)) if general else None,
        countries=countries(row.targeted_countries),
        raw=Raw(raw),
    )


def trade(row: TradeRow, raw: bytes) -> Trade:
    """Return the connection of a source of ours with an offer. Payouts carry no currency here."""
    href = (row.offer.href or "") if row.offer else ""
    return Trade(
        trade_id=str(row.id),
        kind=text(row.type),
        status=status_of(row.status),
        status_raw=row.status,
        source_name=text(row.ad_inventory),
        offer_slug=text(urlsplit(href).path.rstrip("/").rpartition("/")[2]),
        offer_name=text(row.offer.name) if row.offer else None,
        provider=text(row.provider),
        category=text(row.category) or text(row.catergory),
        verticals=tuple(v for v in row.verticals or () if v),
        payouts=payouts(row.pricings, None, raw),
        raw=Raw(raw),
    )


def ad(row: AdRow, *, offer_slug: str, raw: bytes) -> Ad:
    """Return an ad of an offer; the offer's slug stands where a campaign's id stands."""
    return Ad(
        ad_id=str(row.slug),
        campaign_id=offer_slug,
        title=text(row.name),
        kind=code_kind(row.type),
        status="active",
        url=text(row.target_url),
        image_url=text(row.banner.url) if row.banner else None,
        raw=Raw(raw),
    )


def code_kind(raw: str | None) -> str | None:
    """Return ``banner`` or ``text`` for the network's four spellings and for MIME types of pictures."""
    word = (raw or "").strip().lower()
    if word == "banner" or word.startswith("image/"):
        return "banner"
    return "text" if word.startswith("text") else word or None


def link(row: CodeRow, raw: bytes) -> Link:
    """Return a tracking link from ``GET /codes``."""
    banner = row.banner
    return Link(
        link_id=str(row.id),
        name=text(row.name),
        kind=code_kind(row.type),
        click_url=row.click_url or "",
        impression_url=text(banner.impression_url) if banner else None,
        width=banner.width if banner else None,
        height=banner.height if banner else None,
        size_bytes=banner.file_size if banner else None,
        mime_type=text(banner.file_type) if banner else None,
        is_default=row.is_default,
        countries=countries(row.targeted_countries),
        raw=Raw(raw),
    )


def typed_link(row: TypedCodeRow, *, kind: str, base_url: str, raw: bytes) -> Link:
    """Return a tracking link from ``POST /codes/{type}``; its picture's URL is relative to the API."""
    return Link(
        link_id=text(row.slug) or str(row.id),
        name=text(row.name),
        kind=kind,
        click_url=row.click_url or "",
        impression_url=text(row.impression_url),
        image_url=resolve(base_url, row.img_url) if row.img_url else None,
        width=row.width,
        height=row.height,
        size_bytes=row.file_size,
        mime_type=text(row.type),
        is_default=row.is_default,
        raw=Raw(raw),
    )


def list_of(kind: type[Any]) -> msgspec.json.Decoder[Any]:
    """Return the decoder for a list of rows of one kind."""
    if kind not in _DECODERS:
        _DECODERS[kind] = msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]
    return _DECODERS[kind]


RAWS: Final = msgspec.json.Decoder(list[msgspec.Raw])
"""A list of rows, each as its own bytes."""
_DECODERS: Final[dict[type, msgspec.json.Decoder[Any]]] = {}
