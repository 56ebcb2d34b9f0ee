"""Looking at messages of a Telegram chat by forwarding them."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr

from tests.queue.store.fresh import fresh_database
from tests.servers.telegram.calls import REAL_PACES
from tests.servers.telegram.chats import Chat, ChatKind, Member, Message, User
from tests.servers.telegram.server import TOKEN, TelegramServer
from threadcast.bot.channels.build import build_channels
from threadcast.bot.channels.port import Channel, Difference, Expected, Landmark, Sought
from threadcast.bot.channels.telegram import lookup as telegram_probe
from threadcast.bot.channels.telegram.channel import TelegramChannel
from threadcast.bot.channels.telegram.client import make_bot
from threadcast.config.channels import TelegramChannelSettings
from threadcast.config.settings import load
from threadcast.queue.outcomes import Absent, Blind, Look, Sent, Throttled, Unreached

OWNER = User(77, "Ada")
TEXT = "2/ A tower."


@dataclass
class House:
    """A channel with a post that is known, a bot that is its administrator, and the bot's owner."""

    server: TelegramServer
    chat: Chat
    private: Chat
    bot: User
    known: Message

    def channel(self, *, probed: bool = True) -> TelegramChannel:
        return TelegramChannel(
            TelegramChannelSettings(name="news", chat=str(self.chat.id), token=SecretStr(TOKEN)),
            bot=make_bot(TOKEN, api_url=self.server.url),
            clock=lambda: datetime.now(UTC),
            probe_chat=self.private.id if probed else None,
            probe_rest=self.rest,
        )

    async def rest(self, seconds: float) -> None:
        """No test waits for Telegram's pace."""

    def add(self, text: str, *, sender: User | None = None, chat: Chat | None = None) -> Message:
        return self.server.receive(chat or self.chat, text, sender or self.bot)

    async def look(
        self,
        *,
        text: str = TEXT,
        parent: str | None = None,
        landmark: Landmark | None = None,
        channel: TelegramChannel | None = None,
        since: datetime | None = None,
    ) -> Look:
        """Look for a post under the known one, unless told otherwise."""
        channel = channel or self.channel()
        if parent is None and landmark is None:
            parent = str(self.known.id)
        sought = Sought(text, parent, "key", since=since or datetime.now(UTC), landmark=landmark)
        try:
            return await channel.look_up(sought)
        finally:
            await channel.close()

    def asked_to(self, method: str) -> int:
        return sum(request.path.endswith(f"/{method}") for request in self.server.requests)

    def copies(self) -> list[Message]:
        return self.server.seen(self.private)


def as_built(house: House, folder: Path) -> Callable[[], Channel]:
    """What builds the channel as a service does, anew with each start, on one queue."""
    environ = {
        "THREADCAST_TELEGRAM__TOKEN": TOKEN,
        "THREADCAST_TELEGRAM__API_URL": house.server.url,
        "THREADCAST_TELEGRAM__ADMINS": str(house.private.id),
        "THREADCAST_CHANNELS__NEWS__KIND": "telegram",
        "THREADCAST_CHANNELS__NEWS__CHAT": str(house.chat.id),
    }
    settings, database = load(environ, folder=folder), fresh_database()
    return lambda: build_channels(settings, database)[0]


def house_on(server: TelegramServer, kind: ChatKind = "channel") -> House:
    bot = server.add_bot()
    chat = server.add_chat(kind, username="news" if kind != "group" else None)
    private = server.add_chat("private")
    return House(server, chat, private, bot, server.receive(chat, "1/ A lamp.", bot))


@pytest.fixture
def house() -> Iterator[House]:
    with TelegramServer() as server:
        yield house_on(server)


