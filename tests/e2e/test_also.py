"""A chain says at its end where the same thread is on another network, once it is whole there."""

import pytest

from tests.e2e.house import House, chain, thread_text
from tests.faults.stand import add, correct, publish_the_rest, seen

pytestmark = pytest.mark.e2e

SIZE = 3
FULL = "3/ " + "And so the lamp was lit again. " * 15 + "/end"  # no room for a link in 500 characters


@pytest.fixture
def at(house: House) -> House:
    house.env["THREADCAST_TELEGRAM__ADMINS"] = str(house.telegram.add_chat("private").id)  # for audit
    house.env["THREADCAST_CHANNELS__NEWS__ALSO"] = "masto"
    house.env["THREADCAST_CHANNELS__MASTO__ALSO"] = "news"
    return house


def texts(house: House, channel: str) -> list[str]:
    return [text for _, _, text in seen(house, channel)]


def first(house: House, channel: str) -> str:
    """Where a chain begins."""
    deliveries = house.json("show", "1")["deliveries"]
    return str(next(one["posts"][0]["url"] for one in deliveries if one["channel"] == channel))


def test_both_ways(at: House) -> None:
    """Each chain links the other at its end; audit finds them as they were sent, and events say why."""
    add(at, thread_text(1, SIZE))
    publish_the_rest(at)
    news, masto = f"🔗 Telegram: {first(at, 'news')}", f"🔗 Mastodon: {first(at, 'masto')}"
    *before, last = chain(1, SIZE)
    assert texts(at, "news") == [*before, f"{last}\n\n{masto}"]
    assert texts(at, "masto") == [*before, f"{last}\n\n{news}"]
    audited = at.command("audit", "1")
    assert (audited.returncode, audited.stdout.count("as it was sent: all 3 posts")) == (0, 2), audited
    assert masto in at.command("events", "1").stdout


def test_a_channel_that_comes_later(at: House) -> None:
    """Where the thread is on one channel nothing is added; on the other too, and both say so."""
    add(at, thread_text(1, SIZE), "news")
    publish_the_rest(at)
    assert texts(at, "news") == chain(1, SIZE)
    assert at.command("publish", "1", "-c", "masto").returncode == 0
    publish_the_rest(at)
    assert [texts(at, name)[-1].count("🔗") for name in ("news", "masto")] == [1, 1]


def test_no_room(at: House) -> None:
    """Where the last post is full, the link is one post more."""
    text = "\n".join([*chain(1, SIZE)[:2], FULL])
    add(at, text)
    publish_the_rest(at)
    assert texts(at, "masto")[SIZE - 1 :] == [FULL, f"🔗 Telegram: {first(at, 'news')}"]
    assert texts(at, "news")[SIZE - 1 :] == [f"{FULL}\n\n🔗 Mastodon: {first(at, 'masto')}"]
    correct(at, text.replace("reef", "rock"))
    publish_the_rest(at)
    assert [len(texts(at, name)) for name in ("masto", "news")] == [SIZE + 1, SIZE]
    assert "rock" in texts(at, "masto")[0]


def test_what_is_corrected_and_continued(at: House) -> None:
    """A correction of the last post keeps the link; parts added behind it take the link to the new end."""
    add(at, thread_text(1, SIZE))
    publish_the_rest(at)
    correct(at, thread_text(1, SIZE).replace("lamp 1", "the lamp"))
    publish_the_rest(at)
    assert all("the lamp" in texts(at, name)[-1] for name in ("news", "masto"))
    assert [texts(at, name)[-1].count("🔗") for name in ("news", "masto")] == [1, 1]
    assert at.command("add", "--continue", "1", at.write("4/ And the fog came.\n")).returncode == 0
    publish_the_rest(at)
    for name in ("news", "masto"):
        *before, last = texts(at, name)
        assert last.startswith("4/ And the fog came.\n\n🔗")
        assert "🔗" not in "".join(before)


def test_a_chain_that_is_taken_down(at: House) -> None:
    """Where the other chain is undone, the link to it is taken out again; what is left is as it was sent."""
    add(at, thread_text(1, SIZE))
    publish_the_rest(at)
    undone = at.command("undo", "1", "-c", "masto", "--yes")
    assert undone.returncode == 0, undone
    with at.running() as service:
        service.wait_for("running")
        at.telegram.wait_for(lambda _: texts(at, "news") == chain(1, SIZE), 60)
        assert service.stop() == 0
    assert texts(at, "masto") == []
    assert "as it was sent: all 3 posts" in at.command("audit", "1", "-c", "news").stdout


def test_a_thread_that_is_taken_down(at: House) -> None:
    """Undone on all channels at once, nothing of it is left, and nothing more is done."""
    add(at, thread_text(1, SIZE))
    publish_the_rest(at)
    undone = at.command("undo", "1", "--yes")
    assert undone.returncode == 0, undone
    assert (texts(at, "news"), texts(at, "masto")) == ([], [])
    assert {one["state"] for one in at.json("show", "1")["deliveries"]} == {"withdrawn"}
