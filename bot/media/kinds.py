"""What a file is, by what is in it: its name is only asked where that does not tell. Pure."""

import mimetypes
from pathlib import PurePosixPath

from threadcast.bot.languages import _
from threadcast.bot.media.errors import MediaError
from threadcast.queue.sentences import Sentence
from threadcast.queue.text.media import MediaKind

_IMAGE, _VIDEO, _AUDIO = MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.AUDIO
# How files begin: https://en.wikipedia.org/wiki/List_of_file_signatures
_BEGINNINGS: tuple[tuple[bytes, MediaKind, str], ...] = (
    (b"\xff\xd8\xff", _IMAGE, "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", _IMAGE, "image/png"),
    (b"GIF87a", _IMAGE, "image/gif"),
    (b"GIF89a", _IMAGE, "image/gif"),
    (b"ID3", _AUDIO, "audio/mpeg"),
    (b"\xff\xfb", _AUDIO, "audio/mpeg"),
    (b"\xff\xf3", _AUDIO, "audio/mpeg"),
    (b"\xff\xf2", _AUDIO, "audio/mpeg"),
    (b"fLaC", _AUDIO, "audio/flac"),
    (b"%PDF-", MediaKind.DOCUMENT, "application/pdf"),
)
_RIFF = {b"WEBP": (_IMAGE, "image/webp"), b"WAVE": (_AUDIO, "audio/wav")}
# https://www.ftyps.com
_BRANDS: tuple[tuple[frozenset[bytes], MediaKind, str], ...] = (
    (frozenset({b"avif", b"avis"}), _IMAGE, "image/avif"),
    (frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"}), _IMAGE, "image/heic"),
    (frozenset({b"M4A ", b"M4B "}), _AUDIO, "audio/mp4"),
    (frozenset({b"qt  "}), _VIDEO, "video/quicktime"),
)


def kind_of(name: str, head: bytes) -> tuple[MediaKind, str]:
    """Return what a file is and its MIME type, from its first few thousand bytes.

    Raises MediaError where it is empty, or is not what its name says that it is.
    """
    if not head:
        raise MediaError(_("{name} is empty; save it again").format(name=name))
    if found := _read(head):
        return found
    named = mimetypes.guess_type(PurePosixPath(name).name)[0]
    family = (named or "").partition("/")[0]
    if named == "image/svg+xml":
        raise MediaError(
            _("{name} is an SVG drawing, which no network shows; export it as PNG").format(name=name)
        )
    if family in {"image", "video", "audio"}:
        if is_page(head):
            raise MediaError(
                _("{name} is not what it is called: it is a web page; save it anew").format(name=name)
            )
        raise MediaError(
            Sentence(
                "{name} is no picture, video or recording, though it is called so; save it anew", name=name
            )
        )
    return MediaKind.DOCUMENT, named or "application/octet-stream"


def is_page(head: bytes) -> bool:
    """Return whether it begins as a web page does."""
    begins = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:15].lower()
    return begins.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml", b"<!--"))


def _read(head: bytes) -> tuple[MediaKind, str] | None:
    for begins, kind, mime in _BEGINNINGS:
        if head.startswith(begins):
            return kind, mime
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    if head.startswith(b"OggS"):
        if b"OpusHead" in head:
            return MediaKind.VOICE, "audio/ogg"
        return (_VIDEO, "video/ogg") if b"\x80theora" in head else (_AUDIO, "audio/ogg")
    if head.startswith(b"\x1aE\xdf\xa3"):
        return (_VIDEO, "video/webm") if b"webm" in head[:64] else (MediaKind.DOCUMENT, "video/x-matroska")
    return _boxed(head) if head[4:8] == b"ftyp" else None


def _boxed(head: bytes) -> tuple[MediaKind, str]:
    """What a file of the MP4 family is, by its brands: the first one, and then those it may be read as."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end, 4))}
    for some, kind, mime in _BRANDS:
        if head[8:12] in some or (kind is _IMAGE and brands & some):
            return kind, mime
    return _VIDEO, "video/mp4"
