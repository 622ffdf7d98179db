"""What all models share: the network's own object behind each, and UNSET."""

import enum
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

import attrs
import msgspec

from adnet.errors import ConfigurationError, DecodeError


class Unset(enum.Enum):
    """The type of UNSET."""

    UNSET = "UNSET"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""Not given. Distinct from None, which is a value and is sent."""

# Decimal for fractions: a float would already be another number than the one the network wrote.
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Raw(Mapping[str, Any]):
    """The network's own object, read-only and without secrets.

    Takes the object's JSON bytes and parses them when somebody looks, since most rows are never looked at.
    Numbers with a fraction come back as Decimal, exactly as the network wrote them. Looking raises DecodeError where
    a number is too long to be one.
    """

    __slots__ = ("_data", "_parsed")

    def __init__(self, data: bytes | bytearray | memoryview | Mapping[str, Any] = b"{}") -> None:
        self._data = data
        self._parsed: Mapping[str, Any] | None = None

    def _mapping(self) -> Mapping[str, Any]:
        if self._parsed is None:
            value = self._data if isinstance(self._data, Mapping) else _parsed(bytes(self._data))
            self._parsed = value if isinstance(value, Mapping) else {"value": value}
        return self._parsed

    def __getitem__(self, key: str) -> Any:
        return self._mapping()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._mapping())

    def __len__(self) -> int:
        return len(self._mapping())

    def __eq__(self, other: object) -> bool:
        return self._mapping() == other if isinstance(other, Mapping) else NotImplemented

    def __hash__(self) -> int:
        # Of the keys alone: equal objects may be written differently.
        return hash(frozenset(self._mapping()))

    def __reduce__(self) -> tuple[type["Raw"], tuple[bytes]]:
        return Raw, (self.json().encode(),)

    def __repr__(self) -> str:
        return f"Raw({dict(self._mapping())!r})"

    def json(self) -> str:
        """Return the object as JSON text; what is no UTF-8 in it becomes U+FFFD."""
        data = self._data
        return (_ENCODER.encode(data) if isinstance(data, Mapping) else bytes(data)).decode(errors="replace")


def _parsed(data: bytes) -> Any:
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DecodeError(f"the network's own object cannot be read: {error}") from None


NO_RAW: Final = Raw()
"""Stands where a value did not come from a network."""


_PLAIN: Final = frozenset({str, int, bool, Decimal, type(None)})
"""Most of what is nested: to ask about each whether it is a mapping takes ten times as long."""


def own(value: Any) -> Any:
    """Return *value* with mappings and lists of its own: to change what it was made of does not change it."""
    if isinstance(value, list):
        return [item if type(item) in _PLAIN else own(item) for item in value]
    if type(value) is tuple:
        return tuple(map(own, value))
    if isinstance(value, Mapping):
        return {name: item if type(item) in _PLAIN else own(item) for name, item in value.items()}
    return value


def words_field() -> Any:
    """Return the field of a mapping in the network's own words; each value has its own, None stands for none."""
    return attrs.field(factory=dict, converter=_words)


def _words(value: Any) -> Any:
    if value is not None and not isinstance(value, Mapping):
        # Here, where it was written: among many drafts it would end what is sent for the others.
        raise ConfigurationError(
            f"targeting, tracking and extra are mappings in the network's own words, not {value!r:.80}"
        )
    return own(value or {})


def raw_field() -> Any:
    """Return the field that keeps the network's own object; it takes no part in comparing or printing."""
    return attrs.field(default=NO_RAW, eq=False, repr=False)
