"""What each fault does to one exchange; the names and their sentences are the public list."""

import asyncio
import gzip
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

import attrs

from adnet.testing._fault_wire import Answered, Asked, chunk

_WEEK_S: Final = 7 * 86_400
_BLOCK: Final = 64 * 1024


@attrs.frozen(kw_only=True)
class FaultSettings:
    """How long, how late, how much; a value."""

    slow_s: float = 0.3
    """How long a slow answer is held back, and how long an endless one is kept up at most."""
    shut_s: float = 0.03
    """How long the door stays shut after ``refused`` struck."""
    retry_after_s: int = 1
    """What a 429 or 503 asks for."""
    duplicate_s: float = 0.0
    """How long after the first the second answer comes; 0 is right behind it."""
    skew_s: float = 3 * 3600.0
    """How far the server's clock is ahead."""
    elsewhere: str = "http://127.0.0.2:9/elsewhere"
    """Where redirects lead."""
    announced_bytes: int = 2 * 2**30
    """What ``huge-announced`` announces."""
    streamed_bytes: int = 256 * 2**20
    """What an endless body sends before it gives up, if the client does not; after expanding, for gzip."""
    refusals: Mapping[str, Answered] = attrs.field(factory=dict)
    """Fault -> the answer in the network's own words, for faults that are a status."""


@attrs.frozen(kw_only=True)
class Exchange:
    """One request on its way through the proxy."""

    asked: Asked
    settings: FaultSettings
    forward: Callable[[], Awaitable[Answered]]
    """Has the request executed by the server behind, and returns its answer."""
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *parts: bytes) -> None:
        """Send bytes to the client."""
        for part in parts:
            self.writer.write(part)
        await self.writer.drain()

    async def answer(self, answer: Answered) -> bool:
        """Send a whole answer; the connection goes on."""
        body = b"" if self.asked.method == "HEAD" else answer.body
        await self.send(answer.head(length=len(answer.body)), body)
        return True

    def reset(self) -> None:
        """Cut the connection so that the client sees a TCP reset."""
        sock = self.writer.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def until_gone(self) -> None:
        """Wait until the client closes, or until patience ends."""
        try:
            async with asyncio.timeout(self.settings.slow_s):
                await self.reader.read()
        except TimeoutError:
            return


Act = Callable[[Exchange], Awaitable[bool]]
"""Does one fault, and says whether the connection goes on."""


async def _reset(exchange: Exchange) -> bool:
    await exchange.forward()
    exchange.reset()
    return False


