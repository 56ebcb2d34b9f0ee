"""A backup is whole while others write, and its way back loses nothing."""

import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.contract.store.samples import DAY, MINUTE, NOON, new, posts, wish
from tests.contract.store.steps import (
    SENT,
    add,
    claim,
    finish,
    intend,
    judge,
    look,
    opening,
    published,
    see,
    send,
    started,
)
from threadcast.queue.errors import BackupError, LeaseLostError, StoreError
from threadcast.queue.model import NewDelivery, NewThread
from threadcast.queue.states import DeliveryState, Event
from threadcast.queue.store.backup import WentOut, backup, restore, since
from threadcast.queue.store.database import Database, open_database
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


def put_back(queue: Queue) -> Database:
    """Restore the backup `copy`, and open the queue."""
    folder = queue.path.parent
    assert restore(queue.url, folder / "copy", keep=folder / "kept")
    return open_database(queue.url)


def test_an_old_claim_writes_nothing(queue: Queue, tmp_path: Path) -> None:
    """A worker that held a delivery of the replaced queue can write nothing, whoever holds it now."""
    with closing(open_database(queue.url)) as database:
        claimed = started(database)
        database.work.let_go(claimed, now=NOON)
        backup(queue.url, tmp_path / "copy")
        claimed = claim(database)
    with closing(put_back(queue)) as database:
        for _ in range(2):
            with pytest.raises(LeaseLostError):
                intend(database, claimed)
            later = claim(database, worker="w2")
            assert later.delivery.fence > claimed.delivery.fence
            database.work.let_go(later, now=NOON)


def test_a_claim_of_what_was_removed(queue: Queue, tmp_path: Path) -> None:
    """Nor can a worker whose delivery was removed, and came back with the backup."""
    with closing(open_database(queue.url)) as database:
        add(database)
        backup(queue.url, tmp_path / "copy")
        claimed = claim(database)
        database.threads.remove(claimed.delivery.thread_id, now=NOON, actor="ada")
    with closing(put_back(queue)) as database:
        for _ in range(3):
            with pytest.raises(LeaseLostError):
                database.work.plan(claimed, posts(), now=NOON)
            database.work.let_go(claim(database, worker="w2"), now=NOON)


def test_what_was_leased_is_free(queue: Queue, tmp_path: Path) -> None:
    """A backup made in the middle of a send is gone on with at once, and its post is looked for first."""
    with closing(open_database(queue.url)) as database:
        claimed = started(database)
        intend(database, claimed)
        backup(queue.url, tmp_path / "copy")
        judge(database, claimed, 1, SENT)
    with closing(put_back(queue)) as database:
        again = claim(database, worker="w2")
    assert [post.state for post in again.posts] == ["sending", "planned"]


@pytest.mark.parametrize("before", [[], ["dusk"]])
def test_numbers_are_not_given_twice(queue: Queue, tmp_path: Path, before: list[str]) -> None:
    """Threads and deliveries added afterwards have numbers that the replaced queue never gave."""
    queue.add(*before)
    backup(queue.url, tmp_path / "copy")
    with closing(open_database(queue.url)) as database:
        (lost,) = add(database, new("dawn"))
    with closing(put_back(queue)) as database:
        (fresh,) = add(database, new("noon"))
    assert (fresh.id, fresh.thread_id) > (lost.id, lost.thread_id)


def test_what_was_learned_of_channels_stays(queue: Queue, tmp_path: Path) -> None:
    """Slots used, a rate and a chat's new place are as they were known last, not as they were."""
    with closing(open_database(queue.url)) as database:
        see(database, "masto", "news", now=NOON - DAY)
        add(database, new("dusk"))
        backup(queue.url, tmp_path / "copy")
        assert look(database, timing=opening(slot=NOON + MINUTE)) is not None
        database.changes.note_rate("news", 0.25)
        database.changes.note_moved("news", "-100123", now=NOON, actor="bot")
        known = database.reading.channels()
    with closing(put_back(queue)) as database:
        assert database.reading.channels() == known


