"""The Bot API test server checks buttons, presses and answers as Telegram does."""

from typing import Any

import pytest
import telegram
from telegram import ForceReply, InlineKeyboardButton, InlineKeyboardMarkup

from tests.servers.telegram.chats import Chat, Json
from tests.servers.telegram.people import Person
from tests.servers.telegram.server import TelegramServer
from tests.servers.telegram.state import Answer
from tests.servers.telegram.wire import Call, refusal, result

SURE = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="yes")]])
UNREAD = "can't parse inline keyboard button: "
OLD = (400, "Bad Request: query is too old and response timeout expired or query ID is invalid")


def keyboard(**button: Any) -> Json:
    return {"inline_keyboard": [[{"text": "Go", **button}]]}


class TestMarkup:
    @pytest.mark.parametrize(
        ("markup", "words"),
        [
            ("{", "can't parse reply keyboard markup JSON object"),
            ([1], "object expected as reply markup"),
            ({"inline_keyboard": "x"}, 'field "inline_keyboard" must be of type Array'),
            ({"inline_keyboard": ["x"]}, 'field "inline_keyboard" must be an Array of Arrays'),
            ({"inline_keyboard": [["x"]]}, UNREAD + "InlineKeyboardButton must be an Object"),
            ({"inline_keyboard": [[{"callback_data": "x"}]]}, UNREAD + 'Can\'t find field "text"'),
            (keyboard(text=5, callback_data="x"), UNREAD + 'Field "text" must be of type String'),
            (keyboard(text=" ", callback_data="x"), "inline keyboard button text must be non-empty"),
            (keyboard(), UNREAD + "Text buttons are unallowed in the inline keyboard"),
            (keyboard(callback_data=""), UNREAD + "Text buttons are unallowed in the inline keyboard"),
            (keyboard(callback_data=5), UNREAD + 'Field "callback_data" must be of type String'),
            (
                keyboard(callback_data="x", url="https://example.org"),
                UNREAD + "Exactly one of the fields must be used, not url and callback_data",
            ),
            (keyboard(callback_data="x" * 65), "BUTTON_DATA_INVALID"),
            (keyboard(callback_data="ü" * 33), "BUTTON_DATA_INVALID"),
            (keyboard(url="not-a-url"), "inline keyboard button URL 'not-a-url' is invalid: Wrong HTTP URL"),
            (
                keyboard(url="ftp://example.org"),
                "inline keyboard button URL 'ftp://example.org' is invalid: Unsupported URL protocol",
            ),
            (keyboard(url="https://example.x"), "BUTTON_URL_INVALID"),
            (keyboard(pay=True), "BUTTON_TYPE_INVALID"),
            (
                {"inline_keyboard": [[{"text": "x", "callback_data": "x"}]] * 101},
                "reply markup is too long",
            ),
            ({"force_reply": "yes"}, 'field "force_reply" must be of type Boolean'),
            ({"keyboard": "x"}, 'field "keyboard" must be of type Array'),
        ],
    )
    def test_what_is_refused(self, call: Call, ada: Person, markup: Any, words: str) -> None:
        """A keyboard that is none is refused in Telegram's words, and nothing is stored."""
        before = ada.sees()

        refused = call("sendMessage", chat_id=1111, text="x", reply_markup=markup)

        assert refusal(refused) == (400, f"Bad Request: {words}")
        assert ada.sees() == before

    @pytest.mark.parametrize(
        "markup",
        [
            keyboard(callback_data="ü" * 32),
            keyboard(url="https://example.org/a?b#c"),
            keyboard(url="tg://user?id=5"),
            keyboard(switch_inline_query=""),
            {"inline_keyboard": [[{"text": "x", "callback_data": "x"}] * 5] * 20},
        ],
    )
    def test_what_is_taken(self, call: Call, ada: Person, markup: Json) -> None:
        """A keyboard stands under the message as it was given."""
        sent = result(call("sendMessage", chat_id=1111, text="x", reply_markup=markup))

        assert sent["reply_markup"] == markup

    async def test_no_buttons(self, bot: telegram.Bot, ada: Person) -> None:
        """A keyboard without buttons is none; a forced reply is not shown, and not edited."""
        plain = await bot.send_message(1111, "x", reply_markup=InlineKeyboardMarkup([]))
        asked = await bot.send_message(1111, "Which?", reply_markup=ForceReply(selective=True))

        assert (plain.reply_markup, asked.reply_markup) == (None, None)
        assert ada.messages()[-1].keyboard == {"force_reply": True, "selective": True}
        with pytest.raises(telegram.error.BadRequest, match="can't be edited"):
            await asked.edit_text("y")

    async def test_only_buttons_in_a_channel(self, bot: telegram.Bot, chat: Chat) -> None:
        """A channel's posts have buttons, and no other keyboard."""
        assert (await bot.send_message("@news", "x", reply_markup=SURE)).reply_markup == SURE
        with pytest.raises(telegram.error.BadRequest, match=r"[Ii]nline keyboard expected"):
            await bot.send_message("@news", "x", reply_markup=ForceReply())


