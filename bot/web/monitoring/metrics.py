"""Figures for Prometheus: what is counted while publishing goes on, and what the queue comes to now."""

import platform
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from importlib.metadata import version

from fastapi import APIRouter, HTTPException, Request, Response
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from threadcast.bot.channels.budget import Prospect
from threadcast.bot.requests.figures.figures import Backlogs
from threadcast.bot.web.monitoring.direct import is_direct
from threadcast.bot.web.monitoring.health import WATCHER, look
from threadcast.bot.web.monitoring.measures import Measures
from threadcast.bot.web.sign_in import SiteHere
from threadcast.bot.web.site import Site
from threadcast.queue.errors import StoreError

router = APIRouter()


@router.get("/metrics")
def metrics(request: Request, site: SiteHere) -> Response:
    """Everything there is, for who asks the service itself."""
    if not is_direct(request, site.settings):
        raise HTTPException(HTTPStatus.NOT_FOUND, "Nothing is at that address.")
    measures = request.app.state.measures
    assert isinstance(measures, Measures)  # noqa: S101  # see make_app
    encode, kind = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(measures.registry), media_type=kind)


class QueueCollector(Collector):
    """Asks the queue when figures are asked for; where it cannot be used, the others are told still."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def describe(self) -> list[Metric]:
        """Return nothing: the queue is not asked before somebody wants to know."""
        return []

    def collect(self) -> Iterator[Metric]:
        wrong, backlog = look(self._site)
        yield from of_service(wrong)
        if backlog is None:  # said above
            return
        try:
            yield from of_queue(backlog, self._site.requests_of(WATCHER).figures.prospects())
        except StoreError:  # it was lost just now
            return


def of_service(wrong: Mapping[str, str]) -> Iterator[Metric]:
    """Yield what runs, and whether it works."""
    build = GaugeMetricFamily("threadcast_build_info", "What runs", labels=["version", "python"])
    build.add_metric([version("threadcast"), platform.python_version()], 1)
    yield build
    yield GaugeMetricFamily("threadcast_ready", "1 where /health/ready is green", value=not wrong)
    fault = GaugeMetricFamily("threadcast_fault", "1 for each thing that is wrong there", labels=["about"])
    for about in wrong:
        fault.add_metric([about], 1)
    yield fault


def of_queue(backlog: Backlogs, prospects: Mapping[str, Prospect]) -> Iterator[Metric]:
    """Yield what the queue comes to."""
    waiting = GaugeMetricFamily(
        "threadcast_deliveries", "Deliveries in the queue, by state", labels=["channel", "state"]
    )
    for (channel, state), count in sorted(backlog.items()):
        waiting.add_metric([channel, state], count)
    yield waiting
    budget = GaugeMetricFamily(
        "threadcast_budget_left",
        "Posts that a channel has left in the window of a rate limit, by its length",
        labels=["channel", "window_seconds"],
    )
    files = GaugeMetricFamily(
        "threadcast_upload_budget_left", "Files that a channel may upload in this window", labels=["channel"]
    )
    for channel, prospect in prospects.items():
        for window in prospect.windows:
            length = f"{window.length.total_seconds():.0f}"
            budget.add_metric([channel, length], max(0, window.left))
        if prospect.files is not None:
            files.add_metric([channel], max(0, prospect.files.left))
    yield budget
    yield files
