"""The shell, as a person or a script types it: what it prints, what it leaves, how it exits."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from tests.bot.shell.typed import GAP, OTHER, THREAD, Shell
from threadcast.bot.shell.cli import COMMANDS, cli


def test_help_shows_where_to_begin(shell: Shell) -> None:
    """The help names the four commands a newcomer needs."""
    shown = shell.ok("--help")
    for words in ("threadcast preview FILE", "threadcast add FILE", "threadcast run", "threadcast queue"):
        assert words in shown


def test_help_is_quick() -> None:
    """`--help` imports no command, and nothing that a command needs."""
    code = "import sys; from threadcast.bot.shell.cli import cli; cli(['--help'])"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True, check=True
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "click" in imported
    assert not imported & {"pydantic", "sqlalchemy", "rich", "structlog", "threadcast.bot.service"}


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself(shell: Shell, command: str) -> None:
    """Every command has help with examples, and begins with the sentence of the list."""
    shown = shell.ok(command, "--help")
    assert f"Usage: threadcast {command}" in shown
    assert "Examples:\n" in shown
    _, about = COMMANDS[command]
    made = cli.get_command(click.Context(cli), command)
    assert made is not None
    assert made.get_short_help_str(60) == about


def test_add(shell: Shell) -> None:
    """An added thread is queued on every channel, and the answer says what happens next."""
    shown = shell.ok("add", shell.write(THREAD))

    assert "#1 The lamp was lit at dusk. ⬇️ (3 parts)" in shown
    assert "masto, news: queued, starts in turn" in shown
    assert "start it with: threadcast run" in shown
    assert [(row["channel"], row["state"]) for row in shell.json("queue")["deliveries"]] == [
        ("masto", "queued"),
        ("news", "queued"),
    ]


def test_add_from_standard_input(shell: Shell) -> None:
    """`-` reads the thread from standard input."""
    added = shell.json("add", "-", stdin=THREAD)["threads"]
    assert [(one["id"], one["source"], len(one["parts"])) for one in added] == [(1, "standard input", 3)]


def test_add_several_files(shell: Shell) -> None:
    """Several files are added in the order they were named."""
    shell.ok("add", shell.write(THREAD), shell.write(OTHER, "other.txt"), "--channel", "news")
    assert [row["title"] for row in shell.json("queue")["deliveries"]] == [
        "The lamp was lit at dusk. ⬇️",
        "Fog came in.",
    ]


def test_dry_run(shell: Shell) -> None:
    """A dry run prints the parsed threads in the form that scripts rely on, and queues nothing."""
    parsed = shell.json("add", "--dry-run", shell.write(GAP))

    (thread,) = parsed["threads"]
    assert set(thread) == {"parts", "preamble", "complete", "fingerprint", "notices", "settings"}
    assert thread["parts"] == [
        {"number": 1, "marker": "1/", "text": "The lamp.", "media": []},
        {"number": 3, "marker": "3/", "text": "The sea. /end", "media": []},
    ]
    (notice,) = thread["notices"]
    assert (notice["severity"], notice["kind"], notice["line"], notice["part"]) == (
        "warning",
        "missing",
        2,
        2,
    )
    assert notice["message"]
    assert not (shell.folder / "threadcast-data").exists()


def test_dry_run_for_a_person(shell: Shell) -> None:
    """A dry run without --json says what was found, and what to type next."""
    shown = shell.ok("add", "--dry-run", shell.write(GAP))
    assert "warning line 2:" in shown
    assert "would be held" in shown
    assert "threadcast preview thread.txt" in shown


@pytest.mark.parametrize(
    ("make", "says"),
    [
        pytest.param(lambda shell: "nowhere.txt", "there is no such file", id="missing"),
        pytest.param(lambda shell: ".", "is a folder", id="folder"),
        pytest.param(lambda shell: "", "the file's name is empty", id="no-name"),
        pytest.param(lambda shell: shell.write(b""), "is empty", id="empty"),
        pytest.param(lambda shell: shell.write(b" \n\n"), "is empty", id="blank"),
        pytest.param(lambda shell: shell.write(b"\x00\x01\x02\x03"), "is not text: ", id="binary"),
        pytest.param(
            lambda shell: shell.write(b"\x89PNG\r\n\x1a\n\0"), "is a picture, not text; save", id="png"
        ),
        pytest.param(lambda shell: shell.write(b"PK\x03\x04..word/.."), "is a Word document, not", id="docx"),
        pytest.param(lambda shell: shell.write(b"%PDF-1.7 ..."), "is a PDF document, not text;", id="pdf"),
        pytest.param(
            lambda shell: shell.write(b"1/ caf\xe9\n"), "or use: --encoding windows-1252", id="latin-1"
        ),
        pytest.param(lambda shell: shell.write(b"1/ x\n" * 11_000_000), "larger than 20 MB", id="too-large"),
        pytest.param(lambda shell: "bad\0name", "cannot be read", id="impossible-name"),
    ],
)
def test_input_that_cannot_be_used(shell: Shell, make: Callable[[Shell], str], says: str) -> None:
    """Input that cannot be used is refused by name and cause, and nothing of the call is added."""
    good = shell.write(THREAD, "good.txt")

    result = shell("add", good, make(shell))

    assert result.exit_code == 3
    assert says in result.stderr
    assert result.stdout == ""
    assert shell.json("queue")["deliveries"] == []


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("1/ Café à la carte\n2/ Ende. /end\n", "windows-1252"),
        ("1/ Маяк зажгли в сумерках\n2/ Конец. /end\n", "windows-1251"),
        ("1/ Маяк\n2/ Конец. /end\n", "utf-16-le"),
        ("1/ Lamp\n2/ Sea. /end\n", "utf-16-be"),
    ],
)
def test_other_encodings(shell: Shell, text: str, encoding: str) -> None:
    """A text that is not UTF-8 is refused with the encoding it reads as, and read with that."""
    name = shell.write(text.encode(encoding))
    assert (
        f"it reads as {encoding}; save it as UTF-8, or use: --encoding {encoding}"
        in shell("add", name).stderr
    )
    (thread,) = shell.json("add", "--dry-run", "--encoding", encoding, name)["threads"]
    assert thread["parts"][0]["text"] == text.splitlines()[0].removeprefix("1/ ")
    assert "there is no encoding base64" in shell("add", "--encoding", "base64", name).stderr
    assert shell("add", "--encoding", "ascii", name).exit_code == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(shell: Shell) -> None:
    """A file that may not be read is refused, with the command that mends it."""
    name = shell.write(THREAD)
    Path(name).chmod(0)
    result = shell("add", name)
    assert result.exit_code == 3
    assert "chmod" in result.stderr


def test_the_same_thread_again(shell: Shell) -> None:
    """A thread that is in the queue already is not added twice, and the answer says where it is."""
    shell.ok("add", shell.write(THREAD))
    again = shell.ok("add", shell.write(THREAD.replace("/ ", "/3  "), "copy.txt"))
    assert "not added, thread 1 is the same (queued)" in again
    assert "Nothing new was added." in again
    assert len(shell.json("queue")["deliveries"]) == 2


def test_warnings_hold_a_thread(shell: Shell) -> None:
    """A thread with a warning waits for a person, and the answer says why and how to release it."""
    shown = shell.ok("add", "--channel", "news", shell.write(GAP))
    assert "held" in shown
    assert "threadcast release 1" in shown

    assert "#1 on news is queued now; it starts in turn." in shell.ok("release", "1")
    assert shell.json("queue")["deliveries"][0]["state"] == "queued"


def test_hold_on_request(shell: Shell) -> None:
    """--hold keeps a sound thread back, and so does a channel configured to."""
    shell.env["THREADCAST_CHANNELS__MASTO__HOLD"] = "true"
    shell.ok("add", shell.write(THREAD))
    shell.ok("add", "--hold", "--channel", "news", shell.write(OTHER, "other.txt"))
    assert {(row["thread"], row["channel"]): row["state"] for row in shell.json("queue")["deliveries"]} == {
        (1, "masto"): "held",
        (1, "news"): "queued",
        (2, "news"): "held",
    }


def test_at(shell: Shell) -> None:
    """--at gives a thread its own time, in the configured zone."""
    shell.env["THREADCAST_TIMEZONE"] = "Europe/Berlin"
    shown = shell.ok("add", "--at", "2199-07-01T18:30", "--channel", "news", shell.write(THREAD))
    assert "starts 2199-07-01 18:30:00 CEST" in shown
    assert shell.json("queue")["deliveries"][0]["due"] == "2199-07-01T16:30:00+00:00"
    with shell.service():
        assert "2199-07-01 18:30 CEST, its own time, until 18:30" in shell.ok("queue")


@pytest.mark.parametrize(("at", "says"), [("soon", "is no time"), ("2001-01-01T10:00", "has passed")])
def test_a_time_that_cannot_be(shell: Shell, at: str, says: str) -> None:
    """A time that is none, or has passed, is refused before anything is added."""
    result = shell("add", "--at", at, shell.write(THREAD))
    assert result.exit_code == 2
    assert says in result.stderr
    assert shell.json("queue")["deliveries"] == []


def test_an_unknown_channel(shell: Shell) -> None:
    """A channel that is not configured is refused, and the configured ones are named."""
    result = shell("add", "--channel", "newz", shell.write(THREAD))
    assert result.exit_code == 6
    assert "no channel called newz; configured: masto, news" in result.stderr


def test_preview_for_scripts(shell: Shell) -> None:
    """A preview gives each channel's limit and posts with part, label, text and measured length."""
    long = "1/ " + "The sea is wide. " * 40 + "\n2/ Short. /end\n"
    telegram_like, mastodon_like = sorted(
        shell.json("preview", shell.write(long)), key=lambda one: -one["limit"]
    )
    assert (telegram_like["channel"], telegram_like["limit"], len(telegram_like["posts"])) == (
        "news",
        4096,
        2,
    )
    assert (mastodon_like["channel"], mastodon_like["limit"]) == ("masto", 500)
    assert [(post["part"], post["label"]) for post in mastodon_like["posts"]] == [
        (1, "1a/"),
        (1, "1b/"),
        (2, "2/"),
    ]
    for post in mastodon_like["posts"]:
        assert post["length"] == len(post["text"]) <= 500


