"""Who looks at the page: a link that signs in once, and a session until it ends.

Neither is stored, only its hash; who reads the queue, or a backup of it, can open nothing. What a person
may do is asked each time, so that one who was removed sees nothing more.
"""

import hmac
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe
from threading import Lock
from typing import Final

from threadcast.bot.channels.port import Clock
from threadcast.bot.people import pairing
from threadcast.bot.people.people import Role
from threadcast.bot.requests.drafting.drafts import draft_key
from threadcast.queue.store.notes import Notes

SESSION_LASTS: Final = timedelta(days=30)
APP_LASTS: Final = timedelta(days=1)  # of one that Telegram opened, and opens anew
SESSIONS: Final = "page-sessions"  # of the notes; a line a session
SECRET_BYTES: Final = 32
LONGEST: Final = 64  # characters of a session's secret
TRIES: Final = 10  # of links, by one address, within
WITHIN: Final = timedelta(minutes=1)
COUNTED: Final = 10_000  # who tried last


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in. `actor` is theirs in the audit log; `csrf` proves that a form is ours."""

    actor: str
    role: Role
    csrf: str

    @property
    def draft_key(self) -> str:
        """Where they write: their own chat with the bot, and this page."""
        return draft_key(self.actor)


class Tries:
    """Counts how many links somebody tries, or how often a program asks: so many a minute each."""

    def __init__(self, clock: Clock, most: int = TRIES) -> None:
        self._clock = clock
        self._most = most
        self._of: dict[str, deque[datetime]] = {}
        self._counting = Lock()

    def may_try(self, who: str) -> bool:
        """Return whether they may try one more now, and count it."""
        return not self.wait(who)

    def wait(self, who: str) -> timedelta:
        """Count one more of theirs now; or return how long they have to wait for that."""
        with self._counting:
            now = self._clock()
            tried = self._of.pop(who, None) or deque[datetime](maxlen=self._most)
            self._of[who] = tried
            if len(self._of) > COUNTED:
                del self._of[next(iter(self._of))]
            if len(tried) == self._most and tried[0] > now - WITHIN:
                return tried[0] + WITHIN - now
            tried.append(now)
            return timedelta(0)


class Sessions:
    """`role_of` says what an actor may do now, None where nothing; each method may raise StoreError."""

    def __init__(self, notes: Notes, role_of: Callable[[str], Role | None], clock: Clock) -> None:
        self._notes = notes
        self._role_of = role_of
        self._clock = clock

    def is_good(self, code: str) -> bool:
        """Return whether a link would sign in; it is not used up."""
        return pairing.look(self._notes, code, now=self._clock(), page=pairing.SIGN_INS) is not None

    def sign_in(self, code: str) -> str | None:
        """Use a link up; return the secret of a new session, None where the link is not good any more."""
        now = self._clock()
        found = pairing.take(self._notes, code, now=now, page=pairing.SIGN_INS)
        return None if found is None else self.open(found[1], SESSION_LASTS)

    def open(self, actor: str, lasts: timedelta) -> str | None:
        """Return the secret of a new session of an actor; None where they may not steer."""
        if self._role_of(actor) is None:
            return None
        now, secret = self._clock(), token_urlsafe(SECRET_BYTES)
        self._forget(lambda one: datetime.fromisoformat(one["until"]) <= now)
        digest = pairing.digest_of(secret)
        kept = {"digest": digest, "actor": actor, "until": (now + lasts).isoformat()}
        self._notes.write(SESSIONS, pairing.line_of(digest), json.dumps(kept), now=now)
        return secret

    def find(self, secret: str) -> Visitor | None:
        """Return whose session this is, as long as it lasts and they may steer."""
        if not secret or len(secret) > LONGEST:
            return None
        digest = pairing.digest_of(secret)
        line = pairing.line_of(digest)
        found = self._notes.read(SESSIONS, [line])
        kept = json.loads(found[line]) if found else None
        if kept is None or not hmac.compare_digest(kept["digest"], digest):
            return None
        role = self._role_of(kept["actor"])
        if role is None or datetime.fromisoformat(kept["until"]) <= self._clock():
            return None
        return Visitor(kept["actor"], role, hmac.new(secret.encode(), b"csrf", "sha256").hexdigest())

    def sign_out(self, secret: str, *, everywhere: bool = False) -> None:
        """End a session, or all of whoever it belongs to."""
        digest = pairing.digest_of(secret)
        mine = self._all().get(pairing.line_of(digest), {}).get("actor")
        self._forget(lambda one: one["digest"] == digest or (everywhere and one["actor"] == mine))

    def _forget(self, which: Callable[[Mapping[str, str]], bool]) -> None:
        for line, one in self._all().items():
            if which(one):
                self._notes.forget(SESSIONS, line)

    def _all(self) -> Mapping[int, Mapping[str, str]]:
        return {line: json.loads(text) for line, text in self._notes.read(SESSIONS).items()}
