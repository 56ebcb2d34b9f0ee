"""Every command is whole, in every language, and fits Telegram's menu."""

import re
from pathlib import Path

import pytest

from tests.bot.chat.stand import standing
from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import ranges, read_press
from threadcast.bot.chat.menu import ORDER, WORDS, allowed_to, meant, menu
from threadcast.bot.chat.requests import REGISTRY
from threadcast.bot.chat.router import _suggestions
from threadcast.bot.languages import DEFAULT, LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
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
    """A language has every command, each said in its own way and not in English."""
    assert re.fullmatch("[a-z]{2}", language)
    said = [one.description for one in menu(Role.OWNER, language)]
    english = {one.description for one in menu(Role.OWNER, DEFAULT)}
    assert len(set(said)) == len(said)
    assert language == DEFAULT or not set(said) & english


def test_each_command_has_its_place() -> None:
    """The menu's order names each command that is typed, and no other."""
    assert set(ORDER) == {name for name, one in REGISTRY.items() if one.typed}


def test_an_editor_may_less() -> None:
    """What an editor may, an owner may; nothing that changes what is published is an editor's."""
    editors = {one.name for one in allowed_to(Role.EDITOR)}
    assert editors < {one.name for one in allowed_to(Role.OWNER)}
    changing = {"publish", "at", "hold", "release", "move", "retry", "skip", "undo", "settle", "pause"}
    assert not editors & changing


def test_usage() -> None:
    """How a command is typed, with what stands behind its name."""
    assert REGISTRY["move"].usage == "/move ID first | ID after ID"
    assert REGISTRY["status"].usage == "/status"


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        *(("qeue", ["queue"]), ("statsu", ["status"]), ("hodl", ["hold"]), ("xyzzy", []), ("", [])),
        *(("send", ["publish"]), ("abort", ["stop", "cancel"]), ("delete", ["cancel", "undo"])),
        *(("publsh", []), ("undoo", []), ("cancl", []), ("relese", [])),
    ],
)
def test_what_is_meant(typed: str, names: list[str]) -> None:
    """A misspelt name, or a word of the table, leads to its commands; no slip leads to a deed in public."""
    assert [one.name for one in meant(typed, Role.OWNER)] == names


def test_no_slip_publishes_or_deletes() -> None:
    """However a name is misspelt, by likeness alone it leads to no command that publishes or deletes."""
    deeds = {"publish", "release", "resume", "retry", "skip", "at", "done", "cancel", "undo", "stop"}
    typed = {
        name[:at] + other + name[at + 1 :] for name in deeds for at in range(len(name)) for other in "xe"
    }
    for slip in typed - set(WORDS) - set(REGISTRY):
        assert not deeds & {one.name for one in meant(slip, Role.OWNER)}, slip


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("behind", [(), ("7",), ("2,3", "news"), ("news",), ("tomorrow", "9:00")])
def test_a_suggestion_carries_what_was_typed(word: str, behind: tuple[str, ...]) -> None:
    """Each word of the table gives buttons, each of which asks for what its label says."""
    buttons = list(_suggestions(word, behind, Role.OWNER))
    assert buttons
    for one in buttons:
        press = read_press(one.data)
        assert REGISTRY[press.verb].typed
        numbers = ",".join(ranges(press.threads))
        assert one.label.split() == [f"/{press.verb}", *([numbers] if numbers else []), *press.words] or (
            press.threads == (2, 3) and one.label.split()[1] == "2,3"
        )


def test_what_an_editor_may_mean() -> None:
    """An editor is not pointed at what owners may."""
    assert [one.name for one in meant("delete", Role.EDITOR)] == ["cancel"]
    assert meant("send", Role.EDITOR) == ()


def test_the_words_lead_somewhere() -> None:
    """Each word of the table is no command itself, and means commands that there are."""
    assert not set(WORDS) & set(ORDER)
    assert {one for found in WORDS.values() for one in found} <= set(ORDER)


def test_times_in_the_language_that_is_spoken(tmp_path: Path) -> None:
    """A day each, and a slot each, are asked for in the language that somebody speaks."""
    with standing(tmp_path, {"LANGUAGE": "de"}) as stand:
        ada = stand.people["Ada"]
        ada.sends("two.txt", b"1/ One.\n2/ End. /end\n1/ Two.\n2/ End. /end\n")
        ada.waits_for(lambda seen: any("two.txt" in one.text for one in seen))
        ada.says("/at 1-2 t\u00e4glich 9 Uhr")
        ada.waits_for(lambda seen: "09:00" in seen[-1].text and "#2" in seen[-1].text)
        ada.says("/at 1 Sendepl\u00e4tze")
        ada.waits_for(lambda seen: "/at 1 daily 9:00" in seen[-1].text)  # there is no schedule