def test_preview_for_a_person(shell: Shell) -> None:
    """A preview shows every post as it will be, with its length."""
    shown = shell.ok("preview", "--channel", "news", shell.write(THREAD))
    assert "on news: 3 posts, limit 4096" in shown
    assert "1/ The lamp was lit at dusk. ⬇️" in shown
    assert "── 3 of 3 · 24 of 4096" in shown


def test_preview_of_a_queued_thread(shell: Shell) -> None:
    """A number previews the thread of that number."""
    shell.ok("add", shell.write(THREAD))
    assert len(shell.json("preview", "1", "--channel", "news")[0]["posts"]) == 3


def test_an_empty_queue(shell: Shell) -> None:
    """An empty queue and an empty history say what to type next."""
    assert "threadcast add FILE" in shell.ok("queue")
    assert "threadcast queue" in shell.ok("history")


def test_show(shell: Shell) -> None:
    """One thread is shown with its notices and where it stands on each channel."""
    shell.ok("add", "--channel", "news", shell.write(GAP))
    shown = shell.ok("show", "1")
    assert "#1 The lamp." in shown
    assert "warning line 2" in shown
    assert "news held" in shown
    dossier = shell.json("show", "1")
    assert dossier["deliveries"][0]["posts"] == []
    assert [event["what"] for event in dossier["events"]] == ["add"]
    assert dossier["events"][0]["actor"].startswith("shell:")


