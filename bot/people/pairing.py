"""A link that makes whoever opens it first an owner or an editor: once, and for ten minutes.

Its code is stored as a hash; who reads the queue, or a backup of it, cannot open the link.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from io import StringIO
from secrets import token_urlsafe
from typing import Final

import segno

from threadcast.bot.people.people import Role
from threadcast.queue.store.notes import Notes

LASTS: Final = timedelta(minutes=10)
PAGE: Final = "pairing"  # of the notes; a line a link
CODE_BYTES: Final = 16
LONGEST: Final = 64  # characters of a start parameter: https://core.telegram.org/bots/features#deep-linking


def offer(notes: Notes, role: Role, *, by: str, now: datetime) -> str:
    """Return the code of a new link of an actor's, and forget those that are too old. Raises StoreError."""
    for line, text in notes.read(PAGE).items():
        if _until(text) <= now:
            notes.forget(PAGE, line)
    code = token_urlsafe(CODE_BYTES)
    digest = _digest(code)
    text = f"{role.name} {(now + LASTS).isoformat()} {digest} {by}"
    notes.write(PAGE, int(digest[:15], 16), text, now=now)
    return code


def look(notes: Notes, code: str, *, now: datetime) -> Role | None:
    """Return what a code would make of a person; None where it is not good, or not any more."""
    found = _find(notes, code, now)
    return None if found is None else found[1]


def take(notes: Notes, code: str, *, now: datetime) -> tuple[Role, str] | None:
    """Use a code up; return what it makes of a person, and whose it was. Of two, one gets it."""
    found = _find(notes, code, now)
    if found is None or not notes.forget(PAGE, found[0]):
        return None
    return found[1], found[2]


def address(bot: str, code: str) -> str:
    """Return the link; `bot` is the bot's username."""
    return f"https://t.me/{bot}?start={code}"


def drawn(link: str) -> str:
    """Return a link as a QR code for a terminal, whatever its colours: what is light is drawn."""
    out = StringIO()
    segno.make(link, micro=False).terminal(out, border=2, compact=True)
    return out.getvalue()


def _find(notes: Notes, code: str, now: datetime) -> tuple[int, Role, str] | None:
    """The line of a code, its role, its actor. Every line is compared, in a time that tells nothing."""
    digest = _digest(code[:LONGEST])
    found = None
    for line, text in notes.read(PAGE).items():
        role, _, other, by = text.split(" ", 3)
        if compare_digest(digest, other) and _until(text) > now:
            found = (line, Role[role], by)
    return found


def _until(text: str) -> datetime:
    return datetime.fromisoformat(text.split(" ")[1])


def _digest(code: str) -> str:
    return sha256(code.encode()).hexdigest()
