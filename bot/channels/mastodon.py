"""Mastodon, and the servers that speak its API: the call, and a pure `classify` of what came of it.

Mastodon.py is synchronous and keeps state of its own, so each account has one client and one thread.
What follows from which answer is decided on status codes only: messages are in the account's language.
"""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import urlsplit

import requests
from mastodon import Mastodon
from mastodon.errors import (
    MastodonAPIError,
    MastodonError,
    MastodonNetworkError,
    MastodonRatelimitError,
    MastodonWarning,
)
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProxyError, SSLError

from threadcast.bot.channels.headers import Quota, quota_of, reset_at
from threadcast.bot.channels.instance import Instance, address, dig, instance_of
from threadcast.bot.channels.port import Clock, Finding, NotReadyError, Outgoing, Sought
from threadcast.bot.channels.worker import Worker
from threadcast.queue.compose import Numbering, Rules
from threadcast.queue.states import (
    Blind,
    Look,
    Outcome,
    Refused,
    Sent,
    Settling,
    TakeDown,
    Throttled,
    Unknown,
    Unreached,
)

VISIBILITIES = ("public", "unlisted", "private", "direct")

USUAL_WAIT = timedelta(minutes=5)  # the window of Mastodon's tightest limit
LONGEST_QUOTE = 200  # code points of a server's own words

CHECK_URL = "check the channel's URL"
LATER = "try again later"


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong with a call, what became of the call, and what a person can do about it.

    `status` is the HTTP status where that decided.
    """

    fate: Literal["throttled", "unreached", "refused", "unknown"]
    what: str
    advice: str = ""
    status: int | None = None

    @property
    def reason(self) -> str:
        return f"{self.what}: {self.advice}" if self.advice else self.what


NOT_MASTODON = Fault("refused", "no Mastodon API answers at this address", CHECK_URL)
NOT_A_STATUS = "the server's answer is not a status"


def classify(answer: object, *, parent: str | None, now: datetime, reset: datetime | None) -> Outcome:
    """What the answer to one POST of a status means for it.

    `answer` is what Mastodon.py returned, or the error it raised. `parent` is the id that the post
    was to reply to. `reset` is when the server's rate limit ends, None where it did not say.

    A 404 with a parent reads as "the parent is gone", which holds for a post's first try only: a
    server looks the parent up before it looks at the idempotency key, so that a second try may be
    answered 404 although the first one landed.
    """
    if not isinstance(answer, BaseException):
        return _verify(answer, parent=parent)
    fault = fault_of(answer, reply=parent is not None)
    match fault.fate:
        case "throttled":
            return Throttled(reset or now + USUAL_WAIT, fault.reason)
        case "unreached":
            return Unreached(fault.reason)
        case "refused":
            return Refused(fault.reason)
        case _:
            return Unknown(fault.reason)


def _verify(answer: object, *, parent: str | None) -> Sent | Unknown:
    """Whether the answer is a status in the right place.

    It need not be: a proxy may have answered, a POST may have become a GET on its way, and what is
    only scheduled has an id too, but no content.
    """
    remote_id, told_parent, url = dig(answer, "id"), dig(answer, "in_reply_to_id"), dig(answer, "url")
    if not isinstance(remote_id, str | int) or not remote_id or not isinstance(dig(answer, "content"), str):
        return Unknown(NOT_A_STATUS)
    if (None if told_parent is None else str(told_parent)) != parent or str(remote_id) == parent:
        return Unknown(
            f"the server answers with another status ({_line(remote_id)}), or one in another place"
        )
    return Sent(str(remote_id), url if isinstance(url, str) and "://" in url else None)


def fault_of(error: BaseException, *, reply: bool) -> Fault:
    """What an error of Mastodon.py means. `reply`: the call was to post a reply."""
    match error:
        case MastodonNetworkError():
            return _of_transport(error.__context__)
        # Only these words come before anything was done: others may follow a status that was stored.
        case MastodonRatelimitError(args=("Hit rate limit.",)) | MastodonAPIError(args=(_, 429, *_)):
            return Fault("throttled", "the server asks to wait: its rate limit is used up")
        case MastodonAPIError(args=(_, int(code), _, words)):
            return _of_status(code, words, reply=reply)
        case MastodonAPIError():
            return Fault("unknown", "the server's answer cannot be read", CHECK_URL)
        case _:
            return Fault("unknown", f"the call failed ({type(error).__name__})")


def _of_status(code: int, words: object, *, reply: bool) -> Fault:
    match code:
        case 401:
            what = "the access token is not valid"
            advice = "make a new one on the server (Preferences, Development), put it in the channel's TOKEN"
        case 403:
            what = "the server does not allow it"
            advice = "the token needs the scope write:statuses, and the account the right to post"
        case 404 | 410 if reply:
            what, advice = "the post it replies to is gone", ""
        case 404 | 410:
            what, advice = NOT_MASTODON.what, NOT_MASTODON.advice
        case 408:  # sent by proxies too, about a request that they have passed on
            return Fault("unknown", "the server took too long (HTTP 408)")
        case _ if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Fault("unknown", f"the server failed (HTTP {code})")
        case _:
            what = f"the server does not accept it{_quote(words)}"
            advice = "if it is too long, compare `threadcast preview` with what `threadcast check` finds"
    return Fault("refused", f"{what} (HTTP {code})", advice, code)


def _quote(words: object) -> str:
    text = _line(words) if isinstance(words, str) else ""
    return f", “{text}”" if text else ""


def _line(words: object) -> str:
    """The server's own words, fit for one line of ours."""
    return "".join(c for c in " ".join(str(words).split()) if c.isprintable())[:LONGEST_QUOTE]


