"""Who steers the service from Telegram, by the environment or by a link; their names and languages.

People are known by their numeric ids alone. Their names are what Telegram says of them: to be shown, and
nothing is decided by them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final, Self

from threadcast.bot.languages import DEFAULT, language_of
from threadcast.bot.plain import plain
from threadcast.config.telegram import TelegramSettings
from threadcast.queue.store.notes import Entry, Notes

PEOPLE: Final = "people"  # pages of the notes; the line is the person's id
NAMES: Final = "names"
LANGUAGES: Final = "languages"
LONGEST: Final = 64  # code points of a name


class Role(IntEnum):
    """What a person may do: an editor adds and looks, an owner does all."""

    EDITOR = 1
    OWNER = 2


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may steer. `since` and `by`, an actor, are of one who opened a link."""

    number: int
    role: Role
    since: datetime | None = None
    by: str = ""


class People:
    """Those of the environment stay; those who opened a link come and go, as the notes have it.

    `language` is spoken to everybody, whatever their own is.
    """

    def __init__(self, settings: TelegramSettings, language: str = "") -> None:
        self.language = language
        self._fixed = {one: Person(one, Role.OWNER) for one in settings.admins} | {
            one: Person(one, Role.EDITOR) for one in settings.editors if one not in settings.admins
        }
        self._admitted: Mapping[int, Person] = {}
        self._names: Mapping[int, str] = {}
        self._languages: Mapping[int, str] = {}

    def read(self, notes: Notes) -> Self:
        """Return the same, as the queue knows them now. Raises StoreError."""
        self._admitted = {one: _person(one, text) for one, text in notes.read(PEOPLE).items()}
        self._names = notes.read(NAMES)
        self._languages = notes.read(LANGUAGES)
        return self

    @property
    def all(self) -> tuple[Person, ...]:
        """Return everybody, owners first, those of the environment before others."""
        found = dict(self._fixed)
        for one in sorted(self._admitted.values(), key=lambda each: (str(each.since), each.number)):
            if one.number not in found or one.role > found[one.number].role:
                found[one.number] = one
        return tuple(sorted(found.values(), key=lambda one: -one.role))

    @property
    def roles(self) -> dict[int, Role]:
        """Return what each may do."""
        return {one.number: one.role for one in self.all}

    @property
    def owners(self) -> tuple[int, ...]:
        """Return the owners' ids, those of the environment first."""
        return tuple(one.number for one in self.all if one.role is Role.OWNER)

    def is_known(self, number: int, name: str, code: str | None) -> bool:
        """Return whether this name and this language are what is known of somebody."""
        speaks = not code or self._languages.get(number) == language_of(code)
        return speaks and self._names.get(number) == _fit(name)

    def speaks(self, number: int, code: str | None = None) -> str:
        """Return the language for somebody who has this code now, or had one when they wrote last.

        A group has none of its own: English.
        """
        return self.language or (language_of(code) if code else self._languages.get(number, DEFAULT))

    def name(self, actor: str) -> str:
        """Return how an actor of the audit log is called; the actor's own word where nobody knows."""
        kind, _, number = actor.partition(":")
        known = kind == "telegram" and number.isdecimal()
        return (self._names.get(int(number)) if known else None) or actor


def admit(notes: Notes, number: int, role: Role, *, by: str, now: datetime) -> None:
    """Note that somebody has this role now; `by` is the actor whose link it was. Raises StoreError."""
    kept = json.dumps({"role": role.name, "since": now.isoformat(), "by": by})
    entry = Entry("admit", _actor(number), now, detail=by)
    notes.write(PEOPLE, number, kept, now=now, entry=entry)


def revoke(notes: Notes, number: int, *, by: str, now: datetime) -> bool:
    """Take away what a link gave, as an actor asks; whether there was anything. Raises StoreError."""
    return notes.forget(PEOPLE, number, entry=Entry("revoke", by, now, detail=_actor(number)))


def note(notes: Notes, number: int, name: str, code: str | None, *, now: datetime) -> None:
    """Note how somebody is called, and which language is spoken to them. Raises StoreError."""
    notes.write(NAMES, number, _fit(name), now=now)
    if code:
        notes.write(LANGUAGES, number, language_of(code), now=now)


def _actor(number: int) -> str:
    return f"telegram:{number}"


def _fit(name: str) -> str:
    """A name for one line, which drives nothing, and is not empty where it shows something."""
    return " ".join(plain(name).split())[:LONGEST]


def _person(number: int, text: str) -> Person:
    kept = json.loads(text)
    return Person(number, Role[kept["role"]], datetime.fromisoformat(kept["since"]), kept["by"])
