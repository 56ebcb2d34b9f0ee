"""Whether the service works, for whoever watches over it: nothing here needs a sign-in, or tells a text."""

from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from threadcast.bot.requests.figures.figures import Backlogs
from threadcast.bot.web.monitoring.direct import is_direct
from threadcast.bot.web.sign_in import SiteHere
from threadcast.bot.web.site import Site
from threadcast.config.logs import redact
from threadcast.queue.errors import StoreError

router = APIRouter(prefix="/health")

WATCHER: Final = "health"  # an actor that changes nothing


@router.get("/live")
async def live() -> Response:
    """The loop turns."""
    return JSONResponse({"live": True})


@router.get("/ready")
def ready(request: Request, site: SiteHere) -> Response:
    """The queue can be used, and every channel goes on; else what is wrong, for who asks directly."""
    found = faults(site)
    said = {"ready": not found} | ({"faults": found} if is_direct(request, site.settings) else {})
    return JSONResponse(said, HTTPStatus.SERVICE_UNAVAILABLE if found else HTTPStatus.OK)


def faults(site: Site) -> dict[str, str]:
    """Return what is wrong now, by name; empty where all is well."""
    return look(site)[0]


def look(site: Site) -> tuple[dict[str, str], Backlogs | None]:
    """Return the same, and how many deliveries stand where; None where the queue cannot be used."""
    backlog = None
    try:
        found, backlog = site.requests_of(WATCHER).figures.look()
    except StoreError as error:
        found = {"database": str(error)}
    return {name: redact(why) for name, why in (found | dict(site.broken())).items()}, backlog
