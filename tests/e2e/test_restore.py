"""A backup is restored under the running service: nothing is sent twice, and no post in hand is forgotten."""

import signal
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.bot.shell.terminal import terminal, threadcast
from tests.e2e.house import House, Process, chain, thread_text
from tests.faults.judge import Verdict, judge, recorded
from tests.faults.killer import Plan
from tests.faults.stand import NO_PLAN, Fork, running, wait_until
from threadcast.bot.requests.restoring import put_back
from threadcast.config.settings import load
from threadcast.queue.model import Delivery, StoreError

pytestmark = pytest.mark.e2e

LONG = 60
CHANNELS = ("news", "masto")


def publish(house: House, service: Process, index: int, size: int) -> None:
    """Add a thread and wait until it is out on both networks."""
    added = house.command("add", house.write(thread_text(index, size)))
    assert added.returncode == 0, added.stderr
    wait_until(service, lambda: said_published(service, index) == len(CHANNELS))


def said_published(service: Process, thread: int) -> int:
    """On how many channels it said that a thread is out; the caller holds `said`."""
    return sum("published" in line and f"thread={thread} " in line for line in service.lines)


def posts(house: House, channel: str) -> list[Any]:
    return house.on_telegram() if channel == "news" else house.on_mastodon()


def sent(file: Path, thread: int) -> dict[str, int]:
    """How many posts of a thread are out by a queue in a file, by channel."""
    with closing(sqlite3.connect(file)) as database:
        rows = database.execute("SELECT channel, sent FROM deliveries WHERE thread_id = ?", [thread])
        return dict(rows.fetchall())


def kept(house: House) -> Path:
    (path,) = house.data.glob("queue.sqlite3.replaced-*")
    return path


def hold_on_telegram(house: House) -> Any:
    """The next message is on the channel, and its answer waits until this event is set."""
    return house.telegram.hold_answer()


def test_in_the_middle_of_a_chain(house: House) -> None:
    """Chains under way stop behind a whole post, all that went out is in the kept queue, and all goes on."""
    with house.running() as service:
        publish(house, service, 1, 3)
        assert house.command("backup", "copy").returncode == 0
        at_first, releases = ([house.telegram.hold_answer(), house.mastodon.hold_answer()] for _ in range(2))
        assert house.command("add", house.write(thread_text(2, LONG))).returncode == 0
        house.wait_for_posts(3 + 1)
        for release in at_first:
            release.set()
        house.wait_for_posts(3 + 2)

        with house.running(*threadcast("restore", "copy")) as restore:
            for channel in CHANNELS:
                restore.wait_for(f"Waiting for the post in hand: #2 on {channel}")
            for release in releases:
                release.set()
            assert restore.end() == 0

        assert house.json("queue")["deliveries"] == []
        assert {row["paused"] for row in house.json("channels")["channels"]} == {True}
        counts = sent(kept(house), 2)
        assert counts == dict.fromkeys(CHANNELS, 2)

        assert house.command("resume").returncode == 0
        publish(house, service, 3, 4)
        assert [one["thread"] for one in house.json("history")["deliveries"]] == [3, 3, 1, 1]
        assert service.stop() == 0
        assert not [line for line in service.lines if "error" in line or "cannot be used" in line]
    for channel in CHANNELS:
        out = [chain(1, 3), chain(2, LONG)[: counts[channel]], chain(3, 4)]
        assert judge(posts(house, channel), out) == Verdict(posts=3 + counts[channel] + 4)
        assert recorded(house.data, channel).posts <= set(posts(house, channel))


def test_a_chain_that_went_on_since(house: House) -> None:
    """A chain that was under way in the backup and went on is told; cancelled, it stays as it is."""
    release = hold_on_telegram(house)
    with house.running() as service:
        service.wait_for("running")
        house.command("add", "--channel", "news", house.write(thread_text(1, 3)))
        house.telegram.wait_for(lambda _: len(house.chat.messages) == 1)
        assert house.command("backup", "copy").returncode == 0
        release.set()
        service.wait_for("published")

        done = house.command("restore", "copy")

        assert done.returncode == 0, done.stderr
        assert "would go out again" in done.stdout
        assert "  #1 on news, 3 posts: " in done.stdout
        assert "→ threadcast cancel 1 --channel news" in done.stdout
        cancelled = house.command("cancel", "1", "--channel", "news")
        assert cancelled.returncode == 0, cancelled.stderr
        assert house.command("resume").returncode == 0
        publish_one(house, service)
        assert service.stop() == 0
    assert judge(house.on_telegram(), [chain(1, 3), chain(2, 2)]) == Verdict(posts=5)


def publish_one(house: House, service: Process) -> None:
    house.command("add", "--channel", "news", house.write(thread_text(2, 2)))
    service.wait_for("thread=2 ")


