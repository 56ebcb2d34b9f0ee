"""What is asked first: before something is taken away, how much of what; and what was meant. Pure."""

from collections.abc import Sequence

from threadcast.bot.chat.buttons import button, ranges
from threadcast.bot.chat.views.message import Button, Message, Rows, bold, esc, rows
from threadcast.bot.languages import _, ngettext
from threadcast.bot.wording import listed, parts, posts
from threadcast.queue.model import Delivery
from threadcast.queue.text.thread import Thread

ACROSS = 6  # parts on a row of buttons
PARTS = 60  # that have a button at once


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


def which_part(thread: Thread, verb: str, threads: tuple[int, ...], *words: str, page: int = 0) -> Rows:
    """A button for each part, which asks for the verb with its place behind the words; so many at once."""
    pages = max(1, -(-len(thread.parts) // PARTS))
    first = min(max(page, 0), pages - 1) * PARTS
    every = [
        button(part.marker[:20] or str(place), verb, threads, *words, str(place))
        for place, part in enumerate(thread.parts[first : first + PARTS], start=first + 1)
    ]
    return tuple(tuple(every[start : start + ACROSS]) for start in range(0, len(every), ACROSS))


def next_parts(
    thread: Thread, verb: str, threads: tuple[int, ...], *words: str, page: int = 0
) -> Button | None:
    """A button for the next parts, and behind the last for the first; None where all are there."""
    pages = -(-len(thread.parts) // PARTS)
    return button(_("More ▶"), verb, threads, *words, page=(page + 1) % pages) if pages > 1 else None
