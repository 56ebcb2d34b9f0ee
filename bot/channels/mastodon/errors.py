"""What went wrong with a call of Mastodon's API, and what it means. Pure.

What follows from which answer is decided on status codes only: messages are in the account's language.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Literal
from urllib.parse import urlsplit

import requests
from mastodon.errors import MastodonAPIError, MastodonNetworkError, MastodonRatelimitError
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProxyError

from threadcast.bot.channels.connection import Trouble, trouble_of, unreached
from threadcast.bot.channels.mastodon.instance import address_of, dig, fit_to_show
from threadcast.bot.channels.port import NotReadyError
from threadcast.config.logs import redact
from threadcast.queue.outcomes import Code, Obstacle, Outcome, Refused, Sent, Throttled, Unknown, Unreached
from threadcast.queue.sentences import Sentence

USUAL_WAIT = timedelta(minutes=5)  # the window of Mastodon's tightest limit
LONGEST_QUOTE = 200  # code points of a server's own words

CHECK_URL = Sentence("check the channel's URL")
NEEDS_MEDIA = Sentence("the token needs the scope write:media")
READING = Sentence("to find its own posts, the token needs the scopes read:accounts and read:statuses")


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong with a call, what became of the call, and what a person can do about it.

    `code` says in short what is wrong. `status` is the HTTP status where that decided. `gone`: what was
    asked for is not there, as the server itself says; a page that says so may be anybody's. `lacking`: the
    server may have no such call, which is no fault where the call is not needed.
    """

    fate: Literal["throttled", "unreached", "refused", "unknown"]
    what: str
    advice: str = ""
    code: Code = Code.OTHER
    status: int | None = None
    gone: bool = False
    lacking: bool = False

    @property
    def reason(self) -> str:
        if not self.advice:
            return self.what
        return Sentence("{what}: {advice}", what=self.what, advice=self.advice)


class CallError(Exception):
    """A call that posts nothing failed. `reset` is when the server's rate limit ends, where it said so."""

    def __init__(self, fault: Fault, reset: datetime | None = None) -> None:
        super().__init__(fault.reason)
        self.fault = fault
        self.reset = reset


