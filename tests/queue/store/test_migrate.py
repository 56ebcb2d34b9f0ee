"""Making the tables and bringing them up to date."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from importlib import resources
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from tests.servers.postgres import Postgres
from threadcast.queue.errors import StoreError
from threadcast.queue.states import LIVE, DeliveryState, PostState
from threadcast.queue.store import migrate
from threadcast.queue.store.database import open_database
from threadcast.queue.store.engine import make_engine
from threadcast.queue.store.schema import METADATA


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if request.param == "sqlite":
        path = tmp_path / "a b%c" / "queue.db"
        path.parent.mkdir()
        path.touch()
        yield f"sqlite:///{path}"
    else:
        with request.getfixturevalue("postgres").database(migrated=False) as fresh:
            yield fresh


def run(url: str, *statements: str) -> list[tuple[str, ...]]:
    """Run statements in one transaction; the rows of the last, where it gives rows."""
    engine = make_engine(url, create=True)
    try:
        with engine.begin() as connection:
            for statement in statements[:-1]:
                connection.execute(text(statement))
            result = connection.execute(text(statements[-1]))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


def current(url: str) -> str | None:
    """The version of the tables, None where there are none."""
    engine = make_engine(url, create=False)
    has_tables = inspect(engine).has_table(migrate.VERSION_TABLE)
    engine.dispose()
    return run(url, f"SELECT version_num FROM {migrate.VERSION_TABLE}")[0][0] if has_tables else None  # noqa: S608  # ours


def test_from_nothing_to_the_newest(url: str) -> None:
    """An empty database gets every table, and says its version."""
    assert current(url) is None
    assert migrate.upgrade(url) == migrate.head()
    assert current(url) == migrate.head()
    open_database(url).close()


def test_the_versions_are_those_of_the_steps() -> None:
    """Each step's file is named after its version, and they follow each other in that order."""
    folder = Path(str(resources.files("threadcast.queue.store.migrations")))
    scripts = list(ScriptDirectory(str(folder)).walk_revisions())
    assert [script.revision for script in scripts] == sorted(migrate.versions(), reverse=True)
    assert scripts[0].revision == migrate.head()


def test_twice_is_once(url: str) -> None:
    """Bringing up to date what is up to date changes nothing."""
    migrate.upgrade(url)
    moment = "'2026-05-01T12:00:00.000000+00:00'"
    columns = "name, kind, target, schedule, paused, first_seen, last_seen"
    row = f"'news', 'local', 'news', '', 1 = 0, {moment}, {moment}"
    run(url, f"INSERT INTO channels ({columns}) VALUES ({row})")  # noqa: S608  # ours
    migrate.upgrade(url)
    assert run(url, "SELECT name FROM channels") == [("news",)]


def test_reasons_of_before_read_as_they_did(url: str) -> None:
    """What was stored as text is shown as that text, quotes and all, by the version that stores data."""
    text_of_before = 'its words: "no", it\'s {over} \\ é ✔'
    engine = make_engine(url, create=True)
    with engine.begin() as connection:
        migrate._run_steps(connection, "0006")
    engine.dispose()
    row = "'2026-05-01T12:00:00.000000+00:00', 'cli:ada', 'wait', 'news'"
    quoted = text_of_before.replace("'", "''").replace(":", "\\:")
    run(
        url,
        f"INSERT INTO events (at, actor, what, channel, detail) VALUES ({row}, '{quoted}'), ({row}, '')",  # noqa: S608
    )
    migrate.upgrade(url)
    with closing(open_database(url)) as database:
        assert [event.detail for event in database.reading.events()] == [text_of_before, ""]


