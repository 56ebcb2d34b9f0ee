"""Where settings are written: the environment, `.env` in the folder, files of secrets.

A variable is taken from the first of these that has it, in this order. Names are read in any case and
kept in upper case; a variable with nothing in it counts as not there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from threadcast.config.problems import Problem, is_name, shown
from threadcast.config.variables import PREFIX

DATABASE_URL = "DATABASE_URL"  # what hosts of applications set
SECRETS_DIR = f"{PREFIX}SECRETS_DIR"
DOTENV = ".env"

# What the name of a secret's file may begin with where it does not begin with the prefix.
_BARE = ("TELEGRAM__", "CHANNELS__", DATABASE_URL)

LARGEST = 1_000_000  # bytes of one file


@dataclass(frozen=True, slots=True)
class Given:
    """One variable as it was written. `place` is empty for the environment itself."""

    spelling: str
    value: str = field(repr=False)
    place: str = ""

    def problem(self, text: str) -> Problem:
        """A problem of this variable, which says where it was found."""
        return Problem(shown(self.spelling), f"(in {self.place}) {text}" if self.place else text)


def gather(environ: Mapping[str, str], folder: Path) -> tuple[dict[str, Given], list[Problem]]:
    """Every variable of ours by its name in upper case, and what went wrong on the way.

    DATABASE_URL stands in for THREADCAST_DATABASE_URL where that is not given anywhere.
    """
    problems: list[Problem] = []
    found = _ours((Given(name, value) for name, value in environ.items()), problems)
    found = _ours(_dotenv(folder / DOTENV, problems), problems) | found
    if directory := found.get(SECRETS_DIR):
        found = _ours(_secrets(folder / directory.value, directory, problems), problems) | found
    if general := found.pop(DATABASE_URL, None):
        found.setdefault(f"{PREFIX}{DATABASE_URL}", general)
    return found, problems


def _ours(given: Iterable[Given], problems: list[Problem]) -> dict[str, Given]:
    """Those that are ours, by name in upper case; one written twice is a problem."""
    found: dict[str, Given] = {}
    for each in given:
        name = each.spelling.upper()
        if not (name.startswith(PREFIX) or each.spelling == DATABASE_URL):
            continue
        if not is_name(each.spelling):
            problems.append(each.problem("no such setting; a name has only letters, digits, _ and -"))
        elif (first := found.get(name)) is not None:
            as_well = "" if first.spelling == each.spelling else f", as {first.spelling} as well"
            problems.append(each.problem(f"given twice{as_well}; one of the two has to go"))
        elif not _is_text(each.value):
            problems.append(each.problem("expected UTF-8 text"))
        elif value := each.value.strip():
            found[name] = Given(each.spelling, value, each.place)
    return found


def _is_text(value: str) -> bool:
    """Whether a value can be written anywhere; the environment may hold any bytes but 0."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _dotenv(path: Path, problems: list[Problem]) -> list[Given]:
    """The lines of a `.env` file, taken literally: nothing is put in for `${NAME}`."""
    text = _text(path, Problem(DOTENV, ""), problems)
    found: list[Given] = []
    for binding in parse_stream(StringIO(text or "")):
        # What stands there is not told: it may be the rest of a secret.
        if binding.error or (binding.key is not None and binding.value is None):
            problems.append(Problem(DOTENV, f"line {_line(binding)} cannot be read; expected NAME=value"))
        elif binding.key is not None and binding.value is not None:
            found.append(Given(binding.key, binding.value, DOTENV))
    return found


def _line(binding: Binding) -> int:
    """The line a binding begins on; blank lines before it belong to it."""
    whole = binding.original.string
    return binding.original.line + whole[: len(whole) - len(whole.lstrip())].count("\n")


def _secrets(directory: Path, setting: Given, problems: list[Problem]) -> list[Given]:
    """Files named like variables, the prefix not needed: `THREADCAST_TELEGRAM__TOKEN`, `telegram__token`.

    Other files are left alone, for such a folder may be shared. A file may be a link to anywhere.
    """
    try:
        paths = sorted(path for path in directory.iterdir() if not path.is_dir())
    except OSError as error:
        problems.append(setting.problem(f"expected a folder that can be read ({error.strerror})"))
        return []
    found: list[Given] = []
    for path in paths:
        bare = path.name.upper().removeprefix(PREFIX)
        if bare != path.name.upper() or bare.startswith(_BARE):
            file = Given(path.name, "", f"the folder of {SECRETS_DIR}")
            text = _text(path, file.problem(""), problems)
            found += [Given(PREFIX + bare, text, file.place)] if text is not None else []
    return found


def _text(path: Path, about: Problem, problems: list[Problem]) -> str | None:
    """A small UTF-8 file's text; None where there is no such file, or, with a problem, no such text."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    except OSError as error:
        problems.append(Problem(about.variable, f"{about.text}cannot be read ({error.strerror})"))
        return None
    if len(data) > LARGEST:
        problems.append(Problem(about.variable, f"{about.text}is longer than {LARGEST} bytes"))
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.append(Problem(about.variable, f"{about.text}is not UTF-8 text (byte {error.start})"))
        return None
