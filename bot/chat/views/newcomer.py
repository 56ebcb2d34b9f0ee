"""What a newcomer is told: how a channel is set up, with the lines to paste. Pure."""

import re
from collections.abc import Collection

from threadcast.bot.chat.access import Role
from threadcast.bot.chat.views.message import Message, bold, code, esc
from threadcast.bot.languages import _

LONGEST_NAME = 32  # characters
GROUP = "THREADCAST_TELEGRAM__GROUP"
PREFIX = "THREADCAST_CHANNELS__"


def how_to_begin(role: Role) -> Message:
    """There is no channel yet."""
    if role is not Role.OWNER:
        return Message(_("No channel is configured yet: one of the owners does that. All commands: /help"))
    return Message(
        "\n".join(
            [
                bold(_("Welcome. There is no channel yet: let us set one up.")),
                "",
                _("1. Add me to your channel as an administrator who may post messages."),
                _("2. I notice, and answer with the lines that your configuration needs."),
                _("3. Paste them into {file}, and start Threadcast again.").format(file=code(".env")),
                "",
                _(
                    "A Mastodon account needs these lines instead. "
                    "Its token is under Preferences → Development:"
                ),
                code(f"{PREFIX}MASTO__KIND=mastodon"),
                code(f"{PREFIX}MASTO__URL=https://mastodon.example"),
                code(f"{PREFIX}MASTO__TOKEN=your-access-token"),
            ]
        )
    )


def name_for(title: str, username: str | None, taken: Collection[str] = ()) -> str:
    """A name for a channel as it stands in a variable: capital letters, digits and single underlines.

    None of those that are `taken`, which are in lower case.
    """
    words = re.sub(r"[^A-Z0-9]+", "_", (username or title).upper()).strip("_")
    name = words[:LONGEST_NAME].strip("_") or "NEWS"
    wished, number = name, 1
    while name.lower() in taken:
        number += 1
        name = f"{wished[: LONGEST_NAME - len(str(number)) - 1].strip('_')}_{number}"
    return name


def joined(title: str, chat: str, name: str, *, may_post: bool, group: int | None = None) -> Message:
    """The bot was added to a chat that is not configured. `chat` is its @name or id, `group` a group's id."""
    lines = [_("I am in {title} now.").format(title=bold(title))]
    if not may_post:
        lines.append(_("I may not post there yet: make me an administrator who may post messages."))
    lines += [
        "",
        _("To publish there, put these lines into {file}:").format(file=code(".env")),
        code(f"{PREFIX}{name}__KIND=telegram"),
        code(f"{PREFIX}{name}__CHAT={chat}"),
        "",
        *([_("Or, to give commands and read reports there:"), code(f"{GROUP}={group}"), ""] if group else []),
        _("Then start Threadcast again; {command} says whether all is well.").format(
            command=code("threadcast check")
        ),
    ]
    return Message("\n".join(lines))


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
