"""Where the files of a text are: in its folder, or in the archive that it came in.

A text names them by paths relative to itself. None leads out of the folder: not by `..`, nor by a link.
"""

import errno
import os
import stat
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol
from urllib.parse import unquote

from threadcast.bot.media.errors import MediaError
from threadcast.bot.plain import plain
from threadcast.queue.sentences import Sentence

MAX_ENTRIES = 1000  # files of an archive
MAX_UNPACKED = 500 * 1024 * 1024  # bytes of all of them
_LINK = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class Files(Protocol):
    """The files that came with a text."""

    def opened(self, name: str) -> AbstractContextManager[BinaryIO]:
        """A context in which a file can be read. Raises MediaError."""
        ...


def steps(name: str) -> tuple[str, ...]:
    """Return a relative path step by step. Raises MediaError where it leads out of the folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    if not path.parts:
        raise MediaError(Sentence("{name} is a folder; name a file in it", name=plain(name)))
    if path.is_absolute() or ":" in path.parts[0] or ".." in path.parts or "\0" in name:
        raise MediaError(
            Sentence("{name} leads out of the text's folder; put the file beside the text", name=plain(name))
        )
    return path.parts


class FolderFiles:
    """The files in a folder and those below it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def opened(self, name: str) -> Iterator[BinaryIO]:
        """Open a file by its name as written, or as an address would write it. Raises MediaError."""
        handle = self._found(name)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise MediaError(
                Sentence("{name} is no plain file; put the file itself beside the text", name=plain(name))
            )
        with os.fdopen(handle, "rb") as file:
            yield file

    def _found(self, name: str) -> int:
        for spelling in dict.fromkeys((name, unquote(name))):
            path = steps(spelling)
            try:
                return self._open(path)
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                if isinstance(error, OSError) and error.errno == errno.ELOOP:
                    raise MediaError(
                        f"{plain(name)} is a link; put the file itself beside the text"
                    ) from None
                cause = getattr(error, "strerror", None) or str(error)
                raise MediaError(
                    Sentence(
                        "{name} cannot be read: {cause}; put the file itself beside the text",
                        name=plain(name),
                        cause=cause,
                    )
                ) from None
        raise MediaError(
            Sentence(
                "there is no file {name} in {folder}; put it there",
                name=plain(name),
                folder=plain(str(self._folder.absolute())),
            )
        )

    def _open(self, path: tuple[str, ...]) -> int:
        """Open a file step by step, following no link."""
        within = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for index, step in enumerate(path):
            last = index == len(path) - 1
            try:
                flags = _LINK if last else _LINK | os.O_DIRECTORY
                following = os.open(_spelt(within, step), flags, dir_fd=within)
            finally:
                os.close(within)
            within = following
        return within


class ArchiveFiles:
    """The files in a ZIP archive, in the folder of it where their text is."""

    def __init__(self, archive: zipfile.ZipFile, folder: PurePosixPath) -> None:
        self._archive = archive
        self._folder = folder
        self._names = {_composed(info.filename): info for info in archive.infolist() if not info.is_dir()}

    @contextmanager
    def opened(self, name: str) -> Iterator[BinaryIO]:
        """Open a file of the archive. Raises MediaError."""
        for spelling in dict.fromkeys((name, unquote(name))):
            info = self._names.get(_composed(str(self._folder.joinpath(*steps(spelling)))))
            if info is not None:
                break
        else:
            raise MediaError(
                Sentence("there is no file {name} in the archive; put it beside the text", name=plain(name))
            )
        try:
            with self._archive.open(info) as file:
                yield file  # type: ignore[misc]  # it can be read
        except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as error:
            raise MediaError(
                Sentence(
                    "{name} in the archive cannot be read: {error}; pack it anew",
                    name=plain(name),
                    error=error,
                )
            ) from None


class SentFiles:
    """Files that were sent along with a text, each under a name; they are the sender's to close."""

    def __init__(self, files: Mapping[str, BinaryIO]) -> None:
        self._files = {_composed(name): file for name, file in files.items()}

    @contextmanager
    def opened(self, name: str) -> Iterator[BinaryIO]:
        """Open a file by its path as written, or by its last step: that is what programs send of it.

        Raises MediaError.
        """
        found = next((self._files[one] for one in self.spellings(name) if one in self._files), None)
        if found is None:
            raise MediaError(Sentence("{name} did not come with the text; send it along", name=plain(name)))
        found.seek(0)
        yield found

    @staticmethod
    def spellings(name: str) -> list[str]:
        """Return the names by which a text's file may have been sent. Raises MediaError."""
        paths = [steps(spelling) for spelling in (name, unquote(name))]
        return [_composed(one) for path in paths for one in ("/".join(path), path[-1])]


def look_into(name: str, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files of an archive. Raises MediaError where it holds what it should not."""
    entries = [
        info
        for info in archive.infolist()
        if not info.is_dir() and "__MACOSX" not in PurePosixPath(info.filename).parts
    ]
    if len(entries) > MAX_ENTRIES:
        raise MediaError(
            Sentence(
                "{name} holds {entries} files, more than {max_entries}; pack fewer",
                name=name,
                entries=f"{len(entries):,}",
                max_entries=f"{MAX_ENTRIES:,}",
            )
        )
    if sum(info.file_size for info in entries) > MAX_UNPACKED:
        raise MediaError(
            Sentence(
                "{name} unpacks to more than {max_unpacked} MB; pack less",
                name=name,
                max_unpacked=MAX_UNPACKED // 1024 // 1024,
            )
        )
    for info in entries:
        shown = plain(info.filename)
        try:
            steps(info.filename)
        except MediaError:
            raise MediaError(
                Sentence(
                    "{name} holds {shown}, which leads out of its folder; pack it anew",
                    name=name,
                    shown=shown,
                )
            ) from None
        if info.flag_bits & 1:
            raise MediaError(Sentence("{name} is locked with a password; pack it without one", name=name))
        if stat.S_ISLNK(info.external_attr >> 16):
            raise MediaError(
                Sentence("{name} holds a link, {shown}; pack the file itself", name=name, shown=shown)
            )
        if shown.lower().endswith(".zip"):
            raise MediaError(
                Sentence("{name} holds another archive, {shown}; add that by itself", name=name, shown=shown)
            )
    return entries


def _spelt(within: int, step: str) -> str:
    """Return a name as the folder spells it: with its accents composed or apart."""
    if step.isascii():
        return step
    wanted = _composed(step)
    return next((name for name in os.listdir(within) if _composed(name) == wanted), step)


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)
