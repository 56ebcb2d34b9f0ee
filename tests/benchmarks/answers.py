"""How soon the chat answers while the same bot publishes, at Telegram's real limits."""

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

from tests.benchmarks.figures import Figure
from tests.benchmarks.samples import thread
from tests.e2e.house import PATIENCE, RUN, House
from tests.servers.mastodon.server import MastodonServer
from tests.servers.telegram.calls import REAL_BOT_PACE, REAL_PACES
from tests.servers.telegram.people import Person
from tests.servers.telegram.server import TelegramServer

MOST = 0.3  # seconds
REST = (1.0, 1.6)  # seconds between an answer and the next request: a chat takes a message a second


@contextmanager
def chatting(channels: int, *, owned: bool = True) -> Iterator[tuple[House, Person]]:
    """A service with an owner and so many channels, on a server that has Telegram's limits.

    Or one that nobody steers yet.
    """
    with (
        tempfile.TemporaryDirectory(prefix="threadcast-bench-") as folder,
        TelegramServer() as telegram,
        MastodonServer() as mastodon,
    ):
        house = House(Path(folder), telegram, mastodon)
        telegram.api.paces, telegram.api.bot_pace = REAL_PACES, REAL_BOT_PACE
        kept = ("TELEGRAM__TOKEN", "TELEGRAM__API_URL")
        house.env = {name: value for name, value in house.env.items() if name.endswith(kept)}
        house.env |= {"THREADCAST_TELEGRAM__ADMINS": "1111"} if owned else {}
        for number in range(channels):
            telegram.add_chat(username=f"channel_{number}")
            house.env[f"THREADCAST_CHANNELS__C{number}__KIND"] = "telegram"
            house.env[f"THREADCAST_CHANNELS__C{number}__CHAT"] = f"@channel_{number}"
        owner = telegram.person("Ada", 1111)
        with house.running(*RUN) as service:
            service.wait_for("running")
            if owned:
                owner.starts()
                owner.waits_for(2)
            yield house, owner


def figures(*, chains: int = 10, requests: int = 100, parts: int = 300) -> Iterator[Figure]:
    """So many `requests` for /status while `chains` go out, each on a channel of its own and with a card."""
    chance = random.Random(1)  # noqa: S311  # the same rests for everybody
    with chatting(chains) as (house, owner):
        for number in range(chains):
            done = house.command("add", "-c", f"c{number}", house.write(thread(number, parts)))
            assert done.returncode == 0, done.stderr
        owner.waits_for(lambda seen: sum("📤" in one.text for one in seen) == chains, timeout=PATIENCE)
        waits: list[float] = []
        for _ in range(requests):
            time.sleep(chance.uniform(*REST))
            waits.append(answered(owner, "/status", "How things stand"))
        cards = [one.text for one in owner.sees() if "📤" in one.text]
    assert len(cards) == chains, cards
    yield Figure(
        f"/status while {chains} chains go out",
        quantiles(waits, n=100, method="inclusive")[98],
        "s",
        MOST,
        detail=f"p99 of {requests}; median {median(waits) * 1000:.3g} ms, longest {max(waits) * 1000:.3g} ms",
    )


def answered(person: Person, text: str, beginning: str) -> float:
    """Say something; the seconds until an answer has come that begins so."""

    def count() -> int:
        return sum(
            one.who != person.user.first_name and one.text.startswith(beginning) for one in person.sees()
        )

    before, begun = count(), time.perf_counter()
    person.says(text)
    person.waits_for(lambda _: count() > before, timeout=PATIENCE)
    return time.perf_counter() - begun
