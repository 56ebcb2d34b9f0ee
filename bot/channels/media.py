"""The files of posts: which ones each network takes, and how they are made ready for it."""

import asyncio
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from threadcast.bot.languages import _
from threadcast.bot.media import images
from threadcast.bot.media.bucket import AwayError
from threadcast.bot.media.errors import MediaError
from threadcast.bot.media.images import PictureLimits
from threadcast.bot.media.store import MediaStore
from threadcast.bot.plain import plain
from threadcast.queue.compose.rules import MediaRules
from threadcast.queue.outcomes import Code, Obstacle, Refused, Unreached
from threadcast.queue.sentences import Sentence
from threadcast.queue.text.media import NOT_THERE, Media, MediaKind

Uploads = tuple[str, ...]  # what a network calls the files that it has taken

_MB = 1024 * 1024
_PICTURES = frozenset({MediaKind.IMAGE, MediaKind.ANIMATION})
_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "audio/ogg": ".ogg"}

# https://core.telegram.org/bots/api#sending-files, #sendphoto, #sendmediagroup and #editmessagemedia
TELEGRAM_FILES = MediaRules(
    count=10,
    caption=1024,
    together=(
        frozenset({MediaKind.IMAGE, MediaKind.VIDEO}),
        frozenset({MediaKind.DOCUMENT}),
        frozenset({MediaKind.AUDIO}),
    ),
    sizes={kind: (10 if kind is MediaKind.IMAGE else 50) * _MB for kind in MediaKind},
    documents=frozenset({"video/webm", "video/ogg", "audio/ogg", "audio/wav", "audio/flac"}),
    fixed=frozenset({MediaKind.VOICE}),
)
TELEGRAM_PICTURES = PictureLimits(
    frozenset({"image/jpeg", "image/png"}), size=10 * _MB, sides=10_000, ratio=20
)

# What a server of Mastodon's takes that says nothing else: https://docs.joinmastodon.org/entities/Instance
MASTODON_FILES = MediaRules(
    count=4,
    caption=10**9,  # as long as any text
    together=(_PICTURES,),
    sizes={
        MediaKind.IMAGE: 16 * _MB,
        MediaKind.ANIMATION: 16 * _MB,
        MediaKind.VIDEO: 99 * _MB,
        MediaKind.AUDIO: 99 * _MB,
        MediaKind.VOICE: 99 * _MB,
    },
    description=1500,
)
MASTODON_PICTURES = PictureLimits(
    frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"}), size=16 * _MB, pixels=33_177_600
)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it is sent."""

    name: str
    mime: str
    kind: MediaKind
    description: str
    content: bytes
    focal_point: tuple[float, float] | None = None


class ChannelFiles:
    """The files of a channel's posts.

    `takes` are those that it takes, as far as is known without asking it; None: none at all. Of these,
    `pictures` are made to fit.
    """

    def __init__(self, store: MediaStore, takes: MediaRules | None, pictures: PictureLimits) -> None:
        self.store = store
        self.takes = takes
        self.pictures = pictures

    async def accept(
        self, media: Sequence[Media], uploads: Uploads, out: str | None = None
    ) -> Uploads | Obstacle:
        """Make sure, before its chain begins, that the files of a post can go out with it. Never raises.

        Where the network takes files before the post: have it take them, and return their ids; those of
        earlier `uploads` that are still there are kept. So are those of a post that is `out` under this id,
        before it is edited.
        """
        for index, one in enumerate(media):
            if out is not None and uploads[index : index + 1] != (NOT_THERE,):
                continue
            try:
                await self.ready(one)
            except MediaError as error:
                return fault_of(error)
        return uploads

    def too_large(self, uploads: Sequence[Upload]) -> str:
        """Return which file is larger than the network takes; empty where none is."""
        sizes = self.takes.sizes if self.takes else {}
        large = next((one for one in uploads if len(one.content) > sizes.get(one.kind, 0)), None)
        said = _("{name} has {size} KB, more than the network takes")
        return said.format(name=large.name, size=f"{len(large.content) // 1024:,}") if large else ""

    async def ready(self, media: Media) -> Upload:
        """Return a file as it is sent. Raises MediaError."""
        return await asyncio.to_thread(self._ready, media)

    def _ready(self, media: Media) -> Upload:
        file, name = media.file, plain(media.name)
        if file is None:
            raise MediaError(Sentence("{name} was never kept; add the thread again with it", name=name))
        kind = self.takes.kind_of(file) if self.takes else file.kind
        with self.store.opened(file.digest, name) as path:
            if kind not in _PICTURES:
                content = path.read_bytes()
                return Upload(name, file.mime, kind, media.description, content, media.focal_point)
            picture = images.prepare(name, path, self.pictures)
        suffix = _SUFFIXES.get(picture.mime) or mimetypes.guess_extension(picture.mime) or ""
        shown = PurePosixPath(name).with_suffix("").name + suffix
        return Upload(shown, picture.mime, kind, media.description, picture.content, media.focal_point)


def fault_of(error: MediaError) -> Obstacle:
    """Return what keeps a post from going out whose file cannot be used; the store may come back."""
    return Unreached(str(error)) if isinstance(error, AwayError) else Refused(str(error), Code.CONTENT)


NO_FILES = ChannelFiles(MediaStore(Path("nowhere")), None, PictureLimits(frozenset(), 0))
"""Those of a channel that takes none."""
