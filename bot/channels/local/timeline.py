"""A local timeline: its values, and the file that holds it.

The file is append-only JSON lines: a header that names the network it is like, then one post a line, or
the deletion of one.
An owner may read it with any tool, and take lines out by hand; whatever is in the way of a safe next
post is reported with the file's name and the line.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AwareDatetime, Discriminator, StringConstraints, Tag, TypeAdapter, ValidationError

from threadcast.bot.durable import sync_folder, write_whole
from threadcast.queue.sentences import Sentence

Like = Literal["telegram", "mastodon"]
Visibility = Literal["public", "unlisted", "private", "direct"]
RemoteId = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,19}$")]
Value = TypeVar("Value")

VERSION = 1
FILES = "timeline-files"  # beside the page
# What a browser shows and runs nothing of.
SUFFIX = re.compile(r"\.(?:jpe?g|png|gif|webp|mp4|mov|webm|mp3|m4a|og[ag]|opus|flac|wav|pdf)")
ENTRY_BEGINS = b'{"remote_id": "'
READ_AT_ONCE = 4 * 1024 * 1024  # bytes: what `read_newest` looks at, however long the file is


@dataclass(frozen=True, slots=True)
class Shown:
    """A file that a post shows: its name in the folder FILES, what it is, and what can be seen."""

    file: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}(\.[A-Za-z0-9]{1,8})?$")]
    kind: Literal["image", "animation", "video", "audio", "voice", "document"]
    description: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One post of a local timeline. `remote_id` is a decimal number, `reply_to` its parent's.

    `warning` is its content warning; its text has that line too where the network has no field for it.
    """

    remote_id: RemoteId
    at: AwareDatetime
    text: str
    reply_to: str | None
    visibility: Visibility
    key: str
    warning: str = ""
    media: tuple[Shown, ...] = ()
    sensitive: bool = False  # its files are hidden at first


@dataclass(frozen=True, slots=True)
class Deleted:
    """A post that was taken down. Its line stays, so that its id is not given again."""

    remote_id: RemoteId
    at: AwareDatetime


@dataclass(frozen=True, slots=True)
class Edited:
    """A post that says something else from here on, and shows these files; None: the ones that it had."""

    remote_id: RemoteId
    at: AwareDatetime
    text: str
    warning: str = ""
    sensitive: bool = False
    media: tuple[Shown, ...] | None = None

    def of(self, entry: Entry) -> Entry:
        """Return the post as it is now."""
        media = entry.media if self.media is None else self.media
        return replace(entry, text=self.text, warning=self.warning, sensitive=self.sensitive, media=media)


@dataclass(frozen=True, slots=True)
class Header:
    timeline: Like
    version: int


Record = Entry | Deleted | Edited
_MARKS = {Deleted: "deleted", Edited: "edited"}


def _kind(record: Any) -> str:
    marks = _MARKS.values() if isinstance(record, dict) else ()
    return next((mark for mark in marks if record.get(mark) is True), "post")


LINE: TypeAdapter[Record] = TypeAdapter(
    Annotated[
        Annotated[Entry, Tag("post")] | Annotated[Deleted, Tag("deleted")] | Annotated[Edited, Tag("edited")],
        Discriminator(_kind),
    ]
)
HEADER = TypeAdapter(Header)


@dataclass(frozen=True, slots=True)
class Timeline:
    """What a reader sees. `earlier`: older posts were left out; `unreadable`: so many lines are no posts."""

    name: str
    like: Like
    entries: tuple[Entry, ...]
    earlier: bool = False
    unreadable: int = 0


