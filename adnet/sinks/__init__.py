"""Where rows land: one URI, one sink.

=====================  ====================================================================
URI                    what lands there
=====================  ====================================================================
``duckdb:FILE``        one DuckDB database
``parquet:DIR``        one folder of Parquet parts a table
``csv:DIR``            one CSV file a table
``jsonl:DIR``          one file of JSON lines a table
``jsonl:-``            JSON lines on standard output, as they land
=====================  ====================================================================
"""

import importlib
from collections.abc import Mapping
from typing import Any, Final, TextIO

from adnet.clock import Clock, SystemClock
from adnet.errors import ConfigurationError
from adnet.hints import hint
from adnet.places import place_of
from adnet.sinks.base import Landed, Landing, Sink, Stretch

__all__ = ["SCHEMES", "STDOUT", "Landed", "Landing", "Sink", "Stretch", "open_sink"]

SCHEMES: Final[Mapping[str, str]] = {
    "csv": "adnet.sinks.text:CsvSink",
    "duckdb": "adnet.sinks.duckdb:DuckDbSink",
    "jsonl": "adnet.sinks.text:JsonLinesSink",
    "parquet": "adnet.sinks.parquet:ParquetSink",
}
"""Scheme of a URI -> the sink behind it, imported when it is asked for."""
STDOUT: Final = "jsonl:-"
"""The one URI that names no place: rows go to standard output."""
_STREAM: Final = "adnet.sinks.stream:StreamSink"


def open_sink(uri: str, *, clock: Clock | None = None, stream: TextIO | None = None) -> Sink:
    """Return the sink that *uri* names; nothing is touched before its ``open``.

    Args:
        uri: ``scheme:path``; a relative path is relative to the working folder.
        clock: Tells the instants of history and of ``pulls``.
        stream: Where ``jsonl:-`` writes; standard output by default.

    Raises:
        ConfigurationError: The URI is malformed, its scheme unknown, or the library behind it not installed.
    """
    scheme, colon, rest = uri.partition(":")
    if not colon or scheme not in SCHEMES:
        raise ConfigurationError(_unknown(uri, scheme))
    if not rest:
        raise ConfigurationError(f"the sink {uri!r} names no place: write {scheme}:PATH")
    clock = clock or SystemClock()
    if uri == STDOUT:
        return _load(scheme, _STREAM)(stream, clock=clock)  # type: ignore[no-any-return]
    return _load(scheme, SCHEMES[scheme])(place_of(rest), clock=clock)  # type: ignore[no-any-return]


def _unknown(uri: str, scheme: str) -> str:
    known = [f"{name}:" for name in SCHEMES]
    return f"no sink {uri!r}: write KIND:PATH, like duckdb:ads.duckdb; {hint(f'{scheme}:', known)}"


def _load(scheme: str, where: str) -> Any:
    module, _, name = where.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("adnet"):
            raise
        raise ConfigurationError(
            f'{scheme}: needs the library {error.name}: pip install "adnet[{scheme}]"'
        ) from error
