"""What all Telegram channels and the chat share: the bot, and the people it listens to."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict

from threadcast.config.types import BotToken, Endpoint, GroupId, Rate, TimeOfDay, UserIds
from threadcast.config.variables import Doc


class TelegramSettings(BaseModel):
    """`api_url` None is Telegram's own."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    token: Annotated[
        BotToken | None,
        Doc(
            "the bot that posts, and that its owner talks to",
            expected="a bot's token as @BotFather gives it",
            example="123456789:your-bot-token",
        ),
    ] = None
    api_url: Annotated[
        Endpoint | None,
        Doc(
            "a Bot API server of your own",
            expected="an https:// address (http:// for this machine only)",
            example="http://127.0.0.1:8081",
            default="https://api.telegram.org",
        ),
    ] = None
    admins: Annotated[
        UserIds,
        Doc(
            "who may give the bot commands; the first is whom it shows posts in doubt",
            expected="numeric Telegram user ids, with commas between",
            example="1111,2222",
            default="nobody",
        ),
    ] = ()
    editors: Annotated[
        UserIds,
        Doc(
            "who may add and preview threads in the chat; what they add waits for one of ADMINS",
            expected="numeric Telegram user ids, with commas between",
            example="3333",
            default="nobody",
        ),
    ] = ()
    group: Annotated[
        GroupId | None,
        Doc(
            "a group where these people may give commands too, and where reports go then",
            expected="a group's numeric id, which begins with a minus sign",
            example="-1001234567890",
        ),
    ] = None
    listen: Annotated[
        bool,
        Doc(
            "whether this service takes commands: false on all but one of several that share a bot",
            expected="true or false",
            example="false",
        ),
    ] = True
    digest: Annotated[
        TimeOfDay | None,
        Doc(
            "when the chat is told each day what was published and what waits",
            expected="a time of the day such as 09:00",
            example="09:00",
        ),
    ] = None
    rate: Annotated[
        Rate,
        Doc(
            "messages a second into one chat, at first and at the most; 1000 for a test server of your own",
            expected="a number from 0.01 to 1000",
            example="0.5",
            default="1",
        ),
    ] = 1.0
