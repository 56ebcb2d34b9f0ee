"""Pictures, read and written by Pillow: measured when they come in, prepared before they go out.

What is prepared is turned the right way round and carries neither position nor anything else that a camera
noted. Pillow is imported here alone, when the first picture is looked at.
"""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from threadcast.bot.media.errors import MediaError
from threadcast.queue.sentences import Sentence

if TYPE_CHECKING:
    from PIL.Image import Image

# Each takes up to 4 bytes while a picture is at work; JPEG is made smaller while it is read.
MAX_PIXELS = 64_000_000
MAX_JPEG_PIXELS = 256_000_000
MAX_MOVING_PIXELS = 200_000_000  # of all frames together, where they are written anew
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "HEIF")
QUALITIES = (90, 82, 74, 66)  # of JPEG, until it is small enough
SMALLEST = 64  # pixels: what is still too large then is no question of its size
_NOTED = {"exif", "xmp", "photoshop", "comment", "XML:com.adobe.xmp"}  # what cameras and editors leave

_one_at_a_time = threading.Lock()  # what a large picture takes, it takes once


@dataclass(frozen=True, slots=True)
class Measured:
    """A picture's size as it is shown, in pixels, and whether it moves."""

    width: int
    height: int
    animated: bool


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What a network takes: MIME types, bytes, pixels in all, width and height together, the longest ratio.

    0: it sets no such limit.
    """

    mimes: frozenset[str]
    size: int
    pixels: int = 0
    sides: int = 0
    ratio: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is sent."""

    content: bytes
    mime: str


def measure(name: str, path: Path) -> Measured:
    """Look at a whole picture, so that one that is broken is found now. Raises MediaError."""
    with _opened(name, path) as image:
        width, height = image.size
        animated = _moves(name, image)
        image.draft("RGB", (1024, 1024))
        turned = image.getexif().get(0x0112, 1) >= 5  # noqa: PLR2004  # by 90 degrees: EXIF's Orientation
        image.load()
    return Measured(height, width, animated) if turned else Measured(width, height, animated)


def prepare(name: str, path: Path, limits: PictureLimits) -> Picture:
    """Return a picture as a network takes it, without what a camera noted in it. Raises MediaError."""
    from PIL import Image  # noqa: PLC0415  # see below

    with _opened(name, path) as image:
        mime = Image.MIME.get(image.format or "", "")
        if _moves(name, image):
            picture = _moving(image, path, mime)
        else:
            picture = _still(name, image, path, mime, limits)
    if len(picture.content) > limits.size:
        raise MediaError(
            Sentence(
                "{name} has {size} KB, more than the network takes",
                name=name,
                size=f"{len(picture.content) // 1024:,}",
            )
        )
    return picture


@contextmanager
def _opened(name: str, path: Path) -> "Iterator[Image]":
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415  # most commands show no picture
    from pillow_heif import register_heif_opener  # noqa: PLC0415

    register_heif_opener()
    Image.MAX_IMAGE_PIXELS = None  # it would warn; we refuse
    with _one_at_a_time:
        try:
            with Image.open(path, formats=FORMATS) as image:
                most = MAX_JPEG_PIXELS if image.format == "JPEG" else MAX_PIXELS
                width, height = image.size
                if width * height > most:
                    raise MediaError(
                        Sentence(
                            "{name} is {width} x {height} pixels, more than can be shown; make it smaller",
                            name=name,
                            width=f"{width:,}",
                            height=f"{height:,}",
                        )
                    )
                yield image
        except UnidentifiedImageError:
            raise MediaError(
                Sentence("{name} is no picture that can be read; save it anew as JPEG or PNG", name=name)
            ) from None
        # Decoders raise what they like where the data is not what they expect.
        except (OSError, ValueError, SyntaxError, EOFError, RuntimeError, TypeError, LookupError) as error:
            raise MediaError(
                Sentence("{name} is a broken picture; save it anew as JPEG or PNG", name=name)
            ) from error