def _of_transport(cause: BaseException | None) -> Fault:
    """What a failure of the connection means: certainly not sent only where none was ever made."""
    match cause:
        case requests.TooManyRedirects():
            # Whoever redirects has seldom stored the post, but may have: 303 says just that.
            return Fault("unknown", f"the server redirects{_elsewhere(cause)}", CHECK_URL)
        case requests.ConnectTimeout():
            return Fault("unreached", "the server could not be reached in time")
        case requests.Timeout():
            return Fault("unknown", "the server did not answer in time")
        case requests.ConnectionError():
            return _of_connection(cause)
        case _:
            return Fault("unknown", f"the connection broke ({type(cause).__name__})")


def _of_connection(error: requests.ConnectionError) -> Fault:
    match _root(error):
        case NewConnectionError():
            return Fault("unreached", "the server could not be reached", CHECK_URL)
        case ssl.SSLCertVerificationError():  # found out while shaking hands, before anything is sent
            advice = f"{CHECK_URL}, and the clock of this machine"
            return Fault("unreached", "the server's certificate is not trusted", advice)
        case _:
            return Fault("unknown", "the connection broke before the answer was complete")


def _root(error: requests.ConnectionError) -> object:
    """What urllib3 gave up for, without the wrappers around it."""
    cause: object = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    if isinstance(cause, ProxyError):
        cause = cause.original_error
    if isinstance(cause, SSLError):
        cause = cause.args[0]
    return cause


def _elsewhere(error: requests.TooManyRedirects) -> str:
    location = error.response.headers.get("Location", "") if error.response is not None else ""
    try:
        parts = urlsplit(location)
    except ValueError:
        return ""
    return f" to {_line(parts.scheme)}://{_line(parts.hostname)}" if parts.hostname else ""


def not_ready(fault: Fault, *, now: datetime, reset: datetime | None) -> NotReadyError:
    """The fault of a call that posts nothing: what is unknown there may simply be asked again.

    Unless there is something to mend first: an answer that cannot be read, a redirect.
    """
    match fault.fate:
        case "throttled":
            return NotReadyError(Throttled(reset or now + USUAL_WAIT, fault.reason))
        case "unknown" if not fault.advice:
            return NotReadyError(Unreached(fault.reason))
        case "unreached":
            return NotReadyError(Unreached(fault.reason))
        case _:
            return NotReadyError(Refused(fault.reason))


