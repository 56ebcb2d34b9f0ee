"""What a bot says of itself, in each language, and the button beside the field of a message.

https://core.telegram.org/bots/api#setmydescription, https://core.telegram.org/bots/api#setchatmenubutton
"""

from tests.servers.telegram.chats import ApiError, Json, User
from tests.servers.telegram.commands import language_of
from tests.servers.telegram.parameters import Parameters
from tests.servers.telegram.state import BotApi

LONGEST = {"description": 512, "short_description": 120}  # characters


def set_my_description(api: BotApi, bot: User, given: Parameters) -> bool:
    return _set(api, bot, given, "description")


def set_my_short_description(api: BotApi, bot: User, given: Parameters) -> bool:
    return _set(api, bot, given, "short_description")


def get_my_description(api: BotApi, bot: User, given: Parameters) -> Json:
    return {"description": api.profiles[bot.id].get(("description", language_of(given)), "")}


def set_chat_menu_button(api: BotApi, bot: User, given: Parameters) -> bool:
    button = given.value("menu_button")
    if not isinstance(button, dict) or button.get("type") not in ("commands", "default", "web_app"):
        raise ApiError(400, "Bad Request: can't parse menu button")
    address = button["web_app"]["url"] if button["type"] == "web_app" else ""
    if address and not address.startswith("https:"):
        raise ApiError(400, "Bad Request: menu button Web App URL is invalid: Only HTTPS links are allowed")
    api.profiles[bot.id]["menu_button", given.text("chat_id")] = address or button["type"]
    return True


def _set(api: BotApi, bot: User, given: Parameters, what: str) -> bool:
    text = given.text(what)
    if len(text) > LONGEST[what]:
        raise ApiError(400, f"Bad Request: {what.replace('_', ' ')} is too long")
    api.profiles[bot.id][what, language_of(given)] = text
    return True
