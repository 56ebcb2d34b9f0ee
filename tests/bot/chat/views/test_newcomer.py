"""What a newcomer is told to paste is accepted as it stands."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.queue.store.fresh import fresh_notes
from tests.servers.telegram.html import parse_html
from threadcast.bot.channels.stored import StoredChannel, in_use, offer, store
from threadcast.bot.chat.access import Role
from threadcast.bot.chat.views.message import Message, visible
from threadcast.bot.chat.views.newcomer import (
    LONGEST_NAME,
    begun,
    forgotten,
    how_to_begin,
    joined,
    left,
    name_for,
    ready,
)
from threadcast.bot.shell.cli import COMMANDS
from threadcast.config.channels import TelegramChannelSettings
from threadcast.config.settings import Settings, load

TOKEN = "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc"
WITH_TOKEN = load({"THREADCAST_TELEGRAM__TOKEN": TOKEN}, folder=Path("/nowhere"))
NOW = datetime(2026, 3, 2, tzinfo=UTC)
TITLES = st.text(max_size=128) | st.from_regex(r"[A-Za-z_ -]{0,80}", fullmatch=True)
USERNAMES = st.none() | st.from_regex(r"[A-Za-z][A-Za-z0-9_]{3,30}[A-Za-z0-9]", fullmatch=True)


def lines(said: Message) -> dict[str, str]:
    """The lines that are shown to be copied, as an environment."""
    shown, entities = parse_html(said.text)
    units = shown.encode("utf-16-le")
    copied = [
        units[2 * one["offset"] : 2 * (one["offset"] + one["length"])].decode("utf-16-le")
        for one in entities
        if one["type"] == "code"
    ]
    pairs = (line.partition("=") for line in copied if "=" in line)
    return {name: value for name, _, value in pairs}


def accepted(given: dict[str, str], folder: Path) -> Settings:
    """The settings that these lines give. `.env` is written as it was pasted."""
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in given.items()))
    return load({"THREADCAST_TELEGRAM__TOKEN": TOKEN}, folder=folder)


@given(title=TITLES, username=USERNAMES, number=st.integers(-1_009_999_999_999, -1))
def test_a_chat_becomes_a_channel(title: str, username: str | None, number: int) -> None:
    """Whatever a chat is called, it is offered in markup that is read, and is a channel when it is stored."""
    one = StoredChannel(number, name_for(title, username), title, username or "")
    for said in (joined(one, may_post=True), begun(one, [("<b>", title)]), begun(one, []), forgotten(one)):
        parse_html(said.text)
    notes = fresh_notes()
    offer(notes, one, now=NOW)
    assert store(notes, number, by="telegram:1111", now=NOW) == one
    (channel,) = in_use(WITH_TOKEN, notes).channels
    assert isinstance(channel, TelegramChannelSettings)
    assert (channel.name, channel.chat, channel.token) == (one.name, str(number), WITH_TOKEN.telegram.token)


def test_the_line_for_a_group_is_accepted(tmp_path: Path) -> None:
    """The line that makes a group the place of commands is one of the environment."""
    found = accepted(lines(joined(StoredChannel(-5, "a", "A"), may_post=False, group=-5)), tmp_path)
    assert found.telegram.group == -5


def test_an_account_is_set_up_by_a_command() -> None:
    """For a Mastodon account the command is named that sets one up, and it is there."""
    named = re.search("threadcast ([a-z]+)", how_to_begin(Role.OWNER).text)
    assert named
    assert named[1] in COMMANDS


def test_an_editor_is_told_who_can() -> None:
    """An editor, who cannot configure anything, is told who does."""
    assert how_to_begin(Role.EDITOR).text == (
        "No channel is configured yet: one of the owners does that. All commands: /help"
    )


@given(TITLES, USERNAMES, st.sets(st.integers(2, 30), max_size=12))
def test_a_name_is_free(title: str, username: str | None, numbers: set[int]) -> None:
    """A name is one of a variable, with single underlines, and none of those that are taken."""
    wished = name_for(title, username)
    taken = {wished, *(name_for(f"{wished}_{number}", None) for number in numbers)}
    for name in (wished, name_for(title, username, taken)):
        assert 1 <= len(name) <= LONGEST_NAME
        assert name.replace("_", "").isalnum()
        assert name.isascii()
        assert name == name.lower()
        assert "__" not in name
        assert not name.startswith("_")
        assert not name.endswith("_")
    assert name_for(title, username, taken) not in taken


@pytest.mark.parametrize(
    ("title", "username", "taken", "name"),
    [
        ("Her channel", "her_channel", (), "her_channel"),
        ("Her  private -- notes!", None, (), "her_private_notes"),
        ("Новости", None, (), "news"),
        ("Новости", None, ("news",), "news_2"),
        ("Новости", None, ("news", "news_2", "news_4"), "news_3"),
        ("24/7", None, (), "24_7"),
        ("Straße", None, (), "strasse"),
        ("x" * 40, None, (), "x" * 32),
        ("x" * 40, None, ("x" * 32,), "x" * 30 + "_2"),
        ("x" * 29 + "_yyyy", None, ("x" * 29 + "_yy",), "x" * 29 + "_2"),
    ],
)
def test_names(title: str, username: str | None, taken: tuple[str, ...], name: str) -> None:
    """A channel is named like its @name or its title; where that is taken, there is a number behind it."""
    assert name_for(title, username, taken) == name


def test_who_may_not_post_is_told() -> None:
    """Where the bot may not post yet, it says what it needs."""
    one = StoredChannel(-5, "a", "A", "a")
    refused, offered = joined(one, may_post=False), joined(one, may_post=True)
    assert "I may not post there yet" in refused.text
    assert "Post Messages" in refused.text
    assert not refused.buttons
    assert "I may not post there yet" not in offered.text
    assert offered.buttons[0][0].label == "Publish here"


@given(TITLES)
def test_rights_that_come_and_go_are_told_in_markup(title: str) -> None:
    """Whatever a channel is called, what is said of its rights is read, and names it."""
    for said in (ready(title, "news"), left(title, "news")):
        parse_html(said.text)
        assert "news" in visible(said.text)
    assert "THREADCAST_" in title or "THREADCAST_" not in left(title, "news").text
