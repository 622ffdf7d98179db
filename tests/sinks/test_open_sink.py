"""A URI names one sink, or the error names what would."""

import sys
from pathlib import Path

import pytest

from adnet.errors import ConfigurationError, SinkError
from adnet.sinks import SCHEMES, open_sink


@pytest.mark.parametrize("scheme", SCHEMES)
def test_relative_path(scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is relative to the working folder of the moment."""
    monkeypatch.chdir(tmp_path)
    assert f"{scheme}:{tmp_path / 'a' / 'b'}" == open_sink(f"{scheme}:a/b").uri
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("duckbd:x", ["'duckbd:x'", "duckdb:ads.duckdb", "did you mean 'duckdb:'?"]),
        ("s3://bucket", ["'s3://bucket'", "csv:, duckdb:, jsonl:, parquet:"]),
        ("ads.duckdb", ["'ads.duckdb'", "did you mean 'duckdb:'?"]),
        ("parquet:", ["names no place", "parquet:PATH"]),
        ("", ["no sink ''"]),
        ("csv:~no-such-user/ads", ["no home folder for ~no-such-user", "write the whole path"]),
        ("duckdb:\udcff.duckdb", ["is not text in UTF-8", "name another place"]),
    ],
)
def test_unknown_uri(uri: str, words: list[str]) -> None:
    """An unknown scheme is refused with the known ones and the nearest."""
    with pytest.raises(ConfigurationError) as caught:
        open_sink(uri)
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("scheme", "library"), [("duckdb", "duckdb"), ("duckdb", "pyarrow"), ("parquet", "pyarrow")]
)
def test_missing_library(scheme: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sink whose library is not installed says what to install."""
    for name in [name for name in sys.modules if name.startswith("adnet.sinks.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigurationError, match=rf'{library}.*pip install "adnet\[{scheme}\]"'):
        open_sink(f"{scheme}:x")


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_place_that_cannot_be(scheme: str, tmp_path: Path) -> None:
    """A place below a file is refused by name."""
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(SinkError, match=r"cannot create the folder .*file"):
        await open_sink(f"{scheme}:{tmp_path}/file/a/b").open()


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_opened_twice_in_one_process(scheme: str, tmp_path: Path) -> None:
    """One process cannot take a place twice either, and failing to does not disturb the first."""
    async with open_sink(f"{scheme}:{tmp_path}/x") as first:
        with pytest.raises(SinkError, match=f"{tmp_path}.*is in use by"):
            await open_sink(f"{scheme}:{tmp_path}/x").open()
        await first.record([{"network": "n", "account": "a", "pull_id": "p", "table": "stats"}])
    async with open_sink(f"{scheme}:{tmp_path}/x"):
        pass
