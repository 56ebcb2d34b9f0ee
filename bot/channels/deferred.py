"""A channel that is made when it is first asked for more than its name: client libraries take their time."""

from collections.abc import Callable
from typing import Any, cast

from threadcast.bot.channels.media import ChannelFiles
from threadcast.bot.channels.port import Channel, Quota


class _Deferred:
    """Stands for a channel, and passes on to it what needs a client; until then none of it is imported."""

    def __init__(
        self,
        name: str,
        kind: str,
        target: str,
        make: Callable[[], Channel],
        *,
        limits_posts: bool | None,
        files: ChannelFiles,
    ) -> None:
        self.name, self.kind, self.target = name, kind, target
        self._make = make
        self._made: Channel | None = None
        self._limits_posts = limits_posts
        self._files = files

    @property
    def quota(self) -> Quota | None:
        return self._made.quota if self._made else None

    @property
    def limits_posts(self) -> bool | None:
        return self._made.limits_posts if self._made else self._limits_posts

    @property
    def files(self) -> ChannelFiles:
        return self._made.files if self._made else self._files

    async def close(self) -> None:
        if self._made:
            await self._made.close()

    def __getattr__(self, attribute: str) -> Any:
        if self._made is None:
            self._made = self._make()
        return getattr(self._made, attribute)


def deferred(
    name: str,
    kind: str,
    target: str,
    make: Callable[[], Channel],
    *,
    limits_posts: bool | None,
    files: ChannelFiles,
) -> Channel:
    """Return a channel that `make` makes at its first call.

    `limits_posts` and `files` are what is known of it before.
    """
    made = _Deferred(name, kind, target, make, limits_posts=limits_posts, files=files)
    return cast(Channel, made)
