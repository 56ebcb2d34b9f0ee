"""What a person gives us to read: files, standard input, a text; whether it can be used, and as what."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import IO

from threadcast.bot.media.attach import Attacher
from threadcast.bot.media.bucket import AwayError
from threadcast.bot.media.errors import MediaError
from threadcast.bot.media.formats import ZIP, encoding_of, kind_of
from threadcast.bot.media.sources import Files, FolderFiles
from threadcast.bot.media.store import MediaStore
from threadcast.bot.plain import plain
from threadcast.bot.requests.errors import InputError, NotNowError
from threadcast.queue.sentences import Sentence
from threadcast.queue.text.parse import NotTextError, decode, parse, render
from threadcast.queue.text.thread import Part, Thread, written

MAX_INPUT = 20 * 1024 * 1024  # bytes; what Telegram lets a bot download is the measure for all ways in


@dataclass(frozen=True, slots=True)
class Intake:
    """One source, read: its name, the threads in it, its text as it was, and the files that came with it."""

    source: str
    threads: tuple[Thread, ...]
    text: str
    files: Files | None = None


def read(source: str, stdin: IO[bytes], encoding: str = "", media: Path | None = None) -> Intake:
    """Read one file, or standard input for `-`, and parse it. Raises InputError.

    The files that it names are in the folder `media`, or beside it.
    """
    name = Sentence("standard input") if source == "-" else plain(source)
    if not source:
        raise InputError(Sentence("the file's name is empty; name a text file, or - for standard input"))
    try:
        if source == "-":
            data = stdin.read(MAX_INPUT + 1)
        else:
            with Path(source).open("rb") as file:
                data = file.read(MAX_INPUT + 1)
    except FileNotFoundError:
        raise InputError(Sentence("{name}: there is no such file; check the path", name=name)) from None
    except IsADirectoryError:
        raise InputError(
            Sentence(
                "{name} is a folder; name the files in it, as in: threadcast add {name2}/*.txt",
                name=name,
                name2=quote(str(Path(name))),
            )
        ) from None
    except PermissionError:
        raise InputError(
            Sentence("{name}: you may not read it; try: chmod u+r {name2}", name=name, name2=quote(name))
        ) from None
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(Sentence("{name}: it cannot be read: {cause}", name=name, cause=cause)) from None
    folder = media or (None if source == "-" else Path(source).parent)
    return understand(name, data, encoding, FolderFiles(folder) if folder else None)


def understand(name: str, data: bytes, encoding: str = "", files: Files | None = None) -> Intake:
    """Parse what was read, as UTF-8 or in that encoding. Raises InputError where it is no such text."""
    if len(data) > MAX_INPUT:
        megabytes = MAX_INPUT // (1024 * 1024)
        raise InputError(
            Sentence(
                "{name} is larger than {megabytes} MB; split it into several files",
                name=name,
                megabytes=megabytes,
            )
        )
    if kind := kind_of(data):
        raise InputError(
            Sentence(
                "{name} is {kind}, not text; save it as plain text, or paste what it says",
                name=name,
                kind=kind,
            )
        )
    if data.startswith(ZIP):  # a whole one that came as a file was unpacked
        raise InputError(
            Sentence(
                "{name} is an archive that cannot be unpacked; pack it anew, and give it as a file", name=name
            )
        )
    try:
        text = decode(data.decode(encoding).encode() if encoding else data)
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise InputError(
            Sentence(
                "{name} is not text in {encoding}: see byte offset {start}",
                name=name,
                encoding=encoding,
                start=error.start,
            )
        ) from None
    except NotTextError as error:
        if guess := encoding_of(data):
            found = Sentence("it reads as {guess}; save it as UTF-8", guess=guess)
            raise InputError(
                Sentence(
                    "{name} is not UTF-8 text (byte offset {offset}): {found}",
                    name=name,
                    offset=error.offset,
                    found=found,
                ),
                guess,
            ) from None
        raise InputError(Sentence("{name} is {error}", name=name, error=error)) from None
    threads = parse(text)
    if not threads:
        raise InputError(Sentence("{name} is empty: there is no thread in it", name=name))
    return Intake(name, threads, text, files)


def inspected(intake: Intake, kept: Attacher | None = None) -> Intake:
    """Return a text whose files were looked at, and not kept; it may name some that are `kept`.

    Raises InputError where one cannot be used.
    """
    if kept is not None:
        intake = replace(intake, threads=tuple(map(kept.known, intake.threads)))
    if not any(thread.media for thread in intake.threads):
        return intake
    with tempfile.TemporaryDirectory(prefix="threadcast-") as folder:
        return with_files_of(intake, Attacher(MediaStore(Path(folder))))


def with_files_of(intake: Intake, attacher: Attacher) -> Intake:
    """Return a text whose threads know their files.

    Raises InputError where one cannot be used, NotNowError where they cannot be kept now.
    """
    try:
        return replace(intake, threads=tuple(attacher.attach(one, intake.files) for one in intake.threads))
    except AwayError as error:
        raise NotNowError(
            Sentence(
                "{source} cannot be added now: {fault}; in a shell, threadcast check says more",
                source=intake.source,
                fault=error,
            )
        ) from None
    except MediaError as error:
        raise InputError(Sentence("{source}, {error}", source=intake.source, error=error)) from None


def continued(thread: Thread, intake: Intake) -> Thread:
    """A thread with the parts of a text behind its own. Raises InputError where they do not go on from it."""
    if any(one.front for one in intake.threads):
        raise InputError(
            Sentence(
                "{source} has settings before it; a thread has them at its beginning alone",
                source=intake.source,
            )
        )
    numbers = [part.number for part in thread.parts if part.number is not None]
    between = "\n" if numbers else "\n---\n"
    whole = parse(render(thread).rstrip("\n") + between + intake.text)
    count = len(thread.parts)
    if len(whole) != 1 or len(whole[0].parts) <= count or _texts(whole[0])[:count] != _texts(thread):
        first = (
            Sentence("number {numbers}, marked as the others are", numbers=max(numbers) + 1)
            if numbers
            else Sentence("a part of its own")
        )
        raise InputError(
            Sentence(
                "{source} does not go on from this thread: it has to begin with {first}",
                source=intake.source,
                first=first,
            )
        )
    if not has_text(whole[0].parts[count:]):
        raise InputError(
            Sentence("{source} has numbers and no text: there is nothing to add", source=intake.source)
        )
    return whole[0]


def has_text(parts: Sequence[Part]) -> bool:
    """Whether any of these parts has text, so that every channel has something to post."""
    return not all(part.is_empty for part in parts)


def _texts(thread: Thread) -> list[str]:
    return [written(part, thread.placement) for part in thread.parts]


def only_thread(intake: Intake) -> Thread:
    """The thread of a text that must hold just one. Raises InputError."""
    if len(intake.threads) != 1:
        raise InputError(
            Sentence(
                "{source} holds {threads} threads; it has to be one",
                source=intake.source,
                threads=len(intake.threads),
            )
        )
    return intake.threads[0]
