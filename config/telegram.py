"""What all Telegram channels and the chat share: the bot, and the people it listens to."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict

from threadcast.config.documented import Doc
from threadcast.config.types import BotToken, Endpoint, GroupId, Rate, TimeOfDay, UserIds


class TelegramSettings(BaseModel):
    """`api_url` None is Telegram's own."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    token: Annotated[
        BotToken | None,
        Doc(
            "the bot that posts, and that its owner talks to",
            "a bot's token as @BotFather gives it",
            "123456789:your-bot-token",
        ),
    ] = None
    api_url: Annotated[
        Endpoint | None,
        Doc(
            "a Bot API server of your own",
            "an https:// address (http:// for this machine only)",
            "http://127.0.0.1:8081",
            "https://api.telegram.org",
        ),
    ] = None
    admins: Annotated[
        UserIds,
        Doc(
            "who may give the bot commands; the first is whom it shows posts in doubt",
            "numeric Telegram user ids, with commas between",
            "1111,2222",
            "nobody",
        ),
    ] = ()
    editors: Annotated[
        UserIds,
        Doc(
            "who may add and preview threads in the chat; what they add waits for one of ADMINS",
            "numeric Telegram user ids, with commas between",
            "3333",
            "nobody",
        ),
    ] = ()
    group: Annotated[
        GroupId | None,
        Doc(
            "a group where these people may give commands too, and where reports go then",
            "a group's numeric id, which begins with a minus sign",
            "-1001234567890",
        ),
    ] = None
    listen: Annotated[
        bool,
        Doc.choice(
            "whether this service takes commands: false on all but one of several that share a bot", "false"
        ),
    ] = True
    webhook: Annotated[
        bool,
        Doc.choice(
            "whether Telegram brings updates to the page's https address, instead of being asked for them",
            "true",
        ),
    ] = False
    confirm: Annotated[
        bool,
        Doc(
            "whether what is sent to the bot waits for a tap on Publish where its channel has no schedule",
            "true or false",
            "false",
        ),
    ] = True
    digest: Annotated[
        TimeOfDay | None,
        Doc(
            "when the chat is told each day what was published and what waits",
            "a time of the day such as 09:00",
            "09:00",
        ),
    ] = None
    rate: Annotated[
        Rate,
        Doc(
            "messages a second into one chat, at first and at the most; 1000 for a test server of your own",
            "a number from 0.01 to 1000",
            "0.5",
            "1",
        ),
    ] = 1.0
