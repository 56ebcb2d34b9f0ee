"""The calls of one account: Mastodon.py, on connections that cannot be dead, with its headers noted.

Mastodon.py is synchronous and keeps state of its own, so each account has one client and one thread.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

from mastodon import Mastodon
from mastodon.errors import MastodonError, MastodonWarning

from threadcast.bot.channels.learned import Learned
from threadcast.bot.channels.mastodon.errors import GONE, NOT_MASTODON, CallError, Fault, fault_of
from threadcast.bot.channels.mastodon.headers import ahead_by, quota_of, reset_at
from threadcast.bot.channels.mastodon.instance import Instance, dig, instance_of
from threadcast.bot.channels.mastodon.matching import Status, status_of
from threadcast.bot.channels.mastodon.session import Calls, Session, fetch, software_of
from threadcast.bot.channels.mastodon.uploads import MediaApi
from threadcast.bot.channels.port import Clock, Quota
from threadcast.config.proxies import DIRECT, Proxies
from threadcast.queue.sentences import Sentence

PAGE = 40  # statuses; the most that Mastodon gives at once

UNREADABLE = Fault("unknown", Sentence("the server's answer cannot be read"))


class Client:
    """What a channel asks of its server. Every method blocks; all but `ask` and `look` raise CallError.

    `ahead` is how far the server's clock was ahead of ours by its last answer.
    """

    def __init__(
        self,
        target: str,
        token: str,
        *,
        clock: Clock,
        timeout: float,
        proxies: Proxies = DIRECT,
        learned: Learned | None = None,
    ) -> None:
        self.ahead = timedelta(0)
        self._target = target
        self._timeout = timeout
        self._clock = clock
        self._learned = learned
        self._me: str | None = None
        self._quotas: dict[bool, Quota] = {}
        self._session = Session(proxies.way_to(target))
        self.api = Mastodon(
            api_base_url=target,
            session=self._session,
            ratelimit_method="throw",
            request_timeout=timeout,
            user_agent="threadcast",
        )
        # Set here and not given above: the constructor would read a file of that name.
        self.api.access_token = token
        self.calls = Calls(self._session, target, token, timeout=timeout)
        self.media = MediaApi(self.calls, clock=clock)

    @property
    def proxy(self) -> str:
        """The proxy in use, as it may be shown."""
        return self._session.proxy

    @property
    def quota(self) -> Quota | None:
        """What is left of the limit nearest to its end, by the last headers; None where there are none.

        A post's headers tell of the limit on posts too, those of other calls do not: one does not
        replace the other. What is left of deletions does not count: a chain that was taken down may be
        posted again at once.
        """
        now = self._clock()
        quotas = [quota for quota in tuple(self._quotas.values()) if quota.reset > now]
        return min(quotas, key=lambda quota: quota.remaining, default=None)

    def ask(self, call: Callable[[], Any], *, posts: bool = False) -> tuple[object, datetime | None]:
        """What the call returned or raised, and when the rate limit ends by the answer's headers.

        `posts`: the call sends a post.
        """
        self._session.answered = {}
        try:
            answer: object = call()
        except (MastodonError, MastodonWarning, CallError, RecursionError) as error:
            answer = error  # the last: JSON nested without end
        finally:
            # Not every server closes a connection where it is asked to, and then it is kept.
            self._session.close()
        headers, now = self._session.answered, self._clock()
        self.ahead = ahead_by(headers, now=now)
        if (quota := quota_of(headers, now=now)) is not None and not self._session.deleted:
            self._quotas[posts] = quota
        return answer, reset_at(headers, now=now)

    def look(
        self, call: Callable[[], Any], *, reading: bool = False, posts: bool = False
    ) -> tuple[object, datetime | None]:
        """The same, its error read as a fault; `posts`: it counts as a post."""
        answer, reset = self.ask(call, posts=posts)
        if isinstance(answer, BaseException):
            answer = fault_of(answer, reading=reading, proxy=self.proxy)
        return answer, reset

    def instance(self) -> tuple[Instance | Fault, datetime | None]:
        answer, reset = self.look(self.api.instance_v2)
        if isinstance(answer, Fault) and answer.fate in {"refused", "unknown"}:
            older, older_reset = self.look(self.api.instance_v1)  # Mastodon before 4.0, Takahe
            if not isinstance(older, Fault):
                answer, reset = older, older_reset
        if isinstance(answer, Fault):
            return answer, reset
        software = software_of(self._session, self._target, timeout=self._timeout)
        if isinstance(software, Fault):
            return software, reset
        found = instance_of(answer, software)
        if found is not None and self._learned is not None:
            self._learned.write(found)
        return found or NOT_MASTODON, reset

    def me(self) -> str:
        """The account's id, asked for once."""
        if self._me is None:
            self.remember(self._read(self.api.account_verify_credentials))
        if self._me is None:
            raise CallError(UNREADABLE)
        return self._me

    def remember(self, account: object) -> None:
        """Whose statuses are ours: a token belongs to one account, for good."""
        number = dig(account, "id")
        if isinstance(number, str | int) and number:
            self._me = str(number)

    def status(self, remote_id: str) -> Status | None:
        """One status; None where it is gone."""
        answer = self._read_if_there(partial(self.api.status, in_path(remote_id)))
        return None if answer is None else _status(answer)

    def descendants(self, remote_id: str, *, as_visitor: bool = False) -> list[Status] | None:
        """Everything below one status, as far as the server tells; None where that is gone.

        `as_visitor`: what it tells somebody who is not logged in, None where it does not.
        """
        if as_visitor:
            path = f"/api/v1/statuses/{in_path(remote_id)}/context"
            shown = dig(fetch(self._session, self._target + path, self._timeout), "descendants")
            return _statuses(shown) if isinstance(shown, list) else None
        answer = self._read_if_there(partial(self.api.status_context, in_path(remote_id)))
        return None if answer is None else _statuses(dig(answer, "descendants"))

    def page(self, account: str, *, before: str | None) -> list[Status]:
        """An account's statuses, newest first: the newest, or those before one."""
        call = partial(
            self.api.account_statuses, in_path(account), exclude_reblogs=True, max_id=before, limit=PAGE
        )
        return _statuses(self._read(call))

    def delete(self, remote_id: str) -> None:
        """Delete one status; one that is gone is deleted."""
        try:
            self._read(partial(self.api.status_delete, in_path(remote_id)), reading=False)
        except CallError as error:
            if error.fault.status not in GONE or self.status(remote_id) is not None:
                raise

    def _read(self, call: Callable[[], Any], *, reading: bool = True) -> object:
        answer, reset = self.look(call, reading=reading)
        if isinstance(answer, Fault):
            raise CallError(answer, reset)
        return answer

    def _read_if_there(self, call: Callable[[], Any]) -> object:
        try:
            return self._read(call)
        except CallError as error:
            gone = error.fault.gone
            if not gone and error.fault.status in GONE:
                # A page may say so of anything, as from a proxy: it counts where another call is answered.
                gone = not isinstance(self.look(self.api.instance_v1)[0], Fault)
            if gone:
                return None
            raise

    def read_if_known(self, call: Callable[[], Any]) -> object:
        """None where the server does not know the call, or does not allow it."""
        try:
            return self._read(call)
        except CallError as error:
            if error.fault.fate == "refused":
                return None
            raise


def in_path(remote_id: str) -> str:
    return quote(remote_id, safe="")


def _statuses(answers: object) -> list[Status]:
    if not isinstance(answers, Sequence) or isinstance(answers, str):
        raise CallError(UNREADABLE)
    return [_status(answer) for answer in answers]


def _status(answer: object) -> Status:
    status = status_of(answer)
    if status is None:
        raise CallError(UNREADABLE)
    return status
