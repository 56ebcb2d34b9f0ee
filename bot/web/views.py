"""What is looked at: the queue, a thread, the channels; and the stream that keeps them new."""

from collections import Counter
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from threadcast.bot.requests.overview import ANSWERS
from threadcast.bot.requests.queries import foreseen_of
from threadcast.bot.web.acts import HAPPENED, HELPING, may, offered
from threadcast.bot.web.arranging.order import places
from threadcast.bot.web.rendering import page, shared
from threadcast.bot.web.sign_in import SignedIn, SiteHere, ThreadNumber
from threadcast.queue.states import DeliveryState

router = APIRouter()

Skip = Annotated[int, Query(ge=0, lt=10**9)]
ENTRIES: Final = 50  # of a list, on one page


@router.get("/")
@shared
def queue(request: Request, site: SiteHere, visitor: SignedIn, channel: str = "", skip: Skip = 0) -> Response:
    """What runs, what needs a person, what waits."""
    requests = site.requests(visitor)
    queries = requests.queries
    name, end = channel or None, skip + ENTRIES
    found = queries.forecast(channel=name, queued=end + 1)
    going = [one for one in found if one.delivery.state is DeliveryState.PUBLISHING]
    waiting = [one for one in found if one.delivery.state is DeliveryState.QUEUED]
    counts: Counter[DeliveryState] = Counter()
    backlog = requests.figures.backlog()
    for (there, state), count in backlog.items():
        counts[state] += count if channel.lower() in {"", there} else 0
    there_are = {state for (_, state), count in backlog.items() if count}
    yours = [
        one
        for state in ANSWERS  # the most pressing first
        if state in there_are  # or the whole queue is looked through for none
        for one in queries.deliveries(frozenset({state}), channel=name, limit=end)
    ]
    many = {
        "going": counts[DeliveryState.PUBLISHING],
        "yours": sum(counts[state] for state in ANSWERS),
        "waiting": counts[DeliveryState.QUEUED],
    }
    shown = slice(skip, end)
    return page(
        request,
        "queue.html",
        block="list",
        visitor=visitor,
        channel=channel,
        channels=sorted(queries.configured),
        going=going[shown],
        yours=yours[shown],
        waiting=waiting[shown],
        skip=skip,
        counts=many,
        places=places(one.delivery for one in waiting),
        entries=ENTRIES,
        helping=HELPING,
    )


@router.get("/threads/{thread}")
@shared
def show(request: Request, site: SiteHere, visitor: SignedIn, thread: ThreadNumber) -> Response:
    """One thread whole: its posts on every channel, and what can be asked of it."""
    queries = site.requests(visitor).queries
    dossier = queries.show(thread)
    foreseen = foreseen_of(queries, [chain.delivery for chain in dossier.chains])
    return page(
        request,
        "thread.html",
        block="thread",
        visitor=visitor,
        dossier=dossier,
        foreseen=foreseen,
        acts=offered(dossier, visitor.role, foreseen),
        may=may(dossier, visitor.role),
        operation=site.operations.of(thread),
        name=site.people().name,
        happened=HAPPENED,
    )


@router.get("/channels")
@shared
def channels(request: Request, site: SiteHere, visitor: SignedIn) -> Response:
    queries = site.requests(visitor).queries
    rows = [row for row in queries.channels() if row.name in queries.configured]
    return page(request, "channels.html", block="list", visitor=visitor, rows=rows)


@router.get("/events")
async def events(site: SiteHere, visitor: SignedIn) -> Response:  # noqa: ARG001  # only for one who is signed in
    return StreamingResponse(site.live.stream(), media_type="text/event-stream")
