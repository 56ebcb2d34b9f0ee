"""Channels that were stored from the chat stand beside those of the environment, which win."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.queue.store.fresh import fresh_notes
from threadcast.bot.channels.stored import CHANNELS, StoredChannel, forget, in_use, offer, store, stored
from threadcast.config.settings import load
from threadcast.queue.store.notes import Notes

NOW = datetime(2026, 3, 2, tzinfo=UTC)
TOKEN = "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc"
ADA = "telegram:1111"
RIVERS = StoredChannel(-1001234567890, "rivers", "Rivers", "all_rivers")


@pytest.fixture
def notes() -> Notes:
    notes = fresh_notes()
    offer(notes, RIVERS, now=NOW)
    assert store(notes, RIVERS.chat, by=ADA, now=NOW) == RIVERS
    return notes


def names(notes: Notes, **given: str) -> list[str]:
    variables = {f"THREADCAST_{name}": value for name, value in given.items()}
    return [one.name for one in in_use(load(variables, folder=Path("/nowhere")), notes).channels]


def test_it_takes_the_place_of_none(notes: Notes) -> None:
    """With a bot, it is the one channel where none was configured; without a bot there is none of it."""
    assert names(notes, TELEGRAM__TOKEN=TOKEN) == ["rivers"]
    assert names(notes) == ["local"]


@pytest.mark.parametrize("chat", ["@All_Rivers", "-1001234567890"])
def test_the_environment_wins(notes: Notes, chat: str) -> None:
    """A chat of the environment is one channel, as it says there, by its name or its id."""
    given = {"TELEGRAM__TOKEN": TOKEN, "CHANNELS__NEWS__KIND": "telegram", "CHANNELS__NEWS__CHAT": chat}
    assert names(notes, **given) == ["news"]


def test_a_name_of_the_environment_wins(notes: Notes) -> None:
    """So is a name; another one stands beside it."""
    assert names(notes, TELEGRAM__TOKEN=TOKEN, CHANNELS__RIVERS__KIND="local") == ["rivers"]
    assert names(notes, TELEGRAM__TOKEN=TOKEN, CHANNELS__SEAS__KIND="local") == ["rivers", "seas"]


def test_what_does_not_fit_is_left_out(notes: Notes) -> None:
    """A name that no variable could have makes no channel, and keeps no other from being one."""
    notes.write(CHANNELS, -5, '{"name": "no name!", "title": "", "username": ""}', now=NOW)
    assert names(notes, TELEGRAM__TOKEN=TOKEN) == ["rivers"]


def test_it_is_forgotten(notes: Notes) -> None:
    """What was forgotten is none any more, and can be stored again; what was never offered cannot."""
    assert forget(notes, RIVERS, by=ADA, now=NOW)
    assert not forget(notes, RIVERS, by=ADA, now=NOW)
    assert stored(notes) == {}
    assert store(notes, -7, by=ADA, now=NOW) is None
    assert store(notes, RIVERS.chat, by=ADA, now=NOW) == RIVERS


def test_no_token_is_stored(notes: Notes) -> None:
    """The bot's token is the environment's, and stands nowhere in what is kept."""
    assert "token" not in notes.read(CHANNELS)[RIVERS.chat]
