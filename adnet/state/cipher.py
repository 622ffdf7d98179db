"""Encryption of token texts at rest, with a key from the configuration.

Needs the extra ``encryption``. The key is stretched with scrypt and a salt kept in the file, beside a short
encrypted text that tells a wrong key from a damaged token.
"""

import base64
import hashlib
import secrets
from typing import Final, Protocol

from adnet.errors import ConfigurationError, StateError
from adnet.state.database import Database

_SALT: Final = "token_salt"
_CHECK: Final = "token_check"
_CHECK_TEXT: Final = b"adnet"


class Cipher(Protocol):
    """What the token store needs: a pair that undoes each other."""

    def seal(self, text: bytes) -> bytes:
        """Return *text* encrypted."""
        ...

    def unseal(self, sealed: bytes) -> bytes:
        """Return what :meth:`seal` was given.

        Raises:
            StateError: The text was changed, or sealed with another key.
        """
        ...


class FernetCipher:
    """AES-128-CBC with HMAC-SHA-256, as the library ``cryptography`` makes it."""

    __slots__ = ("_fernet", "_invalid")

    def __init__(self, key: bytes, salt: bytes) -> None:
        try:
            from cryptography.fernet import Fernet, InvalidToken
        except ImportError:
            raise ConfigurationError(
                "a key for the state needs the library cryptography: pip install 'adnet[encryption]'"
            ) from None
        derived = hashlib.scrypt(key, salt=salt, n=2**14, r=8, p=1, dklen=32)
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))
        self._invalid = InvalidToken

    def seal(self, text: bytes) -> bytes:
        """Return *text* encrypted."""
        return self._fernet.encrypt(text)

    def unseal(self, sealed: bytes) -> bytes:
        """Return what :meth:`seal` was given.

        Raises:
            StateError: The text was changed, or sealed with another key.
        """
        try:
            return self._fernet.decrypt(sealed)
        except self._invalid:
            raise StateError("a stored token does not fit the state's key: log in again") from None

    def __repr__(self) -> str:
        return "FernetCipher(***)"


def open_cipher(database: Database, key: bytes | str | None) -> Cipher | None:
    """Return the cipher for *database*; None without a key. The first key given becomes the file's key.

    Raises:
        ConfigurationError: The key is empty, or the library is missing.
        StateError: It is not the file's key, or the file has one and none is given.
    """
    if key is None:
        if database.meta(_CHECK) is not None:
            raise StateError(f"{database.name} holds encrypted tokens: configure the state's key")
        return None
    secret = key.encode() if isinstance(key, str) else bytes(key)
    if not secret:
        raise ConfigurationError("the key of the state is empty: give one, or none at all")
    cipher = FernetCipher(secret, database.keep_once(_SALT, secrets.token_bytes(16)))
    check = database.keep_once(_CHECK, cipher.seal(_CHECK_TEXT))
    try:
        cipher.unseal(check)
    except StateError:
        raise StateError(
            f"{database.name} was encrypted with another key: configure that one, or move the file away"
        ) from None
    return cipher
