"""What is settled for one thread alone: all of it, and what one setting may be. Pure."""

from threadcast.bot.chat.buttons import button
from threadcast.bot.chat.views.message import Button, Message, Rows, bold, esc
from threadcast.bot.languages import _, translated
from threadcast.bot.settled import shown
from threadcast.queue.text.settings import CHOICES, expected
from threadcast.queue.text.thread import Thread

AS_USUAL = "-"  # in place of a value: as the channels have it
SHOWN = 24  # characters of a value on a button
IN_A_ROW = 2


def settings(thread_id: int, thread: Thread, names: tuple[str, ...], mark: str) -> Message:
    """All settings of a thread that can be changed, each with its value."""
    head = _("{thread} · Settings of this thread alone. The others are as its channels have them.")
    each = [button(_label(name, thread), "set", (thread_id,), name, stamp=mark) for name in names]
    back = button(_("◀ Back"), "card", (thread_id,))
    return Message(head.format(thread=_thread(thread_id, thread)), (*_in_rows(each), (back,)))


def choices(thread_id: int, thread: Thread, name: str, mark: str) -> Message:
    """What a setting may be, as buttons."""
    now = thread.settings.given().get(name)
    each = [
        button(
            f"✓ {one}" if now is not None and shown(now) == one else one,
            "set",
            (thread_id,),
            name,
            one,
            stamp=mark,
        )
        for one in CHOICES[name]
    ]
    last = (
        button(_("As the channels have it"), "set", (thread_id,), name, AS_USUAL, stamp=mark),
        button(_("◀ Settings"), "set", (thread_id,)),
    )
    return Message(f"{_thread(thread_id, thread)} · {bold(name)}", (*_in_rows(each), last))


def question(thread_id: int, thread: Thread, name: str) -> Message:
    """Ask for a value that is typed."""
    now = thread.settings.given().get(name)
    lines = [
        f"{_thread(thread_id, thread)} · {bold(name)}",
        _("Reply with {expected}; - for what the channels have.").format(
            expected=esc(translated(expected(name)))
        ),
    ]
    if now is not None:
        lines.append(_("Now it is: {value}").format(value=esc(shown(now))))
    return Message("\n".join(lines), asks=translated(expected(name))[:64])


def changed(thread_id: int, name: str, thread: Thread) -> str:
    """What is said of a setting that was changed, as HTML."""
    now = thread.settings.given().get(name)
    if now is None:
        return _("{thread}: {name} is as its channels have it now.").format(thread=f"#{thread_id}", name=name)
    said = _("{thread}: {name} is {value} now.")
    return said.format(thread=f"#{thread_id}", name=name, value=esc(shown(now)))


def _thread(thread_id: int, thread: Thread) -> str:
    return f"#{thread_id} {bold(thread.title)}"


def _label(name: str, thread: Thread) -> str:
    now = thread.settings.given().get(name)
    if now is None:
        return name
    value = shown(now)
    return f"{name}: {value if len(value) <= SHOWN else value[: SHOWN - 1] + '…'}"


def _in_rows(each: list[Button]) -> Rows:
    return tuple(tuple(each[start : start + IN_A_ROW]) for start in range(0, len(each), IN_A_ROW))
