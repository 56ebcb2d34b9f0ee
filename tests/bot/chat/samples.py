"""Strategies: whatever a queue may hold, and more than it ever does."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from threadcast.bot.chat.access import Role
from threadcast.bot.chat.views.cards import Viewer
from threadcast.bot.publishing.forecast import Forecast
from threadcast.bot.requests.overview import Overview, summarise
from threadcast.bot.requests.queries import Chain, Dossier
from threadcast.queue.compose.rules import Post
from threadcast.queue.model import ChannelRow, Delivery, PostRecord, StoredThread
from threadcast.queue.states import DeliveryState, PostState
from threadcast.queue.text.thread import Notice, NoticeKind, Part, Placement, Severity, Thread

NOW = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)  # a Monday, noon in Berlin
BERLIN = ZoneInfo("Europe/Berlin")

THREADS = st.integers(1, 999_999_999 - 100)
CHANNELS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,31}", fullmatch=True) | st.just("n" * 32)
TITLES = st.text(max_size=60) | st.just("<b>& 🏳️‍🌈\x00\u202e\ud800") | st.just("W" * 60)
REASONS = st.just("") | st.text(max_size=400) | st.just("x<" * 3000) | st.just("paused <now>")
MOMENTS = st.timedeltas(timedelta(days=-400), timedelta(days=400)).map(lambda span: NOW + span)
SOME = st.none() | MOMENTS
LOOKS = st.builds(
    Viewer,
    st.just(NOW),
    st.sampled_from([BERLIN, ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata")]),
    st.sampled_from(Role),
)


@st.composite
def a_delivery(draw: st.DrawFn) -> Delivery:
    """One row of a queue."""
    posts = draw(st.integers(0, 300))
    return Delivery(
        id=draw(THREADS),
        thread_id=draw(THREADS),
        channel=draw(CHANNELS),
        state=draw(st.sampled_from(DeliveryState)),
        reason=draw(REASONS),
        rank=draw(st.integers(0, 9)),
        due=draw(MOMENTS),
        created=NOW,
        started=draw(SOME),
        finished=draw(SOME),
        lease_owner=None,
        lease_until=None,
        fence=draw(st.integers(0, 99)),
        posts=posts,
        sent=draw(st.integers(0, posts)),
        title=draw(TITLES),
        own_time=draw(st.booleans()),
        queued=NOW,
        parts=draw(st.integers(1, 300)),
        adoption=None,
    )


DELIVERY = a_delivery()
DELIVERIES = st.lists(DELIVERY, max_size=5, unique_by=lambda one: one.id)
URLS = st.none() | st.just("https://t.me/my_channel/113?a=b&c=d") | st.text(max_size=30)
POSTS = st.builds(
    PostRecord,
    position=st.integers(1, 300),
    post=st.just(Post(1, "1/", "1/ a", 4)),
    state=st.sampled_from(PostState),
    key=st.none(),
    reply_to=st.none(),
    remote_id=st.none() | st.just("113"),
    url=URLS,
    tries=st.just(1),
    intended=SOME,
    finished=SOME,
    reason=REASONS,
    taken_down=SOME,
)
CHAINS = st.builds(Chain, DELIVERY, st.lists(POSTS, max_size=4).map(tuple))
NOTICES = st.builds(
    Notice,
    st.sampled_from(Severity),
    st.sampled_from(NoticeKind),
    st.integers(1, 99_999),
    st.none(),
    lines=st.lists(st.integers(1, 99_999), max_size=4).map(tuple),
    numbers=st.lists(st.integers(1, 99), max_size=2).map(tuple),
    markers=st.lists(st.text(max_size=9), max_size=3).map(tuple),
    text=st.text(max_size=80),
)


@st.composite
def a_thread(draw: st.DrawFn) -> Thread:
    """A thread whose parts do not matter, but for the title."""
    text = draw(st.text(max_size=200))
    parts = tuple(
        Part(number, f"{number}/", " ", text, number) for number in range(1, draw(st.integers(1, 4)))
    )
    noticed = tuple(draw(st.lists(NOTICES, max_size=14)))
    return Thread(parts, Placement.PREFIX, None, "", True, "0" * 64, noticed)


@st.composite
def a_dossier(draw: st.DrawFn) -> Dossier:
    """One thread on a few channels."""
    stored = StoredThread(draw(THREADS), draw(a_thread()), "rivers.txt", NOW)
    return Dossier(stored, tuple(draw(st.lists(CHAINS, max_size=5))), ())


def foretold(one: Delivery) -> st.SearchStrategy[Forecast]:
    """What may be foreseen of a delivery."""
    return st.builds(Forecast, st.just(one), SOME, REASONS, SOME)


FORECASTS = st.lists(DELIVERY.flatmap(foretold), max_size=20)
ROWS = st.builds(
    ChannelRow,
    CHANNELS,
    st.sampled_from(["telegram", "mastodon", "local"]),
    TITLES,
    st.just("") | TITLES,
    st.booleans(),
    st.none(),
    st.just(NOW),
    st.just(NOW),
)


@st.composite
def an_overview(draw: st.DrawFn) -> Overview:
    """How things stand, of a few deliveries."""
    deliveries = draw(st.lists(DELIVERY, max_size=20))
    names = draw(st.lists(CHANNELS, max_size=4, unique=True))
    paused = frozenset(draw(st.lists(st.sampled_from(names), max_size=2)) if names else ())
    return summarise(deliveries, channels=[(name, "telegram") for name in names], paused=paused, running=True)


def delivery(
    number: int = 7, channel: str = "news", state: DeliveryState = DeliveryState.PUBLISHING, **more: object
) -> Delivery:
    """One delivery of ten posts, of which some details matter."""
    usual: dict[str, object] = {
        "reason": "",
        "rank": number,
        "due": NOW,
        "created": NOW,
        "started": None,
        "finished": None,
        "lease_owner": None,
        "lease_until": None,
        "fence": 1,
        "posts": 10,
        "sent": 0,
        "title": f"Title {number}",
        "own_time": False,
        "queued": NOW,
        "parts": 10,
        "adoption": None,
    }
    return Delivery(id=number, thread_id=number, channel=channel, state=state, **{**usual, **more})  # type: ignore[arg-type]
