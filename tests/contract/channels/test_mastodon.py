"""The Mastodon channel against strict servers of two kinds on loopback."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.contract.channels.harness import Harness, Seen, post, posted
from tests.contract.channels.mastodon_stand import NOW, make_channel, standing
from tests.contract.channels.showing import ShowingContract
from tests.contract.channels.suite import RemoteChannelContract
from tests.servers.http import LoopbackServer, Request, Response
from tests.servers.mastodon.budgets import REAL_BUDGETS, Budget
from tests.servers.mastodon.manners import BEFORE_4_0, GOTOSOCIAL, MASTODON, SNAC, TAKAHE, Manners
from tests.servers.mastodon.server import TOKEN, MastodonServer
from threadcast.bot.channels.mastodon.channel import MastodonChannel
from threadcast.bot.channels.media import MASTODON_FILES, MASTODON_PICTURES, ChannelFiles
from threadcast.bot.channels.port import Channel, NotReadyError, Outgoing, Quota
from threadcast.bot.media.store import MediaStore
from threadcast.queue.compose.compose import compose
from threadcast.queue.compose.rules import Numbering
from threadcast.queue.outcomes import Outcome, Refused, Sent, Throttled, Unknown, Unreached
from threadcast.queue.text.parse import parse
from threadcast.queue.text.settings import NO_SETTINGS, ThreadSettings

KINDS = {"image": "image", "gifv": "animation", "video": "video", "audio": "audio"}


class MastodonHarness:
    """An account on a server."""

    limit = 500
    needs_landmark = False
    remote = True
    describes = True
    secret = TOKEN

    def __init__(self, server: MastodonServer, data: Path, *, idempotent: bool) -> None:
        self._files = ChannelFiles(MediaStore(data), MASTODON_FILES, MASTODON_PICTURES)
        self._server = server
        self.idempotent = self.names_files = idempotent  # both are Mastodon's alone
        server.add_account()

    def channel(self, *, numbering: Numbering = Numbering.KEEP) -> Channel:
        return make_channel(self._server, numbering=numbering, files=self._files, rest=self._rest)

    async def _rest(self, seconds: float) -> None:
        """The server is done when it was asked often enough."""

    def seen(self) -> list[Seen]:
        return [
            Seen(s.id, s.text, s.parent, tuple((KINDS[one.kind], one.description) for one in s.files))
            for s in self._server.statuses()
        ]

    @property
    def uploads(self) -> dict[str, list[str]]:
        return {s.id: [one.id for one in s.files] for s in self._server.statuses()}

    def delete(self, remote_id: str) -> None:
        self._server.delete(remote_id)

    def now(self) -> datetime:
        return NOW

    def stop(self) -> None:
        self._server.stop()

    def throttle(self, seconds: int) -> None:
        self._server.throttle(seconds)

    def lose_answer(self) -> None:
        self._server.lose_answer()

    def fail(self, status: int) -> None:
        self._server.fail(status)

    def revoke(self) -> None:
        self._server.revoke()


class TestMastodon(RemoteChannelContract, ShowingContract):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Iterator[Harness]:
        with MastodonServer(clock=lambda: NOW) as server:
            yield MastodonHarness(server, tmp_path, idempotent=True)


class TestGoToSocial(RemoteChannelContract, ShowingContract):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Iterator[Harness]:
        with MastodonServer(manners=GOTOSOCIAL, clock=lambda: NOW) as server:
            yield MastodonHarness(server, tmp_path, idempotent=False)


class TestOnAServerFromAnotherTime(RemoteChannelContract):
    """The server's clock is an hour ahead of ours; it is from before Mastodon 4.0, and speaks German."""

    @pytest.fixture
    def harness(self, tmp_path: Path) -> Iterator[Harness]:
        ahead = NOW + timedelta(hours=1)
        with MastodonServer(locale="de", manners=BEFORE_4_0, clock=lambda: ahead) as server:
            yield MastodonHarness(server, tmp_path, idempotent=True)


