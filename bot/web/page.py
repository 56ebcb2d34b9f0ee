"""The page as the service has it: served, or none. What serves it is imported only where that is wanted."""

from typing import TYPE_CHECKING

from threadcast.bot.publishing.publisher import Observer
from threadcast.bot.web.site import Site

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


def build_page(site: Site) -> "Page | NoPage":
    """Return the page of a service."""
    if site.settings.listen is None:
        return NoPage()
    from threadcast.bot.web.server import Page  # noqa: PLC0415  # only where it is in use

    return Page(site)
