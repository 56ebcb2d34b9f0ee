"""What a command of the shell does not wait for."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from threadcast.bot.channels.learned import Learned
from threadcast.bot.channels.mastodon.instance import Instance
from threadcast.bot.channels.port import now
from threadcast.queue.store.database import open_database

LIBRARIES = (
    *("telegram", "httpx", "anyio", "mastodon", "requests", "urllib3", "obstore"),  # networks
    *("alembic", "psycopg", "procrastinate", "sqlalchemy.dialects.postgresql", "sqlalchemy.orm"),  # databases
    *("apscheduler", "watchfiles", "structlog", "fastapi", "prometheus_client"),  # the service
    *("babel", "jinja2", "PIL", "pillow_heif", "segno", "rich.progress", "pygments"),  # what few answers need
)
# What only reads of the queue needs nothing of what reads texts, composes, or makes JSON.
OURS = (
    *("threadcast.queue.text.parse", "threadcast.queue.text.markers", "threadcast.queue.compose.compose"),
    *("threadcast.bot.requests.threads", "threadcast.bot.requests.chains", "threadcast.bot.models"),
)
LOOKING = ("queue", "show")
ENVIRON = {
    "THREADCAST_DATA": "data",
    "THREADCAST_MEDIA_URL": "s3://bucket/prefix",
    "THREADCAST_TELEGRAM__TOKEN": "123456:AAExampleExampleExampleExampleExample0",
    "THREADCAST_CHANNELS__NEWS__KIND": "telegram",
    "THREADCAST_CHANNELS__NEWS__CHAT": "@news",
    "THREADCAST_CHANNELS__PLACE__KIND": "local",
    "THREADCAST_CHANNELS__MASTO__KIND": "mastodon",
    "THREADCAST_CHANNELS__MASTO__URL": "https://mastodon.example",
    "THREADCAST_CHANNELS__MASTO__TOKEN": "example-access-token",
}
CODE = f"""
import sys
from threadcast.bot.shell.cli import cli
try:
    cli(sys.argv[1:])
except SystemExit as end:
    unwanted = {set(LIBRARIES)!r} | ({set(OURS)!r} if sys.argv[1] in {LOOKING!r} else set())
    found = sorted(unwanted & sys.modules.keys())
    sys.exit(f"{{end.code}}: {{found}}" if end.code or found else 0)
"""


@pytest.mark.parametrize(
    "words", ["add more.txt", "queue", "show 1", "hold 1", "preview thread.txt", "history"]
)
def test_a_command_imports_what_it_needs(tmp_path: Path, words: str) -> None:
    """A command that calls no network imports no library for it, nor others that it has no use for.

    Whatever channels there are. How a Telegram chat shows a thread is known without asking, and an account on
    a server that said lately what it takes.
    """
    (tmp_path / "thread.txt").write_text("1/ A lamp.\n\n2/ Its light. /end\n")

    def run(words: list[str]) -> str:
        done = subprocess.run(
            [sys.executable, "-c", CODE, *words],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], **ENVIRON},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stderr if done.returncode else ""

    (tmp_path / "more.txt").write_text("1/ A bell.\n\n2/ Its tone. /end\n")
    assert "alembic" in run(["add", "thread.txt"])  # it makes the tables
    with closing(open_database(f"sqlite:///{tmp_path}/data/queue.sqlite3")) as database:
        learned = Learned(database.notes, ENVIRON["THREADCAST_CHANNELS__MASTO__URL"], now)
        learned.write(Instance("mastodon", "4.6.0", 500, 23))
    assert run(words.split()) == ""
