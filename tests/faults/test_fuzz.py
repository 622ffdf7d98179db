"""Whatever comes in, a row or a typed error comes out; and what we write, we read back as it was."""

import asyncio
import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adnet import config
from adnet.errors import AdnetError, ConfigurationError, StateError
from adnet.models import ReportJob, ReportQuery
from adnet.operations.links import Links, parse_links
from adnet.pull.checkpoint import PullCheckpoint
from adnet.redact import Scrubber
from adnet.state import State
from adnet.testing import FakeClock, MemorySink, answer
from adnet.transport.aiohttp import AiohttpTransport
from adnet.transport.wire import Request, Route

from .replaying import calls, literal, paths, replaced, replay, tape, with_body
from .sampled import KITS, answered, played
from .tally import tally

EXAMPLES = int(os.environ.get("ADNET_SOAK_EXAMPLES", "0"))
few = settings(
    max_examples=EXAMPLES or 8, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
many = settings(
    max_examples=EXAMPLES or 50, deadline=None, suppress_health_check=list(HealthCheck), database=None
)

texts = st.text(max_size=20)
json_leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, -1, 2**63, 10**30, 10**400, 1e308, 1e-320, 0.1, float("nan"), float("inf")])
    | texts
    | st.sampled_from(["", "0", "-1", "1e999", "NaN", "2026-02-30", "2026-03-01T25:00:00Z", "9999-12-31T23:59:59Z",
                       "0001-01-01T00:00:00+14:00", "٣", "²", "\x00", "\ud800", "1/2", "../x", "http://[", "a" * 5000,
                       "9" * 5000, "1e-999999999", "Infinity"])
    | st.sampled_from(["1e-999999999", "1e999999999", "7" * 5000, "-0.0", "[" * 90 + "]" * 90,
                       "[" * 5000 + "]" * 5000, '{"a":' * 5000 + "1" + "}" * 5000]).map(literal)
)  # fmt: skip
json_values = st.recursive(
    json_leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)

CALLS = [(network, name) for network in ("targetcircle", "adskeeper", "mytarget") for name in calls(network)]


