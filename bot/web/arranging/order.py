"""A place or a time for what waits: by drag, by keys, or by a form."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from itertools import groupby
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, HTTPException, Response
from fastapi.responses import RedirectResponse

from threadcast.bot.languages import language
from threadcast.bot.plain import capital
from threadcast.bot.web.rendering import back_to
from threadcast.bot.web.sign_in import OwnerSends, SiteHere, ThreadNumber
from threadcast.bot.wording import SHELL, sentence
from threadcast.config.schedule.words import WhenError, parse_when
from threadcast.queue.model import Delivery
from threadcast.queue.states import Event

router = APIRouter()

Number = Annotated[int, Form(ge=0, lt=10**9)]


@dataclass(frozen=True, slots=True)
class Place:
    """Behind which thread of its channel one goes: up, down, or to stand where it is; 0: before all others.

    `up` and `down` are None where it is the first, or the last.
    """

    here: int
    up: int | None
    down: int | None


def places(waiting: Iterable[Delivery]) -> Mapping[int, Place]:
    """Return where each delivery can go, by its id; `waiting` is in the order of the queue.

    What has a time of its own has no place: it starts then.
    """
    found: dict[int, Place] = {}
    in_turn = (one for one in waiting if not one.own_time)
    for _, group in groupby(in_turn, key=lambda one: one.channel):
        mine = list(group)
        before = [0, 0, *(one.thread_id for one in mine)]
        for at, one in enumerate(mine):
            found[one.id] = Place(
                here=before[at + 1],
                up=before[at] if at else None,
                down=mine[at + 1].thread_id if at + 1 < len(mine) else None,
            )
    return found


@router.post("/threads/{thread}/move")
def move(
    site: SiteHere,
    visitor: OwnerSends,
    thread: ThreadNumber,
    channel: Annotated[str, Form()],
    after: Number = 0,
    shown: Annotated[str, Form()] = "",
    state: Annotated[str, Form(max_length=20)] = "",
    skip: Number = 0,
) -> Response:
    """Put it behind another thread of a channel, 0 before all, and show the list as it was `shown`."""
    site.requests(visitor).changes.move(thread, channels=[channel], after=after or None)
    return RedirectResponse(
        f"/?{urlencode({'channel': shown, 'state': state, 'skip': skip})}", HTTPStatus.SEE_OTHER
    )


@router.post("/threads/{thread}/at")
def at(
    site: SiteHere,
    visitor: OwnerSends,
    thread: ThreadNumber,
    when: Annotated[str, Form(max_length=100)] = "",
    channel: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Give it a time of its own, on one channel or all, by the clock that the page shows."""
    due = read_time(when, site.clock(), site.zone)
    names = [channel] if channel else []
    site.requests(visitor).changes.apply(thread, Event.SCHEDULE, channels=names, due=due)
    return back_to(thread)


def read_time(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment (UTC) that somebody wrote in their language. Raises HTTPException."""
    try:
        return parse_when(text, now=now, zone=zone, language=language())
    except WhenError as error:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, capital(sentence(error, SHELL))) from None
