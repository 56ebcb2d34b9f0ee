"""A Mastodon post of unknown fate is found where it landed, and absent where it did not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.contract.channels.harness import post, posted
from tests.contract.channels.mastodon_stand import NOW, Clock, make_channel, standing
from tests.servers.http import Response
from tests.servers.mastodon.manners import GOTOSOCIAL, MASTODON, PLEROMA, SNAC, TAKAHE, Manners
from tests.servers.mastodon.server import TOKEN, MastodonServer
from tests.servers.mastodon.statuses import Account
from threadcast.bot.channels.mastodon.channel import MastodonChannel
from threadcast.bot.channels.port import Landmark, Sought
from threadcast.queue.outcomes import Absent, Blind, Look, Refused, Sent, Throttled, Unknown, Unreached

STATUSES = "GET /api/v1/accounts/[^/]+/statuses"
CONTEXT = "GET /api/v1/statuses/[^/]+/context"
SOURCE = "GET /api/v1/statuses/[^/]+/source"
HISTORY = "GET /api/v1/statuses/[^/]+/history"
ME = "GET /api/v1/accounts/verify_credentials"
NOT_FOUND = Response(404, {"error": "Record not found"})


def keeper(server: MastodonServer) -> Account:
    return server.accounts[TOKEN]


async def looked_up(channel: MastodonChannel, text: str, parent: str | None = None, **changes: Any) -> Look:
    known = {"key": "key-1", "since": NOW, "landmark": None, **changes}
    return await channel.look_up(Sought(text, parent, **known))


def asked(server: MastodonServer) -> list[str]:
    """The last part of each path that was read, in order."""
    return [request.path.rsplit("/", 1)[-1] for request in server.requests if request.method == "GET"]


STORED: dict[str, Callable[[MastodonServer], None]] = {
    "cut-after-storing": lambda server: server.lose_answer(),
    "cut-in-the-answer": lambda server: server.cut_answer(),
    "a-page": lambda server: server.replace_answer(b"<html>We will be back</html>"),
    "nothing": lambda server: server.replace_answer(b""),
    "a-list": lambda server: server.replace_answer([]),
    "another-parent": lambda server: server.alter_answer(in_reply_to_id="1"),
    "no-id": lambda server: server.alter_answer(id=None),
    "scheduled": lambda server: server.alter_answer(content=None, scheduled_at="2027-01-01T00:00:00Z"),
}
NOT_STORED: dict[str, Callable[[MastodonServer], None]] = {
    "cut": lambda server: server.cut(),
    "500": lambda server: server.fail(500),
    "503": lambda server: server.fail(503),
    "redirect": lambda server: server.redirect("https://www.a.example/api/v1/statuses"),
}


@pytest.mark.parametrize("manners", [MASTODON, GOTOSOCIAL, PLEROMA], ids=lambda one: str(one.software))
@pytest.mark.parametrize("spoil", STORED.values(), ids=STORED)
async def test_what_landed_is_found(spoil: Callable[[MastodonServer], None], manners: Manners) -> None:
    """A post that landed is found, whatever became of its answer: first or reply, on either server."""
    async with standing(manners=manners) as (server, channel):
        spoil(server)
        assert isinstance(await post(channel, "1/ The lamp", key="1"), Unknown)
        first = await looked_up(channel, "1/ The lamp")
        assert isinstance(first, Sent)
        spoil(server)
        assert isinstance(await post(channel, "2/ The tower", parent=first.remote_id, key="2"), Unknown)
        reply = await looked_up(channel, "2/ The tower", first.remote_id)
    assert isinstance(reply, Sent)
    statuses = server.statuses()
    assert [first.remote_id, reply.remote_id] == [status.id for status in statuses]
    assert first.url == f"{server.url}/@keeper/{first.remote_id}"


@pytest.mark.parametrize("manners", [MASTODON, SNAC, TAKAHE], ids=lambda one: str(one.software))
async def test_replies_of_one_second(manners: Manners) -> None:
    """A reply is found below a parent of the same second, whichever of their ids is the higher."""
    async with standing(manners=manners) as (server, channel):
        ids = [(await posted(channel, "1/ The lamp", key="1")).remote_id]
        for number in range(2, 10):
            server.lose_answer()
            text = f"{number}/ The lamp"
            assert isinstance(await post(channel, text, parent=ids[-1], key=str(number)), Unknown)
            found = await looked_up(channel, text, ids[-1])
            assert isinstance(found, Sent), text
            ids.append(found.remote_id)
    assert ids == [status.id for status in server.statuses()]
    assert (ids == sorted(ids)) == (manners is not SNAC)


@pytest.mark.parametrize("spoil", NOT_STORED.values(), ids=NOT_STORED)
async def test_what_did_not_land_is_absent(
    server: MastodonServer, channel: MastodonChannel, spoil: Callable[[MastodonServer], None]
) -> None:
    """A post that did not land is absent, whatever became of its answer."""
    first = await posted(channel, "1/ The lamp", key="1")
    spoil(server)
    assert isinstance(await post(channel, "2/ The tower", parent=first.remote_id, key="2"), Unknown)
    assert await looked_up(channel, "2/ The tower", first.remote_id) == Absent()
    assert len(server.statuses()) == 1


TEXTS = [
    pytest.param("see https://example.org/a/long/way/down/to/the/lighthouse?b=c&d=%20e#f.", id="links"),
    pytest.param("ask @bob@a.example and @keeper; mail bob@a.example", id="mentions"),
    pytest.param("#lighthouse 🗼 👩‍👩‍👧‍👦 מגדלור e\u0301 7️⃣ ⬇️", id="unicode"),
    pytest.param("  blanks \u00a0 and\ttabs\r\n\r\n\r\nand lines  ", id="blanks"),
    pytest.param("<p>a</p> &amp; *b* `c` [d](e) :ship:", id="markup"),
]


@pytest.mark.parametrize("text", TEXTS)
async def test_texts_are_known_again(server: MastodonServer, clock: Clock, text: str) -> None:
    """A text is known again in what the server made of it, under a content warning too, in one call."""
    channel = make_channel(server, clock=clock, spoiler="Meer")
    first = await posted(channel, "1/", key="1")
    reply = await posted(channel, text, parent=first.remote_id, key="2")
    found = await looked_up(channel, text, first.remote_id)
    await channel.close()
    assert found == reply
    assert asked(server) == ["context"]


async def test_a_replay_whose_parent_is_gone(server: MastodonServer, channel: MastodonChannel) -> None:
    """A second try is told that the parent is gone; a look shows the post that landed, standing alone."""
    first = await posted(channel, "1/ The lamp", key="1")
    server.lose_answer()
    await post(channel, "2/ The tower", parent=first.remote_id, key="2")
    server.delete(first.remote_id)
    assert isinstance(await post(channel, "2/ The tower", parent=first.remote_id, key="2"), Refused)
    look = await looked_up(channel, "2/ The tower", first.remote_id)
    (alone,) = server.statuses()
    assert isinstance(look, Blind)
    assert look.reason.endswith(f"in another place: {server.url}/@keeper/{alone.id}")


async def test_a_parent_that_is_gone(server: MastodonServer, channel: MastodonChannel) -> None:
    """A reply that never landed is absent, although its parent is gone."""
    first = await posted(channel, "1/ The lamp", key="1")
    server.delete(first.remote_id)
    assert await looked_up(channel, "2/ The tower", first.remote_id) == Absent()
    assert asked(server) == ["context", "statuses"]


async def test_a_reply_by_hand(server: MastodonServer, channel: MastodonChannel) -> None:
    """The owner's own replies to the same parent are not taken for the post, theirs or with other words."""
    first = await posted(channel, "1/ The lamp", key="1")
    server.write(keeper(server), "2/ The towers", first.remote_id)
    server.write(server.add_account("another", "bob"), "2/ The tower", first.remote_id)
    assert await looked_up(channel, "2/ The tower", first.remote_id) == Absent()


