"""The state file: owner-only, shared by processes, whole after a kill, and clear about what is wrong."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adnet.errors import StateError
from adnet.state.database import FORMAT, Database, from_us, to_us

TABLE = "CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, text TEXT)"


@pytest.fixture
def table(database: Database) -> Database:
    database.define(TABLE)
    return database


@contextmanager
def no_umask() -> Iterator[None]:
    old = os.umask(0)
    try:
        yield
    finally:
        os.umask(old)


def without_coverage() -> dict[str, str]:
    """A killed process would leave half a file of coverage data."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def count(database: Database) -> int:
    return int(database.rows("SELECT count(*) FROM t")[0][0])


def add_rows(path: Path, first: int, number: int) -> None:
    with closing(Database.open(path)) as database:
        database.define(TABLE)
        for n in range(first, first + number):
            with database.transaction() as connection:
                connection.execute("INSERT INTO t VALUES (?, 'x')", (n,))


def test_everything_is_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    """The file, its side files and a folder made for it can be read by nobody else."""
    path = tmp_path / "new" / "state.db"
    with no_umask(), closing(Database.open(path)) as database:
        database.define(TABLE)
        assert {0o600} == {mode(p) for p in path.parent.iterdir()}
        assert {"state.db", "state.db-wal", "state.db-shm"} == {p.name for p in path.parent.iterdir()}
    assert mode(path.parent) == 0o700


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_read_is_refused(path: Path, suffix: str, bits: int) -> None:
    """The refusal names the file and the command that mends it; nothing is changed."""
    Database.open(path).close()
    open_to_others = path.with_name(path.name + suffix)
    open_to_others.touch()
    open_to_others.chmod(bits)
    with pytest.raises(
        StateError, match=rf"{open_to_others} can be read by others: chmod 600 {open_to_others}"
    ):
        Database.open(path)
    assert bits == mode(open_to_others)


def test_a_folder_others_can_list_is_fine(path: Path) -> None:
    """Only the files must be closed to others."""
    path.parent.chmod(0o755)
    Database.open(path).close()
    assert mode(path) == 0o600


def test_in_memory_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is a database of one's own without any file."""
    monkeypatch.chdir(tmp_path)
    with closing(Database.open(None)) as database:
        database.define(TABLE)
        assert count(database) == 0
        assert repr(database) == "Database(':memory:')"
    assert list(tmp_path.iterdir()) == []


def test_opened_again_it_holds_what_was_committed(path: Path) -> None:
    """What was committed outlives the connection, and the format is written once."""
    add_rows(path, 0, 3)
    with closing(Database.open(path)) as database:
        assert count(database) == 3
        assert database.rows("PRAGMA user_version")[0][0] == FORMAT
        assert database.rows("PRAGMA journal_mode")[0][0] == "wal"


def test_a_block_that_raises_leaves_nothing(table: Database) -> None:
    """A transaction is in the file whole or not at all."""
    with suppress(ZeroDivisionError), table.transaction() as connection:
        connection.execute("INSERT INTO t VALUES (1, 'x')")
        raise ZeroDivisionError
    assert count(table) == 0
    with table.transaction(durable=True) as connection:
        connection.execute("INSERT INTO t VALUES (1, 'x')")
    assert count(table) == 1


def test_an_inner_transaction_is_part_of_the_outer_one(table: Database) -> None:
    """What an inner block wrote is rolled back with the outer one."""
    with suppress(ZeroDivisionError), table.transaction():
        with table.transaction() as connection:
            connection.execute("INSERT INTO t VALUES (1, 'x')")
        raise ZeroDivisionError
    assert count(table) == 0


def test_durable_transactions_wait_for_the_disk(table: Database) -> None:
    """The setting is full inside a durable transaction, and normal again after it."""
    with table.transaction(durable=True) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert table.rows("PRAGMA synchronous")[0][0] == 1


def test_a_lock_held_too_long_is_told(path: Path, table: Database) -> None:
    """Who waits longer than the busy timeout gets an error that says what to do."""
    with closing(Database.open(path, busy_timeout_s=0.01)) as other, table.transaction():
        with (
            pytest.raises(StateError, match="is locked by another process: wait for it"),
            other.transaction(),
        ):
            pytest.fail("two writers at once")
        assert other.rows("SELECT * FROM t") == [], "readers never wait"


def test_who_is_interrupted_while_waiting_for_the_lock_does_not_keep_it(path: Path, table: Database) -> None:
    """A notebook that is stopped meanwhile goes on: what it writes later counts, and others may write."""
    heard = signal.signal(signal.SIGALRM, signal.default_int_handler)
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.4, other.execute, ["COMMIT"])
        release.start()
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        try:
            with pytest.raises(KeyboardInterrupt), table.transaction():
                pass
        finally:
            signal.signal(signal.SIGALRM, heard)
            release.join()
        with table.transaction() as connection:
            connection.execute("INSERT INTO t VALUES (1, 'x')")
        assert other.execute("SELECT count(*) FROM t").fetchone()[0] == 1
        other.execute("BEGIN IMMEDIATE")


