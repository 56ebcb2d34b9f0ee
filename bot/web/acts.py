"""What is done from the page: the requests that chat and shell make, by a button each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Form, HTTPException, Response

from threadcast.bot.languages import N_, _
from threadcast.bot.people.people import Role
from threadcast.bot.publishing.forecast import Forecast
from threadcast.bot.requests.changes import Changes
from threadcast.bot.requests.queries import Chain, Dossier
from threadcast.bot.web.arranging.texts import may_edit
from threadcast.bot.web.rendering import back_to
from threadcast.bot.web.sign_in import OwnerSends, SiteHere, ThreadNumber
from threadcast.queue.model import Delivery
from threadcast.queue.outcomes import CHANNEL_FAULTS
from threadcast.queue.states import DeliveryState, Event, PostState, allowed

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Act:
    """A button: what it says, which event has to be allowed, and what it asks for. `asks`: once more."""

    label: str
    event: Event
    do: Callable[[Changes, int, tuple[str, ...]], object]
    asks: str = ""


ACTS: Final[Mapping[str, Act]] = {
    "release": Act(
        N_("Publish"), Event.RELEASE, lambda changes, one, on: changes.publish(one, now=False, channels=on)
    ),
    "now": Act(
        N_("Publish now"),
        Event.SCHEDULE,
        lambda changes, one, on: changes.publish(one, now=True, channels=on),
    ),
    "turn": Act(N_("In turn"), Event.SCHEDULE, lambda changes, one, on: changes.in_turn(one, channels=on)),
    "hold": Act(N_("Hold"), Event.HOLD, lambda changes, one, on: changes.apply(one, Event.HOLD, channels=on)),
    "stop": Act(N_("Stop"), Event.STOP, lambda changes, one, on: changes.apply(one, Event.STOP, channels=on)),
    "retry": Act(
        N_("Go on"), Event.RETRY, lambda changes, one, on: changes.apply(one, Event.RETRY, channels=on)
    ),
    "skip": Act(N_("Skip the post"), Event.SKIP, lambda changes, one, on: changes.skip(one, channels=on)),
    "cancel": Act(
        N_("Cancel"),
        Event.CANCEL,
        lambda changes, one, on: changes.apply(one, Event.CANCEL, channels=on),
        asks=N_("It leaves the queue; what is out stays out."),
    ),
}


# The one button that helps what waits for a person.
HELPING: Final = {
    DeliveryState.HELD: ("release", ACTS["release"]),
    DeliveryState.FAILED: ("retry", ACTS["retry"]),
}

# What is in the audit log, of a thread.
HAPPENED: Final[Mapping[str, str]] = {
    "add": N_("added"),
    "remove": N_("removed"),
    "edit": N_("edited"),
    "edited": N_("edited where it is out"),
    "move": N_("moved in the queue"),
    "take-down": N_("a post taken down"),
    "plan": N_("posts made ready"),
    Event.CLAIM: N_("taken up"),
    Event.FINISH: N_("published to the end"),
    Event.WAIT: N_("has to wait"),
    Event.REFUSE: N_("a post was refused"),
    Event.DOUBT: N_("a post is in doubt"),
    Event.SEEK: N_("a post is looked for"),
    Event.RESEND: N_("a post is sent again"),
    Event.HOLD: N_("kept back"),
    Event.RELEASE: N_("let go"),
    Event.SCHEDULE: N_("given a time, or let go before others"),
    Event.STOP: N_("stopped by hand"),
    Event.CANCEL: N_("taken out of the queue"),
    Event.RETRY: N_("let go on"),
    Event.SKIP: N_("the refused post left out"),
    Event.SETTLE: N_("the doubt settled"),
    Event.CONTINUE: N_("continued"),
    Event.CORRECT: N_("corrected where it is out"),
    Event.WITHDRAW: N_("taken down"),
    "send-back": N_("sent back"),
}


def offered(dossier: Dossier, role: Role, foreseen: Mapping[int, Forecast]) -> dict[str, Act]:
    """Return what can be asked of a thread now, by who has this role."""
    if role is not Role.OWNER:
        return {}
    events = _events(dossier)
    if not any(_stands_still(chain.delivery) for chain in dossier.chains):
        events.discard(Event.RETRY)
    found = {name: act for name, act in ACTS.items() if act.event in events}
    if "release" in found:
        found.pop("hold", None)
    has_slots = {one.delivery.id for one in foreseen.values() if one.by_slot}
    if not any(each.delivery.id in has_slots and each.delivery.own_time for each in dossier.chains):
        found.pop("turn", None)
    if not any(post.state is PostState.REFUSED for chain in dossier.chains for post in chain.posts):
        found.pop("skip", None)
    return found


def may(dossier: Dossier, role: Role) -> frozenset[str]:
    """Return what else can be asked of a thread now, that needs more than a press."""
    if role is not Role.OWNER:
        return frozenset()
    events, chains = _events(dossier), dossier.chains
    failed = any(one.delivery.state is DeliveryState.FAILED for one in chains)
    out = any(post.remote_id and post.taken_down is None for one in chains for post in one.posts)
    found = {
        "at": Event.SCHEDULE in events,
        "share": Event.RELEASE in events,
        "edit": may_edit(dossier),
        "settings": may_edit(dossier) and not dossier.is_out,
        "remove": not any(_may_be_out(one) for one in chains),
        "continue": Event.CONTINUE in events or may_edit(dossier),
        "undo": any(_can_be_taken_down(one) for one in chains),
        "audit": out,
        "mend": failed and out,
    }
    return frozenset(name for name, can in found.items() if can)


def _may_be_out(chain: Chain) -> bool:
    sent = any(post.state not in {PostState.PLANNED, PostState.REFUSED} for post in chain.posts)
    return sent or chain.delivery.state is DeliveryState.PUBLISHING


def _can_be_taken_down(chain: Chain) -> bool:
    state = chain.delivery.state
    may = Event.WITHDRAW in allowed(state) or state is DeliveryState.WITHDRAWN  # what is left of it
    return may and any(post.remote_id and post.taken_down is None for post in chain.posts)


def _events(dossier: Dossier) -> set[Event]:
    return {event for chain in dossier.chains for event in allowed(chain.delivery.state)}


def _stands_still(one: Delivery) -> bool:
    """Whether it goes on where a person says so: it has stopped, or waits for its channel to be mended."""
    return one.state is DeliveryState.FAILED or one.code in CHANNEL_FAULTS


@router.post("/threads/{thread}/{act}")
def change(
    site: SiteHere,
    visitor: OwnerSends,
    thread: ThreadNumber,
    act: str,
    sure: Annotated[bool, Form()] = False,
    channel: Annotated[str, Form()] = "",
) -> Response:
    """Ask for it, on one channel or all, and show the thread as it is then."""
    if act not in ACTS:
        raise HTTPException(HTTPStatus.NOT_FOUND, _("There is no such button."))
    if not ACTS[act].asks or sure:
        ACTS[act].do(site.requests(visitor).changes, thread, (channel,) if channel else ())
    return back_to(thread)
