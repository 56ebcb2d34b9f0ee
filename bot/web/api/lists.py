"""What is looked at beside single threads: the queue, the channels, the events."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from threadcast.bot import models
from threadcast.bot.requests.requests import Requests
from threadcast.bot.web.api import answers
from threadcast.bot.web.api.caller import Owner, Reader
from threadcast.bot.web.api.threads import MOST, Limit

router = APIRouter()

Channel = Annotated[str, Path(min_length=1, max_length=64)]


@router.get("/queue", tags=["queue"])
def queue(
    caller: Reader,
    channel: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = MOST,
    skip: Annotated[int, Query(ge=0, lt=10**9)] = 0,
) -> answers.Queue:
    """List what is under way, waits or is held, in order: when each starts, why then, when it ends."""
    found = caller.requests.queries.forecast(channel=channel)
    return answers.Queue(deliveries=models.many(models.Forecast, found[skip : skip + limit]))


@router.get("/channels", tags=["channels"])
def channels(caller: Reader) -> answers.Channels:
    """List the channels, configured and remembered."""
    return _channels(caller.requests)


@router.post("/channels/{name}/{act}", tags=["channels"])
def pause(caller: Owner, name: Channel, act: Literal["pause", "resume"]) -> answers.Channels:
    """Publish nothing more on a channel, or let it go on; the post in hand is finished."""
    rows = caller.requests.changes.pause([name], paused=act == "pause")
    return answers.Channels(channels=models.channels(rows, caller.requests.queries.configured))


def _channels(requests: Requests) -> answers.Channels:
    queries = requests.queries
    return answers.Channels(channels=models.channels(queries.channels(), queries.configured))


@router.get("/events", tags=["events"])
def events(
    caller: Reader,
    after: Annotated[int, Query(ge=0, lt=2**62, description="only later ones than this")] = 0,
    thread: Annotated[int | None, Query(ge=1, lt=10**9)] = None,
    limit: Limit = MOST,
) -> answers.Events:
    """List who did what, the oldest first: of all threads, or of one, also where it is forgotten."""
    found = caller.requests.queries.events(thread, limit + 1, after, forward=True)
    shown = models.many(models.Event, found[:limit])
    return answers.Events(events=shown, next=shown[-1].id if len(found) > limit else None)
