"""What was published, and what its readers did: by threads, and over all."""

from typing import Final

from fastapi import APIRouter, Request, Response

from threadcast.bot.readers.figures import TELLING, curve
from threadcast.bot.web.readers.plots import HEIGHT, LEFT, WIDTH, plot
from threadcast.bot.web.rendering import page
from threadcast.bot.web.sign_in import SignedIn, SiteHere, ThreadNumber
from threadcast.bot.web.views import ENTRIES, Skip

router = APIRouter()

FRAME: Final = {"width": WIDTH, "height": HEIGHT, "left": LEFT}


@router.get("/history")
def history(
    request: Request, site: SiteHere, visitor: SignedIn, channel: str = "", skip: Skip = 0
) -> Response:
    """What came to an end or stopped, newest first."""
    requests = site.requests(visitor)
    chains = requests.queries.history(channel=channel or None, limit=ENTRIES + 1, skip=skip)
    return page(
        request,
        "history.html",
        block="list",
        visitor=visitor,
        chains=chains[:ENTRIES],
        looked=requests.readers.of([one.delivery for one in chains]),
        more=len(chains) > ENTRIES,
        asked={"channel": channel},
        channels=sorted(requests.queries.configured),
        states={},
        skip=skip,
        entries=ENTRIES,
    )


@router.get("/readers")
def over_all(request: Request, site: SiteHere, visitor: SignedIn) -> Response:
    """How far along the newest chains readers got, all together."""
    requests = site.requests(visitor)
    looked = requests.readers.newest()
    kinds = {row.name: row.kind for row in requests.queries.channels()}
    return page(
        request,
        "readers.html",
        visitor=visitor,
        looked=looked,
        plot=plot(curve(list(looked.values()))),
        silent=[one for one in sorted(requests.queries.configured) if kinds.get(one) not in TELLING],
        frame=FRAME,
    )


@router.get("/readers/{thread}")
def of_thread(request: Request, site: SiteHere, visitor: SignedIn, thread: ThreadNumber) -> Response:
    """What the readers of one thread did, post by post, on every channel that tells."""
    requests = site.requests(visitor)
    dossier = requests.queries.show(thread)
    looked = requests.readers.of([one.delivery for one in dossier.chains])
    kinds = {row.name: row.kind for row in requests.queries.channels()}
    return page(
        request,
        "readers-thread.html",
        visitor=visitor,
        dossier=dossier,
        looked=looked,
        plots={number: plot(curve([one])) for number, one in looked.items()},
        tells={one.delivery.id: kinds.get(one.delivery.channel) in TELLING for one in dossier.chains},
        frame=FRAME,
    )
