"""
The account itself, agency and manager clients, money between agency and client.

Source: VK Ads "User", "AgencyClients", "ManagerClients", "Transactions"
(documented).
"""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from aiohttp import web

from adnet.sandbox import _mytarget_query as query
from adnet.sandbox._mytarget_data import AGENCY_ID, User
from adnet.sandbox._mytarget_figures import kopecks
from adnet.sandbox._mytarget_query import ANY_OF, EQUAL, RANGE, STATUS, Listing
from adnet.sandbox._mytarget_wire import (
    Action,
    Call,
    Endpoint,
    Row,
    bad_field,
    denied,
    empty,
    money,
    not_found,
    ok,
    partial_update,
    refused,
)
from adnet.sandbox._mytarget_world import World, must_serve
from adnet.sandbox.base import secret

_USER_DEFAULT = (
    "id",
    "username",
    "email",
    "firstname",
    "lastname",
    "status",
    "types",
    "currency",
    "info_currency",
    "language",
)
_USER = Listing(
    fields=(
        *_USER_DEFAULT,
        "account",
        "additional_info",
        "additional_emails",
        "agency_username",
        "active_banners",
        "max_active_banners",
        "mailings",
        "permissions",
        "regions",
    ),
    default=_USER_DEFAULT,
)
_USER_WRITABLE = frozenset({"language", "info_currency", "additional_info", "mailings"})
_CLIENTS = Listing(
    fields=("access_type", "status", "user", "agency"),
    default=("access_type", "status", "user"),
    sorting=("user__id",),
    filters={
        "user__id": ANY_OF,
        "user__username": ANY_OF,
        "user__status": STATUS,
        "status": STATUS,
        "q": EQUAL,
    },
    texts=frozenset({"q"}),
)
_ACCESS = frozenset({"full_access", "readonly", "fin_readonly", "ads_readonly"})
_MONEY_FIELDS = ("id", "amount", "date", "client_username", "type")
_TRANSACTIONS = Listing(
    fields=_MONEY_FIELDS,
    default=_MONEY_FIELDS,
    sorting=("id", "amount", "date"),
    filters={"id": ANY_OF, "amount": RANGE, "date": RANGE},
    numbers=frozenset({"amount"}),
)


# The account.


def _shown(world: World, user: User) -> Row:
    links = [link for link in world.links if link["user_id"] == user.id and link["status"] != "deleted"]
    active = sum(row["status"] == "active" for row in world.objects.banners.of(user.id))
    return {
        "id": user.id,
        "username": user.username,
        "email": user.username if "@agency_client" not in user.username else "",
        "firstname": user.client_name,
        "lastname": "",
        "status": user.status,
        "types": list(user.types),
        "currency": user.currency,
        "info_currency": user.info_currency,
        "language": user.language,
        "account": _account(user),
        "additional_info": _info(user),
        "additional_emails": [],
        "agency_username": world.user(links[0]["agency_id"]).username if links else None,
        "active_banners": active,
        "max_active_banners": 10_000,
        "mailings": user.mailings,
        "permissions": [],
        "regions": [188],
    }


def _info(user: User) -> Row:
    blank = dict.fromkeys(("client_info", "name", "phone", "address"), "")
    return {"client_name": user.client_name, **blank, **user.additional_info}


def _sent_info(body: Row, *, named: bool = False) -> Row:
    """Return the `additional_info` of a body, empty when it has none; *named*: a new client's."""
    info = body.get("additional_info", {})
    if not isinstance(info, dict):
        raise bad_field("additional_info", "bad_value", "An object is expected")
    name = info.get("client_name")
    if (named or "client_name" in info) and not (isinstance(name, str) and name):
        raise bad_field("client_name", "required", "Field is required")
    return info


def _write_info(user: User, info: Row) -> None:
    user.client_name = info.get("client_name", user.client_name)
    user.additional_info |= {name: value for name, value in info.items() if name != "client_name"}


def _account(user: User) -> Row:
    return {
        "id": user.id,
        "balance": money(user.balance),
        "a_balance": "0",
        "currency_balance_hold": "0",
        "type": "physical",
    }


def read_user(world: World, call: Call) -> web.Response:
    """GET user.json."""
    fields = query.chosen_fields(call, _USER)
    return ok(query.project(_shown(world, world.user(call.user_id)), fields, query.plain))


