"""A queue's content is exchanged under whoever has it open: all of it or none, and no old claim holds."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.contract.store.samples import DAY, LEASE, MINUTE, NOON, new, posts, wish
from tests.contract.store.steps import (
    PUBLISHING,
    QUEUED,
    SENT,
    add,
    claim,
    finish,
    intend,
    judge,
    published,
    see,
    send,
    started,
)
from threadcast.queue.model import LeaseLostError, NotFoundError, Opening, StoreError
from threadcast.queue.store import exchange as exchanging
from threadcast.queue.store.backup import BackupError, backup, fresh_copy, look_through, one_restore
from threadcast.queue.store.database import Database, open_database
from threadcast.queue.store.exchange import exchange
from threadcast.queue.store.migrate import upgrade
from threadcast.queue.store.since import WentOut, since


def titles(database: Database) -> list[str]:
    return [delivery.title.split(" 🌊")[0] for delivery in database.reading.deliveries()]


class InUse:
    """A queue that a service has open, its backup, and the way back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "queue.sqlite3"
        self.url = f"sqlite:///{self.path}"
        self.copy = folder / "copy"
        self.keep = folder / "kept"
        self.database: Database = open_database(self.url)

    def backup(self) -> None:
        backup(self.url, self.copy)

    def restore(self, *, at_rest: bool = True, patience: float = 10) -> bool:
        with one_restore(self.url), fresh_copy(self.url, self.copy) as fresh:
            return exchange(
                self.url,
                fresh,
                keep=self.keep,
                at_rest=lambda: at_rest,
                now=NOON,
                actor="ada",
                patience=patience,
            )

    def titles(self) -> list[str]:
        return titles(self.database)

    def all_there_is(self) -> list[str]:
        with closing(sqlite3.connect(self.path)) as connection:
            return list(connection.iterdump())


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[InUse]:
    one = InUse(tmp_path)
    yield one
    one.database.close()


def test_who_has_it_open_goes_on(queue: InUse) -> None:
    """Open connections see what was restored, and write to it; what it replaced is kept, whole."""
    add(queue.database, new("dusk"))
    queue.backup()
    add(queue.database, new("dawn"))
    inode = queue.path.stat().st_ino

    assert queue.restore()

    assert queue.titles() == ["dusk"]
    add(queue.database, new("noon"))
    assert queue.titles() == ["dusk", "noon"]
    assert queue.path.stat().st_ino == inode
    with closing(open_database(f"sqlite:///{queue.keep}", create=False)) as kept:
        assert titles(kept) == ["dusk", "dawn"]
    assert queue.keep.stat().st_mode & 0o777 == 0o600
    assert not list(queue.folder.glob("*.restoring*"))


