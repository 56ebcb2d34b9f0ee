"""`skip`, `undo` and `audit`, as an owner types them."""

import json
import re

import pytest

from tests.bot.shell.typed import OTHER, THREAD, Shell
from threadcast.bot.shell.exits import Exit


@pytest.fixture
def published(shell: Shell) -> Shell:
    """One thread, published on two local channels."""
    shell.ok("add", shell.write(THREAD))
    shell.publish_all()
    return shell


def lines(shell: Shell, channel: str) -> list[dict[str, object]]:
    text = (shell.folder / "threadcast-data" / f"{channel}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()[1:]]


def write(shell: Shell, channel: str, *records: dict[str, object]) -> None:
    path = shell.folder / "threadcast-data" / f"{channel}.jsonl"
    header, *_ = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([header, *map(json.dumps, records), ""]), encoding="utf-8")


def test_undo(published: Shell) -> None:
    """`undo` takes the posts down, newest first, says how it goes on, and what is gone stays gone."""
    shown = published.ok("undo", "1", "--channel", "news", "--yes")
    assert re.findall(r"news: (\d)/3", shown) == ["0", "1", "2", "3"]
    assert "#1 on news is gone: all 3 posts." in shown
    deleted = [line["remote_id"] for line in lines(published, "news") if line.get("deleted")]
    assert deleted == ["3", "2", "1"]
    states = {one["channel"]: one["state"] for one in published.json("show", "1")["deliveries"]}
    assert states == {"masto": "published", "news": "withdrawn"}
    whats = [event["what"] for event in published.json("events", "1")["events"]]
    assert whats[-4:] == ["withdraw", *["take-down"] * 3]
    assert "all 3 posts" in published.ok("undo", "1", "--channel", "news", "--yes")
    assert published("undo", "99", "--yes").exit_code == Exit.NOT_FOUND


def test_each_channel_is_answered(published: Shell) -> None:
    """A request to several channels says for each what came of it, with commands that can be copied."""
    shell = published
    shell.ok("undo", "1", "-c", "news", "--yes")
    shell.ok("add", "--again", "thread.txt", "-c", "news")
    said = shell.ok("undo", "1", "--yes")
    assert "#1 on masto is gone: all 3 posts." in said
    refused = shell("hold", "1")
    assert refused.exit_code == Exit.NOT_ALLOWED
    assert refused.stderr == (
        "threadcast: thread 1 on masto: hold is not possible while withdrawn; possible now: nothing\n"
        "thread 1 on news: hold is not possible while withdrawn; possible now: nothing\n"
    )


def test_each_channel_is_answered_where_one_allows_it(published: Shell) -> None:
    """Where one channel allows what was asked and another does not, both are said, and it was done: 0."""
    shell = published
    shell.ok("add", shell.write(OTHER, "other.txt"), "-c", "news")
    shell.publish_all()
    shell.ok("publish", "2", "-c", "masto")
    refusal = "hold is not possible while published; possible now: threadcast undo 2 -c news"
    assert shell.ok("hold", "2") == (
        f"#2 on masto is held now; when it may go: threadcast release 2.\nThread 2 on news: {refusal}.\n"
    )
    shell.ok("release", "2")
    held = shell.json("hold", "2")
    assert [(one["channel"], one["state"]) for one in held["deliveries"]] == [("masto", "held")]
    (refused,) = held["refused"]
    assert (refused["thread"], refused["channel"]) == (2, "news")
    assert refused["message"] == f"thread 2 on news: {refusal}"


def test_undo_asks_first(published: Shell) -> None:
    """Without --yes `undo` asks, and in a pipe it takes nothing down."""
    result = published("undo", "1")
    assert result.exit_code == Exit.USAGE
    assert "threadcast undo 1 --yes" in result.stderr
    assert not [line for line in lines(published, "news") if line.get("deleted")]


def test_undo_as_json(published: Shell) -> None:
    """For a script `undo` says what is gone, and what is left with its reason."""
    undone = published.json("undo", "1", "--yes")["deliveries"]
    assert [(one["channel"], one["gone"], one["out"], one["left"]) for one in undone] == [
        ("masto", 3, 3, []),
        ("news", 3, 3, []),
    ]


def test_undo_of_what_is_not_out(shell: Shell) -> None:
    """What waits has nothing to take down: the refusal says what is possible."""
    shell.ok("add", shell.write(THREAD))
    for words in (("--yes",), ()):  # nothing is asked where nothing can follow
        result = shell("undo", "1", *words)
        assert result.exit_code == Exit.NOT_ALLOWED
        assert "undo is not possible while queued" in result.stderr