def test_a_post_in_hand_is_waited_for(house: House) -> None:
    """While the answer to a post is awaited nothing is replaced; the post is recorded in what is kept."""
    release = hold_on_telegram(house)
    with house.running() as service:
        service.wait_for("running")
        house.command("backup", "copy")
        house.command("add", "--channel", "news", house.write(thread_text(1, 3)))
        house.telegram.wait_for(lambda _: len(house.chat.messages) == 1)
        with house.running(*threadcast("restore", "copy")) as restore:
            restore.wait_for("Waiting for the post in hand: #1 on news (0/3)")
            assert sent(house.data / "queue.sqlite3", 1) == {"news": 0}
            release.set()
            assert restore.end() == 0
        assert sent(kept(house), 1) == {"news": 1}
        assert house.json("queue")["deliveries"] == []
        assert service.stop() == 0
    assert len(house.on_telegram()) == 1


def test_ctrl_c(house: House) -> None:
    """Ctrl-C while it waits changes nothing: channels it paused go on, those paused before do not."""
    release = hold_on_telegram(house)
    with house.running() as service:
        service.wait_for("running")
        house.command("backup", "copy")
        house.command("pause", "masto")
        house.command("add", house.write(thread_text(1, 3)))
        house.telegram.wait_for(lambda _: len(house.chat.messages) == 1)
        with terminal(threadcast("restore", "copy"), folder=house.folder, env=house.env) as restore:
            restore.wait_for("Waiting for the post in hand")
            assert restore.interrupt() == 130
        assert {row["channel"]: row["paused"] for row in house.json("channels")["channels"]} == {
            "news": False,
            "masto": True,
        }
        release.set()
        service.wait_for("published")
        assert service.stop() == 0
    assert judge(house.on_telegram(), [chain(1, 3)]) == Verdict(posts=3)
    assert not list(house.data.glob("queue.sqlite3.re*"))


def test_it_does_not_wait_for_ever(house: House) -> None:
    """A server that does not answer keeps the queue as it is: that is said, and the chain goes on."""
    release = hold_on_telegram(house)
    with house.running() as service:
        service.wait_for("running")
        house.command("backup", "copy")
        house.command("add", "--channel", "news", house.write(thread_text(1, 3)))
        house.telegram.wait_for(lambda _: len(house.chat.messages) == 1)
        seen: list[Collection[Delivery]] = []
        settings = load({**house.env, "THREADCAST_DATA": str(house.data)}, folder=house.folder)
        with pytest.raises(StoreError, match=r"still has a post in hand \(thread 1 on news\).*nothing was"):
            put_back(
                settings,
                house.folder / "copy",
                actor="ada",
                see=seen.append,
                pause=lambda: None,
                patience=0.2,
            )
        assert seen
        release.set()
        service.wait_for("published")
        assert service.stop() == 0
    assert not list(house.data.glob("queue.sqlite3.re*"))


@pytest.mark.parametrize("step", ["before-exchange", "half-exchanged", "after-exchange"])
def test_a_killed_restore(house: House, step: str) -> None:
    """A restore killed before, within or after the exchange leaves one queue or the other; all goes on."""
    with running(house) as service:
        publish(house, service, 1, 3)
        house.command("backup", "copy")
        house.command("add", house.write(thread_text(2, LONG)))
        house.wait_for_posts(3 + 2)
        restore = Process(Fork(["restore", "copy"], Plan(step), house.folder, house.environment()))
        assert restore.end() == -signal.SIGKILL, "".join(restore.lines)

        threads = {one["thread"] for one in house.json("history")["deliveries"]}
        threads |= {one["thread"] for one in house.json("queue")["deliveries"]}
        assert threads == ({1} if step == "after-exchange" else {1, 2})
        assert {row["paused"] for row in house.json("channels")["channels"]} == {True}
        counts = {channel: len(posts(house, channel)) - 3 for channel in CHANNELS}
        assert house.command("resume").returncode == 0
        if step == "after-exchange":
            publish(house, service, 3, 4)
        else:
            wait_until(service, lambda: recorded(house.data, "news").states == {"published": 2})
            wait_until(service, lambda: recorded(house.data, "masto").states == {"published": 2})
        assert service.stop() == 0
    for channel in CHANNELS:
        second = chain(2, LONG)
        out = [chain(1, 3), second]
        if step == "after-exchange":
            out = [chain(1, 3), second[: counts[channel]], chain(3, 4)]
        assert judge(posts(house, channel), out) == Verdict(posts=sum(map(len, out)))


def test_a_service_killed_meanwhile(house: House) -> None:
    """Where the service dies with a post in hand, its lease is not waited for."""
    hold_on_telegram(house)
    with running(house, NO_PLAN) as service:
        service.wait_for("running")
        house.command("backup", "copy")
        house.command("add", "--channel", "news", house.write(thread_text(1, 3)))
        house.telegram.wait_for(lambda _: len(house.chat.messages) == 1)
        with house.running(*threadcast("restore", "copy")) as restore:
            restore.wait_for("Waiting for the post in hand")
            service.put_an_end()
            assert restore.end() == 0
    assert house.json("queue")["deliveries"] == []
