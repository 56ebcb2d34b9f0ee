"""What is asked before something is taken away: how much of what. Pure."""

from collections.abc import Sequence

from threadcast.bot.chat.buttons import button, ranges
from threadcast.bot.chat.views.message import Message, bold, esc, rows
from threadcast.bot.wording import count
from threadcast.queue.model import Delivery


def numbers(threads: Sequence[int]) -> str:
    """Return `#7`, `#7-9`, or `#2, #7-9`."""
    return ", ".join(f"#{one}" for one in ranges(threads))


def cancel(threads: tuple[int, ...], words: Sequence[str], meant: Sequence[Delivery], mark: str) -> Message:
    """Whether threads shall be taken out of the queue, on these channels or wherever they wait."""
    what = f"{numbers(threads)} {bold(meant[0].title)}" if len(threads) == 1 else numbers(threads)
    channels = ", ".join(dict.fromkeys(one.channel for one in meant))
    posts = sum(one.posts - one.sent for one in meant)
    parts = sum(one.parts for one in meant if not one.posts)
    left = [*([count(posts, "post")] if posts else []), *([count(parts, "part")] if parts else [])]
    out = sum(one.sent for one in meant)
    stays = f" What is out stays: {count(out, 'post')}." if out else ""
    said = f"Take {what} out of the queue of {esc(channels)}, {' and '.join(left)} in all?{stays}"
    yes = button("Yes, cancel", "cancel-yes", threads, *words, stamp=mark)
    return Message(said, rows((yes, button("No", "card", threads))))
