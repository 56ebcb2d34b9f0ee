"""Who may write to the SQLite file: one thread of one program at a time.

SQLite has a lock of its own for that, which who waits for it naps and tries again. Ours is there for
another reason: before 3.51.3 a checkpoint of the write-ahead log that runs while another connection
commits can lose a committed transaction (https://www.sqlite.org/wal.html#walresetbug). A connection
checkpoints within its own commit, so where commits take turns, checkpoints and commits never meet. The
last connection to close checkpoints too, while SQLite keeps everybody else out.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy.engine import URL

from threadcast.queue.model import StoreError
from threadcast.queue.store.engine import PATIENCE, real_file

NAP = 0.002  # seconds between two tries where another program writes
SUFFIX = "-turn"  # of the file beside the database whose lock is the turn; the file itself stays empty

Turn = Callable[[], AbstractContextManager[object]]


def turns(url: URL, *, patience: float = PATIENCE) -> Turn:
    """What gives one turn to write to this database; a server sees to turns itself.

    A turn raises StoreError where another program writes for longer than `patience`, in seconds.
    """
    if url.drivername != "sqlite":
        return nullcontext
    path = Path(f"{real_file(url)}{SUFFIX}")
    threads = threading.Lock()

    @contextmanager
    def turn() -> Iterator[None]:
        with threads:
            handle = _open(path)
            try:
                _lock(handle, path, patience)
                yield
            finally:
                os.close(handle)  # which lets go of the lock

    return turn


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(
            f"the database's lock {path} cannot be opened: {error.strerror}; "
            "mend the rights of the file and of its folder"
        ) from error


def _lock(handle: int, path: Path, patience: float) -> None:
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise StoreError(
                    f"the database {str(path).removesuffix(SUFFIX)} is held by another program; "
                    "end it or wait, and try again"
                ) from None
            time.sleep(NAP)
        else:
            return
