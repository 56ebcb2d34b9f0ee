"""The menu that a Telegram client offers: to each person what they may, in their language."""

from pathlib import Path

from tests.bot.chat.stage import Stage
from tests.bot.chat.stand import GROUP, Stand, standing
from tests.servers.telegram.chats import Chat
from threadcast.bot.chat.access import Role
from threadcast.bot.chat.menu import menu
from threadcast.bot.languages import LANGUAGES


def expected(role: Role, language: str) -> dict[str, str]:
    return {one.command: one.description for one in menu(role, language)}


def each_is_offered_theirs(stand: Stand, chat: Chat | None, language: str, shown: str) -> None:
    ada, eddie, eve = (stand.people[name] for name in ("Ada", "Eddie", "Eve"))
    stand.server.wait_for(lambda _: ada.commands(chat, language) == expected(Role.OWNER, shown), 10)
    stand.server.wait_for(lambda _: eddie.commands(chat, language) == expected(Role.EDITOR, shown), 10)
    assert eve.commands(chat, language) == {}


def test_what_each_person_is_offered(tmp_path: Path) -> None:
    """An owner is offered all commands, an editor theirs, each in their language; a stranger none."""
    with standing(tmp_path, {}) as stand:
        stand.people["Eve"].starts()
        for language in LANGUAGES:
            each_is_offered_theirs(stand, None, language, language)
        each_is_offered_theirs(stand, None, "pt", "en")


def test_what_each_is_offered_in_the_group(tmp_path: Path) -> None:
    """In the group that steers, each member is offered what they may, and others see no command."""
    with standing(tmp_path, {"TELEGRAM__GROUP": str(GROUP)}) as stand:
        stand.found_group(*(stand.people[name] for name in ("Ada", "Eddie", "Eve")))
        stand.stop()
        stand.start()
        for language in LANGUAGES:
            each_is_offered_theirs(stand, stand.groups[0], language, language)


def test_who_is_removed_loses_the_menu(tmp_path: Path) -> None:
    """Whose rights are taken away is offered no command any more; whom the environment names, theirs."""
    with standing(tmp_path, {}) as stand:
        ada, eve, eddie = (stand.people[name] for name in ("Ada", "Eve", "Eddie"))
        stage = Stage(stand)
        for one in (eve, eddie):
            stage.do("threadcast pair is typed in a shell")
            one.starts(stand.code)
            stand.server.wait_for(lambda _: one.commands(None, "ru") == expected(Role.OWNER, "ru"), 10)  # noqa: B023
            ada.says(f"/people remove {one.user.id}")
            ada.waits_for(lambda seen: seen[-1].text.startswith(f"Shall {one.user.first_name} "))  # noqa: B023
            ada.presses("Yes, remove")
        stand.server.wait_for(lambda _: eve.commands(None, "ru") == {}, 10)
        stand.server.wait_for(lambda _: eddie.commands(None, "ru") == expected(Role.EDITOR, "ru"), 10)
