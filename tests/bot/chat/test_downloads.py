"""Files between what is pasted: which messages show one, and to which part it belongs."""

from datetime import UTC, datetime
from typing import Any

import pytest
import telegram

from threadcast.bot.chat.downloads import file_of
from threadcast.bot.requests.drafting.drafts import join
from threadcast.queue.text.parse import parse

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
FILE: dict[str, Any] = {"file_id": "1", "file_unique_id": "1"}
SIZED = FILE | {"width": 9, "height": 9}


def message(**content: Any) -> telegram.Message:
    return telegram.Message(7, NOON, telegram.Chat(1, "private"), **content)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ({"photo": [telegram.PhotoSize(**SIZED), telegram.PhotoSize(**SIZED)]}, "photo-7.jpg"),
        ({"video": telegram.Video(**SIZED, duration=1, file_name="sea.mov")}, "sea.mov"),
        ({"video": telegram.Video(**SIZED, duration=1)}, "video-7.mp4"),
        ({"video_note": telegram.VideoNote(**FILE, length=9, duration=1)}, "video-7.mp4"),
        ({"audio": telegram.Audio(**FILE, duration=1, file_name="song.mp3")}, "song.mp3"),
        ({"voice": telegram.Voice(**FILE, duration=1)}, "voice-7.ogg"),
        ({"document": telegram.Document(**FILE, file_name="a.png")}, "a.png"),
        ({"document": telegram.Document(**FILE, mime_type="image/heic")}, "file-7"),
        (
            {
                "animation": telegram.Animation(**SIZED, duration=1),
                "document": telegram.Document(**FILE, mime_type="video/mp4"),
            },
            "animation-7.mp4",
        ),
    ],
)
def test_a_message_that_shows_a_file(content: dict[str, Any], name: str) -> None:
    """Pictures, videos and recordings are files of the thread, sent as such or as documents."""
    found = file_of(message(**content))
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "content",
    [
        {"text": "1/ a"},
        {"document": telegram.Document(**FILE, file_name="thread.txt", mime_type="text/plain")},
        {"document": telegram.Document(**FILE)},
        {"document": telegram.Document(**FILE, file_name="paper.pdf")},
    ],
)
def test_a_message_that_shows_none(content: dict[str, Any]) -> None:
    """Texts are read; other documents are no files of a thread that is pasted."""
    assert file_of(message(**content)) is None


@pytest.mark.parametrize(
    ("pieces", "parts"),
    [
        (["1/ a", "![](x.jpg)", "![](y.jpg)", "2/ b"], [("a", "x.jpg y.jpg"), ("b", "")]),
        (["1/ a\n![](x.jpg)", "2/ b"], [("a", "x.jpg"), ("b", "")]),
        (["![](x.jpg)", "1/ a\nc", "2/ b"], [("a\nc", "x.jpg"), ("b", "")]),
        (["a", "![](x.jpg)", "b"], [("a", "x.jpg"), ("b", "")]),
        (["![](x.jpg)", "a", "b"], [("a", "x.jpg"), ("b", "")]),
        (["![](x.jpg)", "![](y.jpg)"], [("", "x.jpg y.jpg")]),
    ],
)
def test_a_file_belongs_to_the_part_before(pieces: list[str], parts: list[tuple[str, str]]) -> None:
    """A file without a caption belongs to the part before it; at the beginning to the first."""
    (thread,) = parse(join(pieces))
    assert [(one.text, " ".join(each.source for each in one.media)) for one in thread.parts] == parts
