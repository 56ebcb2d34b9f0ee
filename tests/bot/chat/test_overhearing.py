"""What a channel's discussion group shows the chat helps to find posts of unknown fate."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.bot.chat.stand import Stand, standing
from tests.contract.store.memory_notebook import MemoryNotebook
from threadcast.bot.channels.telegram.overheard import Ear, Overheard
from threadcast.queue.states import DeliveryState

THREAD = b"1/ The river rises.\n2/ And the sea takes it. /end\n"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with standing(tmp_path, {"SETTLE_AFTER": "1s"}) as stand:
        stand.channel.protected = True  # nothing can be forwarded
        group = stand.server.add_chat("supergroup")
        stand.server.link(stand.channel, group)
        yield stand


def test_a_post_is_found_that_the_group_was_shown(stand: Stand) -> None:
    """A lost answer in a channel that forbids forwarding is settled by what the chat overheard."""
    ada = stand.people["Ada"]
    stand.clock.advance(datetime.now(UTC) - stand.clock())  # the server dates messages by its own
    stand.server.lose_answer(chat=stand.channel)
    ada.sends("rivers.txt", THREAD)
    stand.wait_for_state(1, "news", DeliveryState.PUBLISHED)
    assert [message.text for message in stand.server.seen(stand.channel)] == [
        "1/ The river rises.",
        "2/ And the sea takes it. /end",
    ]


def test_it_is_kept_for_two_days() -> None:
    """What was overheard is known today and tomorrow, over restarts, and is forgotten then."""
    notebook, now = MemoryNotebook(), [NOON]
    one = Overheard(7, NOON, "1/ A text\nof two lines")
    Ear(notebook, lambda: now[0]).keep(-1001, one)
    again = Ear(notebook, lambda: now[0])
    assert again.heard(-1001) == (one,)
    assert again.heard(-1002) == ()
    now[0] = NOON + timedelta(days=1)
    assert again.heard(-1001) == (one,)
    now[0] = NOON + timedelta(days=3)
    assert again.heard(-1001) == ()
    again.keep(-1002, Overheard(8, now[0], "newer"))
    assert notebook.read("overheard:-1001:2026-03-02") == {}
