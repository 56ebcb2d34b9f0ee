"""The queue is its owner's: order, pauses, edits, and what goes on where."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from tests.bot.shell.terminal import terminal, threadcast
from tests.bot.shell.typed import GAP, OTHER, THREAD, Shell
from threadcast.bot.shell.exits import Exit

MORE = "4/ Nor did the wind.\n5/ It rose. /end\n"
OPEN = "1/ The lamp was lit at dusk.\n2/ The keeper slept by day.\n3/ The sea did not.\n"


@pytest.fixture
def news(shell: Shell) -> Shell:
    """A queue of three threads on one channel."""
    third = "1/ Third.\n2/ Its end. /end\n"
    shell.ok(
        "add", "-c", "news", shell.write(THREAD), shell.write(OTHER, "b.txt"), shell.write(third, "c.txt")
    )
    return shell


def order(shell: Shell) -> list[int]:
    return [row["thread"] for row in shell.json("queue")["deliveries"]]


def editor(shell: Shell, program: str) -> None:
    """An editor that works on `path` and `text` by a line of Python."""
    path = shell.folder / "editor.py"
    path.write_text(
        "import os, pathlib, sys\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "text = path.read_text()\n"
        f"{program}\n"
        "os.utime(path, (1, 1))\n",  # saved: an editor may be quicker than the clock of the file system
        encoding="utf-8",
    )
    shell.env["VISUAL"] = shlex.join((sys.executable, str(path)))


def by_hand(shell: Shell, *words: str) -> tuple[int, str]:
    """Type a command at a terminal, where an editor opens and a question is asked; Enter says no."""
    with terminal(threadcast(*words), folder=shell.folder, env={**shell.env, "NO_COLOR": "1"}) as shown:
        shown.press("\n")
        return shown.end(), shown.shown


def test_publish_releases(shell: Shell) -> None:
    """`publish` lets a held thread go, in its turn."""
    shell.ok("add", "--hold", shell.write(THREAD))
    shown = shell.ok("publish", "1", "--channel", "news")
    assert "#1 on news is queued now; it starts in turn." in shown
    assert {row["channel"]: row["state"] for row in shell.json("queue")["deliveries"]} == {
        "masto": "held",
        "news": "queued",
    }


def test_publish_now(news: Shell) -> None:
    """`publish --now` goes before all others."""
    assert "it starts as soon as its channel is free" in news.ok("publish", "3", "--now")
    assert order(news) == [3, 1, 2]


def test_publish_on_another_channel(news: Shell) -> None:
    """`publish --channel` brings a thread to one more channel, and says what comes next."""
    assert "#2 on masto is queued now; it starts in turn." in news.ok("publish", "2", "-c", "masto")
    again = news("publish", "2", "-c", "masto")
    assert again.exit_code == Exit.NOT_ALLOWED
    assert news("publish", "2", "-c", "nowhere").exit_code == Exit.NOT_FOUND


def test_publish_and_follow(shell: Shell) -> None:
    """`publish --follow` says what was changed, and stays until it is published."""
    shell.ok("add", "--hold", shell.write(THREAD))
    words = threadcast("publish", "1", "--follow")
    with terminal(words, folder=shell.folder, env=shell.env, columns=60) as shown:
        shown.wait_for("queued")
        with terminal(threadcast("run"), folder=shell.folder, env=shell.env):
            assert shown.end() == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.shown)
    assert "#1 on news is queued now" in plain
    assert "No service is running here" in plain
    assert "#1 on masto: published 3/3\n#1 on news: published 3/3\n" in plain


def test_move(news: Shell) -> None:
    """`move` changes the order, and says where a thread is now."""
    assert "#3 is first on news now." in news.ok("move", "3", "--first")
    assert order(news) == [3, 1, 2]
    assert "#3 is behind #1 on news now." in news.ok("move", "3", "--after", "1")
    assert order(news) == [1, 3, 2]
    assert news.json("move", "2", "--first")["deliveries"][0]["thread"] == 2


@pytest.mark.parametrize("words", [(), ("--first", "--after", "2")])
def test_move_has_to_say_where(news: Shell, words: tuple[str, ...]) -> None:
    """`move` takes one place, neither none nor two."""
    result = news("move", "1", *words)
    assert result.exit_code == Exit.USAGE
    assert "--first, or --after ID" in result.stderr


def test_pause_and_resume(news: Shell) -> None:
    """A paused channel says how it goes on, in the queue as well, and goes on with `resume`."""
    assert "news is paused; to go on: threadcast resume news" in news.ok("pause", "news")
    assert re.search(r"threadcast resume news", news.ok("queue"))
    assert re.search(r"^news +local +paused ", news.ok("channels"), re.MULTILINE)
    assert "news (local, paused)" in news.ok()
    assert "threadcast resume" in news.ok()
    assert "news is ready" in news.ok("resume", "news")
    assert {row["paused"] for row in news.json("pause")["channels"]} == {True}
    assert len(news.json("resume")["channels"]) == 2


def test_remove(news: Shell) -> None:
    """A removed thread is forgotten, and its events stay."""
    assert "threadcast events 2" in news.ok("remove", "2", "--yes")
    assert order(news) == [1, 3]
    assert news("show", "2").exit_code == Exit.NOT_FOUND
    assert [one["what"] for one in news.json("events", "2")["events"]] == ["add", "remove"]
    assert news.json("remove", "3", "--yes") == {"removed": 3}


def test_remove_asks_first(news: Shell) -> None:
    """`remove` asks a person first, and a script has to say --yes."""
    result = news("remove", "1")
    assert result.exit_code == Exit.USAGE
    assert "--yes" in result.stderr
    code, shown = by_hand(news, "remove", "1")
    assert code == Exit.USAGE
    assert "Forget #1" in shown
    assert order(news) == [1, 2, 3]


def test_edit_in_a_pipe(news: Shell) -> None:
    """`edit` takes the new text from a pipe; where it has warnings, the thread is held."""
    dawn = THREAD.replace("dusk", "dawn")
    assert "#1 on news is queued now" in news.ok("edit", "1", stdin=dawn)
    assert news.ok("export", "1") == dawn
    assert "nothing was changed" in news.ok("edit", "1", stdin=dawn)
    assert news.json("edit", "1", stdin=dawn) == {"deliveries": []}
    assert "threadcast release 1" in news.ok("edit", "1", stdin=GAP)


def test_edit_in_an_editor(news: Shell) -> None:
    """`edit` opens the text as it came, and what is saved takes its place."""
    editor(news, "assert text.startswith('1/ The lamp'); path.write_text(text.replace('lamp', 'lantern'))")
    code, shown = by_hand(news, "edit", "1")
    assert (code, "#1 on news is queued now" in shown) == (0, True)
    assert news.json("show", "1")["title"].startswith("The lantern")


def test_edit_without_a_change(news: Shell) -> None:
    """A text that was not saved changes nothing."""
    news.env["VISUAL"] = "true"
    code, shown = by_hand(news, "edit", "1")
    assert (code, "nothing was changed" in shown) == (0, True)


def test_edit_that_is_refused(news: Shell) -> None:
    """What a person wrote and was refused is kept in a file that is named."""
    editor(news, "path.write_text('')")
    code, shown = by_hand(news, "edit", "1")
    assert code == Exit.INPUT
    kept = re.search(r"Your text is kept in (\S+)", shown)
    assert kept
    Path(kept[1]).unlink()
    assert news.json("show", "1")["title"].startswith("The lamp")


def test_edit_without_an_editor(news: Shell) -> None:
    """An editor that cannot be started is named, with the variable to set."""
    news.env["VISUAL"] = "/no/such/editor"
    code, shown = by_hand(news, "edit", "1")
    assert code == Exit.INPUT
    assert "EDITOR" in shown


def test_continue(news: Shell) -> None:
    """`add --continue` appends parts to a thread that is queued."""
    first = news.json("add", "-c", "masto", news.write(OPEN, "open.txt"))["threads"][0]["id"]
    assert f"#{first} on masto is queued" in news.ok(
        "add", "--continue", str(first), news.write(MORE, "more.txt")
    )
    assert len(news.json("show", str(first))["thread"]["parts"]) == 5


def test_continue_takes_one_file(news: Shell) -> None:
    """`add --continue` takes one file and no other wish."""
    assert news("add", "--continue", "1", "a", "b").exit_code == Exit.USAGE
    assert news("add", "--continue", "1", "a", "--hold").exit_code == Exit.USAGE


def test_adopt(shell: Shell) -> None:
    """`adopt` takes over a chain that was begun by hand, behind a post that is looked at first."""
    begun = shell.write("\n".join(THREAD.splitlines()[:2]) + "\n")
    shell.ok("add", begun, "-c", "news")
    shell.publish_all()
    name = shell.write(THREAD, "whole.txt")
    words = ("adopt", name, "-c", "news", "--parts", "2", "--last")
    for wrong in ("https://t.me/other_channel/5", "yes I see it", "no", "9"):
        refused = shell(*words, wrong, "--force")
        assert refused.exit_code == Exit.NOT_ALLOWED
        assert f"“{wrong}” is not accepted for news: there is no such post" in refused.stderr
    other = shell(*words, "1")
    assert other.exit_code == Exit.NOT_ALLOWED
    assert "“1” on news may be another post: it says “1/ The lamp was lit at dusk. ⬇️”" in other.stderr
    assert "add --force" in other.stderr
    assert "news: queued" in shell.ok(*words, "2")
    assert len(shell.json("queue")["deliveries"]) == 1
    result = shell(*words[:-2], "7", "--last", "2")
    assert result.exit_code == Exit.INPUT
    assert "of these 1 to 2 can be out" in result.stderr


def test_continue_with_what_does_not_go_on(news: Shell) -> None:
    """A text that does not go on counting is refused, with the number that was expected."""
    result = news("add", "--continue", "1", "-", stdin="9. nothing of the kind\n")
    assert result.exit_code == Exit.INPUT
    assert "number 4" in result.stderr


def test_the_queue_says_when_and_why(news: Shell) -> None:
    """The queue says for each delivery when it starts, why then, and when it should be through."""
    news.env["THREADCAST_CHANNELS__NEWS__SCHEDULE"] = "daily 09:00"
    news.ok("hold", "3")
    first, second, held = news.json("queue")["deliveries"]
    assert first["why"] == second["why"] == "slot"
    assert first["starts"] <= first["ends"] < second["starts"]  # a local timeline takes no time
    assert (held["starts"], held["ends"]) == (None, None)
    with news.service():
        assert re.search(r"1 +news +queued +- +\S+ 09:00 UTC, slot, until 09:00 +The lamp", news.ok("queue"))
    shown = news.ok("queue")
    assert re.search(r"1 +news +queued +- +slot +The lamp", shown)
    assert shown.endswith("No service is running here; start it with: threadcast run\n")
    assert "09:00" in news.ok("channels")
    assert json.loads(news.ok("queue", "--channel", "masto", "--json")) == {"deliveries": []}


def test_a_schedule_that_cannot_be(news: Shell) -> None:
    """Quiet hours that leave no slot of the schedule are refused by name."""
    news.env["THREADCAST_CHANNELS__NEWS__SCHEDULE"] = "daily 03:00"
    news.env["THREADCAST_CHANNELS__NEWS__QUIET"] = "22:00-07:00"
    result = news("queue")
    assert result.exit_code == Exit.CONFIGURATION
    assert "THREADCAST_CHANNELS__NEWS__QUIET" in result.stderr


def test_several_threads(news: Shell) -> None:
    """Several threads are changed at once; of those that do not allow it, each says why."""
    assert news.ok("hold", "1-2", "3").count("is held now") == 3
    news.ok("release", "1,3")
    result = news("release", "1-4")
    assert result.exit_code == Exit.NOT_ALLOWED
    assert result.stdout.startswith("#2 on news is queued now")
    assert [line.partition(":")[2][:17] for line in result.stderr.splitlines()] == [
        " thread 1 on news",
        " thread 3 on news",
        " there is no thre",
    ]
    assert news("hold", "7-3").exit_code == Exit.USAGE
    assert "no range of at most 100 threads" in news("hold", "1-999").stderr


def test_at(news: Shell) -> None:
    """`at` gives a thread a time of its own, in the words that the chat reads, and lets a held one go."""
    news.ok("hold", "2")
    shown = news.ok("at", "2", "24", "dec", "2199", "18:30")
    assert "#2 on news is queued now; it starts 2199-12-24 18:30:00 UTC." in shown
    result = news("at", "2", "soon")
    assert result.exit_code == Exit.USAGE
    assert "is no time that I can read" in result.stderr


def test_at_each(news: Shell) -> None:
    """With `--each` several threads get a time each: shown and asked, and set where that is confirmed."""
    result = news("at", "1-3", "--each", "daily 9:00")
    assert result.exit_code == Exit.USAGE
    assert "threadcast at 1,2,3 --each 'daily 9:00' --yes" in result.stderr
    news.ok("at", "1-3", "--each", "daily 9:00", "--yes")
    times = [one["starts"] for one in news.json("queue")["deliveries"]]
    assert len(set(times)) == 3
    assert {one[11:16] for one in times} == {"09:00"}
    assert "no channel with a schedule" in news("at", "2", "--each", "slots", "--yes").stderr
    news.env["THREADCAST_CHANNELS__NEWS__SCHEDULE"] = "daily 11:00"
    news.ok("at", "1-3", "--each", "slots", "--yes")
    assert {one["starts"][11:16] for one in news.json("queue")["deliveries"]} == {"11:00"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("1",), "say when"),
        (("1", "fri", "18:30", "--each", "daily 9:00"), "say when"),
        (("1", "--each", "soon"), "expected"),
        (("1-3", "--each", "every 300d"), "more than a year away"),
        (("17", "--each", "daily 9:00"), "waits to begin"),
    ],
)
def test_at_each_refuses(news: Shell, words: tuple[str, ...], says: str) -> None:
    """What cannot be meant is refused with what to write, and nothing changes."""
    events = news.json("events")
    result = news("at", *words)
    assert result.exit_code != 0
    assert says in result.stderr
    assert news.json("events") == events


def test_open(news: Shell) -> None:
    """`open` opens the first post of a thread that is out, and prints its address."""
    opener = news.folder / "xdg-open"
    opener.write_text('#!/bin/sh\necho "$1" >> opened\n')
    opener.chmod(0o755)
    news.env["PATH"] = f"{news.folder}:/usr/bin:/bin"
    assert news("open", "1").exit_code == Exit.NOT_ALLOWED
    news.publish_all()
    address = news.json("history")["deliveries"][-1]["posts"][0]["url"]
    assert news.ok("open", "1") == f"{address}\n"
    assert news.json("open", "1") == {"urls": [address]}
