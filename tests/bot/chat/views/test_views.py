"""Whatever a queue holds, what is said of it is a message that Telegram takes, with buttons that work."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bot.chat.samples import (
    BERLIN,
    CHAINS,
    CHANNELS,
    DELIVERY,
    FORECASTS,
    LOOKS,
    MOMENTS,
    NOW,
    ROWS,
    THREADS,
    TITLES,
    a_dossier,
    an_overview,
    delivery,
    foretold,
)
from tests.contract.store.samples import thread
from tests.servers.telegram.html import parse_html
from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import MOST_BYTES, button, read_press
from threadcast.bot.chat.menu import allowed_to
from threadcast.bot.chat.requests import REGISTRY
from threadcast.bot.chat.views import cards, lists
from threadcast.bot.chat.views.cards import Viewer
from threadcast.bot.chat.views.message import LIMIT, Message, in_messages, visible
from threadcast.bot.chat.views.plan import digest
from threadcast.bot.publishing.forecast import Forecast
from threadcast.bot.requests.overview import Overview, summarise
from threadcast.bot.requests.queries import Chain, Dossier
from threadcast.queue.model import ChannelRow, Delivery, StoredThread
from threadcast.queue.outcomes import Code
from threadcast.queue.states import DeliveryState
from threadcast.queue.text.media import Media, MediaKind, StoredFile
from threadcast.queue.text.thread import Part, Thread

TYPED = {name: one for name, one in REGISTRY.items() if one.typed}
LONGEST_LABEL = 64  # characters of a button
MOST_BUTTONS = 100  # of a message
LOOK = Viewer(NOW, BERLIN, Role.OWNER)
calmly = settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))


def is_sound(said: Message) -> None:
    """Telegram takes it, and each of its buttons asks for something that there is."""
    for message in in_messages(said):
        text, _ = parse_html(message.text)
        assert text.strip()
        assert len(text) <= LIMIT
    assert sum(map(len, said.buttons)) <= MOST_BUTTONS
    for row in said.buttons:
        assert 1 <= len(row) <= 8
        for one in row:
            assert 0 < len(one.label) <= LONGEST_LABEL
            assert len(one.data.encode()) <= MOST_BYTES
            press = read_press(one.data)
            assert press.data() == one.data
            assert press.verb in REGISTRY


def verbs(said: Message) -> set[str]:
    return {read_press(one.data).verb for row in said.buttons for one in row}


@calmly
@given(a_dossier(), LOOKS, st.sampled_from(["", "<b>Now</b>"]), st.data())
def test_a_card(one: Dossier, look: Viewer, headline: str, data: st.DataObject) -> None:
    """A thread however it stands is shown whole, and an editor is offered nothing that changes it."""
    foreseen = {
        chain.delivery.id: data.draw(foretold(chain.delivery))
        for chain in one.chains
        if data.draw(st.booleans())
    }
    more = data.draw(st.booleans())
    said = cards.card(one, foreseen, look, headline=headline, below=headline, more=more)
    is_sound(said)
    for chain in one.chains:
        assert chain.delivery.channel in visible(said.text)
    if look.role is Role.EDITOR:
        assert verbs(said) <= {"preview", "card"}


@calmly
@given(FORECASTS, LOOKS, st.integers(-1, 9), st.just("") | CHANNELS)
def test_the_queue(found: list[Forecast], look: Viewer, page: int, channel: str) -> None:
    """A page of the queue shows what is on it, and its buttons lead there."""
    is_sound(lists.queue(found, look, page=page, channel=channel))


@calmly
@given(st.lists(CHAINS, max_size=8), LOOKS, st.integers(0, 9998), st.just("") | CHANNELS, st.booleans())
def test_the_history(found: list[Chain], look: Viewer, page: int, channel: str, more: bool) -> None:
    """A page of the history likewise."""
    is_sound(lists.history(found, look, page=page, channel=channel, more=more))


@calmly
@given(st.lists(ROWS, max_size=6), LOOKS, st.data())
def test_the_channels(found: list[ChannelRow], look: Viewer, data: st.DataObject) -> None:
    """Every channel that was ever seen is shown; those that are configured can be paused by owners."""
    names = [row.name for row in found]
    configured = frozenset(data.draw(st.lists(st.sampled_from(names))) if names else ())
    said = lists.channels(found, configured, look.role)
    is_sound(said)
    assert bool(said.buttons) == (look.role is Role.OWNER and bool(configured))


@calmly
@given(an_overview(), LOOKS)
def test_the_status(one: Overview, look: Viewer) -> None:
    """How things stand can be said however they stand."""
    is_sound(lists.status(one, look))


@calmly
@given(st.lists(DELIVERY, max_size=14), st.lists(DELIVERY, max_size=14), FORECASTS, LOOKS, MOMENTS)
def test_the_digest(
    published: list[Delivery], yours: list[Delivery], coming: list[Forecast], look: Viewer, since: datetime
) -> None:
    """A digest of any day can be said, and makes a sound only where somebody has to act."""
    said = digest(published, yours, coming, look, since=since)
    is_sound(said)
    assert said.quiet == (not yours)


@calmly
@given(st.dictionaries(THREADS, TITLES, max_size=10), st.sampled_from(list(TYPED)))
def test_a_choice(found: dict[int, str], verb: str) -> None:
    """Any threads can be chosen from."""
    is_sound(lists.choose(verb, found))


@calmly
@given(st.text(), st.lists(st.sampled_from(list(TYPED)), max_size=3, unique=True))
def test_no_such_command(name: str, found: list[str]) -> None:
    """Whatever was typed, it is said that there is no such command."""
    is_sound(lists.unknown(name, [button(f"/{one}", one) for one in found]))


def test_help() -> None:
    """Each role is told of its commands and no others; each command has a page of its own."""
    for role in Role:
        said = lists.help_all(allowed_to(role), role)
        is_sound(said)
        shown = set(re.findall(r"^/([a-z]+)", visible(said.text), re.MULTILINE))
        assert shown == {name for name, one in TYPED.items() if one.who <= role}
    for command in TYPED.values():
        is_sound(lists.help_one(command, Role.EDITOR))


@calmly
@given(st.lists(DELIVERY, max_size=5), st.integers(1, 100), THREADS)
def test_buttons_of_several(found: list[Delivery], many: int, first: int) -> None:
    """Several threads at once have buttons for what one of them allows."""
    threads = tuple(range(first, first + many))
    for more in (False, True):
        is_sound(Message("a", cards.batch_buttons(threads, found, Role.OWNER, {}, more=more)))


@calmly
@given(THREADS, TITLES, st.booleans())
def test_a_card_that_moved(number: int, name: str, down: bool) -> None:
    """What was a card leads to the one that is."""
    said = cards.moved(number, name, down=down)
    is_sound(said)
    assert verbs(said) == {"show"}


def lines(said: Message) -> list[str]:
    return visible(said.text).split("\n")


def dossier(*deliveries: Delivery) -> Dossier:
    return Dossier(StoredThread(7, thread(), "a.txt", NOW), tuple(Chain(one, ()) for one in deliveries), ())


def test_a_reason_of_the_shell_is_said_in_the_chat() -> None:
    """What there is to type, the chat says as it is typed there."""
    queued = delivery(state=DeliveryState.QUEUED)
    held = delivery(8, "masto", DeliveryState.HELD, reason="too long")
    paused = [Forecast(one, None, "paused", None, command="resume news") for one in (queued, held)]
    said = cards.card(dossier(queued, held), {7: paused[0]}, LOOK)
    assert "🕓 news: 10 posts, waits: paused; /resume news" in lines(said)
    assert "✋ masto: 10 posts, held: too long" in lines(said)
    assert "    held: paused; /resume news" in lines(lists.queue(paused[1:], LOOK, page=0, channel=""))


def test_a_chain_that_stops_has_no_time_in_the_queue() -> None:
    """Of a chain that its owner stops the queue says that, and not until when it would go."""
    stopping = delivery(code=Code.PERSON, sent=3)
    found = lines(lists.queue([Forecast(stopping, NOW, "stopping", NOW)], LOOK, page=0, channel=""))
    assert any(line.endswith("3/10, stopping") for line in found), found


def test_counts_are_in_plain_english() -> None:
    """One delivery, two deliveries, and nothing at all."""
    one = Forecast(delivery(), NOW, "", NOW)
    assert lines(lists.queue([one], LOOK, page=0, channel=""))[0] == "Queue: 1 delivery"
    assert lines(lists.queue([one, one], LOOK, page=0, channel=""))[0] == "Queue: 2 deliveries"
    for channel, page, says in (
        ("news", 0, "Nothing was published on news yet. What waits: /queue"),
        ("", 0, "Nothing was published yet. What waits: /queue"),
        ("", 1, "That was all. From the newest: /history"),
    ):
        assert lines(lists.history([], LOOK, page=page, channel=channel, more=False)) == [says]


def test_a_digest_in_words() -> None:
    """A digest says since when, what was published, who waits for what, and what is next."""
    since = NOW - timedelta(days=1)
    done = [delivery(number, state=DeliveryState.PUBLISHED) for number in range(1, 13)]
    failed = delivery(20, state=DeliveryState.FAILED, reason="the post was refused")
    coming = [
        Forecast(delivery(30, state=DeliveryState.QUEUED), NOW + timedelta(hours=3), "slot", NOW),
        Forecast(delivery(31), NOW, "under way", NOW),
        Forecast(delivery(32, state=DeliveryState.HELD), None, "", None),
    ]
    said = lines(digest(done, [failed], coming, LOOK, since=since))
    assert said[:3] == ["Since yesterday 12:00", "Published: 12 chains", "✅ #1 news Title 1"]
    assert said[12:] == [
        *("… and 2 more: /history", "", "Waiting for you", "🛑 #20 news failed: the post was refused", ""),
        *("Today", "15:00: #30 news Title 30", "now: #31 news Title 31"),
    ]
    assert lines(digest([], [], [], LOOK, since=since)) == [
        *("Since yesterday 12:00", "Published: nothing", "", "Nothing is to be published.")
    ]
    many: Sequence[Delivery] = [replace(failed, id=one, thread_id=one) for one in range(40, 55)]
    told = lines(digest([], many, coming[:1] * 12, LOOK, since=since))
    assert "… and 5 more: /status" in told
    assert told[-1] == "… and 2 more: /queue"


HOUR = timedelta(hours=1)
QUEUED = delivery(state=DeliveryState.QUEUED)
HELD = delivery(state=DeliveryState.HELD, posts=0, code=Code.UNCONFIRMED)
UNCONFIRMED = "not public before Publish is pressed"
STATES: list[tuple[Delivery, Forecast | None, list[str]]] = [
    (QUEUED, None, ["🕓 news: 10 posts, starts now"]),
    (QUEUED, Forecast(QUEUED, None, "", None), ["🕓 news: 10 posts, starts now"]),
    (QUEUED, Forecast(QUEUED, NOW, "in turn", NOW + HOUR), ["🕓 news: 10 posts, starts now, takes 60 min"]),
    (
        QUEUED,
        Forecast(QUEUED, NOW + HOUR, "slot", NOW + 2 * HOUR),
        ["🕓 news: 10 posts, starts 13:00 (slot), takes 60 min"],
    ),
    (
        replace(QUEUED, own_time=True, sent=3),
        Forecast(QUEUED, NOW + HOUR, "its own time", NOW + 2 * HOUR),
        [
            "🕓 news: 10 posts, starts Mon 2 Mar 2026, 13:00 CET (its own time), takes 60 min",
            "▰▰▰▱▱▱▱▱▱▱ 3/10",
        ],
    ),
    (delivery(sent=3), None, ["📤 news publishing ▰▰▰▱▱▱▱▱▱▱ 3/10"]),
    (
        delivery(sent=3, reason="no network", due=NOW + HOUR),
        Forecast(QUEUED, NOW, "", NOW + HOUR),
        ["📤 news publishing ▰▰▰▱▱▱▱▱▱▱ 3/10, until 13:00", "no network"],
    ),
    (delivery(state=DeliveryState.HELD), None, ["✋ news: 10 posts, held: you held it"]),
    (HELD, Forecast(HELD, None, "", None, takes=HOUR), [f"✋ news: takes 60 min; {UNCONFIRMED}"]),
    (
        delivery(state=DeliveryState.FAILED, reason="too long", sent=3),
        None,
        ["🛑 news failed at post 4 of 10", "too long"],
    ),
    (
        delivery(state=DeliveryState.FAILED, reason="no rights", posts=0),
        None,
        ["🛑 news failed at its beginning", "no rights"],
    ),
    (
        delivery(state=DeliveryState.UNSURE, reason="no answer", sent=3),
        None,
        ["❓ news unsure about post 4 of 10", "no answer"],
    ),
    (delivery(state=DeliveryState.PUBLISHED, sent=10), None, ["✅ news published 10/10"]),
    (delivery(state=DeliveryState.CANCELLED), None, ["✖️ news cancelled"]),
    (delivery(state=DeliveryState.WITHDRAWN), None, ["🗑 news withdrawn"]),
    (
        delivery(state=DeliveryState.FAILED, reason="x" * 400),
        None,
        ["🛑 news failed at post 1 of 10", "x" * 299 + "…"],
    ),
]


@pytest.mark.parametrize(("one", "foreseen", "said"), STATES)
def test_how_a_thread_stands(one: Delivery, foreseen: Forecast | None, said: list[str]) -> None:
    """Each state is told in a line or two, with when and why."""
    told = lines(cards.card(dossier(one), {7: foreseen} if foreseen else {}, LOOK))
    assert told[told.index("") + 1 :] == said


def test_much_that_waits() -> None:
    """Where much waits for a person, the first of it is told, and where the rest is."""
    failed = [delivery(number, state=DeliveryState.FAILED, reason="refused") for number in range(1, 12)]
    paused = frozenset({"news"})
    one = summarise(failed, channels=[("news", "telegram")], paused=paused, running=True)
    assert lines(lists.status(one, LOOK)) == [
        *("How things stand", "⏸ news (telegram), paused", "", "Queue: 11 failed", "", "Waiting for you"),
        *(f"🛑 #{number} failed: refused" for number in range(1, 9)),
        "… and 3 more: /queue",
    ]


FILE = StoredFile("ab", MediaKind.VIDEO, "video/mp4", 9)
SEEN, PHOTO, VIDEO = (
    Media("A lamp", "a.jpg", 2),
    Media("", "b.jpg", 3, replace(FILE, kind=MediaKind.IMAGE)),
    Media("", "c.mp4", 4, FILE),
)


@pytest.mark.parametrize(
    ("media", "label"),
    [
        ((SEEN,), ""),
        ((SEEN, PHOTO, VIDEO), "Describe photo 2 of part 1"),
        ((VIDEO,), "Describe file 1 of part 1"),
    ],
)
def test_the_first_file_without_a_description_is_asked_for(media: tuple[Media, ...], label: str) -> None:
    """A card asks what can be seen in a file as long as its text can be changed."""
    one = replace(thread(), parts=(Part(1, "1/", " ", "The lamp.", 1, media),))
    waits = a_dossier_of(replace(HELD, posts=0, sent=0), one)
    labels = [each.label for row in cards.card(waits, {}, LOOK).buttons for each in row]
    assert [each for each in labels if each.startswith("Describe")] == ([label] if label else [])
    begun = a_dossier_of(delivery(state=DeliveryState.PUBLISHED, posts=1, sent=1), one)
    assert not [
        each for row in cards.card(begun, {}, LOOK).buttons for each in row if "Describe" in each.label
    ]


def a_dossier_of(one: Delivery, text: Thread) -> Dossier:
    return Dossier(StoredThread(7, text, "a.txt", NOW), (Chain(one, ()),), ())
