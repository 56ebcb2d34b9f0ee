"""How fast a Mastodon account posts, case by case."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from threadcast.bot.channels.budget import Room
from threadcast.bot.channels.mastodon.pace import MastodonPace
from threadcast.bot.channels.pace import Pace
from threadcast.bot.channels.port import Quota
from threadcast.bot.channels.telegram.pace import BotPace, TelegramPace
from threadcast.queue.outcomes import Outcome, Refused, Sent, Throttled, Unknown, Unreached

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # where a window of statuses begins
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

OUT = Sent("1", None)
WAIT = Throttled(NOON, "asks to wait")
LOST = Unknown("no answer")


def chat(rate: float = 1, *, group: bool = False, remembered: float | None = None) -> TelegramPace:
    return TelegramPace(rate, group=group, shared=BotPace(1000), remembered=remembered)


def sends(pace: Pace, count: int, now: datetime = NOON, outcomes: Iterable[Outcome] = ()) -> list[datetime]:
    """When that many posts go, each as soon as it may; `outcomes` of the first ones, then all are sent."""
    given = iter(outcomes)
    went = []
    for _ in range(count):
        while (at := pace.ready_at(now)) > now:
            now = at
        pace.begun(now)
        pace.ended(next(given, OUT), now)
        went.append(now)
    return went


def seconds(moments: list[datetime]) -> list[float]:
    return [round((moment - NOON) / SECOND, 2) for moment in moments]


LATER = NOON + 10 * MINUTE
STATUSES_END = NOON + 3 * HOUR
REQUESTS_END = NOON + 15 * MINUTE
ROOMY = Quota(3000, 2990, REQUESTS_END)  # tells of requests, and that there are plenty


class Server:
    """What a server's last answer left, and what the queue knows to be out."""

    def __init__(
        self, quota: Quota | None = ROOMY, out: int = 0, *, limits_posts: bool | None = True
    ) -> None:
        self.quota = quota
        self.limits_posts = limits_posts
        self.out = out
        self.asked: list[datetime] = []
        self.pace = MastodonPace(self, self.sent_since)

    def sent_since(self, moment: datetime) -> int:
        self.asked.append(moment)
        return self.out


