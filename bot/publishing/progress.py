"""What a chain's progress looks like in the log."""

from datetime import datetime

from threadcast.config.logs import get_logger
from threadcast.queue.model import Delivery
from threadcast.queue.outcomes import CHANNEL_FAULTS, Code, Sent
from threadcast.queue.states import Change, DeliveryState, Event

log = get_logger("threadcast.publisher")


def report(delivery: Delivery, position: int | None, change: Change) -> None:
    """Log what came of a post, or (`position` None) of what comes before any."""
    about = log.bind(channel=delivery.channel, thread=delivery.thread_id, title=delivery.title)
    stopped = {"post": position, "of": delivery.posts, "reason": change.reason}
    again = f"{delivery.thread_id} --channel {delivery.channel}"
    match change.event:
        case _ if delivery.code is Code.PERSON and delivery.state is DeliveryState.FAILED:
            about.info("stopped by a person", sent=delivery.sent, of=delivery.posts)
        case Event.GO_ON:
            about.debug("sent", post=position, of=delivery.posts, **where(change.sent))
        case Event.FINISH:
            about.info("published", posts=delivery.posts, **where(change.sent))
        case Event.WAIT:
            if change.code in CHANNEL_FAULTS:
                about = about.bind(next=f"mend it, then: threadcast retry {again}")
            about.warning("waiting", post=position, until=at(change.due), reason=change.reason)
        case Event.SEEK:
            about.warning("looking for a post", post=position, at=at(change.due), reason=change.reason)
        case Event.RESEND:
            about.warning("sending again", **stopped)
        case Event.REFUSE:
            step = f"mend it, then: threadcast retry {again}; or skip, undo, cancel"
            about.error("stopped", **stopped, next=step)
        case _:
            step = f"look at the channel, then: threadcast settle {again} sent URL, or … not-sent"
            about.error("unsure", **stopped, next=step)


def where(sent: Sent | None) -> dict[str, str]:
    """Return the post's id and address."""
    return {} if sent is None else {"id": sent.remote_id, "url": sent.url or "-"}


def at(due: datetime | None) -> str:
    """Return a moment, to the second."""
    return due.isoformat(timespec="seconds") if due else "-"
