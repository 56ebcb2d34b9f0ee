"""The service is killed at every step of the publisher, on both networks, and started again."""

import pytest

from tests.e2e.house import PATIENCE, House, chain, thread_text
from tests.faults.judge import Verdict, judge
from tests.faults.killer import COMMIT, STEPS, Plan
from tests.faults.stand import FIRST, add, check, kill, publish_the_rest, running, seen

pytestmark = pytest.mark.e2e

SIZE = 5
# Until the server has the whole request, the post is not out; then it is, whatever we know of it.
OUT = STEPS.index("request-sent")


def wait_for_posts(house: House, channel: str, count: int) -> None:
    """Wait until the server holds so many posts; it may still be at work on the last request of the dead."""
    server = house.telegram if channel == "news" else house.mastodon
    count += len(FIRST)
    server.wait_for(lambda _: len(seen(house, channel)) >= count, PATIENCE)
    assert len(seen(house, channel)) == count


@pytest.mark.parametrize("channel", ["news", "masto"])
@pytest.mark.parametrize("step", STEPS[2:])
def test_a_kill_at_each_step(house: House, channel: str, step: str) -> None:
    """Killed at the first post, in the middle of a chain and at its end, it publishes each post once."""
    add(house, thread_text(9, len(FIRST)) + thread_text(1, SIZE), channel)
    for post in (1, 3, SIZE):
        # The first chain comes to its first post before.
        kill(house, Plan(step, channel, post, at=2 if post == 1 else 1))
        wait_for_posts(house, channel, post if STEPS.index(step) >= OUT else post - 1)
    publish_the_rest(house)
    check(house, channel, [chain(1, SIZE)])


@pytest.mark.parametrize("channel", ["news", "masto"])
def test_a_kill_while_looking(house: House, channel: str) -> None:
    """Killed before it looks for a post, and when it has found it or not, it looks again and sends once."""
    add(house, thread_text(9, len(FIRST)) + thread_text(1, SIZE), channel)
    kill(house, Plan("response-lost", channel, 3))
    kill(house, Plan("before-look", channel))
    kill(house, Plan("after-look", channel))
    kill(house, Plan("after-intent", channel, 4))
    kill(house, Plan("after-look", channel))
    publish_the_rest(house)
    check(house, channel, [chain(1, SIZE)])


@pytest.mark.parametrize("at", [5, 10, 15])
def test_a_kill_before_a_commit(house: House, at: int) -> None:
    """Killed when all of a transaction is written but its commit, it goes on as if it had not begun."""
    add(house, thread_text(9, len(FIRST)) + thread_text(1, SIZE))
    kill(house, Plan(COMMIT, at=at))
    publish_the_rest(house)
    for channel in ("news", "masto"):
        check(house, channel, [chain(1, SIZE)])


def test_a_kill_at_the_very_first_post(house: House) -> None:
    """On a Telegram chat where nothing of ours is known, the owner is asked about a first post in doubt."""
    add(house, thread_text(1, SIZE), "news")
    kill(house, Plan("response-lost", "news", 1))
    with running(house) as service:
        service.wait_for("unsure")
        assert service.stop() == 0
    (post,) = house.on_telegram()
    settled = house.command("settle", "1", "sent", f"https://t.me/my_channel/{post[0]}", "--force")
    assert settled.returncode == 0, settled.stderr
    publish_the_rest(house)
    assert judge(house.on_telegram(), [chain(1, SIZE)]) == Verdict(posts=SIZE)
