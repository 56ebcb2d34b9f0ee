"""How things stand, and what a person could do next: the answer to `threadcast` alone."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from threadcast.bot import wake
from threadcast.bot.channels.stored import in_use
from threadcast.bot.data_folder import has_queue, prepare
from threadcast.bot.languages import N_, _
from threadcast.bot.requests.requests import waking
from threadcast.config.settings import Settings
from threadcast.queue.model import Delivery, Machine
from threadcast.queue.outcomes import Code
from threadcast.queue.states import GOES_ON, LIVE, DeliveryState

# What waits for its owner, and the command that goes on with it.
ANSWERS: Mapping[DeliveryState, str] = {
    DeliveryState.UNSURE: N_("settle {id} sent URL, or: threadcast settle {id} not-sent"),
    DeliveryState.FAILED: N_("retry {id}, or: skip {id}, undo {id}, cancel {id}"),
    DeliveryState.HELD: "release {id}",
}
STOPPED = N_("retry {id}, or: undo {id}, cancel {id}")  # there is no refused post to skip


@dataclass(frozen=True, slots=True)
class Overview:
    """How things stand. `yours` waits for its owner, the most pressing first.

    `channels` are (name, kind), `paused` the names of those that are, `gone` how many deliveries wait
    for channels that are not configured any more. `machines` are those that share a queue on
    a server. `next` are the steps that make sense now: a reason, and the command.
    """

    running: bool
    channels: tuple[tuple[str, str], ...]
    paused: frozenset[str]
    counts: Mapping[DeliveryState, int]
    yours: tuple[Delivery, ...]
    gone: Mapping[str, int]
    next: tuple[tuple[str, str], ...]
    machines: tuple[Machine, ...] = ()


def overview(settings: Settings) -> Overview:
    """Look, and make nothing: where there is no queue yet, it is empty. Raises StoreError."""
    deliveries: tuple[Delivery, ...] = ()
    paused: frozenset[str] = frozenset()
    machines: tuple[Machine, ...] = ()
    running = wake.wake_service(settings.data)
    if has_queue(settings):
        with closing(prepare(settings)) as database:
            settings = in_use(settings, database.notes)
            deliveries = database.reading.deliveries(states=LIVE)
            paused = frozenset(row.name for row in database.reading.channels() if row.paused)
            if not database.is_file:
                machines, running = database.machines.all(), waking(settings, database)(())
    return summarise(
        deliveries,
        channels=[(channel.name, channel.kind) for channel in settings.channels],
        paused=paused,
        running=running,
        machines=machines,
    )


def summarise(
    deliveries: Sequence[Delivery],
    *,
    channels: Sequence[tuple[str, str]],
    paused: frozenset[str],
    running: bool,
    machines: tuple[Machine, ...] = (),
) -> Overview:
    """What these deliveries ask for. Pure."""
    counts = Counter(delivery.state for delivery in deliveries)
    names = {name for name, _kind in channels}
    gone = Counter(each.channel for each in deliveries if each.channel not in names)
    steps: list[tuple[str, str]] = []
    if not running and any(each.state in GOES_ON and each.channel in names for each in deliveries):
        steps.append((N_("publish what is queued"), "threadcast run"))
    if gone:
        steps.append(
            (N_("find out how to go on with what waits for a channel that is gone"), "threadcast check")
        )
    if paused:
        steps.append((N_("let paused channels go on"), "threadcast resume"))
    if counts:
        steps.append((N_("see what waits, and until when"), "threadcast queue"))
    else:
        steps.append((N_("see how a thread would look"), "threadcast preview FILE"))
        steps.append((N_("queue the threads of a text file"), "threadcast add FILE"))
    if all(kind == "local" for _name, kind in channels):
        steps.append((N_("set up your channels"), "threadcast setup"))
        steps.append((N_("try it all on this machine alone"), "threadcast demo"))
    steps.append((N_("all commands"), "threadcast --help"))
    yours = for_owner(deliveries)
    return Overview(running, tuple(channels), paused, counts, yours, gone, tuple(steps), machines)


def for_owner(deliveries: Iterable[Delivery]) -> tuple[Delivery, ...]:
    """Return those that wait for their owner, the most pressing first."""
    order = list(ANSWERS)
    yours = (one for one in deliveries if one.state in ANSWERS)
    return tuple(sorted(yours, key=lambda one: (order.index(one.state), one.thread_id)))


def answer(delivery: Delivery) -> str:
    """The command that goes on with a delivery that waits for its owner."""
    said = STOPPED if delivery.code is Code.PERSON else ANSWERS[delivery.state]
    return "threadcast " + _(said).format(id=delivery.thread_id)