def update_user(world: World, call: Call) -> web.Response:
    """POST user.json: a few settings."""
    user, body = world.user(call.user_id), call.object()
    unknown = sorted(set(body) - _USER_WRITABLE)
    if unknown:
        leaf = {"code": "read_only_field", "message": "Field is read only"}
        raise refused(400, "validation_failed", "Validation failed", fields=dict.fromkeys(unknown, leaf))
    info, mailings = _sent_info(body), body.get("mailings", user.mailings)
    if not isinstance(mailings, list):
        raise bad_field("mailings", "bad_value", "A list is expected")
    for name in ("language", "info_currency"):
        if name in body:
            setattr(user, name, str(body[name]))
    _write_info(user, info)
    user.mailings = mailings
    return empty()


def read_account(world: World, call: Call) -> web.Response:
    """GET user/account.json: the balance."""
    return ok(_account(world.user(call.user_id)))


# Whom an agency or a manager serves.


def _client_rows(world: World, user_id: int) -> list[Row]:
    rows = []
    for link in world.clients_of(user_id):
        user = world.user(link["user_id"])
        shown = {
            "id": user.id,
            "username": user.username,
            "status": user.status,
            "account": _account(user),
            "additional_emails": [],
            "additional_info": _info(user),
        }
        agency = world.user(link["agency_id"])
        rows.append(
            {
                "id": user.id,
                "access_type": link["access_type"],
                "status": link["status"],
                "user": shown,
                "agency": {"id": agency.id, "username": agency.username},
            }
        )
    return rows


def _read_client(row: Row, field: str) -> Any:
    if field == "q":
        return f"{row['user']['username']} {row['user']['additional_info']['client_name']}"
    top, _, inner = field.partition("__")
    value = row.get(top)
    return value.get(inner) if inner and isinstance(value, dict) else value


def list_clients(kind: str, world: World, call: Call) -> web.Response:
    """GET agency/clients.json or manager/clients.json."""
    _must_be(world, call, kind)
    found = query.collection(
        call,
        _CLIENTS,
        _client_rows(world, call.user_id),
        _read_client,
        over_limit=world.knobs.over_limit,
    )
    if kind == "manager":
        agency = world.user(AGENCY_ID)
        for item in found["items"]:
            item["agency"] = {"id": agency.id, "username": agency.username}
    world.ledger.grouped(f"{kind}_clients.list", len(found["items"]))
    return ok(found)


def count_clients(kind: str, world: World, call: Call) -> web.Response:
    """GET agency/clients/count.json."""
    _must_be(world, call, kind)
    return ok({"count": len(world.clients_of(call.user_id))})


def _must_be(world: World, call: Call, kind: str) -> User:
    user = must_serve(world, call.user_id)
    if kind not in user.types:
        raise denied()
    return user


def create_client(world: World, call: Call) -> web.Response:
    """POST agency/clients.json: a new client, or an advertiser to attach."""
    agency = _must_be(world, call, "agency")
    body = call.object()
    access = str(body.get("access_type", "full_access"))
    if access not in _ACCESS:
        raise bad_field("access_type", "bad_value", "Unknown", allowed_values=sorted(_ACCESS))
    sent = body.get("user")
    given: Row = sent if isinstance(sent, dict) else {}
    user = _to_attach(world, agency, given) if {"id", "username"} & set(given) else None
    user = user or _new_client(world, agency, given)
    # Whatever ended before, the agency serves it from now on.
    user.unbound = False
    world.links.append(
        {
            "agency_id": agency.id,
            "user_id": user.id,
            "access_type": access,
            "status": "active",
        }
    )
    return ok({"user": {"id": user.id, "username": user.username}})


def _to_attach(world: World, agency: User, given: Row) -> User:
    found = [
        user
        for user in world.users.values()
        if user.id == given.get("id") or user.username == given.get("username")
    ]
    if not found:
        raise not_found("Unknown user")
    user = found[0]
    if "agency" in user.types or user.status != "active":
        raise refused(400, "invalid_user", "Cant join agency")
    if any(link["user_id"] == user.id and link["status"] != "deleted" for link in world.links):
        raise refused(400, "duplicate_value", "The user has an agency already")
    if user.currency != agency.currency:
        raise refused(400, "invalid_user", "Different currency for agency and client")
    return user


def _new_client(world: World, agency: User, given: Row) -> User:
    info = _sent_info(given, named=True)
    number = max(world.users) + 1
    user = User(
        id=number,
        username=f"{secret(world.seed, 'client', number, length=8)}@agency_client",
        types=("agency_client",),
        currency=agency.currency,
        info_currency=agency.currency,
    )
    _write_info(user, info)
    world.users[number] = user
    return user


