"""A bot that is made with python-telegram-bot talks to people at the Bot API test server as on Telegram."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import telegram
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    ChatMemberHandler,
    CommandHandler,
    MessageHandler,
    filters,
)

from tests.servers.telegram.people import Person, Seen
from tests.servers.telegram.server import TOKEN, TelegramServer
from tests.servers.telegram.state import Answer
from threadcast.bot.channels.telegram.client import make_bot

SURE = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="yes")]])


async def on_start(update: Update, _: Any) -> None:
    assert update.effective_message is not None
    await update.effective_message.reply_html("<b>Sure?</b>", reply_markup=SURE)


async def on_button(update: Update, _: Any) -> None:
    query = update.callback_query
    assert query is not None
    await query.answer("Done")
    await query.edit_message_text("It is done.")


async def on_document(update: Update, _: Any) -> None:
    message = update.effective_message
    assert message is not None
    assert message.document is not None
    data = await (await message.document.get_file()).download_as_bytearray()
    await message.reply_document(bytes(data).upper(), filename=f"new-{message.document.file_name}")


async def on_member(update: Update, _: Any) -> None:
    changed = update.my_chat_member
    assert changed is not None
    words = f"{changed.old_chat_member.status}, {changed.new_chat_member.status}: {changed.chat.title}"
    await changed.from_user.send_message(words)


@pytest.fixture
async def application(server: TelegramServer) -> AsyncIterator[None]:
    application = Application.builder().bot(make_bot(TOKEN, api_url=server.url)).build()
    application.add_handler(CommandHandler("start", on_start))
    application.add_handler(CallbackQueryHandler(on_button))
    application.add_handler(MessageHandler(filters.Document.ALL, on_document))
    application.add_handler(ChatMemberHandler(on_member))
    async with application:
        assert application.updater is not None
        await application.start()
        await application.updater.start_polling(
            poll_interval=0, timeout=5, allowed_updates=Update.ALL_TYPES, bootstrap_retries=0
        )
        yield
        await application.updater.stop()
        await application.stop()


async def test_a_conversation(server: TelegramServer, application: None) -> None:
    """Commands, buttons, documents and memberships reach the bot's handlers, and its answers the person."""
    ada = server.person("Ada", user_id=1111)
    channel = server.add_chat(username="news", with_bots=False)

    def talk() -> tuple[Answer, bytes]:
        ada.starts()
        ada.waits_for(2)
        answer = ada.answer_to(ada.presses("Yes"))
        ada.waits_for(lambda seen: seen[-1].text == "It is done.")
        ada.sends("thread.txt", b"1/ a lamp")
        ada.waits_for(4)
        data = ada.opens(ada.messages()[-1])
        ada.adds_bot(channel)
        ada.waits_for(5)
        return answer, data

    answer, data = await asyncio.to_thread(talk)

    assert (answer, data) == (Answer("Done"), b"1/ A LAMP")
    assert ada.sees() == [
        Seen("Ada", "/start"),
        Seen("example_bot", "It is done."),
        Seen("Ada", "", (), "thread.txt"),
        Seen("example_bot", "", (), "new-thread.txt"),
        Seen("example_bot", "left, administrator: news"),
    ]


async def test_the_network_goes_away(server: TelegramServer, application: None, ada: Person) -> None:
    """What a person does while the network is away is answered when it is back."""

    def talk() -> list[Seen]:
        server.hold()
        ada.starts()
        server.come_back()
        return ada.waits_for(lambda seen: seen[-1].text == "Sure?")

    seen = await asyncio.to_thread(talk)

    assert [one.text for one in seen] == ["/start", "/start", "Sure?"]


async def test_the_library_reads_what_people_forward(server: TelegramServer, bot: telegram.Bot) -> None:
    """The library knows each kind of origin, and the languages of people."""
    ada, bob, eve = (server.person(name, language="de") for name in ("Ada", "Bob", "Eve"))
    channel, group = server.add_chat(username="news"), server.group("Editors", ada, bob, eve, bot_as=None)
    await bot.send_message("@news", "a lamp")
    eve.hides_in_forwards()
    for message in (server.seen(channel)[0], bob.says("hello", group), eve.says("hello", group)):
        ada.forwards(message)

    messages = [update.message for update in await bot.get_updates()]

    assert [type(message.forward_origin) for message in messages if message] == [
        telegram.MessageOriginChannel,
        telegram.MessageOriginUser,
        telegram.MessageOriginHiddenUser,
    ]
    assert {m.from_user.language_code for m in messages if m and m.from_user} == {"de"}
