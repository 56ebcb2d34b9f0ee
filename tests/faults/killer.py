"""Runs `threadcast` and kills it, unseen by any signal handler, at a named step. The service has no hooks.

    python tests/faults/killer.py '{"step": "request-sent", "channel": "news", "at": 2}' run

dies when the second post on `news` has left this machine and no answer has come. The same wrapper
shortens the adapters' patience and moves the clock, for faults that would take a test too long.
"""

import functools
import http.client
import inspect
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import Engine, event

from threadcast.bot import service
from threadcast.bot.channels.mastodon import channel as mastodon
from threadcast.bot.channels.telegram import channel as telegram
from threadcast.bot.channels.telegram import client as telegram_client
from threadcast.bot.shell import cli
from threadcast.queue.model import Claim
from threadcast.queue.store import engine
from threadcast.queue.store.changes import Changes
from threadcast.queue.store.notes import Notes
from threadcast.queue.store.threads import Threads
from threadcast.queue.store.transactions import one_writer
from threadcast.queue.store.work import Work

# The steps of the publisher, in the order in which a post passes them. Between two posts of a chain one
# transaction records the first and intends the second: then before-record is before-intent of the next.
STEPS = (
    "after-claim",
    "after-plan",
    "before-intent",
    "after-intent",  # on disk, and nothing sent
    "half-sent",  # the server has the beginning of a request
    "request-sent",  # the server has it whole, and its answer is not read
    "answer-begun",  # the answer's headers are read
    "response-lost",  # the answer is read and judged, and not recorded
    "before-record",
    "after-record",
)
# Steps of settling a post of unknown fate.
LOOKS = ("before-look", "after-look")
# Steps of editing a post that is out.
EDITS = ("before-edit", "after-edit-intent", "edit-lost", "after-edit")
# In the middle of its call, as of that of a post.
IN_CALL = ("request-sent", "answer-begun")
# Steps of a file that a network takes before the post: it has it, and that is not stored yet; it is.
UPLOADS = ("file-taken", "file-noted")
# Steps of an update from the chat: what it asks for is not done yet, is done, is noted as heard.
HEARING = ("before-deed", "after-deed", "after-heard")
# In the middle of any transaction, on any channel: everything is written but the commit.
COMMIT = "before-commit"

HALF_SENT = "http11.send_request_body.started"
REQUEST_SENT = "http11.receive_response_headers.started"
ANSWER_BEGUN = "http11.receive_response_headers.complete"

# The calls by which a bot posts, or edits what is out.
POSTING = ("/sendMessage", "/sendPhoto", "/editMessageText", "/editMessageCaption", "/editMessageMedia")

# What a bot says to a person: an id for a chat, in a form or as a field of a multipart body.
TO_A_PERSON = re.compile(rb"(?:^|&)chat_id=[0-9]|name=\"chat_id\"\r\n(?:[^\r\n]+\r\n)*\r\n[0-9]")


@dataclass(frozen=True)
class Plan:
    """What goes wrong inside the process.

    It dies the `at`-th time that it reaches `step` on `channel` (empty: on any), with the post at
    position `post` of a chain (0: with any). An adapter waits `timeout` seconds for an answer, and
    `settle_after` before it looks for a post of unknown fate; None for what they do by themselves. The
    clock is `clock` seconds ahead from the start, and jumps by `jump` seconds when `jump_after` posts
    have been handed to an adapter.
    """

    step: str = ""
    channel: str = ""
    post: int = 0
    at: int = 1
    timeout: float | None = None
    settle_after: float | None = 0.3
    clock: float = 0
    jump: float = 0
    jump_after: int = 0

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        given = json.loads(text)
        known = {one.name for one in fields(cls)}
        if not given.keys() <= known:
            raise ValueError(f"no such fault: {', '.join(given.keys() - known)}")
        return cls(**given)

    def to_json(self) -> str:
        return json.dumps(asdict(self))


class Killer:
    """Counts the steps, and ends the process at the one that is planned."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._left = plan.at
        self._posts: dict[str, int] = {}  # the position of the post in hand, by channel
        self._guard = threading.Lock()

    def reach(self, step: str, channel: str = "", post: int | None = None) -> None:
        """The process comes to a step, with the post at this position or (None) the one in hand."""
        with self._guard:
            if post is not None:
                self._posts[channel] = post
            plan = self._plan
            here = plan.channel in {"", channel} and plan.post in {0, self._posts.get(channel, 0)}
            if here and plan.step == step:
                self._left -= 1
                if not self._left:
                    os.kill(os.getpid(), signal.SIGKILL)


def wrap(owner: Any, name: str, wrapper: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Put a wrapper around a function of a class or module."""
    original = getattr(owner, name)
    setattr(owner, name, functools.wraps(original, updated=())(wrapper(original)))