class DamagedError(Exception):
    """The file is not a timeline that can be added to: `what` names file and line, `advice` the remedy."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(Sentence("{what}; {advice}", what=what, advice=advice))
        self.what = what
        self.advice = advice


class HalfWrittenError(Exception):
    """A post may or may not be in the file."""


def chains(entries: tuple[Entry, ...]) -> tuple[tuple[Entry, ...], ...]:
    """Return the posts grouped into chains, each in order, the chains by their first posts.

    A reply whose parent is not among the entries begins a chain of its own.
    """
    found: list[list[Entry]] = []
    chain_of: dict[str, list[Entry]] = {}
    for entry in entries:
        chain = chain_of.get(entry.reply_to) if entry.reply_to is not None else None
        if chain is None:
            chain = []
            found.append(chain)
        chain.append(entry)
        chain_of[entry.remote_id] = chain
    return tuple(tuple(chain) for chain in found)


def newest(timeline: Timeline, count: int) -> Timeline:
    """Return the timeline with its newest `count` chains."""
    found = chains(timeline.entries)
    if len(found) <= count:
        return timeline
    kept = {entry.remote_id for chain in found[-count:] for entry in chain}
    entries = tuple(entry for entry in timeline.entries if entry.remote_id in kept)
    return replace(timeline, entries=entries, earlier=True)


def to_line(entry: Record) -> bytes:
    """Return one line of the file."""
    record = asdict(entry) | {"at": entry.at.isoformat()}
    if mark := _MARKS.get(type(entry)):
        record |= {mark: True}
    record = {name: value for name, value in record.items() if value or name not in {"warning", "sensitive"}}
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def from_line(line: bytes) -> Record:
    """Return what is in a line. Raises ValueError, with the cause, where it is nothing known."""
    return _read(LINE, line)


def to_header(like: Like) -> bytes:
    """Return the first line of a timeline's file."""
    return json.dumps({"timeline": like, "version": VERSION}).encode() + b"\n"


def from_header(line: bytes) -> Like:
    """Return the network of a header. Raises ValueError, with the cause, where this version reads none."""
    header = _read(HEADER, line)
    if header.version != VERSION:
        raise ValueError("it was written by another version")
    return header.timeline