class TestMastodon:
    def test_no_waiting(self) -> None:
        """As long as something is left, nothing waits."""
        server = Server(Quota(300, 299, REQUESTS_END))
        assert sends(server.pace, 299, LATER) == [LATER] * 299
        assert server.pace.rate is None

    def test_nothing_left(self) -> None:
        """While the last answer said that nothing is left, the next post waits for its reset."""
        server = Server(Quota(300, 0, REQUESTS_END))
        assert server.pace.ready_at(LATER) == REQUESTS_END
        assert server.pace.ready_at(REQUESTS_END) == REQUESTS_END
        server.quota = Quota(300, 0, STATUSES_END)
        assert server.pace.ready_at(LATER) == STATUSES_END
        assert server.pace.ready_at(STATUSES_END) == STATUSES_END

    def test_what_no_answer_told(self) -> None:
        """Posts whose answers are lost count as if the server had them."""
        server = Server(Quota(300, 2, REQUESTS_END))
        assert sends(server.pace, 3, LATER, [LOST, LOST, LOST]) == [LATER, LATER, REQUESTS_END]

    def test_posts_that_never_left(self) -> None:
        """Posts that certainly did not arrive do not count."""
        server = Server(Quota(300, 2, REQUESTS_END))
        assert sends(server.pace, 5, LATER, [Unreached("down")] * 5) == [LATER] * 5
        server = Server(out=299)
        assert sends(server.pace, 5, LATER, [Refused("no")] * 5) == [LATER] * 5

    def test_our_own_count(self) -> None:
        """Where headers tell of requests only, 300 posts go in three hours, those of before a restart too."""
        server = Server(out=298)
        assert sends(server.pace, 3, LATER) == [LATER, LATER, STATUSES_END]
        assert server.asked == [NOON]

    def test_our_own_requests(self) -> None:
        """As long as nothing is answered, 300 calls go in five minutes."""
        server = Server(None)
        server.pace.ready_at(NOON)
        sends(server.pace, 290, NOON, [LOST] * 290)
        server.quota = Quota(1000, 700, STATUSES_END)  # a server with a budget of its own
        assert sends(server.pace, 11, NOON)[-2:] == [NOON, NOON + 5 * MINUTE]

    def test_a_server_without_limits(self) -> None:
        """A server that is not known to limit posts does not, whatever went out before."""
        server = Server(None, out=900, limits_posts=False)
        assert server.pace.room(310, LATER) == Room(LATER, LATER + 310 * SECOND)
        assert sends(server.pace, 400, LATER) == [LATER] * 400

    def test_a_server_that_was_not_asked(self) -> None:
        """Our own count holds no post back before the server is known; a forecast takes it for Mastodon."""
        server = Server(None, out=900, limits_posts=None)
        assert server.pace.ready_at(LATER) == LATER
        assert server.pace.prospect(LATER).room(1, LATER).at == STATUSES_END

    def test_a_mastodon_without_limits(self) -> None:
        """A Mastodon whose answers tell of no limit has none."""
        server = Server(None, out=900)
        assert server.pace.ready_at(LATER) == STATUSES_END
        sends(server.pace, 1, STATUSES_END)
        assert server.pace.prospect(STATUSES_END).windows == ()

    def test_a_limit_on_requests_alone(self) -> None:
        """A server that limits requests and not posts holds a chain for minutes, and never for hours."""
        server = Server(Quota(300, 20, REQUESTS_END), out=900, limits_posts=False)
        assert server.pace.room(30, LATER).at == REQUESTS_END
        end = STATUSES_END - MINUTE  # of a window of requests, near that of statuses
        server.quota = Quota(300, 0, end)
        assert server.pace.ready_at(end - 4 * MINUTE) == end
        assert server.pace.ready_at(end) == end

    def test_others_post_too(self) -> None:
        """What somebody else posted on the account shows in what is left of its window."""
        server = Server(Quota(300, 100, STATUSES_END), out=3)
        assert server.pace.room(100, LATER).at == LATER
        assert server.pace.room(101, LATER).at == STATUSES_END
        sends(server.pace, 1, LATER)
        server.quota = Quota(300, 40, REQUESTS_END)  # another limit is nearer to its end now
        assert server.pace.room(40, LATER).at == LATER
        assert server.pace.room(41, LATER).at == REQUESTS_END
        server.quota = Quota(300, 299, REQUESTS_END)
        assert server.pace.room(99, LATER).at == LATER
        assert server.pace.room(100, LATER).at == STATUSES_END

    def test_the_last_half_hour(self) -> None:
        """Towards the end of the window too, what is left of statuses stays known when others are told of."""
        soon = STATUSES_END - 20 * MINUTE
        server = Server(Quota(300, 12, STATUSES_END))
        sends(server.pace, 1, soon)
        server.quota = Quota(300, 299, soon + 5 * MINUTE)
        assert server.pace.room(11, soon).at == soon
        assert server.pace.room(12, soon).at == STATUSES_END
        server.quota = Quota(300, 299, STATUSES_END)  # another limit that ends at the same time
        assert server.pace.room(12, soon).at == STATUSES_END
        assert server.pace.room(300, STATUSES_END).at == STATUSES_END

    def test_another_machine_posts_too(self) -> None:
        """Before each chain the queue is asked what is out, whoever sent it."""
        server = Server()
        assert server.pace.room(300, LATER).at == LATER
        server.out = 1
        assert server.pace.room(300, LATER).at == STATUSES_END
        assert server.asked == [NOON, NOON]

    def test_waiting_for_room(self) -> None:
        """A chain that does not fit waits for the next window, and says what it waits for."""
        room = Server(out=288).pace.room(30, LATER)
        assert (room.at, room.ends, room.windows) == (STATUSES_END, STATUSES_END + 30 * SECOND, 1)
        assert room.reason == (
            "waits for room: the account may post 12 more until 15:00 UTC, and the chain has 30"
        )

    def test_more_than_a_window(self) -> None:
        """A chain of more than a window goes all the same, from the beginning of one, and tells its plan."""
        room = Server().pace.room(310, LATER)
        assert (room.at, room.windows) == (LATER, 2)
        assert room.reason == "its 310 posts go over 2 windows of 300 in 3 h, until about 15:00 UTC"
        assert Server(out=1).pace.room(310, LATER).at == STATUSES_END

    def test_a_server_with_limits_of_its_own(self) -> None:
        """A window of statuses is as large as the server says."""
        server = Server(Quota(1000, 900, STATUSES_END))
        assert server.pace.room(900, LATER).at == LATER
        assert server.pace.room(901, LATER).at == STATUSES_END
        server.quota = Quota(0, 0, STATUSES_END)  # nonsense
        assert server.pace.room(1, LATER).at == STATUSES_END

    def test_a_window_by_the_servers_clock(self) -> None:
        """The server's window ends when it says, though ours ended a little before."""
        late = STATUSES_END + 5 * SECOND
        server = Server(Quota(300, 0, late), out=300)
        assert server.pace.ready_at(LATER) == late
        assert server.pace.ready_at(STATUSES_END) == late
        assert server.pace.ready_at(late) == late

    def test_a_prospect(self) -> None:
        """A forecast sees the same windows, and asks the queue nothing more."""
        server = Server(out=288)
        server.pace.room(1, LATER)
        assert server.pace.prospect(LATER).room(13, LATER).at == STATUSES_END
        assert server.asked == [NOON]


def test_files_in_a_forecast() -> None:
    """What went out with posts of this half hour is taken from the files that the server takes in it."""
    asked: list[datetime] = []

    def files_since(moment: datetime) -> int:
        asked.append(moment)
        return 12

    pace = MastodonPace(Server(), lambda _: 0, files_since)
    room, rest = pace.prospect(LATER).uploaded(40, LATER)
    assert asked == [NOON]
    assert (room.at, rest.files and rest.files.left) == (NOON + 30 * MINUTE, 8)
    assert pace.prospect(LATER).uploaded(18, LATER)[0].at == LATER
    free = MastodonPace(Server(limits_posts=False), lambda _: 0, files_since)
    assert free.prospect(LATER).uploaded(400, LATER)[0].at == LATER
