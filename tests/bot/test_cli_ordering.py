"""The owner's queue from the shell: order, pauses, changed, continued and adopted threads."""

import pytest

from tests.bot.typed import GAP, OTHER, THREAD, Shell


@pytest.fixture(autouse=True)
def two_threads(shell: Shell) -> None:
    """Two threads wait for one of two channels."""
    shell.ok("add", "--channel", "news", shell.write(THREAD), shell.write(OTHER, "other.txt"))


def order(shell: Shell) -> list[int]:
    return [row["thread"] for row in shell.json("queue")["deliveries"]]


def test_publish_now(shell: Shell) -> None:
    """`publish --now` puts a thread before all others, held or not."""
    shell.ok("hold", "2")
    assert "#2 on news is queued now" in shell.ok("publish", "2", "--now")
    assert order(shell) == [2, 1]


def test_publish_what_needs_no_leave(shell: Shell) -> None:
    """`publish` of a thread that is queued already is refused, with what is possible."""
    result = shell("publish", "1")
    assert result.exit_code == 7
    assert "release is not possible while queued" in result.stderr


def test_move(shell: Shell) -> None:
    """`move` changes the order; without a place it is wrong usage."""
    shell.ok("move", "2", "--first")
    assert order(shell) == [2, 1]
    shell.ok("move", "2", "--after", "1")
    assert order(shell) == [1, 2]
    assert shell("move", "2").exit_code == 2


def test_pause_and_resume(shell: Shell) -> None:
    """A paused channel is shown as such, with the command that lets it go on."""
    assert "news is paused; to go on: threadcast resume news" in shell.ok("pause", "news")
    assert {row["channel"]: row["paused"] for row in shell.json("channels")["channels"]} == {
        "masto": False,
        "news": True,
    }
    assert "paused; threadcast resume news" in shell.ok("queue")
    assert [row["paused"] for row in shell.json("resume")["channels"]] == [False, False]
    assert "news is ready" in shell.ok("resume", "news")


def test_edit(shell: Shell) -> None:
    """`edit` takes the new text of a thread that has not begun."""
    assert "#1 on news is queued now" in shell.ok("edit", "1", stdin=THREAD.replace("dusk", "dawn"))
    assert "dawn" in shell.ok("export", "1")
    assert "nothing was changed" in shell.ok("edit", "1", stdin=THREAD.replace("dusk", "dawn"))
    assert "held" in shell.ok("edit", "1", stdin=GAP)


def test_remove(shell: Shell) -> None:
    """`remove` asks first; then the thread is gone and its events are not."""
    result = shell("remove", "1")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    shell.ok("remove", "1", "--yes")
    assert shell("show", "1").exit_code == 6
    assert "remove" in shell.ok("events")


def test_continue(shell: Shell) -> None:
    """`add --continue` appends parts that go on counting, and takes no other option."""
    shell.ok("add", "--continue", "1", "-", stdin="4/ Nor did the gulls.\n")
    assert len(shell.json("show", "1")["thread"]["parts"]) == 4
    result = shell("add", "--continue", "1", "-", stdin="9. nothing of the kind\n")
    assert result.exit_code == 3
    assert "number 5" in result.stderr
    assert shell("add", "--continue", "1", "--hold", "-", stdin="5/ x\n").exit_code == 2


def test_adopt(shell: Shell) -> None:
    """`adopt` queues what is left of a chain begun by hand."""
    name = shell.write("1/ Ice.\n2/ It held.\n3/ It broke. /end\n", "ice.txt")
    last = "https://t.me/my_channel/112"
    shown = shell.ok("adopt", name, "-c", "news", "--parts", "2", "--last", last)
    assert "news: queued" in shown
    assert shell.json("queue")["deliveries"][2]["thread"] == 3
    refused = shell("adopt", name, "-c", "news", "--parts", "3", "--last", last)
    assert refused.exit_code == 3


def test_slots_in_the_queue(shell: Shell) -> None:
    """`queue` says of every delivery when it starts, why then, and when it should be through."""
    shell.env["THREADCAST_CHANNELS__NEWS__SCHEDULE"] = "daily 09:00"
    first, second = shell.json("queue")["deliveries"]
    assert first["why"] == second["why"] == "slot"
    assert first["starts"] < first["ends"] < second["starts"]
    assert "09:00:00 UTC" in shell.ok("queue")
    assert "09:00" in shell.ok("channels")


def test_a_schedule_that_cannot_be(shell: Shell) -> None:
    """Quiet hours that leave no slot of the schedule are refused by name."""
    shell.env["THREADCAST_CHANNELS__NEWS__SCHEDULE"] = "daily 03:00"
    shell.env["THREADCAST_CHANNELS__NEWS__QUIET"] = "22:00-07:00"
    result = shell("queue")
    assert result.exit_code == 4
    assert "THREADCAST_CHANNELS__NEWS__QUIET" in result.stderr
