"""Threads, wishes and moments for the tests of the stores."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from threadcast.queue.compose.rules import Post
from threadcast.queue.model import Adoption, NewDelivery, NewThread
from threadcast.queue.states import DeliveryState
from threadcast.queue.text.thread import Notice, NoticeKind, Part, Placement, Severity, Thread

NOON = datetime(2026, 5, 1, 12, 0, 0, 7, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LEASE = 5 * MINUTE


def thread(title: str = "How tides work", parts: int = 2) -> Thread:
    """A thread with everything that has to survive storing: notices, an emoji, inner blank lines."""
    notice = Notice(Severity.WARNING, NoticeKind.PREAMBLE, line=1, part=None, lines=(2,), markers=("1/",))
    return Thread(
        parts=tuple(
            Part(number=number, marker=f"{number}/", joint=" ", text=f"{title} 🌊\n\n“{number}”", line=number)
            for number in range(1, parts + 1)
        ),
        placement=Placement.PREFIX,
        total=parts,
        preamble="Found in a drawer.",
        complete=False,
        fingerprint=sha256(title.encode()).hexdigest(),
        notices=(notice,),
    )


def posts(count: int = 2, *, first: int = 1) -> tuple[Post, ...]:
    """One for each part, from part `first` on."""
    return tuple(
        Post(part=number, label=f"{number}/", text=f"{number}/ wave 🌊", length=9)
        for number in range(first, first + count)
    )


def wish(
    channel: str = "news",
    *,
    state: DeliveryState = DeliveryState.QUEUED,
    due: datetime = NOON,
    reason: str = "",
    own_time: bool = False,
    adoption: Adoption | None = None,
) -> NewDelivery:
    return NewDelivery(channel, state, due, reason, own_time, adoption)


def new(title: str = "How tides work", *wishes: NewDelivery, parts: int = 2) -> NewThread:
    return NewThread(thread(title, parts), "drawer.txt", wishes or (wish(),))