def test_no_such_thread(shell: Shell) -> None:
    """A number that no thread has is refused by that number."""
    for words in (("show", "7"), ("cancel", "7"), ("settle", "7", "not-sent"), ("preview", "7")):
        result = shell(*words)
        assert (result.exit_code, "7" in result.stderr) == (6, True), words


def test_a_state_that_does_not_allow_it(shell: Shell) -> None:
    """What the state does not allow is refused, with what it would allow."""
    shell.ok("add", "--channel", "news", shell.write(THREAD))
    result = shell("release", "1")
    assert result.exit_code == 7
    assert "hold" in result.stderr
    assert "cancel" in result.stderr
    assert "claim" not in result.stderr


def test_cancel(shell: Shell) -> None:
    """A cancelled thread leaves the queue, on the channels named or on all."""
    shell.ok("add", shell.write(THREAD))
    shell.ok("cancel", "1", "--channel", "news")
    assert [row["channel"] for row in shell.json("queue")["deliveries"]] == ["masto"]
    assert shell.json("cancel", "1")["deliveries"][0]["state"] == "cancelled"
    assert "cancelled" in shell.ok("history")


def test_settle_needs_an_address(shell: Shell) -> None:
    """`settle … sent` without an address is wrong usage."""
    assert shell("settle", "1", "sent").exit_code == 2


def test_channels(shell: Shell) -> None:
    """The configured channels are listed, and one that is gone is remembered as such."""
    shell.ok("migrate")
    shell.ok("channels")
    shell.env.pop("THREADCAST_CHANNELS__NEWS__KIND")
    shell.env.pop("THREADCAST_CHANNELS__NEWS__LIKE")
    rows = {row["channel"]: row["configured"] for row in shell.json("channels")["channels"]}
    assert rows == {"masto": True, "news": False}
    assert "no longer configured" in shell.ok("channels")


def test_check(shell: Shell) -> None:
    """A check of a sound set-up finds no error and says how to start."""
    shown = shell.ok("check")
    assert "threadcast run" in shown
    assert shell.json("check")["ok"] is True


def test_check_finds_faults(shell: Shell) -> None:
    """A check with an error says what to do about it and exits 8."""
    (shell.folder / "threadcast-data").write_text("a file where the folder should be")
    result = shell("check")
    assert result.exit_code == 8
    assert "THREADCAST_DATA" in result.stdout


def test_wrong_settings(shell: Shell) -> None:
    """Wrong settings are refused by name before anything is done, and no value is shown."""
    shell.env["THREADCAST_CHANNELS__NEWS__LIKE"] = "hunter2"
    result = shell("queue")
    assert result.exit_code == 4
    assert "THREADCAST_CHANNELS__NEWS__LIKE" in result.stderr
    assert "hunter2" not in result.output


def test_migrate(shell: Shell) -> None:
    """`migrate` makes the tables, and may be run again."""
    for _ in range(2):
        assert re.fullmatch(r"The database is up to date: version [0-9]{4}\.\n", shell.ok("migrate"))


def test_nothing_drives_the_terminal(shell: Shell) -> None:
    """Control characters and markup in a thread are shown, never obeyed."""
    shell.ok("add", "--channel", "news", shell.write("1/ \x1b[2Jgone [bold red]x[/]\u202e\n2/ y /end\n"))
    for words in (("queue",), ("show", "1"), ("preview", "1")):
        shown = shell.ok(*words)
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "[bold red]x[/]" in shown
