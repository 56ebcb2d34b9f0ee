"""What is looked at: the queue, a thread, the channels; and the stream that keeps them new."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from threadcast.bot.requests.overview import ANSWERS
from threadcast.bot.requests.queries import foreseen_of
from threadcast.bot.web.acts import HAPPENED, HELPING, offered
from threadcast.bot.web.rendering import page
from threadcast.bot.web.sign_in import SignedIn, SiteHere, ThreadNumber
from threadcast.queue.states import DeliveryState

router = APIRouter()

Skip = Annotated[int, Query(ge=0, lt=10**9)]
ENTRIES: Final = 50  # of a list, on one page


@router.get("/")
def queue(request: Request, site: SiteHere, visitor: SignedIn, channel: str = "", skip: Skip = 0) -> Response:
    """What runs, what needs a person, what waits."""
    queries = site.requests(visitor).queries
    found = queries.forecast(channel=channel or None)
    yours = [one for one in found if one.delivery.state in ANSWERS]
    going = [one for one in found if one.delivery.state is DeliveryState.PUBLISHING]
    waiting = [one for one in found if one.delivery.state is DeliveryState.QUEUED]
    failed = queries.deliveries(frozenset({DeliveryState.FAILED}))
    stopped = [one for one in failed if channel.lower() in {"", one.channel}]
    return page(
        request,
        "queue.html",
        block="list",
        visitor=visitor,
        channel=channel,
        channels=sorted(queries.configured),
        going=going,
        yours=yours,
        stopped=stopped[:ENTRIES],
        waiting=waiting[skip : skip + ENTRIES],
        skip=skip,
        total=len(waiting),
        entries=ENTRIES,
        helping=HELPING,
    )


@router.get("/threads/{thread}")
def show(request: Request, site: SiteHere, visitor: SignedIn, thread: ThreadNumber) -> Response:
    """One thread whole: its posts on every channel, and what can be asked of it."""
    queries = site.requests(visitor).queries
    dossier = queries.show(thread)
    return page(
        request,
        "thread.html",
        block="thread",
        visitor=visitor,
        dossier=dossier,
        foreseen=foreseen_of(queries, [chain.delivery for chain in dossier.chains]),
        acts=offered(dossier, visitor.role),
        name=site.people().name,
        happened=HAPPENED,
    )


@router.get("/channels")
def channels(request: Request, site: SiteHere, visitor: SignedIn) -> Response:
    queries = site.requests(visitor).queries
    rows = [row for row in queries.channels() if row.name in queries.configured]
    return page(request, "channels.html", block="list", visitor=visitor, rows=rows)


@router.get("/events")
async def events(site: SiteHere, visitor: SignedIn) -> Response:  # noqa: ARG001  # only for one who is signed in
    return StreamingResponse(site.live.stream(), media_type="text/event-stream")
