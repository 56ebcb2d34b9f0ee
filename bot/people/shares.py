"""A link by which somebody without an account approves one thread, or sends it back, until that is decided.

It is stored as a hash; who reads the queue, or a backup of it, cannot open the link.
"""

import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Final

from threadcast.bot.people.pairing import digest_of, line_of
from threadcast.queue.model import AuditEvent
from threadcast.queue.states import Event
from threadcast.queue.store.notes import Entry, Notes

LASTS: Final = timedelta(days=7)
LONGEST: Final = timedelta(days=90)
PAGE: Final = "shares"  # of the notes; a line a link
CODE_BYTES: Final = 24
CODE_LENGTH: Final = 64  # characters at the most
KIND: Final = "share"  # of the actor who has a link, before the actor whose link it is
SEND_BACK: Final = "send-back"

# After one of these a thread is decided, whoever did it.
DECIDED: Final = frozenset({Event.RELEASE, Event.SCHEDULE, Event.CANCEL, SEND_BACK})


@dataclass(frozen=True, slots=True)
class Share:
    """A link: to which thread, whose, until when. `after` is the thread's last event when it was made."""

    thread: int
    by: str
    after: int
    until: datetime

    @property
    def actor(self) -> str:
        """Return who has it, for the audit log."""
        return f"{KIND}:{self.by}"

    def is_open(self, events: Iterable[AuditEvent]) -> bool:
        """Whether its thread was not decided since; of the thread's events."""
        return not any(one.id > self.after and one.what in DECIDED for one in events)


def offer(notes: Notes, share: Share, *, now: datetime) -> str:
    """Return the code of a new link, and forget those that are too old. Raises StoreError."""
    for line, text in notes.read(PAGE).items():
        if _read(text)[0].until <= now:
            notes.forget(PAGE, line)
    code = token_urlsafe(CODE_BYTES)
    digest = digest_of(code)
    kept = {
        "digest": digest,
        "thread": share.thread,
        "by": share.by,
        "after": share.after,
        "until": share.until.isoformat(),
    }
    entry = Entry("share", share.by, now, detail=f"#{share.thread}")
    notes.write(PAGE, line_of(digest), json.dumps(kept), now=now, entry=entry)
    return code


def find(notes: Notes, code: str, *, now: datetime) -> Share | None:
    """Return what a code opens; None where it is not good, or not any more. Raises StoreError."""
    if not code or len(code) > CODE_LENGTH:
        return None
    digest = digest_of(code)
    line = line_of(digest)
    text = notes.read(PAGE, [line]).get(line)
    if text is None:
        return None
    share, kept = _read(text)
    return share if hmac.compare_digest(kept, digest) and share.until > now else None


def revoke(notes: Notes, thread: int) -> None:
    """Let no link to a thread open it any more. Raises StoreError."""
    for line, text in notes.read(PAGE).items():
        if _read(text)[0].thread == thread:
            notes.forget(PAGE, line)


def _read(text: str) -> tuple[Share, str]:
    kept = json.loads(text)
    until = datetime.fromisoformat(kept["until"])
    return Share(kept["thread"], kept["by"], kept["after"], until), kept["digest"]
