"""Audiences and their sharing."""

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from adnet.models._base import own, raw_field
from adnet.money import Money

AudienceKind = Literal["users_list", "segment", "counter"]
Payment = Literal["free", "fixed_cpm"]


@attrs.frozen(kw_only=True)
class Audience:
    """People that a campaign can be aimed at."""

    audience_id: str
    kind: AudienceKind
    name: str
    status: str | None = None
    """The network's own word; ``ready`` when it can be used."""
    size: int | None = None
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class AudienceDraft:
    """An audience to be created."""

    kind: AudienceKind
    name: str
    extra: Mapping[str, Any] = attrs.field(converter=own)
    """What the network needs for this kind, in its own words, e.g. ``relations`` of a segment."""


@attrs.frozen(kw_only=True)
class Share:
    """A key that opens audiences to other users of the network."""

    key: str
    """Whoever has a public key can activate it; treat it with care."""
    url: str | None = None
    kind: Literal["public", "private"]
    payment: Payment = "free"
    price: Money | None = None
    """Per thousand impressions, for ``fixed_cpm``."""
    users: tuple[str, ...] = ()
    audiences: tuple[Audience, ...] = ()
    raw: Mapping[str, Any] = raw_field()
