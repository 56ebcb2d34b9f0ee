"""The commands in Telegram's menu: for each person what they may give, in their language; else none."""

from pathlib import Path

from tests.bot.chat.stand import GROUP, PEOPLE, Stand, standing
from threadcast.bot.chat.commands import COMMANDS, Role

ALL = [command.name for command in COMMANDS.values()]
EDITORS = [command.name for command in COMMANDS.values() if command.who is Role.EDITOR]


def menu(stand: Stand, *scope: object, language: str = "") -> list[str]:
    """The names of the commands that a menu shows."""
    kind, *ids = scope
    with stand.server.changed:
        found = stand.server.api.menus.get((stand.bot.id, kind, tuple(ids), language), [])
    return [command["command"] for command in found]


def test_each_person_has_a_menu_of_what_they_may(tmp_path: Path) -> None:
    """An owner sees every command, an editor those of editors, in English and German; a stranger none."""
    with standing(tmp_path, {}) as stand:
        stand.server.wait_for(
            lambda _: all(menu(stand, "chat", PEOPLE[one], language="de") for one in ("Ada", "Eddie"))
        )
        for language in ("", "de"):
            assert menu(stand, "chat", PEOPLE["Ada"], language=language) == ALL
            assert menu(stand, "chat", PEOPLE["Eddie"], language=language) == EDITORS
        assert menu(stand, "default") == menu(stand, "chat", PEOPLE["Eve"]) == []


def test_in_the_group_each_member_has_their_own(tmp_path: Path) -> None:
    """In the configured group the menu of each member is what they may give."""
    with standing(tmp_path, {"TELEGRAM__GROUP": str(GROUP)}) as stand:
        stand.found_group(stand.people["Ada"], stand.people["Eddie"], stand.people["Eve"])
        stand.stop()
        stand.start()
        stand.server.wait_for(
            lambda _: all(
                menu(stand, "chat_member", GROUP, PEOPLE[one], language="de") for one in ("Ada", "Eddie")
            )
        )
        assert menu(stand, "chat_member", GROUP, PEOPLE["Ada"]) == ALL
        assert menu(stand, "chat_member", GROUP, PEOPLE["Eddie"]) == EDITORS
        assert menu(stand, "chat_member", GROUP, PEOPLE["Eve"]) == []
