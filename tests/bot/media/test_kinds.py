"""What a file is, by what is in it."""

import pytest

from tests.bot.media.drawn import MP4, OPUS, PDF, encoded, heic, jpeg, moving, picture
from threadcast.bot.media.errors import MediaError
from threadcast.bot.media.kinds import kind_of
from threadcast.queue.text.media import MediaKind

WEBM = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm" + bytes(50)
CASES = {
    "image/jpeg": (jpeg(), MediaKind.IMAGE),
    "image/png": (encoded(picture(), "PNG"), MediaKind.IMAGE),
    "image/gif": (moving("GIF"), MediaKind.IMAGE),
    "image/webp": (encoded(picture(), "WEBP"), MediaKind.IMAGE),
    "image/avif": (encoded(picture(), "AVIF"), MediaKind.IMAGE),
    "image/heic": (heic(), MediaKind.IMAGE),
    "video/mp4": (MP4, MediaKind.VIDEO),
    "video/quicktime": (MP4.replace(b"ftypmp42", b"ftypqt  "), MediaKind.VIDEO),
    "video/webm": (WEBM, MediaKind.VIDEO),
    "video/ogg": (b"OggS" + bytes(24) + b"\x80theora", MediaKind.VIDEO),
    "video/x-matroska": (WEBM.replace(b"webm", b"mkv?"), MediaKind.DOCUMENT),
    "audio/mp4": (MP4.replace(b"ftypmp42", b"ftypM4A "), MediaKind.AUDIO),
    "audio/mpeg": (b"ID3\x04" + bytes(50), MediaKind.AUDIO),
    "audio/flac": (b"fLaC" + bytes(50), MediaKind.AUDIO),
    "audio/wav": (b"RIFF\x00\x00\x00\x00WAVEfmt ", MediaKind.AUDIO),
    "audio/ogg": (OPUS, MediaKind.VOICE),
    "application/pdf": (PDF, MediaKind.DOCUMENT),
}


@pytest.mark.parametrize("mime", CASES)
@pytest.mark.parametrize("name", ["a.jpg", "a", "a.txt", "a.mp4"])
def test_a_file_is_what_is_in_it(mime: str, name: str) -> None:
    """What is in a file says what it is, whatever it is called."""
    head, kind = CASES[mime]
    assert kind_of(name, head[:4096]) == (kind, mime)


def test_ogg_without_opus_is_a_recording() -> None:
    assert kind_of("a.ogg", b"OggS" + bytes(50)) == (MediaKind.AUDIO, "audio/ogg")


def test_other_files_are_documents() -> None:
    """What no network shows is a document, of the type that its name says."""
    assert kind_of("a.csv", b"a,b") == (MediaKind.DOCUMENT, "text/csv")
    assert kind_of("a", b"\x00\x01") == (MediaKind.DOCUMENT, "application/octet-stream")
    assert kind_of("a.bin", b"RIFF\x00\x00\x00\x00AVI ") == (MediaKind.DOCUMENT, "application/octet-stream")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jpg", b"", "a.jpg is empty"),
        ("a.jpg", b"<!DOCTYPE html><html>", "a.jpg is not what it is called: it is a web page"),
        ("a.png", b"1/ Bread", "a.png is no picture, video or recording, though"),
        ("a.mp4", b"<html>", "a.mp4 is not what it is called: it is a web page"),
        ("a.mp3", b"1/ Bread", "a.mp3 is no picture, video or recording"),
        ("a.svg", b"<svg", "a.svg is an SVG drawing, which no network shows"),
    ],
)
def test_a_file_that_is_not_what_it_says(name: str, content: bytes, said: str) -> None:
    """A file whose name promises what is not in it is refused, in one sentence."""
    with pytest.raises(MediaError, match=said):
        kind_of(name, content)
