"""Looking into the queue from the shell: settings, events, export, and following what goes out."""

import json
import re
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.bot.shell.terminal import PATIENCE, environment, terminal, threadcast
from tests.bot.shell.typed import GAP, OTHER, THREAD, Shell
from threadcast.bot.shell.exits import Exit
from threadcast.bot.shell.follow import follow
from threadcast.queue.model import Delivery, NewDelivery, NewThread
from threadcast.queue.states import DeliveryState, Event
from threadcast.queue.store.database import open_database
from threadcast.queue.store.migrate import upgrade
from threadcast.queue.text.parse import parse

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
PREAMBLE = "Notes of a keeper\n\n1/ The lamp.\n\nSecond paragraph.\n2/ “An unclosed quote\n3/ The sea. /end\n"
UNMARKED = "A single thought, with no number at all.\n---\nAnd another.\n"
LONG = "".join(f"{number}/ Watch number {number} of the night.\n" for number in range(1, 31))


def test_config(shell: Shell) -> None:
    """`config` lists every setting with its value and where it was written."""
    shell.env["THREADCAST_TIMEZONE"] = "Asia/Tokyo"
    shown = shell.ok("config")
    assert re.search(r"^THREADCAST_TIMEZONE +Asia/Tokyo +environment$", shown, re.MULTILINE)
    assert re.search(r"^THREADCAST_LOG_LEVEL +info +default$", shown, re.MULTILINE)
    assert re.search(r"^THREADCAST_SECRETS_DIR +not set +default$", shown, re.MULTILINE)
    settings = {one["name"]: one for one in shell.json("config")["settings"]}
    assert settings["THREADCAST_CHANNELS__NEWS__LIKE"] == {
        "name": "THREADCAST_CHANNELS__NEWS__LIKE",
        "value": "telegram",
        "source": "environment",
        "secret": False,
    }
    assert not (shell.folder / "threadcast-data").exists()


@pytest.mark.parametrize("text", [THREAD, GAP, PREAMBLE, UNMARKED, LONG])
def test_export(shell: Shell, text: str) -> None:
    """An exported thread parses to the same thread."""
    before = shell.json("add", "--dry-run", shell.write(text))["threads"]
    shell.ok("add", "thread.txt")
    exported = shell.ok("export", "1")
    after = shell.json("add", "--dry-run", "-", stdin=exported)["threads"]
    assert [(one["parts"], one["preamble"], one["fingerprint"]) for one in after] == [
        (one["parts"], one["preamble"], one["fingerprint"]) for one in before
    ]
    assert shell.json("export", "1")["text"] == exported


def test_export_to_a_file(shell: Shell) -> None:
    """--output writes a new file, and never takes the place of one."""
    shell.ok("add", shell.write(THREAD))
    assert "#1, 3 parts, is in copy.txt" in shell.ok("export", "1", "--output", "copy.txt")
    assert (shell.folder / "copy.txt").read_text(encoding="utf-8") == THREAD

    (shell.folder / "copy.txt").write_text("precious")
    result = shell("export", "1", "-o", "copy.txt")
    assert (result.exit_code, result.stdout) == (Exit.INPUT, "")
    assert "not overwritten" in result.stderr
    assert (shell.folder / "copy.txt").read_text() == "precious"
    assert "cannot be written" in shell("export", "1", "-o", "no/such/folder").stderr


def test_backup_and_restore(shell: Shell) -> None:
    """A backup brings the queue back, keeps the replaced one, and pauses every channel."""
    shell.ok("add", shell.write(THREAD))
    assert "threadcast restore copy" in shell.ok("backup", "copy")
    shell.ok("add", shell.write(OTHER, "other.txt"))

    shown = shell.ok("restore", "copy")

    assert "All channels are paused" in shown
    assert {row["thread"] for row in shell.json("queue")["deliveries"]} == {1}
    (kept,) = (shell.folder / "threadcast-data").glob("queue.sqlite3.replaced-*")
    assert str(kept) in shown
    assert {row["paused"] for row in shell.json("channels")["channels"]} == {True}
    assert shell.json("backup", "second")["bytes"] > 0


