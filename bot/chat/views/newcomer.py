"""What a newcomer is told: how a channel is set up, and let go of. Pure."""

import re
from collections.abc import Collection, Sequence

from threadcast.bot.channels.stored import StoredChannel
from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import button
from threadcast.bot.chat.views.message import Message, bold, code, esc
from threadcast.bot.languages import _, translated

LONGEST_NAME = 32  # characters
GROUP = "THREADCAST_TELEGRAM__GROUP"


def how_to_begin(role: Role) -> Message:
    """There is no channel yet."""
    if role is not Role.OWNER:
        return Message(_("No channel is configured yet: one of the owners does that. All commands: /help"))
    return Message(
        "\n".join(
            [
                bold(_("There is no channel yet: let us set one up.")),
                "",
                _("1. Add me to your channel as an administrator who may post messages."),
                _("2. I notice, and ask you here: press Publish here."),
                _("3. Send me a thread: a text file, or paste it."),
                "",
                _(
                    "A Mastodon account: type {command} in a shell where I run, allow me in your browser, "
                    "and start me again."
                ).format(command=code("threadcast setup")),
            ]
        )
    )


def name_for(title: str, username: str | None, taken: Collection[str] = ()) -> str:
    """A name for a channel, fit for a variable too: small letters, digits and single underlines.

    None of those that are `taken`.
    """
    words = re.sub(r"[^a-z0-9]+", "_", (username or title).casefold()).strip("_")
    name = words[:LONGEST_NAME].strip("_") or "news"
    wished, number = name, 1
    while name in taken:
        number += 1
        name = f"{wished[: LONGEST_NAME - len(str(number)) - 1].strip('_')}_{number}"
    return name


def joined(one: StoredChannel, *, may_post: bool, group: int | None = None) -> Message:
    """The bot was added to a chat that is no channel yet. `group` is a group's id."""
    lines = [_("I am in {title} now.").format(title=bold(one.title))]
    if may_post:
        asked = _("Shall I publish there? It is called {name} then, in the queue and in commands.")
        lines.append(asked.format(name=bold(one.name)))
    else:
        lines.append(
            _("I may not post there yet: make me an administrator with the right “Post Messages”, and I ask.")
        )
    if group is not None:
        line = code(f"{GROUP}={group}")
        said = _("Or, to give commands and read reports there, put {line} into {file}, and start me again.")
        lines += ["", said.format(line=line, file=code(".env"))]
    asking = ((button(_("Publish here"), "here", (), str(one.chat)),),) if may_post else ()
    return Message("\n".join(lines), asking)


def begun(one: StoredChannel, faults: Sequence[tuple[str, str]]) -> Message:
    """The bot publishes in a chat from now on; `faults` keep it from that: what, and what to do."""
    if faults:
        lines = [
            _("{title} is a channel now, called {name}, but I cannot publish there yet:").format(
                title=bold(one.title), name=bold(one.name)
            ),
            *(f"⚠️ {esc(translated(what))}: {esc(translated(advice))}" for what, advice in faults),
        ]
        return Message("\n".join(lines))
    said = _("I publish in {title} now; it is called {name}. Send me a thread: a text file, or paste it.")
    return Message(said.format(title=bold(one.title), name=bold(one.name)))


def ask_forgetting(one: StoredChannel) -> Message:
    """Before a stored channel is one no more."""
    said = _("Shall I publish in {title} no more? What is out there stays, and I cannot take it down then.")
    yes = button(_("Yes, forget"), "forget-yes", (), one.name)
    return Message(said.format(title=bold(one.title)), ((yes, button(_("No"), "channels")),))


def forgotten(one: StoredChannel) -> Message:
    """A stored channel is one no more."""
    again = button(_("Publish here"), "here", (), str(one.chat))
    return Message(_("I publish in {title} no more.").format(title=bold(one.title)), ((again,),))


def ready(title: str, channel: str) -> Message:
    """The bot may post in a configured channel now."""
    return Message(
        _("I may post in {title} now: {channel} is ready. What waits: {command}").format(
            title=bold(title), channel=bold(channel), command=f"/queue {esc(channel)}"
        )
    )


def left(title: str, channel: str) -> Message:
    """The bot may not post in a configured channel any more."""
    return Message(
        _(
            "⚠️ I cannot post in {title} any more: {channel} stops at its next post. Make me an "
            "administrator there who may post messages again; what stopped meanwhile goes on with /retry"
        ).format(title=bold(title), channel=bold(channel))
    )