class TestForwarding:
    async def test_nothing_of_it_stays(self, house: House) -> None:
        """A post is found behind its parent; the owner's chat is as before, and made no sound."""
        post = house.add(TEXT)
        assert await house.look() == Sent(str(post.id), f"https://t.me/news/{post.id}")
        assert house.copies() == []
        silent = [r for r in house.server.requests if r.path.endswith("/forwardMessage")]
        assert all(request.form["disable_notification"] == ["true"] for request in silent)

    async def test_the_whole_window_is_looked_at(self, house: House) -> None:
        """What is not in the twenty ids behind is absent, and each of them was asked for."""
        assert await house.look() == Absent()
        assert house.asked_to("forwardMessage") == telegram_probe.WINDOW

    async def test_behind_what_others_posted(self, house: House) -> None:
        """Other messages, gaps and service messages between do not end the look."""
        for number in range(30):
            house.add(f"Good morning {number}")
        pinned = house.add("")
        pinned.extra["pinned_message"] = {}
        for number in range(10, 25):
            del house.chat.messages[house.known.id + number]
        post = house.add(TEXT)
        look = await house.look()
        assert isinstance(look, Sent)
        assert look.remote_id == str(post.id)

    async def test_too_many_to_look_at(self, house: House) -> None:
        """Where more stands behind the parent than is looked at, the post is not taken for absent."""
        for number in range(telegram_probe.FARTHEST + 1):
            house.add(f"Good morning {number}")
        look = await house.look()
        assert isinstance(look, Blind)
        assert "messages stand behind" in look.reason
        assert house.copies() == []

    @pytest.mark.parametrize("kind", ["channel", "group", "supergroup"])
    async def test_in_every_kind_of_chat(self, kind: ChatKind) -> None:
        """In groups too a post is found, and one with its text by somebody else is not taken for it."""
        with TelegramServer() as server:
            house = house_on(server, kind)
            if kind != "channel":
                house.add(TEXT, sender=OWNER)
            assert await house.look() == Absent()
            post = house.add(TEXT)
            look = await house.look()
        assert isinstance(look, Sent)
        assert look.remote_id == str(post.id)
        assert (look.url is None) is (kind == "group")

    async def test_a_text_that_was_forwarded_into_the_channel(self, house: House) -> None:
        """A message with the text that comes from another chat is not the post."""
        message = house.add(TEXT)
        message.extra["forward_origin"] = {
            "type": "channel",
            "date": message.date,
            "chat": {"id": -1005, "type": "channel", "title": "Elsewhere"},
            "message_id": 3,
        }
        assert await house.look() == Absent()

    @pytest.mark.parametrize(
        ("origin", "found"),
        [
            ({"type": "hidden_user", "sender_user_name": "Ada"}, Absent),
            ({"type": "chat", "sender_chat": {"id": -1005, "type": "supergroup", "title": "x"}}, Absent),
            (None, Blind),
        ],
        ids=["hidden", "another-chat", "not-told"],
    )
    async def test_where_a_copy_comes_from(
        self, house: House, origin: dict[str, object] | None, found: type[Look]
    ) -> None:
        """A copy that comes from elsewhere is not the post; one that does not say is for a person."""
        message = house.add(TEXT)
        message.extra["forward_origin"] = origin and {"date": message.date, **origin}
        assert isinstance(await house.look(), found)

    async def test_an_anonymous_administrator(self) -> None:
        """In a group where the bot writes in the group's name, its post is found."""
        with TelegramServer() as server:
            house = house_on(server, "supergroup")
            message = house.add(TEXT)
            chat = house.chat.to_json()
            message.extra["forward_origin"] = {"type": "chat", "date": message.date, "sender_chat": chat}
            assert isinstance(await house.look(), Sent)

    async def test_at_telegrams_pace(self) -> None:
        """Copies come to the owner's chat no faster than Telegram takes them."""
        waits: list[float] = []

        async def rest(seconds: float) -> None:
            waits.append(seconds)

        with TelegramServer(clock=lambda: time.monotonic() + sum(waits)) as server:
            house = house_on(server)
            server.api.paces = REAL_PACES
            for number in range(4):
                house.add(f"Good morning {number}")
            channel = house.channel()
            channel._probe._rest = rest
            assert await house.look(channel=channel) == Absent()
        assert len(waits) >= 3
        assert all(0 < wait <= 1 for wait in waits)

    async def test_a_chat_that_was_just_written_to(self, house: House) -> None:
        """Where Telegram asks for a moment, as after an answer in that chat, the look goes on then."""
        waits: list[float] = []

        async def rest(seconds: float) -> None:
            waits.append(seconds)

        house.add(TEXT)
        house.server.throttle(1, "forwardMessage")
        channel = house.channel()
        channel._probe._rest = rest
        assert isinstance(await house.look(channel=channel), Sent)
        assert waits[0] == 1

    async def test_a_throttled_look(self, house: House) -> None:
        """Where Telegram asks to wait, it is looked again then; no copy stays."""
        house.add(TEXT)
        house.server.throttle(40, "forwardMessage")
        look = await house.look()
        assert isinstance(look, Throttled)
        assert timedelta(seconds=30) < look.until - datetime.now(UTC) <= timedelta(seconds=40)

    @pytest.mark.parametrize("method", ["getChat", "forwardMessage"])
    async def test_a_failing_server(self, house: House, method: str) -> None:
        """Where the server fails, the post is neither there nor absent."""
        house.server.fail(502, "Bad Gateway", method)
        assert isinstance(await house.look(), Unreached)

    async def test_a_copy_that_cannot_be_deleted(self, house: House) -> None:
        """The owner is told of a copy that could not be deleted, and it is deleted with the next."""
        house.add(TEXT)
        house.server.fail(500, method="deleteMessage")
        channel = house.channel()
        with structlog.testing.capture_logs() as logs:
            first = await channel.look_up(Sought(TEXT, "1", "key", datetime.now(UTC), None))
        left = house.copies()
        second = await house.look(channel=channel)
        assert isinstance(first, Sent)
        assert first == second
        assert len(left) == 1
        assert [line["message"] for line in logs] == [left[0].id]
        assert house.copies() == []

    async def test_a_copy_that_outlived_the_service(self, house: House, tmp_path: Path) -> None:
        """A copy that was left when the service died goes with the next look, whatever that finds."""
        build = as_built(house, tmp_path)
        house.add(TEXT)
        house.server.fail(500, method="deleteMessage")
        for text in (TEXT, "another text"):
            channel = build()
            last = Landmark(str(house.known.id + (text != TEXT)), "1/ A lamp." if text == TEXT else TEXT)
            await channel.look_up(Sought(text, last.remote_id, "key", datetime.now(UTC), last))
            await channel.close()
            assert len(house.copies()) == (text == TEXT)

    def test_a_service_that_dies_before_it_deletes(self, house: House, tmp_path: Path) -> None:
        """A copy goes with the next look also where the service died before its deletion was answered."""
        build, server = as_built(house, tmp_path), house.server
        house.add(TEXT)
        last = Landmark(str(house.known.id), "1/ A lamp.")
        sought = Sought(TEXT, last.remote_id, "key", datetime.now(UTC), last)
        forwarded = server.hold_answer("forwardMessage")

        async def die() -> None:
            look = asyncio.ensure_future(build().look_up(sought))
            await asyncio.to_thread(server.wait_for, lambda _: bool(house.copies()))
            server.hold()  # what is asked from here on does not happen
            forwarded.set()
            await asyncio.to_thread(server.wait_for, lambda _: house.asked_to("deleteMessage") > 0)
            assert not look.done()

        async def look_again() -> None:
            channel = build()
            assert isinstance(await channel.look_up(sought), Sent)
            await channel.close()

        asyncio.run(die())
        server.come_back()
        assert len(house.copies()) == 1
        asyncio.run(look_again())
        assert house.copies() == []

    async def test_a_copy_that_is_gone_already(self, house: House) -> None:
        """A copy that its owner deleted first is no fault."""
        house.add(TEXT)
        house.server.fail(400, "Bad Request: message to delete not found", "deleteMessage")
        with structlog.testing.capture_logs() as logs:
            assert isinstance(await house.look(), Sent)
        assert logs == []

    async def test_a_cancelled_look(self, house: House) -> None:
        """A look that is cancelled deletes the copy it has made."""
        house.add(TEXT)
        released = house.server.hold_answer("deleteMessage")
        channel = house.channel()
        task = asyncio.create_task(
            channel.look_up(Sought(TEXT, str(house.known.id), "key", datetime.now(UTC), None))
        )
        await asyncio.to_thread(
            house.server.wait_for,
            lambda _: house.asked_to("deleteMessage") > 0,
        )
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        released.set()
        await channel.close()
        assert house.copies() == []


