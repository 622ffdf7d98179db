"""
The account itself, agency and manager clients.

Source: VK Ads "User", "AgencyClients", "ManagerClients" (documented).
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

import attrs
from aiohttp import web

from adnet.sandbox import _mytarget_query as query
from adnet.sandbox._mytarget_data import User
from adnet.sandbox._mytarget_query import ANY_OF, EQUAL, STATUS, Listing
from adnet.sandbox._mytarget_wire import (
    Action,
    Call,
    Endpoint,
    Refused,
    Row,
    bad_field,
    denied,
    empty,
    money,
    none_but,
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
        "branch_username",
        "active_banners",
        "max_active_banners",
        "mailings",
        "available_mailings",
        "permissions",
        "regions",
    ),
    default=_USER_DEFAULT,
)
_USER_WRITABLE = frozenset({"language", "info_currency", "status", "additional_info", "mailings"})
_CLIENT_FIELDS = ("access_type", "status", "user")
_CLIENTS = Listing(
    fields=_CLIENT_FIELDS,
    default=_CLIENT_FIELDS,
    sorting=("user__id",),
    filters={
        "user__id": ANY_OF,
        "user__username": ANY_OF,
        "user__status": STATUS,
        "status": STATUS,
        "q": EQUAL,
    },
)
_MANAGED = attrs.evolve(_CLIENTS, fields=(*_CLIENT_FIELDS, "agency"), default=(*_CLIENT_FIELDS, "agency"))
"""A manager sees whose clients they are, too."""
_ACCESS = frozenset({"full_access", "readonly", "fin_readonly", "ads_readonly"})


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
        "additional_emails": user.additional_emails,
        "agency_username": world.user(links[0]["agency_id"]).username if links else None,
        "branch_username": None,
        "active_banners": active,
        "max_active_banners": 10_000,
        "mailings": user.mailings,
        "available_mailings": [],
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


def _sent_emails(body: Row, main: str) -> list[str] | None:
    """Return the `additional_emails` of a body; None when it has none."""
    emails = body.get("additional_emails")
    if emails is None:
        return None
    if not isinstance(emails, list) or not all(isinstance(email, str) for email in emails):
        raise bad_field("additional_emails", "bad_value", "A list of addresses is expected")
    if main in emails:
        message = "Additional emails contain the main user email"
        raise bad_field("additional_emails", "duplicate_value", message)
    return emails


def _write_info(user: User, info: Row, emails: list[str] | None = None) -> None:
    user.additional_emails = user.additional_emails if emails is None else emails
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
    if not isinstance(mailings, list | dict):
        raise bad_field("mailings", "bad_value", "Mailings are expected")
    if body.get("status", "active") not in {"active", "blocked"}:
        raise bad_field("status", "unallowed_value", "Unknown status")
    words = {name: body[name] for name in ("language", "info_currency", "status") if name in body}
    for name, word in words.items():
        if not isinstance(word, str):
            raise bad_field(name, "bad_value", "A word is expected")
    for name, word in words.items():
        setattr(user, name, word)
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
            "additional_emails": user.additional_emails,
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
        info = row["user"]["additional_info"]
        return f"{row['user']['username']} {info['client_name']} {info['client_info']}"
    top, _, inner = field.partition("__")
    value = row.get(top)
    return value.get(inner) if inner and isinstance(value, dict) else value


def list_clients(kind: str, world: World, call: Call) -> web.Response:
    """GET agency/clients.json or manager/clients.json."""
    must_be(world, call, kind)
    found = query.collection(
        call,
        _MANAGED if kind == "manager" else _CLIENTS,
        _client_rows(world, call.user_id),
        _read_client,
        over_limit=world.knobs.over_limit,
    )
    world.ledger.grouped(f"{kind}_clients.list", len(found["items"]))
    return ok(found)


def count_clients(kind: str, world: World, call: Call) -> web.Response:
    """GET agency/clients/count.json."""
    must_be(world, call, kind)
    return ok({"count": len(world.clients_of(call.user_id))})


def must_be(world: World, call: Call, kind: str) -> User:
    """Return the account that calls; others than of this kind may not."""
    user = must_serve(world, call.user_id)
    if kind not in user.types:
        raise denied()
    return user


def create_client(world: World, call: Call) -> web.Response:
    """POST agency/clients.json: a new client, or an advertiser to attach."""
    agency = must_be(world, call, "agency")
    body = none_but(call.object(), {"access_type", "user"})
    access = str(body.get("access_type", "full_access"))
    if access not in _ACCESS:
        raise bad_field("access_type", "bad_value", "Unknown", allowed_values=sorted(_ACCESS))
    sent = body.get("user")
    given: Row = sent if isinstance(sent, dict) else {}
    none_but(given, {"id", "username", "additional_info", "additional_emails"})
    if {"id", "username"} & set(given):
        user = _to_attach(world, agency, given)
        _write_info(user, _sent_info(given), _sent_emails(given, user.username))
    else:
        user = _new_client(world, agency, given)
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
    bound = any(link["user_id"] == user.id and link["status"] != "deleted" for link in world.links)
    direct = {"advert", "agency_client"} & set(user.types) and "agency" not in user.types
    if bound or not direct or user.status != "active":
        raise _wrong_user("Cant join agency")
    if user.currency != agency.currency:
        raise _wrong_user("Different currency for agency and client")
    return user


def _wrong_user(message: str) -> Refused:
    # The documented refusal has neither code nor message of its own.
    return Refused(400, {"error": {"fields": {"user": {"code": "invalid_user", "message": message}}}})


def _new_client(world: World, agency: User, given: Row) -> User:
    info, emails = _sent_info(given, named=True), _sent_emails(given, "")
    number = max(world.users) + 1
    user = User(
        id=number,
        username=f"{secret(world.seed, 'client', number, length=8)}@agency_client",
        types=("agency_client",),
        currency=agency.currency,
        info_currency=agency.currency,
    )
    _write_info(user, info, emails)
    world.users[number] = user
    return user


def link_of(world: World, call: Call) -> Row:
    """Return the relation with the client that the path names."""
    for link in world.clients_of(call.user_id):
        if link["user_id"] == call.number():
            return link
    raise not_found()


def update_client(kind: str, world: World, call: Call) -> web.Response:
    """POST agency/clients/<id>.json: access_type, status, the client's name and other notes."""
    must_be(world, call, kind)
    link, body = link_of(world, call), none_but(call.object(), {"access_type", "status", "user"})
    user, sent = world.user(link["user_id"]), body.get("user", {})
    if not isinstance(sent, dict):
        raise bad_field("user", "bad_value", "An object is expected")
    none_but(sent, {"additional_info", "additional_emails"})
    info, emails = _sent_info(sent), _sent_emails(sent, user.username)
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
    _write_info(user, info, emails)
    return empty()


def delete_client(world: World, call: Call) -> web.Response:
    """DELETE agency/clients/<id>.json: only without money, which is the agency's currency."""
    agency = must_be(world, call, "agency")
    link = link_of(world, call)
    user = world.user(link["user_id"])
    if user.balance > 0:
        raise _wrong_user("Can't delete client with amount on hold")
    if user.currency != agency.currency:
        raise _wrong_user("Can't delete client, money transfer error")
    link["status"] = "deleted"
    user.unbound = True
    world.tokens.revoke(user.id)
    return empty()


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
