"""A Target Circle report server that sends prepared bytes, so that it is not what is measured.

Run as a process of its own: `python benchmarks/server.py PAGES [--rows 1000] [--delay 0.05] [--ready 0.2] [--gzip]`
prints its port. Rows have 16 fields and about 421 bytes, as in the table of docs/performance.md.
"""

import argparse
import asyncio
import gzip
import hashlib
import re
from typing import ClassVar

ROW = (
    '{"conversionStatus":"approved, paid out","slug":"3sdfa%(n)04d","offerName":"SomeWebsite.com %(o)d",'
    '"mediaName":"Media","productGroupName":"Some group","transactionType":"lead","trackingMethod":"tmt_cookie",'
    '"trackingId":"rfhPPPPP-fa27-9a41-4471-%(h)s","adLinkName":"Main Page","reference":["BrandGenerics"],'
    '"transactionAmount":%(n)d.25,"currency":"EUR","commission":25.5,"commissionRep":25.5,'
    '"country":"Germany","saved":"2026-01-DDTHH:MM:%(s)02dZ"}'
)


def _values(number: int, rows: int) -> dict[str, object]:
    random = hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()[:12]
    return {"n": number, "h": random, "o": number % 60, "s": number * 60 // rows}


class Pages:
    """The pages of one report: a template whose page number and minute are filled in."""

    def __init__(self, pages: int, rows: int, zipped: bool) -> None:
        self.pages = pages
        self.zipped = zipped
        rows_json = ",".join(ROW % _values(n, rows) for n in range(rows))
        self.template = (
            '{"data":[' + rows_json + f'],"token":"x","status":"READY","pagesNumber":{pages}}}'
        ).encode()
        self.cache: dict[int, bytes] = {}

    def body(self, page: int) -> bytes:
        if page > self.pages:
            return b'{"data":[],"token":"x","status":"READY","pagesNumber":%d}' % self.pages
        if page not in self.cache:
            minute = page - 1
            stamp = b"%02dT%02d:%02d" % (1 + minute // 1440, minute // 60 % 24, minute % 60)
            body = self.template.replace(b"PPPPP", b"%05d" % page).replace(b"DDTHH:MM", stamp)
            if self.zipped:
                body = gzip.compress(body, 6)
            if len(self.cache) * len(body) > 600_000_000:
                return body
            self.cache[page] = body
        return self.cache[page]


class Protocol(asyncio.Protocol):
    """Just enough HTTP/1.1 with keep-alive."""

    reports: ClassVar[dict[str, float]] = {}
    requests = 0

    def __init__(self, pages: Pages, delay: float, ready: float) -> None:
        self.source, self.delay, self.ready = pages, delay, ready
        self.buffer = b""

    def connection_made(self, transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, rest = self.buffer.partition(b"\r\n\r\n")
            found = re.search(rb"(?i)content-length: *(\d+)", head)
            length = int(found[1]) if found else 0
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            Protocol.requests += 1
            line = head.split(b"\r\n", 1)[0].decode()
            if self.delay:
                asyncio.get_running_loop().call_later(self.delay, self.answer, line)
            else:
                self.answer(line)

    def answer(self, line: str) -> None:
        method, target, _ = line.split(" ")
        now = asyncio.get_running_loop().time()
        if method == "POST":
            name = f"{len(self.reports):08d}-0000-4000-8000-000000000000"
            self.reports[name] = now + self.ready
            self.send("202 Accepted", b"", f"Location: /api/transactions/{name}?page=1\r\n")
            return
        if target.startswith("/api/offers"):
            self.send("200 OK", b'{"token":"x","data":[]}', "Content-Type: application/json\r\n")
            return
        found = re.match(r"/api/transactions/([^?]+)\?page=(\d+)", target)
        if found is None:
            self.send("404 Not Found", b"no", "")
        elif now < self.reports.get(found[1], 0):
            self.send("200 OK", b'{"data":[],"token":"x","status":"IN_PROGRESS","pagesNumber":0}', "")
        else:
            zipped = (
                "Content-Encoding: gzip\r\n"
                if self.source.zipped and int(found[2]) <= self.source.pages
                else ""
            )
            self.send(
                "200 OK", self.source.body(int(found[2])), "Content-Type: application/json\r\n" + zipped
            )

    def send(self, status: str, body: bytes, headers: str) -> None:
        if self.transport.is_closing():
            return
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        self.transport.writelines([head.encode(), body])


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("pages", type=int)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--ready", type=float, default=0.0)
    parser.add_argument("--gzip", action="store_true")
    args = parser.parse_args()
    pages = Pages(args.pages, args.rows, args.gzip)
    for page in range(1, min(args.pages, 1200) + 1):
        pages.body(page)
    server = await asyncio.get_running_loop().create_server(
        lambda: Protocol(pages, args.delay, args.ready), "127.0.0.1", 0, backlog=2048
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