async def test_the_same_text_by_hand(server: MastodonServer, channel: MastodonChannel) -> None:
    """Where two posts fit, a person is shown both."""
    first = await posted(channel, "1/ The lamp", key="1")
    twins = [server.write(keeper(server), "2/ The tower", first.remote_id) for _ in range(2)]
    look = await looked_up(channel, "2/ The tower", first.remote_id)
    assert isinstance(look, Blind)
    assert all(twin.id in look.reason for twin in twins)


async def test_the_same_text_before(server: MastodonServer, channel: MastodonChannel, clock: Clock) -> None:
    """A text posted every day is found as today's, and absent where only yesterday's is there."""
    yesterday = await posted(channel, "Good morning", key="1")
    clock.turn(days=1)
    server.cut()
    assert isinstance(await post(channel, "Good morning", key="2"), Unknown)
    landmark = Landmark(yesterday.remote_id, "Good morning")
    assert await looked_up(channel, "Good morning", since=clock.now) == Absent()
    assert await looked_up(channel, "Good morning", since=clock.now, landmark=landmark) == Absent()
    today = await posted(channel, "Good morning", key="2")
    assert await looked_up(channel, "Good morning", since=clock.now) == today
    assert await looked_up(channel, "Good morning", since=clock.now, landmark=landmark) == today