@pytest.mark.parametrize("content", [b"not a database, but long enough to look like a file", b"x" * 8192])
def test_a_file_of_something_else_is_refused_and_kept(path: Path, content: bytes) -> None:
    """A damaged file is named and left as it is."""
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(StateError, match=rf"{path} is not a state file or damaged: move it away"):
        Database.open(path)
    assert content == path.read_bytes()


def test_a_file_damaged_in_the_middle_is_told_when_it_is_read(path: Path) -> None:
    """Damage that the header does not show is an error of the same kind."""
    add_rows(path, 0, 2000)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))
    with (
        pytest.raises(StateError, match="is not a state file or damaged"),
        closing(Database.open(path)) as broken,
    ):
        count(broken)


def test_another_programs_database_is_refused_and_kept(path: Path) -> None:
    """No table of ours gets into a SQLite file that is not ours."""
    path.touch(0o600)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (n)")
    before = path.read_bytes()
    with pytest.raises(StateError, match="is no state file of adnet: name another file"):
        Database.open(path)
    assert before == path.read_bytes()


def test_a_newer_format_is_refused(path: Path) -> None:
    """A file of a newer adnet is not touched."""
    with closing(Database.open(path)) as database:
        database.rows(f"PRAGMA user_version={FORMAT + 1}")
    with pytest.raises(
        StateError, match=rf"has format {FORMAT + 1}, this adnet reads up to {FORMAT}: upgrade"
    ):
        Database.open(path)


def test_a_creation_cut_short_is_taken_up(path: Path) -> None:
    """An empty file, as a kill between creation and first write leaves it, becomes a state file."""
    path.touch(0o600)
    add_rows(path, 0, 1)
    with closing(Database.open(path)) as database:
        assert count(database) == 1


def test_places_where_no_file_can_be(tmp_path: Path) -> None:
    """A folder, a pipe, a dead link and a path through a file are named, not opened."""
    (tmp_path / "file").touch()
    (tmp_path / "dead").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name, words in {
        ".": "is not a file",
        "pipe": "is not a file",
        "dead": "leads nowhere",
        "file/state.db": "Not a directory",
        "a\0b": "cannot be made: .*embedded null",
    }.items():
        with pytest.raises(StateError, match=words):
            Database.open(tmp_path / name)
    with pytest.raises(StateError, match="cannot be made"):
        Database.open(Path("/proc/adnet/state.db"))


def test_a_path_too_long_for_sqlite_is_told(tmp_path: Path) -> None:
    """What the system takes and SQLite does not is an error of the same kind."""
    with pytest.raises(StateError, match="cannot be opened: check that its folder exists"):
        Database.open(tmp_path.joinpath(*["x" * 100] * 6, "state.db"))


def test_a_new_file_that_another_program_keeps_reading_is_told(path: Path) -> None:
    """Who cannot switch the file to its shared mode says so, and does not wait for ever."""
    path.touch(0o600)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM sqlite_master").fetchall()
        with pytest.raises(StateError, match="is locked by another process"):
            Database.open(path, busy_timeout_s=0.01)
    Database.open(path).close()


def test_a_file_system_without_shared_memory_is_told(path: Path) -> None:
    """Where SQLite cannot share a file, the state is not put there."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        with pytest.raises(StateError, match="cannot be shared on this file system: keep it on a local disk"):
            Database(connection, path)._use_wal()


def test_a_full_disk_is_told_and_loses_nothing(table: Database) -> None:
    """What was there stays, and writing goes on when there is room again."""
    with table.transaction() as connection:
        connection.execute("INSERT INTO t VALUES (1, 'x')")
    table.rows(f"PRAGMA max_page_count={table.rows('PRAGMA page_count')[0][0]}")
    with (
        pytest.raises(StateError, match="the disk is full: free some space"),
        table.transaction() as connection,
    ):
        connection.execute("INSERT INTO t VALUES (2, zeroblob(100000))")
    assert count(table) == 1
    table.rows("PRAGMA max_page_count=100000")
    with table.transaction() as connection:
        connection.execute("INSERT INTO t VALUES (2, zeroblob(100000))")
    assert count(table) == 2


def test_after_close_it_says_so(path: Path) -> None:
    """A closed database is an error with the path in it, and no reason to move it away; closing twice is none."""
    database = Database.open(path)
    database.close()
    database.close()
    with pytest.raises(StateError, match=f"{path} was closed: open the state, .* again"):
        database.rows("SELECT 1")


MAKER = """
import sys
from pathlib import Path
from adnet.state.database import Database
for line in sys.stdin:
    database = Database.open(Path(line.strip()))
    database.define("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY)")
    with database.transaction() as connection:
        connection.execute("INSERT INTO t VALUES (?)", (int(sys.argv[1]),))
    database.close()
    print("made", flush=True)
