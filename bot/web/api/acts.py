"""What is asked of a thread: the requests that chat and shell make, each at an address of its name."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from threadcast.bot import models
from threadcast.bot.publishing.takedown import Undoing
from threadcast.bot.requests.changes import Changed
from threadcast.bot.requests.errors import RefusedError
from threadcast.bot.web.api import answers
from threadcast.bot.web.api.bodies import Name
from threadcast.bot.web.api.caller import Owner
from threadcast.bot.web.api.problems import Kind, ProblemError
from threadcast.bot.web.sign_in import ThreadNumber
from threadcast.config.logs import redact
from threadcast.config.schedule.words import parse_when
from threadcast.queue.states import Event

router = APIRouter(prefix="/threads/{thread}", tags=["acts"])


class Where(BaseModel):
    """On these channels, or wherever the state allows it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, strict=True)

    channels: list[Name] = Field(default=[], max_length=100)


class Publishing(Where):
    """A channel that the thread was not meant for so far is added, where it is named."""

    now: bool = Field(default=False, description="before all others, whatever the schedule says")
    after: int | None = Field(default=None, ge=1, lt=10**9, description="behind this thread")


class Timing(Where):
    """A time of its own; without `at`, a slot of each channel that has a schedule."""

    at: str | None = Field(
        default=None, min_length=1, max_length=100, description="fri 18:30, in 2h, 2026-12-24T18:30"
    )


class Moving(Where):
    """Behind that thread; without `after`, before all others."""

    after: int | None = Field(default=None, ge=1, lt=10**9)


class Retrying(Where):
    """From the post that was refused; with `mend`, behind the last post that still exists."""

    mend: bool = Field(default=False, description="where one was deleted by hand")


class Settling(Where):
    """Where the post in doubt is, by its link or id; without `post` it is not out."""

    post: str | None = Field(default=None, min_length=1, max_length=2000)
    force: bool = Field(default=False, description="also where it cannot be looked at, or shows another text")


# What needs no more than a wish.
EVENTS: Final[Mapping[Event, str]] = {
    Event.HOLD: "Keep a queued thread back, until it is released.",
    Event.RELEASE: "Let a held thread go, in its turn.",
    Event.STOP: "End a chain that is going out, after the post in hand.",
    Event.CANCEL: "Take a thread out of the queue; what is out stays out.",
}


def _changed(found: Changed) -> answers.Changed:
    return answers.Changed(
        deliveries=models.many(models.Delivery, found), refused=models.many(models.Refused, found.refused)
    )


def _act(event: Event) -> Callable[..., answers.Changed]:
    def act(caller: Owner, thread: ThreadNumber, where: Where = Where()) -> answers.Changed:  # noqa: B008  # frozen
        return _changed(caller.requests.changes.apply(thread, event, channels=where.channels))

    return act


for _event, _said in EVENTS.items():
    router.add_api_route(f"/{_event}", _act(_event), methods=["POST"], name=_event.value, description=_said)


@router.post("/retry")
async def retry(caller: Owner, thread: ThreadNumber, how: Retrying = Retrying()) -> answers.Changed:  # noqa: B008
    """Go on with a stopped thread."""
    requests = caller.requests
    if how.mend:
        return _changed(await requests.chains.mend(thread, channels=how.channels))
    apply = requests.changes.apply
    return _changed(await asyncio.to_thread(apply, thread, Event.RETRY, channels=how.channels))


@router.post("/audit")
async def audit(caller: Owner, thread: ThreadNumber, where: Where = Where()) -> answers.Audits:  # noqa: B008
    """Compare what is out with what the networks show: missing, edited, out of order, not ours."""
    found = await caller.requests.chains.audit(thread, channels=where.channels)
    return answers.Audits(deliveries=models.many(models.Audit, found))


class Restoring(Where):
    """With `dry_run` it is only said how many posts would be edited."""

    dry_run: bool = False


@router.post("/edit-back")
async def edit_back(caller: Owner, thread: ThreadNumber, how: Restoring = Restoring()) -> answers.Edited:  # noqa: B008
    """Have what was edited on the networks say and show again what is stored here; it is looked at first."""
    chains = caller.requests.chains
    audits = await chains.audit(thread, channels=how.channels)
    for one in audits:
        if one.problem:
            said = f"{one.delivery.channel} could not be looked at: {one.problem}"
            raise ProblemError(Kind.NOT_ALLOWED, redact(said))
    correction = await chains.back(thread, audits)
    deliveries = [one.delivery for one in audits]
    if not (how.dry_run or correction.is_empty):
        deliveries = list(await asyncio.to_thread(chains.correct, correction))
    edits = {name: many for name, many in correction.channels.items() if many}
    return answers.Edited(deliveries=models.many(models.Delivery, deliveries), edits=edits)


@router.post("/skip")
def skip(caller: Owner, thread: ThreadNumber, where: Where = Where()) -> answers.Changed:  # noqa: B008
    """Leave the refused post of a stopped thread out, and go on behind it."""
    return _changed(caller.requests.changes.skip(thread, channels=where.channels))


@router.post("/publish")
def publish(caller: Owner, thread: ThreadNumber, how: Publishing = Publishing()) -> answers.Changed:  # noqa: B008
    """Let a held thread go, or with `now` any waiting one at once."""
    changes = caller.requests.changes
    return _changed(changes.publish(thread, channels=how.channels, now=how.now, after=how.after))


@router.post("/at")
def at(caller: Owner, thread: ThreadNumber, when: Timing = Timing()) -> answers.Changed:  # noqa: B008
    """Give a thread a time of its own, whatever its channels' schedules say; or a slot of them."""
    changes, site = caller.requests.changes, caller.site
    if when.at is None:
        return _changed(changes.in_turn(thread, channels=when.channels))
    due = parse_when(when.at, now=site.clock(), zone=site.zone, farthest=timedelta.max)
    return _changed(changes.apply(thread, Event.SCHEDULE, channels=when.channels, due=due))


@router.post("/move")
def move(caller: Owner, thread: ThreadNumber, to: Moving = Moving()) -> answers.Changed:  # noqa: B008
    """Change a thread's place in the queue."""
    return _changed(caller.requests.changes.move(thread, channels=to.channels, after=to.after))


@router.post("/settle")
async def settle(caller: Owner, thread: ThreadNumber, how: Settling = Settling()) -> answers.Changed:  # noqa: B008
    """Say whether the post in doubt is out; what is named is looked at first."""
    one = await caller.requests.chains.settle(thread, how.post, channels=how.channels, force=how.force)
    return answers.Changed(deliveries=models.many(models.Delivery, [one]))


class _WaitError(Exception):
    """The network asks to wait."""


@router.post("/undo")
async def undo(caller: Owner, thread: ThreadNumber, where: Where = Where()) -> answers.Undone:  # noqa: B008
    """Take a thread's posts down, the newest first; where the network asks to wait, ask again then."""
    seen: dict[int, Undoing] = {}
    refused: list[RefusedError] = []
    until = None

    async def pause(moment: datetime) -> None:
        nonlocal until
        until = moment
        raise _WaitError

    with suppress(_WaitError):
        await caller.requests.chains.undo(
            thread,
            channels=where.channels,
            see=lambda one: seen.update({one.delivery.id: one}),
            pause=pause,
            refuse=refused.append,
        )
    return answers.Undone(
        deliveries=models.many(models.Undoing, seen.values()),
        refused=models.many(models.Refused, refused),
        until=until,
    )