@pytest.mark.parametrize("manners", [MASTODON, GOTOSOCIAL, PLEROMA], ids=lambda one: str(one.software))
async def test_a_busy_account(manners: Manners) -> None:
    """A post is found under a hundred newer ones, page by page, and absent after all of them."""
    clock = Clock()
    with MastodonServer(manners=manners, clock=clock) as server:
        account = server.add_account()
        for number in range(50):
            server.write(account, f"before {number}")
        clock.turn(hours=1)
        began = clock.now
        channel = make_channel(server, clock=clock)
        sent = await posted(channel, "1/ The lamp")
        clock.turn(minutes=1)
        for number in range(100):
            server.write(account, f"after {number}")
        server.requests.clear()
        assert await looked_up(channel, "1/ The lamp", since=began) == sent
        pages = asked(server).count("statuses")
        assert await looked_up(channel, "1/ The light", since=began) == Absent()
        await channel.close()
    assert pages == 3


async def test_a_landmark_ends_the_search(
    server: MastodonServer, channel: MastodonChannel, clock: Clock
) -> None:
    """Nothing before the landmark is looked at, which a clock that was set could have hidden."""
    account = keeper(server)
    marks = []
    for number in range(90):
        marks.append(server.write(account, f"before {number}"))
        clock.turn(seconds=20)
    landmark = Landmark(marks[-1].id, marks[-1].text)
    assert await looked_up(channel, "1/ The lamp", landmark=landmark) == Absent()
    assert asked(server) == ["verify_credentials", "statuses"]


async def test_a_parent_ends_the_search(
    server: MastodonServer, channel: MastodonChannel, clock: Clock
) -> None:
    """Nothing before the parent is looked at: a reply that is not there costs two calls."""
    for number in range(90):
        server.write(keeper(server), f"before {number}")
        clock.turn(seconds=20)
    first = await posted(channel, "1/ The lamp")
    assert await looked_up(channel, "2/ The tower", first.remote_id) == Absent()
    assert asked(server) == ["context", "statuses"]


async def test_a_landmark_that_does_not_come(
    server: MastodonServer, channel: MastodonChannel, clock: Clock
) -> None:
    """A landmark that is gone is looked for on some pages more, not to the beginning of the account."""
    for number in range(600):
        server.write(keeper(server), f"before {number}")
    clock.turn(days=1)
    look = await looked_up(channel, "1/ The lamp", since=clock.now, landmark=Landmark("77", "gone"))
    assert look == Absent()
    assert asked(server).count("statuses") == 6


async def test_more_than_can_be_looked_at(server: MastodonServer, channel: MastodonChannel) -> None:
    """Under more than a thousand newer posts nothing is called absent: a person looks."""
    account = keeper(server)
    for number in range(1001):
        server.write(account, f"after {number}")
    look = await looked_up(channel, "1/ The lamp")
    assert isinstance(look, Blind)
    assert "too many newer posts" in look.reason


async def test_a_server_that_does_not_page(server: MastodonServer, channel: MastodonChannel) -> None:
    """A server that gives the same page again has not shown everything."""
    server.write(keeper(server), "after")
    page = [{"id": "5", "content": "x", "account": {"id": "1001"}, "created_at": NOW.isoformat()}]
    server.instead(STATUSES, Response(200, page), times=2)
    assert isinstance(await looked_up(channel, "1/ The lamp"), Blind)


async def test_a_context_that_is_cut_short(server: MastodonServer, channel: MastodonChannel) -> None:
    """A reply that a server leaves out of its parent's context is found among the account's own."""
    first = await posted(channel, "1/ The lamp", key="1")
    reply = await posted(channel, "2/ The tower", parent=first.remote_id, key="2")
    server.instead(CONTEXT, Response(200, {"ancestors": [], "descendants": []}))
    assert await looked_up(channel, "2/ The tower", first.remote_id) == reply


async def test_a_post_that_was_edited(server: MastodonServer, channel: MastodonChannel) -> None:
    """A post that its owner edited before it was looked for is found by its first version."""
    first = await posted(channel, "1/ The lamp", key="1")
    reply = await posted(channel, "2/ The towr", parent=first.remote_id, key="2")
    server.rewrite(reply.remote_id, "2/ The tower")
    server.rewrite(reply.remote_id, "2/ The tall tower")
    assert await looked_up(channel, "2/ The towr", first.remote_id) == reply
    assert await looked_up(channel, "2/ The boat", first.remote_id) == Absent()


async def test_a_post_that_was_edited_where_versions_are_not_told(
    server: MastodonServer, channel: MastodonChannel
) -> None:
    """Where a server does not tell the first version, a person is shown the edited post."""
    first = await posted(channel, "1/ The lamp", key="1")
    reply = await posted(channel, "2/ The towr", parent=first.remote_id, key="2")
    server.rewrite(reply.remote_id, "2/ The tower")
    server.instead(HISTORY, NOT_FOUND)
    look = await looked_up(channel, "2/ The towr", first.remote_id)
    assert isinstance(look, Blind)
    assert look.reason == f"a post where it would be was edited meanwhile: {reply.url}"


