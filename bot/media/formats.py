"""What a file is that is no UTF-8 text: a document of another kind, or text in another encoding. Pure."""

import re

from threadcast.queue.sentences import Sentence

# How these files begin: https://en.wikipedia.org/wiki/List_of_file_signatures
KINDS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", Sentence("a PDF document")),
    (b"{\\rtf", Sentence("a rich-text document")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Sentence("a document of an old Microsoft Office")),
    (b"\x89PNG\r\n", Sentence("a picture")),
    (b"\xff\xd8\xff", Sentence("a picture")),
    (b"GIF8", Sentence("a picture")),
    (b"RIFF", Sentence("a picture or a recording")),
    (b"\x1f\x8b", Sentence("a compressed file")),
)
ZIP = b"PK\x03\x04"
# What is in a ZIP file that is a document.
ZIPPED: tuple[tuple[bytes, str], ...] = (
    (b"word/", Sentence("a Word document")),
    (b"xl/", Sentence("an Excel workbook")),
    (b"opendocument.text", Sentence("an OpenDocument text")),
    (b"epub+zip", Sentence("an e-book")),
)

_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_BLANK = re.compile(r"[ \n]")  # every text has one; what was read in a wrong way hardly does
_CYRILLIC_WORDS = re.compile(rb"[\xa8\xb8\xc0-\xff]{3,}")


def kind_of(data: bytes) -> str | None:
    """Return what kind of document these bytes are, None where they may be a text, or an archive."""
    if data.startswith(ZIP):
        return next((kind for mark, kind in ZIPPED if mark in data), None)
    return next((kind for mark, kind in KINDS if data.startswith(mark)), None)


def encoding_of(data: bytes) -> str | None:
    """Return the likely encoding of a text that is not in UTF-8, None where it may be no text at all."""
    zeros = data[0::2].count(0), data[1::2].count(0)
    if any(zeros) and not all(zeros):
        guess = "utf-16-le" if zeros[1] else "utf-16-be"
    else:
        # Cyrillic words are of such bytes alone; in Western ones they stand one by one.
        high = sum(byte > 0x7F for byte in data)  # noqa: PLR2004  # ASCII ends there
        cyrillic = sum(map(len, _CYRILLIC_WORDS.findall(data)))
        guess = "windows-1251" if 2 * cyrillic > high else "windows-1252"
    try:
        text = data.decode(guess)
    except UnicodeDecodeError:
        return None
    return guess if _BLANK.search(text) and not _CONTROLS.search(text) else None
