"""How the settings of a thread look in the chat."""

from threadcast.bot.chat.views.previews import Look, below, messages
from threadcast.bot.chat.views.settings import choices, settings
from threadcast.queue.compose.rules import Post
from threadcast.queue.text.parse import parse
from threadcast.queue.text.settings import NAMES, ThreadSettings

(THREAD,) = parse(f"---\nwarning: {'bread ' * 10}\nsilent: true\n---\n1/ <b>\n2/ c /end")


def test_a_long_value_is_shown_by_its_beginning() -> None:
    """A button has a setting's name and as much of its value as a telephone shows; what is, is marked."""
    labels = [one.label for row in settings(7, THREAD, NAMES, "").buttons for one in row]
    assert labels[:3] == ["title", "warning: bread bread bread bread…", "sensitive"]
    assert [one.label for one in choices(7, THREAD, "silent", "").buttons[0]] == ["✓ true", "false"]


def test_a_preview_hides_what_readers_will_have_hidden() -> None:
    """Below the line of a content warning the text is a spoiler, and nothing in it is markup."""
    post = Post(1, "1/", "⚠️ <x>\n1/ <b>", 12)
    (shown,) = messages(post, ThreadSettings(warning="<x>"))
    assert shown.text == "⚠️ &lt;x&gt;\n<tg-spoiler>1/ &lt;b&gt;</tg-spoiler>"
    (plain,) = messages(Post(1, "1/", "1/ <b>", 6), ThreadSettings(warning="<x>"))
    assert plain.text == "1/ &lt;b&gt;"


def test_a_preview_says_what_is_settled() -> None:
    """Below the chain, as on the card."""
    look = Look(1, ("news",), 4096, (Post(1, "1/", "1/ <b>", 6),), ())
    assert below(look, THREAD, 7, 1).split("\n")[1].startswith("⚙️ warning: bread bread")
