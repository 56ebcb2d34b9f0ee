"""A queue begins where its owner means it to, and never silently anywhere else."""

import os
from pathlib import Path

import pytest

from tests.bot.shell.terminal import terminal, threadcast
from tests.bot.shell.typed import THREAD, Shell

LOOKING = [
    (),
    ("queue",),
    ("history",),
    ("events",),
    ("channels",),
    ("check",),
    ("config",),
    ("preview", "thread.txt"),
    ("add", "--dry-run", "thread.txt"),
]
DEEDS = [("show", "1"), ("hold", "1"), ("publish", "1"), ("undo", "1", "--yes"), ("export", "1")]


@pytest.fixture
def stranger(shell: Shell) -> Shell:
    """A shell in a folder with nothing but a text, of a user whose own folders are empty."""
    shell.env = {"HOME": str(shell.folder / "home")}
    shell.write(THREAD)
    return shell


def made(shell: Shell) -> set[str]:
    return {path.name for path in shell.folder.rglob("*")} - {"thread.txt"}


@pytest.mark.parametrize("words", LOOKING)
def test_looking_makes_nothing(stranger: Shell, words: tuple[str, ...]) -> None:
    """A command that looks makes no folder and no file."""
    stranger.ok(*words)
    assert made(stranger) == set()


@pytest.mark.parametrize("words", DEEDS)
def test_a_deed_without_a_queue(stranger: Shell, words: tuple[str, ...]) -> None:
    """A command about a thread says where the queue would be, and makes nothing."""
    result = stranger(*words)
    assert result.exit_code == 6
    where = stranger.folder / "home" / ".local" / "share" / "threadcast"
    assert f"There is no queue yet; it would be in {where}" in result.stderr
    assert made(stranger) == set()
    assert "no queue yet" not in stranger(*words, "--json").stderr


def test_adding_where_nothing_is_set(stranger: Shell) -> None:
    """In a pipe `add` refuses to begin a queue, names the folder, and takes --data or THREADCAST_DATA."""
    result = stranger("add", "thread.txt")
    assert result.exit_code == 5
    where = stranger.folder / "home" / ".local" / "share" / "threadcast"
    assert f"there is no queue in {where}, and no settings are found" in result.stderr
    assert "--data FOLDER, or THREADCAST_DATA" in result.stderr
    assert made(stranger) == set()
    said = stranger("add", "thread.txt", "--data", "kept")
    assert said.exit_code == 0
    assert f"A new queue begins in {stranger.folder / 'kept'}." in said.stderr
    assert [one["thread"] for one in stranger.json("--data", "kept", "queue")["deliveries"]] == [1]
    stranger.env["THREADCAST_DATA"] = "other"
    stranger.ok("add", "thread.txt")
    assert made(stranger) >= {"kept", "other"}
    assert "home" not in made(stranger)


@pytest.mark.parametrize(
    ("language", "asked", "keys", "code"),
    [
        ("C.UTF-8", "[y/N]", "y\n", 0),
        ("C.UTF-8", "[y/N]", "n\n", 5),
        ("de_DE.UTF-8", "[j/N]", "j\n", 0),
        ("de_DE.UTF-8", "[j/N]", "vielleicht\nyes\n", 0),
        ("uk_UA.UTF-8", "[т/Н]", "\n", 5),
    ],
)
def test_asking_on_a_terminal(stranger: Shell, language: str, asked: str, keys: str, code: int) -> None:
    """On a terminal `add` names the folder and asks, in the reader's letters; a no makes nothing."""
    stranger.env["LANG"] = language
    with terminal(threadcast("add", "thread.txt"), folder=stranger.folder, env=stranger.env) as screen:
        screen.wait_for(asked)
        assert str(stranger.folder / "home" / ".local" / "share" / "threadcast") in screen.shown
        screen.press(keys)
        assert screen.end() == code
    assert ("queue.sqlite3" in made(stranger)) is (code == 0)


def test_the_users_own_queue(stranger: Shell) -> None:
    """Settings in ~/.config/threadcast lead every folder to one queue; one with a `.env` has its own."""
    config = stranger.folder / "home" / ".config" / "threadcast"
    config.mkdir(parents=True)
    (config / ".env").write_text("THREADCAST_CHANNELS__NEWS__KIND=local\n")
    stranger.ok("add", "thread.txt")
    elsewhere = stranger.folder / "elsewhere"
    elsewhere.mkdir()
    os.chdir(elsewhere)
    assert [one["channel"] for one in stranger.json("queue")["deliveries"]] == ["news"]
    Path(".env").write_text("THREADCAST_CHANNELS__OTHER__KIND=local\n")
    assert stranger.json("queue")["deliveries"] == []
    stranger.ok("add", "../thread.txt")
    assert [one["channel"] for one in stranger.json("queue")["deliveries"]] == ["other"]
    assert Path("threadcast-data").is_dir()


def test_pausing_begins(shell: Shell) -> None:
    """What is told of a channel before the first thread is kept."""
    shell.ok("pause", "news")
    assert {one["channel"]: one["paused"] for one in shell.json("channels")["channels"]}["news"]


def test_a_queue_that_was_taken_away(shell: Shell) -> None:
    """Where a service has worked and the queue is gone, nothing begins another but `migrate`."""
    shell.ok("add", shell.write(THREAD))
    data = shell.folder / "threadcast-data"
    os.mkfifo(data / "wake")  # as every service leaves it
    (data / "queue.sqlite3").unlink()
    for words in (("run",), ("add", "thread.txt"), ("queue",), (), ("pause",)):
        result = shell(*words)
        assert result.exit_code == 5, words
        assert "is not there, though a service has worked in" in result.stderr
        assert "threadcast migrate" in result.stderr
    assert shell("check").exit_code == 8
    assert not (data / "queue.sqlite3").exists()
    shell.ok("migrate")
    assert shell.json("queue")["deliveries"] == []
