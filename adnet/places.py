"""Places that people name: paths as they are typed."""

from pathlib import Path

from adnet.errors import ConfigurationError


def at_home(path: str | Path) -> Path:
    """Return *path* with the folder that a leading ``~`` stands for.

    Raises:
        ConfigurationError: There is no such home folder.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ConfigurationError(
            f"there is no home folder for {Path(path).parts[0]}; write the whole path"
        ) from None


def place_of(text: str) -> Path:
    """Return the absolute path that *text*, the end of a sink's URI, names.

    Raises:
        ConfigurationError: It is at a home folder that is not there, or no text: DuckDB and Arrow take no other name.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigurationError(f"{text!r} is not text in UTF-8; name another place") from None
    return at_home(text).absolute()