def _read(form: TypeAdapter[Value], line: bytes) -> Value:
    try:
        return form.validate_json(line, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"] if part not in {"post", *_MARKS.values()})
        cause = "it is not JSON" if first["type"] == "json_invalid" else first["msg"]
        raise ValueError(f"{field}: {cause}" if field else cause) from None


def read_newest(path: Path) -> Timeline | None:
    """Return the end of a timeline, or None where the file is no timeline. Raises OSError.

    Takes no lock and mends nothing: a line that is being written just now is simply not there yet.
    """
    with path.open("rb") as file:
        header = file.readline(4096)
        try:
            like = from_header(header)
        except ValueError:
            return None
        size = file.seek(0, os.SEEK_END)
        start = max(len(header), size - READ_AT_ONCE)
        file.seek(start)
        lines = file.read(READ_AT_ONCE).split(b"\n")
    earlier = start > len(header)
    whole = lines[1:-1] if earlier else lines[:-1]
    entries: dict[str, Entry] = {}
    unreadable = 0
    for line in filter(bytes.strip, whole):
        try:
            entry = from_line(line)
        except ValueError:
            unreadable += 1
            continue
        if isinstance(entry, Deleted):
            entries.pop(entry.remote_id, None)
        elif isinstance(entry, Edited):
            if entry.remote_id in entries:
                entries[entry.remote_id] = entry.of(entries[entry.remote_id])
        else:
            entries[entry.remote_id] = entry
    return Timeline(path.stem, like, tuple(entries.values()), earlier, unreadable)


class TimelineFile:
    """A timeline's file, for adding to it. Not for several threads at once; several processes are fine.

    The file is opened for each post, and read again only when somebody else changed it. What is known
    of it while it is open: `ids`, `by_key`, and `last`, the highest id ever seen here.
    """

    def __init__(self, path: Path, like: Like) -> None:
        self.path = path
        self.like = like
        self.ids: set[str] = set()
        self.by_key: dict[str, str] = {}
        self.last = 0
        self._seen: tuple[int, int, int, int] | None = None
        self._needs_newline = False

    @contextmanager
    def opened(self) -> Iterator[int]:
        """Yield the file's descriptor, locked, with all of it read; a torn last line is cut off.

        Raises OSError (BlockingIOError where another process holds it), DamagedError.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(descriptor), self.path.stat()):
                raise BlockingIOError("another process has just put a new file in its place")
            if self._stamp(descriptor) != self._seen:
                self._seen = None
                self._read(descriptor)
                self._seen = self._stamp(descriptor)
            yield descriptor
        finally:
            os.close(descriptor)

    def append(self, descriptor: int, entry: Record) -> None:
        """Add a post, or what became of one, durably or not at all.

        Raises OSError; then nothing is there. Raises HalfWrittenError where
        even taking a half-written line back failed.
        """
        line = to_line(entry)
        size = os.fstat(descriptor).st_size
        before = to_header(self.like) if size == 0 else b"\n" if self._needs_newline else b""
        self._seen = None
        try:
            write_all(descriptor, before + line)
            os.fsync(descriptor)
            if size == 0:
                sync_folder(self.path.parent)
        except OSError:
            self._take_back(descriptor, size)
            raise
        self._remember(entry)
        self._needs_newline = False
        self._seen = self._stamp(descriptor)

    def _take_back(self, descriptor: int, size: int) -> None:
        try:
            os.ftruncate(descriptor, size)
        except OSError as error:
            raise HalfWrittenError(error.strerror or "") from error

    def _read(self, descriptor: int) -> None:
        """Read the file. Raises DamagedError, OSError."""
        # `last` stays: the id of a post that was taken out by hand is not given again.
        self.ids, self.by_key, self._needs_newline = set(), {}, False
        with os.fdopen(os.dup(descriptor), "rb") as file:
            file.seek(0)
            offset = 0
            for number, line in enumerate(file, start=1):
                if self._torn(line, number):
                    os.ftruncate(descriptor, offset)  # it was never recorded as sent
                    os.fsync(descriptor)
                    break
                self._read_line(line, number)
                offset += len(line)
                self._needs_newline = not line.endswith(b"\n")

    def _torn(self, line: bytes, number: int) -> bool:
        """Return whether a power cut left this: the beginning of what we write, or blocks of zeros."""
        rest = line.rstrip(b"\0")
        if line.endswith(b"\n"):
            return False
        if number == 1:
            return line != to_header(self.like)[:-1] and to_header(self.like).startswith(rest)
        try:
            from_line(line)
        except ValueError:
            return rest.startswith(ENTRY_BEGINS) or ENTRY_BEGINS.startswith(rest)
        return False

    def _read_line(self, line: bytes, number: int) -> None:
        try:
            like = from_header(line) if number == 1 else self.like
            entry = from_line(line) if number > 1 and line.strip() else None
        except ValueError as error:
            raise self._damaged(number, str(error)) from None
        if like != self.like:
            what = Sentence(
                "{path} is a timeline like {like}, the channel is set to {set}",
                path=self.path,
                like=like.title(),
                set=self.like.title(),
            )
            raise DamagedError(what, Sentence("set it back, or give the channel another name"))
        if isinstance(entry, Entry) and entry.remote_id in self.ids:
            raise self._damaged(number, Sentence("post {id} is there twice", id=entry.remote_id))
        if entry is not None:
            self._remember(entry)

    def _damaged(self, number: int, cause: str) -> DamagedError:
        return DamagedError(
            Sentence(
                "line {number} of {path} cannot be used: {cause}", number=number, path=self.path, cause=cause
            ),
            Sentence("mend the line, or move the file away to start anew"),
        )

    def _remember(self, entry: Record) -> None:
        if isinstance(entry, Entry):
            self.ids.add(entry.remote_id)
            self.by_key[entry.key] = entry.remote_id
        elif isinstance(entry, Deleted):
            self.ids.discard(entry.remote_id)
            self.by_key = {key: known for key, known in self.by_key.items() if known != entry.remote_id}
        self.last = max(self.last, int(entry.remote_id))

    @staticmethod
    def _stamp(descriptor: int) -> tuple[int, int, int, int]:
        stat = os.fstat(descriptor)
        return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


def keep_file(folder: Path, name: str, content: bytes) -> str:
    """Put a file beside the page, durably, and return its name there. Raises OSError."""
    suffix = PurePosixPath(name).suffix.lower()
    kept = sha256(content).hexdigest()[:32] + (suffix if SUFFIX.fullmatch(suffix) else "")
    path = folder / FILES / kept
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_whole(path, content)
    return kept


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte; a full disk may take only some of them at first. Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
