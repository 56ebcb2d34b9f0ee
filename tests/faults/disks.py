"""Disks for tests: a small one of its own, filled and emptied at will, or made read-only."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SIZE = 4 * 1024 * 1024  # bytes


class Disk:
    """A file system in memory, mounted on a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        """Leave not a byte of room."""
        with (self.folder / "ballast").open("ab", buffering=0) as file:
            for size in (65536, 512, 1):
                while _wrote(file.fileno(), bytes(size)):
                    pass

    def empty(self) -> None:
        """Give the room back."""
        (self.folder / "ballast").unlink()

    def protect(self) -> None:
        """Let nobody write, root neither."""
        subprocess.run(["mount", "-o", "remount,ro", self.folder], check=True)


def _wrote(handle: int, data: bytes) -> bool:
    try:
        return os.write(handle, data) == len(data)
    except OSError:
        return False


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """A disk of SIZE; skips the test where this machine lets us mount none."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"no disk of its own for this test: {done.stderr.strip()}")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
