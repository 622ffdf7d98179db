"""The way back from a network's page of consent: a listener on this machine, or what the user pastes.

The browser comes back to a loopback address with a code and the state that was sent along. A page anywhere could
send a browser there with a code of somebody else's, so what carries another state is refused and waited past.
"""

import asyncio
import contextlib
import hmac
import os
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

import attrs

from adnet.errors import ConfigurationError

if TYPE_CHECKING:
    from aiohttp import web

HOST: Final = "127.0.0.1"
PATH: Final = "/callback"
_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>adnet</title>
<body style="font: 16px sans-serif; margin: 4em"><p>{}</p>
"""
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Referrer-Policy": "no-referrer",
}


class NotGrantedError(Exception):
    """The user, or the network, gave no access; the message says which word came back."""


class ForeignAnswerError(ConfigurationError):
    """What came back belongs to another login."""


def code_in(answer: Mapping[str, str], *, state: str | None) -> str:
    """Return the code in the parameters that a browser came back with.

    Args:
        answer: The parameters.
        state: What was sent along; None where nobody here knows it.

    Raises:
        ForeignAnswerError: They carry another state, or none.
        NotGrantedError: They carry a refusal.
        ConfigurationError: They carry no code.
    """
    if state is not None and not hmac.compare_digest(answer.get("state", "").encode(), state.encode()):
        raise ForeignAnswerError("what came back belongs to another login: its state is not the one sent")
    if error := answer.get("error"):
        words = ": ".join(filter(None, (error, answer.get("error_description"))))
        raise NotGrantedError(words)
    if not answer.get("code"):
        raise ConfigurationError("what came back holds no code")
    return answer["code"]


def code_of(pasted: str, *, state: str | None = None) -> str:
    """Return the code that a user pasted, alone or in the address that the browser ended at.

    Raises:
        ForeignAnswerError: The address carries another *state* than was sent.
        NotGrantedError: The address carries a refusal.
        ConfigurationError: There is no code in it.
    """
    text = pasted.strip()
    if any(mark in text for mark in ("://", "code=", "error=")):
        query = urlsplit(text).query if "?" in text else text
        return code_in(dict(parse_qsl(query)), state=state)
    if not text or not text.isprintable() or " " in text:
        raise ConfigurationError("this is no code: paste the code, or the whole address with ?code=…")
    return text


@attrs.frozen
class Listener:
    """Waits for the browser. *url* is where to send it; *code* is what it brings, or why it brings none."""

    url: str
    code: "asyncio.Future[str]"


@contextlib.asynccontextmanager
async def listening(port: int, state: str) -> AsyncIterator[Listener]:
    """Listen on loopback for a browser that brings *state* back; 0 takes any free port.

    Raises:
        ConfigurationError: The port is taken, or may not be used.
    """
    from aiohttp import web

    came: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    app = web.Application()
    app.add_routes([web.get("/{path:.*}", _Back(state, came).answer, allow_head=False)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {HOST}:{port} ({os.strerror(error.errno or 0)}): name another port with --port, one"
                " that the application is registered with"
            ) from None
        yield Listener(f"http://{HOST}:{runner.addresses[0][1]}{PATH}", came)
    finally:
        came.cancel()
        await runner.cleanup()


@attrs.frozen
class _Back:
    """Answers the browser. Whatever path was registered, it is the state that tells a login."""

    state: str
    came: "asyncio.Future[str]"

    async def answer(self, request: "web.Request") -> "web.Response":
        """Return the page that the browser shows."""
        if not {"state", "code", "error"} & request.query.keys():
            return _page(404, "There is nothing here.")
        try:
            code = code_in(request.query, state=self.state)
        except ForeignAnswerError:
            return _page(400, "This belongs to another login. Go back to the terminal.")
        except NotGrantedError as error:
            self._tell(error)
            return _page(200, "No access was given. You can close this page.")
        except ConfigurationError:
            return _page(400, "There is no code in this address.")
        self._tell(code)
        return _page(200, "Thank you. You can close this page and go back to the terminal.")

    def _tell(self, result: str | Exception) -> None:
        if self.came.done():
            return
        if isinstance(result, str):
            self.came.set_result(result)
        else:
            self.came.set_exception(result)


def _page(status: int, text: str) -> "web.Response":
    from aiohttp import web

    return web.Response(status=status, text=_PAGE.format(text), content_type="text/html", headers=_HEADERS)


@contextlib.contextmanager
def pasting(take: Callable[[str], None]) -> Iterator[bool]:
    """Hand each line that is typed at the terminal to *take*; yield whether there is a terminal to type at."""
    loop, stream = asyncio.get_running_loop(), sys.stdin
    if not can_paste():
        yield False
        return

    def read() -> None:
        line = stream.readline()
        if not line:  # the end of input
            loop.remove_reader(stream)
        elif line.strip():
            take(line)

    try:
        loop.add_reader(stream, read)
    except (NotImplementedError, OSError, ValueError):
        yield False
        return
    try:
        yield True
    finally:
        loop.remove_reader(stream)


def can_paste() -> bool:
    """Say whether somebody sits at standard input."""
    return sys.stdin is not None and sys.stdin.isatty()


def open_browser(url: str, failed: Callable[[], None]) -> None:
    """Open *url* in the user's browser; *failed* is called in the event loop where there is none.

    A browser of the terminal keeps its caller waiting, which a thread of its own can do.
    """
    loop = asyncio.get_running_loop()

    def open_it() -> None:
        try:
            opened = webbrowser.open(url)
        except (webbrowser.Error, OSError):
            opened = False
        if not opened:
            with contextlib.suppress(RuntimeError):  # the login has ended meanwhile
                loop.call_soon_threadsafe(failed)

    threading.Thread(target=open_it, daemon=True).start()
