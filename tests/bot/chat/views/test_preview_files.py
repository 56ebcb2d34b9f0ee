"""Posts with files, as Telegram shows them in a preview."""

import pytest

from threadcast.bot.chat.views.previews import with_files
from threadcast.queue.compose.rules import Post
from threadcast.queue.text.media import Media, MediaKind, StoredFile
from threadcast.queue.text.settings import NO_SETTINGS


def files(*kinds: MediaKind) -> tuple[Media, ...]:
    return tuple(
        Media("", f"{place}.dat", 1, StoredFile("ab", kind, "x/y", 9)) for place, kind in enumerate(kinds, 1)
    )


IMAGE, MOVING, VIDEO, SOUND = MediaKind.IMAGE, MediaKind.ANIMATION, MediaKind.VIDEO, MediaKind.VOICE


@pytest.mark.parametrize(
    ("kinds", "groups"),
    [
        ((IMAGE, IMAGE, VIDEO), [["1.dat", "2.dat", "3.dat"]]),
        ((IMAGE, MOVING, IMAGE, IMAGE), [["1.dat"], ["2.dat"], ["3.dat", "4.dat"]]),
        ((SOUND, SOUND), [["1.dat"], ["2.dat"]]),
        ((IMAGE,) * 11, [[f"{place}.dat" for place in range(1, 11)], ["11.dat"]]),
    ],
)
def test_what_one_post_of_a_network_is_here(kinds: tuple[MediaKind, ...], groups: list[list[str]]) -> None:
    """What another network shows together goes in the albums that Telegram has, the words with the first."""
    shown, words = with_files(Post(1, "1/", "1/ The lamp.", 12, files(*kinds)), NO_SETTINGS)
    assert [[media.name for media in one.media] for one in shown] == groups
    assert [one.text for one in shown] == ["1/ The lamp.", *[""] * (len(groups) - 1)]
    assert words == []


def test_words_that_are_longer_than_a_caption() -> None:
    """Words that Telegram takes beside no file follow it, in a message of their own."""
    text = "1/ " + "lamp " * 300
    shown, words = with_files(Post(1, "1/", text, len(text), files(IMAGE)), NO_SETTINGS)
    assert [one.text for one in shown] == [""]
    assert [one.text for one in words] == [text]
