"""Ctrl-C while a command waits."""

import subprocess
import sys


def test_whenever_it_is_pressed() -> None:
    """A Ctrl-C ends the pause of a command that waits, whichever step of it it falls into."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bot.shell.pressed"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10
