"""
The OAuth2 endpoints and browser pages of the myTarget imitation.

Source: myTarget help "API authorization" and VK Ads "Authorization"
(documented); the refusals of unknown codes and refresh tokens are not
documented and follow RFC 6749.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web

from adnet.sandbox._mytarget_data import User
from adnet.sandbox._mytarget_tokens import SLOTS, Token, oauth_refused
from adnet.sandbox._mytarget_wire import Action, Call, Endpoint, Refused, empty, ok, words
from adnet.sandbox._mytarget_world import World

# Account type -> what a token for it may be asked to do.
SCOPES: Mapping[str, tuple[str, ...]] = {
    "advert": ("read_ads", "read_payments", "create_ads"),
    "agency_client": ("read_ads", "read_payments", "create_ads"),
    "agency": ("create_clients", "read_clients", "create_agency_payments"),
    "manager": ("read_manager_clients", "edit_manager_clients", "read_payments"),
}
_CLIENT_SCOPES = frozenset({"read_clients", "read_manager_clients"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_GRANTS = frozenset({"client_credentials", "agency_client_credentials", "authorization_code"})


def token(world: World, call: Call) -> web.Response:
    """POST oauth2/token.json."""
    grant = call.form.get("grant_type", "")
    try:
        if grant == "refresh_token":
            return _refreshed(world, call)
        if grant not in _GRANTS:
            raise oauth_refused(400, "unsupported_grant_type", f"Unknown grant type {grant!r}")
        user, scope = _GRANTED[grant](world, call)
        return _issued(world, call, grant, user, scope)
    except Refused as refusal:
        world.ledger.oauth_errors[refusal.body["error"]] += 1
        raise


def delete(world: World, call: Call) -> web.Response:
    """POST oauth2/token/delete.json: forget all tokens of a user for this client."""
    _check_client(world, call, secret_required=True)
    user = _named_user(world, call)
    world.tokens.delete(world.client.id, user.id)
    world.ledger.unbound_by_user[str(user.id)] += 1
    return empty()


def code_info(world: World, call: Call) -> web.Response:
    """POST oauth2/code_info.json: whose code it is, without using it up."""
    _check_client(world, call, secret_required=True)
    code = world.tokens.look(call.form.get("code", ""), world.client.id, world.now())
    user = world.user(code.user_id)
    shown = {"id": user.id, "username": user.username, "types": list(user.types)}
    return ok({"user": shown})


async def authorize_page(world: World, request: web.Request) -> web.StreamResponse:
    """
    GET /oauth2/authorize and /hq/settings/access: the browser's part.

    Whoever sits at the browser consents at once, or refuses by the switch.
    """
    query = request.query
    target = _redirect_target(world, query)
    if query.get("client_id") != world.client.id or target is None:
        return web.Response(status=400, text="Unknown client or redirect_uri\n")
    answer: dict[str, str] = {"state": query["state"]} if "state" in query else {}
    user = world.user(world.browser_user_id)
    if query.get("response_type") != "code":
        answer["error"] = "unsupported_response_type"
    elif not world.knobs.consent:
        answer["error"] = "access_denied"
    else:
        answer["code"] = world.tokens.new_code(
            client_id=world.client.id,
            user_id=user.id,
            scope=_scope(user, query.get("scope", "")),
            now=world.now(),
        )
        if world.profile.vk:
            answer["user_id"] = str(user.id)
    location = f"{target}{'&' if urlsplit(target).query else '?'}{urlencode(answer)}"
    return web.Response(status=302, headers={"Location": location})


def _redirect_target(world: World, query: Mapping[str, str]) -> str | None:
    """Return where to send the browser: registered, or any port of the loopback."""
    asked = query.get("redirect_uri")
    if asked is None or asked == world.knobs.redirect_uri:
        return world.knobs.redirect_uri
    return asked if urlsplit(asked).hostname in _LOOPBACK else None


def _issued(world: World, call: Call, grant: str, user: User, scope: tuple[str, ...]) -> web.Response:
    if user.status != "active":
        raise oauth_refused(401, "invalid_user", "User is blocked")
    made = world.tokens.issue(
        client_id=world.client.id,
        user_id=user.id,
        grant=grant,
        scope=scope,
        now=world.now(),
        permanent=call.form.get("permanent") == "true",
    )
    if grant == "authorization_code":
        del world.tokens.codes[call.form["code"]]
    world.ledger.granted(grant, user.id)
    return _token_answer(world, made)


def _refreshed(world: World, call: Call) -> web.Response:
    _check_client(world, call, secret_required=True)
    made = world.tokens.refresh(
        client_id=world.client.id,
        refresh=call.form.get("refresh_token", ""),
        now=world.now(),
    )
    if world.user(made.user_id).status != "active":
        raise oauth_refused(401, "invalid_user", "User is blocked")
    world.ledger.refreshes_by_user[str(made.user_id)] += 1
    return _token_answer(world, made)


def _token_answer(world: World, made: Token) -> web.Response:
    seconds = world.knobs.token_lifetime_s
    lifetime: object = int(seconds) if seconds == int(seconds) else seconds
    if world.knobs.expires_in_style == "text":
        lifetime = str(lifetime)
    if world.knobs.expires_in_style == "null" or made.expires_at is None:
        lifetime = None
    left = SLOTS - len(world.tokens.of(made.client_id, made.user_id))
    return ok(
        {
            "access_token": made.access,
            "token_type": "Bearer",
            "scope": list(made.scope),
            "expires_in": lifetime,
            "refresh_token": made.refresh,
            "tokens_left": left,
        }
    )


def _own(world: World, call: Call) -> tuple[User, tuple[str, ...]]:
    _check_client(world, call, secret_required=True)
    user = world.user(world.client.owner_id)
    return user, _scope(user, call.form.get("scope", ""))


def _of_agency(world: World, call: Call) -> tuple[User, tuple[str, ...]]:
    _check_client(world, call, secret_required=True)
    server = _serving_user(world, call)
    clients = [world.user(link["user_id"]) for link in world.clients_of(server)]
    name, number = call.form.get("agency_client_name"), call.form.get("agency_client_id")
    if not name and not number:
        raise oauth_refused(400, "invalid_request", "agency_client_name is required")
    for user in clients:
        if user.username == name or str(user.id) == number:
            if user.unbound:
                raise oauth_refused(401, "revoked_token", "Access token has been revoked")
            return user, _scope(user, "")
    raise oauth_refused(400, "invalid_grant", "Unknown agency client")


def _serving_user(world: World, call: Call) -> int:
    """Return the agency: the owner of the API client, or whoever's token is presented."""
    access = call.form.get("access_token")
    if access is None:
        return world.client.owner_id
    now = world.now()
    held = world.tokens.find(access, now)
    if held is not None and held.revoked:
        raise oauth_refused(401, "revoked_token", "Access token has been revoked")
    if held is None or (held.expires_at is not None and held.expires_at <= now):
        raise oauth_refused(401, "invalid_token", "Unknown access token")
    if not _CLIENT_SCOPES & set(held.scope):
        raise oauth_refused(403, "access_denied", "Scope read_clients is required")
    return held.user_id


