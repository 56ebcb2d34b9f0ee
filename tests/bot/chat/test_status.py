"""The status that is pinned ends where its message does, and an old one that cannot be deleted says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.chat.stand import Stand, standing
from tests.servers.telegram.chats import Message
from threadcast.bot.chat.telling.status import PINNED

THREAD = b"1/ The river rises.\n2/ It falls again. /end"


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with standing(tmp_path, {}) as standing_:
        yield standing_


def pinned(stand: Stand) -> list[Message]:
    chat = stand.people["Ada"].chat
    return [chat.messages[one] for one in chat.pinned if one in chat.messages]


def pin(stand: Stand) -> Message:
    """Ada types /pin; the message that is pinned then."""
    before = {one.id for one in pinned(stand)}
    stand.people["Ada"].says("/pin")
    stand.server.wait_for(lambda _: any(one.id not in before for one in pinned(stand)))
    return pinned(stand)[-1]


def notes(stand: Stand) -> list[str]:
    assert stand.database is not None
    return list(stand.database.notes.read(PINNED).values())


def test_a_status_that_was_deleted_is_none_any_more(stand: Stand) -> None:
    """Where somebody deletes the message, it is looked for once, and not sent again."""
    ada, status = stand.people["Ada"], pin(stand)
    ada.deletes(status)
    ada.sends("rivers.txt", THREAD)
    stand.server.wait_for(lambda _: notes(stand) == [""])
    assert pinned(stand) == []


def test_an_old_one_that_stays_says_that_it_is_old(stand: Stand) -> None:
    """A message older than two days is unpinned, and says that it is kept up to date no more."""
    old = pin(stand)
    with stand.server.changed:
        old.date -= 3 * 24 * 3600
    new = pin(stand)
    stand.server.wait_for(lambda _: old.text == "This is kept up to date no more.")
    assert pinned(stand) == [new]
