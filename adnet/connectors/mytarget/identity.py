"""Whose account it is. One physical client has one account, so a client whom another account has is refused.

Two facts in the state make a binding, and count only together: which account a client has, and which client an
account has. An account that was configured anew for another client thereby leaves the first one free, and one that
has left the configuration is nobody's rival; nor is, outside of any, another name of the same account.
Source of the rule: myTarget certification page (documented).
"""

from collections.abc import Callable, Collection
from typing import Final

import attrs

from adnet.errors import ConfigurationError
from adnet.state.facts import Facts

_CLIENT: Final = "user_id"
_ISSUE: Final = "user_id told of issue"


@attrs.define(kw_only=True)
class Identity:
    """Which client one account is bound to, as the state knows it; nothing is sent.

    Args:
        facts: Where bindings are remembered, for all processes.
        key: The account's key there.
        scope: Names the host, whose clients are bound once.
        account: Name in the configuration.
        named: The client's id, where the configuration names it.
        configured: Names of the accounts of the configuration; None where there is none.
        issue: Tells which token there is, by the number of its issue; a refreshed one is the same one.
    """

    facts: Facts
    key: str
    scope: str
    account: str
    named: str | None
    configured: Collection[str] | None
    issue: Callable[[], int | None]
    certain: bool = False
    """Whether this process has seen that the account is the client's only one."""

    @property
    def client(self) -> str | None:
        """Id of the client, if the network or the configuration has ever told it."""
        return self.facts.get(self.key, _CLIENT) or self.named

    @property
    def told(self) -> str | None:
        """Id of the client, if the network has told it of the token that there is; another token may be another's."""
        known = self.facts.get(self.key, _ISSUE) == str(self.issue())
        return self.facts.get(self.key, _CLIENT) if known else None

    def check(self, client: str | None = None) -> None:
        """Refuse *client*, or the one that is known, if it is not this account's to have.

        Raises:
            ConfigurationError: Another account has it, or this account has another client.
        """
        name, bound = self.account, self._bound()
        if client is not None and bound not in {None, client}:
            raise ConfigurationError(
                f"account {name!r} is bound to client {bound}, and this login is of client {client}; one account is"
                f" one client's here: `adnet auth revoke {name}` unbinds the first"
            )
        client = client or self.told or self.named
        if client is not None and (holder := self._holder(client)) is not None:
            raise ConfigurationError(
                f"account {name!r} is refused: its client {client} is bound to the account {holder!r} already, and"
                f" one client has one account here; remove {name!r}, or unbind the other: `adnet auth revoke {holder}`"
            )

    def bind(self, client: str) -> None:
        """Remember that this account is the client's; of several accounts that ask for it at once one gets it.

        Raises:
            ConfigurationError: As check. Who the client is stays known, so that it costs no token to refuse it again.
        """
        if self._bound() in {None, client}:
            self.facts.put(self.key, _CLIENT, client)
            self.facts.put(self.key, _ISSUE, str(self.issue()))
        name, done = self.account, False
        while not done:
            before = self.facts.get(self.scope, client)
            self.check(client)
            self.facts.put(self.scope, _of(name), client)
            done = self.facts.swap(self.scope, client, f"{self.key} {name}", before=before)
        self.certain = True

    def resume(self) -> bool:
        """Bind the account to the client that the network has told already; say whether it has."""
        if (client := self.told) is not None:
            self.bind(client)
        return self.certain

    def forget(self) -> None:
        """Remember nothing of the account any more; its client can be bound to another."""
        if (client := self.client) is not None:
            self.facts.forget(self.scope, client)
        self.facts.forget(self.scope, _of(self.account))
        self.facts.forget(self.key)
        self.certain = False

    def _bound(self) -> str | None:
        """Return the client that this account has; one that was refused is told, and not had."""
        client = self.facts.get(self.key, _CLIENT)
        return client if client is not None and self._having(client)[1] == self.account else None

    def _holder(self, client: str) -> str | None:
        """Return the other account that has *client*, if there is one."""
        key, name = self._having(client)
        if name in {"", self.account} or self.facts.get(self.scope, _of(name)) != client:
            return None
        rival = key != self.key if self.configured is None else name in self.configured
        return name if rival else None

    def _having(self, client: str) -> tuple[str, str]:
        """Return key and name of the account that took *client* last; empty where none did."""
        key, _, name = (self.facts.get(self.scope, client) or "").partition(" ")
        return key, name


def _of(account: str) -> str:
    """Return the name of the fact that tells an account's client."""
    return f"account {account}"
