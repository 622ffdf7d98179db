"""The peers: what a user would pick instead, each in an environment of its own under `benchmarks/.venvs`."""

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from common import HERE

PLACE = HERE / ".venvs"
PEERS = {
    # name -> environment, what pip installs there, script, its first argument
    "dlt, Arrow pages": ("dlt", "dlt[parquet]", "peer_dlt.py", "arrow"),
    "dlt, default rows": ("dlt", "dlt[parquet]", "peer_dlt.py", "rows"),
    "airbyte-cdk, low-code": ("airbyte", "airbyte-cdk", "peer_airbyte.py", "-"),
    "singer-sdk": ("singer", "singer-sdk", "peer_singer.py", "-"),
}


def python_of(environment: str, *packages: str) -> Path | None:
    """Return the interpreter of an environment, made at need; None where that does not work."""
    folder = PLACE / environment
    python = folder / "bin" / "python"
    done = folder / ".installed"
    if not done.exists():
        try:
            venv.create(folder, with_pip=True)
            quiet = ["-m", "pip", "install", "-q", "--disable-pip-version-check"]
            subprocess.run([str(python), *quiet, *packages, "pyarrow"], check=True, timeout=900)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"{environment} cannot be installed: {error}", file=sys.stderr)
            return None
        done.touch()
    return python


def version_of(name: str) -> str:
    """Return a peer's version as its environment has it."""
    environment, package, *_ = PEERS[name]
    python = python_of(environment, package)
    if python is None:
        return "not installed"
    code = f"import importlib.metadata as m; print(m.version({package.partition('[')[0]!r}))"
    return subprocess.run(
        [str(python), "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def pulled(name: str, base: str, page_rows: int = 1000, timeout_s: float = 600) -> dict[str, float] | None:
    """Return the figures of one report brought to Parquet by a peer; None where that does not work."""
    environment, package, script, way = PEERS[name]
    python = python_of(environment, package)
    if python is None:
        return None
    with tempfile.TemporaryDirectory(dir=PLACE) as folder:
        command = [str(python), str(HERE / script), way, base, folder, str(page_rows)]
        try:
            done = subprocess.run(
                command,
                check=True,
                capture_output=True,
                text=True,
                timeout=timeout_s,
                env={**os.environ, "HOME": folder},
            )
        except (OSError, subprocess.SubprocessError) as error:
            print(f"{name} failed: {error} {getattr(error, 'stderr', '')}", file=sys.stderr)
            return None
    return json.loads(done.stdout.strip().splitlines()[-1])
