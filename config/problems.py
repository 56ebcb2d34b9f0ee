"""What is wrong with the settings, said to their owner: the variable, what was expected, an example.

No message holds a value, nor anything that a library says about one: pydantic's own words print the
settings beside the wrong one, secrets included.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from threadcast.config.variables import Variable

_NAME = re.compile(r"[A-Za-z0-9_-]*")
# Low enough for a word left out of a long name, high enough not to suggest what is unlike.
_LIKENESS = 0.7


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the variable as its owner wrote it (or the file), and what to do."""

    variable: str
    text: str

    def __str__(self) -> str:
        return f"{self.variable}: {self.text}"


class SettingsError(Exception):
    """The settings cannot be used. Its text lists every problem, one a line, and holds no value."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def shown(name: str) -> str:
    """A variable's name fit to print: cut where it stops being one, for a value may have slipped in.

    `TOKEN:123` on a line of `.env`, a colon in place of the equals sign, reads as a name.
    """
    fit = _NAME.match(name)
    return name if fit is None or fit[0] == name else f"{fit[0]}…"


def is_name(name: str) -> bool:
    """Whether a name has only letters, digits, `_` and `-`."""
    return _NAME.fullmatch(name) is not None


def wrong(variable: Variable) -> str:
    """What to say of a value that does not fit."""
    return f"expected {variable.expected}, for example {variable.example}"


def missing(variable: Variable) -> str:
    """What to say of a variable that has to be there."""
    return f"missing; {wrong(variable)}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like this one; None where none is like it."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=_LIKENESS)
    return found[0] if found else None
