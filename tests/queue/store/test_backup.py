"""A backup is whole while others write, and its way back loses nothing."""

import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from threadcast.queue.model import NewDelivery, NewThread, StoreError
from threadcast.queue.states import DeliveryState
from threadcast.queue.store.backup import BackupError, backup, restore
from threadcast.queue.store.database import open_database
from threadcast.queue.store.migrate import upgrade
from threadcast.queue.text.parse import parse

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


class Queue:
    """A queue in a file, and how many threads it has."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        upgrade(self.url)

    def add(self, *names: str) -> None:
        with closing(open_database(self.url)) as database:
            wishes = [
                NewThread(
                    parse(f"1/ {name}\n2/ more of it /end\n")[0],
                    "test",
                    (NewDelivery("news", DeliveryState.QUEUED, NOW),),
                )
                for name in names
            ]
            database.threads.add(wishes, now=NOW, actor="test")

    def titles(self) -> list[str]:
        with closing(open_database(self.url, create=False)) as database:
            return [delivery.title for delivery in database.reading.deliveries()]


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return Queue(tmp_path / "queue.sqlite3")


def test_there_and_back(queue: Queue, tmp_path: Path) -> None:
    """What was backed up comes back, and what it replaces is kept, whole."""
    queue.add("dusk")
    backup(queue.url, tmp_path / "copy")
    queue.add("dawn")

    kept = tmp_path / "kept"
    assert restore(queue.url, tmp_path / "copy", keep=kept)

    assert queue.titles() == ["dusk"]
    assert Queue(kept).titles() == ["dusk", "dawn"]
    assert sorted(path.name for path in tmp_path.iterdir() if "-" not in path.name) == [
        "copy",
        "kept",
        "queue.sqlite3",
    ]


def test_for_its_owner_only(queue: Queue, tmp_path: Path) -> None:
    """Backup and restored queue are for their owner only, and one file each."""
    backup(queue.url, tmp_path / "copy")
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("copy*")] == ["copy"]
    restore(queue.url, tmp_path / "copy", keep=tmp_path / "kept")
    assert stat.S_IMODE(queue.path.stat().st_mode) == 0o600


def test_one_moment_of_a_queue_in_use(queue: Queue, tmp_path: Path) -> None:
    """Backups made while another program writes hold each of its writes whole or not at all."""
    stop = threading.Event()

    def write() -> None:
        for number in range(200):
            if stop.is_set():
                return
            queue.add(f"{number} first", f"{number} second")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        sizes = []
        for number in range(5):
            copy = tmp_path / f"copy{number}"
            backup(queue.url, copy)
            found = Queue(copy).titles()
            assert len(found) % 2 == 0
            sizes.append(len(found))
    finally:
        stop.set()
        writer.join()
    assert sizes == sorted(sizes)


def test_nothing_is_overwritten(queue: Queue, tmp_path: Path) -> None:
    """A backup never takes the place of a file, nor does what a restore keeps."""
    there = tmp_path / "there"
    there.write_text("precious")
    with pytest.raises(BackupError, match="not overwritten"):
        backup(queue.url, there)
    backup(queue.url, tmp_path / "copy")
    with pytest.raises(BackupError, match="not overwritten"):
        restore(queue.url, tmp_path / "copy", keep=there)
    assert there.read_text() == "precious"
    assert queue.titles() == []
    assert not list(tmp_path.glob("*.restoring*"))


def test_nowhere_to_write(queue: Queue, tmp_path: Path) -> None:
    """A place that cannot be written to is named, with what to do."""
    with pytest.raises(BackupError, match=r"cannot be written.*name another file"):
        backup(queue.url, tmp_path / "no" / "such" / "folder")


def test_no_queue_yet(tmp_path: Path) -> None:
    """Where there is no queue, none is made, and there is nothing to back up."""
    with pytest.raises(StoreError, match="there is no database"):
        backup(f"sqlite:///{tmp_path}/queue.sqlite3", tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_back_to_a_new_machine(queue: Queue, tmp_path: Path) -> None:
    """A backup is restored where there is no queue yet, and then there is nothing to keep."""
    queue.add("dusk")
    backup(queue.url, tmp_path / "copy")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    kept = restore(f"sqlite:///{elsewhere}/queue.sqlite3", tmp_path / "copy", keep=elsewhere / "kept")
    assert not kept
    assert Queue(elsewhere / "queue.sqlite3").titles() == ["dusk"]


def test_by_a_link(queue: Queue, tmp_path: Path) -> None:
    """A queue reached by a link is replaced where it is; the link stays one."""
    queue.add("dusk")
    backup(queue.url, tmp_path / "copy")
    queue.add("dawn")
    link = tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(queue.path)
    assert restore(f"sqlite:///{link}", tmp_path / "copy", keep=tmp_path / "kept")
    assert link.is_symlink()
    assert queue.titles() == ["dusk"]
    assert Queue(tmp_path / "kept").titles() == ["dusk", "dawn"]


def test_numbers_go_on(queue: Queue, tmp_path: Path) -> None:
    """The number of a thread that was added after the backup is not given to another one."""
    queue.add("dusk")
    backup(queue.url, tmp_path / "copy")
    queue.add("dawn")
    restore(queue.url, tmp_path / "copy", keep=tmp_path / "kept")
    queue.add("noon")
    with closing(open_database(queue.url)) as database:
        assert [delivery.thread_id for delivery in database.reading.deliveries()] == [1, 3]


def damaged(copy: Path) -> None:
    data = bytearray(copy.read_bytes())
    data[6000:20000] = b"\xa5" * 14000
    copy.write_bytes(data)


def foreign(copy: Path) -> None:
    copy.unlink()
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")


def newer(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE threadcast_version SET version_num = '9999'")


def without_version(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("DELETE FROM threadcast_version")


def without_rows(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("DELETE FROM threads")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (damaged, "damaged|not a backup"),
        (foreign, "not a backup"),
        (newer, "a newer Threadcast"),
        (without_version, "not a backup"),
        (without_rows, "rows are missing"),
        (lambda copy: copy.write_text("1/ A thread.\n" * 100), "not a backup"),
        (lambda copy: copy.write_bytes(b""), "not a backup"),
        (lambda copy: copy.unlink(), "cannot be read"),
        (lambda copy: (copy.unlink(), copy.mkdir()), "cannot be read"),
    ],
)
def test_what_is_no_backup(queue: Queue, tmp_path: Path, spoil: Callable[[Path], object], says: str) -> None:
    """A file that is damaged, foreign, newer or none is refused, and the queue is as it was."""
    queue.add("dusk")
    copy = tmp_path / "copy"
    backup(queue.url, copy)
    spoil(copy)
    with pytest.raises(BackupError, match=says):
        restore(queue.url, copy, keep=tmp_path / "kept")
    assert queue.titles() == ["dusk"]
    assert not (tmp_path / "kept").exists()
    assert not list(tmp_path.glob("*.restoring*"))


def test_in_the_place_of_a_damaged_queue(queue: Queue, tmp_path: Path) -> None:
    """A damaged queue, what a backup is for, is replaced and kept byte by byte, side files and all."""
    queue.add("dusk")
    backup(queue.url, tmp_path / "copy")
    queue.path.write_bytes(b"not a database" * 1000)
    Path(f"{queue.path}-wal").write_bytes(b"of the damaged one")

    assert restore(queue.url, tmp_path / "copy", keep=tmp_path / "kept")

    assert queue.titles() == ["dusk"]
    assert (tmp_path / "kept").read_bytes() == b"not a database" * 1000
    assert (tmp_path / "kept-wal").read_bytes() == b"of the damaged one"


def test_in_the_place_of_a_queue_damaged_inside(queue: Queue, tmp_path: Path) -> None:
    """A queue whose pages are damaged is replaced and kept too."""
    queue.add("dusk")
    backup(queue.url, tmp_path / "copy")
    damaged(queue.path)
    assert restore(queue.url, tmp_path / "copy", keep=tmp_path / "kept")
    assert queue.titles() == ["dusk"]
    assert (tmp_path / "kept").read_bytes()[6000:20000] == b"\xa5" * 14000


def test_a_damaged_queue_gives_no_backup(queue: Queue, tmp_path: Path) -> None:
    """A damaged queue is said to be damaged, and leaves no file that looks like a backup."""
    queue.add("dusk")
    damaged(queue.path)
    with pytest.raises(StoreError, match=r"damaged|cannot be copied"):
        backup(queue.url, tmp_path / "copy")
    queue.path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreError, match="cannot be copied"):
        backup(queue.url, tmp_path / "copy")
    assert not list(tmp_path.glob("copy*"))


def test_a_folder_that_is_gone(queue: Queue, tmp_path: Path) -> None:
    """Where the replaced queue cannot be kept, the queue stays as it is."""
    backup(queue.url, tmp_path / "copy")
    queue.add("dusk")
    with pytest.raises(StoreError, match="cannot be replaced"):
        restore(queue.url, tmp_path / "copy", keep=tmp_path / "no" / "folder" / "kept")
    assert queue.titles() == ["dusk"]


def test_while_another_program_writes(queue: Queue, tmp_path: Path) -> None:
    """A queue that another program is writing to is not replaced."""
    backup(queue.url, tmp_path / "copy")
    with closing(sqlite3.connect(queue.path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="held by another program"):
            restore(queue.url, tmp_path / "copy", keep=tmp_path / "kept", patience=0.1)
    assert not (tmp_path / "kept").exists()


def test_on_postgresql(tmp_path: Path) -> None:
    """A queue on PostgreSQL is refused, with the name of its own tool and without its password."""
    url = "postgresql://me:hunter2@db.example/threadcast"
    with pytest.raises(StoreError, match="use pg_dump") as told:
        backup(url, tmp_path / "copy")
    assert "hunter2" not in str(told.value)
    with pytest.raises(StoreError, match="use pg_restore"):
        restore(url, tmp_path / "copy", keep=tmp_path / "kept")
