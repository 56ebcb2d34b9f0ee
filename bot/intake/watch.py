"""Tells when something came into a folder, without looking at it again and again.

The kernel tells (inotify, FSEvents); between two events nothing of this runs. What came is not said:
an event is a hint, as a knock is (`bot/wake.py`), and some are never sent (network file systems).
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

# What may mean work. Not what reading causes (opened, closed unwritten): each look would call for another.
TELLING: list[type[FileSystemEvent]] = [
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
]

# What may mean that a file is not where it was.
GOING: list[type[FileSystemEvent]] = [DirDeletedEvent, DirMovedEvent, FileDeletedEvent, FileMovedEvent]

Identity = tuple[int, int]  # device and inode


class Watcher(FileSystemEventHandler):
    """Calls `heard` when something changes in a folder it follows, in a thread of its own.

    `telling` are the events that mean something to the caller; the kernel sends no others.
    """

    def __init__(
        self, heard: Callable[[], object], telling: Sequence[type[FileSystemEvent]] = TELLING
    ) -> None:
        self._heard = heard
        self._telling = list(telling)
        self._followed: Mapping[Path, Identity] = {}
        self._observer: BaseObserver | None = None

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Watchdog calls this."""
        if isinstance(event, DirDeletedEvent) and Path(os.fsdecode(event.src_path)) in self._followed:
            # Made again it may have the same inode, and nothing else would tell that the watch is blind.
            self._followed = {}
        self._heard()

    def follow(self, folders: Mapping[Path, Identity]) -> None:
        """Watch these folders and no others; cheap where they are the same. Raises OSError.

        A folder that was removed and made again has another identity: the old watch is blind to it.
        """
        if folders == self._followed:
            return
        self._followed = {}
        if self._observer is None:
            observer = Observer()
            observer.start()
            self._observer = observer
        self._observer.unschedule_all()
        for path in folders:
            self._observer.schedule(self, path, event_filter=self._telling, follow_symlink=True)
        self._followed = dict(folders)

    def close(self) -> None:
        """Hear nothing any more."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
