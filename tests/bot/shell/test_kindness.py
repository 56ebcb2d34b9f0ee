"""What a new user types by mistake or out of curiosity: each answer is true, and says what to type next."""

import pytest

from tests.bot.shell.terminal import terminal, threadcast
from tests.bot.shell.typed import THREAD, Shell
from threadcast.bot.shell.exits import Exit


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("add",), "name a FILE or - for standard input. See: threadcast add --help"),
        (("preview",), "name a FILE or the ID of a thread or - for standard input. See:"),
        (("backup",), "name a FILE. See: threadcast backup --help"),
        (("show",), "say which thread: threadcast queue and threadcast history list their numbers. See:"),
        (("completion",), "say which: bash, zsh, fish. See: threadcast completion --help"),
        (("settle", "1"), "say which: sent, not-sent. See: threadcast settle --help"),
        (("adopt", "x"), "say --channel NAME. See: threadcast adopt --help"),
        (("adopt", "x", "-c", "news"), "say --parts N. See: threadcast adopt --help"),
        (("export", "--all"), "say --all DIR. See: threadcast export --help"),
        (("add", "--at"), "say --at TIME. See: threadcast add --help"),
        (("queue", "--json=1"), "say --json. See: threadcast queue --help"),
    ],
)
def test_what_is_missing(shell: Shell, words: tuple[str, ...], says: str) -> None:
    """A word that is missing is asked for by what it means, on one line without strange characters."""
    result = shell(*words)
    assert (result.exit_code, result.stdout) == (Exit.USAGE, "")
    assert says in result.stderr
    assert result.stderr.count("\n") == 1
    assert "�" not in result.stderr


def test_what_was_taken_down_has_no_address(shell: Shell) -> None:
    """`history` and `show` give no address of a post that is gone."""
    shell.ok("add", "--channel", "news", shell.write(THREAD))
    shell.publish_all()
    assert "timeline.html#" in shell.ok("history")
    assert "timeline.html#" in shell.ok("show", "1")
    shell.ok("undo", "1", "--yes")
    for shown in (shell.ok("history"), shell.ok("show", "1")):
        assert "timeline.html#" not in shown
        assert "gone" in shown


def test_an_address_can_be_copied(shell: Shell) -> None:
    """On a narrow terminal an address stays in one piece, for the terminal to wrap and a person to copy."""
    shell.ok("add", "--channel", "news", shell.write(THREAD))
    shell.publish_all()
    address = shell.json("history")["deliveries"][0]["posts"][0]["url"]
    assert len(address) > 58
    for words in (("history",), ("show", "1")):
        with terminal(threadcast(*words), folder=shell.folder, env=shell.env, columns=60) as shown:
            assert shown.end() == 0
        assert address in shown.shown


def test_an_audit_of_what_was_taken_down(shell: Shell) -> None:
    """`audit` of a chain that its owner took down says that nothing of it is out, and that is no fault."""
    shell.ok("add", "--channel", "news", shell.write(THREAD))
    shell.publish_all()
    shell.ok("undo", "1", "--yes")
    assert shell.ok("audit", "1") == "#1 on news: nothing of it is out.\n"
    (told,) = shell.json("audit", "1")["deliveries"]
    assert (told["looked_at"], told["problem"]) == (0, "nothing of it is out")


def test_resume_where_no_service_runs(shell: Shell) -> None:
    """`resume` does not promise that something starts where no service runs."""
    shell.ok("pause", "news")
    shown = shell.ok("resume", "news")
    assert shown == "news is ready.\nNo service is running here; start it with: threadcast run\n"
    shell.ok("pause")
    with terminal(threadcast("run"), folder=shell.folder, env=shell.env) as service:
        service.wait_for("running")
        assert "news is ready; what is due starts now." in shell.ok("resume")


def test_publish_of_what_is_queued(shell: Shell) -> None:
    """`publish` of a thread that waits its turn says so, and how it goes at once."""
    shell.ok("add", shell.write(THREAD))
    result = shell("publish", "1")
    assert result.exit_code == Exit.NOT_ALLOWED
    assert "is queued already" in result.stderr
    assert "threadcast publish 1 --now" in result.stderr


def test_restore_where_nothing_happened_since(shell: Shell) -> None:
    """Where nothing went out after the backup, nobody is told to cancel anything."""
    shell.ok("add", shell.write(THREAD))
    shell.ok("backup", "copy")
    shown = shell.ok("restore", "copy")
    assert "Nothing that waits in it went out meanwhile. To go on: threadcast resume" in shown
    assert "ancel" not in shown
