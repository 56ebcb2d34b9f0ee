"""What an answer's headers leave us."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from threadcast.bot.channels.mastodon.headers import LONGEST_WAIT, SHORTEST_WAIT, quota_of
from threadcast.bot.channels.port import Quota

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
TOLD = {
    "X-RateLimit-Limit": "300",
    "X-RateLimit-Remaining": "12",
    "X-RateLimit-Reset": "2026-05-04T12:00:00.000000Z",
    "Date": "Mon, 04 May 2026 09:30:00 GMT",
}


def test_what_is_left() -> None:
    """Limit, what remains and the reset are read as Mastodon writes them."""
    assert quota_of(TOLD, now=NOW) == Quota(300, 12, datetime(2026, 5, 4, 12, tzinfo=UTC))


def test_a_server_whose_clock_is_off() -> None:
    """The reset is on our clock, however far off the server's is."""
    quota = quota_of(TOLD, now=NOW + timedelta(minutes=7))
    assert quota is not None
    assert quota.reset == datetime(2026, 5, 4, 12, 7, tzinfo=UTC)


@pytest.mark.parametrize("missing", ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"])
@pytest.mark.parametrize("written", [None, "", "many", "-1", "١٢", "1e9"])
def test_half_a_quota_is_none(missing: str, written: str | None) -> None:
    """Where one of the three cannot be read, nothing is known."""
    quota = {name: value for name, value in TOLD.items() if name != missing}
    if written is not None:
        quota[missing] = written
    assert quota_of(quota, now=NOW) is None


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(TOLD)), st.text(max_size=12) | st.integers().map(str)))
def test_any_header(headers: dict[str, str]) -> None:
    """No header makes the reading fail, and none makes us wait longer than a day."""
    quota = quota_of(headers, now=NOW)
    assert quota is None or NOW + SHORTEST_WAIT <= quota.reset <= NOW + LONGEST_WAIT
    assert quota is None or (quota.limit >= 0 and quota.remaining >= 0)
