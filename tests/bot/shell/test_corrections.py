"""What is out is corrected from the shell: shown, confirmed, edited where it stands, or refused."""

from pathlib import Path

import pytest

from tests.bot.media.drawn import jpeg, moving, put
from tests.bot.shell.typed import THREAD, Shell
from threadcast.bot.channels.local.timeline import read_newest

CORRECTED = THREAD.replace("slept by day", "slept all day")


@pytest.fixture
def out(shell: Shell) -> Shell:
    """A shell where thread 1 is published on both channels."""
    shell.ok("add", shell.write(THREAD))
    shell.publish_all()
    return shell


def texts(shell: Shell, channel: str = "news") -> list[str]:
    timeline = read_newest(Path(shell.folder) / "threadcast-data" / f"{channel}.jsonl")
    assert timeline is not None
    return [entry.text for entry in timeline.entries]


def test_a_correction_is_shown_first(out: Shell) -> None:
    """Without a yes the change is shown, nothing is done, and it is said how to do it."""
    result = out("edit", "1", stdin=CORRECTED)
    assert result.exit_code == 2
    assert "− 2/ The keeper slept by day." in result.stdout
    assert "+ 2/ The keeper slept all day." in result.stdout
    assert "edit 1 post on masto, 1 post on news where they stand: threadcast edit 1 --yes" in result.stderr
    out.publish_all()
    assert texts(out) == THREAD.splitlines()


@pytest.mark.parametrize("channel", ["news", "masto"])
def test_a_correction(out: Shell, channel: str) -> None:
    """With a yes it is queued; the service edits what is out, and history, events and audit tell it."""
    assert "queued" in out.ok("edit", "1", "--yes", stdin=CORRECTED)
    out.publish_all()
    assert texts(out, channel) == CORRECTED.splitlines()
    assert "posts 2" in out.ok("events", "1")
    assert "as it was sent: all 3 posts" in out.ok("audit", "1")


def test_parts_at_the_end(out: Shell) -> None:
    """Parts added at the end continue the chain, beside what is edited."""
    longer = CORRECTED + "4/ And the fog came.\n"
    shown = out("edit", "1", stdin=longer)
    assert "edit 1 post on masto, 1 post on news where they stand and add 1 part" in shown.stderr
    out.ok("edit", "1", "--yes", stdin=longer)
    out.publish_all()
    assert texts(out) == longer.splitlines()


def test_a_warning_on_what_is_out(out: Shell) -> None:
    """A setting that is shown with every post is corrected on every post, and the text stays."""
    out.ok("edit", "1", "--yes", stdin=f"---\nwarning: sea\n---\n{THREAD}")
    out.publish_all()
    assert texts(out, "masto") == THREAD.splitlines()
    assert texts(out, "news") == [f"⚠️ sea\n{line}" for line in THREAD.splitlines()]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1/ The lamp was lit at dusk.\n2/ The sea did not. /end\n", "has 2 parts, and 3 are out"),
        (
            "1/ The lamp was lit at dusk. ⬇️\n2/ New\n3/ The keeper slept by day.\n4/ The sea did not. /end\n",
            "part 2 of thread 1 is new",
        ),
        (THREAD.replace("slept", "slept " * 100), "part 2 of thread 1 does not fit on masto"),
        (THREAD.replace("3/", "5/"), "part 3 of thread 1 does not fit on masto"),
        (f"---\nvisibility: private\n---\n{THREAD}", "the setting visibility of thread 1 stays"),
        (f"{THREAD}4/\n", "numbers and no text"),
    ],
)
def test_what_cannot_be_done_in_place(out: Shell, text: str, said: str) -> None:
    """What cannot be corrected where it stands is refused with the reason, and nothing is changed."""
    result = out("edit", "1", "--yes", stdin=text)
    assert result.exit_code in {3, 7}, result.output
    assert said in result.stderr
    out.publish_all()
    assert texts(out) == THREAD.splitlines()
    assert out.ok("export", "1") == THREAD


def pictures(shell: Shell, channel: str = "masto") -> list[list[tuple[str, str, str]]]:
    """Each post's files: which, of what kind, and what is said of it."""
    timeline = read_newest(Path(shell.folder) / "threadcast-data" / f"{channel}.jsonl")
    assert timeline is not None
    return [[(one.file, one.kind, one.description) for one in entry.media] for entry in timeline.entries]


SHOWN = THREAD + "![a lamp](a.jpg)\n"


@pytest.fixture
def shown(shell: Shell) -> Shell:
    """A shell where thread 1 is published, its last part with a picture."""
    put(shell.folder, a_jpg=jpeg())
    (shell.folder / "new").mkdir()
    put(shell.folder / "new", a_jpg=jpeg(90, 90), b_jpg=jpeg(80, 80), c_gif=moving("GIF"))
    shell.ok("add", shell.write(SHOWN))
    shell.publish_all()
    return shell


