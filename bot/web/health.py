"""Whether the service works, for whoever watches over it: nothing here needs a sign-in, or tells a text."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from threadcast.bot.publishing.forecast import Forecast
from threadcast.bot.web.sign_in import SiteHere
from threadcast.config.logs import redact
from threadcast.queue.errors import StoreError
from threadcast.queue.outcomes import CHANNEL_FAULTS
from threadcast.queue.states import DeliveryState

router = APIRouter(prefix="/health")

LATE: Final = timedelta(minutes=1)  # what was due so long ago and was not taken up is stuck
WATCHER: Final = "health"  # an actor that changes nothing


@router.get("/live")
async def live() -> Response:
    """The loop turns."""
    return JSONResponse({"live": True})


@router.get("/ready")
def ready(site: SiteHere) -> Response:
    """The queue can be used, and no lane is broken or late; else what is wrong, by name."""
    try:
        found = stuck(site.requests_of(WATCHER).queries.forecast(), site.clock()) | dict(site.broken())
    except StoreError as error:
        found = {"database": redact(str(error))}
    status = HTTPStatus.SERVICE_UNAVAILABLE if found else HTTPStatus.OK
    return JSONResponse({"ready": not found, "faults": found}, status)


def stuck(queue: Iterable[Forecast], now: datetime) -> dict[str, str]:
    """Return the channels that do not go on though they should, each with why. Pure."""
    found = {}
    busy = set()
    for one in queue:
        it = one.delivery
        begun = it.state is DeliveryState.PUBLISHING
        if begun:
            busy.add(it.channel)
        if begun and it.code in CHANNEL_FAULTS:
            found[it.channel] = it.reason
        taken = it.lease_until is not None and it.lease_until > now
        may_start = begun or (it.state is DeliveryState.QUEUED and it.channel not in busy and not one.by_slot)
        if may_start and not taken and one.start is not None and it.due < now - LATE:
            found.setdefault(it.channel, f"thread {it.thread_id} was due at {it.due:%H:%M} UTC, and waits")
    return found