def test_an_older_backup(queue: Queue, tmp_path: Path) -> None:
    """A backup of an older version has its tables brought up to date before it takes the place."""
    with closing(open_database(queue.url)) as database:
        add(database, new("dusk"))
    backup(queue.url, tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy")) as old, old:
        for table in ("notes", "leaders", "machines", "slots"):
            old.execute(f"DROP TABLE {table}")
        old.execute("ALTER TABLE deliveries DROP COLUMN code")
        old.execute("ALTER TABLE channels DROP COLUMN rate")
        old.execute("ALTER TABLE channels DROP COLUMN moved")
        old.execute("DROP INDEX channels_also")
        old.execute("ALTER TABLE channels DROP COLUMN also")
        old.execute("ALTER TABLE threads DROP COLUMN files")
        for name in ("deliveries_backlog", "posts_finished", "posts_edited"):
            old.execute(f"DROP INDEX {name}")
        for column in (
            *("doubted", "misses", "taken_down"),
            *("media", "album", "uploads", "edit", "edited"),
        ):
            old.execute(f"ALTER TABLE posts DROP COLUMN {column}")
        old.execute("UPDATE threadcast_version SET version_num = '0001'")
    with closing(open_database(queue.url)) as database:
        see(database, "news")
        database.changes.note_rate("news", 0.5)
    with closing(put_back(queue)) as database:
        assert database.reading.channels()[0].rate == 0.5
        claimed = claim(database)
        database.work.plan(claimed, posts(), now=NOON)
        assert finish(database, claimed, 2).state == "published"


def test_what_happened_since(queue: Queue, tmp_path: Path) -> None:
    """What went out after the backup and waits in it is told, and what was added; all else is not."""
    with closing(open_database(queue.url)) as database:
        published(database)
        add(database, new("long", parts=3))
        begun = claim(database)
        database.work.plan(begun, posts(3), now=NOON)
        send(database, begun, 1, SENT)
        add(database, new("dusk", wish("masto")))
        backup(queue.url, tmp_path / "copy")
        send(database, begun, 2, SENT)
        (later,) = add(database, new("dawn", wish("masto")))
    put_back(queue).close()
    found = since(queue.path, tmp_path / "kept")
    assert found is not None
    assert found.out == (WentOut(begun.delivery.thread_id, "news", begun.delivery.title, 1),)
    assert found.added == ((later.thread_id, later.title),)
    (tmp_path / "kept").write_text("not a database" * 1000)
    assert since(queue.path, tmp_path / "kept") is None


def test_the_same_text_that_went_out_since(queue: Queue, tmp_path: Path) -> None:
    """What waits in the backup, and went out since as another thread of the same text, is told too."""
    with closing(open_database(queue.url)) as database:
        (waiting,) = add(database)
        backup(queue.url, tmp_path / "copy")
        database.changes.apply(waiting.id, Event.CANCEL, now=NOON, actor="ada")
        published(database)
    put_back(queue).close()
    found = since(queue.path, tmp_path / "kept")
    assert found is not None
    assert found.out == (WentOut(waiting.thread_id, "news", waiting.title, 2),)


KILLED = """
import os, signal, sys
from pathlib import Path
from threadcast.queue.store import backup

setattr(backup, sys.argv[4], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
backup.restore(sys.argv[1], Path(sys.argv[2]), keep=Path(sys.argv[3]))
"""


@pytest.mark.parametrize(("step", "found"), [("_keep", "dawn"), ("_sync_folder", "dusk")])
def test_killed_on_the_way(queue: Queue, tmp_path: Path, step: str, found: str) -> None:
    """A restore that is killed leaves one queue or the other, and nothing in the way of the next."""
    queue.add("dusk")
    backup(queue.url, tmp_path / "copy")
    queue.add("dawn")
    words = [queue.url, str(tmp_path / "copy"), str(tmp_path / "kept"), step]
    done = subprocess.run([sys.executable, "-c", KILLED, *words], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert queue.titles()[-1] == found
    assert restore(queue.url, tmp_path / "copy", keep=tmp_path / "kept too")
    assert queue.titles() == ["dusk"]
    assert not list(tmp_path.glob("*.restoring*"))


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
    with pytest.raises(StoreError, match="use pg_dump") as found:
        backup(url, tmp_path / "copy")
    assert "hunter2" not in str(found.value)
    with pytest.raises(StoreError, match="use pg_restore"):
        restore(url, tmp_path / "copy", keep=tmp_path / "kept")
