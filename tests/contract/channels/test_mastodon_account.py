"""A Mastodon account: how doubts are settled, posts taken down, chains audited; whether it may post."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.contract.channels.harness import post, posted
from tests.contract.channels.mastodon_stand import NOW, Clock, make_channel, standing
from tests.servers.http import Cut, Response
from tests.servers.mastodon.budgets import REAL_BUDGETS, Budget
from tests.servers.mastodon.manners import GOTOSOCIAL, MANNERS, MASTODON, PLEROMA, SNAC, TAKAHE, Manners
from tests.servers.mastodon.server import TOKEN, MastodonServer
from threadcast.bot.channels.mastodon.channel import MastodonChannel
from threadcast.bot.channels.port import Expected, Quota
from threadcast.queue.outcomes import Absent, Blind, Refused, Sent, Settling, Throttled, Unreached

ME = "GET /api/v1/accounts/verify_credentials"
DELETE = "DELETE .*"
STATUS = "GET /api/v1/statuses/[^/]+"
CONTEXT = f"{STATUS}/context"
BUSY = Response(429, {"error": "Too many"}, {"X-RateLimit-Reset": (NOW + timedelta(seconds=90)).isoformat()})
PAGE = Response(200, b"<html>We will be back</html>")


def asked(server: MastodonServer) -> list[str]:
    return [f"{request.method} {request.path.rsplit('/', 1)[-1]}" for request in server.requests]


# --- settling ------------------------------------------------------------------------------------


async def settling_of(**changes: Any) -> tuple[Settling, Settling]:
    """How a channel settles before it knows its server, and after."""
    settings = {name: changes.pop(name) for name in ("settle_after",) if name in changes}
    with MastodonServer(**changes) as server:
        server.add_account()
        channel = make_channel(server, **settings)
        before = channel.settling
        await channel.rules()
        after = channel.settling
        await channel.close()
        return before, after


async def test_mastodon_knows_keys() -> None:
    """Once it is known to be Mastodon, one look is enough while the key is well inside its hour."""
    before, after = await settling_of()
    assert before.key_life == timedelta(0)
    assert after == Settling(
        first_look=timedelta(seconds=10),
        apart=timedelta(minutes=1),
        misses=2,
        key_life=timedelta(minutes=50),
    )


@pytest.mark.parametrize("manners", [GOTOSOCIAL, SNAC, TAKAHE, PLEROMA], ids=lambda one: str(one.software))
async def test_other_servers_do_not_know_keys(manners: Manners) -> None:
    """On a server that is not Mastodon, whatever version it claims, no key is trusted: two looks, always."""
    _, after = await settling_of(manners=manners)
    assert (after.key_life, after.misses) == (timedelta(0), 2)


async def test_looking_sooner() -> None:
    """When to look can be set."""
    _, after = await settling_of(settle_after=timedelta(milliseconds=50))
    assert after.first_look == after.apart == timedelta(milliseconds=50)
    assert after.key_life == timedelta(minutes=50)


# --- taking down ---------------------------------------------------------------------------------


async def test_the_limit_on_deletes(server: MastodonServer, channel: MastodonChannel) -> None:
    """After thirty deletes in half an hour the server asks to wait until its window ends."""
    ids = [server.write(server.accounts[TOKEN], f"{number}/").id for number in range(31)]
    downs = [await channel.take_down(remote_id) for remote_id in ids]
    assert downs[:30] == [Absent()] * 30
    assert isinstance(downs[30], Throttled)
    assert downs[30].until == datetime(2026, 5, 4, 10, tzinfo=UTC)
    assert len(server.statuses()) == 1


@pytest.mark.parametrize("manners", MANNERS.values(), ids=MANNERS)
async def test_a_chain_of_which_a_post_was_deleted_by_hand(manners: Manners) -> None:
    """A chain comes down on every server, and is told to be missing, however it says that a post is gone."""
    async with standing(manners=manners) as (server, channel):
        chain = await published(channel, 3)
        server.delete(chain[1].remote_id)
        differences = await audited(channel, chain)
        downs = [await channel.take_down(expected.remote_id) for expected in reversed(chain)]
        assert ("missing", 2) in differences
        assert downs == [Absent()] * 3
        assert server.statuses() == []


@pytest.mark.parametrize("manners", MANNERS.values(), ids=MANNERS)
async def test_every_server_can_be_checked(manners: Manners) -> None:
    """A good account on any server checks well and may post, whichever optional calls that has."""
    async with standing(manners=manners) as (_, channel):
        assert {finding.level for finding in await channel.check()} == {"ok"}
        assert await channel.preflight() is None


@pytest.mark.parametrize(
    ("answer", "expected", "says"),
    [
        pytest.param(Response(500, {"error": "no"}), Unreached, "HTTP 500", id="500"),
        pytest.param(PAGE, Unreached, "cannot be read", id="a-page"),
        pytest.param(BUSY, Throttled, "rate limit", id="429"),
        pytest.param(Response(401, {"error": "no"}), Refused, "token", id="401"),
        pytest.param(Response(403, {"error": "no"}), Refused, "write:statuses", id="403"),
        pytest.param(Response(404, b"<html>Not found</html>"), Refused, "URL", id="page-for-this-call"),
    ],
)
async def test_what_cannot_be_taken_down(
    server: MastodonServer, channel: MastodonChannel, answer: Response, expected: type[Any], says: str
) -> None:
    """A post is only called gone where the server says so; after anything else it is tried again, or told."""
    sent = await posted(channel, "1/ The lamp")
    server.instead(DELETE, answer)
    down = await channel.take_down(sent.remote_id)
    assert isinstance(down, expected)
    assert says in down.reason
    assert await channel.take_down(sent.remote_id) == Absent()
    assert server.statuses() == []


# --- audit ---------------------------------------------------------------------------------------


async def published(channel: MastodonChannel, length: int = 5) -> list[Expected]:
    chain: list[Expected] = []
    parent: str | None = None
    for number in range(1, length + 1):
        text = f"{number}/ see https://example.org/{number} @bob@a.example"
        sent = await posted(channel, text, parent=parent, key=f"{number}")
        chain.append(Expected(number, sent.remote_id, text, parent))
        parent = sent.remote_id
    return chain


async def audited(channel: MastodonChannel, chain: list[Expected]) -> list[tuple[str, int | None]]:
    found = await channel.audit(chain)
    assert isinstance(found, tuple), found
    return [(difference.kind, difference.position) for difference in found]


@pytest.mark.parametrize("manners", [MASTODON, GOTOSOCIAL, PLEROMA], ids=lambda one: str(one.software))
async def test_an_audit_of_a_good_chain(manners: Manners) -> None:
    """A long chain that is as it was sent takes three calls, one of them without the token.

    Visitors see 20 replies deep, which that one shows.
    """
    async with standing(manners=manners) as (server, channel):
        chain = await published(channel, 40)
        server.requests.clear()
        assert await audited(channel, chain) == [("unseen", 22)]
        tokens = ["authorization" in request.headers for request in server.requests]
        assert tokens == [True, True, False]


@pytest.mark.parametrize("answer", [Response(401, {}), Response(404, {}), Response(200, b"<html>"), Cut()])
async def test_an_audit_where_visitors_are_not_let_in(
    server: MastodonServer, channel: MastodonChannel, answer: Response | Cut
) -> None:
    """What a visitor would see is not said where the server does not tell it."""
    chain = await published(channel, 30)
    server.to_visitors = answer
    assert await audited(channel, chain) == []


async def test_an_audit_of_a_broken_chain(server: MastodonServer, channel: MastodonChannel) -> None:
    """Missing, edited, orphaned and added posts are told, in few calls."""
    chain = await published(channel, 20)
    server.delete(chain[4].remote_id)
    server.rewrite(chain[1].remote_id, "2/ something else")
    by_hand = server.write(server.accounts[TOKEN], "an aside", chain[2].remote_id)
    server.write(server.add_account("another", "bob"), "nice!", chain[2].remote_id)
    server.requests.clear()
    found = await channel.audit(chain)
    assert isinstance(found, tuple)
    assert [(d.kind, d.position) for d in found] == [
        ("edited", 2),
        ("missing", 5),
        ("out-of-order", 6),
        ("extra", None),
    ]
    assert by_hand.id in found[-1].detail
    # The first and what is below, the edited one's source, the missing one, the orphan and what is below.
    assert asked(server)[1:] == [
        "GET context",
        "GET source",
        f"GET {chain[4].remote_id}",
        f"GET {chain[5].remote_id}",
        "GET context",
    ]


async def test_an_audit_of_what_the_server_shows_in_its_own_way(
    server: MastodonServer, channel: MastodonChannel
) -> None:
    """A text that is only shown otherwise is not called edited."""
    chain = await published(channel)
    server.statuses()[2].html = "<p>as the server likes it</p>"
    assert await audited(channel, chain) == []


async def test_an_audit_where_contexts_are_cut_short(
    server: MastodonServer, channel: MastodonChannel
) -> None:
    """Posts that a server leaves out of a context are asked for one by one, not called missing."""
    chain = await published(channel)
    server.instead(CONTEXT, Response(200, {"ancestors": [], "descendants": []}), times=5)
    assert await audited(channel, chain) == []


@pytest.mark.parametrize("call", [STATUS, CONTEXT], ids=["status", "context"])
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (BUSY, Throttled),
        (Response(502), Unreached),
        (PAGE, Unreached),
        (Response(403, {"error": "no"}), Blind),
    ],
    ids=["429", "502", "a-page", "403"],
)
async def test_an_audit_that_cannot_be_made(
    server: MastodonServer, channel: MastodonChannel, call: str, answer: Response, expected: type[Any]
) -> None:
    """Where the server does not answer, a chain is not called different."""
    chain = await published(channel, 2)
    server.instead(call, answer)
    found = await channel.audit(chain)
    assert isinstance(found, expected)
    assert found.reason


# --- before a chain ------------------------------------------------------------------------------


async def test_an_account_that_may_post(
    server: MastodonServer, channel: MastodonChannel, clock: Clock
) -> None:
    """An account that may post is asked once in five minutes, and nothing is posted."""
    assert await channel.preflight() is None
    clock.turn(minutes=4, seconds=59)
    assert await channel.preflight() is None
    assert asked(server) == ["GET verify_credentials", "GET verify_credentials"]  # account, application
    clock.turn(seconds=1)
    assert await channel.preflight() is None
    assert len(server.requests) == 4
    clock.turn(hours=-1)
    assert await channel.preflight() is None
    assert len(server.requests) == 6


async def test_an_account_that_has_just_posted(server: MastodonServer, channel: MastodonChannel) -> None:
    """A post that went out says enough; one that was refused takes that back."""
    await posted(channel, "1/ The lamp")
    assert await channel.preflight() is None
    assert asked(server) == ["POST statuses"]
    server.revoke()
    assert isinstance(await post(channel, "2/ The tower", key="2"), Refused)
    assert isinstance(await channel.preflight(), Refused)


@pytest.mark.parametrize("scopes", [("write",), ("write:statuses",), ("read", "write:statuses")])
@pytest.mark.parametrize("manners", [MASTODON, GOTOSOCIAL, PLEROMA], ids=lambda one: str(one.software))
async def test_scopes_that_are_enough(scopes: tuple[str, ...], manners: Manners) -> None:
    """A token that may write may post, whether or not it may read its own account."""
    async with standing(manners=manners, scopes=scopes) as (_, channel):
        assert await channel.preflight() is None


async def test_scopes_that_are_not_enough() -> None:
    """A token that may only read is told before the first post, with what to do."""
    async with standing(scopes=("read",)) as (_, channel):
        fault = await channel.preflight()
    assert isinstance(fault, Refused)
    assert "add write:statuses" in fault.reason


CANNOT = {
    "throttled": (BUSY, Throttled, "rate limit"),
    "down": (Response(503, {"error": "down"}), Unreached, "HTTP 503"),
    "a-page": (PAGE, Unreached, "cannot be read"),
    "no-token": (Response(401, {"error": "no"}), Refused, "token is not valid"),
    "closed": (Response(403, {"error": "no"}), Refused, "may be suspended"),
    "suspended": (Response(200, {"id": "1001", "acct": "keeper", "suspended": True}), Refused, "suspended"),
    "not-a-user": (Response(422, {"error": "no"}), Refused, "HTTP 422"),
}


@pytest.mark.parametrize(("answer", "kind", "says"), CANNOT.values(), ids=CANNOT)
async def test_an_account_that_cannot_post(
    server: MastodonServer, channel: MastodonChannel, answer: Response, kind: type[Any], says: str
) -> None:
    """Why a chain should not begin now is told, and asked again each time."""
    server.instead(ME, answer)
    fault = await channel.preflight()
    assert isinstance(fault, kind)
    assert says in fault.reason
    assert await channel.preflight() is None
    assert server.statuses() == []


@pytest.mark.parametrize("why", ["closed", "suspended"])
async def test_a_check_of_an_account_that_is_closed(
    server: MastodonServer, channel: MastodonChannel, why: str
) -> None:
    """A check tells an account that the server has closed, with what to do."""
    server.instead(ME, CANNOT[why][0])
    _, account, _ = await channel.check()
    assert account.level == "error"
    assert "log in on the server" in account.advice


# --- what is left --------------------------------------------------------------------------------


async def test_calls_do_not_hide_what_posts_leave(clock: Clock) -> None:
    """What is left for posts is told until its window ends, whatever other calls are told meanwhile."""
    budgets = {**REAL_BUDGETS, "statuses": Budget(10, timedelta(hours=3))}
    async with standing(budgets=budgets, clock=clock) as (_, channel):
        sent = await posted(channel, "1/ The lamp")
        assert isinstance(sent, Sent)
        await channel.take_down(sent.remote_id)
        during = channel.quota
        clock.turn(hours=4)
        after = channel.quota
    assert during == Quota(10, 9, datetime(2026, 5, 4, 12, tzinfo=UTC))
    assert after is None


async def test_calls_tell_what_they_leave(clock: Clock) -> None:
    """Where other calls come near to their limit, that is told: a post counts as a call."""
    budgets = {**REAL_BUDGETS, "token": Budget(3, timedelta(minutes=5))}
    async with standing(budgets=budgets, clock=clock) as (_, channel):
        await posted(channel, "1/ The lamp")
        await channel.audit([Expected(1, "7", "gone", None)])
        quota_left = channel.quota
    assert quota_left == Quota(3, 1, datetime(2026, 5, 4, 9, 35, tzinfo=UTC))


async def test_deletions_leave_posts_alone(clock: Clock) -> None:
    """Where no more may be deleted, posts may go all the same: what is left of deletions is not told."""
    budgets = {**REAL_BUDGETS, "deletes": Budget(1, timedelta(minutes=30))}
    async with standing(budgets=budgets, clock=clock) as (_, channel):
        sent = await posted(channel, "1/ The lamp")
        assert isinstance(sent, Sent)
        before = channel.quota
        await channel.take_down(sent.remote_id)
        after = channel.quota
    assert before == after
    assert before is not None
    assert before.remaining > 200
