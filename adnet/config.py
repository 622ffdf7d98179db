"""The configuration file ``adnet.toml``: which accounts there are, where their secrets lie, where the state is.

Reading it touches nothing but the file itself. Secrets are fetched when an account is opened, and only for the
accounts that are asked for, so that a machine needs to know no more than it uses. Every message here is one line
that names the file, the place in it and a remedy, and shows no value that could be a secret.
"""

import os
import re
import tomllib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import attrs

from adnet import registry
from adnet._setting import Setting, contents
from adnet.client import Account
from adnet.clock import Clock
from adnet.errors import AdnetError, ConfigurationError
from adnet.hints import hint
from adnet.opening import connect
from adnet.operations.chosen import Words, texts
from adnet.places import at_home
from adnet.state import State
from adnet.state.files import refuse_open_folder
from adnet.transport.events import Listener

T = TypeVar("T")

FILE_NAME: Final = "adnet.toml"
VARIABLE: Final = "ADNET_CONFIG"
_TOP: Final = ("state", "accounts")
_STATE: Final = ("url", "key")
_COMMON: Final = ("network", "base_url", "proxy", "limits", "ceilings")
_SOURCES: Final = ("env", "file", "keyring")
_PLACE: Final = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)$")


@attrs.frozen(kw_only=True)
class AccountConfig:
    """One account as the file describes it."""

    name: str
    network: str
    base_url: str | None = None
    proxy: Setting | None = None
    """May hold a password."""
    limits: Mapping[str, str] = attrs.field(factory=dict)
    """Bucket -> limit, e.g. ``{"api": "4/s"}``."""
    ceilings: Mapping[str, int] = attrs.field(factory=dict)
    """What a server may cost, e.g. ``{"pages": 500}``."""
    options: Mapping[str, Setting] = attrs.field(factory=dict)
    """The network's own keys: credentials, and what else it takes."""

    def credentials(self) -> dict[str, str]:
        """Fetch every value that may be a secret, for ``adnet.connect``.

        Raises:
            CredentialsError: A variable, a file or a keyring entry is missing.
        """
        settings = {**self.options, "proxy": self.proxy} if self.proxy else self.options
        return {key: setting.read() for key, setting in settings.items()}

    def connect(self, state: State, *, credentials: Mapping[str, str] | None = None, **more: Any) -> Account:
        """Open the account on *state*; nothing is sent. Keywords are those of ``adnet.connect``.

        Args:
            state: Where its tokens, limits and jobs are kept.
            credentials: What :meth:`credentials` gave; None fetches it.
            more: What is not in the file.

        Raises:
            ConfigurationError: A key or a value is of no use; CredentialsError where a secret is missing.
        """
        given: dict[str, Any] = {**(self.credentials() if credentials is None else credentials), **more}
        return connect(
            self.network,
            base_url=self.base_url,
            state=state,
            limits=self.limits,
            ceilings=self.ceilings,
            name=self.name,
            **given,
        )


@attrs.frozen(kw_only=True)
class Config:
    """A configuration file that has been read."""

    path: Path
    state_url: str
    """Absolute; ``sqlite:`` in the platform's state folder where the file names none."""
    state_key: Setting | None = None
    """Encrypts the tokens of the state."""
    accounts: Mapping[str, AccountConfig] = attrs.field(factory=dict)
    """The accounts asked for, by name."""
    names: tuple[str, ...] = ()
    """The accounts of the file, asked for or not."""


# ------------------------------------------------------------------ finding and reading


def default_state_url() -> str:
    """Return where the state is kept unless a configuration says otherwise."""
    import platformdirs

    return f"sqlite:{platformdirs.user_state_path('adnet') / 'state.db'}"


def user_file() -> Path:
    """Return the configuration file of last resort, in the platform's user configuration folder."""
    import platformdirs

    return platformdirs.user_config_path("adnet") / FILE_NAME


def find(path: str | Path | None = None) -> Path:
    """Return the configuration file to use: *path*, ``$ADNET_CONFIG``, ``./adnet.toml``, or the user's own.

    Raises:
        ConfigurationError: The one that is named does not exist, or there is none at all.
    """
    if path is not None:
        return _existing(at_home(path), "")
    if found := find_default():
        return found
    raise ConfigurationError(
        f"there is no configuration: neither ./{FILE_NAME} nor {user_file()} exists; name one with --config,"
        " or try `adnet demo`"
    )


def find_default() -> Path | None:
    """Return the configuration file that is used when none is named; None where there is none.

    Raises:
        ConfigurationError: ``$ADNET_CONFIG`` names a file that does not exist.
    """
    if named := os.environ.get(VARIABLE):
        return _existing(at_home(named), f" (named by ${VARIABLE})")
    there = (candidate.absolute() for candidate in (Path(FILE_NAME), user_file()) if candidate.is_file())
    return next(there, None)


