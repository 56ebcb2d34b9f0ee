"""Mastodon, and the servers that speak its API: the channel, and its one thread for a library that blocks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from threadcast.bot.channels.learned import Learned
from threadcast.bot.channels.mastodon.checks import check, preflight
from threadcast.bot.channels.mastodon.client import Client
from threadcast.bot.channels.mastodon.errors import (
    GONE,
    NOT_A_STATUS,
    CallError,
    Fault,
    classify,
    not_ready,
    obstacle,
)
from threadcast.bot.channels.mastodon.instance import Instance, dig, reach_of, spoiler_of
from threadcast.bot.channels.mastodon.lookup import audit, find, look_up, not_seen, take_down
from threadcast.bot.channels.mastodon.matching import Status, readers_of
from threadcast.bot.channels.mastodon.uploads import MastodonFiles, as_focus
from threadcast.bot.channels.media import NO_FILES, ChannelFiles, Uploads
from threadcast.bot.channels.port import (
    Clock,
    Comparison,
    Expected,
    Finding,
    Named,
    NotReadyError,
    Outgoing,
    Quota,
    Readers,
    Sought,
)
from threadcast.config.channels import MastodonChannelSettings, narrower
from threadcast.config.proxies import DIRECT, Proxies
from threadcast.queue.compose.rules import Rules
from threadcast.queue.outcomes import (
    Blind,
    Look,
    Obstacle,
    Outcome,
    Refused,
    Sent,
    Settling,
    TakeDown,
    Throttled,
    Unknown,
    Unreached,
)
from threadcast.queue.sentences import Sentence
from threadcast.queue.text.settings import NO_SETTINGS, ThreadSettings

T = TypeVar("T")

FIRST_LOOK = timedelta(seconds=10)  # a request that was given up here may still be at work there
APART = timedelta(minutes=1)
MISSES = 2
KEY_LIFE = timedelta(minutes=50)  # Mastodon keeps a key for an hour; what is ours is well inside
FIT_FOR = timedelta(minutes=5)  # how long an account that may post is not asked again


class MastodonChannel:
    """One account on a server that speaks Mastodon's API.

    `timeout` is seconds, for connecting and for each wait for the server. `settle_after` is when a post of
    unknown fate is looked for, and how long after that again; None for what suits a server under load.
    `learned` remembers what the server says of itself.
    """

    kind = "mastodon"

    def __init__(
        self,
        settings: MastodonChannelSettings,
        *,
        clock: Clock,
        files: ChannelFiles = NO_FILES,
        proxies: Proxies = DIRECT,
        timeout: float = 30,
        settle_after: timedelta | None = None,
        learned: Learned | None = None,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name, self.target, self.also = settings.name, settings.url, settings.also
        self._settings = settings
        self._clock = clock
        token = settings.token.get_secret_value()
        self._client = Client(
            settings.url, token, clock=clock, timeout=timeout, proxies=proxies, learned=learned
        )
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"mastodon {self.name}")
        self.files: ChannelFiles = files
        self._uploads = MastodonFiles(files, self._client.media, call=self._call, clock=clock, rest=rest)
        if files.takes is not None:
            self.files = self._uploads
        self._settle_after = settle_after
        self._instance: Instance | None = None
        self.reach = reach_of(settings.depth)
        self.readership = MastodonReadership(self._client, call=self._call, clock=clock)
        self._fit_until: datetime | None = None

    async def rules(self, settings: ThreadSettings = NO_SETTINGS) -> Rules:
        if self._instance is None:
            found, reset = await self._call(self._client.instance)
            if isinstance(found, Fault):
                raise not_ready(found, now=self._clock(), reset=reset)
            self._instance = found
            self._uploads.learn(found)
            self.reach = found.reach(self._settings.depth)
        return replace(self._instance.rules(self._settings, settings), media=self.files.takes)

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Send one post, once.

        Where the caller is cancelled meanwhile, a call that has begun goes on by itself, and nobody
        learns what came of it: the caller then has to take the outcome as unknown.
        """
        uploads: Uploads | Obstacle = outgoing.uploads
        if len(outgoing.uploads) != len(outgoing.media):  # its files are uploaded before its chain begins
            uploads = await self.files.accept(outgoing.media, outgoing.uploads)
        if not isinstance(uploads, tuple):
            return uploads
        call = partial(_post, self._client, self._settings, outgoing, uploads, self._clock)
        outcome = await self._call(call)
        match outcome:
            case Sent():
                self._fit_until = self._clock() + FIT_FOR
            case Refused():
                self._fit_until = None
        return outcome

    @property
    def settling(self) -> Settling:
        """Of the servers that speak this API, Mastodon alone knows keys; one that was not asked is none."""
        return Settling(
            first_look=FIRST_LOOK if self._settle_after is None else self._settle_after,
            apart=APART if self._settle_after is None else self._settle_after,
            misses=MISSES,
            key_life=KEY_LIFE if self._instance and self._instance.is_mastodon else timedelta(0),
            resend=self._settings.resends,
        )

    @property
    def limits_posts(self) -> bool | None:
        """Mastodon does: 300 in 3 hours. Others tell by their headers where they do."""
        return self._instance.is_mastodon if self._instance else None

    @property
    def quota(self) -> Quota | None:
        return self._client.quota

    async def look_up(self, sought: Sought) -> Look:
        return await self._call(lambda: look_up(self._client, sought, now=self._clock()))

    async def find(self, address: str, texts: Sequence[str]) -> Named:
        return await self._call(
            lambda: find(self._client, address, texts, server=self.target, now=self._clock())
        )

    async def edit(self, remote_id: str, outgoing: Outgoing) -> Outcome:
        """Replace what a status says and shows; files that stay have what is said of them now."""
        call = partial(_put, self._client, self._settings, remote_id, outgoing, self._clock)
        return await self._call(call)

    async def take_down(self, remote_id: str) -> TakeDown:
        return await self._call(lambda: take_down(self._client, remote_id, now=self._clock()))

    async def audit(self, chain: Sequence[Expected]) -> Comparison:
        if any(one.uploads for one in chain):
            with suppress(NotReadyError):
                await self.rules()
        names = self._instance is not None and self._instance.is_mastodon
        return await self._call(lambda: audit(self._client, chain, names=names, now=self._clock()))

    async def preflight(self) -> Obstacle | None:
        """That the account may post is remembered for a while, and known after a post that went out."""
        now = self._clock()
        if self._fit_until is not None and now < self._fit_until <= now + FIT_FOR:
            return None
        fault = await self._call(lambda: preflight(self._client, now=self._clock()))
        self._fit_until = self._clock() + FIT_FOR if fault is None else None
        return fault

    async def check(self) -> tuple[Finding, ...]:
        return await self._call(lambda: check(self._client, self.target))

    async def close(self) -> None:
        # Nobody waits for a call that is under way.
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _call(self, function: Callable[[], T]) -> T:
        """Make a call in the account's thread. One that has begun ends by itself, whoever is cancelled."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)


class MastodonReadership:
    """Two calls for a chain, one after the other: a post that is to go out meanwhile is let between."""

    def __init__(
        self, client: Client, *, call: Callable[[Callable[[], Any]], Awaitable[Any]], clock: Clock
    ) -> None:
        self._client = client
        self._call = call
        self._clock = clock

    async def of(self, remote_ids: Sequence[str]) -> Mapping[str, Readers] | Throttled | Unreached | Blind:
        first: Status | None = None
        below: list[Status] = []
        try:
            for remote_id in remote_ids:
                first = await self._call(partial(self._client.status, remote_id))
                if first is not None:
                    below = await self._call(partial(self._client.descendants, remote_id)) or []
                    break
        except CallError as error:
            return not_seen(error, now=self._clock())
        return {} if first is None else readers_of([first, *below], remote_ids)


def _post(
    client: Client, usual: MastodonChannelSettings, outgoing: Outgoing, uploads: Uploads, now: Clock
) -> Outcome:
    """Make the call that posts a status."""
    wished, parent = outgoing.settings, outgoing.parent
    visibility = wished.visibility or usual.visibility
    replies = wished.reply_visibility or narrower(wished.visibility, usual.reply_visibility)
    answer, reset = client.ask(
        partial(
            client.api.status_post,  # `status_reply` would put our own mention before the text
            outgoing.text,
            in_reply_to_id=parent,
            media_ids=list(uploads) or None,
            visibility=visibility if parent is None else replies,
            idempotency_key=outgoing.key,
            **_said(wished, usual),
        ),
        posts=True,
    )
    outcome = classify(answer, parent=parent, now=now(), reset=reset, proxy=client.proxy)
    if isinstance(outcome, Sent):
        client.remember(dig(answer, "account"))
    return outcome


def _put(
    client: Client, usual: MastodonChannelSettings, remote_id: str, outgoing: Outgoing, now: Clock
) -> Outcome:
    """Make the call that edits a status. It replaces everything: what is not given again is cleared."""
    described = [
        {"id": number, "description": one.description, "focus": as_focus(one.focal_point)}
        for number, one in zip(outgoing.uploads, outgoing.media, strict=False)
    ]
    fields: dict[str, object] = {"status": outgoing.text, **_said(outgoing.settings, usual)}
    if described:
        fields |= {"media_ids": [one["id"] for one in described], "media_attributes": described}
    given = {name: value for name, value in fields.items() if value is not None}
    answer, reset = client.look(partial(client.calls.edit, remote_id, given), posts=True)
    if isinstance(answer, Fault):
        try:
            if answer.status in GONE and client.status(remote_id) is None:
                return Refused(Sentence("the post {remote_id} is not there any more", remote_id=remote_id))
        except CallError as error:
            return obstacle(error.fault, now=now(), reset=error.reset)
        return (
            Unknown(answer.reason) if answer.fate == "unknown" else obstacle(answer, now=now(), reset=reset)
        )
    if str(dig(answer, "id")) != remote_id or not isinstance(dig(answer, "content"), str):
        return Unknown(NOT_A_STATUS)
    return Sent(remote_id, None)


def _said(wished: ThreadSettings, usual: MastodonChannelSettings) -> dict[str, Any]:
    """What is said with each post of a thread, and again with each edit of one."""
    return {
        "sensitive": bool(wished.sensitive),
        "spoiler_text": spoiler_of(wished, usual) or None,
        "language": wished.language or usual.language,
        "quote_approval_policy": wished.quotes,
        "content_type": "text/plain",  # for servers that read markup where the account says so
    }
