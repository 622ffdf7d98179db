"""
Money between an agency and its clients.

Source: VK Ads "Transaction", "TransactionGroups" (documented). That each
transfer is a group of its own is inferred.
"""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from aiohttp import web

from adnet.sandbox import _mytarget_query as query
from adnet.sandbox._mytarget_accounts import link_of, must_be
from adnet.sandbox._mytarget_data import User
from adnet.sandbox._mytarget_figures import kopecks
from adnet.sandbox._mytarget_query import ANY_OF, EQUAL, RANGE, Listing
from adnet.sandbox._mytarget_wire import Action, Call, Endpoint, Row, money, ok, refused
from adnet.sandbox._mytarget_world import World

_MONEY_FIELDS = (
    "id",
    "amount",
    "client_id",
    "description",
    "first_at",
    "last_at",
    "invoices",
    "is_commercial",
    "object_id",
    "object_type",
    "payments_total",
    "receipt",
    "tax_amount",
    "type",
)
_BOUNDED = EQUAL | RANGE
_TRANSACTIONS = Listing(
    fields=(*_MONEY_FIELDS, "date"),
    default=_MONEY_FIELDS,
    sorting=("id", "amount", "date", "first_at", "last_at", "object_id", "object_type"),
    filters={
        "id": ANY_OF,
        **dict.fromkeys(("amount", "date", "first_at", "last_at"), _BOUNDED),
        **dict.fromkeys(("description", "object_id", "object_type"), EQUAL),
    },
    numbers=frozenset({"amount"}),
)


def transfer(world: World, call: Call) -> web.Response:
    """POST billing/transactions/<to|from>/<user>.json: agency to client, or back."""
    agency = must_be(world, call, "agency")
    client = world.user(link_of(world, call)["user_id"])
    amount = _amount(call.object().get("amount"))
    if client.status != "active":
        raise refused(400, "blocked_user", "User is blocked")
    giver, taker = (agency, client) if call.path["way"] == "to" else (client, agency)
    if giver.balance < amount:
        raise refused(400, "transfer_error", "Not enough money")
    giver.balance -= amount
    taker.balance += amount
    row = _movement(world, agency, client, amount, there=call.path["way"] == "to")
    world.transactions.append(row)
    return ok(
        {
            "amount": row["amount"],
            "created_at": row["first_at"],
            "client_balance": money(client.balance),
            "agency_balance": money(agency.balance),
            "client_username": client.username,
        }
    )


def _movement(world: World, agency: User, client: User, amount: int, *, there: bool) -> Row:
    """Return a group of one transfer, as the agency sees it: what goes to a client is its outcome."""
    now = world.stamp()
    return {
        "id": len(world.transactions) + 1,
        "user_id": agency.id,
        "amount": money(amount),
        "client_id": client.id,
        "date": f"{now[:7]}-01",
        "description": f"Transfer {'to' if there else 'from'} the client",
        "first_at": now,
        "last_at": now,
        "invoices": [],
        "is_commercial": False,
        "object_id": 0,
        "object_type": "none",
        "payments_total": "0",
        "receipt": None,
        "tax_amount": "0",
        "type": "charge" if there else "deposit",
    }


def _amount(value: Any) -> int:
    try:
        amount = Decimal(str(value))
        exact = amount.is_finite() and amount == round(amount, 2)
    except InvalidOperation:  # no number, or one with more digits than can be rounded
        raise refused(400, "failed_amount", "Invalid amount") from None
    if not exact or amount <= 0:
        raise refused(400, "failed_amount", "Invalid amount")
    return kopecks(str(amount))


def list_transactions(world: World, call: Call) -> web.Response:
    """GET billing/transaction_groups.json."""
    rows = [row for row in world.transactions if row["user_id"] == call.user_id]
    return ok(query.collection(call, _TRANSACTIONS, rows, query.plain, over_limit=world.knobs.over_limit))


def endpoints() -> Iterable[Endpoint]:
    """Yield the paths of this module."""
    billing = partial(Action, resource="BILLING")
    yield Endpoint(
        path=r"billing/transactions/{way:to|from}/{id:\d+}.json",
        actions={"POST": billing(handler=transfer, operation="CREATE")},
    )
    yield Endpoint(
        path="billing/transaction_groups.json",
        actions={"GET": billing(handler=list_transactions, operation="READ")},
    )
