"""The Bot API test server counts calls, limits their rate, goes away and comes back, and loses no update."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.servers.telegram.calls import REAL_BOT_PACE
from tests.servers.telegram.chats import Chat
from tests.servers.telegram.people import Person
from tests.servers.telegram.server import TOKEN, TelegramServer
from tests.servers.telegram.wire import Call, HandClock, refusal, result


class TestPaceOfABot:
    def test_thirty_a_second(self, server: TelegramServer, call: Call, clock: HandClock) -> None:
        """A bot sends 30 messages a second over all chats, and more when the second is over."""
        server.api.bot_pace = REAL_BOT_PACE
        chats = [server.add_chat() for _ in range(31)]
        answers = [call("sendMessage", chat_id=chat.id, text="x") for chat in chats]

        assert [answer.status_code for answer in answers] == [200] * 30 + [429]
        clock.now += answers[-1].json()["parameters"]["retry_after"]
        assert result(call("sendMessage", chat_id=chats[-1].id, text="x"))

    def test_edits_count(self, server: TelegramServer, call: Call, chat: Chat, ada: Person) -> None:
        """An edit counts in private chats and groups, and not in channels."""
        server.api.bot_pace = REAL_BOT_PACE
        for place in (chat.id, 1111):
            call("sendMessage", chat_id=place, text="x")

        def edits(place: int, message_id: int, count: int) -> set[int]:
            calls = (
                call("editMessageText", chat_id=place, message_id=message_id, text=f"{number}")
                for number in range(count)
            )
            return {answer.status_code for answer in calls}

        assert edits(1111, 2, 28) == {200}
        assert edits(chat.id, 1, 28) == {200}
        assert edits(1111, 2, 1) == {429}

    def test_the_journal(self, server: TelegramServer, call: Call, chat: Chat, clock: HandClock) -> None:
        """Each call is noted: when, which method, which chat, how it went."""
        call("getme")
        clock.now += 2
        call("sendMessage", chat_id="@news", text="x")
        call("SENDMESSAGE", chat_id=chat.id, text="")
        call("fly")

        assert [(c.at, c.method, c.chat_id, c.status) for c in server.calls] == [
            (100.0, "getMe", None, 200),
            (102.0, "sendMessage", chat.id, 200),
            (102.0, "sendMessage", chat.id, 400),
        ]


class TestAway:
    def test_refused(self, server: TelegramServer, call: Call, ada: Person) -> None:
        """A platform that is dark refuses connections; what was done meanwhile waits when it is back."""
        server.go_dark()
        ada.says("one")
        with pytest.raises(httpx.ConnectError):
            call("getUpdates")

        server.come_back()

        assert [update["message"]["text"] for update in result(call("getUpdates"))] == ["one"]

    def test_silent(self, server: TelegramServer, call: Call, ada: Person) -> None:
        """A platform that is silent takes calls, carries none out and answers none; then they break off."""
        with ThreadPoolExecutor() as pool:
            polling = pool.submit(call, "getUpdates", timeout=30)
            server.wait_for(lambda s: len(s.calls) == 1)
            server.hold()
            with pytest.raises(httpx.RemoteProtocolError):
                polling.result()
            sending = pool.submit(call, "sendMessage", chat_id=1111, text="x")
            server.wait_for(lambda s: len(s.requests) == 2)
            ada.says("one")
            assert not sending.done()

            server.come_back()

            with pytest.raises(httpx.RemoteProtocolError):
                sending.result()
        assert [update["message"]["text"] for update in result(call("getUpdates"))] == ["one"]
        assert [seen.text for seen in ada.sees()] == ["/start", "one"]

    def test_dark_after_silent(self, server: TelegramServer, call: Call) -> None:
        """Whichever way it went away, it comes back once."""
        server.hold()
        server.go_dark()
        server.come_back()

        assert result(call("getMe"))


class TestUpdates:
    def test_kept_until_confirmed(self, call: Call, ada: Person) -> None:
        """Updates come again until a higher offset confirms them; a negative one forgets all but the last."""
        for text in ("one", "two", "three"):
            ada.says(text)
        first, *_ = result(call("getUpdates", limit=1))

        def texts(**fields: int) -> list[str]:
            return [update["message"]["text"] for update in result(call("getUpdates", **fields))]

        assert texts() == ["one", "two", "three"]
        assert texts(offset=first["update_id"] + 1) == ["two", "three"]
        assert texts(offset=-1) == ["three"]
        assert texts() == ["three"]

    def test_kinds(self, call: Call, ada: Person) -> None:
        """Kinds that were not asked for are not kept; who does not ask again gets those of before."""
        call("getUpdates", allowed_updates=["edited_message"])
        message = ada.says("one")
        ada.edits(message, "two")
        assert [list(update)[1:] for update in result(call("getUpdates"))] == [["edited_message"]]

        call("getUpdates", offset=-1, allowed_updates=[])
        ada.says("three")

        assert [list(update)[1] for update in result(call("getUpdates"))] == ["edited_message", "message"]


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("getUpdates", {"offset": "one"}),
        ("getUpdates", {"timeout": [1]}),
        ("getUpdates", {"allowed_updates": "message"}),
        ("getUpdates", {"allowed_updates": [1]}),
        ("sendMessage", {"chat_id": 1111, "text": ["x"]}),
        ("sendMessage", {"chat_id": 1111, "text": "x", "disable_notification": "maybe"}),
        ("sendMessage", {"chat_id": 1111, "text": "x", "reply_parameters": [1]}),
        ("sendMessage", {"chat_id": 1111, "text": "x", "reply_parameters": {"quote": "x"}}),
        ("sendMessage", {"chat_id": 1111, "text": "x", "link_preview_options": [1]}),
        ("sendMessage", {"chat_id": 1111, "text": "x", "link_preview_options": {"is_disabled": "yes"}}),
        ("editMessageText", {"chat_id": 1111, "message_id": "first", "text": "x"}),
        ("deleteMessages", {"chat_id": 1111, "message_ids": 1}),
        ("deleteMessages", {"chat_id": 1111, "message_ids": []}),
        ("answerCallbackQuery", {"callback_query_id": [1]}),
    ],
)
def test_types(
    server: TelegramServer, http: httpx.Client, ada: Person, method: str, fields: dict[str, object]
) -> None:
    """A parameter of a type that it does not have is refused, and nothing is done."""
    refused = http.post(f"{server.url}/bot{TOKEN}/{method}", json=fields)

    assert refusal(refused)[0] == 400
    assert [seen.text for seen in ada.sees()] == ["/start"]


def test_no_object(server: TelegramServer, http: httpx.Client) -> None:
    """A body that says it is JSON and is none is refused."""
    url = f"{server.url}/bot{TOKEN}/getMe"
    headers = {"Content-Type": "application/json"}

    assert refusal(http.post(url, content=b"{", headers=headers))[0] == 400
    assert refusal(http.post(url, content=b"[]", headers=headers))[0] == 400
