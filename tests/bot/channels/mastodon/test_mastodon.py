"""The Mastodon channel: what each answer means, and what is asked for. `mastodon_cases.toml` is the table."""

import ssl
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import gaierror
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from mastodon import errors
from mastodon.errors import MastodonAPIError, MastodonError, MastodonNetworkError
from mastodon.return_types import Status
from mastodon.types_base import try_cast_recurse
from urllib3 import connection, exceptions

from threadcast.bot.channels.mastodon.channel import MastodonChannel
from threadcast.bot.channels.mastodon.errors import Fault, classify, not_ready
from threadcast.bot.channels.mastodon.headers import LONGEST_WAIT, SHORTEST_WAIT, reset_at
from threadcast.bot.channels.mastodon.instance import Instance, instance_of
from threadcast.config.channels import MastodonChannelSettings
from threadcast.queue.compose.rules import Numbering
from threadcast.queue.outcomes import Outcome, Refused, Sent, Throttled, Unknown, Unreached
from threadcast.queue.text.settings import NO_SETTINGS

CASES: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "mastodon_cases.toml").read_text(encoding="utf-8")
)["case"]
NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
TOKEN = "AAExampleExampleExampleExampleExample-token"

NOBODY = connection.HTTPConnection("a.example")
REFUSED = exceptions.NewConnectionError(NOBODY, "Connection refused")
REFUSED.__cause__ = ConnectionRefusedError(111, "Connection refused")
NO_NAME = gaierror(-2, "Name or service not known")
NO_SUCH_NAME = exceptions.NameResolutionError("a.example", NOBODY, NO_NAME)
NO_SUCH_NAME.__cause__ = NO_NAME
POOL: Any = None  # urllib3 names a pool in its messages only


def gave_up(reason: Exception) -> exceptions.MaxRetryError:
    return exceptions.MaxRetryError(POOL, "/api/v1/statuses", reason)


def redirect(location: str) -> requests.TooManyRedirects:
    response = requests.Response()
    response.headers["Location"] = location
    return requests.TooManyRedirects("Exceeded 0 redirects.", response=response)


# What requests raises, with what urllib3 gave it inside: seen on real sockets.
NETWORK: dict[str, Exception | None] = {
    "refused": requests.ConnectionError(gave_up(REFUSED)),
    "no such name": requests.ConnectionError(gave_up(NO_SUCH_NAME)),
    "connect timeout": requests.ConnectTimeout(gave_up(exceptions.ConnectTimeoutError("timed out"))),
    "no proxy": requests.exceptions.ProxyError(
        gave_up(exceptions.ProxyError("Unable to connect to proxy", REFUSED))
    ),
    "proxy refuses": requests.exceptions.ProxyError(
        gave_up(exceptions.ProxyError("Cannot connect to proxy", OSError("Tunnel connection failed: 407")))
    ),
    "certificate": requests.exceptions.SSLError(
        gave_up(exceptions.SSLError(ssl.SSLCertVerificationError("self-signed certificate")))
    ),
    "tls": requests.exceptions.SSLError(gave_up(exceptions.SSLError(ssl.SSLError("bad record mac")))),
    "read timeout": requests.ReadTimeout("Read timed out."),
    "aborted": requests.ConnectionError(
        exceptions.ProtocolError("Connection aborted.", ConnectionResetError())
    ),
    "broken answer": requests.exceptions.ChunkedEncodingError(exceptions.ProtocolError("Connection broken")),
    "redirect": redirect("https://www.a.example/api/v1/statuses?secret"),
    "redirect to nowhere": requests.TooManyRedirects("Exceeded 0 redirects."),
    "redirect to nonsense": redirect("https://[/"),
    "bare": requests.ConnectionError(),
    "nothing": None,
}


def raised_from(cause: Exception | None) -> MastodonNetworkError:
    """As Mastodon.py raises it: the cause is its context."""
    error = MastodonNetworkError(f"Could not complete request: {cause}")
    error.__context__ = cause
    return error


def answer_of(case: Mapping[str, Any]) -> object:
    if "answer" in case:
        # TOML has no null; `false` stands for it.
        described = {name: None if value is False else value for name, value in case["answer"].items()}
        return try_cast_recurse(Status, described)  # type: ignore[no-untyped-call]  # the library's
    if "network" in case:
        return raised_from(NETWORK[case["network"]])
    return getattr(errors, case["error"])(*case["args"])


