"""The pace of each configured channel: from its settings, what was learned, and what its server tells."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial

from threadcast.bot.channels.pace import (
    PER_BOT,
    BotPace,
    FreePace,
    MastodonPace,
    Pace,
    SpareSlots,
    TelegramPace,
)
from threadcast.bot.channels.port import Channel, Quota
from threadcast.config.channels import MastodonChannelSettings, TelegramChannelSettings
from threadcast.config.settings import Settings
from threadcast.queue.store.database import Database

# How the Bot API tells a group's id from that of a channel or a supergroup, which look alike.
GROUP, NO_GROUP = "-", "-100"


def build_paces(
    settings: Settings,
    channels: Iterable[Channel],
    remembered: Mapping[str, float],
    sent_since: Callable[[str, datetime], int],
    bots: dict[str, BotPace] | None = None,
) -> dict[str, Pace]:
    """One pace for each configured channel, by its name; chats of one bot share its slots.

    `remembered` has the rates of channels of which one was learned; `sent_since` counts a channel's posts
    that went out at a moment or later. `bots` takes the slots of each bot, by its token.
    """
    named = {channel.name: channel for channel in channels}
    rate = settings.telegram.rate
    bots = {} if bots is None else bots
    paces: dict[str, Pace] = {}
    for channel in settings.channels:
        name = channel.name
        match channel:
            case TelegramChannelSettings():
                token = channel.token.get_secret_value()
                shared = bots.setdefault(token, bot_pace(settings))
                group = is_group(channel.chat) and rate <= PER_BOT
                paces[name] = TelegramPace(rate, group=group, shared=shared, remembered=remembered.get(name))
            case MastodonChannelSettings():
                quota = partial(_quota_of, named.get(name))
                paces[name] = MastodonPace(quota, partial(sent_since, name))
            case _:
                paces[name] = FreePace()
    return paces


def bot_pace(settings: Settings) -> BotPace:
    """The slots of a bot: a rate that no chat of Telegram's takes means a server without its other limits."""
    return BotPace(max(PER_BOT, settings.telegram.rate))


def chat_pace(settings: Settings, shared: BotPace, chat: int) -> Pace:
    """How fast the bot may talk in a chat, beside publishing."""
    rate = settings.telegram.rate
    return TelegramPace(rate, group=chat < 0 and rate <= PER_BOT, shared=SpareSlots(shared))


def paces_of(
    settings: Settings,
    channels: Iterable[Channel],
    database: Database,
    bots: dict[str, BotPace] | None = None,
) -> dict[str, Pace]:
    """The paces as the queue remembers them; `bots`: see `build_paces`. Raises StoreError."""
    remembered = {row.name: row.rate for row in database.reading.channels() if row.rate is not None}
    return build_paces(settings, channels, remembered, database.reading.sent_since, bots)


def is_group(chat: str) -> bool:
    """Whether a chat's id is that of a group. A supergroup's id does not tell, and neither does a name."""
    return chat.startswith(GROUP) and not chat.startswith(NO_GROUP)


def _quota_of(channel: Channel | None) -> Quota | None:
    return None if channel is None else channel.quota
