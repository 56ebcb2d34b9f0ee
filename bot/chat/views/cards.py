"""One thread as the chat shows it: how it stands on each channel, and the buttons that make sense now. Pure.

The same card answers /show, is what a report is, and takes the place of a message whose button was
pressed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import button, stamp
from threadcast.bot.chat.views.message import Button, Message, Rows, bold, esc, link, rows
from threadcast.bot.chat.views.people import Names, last_deed, why
from threadcast.bot.languages import _, translated
from threadcast.bot.noticed import noticed
from threadcast.bot.publishing.forecast import Forecast
from threadcast.bot.requests.queries import Chain, Dossier, adder
from threadcast.bot.settled import settled
from threadcast.bot.wording import CHAT, bar, exactly, lasting, parts, shortly, stands, waits
from threadcast.bot.wording import posts as so_many_posts
from threadcast.queue.model import AuditEvent, Delivery
from threadcast.queue.outcomes import Code
from threadcast.queue.sentences import Sentence
from threadcast.queue.states import BEGINNINGS, DeliveryState, Event, allowed
from threadcast.queue.text.media import MediaKind
from threadcast.queue.text.notices import undescribed
from threadcast.queue.text.thread import Severity, Thread

HELD, QUEUED, PUBLISHING = DeliveryState.HELD, DeliveryState.QUEUED, DeliveryState.PUBLISHING
UNSURE, PUBLISHED, FAILED = DeliveryState.UNSURE, DeliveryState.PUBLISHED, DeliveryState.FAILED
CANCELLED, WITHDRAWN = DeliveryState.CANCELLED, DeliveryState.WITHDRAWN

SIGNS: Mapping[DeliveryState, str] = {
    HELD: "✋",
    QUEUED: "🕓",
    PUBLISHING: "📤",
    UNSURE: "❓",
    PUBLISHED: "✅",
    FAILED: "🛑",
    CANCELLED: "✖️",
    WITHDRAWN: "🗑",
}
NOTICES = 10  # that a card has room for
REASON = 300  # code points of a reason
EXCERPT = 100  # code points of a post
HELD_BY_YOU = Sentence("you held it")
NOTHING_PLANNED: Mapping[str, int] = {}
ALONE = Names()


@dataclass(frozen=True, slots=True)
class Viewer:
    """How a person looks at things: their clock, what they may do, and how they call others.

    `has_page`: a link to the page can be made.
    """

    now: datetime
    zone: ZoneInfo
    role: Role
    names: Names = ALONE
    has_page: bool = False


def card(
    one: Dossier,
    foreseen: Mapping[int, Forecast],
    viewer: Viewer,
    *,
    posts: Mapping[str, int] = NOTHING_PLANNED,
    headline: str = "",
    below: str = "",
    more: bool = False,
) -> Message:
    """A thread whole. `posts` says how many it will be on a channel where they are not stored yet.

    `headline` is what has just happened, `below` stands at the end, both as HTML. `more`: with the buttons
    that are not asked for most.
    """
    lines = [*([headline, ""] if headline else []), title(one.stored.id, one.stored.thread)]
    lines += [*notices(one.stored.thread), ""]
    for chain in one.chains:
        lines += _channel(chain, foreseen.get(chain.delivery.id), posts, viewer, one.events)
    if deed := last_deed(one.events, viewer.names):
        lines.append(deed)
    deliveries = [chain.delivery for chain in one.chains]
    mine = bool(viewer.names.me) and adder(one.events) == viewer.names.me
    may = {"more": more, "mine": mine, "shared": viewer.has_page}
    buttons = batch_buttons((one.stored.id,), deliveries, viewer.role, foreseen, **may)
    if viewer.role is Role.OWNER and not more and changeable(deliveries):
        buttons = (*buttons, *describe(one.stored.id, one.stored.thread))
    return Message("\n".join([*lines, *(["", below] if below else [])]), buttons)


def changeable(deliveries: Sequence[Delivery]) -> bool:
    """Whether the text of a thread may be another one: it waits, and nothing of it has begun."""
    return any(one.state in BEGINNINGS for one in deliveries) and not any(
        one.posts or one.sent or one.state is PUBLISHING for one in deliveries
    )


def is_public(deliveries: Sequence[Delivery]) -> bool:
    """Whether a chain of a thread is out as a whole, and none is under way."""
    states = {one.state for one in deliveries}
    return PUBLISHED in states and states.isdisjoint({HELD, QUEUED, PUBLISHING, UNSURE, FAILED})


def describe(thread_id: int, thread: Thread) -> Rows:
    """A button that asks what can be seen in a file: the first of which nobody says that."""
    for part, place, media in undescribed(thread.parts)[:1]:
        is_photo = media.file is not None and media.file.kind is MediaKind.IMAGE
        label = _("Describe photo {n} of part {part}") if is_photo else _("Describe file {n} of part {part}")
        said = label.format(n=place, part=part)
        return ((button(said, "describe", (thread_id,), str(part), str(place)),),)
    return ()


def moved(thread_id: int, name: str, *, down: bool) -> Message:
    """What stands in place of a card that has moved on in its chat."""
    where = _("its card is below now") if down else _("its card is above now")
    return Message(
        f"#{thread_id} {bold(name)} · {where}",
        ((button(f"#{thread_id}", "show", (thread_id,)),),),
    )


def title(thread_id: int | None, thread: Thread) -> str:
    """`#7 The title (30 parts)`."""
    number = f"#{thread_id} " if thread_id is not None else ""
    return f"{number}{bold(thread.title)} ({parts(len(thread.parts))})"


def notices(thread: Thread) -> list[str]:
    """What is settled for it alone, and what the parser noticed, with line numbers; warnings first."""
    settings = [f"⚙️ {esc(said)}"] if (said := settled(thread.settings)) else []
    found = sorted(thread.notices, key=lambda one: (one.severity is not Severity.WARNING, one.line))
    lines = [
        f"{'⚠️' if one.severity is Severity.WARNING else 'ℹ️'} "
        + _("line {line}: {notice}").format(line=one.line, notice=esc(translated(noticed(one))))
        for one in found[:NOTICES]
    ]
    rest = len(found) - NOTICES
    return [*settings, *lines, *([_("… and {n} more").format(n=rest)] if rest > 0 else [])]


def _channel(
    chain: Chain,
    foreseen: Forecast | None,
    planned: Mapping[str, int],
    viewer: Viewer,
    events: Sequence[AuditEvent],
) -> list[str]:
    """How a thread stands on one channel."""
    one = chain.delivery
    because = why(one, events, viewer.names) or reason(one.reason)
    number = one.posts or planned.get(one.channel, 0)
    length = f"{so_many_posts(number)}, " if number else ""
    name = f"{SIGNS[one.state]} {bold(one.channel)}"
    head = f"{name} {_(stands(one))}"
    more: list[str] = []
    match one.state:
        case DeliveryState.PUBLISHED:
            head, more = f"{head} {one.sent}/{one.posts}", _links(chain)
        case DeliveryState.PUBLISHING:
            head = f"{head}{_progress(one)}"
            if foreseen and foreseen.end and one.code is not Code.PERSON:
                end = shortly(foreseen.end, viewer.now, viewer.zone)
                head += ", " + _("until {time}").format(time=end)
            waits = one.due > viewer.now or one.code is Code.PERSON
            more = [because] if one.reason and waits else []
        case DeliveryState.QUEUED:
            head = f"{name}: {length}{esc(starts(one, foreseen, viewer))}"
            more = _so_far(one)
        case DeliveryState.HELD:
            lasts = lasting(foreseen.takes) if foreseen and foreseen.takes else ""
            takes = _("takes {time}").format(time=lasts) + "; " if lasts else ""
            head = f"{name}: {length}{takes}{held(one, events, viewer)}"
        case DeliveryState.FAILED | DeliveryState.UNSURE:
            head, more = f"{name} {_place(one)}", [*_text(chain), because, *_links(chain)]
        case _:  # cancelled, or withdrawn
            left = sum(1 for post in chain.posts if post.remote_id and post.taken_down is None)
            out = _("{posts} still out").format(posts=so_many_posts(left))
            head = f"{head}: {out}" if left else head
    return [head, *more]


def held(one: Delivery, events: Sequence[AuditEvent], viewer: Viewer) -> str:
    """Why a delivery waits for a person."""
    if one.code is Code.UNCONFIRMED:
        return _("not public before Publish is pressed")
    because = why(one, events, viewer.names) or reason(one.reason or HELD_BY_YOU)
    return _("held: {reason}").format(reason=because)


def reason(text: str) -> str:
    """Why it stands so, as it was stored, in a few words."""
    text = translated(text)
    return esc(text if len(text) <= REASON else f"{text[: REASON - 1]}…")


def _progress(one: Delivery) -> str:
    """How far it is, as soon as it is known how many posts there are."""
    return f" {bar(one.sent, one.posts)} {one.sent}/{one.posts}" if one.posts else ""


def _so_far(one: Delivery) -> list[str]:
    return [_progress(one).strip()] if one.sent else []


def _text(chain: Chain) -> list[str]:
    """The beginning of the post at which a chain stopped: who has to look for it knows what to look for."""
    found = next((one.post.text for one in chain.posts if one.position == chain.delivery.sent + 1), "")
    line = " ".join(found.split())
    return [f"“{esc(line if len(line) <= EXCERPT else f'{line[: EXCERPT - 1]}…')}”"] if line else []


def _place(one: Delivery) -> str:
    """How it stands, and at which post its chain stopped."""
    if one.state is UNSURE:
        said = _("unsure about post {n} of {posts}") if one.posts else _("unsure about its beginning")
    elif one.code is Code.PERSON:
        said = _("stopped before post {n} of {posts}") if one.posts else _("stopped before its beginning")
    else:
        said = _("failed at post {n} of {posts}") if one.posts else _("failed at its beginning")
    return said.format(n=one.sent + 1, posts=one.posts)


def _links(chain: Chain) -> list[str]:
    """The first post that is out, and the last."""
    out = addresses(chain)
    if not out:
        return []
    first = link(out[0], _("first post"))
    return [first if len(out) == 1 else f"{first} · {link(out[-1], _('last post'))}"]


def addresses(chain: Chain) -> list[str]:
    """Where the posts of a chain can be seen that are out."""
    return [post.url for post in chain.posts if post.url and post.taken_down is None]


def starts(one: Delivery, foreseen: Forecast | None, viewer: Viewer) -> str:
    """When a queued delivery starts, why then, and how long it takes. Nothing foreseen: it has begun."""
    if foreseen is None or foreseen.start is None or foreseen.end is None:
        why = waits(foreseen, CHAT) if foreseen is not None else ""
        return _("waits: {reason}").format(reason=why) if why else _("starts now")
    takes = lasting(foreseen.end - foreseen.start)
    if foreseen.start <= viewer.now:
        return _("starts now, takes {time}").format(time=takes)
    at = (
        exactly(foreseen.start, viewer.zone)
        if one.own_time
        else shortly(foreseen.start, viewer.now, viewer.zone)
    )
    why = translated(foreseen.why)
    return _("starts {moment} ({reason}), takes {time}").format(moment=at, reason=why, time=takes)


def batch_buttons(
    threads: tuple[int, ...],
    deliveries: Sequence[Delivery],
    role: Role,
    foreseen: Mapping[int, Forecast],
    *,
    more: bool = False,
    mine: bool = False,
    shared: bool = False,
) -> Rows:
    """What can be asked for now, of one thread or of several at once, for those who may.

    An editor may take back what is `mine`, who looks. `shared`: by a link, somebody can approve what is held.
    """
    may = {event for one in deliveries for event in allowed(one.state)}
    mark = stamp(deliveries)
    states = {one.state for one in deliveries}

    def offer(label: str, verb: str, *words: str, when: bool = True) -> Button | None:
        return button(label, verb, threads, *words, stamp=mark) if when and role is Role.OWNER else None

    single, waits = len(threads) == 1, bool(states & {HELD, QUEUED})
    if more and waits:
        return rows(
            (
                offer(_("Before all others"), "first", when=single),
                offer(_("Hold"), "hold", when=Event.HOLD in may),
            ),
            (offer(_("Settings…"), "set", when=single),),
            (offer(_("Let somebody approve it"), "share", when=single and shared and HELD in states),),
            (offer(_("Cancel"), "cancel"), button(_("◀ Back"), "card", threads)),
        )
    found: list[Sequence[Button | None]] = []
    if waits:
        held_ones = [one for one in deliveries if one.state is HELD]
        # Where they would wait for a slot, letting them go is not yet publishing them.
        by_slot = all(one.id in foreseen and foreseen[one.id].by_slot for one in held_ones)
        off_slots = any(
            one.id in foreseen and foreseen[one.id].by_slot and (one.state is HELD or one.own_time)
            for one in deliveries
        )
        at_once = offer(_("Publish now"), "now") if by_slot else offer(_("Publish"), "release")
        tomorrow = offer(_("Tomorrow 9:00"), "at", "tomorrow", "9:00", when=bool(held_ones))
        later = offer(_("Next slot"), "release", when=bool(held_ones) and single) if by_slot else tomorrow
        every = [
            *(at_once, later, offer(_("Pick a time…"), "when")),
            button(_("Preview"), "preview", threads),
            offer(_("Edit"), "edit", when=single and not any(one.posts for one in deliveries)),
            offer(_("More…"), "more"),
        ]
        if mine and role is not Role.OWNER and not any(one.sent for one in deliveries):
            every.append(button(_("Cancel"), "cancel", threads, stamp=mark))
        shown = [one for one in every if one is not None]
        each = offer(_("One each day at 9:00"), "each", "9:00", when=not single)
        slots = offer(_("One a slot"), "each", "slots", when=not single and off_slots)
        found += [(each, slots), shown[:2], shown[2:4], shown[4:]]
    stopped = [one for one in deliveries if one.state is FAILED and one.code is Code.PERSON]
    refused = [one for one in deliveries if one.state is FAILED and one.code is not Code.PERSON]
    by_hand = bool(stopped) and not refused
    found.append(
        (
            offer(_("Go on") if by_hand else _("Retry"), "retry", when=FAILED in states),
            offer(_("Skip"), "skip", when=bool(refused)),
        )
    )
    going = [one for one in deliveries if one.state is PUBLISHING and one.code is not Code.PERSON]
    found.append((offer(_("Stop"), "stop", when=bool(going)),))
    if single and len(going) > 1:
        found.append(
            [offer(_("Stop {channel}").format(channel=one.channel), "stop", one.channel) for one in going]
        )
    if role is Role.OWNER and single:
        found += _doubts(threads, [one for one in deliveries if one.state is UNSURE], mark)
    # What is going out can only be stopped.
    ends = any(Event.CANCEL in allowed(one.state) for one in deliveries if one.state is not PUBLISHING)
    begun = single and any(one.sent for one in deliveries)
    public = begun and is_public(deliveries)
    found.append(
        (
            offer(_("Take down") if by_hand else _("Undo"), "undo", when=begun and Event.WITHDRAW in may),
            offer(_("Audit"), "audit", when=public),
            offer(_("Edit"), "edit", when=public),
            offer(_("Leave it"), "cancel-yes", when=by_hand and not waits),
            offer(_("Cancel"), "cancel", when=ends and not by_hand and not waits),
            offer(_("Take it back"), "hold", when=CANCELLED in states and not waits),
        )
    )
    return rows(*found)


def _doubts(threads: tuple[int, ...], unsure: Sequence[Delivery], mark: str) -> list[Sequence[Button]]:
    """For each channel where a post may be out: it is, or it is not."""
    found: list[Sequence[Button]] = []
    for one in unsure:
        where = f"{one.channel}: " if len(unsure) > 1 else ""
        found.append(
            (
                button(where + _("It is there"), "there", threads, one.channel, stamp=mark),
                button(where + _("It is not there"), "not-there", threads, one.channel, stamp=mark),
            )
        )
    return found
