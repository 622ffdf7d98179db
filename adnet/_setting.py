"""One value of a configuration file: the text itself, or where it is kept."""

import errno
import os
from pathlib import Path
from typing import Final

import attrs

from adnet.errors import ConfigurationError, CredentialsError
from adnet.redact import Hidden

_MOST_BYTES: Final = 1 << 20
"""Of a file that somebody wrote by hand; a device has no end."""


def contents(path: Path) -> bytes:
    """Return all that is in a file of settings, or comes through a pipe.

    Raises:
        OSError: It cannot be read, or is larger than 1 MB.
    """
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise OSError(errno.EFBIG, "it is larger than 1 MB")
    return data


def _is_utf_8(text: str) -> bool:
    """Say whether a text of the environment can be written: Python keeps bytes that it cannot read as half signs."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@attrs.frozen(repr=False)
class Setting:
    """One value of the file: its text, or the place from which it is fetched when it is needed."""

    label: str
    """What it is, for messages, e.g. ``token of account 'partner'``."""
    source: str
    """``text``, ``env``, ``file`` or ``keyring``."""
    value: str
    """The text, the variable's name, the absolute path, or ``service/name``."""

    def read(self) -> Hidden:
        """Return the text, which may be a secret.

        Raises:
            CredentialsError: It is not where the file says; the message names the place, never the value.
        """
        match self.source:
            case "env":
                return self._from_environment()
            case "file":
                return Hidden(self._from_file())
            case "keyring":
                return Hidden(self._from_keyring())
        return Hidden(self.value)

    def _from_environment(self) -> Hidden:
        text = Hidden(os.environ.get(self.value, ""))
        if not text:
            state = "is empty" if self.value in os.environ else "is not set"
            raise CredentialsError(f"{self.label}: the environment variable {self.value} {state}; set it")
        if not _is_utf_8(text):
            raise CredentialsError(
                f"{self.label}: the environment variable {self.value} is not text in UTF-8"
            )
        return text

    def _from_file(self) -> str:
        try:
            text = contents(Path(self.value)).decode("utf-8-sig")
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise CredentialsError(f"{self.label}: the file {self.value} cannot be read: {reason}") from None
        except ValueError:
            raise CredentialsError(f"{self.label}: the file {self.value} is not text in UTF-8") from None
        # An editor ends the last line; that line end is no part of the secret.
        text = text.removesuffix("\n").removesuffix("\r")
        if not text:
            raise CredentialsError(f"{self.label}: the file {self.value} is empty")
        return text

    def _from_keyring(self) -> str:
        try:
            import keyring
            from keyring.errors import KeyringError
        except ImportError:
            raise ConfigurationError(
                f'{self.label}: the keyring needs its library: pip install "adnet[keyring]"'
            ) from None
        service, _, name = self.value.rpartition("/")
        try:
            text = keyring.get_password(service, name)
        except KeyringError as error:
            raise CredentialsError(f"{self.label}: the keyring refuses: {type(error).__name__}") from None
        if not text:
            raise CredentialsError(
                f"{self.label}: the keyring has no {self.value}; store it with: keyring set {service} {name}"
            )
        return str(text)

    def __repr__(self) -> str:
        return f"Setting({self.label}, {self.source}{'' if self.source == 'text' else ' ' + self.value})"