async def sent_by(server: MastodonServer, **changes: Any) -> tuple[Outcome, Outcome]:
    """A chain of two posts on a channel with these settings."""
    channel = make_channel(server, **changes)
    try:
        first = await posted(channel, "1/ The lamp", key="1")
        return first, await post(channel, "2/ The tower", parent=first.remote_id, key="2")
    finally:
        await channel.close()


@pytest.mark.parametrize("given", [(), ("unlisted", "private")])
async def test_visibilities(server: MastodonServer, given: tuple[str, ...]) -> None:
    """The first post of a chain is public and the replies are unlisted, unless configured otherwise."""
    await sent_by(server, **dict(zip(("visibility", "reply_visibility"), given, strict=False)))
    assert [s.visibility for s in server.statuses()] == list(given or ("public", "unlisted"))


async def test_language_and_content_warning(server: MastodonServer) -> None:
    """Every post of a chain has the language and the content warning that are configured."""
    await sent_by(server, language="de", spoiler="Meer")
    assert [(s.language, s.spoiler) for s in server.statuses()] == [("de", "Meer"), ("de", "Meer")]


async def test_the_settings_of_a_thread(server: MastodonServer) -> None:
    """A thread's own settings go before the channel's, whose warning it may also do without."""
    channel = make_channel(server, language="de", spoiler="Meer", reply_visibility="public")
    try:
        for settings in (
            ThreadSettings(
                warning="Food", language="fr", visibility="private", quotes="nobody", sensitive=True
            ),
            ThreadSettings(warning="", reply_visibility="direct"),
            NO_SETTINGS,
        ):
            parent = None
            for text in ("1/ The lamp", "2/ The tower"):
                key = f"{settings.given()} {text}"
                sent = await channel.send(Outgoing(text, parent, key, settings=settings))
                assert isinstance(sent, Sent)
                parent = sent.remote_id
    finally:
        await channel.close()
    assert [(s.spoiler, s.language, s.visibility, s.quotes, s.sensitive) for s in server.statuses()] == [
        ("Food", "fr", "private", "nobody", True),
        ("Food", "fr", "private", "nobody", True),  # replies are for nobody else
        ("", "de", "public", None, False),
        ("", "de", "direct", None, False),
        ("Meer", "de", "public", None, True),
        ("Meer", "de", "public", None, True),
    ]


async def test_a_warning_of_a_thread_counts(server: MastodonServer) -> None:
    """A post that fills the limit together with its thread's warning is taken; one character longer, not."""
    settings = ThreadSettings(warning="🍞 Food", numbering="none")
    (thread,) = parse(f"{'x ' * 600}")
    channel = make_channel(server)
    try:
        rules = await channel.rules(settings)
        posts = compose(thread, rules)
        assert len(posts) == 3
        full = "x" * (rules.limit - 6)
        outcomes = [
            await channel.send(Outgoing(text, None, text, settings=settings)) for text in (full, f"{full}x")
        ]
    finally:
        await channel.close()
    assert rules.measure(full) == rules.limit
    assert [type(one) for one in outcomes] == [Sent, Refused]


async def test_the_accounts_own_language(server: MastodonServer) -> None:
    """Without a language none is sent, so that the account's own holds."""
    await sent_by(server)
    assert all("language" not in request.form for request in server.requests)
    assert {status.language for status in server.statuses()} == {"en"}


async def test_what_is_sent(server: MastodonServer) -> None:
    """A post is one request, with its key, as plain text, and on a connection that is not kept."""
    await sent_by(server)
    assert [(r.method, r.path) for r in server.requests] == [("POST", "/api/v1/statuses")] * 2
    assert [r.headers["idempotency-key"] for r in server.requests] == ["1", "2"]
    assert {r.headers["connection"] for r in server.requests} == {"close"}
    assert [r.form["content_type"] for r in server.requests] == [["text/plain"]] * 2


async def test_where_a_post_is_seen(server: MastodonServer, channel: MastodonChannel) -> None:
    """The address of a status is recorded."""
    sent = await posted(channel, "1/ The lamp")
    assert sent.url == f"{server.url}/@keeper/{sent.remote_id}"


