"""Builds the configured channels and their paces from the settings."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING

from threadcast.bot.channels.deferred import Known, deferred
from threadcast.bot.channels.learned import Learned
from threadcast.bot.channels.mastodon.instance import Instance, reach_of
from threadcast.bot.channels.mastodon.pace import MastodonPace
from threadcast.bot.channels.media import (
    MASTODON_FILES,
    MASTODON_PICTURES,
    TELEGRAM_FILES,
    TELEGRAM_PICTURES,
    ChannelFiles,
)
from threadcast.bot.channels.pace import Pace
from threadcast.bot.channels.port import Channel, Clock, Reach, now
from threadcast.bot.channels.telegram.pace import (
    PER_BOT,
    PER_PERSON,
    BotPace,
    SharedSlots,
    SpareSlots,
    TelegramPace,
    is_group,
)
from threadcast.bot.channels.telegram.rules import rules_of
from threadcast.bot.media.store import open_store
from threadcast.bot.people.people import People
from threadcast.config.channels import LocalChannelSettings, MastodonChannelSettings, TelegramChannelSettings
from threadcast.config.logs import get_logger
from threadcast.config.schedule.slots import describe
from threadcast.config.schedule.timetable import Timetable
from threadcast.config.settings import Settings
from threadcast.queue.errors import StoreError
from threadcast.queue.model import ChannelRow, ChannelSeen
from threadcast.queue.sentences import Sentence
from threadcast.queue.store.database import Database

if TYPE_CHECKING:
    from threadcast.bot.channels.telegram.client import Bot

log = get_logger("threadcast.service")


@asynccontextmanager
async def open_channels(
    settings: Settings, database: Database | None = None, clock: Clock = now, *, lately: bool = False
) -> AsyncIterator[tuple[Channel, ...]]:
    """Yield the configured channels, and close them whatever happens. See `build_channels`."""
    channels = build_channels(settings, database, clock, lately=lately)
    try:
        yield channels
    finally:
        await asyncio.gather(*(channel.close() for channel in channels))


def build_channels(
    settings: Settings, database: Database | None = None, clock: Clock = now, *, lately: bool = False
) -> tuple[Channel, ...]:
    """Return the configured channels, no call made yet; chats of one bot share its connections.

    With `database` they know of what it remembers where a chat has moved to, and note there where one moves,
    and what servers say of themselves. With `lately` they go by that while it is fresh: it does for what is
    only shown. A client library is imported, and a client made, when a channel is first called.
    """
    rows = {} if database is None else {row.name: row for row in database.reading.channels()}
    people = People(settings.telegram)
    owners = people.owners if database is None else people.read(database.notes).owners
    owner = next(iter(owners), None)
    store = open_store(settings)
    bots: dict[str, Bot] = {}  # by token
    said: dict[str, Instance | None] = {}  # lately, by a server's address
    built: list[Channel] = []
    for channel in settings.channels:
        name, also = channel.name, channel.also
        match channel:
            case TelegramChannelSettings():
                row = rows.get(name)
                files = ChannelFiles(store, TELEGRAM_FILES, TELEGRAM_PICTURES)
                chat = partial(_telegram, channel, settings, database, clock, bots, row, owner, files)
                known = Known(
                    name,
                    channel.kind,
                    channel.chat,
                    files,
                    Reach(),
                    limits_posts=False,
                    also=also,
                    rules=partial(rules_of, channel, files),
                )
                built.append(deferred(known, chat))
            case MastodonChannelSettings():
                files = ChannelFiles(store, MASTODON_FILES, MASTODON_PICTURES)
                learned = None if database is None else Learned(database.notes, channel.url, clock)
                account = partial(_mastodon, channel, settings, clock, files, learned)
                if lately and learned and channel.url not in said:
                    said[channel.url] = learned.read()
                told = said.get(channel.url)
                known = Known(
                    name,
                    channel.kind,
                    channel.url,
                    files,
                    told.reach(channel.depth) if told else reach_of(channel.depth),
                    limits_posts=None,
                    also=also,
                    rules=partial(told.rules, channel) if told else None,
                )
                built.append(deferred(known, account))
            case LocalChannelSettings():
                from threadcast.bot.channels.local.channel import LocalChannel  # noqa: PLC0415

                built.append(
                    LocalChannel(
                        channel, folder=settings.data, clock=clock, zone=settings.timezone, store=store
                    )
                )
    return tuple(built)


def _telegram(
    channel: TelegramChannelSettings,
    settings: Settings,
    database: Database | None,
    clock: Clock,
    bots: dict[str, "Bot"],
    row: ChannelRow | None,
    owner: int | None,
    files: ChannelFiles,
) -> Channel:
    from threadcast.bot.channels.telegram.channel import TelegramChannel  # noqa: PLC0415  # see `deferred`
    from threadcast.bot.channels.telegram.client import make_bot  # noqa: PLC0415

    token, rate = channel.token.get_secret_value(), settings.telegram.rate
    if token not in bots:
        bots[token] = make_bot(token, api_url=settings.telegram.api_url, proxies=settings.proxies)
    return TelegramChannel(
        channel,
        bot=bots[token],
        clock=clock,
        files=files,
        probe_chat=owner,
        settle_after=settings.settle_after,
        moved_to=_moved(channel, row),
        on_moved=partial(_note_moved, database, channel.name, clock),
        copies=None if database is None else _Copies(database, channel.name, clock),
        probe_rate=PER_PERSON if _has_limits(rate) else rate,
    )


def _mastodon(
    channel: MastodonChannelSettings,
    settings: Settings,
    clock: Clock,
    files: ChannelFiles,
    learned: Learned | None,
) -> Channel:
    from threadcast.bot.channels.mastodon.channel import MastodonChannel  # noqa: PLC0415  # see `deferred`

    return MastodonChannel(
        channel,
        clock=clock,
        files=files,
        proxies=settings.proxies,
        settle_after=settings.settle_after,
        learned=learned,
    )


def seen(settings: Settings, channels: Sequence[Channel]) -> list[ChannelSeen]:
    """Return the configured channels for the queue to note, each with its schedule in words."""
    schedules = {each.name: in_words(each.timetable(settings.timezone)) for each in settings.channels}
    return [
        ChannelSeen(each.name, each.kind, each.target, schedules[each.name], each.also) for each in channels
    ]


def accounts(settings: Settings) -> dict[str, Hashable]:
    """Return by what each channel is let in, by its name: the same for those that share it. None is shown."""
    return {
        one.name: (one.kind, getattr(one, "url", ""), one.token)
        for one in settings.channels
        if not isinstance(one, LocalChannelSettings)
    }


def in_words(timetable: Timetable) -> str:
    """Return a schedule with its zone, in which its slots are other moments than elsewhere; "" for none."""
    if timetable.schedule is None:
        return ""
    said = describe(timetable.schedule, Sentence)
    return Sentence("{schedule} ({zone})", schedule=said, zone=timetable.zone.key)


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
                token = channel.token.get_secret_value()
                here = bots.setdefault(token, bot_pace(settings))
                paces[name] = TelegramPace(
                    rate,
                    group=is_group(channel.chat) and _has_limits(rate),
                    shared=here if database.is_file else SharedSlots(here, _slots(settings, token, database)),
                    remembered=remembered.get(name),
                    recent=(lambda _: ()) if database.is_file else partial(database.reading.sent_at, name),
                )
            case MastodonChannelSettings():
                counts = (database.reading.sent_since, database.reading.files_since)
                paces[name] = MastodonPace(named.get(name), *(partial(count, name) for count in counts))
            case _:
                paces[name] = Pace()
    return paces


def bot_pace(settings: Settings) -> BotPace:
    """Return the slots of a bot, of which this machine knows."""
    return BotPace(_per_bot(settings))


def _has_limits(rate: float) -> bool:
    """Whether Telegram's limits hold: a rate that none of its chats takes means a server without them."""
    return rate <= PER_BOT


