"""What becomes of an SQLite file that was taken away while it was in use.

A program that has it open still holds all that was in it: so it is saved, and nothing new begins in its
place before a person has looked.
"""

import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path

from sqlalchemy import Engine

from threadcast.queue.model import StoreError
from threadcast.queue.store.copies import SIDES, made, open_file, require_sound_copy
from threadcast.queue.store.engine import make_folder, real_file

SUFFIX = ".rescued-"


def rescue(engine: Engine) -> tuple[Path, Path]:
    """Copy what the engine's open connection holds to a new file; gives that one, and its old place.

    Raises StoreError where nothing is open any more, or the copy cannot be made.
    """
    place = real_file(engine.url)
    make_folder(place)
    target = next(
        path for path in (Path(f"{place}{SUFFIX}{number}") for number in count(1)) if not path.exists()
    )
    held = engine.raw_connection()  # an open one: the engine opens none on another file
    try:
        source = held.driver_connection
        assert isinstance(source, sqlite3.Connection)  # noqa: S101  # no other kind of file is rescued
        with made(target), closing(open_file(target, "rw")) as new:
            source.backup(new)
            new.execute("PRAGMA journal_mode = DELETE").close()
            require_sound_copy(new, target)
    except sqlite3.Error as error:
        raise StoreError(str(error)) from error
    finally:
        held.close()
    return target, place


def clear_place(path: Path) -> None:
    """Before a new file is made: see that none was lost here, and take away the side files of an old one.

    SQLite would share them with whoever still has the old one open. Raises StoreError where a rescued
    copy waits to be put back.
    """
    saved = sorted(path.parent.glob(f"{path.name}{SUFFIX}*")) if path.parent.is_dir() else []
    if saved:
        raise StoreError(
            f"there is no database {path}, but {saved[-1]} holds what was saved of it: "
            f"mv {saved[-1]} {path}, or move it elsewhere to begin anew"
        )
    for side in SIDES:
        Path(f"{path}{side}").unlink(missing_ok=True)
