"""Which messages go on to show a thread, and which are left alone while they are answered."""

from threadcast.bot.chat.views.live import MOST, LiveMessages

HERE, THERE, ELSEWHERE = (1, 10), (1, 11), (2, 10)


def test_each_is_stale_once() -> None:
    """A message is out of date until it is said to be changed, for the progress of its own thread."""
    live = LiveMessages()
    live.watch(HERE, 7, "1/3")
    live.watch(THERE, 8, "1/3")
    assert list(live.stale(7, "1/3")) == []
    assert list(live.stale(7, "2/3")) == [HERE]
    assert list(live.stale(7, "2/3")) == []
    live.forget(7)
    assert list(live.stale(7, "3/3")) == []
    assert list(live.stale(8, "3/3")) == [THERE]


def test_what_is_answered_is_left_alone() -> None:
    """While a press is answered its message is nobody else's; afterwards it is known what it shows."""
    live = LiveMessages()
    live.watch(HERE, 7, "held")
    live.begin(HERE)
    assert list(live.stale(7, "queued")) == []
    live.watch(HERE, 7, "queued")
    assert live.end(HERE) == (7, None)
    assert list(live.stale(7, "queued")) == []


def test_what_was_not_told_meanwhile() -> None:
    """A report whose message was being answered is told of afterwards, where the answer does not show it."""
    live = LiveMessages()
    assert not live.is_left_alone(THERE, 8)
    live.begin(THERE)
    assert live.is_left_alone(THERE, 8)
    assert live.end(THERE) == (None, 8)
    assert live.end(ELSEWHERE) == (None, None)


def test_an_answer_in_between_is_newer() -> None:
    """A message that was answered while the ones before it were changed keeps what the answer says."""
    live = LiveMessages()
    live.watch(HERE, 7, "held")
    live.watch(THERE, 7, "held")
    stale = live.stale(7, "queued")
    assert next(stale) == HERE
    live.watch(THERE, 7, "queued")
    assert list(stale) == []


def test_only_so_many() -> None:
    """The oldest are not kept up to date any more where there are many."""
    live = LiveMessages()
    for number in range(MOST + 2):
        live.watch((1, number), 7, "1/3")
    assert list(live.stale(7, "2/3")) == [(1, number) for number in range(2, MOST + 2)]
