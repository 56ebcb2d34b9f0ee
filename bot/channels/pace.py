"""How fast each channel may go. Nothing here sleeps, asks a network or has a clock: times are given (UTC).

One worker at a time uses a pace, in this order: `room` before a chain, then for each post `ready_at`
until that is not later than now, `begun`, and `ended`.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Protocol

from threadcast.bot.channels.budget import Prospect, Room
from threadcast.bot.channels.mastodon.pace import MastodonPace
from threadcast.bot.channels.port import Channel
from threadcast.bot.channels.telegram.pace import PER_BOT, BotPace, SpareSlots, TelegramPace
from threadcast.config.channels import MastodonChannelSettings, TelegramChannelSettings
from threadcast.config.settings import Settings
from threadcast.queue.outcomes import Outcome
from threadcast.queue.store.database import Database

# How the Bot API tells a group's id from that of a channel or a supergroup, which look alike.
GROUP, NO_GROUP = "-", "-100"


class Pace(Protocol):
    """How fast one channel may go."""

    def ready_at(self, now: datetime) -> datetime:
        """When the next post may go, if nothing happens until then; not later than `now`: at once."""
        ...

    def begun(self, now: datetime) -> None:
        """A send is begun now."""
        ...

    def ended(self, outcome: Outcome, now: datetime) -> None:
        """What came of the send that was begun last."""
        ...

    @property
    def rate(self) -> float | None:
        """What to remember across restarts: posts a second; None where nothing was learned."""
        ...

    def room(self, posts: int, now: datetime) -> Room:
        """Before a chain of so many posts (so many that are left of it): when it may begin.

        May ask the queue: not to be called on the event loop.
        """
        ...

    def prospect(self, now: datetime) -> Prospect:
        """What the chains of the queue can count on, for a forecast."""
        ...


class FreePace:
    """No limits: the local timeline."""

    @property
    def rate(self) -> float | None:
        return None

    def ready_at(self, now: datetime) -> datetime:
        return now

    def begun(self, now: datetime) -> None:
        pass

    def ended(self, outcome: Outcome, now: datetime) -> None:
        pass

    def room(self, posts: int, now: datetime) -> Room:
        return self.prospect(now).room(posts, now)

    def prospect(self, now: datetime) -> Prospect:  # noqa: ARG002  # the same at all times
        return Prospect()


def build_paces(
    settings: Settings,
    channels: Iterable[Channel],
    database: Database,
    bots: dict[str, BotPace] | None = None,
) -> dict[str, Pace]:
    """Return a pace for each configured channel, by its name; chats of one bot share its slots.

    What is remembered of a channel is asked of `database`, what its server says of the channel itself. `bots`
    takes the slots of each bot, by its token. Raises StoreError.
    """
    remembered = {row.name: row.rate for row in database.reading.channels()}
    named = {channel.name: channel for channel in channels}
    rate = settings.telegram.rate
    bots = {} if bots is None else bots
    paces: dict[str, Pace] = {}
    for channel in settings.channels:
        name = channel.name
        match channel:
            case TelegramChannelSettings():
                shared = bots.setdefault(channel.token.get_secret_value(), bot_pace(settings))
                group = is_group(channel.chat) and rate <= PER_BOT
                paces[name] = TelegramPace(rate, group=group, shared=shared, remembered=remembered.get(name))
            case MastodonChannelSettings():
                paces[name] = MastodonPace(named.get(name), partial(database.reading.sent_since, name))
            case _:
                paces[name] = FreePace()
    return paces


def bot_pace(settings: Settings) -> BotPace:
    """Return the slots of a bot: a rate that none of Telegram's chats takes means a server without limits."""
    return BotPace(max(PER_BOT, settings.telegram.rate))


def chat_pace(settings: Settings, shared: BotPace, chat: int) -> Pace:
    """Return how fast the bot may talk in a chat, beside publishing."""
    rate = settings.telegram.rate
    return TelegramPace(rate, group=chat < 0 and rate <= PER_BOT, shared=SpareSlots(shared))


def is_group(chat: str) -> bool:
    """Whether a chat's id is that of a group. A supergroup's id does not tell, and neither does a name."""
    return chat.startswith(GROUP) and not chat.startswith(NO_GROUP)
