"""Completion at the Tab key: what it offers, how fast it gives up, and that it makes nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.bot.shell.terminal import PATIENCE, environment
from tests.bot.shell.typed import GAP, THREAD, Shell
from threadcast.bot.shell.cli import cli

BIN = Path(sys.executable).parent  # where our command is too
COMMA = "1/ Fog, horn: and\tsea.\n2/ The end. /end\n"


def complete(shell: Shell, *words: str) -> dict[str, str]:
    """What Click's own protocol for zsh offers for the last word: values with their descriptions."""
    env = {**shell.env, "_THREADCAST_COMPLETE": "zsh_complete"}
    env["COMP_WORDS"] = " ".join(("threadcast", *words))
    env["COMP_CWORD"] = str(len(words))
    empty = {name: None for name in os.environ if "THREADCAST" in name or name == "DATABASE_URL"}
    result = CliRunner(env={**empty, **env}).invoke(cli, [])
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.rstrip("\n").split("\n")
    return dict(zip(lines[1::3], lines[2::3], strict=True))


def test_commands(shell: Shell) -> None:
    """Commands are completed with what they do."""
    assert complete(shell, "re") == {
        "release": "Let a held thread go.",
        "restore": "Put a backup in the place of the queue.",
        "retry": "Go on with a stopped thread.",
    } | {name: text for name, text in complete(shell, "re").items() if name in {"resume", "remove"}}


def test_threads(shell: Shell) -> None:
    """Threads are completed by number, the newest first, with their titles."""
    shell.ok("add", shell.write(THREAD), shell.write(GAP, "gap.txt"))
    assert list(complete(shell, "show", "").items()) == [
        ("2", "The lamp."),
        ("1", "The lamp was lit at dusk. ⬇️"),
    ]
    assert list(complete(shell, "show", "1")) == ["1"]
    assert complete(shell, "show", "lamp") == {}


def test_threads_that_allow_it(shell: Shell) -> None:
    """A command for held threads offers held ones alone, one for queued threads those."""
    shell.ok("add", shell.write(THREAD), shell.write(GAP, "gap.txt"))
    assert list(complete(shell, "release", "")) == ["2"]
    assert list(complete(shell, "hold", "")) == ["1"]
    assert list(complete(shell, "cancel", "")) == ["2", "1"]
    assert list(complete(shell, "retry", "")) == []


def test_many_threads(shell: Shell) -> None:
    """Of very many threads the newest are offered, and older ones once their number is begun."""
    text = "".join(f"1/ Tale {number}.\n2/ Its end. /end\n\n" for number in range(1, 151))
    shell.ok("add", "--channel", "news", shell.write(text))
    assert list(complete(shell, "show", ""))[:2] == ["150", "149"]
    assert len(complete(shell, "show", "")) == 100
    assert list(complete(shell, "show", "3")) == [
        "39",
        "38",
        "37",
        "36",
        "35",
        "34",
        "33",
        "32",
        "31",
        "30",
        "3",
    ]


def test_channels(shell: Shell) -> None:
    """Channels are completed from the settings."""
    assert list(complete(shell, "queue", "--channel", "")) == ["masto", "news"]
    assert list(complete(shell, "add", "-c", "n")) == ["news"]


def test_nothing_is_made(shell: Shell) -> None:
    """Where there is no queue yet, completion offers nothing and makes none."""
    assert complete(shell, "show", "") == {}
    assert list(shell.folder.iterdir()) == []


def test_trouble_is_silent(shell: Shell) -> None:
    """Whatever is wrong (settings, a damaged queue, a server that does not answer), completion is silent."""
    data = shell.folder / "threadcast-data"
    data.mkdir()
    (data / "queue.sqlite3").write_text("not a database")
    assert complete(shell, "show", "") == {}
    shell.env["THREADCAST_DATABASE_URL"] = "postgresql://me@127.0.0.1:1/nothing"
    assert complete(shell, "show", "") == {}
    shell.env["THREADCAST_NONSENSE"] = "x"
    assert complete(shell, "show", "") == {}
    assert complete(shell, "queue", "--channel", "") == {}


def test_titles_break_no_protocol(shell: Shell) -> None:
    """A title with tabs and controls is one short line, whatever the shell splits at."""
    shell.ok("add", shell.write(COMMA.replace("horn", "\x1b[2Jhorn")))
    (title,) = complete(shell, "show", "").values()
    assert title == "Fog, [2Jhorn: and sea."


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_script(shell: Shell, name: str) -> None:
    """The script of each shell completes our command, by the variable that is documented."""
    assert f"_THREADCAST_COMPLETE={name}_complete" in shell.ok("completion", name)


def in_bash(shell: Shell, *words: str) -> list[str]:
    """What bash would offer for the last word, asked as it asks."""
    quoted = " ".join(f"'{word}'" for word in ("threadcast", *words))
    script = f"""
        compopt() {{ echo "compopt $1 $2"; }}
        eval "$(threadcast completion bash)"
        COMP_WORDS=({quoted}) COMP_CWORD={len(words)}
        _threadcast_completion threadcast
        for one in "${{COMPREPLY[@]}}"; do echo "$one"; done
        """
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=shell.folder,
        env={**environment(shell.env), "PATH": f"{BIN}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    return done.stdout.splitlines()


def test_bash(shell: Shell) -> None:
    """Bash completes commands, threads, channels and options, and leaves files to itself."""
    shell.ok("add", shell.write(THREAD), shell.write(COMMA, "comma.txt"))
    assert in_bash(shell, "sho") == ["show"]
    assert in_bash(shell, "show", "") == ["2", "1"]
    assert in_bash(shell, "queue", "--channel", "") == ["masto", "news"]
    assert in_bash(shell, "queue", "--cha") == ["--channel"]
    assert in_bash(shell, "add", "") == ["compopt -o default"]
