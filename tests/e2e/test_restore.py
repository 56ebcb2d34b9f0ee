"""A backup is restored: not under a running service, and then nothing is sent twice."""

import pytest

from tests.e2e.house import House, Process, chain, thread_text
from tests.faults.judge import Verdict, judge

pytestmark = pytest.mark.e2e


def publish(house: House, service: Process, index: int, size: int) -> None:
    """Add a thread for Telegram and wait until it is out."""
    added = house.command("add", "--channel", "news", house.write(thread_text(index, size)))
    assert added.returncode == 0, added.stderr
    service.wait_for(f'"thread": {index},')


def test_a_chain_that_went_on_since(house: House) -> None:
    """A chain that was under way in the backup and went on is stopped: nothing goes out twice."""
    release = house.telegram.hold_answer()
    with house.running() as service:
        service.wait_for("running")
        house.command("add", "--channel", "news", house.write(thread_text(1, 3)))
        house.telegram.wait_for(lambda _: len(house.chat.messages) == 1)
        assert house.command("backup", "copy").returncode == 0
        release.set()
        service.wait_for("published")
        assert service.stop() == 0
    done = house.command("restore", "copy")
    assert done.returncode == 0, done.stderr
    assert "would go out again" in done.stdout
    assert "  #1 on news, 3 posts: " in done.stdout
    assert "→ threadcast cancel 1 --channel news" in done.stdout
    assert len(list(house.data.glob("queue.sqlite3.replaced-*"))) == 1
    with house.running() as service:
        service.wait_for("running")
        assert {row["paused"] for row in house.json("channels")["channels"]} == {True}
        (held,) = house.json("show", "1")["deliveries"]
        assert (held["state"], "after the backup" in held["reason"]) == ("failed", True)
        assert house.command("resume").returncode == 0
        publish(house, service, 2, 2)
        assert service.stop() == 0
    assert judge(house.on_telegram(), [chain(1, 3), chain(2, 2)]) == Verdict(posts=5)
