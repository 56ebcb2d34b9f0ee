"""What a person writes of a message is read as what it names."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from threadcast.bot.channels.telegram.links import Link, read_link

CASES = tomllib.loads((Path(__file__).parent / "link_cases.toml").read_text(encoding="utf-8"))["case"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["said"] or "nothing")
def test_links(case: dict[str, Any]) -> None:
    """An id, or a link of Telegram's, names a message; nothing else does."""
    expected = Link(case.get("chat"), case["id"]) if "id" in case else None
    assert read_link(case["said"]) == expected
