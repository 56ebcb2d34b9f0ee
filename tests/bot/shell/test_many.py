"""With very many channels, what is the same for them is said once, with how many there are."""

import pytest

from tests.bot.shell.typed import THREAD, Shell

MANY = 60
LONGEST = 200  # characters of a line that a person reads


@pytest.fixture
def crowd(shell: Shell) -> Shell:
    shell.env = {f"THREADCAST_CHANNELS__C{number:02}__KIND": "local" for number in range(MANY)}
    shell.write(THREAD)
    return shell


def test_what_is_said(crowd: Shell) -> None:
    """Adding, looking, publishing and checking name a few of the channels and how many more there are."""
    some = "c00, c01, c02, c03, c04 and 55 more"
    assert f"  {some}: queued, starts in turn\n" in crowd.ok("add", "thread.txt")
    assert f"  {some}: not added, thread 1 is the same (queued)" in crowd.ok("add", "thread.txt")
    assert f" on {some}: 3 posts, limit 500\n" in crowd.ok("preview", "thread.txt")
    assert f"#1 on {some} is held now" in crowd.ok("hold", "1")
    assert f"#1 on {some} is held" in crowd.ok()
    assert f"#1 on {some} is queued now" in crowd.ok("publish", "1")
    refused = crowd("add", "-c", "nowhere", "--again", "thread.txt").stderr
    assert some in refused
    for words in ((), ("add", "--again", "thread.txt"), ("cancel", "1")):
        assert max(map(len, crowd.ok(*words).splitlines())) < LONGEST


def test_few_are_named(shell: Shell) -> None:
    """Of a few channels each is named."""
    assert "  masto, news: queued, starts in turn\n" in shell.ok("add", shell.write(THREAD))
    shown = shell.ok("hold", "1")
    assert "#1 on masto is held now" in shown
    assert "#1 on news is held now" in shown