def test_after_undo_it_may_go_out_again(published: Shell) -> None:
    """A thread that was taken down may be published again."""
    published.ok("undo", "1", "--yes")
    assert "queued" in published.ok("add", "thread.txt")


def test_audit(published: Shell) -> None:
    """`audit` of an untouched chain says that it is as it was sent."""
    shown = published.ok("audit", "1")
    assert "#1 on news is as it was sent: all 3 posts, in order." in shown
    assert "#1 on masto is as it was sent" in shown


def test_audit_finds(published: Shell) -> None:
    """`audit` says what is missing, edited, out of order, and not ours."""
    _, second, third = lines(published, "news")
    stranger = {**third, "remote_id": "9", "key": "other", "text": "By hand", "reply_to": "3"}
    write(published, "news", {**second, "text": "Changed"}, {**third, "reply_to": None}, stranger)
    result = published("audit", "1", "--channel", "news")
    assert result.exit_code == Exit.NOT_ALLOWED
    assert "missing post 1" in result.stdout
    assert "edited post 2: its text is now “Changed”" in result.stdout
    assert "out-of-order post 3" in result.stdout
    assert "extra: post 9" in result.stdout
    audited = json.loads(published("audit", "1", "-c", "news", "--json").stdout)["deliveries"][0]
    kinds = [found["kind"] for found in audited["differences"]]
    assert kinds == ["missing", "edited", "out-of-order", "extra"]
    assert (audited["looked_at"], audited["problem"]) == (3, "")


def test_audit_of_what_cannot_be_looked_at(published: Shell) -> None:
    """A chain that cannot be looked at is said to be so, with the cause."""
    (published.folder / "threadcast-data" / "news.jsonl").unlink()
    result = published("audit", "1", "--channel", "news")
    assert result.exit_code == Exit.NOT_ALLOWED
    assert "could not be looked at" in result.stdout


def test_audit_of_what_is_not_out(shell: Shell) -> None:
    """Of a thread that waits there is nothing to compare."""
    shell.ok("add", shell.write(OTHER))
    assert "No post of #1 is out" in shell.ok("audit", "1")


def test_stop_what_has_not_begun(shell: Shell) -> None:
    """`stop` of what waits in the queue holds it, and says how it goes on."""
    shell.ok("add", shell.write(THREAD), "-c", "news")
    assert shell.ok("stop", "1") == "#1 on news is held now; when it may go: threadcast release 1.\n"
    assert shell("stop", "1").exit_code == Exit.NOT_ALLOWED
    assert shell.json("queue")["deliveries"][0]["state"] == "held"


def test_skip(published: Shell) -> None:
    """`skip` leaves the refused post out, and says what happens next; it needs one that was refused."""
    shell = published
    result = shell("skip", "1")
    assert result.exit_code == Exit.NOT_ALLOWED
    assert "skip is not possible while published" in result.stderr
    *kept, last = lines(shell, "news")
    write(shell, "news", *kept, last, {"remote_id": "3", "at": last["at"], "deleted": True})
    shell.ok("add", "--continue", "1", shell.write("4/ Nor did the wind.\n5/ It rose. /end\n", "more.txt"))
    shell.publish_all()

    shown = shell.ok("skip", "1")

    assert "#1 on news is queued now" in shown
    (event,) = (one for one in shell.json("events", "1")["events"] if one["what"] == "skip")
    assert event["detail"].startswith("post 4 (part 4) is left out: there is no post 3 to reply to")


def test_retry_behind_what_still_exists(published: Shell) -> None:
    """Where a post was deleted by hand, `retry --mend` goes on behind the last one that still exists."""
    shell = published
    more = "4/ Nor did the wind.\n5/ It rose. /end\n"
    *kept, last = lines(shell, "news")
    write(shell, "news", *kept, last, {"remote_id": "3", "at": last["at"], "deleted": True})
    assert shell("retry", "1", "--mend", "-c", "news").exit_code == Exit.NOT_ALLOWED
    shell.ok("add", "--continue", "1", shell.write(more, "more.txt"))
    shell.publish_all()
    assert {one["state"] for one in shell.json("show", "1")["deliveries"]} == {"failed", "published"}
    assert shell.ok("queue").startswith(
        "Waiting for you\n  #1 on news is failed: there is no post 3 to reply to"
    )
    shell.ok("retry", "1", "--mend", "-c", "news")
    shell.publish_all()
    posted = {line["remote_id"]: line["reply_to"] for line in lines(shell, "news") if "text" in line}
    assert posted == {"1": None, "2": "1", "3": "2", "4": "2", "5": "4"}
