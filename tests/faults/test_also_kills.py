"""The service is killed while a chain is made to say where else its thread is, and started again."""

import pytest

from tests.e2e.house import House, chain, thread_text
from tests.faults.judge import Recorded, Verdict, judge, recorded
from tests.faults.killer import EDITS, Plan
from tests.faults.stand import add, kill, publish_the_rest, seen

pytestmark = pytest.mark.e2e

SIZE = 3


@pytest.fixture
def both(house: House) -> House:
    """Each of two channels names the other."""
    house.env["THREADCAST_CHANNELS__NEWS__ALSO"] = "masto"
    house.env["THREADCAST_CHANNELS__MASTO__ALSO"] = "news"
    return house


def links(house: House) -> dict[str, str]:
    """What the last post of each channel's chain is to say: where the other one begins."""
    found = {name: house.json("show", "1")["deliveries"] for name in ("news", "masto")}
    first = {one["channel"]: one["posts"][0]["url"] for deliveries in found.values() for one in deliveries}
    return {"news": f"🔗 Mastodon: {first['masto']}", "masto": f"🔗 Telegram: {first['news']}"}


@pytest.mark.parametrize("channel", ["news", "masto"])
@pytest.mark.parametrize("step", [*EDITS, "after-claim", "before-record"])
def test_a_kill_at_each_step(both: House, channel: str, step: str) -> None:
    """Killed at any step, the last post of each chain says it once in the end, and nothing is sent twice."""
    add(both, thread_text(1, SIZE))
    kill(both, Plan(step, channel, SIZE if step in EDITS else 0, at=1 if step in EDITS else 2))
    publish_the_rest(both)
    said = links(both)
    for name in ("news", "masto"):
        *texts, last = chain(1, SIZE)
        posts = seen(both, name)
        assert judge(posts, [[*texts, f"{last}\n\n{said[name]}"]]) == Verdict(posts=SIZE)
        assert recorded(both.data, name) == Recorded({"published": 1}, frozenset(posts))


FULL = f"{SIZE}/ " + "And so the lamp was lit again. " * 15 + "/end"  # no room for a link in 500 characters


@pytest.mark.parametrize("step", ["before-intent", "after-intent", "request-sent", "response-lost"])
def test_a_kill_where_the_link_is_a_post(both: House, step: str) -> None:
    """Killed around the post that is nothing but the link, there is one of it, behind the chain."""
    texts = [*chain(1, SIZE)[:-1], FULL]
    add(both, "\n".join(texts))
    kill(both, Plan(step, "masto", SIZE + 1))
    publish_the_rest(both)
    posts = seen(both, "masto")
    assert judge(posts, [[*texts, links(both)["masto"]]]) == Verdict(posts=SIZE + 1)
    assert recorded(both.data, "masto") == Recorded({"published": 1}, frozenset(posts))
