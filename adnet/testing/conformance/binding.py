"""The binding of an account: once it is revoked, nothing lets anybody in by it."""

import pytest

from adnet.errors import AuthenticationError
from adnet.interface import Capabilities
from adnet.testing.conformance._policy import standard
from adnet.testing.conformance._tools import held, warm
from adnet.testing.harness import Harness


def _revoked(capabilities: Capabilities) -> bool:
    return capabilities.supports("revoke") and capabilities.supports("get_account")


class Binding:
    """What is left of a binding at the network and here."""

    @standard(when=_revoked)
    async def test_a_revoked_binding_lets_nobody_in(self, harness: Harness) -> None:
        """The network holds no token any more, and the account asks for none: it wants a new login, at once.

        If this fails, look at: tokens that are forgotten here and live on there, or the other way round.
        """
        account = await harness.account()
        await warm(account)
        assert held(harness, "tokens"), "the side door tells no token of an account that works"
        await account.revoke()
        assert held(harness, "tokens") == []
        sent = len(harness.requests)
        with pytest.raises(AuthenticationError):
            await account.get_account()
        assert sent == len(harness.requests)