class TestEdits:
    async def test_other_buttons(self, bot: telegram.Bot, ada: Person) -> None:
        """Buttons are changed and taken away; what changes nothing is refused."""
        sent = await bot.send_message(1111, "Sure?", reply_markup=SURE)
        with pytest.raises(telegram.error.BadRequest, match="is not modified"):
            await sent.edit_reply_markup(SURE)

        await sent.edit_reply_markup(None)

        assert ada.sees()[-1].buttons == ()
        with pytest.raises(telegram.error.BadRequest, match="is not modified"):
            await sent.edit_reply_markup(None)

    async def test_an_edit_takes_buttons_away(self, bot: telegram.Bot, ada: Person) -> None:
        """A text that is edited without a keyboard has none afterwards."""
        sent = await bot.send_message(1111, "Sure?", reply_markup=SURE)

        await sent.edit_text("Done.")

        assert [(seen.text, seen.buttons) for seen in ada.sees()[-1:]] == [("Done.", ())]

    async def test_what_a_person_wrote(self, bot: telegram.Bot, ada: Person) -> None:
        """What a person wrote is not edited by a bot."""
        theirs = ada.says("hello")

        with pytest.raises(telegram.error.BadRequest, match="can't be edited"):
            await bot.edit_message_text("x", 1111, theirs.id)
        with pytest.raises(telegram.error.BadRequest, match="can't be edited"):
            await bot.edit_message_reply_markup(1111, theirs.id, reply_markup=SURE)
        assert ada.sees()[-1].text == "hello"


class TestPresses:
    async def test_a_press_and_its_answer(
        self, server: TelegramServer, bot: telegram.Bot, ada: Person
    ) -> None:
        """A press comes with who, where and what; the answer is shown to that person, and remembered."""
        await bot.send_message(1111, "Sure?", reply_markup=SURE)
        pressed = ada.presses("Yes")
        (update,) = await bot.get_updates()
        query = update.callback_query
        assert query is not None
        assert isinstance(query.message, telegram.Message)
        assert (query.data, query.from_user.language_code, query.message.text) == ("yes", "de", "Sure?")
        assert pressed.answer is None

        await query.answer("Done", show_alert=True)

        assert ada.answer_to(pressed) == Answer("Done", alert=True)
        assert server.answer_to(query.id) == Answer("Done", alert=True)

    async def test_an_answer_too_many(self, call: Call, bot: telegram.Bot, ada: Person) -> None:
        """A press is answered once, before it is too old, by its id, and in 200 characters."""
        await bot.send_message(1111, "Sure?", reply_markup=SURE)
        first, late = ada.presses("Yes"), ada.presses("Yes")
        late.expired = True

        long = call("answerCallbackQuery", callback_query_id=first.id, text="x" * 201)
        assert refusal(long) == (400, "Bad Request: MESSAGE_TOO_LONG")
        assert result(call("answerCallbackQuery", callback_query_id=first.id, text="x" * 200)) is True
        for query_id in (first.id, late.id, "5000"):
            assert refusal(call("answerCallbackQuery", callback_query_id=query_id)) == OLD

    async def test_a_deleted_message(self, bot: telegram.Bot, ada: Person) -> None:
        """A button is gone with its message."""
        sent = await bot.send_message(1111, "Sure?", reply_markup=SURE)
        message = ada.messages()[-1]
        await sent.delete()

        with pytest.raises(LookupError):
            ada.presses("Yes")
        with pytest.raises(LookupError, match="deleted"):
            ada.presses("Yes", message)
