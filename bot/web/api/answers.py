"""What the API answers: the models of `--json`, in objects that can grow."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from threadcast.bot import models
from threadcast.queue.text.media import MediaKind


class Answer(BaseModel):
    """Keys may be added, and are not taken away."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class Receipts(Answer):
    """What became of each thread of a text."""

    threads: list[models.Receipt]


class Listing(Answer):
    """Threads, the newest first; the rest is asked for with `before` = `next`."""

    threads: list[models.Listed]
    next: int | None = Field(description="the last one here, where there are more")


class Previews(Answer):
    """What the parser made of a text, and each channel's posts."""

    threads: list[models.Thread]
    previews: list[models.Preview]


class Changed(Answer):
    """The deliveries that were changed, and why others of the thread were not."""

    deliveries: list[models.Delivery]
    refused: list[models.Refused] = []


class Edited(Changed):
    """Also how many posts that are out are edited, by channel."""

    edits: dict[str, int] = {}


class Undone(Answer):
    """How far chains were taken down; with `until`, the network asks to wait: ask again then."""

    deliveries: list[models.Undoing]
    refused: list[models.Refused]
    until: datetime | None = None


class Audits(Answer):
    """How each chain that is out compares with what its network shows."""

    deliveries: list[models.Audit]


class Removed(Answer):
    """The number of a thread that is forgotten."""

    removed: int


class Queue(Answer):
    """What waits, in the order in which it goes out, with when and why then."""

    deliveries: list[models.Forecast]


class Channels(Answer):
    """The channels, configured and remembered."""

    channels: list[models.Channel]


class Events(Answer):
    """Who did what, the oldest first; the rest is asked for with `after` = `next`."""

    events: list[models.Event]
    next: int | None = Field(description="the last one here, where there are more")


class File(Answer):
    """A file that a thread shows: its place among them, and that of the part."""

    number: int
    part: int
    media: models.Media


class Kept(Answer):
    """A file that is kept: a text shows it as `![what can be seen](source)`."""

    source: str
    sha256: str
    type: str = Field(description="its media type, by what is in it")
    kind: MediaKind
    size: int = Field(description="bytes")


class Files(Answer):
    """The files that a thread shows, in order."""

    files: list[File]
