"""The service is killed while it corrects what is out, on both networks, and started again."""

import io

import pytest
from PIL import Image

from tests.bot.media.drawn import jpeg, put
from tests.e2e.house import House, chain, thread_text
from tests.faults.judge import Recorded, Verdict, judge, recorded
from tests.faults.killer import EDITS, IN_CALL, UPLOADS, Plan
from tests.faults.stand import add, correct, kill, publish_the_rest, seen

pytestmark = pytest.mark.e2e

SIZE = 4
CORRECTED = [
    text.replace("tower 1", "the first tower").replace("lamp 1", "the lamp") for text in chain(1, SIZE)
]


@pytest.mark.parametrize("channel", ["news", "masto"])
@pytest.mark.parametrize("step", [*EDITS, *IN_CALL])
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


WIDTHS = {"a.jpg": 60, "b.jpg": 80, "c.jpg": 90}
SHOWN = "1/ One\n![x](a.jpg)\n2/ Two\n![x](a.jpg)\n![x](b.jpg)\n3/ Three /end\n"
CHANGED = "1/ Uno\n![x](c.jpg)\n2/ Two\n![x](b.jpg)\n![x](c.jpg)\n3/ Three /end\n"
WIDE = [[90], [80, 90], []]


def widths(house: House, channel: str) -> list[list[int]]:
    """How wide the pictures of each post are, as a reader sees them."""
    if channel == "masto":
        found = [[one.data for one in status.files] for status in house.mastodon.statuses(house.account)]
    else:
        found = []
        group = ""
        for message in house.telegram.seen(house.chat):
            album = message.extra.get("media_group_id", "")
            shown = [house.telegram.api.files[one["file_id"]] for one in message.extra.get("photo", ())]
            if album and album == group:
                found[-1] += shown
            else:
                found.append(shown)
            group = album
    return [[Image.open(io.BytesIO(one)).width for one in files] for files in found]


@pytest.mark.parametrize(
    ("channel", "step"),
    [
        *(("news", step) for step in (*EDITS, *IN_CALL)),
        *(("masto", step) for step in (*UPLOADS, *EDITS, *IN_CALL)),
    ],
)
def test_a_kill_at_each_step_of_an_edit_of_files(house: House, channel: str, step: str) -> None:
    """Killed at any step, each post has its new files in the end, nothing is sent twice, no file is lost."""
    for name, width in WIDTHS.items():
        put(house.folder, **{name.replace(".", "_"): jpeg(width, width)})
    add(house, SHOWN, channel)
    publish_the_rest(house)
    before = seen(house, channel)
    assert widths(house, channel) == [[60], [60, 80], []]
    correct(house, CHANGED, "--media", ".")
    for post in (1, 2):
        kill(house, Plan(step, channel, post))
    publish_the_rest(house)
    after = seen(house, channel)
    assert [(one[0], one[1]) for one in after] == [(one[0], one[1]) for one in before]
    assert [one[2] for one in after if one[2]] == ["1/ Uno", "2/ Two", "3/ Three /end"]
    assert widths(house, channel) == WIDE
    assert recorded(house.data, channel).states == {"published": 1}
    audit = house.command("audit", "1")
    assert audit.returncode == 0, audit.stdout
