"""What a Telegram chat takes of a thread. Known without a call, and without the client library."""

from typing import Final

from threadcast.bot.channels.media import ChannelFiles
from threadcast.config.channels import TelegramChannelSettings
from threadcast.queue.compose.rules import Numbering, Rules, head_of
from threadcast.queue.text.settings import ThreadSettings

LIMIT: Final = 4096  # code points, https://core.telegram.org/bots/api#sendmessage


def rules_of(usual: TelegramChannelSettings, files: ChannelFiles, thread: ThreadSettings) -> Rules:
    """Return the rules of a chat for a thread with these settings of its own."""
    from threadcast.queue.compose.length import telegram  # noqa: PLC0415  # only where something is measured

    return Rules(
        LIMIT,
        telegram,
        Numbering(thread.numbering or usual.numbering),
        head_of(thread),
        files.takes,
        usual.layout == "packed",
    )