async def test_a_server_that_shows_a_text_in_its_own_way(
    server: MastodonServer, channel: MastodonChannel
) -> None:
    """Where its HTML is another text, a post is known by what was typed; else by its HTML."""
    sent = await posted(channel, "1/ The *lamp*")
    (status,) = server.statuses()
    status.html = "<p>1/ The <em>lamp</em></p>"
    assert await looked_up(channel, "1/ The *lamp*") == sent
    server.instead(SOURCE, NOT_FOUND, times=2)
    assert await looked_up(channel, "1/ The *lamp*") == Absent()
    assert await looked_up(channel, "1/ The lamp") == sent


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1)])
async def test_a_server_whose_clock_is_wrong(clock: Clock, ahead: timedelta) -> None:
    """A server's clock an hour off does not hide a post, nor make an older one of the same text ours."""
    with MastodonServer(clock=lambda: clock.now + ahead) as server:
        account = server.add_account()
        server.write(account, "Good morning")
        clock.turn(hours=2)
        channel = make_channel(server, clock=clock)
        assert await looked_up(channel, "Good morning", since=clock.now) == Absent()
        sent = await posted(channel, "Good morning")
        assert await looked_up(channel, "Good morning", since=clock.now) == sent
        await channel.close()


async def test_our_clock_was_set(server: MastodonServer, channel: MastodonChannel) -> None:
    """A clock that was hours ahead when the post was tried does not make it absent: a person looks."""
    first = await posted(channel, "1/ The lamp", key="1")
    await posted(channel, "2/ The tower", parent=first.remote_id, key="2")
    look = await looked_up(channel, "2/ The tower", first.remote_id, since=NOW + timedelta(hours=5))
    assert isinstance(look, Blind)
    assert "was there before" in look.reason


PAGE = Response(200, b"<html>We will be back</html>")
BUSY = Response(429, {"error": "Too many"}, {"X-RateLimit-Reset": (NOW + timedelta(seconds=90)).isoformat()})
TROUBLE = {
    "throttled": (BUSY, Throttled, "rate limit"),
    "down": (Response(503, {"error": "down"}), Unreached, "HTTP 503"),
    "a-page": (PAGE, Unreached, "cannot be read"),
    "not-what-was-asked-for": (Response(200, {"descendants": [{"id": "7"}]}), Unreached, "cannot be read"),
    "a-redirect": (Response(302, b"", {"Location": "https://b.example/"}), Unreached, "redirects"),
    "forbidden": (Response(403, {"error": "no"}), Blind, "read:accounts and read:statuses"),
    "no-token": (Response(401, {"error": "no"}), Blind, "token is not valid"),
    "not-mastodon": (Response(404, b"<html>Not found</html>"), Blind, "no Mastodon API"),
}


CALLS = {"context": CONTEXT, "statuses": STATUSES, "me": ME}


@pytest.mark.parametrize(
    ("call", "answer", "kind", "says"),
    [
        pytest.param(call, *trouble, id=f"{name}-{where}")
        for where, call in CALLS.items()
        for name, trouble in TROUBLE.items()
        if (name, where) != ("not-mastodon", "context")  # how some servers say that the parent is gone
    ],
)
async def test_what_cannot_be_looked_at(
    server: MastodonServer, clock: Clock, call: str, answer: Response, kind: type[Look], says: str
) -> None:
    """Whichever call fails, nothing is called absent: it is asked again, or a person is told what to do."""
    first = server.write(keeper(server), "1/ The lamp")
    channel = make_channel(server, clock=clock)
    server.instead(call, answer)
    look = await looked_up(channel, "2/ The tower", first.id)
    again = await looked_up(channel, "2/ The tower", first.id)
    await channel.close()
    assert isinstance(look, kind), look
    assert not isinstance(look, Sent | Absent)
    assert says in look.reason
    assert not isinstance(look, Throttled) or look.until == NOW + timedelta(seconds=90)
    assert again == Absent()


async def test_a_throttle_while_reading_closely(server: MastodonServer, channel: MastodonChannel) -> None:
    """A post that would have to be read closely is not called absent while the server asks to wait."""
    first = await posted(channel, "1/ The lamp", key="1")
    server.write(keeper(server), "2/ The towers", first.remote_id)
    server.instead(SOURCE, BUSY)
    assert isinstance(await looked_up(channel, "2/ The tower", first.remote_id), Throttled)


async def test_odd_ids(server: MastodonServer, channel: MastodonChannel) -> None:
    """An id with a slash, as a person may have given it, asks for nothing but that id."""
    assert await looked_up(channel, "2/ The tower", "../../../x?y") == Absent()
    assert all(request.path.startswith("/api/v1/") for request in server.requests)
