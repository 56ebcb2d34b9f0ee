"""What is said of the people who steer the service: who they are, who came and went, what each did. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import button
from threadcast.bot.chat.views.message import Button, Message, bold, code, esc
from threadcast.bot.languages import N_, _
from threadcast.bot.people.people import People, Person
from threadcast.bot.wording import shortly
from threadcast.queue.model import AuditEvent, Delivery
from threadcast.queue.outcomes import Code
from threadcast.queue.states import DeliveryState, Event

PAIR = code("threadcast pair")


def nobody_steers() -> Message:
    """To whoever presses Start before anybody steers."""
    return Message(
        _(
            "Hello. Nobody steers me yet. If I am yours: type {command} where I run, and open the link that "
            "it prints. My log has such a link, too."
        ).format(command=PAIR)
    )


def not_good() -> Message:
    """A link that was used, is too old, or never was one."""
    return Message(
        _(
            "This link is not good any more: each works once, and for ten minutes. {command}, typed where I "
            "run, makes a new one."
        ).format(command=PAIR)
    )


def already(role: Role) -> Message:
    """Who opened a link knows more doors than it opens; it was not used up."""
    said = (
        _("You are an owner already. The link stays good for whom it was made.")
        if role is Role.OWNER
        else _("You are an editor already. The link stays good for whom it was made.")
    )
    return Message(said)


def welcome(name: str, role: Role) -> Message:
    """To who opened a good link."""
    said = (
        _("Welcome, {name}. You are an owner now: all that I do is yours to steer.")
        if role is Role.OWNER
        else _("Welcome, {name}. You are an editor now: what you add waits for an owner.")
    )
    return Message(said.format(name=bold(name)))


def joined(name: str, role: Role) -> Message:
    """The same, to all who steer."""
    said = (
        _("{name} opened a link that was made for an owner, and is one now. All who steer: /people")
        if role is Role.OWNER
        else _("{name} opened a link that was made for an editor, and is one now. All who steer: /people")
    )
    return Message(said.format(name=bold(name)))


Events = Mapping[int, Sequence[AuditEvent]]  # by thread
NO_EVENTS: Final[Events] = {}
ROLES = {Role.OWNER: N_("owner"), Role.EDITOR: N_("editor")}
FIXED = {Role.OWNER: "THREADCAST_TELEGRAM__ADMINS", Role.EDITOR: "THREADCAST_TELEGRAM__EDITORS"}


def everybody(people: People, now: datetime, zone: ZoneInfo) -> Message:
    """All who steer, with a button for each whom a link let in."""
    lines = [bold(_("Who steers"))]
    buttons: list[tuple[Button, ...]] = []
    for one in people.all:
        name = called(people, one)
        if one.since is None:
            said = _("{name}: {role}, by {variable}")
            lines.append(
                said.format(name=bold(name), role=_(ROLES[one.role]), variable=code(FIXED[one.role]))
            )
            continue
        said = _("{name}: {role} since {when}, by a link of {giver}")
        when = shortly(one.since, now, zone)
        giver = esc(named(people, one.by))
        lines.append(said.format(name=bold(name), role=_(ROLES[one.role]), when=when, giver=giver))
        label = _("Remove {name}").format(name=name)
        buttons.append((button(label, "revoke", (), str(one.number)),))
    lines += [
        "",
        _("One more: {command}, with {option} for an editor.").format(command=PAIR, option=code("--editor")),
    ]
    return Message("\n".join(lines), tuple(buttons))


def named(people: People, actor: str) -> str:
    """How an actor of the audit log is called."""
    kind, _colon, user = actor.partition(":")
    match kind:
        case "service":
            return _("this service")
        case "share":
            return _("somebody with a link of {name}").format(name=named(people, user))
        case "shell":
            return _("{name}, in a shell").format(name=user)
    is_worker = user.isdecimal() and kind != "telegram"  # by its machine and its process
    return _("the service") if is_worker else people.name(actor)


def called(people: People, one: Person) -> str:
    """Somebody's name, or their id where they never wrote."""
    actor = f"telegram:{one.number}"
    name = people.name(actor)
    return str(one.number) if name == actor else name


def ask_removal(people: People, one: Person) -> Message:
    """Before somebody's rights are taken away."""
    said = _("Shall {name} not steer me any more? What they added stays.").format(
        name=bold(called(people, one))
    )
    yes = button(_("Yes, remove"), "revoke-yes", (), str(one.number))
    return Message(said, ((yes, button(_("No"), "people")),))


def only_owner(name: str) -> str:
    """Why somebody stays."""
    return _("{name} is the only owner: let in another one first, with threadcast pair.").format(name=name)


def fixed(name: str, one: Person) -> str:
    """Why somebody stays whom the environment names."""
    return _("{name} stands in {variable}: take them out there, and start me again.").format(
        name=name, variable=FIXED[one.role]
    )


# Actors that are people, or do as people asked.
PERSONS: Final = frozenset({"telegram", "shell", "share", "api", "mcp"})

