"""What an affiliate network pays for: transactions, and the clicks before them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from adnet.models._base import raw_field
from adnet.models.words import TransactionStatus
from adnet.money import Money


@attrs.frozen(kw_only=True, weakref_slot=False)
class Transaction:
    """One sale or lead with its commission."""

    transaction_id: str
    """Stable over every pull; derived where the network has no unique id of its own."""
    tracking_id: str | None = None
    """The network's own word for it; one click may bring several transactions."""
    status: TransactionStatus = "unknown"
    status_raw: str | None = None
    kind: str | None = None
    product_group: str | None = None
    occurred_at: datetime
    """Aware, UTC."""
    offer_id: str | None = None
    offer_name: str | None = None
    source_name: str | None = None
    amount: Money | None = None
    """What the customer paid."""
    commission: Money | None = None
    """What the network pays us."""
    currency: str | None = None
    country: str | None = None
    """ISO 3166-1 alpha-2; the network's own name is in ``raw``."""
    sub_ids: tuple[str, ...] = ()
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class Click:
    """One click. IP addresses are kept only as a keyed hash."""

    click_key: str
    """Stable over every pull."""
    occurred_at: datetime
    """Aware, UTC."""
    offer_id: str | None = None
    offer_name: str | None = None
    campaign_id: str | None = None
    ad_id: str | None = None
    source_id: str | None = None
    source_name: str | None = None
    country: str | None = None
    ip_hash: str | None = None
    sub_ids: tuple[str, ...] = ()
    cost: Money | None = None
    currency: str | None = None
    raw: Mapping[str, Any] = raw_field()
