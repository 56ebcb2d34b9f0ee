"""`export --all` writes everything as files that a person can read, and `import` takes them back."""

import json
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bot.media.drawn import jpeg, put
from tests.bot.shell.typed import GAP, OTHER, THREAD, Shell
from tests.queue.store.fresh import fresh_file
from threadcast.bot.channels.port import now
from threadcast.bot.media.store import MediaStore
from threadcast.bot.requests.transfer.reading import take_back
from threadcast.bot.requests.transfer.writing import write_all
from threadcast.queue.errors import BackupError
from threadcast.queue.sentences import to_json
from threadcast.queue.store.database import Database, open_database
from threadcast.queue.store.transfer.transfer import CAME, Transfer

PICTURE = "---\ntitle: With a picture\n---\n1/ Look ![]\n![A lamp](lamp.jpg)\n2/ It burns. /end\n"
DEEDS = (
    *("hold 1", "cancel 1", "publish", "cancel 2 -c news", "undo 1 --yes -c masto"),
    *("pause news", "hold 2"),
)


def rows_of(database: Database) -> Any:
    """All there is, but for what a queue has of its own: numbers of events, and when it saw a channel."""
    found = {name: [dict(one) for one in rows] for name, rows in database.transfer.read().items()}
    found["events"] = [{**one, "id": 0} for one in found["events"] if one["what"] != "import"]
    return found


def opened(shell: Shell, data: str = "threadcast-data") -> Database:
    return open_database(f"sqlite:///{shell.folder}/{data}/queue.sqlite3")


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=st.lists(st.sampled_from(DEEDS), min_size=1, max_size=5, unique=True))
def test_there_and_back(
    deeds: list[str], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was done to a queue: all of it comes back, what waited is held, and nothing goes out again."""
    folder = tmp_path_factory.mktemp("transfer")
    monkeypatch.chdir(folder)
    shell = Shell(folder)
    put(folder, lamp_jpg=jpeg())
    texts = {"a.txt": THREAD, "b.txt": PICTURE, "c.txt": GAP, "d.txt": OTHER}
    shell.ok("add", *(shell.write(text, name) for name, text in texts.items()))
    shell.ok("remove", "4", "--yes")
    for deed in deeds:
        shell.publish_all() if deed == "publish" else shell(*deed.split())
    shell.ok("export", "--all", "out")
    with closing(opened(shell)) as database:
        before = rows_of(database)
    shell.env["THREADCAST_DATA"] = str(folder / "other")
    told = shell.json("import", "out")
    with closing(opened(shell, "other")) as database:
        after = rows_of(database)
    waited = [one for one in before["deliveries"] if one["state"] == "queued"]
    for one in waited:
        one |= {"state": "held", "reason": json.loads(to_json(CAME))}
    for name in ("threads", "deliveries", "posts", "events"):
        assert after[name] == before[name], name
    assert [one["paused"] for one in after["channels"]] == [one["paused"] for one in before["channels"]]
    assert (told["threads"], told["held"], told["missing"]) == (len(before["threads"]), len(waited), 0)
    kept, copied = (
        {path.name for path in (folder / one / "media").glob("??/*")} for one in ("threadcast-data", "other")
    )
    assert copied == kept
    shell.publish_all()
    with closing(opened(shell, "other")) as database:
        assert rows_of(database)["posts"] == before["posts"]
    assert not list((folder / "other").glob("*.html"))
    shell.ok("add", "--again", shell.write("1/ New.\n2/ Newer. /end\n"))
    numbers = [one["thread"] for one in shell.json("queue")["deliveries"]]
    assert max(numbers) == 5  # not even the number of a removed thread is given again


def test_a_folder_without_an_export(shell: Shell) -> None:
    """Who names another folder is told that no export is there."""
    result = shell("import", ".")
    assert result.exit_code == 3
    assert "there is no export in .: name another folder" in result.stderr


def test_what_a_person_finds(shell: Shell) -> None:
    """Each thread is a text that can be added, with its files, and a JSON file with its posts' addresses."""
    put(shell.folder, lamp_jpg=jpeg())
    shell.ok("add", shell.write(PICTURE))
    shell.publish_all()
    assert "1 thread with 4 posts and 1 file" in shell.ok("export", "--all", "out")
    names = sorted(str(path.relative_to("out")) for path in Path("out").rglob("*") if path.is_file())
    assert names[:2] == ["README.md", "queue.json"]
    assert names[2:4] == ["threads/0001-with-a-picture.json", "threads/0001-with-a-picture.txt"]
    assert names[4].startswith("threads/media/")
    assert ": 1 thread, 2 deliveries, 4 posts." in Path("out/README.md").read_text()
    text = Path("out/threads/0001-with-a-picture.txt").read_text()
    assert "![A lamp](media/" in text
    known = json.loads(Path("out/threads/0001-with-a-picture.json").read_text())
    assert [post["url"] for one in known["deliveries"] for post in one["posts"]]
    assert "published" in Path("out/threads/0001-with-a-picture.json").read_text()
    shell.env["THREADCAST_DATA"] = str(shell.folder / "other")
    shell.ok("add", "out/threads/0001-with-a-picture.txt")
    assert "lamp.jpg" in shell.ok("export", "1")


def test_refusals(shell: Shell) -> None:
    """A folder with something in it, a queue with threads, what is no export: said, and nothing is done."""
    shell.ok("add", shell.write(THREAD))
    shell.ok("export", "--all", "out")
    assert shell("export", "--all", "out").exit_code == 3
    full = shell("import", "out")
    assert full.exit_code == 5
    assert "the queue is not empty" in full.stderr
    assert shell("import", ".").exit_code == 3
    assert shell("export").exit_code == 2
    assert shell("export", "1", "--all", "more").exit_code == 2
    assert not Path("more").exists()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"state": "queued"', '"state": "flying"'),
        ('"created": "', '"created": "in spring'),
        ('"channel": "news"', '"channel": 7'),
        ('"parts": [', '"pieces": ['),
        ('"reason": ""', '"reason": {"says": "{x.__class__}", "about": {"x": 1}}'),
        ('"rank": ', '"rank": 1e300, "old": '),
    ],
)
def test_what_is_no_row(shell: Shell, old: str, new: str) -> None:
    """What is changed into something else is refused in one sentence, and nothing of it comes in."""
    shell.ok("add", shell.write(THREAD))
    shell.ok("export", "--all", "out")
    path = next(Path("out/threads").glob("*.json"))
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    shell.env["THREADCAST_DATA"] = str(shell.folder / "other")
    result = shell("import", "out")
    assert result.exit_code == 3, result.output
    assert result.stderr.count("\n") <= 2
    assert shell.json("queue")["deliveries"] == []


