"""How `threadcast add` wakes a running service: a byte through a named pipe in the data folder.

A pipe has no port to guess and no path-length limit, its file mode (0600) says who may use it, and
opening it for writing fails at once when nobody reads: so the shell can tell whether a service runs.
A wake-up is a hint, never data: the queue alone says what is due.
"""

import asyncio
import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

NAME = "wake"


def wake_service(folder: Path) -> bool:
    """Wake the service of this data folder; return False where none is running there."""
    try:
        pipe = os.open(folder / NAME, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        if not stat.S_ISFIFO(os.fstat(pipe).st_mode):
            return False
        with contextlib.suppress(BlockingIOError):  # full of bytes that nobody has read yet: one is enough
            os.write(pipe, b"\n")
        return True
    finally:
        os.close(pipe)


def was_service(folder: Path) -> bool:
    """Return whether a service has worked in this data folder: its pipe stays."""
    return (folder / NAME).is_fifo()


class WakePipe:
    """The service's end of the pipe. Calls `on_wake` on the running loop, once for a burst of bytes.

    Raise OSError where the pipe cannot be made, FileExistsError where another kind of file is there.
    """

    def __init__(self, folder: Path, on_wake: Callable[[], None]) -> None:
        self._on_wake = on_wake
        path = folder / NAME
        with contextlib.suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        if not path.is_fifo():
            raise FileExistsError(f"{path} is not a pipe: move it away, Threadcast needs that name")
        # Open for writing too, or the pipe would report its end each time a command has written to it.
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        asyncio.get_running_loop().add_reader(self._pipe, self._read)

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._pipe, 4096):
                pass
        self._on_wake()

    def close(self) -> None:
        """Close the pipe: nothing wakes this service any more."""
        asyncio.get_running_loop().remove_reader(self._pipe)
        os.close(self._pipe)
