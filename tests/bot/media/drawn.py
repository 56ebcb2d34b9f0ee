"""Files drawn for tests: each is what its name says, until a test spoils it."""

import io
import struct
import zlib
from pathlib import Path

from PIL import Image, ImageDraw
from pillow_heif import from_pillow

MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(100)
PDF = b"%PDF-1.7\n" + bytes(100)
OPUS = b"OggS\x00\x02" + bytes(22) + b"OpusHead" + bytes(30)


def picture(width: int = 60, height: int = 40, mode: str = "RGB") -> Image.Image:
    """A disc on a ground, clear where `mode` can be."""
    image = Image.new(mode, (width, height), (200, 120, 40, 60)[: len(mode)])
    shape = (width // 4, height // 4, width // 2, height // 2)
    ImageDraw.Draw(image).ellipse(shape, fill=(20, 40, 200, 255)[: len(mode)])
    return image


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpeg(width: int = 60, height: int = 40) -> bytes:
    return encoded(picture(width, height))


def from_a_camera() -> bytes:
    """A picture that lies on its side, and says where it was taken."""
    notes = Image.Exif()
    notes[0x0112] = 6  # turned by 90 degrees
    notes[0x010F] = "Camera"
    notes.get_ifd(0x8825)[1] = "N"
    return encoded(picture(), exif=notes)


def moving(kind: str) -> bytes:
    frames = [Image.new("RGB", (60, 40), (20 * shade, 100, 0)) for shade in range(5)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


def heic() -> bytes:
    out = io.BytesIO()
    from_pillow(picture()).save(out)
    return out.getvalue()


def bomb(side: int = 50_000) -> bytes:
    """A PNG of few bytes that says it is enormous."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(bytes(10_000)))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def put(folder: Path, **files: bytes) -> None:
    """Write files; a name's last underscore is the dot before its suffix."""
    for name, content in files.items():
        (folder / ".".join(name.rsplit("_", 1))).write_bytes(content)
