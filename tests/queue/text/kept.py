"""What became of a text: where each character of it went."""

import re
from operator import itemgetter

from threadcast.queue.text.parse import parse
from threadcast.queue.text.thread import NoticeKind, composed, written

LEFT_OUT = {NoticeKind.AFTER_END, NoticeKind.READER_LINES}
INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def kept(text: str) -> str:
    """All that is in a part, a preamble or a notice, in the order of the text, squeezed."""
    pieces: list[tuple[int, str]] = []
    for thread in parse(text):
        for notice in thread.notices:
            if notice.kind is NoticeKind.PREAMBLE:
                pieces.append((notice.line, thread.preamble))
            elif notice.kind in LEFT_OUT:
                pieces.append((notice.line, notice.text))
        pieces += [(part.line, written(part, thread.placement)) for part in thread.parts]
    return squeezed("".join(piece for _, piece in sorted(pieces, key=itemgetter(0))))


def squeezed(text: str) -> str:
    """A text without white space and invisible characters, composed."""
    return composed(INVISIBLE.sub("", "".join(text.split())))
