"""Where settings are written: the environment, `.env`, files of secrets, a file of channels; what is wrong.

A variable is taken from the first of these that has it, in this order. Names are read in any case and
kept in upper case; a variable with nothing in it counts as not there.

What is wrong is said to the owner: the variable, what was expected, an example, the nearest right name or
value. A value is shown only where a right one is like it, and no secret ever; nor is anything that a library
says, for pydantic's own words print the settings beside the wrong one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from io import StringIO
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from threadcast.config.channels import CHANNEL_VARIABLES
from threadcast.config.documented import DELIMITER, PLACE, PREFIX, Variable, nearest
from threadcast.config.folders import DOTENV, Folders, find_folders
from threadcast.config.logs import redact
from threadcast.config.types import channel_name

DATABASE_URL = "DATABASE_URL"  # what hosts of applications set
SECRETS_DIR = f"{PREFIX}SECRETS_DIR"
CHANNELS = f"{PREFIX}CHANNELS"
CHANNELS_FILE = f"{CHANNELS}_FILE"

LARGEST = 1_000_000  # bytes of one file
LARGEST_OF_CHANNELS = 10_000_000  # some 100,000 channels

# What the name of a secret's file may begin with where it does not begin with the prefix.
_UNPREFIXED = ("TELEGRAM__", "CHANNELS__", DATABASE_URL)
_NAME = re.compile(r"[A-Za-z0-9_-]*")
_QUOTES = ("'", '"')
_COMMENT = re.compile(r"(?:^|\s+)#(?:\s.*)?$")
_VERY_LIKE = 0.85  # THREADCST_ is, THREADS_ is not
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
    """One variable as it was written. `place` is empty for the environment itself.

    A path in its value begins at `folder`.
    """

    spelling: str
    value: str = field(repr=False)
    folder: Path
    place: str = ""

    def problem(self, text: str) -> Problem:
        """Return a problem of this variable, which says where it was found.

        Its name is cut where it stops being one, for a value may have slipped in: `TOKEN:123` on a line of
        `.env`, a colon in place of the equals sign, reads as a name.
        """
        fit = _NAME.match(self.spelling)
        name = self.spelling if fit is None or fit[0] == self.spelling else f"{fit[0]}…"
        return Problem(name, f"(in {self.place}) {text}" if self.place else text)

    def path(self, environ: Mapping[str, str]) -> Path:
        """Return the path that the value is, with the home folder for `~`: no shell has looked at `.env`."""
        home = environ.get("HOME")
        at_home = home and (self.value == "~" or self.value.startswith("~/"))
        return self.folder / (f"{home}{self.value[1:]}" if at_home else self.value)

    def whole_url(self) -> str:
        """Return the database's URL that the value is, with the path of an SQLite file made whole."""
        scheme, is_file, path = self.value.partition(":///")
        relative = is_file and scheme.startswith("sqlite") and path.strip("/") not in {"", ":memory:"}
        return f"{scheme}:///{self.folder / path}" if relative else self.value

    def wrong(self, variable: Variable, advice: str = "") -> Problem:
        """Return what is wrong with a value that does not fit, and what to write instead."""
        expected = f"expected {variable.expected}, for example {variable.example}"
        if self.value[0] in _QUOTES and self.value[-1] == self.value[0]:
            advice = "the quotes are part of the value here: write it without them"
        guess = None if variable.secret or variable.nearest is None else variable.nearest(self.value)
        if guess is not None and redact(self.value) == self.value:
            expected = f"“{self.value}” does not fit; did you mean {guess}? {expected}"
        return self.problem(f"{expected}; {advice}" if advice else expected)


def missing(name: str, variable: Variable) -> Problem:
    """Return what is wrong where a variable has to be there."""
    return Problem(name, f"missing; expected {variable.expected}, for example {variable.example}")


def gather(
    environ: Mapping[str, str], working: Path, known: Iterable[str]
) -> tuple[dict[str, Given], list[Problem], Folders]:
    """Return every variable of ours by its name in upper case, what went wrong on the way, and where we are.

    DATABASE_URL stands in for THREADCAST_DATABASE_URL where that is not given anywhere. `known` has the names
    of all variables: what is meant for us and has another name is a problem, too.
    """
    problems: list[Problem] = []
    fixed = [name for name in known if PLACE not in name]
    folders = find_folders(environ, working, is_ours=partial(_is_ours, fixed=fixed))
    dotenv = folders.dotenv
    here = [Given(name, value, working) for name, value in environ.items()]
    in_file = _dotenv(dotenv, DOTENV if dotenv.parent == working else str(dotenv), problems)
    found = _ours(here, problems)
    found = _ours(in_file, problems) | found
    if directory := found.get(SECRETS_DIR):
        found = _ours(_secrets(directory.folder / directory.value, directory, problems), problems) | found
    if listed := found.get(CHANNELS_FILE):
        found = _ours(_channels_file(listed, environ, problems), problems) | found
    if general := found.pop(DATABASE_URL, None):
        found.setdefault(f"{PREFIX}{DATABASE_URL}", general)
    problems += _almost_ours((*here, *in_file), found, fixed)
    return found, problems, folders


