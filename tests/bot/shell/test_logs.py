"""`logs` shows what the service wrote lately, of one thread or of all, and follows it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import structlog

from tests.bot.shell.terminal import terminal, threadcast
from tests.bot.shell.typed import Shell
from threadcast.config import logs
from threadcast.config.logs import FILE, OLDER, conceal, configure


def write(shell: Shell, *events: tuple[str, int]) -> Path:
    """What a service writes: events of threads."""
    path = shell.folder / "threadcast-data" / FILE
    path.parent.mkdir(exist_ok=True)
    configure("info", "json", stream=sys.__stderr__, file=path)
    for event, thread in events:
        structlog.get_logger("threadcast.publisher").info(event, channel="news", thread=thread)
    return path


def test_what_was_written(shell: Shell) -> None:
    """The lines come as a person reads them, the newest N, of one thread or of all; as JSON with --json."""
    path = write(shell, ("published", 1), ("published", 2), ("stopped", 2))
    assert path.stat().st_mode & 0o777 == 0o600
    path.with_name(OLDER).write_text(
        json.dumps({"event": "running", "timestamp": "2026-05-04T09:30:00Z"}) + "\n"
    )
    with path.open("a") as file:
        file.write('{"cut by a full disk')
    said = [line.split("  ", 1)[1] for line in shell.ok("logs").splitlines()]
    assert said == ["running", "news #1: published", "news #2: published", "news #2: stopped"]
    assert shell.ok("logs", "2", "-n", "1").endswith("  news #2: stopped\n")
    assert [one["event"] for one in shell.json("logs", "2")["lines"]] == ["published", "stopped"]


LEAK = """
from threadcast.bot.shell.context import load_settings
from threadcast.config.logs import get_logger
load_settings()
log = get_logger("threadcast.channel")
log.warning("the call went wrong", url="https://host/bot1:{secret}/sendMessage")
log.error("the answer was odd", answer="{secret}", url="https://host/bot1:{secret}/sendMessage")
"""


def test_a_command_logs_without_secrets(shell: Shell) -> None:
    """A command that has no logs of its own keeps standard output for its answer, and shows no secret."""
    secret = "AAF-it-opens-the-bot-0123456789"  # made up
    env = {**shell.env, "THREADCAST_TELEGRAM__TOKEN": f"1:{secret}", "HOME": str(shell.folder)}
    words = [sys.executable, "-c", LEAK.format(secret=secret)]
    ended = subprocess.run(words, env=env, capture_output=True, text=True, check=True)
    assert (ended.stdout, secret in ended.stderr) == ("", False)
    (line,) = ended.stderr.splitlines()
    assert (json.loads(line)["event"], json.loads(line)["answer"]) == ("the answer was odd", "***")


def test_nothing_yet(shell: Shell) -> None:
    """Where no service has written, that is said, and nothing is made."""
    result = shell("logs")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "has written nothing" in result.stderr
    assert shell.json("logs") == {"lines": []}
    assert not (shell.folder / "threadcast-data").exists()


def test_following(shell: Shell) -> None:
    """--follow shows what comes, over a change of the file too; Ctrl-C says that the service goes on."""
    path = write(shell, ("published", 1))
    with terminal(threadcast("logs", "--follow"), folder=shell.folder, env=shell.env) as shown:
        shown.wait_for("news #1: published")
        write(shell, ("published", 2))
        shown.wait_for("news #2: published")
        path.rename(path.with_name(OLDER))
        write(shell, ("published", 3))
        shown.wait_for("news #3: published")
        assert shown.interrupt() == 128 + signal.SIGINT
    assert "Nothing was stopped: the service goes on without you." in shown.shown


def test_the_file_has_an_end_and_no_secret(shell: Shell) -> None:
    """The file grows to a megabyte, becomes the older one, and holds no secret."""
    conceal(("hidden-word",))
    path = write(shell, ("hidden-word", 1))
    log = structlog.get_logger("threadcast.publisher")
    for _ in range(3):
        log.info("x" * (logs.FILE_SIZE // 2))
    assert {one.name for one in path.parent.iterdir()} == {FILE, OLDER}
    assert path.stat().st_size <= logs.FILE_SIZE
    assert "hidden-word" not in path.with_name(OLDER).read_text() + path.read_text()


def test_a_file_that_cannot_be_written(shell: Shell) -> None:
    """Where the file cannot be written, the stream has all, and nobody is told of the file."""
    (shell.folder / "threadcast-data").mkdir()
    (shell.folder / "threadcast-data" / FILE).mkdir()
    write(shell, ("published", 1))
    assert shell.json("logs") == {"lines": []}
