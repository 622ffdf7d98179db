"""The end of a message about a word that is not known."""

import difflib
from collections.abc import Iterable


def hint(word: str, known: Iterable[str]) -> str:
    """Return the nearest of the *known* words as a question, whatever its case, or else all of them.

    It stands behind a semicolon: ``did you mean 'url'?``, ``there are url, key`` or ``there is none``.
    """
    names = list(known)
    near = difflib.get_close_matches(word.casefold(), [name.casefold() for name in names], n=1)
    if near:
        meant = next(name for name in names if name.casefold() == near[0])
        return f"did you mean {meant!r}?"
    if len(names) > 1:
        return f"there are {', '.join(names)}"
    return f"there is {next(iter(names), 'none')}"
