"""What each kind of value takes, and the form it is kept in."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from threadcast.config import types as values

FORMS: list[tuple[Callable[[str], Any], str, Any]] = [
    (values.chat, "@my_channel", "@my_channel"),
    (values.chat, "-1001234567890", "-1001234567890"),
    (values.chat, "https://t.me/my_channel", "@my_channel"),
    (values.chat, "t.me/my_channel/", "@my_channel"),
    (values.channel_name, "News-2_a", "news-2_a"),
    (values.user_ids, "", ()),
    (values.user_ids, "11, 22,11  33", (11, 22, 33)),
    (values.language, "EN", "en"),
    (values.language, "pt_br", "pt-BR"),
    (values.language, "zh-hant", "zh-Hant"),
    (values.language, "gsw", "gsw"),
    (values.rate, "1", 1.0),
    (values.rate, "0.05", 0.05),
    (values.folder, "a folder/of mine", "a folder/of mine"),
    (values.database_url, "sqlite:////srv/queue.db", "sqlite:////srv/queue.db"),
    (values.database_url, "sqlite:///queue.db", "sqlite:///queue.db"),
    (values.database_url, "postgresql:///queue", "postgresql:///queue"),
    (values.database_url, "postgres://me:x@[::1]:5432/q", "postgres://me:x@[::1]:5432/q"),
]

REFUSED: list[tuple[Callable[[str], Any], str]] = [
    (values.chat, "my_channel"),
    (values.chat, "@abc"),
    (values.chat, "0"),
    (values.chat, "https://t.me/+invitation"),
    (values.chat, "https://t.me/c/1234567"),
    (values.chat, "-١٠٠"),
    (values.channel_name, ""),
    (values.channel_name, "_news"),
    (values.channel_name, "né"),
    (values.channel_name, "n" * 33),
    (values.user_ids, "@me"),
    (values.user_ids, "-100"),
    (values.rate, ""),
    (values.rate, "1e3"),
    (values.rate, "٣"),
    (values.language, "english"),
    (values.language, "e"),
    (values.folder, "what?"),
    (values.folder, "a\nb"),
    (values.time_zone, "Europe"),
    (values.time_zone, "Mars/Base"),
    (values.time_zone, "../UTC"),
    (values.time_zone, "x" * 5000),
    (values.database_url, "mysql://db.example/queue"),
    (values.database_url, "sqlite://"),
    (values.database_url, "sqlite:///"),
    (values.database_url, "sqlite:///:memory:"),
    (values.database_url, "sqlite:queue.db"),
    (values.database_url, "postgres:"),
    (values.database_url, "postgres://"),
    (values.database_url, "postgres://h:port/q"),
    (values.database_url, "postgres://h:0/q"),
    (values.database_url, "postgres://[::1/q"),
    (values.database_url, "queue.db"),
]


@pytest.mark.parametrize(("kind", "written", "kept"), FORMS)
def test_form(kind: Callable[[str], Any], written: str, kept: Any) -> None:
    """A value is kept in one form, which gives itself again."""
    assert kind(written) == kept
    if isinstance(kept, str):
        assert kind(kept) == kept


@pytest.mark.parametrize(("kind", "written"), REFUSED)
def test_refused(kind: Callable[[str], Any], written: str) -> None:
    """What does not fit is refused."""
    with pytest.raises(ValueError):
        kind(written)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://social.example", "https://social.example"),
        ("HTTPS://Social.Example:443/", "https://social.example"),
        ("https://social.example:8443", "https://social.example:8443"),
        ("https://[2001:DB8::1]", "https://[2001:db8::1]"),
        ("https://10.0.0.1", "https://10.0.0.1"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://LOCALHOST:80", "http://localhost"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:3000/", "http://[::1]:3000"),
    ],
)
def test_server(written: str, kept: str) -> None:
    """A server's address is kept without a usual port or a slash at its end, its host in lower case."""
    assert values.web_address(written, path=False) == kept
    assert values.web_address(kept, path=True) == kept


@pytest.mark.parametrize(
    "written",
    [
        "",
        "social.example",
        "ftp://social.example",
        "https:social.example",
        "https://",
        "https:///path",
        "https://me@social.example",
        "https://me:word@social.example",
        "https://social.example?x=1",
        "https://social.example/?",
        "https://social.example#top",
        "https://social.example\\@evil.example",
        "https://social .example",
        "https://-social.example",
        "https://social..example",
        "https://sociál.example",
        "https://social.example:port",
        "https://social.example:0",
        "https://social.example:65536",
        "https://[::1",
        "https://[::g]",
        "http://social.example",
        "http://10.0.0.1",
        "http://localhost.example",
        "http://0.0.0.0",
        "http://127.1",
        "http://2130706433",
        "http://[::ffff:127.0.0.1]",
        "http://[::]",
    ],
)
def test_no_server(written: str) -> None:
    """What is no plain address of a host is refused; plain http is for this machine only."""
    for path in (True, False):
        with pytest.raises(ValueError):
            values.web_address(written, path=path)


def test_path_of_an_address() -> None:
    """A path is taken only where one may stand."""
    assert values.web_address("https://bots.example/api/", path=True) == "https://bots.example/api"
    with pytest.raises(ValueError, match="a path"):
        values.web_address("https://social.example/me", path=False)


@pytest.mark.parametrize(
    ("url", "passwords"),
    [
        ("sqlite:////srv/queue.db", ()),
        ("postgres://me@db.example/q", ()),
        ("postgres://me:plain@db.example/q", ("plain", "plain")),
        ("postgres://me:a%40b@db.example/q", ("a%40b", "a@b")),
        ("postgres://db.example/q?password=in-query", ("in-query", "in-query")),
    ],
)
def test_passwords(url: str, passwords: tuple[str, ...]) -> None:
    """A database's password is known as written and decoded, before the host and in the query."""
    assert values.passwords_of(url) == passwords


@settings(deadline=None, max_examples=300)
@given(st.text("htps:/@[]?#\\.%-1a0é\t\n", max_size=20), st.booleans())
def test_address_law(written: str, path: bool) -> None:
    """Whatever is taken for an address has a host, no user and no query, and is kept as it then stands."""
    try:
        kept = values.web_address(written, path=path)
    except ValueError:
        return
    assert kept.startswith(("https://", "http://"))
    assert not set(kept) & set("@?#\\ \t\n")
    assert values.web_address(kept, path=path) == kept
