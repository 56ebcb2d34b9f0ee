"""The files of all threads: each once, by the SHA-256 of its content, until no thread needs it.

A file is kept, under its name, before a thread that shows it is in the queue. What no thread needs is removed
a day later at the earliest: its thread may be about to be added. Where the files are in an object store, the
folder has copies of those that were at work lately.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, BinaryIO

from threadcast.bot.durable import UNFINISHED, finish, unfinished, write_whole
from threadcast.bot.media.bucket import Bucket
from threadcast.bot.media.errors import MediaError
from threadcast.config.media import folder_of
from threadcast.config.settings import Settings
from threadcast.queue.sentences import Sentence

FOLDER = "media"
MAX_FILE = 100 * 1024 * 1024  # bytes; the most that any network takes
SHORT = 16  # digits of a digest, by which a text may name a file that is kept
CHUNK = 1024 * 1024
OWNER = "queue"  # the file that says whose the others are
HEAD = 4096  # bytes that tell what a file is


@dataclass(frozen=True, slots=True)
class Kept:
    """A file in the store: its digest, how many bytes it has, and the first of these."""

    digest: str
    size: int
    head: bytes


class MediaStore:
    """The files in the folder `media` of the data folder, or in a bucket. Calls block, from any thread."""

    def __init__(self, data: Path, bucket: Bucket | None = None, *, folder: str = FOLDER) -> None:
        self._folder = data.absolute() / folder
        self._bucket = bucket
        self.is_here = bucket is None  # on this machine alone
        self.place = bucket.address if bucket else str(self._folder)

    def keep(self, name: str, content: BinaryIO) -> Kept:
        """Keep what can be read there, durably.

        Raises MediaError where it is too large, or cannot be written.
        """
        kept = self._put(name, iter(lambda: content.read(CHUNK), b""))
        if self._bucket:
            self._bucket.put(kept.digest, self._path(kept.digest))
        return kept

    def found(self, beginning: str) -> str | None:
        """Return the digest that begins so; None where there is no such file. Raises MediaError."""
        here = (path.name for path in self._folder.glob(f"{beginning[:2]}/{beginning}*"))
        return next(here, None) or next(iter(self._bucket.kept(beginning) if self._bucket else ()), None)

    @contextmanager
    def opened(self, digest: str, name: str) -> Iterator[Path]:
        """Yield the path of a file, to be read. Raises MediaError where it is not there any more."""
        path = self._path(digest)
        if not self._is_here(path):
            self._bring(digest, name)
        yield path

    def belongs_to(self, queue: str) -> bool:
        """Whether the files are this queue's: the first that asks has them. Raises MediaError, OSError."""
        path = self._folder / OWNER
        if self._bucket:
            return self._bucket.mark(OWNER, queue) == queue
        if not path.exists():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(path, queue.encode())
        return path.read_text(encoding="utf-8") == queue

    def sweep(self, needed: frozenset[str], before: float) -> int:
        """Remove the files that were kept before a moment and are not needed; how many these were.

        `needed` has digests, or their first SHORT digits. Raises MediaError, OSError.
        """
        here = {path.name: path.stat().st_mtime for path in self._folder.glob("??/*")}
        kept = self._bucket.kept() if self._bucket else here
        spare = {one for one in here.keys() | kept.keys() if needed.isdisjoint({one, one[:SHORT]})}
        unneeded = [one for one in kept if one in spare and kept[one] < before]
        old = [one for one in here if here[one] < before] if self._bucket else unneeded
        if self._bucket:
            for digest in here.keys() - kept.keys() - spare:  # kept before there was a bucket
                self._bucket.put(digest, self._path(digest))
            for digest in unneeded:
                self._bucket.remove(digest)
        for path in (*map(self._path, old), *self._unfinished(before)):
            path.unlink(missing_ok=True)
        return len(unneeded)

    def _is_here(self, path: Path) -> bool:
        """Whether a file need not be brought; a copy that is at work is new again."""
        with suppress(OSError):
            if self._bucket:
                os.utime(path)
            return path.is_file()
        return False

    def _unfinished(self, before: float) -> list[Path]:
        return [one for one in self._folder.glob(f"{UNFINISHED}*") if one.stat().st_mtime < before]

    def _bring(self, digest: str, name: str) -> None:
        """Copy a file out of the bucket. Raises MediaError."""
        try:
            if self._bucket and self._put(name, self._bucket.get(digest)).digest == digest:
                return
        except LookupError:
            pass
        raise MediaError(
            Sentence(
                "{name} is not in {folder} any more; add the thread again with it",
                name=name,
                folder=self.place,
            )
        )

    def _put(self, name: str, content: Iterable[bytes]) -> Kept:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with unfinished(self._folder) as file:
                kept = _copied(name, content, file)
                path = self._path(kept.digest)
                path.parent.mkdir(mode=0o700, exist_ok=True)
                finish(file, path)  # the same content again is new again
        except OSError as error:
            raise MediaError(
                Sentence(
                    "{name} cannot be kept in {folder}: {error}",
                    name=name,
                    folder=self._folder,
                    error=error.strerror or error,
                )
            ) from None
        return kept

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest


def open_store(settings: Settings) -> MediaStore:
    """Return the store that the settings name. Nothing is made, and no server is asked."""
    url = settings.media_url
    folder = folder_of(url)
    if url and folder is None:
        return MediaStore(settings.data, Bucket(url, settings.media_secret))
    return MediaStore(settings.data, folder=folder or FOLDER)


def _copied(name: str, content: Iterable[bytes], file: IO[bytes]) -> Kept:
    """Copy all there is. Raises MediaError, OSError."""
    digest, size, head = sha256(), 0, b""
    for chunk in content:
        head += chunk[: HEAD - len(head)]  # the first chunks may be short
        size += len(chunk)
        if size > MAX_FILE:
            raise MediaError(
                Sentence(
                    "{name} is larger than {megabytes} MB, more than any network takes; make it smaller",
                    name=name,
                    megabytes=MAX_FILE // CHUNK,
                )
            )
        digest.update(chunk)
        file.write(chunk)
    return Kept(digest.hexdigest(), size, head)
