"""The one list of secret names, and the one scrubber for texts, payloads, logs and errors."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "***"

#: Keys whose values are secrets wherever they occur, compared in lower case without ``-`` and ``_``.
SECRET_KEYS = frozenset({
    "accesstoken", "apikey", "apitoken", "authorization", "clientsecret", "cookie", "idtoken",
    "password", "proxyauthorization", "refreshtoken", "secret", "setcookie", "token", "xapitoken",
})  # fmt: skip

_PAIR = re.compile(
    r"""(?ix)
    (["']?\b(?:x[-_]?api[-_]?token|api[-_]?(?:key|token)|(?:access|refresh|id)[-_]?token|client[-_]?secret
      |authorization|password|secret|token)\b["']?\s*(?:[:=]\s*))
    ((?:bearer\s+)?"(?:[^"\\]|\\.)*"|'[^']*'|(?:bearer\s+)?[^\s"',;&)}\]]+)
    """
)
_BEARER = re.compile(r"(?i)\bbearer\s+[^\s\"',;]+")
_CODE_IN_QUERY = re.compile(r"(?i)([?&](?:code|state)=)[^&\s\"']+")


def is_secret_key(name: str) -> bool:
    """Say whether a value under this key must never be shown."""
    return name.lower().replace("-", "").replace("_", "") in SECRET_KEYS


class Scrubber:
    """Removes known secret values, and whatever stands under a secret name, from texts and payloads.

    Give it every secret a session knows; values shorter than four characters are left to the names, since
    replacing them would shred ordinary text.
    """

    __slots__ = ("_known",)

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: tuple[str, ...] = ()
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str | None) -> None:
        """Remember one more secret value, e.g. a refreshed token."""
        if secret and len(secret) >= 4 and secret not in self._known:  # noqa: PLR2004
            # Longest first, so that a secret that contains another is masked whole.
            self._known = tuple(sorted((*self._known, secret), key=len, reverse=True))

    def text(self, text: str) -> str:
        """Return *text* with every secret masked."""
        for secret in self._known:
            if secret in text:
                text = text.replace(secret, MASK)
        text = _PAIR.sub(rf"\1{MASK}", text)
        text = _BEARER.sub(f"Bearer {MASK}", text)
        return _CODE_IN_QUERY.sub(rf"\1{MASK}", text)

    def payload(self, value: Any) -> Any:
        """Return a copy of a JSON value without secret keys and with known secrets masked in its texts."""
        if isinstance(value, Mapping):
            return {k: self.payload(v) for k, v in value.items() if not is_secret_key(str(k))}
        if isinstance(value, list | tuple):
            return [self.payload(item) for item in value]
        if isinstance(value, str):
            for secret in self._known:
                if secret in value:
                    value = value.replace(secret, MASK)
        return value

    def knows(self, text: str) -> bool:
        """Say whether a known secret occurs in *text*."""
        return any(secret in text for secret in self._known)

    def __repr__(self) -> str:
        return f"Scrubber({len(self._known)} secrets)"


def keyed_hash(key: bytes, value: str) -> str:
    """Return a keyed hash (HMAC-SHA-256, 32 hex digits) of personal data such as a click's IP address."""
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:32]


def masked(secret: str) -> str:
    """Return a secret as it may be shown to its owner: the last four characters at most."""
    return MASK if len(secret) < 12 else f"{MASK}{secret[-4:]}"  # noqa: PLR2004
