"""A ZIP archive: texts with the files that they show. Nothing of it is unpacked into a folder."""

import zipfile
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from threadcast.bot.media.attach import portable
from threadcast.bot.media.errors import MediaError
from threadcast.bot.media.sources import ArchiveFiles, look_into, steps
from threadcast.bot.plain import plain
from threadcast.bot.requests.errors import InputError
from threadcast.bot.requests.input import MAX_INPUT, Intake, read, understand
from threadcast.queue.sentences import Sentence
from threadcast.queue.text.parse import render
from threadcast.queue.text.thread import Notice, NoticeKind, Severity

TEXTS = frozenset({".txt", ".md"})
_DOCUMENTS = frozenset({"[Content_Types].xml", "mimetype"})  # Word, Excel and OpenDocument files are archives
_NAMED = 5  # files that no line shows


def read_texts(source: str, stdin: IO[bytes], encoding: str = "", media: Path | None = None) -> list[Intake]:
    """Read a file as `read` does, or every text of an archive. Raises InputError."""
    if source == "-" or media is not None or not is_archive(Path(source)):
        return [read(source, stdin, encoding, media)]
    return unpack(plain(source), Path(source), encoding)


def is_archive(file: Path | BinaryIO) -> bool:
    """Return whether a file is an archive, and no document that is one too."""
    try:
        if not zipfile.is_zipfile(file):
            return False
        with zipfile.ZipFile(file) as archive:
            return _DOCUMENTS.isdisjoint(archive.namelist())
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False


def unpack(name: str, file: Path | BinaryIO, encoding: str = "") -> list[Intake]:
    """Return the texts of an archive by their names, each with the files beside it. Raises InputError."""
    try:
        archive = zipfile.ZipFile(file)
        entries = look_into(name, archive)
    except MediaError as error:
        raise InputError(str(error)) from None
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        raise InputError(
            Sentence("{name} cannot be unpacked: {error}; pack it anew", name=name, error=error)
        ) from None
    texts = [one for one in entries if PurePosixPath(one.filename).suffix.lower() in TEXTS]
    texts.sort(key=lambda one: one.filename)  # programs pack in any order
    if not texts:
        raise InputError(Sentence("{name} holds no text: put a .txt or .md file into it", name=name))
    found = [_read(name, archive, one, encoding) for one in texts]
    shown = {
        str(PurePosixPath(text.filename).parent.joinpath(*_steps(media.source)))
        for text, intake in zip(texts, found, strict=True)
        for thread in intake.threads
        for media in thread.media
    }
    unused = [one.filename for one in entries if one not in texts and one.filename not in shown]
    return [*found[:-1], with_unused(found[-1], unused)] if unused else found


def together(name: str, intakes: list[Intake]) -> Intake:
    """Return the texts of an archive as one, whose files are kept: it may come back without them."""
    threads = tuple(portable(thread) for one in intakes for thread in one.threads)
    return Intake(name, threads, "\n\n".join(render(thread).strip("\n") for thread in threads) + "\n")


def _read(name: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, encoding: str) -> Intake:
    shown = f"{name}: {plain(entry.filename)}"
    try:
        with archive.open(entry) as file:
            data = file.read(MAX_INPUT + 1)
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        raise InputError(
            Sentence("{shown} cannot be unpacked: {error}; pack it anew", shown=shown, error=error)
        ) from None
    return understand(shown, data, encoding, ArchiveFiles(archive, PurePosixPath(entry.filename).parent))


def _steps(source: str) -> tuple[str, ...]:
    try:
        return steps(source)
    except MediaError:  # said where it is looked for
        return ()


def with_unused(intake: Intake, unused: list[str]) -> Intake:
    """Return a text whose last thread has a notice of files that no line shows: none is passed over."""
    more = f" (+{len(unused) - _NAMED})" if len(unused) > _NAMED else ""
    named = ", ".join(plain(one) for one in unused[:_NAMED]) + more
    last = intake.threads[-1]
    notice = Notice(Severity.INFO, NoticeKind.UNUSED, 1, None, (1,), (len(unused),), (), named)
    return replace(intake, threads=(*intake.threads[:-1], replace(last, notices=(*last.notices, notice))))
