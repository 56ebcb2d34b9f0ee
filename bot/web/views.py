"""What is looked at: the queue, a thread; and the stream that keeps them new."""

from collections import Counter
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from threadcast.bot.requests.overview import ANSWERS
from threadcast.bot.requests.queries import foreseen_of
from threadcast.bot.web.acts import HAPPENED, HELPING, may, offered
from threadcast.bot.web.arranging.order import places
from threadcast.bot.web.rendering import page, shared
from threadcast.bot.web.sign_in import SignedIn, SiteHere, ThreadNumber
from threadcast.bot.wording import STATES
from threadcast.queue.states import LIVE, DeliveryState

router = APIRouter()

Skip = Annotated[int, Query(ge=0, lt=10**9)]
ENTRIES: Final = 50  # of a list, on one page


@router.get("/")
@shared
def queue(
    request: Request,
    site: SiteHere,
    visitor: SignedIn,
    channel: str = "",
    state: DeliveryState | Literal[""] = "",
    skip: Skip = 0,
) -> Response:
    """What runs, what needs a person, what waits: of all channels or one, in all states or one."""
    requests = site.requests(visitor)
    queries = requests.queries
    name, end = channel or None, skip + ENTRIES
    wanted = LIVE & {state} if state else LIVE
    found = queries.forecast(channel=name, queued=end + 1) if wanted - set(ANSWERS) else ()
    going = [one for one in found if one.delivery.state in wanted & {DeliveryState.PUBLISHING}]
    waiting = [one for one in found if one.delivery.state in wanted & {DeliveryState.QUEUED}]
    counts: Counter[DeliveryState] = Counter()
    backlog = requests.figures.backlog()
    for (there, stands), count in backlog.items():
        counts[stands] += count if stands in wanted and channel.lower() in {"", there} else 0
    there_are = {stands for (_, stands), count in backlog.items() if count}
    yours = [
        one
        for stands in ANSWERS  # the most pressing first
        if stands in wanted & there_are  # or the whole queue is looked through for none
        for one in queries.deliveries(frozenset({stands}), channel=name, limit=end)
    ]
    many = {
        "going": counts[DeliveryState.PUBLISHING],
        "yours": sum(counts[stands] for stands in ANSWERS),
        "waiting": counts[DeliveryState.QUEUED],
    }
    shown = slice(skip, end)
    return page(
        request,
        "queue.html",
        block="list",
        visitor=visitor,
        asked={"channel": channel, "state": state},
        channels=sorted(queries.configured),
        states={one: words for one, words in STATES.items() if one in LIVE},
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


@router.get("/events")
async def events(site: SiteHere, visitor: SignedIn) -> Response:  # noqa: ARG001  # only for one who is signed in
    return StreamingResponse(site.live.stream(), media_type="text/event-stream")
