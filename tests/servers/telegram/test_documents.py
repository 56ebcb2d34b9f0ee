"""The Bot API test server takes and gives documents as Telegram does."""

from io import BytesIO

import pytest
import telegram
from telegram.constants import ChatAction, ParseMode

from tests.servers.telegram.chats import Chat
from tests.servers.telegram.people import Person
from tests.servers.telegram.server import TelegramServer
from tests.servers.telegram.wire import Call, refusal, result


async def test_a_document(bot: telegram.Bot, ada: Person) -> None:
    """A document arrives with its name, its caption and its bytes, which anybody with its id downloads."""
    data = bytes(range(256)) * 400 + b"\r\n--\r\n\n"

    sent = await bot.send_document(
        1111,
        BytesIO(data),
        filename="queue.csv",
        caption="<b>all</b>",
        parse_mode=ParseMode.HTML,
        disable_notification=True,
        reply_parameters=telegram.ReplyParameters(1),
    )

    assert sent.document is not None
    assert (sent.document.file_name, sent.document.mime_type) == ("queue.csv", "text/csv")
    assert (sent.caption, sent.caption_entities[0].type) == ("all", "bold")
    assert sent.reply_to_message is not None
    assert ada.messages()[-1].silent
    assert (ada.sees()[-1].text, ada.sees()[-1].document) == ("all", "queue.csv")
    assert ada.opens(ada.messages()[-1]) == data
    file = await sent.document.get_file()
    assert bytes(await file.download_as_bytearray()) == data


async def test_a_known_document(bot: telegram.Bot, ada: Person, chat: Chat) -> None:
    """What a person sent is sent on by its id, without its bytes."""
    theirs = ada.sends("thread.txt", b"1/ a", "look")
    assert theirs.document is not None

    sent = await bot.send_document("@news", theirs.document["file_id"])

    assert sent.document is not None
    assert (sent.document.file_name, sent.document.file_size, sent.caption) == ("thread.txt", 4, None)


def test_refusals(call: Call, ada: Person) -> None:
    """No document, an empty one, an unknown one and too long a caption are refused; nothing is stored."""
    before = ada.sees()
    file = {"document": ("a.txt", b"text")}

    assert refusal(call("sendDocument", chat_id=1111)) == (
        400,
        "Bad Request: there is no document in the request",
    )
    empty = call("sendDocument", chat_id=1111, files={"document": ("a.txt", b"")})
    assert refusal(empty) == (400, "Bad Request: file must be non-empty")
    unknown = call("sendDocument", chat_id=1111, document="file-77")
    assert refusal(unknown) == (400, "Bad Request: wrong file identifier/HTTP URL specified")
    long = call("sendDocument", chat_id=1111, caption="x" * 1025, files=file)
    assert refusal(long) == (400, "Bad Request: message caption is too long")
    assert ada.sees() == before
    assert result(call("sendDocument", chat_id=1111, caption="x" * 1024, files=file))


def test_sizes(server: TelegramServer, call: Call, ada: Person) -> None:
    """Only so much is taken, and less is given."""
    assert (server.api.upload_limit, server.api.download_limit) == (50 * 2**20, 20 * 2**20)
    server.api.upload_limit, server.api.download_limit = 5, 3

    large = call("sendDocument", chat_id=1111, files={"document": ("a", b"123456")})
    sent = result(call("sendDocument", chat_id=1111, files={"document": ("a", b"12345")}))
    refused = call("getFile", file_id=sent["document"]["file_id"])

    ada.sends("large.txt", b"123456")  # people may
    assert refusal(large) == (413, "Request Entity Too Large")
    assert refusal(refused) == (400, "Bad Request: file is too big")


async def test_an_edited_caption(bot: telegram.Bot, ada: Person) -> None:
    """A document has a caption to edit and no text; with a message it is the other way round."""
    document = await bot.send_document(1111, b"text", filename="a.txt")
    message = await bot.send_message(1111, "text")

    await document.edit_caption("new")

    assert [(seen.text, seen.document) for seen in ada.sees()[-2:]] == [("new", "a.txt"), ("text", None)]
    with pytest.raises(telegram.error.BadRequest, match="no text in the message to edit"):
        await document.edit_text("x")
    with pytest.raises(telegram.error.BadRequest, match="no caption in the message to edit"):
        await message.edit_caption("x")


async def test_actions(server: TelegramServer, call: Call, bot: telegram.Bot, ada: Person) -> None:
    """What the bot is doing is shown; what is no such thing is refused."""
    await bot.send_chat_action(1111, ChatAction.TYPING)

    assert server.api.actions == [(1111, "typing")]
    refused = call("sendChatAction", chat_id=1111, action="dancing")
    assert refusal(refused) == (400, "Bad Request: wrong parameter action in request")
