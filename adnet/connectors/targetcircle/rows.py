"""Target Circle's rows as they come over the wire: private structs, decoded straight from a page's bytes.

Numbers with a fraction become exact Decimals from their digits. Both spellings of the
document's slips (``commision``, ``commisionType``, ``catergory``) are read; where both come, the right one wins.
Source: Publisher API Documentation, sample responses (documented); spellings and nulls as listed there.
"""

from decimal import Decimal

import msgspec
from msgspec import field

Text = str | int | None
Reference = tuple[str | int | None, ...] | dict[str, str | int | None] | str | None
"""The publisher's labels: a list (documented), an object of ``ref1``, ``ref2``, … (today's API) or one label."""


class TransactionRow(msgspec.Struct, gc=False):
    """One row of a transactions report."""

    saved: str
    status: str | None = field(name="conversionStatus", default=None)
    slug: Text = None
    offer_name: str | None = field(name="offerName", default=None)
    media_name: str | None = field(name="mediaName", default=None)
    product_group: str | None = field(name="productGroupName", default=None)
    kind: str | None = field(name="transactionType", default=None)
    tracking_id: Text = field(name="trackingId", default=None)
    ad_link_name: str | None = field(name="adLinkName", default=None)
    reference: Reference = None
    amount: Decimal | None = field(name="transactionAmount", default=None)
    currency: str | None = None
    commission: Decimal | None = None
    country: str | None = None


class ClickRow(msgspec.Struct, gc=False):
    """One row of a clicks report."""

    clicked: str = field(name="clickDate")
    slug: Text = None
    media_name: str | None = field(name="mediaName", default=None)
    offer_name: str | None = field(name="offerName", default=None)
    reference: Reference = None
    country: str | None = None
    ip: str | None = None


class PricingRow(msgspec.Struct):
    """One line of what a trade or an offer pays; the document has three vocabularies for it."""

    commission: Decimal | None = None
    commision: Decimal | None = None
    payout: Decimal | None = None
    commission_type: str | None = field(name="commissionType", default=None)
    commision_type: str | None = field(name="commisionType", default=None)
    conversion_type: str | None = field(name="conversionType", default=None)
    transaction_type: str | None = field(name="transactionType", default=None)
    engagement_type: str | None = field(name="engagementType", default=None)
    product_group: str | None = field(name="productGroup", default=None)
    offer_pricing_countries: list[str | None] | None = field(name="offerPricingCountries", default=None)
    countries: list[str | None] | None = None
    currency: str | None = None


class PricingTexts(msgspec.Struct):
    """The same lines, each as the network wrote it."""

    pricings: list[msgspec.Raw] | None = None


class OfferLink(msgspec.Struct):
    """A trade's pointer to its offer."""

    name: str | None = None
    href: str | None = None


class TradeRow(msgspec.Struct):
    """One row of a trades report."""

    id: int | str
    type: str | None = None
    status: str | None = None
    ad_inventory: str | None = field(name="adInventory", default=None)
    offer: OfferLink | None = None
    category: str | None = None
    catergory: str | None = None
    provider: str | None = None
    verticals: list[str | None] | None = None
    pricings: list[PricingRow] | None = None


class Expiration(msgspec.Struct):
    """A duration with its unit; 0 means that the kind of tracking is not offered."""

    value: Decimal | None = None
    unit: str | None = None


class TrackingRow(msgspec.Struct):
    """How long a click, fingerprint or impression counts."""

    deeplinking: bool | None = None
    cookie: Expiration | None = field(name="cookieExpiration", default=None)
    fingerprint: Expiration | None = field(name="fingerprintExpiration", default=None)
    impression: Expiration | None = field(name="impressionExpiration", default=None)


class OfferRow(msgspec.Struct):
    """One offer inside an ad inventory of the offers report."""

    id: int | str
    name: str | None = None
    status: str | None = None
    start_date: str | None = field(name="startDate", default=None)
    end_date: str | None = field(name="endDate", default=None)
    provider: str | None = None
    advertiser: str | None = None
    vertical: str | None = None
    category: str | None = None
    catergory: str | None = None
    tracking: TrackingRow | None = None
    targeted_countries: list[str | None] | None = field(name="targetedCountries", default=None)
    currency: str | None = None
    highest_payout: Decimal | None = field(name="highestPayout", default=None)
    pricings: list[PricingRow] | None = None


class InventoryRow(msgspec.Struct):
    """One ad inventory of ours with the offers that are open to it."""

    id: int | str
    name: str | None = None
    offers: list[msgspec.Raw] | None = None


class InventoryRef(msgspec.Struct):
    """An ad inventory as offer details name it."""

    name: str | None = None
    slug: Text = None


class OfferGeneral(msgspec.Struct):
    """The part ``general`` of offer details."""

    ad_inventory: list[InventoryRef] | None = field(name="adInventory", default=None)
    provider: str | None = None
    advertiser: str | None = None
    vertical: str | None = None
    category: str | None = None
    catergory: str | None = None


class OfferDetails(msgspec.Struct):
    """One offer by its slug. It tells no status and no payouts."""

    slug: str
    name: str | None = None
    target_url: str | None = field(name="targetUrl", default=None)
    general: OfferGeneral | None = None
    tracking: TrackingRow | None = None
    targeted_countries: list[str | None] | None = field(name="targetedCountries", default=None)


class AdSize(msgspec.Struct):
    """A file size with its unit."""

    value: Decimal | None = None
    unit: str | None = None


class AdBanner(msgspec.Struct):
    """The picture of a banner ad."""

    url: str | None = None
    dimensions: str | None = None
    size: AdSize | None = None


class AdRow(msgspec.Struct):
    """One ad of an offer."""

    slug: str | int
    name: str | None = None
    target_url: str | None = field(name="targetUrl", default=None)
    type: str | None = None
    banner: AdBanner | None = field(name="bannerDetails", default=None)


class CodeBanner(msgspec.Struct):
    """The picture of a banner code."""

    impression_url: str | None = field(name="impressionUrl", default=None)
    height: int | None = None
    width: int | None = None
    file_size: int | None = field(name="fileSize", default=None)
    file_type: str | None = field(name="fileType", default=None)


class CodeRow(msgspec.Struct):
    """One tracking code, from ``GET /codes``."""

    id: str | int
    name: str | None = None
    type: str | None = None
    is_default: bool | None = field(name="isDefault", default=None)
    targeted_countries: list[str | None] | None = field(name="targetedCountries", default=None)
    click_url: str | None = field(name="clickUrl", default=None)
    banner: CodeBanner | None = field(name="bannerDetails", default=None)


class TypedCodeRow(msgspec.Struct):
    """One tracking code, from ``POST /codes/{type}``; *type* is a MIME type here."""

    id: int | str
    slug: Text = None
    name: str | None = None
    height: int | None = None
    width: int | None = None
    dimension: str | None = None
    file_size: int | None = field(name="fileSize", default=None)
    type: str | None = None
    target_url: str | None = field(name="targetUrl", default=None)
    is_default: bool | None = field(name="isDefault", default=None)
    img_url: str | None = field(name="imgUrl", default=None)
    impression_url: str | None = field(name="impressionUrl", default=None)
    click_url: str | None = field(name="clickUrl", default=None)
