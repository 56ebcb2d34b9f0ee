"""The files of a folder into which others write: examined, read and put away.

Nothing is opened that is no plain file, nothing is read that changed meanwhile, and nothing is overwritten.
Folders are open descriptors, so that none can be swapped for a link on the way.
"""

import errno
import os
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from itertools import count
from pathlib import PurePath

from threadcast.bot.media.sources import MAX_ENTRIES
from threadcast.bot.plain import plain

SUFFIXES = frozenset({".txt", ".md"})
UNFINISHED = ("~", ".part", ".tmp", ".crdownload")
REPORT = ".report.txt"
LONGEST_NAME = 255  # bytes, on all file systems in use
DEEPEST = 8  # folders within one another

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# A link that took the file's place is not followed, and a pipe not waited for.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_KINDS = {
    stat.S_IFLNK: "a link to another place; put the file itself here",
    stat.S_IFDIR: "a folder; put the files in it here, one by one",
    stat.S_IFIFO: "a pipe, not a file; put a text file here",
    stat.S_IFSOCK: "a socket, not a file; put a text file here",
}


class ChangedError(Exception):
    """The file is not what it was: look at it again later."""


class UnfitError(Exception):
    """The file cannot be read; the message says why and what to do, and follows the file's name."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What tells whether a file was touched: two equal snapshots, and nobody wrote in between.

    `within` is what stands in a folder, and in those in it, by path.
    """

    device: int
    inode: int
    size: int  # bytes
    modified: int  # nanoseconds
    mode: int
    within: tuple[tuple[str, "Snapshot"], ...] = ()

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def holds(self) -> list[str]:
        """The paths of the files in a folder, hidden ones aside."""
        return [path for path, one in self.within if not one.is_folder and not _is_hidden(path)]

    @classmethod
    def of(cls, status: os.stat_result) -> "Snapshot":
        """Return the snapshot of what `os.stat` found."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode)


@contextmanager
def open_folder(path: str | PurePath, *, within: int | None = None) -> Iterator[int]:
    """Open a folder; make it where it is missing, for its owner only. Raise OSError.

    A link is followed at the top alone, where an owner has named it: never `within` a folder.
    """
    with suppress(FileExistsError):
        os.mkdir(path, 0o700, dir_fd=within)
    handle = os.open(path, _FOLDER if within is None else _FOLDER | os.O_NOFOLLOW, dir_fd=within)
    try:
        yield handle
    finally:
        os.close(handle)


def shown(path: PurePath | str) -> str:
    """Return a path for a person to read, whatever bytes its names are made of."""
    return plain(os.fsencode(path).decode("utf-8", "replace"))


def _is_hidden(path: str) -> bool:
    return PurePath(path).name.startswith(".")


def is_unfinished(name: str) -> bool:
    """Return whether the name says that the file is hidden, or that a program is still at work on it."""
    return _is_hidden(name) or name.lower().endswith(UNFINISHED)


def is_text(name: str) -> bool:
    """Return whether the name is that of a text file."""
    return PurePath(name).suffix.lower() in SUFFIXES


def is_archive(name: str) -> bool:
    """Return whether the name is that of an archive: texts with their files."""
    return PurePath(name).suffix.lower() == ".zip"


def snapshot(within: int, name: str, *, deep: bool = False) -> Snapshot | None:
    """Return the snapshot of what stands under the name, links not followed; None where nothing does.

    `deep`: of a folder with what stands in it, as far as `pack` takes it.
    """
    try:
        found = Snapshot.of(os.stat(name, dir_fd=within, follow_symlinks=False))
    except FileNotFoundError:
        return None
    entries: list[tuple[str, Snapshot]] = []
    for root, folders, names, handle in os.fwalk(name, dir_fd=within) if deep and found.is_folder else ():
        each = {one: snapshot(handle, one) for one in sorted((*folders, *names))}
        entries += [(os.path.join(root, one), seen) for one, seen in each.items() if seen]  # noqa: PTH118
        if len(entries) > MAX_ENTRIES or len(PurePath(root).parts) >= DEEPEST:
            break
    return replace(found, within=tuple(entries))


def pack(within: int, name: str, expected: Snapshot, *, limit: int) -> tuple[bytes, datetime]:
    """Read a folder as the archive that it could have come as, each file as `read` does."""
    held, changed = dict(expected.within), os.stat(name, dir_fd=within, follow_symlinks=False).st_ctime
    if len(held) > MAX_ENTRIES or any(len(PurePath(path).parts) > DEEPEST for path in held):
        raise UnfitError(f"holds more than {MAX_ENTRIES:,} files, or too many folders within one another")
    if sum(one.size for one in held.values()) >= limit:
        raise UnfitError(f"holds more than {limit // 1024 // 1024} MB; put less into it")
    packed, latest = BytesIO(), datetime.fromtimestamp(changed, UTC)
    with zipfile.ZipFile(packed, "w") as archive:
        for root, folders, names, handle in os.fwalk(name, dir_fd=within):
            for each in (*folders, *names):
                path = os.path.join(root, each)  # noqa: PTH118
                if path not in held:
                    raise ChangedError
                if held[path].is_folder or _is_hidden(each):
                    continue
                inner = shown(PurePath(path).relative_to(name))
                try:
                    data, moment = read(handle, each, held[path], limit=limit)
                except UnfitError as error:
                    raise UnfitError(f"holds {inner}, which {error}") from None
                archive.writestr(inner, data)
                latest = max(latest, moment)
    if snapshot(within, name, deep=True) != expected:
        raise ChangedError
    return packed.getvalue(), latest


def read(within: int, name: str, expected: Snapshot, *, limit: int) -> tuple[bytes, datetime]:
    """Read a plain file; return at most `limit` bytes, and when its name, place or content last changed.

    Raise ChangedError where it is not what was expected, before or after; UnfitError where it cannot be
    read, FileNotFoundError where it is gone.
    """
    kind = stat.S_IFMT(expected.mode)
    if kind != stat.S_IFREG:
        raise UnfitError(f"is {_KINDS.get(kind, 'a device, not a file; put a text file here')}")
    try:
        with os.fdopen(os.open(name, _FILE, dir_fd=within), "rb") as file:
            _require(file.fileno(), expected)
            data = file.read(limit)
            return data, _require(file.fileno(), expected)
    except FileNotFoundError:
        raise
    except PermissionError:
        raise UnfitError("may not be read; try: chmod u+r, as the user that Threadcast runs as") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ChangedError from None
        raise UnfitError(f"cannot be read: {error.strerror}") from None


def _require(handle: int, expected: Snapshot) -> datetime:
    status = os.fstat(handle)
    if Snapshot.of(status) != expected:
        raise ChangedError
    return datetime.fromtimestamp(status.st_ctime, UTC)


def put_away(within: int, name: str, target: int, report: str) -> str:
    """Move a file, link or folder into another folder, with a report beside it; return its name there.

    The name is kept; where it is taken, a number stands before the suffix. Raise OSError, with all as it
    was: FileNotFoundError where the file is gone.
    """
    for free in _numbered(name):
        if snapshot(target, free) is not None:
            continue
        try:
            # The report comes first: a name whose report is ours is taken by nobody else here.
            handle = os.open(free + REPORT, _NEW, 0o600, dir_fd=target)
        except FileExistsError:
            continue
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(report)
            os.rename(name, free, src_dir_fd=within, dst_dir_fd=target)
        except OSError:
            os.unlink(free + REPORT, dir_fd=target)
            raise
        return free
    raise AssertionError("there is always another number")


def _numbered(name: str) -> Iterator[str]:
    """Yield `name.txt`, `name.2.txt`, …; cut before the suffix where the report's name would be too long."""
    path = PurePath(name)
    for number in count(1):
        end = (f".{number}" if number > 1 else "") + path.suffix
        left = LONGEST_NAME - len(os.fsencode(end + REPORT))
        stem = os.fsencode(path.stem)
        if len(stem) > left:
            stem = stem[:left].decode("utf-8", "ignore").encode()
        yield os.fsdecode(stem) + end
