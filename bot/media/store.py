"""The files of all threads: each once, by the SHA-256 of its content, until no thread needs it.

A file is on the disk, under its name, before a thread that shows it is in the queue. What no thread needs is
removed a day later at the earliest: its thread may be about to be added.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, BinaryIO

from threadcast.bot.durable import UNFINISHED, finish, unfinished
from threadcast.bot.languages import _
from threadcast.bot.media.errors import MediaError

FOLDER = "media"
MAX_FILE = 100 * 1024 * 1024  # bytes; the most that any network takes
SHORT = 16  # digits of a digest, by which a text may name a file that is kept
CHUNK = 1024 * 1024
HEAD = 4096  # bytes that tell what a file is


@dataclass(frozen=True, slots=True)
class Kept:
    """A file in the store: its digest, how many bytes it has, and the first of these."""

    digest: str
    size: int
    head: bytes


class MediaStore:
    """The files in the folder `media` of the data folder. Calls block; they may come from any thread."""

    def __init__(self, data: Path) -> None:
        self._folder = data.absolute() / FOLDER

    def keep(self, name: str, content: BinaryIO) -> Kept:
        """Keep what can be read there, durably.

        Raises MediaError where it is too large, or cannot be written.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with unfinished(self._folder) as file:
                kept = _copied(name, content, file)
                path = self._path(kept.digest)
                path.parent.mkdir(mode=0o700, exist_ok=True)
                finish(file, path)  # the same content again is new again
        except OSError as error:
            raise MediaError(f"{name} cannot be kept in {self._folder}: {error.strerror or error}") from None
        return kept

    def found(self, beginning: str) -> str | None:
        """Return the digest that begins so; None where there is no such file."""
        return next((path.name for path in self._folder.glob(f"{beginning[:2]}/{beginning}*")), None)

    @contextmanager
    def opened(self, digest: str, name: str) -> Iterator[Path]:
        """Yield the path of a file, to be read. Raises MediaError where it is not there any more."""
        path = self._path(digest)
        if not path.is_file():
            said = _("{name} is not in {folder} any more; add the thread again with it")
            raise MediaError(said.format(name=name, folder=self._folder))
        yield path

    def sweep(self, needed: frozenset[str], before: float) -> int:
        """Remove the files that were kept before a moment and are not needed; how many these were.

        `needed` has digests, or their first SHORT digits.
        """
        removed = 0
        for path in self._folder.glob("??/*"):
            if needed.isdisjoint({path.name, path.name[:SHORT]}) and path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
                removed += 1
        for path in self._folder.glob(f"{UNFINISHED}*"):
            if path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
        return removed

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest


def _copied(name: str, content: BinaryIO, file: IO[bytes]) -> Kept:
    """Copy all there is. Raises MediaError, OSError."""
    digest, size, head = sha256(), 0, b""
    while chunk := content.read(CHUNK):
        head += chunk[: HEAD - len(head)]  # the first chunks may be short
        size += len(chunk)
        if size > MAX_FILE:
            said = _("{name} is larger than {megabytes} MB, more than any network takes; make it smaller")
            raise MediaError(said.format(name=name, megabytes=MAX_FILE // CHUNK))
        digest.update(chunk)
        file.write(chunk)
    return Kept(digest.hexdigest(), size, head)
