"""Whether a timeline's file can be read and written, told without writing."""

import os
from threading import Lock

from threadcast.bot.channels.local.errors import classify
from threadcast.bot.channels.local.timeline import DamagedError, TimelineFile
from threadcast.bot.channels.port import Finding
from threadcast.queue.sentences import Sentence


def examine(file: TimelineFile, lock: Lock) -> tuple[Finding, ...]:
    """Return what is to be said of a timeline's file; `lock` is held while it is open."""
    path = file.path
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises where a folder above is closed to us
        return (_examine_folder(file),)
    try:
        with lock, file.opened():
            count = len(file.ids)
    except BlockingIOError:
        return (Finding("ok", Sentence("{path} is being written by another process", path=path)),)
    except DamagedError as error:
        return (Finding("error", error.what, error.advice),)
    except OSError as error:
        advice = Sentence("let the user that runs Threadcast read and write {path}", path=path)
        return (Finding("error", classify(error, path).reason, advice),)
    said = Sentence(
        "{path} can be written; it has {n} post",
        "{path} can be written; it has {n} posts",
        path=path,
        n=count,
    )
    return (Finding("ok", said),)


def _examine_folder(file: TimelineFile) -> Finding:
    folder = next(each for each in file.path.parents if os.path.exists(each))  # noqa: PTH110 - see above
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return Finding("ok", Sentence("{path} will be made with the first post", path=file.path))
    return Finding(
        "error",
        Sentence("{path} cannot be made in {folder}", path=file.path, folder=folder),
        Sentence("choose another data folder, or let the user that runs Threadcast write there"),
    )