def _by_code(world: World, call: Call) -> tuple[User, tuple[str, ...]]:
    # The documented exchange carries no secret; one that is sent must be right.
    _check_client(world, call, secret_required=False)
    code = world.tokens.look(call.form.get("code", ""), world.client.id, world.now())
    user = world.user(code.user_id)
    user.unbound = False
    return user, code.scope


_GRANTED = {
    "client_credentials": _own,
    "agency_client_credentials": _of_agency,
    "authorization_code": _by_code,
}


def _check_client(world: World, call: Call, *, secret_required: bool) -> None:
    given = call.form.get("client_secret")
    known = call.form.get("client_id") == world.client.id
    right = given == world.client.secret or (given is None and not secret_required)
    if not (known and right):
        raise oauth_refused(401, "invalid_client", "Invalid client id or secret provided")


def _named_user(world: World, call: Call) -> User:
    name, number = call.form.get("username"), call.form.get("user_id")
    if name is None and number is None:
        return world.user(world.client.owner_id)
    for user in world.users.values():
        if user.username == name or str(user.id) == number:
            return user
    raise oauth_refused(404, "not_found", "Unknown user")


def _scope(user: User, asked: str) -> tuple[str, ...]:
    """Return what of the asked scopes fits the account; all of it when none is asked."""
    fitting = [scope for kind in user.types for scope in SCOPES.get(kind, ())]
    wanted = words(asked) or fitting
    return tuple(dict.fromkeys(scope for scope in wanted if scope in fitting))


def all_scopes(user: User) -> tuple[str, ...]:
    """Return everything a token of the account may be good for."""
    return _scope(user, "")


def read_form(body: bytes, content_type: str) -> dict[str, str]:
    """Return the fields of a form body; other bodies have none."""
    if content_type != "application/x-www-form-urlencoded":
        return {}
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


ENDPOINTS = (
    Endpoint(path="oauth2/token.json", actions={"POST": Action(handler=token, public=True)}),
    Endpoint(path="oauth2/token/delete.json", actions={"POST": Action(handler=delete, public=True)}),
    Endpoint(path="oauth2/code_info.json", actions={"POST": Action(handler=code_info, public=True)}),
)
