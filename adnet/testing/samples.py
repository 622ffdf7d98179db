"""Golden samples: folders of what was called, what went over the wire, and what came out.

    samples/<operation>/<case>/input.json              what is called on the account
    samples/<operation>/<case>/request.json            what must be sent; a list where it is several requests
    samples/<operation>/<case>/response.200.json       what is answered; its status is part of its name
    samples/<operation>/<case>/response.2.200.json     the second answer, where there are several
    samples/<operation>/<case>/response.200.headers.json   headers of that answer
    samples/<operation>/<case>/expected.json           what must come out; "*" stands for any value

Both directions are checked by one play: from the call to the request, and from the answer to the result. A file
that no play reads is an error, so that nothing rots in these folders.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import attrs
import msgspec

import adnet
from adnet.client import Account
from adnet.errors import AdnetError
from adnet.money import Money
from adnet.testing.fakes import FakeClock, ScriptTransport
from adnet.transport.wire import Request, Response

_RESPONSE: Final = re.compile(r"response\.(?:(\d+)\.)?(\d{3})\.(json|txt|html)")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)


@attrs.frozen(kw_only=True)
class Sample:
    """One case of one operation."""

    operation: str
    case: str
    call: str
    """Dotted name on the account, e.g. ``native.get_offer``."""
    options: Mapping[str, Any]
    """Further options of the account."""
    arguments: Mapping[str, Any]
    requests: tuple[Mapping[str, Any], ...]
    responses: tuple[Response, ...]
    expected: Any
    files: frozenset[Path]
    """What was read."""

    def __str__(self) -> str:
        return f"{self.operation}/{self.case}"

    async def play(self, network: str, **options: Any) -> None:
        """Call, answer and compare; fail at the first difference.

        Args:
            network: Slug.
            options: Go to ``adnet.connect``: the base URL and credentials.
        """
        wire = ScriptTransport(self.responses)
        account = adnet.connect(network, transport=wire, clock=FakeClock(), **{**options, **self.options})
        async with account:
            found = await self._outcome(account)
        sent = [_told_request(request, want) for request, want in zip(wire.sent, self.requests, strict=False)]
        assert list(self.requests) == sent, f"{self}: the first requests differ"
        assert len(self.requests) == len(wire.sent), (
            f"{self}: {[r.url for r in wire.sent[len(sent) :]]} sent too"
        )
        assert self.expected == _like(self.expected, found), f"{self}: the result differs"

    async def _outcome(self, account: Account) -> Any:
        method: Any = account
        for name in self.call.split("."):
            method = getattr(method, name)
        try:
            result = method(**self.arguments)
            if isinstance(result, AsyncIterator):
                return [told(row) async for row in result]
            return told(await result if isinstance(result, Awaitable) else result)
        except AdnetError as error:
            return {"error": type(error).__name__, "temporary": error.temporary, "message": error.message}


class Samples(Sequence[Sample]):
    """All samples below a folder, in the order of their names.

    Raises:
        ValueError: A case lacks a file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._samples = [_read(case) for operation in _folders(folder) for case in _folders(operation)]

    def __getitem__(self, index: Any) -> Any:
        return self._samples[index]

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def operations(self) -> frozenset[str]:
        """The operations that have a sample."""
        return frozenset(sample.operation for sample in self._samples)

    def unused(self) -> list[str]:
        """Return the files that belong to no case, relative to the folder."""
        read = frozenset[Path]().union(*(sample.files for sample in self._samples))
        files = {path for path in self._folder.rglob("*") if path.is_file()}
        return sorted(str(path.relative_to(self._folder)) for path in files - read)


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _read(case: Path) -> Sample:
    used = [case / name for name in ("input.json", "request.json", "expected.json")]
    for path in used:
        if not path.is_file():
            raise ValueError(f"the sample {case} has no {path.name}")
    given, requests, expected = (_DECODER.decode(path.read_bytes()) for path in used)
    responses = _responses(case, used)
    if not responses:
        raise ValueError(f"the sample {case} has no response.<status>.json")
    return Sample(
        operation=case.parent.name,
        case=case.name,
        call=given["call"],
        options=given.get("account", {}),
        arguments=_typed(given.get("arguments", {})),
        requests=tuple(requests if isinstance(requests, list) else [requests]),
        responses=responses,
        expected=told(expected),
        files=frozenset(used),
    )


def _responses(case: Path, used: list[Path]) -> tuple[Response, ...]:
    found: list[tuple[int, Response]] = []
    for path in case.iterdir():
        matched = _RESPONSE.fullmatch(path.name)
        if matched is None:
            continue
        used.append(path)
        headers: dict[str, str] = {}
        beside = path.with_name(f"{path.stem}.headers.json")
        if beside.is_file():
            used.append(beside)
            headers = {name.lower(): value for name, value in _DECODER.decode(beside.read_bytes()).items()}
        answer = Response(status=int(matched[2]), url="", headers=headers, body=path.read_bytes())
        found.append((int(matched[1] or 1), answer))
    return tuple(answer for _, answer in sorted(found, key=lambda pair: pair[0]))


def _typed(value: Any) -> Any:
    """Return arguments with days and instants in place of their texts."""
    if isinstance(value, dict):
        return {name: _typed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(value, str) and _DAY.fullmatch(value) else value


def _told_request(request: Request, like: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request in the form of ``request.json``: the parts that *like* has, and always body and query."""
    path, _, _ = request.target.partition("?")
    found: dict[str, Any] = {"method": request.route.method, "path": path}
    if "query" in like or request.query:
        found["query"] = request.query
    if "body" in like or request.body:
        found["body"] = _body(request)
    if "headers" in like:
        headers = {name.lower(): value for name, value in request.headers.items()}
        found["headers"] = {name: headers.get(name) for name in like["headers"]}
    return found


def _body(request: Request) -> Any:
    if not isinstance(request.body, bytes):
        return None if request.body is None else "stream"
    kind = {name.lower(): value for name, value in request.headers.items()}.get("content-type", "")
    return _DECODER.decode(request.body) if kind == "application/json" else request.body.decode()


def _like(expected: Any, found: Any) -> Any:
    """Return *found* without ``raw`` and ``message`` where *expected* has none; ``"*"`` is equal to all but nothing."""
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [_like(one, other) for one, other in zip(expected, found, strict=True)]
    if isinstance(expected, dict) and isinstance(found, dict):
        left_out = {"raw", "message"} - expected.keys()
        return {
            name: _like(expected.get(name), value) for name, value in found.items() if name not in left_out
        }
    return "*" if expected == "*" and found else found


def told(value: Any) -> Any:
    """Return a result as JSON values, the way ``expected.json`` has it.

    Fields that are None or empty are left out; money is text like ``"25.5 EUR"``, fractions are text with the
    digits that the network wrote.
    """
    if isinstance(value, Money):
        return f"{value.amount} {value.currency}"
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | msgspec.Raw):
        return told(_DECODER.decode(value))
    return _told_container(value)


def _told_container(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
        return {name: told(item) for name, item in value.items() if item not in (None, "", [], {})}
    if attrs.has(type(value)):
        fields = {field.name: getattr(value, field.name) for field in attrs.fields(type(value))}
        return {name: told(item) for name, item in fields.items() if item not in (None, "", (), {})}
    if isinstance(value, Mapping):
        return {str(name): told(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [told(item) for item in value]
    return value
