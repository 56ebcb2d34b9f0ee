"""Files that others put into a folder: looked at, read and put away.

Nothing is read before it is whole, nothing is opened that is no plain file, and nothing is ever
overwritten. Folders are open descriptors, so that none can be swapped for a link on the way.
"""

import errno
import fcntl
import os
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import PurePath

SUFFIXES = frozenset({".txt", ".md"})
UNFINISHED = ("~", ".part", ".tmp", ".crdownload")
REPORT = ".report.txt"
# Bytes in a file's name, as all file systems in use have it.
LONGEST_NAME = 255

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_KINDS = {
    stat.S_IFLNK: "a link to another place; put the file itself here",
    stat.S_IFDIR: "a folder; put the files in it here, one by one",
    stat.S_IFIFO: "a pipe, not a file; put a text file here",
    stat.S_IFSOCK: "a socket, not a file; put a text file here",
}


class BusyError(Exception):
    """The file is still being written, or has changed: it is to be looked at again later."""


class UnfitError(Exception):
    """The file cannot be read; the message says why and what to do, and follows the file's name."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells whether a file was touched: two equal stamps, and nobody wrote in between."""

    device: int
    inode: int
    size: int  # bytes
    modified: int  # nanoseconds
    mode: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Stamp":
        """The stamp of what `os.stat` found."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode)


@contextmanager
def folder(path: str | PurePath, *, within: int | None = None, make: bool = True) -> Iterator[int]:
    """Open a folder; one that is missing is made, for its owner only. Raises OSError.

    A link is followed at the top alone, where an owner has named it: never `within` a folder.
    """
    if make:
        with suppress(FileExistsError):
            os.mkdir(path, 0o700, dir_fd=within)
    flags = _FOLDER if within is None else _FOLDER | os.O_NOFOLLOW
    handle = os.open(path, flags, dir_fd=within)
    try:
        yield handle
    finally:
        os.close(handle)


def unfinished(name: str) -> bool:
    """Whether a name says that it is hidden, or that a program is still at work on the file."""
    return name.startswith(".") or name.lower().endswith(UNFINISHED)


def is_text(name: str) -> bool:
    """Whether a name is that of a text file."""
    return PurePath(name).suffix.lower() in SUFFIXES


def stamp(within: int, name: str) -> Stamp | None:
    """What stands under a name now, links not followed; None where nothing does."""
    try:
        return Stamp.of(os.stat(name, dir_fd=within, follow_symlinks=False))
    except FileNotFoundError:
        return None


@dataclass(frozen=True, slots=True)
class Content:
    """A whole file: its bytes, and when its name, place or content last changed (its ctime)."""

    data: bytes
    changed: datetime


@contextmanager
def whole(within: int, name: str, expected: Stamp, *, limit: int) -> Iterator[Content]:
    """Read a file of which nobody writes a part any more, at most `limit` bytes.

    On Linux, who opens it for writing waits until the end of the block: what was read is what is put
    away. Raises BusyError where it has a writer or is not what was expected, UnfitError where it
    cannot be read, FileNotFoundError where it is gone.
    """
    kind = stat.S_IFMT(expected.mode)
    if kind != stat.S_IFREG:
        raise UnfitError(f"is {_KINDS.get(kind, 'a device, not a file; put a text file here')}")
    try:
        # It was a plain file a moment ago: no link is followed, and no pipe waited for, if it is none now.
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=within)
    except FileNotFoundError:
        raise
    except PermissionError:
        raise UnfitError("may not be read; try: chmod u+r, as the user that Threadcast runs as") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise BusyError from None
        raise UnfitError(f"cannot be read: {error.strerror}") from None
    try:
        _expect(handle, expected)
        _keep_writers_out(handle)
        with open(handle, "rb", closefd=False) as file:
            try:
                data = file.read(limit)
            except OSError as error:
                raise UnfitError(f"cannot be read: {error.strerror}") from None
        changed = _expect(handle, expected)
        yield Content(data, changed)
    finally:
        os.close(handle)  # and with it the lease


def _expect(handle: int, expected: Stamp) -> datetime:
    status = os.fstat(handle)
    if Stamp.of(status) != expected:
        raise BusyError
    return datetime.fromtimestamp(status.st_ctime, UTC)


def _keep_writers_out(handle: int) -> None:
    """Take a read lease, which is given only where nobody has the file open for writing.

    https://man7.org/linux/man-pages/man2/F_SETLEASE.2const.html. Where there are no leases (other
    systems, network file systems, another user's file), that the file was left alone has to do.
    """
    if sys.platform != "linux":
        return
    # Who comes to write makes the kernel send a signal; the usual one, SIGIO, would end this process.
    with suppress(OSError):
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)
        try:
            fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except BlockingIOError:
            raise BusyError from None


def put_away(within: int, name: str, target: int, report: str) -> str:
    """Move a file, link or folder into another folder, with a report beside it; gives its name there.

    Its name is kept; where that is taken, a number stands before the suffix. Raises OSError, with all
    as it was: FileNotFoundError where it is gone.
    """
    moved = os.stat(name, dir_fd=within, follow_symlinks=False)
    free, paper = _reserve(target, name, is_folder=stat.S_ISDIR(moved.st_mode))
    try:
        try:
            # Over our own empty placeholder: no call moves all kinds of file, everywhere, onto nothing only.
            os.rename(name, free, src_dir_fd=within, dst_dir_fd=target)
        except OSError:
            _remove(target, free)
            _remove(target, free + REPORT)
            raise
        with open(paper, "w", encoding="utf-8", closefd=False) as file:
            file.write(report)
    finally:
        os.close(paper)
    return free


def _reserve(target: int, name: str, *, is_folder: bool) -> tuple[str, int]:
    """Make a placeholder of a free name, and its report, open for writing."""
    for number in count(1):
        free = _numbered(name, number)
        try:
            paper = os.open(
                free + REPORT, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=target
            )
        except FileExistsError:
            continue
        try:
            if is_folder:
                os.mkdir(free, 0o700, dir_fd=target)
            else:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                os.close(os.open(free, flags, 0o600, dir_fd=target))
        except OSError as error:
            os.close(paper)
            _remove(target, free + REPORT)
            if not isinstance(error, FileExistsError):
                raise
        else:
            return free, paper
    raise AssertionError("there is always another number")


def _numbered(name: str, number: int) -> str:
    """`name.txt`, `name.2.txt`, …; cut before the suffix where the report's name would be too long."""
    path = PurePath(name)
    end = (f".{number}" if number > 1 else "") + path.suffix
    room = LONGEST_NAME - len(os.fsencode(end + REPORT))
    stem = os.fsencode(path.stem)
    if len(stem) > room:
        stem = stem[:room].decode("utf-8", "ignore").encode()
    return os.fsdecode(stem) + end


def _remove(within: int, name: str) -> None:
    with suppress(OSError):
        try:
            os.unlink(name, dir_fd=within)
        except (IsADirectoryError, PermissionError):  # Linux says the one of a folder, macOS the other
            os.rmdir(name, dir_fd=within)
