"""The service is killed while it corrects what is out, on both networks, and started again."""

import pytest

from tests.e2e.house import House, chain, thread_text
from tests.faults.judge import Recorded, Verdict, judge, recorded
from tests.faults.killer import EDITS, Plan
from tests.faults.stand import add, correct, kill, publish_the_rest, seen

pytestmark = pytest.mark.e2e

SIZE = 4
CORRECTED = [
    text.replace("tower 1", "the first tower").replace("lamp 1", "the lamp") for text in chain(1, SIZE)
]


@pytest.mark.parametrize("channel", ["news", "masto"])
@pytest.mark.parametrize("step", EDITS)
def test_a_kill_at_each_step_of_an_edit(house: House, channel: str, step: str) -> None:
    """Killed at any step of an edit, each post says in the end what it should, and none is sent twice."""
    add(house, thread_text(1, SIZE), channel)
    publish_the_rest(house)
    before = seen(house, channel)
    correct(house, "\n".join([*CORRECTED, f"{SIZE + 1}/ And more"]))
    for post in (2, SIZE):
        kill(house, Plan(step, channel, post))
    publish_the_rest(house)
    after = seen(house, channel)
    chains = [[*CORRECTED, f"{SIZE + 1}/ And more"]]
    assert judge(after, chains) == Verdict(posts=SIZE + 1)
    assert [(one[0], one[1]) for one in after[:SIZE]] == [(one[0], one[1]) for one in before]
    assert recorded(house.data, channel) == Recorded({"published": 1}, frozenset(after))