NOT_MASTODON = Fault("refused", Sentence("no Mastodon API answers at this address"), CHECK_URL, Code.GONE)
GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
LACKING = frozenset({*GONE, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
NOT_A_STATUS = Sentence("the server's answer is not a status")
ODD_ID = Sentence("the server's answer names a post by a secret")


def classify(
    answer: object, *, parent: str | None, now: datetime, reset: datetime | None, proxy: str = ""
) -> Outcome:
    """What the answer to one POST of a status means for it.

    `answer` is what Mastodon.py returned, or the error it raised. `parent` is the id that the post
    was to reply to. `reset` is when the server's rate limit ends, None where it did not say.

    A 404 with a parent reads as "the parent is gone", which holds for a post's first try only: a
    server looks the parent up before it looks at the idempotency key, so that a second try may be
    answered 404 although the first one landed.
    """
    if not isinstance(answer, BaseException):
        return _verify(answer, parent=parent)
    fault = fault_of(answer, reply=parent is not None, proxy=proxy)
    return Unknown(fault.reason) if fault.fate == "unknown" else obstacle(fault, now=now, reset=reset)


def _verify(answer: object, *, parent: str | None) -> Sent | Unknown:
    """Whether the answer is a status in the right place.

    It need not be: a proxy may have answered, a POST may have become a GET on its way, and what is
    only scheduled has an id too, but no content.
    """
    remote_id, told_parent = dig(answer, "id"), dig(answer, "in_reply_to_id")
    if not isinstance(remote_id, str | int) or not remote_id or not isinstance(dig(answer, "content"), str):
        return Unknown(NOT_A_STATUS)
    if (None if told_parent is None else str(told_parent)) != parent or str(remote_id) == parent:
        return Unknown(
            Sentence(
                "the server answers with another status ({remote_id}), or one in another place",
                remote_id=_line(remote_id),
            )
        )
    if not fit_to_show(str(remote_id)):
        return Unknown(ODD_ID)
    return Sent(str(remote_id), address_of(answer))


def fault_of(error: BaseException, *, reply: bool = False, reading: bool = False, proxy: str = "") -> Fault:
    """What an error of Mastodon.py means.

    `reply`: the call was to post a reply. `reading`: it was to read what the account has posted. `proxy`
    is the one in use, as it may be shown.
    """
    match error:
        case CallError():
            return error.fault
        case MastodonNetworkError():
            return of_transport(error.__context__, proxy)
        # Only these words come before anything was done: others may follow a status that was stored.
        case MastodonRatelimitError(args=("Hit rate limit.",)) | MastodonAPIError(args=(_, 429, *_)):
            return Fault("throttled", Sentence("the server asks to wait: its rate limit is used up"))
        case MastodonAPIError(args=(_, int(code), _, words)):
            return _of_status(code, words, reply=reply, reading=reading)
        case _:
            return Fault("unknown", Sentence("the server's answer cannot be read"), CHECK_URL, lacking=True)


def of_answer(code: int, words: object, *, files: bool = False) -> Fault:
    """What the status of an answer means that Mastodon.py has not read; `files`: the call was about these."""
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        if files:
            return Fault("throttled", Sentence("the server asks to wait: its limit of files is used up"))
        return Fault("throttled", Sentence("the server asks to wait: its rate limit is used up"))
    if files and code == HTTPStatus.FORBIDDEN:
        return Fault(
            "refused", Sentence("the server does not allow files"), NEEDS_MEDIA, Code.RIGHTS, status=code
        )
    if code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Fault(
            "refused", Sentence("the server does not take files of this size"), "", Code.CONTENT, status=code
        )
    return _of_status(code, words, reply=False, reading=False)


def _of_status(code: int, words: object, *, reply: bool, reading: bool) -> Fault:
    what: str
    advice: str
    kind = Code.CONTENT
    match code:
        case 401:
            kind = Code.TOKEN
            what = Sentence("the access token is not valid")
            advice = Sentence(
                "make a new one on the server (Preferences, Development), put it in the channel's TOKEN"
            )
        case 403:
            kind = Code.RIGHTS
            what = Sentence("the server does not allow it")
            advice = (
                READING
                if reading
                else Sentence("the token needs the scope write:statuses, and the account the right to post")
            )
        case _ if code in GONE and reply:
            kind, what, advice = Code.PARENT, Sentence("the post it replies to is gone"), ""
        case _ if code in GONE:
            kind, what, advice = NOT_MASTODON.code, NOT_MASTODON.what, NOT_MASTODON.advice
        case 408:  # sent by proxies too, about a request that they have passed on
            return Fault("unknown", Sentence("the server took too long (HTTP 408)"))
        case _ if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Fault(
                "unknown", Sentence("the server failed (HTTP {code})", code=code), lacking=code in LACKING
            )
        case _:
            what = Sentence("the server does not accept it{words}", words=_quote(words))
            advice = Sentence("if it is too long, compare its preview with what `threadcast check` finds")
    gone = code in GONE and _has_words(words)
    lacking = code in LACKING
    return Fault(
        "refused",
        Sentence("{what} (HTTP {code})", what=what, code=code),
        advice,
        kind,
        status=code,
        gone=gone,
        lacking=lacking,
    )


def _has_words(words: object) -> bool:
    """Whether the server gave words of its own: Mastodon.py puts these where there are none."""
    return bool(words) and words != "Endpoint not found."


def _quote(words: object) -> str:
    text = _line(words) if isinstance(words, str) else ""
    return f", “{text}”" if text else ""


def _line(words: object) -> str:
    """The server's own words, fit for one line of ours."""
    return "".join(c for c in " ".join(redact(str(words)).split()) if c.isprintable())[:LONGEST_QUOTE]


def of_transport(cause: BaseException | None, proxy: str = "") -> Fault:
    """What a failure of the connection means: certainly not sent only where none was ever made."""
    match cause:
        case requests.TooManyRedirects():
            # Whoever redirects has seldom stored the post, but may have: 303 says just that.
            return Fault("unknown", _redirected(cause), CHECK_URL)
        case requests.ConnectTimeout():
            return Fault("unreached", unreached(Sentence("the server"), Trouble.LATE, proxy))
        case requests.Timeout():
            return Fault("unknown", Sentence("the server did not answer in time"))
        case requests.ConnectionError():
            return _of_connection(cause, proxy)
        case _:
            return Fault("unknown", Sentence("the connection broke before the answer was complete"))


def _of_connection(error: requests.ConnectionError, proxy: str) -> Fault:
    trouble = trouble_of(error)
    cause: object = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    if isinstance(cause, ProxyError):  # no way was made through it, so nothing was sent
        trouble = Trouble.PROXY if trouble is Trouble.BROKEN else trouble
    elif not (isinstance(cause, NewConnectionError) or trouble is Trouble.CERTIFICATE):
        return Fault("unknown", Sentence("the connection broke before the answer was complete"))
    return Fault("unreached", unreached(Sentence("the server"), trouble, proxy), "" if proxy else CHECK_URL)


def _redirected(error: requests.TooManyRedirects) -> str:
    location = error.response.headers.get("Location", "") if error.response is not None else ""
    parts = None
    with suppress(ValueError):
        parts = urlsplit(location)
    if parts is None or not parts.hostname:
        return Sentence("the server redirects")
    return Sentence(
        "the server redirects to {scheme}://{hostname}",
        scheme=_line(parts.scheme),
        hostname=_line(parts.hostname),
    )


def not_ready(fault: Fault, *, now: datetime, reset: datetime | None) -> NotReadyError:
    """The fault of a call that posts nothing: what is unknown there may simply be asked again.

    Unless there is something to mend first: an answer that cannot be read, a redirect.
    """
    lasts = fault.fate == "unknown" and fault.advice
    return NotReadyError(_refused(fault) if lasts else obstacle(fault, now=now, reset=reset))


def obstacle(fault: Fault, *, now: datetime, reset: datetime | None) -> Obstacle:
    """What a fault means for a call that may be repeated."""
    return ask_again(fault, now=now, reset=reset) or _refused(fault)


def _refused(fault: Fault) -> Refused:
    return Refused(fault.reason, fault.code)


def ask_again(fault: Fault, *, now: datetime, reset: datetime | None) -> Throttled | Unreached | None:
    """When a call that may be repeated may be; None where it would be refused again."""
    match fault.fate:
        case "throttled":
            return Throttled(reset or now + USUAL_WAIT, fault.reason)
        case "refused":
            return None
        case _:
            return Unreached(fault.reason)
