"""Who steers: listed, and removed again."""

from threadcast.bot.chat.access import Role
from threadcast.bot.chat.commands import Answer, Context, Request, UsageError, button_only, command
from threadcast.bot.chat.views import people as views
from threadcast.bot.chat.views.message import Message, esc
from threadcast.bot.languages import N_, _
from threadcast.bot.people.people import Person, revoke
from threadcast.config.logs import get_logger

log = get_logger("threadcast.chat")


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
            return Answer(views.everybody(context.people, context.viewer(request.sender.role)))
        case _:
            raise UsageError(_("write /people, or /people remove and the number of somebody"))


@button_only("revoke", who=Role.OWNER)
def ask(context: Context, request: Request) -> Answer:
    """Whether somebody shall be removed."""
    return Answer(views.ask_removal(context.people, _removable(context, *request.words[:1])))


@button_only("revoke-yes", who=Role.OWNER)
def revoke_yes(context: Context, request: Request) -> Answer:
    """Take away what a link gave."""
    person = _removable(context, *request.words[:1])
    name = views.called(context.people, person)
    revoke(context.notes, person.number)
    context.people.read(context.notes)
    log.warning("somebody steers no more", person=person.number, by=request.sender.actor)
    said = _("{name} does not steer me any more.").format(name=name)
    if person.number == request.sender.person:
        return Answer(Message(esc(said)), toast=said)
    return Answer(views.everybody(context.people, context.viewer(request.sender.role)), toast=said)


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