async def test_a_limit_that_the_server_tells() -> None:
    """The limit is the server's own, asked for once."""
    with MastodonServer(limit=5000) as roomy:
        channel = make_channel(roomy)
        limits = [(await channel.rules()).limit for _ in range(3)]
        await channel.close()
        assert limits == [5000, 5000, 5000]
        asked = ["/api/v2/instance", "/.well-known/nodeinfo", "/nodeinfo/2.0"]
        assert [request.path for request in roomy.requests] == asked
        assert all("authorization" not in request.headers for request in roomy.requests[1:])


@pytest.mark.parametrize("manners", [SNAC, TAKAHE], ids=["silent", "late"])
async def test_connections_that_the_server_closes(manners: Manners) -> None:
    """No post is written into a connection that the server is just closing, whether it said so or not."""
    async with standing(manners=manners) as (_, channel):
        outcomes = [await post(channel, f"{number}/ The lamp", key=str(number)) for number in range(12)]
    assert {type(outcome) for outcome in outcomes} == {Sent}


async def test_rules_are_asked_again_after_a_failure(server: MastodonServer) -> None:
    """Rules that could not be had are asked for again."""
    server.stop()
    channel = make_channel(server)
    with pytest.raises(NotReadyError):
        await channel.rules()
    server.start()
    assert (await channel.rules()).limit == 500
    await channel.close()


async def test_a_slow_answer(server: MastodonServer) -> None:
    """A server that does not answer within the timeout leaves the post unknown."""
    released = server.hold_answer()
    channel = make_channel(server, timeout=0.2)
    outcome = await post(channel, "1/ The lamp")
    released.set()
    await channel.close()
    assert isinstance(outcome, Unknown)
    assert "in time" in outcome.reason


