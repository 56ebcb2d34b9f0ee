"""Where settings are written: the environment, `.env` in the folder, files of secrets; what is wrong there.

A variable is taken from the first of these that has it, in this order. Names are read in any case and
kept in upper case; a variable with nothing in it counts as not there.

What is wrong is said to the owner: the variable, what was expected, an example, the nearest right name or
value. A value is shown only where a right one is like it, and no secret ever; nor is anything that a library
says, for pydantic's own words print the settings beside the wrong one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from threadcast.config.channels import CHANNEL_VARIABLES
from threadcast.config.documented import DELIMITER, PLACE, PREFIX, Variable, nearest
from threadcast.config.logs import redact
from threadcast.config.types import channel_name

DATABASE_URL = "DATABASE_URL"  # what hosts of applications set
SECRETS_DIR = f"{PREFIX}SECRETS_DIR"
CHANNELS = f"{PREFIX}CHANNELS"
DOTENV = ".env"

LARGEST = 1_000_000  # bytes of one file

# What the name of a secret's file may begin with where it does not begin with the prefix.
_BARE = ("TELEGRAM__", "CHANNELS__", DATABASE_URL)
_NAME = re.compile(r"[A-Za-z0-9_-]*")
_EVERY_FIELD = tuple(dict.fromkeys(field for fields in CHANNEL_VARIABLES.values() for field in fields))
_DEPTH = 3  # CHANNELS, the channel's name, the field


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the variable as its owner wrote it (or the file), and what to do."""

    variable: str
    text: str

    def __str__(self) -> str:
        return f"{self.variable}: {self.text}"


class SettingsError(Exception):
    """The settings cannot be used. Its text lists every problem, one a line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Given:
    """One variable as it was written. `place` is empty for the environment itself."""

    spelling: str
    value: str = field(repr=False)
    place: str = ""

    def problem(self, text: str) -> Problem:
        """Return a problem of this variable, which says where it was found.

        Its name is cut where it stops being one, for a value may have slipped in: `TOKEN:123` on a line of
        `.env`, a colon in place of the equals sign, reads as a name.
        """
        fit = _NAME.match(self.spelling)
        name = self.spelling if fit is None or fit[0] == self.spelling else f"{fit[0]}…"
        return Problem(name, f"(in {self.place}) {text}" if self.place else text)

    def wrong(self, variable: Variable) -> Problem:
        """Return what is wrong with a value that does not fit."""
        guess = None if variable.secret or variable.nearest is None else variable.nearest(self.value)
        expected = f"expected {variable.expected}, for example {variable.example}"
        if guess is None or redact(self.value) != self.value:
            return self.problem(expected)
        return self.problem(f"“{self.value}” is none; did you mean {guess}? {expected}")


def missing(name: str, variable: Variable) -> Problem:
    """Return what is wrong where a variable has to be there."""
    return Problem(name, f"missing; expected {variable.expected}, for example {variable.example}")


def gather(environ: Mapping[str, str], folder: Path) -> tuple[dict[str, Given], list[Problem]]:
    """Return every variable of ours by its name in upper case, and what went wrong on the way.

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
    """Return those that are ours, by name in upper case; one written twice is a problem."""
    found: dict[str, Given] = {}
    for each in given:
        name = each.spelling.upper()
        if not (name.startswith(PREFIX) or each.spelling == DATABASE_URL):
            continue
        if not _NAME.fullmatch(each.spelling):
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
    """Return the lines of a `.env` file, taken literally: nothing is put in for `${NAME}`."""
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
    """Return the line a binding begins on; blank lines before it belong to it."""
    whole = binding.original.string
    return binding.original.line + whole[: len(whole) - len(whole.lstrip())].count("\n")


def _secrets(directory: Path, setting: Given, problems: list[Problem]) -> list[Given]:
    """Return files named like variables, with the prefix or without: `telegram__token`.

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
    """Return a small UTF-8 file's text; None where there is no such file, or, with a problem, no text."""
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


def channel_variable(name: str, field: str) -> str:
    """Return the variable of one channel's field."""
    return DELIMITER.join((CHANNELS, name, field)).upper()


def misspelt(given: Mapping[str, Given], known: Iterable[str]) -> dict[str, Problem]:
    """Return a problem for each name that is no variable, with the nearest one that is."""
    fixed = [name for name in known if PLACE not in name]
    texts = {name: _unknown(name, given, fixed) for name in given if name not in fixed}
    return {name: given[name].problem(text) for name, text in texts.items() if text is not None}


def _unknown(name: str, given: Mapping[str, Given], fixed: Sequence[str]) -> str | None:
    """Return what is wrong with a name that is not of the fixed ones; None where it is a channel's."""
    steps = name.removeprefix(PREFIX).split(DELIMITER)
    if steps[0] == "CHANNELS":
        if len(steps) != _DEPTH:
            return f"no such setting; a channel's variables look like {channel_variable('news', 'kind')}"
        return _unknown_of_channel(steps[1], steps[2].lower(), given)
    like = [channel_variable(steps[1], field) for field in _EVERY_FIELD] if len(steps) == _DEPTH else []
    # Without the prefix, which would make any two names look alike.
    guess = nearest(name.removeprefix(PREFIX), [each.removeprefix(PREFIX) for each in (*fixed, *like)])
    return f"no such setting; did you mean {PREFIX}{guess}?" if guess else "no such setting"


def _unknown_of_channel(channel: str, field: str, given: Mapping[str, Given]) -> str | None:
    try:
        channel_name(channel)
    except ValueError:
        return "a channel's name begins with a letter or digit and has 32 letters, digits, _ and - at most"
    written = given.get(channel_variable(channel, "kind"))
    kind = written.value.lower() if written else ""
    fields = tuple(CHANNEL_VARIABLES.get(kind, _EVERY_FIELD))
    if field in fields:
        return None
    what = f"a {kind} channel has no such setting" if field in _EVERY_FIELD else "no such setting"
    guess = nearest(field, fields)
    return f"{what}; did you mean {channel_variable(channel, guess)}?" if guess else what
