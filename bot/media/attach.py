"""The files that a thread names: found, looked at and kept, all of them before it is queued."""

from contextlib import AbstractContextManager
from typing import BinaryIO

from threadcast.bot.media import images
from threadcast.bot.media.errors import MediaError
from threadcast.bot.media.fetch import Fetcher
from threadcast.bot.media.kinds import is_page, kind_of
from threadcast.bot.media.sources import Files
from threadcast.bot.media.store import MediaStore
from threadcast.bot.plain import plain
from threadcast.queue.text.media import Media, MediaKind, StoredFile
from threadcast.queue.text.thread import Thread, with_files


class Attacher:
    """Keeps the files of threads in the store, and tells the threads what they are."""

    def __init__(self, store: MediaStore, fetcher: Fetcher | None = None) -> None:
        self._store = store
        self._fetcher = fetcher or Fetcher()

    def attach(self, thread: Thread, files: Files | None) -> Thread:
        """Return a thread that knows its files; those that it knows are kept already.

        Raises MediaError, and says the line; then nothing of the thread may be queued.
        """
        found: dict[str, StoredFile] = {}
        for media in thread.media:
            if media.file is None and media.source not in found:
                try:
                    found[media.source] = self._keep(media, files)
                except MediaError as error:
                    raise MediaError(f"line {media.line}: {error}") from error.__cause__
        return with_files(thread, found) if thread.media else thread

    def _keep(self, media: Media, files: Files | None) -> StoredFile:
        name = plain(media.name)
        with self._opened(media, files) as content:
            kept = self._store.keep(name, content)
        kind, mime = kind_of(name, kept.head)
        if kind is MediaKind.DOCUMENT and media.is_remote and is_page(kept.head):
            raise MediaError(f"{plain(media.source)} is a web page; write the address of the picture itself")
        width = height = 0
        if kind is MediaKind.IMAGE:
            with self._store.opened(kept.digest, name) as path:
                seen = images.measure(name, path)
            width, height = seen.width, seen.height
            kind = MediaKind.ANIMATION if seen.animated else kind
        return StoredFile(kept.digest, kind, mime, kept.size, width, height)

    def _opened(self, media: Media, files: Files | None) -> AbstractContextManager[BinaryIO]:
        if media.is_remote:
            return self._fetcher.opened(media.source)
        if files is None:
            raise MediaError(f"{plain(media.source)} did not come with the text; send it along")
        return files.opened(media.source)
