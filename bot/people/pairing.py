"""A link that makes whoever opens it first an owner or an editor: once, and for ten minutes.

Its code is stored as a hash; who reads the queue, or a backup of it, cannot open the link.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from io import StringIO
from secrets import token_urlsafe
from typing import Final

from threadcast.bot.people.people import Role
from threadcast.queue.store.notes import Notes

LASTS: Final = timedelta(minutes=10)
SIGN_IN_LASTS: Final = timedelta(minutes=5)
PAGE: Final = "pairing"  # of the notes; a line a link
SIGN_INS: Final = "page-links"  # the same, of links that open the page in a browser
CODE_BYTES: Final = 16
LONGEST: Final = 64  # characters of a start parameter: https://core.telegram.org/bots/features#deep-linking


def offer(
    notes: Notes, role: Role, *, by: str, now: datetime, page: str = PAGE, lasts: timedelta = LASTS
) -> str:
    """Return the code of a new link of an actor's, and forget those that are too old. Raises StoreError.

    `page` is where in the notes links of its kind are.
    """
    for line, text in notes.read(page).items():
        if _until(text) <= now:
            notes.forget(page, line)
    code = token_urlsafe(CODE_BYTES)
    digest = digest_of(code)
    text = f"{role.name} {(now + lasts).isoformat()} {digest} {by}"
    notes.write(page, line_of(digest), text, now=now)
    return code


def sign_in_link(notes: Notes, address: str, role: Role, *, actor: str, now: datetime) -> str:
    """Return a link by which an actor signs in at a page's address: once, and for five minutes.

    Raises StoreError.
    """
    code = offer(notes, role, by=actor, now=now, page=SIGN_INS, lasts=SIGN_IN_LASTS)
    return f"{address}/sign-in?code={code}"


def look(notes: Notes, code: str, *, now: datetime, page: str = PAGE) -> Role | None:
    """Return what a code would make of a person; None where it is not good, or not any more."""
    found = _find(notes, code, now, page)
    return None if found is None else found[1]


def take(notes: Notes, code: str, *, now: datetime, page: str = PAGE) -> tuple[Role, str] | None:
    """Use a code up; return what it makes of a person, and whose it was. Of two, one gets it."""
    found = _find(notes, code, now, page)
    if found is None or not notes.forget(page, found[0]):
        return None
    return found[1], found[2]


def address(bot: str, code: str) -> str:
    """Return the link; `bot` is the bot's username."""
    return f"https://t.me/{bot}?start={code}"


def drawn(link: str) -> str:
    """Return a link as a QR code for a terminal, whatever its colours: what is light is drawn."""
    import segno  # noqa: PLC0415  # only where one is drawn

    out = StringIO()
    segno.make(link, micro=False).terminal(out, border=2, compact=True)
    return out.getvalue()


def digest_of(secret: str) -> str:
    """Return what is stored of a secret that opens something: its SHA-256, in hex."""
    return sha256(secret.encode()).hexdigest()


def line_of(digest: str) -> int:
    """Return the line of the notes on which a digest stands."""
    return int(digest[:15], 16)


def _find(notes: Notes, code: str, now: datetime, page: str) -> tuple[int, Role, str] | None:
    """The line of a code, its role, its actor. Every line is compared, in a time that tells nothing."""
    digest = digest_of(code[:LONGEST])
    found = None
    for line, text in notes.read(page).items():
        role, _, other, by = text.split(" ", 3)
        if compare_digest(digest, other) and _until(text) > now:
            found = (line, Role[role], by)
    return found


def _until(text: str) -> datetime:
    return datetime.fromisoformat(text.split(" ")[1])