def not_started(house: House) -> None:
    house.private.members.clear()


def blocked(house: House) -> None:
    house.private.members[house.bot.id] = Member("kicked")


def another_account(house: House) -> None:
    del house.server.api.chats[house.private.id]


def protected(house: House) -> None:
    house.chat.protected = True


def kicked(house: House) -> None:
    house.server.kick(house.chat)


class TestBlind:
    @pytest.mark.parametrize(
        ("happens", "says"),
        [
            (not_started, "press Start in a private chat with the bot"),
            (blocked, "press Start in a private chat with the bot"),
            (another_account, "press Start in a private chat with the bot"),
            (protected, "allow forwarding there"),
            (kicked, "add it again"),
        ],
    )
    async def test_what_is_in_the_way(
        self, house: House, happens: Callable[[House], None], says: str
    ) -> None:
        """Where nothing can be forwarded a person is asked, and told what would help the next time."""
        house.add(TEXT)
        happens(house)
        look = await house.look()
        assert isinstance(look, Blind)
        assert says in look.reason

    async def test_no_administrator(self, house: House) -> None:
        """Without a private chat nothing can be seen, and there is no minute to wait for that."""
        channel = house.channel(probed=False)
        assert channel.settling.first_look == timedelta(0)
        look = await house.look(channel=channel)
        assert isinstance(look, Blind)
        assert "THREADCAST_TELEGRAM__ADMINS" in look.reason
        assert house.asked_to("forwardMessage") == 0

    async def test_a_parent_of_another_network(self, house: House) -> None:
        """A parent that cannot be Telegram's is for a person."""
        assert isinstance(await house.look(parent="01J-abc"), Blind)


