"""Installs Acme's distribution without a network: its folder and a hand-made ``.dist-info`` beside it."""

import configparser
import io
import tomllib
from pathlib import Path

ACME = Path(__file__).parent / "acme"


def dist_info(folder, name, version, points):
    """Write the metadata of a distribution with entry points of adnet's group, as an installer would."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "INSTALLER").write_text("tests\n")
    written = configparser.ConfigParser()
    written["adnet.connectors"] = points
    text = io.StringIO()
    written.write(text)
    (info / "entry_points.txt").write_text(text.getvalue())
    return folder


def install_acme(folder):
    """Install what Acme's own ``pyproject.toml`` declares into *folder*, which goes on the path."""
    project = tomllib.loads((ACME / "pyproject.toml").read_text())["project"]
    (package,) = (ACME / "adnet_acme",)
    (folder / package.name).symlink_to(package, target_is_directory=True)
    return dist_info(folder, project["name"], project["version"], project["entry-points"]["adnet.connectors"])
