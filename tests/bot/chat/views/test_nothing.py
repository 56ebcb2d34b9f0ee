"""What is said where there is nothing to list, and what few see: each by its words."""

from zoneinfo import ZoneInfo

from tests.bot.chat.samples import NOW, delivery
from threadcast.bot.chat.access import Role
from threadcast.bot.chat.views import asking, lists, troubles
from threadcast.bot.chat.views.cards import Viewer
from threadcast.bot.chat.views.message import visible
from threadcast.queue.states import DeliveryState

ADA = Viewer(NOW, ZoneInfo("UTC"), Role.OWNER)


def test_an_empty_queue() -> None:
    """Where nothing waits, the queue says so, of the channel that was asked for, and what to do."""
    every = lists.queue([], ADA, page=0, channel="")
    assert visible(every.text) == "Nothing waits. Send me a text file, or /add"
    one = lists.queue([], ADA, page=0, channel="news")
    assert visible(one.text) == "Nothing waits for news. Send me a text file, or /add"


def test_no_events() -> None:
    """Before anything happened, the audit log says what to do first."""
    assert lists.events([], ADA).text == "Nothing has happened yet. Send me a text file, or /add"


def test_what_is_out_stays() -> None:
    """Who cancels a chain that has begun is told how much of it stays out."""
    begun = delivery(7, state=DeliveryState.FAILED, sent=4)
    said = visible(asking.cancel((7,), (), [begun], "abc").text)
    assert "6 posts in all?" in said
    assert said.endswith("What is out stays: 4 posts.")


def test_another_program() -> None:
    """Where another program takes the bot's updates, the setting is named that ends it; the end is quiet."""
    assert "THREADCAST_TELEGRAM__LISTEN=false" in visible(troubles.not_alone().text)
    assert troubles.alone().quiet
