"""What is asked first: before something is taken away, how much of what; and what was meant. Pure."""

from collections.abc import Sequence

from threadcast.bot.chat.buttons import button, ranges
from threadcast.bot.chat.views.message import Message, Rows, bold, esc, rows
from threadcast.bot.languages import _, ngettext
from threadcast.bot.wording import listed, parts, posts
from threadcast.queue.model import Delivery


def numbers(threads: Sequence[int]) -> str:
    """Return `#7`, `#7-9`, or `#2, #7-9`."""
    return ", ".join(f"#{one}" for one in ranges(threads))


def cancel(threads: tuple[int, ...], words: Sequence[str], meant: Sequence[Delivery], mark: str) -> Message:
    """Whether threads shall be taken out of the queue, on these channels or wherever they wait."""
    what = f"{numbers(threads)} {bold(meant[0].title)}" if len(threads) == 1 else numbers(threads)
    channels = ", ".join(dict.fromkeys(one.channel for one in meant))
    planned = sum(one.posts - one.sent for one in meant)
    unplanned = sum(one.parts for one in meant if not one.posts)
    left = [*([posts(planned)] if planned else []), *([parts(unplanned)] if unplanned else [])]
    said = _("Take {what} out of the queue of {channels}, {left} in all?").format(
        what=what, channels=esc(channels), left=listed(left)
    )
    if out := sum(one.sent for one in meant):
        said += " " + _("What is out stays: {posts}.").format(posts=posts(out))
    yes = button(_("Yes, cancel"), "cancel-yes", threads, *words, stamp=mark)
    return Message(said, rows((yes, button(_("No"), "card", threads))))


def is_a_thread(messages: int) -> Message:
    """Whether so many messages without a number shall be one."""
    asked = ngettext(
        "Shall this be a thread? It has no numbers.",
        "Shall these {n} messages be a thread? They have no numbers.",
        messages,
    )
    yes, no = button(_("Yes, a thread"), "begin"), button(_("No"), "drop")
    return Message(asked.format(n=messages), ((yes, no),))


def one_of(channels: Sequence[str], verb: str, threads: tuple[int, ...], *words: str) -> Rows:
    """A button for each channel, which asks for the verb with its name behind the words; and one for all."""
    every = [*((name, name) for name in channels), (_("All of them"), "all")]
    return tuple((button(label, verb, threads, *words, name),) for label, name in every)
