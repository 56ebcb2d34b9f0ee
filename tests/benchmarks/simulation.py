"""A day of very many channels, in fast motion and without a network.

Scheduler, publishers, timetables, paces and queue are the service's own; networks judge by their limits. What
is late here is late for real: see `world`.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from statistics import quantiles
from zoneinfo import ZoneInfo

from tests.benchmarks.figures import Figure
from tests.benchmarks.samples import thread
from tests.benchmarks.world import BEGIN, SECOND, Account, Bot, Chat, Lane, World
from tests.servers.mastodon.budgets import REAL_BUDGETS
from threadcast.bot.channels.mastodon.pace import MastodonPace
from threadcast.bot.channels.telegram.pace import PER_BOT, BotPace, TelegramPace
from threadcast.config.schedule.slots import Schedule, parse_schedule
from threadcast.config.schedule.timetable import Timetable
from threadcast.queue.text.parse import parse
from threadcast.queue.text.thread import Thread

DAY = timedelta(days=1)
UTC = ZoneInfo("UTC")
ZONES = [
    "Pacific/Auckland",
    "Australia/Lord_Howe",
    "Asia/Tokyo",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Europe/Moscow",
    "Europe/Berlin",
    "Europe/London",
    "Atlantic/Azores",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/New_York",
    "America/Denver",
    "America/Los_Angeles",
    "Pacific/Honolulu",
]
MINUTES = 24 * 60
STRIDE = 719  # minutes from one channel's slot to the next one's: a number that meets every minute of a day
CHATS_OF_A_BOT = 1_000
MOST_LATE = 1.0  # seconds
LEAST_USED = 0.98


def figures(
    *, channels: int = 100_000, chats: int = 2_000, posts: int = 2, hours: int = 12
) -> Iterator[Figure]:
    """A day with a slot for each channel; a bot all of whose chats begin at once; hours of an account."""
    yield from a_day(channels)
    yield a_crowd(chats, posts)
    yield an_account(hours)


def a_day(channels: int) -> Iterator[Figure]:
    """Each channel has one slot in the day, and two threads waiting."""
    bots = [(Bot(), BotPace()) for _ in range(-(-channels // CHATS_OF_A_BOT))]
    lanes: list[Lane] = []
    for number in range(channels):
        bot, pace = bots[number // CHATS_OF_A_BOT]
        lanes.append(in_chat(f"c{number}", bot, pace, daily(number)))
    world = World(lanes, threads(2, parts=1))
    looked = world.run(DAY)
    late: list[float] = []
    wrong = 0
    for chat, timetable, _ in lanes:
        due = slots_of(timetable)
        # The slot at the very end is the next day's.
        starts = [at for at, begins in chat.posts if begins and at < BEGIN + DAY]
        delays = [(at - slot) / SECOND for at, slot in zip(starts, due, strict=False)]
        wrong += len(starts) != len(due) or min(delays, default=0) < 0
        # What fell due while the service was started is made up for.
        late += [delay for delay, slot in zip(delays, due, strict=False) if slot > looked]
    how = f"p99 of {len(late):,} in {len(ZONES)} zones, the latest {max(late):.3g} s; more fell in the start"
    yield Figure(f"a day of {channels:,} slots: how late", p99(late), "s", MOST_LATE, detail=how)
    how = f"of {channels:,}, each with a second thread waiting"
    yield Figure("slots with no thread, two, or one too early", wrong, "", 0, detail=how)
    throttled = sum(bot.throttled for bot, _ in bots)
    yield Figure("429s of that day", throttled, "", 0, detail=f"{len(bots)} bots, {PER_BOT:g} a second each")


def a_crowd(chats: int, posts: int) -> Figure:
    """Every chat of a bot has a thread that may start at once."""
    bot, pace = Bot(), BotPace()
    lanes = [in_chat(f"c{number}", bot, pace, Timetable(f"c{number}", UTC)) for number in range(chats)]
    World(lanes, threads(1, parts=posts)).run(timedelta(seconds=60 + 3 * chats * posts / PER_BOT))
    out = sorted(at for chat, _, _ in lanes for at, _ in chat.posts)
    out = out[len(out) // 10 :]  # how soon a service has begun is another figure
    used = (len(out) - 1) / PER_BOT / ((out[-1] - out[0]) / SECOND)
    how = f"the last {len(out):,} of {chats * posts:,} posts of {chats:,} chats that begin at once"
    return share("a bot's 30 a second", used, bot.throttled, how)


def an_account(hours: int) -> Figure:
    """An account has more to post than its server allows."""
    limit = REAL_BUDGETS["statuses"]
    account = Account("masto")
    lane: Lane = (account, Timetable("masto", UTC), lambda sent_since: MastodonPace(account, sent_since))
    World([lane], threads(limit.limit * (hours // 3 + 1) // 10, parts=10)).run(timedelta(hours=hours))
    windows = Counter(limit.begins(at) for at, _ in account.posts)
    used = min(windows[BEGIN + timedelta(hours=begins)] for begins in range(0, hours, 3)) / limit.limit
    how = f"the least of {hours // 3} windows of {limit.limit} posts in 3 hours"
    return share("a Mastodon account's posts", used, account.throttled, how)


def slots_of(timetable: Timetable) -> list[datetime]:
    """Return the slots of the day: one, or two where a clock that is set forward makes it shorter."""
    found: list[datetime] = []
    slot = timetable.next_slot(BEGIN)
    while slot is not None and slot.utc < BEGIN + DAY:
        found.append(slot.utc)
        slot = timetable.next_slot(slot.utc)
    return found


def share(whose: str, used: float, throttled: int, how: str) -> Figure:
    """Return how much of a rate is used; nothing counts where it was overstepped."""
    detail = f"{how}; {throttled} 429s"
    return Figure(f"share that is used of {whose}", 0 if throttled else used, "", LEAST_USED, "more", detail)


def in_chat(name: str, bot: Bot, shared: BotPace, timetable: Timetable) -> Lane:
    chat = Chat(name, bot)
    return chat, timetable, lambda _: TelegramPace(1, group=False, shared=shared)


def daily(number: int) -> Timetable:
    """Return a timetable with one slot a day, for the channel of this number."""
    rounds, place = divmod(number, MINUTES)
    hour, minute = divmod(place * STRIDE % MINUTES, 60)
    zone = ZoneInfo(ZONES[(place + rounds) % len(ZONES)])  # at each time of the day there are all of them
    return Timetable(f"c{number}", zone, _schedule(f"mon-sun {hour:02}:{minute:02}"))


@cache
def _schedule(text: str) -> Schedule:
    return parse_schedule(text)


def threads(count: int, *, parts: int) -> list[Thread]:
    """Return so many sample threads."""
    return [one for number in range(count) for one in parse(thread(number, parts))]


def p99(values: list[float]) -> float:
    return quantiles(values, n=100, method="inclusive")[98]
