"""The table of commands is whole, in every language, and fits Telegram's menu."""

import re

import pytest

from threadcast.bot.chat.commands import COMMANDS, LANGUAGES, Role, allowed_to, in_chat, nearest
from threadcast.bot.chat.menu import menu
from threadcast.bot.chat.router import TYPED


@pytest.mark.parametrize("language", [*LANGUAGES, "pt"])
@pytest.mark.parametrize("role", Role)
def test_a_menu_is_within_telegrams_limits(role: Role, language: str) -> None:
    """Each role's menu fits in every language: 100 commands at most, names and descriptions as they may."""
    shown = menu(role, language)
    assert 0 < len(shown) <= 100
    for one in shown:
        assert re.fullmatch(r"[a-z0-9_]{1,32}", one.command)
        assert 1 <= len(one.description) <= 256
        assert one.description == one.description.strip()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_is_whole(language: str) -> None:
    """A language of the table has every command, each said in its own way and not in English."""
    assert re.fullmatch("[a-z]{2}", language)
    said = [command.summaries[language] for command in COMMANDS.values()]
    assert len(set(said)) == len(said)
    assert language == "en" or not set(said) & {one.summaries["en"] for one in COMMANDS.values()}


def test_another_language_is_english() -> None:
    """Who has a language that the table does not have reads English."""
    assert menu(Role.OWNER, "pt") == menu(Role.OWNER, "en")


def test_every_command_is_answered() -> None:
    """The table has each command that is answered, and no other."""
    assert set(COMMANDS) == set(TYPED)


def test_an_editor_may_less() -> None:
    """What an editor may, an owner may; nothing that changes what is published is an editor's."""
    editors = {one.name for one in allowed_to(Role.EDITOR)}
    assert editors < {one.name for one in allowed_to(Role.OWNER)}
    assert not editors & {
        "publish",
        "at",
        "hold",
        "release",
        "move",
        "retry",
        "skip",
        "undo",
        "settle",
        "pause",
    }


def test_usage() -> None:
    """How a command is typed, with what stands behind its name."""
    assert COMMANDS["move"].usage == "/move ID first | ID after ID"
    assert COMMANDS["status"].usage == "/status"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        *(("qeue", "queue"), ("RELEASE", "release"), ("statsu", "status"), ("published", "publish")),
        *(("xyzzy", None), ("", None)),
    ],
)
def test_nearest(typed: str, meant: str | None) -> None:
    """What was misspelt is known again."""
    assert nearest(typed, Role.OWNER) == meant


def test_nearest_of_what_one_may() -> None:
    """An editor is not pointed at what owners may."""
    assert nearest("relese", Role.OWNER) == "release"
    assert nearest("relese", Role.EDITOR) != "release"


def test_words_of_the_shell() -> None:
    """A command of the shell that the chat has too is said as the chat's."""
    assert in_chat("see: threadcast show 7, or threadcast check") == "see: /show 7, or threadcast check"
