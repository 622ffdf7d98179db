"""Encryption of tokens at rest."""

import sys

import pytest

from adnet.errors import ConfigurationError, StateError
from adnet.state.cipher import Cipher, open_cipher
from adnet.state.database import Database


def opened(database: Database, key: bytes | str) -> Cipher:
    cipher = open_cipher(database, key)
    assert cipher
    return cipher


def test_what_is_sealed_is_unreadable_and_comes_back(database: Database) -> None:
    """The same key, as text or bytes, unseals what another opening sealed."""
    sealed = opened(database, "key").seal(b"token")
    assert b"token" not in sealed
    assert opened(database, b"key").unseal(sealed) == b"token"


def test_a_changed_text_is_refused(database: Database) -> None:
    """A text that was tampered with is an error, never another token."""
    cipher = opened(database, "key")
    sealed = cipher.seal(b"token")
    with pytest.raises(StateError, match="does not fit the state's key: log in again"):
        cipher.unseal(sealed[:-4] + b"AAA=")


def test_a_wrong_key_is_told_at_once(database: Database) -> None:
    """The file knows its key without keeping it."""
    opened(database, "right")
    with pytest.raises(StateError, match="was encrypted with another key: configure that one"):
        open_cipher(database, "wrong")


def test_a_missing_key_is_told(database: Database) -> None:
    """A file that has a key is not used without it; one that has none needs none."""
    assert open_cipher(database, None) is None
    opened(database, "key")
    with pytest.raises(StateError, match="holds encrypted tokens: configure the state's key"):
        open_cipher(database, None)


@pytest.mark.parametrize("key", ["", b""])
def test_an_empty_key_is_refused(database: Database, key: bytes | str) -> None:
    """An empty setting is a mistake, not a key."""
    with pytest.raises(ConfigurationError, match="key of the state is empty"):
        open_cipher(database, key)


def test_a_missing_library_names_the_extra(database: Database, monkeypatch) -> None:
    """Without cryptography the error says what to install, and the file gets no key."""
    monkeypatch.setitem(sys.modules, "cryptography.fernet", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'adnet\[encryption\]'"):
        open_cipher(database, "key")
    assert open_cipher(database, None) is None


def test_the_key_is_in_no_text(database: Database) -> None:
    """Neither the cipher's text nor the file shows the key."""
    assert "S3CRETKEY" not in repr(opened(database, "S3CRETKEY"))
    assert not [row for row in database.rows("SELECT * FROM meta") if b"S3CRETKEY" in bytes(row["value"])]
