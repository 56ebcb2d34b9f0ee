"""Pictures: measured, turned, converted, made smaller, and freed of what a camera noted."""

import io
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from tests.bot.media.drawn import bomb, encoded, from_a_camera, heic, jpeg, moving, picture
from threadcast.bot.media import images
from threadcast.bot.media.errors import MediaError
from threadcast.bot.media.images import Measured, PictureLimits

PLAIN = PictureLimits(frozenset({"image/jpeg", "image/png", "image/gif"}), size=10**7)


def stored(folder: Path, content: bytes) -> Path:
    path = folder / "content"
    path.write_bytes(content)
    return path


def prepared(folder: Path, content: bytes, limits: PictureLimits = PLAIN) -> tuple[Image.Image, str]:
    found = images.prepare("a picture", stored(folder, content), limits)
    return Image.open(io.BytesIO(found.content)), found.mime


@pytest.mark.parametrize(
    ("content", "measured"),
    [
        (jpeg(), Measured(60, 40, animated=False)),
        (from_a_camera(), Measured(40, 60, animated=False)),
        (heic(), Measured(60, 40, animated=False)),
        (encoded(picture(), "AVIF"), Measured(60, 40, animated=False)),
        (encoded(picture(), "GIF"), Measured(60, 40, animated=False)),
        (moving("GIF"), Measured(60, 40, animated=True)),
        (moving("WEBP"), Measured(60, 40, animated=True)),
        (moving("PNG"), Measured(60, 40, animated=True)),
    ],
)
def test_a_picture_is_measured(tmp_path: Path, content: bytes, measured: Measured) -> None:
    """A picture's size is as it is shown, and it is known whether it moves."""
    assert images.measure("a picture", stored(tmp_path, content)) == measured


def test_what_a_camera_noted_is_gone(tmp_path: Path) -> None:
    """A picture is turned the right way round, and carries no position or other notes."""
    shown, mime = prepared(tmp_path, from_a_camera())
    assert (shown.size, mime, dict(shown.getexif())) == ((40, 60), "image/jpeg", {})
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Author", "Ada")
    shown, mime = prepared(tmp_path, encoded(picture(), "PNG", pnginfo=notes))
    assert isinstance(shown, PngImagePlugin.PngImageFile)
    assert (mime, shown.text) == ("image/png", {})
    shown, _ = prepared(tmp_path, encoded(picture(), comment=b"by Ada"))
    assert "comment" not in shown.info


@pytest.mark.parametrize("content", [jpeg(), encoded(picture(), "PNG"), moving("GIF")])
def test_what_fits_is_sent_as_it_is(tmp_path: Path, content: bytes) -> None:
    """A picture that fits and has nothing to hide is sent byte for byte."""
    assert images.prepare("a picture", stored(tmp_path, content), PLAIN).content == content


@pytest.mark.parametrize("content", [heic(), encoded(picture(), "AVIF"), encoded(picture(), "WEBP")])
def test_other_formats_become_jpeg(tmp_path: Path, content: bytes) -> None:
    """What a network does not take becomes JPEG."""
    shown, mime = prepared(tmp_path, content)
    assert (shown.format, shown.size, mime) == ("JPEG", (60, 40), "image/jpeg")


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_transparent_ones_stay_so(tmp_path: Path, kind: str) -> None:
    """What shines through stays so, as PNG."""
    shown, mime = prepared(tmp_path, encoded(picture(mode="RGBA"), kind))
    assert (mime, shown.mode) == ("image/png", "RGBA")
    assert shown.getpixel((0, 0))[3] < 255  # type: ignore[index]  # RGBA has four


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_moving_ones_stay_so(tmp_path: Path, kind: str) -> None:
    """What moves becomes GIF, with all its frames and their time."""
    shown, mime = prepared(tmp_path, moving(kind))
    assert (mime, shown.n_frames, shown.info["duration"]) == ("image/gif", 5, 100)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("limits", "size"),
    [
        (PictureLimits(PLAIN.mimes, 10**7, pixels=600), (30, 20)),
        (PictureLimits(PLAIN.mimes, 10**7, sides=50), (30, 20)),
        (PictureLimits(PLAIN.mimes, 10**7, pixels=150), (15, 10)),
    ],
)
def test_a_picture_is_made_smaller(tmp_path: Path, limits: PictureLimits, size: tuple[int, int]) -> None:
    """A picture that has too many pixels is made smaller, and keeps its shape."""
    for content in (jpeg(), from_a_camera(), encoded(picture(), "PNG")):
        shown, _ = prepared(tmp_path, content, limits)
        assert sorted(shown.size) == sorted(size)


def test_a_picture_of_too_many_bytes(tmp_path: Path) -> None:
    """A picture of too many bytes is written more coarsely, then smaller, until it fits."""
    noise = Image.effect_noise((400, 300), 90).convert("RGB")
    for kind in ("JPEG", "PNG"):
        limits = PictureLimits(PLAIN.mimes, size=30_000)
        found = images.prepare("noise", stored(tmp_path, encoded(noise, kind)), limits)
        assert len(found.content) <= 30_000
        assert found.mime == "image/jpeg"
    clear = encoded(Image.merge("RGBA", (*noise.split(), noise.convert("L"))), "PNG")
    found = images.prepare("noise", stored(tmp_path, clear), PictureLimits(PLAIN.mimes, size=30_000))
    assert (found.mime, len(found.content) <= 30_000) == ("image/png", True)


def test_grey_of_16_bits(tmp_path: Path) -> None:
    """A picture of 16 bits of grey is as bright as it was."""
    grey = Image.new("I;16", (60, 40), 32768)
    limits = PictureLimits(frozenset({"image/jpeg"}), 10**7)
    shown, _ = prepared(tmp_path, encoded(grey, "PNG"), limits)
    assert 120 < shown.convert("L").getpixel((5, 5)) < 136  # type: ignore[operator]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (bomb(), r"50,000 x 50,000 pixels, more than can be shown"),
        (jpeg()[:400], "is a broken picture"),
        (encoded(picture(), "PNG")[:60], "is a broken picture"),
        (heic()[:300], "is (a broken picture|no picture)"),
        (b"1/ Bread", "is no picture that can be read"),
        (b"\xff\xd8\xff" + bytes(100), "is no picture that can be read"),
    ],
)
def test_bombs_and_broken_ones(tmp_path: Path, content: bytes, said: str) -> None:
    """What cannot be shown is refused in one sentence, before it takes memory."""
    for look in (
        lambda path: images.measure("a picture", path),
        lambda path: images.prepare("a picture", path, PLAIN),
    ):
        with pytest.raises(MediaError, match=said):
            look(stored(tmp_path, content))


def test_a_panorama(tmp_path: Path) -> None:
    """What a network does not take for its shape is refused: nobody knows where to cut it."""
    limits = PictureLimits(PLAIN.mimes, 10**7, ratio=20)
    with pytest.raises(MediaError, match="more than 20 times as long"):
        images.prepare("a panorama", stored(tmp_path, jpeg(2100, 100)), limits)


def test_an_animation_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An animation is not cut: one that is too large is refused."""
    with pytest.raises(MediaError, match="more than the network takes"):
        images.prepare("moving", stored(tmp_path, moving("GIF")), PictureLimits(PLAIN.mimes, size=100))
    monkeypatch.setattr(images, "MAX_MOVING_PIXELS", 1000)
    with pytest.raises(MediaError, match="5 frames, more than can be shown"):
        images.measure("moving", stored(tmp_path, moving("WEBP")))
