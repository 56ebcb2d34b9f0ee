"""What a call to a network came to, as data: what follows is decided in `states`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Code(StrEnum):
    """Why a delivery waits or stopped, for whatever decides by it; its `reason` is for people."""

    NONE = ""
    ROOM = "room"  # waits until its account's budget has room for the whole chain
    THROTTLED = "throttled"  # the platform asks to wait
    UNREACHED = "unreached"  # no connection, or the server cannot work now
    QUIET = "quiet"  # the channel's quiet hours
    STOPPED = "stopped"  # the service stopped before the call ended
    TOKEN = "token"  # noqa: S105  # not one itself: the account's is not accepted
    RIGHTS = "rights"  # the account may not post there
    GONE = "gone"  # the chat or account is not there any more, or cannot be found
    PARENT = "parent"  # the post to reply to is not there
    TOO_LONG = "too long"
    CONTENT = "content"  # the platform does not take what is in the post
    ADAPTER = "adapter"  # a fault of ours
    UNANSWERED = "unanswered"  # no answer that says whether the post is out
    STRAY = "stray"  # a post is out, and not where it should be
    NOT_THERE = "not there"  # looked for and not found: sent again
    ONCE_MORE = "once more"  # not found yet: looked for once more before it is sent again
    BLIND = "blind"  # cannot be looked for
    PERSON = "person"  # a person asked to stop it
    UNCONFIRMED = "unconfirmed"  # nobody has said yet that it may be public
    EDITOR = "editor"  # an editor added it, and an owner publishes it
    WISH = "wish"  # who added it asked to hold it
    SENT_BACK = "sent back"  # who was asked to approve it did not
    OTHER = "other"


# What is the channel's fault and not the post's: until a person mends it, every post would meet it.
CHANNEL_FAULTS = frozenset({Code.TOKEN, Code.RIGHTS, Code.GONE})

# What is tried again by itself, later and later, and at once where a person has mended it.
MENDABLE = CHANNEL_FAULTS | {Code.UNREACHED}


@dataclass(frozen=True, slots=True)
class Sent:
    """The post is out. `remote_id` is the platform's id, a string even where it is a number.

    `album` are the ids of the further messages that a network made of the same post: a picture each;
    `uploads` what it calls the files that the post shows now, where it said so.
    """

    remote_id: str
    url: str | None
    album: tuple[str, ...] = ()
    uploads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Throttled:
    """Certainly not sent; the platform asks to wait until a moment (UTC)."""

    until: datetime
    reason: str
    code: Code = Code.THROTTLED


@dataclass(frozen=True, slots=True)
class Unreached:
    """Certainly not sent: no connection was made, or none was asked for."""

    reason: str
    code: Code = Code.UNREACHED


@dataclass(frozen=True, slots=True)
class Refused:
    """Certainly not sent, and sending the same again will not help: not until a person mended something."""

    reason: str
    code: Code = Code.OTHER


@dataclass(frozen=True, slots=True)
class Unknown:
    """May have been sent.

    `stray` is the remote id of a post that certainly is out, but not where it should be: to look for it,
    or to send it again, would not help; a person has to put it right.
    """

    reason: str
    stray: str | None = None
    code: Code = Code.UNANSWERED


# What keeps a post from going out: certainly nothing was sent.
Obstacle = Throttled | Unreached | Refused

Outcome = Sent | Obstacle | Unknown


@dataclass(frozen=True, slots=True)
class Absent:
    """Looked for where the post would be, all the way: it is not there."""


@dataclass(frozen=True, slots=True)
class Blind:
    """There is no way to look, or (`seen`) what was found is for a person to judge; the reason says which."""

    reason: str
    seen: bool = False
    code: Code = Code.BLIND


# What a look for a post of unknown fate came to. After Throttled and Unreached it is looked for again.
Look = Sent | Absent | Throttled | Unreached | Blind

# What taking a post down came to. Absent: it is not there, by this call or before.
TakeDown = Absent | Obstacle


@dataclass(frozen=True, slots=True)
class Settling:
    """How posts of unknown fate are settled on a channel.

    A look means something from `first_look` after a try began: until then the server may still be at
    work on it. A post that `misses` looks in a row, `apart` from each other, did not find is sent again;
    while its first try is younger than `key_life`, one is enough, because the server knows the key. With
    `resend` a post that cannot be looked for is sent again too: the owner prefers twice to never. Not
    where something was seen that may be it.
    """

    first_look: timedelta
    apart: timedelta = timedelta(0)
    misses: int = 1
    key_life: timedelta = timedelta(0)
    resend: bool = False
