"""The commands in Telegram's menu: for each person what they may give, in their language; else none."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.bot.chat.stand import GROUP, Stand, standing
from tests.servers.telegram_chats import Chat
from threadcast.bot.chat.commands import COMMANDS, Role

ALL = [command.name for command in COMMANDS.values()]
EDITORS = [command.name for command in COMMANDS.values() if command.who is Role.EDITOR]
PEOPLE: tuple[tuple[str, list[str]], ...] = (("Ada", ALL), ("Eddie", EDITORS), ("Eve", []))


def _wait(stand: Stand, name: str, language: str, wanted: Sequence[str], chat: Chat | None = None) -> None:
    person = stand.people[name]
    stand.server.wait_for(lambda _: list(person.commands(chat, language)) == list(wanted))


@pytest.mark.parametrize("language", ["en", "de"])
def test_each_person_has_a_menu_of_what_they_may(tmp_path: Path, language: str) -> None:
    """An owner sees every command, an editor those of editors, in their language; a stranger none."""
    with standing(tmp_path, {}) as stand:
        for name, wanted in PEOPLE:
            _wait(stand, name, language, wanted)
        first = COMMANDS["start"]
        assert stand.people["Ada"].commands(language=language)["start"] == first.summaries[language]


def test_in_the_group_each_member_has_their_own(tmp_path: Path) -> None:
    """In the configured group the menu of each member is what they may give."""
    with standing(tmp_path, {"TELEGRAM__GROUP": str(GROUP)}) as stand:
        stand.stop()
        stand.found_group(*(stand.people[name] for name, _ in PEOPLE))
        stand.start()
        for name, wanted in PEOPLE:
            _wait(stand, name, "en", wanted, stand.groups[0])
