"""What every part of the native client shares: building, sending, decoding, and what came of a write."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import attrs

from adnet.connectors.adskeeper import shapes
from adnet.connectors.adskeeper.auth import Dialect
from adnet.connectors.adskeeper.calls import Call
from adnet.connectors.adskeeper.errors import (
    BOM,
    envelope_of,
    partial_error,
    rejected_of,
    stripped,
    words_of,
)
from adnet.connectors.adskeeper.routes import UNANSWERED
from adnet.errors import AdnetError, ConfigurationError, SchemaError
from adnet.models import PlannedRequest
from adnet.state import Leases
from adnet.transport.decipher import decode
from adnet.transport.session import Session
from adnet.transport.wire import Request, Response, Route

_LONGEST: Final = 300
"""Characters of what the network says in a note."""
_ALONE_S: Final = 6 * 3600.0
"""Longer than the writes of one update take, though each is refused for minutes before each of its retries. Who dies
gives its lease back at once."""


@attrs.frozen(kw_only=True)
class Saved:
    """What came of a write."""

    id: str | None = None
    """Of the object, as the network told it; None where it told nothing, and the document shows no answer."""
    rejected: tuple[str, ...] = ()
    """Members that were not saved, while the others were."""
    error: AdnetError | None = attrs.field(default=None, eq=False)
    """Why those were not."""
    notes: tuple[str, ...] = ()
    """What the user should know."""


class Core:
    """Sends requests of one client. Safe to use from many tasks at once."""

    def __init__(self, session: Session, dialect: Dialect, leases: Leases) -> None:
        self.session = session
        self.dialect = dialect
        self.known_client_id: str | None = None
        self._leases = leases

    @property
    def client_id(self) -> str:
        """The client's API id, which stands in most paths.

        Raises:
            ConfigurationError: It is learned by logging in, which has not happened yet.
        """
        if self.known_client_id is None:
            raise ConfigurationError("the client id is not known before the account has been opened")
        return self.known_client_id

    def alone_with(self, campaign_id: str) -> AbstractAsyncContextManager[None]:
        """Return what to hold from reading a campaign until an edit that depends on it is answered.

        Nothing at this network can be compared and set, so that who works on another state, or on the network's own
        pages, may come between all the same.
        """
        name = f"campaign {self.client_id}/{campaign_id} of {self.session.network}"
        return self._leases.alone(name, most_s=_ALONE_S)

    def build(self, route: Route, *, path: Mapping[str, object] | None = None, **parts: Any) -> Request:
        """Return a request with the client's id filled in."""
        known = {"client": self.client_id} if "{client}" in route.path else {}
        return self.session.build(route, path={**known, **(path or {})}, **parts)

    async def read(
        self,
        route: Route,
        *,
        path: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None,
    ) -> Any:
        """Return the answer's JSON; numbers with a fraction are Decimals, secrets are masked.

        Raises:
            DecodeError: It is no JSON.
            SchemaError: It is ``false``, which stands for nothing within an answer, and for a failure in place of one.
            AdnetError: The network refused, or told that a part of what was asked for does not exist.
        """
        response = await self.session.send(self.build(route, path=path, query=query or {}))
        if envelope_of(response.body) is not None:
            raise self._partly(response, route)
        value = self.decoded(response, route)
        if value is False:
            with self.session.reading(route):
                raise SchemaError("the answer is false, and holds nothing", paths=("$",))
        return value

    def _partly(self, response: Response, route: Route) -> AdnetError:
        """Return the error that stands for what an answer says was not found, or not saved."""
        session = self.session
        error = partial_error(response, session.network, session.scrubber)
        return error.add_context(account=session.account, operation=route.operation, attempts=1)

    def decoded(self, response: Response, route: Route) -> Any:
        """Return an answer's JSON.

        Raises:
            DecodeError: It is none.
        """
        body = response.body.removeprefix(BOM)
        scrubber = self.session.scrubber
        with self.session.reading(route):
            value = decode(attrs.evolve(response, body=body), scrubber=scrubber, decoder=shapes.DECODER)
            return scrubber.payload(value) if scrubber.suspects(body) else value

    async def save(self, call: Call) -> Saved:
        """Send a write and return what came of it.

        Raises:
            LostReplyError: A write that may not be repeated was sent and its reply was lost.
            DecodeError, SchemaError: The answer cannot be read, or tells no id; the write may have been done.
            AdnetError: The network refused; nothing was saved.
        """
        response = await self.session.send(self.request(call))
        envelope = envelope_of(response.body)
        if envelope is not None:
            scrubber = self.session.scrubber
            told = scrubber.excerpt("; ".join(words_of(envelope.errors)), _LONGEST)
            return Saved(
                id=shapes.text(scrubber.payload(envelope.id)),
                rejected=tuple(map(scrubber.text, rejected_of(envelope.data) if envelope.data else ())),
                error=self._partly(response, call.route),
                notes=(*call.notes, f"saved in part: {told}"),
            )
        return Saved(id=self._saved_id(response, call.route), notes=call.notes)

    def _saved_id(self, response: Response, route: Route) -> str | None:
        """Return the id that tells of a success; None where there is nothing, and nothing is documented.

        Raises:
            SchemaError: There is none. Clients in production go by the id, whatever the status (observed).
        """
        told = self.decoded(response, route) if stripped(response.body) else None
        with self.session.reading(route):
            number = shapes.text(shapes.mapping(told, "$").get("id"))
            if number is None and (told or told is False or route not in UNANSWERED):
                said = self.session.scrubber.excerpt(response.text, _LONGEST)
                raise SchemaError(
                    f"the answer tells neither an id nor errors: {said or '(empty)'}", paths=("$.id",)
                )
        return number

    def request(self, call: Call) -> Request:
        """Return the request of a write."""
        return self.build(call.route, path=call.path, query=call.query, form=call.form, json=call.json)

    def planned(self, call: Call, note: str | None = None, *, ids: Iterable[str] = ()) -> PlannedRequest:
        """Return the request of a write to *ids* as it would be sent, without credentials."""
        request = self.request(call)
        assert not callable(request.body)
        body = request.body.decode() if request.body is not None else None
        notes = "; ".join((*((note,) if note else ()), *call.notes))
        return PlannedRequest(
            method=call.route.method,
            url=self.session.scrubber.text(request.url),
            body=None if body is None else self.session.scrubber.text(body),
            note=notes or None,
            ids=tuple(ids),
        )
