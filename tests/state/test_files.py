"""The state's files are their owner's alone; the refusals are tested through the database."""

from pathlib import Path

import pytest

from adnet.errors import StateError
from adnet.state.files import make_private, refuse_readable


def test_an_existing_file_is_left_as_it_is(path: Path) -> None:
    """Making is not truncating, and does not close a file that others can read: that is refused, not hidden."""
    path.write_text("kept")
    path.chmod(0o644)
    make_private(path)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("kept", 0o644)


def test_side_files_are_looked_for_beside_the_real_file(tmp_path: Path) -> None:
    """Behind a link, the files that SQLite makes are beside the link's target."""
    real, link = tmp_path / "real.db", tmp_path / "link.db"
    make_private(real)
    link.symlink_to(real)
    refuse_readable(link)
    (tmp_path / "real.db-wal").touch(0o644)
    with pytest.raises(StateError, match=r"real\.db-wal can be read by others: chmod 600"):
        refuse_readable(link)


def test_no_descriptor_stays_open(path: Path) -> None:
    """Making a file leaves no descriptor behind."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    make_private(path)
    assert before == len(list(Path("/proc/self/fd").iterdir()))
