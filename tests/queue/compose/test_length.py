"""Lengths as the platforms count them: a table of cases, and laws."""

import tomllib
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from threadcast.queue.compose.length import code_points, graphemes, mastodon, telegram

CASES: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("length_cases.toml").read_text(encoding="utf-8")
)["case"]
SIGNS = (
    "a é 👩 🏽 🇩 🇪 ❤ क ् ष ि 한 © 漢 か ก ا ש ա Ѐ ‼ 〰 @a@b.com https://a.com #x "
    "\u0301 \u200d \ufe0f \u1100 \u1161 \u11a8 \u0600 \u3099 \u0e33 \u200b \u064b \u05b0 \u0483"
)
HARD = st.lists(st.sampled_from([*SIGNS.split(), " ", "\r", "\n", "\r\n"])).map("".join)
HEAVY = [
    "http://" + "a." * 50_000,
    "http://a.com/" + "(" * 50_000,
    "http://a.com/" + "(a)" * 30_000 + "!",
    "http://a.com/" + "a!" * 50_000,
    "a.com/" * 20_000 + "://",
    "漢" * 100_000 + "://",
    "-" * 100_000 + "://",
    " " * 100_000 + "://",
    "://" * 50_000,
    "@a" * 50_000,
    "\u0301" * 100_000,
]


def name(case: dict[str, Any]) -> str:
    return str(case["why"])


def full(case: dict[str, Any]) -> str:
    return str(case["text"]) * int(case.get("repeat", 1))


@pytest.mark.parametrize("case", [c for c in CASES if "mastodon" in c], ids=name)
def test_mastodon_counts(case: dict[str, Any]) -> None:
    """Mastodon's figure is the table's."""
    assert mastodon(full(case), spoiler=case.get("spoiler", "")) == case["mastodon"]


@pytest.mark.parametrize("case", [c for c in CASES if "telegram" in c], ids=name)
def test_telegram_counts(case: dict[str, Any]) -> None:
    """Telegram's figure is the table's."""
    assert telegram(full(case)) == case["telegram"]


@pytest.mark.parametrize("case", [c for c in CASES if "code_points" in c], ids=name)
def test_gotosocial_counts(case: dict[str, Any]) -> None:
    """GoToSocial's figure is the table's."""
    assert code_points(full(case), spoiler=case.get("spoiler", "")) == case["code_points"]


def test_the_table_is_long_enough() -> None:
    """The table has at least fifty cases, no text twice."""
    keys = [(full(case), case.get("spoiler")) for case in CASES]
    assert len(keys) >= 50
    assert len(set(keys)) == len(keys)


def test_a_url_counts_what_the_server_says() -> None:
    """A server's own characters_reserved_per_url is used, as one argument for Rules.measure."""
    assert partial(mastodon, url_length=30)("See https://example.com/") == 34


def test_a_url_of_more_than_4096_is_text() -> None:
    """A URL over 4,096 code points, in ASCII form, is no link and counts in full."""
    longest = "https://example.com/".ljust(4096, "a")
    assert mastodon(longest) == 23
    assert mastodon(longest + "a") == 4097
    wide = "https://ä.com/".ljust(4096, "a")  # its domain is longer in ASCII
    assert mastodon(wide) == 4096
    assert mastodon("https://ä.com/") == 23


def test_a_mention_with_a_host_too_long_is_text() -> None:
    """A host of more than 253 code points makes no mention."""
    assert mastodon("@user@" + "a" * 253) == 5
    assert mastodon("@user@" + "a" * 254) == 260


@given(HARD)
def test_graphemes_are_those_of_uax_29(text: str) -> None:
    """The fast count is the number of extended grapheme clusters."""
    assert graphemes(text) == len(regex.findall(r"\X", text))


@given(st.text())
def test_no_text_is_too_strange_to_be_measured(text: str) -> None:
    """Any text has a length on any platform, and graphemes are never more than code points."""
    assert 0 <= graphemes(text) <= code_points(text) == len(text)
    assert telegram(text) <= len(text)
    assert mastodon(text) >= 0


@given(HARD, HARD)
def test_blanks_at_the_ends_do_not_count(text: str, spoiler: str) -> None:
    """White space around a post changes neither figure."""
    assert mastodon(f" \n{text}\t ", spoiler=f" {spoiler} ") == mastodon(text, spoiler=spoiler)
    assert telegram(f" \n{text}\t ") == telegram(text)


@pytest.mark.parametrize("text", HEAVY, ids=lambda text: text[:16].encode("unicode_escape").decode())
def test_time_is_in_proportion_to_the_text(text: str) -> None:
    """No input makes measuring slow: a hundred thousand signs end, where squares of that would not."""
    assert mastodon(text) > 0
