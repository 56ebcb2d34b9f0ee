"""What makes two threads the same: their words, whatever their numbers and white space. Pure."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from threadcast.queue.text.thread import Part


def fingerprint(parts: Iterable[Part]) -> str:
    """A hexadecimal SHA-256 of the texts (NFC, UTF-8), markers and white space left out."""
    # All parts at once: nothing joins across a NUL. ASCII white space is taken from the bytes, which is
    # fast; other white space, and what NFC may change, is looked for among what is not ASCII only. A lone
    # surrogate is no text, yet `parse` never raises.
    text = "\0".join([part.text for part in parts])
    data = text.encode("utf-8", "surrogatepass").translate(None, _ASCII_BLANKS)
    if not text.isascii():
        others = data.translate(None, _ASCII).decode("utf-8", "surrogatepass")
        if not STABLE.fullmatch(others):
            words = data.decode("utf-8", "surrogatepass").split()
            normal = unicodedata.normalize("NFC", "".join(words))
            data = normal.encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()


_ASCII = bytes(range(128))
_ASCII_BLANKS = b" \t\n\v\f\r\x1c\x1d\x1e\x1f"
# Characters that are no white space, and that NFC leaves alone whatever stands around them: Latin,
# Cyrillic, punctuation, signs, kana, Han, ready-made Hangul, emoji.
STABLE = re.compile(
    "[\u00a1-\u02ff\u0400-\u0482\u048a-\u052f\u200d\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2190-\u21ff"
    "\u2b00-\u2bff\u3001-\u3029\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3\ufe0f\uff01-\uff9d"
    "\U0001f300-\U0001faff]*"
)
