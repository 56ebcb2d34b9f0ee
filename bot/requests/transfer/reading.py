"""An export taken back into an empty queue, so that nothing goes out twice."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from threadcast.bot.media.store import SHORT, MediaStore
from threadcast.bot.plain import plain
from threadcast.bot.requests.errors import InputError
from threadcast.bot.requests.transfer.writing import FORMAT, MEDIA, QUEUE, THREADS
from threadcast.queue.errors import BackupError, Fault
from threadcast.queue.sentences import Sentence
from threadcast.queue.store.database import Database
from threadcast.queue.store.transfer.plain import Row

NAME = re.compile(r"[\w-]+\.json")


@dataclass(frozen=True, slots=True)
class Taken:
    """What came into the queue; `held` deliveries waited, `missing` files are not in the export."""

    threads: int
    posts: int
    held: int
    files: int
    missing: int


def take_back(database: Database, store: MediaStore, source: Path, *, now: datetime, actor: str) -> Taken:
    """Take an export back: its files first, each of which counts by itself, then all rows at once.

    So what was killed in between is done by a second call. Raises InputError, MediaError, BackupError,
    StoreError.
    """
    rows = _rows(source)
    needed = set(_digests(rows["threads"])) | set(_digests(rows["posts"]))
    files = sum(_keep(store, source / THREADS, digest) for digest in sorted(needed))
    held = database.transfer.write(rows, now=now, actor=actor)
    return Taken(len(rows["threads"]), len(rows["posts"]), held, files, len(needed) - files)


def _rows(source: Path) -> dict[str, list[Row]]:
    """Read the JSON files. Raises InputError, BackupError."""
    queue = _json(source / QUEUE)
    if not isinstance(queue, dict) or queue.get("format") != FORMAT:
        raise InputError(Sentence("{path} is no export that this Threadcast knows", path=plain(str(source))))
    rows: dict[str, list[Row]] = {"threads": [], "deliveries": [], "posts": []}
    try:
        rows |= {name: [dict(one) for one in queue[name]] for name in ("channels", "events")}
        for name in queue["threads"]:
            if not NAME.fullmatch(name):
                stray = Sentence("{name} is no file of it", name=plain(str(name))[:60])
                raise BackupError(Fault.NOT_TAKEN, where=QUEUE, cause=stray)
            thread = _json(source / THREADS / name)
            rows["threads"].append(thread)
            for one in thread["deliveries"]:
                posts = [{**post, "delivery_id": one["id"]} for post in one["posts"]]
                rows["deliveries"].append({**one, "thread_id": thread["id"], "posts": len(posts)})
                rows["posts"] += posts
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        cause = f"{type(error).__name__} {plain(str(error))[:60]}"
        raise BackupError(Fault.NOT_TAKEN, where=str(source), cause=cause) from None
    return rows


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        if isinstance(error, FileNotFoundError) and path.name == QUEUE:
            where = plain(str(path.parent))
            raise InputError(
                Sentence("there is no export in {path}: name another folder", path=where)
            ) from None
        said = Sentence("{path} cannot be read: {cause}", path=plain(str(path)), cause=str(error.strerror))
        raise InputError(said) from None
    except (ValueError, RecursionError) as error:
        raise BackupError(Fault.NOT_TAKEN, where=path.name, cause=plain(str(error))[:60]) from None


def _digests(value: Any) -> Iterator[str]:
    """Find the digests of files, wherever they are named."""
    stack = [value]
    while stack:
        match stack.pop():
            case {"digest": str(digest), **rest}:
                if re.fullmatch("[0-9a-f]{64}", digest):
                    yield digest
                stack += rest.values()
            case dict() as more:
                stack += more.values()
            case list() as many:
                stack += many


def _keep(store: MediaStore, texts: Path, digest: str) -> bool:
    """Keep a file of the export; False where it is not there, or is another one. Raises MediaError."""
    found = sorted((texts / MEDIA / digest[:SHORT]).glob("*"))
    for path in found[:1]:
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                return store.keep(path.name, file).digest == digest
    return False