def _existing(path: Path, how: str) -> Path:
    if path.is_dir():
        raise ConfigurationError(f"the configuration {path}{how} is a folder; name the file in it")
    if not path.exists():
        raise ConfigurationError(f"the configuration {path}{how} does not exist; name another with --config")
    return path.absolute()


def load(path: str | Path | None = None, *, only: Words = None) -> Config:
    """Read and check a configuration file; no secret is fetched.

    Args:
        path: The file; None looks for it as :func:`find` does.
        only: Names of the accounts that are wanted, in that order; None means all.

    Raises:
        ConfigurationError: It cannot be read, a key or a value in it is of no use, or *only* names an account
            that is not in it.
    """
    found = find(path)
    data = _parsed(found)
    reader = _Reader(found)
    reader.check_keys("the file", data, _TOP)
    state = reader.table("[state]", data.get("state", {}), _STATE)
    sections = reader.table("[accounts]", data.get("accounts", {}))
    names = list(sections) if only is None else list(dict.fromkeys(texts(only)))
    for name in names:
        if name not in sections:
            reader.fail(f"there is no account {name!r}; {hint(name, sections)}")
    accounts = {name: reader.account(name, sections[name], needed=name in names) for name in sections}
    return Config(
        path=found,
        state_url=reader.state_url(state),
        state_key=reader.setting("key of [state]", state["key"]) if "key" in state else None,
        accounts={name: account for name in names if (account := accounts[name]) is not None},
        names=tuple(sections),
    )


def _parsed(path: Path) -> dict[str, Any]:
    try:
        text = contents(path).decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(
            f"the configuration {path} cannot be read: {error.strerror or type(error).__name__}"
        ) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{path}, line {line}: not text in UTF-8") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(_syntax(path, text, str(error))) from None
    except (ValueError, RecursionError):
        raise ConfigurationError(f"{path}: a value in it is too long or nested too deeply") from None


def _syntax(path: Path, text: str, message: str) -> str:
    """Return one line that says where TOML ends being TOML; the decoder's words quote one character at most."""
    place = _PLACE.search(message)
    what = message[: place.start()].strip() if place else message
    if place and place[1]:
        line, column = int(place[1]), int(place[2])
    else:
        lines = text.splitlines() or [""]
        line, column = len(lines), len(lines[-1]) + 1
    return f"{path}, line {line}, column {column}: not TOML: {what}"


# ------------------------------------------------------------------ checking