def test_two_programs_at_once(url: str) -> None:
    """Programs that start together on an empty database all succeed, and the tables are made once."""
    code = "import sys; from threadcast.queue.store import migrate; migrate.upgrade(sys.argv[1])"
    programs = [
        subprocess.Popen([sys.executable, "-c", code, url], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    results = [(program.communicate(timeout=60)[1], program.returncode) for program in programs]
    assert results == [("", 0)] * 3
    assert current(url) == migrate.head()


def test_without_tables_nothing_opens(url: str) -> None:
    """A database without tables is left alone, with a hint what to do."""
    for create in (True, False):
        with pytest.raises(StoreError, match="no tables yet: run `threadcast migrate`"):
            open_database(url, create=create)
    assert current(url) is None


@pytest.mark.parametrize(
    ("version", "message"), [("9999", "newer Threadcast"), ("ae1027a6acf", "not ours"), ("0000", "not ours")]
)
def test_a_version_that_is_not_known(url: str, version: str, message: str) -> None:
    """Tables of a newer Threadcast, or of a stranger's version, are refused and left as they are."""
    migrate.upgrade(url)
    run(url, f"UPDATE {migrate.VERSION_TABLE} SET version_num = '{version}'")  # noqa: S608  # ours
    with pytest.raises(StoreError, match=message):
        migrate.upgrade(url)
    with pytest.raises(StoreError, match=message):
        open_database(url)
    assert current(url) == version


def test_another_programs_tables(url: str) -> None:
    """A table of ours that we did not make is another program's: nothing is touched."""
    run(url, "CREATE TABLE posts (id INTEGER, title TEXT)")
    for refused in (migrate.upgrade, open_database):
        with pytest.raises(StoreError, match=r"another program's tables \(posts\)"):
            refused(url)


def test_neighbours_on_a_server(url: str) -> None:
    """A server's database may hold other programs' tables beside ours; an SQLite file may not."""
    run(url, "CREATE TABLE alembic_version (version_num VARCHAR(32))")
    if url.startswith("sqlite"):
        with pytest.raises(StoreError, match="another program's"):
            migrate.upgrade(url)
    else:
        migrate.upgrade(url)
        open_database(url).close()


def test_a_migration_that_breaks_off_leaves_nothing(postgres: Postgres) -> None:
    """A step that fails half-way takes back what it did."""
    with postgres.database(migrated=False) as url:
        run(url, "CREATE SEQUENCE deliveries_thread")  # in the way of an index that is made half-way
        with pytest.raises(StoreError, match="deliveries_thread"):
            migrate.upgrade(url)
        assert current(url) is None
        run(url, "DROP SEQUENCE deliveries_thread")
        migrate.upgrade(url)


def schema(url: str) -> list[tuple[str, ...]]:
    """Every table, index and constraint but the version's, as the database itself tells them."""
    if url.startswith("sqlite"):
        rows = run(url, "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        rows = [
            (kind, name, " ".join(str(sql).split()).replace(" ,", ",").replace(" )", ")"))
            for kind, name, sql in rows
        ]
    else:
        rows = run(
            url,
            "SELECT 'column', table_name, column_name, data_type, is_nullable, column_default"
            " FROM information_schema.columns WHERE table_schema = 'public' UNION ALL"
            " SELECT 'index', tablename, indexname, indexdef, '', '' FROM pg_indexes"
            " WHERE schemaname = 'public' UNION ALL"
            " SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', ''"
            " FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
        )
    return sorted(map(tuple, (map(str, row) for row in rows if migrate.VERSION_TABLE not in row)))


def test_migrations_make_what_the_tables_say(
    request: pytest.FixtureRequest, url: str, tmp_path: Path
) -> None:
    """The tables that the migrations make are those of tables.py, CHECKs and partial indexes included."""
    migrate.upgrade(url)
    migrated = schema(url)
    if url.startswith("sqlite"):
        assert create_all(f"sqlite:///{tmp_path}/direct.db") == migrated
    else:
        with request.getfixturevalue("postgres").database(migrated=False) as other:
            assert create_all(other) == migrated


def create_all(url: str) -> list[tuple[str, ...]]:
    engine = make_engine(url, create=True)
    try:
        with engine.begin() as connection:
            METADATA.create_all(connection)
    finally:
        engine.dispose()
    return schema(url)


def test_the_checks_list_the_states(tmp_path: Path) -> None:
    """The database accepts the states of the table, and its guard covers the live ones."""
    path = tmp_path / "queue.db"
    migrate.upgrade(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection:
        sql = dict(connection.execute("SELECT name, sql FROM sqlite_master"))
    assert listed_in(sql["deliveries"]) == {state.value for state in DeliveryState}
    assert listed_in(sql["posts"]) == {state.value for state in PostState}
    assert listed_in(sql["deliveries_one_live"]) == {state.value for state in LIVE}


def listed_in(sql: str) -> set[str]:
    _, _, rest = sql.partition("state IN (")
    return {word.strip(" '") for word in rest.partition(")")[0].split(",")}


def test_a_missing_file_is_made_only_where_asked(tmp_path: Path) -> None:
    """Opening makes a missing SQLite file with its tables, or says that there is none."""
    url = f"sqlite:///{tmp_path}/new/queue.db"
    with pytest.raises(StoreError, match=r"there is no database .*queue\.db: run `threadcast migrate`"):
        open_database(url, create=False)
    assert not (tmp_path / "new").exists()
    open_database(url).close()
    assert current(url) == migrate.head()
