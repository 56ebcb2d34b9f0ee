"""Tokens of programs: what each may do, and when it was used last.

A token is shown once. Its hash is stored; who reads the queue, or a backup of it, can do nothing with that.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hmac import compare_digest
from secrets import token_urlsafe
from typing import Final

from threadcast.bot.people.pairing import digest_of, line_of
from threadcast.queue.store.notes import Entry, Notes

TOKENS: Final = "api-tokens"  # of the notes; a line a token, by its name
USED: Final = "api-tokens-used"  # the same: when it was used last
PREFIX: Final = "threadcast_"  # programs that look for leaked secrets know it by that
SECRET_BYTES: Final = 32
LONGEST: Final = 128  # characters of what is taken for a token
NOTED_EVERY: Final = timedelta(minutes=1)  # that it was used
NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?", re.ASCII)


class Scope(StrEnum):
    """What a token may do; each may do what those before it may."""

    READ = "read"
    ADD = "add"
    ALL = "all"

    def covers(self, other: "Scope") -> bool:
        """Return whether it allows what needs that one."""
        scopes = list(Scope)
        return scopes.index(self) >= scopes.index(other)


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token. `by` is the actor who made it, `used` None where nobody used it yet."""

    name: str
    scope: Scope
    since: datetime
    by: str
    used: datetime | None = None

    @property
    def actor(self) -> str:
        """Return who it is in the audit log."""
        return f"api:{self.name}"


def make(notes: Notes, name: str, scope: Scope, *, by: str, now: datetime) -> str:
    """Return the secret of a new token; one of that name is none any more. Raises StoreError."""
    secret = PREFIX + token_urlsafe(SECRET_BYTES)
    kept = {"name": name, "scope": scope, "digest": digest_of(secret), "since": now.isoformat(), "by": by}
    entry = Entry("token", by, now, detail=f"{name} ({scope})")
    notes.forget(USED, _line(name))
    notes.write(TOKENS, _line(name), json.dumps(kept), now=now, entry=entry)
    return secret


def every(notes: Notes) -> tuple[Token, ...]:
    """Return all tokens by name. Raises StoreError."""
    used = notes.read(USED)
    found = [_token(text, used.get(line)) for line, text in notes.read(TOKENS).items()]
    return tuple(sorted(found, key=lambda one: one.name))


def revoke(notes: Notes, name: str, *, by: str, now: datetime) -> bool:
    """Take a token back, from the next request on; whether there was one. Raises StoreError."""
    notes.forget(USED, _line(name))
    return notes.forget(TOKENS, _line(name), entry=Entry("revoke-token", by, now, detail=name))


def find(notes: Notes, secret: str, *, now: datetime) -> Token | None:
    """Return whose secret this is, and note that it was used; None where it is nobody's. Raises StoreError.

    Every token is compared, in a time that tells nothing.
    """
    digest = digest_of(secret[:LONGEST])
    found = None
    for line, text in notes.read(TOKENS).items():
        if compare_digest(json.loads(text)["digest"], digest):
            found = line, text
    if found is None:
        return None
    token = _token(found[1], notes.read(USED).get(found[0]))
    if token.used is None or token.used <= now - NOTED_EVERY:
        notes.write(USED, found[0], now.isoformat(), now=now)
    return token


def _line(name: str) -> int:
    return line_of(digest_of(name))


def _token(text: str, used: str | None) -> Token:
    kept = json.loads(text)
    since, last = datetime.fromisoformat(kept["since"]), used and datetime.fromisoformat(used)
    return Token(kept["name"], Scope(kept["scope"]), since, kept["by"], last or None)
