"""The page as the service has it: served, or none. What serves it is imported only where that is wanted."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from threadcast.bot.channels.port import Channel, Clock
from threadcast.bot.publishing.publisher import Observer
from threadcast.bot.requests.requests import Requests
from threadcast.config.settings import Settings
from threadcast.queue.store.notes import Notes

if TYPE_CHECKING:
    from threadcast.bot.web.server import Page


class NoPage:
    """Stands for the page where its owner turned it off."""

    def start(self) -> None:
        """Serve nothing."""

    def wake(self) -> None:
        """Nobody looks."""

    def observing(self, observe: Observer) -> Observer:
        """Return the observer as it is."""
        return observe

    async def close(self) -> None:
        """There is nothing to end."""


def build_page(
    settings: Settings,
    channels: Sequence[Channel],
    notes: Notes,
    *,
    requests_of: Callable[[str], Requests],
    broken: Callable[[], Mapping[str, str]],
    clock: Clock,
) -> "Page | NoPage":
    """Return the page of a service; `broken` gives the lanes that broke, each with why."""
    if settings.web.listen is None:
        return NoPage()
    from threadcast.bot.web.server import Page, build_site  # noqa: PLC0415  # only where it is in use

    return Page(build_site(settings, channels, notes, requests_of=requests_of, broken=broken, clock=clock))