@pytest.mark.parametrize("channel", ["news", "masto"])
@pytest.mark.parametrize("line", ["![a lamp](b.jpg)", "![a lamp](a.jpg)", "![it turns](c.gif)"])
def test_another_file(shown: Shell, channel: str, line: str) -> None:
    """A file takes the place of another, also of the same name; that is shown first, and audit agrees."""
    before = pictures(shown, channel)
    text = f"{THREAD}{line}\n"
    told = shown("edit", "1", "--media", "new", stdin=text)
    assert told.exit_code == 2
    assert line in told.stdout
    assert ("another file of this name" in told.stdout) == ("a.jpg" in line)
    shown.ok("edit", "1", "--media", "new", "--yes", stdin=text)
    shown.publish_all()
    after = pictures(shown, channel)
    assert after[:2] == before[:2] == [[], []]
    assert after[2] != before[2]
    assert [said for _, _, said in after[2]] == [line[2 : line.index("]")]]
    assert "as it was sent: all 3 posts" in shown.ok("audit", "1")


def test_what_is_said_of_a_file(shown: Shell) -> None:
    """A description is corrected; the file stays as it was."""
    before = pictures(shown)
    shown.ok("edit", "1", "--yes", stdin=SHOWN.replace("a lamp", "a lamp at dusk"))
    shown.publish_all()
    assert pictures(shown)[2] == [(*before[2][0][:2], "a lamp at dusk")]


def test_a_file_more_or_less(shown: Shell) -> None:
    """Where the network has room for it a post gets a file more, or loses one; elsewhere that is refused."""
    more = f"{SHOWN}![another](b.jpg)\n"
    for text, said in ((more, "shows more files, or fewer, than on news"), (THREAD, "more files, or fewer")):
        result = shown("edit", "1", "--media", "new", "--yes", stdin=text)
        assert result.exit_code == 7, result.output
        assert said in result.stderr
        assert "threadcast undo 1" in result.stderr
    shown.ok("undo", "1", "--channel", "news", "--yes")
    for text, many in ((more, 2), (THREAD, 0)):
        shown.ok("edit", "1", "--media", "new", "--yes", stdin=text)
        shown.publish_all()
        assert [len(one) for one in pictures(shown)] == [0, 0, many]


def test_a_file_that_nobody_described(shown: Shell) -> None:
    """Where a channel requires descriptions, a new file without one is refused; words alone are corrected."""
    shown.env["THREADCAST_CHANNELS__MASTO__DESCRIPTIONS"] = "required"
    result = shown("edit", "1", "--media", "new", "--yes", stdin=f"{THREAD}![](b.jpg)\n")
    assert result.exit_code == 3, result.output
    assert "b.jpg has no description; on masto it is required" in result.stderr
    shown.ok("edit", "1", "--yes", stdin=SHOWN.replace("slept by day", "slept all day"))


def test_a_file_that_did_not_come_with_the_text(shown: Shell) -> None:
    """A new file that nobody gave is named, and how to give it; nothing is changed."""
    result = shown("edit", "1", "--yes", stdin=SHOWN.replace("a.jpg", "b.jpg"))
    assert result.exit_code == 3, result.output
    assert "b.jpg is new in this thread; say in which folder it is: --media FOLDER" in result.stderr
    assert shown.ok("export", "1") == SHOWN


def test_files_are_edited_back(shown: Shell) -> None:
    """Where somebody changed what is said of a file, audit tells it, and it is edited back."""
    before = pictures(shown)
    path = shown.folder / "threadcast-data" / "masto.jsonl"
    path.write_text(path.read_text().replace("a lamp", "a boat"))
    assert "what is said of them" in shown("audit", "1").stdout
    shown.ok("edit", "1", "--back", "--yes")
    shown.publish_all()
    assert pictures(shown) == before


def test_edited_back(out: Shell) -> None:
    """Where somebody changed what is out, audit says how to edit it back; that is done, post by post."""
    path = out.folder / "threadcast-data" / "news.jsonl"
    path.write_text(path.read_text().replace("slept by day", "was away"))
    told = out("audit", "1")
    assert told.exit_code == 7
    assert "threadcast edit 1 --back" in told.stdout
    assert "1 post on news" in out("edit", "1", "--back").stderr
    out.ok("edit", "1", "--back", "--yes")
    out.publish_all()
    assert texts(out) == THREAD.splitlines()
    assert "nothing was changed" in out.ok("edit", "1", "--back", "--yes")


def test_what_waits_is_edited_as_before(shell: Shell) -> None:
    """A thread that has not begun is changed at once, without being asked."""
    shell.ok("add", shell.write(THREAD))
    shell.ok("edit", "1", stdin=CORRECTED)
    assert shell.ok("export", "1") == CORRECTED