def parsed(body: bytes) -> Any:
    """Return a body's JSON, or None for none."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def raised(make: Callable[[], Coroutine[Any, Any, Any]]) -> AdnetError | None:
    """Return what a call raises, which has to be one of our errors."""
    try:
        asyncio.run(make())
    except AdnetError as error:
        return error
    return None


@pytest.mark.parametrize(("network", "name"), CALLS, ids=lambda part: part)
@few
@given(data=st.data())
def test_any_json_in_place_of_any_field_is_a_row_or_a_typed_error(network, name, data):
    """No answer to any call, reading or writing, raises anything but AdnetError, in rows or in columns."""
    recorded = tape(network, name)
    place = data.draw(st.integers(0, len(recorded.answers) - 1))
    response = recorded.answers[place][1]
    value = parsed(response.body)
    path = data.draw(st.sampled_from(paths(value)))
    new = data.draw(json_values | st.just(...))
    tally("strange answers tried", 1)
    error = raised(lambda: replay(network, name, place, with_body(response, replaced(value, path, new))))
    assert error is None or error.network == network, repr(error)


HEADERS = [
    ("location",), ("link",), ("date",), ("retry-after",), ("www-authenticate",), ("x-request-id",), ("content-type",),
    *((f"x-ratelimit-{word}-limit", f"x-ratelimit-{word}-remaining") for word in ("rps", "hourly", "daily")),
]  # fmt: skip
"""Headers that somebody reads; what is told in two of them is told in both."""
header_values = st.text(max_size=40) | st.sampled_from([
    "0", "1", "-1", "1e9", "²", "9" * 300, "9" * 5000, "Thu, 01 Jan 99999 00:00:00 GMT", "http://[",
    "<http://[>; rel=next", "/api/x", "//elsewhere.example/x", "http://127.0.0.1:1/x", 'Bearer error="expired_token"',
])  # fmt: skip


@pytest.mark.parametrize("network", ["targetcircle", "adskeeper", "mytarget"])
@many
@given(data=st.data())
def test_any_bytes_in_place_of_an_answer_are_a_typed_error(network, data):
    """Cut, torn, mixed up: a typed error, or rows where the harm was harmless; headers may say anything, too."""
    name = data.draw(st.sampled_from(sorted(calls(network))))
    recorded = tape(network, name)
    place = data.draw(st.integers(0, len(recorded.answers) - 1))
    response = recorded.answers[place][1]
    cut = data.draw(st.integers(0, len(response.body)))
    body = data.draw(st.sampled_from([response.body[:cut], response.body[cut:], b""])) + data.draw(
        st.binary(max_size=20)
    )
    status = data.draw(
        st.sampled_from([200, 200, 201, 202, 204, 206, 299, 304, 400, 402, 418, 451, 500, 599])
    )
    names, value = data.draw(st.sampled_from(HEADERS)), data.draw(header_values)
    headers = {**response.headers, **dict.fromkeys(names, value)}
    tally("strange answers tried", 1)
    changed = type(response)(status=status, url=response.url, headers=headers, body=body)
    error = raised(lambda: replay(network, name, place, changed))
    assert error is None or error.network == network, repr(error)


@pytest.mark.parametrize("network", KITS)
@many
@given(data=st.data())
def test_any_json_in_an_answer_to_any_documented_operation_is_a_result_or_a_typed_error(network, data):
    """Every operation of the native clients, tokens and dictionaries included, on the answers of its own samples."""
    sample = data.draw(st.sampled_from(KITS[network].samples))
    place = data.draw(st.integers(0, len(sample.responses) - 1))
    value = parsed(sample.responses[place].body)
    changed = replaced(value, data.draw(st.sampled_from(paths(value))), data.draw(json_values | st.just(...)))
    tally("strange answers tried", 1)
    raised(lambda: played(network, sample, place, changed))


TEXTS = [
    '\\"',
    "<",
    "<a ",
    "A_",
    "a@",
    "\\",
    "token=",
    "token: '",
    "ERROR [",
    "set-cookie:",
    "://",
    "bearer ",
    "[,",
    " ",
]


@pytest.mark.parametrize("network", KITS)
def test_no_text_takes_more_time_than_its_length_is_worth(network):
    """Expressions that go back and forth over a text would take minutes for these; a second is plenty for all."""
    sample, began = KITS[network].samples[0], time.process_time()
    for text in TEXTS:
        for status in (200, 500):
            body = (text * (100_000 // len(text))).encode()
            raised(lambda status=status, body=body: answered(network, sample, answer(status, body=body)))
    assert time.process_time() - began < 5


# ---------------------------------------------------------------------- the wire


starts = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.0 200 OK",
        b"HTTP/1.1 999 X",
        b"HTTP/1.1 101 Switching",
        b"HTTP/9.9 200 OK",
        b"HTTP/1.1 204 No",
        b"HTTP/1.1 200 \xff\xfe",
        b"HTTP/1.1 abc",
        b"ICY 200 OK",
        b"",
        b"\x00",
    ]
)
fields = st.sampled_from(
    [
        b"Content-Length: -1",
        b"Content-Length: " + b"9" * 30,
        b"Content-Length: 1\r\nContent-Length: 2",
        b"Content-Length: 5",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: gzip",
        b"Content-Encoding: gzip",
        b"Content-Encoding: \xff",
        b"Content-Type: text/html; charset=nope",
        b"Location: http://[",
        b"Set-Cookie: \xff\x00",
        b": x",
        b"no colon",
        b" folded",
        b"Connection: upgrade\r\nUpgrade: websocket",
        b"X: " + b"a" * 9000,
        b"X\x00: y",
        b"Date: \x80",
        b"Retry-After: \xff",
    ]
)
bodies = st.sampled_from(
    [
        b'{"data": [1]}',
        b"5\r\nabc",
        b"zz\r\n",
        b"5\r\nabcde\r\n0\r\n\r\n",
        b"-1\r\n",
        b"f" * 20 + b"\r\na",
        b"\x1f\x8b\x08",
        b"",
    ]
)
replies = st.builds(
    lambda start, heads, body: b"\r\n".join([start, *heads, b"", body]), starts, st.lists(fields, max_size=3), bodies
) | st.binary(max_size=60)  # fmt: skip


@many
@given(replies)
def test_any_bytes_on_the_wire_are_an_answer_or_a_typed_error(reply):
    """What is hardly HTTP, or none at all: nothing of the library beneath rises."""
    tally("strange replies tried", 1)
    raised(lambda: replied(reply))


async def replied(reply: bytes) -> None:
    """Send one request to a server that says *reply* and nothing else."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(reply)
            await writer.drain()
        writer.close()

    wire = AiohttpTransport()
    try:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
            route = Route(operation="x", method="GET", path="/x", idempotent=True)
            await wire.send(Request(route=route, url=url), timeout_s=5)
    finally:
        await wire.close()


# ---------------------------------------------------------------------- headers


@many
@given(st.text(), st.sampled_from(["https://api.example/v1/x?page=2", "", "http://[", "relative"]))
def test_any_link_header_is_links_or_nothing(header, base):
    """Nothing is raised, and what is found is text."""
    found = parse_links(header, base)
    assert all(isinstance(target, str) for target in (*found.relations.values(), found.target or ""))
    tally("strange headers tried", 1)


relations = st.dictionaries(
    st.from_regex(r"[a-z]{1,6}", fullmatch=True), st.integers(1, 10**6), min_size=1, max_size=4
)


