"""The files that a thread names: found, looked at and kept, all of them before it is queued."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from threadcast.bot.media import images
from threadcast.bot.media.bucket import AwayError
from threadcast.bot.media.errors import MediaError
from threadcast.bot.media.kinds import is_page, kind_of
from threadcast.bot.media.sources import Files
from threadcast.bot.media.store import HEAD, SHORT, Kept, MediaStore
from threadcast.bot.plain import plain
from threadcast.queue.sentences import Sentence
from threadcast.queue.text.media import Media, MediaKind, StoredFile
from threadcast.queue.text.thread import Thread, with_files

if TYPE_CHECKING:
    from threadcast.bot.media.fetch import Fetcher

_KEPT = re.compile(rf"files/(?P<digest>[0-9a-f]{{{SHORT}}})/.+")
_UNFIT = re.compile(r"[/\\()<>\[\]\s]+")  # in a line that names a file


def kept_source(file: StoredFile, name: str) -> str:
    """Return a source that names a kept file, wherever the text is read that it stands in."""
    return f"files/{file.digest[:SHORT]}/{name}"


def as_kept(media: Media) -> Media:
    """Return a file as a text names it wherever it is read, where it is kept."""
    name = _UNFIT.sub("-", media.name)
    return replace(media, source=kept_source(media.file, name)) if media.file else media


def portable(thread: Thread, named: Callable[[Media], Media] = as_kept) -> Thread:
    """Return a thread whose text names its files as kept ones, so that they need not come with it.

    `named` names one in another way.
    """
    parts = tuple(
        replace(part, media=tuple(map(named, part.media))) if part.media else part for part in thread.parts
    )
    return replace(thread, parts=parts)


class Attacher:
    """Keeps the files of threads in the store, and tells the threads what they are."""

    def __init__(self, store: MediaStore, fetcher: "Fetcher | None" = None) -> None:
        self._store = store
        self._fetcher = fetcher

    def attach(self, thread: Thread, files: Files | None) -> Thread:
        """Return a thread that knows its files; those that it knows are kept already.

        Raises AwayError, or MediaError, and says the line; then nothing of the thread may be queued.
        """
        found: dict[str, StoredFile] = {}
        for media in thread.media:
            if media.file is None and media.source not in found:
                try:
                    found[media.source] = self._keep(media, files)
                except AwayError:
                    raise
                except MediaError as error:
                    said = Sentence("line {line}: {fault}", line=media.line, fault=error)
                    raise MediaError(said) from error.__cause__
        return with_files(thread, found) if thread.media else thread

    def keep(self, name: str, content: BinaryIO) -> Media:
        """Keep a file that came by itself, as a text can show it. Raises MediaError."""
        name = _UNFIT.sub("-", name)
        file = self._looked_at(plain(name), content)
        return Media("", kept_source(file, name), 0, file)

    @contextmanager
    def opened(self, file: StoredFile, name: str) -> Iterator[Path]:
        """Yield where a kept file can be read. Raises MediaError."""
        with self._store.opened(file.digest, plain(name)) as path:
            yield path

    def known(self, thread: Thread) -> Thread:
        """Return a thread that knows those of its files that are kept; no other one is looked for."""
        found: dict[str, StoredFile] = {}
        for media in thread.media:
            if kept := _KEPT.fullmatch(media.source):
                with suppress(MediaError):
                    found[media.source] = self.shown(kept["digest"])[1]
        return with_files(thread, found) if found else thread

    def shown(self, beginning: str) -> tuple[Path, StoredFile]:
        """Return where a kept file can be read, and what it is. Raises MediaError where it is not there."""
        digest = self._store.found(beginning)
        if digest is None:
            raise MediaError(Sentence("{name} is not kept here any more; send it again", name=beginning))
        with self._store.opened(digest, beginning) as path:
            return path, _what_is(path)

    def _keep(self, media: Media, files: Files | None) -> StoredFile:
        name = plain(media.name)
        with self._opened(media, files) as content:
            return self._looked_at(name, content, address=plain(media.source) if media.is_remote else "")

    def _looked_at(self, name: str, content: BinaryIO, address: str = "") -> StoredFile:
        kept = self._store.keep(name, content)
        if address and kind_of(name, kept.head)[0] is MediaKind.DOCUMENT and is_page(kept.head):
            raise MediaError(
                Sentence("{name} is a web page; write the address of the picture itself", name=address)
            )
        with self._store.opened(kept.digest, name) as path:
            return _file_of(name, kept, path)

    def _opened(self, media: Media, files: Files | None) -> AbstractContextManager[BinaryIO]:
        if known := _KEPT.fullmatch(media.source):
            return self._kept(known["digest"], plain(media.name))
        if media.is_remote:
            from threadcast.bot.media.fetch import Fetcher  # noqa: PLC0415  # few files come from elsewhere

            return (self._fetcher or Fetcher()).opened(media.source)
        if files is None:
            raise MediaError(
                Sentence("{name} did not come with the text; send it along", name=plain(media.source))
            )
        return files.opened(media.source)

    @contextmanager
    def _kept(self, beginning: str, name: str) -> Iterator[BinaryIO]:
        digest = self._store.found(beginning)
        if digest is None:
            raise MediaError(Sentence("{name} is not kept here any more; send it again", name=name))
        with self._store.opened(digest, name) as path, path.open("rb") as file:
            yield file


def _file_of(name: str, kept: Kept, path: Path) -> StoredFile:
    """Return what a kept file is. Raises MediaError where it is not what its name says."""
    kind, mime = kind_of(name, kept.head)
    width = height = 0
    if kind is MediaKind.IMAGE:
        seen = images.measure(name, path)
        width, height = seen.width, seen.height
        kind = MediaKind.ANIMATION if seen.animated else kind
    return StoredFile(kept.digest, kind, mime, kept.size, width, height)


@lru_cache(maxsize=1000)  # what has this digest stays as it is, and is looked at again with each key press
def _what_is(path: Path) -> StoredFile:
    with path.open("rb") as file:
        kept = Kept(path.name, path.stat().st_size, file.read(HEAD))
    return _file_of(kept.digest, kept, path)