def around_store(killer: Killer) -> None:  # noqa: C901  # a wrapper for each step
    """The steps that are transactions."""

    def plan(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Work, claim: Any, posts: Any, **kwargs: Any) -> Any:
            planned = original(self, claim, posts, **kwargs)
            killer.reach("after-plan", claim.delivery.channel)
            return planned

        return call

    def claim(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Work, channel: str, **kwargs: Any) -> Any:
            claim = original(self, channel, **kwargs)
            if isinstance(claim, Claim):
                killer.reach("after-claim", channel)
            return claim

        return call

    def intend(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Work, claim: Any, position: int, **kwargs: Any) -> Any:
            killer.reach("before-intent", claim.delivery.channel, position)
            intended = original(self, claim, position, **kwargs)
            killer.reach("after-intent", claim.delivery.channel, position)
            return intended

        return call

    def record(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Work, claim: Any, position: int | None, change: Any, **kwargs: Any) -> Any:
            channel, post = claim.delivery.channel, position or 0
            killer.reach("before-record", channel, post)
            if kwargs.get("following") is not None:
                killer.reach("before-intent", channel, post + 1)
            recorded = original(self, claim, position, change, **kwargs)
            killer.reach("after-record", channel, post)
            if kwargs.get("following") is not None:
                killer.reach("after-intent", channel, post + 1)
            return recorded

        return call

    def around(before: str, after: str) -> Callable[..., Any]:
        def wrapper(original: Callable[..., Any]) -> Callable[..., Any]:
            def call(self: Work, claim: Any, position: int, *args: Any, **kwargs: Any) -> Any:
                killer.reach(before, claim.delivery.channel, position)
                result = original(self, claim, position, *args, **kwargs)
                killer.reach(after, claim.delivery.channel, position)
                return result

            return call

        return wrapper

    wrap(Work, "note_uploads", around("file-taken", "file-noted"))
    wrap(Work, "intend_edit", around("before-edit", "after-edit-intent"))
    wrap(Work, "record_edit", around("edit-lost", "after-edit"))
    wrap(Work, "claim", claim)
    wrap(Work, "plan", plan)
    wrap(Work, "intend", intend)
    wrap(Work, "record", record)
    event.listen(Engine, "commit", lambda _: killer.reach(COMMIT))


