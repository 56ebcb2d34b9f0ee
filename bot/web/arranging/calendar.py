"""The calendar: a week or a month by the viewer's clock, where a thread is given a time."""

from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from http import HTTPStatus
from typing import Annotated, Final, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, available_timezones

from fastapi import APIRouter, Cookie, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from threadcast.bot.requests.requests import Requests
from threadcast.bot.web.arranging.days import WEEK, Started, monday, month, week
from threadcast.bot.web.arranging.order import read_time
from threadcast.bot.web.rendering import page, shared
from threadcast.bot.web.sign_in import OwnerSends, SignedIn, SiteHere
from threadcast.bot.web.site import Site
from threadcast.config.schedule.words import FARTHEST
from threadcast.config.schedule.zones import DAY, bounds, wall
from threadcast.queue.states import DeliveryState, Event

router = APIRouter()

FORESEEN: Final = 500  # threads in turn
PAST: Final = 200  # chains
HELD: Final = 50  # threads that wait for a person
View = Literal["week", "month"]


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(site: Site, *names: str) -> ZoneInfo:
    """The first of these that is a zone; the service's where none is."""
    return next((ZoneInfo(name) for name in names if name in _zones()), site.zone)


@router.get("/calendar")
@shared
def calendar(
    request: Request,
    site: SiteHere,
    visitor: SignedIn,
    view: View = "week",
    on: date | None = None,
    channel: str = "",
    zone: Annotated[str, Query(max_length=64)] = "",
    clock: Annotated[str, Cookie(alias="zone", max_length=64)] = "",
) -> Response:
    """What starts when, the slots that are free, and quiet hours. `clock` is what the browser says."""
    here, now, requests = _zone(site, zone, clock), site.clock(), site.requests(visitor)
    today = wall(now, here).date()
    shown = min(max(on or today, today - FARTHEST), today + FARTHEST)
    is_week = view == "week"
    first = monday(shown) if is_week else shown.replace(day=1)
    agendas = {name: one for name, one in requests.agendas(here).items() if channel.lower() in {"", name}}
    starts = list(_starts(requests, channel or None, bounds(monday(first), here)[0], now))
    held = frozenset({DeliveryState.HELD})
    return page(
        request,
        "calendar.html",
        block="grid",
        visitor=visitor,
        view=view,
        on=shown,
        days=[first + DAY * step for step in range(WEEK)],
        before=first - DAY * (WEEK if is_week else 1),
        after=first + DAY * (WEEK if is_week else 31),
        today=today,
        channel=channel,
        channels=sorted(requests.queries.configured),
        zone=here,
        asked=zone,
        rows=week(agendas, starts, first, here) if is_week else (),
        month=() if is_week else month(agendas, starts, first, here),
        waiting=[one.delivery for one in starts if one.waits],
        held=requests.queries.deliveries(held, channel=channel or None, limit=HELD),
        local=lambda at: wall(at, here),
    )


@router.post("/calendar/at")
def give_time(
    site: SiteHere,
    visitor: OwnerSends,
    thread: Annotated[str, Form(max_length=200, pattern=r"^\d{1,9} \S+$")],
    slot: Annotated[str, Form(max_length=64)] = "",
    when: Annotated[str, Form(max_length=100)] = "",
    view: Annotated[View, Form()] = "week",
    on: Annotated[str, Form(max_length=10)] = "",
    shown: Annotated[str, Form(max_length=200)] = "",
    zone: Annotated[str, Form(max_length=64)] = "",
    asked: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Give a thread a slot, or a time by the clock that was shown; `thread` is its number and channel."""
    number, name = thread.split(" ", 1)
    due = read_time(slot or when, site.clock(), _zone(site, zone))
    site.requests(visitor).changes.apply(int(number), Event.SCHEDULE, channels=[name], due=due)
    back = {"view": view, "on": on, "channel": shown, "zone": asked}
    return RedirectResponse(f"/calendar?{urlencode(back)}", HTTPStatus.SEE_OTHER)


def _starts(requests: Requests, channel: str | None, begin: datetime, now: datetime) -> Iterator[Started]:
    """What starts, and from `begin` on what has started."""
    for one in requests.queries.forecast(channel=channel, queued=FORESEEN):
        at = one.delivery.started or one.start
        if at is not None:
            yield Started(at, one.delivery, waits=one.delivery.state is DeliveryState.QUEUED)
    if begin < now:
        for chain in requests.queries.history(channel=channel, limit=PAST):
            if chain.delivery.started is not None:
                yield Started(chain.delivery.started, chain.delivery, waits=False)
