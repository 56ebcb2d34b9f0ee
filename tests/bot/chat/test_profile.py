"""The bot says what it is by itself, in every language, once; what its owner wrote there stays."""

from datetime import UTC, datetime
from pathlib import Path

from tests.bot.chat.stand import Stand, standing
from tests.queue.store.fresh import fresh_notes
from tests.servers.telegram.server import TOKEN, TelegramServer
from threadcast.bot.channels.telegram.client import close_bot, make_bot
from threadcast.bot.chat.access import Access
from threadcast.bot.chat.menu import DESCRIPTION, SHORT, describe, set_buttons
from threadcast.bot.languages import DEFAULT, LANGUAGES, _, speaking
from threadcast.bot.people.people import People
from threadcast.config.telegram import TelegramSettings

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def said_of(stand: Stand) -> dict[tuple[str, str], str]:
    return stand.server.api.profiles[stand.bot.id]


def calls(stand: Stand) -> int:
    """How many things were said of the bot since the last time."""
    number = len(said_of(stand))
    said_of(stand).clear()
    return number


def test_it_says_what_it_is(tmp_path: Path) -> None:
    """Whoever opens its chat reads what it does, in their language; it is not said again at each start."""
    with standing(tmp_path, {}) as stand:
        stand.server.wait_for(lambda _: ("menu_button", "") in said_of(stand), 10)
        for language in LANGUAGES:
            code = "" if language == DEFAULT else language
            with speaking(language):
                assert said_of(stand)["description", code] == _(DESCRIPTION)
                assert said_of(stand)["short_description", code] == _(SHORT)
        assert said_of(stand)["menu_button", ""] == "commands"
        stand.stop()
        calls(stand)
        stand.start()
        stand.people["Ada"].says("/status")
        stand.people["Ada"].waits_for(2)
        stand.stop()
        assert calls(stand) == 0


async def test_the_page_in_the_menu() -> None:
    """Behind https each person's menu button opens the page; once that is gone, it is the default."""
    with TelegramServer() as server:
        profile = server.api.profiles[server.add_bot().id]
        bot, notes = make_bot(TOKEN, api_url=server.url), fresh_notes()
        await bot.initialize()
        people = People(TelegramSettings.model_validate({"admins": [11], "editors": [22]}))
        for page, shown in (
            ("http://127.0.0.1:8480", {}),
            (
                "https://threads.example.org",
                dict.fromkeys(["11", "22"], "https://threads.example.org/app"),
            ),
            ("", dict.fromkeys(["11", "22"], "default")),
        ):
            await set_buttons(bot, Access(None, people, page), notes, now=NOW)
            assert {chat: button for (_what, chat), button in profile.items()} == shown
        await close_bot(bot)


async def test_what_its_owner_wrote_stays() -> None:
    """A description that is there before the first start is left as it is, at every start."""
    theirs = {("description", ""): "The river bot."}
    with TelegramServer() as server:
        profile = server.api.profiles[server.add_bot().id]
        profile.update(theirs)
        bot, notes = make_bot(TOKEN, api_url=server.url), fresh_notes()
        await bot.initialize()
        for _start in range(2):
            await describe(bot, notes, now=NOW)
            assert profile == theirs
        await close_bot(bot)