def _almost_ours(
    given: Iterable[Given], found: Mapping[str, Given], fixed: Sequence[str]
) -> Iterator[Problem]:
    """Return problems of names that are almost ours, where the right one is not given.

    The environment is shared with other programs, and so may `.env` be: only what can mean nothing else.
    """
    for each in given:
        name = each.spelling.upper()
        head, _, rest = name.partition("_")
        is_near = not name.startswith(PREFIX) and nearest(head, [PREFIX.rstrip("_")], likeness=_VERY_LIKE)
        is_ours = each.place and name.startswith(("TELEGRAM_", "CHANNELS_"))
        right = _respelled(rest if is_near else name, fixed) if is_near or is_ours else None
        if right is not None and right not in found:
            yield each.problem(f"no such setting; did you mean {right}?")


def _respelled(name: str, fixed: Iterable[str]) -> str | None:
    """Return the variable that a name without the prefix is, but for underscores; None where it is none."""
    flat = name.replace(DELIMITER, "_")
    same = (each for each in fixed if each.removeprefix(PREFIX).replace(DELIMITER, "_") == flat)
    fields = sorted(_EVERY_FIELD, key=len, reverse=True)  # REPLY_VISIBILITY before VISIBILITY
    of_channel = (re.fullmatch(f"CHANNELS_(.+)_({field.upper()})", flat) for field in fields)
    return next(same, None) or next((channel_variable(*one.groups()) for one in of_channel if one), None)


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
            found[name] = replace(each, value=value)
    return found


def _is_text(value: str) -> bool:
    """Return whether a value can be written anywhere; the environment may hold any bytes but 0."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _is_ours(dotenv: Path, fixed: Sequence[str]) -> bool:
    """Return whether a `.env` file has a setting of ours, or what was meant for one; others have one, too."""
    problems: list[Problem] = []
    lines = _dotenv(dotenv, DOTENV, problems)
    ours = any(each.spelling.upper().startswith(PREFIX) for each in lines)
    return ours or bool(problems) or any(_almost_ours(lines, {}, fixed))


def _dotenv(path: Path, name: str, problems: list[Problem]) -> list[Given]:
    """Return the lines of a `.env` file, taken literally: nothing is put in for `${NAME}`."""
    text = _text(path, Problem(name, ""), problems)
    found: list[Given] = []
    for binding in parse_stream(StringIO(text or "")):
        # What stands there is not told: it may be the rest of a secret.
        if binding.error or (binding.key is not None and binding.value is None):
            problems.append(Problem(name, f"line {_line(binding)} cannot be read; expected NAME=value"))
        elif binding.key is not None and binding.value is not None:
            written = binding.original.string.partition("=")[2].strip()
            # `#uspol` is a word, `# why` a comment.
            value = binding.value if written[:1] in _QUOTES else _COMMENT.sub("", written)
            found.append(Given(binding.key, value, path.parent, name))
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
        name = path.name.upper().removeprefix(PREFIX)
        if name != path.name.upper() or name.startswith(_UNPREFIXED):
            file = Given(path.name, "", setting.folder, f"the folder of {SECRETS_DIR}")
            text = _text(path, file.problem(""), problems)
            found += [replace(file, spelling=PREFIX + name, value=text)] if text is not None else []
    return found


def _channels_file(setting: Given, environ: Mapping[str, str], problems: list[Problem]) -> list[Given]:
    """Return the settings of a TOML file with a table for each channel, as if they were variables.

    A token does not belong there: such a file is copied and shown.
    """
    path = setting.path(environ)
    before = len(problems)
    text = _text(path, setting.problem(""), problems, LARGEST_OF_CHANNELS)
    if text is None:
        if len(problems) == before:
            problems.append(setting.problem("expected a file that is there, for example channels.toml"))
        return []
    import tomllib  # noqa: PLC0415  # few have such a file

    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # Its words name a character at most; the line is what helps.
        problems.append(setting.problem(f"{path.name} is no TOML: {error}"))
        return []
    found: list[Given] = []
    for name, table in tables.items():
        if not isinstance(table, dict):
            problems.append(Problem(path.name, f"{name} stands in no channel's table; begin one with [news]"))
            continue
        for key, value in table.items():
            each = Given(channel_variable(name, key), "", path.parent, path.name)
            if key.lower() == "token":
                problems.append(each.problem("a token belongs in a variable or a secret file, not here"))
            elif isinstance(value, bool):
                found.append(replace(each, value=str(value).lower()))
            elif isinstance(value, str | int):
                found.append(replace(each, value=str(value)))
            else:
                problems.append(each.problem("expected text in quotes, a whole number, true or false"))
    return found


def _text(path: Path, about: Problem, problems: list[Problem], largest: int = LARGEST) -> str | None:
    """Return a small UTF-8 file's text; None where there is no such file, or, with a problem, no text."""
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    except OSError as error:
        problems.append(Problem(about.variable, f"{about.text}cannot be read ({error.strerror})"))
        return None
    if len(data) > largest:
        problems.append(Problem(about.variable, f"{about.text}is longer than {largest} bytes"))
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
    right = _respelled(name.removeprefix(PREFIX), fixed) if len(steps) < _DEPTH else None
    if right is not None:
        return f"no such setting; did you mean {right}?"
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
