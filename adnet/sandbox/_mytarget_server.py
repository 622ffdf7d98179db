"""
How the myTarget imitation answers one request.

A request passes: faults > method > token > scope > limits > handler > lost replies.
The 401 bodies come in the three shapes the documents and captures show.

Source of the scope: myTarget help "API authorization", "Access rights determine what
actions the API client can take" (documented), `create_ads` being "create and edit
campaign settings, banners, audiences"; the code of the refusal is inferred.
"""

from typing import Any

from aiohttp import web

from adnet.sandbox import _mytarget_oauth as oauth
from adnet.sandbox._mytarget_limits import Verdict
from adnet.sandbox._mytarget_tokens import Token
from adnet.sandbox._mytarget_wire import (
    Action,
    Call,
    Endpoint,
    Refused,
    denied,
    not_found,
    ok,
    read_parts,
    refused,
)
from adnet.sandbox._mytarget_world import World
from adnet.sandbox.faults import Faults

_VERDICT = web.RequestKey("adnet.sandbox.verdict", Verdict)
_TOKEN_PATH = "/api/v2/oauth2/token.json"  # noqa: S105 - a path
_NEEDS_CREATE_ADS = frozenset({"AD_PLAN", "BANNER", "CAMPAIGN", "COUNTER", "REMARKETINGUSERSLIST", "SEGMENT"})
_HTML_502 = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>"
)


async def serve(
    world: World, faults: Faults, endpoint: Endpoint, version: str, request: web.Request
) -> web.StreamResponse:
    """Answer a request for a known path."""
    if faults.strikes("html502"):
        return web.Response(status=502, text=_HTML_502, content_type="text/html")
    world.settle()
    world.ledger.requests += 1
    try:
        response = await _run(world, endpoint, version, request)
    except Refused as refusal:
        response = refusal.response()
    verdict = request.get(_VERDICT)
    if verdict is not None:
        response.headers.update(verdict.headers)
    world.ledger.statuses[response.status] += 1
    return _drop(request) if _loses(faults, request) else response


async def serve_unknown(_request: web.Request) -> web.StreamResponse:
    """Answer a request for a path that does not exist."""
    return not_found().response()


def told(request: web.Request) -> None:
    """Note that an answer has left: who reads it knows what remains."""
    verdict = request.get(_VERDICT)
    if verdict is not None:
        verdict.told()


def throttling(world: World, call: Call) -> web.Response:
    """GET throttling.json: limits and what remains of them."""
    return ok(world.rates.state((call.client_id, call.user_id), world.now().timestamp()))


async def _run(world: World, endpoint: Endpoint, version: str, request: web.Request) -> web.Response:
    action = _action(world, endpoint, request.method)
    token = None if action.public else _authenticated(world, request)
    if token is not None and action.resource:
        _within_scope(action, token)
        _within_limits(world, request, action, version, token)
    body = await request.read()
    call = Call(
        method=request.method,
        version=version,
        path=request.match_info,
        query=request.query,
        lists={name: request.query.getall(name) for name in request.query},
        body=body,
        parts=await read_parts(request, body),
        language=request.headers.get("Accept-Language", ""),
        origin=f"{request.scheme}://{request.host}",
        token=token,
        form=oauth.read_form(body, request.content_type),
    )
    return action.handler(world, call)


def _action(world: World, endpoint: Endpoint, method: str) -> Action:
    action = endpoint.actions.get(method)
    verb = world.knobs.update_verb
    closed = action is not None and action.partial and verb not in {method.lower(), "both"}
    if action is None or closed:
        raise refused(405, "method_not_allowed", "Method not allowed")
    return action


def _authenticated(world: World, request: web.Request) -> Token:
    scheme, _, word = request.headers.get("Authorization", "").partition(" ")
    now = world.now()
    token = world.tokens.find(word.strip(), now) if scheme.lower() == "bearer" else None
    if token is None:
        raise _unauthorized(world, "invalid_token", "Unknown access token")
    if token.revoked:
        raise _unauthorized(world, "revoked_token", "Access token has been revoked")
    if token.expires_at is not None and token.expires_at <= now:
        raise _unauthorized(world, "expired_token", "Access token is expired")
    if world.user(token.user_id).status != "active":
        raise _unauthorized(world, "invalid_user", "User is blocked")
    return token


def _unauthorized(world: World, code: str, message: str) -> Refused:
    world.ledger.unauthorized[code] += 1
    header = f'Bearer realm="api", error="{code}", error_description="{message}"'
    flat = {"code": code, "message": message}
    shapes: dict[str, Any] = {"nested": {"error": flat}, "flat": flat, "header": None}
    return Refused(401, shapes[world.knobs.error_shape], {"WWW-Authenticate": header})


def _within_scope(action: Action, token: Token) -> None:
    writes = action.operation != "READ" and action.resource in _NEEDS_CREATE_ADS
    if writes and "create_ads" not in token.scope:
        raise denied("Scope create_ads is required")


def _within_limits(world: World, request: web.Request, action: Action, version: str, token: Token) -> None:
    verdict = world.rates.take(
        (token.client_id, token.user_id),
        (action.resource, version, action.operation),
        world.now().timestamp(),
    )
    request[_VERDICT] = verdict
    if not verdict.allowed:
        raise Refused(429, verdict.body)


def _loses(faults: Faults, request: web.Request) -> bool:
    if request.method in {"GET", "HEAD"}:
        return False
    return faults.strikes("lost-token" if request.path == _TOKEN_PATH else "lost-reply")


def _drop(request: web.Request) -> web.StreamResponse:
    """Cut the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.StreamResponse()
