"""Where an owner's `.env` and queue are: in the working folder, or in the user's own folders.

The user's own are those of the XDG specification: https://specifications.freedesktop.org/basedir-spec/latest/
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

DOTENV = ".env"
DATA = "threadcast-data"
OWN = "threadcast"  # of the user's own folders, ours


@dataclass(frozen=True, slots=True)
class Folders:
    """The file that settings are read from, and where the data folder is unless they say so."""

    dotenv: Path
    data: Path


def find_folders(environ: Mapping[str, str], working: Path, *, is_ours: Callable[[Path], bool]) -> Folders:
    """Return the working folder's where it has a data folder or a `.env` that `is_ours`; else the user's own.

    So a command that is typed in any other folder works on the same queue. A user without a home has none.
    """
    here = Folders(working / DOTENV, working / DATA)
    config = _base(environ, "XDG_CONFIG_HOME", ".config")
    data = _base(environ, "XDG_DATA_HOME", ".local/share")
    if config is None or data is None or here.data.is_dir() or is_ours(here.dotenv):
        return here
    return Folders(config / OWN / DOTENV, data / OWN)


def _base(environ: Mapping[str, str], variable: str, usual: str) -> Path | None:
    named, home = Path(environ.get(variable, "")), Path(environ.get("HOME", ""))
    if named.is_absolute():
        return named
    return home / usual if home.is_absolute() else None
