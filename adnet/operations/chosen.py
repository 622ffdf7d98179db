"""What a list is asked for: ids and words as users write them, one or several."""

from collections.abc import Collection, Iterable

from adnet.errors import ConfigurationError
from adnet.models.words import STATUSES

Words = str | Collection[str] | None
"""One word or several; several mean any of them."""


def texts(value: str | int | Iterable[str | int]) -> list[str]:
    """Return ids as texts; a text alone is one id, and not those of its digits."""
    return [str(value)] if isinstance(value, str | int) else [str(one) for one in value]


def chosen(value: Words) -> list[str] | None:
    """Return ids or words as texts; None means any."""
    return None if value is None else texts(value)


def statuses(value: Words) -> list[str] | None:
    """Return status words; None means any.

    Raises:
        ConfigurationError: One is none of ours. No object would ever match it, which reads as if there were none.
    """
    found = chosen(value)
    for word in found or ():
        if word not in STATUSES:
            raise ConfigurationError(f"no status is called {word!r}; there are {', '.join(sorted(STATUSES))}")
    return found
