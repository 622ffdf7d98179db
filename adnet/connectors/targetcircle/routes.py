"""The eleven operations of the Target Circle publisher API.

Source of every route: "Publisher API Documentation" (gist igastepniak/eb4570537c1eb819fee37e8fdb8b82b0,
last active 2016-08-15), documented. All of them read: asking for a report twice makes two reports and changes
nothing else, so each may be sent again.
"""

from typing import Final

from adnet.transport.wire import Route

_DOC: Final = "Target Circle Publisher API Documentation (gist, 2016), documented, section "


def _submit(kind: str, section: str) -> Route:
    return Route(
        operation=f"{kind}.submit",
        method="POST",
        path=f"/{kind}",
        idempotent=True,
        source=_DOC + section,
    )


def _page(kind: str, section: str) -> Route:
    return Route(
        operation=f"{kind}.page",
        method="GET",
        path=f"/{kind}/{{report_id}}",
        idempotent=True,
        buckets=("pages",),
        source=_DOC + section,
    )


SUBMIT_TRANSACTIONS: Final = _submit("transactions", "1 step A")
TRANSACTIONS_PAGE: Final = _page("transactions", "1 step B")
SUBMIT_CLICKS: Final = _submit("clicks", "2 step A")
CLICKS_PAGE: Final = _page("clicks", "2 step B")
SUBMIT_TRADES: Final = _submit("trades", "3 step A")
TRADES_PAGE: Final = _page("trades", "3 step B")

OFFERS: Final = Route(
    operation="offers.list", method="GET", path="/offers", idempotent=True, source=_DOC + "4 (offers report)"
)
CODES: Final = Route(
    operation="codes.list", method="GET", path="/codes", idempotent=True, source=_DOC + "4 (codes)"
)
OFFER: Final = Route(
    operation="offers.get", method="GET", path="/offers/{slug}", idempotent=True, source=_DOC + "4 (details)"
)
OFFER_ADS: Final = Route(
    operation="offers.ads", method="GET", path="/offers/{slug}/ads", idempotent=True, source=_DOC + "5"
)
CODES_BY_TYPE: Final = Route(
    operation="codes.by_type", method="POST", path="/codes/{type}", idempotent=True, source=_DOC + "6"
)

SUBMIT: Final = {"transactions": SUBMIT_TRANSACTIONS, "clicks": SUBMIT_CLICKS, "trades": SUBMIT_TRADES}
PAGE: Final = {"transactions": TRANSACTIONS_PAGE, "clicks": CLICKS_PAGE, "trades": TRADES_PAGE}

ROUTES: Final = (
    SUBMIT_TRANSACTIONS,
    TRANSACTIONS_PAGE,
    SUBMIT_CLICKS,
    CLICKS_PAGE,
    SUBMIT_TRADES,
    TRADES_PAGE,
    OFFERS,
    CODES,
    OFFER,
    OFFER_ADS,
    CODES_BY_TYPE,
)
