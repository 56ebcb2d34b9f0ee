"""What a server that speaks Mastodon's API says of itself, and what an address of one looks like."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from threadcast.bot.channels.media import MASTODON_FILES, MASTODON_PICTURES
from threadcast.bot.channels.port import Reach
from threadcast.bot.media.images import PictureLimits
from threadcast.config.channels import MastodonChannelSettings
from threadcast.config.logs import redact
from threadcast.queue.compose.rules import Measure, MediaRules, Numbering, Rules
from threadcast.queue.text.media import MediaKind
from threadcast.queue.text.settings import ThreadSettings

# Mastodon and its descendants: only they know Idempotency-Key, and count characters in its way.
# What a server is, https://nodeinfo.diaspora.software tells; many call themselves Mastodon elsewhere.
MASTODON = frozenset({"mastodon", "glitchsoc", "glitch-soc", "hometown", "fedibird", "kmyblue", "ecko"})

# What Mastodon shows of a conversation to somebody who is not logged in: replies deep, and in all.
# https://github.com/mastodon/mastodon/blob/main/app/controllers/api/v1/statuses_controller.rb
VISITORS_DEPTH, VISITORS_MOST = 20, 60

USUAL_LIMIT = 500  # characters of a status, where a server does not tell; Mastodon's own
USUAL_URL_LENGTH = 23  # characters that a URL counts as, where a server does not tell; Mastodon's own


@dataclass(frozen=True, slots=True)
class Instance:
    """What a server says of itself. `limit` and `url_length` are characters, as it counts them.

    `software` is its name in nodeinfo, empty where it does not tell.
    """

    software: str
    version: str
    limit: int
    url_length: int
    media: MediaRules = MASTODON_FILES
    pictures: PictureLimits = MASTODON_PICTURES

    @property
    def is_mastodon(self) -> bool:
        """Whether it is Mastodon, or a descendant of its code."""
        return self.software in MASTODON

    def reach(self, depth: int | None) -> Reach:
        """How far visitors see a chain that branches after `depth` posts; nobody knows it of others."""
        return reach_of(depth) if self.is_mastodon else Reach(branches=depth)

    def rules(self, usual: MastodonChannelSettings, thread: ThreadSettings) -> Rules:
        """What an account takes of a thread: by Mastodon's own count, or by one that is never too small."""
        from threadcast.queue.compose import length as measure  # noqa: PLC0415  # only where something is measured

        spoiler = spoiler_of(thread, usual)
        if self.is_mastodon:
            count: Measure = partial(measure.mastodon, url_length=self.url_length, spoiler=spoiler)
        else:
            count = partial(measure.code_points, spoiler=spoiler)
        numbering = Numbering(thread.numbering or usual.numbering)
        return Rules(self.limit, count, numbering, media=self.media)


def spoiler_of(thread: ThreadSettings, usual: MastodonChannelSettings) -> str:
    """Return the content warning: the thread's own, which may be none, or the channel's."""
    return usual.spoiler if thread.warning is None else thread.warning


def reach_of(depth: int | None) -> Reach:
    """How far visitors see on a server that is Mastodon, as each is until it says something else.

    After `depth` posts the next one of a chain replies to its first again; None: never.
    """
    return Reach(VISITORS_DEPTH, VISITORS_MOST, depth)


def instance_of(info: object, software: str) -> Instance | None:
    """Read what `/api/v2/instance` or `/api/v1/instance` answered; None where that is no such thing."""
    version = dig(info, "version")
    if not isinstance(version, str):
        return None
    limit = dig(info, "configuration", "statuses", "max_characters") or dig(info, "max_toot_chars")
    url_length = dig(info, "configuration", "statuses", "characters_reserved_per_url")
    return Instance(
        software=software,
        version=redact(version),
        limit=limit if isinstance(limit, int) and limit > 0 else USUAL_LIMIT,
        url_length=url_length if isinstance(url_length, int) and url_length > 0 else USUAL_URL_LENGTH,
        media=_media_of(info),
        pictures=_pictures_of(info),
    )


def _media_of(info: object) -> MediaRules:
    """Which files the server takes, where it tells."""
    usual, media = MASTODON_FILES, "media_attachments"
    pictures = _number(info, media, "image_size_limit", usual=usual.sizes[MediaKind.IMAGE])
    played = _number(info, media, "video_size_limit", usual=usual.sizes[MediaKind.VIDEO])
    shown = {MediaKind.IMAGE, MediaKind.ANIMATION}
    return replace(
        usual,
        count=_number(info, "statuses", "max_media_attachments", usual=usual.count),
        sizes={kind: pictures if kind in shown else played for kind in usual.sizes},
        description=_number(info, media, "description_limit", usual=usual.description),
    )


def _pictures_of(info: object) -> PictureLimits:
    """What the server takes of a picture, where it tells."""
    usual = MASTODON_PICTURES
    named = dig(info, "configuration", "media_attachments", "supported_mime_types")
    told = named if isinstance(named, list) and named else usual.mimes
    mimes = usual.mimes.intersection(one for one in told if isinstance(one, str))
    return replace(
        usual,
        mimes=frozenset(mimes | {"image/jpeg"}),
        size=_number(info, "media_attachments", "image_size_limit", usual=usual.size),
        pixels=_number(info, "media_attachments", "image_matrix_limit", usual=usual.pixels),
    )


def _number(info: object, *names: str, usual: int) -> int:
    found = dig(info, "configuration", *names)
    return found if isinstance(found, int) and found > 0 else usual


def dig(value: object, *names: str) -> object:
    """What stands under these names, one inside the other; None where it does not."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def fit_to_show(text: str) -> bool:
    """Whether no secret is in a text: a server may put the token that it was sent anywhere."""
    return redact(text) == text


def address_of(status: object) -> str | None:
    """The address at which a reader finds a status; None where it has none that may be shown."""
    url = dig(status, "url")
    return url if isinstance(url, str) and "://" in url and fit_to_show(url) else None
