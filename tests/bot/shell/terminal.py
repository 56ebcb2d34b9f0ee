"""A terminal of so many columns, in which a command runs as a person would see it."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 30.0  # seconds a test waits for what it is to see
KEPT = ("PYTHONPATH", "PATH")  # what a process needs of this one's environment


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """What a command is given: a terminal's usual variables, and these."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "TERM": "xterm-256color", "PYTHONUTF8": "1", **more}


class Terminal:
    """A command that runs in a terminal, and what it has shown so far."""

    def __init__(self, popen: "subprocess.Popen[bytes]", screen: int) -> None:
        self.popen = popen
        self.shown = ""
        self._screen = screen
        self._bytes = b""

    def _read(self, deadline: float) -> bool:
        """Take what has come; False at the end."""
        ready, _, _ = select.select([self._screen], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"nothing more came after:\n{self.shown}"
        try:
            data = os.read(self._screen, 65536)
        except OSError:  # how Linux says that the other side has closed it
            data = b""
        self._bytes += data
        self.shown = self._bytes.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)

    def wait_for(self, words: str) -> None:
        """Until these words are on the screen."""
        self.wait_until(lambda shown: words in shown, words)

    def wait_until(self, seen: Callable[[str], bool], words: str = "what was waited for") -> None:
        """Until what was shown so far is so."""
        deadline = time.monotonic() + PATIENCE
        while not seen(self.shown):
            assert self._read(deadline), f"never showed {words!r}:\n{self.shown}"

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._screen, keys.encode())

    def interrupt(self) -> int:
        """Press Ctrl-C until the command ends; its exit code.

        Python takes no notice of one that comes in the moment before it waits for input, and dies of one
        that comes while it ends: the second is pressed late.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self.press("\x03")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.popen.wait(PATIENCE / 5)
                break
        return self.end()

    def end(self) -> int:
        """Until the command ends; its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._read(deadline):
            pass
        return self.popen.wait(PATIENCE)


@contextmanager
def terminal(
    words: Sequence[str], *, folder: Path, env: Mapping[str, str], columns: int = 80
) -> Iterator[Terminal]:
    """Run a command in a terminal of its own; Ctrl-C reaches it as it would a person's."""
    screen, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    popen = subprocess.Popen(
        words,
        cwd=folder,
        env=environment(env),
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509  # two system calls, and no lock
    )
    os.close(inside)
    try:
        yield Terminal(popen, screen)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(popen.pid, signal.SIGKILL)
        popen.wait(PATIENCE)
        os.close(screen)


def _take_terminal() -> None:
    """In the new process: the terminal on its standard input is the one whose keys reach it.

    Ctrl-C too: whatever runs the tests in the background has it ignored, and processes inherit that.
    """
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def threadcast(*words: str) -> list[str]:
    """The command line of one of our commands."""
    return [sys.executable, "-m", "threadcast.bot", *words]