def around_channel(killer: Killer, adapter: type, sending: Callable[[], None]) -> None:
    """The steps around an adapter's calls."""

    def send(original: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
        async def call(self: Any, outgoing: Any) -> Any:
            sending()
            outcome = await original(self, outgoing)
            killer.reach("response-lost", self.name)
            return outcome

        return call

    def look_up(original: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
        async def call(self: Any, sought: Any) -> Any:
            killer.reach("before-look", self.name)
            look = await original(self, sought)
            killer.reach("after-look", self.name)
            return look

        return call

    wrap(adapter, "send", send)
    wrap(adapter, "look_up", look_up)


def around_httpx(killer: Killer, channel: str) -> None:
    """The steps of a request to Telegram. https://www.encode.io/httpcore/extensions/#trace"""
    steps = {HALF_SENT: "half-sent", REQUEST_SENT: "request-sent", ANSWER_BEGUN: "answer-begun"}

    async def trace(name: str, _: Mapping[str, Any]) -> None:
        if name in steps:
            killer.reach(steps[name], channel)

    def handle(original: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
        async def call(self: Any, request: httpx.Request) -> Any:
            to_a_person = TO_A_PERSON.search(await request.aread()) is not None  # a file is streamed
            if request.url.path.endswith(POSTING) and not to_a_person:
                request.extensions = {**request.extensions, "trace": trace}
            return await original(self, request)

        return call

    wrap(httpx.AsyncHTTPTransport, "handle_async_request", handle)


class Posting:
    """Which connections of the standard library's carry a new status, or an edited one."""

    def __init__(self) -> None:
        self._posting: set[int] = set()  # by id

    def asks(self, connection: object, method: str, url: str) -> None:
        self._posting.discard(id(connection))
        if (method == "POST" and url.endswith("/api/v1/statuses")) or method == "PUT":
            self._posting.add(id(connection))

    def __contains__(self, connection: object) -> bool:
        return id(connection) in self._posting


def around_http_client(killer: Killer, channel: str) -> None:
    """The steps of a request to Mastodon, of which the standard library writes the bytes."""
    posting = Posting()

    def putrequest(original: Callable[..., None]) -> Callable[..., Any]:
        def call(self: http.client.HTTPConnection, method: str, url: str, *args: Any, **kwargs: Any) -> None:
            posting.asks(self, method, url)
            original(self, method, url, *args, **kwargs)

        return call

    def between(before: str, after: str) -> Callable[..., Any]:
        def wrapper(original: Callable[..., Any]) -> Callable[..., Any]:
            def call(self: http.client.HTTPConnection, *args: Any, **kwargs: Any) -> Any:
                if before and self in posting:
                    killer.reach(before, channel)
                result = original(self, *args, **kwargs)
                if self in posting:
                    killer.reach(after, channel)
                return result

            return call

        return wrapper

    wrap(http.client.HTTPConnection, "putrequest", putrequest)
    wrap(http.client.HTTPConnection, "endheaders", between("", "half-sent"))  # the body is still to come
    wrap(http.client.HTTPConnection, "getresponse", between("request-sent", "answer-begun"))


def around_hearing(killer: Killer) -> None:
    """The steps of what the chat is asked for: threads that are added, pieces pasted, presses, commands."""

    def around(original: Callable[..., Any], is_deed: Callable[..., bool]) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            by_chat = is_deed(*args, **kwargs)
            if by_chat:
                killer.reach("before-deed")
            result = original(self, *args, **kwargs)
            if by_chat:
                killer.reach("after-deed")
            elif args[:1] == ("heard",):
                killer.reach("after-heard")
            return result

        return call

    def by_chat(*_: Any, actor: str, **__: Any) -> bool:
        return actor.startswith("telegram:")

    def piece(page: str, line: int, *_: Any, **__: Any) -> bool:
        return page.startswith("draft:") and line > 0

    for part, name in ((Threads, "add"), *((Changes, name) for name in ("apply", "skip", "settle", "pause"))):
        wrap(part, name, functools.partial(around, is_deed=by_chat))
    wrap(Notes, "write", functools.partial(around, is_deed=piece))


class Clock:
    """The service's clock, which somebody sets."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._sends = 0
        self.ahead = timedelta(seconds=plan.clock)

    def sending(self) -> None:
        self._sends += 1
        if self._sends == self._plan.jump_after:
            self.ahead += timedelta(seconds=self._plan.jump)


def install(plan: Plan) -> None:
    """Put everything in place, once in a process."""
    killer, clock = Killer(plan), Clock(plan)
    around_store(killer)
    around_channel(killer, telegram.TelegramChannel, clock.sending)
    around_channel(killer, mastodon.MastodonChannel, clock.sending)
    around_httpx(killer, "news")
    around_http_client(killer, "masto")
    around_hearing(killer)
    if plan.clock or plan.jump:
        wrap(service, "now", lambda original: lambda: original() + clock.ahead)
    if plan.timeout is not None:
        make(telegram_client.make_bot, timeout=plan.timeout)
        make(mastodon.MastodonChannel.__init__, timeout=plan.timeout)
    if plan.settle_after is not None:
        soon = timedelta(seconds=plan.settle_after)
        for adapter in (telegram.TelegramChannel, mastodon.MastodonChannel):
            wrap(
                adapter,
                "__init__",
                lambda made: lambda *given, **named: made(*given, **{**named, "settle_after": soon}),
            )


def make(function: Any, **defaults: Any) -> None:
    """Give a function's keyword parameters other defaults."""
    unheard_of = defaults.keys() - function.__kwdefaults__.keys()
    if unheard_of:
        raise ValueError(f"no such parameter: {', '.join(unheard_of)}")
    function.__kwdefaults__.update(defaults)


def impatient() -> None:
    """Run the command with a tenth of the patience for another program's lock."""
    make(engine.make_engine, patience=engine.PATIENCE / 10)
    make(inspect.unwrap(one_writer), patience=engine.PATIENCE / 10)
    engine.PATIENCE /= 10
    cli.main()


def main() -> None:
    install(Plan.from_json(sys.argv.pop(1)))
    cli.main()


if __name__ == "__main__":
    main()
