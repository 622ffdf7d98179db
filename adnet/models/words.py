"""The closed vocabularies. Unknown vendor words become ``unknown`` and stay readable in ``status_raw``."""

from typing import Final, Literal

Status = Literal[
    "active", "paused", "limited", "pending", "rejected", "blocked", "ended", "deleted", "unknown"
]
"""What a campaign, an ad, an offer or a trade is doing."""

TransactionStatus = Literal["pending", "approved", "declined", "paid", "unknown"]
"""How far a sale or lead has come."""

PayoutKind = Literal["fixed", "percent"]
Level = Literal["campaign", "ad", "source"]

STATUSES: Final[frozenset[str]] = frozenset(Status.__args__)  # type: ignore[attr-defined]
TRANSACTION_STATUSES: Final[frozenset[str]] = frozenset(TransactionStatus.__args__)  # type: ignore[attr-defined]
LEVELS: Final[tuple[Level, ...]] = ("campaign", "ad", "source")
