"""How a file is said, once for every face."""

from threadcast.bot.languages import N_, _
from threadcast.queue.sentences import Sentence
from threadcast.queue.text.media import Media, MediaKind, megabytes
from threadcast.queue.text.thread import Notice

_KINDS = {
    MediaKind.IMAGE: N_("picture"),
    MediaKind.ANIMATION: N_("animation"),
    MediaKind.VIDEO: N_("video"),
    MediaKind.AUDIO: N_("recording"),
    MediaKind.VOICE: N_("voice message"),
    MediaKind.DOCUMENT: N_("document"),
}


def undescribed(notice: Notice) -> str:
    """Return which files have no description."""
    name, line, more = notice.text, notice.line, len(notice.lines[1:])
    if not more:
        return Sentence(
            "{name} (line {line}) has no description for those who cannot see it", name=name, line=line
        )
    return Sentence(
        "{name} (line {line}) and {n} more file have no description for those who cannot see them",
        "{name} (line {line}) and {n} more files have no description for those who cannot see them",
        name=name,
        line=line,
        n=more,
    )


def kind(of: str) -> str:
    """Return what a kind of file is called: `picture`."""
    return _(_KINDS[MediaKind(of)])


def shown(media: Media) -> str:
    """Return a file of a post: `📎 photo.jpg (picture, 2.1 MB): what can be seen`."""
    known = f" ({kind(media.file.kind)}, {megabytes(media.file.size)})" if media.file else ""
    return f"📎 {media.name}{known}{f': {media.description}' if media.description else ''}"