def _per_bot(settings: Settings) -> float:
    return max(PER_BOT, settings.telegram.rate)


def _slots(settings: Settings, token: str, database: Database) -> Callable[[datetime], datetime]:
    """Return what takes the next slot that a bot has on all machines."""
    apart = timedelta(seconds=1 / _per_bot(settings))
    return lambda earliest: database.machines.take_slot(bot_of(token), earliest, apart)


def bot_of(token: str) -> str:
    """Return what machines call a bot among themselves: by its number, which is no secret."""
    return f"telegram {token.partition(':')[0]}"


def chat_pace(settings: Settings, shared: BotPace, database: Database, chat: int) -> Pace:
    """Return how fast the bot may talk in a chat, beside publishing."""
    token, rate = settings.telegram.token, settings.telegram.rate
    slots = SpareSlots(shared)
    if token is not None and not database.is_file:
        slots = SpareSlots(shared, count=_aside(_slots(settings, token.get_secret_value(), database)))
    return TelegramPace(rate, group=chat < 0 and _has_limits(rate), shared=slots)


def _aside(take: Callable[[datetime], datetime]) -> Callable[[datetime], None]:
    """Return what takes a slot that is used already, in a thread of its own."""

    def count(now: datetime) -> None:
        with suppress(StoreError):  # then the others have a thirtieth of a second less to wait
            take(now)

    return lambda now: Thread(target=count, args=(now,), daemon=True).start()


def _moved(channel: TelegramChannelSettings, row: ChannelRow | None) -> int | None:
    """Where the queue knows the chat to be now, if it is the one that is configured."""
    return int(row.moved) if row and row.moved and row.target == channel.chat else None


def _note_moved(database: Database | None, name: str, clock: Clock, chat: int) -> None:
    if database is None:
        return
    try:
        database.changes.note_moved(name, str(chat), now=clock(), actor="telegram")
    except StoreError as error:  # it is followed all the same, and told again after the next start
        log.warning("a chat's new id was not noted", channel=name, chat=chat, reason=str(error))


class _Copies:
    """The ids of copies in the owner's chat that are still to be deleted, in the notes of the queue."""

    def __init__(self, database: Database, channel: str, clock: Clock) -> None:
        self._notes = database.notes
        self._page = f"copies:{channel}"
        self._clock = clock

    def read(self) -> frozenset[int]:
        with suppress(StoreError):  # they are deleted all the same while the service lives
            return frozenset(map(int, self._notes.read(self._page).get(1, "").split()))
        return frozenset()

    def write(self, numbers: frozenset[int]) -> None:
        with suppress(StoreError):
            self._notes.write(self._page, 1, " ".join(map(str, sorted(numbers))), now=self._clock())