def test_in_the_middle_of_a_reader(queue: InUse) -> None:
    """Who is reading meanwhile sees one moment, the old one, to the end of its transaction."""
    add(queue.database, new("dusk"))
    queue.backup()
    add(queue.database, new("dawn"))
    with closing(sqlite3.connect(queue.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM threads").fetchone() == (2,)
        assert queue.restore()
        assert reader.execute("SELECT count(*) FROM threads").fetchone() == (2,)
        reader.execute("COMMIT")
        assert reader.execute("SELECT count(*) FROM threads").fetchone() == (1,)


def test_an_old_claim_writes_nothing(queue: InUse) -> None:
    """A worker that held a delivery of the replaced queue can write nothing, whoever holds it now."""
    claimed = started(queue.database)
    queue.database.work.let_go(claimed, now=NOON)
    queue.backup()
    claimed = claim(queue.database)
    assert queue.restore()
    before = queue.all_there_is()

    for _ in range(2):
        with pytest.raises(LeaseLostError):
            intend(queue.database, claimed)
        with pytest.raises(LeaseLostError):
            queue.database.work.renew(claimed, until=NOON + DAY)
        with pytest.raises(LeaseLostError):
            queue.database.work.let_go(claimed, now=NOON)
        with pytest.raises(LeaseLostError):
            queue.database.work.plan(claimed, posts(), now=NOON)
        assert queue.all_there_is() == before
        later = claim(queue.database, worker="w2")
        assert later.delivery.fence > claimed.delivery.fence
        queue.database.work.let_go(later, now=NOON)
        before = queue.all_there_is()


def test_a_claim_of_what_was_removed(queue: InUse) -> None:
    """Nor can a worker whose delivery was removed, and came back with the backup."""
    add(queue.database)
    queue.backup()
    claimed = claim(queue.database)
    queue.database.threads.remove(claimed.delivery.thread_id, now=NOON, actor="ada")
    assert queue.restore()
    for _ in range(3):
        with pytest.raises(LeaseLostError):
            queue.database.work.plan(claimed, posts(), now=NOON)
        queue.database.work.let_go(claim(queue.database, worker="w2"), now=NOON)


def test_what_was_leased_is_free(queue: InUse) -> None:
    """A backup made in the middle of a send is gone on with at once, and its post is looked for first."""
    claimed = started(queue.database)
    intend(queue.database, claimed)
    queue.backup()
    judge(queue.database, claimed, 1, SENT)
    assert queue.restore()
    again = claim(queue.database, worker="w2")
    assert again.delivery.id == claimed.delivery.id
    assert [post.state for post in again.posts] == ["sending", "planned"]


def test_numbers_are_not_given_twice(queue: InUse) -> None:
    """Threads and deliveries added afterwards have numbers that the replaced queue never gave."""
    add(queue.database, new("dusk"))
    queue.backup()
    (lost,) = add(queue.database, new("dawn"))
    queue.restore()
    (fresh,) = add(queue.database, new("noon"))
    assert (fresh.id, fresh.thread_id) > (lost.id, lost.thread_id)


def test_numbers_of_a_backup_of_nothing(queue: InUse) -> None:
    """That holds where nothing had a number yet when the backup was made."""
    queue.backup()
    (lost,) = add(queue.database, new("dawn"))
    queue.restore()
    with pytest.raises(NotFoundError):
        queue.database.reading.delivery(lost.id)
    (fresh,) = add(queue.database, new("noon"))
    assert (fresh.id, fresh.thread_id) > (lost.id, lost.thread_id)


def test_every_channel_is_paused(queue: InUse) -> None:
    """Channels of the backup and those noted later are paused, and the audit log says by whom."""
    see(queue.database, "masto", "news")
    queue.database.changes.pause("masto", True, now=NOON, actor="bob")
    queue.backup()
    queue.database.changes.pause("masto", False, now=NOON, actor="bob")
    see(queue.database, "later")
    queue.restore()
    assert [(row.name, row.paused) for row in queue.database.reading.channels()] == [
        ("later", True),
        ("masto", True),
        ("news", True),
    ]
    assert [(event.what, event.channel, event.actor) for event in queue.database.reading.events()] == [
        ("pause", "masto", "bob"),
        ("pause", "later", "ada"),
        ("pause", "news", "ada"),
    ]


def test_what_was_learned_of_channels_stays(queue: InUse) -> None:
    """Slots used, a rate and a chat's new place are as the service knows them, not as they were."""
    see(queue.database, "masto", "news", now=NOON - DAY)
    add(queue.database, new("dusk"))
    queue.backup()
    slot = queue.database.work.claim(
        "news", worker="w1", now=NOON, until=NOON + LEASE, opening=Opening(turn=True, slot=NOON + MINUTE)
    )
    assert slot is not None
    queue.database.changes.note_rate("news", 0.25)
    queue.database.changes.note_moved("news", "-100123", now=NOON, actor="bot")
    before = queue.database.reading.channels()
    queue.restore()
    assert [
        (row.last_slot, row.rate, row.moved, row.schedule) for row in queue.database.reading.channels()
    ] == [(row.last_slot, row.rate, row.moved, row.schedule) for row in before]


def test_not_at_rest(queue: InUse) -> None:
    """While something is in hand nothing is changed, and nothing is left behind."""
    add(queue.database, new("dusk"))
    queue.backup()
    add(queue.database, new("dawn"))
    before = queue.all_there_is()
    assert not queue.restore(at_rest=False)
    assert queue.all_there_is() == before
    assert not queue.keep.exists()
    assert not list(queue.folder.glob("*.restoring*"))


def test_an_older_backup(queue: InUse) -> None:
    """A backup of an older version has its tables brought up to date before it takes the place."""
    add(queue.database, new("dusk"))
    queue.backup()
    with closing(sqlite3.connect(queue.copy)) as old, old:
        old.execute("DROP TABLE notes")
        old.execute("ALTER TABLE deliveries DROP COLUMN code")
        old.execute("ALTER TABLE channels DROP COLUMN rate")
        old.execute("ALTER TABLE channels DROP COLUMN moved")
        old.execute("DROP INDEX posts_finished")
        for column in ("doubted", "misses", "taken_down"):
            old.execute(f"ALTER TABLE posts DROP COLUMN {column}")
        old.execute("UPDATE threadcast_version SET version_num = '0001'")
    see(queue.database, "news")
    queue.database.changes.note_rate("news", 0.5)
    assert queue.restore()
    upgrade(queue.url)
    assert queue.titles() == ["dusk"]
    assert queue.database.reading.channels()[0].rate == 0.5
    queue.database.changes.pause("news", False, now=NOON, actor="ada")
    claimed = claim(queue.database)
    queue.database.work.plan(claimed, posts(), now=NOON)
    assert finish(queue.database, claimed, 2).state == "published"


def test_other_pages(queue: InUse) -> None:
    """A backup whose pages have another size takes the place too."""
    add(queue.database, new("dusk"))
    queue.backup()
    with closing(sqlite3.connect(queue.copy, isolation_level=None)) as copy:
        copy.execute("PRAGMA page_size = 8192")
        copy.execute("VACUUM")
        assert copy.execute("PRAGMA page_size").fetchone() == (8192,)
    add(queue.database, new("dawn"))
    assert queue.restore()
    assert queue.titles() == ["dusk"]


def test_the_log_does_not_stay_long(queue: InUse) -> None:
    """What the exchange wrote ahead is in the file afterwards: the log does not stay as long as the queue."""
    add(queue.database, *(new(f"tale {number}") for number in range(300)))
    queue.backup()
    assert queue.restore()
    assert Path(f"{queue.path}-wal").stat().st_size < queue.path.stat().st_size / 4


def test_while_another_program_writes(queue: InUse) -> None:
    """Where a program that knows no turns holds the file, that is told, and nothing is changed."""
    add(queue.database, new("dusk"))
    queue.backup()
    add(queue.database, new("dawn"))
    with closing(sqlite3.connect(queue.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another program holds it"):
            queue.restore(patience=0.1)
    assert queue.titles() == ["dusk", "dawn"]
    assert not queue.keep.exists()


def test_nothing_kept_is_overwritten(queue: InUse) -> None:
    """Where the replaced queue cannot be kept, nothing is replaced."""
    queue.backup()
    add(queue.database, new("dawn"))
    queue.keep.write_text("precious")
    with pytest.raises(BackupError, match="not overwritten"):
        queue.restore()
    assert queue.titles() == ["dawn"]
    assert queue.keep.read_text() == "precious"


def test_a_fault_after_the_commit(queue: InUse, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong once the content is exchanged takes nothing back: the replaced queue stays kept."""
    add(queue.database, new("dusk"))
    queue.backup()
    add(queue.database, new("dawn"))
    pour = exchanging.pour

    def stumble(fresh: sqlite3.Connection, live: sqlite3.Connection, patience: float) -> None:
        pour(fresh, live, patience)
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(exchanging, "pour", stumble)
    assert queue.restore()
    assert queue.titles() == ["dusk"]
    assert queue.keep.exists()


def test_one_restore_at_a_time(queue: InUse) -> None:
    """A second restore at the same moment is refused, and told why."""
    with (
        one_restore(queue.url),
        pytest.raises(StoreError, match="another restore is at work"),
        one_restore(queue.url),
    ):
        pass


def test_what_a_killed_one_left(queue: InUse) -> None:
    """What a restore left that was killed does not keep the next one from its work."""
    add(queue.database, new("dusk"))
    queue.backup()
    left = queue.folder / "queue.sqlite3.restoring"
    left.mkdir()
    (left / "queue.sqlite3").write_text("half")
    assert queue.restore()
    assert not left.exists()


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from threadcast.queue.store import exchange
from threadcast.queue.store.backup import fresh_copy

url, copy, keep, share = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])

def judge(_status, left, total):
    if left <= total * (1 - share):
        os.kill(os.getpid(), signal.SIGKILL)

exchange.pour = lambda new, live, _patience: new.backup(live, pages=1, progress=judge)
with fresh_copy(url, copy) as fresh:
    exchange.exchange(url, fresh, keep=keep, at_rest=lambda: True, now=datetime.now(UTC), actor="killed")
"""


@pytest.mark.parametrize("share", [0.01, 0.5, 0.97])
def test_killed_on_the_way(queue: InUse, share: float) -> None:
    """Killed with some of the pages written, the old content is there, sound and whole, for everybody."""
    add(queue.database, *(new(f"tale {number}") for number in range(100)))
    queue.backup()
    add(queue.database, *(new(f"yarn {number}") for number in range(100)))
    before = queue.all_there_is()
    words = [queue.url, str(queue.copy), str(queue.keep), str(share)]
    done = subprocess.run([sys.executable, "-c", KILLED, *words], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL

    assert queue.all_there_is() == before
    assert len(queue.database.reading.deliveries()) == 200
    add(queue.database, new("noon"))
    with closing(sqlite3.connect(queue.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    queue.keep.unlink()
    assert queue.restore()
    assert len(queue.database.reading.deliveries()) == 100


def test_on_postgresql(tmp_path: Path) -> None:
    """A queue on PostgreSQL is refused, with the name of its own tool."""
    url = "postgresql://me:hunter2@db.example/threadcast"
    with pytest.raises(StoreError, match="use pg_restore"):
        look_through(url, tmp_path / "copy")
    with pytest.raises(StoreError, match="use pg_restore"), one_restore(url):
        pass


def test_what_happened_since(queue: InUse) -> None:
    """What went out after the backup and waits in it is told, and what was added; all else is not."""
    done = published(queue.database)
    add(queue.database, new("long", parts=3))
    begun = claim(queue.database)
    queue.database.work.plan(begun, posts(3), now=NOON)
    send(queue.database, begun, 1, SENT)
    (waits, _) = add(queue.database, new("dusk", wish("masto")), new("gone", wish("masto")))
    queue.backup()
    send(queue.database, begun, 2, SENT)
    (later,) = add(queue.database, new("dawn", wish("masto")))
    queue.restore()

    told = since(queue.path, queue.keep)

    assert told is not None
    assert told.out == (WentOut(begun.delivery.thread_id, "news", begun.delivery.title, 1),)
    assert told.added == ((later.thread_id, later.title),)
    assert queue.database.reading.delivery(waits.id).state is QUEUED
    assert queue.database.reading.delivery(done.id).sent == 2
    assert queue.database.reading.delivery(begun.delivery.id).state is PUBLISHING


def test_since_a_queue_that_cannot_be_read(queue: InUse) -> None:
    """Of a damaged queue nothing is told: that it was damaged may be why it was replaced."""
    queue.keep.write_text("not a database" * 1000)
    assert since(queue.path, queue.keep) is None
