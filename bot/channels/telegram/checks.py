"""Whether a bot may post in a chat, and what `threadcast check` says of both."""

import telegram
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import TelegramError

from threadcast.bot.channels.port import Finding
from threadcast.bot.channels.telegram.client import Client
from threadcast.bot.channels.telegram.errors import (
    CALL_ERRORS,
    NO_BOT_API,
    UNREADABLE,
    Fault,
    Refusal,
    explain,
)
from threadcast.bot.channels.telegram.lookup import Probe
from threadcast.config.logs import redact
from threadcast.queue.outcomes import Code, Obstacle, Refused, Throttled
from threadcast.queue.sentences import Sentence


async def why_not(client: Client) -> Obstacle | None:
    """Return why the bot cannot post in the chat now; None where it may."""
    try:
        found = judge_rights(*await _membership(client))
    except CALL_ERRORS as error:
        return client.in_vain(error)
    return (
        None
        if found.level == "ok"
        else Refused(Sentence("{what}: {advice}", what=found.what, advice=found.advice), Code.RIGHTS)
    )


async def check(client: Client, probe: Probe) -> tuple[Finding, ...]:
    """Return what is found of the token, the chat, the bot's rights there and the way to look for posts."""
    try:
        chat, member = await _membership(client)
        sight = await probe.examine(chat)
    except TelegramError as error:
        fault = _fault(client, error)
    except UNREADABLE:
        fault = Fault(NO_BOT_API, Sentence("check THREADCAST_TELEGRAM__API_URL"))
    else:
        known = Finding(
            "ok", Sentence("the token is that of @{username}", username=redact(str(client.bot.username)))
        )
        return (known, *_moved(client), judge_rights(chat, member), sight)
    return (Finding("error", fault.what, fault.advice),)


async def _membership(client: Client) -> tuple[telegram.ChatFullInfo, telegram.ChatMember]:
    """Return the chat, and what the bot is there. Raise what a call raises."""
    chat = await client.ask(client.bot.get_chat)
    return chat, await client.bot.get_chat_member(chat.id, client.bot.id)


def _moved(client: Client) -> tuple[Finding, ...]:
    if client.moved_to is None:
        return ()
    what = Sentence("the group became a supergroup; posts go to {chat}", chat=client.chat)
    return (Finding("warning", what, client.correction),)


def _fault(client: Client, error: TelegramError) -> Fault:
    if isinstance(error, Refusal):
        return explain(error, name=client.name)
    outcome = client.in_vain(error)
    if isinstance(outcome, Throttled):
        return Fault(
            outcome.reason, Sentence("check again after {until} UTC", until=f"{outcome.until:%H:%M:%S}")
        )
    return Fault(outcome.reason, Sentence("check the network and THREADCAST_TELEGRAM__API_URL"))


def judge_rights(chat: telegram.ChatFullInfo, member: telegram.ChatMember) -> Finding:
    """Return whether a bot with this membership can post in this chat."""
    title = redact(chat.title or chat.full_name or str(chat.id))
    match member:
        case telegram.ChatMemberOwner():
            can_post = True
        case telegram.ChatMemberAdministrator():
            can_post = chat.type != ChatType.CHANNEL or bool(member.can_post_messages)
        case telegram.ChatMemberRestricted():
            can_post = member.is_member and member.can_send_messages
        case _:
            permitted = chat.permissions is None or chat.permissions.can_send_messages is not False
            is_member = member.status == ChatMemberStatus.MEMBER
            can_post = chat.type == ChatType.PRIVATE or (
                is_member and permitted and chat.type != ChatType.CHANNEL
            )
    if can_post:
        return Finding("ok", Sentence("the bot may post in “{title}”", title=title))
    return Finding(
        "error",
        Sentence(
            "the bot may not post in “{title}” (it is there as: {status})",
            title=title,
            status=redact(member.status),
        ),
        Sentence("make it an administrator with the right to post messages"),
    )
