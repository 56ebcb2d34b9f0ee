"""The Bot API test server breaks as tests ask for, limits rates, goes away, and loses no update."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.servers.telegram.calls import REAL_BOT_PACE, REAL_PACES
from tests.servers.telegram.chats import Chat
from tests.servers.telegram.people import Person
from tests.servers.telegram.server import TelegramServer
from tests.servers.telegram.wire import Call, HandClock, refusal, result


def send(call: Call, chat_id: int | str = "@news", text: str = "x") -> httpx.Response:
    return call("sendMessage", chat_id=chat_id, text=text)


def test_one_fault(server: TelegramServer, call: Call, chat: Chat) -> None:
    """A fault waits for its method, spoils one call and stores nothing; then all is well."""
    server.throttle(7)
    assert result(call("getMe"))
    refused = send(call)

    assert refusal(refused) == (429, "Too Many Requests: retry after 7")
    assert (refused.json()["parameters"], chat.messages) == ({"retry_after": 7}, {})
    assert result(send(call))


def test_answers_that_break(server: TelegramServer, call: Call, chat: Chat) -> None:
    """A lost answer and one that is cut leave the message stored; a dropped reply has no parent."""
    server.lose_answer()
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        send(call)
    server.cut_answer()
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        send(call)
    server.drop_reply()
    unlinked = call("sendMessage", chat_id="@news", text="x", reply_parameters={"message_id": 1})

    assert "reply_to_message" not in result(unlinked)
    assert len(server.seen(chat)) == 3


def test_a_late_answer(server: TelegramServer, call: Call, chat: Chat) -> None:
    """A held answer comes when it is released; stopping breaks those that wait."""
    released = server.hold_answer()
    server.hold_answer()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(send, call)
        server.wait_for(lambda _: len(chat.messages) == 1)
        assert not first.done()
        released.set()
        assert result(first.result())["message_id"] == 1
        second = pool.submit(send, call)
        server.wait_for(lambda _: len(chat.messages) == 2)
        server.stop()
        with pytest.raises(httpx.RemoteProtocolError):
            second.result()


def test_paces(server: TelegramServer, call: Call, clock: HandClock) -> None:
    """With real paces a chat takes a message a second, and a group 20 in a minute."""
    server.api.paces = REAL_PACES
    chats = {"supergroup": server.add_chat("supergroup"), "channel": server.add_chat("channel")}
    statuses: dict[str, list[int]] = {"supergroup": [], "channel": []}
    for _ in range(21):
        clock.now += 2
        for kind, chat in chats.items():
            statuses[kind].append(send(call, chat.id).status_code)
    refused = send(call, chats["channel"].id)
    clock.now += refused.json()["parameters"]["retry_after"]

    assert statuses == {"supergroup": [200] * 20 + [429], "channel": [200] * 21}
    assert refused.status_code == 429
    assert result(send(call, chats["channel"].id))


def test_the_pace_of_a_bot(server: TelegramServer, call: Call, chat: Chat, ada: Person) -> None:
    """A bot sends 30 messages a second over all chats; edits count, those in channels aside."""
    server.api.bot_pace = REAL_BOT_PACE
    for place in (chat.id, 1111):
        send(call, place)

    def edits(place: int, message_id: int, count: int) -> set[int]:
        texts = map(str, range(count))
        answers = (call("editMessageText", chat_id=place, message_id=message_id, text=text) for text in texts)
        return {answer.status_code for answer in answers}

    assert edits(1111, 2, 28) == {200}
    assert edits(chat.id, 1, 28) == {200}
    assert edits(1111, 2, 1) == {429}


def test_the_journal(server: TelegramServer, call: Call, chat: Chat, clock: HandClock) -> None:
    """Each call is noted: when, which method, which chat, how it went."""
    call("getme")
    clock.now += 2
    send(call)
    send(call, chat.id, "")
    call("fly")

    assert [(c.at, c.method, c.chat_id, c.status) for c in server.calls] == [
        (100.0, "getMe", None, 200),
        (102.0, "sendMessage", chat.id, 200),
        (102.0, "sendMessage", chat.id, 400),
    ]


def texts(call: Call, **fields: int) -> list[str]:
    return [update["message"]["text"] for update in result(call("getUpdates", **fields))]


def test_away(server: TelegramServer, call: Call, ada: Person) -> None:
    """Dark, it refuses connections; silent, it carries out nothing; updates wait."""
    server.go_dark()
    ada.says("one")
    with pytest.raises(httpx.ConnectError):
        call("getUpdates")
    server.come_back()
    assert texts(call) == ["one"]
    with ThreadPoolExecutor() as pool:
        server.hold()
        before = len(server.requests)
        sending = pool.submit(send, call, 1111)
        server.wait_for(lambda s: len(s.requests) > before)
        ada.says("two")
        assert not sending.done()
        server.come_back()
        with pytest.raises(httpx.RemoteProtocolError):
            sending.result()
    assert texts(call) == ["one", "two"]
    assert [seen.text for seen in ada.sees()] == ["/start", "one", "two"]
    server.hold()
    server.go_dark()
    server.come_back()
    assert result(call("getMe"))


def test_updates_are_kept_until_confirmed(call: Call, ada: Person) -> None:
    """Updates come again until a higher offset confirms them; a negative one forgets all but the last."""
    for text in ("one", "two", "three"):
        ada.says(text)
    first, *_ = result(call("getUpdates", limit=1))

    assert texts(call) == ["one", "two", "three"]
    assert texts(call, offset=first["update_id"] + 1) == ["two", "three"]
    assert texts(call, offset=-1) == ["three"]
    assert texts(call) == ["three"]


def test_kinds(call: Call, ada: Person) -> None:
    """Kinds that were not asked for are not kept; who does not ask again gets those of before."""
    call("getUpdates", allowed_updates=["edited_message"])
    ada.edits(ada.says("one"), "two")
    assert [list(update)[1:] for update in result(call("getUpdates"))] == [["edited_message"]]

    call("getUpdates", offset=-1, allowed_updates=[])
    ada.says("three")

    assert [list(update)[1] for update in result(call("getUpdates"))] == ["edited_message", "message"]


def test_polls(server: TelegramServer, call: Call, ada: Person) -> None:
    """A poll ends with an update; a second poller throws the first one out; a webhook excludes both."""
    with ThreadPoolExecutor() as pool:
        first = pool.submit(call, "getUpdates", timeout=30)
        server.wait_for(lambda s: len(s.calls) == 1)
        second = pool.submit(call, "getUpdates", timeout=30)
        assert refusal(first.result())[0] == 409
        ada.says("hello")
        assert [u["message"]["text"] for u in result(second.result())] == ["hello"]
    server.api.webhooks[ada.bot.id] = "https://example.org/hook"
    assert refusal(call("getUpdates"))[0] == 409
    call("deleteWebhook")
    assert texts(call) == ["hello"]