KILL = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from threadcast.bot.shell.cli import main

table = sys.argv.pop()

def written(_connection, _cursor, statement, *_more):
    if statement.startswith(f"INSERT INTO {table} "):
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(Engine, "after_cursor_execute", written)
main()
"""


@pytest.mark.parametrize("table", ["threads", "deliveries", "posts", "events"])
def test_killed(shell: Shell, table: str) -> None:
    """Killed while it writes, wherever, an import has brought nothing in; a second one brings in all."""
    shell.ok("add", shell.write(THREAD), shell.write(OTHER, "other.txt"))
    shell.publish_all()
    shell.ok("export", "--all", "out")
    shell.env |= {"THREADCAST_DATA": str(shell.folder / "other"), "HOME": str(shell.folder)}
    words = [sys.executable, "-c", KILL, "import", "out", table]
    killed = subprocess.run(words, env=shell.env, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert shell.json("history")["deliveries"] == []
    told = shell.json("import", "out")
    assert (told["threads"], told["posts"]) == (2, 10)
    assert len(shell.json("history")["deliveries"]) == 4


def test_broken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: Shell) -> None:
    """Ended before its rows are in, an import has left files alone; a second one completes it."""
    put(shell.folder, lamp_jpg=jpeg())
    shell.ok("add", shell.write(PICTURE))
    shell.ok("export", "--all", "out")

    class KilledError(BaseException):
        pass

    def killed(*_: object, **__: object) -> int:
        raise KilledError

    store = MediaStore(tmp_path / "other")
    with closing(open_database(fresh_file(tmp_path))) as database:
        with monkeypatch.context() as patched:
            patched.setattr(Transfer, "write", killed)
            with pytest.raises(KilledError):
                take_back(database, store, Path("out"), now=now(), actor="me")
        assert rows_of(database)["threads"] == []
        shutil.copytree("out", "cut")
        next(Path("cut/threads").glob("*.json")).unlink()
        with pytest.raises(Exception, match="cannot be read"):
            take_back(database, store, Path("cut"), now=now(), actor="me")
        assert take_back(database, store, Path("out"), now=now(), actor="me").threads == 1
        with monkeypatch.context() as patched:
            patched.setattr(Path, "rename", killed)
            with pytest.raises(KilledError):
                write_all(database, store, tmp_path / "half", now=now())
        assert not (tmp_path / "half").exists()
        assert write_all(database, store, tmp_path / "half", now=now()).threads == 1
        with pytest.raises(BackupError):
            database.transfer.write({"deliveries": [{"id": 1}]}, now=now(), actor="me")