@attrs.frozen
class _Reader:
    """Checks the pieces of one file."""

    path: Path

    def fail(self, problem: str) -> NoReturn:
        raise ConfigurationError(f"{self.path}: {problem}")

    def check_keys(self, where: str, given: Iterable[str], known: Sequence[str]) -> None:
        for key in given:
            if key not in known:
                self.fail(f"{where} has no key {_shown(key)}; {hint(key, known)}")

    def table(self, where: str, value: Any, known: Sequence[str] | None = None) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.fail(f"{where} must be a table of keys and values")
        if known is not None:
            self.check_keys(where, value, known)
        return value

    def text(self, where: str, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            self.fail(f"{where} must be a text that is not empty")
        return value

    def state_url(self, state: Mapping[str, Any]) -> str:
        if "url" not in state:
            return default_state_url()
        url = self.text("[state] url", state["url"])
        scheme, colon, rest = url.partition(":") if ":" in url else ("sqlite", ":", url)
        if scheme == "sqlite" and colon and rest not in {"", ":memory:"}:
            return f"sqlite:{self.path.parent / at_home(rest)}"
        return url

    def setting(self, label: str, value: Any) -> Setting:
        if isinstance(value, bool):
            return Setting(label, "text", str(value).lower())
        if isinstance(value, str | int):
            return Setting(label, "text", str(value))
        if not isinstance(value, dict):
            self.fail(f"{label} must be text, or {{ env = … }}, {{ file = … }} or {{ keyring = … }}")
        self.check_keys(label, value, _SOURCES)
        if len(value) != 1:
            self.fail(f"{label} takes exactly one of {', '.join(_SOURCES)}")
        ((source, place),) = value.items()
        place = self.text(f"{label}: {source}", place)
        if source == "file":
            place = str(self.path.parent / at_home(place))
        if source == "keyring" and not all(place.rpartition("/")[::2]):
            self.fail(f'{label}: keyring must be "service/name"')
        return Setting(label, source, place)

    def account(self, name: str, value: Any, *, needed: bool) -> AccountConfig | None:
        """Return one account, or None where it is not *needed* and its network is not installed here."""
        if not name.strip() or not name.isprintable():
            self.fail(f"the account name {name!r} must be printable and not empty")
        section = self.table(f"[accounts.{name}]", value)
        label = f"account {name!r}"
        if "network" not in section:
            self.fail(f"{label} names no network; there are {', '.join(registry.names())}")
        network = self.text(f"{label}: network", section["network"])
        try:
            options = registry.load(network).options
        except ConfigurationError as error:
            if not needed:
                return None
            raise type(error)(f"{self.path}: {label}: {error.message}") from None
        keys = [option.name for option in options]
        self.check_keys(f"{label} on {network}", section, (*_COMMON, *keys))
        return AccountConfig(
            name=name,
            network=network,
            base_url=self.text(f"{label}: base_url", section["base_url"]) if "base_url" in section else None,
            proxy=self.setting(f"proxy of {label}", section["proxy"]) if "proxy" in section else None,
            limits=self._limits(label, section.get("limits", {})),
            ceilings=self.table(f"{label}: ceilings", section.get("ceilings", {})),
            options={key: self.setting(f"{key} of {label}", section[key]) for key in keys if key in section},
        )

    def _limits(self, label: str, value: Any) -> dict[str, str]:
        limits = self.table(f"{label}: limits", value)
        for bucket, limit in limits.items():
            if isinstance(limit, bool) or not isinstance(limit, str | int):
                self.fail(f'{label}: the limit {bucket} must be like "4/s", "100/min" or 8')
        return {bucket: str(limit) for bucket, limit in limits.items()}


def _shown(key: str) -> str:
    """Return an unknown key as it may be shown: a secret that slipped into its place is cut short."""
    return repr(key if len(key) <= 24 else f"{key[:8]}…")


# ------------------------------------------------------------------ opening


def open_state(config: Config | None, *, clock: Clock | None = None) -> State:
    """Open the state that *config* names, or the one in the platform's state folder.

    Raises:
        ConfigurationError: Its url or key is of no use.
        StateError: It is damaged, locked, or can be read by others.
    """
    url = config.state_url if config else default_state_url()
    if url == default_state_url():
        refuse_open_folder(Path(url.removeprefix("sqlite:")).parent)
    key = config.state_key.read() if config and config.state_key else None
    return State.open(url, clock=clock, key=key)


@asynccontextmanager
async def open_accounts(
    path: str | Path | Config | None = None,
    *,
    only: Words = None,
    clock: Clock | None = None,
    listeners: Sequence[Listener] = (),
    unopened: dict[str, AdnetError] | None = None,
) -> AsyncIterator[dict[str, Account]]:
    """Yield the accounts of a configuration by name, on one state; all of it is closed at the end.

    Nothing is sent before an account is first used.

    Args:
        path: The file; None looks for it: ``$ADNET_CONFIG``, ``./adnet.toml``, the user's own. A Config that was
            loaded already is taken as it is.
        only: Names of the accounts that are wanted; None means all.
        clock: Time; the default is the machine's.
        listeners: Hear what is sent.
        unopened: Takes the accounts that cannot be opened by themselves, e.g. for want of a secret, and why; without
            it the first of them raises.

    Raises:
        ConfigurationError: The file is missing or wrong; CredentialsError where a secret is.
        StateError: The state is damaged, locked, or can be read by others.
    """
    config = path if isinstance(path, Config) else load(path, only=only)
    if not (config.accounts or config.names):
        raise ConfigurationError(f"{config.path} has no account; add a section [accounts.NAME]")
    apart = _Apart(unopened)
    secrets = dict(apart.each(config.accounts, AccountConfig.credentials))
    async with AsyncExitStack() as stack:
        state = stack.enter_context(open_state(config, clock=clock))
        more: dict[str, Any] = {"clock": clock, "listeners": listeners, "configured": config.names}

        def connected(account: AccountConfig) -> Account:
            return account.connect(state, credentials=secrets[account.name], **more)

        opened = {}
        for name, made in apart.each({name: config.accounts[name] for name in secrets}, connected):
            # Opening may ask the network something, which is for whoever uses the account to do.
            stack.push_async_callback(made.close)
            opened[name] = made
        yield opened


@attrs.frozen
class _Apart:
    """Lets accounts fail by themselves, where somebody wants to know of them."""

    failed: dict[str, AdnetError] | None

    def each(
        self, accounts: Mapping[str, AccountConfig], make: Callable[[AccountConfig], T]
    ) -> Iterator[tuple[str, T]]:
        for name, account in accounts.items():
            try:
                yield name, make(account)
            except ConfigurationError as error:
                if self.failed is None:
                    raise
                self.failed[name] = error
