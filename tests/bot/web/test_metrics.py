"""Figures for Prometheus: what is counted, who may see it, and that the documentation speaks of the same."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from prometheus_client.parser import text_string_to_metric_families

from tests.bot.publishing.scripted import START, FakeClock, ScriptedChannel, Step, wish
from tests.bot.web.opened import opened
from tests.bot.web.test_views import add
from tests.queue.store.fresh import fresh_database
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import Publisher
from threadcast.bot.publishing.scheduler import Scheduler
from threadcast.bot.web.app import make_app
from threadcast.bot.web.monitoring.measures import Measures, lateness
from threadcast.config.schedule.slots import parse_schedule
from threadcast.config.schedule.timetable import Timetable
from threadcast.queue.model import Delivery
from threadcast.queue.outcomes import Absent, Refused, Settling, Throttled, Unknown
from threadcast.queue.states import DeliveryState

ROOT = Path(__file__).resolve().parents[3]
NEWS = Timetable("news", ZoneInfo("UTC"))
NAME = re.compile(r"\b(?:threadcast|process)_[a-z_]+\b")


class House:
    """A channel that is measured, and what publishes on it."""

    def __init__(self, folder: Path, *steps: Step) -> None:
        self.clock, self.database, self.measures = FakeClock(), fresh_database(), Measures()
        self.channel = ScriptedChannel("news", folder, self.clock, *steps)
        self.publisher = Publisher(
            self.database,
            self.measures.measured(self.channel, NEWS),
            worker="one",
            clock=self.clock,
            stop=Stop(),
            observe=self.measures.see,
            chance=lambda: 1.0,
        )

    def add(self, parts: int = 3, *, own_time: bool = False) -> None:
        new = wish("news", parts=parts, own_time=own_time)
        self.database.threads.add([new], now=self.clock(), actor="ada")

    def value(self, name: str, **labels: str) -> float | None:
        return self.measures.registry.get_sample_value(f"threadcast_{name}", labels)


async def test_what_sends_come_to(tmp_path: Path) -> None:
    """Posts are counted by outcome, and chains by how they end; nothing that happened yet is a zero."""
    house = House(tmp_path)
    assert house.value("posts_total", channel="news", outcome="unknown") == 0
    house.add()
    await house.publisher.publish()
    assert house.value("posts_total", channel="news", outcome="sent") == 3
    assert house.value("chains_total", channel="news", state="published") == 1
    assert house.value("call_seconds_count", network="local", call="send") == 3
    house.channel.script.steps.append(Step(Refused("too long")))
    house.add(4)
    await house.publisher.publish()
    assert house.value("posts_total", channel="news", outcome="refused") == 1
    assert house.value("chains_total", channel="news", state="failed") == 1


async def test_doubts_and_waits(tmp_path: Path) -> None:
    """A post that may be out is counted, and how it was looked for; so is why a chain was put off."""
    house = House(tmp_path, Step(Unknown("no answer")), Step(Throttled(START, "slow down")))
    house.channel.script.settling = Settling(first_look=timedelta(0))
    house.channel.script.looks.append(Absent())
    house.add()
    for _ in range(3):
        await house.publisher.publish()
        house.clock.advance(seconds=5)
    assert house.value("posts_total", channel="news", outcome="unknown") == 1
    assert house.value("lookups_total", channel="news", found="absent") == 1
    assert house.value("waits_total", channel="news", code="unanswered") == 1
    assert house.value("waits_total", channel="news", code="throttled") == 1
    assert house.value("posts_total", channel="news", outcome="sent") == 3


async def test_a_call_that_breaks(tmp_path: Path) -> None:
    """An adapter that fails may have sent the post: that counts as unknown, and its time is taken."""
    house = House(tmp_path, Step(error=RuntimeError("broken")))
    house.add()
    await house.publisher.publish()
    assert house.value("posts_total", channel="news", outcome="unknown") == 1
    assert house.value("call_seconds_count", network="local", call="send") == 1


async def test_lateness(tmp_path: Path) -> None:
    """How late a thread began is counted once, by its own time; without a schedule it has none to keep."""
    house = House(tmp_path)
    house.add(own_time=True)
    house.clock.advance(seconds=42)
    await house.publisher.publish()
    assert house.value("start_lateness_seconds_sum", channel="news") == 42
    house.add(4)
    await house.publisher.publish()
    assert house.value("start_lateness_seconds_count", channel="news") == 1


def claimed(fence: int = 1, posts: int = 0) -> Delivery:
    """A delivery that was claimed for the first time ten minutes after START."""
    return Delivery(
        *(7, 3, "news", DeliveryState.PUBLISHING, "", 1, START, START, START + timedelta(minutes=10), None),
        *("one", START, fence, posts, 0, "A title", False, START - timedelta(days=1), 5, None),
    )


def test_lateness_of_a_slot() -> None:
    """A thread in turn is late by its slot, jitter aside; one that is claimed again is not counted again."""
    table = replace(NEWS, schedule=parse_schedule("daily 12:00"))
    assert lateness(claimed(), table) == timedelta(minutes=10)
    assert lateness(claimed(fence=2), table) is None
    assert lateness(claimed(posts=5), table) is None
    assert lateness(claimed(), NEWS) is None


async def test_a_lost_lease(tmp_path: Path) -> None:
    """A chain that another worker took over while it went out here is counted as a lease lost."""
    house = House(tmp_path)

    def take_over() -> None:
        now = house.clock.advance(minutes=10)
        house.database.work.claim("news", worker="two", now=now, until=now + timedelta(minutes=3))

    house.channel.script.steps.append(Step(before=take_over))
    house.add()
    scheduler = Scheduler(
        [(house.publisher, NEWS)],
        clock=house.clock,
        stop=house.publisher.stop,
        timers=AsyncIOScheduler(),
        lost=house.measures.lost,
    )
    scheduler.run("news")
    await scheduler.drain()
    assert house.value("leases_lost_total", channel="news") == 1


def test_who_sees_them(tmp_path: Path) -> None:
    """Figures are told to who asks the service itself: not by its public address, nor through a proxy."""
    with opened(tmp_path, THREADCAST_WEB__URL="https://threads.example.org") as page:
        assert page.browser().get("/metrics").status_code == 200
        assert page.browser("https://threads.example.org").get("/metrics").status_code == 404
        assert page.browser().get("/metrics", headers={"Via": "1.1 proxy"}).status_code == 404
    with opened(tmp_path / "here", THREADCAST_WEB__URL="http://127.0.0.1:8480") as page:
        assert page.browser().get("/metrics").status_code == 200


def test_what_the_queue_comes_to(tmp_path: Path) -> None:
    """Deliveries are counted by channel and state when figures are asked for; unknown channels are one."""
    with opened(tmp_path) as page:
        add(page)
        page.database.threads.add(
            [wish(name, about=name, due=page.moment[0]) for name in ("gone-1", "gone-2")],
            now=page.moment[0],
            actor="ada",
        )
        text = page.browser().get("/metrics").text
        assert 'threadcast_deliveries{channel="news",state="queued"} 1.0' in text
        assert 'threadcast_deliveries{channel="slow",state="held"} 0.0' in text
        assert 'threadcast_deliveries{channel="(gone)",state="queued"} 2.0' in text
        assert "gone-1" not in text
        assert "threadcast_ready 1.0" in text


def test_without_a_database(tmp_path: Path) -> None:
    """Where the queue is lost, the figures say so by its name, and are told all the same."""
    with opened(tmp_path) as page:
        page.database.close()
        (page.settings.data / "queue.sqlite3").unlink()
        text = page.browser().get("/metrics").text
        assert "threadcast_ready 0.0" in text
        assert 'threadcast_fault{about="database"} 1.0' in text
        assert "threadcast_posts" in text


def told(folder: Path) -> Iterator[tuple[str, set[str]]]:
    """The families in an answer of a service with a Mastodon account, and the samples of each."""
    account = {"KIND": "mastodon", "URL": "https://mastodon.example", "TOKEN": "example-access-token"}
    given = {f"THREADCAST_CHANNELS__MASTO__{name}": value for name, value in account.items()}
    with opened(folder, **given) as page:
        measures = Measures()
        page.app = make_app(page.site, measures)
        for channel in page.site.channels:
            measures.measured(channel, NEWS)
        page.broken["slow"] = "broke"
        answer = page.browser().get("/metrics")
        for family in text_string_to_metric_families(answer.text):
            yield family.name, {sample.name for sample in family.samples}
            # What is never told of here still has its name.
            yield family.name, {f"{family.name}{end}" for end in ENDS.get(family.type, ("",))}


ENDS = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}


def test_what_is_documented_is_there(tmp_path: Path) -> None:
    """Every metric in an alert, a table or the dashboard exists, and every one that exists is documented."""
    families: dict[str, set[str]] = {}
    for name, samples in told(tmp_path):
        families.setdefault(name, set()).update(samples)
    ours = {name: samples for name, samples in families.items() if not name.endswith("_created")}
    operations = (ROOT / "docs/how-to/operations.md").read_text()
    board = json.loads((ROOT / "docs/how-to/grafana.json").read_text())
    asked = {
        name
        for panel in board["panels"]
        for target in panel.get("targets", [])
        for name in NAME.findall(target["expr"])
    }
    assert len(asked) > 8
    known = {sample for samples in ours.values() for sample in samples}
    assert (asked | set(NAME.findall(operations))) - known == set()
    reference = (ROOT / "docs/reference/metrics.md").read_text()
    told_of = set(NAME.findall(reference))
    missing = [name for name, samples in ours.items() if not samples & told_of]
    assert [name for name in missing if name.startswith("threadcast")] == []


CODE = """
import asyncio, sys
from pathlib import Path
from threadcast.bot.channels.build import open_channels
from threadcast.bot.data_folder import open_queue
from threadcast.bot.service import Service
from threadcast.config.settings import load

async def main():
    settings = load({"THREADCAST_WEB__LISTEN": "off"}, folder=Path(sys.argv[1]))
    async with open_queue(settings) as database, open_channels(settings, database) as channels:
        service = Service(settings, database, channels)
        service.stop.ask()
        await service.run()

asyncio.run(main())
print(sorted({"prometheus_client", "fastapi", "uvicorn", "starlette"} & sys.modules.keys()))
"""


def test_a_service_without_a_page(tmp_path: Path) -> None:
    """A service that shows no page imports nothing that serves one, or counts for it."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
