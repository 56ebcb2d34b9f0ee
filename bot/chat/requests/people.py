"""Who steers: let in by a link, listed, and removed again; and the first words with everybody else."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import telegram

from threadcast.bot.chat.access import Access, Role
from threadcast.bot.chat.commands import About, Answer, Context, Request, UsageError, button_only, command
from threadcast.bot.chat.views import people as views
from threadcast.bot.chat.views.message import Message, Say, code, esc, link
from threadcast.bot.languages import N_, _, ngettext
from threadcast.bot.people import pairing
from threadcast.bot.people.people import Person, admit, note, revoke
from threadcast.bot.people.shares import LASTS
from threadcast.bot.plain import plain
from threadcast.bot.wording import SHELL, sentence
from threadcast.config.logs import get_logger
from threadcast.queue.errors import StoreError
from threadcast.queue.states import Event

log = get_logger("threadcast.chat")

OFF: Final = "THREADCAST_WEB__LISTEN"

# What strangers hear at the most, in an hour.
HOUR: Final = timedelta(hours=1)
BY_ALL: Final = 30
NOBODY_STEERS: Final = 1  # to one of them
OF_LINKS: Final = 3  # the same


class Greeting:
    """Lets in who opens a good link, and answers others a little."""

    def __init__(self, context: Context, access: Access) -> None:
        self._context = context
        self._access = access
        self._heard: list[tuple[datetime, int]] = []  # which strangers were answered, and when

    def started(self, user: telegram.User, words: tuple[str, ...]) -> Iterator[tuple[int, Say]]:
        """What is said to a /start in a private chat before it is answered, and in which chats.

        Raises StoreError.
        """
        role = self._access.role_of(user.id)
        if words:
            yield from self._opened(user, words[0], role)
        elif role is None and not self._context.people.owners and self._hears(user.id, NOBODY_STEERS):
            yield user.id, views.nobody_steers

    def _opened(self, user: telegram.User, code: str, role: Role | None) -> Iterator[tuple[int, Say]]:
        notes, now = self._context.notes, self._context.clock()
        offered = pairing.look(notes, code, now=now)
        if offered is not None and role is not None and role >= offered:
            yield user.id, partial(views.already, role)
            return
        taken = pairing.take(notes, code, now=now)
        if taken is None:
            if role is not None or self._hears(user.id, OF_LINKS):
                log.warning("a link was not good", person=user.id, name=plain(user.full_name)[:64])
                yield user.id, views.not_good
            return
        new, by = taken
        admit(notes, user.id, new, by=by, now=now)
        note(notes, user.id, user.full_name, user.language_code, now=now)
        self._context.people.read(notes)
        log.warning("somebody steers from now on", person=user.id, role=new.name.lower(), by=by)
        name = self._context.people.name(f"telegram:{user.id}")
        yield user.id, partial(views.welcome, name, new)
        others = (one for one in self._access.report_to if one != user.id)
        yield from ((one, partial(views.joined, name, new)) for one in others)

    async def meet(self, user: telegram.User | None) -> None:
        """Note how somebody who may steer is called, and what they speak, where that is new."""
        known = self._context.people
        if user is None or user.id not in known.roles:
            return
        said = (user.id, user.full_name, user.language_code)
        if known.is_known(*said):
            return
        notes = self._context.notes
        try:
            await asyncio.to_thread(note, notes, *said, now=self._context.clock())
            await asyncio.to_thread(known.read, notes)
        except StoreError as error:
            log.debug("a name was not noted", reason=sentence(error, SHELL))

    def _hears(self, person: int, most: int) -> bool:
        """Whether a stranger is answered this time: not often, and many of them not for ever."""
        now = self._context.clock()
        self._heard = [(at, who) for at, who in self._heard if now - at < HOUR]
        if len(self._heard) >= BY_ALL or [who for at, who in self._heard].count(person) >= most:
            return False
        self._heard.append((now, person))
        return True


@command(
    "people",
    who=Role.OWNER,
    takes=N_("[remove ID]"),
    help=N_("Who steers me, and since when"),
    more=N_("/people remove 2222  takes away what a link gave; it is asked first"),
)
def people(context: Context, request: Request) -> Answer:
    match request.words:
        case [word, number] if word.lower() == "remove":
            return Answer(views.ask_removal(context.people, _removable(context, number)))
        case []:
            return Answer(views.everybody(context.people, context.clock(), context.zone))
        case _:
            raise UsageError(_("write /people, or /people remove and the number of somebody"))


@command(
    "page",
    who=Role.EDITOR,
    help=N_("The queue in a browser: a link that signs you in"),
    more=N_("The link works once, within five minutes."),
)
def page(context: Context, request: Request) -> Answer:
    """A link that is for who asked, and so for no group."""
    sender = request.sender
    if not context.page:
        return Answer(Message(_("There is no page: {setting} is off.").format(setting=OFF)))
    if sender.chat != sender.person:
        return Answer(Message(_("The link signs in as you, so I send it in our private chat alone: /page")))
    now, role = context.clock(), sender.role
    address = pairing.sign_in_link(context.notes, context.page, role, actor=sender.actor, now=now)
    if context.page.startswith("https:"):
        said = _("Open it within five minutes; it works once, and this browser is signed in as you then:")
        return Answer(Message(f"{said}\n{link(address, context.page)}"))
    said = _(
        "It opens on the machine where I run, within five minutes and once. To open it elsewhere, put it "
        "behind https, and name its address in {setting}."
    ).format(setting=code("THREADCAST_WEB__URL"))
    return Answer(Message(f"{said}\n{code(address)}"))


@command(
    "share",
    who=Role.OWNER,
    about=About.THREAD,
    events=(Event.RELEASE,),
    takes="ID",
    help=N_("A link by which somebody approves a held thread"),
    more=N_("Whoever has it sees that thread alone, and approves it or sends it back with a note."),
)
def share(context: Context, request: Request) -> Answer:
    """A message of its own, to be sent on."""
    if not context.page:
        return Answer(Message(_("There is no page: {setting} is off.").format(setting=OFF)))
    secret = context.requests(request.sender).share(request.thread)
    address = f"{context.page}/share/{secret}"
    said = ngettext(
        "Who has this link can approve #{thread} or send it back, within {n} day:",
        "Who has this link can approve #{thread} or send it back, within {n} days:",
        LASTS.days,
    ).format(thread=request.thread, n=LASTS.days)
    if context.page.startswith("https:"):
        return Answer(Message(f"{said}\n{esc(address)}"), afresh=True)
    here = _(
        "It opens on the machine where I run. For others, put the page behind https, and name its address in "
        "{setting}."
    ).format(setting=code("THREADCAST_WEB__URL"))
    return Answer(Message(f"{said}\n{code(address)}\n{here}"), afresh=True)


@button_only("revoke", who=Role.OWNER)
def ask(context: Context, request: Request) -> Answer:
    """Whether somebody shall be removed."""
    return Answer(views.ask_removal(context.people, _removable(context, *request.words[:1])))


@button_only("revoke-yes", who=Role.OWNER)
async def revoke_yes(context: Context, request: Request) -> Answer:
    """Take away what a link gave, and the menu that goes with it."""
    person = _removable(context, *request.words[:1])
    name = views.called(context.people, person)
    now = context.clock()
    await asyncio.to_thread(revoke, context.notes, person.number, by=request.sender.actor, now=now)
    await asyncio.to_thread(context.people.read, context.notes)
    if context.renew_menu is not None:
        context.renew_menu(person.number)
    log.warning("somebody steers no more", person=person.number, by=request.sender.actor)
    said = _("{name} does not steer me any more.").format(name=name)
    if person.number == request.sender.person:
        return Answer(Message(esc(said)), toast=said)
    return Answer(views.everybody(context.people, context.clock(), context.zone), toast=said)


def _removable(context: Context, number: str = "") -> Person:
    """Whom a link let in, and somebody else stays. Raises UsageError."""
    found = next((one for one in context.people.all if str(one.number) == number), None)
    if found is None:
        raise UsageError(_("nobody of that number steers me; those who do: /people"))
    name = views.called(context.people, found)
    if found.since is None:
        raise UsageError(views.fixed(name, found))
    if found.role is Role.OWNER and context.people.owners == (found.number,):
        raise UsageError(views.only_owner(name))
    return found
