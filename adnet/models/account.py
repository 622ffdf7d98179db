"""Who the credentials belong to."""

from collections.abc import Mapping
from typing import Any

import attrs

from adnet.models._base import raw_field
from adnet.money import Money


@attrs.frozen(kw_only=True)
class AccountInfo:
    """One account as its network describes it; proof that the credentials work."""

    account_id: str
    """The network's own id."""
    name: str | None = None
    currency: str | None = None
    """ISO 4217 code; None where the network does not tell."""
    time_zone: str | None = None
    """IANA name; days of statistics are days in this zone."""
    balance: Money | None = None
    """What is left to spend."""
    raw: Mapping[str, Any] = raw_field()
