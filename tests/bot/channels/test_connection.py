"""Whatever a client library raises, a person is told what happened in plain words, and by which proxy."""

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
import requests
from mastodon.errors import MastodonNetworkError
from requests import exceptions

from threadcast.bot.channels.connection import Trouble, trouble_of
from threadcast.bot.channels.mastodon.errors import fault_of
from threadcast.bot.channels.telegram.errors import classify, in_words
from threadcast.queue.outcomes import Unknown, Unreached

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
PROXY = "http://proxy.example:3128"
# Names of classes and modules, error numbers, objects as Python prints them.
LIBRARY = re.compile(r"Error\b|Exception|Timeout\b|httpx|urllib3|requests\.|\[Errno|<.*>|0x|\bb'|\(\)")


def every(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    """A class of errors, and all that come of it."""
    yield kind
    for one in kind.__subclasses__():
        yield from every(one)


def made(kind: type[Exception]) -> Exception:
    """An error of a class, with words that no person should read."""
    error = kind.__new__(kind)
    error.args = ("[Errno 111] <urllib3.Connection object at 0x7f>: Max retries exceeded",)
    return error


HTTPX = sorted(
    {*every(httpx.HTTPError), *every(httpx.StreamError), httpx.InvalidURL}, key=lambda k: k.__name__
)
REQUESTS = sorted(
    {one for one in every(requests.RequestException) if one.__module__ == exceptions.__name__},
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", HTTPX, ids=lambda kind: kind.__name__)
def test_telegrams_library(kind: type[Exception]) -> None:
    """Every error of the HTTP library below Telegram's is said without a word of the library's."""
    outcome = classify(in_words(made(kind), PROXY), name="news", chat="@news", parent=None, now=NOW)
    assert isinstance(outcome, Unreached | Unknown)
    assert not LIBRARY.search(outcome.reason), outcome.reason
    reached = re.fullmatch(rf"Telegram cannot be reached by the proxy {re.escape(PROXY)}: .+", outcome.reason)
    assert reached or outcome.reason.startswith("no clear answer from Telegram: ")


@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.__name__)
def test_mastodons_library(kind: type[Exception]) -> None:
    """Every error of the HTTP library below Mastodon's is said without a word of the library's."""
    error = MastodonNetworkError("Could not complete request: HTTPSConnectionPool(host='a', port=443)")
    cause = made(kind)
    cause.response = None  # type: ignore[attr-defined]  # every one of the library's has it
    error.__context__ = cause
    fault = fault_of(error, proxy=PROXY)
    assert not LIBRARY.search(fault.reason), fault.reason
    assert fault.fate in {"unreached", "unknown"}


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (socket.gaierror(-2, "Name or service not known"), Trouble.NAME),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), Trouble.CLOSED),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), Trouble.AWAY),
        (OSError(errno.EHOSTUNREACH, "No route to host"), Trouble.AWAY),
        (ssl.SSLCertVerificationError("self-signed certificate"), Trouble.CERTIFICATE),
        (ssl.SSLError("wrong version number"), Trouble.SECURE),
        (TimeoutError(), Trouble.LATE),
        (ConnectionResetError(), Trouble.BROKEN),
        (OSError(errno.EMFILE, "Too many open files"), Trouble.BROKEN),
        (None, Trouble.BROKEN),
    ],
)
def test_what_is_at_the_bottom(error: OSError | None, trouble: Trouble) -> None:
    """The system's own error is found, however the libraries wrapped it."""
    wrapped = RuntimeError("all attempts failed")
    wrapped.__cause__ = ExceptionGroup("attempts", [error]) if error else None
    outer = ValueError(wrapped)
    assert trouble_of(outer) is trouble
    assert trouble_of(error) is trouble


def test_errors_that_hold_each_other() -> None:
    """An error that is its own cause is looked through once."""
    one, other = RuntimeError("one"), RuntimeError("other")
    one.__cause__, other.__context__ = other, one
    assert trouble_of(one) is Trouble.BROKEN
