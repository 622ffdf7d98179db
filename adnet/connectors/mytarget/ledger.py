"""One line in the compliance ledger for every request: what the certification's rules look at, and no secret."""

from collections.abc import Mapping
from typing import Any

import attrs

from adnet.clock import Clock
from adnet.connectors.mytarget.limits import headroom
from adnet.errors import AdnetError, QuotaExhaustedError
from adnet.state.ledger import Ledger, LedgerEntry
from adnet.transport.wire import Request, Response

_EVENTS = "token."


@attrs.frozen(kw_only=True)
class LedgerObserver:
    """An observer of sessions.

    What a request is about comes with it, in ``facts``: ``period_days``, ``first_day``, ``ids``, ``fields``,
    ``request_key``, ``grant``, ``compared`` and ``unchanged``.
    """

    ledger: Ledger
    clock: Clock
    network: str
    account: str

    def __call__(self, request: Request, response: Response | None, error: AdnetError | None) -> None:
        """Write the line of one physical send."""
        operation = request.route.operation
        event = None
        if operation.startswith(_EVENTS):
            event = operation if error is None and response is not None else f"{operation} refused"
        elif isinstance(error, QuotaExhaustedError):
            event = "no access"
        self.ledger.append(
            LedgerEntry(
                at=self.clock.now(),
                account=self.account,
                network=self.network,
                operation=operation,
                method=request.route.method,
                status=response.status if response else None,
                objects=request.objects,
                period_days=request.facts.get("period_days"),
                event=event,
                fields=tuple(request.facts.get("fields", ())),
                headroom=headroom(response.headers) if response else None,
                request_key=request.facts.get("request_key"),
                first_day=request.facts.get("first_day"),
                ids=tuple(request.facts.get("ids", ())),
                grant=request.facts.get("grant"),
                compared=request.facts.get("compared", 0),
                unchanged=tuple(request.facts.get("unchanged", ())),
            )
        )


def field_names(fields: Mapping[str, Any], prefix: str = "") -> tuple[str, ...]:
    """Return the names of the fields of an update, nested ones by path; for the ledger, without values."""
    names: list[str] = []
    for name, value in fields.items():
        if isinstance(value, Mapping) and value and not prefix:
            names.extend(field_names(value, f"{name}."))
        else:
            names.append(f"{prefix}{name}")
    return tuple(names)