class MastodonChannel:
    """One account on a server that speaks Mastodon's API.

    The first post of a chain has `visibility`, the replies `reply_visibility`: public replies crowd
    everybody's public timeline. `language` is an ISO 639 code, None for the account's own. `spoiler` is
    a content warning put on every post. `timeout` is seconds, for connecting and for each wait for the
    server. Raises ValueError, free of secrets, for what could never work.
    """

    kind = "mastodon"

    def __init__(
        self,
        name: str,
        *,
        url: str,
        token: str,
        numbering: Numbering,
        visibility: str = "public",
        reply_visibility: str = "unlisted",
        language: str | None = None,
        spoiler: str = "",
        clock: Clock,
        timeout: float = 30,
    ) -> None:
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError("the access token is empty, or has characters that no token has")
        if not {visibility, reply_visibility} <= set(VISIBILITIES):
            raise ValueError(f"the visibility of a post is one of {', '.join(VISIBILITIES)}")
        self.name = name
        self.target = address(url)
        self._token = token
        self._numbering = numbering
        self._visibility = visibility
        self._reply_visibility = reply_visibility
        self._language = language
        self._spoiler = spoiler
        self._clock = clock
        self._session = _Session(plain=self.target.startswith("http:"))
        self._api = Mastodon(
            api_base_url=self.target,
            session=self._session,
            ratelimit_method="throw",
            request_timeout=timeout,
            user_agent="threadcast",
        )
        # Set here and not given above: the constructor would read a file of that name.
        self._api.access_token = token
        self._worker = Worker(f"mastodon {name}", at_end=self._session.close)
        self._rules: Rules | None = None
        self._quota: Quota | None = None

    def __repr__(self) -> str:
        return f"MastodonChannel({self.name!r}, {self.target!r})"

    @property
    def quota(self) -> Quota | None:
        """What the last answer that told of a rate limit left us."""
        return self._quota

    async def rules(self) -> Rules:
        if self._rules is None:
            found, reset = await self._worker.call(self._instance)
            if isinstance(found, Fault):
                raise not_ready(found, now=self._clock(), reset=reset)
            self._rules = found.rules(numbering=self._numbering, spoiler=self._spoiler)
        return self._rules

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Send one post, once.

        Where the caller is cancelled meanwhile, a call that has begun goes on by itself, and nobody
        learns what came of it: the caller then has to take the outcome as unknown.
        """
        return await self._worker.call(partial(self._post, outgoing))

    @property
    def settling(self) -> Settling:
        return Settling(first_look=timedelta(0))

    async def look_up(self, sought: Sought) -> Look:
        return Blind(f"a post of {sought.since:%H:%M} UTC cannot be looked for yet")

    async def take_down(self, remote_id: str) -> TakeDown:
        return Refused(f"post {remote_id} cannot be taken down yet")

    async def preflight(self) -> Throttled | Unreached | Refused | None:
        return None

    async def check(self) -> tuple[Finding, ...]:
        return await self._worker.call(self._check)

    async def close(self) -> None:
        self._worker.close()

    def _post(self, outgoing: Outgoing) -> Outcome:
        answer, reset = self._ask(
            partial(
                self._api.status_post,  # `status_reply` would put our own mention before the text
                outgoing.text,
                in_reply_to_id=outgoing.parent,
                visibility=self._visibility if outgoing.parent is None else self._reply_visibility,
                spoiler_text=self._spoiler or None,
                language=self._language,
                idempotency_key=outgoing.key,
                content_type="text/plain",  # for servers that read markup where the account says so
            )
        )
        outcome = classify(answer, parent=outgoing.parent, now=self._clock(), reset=reset)
        return outcome if isinstance(outcome, Sent) else replace(outcome, reason=self._safe(outcome.reason))

    def _ask(self, call: Callable[[], Any]) -> tuple[object, datetime | None]:
        """What the call returned or raised, and when the rate limit ends by the answer's headers."""
        self._session.answered = {}
        try:
            answer: object = call()
        except (MastodonError, MastodonWarning) as error:
            answer = error
        now = self._clock()
        self._quota = quota_of(self._session.answered, now=now) or self._quota
        return answer, reset_at(self._session.answered, now=now)

    def _look(self, call: Callable[[], Any]) -> tuple[object, datetime | None]:
        """The same for a call that posts nothing, its error read as a fault."""
        answer, reset = self._ask(call)
        if isinstance(answer, BaseException):
            fault = fault_of(answer, reply=False)
            answer = replace(fault, what=self._safe(fault.what))
        return answer, reset

    def _safe(self, text: str) -> str:
        """A text that may quote the server, which may quote the token."""
        return text.replace(self._token, "•••")

    def _instance(self) -> tuple[Instance | Fault, datetime | None]:
        answer, reset = self._look(self._api.instance_v2)
        if isinstance(answer, Fault) and answer.status == HTTPStatus.NOT_FOUND:  # a server before 4.0
            answer, reset = self._look(self._api.instance_v1)
        return (answer if isinstance(answer, Fault) else instance_of(answer) or NOT_MASTODON), reset

    def _check(self) -> tuple[Finding, ...]:
        found, _ = self._instance()
        if isinstance(found, Fault):
            return (Finding("error", f"{self.target}: {found.what}", found.advice or LATER),)
        links = f"a link counts {found.url_length}" if found.is_mastodon else "a link counts in full"
        about = f"{self.target} ({found.version}): {found.limit} characters, {links}"
        return (Finding("ok", about), self._check_account(), self._check_scopes())

    def _check_account(self) -> Finding:
        answer, _ = self._look(self._api.account_verify_credentials)
        if not isinstance(answer, Fault):
            return Finding("ok", f"posts as @{dig(answer, 'acct')}")
        if answer.status == HTTPStatus.FORBIDDEN:
            advice = "posting does not need it; with the scope read:accounts it could be checked"
            return Finding("warning", "the token may not read its own account", advice)
        return Finding("error", answer.what, answer.advice or LATER)

    def _check_scopes(self) -> Finding:
        answer, _ = self._look(self._api.app_verify_credentials)
        if isinstance(answer, Fault):
            return Finding("warning", f"scopes: {answer.what}", answer.advice or LATER)
        scopes = dig(answer, "scopes")
        if not isinstance(scopes, list):
            return Finding("ok", "scopes: this server does not tell; write:statuses is needed")
        if {"write", "write:statuses"} & set(scopes):
            return Finding("ok", f"scopes: {' '.join(map(str, scopes))}")
        return Finding(
            "error",
            f"scopes: {' '.join(map(str, scopes)) or 'none'}, and no write:statuses",
            "add write:statuses to the application (Preferences, Development), then make a new token",
        )


class _Session(requests.Session):
    """Makes each request on a connection of its own and follows no redirect; notes an answer's headers.

    A kept connection may have died unseen. That would show only after a post was written into it, when
    nobody can tell any more whether it arrived; a new one fails while it is made.
    """

    def __init__(self, *, plain: bool) -> None:
        super().__init__()
        self.max_redirects = 0  # a POST would go on as a GET, and return somebody's status
        self.trust_env = not plain  # plain http stays on this machine, where no proxy is
        self.headers["Connection"] = "close"
        self.answered: Mapping[str, str] = {}
        self.hooks["response"].append(self._note)

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        # Mastodon.py asks for `/api/v2/instance/`; GoToSocial redirects what ends with a slash.
        request.url = str(request.url).rstrip("/")
        return super().prepare_request(request)

    def _note(self, response: requests.Response, **_: object) -> None:
        self.answered = response.headers
