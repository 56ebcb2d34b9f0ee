"""Files that are there whole or not at all, whatever moment the power goes."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

UNFINISHED = ".new."  # how files begin that were never finished


@contextmanager
def unfinished(folder: Path) -> Iterator[IO[bytes]]:
    """Yield a new file in a folder, for its owner only. At the end it is gone, unless it was `finish`ed.

    Raises OSError.
    """
    with tempfile.NamedTemporaryFile(prefix=UNFINISHED, dir=folder, delete=False) as file:
        try:
            yield file
        finally:
            Path(file.name).unlink(missing_ok=True)


def finish(file: IO[bytes], path: Path) -> None:
    """Give a file its name, in place of what had it, once all of it is on the disk. Raises OSError."""
    file.flush()
    os.fsync(file.fileno())
    Path(file.name).replace(path)
    sync_folder(path.parent)


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in place, readable by its owner only. Raises OSError."""
    with unfinished(path.parent) as file:
        file.write(content)
        finish(file, path)


def sync_folder(folder: Path) -> None:
    """Make a new name in the folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
