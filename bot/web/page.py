"""The page as the service has it: served, or none. What serves it is imported only where that is wanted."""

from typing import TYPE_CHECKING

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from threadcast.bot.channels.port import Channel
from threadcast.bot.publishing.publisher import Observer
from threadcast.bot.web.site import Site
from threadcast.config.schedule.timetable import Timetable

if TYPE_CHECKING:
    from threadcast.bot.web.channels.accounts import Accounts
    from threadcast.bot.web.server import Page


class NoPage:
    """Stands for the page where its owner turned it off."""

    def start(self) -> None:
        """Serve nothing."""

    def look_after(self, timers: AsyncIOScheduler, accounts: "Accounts") -> None:
        """Nobody asks."""

    def wake(self) -> None:
        """Nobody looks."""

    def observing(self, observe: Observer) -> Observer:
        """Return the observer as it is."""
        return observe

    def measured(self, channel: Channel, timetable: Timetable) -> Channel:  # noqa: ARG002  # as a page has it
        """Return the channel as it is."""
        return channel

    def lost(self, channel: str) -> None:
        """Nobody counts."""

    async def close(self) -> None:
        """There is nothing to end."""


def build_page(site: Site) -> "Page | NoPage":
    """Return the page of a service."""
    if site.settings.listen is None:
        return NoPage()
    from threadcast.bot.web.server import Page  # noqa: PLC0415  # only where it is in use

    return Page(site)
