"""The commands of the chat: who may give them, and how they are typed. Pure but for reading its table."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import IntEnum
from importlib import resources
from typing import Final


class Role(IntEnum):
    """What a person may do: an editor adds and looks, an owner does all."""

    EDITOR = 1
    OWNER = 2


@dataclass(frozen=True, slots=True)
class Command:
    """`takes` is what is typed behind the name; `summaries` are by language; `more` is for /help NAME."""

    name: str
    who: Role
    takes: str
    summaries: Mapping[str, str]
    more: str

    @property
    def usage(self) -> str:
        return f"/{self.name} {self.takes}".rstrip()


_IN_A_SHELL = re.compile(r"threadcast ([a-z]+)")
_OTHERWISE: Mapping[str, str] = {
    "name one with --channel": "name one of them behind it",
    " --now": " now",
    "possible now: continue, ": "possible now: ",  # parts are added to a thread in a shell alone
}


def _read() -> dict[str, Command]:
    text = resources.files(__package__).joinpath("commands.toml").read_text(encoding="utf-8")
    found = [
        Command(
            one["name"],
            Role[one["who"].upper()],
            one.get("takes", ""),
            one["say"],
            one.get("more", "").strip("\n"),
        )
        for one in tomllib.loads(text)["command"]
    ]
    return {one.name: one for one in found}


COMMANDS: Final[Mapping[str, Command]] = _read()
LANGUAGES: Final = tuple(sorted({language for one in COMMANDS.values() for language in one.summaries}))


def allowed_to(role: Role) -> tuple[Command, ...]:
    """The commands that a role may give, in the order of the menu."""
    return tuple(command for command in COMMANDS.values() if command.who <= role)


def in_chat(text: str) -> str:
    """A message that was written for the shell, with what can be typed in the chat in its place."""
    for shell, chat in _OTHERWISE.items():
        text = text.replace(shell, chat)
    return _IN_A_SHELL.sub(lambda found: f"/{found[1]}" if found[1] in COMMANDS else found[0], text)


def nearest(name: str, role: Role) -> str | None:
    """The command that was probably meant, of those that the role may give."""
    found = get_close_matches(name.lower(), [one.name for one in allowed_to(role)], n=1, cutoff=0.5)
    return found[0] if found else None