def described(outcome: Outcome) -> str:
    match outcome:
        case Sent(remote_id, _):
            return remote_id
        case Throttled(until, _):
            return str(int((until - NOW).total_seconds()))
        case _:
            return outcome.reason


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_the_table(case: dict[str, Any]) -> None:
    """Each answer in the table means what the table says."""
    reset = NOW + timedelta(seconds=case["reset"]) if "reset" in case else None
    outcome = classify(answer_of(case), parent=case.get("parent"), now=NOW, reset=reset)
    assert type(outcome).__name__.lower() == case["outcome"]
    if isinstance(outcome, Sent | Throttled):
        assert described(outcome) == case["says"]
    else:
        assert case["says"] in described(outcome)
    if isinstance(outcome, Sent):
        assert outcome.url == case.get("url")
        assert type(outcome.remote_id) is str


def test_the_table_is_whole() -> None:
    """Every error that a call of Mastodon.py can raise stands in the table; so does every network fault."""
    every = {
        e.__name__ for e in vars(errors).values() if isinstance(e, type) and issubclass(e, MastodonError)
    }
    # The parents of others; what only streams, files and wrong arguments raise.
    every -= {"MastodonError", "MastodonServerError", "MastodonIOError", "MastodonFileNotFoundError"}
    every -= {"MastodonReadTimeout", "MastodonMalformedEventError", "MastodonIllegalArgumentError"}
    assert every - {"MastodonNetworkError"} <= {case.get("error") for case in CASES}
    assert {case["network"] for case in CASES if "network" in case} == set(NETWORK)


@pytest.mark.parametrize("answer", [["a status"], "a status", None, 7, b""])
def test_what_is_no_object_is_no_status(answer: object) -> None:
    """JSON that is no object leaves the outcome unknown."""
    assert isinstance(classify(answer, parent=None, now=NOW, reset=None), Unknown)


@settings(deadline=None)
@given(code=st.integers(400, 599), words=st.text(), reply=st.booleans())
def test_only_the_code_decides(code: int, words: str, reply: bool) -> None:
    """For every code and any words: a server's own fault is unknown, a refusal refused, nothing is sent."""
    parent = "115" if reply else None
    outcome = classify(MastodonAPIError("error", code, "", words), parent=parent, now=NOW, reset=None)
    if code == 429:
        assert isinstance(outcome, Throttled)
    elif code >= 500 or code == 408:
        assert isinstance(outcome, Unknown)
    else:
        assert isinstance(outcome, Refused)
    assert len(outcome.reason) < 400
    assert outcome.reason.isprintable()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"X-RateLimit-Reset": "2026-05-04T09:31:30.000000Z"}, 90, id="iso"),
        pytest.param({"X-RateLimit-Reset": "2026-05-04T11:31:30+02:00"}, 90, id="iso-with-offset"),
        pytest.param({"X-RateLimit-Reset": "2026-05-04T09:31:30"}, 90, id="iso-without-zone"),
        pytest.param({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 90)}, 90, id="epoch"),
        pytest.param({"Retry-After": "7200"}, 7200, id="retry-after"),
        pytest.param(
            {"X-RateLimit-Reset": "2026-05-04T09:00:40Z", "Date": "Mon, 04 May 2026 09:00:00 GMT"},
            40,
            id="clock-behind",
        ),
        pytest.param(
            {"X-RateLimit-Reset": "2026-05-04T10:00:40Z", "Date": "Mon, 04 May 2026 10:00:00 -0000"},
            40,
            id="clock-ahead",
        ),
        pytest.param({"X-RateLimit-Reset": "2026-05-04T09:31:00Z", "Date": "today"}, 60, id="bad-date"),
        pytest.param({"X-RateLimit-Reset": "2026-05-04T09:29:59Z"}, SHORTEST_WAIT.seconds, id="past"),
        pytest.param({"X-RateLimit-Reset": "9999-12-31T23:59:59-12:00"}, 86400, id="absurd"),
        pytest.param({"Retry-After": "9999999999"}, 86400, id="absurd-seconds"),
    ],
)
def test_when_the_limit_ends(headers: dict[str, str], seconds: int) -> None:
    """The end of a rate limit is read in every form that servers use, between 5 seconds and a day away."""
    assert reset_at(headers, now=NOW) == NOW + timedelta(seconds=seconds)


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(["X-RateLimit-Reset", "Retry-After", "Date"]), st.text(max_size=30)),
)
def test_any_header(headers: dict[str, str]) -> None:
    """No header makes the reading fail."""
    reset = reset_at(headers, now=NOW)
    assert reset is None or NOW + SHORTEST_WAIT <= reset <= NOW + LONGEST_WAIT


