"""A channel that is made when it is first asked for more than is known: client libraries take their time."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, cast

from threadcast.bot.channels.media import ChannelFiles
from threadcast.bot.channels.port import Channel, Quota, Reach
from threadcast.queue.compose.rules import Rules
from threadcast.queue.text.settings import NO_SETTINGS, ThreadSettings


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a channel before it is made, under the names that `Channel` has for it.

    `rules` is None where a server has to be asked.
    """

    name: str
    kind: str
    target: str
    files: ChannelFiles
    reach: Reach
    limits_posts: bool | None
    also: str = ""
    quota: Quota | None = None
    rules: Callable[[ThreadSettings], Rules] | None = None


KNOWN = frozenset(field.name for field in fields(Known))


class _Deferred:
    """Stands for a channel, and passes on to it what needs a client; until then none of it is imported."""

    def __init__(self, known: Known, make: Callable[[], Channel]) -> None:
        self._known = known
        self._make = make
        self._made: Channel | None = None

    async def rules(self, settings: ThreadSettings = NO_SETTINGS) -> Rules:
        if self._known.rules is not None:
            return self._known.rules(settings)
        return await self._channel.rules(settings)

    async def close(self) -> None:
        if self._made:
            await self._made.close()

    @property
    def _channel(self) -> Channel:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getattr__(self, attribute: str) -> Any:
        if self._made is None and attribute in KNOWN:
            return getattr(self._known, attribute)
        return getattr(self._channel, attribute)


def deferred(known: Known, make: Callable[[], Channel]) -> Channel:
    """Return a channel that `make` makes at its first call."""
    return cast(Channel, _Deferred(known, make))