@many
@given(relations, st.sampled_from([", ", ",", " , "]), st.sampled_from(['"', ""]))
def test_a_link_list_is_read_back(pages, comma, quote):
    """Whatever the spacing and the quoting."""
    base = "https://api.example/v1/x"
    header = comma.join(f"<{base}?page={page}>; rel={quote}{name}{quote}" for name, page in pages.items())
    assert parse_links(header, base) == Links(relations={n: f"{base}?page={p}" for n, p in pages.items()})


# ---------------------------------------------------------------------- configuration


names = st.sampled_from(
    ["network", "base_url", "token", "currency", "limits", "client_id", "tokn", "", "a.b", "state"]
)
toml_values = st.sampled_from(
    ['""', '"x"', "1", "true", "1.5", "2026-01-01", "[]", "[1]", "{}", '{ env = "X" }', '{ file = "nothing" }',
     '{ env = "X", file = "y" }', '{ keyring = "noslash" }', '"targetcircle"', '"mytarget"', '"nowhere"', "nan"]
)  # fmt: skip
lines = st.tuples(names, toml_values).map(lambda pair: f"{json.dumps(pair[0])} = {pair[1]}")
sections = st.sampled_from(
    ["[state]", "[accounts]", "[accounts.a]", "[accounts.a.limits]", "[[accounts]]", "[x]", ""]
)
files = st.lists(st.tuples(sections, st.lists(lines, max_size=4)), max_size=4).map(
    lambda parts: "\n".join("\n".join([head, *body]) for head, body in parts)
)


@many
@given(files | st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_configuration_is_read_or_refused(text):
    """A file is a configuration, or ConfigurationError with one line that names it."""
    problem = ""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "adnet.toml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        tally("configurations tried", 1)
        try:
            config.load(path)
        except ConfigurationError as error:
            problem = str(error)
    assert not problem or ("adnet.toml" in problem and "\n" not in problem)


plain = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["C", "Zl", "Zp"]),
    min_size=1,
    max_size=12,
)
account_names = plain.filter(lambda name: name.strip() and name.isprintable())


@few
@given(st.dictionaries(account_names, st.fixed_dictionaries({"token": plain, "currency": plain}), min_size=1))
def test_a_configuration_is_read_back(accounts):
    """Names and values are what was written, whatever is in them."""
    text = "\n".join(
        f'[accounts.{json.dumps(name)}]\nnetwork = "targetcircle"\nbase_url = "https://x.example"\n'
        + "\n".join(f"{key} = {json.dumps(value)}" for key, value in options.items())
        for name, options in accounts.items()
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "adnet.toml"
        path.write_text(text, encoding="utf-8")
        found = config.load(path).accounts
    assert {name: account.credentials() for name, account in found.items()} == accounts


# ---------------------------------------------------------------------- what is kept


@many
@given(json_values | st.dictionaries(st.sampled_from(["version", "query", "state", "network", "account", "pages",
                                                      "created_at", "job_id"]), json_values, max_size=8))  # fmt: skip
def test_any_json_is_a_job_or_a_state_error(value):
    """A journal that was tampered with is told, and nothing else rises."""
    tally("strange jobs tried", 1)
    with contextlib.suppress(StateError):
        ReportJob.from_json(json.dumps(value))


GOOD = {
    "began": "2026-03-02T12:00:00Z", "pulls": ["p"], "landed": {"clicks": [1, 1, 0]},
    "left": {"windows": [None], "rest": None, "step_s": 3600.0},
}  # fmt: skip


def checkpoint(state: State, sink: MemorySink) -> PullCheckpoint:
    """Return the checkpoint of one source."""
    query = ReportQuery(kind="clicks")
    now = FakeClock().now()
    return PullCheckpoint(
        state.facts, scope="k", query=query, sink=sink, pull_id="p", now=now, lands=["clicks"]
    )


@many
@given(json_values)
def test_any_json_is_a_checkpoint_or_none(value):
    """A state that was tampered with costs requests, and nothing rises."""
    tally("strange checkpoints tried", 1)
    with State.open() as state:
        kept = checkpoint(state, MemorySink())
        for strange in (
            value,
            {**GOOD, "left": {**GOOD["left"], "rest": value}},
            *({**GOOD, n: value} for n in GOOD),
        ):
            state.facts.put("k", kept._name, json.dumps(strange))
            asyncio.run(kept.verify())
            assert kept.load() is None or kept.load().rest is None


# ---------------------------------------------------------------------- secrets


@many
@given(st.text(min_size=8, max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_a_known_secret_never_survives_scrubbing(secret, before, after):
    """In any text, in any JSON."""
    scrubber = Scrubber([secret])
    shown = scrubber.text(before + secret + after)
    assert secret not in shown or "*" in secret
    payload = scrubber.payload({"a": [before + secret + after]})["a"][0]
    assert secret not in payload or "*" in secret
