"""The channels: how each stands and what went wrong there, looked at anew, paused, let go on."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from threadcast.bot.web.rendering import page, shared
from threadcast.bot.web.sign_in import OwnerSends, SignedIn, SiteHere

router = APIRouter(prefix="/channels")

Name = Annotated[str, Path(max_length=64)]


@router.get("")
@shared
def channels(request: Request, site: SiteHere, visitor: SignedIn) -> Response:
    """Each channel: its next starts, what is left of its budgets, what stands still there and why."""
    requests = site.requests(visitor)
    standings = requests.figures.standings(requests.queries.channels())
    checks = {one.row.name: site.checks.of(one.row.name) for one in standings}
    local = all(one.row.kind == "local" for one in standings)
    return page(
        request,
        "channels.html",
        block="list",
        visitor=visitor,
        standings=standings,
        checks=checks,
        local_only=local,
    )


@router.post("/{name}/check")
async def check(site: SiteHere, visitor: OwnerSends, name: Name) -> Response:
    """Look whether a chain could go out there now; nothing is posted."""
    site.checks.note(name.lower(), await site.requests(visitor).check(name))
    site.live.touch()
    return _back()


@router.post("/{name}/{act}")
def pause(site: SiteHere, visitor: OwnerSends, name: Name, act: Literal["pause", "resume"]) -> Response:
    """Pause a channel, or let it go on."""
    site.requests(visitor).changes.pause([name], paused=act == "pause")
    return _back()


def _back() -> Response:
    return RedirectResponse("/channels", HTTPStatus.SEE_OTHER)
