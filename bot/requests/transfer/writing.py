"""The whole queue as a folder of files that a person can read."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any, Final

from pydantic import TypeAdapter

from threadcast.bot.durable import sync_folder
from threadcast.bot.media.attach import as_kept, portable
from threadcast.bot.media.errors import MediaError
from threadcast.bot.media.store import SHORT, MediaStore
from threadcast.bot.plain import plain
from threadcast.bot.requests.errors import InputError
from threadcast.bot.wording import count
from threadcast.queue.sentences import Sentence
from threadcast.queue.store.database import Database
from threadcast.queue.store.transfer.plain import Row
from threadcast.queue.store.transfer.transfer import Everything
from threadcast.queue.text.media import Media
from threadcast.queue.text.parse import render
from threadcast.queue.text.thread import Thread

FORMAT: Final = 1
QUEUE: Final = "queue.json"
THREADS: Final = "threads"
MEDIA: Final = "media"
LONGEST: Final = 40  # code points of a title in a file's name
LONGEST_NAME: Final = 200  # bytes
README: Final = """\
# An export of a Threadcast queue

Made by Threadcast {version} on {when}: {threads}, {deliveries}, {posts}.

- `threads/0007-a-title.txt` is the text of thread 7, as `threadcast add` takes it; the files that it shows
  are in `threads/media`.
- `threads/0007-a-title.json` is all that is known of it: where it was to go and went, each post with its
  text, its id and its address on the network, when it was sent and what became of it.
- `queue.json` has the channels as the queue saw them, and what happened: when, who, what.

`threadcast import FOLDER` takes all of it back into an empty queue, by the JSON files. What is published
stays published, what waited is held, and nothing is sent before a person releases it. Do not let two queues
go on with it.

Not in it: settings, tokens, who steers the service, and channels that were made in the chat.
"""

_THREAD = TypeAdapter(Thread)
_MEDIA = TypeAdapter(tuple[Media, ...])


@dataclass(frozen=True, slots=True)
class Written:
    """What an export holds; `missing` are files that are not kept any more, by their names."""

    folder: Path
    threads: int
    posts: int
    files: int
    missing: tuple[str, ...]


def write_all(database: Database, store: MediaStore, target: Path, *, now: datetime) -> Written:
    """Write the queue, as it is at one moment, into a folder that is not there yet, or is empty.

    Whole, or not at all. Raises InputError, StoreError.
    """
    everything = database.transfer.read()
    try:
        with _made(target) as folder:
            files, missing = _write(everything, store, folder, now)
            _finish(folder, target)
    except OSError as error:
        said = Sentence(
            "{path} cannot be written: {cause}", path=plain(str(target)), cause=str(error.strerror)
        )
        raise InputError(said) from None
    return Written(target, len(everything["threads"]), len(everything["posts"]), files, missing)


@contextmanager
def _made(target: Path) -> Iterator[Path]:
    """Yield a new folder beside the target, which goes again where it was not given its name."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(
            Sentence("{path} is there already, and not empty: name another folder", path=plain(str(target)))
        )
    folder = target.absolute().with_name(f".{target.absolute().name}.new")
    shutil.rmtree(folder, ignore_errors=True)  # what was killed before
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _finish(folder: Path, target: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        else:
            sync_folder(path)
    folder.rename(target.absolute())
    sync_folder(target.absolute().parent)


def _write(
    everything: Everything, store: MediaStore, folder: Path, now: datetime
) -> tuple[int, tuple[str, ...]]:
    """Write all files; how many files of threads there are, and which are missing."""
    texts = folder / THREADS
    texts.mkdir()
    posts: dict[int, list[Row]] = {}
    for post in everything["posts"]:
        posts.setdefault(post["delivery_id"], []).append(_without(post, "delivery_id"))
    deliveries: dict[int, list[Row]] = {}
    for one in everything["deliveries"]:
        known = {**_without(one, "thread_id"), "posts": posts.get(one["id"], [])}
        deliveries.setdefault(one["thread_id"], []).append(known)
    names: list[str] = []
    shown: dict[str, Media] = {}
    for row in everything["threads"]:
        thread = _THREAD.validate_python(row["content"], strict=False)
        mine = deliveries.get(row["id"], [])
        name = _stem(row["id"], row["title"])
        (texts / f"{name}.txt").write_text(
            render(portable(thread, _beside)) + "\n", encoding="utf-8", newline="\n"
        )
        _write_json(texts / f"{name}.json", {**row, "deliveries": mine})
        names.append(f"{name}.json")
        of_posts = (_MEDIA.validate_python(post["media"]) for one in mine for post in one["posts"])
        for media in (*thread.media, *(each for many in of_posts for each in many)):
            if media.file is not None:
                shown.setdefault(media.file.digest, media)
    missing = tuple(plain(one.name) for one in shown.values() if not _copied(one, store, texts))
    told = {name: everything[name] for name in ("channels", "events")}
    about = {"format": FORMAT, "threadcast": version("threadcast"), "written": now.isoformat()}
    _write_json(folder / QUEUE, {**about, "threads": names, **told})
    singular = {"threads": "thread", "deliveries": "delivery", "posts": "post"}
    counts = {name: count(len(everything[name]), one, name) for name, one in singular.items()}
    said = README.format(version=version("threadcast"), when=f"{now:%Y-%m-%d %H:%M} UTC", **counts)
    (folder / "README.md").write_text(said, encoding="utf-8")
    return len(shown) - len(missing), missing


def _beside(media: Media) -> Media:
    """Return a file as the text names it that is written with it."""
    if media.file is None:
        return media
    name = PurePosixPath(as_kept(media).source).name
    fit = name not in {"", ".."} and len(name.encode()) <= LONGEST_NAME
    return replace(media, source=f"{MEDIA}/{media.file.digest[:SHORT]}/{name if fit else 'file'}")


def _copied(media: Media, store: MediaStore, texts: Path) -> bool:
    """Copy a kept file to where the text names it; False where it is not kept any more."""
    assert media.file is not None  # noqa: S101  # see the caller
    path = texts / _beside(media).source
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with store.opened(media.file.digest, media.name) as kept:
            shutil.copyfile(kept, path)
    except (MediaError, FileNotFoundError):
        return False
    return True


def _stem(number: int, title: str) -> str:
    """Return what the files of a thread are called, but for their endings."""
    words = re.sub(r"[\W_]+", "-", title.lower()).strip("-")[:LONGEST].strip("-")
    return f"{number:04}-{words}" if words else f"{number:04}"


def _without(row: Row, name: str) -> Row:
    return {key: value for key, value in row.items() if key != name}


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
