"""A content warning on Telegram, which has no field for it: a first line, and the text a spoiler. Pure."""

import telegram
from telegram.constants import MessageEntityType

from threadcast.bot.channels.port import Outgoing
from threadcast.queue.compose.compose import head_of


def spoilers(outgoing: Outgoing) -> list[telegram.MessageEntity] | None:
    """Return what hides the text below the warning until a reader touches it; None where there is none.

    Telegram trims a text, and counts UTF-16 units: https://core.telegram.org/bots/api#messageentity
    """
    head, text = head_of(outgoing.settings), outgoing.text.rstrip()
    if not head or not text.startswith(head) or len(text) == len(head):
        return None
    return [telegram.MessageEntity(MessageEntityType.SPOILER, _units(head), _units(text[len(head) :]))]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