class TestLandmark:
    def landmark(self, house: House) -> Landmark:
        return Landmark(str(house.known.id), "1/  A lamp.")

    async def test_a_first_post(self, house: House) -> None:
        """A first post is found behind the landmark, or absent there."""
        assert await house.look(landmark=self.landmark(house)) == Absent()
        post = house.add(TEXT)
        assert await house.look(landmark=self.landmark(house)) == Sent(
            str(post.id), f"https://t.me/news/{post.id}"
        )

    @pytest.mark.parametrize("is_deleted", [True, False])
    async def test_another_chat(self, house: House, is_deleted: bool) -> None:
        """Where the landmark is not in the chat, or another message has its id, nothing is absent."""
        if is_deleted:
            del house.chat.messages[house.known.id]
        else:
            house.known.text = "Good morning"
        look = await house.look(landmark=self.landmark(house))
        assert isinstance(look, Blind)
        assert "the chat is another" in look.reason

    @pytest.mark.parametrize("landmark", [None, Landmark("01J-abc", "a post of another network")])
    async def test_no_landmark(self, house: House, landmark: Landmark | None) -> None:
        """A first post with none known before it is for a person."""
        channel = house.channel()
        look = await channel.look_up(Sought(TEXT, None, "key", datetime.now(UTC), landmark))
        await channel.close()
        assert isinstance(look, Blind)
        assert "no earlier post" in look.reason

    async def test_a_reply_after_other_chains(self, house: House) -> None:
        """A reply whose chain went on after others is looked for behind the newest post that is known."""
        parent = str(house.known.id)
        for number in range(telegram_probe.FARTHEST + 5):
            house.add(f"Good morning {number}")
        newest = house.add("12/ Good night.")
        post = house.add(TEXT)
        look = await house.look(parent=parent, landmark=Landmark(str(newest.id), newest.text))
        without = await house.look(parent=parent, landmark=Landmark(str(newest.id), "another"))
        assert isinstance(look, Sent)
        assert look.remote_id == str(post.id)
        assert isinstance(without, Blind)


class TestAudit:
    async def audit(self, house: House, *posts: tuple[int, str], probed: bool = True) -> object:
        chain = [Expected(at, str(number), text, None) for at, (number, text) in enumerate(posts, 1)]
        channel = house.channel(probed=probed)
        try:
            return await channel.audit(chain)
        finally:
            await channel.close()

    async def test_a_sound_chain(self, house: House) -> None:
        """A chain that is as it was sent has no differences, and nothing of the audit stays."""
        post = house.add(TEXT)
        assert await self.audit(house, (house.known.id, "1/ A lamp."), (post.id, TEXT)) == ()
        assert house.copies() == []

    async def test_what_differs(self, house: House) -> None:
        """A post that was edited, one that is gone and one that stands there twice are told."""
        second, third = house.add(TEXT), house.add("3/ A keeper.")
        twice = house.add("3/ A keeper.")
        house.known.text = "1/ A lantern."
        del house.chat.messages[second.id]
        found = await self.audit(
            house, (house.known.id, "1/ A lamp."), (second.id, TEXT), (third.id, "3/ A keeper.")
        )
        assert found == (
            Difference("edited", 1, f"its text is another: https://t.me/news/{house.known.id}"),
            Difference("missing", 2, f"message {second.id} is not there"),
            Difference("extra", None, f"post 3 stands there once more: https://t.me/news/{twice.id}"),
        )

    @pytest.mark.parametrize("happens", [not_started, protected, kicked])
    async def test_nothing_to_see(self, house: House, happens: Callable[[House], None]) -> None:
        """Where nothing can be forwarded, the audit says so instead of finding faults."""
        happens(house)
        assert isinstance(await self.audit(house, (house.known.id, "1/ A lamp.")), Blind)

    async def test_without_an_administrator(self, house: House) -> None:
        """Without a private chat to forward to there is no audit."""
        assert isinstance(await self.audit(house, (house.known.id, ""), probed=False), Blind)

    async def test_a_chain_of_another_network(self, house: House) -> None:
        """Ids that are not Telegram's are said to be so."""
        channel = house.channel()
        found = await channel.audit([Expected(1, "01J-abc", "", None)])
        await channel.close()
        assert isinstance(found, Blind)

    async def test_throttled(self, house: House) -> None:
        """Where Telegram asks to wait, the audit tells until when."""
        house.server.throttle(40, "forwardMessage")
        assert isinstance(await self.audit(house, (house.known.id, "1/ A lamp.")), Throttled)