@pytest.mark.parametrize("text", ["", "soon", "١٢", "1e9", "-5"])
def test_no_header(text: str) -> None:
    """Without a readable time there is none."""
    assert reset_at({"X-RateLimit-Reset": text, "Retry-After": text}, now=NOW) is None


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault("throttled", "wait"), Throttled(NOW + timedelta(minutes=5), "wait")),
        (Fault("unreached", "gone", "look"), Unreached("gone: look")),
        (Fault("refused", "no"), Refused("no")),
        (Fault("unknown", "failed"), Unreached("failed")),
        (Fault("unknown", "unreadable", "look"), Refused("unreadable: look")),
    ],
)
def test_a_call_that_posts_nothing(fault: Fault, outcome: Outcome) -> None:
    """What is unknown of a call that posts nothing may be asked again, unless there is something to mend."""
    assert not_ready(fault, now=NOW, reset=None).outcome == outcome


MASTODON = {
    "version": "4.5.3",
    "source_url": "https://github.com/mastodon/mastodon",
    "configuration": {"statuses": {"max_characters": 1000, "characters_reserved_per_url": 30}},
}


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        pytest.param(MASTODON, Instance("it", "4.5.3", 1000, 30), id="mastodon"),
        pytest.param(
            {"version": "2.7.2", "max_toot_chars": 5000}, Instance("it", "2.7.2", 5000, 23), id="pleroma"
        ),
        pytest.param(
            {"version": "4.5.3", "configuration": {"statuses": {"max_characters": "many"}}},
            Instance("it", "4.5.3", 500, 23),
            id="unreadable-limit",
        ),
        pytest.param({"version": None}, None, id="no-version"),
        pytest.param(["4.5.3"], None, id="no-object"),
    ],
)
def test_what_a_server_says_of_itself(info: object, expected: Instance | None) -> None:
    """Limits are read from what a server tells, with Mastodon's own where it does not."""
    assert instance_of(info, "it") == expected


@pytest.mark.parametrize(
    ("software", "is_mastodon"), [("mastodon", True), ("hometown", True), ("snac", False), ("", False)]
)
def test_what_a_server_is(software: str, is_mastodon: bool) -> None:
    """Mastodon and its forks are known by their name in nodeinfo, whatever version they claim to have."""
    assert Instance(software, "4.5.3", 500, 23).is_mastodon is is_mastodon


def test_mastodon_counts_graphemes() -> None:
    """Mastodon's rules count a family as one, a link as the server says, and the content warning too."""
    usual = account(numbering="total", spoiler="sea")
    rules = Instance("mastodon", "4.5.3", 500, 30).rules(usual, NO_SETTINGS)
    assert (rules.limit, rules.numbering) == (500, Numbering.TOTAL)
    assert rules.measure("👩‍👩‍👧‍👦 https://example.org/") == 3 + 1 + 1 + 30


def test_gotosocial_counts_code_points() -> None:
    """GoToSocial's rules count code points and links in full, and the content warning too."""
    rules = Instance("gotosocial", "0.20.2", 5000, 25).rules(account(spoiler="sea"), NO_SETTINGS)
    assert rules.limit == 5000
    assert rules.measure("👩‍👩‍👧‍👦 https://example.org/") == 3 + 7 + 1 + 20


def account(**changes: Any) -> MastodonChannelSettings:
    return MastodonChannelSettings(name="masto", **{"url": "https://a.example", "token": TOKEN, **changes})


def channel(**changes: Any) -> MastodonChannel:
    return MastodonChannel(account(**changes), clock=lambda: NOW)


async def test_a_token_is_never_read_as_a_file(tmp_path: Path) -> None:
    """A token that happens to name a file is a token."""
    file = tmp_path / "token"
    file.write_text("what-stands-in-the-file\n")
    made = channel(token=str(file))
    assert made._client.api.access_token == str(file)
    await made.close()


async def test_what_a_channel_shows() -> None:
    """A channel shows its name and its server, not its token."""
    made = channel(url="https://a.example")
    assert (made.name, made.target) == ("masto", "https://a.example")
    assert (made.name, made.kind, made.target) == ("masto", "mastodon", "https://a.example")
    await made.close()


def test_odd_types_of_pictures() -> None:
    """Of the types that a server takes, what is no name of one is passed over."""
    named = [{"image/gif": True}, "image/png", ["image/gif"], 7]
    found = instance_of(
        {"version": "4.6.0", "configuration": {"media_attachments": {"supported_mime_types": named}}},
        "mastodon",
    )
    assert found is not None
    assert found.pictures.mimes == {"image/png", "image/jpeg"}
