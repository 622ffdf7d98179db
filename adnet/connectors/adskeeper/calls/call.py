"""One write, complete but for credentials and the client's id."""

from collections.abc import Mapping
from typing import Any

import attrs

from adnet.transport.wire import Route


@attrs.frozen(kw_only=True)
class Call:
    """A write that passed the documented rules."""

    route: Route
    path: Mapping[str, object] = attrs.field(factory=dict)
    query: Mapping[str, object] = attrs.field(factory=dict)
    form: Mapping[str, object] | None = None
    json: Any = None
    notes: tuple[str, ...] = ()
    """What the user should know although it is sent."""