"""


def test_processes_that_make_the_file_at_the_same_moment(tmp_path: Path, crew) -> None:
    """Four processes create, define and write together, again and again; no row is lost and none fails."""
    makers = crew(MAKER, 4)
    for n in range(25):
        path = tmp_path / str(n) / "state.db"
        assert makers.ask(path) == ["made"] * 4
        with closing(Database.open(path)) as database:
            assert count(database) == 4


def test_threads_share_one_connection(table: Database) -> None:
    """Transactions of several threads come one after the other."""

    def add(first: int) -> None:
        for n in range(first, first + 50):
            with table.transaction() as connection:
                connection.execute("INSERT INTO t VALUES (?, 'x')", (n,))

    threads = [threading.Thread(target=add, args=(100 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(table) == 200


WRITER = """
import itertools, sys
from pathlib import Path
from adnet.state.database import Database
database = Database.open(Path(sys.argv[1]))
database.define("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, text TEXT)")
first = (database.rows("SELECT max(n) FROM t")[0][0] or 0) + 1
for n in itertools.count(first, 2):
    with database.transaction() as connection:
        connection.execute("INSERT INTO t VALUES (?, 'x')", (n,))
        connection.execute("INSERT INTO t VALUES (?, 'y')", (n + 1,))
    print(n + 1, flush=True)
"""


def test_a_killed_writer_loses_nothing_it_told_and_leaves_nothing_half(path: Path) -> None:
    """After each kill -9 in the middle of writing the pairs are whole, and all that were told are there."""
    for lines in (1, 7, 40):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, env=without_coverage()
        ) as writer:
            assert writer.stdout
            told = [int(writer.stdout.readline()) for _ in range(lines)][-1]
            writer.kill()
        with closing(Database.open(path)) as database:
            highest, number = database.rows("SELECT max(n), count(*) FROM t")[0]
            assert highest >= told
            assert (highest, 0) == (number, number % 2)


def test_a_forked_child_is_refused_and_leaves_the_parent_whole(table: Database) -> None:
    """A connection copied by a fork would damage the file, so the child must open its own."""
    child = os.fork()
    if child == 0:
        try:
            table.close()
            table.rows("SELECT 1")
        except StateError as error:
            os._exit(7 if "opened before a fork" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert count(table) == 0


def test_a_forked_child_that_opens_the_file_again_outlives_its_parent_there(path: Path) -> None:
    """What it writes after the parent has closed the file is no less in it; SQLite left to itself would lose it."""
    parent = Database.open(path)
    parent.define(TABLE)
    ready, go_on = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            mine = Database.open(path)
            os.write(ready[1], b".")
            os.read(go_on[0], 1)
            with mine.transaction() as connection:
                connection.execute("INSERT INTO t VALUES (1, 'x')")
            os._exit(0)  # as by a kill: nothing is closed
        finally:
            os._exit(1)
    try:
        os.read(ready[0], 1)
        with parent.transaction() as connection:
            connection.execute("INSERT INTO t VALUES (2, 'x')")
        parent.close()
    finally:
        os.write(go_on[1], b".")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with closing(Database.open(path)) as database:
        assert count(database) == 2


@pytest.mark.parametrize("how", ["in a transaction", "in another thread"])
def test_a_child_of_a_fork_in_the_middle_of_work_opens_nothing(path: Path, table: Database, how: str) -> None:
    """What was begun is its parent's to end: neither is it ended here, nor would locks be right beside it."""
    with ThreadPoolExecutor(1) as pool, ExitStack() as held:
        if how == "in a transaction":
            held.enter_context(table.transaction())
        else:
            pool.submit(table._guard.__enter__).result()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that there are threads is what it is about
            child = os.fork()
        if child == 0:
            try:
                Database.open(path)
            except StateError as error:
                os._exit(7 if "spawn it instead" in str(error) else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        if how != "in a transaction":
            pool.submit(table._guard.__exit__, None, None, None).result()
    assert count(table) == 0


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_are_stored_to_the_microsecond(moment: datetime) -> None:
    """What comes back is the instant that went in."""
    assert moment == from_us(to_us(moment))


def test_instants_of_other_zones_are_stored_in_utc() -> None:
    """The zone is turned into UTC, and a time without one is refused."""
    assert to_us(datetime(1970, 1, 1, 3, tzinfo=timezone(timedelta(hours=3)))) == 0
    with pytest.raises(ValueError, match="no time zone"):
        to_us(datetime(1970, 1, 1))  # noqa: DTZ001