def test_restore_holds_what_went_out(shell: Shell) -> None:
    """What went out after the backup was made is held, and said: `resume` does not send it again."""
    shell.ok("add", shell.write(THREAD), "-c", "news")
    shell.ok("backup", "copy")
    shell.publish_all()

    shown = shell.ok("restore", "copy")

    assert "Held, for it went out after the backup was made and would go out again:" in shown
    assert "  #1 on news, 3 posts: The lamp was lit at dusk." in shown
    shell.ok("resume")
    (held,) = shell.json("queue")["deliveries"]
    assert (held["state"], "went out after the backup" in held["reason"]) == ("held", True)
    kept = (shell.folder / "threadcast-data" / "news.jsonl").read_text(encoding="utf-8")
    shell.publish_all()
    assert (shell.folder / "threadcast-data" / "news.jsonl").read_text(encoding="utf-8") == kept


def test_restore_where_nobody_can_know(shell: Shell) -> None:
    """Where there is no replaced queue, it is said that nobody can know what went out."""
    shell.ok("add", shell.write(THREAD))
    shell.ok("backup", "copy")
    shell.env["THREADCAST_DATA"] = "elsewhere"
    assert (
        "What went out after the backup was made cannot be known: there is no queue that it replaced."
        in shell.ok("restore", "copy")
    )


def test_restore_on_a_new_machine(shell: Shell) -> None:
    """A backup is restored where there is no queue yet; a script is told that nothing was replaced."""
    shell.ok("add", shell.write(THREAD))
    shell.ok("backup", "copy")
    shell.env["THREADCAST_DATA"] = "elsewhere"
    assert shell.json("restore", "copy") == {
        "file": "copy",
        "replaced": None,
        "out_since": [],
        "added_since": [],
    }
    assert len(shell.json("queue")["deliveries"]) == 2
    assert shell.json("migrate")["version"]


def test_backup_never_overwrites(shell: Shell) -> None:
    """A backup is refused where a file is already."""
    shell.ok("add", shell.write(THREAD))
    result = shell("backup", "thread.txt")
    assert result.exit_code == Exit.INPUT
    assert "not overwritten" in result.stderr


def test_restore_under_a_running_service(shell: Shell) -> None:
    """Under a running service a restore is refused, and says what to do; the queue is as it was."""
    shell.ok("add", "--hold", shell.write(THREAD))
    shell.ok("backup", "copy")
    shell.ok("add", "--hold", shell.write(OTHER, "other.txt"))
    with terminal(threadcast("run"), folder=shell.folder, env=shell.env) as service:
        service.wait_for("running")
        refused = shell("restore", "copy")
        assert refused.exit_code == Exit.QUEUE
        assert "stop it first" in refused.stderr
        assert {row["thread"] for row in shell.json("queue")["deliveries"]} == {1, 2}


def test_restore_pauses_channels_it_does_not_know(shell: Shell) -> None:
    """A channel that was configured after the backup was made is paused too."""
    shell.ok("add", shell.write(THREAD))
    shell.ok("backup", "copy")
    shell.env["THREADCAST_CHANNELS__LATER__KIND"] = "local"
    shell.ok("restore", "copy")
    assert {row["channel"]: row["paused"] for row in shell.json("channels")["channels"]} == {
        "later": True,
        "masto": True,
        "news": True,
    }


def test_events(shell: Shell) -> None:
    """The events say when, who and what, of all threads or of one."""
    assert "Nothing has happened yet" in shell.ok("events")
    shell.ok("add", "--channel", "news", shell.write(THREAD), shell.write(OTHER, "other.txt"))
    shell.ok("hold", "2")
    assert [(one["thread"], one["what"]) for one in shell.json("events")["events"]] == [
        (1, "add"),
        (2, "add"),
        (2, "hold"),
    ]
    assert [one["what"] for one in shell.json("events", "2")["events"]] == ["add", "hold"]
    assert [one["what"] for one in shell.json("events", "-n", "1")["events"]] == ["hold"]
    assert re.search(r"shell:\S+ +hold +2 +news", shell.ok("events", "2"))


