"""The pytest plug-in: fixtures, readable assertions in our kit, and a guard against real networks.

It is loaded wherever adnet is installed, so it imports nothing of adnet until a fixture is used.
"""

import ipaddress
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from adnet.testing.fakes import FakeClock

_REWRITTEN: Final = ("adnet.testing.conformance", "adnet.testing.harness", "adnet.testing.samples")
_INI: Final = "adnet_loopback_only"

pytest.register_assert_rewrite(*(name for name in _REWRITTEN if name not in sys.modules))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the ini option ``adnet_loopback_only``."""
    parser.addini(_INI, "refuse connections to anything but this machine", type="bool", default=False)


class NetworkRefusedError(RuntimeError):
    """A test tried to reach something that is not this machine."""


def is_loopback(host: object) -> bool:
    """Say whether *host* (a name or an address, text or bytes) is this machine."""
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if text == "localhost":
        return True
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


@contextmanager
def loopback_only() -> Iterator[None]:
    """Refuse every connection and name look-up that leaves this machine, until the end of the block.

    Connecting raises NetworkRefusedError; a look-up fails as it would on a machine without a network.
    """
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def check(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not is_loopback(address[0]):
            raise NetworkRefusedError(f"a test wants to connect to {address[0]}; use a server on 127.0.0.1")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        check(self, address)
        return connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        check(self, address)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host and not is_loopback(host):
            raise socket.gaierror(socket.EAI_NONAME, "tests look up no names but localhost")
        return getaddrinfo(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
        yield


@pytest.fixture(scope="session")
def adnet_loopback_only() -> Iterator[None]:
    """Refuse connections to anything but this machine for the rest of the session."""
    with loopback_only():
        yield


@pytest.fixture(scope="session", autouse=True)
def _adnet_guard(request: pytest.FixtureRequest) -> None:
    """Raise the guard where the ini option asks for it."""
    if request.config.getini(_INI):
        request.getfixturevalue("adnet_loopback_only")


@pytest.fixture
def adnet_clock() -> "FakeClock":
    """Return a clock whose time is virtual."""
    from adnet.testing.fakes import FakeClock

    return FakeClock()
