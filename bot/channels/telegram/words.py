"""What Telegram's refusals mean to a person. Pure, and free of the client library."""

from dataclasses import dataclass
from typing import Final

from threadcast.queue.outcomes import Code

LIMIT: Final = 4096  # code points, https://core.telegram.org/bots/api#sendmessage


@dataclass(frozen=True, slots=True)
class Fault:
    """What happened, and what a person can do about it."""

    what: str
    advice: str
    code: Code = Code.OTHER

    @property
    def reason(self) -> str:
        return f"{self.what}: {self.advice}" if self.advice else self.what


# Parts of Telegram's descriptions in lower case, and what they mean to a person. First match counts.
DESCRIPTIONS: Final = (
    (
        Code.GONE,
        r"chat not found|peer_id_invalid|channel_invalid",
        "Telegram finds no such chat",
        "correct {variable} (@name or numeric id) and add the bot to the chat",
    ),
    (
        Code.RIGHTS,
        r"not enough rights|no rights|administrator rights|write_forbidden|admin_required|chat_restricted",
        "the bot may not post in this chat",
        "make it an administrator with the right to post messages",
    ),
    (
        Code.PARENT,
        r"repl\w* .*not found|message_id_invalid|reply_message_id_invalid",
        "the post to reply to is gone",
        "it was deleted, or is in another chat; skip over it or undo the chain",
    ),
    (
        Code.TOO_LONG,
        r"message is too long|message_too_long",
        "the post is too long for Telegram",
        f"it takes {LIMIT} characters; split the part",
    ),
    (
        Code.CONTENT,
        r"text is empty|must be non-empty",
        "the post has no text that Telegram would show",
        "change or skip the part",
    ),
    (
        Code.RIGHTS,
        r"kicked|not a member|channel_private",
        "the bot is not in this chat, or was removed from it",
        "add it again, as an administrator with the right to post messages",
    ),
    (
        Code.RIGHTS,
        r"blocked by the user|initiate conversation",
        "the person has not started the bot, or has blocked it",
        "open the bot in Telegram and press Start",
    ),
    (Code.GONE, r"deactivated", "the chat or its account was deleted", "choose another chat in {variable}"),
)


def channel_variable(name: str, setting: str) -> str:
    """The environment variable of one setting of channel `name`."""
    return f"THREADCAST_CHANNELS__{name.upper()}__{setting}"