def _moves(name: str, image: "Image") -> bool:
    frames = int(getattr(image, "n_frames", 1))
    if image.format in {"HEIF", "JPEG"}:  # a burst, or a second picture for a screen with depth
        return False
    width, height = image.size
    if image.format != "GIF" and width * height * frames > MAX_MOVING_PIXELS:
        raise MediaError(
            Sentence(
                "{name} has {n} frames, more than can be shown; make it shorter or smaller",
                name=name,
                n=f"{frames:,}",
            )
        )
    return frames > 1


def _moving(image: "Image", path: Path, mime: str) -> Picture:
    """An animation as it is, or as GIF where that is what the network moves."""
    if mime == "image/gif":
        return Picture(path.read_bytes(), mime)
    from PIL import ImageSequence  # noqa: PLC0415  # see above

    durations: list[int] = []

    def frames() -> "Iterator[Image]":
        for frame in ImageSequence.Iterator(image):
            durations.append(int(frame.info.get("duration", 100)) or 100)
            yield frame.convert("RGBA")

    every = frames()
    first = next(every)
    out = io.BytesIO()
    first.save(out, "GIF", save_all=True, append_images=every, duration=durations, loop=0, disposal=2)
    return Picture(out.getvalue(), "image/gif")


def _still(name: str, image: "Image", path: Path, mime: str, limits: PictureLimits) -> Picture:
    from PIL import ImageOps  # noqa: PLC0415  # see above

    width, height = image.size
    if limits.ratio and max(width, height) > limits.ratio * min(width, height):
        raise MediaError(
            Sentence(
                "{name} is more than {n} times as long as it is wide, which the network does not take; "
                "crop it",
                name=name,
                n=limits.ratio,
            )
        )
    scale = _scale(width, height, limits)
    taken = scale == 1 and mime in limits.mimes and path.stat().st_size <= limits.size
    if taken and not image.getexif() and not image.info.keys() & _NOTED and not getattr(image, "text", None):
        return Picture(path.read_bytes(), mime)
    colours = image.info.get("icc_profile") if image.mode in {"RGB", "RGBA", "P"} else None
    if scale < 1:
        image.draft("RGB", (int(width * scale), int(height * scale)))
    shown = ImageOps.exif_transpose(image)
    if shown.mode.startswith("I"):  # 16 bits of grey
        shown = shown.convert("I").point(lambda value: value / 256).convert("L")
    clear = _is_transparent(shown)
    shown = shown.convert("RGBA" if clear else "RGB")
    shown.info = {}  # it would be written again
    scale = _scale(shown.width, shown.height, limits)
    while True:
        if scale < 1:
            shown.thumbnail(_within((int(shown.width * scale), int(shown.height * scale)), limits))
        for content, found in _written(shown, mime, clear=clear, colours=colours):
            if len(content) <= limits.size or max(shown.size) < SMALLEST:
                return Picture(content, found)
        scale = 0.75


def _written(shown: "Image", mime: str, *, clear: bool, colours: bytes | None) -> Iterator[tuple[bytes, str]]:
    """A picture in the forms that may do, the best first."""
    if clear or mime == "image/png":
        out = io.BytesIO()
        shown.save(out, "PNG", optimize=True, icc_profile=colours)
        yield out.getvalue(), "image/png"
    if not clear:
        for quality in QUALITIES:
            out = io.BytesIO()
            shown.save(out, "JPEG", quality=quality, icc_profile=colours)
            yield out.getvalue(), "image/jpeg"


def _scale(width: int, height: int, limits: PictureLimits) -> float:
    """How much smaller it has to be in each direction."""
    scale = 1.0
    if limits.pixels:
        scale = min(scale, (limits.pixels / (width * height)) ** 0.5)
    if limits.sides:
        scale = min(scale, limits.sides / (width + height))
    return scale


def _within(size: tuple[int, int], limits: PictureLimits) -> tuple[int, int]:
    """A size that certainly is not over the limits by a rounding."""
    width, height = max(1, size[0]), max(1, size[1])
    while _scale(width, height, limits) < 1 and min(width, height) > 1:
        width, height = width - 1, height - 1
    return width, height


def _is_transparent(image: "Image") -> bool:
    if image.mode in {"RGBA", "LA", "PA"}:
        return image.getchannel("A").getextrema()[0] != 255  # noqa: PLR2004  # else all of it is seen
    return "transparency" in image.info