# Why a delivery waits or ends where a person wanted it: what they did, and how it is said to them and others.
WANTED: Final[Mapping[Code, tuple[str, str, str]]] = {
    Code.EDITOR: (
        "add",
        N_("you added it; an owner publishes it"),
        N_("{name} added it; an owner publishes it"),
    ),
    Code.WISH: ("add", N_("you asked to hold it"), N_("{name} asked to hold it")),
    Code.NONE: (Event.HOLD, N_("you held it"), N_("{name} held it")),
    Code.PERSON: (Event.STOP, N_("you stopped it"), N_("{name} stopped it")),
}
ENDING: Final = (
    Event.STOP,
    N_("you stopped it: it ends after the post in hand"),
    N_("{name} stopped it: it ends after the post in hand"),
)

DONE: Final[Mapping[str, str]] = {
    Event.RELEASE: N_("{name} let it go."),
    Event.SCHEDULE: N_("{name} gave it a time, or let it go before others."),
    Event.CANCEL: N_("{name} cancelled it."),
    Event.RETRY: N_("{name} let it go on."),
    Event.SKIP: N_("{name} left the refused post out."),
    Event.SETTLE: N_("{name} said whether the post in doubt is out."),
    Event.WITHDRAW: N_("{name} took it down."),
    Event.CONTINUE: N_("{name} continued it."),
    "edit": N_("{name} edited it."),
    "send-back": N_("{name} sent it back."),
}

# What else is in the audit log; `other` is the person whom the detail names.
SAID: Final[Mapping[str, str]] = {
    **DONE,
    "add": N_("{name} added it: {detail}"),
    Event.HOLD: N_("{name} held it."),
    Event.STOP: N_("{name} stopped it."),
    "move": N_("{name} moved it in the queue."),
    "remove": N_("{name} removed it: {detail}"),
    "take-down": N_("{name} took one of its posts down."),
    "pause": N_("{name} paused the channel."),
    "resume": N_("{name} let the channel go on."),
    "moved": N_("The channel has a new address: {detail}"),
    "store": N_("{name} made it a channel."),
    "forget": N_("{name} took it from the channels."),
    "share": N_("{name} made a link by which {detail} can be approved."),
    "admit": N_("{name} steers from now on, by a link of {other}."),
    "revoke": N_("{name} took the rights of {other} away."),
    "token": N_("{name} made a token for programs: {detail}"),
    "revoke-token": N_("{name} took a token of programs back: {detail}"),
    Event.CORRECT: N_("{name} corrected what is out: {detail}"),
    "edited": N_("What is out was edited: {detail}"),
    Event.CLAIM: N_("Its chain was taken up."),
    "plan": N_("Its posts were made ready: {detail}"),
    Event.FINISH: N_("It was published to the end."),
    Event.WAIT: N_("It has to wait: {detail}"),
    Event.REFUSE: N_("A post was refused: {detail}"),
    Event.DOUBT: N_("A post may be out or not: {detail}"),
    Event.SEEK: N_("A post in doubt is looked for: {detail}"),
    Event.RESEND: N_("A post that is not out is sent again."),
}


@dataclass(frozen=True, slots=True)
class Names:
    """How actors are called where something is shown; `me` is the one who looks, if it is one alone."""

    me: str = ""
    called: Callable[[str], str] = str


def why(one: Delivery, events: Sequence[AuditEvent], names: Names) -> str:
    """Why a delivery waits or ends, as HTML, where a person wanted it; empty where it is something else."""
    if one.code not in WANTED or (one.code is Code.NONE and one.reason):
        return ""
    ends = one.code is Code.PERSON and one.state is DeliveryState.PUBLISHING
    what, mine, theirs = ENDING if ends else WANTED[one.code]
    deeds = (event for event in reversed(events) if _is_a_deed(event) and event.what == what)
    actor = next((event.actor for event in deeds if event.delivery_id in {None, one.id}), "")
    if not actor:
        return ""
    return _(mine) if actor == names.me else _(theirs).format(name=bold(names.called(actor)))


def happened(event: AuditEvent, names: Names, detail: str) -> str:
    """One line of the audit log in a sentence, as HTML; `detail` is its detail as HTML."""
    if event.what not in SAID:
        return esc(event.what)
    name, other = (bold(names.called(actor)) for actor in (event.actor, event.detail))
    return _(SAID[event.what]).format(name=name, other=other, detail=detail).removesuffix(": ")


def last_deed(events: Sequence[AuditEvent], names: Names) -> str:
    """What another one did last to a thread, as HTML; empty where who looks did, or `why` says it."""
    found = next((one for one in reversed(events) if _is_a_deed(one)), None)
    if found is None or found.actor == names.me or found.what not in DONE:
        return ""
    return _(DONE[found.what]).format(name=bold(names.called(found.actor)))


def _is_a_deed(event: AuditEvent) -> bool:
    """Whether a person did something that is told of; an actor that is a worker is none."""
    by_a_person = event.actor.partition(":")[0] in PERSONS
    return by_a_person and event.what in {*DONE, "add", Event.HOLD, Event.STOP}
