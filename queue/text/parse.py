"""From text to threads: markers, parts, notices; docs/ has the grammar. Pure; linear in the text."""

from threadcast.queue.sentences import Sentence
from threadcast.queue.text.front_matter import threads_of
from threadcast.queue.text.parts import Text
from threadcast.queue.text.thread import Thread, composed, whole

_OTHER_LINE_BREAKS = "\r\v\f\x85\u2028\u2029"
_LINE_BREAKS = str.maketrans(dict.fromkeys(_OTHER_LINE_BREAKS, "\n"))
_BOMS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


class NotTextError(ValueError):
    """The bytes are not text. `offset` is the first byte that tells, counted from 0."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(
            Sentence(
                "not text: {reason} at byte offset {offset}; save the file as UTF-8 text",
                reason=reason,
                offset=offset,
            )
        )
        self.offset = offset


def decode(data: bytes) -> str:
    """The text in `data`: UTF-8 with or without a byte order mark, or UTF-16 with one.

    Line breaks CR LF and CR become LF. Raises NotTextError on other bytes, and on NUL, which no text
    holds and most binary files do.
    """
    bom, encoding = next((item for item in _BOMS.items() if data.startswith(item[0])), (b"", "utf-8"))
    try:
        text = data[len(bom) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise NotTextError(
            len(bom) + error.start, Sentence("no valid {upper}", upper=encoding.upper())
        ) from None
    if (nul := text.find("\0")) >= 0:
        raise NotTextError(len(bom) + len(text[:nul].encode(encoding)), Sentence("a NUL character"))
    return _line_feeds(text)


def parse(text: str) -> tuple[Thread, ...]:
    """Return the threads in `text`, in order; none in white space. Never raises."""
    return threads_of(_line_feeds(composed(text)), lambda bare: tuple(Text(bare).threads()))


def render(thread: Thread) -> str:
    """Return the thread as text, for export: `parse` gives the same thread back."""
    if any(part.marker for part in thread.parts):
        body = "\n".join(whole(part, thread.placement) for part in thread.parts)
    else:
        body = "\n---\n".join(whole(part, thread.placement) for part in thread.parts)
    body = f"{thread.preamble}\n\n{body}" if thread.preamble else body
    return f"---\n{thread.front}\n---\n{body}" if thread.front else body


def _line_feeds(text: str) -> str:
    text = text.replace("\r\n", "\n")
    return text.translate(_LINE_BREAKS) if any(sign in text for sign in _OTHER_LINE_BREAKS) else text
