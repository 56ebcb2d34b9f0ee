"""Each configured channel gets the pace of its network."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.bot.publishing.scripted import ScriptedChannel, wish
from tests.queue.store.fresh import fresh_database
from threadcast.bot.channels.build import build_paces
from threadcast.bot.channels.mastodon.pace import MastodonPace
from threadcast.bot.channels.pace import Pace
from threadcast.bot.channels.port import Quota
from threadcast.bot.channels.telegram.pace import TelegramPace, is_group
from threadcast.bot.requests.requests import build_requests
from threadcast.config.settings import load
from threadcast.queue.model import ChannelSeen
from threadcast.queue.outcomes import Sent, Throttled
from threadcast.queue.store.reading import Reading

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Metered(ScriptedChannel):
    limits_posts = True
    quota = Quota(300, 0, NOON + timedelta(minutes=5))


CHANNELS = {"masto": Metered, "news": ScriptedChannel}


class Counted(Reading):
    """A queue in which 288 posts went out on one channel."""

    def sent_since(self, channel: str, moment: datetime) -> int:
        return {"masto": 288}.get(channel, 0)


def paces(tmp_path: Path, environ: dict[str, str], **remembered: float) -> dict[str, Pace]:
    settings = load({f"THREADCAST_{name}": value for name, value in environ.items()}, folder=tmp_path)
    channels = [kind(name, folder=tmp_path, clock=lambda: NOON) for name, kind in CHANNELS.items()]
    database = fresh_database()
    database.reading = Counted(database.transactions)
    for name, rate in remembered.items():
        database.changes.see_channels([ChannelSeen(name, "telegram", "@news_channel")], now=NOON)
        database.changes.note_rate(name, rate)
    return build_paces(settings, channels, database)


def telegram(name: str, chat: str, bot: str = "1:a") -> dict[str, str]:
    return {
        f"CHANNELS__{name}__KIND": "telegram",
        f"CHANNELS__{name}__CHAT": chat,
        f"CHANNELS__{name}__TOKEN": bot,
    }


def mastodon(name: str) -> dict[str, str]:
    return {
        f"CHANNELS__{name}__KIND": "mastodon",
        f"CHANNELS__{name}__URL": "https://social.example",
        f"CHANNELS__{name}__TOKEN": name,
    }


def after_a_burst(pace: Pace, count: int) -> timedelta:
    """How long the chat waits after so many posts, each as soon as it may."""
    now = NOON
    for _ in range(count):
        while (at := pace.ready_at(now)) > now:
            now = at
        pace.begun(now)
        pace.ended(Sent("1", None), now)
    return pace.ready_at(now) - now


def test_no_limits() -> None:
    """A local channel never waits, whatever comes of a post, and has nothing to remember."""
    pace = Pace()
    pace.ended(Throttled(NOON, "asks to wait"), NOON)
    assert (pace.ready_at(NOON), pace.rate) == (NOON, None)
    assert (pace.room(1000, NOON).at, pace.room(1000, NOON).reason) == (NOON, "")


def test_by_kind(tmp_path: Path) -> None:
    """Each kind of channel has its own kind of pace."""
    made = paces(
        tmp_path, {**telegram("NEWS", "@news_channel"), **mastodon("MASTO"), "CHANNELS__A__KIND": "local"}
    )
    assert {name: type(pace) for name, pace in made.items()} == {
        "a": Pace,
        "masto": MastodonPace,
        "news": TelegramPace,
    }


def test_what_is_known(tmp_path: Path) -> None:
    """A pace knows what was remembered, what is out, and what its server told; a forecast needs no server."""
    made = paces(
        tmp_path, {**telegram("NEWS", "@news_channel"), **mastodon("MASTO"), **mastodon("OTHER")}, news=0.25
    )
    assert made["news"].rate == 0.25
    assert made["masto"].ready_at(NOON) == NOON + timedelta(minutes=5)
    assert made["masto"].room(13, NOON).at == NOON + timedelta(hours=3)
    assert made["other"].room(13, NOON).at == NOON


@pytest.mark.parametrize(("rate", "wait"), [("1", 1), ("0.5", 2), ("1000", 0.001)])
def test_the_owners_rate(tmp_path: Path, rate: str, wait: float) -> None:
    """Chats go at the rate that the owner set, however fast, for a server of their own."""
    made = paces(tmp_path, {"TELEGRAM__RATE": rate, **telegram("NEWS", "@news_channel")})
    assert after_a_burst(made["news"], 10) == wait * SECOND


def test_groups(tmp_path: Path) -> None:
    """A group keeps to Telegram's limit for groups; with a rate that none takes, it has no limit."""
    group = telegram("G", "-4242")
    assert after_a_burst(paces(tmp_path, group)["g"], 20) > 30 * SECOND
    assert after_a_burst(paces(tmp_path, {"TELEGRAM__RATE": "31", **group})["g"], 20) < SECOND


def test_one_bot(tmp_path: Path) -> None:
    """Chats of one bot share what it may send; those of another bot do not wait for them."""
    made = paces(
        tmp_path, telegram("A", "@chat_a") | telegram("B", "@chat_b") | telegram("C", "@chat_c", "2:b")
    )
    assert made["a"].ready_at(NOON) == NOON
    assert made["b"].ready_at(NOON) == NOON + SECOND / 30
    assert made["c"].ready_at(NOON) == NOON


@pytest.mark.parametrize(
    ("chat", "group"), [("@news", False), ("4242", False), ("-4242", True), ("-1004242424242", False)]
)
def test_what_a_chat_is(chat: str, group: bool) -> None:
    """A group is known by its id; a supergroup looks like a channel, and shows what it takes."""
    assert is_group(chat) == group


def test_what_the_queue_remembers(tmp_path: Path) -> None:
    """The queue's forecast goes by the pace that a chat was last seen to take."""
    settings = load(
        {f"THREADCAST_{name}": value for name, value in telegram("NEWS", "@news_channel").items()},
        folder=tmp_path,
    )
    database = fresh_database()
    database.changes.see_channels([ChannelSeen("news", "telegram", "@news_channel")], now=NOON)
    database.threads.add([wish("news", due=NOON)], now=NOON, actor="test")
    requests = build_requests(settings, database, [], actor="ada")
    (at_first,) = requests.queries.forecast()
    database.changes.note_rate("news", 0.25)
    (slower,) = requests.queries.forecast()
    assert at_first.start is not None
    assert at_first.end == at_first.start + at_first.delivery.parts * SECOND
    assert slower.start is not None
    assert slower.end == slower.start + slower.delivery.parts * 4 * SECOND
