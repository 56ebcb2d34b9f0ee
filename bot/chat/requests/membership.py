"""The bot is added to a chat, and publishes there if its owner says so; or it is removed from one."""

import asyncio
from collections.abc import Iterator
from functools import partial

import telegram
from telegram.constants import ChatType

from threadcast.bot.channels.stored import StoredChannel, forget, offer, offered, store, stored
from threadcast.bot.chat.access import Access, Role
from threadcast.bot.chat.commands import Answer, Context, Request, UsageError, button_only
from threadcast.bot.chat.views import newcomer
from threadcast.bot.chat.views.message import Say
from threadcast.bot.languages import _, ngettext
from threadcast.bot.plain import plain
from threadcast.config.logs import get_logger
from threadcast.queue.states import LIVE

log = get_logger("threadcast.chat")

STAYS = {"administrator", "member", "creator", "restricted"}


class Membership:
    """Names chats that the bot is added to, each another name, and offers them as channels."""

    def __init__(self, context: Context, access: Access) -> None:
        self._context = context
        self._access = access

    def changed(self, change: telegram.ChatMemberUpdated) -> Iterator[tuple[int, Say]]:
        """What is to be said, and in which chats. Raises StoreError."""
        chat, person = change.chat, change.from_user.id
        if self._access.role_of(person) is not Role.OWNER:
            log.warning("ignored: a stranger changed the bot's place", chat=chat.id, person=person)
            return
        title = plain(chat.title or str(chat.id))
        could, can = _may_post(chat, change.old_chat_member), _may_post(chat, change.new_chat_member)
        channel = self._channel_of(chat)
        if channel is not None:
            if could != can:
                say = partial(newcomer.ready if can else newcomer.left, title, channel)
                yield from ((one, say) for one in self._access.report_to)
        elif change.new_chat_member.status in STAYS and chat.id != self._access.group:
            group = None if chat.type == ChatType.CHANNEL or self._access.group else chat.id
            one = StoredChannel(chat.id, self._name(chat), title, chat.username or "")
            offer(self._context.notes, one, now=self._context.clock())
            yield person, partial(newcomer.joined, one, may_post=can, group=group)

    def _name(self, chat: telegram.Chat) -> str:
        """A name for a chat: the one that it was offered under, or one that no other place has or had."""
        known = offered(self._context.notes)
        taken = {one.name for one in known.values() if one.chat != chat.id}
        taken |= {one.name for one in self._context.channels}
        rows = self._context.requests_of("chat").queries.channels()
        taken |= {row.name for row in rows if row.target.lower() not in _targets(chat)}
        before = known.get(chat.id)
        if before is not None and before.name not in taken:
            return before.name
        return newcomer.name_for(chat.title or str(chat.id), chat.username, taken)

    def _channel_of(self, chat: telegram.Chat) -> str | None:
        """The channel that leads to a chat."""
        targets = _targets(chat)
        return next((one.name for one in self._context.channels if one.target.lower() in targets), None)


def _targets(chat: telegram.Chat) -> set[str]:
    """How a channel may name a chat."""
    return {str(chat.id), f"@{chat.username}".lower() if chat.username else ""}


def _may_post(chat: telegram.Chat, member: telegram.ChatMember) -> bool:
    if isinstance(member, telegram.ChatMemberAdministrator):
        return chat.type != ChatType.CHANNEL or bool(member.can_post_messages)
    return member.status in STAYS and chat.type != ChatType.CHANNEL


@button_only("here", who=Role.OWNER)
async def here(context: Context, request: Request) -> Answer:
    """Publish in a chat from now on."""
    (number,) = request.words or ("0",)
    chat = int(number) if number.removeprefix("-").isdecimal() else 0
    by, now = request.sender.actor, context.clock()
    one = await asyncio.to_thread(store, context.notes, chat, by=by, now=now)
    if one is None:
        raise UsageError(_("I do not know that chat any more: add me to it once more"))
    await _take_up(context)
    channel = next((each for each in context.channels if each.name == one.name), None)
    if channel is None:
        raise UsageError(_("the environment has a channel of that name, or that chat: /channels"))
    found = await channel.check()
    faults = [(each.what, each.advice) for each in found if each.level == "error"]
    return Answer(newcomer.begun(one, faults), toast=_("{name} is a channel now.").format(name=one.name))


@button_only("forget", who=Role.OWNER)
def ask(context: Context, request: Request) -> Answer:
    """Whether a stored channel shall be one no more."""
    return Answer(newcomer.ask_forgetting(_free(context, request)))


@button_only("forget-yes", who=Role.OWNER)
async def forget_yes(context: Context, request: Request) -> Answer:
    """Publish there no more."""
    one = await asyncio.to_thread(_free, context, request)
    await asyncio.to_thread(forget, context.notes, one, by=request.sender.actor, now=context.clock())
    await _take_up(context)
    return Answer(newcomer.forgotten(one), toast=_("{name} is no channel any more.").format(name=one.name))


def _free(context: Context, request: Request) -> StoredChannel:
    """The stored channel that is meant, for which nothing waits. Raises UsageError, StoreError."""
    name = " ".join(request.words)
    one = stored(context.notes).get(name)
    if one is None:
        raise UsageError(_("that channel was not stored from the chat, or is none any more: /channels"))
    waiting = context.requests(request.sender).queries.deliveries(LIVE)
    number = sum(each.channel == name for each in waiting)
    if number:
        said = ngettext(
            "{n} thread waits for {name}: publish or cancel it first; see /queue {name}",
            "{n} threads wait for {name}: publish or cancel them first; see /queue {name}",
            number,
        )
        raise UsageError(said.format(n=number, name=name))
    return one


async def _take_up(context: Context) -> None:
    if context.take_up is not None:
        await context.take_up()
