"""The keyboards of the Bot API, checked as Telegram checks them.

https://core.telegram.org/bots/api#inlinekeyboardmarkup. Stricter in two things: a button that does two
things at once, or has no label, is refused, where Telegram takes the first and drops the button.
"""

import json
from dataclasses import dataclass
from typing import Any

from tests.servers.telegram.chats import ApiError, Json, clean
from tests.servers.telegram.links import checked_link, has_real_host
from tests.servers.telegram.parameters import Parameters

MOST_BUTTONS = 100
LONGEST_DATA = 64  # bytes
LONGEST_MARKUP = 10 * 1024  # bytes, as JSON
ACTIONS = (
    *("url", "callback_data", "web_app", "login_url", "copy_text", "callback_game", "pay"),
    *("switch_inline_query", "switch_inline_query_current_chat", "switch_inline_query_chosen_chat"),
)
OTHERS = ("keyboard", "remove_keyboard", "force_reply")
PLACEHOLDER_LIMIT = 64


@dataclass(frozen=True)
class Markup:
    """What a call wants under or for its message: buttons, or one of the other kinds."""

    inline: Json | None = None
    other: Json | None = None


def read_markup(given: Parameters, *, only_inline: bool = False) -> Markup:
    """The call's `reply_markup`. Raises ApiError where Telegram would refuse it."""
    raw = given.given.get("reply_markup")
    if raw is None or raw == "":
        return Markup()
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except ValueError:
            raise ApiError(400, "Bad Request: can't parse reply keyboard markup JSON object") from None
    if raw is None:
        return Markup()
    if not isinstance(raw, dict):
        raise ApiError(400, "Bad Request: object expected as reply markup")
    if "inline_keyboard" in raw:
        return Markup(inline=_inline(raw["inline_keyboard"]))
    kinds = [kind for kind in OTHERS if kind in raw]
    if not kinds:
        return Markup()
    _check_other(raw, kinds[0])
    if only_inline:
        raise ApiError(400, "Bad Request: inline keyboard expected")
    return Markup(other=raw)


def _inline(rows: Any) -> Json | None:
    kept = [[_button(button) for button in row] for row in _rows(rows, "inline_keyboard") if row]
    markup: Json = {"inline_keyboard": kept}
    if sum(map(len, kept)) > MOST_BUTTONS or len(json.dumps(markup).encode()) > LONGEST_MARKUP:
        raise ApiError(400, "Bad Request: reply markup is too long")
    return markup if kept else None


def _rows(rows: Any, name: str) -> list[list[Any]]:
    if not isinstance(rows, list):
        raise ApiError(400, f'Bad Request: field "{name}" must be of type Array')
    if not all(isinstance(row, list) for row in rows):
        raise ApiError(400, f'Bad Request: field "{name}" must be an Array of Arrays')
    return rows


def _button(button: Any) -> Json:
    if not isinstance(button, dict):
        raise _unread("InlineKeyboardButton must be an Object")
    if "text" not in button:
        raise _unread('Can\'t find field "text"')
    if not isinstance(button["text"], str):
        raise _unread('Field "text" must be of type String')
    if not clean(button["text"]):
        raise ApiError(400, "Bad Request: inline keyboard button text must be non-empty")
    shown: Json = {**button, "text": clean(button["text"])}
    action = _action(shown)
    value = shown[action]
    match action:
        case "callback_data" | "url" if not isinstance(value, str):
            raise _unread(f'Field "{action}" must be of type String')
        case "callback_data" if len(value.encode()) > LONGEST_DATA:
            raise ApiError(400, "Bad Request: BUTTON_DATA_INVALID")
        case "url":
            return {**shown, "url": _checked_url(value)}
        case "pay" | "callback_game":
            raise ApiError(400, "Bad Request: BUTTON_TYPE_INVALID")
    return shown


def _action(button: Json) -> str:
    """The one thing that the button does."""
    actions = [action for action in ACTIONS if button.get(action) not in (None, "")]
    # An empty query is one: the person writes it.
    actions += [action for action in ACTIONS if action.startswith("switch") and button.get(action) == ""]
    if not actions:
        raise _unread("Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise _unread(f"Exactly one of the fields must be used, not {' and '.join(actions)}")
    return actions[0]


def _checked_url(url: str) -> str:
    try:
        checked = checked_link(url)
    except ValueError as error:
        raise ApiError(400, f"Bad Request: inline keyboard button URL '{url}' is invalid: {error}") from None
    if not has_real_host(checked):
        raise ApiError(400, "Bad Request: BUTTON_URL_INVALID")
    return checked


def _unread(reason: str) -> ApiError:
    return ApiError(400, f"Bad Request: can't parse inline keyboard button: {reason}")


def _check_other(raw: Json, kind: str) -> None:
    for name in ("force_reply", "remove_keyboard", "selective", "one_time_keyboard", "resize_keyboard"):
        if not isinstance(raw.get(name, False), bool):
            raise ApiError(400, f'Bad Request: field "{name}" must be of type Boolean')
    if kind == "keyboard":
        _rows(raw["keyboard"], "keyboard")
    placeholder = raw.get("input_field_placeholder", "")
    if not isinstance(placeholder, str):
        raise ApiError(400, 'Bad Request: field "input_field_placeholder" must be of type String')
    if len(placeholder) > PLACEHOLDER_LIMIT:
        raise ApiError(400, "Bad Request: reply markup is too long")