def test_follow_in_a_pipe(shell: Shell) -> None:
    """--follow in a pipe says that no service runs, then a line for each step, and ends with 0."""
    shell.ok("add", shell.write(LONG))
    popen = subprocess.Popen(
        threadcast("show", "1", "--follow"),
        cwd=shell.folder,
        env=environment(shell.env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert popen.stderr is not None
    assert "No service is running here" in popen.stderr.readline()
    with terminal(threadcast("run"), folder=shell.folder, env=shell.env):
        shown, said = popen.communicate(timeout=PATIENCE)
    assert (popen.returncode, said) == (0, "")
    assert "queued - news: Watch number 1 of the night." in shown
    assert "published 30/30 masto: Watch number 1 of the night." in shown
    assert shown.endswith("#1 on masto: published 30/30\n#1 on news: published 30/30\n")


def test_follow_on_a_terminal(shell: Shell) -> None:
    """--follow on a terminal has a bar for each channel, and finishes with what came of them."""
    shell.ok("add", shell.write(LONG))
    with terminal(
        threadcast("show", "1", "--follow"), folder=shell.folder, env=shell.env, columns=60
    ) as shown:
        shown.wait_for("queued")
        with terminal(threadcast("run"), folder=shell.folder, env=shell.env):
            assert shown.end() == 0
    assert "━" in shown.shown
    assert "30/30" in shown.shown
    assert "\x1b[?25h" in shown.shown  # the cursor is back


def test_follow_what_has_stopped(shell: Shell) -> None:
    """Following what waits for a person ends at once with 7, and says how to go on."""
    shell.ok("add", "--hold", "--channel", "news", shell.write(THREAD))
    result = shell("show", "1", "--follow")
    assert result.exit_code == Exit.NOT_ALLOWED
    assert "#1 on news: held -, you asked to hold it" in result.stdout
    assert "threadcast release 1" in result.stdout
    assert result.stderr == ""

    shell.ok("cancel", "1")
    result = shell("show", "1", "--follow", "--json")
    assert result.exit_code == Exit.NOT_ALLOWED
    assert json.loads(result.stdout)["deliveries"][0]["state"] == "cancelled"


def test_ctrl_c_while_following(shell: Shell) -> None:
    """Ctrl-C ends the following, quietly, and not the thread."""
    shell.ok("add", shell.write(LONG))
    with terminal(threadcast("show", "1", "--follow"), folder=shell.folder, env=shell.env) as shown:
        shown.wait_for("queued")
        shown.press("\x03")
        assert shown.end() == Exit.INTERRUPTED
    assert "Traceback" not in shown.shown
    assert "Nothing was stopped: #1 goes on without you." in shown.shown
    assert {row["state"] for row in shell.json("queue")["deliveries"]} == {"queued"}


def test_follow_sees_each_change_once(tmp_path: Path) -> None:
    """Following shows a delivery at first and at each change, until it goes on no more."""
    url = f"sqlite:///{tmp_path}/queue.sqlite3"
    upgrade(url)
    with closing(open_database(url)) as database:
        wish = NewThread(parse(THREAD)[0], "test", (NewDelivery("news", DeliveryState.QUEUED, NOW),))
        (added,) = database.threads.add([wish], now=NOW, actor="test")
        steps = iter([None, Event.HOLD])
        seen: list[Delivery] = []

        def pause() -> None:
            if event := next(steps):
                database.changes.apply(added.deliveries[0].id, event, now=NOW, actor="test")

        ended = follow(database, added.deliveries, seen.append, pause)

    assert [delivery.state for delivery in seen] == ["queued", "held"]
    assert [delivery.state for delivery in ended] == ["held"]
    assert next(steps, None) is None


def test_show_says_what_it_waits_for(shell: Shell) -> None:
    """`show` says when a waiting thread starts and why, and of a held one what to type."""
    shell.ok("add", "--at", "2099-01-01T12:00", shell.write(OTHER))
    assert "    2099-01-01 12:00 UTC, its own time\n" in shell.ok("show", "1")
    with shell.service():
        assert "2099-01-01 12:00 UTC, its own time, until 12:00" in shell.ok("show", "1")
    shell.ok("hold", "1", "-c", "news")
    assert "→ threadcast release 1" in shell.ok("show", "1")


def test_channels_with_the_same_answer_share_a_line(shell: Shell) -> None:
    """What is said of several channels alike is said once; a warning is not said again as the reason."""
    shown = shell.ok("add", shell.write(THREAD), shell.write(GAP, "gap.txt"))
    assert "  masto, news: queued, starts in turn\n" in shown
    assert "  masto, news: held\n    → when it is right: threadcast release 2\n" in shown
    assert shown.count("number 2 is missing") == 1
    held = shell.ok("add", "--hold", shell.write(OTHER, "other.txt"))
    assert "  masto, news: held, you asked to hold it\n" in held
    assert "threadcast run" not in held


def test_a_channel_that_was_removed(shell: Shell) -> None:
    """What waits for a channel that is not configured any more is said everywhere, and can be cancelled."""
    shell.ok("add", shell.write(THREAD), shell.write(OTHER, "other.txt"))
    shell.ok("hold", "2")
    del shell.env["THREADCAST_CHANNELS__NEWS__KIND"]
    del shell.env["THREADCAST_CHANNELS__NEWS__LIKE"]

    state = shell.ok()
    assert "news is not configured any more; waiting for it: 2" in state
    assert "threadcast check" in state
    assert "news is not configured any more" in shell.ok("queue", "-c", "NEWS")
    check = shell.ok("check")
    assert "threadcast queue --channel news" in check
    assert "1 channel configured" in check
    assert "warning  queue: news is not configured any more; waiting for it: 2" in check
    assert "it waits: news is not configured any more." in shell.ok("release", "2", "-c", "news")
    shell.ok("cancel", "1", "-c", "news")
    shell.ok("cancel", "2", "-c", "news")
    assert "not configured any more" not in shell.ok()


def test_paths_are_said_whole(shell: Shell) -> None:
    """A path with blanks is neither broken nor misread when it is copied from an answer."""
    exported = _exported(shell, "[bold]x.txt")
    assert "is in [bold]x.txt" in exported
    name = "a rather long name of a copy of the queue, made on a Sunday.backup"
    with terminal(threadcast("backup", name), folder=shell.folder, env=shell.env, columns=60) as shown:
        assert shown.end() == 0
    assert f"threadcast restore '{name}'" in shown.shown


def _exported(shell: Shell, name: str) -> str:
    shell.ok("add", shell.write(OTHER))
    return shell.ok("export", "1", "--output", name)


def test_answers_say_when_a_thread_starts(shell: Shell) -> None:
    """Where a thread waits for a slot or for a paused channel, `add` and `release` say so.

    A time is told where a service runs to keep it, and that it starts now.
    """
    shell.env["THREADCAST_CHANNELS__MASTO__SCHEDULE"] = "0 9 1 1 *"
    shell.ok("pause", "news")
    with shell.service():
        shown = shell.ok("add", shell.write(THREAD))
    assert re.search(r"^  masto: queued, starts [0-9]{4}-01-01 09:00 UTC \(slot\)$", shown, re.MULTILINE)
    assert "  news: queued, waits: the channel is paused; threadcast resume news\n" in shown
    shell.ok("hold", "1")
    assert "#1 on masto is queued now; it starts in turn.\n" in shell.ok("release", "1", "-c", "masto")
    with shell.service():
        shell.ok("hold", "1", "-c", "masto")
        shown = shell.ok("release", "1")
    assert re.search(r"^#1 on masto is queued now; it starts .* \(slot\)\.$", shown, re.MULTILINE)
    assert "it waits: the channel is paused; threadcast resume news." in shown
    assert "it starts as soon as its channel is free" in shell.ok("publish", "1", "--now", "-c", "masto")
    with shell.service():
        assert "it starts now." in shell.ok("publish", "1", "--now", "-c", "masto")
