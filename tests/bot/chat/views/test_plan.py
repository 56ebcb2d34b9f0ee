"""The digest tells the plan of today and tomorrow; the status that is pinned says how things stand."""

from dataclasses import replace
from datetime import datetime, timedelta

from tests.bot.chat.samples import BERLIN, NOW, delivery
from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import read_press
from threadcast.bot.chat.views import plan
from threadcast.bot.chat.views.cards import Viewer
from threadcast.bot.chat.views.message import Message, visible
from threadcast.bot.publishing.forecast import Forecast
from threadcast.queue.states import DeliveryState

LOOK = Viewer(NOW, BERLIN, Role.OWNER)  # at noon
HOUR = timedelta(hours=1)


def foreseen(thread: int, start: datetime | None, state: DeliveryState = DeliveryState.QUEUED) -> Forecast:
    one = replace(delivery(state=state), thread_id=thread, title=f"Thread {thread}.", channel="news")
    return Forecast(one, start, "slot", start and start + HOUR)


def lines(said: Message) -> list[str]:
    return [line for line in visible(said.text).split("\n") if line]


def test_the_plan_of_today_and_tomorrow() -> None:
    """The digest says what comes today, tomorrow and later, each by the clock of who reads it."""
    coming = [
        foreseen(1, NOW - HOUR),
        foreseen(2, NOW + 11 * HOUR),  # 23:00 in Berlin
        foreseen(3, NOW + 12 * HOUR),  # midnight
        foreseen(4, NOW + 60 * HOUR),
        foreseen(5, None),
    ]
    said = plan.digest([], [], coming, LOOK, since=NOW - 24 * HOUR)
    assert lines(said)[1:] == [
        "Published: nothing",
        "Today",
        "now: #1 news Thread 1.",
        "23:00: #2 news Thread 2.",
        "Tomorrow",
        "tomorrow 00:00: #3 news Thread 3.",
        "Later",
        "Thu 5 Mar 00:00: #4 news Thread 4.",
    ]
    assert said.quiet


def test_a_status_says_what_runs_and_what_is_next() -> None:
    """What runs, how far it is and until when; what is next; what waits for a person, with a button."""
    running = foreseen(1, NOW, DeliveryState.PUBLISHING)
    running = replace(running, delivery=replace(running.delivery, posts=10, sent=5))
    begun = foreseen(2, None, DeliveryState.PUBLISHING)
    begun = replace(begun, delivery=replace(begun.delivery, posts=0, sent=0))
    held = replace(
        delivery(state=DeliveryState.HELD), thread_id=4, title="Thread 4.", channel="news", reason=""
    )
    said = plan.status([running, begun, foreseen(3, NOW + HOUR)], [held], LOOK)
    assert lines(said) == [
        "How things stand",
        "Running",
        "📤 #1 news ▰▰▰▰▰▱▱▱▱▱ 5/10, 13:00 Thread 1.",
        "📤 #2 news Thread 2.",
        "Next",
        "13:00: #3 news Thread 3.",
        "Waiting for you",
        "✋ #4 news held: Thread 4.",
    ]
    assert said.quiet
    assert [read_press(one.data).threads for row in said.buttons for one in row] == [(4,)]


def test_a_status_of_nothing() -> None:
    """Where nothing runs it says so; where it may not be pinned, what to do."""
    assert lines(plan.status([], [], LOOK, pinned=False)) == [
        "How things stand",
        "Nothing runs, and nothing waits.",
        "I may not pin messages here. With the right to pin them: /pin once more.",
    ]


def test_long_lists_are_cut() -> None:
    """Of many the first are named, and where the others are."""
    running = [foreseen(one, NOW, DeliveryState.PUBLISHING) for one in range(1, 16)]
    queued = [foreseen(one, NOW + HOUR) for one in range(20, 40)]
    held = [replace(delivery(state=DeliveryState.HELD), thread_id=one) for one in range(50, 62)]
    said = plan.status([*running, *queued], held, LOOK)
    more = [line for line in lines(said) if line.startswith("…")]
    assert more == ["… and 5 more: /queue", "… and 10 more: /queue", "… and 2 more: /status"]
    assert sum(map(len, said.buttons)) == plan.NUMBERS
    published = [delivery(state=DeliveryState.PUBLISHED)] * 12
    told = plan.digest(published, [], [], LOOK, since=NOW)
    assert "… and 2 more: /history" in lines(told)
    assert lines(told)[-1] == "Nothing is to be published."
