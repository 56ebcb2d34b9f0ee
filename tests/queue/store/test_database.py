"""How a database is reached: URLs, SQLite's settings, and faults in words a person can act on."""

import os
import re
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from tests.contract.store.samples import LEASE, NOON, new, posts, wish
from tests.contract.store.steps import advance, at_once, intend, opening, started
from tests.servers.postgres import Postgres
from threadcast.queue.errors import StoreError
from threadcast.queue.model import ChannelSeen, Claim
from threadcast.queue.outcomes import Sent
from threadcast.queue.states import decide
from threadcast.queue.store import migrate
from threadcast.queue.store.database import Database, open_database
from threadcast.queue.store.engine import is_sqlite, make_engine, parse_url, place, require_sqlite, writing
from threadcast.queue.store.transactions import one_writer

SECRET = "hunter2"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "queue.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@contextmanager
def store_on(path: Path, patience: float = 10) -> Iterator[Database]:
    database = Database(make_engine(f"sqlite:///{path}", create=False, patience=patience))
    try:
        yield database
    finally:
        database.close()


class TestUrl:
    @pytest.mark.parametrize(
        ("given", "normal"),
        [
            ("sqlite:///queue.db", "sqlite:///queue.db"),
            ("sqlite+pysqlite:////var/queue.db", "sqlite:////var/queue.db"),
            ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
            (
                "postgresql://u:p%40ss@h:1/d?sslmode=require",
                "postgresql+psycopg://u:p%40ss@h:1/d?sslmode=require",
            ),
            ("postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
        ],
    )
    def test_names_the_driver(self, given: str, normal: str) -> None:
        """Every common way to write a database's address is understood, and the driver is named."""
        for url in (given, normal):
            assert parse_url(url).render_as_string(hide_password=False) == normal
        assert is_sqlite(given) == given.startswith("sqlite")

    @pytest.mark.parametrize(
        "given",
        [
            "",
            SECRET,
            f"postgres:{SECRET}",
            f"mysql://u:{SECRET}@h/d",
            f"postgresql+asyncpg://u:{SECRET}@h/d",
            f"postgresql://u:x@h:{SECRET}/d",
            f"sqlite://u:{SECRET}@h/d",
            f"sqlite:///queue.db?key={SECRET}",
            "sqlite://",
            "sqlite:///:memory:",
            "sqlite:///file:queue.db",
        ],
    )
    def test_what_is_no_address_is_refused(self, given: str) -> None:
        """What cannot be used is refused with what was expected, and without what was given."""
        with pytest.raises(StoreError, match="sqlite:///FILE") as refused:
            parse_url(given)
        assert SECRET not in str(refused.value)
        assert refused.value.__cause__ is None

    def test_place_has_no_secret(self) -> None:
        """A database is called by host and name, never by user or password."""
        url = parse_url(f"postgres://ada:{SECRET}@db.example:5/news?password={SECRET}")
        assert place(url) == "the PostgreSQL database news on db.example"


class TestSqlite:
    def test_too_old(self) -> None:
        """An SQLite without RETURNING is refused at once, with what to do."""
        require_sqlite((3, 35, 0))
        with pytest.raises(StoreError, match=r"SQLite 3\.34\.1, .* use a newer Python, or PostgreSQL"):
            require_sqlite((3, 34, 1))

    def test_settings(self, path: Path) -> None:
        """Every connection is durable, checks its references and waits for locks."""
        engine = make_engine(f"sqlite:///{path}", create=False)
        wanted = {
            "journal_mode": "wal",
            "synchronous": 2,
            "fullfsync": 1,
            "checkpoint_fullfsync": 1,
            "foreign_keys": 1,
            "busy_timeout": 10_000,
        }
        with engine.connect() as connection, writing(engine).connect() as second:
            for one in (connection, second):
                found = {name: one.execute(text(f"PRAGMA {name}")).scalar_one() for name in wanted}
                assert found == wanted
        engine.dispose()

    def test_only_its_owner_may_read_it(self, tmp_path: Path) -> None:
        """File, side files and the folder made for them are for their owner alone, whatever the umask."""
        before = os.umask(0)
        try:
            path = tmp_path / "data" / "queue.db"
            migrate.upgrade(f"sqlite:///{path}")
            engine = make_engine(f"sqlite:///{path}", create=False)
            with writing(engine).begin() as connection:
                connection.execute(text("DELETE FROM events"))
                connection.execute(text("UPDATE threadcast_version SET version_num = version_num"))
                files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
            engine.dispose()
        finally:
            os.umask(before)
        assert len(files) > 1
        assert set(files.values()) == {0o600}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    def test_writers_take_the_lock_at_once(self, path: Path) -> None:
        """A writer holds the lock from its first moment, and a reader is in nobody's way."""
        engine = make_engine(f"sqlite:///{path}", create=False, patience=0)
        with engine.connect() as reader, writing(engine).connect() as writer:
            reader.execute(text("SELECT count(*) FROM threads"))
            writer.execute(text("SELECT count(*) FROM threads"))
            with closing(sqlite3.connect(path, timeout=0)) as other, pytest.raises(sqlite3.OperationalError):
                other.execute("BEGIN IMMEDIATE")
        engine.dispose()


class TestOneWriter:
    def test_one_after_the_other(self, path: Path) -> None:
        """Who writes is alone, among the threads of a program and among programs; who waits comes next."""
        url = parse_url(f"sqlite:///{path}")
        order: list[str] = []

        def write() -> None:
            with one_writer(url):
                order.append("second")

        with one_writer(url):
            waiting = threading.Thread(target=write)
            waiting.start()
            with (
                pytest.raises(StoreError, match=r"queue\.db is held by another program; end it or wait"),
                one_writer(url, patience=0),
            ):
                pass
            order.append("first")
        waiting.join(10)
        assert order == ["first", "second"]

    def test_a_lock_that_cannot_be_opened(self, tmp_path: Path) -> None:
        """A folder in the place of the lock is told as what it is."""
        (tmp_path / "queue.db-turn").mkdir()
        with (
            pytest.raises(StoreError, match=r"lock .*queue\.db-turn cannot be opened: .*; mend the rights"),
            one_writer(parse_url(f"sqlite:///{tmp_path}/queue.db")),
        ):
            pass

    def test_a_server_sees_to_that_itself(self) -> None:
        """PostgreSQL needs no lock of ours."""
        url = parse_url("postgresql://h/d")
        with one_writer(url), one_writer(url, patience=0):
            pass

    def test_commits_of_two_stores_never_meet(self, path: Path) -> None:
        """Two stores that write at once lose nothing, while the log is written back over and over."""
        with store_on(path) as one, store_on(path) as two:
            at_once(*(partial(fill, database, name) for database, name in ((one, "a"), (two, "b"))))
            assert len(one.reading.deliveries()) == 120
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def fill(database: Database, name: str) -> None:
    for number in range(60):
        database.threads.add([new(f"{name}{number}")], now=NOON, actor="ada")


class TestFaults:
    def test_full(self, path: Path) -> None:
        """A full disk is told as one, nothing is half-added, and the store works again with room."""
        with store_on(path) as database:
            event.listen(database.transactions.engine, "connect", limit_pages)
            with pytest.raises(StoreError, match=r"queue\.db could not be written: the disk is full"):
                database.threads.add(
                    [new(f"thread {number}") for number in range(500)], now=NOON, actor="ada"
                )
        with store_on(path) as database:
            assert database.reading.deliveries() == ()
            database.threads.add([new()], now=NOON, actor="ada")

    def test_read_only(self, path: Path) -> None:
        """A database that may not be written is told as one."""
        with store_on(path) as database:
            event.listen(database.transactions.engine, "connect", forbid_writing)
            with pytest.raises(StoreError, match=r"queue\.db may not be written .*; mend the rights"):
                database.threads.add([new()], now=NOON, actor="ada")

    def test_a_folder(self, tmp_path: Path) -> None:
        """A folder in the place of the file is told, by name."""
        with pytest.raises(StoreError, match=rf"{tmp_path} cannot be opened"):
            open_database(f"sqlite:///{tmp_path}")

    def test_a_file_in_the_place_of_the_folder(self, tmp_path: Path) -> None:
        """Where no folder can be made, the message names the file and the reason."""
        (tmp_path / "data").touch()
        with pytest.raises(StoreError, match=r"data/in/queue\.db cannot be made: Not a directory"):
            open_database(f"sqlite:///{tmp_path}/data/in/queue.db")

    def test_a_file_that_cannot_be_looked_at(self, tmp_path: Path) -> None:
        """Where the file cannot even be looked for, the message says why."""
        (tmp_path / "queue.db").symlink_to(tmp_path / "queue.db")
        with pytest.raises(StoreError, match=r"queue\.db cannot be opened: Too many levels"):
            open_database(f"sqlite:///{tmp_path}/queue.db", create=False)

    def test_nobody_answers(self) -> None:
        """A server that does not answer is named without the password."""
        with pytest.raises(
            StoreError, match=r"PostgreSQL database news on 127\.0\.0\.1 cannot be reached"
        ) as refused:
            open_database(f"postgres://ada:{SECRET}@127.0.0.1:1/news")
        assert SECRET not in str(refused.value)

    def test_nobody_of_that_name(self) -> None:
        """A server whose name is not found is told as that, without a number of the system's."""
        with pytest.raises(StoreError, match=r"news on nowhere\.invalid cannot be reached") as refused:
            open_database(f"postgres://ada:{SECRET}@nowhere.invalid/news")
        assert "Errno" not in str(refused.value)

    def test_no_such_database(self, postgres: Postgres) -> None:
        """A database that is not on its server is told as missing, in the server's words."""
        with (
            postgres.database() as url,
            pytest.raises(StoreError, match=r"cannot be reached .* does not exist"),
        ):
            open_database(url.replace("/test_", "/nothing_"))

    def test_a_text_that_cannot_be_kept(self, postgres: Postgres, path: Path) -> None:
        """A text that the database cannot hold is told as such, and nothing of it is kept."""
        with postgres.database() as url, closing(open_database(url)) as database:
            with pytest.raises(StoreError, match="cannot hold one of the texts"):
                database.threads.add([new("nul \0 nul")], now=NOON, actor="ada")
            assert database.reading.deliveries() == ()
        with store_on(path) as on_file:
            with pytest.raises(StoreError, match="half a character"):
                on_file.threads.add([new("A", wish("half \ud83d"))], now=NOON, actor="ada")
            assert on_file.reading.deliveries() == ()


class TestCost:
    def test_no_step_of_publishing_reads_a_whole_table(self, path: Path) -> None:
        """Claiming, planning, intending and recording find their rows by an index, however long the queue."""
        with store_on(path) as database, statements(database.transactions.engine) as said:
            publish(database)
        adding = 4  # the plans of `add`, which may sort the few duplicates it finds
        plans = explain(path, said)
        for rows, index, columns in (
            ("begun", "one_publishing", r"channel=\?"),
            ("own", "due", r"channel=\? AND own_time=\?"),
            ("turn", "queued", r"channel=\? AND own_time=\?"),
            ("own", "turn", r"channel=\? AND own_time=\?"),
            ("turn", "turn", r"channel=\? AND own_time=\?"),
        ):
            used = re.compile(rf"SEARCH {rows} USING (COVERING )?INDEX deliveries_{index} \({columns}\)")
            assert any(map(used.match, plans)), [plan for plan in plans if plan.startswith(f"SEARCH {rows}")]
        # What is scanned and sorted is the first of each kind, and what SQLite keeps, one row a table.
        scanned = {plan.removeprefix("SCAN ") for plan in plans if plan.startswith("SCAN")}
        assert scanned <= {"CONSTANT ROW", "sqlite_sequence", "first", "first_0", "first_1"}
        sorts = [plan for plan in plans[adding:] if "TEMP B-TREE" in plan]
        assert sorts == ["USE TEMP B-TREE FOR ORDER BY"] * 3 * 2, (
            "of the first of each kind, three times a claim"
        )

    def test_statements_do_not_grow_with_the_rows(self, path: Path) -> None:
        """Adding and listing a hundred threads takes as many statements as ten."""
        counts = []
        for prefix, count in (("a", 10), ("b", 100)):
            with store_on(path) as database, statements(database.transactions.engine) as said:
                database.threads.add(
                    [new(f"{prefix}{number}") for number in range(count)], now=NOON, actor="ada"
                )
                assert len(database.reading.deliveries(newest_first=True, limit=count)) == count
            counts.append(len(said))
        assert counts[0] == counts[1] < 20

    def test_ten_thousand_threads(self, path: Path) -> None:
        """A whole archive is added in one call, and again with nothing taken."""
        archive = [new(f"thread {number}") for number in range(10_000)]
        with store_on(path) as database:
            added = database.threads.add(archive, now=NOON, actor="ada")
            assert len({one.thread_id for one in added}) == 10_000
            again = database.threads.add(archive, now=NOON, actor="ada")
            assert [one.duplicates[0].existing for one in again] == [one.deliveries[0] for one in added]


class TestRaces:
    def test_the_loser_of_a_race_claims_nothing(self, postgres: Postgres) -> None:
        """A worker that began another delivery of the channel in the same moment gives way."""
        with postgres.database() as url, closing(open_database(url)) as database:
            _, second = database.threads.add([new("A"), new("B")], now=NOON, actor="ada")
            rival = make_engine(url, create=False)
            claims: list[Any] = []
            worker = threading.Thread(
                target=lambda: claims.append(
                    database.work.claim("news", worker="w", now=NOON, until=NOON + LEASE)
                )
            )
            with rival.begin() as connection:
                connection.execute(
                    text("UPDATE deliveries SET state = 'publishing' WHERE id = :id"),
                    {"id": second.deliveries[0].id},
                )
                worker.start()
                waiting = text(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
                with rival.connect() as watch:
                    while worker.is_alive() and not watch.scalar(waiting):
                        watch.rollback()
            worker.join(timeout=10)
            rival.dispose()
            assert claims == [NOON], "it is to ask again at once"
            assert [delivery.state for delivery in database.reading.deliveries()] == ["publishing", "queued"]

    @pytest.mark.parametrize("change", ["state = 'publishing'", "fingerprint = 'same'"])
    def test_the_database_guards_itself(self, path: Path, change: str) -> None:
        """Whoever writes past the store cannot make two begun deliveries, or two of one thread."""
        with store_on(path) as database:
            database.threads.add([new("A"), new("B")], now=NOON, actor="ada")
        with (
            closing(sqlite3.connect(path)) as connection,
            pytest.raises(sqlite3.IntegrityError, match="UNIQUE"),
        ):
            connection.execute(f"UPDATE deliveries SET {change}")  # noqa: S608  # from the list above


def limit_pages(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA max_page_count = 40").close()


def forbid_writing(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA query_only = ON").close()


def publish(database: Database) -> None:
    """Every step of two chains of three posts, one by a slot, one at a time of its own."""
    database.changes.see_channels([ChannelSeen("news", "local", "news")], now=NOON - LEASE)
    database.threads.add([new("A"), new("B", wish(own_time=True))], now=NOON, actor="ada")
    for _ in range(2):
        claim = database.work.claim(
            "news", worker="w", now=NOON, until=NOON + LEASE, timing=opening(slot=NOON)
        )
        assert isinstance(claim, Claim)
        database.work.plan(claim, posts(3), now=NOON)
        database.work.intend(claim, 1, key="k", reply_to=None, now=NOON, until=NOON + LEASE)
        advance(database, claim)
        for position in (2, 3):
            if position == 3:
                database.work.intend(claim, position, key="k", reply_to=None, now=NOON, until=NOON + LEASE)
            change = decide(Sent(str(position), None), last=position == 3, tries=1, now=NOON, chance=0)
            database.work.record(claim, position, change, now=NOON)


Said = list[tuple[str, Any]]


@contextmanager
def statements(engine: Engine) -> Iterator[Said]:
    """What is said to the database, with its values."""
    said: Said = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        said.append((statement, parameters[0] if many else parameters))

    event.listen(engine, "before_cursor_execute", note)
    yield said
    event.remove(engine, "before_cursor_execute", note)


def explain(path: Path, said: Said) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [
            row[3]
            for statement, parameters in said
            if not statement.startswith("BEGIN")
            for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]


def test_a_chain_that_somebody_changed_goes_no_further(tmp_path: Path) -> None:
    """Where the next post is not planned, by a hand in the file, nothing of a step is kept."""
    with closing(open_database(f"sqlite:///{tmp_path}/queue.db")) as database:
        claimed = started(database)
        intend(database, claimed)
        with closing(sqlite3.connect(tmp_path / "queue.db")) as connection, connection:
            connection.execute("UPDATE posts SET state = 'refused' WHERE position = 2")
        before = (database.reading.delivery(claimed.delivery.id), database.reading.posts(claimed.delivery.id))
        with pytest.raises(StoreError, match=r"post 2 of .* is not planned"):
            advance(database, claimed)
        assert (
            database.reading.delivery(claimed.delivery.id),
            database.reading.posts(claimed.delivery.id),
        ) == before
