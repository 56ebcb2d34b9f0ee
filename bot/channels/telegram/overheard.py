"""What the discussion groups of channels showed the bot, kept by whoever reads its updates.

A bot gets none of its own posts; but in a channel's discussion group it sees each of them arrive. That
helps to find a post of unknown fate where nothing can be forwarded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import telegram

from threadcast.queue.notebook import Notebook

KEPT: Final = timedelta(days=2)
PAGE: Final = "overheard:"


@dataclass(frozen=True, slots=True)
class Overheard:
    """A post of a channel: its id there, when it was posted (UTC), its text."""

    message_id: int
    date: datetime
    text: str


Overhear = Callable[[int], Sequence[Overheard]]  # by the channel's id


def origin_of(message: telegram.Message) -> telegram.MessageOriginChannel | None:
    """Where a message comes from that a discussion group got by itself; None for any other message."""
    origin = message.forward_origin if message.is_automatic_forward else None
    return origin if isinstance(origin, telegram.MessageOriginChannel) else None


class Ear:
    """Keeps in a notebook what was overheard, a page a channel and day. It blocks: not for an event loop."""

    def __init__(self, notebook: Notebook, clock: Callable[[], datetime]) -> None:
        self._notebook = notebook
        self._clock = clock

    def keep(self, chat: int, one: Overheard) -> None:
        """Keep one for two days or so."""
        page = f"{PAGE}{chat}:{one.date:%Y-%m-%d}"
        if not self._notebook.read(page):
            self._notebook.tear_out_old(PAGE, before=self._clock() - KEPT)
        line = f"{one.date.timestamp():.0f} {one.text}"
        self._notebook.write(page, one.message_id, line, now=self._clock())

    def heard(self, chat: int) -> tuple[Overheard, ...]:
        """What is known of a channel, of today and yesterday."""
        days = (self._clock() - timedelta(days=1), self._clock())
        return tuple(
            _read(number, line)
            for day in days
            for number, line in self._notebook.read(f"{PAGE}{chat}:{day:%Y-%m-%d}").items()
        )


def _read(number: int, line: str) -> Overheard:
    seconds, _, text = line.partition(" ")
    return Overheard(number, datetime.fromtimestamp(int(seconds), UTC), text)
