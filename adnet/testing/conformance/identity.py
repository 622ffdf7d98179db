"""Who a connector is, and that it claims neither more nor less than it has."""

import inspect
import re
from contextlib import suppress
from typing import Any, Final, cast

from adnet import registry
from adnet.errors import AuthenticationError, ConfigurationError
from adnet.interface import FACETS, Capabilities, QueuesReports, Support
from adnet.interface.capabilities import OPERATIONS, operations_of
from adnet.testing.conformance._policy import Policed, standard, tampered
from adnet.testing.conformance._types import misfits
from adnet.testing.harness import Harness

_WORD: Final = re.compile(r"[a-z][a-z0-9_]*")


class Identity:
    """Options, limits, capabilities, signatures, the proof of credentials; and that the suite is whole."""

    @standard()
    def test_the_suite_is_whole(self, harness: Harness) -> None:  # noqa: ARG002
        """No standard test was taken away or replaced after the class was made.

        If this fails, look at: the names in the message; declare a ``deviation`` instead.
        """
        assert tampered(cast("type[Policed]", type(self))) == []

    @standard()
    def test_it_says_who_it_is(self, harness: Harness) -> None:
        """The connector has a slug of its own and a title for people.

        If this fails, look at: ``network`` and ``title`` of the Connector class, the entry point's name.
        """
        connector = registry.load(harness.network)
        assert harness.network == connector.network
        assert _WORD.fullmatch(connector.network)
        assert connector.title.strip()

    @standard()
    def test_options_are_documented(self, harness: Harness) -> None:
        """Every option has a plain name and a help text, no two share a name, and a secret has no default.

        If this fails, look at: ``options`` of the Connector class.
        """
        options = registry.load(harness.network).options
        assert options
        assert len(options) == len({option.name for option in options})
        for option in options:
            assert _WORD.fullmatch(option.name), option
            assert option.help.strip(), option
            assert not (option.secret and option.default), option

    @standard()
    def test_every_given_credential_is_an_option(self, harness: Harness) -> None:
        """What lets an account in is among the options, and something of it is marked secret.

        If this fails, look at: ``secret=True`` of the Option for tokens and passwords.
        """
        options = {option.name: option for option in registry.load(harness.network).options}
        assert harness.credentials.keys() <= options.keys()
        assert any(options[name].secret for name in harness.credentials)

    @standard()
    async def test_limits_have_a_source(self, harness: Harness) -> None:
        """Every number about the network says where it comes from, and so does every bucket of the limiter.

        If this fails, look at: ``limit_facts`` and the Buckets' ``source``.
        """
        account = await harness.account()
        assert account.limits
        assert [fact for fact in account.limits if not (fact.source.strip() and fact.unit.strip())] == []
        assert [b.name for b in account.connector.limiter.state() if not b.source.strip()] == []

    @standard()
    def test_capabilities_equal_the_facets(self, harness: Harness) -> None:
        """An operation is supported exactly if a facet of the connector brings it.

        If this fails, look at: the bases of the Connector class, and an overridden ``capabilities``.
        """
        connector: Any = registry.load(harness.network)
        capabilities: Capabilities = connector.capabilities()
        assert set(OPERATIONS) == set(capabilities)
        facets = [facet for facet in FACETS if issubclass(connector, facet)]
        brought = {name for facet in facets for name in operations_of(facet)}
        supported = {name for name, support in capabilities.items() if support}
        emulated = {name for name, support in capabilities.items() if support is Support.EMULATED}
        reports = set(operations_of(QueuesReports))
        assert supported - brought <= (reports & emulated)
        assert brought <= supported

    @standard()
    def test_signatures_equal_the_facets(self, harness: Harness) -> None:
        """A facet's method takes what the facet says: the same names, kinds and defaults.

        If this fails, look at: the ``def`` line that the message names.
        """
        connector = registry.load(harness.network)
        for facet in FACETS:
            if issubclass(connector, facet):
                for name in _methods(facet):
                    expected = _shape(getattr(facet, name))
                    assert expected == _shape(getattr(connector, name)), f"{connector.__name__}.{name}"

    @standard()
    def test_every_operation_has_its_facet(self, harness: Harness) -> None:
        """A method that is called as a facet's is not there without the facet: nobody would be let in.

        If this fails, look at: the bases of the Connector class; a helper whose name is an operation's.
        """
        connector = registry.load(harness.network)
        idle = {name for facet in FACETS if not issubclass(connector, facet) for name in _methods(facet)}
        assert sorted(name for name in idle if hasattr(connector, name)) == []

    @standard()
    async def test_equal_credentials_are_one_account(self, harness: Harness) -> None:
        """Two objects for one account have the same account_id, which holds no secret; on another host it is another.

        If this fails, look at: ``account_key`` of the Connector class.
        """
        first, second = await harness.account(), await harness.account()
        elsewhere = await harness.account(base_url="http://127.0.0.1:9")
        assert first.account_id == second.account_id
        assert first.account_id != elsewhere.account_id
        assert [name for name, secret in secrets_of(harness).items() if secret in first.account_id] == []

    @standard()
    async def test_other_credentials_are_another_account(self, harness: Harness) -> None:
        """Somebody else on the same host is another account: jobs, tokens and limits go by its account_id.

        If this fails, look at: what goes into ``account_key``; a host alone is no account.
        """
        mine, others = await harness.account(), set()
        for name in harness.credentials.keys() - {"base_url"}:
            with suppress(ConfigurationError):  # not everything can be another text
                account = await harness.account(**{name: f"{harness.credentials[name]}0"})
                others.add(account.account_id)
        assert others - {mine.account_id}, "no credential makes another account"

    @standard(when=lambda capabilities: capabilities.supports("get_account"))
    async def test_get_account_proves_the_credentials(self, harness: Harness) -> None:
        """With the right credentials ``get_account`` names the account, and has asked the network.

        If this fails, look at: ``get_account``, the signer, the base URL.
        """
        account = await harness.account()
        info = await account.get_account()
        assert info.account_id
        assert misfits(info, "accounts") == []
        assert len(harness.requests) >= 1

    @standard(when=lambda capabilities: capabilities.supports("get_account"))
    async def test_wrong_credentials_are_refused(self, harness: Harness) -> None:
        """With wrong secrets ``get_account`` raises AuthenticationError, whose text holds neither secret.

        If this fails, look at: the table of vendor codes to errors; networks that echo the token.
        """
        wrong = {name: "w" * len(secret) + "0" for name, secret in secrets_of(harness).items()}
        account = await harness.account(**wrong)
        error = await _raised(account.get_account())
        assert isinstance(error, AuthenticationError), repr(error)
        assert not error.temporary
        assert account.network == error.network
        text = f"{error!r} {error} {getattr(error, '__notes__', ())}"
        assert [value for value in (*wrong.values(), *secrets_of(harness).values()) if value in text] == []


def secrets_of(harness: Harness) -> dict[str, str]:
    """Return the secret ones among the harness's credentials."""
    options = {option.name: option for option in registry.load(harness.network).options}
    return {name: str(value) for name, value in harness.credentials.items() if options[name].secret}


def _methods(facet: type) -> frozenset[str]:
    return getattr(facet, "__abstractmethods__", frozenset())


def _shape(method: Any) -> list[tuple[str, Any, Any]]:
    parameters = inspect.signature(method).parameters.values()
    return [(parameter.name, parameter.kind, parameter.default) for parameter in parameters]


async def _raised(call: Any) -> BaseException | None:
    try:
        await call
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return error
    return None
