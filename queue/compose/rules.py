"""What a channel asks of its posts, and the post that comes of it. Frozen values.

Whoever only shows or stores posts needs no more: how a thread is put into them is in `compose`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from threadcast.queue.sentences import Sentence
from threadcast.queue.text.media import Media, MediaKind, StoredFile
from threadcast.queue.text.settings import ThreadSettings

Measure = Callable[[str], int]


class Numbering(StrEnum):
    """How the posts of a channel are numbered."""

    KEEP = "keep"  # the author's markers as written
    RENUMBER = "renumber"  # 1/ 2/ … over the posts of the channel
    TOTAL = "total"  # 1/34 2/34 …
    NONE = "none"


@dataclass(frozen=True, slots=True)
class MediaRules:
    """Which files a channel takes: at most `count` in a post, `caption` long at most the text beside them.

    `together` are the sets of kinds that may share a post; a kind in none of them stands alone. `sizes` has
    the bytes at most of each kind that is taken, as it is sent; pictures are made smaller where they need it.
    Videos and recordings of the MIME types `documents` are shown as documents. `fixed` are the kinds that no
    post can get or lose once it is out, where files are replaced one by one, each at its place; None: a post
    may show any others later.
    """

    count: int
    caption: int
    together: tuple[frozenset[MediaKind], ...]
    sizes: Mapping[MediaKind, int]
    documents: frozenset[str] = frozenset()
    description: int = 0  # characters at the most; 0: nobody says
    fixed: frozenset[MediaKind] | None = None

    def family(self, kind: MediaKind) -> frozenset[MediaKind]:
        """The kinds that may share a post with this one; none where it stands alone."""
        return next((one for one in self.together if kind in one), frozenset())

    def kind_of(self, file: StoredFile) -> MediaKind:
        """What a file is there."""
        played = file.kind in {MediaKind.VIDEO, MediaKind.AUDIO}
        return MediaKind.DOCUMENT if played and file.mime in self.documents else file.kind


@dataclass(frozen=True, slots=True)
class Rules:
    """What a channel accepts: `limit` in the units that `measure` counts in.

    `head` stands before the text of every post: the line of a content warning, where the network has no
    field for it. `media` is None where it takes no files: a thread that has some is not composed then. With
    `packed`, parts that follow one another share a post as long as they fit.
    """

    limit: int
    measure: Measure
    numbering: Numbering = Numbering.KEEP
    head: str = ""
    media: MediaRules | None = None
    packed: bool = False

    def fits(self, text: str, media: tuple[Media, ...]) -> bool:
        """Whether a text fits into a post beside these files."""
        most = min(self.media.caption, self.limit) if media and self.media else self.limit
        return self.measure(text) <= most


@dataclass(frozen=True, slots=True)
class Post:
    """One post as it will be sent.

    `part` is the position of its part in the thread, from 1; of several, the last one's. `label` is the
    number shown to the reader, empty where there is none; `text` is the whole post, label included;
    `length` is the text's length by the channel's own measure. `media` are the files it shows; with some,
    the text may be empty.
    """

    part: int
    label: str
    text: str
    length: int
    media: tuple[Media, ...] = ()


def head_of(settings: ThreadSettings) -> str:
    """Return a content warning as the first line of every post; nothing where there is none."""
    return f"⚠️ {settings.warning}\n" if settings.warning else ""


class CannotComposeError(ValueError):
    """The thread cannot be put into posts under these rules, for the reason that its sentence says."""

    def __init__(self, says: str, /, **about: object) -> None:
        super().__init__(Sentence(says, **about))