async def test_a_cancelled_send(server: MastodonServer, channel: MastodonChannel) -> None:
    """A caller that is cancelled goes at once; the call in hand ends by itself, and the next one follows."""
    released = server.hold_answer()
    task = asyncio.ensure_future(post(channel, "1/ The lamp", key="1"))
    await asyncio.to_thread(server.wait_for, lambda server: len(server.requests) == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    released.set()
    await posted(channel, "2/ The tower", key="2")
    assert [s.text for s in server.statuses()] == ["1/ The lamp", "2/ The tower"]


async def test_a_send_that_is_cancelled_in_the_queue(
    server: MastodonServer, channel: MastodonChannel
) -> None:
    """A call that is cancelled before it began is never made."""
    released = server.hold_answer()
    first = asyncio.ensure_future(post(channel, "1/ The lamp", key="1"))
    await asyncio.to_thread(server.wait_for, lambda server: len(server.requests) == 1)
    waiting = asyncio.ensure_future(post(channel, "2/ The tower", key="2"))
    await asyncio.sleep(0)  # lets it line up
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    released.set()
    assert isinstance(await first, Sent)
    assert [s.text for s in server.statuses()] == ["1/ The lamp"]


async def test_what_the_headers_leave() -> None:
    """Each answer tells what is left of the limit nearest to its end; a lost one changes nothing."""
    budgets = {**REAL_BUDGETS, "statuses": Budget(2, timedelta(hours=3))}
    async with standing(budgets=budgets) as (server, channel):
        before = channel.quota
        await posted(channel, "1/ The lamp", key="1")
        after = channel.quota
        server.lose_answer()
        await post(channel, "2/ The tower", key="2")
        lost = channel.quota
    assert before is None
    assert after == lost == Quota(2, 1, datetime(2026, 5, 4, 12, tzinfo=UTC))


class Website(LoopbackServer):
    """What answers at an address that is no Mastodon server's."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self._answer = answer

    def handle(self, request: Request) -> Response:
        return self._answer


NO_MASTODON = {
    "not-found": (Response(404, b"<html>Not found</html>"), Refused, "no Mastodon API"),
    "a-page": (Response(200, b"<html>Welcome</html>"), Refused, "cannot be read"),
    "something-else": (Response(200, {"name": "a shop"}), Refused, "no Mastodon API"),
    "redirect": (
        Response(301, b"", {"Location": "https://www.a.example/"}),
        Refused,
        "redirects to https://www.a.example",
    ),
    "down": (Response(503, b"<html>Back soon</html>"), Unreached, "HTTP 503"),
    "busy": (Response(429, b"", {"Retry-After": "60"}), Throttled, "asks to wait"),
    "closed": (Response(401, {"error": "Log in"}), Refused, "token is not valid"),
}


@pytest.mark.parametrize(("answer", "kind", "says"), NO_MASTODON.values(), ids=NO_MASTODON)
async def test_an_address_that_does_not_answer_as_mastodon(
    answer: Response, kind: type[Throttled | Unreached | Refused], says: str
) -> None:
    """Rules that cannot be had come with what to do: wait, try again, or mend the address."""
    with Website(answer) as website:
        channel = make_channel(website)
        with pytest.raises(NotReadyError) as caught:
            await channel.rules()
        findings = await channel.check()
        await channel.close()
    assert isinstance(caught.value.outcome, kind)
    assert says in caught.value.outcome.reason
    assert [f.level for f in findings] == ["error"]
    assert says in findings[0].what
    assert findings[0].advice


async def checked(scopes: tuple[str, ...], manners: Manners = MASTODON) -> list[tuple[str, str]]:
    async with standing(manners=manners, scopes=scopes) as (server, channel):
        findings = await channel.check()
        assert all(bool(f.advice) is (f.level != "ok") for f in findings)
        assert {r.method for r in server.requests} == {"GET"}
        return [(f.level, f.what.removeprefix(f"{server.url} ")) for f in findings]


async def test_a_check_of_a_good_account() -> None:
    """A check tells the server, its limits, the account and the scopes."""
    assert await checked(("read:accounts", "read:statuses", "write:media", "write:statuses")) == [
        ("ok", "(4.5.3): 500 characters, a link counts 23"),
        ("ok", "posts as @keeper"),
        ("ok", "scopes: read:accounts read:statuses write:media write:statuses"),
    ]


BOTH = (
    "add read:accounts and read:statuses, so that a post whose answer was lost can be looked for; "
    "add write:media, so that pictures and other files can be posted"
)


@pytest.mark.parametrize(
    ("scopes", "missing"),
    [
        (("read", "write"), ""),
        (("read", "write:statuses"), "add write:media"),
        (("write:statuses",), BOTH),
        (("write:statuses", "write:media"), "add read:accounts"),
    ],
)
async def test_a_check_names_the_scopes_that_are_missing(scopes: tuple[str, ...], missing: str) -> None:
    """A token that posts and may not post files, or not look for posts, is a warning that names the scope."""
    async with standing(scopes=scopes) as (_, channel):
        found = (await channel.check())[-1]
    assert found.level == ("warning" if missing else "ok")
    assert found.advice.startswith(missing)


async def test_a_check_of_a_token_that_may_only_read() -> None:
    """A token that may not post is an error, with what to do about it."""
    assert (await checked(("read",)))[-1] == ("error", "scopes: read, and no write:statuses")


async def test_a_check_of_a_token_that_may_only_write() -> None:
    """A token that may only post is enough, though less can be checked, and no post looked for."""
    levels = [level for level, _ in await checked(("write:statuses",))]
    assert levels == ["ok", "warning", "warning"]


async def test_a_check_where_scopes_are_not_told() -> None:
    """A server that does not tell the scopes is not held against the token."""
    assert await checked(("write", "read"), GOTOSOCIAL) == [
        ("ok", "(0.20.2+git-1f2e3d4): 500 characters, a link counts in full"),
        ("ok", "posts as @keeper"),
        ("ok", "scopes: this server does not tell; write:statuses is needed"),
    ]


@pytest.mark.parametrize("status", [404, 405, 410, 501])
async def test_a_check_where_the_look_at_the_scopes_is_not_to_be_had(status: int) -> None:
    """However a server says that it has no such call, only the scopes are not told; the rest is fine."""
    found = await checked(("write", "read"), replace(MASTODON, app_credentials=status))
    assert [level for level, _ in found] == ["ok", "ok", "ok"]
    assert found[-1] == ("ok", "scopes: this server does not tell; write:statuses is needed")
