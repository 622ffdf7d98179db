"""The end of a message about a word that is not known."""

import difflib
from collections.abc import Iterable


def hint(word: str, known: Iterable[str]) -> str:
    """Return the nearest of the *known* words as a question, whatever its case, or else all of them.

    It stands behind a semicolon: ``did you mean 'url'?``, ``there are url, key`` or ``there is none``.
    """
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), folded, n=1)
    if near:
        return f"did you mean {folded[near[0]]!r}?"
    if len(folded) > 1:
        return f"there are {', '.join(folded.values())}"
    return f"there is {next(iter(folded.values()), 'none')}"
