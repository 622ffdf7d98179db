"""Tracking links: one answer, cut at a limit, for an offer and an ad inventory."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from adnet.connectors.targetcircle.limits import REPORT_LIMIT
from adnet.connectors.targetcircle.native import TargetCircleNative
from adnet.errors import TruncatedReportError, UnsupportedError
from adnet.hints import hint
from adnet.models import Link
from adnet.transport.session import Session

LABELS: Final = ("idfa", "gaid", "waid", "click_id", "source_id", *(f"ref{number}" for number in range(1, 6)))
FILTERS: Final = ("type", "maxHeight", "minHeight", "maxWidth", "minWidth", "maxSize", "minSize")


async def list_all_links(
    native: TargetCircleNative,
    session: Session,
    *,
    offer_id: str,
    source_id: str,
    deeplink: str | None,
    sub_ids: Mapping[str, str],
    filters: Mapping[str, Any],
) -> AsyncIterator[Link]:
    """Yield every link; see ``TargetCircle.list_links``."""
    # What it does not know the network leaves out without a word.
    for given, known, what in (
        (sub_ids, LABELS, "a link carries no label"),
        (filters, FILTERS, "cannot filter links by"),
    ):
        for name in given:
            if name not in known:
                raise UnsupportedError(
                    f"targetcircle: {what} {name!r}; {hint(name, known)}",
                    network=session.network,
                    account=session.account,
                )
    links = await native.list_codes(
        offer_id=offer_id, ad_inventory=source_id, deeplink=deeplink, parameters=sub_ids, **filters
    )
    if len(links) == REPORT_LIMIT:
        raise TruncatedReportError(
            f"{REPORT_LIMIT} links are all that the network gives at once; narrow them, e.g. by type or size",
            network=session.network,
            account=session.account,
        )
    for link in links:
        yield link
