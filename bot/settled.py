"""The settings of a thread in words, once for every face: which they are, and what is wrong with one."""

from threadcast.bot.languages import _
from threadcast.bot.plain import quoted
from threadcast.config.environment import channel_variable
from threadcast.queue.sentences import Sentence
from threadcast.queue.text.settings import NAMES, ThreadSettings, expected
from threadcast.queue.text.thread import Notice, NoticeKind

BRANCHED = 21  # posts; of a chain that never replies to its first post again no more are seen
OF_SETTINGS = {NoticeKind.UNKNOWN_SETTING, NoticeKind.WRONG_SETTING, NoticeKind.NOT_SETTINGS}


def of_settings(notice: Notice) -> str:
    """Return what is wrong with the front matter of a thread."""
    name, text = next(iter(notice.markers), ""), quoted(notice.text)
    if notice.kind is NoticeKind.NOT_SETTINGS:
        return Sentence(
            "what stands between the lines --- cannot be read as settings: {text}; write “warning: politics”,"
            " with quotes round a text that has a colon in it, right before a thread",
            text=text,
        )
    if notice.kind is NoticeKind.WRONG_SETTING:
        if notice.numbers:
            return Sentence("the setting {name} stands there twice: keep one of them", name=name)
        return setting_refused(name, notice.text)
    if name:
        return Sentence("there is no setting {text}; {name} may be meant", text=text, name=name)
    return Sentence("there is no setting {text}; there are {names}", text=text, names=", ".join(NAMES))


def settled(settings: ThreadSettings) -> str:
    """Return the settings of a thread on one line; empty where there are none."""
    found = {name: shown(value) for name, value in settings.given().items()}
    return "; ".join(f"{name}: {value}" for name, value in found.items())


def shown(value: object) -> str:
    """Return the value of a setting."""
    match value:
        case bool():
            return str(value).lower()
        case tuple():
            return ", ".join(value)
    return str(value) or "-"


def setting_refused(name: str, value: str) -> str:
    """Return why a setting of a thread cannot have this value."""
    if name not in NAMES:
        return Sentence(
            "there is no setting {text}; there are {names}", text=quoted(name), names=", ".join(NAMES)
        )
    return Sentence(
        "the setting {name} has to be {expected}, and not {text}",
        name=name,
        expected=expected(name),
        text=quoted(value),
    )


def linked(channel: str, also: str) -> str:
    """Return what is added to a chain once its thread is whole on another channel."""
    said = _("once the thread is whole on {also} too, its last post on {channel} gets a link to it")
    return said.format(also=also, channel=channel)


def unseen(channel: str, posts: int, seen: int) -> str:
    """Return what visitors of a server will not see of a chain of so many posts, and what would show it."""
    said = _("visitors who are not logged in see the first {seen} of {posts} posts on {channel}").format(
        seen=seen, posts=posts, channel=channel
    )
    if seen > BRANCHED:
        return said
    return _("{said}; all of them with {variable}=20").format(
        said=said, variable=channel_variable(channel, "DEPTH")
    )
