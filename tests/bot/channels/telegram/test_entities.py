"""The addresses that linked words hide are kept, whatever a client says of where they stand."""

from datetime import UTC, datetime

import pytest
import telegram
from hypothesis import given
from hypothesis import strategies as st

from threadcast.bot.channels.telegram.entities import pasted

LAKE = "https://example.org/lake"
Link = tuple[int, int, str]


def message(text: str, *links: Link, caption: bool = False) -> telegram.Message:
    entities = [telegram.MessageEntity("text_link", at, size, url=url) for at, size, url in links]
    said = (
        {"caption": text, "caption_entities": entities} if caption else {"text": text, "entities": entities}
    )
    chat = telegram.Chat(1, "private")
    return telegram.Message(1, datetime(2026, 12, 1, tzinfo=UTC), chat, **said)  # type: ignore[arg-type]  # one or the other


@pytest.mark.parametrize(
    ("text", "links", "expected"),
    [
        ("The lake rises.", [(4, 4, LAKE)], f"The lake ({LAKE}) rises."),
        ("🌊 lake 🌊", [(3, 4, LAKE)], f"🌊 lake ({LAKE}) 🌊"),
        ("The lake rises.", [(4, 5, LAKE)], f"The lake ({LAKE}) rises."),
        ("The lake", [(4, 2, LAKE), (6, 2, LAKE)], f"The lake ({LAKE})"),
        ("lake lake", [(5, 4, LAKE), (0, 4, LAKE)], f"lake ({LAKE}) lake ({LAKE})"),
        ("example.org/Lake", [(0, 16, LAKE)], "example.org/Lake"),
        ("The lake", [(4, 4, "https://example.org/a\n1/ b")], "The lake (https://example.org/a1/b)"),
    ],
    ids=["word", "utf-16", "blank", "pieces", "order", "address", "line break"],
)
def test_a_linked_word_has_its_address_behind_it(text: str, links: list[Link], expected: str) -> None:
    """In a text and in a caption, behind the word; not where the word is the address."""
    assert pasted(message(text, *links)).text == expected
    assert pasted(message(text, *links, caption=True)).text == expected
    assert pasted(message(text, *links)).links == expected.count("(https")


@given(st.text(), st.lists(st.tuples(st.integers(-3, 40), st.integers(-3, 40), st.just(LAKE)), max_size=5))
def test_no_entity_loses_a_word(text: str, links: list[Link]) -> None:
    """Without the addresses the text is as it was, wherever links are said to stand."""
    found = pasted(message(text, *links))
    assert found.text.replace(f" ({LAKE})", "") == pasted(message(text)).text