def _link(world: World, call: Call) -> Row:
    for link in world.clients_of(call.user_id):
        if link["user_id"] == call.number():
            return link
    raise not_found()


def update_client(kind: str, world: World, call: Call) -> web.Response:
    """POST agency/clients/<id>.json: access_type, status, the client's name and other notes."""
    _must_be(world, call, kind)
    link, body = _link(world, call), call.object()
    user, sent = world.user(link["user_id"]), body.get("user")
    info = _sent_info(sent) if isinstance(sent, dict) else {}
    access, status = body.get("access_type"), body.get("status")
    if access is not None and str(access) not in _ACCESS:
        raise bad_field("access_type", "bad_value", "Unknown", allowed_values=sorted(_ACCESS))
    if status is not None and str(status) not in {"active", "blocked"}:
        raise bad_field("status", "bad_value", "Unknown status")
    given = {"access_type": access, "status": status}
    changes = {name: value for name, value in given.items() if value is not None}
    known = {**_info(user), **link}
    same = [name for name, value in {**info, **changes}.items() if known.get(name) == value]
    world.ledger.updated(f"{kind}_clients", user.id, call.method, same)
    link.update(changes)
    _write_info(user, info)
    return empty()


def delete_client(world: World, call: Call) -> web.Response:
    """DELETE agency/clients/<id>.json: only without money."""
    _must_be(world, call, "agency")
    link = _link(world, call)
    user = world.user(link["user_id"])
    if user.balance > 0:
        raise refused(400, "invalid_user", "Client balance must not be positive")
    link["status"] = "deleted"
    user.unbound = True
    world.tokens.revoke(user.id)
    return empty()


# Money.


def transfer(world: World, call: Call) -> web.Response:
    """POST billing/transactions/<to|from>/<user>.json: agency to client, or back."""
    agency = _must_be(world, call, "agency")
    client = world.user(_link(world, call)["user_id"])
    amount = _amount(call.object().get("amount"))
    if client.status != "active":
        raise refused(400, "blocked_user", "User is blocked")
    giver, taker = (agency, client) if call.path["way"] == "to" else (client, agency)
    if giver.balance < amount:
        raise refused(400, "transfer_error", "Not enough money")
    giver.balance -= amount
    taker.balance += amount
    row = {
        "id": len(world.transactions) + 1,
        "user_id": agency.id,
        "amount": money(amount),
        "date": world.stamp(),
        "client_username": client.username,
        "type": call.path["way"],
    }
    world.transactions.append(row)
    return ok(
        {
            "amount": row["amount"],
            "created_at": row["date"],
            "client_balance": money(client.balance),
            "agency_balance": money(agency.balance),
            "client_username": client.username,
        }
    )


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
    both = ("v2", "v3")
    user = partial(Action, resource="USER")
    yield Endpoint(
        path="user.json",
        actions={"GET": user(handler=read_user, operation="READ"), **partial_update(update_user)},
        versions=both,
    )
    yield Endpoint(path="user/account.json", actions={"GET": user(handler=read_account, operation="READ")})
    for kind in ("agency", "manager"):
        yield from _client_endpoints(kind)
    billing = partial(Action, resource="BILLING")
    yield Endpoint(
        path=r"billing/transactions/{way:to|from}/{id:\d+}.json",
        actions={"POST": billing(handler=transfer, operation="CREATE")},
    )
    yield Endpoint(
        path="billing/transaction_groups.json",
        actions={"GET": billing(handler=list_transactions, operation="READ")},
    )


def _client_endpoints(kind: str) -> Iterable[Endpoint]:
    resource = f"{kind.upper()}CLIENT"
    action = partial(Action, resource=resource)
    versions = ("v2", "v3") if kind == "manager" else ("v2",)
    collection = {"GET": action(handler=partial(list_clients, kind), operation="READ")}
    single = partial_update(partial(update_client, kind), resource)
    if kind == "agency":
        collection["POST"] = action(handler=create_client, operation="CREATE")
        single["DELETE"] = action(handler=delete_client, operation="DELETE")
    yield Endpoint(path=f"{kind}/clients.json", actions=collection, versions=versions)
    yield Endpoint(
        path=f"{kind}/clients/count.json",
        actions={"GET": action(handler=partial(count_clients, kind), operation="READ")},
        versions=versions,
    )
    yield Endpoint(path=rf"{kind}/clients/{{id:\d+}}.json", actions=single, versions=versions)