async def _reset_body(exchange: Exchange) -> bool:
    answer = await exchange.forward()
    await exchange.send(answer.head(length=len(answer.body) + 1), answer.body[: len(answer.body) // 2])
    await asyncio.sleep(0.005)  # what was sent shall arrive before the reset does
    exchange.reset()
    return False


async def _slow_headers(exchange: Exchange) -> bool:
    answer = await exchange.forward()
    await asyncio.sleep(exchange.settings.slow_s)
    return await exchange.answer(answer)


async def _slow_body(exchange: Exchange) -> bool:
    answer = await exchange.forward()
    half = len(answer.body) // 2
    await exchange.send(answer.head(length=len(answer.body) + 1), answer.body[:half])
    await asyncio.sleep(exchange.settings.slow_s)
    await exchange.send(answer.body[half:], b"\n")
    return True


async def _half(exchange: Exchange) -> bool:
    answer = await exchange.forward()
    await exchange.send(answer.head(length=len(answer.body) + 1), answer.body[: len(answer.body) // 2])
    return False


async def _wrong_type(exchange: Exchange) -> bool:
    answer = await exchange.forward()
    return await exchange.answer(answer.with_header("Content-Type", "image/png"))


async def _html_502(exchange: Exchange) -> bool:
    await exchange.forward()
    page = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
    return await exchange.answer(Answered(status=502, headers=(("Content-Type", "text/html"),), body=page))


async def _empty_200(exchange: Exchange) -> bool:
    await exchange.forward()
    return await exchange.answer(Answered(status=200, headers=(("Content-Type", "application/json"),)))


async def _bad_json(exchange: Exchange) -> bool:
    answer = await exchange.forward()
    return await exchange.answer(attrs.evolve(answer, body=answer.body[: len(answer.body) // 2] + b'{"'))


async def _cut_gzip(exchange: Exchange) -> bool:
    answer = await exchange.forward()
    packed = gzip.compress(answer.body or b" ", mtime=0)
    cut = attrs.evolve(answer, body=packed[: len(packed) // 2])
    return await exchange.answer(cut.with_header("Content-Encoding", "gzip"))


async def _huge_announced(exchange: Exchange) -> bool:
    answer = await exchange.forward()
    await exchange.send(answer.head(length=exchange.settings.announced_bytes), answer.body)
    await exchange.until_gone()
    return False


async def _huge_streamed(exchange: Exchange) -> bool:
    answer = await exchange.forward()
    await exchange.send(answer.head(length=None, chunked=True))
    block = chunk(b" " * _BLOCK)
    for _ in range(exchange.settings.streamed_bytes // _BLOCK):
        await exchange.send(block)
    return False


async def _gzip_bomb(exchange: Exchange) -> bool:
    answer = await exchange.forward()
    bomb = answer.with_header("Content-Encoding", "gzip")
    await exchange.send(bomb.head(length=None, chunked=True))
    packer = zlib.compressobj(9, wbits=31)
    for _ in range(exchange.settings.streamed_bytes // (16 * _BLOCK)):
        await exchange.send(chunk(packer.compress(b" " * 16 * _BLOCK) + packer.flush(zlib.Z_SYNC_FLUSH)))
        await asyncio.sleep(0)
    return False


async def _duplicate(exchange: Exchange) -> bool:
    answer = await exchange.forward()
    whole = answer.head(length=len(answer.body)) + answer.body
    if exchange.settings.duplicate_s <= 0:
        # In one piece: a client of another process could else have sent its next request in between, and nobody
        # could tell any more that what comes then is no answer to it.
        await exchange.send(whole + whole)
        return True
    await exchange.send(whole)
    await asyncio.sleep(exchange.settings.duplicate_s)
    await exchange.send(whole)
    return True


async def _skew(exchange: Exchange) -> bool:
    answer = await exchange.forward()
    return await exchange.answer(answer.with_header("Date", _http_date(exchange.settings.skew_s)))


async def _redirect(exchange: Exchange) -> bool:
    moved = Answered(status=302, headers=(("Location", exchange.settings.elsewhere),))
    return await exchange.answer(moved)


def _status(name: str, status: int, make_headers: Callable[[FaultSettings], Mapping[str, str]]) -> Act:
    async def act(exchange: Exchange) -> bool:
        settings = exchange.settings
        own = settings.refusals.get(name)
        answer = own or Answered(status=status, headers=(("Content-Type", "text/plain"),), body=b"refused")
        for header, value in make_headers(settings).items():
            answer = answer.with_header(header, value)
        return await exchange.answer(answer)

    return act


def _http_date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


def _dated(settings: FaultSettings, ahead_s: float) -> Mapping[str, str]:
    return {"Date": _http_date(ahead_s), "Retry-After": _http_date(ahead_s + settings.retry_after_s)}


async def _refused(exchange: Exchange) -> bool:
    exchange.reset()
    return False


ACTS: Final[Mapping[str, tuple[str, Act]]] = {
    "refused": ("the request is cut off unread, and for a while no connection is accepted", _refused),
    "reset": ("executed; the connection is reset before the headers", _reset),
    "reset-body": ("executed; the connection is reset in the middle of the body", _reset_body),
    "slow-headers": ("executed; nothing comes for a while", _slow_headers),
    "slow-body": ("executed; half the body comes, the rest after a while", _slow_body),
    "half": ("executed; the connection is closed in order after half of the body", _half),
    "wrong-type": ("executed; the Content-Type says image/png", _wrong_type),
    "html-502": ("executed; a gateway answers 502 with a page of HTML", _html_502),
    "empty-200": ("executed; the answer is 200 without a body", _empty_200),
    "bad-json": ("executed; the body is half its JSON and then garbage", _bad_json),
    "cut-gzip": ("executed; the body is gzip that ends too early", _cut_gzip),
    "huge-announced": ("executed; a body of 2 GB is announced", _huge_announced),
    "huge-streamed": ("executed; a body without end", _huge_streamed),
    "gzip-bomb": ("executed; gzip that expands without end", _gzip_bomb),
    "duplicate": ("executed; the answer comes twice on the same connection", _duplicate),
    "skew": ("executed; the server's clock is hours ahead", _skew),
    "408": ("not executed; 408", _status("408", 408, lambda _: {})),
    "429": ("not executed; 429 that names no time", _status("429", 429, lambda _: {})),
    "429-seconds": (
        "not executed; 429 with Retry-After in seconds",
        _status("429-seconds", 429, lambda settings: {"Retry-After": str(settings.retry_after_s)}),
    ),
    "429-date": (
        "not executed; 429 with Retry-After as an HTTP date",
        _status("429-date", 429, lambda settings: _dated(settings, 0.0)),
    ),
    "429-skewed": (
        "not executed; 429 with Retry-After as an HTTP date of a clock that is hours ahead",
        _status("429-skewed", 429, lambda settings: _dated(settings, settings.skew_s)),
    ),
    "429-week": (
        "not executed; 429 with a Retry-After of a week",
        _status("429-week", 429, lambda _: {"Retry-After": str(_WEEK_S)}),
    ),
    "500": ("not executed; 500", _status("500", 500, lambda _: {})),
    "503": (
        "not executed; 503 with Retry-After in seconds",
        _status("503", 503, lambda settings: {"Retry-After": str(settings.retry_after_s)}),
    ),
    "401": ("not executed; 401", _status("401", 401, lambda _: {})),
    "redirect": ("not executed; 302 to another origin", _redirect),
}
"""Fault -> a sentence, and what it does."""
